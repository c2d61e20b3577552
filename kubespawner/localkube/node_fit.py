"""Whether a node can take a pod, and the words of the scheduler if none can.

What belongs here: the filters of the scheduler in their order, and its messages. What does not: when to schedule
(scheduling.py). Pure; any thread. There is no preemption.
"""
from collections import Counter, namedtuple

from . import pod_affinity, pod_resources, quantities
from .affinity import allows_node, labels_of, selects_labels, tolerates

Misfit = namedtuple('Misfit', 'reasons is_final')
Misfit.__doc__ += """: why a node cannot take a pod.

reasons (list of str): in the words of the scheduler.
is_final (bool): whether it would not help if other pods were gone.
"""

ENDED = ('Succeeded', 'Failed')
NO_NODES = 'no nodes available to schedule pods'
AVAILABLE = '0/%d nodes are available: %s.'
NO_VICTIMS = 'No preemption victims found for incoming pod'
NOT_HELPFUL = 'Preemption is not helpful for scheduling'
NO_PREEMPTION = 'not eligible due to preemptionPolicy=Never.'
UNSCHEDULABLE_TAINT = {'key': 'node.kubernetes.io/unschedulable', 'effect': 'NoSchedule'}


class NodeInfo(object):
    """A node and the pods on it that have not ended.

    node (dict): the object.
    pods (dict): (namespace, name) -> pod.
    requested (Counter): name of a resource -> amount, see `needs`.
    """

    def __init__(self, node, pods, requested):
        self.node = node
        self.pods = pods
        self.requested = requested


class Snapshot(object):
    """All nodes, as [NodeInfo], and `namespace_labels(name)`, a function."""

    def __init__(self, nodes, namespace_labels, version):
        self.nodes = nodes
        self.namespace_labels = namespace_labels
        self.version = version


def needs(pod):
    """Return {resource: int} of what a pod requests: thousandths of a CPU, or units of anything else."""
    return {name: units(name, value) for name, value in pod_resources.total(pod, 'requests').items()}


