"""Service accounts on localkube: each namespace has one, pods have its token, and the API accepts the token."""
import base64
import json
import sys

import pytest

from kubespawner.localkube import LocalKube
from kubespawner.localkube.filesystems import why_no_namespaces
from tests.support.waits import until

from .conftest import PODS, Client, shell

ACCOUNTS = '/api/v1/namespaces/default/serviceaccounts'
DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount'
VIEW = {'apiGroup': 'rbac.authorization.k8s.io', 'kind': 'ClusterRole', 'name': 'view'}

needs_namespaces = pytest.mark.skipif(bool(why_no_namespaces()), reason='this machine allows no mount namespaces')


@pytest.fixture(scope='module')
def kube():
    with LocalKube(backoff=0.2, rbac=True) as kube:
        yield kube


@pytest.fixture(scope='module')
def client(kube):
    return Client(kube)


@pytest.fixture
def account(client, name):
    """The name of a service account that may read everything in the namespace."""
    client.create(ACCOUNTS, {'metadata': {'name': name}})
    client.create('/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings', {
        'metadata': {'name': name}, 'roleRef': VIEW,
        'subjects': [{'kind': 'ServiceAccount', 'name': name, 'namespace': 'default'}]})
    return name


def token_of(client, account, **spec):
    """Return the TokenRequest that was answered."""
    return client.create('%s/%s/token' % (ACCOUNTS, account), {
        'apiVersion': 'authentication.k8s.io/v1', 'kind': 'TokenRequest', 'spec': spec})


def claims(token):
    payload = token.split('.')[1]
    return json.loads(base64.urlsafe_b64decode(payload + '=' * (-len(payload) % 4)).decode('utf8'))


def get_with(kube, token, path=PODS):
    """Return the HTTP status of a GET with a token."""
    client = Client(kube)
    client.token = token
    return client.call('GET', path)[0]


@pytest.mark.parametrize('path', ['serviceaccounts/default', 'configmaps/kube-root-ca.crt'])
def test_a_namespace_has_an_account_and_the_certificate_and_has_them_again(client, name, path):
    client.create('/api/v1/namespaces', {'metadata': {'name': name}})
    path = '/api/v1/namespaces/%s/%s' % (name, path)
    until(lambda: client.call('GET', path)[0] == 200, path)
    uid = client.get(path)['metadata']['uid']
    client.delete(path)
    until(lambda: client.get(path).get('metadata', {}).get('uid', uid) != uid, path + ' again')
    client.delete('/api/v1/namespaces/' + name)
    until(lambda: client.call('GET', '/api/v1/namespaces/' + name)[0] == 404, 'the namespace to go')


def test_a_pod_whose_account_does_not_exist_is_refused(client, name):
    code, answer = client.call('POST', PODS, {'metadata': {'name': name}, 'spec': {
        'serviceAccountName': 'ghost', 'containers': [{'name': 'main', 'image': 'x'}]}})
    assert (code, answer['reason']) == (403, 'Forbidden')
    assert answer['message'] == ('pods "%s" is forbidden: error looking up service account default/ghost: '
                                 'serviceaccount "ghost" not found' % name)


def created_spec(client, name, **spec):
    return client.create(PODS, {'metadata': {'name': name}, 'spec': dict({
        'schedulerName': 'nobody', 'containers': [{'name': 'main', 'image': 'x'}]}, **spec)})['spec']


def test_a_pod_gets_the_token_of_its_account(client, name):
    spec = created_spec(client, name, initContainers=[{'name': 'init', 'image': 'x'}])
    volume, = spec['volumes']
    assert volume['name'].startswith('kube-api-access-')
    assert volume['projected'] == {'defaultMode': 420, 'sources': [
        {'serviceAccountToken': {'expirationSeconds': 3607, 'path': 'token'}},
        {'configMap': {'name': 'kube-root-ca.crt', 'items': [{'key': 'ca.crt', 'path': 'ca.crt'}]}},
        {'downwardAPI': {'items': [{'path': 'namespace', 'fieldRef': {
            'apiVersion': 'v1', 'fieldPath': 'metadata.namespace'}}]}}]}
    for container in spec['containers'] + spec['initContainers']:
        assert container['volumeMounts'] == [{'name': volume['name'], 'readOnly': True, 'mountPath': DIRECTORY}]
    assert (spec['serviceAccountName'], spec['serviceAccount']) == ('default', 'default')


