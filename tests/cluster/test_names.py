"""Names by templates: both schemes, the fields of later years, claims that keep names from before, and errors."""
import pytest
from traitlets.config import Config

from kubespawner import KubeSpawner, naming
from kubespawner.parts.templates import Templates
from tests.cluster.conftest import make_spawner
from tests.faults.test_names import DNS_LABEL, PAIRS, distinct_pairs

pytestmark = pytest.mark.usefixtures('node')

CLAIM = {'user_storage_pvc_ensure': True, 'user_storage_capacity': '1Gi'}
HOME = [{'name': 'home', 'persistentVolumeClaim': {'claimName': 'claim-{username}{servername}'}}]
LONG = 'christoph.von.oldenburg@informatik.uni-oldenburg.example.org'


class Spawner(KubeSpawner):
    pod_reflector = None


def spawner_of(username, servername='', state=None, **traits):
    """Return a spawner as a hub makes it for a server of which its database has this state."""
    spawner = make_spawner(Spawner, username, servername, **traits)
    spawner.load_state(state or {})
    return spawner


@pytest.mark.parametrize('scheme', ['escape', 'safe'])
def test_a_hundred_thousand_servers_have_valid_names_and_no_two_the_same(scheme):
    """The pairs of user and server might be taken for one another."""
    templates = ['jupyter-{user_server}', 'jupyter-{username}{servername}', 'claim-{username}--{servername}']
    names = {template: set() for template in templates}
    for username, servername in distinct_pairs():
        fields = naming.template_fields(username, 7, servername, scheme)
        for template in templates:
            name = naming.object_name(naming.expand(template, fields))
            assert DNS_LABEL.match(name), (username, servername, template)
            names[template].add(name)
    assert {len(each) for each in names.values()} == {PAIRS}


@pytest.mark.parametrize('username, servername, template, by_escape, by_safe', [
    ('ann', '', 'jupyter-{username}{servername}', 'jupyter-ann', 'jupyter-ann'),
    ('ann', 'gpu', 'jupyter-{user_server}', 'jupyter-ann--gpu', 'jupyter-ann--gpu'),
    ('ann-b', 'gpu', 'jupyter-{user_server}', 'jupyter-ann-2db--gpu', 'jupyter-ann-b--gpu'),
    ('ann-b', '', 'jupyter-{username}--{servername}', 'jupyter-ann-2db', 'jupyter-ann-b'),
    ('Ann', 'gpu', 'p-{username}{servername}', 'p--41nn--gpu', 'p-ann---17239b6e--gpu'),
    ('a-b', 'c-d', '{escaped_user_server}', 'a-2db--c-2dd', 'a-2db--c-2dd'),
    ('a-b', 'c-d', '{safe_username}-{safe_servername}', 'a-b-c-d', 'a-b-c-d'),
    ('a-b', 'c-d', '{safe_user_server}', 'a-b--c-d', 'a-b--c-d'),
    ('ann', '', '{namespace}-{userid}-{hubnamespace}', 'n-7-default', 'n-7-default'),
    ('ann', 'gpu', 'x-{pvc_name}', 'x-claim-ann--gpu', 'x-claim-ann--gpu'),
    ('ann', 'gpu', 'x-{unescaped_username}-{unescaped_servername}', 'x-ann-gpu', 'x-ann-gpu'),
])
def test_a_pod_is_called_what_its_template_and_the_scheme_say(username, servername, template, by_escape, by_safe):
    for scheme, name in (('escape', by_escape), ('safe', by_safe)):
        spawner = spawner_of(username, servername, namespace='n', pod_name_template=template, slug_scheme=scheme)
        assert spawner.pod_name == name


@pytest.mark.gen_test
def test_pod_and_claim_are_created_by_the_safe_scheme(new_spawner, objects):
    pod = yield objects.created_by(new_spawner(
        'ann-b', 'Gpu', slug_scheme='safe', pvc_name_template='claim-{user_server}',
        volumes=[{'name': 'home', 'persistentVolumeClaim': {'claimName': '{pvc_name}'}}], **CLAIM))
    assert pod['metadata']['name'] == 'jupyter-ann-b--gpu---5926b855'
    assert pod['metadata']['annotations']['hub.jupyter.org/servername'] == 'Gpu'
    claim = pod['spec']['volumes'][0]['persistentVolumeClaim']['claimName']
    assert claim == 'claim-ann-b--gpu---5926b855' and objects.claim(claim)


@pytest.mark.gen_test
def test_the_field_pvc_name_is_the_claims_name_also_if_that_was_cut(new_spawner, objects):
    home = {'name': 'home', 'persistentVolumeClaim': {'claimName': '{pvc_name}'}}
    spawner = new_spawner(LONG, volumes=[home], **CLAIM)
    pod = yield objects.created_by(spawner)
    claim = pod['spec']['volumes'][0]['persistentVolumeClaim']['claimName']
    assert len(claim) == 63 and objects.claim(claim)


# What was started before the scheme was changed

def claim_in_volume(spawner):
    return spawner._expand_volumes()[0]['persistentVolumeClaim']['claimName']


