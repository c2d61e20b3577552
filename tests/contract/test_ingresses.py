"""Ingresses: three API versions of one object, what the server fills in, and what it refuses.

An API server of 1.22 or newer serves networking.k8s.io/v1 only. There, the cases about other versions are skipped.
"""
import pytest

from .helpers import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, created, failure, meta, names, ok, outcome

V1, BETA, EXTENSIONS = VERSIONS = ['networking.k8s.io/v1', 'networking.k8s.io/v1beta1', 'extensions/v1beta1']
SERVICE = {'service': {'name': 'web', 'port': {'number': 80}}}
NAMED = {'service': {'name': 'web', 'port': {'name': 'http'}}}
OLD_SERVICE, OLD_NAMED = [{'serviceName': 'web', 'servicePort': port} for port in (80, 'http')]


@pytest.fixture
def url(http, namespace):
    """A function: the path of the ingresses, or of one of them, in an API version."""
    served = ['%s' % version['groupVersion'] for group in ok(http.get('/apis'))['groups']
              for version in group['versions']]

    def path(*parts, version=V1):
        if version not in served:
            pytest.skip('this server has no %s' % version)
        return '/'.join(('/apis', version, 'namespaces', namespace, 'ingresses') + parts)
    return path


def ingress(name, version=V1, **spec):
    return {'apiVersion': version, 'kind': 'Ingress', 'metadata': meta(name), 'spec': spec}


def rule(host=None, backend=SERVICE, path='/', **more):
    paths = [dict({'path': path, 'backend': backend}, **more)]
    return dict({'http': {'paths': paths}}, **({'host': host} if host else {}))


@pytest.mark.parametrize('version', VERSIONS)
def test_discovery_lists_ingresses(http, url, version):
    url(version=version)
    rows = {row['name']: row for row in ok(http.get('/apis/' + version))['resources']}
    assert (rows['ingresses']['kind'], rows['ingresses']['namespaced']) == ('Ingress', True)
    assert {'create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'} <= set(
        rows['ingresses']['verbs'])
    assert 'ingresses/status' in rows
    group = ok(http.get('/apis/' + version.partition('/')[0]))
    assert version in [each['groupVersion'] for each in group['versions']]


def test_created_ingress_is_complete(http, url, name):
    spec = {'defaultBackend': SERVICE, 'ingressClassName': 'nginx',
            'rules': [rule('a.example.org', pathType='Prefix'), rule(None, NAMED, '/b', pathType='Exact')],
            'tls': [{'hosts': ['a.example.org'], 'secretName': 'cert'}]}
    obj = created(http.post(url(), ingress(name, **spec)))
    assert (obj['kind'], obj['apiVersion'], obj['spec']) == ('Ingress', V1, spec)
    assert obj['status'] == {'loadBalancer': {}} and obj['metadata']['generation'] == 1


@pytest.mark.parametrize('version', [BETA, EXTENSIONS])
def test_every_version_shows_what_was_created_in_the_newest(http, url, name, version):
    created(http.post(url(), ingress(name, defaultBackend=SERVICE, rules=[rule('h.org', NAMED, pathType='Prefix')])))
    obj = ok(http.get(url(name, version=version)))
    assert obj['apiVersion'] == version
    assert obj['spec'] == {'backend': OLD_SERVICE, 'rules': [rule('h.org', OLD_NAMED, pathType='Prefix')]}


@pytest.mark.parametrize('version', [BETA, EXTENSIONS])
def test_newest_version_shows_what_was_created_in_an_older(http, url, name, version):
    body = ingress(name, version, backend=OLD_SERVICE, rules=[rule('h.org', OLD_NAMED)])
    assert created(http.post(url(version=version), body))['apiVersion'] == version
    obj = ok(http.get(url(name)))
    expected = rule('h.org', NAMED, pathType='ImplementationSpecific')
    assert (obj['apiVersion'], obj['spec']) == (V1, {'defaultBackend': SERVICE, 'rules': [expected]})


def test_backend_can_be_any_object(http, url, name):
    resource = {'apiGroup': 'example.org', 'kind': 'Bucket', 'name': 'files'}
    created(http.post(url(), ingress(name, defaultBackend={'resource': resource})))
    assert ok(http.get(url(name, version=BETA)))['spec'] == {'backend': {'resource': resource, 'servicePort': 0}}


