"""What is known of one kind of object, and who waits for a change of it.

Here belongs which of two states of an object is the newer one, and waking; where states come from does not.

Threads: `get`, `upsert`, `forget`, `wake`, `changed` and `subscribe` are for the loop's thread, and `resources` may be
read on any. `_replace` and `_change` are for the thread that watches. Writing takes a lock, because an answer to a
direct request is written by the loop's thread; reading takes none. Nothing but a callback crosses to the loop.
"""
import threading
import weakref
from collections import OrderedDict

from tornado.concurrent import Future
from tornado.ioloop import IOLoop
from traitlets import Dict, List, Unicode, Union, default
from traitlets.config import LoggingConfigurable

from . import prune
from .clients import Resource

MOST_TOMBSTONES = 1000  # objects
FOR_GOOD = float('inf')  # newer than any version


def version_of(resource):
    """Return an object's resource version as a number; 0 if it has none that is one."""
    try:
        return int(resource['metadata']['resourceVersion'])
    except (KeyError, OverflowError, TypeError, ValueError):
        return 0


class KeyedObjects(dict):
    """Objects by key, which also answers to the other spelling: `name` and `namespace/name` are the same.

    Iteration gives one of them: the name, or `namespace/name` for all namespaces. There a name alone is looked for
    among all keys, and found if just one namespace has it.

    namespace (str): of all objects; an empty string means all namespaces.
    """
    __slots__ = 'namespace',

    def __init__(self, namespace, objects=()):
        super().__init__(objects)
        self.namespace = namespace

    def _other_spelling(self, key):
        """Return the key under which an object is kept that is asked for by another one; None if there is none."""
        if not isinstance(key, str):
            return None
        namespace, slash, name = key.rpartition('/')
        if self.namespace:
            return name if slash and namespace == self.namespace else None
        found = [] if slash else [each for each in list(self) if each.endswith('/' + key)]
        return found[0] if len(found) == 1 else None

    def __missing__(self, key):
        other = self._other_spelling(key)
        if other is None or not dict.__contains__(self, other):
            raise KeyError(key)
        return dict.__getitem__(self, other)

    def __contains__(self, key):
        return dict.__contains__(self, key) or dict.__contains__(self, self._other_spelling(key))

    def get(self, key, default=None):
        try:
            return self[key]
        except KeyError:
            return default


