"""Objects in protobuf, which `kubectl create` sends.

What belongs here: the numbers of the fields of those kinds that clients create, and decoding. What does not: types
(fields.py), answers, which are always JSON. Pure; any thread.

A line of the table reads `Type field=number ...`. `2.1` is the field 1 of a message 2 that JSON does not have.
"""
import base64
import struct
import time

from . import errors
from .fields import TYPES

MAGIC = b'k8s\0'
TABLE = """
ObjectMeta name=1 generateName=2 namespace=3 selfLink=4 uid=5 resourceVersion=6 generation=7 creationTimestamp=8
    deletionTimestamp=9 deletionGracePeriodSeconds=10 labels=11 annotations=12 ownerReferences=13 finalizers=14
OwnerReference kind=1 name=3 uid=4 apiVersion=5 controller=6 blockOwnerDeletion=7
ConfigMap metadata=1 data=2 binaryData=3 immutable=4
Secret metadata=1 data=2 type=3 stringData=4 immutable=5
Namespace metadata=1 spec=2 status=3
NamespaceSpec finalizers=1
NamespaceStatus phase=1
Service metadata=1 spec=2 status=3
ServiceSpec ports=1 selector=2 clusterIP=3 type=4 externalIPs=5 sessionAffinity=7 loadBalancerIP=8
    loadBalancerSourceRanges=9 externalName=10 externalTrafficPolicy=11 healthCheckNodePort=12
    publishNotReadyAddresses=13 topologyKeys=16 ipFamilyPolicy=17 clusterIPs=18 ipFamilies=19
    allocateLoadBalancerNodePorts=20
ServicePort name=1 protocol=2 port=3 targetPort=4 nodePort=5 appProtocol=6
ServiceStatus loadBalancer=1
LoadBalancerStatus ingress=1
Ingress metadata=1 spec=2 status=3
IngressSpec defaultBackend=1 tls=2 rules=3 ingressClassName=4
IngressStatus loadBalancer=1
IngressTLS hosts=1 secretName=2
IngressRule host=1 http=2.1
HTTPIngressRuleValue paths=1
HTTPIngressPath path=1 backend=2 pathType=3
IngressBackend resource=3 service=4
IngressServiceBackend name=1 port=2
ServiceBackendPort name=1 number=2
ServiceAccount metadata=1 secrets=2 imagePullSecrets=3 automountServiceAccountToken=4
ObjectReference kind=1 namespace=2 name=3 uid=4 apiVersion=5 resourceVersion=6 fieldPath=7
LocalObjectReference name=1
ResourceQuota metadata=1 spec=2 status=3
ResourceQuotaSpec hard=1 scopes=2 scopeSelector=3
Role metadata=1 rules=2
ClusterRole metadata=1 rules=2 aggregationRule=3
AggregationRule clusterRoleSelectors=1
LabelSelector matchLabels=1 matchExpressions=2
LabelSelectorRequirement key=1 operator=2 values=3
PolicyRule verbs=1 apiGroups=2 resources=3 resourceNames=4 nonResourceURLs=5
RoleBinding metadata=1 subjects=2 roleRef=3
ClusterRoleBinding metadata=1 subjects=2 roleRef=3
Subject kind=1 apiGroup=2 name=3 namespace=4
RoleRef apiGroup=1 kind=2 name=3
SelfSubjectAccessReview metadata=1 spec=2
SubjectAccessReview metadata=1 spec=2
LocalSubjectAccessReview metadata=1 spec=2
SubjectAccessReviewSpec resourceAttributes=1 nonResourceAttributes=2 user=3 groups=4 uid=6
ResourceAttributes namespace=1 verb=2 group=3 version=4 resource=5 subresource=6 name=7
NonResourceAttributes path=1 verb=2
SelfSubjectRulesReview metadata=1 spec=2
SelfSubjectRulesReviewSpec namespace=1
SelfSubjectReview metadata=1
TokenReview metadata=1 spec=2
TokenReviewSpec token=1 audiences=2
TokenRequest metadata=1 spec=2
TokenRequestSpec audiences=1 boundObjectRef=3 expirationSeconds=4
BoundObjectReference kind=1 apiVersion=2 name=3 uid=4
"""
NUMBERS = {}  # type -> {number: field}; 2.1 is the field 1 of the message 2
for _line in TABLE.replace('\n    ', ' ').strip().splitlines():
    _name, *_fields = _line.split()
    NUMBERS[_name] = {_number: _field for _field, _, _number in (_each.partition('=') for _each in _fields)}


