"""Names that subclasses, hooks and helpers of 2016 to 2026 import, call or override: each does what it did."""
import base64
import importlib
import inspect
import logging

import pytest
from jupyterhub import orm
from jupyterhub.objects import Hub, Server
from kubernetes import client
from kubernetes.client.rest import ApiException
from tornado import gen
from tornado.ioloop import IOLoop
from traitlets.config import Config

import kubespawner.spawner as spawner_module
import kubespawner.utils as utils
from kubespawner import KubeSpawner, objects, slugs
from kubespawner.kube.cache import Cache
from kubespawner.kube.clients import Resource, to_dict
from kubespawner.messages.errors import ConfigurationError
from kubespawner.naming.ownership import USERNAME
from kubespawner.parts import installation
from kubespawner.reflector import MultiNamespaceResourceReflector, NamespacedResourceReflector, ResourceReflector
from kubespawner.spawner import EventReflector, MockObject, PodReflector
from tests.cluster.conftest import User, make_spawner
from tests.fake_time import with_fake_time
from tests.support.fakes import LABELS, FakeApi, at_once, pod_in, refused

IMPORTED = {
    'utils': 'get_k8s_model update_k8s_model recursive_update recursive_format host_matching generate_hashed_slug',
    'slugs': 'safe_slug escape_slug multi_slug strip_and_hash is_valid_label is_valid_object_name is_valid_default',
    'objects': 'make_pod make_pvc make_owner_reference make_secret make_service make_namespace make_ingress',
    'reflector': 'ResourceReflector NamespacedResourceReflector MultiNamespaceResourceReflector EventReflector',
    'clients': 'shared_client load_config',
    'traitlets': 'Callable',
    'spawner': 'make_pod make_pvc make_namespace make_owner_reference make_secret make_service '
               'shared_client load_config MockObject '
               'PodReflector EventReflector NamespacedResourceReflector ResourceReflector '
               'Callable Command ApiException client gen IOLoop Any Bool Dict Integer List Unicode Union default '
               'observe validate '
               'Enum exponential_backoff run_on_executor Spawner KubeSpawner safe_slug multi_slug escape_slug '
               'is_valid_label recursive_format recursive_update',
}


@pytest.mark.parametrize('module, name', [(module, name) for module in IMPORTED for name in IMPORTED[module].split()])
def test_a_name_can_be_imported_from_where_it_was(module, name):
    assert getattr(importlib.import_module('kubespawner.' + module), name) is not None


# utils


@pytest.mark.parametrize('fields', [
    {'name': 'a', 'imagePullPolicy': 'Always'}, {'name': 'a', 'image_pull_policy': 'Always'}])
def test_get_k8s_model_takes_the_names_of_the_api_and_of_the_client(fields):
    container = utils.get_k8s_model(client.V1Container, fields)
    assert (type(container), container.name, container.image_pull_policy) == (client.V1Container, 'a', 'Always')


def test_get_k8s_model_copies_a_model_and_refuses_what_is_none():
    container = client.V1Container(name='a')
    copied = utils.get_k8s_model(client.V1Container, container)
    assert copied is not container and copied.name == 'a'
    with pytest.raises(ValueError, match='nonsense'):
        utils.get_k8s_model(client.V1Container, {'name': 'a', 'nonsense': 1})
    with pytest.raises(AttributeError):
        utils.get_k8s_model(client.V1Container, 5)


def test_update_k8s_model_changes_the_model_and_returns_it():
    container = client.V1Container(name='a', image='i')
    assert utils.update_k8s_model(container, {'image': 'j', 'imagePullPolicy': 'Always'}) is container
    assert (container.image, container.image_pull_policy) == ('j', 'Always')
    utils.update_k8s_model(container, client.V1Container(name='z'))
    assert (container.name, container.image) == ('z', 'j')
    for changes, error in [({'nonsense': 1}, ValueError), (5, AttributeError)]:
        with pytest.raises(error):
            utils.update_k8s_model(container, changes)
    with pytest.raises(AttributeError):
        utils.update_k8s_model({}, {})


def test_update_k8s_model_tells_a_logger_what_it_replaces(caplog):
    caplog.set_level(logging.INFO)
    container = client.V1Container(name='a', image='i')
    utils.update_k8s_model(container, {'image': 'j', 'tty': True}, logging.getLogger('x'), 'container', 'extra')
    assert [record.getMessage() for record in caplog.records] == [
        "container.image was 'i'. It becomes 'j', because of extra.image."]


def test_recursive_update_merges_dicts_and_drops_none():
    target = {'a': {'b': 1, 'l': [1]}, 'c': 2, 'd': 3}
    assert utils.recursive_update(target, {
        'a': {'x': 3, 'l': [2], 'b': None}, 'n': {'z': 1, 'y': None}, 'c': {'q': 1}, 'd': None, 'gone': None}) is None
    assert target == {'a': {'x': 3, 'l': [2]}, 'c': {'q': 1}, 'n': {'z': 1}}


def test_recursive_format_replaces_what_it_knows_through_keys_lists_and_sets():
    assert utils.recursive_format({'k{a}': ['x{a}', {'y': '{a}{b}'}], 'z': 5, 't': ('{a}',), 's': {'{a}'}}, a=1) == {
        'k1': ['x1', {'y': '1{b}'}], 'z': 5, 't': ('{a}',), 's': {'1'}}
    with pytest.raises(ValueError):
        utils.recursive_format('{a', a=1)


@pytest.mark.parametrize('host, wildcard, matches', [
    ('a.b.c', '*.b.c', True), ('a.b.c', 'a.b.c', True), ('A.B.c', '*.b.c', True), ('x.a.b.c', '*.b.c', False),
    ('b.c', '*.b.c', False), ('.b.c', '*.b.c', False), ('a', '*', False), ('ab.c', 'a*.c', False),
    ('a.b.c', '', False)])
def test_host_matching_takes_an_asterisk_for_one_label(host, wildcard, matches):
    assert utils.host_matching(host, wildcard) is matches


# slugs


@pytest.mark.parametrize('text, label, name', [
    ('ann', True, True), ('Ann', True, False), ('a.b', True, False), ('a_b', True, False), ('', True, False),
    ('1a', True, False), ('a--b', True, True), ('-a', False, False), ('a-', False, False), ('a' * 63, True, True),
    ('a' * 64, False, False), ('\xe9', False, False), ('a\n', False, False)])
def test_what_is_a_valid_label_and_a_valid_name(text, label, name):
    assert (slugs.is_valid_label(text), slugs.is_valid_object_name(text)) == (label, name)
    assert slugs.is_valid_default(text) is (label and name)


