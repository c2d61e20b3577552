"""The objects and the sequence of their changes, like etcd behind a real API server.

What belongs here: resource versions, lists, history, and calling watchers. What does not: what an object means.
Everything runs on the loop thread of the server, and nothing waits.

An object in the store is never changed in place. A change stores another dictionary, so it is safe to keep and read an
object.
"""
import json
import re
from bisect import bisect_right
from collections import defaultdict, deque, namedtuple

HISTORY = 20000  # changes kept per resource, for watches that resume
HEAD = 'kind', 'apiVersion', 'metadata'  # what comes first in the JSON of an object

Change = namedtuple('Change', 'version key old new')
Change.__doc__ += """: one write.

version (int): the resource version that it made.
key (tuple): (namespace, name); namespace is '' for what has none.
old, new (Stored or None): before and after; old is None for a creation, new is None for a removal.
"""


LONE_SURROGATES = re.compile('[\ud800-\udfff]')


def encode(value):
    text = json.dumps(value, separators=(',', ':'), ensure_ascii=False)
    try:
        return text.encode('utf8')
    except UnicodeEncodeError:
        return LONE_SURROGATES.sub('\ufffd', text).encode('utf8')


class Stored(object):
    """An object and its JSON, which is encoded only once for all watches and lists."""

    __slots__ = ('object', '_item')

    def __init__(self, obj):
        self.object = obj
        self._item = None

    @property
    def item(self):
        """The JSON of the object as an item of a list, without kind and apiVersion.

        As on a real API server, the metadata comes first, and the managed fields are last in it.
        """
        if self._item is None:
            item = {'metadata': dict(self.object['metadata'])}
            if 'managedFields' in item['metadata']:
                item['metadata']['managedFields'] = item['metadata'].pop('managedFields')
            item.update((key, value) for key, value in self.object.items() if key not in HEAD)
            self._item = encode(item)
        return self._item

    @property
    def json(self):
        head = '{"kind":"%s","apiVersion":"%s",' % (self.object['kind'], self.object['apiVersion'])
        return head.encode('ascii') + self.item[1:]


class Expired(Exception):
    """The history no longer contains the requested version."""


class Store(object):
    def __init__(self):
        self.version = 1
        self.forgotten = 0  # the history is complete after this version
        self._objects = defaultdict(dict)  # resource name -> key -> Stored
        self._history = defaultdict(lambda: deque(maxlen=HISTORY))  # resource name -> Changes
        self._dropped = defaultdict(int)  # resource name -> version of the newest Change that was dropped
        self._watchers = defaultdict(list)  # resource name -> callables

    def get(self, resource, namespace, name):
        """Return the object, or None."""
        stored = self._objects[resource].get((namespace, name))
        return stored and stored.object

    def list(self, resource, namespace=''):
        """Return the Stored objects of a namespace, or of all, ordered by namespace and name."""
        objects = self._objects[resource]
        return [objects[key] for key in sorted(objects) if not namespace or key[0] == namespace]

    def list_at(self, resource, namespace, version):
        """Return the result of `list` at an earlier `version`. Raise Expired if the history does not contain it."""
        objects = dict(self._objects[resource])
        for change in reversed(self.since(resource, version)):
            if change.old:
                objects[change.key] = change.old
            else:
                objects.pop(change.key)
        return [objects[key] for key in sorted(objects) if not namespace or key[0] == namespace]

    def put(self, resource, obj):
        """Create or replace an object. Callers must not change the dictionary afterwards."""
        metadata = obj['metadata']
        key = metadata.get('namespace', ''), metadata['name']
        self._commit(resource, key, obj)
        return obj

    def remove(self, resource, obj):
        """Remove an object. Watchers get `obj` with the version of the removal."""
        metadata = obj['metadata']
        self._commit(resource, (metadata.get('namespace', ''), metadata['name']), obj, removed=True)

    def _commit(self, resource, key, obj, removed=False):
        self.version += 1
        obj['metadata']['resourceVersion'] = str(self.version)
        new = Stored(obj)
        objects = self._objects[resource]
        if removed:
            objects.pop(key)
            change = Change(self.version, key, new, None)
        else:
            change = Change(self.version, key, objects.get(key), new)
            objects[key] = new
        history = self._history[resource]
        if len(history) == HISTORY:
            self._dropped[resource] = history[0].version
        history.append(change)
        for watcher in list(self._watchers[resource]):
            watcher(change)

    def since(self, resource, version):
        """Return the changes after `version`, oldest first. Raise Expired if the history does not contain them all."""
        if version < self.forgotten or version < self._dropped[resource]:
            raise Expired(version)
        history = self._history[resource]
        if not history or history[-1].version <= version:
            return []
        changes = list(history)
        return changes[bisect_right([change.version for change in changes], version):]

    def watch(self, resource, callback):
        """Call `callback(Change)` for every change from now on. Return a function that stops this."""
        self._watchers[resource].append(callback)
        return lambda: self._watchers[resource].remove(callback)

    def expire_history(self):
        """Forget all changes up to now, as a compaction does."""
        self.version += 1
        self.forgotten = self.version
        self._history.clear()
