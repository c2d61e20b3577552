"""What the server says about itself, and to whom it says anything else."""
import pytest

from .helpers import failure, ok, outcome, pod


@pytest.mark.parametrize('path', ['/healthz', '/readyz'])
def test_health_is_the_word_ok(http, path):
    assert (http.get(path).code, http.get(path).body) == (200, 'ok')


def test_version_is_of_kubernetes_1(http):
    version = ok(http.get('/version'))
    assert version['major'] == '1' and int(version['minor'].rstrip('+')) >= 7
    assert version['gitVersion'].startswith('v1.%s' % version['minor'].rstrip('+'))


def test_discovery_names_the_versions(http):
    versions = ok(http.get('/api'))
    assert versions['kind'] == 'APIVersions' and 'v1' in versions['versions']


@pytest.mark.parametrize('resource, kind, namespaced', [
    ('pods', 'Pod', True), ('pods/status', 'Pod', True), ('pods/log', 'Pod', True), ('events', 'Event', True),
    ('persistentvolumeclaims', 'PersistentVolumeClaim', True), ('services', 'Service', True),
    ('endpoints', 'Endpoints', True), ('secrets', 'Secret', True), ('configmaps', 'ConfigMap', True),
    ('namespaces', 'Namespace', False), ('nodes', 'Node', False),
])
def test_discovery_lists_resource(http, resource, kind, namespaced):
    resources = ok(http.get('/api/v1'))
    assert (resources['kind'], resources['groupVersion']) == ('APIResourceList', 'v1')
    found = [(r['kind'], r['namespaced']) for r in resources['resources'] if r['name'] == resource]
    assert found == [(kind, namespaced)]


def test_discovery_lists_the_verbs_of_pods(http):
    verbs = next(r['verbs'] for r in ok(http.get('/api/v1'))['resources'] if r['name'] == 'pods')
    assert {'create', 'delete', 'get', 'list', 'patch', 'update', 'watch'} <= set(verbs)


@pytest.mark.parametrize('path', ['/api/v1/nonsense', '/api/v1/namespaces/default/nonsense', '/api/v9/pods'])
def test_unknown_resource_is_404(http, path):
    assert failure(http.get(path)) == (404, 'NotFound', [])


def test_unknown_path_is_404(http):
    assert http.get('/nonsense').code == 404


@pytest.mark.parametrize('method, path', [('PUT', 'pods'), ('PATCH', 'pods'), ('POST', 'pods/one')])
def test_method_that_a_path_does_not_have_is_405(http, url, method, path):
    call = {'PUT': http.put, 'PATCH': http.patch, 'POST': http.post}[method]
    assert outcome(call(url(*path.split('/')), pod('one'))) == (405, 'MethodNotAllowed')


@pytest.mark.parametrize('path', ['/api/v1/pods', '/api/v1/namespaces/default/pods/one', '/api/v1/nodes'])
def test_without_a_token_is_refused(http, path):
    """With anonymous requests allowed it is nobody who may not; without, nobody is known."""
    assert outcome(http.as_stranger(path)) in [(401, 'Unauthorized'), (403, 'Forbidden')]


@pytest.mark.parametrize('path', ['/api/v1/pods', '/api/v1/namespaces/default/pods/one', '/api/v1/nodes', '/version'])
def test_wrong_token_is_401(http, path):
    assert failure(http.as_stranger(path, token='wrong')) == (401, 'Unauthorized', [])
