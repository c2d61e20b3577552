"""Validation of objects and updates, which the API rejects with 422.

What belongs here: the rules of all kinds except for pods (validation_pod.py), and which rules apply to which kind. What
does not: types (decoding.py), conflicts, and whether an object exists (registry.py). Pure; any thread.
"""
from . import errors, quantities
from .causes import (
    CONFIG_KEY,
    LABEL,
    LABEL_1035,
    SUBDOMAIN,
    Causes,
    is_address,
    quoted,
    validate_key,
    validate_labels,
    validate_port_name,
)
from .validation_pod import validate_pod, validate_pod_update

NAME_FORMATS = {'Namespace': LABEL, 'Service': LABEL_1035}
ANNOTATIONS_LIMIT = 256 * 1024  # bytes


def validate_metadata(causes, obj):
    metadata = obj['metadata']
    name_format = NAME_FORMATS.get(obj['kind'], SUBDOMAIN)
    if not metadata.get('name'):
        causes.required('metadata.name', 'name or generateName is required')
    else:
        causes.format('metadata.name', metadata['name'], name_format)
    validate_labels(causes, 'metadata.labels', metadata.get('labels', {}))
    for key in metadata.get('annotations', ()):
        validate_key(causes, 'metadata.annotations', key.lower())
    size = sum(len(key.encode('utf8', 'surrogatepass')) + len(value.encode('utf8', 'surrogatepass'))
               for key, value in metadata.get('annotations', {}).items())
    if size > ANNOTATIONS_LIMIT:
        causes.append(('FieldValueTooLong', 'metadata.annotations', 'Too long: must have at most %d bytes'
                       % ANNOTATIONS_LIMIT))
    for i, finalizer in enumerate(metadata.get('finalizers', ())):
        if '/' not in finalizer and finalizer not in ('orphan', 'foregroundDeletion', 'kubernetes'):
            causes.invalid('metadata.finalizers[%d]' % i, finalizer,
                           'name is neither a standard finalizer name nor is it fully qualified')
    for owner in metadata.get('ownerReferences', ()):
        for field, what in (('apiVersion', 'version'), ('kind', 'kind'), ('name', 'name'), ('uid', 'uid')):
            if not owner.get(field):
                causes.invalid('metadata.ownerReferences.' + field, '', what + ' must not be empty')


def validate_claim(causes, claim):
    spec = claim['spec']
    if not spec.get('accessModes'):
        causes.required('spec.accessModes', 'at least 1 access mode is required')
    for mode in spec.get('accessModes', ()):
        causes.one_of('spec.accessModes', mode, ('ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce'))
    storage = spec.get('resources', {}).get('requests', {}).get('storage')
    if storage is None:
        causes.required('spec.resources[storage]')
    elif quantities.parse(storage) <= 0:
        causes.invalid('spec.resources[storage]', storage, 'must be greater than zero')
    if spec.get('storageClassName'):
        causes.format('spec.storageClassName', spec['storageClassName'], SUBDOMAIN)
    causes.one_of('spec.volumeMode', spec['volumeMode'], ('Block', 'Filesystem'))


def validate_claim_update(causes, new, old):
    """Check an update of a claim. Its volumeName can be set once, and a bound claim can request more storage."""
    bound = old.get('status', {}).get('phase') == 'Bound'
    free = {'volumeName'} if not old['spec'].get('volumeName') else set()
    free |= {'resources'} if bound else set()
    if any(new['spec'].get(key) != old['spec'].get(key) for key in (set(new['spec']) | set(old['spec'])) - free):
        causes.forbidden('spec', 'spec is immutable after creation except resources.requests for bound claims')
    sizes = [claim['spec'].get('resources', {}).get('requests', {}).get('storage', '0') for claim in (new, old)]
    if quantities.parse(sizes[0]) < quantities.parse(sizes[1]):
        causes.forbidden('spec.resources.requests.storage', 'field can not be less than previous value')


def validate_service(causes, service):
    spec = service['spec']
    ports = spec.get('ports', ())
    if not ports and spec['type'] != 'ExternalName' and spec.get('clusterIP') != 'None':
        causes.required('spec.ports')
    if spec['type'] == 'ExternalName' and not spec.get('externalName'):
        causes.required('spec.externalName')
    validate_labels(causes, 'spec.selector', spec.get('selector', {}))
    names, numbers = set(), set()
    for i, port in enumerate(ports):
        validate_service_port(causes, 'spec.ports[%d]' % i, port, len(ports) > 1, names)
        if (port.get('port'), port.get('protocol')) in numbers:
            causes.duplicate('spec.ports[%d]' % i, '%s/%s' % (port.get('port'), port.get('protocol')))
        numbers.add((port.get('port'), port.get('protocol')))
    causes.one_of('spec.sessionAffinity', spec['sessionAffinity'], ('ClientIP', 'None'))
    causes.one_of('spec.type', spec['type'], ('ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'))
    if spec.get('clusterIP', 'None') != 'None' and not is_address(spec['clusterIP']):
        causes.invalid('spec.clusterIPs[0]', spec['clusterIP'],
                       'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')


