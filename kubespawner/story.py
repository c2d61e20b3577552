"""The story of one start: what has happened so far, in words, and who listens to it.

Here belong the words for what happens, how far it brings a start, and when events of Kubernetes are told of. Where
events come from does not. Pure, but for futures that wake listeners; everything runs on the IOLoop's thread.
"""
import html

from tornado.concurrent import Future

from .errors import Cause, one_line

EVENTS_TOLD = 100  # of one pod

# Our own steps: percent, words.
STEPS = {
    'claim found': (5, 'The storage is there.'),
    'claim created': (5, 'The storage has been made.'),
    'pod created': (10, 'The server is registered with the cluster. It looks for a machine.'),
    'scheduled': (30, 'A machine has been found.'),
    'slow': (0, ''),
    'running': (95, 'The server is running.'),
    'failed': (0, 'The start failed.'),
}

# Events, by their reason, that say the same as a step of ours: whichever is first is told.
SAME_AS = {'Scheduled': 'scheduled'}

# Events by their reason: percent, words.
EVENTS = {
    'FailedScheduling': (10, 'No machine takes the server just now.'),
    'TriggeredScaleUp': (20, 'The cluster is adding a machine. That may take some minutes.'),
    'NotTriggerScaleUp': (10, 'The cluster adds no machine.'),
    'Scheduled': (30, 'A machine has been found.'),
    'SuccessfulAttachVolume': (40, 'The storage is connected to the machine.'),
    'FailedAttachVolume': (30, 'The storage cannot be connected to the machine yet.'),
    'FailedMount': (30, 'Storage, or a file that the server needs, is not there yet.'),
    'Pulling': (50, 'The image is being pulled. A new one may take some minutes.'),
    'Pulled': (70, 'The image is there.'),
    'Failed': (30, 'The container cannot be started yet.'),
    'FailedToRetrieveImagePullSecret': (30, 'A secret for pulling the image is not there.'),
    'InspectFailed': (30, 'The image cannot be pulled.'),
    'ErrImageNeverPull': (30, 'The image is not there.'),
    'FailedCreatePodSandBox': (30, 'The machine cannot make room for the server yet.'),
    'BackOff': (30, 'It will be tried again soon.'),
    'Created': (80, 'The container has been made.'),
    'Started': (90, 'The container has been started.'),
    'Unhealthy': (90, 'The container does not answer yet.'),
    'Evicted': (0, 'The machine has put the server out.'),
    'Preempted': (0, 'The server had to make room for another one.'),
    'Killing': (0, 'A container is being ended.'),
}

# Words for events of one reason that mean different things: reason, what is looked for in the message, words.
PARTICULARS = [
    ('Failed', 'pull image', 'The image cannot be pulled.'),
    ('Failed', 'inspect image', 'The image cannot be pulled.'),
    ('Failed', 'ErrImage', 'The image cannot be pulled.'),
    ('Failed', 'ImagePull', 'The image cannot be pulled.'),
    ('BackOff', 'restarting', 'The container has ended. It will be started again soon.'),
]

# What the last warning of a start that does not end says to have failed, by its reason.
FAILED = {
    'FailedAttachVolume': Cause.STORAGE,
    'FailedMount': Cause.STORAGE,
    'Evicted': Cause.NODE,
    'Preempted': Cause.NODE,
    'Preempting': Cause.NODE,
}


def _dict(value):
    return value if isinstance(value, dict) else {}


def time_of(event):
    """Return when an event happened last, as `05:53:16`; empty if it does not say that."""
    times = (event.get('lastTimestamp'), _dict(event.get('series')).get('lastObservedTime'), event.get('eventTime'),
             event.get('firstTimestamp'), _dict(event.get('metadata')).get('creationTimestamp'))
    return next((time[11:19] for time in times if isinstance(time, str) and time), '')


def _words_of(reason, message):
    """Return how far an event brings a start, and what it says in plain words."""
    percent, words = EVENTS.get(reason, (0, reason + ':'))
    found = [particular for of, sign, particular in PARTICULARS if of == reason and sign in message]
    return percent, (found + [words])[0]


