"""Volumes at their mount paths, for the processes of the pod and nobody else. Skipped where the machine has no way."""
import logging
import os
import subprocess
import sys
import tempfile

import pytest

from kubespawner.localkube import LocalKube, mount_namespace
from kubespawner.localkube.filesystems import why_no_namespaces

from .conftest import PODS, create_claim, shell, status, with_claim

needs_namespaces = pytest.mark.skipif(bool(why_no_namespaces()), reason='this machine allows no mount namespaces')
SECRETS = '/api/v1/namespaces/default/secrets'


@pytest.fixture
def output(client):
    """A function: run a script in a pod with volumes, and return what it printed."""
    def run(script, volumes, mounts, **container):
        name = client.create_pod(spec={'volumes': volumes}, volumeMounts=mounts, **shell(script, **container))
        client.wait_for_phase(name, 'Succeeded')
        return client.log(name)
    return run


@needs_namespaces
@pytest.mark.parametrize('path', ['/home/jovyan', '/never-there', '/usr/share/never/there', '/etc/never'])
def test_claim_is_at_its_mount_path_and_at_no_path_of_the_machine(client, name, path):
    assert not os.path.exists(path)
    create_claim(client, name)
    mounts = [{'name': 'home', 'mountPath': path}]
    for script, said in (('echo kept > %s/file' % path, ''), ('pwd; echo $HOME; cat %s/file' % path,
                                                            '%s\n%s\nkept\n' % (path, path))):
        pod = client.create_pod(spec=with_claim(name), volumeMounts=mounts, **shell(script))
        client.wait_for_phase(pod, 'Succeeded')
        assert client.log(pod) == said
    assert not os.path.exists(path)


@needs_namespaces
def test_what_is_beside_a_mount_path_stays_visible(output):
    volumes, mounts = [{'name': 'v', 'emptyDir': {}}], [{'name': 'v', 'mountPath': '/never-there/a/b'}]
    script = 'ls / | grep -v never-there; ls /usr; test -w /never-there/a/b && test -e /proc/self/status && echo fine'
    expected = sorted(os.listdir('/')) + sorted(os.listdir('/usr')) + ['fine']
    assert set(output(script, volumes, mounts).split()) >= {each for each in expected if not each.startswith('.')}


@needs_namespaces
def test_volume_can_be_in_another_volume_and_hide_a_directory(output):
    volumes = [{'name': 'a', 'emptyDir': {}}, {'name': 'b', 'emptyDir': {}}]
    mounts = [{'name': 'b', 'mountPath': '/usr/share/inner'}, {'name': 'a', 'mountPath': '/usr/share'}]
    assert output('echo 1 > /usr/share/inner/x; ls /usr/share; ls /usr/share/inner', volumes, mounts) == 'inner\nx\n'


@needs_namespaces
def test_working_directory_is_made(output):
    volumes, mounts = [{'name': 'v', 'emptyDir': {}}], [{'name': 'v', 'mountPath': '/home/jovyan'}]
    assert output('pwd', volumes, mounts, workingDir='/home/jovyan/work') == '/home/jovyan/work\n'
    assert output('pwd', volumes, mounts, workingDir='/never/there') == '/never/there\n'


@needs_namespaces
def test_containers_and_probes_share_a_volume(client):
    volumes, mounts = [{'name': 'v', 'emptyDir': {}}], [{'name': 'v', 'mountPath': '/shared-by-all'}]
    other = dict(shell('touch /shared-by-all/up; sleep 100'), name='other', image='i', volumeMounts=mounts)
    probe = {'exec': {'command': ['test', '-e', '/shared-by-all/up']}, 'periodSeconds': 1}
    name = client.create_pod(spec={'volumes': volumes, 'containers': [
        other, dict(shell('sleep 100'), name='main', image='i', volumeMounts=mounts, readinessProbe=probe)]})
    client.wait_for_ready(name)
    client.delete('%s/%s' % (PODS, name), gracePeriodSeconds=0)


