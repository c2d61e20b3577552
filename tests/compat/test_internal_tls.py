"""internal_ssl, services_enabled and secret_environment of a whole start: the objects and their order."""
import json
import logging

import pytest
from jupyterhub import orm, version_info
from jupyterhub.objects import Server
from tornado import gen
from tornado.ioloop import IOLoop
from traitlets.config import Config

from kubespawner import KubeSpawner, related_objects
from kubespawner.checks import find_problems
from kubespawner.kube.clients import to_dict
from kubespawner.messages.errors import ConfigurationError, SpawnError
from kubespawner.parts import related
from kubespawner.secret_variables import mark_of
from tests.compat.test_names import created as created_pod
from tests.compat.test_names import sent, spawner_with
from tests.fake_time import with_fake_time
from tests.support.certificates import decoded, write_certificates
from tests.support.fakes import pod_in, refused

TOKEN = '0123456789abcdef0123'
NOT_FOUND = refused(404, 'NotFound')
NO_RIGHT = refused(403, 'Forbidden', 'User "hub" cannot create resource "secrets" in API group ""')

ANSWERS = {
    'read_namespaced_pod': [NOT_FOUND],
    'create_namespaced_service': [sent],
    'read_namespaced_service': [NOT_FOUND],
    'delete_namespaced_service': [{}],
}

needs_internal_ssl = pytest.mark.skipif(version_info < (1, 0), reason='internal_ssl is a setting of JupyterHub 1.0')


class HubWithCertificates:
    """What JupyterHub's own spawner does when it makes certificates, without cryptography."""

    def __init__(self, directory):
        self.directory, self.number, self.names = directory, 0, []

    def members(self):
        @gen.coroutine
        def create_certs(spawner):
            self.number += 1
            self.names.append(list(spawner.ssl_alt_names))
            yield gen.moment
            return write_certificates(self.directory, self.number)[0]

        return {'create_certs': create_certs}


@pytest.fixture
def new(monkeypatch, tmp_path):
    """`new(answers=None, **traits)` returns (spawner, HubWithCertificates). `tls` is True with internal_ssl."""
    def new(answers=None, tls=False, members=None, **traits):
        hub = HubWithCertificates(tmp_path)
        base = type('SpawnerOfHub', (related.Labels,), hub.members())
        spawner = spawner_with(members, dict(ANSWERS, **(answers or {})), **traits)
        monkeypatch.setattr(related.Labels, 'create_certs', base.create_certs, raising=False)
        spawner.api_token = TOKEN
        if tls:
            spawner.internal_ssl = True
            spawner.internal_trust_bundles = write_certificates(tmp_path)[1]
        return spawner, hub

    return new


@gen.coroutine
def started(spawner):
    """Start a server as JupyterHub does; return where it is."""
    spawner.clear_state()
    if getattr(spawner, 'internal_ssl', False):
        paths = yield spawner.create_certs()
        spawner.cert_paths = yield spawner.move_certs(paths)
    return (yield spawner.start())


def made(spawner, kind):
    """Return the object of a kind that was created last, a dict."""
    return [sent(arguments) for method, arguments in spawner.api.asked
            if method == 'create_namespaced_' + kind][-1]


def environment(pod, container=0):
    return {variable['name']: variable for variable in pod['spec']['containers'][container].get('env') or []}


OWNER = {'apiVersion': 'v1', 'kind': 'Pod', 'name': 'jupyter-alice', 'uid': 'u1', 'blockOwnerDeletion': False,
         'controller': False}


# internal_ssl


