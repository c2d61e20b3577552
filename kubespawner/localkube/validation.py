"""Validation of objects and updates, which the API rejects with 422.

What belongs here: the rules of all kinds except for pods (validation_pod.py), and which rules apply to which kind. What
does not: types (decoding.py), conflicts, and whether an object exists (registry.py). Pure; any thread.
"""
import base64
import json

from . import errors, quantities, versions
from .causes import (
    CONFIG_KEY,
    LABEL,
    LABEL_1035,
    SUBDOMAIN,
    Causes,
    is_ip,
    validate_key,
    validate_labels,
)
from .ingresses import validate_ingress, validate_new_ingress
from .quota_usage import validate_quota, validate_quota_update
from .services import validate_service, validate_service_update
from .validation_pod import validate_pod, validate_pod_update
from .validation_rbac import (
    validate_binding,
    validate_binding_update,
    validate_path_name,
    validate_role,
)
from .validation_scheduling import validate_selector

NAME_FORMATS = {'Namespace': LABEL, 'Service': LABEL_1035}
WITH_PATH_NAMES = ('Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding')  # whose names are any part of a path
ANNOTATIONS_LIMIT = 256 * 1024  # bytes
SECRET_LIMIT = 1024 * 1024  # bytes
ACCOUNT_ANNOTATION = 'kubernetes.io/service-account.name'
SECRET_TYPES = {  # type -> (keys, name of their fields in an error, how many of the keys it must have)
    'kubernetes.io/basic-auth': (('username', 'password'), 'data[%%s][%s]', 1),
    'kubernetes.io/dockercfg': (('.dockercfg',), 'data[%s]', 1),
    'kubernetes.io/dockerconfigjson': (('.dockerconfigjson',), 'data[%s]', 1),
    'kubernetes.io/ssh-auth': (('ssh-privatekey',), 'data[%%s][%s]', 1),
    'kubernetes.io/tls': (('tls.crt', 'tls.key'), 'data[%s]', 2),
}


def validate_name(causes, kind, name):
    if not name:
        causes.required('metadata.name', 'name or generateName is required')
    elif kind in WITH_PATH_NAMES:
        validate_path_name(causes, 'metadata.name', name)
    elif kind != 'Event':  # which may have any name
        causes.format('metadata.name', name, NAME_FORMATS.get(kind, SUBDOMAIN))


def validate_metadata(causes, obj):
    metadata = obj['metadata']
    validate_name(causes, obj['kind'], metadata.get('name'))
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
    validate_selector(causes, 'spec.selector', spec.get('selector', {}))
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


def validate_keys(causes, obj):
    """Check the keys of a secret or configmap, which must be valid file names."""
    for field in ('data', 'binaryData'):
        for key in obj.get(field, ()):
            causes.format('%s[%s]' % (field, key), key, CONFIG_KEY)
            if key in ('.', '..'):
                causes.invalid('%s[%s]' % (field, key), key, "must not be '%s'" % key)
    for key in set(obj.get('data', ())) & set(obj.get('binaryData', ())):
        causes.invalid('data[%s]' % key, key, 'duplicate of key present in binaryData')


def validate_secret(causes, secret):
    """Check the keys that the type of a secret requires, and its size."""
    validate_keys(causes, secret)
    data = secret.get('data', {})
    if sum(len(base64.b64decode(value)) for value in data.values()) > SECRET_LIMIT:
        causes.append(('FieldValueTooLong', 'data', 'Too long: must have at most %d bytes' % SECRET_LIMIT))
    needed, field, least = SECRET_TYPES.get(secret['type'], ((), '', 0))
    if sum(key in data for key in needed) < least:
        for key in needed:
            if key not in data:
                causes.required(field % key)
    for key in ('.dockercfg', '.dockerconfigjson'):
        if key in needed and key in data:
            validate_json(causes, field % key, data[key])
    annotations = secret['metadata'].get('annotations', {})
    if secret['type'] == 'kubernetes.io/service-account-token' and not annotations.get(ACCOUNT_ANNOTATION):
        causes.required('metadata.annotations[%s]' % ACCOUNT_ANNOTATION)


