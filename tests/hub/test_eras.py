"""A real hub with the configuration files of several years: it starts without complaint and makes the expected pods."""
import importlib.util
import json
import os

import pytest

from kubespawner.commands.demo import configuration
from tests.eras import test_configurations as eras

from .conftest import ANYONE, Hub, until

# The hub's own part comes last: it listens where the tests find it.
CONFIG = "load_subconfig({!r})\n{}c.JupyterHub.tornado_settings = {{'slow_spawn_timeout': 0}}\n"


class HubOfAnEra(Hub):
    """A hub that is configured by a file of tests/eras."""

    def __init__(self, directory, namespace, era):
        super().__init__(directory, namespace)
        of_the_hub = (ANYONE + configuration.CONFIG).split('c.JupyterHub.spawner_class')[0].format(**vars(self))
        with open(self.config, 'w') as f:
            f.write(CONFIG.format(os.path.join(eras.HERE, era + '.py'), of_the_hub))
        self.env.update(POD_NAMESPACE=namespace, HUB_SERVICE_HOST='127.0.0.1')
        if importlib.util.find_spec('kubernetes_asyncio') is None:
            self.env['PYTHONPATH'] = os.pathsep.join(filter(None, [eras.STAND_IN, self.env.get('PYTHONPATH')]))


def differences(expected, found, path=''):
    """Yield the places of what is not in `found`, which may have further keys in its dicts, and items in its lists."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in expected:
            yield from differences(expected[key], found.get(key), path + '.' + key)
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) <= len(found):
        for number, item in enumerate(expected):
            yield from differences(item, found[number], '%s[%d]' % (path, number))
    elif expected != found:
        yield '%s: %r, not %r' % (path, found, expected)


@pytest.mark.parametrize('era', sorted(eras.ERAS))
def test_a_hub_understands_a_configuration_of_some_year_and_makes_its_pod(cluster, core, namespace, tmpdir, era):
    if not cluster.is_localkube:
        pytest.skip('the cluster would need the priority classes, storage classes and accounts of each of them')

    def pods():
        response = core.list_namespaced_pod(namespace=namespace, _preload_content=False)
        return {pod['metadata']['name']: pod for pod in json.loads(response.data.decode('utf8'))['items']}

    claim, pod = eras.expected(era)
    for varying in ('env', 'args', 'resources'):  # with the hub, and as numbers that Kubernetes writes in its own way
        pod['spec']['containers'][0].pop(varying, None)
    username, servername = eras.ERAS[era]
    account = pod['spec'].get('serviceAccountName', 'default')
    if account != 'default':
        core.create_namespaced_service_account(namespace=namespace, body={'metadata': {'name': account}})
    with HubOfAnEra(str(tmpdir), namespace, era) as hub:
        hub.user(username).begin(servername, **eras.CHOSEN.get(era, {}))
        until(lambda: pod['metadata']['name'] in pods(), 60, 'the pod')
        made = pods()[pod['metadata']['name']]
        for part in ('metadata', 'spec'):
            assert list(differences(pod[part], made[part])) == []
        assert core.read_namespaced_persistent_volume_claim(name=claim['metadata']['name'], namespace=namespace)
        assert 'not recognized' not in hub.logged()
