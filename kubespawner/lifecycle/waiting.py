"""Waiting for a pod to reach a state, an object to be gone, or an operator's function to return: with a deadline.

What to wait for is up to the caller. Everything runs on the IOLoop's thread.
"""
import asyncio
from functools import partial
from typing import Any, Callable, Optional, Union

from jupyterhub.utils import exponential_backoff
from tornado import gen
from tornado.concurrent import Future, chain_future, is_future
from tornado.ioloop import IOLoop

from ..kube import api, retry
from ..messages.errors import Cause, SpawnError
from . import podstatus

READ_AFTER_SILENCE = 10  # seconds without a change of a pod after which it is read
READ_WITHOUT_NEWS = 1  # the same, if the hub may not watch the pod's namespace

TIMEOUTS = (gen.TimeoutError, asyncio.TimeoutError, TimeoutError)  # which one is raised depends on the versions


def shielded(future: Future, when_cancelled: Callable[[], Any] = lambda: None) -> Future:
    """Return a future with the outcome of `future`. If the new one is cancelled, `when_cancelled` is called.

    After that, the outcome of `future` is dropped: otherwise, an error would be logged as never retrieved.
    """
    shown = Future()  # type: Future
    chain_future(future, shown)
    future.add_done_callback(lambda done: done.exception())
    shown.add_done_callback(lambda done: when_cancelled() if done.cancelled() else None)
    return shown


def check_wanted(is_wanted: Callable[[], bool], pod_name: str) -> None:
    """Raise SpawnError unless `is_wanted()`. The hub cannot interrupt a start, so each start has to check."""
    if not is_wanted():
        raise SpawnError('The start of pod %s was given up.' % pod_name)


def in_time(future: Any, deadline: float, what: Union[str, Callable[[], Optional[str]], None], pod_name: str) -> Any:
    """Return a future with the result of an operator's function. Its error is SpawnError at the deadline.

    future (Future or awaitable): what the function returned.
    deadline (float): the loop's time.
    what (str or callable): the name of the setting, or a function that returns it when it is late. None: there is no
        function, so that a result that is there is never late.
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
    else:  # the function may also have blocked the loop
        blamed = what() if callable(what) else what
        if IOLoop.current().time() < deadline or blamed is None:
            return result
    raise SpawnError('KubeSpawner.%s did not finish in time for pod %s.' % (blamed, pod_name),
                     cause=Cause.CONFIGURATION)


@gen.coroutine
def wait_until_gone(read: Callable[[], Any], is_going: Callable[[Any], bool], what: str, cause: Cause, deadline: float,
                    check: Callable[[], None]) -> Any:
    """Wait until an object that is being deleted is gone; return what then has its name, a dict or None.

    read (callable): returns a future of the object of that name (a dict), or of None.
    is_going (callable): returns whether an object (a dict) is still the one that is being deleted.
    what (str), cause (Cause): what the error at the deadline says that it waited for, such as `claim x`.
    deadline (float): the loop's time after which SpawnError is raised.
    check (callable): raises an error if nobody waits any more.
    """
    loop, pauses = IOLoop.current(), retry.Backoff(0.1, 2, jitter=0)
    started = loop.time()
    found = yield read()
    while found is not None and is_going(found):
        yield gen.sleep(min(pauses.next_pause(), max(0, deadline - loop.time())))
        if loop.time() >= deadline:
            raise SpawnError(
                'Waited %d s for %s to be gone, which is being deleted.' % (loop.time() - started, what), 'Terminating',
                cause, 'It is kept by its finalizers %s.' % (found['metadata'].get('finalizers') or []))
        check()
        found = yield read()
    check()
    return found


@gen.coroutine
def _first_list(reflector):
    """Wait for a reflector's first list, a thread's future: old tornados continue on the thread that resolves it."""
    yield reflector.first_load_future


@gen.coroutine
def is_listed(reflector, seconds):
    """Wait at most so many seconds for a reflector's first list; return whether it is there."""
    if not reflector.first_load_future.done():
        try:
            yield gen.with_timeout(IOLoop.current().time() + seconds, _first_list(reflector))
        except TIMEOUTS:
            return False
    return True


