"""Files that come from the API: secrets, config maps, fields of the pod, tokens, and what happens if they change."""
import json
import os

import pytest

from kubespawner.localkube import atomic_files
from tests.support.waits import until

from .conftest import MERGE_PATCH, PODS, shell

SECRETS = '/api/v1/namespaces/default/secrets'
CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
MOUNTS = [{'name': 'v', 'mountPath': '/mnt/never-there'}]


def volume(**source):
    return {'volumes': [dict({'name': 'v'}, **source)]}


@pytest.fixture
def files(client, name):
    """A secret {a: 1, b: 2} and a config map {c: 3} of the test's name."""
    client.create(SECRETS, {'metadata': {'name': name}, 'stringData': {'a': '1', 'b': '2'}})
    client.create(CONFIG_MAPS, {'metadata': {'name': name}, 'data': {'c': '3'}})
    return name


@pytest.fixture
def in_container(client):
    """A function: what a shell script says in a container with the volume at /mnt/never-there."""
    def run(spec, script):
        name = client.create_pod(spec=spec, volumeMounts=MOUNTS, **shell(script))
        client.wait_for_phase(name, 'Succeeded')
        return client.log(name)
    return run


def show(*names):
    return 'cd /mnt/never-there; for each in %s; do echo "$each=$(cat $each)"; done' % ' '.join(names)


def test_several_sources_are_in_one_directory(in_container, files):
    sources = [{'secret': {'name': files, 'items': [{'key': 'a', 'path': 'x/a', 'mode': 0o400}]}},
               {'configMap': {'name': files}},
               {'downwardAPI': {'items': [{'path': 'namespace', 'fieldRef': {'fieldPath': 'metadata.namespace'}}]}},
               {'secret': {'name': 'missing-' + files, 'optional': True}}]
    spec = volume(projected={'sources': sources, 'defaultMode': 0o640})
    assert in_container(spec, show('x/a', 'c', 'namespace') + '; stat -L -c %a x/a c; ls').split() == [
        'x/a=1', 'c=3', 'namespace=default', '400', '640', 'c', 'namespace', 'x']


def test_a_missing_source_is_waited_for(client, files):
    spec = volume(projected={'sources': [{'configMap': {'name': 'missing-' + files}}]})
    name = client.create_pod(spec=spec, volumeMounts=MOUNTS, **shell('cat /mnt/never-there/k'))
    message = 'MountVolume.SetUp failed for volume "v" : configmap "missing-%s" not found' % files
    until(lambda: message in [each[1] for each in client.events(name)], 'FailedMount')
    client.create(CONFIG_MAPS, {'metadata': {'name': 'missing-' + files}, 'data': {'k': 'v'}})
    client.wait_for_phase(name, 'Succeeded')
    assert client.log(name) == 'v'


def test_a_missing_key_is_named(client, files):
    spec = volume(configMap={'name': files, 'items': [{'key': 'z', 'path': 'z'}]})
    name = client.create_pod(spec=spec, volumeMounts=MOUNTS, **shell('exit 0'))
    message = 'MountVolume.SetUp failed for volume "v" : configmap references non-existent config key: z'
    until(lambda: message in [each[1] for each in client.events(name)], 'FailedMount')


def test_what_a_pod_can_read_about_itself(client, name):
    items = [{'path': path, 'fieldRef': {'fieldPath': field}} for path, field in (
        ('labels', 'metadata.labels'), ('annotations', 'metadata.annotations'), ('uid', 'metadata.uid'),
        ('one', "metadata.labels['a']"))]
    items += [{'path': 'cpu', 'resourceFieldRef': {'containerName': 'main', 'resource': 'limits.cpu', 'divisor': '1m'}},
              {'path': 'memory', 'resourceFieldRef': {'containerName': 'main', 'resource': 'requests.memory'}}]
    container = dict({'name': 'main', 'image': 'i', 'volumeMounts': MOUNTS,
                      'resources': {'limits': {'cpu': '250m', 'memory': '64Mi'}}},
                     **shell(show('labels', 'annotations', 'uid', 'one', 'cpu', 'memory')))
    metadata = {'name': name, 'labels': {'b': '2', 'a': '1'}, 'annotations': {'x': 'a "b"'}}
    pod = client.create(PODS, {'metadata': metadata,
                               'spec': dict(volume(downwardAPI={'items': items}), restartPolicy='Never',
                                            containers=[container])})
    client.wait_for_phase(name, 'Succeeded')
    assert client.log(name).splitlines() == [
        'labels=a="1"', 'b="2"', 'annotations=x="a \\"b\\""', 'uid=' + pod['metadata']['uid'], 'one=1', 'cpu=250',
        'memory=%d' % (64 * 2 ** 20)]


def test_variables_from_fields_and_resources(client, name):
    env = [{'name': 'CPU', 'valueFrom': {'resourceFieldRef': {'resource': 'limits.cpu'}}},
           {'name': 'HOSTS', 'valueFrom': {'fieldRef': {'fieldPath': 'status.hostIPs'}}},
           {'name': 'HOST', 'valueFrom': {'fieldRef': {'fieldPath': 'status.hostIP'}}}]
    client.create_pod(name, env=env, **shell('echo $CPU $HOSTS $HOST'))
    client.wait_for_phase(name, 'Succeeded')
    cpu, hosts, host = client.log(name).split()
    assert cpu == client.get('/api/v1/nodes/localkube')['status']['allocatable']['cpu']
    assert hosts == host


