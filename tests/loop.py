"""Tests that wait: `@gen_test` on a function that yields futures, as a `gen.coroutine` does."""
import functools

from tornado import gen
from tornado.ioloop import IOLoop

TIMEOUT = 120  # seconds


def gen_test(function=None, timeout=TIMEOUT):
    """Return a test that runs `function` on an IOLoop of its own, with a time limit in seconds.

    Fixtures skip, `function` may not: the loop would take no notice.
    """
    if function is None:
        return functools.partial(gen_test, timeout=timeout)
    coroutine = gen.coroutine(function)

    @functools.wraps(function)
    def test(**fixtures):
        loop = IOLoop(make_current=False)
        try:
            loop.run_sync(functools.partial(coroutine, **fixtures), timeout)
        finally:
            loop.close()

    return test
