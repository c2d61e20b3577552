"""Tests that wait for hours at once: the loop's clock is moved on instead."""
import functools

from tornado import gen
from tornado.ioloop import IOLoop

START = 1000.0  # what the clock says when a test begins
TURN = 0.001  # seconds that one turn of the loop takes: without any, what tries again until then would not end
LIMIT = 10 ** 6  # seconds on that clock after which a test has failed: nothing will happen any more


class Clock:
    """A loop's clock and its way to wait, which is to move the clock on. What is ready by then is looked at."""

    def __init__(self, waiter):
        self.waiter, self.now = waiter, START

    def __call__(self):
        return self.now

    def __getattr__(self, name):
        return getattr(self.waiter, name)

    def select(self, timeout=None):
        self.now += max(TURN, timeout)
        return self.waiter.select(0)

    def poll(self, timeout):
        self.now += max(TURN, timeout)
        return self.waiter.poll(0)


def with_fake_time(function):
    """Return a test that runs `function`, which yields futures, on a loop whose time passes as soon as it waits."""
    coroutine = gen.coroutine(function)

    @functools.wraps(function)
    def test(**fixtures):
        loop = IOLoop(make_current=False)
        if hasattr(loop, 'asyncio_loop'):
            clock = loop.asyncio_loop._selector = Clock(loop.asyncio_loop._selector)
            loop.time = loop.asyncio_loop.time = clock
        else:  # tornado 4
            clock = loop._impl = Clock(loop._impl)
            loop.time_func = clock
        try:
            loop.run_sync(functools.partial(coroutine, **fixtures), LIMIT)
        finally:
            loop.close()

    return test
