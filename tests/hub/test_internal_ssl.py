"""A hub with internal_ssl: users reach their servers, whose pods have certificates and tokens from Secrets.

JupyterHub starts the proxy itself here, with certificates. That takes the configurable-http-proxy of Node.js, because
the one in Python does not encrypt. The hub and the proxy know the names of Services in a mount namespace of theirs: on
a localkube by /etc/hosts, on a real node by the cluster's name server.
"""
import json
import os
import shutil
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from functools import partial

import jupyterhub
import pytest
from kubernetes.client.rest import ApiException

from tests.cluster.conftest import COMPANION_RIGHTS, additional_rights
from tests.support.certificates import decoded
from tests.support.cluster_names import with_cluster_names

from .browser import until
from .conftest import Hub, claimable_directories, containers

CONFIG = """
c.JupyterHub.internal_ssl = True
c.JupyterHub.internal_certs_location = {certificates!r}
c.JupyterHub.trusted_alt_names = ['IP:127.0.0.1', 'IP:{hub_ip}']
c.ConfigurableHTTPProxy.should_start = True
c.ConfigurableHTTPProxy.api_url = 'https://127.0.0.1:{api_port}'
c.KubeSpawner.secret_environment = True
"""


def can_mount():
    """Return whether this process may have a mount namespace of its own."""
    command = ['unshare', '--mount', 'mount', '--bind', '/etc/hosts', '/etc/hosts']
    return shutil.which('unshare') is not None and subprocess.call(command, stderr=subprocess.DEVNULL) == 0


class Names(threading.Thread):
    """Keeps a file up to date that is /etc/hosts with the names of the Services of a namespace."""

    def __init__(self, path, core, namespace):
        super().__init__(daemon=True)
        self.path, self.core, self.namespace, self.ended = path, core, namespace, threading.Event()
        with open('/etc/hosts') as f:
            self.first = f.read().rstrip('\n') + '\n'
        self.write('')

    def write(self, lines):
        with open(self.path, 'r+' if os.path.exists(self.path) else 'w') as f:  # the same file: it is mounted
            f.write(self.first + lines)
            f.truncate()

    def run(self):
        known = ''
        while not self.ended.wait(0.2):
            answer = self.core.list_namespaced_service(namespace=self.namespace, _preload_content=False)
            lines = ''.join('%s %s.%s.svc.cluster.local\n' % (
                service['spec']['clusterIP'], service['metadata']['name'], self.namespace)
                for service in json.loads(answer.data.decode('utf8'))['items'])
            if lines != known:
                known = lines
                self.write(lines)


class EncryptedHub(Hub):
    """A hub that starts its own proxy."""

    def start_proxy(self):
        pass


def with_hosts(path, command):
    """Return the command that runs `command`, a list of words, with the file `path` as its /etc/hosts."""
    return ['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', path] + list(command)


@contextmanager
def names_known(directory, core, namespace):
    """While it lasts, the file that is returned is /etc/hosts with the names of a localkube's Services."""
    path = os.path.join(directory, 'hosts')
    names = Names(path, core, namespace)
    names.start()
    try:
        yield path
    finally:
        names.ended.set()


def encrypted(directory, namespace, hub_ip, more, wrap):
    """Return an EncryptedHub whose certificates are in a directory."""
    hub = EncryptedHub(directory, namespace, hub_ip, more, wrap)
    with open(hub.config, 'a') as f:
        f.write(CONFIG.format(certificates=os.path.join(directory, 'internal-ssl'), **vars(hub)))
    return hub


@pytest.fixture(scope='module')
def hub(request, cluster, core, namespace):
    """A running hub with internal_ssl."""
    if jupyterhub.version_info < (1, 0):
        pytest.skip('internal_ssl is a setting of JupyterHub 1.0')
    if shutil.which('configurable-http-proxy') is None or not can_mount():
        pytest.skip('needs configurable-http-proxy (Node.js) and the right to mount')
    gateway = request.config.getoption('--pod-gateway')
    with tempfile.TemporaryDirectory() as directory:
        if gateway:
            with additional_rights(core, namespace, cluster.hub_kubeconfig, COMPANION_RIGHTS), claimable_directories(
                    core, directory), encrypted(
                    directory, namespace, gateway, containers(), partial(with_cluster_names, gateway)) as hub:
                yield hub
        elif cluster.is_localkube:
            with additional_rights(core, namespace, cluster.hub_kubeconfig, COMPANION_RIGHTS), names_known(
                    directory, core, namespace) as hosts, encrypted(
                    directory, namespace, '127.0.0.1', '', partial(with_hosts, hosts)) as hub:
                yield hub
        else:
            pytest.skip('needs a node: a localkube, or --pod-gateway')


@pytest.fixture
def ann(hub):
    """A user, whose servers are gone when the test has ended."""
    ann = hub.user('ann')
    yield ann
    for server in ann.servers():
        ann.stop(server)


@pytest.fixture
def read(core, namespace):
    """`read(kind, name)` returns an object as a dict, None if there is none."""
    def read(kind, name):
        try:
            answer = getattr(core, 'read_namespaced_' + kind)(name=name, namespace=namespace, _preload_content=False)
        except ApiException as e:
            assert e.status == 404
            return None
        return json.loads(answer.data.decode('utf8'))

    return read


@pytest.mark.parametrize('server', ['', 'gpu'])
def test_a_cell_runs_through_encrypted_connections_and_no_secret_is_told(hub, ann, read, server):
    name = 'jupyter-ann' + ('--' + server if server else '')
    ann.start(server)
    assert ann.run(ann.new_kernel(server), '6*7', server) == '42'
    pod, secret = read('pod', name), read('secret', name)
    values = decoded(secret)
    assert values['ssl.key'].startswith('-----BEGIN') and len(values['JUPYTERHUB_API_TOKEN']) > 20
    for text in (json.dumps(pod), hub.logged()):
        assert values['JUPYTERHUB_API_TOKEN'] not in text
        assert all(line not in text for line in values['ssl.key'].splitlines() if len(line) > 40)
    ann.stop(server)
    until(lambda: read('secret', name) is None and read('service', name) is None, 60, 'the garbage collector')


def test_a_server_that_starts_again_has_another_key(ann, read):
    keys = []
    for _ in range(2):
        ann.start()
        keys.append(decoded(read('secret', 'jupyter-ann'))['ssl.key'])
        ann.stop()
    assert keys[0] != keys[1]


def test_a_server_outlives_its_hub(hub, ann, read):
    ann.start()
    uid = read('pod', 'jupyter-ann')['metadata']['uid']
    hub.kill()
    hub.start()
    ann.wait_for()
    assert read('pod', 'jupyter-ann')['metadata']['uid'] == uid
    assert ann.run(ann.new_kernel(), '6*7') == '42'
