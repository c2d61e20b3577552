"""Users and named servers that were renamed, and new ones of the old name: none gets what another one has."""
import pytest
from jupyterhub import orm
from kubernetes import client
from tornado import gen

from tests.support.database import new_session

from .conftest import UNTOUCHED

pytestmark = pytest.mark.usefixtures('node')

CLAIM = {'user_storage_pvc_ensure': True, 'user_storage_capacity': '1Gi'}


class Database:
    """The hub's database, with users and servers as JupyterHub keeps them."""

    def __init__(self, new_spawner):
        self.session, self._new_spawner = new_session(), new_spawner

    def user(self, name):
        user = orm.User(name=name)
        self.session.add(user)
        self.session.commit()
        return user

    def server(self, user, name=''):
        """Add a server of a user to the database."""
        server = orm.Spawner(name=name, user_id=user.id)
        self.session.add(server)
        self.session.commit()
        return server

    def spawner(self, user, server, **traits):
        """Return the spawner of a server by its present names, with its state."""
        spawner = self._new_spawner(user.name, server.name, **dict(CLAIM, **traits))
        spawner.user.db, spawner.user.id, spawner.orm_spawner = self.session, user.id, server
        spawner.user.orm_spawners = {each.name: each for each in self.session.query(orm.Spawner).filter(
            orm.Spawner.user_id == user.id)}
        spawner.load_state(server.state or {})
        return spawner

    @gen.coroutine
    def run_once(self, user, server, **traits):
        """Start a server and stop it, as JupyterHub does; return the claim that its pod mounts."""
        spawner = self.spawner(user, server, **traits)
        spawner.clear_state()
        yield spawner.start()
        yield self.stop(spawner)
        return spawner.pvc_name

    @gen.coroutine
    def stop(self, spawner):
        yield spawner.stop(now=True)
        spawner.clear_state()
        spawner.orm_spawner.state = spawner.get_state()
        self.session.commit()


@pytest.fixture
def database(new_spawner, core, namespace):
    yield Database(new_spawner)
    claims = core.list_namespaced_persistent_volume_claim(namespace=namespace).items
    for claim in claims:
        core.delete_namespaced_persistent_volume_claim(
            name=claim.metadata.name, namespace=namespace, body=client.V1DeleteOptions(), _preload_content=False)


@pytest.fixture(params=['user', 'server'])
def renamed(request, database):
    """`renamed()` renames what had the server's claim; returns (user, server) before and (user, server) of now."""
    ann = database.user('ann')
    server = database.server(ann, '' if request.param == 'user' else 'gpu')

    def rename():
        if request.param == 'user':
            ann.name = 'bob'
            database.session.commit()
            now = database.user('ann')
            return now, database.server(now)
        server.name = 'old'
        database.session.commit()
        return ann, database.server(ann, 'gpu')

    return ann, server, rename


@pytest.mark.gen_test
def test_a_new_server_of_an_old_name_gets_a_claim_of_its_own_for_good(database, renamed, objects):
    ann, server, rename = renamed
    first = yield database.run_once(ann, server)
    user, new = rename()
    other = yield database.run_once(user, new)
    assert other != first and other.startswith(first)
    assert objects.claim(other)['metadata']['annotations']['hub.jupyter.org/username'] == user.name
    assert (yield database.run_once(user, new)) == other
    assert (yield database.run_once(ann, server)) == first
    new.state = None  # as with another database: the annotations still say whose the claims are
    assert (yield database.run_once(user, new)) == other


@pytest.mark.gen_test
def test_the_pod_of_a_new_server_mounts_its_own_claim(database, renamed, objects):
    ann, server, rename = renamed
    volumes = [{'name': 'home', 'persistentVolumeClaim': {'claimName': 'claim-{username}{servername}'}}]
    first = yield database.run_once(ann, server, volumes=volumes)
    user, new = rename()
    spawner = database.spawner(user, new, volumes=volumes, **UNTOUCHED)
    spawner.clear_state()
    pod = yield objects.created_by(spawner)
    claimed = [volume['persistentVolumeClaim']['claimName'] for volume in pod['spec']['volumes']
               if 'persistentVolumeClaim' in volume]
    assert claimed == [spawner.pvc_name] != [first]


@pytest.mark.gen_test
def test_the_running_pod_of_a_renamed_server_is_not_in_the_way_of_a_new_one(database, renamed, objects):
    ann, server, rename = renamed
    running = database.spawner(ann, server)
    running.clear_state()
    yield running.start()
    uid = objects.pod(running.pod_name)['metadata']['uid']
    user, new = rename()
    spawner = database.spawner(user, new)
    spawner.clear_state()
    with pytest.raises(Exception, match='had another name when it was started'):
        yield spawner.start()
    assert objects.pod(running.pod_name)['metadata']['uid'] == uid and (yield running.poll()) is None
    yield database.stop(running)
    yield database.run_once(user, new)


@pytest.mark.gen_test
def test_the_claim_of_a_renamed_server_stays_when_a_new_one_is_deleted(database, renamed, objects):
    ann, server, rename = renamed
    first = yield database.run_once(ann, server)
    user, new = rename()
    yield database.spawner(user, new).delete_forever()
    assert 'deletionTimestamp' not in objects.claim(first)['metadata']


@pytest.mark.gen_test
def test_without_a_memory_for_claims_a_new_server_of_an_old_name_does_not_start(database, renamed):
    ann, server, rename = renamed
    yield database.run_once(ann, server)
    spawner = database.spawner(*rename(), remember_pvc_name=False)
    spawner.clear_state()
    with pytest.raises(Exception, match='is that of another server.*remember_pvc_name'):
        yield spawner.start()


@pytest.mark.parametrize('template', ['claim-{username}', 'claim-{userid}'])
@pytest.mark.gen_test
def test_servers_share_a_claim_if_the_template_says_so(template, database):
    ann = database.user('ann')
    claims = []
    for name in ('', 'gpu'):
        claims.append((yield database.run_once(ann, database.server(ann, name), pvc_name_template=template)))
    assert claims[0] == claims[1]


@pytest.mark.gen_test
def test_users_share_a_claim_if_the_template_says_so(database):
    claims = []
    for name in ('ann', 'bob'):
        user = database.user(name)
        claims.append((yield database.run_once(user, database.server(user), pvc_name_template='shared')))
    assert claims == ['shared', 'shared']


@pytest.mark.gen_test
def test_a_claim_whose_annotations_name_another_user_is_not_taken_by_its_name(database, core, namespace):
    core.create_namespaced_persistent_volume_claim(namespace=namespace, _preload_content=False, body={
        'metadata': {'name': 'claim-ann', 'annotations': {'hub.jupyter.org/username': 'bob'}},
        'spec': {'accessModes': ['ReadWriteOnce'], 'resources': {'requests': {'storage': '1Gi'}}}})
    ann = database.user('ann')
    assert (yield database.run_once(ann, database.server(ann))) != 'claim-ann'


@pytest.mark.gen_test
def test_a_claim_that_says_nothing_is_that_of_the_server_that_has_its_name(database, core, namespace):
    core.create_namespaced_persistent_volume_claim(namespace=namespace, _preload_content=False, body={
        'metadata': {'name': 'claim-ann'},
        'spec': {'accessModes': ['ReadWriteOnce'], 'resources': {'requests': {'storage': '1Gi'}}}})
    ann = database.user('ann')
    assert (yield database.run_once(ann, database.server(ann))) == 'claim-ann'
