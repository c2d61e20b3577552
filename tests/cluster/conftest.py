"""Spawners without a hub, on the cluster under test."""
import json
import os
import re
from contextlib import contextmanager

import pytest
import yaml
from jupyterhub import orm
from jupyterhub.objects import Hub
from kubernetes import client
from kubernetes.client.rest import ApiException
from tornado import gen

from kubespawner import KubeSpawner
from tests import documentation
from tests.simulated_node import SimulatedNode
from tests.support.configuration_files import User
from tests.support.rights import give, of_the_readme, take, user_of, wait_for
from tests.support.waits import until_on_loop

# A pod that no node takes, so that its life is the test's to tell.
UNTOUCHED = {'singleuser_extra_pod_config': {'schedulerName': 'nobody'}}

# Runs until it is told to end, whatever arguments the hub adds, in every image that has a shell.
SLEEP = ['sh', '-c', 'trap "exit 0" TERM; sleep 1000 & wait']


def make_spawner(cls, username='alice', servername='', **traits):
    """Return a spawner of class `cls`, as a hub would make it.

    It does not follow events, so that faults of the API meet what a test is about.
    """
    traits.setdefault('events_enabled', False)
    traits.setdefault('cmd', SLEEP)
    traits.setdefault('singleuser_image_spec', 'busybox')
    spawner = cls(user=User(username), hub=Hub(base_url='/hub/'), orm_spawner=orm.Spawner(name=servername), **traits)
    spawner.start_timeout = 60
    return spawner


@pytest.fixture
def kube(cluster):
    """The localkube under test, without faults before and after."""
    if not cluster.is_localkube:
        pytest.skip('only localkube can be told to fail')
    cluster.kube.clear_faults()
    yield cluster.kube
    cluster.kube.clear_faults()


@pytest.fixture
def new_spawner(namespace):
    """`new_spawner(username, servername, **traits)` returns a spawner in the test's namespace.

    What spawners share is theirs alone in each test.
    """
    class Spawner(KubeSpawner):
        pod_reflector = event_reflector = None

    def new(*args, **traits):
        return make_spawner(Spawner, *args, **dict({'namespace': namespace}, **traits))

    yield new
    if Spawner.pod_reflector is not None:
        Spawner.pod_reflector.stop()
    if Spawner.event_reflector is not None:
        Spawner.event_reflector.stop()


@pytest.fixture
def only_the_watch_tells(monkeypatch):
    """A start does not read its pod by itself."""
    monkeypatch.setattr('kubespawner.lifecycle.waiting.READ_AFTER_SILENCE', 600)


@pytest.fixture(scope='module')
def node(request, core, namespace):
    """Makes pods run: the cluster's own nodes, or a simulated one for an API server without nodes."""
    if request.config.getoption('--simulated-node'):
        with SimulatedNode(core, namespace):
            yield
    else:
        yield


@pytest.fixture
def role():
    """What the README's role allows: a set of (resource, verb)."""
    return {(resource, verb) for rule in of_the_readme() for resource in rule['resources'] for verb in rule['verbs']}


class Objects:
    """What is in the test's namespace, as the API server tells it: dicts, read without KubeSpawner."""

    def __init__(self, core, namespace):
        self.core, self.namespace = core, namespace

    def _get(self, method, name):
        try:
            response = getattr(self.core, method)(name=name, namespace=self.namespace, _preload_content=False)
        except ApiException as e:
            if e.status != 404:
                raise
            return None
        return json.loads(response.data.decode('utf8'))

    def pod(self, name):
        """Return a pod, None if there is none of that name."""
        return self._get('read_namespaced_pod', name)

    def claim(self, name):
        """Return a claim, None if there is none of that name."""
        return self._get('read_namespaced_persistent_volume_claim', name)

    def pods(self):
        """Return all pods."""
        response = self.core.list_namespaced_pod(namespace=self.namespace, _preload_content=False)
        return json.loads(response.data.decode('utf8'))['items']

    def set_status(self, name, **status):
        """Change a pod's status, as its node would."""
        self.core.patch_namespaced_pod_status(
            name=name, namespace=self.namespace, body={'status': status}, _preload_content=False)

    @gen.coroutine
    def created_by(self, spawner):
        """Return the pod that `spawner` creates, as the API server has it; it is gone afterwards."""
        start = spawner.start()
        pod = yield self.until(lambda: start.done() or self.pod(spawner.pod_name))
        if pod is True:  # start has ended already: with its pod, or with an error that is worth seeing
            yield start
            pod = self.pod(spawner.pod_name)
        yield spawner.stop(now=True)
        try:
            yield start
        except Exception:  # of a pod that was deleted while it started
            pass
        return pod

    until = staticmethod(until_on_loop)


