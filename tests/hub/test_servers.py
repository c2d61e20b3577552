"""Users of a real hub and their servers: they run code, keep files, and see only their own."""
import json
from urllib.parse import quote

import pytest

from .conftest import Hub


@pytest.fixture
def log_in(hub):
    """`log_in(name)` returns a user; the test's users have no servers when it has ended, however it does."""
    users = []

    def log_in(name):
        users.append(hub.user(name))
        return users[-1]

    yield log_in
    for user in users:
        for server in user.servers():
            user.stop(server)


@pytest.fixture
def ann(log_in):
    return log_in('ann')


@pytest.fixture(scope='module')
def pods(core, namespace):
    """`pods()` returns the names of all pods."""
    def pods():
        response = core.list_namespaced_pod(namespace=namespace, _preload_content=False)
        return {pod['metadata']['name'] for pod in json.loads(response.data.decode('utf8'))['items']}

    return pods


def test_a_cell_runs_and_a_file_survives_a_stop(ann, pods):
    ann.start()
    assert pods() == {'jupyter-ann'}
    assert ann.run(ann.new_kernel(), '6*7') == '42'
    ann.write('notes.txt', 'kept')
    ann.stop()
    assert pods() == set()
    ann.start()
    assert ann.read('notes.txt') == 'kept'
    ann.stop()


def test_users_do_not_see_each_others_servers(log_in, ann, pods):
    bob = log_in('bob')
    ann.begin()
    bob.begin()
    ann.wait_for()
    bob.wait_for()
    ann.write('secret.txt', 'of ann')
    assert bob.read('secret.txt') is None
    # What bob gets depends on the JupyterHub: 403, 404, 503, or his own home page.
    assert 'of ann' not in bob.get('api/contents/secret.txt', of='ann').text
    assert 'of ann' in ann.get('api/contents/secret.txt').text
    bob.stop()
    assert pods() == {'jupyter-ann'}
    assert ann.read('secret.txt') == 'of ann'
    ann.stop()


def test_a_named_server_runs_beside_the_default_one(ann, pods):
    ann.start()
    ann.start('gpu')
    assert pods() == {'jupyter-ann', 'jupyter-ann--gpu'}
    assert ann.run(ann.new_kernel('gpu'), '40+2', 'gpu') == '42'
    ann.stop()
    assert pods() == {'jupyter-ann--gpu'}
    assert ann.get('api/status', 'gpu').status_code == 200
    ann.stop('gpu')
    assert pods() == set()


def test_a_hub_that_was_killed_finds_the_running_server_again(hub, log_in, pods):
    ann = log_in('ann')
    ann.start()
    kernel = ann.new_kernel()
    ann.run(kernel, 'x = 42')
    hub.kill()
    hub.start()
    ann = log_in('ann')
    ann.wait_for()
    assert ann.run(kernel, 'x') == '42'
    assert pods() == {'jupyter-ann'}
    ann.stop()
    assert pods() == set()


def test_a_hub_that_no_longer_learns_of_pods_ends_with_a_failure(cluster, namespace, tmpdir):
    if not cluster.is_localkube:
        pytest.skip('only localkube can be told to fail')
    try:
        with Hub(str(tmpdir), namespace, more='c.PodReflector.give_up_seconds = 1\n') as hub:
            hub.user('eve').start()
            cluster.kube.fail(method='GET', path='/pods', status=503, times=10 ** 6)
            cluster.kube.cut_watches()
            assert hub.hub.wait(60) == 1
            assert 'CRITICAL' in hub.logged() or '[C ' in hub.logged()
            cluster.kube.clear_faults()
            hub.start()
            eve = hub.user('eve')
            eve.wait_for()
            eve.stop()
    finally:
        cluster.kube.clear_faults()


@pytest.mark.parametrize('name', ['a$$b', '$(home)'])
def test_a_user_whose_name_kubernetes_would_expand_is_let_in_to_her_server(hub, name):
    user = hub.user(name)
    user.username = quote(name)  # as it is in addresses
    user.begin()
    user.wait_for()
    response = user.get('api/contents')
    user.stop()
    assert response.status_code == 200, response.text