@needs_internal_ssl
@with_fake_time
def test_a_server_has_its_certificates_mounted_and_a_service_in_front(new):
    spawner, hub = new(tls=True)
    url = yield started(spawner)
    assert str(url) == 'https://jupyter-alice.hubs.svc.cluster.local:8888'
    assert tuple(url) == ('jupyter-alice.hubs.svc.cluster.local', 8888)
    pod, secret, service = [made(spawner, kind) for kind in ('pod', 'secret', 'service')]
    assert decoded(secret) == {'ssl.key': 'keyfile 1\n', 'ssl.crt': 'certfile 1\n',
                               'notebooks-ca_trust.crt': 'cafile 1\nhub\n'}
    assert [each['metadata']['ownerReferences'] for each in (secret, service)] == [[OWNER]] * 2
    assert [each['metadata']['name'] for each in (secret, service)] == ['jupyter-alice'] * 2
    assert {'name': 'jupyterhub-internal-certs', 'secret': {'secretName': 'jupyter-alice'}} in pod['spec']['volumes']
    assert {'name': 'jupyterhub-internal-certs', 'mountPath': '/etc/jupyterhub/ssl/', 'readOnly': True} in (
        pod['spec']['containers'][0]['volumeMounts'])
    assert environment(pod)['JUPYTERHUB_SSL_KEYFILE']['value'] == '/etc/jupyterhub/ssl/ssl.key'
    assert environment(pod)['JUPYTERHUB_SSL_CLIENT_CA']['value'] == '/etc/jupyterhub/ssl/notebooks-ca_trust.crt'
    assert service['spec']['ports'] == [{'name': 'http', 'port': 8888, 'targetPort': 8888}]
    created = [method for method in spawner.api.methods if method.startswith('create')]
    assert created == ['create_namespaced_pod', 'create_namespaced_secret', 'create_namespaced_service']


@needs_internal_ssl
@with_fake_time
def test_the_certificate_has_the_names_of_the_server(new):
    spawner, hub = new(tls=True)
    yield started(spawner)
    assert hub.names == [['DNS:jupyter-alice.hubs.svc.cluster.local', 'DNS:jupyter-alice', 'DNS:jupyter-alice.hubs',
                          'DNS:jupyter-alice.hubs.svc']]
    assert spawner.ssl_alt_names_include_local is False


@needs_internal_ssl
@with_fake_time
def test_names_that_a_profile_changes_are_in_the_certificate_too(new):
    spawner, hub = new(tls=True, profile_list=[
        {'display_name': 'A', 'kubespawner_override': {'pod_name_template': 'lab-{username}'}}])
    url = yield started(spawner)
    assert 'DNS:lab-alice.hubs.svc' in hub.names[-1] and str(url).startswith('https://lab-alice.hubs.')
    assert decoded(made(spawner, 'secret'))['ssl.key'] == 'keyfile 2\n'
    assert made(spawner, 'secret')['metadata']['name'] == made(spawner, 'service')['metadata']['name'] == 'lab-alice'


@needs_internal_ssl
@with_fake_time
def test_each_start_has_the_certificates_that_a_subclass_made_for_it(new, tmp_path):
    paths = write_certificates(tmp_path)[0]
    spawner, _ = new(tls=True, members={'create_certs': gen.coroutine(lambda self: paths)})
    for number in (1, 2):
        with open(paths['keyfile'], 'w') as f:
            f.write('keyfile %d\n' % number)
        yield spawner.move_certs((yield spawner.create_certs()))
        secret = to_dict(spawner.get_secret_manifest(related_objects.make_owner_reference('jupyter-alice', 'u1')))
        assert decoded(secret)['ssl.key'] == 'keyfile %d\n' % number


@needs_internal_ssl
@with_fake_time
def test_names_that_the_operator_sets_stay(new):
    spawner, hub = new(tls=True, ssl_alt_names=['DNS:x'], pod_connect_ip='{username}.example.org')
    assert str((yield started(spawner))) == 'https://alice.example.org:8888'
    assert hub.names == [['DNS:x']]


@needs_internal_ssl
@with_fake_time
def test_a_pod_that_a_hook_renames_refers_to_the_secret_that_is_made(new):
    def rename(spawner, pod):
        pod.metadata.name = 'other'
        return pod

    spawner, hub = new(tls=True, modify_pod_hook=rename)
    assert str((yield started(spawner))).startswith('https://other.hubs.')
    volume, = [each for each in made(spawner, 'pod')['spec']['volumes'] if each['name'] == 'jupyterhub-internal-certs']
    assert volume['secret']['secretName'] == made(spawner, 'secret')['metadata']['name']
    assert made(spawner, 'service')['metadata']['name'] == 'other' and 'DNS:other' in hub.names[-1]


@needs_internal_ssl
@with_fake_time
def test_two_servers_of_a_user_that_start_at_once_have_their_own_certificates(new, monkeypatch, tmp_path):
    @gen.coroutine
    def create_certs(spawner):  # in the files of the user, as JupyterHub does
        paths, _ = write_certificates(tmp_path)
        with open(paths['keyfile'], 'w') as f:
            f.write('key of ' + spawner.name)
        yield gen.sleep(1)
        return paths

    spawners = [new(tls=True, servername=name)[0]
                for name in ('one', 'two')]
    monkeypatch.setattr(related.Labels, 'create_certs', create_certs)
    spawners[1].user = spawners[0].user
    yield [started(spawner) for spawner in spawners]
    assert [decoded(made(spawner, 'secret'))['ssl.key'] for spawner in spawners] == ['key of one', 'key of two']


