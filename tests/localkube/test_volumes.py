"""Volumes: which directory a container finds where, and what a pod waits for."""
import os

import pytest

from .conftest import PODS, poll, shell, waiting

CLAIMS = '/api/v1/namespaces/default/persistentvolumeclaims'


def create_claim(client, name):
    client.create(CLAIMS, {'metadata': {'name': name}, 'spec': {
        'accessModes': ['ReadWriteOnce'], 'resources': {'requests': {'storage': '1Gi'}}}})


def with_claim(name):
    return {'volumes': [{'name': 'home', 'persistentVolumeClaim': {'claimName': name}}]}


def test_claims_data_outlives_the_pod(client, name):
    create_claim(client, name)
    mounts = [{'name': 'home', 'mountPath': '/home/jovyan'}]
    first = client.create_pod(spec=with_claim(name), volumeMounts=mounts, **shell('echo kept > file'))
    client.wait_for_phase(first, 'Succeeded')
    client.delete('%s/%s' % (PODS, first))
    second = client.create_pod(spec=with_claim(name), volumeMounts=mounts, **shell('cat "$HOME/file"; rm file'))
    client.wait_for_phase(second, 'Succeeded')
    assert client.log(second) == 'kept\n'


def test_sub_path_and_working_directory_of_a_claim(client, name):
    create_claim(client, name)
    mounts = [{'name': 'home', 'mountPath': '/home/jovyan', 'subPath': 'users/a'}]
    pod = client.create_pod(spec=with_claim(name), volumeMounts=mounts, workingDir='/home/jovyan/work',
                            **shell('echo $HOME; pwd'))
    client.wait_for_phase(pod, 'Succeeded')
    home, directory = client.log(pod).split()
    assert home.endswith('/%s/users/a' % name)
    assert directory == home + '/work'


def test_claim_becomes_bound_and_its_data_goes_with_it(client, name):
    create_claim(client, name)
    poll(lambda: client.get(CLAIMS + '/' + name)['status']['phase'] == 'Bound', 'claim bound')
    claim = client.get(CLAIMS + '/' + name)
    assert claim['status']['capacity'] == {'storage': '1Gi'}
    pod = client.create_pod(spec=with_claim(name), volumeMounts=[{'name': 'home', 'mountPath': '/h'}], **shell('pwd'))
    client.wait_for_phase(pod, 'Succeeded')
    directory = client.log(pod).strip()
    assert os.path.isdir(directory)
    client.delete(CLAIMS + '/' + name)
    poll(lambda: client.call('GET', CLAIMS + '/' + name)[0] == 404, 'claim gone')
    assert not os.path.exists(directory)


def test_deleted_claim_stays_while_a_pod_uses_it(client, name):
    create_claim(client, name)
    pod = client.create_pod(spec=with_claim(name), volumeMounts=[{'name': 'home', 'mountPath': '/h'}],
                            command=['sleep', '100'])
    client.wait_for_ready(pod)
    client.delete(CLAIMS + '/' + name)
    assert 'deletionTimestamp' in client.get(CLAIMS + '/' + name)['metadata']
    client.delete('%s/%s' % (PODS, pod))
    poll(lambda: client.call('GET', CLAIMS + '/' + name)[0] == 404, 'claim gone')


def test_pod_waits_for_its_claim(client, name):
    pod = client.create_pod(spec=with_claim(name), **shell('exit 0'))
    client.wait_for(pod, lambda pod: pod['status'].get('conditions', [{}])[0].get('reason') == 'Unschedulable')
    assert client.events(pod) == [('FailedScheduling', 'persistentvolumeclaim "%s" not found' % name, 1)]
    create_claim(client, name)
    client.wait_for_phase(pod, 'Succeeded')


def test_unknown_kind_of_volume_is_told_not_replaced(client):
    name = client.create_pod(spec={'volumes': [{'name': 'v', 'nfs': {'server': 's', 'path': '/'}}]}, **shell('exit 0'))
    poll(lambda: 'FailedMount' in [reason for reason, _, _ in client.events(name)], 'FailedMount')
    assert 'localkube has no volumes of type nfs' in dict(each[:2] for each in client.events(name))['FailedMount']


# secrets and configmaps

def create_secret(client, name, **data):
    client.create('/api/v1/namespaces/default/secrets', {'metadata': {'name': name}, 'stringData': data})


def with_secret(name, **fields):
    return {'volumes': [{'name': 'v', 'secret': dict({'secretName': name}, **fields)}]}


def test_pod_waits_for_the_secret_of_a_volume(client, name):
    pod = client.create_pod(spec=with_secret(name), **shell('exit 0'))
    message = 'MountVolume.SetUp failed for volume "v" : secret "%s" not found' % name
    poll(lambda: message in [each[1] for each in client.events(pod)], 'FailedMount')
    assert waiting(client.get('%s/%s' % (PODS, pod)))['reason'] == 'ContainerCreating'
    create_secret(client, name, a='1')
    client.wait_for_phase(pod, 'Succeeded')


def test_pod_waits_for_a_key_of_a_secret(client, name):
    create_secret(client, name, a='1')
    pod = client.create_pod(spec=with_secret(name, items=[{'key': 'b', 'path': 'b'}]), **shell('exit 0'))
    message = 'MountVolume.SetUp failed for volume "v" : references non-existent secret key: b'
    poll(lambda: message in [each[1] for each in client.events(pod)], 'FailedMount')


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
