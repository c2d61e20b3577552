"""What the metrics count of one start or stop: how it ended, and how long each step of a start took.

`podstatus` knows what a pod's status means. Everything runs on the IOLoop's thread.

A pod and its events say when it was scheduled, had its image and was ready, to the second or more exactly. These times
are only compared with each other, because the clocks of the hub and the cluster may differ. All other steps are
measured by the hub's clock.
"""
import functools
import time

from .. import metrics
from . import podstatus
from .timestamps import timestamp

# The steps of a start, in their order.
BEGIN, CLAIM, CREATED, SCHEDULED, PULLED, RUNNING, ANSWERING = (
    'begin', 'claim', 'created', 'scheduled', 'image_pulled', 'running', 'answering')
STEPS = [BEGIN, CLAIM, CREATED, SCHEDULED, PULLED, RUNNING, ANSWERING]


def durations(times):
    """Return how many seconds each step took, a dict. times (dict): when steps were done.

    Steps without a time are left out; the time they took is part of the next step.
    """
    done = [(step, times[step]) for step in STEPS if times.get(step) is not None]
    return {step: max(0, end - begin) for (_, begin), (step, end) in zip(done, done[1:])}


def times_of_pod(pod, events):
    """Return when a pod's steps were done by the cluster's clocks, a dict for `durations`.

    events (list of dicts): about the pod. An event that says that an image was pulled before the pod was scheduled, or
        after it ran, is ignored: anybody may write events.
    """
    times = {CREATED: podstatus.created_at(pod), SCHEDULED: podstatus.condition_time(pod, 'PodScheduled'),
             RUNNING: podstatus.running_since(pod)}
    if times[SCHEDULED] is not None and times[RUNNING] is not None:
        pulled = [time for time in map(_pulled_at, events)
                  if time is not None and times[SCHEDULED] <= time <= times[RUNNING]]
        times[PULLED] = max(pulled, default=None)
    return times


def _pulled_at(event):
    is_pulled = event.get('reason') == 'Pulled'
    return timestamp(event.get('firstTimestamp') or event.get('eventTime')) if is_pulled else None


class StartRecord:
    """What the metrics count of one start. It is counted once.

    goes_on (bool): whether the start continues after `start` has returned.
    """

    def __init__(self, clock=time.monotonic):
        self._clock, self._times, self._pod, self.goes_on, self._is_over = clock, {}, None, False, False

    def reached(self, step):
        """Note that a step is done, unless it was done before."""
        self._times.setdefault(step, self._clock())

    def see(self, pod, is_running):
        """Note which steps the pod of this start has reached. pod (dict or None)."""
        if is_running:
            self._pod = pod
            self.reached(RUNNING)
        elif SCHEDULED not in self._times and podstatus.is_scheduled(pod):
            self.reached(SCHEDULED)

    def end(self, error=None, is_cancelled=False, events=()):
        """Count the start, which is over. events (list of dicts): about its pod."""
        if self._is_over:
            return
        self._is_over = True
        metrics.count_start(error, is_cancelled)
        for step, seconds in self.durations(events).items():
            metrics.observe_step(step, seconds)

    def durations(self, events=()):
        """Return how many seconds each finished step took, a dict. events (list of dicts): about the pod."""
        by_hub = durations(self._times) if BEGIN in self._times else {}  # otherwise it began in another process
        by_cluster = durations(times_of_pod(self._pod, events))
        return dict(by_hub, **by_cluster)


def counts_stops(stop):
    """Wrap a method that stops a server and returns a future: the metrics count how it ends."""
    @functools.wraps(stop)
    def counting(*args, **kwargs):
        future = stop(*args, **kwargs)
        future.add_done_callback(_count_stop)
        return future

    return counting


def _count_stop(future):
    is_cancelled = future.cancelled()
    metrics.count_stop(None if is_cancelled else future.exception(), is_cancelled)
