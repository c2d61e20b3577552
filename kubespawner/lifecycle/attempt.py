"""One start of a server: its deadline, its pod, whether it is still wanted, and which failures it has seen since when.

A start shares nothing with the next one, even if it was abandoned. `podstatus` knows what a pod's status means.
Everything runs on the IOLoop's thread.
"""
from tornado.ioloop import IOLoop

from ..messages.errors import Cause, SpawnError, one_line
from . import podstatus
from .pods import uid_of
from .records import ANSWERING, StartRecord
from .waiting import check_wanted


class StartAttempt:
    """One start. It lasts until its pod runs or fails, its deadline is over, or it is given up.

    is_running (callable): `is_running(pod)` returns whether a pod runs.
    pod_name (str): the name of the pod.
    uid (str or None): the uid of the pod; None before it is created.
    progress_log (ProgressLog): the log that the user sees.
    deadline (float): the loop's time after which the start is given up.
    failed (SpawnError or None): why the start fails, if the reason is not in the pod's status.
    container (str or None): the name of the container that made the start fail.
    secrets (callable): returns the secrets in the pod's environment, a list of str. Few starts need them.
    is_claim_bound (bool): whether the claim was bound to a volume when the start began.
    grace (float or None): how many seconds to wait for a failure to heal; None: as long as failures of that kind
        usually take.
    wake (callable): makes whoever waits for the pod look at it again.
    waiter (PodWaiter or None), pods (Pods or None): wait for the pod, create and delete it; None until it is about to
        be created. The spawner's own may be about the next start's pod by then.
    record (StartRecord): what the metrics count of the start.
    """

    def __init__(self, is_running, log, pod_name='', uid=None, progress_log=None, deadline=float('inf'), grace=None,
                 wake=lambda: None):
        self.progress_log, self.deadline, self.pod_name, self.uid = progress_log, deadline, pod_name, uid
        self.grace, self.wake = grace, wake
        self.is_given_up = self.has_begun = False
        self.created = None  # the pod as it was created, a dict
        self.waiter = self.pods = None
        self.record = StartRecord()
        self.secrets, self.failed, self.container, self.is_claim_bound = list, None, None, False
        self._is_running, self._log = is_running, log
        self._has_run = False
        self._forget_failures()

    def has_run(self):
        """Note that the pod has run. From now on, only failures of the server count, from when they are next seen."""
        self._has_run = True
        self._forget_failures()

    def _forget_failures(self):
        self._failed_hooks = {}  # the failures of hooks in the pod's status, see `ProgressLog.failed_hooks`
        self._since = {}  # when each failure was first seen, and its longest message, by what fails and the cause

    def give_up(self):
        """Give the start up. The hub cannot interrupt it: it ends when it next checks whether it is wanted."""
        self.is_given_up = True

    def fail(self, error):
        """Let the start fail, unless its pod runs. error (SpawnError or None): None does nothing."""
        if error is not None:
            self.failed = error
            self.wake()

    def is_wanted(self):
        """Return whether the start is still wanted: it was not given up, and its deadline is not over."""
        return not self.is_given_up and IOLoop.current().time() < self.deadline

    def check_wanted(self):
        """Raise SpawnError if the start is not wanted any more."""
        check_wanted(self.is_wanted, self.pod_name)

    def outcome(self, pod):
        """Return how the start ended, its pod or a SpawnError, or None while it lasts. pod (dict or None): seen now."""
        failure = self.failure(pod)
        is_running = failure is None and self._is_running(pod)
        self.record.see(pod, is_running)
        return failure or (pod if is_running else None)

    def counted(self, until_answered):
        """Return the coroutine `until_answered`, the last part of this start, so that the metrics count how it ends."""
        def counting(*args):
            future = until_answered(*args)
            future.add_done_callback(self._count_answer)
            return future

        return counting

    def _count_answer(self, future):
        self.record.goes_on = False
        if not (future.cancelled() or future.exception()):
            self.record.reached(ANSWERING)
        self.count(future)

    def count(self, future):
        """Count how this start ended, unless it goes on. future (Future): of the start; it is done."""
        is_cancelled = future.cancelled() or self.is_given_up
        error = None if future.cancelled() else future.exception()
        if is_cancelled or error is not None or not self.record.goes_on:
            self.record.end(error, is_cancelled, self.progress_log.events)

    def failure(self, pod, is_late=False):
        """Return the SpawnError that ends the start, or None while the pod may still run.

        pod (dict or None): None if there is no pod. is_late (bool): there is no time left for a failure to heal.

        The pod of a start that was given up is being deleted, so that its status means nothing.
        """
        if uid_of(pod) != self.uid:
            return self._deleted()
        failure = self._failure_of_own(pod, is_late)
        return self._deleted() if failure is not None and self.is_given_up else failure

    def _deleted(self):
        return SpawnError('Pod %s was deleted while it was starting.' % self.pod_name, 'NotFound', Cause.DELETION)

    def _failure_of_own(self, pod, is_late):
        if self._is_running(pod) and not is_late:
            return None
        if self.failed is not None:
            return self.failed
        for failure in self._failures(pod, is_late):
            is_final = self._is_final(failure) or is_late
            if is_final and not (failure.reason == 'Unschedulable' and self.progress_log.is_scaling_up):
                _, longest = self._since[failure.what, failure.cause]
                is_said = failure.cause is not Cause.IMAGE or longest in failure.message
                self._blame(failure)
                before = '' if is_said else '; before that: %s' % longest  # between its tries, a node does not say why
                return SpawnError(
                    'Pod %s failed to start.' % self.pod_name, failure.root_reason, failure.cause,
                    '{0.what}: {0.reason}. {0.message}{1}'.format(failure, before).strip(), failure.message)

    def _failures(self, pod, is_late):
        """Return the failures that may end the start. If it is late, a server that was restarted has failed, too."""
        if is_late:
            found = podstatus.failures(pod) or podstatus.failure_before_restart(pod)
        else:
            found = (podstatus.failures_of_server if self._has_run else podstatus.failures)(pod)
        for failure in found:
            if failure.root_reason == podstatus.FAILED_HOOK:
                self._failed_hooks[failure.what] = podstatus.FAILED_HOOK, failure.message
        return [podstatus.with_hook(failure, self._hook_of(failure.what)) for failure in found]

    def _blame(self, failure):
        """Remember the container that has failed; None if the failure is not about a container."""
        _, _, name = failure.what.partition('container ')
        self.container = name or None

    def _hook_of(self, container):
        """Return (reason, message) of a container's failed lifecycle hook, with the longest message; otherwise None."""
        sources = self._failed_hooks, self.progress_log.failed_hooks
        known = [hooks[container] for hooks in sources if container in hooks]
        return max(known, key=lambda hook: (hook[0] == podstatus.FAILED_HOOK, len(hook[1])), default=None)

    def too_late(self, sentence, pod):
        """Return the SpawnError of a pod that did not run in time. The cause is in its status or the last warning.

        sentence (str): what the start waited for. pod (dict or None): as it was last seen.
        """
        seen, found = podstatus.describe(pod), self._failures(pod, True)
        if found:
            self._blame(found[0])
        cause, reason, message = (
            (found[0].cause, found[0].root_reason, found[0].message) if found else
            self.progress_log.failure_in_last_warning())
        last_seen = 'Last seen: %s.%s' % (seen, self.progress_log.why_late(seen))
        return SpawnError(sentence, reason, cause, last_seen, message)

    def _is_final(self, failure):
        """Return whether a pod's failure has lasted longer than the time it has to heal."""
        grace_seconds = failure.grace_seconds
        if grace_seconds and self.grace is not None:
            grace_seconds = self.grace
        now, key = IOLoop.current().time(), (failure.what, failure.cause)
        if grace_seconds and key not in self._since:
            self._log.warning('Pod %s: %s (This may heal.)', self.pod_name, one_line(
                '{0.what}: {0.reason}. {0.message}'.format(failure)))
            if grace_seconds < float('inf'):  # look at it again then, even if nothing has changed
                IOLoop.current().call_later(grace_seconds, self.wake)
        first, message = self._since.get(key, (now, ''))
        self._since[key] = first, max(message, failure.message, key=len)
        return now - first >= grace_seconds