def units(name, quantity):
    return -int(-quantities.parse(quantity) * (1000 if name == 'cpu' else 1) // 1)


def misfit(pod, info, snapshot):
    """Return the Misfit of a pod and a node, or None if the node can take the pod."""
    for find, is_final in FILTERS:
        reasons = find(pod, info, snapshot)
        if reasons:
            return Misfit(reasons, is_final(pod, info, snapshot) if callable(is_final) else is_final)
    return None


# Filters. Each returns the reasons against a node.

def cordoned(pod, info, snapshot):
    if info.node['spec'].get('unschedulable') and not tolerates(pod, UNSCHEDULABLE_TAINT):
        return ['node(s) were unschedulable']


def tainted(pod, info, snapshot):
    for taint in info.node['spec'].get('taints', ()):
        if taint.get('effect') in ('NoSchedule', 'NoExecute') and not tolerates(pod, taint):
            text = '{%s: %s}' % (taint.get('key', ''), taint.get('value', ''))
            if snapshot.version < (1, 22):
                return ["node(s) had taint %s, that the pod didn't tolerate" % text]
            return ['node(s) had untolerated taint ' + text]


def unselected(pod, info, snapshot):
    if not allows_node(pod, info.node):
        return ["node(s) didn't match Pod's node affinity" + ('/selector' if snapshot.version >= (1, 22) else '')]


def ports_taken(pod, info, snapshot):
    used = [port for other in info.pods.values() for port in host_ports(other)]
    if any(collide(port, other) for port in host_ports(pod) for other in used):
        return ["node(s) didn't have free ports for the requested pod ports"]


def host_ports(pod):
    """Return [(address, protocol, port)] of the node that a pod uses."""
    return [(port.get('hostIP') or '0.0.0.0', port.get('protocol', 'TCP'), port['hostPort'])
            for container in pod['spec'].get('containers', ()) for port in container.get('ports', ())
            if port.get('hostPort')]


def collide(one, other):
    return one[1:] == other[1:] and (one[0] == other[0] or '0.0.0.0' in (one[0], other[0]))


def lacking(pod, info, snapshot):
    allocatable = capacity(info.node)
    found = ['Too many pods'] if len(info.pods) + 1 > allocatable.get('pods', 0) else []
    return found + ['Insufficient ' + name for name, amount in sorted(needs(pod).items(), key=resource_order)
                    if amount > 0 and info.requested[name] + amount > allocatable.get(name, 0)]


def larger_than_node(pod, info, snapshot):
    """Return whether the node could not take the pod if it were empty. Before 1.32 the scheduler does not look."""
    allocatable = capacity(info.node)
    return snapshot.version >= (1, 32) and any(amount > allocatable.get(name, 0) for name, amount in needs(pod).items())


def capacity(node):
    """Return {resource: int} of what a node has for pods."""
    return {name: units(name, value) for name, value in node.get('status', {}).get('allocatable', {}).items()}


def resource_order(item):
    standard = ('cpu', 'memory', 'ephemeral-storage')
    return standard.index(item[0]) if item[0] in standard else len(standard), item[0]


def unevenly_spread(pod, info, snapshot):
    labels, reason = labels_of(info.node), "node(s) didn't match pod topology spread constraints"
    for constraint in pod['spec'].get('topologySpreadConstraints', ()):
        key = constraint.get('topologyKey')
        if constraint.get('whenUnsatisfiable', 'DoNotSchedule') != 'DoNotSchedule':
            continue
        if key not in labels:
            return [reason + ' (missing required label)']
        if skew(pod, constraint, labels[key], snapshot) > constraint.get('maxSkew', 1):
            return [reason]


def skew(pod, constraint, domain, snapshot):
    """Return by how many matching pods a domain would exceed the emptiest one that the pod may go to."""
    key, selector, counts = constraint['topologyKey'], constraint.get('labelSelector'), Counter()
    for info in snapshot.nodes:
        if key in labels_of(info.node) and allows_node(pod, info.node):
            counts[labels_of(info.node)[key]] += sum(
                other['metadata']['namespace'] == pod['metadata']['namespace'] and
                'deletionTimestamp' not in other['metadata'] and selects_labels(selector, labels_of(other))
                for other in info.pods.values())
    fewest = 0 if len(counts) < constraint.get('minDomains', 1) else min(counts.values())
    return counts[domain] + selects_labels(selector, labels_of(pod)) - fewest


def bad_company(pod, info, snapshot):
    reason = pod_affinity.complaint(pod, info, snapshot)
    if reason and snapshot.version < (1, 22):
        return ["node(s) didn't match pod affinity/anti-affinity", reason]
    return [reason] if reason else []


def is_lonely(pod, info, snapshot):
    return pod_affinity.AFFINITY in bad_company(pod, info, snapshot)


FILTERS = [  # (filter, whether its reason is final)
    (cordoned, True), (tainted, True), (unselected, True), (ports_taken, False), (lacking, larger_than_node),
    (unevenly_spread, lambda pod, info, snapshot: 'missing' in unevenly_spread(pod, info, snapshot)[0]),
    (bad_company, is_lonely)]


# Messages

def message(pod, misfits, version):
    """Return why no node can take a pod. misfits (list): the Misfit of each node."""
    if not misfits:
        return NO_NODES
    text = AVAILABLE % (len(misfits), histogram(reason for each in misfits for reason in each.reasons))
    return text + preemption(pod, [NOT_HELPFUL if each.is_final else NO_VICTIMS for each in misfits], version)


def claim_message(pod, complaint, nodes, version):
    """Return why no node can take a pod, if that is about a claim. nodes (int): how many there are."""
    if version < (1, 22) or not nodes:
        return complaint if version < (1, 22) else NO_NODES
    text = complaint.rstrip('.') if version >= (1, 26) else '%d %s' % (nodes, complaint.rstrip('.'))
    return AVAILABLE % (nodes, text) + preemption(pod, [NOT_HELPFUL] * nodes, version)


def preemption(pod, outcomes, version):
    """Return what the scheduler says about preemption since 1.24. outcomes (list of str): one for each node."""
    if version < (1, 24):
        return ''
    if pod['spec'].get('preemptionPolicy') == 'Never':
        return ' preemption: ' + NO_PREEMPTION
    return ' preemption: ' + AVAILABLE % (len(outcomes), histogram(outcomes))


def histogram(reasons):
    return ', '.join(sorted('%d %s' % (count, reason) for reason, count in Counter(reasons).items()))