@pytest.mark.parametrize('name, arguments, slug', [
    ('ann', {}, 'ann'),
    ('x' * 60, {}, 'x' * 60),
    ('a' * 64, {}, 'aaaaaaaaaaaaaaaaaaaaa---ffe054fe'),
    ('A', {}, 'a---559aead0'),
    ('A', {'is_valid': slugs.is_valid_label}, 'A'),
    ('a--b', {}, 'a-b---90827a2e'),
    ('', {}, 'x---e3b0c442'),
    ('', {'is_valid': slugs.is_valid_label}, ''),
    ('x' * 30, {'max_length': 20}, 'xxxxxxxxx---666a596d'),
])
def test_safe_slug_is_that_of_version_7(name, arguments, slug):
    assert slugs.safe_slug(name, **arguments) == slug


def test_the_other_slugs_are_those_of_version_7():
    assert slugs.escape_slug('a@B') == 'a-40-42'
    assert slugs.strip_and_hash('ann') == 'ann---49915e0d'
    assert slugs.multi_slug(['ann', 'My GPU']) == 'ann--my-gpu---17280855'
    assert slugs.multi_slug(['a', 'b', 'c'], max_length=30) == 'a--b--c---f0f5240c'
    for function, *arguments in [
            (slugs.strip_and_hash, 'ann', 5), (slugs.multi_slug, ['a'], 5), (slugs.multi_slug, [])]:
        with pytest.raises(ValueError):
            function(*arguments)


# objects


OWNER = {'apiVersion': 'v1', 'kind': 'Pod', 'name': 'p', 'uid': 'u', 'blockOwnerDeletion': False, 'controller': False}


def test_an_owner_reference_is_to_a_pod():
    assert to_dict(objects.make_owner_reference('p', 'u')) == OWNER


def test_a_namespace_has_labels_and_annotations():
    assert to_dict(objects.make_namespace('n', {'a': 'b'}, {'c': 'd'})) == {
        'apiVersion': 'v1', 'kind': 'Namespace',
        'metadata': {'name': 'n', 'labels': {'a': 'b'}, 'annotations': {'c': 'd'}}}


@pytest.fixture
def certificates(tmp_path):
    """The files of a server's certificates, and that of the hub's authority."""
    for name in ('keyfile', 'certfile', 'cafile', 'hub'):
        (tmp_path / name).write_text('%s\n' % name)
    return {name: str(tmp_path / name) for name in ('keyfile', 'certfile', 'cafile')}, str(tmp_path / 'hub')


def test_a_secret_has_key_certificate_and_both_authorities(certificates):
    paths, hub_ca = certificates
    owner = objects.make_owner_reference('p', 'u')
    secret = to_dict(objects.make_secret('s', 'ann', paths, hub_ca, [owner], {'a': 'b'}, {'c': 'd'}))
    assert secret['metadata'] == {
        'name': 's', 'labels': {'a': 'b'}, 'annotations': {'c': 'd'}, 'ownerReferences': [OWNER]}
    assert {key: base64.b64decode(value) for key, value in secret['data'].items()} == {
        'ssl.key': b'keyfile\n', 'ssl.crt': b'certfile\n', 'notebooks-ca_trust.crt': b'cafile\nhub\n'}
    with pytest.raises(ValueError, match='ann'):
        objects.make_secret('s', 'ann', {'keyfile': paths['keyfile']}, hub_ca, [owner])


def test_a_service_is_in_front_of_the_pods_that_it_selects():
    service = to_dict(objects.make_service('s', 8888, {'a': 'b'}, [objects.make_owner_reference('p', 'u')]))
    assert service['metadata']['ownerReferences'] == [OWNER]
    assert service['spec'] == {
        'type': 'ClusterIP', 'selector': {'a': 'b'}, 'ports': [{'name': 'http', 'port': 8888, 'targetPort': 8888}]}
    with pytest.raises(ValueError, match='selector'):
        objects.make_service('s', 8888, 'gpu', [])


def route(routespec='/user/a/', target='http://10.0.0.1:8888', **arguments):
    return [to_dict(made) for made in objects.make_ingress('n', routespec, target, {'k': 1}, 'ns', **arguments)]


def rules(ingress):
    """Return where a route leads: host, path, service and port of each rule."""
    found = []
    for rule in ingress['spec']['rules']:
        for path in rule['http']['paths']:
            backend = path['backend']
            service = backend.get('service') or {
                'name': backend['serviceName'], 'port': {'number': backend['servicePort']}}
            found.append((rule.get('host'), path['path'], service['name'], service['port']['number']))
    return found


def test_a_route_to_an_address_has_endpoints_a_service_and_an_ingress():
    endpoints, service, ingress = route(common_labels={'a': 'b'}, ingress_extra_labels={'c': 'd'},
                                        ingress_extra_annotations={'e': 'f'})
    assert endpoints['subsets'] == [{'addresses': [{'ip': '10.0.0.1'}], 'ports': [{'port': 8888}]}]
    assert service['spec'] == {'type': 'ClusterIP', 'externalName': '', 'ports': [{'port': 8888, 'targetPort': 8888}]}
    annotations = {'hub.jupyter.org/proxy-data': '{"k": 1}', 'hub.jupyter.org/proxy-routespec': '/user/a/',
                   'hub.jupyter.org/proxy-target': 'http://10.0.0.1:8888'}
    labels = {'a': 'b', 'hub.jupyter.org/proxy-route': 'true'}
    assert [made['metadata'] for made in (endpoints, service)] == [
        {'name': 'n', 'labels': labels, 'annotations': annotations}] * 2
    assert ingress['metadata'] == {
        'name': 'n', 'labels': dict(labels, c='d'), 'annotations': dict(annotations, e='f')}
    assert rules(ingress) == [(None, '/user/a/', 'n', 8888)]


def test_a_route_to_a_name_has_an_alias():
    endpoints, service, ingress = route(target='https://a.example.org')
    assert endpoints is None and rules(ingress) == [(None, '/user/a/', 'n', 443)]
    assert (service['spec']['type'], service['spec']['externalName']) == ('ExternalName', 'a.example.org')
    with pytest.raises(ValueError):
        route(target='nonsense')


@pytest.mark.parametrize('host, is_reused', [
    ('jupyter-a', True), ('jupyter-a.ns', True), ('jupyter-a.ns.svc.cluster.local', True), ('jupyter-a.other', False),
    ('jupyter-a.other.svc.cluster.local', False), ('10.0.0.1', False)])
