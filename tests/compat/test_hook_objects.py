"""Hooks and overrides of `get_pod_manifest` read and change each part of a pod by attributes and by keys."""
import copy
import json

import pytest
import tornado.gen
import yaml
from kubernetes import client
from tornado import web

from kubespawner.clients import Resource, to_dict
from kubespawner.objects import make_pod
from tests.cluster.conftest import make_spawner
from tests.test_sent_json import Recorder, Spawner, api_server  # noqa: F401, the latter a fixture

MODELS = {
    'volumes': [client.V1Volume(name='home', persistent_volume_claim=client.V1PersistentVolumeClaimVolumeSource(
        claim_name='claim-ann', read_only=True))],
    'volume_mounts': [client.V1VolumeMount(name='home', mount_path='/home')],
    'init_containers': [client.V1Container(
        name='init', image='busybox',
        env=[client.V1EnvVar(name='NODE', value_from=client.V1EnvVarSource(
            field_ref=client.V1ObjectFieldSelector(field_path='spec.nodeName')))],
        volume_mounts=[client.V1VolumeMount(name='home', mount_path='/home')],
        security_context=client.V1SecurityContext(run_as_user=0))],
    'tolerations': [client.V1Toleration(key='a', toleration_seconds=60)],
    'node_affinity_required': [client.V1NodeSelectorTerm(match_expressions=[
        client.V1NodeSelectorRequirement(key='gpu', operator='In', values=['a'])])],
    'lifecycle_hooks': {'postStart': {'exec': {'command': ['a']}}},
}


def raw(models):
    return {argument: to_dict(value) for argument, value in models.items()}


def in_snake_case(value):
    """Return raw objects with the models' spelling of the keys that these objects have."""
    names = {'persistentVolumeClaim': 'persistent_volume_claim', 'claimName': 'claim_name', 'readOnly': 'read_only',
             'mountPath': 'mount_path', 'volumeMounts': 'volume_mounts', 'securityContext': 'security_context',
             'runAsUser': 'run_as_user', 'valueFrom': 'value_from', 'fieldRef': 'field_ref', 'exec': '_exec',
             'fieldPath': 'field_path', 'tolerationSeconds': 'toleration_seconds', 'postStart': 'post_start',
             'matchExpressions': 'match_expressions'}
    if isinstance(value, dict):
        return {names.get(key, key): in_snake_case(item) for key, item in value.items()}
    return [in_snake_case(item) for item in value] if isinstance(value, list) else value


def as_dicts_of_objects(arguments):
    return {argument: dict(enumerate_as_keys(value)) if isinstance(value, list) else value
            for argument, value in arguments.items()}


def enumerate_as_keys(values):
    return (('%03d' % number, value) for number, value in enumerate(values))


CONFIGURED = {'raw': raw(MODELS), 'snake_case': in_snake_case(raw(MODELS)), 'models': MODELS,
              'dicts of objects': as_dicts_of_objects(raw(MODELS))}


@pytest.fixture(params=sorted(CONFIGURED))
def pod(request):
    return pod_of(extra_containers=[{'name': 'sidecar'}], extra_resource_limits={'gpu': '1'}, env={'A': 'b'},
                  **CONFIGURED[request.param])


def pod_of(**arguments):
    return make_pod(name='p', cmd=['a'], port=8888, image_spec='i', image_pull_policy=None, **arguments)


def test_what_is_configured_is_read_by_attributes(pod):
    init = pod.spec.init_containers[0]
    assert (init.name, init.volume_mounts[0].mount_path, init.security_context.run_as_user) == ('init', '/home', 0)
    assert init.env[0].value_from.field_ref.field_path == 'spec.nodeName'
    assert init.liveness_probe is init.security_context.privileged is init.env[0].value is None
    assert pod.spec.volumes[0].persistent_volume_claim.claim_name == 'claim-ann'
    assert pod.spec.volumes[0].host_path is None
    assert pod.spec.containers[0].volume_mounts[0].mount_path == '/home'
    assert pod.spec.containers[0].lifecycle.post_start._exec.command == ['a']
    assert pod.spec.containers[1].name == 'sidecar'
    assert pod.spec.tolerations[0].toleration_seconds == 60
    terms = pod.spec.affinity.node_affinity.required_during_scheduling_ignored_during_execution.node_selector_terms
    assert terms[0].match_expressions[0].operator == 'In'


