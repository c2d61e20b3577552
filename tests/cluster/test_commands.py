"""`kubespawner manifest` and `kubespawner doctor` on an API: nothing is created, and refusals are the server's own."""
import json
import os
import re

import pytest
import yaml
from kubernetes import client

from kubespawner import KubeSpawner
from kubespawner.commands import arguments, configured, console
from kubespawner.commands.rehearsal import start as steps
from kubespawner.commands.rehearsal import users
from tests import documentation
from tests.support.quotas import quota
from tests.support.recording_api import RecordingApi

from .conftest import COMPANION_RIGHTS, HUB_FOR_COMMANDS, SLEEP, additional_rights

CONFIGURATION = HUB_FOR_COMMANDS + '''
c.KubeSpawner.storage_pvc_ensure = True
c.KubeSpawner.storage_capacity = '1Gi'
'''


@pytest.fixture
def run(namespace, tmp_path, monkeypatch, capsys):
    """`run(command, text, *arguments)` returns exit code and output; `text` is added to the configuration."""
    monkeypatch.setattr(KubeSpawner, 'pod_reflector', None)
    path = tmp_path / 'jupyterhub_config.py'

    def call(command, text='', *arguments):
        path.write_text(CONFIGURATION % namespace + text)
        code = console.command([command, '-f', str(path)] + list(arguments))
        return code, capsys.readouterr().out

    return call


def findings(out, level):
    return [(each['check'], each['sentence']) for each in json.loads(out)['findings'] if each['level'] == level]


def test_a_dry_run_is_taken_and_creates_nothing(run, objects):
    code, out = run('manifest', '', '--dry-run')
    assert code == 0 and 'PersistentVolumeClaim claim-ann: ' in out and 'Pod jupyter-ann: ' in out
    assert objects.pods() == [] and objects.claim('claim-ann') is None


def test_a_dry_run_tells_what_the_server_refuses(run, objects):
    hook = 'def hook(spawner, pod):\n    pod.spec.containers[0].name = "Not_Valid"\n    return pod\n' \
           'c.KubeSpawner.modify_pod_hook = hook\n'
    code, out = run('manifest', hook, '--dry-run')
    assert code == 1 and 'Pod jupyter-ann: refused: 422 Invalid: ' in out and 'Not_Valid' in out
    assert objects.pods() == []


def test_a_doctor_creates_nothing_and_finds_the_role_of_the_readme_sufficient(run, objects):
    code, out = run('doctor', '', '--json', '--autoscaler')
    assert [each for each in findings(out, 'broken') if each[0] != 'storage'] == []
    assert objects.pods() == [] and objects.claim('claim-ann') is None
    about_rights = [each['level'] for each in json.loads(out)['findings'] if each['check'] == 'rights']
    assert about_rights == ['fine']


def test_a_doctor_tells_which_right_is_missing(run, cluster):
    if not cluster.hub_kubeconfig:
        pytest.skip('needs a user with the rights of a hub: --hub-kubeconfig')
    _, out = run('doctor', 'c.KubeSpawner.namespace = "kube-public"\n', '--json')
    assert ('rights', 'The hub may not get, list, watch, create or delete pods in namespace kube-public.') in findings(
        out, 'broken')


def test_a_doctor_tells_of_a_quota_that_is_used_up(run, core, namespace):
    with quota(core, namespace, pods='0'):
        code, out = run('doctor', '', '--json')
    assert code == 1 and any('exceeded quota: quota' in sentence for _, sentence in findings(out, 'broken'))


