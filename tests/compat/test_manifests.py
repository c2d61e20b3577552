"""What pods and claims look like for configurations of other years: users and groups, templates, the environment, the
token of the service account, labels, and spawners that have no user."""
import asyncio
import logging

import pytest
from jupyterhub import orm
from jupyterhub.objects import Hub
from kubernetes import client
from tornado import gen
from tornado.concurrent import Future
from traitlets.config import Config

from kubespawner import KubeSpawner
from kubespawner.kube.clients import to_dict
from tests.cluster.conftest import User

LONG = 'a' * 60 + '@example.org'
MASK = 'no-api-access-please'


class Spawner(KubeSpawner):
    pod_reflector = None


@pytest.fixture(autouse=True)
def own_reflector(monkeypatch):
    monkeypatch.setattr(Spawner, 'pod_reflector', None)


def new_spawner(username='ann', servername='', **settings):
    """Return a spawner that is configured by a file."""
    return Spawner(user=User(username), hub=Hub(base_url='/hub/'), orm_spawner=orm.Spawner(name=servername),
                   config=Config(KubeSpawner=settings))


@gen.coroutine
def pod_of(spawner):
    """Return the pod that a spawner would send, a dict."""
    manifest = yield spawner.get_pod_manifest()
    return to_dict((yield spawner._run_hook(manifest)))


@gen.coroutine
def spec_of(*args, **settings):
    pod = yield pod_of(new_spawner(*args, **settings))
    return pod['spec']


@gen.coroutine
def env_of(environment):
    """Return the variables of `environment` as they are sent, as pairs in their order."""
    spec = yield spec_of(environment=environment)
    return [(variable['name'], variable.get('value')) for variable in spec['containers'][0]['env']
            if variable['name'] in environment]


# Users and groups


def ids(spec):
    """Return the ids of the pod and those of the notebook container."""
    contexts = spec['securityContext'], spec['containers'][0].get('securityContext', {})
    return [(context.get('runAsUser'), context.get('runAsGroup')) for context in contexts]


@pytest.mark.parametrize('settings, of_pod, of_container', [
    ({'singleuser_uid': 1000}, (1000, None), (None, None)),
    ({'uid': 1000}, (None, None), (1000, None)),
    ({'gid': 100}, (None, None), (None, 100)),
    ({'uid': 0, 'gid': 0}, (None, None), (0, 0)),
    ({'uid': 1, 'gid': 2, 'singleuser_uid': 3}, (3, None), (1, 2)),
    ({'uid': lambda spawner: spawner.user.id, 'gid': lambda spawner: 5}, (None, None), (7, 5)),
    ({'uid': 1, 'container_security_context': {'runAsUser': 2}}, (None, None), (2, None)),
])
@pytest.mark.gen_test
def test_the_name_of_2018_is_the_pods_user_and_the_names_of_2019_are_the_containers(settings, of_pod, of_container):
    assert ids((yield spec_of(**settings))) == [of_pod, of_container]


@pytest.mark.gen_test
def test_init_containers_and_sidecars_keep_the_user_of_their_image():
    other = {'name': 'other', 'image': 'busybox'}
    spec = yield spec_of(uid=1000, gid=100, init_containers=[other], extra_containers=[other])
    assert spec['initContainers'] == [other] and spec['containers'][1:] == [other]


@pytest.mark.parametrize('trait', ['uid', 'gid'])
@pytest.mark.gen_test
def test_what_is_no_number_is_an_error_that_names_the_setting(trait):
    with pytest.raises(ValueError, match='KubeSpawner.%s: .* is not the number of a user or group' % trait):
        yield spec_of(**{trait: lambda spawner: 'root'})


# Templates

FIND = 'find /data -exec cp -rL {{}} /home \\;'


@pytest.mark.parametrize('setting', ['init_containers', 'extra_containers', 'singleuser_init_containers'])
@pytest.mark.gen_test
def test_doubled_braces_in_containers_become_single_ones(setting):
    command = ['sh', '-c', FIND, 'echo ${HOME} {{}}', '{"a": 1}', '{{"a": 1}}']
    spec = yield spec_of(**{setting: [{'name': 'c', 'image': 'i', 'command': command}]})
    filled = (spec.get('initContainers') or spec['containers'])[-1]
    assert filled['command'][2:] == [
        'find /data -exec cp -rL {} /home \\;', 'echo ${HOME} {{}}', '{"a": 1}', '{"a": 1}']


