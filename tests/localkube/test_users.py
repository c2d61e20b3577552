"""Users of localkube: further ones with files of their own, with RBAC and without it."""
import http.client
import json
import os
import ssl
import subprocess
import sys

import pytest

from kubespawner.localkube import LocalKube
from tests.support.waits import until

from .conftest import PODS, Client
from .test_kubectl import KUBECTL, WITHOUT

needs_kubectl = pytest.mark.skipif(not KUBECTL, reason=WITHOUT)
ROLES = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/'
READER = {'metadata': {'name': 'reader'}, 'rules': [{'verbs': ['list'], 'apiGroups': [''], 'resources': ['pods']}]}


def content_of(path):
    with open(path) as f:
        return json.loads(f.read().partition('\n')[2])


def client_of(kube, path):
    """Return a Client with the token of a kubeconfig."""
    client = Client(kube)
    client.token = content_of(path)['users'][0]['user']['token']
    return client


def bind(client, kind, name):
    client.call('POST', ROLES + 'roles', READER)
    client.create(ROLES + 'rolebindings', {
        'metadata': {'name': name}, 'subjects': [{'kind': kind, 'name': name}],
        'roleRef': {'apiGroup': 'rbac.authorization.k8s.io', 'kind': 'Role', 'name': 'reader'}})


@pytest.fixture(scope='module')
def rbac():
    """A localkube with RBAC in a process of its own, and a user who was named when it started."""
    with LocalKube(rbac=True, child=True, kubelet=False, users=['early=ops']) as kube:
        yield kube


def test_a_user_has_the_rights_of_roles_and_the_administrator_has_all(rbac):
    admin, user = Client(rbac), client_of(rbac, rbac.add_user('ann'))
    assert user.call('GET', PODS)[0] == 403 and admin.call('GET', PODS)[0] == 200
    bind(admin, 'User', 'ann')
    assert user.call('GET', PODS)[0] == 200 and user.call('GET', PODS + '/x')[0] == 403


def test_a_user_has_the_rights_of_groups(rbac):
    user = client_of(rbac, rbac.add_user('bob', groups=['team']))
    assert user.call('GET', PODS)[0] == 403
    bind(Client(rbac), 'Group', 'team')
    assert user.call('GET', PODS)[0] == 200


def test_a_user_who_was_named_at_the_start_has_a_file_beside_that_of_the_administrator(rbac):
    path = rbac.kubeconfig + '-early'
    assert os.stat(path).st_mode & 0o77 == 0 and content_of(path)['contexts'][0]['context']['user'] == 'early'
    user = client_of(rbac, path)
    bind(Client(rbac), 'Group', 'ops')
    assert user.call('GET', PODS)[0] == 200


def test_the_files_of_users_are_gone_with_localkube():
    with LocalKube(kubelet=False, users=['ann']) as kube:
        paths = [kube.kubeconfig, kube.kubeconfig + '-ann', kube.add_user('bob/../x')]
        assert all(map(os.path.exists, paths))
    assert not any(map(os.path.exists, paths))


@pytest.mark.parametrize('name', ['', '=ops', 'localkube', 'localkube=ops'])
def test_a_user_who_cannot_be_is_refused(name):
    with pytest.raises(ValueError, match='cannot be the name of a further user'):
        LocalKube(kubelet=False, users=[name]).start()


def test_only_the_administrator_can_inject_faults_and_add_users(rbac):
    user = client_of(rbac, rbac.add_user('eve'))
    for switch in ('fault', 'requests', 'add_user', 'clear_faults'):
        assert user.call('POST', '/localkube/' + switch, {})[0] == 401


def test_without_rbac_everybody_with_a_token_may_do_everything():
    with LocalKube(kubelet=False) as kube:
        user = client_of(kube, kube.add_user('ann'))
        assert user.call('GET', PODS)[0] == 200
        review = {'spec': {'resourceAttributes': {'verb': 'delete', 'resource': 'nodes'}}}
        path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
        assert user.create(path, review)['status'] == {'allowed': True}
        user.token = 'unknown'
        assert user.call('GET', PODS)[0] == 401
        assert as_nobody(kube, PODS).status == 401


def as_nobody(kube, path):
    """Return the response to a GET without a token."""
    scheme, _, address = kube.url.partition('://')
    if scheme == 'http':
        connection = http.client.HTTPConnection(address)
    else:
        connection = http.client.HTTPSConnection(address, context=ssl._create_unverified_context())
    connection.request('GET', path)
    response = connection.getresponse()
    response.text = response.read().decode('utf8')
    connection.close()
    return response


def test_with_rbac_who_has_no_token_is_anonymous_and_may_see_health_and_version(rbac):
    assert as_nobody(rbac, '/version').status == as_nobody(rbac, '/readyz').status == 200
    for path, words in ((PODS, 'list resource \\"pods\\"'), ('/api', 'get path \\"/api\\"')):
        response = as_nobody(rbac, path)
        assert response.status == 403 and 'User \\"system:anonymous\\" cannot ' + words in response.text


@pytest.mark.parametrize('path', [
    '/api/v1/namespaces//pods', '/api/v1/namespaces/pods/../../pods', '/api/v1/namespaces/default%2Fpods',
    '/api/v1//pods',
    '//api/v1/pods', '/api/v1/pods/', '/api/v1/namespaces/%2e/pods', '/api/v1/pods?watch=no', '/api/v1/pods?watch=true',
    '/api/v1/pods?watch=false&watch=true', '/api/v1/pods?fieldSelector=metadata.name%3Dx,metadata.name%3Dy'])
