"""Waiting for a pod, and for what the operator wrote: without a cluster, and without the time that it takes."""
import logging

import pytest
from tornado import gen
from tornado.concurrent import Future
from tornado.ioloop import IOLoop

from kubespawner.lifecycle.waiting import READ_AFTER_SILENCE, PodWaiter, check_wanted, in_time, is_listed, shielded
from kubespawner.messages.errors import SpawnError
from kubespawner.spawner import PodReflector
from tests.fake_time import START, with_fake_time
from tests.support.fakes import LOG, FakeApi, pod_in, refused, requests_to

NOBODY = [refused(404, 'NotFound')]


def now():
    return IOLoop.current().time()


def waiting(*answers):
    """Return what waits for the pod `a` that is read as the last of `answers` says, what it asks, and what it knows."""
    fake, reflector = FakeApi(read_namespaced_pod=list(answers) or NOBODY), PodReflector(namespace='hubs')
    return PodWaiter(requests_to(fake, retry_seconds=0), reflector, 'hubs', 'a', LOG), fake, reflector


def runs(pod):
    return pod is not None and pod['status'].get('phase') == 'Running' and pod


# For a pod


@with_fake_time
def test_a_pod_that_is_as_wanted_takes_no_time_and_no_request():
    waiter, fake, reflector = waiting()
    reflector.upsert(pod_in('Running'))
    pod = yield from waiter.wait_for_pod(runs, now() + 60, 'to be running')
    assert pod['metadata']['name'] == 'a' and now() - START < 0.1 and not fake.asked


@with_fake_time
def test_the_change_that_the_watch_tells_of_ends_the_wait_at_once():
    waiter, fake, reflector = waiting()
    reflector.upsert(pod_in('Pending', version=1))
    IOLoop.current().call_later(3, reflector._change, 'MODIFIED', pod_in('Running', version=2))
    yield from waiter.wait_for_pod(runs, now() + 60, 'to be running')
    assert now() - START == pytest.approx(3, abs=0.1) and not fake.asked


@with_fake_time
def test_a_pod_of_which_nothing_is_heard_is_read():
    waiter, fake, reflector = waiting(pod_in('Running', version=2))
    reflector.upsert(pod_in('Pending', version=1))
    yield from waiter.wait_for_pod(runs, now() + 60, 'to be running')
    assert now() - START == pytest.approx(READ_AFTER_SILENCE, abs=0.1)
    assert fake.methods == ['read_namespaced_pod'] and runs(reflector.get('a'))


@with_fake_time
def test_a_pod_that_cannot_be_read_is_waited_for_all_the_same(caplog):
    waiter, fake, reflector = waiting(refused(503, 'Unavailable'), pod_in('Running', version=2))
    yield from waiter.wait_for_pod(runs, now() + 60, 'to be running')
    assert now() - START == pytest.approx(2 * READ_AFTER_SILENCE, abs=0.1)
    assert '503' in caplog.text


@with_fake_time
def test_a_wait_ends_at_its_deadline_and_says_what_was_seen_last():
    waiter, _, reflector = waiting(pod_in('Pending', version=1))
    reflector.upsert(pod_in('Pending', version=1))
    with pytest.raises(SpawnError, match='Waited 60 s for pod a to be running. Last seen: .*Pending'):
        yield from waiter.wait_for_pod(runs, now() + 60, 'to be running')
    assert now() - START == pytest.approx(60, abs=1)


@with_fake_time
def test_who_waits_says_what_a_wait_in_vain_means():
    waiter, _, reflector = waiting(pod_in('Pending', version=1))
    reflector.upsert(pod_in('Pending', version=1))

    def too_late(sentence, pod):
        return SpawnError('%s %s Too few nodes.' % (sentence, pod['status']['phase']))

    with pytest.raises(SpawnError, match='Waited 60 s for pod a to be running. Pending Too few nodes.'):
        yield from waiter.wait_for_pod(runs, now() + 60, 'to be running', too_late)


@with_fake_time
def test_a_pod_that_is_no_longer_there_is_forgotten_when_it_is_read():
    waiter, _, reflector = waiting()
    reflector.upsert(pod_in('Running'))
    assert (yield waiter.refresh_pod()) is None
    assert waiter.cached_pod() is None
    assert (yield waiter.refresh_pod()) is None


