"""A cache of the objects of one kind, which wakes coroutines that wait for a change.

The cache decides which of two states of an object is newer. Where the states come from does not belong here.

Threads: call `get`, `upsert`, `forget`, `wake`, `changed` and `subscribe` on the loop's thread. Any thread may read
`resources`. The watch thread calls `_replace` and `_change`. Writers take a lock, because the loop's thread writes the
responses to direct requests. Readers take no lock. The watch thread reaches the loop only through callbacks: one for
many changes, and only a few coroutines that wait go on in each iteration of the loop.
"""
import threading
import weakref
from collections import OrderedDict

from tornado.concurrent import Future
from tornado.ioloop import IOLoop
from traitlets import Dict, List, Unicode, Union
from traitlets.config import LoggingConfigurable

from . import prune
from .resource import Pruned
from .turns import turns_on

MOST_TOMBSTONES = 1000
MOST_WOKEN = 10  # coroutines that go on in one iteration of the loop
ALL_VERSIONS = float('inf')  # newer than any version


def version_of(resource):
    """Return an object's resource version as a number; 0 if it has none, or one that is not a number."""
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
    """A dictionary of objects by key. The key is the name, or `namespace/name` if the cache covers all namespaces."""

    labels = Dict({}, help="""Labels that an object must have to be in the cache: a dict of names and values.""")

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
        Additional fields of each object to keep in memory, for subclasses and hooks that read more fields than
        KubeSpawner does. For example, `spec.containers.image`, or `spec` for the whole spec.
        """
    )

    is_stale = False  # whether nothing keeps the cache up to date at the moment but the responses to direct requests

    def _tree_of_fields(self):
        if not self.fields or isinstance(self.fields, dict):
            return {}
        return prune.tree_of(['metadata'] + list(self.fields) + list(self.further_fields))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.resources = KeyedObjects(self.namespace, self.resources)
        self._tree = self._tree_of_fields()
        self._lock = threading.Lock()
        self._waiters = {}  # key -> list of (turns, future, timer)
        self._turns = None  # those of the loop on which somebody waited last
        self._subscribers = {}  # key -> (loop, weak reference to an object, method of its class)
        self._resource_version = 0  # the newest version received from a list or a watch
        self._tombstone_horizon = 0  # objects of this version or older that are not in the cache are gone
        self._tombstones = OrderedDict()  # uid -> version up to which states of that object are ignored

    def key(self, namespace, name):
        """Return the key of an object."""
        return name if self.namespace else '%s/%s' % (namespace, name)

    def _key_of(self, resource):
        metadata = resource['metadata']
        return metadata['name'] if self.namespace else self.key(metadata.get('namespace'), metadata['name'])

    # On the loop's thread

    def get(self, key):
        """Return the object with this key, or None."""
        return dict.get(self.resources, key)

    def upsert(self, resource):
        """Put an object from the response to a direct request into the cache, unless the cache has a newer state."""
        key = self._key_of(resource)
        with self._lock:
            cached = dict.get(self.resources, key)
            resource = self._pruned(resource, cached)
            known = version_of(cached) if cached is not None else self._resource_version
            if version_of(resource) > known and not self._is_gone(resource) and self.selects(resource):
                self.resources[key] = resource
                self._notify_subscriber(key, cached)
            self._wake(key)

    def forget(self, resource):
        """Remove an object that is gone, as a direct request has shown. Another object of the same name stays.

        Later events about the object are ignored: Kubernetes never uses a uid again.
        """
        key = self._key_of(resource)
        with self._lock:
            self._add_tombstone(resource, ALL_VERSIONS)
            cached = dict.get(self.resources, key)
            if cached is not None and cached['metadata']['uid'] == resource['metadata']['uid']:
                del self.resources[key]
            self._wake(key)

    def wake(self, key):
        """Wake the coroutines that wait for a change of the object with this key."""
        with self._lock:
            self._wake(key)

    def selects(self, resource):
        """Return whether the cache covers an object, by its labels and its namespace."""
        labels = resource['metadata'].get('labels') or {}
        is_here = self.namespace in ('', resource['metadata'].get('namespace', self.namespace))
        return is_here and all(labels.get(label) == value for label, value in self.labels.items())

    def _pruned(self, resource, before=None):
        """Return an object with only the fields that the cache keeps. before: its last state that the cache has."""
        resource['metadata'].pop('managedFields', None)
        return Pruned(prune.prune(resource, self._tree, before), self._tree)

    def changed(self, key, timeout):
        """Return a future that is done at the next change of the object with this key, or after `timeout` seconds.

        Its result is True after a change, and False after the timeout. Call this before you read the object, or read
        it again afterwards: it may have changed in between.
        """
        loop, future = IOLoop.current(), Future()
        self._turns = turns_on(loop, self._turns, MOST_WOKEN)
        timer = loop.call_later(timeout, self._time_out, key, future)
        with self._lock:
            self._waiters.setdefault(key, []).append((self._turns, future, timer))
        return future

    def _time_out(self, key, future):
        with self._lock:
            waiters = [waiter for waiter in self._waiters.get(key, []) if waiter[1] is not future]
            if waiters:
                self._waiters[key] = waiters
            else:
                self._waiters.pop(key, None)
        _resolve(future, False)

    def watched_part(self, resource):
        """Return the part of an object (or of None) whose changes call the subscriber. Any thread."""
        return None

    def subscribe(self, key, method):
        """Call a bound method on this loop whenever the watched part of the object with this key has changed.

        Each key has one subscriber, to which the cache keeps a weak reference. Unlike `changed`, this costs nothing for
        other changes.
        """
        with self._lock:
            self._subscribers[key] = IOLoop.current(), weakref.ref(method.__self__), method.__func__

    def unsubscribe(self, key, method):
        """End what `subscribe` began for this method."""
        with self._lock:
            if key in self._subscribers and self._subscribers[key][1]() is method.__self__:
                del self._subscribers[key]

    # On either thread, with the lock

    def _notify_subscriber(self, key, before):
        """Call the subscriber of a key if the watched part of its object differs from that of `before` (may be None).

        Call this after the new state is in the cache, because the loop may read it at once.
        """
        if key not in self._subscribers:
            return
        loop, subscriber, method = self._subscribers[key]
        if subscriber() is None:
            del self._subscribers[key]
        elif self.watched_part(before) != self.watched_part(dict.get(self.resources, key)):
            try:
                loop.add_callback(_call, subscriber, method)
            except RuntimeError:  # the loop is closed
                del self._subscribers[key]

    def _wake(self, key):
        """Wake the coroutines that wait for `key`, on their loops."""
        for turns, future, timer in self._waiters.pop(key, ()):
            turns.resolve(future, True, timer)

    def _add_tombstone(self, resource, version):
        """Ignore all states of an object up to `version` from now on, because it is gone."""
        uid = resource['metadata'].get('uid')
        self._tombstones[uid] = max(version, self._tombstones.pop(uid, 0))
        if len(self._tombstones) > MOST_TOMBSTONES:
            _, oldest = self._tombstones.popitem(last=False)
            self._tombstone_horizon = max(self._tombstone_horizon, min(oldest, self._resource_version))

    def _is_gone(self, resource):
        """Return whether this state of an object is from before the object was deleted."""
        return version_of(resource) <= self._tombstones.get(resource['metadata'].get('uid'), 0)

    # On the watch thread

    def _replace(self, listed, version, outdated):
        """Replace the contents of the cache with the objects `listed` (by key), as they were at `version`.

        outdated (set): uids whose tombstones are from before the list, so that the list overrides them.
        """
        with self._lock:
            for uid in outdated:
                self._tombstones.pop(uid, None)
            listed = {key: resource for key, resource in listed.items() if not self._is_gone(resource)}
            # An object that was created after the list is not in it, but exists. The exception is a server that was
            # restored from a backup: its versions are lower than before, and only its list counts.
            if version >= self._resource_version:
                listed.update((key, resource) for key, resource in self.resources.items()
                              if version_of(resource) > version)
            before, self.resources = self.resources, KeyedObjects(self.namespace, listed)
            for key in list(self._subscribers):
                self._notify_subscriber(key, dict.get(before, key))
            self._resource_version = self._tombstone_horizon = version
            for key in list(self._waiters):
                self._wake(key)

    def _change(self, kind, resource):
        """Apply the change of an object to the cache, unless the cache has a newer state."""
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
                self.resources[key] = self._pruned(resource, before)
                self._notify_subscriber(key, before)
            self._wake(key)

    def _is_news(self, key, version, kind):
        """Return False if the cache already has this state or a newer one, for example from a direct request."""
        cached = dict.get(self.resources, key)
        known = version_of(cached) if cached is not None else self._tombstone_horizon
        return version > known or (version == known and kind == 'DELETED')


def _call(subscriber, method):
    """Call a method of the object behind a weak reference, if it still exists."""
    found = subscriber()
    if found is not None:
        method(found)


def _resolve(future, result):
    if not future.done():
        future.set_result(result)
