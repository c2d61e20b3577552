"""What every test may ask for: a Kubernetes API to talk to, and a namespace of its own on it.

Without options the API is a localkube, made once for the whole run. With `--kubeconfig FILE` (and `--context C`)
the same tests run against that cluster: minikube, kind, a real one.
"""
import os
import subprocess
import tempfile
import threading
import time
import uuid
from collections import namedtuple

import pytest
from hypothesis import HealthCheck, settings
from kubernetes import client, config
from kubernetes.client.rest import ApiException

from kubespawner.commands.demo.files import copy_kubeconfig
from kubespawner.kube import clients
from kubespawner.localkube import LocalKube
from tests.support import lighter, parallel, rights, temporary_files
from tests.support.named_files import NothingInVain
from tests.support.recording_api import RecordingApi
from tests.support.skips import Skips

Cluster = namedtuple('Cluster', 'kubeconfig hub_kubeconfig is_localkube kube')
Cluster.__doc__ += """: a Kubernetes API.

kubeconfig (str): path of a file whose current context is the cluster.
hub_kubeconfig (str or None): path of the file that KubeSpawner uses; its user has no rights but those that tests give
    it. With None, KubeSpawner uses `kubeconfig`.
is_localkube (bool): False for a cluster that was named on the command line.
kube (LocalKube or None): its switches for faults; None for a cluster that was named on the command line.
"""


