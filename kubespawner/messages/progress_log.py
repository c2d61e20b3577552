"""The progress log of one start, and its listeners.

The texts of the messages, their percentages, and which events are shown belong here. Where events come from does not.
There are no side effects, apart from futures that wake listeners. Everything runs on the IOLoop's thread.
"""
import re
from time import monotonic

from tornado.concurrent import Future

from . import pages
from .errors import Cause, ended, one_line, shortened

# At most of one start. Whoever may create events in the namespace can forge as many as they like, of any length.
MAX_EVENTS, MAX_REMINDERS, MAX_HOOKS = 100, 500, 20
LONGEST_REASON, LONGEST_MESSAGE = 100, 1000  # characters of an event that are shown
MOST_ITEMS, DEEPEST = 50, 10  # of each dict and list in an event, and levels of them

# The steps of the hub itself: percent, words.
STEPS = {
    'claim found': (5, 'Storage found.'),
    'claim created': (5, 'Storage created.'),
    'pod created': (10, 'Pod created; waiting for the scheduler to assign it to a node.'),
    'scheduled': (30, 'Pod assigned to a node.'),
    'slow': (0, ''),
    'running': (95, 'Container started; waiting for the server to answer.'),
    'failed': (0, 'The start failed.'),
}

# Events, by their reason, that say the same as one of the steps. Only the first of the two is shown.
SAME_AS = {'Scheduled': 'scheduled'}

# Which comes first in each start, by an event's reason. Schedulers, autoscalers, controllers and nodes send events
# independently of each other, and any of them may be late. What comes after a later one is not shown.
ORDER = {
    'FailedScheduling': 0, 'TriggeredScaleUp': 0, 'NotTriggerScaleUp': 0,
    'Scheduled': 1,
    'SuccessfulAttachVolume': 2,
    'Pulling': 3, 'Pulled': 3, 'Created': 3, 'Started': 3,
}
ASSIGNED = ORDER['Scheduled']

# Events by their reason: percent, words.
EVENTS = {
    'FailedScheduling': (10, 'No node can run the pod at the moment.'),
    'TriggeredScaleUp': (20, 'The cluster is adding a node. This may take some minutes.'),
    'NotTriggerScaleUp': (10, 'The cluster is not adding a node.'),
    'Scheduled': (30, 'Pod assigned to a node.'),
    'SuccessfulAttachVolume': (40, 'Storage attached to the node.'),
    'FailedAttachVolume': (30, 'The storage cannot be attached to the node yet.'),
    'FailedMount': (30, 'A volume cannot be mounted yet.'),
    'Pulling': (50, 'Pulling the image. This may take some minutes.'),
    'Pulled': (70, 'Image pulled.'),
    'Failed': (30, 'The container cannot be started yet.'),
    'FailedToRetrieveImagePullSecret': (30, 'The secret for pulling the image does not exist.'),
    'InspectFailed': (30, 'The image cannot be pulled.'),
    'ErrImageNeverPull': (30, 'The image is not on the node, and must not be pulled.'),
    'FailedCreatePodSandBox': (30, 'The node cannot set up the pod yet.'),
    'BackOff': (30, 'The node will try again soon.'),
    'Created': (80, 'Container created.'),
    'Started': (90, 'Container started.'),
    'Unhealthy': (90, 'The container is not ready yet.'),
    'Evicted': (0, 'The node evicted the pod.'),
    'Preempted': (0, 'The pod had to make room for a pod with a higher priority.'),
    'Killing': (0, 'Stopping a container.'),
    'FailedPostStartHook': (90, 'The command that the container runs when it has started (postStart hook) failed.'),
    'FailedPreStopHook': (0, 'The command that the container runs before it stops (preStop hook) failed.'),
}

# Words for a reason that stands for different things: reason, a part of the event's message, words.
PARTICULARS = [
    ('Failed', 'pull image', 'The image cannot be pulled.'),
    ('Failed', 'inspect image', 'The image cannot be pulled.'),
    ('Failed', 'ErrImage', 'The image cannot be pulled.'),
    ('Failed', 'ImagePull', 'The image cannot be pulled.'),
    ('Pulled', 'already present', 'The image is already on the node.'),
    ('BackOff', 'restarting', 'The container exited. The node will restart it soon.'),
]

