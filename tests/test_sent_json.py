"""One large configuration sends the same bytes to the API on every `kubernetes` client: those of tests/sent/.

Whoever runs these tests with another client compares it with all that came before. After a change of what is sent
on purpose, look at what differs and write the files anew: `UPDATE_SENT=1 pytest tests/test_sent_json.py`.
"""
import json
import os
import threading
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from kubernetes import client

from kubespawner import KubeSpawner
from tests.cluster.conftest import make_spawner
from tests.support.recording_api import KUBECONFIG, JsonAnswers

SENT = os.path.join(os.path.dirname(__file__), 'sent')

# Numbers where Kubernetes wants quantities or strings, fields in both spellings, fields that no client knows, fields
# that only new clients know: what people write.
CONFIGURATION = {
    'cmd': ['start.sh', 'jupyterhub-singleuser'],
    'port': 9999,
    'singleuser_image_spec': 'jupyter/base-notebook:4',
    'singleuser_image_pull_policy': 'Always',
    'singleuser_image_pull_secrets': 'registry',
    'singleuser_working_dir': '/home/jovyan',
    'singleuser_service_account': 'notebooks',
    'singleuser_node_selector': {'gpu': 'true', 'cores': 8},
    'singleuser_extra_labels': {'course': '{username}', 'year': 2018},
    'singleuser_extra_annotations': {'quota/cpu': 4, 'on': True},
    'singleuser_uid': 1000,
    'singleuser_fs_gid': lambda spawner: 100,
    'singleuser_supplemental_gids': [100, 200],
    'singleuser_privileged': True,
    'singleuser_lifecycle_hooks': {
        'postStart': {'httpGet': {'port': 8888, 'path': '/'}, 'field_of_tomorrow': None},
        'preStop': {'sleep': {'seconds': 5}}},
    'singleuser_init_containers': [{
        'name': 'init', 'image': 'busybox', 'args': [1, 2.5, 'x'], 'restartPolicy': 'Always',
        'env': [{'name': 'NUMBER', 'value': 1}],
        'resources': {'limits': {'cpu': 1.5, 'memory': 1024, 'nvidia.com/gpu': 1}, 'claims': [{'name': 'gpu'}]}}],
    'singleuser_extra_containers': [{
        'name': 'sidecar', 'image': 'busybox', 'ports': [{'containerPort': '8080'}],
        'security_context': {'run_as_user': '0'}, 'fieldOfTomorrow': {'a_b': [1, None, {'c': 1.5}]}}],
    'singleuser_extra_container_config': {
        'envFrom': [{'configMapRef': {'name': 'settings'}}], 'startupProbe': {'tcpSocket': {'port': 'notebook-port'}},
        'resize_policy': [{'resourceName': 'cpu', 'restartPolicy': 'NotRequired'}]},
    'singleuser_extra_pod_config': {
        'resourceClaims': [{'name': 'gpu', 'resourceClaimTemplateName': 'gpu'}],
        'topologySpreadConstraints': [{'maxSkew': 1, 'topologyKey': 'zone', 'whenUnsatisfiable': 'ScheduleAnyway'}],
        'dns_policy': 'None', 'dnsConfig': {'options': [{'name': 'ndots', 'value': 2}]},
        'host_aliases': [{'ip': '127.0.0.1', 'hostnames': ['me']}], 'priority': '7'},
    'gid': 1000,
    'pod_security_context': {'fsGroupChangePolicy': 'OnRootMismatch', 'sysctls': [{'name': 'a', 'value': 1}]},
    'container_security_context': {'run_as_group': '7', 'seccompProfile': {'type': 'RuntimeDefault'}},
    'tolerations': {'b': {'key': 'b', 'tolerationSeconds': '60'}, 'a': {'key': 'a', 'fieldOfTomorrow': 1}},
    'scheduler_name': 'own', 'priority_class_name': 'low', 'automount_service_account_token': False,
    'node_affinity_preferred': [{'weight': '1', 'preference': {'matchFields': []}}],
    'node_affinity_required': [{'matchExpressions': [{'key': 'a', 'operator': 'Exists'}]}],
    'pod_affinity_required': [{'topologyKey': 'a', 'mismatchLabelKeys': ['b']}],
    'pod_anti_affinity_preferred': [{'weight': 5, 'pod_affinity_term': {'topologyKey': 'a'}}],
    'common_labels': {'heritage': 'ours', 'n': 1}, 'component_label': 'our-servers',
    'environment': {'SECRET': {'valueFrom': {'secretKeyRef': {'name': '{username}', 'key': 'k'}}}},
    'cpu_limit': 1.5, 'cpu_guarantee': 1, 'mem_limit': '2G', 'mem_guarantee': 1000,
    'extra_resource_limits': {'nvidia.com/gpu': 1}, 'extra_resource_guarantees': {'nvidia.com/gpu': '1'},
    'volumes': [
        {'name': 'home', 'persistentVolumeClaim': {'claimName': 'claim-{username}{servername}'}},
        {'name': 'memory', 'emptyDir': {'medium': 'Memory', 'sizeLimit': 1000000}},
        {'name': 'secret', 'secret': {'secretName': 's', 'defaultMode': 0o400, 'optional': 'false'}},
        {'name': 'image', 'image': {'reference': 'data:1', 'pull_policy': 'Always'}}],
    'volume_mounts': [
        {'name': 'home', 'mountPath': '/home/jovyan', 'subPath': '{username}'},
        {'name': 'image', 'mountPath': '/data', 'readOnly': True, 'recursiveReadOnly': 'Enabled'}],
    'user_storage_pvc_ensure': True, 'user_storage_capacity': '10Gi', 'user_storage_class': 'fast',
    'user_storage_access_modes': ['ReadWriteOnce', 'ReadWriteMany'], 'user_storage_extra_labels': {'of': '{userid}'},
    'storage_extra_annotations': {'of': '{username}', 'year': 2018},
    'storage_selector': {'matchLabels': {'of': '{username}', 'tier': 'fast'}, 'fieldOfTomorrow': 1},
}


