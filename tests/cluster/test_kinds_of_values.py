"""Values in the forms of all years: lists or dicts of objects, models of any client, by their effect on the pod."""
import pytest
from kubernetes import client

from kubespawner.kube.clients import to_dict
from tests.eras.stand_in.kubernetes_asyncio import client as other

pytestmark = pytest.mark.usefixtures('node')


def container(name):
    return {'name': name, 'image': 'busybox'}


def foreign(name):
    return other.V1Container(name=name, image='busybox', security_context=other.V1SecurityContext(run_as_user=0))


def official(name):
    return client.V1Container(name=name, image='busybox', security_context=client.V1SecurityContext(run_as_user=0))


def claim(models, name):
    return models.V1Volume(
        name='a', persistent_volume_claim=models.V1PersistentVolumeClaimVolumeSource(claim_name=name))


def AsModel(fields):  # noqa: N802
    """Return these fields of a dict as a model of a client that has never been heard of."""
    return type('Model', (), dict(fields, attribute_map={key: key for key in fields}))()


def of_kind(trait, name):
    """Return an item of a trait that says where pods may run."""
    if trait == 'tolerations':
        return {'key': name, 'operator': 'Exists', 'effect': 'NoSchedule'}
    if trait.startswith('node'):
        term, field = {'matchExpressions': [{'key': name, 'operator': 'Exists'}]}, 'preference'
    else:
        term, field = {'labelSelector': {'matchLabels': {'a': name}}, 'topologyKey': 'zone'}, 'podAffinityTerm'
    return {'weight': 5, field: term} if trait.endswith('preferred') else term


HOME = {'name': 'home', 'emptyDir': {}}
HOOK = {'exec': {'command': ['true']}}


@pytest.mark.parametrize('traits, names', [
    ({'init_containers': {'b': container('y'), 'a': container('z')}}, ['z', 'y']),
    ({'init_containers': [foreign('z'), official('y'), container('x')]}, ['z', 'y', 'x']),
    ({'init_containers': {'2': foreign('z'), '1': official('y'), '3': container('x')}}, ['y', 'z', 'x']),
    ({'extra_containers': {'b': container('y'), 'a': container('z')}}, ['notebook', 'z', 'y']),
    ({'extra_containers': {'b': foreign('y'), 'a': official('z')}}, ['notebook', 'z', 'y']),
    ({'volumes': {'b': {'name': 'y', 'emptyDir': {}}, 'a': HOME}}, ['home', 'y', 'no-api-access-please']),
    ({'volumes': {'b': HOME}, 'volume_mounts': {'y': {'name': 'home', 'mountPath': '/z'},
                                                'x': other.V1VolumeMount(name='home', mount_path='/y')}},
     ['/y', '/z', '/var/run/secrets/kubernetes.io/serviceaccount']),
    ({'image_pull_secrets': 'a'}, ['a']),
    ({'image_pull_secrets': ['a', 'b']}, ['a', 'b']),
    ({'image_pull_secrets': [{'name': 'a'}, 'b', client.V1LocalObjectReference(name='c')]}, ['a', 'b', 'c']),
    ({'image_pull_secrets': []}, []),
])
@pytest.mark.gen_test
def test_objects_arrive_in_the_order_of_a_list_or_of_the_keys_of_a_dict(new_spawner, objects, traits, names):
    pod = yield objects.created_by(new_spawner(**traits))
    of_the_pod = {'init_containers': 'initContainers', 'extra_containers': 'containers', 'volumes': 'volumes',
                  'image_pull_secrets': 'imagePullSecrets'}
    if 'volume_mounts' in traits:
        found = [mount['mountPath'] for mount in pod['spec']['containers'][0]['volumeMounts']]
    else:
        found = [item['name'] for item in pod['spec'].get(of_the_pod[list(traits)[0]], [])]
    assert found == names


