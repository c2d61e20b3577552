"""The garbage collector: what it deletes when an owner is gone.

What belongs here: owner references, and the finalizers of the propagation policies Foreground and Orphan. What does
not: deletion itself (registry.py). Everything runs on the loop thread of the server.
"""
from collections import defaultdict

from .later import later
from .resources import RESOURCES, STORED
from .strategies import FOREGROUND, ORPHAN

IGNORED = ('events',)
KINDS = {(row.api_version, row.kind): row for row in RESOURCES.values()}


class GarbageCollector(object):
    """Deletes the objects all of whose owners are gone, or have never existed.

    An owner of a kind that this API does not serve counts as existing.
    """

    def __init__(self, registry):
        self.registry = registry
        self.store = registry.store
        self._dependents = defaultdict(set)  # uid of an owner -> {(resource, namespace, name)}
        for row in STORED:
            if row.name not in IGNORED:
                self.store.watch(row.name, lambda change, resource=row.name: self.on_change(resource, change))

    def on_change(self, resource, change):
        place = (resource,) + change.key
        obj = (change.new or change.old).object
        owners = owners_of(obj)
        for owner in owners_of(change.old.object) if change.old else ():
            self._dependents[owner['uid']].discard(place)
        if change.new is None:
            self.on_removal(obj, owners)
            return
        for owner in owners:
            self._dependents[owner['uid']].add(place)
        if owners:
            later(self.sync, *place)
        if 'deletionTimestamp' in obj['metadata'] and finalizers_of(obj) & {FOREGROUND, ORPHAN}:
            later(self.finalize, *place)

    def on_removal(self, obj, owners):
        for place in self._dependents.pop(obj['metadata']['uid'], ()):
            later(self.sync, *place)
        for owner in owners:  # one may wait for the removal of its dependents
            row = KINDS.get((owner['apiVersion'], owner['kind']))
            if row:
                later(self.finalize, row.name, namespace_for(row, obj), owner['name'])

    def sync(self, resource, namespace, name):
        """Delete an object if it has no owner left, or else remove its references to the owners that are gone."""
        obj = self.store.get(resource, namespace, name)
        if obj is None or 'deletionTimestamp' in obj['metadata'] or not owners_of(obj):
            return
        states = [(self.state_of(owner, obj), owner) for owner in owners_of(obj)]
        kept = [owner for state, owner in states if state == 'exists']
        if any(state == 'unknown' for state, _ in states) or len(kept) == len(states):
            return
        if kept:
            self.replace_metadata(resource, obj, ownerReferences=kept)
        else:
            policy = 'Foreground' if any(state == 'waits' for state, _ in states) else 'Background'
            self.registry.delete(resource, namespace, name, {'propagationPolicy': policy, 'preconditions': {
                'uid': obj['metadata']['uid']}})

    def state_of(self, owner, obj):
        """Return exists, gone, unknown (kind), or waits (for the deletion of its dependents)."""
        row = KINDS.get((owner['apiVersion'], owner['kind']))
        if row is None:
            return 'unknown'
        found = self.store.get(row.name, namespace_for(row, obj), owner['name'])
        if found is None or found['metadata']['uid'] != owner['uid']:
            return 'gone'
        deleted = 'deletionTimestamp' in found['metadata']
        return 'waits' if deleted and FOREGROUND in finalizers_of(found) else 'exists'

    def finalize(self, resource, namespace, name):
        """Do what the finalizers of a deleted object ask for, and then remove them."""
        obj = self.store.get(resource, namespace, name)
        if obj is None or 'deletionTimestamp' not in obj['metadata']:
            return
        uid = obj['metadata']['uid']
        dependents = [(place, self.store.get(*place)) for place in sorted(self._dependents.get(uid, ()))]
        if ORPHAN in finalizers_of(obj):
            for place, dependent in dependents:
                self.replace_metadata(place[0], dependent, ownerReferences=[
                    owner for owner in owners_of(dependent) if owner['uid'] != uid])
            self.remove_finalizer(resource, obj, ORPHAN)
        elif FOREGROUND in finalizers_of(obj):
            for place, _ in dependents:
                self.sync(*place)
            if not any(blocks(self.store.get(*place), uid) for place, _ in dependents):
                self.remove_finalizer(resource, obj, FOREGROUND)

    def remove_finalizer(self, resource, obj, finalizer):
        left = [each for each in obj['metadata']['finalizers'] if each != finalizer]
        self.replace_metadata(resource, obj, finalizers=left)

    def replace_metadata(self, resource, obj, **fields):
        metadata = obj['metadata']
        patch = {name: value or None for name, value in fields.items()}
        self.registry.patch(resource, metadata.get('namespace', ''), metadata['name'], 'application/merge-patch+json',
                            {'metadata': patch})


def owners_of(obj):
    return obj['metadata'].get('ownerReferences', ())


def finalizers_of(obj):
    return set(obj['metadata'].get('finalizers', ()))


def namespace_for(row, obj):
    """Return the namespace of an owner of kind `row`: that of its dependent `obj`."""
    return obj['metadata'].get('namespace', '') if row.namespaced else ''


def blocks(obj, uid):
    """Return whether an object exists, and must be gone before its owner is."""
    return obj is not None and any(owner['uid'] == uid and owner.get('blockOwnerDeletion') for owner in owners_of(obj))
