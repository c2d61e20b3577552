"""Volumes: which directory a container finds where, and what a pod waits for."""
import os

import pytest

from kubespawner.localkube import LocalKube
from tests.support.waits import until

from .conftest import CLAIMS, PODS, Client, create_claim, shell, waiting, with_claim


@pytest.fixture(scope='module')
def shared():
    """A client of a localkube whose pods have no mount namespaces."""
    with LocalKube(mounts=False) as kube:
        yield Client(kube)


def test_claims_data_outlives_the_pod(client, name):
    create_claim(client, name)
    mounts = [{'name': 'home', 'mountPath': '/home/jovyan'}]
    first = client.create_pod(spec=with_claim(name), volumeMounts=mounts, **shell('echo kept > file'))
    client.wait_for_phase(first, 'Succeeded')
    client.delete('%s/%s' % (PODS, first))
    second = client.create_pod(spec=with_claim(name), volumeMounts=mounts, **shell('cat "$HOME/file"; rm file'))
    client.wait_for_phase(second, 'Succeeded')
    assert client.log(second) == 'kept\n'


def test_unmounted_claim_is_the_home_directory(shared, name):
    create_claim(shared, name)
    mounts = [{'name': 'home', 'mountPath': '/home/jovyan', 'subPath': 'users/a'}]
    pod = shared.create_pod(spec=with_claim(name), volumeMounts=mounts, workingDir='/home/jovyan/work',
                            **shell('echo $HOME; pwd'))
    shared.wait_for_phase(pod, 'Succeeded')
    home, directory = shared.log(pod).split()
    assert home.endswith('/%s/users/a' % name)
    assert directory == home + '/work'


def test_claim_becomes_bound_and_its_data_goes_with_it(shared, name):
    create_claim(shared, name)
    until(lambda: shared.get(CLAIMS + '/' + name)['status']['phase'] == 'Bound', 'claim bound')
    claim = shared.get(CLAIMS + '/' + name)
    assert claim['status']['capacity'] == {'storage': '1Gi'}
    pod = shared.create_pod(spec=with_claim(name), volumeMounts=[{'name': 'home', 'mountPath': '/h'}], **shell('pwd'))
    shared.wait_for_phase(pod, 'Succeeded')
    directory = shared.log(pod).strip()
    assert os.path.isdir(directory)
    shared.delete(CLAIMS + '/' + name)
    until(lambda: shared.call('GET', CLAIMS + '/' + name)[0] == 404, 'claim gone')
    assert not os.path.exists(directory)


def test_pod_waits_for_its_claim(client, name):
    pod = client.create_pod(spec=with_claim(name), **shell('exit 0'))
    client.wait_for(pod, lambda pod: pod['status'].get('conditions', [{}])[0].get('reason') == 'Unschedulable')
    message = '0/1 nodes are available: persistentvolumeclaim "%s" not found. %s' % (
        name, 'preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.')
    assert client.events(pod) == [('FailedScheduling', message, 1)]
    create_claim(client, name)
    client.wait_for_phase(pod, 'Succeeded')


def test_unknown_kind_of_volume_is_told_not_replaced(client):
    name = client.create_pod(spec={'volumes': [{'name': 'v', 'nfs': {'server': 's', 'path': '/'}}]}, **shell('exit 0'))
    until(lambda: 'FailedMount' in [reason for reason, _, _ in client.events(name)], 'FailedMount')
    assert 'localkube has no volumes of type nfs' in dict(each[:2] for each in client.events(name))['FailedMount']


# secrets and configmaps

def create_secret(client, name, **data):
    client.create('/api/v1/namespaces/default/secrets', {'metadata': {'name': name}, 'stringData': data})


def with_secret(name, **fields):
    return {'volumes': [{'name': 'v', 'secret': dict({'secretName': name}, **fields)}]}


def test_pod_waits_for_the_secret_of_a_volume(client, name):
    pod = client.create_pod(spec=with_secret(name), **shell('exit 0'))
    message = 'MountVolume.SetUp failed for volume "v" : secret "%s" not found' % name
    until(lambda: message in [each[1] for each in client.events(pod)], 'FailedMount')
    assert waiting(client.get('%s/%s' % (PODS, pod)))['reason'] == 'ContainerCreating'
    create_secret(client, name, a='1')
    client.wait_for_phase(pod, 'Succeeded')


def test_pod_waits_for_a_key_of_a_secret(client, name):
    create_secret(client, name, a='1')
    pod = client.create_pod(spec=with_secret(name, items=[{'key': 'b', 'path': 'b'}]), **shell('exit 0'))
    message = 'MountVolume.SetUp failed for volume "v" : references non-existent secret key: b'
    until(lambda: message in [each[1] for each in client.events(pod)], 'FailedMount')


@pytest.mark.parametrize('items', [None, [{'key': 'a', 'path': 'a'}]])
def test_optional_secret_is_not_waited_for(client, name, items):
    pod = client.create_pod(spec=with_secret(name, optional=True, **({'items': items} if items else {})),
                            **shell('exit 0'))
    client.wait_for_phase(pod, 'Succeeded')


def test_container_waits_for_all_variables_of_a_secret(client, name):
    client.create_pod(name, envFrom=[{'secretRef': {'name': name}}], **shell('echo $A'))
    pod = client.wait_for_reason(name, 'CreateContainerConfigError')
    assert waiting(pod)['message'] == 'secret "%s" not found' % name
    assert 'Error: secret "%s" not found' % name in [each[1] for each in client.events(name)]
    create_secret(client, name, A='here')
    client.wait_for_phase(name, 'Succeeded')
    assert client.log(name) == 'here\n'