def test_a_service_of_the_same_namespace_may_be_used_again(host, is_reused):
    endpoints, service, ingress = route(target='http://%s:8888' % host, reuse_existing_services=True)
    assert rules(ingress)[0][2] == ('jupyter-a' if is_reused else 'n')
    assert (service is None) is is_reused


@pytest.mark.parametrize('routespec, hosts', [
    ('/user/a/', ['h.org', '*.ex.org']), ('a.ex.org/user/a/', ['h.org', '*.ex.org']),
    ('b.org/user/a/', ['h.org', '*.ex.org', 'b.org'])])
def test_a_route_has_a_rule_for_each_host(routespec, hosts):
    specifications = [{'host': 'h.org', 'tlsSecret': 's'}, {'host': '*.ex.org'}]
    _, _, ingress = route(routespec, ingress_specifications=specifications, ingress_class_name='nginx')
    assert rules(ingress) == [(host, '/user/a/', 'n', 8888) for host in hosts]
    assert ingress['spec']['tls'] == [{'hosts': ['h.org'], 'secretName': 's'}]
    annotation = ingress['metadata']['annotations'].get('kubernetes.io/ingress.class')
    assert ingress['spec'].get('ingressClassName', annotation) == 'nginx'
    assert ingress['apiVersion'] in ('networking.k8s.io/v1', 'networking.k8s.io/v1beta1', 'extensions/v1beta1')


def test_a_specification_without_a_host_is_an_error():
    with pytest.raises(ValueError, match=r'ingress_specifications\[0\]'):
        route(ingress_specifications=[{'tlsSecret': 's'}])


# Reflectors


@pytest.mark.parametrize('cls, arguments, method, namespace', [
    (NamespacedResourceReflector, {'kind': 'services', 'namespace': 'ns'}, 'list_namespaced_service', 'ns'),
    (NamespacedResourceReflector, {'kind': 'endpoints', 'namespace': 'ns'}, 'list_namespaced_endpoints', 'ns'),
    (ResourceReflector, {'kind': 'ingresses', 'omit_namespace': True}, 'list_namespaced_ingress', ''),
    (MultiNamespaceResourceReflector, {'kind': 'pods', 'namespace': 'ns'}, 'list_namespaced_pod', ''),
    (ResourceReflector, {'list_method_name': 'list_node', 'namespace': 'ns'}, 'list_node', ''),
])
def test_a_reflector_knows_its_method_by_its_kind(cls, arguments, method, namespace):
    reflector = cls(**arguments)
    assert (reflector.list_method_name, reflector.namespace) == (method, namespace)


def test_the_time_limits_of_reflectors_count():
    asked = []
    reflector = ResourceReflector(kind='pods', namespace='ns', request_timeout=7, timeout_seconds=8, restart_seconds=9,
                                  fields={'involvedObject.kind': 'Pod'})
    reflector._api = client.CoreV1Api
    reflector._list_method = lambda: lambda **parameters: asked.append(parameters) or MockResponse()
    with reflector._request(60, watch=True, timeout_seconds=300):
        pass
    assert asked[0]['_request_timeout'][1] == 7 and asked[0]['timeout_seconds'] == 8
    assert asked[0]['field_selector'] == 'involvedObject.kind=Pod'
    assert reflector.give_up_seconds == 9


class MockResponse:
    def close(self):
        pass


def test_a_reflector_with_a_field_selector_keeps_whole_objects():
    cache = Cache(namespace='hubs', fields={'involvedObject.kind': 'Pod'})
    cache.upsert(pod_in('Running'))
    assert cache.resources['a']['status']['phase'] == 'Running'


@with_fake_time
def test_to_await_a_reflector_waits_for_its_first_list():
    reflector = ResourceReflector(kind='pods', namespace='ns')
    IOLoop.current().call_later(1, reflector.first_load_future.set_result, None)

    async def first():
        return await reflector

    assert (yield first()) is reflector
    assert not reflector.stopped()


@pytest.mark.parametrize('namespace, kept_as', [('hubs', 'a'), ('', 'hubs/a')])
def test_pods_answer_to_both_spellings(namespace, kept_as):
    reflector = PodReflector(namespace=namespace)
    reflector.upsert(pod_in('Running'))
    pods = reflector.pods
    assert list(pods) == [kept_as]
    for key in ('a', 'hubs/a'):
        assert key in pods and pods[key] is pods.get(key) is pods[kept_as]
    for key in ('b', 'others/a', 'hubs/b', None):
        assert key not in pods and pods.get(key, 5) == 5
        with pytest.raises(KeyError):
            pods[key]


def test_a_name_that_two_namespaces_have_is_not_guessed():
    reflector = PodReflector(namespace='')
    reflector.upsert(pod_in('Running', uid='u1', namespace='x'))
    reflector.upsert(pod_in('Running', uid='u2', namespace='y'))
    assert 'a' not in reflector.pods and reflector.pods['y/a']['metadata']['uid'] == 'u2'


def test_the_event_reflector_has_the_events_of_the_pods_that_start():
    reflector = EventReflector(namespace='ns')
    assert reflector.events == []
    first, second, third = [{'lastTimestamp': '2020-01-01T00:00:0%dZ' % second} for second in range(3)]
    reflector.follow('ns', 'a', None, print, lambda: [first, third])
    reflector.follow('ns', 'b', None, repr, lambda: [second])
    assert reflector.events == [first, second, third]
    reflector.unfollow(print)
    assert reflector.events == [second]


def test_a_mock_object_takes_any_attribute():
    mock = MockObject()
    mock.name = 'x'
    assert mock.name == 'x'


# Spawners: their API answers at once, and the pod that they create runs


def new_class(**members):
    return type('Spawner', (KubeSpawner,), dict({'pod_reflector': None, 'event_reflector': None,
                                                 'asynchronize': lambda self, *args, **kwargs: at_once(*args, **kwargs),
                                                 '_follow_pods': follow_without_thread}, **members))


def follow_without_thread(self, replace=False):
    if not self.pod_reflector.first_load_future.done():
        self.pod_reflector.first_load_future.set_result(None)
    return self.pod_reflector


def sent(arguments):
    """Return the object that a request has, as it is sent."""
    return getattr(arguments['body'], 'carried', None) or to_dict(arguments['body'])


def created(arguments):
    """Return a pod that runs, as it is created."""
    body = sent(arguments)
    metadata = dict(pod_in('Running')['metadata'], name=body['metadata']['name'], namespace=arguments['namespace'],
                    annotations=body['metadata'].get('annotations') or {}, labels=body['metadata'].get('labels') or {})
    return dict(pod_in('Running'), metadata=metadata, spec=body.get('spec'))


