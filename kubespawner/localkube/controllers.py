"""Small controllers, which schedule pods, bind claims, and delete the contents of namespaces.

What belongs here: one class for each controller, which watches a kind of object. What does not: running anything.
Everything runs on the loop thread of the server. A watcher must not change the store in the callback for a change. So
each controller handles an object in the next iteration of the loop.
"""
from tornado.ioloop import IOLoop

from . import events, volumes
from .later import later
from .podstate import condition
from .registry import CLAIM_FINALIZER
from .resources import STORED
from .times import timestamp

EXPIRE_SECONDS = 60


class Scheduler(object):
    """Binds pods that have no node to the first node that fits."""

    def __init__(self, registry):
        self.registry = registry
        self.store = registry.store
        self.events = events.EventRecorder(registry, 'default-scheduler')
        self.waiting = set()  # (namespace, name) of pods that no node can run
        self.store.watch('pods', lambda change: change.new and later(self.schedule, change.key))
        for resource in ('nodes', 'persistentvolumeclaims'):  # changes after which a waiting pod may be schedulable
            self.store.watch(resource, lambda change: later(self.schedule_waiting))

    def schedule_waiting(self):
        for key in list(self.waiting):
            self.schedule(key)

    def schedule(self, key):
        pod = self.store.get('pods', *key)
        self.waiting.discard(key)
        if (pod is None or pod['spec'].get('nodeName') or 'deletionTimestamp' in pod['metadata'] or
                pod['spec']['schedulerName'] != 'default-scheduler'):
            return
        fitting, complaint = self.find_node(pod)
        if complaint:
            self.refuse(pod, complaint)
        else:
            self.registry.bind(key[0], key[1], {'target': {'kind': 'Node', 'name': fitting}})
            self.events.normal(pod, 'Scheduled', 'Successfully assigned %s/%s to %s' % (key[0], key[1], fitting))

    def find_node(self, pod):
        """Return (name of a node, ''), or (None, the reason) if no node can run the pod."""
        for volume in pod['spec'].get('volumes', ()):
            name = volume.get('persistentVolumeClaim', {}).get('claimName')
            claim = name and self.store.get('persistentvolumeclaims', pod['metadata']['namespace'], name)
            if name and (claim is None or 'deletionTimestamp' in claim['metadata']):
                return None, 'persistentvolumeclaim "%s" %s' % (name, 'is being deleted' if claim else 'not found')
            if name and claim['status'].get('phase') != 'Bound':
                return None, 'pod has unbound immediate PersistentVolumeClaims.'
        reasons = {}
        nodes = [stored.object for stored in self.store.list('nodes')]
        for node in nodes:
            reason = misfit(pod, node)
            if not reason:
                return node['metadata']['name'], ''
            reasons[reason] = reasons.get(reason, 0) + 1
        counted = ['%d node(s) %s' % (count, reason) for reason, count in sorted(reasons.items())]
        if not nodes:
            return None, 'no nodes available to schedule pods'
        return None, '0/%d nodes are available: %s.' % (len(nodes), ', '.join(counted))

    def refuse(self, pod, complaint):
        """Record that no node can run a pod, and why."""
        self.waiting.add((pod['metadata']['namespace'], pod['metadata']['name']))
        values = {'status': 'False', 'reason': 'Unschedulable', 'message': complaint}
        old = pod['status'].get('conditions', ())
        before = next((each for each in old if each['type'] == 'PodScheduled'), {})
        if before.get('message') == complaint:
            return
        self.events.warning(pod, 'FailedScheduling', complaint)
        self.registry.patch_status('pods', pod, {'conditions': [condition('PodScheduled', values, old, timestamp())]})


def misfit(pod, node):
    """Return why a pod cannot run on a node, or '' if it can."""
    labels = node['metadata'].get('labels', {})
    if any(labels.get(key) != value for key, value in pod['spec'].get('nodeSelector', {}).items()):
        return "didn't match Pod's node affinity"
    if node['spec'].get('unschedulable'):
        return 'were unschedulable'
    return ''


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
