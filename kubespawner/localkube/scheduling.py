"""The scheduler, which assigns pods to nodes.

What belongs here: which pods are scheduled, and when. What does not: whether a node can take a pod (node_fit.py),
running pods (kubelet.py). Everything runs on the loop thread of the server.
"""
from collections import Counter, defaultdict

from . import errors, events
from .affinity import labels_of, preference
from .later import OnceLater, later
from .node_fit import ENDED, NodeInfo, Snapshot, claim_message, message, misfit, needs
from .podstate import condition, observed
from .times import timestamp

NAME = 'default-scheduler'


class AssignedPods(object):
    """The pods on each node that have not ended, and the sum of what they request."""

    def __init__(self, store):
        self.pods = defaultdict(dict)  # node -> {(namespace, name): pod}
        self.requested = defaultdict(Counter)  # node -> {resource: amount}
        self._needs = {}  # (namespace, name) -> (node, what the pod requests)
        store.watch('pods', self.on_change)

    def on_change(self, change):
        pod = change.new and change.new.object
        node = pod and pod['status'].get('phase') not in ENDED and pod['spec'].get('nodeName')
        before, counted = self._needs.pop(change.key, (None, None))
        if before:
            self.pods[before].pop(change.key)
        if before and before != node:
            self.requested[before].subtract(counted)
        if node:
            if before != node:
                counted = needs(pod)
                self.requested[node].update(counted)
            self._needs[change.key] = node, counted
            self.pods[node][change.key] = pod


class Scheduler(object):
    """Binds pods that have no node to a node that fits."""

    def __init__(self, registry):
        self.registry = registry
        self.store = registry.store
        self.events = events.EventRecorder(registry, NAME)
        self.waiting = {}  # (namespace, name) of pods that no node can take, in the order in which they came
        self.assigned = AssignedPods(self.store)
        self.schedule_waiting_later = OnceLater(self.schedule_waiting)
        self.store.watch('pods', self.on_pod)
        for resource in ('nodes', 'persistentvolumeclaims', 'namespaces'):
            self.store.watch(resource, lambda change: self.waiting and self.schedule_waiting_later())

    def on_pod(self, change):
        pod = (change.new or change.old).object
        if change.new and not pod['spec'].get('nodeName'):
            later(self.schedule, change.key)
        elif self.waiting and (change.new is None or matters(change.old and change.old.object, pod)):
            self.schedule_waiting_later()

    def schedule_waiting(self):
        for key in sorted(self.waiting, key=self.waiting.get):
            self.schedule(key)

    def schedule(self, key):
        pod = self.store.get('pods', *key)
        if (pod is None or pod['spec'].get('nodeName') or 'deletionTimestamp' in pod['metadata'] or
                pod['spec']['schedulerName'] != NAME):
            self.waiting.pop(key, None)
            return
        node, complaint = self.find_node(pod)
        if complaint:
            self.refuse(key, pod, complaint)
        else:
            self.waiting.pop(key, None)
            self.registry.bind(key[0], key[1], {'target': {'kind': 'Node', 'name': node}})
            self.events.normal(pod, 'Scheduled', 'Successfully assigned %s/%s to %s' % (key[0], key[1], node))

    def find_node(self, pod):
        """Return (name of a node, ''), or (None, the reason) if no node can take the pod."""
        snapshot = self.snapshot()
        complaint = self.claim_complaint(pod)
        if complaint:
            return None, claim_message(pod, complaint, len(snapshot.nodes), snapshot.version)
        misfits = [misfit(pod, info, snapshot) for info in snapshot.nodes]
        fitting = [info.node for info, found in zip(snapshot.nodes, misfits) if not found]
        if not fitting:
            return None, message(pod, misfits, snapshot.version)
        return max(fitting, key=lambda node: preference(pod, node))['metadata']['name'], ''

    def snapshot(self):
        nodes = [stored.object for stored in self.store.list('nodes')]
        return Snapshot([NodeInfo(node, self.assigned.pods[node['metadata']['name']],
                                  self.assigned.requested[node['metadata']['name']]) for node in nodes],
                        self.namespace_labels, self.registry.release)

    def namespace_labels(self, name):
        namespace = self.store.get('namespaces', '', name)
        return labels_of(namespace) if namespace else {}

    def claim_complaint(self, pod):
        """Return what is wrong with the claims of a pod, or ''."""
        for volume in pod['spec'].get('volumes', ()):
            name = volume.get('persistentVolumeClaim', {}).get('claimName')
            claim = name and self.store.get('persistentvolumeclaims', pod['metadata']['namespace'], name)
            if name and (claim is None or 'deletionTimestamp' in claim['metadata']):
                return 'persistentvolumeclaim "%s" %s' % (name, 'is being deleted' if claim else 'not found')
            if name and claim['status'].get('phase') != 'Bound':
                return 'pod has unbound immediate PersistentVolumeClaims.'
        return ''

    def refuse(self, key, pod, complaint):
        """Record that no node can take a pod, and why."""
        order = -(pod['spec'].get('priority') or 0), pod['metadata']['creationTimestamp']
        self.waiting.setdefault(key, order + (len(self.waiting),))
        values = {'status': 'False', 'reason': 'Unschedulable', 'message': complaint}
        old = pod['status'].get('conditions', ())
        before = next((each for each in old if each['type'] == 'PodScheduled'), {})
        if before.get('message') == complaint:
            return
        self.events.warning(pod, 'FailedScheduling', complaint)
        unscheduled = observed(condition('PodScheduled', values, old, timestamp()), pod['metadata'].get('generation'))
        try:
            self.registry.patch_status('pods', pod, {
                'conditions': [each for each in old if each['type'] != 'PodScheduled'] + [unscheduled]})
        except errors.ApiError:
            pass  # the status that the pod has is not valid


def matters(old, pod):
    """Return whether the change of a pod on a node can make room for another one, or company."""
    return old is None or any(get(old) != get(pod) for get in (
        labels_of, lambda each: each['spec'].get('nodeName'), lambda each: each['status'].get('phase') in ENDED))
