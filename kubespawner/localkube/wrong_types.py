"""What the API says about a value of the wrong type: in the words of the decoder that its release has.

What belongs here: the names of Go's types, and both vocabularies. What does not: finding such values (decoding.py).
Pure; any thread.
"""
import json

from . import releases

GO_NAMES = {'metadata': 'ObjectMeta', 'uid': 'UID', 'tls': 'TLS', 'http': 'HTTP', 'ip': 'IP', 'nfs': 'NFS',
            'tty': 'TTY', 'httpGet': 'HTTPGet', 'httpHeaders': 'HTTPHeaders', 'tcpSocket': 'TCPSocket',
            'apiVersion': 'APIVersion', 'seLinuxOptions': 'SELinuxOptions', 'fsGroup': 'FSGroup',
            'fsGroupChangePolicy': 'FSGroupChangePolicy', 'dnsPolicy': 'DNSPolicy', 'dnsConfig': 'DNSConfig',
            'uuid': 'UUID', 'bootID': 'BootID'}
ALIASES = {'restartPolicy': 'RestartPolicy', 'dnsPolicy': 'DNSPolicy', 'preemptionPolicy': 'PreemptionPolicy',
           'imagePullPolicy': 'PullPolicy', 'terminationMessagePolicy': 'TerminationMessagePolicy',
           'accessModes': 'PersistentVolumeAccessMode', 'volumeMode': 'PersistentVolumeMode', 'add': 'Capability',
           'drop': 'Capability', 'protocol': 'Protocol', 'effect': 'TaintEffect', 'medium': 'StorageMedium',
           'sessionAffinity': 'ServiceAffinity'}
LONG = ('generation', 'deletionGracePeriodSeconds', 'terminationGracePeriodSeconds', 'activeDeadlineSeconds',
        'runAsUser', 'runAsGroup', 'fsGroup', 'supplementalGroups', 'tolerationSeconds', 'observedGeneration',
        'sizeBytes', 'seconds', 'gracePeriodSeconds', 'expirationSeconds')
SCALARS = {'text': 'string', 'flag': 'bool', 'time': 'v1.Time', 'quantity': 'resource.Quantity', 'bytes': '[]uint8',
           'intstr': 'intstr.IntOrString', 'object': 'v1.JSON'}
TYPE_META = ('json: cannot unmarshal %s into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty'
             '\\""; Kind string "json:\\"kind,omitempty\\"" }')


class WrongType(Exception):
    """A value has the wrong type for its field.

    expected (str): 'list', 'map', 'object', or a plain type of fields.py.
    path (list of (type name, field name)): the enclosing fields, innermost first.
    """

    def __init__(self, expected, value, type_name='', detail=''):
        super().__init__(expected)
        self.expected, self.value, self.type_name, self.detail = expected, value, type_name, detail
        self.path = []

    def inside(self, type_name, field):
        self.path.append((type_name, field))
        return self

    def inside_list(self, type_name):
        self.path.append((None, type_name))
        return self


def fits(value, field):
    """Return whether an int is in the range of the field."""
    return -2 ** 63 <= value < 2 ** 63 if field in LONG else -2 ** 31 <= value < 2 ** 31


def go_name(type_name):
    """Return a type with its version: v1.Pod, v1beta1.Ingress."""
    name, _, version = type_name.partition('_')
    return '%s.%s' % (version or 'v1', name)


def scalar_name(type_name, field):
    if field in ALIASES and type_name in ('string', 'text'):
        return 'v1.' + ALIASES[field]
    if type_name in ('int', 'number'):
        return 'int64' if field in LONG else 'int32'
    if type_name and type_name[0].isupper():
        return go_name(type_name)
    return SCALARS.get(type_name, type_name)


def describe(error, release):
    return (plain if release >= releases.PLAIN_JSON_DECODER else iterated)(error)


# Go's encoding/json, since 1.23

