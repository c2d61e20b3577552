"""KubeIngressProxy without a cluster: names, templates, what is patched, what is asked of the API, errors."""
import logging

import pytest
from tornado.ioloop import IOLoop
from traitlets import TraitError
from traitlets.config import Config

from kubespawner.kube.cache import Cache
from kubespawner.kube.clients import to_dict
from kubespawner.kube.objects_api import ObjectsApi, served_version
from kubespawner.proxy import KubeIngressProxy, RouteError, errors, routes, templates
from kubespawner.proxy.upkeep import Upkeep
from kubespawner.related_objects import ingress_in, make_ingress
from tests.support.fakes import FakeApi, refused, requests_to

LOG = logging.getLogger('kubespawner.tests')
LABELS = {'component': 'singleuser-server'}
V1, BETA, OLD = 'networking.k8s.io/v1', 'networking.k8s.io/v1beta1', 'extensions/v1beta1'


def objects_of(routespec='/user/ann/', target='http://10.0.0.1:8888', data=None, version=V1, **arguments):
    """Return the objects of a route by kind, as they are sent; a kind that it does not need is missing."""
    made = make_ingress(templates.name_of(routespec), routespec, target, data or {'user': 'ann'}, 'hubs',
                        common_labels=LABELS, **arguments)
    found = {kind: to_dict(each) for kind, each in zip(['endpoints', 'service', 'ingress'], made) if each is not None}
    return dict(found, ingress=ingress_in(version, found['ingress']))


def kept(resource, uid='u1', version='5', **metadata):
    """Return an object as the API server has it."""
    return dict(resource, metadata=dict(resource['metadata'], namespace='hubs', uid=uid, resourceVersion=version,
                                        **metadata))


# Names and templates


@pytest.mark.parametrize('routespec, name', [
    ('/', 'jupyter--2f-route'), ('/user/ann/', 'jupyter--2fuser-2fann-2f-route'),
    ('/user/A@b/', 'jupyter--2fuser-2f-41-40b-2f-route'), ('h.org/', 'jupyter-h-2eorg-2f-route')])
def test_the_name_of_a_route_is_its_escaped_routespec(routespec, name):
    assert templates.name_of(routespec) == name


def test_names_are_valid_and_differ_for_routes_that_are_alike():
    nasty = ['/user/%s/' % name for name in ('a', 'A', 'a%20b', 'a%2520b', 'a-b', 'x' * 80, 'x' * 81, 'x' * 79 + 'Y')]
    names = [templates.name_of(routespec) for routespec in nasty]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 63 and name == name.lower() for name in names)


@pytest.mark.parametrize('data, expected', [
    ({'user': 'A b', 'server_name': 'gpu'}, 'A b -41-20b gpu  /x/ -2fx-2f hub-ns'),
    ({'service': 'cull'}, '   cull /x/ -2fx-2f hub-ns'),
    ({'hub': True}, '    /x/ -2fx-2f hub-ns')])
def test_templates_know_what_a_route_is_for(data, expected):
    fields = 'unescaped_username username servername servicename unescaped_routespec routespec hubnamespace'.split()
    known = templates.fields_of('/x/', data, 'hub-ns')
    assert templates.fill(' '.join('{%s}' % field for field in fields), known) == expected


@pytest.mark.parametrize('text', [
    'location / { return 200; }', '{{"a": 1}}', '{typo}', '{username.__class__}', '${username}'])
def test_braces_that_mean_something_else_stay(text):
    assert templates.fill([text], templates.fields_of('/x/', {'user': 'a'}, 'ns')) == [text]


def test_a_label_made_of_a_long_name_is_valid():
    value = templates.labels({'user': '{username}', 'n': 1}, templates.fields_of('/', {'user': 'x' * 100}, 'ns'))
    assert len(value['user']) == 63 and value['n'] == '1'


# Versions of Ingresses


@pytest.mark.parametrize('version', [V1, BETA, OLD])
def test_an_ingress_is_sent_in_the_version_that_the_cluster_serves(version):
    ingress = objects_of(version=version, ingress_class_name='web')['ingress']
    assert ingress['apiVersion'] == version
    path = ingress['spec']['rules'][0]['http']['paths'][0]
    assert ('service' in path['backend']) is (version == V1)
    assert (path.get('pathType') == 'Prefix') or version != V1
    assert (ingress['spec'].get('ingressClassName') == 'web') is (version == V1)
    assert ingress_in(V1, ingress) == objects_of(ingress_class_name='web')['ingress']


@pytest.mark.parametrize('served, found', [
    ([V1, BETA], V1), ([BETA, OLD], BETA), ([OLD], OLD), ([], None)])
