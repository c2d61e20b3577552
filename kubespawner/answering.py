"""From when a pod runs until its server answers: JupyterHub waits for that, and does not know what becomes of the pod.

Here belongs how that waiting comes to know of it. Runs on the IOLoop's thread.
"""
from tornado import gen
from tornado.ioloop import IOLoop

from .errors import SpawnError, do_not_count
from .progress import Progress
from .waiting import TIMEOUTS, shielded

MARGIN = 60  # seconds that JupyterHub may take for its last try, after http_timeout


class Answering(Progress):
    """The part of KubeSpawner that attends JupyterHub's waiting for a server that has started."""

    _is_by_user = False  # whether a failure may lie with what the server's user sent

    def _attend(self, story, failure_of):
        """Have JupyterHub's waiting end when the pod fails, with the reason, and be part of the story.

        failure_of (callable): of the pod (None: there is none) and whether it is late, returns the SpawnError to end
            with, or None.

        JupyterHub calls `wait_up` of the `Server` that it has made for this start; nothing else of it would do.
        """
        server = self.server
        if server is None:  # there is no hub that waits
            return
        wait_up = server.wait_up
        handler = getattr(self, 'handler', None)  # which later hubs have, and take away when the start has ended

        @gen.coroutine
        def attended(*args, **kwargs):
            del server.wait_up  # what comes later is not about the start
            with self._telling_on(story):
                try:
                    return (yield self._answer(gen.convert_yielded(wait_up(*args, **kwargs)), failure_of))
                except SpawnError:
                    if self._is_by_user:
                        do_not_count(handler)
                    raise

        story.goes_on = True
        server.wait_up = lambda *args, **kwargs: shielded(attended(*args, **kwargs))

    @gen.coroutine
    def _answer(self, answer, failure_of):
        """Return what the future `answer` has, or raise the SpawnError that the pod fails with before."""
        key = self._pod_key
        answer.add_done_callback(lambda future: future.cancelled() or future.exception())  # that may be too late
        answer.add_done_callback(lambda future: self.pod_reflector.wake(key))
        deadline = IOLoop.current().time() + self.http_timeout + MARGIN
        outcome = yield self._waiter.wait_for_pod(lambda pod: answer.done() or failure_of(pod), deadline, 'to answer')
        if isinstance(outcome, SpawnError):
            raise outcome
        try:
            return answer.result()
        except TIMEOUTS:
            failure = failure_of(self.pod_reflector.get(key), is_late=True)
            if failure is not None:
                raise failure
            if not self._is_by_user:
                raise
        except Exception:
            if not self._is_by_user:
                raise
            self.log.exception('Pod %s runs what its user wrote, and cannot be talked to', self.pod_name)
        raise SpawnError('Pod %s runs, but no notebook server answers in it. Choose another value.' % self.pod_name)