@pytest.mark.parametrize('trait, path', [
    ('tolerations', 'tolerations'),
    ('node_affinity_required',
     'affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms'),
    ('node_affinity_preferred', 'affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution'),
    ('pod_affinity_required', 'affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution'),
    ('pod_affinity_preferred', 'affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution'),
    ('pod_anti_affinity_required', 'affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution'),
    ('pod_anti_affinity_preferred', 'affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution'),
])
@pytest.mark.gen_test
def test_where_a_pod_may_run_is_said_by_lists_dicts_and_models(new_spawner, objects, trait, path):
    one, two = of_kind(trait, 'one'), of_kind(trait, 'two')
    for value in ([one, two], {'b': two, 'a': one}, [AsModel(one), AsModel(two)], {'b': AsModel(two), 'a': one}):
        pod = yield objects.created_by(new_spawner(**{trait: value}))
        found = pod['spec']
        for key in path.split('.'):
            found = found[key]
        # Kubernetes adds tolerations of its own.
        assert [item for item in found if 'node.kubernetes.io' not in item.get('key', '')] == [one, two]


@pytest.mark.gen_test
def test_a_variable_may_be_a_model(new_spawner, objects):
    source = {'configMapKeyRef': {'name': 'course', 'key': 'title', 'optional': True}}
    pod = yield objects.created_by(new_spawner(environment={
        'TITLE': AsModel({'name': 'TITLE', 'valueFrom': AsModel(source)})}))
    assert {'name': 'TITLE', 'valueFrom': source} in pod['spec']['containers'][0]['env']


@pytest.mark.gen_test
def test_models_of_another_client_arrive_with_what_is_inside_them(new_spawner, objects):
    pod = yield objects.created_by(new_spawner(
        init_containers=[foreign('a')], extra_pod_config=other.V1PodSpec(hostname='h'),
        lifecycle_hooks=other.V1Lifecycle(pre_stop=other.V1LifecycleHandler(_exec={'command': ['true']}))))
    assert pod['spec']['initContainers'][0]['securityContext'] == {'runAsUser': 0}
    assert pod['spec']['hostname'] == 'h'
    assert pod['spec']['containers'][0]['lifecycle'] == {'preStop': HOOK}


@pytest.mark.parametrize('kind', [list, dict])
@pytest.mark.parametrize('volume', [
    {'name': 'home', 'persistentVolumeClaim': {'claimName': 'of-{username}'}},
    {'name': 'home', 'persistentVolumeClaim': other.V1PersistentVolumeClaimVolumeSource(claim_name='of-{username}')},
    claim(other, 'of-{username}'),
    claim(client, 'of-{username}'),
], ids=['dict', 'model in a dict', 'model', 'model of the official client'])
@pytest.mark.gen_test
def test_templates_are_expanded_in_whatever_form_a_volume_has(new_spawner, kind, volume):
    volumes = [volume] if kind is list else {'some': volume}
    spawner = new_spawner('A' * 30, volumes=volumes, pvc_name_template='of-{username}')
    pod = to_dict((yield spawner.get_pod_manifest()))
    assert pod['spec']['volumes'][0]['persistentVolumeClaim'] == {'claimName': spawner.pvc_name}


@pytest.mark.gen_test
def test_a_claim_that_is_no_template_keeps_its_name_in_whatever_form_it_is(new_spawner):
    pod = to_dict((yield new_spawner(volumes={'a': claim(other, 'data.2018')}).get_pod_manifest()))
    assert pod['spec']['volumes'][0]['persistentVolumeClaim'] == {'claimName': 'data.2018'}


@pytest.mark.gen_test
def test_without_a_pull_policy_kubernetes_chooses_one(new_spawner, objects):
    for image, policy in [('busybox', 'Always'), ('busybox:1', 'IfNotPresent')]:
        pod = yield objects.created_by(new_spawner(image=image, image_pull_policy=None))
        assert pod['spec']['containers'][0]['imagePullPolicy'] == policy


@pytest.mark.parametrize('traits, sentence', [
    ({'volumes': {'a': 5}}, r"KubeSpawner.volumes\['a'\] is not a dict, but of the type int"),
    ({'volumes': {5: HOME}}, 'KubeSpawner.volumes: has the key 5, which is no string'),
    ({'init_containers': container('a')},
     "KubeSpawner.singleuser_init_containers.* is not a dict, but of the type str"),
    ({'image_pull_secrets': [5]}, r'KubeSpawner.singleuser_image_pull_secrets\[0\] is not a dict, but of the type int'),
])
@pytest.mark.gen_test
def test_what_is_no_object_is_told_with_its_place(new_spawner, traits, sentence):
    with pytest.raises(ValueError, match=sentence):
        yield new_spawner(**traits).get_pod_manifest()
