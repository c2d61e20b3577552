"""What is wrong with a configuration is found without a hub, all of it at once."""
import pathlib

import pytest
import traitlets
from traitlets import TraitError, Unicode
from traitlets.config import Config

from kubespawner import KubeSpawner, hub_start
from kubespawner.checks import find_problems
from kubespawner.configuration.aliases import NAMES


class Subclass(KubeSpawner):
    greeting = Unicode(config=True)


def problems(spawner_class=KubeSpawner, section='KubeSpawner', **settings):
    return find_problems(Config({section: settings}), spawner_class)


ITSELF = {}
ITSELF['again'] = ITSELF

WRONG = [
    ('mem_limit', '2GB', '512M or 1.5G'),
    ('mem_limit', -1, 'negative'),
    ('cpu_limit', 'two', 'cpu_limit'),
    ('cpu_guarantee', -0.5, 'negative'),
    ('singleuser_image_pull_policy', 'always', 'Always'),
    ('singleuser_image_spec', '', 'empty'),
    ('singleuser_service_account', 'no_account', 'a-z'),
    ('singleuser_uid', -1, 'negative'),
    ('singleuser_fs_gid', -1, 'negative'),
    ('singleuser_supplemental_gids', [100, -1], 'negative'),
    ('singleuser_extra_labels', {'a b': 'c'}, "'a b'"),
    ('singleuser_extra_labels', {'a': 'b c'}, "'b c'"),
    ('singleuser_extra_labels', {'/a': 'b'}, "'/a'"),
    ('singleuser_extra_annotations', {'': 'b'}, "''"),
    ('singleuser_node_selector', {'zone': 'a/b'}, "'a/b'"),
    ('common_labels', {'x' * 64: ''}, '63'),
    ('singleuser_lifecycle_hooks', 'run this', 'singleuser_lifecycle_hooks'),
    ('tolerations', [{'operator': 'Is'}], 'Exists'),
    ('tolerations', [{'effect': 'no'}], 'NoSchedule'),
    ('node_affinity_preferred', [{'preference': {}}], 'weight'),
    ('node_affinity_required', [{'match': []}], 'matchExpressions'),
    ('pod_affinity_preferred', [{'weight': 1}], 'podAffinityTerm'),
    ('pod_anti_affinity_required', [{'labelSelector': {}}], 'topologyKey'),
    ('environment', {'A=B': ''}, "'A=B'"),
    ('environment', {'1A': '', 'Ä': ''}, "'Ä'"),
    ('environment', {'A': 'a\0'}, 'NUL'),
    ('environment', {'A': '\ud800'}, 'NUL'),
    ('volumes', [ITSELF], 'contain itself'),
    ('namespace', '', 'empty'),
    ('namespace', 'My Hub', 'namespace'),
    ('ip', 'not an ip', 'IP address'),
    ('hub_connect_ip', 'http://hub', 'without a scheme'),
    ('hub_connect_ip', 'a b', 'IP address'),
    ('hub_connect_ip', 'hub/', 'IP address'),
    ('start_timeout', 0, 'more than 0'),
    ('start_timeout', -5, 'more than 0'),
    ('pod_connect_ip', 'bad host/..', "' '"),
    ('pod_name_template', '', 'empty'),
    ('priority_class_name', 'High!', 'a-z'),
    ('port', 70000, 'port'),
    ('pod_name_template', '{usrname}', 'usrname'),
    ('pod_name_template', 'x-{pod_name}', 'pod_name'),
    ('pod_connect_ip', '{', 'cannot expand'),
    ('volumes', [{'name': 'v', 'hostPath': {'path': '/srv/{user.name}'}}], 'user.name'),
    ('volumes', [{'emptyDir': {}}], 'without name'),
    ('volumes', ['x'], "volumes[0] is not a dict, but of the type str"),
    ('volumes', [{'name': 'v', 'emptyDir': {}, 'empty_dir': {'medium': 'Memory'}}], "[0] has both"),
    ('singleuser_init_containers', {'name': 'x', 'image': 'y'}, "['image'] is not a dict, but of the type str"),
    ('singleuser_extra_container_config', {'foo': 1}, "config: 'foo' is not a field of a Kubernetes Container"),
    ('singleuser_extra_pod_config', {'nodes': 1}, "config: 'nodes' is not a field of a Kubernetes PodSpec"),
    ('k8s_api_host', 'x', 'URL'),
    ('volume_mounts', [{'name': 'v'}], 'mountPath'),
    ('singleuser_extra_annotations', {'a': '{0}'}, 'cannot expand'),
    ('singleuser_uid', 2 ** 31, 'more than'),
    ('singleuser_image_spec', 'my image', 'blanks'),
    ('pod_affinity_preferred', [{'weight': 101, 'podAffinityTerm': {}}], '101'),
    ('extra_resource_limits', {'nvidia.com/gpu': '-1'}, 'nvidia.com/gpu'),
    ('extra_resource_guarantees', {'nvidia.com/gpu': 'two'}, 'nvidia.com/gpu'),
    ('profile_list', [{'slug': 'a--b'}], "must not contain '--'"),
    ('profile_list', [{'display_name': 'a', 'profile_options': {'x': {}}}], 'no choices'),
    ('profile_list', [{'display_name': 'a', 'kubespawner_override': ITSELF}], 'contain itself'),
    ('slug_scheme', 'short', 'slug_scheme'),
]


