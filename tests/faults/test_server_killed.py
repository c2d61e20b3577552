"""The API server is killed while servers start: a real one with SIGKILL; a localkube behaves as if."""
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from kubernetes.client.rest import ApiException
from tornado import gen
from urllib3.exceptions import HTTPError

from kubespawner.kube.reflector import version_of
from tests.cluster.conftest import UNTOUCHED
from tests.simulated_node import NODE, SimulatedNode

from .conftest import Pods

SERVERS = 50
RECOVERY = 20  # seconds from an API server that answers again to a cache that knows what it says; 2 on a quiet machine


class EnduringNode(SimulatedNode):
    """A simulated node that outlives its API server, and then goes on where it was."""

    def _run(self):
        while not self._stopping.is_set():
            try:
                super()._run()
            except (ApiException, HTTPError, OSError):
                self._stopping.wait(0.1)

    def _tend(self, pod):
        status = pod.get('status', {})
        if pod['spec'].get('nodeName') == NODE and status.get('phase') == 'Pending':
            self._mark_ready(pod['metadata']['name'], pod)
        else:
            super()._tend(pod)


@pytest.fixture(scope='module')
def node(request, core, namespace):
    """Makes pods run, as the fixture of this name for tests without outages does."""
    if request.config.getoption('--simulated-node'):
        with EnduringNode(core, namespace):
            yield
    else:
        yield


@pytest.fixture
def outage(api_control):
    """`outage(seconds)` is a coroutine: the API server is killed, its history compacted, and it is started again."""
    with ThreadPoolExecutor(1) as executor:  # the loop runs on meanwhile, as a hub's does

        @gen.coroutine
        def outage(seconds):
            end = time.monotonic() + seconds
            yield executor.submit(api_control.kill)
            yield executor.submit(api_control.compact)
            yield gen.sleep(end - time.monotonic())
            yield executor.submit(api_control.start)

        yield outage


@pytest.fixture(params=[5, 60])
def seconds(request, cluster):
    """How long the outage lasts."""
    if request.param > 5 and cluster.is_localkube:
        pytest.skip('a minute of pretence proves no more than five seconds of it')
    return request.param


@gen.coroutine
def failure_of_start(spawner):
    """Return what `start` raises, None if it succeeds. After a failure, do what JupyterHub does then."""
    try:
        yield spawner.start()
        return None
    except Exception as e:
        failure = e
    try:
        if (yield spawner.poll()) is None:
            yield spawner.stop()
    except Exception as e:
        assert e.jupyterhub_message
    return failure


def versions(pods):
    """Return {name: (uid, version)} of pods as dicts."""
    return {pod['metadata']['name']: (pod['metadata']['uid'], version_of(pod)) for pod in pods}


def knows(reflector, truth):
    """True if a cache is not behind `truth`, a dict like that of `versions`."""
    cached = versions(list(reflector.pods.values()))
    return all(name in cached and cached[name][1] >= version for name, (_, version) in truth.items())


@pytest.mark.gen_test
def test_each_start_that_an_outage_meets_ends_with_a_running_server_or_with_a_reason(
        seconds, outage, node, new_spawner, objects):
    spawners = [new_spawner('user-%d' % i) for i in range(SERVERS)]
    for spawner in spawners:
        spawner.start_timeout = 100
    starts = [failure_of_start(spawner) for spawner in spawners[:SERVERS // 2]]
    yield objects.until(lambda: len(objects.pods()) >= SERVERS // 5)
    assert not all(start.done() for start in starts)
    end = outage(seconds)
    starts += [failure_of_start(spawner) for spawner in spawners[SERVERS // 2:]]
    yield end

    reflector, truth, since = spawners[0].pod_reflector, versions(objects.pods()), time.monotonic()
    yield objects.until(lambda: knows(reflector, truth))
    assert time.monotonic() - since < RECOVERY

    failures = yield starts
    assert all(failure.jupyterhub_message for failure in failures if failure)
    if seconds < 10:  # a server that has just started refuses whose roles it has not read yet
        assert [str(failure) for failure in failures if failure and '403 Forbidden' not in str(failure)] == []
    running = {spawner.pod_name for spawner, failure in zip(spawners, failures) if failure is None}
    assert running <= set(versions(objects.pods()))
    before = versions(objects.pods())
    yield [spawner.start() for spawner, failure in zip(spawners, failures) if failure]
    after = versions(objects.pods())
    assert set(after) == {spawner.pod_name for spawner in spawners}
    assert all(after[name][0] == before[name][0] for name in running)
    yield objects.until(lambda: versions(list(reflector.pods.values())) == versions(objects.pods()))
    assert (yield [spawner.poll() for spawner in spawners]) == [None] * SERVERS
    yield [spawner.stop(now=True) for spawner in spawners]
    assert objects.pods() == []


@pytest.mark.gen_test
def test_the_loop_is_halted_after_the_limit_and_never_before(cluster, api_control, outage, new_spawner, objects):
    limit = 6 if cluster.is_localkube else 15
    spawner = new_spawner('ann', **UNTOUCHED)
    reflector, halts = spawner.pod_reflector, []
    reflector.on_failure = lambda: halts.append(time.monotonic())
    reflector.give_up_seconds = limit
    yield spawner.poll()
    yield gen.sleep(limit + 1)  # silence of a server that lives is no outage
    yield outage(limit / 3)
    start = spawner.start()
    yield objects.until(lambda: spawner.pod_name in reflector.pods)
    assert halts == []

    yield spawner.stop(now=True)
    with pytest.raises(Exception, match='deleted|given up'):  # which, depends on whether the creation was answered
        yield start
    began = time.monotonic()
    Pods(objects.core, spawner.namespace).create('another')
    yield objects.until(lambda: 'another' in reflector.pods)  # so the last contact is after `began`
    api_control.kill()
    yield objects.until(lambda: halts)
    assert limit <= halts[0] - began