def spawner_with(members=None, answers=None, **traits):
    """Return a spawner whose class has these members, and whose API gives these answers."""
    spawner = make_spawner(new_class(**(members or {})), **dict({'namespace': 'hubs'}, **traits))
    spawner.api = FakeApi(**dict({
        'create_namespaced_pod': [created],
        'create_namespaced_secret': [sent],
        'create_namespace': [sent],
        'create_namespaced_persistent_volume_claim': [sent],
        'read_namespaced_persistent_volume_claim': [refused(404, 'NotFound')],
        'list_namespaced_persistent_volume_claim': [{'items': []}],
        'read_namespace': [OBJECT],
        'delete_namespaced_pod': [{}],
        'delete_namespaced_secret': [{}],
        'delete_namespaced_persistent_volume_claim': [{}],
        'read_namespaced_secret': [refused(404, 'NotFound')],
    }, **(answers or {})))
    spawner.k8s_api_request_retry_timeout = 0
    return spawner


POD = {'metadata': {'name': 'jupyter-alice', 'uid': 'u1'}, 'status': {'podIP': '10.0.0.1'},
       'spec': {'containers': [{'name': 'notebook', 'ports': [{'name': 'notebook-port', 'containerPort': 8001}]}]}}
CLAIM = {'user_storage_pvc_ensure': True, 'user_storage_capacity': '1Gi'}


@with_fake_time
def test_a_start_and_what_it_leaves():
    spawner = spawner_with()
    assert spawner._start_future is None and spawner.events == []
    future = spawner.start()
    assert spawner._start_future is future
    assert (yield future) == ('10.0.0.1', 8888)


@with_fake_time
def test_a_subclass_may_override_start_and_call_super():
    steps = []

    @gen.coroutine
    def _start(self):
        steps.append('before')
        result = yield super(type(self), self)._start()
        steps.append('after')
        return result

    spawner = spawner_with({'_start': _start})
    yield spawner.start()
    assert steps == ['before', 'after']


@with_fake_time
def test_make_create_pod_request_creates_the_pod():
    spawner = spawner_with()
    assert (yield spawner._make_create_pod_request((yield spawner.get_pod_manifest()), 3)) is True
    assert spawner.api.methods == ['create_namespaced_pod']


OBJECT = {'metadata': {'name': 'a', 'uid': 'u'}}
CREATE_CLAIM = 'create_namespaced_persistent_volume_claim'
READ_CLAIM = 'read_namespaced_persistent_volume_claim'


@pytest.mark.parametrize('answers, done', [
    ({}, True),
    ({CREATE_CLAIM: [refused(409, 'AlreadyExists')]}, True),
    ({CREATE_CLAIM: [refused(403, 'Forbidden')], READ_CLAIM: [OBJECT]}, True),
    ({CREATE_CLAIM: [OSError('no answer')]}, False),
    ({CREATE_CLAIM: [refused(403, 'Forbidden')]}, 403),
    ({CREATE_CLAIM: [refused(422, 'Invalid')]}, 422),
])
@with_fake_time
def test_make_create_pvc_request_says_whether_the_claim_is_there(answers, done):
    spawner = spawner_with(answers=answers, **CLAIM)
    try:
        assert (yield spawner._make_create_pvc_request(spawner.get_pvc_manifest(), 3)) is done
    except ApiException as e:  # what subclasses catch
        assert e.status == done


@with_fake_time
def test_make_create_resource_request_creates_any_object():
    spawner = spawner_with()
    secret = client.V1Secret(metadata=client.V1ObjectMeta(name='s'))
    assert (yield spawner._make_create_resource_request('secret', secret)) is True
    assert spawner.api.methods == ['create_namespaced_secret']


@with_fake_time
def test_make_delete_pod_request_deletes_with_the_given_grace():
    spawner = spawner_with()
    options = client.V1DeleteOptions(propagation_policy='Orphan')
    assert (yield spawner._make_delete_pod_request('p', options, 5, 3)) is True
    _, arguments = spawner.api.asked[0]
    assert arguments['name'] == 'p'
    assert to_dict(arguments['body']) == {'gracePeriodSeconds': 5, 'propagationPolicy': 'Orphan'}


@pytest.mark.parametrize('answer, done', [({}, True), (refused(404, 'NotFound'), True), (OSError('x'), False)])
@with_fake_time
def test_make_delete_pvc_request_says_whether_it_is_done(answer, done):
    spawner = spawner_with(answers={'delete_namespaced_persistent_volume_claim': [answer]})
    assert (yield spawner._make_delete_pvc_request('c', 3)) is done


@with_fake_time
def test_ensure_not_exists_deletes_and_says_whether_it_is_gone():
    assert (yield spawner_with()._ensure_not_exists('secret', 's')) is True
    is_there = spawner_with(answers={'read_namespaced_secret': [OBJECT]})
    assert (yield is_there._ensure_not_exists('secret', 's')) is False
    assert is_there.api.methods == ['delete_namespaced_secret', 'read_namespaced_secret']


@with_fake_time
def test_check_pvc_exists_looks_in_the_given_namespace():
    spawner = spawner_with(answers={READ_CLAIM: [OBJECT]})
    assert (yield spawner._check_pvc_exists('c', 'elsewhere')) is True
    assert spawner.api.asked[0][1]['namespace'] == 'elsewhere'
    assert (yield spawner_with()._check_pvc_exists('c', 'hubs')) is False


@pytest.mark.parametrize('answer', [{}, refused(409, 'AlreadyExists')])
@with_fake_time
def test_ensure_namespace_creates_it_or_finds_it(answer):
    there = {'metadata': {'name': 'hubs-alice', 'uid': 'u', 'annotations': {USERNAME: 'alice'}}}
    spawner = spawner_with(answers={'create_namespace': [answer], 'read_namespace': [there]},
                           enable_user_namespaces=True)
    assert (yield spawner._ensure_namespace()) is None
    assert spawner.api.methods[0] == 'create_namespace'


def test_what_is_known_of_a_pod():
    spawner = spawner_with()
    assert spawner._get_pod_url(POD) == 'http://10.0.0.1:8001'
    assert spawner._get_pod_port(POD) == 8001 and spawner._get_pod_port({'spec': {'containers': []}}) == 8888
    assert spawner.pod_has_uid(POD) is True
    assert spawner.pod_has_uid(None) is spawner.pod_has_uid({'metadata': {}}) is False
    named = spawner_with(get_pod_url=lambda spawner, pod: 'http://elsewhere')
    assert named._get_pod_url(POD) == 'http://elsewhere'
    assert spawner_with(pod_connect_ip='{username}.x')._get_pod_url(POD) == 'http://alice.x:8001'
    assert 'a' in spawner.safe_chars and '-' not in spawner.safe_chars