@pytest.mark.parametrize('trait, value, words', WRONG)
def test_a_wrong_value_is_named_as_it_is_written_and_fatal_under_each_name(trait, value, words):
    for name in [trait] + NAMES.get(trait, []):
        found, = problems(**{name: value})
        assert found.setting == 'KubeSpawner.' + name
        assert found.sentence.startswith('KubeSpawner.%s' % name)
        assert words in found.sentence and '\n' not in found.sentence
        assert found.is_fatal


OF_CLAIMS = [
    ('pvc_name_template', '', 'empty'),
    ('user_storage_capacity', '10 Gi', '10Gi'),
    ('user_storage_capacity', 'much', '10Gi'),
    ('user_storage_access_modes', ['ReadWrite'], 'ReadWriteMany'),
    ('user_storage_class', 'Fast Disk', 'storage class'),
]


@pytest.mark.parametrize('switch, trait, value, words', [
    ('storage_pvc_ensure', 'storage_extra_annotations', {'': 'b'}, "''"),
    ('enable_user_namespaces', 'user_namespace_template', '', 'empty'),
] + [('user_storage_pvc_ensure',) + case for case in OF_CLAIMS])
def test_a_wrong_value_is_fatal_only_if_something_is_made_of_it(switch, trait, value, words):
    for is_used in (True, False):
        capacity = {'user_storage_capacity': '1Gi'} if is_used and 'storage' in switch else {}
        found, = problems(**dict(capacity, **{trait: value, switch: is_used}))
        assert words in found.sentence and found.is_fatal == is_used


@pytest.mark.parametrize('trait, value, words', [
    ('singleuser_lifecycle_hooks', {'onStart': {}}, 'postStart'),
    ('environment', {'1A': ''}, "'1A'"),
    ('environment', {'A/B': ''}, "'A/B'"),
    ('profile_form_template', '{% if %}', 'Jinja2'),
    ('singleuser_image_pull_secrets', 'My Secret', 'a-z'),
    ('scheduler_name', 'myScheduler', 'a-z'),
    ('hub_connect_ip', 'hub:9000', 'hub_connect_port'),
])
def test_what_servers_can_start_with_is_told_and_not_fatal(trait, value, words):
    found, = problems(**{trait: value})
    assert words in found.sentence and not found.is_fatal


@pytest.mark.parametrize('spawner_class, more', [
    (Subclass, {}),
    (KubeSpawner, {'modify_pod_hook': lambda spawner, pod: pod}),
    (KubeSpawner, {'pre_spawn_hook': lambda spawner: None}),
    (KubeSpawner, {'profile_list': [{'display_name': 'a', 'kubespawner_override': {'image': 'a'}}]}),
])
def test_a_wrong_value_that_may_be_replaced_at_a_start_is_not_fatal(spawner_class, more):
    found = problems(spawner_class, image='', cpu_guarantee=2, cpu_limit=1, **more)
    assert [(problem.setting, problem.is_fatal) for problem in found] == [
        ('KubeSpawner.image', False), ('KubeSpawner.cpu_guarantee', False)]


