"""Calls in the next iteration of the loop: a callback for a change of the store must not change the store itself.

What is called belongs elsewhere. Everything runs on the loop thread of the server.
"""
from tornado.ioloop import IOLoop


def later(function, *args):
    """Call `function` in the next iteration of the loop."""
    IOLoop.current().add_callback(function, *args)


class OnceLater(object):
    """Calls a function in the next iteration of the loop, once for the same arguments, however often it is asked to."""

    def __init__(self, function):
        self._function = function
        self._pending = set()

    def __call__(self, *args):
        if args not in self._pending:
            self._pending.add(args)
            later(self._call, args)

    def _call(self, args):
        self._pending.discard(args)
        self._function(*args)
