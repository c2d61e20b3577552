"""Reflectors beside a shared one, and what a hub does that may not list all namespaces. No cluster is needed."""
import gc
import threading

import pytest
from urllib3.exceptions import ProtocolError

from kubespawner.kube import reflector as reflectors
from kubespawner.kube.events import EventReflector
from kubespawner.spawner import PodReflector
from tests.support.fakes import empty_list, refused

FORBIDDEN = refused(403, 'Forbidden', 'pods is forbidden')
LOST = ProtocolError('the connection is lost')


class Api:
    """Answers the lists of each namespace ('' means all) with what comes next; the last answer again and again.

    Each watch raises `watch`. `asked` has the namespaces of the lists in their order, and `watch ` and the namespace of
    each watch.
    """

    def __init__(self, **answers):
        self.answers, self.asked = {name.replace('all', ''): each for name, each in answers.items()}, []
        self.changed, self.watch = threading.Condition(), LOST

    def __getattr__(self, method):
        def answer(namespace='', watch=False, **arguments):
            assert method.endswith('_for_all_namespaces') is (namespace == '')
            with self.changed:
                self.asked.append('watch ' * watch + namespace)
                self.changed.notify_all()
                if watch:
                    raise self.watch
                answers = self.answers[namespace]
                given = answers.pop(0) if len(answers) > 1 else answers[0]
            if isinstance(given, Exception):
                raise given
            return given
        return answer

    def wait_for(self, namespace, times):
        """Return when this has been asked so often."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.asked.count(namespace) >= times, 30)


@pytest.fixture
def follow(monkeypatch):
    """`follow(api, **traits)` returns a reflector of all namespaces, or of another one, on this Api."""
    made = []

    def new(api, cls=PodReflector, **traits):
        monkeypatch.setattr(reflectors, 'shared_client', lambda name: api)
        made.append(cls(**traits))
        made[-1].failures = []
        made[-1].on_failure = lambda: made[-1].failures.append('failed')
        return made[-1]

    yield new
    for each in made:
        each.stop()


def ended(reflector):
    reflector._thread.join(30)
    return not reflector._thread.is_alive()


@pytest.mark.parametrize('cls', [PodReflector, EventReflector])
def test_a_reflector_that_may_not_list_all_namespaces_ends_without_a_failure_and_says_so_once(cls, follow, caplog):
    shared = follow(Api(all=[FORBIDDEN]), cls)
    assert shared.start().first_load_future.result(30) is None and ended(shared)
    assert shared.is_forbidden and not shared.failed and not shared.failures
    line, = [record.getMessage() for record in caplog.records]
    assert 'may not list and watch' in line and 'in all namespaces' in line and 'pods is forbidden' in line


def test_siblings_of_single_namespaces_take_its_place(follow):
    shared = follow(Api(all=[FORBIDDEN], ann=[empty_list()]))
    labels = shared.labels
    assert shared.sibling('ann', labels) is shared
    shared.start().first_load_future.result(30)
    ann = shared.sibling('ann', labels)
    assert ann.namespace == 'ann' and ann.labels == labels and shared.sibling('ann', labels) is ann
    assert ann.start().first_load_future.result(30) is None and not ann.is_stale


@pytest.mark.parametrize('answers', [[LOST, FORBIDDEN], [refused(503), FORBIDDEN]], ids=['lost', '503'])
def test_a_refusal_just_after_an_outage_may_come_from_a_server_without_its_roles(answers, follow):
    api = Api(all=answers + [empty_list()])
    shared = follow(api)
    shared.start()
    api.wait_for('', 3)
    assert not shared.is_forbidden


def test_without_the_permission_that_it_once_had_a_reflector_of_all_namespaces_gives_up(follow):
    api = Api(all=[empty_list(), FORBIDDEN])
    api.watch = FORBIDDEN
    shared = follow(api, give_up_seconds=0.1)
    shared.start()
    assert ended(shared) and shared.failed and shared.failures and not shared.is_forbidden


def test_a_reflector_of_a_single_namespace_that_is_forbidden_gives_up(follow):
    hub = follow(Api(hub=[FORBIDDEN]), namespace='hub', give_up_seconds=0.1)
    hub.start()
    assert ended(hub) and hub.failed and hub.failures and not hub.is_forbidden


def sibling(follow, *answers):
    """Return (Api, started sibling with these answers, which gives up soon)."""
    api = Api(ann=list(answers))
    made = follow(api, namespace='hub').sibling('ann', {})
    made.give_up_seconds = 0.1
    made.failures = []
    made.on_failure = lambda: made.failures.append('failed')
    return api, made.start()


def test_a_forbidden_namespace_of_one_user_is_no_reason_to_give_up(follow, caplog):
    api, ann = sibling(follow, FORBIDDEN)
    api.wait_for('ann', 4)
    assert ann.is_stale and not ann.failed and not ann.failures
    ann.stop()
    assert ended(ann) and not ann.failures
    assert len([record for record in caplog.records if 'pods is forbidden' in record.getMessage()]) <= 2


def test_a_server_that_is_gone_is_a_reason_to_give_up_even_after_a_refusal(follow):
    api, ann = sibling(follow, FORBIDDEN, LOST)
    assert ended(ann) and ann.failed and ann.failures == ['failed']


def test_a_namespace_that_is_no_longer_forbidden_is_followed(follow):
    api, ann = sibling(follow, FORBIDDEN, FORBIDDEN, empty_list())
    api.wait_for('watch ann', 1)
    assert not ann.is_stale


class User:
    """Somebody who needs a reflector."""


def test_a_sibling_stops_when_nobody_needs_it_and_is_made_anew(follow):
    shared = follow(Api(ann=[empty_list()]), namespace='hub')
    ann, users = shared.sibling('ann', {}), [User(), User()]
    for user in users:
        shared.siblings.use(ann, user)
    ann.start().first_load_future.result(30)
    shared.siblings.release(ann, users[0])
    assert not ann.stopped()
    shared.siblings.release(ann, users[1])
    assert ann.stopped() and ended(ann) and list(shared.siblings) == []
    assert shared.sibling('ann', {}) is not ann


def test_a_sibling_whose_users_are_gone_stops_when_another_one_is_made(follow):
    shared, user = follow(Api(), namespace='hub'), User()
    ann = shared.sibling('ann', {})
    shared.siblings.use(ann, user)
    del user
    gc.collect()
    bob = shared.sibling('bob', {})
    assert ann.stopped() and list(shared.siblings) == [bob]


@pytest.mark.parametrize('namespace', ['', 'hub'])
def test_a_sibling_for_all_namespaces_or_for_other_labels_stays(namespace, follow):
    shared, user = follow(Api(), namespace='hub'), User()
    other = shared.sibling(namespace, {'component': 'x'})
    shared.siblings.use(other, user)
    shared.siblings.release(other, user)
    assert not other.stopped() and list(shared.siblings) == [other]


def test_siblings_of_events_log_each_kind_of_error_once_among_them(follow, caplog):
    api = Api(all=[FORBIDDEN], ann=[FORBIDDEN], bob=[FORBIDDEN])
    shared = follow(api, EventReflector)
    shared.start().first_load_future.result(30)
    for name in ('ann', 'bob'):
        made = shared.sibling(name, {})
        made.start().first_load_future.result(30)
        made.stop()
        assert ended(made)
    warnings = [record for record in caplog.records if record.levelname == 'WARNING']
    assert len([record for record in warnings if 'Events of pods are not available' in record.getMessage()]) == 1