@pytest.mark.gen_test
def test_the_newest_version_is_chosen_that_has_ingresses(served, found):
    def answer(arguments):  # the group exists without Ingresses as well
        has = [{'name': 'ingresses'}] * (arguments['name'] in served)
        return {'resources': [{'name': 'networkpolicies'}] + has} if has or arguments['name'] == V1 else refused(404)

    assert (yield served_version(requests_to(FakeApi(read_api_resources=[answer])), 'ingresses')) == found


class FakeClient:
    """An ApiClient from before client 37, which takes down what is sent."""

    def call_api(self, path, method, **arguments):
        content_type = arguments['header_params']['Content-Type']
        self.sent = method, path, arguments['query_params'], content_type.split('/')[1], arguments['body']


@pytest.mark.parametrize('method, arguments, sent', [
    ('list_namespaced_thing', {'label_selector': 'a=b'},
     ('GET', '/apis/g/v2/namespaces/n/things', [('labelSelector', 'a=b')], 'json', None)),
    ('patch_namespaced_thing', {'name': 'x', 'body': [1]},
     ('PATCH', '/apis/g/v2/namespaces/n/things/x', [], 'json-patch+json', [1])),
    ('patch_namespaced_thing', {'name': 'x', 'body': {}},
     ('PATCH', '/apis/g/v2/namespaces/n/things/x', [], 'strategic-merge-patch+json', {})),
    ('delete_namespaced_core', {'name': 'x', 'body': {}},
     ('DELETE', '/api/v1/namespaces/n/cores/x', [], 'json', {}))])
def test_a_request_goes_to_the_path_of_its_kind(method, arguments, sent):
    api = ObjectsApi(FakeClient(), {'thing': ('g/v2', 'things'), 'core': ('v1', 'cores')})
    getattr(api, method)(namespace='n', **arguments)
    assert api.api_client.sent == sent
    assert not hasattr(api, 'create_namespaced_other') and not hasattr(api, 'replace_namespaced_thing')


# What is patched


@pytest.mark.parametrize('target', ['http://10.0.0.1:8888', 'http://a.example.org:8888'])
def test_nothing_is_patched_that_is_as_wanted_whatever_others_filled_in(target):
    for kind, wanted in objects_of(target=target).items():
        existing = kept(wanted, finalizers=['x'])
        existing['metadata']['annotations'] = dict(existing['metadata']['annotations'], other='1')
        if kind == 'service':
            ports = [dict(port, protocol='TCP') for port in wanted['spec']['ports']]
            existing['spec'] = dict(wanted['spec'], clusterIP='', sessionAffinity='None', ports=ports)
        assert routes.changes(kind, existing, wanted) == []


@pytest.mark.parametrize('kind, before, paths', [
    ('ingress', {'target': 'http://10.0.0.1:9'}, ['annotations/hub.jupyter.org~1proxy-target', 'rules']),
    ('service', {'target': 'http://name:8888'}, ['annotations/hub.jupyter.org~1proxy-target', 'type', 'externalName']),
    ('endpoints', {'target': 'http://10.0.0.2:8888'}, ['annotations/hub.jupyter.org~1proxy-target', 'subsets']),
    ('ingress', {'ingress_specifications': [{'host': 'h.org', 'tlsSecret': 's'}]}, ['rules', 'tls']),
    ('ingress', {'ingress_extra_labels': {'a': '1'}}, []),  # it may be somebody else's
    ('ingress', {'data': {'user': 'ben'}}, ['annotations/hub.jupyter.org~1proxy-data'])])
def test_only_what_differs_is_patched_and_only_in_the_object_that_was_seen(kind, before, paths):
    patch = routes.changes(kind, kept(objects_of(**before)[kind]), objects_of()[kind])
    assert [each['path'].replace('/spec/', '').replace('/metadata/', '').lstrip('/') for each in patch[1:]] == paths
    assert not patch or patch[0] == {'op': 'test', 'path': '/metadata/uid', 'value': 'u1'}


def test_extra_labels_and_annotations_cannot_hide_an_ingress_from_its_hub():
    plain = objects_of()['ingress']['metadata']
    labels = {'component': 'other', 'hub.jupyter.org/proxy-route': 'no', 'more': '1'}
    annotations = {'hub.jupyter.org/proxy-' + what: 'other' for what in ('data', 'routespec', 'target')}
    made = objects_of(ingress_extra_labels=labels, ingress_extra_annotations=annotations)['ingress']['metadata']
    assert made == dict(plain, labels=dict(plain['labels'], more='1'))


# Routes as JupyterHub sees them


def test_a_route_tells_what_it_was_added_with():
    made = objects_of()
    assert routes.route(made['ingress'], made['service'], made['endpoints']) == {
        'routespec': '/user/ann/', 'target': 'http://10.0.0.1:8888', 'data': {'user': 'ann'}}


