"""Clients are shared and configured once; models and dicts turn into each other the same way on every client."""
import gc
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from kubernetes import client, config
from traitlets import TraitError

from kubespawner import KubeSpawner
from kubespawner.kube import clients
from tests.cluster.conftest import make_spawner
from tests.support.recording_api import KUBECONFIG


@pytest.fixture
def kubeconfig(tmpdir, use_kubeconfig):
    """A kubeconfig of a cluster that does not exist, as the one to use."""
    path = tmpdir.join('config')
    path.write(KUBECONFIG % 9)
    use_kubeconfig(path)
    return path


@pytest.fixture
def spawner_of(kubeconfig, monkeypatch):
    """`spawner_of(**traits)` returns a spawner that is the first one of its process."""
    monkeypatch.setattr(clients, '_overrides', {})

    def make(**traits):
        monkeypatch.setattr(KubeSpawner, 'executor', None)
        monkeypatch.setattr(KubeSpawner, 'pod_reflector', None)
        return make_spawner(KubeSpawner, **traits)

    return make


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


def test_one_configuration_can_be_that_of_all_clients_for_a_while(kubeconfig):
    before = clients.shared_client('CoreV1Api')
    configuration = client.Configuration()
    configuration.host = 'http://127.0.0.1:1'
    clients.override(host='http://127.0.0.1:2')
    try:
        with clients.use_only(configuration):
            assert clients.shared_client('CoreV1Api').api_client.configuration.host == 'http://127.0.0.1:1'
        assert clients.shared_client('CoreV1Api').api_client.configuration.host == 'http://127.0.0.1:2'
    finally:
        clients.override()
    assert before.api_client.configuration.host == 'http://127.0.0.1:9'


def test_a_client_that_a_thread_is_just_making_is_forgotten_as_well(kubeconfig, monkeypatch):
    loading, go_on, original = threading.Event(), threading.Event(), clients.load_config

    def slow():
        configuration = original()
        loading.set()
        assert go_on.wait(60)
        return configuration

    monkeypatch.setattr(clients, 'load_config', slow)
    with ThreadPoolExecutor(2) as pool:
        early = pool.submit(clients.shared_client, 'CoreV1Api')
        assert loading.wait(60)
        kubeconfig.write(KUBECONFIG % 10)
        forgetting = pool.submit(clients.forget)
        go_on.set()
        forgetting.result(60)
        assert early.result(60).api_client.configuration.host == 'http://127.0.0.1:9'
        assert clients.shared_client('CoreV1Api').api_client.configuration.host == 'http://127.0.0.1:10'


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


def settings_of(api):
    configuration = clients.configuration_of(api)
    return configuration.host, configuration.ssl_ca_cert, configuration.verify_ssl


def test_the_first_spawner_says_where_the_api_is_and_how_it_is_verified(spawner_of, kubeconfig):
    spawner = spawner_of(k8s_api_host='https://10.0.0.1:6443/', k8s_api_ssl_ca_cert=str(kubeconfig),
                         k8s_api_verify_ssl=False)
    assert settings_of(spawner.api) == ('https://10.0.0.1:6443', str(kubeconfig), False)
    assert settings_of(clients.shared_client('VersionApi')) == settings_of(spawner.api)
    assert make_spawner(KubeSpawner, k8s_api_host='http://10.0.0.2').api is spawner.api


def test_without_these_settings_the_kubeconfig_counts(spawner_of):
    spawner_of(k8s_api_host='http://10.0.0.2', k8s_api_verify_ssl=False)
    assert settings_of(spawner_of().api) == ('http://127.0.0.1:9', None, True)


def test_what_the_spawner_says_still_holds_when_a_token_is_renewed(spawner_of, kubeconfig):
    spawner = spawner_of(k8s_api_host='http://10.0.0.2', k8s_api_verify_ssl=False)
    before = clients.configuration_of(spawner.api)
    kubeconfig.write((KUBECONFIG % 9).replace('secret', 'fresh'))
    clients.renew(spawner.api, before, logging.getLogger())
    after = clients.configuration_of(spawner.api)
    assert after is not before
    assert 'fresh' in str(after.api_key)
    assert settings_of(spawner.api) == ('http://10.0.0.2', None, False)


@pytest.mark.parametrize('trait, value', [
    ('k8s_api_host', '10.0.0.1:6443'), ('k8s_api_host', 'https://'), ('k8s_api_host', 'http://a b'),
    ('k8s_api_ssl_ca_cert', '/nowhere/ca.crt'), ('k8s_api_verify_ssl', 'yes')])
def test_a_setting_of_the_api_that_is_none_is_told_by_its_name(spawner_of, trait, value):
    with pytest.raises(TraitError, match=trait):
        spawner_of(**{trait: value})


# Models


def test_a_model_takes_what_it_is_given_as_it_is():
    made = clients.model('V1ResourceRequirements')(limits={'cpu': 1.5})
    assert clients.to_dict(made) == {'limits': {'cpu': 1.5}}


def test_a_model_does_not_take_what_is_no_field_of_it():
    with pytest.raises((TypeError, ValueError)):
        clients.model('V1EnvVar')(name='A', colour='red')


def test_models_of_equal_values_are_equal():
    first, second = [clients.model('V1EnvVar')(name='A', value='1') for _ in range(2)]
    assert first == second and first != clients.model('V1EnvVar')(name='A', value='2')
