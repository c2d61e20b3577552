"""Every trait, by its effect on the pod or claim that the API server has."""
import asyncio

import pytest
from kubernetes import client
from tornado import gen
from traitlets.config import Config

pytestmark = pytest.mark.usefixtures('node')

HOOKS = {'preStop': {'exec': {'command': ['/bin/true']}}}
VOLUMES = [{'name': 'home', 'emptyDir': {}}, {'name': 'name', 'configMap': {'name': 'of-{username}', 'optional': True}}]
MOUNTS = [{'name': 'home', 'mountPath': '/home/{username}{servername}'}]


def value_at(obj, path):
    """Return what stands in `obj` at a path such as `spec.containers.0.image`; None if there is no such place."""
    for key in path.split('.'):
        obj = obj[int(key)] if isinstance(obj, list) else (obj or {}).get(key)
    return obj


@pytest.mark.parametrize('traits, path, expected', [
    ({'singleuser_image_spec': 'busybox:1.36'}, 'spec.containers.0.image', 'busybox:1.36'),
    ({'singleuser_image_pull_policy': 'Never'}, 'spec.containers.0.imagePullPolicy', 'Never'),
    ({'singleuser_image_pull_secrets': 'regcred'}, 'spec.imagePullSecrets', [{'name': 'regcred'}]),
    ({'singleuser_working_dir': '/tmp'}, 'spec.containers.0.workingDir', '/tmp'),
    ({'singleuser_node_selector': {'disk': 'ssd'}}, 'spec.nodeSelector', {'disk': 'ssd'}),
    ({'singleuser_uid': 1000}, 'spec.securityContext.runAsUser', 1000),
    ({'singleuser_fs_gid': 100}, 'spec.securityContext.fsGroup', 100),
    ({'singleuser_supplemental_gids': [1, 2]}, 'spec.securityContext.supplementalGroups', [1, 2]),
    ({'singleuser_privileged': True}, 'spec.containers.0.securityContext', {'privileged': True}),
    ({'singleuser_lifecycle_hooks': HOOKS}, 'spec.containers.0.lifecycle', HOOKS),
    ({'singleuser_init_containers': [{'name': 'i', 'image': 'busybox'}]}, 'spec.initContainers.0.name', 'i'),
    ({'singleuser_extra_containers': [{'name': 's', 'image': 'busybox'}]}, 'spec.containers.1.name', 's'),
    ({'singleuser_extra_container_config': {'env_from': [{'configMapRef': {'name': 'a', 'optional': True}}]}},
     'spec.containers.0.envFrom', [{'configMapRef': {'name': 'a', 'optional': True}}]),
    ({'singleuser_extra_pod_config': {'terminationGracePeriodSeconds': 7}}, 'spec.terminationGracePeriodSeconds', 7),
    ({'singleuser_extra_labels': {'of': 'u-{username}'}}, 'metadata.labels.of', 'u-alice'),
    ({'singleuser_extra_annotations': {'of': '{username} {userid}'}}, 'metadata.annotations.of', 'alice 7'),
    ({'extra_resource_limits': {'example.org/gpu': 1}, 'extra_resource_guarantees': {'example.org/gpu': '1'}},
     'spec.containers.0.resources', {'limits': {'example.org/gpu': '1'}, 'requests': {'example.org/gpu': '1'}}),
    ({'cpu_limit': 1.5, 'cpu_guarantee': 0.5}, 'spec.containers.0.resources',
     {'limits': {'cpu': '1500m'}, 'requests': {'cpu': '500m'}}),
    ({'mem_limit': '1G', 'mem_guarantee': '512M'}, 'spec.containers.0.resources',
     {'limits': {'memory': '1073741824'}, 'requests': {'memory': '536870912'}}),
    ({'volumes': VOLUMES}, 'spec.volumes.1.configMap.name', 'of-alice'),
    ({'volumes': VOLUMES, 'volume_mounts': MOUNTS}, 'spec.containers.0.volumeMounts.0.mountPath', '/home/alice'),
    ({'pod_name_template': 'p-{userid}-{username}'}, 'metadata.name', 'p-7-alice'),
    ({'port': 0}, 'spec.containers.0.ports.0.containerPort', 8888),
    ({'port': 9999}, 'spec.containers.0.ports.0.containerPort', 9999),
    ({'cmd': 'true'}, 'spec.containers.0.args.0', 'true'),
    ({'cmd': None}, 'spec.containers.0.args', None),
    ({'singleuser_service_account': None}, 'spec.automountServiceAccountToken', False),
    ({}, 'spec.restartPolicy', 'OnFailure'),
])
@pytest.mark.gen_test
def test_a_trait_arrives_in_the_pod(new_spawner, objects, traits, path, expected):
    pod = yield objects.created_by(new_spawner(**traits))
    assert value_at(pod, path) == expected


