"""EndpointSlices: which pods of a Service they show, and when they go."""
import pytest

from tests.support.waits import until

from .conftest import PODS, shell

SERVICES = '/api/v1/namespaces/default/services'
SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices'


@pytest.fixture
def service(client, name):
    """A service of the test's name, which selects pods with the label app=NAME."""
    return client.create(SERVICES, {'metadata': {'name': name, 'labels': {'of': 'test'}}, 'spec': {
        'selector': {'app': name}, 'ports': [{'port': 80, 'targetPort': 'web', 'name': 'http'}]}})


def create_pod(client, name, app, **container):
    container = dict({'name': 'main', 'image': 'i', 'ports': [{'name': 'web', 'containerPort': 8080}]},
                     **dict(shell('trap "sleep 1; exit 0" TERM; sleep 99 & wait'), **container))
    client.create(PODS, {'metadata': {'name': name, 'labels': {'app': app}}, 'spec': {'containers': [container]}})
    return client.wait_for_phase(name, 'Running')


def slices(client, name):
    return client.get(SLICES + '?labelSelector=kubernetes.io/service-name=' + name)['items']


def conditions(client, name):
    return [each['conditions'] for found in slices(client, name) for each in found.get('endpoints', ())]


def test_a_slice_shows_the_ready_pods_of_a_service(client, service, name):
    pod = create_pod(client, name, name)
    client.wait_for_ready(name)
    until(lambda: {'ready': True, 'serving': True, 'terminating': False} in conditions(client, name), 'the endpoint')
    found, = slices(client, name)
    assert found['metadata']['labels'] == {
        'of': 'test', 'kubernetes.io/service-name': name,
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io'}
    assert found['metadata']['name'].startswith(name + '-') and found['addressType'] == 'IPv4'
    assert found['ports'] == [{'name': 'http', 'port': 8080, 'protocol': 'TCP'}]
    endpoint, = found['endpoints']
    assert endpoint['addresses'] == [pod['status']['podIP']] and endpoint['nodeName'] == 'localkube'
    assert endpoint['targetRef']['uid'] == pod['metadata']['uid']


def test_a_pod_that_is_not_ready_or_ends_is_shown_as_such(client, service, name):
    create_pod(client, name, name, readinessProbe={'exec': {'command': ['false']}})
    until(lambda: conditions(client, name) == [{'ready': False, 'serving': False, 'terminating': False}], 'not ready')
    client.delete('%s/%s' % (PODS, name))
    until(lambda: conditions(client, name) == [{'ready': False, 'serving': False, 'terminating': True}], 'terminating')
    until(lambda: conditions(client, name) == [], 'no endpoint')
    assert len(slices(client, name)) == 1


def test_a_slice_goes_with_its_service(client, service, name):
    until(lambda: slices(client, name), 'the slice')
    client.delete('%s/%s' % (SERVICES, name))
    until(lambda: not slices(client, name), 'no slice')


def test_a_service_without_a_selector_has_no_slice(client, name):
    client.create(SERVICES, {'metadata': {'name': name}, 'spec': {'ports': [{'port': 80}]}})
    client.create(SERVICES, {'metadata': {'name': name + '-2'}, 'spec': {
        'selector': {'a': name}, 'ports': [{'port': 80}]}})
    until(lambda: slices(client, name + '-2'), 'the slice of a later service')
    assert slices(client, name) == []
