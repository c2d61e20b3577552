"""Users with namespaces of their own: what is made there, and that equal names in several are not mixed up."""
import re
import uuid

import pytest
import yaml
from jupyterhub import orm
from jupyterhub.objects import Server
from kubernetes import client
from kubernetes.client.rest import ApiException
from tornado import gen

from kubespawner.naming.ownership import USERNAME
from tests import documentation
from tests.simulated_node import SimulatedNode
from tests.support.rights import user_of, wait_for

from .conftest import UNTOUCHED, Objects

pytestmark = pytest.mark.usefixtures('node', 'rights')

CLAIM = {'user_storage_pvc_ensure': True, 'user_storage_capacity': '1Gi'}


def cluster_role():
    return yaml.safe_load(documentation.block('yaml', 'kind: ClusterRole'))


@pytest.fixture(scope='module')
def rights(request, core):
    """Gives the user that KubeSpawner runs as the documented ClusterRole, if it has rights to be given."""
    kubeconfig = request.config.getoption('--hub-kubeconfig')
    if not kubeconfig:
        yield
        return
    user = user_of(kubeconfig)
    rbac, role = client.RbacAuthorizationV1Api(core.api_client), cluster_role()
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
def new_user(request, core, namespace, new_spawner):
    """`new_user(username, servername, **traits)` returns a spawner whose user has a namespace.

    `new_user.objects(spawner)` tells what is in that, and `new_user.prefix` is how all these namespaces begin. They are
    gone some time after the test.
    """
    made = {}  # namespace -> its node, or None
    prefix = namespace + '-' + uuid.uuid4().hex[:4]

    def new(*args, **traits):
        traits = dict({'enable_user_namespaces': True, 'user_namespace_template': prefix + '-{username}'}, **traits)
        spawner = new_spawner(*args, **traits)
        if spawner.namespace not in made:
            simulated = request.config.getoption('--simulated-node') and spawner.namespace != namespace
            made[spawner.namespace] = SimulatedNode(core, spawner.namespace).__enter__() if simulated else None
        return spawner

    new.objects, new.prefix = lambda spawner: Objects(core, spawner.namespace), prefix
    yield new
    for name, node in made.items():
        if node:
            node.__exit__()
        if name == namespace:  # not made here
            continue
        try:
            core.delete_namespace(name=name, body=client.V1DeleteOptions(), _preload_content=False)
        except ApiException as e:
            assert e.status == 404


def metadata_of(core, spawner):
    """Return labels and annotations of a user's namespace."""
    metadata = core.read_namespace(name=spawner.namespace).metadata
    return metadata.labels, metadata.annotations


@pytest.mark.gen_test
def test_pods_and_claims_are_in_the_users_namespace_which_is_made(new_user, core, objects):
    spawner = new_user('ann@b', 'gpu', user_namespace_labels={'of': '{username}'},
                       user_namespace_annotations={'quota': 'of {username}'}, **CLAIM)
    assert spawner.namespace == new_user.prefix + '-ann-40b'
    yield spawner.start()
    assert (yield spawner.poll()) is None
    assert new_user.objects(spawner).claim(spawner.pvc_name) and objects.pods() == []
    labels, annotations = metadata_of(core, spawner)
    assert {'of': 'ann-40b', 'heritage': 'jupyterhub', 'hub.jupyter.org/username': 'ann-40b'}.items() <= labels.items()
    assert {'quota': 'of ann-40b', 'hub.jupyter.org/username': 'ann@b'}.items() <= annotations.items()
    assert 'hub.jupyter.org/servername' not in dict(labels, **annotations)
    yield spawner.stop(now=True)
    assert (yield spawner.poll()) == 1
    yield spawner.start()  # where it is now
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_pods_of_one_name_in_several_namespaces_are_told_apart(new_user):
    ann, bob = new_user('ann', pod_name_template='notebook'), new_user('bob', pod_name_template='notebook')
    assert ann.pod_reflector is bob.pod_reflector
    yield ann.start()
    assert (yield bob.poll()) == 1
    yield bob.start()
    pods = ann.pod_reflector.pods
    assert {spawner.namespace + '/notebook' for spawner in (ann, bob)} <= set(pods)
    yield ann.stop(now=True)
    assert (yield ann.poll()) == 1
    assert (yield bob.poll()) is None
    yield bob.stop(now=True)
    assert (yield bob.poll()) == 1


