"""A hub of 2021: labels for policies, security contexts, an `async` hook, limits of what the API may take."""
import os

from jupyterhub.utils import url_path_join

c = get_config()  # noqa: F821

c.JupyterHub.spawner_class = 'kubespawner.KubeSpawner'

c.KubeSpawner.namespace = os.environ.get('POD_NAMESPACE', 'default')
c.KubeSpawner.hub_connect_ip = 'hub'
c.KubeSpawner.common_labels = {'app': 'jupyterhub', 'heritage': 'jupyterhub', 'release': 'lab'}
c.KubeSpawner.component_label = 'singleuser-server'
c.KubeSpawner.image = 'jupyter/scipy-notebook:lab-3.0.14'
c.KubeSpawner.image_pull_secrets = ['registry-a', 'registry-b']
c.KubeSpawner.cmd = ['jupyterhub-singleuser']
c.KubeSpawner.args = ['--ServerApp.allow_origin=*']
c.KubeSpawner.default_url = url_path_join('/', 'lab')
c.KubeSpawner.notebook_dir = '/home/jovyan'
c.KubeSpawner.allow_privilege_escalation = False
c.KubeSpawner.container_security_context = {'capabilities': {'drop': ['ALL']}}
c.KubeSpawner.pod_security_context = {'fsGroupChangePolicy': 'OnRootMismatch'}
c.KubeSpawner.fs_gid = 100
c.KubeSpawner.gid = 100
c.KubeSpawner.supplemental_gids = [200]
c.KubeSpawner.delete_grace_period = 10
c.KubeSpawner.k8s_api_request_timeout = 10
c.KubeSpawner.k8s_api_request_retry_timeout = 60
c.KubeSpawner.k8s_api_threadpool_workers = 8
c.KubeSpawner.pod_name_template = 'jupyter-{username}--{servername}'
c.KubeSpawner.pvc_name_template = 'claim-{username}'
c.KubeSpawner.storage_pvc_ensure = True
c.KubeSpawner.storage_capacity = '1Gi'
c.KubeSpawner.storage_class = ''
c.KubeSpawner.storage_selector = {'matchLabels': {'for': 'jupyter'}}
c.KubeSpawner.storage_access_modes = ['ReadWriteMany']
c.KubeSpawner.delete_pvc = True
c.KubeSpawner.volumes = [
    {'name': 'home', 'persistentVolumeClaim': {'claimName': 'claim-{username}'}},
    {'name': 'datasets', 'csi': {'driver': 'gcs.example.org', 'readOnly': True}},
]
c.KubeSpawner.volume_mounts = [
    {'name': 'home', 'mountPath': '/home/jovyan'},
    {'name': 'datasets', 'mountPath': '/data'},
]
c.KubeSpawner.environment = {
    'GOOGLE_APPLICATION_CREDENTIALS': '/etc/key.json',
    'NODE': {'name': 'NODE', 'valueFrom': {'fieldRef': {'fieldPath': 'spec.nodeName'}}},
}
c.KubeSpawner.tolerations = [{'key': 'user', 'operator': 'Exists'}]
c.KubeSpawner.node_affinity_required = [
    {'matchExpressions': [{'key': 'cpu', 'operator': 'In', 'values': ['amd64']}]}]
c.KubeSpawner.pod_anti_affinity_preferred = [{
    'weight': 1,
    'podAffinityTerm': {'labelSelector': {'matchLabels': {'app': 'batch'}}, 'topologyKey': 'kubernetes.io/hostname'},
}]
c.KubeSpawner.extra_resource_guarantees = {'ephemeral-storage': '1Gi'}
c.KubeSpawner.extra_resource_limits = {'ephemeral-storage': '2Gi'}
c.KubeSpawner.lifecycle_hooks = {'postStart': {'exec': {'command': ['sh', '-c', 'cp -n /opt/skel/* ~ || true']}}}


async def set_priority(spawner, pod):
    pod.spec.priority_class_name = 'students' if spawner.user.name != 'teacher' else 'teachers'
    return pod


c.KubeSpawner.modify_pod_hook = set_priority