# No example has a time-out: how long one takes depends on the machine.
settings.register_profile('on any machine', deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile('on any machine')

TIMEOUT = 300  # seconds for a test that waits, if its mark names no others; the 5 of pytest-tornado are too few


def pytest_addoption(parser):
    group = parser.getgroup('kubespawner')
    group.addoption('--kubeconfig', help='run the tests on the cluster of this kubeconfig, not on a localkube')
    group.addoption('--localkube-version', metavar='RELEASE',
                    help='without --kubeconfig: the release of Kubernetes as which localkube answers, such as 1.20')
    group.addoption('--context', help='the context of --kubeconfig to use (default: its current one)')
    group.addoption('--hub-kubeconfig', help='what KubeSpawner itself uses, as a user who is given the rights of the '
                                             "README's role, and no others, in the namespaces of the tests")
    group.addoption('--pod-gateway', help='the address of this machine at which containers of the cluster reach it; '
                                          'their nodes are this machine, and have the image local/empty')
    group.addoption('--simulated-node', action='store_true',
                    help='the cluster of --kubeconfig has no nodes; tests that need no real processes bring their own')
    group.addoption('--api-control', metavar='COMMAND',
                    help='what can kill the API server of --kubeconfig and start it again: .ci/kubernetes, with the '
                         'KUBERNETES_STATE of that cluster in the environment')


def pytest_configure(config):
    lighter.own_process()
    config.option.async_test_timeout = max(config.option.async_test_timeout, TIMEOUT)
    # Warnings about pytest-tornado's own calls, two for each test.
    config.addinivalue_line('filterwarnings', 'ignore::DeprecationWarning:pytest_tornado')
    if not hasattr(config, 'workerinput'):  # a process of pytest-xdist reports to another, which knows of all tests
        config.pluginmanager.register(NothingInVain(config))
        config.pluginmanager.register(Skips())
        temporary_files.own_directory(config)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    parallel.spread(config)


def pytest_collection_modifyitems(items):
    parallel.put_in_order(items)


@pytest.fixture(scope='session')
def cluster(request):
    """The cluster under test, a `Cluster`. KubeSpawner and child processes find it in the environment."""
    option = request.config.getoption
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as environment:
        if option('--kubeconfig'):
            path = os.path.join(directory, 'kubeconfig')
            copy_kubeconfig(option('--kubeconfig'), option('--context'), path)
            of_hub = option('--hub-kubeconfig') and os.path.abspath(option('--hub-kubeconfig'))
            environment.setenv('KUBECONFIG', of_hub or path)
            yield Cluster(path, of_hub, False, None)
        else:
            version = option('--localkube-version')
            with LocalKube(rbac=True, **({'version': version} if version else {})) as kube:
                of_hub = kube.add_user('hub')
                environment.setenv('KUBECONFIG', of_hub)
                yield Cluster(kube.kubeconfig, of_hub, True, kube)


@pytest.fixture(scope='session')
def core(cluster):
    """A `CoreV1Api` of the official client for the cluster under test."""
    api_client = config.new_client_from_config(config_file=cluster.kubeconfig)
    return client.CoreV1Api(api_client)


@pytest.fixture
def use_kubeconfig():
    """`use_kubeconfig(path)` has everyone who asks for a client in this test get one of this kubeconfig."""
    with pytest.MonkeyPatch.context() as environment:
        def use(path):
            environment.setenv('KUBECONFIG', str(path))
            clients.forget()

        yield use
    clients.forget()


@pytest.fixture
def recording_api(tmpdir, use_kubeconfig):
    """A RecordingApi, as the cluster of everyone who asks for a client in this test."""
    with RecordingApi() as server:
        path = tmpdir.join('kubeconfig')
        path.write(server.kubeconfig)
        use_kubeconfig(path)
        yield server


class ApiControl:
    """The API server of the cluster under test as a process, which can be ended and started again. It blocks."""

    def __init__(self, command):
        self.command = os.path.abspath(command)

    def kill(self):
        """End it as a crash does; return when it is gone."""
        self._run('kill-api')

    def compact(self):
        """Have its store forget the history up to now."""
        self._run('compact')

    def start(self):
        """Start it if it does not run; return when it says that it is ready."""
        self._run('start-api')

    def _run(self, word):
        subprocess.run([self.command, word], check=True, timeout=90)


class ApiPretence:
    """The same for a localkube, which only behaves as if: all connections end, new ones end without an answer."""

    def __init__(self, kube):
        self.compact, self.start, self.kube = kube.expire_history, kube.clear_faults, kube

    def kill(self):
        self.kube.drop(times=10 ** 9)
        self.kube.cut_watches()


@pytest.fixture
def api_control(request, cluster):
    """What ends the API server under test, and starts it again. The server runs when the test has ended."""
    command = request.config.getoption('--api-control')
    if not (command or cluster.is_localkube):
        pytest.skip('needs an API server that may be killed: --api-control')
    control = ApiPretence(cluster.kube) if cluster.is_localkube else ApiControl(command)
    yield control
    control.start()


def wait_for_service_account(core, namespace):
    """Return when a pod can be created: a new namespace's service account comes a moment after it."""
    pod = {'metadata': {'name': 'probe'},
           'spec': {'schedulerName': 'nobody', 'containers': [{'name': 'c', 'image': 'busybox'}]}}
    for _ in range(400):  # longer when the controllers have just lost sight of the API server
        try:
            core.create_namespaced_pod(namespace=namespace, body=pod, _preload_content=False)
        except ApiException as e:
            if e.status not in (403, 500):
                raise
            time.sleep(0.1)
        else:
            core.delete_namespaced_pod(name='probe', namespace=namespace, body={}, _preload_content=False)
            return
    pytest.fail('no pod can be created in the new namespace %s' % namespace)


def grant_hub(core, namespace, kubeconfig):
    """Give the user of a kubeconfig the README's role in a namespace."""
    rights.give(core, namespace, rights.user_of(kubeconfig), 'hub', rights.of_the_readme())


@pytest.fixture(scope='module')
def namespace(cluster, core):
    """The name of a fresh namespace, removed after the module's last test."""
    name = 'kubespawner-test-' + uuid.uuid4().hex[:8]
    core.create_namespace(body=client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
    if cluster.hub_kubeconfig:
        grant_hub(core, name, cluster.hub_kubeconfig)
    wait_for_service_account(core, name)
    yield name
    core.delete_namespace(name=name, body=client.V1DeleteOptions())


@pytest.fixture
def watch_threads():
    """`watch_threads()` returns the watch threads that the test has started and that run."""
    before = set(threading.enumerate())
    return lambda: [thread for thread in set(threading.enumerate()) - before if 'reflector' in thread.name]
