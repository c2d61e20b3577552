"""`kubespawner manifest` and `kubespawner doctor` on an API: nothing is created, and refusals are the server's own."""
import json

import pytest
from kubernetes import client

from kubespawner import KubeSpawner
from kubespawner.commands import console
from tests.support.recording_api import RecordingApi

CONFIGURATION = '''
c.JupyterHub.spawner_class = 'kubespawner.KubeSpawner'
c.JupyterHub.hub_ip = '0.0.0.0'
c.KubeSpawner.hub_connect_ip = '192.0.2.1'
c.KubeSpawner.namespace = %r
c.KubeSpawner.image = 'busybox'
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


def test_a_doctor_creates_nothing_and_finds_the_role_of_the_readme_sufficient(request, run, cluster, objects):
    code, out = run('doctor', '', '--json', '--autoscaler')
    assert [each for each in findings(out, 'broken') if each[0] != 'storage'] == []
    assert objects.pods() == [] and objects.claim('claim-ann') is None
    about_rights = [each['level'] for each in json.loads(out)['findings'] if each['check'] == 'rights']
    assert about_rights == (['unknown'] if cluster.is_localkube else ['fine'])


def test_a_doctor_tells_which_right_is_missing(request, run, cluster):
    if not request.config.getoption('--hub-kubeconfig'):
        pytest.skip('needs a user with the rights of a hub: --hub-kubeconfig')
    _, out = run('doctor', 'c.KubeSpawner.namespace = "kube-public"\n', '--json')
    assert ('rights', 'The hub may not get, list, watch, create or delete pods in namespace kube-public.') in findings(
        out, 'broken')


def test_a_doctor_tells_of_a_quota_that_is_used_up(run, core, namespace, cluster):
    if cluster.is_localkube:
        pytest.skip('localkube has no quotas')
    core.create_namespaced_resource_quota(namespace, client.V1ResourceQuota(
        metadata=client.V1ObjectMeta(name='none'), spec=client.V1ResourceQuotaSpec(hard={'pods': '0'})),
        _preload_content=False)
    try:
        code, out = run('doctor', '', '--json')
    finally:
        core.delete_namespaced_resource_quota('none', namespace, _preload_content=False)
    assert code == 1 and any('exceeded quota: none' in sentence for _, sentence in findings(out, 'broken'))


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