@gen.coroutine
def warn_unless_listed(reflector, seconds, log):
    """Wait at most so many seconds for a reflector's first list; log a warning if it is not there then."""
    if not (yield is_listed(reflector, seconds)):
        log.warning('Which servers have a pod is not known: Kubernetes has not listed the pods in %s within %d s.',
                    'namespace ' + reflector.namespace if reflector.namespace else 'all namespaces', seconds)


def _too_late(sentence: str, pod: podstatus.Pod) -> SpawnError:
    """Return the error of a pod that was waited for in vain. pod (dict or None): as it was last seen."""
    return SpawnError(sentence, cause=Cause.TIME, details='Last seen: %s.' % podstatus.describe(pod))


class PodWaiter:
    """Waits for one pod, by its name, to reach a state. A reflector watches the pod."""

    def __init__(self, requests, reflector, namespace, name, log):
        self._requests, self._reflector, self._log = requests, reflector, log
        self._namespace, self._name, self._key = namespace, name, reflector.key(namespace, name)

    def cached_pod(self) -> podstatus.Pod:
        """Return the pod in the cache, or None."""
        return self._reflector.get(self._key)

    @gen.coroutine
    def refresh_pod(self, deadline: Optional[float] = None) -> Any:
        """Read the pod from the API, update the cache, and return the pod or None. Raises ApiError."""
        cached = self.cached_pod()
        pod = yield self._requests.read('pod', self._namespace, self._name, deadline)
        if pod is not None:
            self._reflector.upsert(pod)
        elif cached is not None:
            self._reflector.forget(cached)
        return pod

    def wait_for_pod(self, condition: Callable[[podstatus.Pod], Any], deadline: float, what: str,
                     too_late: Callable[[str, podstatus.Pod], Exception] = _too_late) -> Any:
        """Wait until `condition(pod)` is true of the pod in the cache (None: there is no pod); return its result.

        It is called whenever the pod changes. If the pod has not changed for a while, it is read from the API. This is
        a generator of futures.

        deadline (float): the loop's time after which SpawnError is raised, with the pod's last state.
        what (str): what the error says that it waited for, such as `to be running`.
        too_late (callable): `too_late(sentence, pod)` returns the error; the pod is as it was last seen, or None.
        """
        started = IOLoop.current().time()
        look = partial(self._look_until_silence, condition, deadline)
        return (yield from look()) or (yield from self._look_again(  # most starts and stops need no second look
            gen.coroutine(look), started, deadline, what, self.cached_pod, too_late, start_wait=0, scale_factor=1))

    def _look_until_silence(self, condition, deadline):
        """Return `condition(pod)` once it is true; a false value if the pod has not changed for a while."""
        loop = IOLoop.current()
        while True:
            pod = self.cached_pod()
            result = condition(pod)
            if result or loop.time() >= deadline:
                return result
            silence = READ_WITHOUT_NEWS if self._reflector.is_stale else READ_AFTER_SILENCE
            changed = self._reflector.changed(self._key, min(silence, max(0, deadline - loop.time())))
            is_same = self.cached_pod() is pod  # otherwise it changed before the wait began
            if is_same and not (yield changed):
                yield self._try_to_refresh(deadline)
                return None

    def wait_for_unwatched_pod(self, condition: Callable[[podstatus.Pod], Any], deadline: float, what: str) -> Any:
        """Like `wait_for_pod`, for a pod that is not in the cache: it is read from the API again and again."""
        last = [None]

        @gen.coroutine
        def look():
            last[0] = yield self.refresh_pod(deadline)
            return condition(last[0])

        return (yield from self._look_again(look, IOLoop.current().time(), deadline, what, lambda: last[0]))

    def _look_again(self, look, started, deadline, what, last_seen, too_late=_too_late, **pauses):
        """Call the coroutine `look` until its result is true; return that. Raises SpawnError at the deadline.

        started (float): the loop's time when the wait began.
        last_seen (callable): returns the pod as it was last seen, or None.
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