class Malformed(Exception):
    """This is not protobuf, or not of this type."""


def decode(body):
    """Return the object in a body, as parsed JSON. Raise ApiError 400 or 415."""
    if not body.startswith(MAGIC):
        raise errors.bad_request('provided data does not appear to be a protobuf message, expected prefix %s'
                                 % list(MAGIC))
    try:
        envelope = dict(records(body[len(MAGIC):]))
        type_meta = dict(records(envelope.get(1, b'')))
        kind = text(type_meta.get(2, b''))
        if kind not in NUMBERS or kind not in TYPES:
            raise errors.ApiError(415, 'UnsupportedMediaType', 'localkube reads no %s in protobuf; use JSON' % kind)
        return dict(message(kind, envelope.get(2, b'')), kind=kind, apiVersion=text(type_meta.get(1, b'')))
    except (Malformed, UnicodeDecodeError, struct.error, IndexError) as e:
        raise errors.bad_request('the object provided is unrecognized: %s' % e)


def records(data):
    """Yield (number, bytes or int) of the fields of a message."""
    position = 0
    if not isinstance(data, bytes):
        raise Malformed('proto: wrong wireType')
    while position < len(data):
        tag, position = varint(data, position)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, position = varint(data, position)
        elif wire == 2:
            size, position = varint(data, position)
            value, position = data[position:position + size], position + size
            if position > len(data):
                raise Malformed('unexpected EOF')
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
            value, position = data[position:position + size], position + size
        else:
            raise Malformed('proto: illegal wireType %d' % wire)
        yield number, value


def varint(data, position):
    result = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise Malformed('unexpected EOF')
        byte = data[position]
        result |= (byte & 0x7f) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return result, position


def message(type_name, data):
    result = {}
    for name, value in named_records(data, NUMBERS.get(type_name, {})):
        field = TYPES[type_name].get(name)
        if field:
            add(result, name, field, value)
    return result


def named_records(data, numbers):
    """Yield (name, bytes or int) of the fields of a message. The name of an unknown field is None."""
    groups = {number.partition('.')[0] for number in numbers if '.' in number}
    for number, value in records(data):
        if str(number) in groups and isinstance(value, bytes):
            for inner, each in records(value):
                yield numbers.get('%d.%d' % (number, inner)), each
        else:
            yield numbers.get(str(number)), value


def add(result, name, field, value):
    """Add a value of a field to a message, which repeats the fields of lists and maps."""
    if field.shape == 'list':
        result.setdefault(name, []).append(one(field.type, value))
    elif field.shape == 'map':
        pair = dict(records(value))
        result.setdefault(name, {})[text(pair.get(1, b''))] = one(field.type, pair.get(2, b''))
    else:
        result[name] = one(field.type, value)


def one(type_name, value):
    """Return one value. Empty texts and zeros are left out later, when the object is decoded."""
    if type_name in TYPES:
        return message(type_name, value)
    return SCALARS.get(type_name, text)(value)


def text(value):
    if not isinstance(value, bytes):
        raise Malformed('proto: wrong wireType')
    return value.decode('utf8')


def integer(value):
    if not isinstance(value, int):
        raise Malformed('proto: wrong wireType')
    return value - (1 << 64) if value >> 63 else value


def moment(value):
    parts = dict(records(value))
    seconds = integer(parts.get(1, 0))
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(seconds)) if seconds else None


def int_or_string(value):
    parts = dict(records(value))
    return text(parts.get(3, b'')) if parts.get(1) else integer(parts.get(2, 0))


def in_base64(value):
    if not isinstance(value, bytes):
        raise Malformed('proto: wrong wireType')
    return base64.b64encode(value).decode('ascii')


def quantity(value):
    return text(dict(records(value)).get(1, b''))


SCALARS = {'int': integer, 'number': integer, 'bool': bool, 'flag': bool, 'time': moment, 'intstr': int_or_string,
           'quantity': quantity, 'bytes': in_base64}
