"""A bug in the watch thread: it is told of with its trace; the thread goes on, or gives up and says so."""
import pytest
from tornado.ioloop import IOLoop

from kubespawner.spawner import PodReflector
from tests.support.waits import until_on_loop

from .conftest import until_right


class Bug(Exception):
    """What nobody foresaw."""


class End(BaseException):
    """What is not meant to be caught, as SystemExit is not."""


def plant(monkeypatch, method, times, error=Bug):
    """Have a method of reflectors fail so many times. Return a list that grows each time."""
    original, failed = getattr(PodReflector, method), []

    def failing(self, *args):
        if len(failed) < times:
            failed.append(method)
            raise error('planted in ' + method)
        return original(self, *args)

    monkeypatch.setattr(PodReflector, method, failing)
    return failed


def logged(caplog):
    """Return the types of the errors that reflectors logged with their traces."""
    return [record.exc_info[0] for record in caplog.records if record.exc_info and record.module == 'reflector']


# In which method, how many lists are asked for: those before the bug and the one after it.
@pytest.mark.parametrize('method, lists', [
    ('_list', 1), ('_replace', 2), ('_pruned', 2), ('_watch', 2), ('_apply', 2), ('_list_and_watch', 1)])
@pytest.mark.gen_test
def test_after_a_bug_the_thread_lists_and_goes_on(reflector, asked, pods, monkeypatch, caplog, method, lists):
    failed = plant(monkeypatch, method, times=1)
    pods.create('before')
    reflector.start()
    yield reflector.first_load_future
    pods.create('after')
    pods.delete('before')
    yield until_right(reflector, pods)
    assert failed == [method]
    assert logged(caplog) == [Bug]
    assert asked.count('list') == lists
    assert not reflector.failed


@pytest.mark.gen_test
def test_a_bug_in_each_watch_is_made_up_for_by_lists(reflector, asked, pods, monkeypatch, caplog):
    reflector.give_up_seconds = 3
    failed = plant(monkeypatch, '_apply', times=float('inf'))
    reflector.start()
    yield reflector.first_load_future
    started = IOLoop.current().time()
    while IOLoop.current().time() - started < reflector.give_up_seconds + 1:
        for name in pods.all():
            pods.delete(name)
        pods.create('pod-%d' % len(failed))
        yield until_right(reflector, pods)
    assert not reflector.failed
    assert set(logged(caplog)) == {Bug}


@pytest.mark.parametrize('method', ['_list', '_replace', '_list_and_watch'])
@pytest.mark.gen_test
def test_a_bug_that_lets_nothing_into_the_cache_ends_in_giving_up(
        reflector, monkeypatch, caplog, watch_threads, method):
    reflector.give_up_seconds = 1
    failed, told = plant(monkeypatch, method, times=float('inf')), []
    reflector.on_failure = lambda: told.append(reflector.failed)
    reflector.start()
    yield reflector.first_load_future
    yield until_on_loop(lambda: not watch_threads())
    assert told == [True]
    assert logged(caplog) == [Bug] * len(failed)
    assert 1 < len(failed) < 100
    assert 'CRITICAL' in [record.levelname for record in caplog.records]


@pytest.mark.parametrize('method, error', [('_follow', Bug), ('_list', End), ('_apply', SystemExit)])
@pytest.mark.gen_test
def test_what_ends_the_thread_is_told_of_at_once(reflector, pods, monkeypatch, caplog, watch_threads, method, error):
    plant(monkeypatch, method, times=1, error=error)
    told = []
    reflector.on_failure = lambda: told.append(reflector.failed)
    reflector.start()
    yield reflector.first_load_future
    pods.create('first')
    yield until_on_loop(lambda: not watch_threads())
    assert told == [True]
    assert logged(caplog) == [error]


@pytest.mark.gen_test
def test_that_nobody_can_be_told_of_giving_up_is_told_as_well(reflector, monkeypatch, caplog, watch_threads):
    plant(monkeypatch, '_follow', times=1)

    def on_failure():
        raise End('told in vain')

    reflector.on_failure = on_failure
    reflector.start()
    yield reflector.first_load_future
    yield until_on_loop(lambda: not watch_threads())
    assert reflector.failed
    assert logged(caplog) == [Bug, End]


@pytest.mark.filterwarnings('ignore::pytest.PytestUnhandledThreadExceptionWarning')
@pytest.mark.gen_test
def test_giving_up_is_told_of_also_when_nothing_can_be_logged(reflector, monkeypatch, watch_threads):
    plant(monkeypatch, '_follow', times=1)
    for level in ('exception', 'critical'):
        monkeypatch.setattr(reflector.log, level, lambda *args: 1 / 0)
    told = []
    reflector.on_failure = lambda: told.append(reflector.failed)
    reflector.start()
    yield reflector.first_load_future
    yield until_on_loop(lambda: not watch_threads())
    assert told == [True]