@pytest.mark.gen_test
def test_a_start_is_told_of_its_own_pod_only(new_user):
    ann, bob = [new_user(name, pod_name_template='notebook', **UNTOUCHED) for name in ('ann', 'bob')]
    starts = [spawner.start() for spawner in (ann, bob)]
    yield new_user.objects(bob).until(lambda: all(new_user.objects(s).pod('notebook') for s in (ann, bob)))
    new_user.objects(bob).set_status('notebook', phase='Failed', reason='Evicted')
    with pytest.raises(Exception, match='Evicted'):
        yield starts[1]
    assert not starts[0].done()
    yield [spawner.stop(now=True) for spawner in (ann, bob)]
    with pytest.raises(Exception, match='deleted|given up'):  # which, depends on whether the creation was answered
        yield starts[0]


@pytest.mark.gen_test
def test_spawners_with_and_without_namespaces_of_users_share_a_watch_or_two(new_user, new_spawner, namespace):
    plain, ann = new_spawner('plain'), new_user('ann')
    assert plain.pod_reflector.namespace == namespace
    assert ann.pod_reflector.namespace == '' and new_user('bob').pod_reflector is ann.pod_reflector
    for spawner in (plain, ann):
        yield spawner.start()
    assert (yield [plain.poll(), ann.poll()]) == [None, None]
    assert list(plain.pod_reflector.pods) == [plain.pod_name]
    yield [spawner.stop(now=True) for spawner in (plain, ann)]


@pytest.mark.gen_test
def test_a_watch_of_all_namespaces_does_for_those_without(new_user, new_spawner):
    ann, plain = new_user('ann'), new_spawner('plain')
    assert plain.pod_reflector is ann.pod_reflector
    yield plain.start()
    assert (yield plain.poll()) is None
    yield plain.stop(now=True)
    assert (yield plain.poll()) == 1


@pytest.mark.gen_test
def test_a_server_is_found_in_the_namespace_that_it_was_started_in(new_user):
    old = new_user('ann')
    yield old.start()
    new = new_user('ann', user_namespace_template=new_user.prefix + '-new-{username}')
    new.load_state(old.get_state())
    assert (yield new.poll()) is None
    yield new.stop(now=True)
    assert (yield old.poll()) == 1
    new.clear_state()
    assert new.namespace == new_user.prefix + '-new-ann'


@pytest.mark.gen_test
def test_a_server_stays_where_its_claim_is(new_user):
    old = new_user('ann', **CLAIM)
    yield old.start()
    yield old.stop(now=True)
    old.clear_state()
    new = new_user('ann', user_namespace_template=new_user.prefix + '-new-{username}', **CLAIM)
    new.load_state(old.get_state())
    new.clear_state()
    assert (new.namespace, new.pvc_name) == (old.namespace, 'claim-ann')


@pytest.mark.gen_test
def test_a_server_from_before_users_had_namespaces_is_found(new_user, new_spawner):
    old = new_spawner('ann')
    yield old.start()
    new = new_user('ann')
    new.load_state(old.get_state())
    assert (yield new.poll()) is None
    yield new.stop(now=True)
    while old.pod_reflector.pods:  # it has a watch of its own, which learns of it a moment later
        yield gen.sleep(0.02)
    assert (yield old.poll()) == 1
    new.clear_state()
    assert new.namespace == new_user.prefix + '-ann'


@pytest.mark.gen_test
def test_a_namespace_that_is_there_stays_as_it_is(new_user, core):
    spawner = new_user('ann', user_namespace_labels={'of': 'ann'})
    core.create_namespace(body={'metadata': {
        'name': spawner.namespace, 'labels': {'made': 'before'}, 'annotations': {USERNAME: 'ann'}}})
    yield spawner.start()
    yield spawner.stop(now=True)
    labels, _ = metadata_of(core, spawner)
    assert labels['made'] == 'before' and 'of' not in labels


