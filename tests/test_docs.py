"""README.rst and docs/: examples do what they say, links lead somewhere, and no difference is left out."""
import ast
import json
import os
import re

import pytest
import yaml
from jupyterhub.spawner import Spawner
from traitlets.config import Config

from kubespawner import KubeSpawner, __version__
from kubespawner.kube.clients import to_dict
from tests import documentation
from tests.cluster.conftest import make_spawner
from tests.documentation import settings_reference

PROSE = documentation.PAGES + [
    os.path.join(documentation.ROOT, name) for name in ('CHANGELOG.rst', 'CONTRIBUTING.rst', 'tests/README.rst')]

with open(os.path.join(documentation.DOCS, 'other-spawners.json'), encoding='utf8') as f:
    OTHER_SPAWNERS = json.load(f)


def configuration(*examples):
    """Return the Config that examples of jupyterhub_config.py make together."""
    config = Config()
    for example in examples:
        exec(example, {'c': config})
    return config


EXAMPLES = [(page, text) for page, text in documentation.blocks('python') if re.search(r'^c\.', text, re.MULTILINE)]
IDS = ['%s-%d' % (page, number) for number, (page, _) in enumerate(EXAMPLES)]
README_CONFIGURATION = next(text for page, text in EXAMPLES if page == 'README.rst')
GUIDE = [text for page, text in EXAMPLES if page == 'configuration.rst']


@pytest.fixture
def spawner(monkeypatch):
    """`spawner(config)` returns a spawner of the named server `gpu` of user `ann`."""
    monkeypatch.setattr(KubeSpawner, 'pod_reflector', None)
    given = 'cmd', 'image'

    def new(config):
        section = config.KubeSpawner
        return make_spawner(KubeSpawner, 'ann', 'gpu', config=config,
                            **{name: section[name] for name in given if name in section})

    return new


@pytest.mark.parametrize('page, text', EXAMPLES, ids=IDS)
def test_every_setting_of_an_example_exists(page, text):
    config = configuration(text)
    for name in config.KubeSpawner:
        assert name in KubeSpawner.class_trait_names(config=True) or hasattr(KubeSpawner, name)


@pytest.mark.parametrize('page, text', EXAMPLES, ids=IDS)
@pytest.mark.gen_test
def test_every_example_makes_a_pod(spawner, page, text):
    pod = to_dict((yield spawner(configuration(text)).get_pod_manifest()))
    assert pod['spec']['containers'][0]['name'] == 'notebook'


@pytest.mark.gen_test
def test_the_example_gives_the_pod_that_it_describes(spawner):
    config = configuration(README_CONFIGURATION)
    new = spawner(config)
    pod = to_dict((yield new.get_pod_manifest()))
    container = pod['spec']['containers'][0]
    assert container['image'] == 'jupyterhub/singleuser:6.1'
    assert container['args'][0] == 'jupyterhub-singleuser'
    assert container['volumeMounts'][0] == {'name': 'home', 'mountPath': '/home/jovyan'}
    assert pod['spec']['volumes'][0]['persistentVolumeClaim']['claimName'] == new.pvc_name == 'claim-ann--gpu'
    claim = to_dict(new.get_pvc_manifest())
    assert claim['spec']['resources']['requests'] == {'storage': '10Gi'}


@pytest.mark.gen_test
def test_the_guide_gives_the_pod_that_it_describes(spawner):
    config = configuration(*GUIDE[:-2])
    pod = to_dict(config.KubeSpawner.modify_pod_hook(spawner(config), (yield spawner(config).get_pod_manifest())))
    container = pod['spec']['containers'][0]
    assert container['resources'] == {
        'limits': {'cpu': 2, 'memory': 2 * 2 ** 30}, 'requests': {'cpu': 0.1, 'memory': 512 * 2 ** 20}}
    env = {variable['name']: variable for variable in container['env']}
    assert env['DATA_KEY']['valueFrom']['secretKeyRef']['key'] == 'ann'
    assert env['COURSE']['value'] == 'physics'
    assert container['securityContext']['capabilities'] == {'drop': ['ALL']}
    assert container['securityContext']['runAsUser'] == 1000
    assert pod['spec']['securityContext'] == {'fsGroup': 100}
    assert pod['spec']['nodeSelector'] == {'pool': 'notebooks'}
    assert pod['spec']['tolerations'] == [{'key': 'notebooks', 'operator': 'Exists'}]
    assert pod['spec']['hostAliases'] == [{'ip': '10.0.0.1', 'hostnames': ['data']}]
    assert pod['metadata']['annotations']['example.org/course'] == 'none'


