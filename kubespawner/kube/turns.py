"""Futures that are resolved a few in each iteration of the loop, so that the loop gets to everything else meanwhile.

What waits for a future goes on as soon as it is resolved. When a hundred are resolved at once, the hub answers nobody
until all of them have gone on. Here belongs how many go on at a time. Who waits, and what for, does not.

Threads: `resolve` may be called on any thread, everything else on the loop's.
"""
import threading
from collections import deque

try:
    from contextvars import copy_context  # novermin
except ImportError:  # Python 3.6
    class copy_context:  # noqa: N801, in place of a function
        """Stands for a context, in which a function is called as everywhere."""

        @staticmethod
        def run(function, *args):
            """Call a function."""
            return function(*args)

from tornado.concurrent import Future, chain_future, is_future


class Turns:
    """Resolves futures on one loop, in their order, at most `most` of them in each iteration.

    However many there are, the loop is woken once.
    """

    def __init__(self, loop, most):
        self.loop, self._most = loop, most
        # Futures, each with either its result and its timer, or with the function that settles it and its context. As
        # few objects as possible: the collector looks at those of ten thousand polls at once while nobody is answered.
        self._futures, self._lock = deque(), threading.Lock()
        self._crowds = {}  # futures, by what all of them wait for
        self._left = most  # how many may go on in this iteration
        self._is_scheduled = False

    def resolve(self, future, result=None, timer=None):
        """Resolve a future in a turn, unless it is done by then. On a closed loop, do nothing.

        timer: what `call_later` of the loop has returned, and nobody needs then.
        """
        self._futures.append((future, result, timer, None, None))
        self._schedule()

    def take_turn(self):
        """Return a future that is done: at once if few have had a turn in this iteration, otherwise in a later one."""
        return self.do(_nothing)

    def do(self, function):
        """Call `function()` in a turn; return a future of what it returns, or of what the future that it returns gets.

        Until then, nothing is kept but the function and a future: what many are to do at once is best begun like this.
        """
        future = Future()
        if self._left > 0:
            self._left -= 1
            _settle(future, function)
        else:
            self._futures.append((future, None, None, function, copy_context()))
        self._schedule()
        return future

    def take_turn_after(self, what, wait):
        """Return a future that is done in a turn after the future that `wait()` returns.

        All who wait for the same `what` wait for the future of the first of them.
        """
        crowd = self._crowds.get(what)
        if crowd is None:
            crowd = self._crowds[what] = []
            self.loop.add_future(wait(), lambda _: self._release(what))
        future = Future()
        crowd.append(future)
        return future

    def _release(self, what):
        for future in self._crowds.pop(what):
            self.resolve(future)

    def _schedule(self):
        if self._is_scheduled:  # and what has been added before this look is there when `_take` looks
            return
        with self._lock:
            is_scheduled, self._is_scheduled = self._is_scheduled, True
        if not is_scheduled:
            try:
                self.loop.add_callback(self._take)
            except RuntimeError:  # the loop is closed
                pass

    def _take(self):
        self._is_scheduled = False  # first: what is added from now on may come too late for this time
        count = min(self._most, len(self._futures))
        self._left = self._most - count
        try:
            for _ in range(count):
                self._give_turn(*self._futures.popleft())
        finally:  # if one fails, the others have their turns nevertheless
            if count:
                self._schedule()

    def _give_turn(self, future, result, timer, function, context):
        if timer is not None:
            self.loop.remove_timeout(timer)
        if function is not None:
            context.run(_settle, future, function)
        elif not future.done():
            future.set_result(result)


def _nothing():
    """Do nothing, for those who only want the turn."""


def _settle(future, function):
    """Resolve a future with the result of `function()`, or of the future that it returns, unless it is done."""
    if future.done():
        return
    try:
        outcome = function()
    except Exception as e:
        future.set_exception(e)
    else:
        if is_future(outcome):
            chain_future(outcome, future)
        else:
            future.set_result(outcome)


def turns_on(loop, turns, most):
    """Return `turns` if they are of this loop, otherwise new ones."""
    return turns if turns is not None and turns.loop is loop else Turns(loop, most)
