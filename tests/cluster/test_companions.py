"""The Secret and the Service of a pod, as the API server keeps them."""
import base64
import json

import pytest
from kubernetes.client.rest import ApiException
from tornado import gen

from kubespawner.kube import api
from kubespawner.messages.errors import SpawnError
from kubespawner.objects import make_pod
from tests.support.certificates import decoded, write_certificates

from .conftest import COMPANION_RIGHTS, additional_rights

TOKEN = '0123456789abcdef0123'


@pytest.fixture(scope='module', autouse=True)
def rights(cluster, core, namespace):
    """The rights that these tests need besides, on a cluster that has any."""
    with additional_rights(core, namespace, cluster.hub_kubeconfig, COMPANION_RIGHTS):
        yield


@pytest.fixture
def companion(core, namespace):
    """`companion(kind, name)` returns a `secret` or a `service` as a dict, None if there is none of that name."""
    def read(kind, name):
        try:
            response = getattr(core, 'read_namespaced_' + kind)(name=name, namespace=namespace, _preload_content=False)
        except ApiException as e:
            if e.status != 404:
                raise
            return None
        return json.loads(response.data.decode('utf8'))

    return read


@pytest.fixture
def left(core, namespace):
    """`left(kind, name, owner=None)` creates a companion: of this pod (a dict), or of nobody."""
    def create(kind, name, owner=None):
        body = {'metadata': {'name': name}}
        if owner is not None:
            reference = {key: owner['metadata'][key] for key in ('name', 'uid')}
            body['metadata']['ownerReferences'] = [dict(reference, apiVersion='v1', kind='Pod')]
        if kind == 'secret':
            body['data'] = {'old': base64.b64encode(b'old').decode('ascii')}
        else:
            body['spec'] = {'selector': {'a': 'b'}, 'ports': [{'port': 80}]}
        getattr(core, 'create_namespaced_' + kind)(namespace=namespace, body=body, _preload_content=False)

    return create


@pytest.fixture
def with_both(new_spawner, tmp_path):
    """`with_both(username, **traits)` returns a spawner whose pod has certificates, hidden tokens and a Service."""
    def new(username, **traits):
        spawner = new_spawner(username, services_enabled=True, secret_environment=True, **traits)
        spawner.api_token = TOKEN
        return spawner

    return new


@pytest.mark.gen_test
def test_they_are_owned_by_the_pod_and_a_new_pod_has_new_ones(with_both, node, objects, companion):
    spawner = with_both('ann')
    uids = []
    for _ in range(2):
        spawner.api_token = TOKEN
        url = yield spawner.start()
        name = spawner.pod_name
        assert tuple(url) == (spawner.dns_name, 8888)
        pod, secret, service = objects.pod(name), companion('secret', name), companion('service', name)
        for each in (secret, service):
            owner, = each['metadata']['ownerReferences']
            assert (owner['kind'], owner['uid']) == ('Pod', pod['metadata']['uid'])
        assert decoded(secret)['JUPYTERHUB_API_TOKEN'] == TOKEN and TOKEN not in json.dumps(pod)
        assert set(service['spec']['selector'].items()) <= set(pod['metadata']['labels'].items())
        uids.append((secret['metadata']['uid'], service['metadata']['uid']))
        yield spawner.stop(now=True)
        spawner.clear_state()
    assert not set(uids[0]) & set(uids[1])


@pytest.mark.gen_test
def test_certificates_are_mounted(with_both, node, objects, companion, tmp_path):
    spawner = with_both('tina')
    if not hasattr(spawner, 'internal_ssl'):
        return
    paths, bundles = write_certificates(tmp_path)
    spawner.internal_ssl, spawner.internal_trust_bundles = True, bundles
    spawner.cert_paths = yield spawner.move_certs(paths)
    assert str((yield spawner.start())) == 'https://%s:8888' % spawner.dns_name
    secret, pod = companion('secret', spawner.pod_name), objects.pod(spawner.pod_name)
    assert decoded(secret)['notebooks-ca_trust.crt'] == 'cafile 1\nhub\n'
    volume, = [each for each in pod['spec']['volumes'] if each['name'] == 'jupyterhub-internal-certs']
    assert {item['key'] for item in volume['secret']['items']} == {'ssl.key', 'ssl.crt', 'notebooks-ca_trust.crt'}
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_no_server_has_what_is_secret_of_another_if_a_subclass_makes_the_pods(new_spawner, node, companion):
    @gen.coroutine
    def own_manifest(self):
        return make_pod(self.pod_name, self.cmd, 8888, 'busybox', labels=self._build_pod_labels({}), env={
            'JUPYTERHUB_API_TOKEN': self.api_token, 'TOKEN_OF_%s' % self.user.name.upper(): self.api_token})

    for number, name in enumerate(['mine', 'theirs']):
        spawner = new_spawner(name, secret_environment=True)
        type(spawner).get_pod_manifest = own_manifest
        spawner.api_token = token = TOKEN[:-1] + str(number)
        yield spawner.start()
        secret = decoded(companion('secret', spawner.secret_name))
        assert {value for key, value in secret.items() if 'TOKEN' in key} == {token}
        assert [key for key in secret if 'TOKEN_OF' in key] == ['TOKEN_OF_' + name.upper()]
        yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_what_a_pod_that_is_gone_has_left_is_replaced(with_both, node, companion, left):
    spawner = with_both('bob')
    gone = {'metadata': {'name': spawner.pod_name, 'uid': '00000000-0000-0000-0000-000000000000'}}
    for kind in ('secret', 'service'):
        left(kind, spawner.pod_name, gone)
    yield spawner.start()
    assert 'old' not in companion('secret', spawner.pod_name)['data']
    assert companion('service', spawner.pod_name)['spec']['ports'][0]['port'] == 8888
    yield spawner.stop(now=True)


@pytest.mark.parametrize('kind', ['secret', 'service'])
@pytest.mark.gen_test
def test_what_another_pod_has_is_left_alone_and_there_is_no_new_pod(with_both, node, objects, companion, left, kind):
    other = with_both('cleo-%s' % kind)
    yield other.start()
    spawner = with_both('dora-%s' % kind)
    left(kind, spawner.pod_name, objects.pod(other.pod_name))
    with pytest.raises(SpawnError, match='in use by pod %s' % other.pod_name):
        yield spawner.start()
    assert objects.pod(spawner.pod_name) is None
    owner, = companion(kind, spawner.pod_name)['metadata']['ownerReferences']
    assert owner['name'] == other.pod_name
    yield other.stop(now=True)


@pytest.mark.parametrize('kind', ['secret', 'service'])
def test_one_is_deleted_by_its_uid_with_every_client(core, namespace, companion, left, kind):
    left(kind, 'deleted')
    with pytest.raises(api.ApiError) as caught:
        api.send(core, 10, api.delete(kind, namespace, 'deleted', 'another'))
    assert caught.value.status == 409
    api.send(core, 10, api.delete(kind, namespace, 'deleted', companion(kind, 'deleted')['metadata']['uid']))
    assert companion(kind, 'deleted') is None
