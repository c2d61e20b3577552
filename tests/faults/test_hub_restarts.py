"""Hubs that are killed and started again, at the worst moments, with the API server there and not.

The pods are for no node: their life is told by the tests. All servers are one small one in this process.
"""

import pytest
import requests

from tests.hub.browser import until
from tests.hub.conftest import Hub, directory_of_hub
from tests.support.scripted_pods import SCRIPTED, ScriptedPods, answering

SERVERS = 200
TOKEN = 'token-of-the-test-service'
HOLD = 'example.org/hold'

# Hubs that take a server for stopped when it has not answered for a moment, and answer themselves at once.
CONFIG = """
from kubespawner import KubeSpawner


class AnsweredHere(KubeSpawner):
    @gen.coroutine
    def start(self):
        yield super().start()
        return '127.0.0.1', {port}


def held(spawner, pod):
    pod.metadata.finalizers = [{hold!r}]
    return pod


c.JupyterHub.spawner_class = AnsweredHere
c.KubeSpawner.modify_pod_hook = held
c.Spawner.http_timeout = 5
c.JupyterHub.concurrent_spawn_limit = 0
c.JupyterHub.services = [{{'name': 'tests', 'api_token': {token!r}, 'admin': True}}]
"""

# For hubs that start many servers at once, which takes a busy machine minutes.
PATIENT = 'c.Spawner.start_timeout = c.Spawner.http_timeout = 600\n'


@pytest.fixture(scope='module')
def port():
    """The port of all notebook servers."""
    with answering('127.0.0.1') as port:
        yield port


@pytest.fixture
def pods(core, namespace):
    return ScriptedPods(core, namespace)


@pytest.fixture
def new_hub(namespace, port, pods):
    """`new_hub(more)` returns a `Hub`, to be started by `with`. No pod is left when the test has ended."""
    with directory_of_hub() as directory:
        config = SCRIPTED + CONFIG.format(port=port, hold=HOLD, token=TOKEN)
        yield lambda more='': Hub(directory, namespace, more=config + more)
    pods.delete_all()
    until(lambda: not pods.pods(), 60, 'an empty namespace')


@pytest.fixture
def hub(new_hub, request):
    """A `Hub` that runs. Its parameter, if there is one, is more configuration."""
    with new_hub(getattr(request, 'param', '')) as hub:
        yield hub
        hub.kill()  # an old one that has nothing to do does not notice at once that it should end


def begin(pods, hub, name='ann'):
    """Ask for the server of a user; return the user's browser when the pod is there, and does not run yet."""
    user = hub.user(name)
    user.begin()
    until(lambda: pods.pod('jupyter-' + name), 60, 'the pod')
    return user


def start(pods, hub, name='ann'):
    """Return the browser of a user whose server runs."""
    user = begin(pods, hub, name)
    pods.run()
    user.wait_for(timeout=60)
    return user


def has_ended(pods, user):
    """True if the hub says that a user has no server. If it has, it is asked to stop it, as the user would do.

    The node goes on: a hub waits for a pod whose start the end of the hub before it interrupted.
    """
    pods.run()
    if user.servers():
        user._send('DELETE', user.url + '/hub/api/users/%s/server' % user.username)
        pods.let_go()
    return not user.servers()


def has_started(pods, user):
    """True if a user's server is ready. If there is none, it is asked for; a hub that is busy with it refuses."""
    if not user.servers():
        user.begin()
    pods.let_go()
    pods.run()
    return user.servers().get('', {'ready': False}).get('ready', True)


def gets_a_server(pods, hub):
    """Prove that a user, back from a hub that was killed, can start a server, and that it has one pod."""
    user = hub.user('ann')
    until(lambda: has_ended(pods, user), 60, 'the old server to be stopped')
    until(lambda: has_started(pods, user), 60, 'the server')
    user.wait_for(timeout=60)
    assert set(pods.uids()) == {'jupyter-ann'} and not pods.terminating()


def test_a_hub_that_is_started_while_the_api_is_down_finds_its_running_servers(api_control, hub, pods):
    start(pods, hub)
    before = pods.uids()
    hub.kill()
    api_control.kill()
    told = hub.logged().count('Last contact')
    hub.launch()
    until(lambda: hub.logged().count('Last contact') > told, 60, 'the hub to look for the API server')
    api_control.start()
    hub.wait()
    hub.user('ann').wait_for(timeout=60)
    assert pods.uids() == before and not pods.terminating()


def test_a_hub_that_was_halted_for_an_outage_ends_with_a_failure_and_its_successor_finds_the_servers(
        api_control, new_hub, pods):
    with new_hub('c.PodReflector.give_up_seconds = 5\n') as hub:
        start(pods, hub)
        before = pods.uids()
        api_control.kill()
        assert hub.hub.wait(60) == 1
        api_control.start()
        hub.start()
        hub.user('ann').wait_for(timeout=60)
        assert pods.uids() == before and not pods.terminating()
        hub.kill()


def test_after_a_hub_was_killed_during_a_start_the_user_gets_a_server(hub, pods):
    begin(pods, hub)
    hub.kill()
    hub.start()
    gets_a_server(pods, hub)


def test_after_a_hub_was_killed_during_a_start_that_succeeded_meanwhile_the_user_gets_a_server(hub, pods):
    begin(pods, hub)
    hub.kill()
    pods.run()
    hub.start()
    gets_a_server(pods, hub)


def test_after_a_hub_was_killed_during_a_stop_the_user_gets_a_server(hub, pods):
    user = start(pods, hub)
    before = pods.uids()
    user._send('DELETE', user.url + '/hub/api/users/ann/server')
    until(pods.terminating, 60, 'the pod to be deleted')
    hub.kill()
    hub.start()
    assert pods.uids() == before
    gets_a_server(pods, hub)
    assert pods.uids() != before


@pytest.mark.parametrize('hub', [PATIENT], indirect=True, ids=['patient'])
def test_a_hub_that_is_restarted_with_200_servers_lists_them_once_and_keeps_them(cluster, hub, pods):
    def api(method, path, **body):
        response = requests.request(method, hub.url + '/hub/api' + path, json=body or None, timeout=60,
                                    headers={'Authorization': 'token ' + TOKEN})
        response.raise_for_status()
        return response.json() if response.content else None

    def running():
        pods.run()
        users = api('GET', '/users?limit=%d' % SERVERS)
        return sum(1 for user in users if user['server'] and not user['pending'])

    names = ['user%d' % i for i in range(SERVERS)]
    api('POST', '/users', usernames=names)
    for name in names:
        api('POST', '/users/%s/server' % name)
    until(lambda: running() == SERVERS, 120, 'all servers')
    before = pods.uids()
    hub.kill()
    if cluster.is_localkube:
        cluster.kube.clear_faults()
    hub.start()
    until(lambda: running() == SERVERS, 60, 'all servers to be found')
    assert pods.uids() == before and not pods.terminating()
    if cluster.is_localkube:
        made = [path for method, path in cluster.kube.requests() if 'labelSelector' in path and 'watch=' not in path]
        assert len(made) == 1
        assert not [path for method, path in cluster.kube.requests() if method == 'DELETE']
