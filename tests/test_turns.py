"""Turns: what goes on at once goes on a few at a time, and the loop gets to everything else meanwhile."""
import sys
from collections import Counter
from datetime import timedelta
from functools import partial

import pytest
from tornado import gen
from tornado.concurrent import Future
from tornado.ioloop import IOLoop

from kubespawner.kube.turns import Turns, turns_on


class Iterations:
    """Counts the iterations of the current loop: `now` is the number of the present one."""

    def __init__(self):
        self.now, self.goes_on = 0, True
        IOLoop.current().add_callback(self._next)

    def _next(self):
        self.now += 1
        if self.goes_on:
            IOLoop.current().add_callback(self._next)


@gen.coroutine
def going_on(futures, iterations, history):
    """Wait for all futures; have the history say in which iteration each was done, and in which order."""
    @gen.coroutine
    def wait_for(number, future):
        yield future
        history.append((iterations.now, number))

    yield [wait_for(number, future) for number, future in enumerate(futures)]
    iterations.goes_on = False


@pytest.mark.gen_test
def test_of_a_hundred_futures_few_are_resolved_in_one_iteration_and_in_their_order():
    turns, futures, history, iterations = Turns(IOLoop.current(), 4), [Future() for _ in range(100)], [], Iterations()
    for future in futures:
        turns.resolve(future, 'woken')
    yield going_on(futures, iterations, history)
    assert max(Counter(iteration for iteration, _ in history).values()) <= 4
    assert [number for _, number in history] == list(range(100))
    assert {future.result() for future in futures} == {'woken'}


@pytest.mark.gen_test
def test_the_loop_is_woken_once_for_many_futures():
    class Counting:
        calls = 0

        def add_callback(self, callback):
            Counting.calls += 1
            IOLoop.current().add_callback(callback)

    turns, futures = Turns(Counting(), 200), [Future() for _ in range(100)]
    for future in futures:
        turns.resolve(future)
    assert Counting.calls == 1
    yield futures


@pytest.mark.gen_test
def test_few_turns_are_taken_at_once_and_the_others_later():
    turns, history, iterations = Turns(IOLoop.current(), 2), [], Iterations()
    futures = [turns.take_turn() for _ in range(7)]
    assert [future.done() for future in futures] == [True, True] + [False] * 5
    yield going_on(futures, iterations, history)
    assert max(Counter(iteration for iteration, _ in history).values()) <= 2
    assert [number for _, number in history] == list(range(7))


@pytest.mark.gen_test
def test_a_turn_is_taken_at_once_after_a_rest():
    turns = Turns(IOLoop.current(), 1)
    for _ in range(3):
        assert turns.take_turn().done()
        later = turns.take_turn()
        assert not later.done()
        yield later
        yield gen.sleep(0)
        yield gen.sleep(0.01)


@pytest.mark.gen_test
def test_all_who_wait_for_the_same_share_one_wait_and_then_have_their_turns():
    turns, history, iterations, waits = Turns(IOLoop.current(), 3), [], Iterations(), []

    def wait():
        waits.append(Future())
        return waits[-1]

    futures = [turns.take_turn_after('a list', wait) for _ in range(10)]
    other = turns.take_turn_after('another list', wait)
    yield gen.sleep(0)
    assert len(waits) == 2 and not any(future.done() for future in futures)
    waits[0].set_result(None)
    yield going_on(futures, iterations, history)
    assert max(Counter(iteration for iteration, _ in history).values()) <= 3
    assert [number for _, number in history] == list(range(10))
    assert not other.done()
    late = turns.take_turn_after('a list', wait)
    assert len(waits) == 3 and not late.done()
    for future in waits[1:]:
        future.set_result(None)
    yield [other, late]


@pytest.mark.gen_test
def test_a_future_that_is_done_or_cancelled_meanwhile_stays_as_it_is():
    turns, futures = Turns(IOLoop.current(), 4), [Future(), Future()]
    for future in futures:
        turns.resolve(future, 'woken')
    futures[0].set_result('otherwise')
    yield futures
    assert [future.result() for future in futures] == ['otherwise', 'woken']


@pytest.mark.gen_test
def test_what_many_do_is_done_a_few_at_a_time_in_their_order():
    turns, done, iterations = Turns(IOLoop.current(), 3), [], Iterations()

    def do(number):
        done.append((iterations.now, number))
        return -number

    futures = [turns.do(partial(do, number)) for number in range(10)]
    assert len(done) == 3
    assert (yield futures) == [-number for number in range(10)]
    iterations.goes_on = False
    assert max(Counter(iteration for iteration, _ in done).values()) <= 3
    assert [number for _, number in done] == list(range(10))


@pytest.mark.gen_test
@pytest.mark.parametrize('busy', [False, True])
def test_what_is_done_in_a_turn_may_return_a_future_or_fail(busy):
    turns, inner = Turns(IOLoop.current(), 3), Future()
    if busy:
        for _ in range(3):
            turns.take_turn()
    outer, wrong = turns.do(lambda: inner), turns.do(lambda: 1 / 0)
    yield gen.sleep(0.01)
    assert not outer.done()
    inner.set_result('at last')
    assert (yield outer) == 'at last'
    with pytest.raises(ZeroDivisionError):
        yield wrong


@pytest.mark.gen_test
def test_what_nobody_waits_for_any_more_when_its_turn_comes_is_not_done():
    turns, done = Turns(IOLoop.current(), 1), []
    turns.take_turn()
    given_up, other = turns.do(lambda: done.append('given up')), turns.do(lambda: done.append('other'))
    given_up.set_result(None)
    yield other
    assert done == ['other']


@pytest.mark.gen_test
@pytest.mark.skipif(sys.version_info < (3, 7), reason='Python has no contexts before 3.7')
def test_what_is_done_in_a_turn_knows_the_context_of_its_caller():
    import contextvars
    variable, turns = contextvars.ContextVar('variable'), Turns(IOLoop.current(), 1)
    futures = []
    for number in range(3):
        variable.set(number)
        futures.append(turns.do(variable.get))
    variable.set('of somebody else')
    assert (yield futures) == [0, 1, 2]


@pytest.mark.gen_test
def test_one_that_has_its_result_before_its_turn_is_over_does_not_take_the_turns_of_others():
    turns = Turns(IOLoop.current(), 3)
    for _ in range(3):
        turns.take_turn()
    cancelled = turns.do(lambda: cancelled.cancel())  # so that it cannot get what the function returns
    others = [turns.do(partial(str, number)) for number in range(7)]
    assert (yield gen.with_timeout(timedelta(seconds=20), gen.multi(others))) == list('0123456')
    assert cancelled.done()


def test_turns_are_those_of_one_loop():
    loop, other = object(), object()
    turns = turns_on(loop, None, 3)
    assert turns_on(loop, turns, 3) is turns
    assert turns_on(other, turns, 3).loop is other
