"""A hub says when it starts what is wrong with its configuration."""
import pytest

from .conftest import Hub

SECONDS = 120  # for a hub to start and to end

WRONG = """
c.KubeSpawner.mem_limit = '2GB'
c.KubeSpawner.image_pull_policy = 'always'
c.KubeSpawner.pod_name_template = 'jupyter-{usrname}'
c.KubeSpawner.profile_list = [{'display_name': 'A', 'profile_options': {'size': {}}}]
c.Spawner.environment = {'TOKEN': 'secret-of-the-operator\\0'}
"""
MISSPELT = """
c.KubeSpawner.mem_limt = '2G'
c.Kubespawner.mem_limit = '2G'
"""


@pytest.fixture
def hub_with(tmpdir, namespace):
    """Return a function that launches a hub with some more lines of configuration."""
    hubs = []

    def launch(more):
        hub = Hub(str(tmpdir), namespace, more=more)
        hubs.append(hub)
        hub.start_proxy()
        hub.launch()
        return hub

    yield launch
    for hub in hubs:
        hub.__exit__()


def test_a_hub_does_not_start_if_no_server_could_and_names_all_reasons(hub_with):
    hub = hub_with(WRONG + MISSPELT)
    assert hub.hub.wait(SECONDS) != 0
    log = hub.logged()
    for words in ('KubeSpawner.mem_limit', 'KubeSpawner.image_pull_policy', 'KubeSpawner.pod_name_template',
                  'has no choices', 'Spawner.environment', 'Do you mean mem_limit?', 'Do you mean c.KubeSpawner?',
                  'does not start'):
        assert words in log
    assert 'secret-of-the-operator' not in log
    assert 'Traceback' not in log.split('does not start')[0]  # JupyterHub 1.0 ends with one of its own


def test_a_hub_starts_in_spite_of_misspelt_settings_and_names_them(hub_with):
    hub = hub_with(MISSPELT)
    hub.wait()
    log = hub.logged()
    assert 'Do you mean mem_limit?' in log and 'Do you mean c.KubeSpawner?' in log
