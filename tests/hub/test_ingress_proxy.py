"""A real hub whose proxy is KubeIngressProxy, with haproxy as the ingress controller: a hub's whole life."""
import json
import tempfile
from urllib.parse import quote

import pytest

from kubespawner.kube import clients
from kubespawner.proxy.templates import name_of
from tests.cluster.conftest import grant_routes
from tests.support.haproxy import PATHS, IngressController

from .browser import until
from .conftest import Hub, claimable_directories, containers

MORE = """
c.JupyterHub.proxy_class = 'kubespawner.proxy.KubeIngressProxy'
c.JupyterHub.last_activity_interval = 2  # routes are checked as often
"""

# localkube's pods have loopback addresses, which Kubernetes does not take as endpoints. So the hub knows them by a
# name, which is another spelling of the address. The system's resolver knows it, unlike the one that aiohttp prefers.
ON_LOCALKUBE = """
try:
    from aiohttp import connector, resolver
    connector.DefaultResolver = resolver.ThreadedResolver
except ImportError:
    pass
c.JupyterHub.hub_connect_ip = 'localhost'
c.KubeSpawner.get_pod_url = lambda spawner, pod: 'http://0x%s:%d' % (
    ''.join('%02x' % int(number) for number in pod['status']['podIP'].split('.')), spawner.port)
"""


class IngressHub(Hub):
    """A hub behind an IngressController."""

    def __init__(self, core, directory, namespace, *args):
        super().__init__(directory, namespace, *args)
        self.controller = IngressController(core.api_client, namespace, self.port, directory)

    def start_proxy(self):
        self.controller.__enter__()

    def __exit__(self, *exc_info):
        super().__exit__(*exc_info)
        self.controller.__exit__(*exc_info)


@pytest.fixture(scope='module')
def hub(request, cluster, namespace, core):
    gateway = request.config.getoption('--pod-gateway')
    if cluster.hub_kubeconfig:
        grant_routes(core, namespace, cluster.hub_kubeconfig)
    with tempfile.TemporaryDirectory() as directory:
        if gateway:
            with claimable_directories(core, directory), IngressHub(
                    core, directory, namespace, gateway, containers() + MORE) as hub:
                yield hub
        elif cluster.is_localkube:
            with IngressHub(core, directory, namespace, '127.0.0.1', MORE + ON_LOCALKUBE) as hub:
                yield hub
        else:
            pytest.skip('needs a node: a localkube, or --pod-gateway')


@pytest.fixture
def log_in(hub):
    """`log_in(name)` returns a user, whose servers are gone when the test has ended."""
    users = []

    def log_in(name):
        users.append(hub.user(name))
        users[-1].username = quote(name, safe='@')  # as it is in addresses
        return users[-1]

    yield log_in
    for user in users:
        for server in user.servers():
            user.stop(server)


@pytest.fixture(scope='module')
def objects(core, namespace):
    """`objects(kind)` returns the names of all objects of a kind that routes have."""
    def objects(kind='ingresses'):
        response = clients.send(core.api_client, 'GET', PATHS[kind] % namespace)
        return {each['metadata']['name'] for each in json.loads(response.data.decode('utf8'))['items']}

    return objects


def test_a_server_and_a_named_one_run_code_until_they_are_stopped(log_in, objects):
    ann = log_in('ann')
    ann.start()
    ann.start('gpu')
    assert ann.run(ann.new_kernel(), '6*7') == '42'
    assert ann.run(ann.new_kernel('gpu'), '40+2', 'gpu') == '42'
    assert objects() == {name_of(routespec) for routespec in ('/', '/user/ann/', '/user/ann/gpu/')}
    ann.stop('gpu')
    assert ann.get('api/status').status_code == 200
    ann.stop()
    assert objects() == objects('services') == {name_of('/')}


def test_a_server_is_reached_while_the_hub_is_away_and_found_again_by_the_next_one(hub, log_in):
    ann = log_in('ann')
    ann.start()
    kernel = ann.new_kernel()
    ann.run(kernel, 'x = 42')
    hub.kill()
    assert ann.run(kernel, 'x') == '42'
    hub.start()
    ann = log_in('ann')
    ann.wait_for()
    assert ann.run(kernel, 'x') == '42'


@pytest.mark.parametrize('kind', ['ingresses', 'services'])
def test_a_route_comes_back_whatever_of_it_somebody_removes(log_in, core, namespace, objects, kind):
    ann = log_in('ann')
    ann.start()
    name = name_of('/user/ann/')
    clients.send(core.api_client, 'DELETE', PATHS[kind] % namespace + '/' + name)
    until(lambda: name in objects(kind), 60, 'the object')
    until(lambda: ann.get('api/status').status_code == 200, 60, 'the server')


@pytest.mark.parametrize('name', ['bob@example.org', 'a b', 'j\xfcrgen', '50%', 'a%20b'])
def test_a_user_of_any_name_is_let_in_to_their_own_server(log_in, name):
    user = log_in(name)
    user.begin()
    user.wait_for()
    assert user.run(user.new_kernel(), '6*7') == '42'
    user.stop()