def validate_service_port(causes, field, port, named, names):
    name = port.get('name')
    if not name and named:
        causes.required(field + '.name')
    if name:
        causes.format(field + '.name', name, LABEL)
        if name in names:
            causes.duplicate(field + '.name', name)
        names.add(name)
    causes.port(field + '.port', port.get('port', 0))
    causes.one_of(field + '.protocol', port['protocol'], ('SCTP', 'TCP', 'UDP'))
    target = port.get('targetPort', 0)
    if isinstance(target, str):
        validate_port_name(causes, field + '.targetPort', target)
    else:
        causes.port(field + '.targetPort', target)


def validate_service_update(causes, new, old):
    before, after = old['spec'].get('clusterIP'), new['spec'].get('clusterIP')
    if before and before != after and new['spec']['type'] != 'ExternalName':
        causes.append(('FieldValueInvalid', 'spec.clusterIPs[0]',
                       'Invalid value: []string{%s}: may not change once set' % quoted(after)))


def validate_keys(causes, obj):
    """Check the keys of a secret or configmap, which must be valid file names."""
    for field in ('data', 'binaryData'):
        for key in obj.get(field, ()):
            causes.format('%s[%s]' % (field, key), key, CONFIG_KEY)
    for key in set(obj.get('data', ())) & set(obj.get('binaryData', ())):
        causes.invalid('data[%s]' % key, key, 'duplicate of key present in binaryData')


def validate_keys_update(causes, new, old):
    causes.immutable('type', new.get('type'), old.get('type'))
    if old.get('immutable'):
        for field in ('immutable', 'data', 'binaryData'):
            if new.get(field) != old.get(field):
                causes.forbidden(field, 'field is immutable when `immutable` is set')


def validate_event(causes, event):
    involved = event.get('involvedObject', {}).get('namespace', '')
    if (involved or 'default') != event['metadata'].get('namespace'):
        causes.invalid('involvedObject.namespace', involved, 'does not match event.namespace')


def validate_endpoints(causes, endpoints):
    for i, subset in enumerate(endpoints.get('subsets', ())):
        field = 'subsets[%d]' % i
        if not subset.get('addresses') and not subset.get('notReadyAddresses'):
            causes.required(field, 'must specify `addresses` or `notReadyAddresses`')
        for j, address in enumerate(subset.get('addresses', ())):
            ip = address.get('ip', '')
            if not is_address(ip):
                causes.invalid('%s.addresses[%d].ip' % (field, j), ip, 'must be a valid IP address')
            elif ip.startswith('127.'):
                causes.invalid('%s.addresses[%d].ip' % (field, j), ip,
                               'may not be in the loopback range (127.0.0.0/8)')
        for j, port in enumerate(subset.get('ports', ())):
            causes.port('%s.ports[%d].port' % (field, j), port.get('port', 0))


RULES = {'Pod': validate_pod, 'PersistentVolumeClaim': validate_claim, 'Service': validate_service,
         'Secret': validate_keys, 'ConfigMap': validate_keys, 'Event': validate_event,
         'Endpoints': validate_endpoints}
UPDATE_RULES = {'Pod': validate_pod_update, 'PersistentVolumeClaim': validate_claim_update,
                'Service': validate_service_update, 'Secret': validate_keys_update,
                'ConfigMap': validate_keys_update}


def validate(obj):
    """Raise ApiError 422 for an invalid object. The object must have its defaults, see defaults.py."""
    causes = Causes()
    validate_metadata(causes, obj)
    RULES.get(obj['kind'], lambda causes, obj: None)(causes, obj)
    refuse(causes, obj)


def validate_update(new, old):
    """Raise ApiError 422 for an update that changes an immutable field."""
    causes = Causes()
    validate_metadata(causes, new)
    if old['metadata'].get('deletionTimestamp'):
        added = set(new['metadata'].get('finalizers', ())) - set(old['metadata'].get('finalizers', ()))
        if added:
            causes.forbidden('metadata.finalizers', 'no new finalizers can be added if the object is being deleted, '
                             'found new finalizers []string{%s}' % ', '.join('"%s"' % each for each in sorted(added)))
    RULES.get(new['kind'], lambda causes, obj: None)(causes, new)
    UPDATE_RULES.get(new['kind'], lambda causes, new, old: None)(causes, new, old)
    refuse(causes, new)


def refuse(causes, obj):
    if causes:
        raise errors.invalid(obj['kind'], obj['metadata'].get('name', ''), causes)