@pytest.mark.gen_test
def test_doubled_braces_in_the_environment_become_single_ones():
    env = yield env_of({'A': '{{JUPYTER_IMAGE_SPEC}}', 'B': {'value': '{{"a": "{username}"}}'}, 'C': '{"a": {"b": 1}}',
                        'D': '{nobody} {{}}', 'E': lambda spawner: '{{}}'})
    assert env == [('A', '{JUPYTER_IMAGE_SPEC}'), ('B', '{"a": "ann"}'), ('C', '{"a": {"b": 1}}'),
                   ('D', '{nobody} {{}}'), ('E', '{{}}')]


@pytest.mark.gen_test
def test_doubled_braces_in_settings_that_were_never_templates_stay():
    spec = yield spec_of(
        lifecycle_hooks={'postStart': {'exec': {'command': ['{{.State}}', '{{}} {username}']}}},
        extra_container_config={'envFrom': [{'configMapRef': {'name': '{{a}}'}}]})
    container = spec['containers'][0]
    assert container['lifecycle']['postStart']['exec']['command'] == ['{{.State}}', '{} ann']
    assert container['envFrom'] == [{'configMapRef': {'name': '{{a}}'}}]


MOUNTS = [{'name': 'volume-{username}', 'mountPath': '/home'}, {'name': 'data', 'mountPath': '/data'}]


@pytest.mark.gen_test
def test_the_name_of_a_volume_is_cut_alike_wherever_it_is():
    container = {'name': 'c', 'image': 'i', 'volumeMounts': MOUNTS}
    spec = yield spec_of(
        LONG, volumes=[{'name': 'volume-{username}', 'persistentVolumeClaim': {'claimName': 'claim-{username}'}},
                       {'name': 'data', 'configMap': {'name': 'config-{username}'}}],
        volume_mounts=MOUNTS, init_containers=[container], extra_containers={'a': container},
        extra_pod_config={'ephemeralContainers': [{'name': 'e', 'volumeMounts': MOUNTS}]})
    name = spec['volumes'][0]['name']
    assert len(name) <= 63 and name.startswith('volume-aaaa')
    containers = spec['containers'] + spec['initContainers'] + spec['ephemeralContainers']
    assert len(containers) == 4
    for each in containers:
        assert [mount['name'] for mount in each['volumeMounts'] if mount['name'] != MASK] == [name, 'data']
    assert spec['volumes'][1]['configMap']['name'] == 'config-' + 'a' * 60 + '-40example-2eorg'


@pytest.mark.gen_test
def test_volumes_in_additional_configuration_are_cut_too():
    spec = yield spec_of(LONG, extra_pod_config={'volumes': [{'name': 'volume-{username}', 'hostPath': {
        'path': '/srv/{username}'}}]}, extra_container_config={'volumeMounts': MOUNTS[:1]})
    assert spec['volumes'][0]['name'] == spec['containers'][0]['volumeMounts'][0]['name'] != 'volume-{username}'
    assert len(spec['volumes'][0]['name']) <= 63
    assert spec['volumes'][0]['hostPath']['path'] == '/srv/' + 'a' * 60 + '-40example-2eorg'


@pytest.mark.gen_test
def test_names_of_volumes_without_fields_are_left_alone():
    name = 'Not_Valid-' + 'x' * 60
    spec = yield spec_of(volumes=[{'name': name}], volume_mounts=[{'name': name, 'mountPath': '/x'}])
    assert spec['volumes'][0]['name'] == spec['containers'][0]['volumeMounts'][0]['name'] == name


# The environment


@pytest.mark.gen_test
def test_a_variable_that_names_another_comes_after_it():
    env = yield env_of({'A': '$(C)/x', 'B': '$$(C)', 'C': {'value': '$(D)'}, 'D': '1'})
    assert env == [('B', '$$(C)'), ('D', '1'), ('C', '$(D)'), ('A', '$(C)/x')]


