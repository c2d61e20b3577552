"""Claims: what they ask for, which server they stay with whatever the templates say, and when they are deleted.

Every test has users of its own: what is left of it is nobody else's.
"""
import json
import uuid

import pytest
from jupyterhub import orm
from jupyterhub.objects import Hub
from jupyterhub.user import User
from kubernetes import client
from tornado import gen
from tornado.ioloop import IOLoop
from traitlets.config import Config

from kubespawner.spawner import SpawnError
from tests.cluster.conftest import UNTOUCHED, additional_rights
from tests.support.database import new_session

pytestmark = pytest.mark.usefixtures('node')

OF_USER, OF_SERVER = 'hub.jupyter.org/username', 'hub.jupyter.org/servername'
CLAIM = {'user_storage_pvc_ensure': True, 'user_storage_capacity': '1Gi'}
OURS = {'heritage': 'jupyterhub', 'app': 'jupyterhub'}


def templates(name):
    """Return the traits that call claims by a template and mount them by it."""
    return dict(CLAIM, pvc_name_template=name,
                volumes=[{'name': 'home', 'persistentVolumeClaim': {'claimName': name}}])


OLD, NEW = templates('claim-{username}{servername}'), templates('files-{username}{servername}')
SHARED = templates('shared-{username}')


def claim_of(pod):
    """Return the name of the claim that is a pod's first volume."""
    return pod['spec']['volumes'][0]['persistentVolumeClaim']['claimName']


@pytest.fixture
def run(objects):
    """`run(spawner)` has it start and stop as a hub does; returns its pod."""
    @gen.coroutine
    def run(spawner):
        spawner.clear_state()
        pod = yield objects.created_by(spawner)
        spawner.clear_state()
        return pod

    return run


@pytest.fixture
def make_claim(core, namespace):
    """`make_claim(name, labels, annotations)` makes a claim that is not the spawner's work."""
    def make(name, labels=(), annotations=()):
        core.create_namespaced_persistent_volume_claim(namespace=namespace, _preload_content=False, body={
            'metadata': {'name': name, 'labels': dict(labels), 'annotations': dict(annotations)},
            'spec': {'accessModes': ['ReadWriteOnce'], 'resources': {'requests': {'storage': '1Gi'}}}})

    return make


def state_of(spawner):
    """Return what the hub's database keeps of a server."""
    return json.loads(json.dumps(spawner.get_state()))


def is_there(objects, name):
    claim = objects.claim(name)
    return claim is not None and not claim['metadata'].get('deletionTimestamp')


# Sizes, and claims that are being deleted


def size_of(objects, name):
    return objects.claim(name)['spec']['resources']['requests']['storage']


@pytest.fixture
def may_patch_claims(cluster, core, namespace):
    with additional_rights(core, namespace, cluster.hub_kubeconfig, [('persistentvolumeclaims', 'patch')]):
        yield


@pytest.mark.usefixtures('may_patch_claims')
@pytest.mark.parametrize('username, traits, size', [
    ('grows', {'user_storage_capacity': '2Gi'}, '2Gi'), ('same', {'user_storage_capacity': '1024Mi'}, '1Gi'),
    ('shrinks', {'user_storage_capacity': '1Mi'}, '1Gi'),
    ('stays', {'user_storage_capacity': '2Gi', 'storage_expand': False}, '1Gi')])
@pytest.mark.gen_test
def test_a_claim_grows_at_the_next_start(new_spawner, objects, kube, run, username, traits, size):
    yield run(new_spawner(username, **OLD))
    yield run(new_spawner(username, **dict(OLD, **traits)))
    assert size_of(objects, 'claim-' + username) == size


@pytest.fixture
def growing(cluster, core, may_patch_claims):
    """The name of a storage class that lets claims grow, which has one volume; the hub may patch claims."""
    if cluster.is_localkube:
        pytest.skip('claims of every class grow on localkube')
    name = 'growing-%s' % uuid.uuid4().hex[:8]
    storage = client.StorageV1Api(core.api_client)
    storage.create_storage_class(_preload_content=False, body={
        'metadata': {'name': name}, 'provisioner': 'kubernetes.io/no-provisioner', 'allowVolumeExpansion': True})
    core.create_persistent_volume(_preload_content=False, body={'metadata': {'name': name}, 'spec': {
        'storageClassName': name, 'capacity': {'storage': '1Gi'}, 'accessModes': ['ReadWriteOnce'],
        'hostPath': {'path': '/nowhere'}}})
    yield name
    core.delete_persistent_volume(name=name, body={}, _preload_content=False)
    storage.delete_storage_class(name=name, body={}, _preload_content=False)