@pytest.mark.parametrize('lost', ['ingress', 'service', 'endpoints'])
def test_a_route_that_lacks_an_object_has_another_target_than_any_server(lost):
    made = dict(objects_of(), **{lost: None})
    route = routes.route(made['ingress'], made['service'], made['endpoints'])
    assert (route['target'], route['data']) == ('', {'user': 'ann'})


def test_a_route_to_a_service_that_is_not_its_own_needs_no_other_object():
    ingress = objects_of(target='http://jupyter-ann.hubs:80', reuse_existing_services=True)['ingress']
    assert routes.route(ingress, None, None)['target'] == 'http://jupyter-ann.hubs:80'


@pytest.mark.parametrize('text', ['', '[]', '{', None])
def test_a_route_whose_data_somebody_spoiled_has_none(text):
    ingress = objects_of(target='http://a')['ingress']
    ingress['metadata']['annotations']['hub.jupyter.org/proxy-data'] = text
    assert routes.route(ingress, None, None)['data'] == {}


# Upkeep


def upkeep(fake, *resources, **kinds):
    """Return an Upkeep of endpoints whose cache has these objects; the cache."""
    cache = Cache(namespace='hubs', labels={})
    cache.was_listed, cache.failed = True, False
    for resource in resources:
        cache.upsert(dict(resource, metadata=dict(resource['metadata'])))
    return Upkeep(requests_to(fake, retry_seconds=0), {'endpoints': cache}, 'hubs', LOG), cache


def soon(seconds=30):
    return IOLoop.current().time() + seconds


@pytest.fixture
def wanted():
    return objects_of()['endpoints']


@pytest.mark.gen_test
def test_what_is_missing_is_created_and_in_the_cache_at_once(wanted):
    fake = FakeApi(create_namespaced_endpoints=[kept(wanted)])
    keeper, cache = upkeep(fake)
    yield keeper.ensure('endpoints', wanted, soon())
    assert fake.methods == ['create_namespaced_endpoints']
    assert cache.get(wanted['metadata']['name'])['metadata']['uid'] == 'u1'


@pytest.mark.gen_test
def test_what_is_there_costs_no_request(wanted):
    fake = FakeApi()
    keeper, _ = upkeep(fake, kept(wanted))
    yield keeper.ensure('endpoints', wanted, soon())
    assert fake.methods == []


@pytest.mark.gen_test
def test_an_object_that_the_cache_does_not_know_is_read_and_patched(wanted):
    old = objects_of(target='http://10.0.0.9:1')['endpoints']
    fake = FakeApi(create_namespaced_endpoints=[refused(409, 'AlreadyExists')], read_namespaced_endpoints=[kept(old)],
                   patch_namespaced_endpoints=[kept(wanted, version='6')])
    keeper, _ = upkeep(fake)
    yield keeper.ensure('endpoints', wanted, soon())
    assert [method.split('_')[0] for method in fake.methods] == ['create', 'read', 'patch']


@pytest.mark.gen_test
def test_an_object_that_was_replaced_meanwhile_is_looked_at_before_it_is_patched(wanted):
    old = objects_of(target='http://10.0.0.9:1')['endpoints']
    fake = FakeApi(patch_namespaced_endpoints=[refused(422, 'Invalid'), kept(wanted, 'u2', '9')],
                   read_namespaced_endpoints=[kept(old, 'u2', '8')])
    keeper, _ = upkeep(fake, kept(old))
    yield keeper.ensure('endpoints', wanted, soon())
    uids = [arguments['body'][0]['value'] for method, arguments in fake.asked if method.startswith('patch')]
    assert uids == ['u1', 'u2']


@pytest.mark.gen_test
def test_what_the_api_refuses_for_good_is_an_error(wanted):
    old = kept(objects_of(target='http://10.0.0.9:1')['endpoints'])
    fake = FakeApi(patch_namespaced_endpoints=[refused(422, 'Invalid', 'no')], read_namespaced_endpoints=[old])
    keeper, _ = upkeep(fake, old)
    with pytest.raises(Exception, match='422 Invalid: no'):
        yield keeper.ensure('endpoints', wanted, soon())


@pytest.mark.parametrize('labels, annotations, text', [
    ({}, {}, 'no label hub.jupyter.org/proxy-route'),
    ({'hub.jupyter.org/proxy-route': 'true', 'component': 'other'}, {}, 'component is other'),
    ({'hub.jupyter.org/proxy-route': 'true', 'component': 'singleuser-server'},
     {'hub.jupyter.org/proxy-routespec': '/user/ben/'}, 'route /user/ben/')])
