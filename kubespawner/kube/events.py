"""Events of Kubernetes about pods that are being started: followed from now on, and handed to who wants them.

Here belongs which events are read and kept; what they mean does not. Events are news that nobody depends on: whatever
goes wrong here is told of in the log, and nothing waits for it or fails because of it.

It follows the server as long as the hub runs, from the first start on: a watch that begins with each start would miss
the first events, and one that is there costs nothing while nothing happens. Old events are never read. An event of a
pod that nobody follows is dropped on the watch thread, and no event is kept here.

Threads: `follow` and `unfollow` are for the loop's thread. What `follow` is given is called there.
"""
from traitlets import Float, Unicode

from . import jsonstream
from .cache import version_of
from .clients import Resource
from .reflector import CHANGES, CHUNK, LIST_TIMEOUT, NamespacedResourceReflector

FOLLOWED = 1000  # pods at a time; each has a story that is bounded


class EventReflector(NamespacedResourceReflector):
    """Hands on what happens to some pods of one namespace, or of all."""

    kind = Unicode('event')

    list_method_name = Unicode('list_namespaced_event')

    give_up_seconds = Float(float('inf'))

    longest_pause = 30  # seconds: nobody waits for it

    watch_parameters = {'field_selector': 'involvedObject.kind=Pod'}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._followers = {}  # (namespace, name) of a pod -> (loop, callback)
        self._troubles = set()  # those that the log has been told of

    # On the loop's thread

    def follow(self, namespace, name, loop, callback):
        """Have `callback(event)` called on `loop` with each event about the pods of that name from now on.

        Return False if too many pods are followed already.
        """
        if len(self._followers) >= FOLLOWED:
            return False
        self._followers[namespace, name] = loop, callback
        return True

    def unfollow(self, callback):
        """End what `follow` began for this callback, if it did."""
        for pod in [pod for pod, (_, known) in self._followers.items() if known == callback]:
            del self._followers[pod]

    @property
    def events(self):
        raise AttributeError('Events of all pods are not kept. `spawner.events` has those of a server that starts.')

    @property
    def is_connected(self):
        """True if events arrive: the server answers a watch."""
        return self._attempt.began is not None

    # On the watch thread

    def _list(self):
        """Learn from which version on to watch, and nothing else: old events are not read."""
        version = 0
        with self._request(LIST_TIMEOUT, limit=1) as response:
            for key, value in jsonstream.members(response.stream(CHUNK, decode_content=True)):
                if key == 'metadata':
                    version = version_of({key: value})
        if not version:
            raise jsonstream.Garbled('a list that does not say its version')
        self._resource_version = version
        self._is_listed = True
        self._contact()

    def _chunks(self, response):
        self._is_ready()  # the watch has begun
        return super()._chunks(response)

    def _is_ready(self):
        """Have nobody wait any more for the watch to begin."""
        if not self.first_load_future.done():
            self.first_load_future.set_result(None)

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
            loop, callback = follower
            try:
                loop.add_callback(callback, Resource(resource))
            except RuntimeError:  # that loop is closed
                pass

    def _tell_of_trouble(self, error, text):
        """Say each kind of trouble once: starts go on without events."""
        self._is_ready()
        kind = type(error), getattr(error, 'status', None)
        log = self.log.debug if kind in self._troubles else self.log.warning
        self._troubles.add(kind)
        log('Events of pods are not known just now, so that progress has less to tell: %s.%s', text, (
            ' The hub needs the right to list and watch events, or KubeSpawner.events_enabled has to be False.'
            if kind[1] == 403 else ''))

    def _give_up(self):
        """Take note that the thread has ended. Nothing is halted because of that."""
        self._is_ready()
        self._attempt.began = None
