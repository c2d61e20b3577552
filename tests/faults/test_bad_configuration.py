"""Wrong configuration: one sentence that names the trait, before anything is created; or a pod that can be sent."""
import asyncio
import json
import re
import time

import pytest
from kubernetes import client
from tornado import gen, web
from tornado.concurrent import Future
from tornado.ioloop import IOLoop
from traitlets import TraitError

from kubespawner import KubeSpawner
from kubespawner.kube.clients import model, to_dict
from tests.cluster.conftest import UNTOUCHED, make_spawner

CLAIM = {'user_storage_pvc_ensure': True, 'user_storage_capacity': '1Gi'}


def endless_list():
    value = ['{username}']
    value.append(value)
    return value


def endless_dict():
    value = {'a': '{username}'}
    value['b'] = {'c': [value]}
    return value


def deep(levels):
    value = 'x'
    for _ in range(levels):
        value = {'a': [value]}
    return value


def raising(*args):
    raise KeyError('nobody told me')


async def raising_late(*args):
    await asyncio.sleep(0)
    raise KeyError('nobody told me')


def a_model():
    return client.V1Toleration(key='a', toleration_seconds=5)


def endless_model():
    value = model('V1Affinity')()
    value.node_affinity = {'a': [value]}
    return value


WRONG = [
    None, True, -1, 1.5, float('nan'), float('inf'), 10 ** 30, '', 'x', '{', '}', '{}', '{nobody}', '{0}', '{username',
    '{username.__class__}', '{userid.real}', '\0', '\n', '\ud800', b'bytes', object(), KubeSpawner, client.V1Pod,
    [], [None], [5], ['x'], ['{'], ['{nobody}'], [[]], [{}], [{5: 'x'}], [{'a': {None: 1}}], [b'x'], [object()], [{1}],
    [{'name': 'a', 'persistentVolumeClaim': 'x'}], [{'name': 'a', 'persistentVolumeClaim': {'claimName': 5}}],
    [{'name': '{username}', 'persistentVolumeClaim': {'readOnly': '{userid}'}}], [float('nan')], [[[['{nobody}']]]],
    {}, {'a': None}, {'a': []}, {'a': {}}, {'a': b'x'}, {'a': float('inf')}, {'a': object()}, {5: 'x'}, {None: 'x'},
    {('a', 'b'): 'x'}, {'a': '{nobody}'}, {'a': '{'}, {'containers': None}, {'containers': 'x'}, {'containers': {}},
    {'volumes': endless_list()}, {'tolerations': [{'a': {5: 6}}]}, {'tolerations': {1, 2}}, {'bogus': 1},
    {'tolerations': [a_model()]}, [a_model()], a_model(), {'a': raising},
    endless_list(), endless_dict(), [endless_dict()], {'a': endless_dict()}, {'securityContext': endless_dict()},
    {'env': endless_list()}, deep(100), [deep(100)], {'affinity': deep(100)}, {'lifecycle': deep(100)},
    {'a': deep(100)}, {1, 2}, (), (5,), iter([1]), raising, raising_late, lambda: 1, lambda *args: None,
    lambda *args: 'x', lambda *args: object(), lambda *args: endless_list(), lambda *args: {5: 6}, lambda *args: [None],
    lambda *args: '100', lambda *args: [1.5], lambda *args: float('nan'), lambda *args: {1, 2}, lambda *args: '',
]

TRAITS = sorted(set(KubeSpawner.class_own_traits(config=True)) | {'args', 'environment'})


class Spawner(KubeSpawner):
    pod_reflector = None


@gen.coroutine
def manifests_of(traits):
    """Return the pod and the claim of a spawner as they would be sent: two pieces of JSON."""
    spawner = make_spawner(Spawner, 'ann@b', 'gpu', namespace=traits.pop('namespace', 'n'), **dict(CLAIM, **traits))
    yield spawner._use_profile(IOLoop.current().time() + 5, lambda: True)
    claim = spawner.get_pvc_manifest()
    pod = yield spawner._run_hook((yield spawner.get_pod_manifest()))
    raise gen.Return([json.dumps(to_dict(manifest), allow_nan=False) for manifest in (pod, claim)])


@pytest.mark.parametrize('trait', TRAITS)
@pytest.mark.gen_test
def test_whatever_a_trait_is_set_to_is_refused_by_name_or_makes_a_pod(trait):
    refused = 0
    for value in WRONG:
        try:
            yield manifests_of({trait: value})
        except (TraitError, ValueError, TypeError) as e:
            refused += 1
            assert 'Spawner' in str(e) and re.search(r'\b%s\b' % trait, str(e)), (value, repr(e))
            assert len(str(e).splitlines()) <= 1 or '\n' in repr(value), str(e)
    assert refused > len(WRONG) / 2 or trait in ('environment', 'legacy_singleuser_env')


