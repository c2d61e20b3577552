"""From when a pod runs until its server answers: JupyterHub waits for that, and does not know what becomes of the pod.

JupyterHub has no hook for this. When `start` has returned, it makes a `Server` and calls its method `wait_up` to wait
for an answer; a pod that fails meanwhile is waited for in vain. So that method is replaced, on this one `Server` and
for one call. On a JupyterHub that calls another method, nothing breaks: the start is over for us when the pod runs, and
its progress log ends when it is forgotten; the server is only not followed until it answers.

Here belongs how that waiting comes to know of the pod. Runs on the IOLoop's thread.
"""
from tornado import gen
from tornado.ioloop import IOLoop

from ..messages.errors import Cause, SpawnError
from .waiting import TIMEOUTS, shielded

MARGIN = 60  # seconds that JupyterHub may take for its last try, after http_timeout


def replace_wait_up(server, watched, when_cancelled=lambda: None):
    """Have `watched(answer)` be what comes of the next call of `wait_up` of JupyterHub's `Server`, but of no later one.

    watched (callable): of the future that JupyterHub's method returns, returns another one in its place.
    when_cancelled (callable): called when JupyterHub does not wait any more.
    """
    wait_up = server.wait_up

    def once(*args, **kwargs):
        del server.wait_up  # what comes later is not about the start
        return shielded(watched(gen.convert_yielded(wait_up(*args, **kwargs))), when_cancelled)

    server.wait_up = once


def no_answer(pod_name, namespace, url, seconds, hub_url):
    """Return the SpawnError of a server that runs and has not answered.

    url (str): where the hub has tried to reach it, for so many seconds. hub_url (str or None): where it was told that
        the hub is.
    """
    return SpawnError(
        'Pod %s runs, but its server did not answer at %s within %d s.' % (pod_name, url, seconds), '', Cause.ANSWER,
        'The server was told that the hub is at %s (KubeSpawner.hub_connect_ip and hub_connect_port). Check whether '
        'pods can connect to that URL, whether the hub and the proxy can connect to the server (network policies), and '
        'what `kubectl logs --namespace %s %s` says.' % (hub_url, namespace, pod_name))


class StartupWatch:
    """Watches a pod that runs while JupyterHub waits for its server to answer.

    waiter (PodWaiter): waits for the pod. wake (callable): has it look at the pod.
    failure_of (callable): of the pod (None: there is none) and, by name, whether it `is_late`, returns the SpawnError
        that it fails with, or None.
    seconds (float): after which an answer is late.
    is_by_user (callable): returns whether a failure may lie with what the server's user sent.
    no_answer (callable): returns the SpawnError of a server that runs and has not answered in time.
    """

    def __init__(self, waiter, wake, failure_of, seconds, is_by_user, no_answer, pod_name, log):
        self._waiter, self._wake, self._failure_of, self._seconds = waiter, wake, failure_of, seconds
        self._is_by_user, self._no_answer, self._pod_name, self._log = is_by_user, no_answer, pod_name, log

    @gen.coroutine
    def until_answered(self, answer):
        """Return what the future `answer` has, or raise the SpawnError that the pod fails with before."""
        answer.add_done_callback(lambda future: future.cancelled() or future.exception())  # that may be too late
        answer.add_done_callback(lambda future: self._wake())
        deadline = IOLoop.current().time() + self._seconds + MARGIN
        outcome = yield from self._waiter.wait_for_pod(
            lambda pod: answer.done() or self._failure_of(pod), deadline, 'to answer')
        if isinstance(outcome, SpawnError):
            raise outcome
        try:
            return answer.result()
        except TIMEOUTS:
            failure = self._failure_of(self._waiter.cached_pod(), is_late=True)
            if failure is not None:
                raise failure
            if not self._is_by_user():
                raise self._no_answer()
        except Exception:
            if not self._is_by_user():
                raise
            self._log.exception('Pod %s runs what its user wrote, and cannot be talked to', self._pod_name)
        raise SpawnError('Pod %s runs, but no notebook server answers in it. Choose another value.' % self._pod_name)