def test_a_pod_tells_whether_it_reaches_the_hub(run, cluster, objects):
    if not cluster.is_localkube:
        pytest.skip('needs a node, and an image with Python')
    with RecordingApi() as hub:  # anything that answers
        address = 'c.KubeSpawner.hub_connect_ip = "127.0.0.1:%d"\n' % hub.server_port
        _, out = run('doctor', address, '--json', '--with-pod')
    assert ('pod', 'A pod reaches the hub at http://127.0.0.1:%d/hub/api.' % hub.server_port) in findings(out, 'fine')
    _, out = run('doctor', address, '--json', '--with-pod')
    assert any(check == 'pod' and 'does not reach the hub' in sentence for check, sentence in findings(out, 'broken'))
    assert [pod for pod in objects.pods() if not pod['metadata'].get('deletionTimestamp')] == []


# Differences to a cluster

TOKEN = '0123456789abcdef0123456789abcdef'
SLEEPS = 'c.KubeSpawner.cmd = %r\n' % SLEEP

# Each kind of thing that Kubernetes writes in another way, or adds to.
OF_MANY_KINDS = SLEEPS + """
c.KubeSpawner.cpu_limit, c.KubeSpawner.mem_limit, c.KubeSpawner.mem_guarantee = 0.5, '1G', '64M'
c.KubeSpawner.extra_resource_limits = {'ephemeral-storage': '1024Mi'}
c.KubeSpawner.tolerations = [{'key': 'hub.jupyter.org/dedicated', 'operator': 'Equal', 'value': 'user'}]
c.KubeSpawner.volumes = [{'name': 'scratch', 'emptyDir': {'sizeLimit': '2048Ki'}}]
c.KubeSpawner.volume_mounts = [{'name': 'scratch', 'mountPath': '/scratch', 'readOnly': False}]
c.KubeSpawner.environment = {'NOTHING': '', 'DB_PASSWORD': 'sesame-open', 'COLOR': 'blue',
                             'NODE': {'valueFrom': {'fieldRef': {'fieldPath': 'metadata.name'}}}}
c.KubeSpawner.lifecycle_hooks = {'postStart': {'exec': {'command': ['true']}}}
c.KubeSpawner.extra_labels = {'team': 'red'}
"""


@pytest.fixture
def start(namespace, core, node, objects, tmp_path):
    """`start(text)` starts a server of ann with this added to the configuration; it ends with the test."""
    path = tmp_path / 'hub_config.py'

    def call(text):
        path.write_text(CONFIGURATION % namespace + text)
        hub = configured.load(str(path))
        spawner = users.new_spawner(hub, arguments.Who(), hub.log)
        spawner.api_token = TOKEN
        steps.run(spawner.start)

    with steps.own_reflectors(KubeSpawner):
        yield call
    for pod in objects.pods():
        core.delete_namespaced_pod(name=pod['metadata']['name'], namespace=namespace, _preload_content=False,
                                   body=client.V1DeleteOptions(grace_period_seconds=0))


@pytest.fixture
def context(cluster):
    """The name of the context of the cluster under test."""
    with open(os.environ['KUBECONFIG']) as f:
        return yaml.safe_load(f)['current-context']


def changed(out):
    """Return the lines of unified diffs that are different."""
    return [line for line in out.splitlines() if re.match('[-+](?!--|\\+\\+)', line)]


def test_nothing_is_there_before_a_first_start(run, context, objects):
    code, out = run('manifest', '', '--diff', context, '--user', 'new')
    assert code == 1 and 'PersistentVolumeClaim claim-new' in out and out.count(', is not there\n') == 2
    assert all(line.startswith('+') for line in changed(out)) and '+  name: jupyter-new' in changed(out)
    assert objects.pods() == []


def test_a_server_that_runs_does_not_differ_from_its_configuration(run, start, context):
    start(OF_MANY_KINDS)
    assert run('manifest', OF_MANY_KINDS, '--diff', context) == (0, '')


