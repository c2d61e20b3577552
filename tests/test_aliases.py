"""Settings under the names of other years: in every section, by every means, with the newer name first."""
import logging
import socket

import pytest
from jupyterhub import orm
from jupyterhub.objects import Hub
from traitlets import HasTraits, TraitError
from traitlets.config import Config

from kubespawner import KubeSpawner
from kubespawner.configuration import aliases
from kubespawner.configuration.aliases import sections
from tests.cluster.conftest import User

# A value for each trait that has other names, different from its default.
VALUES = {
    'singleuser_working_dir': '/work', 'singleuser_service_account': 'a', 'singleuser_extra_labels': {'a': 'b'},
    'singleuser_extra_annotations': {'a': 'b'}, 'singleuser_image_pull_policy': 'Never',
    'singleuser_image_pull_secrets': 'secret', 'singleuser_node_selector': {'a': 'b'},
    'singleuser_fs_gid': 6, 'singleuser_supplemental_gids': [7], 'singleuser_privileged': True,
    'singleuser_lifecycle_hooks': {'preStop': {}}, 'singleuser_init_containers': [{'name': 'x'}],
    'singleuser_extra_container_config': {'tty': True}, 'singleuser_extra_pod_config': {'hostname': 'x'},
    'singleuser_extra_containers': [{'name': 'y'}], 'singleuser_image_spec': 'some/image:1',
    'k8s_api_host': 'https://10.0.0.1:6443', 'k8s_api_ssl_ca_cert': __file__, 'slow_spawn_message_threshold': 30,
    'user_storage_class': 'fast', 'user_storage_capacity': '5Gi', 'user_storage_pvc_ensure': True,
    'user_storage_extra_labels': {'c': 'd'}, 'user_storage_access_modes': ['ReadWriteMany'], 'namespace': 'elsewhere',
    'hub_connect_ip': 'hub', 'cpu_guarantee': 0.5, 'mem_guarantee': 1024, 'delete_grace_period': 3,
    'allow_privilege_escalation': True,
}
PAIRS = sorted((name, trait) for trait, names in aliases.NAMES.items() for name in names)


def make_spawner(cls, **arguments):
    return cls(user=User('alice'), hub=Hub(base_url='/hub/'), orm_spawner=orm.Spawner(name=''), **arguments)


class Sub(KubeSpawner):
    pod_reflector = None


def configured(cls=KubeSpawner, **sections):
    return make_spawner(cls, config=Config(sections))


@pytest.fixture(autouse=True)
def own_reflector(monkeypatch):
    monkeypatch.setattr(KubeSpawner, 'pod_reflector', None)


def test_every_trait_with_other_names_is_one_that_can_be_configured():
    assert set(aliases.NAMES) == set(VALUES) and set(VALUES) <= set(KubeSpawner.class_traits(config=True))


@pytest.mark.parametrize('metadata', [
    {'config': True}, {'config': None}, {'config': lambda value: value is None}, {'config': True, 'no_such_key': None},
    {'config': True, 'no_such_key': 'x'}, {'config': lambda value: True, 'help': lambda text: 'pods' in (text or '')},
], ids=['a value', 'none', 'a function', 'a key that is not there', 'a value that is not there', 'two functions'])
def test_traits_are_found_by_their_metadata_as_traitlets_finds_them(metadata):
    spawner = make_spawner(KubeSpawner)
    assert dict(spawner.traits(**metadata)) == HasTraits.traits(spawner, **metadata)


@pytest.mark.parametrize('name, trait', PAIRS)
@pytest.mark.parametrize('section', ['KubeSpawner', 'Sub'])
def test_a_name_in_a_section_sets_the_trait_without_complaint(name, trait, section, caplog):
    spawner = configured(Sub, **{section: {name: VALUES[trait]}})
    assert getattr(spawner, trait) == VALUES[trait] == getattr(spawner, name)
    assert caplog.text == ''


@pytest.mark.parametrize('name, trait', PAIRS)
def test_a_name_is_an_attribute_and_a_keyword(name, trait):
    spawner = make_spawner(KubeSpawner)
    setattr(spawner, name, VALUES[trait])
    assert getattr(spawner, trait) == VALUES[trait] == getattr(spawner, name)
    assert getattr(make_spawner(KubeSpawner, **{name: VALUES[trait]}), trait) == VALUES[trait]


@pytest.mark.parametrize('names', [names for _, names in sorted(aliases.NAMES.items())], ids=lambda names: names[0])
def test_of_two_names_the_newer_counts_and_one_line_says_so(names, caplog, monkeypatch):
    monkeypatch.setattr(sections, '_warned', set())
    trait = aliases.canonical_name(names[0])
    section = Config({names[-1]: getattr(make_spawner(KubeSpawner), trait), names[0]: VALUES[trait]})
    for _ in range(3):
        assert getattr(configured(KubeSpawner=section), trait) == VALUES[trait]
    record, = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert names[0] in record.getMessage() and names[-1] in record.getMessage()


def test_a_subclass_section_counts_more_than_a_newer_name_in_that_of_its_parent():
    assert configured(Sub, KubeSpawner={'image': 'a'}, Sub={'singleuser_image_spec': 'b'}).image == 'b'


