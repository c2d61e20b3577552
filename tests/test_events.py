"""Events of pods: who hears of which, and that nothing depends on them. No server is needed."""
from contextlib import contextmanager

import pytest
from tornado import gen
from tornado.ioloop import IOLoop

from kubespawner.kube.events import MAX_FOLLOWED, EventReflector
from kubespawner.kube.jsonstream import Garbled
from tests.fake_time import with_fake_time
from tests.support.fakes import Streamed, refused


def listed(monkeypatch, *pieces):
    """Return a reflector that has learned from the pieces of a list where to begin."""
    made = EventReflector(namespace='hubs')

    @contextmanager
    def request(*args, **kwargs):
        yield Streamed(pieces)

    monkeypatch.setattr(made, '_request', request)
    made._list()
    return made


def event(name='a', namespace='hubs', version=5, **fields):
    return dict({'metadata': {'name': 'e', 'uid': 'e', 'resourceVersion': str(version), 'managedFields': []},
                 'involvedObject': {'name': name, 'namespace': namespace}, 'reason': 'Pulling'}, **fields)


def test_of_the_list_only_its_version_is_learned(monkeypatch):
    made = listed(monkeypatch, b'{"metadata": {"resourceVersion": "41"}, ', b'"items": []}')
    assert made._resource_version == 41 and not made.resources and not made.first_load_future.done()


def test_a_list_that_does_not_say_its_version_is_none(monkeypatch):
    with pytest.raises(Garbled):
        listed(monkeypatch, b'{"metadata": {}, "items": []}')


@with_fake_time
def test_who_follows_a_pod_is_told_of_its_events_and_of_no_others():
    made, heard = EventReflector(namespace='hubs'), []
    assert made.follow('hubs', 'a', IOLoop.current(), heard.append)
    for kind, each in [
            ('ADDED', event()), ('MODIFIED', event(reason='Pulled')), ('DELETED', event(reason='deleted')),
            ('ADDED', event('b', reason='another pod')), ('ADDED', event(namespace='x', reason='another namespace')),
            ('ADDED', event(involvedObject=None)), ('BOOKMARK', event(version=9))]:
        made._apply(kind, each)
    yield gen.sleep(1)
    assert [each['reason'] for each in heard] == ['Pulling', 'Pulled']
    assert 'managedFields' not in heard[0]['metadata'] and made._resource_version == 9
    made.unfollow(heard.append)
    made._apply('ADDED', event())
    yield gen.sleep(1)
    assert len(heard) == 2


def test_a_loop_that_is_closed_disturbs_nobody():
    made, loop = EventReflector(namespace='hubs'), IOLoop(make_current=False)
    made.follow('hubs', 'a', loop, print)
    loop.close()
    made._apply('ADDED', event())


def test_only_so_many_pods_are_followed():
    made = EventReflector(namespace='hubs')
    followed = [made.follow('hubs', 'pod-%d' % number, None, print) for number in range(MAX_FOLLOWED + 1)]
    assert followed == [True] * MAX_FOLLOWED + [False]


def test_nobody_waits_any_more_when_the_watch_has_begun_failed_or_ended(monkeypatch):
    for begins in (
            lambda made: list(made._chunks(Streamed([b'x']))),
            lambda made: made._log_error(OSError('no route'), 'no route'),
            lambda made: made._fail_permanently()):
        made = EventReflector(namespace='hubs')
        begins(made)
        begins(made)
        assert made.first_load_future.done()


def test_each_kind_of_error_is_logged_once_with_the_missing_permission(caplog):
    made = EventReflector(namespace='hubs')
    for error in (refused(403), refused(403), OSError('no route')):
        made._log_error(error, 'what it was')
    warnings = [record.getMessage() for record in caplog.records if record.levelname == 'WARNING']
    assert ['permissions to list and watch events' in each for each in warnings] == [True, False]


def test_events_are_heard_while_the_server_answers_a_watch():
    made = EventReflector(namespace='hubs')
    assert not made.is_connected
    made._attempt.began = 1.0
    assert made.is_connected
    made._fail_permanently()
    assert not made.is_connected
