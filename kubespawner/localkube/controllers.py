"""Small controllers, which bind claims, and delete the contents of namespaces and old events.

What belongs here: one class for each controller, which watches a kind of object. What does not: running anything.
Everything runs on the loop thread of the server. A watcher must not change the store in the callback for a change. So
each controller handles an object in the next iteration of the loop.
"""
from tornado.ioloop import IOLoop

from . import events, volumes
from .later import later
from .registry import CLAIM_FINALIZER
from .resources import STORED

EXPIRE_SECONDS = 60


class ClaimController(object):
    """Binds every claim immediately. Removes a deleted claim and its data when no pod uses it."""

    def __init__(self, registry, data, binds=True):
        self.registry = registry
        self.store = registry.store
        self.data = data
        self.binds = binds
        self.store.watch('persistentvolumeclaims', self.on_claim)
        self.store.watch('pods', self.on_pod)

    def on_claim(self, change):
        if change.new is None:
            volumes.remove_claim(self.data, *change.key)
        else:
            later(self.sync, change.key)

    def on_pod(self, change):
        """Handle a pod that ended or was deleted, because it may have been the last one to use a claim."""
        obj = (change.new or change.old).object
        if change.new is None or obj['status'].get('phase') in ('Succeeded', 'Failed'):
            for name in claims_of(obj):
                later(self.sync, (change.key[0], name))

    def sync(self, key):
        claim = self.store.get('persistentvolumeclaims', *key)
        if claim is None:
            return
        if 'deletionTimestamp' in claim['metadata']:
            self.release(claim, *key)
        elif self.binds and claim['status'].get('phase') == 'Pending':
            self.bind(claim, *key)

    def bind(self, claim, namespace, name):
        spec = claim['spec']
        if not spec.get('volumeName'):
            claim = self.registry.patch('persistentvolumeclaims', namespace, name, 'application/merge-patch+json',
                                        {'spec': {'volumeName': 'pvc-' + claim['metadata']['uid']}})
        self.registry.patch_status('persistentvolumeclaims', claim, {
            'phase': 'Bound', 'accessModes': spec['accessModes'],
            'capacity': {'storage': spec['resources']['requests']['storage']}})

    def release(self, claim, namespace, name):
        finalizers = claim['metadata'].get('finalizers', [])
        if CLAIM_FINALIZER not in finalizers or self.is_used(namespace, name):
            return
        self.registry.patch('persistentvolumeclaims', namespace, name, 'application/merge-patch+json', {
            'metadata': {'finalizers': [each for each in finalizers if each != CLAIM_FINALIZER]}})

    def is_used(self, namespace, name):
        return any(name in claims_of(stored.object) for stored in self.store.list('pods', namespace)
                   if stored.object['status'].get('phase') not in ('Succeeded', 'Failed')
                   and stored.object['spec'].get('nodeName'))


def claims_of(pod):
    return [volume['persistentVolumeClaim']['claimName'] for volume in pod['spec'].get('volumes', ())
            if 'persistentVolumeClaim' in volume]


class NamespaceController(object):
    """Deletes the contents of a namespace that is being deleted, and then the namespace."""

    CONTENTS = [row.name for row in STORED if row.namespaced]

    def __init__(self, registry):
        self.registry = registry
        self.store = registry.store
        self.store.watch('namespaces', lambda change: change.new and later(self.sync, change.key[1]))
        for resource in self.CONTENTS:
            self.store.watch(resource, self.on_content)

    def on_content(self, change):
        if change.new is None:
            later(self.sync, change.key[0])

    def sync(self, name):
        namespace = self.store.get('namespaces', '', name)
        if namespace is None or 'deletionTimestamp' not in namespace['metadata']:
            return
        left = False
        for resource in self.CONTENTS:
            for stored in self.store.list(resource, name):
                metadata = stored.object['metadata']
                if 'deletionTimestamp' not in metadata:
                    self.registry.delete(resource, name, metadata['name'])
                left = left or self.store.get(resource, name, metadata['name']) is not None
        if not left and namespace['spec'].get('finalizers'):
            self.registry.replace('namespaces', '', name, dict(namespace, spec={}), 'finalize')


class EventExpirer(object):
    """Deletes old events once a minute."""

    def __init__(self, registry):
        self.registry = registry
        self.expire_later()

    def expire_later(self):
        self._timer = IOLoop.current().call_later(EXPIRE_SECONDS, self.expire)

    def expire(self):
        events.expire(self.registry)
        self.expire_later()

    def stop(self):
        IOLoop.current().remove_timeout(self._timer)