def test_what_is_configured_is_read_by_keys(pod):
    init = pod.spec.init_containers[0]
    assert init['volumeMounts'] == [{'name': 'home', 'mountPath': '/home'}]
    assert init['env'][0]['valueFrom']['fieldRef']['fieldPath'] == 'spec.nodeName'
    assert init.get('securityContext') == {'runAsUser': 0}
    assert 'securityContext' in init and 'livenessProbe' not in init and init.get('livenessProbe', 1) == 1
    with pytest.raises(KeyError):
        init['livenessProbe']
    assert pod.spec.volumes[0]['persistentVolumeClaim']['claimName'] == 'claim-ann'
    assert pod.spec.tolerations[0]['tolerationSeconds'] == 60
    assert 'nodeAffinity' in pod.spec.affinity
    assert dict(**pod.spec.tolerations[0]) == {'key': 'a', 'tolerationSeconds': 60}


def test_what_is_configured_is_a_dict(pod):
    spec = pod.spec
    for part in [spec.volumes[0], spec.init_containers[0], spec.init_containers[0].env[0], spec.tolerations[0],
                 spec.affinity, spec.containers[0].lifecycle, spec.containers[1], spec.containers[0].volume_mounts[0]]:
        assert isinstance(part, dict)
        assert json.loads(json.dumps(part)) == yaml.safe_load(yaml.safe_dump(part)) == part
    assert isinstance(pod, client.V1Pod) and isinstance(spec.containers[0], client.V1Container)


def test_models_are_read_by_keys_as_dicts_are(pod):
    assert pod['metadata']['name'] == pod.get('metadata').get('name') == 'p'
    notebook = pod['spec']['containers'][0]
    assert notebook['resources']['limits'] == {'gpu': '1'}
    assert notebook['ports'][0]['containerPort'] == 8888
    assert [variable['name'] for variable in notebook['env']] == ['A']
    assert 'volumeMounts' in notebook and 'livenessProbe' not in notebook and notebook.get('livenessProbe') is None
    assert dict(**notebook['env'][0]) == dict(notebook['env'][0]) == {'name': 'A', 'value': 'b'}
    assert sorted(notebook) == sorted(to_dict(notebook))
    with pytest.raises(KeyError):
        notebook['livenessProbe']


def test_a_model_without_any_field_is_true():
    assert type(pod_of().spec.containers[0].resources)()