def test_what_is_appended_under_one_name_is_added_to_what_another_name_sets():
    config = Config()
    config.KubeSpawner.init_containers.append({'name': 'b'})
    assert make_spawner(KubeSpawner, config=config).singleuser_init_containers == [{'name': 'b'}]
    config.KubeSpawner.singleuser_init_containers = [{'name': 'a'}]
    for _ in range(2):  # it is added once for each spawner
        spawner = make_spawner(KubeSpawner, config=config)
        assert spawner.singleuser_init_containers == [{'name': 'a'}, {'name': 'b'}]
    config.KubeSpawner.extra_labels.update({'x': 'y'})
    assert make_spawner(KubeSpawner, config=config).extra_labels == {'x': 'y'}


@pytest.mark.parametrize('of_the_hub, own, url', [
    ({'connect_ip': 'a'}, {}, 'http://a:8081/hub/api'),
    ({'connect_ip': 'a', 'connect_port': 9}, {}, 'http://a:9/hub/api'),
    ({'connect_ip': 'a', 'connect_port': 9}, {'hub_connect_ip': 'b'}, 'http://b:9/hub/api'),
    ({'connect_ip': 'a', 'connect_port': 9}, {'hub_connect_port': 5}, 'http://a:5/hub/api'),
    ({'connect_url': 'https://a:9/hub/'}, {}, 'https://a:9/hub/api'),
    ({'connect_url': 'https://a/hub/'}, {'hub_connect_ip': 'b'}, 'https://b:443/hub/api'),
    ({'connect_url': 'https://a:9/hub/'}, {'hub_ip_connect': 'b', 'hub_connect_port': 5}, 'https://b:5/hub/api'),
])
def test_where_pods_reach_the_hub_is_what_the_spawner_says_before_what_the_hub_says(of_the_hub, own, url):
    hub = Hub(base_url='/hub/', port=8081)
    for trait, value in of_the_hub.items():  # as JupyterHub.hub_connect_ip and the like are passed on
        if not hub.has_trait(trait):
            pytest.skip('this JupyterHub has no such setting')
        setattr(hub, trait, value)
    spawner = configured(KubeSpawner=own)
    spawner.hub = hub
    assert spawner.accessible_hub_api_url == url


def test_the_hubs_host_is_looked_up_again_only_after_its_settings_have_changed(monkeypatch):
    looked_up = []
    monkeypatch.setattr(socket, 'gethostname', lambda: looked_up.append('hub-1') or 'hub-1')
    hub, spawners = Hub(base_url='/hub/', ip='', port=8081), [configured() for _ in range(3)]
    for spawner in spawners:
        spawner.hub = hub
    assert {spawner.accessible_hub_api_url for spawner in spawners} == {'http://hub-1:8081/hub/api'}
    once = len(looked_up)
    assert {spawner.accessible_hub_api_url for spawner in spawners} == {'http://hub-1:8081/hub/api'}
    assert len(looked_up) == once
    hub.ip = '10.0.0.1'
    assert spawners[0].accessible_hub_api_url == 'http://10.0.0.1:8081/hub/api'


def test_what_is_appended_for_a_class_and_its_parent_is_added_once_and_to_its_own_only():
    config = Config()
    config.KubeSpawner.init_containers.append({'name': 'a'})
    config.Sub.singleuser_init_containers.append({'name': 'b'})
    for _ in range(30):  # what doubles is noticed
        assert make_spawner(Sub, config=config).init_containers == [{'name': 'a'}, {'name': 'b'}]
        assert make_spawner(KubeSpawner, config=config).init_containers == [{'name': 'a'}]


@pytest.mark.parametrize('trait, given, added, together', [
    ('volumes', None, {'b': {}}, {'b': {}}),
    ('volumes', None, [{'c': 1}], [{'c': 1}]),
    ('volumes', [{'x': 0}], {'b': {'x': 1}, 'a': {'x': 2}}, [{'x': 0}, {'x': 2}, {'x': 1}]),
    ('volumes', {'z': {'x': 0}, 'a': {'x': 1}}, [{'x': 2}], [{'x': 1}, {'x': 0}, {'x': 2}]),
    ('volumes', {'z': {}, 'a': {}}, {'a': {'x': 3}}, {'z': {}, 'a': {'x': 3}}),
    ('image_pull_secrets', None, ['a', {'name': 'b'}], ['a', {'name': 'b'}]),
    ('supplemental_gids', None, [5], [5]),
    ('environment', {'A': '1'}, {'B': '2'}, {'A': '1', 'B': '2'}),
])
def test_dicts_are_updated_and_lists_appended_to_whichever_there_is(trait, given, added, together):
    config = Config()
    if given is not None:
        setattr(config.KubeSpawner, trait, given)
    getattr(config.Sub[trait], 'update' if isinstance(added, dict) else 'extend')(added)
    assert getattr(make_spawner(Sub, config=config), trait) == together


def test_what_can_be_added_to_neither_is_refused_by_name():
    config = Config()
    config.KubeSpawner.extra_labels.append('x')
    with pytest.raises(TraitError, match='singleuser_extra_labels'):
        make_spawner(KubeSpawner, config=config)


def test_the_help_shows_each_trait_once_with_its_other_names():
    text = KubeSpawner.class_get_help()
    for trait, names in aliases.NAMES.items():
        assert text.count('KubeSpawner.%s=' % trait) == 1
        for name in set(names) - {trait}:
            assert 'KubeSpawner.%s=' % name not in text
    assert 'Other names: image, image_spec.' in text
