"""Whole configurations, as operators of several kinds of hubs wrote them: what a hub creates when servers start.

Each file of configurations/ has its expected objects beside it. Their name ends in .expected.json, because JupyterHub
loads NAME.json with NAME.py. After a change of what is sent on purpose, look at what differs and write them anew:
`UPDATE_SENT=1 pytest tests/compat/test_configurations.py`.
"""
import json
import os
import uuid

import pytest
from jupyterhub import version_info

from tests.support.configuration_files import future_of, load, spawner_of, start_as_a_hub_does

HERE = os.path.join(os.path.dirname(__file__), 'configurations')

NASTY = "Zoë.O'Neil_2@uni-köln.de"
COURSES = {'groups': ['phys-101', 'stat-210', 'chess'], 'roles': 'Instructor,Learner'}

# What a configuration is warned of, by words of the warnings.
WARNED_OF = {'research_nfs': ['extra_container_config replaces all of securityContext']}  # and so people's uids

# Who starts which server, and with what, by configuration: (username, servername, arguments of `start_as_a_hub_does`).
SERVERS = {
    'campus_groups': [
        ('ann', 'phys-101', {'auth_state': COURSES}),
        ('ann', '', {'auth_state': dict(COURSES, roles='Learner')}),
        (NASTY, 'stat-210', {'auth_state': {'groups': ['stat-210']}}),
    ],
    'chart_2019': [
        ('ann', '', {'options': {'profile': 'Small'}}),
        (NASTY, '', {'form': {'profile': ['large']}}),
    ],
    'company': [('ann', 'x', {}), ('ann', '', {}), (NASTY, '', {})],
    'course_namespaces': [('ann', '', {}), ('ann', 'two', {}), (NASTY, 'Two_3', {})],
    'gpu_cloud': [
        ('ann', '', {'options': {'profile': 'a100', 'image': 'jax', 'number': 'four'}}),
        (NASTY, '', {'options': {'profile': 't4', 'image--unlisted-choice': 'example.org/own:1.2'}}),
        ('ann', '', {}),
    ],
    'names_of_2017': [('ann', '', {}), (NASTY, '', {})],
    'openshift_workshop': [('ann', '', {}), (NASTY, '', {})],
    'own_form': [
        ('ann', '', {'form': {'profile': ['python'], 'profile-option-python--resources': ['large']}}),
        (NASTY, 'r one', {'form': {
            'profile': ['r'], 'profile-option-r--resources': ['small'],
            'profile-option-r--version--unlisted-choice': ['4.2.1']}}),
    ],
    'repositories': [
        ('ann', '', {'options': {
            'image': 'registry.example/b:abc', 'token': 't0', 'repo_url': 'https://git.example/x/y',
            'request': 'r{1}'}}),
        (NASTY, '', {'form': {'image': ['registry.example/b:abc'], 'token': ['t0']}}),
    ],
    'research_nfs': [('ann', '', {}), (NASTY, '', {})],
}

NEEDED = {  # the first JupyterHub that knows all settings of its own in a file
    'campus_groups': (1, 4), 'gpu_cloud': (1, 0), 'own_form': (1, 0),
}

OF_JUPYTERHUB = ('JUPYTERHUB_', 'JPY_')  # how variables begin that differ from one JupyterHub to the next
FIXED = {  # what every JupyterHub adds, but new ones first and old ones last
    'JUPYTERHUB_API_URL', 'MEM_LIMIT', 'MEM_GUARANTEE', 'CPU_LIMIT', 'CPU_GUARANTEE',
}


@pytest.fixture
def api(monkeypatch, recording_api):
    """A RecordingApi, as the cluster to use by the first spawner of its process."""
    for variable in ('POD_NAMESPACE', 'HUB_SERVICE_HOST', 'HUB_SERVICE_PORT', 'HUB_CONNECT_IP', 'APPLICATION_NAME'):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr('uuid.uuid4', lambda: uuid.UUID(int=2018))
    return recording_api


def without_what_the_hub_adds(created, spawner):
    """Return an object without the variables and arguments that differ from one JupyterHub to the next."""
    if created['kind'] == 'Pod':
        notebook = created['spec']['containers'][0]
        fixed = [each for each in notebook['env'] if each['name'] in FIXED]
        own = [each for each in notebook['env'] if not each['name'].startswith(OF_JUPYTERHUB) and each not in fixed]
        notebook['env'] = sorted(fixed, key=lambda each: each['name']) + own
        if notebook.get('args'):
            own = spawner.cmd + spawner.args
            notebook['args'] = [each for each in notebook['args'] if each in own or '{' in each]
    return created


def stop_watching(spawner):
    for reflector in spawner.pod_reflector, spawner.event_reflector:
        if reflector is not None:
            reflector.stop()


@pytest.mark.parametrize('name', sorted(SERVERS))
@pytest.mark.gen_test
def test_a_hub_with_a_configuration_of_some_kind_creates_what_is_expected(api, caplog, name):
    if version_info[:2] < NEEDED.get(name, (0, 8)):
        pytest.skip('the file has settings that this JupyterHub does not have')
    app = load(os.path.join(HERE, name + '.py'))
    found, spawner = [], None
    for username, servername, chosen in SERVERS[name]:
        before = len(api.created)
        spawner = spawner_of(app, username, servername)
        try:
            yield start_as_a_hub_does(spawner, **chosen)
            assert (yield spawner.poll()) is None
        finally:
            stop_watching(spawner)
        found.append({'user': username, 'server': servername, 'created': [
            [path, without_what_the_hub_adds(created, spawner)] for path, created in api.created[before:]]})
    path = os.path.join(HERE, name + '.expected.json')
    if os.environ.get('UPDATE_SENT'):
        with open(path, 'w') as f:
            f.write(json.dumps(found, indent=2, sort_keys=True) + '\n')
    with open(path) as f:
        assert found == json.load(f)
    warnings = [record.getMessage() for record in caplog.records if record.levelname not in ('DEBUG', 'INFO')]
    assert len(warnings) == len(WARNED_OF.get(name, []))
    assert all(words in text for words, text in zip(WARNED_OF.get(name, []), warnings))


@pytest.mark.skipif(version_info < (0, 9), reason='this JupyterHub has no progress')
@pytest.mark.gen_test
def test_a_mixin_adds_to_each_message_of_progress(api):
    spawner = spawner_of(load(os.path.join(HERE, 'company.py')), 'ann')
    messages, events = [], spawner.progress()
    try:
        yield start_as_a_hub_does(spawner)
        while True:
            messages.append((yield future_of(events.__anext__()))['message'])
    except StopAsyncIteration:
        pass
    finally:
        stop_watching(spawner)
    assert messages[0] == 'Cost centre 4711 pays'
    assert len(messages) > 1 and all(message.startswith('[4711] ') for message in messages[1:])


def test_every_configuration_is_started():
    assert sorted(SERVERS) == sorted(file[:-len('.py')] for file in os.listdir(HERE) if file.endswith('.py'))