@pytest.mark.parametrize('change, sent', [
    (lambda c: setattr(c, 'working_dir', '/'), {'workingDir': '/'}),
    (lambda c: c.update(workingDir='/', tty=True), {'workingDir': '/', 'tty': True}),
    (lambda c: c.update({'working_dir': '/'}), {'workingDir': '/'}),
    (lambda c: c.setdefault('workingDir', '/'), {'workingDir': '/'}),
    (lambda c: c.setdefault('image', 'other'), {}),
    (lambda c: c.setdefault('env', []).append(client.V1EnvVar(name='A', value='1')),
     {'env': [{'name': 'A', 'value': '1'}]}),
    (lambda c: c.__setitem__('volume_mounts', []), {'volumeMounts': []}),
    (lambda c: setattr(c, 'image', None), {'image': None}),
    (lambda c: c.pop('image'), {'image': None}),
    (lambda c: c.__delitem__('image'), {'image': None}),
    (lambda c: setattr(c, 'security_context', {'run_as_user': 1}), {'securityContext': {'runAsUser': 1}}),
    (lambda c: c.__setitem__('livenessProbe', {'http_get': {'port': 1}}), {'livenessProbe': {'httpGet': {'port': 1}}}),
    (lambda c: c.__setitem__('fieldOfTomorrow', {'a_b': 1}), {'fieldOfTomorrow': {'a_b': 1}}),
    (lambda c: setattr(c, 'lifecycle', client.V1Lifecycle()), {'lifecycle': {}}),
    (lambda c: setattr(c, 'startup_probe', {'grpc': {'port': 1}}), {'startupProbe': {'grpc': {'port': 1}}}),
])
@pytest.mark.parametrize('number', [0, 1], ids=['model', 'dict'])
@pytest.mark.gen_test
def test_containers_of_both_kinds_are_changed_in_every_way(api_server, number, change, sent):  # noqa: F811
    unchanged = yield sent_pod(api_server, lambda spawner, pod: pod)
    changed = yield sent_pod(api_server, lambda spawner, pod: [change(pod.spec.containers[number]), pod][1])
    expected = dict(unchanged['spec']['containers'][number], **sent)
    if expected.get('env') and number == 0:
        expected['env'] = unchanged['spec']['containers'][0]['env'] + sent.get('env', [])
    assert changed['spec']['containers'][number] == {
        key: value for key, value in expected.items() if value is not None}


@tornado.gen.coroutine
def sent_pod(api_server, hook, cls=Spawner, **traits):  # noqa: F811
    """Return the pod that a spawner with this hook sends."""
    spawner = make_spawner(
        type('Own', (cls,), {'pod_reflector': None}), namespace='n', modify_pod_hook=hook,
        **dict({'extra_containers': [{'name': 'sidecar', 'image': 'i'}]}, **traits))
    try:
        yield spawner.start()
    except Exception as e:
        if 'that was it' not in str(e):
            raise
    finally:
        type(spawner).pod_reflector.stop()
    return json.loads(api_server.received['pods'])


@pytest.mark.gen_test
def test_what_an_override_of_get_pod_manifest_adds_is_read_both_ways_by_the_hook(api_server):  # noqa: F811
    class Overriding(Spawner):
        @tornado.gen.coroutine
        def get_pod_manifest(self):
            pod = yield super().get_pod_manifest()
            pod.spec.volumes.append({'name': 'data', 'host_path': {'path': '/data'}})
            pod.spec.containers[0].env.append({'name': 'A', 'valueFrom': {'fieldRef': {'fieldPath': 'x'}}})
            pod.spec.containers[0].env.append(client.V1EnvVar(name='B', value='b'))
            pod.spec.containers.append(client.V1Container(
                name='own', image='i', security_context=client.V1SecurityContext(run_as_user=1)))
            pod.metadata.owner_references = [{'apiVersion': 'v1', 'uid': 'u'}]
            return pod

    def hook(spawner, pod):
        assert pod.spec.volumes[-1].host_path.path == pod.spec.volumes[-1]['hostPath']['path'] == '/data'
        notebook, own = pod.spec.containers[0], pod.spec.containers[-1]
        assert notebook.env[-2].value_from.field_ref.field_path == 'x'
        assert (notebook.env[-1].name, notebook.env[-1]['value']) == ('B', 'b')
        assert isinstance(notebook.env[-1], client.V1EnvVar) and isinstance(own, client.V1Container)
        assert own['securityContext']['runAsUser'] == own.security_context.run_as_user == 1
        assert pod.metadata.owner_references[0].api_version == 'v1'
        pod.metadata.owner_references[0].block_owner_deletion = True
        notebook.env[-2].value_from.field_ref.api_version = 'v1'
        notebook.env[-1]['value'] = 'c'
        own['securityContext'] = client.V1SecurityContext(run_as_user=2)
        return pod

    pod = yield sent_pod(api_server, hook, Overriding)
    assert pod['spec']['volumes'][-1] == {'name': 'data', 'hostPath': {'path': '/data'}}
    assert pod['spec']['containers'][0]['env'][-2:] == [
        {'name': 'A', 'valueFrom': {'fieldRef': {'fieldPath': 'x', 'apiVersion': 'v1'}}}, {'name': 'B', 'value': 'c'}]
    assert pod['spec']['containers'][-1] == {'name': 'own', 'image': 'i', 'securityContext': {'runAsUser': 2}}
    assert pod['metadata']['ownerReferences'] == [{'apiVersion': 'v1', 'uid': 'u', 'blockOwnerDeletion': True}]