def test_a_template_may_be_expanded_by_another_slug_scheme():
    spawner = spawner_with(username='Ann')
    assert spawner._expand_user_properties('{username}', slug_scheme='safe') == 'ann---17239b6e'
    assert spawner._expand_user_properties('{username}') == '-41nn'


PROFILES = [{'display_name': 'Small', 'slug': 's', 'kubespawner_override': {'image': 'small'}},
            {'display_name': 'Large', 'slug': 'l', 'kubespawner_override': {'image': 'large'}}]


@with_fake_time
def test_load_user_options_applies_the_profile():
    spawner = spawner_with(profile_list=PROFILES)
    spawner.user_options = {'profile': 'l'}
    yield spawner.load_user_options()
    assert spawner.image == 'large'


def test_profiles_and_configured_values_are_made_ready():
    spawner = spawner_with()
    for name in ('_init_profile_list', '_get_initialized_profile_list'):
        ready, = getattr(spawner, name)([{'display_name': 'Small One', 'profile_options': {
            'o': {'display_name': 'O', 'choices': {'a': {'display_name': 'A'}}}}}])
        assert ready['slug'] == 'small-one' and ready['profile_options']['o']['choices']['a']['default'] is True
    assert spawner._sorted_dict_values({'b': 1, 'a': 2}) == [2, 1] and spawner._sorted_dict_values([3, 1]) == [3, 1]
    assert spawner._expand_env({'A': '{username}', 'B': 3}) == {'A': 'alice', 'B': 3}


@with_fake_time
def test_forms_can_be_rendered():
    spawner = spawner_with(profile_list=PROFILES)
    assert 'Large' in spawner._render_options_form(PROFILES)
    assert 'Large' in (yield spawner._render_options_form_dynamically(spawner))


# Reflectors of a spawner


class ServiceReflector(NamespacedResourceReflector):
    kind = 'services'

    def start(self):
        return self


def test_reflectors_are_known_by_kind_and_namespace():
    cls = new_class()
    spawner = make_spawner(cls, namespace='hubs')
    pods = spawner.pod_reflector
    assert spawner.reflectors['pods'] is cls.reflectors['pods', 'hubs'] is spawner._start_watching_pods() is pods
    assert spawner._get_reflector_key('pods') == ('pods', 'hubs')
    assert 'services' not in spawner.reflectors and spawner.reflectors.get('services') is None
    services = spawner._start_reflector('services', ServiceReflector)
    assert spawner.reflectors['services'] is services is spawner._start_reflector('services', ServiceReflector)
    assert services.namespace == 'hubs' and services.on_failure is not None
    other = spawner._start_reflector('services', ServiceReflector, replace=True, labels={'a': 'b'})
    assert other is not services and services.stopped() and other.labels == {'a': 'b'}
    assert 'services' not in KubeSpawner.reflectors
    cls._stop_all_reflectors()
    assert other.stopped() and pods.stopped()


# What a subclass overrides is called


def noting(calls, name, then=None):
    """Return a method that notes its call and does what `then` says: True calls the one that it overrides."""
    @gen.coroutine
    def method(self, *args):
        calls.append(name)
        if then is True:
            return (yield gen.convert_yielded(getattr(super(type(self), self), name)(*args)))
        return then and then(self, *args)

    return method


@with_fake_time
def test_a_start_calls_the_steps_that_a_subclass_has_made_its_own():
    calls = []
    names = ['_ensure_namespace', '_make_create_pvc_request', '_make_create_pod_request', 'load_user_options']
    spawner = spawner_with({name: noting(calls, name, True) for name in names}, profile_list=PROFILES,
                           enable_user_namespaces=True, **CLAIM)
    spawner.user_options = {'profile': 'l'}
    assert (yield spawner.start()) == ('10.0.0.1', 8888)
    assert calls == ['load_user_options', '_ensure_namespace', '_make_create_pvc_request', '_make_create_pod_request']
    methods = [method for method in spawner.api.methods if method.startswith('create')]
    assert methods == ['create_namespace', CREATE_CLAIM, 'create_namespaced_pod']
    assert spawner.image == 'large' and spawner.get_state()['pod_uid'] == 'u1'


@with_fake_time
def test_a_claim_that_is_there_is_still_the_business_of_an_own_step():
    calls = []
    spawner = spawner_with({'_make_create_pvc_request': noting(calls, 'x')}, {READ_CLAIM: [{'metadata': {
        'name': 'claim-alice', 'namespace': 'hubs', 'uid': 'u'}}]}, **CLAIM)
    yield spawner.start()
    assert calls == ['x'] and CREATE_CLAIM not in spawner.api.methods


@with_fake_time
def test_a_step_that_returns_false_is_done_again():
    results, calls = [False, False, True], []

    def not_yet(self, pod, request_timeout):
        calls.append(request_timeout)
        if len(calls) == 3:
            self.api.create_namespaced_pod(namespace=self.namespace, body=pod)
        return results[len(calls) - 1]

    read = [lambda _: created(next(arguments for method, arguments in spawner.api.asked if 'create' in method))]
    spawner = spawner_with({'_make_create_pod_request': not_yet}, {'read_namespaced_pod': read})
    assert (yield spawner.start()) == ('10.0.0.1', 8888)
    assert calls == [30, 30, 30] and spawner.get_state()['pod_uid'] == 'u1'


@pytest.mark.parametrize('is_coroutine', [False, True])
@with_fake_time
def test_an_own_method_says_where_the_server_is(is_coroutine):
    async def later(self, pod):
        return 'https://%s.example.org:8443' % pod.metadata.name

    def at_once_(self, pod):
        return 'https://%s.example.org:8443' % pod['metadata']['name']

    spawner = spawner_with({'_get_pod_url': later if is_coroutine else at_once_})
    spawner.server = Server(ip='', port=0)
    where = yield spawner._server_address(spawner_pod(), IOLoop.current().time() + 5)
    assert str(where) == 'https://jupyter-alice.example.org:8443'
    assert 'jupyter-alice.example.org' in str(spawner._return_address(where))


def spawner_pod():
    return Resource(POD)