@pytest.mark.parametrize('of_pod, of_account, mounted', [
    (None, None, True), (False, None, False), (None, False, False), (True, False, True), (False, True, False)])
def test_the_pod_decides_before_the_account_whether_a_token_is_mounted(client, name, of_pod, of_account, mounted):
    client.create(ACCOUNTS, {'metadata': {'name': name}, 'automountServiceAccountToken': of_account})
    spec = created_spec(client, name, serviceAccountName=name, automountServiceAccountToken=of_pod)
    assert ('volumes' in spec) is mounted


def test_what_a_container_mounts_at_the_place_of_the_token_stays(client, name):
    mount = {'name': 'mine', 'mountPath': DIRECTORY}
    containers = [{'name': 'main', 'image': 'x', 'volumeMounts': [mount]}, {'name': 'other', 'image': 'x'}]
    spec = created_spec(client, name, volumes=[{'name': 'mine', 'emptyDir': {}}], containers=containers)
    assert spec['containers'][0]['volumeMounts'] == [mount] and len(spec['volumes']) == 2
    assert spec['containers'][1]['volumeMounts'][0]['name'] == spec['volumes'][1]['name']


def test_a_pod_has_the_image_pull_secrets_of_its_account_unless_it_names_some(client, name):
    client.create(ACCOUNTS, {'metadata': {'name': name}, 'imagePullSecrets': [{'name': 'registry'}]})
    assert created_spec(client, name, serviceAccountName=name)['imagePullSecrets'] == [{'name': 'registry'}]
    own = created_spec(client, name + '-own', serviceAccountName=name, imagePullSecrets=[{'name': 'own'}])
    assert own['imagePullSecrets'] == [{'name': 'own'}]


# Tokens


def test_the_api_accepts_a_token_and_knows_whose_it_is(kube, client, account):
    answer = token_of(client, account)
    token = answer['status']['token']
    assert claims(token)['sub'] == 'system:serviceaccount:default:' + account
    assert claims(token)['exp'] - claims(token)['iat'] == 3600
    assert get_with(kube, token) == 200 and get_with(kube, token, '/api/v1/nodes') == 403
    owner = Client(kube)
    owner.token = token
    info = owner.create('/apis/authentication.k8s.io/v1/selfsubjectreviews', {
        'apiVersion': 'authentication.k8s.io/v1', 'kind': 'SelfSubjectReview'})['status']['userInfo']
    assert info['username'] == 'system:serviceaccount:default:' + account
    assert info['groups'] == ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated']
    assert info['uid'] == client.get('%s/%s' % (ACCOUNTS, account))['metadata']['uid']


def changed(token):
    """Yield tokens that somebody could make of a token without the key."""
    head, payload, signature = token.split('.')
    body = dict(claims(token), sub='system:serviceaccount:kube-system:default')
    forged = base64.urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip('=')
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip('=')
    yield from ['.'.join([head, forged, signature]), '.'.join([none, payload, '']), head + '.' + payload, token[:-1],
                token + 'x', payload, '..', '.', 'a.b.c', head + '..' + signature]


def test_a_token_that_was_changed_is_refused(kube, client, account):
    for token in changed(token_of(client, account)['status']['token']):
        assert get_with(kube, token) == 401, token


def test_a_token_for_others_is_not_for_the_api(kube, client, account):
    token = token_of(client, account, audiences=['vault'])['status']['token']
    assert claims(token)['aud'] == ['vault'] and get_with(kube, token) == 401

    def review(**spec):
        return client.create('/apis/authentication.k8s.io/v1/tokenreviews', {
            'apiVersion': 'authentication.k8s.io/v1', 'kind': 'TokenReview', 'spec': dict({'token': token}, **spec)})[
            'status']

    assert 'authenticated' not in review() and review()['error']
    assert review(audiences=['vault', 'other'])['authenticated']


