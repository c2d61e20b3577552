"""The time from when a pod runs until its server answers. JupyterHub waits for the answer without watching the pod.

JupyterHub has no hook for this. When `start` has returned, it calls the method `wait_up` of its `Server`, which would
keep waiting for a pod that has failed. So that method is replaced, on this one `Server` and for one call. On a
JupyterHub that calls another method, nothing breaks: for us, the start ends when the pod runs, and nobody watches the
pod until the server answers.

Everything runs on the IOLoop's thread.
"""
from tornado import gen
from tornado.ioloop import IOLoop

from ..messages.errors import Cause, SpawnError
from .waiting import TIMEOUTS, shielded

MARGIN = 60  # seconds that JupyterHub may take for its last try, after http_timeout


def replace_wait_up(server, watched, when_cancelled=lambda: None):
    """Replace the result of the next call of `wait_up` of JupyterHub's `Server`, but not of later ones.

    watched (callable): `watched(answer)` gets the future of JupyterHub's method, and returns the future to use instead.
    when_cancelled (callable): called when JupyterHub stops waiting.
    """
    wait_up = server.wait_up

    def once(*args, **kwargs):
        del server.wait_up  # what comes later is not about the start
        return shielded(watched(gen.convert_yielded(wait_up(*args, **kwargs))), when_cancelled)

    server.wait_up = once


def no_answer(pod_name, namespace, url, seconds, hub_url):
    """Return the SpawnError of a server that runs but has not answered.

    url (str): where the hub has tried to reach it, for so many seconds. hub_url (str or None): the hub's URL in the
        environment of the server.
    """
    return SpawnError(
        'Pod %s runs, but its server did not answer at %s within %d s.' % (pod_name, url, seconds), '', Cause.ANSWER,
        'The server was told that the hub is at %s (KubeSpawner.hub_connect_ip and hub_connect_port). Check whether '
        'pods can connect to that URL, whether the hub and the proxy can connect to the server (network policies), and '
        'what `kubectl logs --namespace %s %s` says.' % (hub_url, namespace, pod_name))


class StartupWatch:
    """Watches a pod that runs while JupyterHub waits for its server to answer.

    waiter (PodWaiter): waits for the pod. wake (callable): makes it look at the pod again.
    failure_of (callable): `failure_of(pod, is_late=False)` returns the SpawnError of a failed pod (None: there is no
        pod), or None.
    seconds (float): the time after which an answer is late.
    is_by_user (callable): returns whether a failure may be due to what the user has chosen.
    no_answer (callable): returns the SpawnError of a server that runs but has not answered in time.
    """

    def __init__(self, waiter, wake, failure_of, seconds, is_by_user, no_answer, pod_name, log):
        self._waiter, self._wake, self._failure_of, self._seconds = waiter, wake, failure_of, seconds
        self._is_by_user, self._no_answer, self._pod_name, self._log = is_by_user, no_answer, pod_name, log

    @gen.coroutine
    def until_answered(self, answer):
        """Return the result of the future `answer`, or raise the SpawnError of a pod that fails before."""
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