@pytest.mark.gen_test
def test_variables_that_name_each_other_are_told_of_in_the_log(caplog):
    caplog.set_level(logging.WARNING)
    spawner = new_spawner(environment={'A': '$(B)', 'B': '$(A)'})
    spawner.log = logging.getLogger('hub')
    yield spawner.get_pod_manifest()
    assert 'A, B' in caplog.text


@gen.coroutine
def later(spawner):
    yield gen.moment
    return spawner.user.name


async def native(spawner):
    await asyncio.sleep(0)
    return spawner.user.name


def future(spawner):
    result = Future()
    result.set_result(spawner.user.name)
    return result


async def nothing(spawner):
    return None


async def an_object(spawner):
    return {'value_from': {'fieldRef': {'fieldPath': 'spec.nodeName'}}}


@pytest.mark.gen_test
def test_functions_in_the_environment_may_return_coroutines_and_futures():
    env = yield env_of({'A': later, 'B': native, 'C': future, 'D': nothing, 'E': an_object, 'F': lambda spawner: 5})
    assert env == [('A', 'ann'), ('B', 'ann'), ('C', 'ann'), ('E', None), ('F', '5')]


@pytest.mark.gen_test
def test_an_error_of_a_coroutine_names_the_variable(recwarn):
    async def broken(spawner):
        raise KeyError('nobody')

    with pytest.raises(ValueError, match=r"KubeSpawner.environment\['A'\] raised KeyError: 'nobody'"):
        yield spec_of(environment={'A': broken, 'B': native})
    assert [str(warning.message) for warning in recwarn if 'never awaited' in str(warning.message)] == []


@pytest.mark.parametrize('setting, value, where', [
    ('singleuser_uid', 5, lambda spec: spec['securityContext']['runAsUser']),
    ('uid', 5, lambda spec: spec['containers'][0]['securityContext']['runAsUser']),
    ('gid', 5, lambda spec: spec['containers'][0]['securityContext']['runAsGroup']),
    ('fs_gid', 5, lambda spec: spec['securityContext']['fsGroup']),
    ('supplemental_gids', [5], lambda spec: spec['securityContext']['supplementalGroups']),
    ('pod_security_context', {'fsGroup': 5}, lambda spec: spec['securityContext']),
    ('container_security_context', {'runAsUser': 5, 'allowPrivilegeEscalation': False},
     lambda spec: spec['containers'][0]['securityContext']),
])
@pytest.mark.gen_test
def test_a_setting_that_may_be_a_function_may_be_a_coroutine(setting, value, where):
    async def function(spawner):
        return value

    assert where((yield spec_of(**{setting: function}))) == value


@pytest.mark.parametrize('hook', [later, native, future, lambda spawner: spawner.user.name])
@pytest.mark.gen_test
def test_the_hook_before_a_start_may_be_a_coroutine_on_every_hub(hook):
    assert (yield new_spawner(pre_spawn_hook=hook).run_pre_spawn_hook()) == 'ann'


# The token of the service account


def masked(spec):
    """True if a pod has the mask, in all its parts; False if it has it in none."""
    lists = [spec['volumes']] + [container['volumeMounts'] for container in spec['containers']]
    found = {any(item['name'] == MASK for item in items) for items in lists}
    assert len(found) == 1
    return found.pop()


def by_attribute(spawner, pod):
    pod.spec.automount_service_account_token = True
    return pod


def by_dict(spawner, pod):
    plain = to_dict(pod)
    plain['spec']['automountServiceAccountToken'] = True
    pod.spec = plain['spec']
    return pod


def by_model(spawner, pod):
    spec = client.V1PodSpec(
        containers=[client.V1Container(name='notebook', image='i', volume_mounts=[
            client.V1VolumeMount(name=mount.name, mount_path=mount.mount_path)
            for mount in pod.spec.containers[0].volume_mounts])],
        volumes=[client.V1Volume(name=volume.name) for volume in pod.spec.volumes],
        automount_service_account_token=True)
    return client.V1Pod(metadata=client.V1ObjectMeta(name='a'), spec=spec)


async def by_coroutine(spawner, pod):
    return by_attribute(spawner, pod)