@pytest.mark.parametrize('section', ['Spawner', 'KubeSpawner', 'Subclass'])
def test_each_section_of_the_class_counts(section):
    found, = problems(Subclass, section, mem_limit='2GB')
    assert found.sentence.startswith(section + '.mem_limit')


@pytest.mark.parametrize('trait, value', [
    ('mem_limit', '1.5G'),
    ('mem_limit', None),
    ('cpu_limit', 2),
    ('hub_connect_ip', 'hub.namespace.svc'),
    ('hub_connect_ip', '10.0.0.1'),
    ('hub_connect_ip', '[fd00::1]'),
    ('hub_connect_ip', ''),
    ('user_storage_class', ''),
    ('singleuser_image_pull_secrets', ['one', 'two']),
    ('singleuser_service_account', 'sa-{username}'),
    ('singleuser_uid', lambda spawner: -1),
    ('singleuser_uid', 0),
    ('singleuser_extra_labels', {'example.org/team': 'team {username}', 'empty': ''}),
    ('singleuser_extra_annotations', {'note': 'any text: ü'}),
    ('singleuser_lifecycle_hooks', {'post_start': {}, 'preStop': {}}),
    ('tolerations', [{'key': 'a', 'operator': 'Exists', 'effect': 'NoSchedule'}, {}]),
    ('tolerations', {'10-a': {'key': 'a'}}),
    ('node_affinity_required', [{'match_expressions': []}]),
    ('pod_affinity_required', [{'topology_key': 'zone'}]),
    ('environment', {'A': 1, 'B': None, 'C': lambda spawner: '', 'D': {'valueFrom': {}}, 'with.dot': ''}),
    ('environment', {'A': pathlib.Path('/a'), 'B': b'b', 'C': ['c'], 'D': ('d',)}),
    ('singleuser_image_pull_secrets', ''),
    ('singleuser_image_pull_policy', ''),
    ('singleuser_service_account', ''),
    ('scheduler_name', ''),
    ('priority_class_name', ''),
    ('singleuser_extra_annotations', {'Example.org/Note': ''}),
    ('tolerations', [{'key': 'a', 'operator': None}, {'key': 'a', 'operator': ''}]),
    ('tolerations', [{'key': 'a', 'operator': 'Gt', 'value': '3'}]),
    ('ip', '::'),
    ('ip', ''),
    ('ip', 'localhost'),
    ('pod_connect_ip', '{pod_name}.svc.example.org'),
    ('profile_form_template', '{{ note }}'),
    ('environment', {'A': pathlib.PurePath('/srv'), 'B': ['a'], 'C': True}),
    ('pod_name_template', 'jupyter-{username}-{userid}-{hubnamespace}{servername}'),
    ('pvc_name_template', '{not_used_without_claims}'),
    ('volumes', [{'name': 'home', 'persistentVolumeClaim': {'claimName': '{pvc_name}'}}]),
    ('volumes', {'10': {'name': 'tmp', 'emptyDir': {}}}),
    ('volume_mounts', [{'name': 'v', 'mount_path': '/x/{{literal}}'}]),
    ('extra_resource_limits', {'nvidia.com/gpu': 1, 'memory': '1Gi', 'other': None}),
    ('profile_list', [{'display_name': 'a', 'kubespawner_override': {'mem_limit': '2G', 'image': None, 'own': 1}}]),
    ('profile_list', lambda spawner: [{'slug': 'a--b'}]),
    ('profile_list', []),
])
def test_a_value_that_may_be_right_is_no_problem(trait, value):
    assert problems(**{trait: value}) == []


def takes_a_string_for_a_list():
    class HasList(traitlets.HasTraits):
        strings = traitlets.List()

    try:
        return HasList(strings='one').strings == ['one']
    except traitlets.TraitError:
        return False