@pytest.mark.gen_test
def test_a_bound_claim_of_a_class_that_allows_it_grows(new_spawner, objects, run, growing):
    of_the_class = dict(templates('bound-{username}'), user_storage_class=growing)
    yield run(new_spawner('bound', **of_the_class))
    yield objects.until(lambda: objects.claim('bound-bound')['status']['phase'] == 'Bound')
    yield run(new_spawner('bound', **dict(of_the_class, user_storage_capacity='2Gi')))
    assert size_of(objects, 'bound-bound') == '2Gi'


@pytest.mark.gen_test
def test_a_user_who_is_deleted_and_comes_back_at_once_has_a_new_claim(new_spawner, core, objects, run):
    spawner = new_spawner('back', **OLD)
    yield run(spawner)
    before = objects.claim('claim-back')['metadata']['uid']
    core.patch_namespaced_persistent_volume_claim(
        name='claim-back', namespace=objects.namespace, _preload_content=False,
        body={'metadata': {'finalizers': ['example.org/held']}})
    yield spawner.delete_forever()
    running = run(new_spawner('back', **OLD))
    yield gen.sleep(0.5)
    assert not is_there(objects, 'claim-back') and not running.done()
    core.patch_namespaced_persistent_volume_claim(
        name='claim-back', namespace=objects.namespace, _preload_content=False, body={'metadata': {'finalizers': None}})
    pod = yield running
    assert claim_of(pod) == 'claim-back' and is_there(objects, 'claim-back')
    assert objects.claim('claim-back')['metadata']['uid'] != before


@pytest.mark.gen_test
def test_a_class_that_does_not_exist_is_told_of_at_once(new_spawner, cluster):
    if cluster.is_localkube:
        pytest.skip('localkube binds claims of every class')
    spawner = new_spawner('classless', storage_class='nope', events_enabled=True, **dict(CLAIM, **UNTOUCHED))
    with pytest.raises(SpawnError, match='storage class does not exist.*"nope" not found'):
        yield gen.with_timeout(IOLoop.current().time() + 30, spawner.start())
    yield spawner.stop(now=True)


# What they ask for

@pytest.mark.parametrize('username, traits, field, value', [
    ('no-class', {'storage_class': ''}, 'storageClassName', ''),
    ('any-class', {'storage_class': None}, 'storageClassName', None),
    ('a-class', {'storage_class': 'fast'}, 'storageClassName', 'fast'),
    ('any', {'storage_selector': {'matchLabels': {'of': '{username}'}}}, 'selector', {'matchLabels': {'of': 'any'}})])
@pytest.mark.gen_test
def test_what_is_asked_of_the_volume_is_in_the_claim(new_spawner, objects, run, username, traits, field, value):
    spawner = new_spawner(username, **dict(CLAIM, **traits))
    yield run(spawner)
    assert objects.claim(spawner.pvc_name)['spec'].get(field) == value


@pytest.mark.gen_test
def test_annotations_of_a_claim_are_templates_and_do_not_hide_whose_it_is(new_spawner, objects, run):
    spawner = new_spawner('noted', **dict(CLAIM, storage_extra_annotations={'of': 'the {username}', OF_USER: 'x'}))
    yield run(spawner)
    annotations = objects.claim(spawner.pvc_name)['metadata']['annotations']
    assert (annotations['of'], annotations[OF_USER]) == ('the noted', 'noted')


@pytest.mark.parametrize('trait, value', [
    ('storage_selector', {1: 'a'}), ('storage_selector', {'matchLabels': {'a': '{nothing}'}}),
    ('storage_extra_annotations', {'a': [1]}), ('storage_extra_annotations', {'a': '{nothing}'})])
@pytest.mark.gen_test
def test_what_no_claim_can_be_made_of_is_told_by_its_name_before_anything_is_made(new_spawner, objects, trait, value):
    spawner = new_spawner('wrong', **dict(CLAIM, **{trait: value}))
    with pytest.raises(ValueError, match='KubeSpawner.%s' % trait):
        yield spawner.start()
    assert objects.claim('claim-wrong') is None