@pytest.mark.gen_test
def test_a_namespace_that_is_there_and_of_nobody_is_not_entered_until_it_is_adopted(new_user, core):
    spawner = new_user('prod')
    core.create_namespace(body={'metadata': {'name': spawner.namespace}})
    with pytest.raises(Exception) as refusal:
        yield spawner.start()
    assert 'namespace' in refusal.value.jupyterhub_message and 'kubectl' not in refusal.value.jupyterhub_message
    assert new_user.objects(spawner).pods() == []
    command = re.search('kubectl annotate namespace (\\S+) (\\S+)=(prod)[.]', str(refusal.value))
    core.patch_namespace(name=command.group(1), body={
        'metadata': {'annotations': {command.group(2): command.group(3)}}})
    spawner.clear_state()
    yield spawner.start()
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_the_hubs_own_namespace_is_not_that_of_a_user_of_the_same_name(new_user, namespace):
    spawner = new_user(namespace[-1], user_namespace_template=namespace[:-1] + '{username}')
    assert spawner.namespace == namespace
    with pytest.raises(Exception, match='is not known to be that of the user'):
        yield spawner.start()


@pytest.mark.parametrize('traits', [
    {'adopt_user_namespaces': True}, {'user_namespace_template': 'kubespawner-test-shared-{userid}'},
    {'user_namespace_template': 'kubespawner-test-shared'}], ids=['the setting', 'an ID', 'no name'])
@pytest.mark.gen_test
def test_a_namespace_that_is_there_is_used_if_the_operator_says_so_or_names_it(traits, new_user, core):
    ann, bob = new_user('ann', **traits), new_user('bob', **traits)
    for name in {ann.namespace, bob.namespace}:
        core.create_namespace(body={'metadata': {'name': name}})
    yield [spawner.start() for spawner in (ann, bob)]
    yield [spawner.stop(now=True) for spawner in (ann, bob)]


@pytest.mark.gen_test
def test_a_namespace_without_an_owner_that_has_a_claim_of_the_user_is_the_users(new_user, core):
    spawner = new_user('ann', **CLAIM)
    yield spawner.start()
    yield spawner.stop(now=True)
    core.patch_namespace(name=spawner.namespace, body={'metadata': {
        'labels': {USERNAME: None, 'heritage': None}, 'annotations': {USERNAME: None}}})
    after = new_user('ann', **CLAIM)  # without a state, as with another database
    yield after.start()
    yield after.stop(now=True)


@pytest.mark.gen_test
def test_the_account_of_a_new_namespace_is_waited_for(kube, new_user):
    spawner = new_user('ann')
    message = 'pods "jupyter-ann" is forbidden: error looking up service account %s/%s: serviceaccount "%s" not found'
    kube.fail(method='POST', path='/pods$', status=403, times=2, message=message % (
        spawner.namespace, 'default', 'default'))
    yield spawner.start()
    yield spawner.stop(now=True)
    kube.fail(method='POST', path='/pods$', status=403, times=1, message=message % (spawner.namespace, 'my', 'my'))
    with pytest.raises(Exception, match='serviceaccount "my" not found'):
        yield spawner.start()


@pytest.mark.parametrize('template, problem', [('{nobody}', 'nobody'), ('{namespace}', 'namespace')])
def test_a_template_of_namespaces_that_cannot_be_expanded_is_named(new_spawner, template, problem):
    with pytest.raises(ValueError, match='KubeSpawner.user_namespace_template.*' + problem):
        new_spawner('ann', enable_user_namespaces=True, user_namespace_template=template)


@pytest.mark.parametrize('username', ['x' * 200, 'Ünï', '..', '-'])
def test_every_user_has_a_namespace_that_can_be(new_spawner, namespace, username):
    spawner = new_spawner(username, enable_user_namespaces=True, user_namespace_template=namespace + '-{username}')
    assert re.match('[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\\Z', spawner.namespace)


