"""From when a pod runs until its server answers, without a hub, a cluster, or the time that it takes."""
import pytest
from tornado import gen
from tornado.concurrent import Future
from tornado.ioloop import IOLoop

from kubespawner.lifecycle.startup_watch import MARGIN, StartupWatch, no_answer, replace_wait_up
from kubespawner.lifecycle.waiting import PodWaiter
from kubespawner.messages.errors import SpawnError
from kubespawner.spawner import PodReflector
from tests.fake_time import START, with_fake_time
from tests.support.fakes import LOG, FakeApi, pod_in, requests_to


def failure_of(pod, is_late=False):
    """Say of a pod that it fails at once, or, if it is unready, only when it is late."""
    if pod is None or pod['status']['phase'] == 'Failed':
        return SpawnError('The pod failed.')
    return SpawnError('The pod is unready.') if is_late and pod['status']['phase'] == 'Pending' else None


def watched(phase='Running', is_by_user=False):
    """Return (future of what JupyterHub gets, future of the server's answer, reflector) of a pod in a phase."""
    reflector, answer = PodReflector(namespace='hubs'), Future()
    reflector.upsert(pod_in(phase))
    waiter = PodWaiter(requests_to(FakeApi(read_namespaced_pod=[pod_in(phase)])), reflector, 'hubs', 'a', LOG)
    watch = StartupWatch(waiter, lambda: reflector.wake('a'), failure_of, 30, lambda: is_by_user,
                         lambda: no_answer('a', 'hubs', 'http://10.0.0.1:8888/', 30, 'http://hub/hub/api'), 'a', LOG)
    return watch.until_answered(answer), answer, reflector


def elapsed():
    return IOLoop.current().time() - START


@with_fake_time
def test_the_answer_ends_it_at_once():
    waiting, answer, _ = watched()
    IOLoop.current().call_later(5, answer.set_result, 'hello')
    assert (yield waiting) == 'hello' and elapsed() == pytest.approx(5, abs=0.1)


@with_fake_time
def test_a_pod_that_fails_ends_it_before_there_is_an_answer():
    waiting, answer, reflector = watched()
    IOLoop.current().call_later(5, lambda: reflector._change('MODIFIED', pod_in('Failed', version=2)))
    with pytest.raises(SpawnError, match='The pod failed'):
        yield waiting
    assert elapsed() == pytest.approx(5, abs=0.1)
    answer.set_exception(ValueError('nobody hears of it any more'))


@with_fake_time
def test_without_answer_and_failure_it_ends_after_what_jupyterhub_may_take():
    waiting, _, _ = watched()
    with pytest.raises(SpawnError, match='for pod a to answer'):
        yield waiting
    assert elapsed() == pytest.approx(30 + MARGIN, abs=1)


@pytest.mark.parametrize('phase, is_by_user, error, said', [
    ('Running', False, SpawnError, 'did not answer at http://10.0.0.1:8888/ within 30 s.*http://hub/hub/api'),
    ('Running', True, SpawnError, 'no notebook server answers in it'),
    ('Pending', False, SpawnError, 'The pod is unready'),
])
@with_fake_time
def test_when_nobody_answers_in_time_the_pod_may_say_why(phase, is_by_user, error, said):
    waiting, answer, _ = watched(phase, is_by_user)
    answer.set_exception(TimeoutError('nobody there'))
    with pytest.raises(error, match=said):
        yield waiting


@pytest.mark.parametrize('is_by_user, error', [(False, ValueError), (True, SpawnError)])
@with_fake_time
def test_an_answer_that_is_none_is_the_users_fault_only_if_it_may_be(is_by_user, error):
    waiting, answer, _ = watched(is_by_user=is_by_user)
    answer.set_exception(ValueError('not HTTP'))
    with pytest.raises(error):
        yield waiting


class Server:
    """As much of JupyterHub's `Server` as is replaced."""

    def wait_up(self, *args, **kwargs):
        future = Future()
        future.set_result((args, kwargs))
        return future


@with_fake_time
def test_jupyterhubs_method_is_replaced_for_one_call_which_it_still_does():
    seen, server = [], Server()

    @gen.coroutine
    def watch(answer):
        seen.append((yield answer))
        return 'instead'

    replace_wait_up(server, watch)
    assert (yield server.wait_up(http=True)) == 'instead'
    assert (yield server.wait_up(timeout=3)) == ((), {'timeout': 3})
    assert seen == [((), {'http': True})]
    assert vars(server) == {}


@with_fake_time
def test_a_jupyterhub_that_calls_another_method_is_not_disturbed():
    server = Server()
    server.wait_until_up = server.wait_up
    replace_wait_up(server, lambda answer: pytest.fail('it was watched'))
    assert (yield server.wait_until_up(http=True)) == ((), {'http': True})