class Cache(LoggingConfigurable):
    """A dictionary of objects, by key. A key is the object's name; for all namespaces `namespace/name`."""

    labels = Dict({}, help="""Labels, by name, that an object must have to be kept.""")

    namespace = Unicode(help="""The namespace of the objects. An empty string means all namespaces.""")

    resources = Dict({}, help="""The objects by key. Each change is atomic, so reading needs no lock.""")

    fields = Union([List(Unicode()), Dict()], help="""
        A list has the fields to keep of each object besides its metadata; empty means all fields. A dict is a field
        selector instead, `{'involvedObject.kind': 'Pod'}`: only objects with these values are kept, and all of them.
        """)

    further_fields = List(
        Unicode(),
        config=True,
        help="""
        Fields of each object to keep in addition to those that KubeSpawner itself reads, for subclasses and hooks that
        read more. For example `spec.containers.image`, or `spec` for the whole spec.
        """
    )

    _tree = Dict()

    @default('_tree')
    def _tree_of_fields(self):
        if not self.fields or isinstance(self.fields, dict):
            return {}
        return prune.tree_of(['metadata'] + list(self.fields) + list(self.further_fields))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.resources = KeyedObjects(self.namespace, self.resources)
        self._lock = threading.Lock()
        self._waiting = {}  # key -> list of (loop, future)
        self._subscribers = {}  # key -> (loop, weak reference to an object, method of its class)
        self._resource_version = 0  # the newest version that a list or a watch has told of
        self._tombstone_horizon = 0  # of this version and before, all that is not in the cache is gone
        self._tombstones = OrderedDict()  # uid -> version up to which nothing is believed about that object

    def key(self, namespace, name):
        """Return by what the object of that name in a namespace is known here."""
        return name if self.namespace else '%s/%s' % (namespace, name)

    def _key_of(self, resource):
        metadata = resource['metadata']
        return metadata['name'] if self.namespace else self.key(metadata.get('namespace'), metadata['name'])

    # On the loop's thread

    def get(self, key):
        """Return the cached object of that key, None if there is none."""
        return dict.get(self.resources, key)

    def upsert(self, resource):
        """Put the answer to a direct request into the cache, unless the cache is ahead of it."""
        resource = self._kept(resource)
        key = self._key_of(resource)
        with self._lock:
            cached = dict.get(self.resources, key)
            known = version_of(cached) if cached is not None else self._resource_version
            if version_of(resource) > known and not self._is_gone(resource) and self.selects(resource):
                self.resources[key] = resource
                self._tell_subscriber(key, cached)
            self._wake(key)

    def forget(self, resource):
        """Take an object out of the cache that is gone, as a direct request has shown; not another of that name.

        What the watch still has to tell of it does not bring it back: a uid is used once.
        """
        key = self._key_of(resource)
        with self._lock:
            self._add_tombstone(resource, FOR_GOOD)
            cached = dict.get(self.resources, key)
            if cached is not None and cached['metadata']['uid'] == resource['metadata']['uid']:
                del self.resources[key]
            self._wake(key)

    def wake(self, key):
        """Have who waits for a change of the object of that key look at it now."""
        with self._lock:
            self._wake(key)

    def selects(self, resource):
        """True if an object has the labels of the objects that are kept, and is in their namespace."""
        labels = resource['metadata'].get('labels') or {}
        is_here = self.namespace in ('', resource['metadata'].get('namespace', self.namespace))
        return is_here and all(labels.get(label) == value for label, value in self.labels.items())

    def _kept(self, resource):
        """Return what is kept of an object."""
        resource['metadata'].pop('managedFields', None)
        return Resource(prune.prune(resource, self._tree))

    def changed(self, key, timeout):
        """Return a future that is done at the next change of the object of that key, or after `timeout` seconds.

        Its result is True for a change, False for the time. To miss no change, ask for the future first, then look.
        """
        loop, future = IOLoop.current(), Future()
        with self._lock:
            self._waiting.setdefault(key, []).append((loop, future))
        timer = loop.call_later(timeout, self._give_up_waiting, key, loop, future)
        future.add_done_callback(lambda _: loop.remove_timeout(timer))
        return future

    def _give_up_waiting(self, key, loop, future):
        with self._lock:
            waiting = [pair for pair in self._waiting.get(key, []) if pair[1] is not future]
            if waiting:
                self._waiting[key] = waiting
            else:
                self._waiting.pop(key, None)
        _resolve(future, False)

    def watched_part(self, resource):
        """Return the part of an object (None: there is none) whose changes subscribers are told of. On any thread."""
        return None

    def subscribe(self, key, method):
        """Have a bound method called on this loop whenever the watched part of the object of that key has changed.

        Each key has one subscriber, which is held weakly. Unlike `changed`, this costs nothing for other changes.
        """
        with self._lock:
            self._subscribers[key] = IOLoop.current(), weakref.ref(method.__self__), method.__func__

    def unsubscribe(self, key, method):
        """End what `subscribe` began for this method."""
        with self._lock:
            if key in self._subscribers and self._subscribers[key][1]() is method.__self__:
                del self._subscribers[key]

    # On either thread, with the lock

    def _tell_subscriber(self, key, before):
        """Tell the subscriber of a key, if it is to know, that its object is not what it was before (None: none).

        To be called when the cache has the new one: the loop may look at once.
        """
        if key not in self._subscribers:
            return
        loop, subscriber, method = self._subscribers[key]
        if subscriber() is None:
            del self._subscribers[key]
        elif self.watched_part(before) != self.watched_part(dict.get(self.resources, key)):
            try:
                loop.add_callback(_call, subscriber, method)
            except RuntimeError:  # that loop is closed
                del self._subscribers[key]

    def _wake(self, key):
        """Wake who waits for `key`. Loops are woken by a callback, never touched."""
        for loop, future in self._waiting.pop(key, ()):
            try:
                loop.add_callback(_resolve, future, True)
            except RuntimeError:  # that loop is closed: nobody waits any more
                pass

    def _add_tombstone(self, resource, version):
        """Remember of an object that is gone that nothing up to `version` is to be believed about it."""
        uid = resource['metadata'].get('uid')
        self._tombstones[uid] = max(version, self._tombstones.pop(uid, 0))
        if len(self._tombstones) > MOST_TOMBSTONES:
            _, oldest = self._tombstones.popitem(last=False)
            self._tombstone_horizon = max(self._tombstone_horizon, min(oldest, self._resource_version))

    def _is_gone(self, resource):
        """True for an object, in this state, that is known to be gone since."""
        return version_of(resource) <= self._tombstones.get(resource['metadata'].get('uid'), 0)

    # On the thread that watches

    def _replace(self, listed, version, outdated):
        """Replace the cache by the objects `listed` (by key), as they were at `version`.

        outdated (set): uids of objects that had been gone before, about which the list is right.
        """
        with self._lock:
            for uid in outdated:
                self._tombstones.pop(uid, None)
            listed = {key: resource for key, resource in listed.items() if not self._is_gone(resource)}
            # What was created after the list was made is not in it, but is not gone either. Unless versions have
            # gone back, as when the server was restored from a backup: then what the server says is all there is.
            if version >= self._resource_version:
                listed.update((key, resource) for key, resource in self.resources.items()
                              if version_of(resource) > version)
            before, self.resources = self.resources, KeyedObjects(self.namespace, listed)
            for key in list(self._subscribers):
                self._tell_subscriber(key, dict.get(before, key))
            self._resource_version = self._tombstone_horizon = version
            for key in list(self._waiting):
                self._wake(key)

    def _change(self, kind, resource):
        """Bring the change of an object into the cache, unless it is older than what is known."""
        key, version = self._key_of(resource), version_of(resource)
        with self._lock:
            self._resource_version = max(self._resource_version, version)
            is_news = self._is_news(key, version, kind) and not self._is_gone(resource)
            if kind == 'DELETED':
                self._add_tombstone(resource, version)
            if not is_news:
                return
            if kind == 'DELETED':
                self.resources.pop(key, None)
            else:
                before = dict.get(self.resources, key)
                self.resources[key] = self._kept(resource)
                self._tell_subscriber(key, before)
            self._wake(key)

    def _is_news(self, key, version, kind):
        """False for an event about a state that the cache has already, perhaps from an answer, or is ahead of."""
        cached = dict.get(self.resources, key)
        known = version_of(cached) if cached is not None else self._tombstone_horizon
        return version > known or (version == known and kind == 'DELETED')


def _call(subscriber, method):
    """Call a method of what a weak reference refers to, if that is still there."""
    found = subscriber()
    if found is not None:
        method(found)


def _resolve(future, result):
    if not future.done():
        future.set_result(result)