@pytest.mark.gen_test
def test_without_a_service_account_its_tokens_place_is_masked(new_spawner, objects):
    pod = yield objects.created_by(new_spawner(volumes=VOLUMES, volume_mounts=MOUNTS))
    assert pod['spec']['volumes'][-1] == {'name': 'no-api-access-please', 'emptyDir': {}}
    assert pod['spec']['containers'][0]['volumeMounts'][-1] == {
        'name': 'no-api-access-please', 'mountPath': '/var/run/secrets/kubernetes.io/serviceaccount', 'readOnly': True}


@pytest.mark.gen_test
def test_a_service_account_is_the_pods_and_nothing_is_masked(new_spawner, objects, core, namespace):
    pod = yield objects.created_by(new_spawner(singleuser_service_account='default'))
    assert pod['spec']['serviceAccountName'] == 'default'
    assert 'no-api-access-please' not in [volume['name'] for volume in pod['spec'].get('volumes', [])]


async def native(spawner):
    await asyncio.sleep(0)
    return spawner.user.id


@gen.coroutine
def decorated(spawner):
    yield gen.moment
    return spawner.user.id


@pytest.mark.parametrize('function', [lambda spawner: spawner.user.id, native, decorated],
                         ids=['plain', 'async def', 'gen.coroutine'])
@pytest.mark.gen_test
def test_ids_may_be_functions_of_the_spawner_of_any_kind(new_spawner, objects, function):
    async def groups(spawner):
        return [await native(spawner)]

    pod = yield objects.created_by(new_spawner(
        singleuser_uid=function, singleuser_fs_gid=function, singleuser_supplemental_gids=groups))
    assert pod['spec']['securityContext'] == {'runAsUser': 7, 'fsGroup': 7, 'supplementalGroups': [7]}


def plain_hook(spawner, pod):
    pod.metadata.annotations['hook'] = spawner.user.name
    pod.spec.containers[0].env.append(client.V1EnvVar(name='HOOK', value='1'))
    pod.spec.volumes.append({'name': 'hook', 'emptyDir': {'sizeLimit': '1Mi'}})
    return pod


async def native_hook(spawner, pod):
    await asyncio.sleep(0)
    return plain_hook(spawner, pod)


@gen.coroutine
def decorated_hook(spawner, pod):
    yield gen.moment
    return plain_hook(spawner, pod)


@pytest.mark.parametrize('hook', [plain_hook, native_hook, decorated_hook])
@pytest.mark.gen_test
def test_what_the_hook_makes_of_the_pod_is_created(new_spawner, objects, hook):
    pod = yield objects.created_by(new_spawner(modify_pod_hook=hook))
    assert pod['metadata']['annotations']['hook'] == 'alice'
    assert {'name': 'HOOK', 'value': '1'} in pod['spec']['containers'][0]['env']
    assert {'name': 'hook', 'emptyDir': {'sizeLimit': '1Mi'}} in pod['spec']['volumes']


@pytest.mark.gen_test
def test_a_hook_that_returns_nothing_is_named_and_nothing_is_created(new_spawner, objects):
    spawner = new_spawner(modify_pod_hook=lambda spawner, pod: None)
    with pytest.raises(ValueError, match='modify_pod_hook'):
        yield spawner.start()
    assert objects.pods() == []


@pytest.mark.parametrize('traits, word', [
    ({'volumes': [{'name': '{nobody}'}]}, 'KubeSpawner.volumes'),
    ({'singleuser_extra_labels': {'a': '{nobody}'}}, 'KubeSpawner.singleuser_extra_labels'),
    ({'pod_name_template': '{nobody}'}, 'KubeSpawner.pod_name_template'),
    ({'singleuser_extra_pod_config': {'nobody': 1}}, "'nobody'"),
    ({'user_storage_pvc_ensure': True}, 'KubeSpawner.user_storage_capacity'),
])
@pytest.mark.gen_test
def test_bad_configuration_is_named_and_nothing_is_created(new_spawner, objects, traits, word):
    with pytest.raises(ValueError) as e:
        yield new_spawner(**traits).start()
    assert word in str(e.value)
    assert objects.pods() == []


def environment(pod):
    return {variable['name']: variable.get('value', '') for variable in pod['spec']['containers'][0]['env']}


@pytest.mark.gen_test
def test_the_environment_is_the_configured_one_and_nothing_of_the_hubs_own(new_spawner, objects, monkeypatch):
    monkeypatch.setenv('VIRTUAL_ENV', 'of-the-hub')
    env = environment((yield objects.created_by(new_spawner(environment={'NUMBER': 5}))))
    assert env['NUMBER'] == '5'
    assert env['JUPYTERHUB_USER'] == 'alice'
    assert not {'PATH', 'VIRTUAL_ENV', 'LANG'} & set(env)


@pytest.mark.gen_test
def test_env_keep_names_variables_of_the_hub_that_arrive(new_spawner, objects, monkeypatch):
    monkeypatch.setenv('VIRTUAL_ENV', 'of-the-hub')
    env = environment((yield objects.created_by(new_spawner(env_keep=['VIRTUAL_ENV']))))
    assert env['VIRTUAL_ENV'] == 'of-the-hub'