@pytest.mark.skipif(not takes_a_string_for_a_list(), reason='this traitlets takes no string for a list')
@pytest.mark.parametrize('trait', ['args', 'env_keep'])
def test_one_string_may_stand_for_a_list_of_it(trait):
    assert problems(**{trait: 'one'}) == []


def test_all_problems_are_found_at_once():
    found = problems(mem_limit='2GB', singleuser_image_pull_policy='always', namespace='')
    assert {problem.setting for problem in found} == {
        'KubeSpawner.mem_limit', 'KubeSpawner.singleuser_image_pull_policy', 'KubeSpawner.namespace'}


def test_values_of_the_environment_are_never_repeated():
    found, = problems(environment={'TOKEN': 'secret-token\0'})
    assert 'secret-token' not in found.sentence


@pytest.mark.parametrize('guarantee, limit', [('cpu_guarantee', 'cpu_limit'), ('cpu_request', 'cpu_limit')])
def test_a_guarantee_above_its_limit_is_fatal(guarantee, limit):
    found, = problems(**{guarantee: 2, limit: 1})
    assert guarantee in found.sentence and limit in found.sentence and found.is_fatal


def test_a_limit_of_zero_is_none():
    assert problems(cpu_limit=0, cpu_guarantee=1, mem_limit=0, mem_guarantee='1G') == []


def test_units_of_memory_are_compared():
    assert problems(mem_guarantee='512M', mem_limit='1G') == []
    assert [problem.setting for problem in problems(mem_guarantee='2G', mem_limit='512M')] == [
        'KubeSpawner.mem_guarantee']


def test_guarantees_of_other_resources_above_their_limits_are_fatal():
    found, = problems(extra_resource_guarantees={'nvidia.com/gpu': 2, 'a.org/b': 1},
                      extra_resource_limits={'nvidia.com/gpu': '1', 'a.org/b': 1})
    assert found.sentence == ('KubeSpawner.extra_resource_guarantees is more than KubeSpawner.extra_resource_limits '
                              'of nvidia.com/gpu.') and found.is_fatal


def test_templates_of_claims_count_if_claims_are_made():
    found, = problems(pvc_name_template='{usrname}', user_storage_pvc_ensure=True, user_storage_capacity='1Gi')
    assert found.setting == 'KubeSpawner.pvc_name_template' and found.is_fatal


@pytest.mark.parametrize('capacity', [{}, {'storage_capacity': None}])
@pytest.mark.parametrize('name', ['user_storage_pvc_ensure', 'storage_pvc_ensure'])
def test_claims_without_a_size_are_fatal(name, capacity):
    found, = problems(**dict({name: True}, **capacity))
    assert found.setting == 'KubeSpawner.' + name and 'storage_capacity' in found.sentence and found.is_fatal


@pytest.mark.parametrize('capacity', ['10Gi', '1e9'])
def test_a_size_of_claims_may_have_any_unit(capacity):
    assert problems(user_storage_capacity=capacity, user_storage_pvc_ensure=True) == []


@pytest.mark.parametrize('more, is_told', [
    ({}, True),
    ({'user_storage_pvc_ensure': True}, False),
    ({'profile_list': lambda spawner: []}, False),
])
def test_a_setting_without_the_one_that_it_needs_is_told_and_not_fatal(more, is_told):
    found = problems(user_storage_capacity='10Gi', **more)
    assert [(each.setting, each.is_fatal) for each in found] == [('KubeSpawner.user_storage_capacity', False)] * is_told
    assert all('KubeSpawner.storage_pvc_ensure is off' in each.sentence for each in found)


@pytest.mark.parametrize('spawner_class, settings', [
    (KubeSpawner, {'user_storage_pvc_ensure': False}),
    (KubeSpawner, {'profile_list': lambda spawner: []}),
    (Subclass, {}),
])
def test_claims_whose_size_may_come_from_elsewhere_are_no_problem(spawner_class, settings):
    assert problems(spawner_class, **dict({'user_storage_pvc_ensure': True}, **settings)) == []