class Story:
    """What has happened in one start, for any number of listeners.

    entries (list): what JupyterHub shows of each thing that happened, see `Spawner.progress`: dicts with `progress`,
        `message`, of an event `raw_event`, of a failure `html_message`. It only grows; an event that is repeated keeps
        its place and its words.
    has_begun (bool): it is told of a start. Before that people may listen already.
    goes_on (bool): it does not end when the start does: somebody else will end it.
    is_over (bool): nothing more will come.
    timer: what the loop is to do about it later.
    last_warning (str): reason and message of the last event that was a warning; empty if there was none.
    is_scaling_up (bool): an autoscaler has said that it adds a node for the pod.
    """

    def __init__(self, clock):
        """clock (callable): returns what time it is, as `05:53:16`."""
        self.entries, self.last_warning = [], ''
        self.has_begun = self.goes_on = self.is_over = self.is_scaling_up = False
        self.timer, self._clock = None, clock
        self._uid = None  # of the pod that events have to be about
        self._early = []  # events that came before that was known
        self._places = {}  # a step, or what an event is told apart by -> index of its entry
        self._events = 0
        self._listeners = []

    def changed(self):
        """Return a future that is done when more has happened."""
        self._listeners = [future for future in self._listeners if not future.done()]
        self._listeners.append(Future())
        return self._listeners[-1]

    def tell(self, step, more=''):
        """Add one of our own steps, a key of STEPS, with words of its own; nothing if that has been told."""
        if not self.is_over and step not in self._places:
            self._places[step] = len(self.entries)
            self._add(self._clock(), *(STEPS[step] + (more,)))

    def why_late(self, seen):
        """Return a sentence of what the last warning said, if that is not in `seen`; begins with a space."""
        _, _, message = self.last_warning.partition(': ')
        return ' The last warning: %s' % self.last_warning if self.last_warning and message not in seen else ''

    def failure_in_last_warning(self):
        """Return (cause, reason, message) of the last warning if it says what failed; otherwise only time ran out."""
        reason, _, message = self.last_warning.partition(': ')
        return (FAILED[reason], reason, message) if reason in FAILED else (Cause.TIME, '', '')

    def about(self, uid):
        """Tell of the events of the pod with this uid, also of those that came before it was known."""
        early, self._uid, self._early = self._early, uid, []
        for event in early:
            self.event(event)

    def event(self, event):
        """Add an event of Kubernetes (a dict) about a pod of the right name."""
        if self.is_over:
            return
        if self._uid is None:
            self._early = (self._early + [event])[-EVENTS_TOLD:]
        elif _dict(event.get('involvedObject')).get('uid') == self._uid:
            self._tell_event(event)

    def _tell_event(self, event):
        reason, message = one_line(event.get('reason') or ''), one_line(event.get('message') or '')
        if event.get('type') == 'Warning':
            self.last_warning = ': '.join(filter(None, [reason, message]))
        elif reason == 'Scheduled':  # so what the scheduler warned of is over
            self.last_warning = ''
        self.is_scaling_up = reason == 'TriggeredScaleUp' or self.is_scaling_up and reason != 'NotTriggerScaleUp'
        field = str(event['involvedObject'].get('fieldPath'))  # which container
        keys = (_dict(event.get('metadata')).get('uid'), (reason, message, field), SAME_AS.get(reason))
        place = next((self._places[key] for key in keys if key in self._places), None)
        if place is not None:
            self.entries[place]['raw_event'] = event
        elif self._events < EVENTS_TOLD:
            self._events += 1
            self._places.update((key, len(self.entries)) for key in keys if key)
            percent, words = _words_of(reason, message)
            self._add(time_of(event) or self._clock(), percent, words, message, raw_event=event)

    def _add(self, time, percent, *words, **more):
        percent = max(percent, self.entries[-1]['progress'] if self.entries else 0)
        self.entries.append(dict(
            more, progress=percent, message='%s (%s UTC)' % (one_line(' '.join(filter(None, words))), time)))
        self._wake()

    def end(self, failure=None, url=''):
        """Say that the start has ended, well or with a failure (words); at `url` one may try again. Once only."""
        if self.is_over:
            return
        if failure is not None:
            self.tell('failed', failure)
            told = self.entries[-1]  # JupyterHub says it, too, but has the server stopped before
            told['html_message'] = '%s <a href="%s">Try again</a>' % (html.escape(told['message']), html.escape(url))
        self.is_over = True
        self._wake()

    def _wake(self):
        listeners, self._listeners = self._listeners, []
        for future in listeners:
            if not future.done():
                future.set_result(None)
