"""Kubernetes events about pods that are being started: a watch, which passes them to callbacks.

Which events are received belongs here; what they mean does not. Starts do not depend on events. Errors here are logged,
and no start waits or fails because of them.

The watch begins with the first start of a server, and lasts as long as the hub. A separate watch for each start would
miss the first events, and an idle watch costs nothing. Old events are never read. The watch thread drops events about
pods that nobody follows, and keeps no events.

Threads: call `follow` and `unfollow` on the loop's thread, where the callbacks also run.
"""
from traitlets import Float, Unicode

from . import jsonstream
from .cache import version_of
from .clients import Resource
from .reflector import CHANGES, CHUNK, LIST_TIMEOUT, NamespacedResourceReflector

MAX_FOLLOWED = 1000  # pods at a time; the progress log of each has a limit of its own


class EventReflector(NamespacedResourceReflector):
    """Passes events about some of the pods in one namespace, or in all namespaces, to callbacks."""

    kind = Unicode('event')

    list_method_name = Unicode('list_namespaced_event')

    give_up_seconds = Float(float('inf'))

    longest_pause = 30  # seconds; long, because nothing waits for events

    can_be_split = True

    watch_parameters = {'field_selector': 'involvedObject.kind=Pod'}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._followers = {}  # (namespace, name) of a pod -> (loop, callback, what returns its events)
        self._logged_errors = set()  # (type of the error, HTTP status) of those that the log already has

    def _make_sibling(self, **arguments):
        made = super()._make_sibling(**arguments)
        made._logged_errors = self._logged_errors
        return made

    # On the loop's thread

    def follow(self, namespace, name, loop, callback, events=list):
        """Call `callback(event)` on `loop` for each event about the pod of this name from now on.

        events (callable): returns what the follower has kept of them, a list, for the attribute `events`.
        Return False if too many pods are already followed.
        """
        if len(self._followers) >= MAX_FOLLOWED:
            return False
        self._followers[namespace, name] = loop, callback, events
        return True

    def unfollow(self, callback):
        """Stop calling this callback."""
        for pod in [pod for pod, (_, known, _) in self._followers.items() if known == callback]:
            del self._followers[pod]

    @property
    def events(self):
        """The events of all pods that are followed now: those of the servers that start, the oldest first, a list."""
        events = [event for _, _, kept in list(self._followers.values()) for event in kept()]
        return sorted(events, key=lambda event: event.get('lastTimestamp') or event.get('eventTime') or '')

    @property
    def is_connected(self):
        """Whether the server has begun to respond to the watch, so that events arrive."""
        return self._attempt.began is not None

    # On the watch thread

    def _list(self):
        """Get the version from which to watch. Old events are not read."""
        version = 0
        with self._request(LIST_TIMEOUT, limit=1) as response:
            for key, value in jsonstream.members(response.stream(CHUNK, decode_content=True)):
                if key == 'metadata':
                    version = version_of({key: value})
        if not version:
            raise jsonstream.Garbled('a list without a resource version')
        self._resource_version = version
        self._is_listed = True
        self.is_stale = False
        self._contact()

    def _chunks(self, response):
        self._set_first_load_done()  # the watch has begun
        return super()._chunks(response)

    def _apply(self, kind, resource):
        if kind not in CHANGES:
            super()._apply(kind, resource)
            return
        self._resource_version = max(self._resource_version, version_of(resource))
        about = resource.get('involvedObject')
        if kind == 'DELETED' or not isinstance(about, dict):
            return
        follower = self._followers.get((str(about.get('namespace')), str(about.get('name'))))
        if follower is not None:
            resource['metadata'].pop('managedFields', None)
            loop, callback, _ = follower
            try:
                loop.add_callback(callback, Resource(resource))
            except RuntimeError:  # the loop is closed
                pass

    def _log_error(self, error, text):
        """Log each kind of error once as a warning. Starts continue without events."""
        self._set_first_load_done()
        kind = type(error), getattr(error, 'status', None)
        log = self.log.debug if kind in self._logged_errors else self.log.warning
        self._logged_errors.add(kind)
        log('Events of pods are not available at the moment, so users see less progress: %s.%s', text, (
            ' Give the hub the permissions to list and watch events, or set KubeSpawner.events_enabled to False.'
            if kind[1] == 403 else ''))

    def _fail_permanently(self):
        """Record that the thread has ended. The hub continues without events."""
        self._set_first_load_done()
        self._attempt.began = None
