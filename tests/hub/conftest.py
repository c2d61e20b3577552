"""A real hub with a real proxy, as processes of their own, that spawns on the cluster under test."""
import glob
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import partial

import jupyterhub
import pytest
from kubernetes import client

from kubespawner.commands.demo import configuration
from kubespawner.commands.demo.network import any_free_port, port_answers
from tests import machine
from tests.cluster.conftest import kube  # noqa: F401
from tests.support import lighter, preloaded
from tests.support.cluster_names import with_cluster_names

from .browser import Browser, until

# Whoever reaches the hub of a test may log in, under any name, with any password.
ANYONE = """
from jupyterhub.auth import Authenticator
from tornado import gen


class Anyone(Authenticator):
    @gen.coroutine
    def authenticate(self, handler, data):
        return data['username']


c.JupyterHub.authenticator_class = Anyone
if hasattr(Authenticator, 'allow_all'):
    c.Authenticator.allow_all = True
"""

# A hub that leaves its servers running when it ends, for the next one to find.
CONFIG = ANYONE + configuration.CONFIG + """
c.JupyterHub.cleanup_servers = False
c.Spawner.http_timeout = 180
"""

# Since 1.0, JupyterHub finds spawners by the name of their entry point.
SPAWNER_CLASS = 'kubespawner' if jupyterhub.version_info >= (1, 0) else 'kubespawner.KubeSpawner'


class Hub:
    """A hub and its proxy. The proxy outlives a hub that is killed, as it does in a deployment.

    `wrap(command)` returns how both are run as processes: the command that runs a command. A hub without it has its
    libraries preloaded.
    """

    def __init__(self, directory, namespace, hub_ip='127.0.0.1', more='', wrap=None):
        self.directory, self.hub_ip, self.wrap = directory, hub_ip, wrap
        self.port, self.hub_port, self.api_port = [any_free_port() for _ in range(3)]
        self.url = 'http://127.0.0.1:%d' % self.port
        self.log = os.path.join(directory, 'hub.log')
        self.config = os.path.join(directory, 'jupyterhub_config.py')
        values = dict(vars(self), namespace=namespace, spawner_class=SPAWNER_CLASS, start_timeout=300,
                      args=configuration.arguments_for_this_user())
        servers = lighter.CONFIG if hub_ip == '127.0.0.1' else ''  # else they are not on this machine
        with open(self.config, 'w') as f:
            f.write(servers + CONFIG.format(**values) + more)
        self.env = dict(os.environ, CONFIGPROXY_AUTH_TOKEN='token-of-the-tests')
        self.hub = self.proxy = None

    def __enter__(self):
        self.start_proxy()
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc_info):
        processes = [process for process in (self.hub, self.proxy) if process is not None]
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _process(self, command, log):
        wrap = self.wrap or list
        with open(os.path.join(self.directory, log), 'a') as f:
            return subprocess.Popen(wrap([str(word) for word in command]), cwd=self.directory, env=self.env,
                                    stdout=f, stderr=subprocess.STDOUT)

    def start_proxy(self):
        """Start the proxy."""
        self.proxy = self._process([
            sys.executable, '-m', 'kubespawner.commands.demo.proxy', '--port', self.port, '--api-port', self.api_port,
            '--default-target', 'http://%s:%d' % (self.hub_ip, self.hub_port)], 'proxy.log')
        until(lambda: port_answers(('127.0.0.1', self.api_port)), 60, 'the proxy')  # some hubs end if it is not there

    def start(self):
        """Start the hub and return when it answers through the proxy."""
        self.launch()
        self.wait()

    def launch(self):
        """Start the hub."""
        words = ['-m', 'jupyterhub', '-f', self.config]
        if self.wrap:
            self.hub = self._process([sys.executable] + words, 'hub.log')
        else:
            self.hub = preloaded.start(words, self.directory, self.env, self.log, self.log)

    def wait(self):
        """Return when the hub answers through the proxy."""
        user = Browser(self.url, 'nobody')
        until(lambda: self._alive() and user.session.get(self.url + '/hub/login', timeout=5).status_code == 200,
              60, 'the hub')

    def _alive(self):
        assert self.hub.poll() is None, 'the hub has ended:\n' + self.logged()
        return True

    def logged(self):
        with open(self.log) as f:
            return f.read()

    def kill(self):
        """End the hub as a crash would."""
        os.kill(self.hub.pid, signal.SIGKILL)
        self.hub.wait()

    def user(self, name):
        """Return a `Browser` in which this user has logged in."""
        return Browser(self.url, name).log_in()


