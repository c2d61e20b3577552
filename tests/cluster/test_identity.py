"""Labels, annotations and state: whose a pod is, and how a hub finds it again."""
import pytest
from jupyterhub import orm

from kubespawner.messages.errors import SpawnError
from kubespawner.naming.ownership import owner_of
from kubespawner.parts.other_servers import is_of_another_server
from tests.cluster.conftest import UNTOUCHED
from tests.support.database import new_session

NO_POD = {'metadata': {}}

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


# Pods of somebody else's making in a server's way

@pytest.fixture
def squatter(core, namespace):
    """The uid of a pod that somebody gave the name of alice's, and annotations as bob's pods have them."""
    annotations = {'hub.jupyter.org/username': 'bob', 'hub.jupyter.org/servername': ''}
    labels = {'heritage': 'jupyterhub', 'component': 'singleuser-server'}
    spec = {'schedulerName': 'nobody', 'containers': [{'name': 'notebook', 'image': 'busybox'}]}
    return core.create_namespaced_pod(namespace=namespace, body={
        'metadata': {'name': 'jupyter-alice', 'annotations': annotations, 'labels': labels}, 'spec': spec}).metadata.uid


@pytest.mark.gen_test
def test_a_pod_of_another_in_the_way_stays_unless_the_operator_wants_it_deleted(
        new_spawner, objects, squatter, caplog):
    with pytest.raises(SpawnError, match="Pod jupyter-alice is in use by .* of the user 'bob'.*Tell the operator"):
        yield new_spawner('alice', **UNTOUCHED).start()
    assert objects.pod('jupyter-alice')['metadata']['uid'] == squatter
    assert squatter in caplog.text and 'kubectl delete pod jupyter-alice' in caplog.text
    spawner = new_spawner('alice', delete_foreign_pods=True, **UNTOUCHED)
    start = spawner.start()
    yield objects.until(lambda: start.done() or owner_of(objects.pod('jupyter-alice') or NO_POD)[0] == 'alice')
    yield spawner.stop(now=True)
    with pytest.raises(SpawnError):  # which, depends on what is seen first
        yield start


@pytest.mark.parametrize('state, server, is_of_another', [
    ({'namespace': 'hubs', 'pod_name': 'a'}, True, True), ({'namespace': 'hubs', 'pod_name': 'a'}, False, False),
    ({'namespace': 'other', 'pod_name': 'a'}, True, False), ({}, True, False), (None, True, False)])
def test_the_hubs_database_says_whether_a_pod_is_of_another_server_that_runs(state, server, is_of_another):
    db = new_session()
    bob, alice = orm.User(name='bob'), orm.User(name='alice')
    db.add_all([bob, alice])
    own = orm.Spawner(name='', user=alice, state={'namespace': 'hubs', 'pod_name': 'a'}, server=orm.Server())
    db.add_all([own, orm.Spawner(name='', user=bob, state=state, server=orm.Server() if server else None)])
    db.commit()
    alice.db = db
    pod = {'metadata': {'namespace': 'hubs', 'name': 'a', 'uid': 'u'}}
    assert is_of_another_server(pod, alice, own) is is_of_another
