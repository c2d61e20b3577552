"""What a pod can be told about itself, in environment variables and in files (the downward API).

What belongs here: the fields and resources of a pod as text. What does not: where the text goes (environment.py,
projections.py). Pure, except for the size of this machine; any thread.
"""
import json
import os
import re

from . import quantities

ENTRY = re.compile(r"metadata\.(labels|annotations)\['(.*)'\]$")


class UnknownContainer(Exception):
    """A resource of a container that the pod does not have. The message names it."""


def field(pod, path, address='', host=''):
    """Return a field of a pod. Raise KeyError for a path that no pod has.

    path (str): such as metadata.name or metadata.labels['app']. address, host (str): of the pod and its node.
    """
    metadata, spec = pod['metadata'], pod['spec']
    entry = ENTRY.match(path)
    if entry:
        return metadata.get(entry.group(1), {}).get(entry.group(2), '')
    if path in ('metadata.labels', 'metadata.annotations'):
        return pairs(metadata.get(path.partition('.')[2], {}))
    return {'metadata.name': metadata['name'], 'metadata.namespace': metadata['namespace'],
            'metadata.uid': metadata['uid'], 'spec.nodeName': spec.get('nodeName', ''),
            'spec.serviceAccountName': spec.get('serviceAccountName', ''), 'status.hostIP': host,
            'status.hostIPs': host, 'status.podIP': address, 'status.podIPs': address}[path]


def pairs(values):
    """Return labels or annotations as lines of NAME="VALUE"."""
    return '\n'.join('%s=%s' % (name, json.dumps(value, ensure_ascii=False)) for name, value in sorted(values.items()))


def resource(pod, container, reference, allocatable):
    """Return a limit or request, divided by `divisor` and rounded up.

    container (dict or None): the one that is meant if `reference` names none. allocatable (dict): what the node has,
    which is the limit of a container without one. Raise UnknownContainer.
    """
    kind, _, name = reference['resource'].partition('.')
    wanted = reference.get('containerName')
    if wanted:
        containers = pod['spec'].get('initContainers', []) + pod['spec']['containers']
        container = next((each for each in containers if each['name'] == wanted), None)
    if container is None:
        raise UnknownContainer('unable to find container "%s"' % (wanted or ''))
    quantity = container.get('resources', {}).get(kind, {}).get(name)
    if quantity is None:
        quantity = allocatable.get(name, '0') if kind == 'limits' else '0'
    divisor = quantities.parse(reference.get('divisor', '0')) or 1
    return str(-(-quantities.parse(quantity) // divisor))


def allocatable_of(store, pod):
    """Return {resource: quantity} of the node of a pod."""
    node = store.get('nodes', '', pod['spec'].get('nodeName', '')) or {}
    return node.get('status', {}).get('allocatable', {'cpu': str(os.cpu_count())})
