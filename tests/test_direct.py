"""Requests past the checks of a client that has some: they are the same, and only if nobody has replaced anything."""
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from kubernetes.client import ApiClient, CoreV1Api, rest
from urllib3 import HTTPConnectionPool

from kubespawner.kube import api, clients, direct
from kubespawner.objects import make_pod
from tests.support.recording_api import JsonAnswers

checking = pytest.mark.skipif(not direct.REQUESTS, reason='older clients check nothing')


@pytest.fixture
def core(recording_api):
    core = clients.shared_client('CoreV1Api')
    core.server = recording_api
    return core


POD = make_pod('a', ['x'], 8888, 'image')

REQUESTS = {
    'create_namespaced_pod': api.create('pod', 'hubs', POD),
    'read_namespaced_pod': api.read('pod', 'hubs', 'a'),
    'delete_namespaced_pod': api.delete('pod', 'hubs', 'a', 'u2', 1),
}


@pytest.fixture
def on_the_wire(core, monkeypatch):
    """What is sent, as it is given to the pool of connections."""
    sent, urlopen = [], HTTPConnectionPool.urlopen

    def recording(pool, method, url, **arguments):
        body = arguments.get('body')
        headers = {name.lower(): value for name, value in arguments['headers'].items()}
        sent.append((method, url, body and json.loads(body), headers, arguments['timeout'].read_timeout))
        return urlopen(pool, method, url, **arguments)

    monkeypatch.setattr(HTTPConnectionPool, 'urlopen', recording)
    return sent


@pytest.fixture
def called(monkeypatch):
    """The public methods of the client that were called."""
    names, serialize = [], ApiClient.param_serialize
    monkeypatch.setattr(direct, '_OWN', dict(direct._OWN))
    direct._OWN.pop((ApiClient, 'param_serialize'))
    monkeypatch.setattr(ApiClient, 'param_serialize', lambda *args, **kwargs: (
        names.append(kwargs['method']) or serialize(*args, **kwargs)))
    return names


@checking
@pytest.mark.parametrize('method', sorted(REQUESTS))
def test_a_request_is_what_the_public_method_sends(core, on_the_wire, monkeypatch, method):
    api.send(core, 7, api.create('pod', 'hubs', POD))
    del on_the_wire[:]
    answer = api.send(core, 7, REQUESTS[method])
    api.send(core, 7, api.create('pod', 'hubs', POD))
    del on_the_wire[1:]
    monkeypatch.setattr(direct, 'method_of', lambda api, name: None)
    assert api.send(core, 7, REQUESTS[method])['metadata']['name'] == answer['metadata']['name']
    direct_one, public = on_the_wire
    for sent in on_the_wire:
        sent[3].pop('content-type', None)  # which the client leaves out now and then, though what is sent is JSON
    assert direct_one == public


@checking
def test_the_public_method_is_not_called_as_long_as_it_is_the_clients(core, called):
    for method in ['create_namespaced_pod', 'read_namespaced_pod', 'delete_namespaced_pod']:
        api.send(core, 7, REQUESTS[method])
    assert called == []


class OwnApi(CoreV1Api):
    """A subclass of somebody's."""


def of_a_subclass(core, monkeypatch):
    return OwnApi(core.api_client)


def with_a_method_on_the_object(core, monkeypatch):
    core.create_namespaced_pod = core.create_namespaced_pod
    return core


def with_a_method_on_the_class(core, monkeypatch):
    original = CoreV1Api.create_namespaced_pod
    monkeypatch.setattr(CoreV1Api, 'create_namespaced_pod', lambda *args, **kwargs: original(*args, **kwargs))
    return core


def with_an_own_client(core, monkeypatch):
    return CoreV1Api(type('OwnClient', (ApiClient,), {})(core.api_client.configuration))


def with_a_call_on_the_client(core, monkeypatch):
    core.api_client.call_api = core.api_client.call_api
    return core


def with_a_request_of_the_rest_client(core, monkeypatch):
    original = rest.RESTClientObject.request
    monkeypatch.setattr(rest.RESTClientObject, 'request', lambda *args, **kwargs: original(*args, **kwargs))
    return core


@checking
@pytest.mark.parametrize('replaced', [
    of_a_subclass, with_a_method_on_the_object, with_a_method_on_the_class, with_an_own_client,
    with_a_call_on_the_client, with_a_request_of_the_rest_client])
def test_whatever_somebody_has_replaced_is_called(core, called, monkeypatch, replaced):
    mine = replaced(core, monkeypatch)
    api.send(mine, 7, REQUESTS['create_namespaced_pod'])
    assert called == ['POST']


@checking
def test_a_refusal_is_the_clients_error(core):
    with pytest.raises(api.ApiError) as raised:
        api.send(core, 7, api.read('pod', 'hubs', 'nobody'))
    assert (raised.value.status, raised.value.reason) == (404, 'NotFound')


@checking
def test_a_server_that_is_not_there_is_an_error_without_a_status(core):
    with socket.socket() as nobody:
        nobody.bind(('127.0.0.1', 0))  # and does not listen
        core.api_client.configuration.host = 'http://127.0.0.1:%d' % nobody.getsockname()[1]
        with pytest.raises(api.ApiError) as raised:
            api.send(core, 1, api.read('pod', 'hubs', 'a'))
    assert raised.value.status == 0 and not raised.value.was_sent


@checking
def test_a_pool_of_connections_that_was_closed_is_replaced(core):
    api.send(core, 7, REQUESTS['create_namespaced_pod'])
    core.api_client.rest_client.pool_manager.clear()
    assert api.send(core, 7, REQUESTS['read_namespaced_pod'])['metadata']['name'] == 'a'


@checking
def test_the_path_of_the_servers_url_is_part_of_the_requests(core, on_the_wire):
    core.api_client.configuration.host += '/k8s/clusters/c-1'
    with pytest.raises(api.ApiError):
        api.send(core, 7, REQUESTS['read_namespaced_pod'])
    (_, path, _, _, _), = on_the_wire
    assert path == '/k8s/clusters/c-1/api/v1/namespaces/hubs/pods/a'


class Elsewhere(JsonAnswers, BaseHTTPRequestHandler):
    """Redirects each request to the server whose URL is `to`."""

    def do_GET(self):
        self.send_response(307)
        self.send_header('Location', self.server.to + self.path)
        self.send_header('Content-Length', '0')
        self.end_headers()


@checking
def test_a_redirection_is_followed_as_the_client_does(core):
    api.send(core, 7, REQUESTS['create_namespaced_pod'])
    configuration = core.api_client.configuration
    with HTTPServer(('127.0.0.1', 0), Elsewhere) as elsewhere:
        elsewhere.to = configuration.host
        thread = threading.Thread(target=elsewhere.serve_forever)
        thread.start()
        configuration.host = 'http://127.0.0.1:%d' % elsewhere.server_port
        core.api_client.rest_client.pool_manager.connection_pool_kw['retries'] = None  # then the client follows
        try:
            assert api.send(core, 7, REQUESTS['read_namespaced_pod'])['metadata']['name'] == 'a'
        finally:
            elsewhere.shutdown()
            thread.join()


def test_an_older_client_has_only_its_public_methods(core):
    assert (direct.method_of(core, 'create_namespaced_pod') is None) is (not direct.REQUESTS)