def test_templates_of_namespaces_count_if_users_have_their_own():
    for is_used in (True, False):
        found, = problems(user_namespace_template='{usrname}', enable_user_namespaces=is_used)
        assert (found.setting, found.is_fatal) == ('KubeSpawner.user_namespace_template', is_used)
        assert ('has no effect' in found.sentence) != is_used


@pytest.mark.parametrize('settings, of', [
    ({'pod_name_template': 'a-{pod_name}'}, ['pod_name_template']),
    ({'pod_name_template': '{pvc_name}', 'pvc_name_template': '{pod_name}'}, ['pod_name_template']),
    ({'pod_name_template': '{namespace}', 'user_namespace_template': '{pvc_name}', 'pvc_name_template': '{pod_name}',
      'enable_user_namespaces': True}, ['pod_name_template', 'user_namespace_template']),
])
def test_templates_that_need_each_other_in_a_circle_are_fatal(settings, of):
    found = problems(**settings)
    assert [(each.setting, each.is_fatal) for each in found] == [('KubeSpawner.' + trait, True) for trait in of]
    assert all('the result of this template' in each.sentence for each in found)


@pytest.mark.parametrize('settings', [
    {'pod_name_template': '{namespace}', 'user_namespace_template': '{username}', 'enable_user_namespaces': True},
    {'pod_name_template': 'a-{pvc_name}', 'volumes': [{'name': '{pod_name}-{pvc_name}', 'emptyDir': {}}]},
    {'dns_name_template': '{name}.{pod_name}.{namespace}.svc', 'pod_name_template': 'a-{username}'},
])
def test_templates_that_need_each_other_without_a_circle_are_no_problem(settings):
    assert problems(**settings) == []


def test_a_template_that_is_wrong_is_named_but_not_those_that_need_it():
    found, = problems(pod_name_template='{usrname}', volumes=[{'name': '{pod_name}', 'emptyDir': {}}])
    assert found.setting == 'KubeSpawner.pod_name_template'


@pytest.mark.parametrize('name, value', [('mem_limit', '2GB'), ('image_pull_policy', 'always'), ('uid', -1)])
def test_a_wrong_value_in_a_profile_is_told_but_keeps_no_hub_from_starting(name, value):
    choices = {'m': {'kubespawner_override': {name: value}}}
    found, = problems(profile_list=[{'display_name': 'A', 'default': True}, {
        'display_name': 'B', 'profile_options': {'size': {'choices': choices}}}])
    assert found.sentence.startswith("KubeSpawner.profile_list: profile 'B': option 'size': choice 'm': " + name)
    assert not found.is_fatal


class WithFieldsOfItsOwn(KubeSpawner):
    def _expand_user_properties(self, template, slug_scheme=None):
        return template.format(course='x')


def test_fields_of_a_subclass_and_lists_from_a_command_line_are_no_problem():
    assert problems(WithFieldsOfItsOwn, pod_name_template='{course}') == []
    try:
        from traitlets.config.loader import DeferredConfigString
    except ImportError:  # before traitlets 5
        return
    assert problems(volumes=DeferredConfigString("[{'name': 'v', 'emptyDir': {}}]")) == []


def test_a_spawner_that_cannot_be_made_tells_the_operator_why_and_users_a_plain_sentence(caplog):
    with pytest.raises(TraitError, match='mem_limit') as e:
        KubeSpawner(mem_limit='2GB', _mock=True)
    assert 'No server can be started' in caplog.text and 'mem_limit' in caplog.text
    assert e.value.status_code == 500 and 'mem_limit' not in e.value.jupyterhub_message


@pytest.mark.parametrize('written, meant', [('mem_limt', 'mem_limit'), ('imagepull_policy', 'image_pull_policy')])
def test_a_misspelt_setting_is_told_with_the_one_that_may_be_meant_and_is_not_fatal(written, meant):
    found, = problems(**{written: None})
    assert 'no setting of KubeSpawner' in found.sentence and 'Do you mean %s?' % meant in found.sentence
    assert not found.is_fatal