@pytest.mark.parametrize('settings', [
    {'automount_service_account_token': True},
    {'extra_pod_config': {'automountServiceAccountToken': True}},
    {'singleuser_extra_pod_config': {'automount_service_account_token': True}},
    {'modify_pod_hook': by_attribute}, {'modify_pod_hook': by_dict}, {'modify_pod_hook': by_model},
    {'modify_pod_hook': by_coroutine},
])
@pytest.mark.gen_test
def test_a_pod_that_wants_its_token_has_no_mask(settings):
    spec = yield spec_of(**settings)
    assert spec['automountServiceAccountToken'] is True and not masked(spec)


@pytest.mark.parametrize('settings', [
    {}, {'automount_service_account_token': False}, {'extra_pod_config': {'automountServiceAccountToken': False}}])
@pytest.mark.gen_test
def test_other_pods_have_it(settings):
    assert masked((yield spec_of(**settings)))


# Labels

USERNAME, SERVERNAME = 'hub.jupyter.org/username', 'hub.jupyter.org/servername'


def claim_labels(**settings):
    return to_dict(new_spawner(storage_capacity='1Gi', **settings).get_pvc_manifest())['metadata']['labels']


def test_claims_say_what_they_are_for_and_an_operator_may_say_otherwise():
    labels = claim_labels()
    assert labels['component'] == labels['app.kubernetes.io/component'] == 'singleuser-storage'
    assert claim_labels(storage_extra_labels={'component': 'mine'})['component'] == 'mine'


@pytest.mark.parametrize('username, servername, of_user, of_server', [
    ('ann', '', 'ann', ''), ('ann@b', 'gpu', 'ann-b---421ce535', 'gpu'),
    ('Ann', 'My Server', 'ann---17239b6e', 'my-server---c2d9a82f')])
@pytest.mark.gen_test
def test_labels_of_the_safe_scheme_are_those_that_others_make(username, servername, of_user, of_server):
    spawner = new_spawner(username, servername, slug_scheme='safe', extra_labels={
        'user': '{username}', 'server': '{servername}', 'both': 'x-{servername}', 'pod': '{pod_name}'})
    labels = (yield pod_of(spawner))['metadata']['labels']
    assert (labels['user'], labels['server'], labels['both']) == (of_user, of_server, ('x-' + of_server).rstrip('-'))
    assert labels[USERNAME] == (username if username.isalpha() else of_user) and labels[SERVERNAME] == of_server
    assert labels['pod'] == spawner.pod_name == 'jupyter-' + of_user + ('--' + of_server if servername else '')


@pytest.mark.gen_test
def test_labels_of_the_default_scheme_stay():
    labels = (yield pod_of(new_spawner('ann@b', '')))['metadata']['labels']
    assert labels[USERNAME] == 'ann-40b' and SERVERNAME not in labels


@pytest.mark.parametrize('servername, alone, after', [
    ('', '', 'x'), ('gpu', 'gpu', 'x--gpu'), ('my-lab', 'my-2dlab', 'x--my-2dlab')])
@pytest.mark.gen_test
def test_the_name_of_a_server_is_a_label_without_dashes_before_it(servername, alone, after):
    spawner = new_spawner('ann', servername, extra_labels={'alone': '{servername}', 'after': 'x{servername}'})
    labels = (yield pod_of(spawner))['metadata']['labels']
    assert (labels['alone'], labels['after']) == (alone, after)


# Without a user


@pytest.mark.parametrize('arguments', [{'_mock': True}, {'user': None}, {'_mock': True, 'user': None}])
@pytest.mark.gen_test
def test_a_spawner_without_a_user_makes_manifests(arguments, recwarn):
    spawner = Spawner(uid=5, storage_capacity='1Gi', extra_labels={'of': '{username}'}, **arguments)
    pod = yield pod_of(spawner)
    assert pod['metadata']['name'] == spawner.pod_name and pod['metadata']['labels']['of'] == 'mock-40name'
    assert to_dict(spawner.get_pvc_manifest())['metadata']['name'] == spawner.pvc_name
    assert [warning for warning in recwarn if '_mock' in str(warning.message)] == []


@pytest.mark.gen_test
def test_the_user_that_stands_in_can_be_called_otherwise():
    spawner = Spawner(_mock=True)
    spawner.user.name = 'bob'
    assert (yield pod_of(spawner))['metadata']['name'] == 'jupyter-bob'
