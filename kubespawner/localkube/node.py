"""The node: the object with which it registers, and which pods it rejects.

What belongs here: its labels, taints and resources, and how they are written in options. What does not: pods
(kubelet.py), scheduling (node_fit.py). Runs on the loop thread of the server, because it looks at this machine.
"""
import os
import platform
import shutil
from collections import Counter

from . import node_fit, quantities
from .environment import memory_of_machine
from .releases import version_info
from .times import timestamp

NODE = 'localkube'
LOCK_PORT = 10250  # UDP port at the node's address; the process that binds it owns the node's range of addresses
PODS = 110  # as many as on other nodes, unless the options say more
EFFECTS = ('NoSchedule', 'PreferNoSchedule', 'NoExecute')
HEALTHY = [
    ('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
    ('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
    ('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
    ('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status')]


# Options

def labels(given):
    """Return {name: value} from the same, or from text such as 'zone=a,disk=fast'. Raise ValueError."""
    if not isinstance(given, str):
        return {str(name): str(value) for name, value in (given or {}).items()}
    found = {}
    for pair in filter(None, given.split(',')):
        name, equals, value = pair.partition('=')
        if not name or not equals:
            raise ValueError('%r must be NAME=VALUE' % pair)
        found[name] = value
    return found


def allocatable(given):
    """Return {resource: quantity} from the same, or from text such as 'cpu=4,memory=8Gi'. Raise ValueError."""
    found = labels(given)
    for quantity in found.values():
        quantities.parse(quantity)
    return found


def taints(given):
    """Return a list of taints from text such as 'gpu=yes:NoSchedule,old:NoExecute', or from a list of such texts.

    Raise ValueError.
    """
    words = given.split(',') if isinstance(given, str) else list(given or ())
    return [word if isinstance(word, dict) else taint(word) for word in words if word]


def taint(text):
    """Return {key, value, effect} from 'KEY=VALUE:EFFECT' or 'KEY:EFFECT'."""
    pair, _, effect = text.rpartition(':')
    key, equals, value = pair.partition('=')
    if not key or effect not in EFFECTS:
        raise ValueError('%r must be KEY=VALUE:EFFECT, with one of the effects %s' % (text, ', '.join(EFFECTS)))
    return dict({'key': key, 'effect': effect}, **({'value': value} if equals else {}))


def option_text(value):
    """Return labels, resources or taints as text for the command line."""
    if isinstance(value, dict):
        return ','.join('%s=%s' % pair for pair in value.items())
    return value if isinstance(value, str) else ','.join(value)


# The object

def node_object(address, data, release, node_labels=None, node_taints=None, node_allocatable=None):
    """Return the object with which the node registers. Raise ValueError for options that cannot be read.

    address (str): of the node. data (str): a directory on the disk whose size is the node's ephemeral storage.
    release (tuple): of Kubernetes, as whose kubelet the node answers.
    """
    version = version_info(release)['gitVersion']
    machine = {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(platform.machine(), platform.machine())
    own_labels = {'kubernetes.io/hostname': NODE, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': machine,
                  'beta.kubernetes.io/os': 'linux', 'beta.kubernetes.io/arch': machine}
    capacity = {'cpu': str(os.cpu_count()), 'memory': '%dKi' % (memory_of_machine() // 1024), 'pods': str(PODS),
                'ephemeral-storage': '%dKi' % (shutil.disk_usage(data).total // 1024)}
    capacity.update(allocatable(node_allocatable))
    tainted = taints(node_taints)
    return {
        'metadata': {'name': NODE, 'labels': dict(own_labels, **labels(node_labels))},
        'spec': {'taints': tainted} if tainted else {},
        'status': {
            'capacity': capacity, 'allocatable': dict(capacity),
            'addresses': [{'type': 'InternalIP', 'address': address}, {'type': 'Hostname', 'address': NODE}],
            'conditions': [{'type': kind, 'status': status, 'reason': reason, 'message': message,
                            'lastHeartbeatTime': timestamp(), 'lastTransitionTime': timestamp()}
                           for kind, status, reason, message in HEALTHY],
            'daemonEndpoints': {'kubeletEndpoint': {'Port': LOCK_PORT}},
            'nodeInfo': {'architecture': machine, 'operatingSystem': 'linux', 'kernelVersion': platform.release(),
                         'osImage': 'this machine', 'containerRuntimeVersion': 'localkube://1',
                         'kubeletVersion': version, 'kubeProxyVersion': version,
                         'machineID': '', 'systemUUID': '', 'bootID': ''}}}


# Admission

def rejection(pod, node, pods, version):
    """Return (reason, message) with which the node rejects a pod that no scheduler has checked, or None.

    node (dict): the object. pods (list): [(pod, what it needs)] that run here, see `node_fit.needs`.
    """
    requested = Counter()
    for _, amounts in pods:
        requested.update(amounts)
    info = node_fit.NodeInfo(node, {index: other for index, (other, _) in enumerate(pods)}, requested)
    snapshot = node_fit.Snapshot([info], lambda name: {}, version)
    found = shortage(pod, info) or failed_predicate(pod, info, snapshot)
    if found:
        reason, message = found
        return reason, ('Pod was rejected: ' if version >= (1, 28) else 'Pod ') + message


def shortage(pod, info):
    has = node_fit.capacity(info.node)
    wanted = dict(node_fit.needs(pod), pods=1)
    used = dict(info.requested, pods=len(info.pods))
    for name, amount in sorted(wanted.items(), key=lambda item: (item[0] != 'pods', node_fit.resource_order(item))):
        if amount > 0 and used.get(name, 0) + amount > has.get(name, 0):
            return 'OutOf' + name, "Node didn't have enough resource: %s, requested: %d, used: %d, capacity: %d" % (
                name, amount, used.get(name, 0), has.get(name, 0))


def failed_predicate(pod, info, snapshot):
    for name, find in (('NodeAffinity', node_fit.unselected), ('NodePorts', node_fit.ports_taken)):
        if find(pod, info, snapshot):
            return name, 'Predicate %s failed' % name