CYCLE = r'Does it contain itself\?'
TO_RETURN = 'it must return the pod to create, a V1Pod'


@pytest.mark.parametrize('trait, value, sentence', [
    ('volumes', endless_list(), 'is nested too deeply. ' + CYCLE),
    ('volumes', [5], r'\[0\] is not a dict, but of the type int'),
    ('volumes', [{'name': 'a'}, None], r'\[1\] is not a dict'),
    ('volumes', [{'name': 'a', 'secret': {5: 'x'}}], r"\[0\]\['secret'\] has the key 5, which is no string"),
    ('volume_mounts', ['/home'], r'\[0\] is not a dict, but of the type str'),
    ('singleuser_init_containers', [{'name': b'x'}], r"\[0\]\['name'\] is a bytes, which JSON does not have"),
    ('singleuser_extra_containers', [{'args': [{1, 2}]}], r"\[0\]\['args'\]\[0\] is a set, which JSON does not have"),
    ('singleuser_extra_pod_config', {'affinity': endless_dict()}, r"\['affinity'\].* 50 levels deep. " + CYCLE),
    ('singleuser_extra_pod_config', {'nobody': 1}, "'nobody' is not a field of a Kubernetes PodSpec; those are: "),
    ('singleuser_extra_pod_config', {'containers': None}, r"\['containers'\]"),
    ('singleuser_extra_container_config', {'nobody': 1}, "'nobody' is not a field of a Kubernetes Container"),
    ('singleuser_extra_pod_config', {'affinity': deep(10000)}, 'is more than 50 levels deep. ' + CYCLE),
    ('volumes', [deep(10000)], 'is nested too deeply. ' + CYCLE),
    ('singleuser_lifecycle_hooks', deep(1000), 'is more than 50 levels deep. ' + CYCLE),
    ('singleuser_extra_labels', {'a': None}, r"\['a'\] is a NoneType; it must be a string"),
    ('singleuser_extra_annotations', {'a': {'b': 'c'}}, r"\['a'\] is a dict; it must be a string"),
    ('singleuser_node_selector', {5: 'x'}, 'has the key 5, which is no string'),
    ('user_storage_extra_labels', {'a': []}, r"\['a'\] is a list; it must be a string"),
    ('singleuser_extra_pod_config', {'affinity': endless_model()}, r"\['affinity'\].* is nested too deeply. " + CYCLE),
    ('user_storage_access_modes', endless_list(), 'is not a list of strings'),
    ('extra_resource_limits', {5: 1}, 'has the key 5, which is no string'),
    ('extra_resource_guarantees', {'a': [1]}, r"\['a'\] is a list; it must be a string"),
    ('cpu_limit', float('nan'), 'nan is no quantity'),
    ('environment', {5: 'x'}, 'has the key 5, which is no string'),
    ('environment', {'A': raising}, "raised KeyError: 'nobody told me'"),
    ('environment', {'A': raising_late}, r"\['A'\] raised KeyError: 'nobody told me'"),
    ('singleuser_uid', lambda spawner: 'root', "'root' is not the number of a user or group"),
    ('singleuser_fs_gid', lambda spawner: 1.5, '1.5 is not the number of a user or group'),
    ('singleuser_supplemental_gids', lambda spawner: 100, 'is not a list of numbers, but of the type int'),
    ('singleuser_supplemental_gids', [None], 'None is not the number of a user or group'),
    ('singleuser_uid', raising, "raised KeyError: 'nobody told me'"),
    ('singleuser_uid', raising_late, "raised KeyError: 'nobody told me'"),
    ('singleuser_uid', lambda: 1000, 'raised TypeError: .* takes 0 positional arguments'),
    ('modify_pod_hook', raising, "raised KeyError: 'nobody told me'"),
    ('modify_pod_hook', lambda spawner, pod: None, 'returned None; ' + TO_RETURN),
    ('modify_pod_hook', lambda spawner, pod: to_dict(pod), 'returned a dict; ' + TO_RETURN),
    ('modify_pod_hook', lambda spawner, pod: pod.spec, 'returned a V1PodSpec; ' + TO_RETURN),
    ('modify_pod_hook', lambda spawner, pod: setattr(pod, 'metadata', {}) or pod, 'returned a pod without a name'),
    ('modify_pod_hook', lambda spawner, pod: pod.spec.volumes.append(endless_dict()) or pod, CYCLE),
])
@pytest.mark.gen_test
def test_a_sentence_names_the_trait_and_the_place_in_it(trait, value, sentence):
    with pytest.raises(ValueError) as e:
        yield manifests_of({trait: value})
    assert re.match('KubeSpawner.' + trait, str(e.value))
    assert re.search(sentence, str(e.value))


