"""The hub of docs/cluster, in pods of a real node: it finds the API by itself, and servers outlive it.

The files are applied as they are, but for the image and what goes with it, see `tests/support/cluster_install.py`.
This node does not enforce everything: its network plugin ignores network policies, and its API server is too old for
Pod Security. It has the policies checked, and `tests/test_cluster_files.py` checks the pods' fields.
"""
import json
import tempfile
import time

import pytest

from tests.support import cluster_files
from tests.support.cluster_install import PASSWORD, installed, proxy_of_node

from .browser import Browser, until


@pytest.fixture(scope='module')
def hub(request, cluster):
    """The running hub, an `Installation`."""
    if not request.config.getoption('--pod-gateway'):
        pytest.skip('needs a real node: --pod-gateway')
    proxy = proxy_of_node()
    if proxy is None:
        pytest.skip('needs configurable-http-proxy (Node.js)')
    with tempfile.TemporaryDirectory() as directory, installed(cluster.kubeconfig, directory, proxy) as hub:
        hub.logged = lambda: hub.log('hub')
        yield hub


@pytest.fixture
def log_in(hub):
    """`log_in(name)` returns a user who has logged in through the proxy's Service. Servers are gone in the end."""
    spec = hub.get('service', 'proxy-public')['spec']
    url = 'http://%s:%d' % (spec['clusterIP'], spec['ports'][0]['port'])
    users = []

    def log_in(name):
        users.append(Browser(url, name).log_in(PASSWORD))
        return users[-1]

    yield log_in
    for user in users:
        for server in user.servers():
            user.stop(server)


def uid_of(pods):
    pod, = pods
    return pod['metadata']['uid']


def test_the_api_server_accepts_the_very_files(hub):
    printed = hub.kubectl('apply', '--dry-run=server', '-f', cluster_files.DIRECTORY)
    assert len(printed.splitlines()) == len(cluster_files.objects())


def test_a_user_logs_in_through_the_proxy_and_runs_code_in_a_container(hub, log_in):
    ann = log_in('ann')
    ann.start()
    pod, = hub.pods('singleuser-server')
    assert (pod['metadata']['name'], pod['metadata']['namespace']) == ('jupyter-ann', hub.namespace)
    assert ann.run(ann.new_kernel(), '6*7') == '42'
    assert ann.run(ann.new_kernel(), '__import__("os").getuid()') == '1000'
    ann.write('notes.txt', 'kept')
    ann.stop()
    ann.start()
    assert ann.read('notes.txt') == 'kept'


def test_the_hub_uses_its_own_service_account_and_nobody_else_has_one(hub, log_in):
    log_in('ann').start()
    pod, = hub.pods('hub')
    assert pod['spec']['serviceAccountName'] == 'hub'
    assert 'KUBECONFIG' not in {variable['name'] for variable in pod['spec']['containers'][0]['env']}
    for component in 'proxy', 'singleuser-server':
        pod, = hub.pods(component)
        assert 'kubernetes.io/serviceaccount/token' not in str(pod)
        assert pod['spec']['automountServiceAccountToken'] is False


def test_a_wrong_password_lets_nobody_in(hub, log_in):
    url = log_in('ann').url
    assert Browser(url, 'eve').send_login('wrong').status_code == 403


def test_servers_outlive_the_hubs_pod_and_the_next_one_finds_them(hub, log_in):
    ann = log_in('ann')
    ann.start()
    kernel, server, before = ann.new_kernel(), uid_of(hub.pods('singleuser-server')), uid_of(hub.pods('hub'))
    assert ann.run(kernel, 'x = 42; x') == '42'
    hub.kubectl('delete', 'pod', '--selector', 'component=hub')
    assert ann.run(kernel, 'x') == '42', 'the proxy leads to the server while there is no hub'
    hub.wait('hub')
    assert uid_of(hub.pods('hub')) != before
    until(lambda: ann.session.get(ann.url + '/hub/health', timeout=5).status_code == 200, 60, 'the hub')
    assert '' in ann.servers()
    assert uid_of(hub.pods('singleuser-server')) == server
    assert ann.run(kernel, 'x') == '42'
    ann.stop()
    assert hub.pods('singleuser-server') == []