def hook(spawner, pod):
    """Change a pod in the ways that were good enough for the first clients."""
    pod.metadata.labels['from'] = 'hook'
    pod.metadata.owner_references = [{'kind': 'Deployment', 'uid': 'u', 'name': 'hub', 'apiVersion': 'apps/v1'}]
    notebook = pod.spec.containers[0]
    notebook.resources.limits['example.org/licence'] = 2
    notebook.resources.requests = {'cpu': 0.5, 'memory': 1024}
    notebook.env.append({'name': 'NODE', 'valueFrom': {'fieldRef': {'fieldPath': 'spec.nodeName'}}})
    notebook.env.append(client.V1EnvVar(name='MODEL', value='1'))
    notebook.liveness_probe = {'httpGet': {'port': '8888', 'path': '/'}, 'fieldOfTomorrow': 1}
    pod.spec.affinity['nodeAffinity']['fieldOfTomorrow'] = []
    pod.spec.termination_grace_period_seconds = '30'
    pod.spec.security_context.run_as_group = '1000'
    pod.spec.volumes.append({'name': 'appended', 'hostPath': {'path': '/srv', 'type': ''}})
    return pod


class Spawner(KubeSpawner):
    """A spawner without what differs from one JupyterHub to the next."""
    pod_reflector = None

    def get_env(self):
        return dict(self.environment, JUPYTERHUB_USER=self.user.name, NUMBER=1, NONE=None)

    def get_args(self):
        return ['--port=%d' % self.port]


class Recorder(JsonAnswers, BaseHTTPRequestHandler):
    """An API server that has nothing, and refuses what it is given."""

    def do_GET(self):
        status = 200 if self.path.split('?')[0].split('/')[-1] in ('pods', 'persistentvolumeclaims') else 404
        self._answer(status, {'metadata': {'resourceVersion': '1'}, 'items': []} if status == 200 else {})

    def do_POST(self):
        kind = self.path.split('?')[0].split('/')[-1]
        self.server.received[kind] = self.rfile.read(int(self.headers['Content-Length'])).decode('utf8')
        self._answer(403 if kind == 'pods' else 201, {'reason': 'Forbidden', 'message': 'that was it'})


@pytest.fixture
def api_server(tmpdir, use_kubeconfig):
    """A Recorder, as the cluster to use; `received` maps what was created to its JSON."""
    server = HTTPServer(('127.0.0.1', 0), Recorder)
    server.received = {}
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    path = tmpdir.join('config')
    path.write(KUBECONFIG % server.server_port)
    use_kubeconfig(path)
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.gen_test
def test_a_large_configuration_sends_the_same_bytes_on_every_client(api_server, monkeypatch):
    monkeypatch.setattr('uuid.uuid4', lambda: uuid.UUID(int=2018))
    spawner = make_spawner(Spawner, 'ann@b', 'gpu', namespace='n', modify_pod_hook=hook, **CONFIGURATION)
    try:
        with pytest.raises(Exception) as e:
            yield spawner.start()
        assert 'that was it' in str(e.value)
    finally:
        Spawner.pod_reflector.stop()
    for kind in ('pods', 'persistentvolumeclaims'):
        path = os.path.join(SENT, kind + '.json')
        if os.environ.get('UPDATE_SENT'):
            with open(path, 'w') as f:
                f.write(json.dumps(json.loads(api_server.received[kind]), indent=2) + '\n')
        with open(path) as f:
            assert api_server.received[kind] == json.dumps(json.load(f))
