"""Values that operators and subclasses give at once or later: plain, as a future, or as a coroutine of any kind."""
import inspect

from tornado import gen
from tornado.concurrent import is_future


@gen.coroutine
def maybe_await(value):
    """Return `value`, or what comes of it if it is a future or a coroutine of any kind."""
    if is_awaitable(value):
        value = yield value
    return value


def is_awaitable(value):
    """True for a future or a coroutine of any kind."""
    return type(value) is not str and (is_future(value) or inspect.isawaitable(value))