@pytest.mark.gen_test
def test_a_hook_may_put_dicts_in_the_place_of_models(api_server):  # noqa: F811
    def hook(spawner, pod):
        pod['metadata'] = {'name': 'own', 'owner_references': [{'api_version': 'v1'}]}
        pod.spec = dict(pod.spec, volumes=[], restartPolicy='Never')
        return pod

    pod = yield sent_pod(api_server, hook)
    assert pod['metadata']['name'] == 'own' and pod['metadata']['ownerReferences'] == [{'apiVersion': 'v1'}]
    assert pod['spec']['volumes'] == [] and pod['spec']['containers'][1]['name'] == 'sidecar'


@pytest.mark.gen_test
def test_a_field_that_a_hook_sets_in_both_spellings_is_told(api_server):  # noqa: F811
    def hook(spawner, pod):
        pod.spec.volumes.append({'name': 'a', 'hostPath': {'path': '/a'}, 'host_path': {'path': '/b'}})
        return pod

    with pytest.raises(ValueError, match=r"KubeSpawner.modify_pod_hook.*\['spec'\]\['volumes'\]\[\d\].*'host_path'"):
        yield sent_pod(api_server, hook)


def test_lists_called_items_and_values_are_lists_and_the_methods_stay():
    pod = pod_of(volumes=[{'name': 'a', 'configMap': {'name': 'c', 'items': [{'key': 'k', 'path': 'p'}]}},
                          {'name': 'b', 'config_map': {'name': 'c'}}],
                 node_affinity_required=[{'matchExpressions': [{'key': 'k', 'operator': 'In', 'values': ['a']}]}])
    config_map = pod.spec.volumes[0].config_map
    config_map.items.append({'key': 'l', 'path': 'q'})
    assert [item.key for item in config_map.items] == ['k', 'l']
    assert dict(config_map.items()) == config_map == json.loads(json.dumps(config_map))
    assert yaml.safe_load(yaml.safe_dump(config_map)) == yaml.safe_load(yaml.dump(config_map)) == config_map
    assert not pod.spec.volumes[1].config_map.items
    assert dict(pod.spec.volumes[1].config_map.items()) == {'name': 'c'}
    pod.spec.volumes[1].config_map.items = [{'key': 'm', 'path': 'r'}]
    terms = pod.spec.affinity.node_affinity.required_during_scheduling_ignored_during_execution.node_selector_terms
    terms[0].match_expressions[0].values.append('b')
    copied = copy.deepcopy(pod)
    terms[0].match_expressions[0].values.append('c')
    assert to_dict(copied.spec.volumes[:2]) == [
        {'name': 'a', 'configMap': {'name': 'c', 'items': [{'key': 'k', 'path': 'p'}, {'key': 'l', 'path': 'q'}]}},
        {'name': 'b', 'configMap': {'name': 'c', 'items': [{'key': 'm', 'path': 'r'}]}}]
    terms = to_dict(copied)['spec']['affinity']['nodeAffinity']['requiredDuringSchedulingIgnoredDuringExecution']
    assert terms == {'nodeSelectorTerms': [{'matchExpressions': [{
        'key': 'k', 'operator': 'In', 'values': ['a', 'b']}]}]}