@pytest.mark.gen_test
def test_a_value_that_may_be_secret_is_not_repeated():
    for value in (b'secret', {b'secret'}, [{'a': b'secret'}]):
        with pytest.raises(ValueError) as e:
            yield manifests_of({'singleuser_extra_container_config': {'env': [{'name': 'PASSWORD', 'value': value}]}})
        assert 'secret' not in str(e.value)


@pytest.mark.gen_test
def test_models_of_the_client_are_as_good_as_dicts():
    pod, _ = yield manifests_of({
        'volumes': [client.V1Volume(name='a', empty_dir=client.V1EmptyDirVolumeSource())],
        'singleuser_extra_pod_config': {'tolerations': [a_model()]}})
    spec = json.loads(pod)['spec']
    assert spec['volumes'][0] == {'name': 'a', 'emptyDir': {}}
    assert spec['tolerations'] == [{'key': 'a', 'tolerationSeconds': 5}]


# From here on with an API server: nothing is created

def blocking(*args):
    time.sleep(1.2)
    return args[-1] if len(args) == 2 else 1000


def never(*args):
    return Future()


async def never_natively(*args):
    await asyncio.Event().wait()


NEVER_CREATED = [
    ('modify_pod_hook', raising),
    ('modify_pod_hook', raising_late),
    ('modify_pod_hook', lambda spawner, pod: None),
    ('modify_pod_hook', lambda spawner, pod: 5),
    ('modify_pod_hook', lambda spawner, pod: pod.spec.volumes.append(endless_dict()) or pod),
    ('modify_pod_hook', never),
    ('modify_pod_hook', never_natively),
    ('modify_pod_hook', blocking),
    ('singleuser_uid', raising),
    ('singleuser_uid', never),
    ('singleuser_fs_gid', never_natively),
    ('singleuser_supplemental_gids', never),
    ('singleuser_uid', blocking),
    ('environment', {'A': raising}),
    ('environment', {'A': raising_late}),
    ('environment', {'A': never}),
    ('environment', {'A': never_natively}),
    ('volumes', [endless_dict()]),
    ('volumes', [{'name': '{nobody}'}]),
    ('pod_name_template', '{nobody}'),
    ('pvc_name_template', '{nobody}'),
    ('user_storage_extra_labels', {'a': '{nobody}'}),
    ('user_storage_capacity', None),
    ('singleuser_extra_labels', endless_dict()),
    ('singleuser_extra_pod_config', {'affinity': endless_dict()}),
]


def all_of(core, namespace, username):
    """Return the pods and claims of a user."""
    selector = {'namespace': namespace, 'label_selector': 'hub.jupyter.org/username=' + username}
    return core.list_namespaced_pod(**selector).items + core.list_namespaced_persistent_volume_claim(**selector).items


@pytest.mark.parametrize('number', range(len(NEVER_CREATED)))
@pytest.mark.gen_test
def test_nothing_is_created_and_the_trait_is_named_within_the_time_of_a_start(new_spawner, core, namespace, number):
    trait, value = NEVER_CREATED[number]
    spawner = new_spawner('ann%d' % number, **dict(dict(CLAIM, **UNTOUCHED), **{trait: value}))
    spawner.start_timeout = 1
    started = IOLoop.current().time()
    with pytest.raises(Exception) as e:
        yield spawner.start()
    assert 'KubeSpawner.' + trait in str(e.value)
    assert IOLoop.current().time() - started < 30
    assert all_of(core, namespace, 'ann%d' % number) == []


@pytest.mark.gen_test
def test_what_a_hook_raised_is_in_the_trace(new_spawner):
    with pytest.raises(ValueError) as e:
        yield new_spawner('ann', modify_pod_hook=raising_late).start()
    assert isinstance(e.value.__context__.__context__, KeyError)
    assert 'modify_pod_hook' in str(e.value) and 'hook' not in e.value.jupyterhub_message  # users cannot mend it


@pytest.mark.gen_test
def test_what_a_hook_has_to_say_to_the_user_reaches_jupyterhub_unchanged(new_spawner, objects):
    def hook(spawner, pod):
        raise web.HTTPError(403, 'You have no hours left.')

    with pytest.raises(web.HTTPError) as e:
        yield new_spawner('ann', modify_pod_hook=hook).start()
    assert (e.value.status_code, e.value.log_message) == (403, 'You have no hours left.')
    assert objects.pods() == []