@pytest.mark.parametrize('version', VERSIONS)
def test_list_and_watch_have_the_version_of_the_request(http, url, name, version):
    created(http.post(url(), ingress(name, defaultBackend=SERVICE)))
    backend = {'defaultBackend': SERVICE} if version == V1 else {'backend': OLD_SERVICE}
    found = ok(http.get(url(version=version), fieldSelector='metadata.name=' + name))
    assert (found['kind'], found['apiVersion'], names(found)) == ('IngressList', version, [name])
    assert found['items'][0]['spec'] == backend
    with http.watch(url(version=version), fieldSelector='metadata.name=' + name) as watch:
        event, = watch.take(1)
        assert (event['type'], event['object']['apiVersion'], event['object']['spec']) == ('ADDED', version, backend)
        ok(http.delete(url(name)))
        event, = watch.take(1)
        assert (event['type'], event['object']['apiVersion'], event['object']['spec']) == ('DELETED', version, backend)


@pytest.mark.parametrize('content_type', [MERGE_PATCH, STRATEGIC_PATCH])
def test_patch_is_of_the_version_of_the_request(http, url, name, content_type):
    created(http.post(url(), ingress(name, defaultBackend=SERVICE)))
    patched = ok(http.patch(url(name, version=BETA), {'spec': {'backend': {'servicePort': 81}}}, content_type))
    assert patched['spec'] == {'backend': {'serviceName': 'web', 'servicePort': 81}}
    assert patched['metadata']['generation'] == 2


def test_json_patch(http, url, name):
    created(http.post(url(), ingress(name, defaultBackend=SERVICE)))
    operation = {'op': 'add', 'path': '/spec/ingressClassName', 'value': 'nginx'}
    assert ok(http.patch(url(name), [operation], JSON_PATCH))['spec']['ingressClassName'] == 'nginx'


def test_generation_counts_changes_of_the_spec_only(http, url, name):
    created(http.post(url(), ingress(name, defaultBackend=SERVICE)))
    labelled = ok(http.patch(url(name), {'metadata': {'labels': {'a': 'b'}}}))
    addresses = {'loadBalancer': {'ingress': [{'ip': '10.1.1.1'}]}}
    status = ok(http.patch(url(name, 'status'), {'status': addresses, 'spec': {'ingressClassName': 'x'}}))
    assert (labelled['metadata']['generation'], status['metadata']['generation']) == (1, 1)
    assert (status['status'], 'ingressClassName' in status['spec']) == (addresses, False)
    assert ok(http.patch(url(name), {'status': {'loadBalancer': None}}))['status'] == addresses


def test_replace_and_conflict(http, url, name):
    obj = created(http.post(url(), ingress(name, defaultBackend=SERVICE)))
    obj['spec']['defaultBackend'] = NAMED
    assert ok(http.put(url(name), obj))['spec']['defaultBackend'] == NAMED
    answer = http.put(url(name), obj)
    assert outcome(answer) == (409, 'Conflict')
    assert answer.body['details'] == {'name': name, 'group': 'networking.k8s.io', 'kind': 'ingresses'}
    del obj['metadata']['resourceVersion']
    ok(http.put(url(name), obj))


@pytest.mark.parametrize('version', VERSIONS)
def test_messages_name_the_group_of_the_request(http, url, name, version):
    group = version.partition('/')[0]
    answer = http.get(url(name, version=version))
    assert (answer.code, answer.body['message']) == (404, 'ingresses.%s "%s" not found' % (group, name))
    assert answer.body['details'] == {'name': name, 'group': group, 'kind': 'ingresses'}
    created(http.post(url(), ingress(name, defaultBackend=SERVICE)))
    backend = {'defaultBackend': SERVICE} if version == V1 else {'backend': OLD_SERVICE}
    answer = http.post(url(version=version), ingress(name, version, **backend))
    assert (answer.code, answer.body['message']) == (409, 'ingresses.%s "%s" already exists' % (group, name))


