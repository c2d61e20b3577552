"""Values that an operator's function or a subclass returns at once, as a future, or as a coroutine of any kind."""
import inspect

from tornado import gen
from tornado.concurrent import is_future

from ..messages.errors import ConfigurationError


@gen.coroutine
def maybe_await(value):
    """Return `value`, or its result if it is a future or a coroutine of any kind."""
    if is_awaitable(value):
        value = yield value
    return value


def at_once(value, method):
    """Return the `value` that a method of a subclass has returned. Raises ConfigurationError if it is awaitable."""
    if is_awaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise ConfigurationError('KubeSpawner.%s must return at once: it cannot be a coroutine.' % method)
    return value


def is_awaitable(value):
    """Return whether a value is a future or a coroutine of any kind."""
    return type(value) is not str and (is_future(value) or inspect.isawaitable(value))
