"""Bodies in protobuf: what kubectl sends is read, and what is broken is refused and harms nothing."""
import http.client
import json
import ssl

import pytest

CONTENT_TYPE = 'application/vnd.kubernetes.protobuf'
REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
ROLES = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles'


def field(number, content):
    """Return one field of a message: a str, bytes of fewer than 128 bytes, or an int."""
    if isinstance(content, int):
        return bytes([number << 3]) + varint(content)
    content = content.encode() if isinstance(content, str) else content
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def envelope(api_version, kind, message):
    return b'k8s\0' + field(1, field(1, api_version) + field(2, kind)) + field(2, message)


def role(name):
    rule = field(1, 'get') + field(1, 'list') + field(2, '') + field(3, 'pods')
    metadata = field(1, name) + field(8, b'') + field(11, field(1, 'key') + field(2, 'value'))
    return envelope('rbac.authorization.k8s.io/v1', 'Role', field(1, metadata) + field(2, rule))


@pytest.fixture
def post(client):
    """`post(path, body)` returns (HTTP status, parsed answer)."""
    def post(path, body):
        if client.scheme == 'https':
            connection = http.client.HTTPSConnection(client.address, context=ssl._create_unverified_context())
        else:
            connection = http.client.HTTPConnection(client.address)
        headers = {'Authorization': 'Bearer ' + client.token, 'Content-Type': CONTENT_TYPE}
        connection.request('POST', path, body, headers)
        response = connection.getresponse()
        answer = json.loads(response.read().decode('utf8'))
        connection.close()
        return response.status, answer

    return post


def test_a_role_is_read(post, name):
    code, answer = post(ROLES, role(name))
    assert code == 201 and answer['rules'] == [{'verbs': ['get', 'list'], 'apiGroups': [''], 'resources': ['pods']}]
    assert answer['metadata']['labels'] == {'key': 'value'}


def test_booleans_and_numbers_are_read(post, client, name):
    code, answer = post('/api/v1/namespaces/default/serviceaccounts', envelope(
        'v1', 'ServiceAccount', field(1, field(1, name)) + field(3, field(1, 'registry')) + field(4, 0)))
    assert code == 201 and answer['automountServiceAccountToken'] is False
    assert answer['imagePullSecrets'] == [{'name': 'registry'}]
    code, answer = post('/api/v1/namespaces/default/serviceaccounts/%s/token' % name, envelope(
        'authentication.k8s.io/v1', 'TokenRequest', field(2, field(1, 'vault') + field(4, 700))))
    assert code == 201 and (answer['spec']['audiences'], answer['spec']['expirationSeconds']) == (['vault'], 700)


def test_numbers_that_are_not_known_are_skipped(post, name):
    more = field(99 & 15, 'unknown') + field(12, 5) + b'\x71' + 8 * b'x' + b'\x75' + 4 * b'x'
    assert post(ROLES, role(name) + more)[0] == 201


@pytest.mark.parametrize('body', [
    b'', b'k8s', b'k8s\0', b'{}', b'\0' * 20, b'k8s\0' + b'\xff' * 30, b'k8s\0\x12', b'k8s\0\x12\xff\xff\xff\xff\x0f',
    envelope('rbac.authorization.k8s.io/v1', 'Role', field(1, 5)),
    envelope('rbac.authorization.k8s.io/v1', 'Role', field(1, field(1, b'\xff\xfe'))),
    envelope('rbac.authorization.k8s.io/v1', 'Role', field(1, field(7, 'a number'))),
    envelope('rbac.authorization.k8s.io/v1', 'ClusterRole', field(1, field(1, 'x'))),
    envelope('v1', 'Role', field(1, field(1, 'x'))),
])
def test_what_cannot_be_read_is_refused(post, client, body):
    code, answer = post(ROLES, body)
    assert code in (400, 415, 422) and answer['kind'] == 'Status'
    assert client.call('GET', ROLES)[0] == 200


def test_each_beginning_of_a_body_is_refused_or_read(post, name):
    whole = role(name)
    for end in range(len(whole)):
        assert post(ROLES, whole[:end])[0] in (201, 400, 409, 415, 422), end


def test_a_kind_that_is_sent_as_json_only_is_refused(post):
    assert post('/api/v1/namespaces/default/pods', envelope('v1', 'Pod', field(1, field(1, 'x'))))[0] == 415