@needs_namespaces
def test_secret_is_read_only_and_has_the_modes_that_were_asked_for(client, output, name):
    client.create(SECRETS, {'metadata': {'name': name}, 'stringData': {'key': 'hush', 'cert': 'x', 'other': 'y'}})
    items = [{'key': 'key', 'path': 'tls/key', 'mode': 0o400}, {'key': 'cert', 'path': 'cert'}]
    volumes = [{'name': 'v', 'secret': {'secretName': name, 'items': items, 'defaultMode': 0o444}}]
    script = ('cd /etc/never/hub-ssl; stat -L -c "%n %a" cert tls/key; cat tls/key; echo; ls; '
              'touch new 2> /dev/null || echo refused')
    assert output(script, volumes, [{'name': 'v', 'mountPath': '/etc/never/hub-ssl'}]).split() == [
        'cert', '444', 'tls/key', '400', 'hush', 'cert', 'tls', 'refused']


@needs_namespaces
def test_one_file_of_a_secret_by_its_sub_path(client, output, name):
    client.create(SECRETS, {'metadata': {'name': name}, 'stringData': {'hosts.conf': 'one'}})
    volumes = [{'name': 'v', 'secret': {'secretName': name}}]
    mounts = [{'name': 'v', 'mountPath': '/etc/never/here.conf', 'subPath': 'hosts.conf'}]
    assert output('cat /etc/never/here.conf; ls /etc/never', volumes, mounts) == 'onehere.conf\n'


@needs_namespaces
def test_sub_path_expression_takes_variables(client, output, name):
    create_claim(client, name)
    volumes = with_claim(name)['volumes']
    mounts = [{'name': 'home', 'mountPath': '/never-there', 'subPathExpr': 'of/$(POD)'},
              {'name': 'home', 'mountPath': '/never-whole'}]
    env = [{'name': 'POD', 'valueFrom': {'fieldRef': {'fieldPath': 'metadata.namespace'}}}]
    assert output('touch /never-there/x; find /never-whole -type f', volumes, mounts, env=env) == (
        '/never-whole/of/default/x\n')


@needs_namespaces
def test_read_only_mount(output):
    volumes = [{'name': 'v', 'emptyDir': {}}]
    mounts = [{'name': 'v', 'mountPath': '/never-there', 'readOnly': True}]
    assert 'refused' in output('touch /never-there/x || echo refused', volumes, mounts)


@needs_namespaces
def test_mount_that_is_impossible_is_told(client):
    name = client.create_pod(spec={'volumes': [{'name': 'v', 'emptyDir': {}}]}, command=['true'],
                             volumeMounts=[{'name': 'v', 'mountPath': '/'}])
    terminated = status(client.wait_for_phase(name, 'Failed'))['state']['terminated']
    assert (terminated['reason'], terminated['exitCode']) == ('StartError', 128)
    assert 'a volume cannot replace the root directory' in terminated['message']


@pytest.mark.parametrize('mounts, said', [
    (False, 'it was started with --no-mounts'), pytest.param(True, 'Volumes are at their mount paths',
                                                             marks=needs_namespaces)])
def test_start_says_once_where_volumes_are(caplog, mounts, said):
    with caplog.at_level(logging.INFO), LocalKube(mounts=mounts):
        pass
    assert len([record for record in caplog.records if said in record.getMessage()]) == 1


@needs_namespaces
@pytest.mark.skipif(os.geteuid() != 0, reason='only root can become another user')
def test_another_user_needs_user_namespaces_only():
    """Where the machine has none, this says so, and localkube falls back."""
    code = """
import ctypes, os, stat, sys, tempfile  # while the user can still read the standard library
with open(%r) as f:
    source = f.read()
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
names = {'__name__': 'x'}
exec(source, names)
names['arrange'](%r, [[%r, '/never-there/v', True]], ['/never/cwd'])
print(os.path.isdir('/never/cwd'), os.getuid(), *(os.access('/never-there/v', mode) for mode in (os.R_OK, os.W_OK)))
"""
    with tempfile.TemporaryDirectory() as directory:
        stage, volume = os.path.join(directory, 'stage'), os.path.join(directory, 'volume')
        for path in (stage, volume):
            os.mkdir(path)
            os.chown(path, 65534, 65534)
        os.chmod(directory, 0o755)
        done = subprocess.run([sys.executable, '-S', '-c', code % (mount_namespace.__file__, stage, volume)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    if 'unshare' in done.stderr:
        pytest.skip('this machine has no user namespaces: ' + done.stderr[-300:])
    assert done.stdout == 'True 65534 True False\n', done.stderr
