"""The status of pods as today's kubelets write it, and as those of earlier versions did."""
import pytest

from kubespawner.localkube import podstate

from .conftest import PODS, shell, status


def conditions(pod):
    return [(each['type'], each['status']) for each in pod['status']['conditions']]


def test_the_status_of_a_running_pod(client):
    name = client.create_pod(**shell('sleep 99'))
    pod = client.wait_for_ready(name)
    found = pod['status']
    assert conditions(pod) == [(kind, 'True') for kind in (
        'PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled')]
    assert pod['metadata']['generation'] == found['observedGeneration'] == 1
    assert {each['observedGeneration'] for each in found['conditions']} == {1}
    assert found['hostIPs'] == [{'ip': found['hostIP']}] and found['podIPs'] == [{'ip': found['podIP']}]
    assert found['qosClass'] == 'BestEffort'


def test_a_container_that_waits_has_an_empty_image_id(client):
    name = client.create_pod(image='localkube/missing')
    pod = client.wait_for_reason(name, 'ImagePullBackOff')
    found = status(pod)
    assert (found['imageID'], found['lastState'], found['ready'], found['started'], found['restartCount']) == (
        '', {}, False, False, 0)
    assert 'containerID' not in found and found['image'] == 'localkube/missing'


def test_a_pod_that_has_ended_has_no_network(client):
    pod = client.wait_for_phase(client.create_pod(**shell('exit 0')), 'Succeeded')
    pod = client.wait_for(pod['metadata']['name'], lambda pod: dict(conditions(pod))[
        'PodReadyToStartContainers'] == 'False', 'no network')
    ready = [each for each in pod['status']['conditions'] if each['type'] in ('Ready', 'ContainersReady')]
    assert {(each['status'], each['reason']) for each in ready} == {('False', 'PodCompleted')}


def test_a_pod_that_has_failed_says_so_in_its_conditions(client):
    pod = client.wait_for_phase(client.create_pod(**shell('exit 1')), 'Failed')
    assert {each['reason'] for each in pod['status']['conditions'] if each['status'] == 'False' and
            each['type'] != 'PodReadyToStartContainers'} == {'PodFailed'}


def test_a_pod_that_is_being_deleted_has_another_generation(client):
    name = client.create_pod(**shell('trap "sleep 1; exit 0" TERM; sleep 99 & wait'))
    client.wait_for_phase(name, 'Running')
    assert client.delete('%s/%s' % (PODS, name))['metadata']['generation'] == 2
    pod = client.wait_for(name, lambda pod: pod is None or pod['status']['observedGeneration'] == 2)
    assert pod


def test_an_init_container_is_ready_when_it_has_ended(client):
    init = dict({'name': 'init', 'image': 'i'}, **shell('exit 0'))
    pod = client.wait_for_ready(client.create_pod(spec={'initContainers': [init]}, **shell('sleep 99')))
    assert status(pod, 'initContainerStatuses')['ready'] is True


@pytest.mark.parametrize('version, kinds, reason', [
    ((1, 20), ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'], 'ContainersNotReady'),
    ((1, 28), ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'], 'PodFailed'),
    ((1, 36), ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'], 'PodFailed')])
def test_conditions_are_those_of_the_version(version, kinds, reason):
    ended = {'name': 'main', 'state': {'terminated': {'exitCode': 1}}, 'lastState': {}, 'ready': False}
    found = podstate.conditions('Failed', podstate.Statuses([], [], [ended]), True, (), 'now', version)
    assert [each['type'] for each in found] == kinds
    assert [each['reason'] for each in found if each['type'] == 'Ready'] == [reason]