class Tokens:
    """Tokens of the hub's service account that end when a test says so: each is bound to a secret."""

    FILE = '/var/run/secrets/kubernetes.io/serviceaccount/token'

    def __init__(self, hub):
        self.hub = hub

    def issue(self, name):
        """Return a new token, which counts until the secret `name` is deleted."""
        self.hub.kubectl('create', 'secret', 'generic', name)
        uid = self.hub.get('secret', name)['metadata']['uid']
        answer = self.hub.kubectl(
            'create', '-f', '-', '--raw', '/api/v1/namespaces/%s/serviceaccounts/hub/token' % self.hub.namespace,
            content=json.dumps({
                'apiVersion': 'authentication.k8s.io/v1', 'kind': 'TokenRequest',
                'spec': {'boundObjectRef': {'apiVersion': 'v1', 'kind': 'Secret', 'name': name, 'uid': uid}}}))
        return json.loads(answer)['status']['token']

    def write(self, token):
        """Have the node give this token to the hub's pods."""
        self.hub.apply([{'apiVersion': 'v1', 'kind': 'Secret', 'metadata': {'name': 'token'},
                         'stringData': {'token': token}}])

    def read(self):
        """Return what the hub's container finds in the token file. Nodes look after a pod that has been changed."""
        self.hub.kubectl('annotate', 'pod', '--selector', 'component=hub', '--overwrite', 'now=%s' % time.monotonic())
        return self.hub.kubectl('exec', 'deployment/hub', '--', 'cat', self.FILE)

    def end(self, name, token):
        """Return when the API server refuses the token that is bound to the secret `name`."""
        self.hub.kubectl('delete', 'secret', name)
        until(lambda: self._is_refused(token), 60, 'the end of the token')

    def _is_refused(self, token):
        try:
            self.hub.kubectl('get', 'pods', '--token', token)
        except AssertionError as e:
            assert 'Unauthorized' in str(e) or 'must be logged in' in str(e)
            return True


@pytest.fixture
def tokens(hub):
    """The `Tokens` that the hub uses, first that of the secret `first`. It keeps on using them after the test."""
    tokens = Tokens(hub)
    tokens.write(tokens.issue('first'))
    sources = [{'secret': {'name': 'token'}}, {'configMap': {'name': 'kube-root-ca.crt'}},
               {'downwardAPI': {'items': [{'path': 'namespace', 'fieldRef': {'fieldPath': 'metadata.namespace'}}]}}]
    mount = {'name': 'token', 'mountPath': tokens.FILE.rpartition('/')[0], 'readOnly': True}
    hub.kubectl('patch', 'deployment', 'hub', '--patch', json.dumps({'spec': {'template': {'spec': {
        'automountServiceAccountToken': False, 'volumes': [{'name': 'token', 'projected': {'sources': sources}}],
        'containers': [{'name': 'hub', 'volumeMounts': [mount]}]}}}}))
    hub.wait('hub')
    return tokens


def test_a_hub_goes_on_when_its_token_is_replaced_and_the_old_one_ends(hub, tokens, log_in):
    ann = log_in('ann')
    ann.start()
    before, old, new = uid_of(hub.pods('hub')), tokens.read(), tokens.issue('second')
    tokens.write(new)
    until(lambda: tokens.read() == new, 150, 'the new token')
    tokens.end('first', old)
    ann.stop()
    assert hub.pods('singleuser-server') == []
    ann.start()
    assert ann.run(ann.new_kernel(), '6*7') == '42'
    assert uid_of(hub.pods('hub')) == before
    assert hub.pods('hub')[0]['status']['containerStatuses'][0]['restartCount'] == 0


def test_a_new_proxy_gets_the_routes_again(hub, log_in):
    ann = log_in('ann')
    ann.start()
    kernel = ann.new_kernel()
    assert ann.run(kernel, 'x = 42; x') == '42'
    hub.kubectl('delete', 'pod', '--selector', 'component=proxy')
    hub.wait('proxy')
    until(lambda: ann.get('api/status').status_code == 200, 120, 'the route')
    assert ann.run(kernel, 'x') == '42'
