"""Waiting: for a pod to become what is wanted, or for what the operator wrote to come to its end. Always with one.

Here belongs how to wait; what for is up to who calls. Runs on the IOLoop's thread.
"""
import asyncio
from functools import partial
from typing import Any, Callable, Optional, Union

from jupyterhub.utils import exponential_backoff
from tornado import gen
from tornado.concurrent import Future, chain_future, is_future
from tornado.ioloop import IOLoop

from ..kube import api
from ..messages.errors import Cause, SpawnError
from . import podstatus

READ_AFTER_SILENCE = 10  # seconds without news of a pod, after which it is read
READ_WITHOUT_NEWS = 1  # the same, if the hub may not watch the pod's namespace

TIMEOUTS = (gen.TimeoutError, asyncio.TimeoutError, TimeoutError)  # what exponential_backoff raises here and there


def shielded(future: Future, when_cancelled: Callable[[], Any] = lambda: None) -> Future:
    """Return a future of what `future` has, which may be cancelled: then `when_cancelled` is called.

    What comes of `future` after that nobody is told. Its error would be logged otherwise, as one that was overlooked.
    """
    shown = Future()  # type: Future
    chain_future(future, shown)
    future.add_done_callback(lambda done: done.exception())
    shown.add_done_callback(lambda done: when_cancelled() if done.cancelled() else None)
    return shown


def check_wanted(is_wanted: Callable[[], bool], pod_name: str) -> None:
    """Raise SpawnError if `is_wanted()` is not true any more: the hub cannot interrupt a start, it has to see."""
    if not is_wanted():
        raise SpawnError('The start of pod %s was given up.' % pod_name)


def in_time(future: Any, deadline: float, what: Union[str, Callable[[], Optional[str]], None], pod_name: str) -> Any:
    """Return a future of what a future has that waits for a function of the operator's. SpawnError: it is late.

    what (str or callable): the setting that is the function, or what returns that when it is late. None: there is no
        function, so that what is there already is not late.
    """
    is_there = is_future(future) and future.done() and IOLoop.current().time() < deadline
    return future if is_there else _in_time(future, deadline, what, pod_name)


@gen.coroutine
def _in_time(future, deadline, what, pod_name):
    try:
        is_done = is_future(future) and future.done()
        result = future.result() if is_done else (yield gen.with_timeout(deadline, future))
    except TIMEOUTS:
        if IOLoop.current().time() < deadline:  # it is one of theirs
            raise
        blamed = what() if callable(what) else what
    else:  # it may also have held up the loop
        blamed = what() if callable(what) else what
        if IOLoop.current().time() < deadline or blamed is None:
            return result
    raise SpawnError('KubeSpawner.%s took longer than the start of pod %s may.' % (blamed, pod_name),
                     cause=Cause.CONFIGURATION)


@gen.coroutine
def _first_list(reflector):
    """Wait for a reflector's first list. Its future is a thread's, which old tornados resolve on that thread."""
    yield reflector.first_load_future


@gen.coroutine
def is_listed(reflector, seconds):
    """Return whether a reflector's first list is there; wait so many seconds for it."""
    if not reflector.first_load_future.done():
        try:
            yield gen.with_timeout(IOLoop.current().time() + seconds, _first_list(reflector))
        except TIMEOUTS:
            return False
    return True


@gen.coroutine
def warn_unless_listed(reflector, seconds, log):
    """Wait so many seconds for a reflector's first list; write to the log if it is not there then."""
    if not (yield is_listed(reflector, seconds)):
        log.warning('Which servers have a pod is not known: Kubernetes has not listed the pods in %s within %d s.',
                    'namespace ' + reflector.namespace if reflector.namespace else 'all namespaces', seconds)


def _too_late(sentence: str, pod: podstatus.Pod) -> SpawnError:
    """Return the error of waiting in vain for a pod (None: there is none)."""
    return SpawnError(sentence, cause=Cause.TIME, details='Last seen: %s.' % podstatus.describe(pod))