def validate_json(causes, field, encoded):
    try:
        json.loads(base64.b64decode(encoded).decode('utf8'))
    except ValueError as e:
        causes.invalid(field, '<secret contents redacted>', str(e))


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
        for kind in ('addresses', 'notReadyAddresses'):
            for j, address in enumerate(subset.get(kind, ())):
                validate_endpoint(causes, '%s.%s[%d]' % (field, kind, j), address)
        for j, port in enumerate(subset.get('ports', ())):
            if port.get('name'):
                causes.format('%s.ports[%d].name' % (field, j), port['name'], LABEL)
            causes.port('%s.ports[%d].port' % (field, j), port.get('port', 0))
            causes.one_of('%s.ports[%d].protocol' % (field, j), port['protocol'], ('SCTP', 'TCP', 'UDP'))


def validate_endpoint(causes, field, address):
    ip = address.get('ip', '')
    if not is_ip(ip):
        causes.invalid(field + '.ip', ip, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')
        causes.invalid(field + '.ip', ip, 'must be a valid IP address')
    elif ip.startswith('127.') and 'targetRef' not in address:  # pods of localkube have such addresses
        causes.invalid(field + '.ip', ip, 'may not be in the loopback range (127.0.0.0/8)')
    if address.get('hostname'):
        causes.format(field + '.hostname', address['hostname'], LABEL)
    if 'nodeName' in address:
        causes.format(field + '.nodeName', address['nodeName'], SUBDOMAIN)


def validate_balancer(causes, obj):
    """Check where a load balancer says that it is."""
    for i, ingress in enumerate(obj.get('status', {}).get('loadBalancer', {}).get('ingress', ())):
        if ingress.get('ip') and not is_ip(ingress['ip']):
            causes.invalid('status.loadBalancer.ingress[%d].ip' % i, ingress['ip'], 'must be a valid IP address')


RULES = {'Pod': validate_pod, 'PersistentVolumeClaim': validate_claim, 'Service': validate_service,
         'Secret': validate_secret, 'ConfigMap': validate_keys, 'Event': validate_event,
         'Endpoints': validate_endpoints, 'Ingress': validate_ingress, 'Role': validate_role,
         'ClusterRole': validate_role, 'RoleBinding': validate_binding, 'ClusterRoleBinding': validate_binding,
         'ResourceQuota': validate_quota}
CREATE_RULES = {'Ingress': validate_new_ingress}
GROUPS = dict(dict.fromkeys(WITH_PATH_NAMES, 'rbac.authorization.k8s.io'), Ingress='extensions')  # groups in a 422
UPDATE_RULES = {'Pod': validate_pod_update, 'PersistentVolumeClaim': validate_claim_update,
                'Service': validate_service_update, 'Secret': validate_keys_update,
                'ConfigMap': validate_keys_update, 'RoleBinding': validate_binding_update,
                'ClusterRoleBinding': validate_binding_update, 'ResourceQuota': validate_quota_update}


def no_rules(causes, *objects):
    pass


def validate(row, obj):
    """Raise ApiError 422 for an invalid new object. The object must have its defaults, see defaults.py.

    row (Resource): the version in which the client names fields.
    """
    causes = Causes()
    validate_metadata(causes, obj)
    RULES.get(obj['kind'], no_rules)(causes, obj)
    CREATE_RULES.get(obj['kind'], no_rules)(causes, obj)
    refuse(row, causes, obj)


def validate_update(row, new, old):
    """Raise ApiError 422 for an update that changes an immutable field."""
    causes = Causes()
    validate_metadata(causes, new)
    if old['metadata'].get('deletionTimestamp'):
        added = set(new['metadata'].get('finalizers', ())) - set(old['metadata'].get('finalizers', ()))
        if added:
            causes.forbidden('metadata.finalizers', 'no new finalizers can be added if the object is being deleted, '
                             'found new finalizers []string{%s}' % ', '.join('"%s"' % each for each in sorted(added)))
    if new['kind'] == 'Service':  # whose labels the API server checks twice
        validate_labels(causes, 'metadata.labels', new['metadata'].get('labels', {}))
        validate_balancer(causes, new)
    RULES.get(new['kind'], no_rules)(causes, new)
    if new['kind'] == 'PersistentVolumeClaim':  # all of which it checks twice
        causes += list(causes)
    UPDATE_RULES.get(new['kind'], no_rules)(causes, new, old)
    refuse(row, causes, new)


def qualified_kind(kind):
    """Return a kind with its group, as in messages."""
    return '%s.%s' % (kind, GROUPS[kind]) if kind in GROUPS else kind


def refuse(row, causes, obj):
    if causes:
        causes = versions.rename_fields(row, causes)
        raise errors.invalid(obj['kind'], obj['metadata'].get('name', ''), causes, GROUPS.get(obj['kind'], ''))