@contextmanager
def directory_of_hub():
    """Give a directory for a hub. The end of the hub's log is printed then, to be shown if the test has failed."""
    with tempfile.TemporaryDirectory() as directory:
        yield directory
        for log in glob.glob(os.path.join(directory, 'hub.log')):
            with open(log) as f:
                print(f.read()[-20000:])


# Containers from an image without contents: what they run is this machine's, and the stand-ins.
CONTAINERS = """
c.KubeSpawner.singleuser_image_spec = {image!r}
c.KubeSpawner.cmd = [{prefix!r} + '/bin/jupyterhub-singleuser']
c.KubeSpawner.singleuser_working_dir = '/home/jovyan'
c.KubeSpawner.environment = dict(
    {variables!r}, HOME='/home/jovyan', PATH={prefix!r} + '/bin:/usr/bin:/bin')
c.KubeSpawner.volumes = c.KubeSpawner.volumes + {volumes!r} + [
    {{'name': 'stand-in', 'hostPath': {{'path': {stand_in!r}}}}}]
c.KubeSpawner.volume_mounts = c.KubeSpawner.volume_mounts + {volume_mounts!r} + [
    {{'name': 'stand-in', 'mountPath': {stand_in!r}, 'readOnly': True}}]
"""


def containers():
    """Return what a hub is configured with whose servers are containers with this machine's programs."""
    return CONTAINERS.format(prefix=sys.prefix, stand_in=lighter.STAND_IN, variables=lighter.VARIABLES,
                             **machine.AS_A_CONTAINER)


@pytest.fixture(scope='module')
def more():
    """What a module's hub is configured with besides."""
    return ''


@pytest.fixture(scope='module')
def hub(request, cluster, namespace, core, more):
    """A running hub."""
    gateway = request.config.getoption('--pod-gateway')
    with tempfile.TemporaryDirectory() as directory:
        if gateway:
            with claimable_directories(core, directory), Hub(directory, namespace, gateway, containers() + more) as hub:
                yield hub
        else:
            with Hub(directory, namespace, more=more) as hub:
                yield hub


@pytest.fixture(scope='module')
def hub_with_cluster_names(request, cluster, namespace, core, more):
    """A running hub and proxy on this machine, for which the names of the cluster's Services are known, as in a pod."""
    gateway = request.config.getoption('--pod-gateway')
    if not gateway:
        pytest.skip('needs a real node: --pod-gateway')
    with tempfile.TemporaryDirectory() as directory, claimable_directories(core, directory), \
            Hub(directory, namespace, gateway, containers() + more, partial(with_cluster_names, gateway)) as hub:
        yield hub


@contextmanager
def claimable_directories(core, directory, number=8):
    """Give the cluster volumes that claims can be bound to: directories of this machine."""
    names = ['of-%s-%d' % (os.path.basename(directory).lower().replace('_', '-'), i) for i in range(number)]
    for name in names:
        core.create_persistent_volume(_preload_content=False, body={
            'metadata': {'name': name},
            'spec': {'capacity': {'storage': '1Gi'}, 'accessModes': ['ReadWriteOnce'],
                     'hostPath': {'path': os.path.join(directory, name), 'type': 'DirectoryOrCreate'}}})
    yield
    for name in names:
        core.delete_persistent_volume(name=name, body=client.V1DeleteOptions(), _preload_content=False)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Show the hub's log with a test that failed."""
    outcome = yield
    report = outcome.get_result()
    hub = getattr(item, 'funcargs', {}).get('hub')
    if report.failed and hub is not None:
        report.sections.append(('log of the hub', hub.logged()[-10000:]))