@pytest.mark.gen_test
def test_an_object_that_is_not_this_routes_is_left_alone(wanted, labels, annotations, text):
    foreign = kept(wanted)
    foreign['metadata'].update(labels=labels, annotations=annotations)
    fake = FakeApi(create_namespaced_endpoints=[refused(409, 'AlreadyExists')], read_namespaced_endpoints=[foreign])
    keeper, _ = upkeep(fake)
    with pytest.raises(RouteError, match=text + '.*kubectl -n hubs delete endpoints'):
        yield keeper.ensure('endpoints', wanted, soon())
    assert not any(method.startswith('patch') for method in fake.methods)


@pytest.mark.gen_test
def test_an_object_in_deletion_is_waited_for_until_the_deadline(wanted):
    dying = kept(wanted, deletionTimestamp='2020-01-01T00:00:00Z', finalizers=['x/y'])
    fake = FakeApi(read_namespaced_endpoints=[refused(404)], create_namespaced_endpoints=[kept(wanted, 'u2', '9')])
    keeper, cache = upkeep(fake, dying)
    IOLoop.current().add_callback(cache.wake, wanted['metadata']['name'])
    yield keeper.ensure('endpoints', wanted, soon())
    assert cache.get(wanted['metadata']['name'])['metadata']['uid'] == 'u2'
    keeper, _ = upkeep(FakeApi(), dying)
    with pytest.raises(RouteError, match='in deletion since 2020.* x/y'):
        yield keeper.ensure('endpoints', wanted, soon(-1))


@pytest.mark.gen_test
def test_an_object_is_deleted_by_uid_and_not_in_the_cache_afterwards(wanted):
    fake = FakeApi(delete_namespaced_endpoints=[{'kind': 'Status', 'status': 'Success'}])
    keeper, cache = upkeep(fake, kept(wanted))
    name = wanted['metadata']['name']
    yield keeper.remove('endpoints', name, '/user/ann/', soon())
    assert to_dict(fake.asked[0][1]['body'])['preconditions'] == {'uid': 'u1'}
    assert cache.get(name) is None
    yield keeper.remove('endpoints', name, '/user/ann/', soon())
    assert len(fake.asked) == 1


@pytest.mark.gen_test
def test_deleting_what_is_gone_or_has_a_successor_of_somebody_elses_is_success(wanted):
    name, foreign = wanted['metadata']['name'], kept(wanted, 'u2')
    foreign['metadata']['annotations'] = {}
    keeper, cache = upkeep(FakeApi(delete_namespaced_endpoints=[refused(404, 'NotFound')]), kept(wanted))
    yield keeper.remove('endpoints', name, '/user/ann/', soon())
    assert cache.get(name) is None
    fake = FakeApi(delete_namespaced_endpoints=[refused(409, 'Conflict')], read_namespaced_endpoints=[foreign])
    keeper, _ = upkeep(fake, kept(wanted))
    yield keeper.remove('endpoints', name, '/user/ann/', soon())
    assert fake.methods == ['delete_namespaced_endpoints', 'read_namespaced_endpoints']


@pytest.mark.gen_test
def test_a_missing_permission_is_told_with_the_rule_that_the_role_needs(wanted):
    keeper, _ = upkeep(FakeApi(create_namespaced_endpoints=[refused(403, 'Forbidden', 'may not')]))
    with pytest.raises(Exception) as raised:
        yield keeper.ensure('endpoints', wanted, soon())
    text = str(errors.of_api('/user/ann/', raised.value))
    assert '/user/ann/' in text and 'resources: ["endpoints"]' in text and '"patch"' in text and 'may not' in text


# Settings


def proxy_of(**sections):
    return KubeIngressProxy(config=Config(sections))


def test_what_is_not_set_is_as_the_spawners_have_it():
    shared = {'namespace': 'hubs', 'component_label': 'c2', 'common_labels': {'a': 'b'}, 'k8s_api_request_timeout': 7}
    proxy = proxy_of(KubeSpawner=shared, KubeIngressProxy={'component_label': 'own'})
    assert (proxy.namespace, proxy.component_label, proxy.common_labels) == ('hubs', 'own', {'a': 'b'})
    assert proxy.k8s_api_request_timeout == 7
    assert proxy_of().component_label == 'singleuser-server' and proxy_of().should_start is False


@pytest.mark.parametrize('name, value', [
    ('namespace', 'A b'), ('component_label', ''), ('component_label', 'a b'), ('k8s_api_host', 'nonsense'),
    ('ingress_specifications', [{'tlsSecret': 's'}]), ('ingress_specifications', [{'host': 'a', 'tls': 's'}])])
def test_a_wrong_setting_is_told_by_its_name_in_the_file(name, value):
    with pytest.raises(TraitError, match='KubeIngressProxy.' + name):
        proxy_of(KubeIngressProxy={name: value})
