"""The API over TLS, what of it is on disk, and plain HTTP where the package trustme is missing."""
import os
import re
import signal
import ssl
import stat
import subprocess
import sys
import tempfile

import pytest
from kubernetes import client as kubernetes_client
from kubernetes import config

from kubespawner.localkube import LocalKube
from tests.support.waits import until

from .conftest import PATIENCE
from .test_kubectl import KUBECTL, WITHOUT

# Runs localkube as `python -m` does, on a Python that has no trustme.
WITHOUT_TRUSTME = """
import runpy, sys
sys.modules['trustme'] = None
runpy.run_module('kubespawner.localkube', run_name='__main__')
"""
# Lists pods as a client of the kubeconfig that is its argument, and is killed.
KILLED_CLIENT = """
import os, signal, sys
from kubernetes import client, config
api_client = config.new_client_from_config(config_file=sys.argv[1])
client.CoreV1Api(api_client).list_namespaced_pod(namespace='default')
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def temporary(tmpdir, monkeypatch):
    """The directory for what is temporary, and for what is private, here and in child processes."""
    directory = tmpdir.mkdir('temporary')
    directory.chmod(0o700)
    monkeypatch.setenv('XDG_RUNTIME_DIR', str(directory))
    monkeypatch.setattr(tempfile, 'tempdir', str(directory))
    monkeypatch.setenv('TMPDIR', str(directory))
    return directory


@pytest.fixture
def plain(monkeypatch):
    """A localkube on a Python without trustme."""
    monkeypatch.setitem(sys.modules, 'trustme', None)
    with LocalKube(kubelet=False) as kube:
        yield kube


def namespaces(kube):
    """Return the names that the official client lists with the kubeconfig."""
    api_client = config.new_client_from_config(config_file=kube.kubeconfig)
    return [each.metadata.name for each in kubernetes_client.CoreV1Api(api_client).list_namespace().items]


def test_the_kubeconfig_names_the_certificate_to_trust(kube):
    assert kube.url.startswith('https://127.0.0.1:')
    assert 'default' in namespaces(kube)


def test_each_localkube_has_a_certificate_of_its_own(kube):
    with LocalKube(kubelet=False) as other:
        with open(kube.kubeconfig) as f:
            kubeconfig = f.read()
        with open(other.kubeconfig, 'w') as f:
            f.write(kubeconfig.replace(kube.url, other.url))
        with pytest.raises(Exception, match='(?i)certificate.verify.failed'):
            namespaces(other)


def test_a_private_key_is_on_disk_only_while_it_is_read_and_for_its_owner_only(temporary, monkeypatch):
    modes, load = {}, ssl.SSLContext.load_cert_chain

    def recorded(self, path, *arguments):
        modes[path] = [stat.S_IMODE(os.stat(each).st_mode) for each in (path, os.path.dirname(path))]
        return load(self, path, *arguments)

    monkeypatch.setattr(ssl.SSLContext, 'load_cert_chain', recorded)
    with LocalKube(kubelet=False):
        (path, found), = modes.items()
        assert found == [0o600, 0o700]
        files = [os.path.join(folder, name) for folder, _, names in os.walk(str(temporary)) for name in names]
        assert path.startswith(str(temporary)) and path not in files
        assert not [name for name in files if b'PRIVATE KEY' in open(name, 'rb').read()]


@pytest.mark.parametrize('child', [False, True], ids=['thread', 'child'])
def test_nothing_is_left_in_the_temporary_directory(temporary, child):
    with LocalKube(kubelet=False, child=child) as kube:
        assert kube.requests() == []
    assert temporary.listdir() == []


def test_nothing_is_left_in_the_directory_for_data_but_data(tmpdir):
    with LocalKube(kubelet=False, data=str(tmpdir)):
        assert 'tls' in os.listdir(str(tmpdir))
    assert 'tls' not in os.listdir(str(tmpdir))


@pytest.mark.parametrize('data', [None, 'data'])
def test_nothing_is_left_of_one_that_could_not_start(temporary, tmpdir, data):
    with LocalKube(kubelet=False) as kube:
        arguments = ['--port', kube.url.rpartition(':')[2], '--kubeconfig', str(tmpdir.join('kubeconfig'))]
        arguments += ['--data', str(tmpdir.join(data))] if data else []
        before = temporary.listdir()
        done = subprocess.run([sys.executable, '-m', 'kubespawner.localkube'] + arguments, stderr=subprocess.PIPE,
                              universal_newlines=True, timeout=PATIENCE)
        assert done.returncode and 'cannot be had' in done.stderr
        assert temporary.listdir() == before
        assert not tmpdir.join('kubeconfig').exists() and not tmpdir.join('data', 'tls').exists()


def test_what_is_left_of_one_that_was_killed_goes_with_the_next(temporary, tmpdir):
    kubeconfig = tmpdir.join('kubeconfig')
    process = subprocess.Popen([sys.executable, '-m', 'kubespawner.localkube', '--kubeconfig', str(kubeconfig)],
                               stdout=subprocess.DEVNULL)
    until(kubeconfig.exists, 'the kubeconfig')
    process.kill()
    process.wait()
    assert len(temporary.listdir()) == 1
    with LocalKube(kubelet=False, child=True, kubeconfig=str(kubeconfig), data=str(tmpdir.join('data'))) as kube:
        assert kube.requests() == []
    with LocalKube(kubelet=False):
        pass
    assert temporary.listdir() == []


def test_a_killed_client_leaves_no_certificate_behind(temporary):
    with LocalKube(kubelet=False) as kube:
        before = temporary.listdir()
        code = subprocess.run([sys.executable, '-c', KILLED_CLIENT, kube.kubeconfig], timeout=PATIENCE).returncode
        assert code == -signal.SIGKILL
        assert temporary.listdir() == before


def test_a_directory_of_any_name_will_do(tmpdir):
    with LocalKube(kubelet=False, data=str(tmpdir.join('a "b" \\ #ä: {c}\''))) as kube:
        assert kube.requests() == [] and 'default' in namespaces(kube)


# without trustme

def test_without_trustme_clients_get_plain_http(plain):
    assert plain.url.startswith('http://127.0.0.1:')
    assert 'default' in namespaces(plain)
    assert [path for _, path in plain.requests()] == ['/api/v1/namespaces']


def test_without_trustme_one_sentence_says_what_does_not_work(caplog, plain):
    warning, = [record.getMessage() for record in caplog.get_records('setup') if record.levelname == 'WARNING']
    assert re.search(r'plain HTTP.* trustme .*\[demo\].* kubectl does not', warning)


@pytest.mark.skipif(not KUBECTL, reason=WITHOUT)
def test_without_trustme_kubectl_sends_no_token(plain):
    done = subprocess.run([KUBECTL, '--kubeconfig', plain.kubeconfig, 'get', 'nodes'], timeout=60,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode and b'must be logged in' in done.stdout


def test_without_trustme_the_command_says_so_and_does_not_advise_kubectl(tmpdir):
    printed = tmpdir.join('printed')
    arguments = ['--kubeconfig', str(tmpdir.join('kubeconfig'))]
    with printed.open('w') as output:
        process = subprocess.Popen([sys.executable, '-c', WITHOUT_TRUSTME] + arguments, stdout=output,
                                   stderr=subprocess.PIPE, universal_newlines=True)
    until(lambda: 'http://127.0.0.1:' in printed.read(), 'the URL that the command prints')
    process.send_signal(signal.SIGTERM)
    _, logged = process.communicate(timeout=PATIENCE)
    assert 'kubectl' not in printed.read()
    assert logged.count('localkube serves plain HTTP') == 1
