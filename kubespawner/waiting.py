"""Waiting: for a pod to become what is wanted, or for what the operator wrote to come to its end. Always with one.

Here belongs how to wait; what for is up to who calls. Runs on the IOLoop's thread.
"""
import asyncio
from functools import partial

from jupyterhub.utils import exponential_backoff
from tornado import gen
from tornado.concurrent import Future, chain_future, is_future
from tornado.ioloop import IOLoop

from . import api, podstatus
from .configuration import Configuration
from .errors import SpawnError

ASK_AFTER = 10  # seconds of silence about a pod after which it is asked for directly

TIMEOUTS = (gen.TimeoutError, asyncio.TimeoutError, TimeoutError)  # what exponential_backoff raises here and there


def shielded(future, when_cancelled=lambda: None):
    """Return a future of what `future` has, which may be cancelled: then `when_cancelled` is called.

    What comes of `future` after that nobody is told. Its error would be logged otherwise, as one that was overlooked.
    """
    shown = Future()
    chain_future(future, shown)
    future.add_done_callback(lambda done: done.exception())
    shown.add_done_callback(lambda done: when_cancelled() if done.cancelled() else None)
    return shown


class Waiting(Configuration):
    """The part of KubeSpawner that waits."""

    pod_reflector = None  # knows the pods

    def _check_wanted(self, is_wanted):
        """Raise SpawnError if `is_wanted()` is not true any more: the hub cannot interrupt a start, it has to see."""
        if not is_wanted():
            raise SpawnError('The start of pod %s was given up.' % self.pod_name)

    @gen.coroutine
    def _in_time(self, future, deadline):
        """Return the result of a future that waits for functions of the operator's. Raises SpawnError if late."""
        try:
            is_done = is_future(future) and future.done()
            result = future.result() if is_done else (yield gen.with_timeout(deadline, future))
        except TIMEOUTS:
            if IOLoop.current().time() < deadline:  # it is one of theirs
                raise
        else:  # they may also have held up the loop
            if IOLoop.current().time() < deadline or self.last_asked is None:
                return result
        raise SpawnError('KubeSpawner.%s took longer than the start of pod %s may.' % (self.last_asked, self.pod_name))

    @gen.coroutine
    def _is_listed(self, reflector, seconds):
        """Return whether the reflector's first list is there; wait so many seconds for it."""
        if not reflector.first_load_future.done():
            try:
                yield gen.with_timeout(IOLoop.current().time() + seconds, reflector.first_load_future)
            except TIMEOUTS:
                return False
        return True

    @property
    def _pod_key(self):
        """By what the reflector knows this server's pod."""
        return self.pod_reflector.key(self.namespace, self.pod_name)

    @gen.coroutine
    def _read_pod(self, deadline=None):
        """Return this server's pod as the API has it now, or None; the cache learns of it."""
        cached = self.pod_reflector.get(self._pod_key)
        pod = yield self._requests.read('pod', self.namespace, self.pod_name, deadline)
        if pod is not None:
            self.pod_reflector.upsert(pod)
        elif cached is not None:
            self.pod_reflector.forget(cached)
        return pod

    @gen.coroutine
    def _until(self, condition, deadline, what, more=lambda seen: ''):
        """Return `condition(pod)` once it is true of the pod in the cache (None: there is none).

        The pod is looked at whenever the pod changes. When nothing has been heard of it for a while, it is asked for.
        deadline (float): the loop's time after which SpawnError is raised, with what was last seen.
        more (callable): called with that, returns what the error is to say besides.
        """
        reflector, key, loop = self.pod_reflector, self._pod_key, IOLoop.current()

        @gen.coroutine
        def look():
            result = condition(reflector.get(key))
            if result:
                return result
            changed = reflector.changed(key, min(ASK_AFTER, max(0, deadline - loop.time())))
            # Once more, for what came before somebody waited.
            if not condition(reflector.get(key)) and not (yield changed):
                yield self._ask(deadline)
            return condition(reflector.get(key))

        return (yield self._back_off(look, deadline, what, partial(reflector.get, key), more,
                                     start_wait=0, scale_factor=1))

    @gen.coroutine
    def _until_read(self, condition, deadline, what):
        """Like `_until`, for a pod that the cache does not hold: it is read again and again."""
        last = [None]

        @gen.coroutine
        def look():
            last[0] = yield self._read_pod(deadline)
            return condition(last[0])

        yield self._back_off(look, deadline, what, lambda: last[0])

    @gen.coroutine
    def _back_off(self, look, deadline, what, last_seen, more=lambda seen: '', **pauses):
        """Call the coroutine `look` until what it returns is true; return that. Raises SpawnError at the deadline.

        last_seen (callable): returns the pod as it was seen last, or None.
        """
        started = IOLoop.current().time()
        seconds = max(0, deadline - started)
        try:
            return (yield exponential_backoff(look, '', timeout=seconds, timeout_tolerance=0, **pauses))
        except TIMEOUTS:
            seen = podstatus.describe(last_seen())
            raise SpawnError('Waited %d s for pod %s %s. Last seen: %s.%s' % (
                IOLoop.current().time() - started, self.pod_name, what, seen, more(seen)))

    @gen.coroutine
    def _ask(self, deadline):
        """Read the pod into the cache, if that works just now."""
        try:
            yield self._read_pod(deadline)
        except api.ApiError as e:
            self.log.warning('%s', e)
