"""What the API server warns of in its answers."""
import logging
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from kubernetes import client
from urllib3._collections import HTTPHeaderDict

from kubespawner.kube import api, warnings
from kubespawner.kube.once import Once
from tests.fake_time import with_fake_time
from tests.support.fakes import FakeApi, Response, refused, requests_to

POD = '{"metadata": {"name": "a", "uid": "u"}}'
UNKNOWN = '299 - "unknown field \\"spec.volums\\""'
DEPRECATED = '299 kube "v1 ComponentStatus is deprecated in v1.19+"'


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch):
    monkeypatch.setattr(warnings, '_once', Once())


def several(*values):
    headers = HTTPHeaderDict()
    for value in values:
        headers.add('Warning', value)
    return headers


@pytest.mark.parametrize('headers, expected', [
    (None, []), ({}, []), ({'Warning': UNKNOWN}, ['unknown field "spec.volums"']),
    (several(UNKNOWN, DEPRECATED), ['unknown field "spec.volums"', 'v1 ComponentStatus is deprecated in v1.19+']),
    ({'Warning': ', '.join([DEPRECATED, UNKNOWN])}, [
        'v1 ComponentStatus is deprecated in v1.19+', 'unknown field "spec.volums"']),
    ({'Warning': '299 - "a, 299 - b"'}, ['a, 299 - b']), ({'Warning': 'nonsense'}, []), ({'Warning': '299 - "'}, []),
    ({'Warning': '299 - "a\x1b[31m\\\\b" "Sat, 25 Aug 2012 23:34:45 GMT"'}, ['a\\x1b[31m\\b']),
    ({'Warning': '299 - "%s"' % ('x' * 9999)}, ['x' * warnings.LONGEST]),
])
def test_the_texts_of_warnings_are_read_from_the_headers(headers, expected):
    assert warnings.texts_in(headers) == expected


@pytest.mark.parametrize('answer', [
    Response(POD, {'Warning': UNKNOWN}), refused(422, 'Invalid', headers={'Warning': UNKNOWN})],
    ids=['accepted', 'refused'])
@with_fake_time
def test_a_warning_is_told_once_in_a_process(answer, caplog):
    for name in 'ab':
        try:
            yield requests_to(FakeApi(read_namespaced_pod=[answer])).send(api.read('pod', 'hubs', name))
        except api.ApiError:
            pass
    told, = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert told == 'Kubernetes warns of the request to read pod a in namespace hubs: unknown field "spec.volums"'


class Warns(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path.endswith('/a') else 404)
        for text in (UNKNOWN, DEPRECATED):
            self.send_header('Warning', text)
        self.send_header('Content-Length', str(len(POD)))
        self.end_headers()
        self.wfile.write(POD.encode('ascii'))

    def log_message(self, *arguments):
        """The test says what is wrong."""


@pytest.mark.parametrize('name', ['a', 'b'], ids=['accepted', 'refused'])
def test_every_client_hands_on_all_headers(name, caplog):
    server = HTTPServer(('127.0.0.1', 0), Warns)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        configuration = client.Configuration()
        configuration.host = 'http://127.0.0.1:%d' % server.server_port
        core = client.CoreV1Api(client.ApiClient(configuration))
        try:
            api.send(core, 5, api.read('pod', 'hubs', name), logging.getLogger('kubespawner.tests'))
        except api.ApiError as e:
            assert e.status == 404
    finally:
        server.shutdown()
        server.server_close()
    assert 'spec.volums' in caplog.text and 'ComponentStatus is deprecated' in caplog.text


def test_what_many_answers_warn_of_takes_no_memory():
    log = logging.getLogger('kubespawner.tests')
    for number in range(5000):
        warnings.log_once({'Warning': '299 - "number %d"' % number}, log, None)
    assert len(warnings._once._said) <= 1000
