"""Labels, annotations and state: whose a pod is, and how a hub finds it again."""
import pytest

pytestmark = pytest.mark.usefixtures('node')

OF_ALL_PODS = {'app.kubernetes.io/name': 'jupyterhub', 'app.kubernetes.io/managed-by': 'kubespawner',
               'app.kubernetes.io/component': 'singleuser-server'}


@pytest.mark.gen_test
def test_a_default_servers_pod_says_whose_it_is(new_spawner, objects):
    pod = yield objects.created_by(new_spawner('ann@x.org'))
    assert pod['metadata']['labels'] == dict(OF_ALL_PODS, **{
        'heritage': 'jupyterhub', 'app': 'jupyterhub', 'component': 'singleuser-server',
        'hub.jupyter.org/username': 'ann-40x-2eorg'})
    assert pod['metadata']['annotations']['hub.jupyter.org/username'] == 'ann@x.org'
    assert 'hub.jupyter.org/servername' not in pod['metadata']['annotations']


@pytest.mark.gen_test
def test_a_named_servers_pod_says_which_it_is(new_spawner, objects):
    pod = yield objects.created_by(new_spawner('ann', 'GPU 1'))
    assert pod['metadata']['annotations']['hub.jupyter.org/servername'] == 'GPU 1'
    assert pod['metadata']['name'] == 'jupyter-ann---47-50-55-201'


@pytest.mark.parametrize('username, servername', [('ann', 'gpu'), ('a@b', ''), ('Ünï', '40b'), ('x' * 200, 'y' * 200)])
@pytest.mark.gen_test
def test_kubectls_selector_finds_pods_by_user_and_server(new_spawner, objects, core, namespace, username, servername):
    spawner = new_spawner(username, servername)
    yield spawner.start()
    labels = objects.pod(spawner.pod_name)['metadata']['labels']
    selector = ','.join('%s=%s' % item for item in labels.items() if item[0].startswith('hub.jupyter.org/'))
    found = core.list_namespaced_pod(namespace=namespace, label_selector=selector)
    yield spawner.stop(now=True)
    assert [pod.metadata.name for pod in found.items] == [spawner.pod_name]


@pytest.mark.gen_test
def test_no_configuration_hides_a_pod_from_the_hub(new_spawner, objects):
    labels = {'heritage': 'x', 'component': 'x', 'app': 'mine', 'hub.jupyter.org/username': 'x'}
    spawner = new_spawner('ann', singleuser_extra_labels=labels)
    yield spawner.start()
    assert (yield spawner.poll()) is None
    labels = objects.pod(spawner.pod_name)['metadata']['labels']
    assert labels == dict(OF_ALL_PODS, **{
        'heritage': 'jupyterhub', 'component': 'singleuser-server', 'app': 'mine', 'hub.jupyter.org/username': 'ann'})
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_users_name_makes_no_invalid_label(new_spawner, objects):
    pod = yield objects.created_by(new_spawner('@x', singleuser_extra_labels={'of': '{username}'}))
    assert pod['metadata']['labels']['of'].startswith('40x-')


@pytest.mark.gen_test
def test_a_server_is_found_under_the_name_it_was_started_with(new_spawner):
    old = new_spawner('ann', pod_name_template='old-{username}')
    yield old.start()
    state = old.get_state()
    assert state['pod_name'] == 'old-ann'
    new = new_spawner('ann', pod_name_template='new-{username}')
    new.load_state(state)
    assert (yield new.poll()) is None
    yield new.stop(now=True)
    assert (yield old.poll()) == 1


@pytest.mark.gen_test
def test_the_pod_that_a_stopped_server_had_is_not_taken_for_its_next_one(new_spawner, objects):
    renamed, other = new_spawner('ann'), new_spawner('ann')
    yield renamed.start()
    yield renamed.stop(now=True)
    renamed.clear_state()
    yield other.start()  # of a new user of the name that the other had
    after = new_spawner('anne')
    after.load_state(renamed.get_state())  # by a hub that follows one that ended during a start
    assert (yield after.poll()) == 1
    yield after.stop(now=True)
    assert (yield other.poll()) is None
    yield other.stop(now=True)


def test_a_cleared_state_names_the_next_pod_by_the_template(new_spawner):
    spawner = new_spawner('ann', pod_name_template='new-{username}')
    spawner.load_state({'pod_name': 'old-ann'})
    assert spawner.pod_name == 'old-ann'
    spawner.clear_state()
    assert spawner.pod_name == 'new-ann'


def test_an_empty_state_names_the_pod_by_the_template(new_spawner):
    spawner = new_spawner('ann')
    spawner.load_state({})
    assert spawner.pod_name == 'jupyter-ann'