# What warnings are about, by their reason, and events after which a warning about that does not hold any more.
SUBJECTS = {
    'FailedScheduling': 'node', 'NotTriggerScaleUp': 'node',
    'FailedAttachVolume': 'volume', 'FailedMount': 'volume', 'FailedMapVolume': 'volume',
    'FailedCreatePodSandBox': 'sandbox',
    'Failed': 'container', 'BackOff': 'container', 'InspectFailed': 'container', 'ErrImageNeverPull': 'container',
}
HEALED_BY = {
    'Scheduled': {'node'},
    'SuccessfulAttachVolume': {'node', 'volume'},
    'Pulling': {'node', 'volume', 'sandbox'},
    'Pulled': {'node', 'volume', 'sandbox'},
    'Created': {'node', 'volume', 'sandbox'},
    'Started': {'node', 'volume', 'sandbox'},
}

_CONTAINER = re.compile(r'.*\{(.*)\}\Z')  # in the field of a pod that an event is about: `spec.containers{notebook}`

# Warnings that only say that something is not done yet, when others say why.
_VAGUE = re.compile(r'BackOff: |Failed: Error: (?:ErrImagePull|ImagePullBackOff)\Z|'
                    r'\w+: .*(?:timed out waiting|deadline exceeded|[Uu]nable to attach or mount volumes)')

# What the last warning of a start that does not end says to have failed, by its reason.
FAILED = {
    'FailedAttachVolume': Cause.STORAGE,
    'FailedMount': Cause.STORAGE,
    'Evicted': Cause.NODE,
    'Preempted': Cause.NODE,
    'Preempting': Cause.NODE,
    'FailedPostStartHook': Cause.CONTAINER,
    'FailedPreStopHook': Cause.CONTAINER,
}
HOOKS = frozenset(['FailedPostStartHook', 'FailedPreStopHook'])


def _dict(value):
    return value if isinstance(value, dict) else {}


def bounded(value, depth=0):
    """Return an event, or a part of it, in a size for a page: long texts are cut, and excess items left out."""
    if isinstance(value, str):
        return shortened(value, LONGEST_MESSAGE)
    if not isinstance(value, (dict, list)) or depth > DEEPEST:
        return value if not isinstance(value, (dict, list)) else None
    items = list(value.items() if isinstance(value, dict) else enumerate(value))[:MOST_ITEMS]
    cut = [(key, bounded(item, depth + 1)) for key, item in items]
    return type(value)((shortened(key, LONGEST_MESSAGE), item) for key, item in cut) if isinstance(
        value, dict) else [item for _, item in cut]


_TIME = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d')  # of UTC; fractions and the zone follow


def time_of(event):
    """Return when an event happened last, such as `2018-01-01T05:53:16Z`; empty if the event has no time."""
    times = (event.get('lastTimestamp'), _dict(event.get('series')).get('lastObservedTime'), event.get('eventTime'),
             event.get('firstTimestamp'), _dict(event.get('metadata')).get('creationTimestamp'))
    return next((time[:19] + 'Z' for time in times if isinstance(time, str) and _TIME.match(time)), '')


def _container_of(event):
    """Return the container that an event is about, such as `container notebook`."""
    return 'container %s' % _CONTAINER.sub(r'\1', str(_dict(event.get('involvedObject')).get('fieldPath')))


def _words_of(reason, message):
    """Return the percentage and the message for an event."""
    percent, words = EVENTS.get(reason, (0, reason + ':'))
    found = [particular for of, sign, particular in PARTICULARS if of == reason and sign in message]
    return percent, (found + [words])[0]


def _subject(warning):
    """Return what a warning (`reason: message`) is about; None if that is not known."""
    return SUBJECTS.get(warning.partition(': ')[0])


def _more_telling(before, warning):
    """Return the more informative of two warnings about the same thing; of two about different things, the later."""
    is_worse = _VAGUE.match(warning) and not _VAGUE.match(before)
    return before if is_worse and _subject(before) == _subject(warning) is not None else warning


