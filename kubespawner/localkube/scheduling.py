"""The scheduler, which assigns pods to nodes.

What belongs here: which pods are scheduled, and when. What does not: running them (kubelet.py). Everything runs on the
loop thread of the server.
"""
from . import events
from .later import later
from .podstate import condition
from .times import timestamp


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
