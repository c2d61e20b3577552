"""Configuration files as operators of several years wrote them: they load without complaint and give the expected pod.

What is expected is in expected/. After a change of what is sent on purpose, look at what differs and write it anew:
`UPDATE_SENT=1 pytest tests/eras`.
"""
import importlib.util
import json
import os
import sys

import pytest

from kubespawner.kube.clients import to_dict
from tests.support.configuration_files import load, spawner_of

HERE = os.path.dirname(__file__)
STAND_IN = os.path.join(HERE, 'stand_in')

ERAS = {  # and who spawns which server
    'of_2017': ('ann@example.org', ''),
    'of_2019': ('cy@example.org', 'gpu'),
    'of_2021': ('teacher', ''),
    'z2jh': ('bea@example.org', 'gpu'),
}

CHOSEN = {  # what these users chose, as their hubs kept it
    'of_2019': {'profile': 'Training Env - Python'},
    'z2jh': {'profile': 'course', 'image': 'physics'},
}


@pytest.fixture
def hub_of(monkeypatch, caplog):
    """`hub_of(era)` returns a JupyterHub that has loaded the configuration file of an era."""
    if importlib.util.find_spec('kubernetes_asyncio') is None:
        monkeypatch.syspath_prepend(STAND_IN)
    for variable in ('POD_NAMESPACE', 'HUB_SERVICE_HOST', 'HUB_SERVICE_PORT'):
        monkeypatch.delenv(variable, raising=False)

    yield lambda era: load(os.path.join(HERE, era + '.py'))
    for name in [name for name in sys.modules if name.split('.')[0] == 'kubernetes_asyncio']:
        del sys.modules[name]


def expected(era):
    """Return the claim and the pod that are expected of an era's configuration."""
    with open(os.path.join(HERE, 'expected', era + '.json')) as f:
        return json.load(f)


def without_what_the_hub_adds(pod, spawner):
    """Return a pod without the variables and arguments that differ from one JupyterHub to the next."""
    notebook = pod['spec']['containers'][0]
    notebook['env'] = sorted(
        [variable for variable in notebook['env'] if variable['name'] in EXPECTED_VARIABLES | set(spawner.environment)],
        key=lambda variable: variable['name'])
    if notebook.get('args'):
        notebook['args'] = notebook['args'][:len(spawner.cmd)]
    return pod


EXPECTED_VARIABLES = {'JUPYTERHUB_API_URL', 'MEM_LIMIT', 'MEM_GUARANTEE', 'CPU_LIMIT', 'CPU_GUARANTEE', 'POD_NAME',
                      'PROJECT', 'JUPYTER_IMAGE', 'JUPYTER_IMAGE_SPEC'}


@pytest.mark.parametrize('era', sorted(ERAS))
@pytest.mark.gen_test
def test_a_configuration_of_some_year_is_understood_and_gives_the_expected_pod(hub_of, caplog, era):
    app = hub_of(era)
    for _ in range(2):  # the second server gets what the first got
        spawner = spawner_of(app, *ERAS[era])
        spawner.user_options = CHOSEN.get(era, {})
        yield spawner._use_profile(float('inf'), lambda: True)
        manifest = yield spawner.get_pod_manifest()
        pod = to_dict((yield spawner._run_hook(manifest)))
        claim = to_dict(spawner.get_pvc_manifest())
        found = [claim, without_what_the_hub_adds(pod, spawner)]
        if os.environ.get('UPDATE_SENT'):
            with open(os.path.join(HERE, 'expected', era + '.json'), 'w') as f:
                f.write(json.dumps(found, indent=2, sort_keys=True) + '\n')
        assert json.loads(json.dumps(found)) == expected(era)
    assert [record.getMessage() for record in caplog.records if record.levelname not in ('DEBUG', 'INFO')] == []