# Whose they are

@pytest.mark.gen_test
def test_a_server_keeps_its_claim_when_the_template_changes_since_its_name_is_in_the_state(new_spawner, objects, run):
    old = new_spawner('ann', **OLD)
    assert 'pvc_name' not in state_of(old)
    yield run(old)
    state = state_of(old)
    assert state['pvc_name'] == 'claim-ann'
    new = new_spawner('ann', **NEW)
    new.load_state(state)
    assert claim_of((yield run(new))) == 'claim-ann'
    assert state_of(new)['pvc_name'] == 'claim-ann'
    assert not is_there(objects, 'files-ann')


@pytest.mark.gen_test
def test_a_claim_without_a_state_is_found_by_its_annotations(new_spawner, objects, run):
    yield run(new_spawner('B@b', **OLD))
    new = new_spawner('B@b', **NEW)
    assert claim_of((yield run(new))) == 'claim--42-40b'
    assert not is_there(objects, 'files--42-40b')
    assert state_of(new)['pvc_name'] == 'claim--42-40b'


@pytest.mark.gen_test
def test_each_server_finds_its_own_claim(new_spawner, objects, run):
    for servername in ('', 'gpu'):
        yield run(new_spawner('cat', servername, **OLD))
    for servername, name in [('gpu', 'claim-cat--gpu'), ('cpu', 'files-cat--cpu'), ('', 'claim-cat')]:
        assert claim_of((yield run(new_spawner('cat', servername, **NEW)))) == name


@pytest.mark.gen_test
def test_a_claim_of_the_first_hubs_with_labels_of_users_is_found(new_spawner, run, make_claim):
    labels = dict(OURS, **{OF_USER: 'dora'})
    make_claim('of-another', dict(OURS, **{OF_USER: 'do'}), {OF_USER: 'do'})
    make_claim('of-a-server', labels, {OF_USER: 'dora', OF_SERVER: 'gpu'})
    make_claim('another-hub', dict(labels, app='other'), {OF_USER: 'dora'})
    make_claim('long-ago', labels, {OF_USER: 'dora'})
    assert claim_of((yield run(new_spawner('dora', **NEW)))) == 'long-ago'


@pytest.mark.gen_test
def test_a_claim_that_names_a_user_only_in_its_annotations_is_not_given_to_that_user(
        new_spawner, run, make_claim, caplog):
    make_claim('a-trap', OURS, {OF_USER: 'fay'})
    assert claim_of((yield run(new_spawner('fay', **NEW)))) == 'files-fay'
    assert 'Claim a-trap is not taken' in caplog.text and 'kubectl label pvc a-trap' in caplog.text


@pytest.mark.parametrize('username, label', [('A.Lee', 'A.Lee'), ('a@lee', 'a-lee---74670781')])
@pytest.mark.gen_test
def test_a_claim_that_a_later_spawner_made_is_found(new_spawner, run, make_claim, username, label):
    name = 'later-' + label.lower()
    make_claim(name, dict(OURS, **{OF_USER: label}), {OF_USER: username, OF_SERVER: ''})
    assert claim_of((yield run(new_spawner(username, **NEW)))) == name


@pytest.mark.gen_test
def test_a_claim_that_is_there_under_the_name_of_the_template_is_taken_whoever_made_it(new_spawner, run, make_claim):
    make_claim('files-eve')
    make_claim('older', OURS, {OF_USER: 'eve'})
    assert claim_of((yield run(new_spawner('eve', **NEW)))) == 'files-eve'


@pytest.mark.gen_test
def test_nothing_is_remembered_nor_looked_for_if_that_is_not_wanted(new_spawner, objects, run):
    old = new_spawner('fay', remember_pvc_name=False, **OLD)
    yield run(old)
    assert 'pvc_name' not in state_of(old)
    new = new_spawner('fay', remember_pvc_name=False, **NEW)
    new.load_state(dict(state_of(old), pvc_name='claim-fay'))
    assert claim_of((yield run(new))) == 'files-fay'