@with_fake_time
def test_own_reflectors_are_started():
    calls = []
    spawner = spawner_with({'_start_watching_pods': noting(calls, '_start_watching_pods'),
                            '_start_watching_events': noting(calls, '_start_watching_events')}, events_enabled=True)
    yield spawner.start()
    assert calls == ['_start_watching_pods', '_start_watching_events']
    assert spawner._events is None  # the subclass wants none


@with_fake_time
def test_own_reflectors_are_started_after_the_hub_has_been_restarted():
    calls = []
    spawner = spawner_with({'_start_watching_pods': noting(calls, '_start_watching_pods', True)},
                           {'read_namespaced_pod': [refused(404, 'NotFound')]})
    spawner.load_state({'pod_name': 'jupyter-alice'})
    assert (yield spawner.poll()) == 1
    yield spawner.stop()
    assert calls == ['_start_watching_pods'] * 2


def refusing(self, replace=False):
    raise refused(503, 'ServiceUnavailable')


@pytest.mark.parametrize('begin', [lambda self, replace=False: False, refusing], ids=['never done', 'refused'])
@with_fake_time
def test_own_reflectors_that_do_not_begin_leave_open_whether_the_server_runs(begin):
    spawner = spawner_with({'_start_watching_pods': begin})
    spawner.load_state({'pod_name': 'jupyter-alice'})
    assert (yield spawner.poll()) is None


@with_fake_time
def test_a_stop_calls_an_own_way_to_delete():
    calls = []
    cls = {'_make_delete_pod_request': noting(calls, 'pod', lambda self, *args: calls.append(args)),
           '_make_delete_pvc_request': noting(calls, 'claim', lambda self, name, timeout: calls.append(name))}
    spawner = spawner_with(cls, {'delete_namespaced_pod': [refused(404, 'NotFound')], READ_CLAIM: [{'metadata': {
        'name': 'claim-alice', 'uid': 'c', 'annotations': {'hub.jupyter.org/username': 'alice'}}}]}, **CLAIM)
    yield spawner.start()
    yield spawner.stop()
    name, options, grace, timeout = calls[1]
    assert (calls[0], name, to_dict(options), grace, timeout) == (
        'pod', 'jupyter-alice', {'gracePeriodSeconds': 1}, 1, 30)
    yield spawner.delete_forever()
    assert calls[2:] == ['claim', 'claim-alice']
    assert 'delete_namespaced_persistent_volume_claim' not in spawner.api.methods


# What a subclass computes

@pytest.mark.parametrize('name, trait', [('jupyter-x', 'pod_name'), ('claim-x', 'pvc_name'), ('hubs', 'namespace')])
@with_fake_time
def test_a_name_that_a_subclass_computes_counts_whatever_the_state_says(name, trait):
    spawners = [spawner_with({}, {'read_namespaced_pod': [refused(404, 'NotFound')]}, **CLAIM) for _ in range(2)]
    for each in spawners:
        setattr(type(each), trait, property(lambda self: name))
    spawner, another = spawners
    yield spawner.start()
    state = spawner.get_state()
    assert getattr(spawner, trait) == state[trait] == name
    another.load_state(dict(state, **{trait: 'another'}))
    assert getattr(another, trait) == name
    another.clear_state()
    assert getattr(another, trait) == name


def test_a_namespace_that_a_subclass_computes_counts_with_namespaces_of_users():
    cls = new_class(namespace=property(lambda self: 'of-' + self.user.name))
    assert make_spawner(cls, enable_user_namespaces=True).namespace == 'of-alice'


@with_fake_time
def test_own_labels_without_the_name_of_the_user_are_enough_for_claims():
    spawner = spawner_with({'_build_common_labels': lambda self, extra: dict(LABELS, **extra)}, {
        'read_namespaced_pod': [refused(404, 'NotFound')]}, **CLAIM)
    yield spawner.start()
    assert 'create_namespaced_persistent_volume_claim' in spawner.api.methods
    yield spawner.stop()
    yield spawner.delete_forever()


async def later(value):
    return value


async def native_true(self, pod):
    return True


async def native_list(self):
    return []


@pytest.mark.parametrize('name, method', [('is_pod_running', native_true), ('get_args', native_list)])
@with_fake_time
def test_a_method_that_has_to_return_at_once_is_named_if_it_does_not(name, method):
    with pytest.raises(ConfigurationError, match='%s must return at once' % name):
        yield spawner_with({name: method}).start()


@with_fake_time
def test_own_manifests_may_come_later():
    def pod_at_once(self):
        return objects.make_pod(self.pod_name, ['x'], 8888, 'image', labels=self._build_pod_labels({}))

    def claim_later(self):
        return later(super(type(self), self).get_pvc_manifest())

    spawner = spawner_with({'get_pod_manifest': pod_at_once, 'get_pvc_manifest': claim_later}, **CLAIM)
    yield spawner.start()
    assert {'create_namespaced_pod', 'create_namespaced_persistent_volume_claim'} <= set(spawner.api.methods)


@pytest.mark.parametrize('made', [None, 'x', {'metadata': {'name': 'x'}}])
@with_fake_time
def test_a_manifest_that_is_no_pod_is_told_with_the_method_that_made_it(made):
    for method in (lambda self: made, lambda self: later(made)):
        with pytest.raises(ConfigurationError, match='get_pod_manifest returned .* must return the pod to create'):
            yield spawner_with({'get_pod_manifest': method}).start()


@with_fake_time
def test_no_claim_in_place_of_one_is_told():
    with pytest.raises(ConfigurationError, match='get_pvc_manifest returned None'):
        yield spawner_with({'get_pvc_manifest': lambda self: None}, **CLAIM).start()


@pytest.mark.parametrize('part, value, words', [
    ('labels', ['x'], 'metadata.labels is not a dict'), ('annotations', 'x', 'metadata.annotations is not a dict'),
    ('labels', 5, 'metadata.labels is not a dict'), ('spec', 'x', 'spec is not an object'),
    ('containers', [None], 'spec.containers is not a list of objects'),
    ('volumes', ['x'], 'spec.volumes is not a list of objects'),
    ('env', {'A': 'b'}, r'spec.containers\[0\].env is not a list of objects')])
@pytest.mark.parametrize('hides', [False, True])
@with_fake_time
def test_what_a_hook_makes_of_a_pod_is_told_if_it_is_no_pod(part, value, words, hides):
    def hook(spawner, pod):
        where = {'labels': pod.metadata, 'annotations': pod.metadata, 'spec': pod, 'env': pod.spec.containers[0]}
        setattr(where.get(part, pod.spec), part, value)
        return pod

    with pytest.raises(ConfigurationError, match='modify_pod_hook returned a pod whose ' + words):
        yield spawner_with(modify_pod_hook=hook, secret_environment=hides).start()