def test_collection_is_deleted_by_a_selector(http, url, name):
    for suffix in 'ab':
        body = ingress(name + suffix, defaultBackend=SERVICE)
        body['metadata']['labels'] = {'case': name + suffix}
        created(http.post(url(), body))
    assert names(ok(http.delete(url(), labelSelector='case=%sa' % name))) == [name + 'a']
    assert (http.get(url(name + 'a')).code, http.get(url(name + 'b')).code) == (404, 200)


PATH = 'spec.rules[0].http.paths[0]'
INVALID, REQUIRED, UNSUPPORTED = 'FieldValueInvalid', 'FieldValueRequired', 'FieldValueNotSupported'


@pytest.mark.parametrize('spec, field, reason', [
    ({}, 'spec', INVALID),
    ({'rules': [rule('UPPER.org', pathType='Exact')]}, 'spec.rules[0].host', INVALID),
    ({'rules': [rule('10.1.1.1', pathType='Exact')]}, 'spec.rules[0].host', INVALID),
    ({'rules': [rule('a.*.org', pathType='Exact')]}, 'spec.rules[0].host', INVALID),
    ({'rules': [rule()]}, PATH + '.pathType', REQUIRED),
    ({'rules': [rule(pathType='Some')]}, PATH + '.pathType', UNSUPPORTED),
    ({'rules': [rule(path='x', pathType='Prefix')]}, PATH + '.path', INVALID),
    ({'rules': [rule(path='', pathType='Exact')]}, PATH + '.path', INVALID),
    ({'rules': [rule(path='/a//b', pathType='Exact')]}, PATH + '.path', INVALID),
    ({'rules': [rule(path='/a/..', pathType='Prefix')]}, PATH + '.path', INVALID),
    ({'rules': [{'http': {'paths': []}}]}, 'spec.rules[0].http.paths', REQUIRED),
    ({'rules': [rule(backend={}, pathType='Exact')]}, PATH + '.backend', INVALID),
    ({'defaultBackend': {'service': {'name': 'web'}}}, 'spec.defaultBackend', REQUIRED),
    ({'defaultBackend': {'service': {'port': {'number': 80}}}}, 'spec.defaultBackend.service.name', REQUIRED),
    ({'defaultBackend': {'service': {'name': 'web', 'port': {'number': 70000}}}},
     'spec.defaultBackend.service.port.number', INVALID),
    ({'defaultBackend': {'service': {'name': 'web', 'port': {'number': 1, 'name': 'a'}}}}, 'spec.defaultBackend',
     INVALID),
    ({'defaultBackend': dict(SERVICE, resource={'kind': 'A', 'name': 'b'})}, 'spec.defaultBackend', INVALID),
    ({'defaultBackend': SERVICE, 'ingressClassName': 'A B'}, 'spec.ingressClassName', INVALID),
    ({'defaultBackend': SERVICE, 'tls': [{'hosts': ['BAD']}]}, 'spec.tls[0].hosts[0]', INVALID),
])
def test_refused(http, url, name, spec, field, reason):
    assert failure(http.post(url(), ingress(name, **spec))) == (422, 'Invalid', [(field, reason)])


@pytest.mark.parametrize('backend, field', [
    ({'serviceName': 'web'}, 'spec.backend'), ({'servicePort': 80}, 'spec.backend.serviceName'),
    ({'serviceName': 'web', 'servicePort': 'Bad'}, 'spec.backend.servicePort'), ({}, 'spec.backend')])
def test_refused_with_the_field_names_of_the_version(http, url, name, backend, field):
    code, _, causes = failure(http.post(url(version=BETA), ingress(name, BETA, backend=backend)))
    assert (code, [cause[0] for cause in causes]) == (422, [field])


def test_class_is_named_once(http, url, name):
    body = ingress(name, defaultBackend=SERVICE, ingressClassName='nginx')
    body['metadata']['annotations'] = {'kubernetes.io/ingress.class': 'nginx'}
    assert failure(http.post(url(), body)) == (
        422, 'Invalid', [('annotations.kubernetes.io/ingress.class', INVALID)])


def test_another_version_than_the_paths_is_refused(http, url, name):
    answer = http.post(url(), ingress(name, BETA, backend=OLD_SERVICE))
    assert outcome(answer) == (400, 'BadRequest')
    assert answer.body['message'] == (
        'the API version in the data (%s) does not match the expected API version (%s)' % (BETA, V1))
