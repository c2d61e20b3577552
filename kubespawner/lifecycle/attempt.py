"""One start of a server: until when, of which pod, whether it is still wanted, and what has failed in it since when.

Here belongs what is one start's alone: an abandoned start and the one after it share nothing. What a pod's status means
is in `podstatus`. Runs on the IOLoop's thread.
"""
from tornado.ioloop import IOLoop

from ..messages.errors import Cause, SpawnError, one_line
from . import podstatus
from .pods import uid_of
from .records import ANSWERING, StartRecord
from .waiting import check_wanted


class StartAttempt:
    """One start. It goes on until its pod runs or fails, its deadline is over, or nobody wants it any more.

    is_running (callable): of a pod, returns whether it runs.
    pod_name (str): what its pod is called.
    uid (str or None): its pod's; None as long as there is none.
    progress_log (ProgressLog): what is told of it.
    deadline (float): the loop's time after which it is given up.
    failed (SpawnError or None): what makes it fail, besides what its pod's status says.
    container (str or None): the name of the container that it has failed because of.
    secrets (callable): returns what must not be read of its pod's environment, a list of str. Few starts need it.
    is_claim_bound (bool): whether its claim was bound to a volume when the start began.
    grace (float or None): seconds for which what may heal is waited for; None: as long as each kind of failure usually
        takes.
    wake (callable): has who waits for the pod look at it.
    record (StartRecord): what the metrics are told of it.
    """

    def __init__(self, is_running, log, pod_name='', uid=None, progress_log=None, deadline=float('inf'), grace=None,
                 wake=lambda: None):
        self.progress_log, self.deadline, self.pod_name, self.uid = progress_log, deadline, pod_name, uid
        self.grace, self.wake = grace, wake
        self.is_given_up = self.has_begun = False
        self.created = None  # the pod as it was created, a dict
        self.record = StartRecord()
        self.secrets, self.failed, self.container, self.is_claim_bound = list, None, None, False
        self._is_running, self._log = is_running, log
        self._has_run = False
        self._forget_failures()

    def has_run(self):
        """Take note that the pod has run. Failures count from when they are seen next, and only the server's own."""
        self._has_run = True
        self._forget_failures()

    def _forget_failures(self):
        self._failed_hooks = {}  # what pods' statuses have said of hooks, see `ProgressLog.failed_hooks`
        self._since = {}  # when failures were first seen, and the longest message of each, by what fails and its cause

    def give_up(self):
        """Have the start notice that nobody wants it any more: the hub cannot interrupt it."""
        self.is_given_up = True

    def fail(self, error):
        """Have the start fail with a SpawnError, unless its pod runs. None is no error."""
        if error is not None:
            self.failed = error
            self.wake()

    def is_wanted(self):
        """True as long as nobody has stopped the server since, nor given up on it."""
        return not self.is_given_up and IOLoop.current().time() < self.deadline

    def check_wanted(self):
        """Raise SpawnError if the start is not wanted any more."""
        check_wanted(self.is_wanted, self.pod_name)

    def outcome(self, pod):
        """Return how the start ended: its pod, or a SpawnError; None as long as it lasts."""
        failure = self.failure(pod)
        is_running = failure is None and self._is_running(pod)
        self.record.see(pod, is_running)
        return failure or (pod if is_running else None)

    def counted(self, until_answered):
        """Return the coroutine `until_answered`, with which this start ends, so that the metrics are told of it."""
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
        """Tell the metrics what has come of this start, a future that is done; if it goes on, nothing."""
        is_cancelled = future.cancelled() or self.is_given_up
        error = None if future.cancelled() else future.exception()
        if is_cancelled or error is not None or not self.record.goes_on:
            self.record.end(error, is_cancelled, self.progress_log.events)

    def failure(self, pod, is_late=False):
        """Return why a pod (None: there is none) that is not this start's, or does not run, never will: a SpawnError.

        None if it may. is_late (bool): nothing has the time to heal any more.

        The pod of a start that was given up is deleted. Whatever becomes of it meanwhile is no failure of its own.
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
                before = '' if is_said else '; before that: %s' % longest  # while it pauses, a node does not say why
                return SpawnError(
                    'Pod %s failed to start.' % self.pod_name, failure.root_reason, failure.cause,
                    '{0.what}: {0.reason}. {0.message}{1}'.format(failure, before).strip(), failure.message)

    def _failures(self, pod, is_late):
        """Return the failures that may end the start; when it is late, also how the server ended before it runs now."""
        if is_late:
            found = podstatus.failures(pod) or podstatus.failure_before_restart(pod)
        else:
            found = (podstatus.failures_of_server if self._has_run else podstatus.failures)(pod)
        for failure in found:
            if failure.root_reason == podstatus.FAILED_HOOK:
                self._failed_hooks[failure.what] = podstatus.FAILED_HOOK, failure.message
        return [podstatus.with_hook(failure, self._hook_of(failure.what)) for failure in found]

    def _blame(self, failure):
        """Remember the container that a failure is about, if it is about one."""
        _, _, name = failure.what.partition('container ')
        self.container = name or None

    def _hook_of(self, container):
        """Return (reason, message) of the lifecycle hook of a container that failed, the longest; None if none did."""
        sources = self._failed_hooks, self.progress_log.failed_hooks
        known = [hooks[container] for hooks in sources if container in hooks]
        return max(known, key=lambda hook: (hook[0] == podstatus.FAILED_HOOK, len(hook[1])), default=None)

    def too_late(self, sentence, pod):
        """Return the SpawnError of a pod that did not run in time, caused by what its status or the last warning says.

        sentence (str): what was waited for. pod (dict or None): as it was seen last.
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
        """True if a pod's failure has lasted for longer than it is given to heal."""
        grace_seconds = failure.grace_seconds
        if grace_seconds and self.grace is not None:
            grace_seconds = self.grace
        now, key = IOLoop.current().time(), (failure.what, failure.cause)
        if grace_seconds and key not in self._since:
            self._log.warning('Pod %s: %s (This may heal.)', self.pod_name, one_line(
                '{0.what}: {0.reason}. {0.message}'.format(failure)))
            if grace_seconds < float('inf'):  # so that it is looked at then, whether anything changes or not
                IOLoop.current().call_later(grace_seconds, self.wake)
        first, message = self._since.get(key, (now, ''))
        self._since[key] = first, max(message, failure.message, key=len)
        return now - first >= grace_seconds