def test_a_label_whose_key_a_subclass_expands_is_expanded():
    members = {'_expand_all': lambda self, value: {key.format(course='x'): item.format(course='x')
                                                   for key, item in value.items()}}
    spawner = spawner_with(members, singleuser_extra_labels={'a-{course}': '{course}'})
    assert spawner._expand_labels('singleuser_extra_labels') == {'a-x': 'x'}


def test_a_method_that_nothing_calls_is_told_of_once(caplog):
    cls = new_class(_render_options_form=lambda self, profiles: '', _make_create_pod_request=lambda self, *args: True)
    make_spawner(cls)
    make_spawner(cls)
    told = [record.getMessage() for record in caplog.records if 'has no effect' in record.getMessage()]
    assert len(told) == 1 and '_render_options_form' in told[0] and 'profile_form_template' in told[0]


@with_fake_time
def test_a_refusal_in_an_own_step_is_told_as_in_any_start():
    spawner = spawner_with({'_make_create_pod_request': noting([], '_make_create_pod_request', True)},
                           {'create_namespaced_pod': [refused(422, 'Invalid', 'no such thing')]})
    with pytest.raises(Exception, match='no such thing') as raised:
        yield spawner.start()
    assert raised.value.k8s_reason == 'Invalid'


# Awaiting the blocking client


async def awaits_a_model(spawner, pod=None):
    await client.V1Pod()


@with_fake_time
def test_a_hook_that_awaits_the_blocking_client_is_told_how_to_call_it():
    with pytest.raises(ConfigurationError, match='asynchronize'):
        yield spawner_with(modify_pod_hook=awaits_a_model).start()
    before = spawner_with()
    before.pre_spawn_hook = awaits_a_model
    with pytest.raises(TypeError, match='asynchronize'):
        yield gen.convert_yielded(before.run_pre_spawn_hook())
    with pytest.raises(TypeError, match='asynchronize'):
        yield spawner_with({'_start': awaits_a_model}).start()


@with_fake_time
def test_an_error_about_something_else_stays_as_it_is():
    async def awaits_nothing(spawner):
        await None

    with pytest.raises(TypeError) as raised:
        yield spawner_with({'_start': awaits_nothing}).start()
    assert 'asynchronize' not in str(raised.value)


# Slow starts


@pytest.mark.parametrize('settings, seconds', [
    ({}, [60, 65, 70, 75]),
    ({'slow_spawn_message_threshold': 70}, [70, 75]),
    ({'slow_spawn_message_after': 70}, [70, 75]),
    ({'slow_spawn_message_frequency': 10}, [60, 70]),
    ({'slow_spawn_message_frequency': 0}, [60]),
    ({'slow_spawn_message_threshold': 0}, []),
])
@with_fake_time
def test_users_are_told_to_be_patient_again_and_again(settings, seconds):
    spawner = spawner_with(slow_spawn_message='{seconds} s, {patience}!', **settings)
    with spawner._progress_of_start() as progress_log:
        yield gen.sleep(77)
    yield gen.sleep(100)
    assert [entry['message'].split(' (')[0] for entry in progress_log.entries] == [
        '%d s, {patience}!' % each for each in seconds]


# Settings of the first years


def test_settings_of_the_first_years_count(tmp_path):
    ca = tmp_path / 'ca.crt'
    ca.write_text('')
    spawner = configured(kube_api_endpoint='https://10.0.0.1', kube_ca_path=str(ca))
    assert (spawner.k8s_api_host, spawner.k8s_api_ssl_ca_cert) == ('https://10.0.0.1', str(ca))


def configured(**settings):
    config = Config({'KubeSpawner': settings})
    return new_class()(user=User('alice'), hub=Hub(base_url='/hub/', ip='127.0.0.1', port=8081),
                       orm_spawner=orm.Spawner(name=''), config=config)


@pytest.mark.parametrize('given, more, url', [
    ('hub.x', {}, 'http://hub.x:8081/hub/api'),
    ('hub.x:9000', {}, 'http://hub.x:9000/hub/api'),
    ('hub.x:9000', {'hub_connect_port': 9001}, 'http://hub.x:9001/hub/api'),
    ('[fd00::1]:9000', {}, 'http://[fd00::1]:9000/hub/api'),
    ('fd00::1', {}, 'http://[fd00::1]:8081/hub/api'),
])
@pytest.mark.parametrize('name', ['hub_ip_connect', 'hub_connect_ip'])
def test_the_address_of_the_hub_may_have_a_port(name, given, more, url):
    spawner = configured(**dict({name: given}, **more))
    assert spawner.accessible_hub_api_url == url


# The namespace in the state


def reloaded(state, **traits):
    spawner = spawner_with(**dict({'namespace': 'new'}, **traits))
    spawner.load_state(state)
    return spawner


RUNNING = {'pod_name': 'jupyter-alice', 'pod_uid': 'u1', 'namespace': 'old'}


@pytest.mark.parametrize('servername', ['', 'gpu'])
def test_a_server_is_looked_for_in_the_namespace_that_it_was_started_in(servername):
    spawner = reloaded(RUNNING, servername=servername)
    assert spawner.namespace == 'old' and spawner.get_state()['namespace'] == 'old'
    assert spawner_with(namespace='x').get_state()['namespace'] == 'x'


def test_the_next_start_uses_the_configured_namespace():
    stopped = reloaded(dict(RUNNING, stopped=True))
    stopped.clear_state()
    assert stopped.namespace == 'new' and stopped.get_state()['namespace'] == 'new'


def test_a_server_stays_where_its_claim_is():
    spawner = reloaded(dict(RUNNING, stopped=True, pvc_name='claim-alice'))
    spawner.clear_state()
    assert spawner.namespace == 'old' and spawner.get_state()['namespace'] == 'old'
    forgetful = reloaded(dict(RUNNING, stopped=True, pvc_name='claim-alice'), remember_pvc_name=False)
    forgetful.clear_state()
    assert forgetful.namespace == 'new'


def test_a_state_of_other_years_leaves_the_namespace_alone():
    assert reloaded({'pod_name': 'jupyter-alice'}).namespace == 'new'
    assert reloaded({}).namespace == 'new'


def test_the_namespace_that_a_subclass_assigns_stays():
    spawner = spawner_with(namespace='new')
    spawner.namespace = 'group'
    spawner.load_state({'pod_name': 'jupyter-alice', 'namespace': 'group'})
    spawner.clear_state()
    assert spawner.namespace == 'group'


