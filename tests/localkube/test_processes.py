"""No process outlives localkube, however it ends and whatever the process has done to get away."""
import contextlib
import os
import signal
import subprocess
import sys
from collections import namedtuple

import pytest

from kubespawner.localkube import LocalKube
from tests.support.waits import until

from .conftest import Client

Address = namedtuple('Address', 'url token')  # what Client needs of a LocalKube

# Starts a process that is a grandchild, in a session of its own, with its output closed and signals ignored.
ESCAPE = """
import os, signal, sys, time
if os.fork():
    time.sleep(1000)
os.setsid()
if os.fork():
    os._exit(0)
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_IGN)
with open(sys.argv[1], 'w') as f:
    f.write(str(os.getpid()))
os.closerange(0, 3)
time.sleep(1000)
"""


def is_running(pid):
    """A zombie that nobody has waited for yet does not run."""
    try:
        with open('/proc/%d/stat' % pid) as f:
            return f.read().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


def start_escaping(client, directory):
    """Start a pod whose process does all it can to get away; return (name of the pod, pid)."""
    path = str(directory.join('pid'))
    name = client.create_pod(command=[sys.executable, '-c', ESCAPE, path])
    until(lambda: os.path.exists(path) and os.path.getsize(path), 'pid of the process')
    with open(path) as f:
        pid = int(f.read())
    assert is_running(pid)
    return name, pid


@pytest.fixture
def child():
    kube = LocalKube(child=True).start()
    yield kube
    kube.stop()


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_localkube_takes_everything_along(child, tmpdir, number):
    _, pid = start_escaping(Client(child), tmpdir)
    os.kill(child.pid, number)
    until(lambda: not is_running(pid), 'the end of process %d' % pid, 5)


def start_elsewhere(child):
    """Start a process that starts a localkube, in a thread or a child; return (Popen, pid of it, a client)."""
    script = ('import time; from kubespawner.localkube import LocalKube; kube = LocalKube(child=%s).start(); '
              'print(kube.pid, kube.url, kube.token, flush=True); time.sleep(1000)' % child)
    process = subprocess.Popen([sys.executable, '-c', script], stdout=subprocess.PIPE, universal_newlines=True)
    pid, url, token = process.stdout.readline().split()
    return process, int(pid), Client(Address(url, token))


@pytest.mark.parametrize('child', [False, True], ids=['thread', 'child'])
def test_localkube_ends_with_the_process_that_started_it(tmpdir, child):
    process, localkube, client = start_elsewhere(child)
    _, pid = start_escaping(client, tmpdir)
    process.kill()
    process.wait()
    process.stdout.close()
    until(lambda: not is_running(localkube), 'the end of localkube', 5)
    until(lambda: not is_running(pid), 'the end of process %d' % pid, 5)


def test_stopped_localkube_takes_everything_along(tmpdir):
    with LocalKube() as kube:
        _, pid = start_escaping(Client(kube), tmpdir)
    assert not is_running(pid)


def test_deleted_pod_takes_everything_along(client, tmpdir):
    name, pid = start_escaping(client, tmpdir)
    client.delete('/api/v1/namespaces/default/pods/' + name)
    client.wait_until_gone(name)
    assert not is_running(pid)


def test_ended_container_takes_everything_along(client, tmpdir):
    path = str(tmpdir.join('pid'))
    name = client.create_pod(command=['sh', '-c', 'setsid sleep 1000 & echo $! > %s; exit 0' % path])
    client.wait_for_phase(name, 'Succeeded')
    with open(path) as f:
        assert not is_running(int(f.read()))


def test_nothing_is_left_on_disk():
    with LocalKube() as kube:
        client = Client(kube)
        name = client.create_pod(command=['pwd'])
        client.wait_for_phase(name, 'Succeeded')
        directory = client.log(name).strip()
        assert os.path.isdir(directory)
    assert not os.path.exists(directory)
    assert not os.path.exists(kube.kubeconfig)


def test_data_stays_where_it_was_asked_to_be(tmpdir):
    for script, said in (('echo kept > file', ''), ('cat file', 'kept\n')):
        with LocalKube(data=str(tmpdir)) as kube:
            client = Client(kube)
            client.create('/api/v1/namespaces/default/persistentvolumeclaims', {
                'metadata': {'name': 'home'},
                'spec': {'accessModes': ['ReadWriteOnce'], 'resources': {'requests': {'storage': '1Gi'}}}})
            name = client.create_pod(command=['sh', '-c', script], volumeMounts=[{'name': 'v', 'mountPath': '/h'}],
                                     spec={'volumes': [{'name': 'v', 'persistentVolumeClaim': {'claimName': 'home'}}]})
            client.wait_for_phase(name, 'Succeeded')
            assert client.log(name) == said


def test_two_localkubes_share_no_address():
    with LocalKube() as one, LocalKube() as two:
        nodes = [Client(kube).get('/api/v1/nodes/localkube') for kube in (one, two)]
    assert nodes[0]['status']['addresses'][0] != nodes[1]['status']['addresses'][0]


def test_foreign_kubeconfig_is_not_overwritten(tmpdir):
    path = tmpdir.join('config')
    path.write('apiVersion: v1\n')
    with pytest.raises(FileExistsError) as caught:
        LocalKube(kubeconfig=str(path)).start()
    assert 'localkube did not write' in str(caught.value)
    assert path.read() == 'apiVersion: v1\n'


def test_data_is_not_shared(tmpdir):
    with LocalKube(data=str(tmpdir)):
        with pytest.raises(OSError) as caught:
            LocalKube(data=str(tmpdir)).start()
    assert 'in use by another localkube' in str(caught.value)


def test_port_that_is_taken_is_told():
    with LocalKube(kubelet=False) as kube:
        port = int(kube.url.rpartition(':')[2])
        with pytest.raises(OSError) as caught:
            LocalKube(port=port).start()
    assert 'port %d of 127.0.0.1 cannot be had' % port in str(caught.value)


def test_kept_connection_ends_with_localkube():
    with LocalKube(kubelet=False) as kube:
        connection, response = Client(kube).request('GET', '/healthz')
        assert response.read() == b'ok'
    with contextlib.suppress(OSError):
        assert connection.sock.recv(1) == b''
    connection.close()