@needs_internal_ssl
@with_fake_time
def test_certificates_that_are_overwritten_before_the_pod_is_there_are_those_of_the_server_all_the_same(new, tmp_path):
    spawner, hub = new(tls=True)
    paths = yield spawner.create_certs()
    with open(paths['keyfile'], 'w') as f:
        f.write('of another server')
    spawner.cert_paths = yield spawner.move_certs(paths)
    yield spawner.start()
    assert decoded(made(spawner, 'secret'))['ssl.key'] == 'keyfile 1\n'


@needs_internal_ssl
@with_fake_time
def test_the_secret_of_an_earlier_pod_is_gone_before_there_is_a_new_pod(new):
    left = {'metadata': {'name': 'jupyter-alice', 'uid': 's0', 'ownerReferences': [dict(OWNER, uid='u0')]}}
    spawner, _ = new({'read_namespaced_secret': [left, NOT_FOUND]}, tls=True)
    yield started(spawner)
    methods = spawner.api.methods
    assert methods.index('delete_namespaced_secret') < methods.index('create_namespaced_pod')


@needs_internal_ssl
@with_fake_time
def test_without_certificates_nothing_is_created(new):
    spawner, _ = new(tls=True)
    with pytest.raises(ConfigurationError, match='internal_ssl is True, but'):
        yield spawner.start()
    assert [method for method in spawner.api.methods if method.startswith('create')] == []


@pytest.mark.parametrize('kind', ['secret', 'service'])
@with_fake_time
def test_what_cannot_be_created_leaves_no_pod_and_says_why(new, kind):
    spawner, _ = new({'create_namespaced_' + kind: [NO_RIGHT]}, services_enabled=True, secret_environment=True)
    with pytest.raises(SpawnError, match='Add this line to the rules of its role: - {apiGroups') as e:
        yield spawner.start()
    assert TOKEN not in str(e.value)
    (_, deletion), = [asked for asked in spawner.api.asked if asked[0] == 'delete_namespaced_pod']
    assert deletion['body'].preconditions.uid == 'u1'


@with_fake_time
def test_a_start_that_is_given_up_meanwhile_leaves_no_pod(new):
    def give_up(arguments):
        spawner._cancel_starts()
        return {}

    spawner, _ = new({'create_namespaced_secret': [give_up]}, services_enabled=True, secret_environment=True)
    with pytest.raises(SpawnError, match='given up'):
        yield spawner.start()
    assert 'delete_namespaced_pod' in spawner.api.methods and 'create_namespaced_service' not in spawner.api.methods


# services_enabled


@pytest.mark.parametrize('servername, label', [('', ''), ('gpu', 'gpu')])
@pytest.mark.parametrize('scheme', ['escape', 'safe'])
@with_fake_time
def test_a_service_selects_one_pod_only(new, servername, label, scheme):
    spawner, _ = new(services_enabled=True, slug_scheme=scheme, servername=servername)
    url = yield spawner.start()
    name = spawner.pod_name
    assert tuple(url) == (name + '.hubs.svc.cluster.local', 8888)
    selector, pod = made(spawner, 'service')['spec']['selector'], made(spawner, 'pod')
    assert selector == {'heritage': 'jupyterhub', 'component': 'singleuser-server', 'hub.jupyter.org/username': 'alice',
                        'hub.jupyter.org/servername': label}
    assert set(selector.items()) <= set(pod['metadata']['labels'].items())
    assert 'create_namespaced_secret' not in spawner.api.methods


@with_fake_time
def test_a_hook_cannot_take_a_pod_from_its_service(new):
    def strip(spawner, pod):
        pod.metadata.labels = {}
        return pod

    spawner, _ = new(services_enabled=True, modify_pod_hook=strip)
    yield spawner.start()
    assert set(made(spawner, 'service')['spec']['selector'].items()) <= set(
        made(spawner, 'pod')['metadata']['labels'].items())