def test_the_hubs_own_namespace_is_a_field_of_templates(new_spawner):
    assert new_spawner('ann', enable_user_namespaces=True).namespace == 'default-ann'


@pytest.mark.gen_test
def test_a_hub_makes_exactly_the_requests_that_the_documented_cluster_role_allows(kube, new_user):
    spawner = new_user('ann', events_enabled=True, **CLAIM)
    for _ in range(2):  # the second time in a namespace that is there
        yield run_all(spawner)
    rules = {(resource, verb) for rule in cluster_role()['rules']
             for resource in rule['resources'] for verb in rule['verbs']}
    made = {rule_of(method, path[len('/api/v1/'):]) for method, path in kube.requests()
            if spawner.namespace in path or path.startswith(('/api/v1/pods', '/api/v1/events'))}
    # The other requests are those of the tests.
    assert made | {('namespaces', 'create')} == rules
    assert ('POST', '/api/v1/namespaces') in [(method, path.split('?')[0]) for method, path in kube.requests()]


@gen.coroutine
def run_all(spawner):
    """Have a spawner do all that it does."""
    yield spawner.poll()
    yield spawner.start()
    yield spawner.poll()
    yield spawner.stop(now=True)
    yield spawner.delete_forever()


def rule_of(method, path):
    """Return the (resource, verb) of RBAC that a request needs."""
    path, _, query = path.partition('?')
    parts = path.split('/')
    if parts[0] == 'namespaces' and len(parts) > 2:
        parts = parts[2:]
    if method == 'GET' and len(parts) == 1:
        return parts[0], 'watch' if 'watch=' in query else 'list'
    return parts[0], {'GET': 'get', 'POST': 'create', 'DELETE': 'delete'}[method]


# A hub with a Role in each namespace, and no ClusterRole


@pytest.fixture
def refuse_all_namespaces(kube):
    """The API server refuses lists and watches of all namespaces. Returns the lists and watches of a kind, by path."""
    kube.fail(path='^/api/v1/(pods|events)$', status=403, times=10 ** 9)

    def made(kind):
        return [path.split('?')[0] for _, path in kube.requests() if re.search('/%s\\?' % kind, path)]

    return made


def followed(spawner):
    """Return the namespaces whose pods are watched for spawners."""
    return {reflector.namespace for reflector in type(spawner).pod_reflector.siblings}


@pytest.mark.gen_test
def test_without_permissions_for_all_namespaces_each_namespace_with_a_server_has_a_watch(
        refuse_all_namespaces, new_user):
    ann, gpu, bob = new_user('ann', **CLAIM), new_user('ann', 'gpu'), new_user('bob')
    for spawner in (ann, gpu, bob):
        yield spawner.start()
        assert (yield spawner.poll()) is None
    assert refuse_all_namespaces('pods').count('/api/v1/pods') == 1
    assert followed(ann) == {ann.namespace, bob.namespace} and ann.pod_reflector is gpu.pod_reflector
    new_user.objects(bob).set_status(bob.pod_name, phase='Failed', reason='Evicted')
    yield new_user.objects(bob).until(lambda: bob.pod_reflector.get(bob.pod_name).status.phase == 'Failed')
    assert (yield [ann.poll(), gpu.poll()]) == [None, None]
    for spawner, left in ((bob, {ann.namespace}), (ann, {ann.namespace}), (gpu, set())):
        yield spawner.stop(now=True)
        spawner.clear_state()
        assert followed(ann) == left
    yield ann.start()  # again
    assert followed(ann) == {ann.namespace} and (yield ann.poll()) is None
    yield ann.stop(now=True)


@pytest.mark.gen_test
def test_without_permissions_for_all_namespaces_an_interrupted_start_ends_with_the_address_of_its_pod(
        refuse_all_namespaces, new_user):
    ann = new_user('ann')
    address = yield ann.start()
    type(ann).pod_reflector.stop()
    type(ann).pod_reflector = None
    successor = new_user('ann')
    successor.server = Server(orm_server=orm.Server(proto='http', ip='', port=1, base_url='/', cookie_name=''))
    state = ann.get_state()
    del state['address'], state['pod_ip']  # the hub died before it knew them
    successor.load_state(state)
    url = yield successor.get_url()
    assert url.rstrip('/').endswith('%s:%d' % tuple(address)) and successor.server.ip == address[0]
    yield successor.stop(now=True)