@pytest.mark.parametrize('section, meant', [('Kubespawner', 'KubeSpawner'), ('KubeSpwaner', 'KubeSpawner'),
                                            ('SubClass', 'Subclass')])
def test_the_section_of_a_class_that_does_not_exist_is_told(section, meant):
    found, = find_problems(Config({section: {'namespace': 'hubs'}}), Subclass)
    assert 'c.%s?' % meant in found.sentence and not found.is_fatal


def test_sections_of_other_programs_and_classes_are_left_alone():
    config = Config({'JupyterHub': {'port': 1}, 'PodReflector': {'x': 1}, 'Mine': {'y': 1}})
    assert find_problems(config, Subclass) == []


def test_what_is_appended_to_a_setting_is_left_for_the_start_to_judge():
    config = Config()
    config.KubeSpawner.volumes.append({'name': 'v'})
    assert find_problems(config, KubeSpawner) == []


def test_what_a_property_of_a_subclass_takes_is_left_for_the_start_to_judge():
    class Computing(KubeSpawner):
        image = property(lambda self: self.images[0], lambda self, value: setattr(self, 'images', value))

    assert problems(Computing, image=['one', 'two']) == []


@pytest.fixture
def kubeconfig(tmp_path, monkeypatch):
    """A kubeconfig that is there. What is in it does not matter."""
    monkeypatch.delenv('KUBERNETES_SERVICE_HOST', raising=False)
    monkeypatch.setenv('KUBECONFIG', str(tmp_path / 'kubeconfig'))
    (tmp_path / 'kubeconfig').write_text('')
    return tmp_path / 'kubeconfig'


class Application:
    """As much of a hub as the check sees."""

    def __init__(self, spawner_class, **settings):
        self.spawner_class, self.config, self.log = spawner_class, Config(KubeSpawner=settings), self
        self.logged, self.exit_codes = [], []
        self.exit = self.exit_codes.append

    def critical(self, text, *args):
        self.logged.append(text % args)

    error = exception = critical


def test_a_hub_ends_with_all_sentences_if_no_server_could_start():
    app = Application(KubeSpawner, mem_limit='2GB', namespace='')
    hub_start.check(app)
    assert app.exit_codes == [1]
    assert [word for word in ('mem_limit', 'namespace', 'does not start') if word not in ' '.join(app.logged)] == []


def test_a_hub_goes_on_if_a_setting_is_misspelt(kubeconfig):
    app = Application(KubeSpawner, mem_limt='2G')
    hub_start.check(app)
    assert app.exit_codes == [] and len(app.logged) == 1


def test_a_hub_goes_on_without_a_configuration_of_kubernetes_and_says_what_is_missing(kubeconfig):
    for is_there in (True, False):
        app = Application(KubeSpawner, mem_limit='2G')
        hub_start.check(app)
        assert app.exit_codes == []
        assert [str(kubeconfig) in line for line in app.logged] == [True] * (not is_there)
        if is_there:
            kubeconfig.unlink()


def test_a_hub_goes_on_if_its_configuration_cannot_be_checked(monkeypatch):
    monkeypatch.setattr(hub_start, 'find_problems', lambda *args: 1 / 0)
    app = Application(KubeSpawner, mem_limit='2GB')
    hub_start.check(app)
    assert app.exit_codes == [] and app.logged == ['The configuration could not be checked.']


def test_the_spawners_of_others_are_not_looked_at():
    app = Application(dict, mem_limit='2GB')
    hub_start.check(app)
    assert app.exit_codes == [] and app.logged == []


def test_a_class_whose_methods_are_of_a_configuration_file_is_checked():
    space = {'KubeSpawner': KubeSpawner}
    exec('''
class Mine(KubeSpawner):
    def _expand_user_properties(self, template):
        return template
    def load_user_options(self):
        pass
''', space)
    config = Config()
    config.KubeSpawner.mem_limit, config.KubeSpawner.profile_list = 'x', [{'slug': 1}]
    assert [problem.setting for problem in find_problems(config, space['Mine'])] == [
        'KubeSpawner.mem_limit', 'KubeSpawner.profile_list']