@with_fake_time
def test_a_pod_that_the_cache_does_not_hold_is_read_again_and_again():
    waiter, fake, _ = waiting(pod_in('Running', labels={}), pod_in('Running', labels={}), *NOBODY)
    yield from waiter.wait_for_unwatched_pod(lambda pod: pod is None, now() + 60, 'to be gone')
    assert len(fake.asked) == 3
    waiter, fake, _ = waiting(pod_in('Running', labels={}))
    with pytest.raises(SpawnError, match='for pod a to be gone. Last seen: .*Running'):
        yield from waiter.wait_for_unwatched_pod(lambda pod: pod is None, now() + 60, 'to be gone')


# For a list


@with_fake_time
def test_the_first_list_is_waited_for_and_no_longer_than_that():
    _, _, reflector = waiting()
    assert not (yield is_listed(reflector, 5)) and now() - START == pytest.approx(5, abs=0.1)
    IOLoop.current().call_later(2, reflector.first_load_future.set_result, None)
    assert (yield is_listed(reflector, 5)) and now() - START == pytest.approx(7, abs=0.1)
    assert (yield is_listed(reflector, 0))


# For functions


@with_fake_time
def test_a_function_that_takes_too_long_is_named():
    with pytest.raises(SpawnError, match='KubeSpawner.get_pod_url did not finish in time for pod a'):
        yield in_time(Future(), now() + 9, 'get_pod_url', 'a')
    assert now() - START == pytest.approx(9, abs=0.1)
    with pytest.raises(SpawnError, match='KubeSpawner.gid did not finish in time'):
        yield in_time(Future(), now() + 9, lambda: 'gid', 'a')


@pytest.mark.parametrize('wait', [lambda: gen.sleep(3), lambda: gen.moment], ids=['later', 'at once'])
@with_fake_time
def test_a_function_that_is_in_time_has_its_result(wait):
    @gen.coroutine
    def function():
        yield wait()
        return 'done'

    assert (yield in_time(function(), now() + 9, 'get_pod_url', 'a')) == 'done'


@with_fake_time
def test_a_function_that_held_up_the_loop_is_late_but_what_is_there_without_one_is_not():
    done = Future()
    done.set_result('done')
    with pytest.raises(SpawnError, match='KubeSpawner.modify_pod_hook did not finish in time'):
        yield in_time(done, now() - 1, 'modify_pod_hook', 'a')
    assert (yield in_time(done, now() - 1, None, 'a')) == 'done'


@with_fake_time
def test_a_functions_own_timeout_is_its_own():
    failed = Future()
    failed.set_exception(TimeoutError('of the database'))
    with pytest.raises(TimeoutError, match='of the database'):
        yield in_time(failed, now() + 9, 'get_pod_url', 'a')


# For nobody


def test_what_nobody_wants_any_more_says_so():
    check_wanted(lambda: True, 'a')
    with pytest.raises(SpawnError, match='The start of pod a was given up'):
        check_wanted(lambda: False, 'a')


@with_fake_time
def test_a_shielded_future_has_what_the_other_has():
    inner, cancelled = Future(), []
    shown = shielded(inner, lambda: cancelled.append(True))
    inner.set_result('done')
    assert (yield shown) == 'done' and not cancelled


@with_fake_time
def test_to_cancel_a_shielded_future_leaves_the_other_alone_and_is_told(caplog):
    inner, cancelled = Future(), []
    shown = shielded(inner, lambda: cancelled.append(True))
    if not hasattr(shown, '_asyncio_future_blocking'):
        return  # tornado 4's futures cannot be cancelled
    shown.cancel()
    yield gen.moment
    yield gen.moment
    assert cancelled and not inner.done()
    inner.set_exception(ValueError('too late'))
    yield gen.moment
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@with_fake_time
def test_a_pod_is_looked_at_once_for_each_change():
    waiter, fake, reflector = waiting()
    reflector.upsert(pod_in('Pending', version=1))
    for version in range(2, 6):
        IOLoop.current().call_later(version, reflector._change, 'MODIFIED', pod_in('Pending', version=version))
    IOLoop.current().call_later(7, reflector._change, 'MODIFIED', pod_in('Running', version=7))
    seen = []
    yield from waiter.wait_for_pod(lambda pod: seen.append(pod['metadata']['resourceVersion']) or runs(pod), now() + 60,
                                   'to be running')
    assert seen == ['1', '2', '3', '4', '5', '7']


@with_fake_time
def test_a_change_while_a_pod_is_looked_at_is_not_missed():
    waiter, fake, reflector = waiting()
    reflector.upsert(pod_in('Pending', version=1))

    def looks(pod):
        reflector._change('MODIFIED', pod_in('Running', version=2))
        return runs(pod)

    yield from waiter.wait_for_pod(looks, now() + 60, 'to be running')
    assert now() - START < 1 and not fake.asked
