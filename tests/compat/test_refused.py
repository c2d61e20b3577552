"""What other releases do and this version does not do yet ends a start with a sentence, and is never ignored."""
import pytest
from traitlets.config import Config

from kubespawner import KubeSpawner
from kubespawner.checks import find_problems
from kubespawner.messages.errors import ConfigurationError
from tests.compat.test_names import spawner_with
from tests.fake_time import with_fake_time


@pytest.mark.parametrize('section, name', [
    ('JupyterHub', 'internal_ssl'), ('KubeSpawner', 'services_enabled'), ('Spawner', 'services_enabled')])
def test_a_hub_with_it_does_not_start(section, name):
    found, = find_problems(Config({section: {name: True}}), KubeSpawner)
    assert found.is_fatal
    assert found.sentence.startswith('%s.%s is True' % (section, name))
    assert 'not support it yet' in found.sentence and 'Remove' in found.sentence


def test_a_hub_that_has_it_off_starts():
    config = Config({'JupyterHub': {'internal_ssl': False}, 'KubeSpawner': {'services_enabled': False}})
    assert find_problems(config, KubeSpawner) == []


@pytest.mark.parametrize('name', ['JupyterHub.internal_ssl', 'KubeSpawner.services_enabled'])
@with_fake_time
def test_a_server_with_it_does_not_start_and_nothing_is_created(name):
    spawner = spawner_with({name.split('.')[1]: True})  # by a subclass, of which the hub's check knows nothing
    with pytest.raises(ConfigurationError, match='%s is True.*not support it yet' % name):
        yield spawner.start()
    assert [method for method in spawner.api.methods if method.startswith('create')] == []


@with_fake_time
def test_a_profile_with_it_is_refused_too():
    spawner = spawner_with(profile_list=[{'display_name': 'A', 'kubespawner_override': {'services_enabled': True}}])
    with pytest.raises(ConfigurationError, match='services_enabled'):
        yield spawner.start()
