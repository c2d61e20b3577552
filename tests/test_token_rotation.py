"""A hub in a pod: the node replaces the token of its service account, and the API server takes only the newest."""
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn

import pytest
from kubernetes.client.rest import ApiException
from kubernetes.config import incluster_config

from kubespawner.kube import clients
from tests.support.fakes import requests_to
from tests.support.recording_api import JsonAnswers

POD = {'kind': 'Pod', 'apiVersion': 'v1', 'metadata': {'name': 'jupyter-ann', 'namespace': 'hubs', 'uid': 'u'}}


class Handler(JsonAnswers, BaseHTTPRequestHandler):
    def do_GET(self):
        token = self.headers.get('Authorization', '').partition(' ')[2]
        is_known = token == self.server.token
        self.server.statuses.append(200 if is_known else 401)
        self._answer(200, POD) if is_known else self._answer(401, {'kind': 'Status', 'reason': 'Unauthorized'})


class ApiServer(ThreadingMixIn, HTTPServer):
    """Accepts one token. `statuses` lists its answers, in order."""
    daemon_threads = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Handler)
        self.token, self.statuses = None, []


class Pod:
    """What the hub's container has: variables, a token file and an API server."""

    def __init__(self, directory, server):
        self.directory, self.server = directory, server
        self.token_file = directory.join('token')
        directory.join('ca.crt').write('no certificate')

    def rotate(self, token):
        """Replace the token as a node does: in one piece."""
        self.directory.join('new').write(token)
        self.directory.join('new').rename(self.token_file)
        self.server.token = token

    def client(self):
        """Return the CoreV1Api that the hub would have. The API server here has no TLS."""
        clients.override(host='http://127.0.0.1:%d' % self.server.server_port)
        return clients.shared_client('CoreV1Api')


@pytest.fixture
def pod(tmpdir, monkeypatch):
    """A `Pod` whose token is the first one."""
    monkeypatch.setattr(clients, '_overrides', {})
    monkeypatch.setattr(incluster_config, 'SERVICE_TOKEN_FILENAME', str(tmpdir.join('token')))
    monkeypatch.setattr(incluster_config, 'SERVICE_CERT_FILENAME', str(tmpdir.join('ca.crt')))
    monkeypatch.setenv('KUBERNETES_SERVICE_HOST', '127.0.0.1')
    monkeypatch.setenv('KUBERNETES_SERVICE_PORT', '9')
    clients.forget()
    server = ApiServer()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    pod = Pod(tmpdir, server)
    pod.rotate('first')
    yield pod
    clients.forget()
    server.shutdown()
    server.server_close()


def read(core):
    response = core.read_namespaced_pod(name='jupyter-ann', namespace='hubs', _preload_content=False)
    return json.loads(response.data.decode('utf8'))


def test_a_replaced_token_is_read_before_the_server_refuses_the_old_one(pod, monkeypatch):
    monkeypatch.setattr(clients, 'REFRESH_SECONDS', 0)
    core = pod.client()
    assert read(core) == POD
    for token in 'second', 'third\n', 'fourth':
        pod.rotate(token)
        pod.server.token = token.strip()
        assert read(core) == POD
    assert pod.server.statuses == [200] * 4


def test_a_token_file_that_is_gone_or_empty_for_a_moment_changes_nothing(pod, monkeypatch):
    monkeypatch.setattr(clients, 'REFRESH_SECONDS', 0)
    core = pod.client()
    pod.token_file.write('')
    assert read(core) == POD
    pod.token_file.write(b'\xff\xfe', 'wb')
    assert read(core) == POD
    pod.token_file.remove()
    assert read(core) == POD


def test_the_token_file_is_not_read_for_each_request(pod, monkeypatch):
    monkeypatch.setattr(clients, 'REFRESH_SECONDS', 10 ** 6)
    core = pod.client()
    read(core)
    pod.rotate('second')
    with pytest.raises(ApiException) as e:
        read(core)
    assert e.value.status == 401


@pytest.mark.gen_test
def test_a_token_that_is_refused_at_once_is_read_again_for_the_same_request(pod, monkeypatch):
    monkeypatch.setattr(clients, 'REFRESH_SECONDS', 10 ** 6)
    core = pod.client()
    read(core)
    pod.rotate('second')
    requests = requests_to(core)
    assert (yield requests.read('pod', 'hubs', 'jupyter-ann')) == POD
    assert pod.server.statuses == [200, 401, 200]