@pytest.mark.parametrize('old, new, lines', [
    ("'COLOR': 'blue'", "'COLOR': 'green'", ['-      value: blue', '+      value: green']),
    ("'1024Mi'", "'1Gi'", []),
    ("'1024Mi'", "'2Gi'", ["-        ephemeral-storage: 1Gi", '+        ephemeral-storage: 2Gi']),
    ("{'ephemeral-storage': '1024Mi'}", '{}', ["-        ephemeral-storage: 1Gi"]),
    ("{'team': 'red'}", '{}', ['-    team: red']),
    ("'sesame-open'", "'sesame-closed'", []),
    (", 'readOnly': False", ", 'subPath': 'a'", ['+      subPath: a']),
    ("[{'key': 'hub.jupyter.org/dedicated', 'operator': 'Equal', 'value': 'user'}]", '[]', [
        '-  tolerations:', '-  - key: hub.jupyter.org/dedicated', '-    operator: Equal', '-    value: user']),
    ("{'postStart': {'exec': {'command': ['true']}}}", '{}', [
        '-    lifecycle:', '-      postStart:', '-        exec:', '-          command:', "-          - 'true'"])])
def test_a_change_is_all_that_differs_from_a_server_that_runs(run, start, context, old, new, lines):
    start(OF_MANY_KINDS)
    code, out = run('manifest', OF_MANY_KINDS.replace(old, new), '--diff', context)
    assert changed(out) == lines and code == bool(lines)
    assert TOKEN not in out and 'sesame' not in out


@pytest.mark.usefixtures('companion_rights')
def test_secret_and_service_of_a_pod_are_compared_without_their_values(run, start, context):
    text = SLEEPS + """
c.KubeSpawner.services_enabled, c.KubeSpawner.secret_environment = True, ['DB']
c.KubeSpawner.environment = {'DB': 'sesame-open', 'COPY': 'x sesame-open'}
"""
    start(text)
    assert run('manifest', text, '--diff', context) == (0, '')
    _, out = run('manifest', text.replace("'COPY'", "'OTHER'").replace("['DB']", '[]'), '--diff', context)
    assert '-  DB: PGhpZGRlbj4=' in out.splitlines()
    assert TOKEN not in out and 'sesame' not in out


@pytest.fixture
def companion_rights(cluster, core, namespace):
    with additional_rights(core, namespace, cluster.hub_kubeconfig, COMPANION_RIGHTS):
        yield


PROFILES = SLEEPS + """
c.KubeSpawner.profile_list = [
    {'display_name': name, 'kubespawner_override': {'working_dir': '/' + name%s}} for name in ('tmp', 'usr')]
"""
OF_A_PROFILE = ", 'extra_annotations': {'hub.jupyter.org/profile': name}"


def test_each_profile_is_compared_with_the_only_pod(run, start, context):
    start(PROFILES % '')
    code, out = run('manifest', PROFILES % '', '--diff', context)
    assert code == 1 and changed(out) == ['-    workingDir: /tmp', '+    workingDir: /usr']
    assert run('manifest', PROFILES % '', '--diff', context, '--profile', 'tmp') == (0, '')


def test_a_pod_that_says_its_profile_is_compared_with_that_one(run, start, context):
    start(PROFILES % OF_A_PROFILE)
    assert run('manifest', PROFILES % OF_A_PROFILE, '--diff', context) == (0, '')


def test_the_documentation_shows_the_differences_to_a_cluster(run, start, context, namespace):
    settings = documentation.block('python', "c.KubeSpawner.namespace = 'users'").replace("'users'", repr(namespace))
    settings = settings.replace("'10Gi'", "'1Gi'") + SLEEPS  # the claim of the tests before stays as it is
    start(settings)
    change = documentation.block('python', "c.KubeSpawner.node_selector = {'disk': 'ssd'}\n")
    code, out = run('manifest', settings + change, '--diff', context)
    shown = documentation.block('diff', 'nodeSelector').replace('namespace users', 'namespace ' + namespace)
    lines = [re.sub('^@@ .*', '@@', text, flags=re.MULTILINE) for text in (out, shown)]
    assert code == 1 and lines[0].strip() == lines[1].strip()
