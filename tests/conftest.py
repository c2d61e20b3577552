"""What every test may ask for: a Kubernetes API to talk to, and a namespace of its own on it.

Without options the API is a localkube, made once for the whole run. With `--kubeconfig FILE` (and `--context C`)
the same tests run against that cluster: minikube, kind, a real one.
"""
import os
import subprocess
import tempfile
import time
import uuid
from collections import namedtuple

import pytest
import yaml
from kubernetes import client, config
from kubernetes.client.rest import ApiException

from kubespawner.commands.demo.files import copy_kubeconfig
from kubespawner.localkube import LocalKube
from tests import documentation

Cluster = namedtuple('Cluster', 'kubeconfig is_localkube kube')
Cluster.__doc__ += """: a Kubernetes API.

kubeconfig (str): path of a file whose current context is the cluster.
is_localkube (bool): False for a cluster that was named on the command line.
kube (LocalKube or None): its switches for faults; None for a cluster that was named on the command line.
"""


NO_TESTS_RUN = 5  # pytest's exit code when there are none

TIMEOUT = 120  # seconds for a test that waits, if its mark names no others; the 5 of pytest-tornado are too few


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
    config.option.async_test_timeout = max(config.option.async_test_timeout, TIMEOUT)
    # Warnings about pytest-tornado's own calls, two for each test.
    config.addinivalue_line('filterwarnings', 'ignore::DeprecationWarning:pytest_tornado')
    config.pluginmanager.register(NothingInVain(config))


class NothingInVain:
    """Fails a run in which a file of tests was named of which none was run."""

    def __init__(self, config):
        self.named = {os.path.realpath(name): name for name in config.args if os.path.isfile(name)}
        self.idle = {}  # path -> name

    def pytest_collection_finish(self, session):
        if session.config.option.collectonly:
            return
        paths = {os.path.realpath(str(item.fspath)) for item in session.items}
        self.idle = {path: name for path, name in self.named.items() if path in paths}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item, call):
        if call.when == 'call' and not (call.excinfo and call.excinfo.errisinstance(pytest.skip.Exception)):
            self.idle.pop(os.path.realpath(str(item.fspath)), None)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session, exitstatus):
        if exitstatus == 0 and self.idle:
            session.exitstatus = NO_TESTS_RUN

    def pytest_terminal_summary(self, terminalreporter):
        for name in self.idle.values():
            terminalreporter.write_line('%s was named, but none of its tests was run: -rs tells why' % name)


@pytest.fixture(scope='session')
def cluster(request):
    """The cluster under test, a `Cluster`. KubeSpawner and child processes find it in the environment."""
    option = request.config.getoption
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as environment:
        if option('--kubeconfig'):
            path = os.path.join(directory, 'kubeconfig')
            copy_kubeconfig(option('--kubeconfig'), option('--context'), path)
            environment.setenv('KUBECONFIG', os.path.abspath(option('--hub-kubeconfig') or path))
            yield Cluster(path, False, None)
        else:
            version = option('--localkube-version')
            with LocalKube(**({'version': version} if version else {})) as kube:
                environment.setenv('KUBECONFIG', kube.kubeconfig)
                yield Cluster(kube.kubeconfig, True, kube)


@pytest.fixture(scope='session')
def core(cluster):
    """A `CoreV1Api` of the official client for the cluster under test."""
    api_client = config.new_client_from_config(config_file=cluster.kubeconfig)
    return client.CoreV1Api(api_client)


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
    with open(kubeconfig) as f:
        content = yaml.safe_load(f)
    user = next(context['context']['user'] for context in content['contexts']
                if context['name'] == content['current-context'])
    rbac = client.RbacAuthorizationV1Api(core.api_client)
    rbac.create_namespaced_role(namespace=namespace, body=yaml.safe_load(documentation.block('yaml', 'kind: Role')))
    rbac.create_namespaced_role_binding(namespace=namespace, body={
        'metadata': {'name': 'hub'},
        'roleRef': {'apiGroup': 'rbac.authorization.k8s.io', 'kind': 'Role', 'name': 'hub'},
        'subjects': [{'apiGroup': 'rbac.authorization.k8s.io', 'kind': 'User', 'name': user}]})


@pytest.fixture(scope='module')
def namespace(request, core):
    """The name of a fresh namespace, removed after the module's last test."""
    name = 'kubespawner-test-' + uuid.uuid4().hex[:8]
    core.create_namespace(body=client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
    hub_kubeconfig = request.config.getoption('--hub-kubeconfig')
    if hub_kubeconfig:
        grant_hub(core, name, hub_kubeconfig)
    wait_for_service_account(core, name)
    yield name
    core.delete_namespace(name=name, body=client.V1DeleteOptions())