@pytest.mark.parametrize('traits, address', [
    ({'pod_connect_ip': '10.9.9.9'}, ('10.9.9.9', 8888)),
    ({'dns_name_template': '{name}.x'}, ('jupyter-alice.x', 8888))])
@with_fake_time
def test_what_says_where_a_server_is_counts_as_before(new, traits, address):
    spawner, _ = new(services_enabled=True, **traits)
    assert tuple((yield spawner.start())) == address


@pytest.mark.skipif(version_info < (0, 9), reason='JupyterHub 0.8 takes no URL')
@with_fake_time
def test_get_pod_url_takes_precedence_over_the_service(new):
    spawner, _ = new(services_enabled=True, get_pod_url=lambda spawner, pod: 'http://elsewhere:1')
    assert str((yield spawner.start())) == 'http://elsewhere:1'


@with_fake_time
def test_subclasses_make_the_objects_of_their_own(new):
    seen = []

    def get_service_manifest(self, owner_reference):  # as in the releases before 2024
        seen.append(to_dict(owner_reference))
        service = to_dict(KubeSpawner.get_service_manifest(self, owner_reference, 8888))
        service['metadata']['labels']['own'] = 'x'
        return service

    async def get_secret_manifest(self, owner_reference):
        return {'metadata': {'name': self.secret_name}, 'data': {'own': 'eA=='}}

    spawner, _ = new(services_enabled=True, secret_environment=True, members={
        'get_service_manifest': get_service_manifest, 'get_secret_manifest': get_secret_manifest})
    yield spawner.start()
    assert seen == [OWNER] and made(spawner, 'service')['metadata']['labels']['own'] == 'x'
    assert set(decoded(made(spawner, 'secret'))) >= {'own', 'JUPYTERHUB_API_TOKEN'}


# secret_environment


@with_fake_time
def test_a_pod_has_references_and_a_secret_has_the_values(new, caplog):
    caplog.set_level(logging.DEBUG)
    seen = []

    def look(spawner, pod):
        seen.append(json.dumps(to_dict(pod)))
        return pod

    spawner, _ = new(secret_environment=['PASSWORD', 'NOT_THERE'], modify_pod_hook=look, environment={
        'PASSWORD': 'of-$(WHO)', 'WHO': 'ann', 'LATER': '$(PASSWORD)', 'COPY': lambda spawner: spawner.api_token})
    yield spawner.start()
    pod, secret = made(spawner, 'pod'), made(spawner, 'secret')
    assert decoded(secret) == {'JUPYTERHUB_API_TOKEN': TOKEN, 'JPY_API_TOKEN': TOKEN, 'PASSWORD': 'of-ann',
                               'COPY': TOKEN, mark_of('alice', ''): ''}
    assert 'jupyterhub-secret-variables' in {volume['name'] for volume in pod['spec']['volumes']}
    for text in seen + [json.dumps(pod), caplog.text, json.dumps(spawner.get_state())]:
        assert TOKEN not in text and 'of-ann' not in text
    variables = environment(pod)
    assert variables['LATER']['value'] == '$(PASSWORD)'
    assert list(variables).index('PASSWORD') < list(variables).index('LATER')
    assert variables['PASSWORD']['valueFrom'] == {'secretKeyRef': {'name': 'jupyter-alice', 'key': 'PASSWORD'}}
    assert 'JUPYTERHUB_API_TOKEN' in spawner.get_env()


@pytest.mark.parametrize('tls', [pytest.param(True, marks=needs_internal_ssl), False])
@with_fake_time
def test_a_pod_does_not_start_with_the_secret_of_another_server_of_the_same_name(new, tls):
    found = []
    for username in ('alice', 'bob'):
        spawner, _ = new(tls=tls, secret_environment=['PASSWORD'], environment={'PASSWORD': 'x'},
                         secret_name_template='shared')
        spawner.user.name = username
        yield started(spawner)
        volume, = [each['secret'] for each in made(spawner, 'pod')['spec']['volumes']
                   if each['name'] == 'jupyterhub-secret-variables']
        found.append((volume['secretName'], {item['key'] for item in volume['items']}, made(spawner, 'secret')['data']))
    (name, needed, _), (other_name, _, data) = found
    assert name == other_name == 'shared' and needed.isdisjoint(data)