class PodWaiter:
    """Waits for the pod of one name, which a reflector watches, to become what is wanted."""

    def __init__(self, requests, reflector, namespace, name, log):
        self._requests, self._reflector, self._log = requests, reflector, log
        self._namespace, self._name, self._key = namespace, name, reflector.key(namespace, name)

    def cached_pod(self) -> podstatus.Pod:
        """Return the pod as the cache has it, None if it has none."""
        return self._reflector.get(self._key)

    @gen.coroutine
    def refresh_pod(self, deadline: Optional[float] = None) -> Any:
        """Return the pod as the API has it now, or None; the cache learns of it. Raises ApiError."""
        cached = self.cached_pod()
        pod = yield self._requests.read('pod', self._namespace, self._name, deadline)
        if pod is not None:
            self._reflector.upsert(pod)
        elif cached is not None:
            self._reflector.forget(cached)
        return pod

    def wait_for_pod(self, condition: Callable[[podstatus.Pod], Any], deadline: float, what: str,
                     too_late: Callable[[str, podstatus.Pod], Exception] = _too_late) -> Any:
        """Return `condition(pod)` once it is true of the pod in the cache (None: there is none).

        The pod is looked at whenever it changes. When nothing has been heard of it for a while, it is read. This is a
        generator of what to wait for.

        deadline (float): the loop's time after which SpawnError is raised, with what was last seen.
        what (str): what it is waited for, `to be running`.
        too_late (callable): called with the error's sentence and the pod as it was seen last (None: there was none),
            returns the error.
        """
        started = IOLoop.current().time()
        look = partial(self._look_until_silence, condition, deadline)
        return (yield from look()) or (yield from self._look_again(  # most starts and stops need no second look
            gen.coroutine(look), started, deadline, what, self.cached_pod, too_late, start_wait=0, scale_factor=1))

    def _look_until_silence(self, condition, deadline):
        """Return `condition(pod)` once it is true; something false when nothing has been heard for a while."""
        loop = IOLoop.current()
        while True:
            pod = self.cached_pod()
            result = condition(pod)
            if result or loop.time() >= deadline:
                return result
            silence = READ_WITHOUT_NEWS if self._reflector.is_stale else READ_AFTER_SILENCE
            changed = self._reflector.changed(self._key, min(silence, max(0, deadline - loop.time())))
            is_same = self.cached_pod() is pod  # otherwise it changed before somebody waited
            if is_same and not (yield changed):
                yield self._try_to_refresh(deadline)
                return None

    def wait_for_unwatched_pod(self, condition: Callable[[podstatus.Pod], Any], deadline: float, what: str) -> Any:
        """Like `wait_for_pod`, of a pod that the cache does not hold: it is read again and again."""
        last = [None]

        @gen.coroutine
        def look():
            last[0] = yield self.refresh_pod(deadline)
            return condition(last[0])

        return (yield from self._look_again(look, IOLoop.current().time(), deadline, what, lambda: last[0]))

    def _look_again(self, look, started, deadline, what, last_seen, too_late=_too_late, **pauses):
        """Call the coroutine `look` until what it returns is true; return that. Raises SpawnError at the deadline.

        started (float): the loop's time since when it is waited for.
        last_seen (callable): returns the pod as it was seen last, or None.
        """
        seconds = max(0, deadline - IOLoop.current().time())
        try:
            return (yield exponential_backoff(look, '', timeout=seconds, timeout_tolerance=0, **pauses))
        except TIMEOUTS:
            raise too_late('Waited %d s for pod %s %s.' % (
                IOLoop.current().time() - started, self._name, what), last_seen())

    @gen.coroutine
    def _try_to_refresh(self, deadline):
        try:
            yield self.refresh_pod(deadline)
        except api.ApiError as e:
            self._log.warning('%s', e)
