"""Which fields of an object a client may set, and which are the server's.

What belongs here: what a create and an update take from the request, and when a deletion is complete. What does not:
the verbs (registry.py), defaults (defaults.py). Pure, except for times and random names; any thread.
"""
import random
import uuid

from . import errors
from .resources import STORED
from .times import timestamp

SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789'
KEPT_METADATA = ('uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds',
                 'namespace', 'name', 'selfLink', 'generation')
ORPHAN, FOREGROUND = 'orphan', 'foregroundDeletion'  # finalizers, see garbage.py
PROPAGATION = {'Orphan': {ORPHAN}, 'Foreground': {FOREGROUND}, 'Background': set()}
WITH_GENERATION = ('Ingress',)
STORED_VERSIONS = {row.kind: row.api_version for row in STORED}


def identify(obj, row, namespace):
    """Set the kind, name, uid, times and namespace of a new object."""
    obj.update(kind=row.kind, apiVersion=STORED_VERSIONS.get(row.kind, 'v1'))
    metadata = obj.setdefault('metadata', {})
    if metadata.get('resourceVersion'):
        raise errors.ApiError(500, None, 'resourceVersion should not be set on objects to be created')
    if metadata.get('namespace', namespace) != namespace:
        raise errors.other_namespace()
    if not metadata.get('name') and metadata.get('generateName'):
        metadata['name'] = metadata['generateName'][:58] + ''.join(random.choice(SUFFIX_LETTERS) for _ in range(5))
    for field in ('selfLink', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'managedFields', 'generation'):
        metadata.pop(field, None)
    metadata.update(uid=str(uuid.uuid4()), creationTimestamp=timestamp())
    if row.namespaced:
        metadata['namespace'] = namespace
    if row.kind in WITH_GENERATION:
        metadata['generation'] = 1


def keep(row, old, new, subresource):
    """Copy the fields from `old` that this update cannot change."""
    new.update(kind=old['kind'], apiVersion=old['apiVersion'])
    owners = new['metadata'].get('managedFields', [])
    for field in KEPT_METADATA:
        new['metadata'].pop(field, None)
        if field in old['metadata']:
            new['metadata'][field] = old['metadata'][field]
    if subresource == 'status':
        for field in set(old) - {'status', 'metadata'}:
            new[field] = old[field]
        mirror_pod_address(new.get('status', {}))
    elif subresource == 'finalize':
        new['metadata'], new['status'] = dict(old['metadata'], managedFields=owners), old['status']
    else:
        if 'status' in row.subresources:
            new.pop('status', None)
            if 'status' in old:
                new['status'] = old['status']
        if row.name == 'namespaces':
            new['spec'] = old['spec']
    if 'generation' in new['metadata'] and new.get('spec') != old.get('spec'):
        new['metadata']['generation'] += 1


def is_released(resource, obj):
    if resource == 'namespaces':
        return not obj['spec'].get('finalizers') and not obj['metadata'].get('finalizers')
    return not obj['metadata'].get('finalizers') and not obj['metadata'].get('deletionGracePeriodSeconds')


def set_propagation(metadata, options):
    """Set the finalizer that the propagation policy of a deletion needs. Without a policy, leave the finalizers."""
    policy = options.get('propagationPolicy') or {True: 'Orphan', False: 'Background'}.get(
        options.get('orphanDependents'))
    if policy in PROPAGATION:
        others = [each for each in metadata.get('finalizers', ()) if each not in (ORPHAN, FOREGROUND)]
        metadata['finalizers'] = others + sorted(PROPAGATION[policy])
        if not metadata['finalizers']:
            metadata.pop('finalizers')


def grace_period(resource, obj, asked):
    """Return the grace period of a deletion in seconds. It is 0 except for pods that may run on a node."""
    if resource != 'pods' or not obj['spec'].get('nodeName') or obj['status'].get('phase') in ('Succeeded',
                                                                                             'Failed'):
        return 0
    if asked is None:
        asked = obj['spec']['terminationGracePeriodSeconds']
    return max(asked, 0)


def check_identity(metadata, namespace, name):
    """Reject an object whose name or namespace differs from that in the request."""
    if not metadata.get('name'):
        raise errors.bad_request('the name of the object (%s based on URL) was undeterminable: name must be provided'
                                 % name)
    if metadata['name'] != name:
        raise errors.bad_request('the name of the object (%s) does not match the name on the URL (%s)'
                                 % (metadata['name'], name))
    if metadata.get('namespace', namespace) != namespace:
        raise errors.bad_request('the namespace of the object (%s) does not match the namespace on the request (%s)'
                                 % (metadata['namespace'], namespace))


def mirror_pod_address(status):
    """Keep podIPs and podIP consistent."""
    if status.get('podIP'):
        status['podIPs'] = [{'ip': status['podIP']}] + status.get('podIPs', [])[1:]
