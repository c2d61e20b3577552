"""What the API refuses with 422, for all kinds but the pod (validation_pod.py): names, labels, and a few rules each.

What belongs here: rules on one object, and on an object before and after an update. What does not: types
(decoding.py), conflicts and whether something exists (registry.py). Pure; any thread.
"""
import json
import re

from . import quantities

LABEL = ("a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
         "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
         "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')")
SUBDOMAIN = ("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
             "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
             "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')")
LABEL_1035 = ("a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
              "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
              "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')")
KEY_NAME = ("name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
            "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
            "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')")
LABEL_VALUE = ("a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
               "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
               "for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')")
CONFIG_KEY = ("a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
              "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')")
FORMATS = {  # complaint -> (pattern, longest)
    LABEL: (re.compile(r'[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z'), 63),
    SUBDOMAIN: (re.compile(r'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z'), 253),
    LABEL_1035: (re.compile(r'[a-z]([-a-z0-9]*[a-z0-9])?\Z'), 63),
    KEY_NAME: (re.compile(r'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\Z'), 63),
    LABEL_VALUE: (re.compile(r'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?\Z'), 63),
    CONFIG_KEY: (re.compile(r'[-._a-zA-Z0-9]+\Z'), 253),
}
NAME_FORMATS = {'Namespace': LABEL, 'Service': LABEL_1035}
ANNOTATIONS_LIMIT = 256 * 1024


class Causes(list):
    """What is wrong with an object: [(reason, field, message)], as `errors.invalid` takes them."""

    def required(self, field, why=''):
        self.append(('FieldValueRequired', field, 'Required value' + (': ' + why if why else '')))

    def invalid(self, field, value, why):
        self.append(('FieldValueInvalid', field, 'Invalid value: %s: %s' % (quoted(value), why)))

    def duplicate(self, field, value):
        self.append(('FieldValueDuplicate', field, 'Duplicate value: ' + quoted(value)))

    def forbidden(self, field, why):
        self.append(('FieldValueForbidden', field, 'Forbidden: ' + why))

    def not_found(self, field, value):
        self.append(('FieldValueNotFound', field, 'Not found: ' + quoted(value)))

    def one_of(self, field, value, supported):
        if value not in supported:
            self.append(('FieldValueNotSupported', field, 'Unsupported value: %s: supported values: %s'
                         % (quoted(value), ', '.join(quoted(each) for each in supported))))

    def format(self, field, value, expected):
        """Demand that `value` matches one of FORMATS."""
        pattern, longest = FORMATS[expected]
        if len(value) > longest:
            self.invalid(field, value, 'must be no more than %d characters' % longest)
        if not pattern.match(value):
            self.invalid(field, value, expected)

    def port(self, field, value):
        if not isinstance(value, int) or not 1 <= value <= 65535:
            self.invalid(field, value, 'must be between 1 and 65535, inclusive')

    def immutable(self, field, new, old):
        if new != old:
            self.invalid(field, new, 'field is immutable')


def quoted(value):
    return json.dumps(value, ensure_ascii=False)


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


def validate_labels(causes, field, labels):
    for key, value in labels.items():
        validate_key(causes, field, key)
        causes.format(field, value, LABEL_VALUE)


def validate_key(causes, field, key):
    """Demand a qualified name: `name` or `prefix/name`."""
    prefix, slash, name = key.rpartition('/')
    if slash and not FORMATS[SUBDOMAIN][0].match(prefix):
        causes.invalid(field, key, 'prefix part ' + SUBDOMAIN)
    if not name:
        causes.invalid(field, key, 'name part must be non-empty')
    elif len(name) > 63:
        causes.invalid(field, key, 'name part must be no more than 63 characters')
    if not FORMATS[KEY_NAME][0].match(name):
        causes.invalid(field, key, KEY_NAME)


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
    """The volume's name may be set once; a bound claim may ask for more."""
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


def validate_port_name(causes, field, name):
    if len(name) > 15:
        causes.invalid(field, name, 'must be no more than 15 characters')
    if not re.match(r'[-a-z0-9]+\Z', name):
        causes.invalid(field, name, 'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
    elif not re.search('[a-z]', name):
        causes.invalid(field, name, 'must contain at least one letter or number (a-z, 0-9)')


def validate_service_update(causes, new, old):
    before, after = old['spec'].get('clusterIP'), new['spec'].get('clusterIP')
    if before and before != after and new['spec']['type'] != 'ExternalName':
        causes.append(('FieldValueInvalid', 'spec.clusterIPs[0]',
                       'Invalid value: []string{%s}: may not change once set' % quoted(after)))


def is_address(text):
    return bool(re.match(r'(\d{1,3}\.){3}\d{1,3}\Z', text)) and all(int(part) < 256 for part in text.split('.'))


def validate_keys(causes, obj):
    """Secrets and configmaps: their keys are file names."""
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