@pytest.mark.parametrize('options, image, variables', [
    ({}, 'jupyterhub/singleuser:6.1', 0),
    ({'profile': 'large', 'tools': 'r'}, 'quay.io/jupyter/r-notebook:latest', 1),
    ({'profile': 'Large', 'tools': 'R'}, 'quay.io/jupyter/r-notebook:latest', 1),
    ({'profile': 'large', 'tools--unlisted-choice': 'registry.example.org/team/image:1.0'},
     'registry.example.org/team/image:1.0', 1),
])
@pytest.mark.gen_test
def test_the_profiles_give_the_pods_that_they_describe(spawner, options, image, variables):
    new = spawner(configuration(README_CONFIGURATION))
    profiles = configuration(documentation.block('python', 'c.KubeSpawner.profile_list'))
    new.profile_list, new.user_options = profiles.KubeSpawner.profile_list, options
    yield new._use_profile(float('inf'), lambda: True)
    container = to_dict((yield new.get_pod_manifest()))['spec']['containers'][0]
    assert container['image'] == image
    assert len([each for each in container['env'] if each['name'] == 'THREADS']) == variables


@pytest.mark.parametrize('page, text', documentation.blocks('python'))
def test_every_python_example_can_be_parsed(page, text):
    ast.parse(text)


@pytest.mark.parametrize('page, text', documentation.blocks('yaml'))
def test_every_yaml_example_can_be_parsed(page, text):
    assert isinstance(yaml.safe_load(text), dict)


@pytest.mark.parametrize('page', PROSE, ids=lambda page: os.path.relpath(page, documentation.ROOT))
def test_links_and_images_lead_to_files(page):
    text = documentation.text_of(page)
    targets = re.findall(r'<([^<>\s]+)>`_', text) + re.findall(r'\.\. (?:image|include):: (\S+)', text)
    for target in targets:
        if not re.match('[a-z]+:', target):
            assert os.path.exists(os.path.join(os.path.dirname(page), target)), target


def test_the_readme_needs_nothing_of_sphinx():
    core = pytest.importorskip('docutils.core')
    problems = []
    core.publish_doctree(documentation.text_of(documentation.PAGES[0]), settings_overrides={
        'report_level': 2, 'halt_level': 6, 'warning_stream': type('Stream', (), {
            'write': lambda self, problem: problems.append(problem)})()})
    assert problems == []


def test_the_changelog_begins_with_this_version():
    changelog = documentation.text_of(os.path.join(documentation.ROOT, 'CHANGELOG.rst'))
    version = re.search(r'^(\d\S*)\n-+$', changelog, re.MULTILINE).group(1)
    assert version == __version__


# What differs from other spawners: docs/other-spawners.json has the settings and defaults of their versions.

COMPARISON = documentation.text_of(os.path.join(documentation.DOCS, 'coming-from-another-spawner.rst'))


@pytest.mark.parametrize('name', sorted(OTHER_SPAWNERS))
def test_a_setting_of_other_spawners_is_here_or_the_comparison_says_that_it_is_not(name):
    assert hasattr(KubeSpawner, name) or '``%s``' % name in COMPARISON


@pytest.mark.parametrize('name', sorted(OTHER_SPAWNERS))
def test_a_default_that_differs_from_other_spawners_is_in_the_comparison(name):
    if not hasattr(KubeSpawner, name) or name in settings_reference.COMPUTED_DEFAULTS:
        return
    default = getattr(settings_reference.SpawnerWithoutHub(), name)
    default = repr(int(default) if isinstance(default, float) and default % 1 == 0 else default)
    names = settings_reference.names_of(settings_reference.trait_of(name))
    if set(OTHER_SPAWNERS[name].values()) != {default}:
        assert ':setting:`%s`' % names[0] in COMPARISON, (default, OTHER_SPAWNERS[name])


def test_a_setting_that_other_spawners_do_not_have_is_in_the_comparison():
    inherited = set(Spawner.class_trait_names(config=True))
    for trait in KubeSpawner.class_own_traits(config=True):
        names = settings_reference.names_of(trait)
        if not set(names) & (set(OTHER_SPAWNERS) | inherited):
            assert ':setting:`%s`' % names[0] in COMPARISON, names