@pytest.mark.gen_test
def test_without_permissions_for_all_namespaces_a_hub_finds_its_servers_after_a_restart(
        refuse_all_namespaces, new_user):
    ann, bob = new_user('ann'), new_user('bob')
    yield [ann.start(), bob.start()]
    yield bob.stop(now=True)
    type(ann).pod_reflector.stop()
    type(ann).pod_reflector = None
    successors = [new_user('ann'), new_user('bob')]
    for old, new in zip((ann, bob), successors):
        new.load_state(dict(old.get_state(), stopped=False))
    assert (yield [new.poll() for new in successors]) == [None, 1]
    yield successors[0].stop(now=True)


@gen.coroutine
def start_with_an_event(ann, there):
    """Begin a start; return when its progress has an event of the pod, and the start is given up."""
    start = ann.start()
    pod = yield there.until(lambda: there.pod(ann.pod_name))
    there.core.create_namespaced_event(namespace=ann.namespace, _preload_content=False, body={
        'metadata': {'name': 'pulling'}, 'reason': 'Pulling', 'type': 'Normal', 'message': 'x',
        'involvedObject': {'kind': 'Pod', 'namespace': ann.namespace, 'name': ann.pod_name,
                           'uid': pod['metadata']['uid']}})
    yield there.until(lambda: 'Pulling' in [event['reason'] for event in ann.events])
    yield ann.stop(now=True)
    ann.clear_state()
    with pytest.raises(Exception, match='deleted|given up'):
        yield start


@pytest.mark.gen_test
def test_without_permissions_for_all_namespaces_events_come_from_the_servers_own(refuse_all_namespaces, new_user):
    for name in ('ann', 'bob'):
        spawner = new_user(name, events_enabled=True, **UNTOUCHED)
        yield start_with_an_event(spawner, new_user.objects(spawner))
        assert list(type(spawner).event_reflector.siblings) == []
    assert refuse_all_namespaces('events').count('/api/v1/events') == 1


@pytest.mark.gen_test
def test_a_namespace_in_which_the_hub_has_no_role_yet_halts_nothing(refuse_all_namespaces, kube, new_user):
    ann, bob = new_user('ann'), new_user('bob')
    kube.fail(path='/namespaces/%s/pods' % bob.namespace, status=403, times=10 ** 9)
    yield ann.start()
    with pytest.raises(Exception, match='403'):
        yield bob.start()
    bob.pod_reflector.give_up_seconds = 0.2
    yield new_user.objects(ann).until(
        lambda: refuse_all_namespaces('pods').count('/api/v1/namespaces/%s/pods' % bob.namespace) > 6)
    assert not bob.pod_reflector.failed and (yield ann.poll()) is None
    kube.clear_faults()
    bob.clear_state()
    yield bob.start()
    assert (yield bob.poll()) is None
    yield [ann.stop(now=True), bob.stop(now=True)]


@pytest.mark.gen_test
def test_of_a_pod_in_a_namespace_that_may_not_be_listed_poll_asks_directly(refuse_all_namespaces, kube, new_user):
    ann = new_user('ann')
    kube.fail(path='/namespaces/%s/pods\\?' % ann.namespace, status=403, times=10 ** 9)
    ann.load_state({'pod_name': 'jupyter-ann', 'namespace': ann.namespace})
    assert (yield ann.poll()) == 1
    yield ann.start()
    assert (yield ann.poll()) is None
    new_user.objects(ann).core.delete_namespaced_pod(
        name=ann.pod_name, namespace=ann.namespace, body=client.V1DeleteOptions(grace_period_seconds=0))
    yield new_user.objects(ann).until(lambda: new_user.objects(ann).pod(ann.pod_name) is None)
    assert (yield ann.poll()) == 1