def test_a_server_from_before_the_safe_scheme_keeps_its_claim_in_all_its_starts():
    before = spawner_of('ann-b')
    spawner = spawner_of('ann-b', state=before.get_state(), slug_scheme='safe', volumes=HOME)
    assert spawner.pod_name == before.pod_name
    for _ in range(3):
        assert spawner.pvc_name == before.pvc_name == 'claim-ann-2db' == claim_in_volume(spawner)
        spawner.clear_state()
        spawner = spawner_of('ann-b', state=spawner.get_state(), slug_scheme='safe', volumes=HOME)
    assert spawner.pod_name == 'jupyter-ann-b'


@pytest.mark.parametrize('traits', [{'handle_legacy_names': False}, {'remember_pvc_name': False}])
def test_unless_that_is_not_wanted(traits):
    spawner = spawner_of('ann-b', state=spawner_of('ann-b').get_state(), slug_scheme='safe', volumes=HOME, **traits)
    assert spawner.pvc_name == 'claim-ann-b' == claim_in_volume(spawner)


def test_a_server_that_is_new_with_the_safe_scheme_has_safe_names_in_all_its_starts():
    spawner = spawner_of('ann-b', slug_scheme='safe')
    for _ in range(3):
        assert (spawner.pod_name, spawner.pvc_name) == ('jupyter-ann-b', 'claim-ann-b')
        spawner.clear_state()
        spawner = spawner_of('ann-b', state=spawner.get_state(), slug_scheme='safe')


def test_a_claim_that_is_remembered_counts_more_than_any_scheme():
    spawner = spawner_of('ann-b', state={'pod_name': 'p', 'pvc_name': 'files'}, slug_scheme='safe', volumes=HOME)
    assert (spawner.pvc_name, claim_in_volume(spawner)) == ('files', 'files')


def test_the_state_of_the_default_scheme_is_what_it_always_was():
    assert set(spawner_of('ann').get_state()) - {'api_token', 'pid'} == {'namespace', 'pod_name'}


# Errors

@pytest.mark.parametrize('traits, words', [
    ({'pod_name_template': 'x-{pod_name}'}, 'KubeSpawner.pod_name_template: cannot have the field {pod_name}'),
    ({'pod_name_template': 'x-{pvc_name}', 'pvc_name_template': 'y-{pod_name}'},
     'KubeSpawner.pvc_name_template: cannot have the field {pod_name}'),
    ({'pod_name_template': 'x-{usrname}'}, "KubeSpawner.pod_name_template: cannot expand the template 'x-{usrname}'"),
])
def test_a_template_of_a_name_that_cannot_be_expanded_is_told(traits, words):
    spawner = make_spawner(Spawner, **traits)
    with pytest.raises(ValueError) as e:
        spawner.get_state()
    assert words in str(e.value)


def test_an_unknown_field_is_told_with_all_that_there_are():
    with pytest.raises(ValueError) as e:
        make_spawner(Spawner, pod_name_template='{usrname}').get_state()
    for field in ['username', 'servername', 'user_server', 'userid', 'legacy_escape_username', 'unescaped_username',
                  'escaped_user_server', 'safe_user_server', 'pod_name', 'pvc_name', 'namespace', 'hubnamespace']:
        assert '{%s}' % field in str(e.value)


@pytest.fixture
def nothing_checked(monkeypatch):
    monkeypatch.setattr(Templates, '_checked_config', None)


@pytest.mark.parametrize('trait, value', [
    ('pod_name_template', '{usrname}'), ('volumes', [{'name': '{usrname}'}]), ('extra_labels', {'a': '{usrname}'}),
    ('pod_connect_ip', '{usrname}')])
def test_the_first_spawner_tells_of_a_template_that_cannot_be_expanded(nothing_checked, trait, value):
    config = Config({'KubeSpawner': {trait: value}})
    with pytest.raises(ValueError) as e:
        make_spawner(Spawner, config=config)
    assert trait in str(e.value) and '{username}' in str(e.value)


def test_a_configuration_is_looked_at_once(nothing_checked, monkeypatch):
    config, expanded = Config({'KubeSpawner': {'pod_name_template': 'x-{username}'}}), []
    monkeypatch.setattr(Spawner, '_expand_trait', lambda self, trait: expanded.append(trait))
    for name in ('ann', 'bob', 'eve'):
        make_spawner(Spawner, name, config=config)
    assert expanded.count('pod_name_template') == 1


def test_what_is_not_used_is_not_looked_at(nothing_checked):
    make_spawner(Spawner, config=Config({'KubeSpawner': {'pvc_name_template': '{usrname}'}}))


def test_a_subclass_that_has_fields_of_its_own_is_asked_when_it_is_ready(nothing_checked):
    class Teams(Spawner):
        def _expand_user_properties(self, template):
            return super()._expand_user_properties(template.replace('{team}', self.team))

    spawner = make_spawner(Teams, config=Config({'KubeSpawner': {'pod_name_template': '{team}-{username}'}}))
    spawner.team = 'red'
    assert spawner.pod_name == 'red-alice'
    spawner.singleuser_extra_containers = [{'name': '{team}', 'args': ['{nobody}']}]
    assert spawner._fill_trait('singleuser_extra_containers') == [{'name': 'red', 'args': ['{nobody}']}]