def test_an_odd_path_opens_nothing_that_the_usual_one_does_not(rbac, path):
    """The user may read the namespace `pods`, which odd paths could be taken for."""
    admin, name = Client(rbac), 'odd'
    admin.call('POST', '/api/v1/namespaces', {'metadata': {'name': 'pods'}})
    roles = '/apis/rbac.authorization.k8s.io/v1/namespaces/pods/'
    admin.call('POST', roles + 'roles', {'metadata': {'name': name}, 'rules': [
        {'verbs': ['*'], 'apiGroups': ['*'], 'resources': ['namespaces', 'namespaces/*']}]})
    admin.call('POST', roles + 'rolebindings', {
        'metadata': {'name': name}, 'subjects': [{'kind': 'User', 'name': name}],
        'roleRef': {'apiGroup': 'rbac.authorization.k8s.io', 'kind': 'Role', 'name': name}})
    user = client_of(rbac, rbac.add_user(name))
    assert user.call('GET', '/api/v1/namespaces/pods')[0] == 200
    assert user.call('GET', path)[0] in (403, 404)


# kubectl


@pytest.fixture
def kubectl(rbac, tmpdir):
    """`kubectl('get', 'pods')` returns (exit code, output) of the administrator; `user=path` is another kubeconfig."""
    pytest.importorskip('trustme')  # kubectl sends tokens over TLS only

    def run(*arguments, **options):
        command = [KUBECTL, '--kubeconfig', options.get('user', rbac.kubeconfig), '--cache-dir', str(tmpdir)]
        done = subprocess.run(command + list(arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              universal_newlines=True, timeout=60)
        return done.returncode, done.stdout

    return run


@needs_kubectl
def test_kubectl_tells_who_one_is_and_what_one_may_do(rbac, kubectl):
    user = rbac.add_user('carl', groups=['team-c'])
    code, text = kubectl('auth', 'whoami', user=user)
    assert code == 0 and 'carl' in text and '[team-c system:authenticated]' in text
    assert kubectl('auth', 'can-i', 'list', 'pods', user=user) == (1, 'no\n')
    assert kubectl('create', 'role', 'lister', '--verb=list', '--resource=pods')[0] == 0
    assert kubectl('create', 'rolebinding', 'lister', '--role=lister', '--user=carl')[0] == 0
    assert kubectl('auth', 'can-i', 'list', 'pods', user=user) == (0, 'yes\n')
    assert kubectl('auth', 'can-i', 'list', 'pods', '--as=carl') == (0, 'yes\n')
    assert kubectl('auth', 'can-i', 'delete', 'pods', '--as=carl') == (1, 'no\n')
    assert 'pods' in kubectl('auth', 'can-i', '--list', user=user)[1]
    code, text = kubectl('get', 'secrets', user=user)
    assert code == 1 and ('Error from server (Forbidden): secrets is forbidden: User "carl" cannot list resource '
                          '"secrets" in API group "" in the namespace "default"') in text
    assert kubectl('get', 'pods', '--as=carl', user=user)[0] == 1  # who may not impersonate, not even oneself


@needs_kubectl
def test_kubectl_shows_and_describes_roles_bindings_and_accounts(kubectl):
    kubectl('create', 'serviceaccount', 'robot')
    kubectl('create', 'clusterrole', 'watcher', '--verb=watch', '--resource=pods', '--resource-name=one')
    kubectl('create', 'clusterrolebinding', 'watcher', '--clusterrole=watcher', '--serviceaccount=default:robot',
            '--group=team')
    assert 'ClusterRole/watcher' in kubectl('get', 'clusterrolebindings', '-o', 'wide')[1]
    assert 'default/robot' in kubectl('get', 'clusterrolebindings', '-o', 'wide')[1]
    assert '[one]' in kubectl('describe', 'clusterrole', 'watcher')[1]
    assert kubectl('get', 'serviceaccounts')[1].splitlines()[0].split() == ['NAME', 'SECRETS', 'AGE']
    code, token = kubectl('create', 'token', 'robot', '--duration=20m', '--audience=vault')
    assert code == 0 and token.count('.') == 2
    assert kubectl('delete', 'serviceaccount', 'robot')[0] == 0


@needs_kubectl
def test_kubectl_creates_what_it_sends_as_protobuf(kubectl):
    kubectl('create', 'configmap', 'numbers', '--from-literal=one=1', '--from-literal=two=2')
    assert json.loads(kubectl('get', 'configmap', 'numbers', '-o', 'json')[1])['data'] == {'one': '1', 'two': '2'}
    kubectl('create', 'secret', 'generic', 'words', '--from-literal=word=sesame')
    assert json.loads(kubectl('get', 'secret', 'words', '-o', 'json')[1])['data'] == {'word': 'c2VzYW1l'}
    assert kubectl('create', 'namespace', 'by-kubectl') == (0, 'namespace/by-kubectl created\n')


# The command line


def test_the_command_line_gives_a_newcomer_a_user_whose_role_can_be_tried(tmpdir):
    path = str(tmpdir.join('config'))
    process = subprocess.Popen([sys.executable, '-m', 'kubespawner.localkube', '--kubeconfig', path, '--rbac', '--user',
                                'hub', '--no-kubelet', '--until-eof'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, universal_newlines=True)
    try:
        until(lambda: os.path.exists(path), 'localkube to start', 90)
        kube = LocalKube()
        kube.url = content_of(path)['clusters'][0]['cluster']['server']
        kube.token = content_of(path)['users'][0]['user']['token']
        assert client_of(kube, path + '-hub').call('GET', PODS)[0] == 403
    finally:
        out = process.communicate()[0]
    assert 'Kubeconfig of hub: %s-hub' % path in out and os.listdir(str(tmpdir)) == []
