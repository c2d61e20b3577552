"""A hub of 2018 and 2019: shorter names, a subclass of the operator's, tolerations and affinities, side containers."""
import os

from kubernetes.client.models import V1Toleration
from tornado import gen

from kubespawner import KubeSpawner
from kubespawner.utils import generate_hashed_slug

c = get_config()  # noqa: F821


class ProjectSpawner(KubeSpawner):
    """Each pod mounts the directory of its user's project."""

    def _expand_user_properties(self, template):
        project = generate_hashed_slug('project-' + self.user.name.split('@')[-1], limit=40)
        return super()._expand_user_properties(template.replace('{project}', project))

    def get_env(self):
        env = super().get_env()
        env['PROJECT'] = self._expand_user_properties('{project}')
        return env


c.JupyterHub.spawner_class = ProjectSpawner
c.JupyterHub.hub_connect_ip = os.environ.get('HUB_SERVICE_HOST', 'hub')
c.JupyterHub.allow_named_servers = True

c.KubeSpawner.namespace = os.environ.get('POD_NAMESPACE', 'default')
c.KubeSpawner.image_spec = 'jupyter/minimal-notebook:1386e2046833'
c.KubeSpawner.image_pull_policy = 'IfNotPresent'
c.KubeSpawner.start_timeout = 5 * 60
c.KubeSpawner.uid = 1000
c.KubeSpawner.gid = 100
c.KubeSpawner.storage_pvc_ensure = True
c.KubeSpawner.storage_class = 'standard'
c.KubeSpawner.storage_capacity = '10Gi'
c.KubeSpawner.storage_extra_labels = {'project': '{project}'}
c.KubeSpawner.volumes = [{'name': 'volume-{username}{servername}',
                          'persistentVolumeClaim': {'claimName': 'claim-{username}{servername}'}}]
c.KubeSpawner.volume_mounts = [{'name': 'volume-{username}{servername}', 'mountPath': '/home/jovyan'}]
c.KubeSpawner.extra_labels = {'hub.jupyter.org/network-access-hub': 'true'}
c.KubeSpawner.extra_annotations = {'project': '{project}'}
c.KubeSpawner.tolerations = [
    {'key': 'hub.jupyter.org/dedicated', 'operator': 'Equal', 'value': 'user', 'effect': 'NoSchedule'},
    V1Toleration(key='preemptible', operator='Exists'),
]
c.KubeSpawner.node_affinity_preferred = [{
    'weight': 100,
    'preference': {'matchExpressions': [{'key': 'hub.jupyter.org/node-purpose', 'operator': 'In', 'values': ['user']}]},
}]
c.KubeSpawner.pod_affinity_preferred = [{
    'weight': 100,
    'podAffinityTerm': {
        'labelSelector': {'matchExpressions': [{'key': 'component', 'operator': 'In', 'values': ['user-placeholder']}]},
        'topologyKey': 'kubernetes.io/hostname'},
}]
c.KubeSpawner.priority_class_name = 'jupyter-default'
c.KubeSpawner.scheduler_name = 'jupyter-user-scheduler'
c.KubeSpawner.cpu_guarantee = 0.1
c.KubeSpawner.mem_limit = c.KubeSpawner.mem_guarantee = '1G'
c.KubeSpawner.extra_resource_limits = {'nvidia.com/gpu': '1'}
c.KubeSpawner.extra_containers = [{'name': 'git', 'image': 'alpine/git', 'command': ['sleep', '1e9']}]
c.KubeSpawner.extra_pod_config = {
    'hostAliases': [{'ip': '10.0.0.9', 'hostnames': ['data']}], 'dnsPolicy': 'ClusterFirst'}
c.KubeSpawner.extra_container_config = {'env_from': [{'secretRef': {'name': 'tokens', 'optional': True}}]}
c.KubeSpawner.delete_stopped_pods = False

# The image, by what the user chose; the first hubs with profiles kept a profile by its name
c.KubeSpawner.profile_list = [
    {
        'display_name': 'Plain',
        'description': 'Just Python',
    },
    {
        'display_name': 'Training Env - Python',
        'default': True,
        'kubespawner_override': {
            'image_spec': 'training/python:label',
            'cpu_limit': 1,
            'mem_limit': '1.5G',
        },
    },
]

# Under the subclass' section, and lazily
c.ProjectSpawner.volumes.append({'name': 'project', 'hostPath': {'path': '/projects/{project}'}})
c.ProjectSpawner.volume_mounts.append({'name': 'project', 'mountPath': '/project'})
c.ProjectSpawner.singleuser_service_account = 'default'
c.ProjectSpawner.environment.update({'GRANT_SUDO': 'no'})


@gen.coroutine
def modify_pod_hook(spawner, pod):
    yield gen.moment
    pod.spec.containers[0].resources.limits['example.org/fuse'] = 1
    return pod


c.KubeSpawner.modify_pod_hook = modify_pod_hook