@pytest.mark.parametrize('traits, url', [
    ({}, 'http://127.0.0.1:8081/hub/api'),
    ({'hub_connect_ip': 'hub.example.org'}, 'http://hub.example.org:8081/hub/api'),
    ({'hub_connect_port': 80}, 'http://127.0.0.1:80/hub/api'),
    ({'hub_connect_ip': '10.0.0.1', 'hub_connect_port': 80}, 'http://10.0.0.1:80/hub/api'),
    ({'hub_connect_ip': 'fd00::1'}, 'http://[fd00::1]:8081/hub/api'),
])
@pytest.mark.gen_test
def test_pods_are_told_a_url_of_the_hub_that_they_can_reach(new_spawner, objects, traits, url):
    spawner = new_spawner(**traits)
    spawner.hub.ip, spawner.hub.port = '127.0.0.1', 8081
    env = environment((yield objects.created_by(spawner)))
    assert spawner.accessible_hub_api_url == url
    assert env['JUPYTERHUB_API_URL'] == url
    assert env.get('JUPYTERHUB_ACTIVITY_URL', url + '/users/alice/activity') == url + '/users/alice/activity'


@pytest.mark.gen_test
def test_the_legacy_environment_is_there_when_asked_for(new_spawner, objects):
    names = {'JPY_USER', 'JPY_COOKIE_NAME', 'JPY_BASE_URL', 'JPY_HUB_PREFIX', 'JPY_HUB_API_URL'}
    env = environment((yield objects.created_by(new_spawner())))
    assert not names & set(env)
    env = environment((yield objects.created_by(new_spawner(legacy_singleuser_env=True, hub_connect_ip='hub'))))
    assert names <= set(env)
    assert (env['JPY_USER'], env['JPY_BASE_URL']) == ('alice', '/user/alice/')
    assert env['JPY_HUB_API_URL'].startswith('http://hub:')


@pytest.mark.gen_test
def test_the_server_listens_where_ip_says(new_spawner, objects):
    pod = yield objects.created_by(new_spawner(ip='127.0.0.7', port=1234))
    said = ' '.join(pod['spec']['containers'][0]['args'] + [environment(pod).get('JUPYTERHUB_SERVICE_URL', '')])
    assert '127.0.0.7' in said and '1234' in said


@pytest.mark.gen_test
def test_the_args_of_the_hub_follow_the_command(new_spawner, objects):
    pod = yield objects.created_by(new_spawner(args=['--one', '--two']))
    assert pod['spec']['containers'][0]['args'][-2:] == ['--one', '--two']


@pytest.mark.gen_test
def test_configuration_by_file_has_the_same_effect_also_for_a_subclass(new_spawner, objects):
    config = Config()
    config.KubeSpawner.singleuser_uid = 5
    config.Spawner.cpu_limit = 2
    pod = yield objects.created_by(new_spawner(config=config))
    assert pod['spec']['securityContext'] == {'runAsUser': 5}
    assert pod['spec']['containers'][0]['resources']['limits'] == {'cpu': '2'}


@pytest.mark.gen_test
def test_the_claim_is_made_as_configured(new_spawner, objects):
    yield objects.created_by(new_spawner(
        'bob', 'gpu', user_storage_pvc_ensure=True, user_storage_capacity='1Gi', user_storage_class='fast',
        user_storage_access_modes=['ReadWriteMany'], user_storage_extra_labels={'of': 'u-{username}'},
        pvc_name_template='files-{username}{servername}'))
    claim = objects.claim('files-bob--gpu')
    assert claim['spec']['accessModes'] == ['ReadWriteMany']
    assert claim['spec']['resources'] == {'requests': {'storage': '1Gi'}}
    assert claim['spec']['storageClassName'] == 'fast'
    annotations = claim['metadata']['annotations']
    assert annotations['volume.beta.kubernetes.io/storage-class'] == 'fast'
    assert annotations['hub.jupyter.org/username'] == 'bob'
    assert annotations['hub.jupyter.org/servername'] == 'gpu'
    assert claim['metadata']['labels'] == {
        'heritage': 'jupyterhub', 'app': 'jupyterhub', 'of': 'u-bob',
        'component': 'singleuser-storage', 'app.kubernetes.io/component': 'singleuser-storage',
        'app.kubernetes.io/name': 'jupyterhub', 'app.kubernetes.io/managed-by': 'kubespawner',
        'hub.jupyter.org/username': 'bob', 'hub.jupyter.org/servername': 'gpu'}


@pytest.mark.gen_test
def test_a_claim_is_made_only_when_asked_for(new_spawner, objects):
    yield objects.created_by(new_spawner('carol', user_storage_capacity='1Gi'))
    assert objects.claim('claim-carol') is None