def test_fields_that_nobody_knows_survive_and_are_attributes_if_they_are_there():
    pod = pod_of(volumes=[{'name': 'a', 'sourceOfTomorrow': {'aB': 1}, 'source_of_tomorrow': 2}])
    volume = pod.spec.volumes[0]
    assert to_dict(volume) == {'name': 'a', 'sourceOfTomorrow': {'aB': 1}, 'source_of_tomorrow': 2}
    assert volume.source_of_tomorrow == {'aB': 1}
    volume.another_of_tomorrow = 1
    assert volume['anotherOfTomorrow'] == 1
    with pytest.raises(AttributeError, match="Volume has no field 'persistent_volume_clam'"):
        volume.persistent_volume_clam.claim_name = 'c'


def test_copies_comparison_and_the_methods_of_the_client_work(pod):
    copied = copy.deepcopy(pod)
    assert copied == pod and to_dict(copied) == to_dict(pod)
    copied.spec.init_containers[0].env[0].name = 'OTHER'
    assert pod.spec.init_containers[0].env[0].name == 'NODE'
    assert to_dict(copied) != to_dict(pod)
    assert client.ApiClient().sanitize_for_serialization(pod) == to_dict(pod)
    assert pod.to_dict()['spec']['init_containers'][0]['volume_mounts'][0]['mount_path'] == '/home'
    assert pod.to_dict()['spec']['init_containers'][0]['volumeMounts'][0]['mountPath'] == '/home'
    init = pod.spec.init_containers[0]
    assert init.to_dict() == init == copy.copy(init) == init.copy() and type(init.copy()) is type(init)
    assert json.loads(json.dumps(init)) == init


CREATED = {
    'metadata': {'uid': 'u', 'resourceVersion': '1', 'ownerReferences': [{'apiVersion': 'v1'}]},
    'spec': {'nodeName': 'n', 'containers': [{'name': 'c', 'env': [{'name': 'A', 'valueFrom': {'fieldRef': {}}}]}]},
    'status': {'podIP': '10.0.0.1', 'containerStatuses': []},
}


class Accepting(Recorder):
    """An API server that creates pods."""

    def _answer(self, status, content):
        if self.command == 'POST':
            sent = json.loads(self.server.received['pods'])
            status, content = 201, dict(CREATED, kind='Pod', metadata=dict(sent['metadata'], **CREATED['metadata']))
        super()._answer(status, content)

    def do_DELETE(self):  # noqa: N802, as http.server calls it
        self.rfile.read(int(self.headers.get('Content-Length', 0)))
        self._answer(404, {})


@pytest.mark.gen_test
def test_the_pod_that_was_created_is_read_and_changed_both_ways(api_server):  # noqa: F811
    api_server.RequestHandlerClass = Accepting
    seen = []

    def after_pod_created(spawner, pod):
        seen.append(pod)
        raise web.HTTPError(400, 'that was it')

    yield sent_pod(api_server, None, after_pod_created_hook=after_pod_created)
    pod = seen[0]
    assert pod.metadata.owner_references[0].api_version == 'v1'
    assert pod['spec'].containers[0].env[0]['valueFrom'].field_ref == {}
    assert pod.status.pod_ip == pod['status']['podIP'] == '10.0.0.1'
    assert pod.status.no_such_field is None
    pod.spec.containers[0].env.append({'name': 'B'})
    pod.spec.containers[0].image_pull_policy = 'Always'
    pod.spec.node_name = None
    assert pod['spec'] == {'containers': [dict(
        CREATED['spec']['containers'][0], env=CREATED['spec']['containers'][0]['env'] + [{'name': 'B'}],
        imagePullPolicy='Always')]}
    assert isinstance(pod, dict) and pod.to_dict() == copy.deepcopy(pod) == json.loads(json.dumps(pod)) == pod


def test_what_is_changed_by_attributes_in_an_answer_is_changed_in_it():
    pod = Resource(copy.deepcopy(CREATED))
    pod.spec.containers[0].env[0].name = 'B'
    pod.status.pod_ip = 'x'
    assert pod['spec']['containers'][0]['env'][0]['name'] == 'B' and pod['status']['podIP'] == 'x'
    del pod.status.pod_ip
    assert 'podIP' not in pod['status']
