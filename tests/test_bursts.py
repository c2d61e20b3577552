"""Many servers that are started or stopped at once: what they ask of the API and of the loop."""
from collections import Counter

import pytest

from kubespawner import KubeSpawner
from kubespawner.kube import clients
from kubespawner.spawner import STARTS_A_TURN
from tests.cluster.conftest import make_spawner
from tests.support.recording_api import RecordingApi
from tests.test_turns import Iterations

SERVERS = 25


@pytest.fixture
def api(tmpdir, monkeypatch):
    """A RecordingApi, as the cluster of spawners that share nothing with those of other tests."""
    monkeypatch.setattr(clients, '_clients', type(clients._clients)())
    for shared in ('executor', 'pod_reflector', 'event_reflector'):
        monkeypatch.setattr(KubeSpawner, shared, None)
    with RecordingApi() as server:
        path = tmpdir.join('kubeconfig')
        path.write(server.kubeconfig)
        monkeypatch.setenv('KUBECONFIG', str(path))
        yield server
        KubeSpawner.pod_reflector.stop()


@pytest.fixture
def sent(monkeypatch):
    """The requests that spawners send: pairs of the verb and the kind."""
    requests, asynchronize = [], KubeSpawner.asynchronize

    def recording(self, method, *args, **kwargs):
        requests.extend((arg.verb, arg.kind) for arg in args if hasattr(arg, 'verb'))
        return asynchronize(self, method, *args, **kwargs)

    monkeypatch.setattr(KubeSpawner, 'asynchronize', recording)
    return requests


def spawners():
    return [make_spawner(KubeSpawner, 'user%d' % number, namespace='hubs') for number in range(SERVERS)]


@pytest.mark.gen_test
def test_the_loop_has_its_turn_between_the_starts_of_many_servers(api, monkeypatch):
    made, make = [], KubeSpawner.get_pod_manifest

    def counting(self):
        made.append(iterations.now)
        return make(self)

    monkeypatch.setattr(KubeSpawner, 'get_pod_manifest', counting)
    starting = spawners()
    yield starting[0].poll()
    iterations = Iterations()
    yield [spawner.start() for spawner in starting]
    iterations.goes_on = False
    assert len(made) == SERVERS and max(Counter(made).values()) <= STARTS_A_TURN


@pytest.mark.gen_test
def test_a_start_sends_one_request_and_a_stop_another(api, sent):
    servers = spawners()
    yield servers[0].poll()
    sent.clear()
    yield [spawner.start() for spawner in servers]
    assert sent == [('create', 'pod')] * SERVERS
    sent.clear()
    pods = dict(KubeSpawner.pod_reflector.pods)
    stopping = [spawner.stop() for spawner in servers]
    for pod in pods.values():  # as the watch of a cluster says
        KubeSpawner.pod_reflector.forget(pod)
    yield stopping
    assert sent == [('delete', 'pod')] * SERVERS
