"""Bodies in the protobuf format of Kubernetes, in which kubectl sends some kinds since version 1.35.

What belongs here: the numbers of fields, and reading them. What does not: the types of fields (fields.py). Pure; any
thread. Responses are JSON, which all clients accept. Unknown numbers are skipped, as protobuf wants it.
"""
import base64

from .fields import TYPES

CONTENT_TYPE = 'application/vnd.kubernetes.protobuf'
MAGIC = b'k8s\0'
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types
FIXED = {FIXED64: 8, FIXED32: 4}

# Type, and its fields in the order of their numbers, which begin with 1; `-` is a number that is not read.
TABLE = """
ObjectMeta name generateName namespace selfLink uid resourceVersion generation creationTimestamp deletionTimestamp
    deletionGracePeriodSeconds labels annotations ownerReferences finalizers
OwnerReference kind - name uid apiVersion controller blockOwnerDeletion
Role metadata rules
ClusterRole metadata rules aggregationRule
RoleBinding metadata subjects roleRef
ClusterRoleBinding metadata subjects roleRef
PolicyRule verbs apiGroups resources resourceNames nonResourceURLs
AggregationRule clusterRoleSelectors
LabelSelector matchLabels matchExpressions
LabelSelectorRequirement key operator values
Subject kind apiGroup name namespace
RoleRef apiGroup kind name
SelfSubjectAccessReview metadata spec
SubjectAccessReview metadata spec
LocalSubjectAccessReview metadata spec
SubjectAccessReviewSpec resourceAttributes nonResourceAttributes user groups - uid
ResourceAttributes namespace verb group version resource subresource name
NonResourceAttributes path verb
SelfSubjectRulesReview metadata spec
SelfSubjectRulesReviewSpec namespace
SelfSubjectReview metadata
TokenReview metadata spec
TokenReviewSpec token audiences
TokenRequest metadata spec
TokenRequestSpec audiences - boundObjectRef expirationSeconds
BoundObjectReference kind apiVersion name uid
ServiceAccount metadata secrets imagePullSecrets automountServiceAccountToken
ObjectReference kind namespace name uid apiVersion resourceVersion fieldPath
LocalObjectReference name
ConfigMap metadata data binaryData immutable
Secret metadata data type stringData immutable
Namespace metadata spec
NamespaceSpec finalizers
"""


def parse(table):
    """Return {type: {number: name of the field}}."""
    numbers = {}
    for line in table.replace('\n    ', ' ').strip().splitlines():
        name, *fields = line.split()
        numbers[name] = {number: field for number, field in enumerate(fields, 1) if field != '-'}
    return numbers


NUMBERS = parse(TABLE)


def decode(body, kind):
    """Return a body as parsed JSON. Raise ValueError if it is not protobuf, or of a kind that is not in the table."""
    if not body.startswith(MAGIC):
        raise ValueError('not a protobuf of Kubernetes')
    envelope = dict(read_fields(body[len(MAGIC):]))
    type_meta = dict(read_fields(expect(bytes, envelope.get(1, b''))))
    obj = read_message(expect(bytes, envelope.get(2, b'')), kind)
    obj.update(apiVersion=text(type_meta.get(1, b'')), kind=text(type_meta.get(2, b'')))
    return obj


def read_message(data, type_name):
    if type_name not in NUMBERS:
        raise ValueError('no protobuf of type %s' % type_name)
    result = {}
    for number, value in read_fields(data):
        name = NUMBERS[type_name].get(number)
        if name is None:
            continue
        field = TYPES[type_name][name]
        if field.shape == 'map':
            entry = dict(read_fields(expect(bytes, value)))
            result.setdefault(name, {})[text(entry.get(1, b''))] = read_value(entry.get(2, b''), field.type)
        elif field.shape == 'list':
            result.setdefault(name, []).append(read_value(value, field.type))
        else:
            result[name] = read_value(value, field.type)
    return result


def read_value(value, type_name):
    if type_name in ('int', 'number', 'bool', 'flag'):
        expect(int, value)
        return bool(value) if type_name in ('bool', 'flag') else value - (1 << 64) if value >= 1 << 63 else value
    expect(bytes, value)
    if type_name in TYPES:
        return read_message(value, type_name)
    if type_name == 'time':
        return None  # only the server sets them
    if type_name == 'bytes':
        return base64.b64encode(value).decode('ascii')
    return text(value)


def expect(kind, value):
    if not isinstance(value, kind):
        raise ValueError('wrong wire type')
    return value


def text(value):
    return expect(bytes, value).decode('utf8')


# The wire format


def read_fields(data):
    """Yield (number, int or bytes) of the fields of a message. Raise ValueError."""
    position = 0
    while position < len(data):
        key, position = read_varint(data, position)
        wire_type = key & 7
        if wire_type == VARINT:
            value, position = read_varint(data, position)
        else:
            length = FIXED.get(wire_type)
            if wire_type == BYTES:
                length, position = read_varint(data, position)
            if length is None or position + length > len(data):
                raise ValueError('incomplete field, or of an unknown wire type')
            value, position = bytes(data[position:position + length]), position + length
        yield key >> 3, value


def read_varint(data, position):
    """Return (value, position after it)."""
    value = shift = 0
    while shift < 64:
        if position >= len(data):
            raise ValueError('incomplete number')
        byte = data[position]
        position += 1
        value |= (byte & 0x7f) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError('number of more than 64 bits')