@pytest.mark.gen_test
def test_other_volumes_keep_their_names(new_spawner, run):
    yield run(new_spawner('gil', **OLD))
    other = {'name': 'other', 'persistentVolumeClaim': {'claimName': 'other-{username}'}}
    pod = yield run(new_spawner('gil', **dict(NEW, volumes=[NEW['volumes'][0], other])))
    assert [volume['persistentVolumeClaim']['claimName'] for volume in pod['spec']['volumes'][:2]] == [
        'claim-gil', 'other-gil']


@pytest.mark.gen_test
def test_a_start_looks_for_other_claims_only_before_it_makes_one(kube, new_spawner, run):
    counts = []
    for _ in range(2):
        kube.clear_faults()
        yield run(new_spawner('hal', **OLD))
        counts.append([method for method, path in kube.requests() if '/persistentvolumeclaims' in path])
    assert counts == [['GET', 'GET', 'GET', 'POST'], ['GET']]


@pytest.mark.gen_test
def test_a_hub_that_may_not_look_for_claims_makes_no_new_one_and_says_what_it_needs(kube, new_spawner, objects, run):
    kube.fail(method='GET', path='/persistentvolumeclaims\\?', status=403, times=1000)
    with pytest.raises(SpawnError, match='right to list persistentvolumeclaims') as e:
        yield new_spawner('ida', **OLD).start()
    assert 'remember_pvc_name' in e.value.jupyterhub_message
    assert not is_there(objects, 'claim-ida') and objects.pods() == []
    yield run(new_spawner('ida', remember_pvc_name=False, **OLD))
    yield run(new_spawner('ida', **OLD))  # which is there


# When they are deleted

@pytest.fixture
def spawner_with_claim(new_spawner, run):
    """`spawner_with_claim(...)` returns a spawner whose server has had a claim."""
    @gen.coroutine
    def make(*args, **traits):
        spawner = new_spawner(*args, **traits)
        yield run(spawner)
        return spawner

    return make


@pytest.mark.gen_test
def test_a_deleted_server_has_no_claim_and_others_keep_theirs(spawner_with_claim, objects):
    default, gpu, cpu, other = yield [spawner_with_claim(*names, **OLD) for names in [
        ('jo', ''), ('jo', 'gpu'), ('jo', 'cpu'), ('jon', '')]]
    yield gpu.delete_forever()
    assert [is_there(objects, spawner.pvc_name) for spawner in (default, gpu, cpu, other)] == [True, False, True, True]
    yield default.delete_forever()
    assert [is_there(objects, spawner.pvc_name) for spawner in (default, cpu, other)] == [False, True, True]
    yield default.delete_forever()  # it is gone already


@pytest.mark.parametrize('username, first', [('kim', ''), ('lee', 'gpu')])
@pytest.mark.gen_test
def test_a_claim_of_all_servers_goes_with_the_default_one_only(spawner_with_claim, objects, username, first):
    yield spawner_with_claim(username, first, **SHARED)
    default, gpu = yield [spawner_with_claim(username, name, **SHARED) for name in ('', 'gpu')]
    yield gpu.delete_forever()
    assert is_there(objects, 'shared-' + username)
    yield default.delete_forever()
    assert not is_there(objects, 'shared-' + username)


@pytest.mark.parametrize('user, template, name', [
    ('a.b', 'homes', 'homes'), ('c.d', 'c-{legacy_escape_username}', 'c-c-d')])
@pytest.mark.gen_test
def test_a_claim_that_its_template_gives_to_other_users_as_well_is_kept(
        spawner_with_claim, objects, user, template, name):
    spawner = yield spawner_with_claim(user, **dict(OLD, pvc_name_template=template))
    yield spawner.delete_forever()
    assert is_there(objects, name)


@pytest.mark.gen_test
def test_a_claim_of_another_hub_is_kept(spawner_with_claim, new_spawner, objects):
    yield spawner_with_claim('two', common_labels={'app': 'a', 'heritage': 'jupyterhub'}, **OLD)
    yield new_spawner('two', common_labels={'app': 'b', 'heritage': 'jupyterhub'}, **OLD).delete_forever()
    assert is_there(objects, 'claim-two')


