"""Waiting for what must happen, with an end: tests never sleep to be lucky."""
import time

from tornado import gen
from tornado.ioloop import IOLoop

SECONDS = 60  # much longer than anything takes on a busy machine


def until(condition, what='what the test waits for', seconds=SECONDS):
    """Return `condition()` as soon as it is true. It blocks."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, 'waited %d s for %s' % (seconds, what)
        time.sleep(0.02)


@gen.coroutine
def until_on_loop(condition, seconds=SECONDS):
    """Return `condition()` as soon as it is true, and let the IOLoop run meanwhile."""
    deadline = IOLoop.current().time() + seconds
    while True:
        result = condition()
        if result:
            return result
        assert IOLoop.current().time() < deadline, 'waited %d s for what the test waits for' % seconds
        yield gen.sleep(0.01)
