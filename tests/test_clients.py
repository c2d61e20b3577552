"""Clients are shared and configured once; models and dicts turn into each other the same way on every client."""
import gc
import socket

import pytest
from kubernetes import client, config

from kubespawner import clients

KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://127.0.0.1:%d"}}]
users: [{name: u, user: {token: secret}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"""


@pytest.fixture
def kubeconfig(tmpdir, monkeypatch):
    """A kubeconfig of a cluster that does not exist, as the one to use."""
    path = tmpdir.join('config')
    path.write(KUBECONFIG % 9)
    monkeypatch.setenv('KUBECONFIG', str(path))
    monkeypatch.setattr(clients, '_clients', type(clients._clients)())
    return path


def test_a_client_is_made_once_as_long_as_somebody_holds_it(kubeconfig):
    core = clients.shared_client('CoreV1Api')
    assert clients.shared_client('CoreV1Api') is core
    assert clients.shared_client('VersionApi') is not core


def test_all_clients_share_one_pool_of_connections(kubeconfig):
    core, version = clients.shared_client('CoreV1Api'), clients.shared_client('VersionApi')
    assert core.api_client is version.api_client


def test_a_client_of_other_arguments_is_another_one(kubeconfig):
    own = client.ApiClient()
    core = clients.shared_client('CoreV1Api', api_client=own)
    assert core.api_client is own
    assert clients.shared_client('CoreV1Api', api_client=own) is core
    assert clients.shared_client('CoreV1Api') is not core


def test_a_client_that_nobody_holds_is_let_go(kubeconfig):
    core = clients.shared_client('CoreV1Api')
    host = core.api_client.configuration.host
    kubeconfig.write(KUBECONFIG % 10)
    del core
    gc.collect()
    assert clients.shared_client('CoreV1Api').api_client.configuration.host != host


def test_the_kubeconfig_of_the_environment_is_read(kubeconfig):
    assert clients.load_config().host == 'http://127.0.0.1:9'


def test_without_any_configuration_the_error_names_both_places(tmpdir, monkeypatch):
    monkeypatch.setenv('KUBECONFIG', str(tmpdir.join('nowhere')))
    monkeypatch.delenv('KUBERNETES_SERVICE_HOST', raising=False)
    with pytest.raises(config.ConfigException) as e:
        clients.load_config()
    assert 'service account' in str(e.value)
    assert str(tmpdir.join('nowhere')) in str(e.value)


def test_models_become_what_the_client_itself_would_send():
    pod = client.V1Pod(
        api_version='v1', kind='Pod', metadata=client.V1ObjectMeta(name='a', labels={'b_c': 'd'}),
        spec=client.V1PodSpec(containers=[client.V1Container(name='c', working_dir='/', args=[])], host_pid=True))
    assert clients.to_dict(pod) == {
        'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': 'a', 'labels': {'b_c': 'd'}},
        'spec': {'containers': [{'name': 'c', 'workingDir': '/', 'args': []}], 'hostPID': True}}
    assert clients.to_dict(pod) == client.ApiClient().sanitize_for_serialization(pod)


def test_models_inside_dicts_and_lists_are_converted_and_other_dicts_stay():
    value = {'a': [client.V1EnvVar(name='n', value='v')], 'b_c': {'d_e': 1, 'f': None}}
    assert clients.to_dict(value) == {'a': [{'name': 'n', 'value': 'v'}], 'b_c': {'d_e': 1, 'f': None}}


def test_a_body_is_sent_as_it_is_with_fields_that_the_client_does_not_know():
    body = {'kind': 'Pod', 'fieldOfTomorrow': {'snake_case': 1.5}, 'metadata': {'name': 'a'}}
    assert client.ApiClient().sanitize_for_serialization(clients.request_body(body, 'V1Pod')) == body


def test_nothing_is_connected_to_when_a_client_is_made(kubeconfig, monkeypatch):
    def connect(*args):
        pytest.fail('a connection was made')

    monkeypatch.setattr(socket.socket, 'connect', connect)
    clients.shared_client('CoreV1Api')