@pytest.fixture
def objects(core, namespace):
    """What is in the test's namespace, see `Objects`."""
    return Objects(core, namespace)


# The configuration of a hub for the commands, which takes a namespace.
HUB_FOR_COMMANDS = '''
c.JupyterHub.spawner_class = 'kubespawner.KubeSpawner'
c.JupyterHub.hub_ip = '0.0.0.0'
c.KubeSpawner.hub_connect_ip = '192.0.2.1'
c.KubeSpawner.namespace = %r
c.KubeSpawner.image = 'busybox'
'''

# What the page about Secrets and Services says that a hub needs for them: pairs of a resource and a verb.
COMPANION_RIGHTS = [
    (resource, verb)
    for line in re.findall(r'^ +(- {.*resources: .(?:secrets|services)].*})$', documentation.text_of(
        os.path.join(documentation.DOCS, 'internal-tls.rst')), re.MULTILINE)
    for rule in yaml.safe_load(line) for resource in rule['resources'] for verb in rule['verbs']]


@contextmanager
def additional_rights(core, namespace, hub_kubeconfig, rights):
    """Give the user of a kubeconfig more rights in a namespace, and take them away again. None has all rights."""
    if hub_kubeconfig is None:
        yield
        return
    rules = [{'apiGroups': [''], 'resources': [resource], 'verbs': [verb]} for resource, verb in rights]
    give(core, namespace, user_of(hub_kubeconfig), 'companions', rules)
    try:
        yield
    finally:
        take(core, namespace, 'companions')


def cluster_role():
    """Return the ClusterRole that the documentation gives a hub whose users have namespaces of their own."""
    return yaml.safe_load(documentation.block('yaml', 'kind: ClusterRole'))


@contextmanager
def rights_in_all_namespaces(core, hub_kubeconfig):
    """Give the user of a kubeconfig the documented ClusterRole, and take it away again. None has all rights."""
    if hub_kubeconfig is None:
        yield
        return
    rbac, role, user = client.RbacAuthorizationV1Api(core.api_client), cluster_role(), user_of(hub_kubeconfig)
    name = role['metadata']['name']
    rbac.create_cluster_role(body=role)
    rbac.create_cluster_role_binding(body={
        'metadata': {'name': name},
        'roleRef': {'apiGroup': 'rbac.authorization.k8s.io', 'kind': 'ClusterRole', 'name': name},
        'subjects': [{'apiGroup': 'rbac.authorization.k8s.io', 'kind': 'User', 'name': user}]})
    wait_for(core, None, user, role['rules'])
    yield
    rbac.delete_cluster_role_binding(name=name, body=client.V1DeleteOptions())
    rbac.delete_cluster_role(name=name, body=client.V1DeleteOptions())


@pytest.fixture
def rights_everywhere(cluster, core):
    """Gives the user that KubeSpawner runs as the documented ClusterRole, if it has rights to be given."""
    with rights_in_all_namespaces(core, cluster.hub_kubeconfig):
        yield


def rules_of_routes():
    """Return what the page about the ingress proxy says that the role of the hub needs."""
    return yaml.safe_load(documentation.block('yaml', 'ingresses'))['rules']


def grant_routes(core, namespace, hub_kubeconfig):
    """Give the user of a kubeconfig the permissions of a hub with KubeIngressProxy, until the namespace is gone."""
    give(core, namespace, user_of(hub_kubeconfig), 'routes', rules_of_routes())
