"""Bodies and paths that nobody sends by accident: the server refuses or ignores them, and goes on."""
import gzip
import http.client as http_client
import json
import ssl
from urllib.parse import urlsplit

import pytest

from .helpers import PATIENCE, answer, configmap, created, failure, outcome, pod


@pytest.fixture
def raw(http):
    """A function that sends a request whose path and headers no client touches: raw(method, path) -> (code, text)."""
    def send(method, path, body=None, headers=(), chunked=False):
        address = urlsplit(http.server)
        tls = {'context': ssl._create_unverified_context()} if address.scheme == 'https' else {}
        kind = http_client.HTTPSConnection if tls else http_client.HTTPConnection
        connection = kind(address.hostname, address.port, timeout=PATIENCE, **tls)
        try:
            headers_sent = dict({'Authorization': 'Bearer %s' % http.token, 'Content-Type': 'application/json'},
                                **dict(headers))
            connection.request(method, path, iter([body]) if chunked else body, headers_sent,
                               **({'encode_chunked': True} if chunked else {}))
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()
    return send


def test_body_over_the_limit_is_413(http, url, name):
    reply = http.post(url('configmaps'), configmap(name, key='x' * (3 * 2 ** 20)))
    assert failure(reply) == (413, 'RequestEntityTooLarge', [])
    assert reply.body['message'] == 'Request entity too large: limit is 3145728'


@pytest.mark.parametrize('body', [b'[' * 100000, b'{"a":' * 100000, b'[' * 100000 + b']' * 100000])
def test_deeply_nested_body_is_400(http, pods, body):
    assert outcome(answer(http.send('POST', pods, body))) == (400, 'BadRequest')


def test_fields_that_do_not_exist_may_be_nested(http, url, name):
    body = json.dumps(configmap(name)).encode()[:-1] + b',"nonsense":' + b'[' * 150 + b']' * 150 + b'}'
    created(answer(http.send('POST', url('configmaps'), body)))


@pytest.mark.parametrize('body, says', [
    (b'{"a":NaN}', "invalid character 'N' looking for beginning of value"),
    (b'{"a":1,}', "invalid character '}' looking for beginning of object key string"),
    (b'{"a" 1}', "invalid character '1' after object key"),
    (b'{} {}', "invalid character '{' after top-level value"),
    (b'{"a":"\n"}', "invalid character '\\n' in string literal"),
    (b'{', 'unexpected end of JSON input'), (b'', 'unexpected end of JSON input'),
])
def test_what_is_wrong_with_json_is_told(http, pods, body, says):
    reply = answer(http.send('POST', pods, body))
    assert failure(reply) == (400, 'BadRequest', []) and says in reply.body['message']


def test_long_number_is_refused_at_once(http, pods, name):
    body = json.dumps(pod(name, terminationGracePeriodSeconds=12345)).encode().replace(b'12345', b'1' * 300000)
    assert outcome(answer(http.send('POST', pods, body))) == (400, 'BadRequest')


def test_compressed_body_is_400(raw, pods, name):
    body = gzip.compress(json.dumps(pod(name)).encode())
    assert raw('POST', pods, body, {'Content-Encoding': 'gzip'})[0] == 400


def test_body_may_come_in_chunks(raw, url, name):
    assert raw('POST', url('configmaps'), json.dumps(configmap(name)).encode(), chunked=True)[0] == 201


@pytest.mark.parametrize('content_type', ['text/plain', 'application/x-www-form-urlencoded',
                                          'nonsense', 'application/json, text/plain'])
def test_body_of_another_type_is_415(raw, url, name, content_type):
    body = json.dumps(configmap(name)).encode()
    assert raw('POST', url('configmaps'), body, {'Content-Type': content_type})[0] == 415


@pytest.mark.parametrize('content_type', ['', 'application/json; charset=utf-8', 'application/JSON'])
def test_body_of_json_by_another_name_is_taken(raw, url, name, content_type):
    body = json.dumps(configmap(name)).encode()
    assert raw('POST', url('configmaps'), body, {'Content-Type': content_type})[0] == 201


@pytest.mark.parametrize('accept, code', [('text/plain', 406), ('nonsense', 406), ('application/*', 406), ('*/*', 200),
                                          ('text/html, application/json;q=0.5', 200)])
def test_answer_in_another_form_is_406(raw, pods, accept, code):
    assert raw('GET', pods, headers={'Accept': accept})[0] == code


@pytest.mark.parametrize('way', ['%(other)s/../%(own)s', '%(own)s/%%2e%%2e/%(other)s', '%(own)s%%2F..%%2F%(other)s'])
def test_no_path_leads_into_another_namespace(http, raw, namespace, other_namespace, name, way):
    created(http.post('/api/v1/namespaces/%s/secrets' % other_namespace, {'metadata': {'name': name}}))
    path = '/api/v1/namespaces/%s/secrets/%s' % (way % {'own': namespace, 'other': other_namespace}, name)
    assert raw('GET', path)[0] in (301, 400, 404)


@pytest.mark.parametrize('path', ['a%2Fb', '%2e%2e', '%00', '%ff', 'a%20b', '%', '..', 'x/../..'])
@pytest.mark.parametrize('method', ['GET', 'DELETE'])
def test_odd_name_in_a_path_is_refused(raw, url, method, path):
    assert raw(method, url('secrets') + '/' + path)[0] in (301, 400, 404, 405)


@pytest.mark.parametrize('method', ['HEAD', 'OPTIONS', 'TRACE'])
def test_method_that_the_api_does_not_have_is_405(raw, url, method):
    assert raw(method, url('pods'))[0] == 405