@pytest.mark.gen_test
def test_a_claim_that_the_hub_remembers_of_another_server_as_well_is_kept(spawner_with_claim, new_spawner, objects):
    gpu = yield spawner_with_claim('mia', 'gpu', **SHARED)
    gpu.pvc_name_template = NEW['pvc_name_template']
    gpu.user.orm_spawners = {'': orm.Spawner(name='', state={'pvc_name': 'shared-mia'}),
                             'gpu': orm.Spawner(name='gpu', state=state_of(gpu)), 'new': orm.Spawner(name='new')}
    yield gpu.delete_forever()
    assert is_there(objects, 'shared-mia')
    del gpu.user.orm_spawners['']
    yield gpu.delete_forever()
    assert not is_there(objects, 'shared-mia')


@pytest.mark.parametrize('username, annotations', [
    ('ned', {}), ('ona', {OF_USER: 'pia'}), ('pia', {OF_USER: 'pia', OF_SERVER: 'gpu'})])
@pytest.mark.gen_test
def test_a_claim_that_does_not_say_that_it_is_this_servers_is_kept(
        new_spawner, objects, make_claim, caplog, username, annotations):
    make_claim('claim-' + username, OURS, annotations)
    yield new_spawner(username, **OLD).delete_forever()
    assert is_there(objects, 'claim-' + username)
    assert 'Claim claim-%s is not deleted' % username in caplog.text


@pytest.mark.gen_test
def test_a_claim_of_an_earlier_template_is_deleted_as_well(spawner_with_claim, new_spawner, objects):
    yield spawner_with_claim('rex', **OLD)
    yield new_spawner('rex', **NEW).delete_forever()
    assert not is_there(objects, 'claim-rex')


@pytest.mark.gen_test
def test_no_claim_is_deleted_if_that_is_not_wanted(spawner_with_claim, objects):
    spawner = yield spawner_with_claim('sam', delete_pvc=False, **OLD)
    yield spawner.delete_forever()
    assert is_there(objects, 'claim-sam')


@pytest.mark.gen_test
def test_a_hub_that_may_not_delete_claims_says_what_it_needs(kube, spawner_with_claim, objects, caplog):
    spawner = yield spawner_with_claim('tom', **OLD)
    kube.fail(method='DELETE', path='/persistentvolumeclaims/', status=403, times=1000)
    yield spawner.delete_forever()
    assert 'right to delete persistentvolumeclaims' in caplog.text and 'delete_pvc' in caplog.text
    assert is_there(objects, 'claim-tom')
    kube.clear_faults()
    kube.fail(method='GET', path='/persistentvolumeclaims/', status=403, times=1000)
    yield spawner.delete_forever()
    assert 'right to get persistentvolumeclaims' in caplog.text


@pytest.mark.gen_test
def test_a_server_without_a_claim_is_deleted_without_a_word(new_spawner, caplog):
    yield new_spawner('uli').delete_forever()
    yield new_spawner('uli', **OLD).delete_forever()
    assert not [record for record in caplog.records if record.levelname in ('WARNING', 'ERROR')]


@pytest.mark.skipif(not hasattr(User, 'delete_spawners'), reason='this JupyterHub tells no spawner of that')
@pytest.mark.gen_test
def test_a_hub_that_deletes_a_user_deletes_the_claims_of_all_servers(new_spawner, run, objects, namespace):
    config = Config(KubeSpawner=dict(OLD, namespace=namespace, singleuser_image_spec='busybox', cmd=['sleep', '1000']))
    db = new_session()
    orm_user = orm.User(name='zoe')
    db.add(orm_user)
    for servername in ('', 'gpu'):
        db.add(orm.Spawner(name=servername, user=orm_user))
    db.commit()
    settings = {'spawner_class': type(new_spawner('zoe')), 'hub': Hub(base_url='/hub/'), 'config': config}
    user = User(orm_user, settings, db)
    for servername in ('', 'gpu'):
        spawner = user.spawners[servername]
        yield run(spawner)
        spawner.orm_spawner.state = spawner.get_state()
    db.commit()
    assert is_there(objects, 'claim-zoe') and is_there(objects, 'claim-zoe--gpu')
    config.KubeSpawner.update(NEW)
    again = User(orm_user, settings, db)  # as after a restart of the hub
    assert again.spawners['gpu'].pvc_name == 'claim-zoe--gpu'
    yield again.delete_spawners()
    assert not is_there(objects, 'claim-zoe') and not is_there(objects, 'claim-zoe--gpu')