def plain(error):
    fields = [step for step in error.path if step[0]]
    name = fields[0][1] if fields else ''
    if error.detail:
        return error.detail
    if error.expected == 'bytes' and isinstance(error.value, str):
        return 'illegal base64 data at input byte %d' % illegal_at(error.value)
    if error.expected == 'time' and isinstance(error.value, str):
        return unparsed_time(error.value)
    if error.expected in ('time', 'intstr'):
        return 'json: cannot unmarshal %s into Go value of type %s' % (
            json_type(error.value, error.expected), 'string' if error.expected == 'time' else 'int32')
    if not fields:
        return 'json: cannot unmarshal %s into Go value of type %s' % (json_type(error.value),
                                                                       scalar_name(error.type_name, ''))
    struct = go_name(fields[0][0]).partition('.')[2]
    return 'json: cannot unmarshal %s into Go struct field %s.%s of type %s' % (
        json_type(error.value, error.expected), struct, '.'.join(field for _, field in reversed(fields)),
        expected_name(error, name))


def expected_name(error, field):
    name = scalar_name(error.type_name, field)
    return {'list': '[]' + name, 'map': 'map[string]' + name, 'object': name or 'v1.JSON'}.get(
        error.expected, scalar_name(error.expected, field))


def json_type(value, expected=''):
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return 'number %s' % json.dumps(value) if expected in ('int', 'number', 'intstr') else 'number'
    return {dict: 'object', list: 'array', str: 'string', bool: 'bool'}.get(type(value), 'null')


# json-iter, until 1.22

def iterated(error):
    fields = [step for step in error.path if step[0]]
    name = fields[0][1] if fields else ''
    where = []
    for type_name, field in reversed(error.path):
        where.append('%s.%s' % (go_name(type_name), GO_NAMES.get(field, field[0].upper() + field[1:])) if type_name
                     else '[]' + scalar_name(field, name))
    return ': '.join(where + [complaint(error, name)])


def complaint(error, field):
    value, expected = error.value, error.expected
    found = json.dumps(value)[0]
    if error.detail:
        return 'unmarshalerDecoder: ' + error.detail
    if expected == 'time':
        return 'unmarshalerDecoder: ' + (unparsed_time(value) if isinstance(value, str) else 'json: cannot unmarshal '
                                         '%s into Go value of type string' % json_type(value))
    if expected in ('int', 'number'):
        if isinstance(value, float):
            return 'assertInteger: can not decode float as int'
        if isinstance(value, int) and not isinstance(value, bool):
            size = 64 if field in LONG else 32
            return 'readUint%d: overflow' % size if abs(value) >= 2 ** size else 'ReadInt%d: overflow: %d' % (size,
                                                                                                              value)
        return 'readUint%d: unexpected character: \ufffd' % (64 if field in LONG else 32)
    return {'object': 'readObjectStart: expect { or n, but found ' + found,
            'list': 'decode slice: expect [ or n, but found ' + found,
            'map': 'ReadMapCB: expect { or n, but found ' + found,
            'bool': 'ReadBool: expect t or f, but found ' + found,
            'flag': 'ReadBool: expect t or f, but found ' + found,
            'intstr': 'unmarshalerDecoder: json: cannot unmarshal %s into Go value of type int32'
                      % json_type(value, 'int'),
            'bytes': 'base64Codec: invalid input' if not isinstance(value, str) else
                     'decode base64: illegal base64 data at input byte %d' % illegal_at(value),
            }.get(expected, 'ReadString: expects " or n, but found ' + found)


def unparsed_time(value):
    return 'parsing time "%s" as "2006-01-02T15:04:05Z07:00": cannot parse "%s" as "2006"' % (value, value)


def illegal_at(text):
    """Return where Go finds that `text` is not base64."""
    letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
    length = next((i for i, letter in enumerate(text) if letter not in letters), len(text))
    return length if length < len(text) else length - length % 4