@with_fake_time
def test_a_server_in_another_namespace_is_stopped_there():
    pod = dict(pod_in('Running', name='jupyter-alice', namespace='old'))
    spawner = spawner_with({'_follow_pods': follow_the_namespace}, {
        'read_namespaced_pod': [pod], 'delete_namespaced_pod': [refused(404, 'NotFound')]}, namespace='new')
    spawner.load_state(RUNNING)
    assert (yield spawner.poll()) is None
    yield spawner.stop()
    assert {arguments['namespace'] for _, arguments in spawner.api.asked} == {'old'}


def follow_the_namespace(self, replace=False):
    if self._reflects != (self.namespace, self.component_label):
        self._share_reflector()
    return follow_without_thread(self)


@with_fake_time
def test_a_namespace_that_the_hub_may_not_watch_any_more_does_not_halt_it(monkeypatch):
    monkeypatch.setattr(PodReflector, 'start', lambda self: self)
    spawner = spawner_with({'_follow_pods': KubeSpawner._follow_pods}, namespace='new')
    assert spawner._follow_pods().on_failure is not None
    spawner.load_state(RUNNING)
    found = spawner._follow_pods()
    assert (found.namespace, found.on_failure) == ('old', None)


@with_fake_time
@pytest.mark.parametrize('is_known_by_state', [False, True])
def test_the_namespace_of_a_profile_does_not_halt_the_hub(monkeypatch, is_known_by_state):
    monkeypatch.setattr(PodReflector, 'start', lambda self: self)
    profile = {'display_name': 'Elsewhere', 'kubespawner_override': {'namespace': 'elsewhere'}}
    spawner = spawner_with({'_follow_pods': KubeSpawner._follow_pods}, profile_list=[profile])
    assert spawner._follow_pods().on_failure is not None
    if is_known_by_state:
        spawner.load_state({'pod_name': 'a', 'pod_uid': 'u', 'overrides': {'namespace': 'elsewhere'}})
    else:
        yield spawner.load_user_options()
    found = spawner._follow_pods()
    assert (found.namespace, found.on_failure) == ('elsewhere', None)
    spawner.clear_state()
    assert spawner._follow_pods().on_failure is not None


@with_fake_time
def test_a_namespace_that_was_given_up_is_watched_again(monkeypatch):
    monkeypatch.setattr(PodReflector, 'start', lambda self: self)
    spawner = spawner_with({'_follow_pods': KubeSpawner._follow_pods})
    spawner.load_state({'pod_name': 'a', 'pod_uid': 'u', 'overrides': {'namespace': 'elsewhere'}})
    given_up = spawner._follow_pods()
    given_up.failed = True
    again = spawner._follow_pods()
    assert again is not given_up and again is spawner._follow_pods()
    assert (again.namespace, again.failed) == ('elsewhere', False)


@with_fake_time
def test_a_reflector_that_was_replaced_is_so_for_servers_in_other_namespaces_too(monkeypatch):
    monkeypatch.setattr(PodReflector, 'start', lambda self: self)
    follow = {'_follow_pods': KubeSpawner._follow_pods}
    elsewhere = spawner_with(follow)
    usual = make_spawner(type(elsewhere), namespace='hubs')
    elsewhere.load_state({'pod_name': 'a', 'pod_uid': 'u', 'overrides': {'namespace': 'elsewhere'}})
    stopped = elsewhere._follow_pods()
    usual._start_watching_pods(replace=True)
    again = elsewhere._follow_pods()
    assert stopped.stopped() and not again.stopped() and again.namespace == 'elsewhere'


@with_fake_time
def test_the_reflector_of_all_namespaces_halts_the_hub_whoever_follows_it_first(monkeypatch):
    monkeypatch.setattr(PodReflector, 'start', lambda self: self)
    spawner = spawner_with({'_follow_pods': KubeSpawner._follow_pods}, enable_user_namespaces=True)
    spawner.load_state({'pod_name': 'a', 'pod_uid': 'u', 'overrides': {'namespace': 'elsewhere'}})
    assert spawner._follow_pods().on_failure is not None


# Another distribution in the same place


@pytest.mark.parametrize('name', ['jupyterhub_kubespawner-7.1.0.dist-info', 'jupyterhub_kubespawner-0.9.0.egg-info'])
def test_another_distribution_in_the_same_place_is_told_of(tmp_path, caplog, name):
    (tmp_path / name).mkdir()
    installation.check(logging.getLogger('x'), str(tmp_path))
    told, = caplog.records
    assert told.levelname == 'ERROR' and 'pip uninstall --yes jupyterhub-kubespawner' in told.getMessage()


def test_the_first_spawner_looks_for_another_distribution(monkeypatch, caplog):
    monkeypatch.setattr(KubeSpawner, 'executor', None)
    monkeypatch.setattr(installation, 'others_in', lambda directory: ['jupyterhub-kubespawner'])
    make_spawner(new_class())
    make_spawner(new_class())
    assert len([record for record in caplog.records if 'pip uninstall' in record.getMessage()]) == 1


def test_the_own_distribution_is_no_reason_to_worry(tmp_path, caplog):
    (tmp_path / 'kubespawner-1.0.0.dist-info').mkdir()
    (tmp_path / 'jupyterhub-6.1.0.dist-info').mkdir()
    installation.check(logging.getLogger('x'), str(tmp_path))
    assert not caplog.records


def test_the_names_of_other_years_have_one_place():
    """What is in `adapters` is thin: a docstring and a line or two."""
    from kubespawner.parts.adapters import Adapters
    for name, member in vars(Adapters).items():
        function = getattr(member, '__func__', getattr(member, 'fget', member))
        if inspect.isfunction(function):
            lines = inspect.getsource(function).split('"""')[-1].strip().splitlines()
            assert len(lines) <= 2, name


@with_fake_time
def test_a_make_pod_that_a_configuration_file_has_replaced_is_called(monkeypatch):
    def with_label(make):
        def made(**arguments):
            result = make(**arguments)
            result.metadata.labels['made'] = 'here'
            return result
        return made

    for name in ('make_pod', 'make_pvc'):
        monkeypatch.setattr(spawner_module, name, with_label(getattr(spawner_module, name)))
    spawner = spawner_with(**CLAIM)
    yield spawner.start()
    sent_labels = {method: sent(arguments)['metadata']['labels'].get('made') for method, arguments in spawner.api.asked
                   if method.startswith('create')}
    assert sent_labels == {'create_namespaced_persistent_volume_claim': 'here', 'create_namespaced_pod': 'here'}