def test_changed_secrets_and_config_maps_reach_their_files(client, files):
    sources = [{'secret': {'name': files}}, {'configMap': {'name': files}}]
    name = client.create_pod(files, spec=volume(projected={'sources': sources}), volumeMounts=MOUNTS, **shell(
        'cd /mnt/never-there; until [ "$(cat a)$(cat c)" = 45 ]; do sleep 0.05; done; ls'))
    client.wait_for_phase(name, 'Running')
    client.call('PATCH', '%s/%s' % (SECRETS, files), {'stringData': {'a': '4'}, 'data': {'b': None}}, MERGE_PATCH)
    client.call('PATCH', '%s/%s' % (CONFIG_MAPS, files), {'data': {'c': '5'}}, MERGE_PATCH)
    client.wait_for_phase(name, 'Succeeded')
    assert client.log(name).split() == ['a', 'c']


def test_changed_labels_reach_their_file(client, name):
    items = [{'path': 'labels', 'fieldRef': {'fieldPath': 'metadata.labels'}}]
    client.create_pod(name, spec=volume(downwardAPI={'items': items}), volumeMounts=MOUNTS, **shell(
        'cd /mnt/never-there; until grep -q new labels; do sleep 0.05; done'))
    client.wait_for_phase(name, 'Running')
    client.call('PATCH', '%s/%s' % (PODS, name), {'metadata': {'labels': {'new': 'yes'}}}, MERGE_PATCH)
    client.wait_for_phase(name, 'Succeeded')


def test_a_file_that_is_mounted_alone_stays_as_it_was(client, files):
    mounts = [{'name': 'v', 'mountPath': '/mnt/alone', 'subPath': 'a'}, {'name': 'v', 'mountPath': '/mnt/all'}]
    client.create_pod(files, spec=volume(secret={'secretName': files}), volumeMounts=mounts, **shell(
        'until grep -q 9 /mnt/all/a; do sleep 0.05; done; cat /mnt/alone'))
    client.wait_for_phase(files, 'Running')
    client.call('PATCH', '%s/%s' % (SECRETS, files), {'stringData': {'a': '9'}}, MERGE_PATCH)
    client.wait_for_phase(files, 'Succeeded')
    assert client.log(files) == '1'


def test_a_deleted_secret_leaves_its_files(client, files):
    name = client.create_pod(files, spec=volume(secret={'secretName': files}), volumeMounts=MOUNTS, **shell(
        'cd /mnt/never-there; until [ -e /tmp/%s ]; do sleep 0.05; done; cat a' % files))
    client.wait_for_phase(name, 'Running')
    client.delete('%s/%s' % (SECRETS, files))
    until(lambda: 'FailedMount' in [each[0] for each in client.events(name)], 'FailedMount')
    with open('/tmp/' + files, 'w'):
        pass
    try:
        client.wait_for_phase(name, 'Succeeded')
    finally:
        os.remove('/tmp/' + files)
    assert client.log(name) == '1'


@pytest.mark.parametrize('source, mount, writable', [
    ({'emptyDir': {}}, {}, True), ({'emptyDir': {}}, {'readOnly': True}, False), ({'secret': {}}, {}, False),
    ({'configMap': {}}, {}, False), ({'downwardAPI': {'items': []}}, {}, False),
    ({'projected': {'sources': [{'secret': {}}]}}, {}, False)])
def test_which_volumes_can_be_written_to(client, files, source, mount, writable):
    text = json.dumps(source).replace('"secret": {}', '"secret": {"secretName": "%s", "name": "%s"}' % (files, files))
    text = text.replace('"configMap": {}', '"configMap": {"name": "%s"}' % files)
    name = client.create_pod(spec=volume(**json.loads(text)), volumeMounts=[dict(MOUNTS[0], **mount)], **shell(
        'touch /mnt/never-there/new 2>/dev/null && echo yes || echo no'))
    client.wait_for_phase(name, 'Succeeded')
    assert client.log(name) == ('yes\n' if writable else 'no\n')


def test_files_change_all_at_once(tmp_path):
    directory = str(tmp_path / 'v')
    atomic_files.write(directory, {'a': (b'1', 0o644), 'd/b': (b'2', 0o600)})
    before = os.readlink(os.path.join(directory, '..data'))
    atomic_files.write(directory, {'a': (b'1', 0o644), 'd/b': (b'2', 0o600)})
    assert os.readlink(os.path.join(directory, '..data')) == before
    atomic_files.write(directory, {'c': (b'3', 0o644), 'a': (b'4', 0o600)})
    assert sorted(name for name in os.listdir(directory) if not name.startswith('..')) == ['a', 'c']
    assert atomic_files.read(os.path.join(directory, '..data', '')) == {'a': (b'4', 0o600), 'c': (b'3', 0o644)}
    assert len(os.listdir(directory)) == 4  # the link and its directory are the others
