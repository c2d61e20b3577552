"""stop: the pod is gone when it returns, and it returns."""
import logging

import pytest
import tornado
from tornado import gen
from tornado.concurrent import Future
from tornado.ioloop import IOLoop

from kubespawner.spawner import SpawnError
from kubespawner.story import STEPS
from tests.loop import gen_test

from .conftest import UNTOUCHED
from .test_progress import CLAIM, Listener

pytestmark = pytest.mark.usefixtures('node')


@pytest.mark.parametrize('now', [False, True])
@gen_test
def test_the_pod_is_gone_when_stop_returns(new_spawner, objects, now):
    spawner = new_spawner('ann')
    yield spawner.start()
    yield spawner.stop(now)
    assert objects.pod(spawner.pod_name) is None
    assert (yield spawner.poll()) == 1


@gen_test
def test_stopping_what_is_gone_already_is_fine(new_spawner):
    spawner = new_spawner('ann')
    yield spawner.stop()
    yield spawner.start()
    yield [spawner.stop(), spawner.stop()]
    yield spawner.stop()


@gen_test
def test_a_start_that_the_hub_cancels_before_it_stops_the_server_leaves_no_pod_and_no_error_in_the_log(
        new_spawner, objects, caplog):
    spawner = new_spawner('ann', **UNTOUCHED)
    listener = Listener(spawner)
    start = spawner.start()
    yield objects.until(lambda: listener.has_heard(STEPS['pod created'][1]))
    start.add_done_callback(lambda future: future.cancelled() or future.exception())  # JupyterHub 0.8 cannot cancel
    start.cancel()
    yield spawner.stop(now=True)
    yield listener.end
    assert objects.pods() == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.skipif(tornado.version_info < (5,), reason='starts cannot be cancelled')
@gen_test
def test_a_start_that_the_hub_cancels_before_there_is_a_pod_makes_none_and_no_claim(kube, new_spawner):
    def wait(spawner, pod):
        return released

    released, spawner = Future(), new_spawner('ann', modify_pod_hook=wait, **CLAIM)
    start = spawner.start()
    listener = Listener(spawner)
    start.cancel()
    yield gen.moment
    released.set_result((yield new_spawner('ann').get_pod_manifest()))
    yield listener.end
    assert [path for method, path in kube.requests() if method == 'POST'] == []


@gen_test
def test_the_claim_outlives_the_pod(new_spawner, objects):
    spawner = new_spawner('ann', **CLAIM)
    yield spawner.start()
    yield spawner.stop()
    assert objects.claim(spawner.pvc_name) is not None


@gen_test
def test_other_users_and_other_servers_are_not_touched(new_spawner, objects):
    spawners = [new_spawner('a'), new_spawner('a', '40b'), new_spawner('a@b')]
    yield [spawner.start() for spawner in spawners]
    yield spawners[0].stop(now=True)
    assert {pod['metadata']['name'] for pod in objects.pods()} == {'jupyter-a--40b', 'jupyter-a-40b'}
    yield [spawner.stop(now=True) for spawner in spawners]


@gen_test
def test_stop_ends_at_its_deadline_and_says_what_it_waited_for(new_spawner, objects, core, namespace):
    def keep(spawner, pod):
        pod.metadata.finalizers = ['example.org/keep']
        return pod

    spawner = new_spawner('ann', modify_pod_hook=keep, **UNTOUCHED)
    spawner.start_timeout = 1
    with pytest.raises(SpawnError):
        yield spawner.start()
    with pytest.raises(SpawnError, match='to be gone. Last seen: .*being deleted'):
        yield gen.with_timeout(IOLoop.current().time() + 20, spawner.stop())
    core.patch_namespaced_pod(name=spawner.pod_name, namespace=namespace, body={'metadata': {'finalizers': None}},
                              _preload_content=False)
    yield objects.until(lambda: objects.pod(spawner.pod_name) is None)


@gen_test
def test_a_pod_that_took_the_name_since_is_not_touched(new_spawner, objects, core, namespace):
    """The cache still has the old one when stop is called."""
    spawner = new_spawner('ann', **UNTOUCHED)
    start = spawner.start()
    yield objects.until(lambda: spawner.pod_reflector.get(spawner.pod_name))
    spawner.pod_reflector.stop()
    old = objects.pod(spawner.pod_name)
    core.delete_namespaced_pod(name=spawner.pod_name, namespace=namespace, body={}, _preload_content=False)
    core.create_namespaced_pod(namespace=namespace, _preload_content=False, body={
        'metadata': {'name': spawner.pod_name},
        'spec': {'schedulerName': 'nobody', 'containers': [{'name': 'c', 'image': 'busybox'}]}})
    spawner.pod_reflector.upsert(dict(old, metadata=dict(old['metadata'], resourceVersion=str(10 ** 12))))
    yield spawner.stop(now=True)
    assert objects.pod(spawner.pod_name) is not None
    core.delete_namespaced_pod(name=spawner.pod_name, namespace=namespace, body={}, _preload_content=False)
    with pytest.raises(SpawnError):
        yield start