@with_fake_time
def test_what_a_hook_adds_is_taken_out_as_well(new):
    def add(spawner, pod):
        pod.spec.containers[0].env.append({'name': 'COPY', 'value': 'token ' + TOKEN})
        pod.spec.containers.append({'name': 'side', 'image': 'i', 'env': [{'name': 'JPY_API_TOKEN', 'value': TOKEN}]})
        return pod

    spawner, _ = new(secret_environment=True, modify_pod_hook=add)
    yield spawner.start()
    assert TOKEN not in json.dumps(made(spawner, 'pod'))
    assert decoded(made(spawner, 'secret'))['COPY'] == 'token ' + TOKEN


@with_fake_time
def test_the_pod_of_a_subclass_has_references_too(new):
    @gen.coroutine
    def get_pod_manifest(self):
        pod = yield KubeSpawner.get_pod_manifest(self)
        pod.spec.containers[0].env = [{'name': 'JUPYTERHUB_API_TOKEN', 'value': self.api_token}]
        return pod

    spawner, _ = new(secret_environment=True, members={'get_pod_manifest': get_pod_manifest})
    yield spawner.start()
    assert TOKEN not in json.dumps(made(spawner, 'pod'))
    assert decoded(made(spawner, 'secret'))['JUPYTERHUB_API_TOKEN'] == TOKEN


@with_fake_time
def test_the_manifest_alone_has_references(new):
    spawner, _ = new(secret_environment=True)
    assert TOKEN not in json.dumps(to_dict((yield spawner.get_pod_manifest())))


@needs_internal_ssl
@with_fake_time
def test_variables_are_not_among_the_files_of_certificates(new):
    spawner, _ = new(tls=True, secret_environment=True)
    yield started(spawner)
    assert set(decoded(made(spawner, 'secret'))) >= {'ssl.key', 'JUPYTERHUB_API_TOKEN'}
    volume, = [each for each in made(spawner, 'pod')['spec']['volumes'] if each['name'] == 'jupyterhub-internal-certs']
    assert {item['key'] for item in volume['secret']['items']} == {'ssl.key', 'ssl.crt', 'notebooks-ca_trust.crt'}


@with_fake_time
def test_the_hubs_log_masks_what_is_in_the_secret(new, caplog):
    def failed(arguments):
        pod = created_pod(arguments)
        state = {'terminated': {'exitCode': 3, 'reason': 'Error'}}
        pod['status'] = dict(pod['status'], phase='Failed', containerStatuses=[
            {'name': 'notebook', 'ready': False, 'restartCount': 0, 'state': state}])
        return pod

    spawner, _ = new({'create_namespaced_pod': [failed], 'read_namespaced_pod_log': ['my token is %s\n' % TOKEN]},
                     secret_environment=True, start_failure_grace=0)
    with pytest.raises(SpawnError) as e:
        yield spawner.start()
    assert 'my token is ***' in caplog.text and TOKEN not in caplog.text + str(e.value)


@with_fake_time
def test_a_variable_that_cannot_be_in_a_secret_ends_the_start_before_there_is_a_pod(new):
    spawner, _ = new(secret_environment=['DB'], environment={
        'IP': {'valueFrom': {'fieldRef': {'fieldPath': 'status.podIP'}}}, 'DB': 'pw@$(IP)'})
    with pytest.raises(ConfigurationError, match='KubeSpawner.secret_environment: the variable DB refers to') as e:
        yield spawner.start()
    assert 'pw@' not in str(e.value) and 'create_namespaced_pod' not in spawner.api.methods


@with_fake_time
def test_without_these_settings_nothing_is_asked_of_secrets_and_services(new):
    spawner, _ = new()
    yield spawner.start()
    assert not [method for method in spawner.api.methods if 'secret' in method or 'service' in method]
    assert environment(made(spawner, 'pod'))['JUPYTERHUB_API_TOKEN']['value'] == TOKEN


# Names


@pytest.mark.parametrize('username, servername', [
    ('\xdcser with spaces', ''), ('x' * 200, 'y' * 200), ('ann', 'My Server'), ('-', '.')])
@pytest.mark.parametrize('scheme', ['escape', 'safe'])
@with_fake_time
def test_any_name_gives_valid_names(new, username, servername, scheme):
    spawner, _ = new(services_enabled=True, secret_environment=True, slug_scheme=scheme, username=username,
                     servername=servername)
    yield spawner.start()
    for kind in ('secret', 'service'):
        assert made(spawner, kind)['metadata']['name'] == spawner.pod_name and len(spawner.pod_name) <= 63
    assert all(len(value) <= 63 for value in made(spawner, 'service')['spec']['selector'].values())


