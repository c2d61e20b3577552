"""The README's example of a configuration loads, and gives the pod that it describes."""
import pytest
from traitlets.config import Config

from kubespawner import KubeSpawner
from kubespawner.clients import to_dict
from tests import readme
from tests.cluster.conftest import make_spawner
from tests.loop import gen_test


@pytest.fixture
def config():
    config = Config()
    exec(readme.block('python', 'spawner_class'), {'c': config})
    return config


@pytest.fixture
def spawner(config, monkeypatch):
    monkeypatch.setattr(KubeSpawner, 'pod_reflector', None)
    return make_spawner(KubeSpawner, 'ann', 'gpu', config=config, cmd=config.KubeSpawner.cmd,
                        singleuser_image_spec=config.KubeSpawner.singleuser_image_spec)


@pytest.mark.parametrize('options, image, variables', [
    ({}, 'jupyterhub/singleuser:6.1', 0),
    ({'profile': 'large', 'tools': 'r'}, 'jupyter/r-notebook:latest', 1),
    ({'profile': 'Large', 'tools': 'R'}, 'jupyter/r-notebook:latest', 1),
    ({'profile': 'large', 'tools--unlisted-choice': 'registry.example.org/team/image:1.0'},
     'registry.example.org/team/image:1.0', 1),
])
@gen_test
def test_the_profiles_give_the_pods_that_they_describe(spawner, options, image, variables):
    config = Config()
    exec(readme.block('python', 'profile_list'), {'c': config})
    spawner.profile_list, spawner.user_options = config.KubeSpawner.profile_list, options
    yield spawner._use_profile(float('inf'), lambda: True)
    container = to_dict((yield spawner.get_pod_manifest()))['spec']['containers'][0]
    assert container['image'] == image
    assert len([each for each in container['env'] if each['name'] == 'THREADS']) == variables


def test_every_setting_of_the_example_exists(config):
    assert set(config.KubeSpawner) <= set(KubeSpawner.class_traits(config=True))


@gen_test
def test_the_example_gives_the_pod_that_it_describes(spawner, config):
    pod = to_dict(config.KubeSpawner.modify_pod_hook(spawner, (yield spawner.get_pod_manifest())))
    container = pod['spec']['containers'][0]
    assert container['image'] == 'jupyterhub/singleuser:6.1'
    assert container['args'][0] == 'jupyterhub-singleuser'
    assert container['resources'] == {
        'limits': {'cpu': '2.0', 'memory': str(2 * 2 ** 30)}, 'requests': {'cpu': '0.1', 'memory': str(512 * 2 ** 20)}}
    assert pod['spec']['volumes'][0]['persistentVolumeClaim']['claimName'] == spawner.pvc_name == 'claim-ann--gpu'
    assert pod['spec']['tolerations'] == [{'key': 'notebooks', 'operator': 'Exists'}]
    assert pod['metadata']['annotations']['example.org/course'] == 'none'