def test_a_token_ends_with_its_account(kube, client, account):
    token = token_of(client, account)['status']['token']
    client.delete('%s/%s' % (ACCOUNTS, account))
    client.create(ACCOUNTS, {'metadata': {'name': account}})  # the same name, but another account
    assert get_with(kube, token) == 401


def test_a_token_ends_with_the_pod_to_which_it_is_bound(kube, client, account, name):
    pod = client.create(PODS, {'metadata': {'name': name}, 'spec': {
        'serviceAccountName': account, 'schedulerName': 'nobody', 'containers': [{'name': 'main', 'image': 'x'}]}})
    bound = {'apiVersion': 'v1', 'kind': 'Pod', 'name': name, 'uid': pod['metadata']['uid']}
    token = token_of(client, account, boundObjectRef=bound)['status']['token']
    assert claims(token)['kubernetes.io']['pod'] == {'name': name, 'uid': pod['metadata']['uid']}
    assert get_with(kube, token) == 200
    client.delete('%s/%s' % (PODS, name))
    assert get_with(kube, token) == 401


@pytest.mark.parametrize('spec, code, words', [
    ({'expirationSeconds': 599}, 422, 'may not specify a duration less than 10 minutes'),
    ({'expirationSeconds': 2 ** 33}, 422, 'may not specify a duration larger than 2^32 seconds'),
    ({'boundObjectRef': {'apiVersion': 'v1', 'kind': 'Pod', 'name': 'ghost'}}, 404, 'pods "ghost" not found'),
    ({'boundObjectRef': {'apiVersion': 'v1', 'kind': 'Service', 'name': 'x'}}, 400, 'cannot bind token to object'),
])
def test_a_request_for_a_token_that_cannot_be_is_refused(client, account, spec, code, words):
    found, answer = client.call('POST', '%s/%s/token' % (ACCOUNTS, account), {
        'apiVersion': 'authentication.k8s.io/v1', 'kind': 'TokenRequest', 'spec': spec})
    assert found == code and words in answer['message']


def test_an_account_that_does_not_exist_has_no_token(client):
    code, answer = client.call('POST', ACCOUNTS + '/ghost/token', {
        'apiVersion': 'authentication.k8s.io/v1', 'kind': 'TokenRequest', 'spec': {}})
    assert (code, answer['message']) == (404, 'serviceaccounts "ghost" not found')


# In a pod

ASK = """
from kubernetes import client, config
config.load_incluster_config()
print([pod.metadata.name for pod in client.CoreV1Api().list_namespaced_pod(open('%s/namespace').read()).items
       if pod.metadata.name == '%s'])
"""


@needs_namespaces
def test_a_program_in_a_pod_finds_the_api_and_may_do_what_its_role_says(client, account, name):
    pytest.importorskip('trustme')  # the client of a pod speaks TLS only
    client.create_pod(name, spec={'serviceAccountName': account},
                      command=[sys.executable, '-c', ASK % (DIRECTORY, name)])
    pod = client.wait_for(name, lambda pod: pod and pod['status']['phase'] in ('Succeeded', 'Failed'))
    assert client.log(name).strip() == str([name]) and pod['status']['phase'] == 'Succeeded'


@needs_namespaces
def test_the_files_of_a_token_are_those_of_a_pod_and_cannot_be_written(client, name):
    script = 'cd %s && ls && touch new; echo $KUBERNETES_SERVICE_HOST' % DIRECTORY
    client.create_pod(name, **shell(script))
    client.wait_for_phase(name, 'Succeeded')
    lines = client.log(name).splitlines()
    assert lines[:3] == ['ca.crt', 'namespace', 'token'] and lines[-1] == '127.0.0.1' and 'Read-only' in lines[3]