@with_fake_time
def test_a_secret_may_have_a_name_of_its_own(new):
    spawner, _ = new(secret_environment=True, secret_name_template='env-{user_server}', servername='gpu')
    yield spawner.start()
    assert made(spawner, 'secret')['metadata']['name'] == 'env-alice--gpu'


# The checks at the hub's start


@pytest.mark.parametrize('settings', [
    {'services_enabled': True}, {'secret_environment': True}, {'secret_name_template': 'x-{username}'},
    {'secret_environment': ['A', 'JUPYTERHUB_CLIENT_ID'], 'environment': {'A': '1'}},
    {'dns_name_template': '{name}.{namespace}.svc'}])
def test_a_hub_with_these_settings_starts(settings):
    assert find_problems(Config({'JupyterHub': {'internal_ssl': True}, 'KubeSpawner': settings}), KubeSpawner) == []


@pytest.mark.parametrize('settings, is_fatal, words', [
    ({'secret_mount_path': 'etc/ssl'}, True, 'absolute path'), ({'secret_mount_path': '/'}, True, 'absolute path'),
    ({'secret_name_template': '{nonsense}'}, True, 'nonsense'), ({'secret_name_template': ''}, True, 'is empty'),
    ({'dns_name_template': '{nmae}.x'}, True, 'nmae'), ({'dns_name_template': 'a b'}, True, 'cannot contain'),
    ({'secret_environment': 'TOKEN'}, True, 'secret_environment'), ({'secret_environment': []}, False, 'empty list'),
    ({'secret_environment': ['A*B=']}, False, 'A*B='), ({'secret_environment': ['PASWORD'],
                                                        'environment': {'PASSWORD': 'x'}}, False, 'PASWORD')])
def test_the_checks_know_these_settings(settings, is_fatal, words):
    found = find_problems(Config({'KubeSpawner': settings}), KubeSpawner)[0]
    assert found.is_fatal is is_fatal and words in found.sentence


# A hub that ends meanwhile


def taken_over(spawner, phase, *volumes):
    """Have a new hub find the pod of a start that an earlier one did not see to the end; return the future of a URL."""
    pod = dict(pod_in(phase, name='jupyter-alice'), spec={'containers': [], 'volumes': list(volumes)})
    spawner.api.answers['read_namespaced_pod'] = [pod]
    spawner.load_state({'pod_name': 'jupyter-alice', 'pod_uid': 'u1'})
    spawner.server = Server(orm_server=orm.Server(proto='http', ip='', port=1, base_url='/', cookie_name=''))
    spawner.pod_reflector.upsert(pod)
    return spawner.get_url()


@with_fake_time
def test_a_hub_that_ended_before_it_made_the_service_is_followed_by_one_that_makes_it(new):
    spawner, _ = new(services_enabled=True)
    url = yield taken_over(spawner, 'Running')
    assert made(spawner, 'service')['metadata']['ownerReferences'] == [OWNER]
    assert url.startswith('http://jupyter-alice.hubs.svc.cluster.local:8888')


@pytest.mark.parametrize('volume', ['jupyterhub-secret-variables', 'jupyterhub-internal-certs'])
@with_fake_time
def test_a_pod_whose_secret_no_hub_can_make_any_more_is_deleted_soon(new, volume, caplog):
    spawner, _ = new(secret_environment=True, start_timeout=600)
    before = IOLoop.current().time()
    yield taken_over(spawner, 'Pending', {'name': volume, 'secret': {'secretName': 'jupyter-alice'}})
    assert IOLoop.current().time() - before < 10
    assert 'delete_namespaced_pod' in spawner.api.methods
    assert 'ended before it had created the Secret jupyter-alice' in caplog.text


@pytest.mark.parametrize('answers', [[{}], [NOT_FOUND, {}], [refused(403, 'Forbidden')]])
@with_fake_time
def test_a_pod_whose_secret_is_there_or_not_known_is_waited_for(new, answers):
    spawner, _ = new({'read_namespaced_secret': answers}, secret_environment=True, start_timeout=600)
    taken_over(spawner, 'Pending', {'name': 'jupyterhub-secret-variables', 'secret': {'secretName': 'jupyter-alice'}})
    yield gen.sleep(60)
    assert 'delete_namespaced_pod' not in spawner.api.methods