class ProgressLog:
    """The progress log of one start, for any number of listeners.

    entries (list): what JupyterHub shows, see `Spawner.progress`: dicts with `progress`, `message` and `html_message`.
        The entry of an event also has `raw_event`. The list only grows; an event that is repeated keeps its place and
        its words.
    has_begun (bool): the start has begun. Listeners may come before that.
    continues_after_start (bool): the log does not end when `start` returns; somebody else will end it.
    is_over (bool): no more entries will come.
    timer: the loop's handle of the message for slow starts.
    last_warning (str): reason and message of the last event of type Warning that still holds; empty if there is none.
        One that only says that something is not done yet does not take the place of one that says why.
    failed_hooks (dict): the events about lifecycle hooks that failed since their container was last started:
        (reason, message) by `container NAME`.
    is_scaling_up (bool): an autoscaler has announced a new node for the pod.
    """

    def __init__(self, clock, seconds=monotonic):
        """clock (callable): returns the current time, such as `2018-01-01T05:53:16Z`. seconds (callable): by which the
        age of entries is measured.
        """
        self.entries, self.last_warning, self.failed_hooks = [], '', {}
        self.has_begun = self.continues_after_start = self.is_over = self.is_scaling_up = False
        self.timer, self._clock, self._seconds = None, clock, seconds
        self._added = []  # when the step was that each entry shows, in seconds
        self._late = []  # events that are not shown
        self._reached = 0  # the latest of ORDER
        self._started = set()  # containers
        self._not_started = None  # those whose events are waited for before the step `running`; None: nothing is
        self._running_since = ''
        self._uid = None  # of the pod whose events are shown
        self._early = []  # events that arrived before the uid was known
        self._places = {}  # a step, or what identifies an event -> index of its entry
        self._events = self._reminders = 0
        self._newest = None  # (text, time, seconds) of the newest step or event, None: there is none
        self._is_reminded = False  # a reminder has come after that
        self._listeners = []

    def changed(self):
        """Return a future that is done when there are more entries, or when the log has ended."""
        self._listeners = [future for future in self._listeners if not future.done()]
        self._listeners.append(Future())
        return self._listeners[-1]

    def shown(self, number):
        """Return an entry as a listener gets it now, a dict. The page counts on from its age."""
        entry = self.entries[number]
        age = max(0, int(self._seconds() - self._added[number]))
        return dict(entry, html_message=pages.with_seconds(entry['html_message'], age))

    def add_step(self, step, more='', time=''):
        """Add a step, a key of STEPS, with `more` after its message. Each step is added only once."""
        if not self.is_over and step not in self._places:
            if step == 'scheduled':
                self._reached = max(self._reached, ASSIGNED)
            self._places[step] = len(self.entries)
            self._add(time or self._clock(), *(STEPS[step] + (more,)))

    def running(self, containers=(), since=''):
        """Add the step that the pod runs, when the events about the start of its containers are there, or by `settle`.

        containers (iterable of str): their names; none if no events will come.
        since (str): the cluster's time since which the pod runs. Later events about its start are out of date.
        """
        self._not_started = {'container %s' % name for name in containers} - self._started
        self._running_since = since
        if not self._not_started:
            self.settle()

    def settle(self):
        """Add the step that waits for events: they are late, or will not come."""
        if self._not_started is not None:
            self._not_started = None
            self.add_step('scheduled', time=self._running_since)
            self.add_step('running', time=self._running_since)

    def remind(self, text):
        """Add a message that the start is slow, after the newest step.

        JupyterHub's page shows each message with that step, and lists only the first one about a step.
        """
        if self.is_over or self._reminders >= MAX_REMINDERS:
            return
        self._reminders += 1
        text, now = one_line(text), self._clock()
        step, time, since = self._newest or ('', '', self._seconds())
        html = pages.reminder(pages.step(step, time) if step else '', text, now, self._is_reminded)
        self._is_reminded = True
        self._append(now, STEPS['slow'][0], ' '.join([ended(step), text] if step else [text]), html, since)

    @property
    def events(self):
        """The events that are shown, or are too late for that, as Kubernetes sent them, a list."""
        return [entry['raw_event'] for entry in self.entries if 'raw_event' in entry] + self._late

    def why_late(self, seen):
        """Return a sentence with the last warning after a space; empty if there is none or `seen` contains it."""
        _, _, message = self.last_warning.partition(': ')
        begin = message.partition(' \u2026 ')[0]  # it may have been cut
        return ' The last warning: %s' % self.last_warning if self.last_warning and begin not in seen else ''

    def failure_in_last_warning(self):
        """Return (cause, reason, message) of the last warning if its reason is in FAILED; otherwise, of a timeout."""
        reason, _, message = self.last_warning.partition(': ')
        return (FAILED[reason], reason, message) if reason in FAILED else (Cause.TIME, '', '')

    def about(self, uid):
        """Show the events about the pod with this uid, including those that have already arrived."""
        early, self._uid, self._early = self._early, uid, []
        for event in early:
            self.event(event)

    def event(self, event):
        """Add a Kubernetes event (a dict) about a pod with the right name. Ignore it if the pod has another uid."""
        if self.is_over:
            return
        if self._uid is None:
            event = bounded(event)
            self._early = (self._early + [event])[-MAX_EVENTS:]
        elif _dict(event.get('involvedObject')).get('uid') == self._uid:
            self._tell_event(bounded(event))

    def _tell_event(self, event):
        reason = shortened(one_line(event.get('reason') or ''), LONGEST_REASON)
        message = shortened(one_line(event.get('message') or ''), LONGEST_MESSAGE)
        keys = (_dict(event.get('metadata')).get('uid'),
                (reason, message, str(event['involvedObject'].get('fieldPath'))), SAME_AS.get(reason))
        place = next((self._places[key] for key in keys if key in self._places), None)
        if place is None and self._is_late(reason, event):
            self._late = (self._late + [event])[-MAX_EVENTS:]
        else:
            self._take_note(reason, message, event)
            self._show(reason, message, event, keys, place)
        if self._not_started is not None and self._started >= self._not_started:
            self.settle()

    def _is_late(self, reason, event):
        """Return whether an event is about something that was over before a later event, or by the pod's status."""
        if reason not in ORDER:
            return False
        is_of_this_start = 'running' in self._places and time_of(event) <= self._running_since
        return ORDER[reason] < self._reached or is_of_this_start

    def _take_note(self, reason, message, event):
        self._reached = max(self._reached, ORDER.get(reason, 0))
        if event.get('type') == 'Warning':
            self.last_warning = _more_telling(self.last_warning, ': '.join(filter(None, [reason, message])))
        elif _subject(self.last_warning) in HEALED_BY.get(reason, ()):
            self.last_warning = ''
        self.is_scaling_up = reason == 'TriggeredScaleUp' or self.is_scaling_up and reason != 'NotTriggerScaleUp'
        container = _container_of(event)
        if reason in HOOKS and len(self.failed_hooks) < MAX_HOOKS:
            self.failed_hooks.setdefault(container, (reason, message))
        elif reason == 'Started':
            self.failed_hooks.pop(container, None)
            if len(self._started) < MAX_EVENTS:
                self._started.add(container)

    def _show(self, reason, message, event, keys, place):
        """Add an event, or replace the entry that is known by any of `keys` (None: there is none)."""
        if place is not None:
            self.entries[place]['raw_event'] = event
        elif self._events < MAX_EVENTS:
            if ORDER.get(reason, 0) > ASSIGNED:
                self.add_step('scheduled', time=time_of(event))
            self._events += 1
            self._places.update((key, len(self.entries)) for key in keys if key)
            percent, words = _words_of(reason, message)
            self._add(time_of(event) or self._clock(), percent, words, message, raw_event=event)

    def _add(self, time, percent, *words, **more):
        """Add a step or an event."""
        text = one_line(' '.join(filter(None, words)))
        self._newest, self._is_reminded = (text, time, self._seconds()), False
        self._append(time, percent, text, pages.step(text, time), self._newest[2], **more)

    def _append(self, time, percent, text, html, since, **more):
        """Append an entry. since (float): when the step was that it shows, from which the page counts on."""
        percent = max(percent, self.entries[-1]['progress'] if self.entries else 0)
        self.entries.append(dict(more, progress=percent, message='%s (%s UTC)' % (text, time[11:19]),
                                 html_message=html + ('' if self.entries else pages.SCRIPT)))
        self._added.append(since)
        self._wake()

    def end(self, failure=None, html=''):
        """End the log, as a success or with the message of a failure, plain and as HTML. Later calls do nothing."""
        if self.is_over:
            return
        if failure is None:
            self.settle()
        else:
            time, is_first = self._clock(), not self.entries
            self.add_step('failed', failure, time)
            self.entries[-1]['html_message'] = (
                pages.failed_step(STEPS['failed'][1], time, html) + (pages.SCRIPT if is_first else ''))
        self.is_over = True
        self._wake()

    def _wake(self):
        listeners, self._listeners = self._listeners, []
        for future in listeners:
            if not future.done():
                future.set_result(None)
