"""Many servers that are started or stopped at once: what they ask of the API and of the loop."""
from collections import Counter

import pytest
from tornado import gen
from tornado.concurrent import Future

from kubespawner import KubeSpawner
from kubespawner.spawner import STARTS_A_TURN, STOPS_A_TURN
from tests.cluster.conftest import make_spawner
from tests.test_turns import Iterations

SERVERS = 25


@pytest.fixture
def api(monkeypatch, recording_api):
    """A RecordingApi, as the cluster of spawners that share nothing with those of other tests."""
    for shared in ('executor', 'pod_reflector', 'event_reflector'):
        monkeypatch.setattr(KubeSpawner, shared, None)
    yield recording_api
    KubeSpawner.pod_reflector.stop()


@pytest.fixture
def sent(monkeypatch):
    """The requests that spawners send: pairs of the verb and the kind. A pod is gone when it has been deleted."""
    requests, asynchronize = [], KubeSpawner.asynchronize

    def recording(self, method, *args, **kwargs):
        verbs_and_kinds = [(arg.verb, arg.kind) for arg in args if hasattr(arg, 'verb')]
        requests.extend(verbs_and_kinds)
        pod = self.pod_reflector.get(self._pod_key)
        future = asynchronize(self, method, *args, **kwargs)
        if verbs_and_kinds == [('delete', 'pod')]:
            future.add_done_callback(lambda _: self.pod_reflector.forget(pod))  # as the watch of a cluster says
        return future

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
def test_the_loop_has_its_turn_between_the_stops_of_many_servers(api, sent, monkeypatch):
    iterations_of_requests, asynchronize = [], KubeSpawner.asynchronize

    def counting(*args):
        iterations_of_requests.append(iterations.now)
        return asynchronize(*args)

    servers = spawners()
    yield servers[0].poll()
    yield [spawner.start() for spawner in servers]
    monkeypatch.setattr(KubeSpawner, 'asynchronize', counting)
    iterations = Iterations()
    yield [spawner.stop() for spawner in servers]
    iterations.goes_on = False
    assert len(iterations_of_requests) == SERVERS
    assert max(Counter(iterations_of_requests).values()) <= STOPS_A_TURN


@pytest.mark.gen_test
def test_the_loop_has_its_turn_between_the_polls_of_many_servers_before_the_first_list_and_after_it(api, monkeypatch):
    monkeypatch.setattr('kubespawner.spawner.POLLS_A_TURN', 4)
    servers = spawners()
    yield [spawner.start() for spawner in servers]
    states = [spawner.get_state() for spawner in servers]
    KubeSpawner.pod_reflector.stop()
    monkeypatch.setattr(KubeSpawner, 'pod_reflector', None)
    servers, iterations = spawners(), Iterations()
    for spawner, state in zip(servers, states):
        spawner.load_state(state)
    for _ in range(2):
        answered = []
        polls = [spawner.poll() for spawner in servers]
        for poll in polls:
            poll.add_done_callback(lambda _, answered=answered: answered.append(iterations.now))
        assert (yield polls) == [None] * SERVERS
        assert max(Counter(answered).values()) <= 4
    iterations.goes_on = False


@pytest.mark.gen_test
def test_polls_before_the_first_list_wait_together_and_the_log_says_once_that_it_is_late(api, monkeypatch, caplog):
    monkeypatch.setattr('kubespawner.spawner.POLLS_A_TURN', 4)
    monkeypatch.setattr('kubespawner.parts.followed_pods.FIRST_LIST_SECONDS', 0.2)
    monkeypatch.setattr('kubespawner.spawner.PodReflector.start', lambda self: self)
    servers = spawners()
    for spawner in servers:
        spawner.load_state({'pod_name': spawner.pod_name})
    listed = Future()  # in place of a wait by the clock, which could be over before the last of them has its turn
    monkeypatch.setattr('kubespawner.lifecycle.waiting.is_listed', lambda reflector, seconds: listed)
    polls = [spawner.poll() for spawner in servers]
    for _ in polls:
        yield gen.moment
    assert not any(poll.done() for poll in polls)
    listed.set_result(False)
    assert (yield polls) == [None] * SERVERS
    warnings = [record.getMessage() for record in caplog.records if record.levelname == 'WARNING']
    assert warnings == ['Which servers have a pod is not known: Kubernetes has not listed the pods in namespace hubs '
                        'within 0 s.']


@pytest.mark.gen_test
def test_a_start_sends_one_request_and_a_stop_another(api, sent):
    servers = spawners()
    yield servers[0].poll()
    sent.clear()
    yield [spawner.start() for spawner in servers]
    assert sent == [('create', 'pod')] * SERVERS
    sent.clear()
    yield [spawner.stop() for spawner in servers]
    assert sent == [('delete', 'pod')] * SERVERS


class Database:
    """A database session that remembers which states have been committed, and how often."""

    def __init__(self, servers):
        self.commits, self.committed, self._servers = 0, [], servers

    def commit(self):
        self.commits += 1
        self.committed.extend(server.orm_spawner.state for server in self._servers)


@pytest.mark.gen_test
def test_starts_share_commits_and_no_pod_is_created_before_its_state_is_committed(api, monkeypatch):
    servers, states_known, asynchronize = spawners(), [], KubeSpawner.asynchronize
    requests, all_sent = [], Future()

    @gen.coroutine
    def recording(self, *args):
        states_known.append(self.orm_spawner.state in database.committed)
        request = asynchronize(self, *args)
        requests.append(request)
        if len(requests) == SERVERS:
            all_sent.set_result(None)
        yield all_sent  # and all are answered at once, however slow the machine is
        yield requests
        return request.result()

    yield servers[0].poll()
    database = Database(servers)
    for spawner in servers:
        spawner.user.db = database
    monkeypatch.setattr(KubeSpawner, 'asynchronize', recording)
    yield [spawner.start() for spawner in servers]
    assert states_known == [True] * SERVERS
    assert database.commits < SERVERS
    assert all('pod_uid' in database.committed[-1 - number] for number in range(SERVERS))
