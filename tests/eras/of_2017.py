# A hub of 2017, with names from even before: what is configured stands in for what no trait did yet.
import os

c = get_config()  # noqa: F821

c.JupyterHub.spawner_class = 'kubespawner.KubeSpawner'
c.JupyterHub.ip = '0.0.0.0'
c.JupyterHub.hub_ip = '0.0.0.0'
c.JupyterHub.cleanup_servers = False

c.KubeSpawner.kube_namespace = os.environ.get('POD_NAMESPACE', 'default')
c.KubeSpawner.hub_ip_connect = os.environ.get('HUB_SERVICE_HOST', 'hub.jhub.svc.cluster.local')
c.KubeSpawner.hub_connect_port = int(os.environ.get('HUB_SERVICE_PORT', 8081))
c.KubeSpawner.kube_termination_grace = 5

c.KubeSpawner.singleuser_image_spec = 'jupyter/datascience-notebook:c7fb6660d096'
c.KubeSpawner.singleuser_image_pull_policy = 'Always'
c.KubeSpawner.singleuser_image_pull_secrets = 'registry'
c.KubeSpawner.cmd = ['start-singleuser.sh']
c.KubeSpawner.singleuser_working_dir = '/home/jovyan'
c.KubeSpawner.singleuser_service_account = 'notebooks'
c.KubeSpawner.singleuser_uid = 1000
c.KubeSpawner.singleuser_fs_gid = 100
c.KubeSpawner.singleuser_supplemental_gids = lambda spawner: [500, 600 + len(spawner.user.name)]
c.KubeSpawner.singleuser_privileged = False
c.KubeSpawner.singleuser_node_selector = {'pool': 'users'}
c.KubeSpawner.singleuser_extra_labels = {'team': 'physics', 'owner': '{username}'}
c.KubeSpawner.singleuser_lifecycle_hooks = {'preStop': {'exec': {'command': ['sync']}}}
c.KubeSpawner.singleuser_init_containers = [{
    'name': 'chown',
    'image': 'busybox:1.27',
    'command': ['chown', '1000:100', '/home/jovyan'],
    'volumeMounts': [{'name': 'home', 'mountPath': '/home/jovyan'}],
}]

c.KubeSpawner.mem_limit = '2G'
c.KubeSpawner.mem_request = '512M'
c.KubeSpawner.cpu_limit = 2
c.KubeSpawner.cpu_request = 0.25

c.KubeSpawner.pod_name_template = 'jupyter-{username}'
c.KubeSpawner.pvc_name_template = 'claim-{username}'
c.KubeSpawner.user_storage_pvc_ensure = True
c.KubeSpawner.user_storage_capacity = '5Gi'
c.KubeSpawner.user_storage_class = 'gp2'
c.KubeSpawner.user_storage_access_modes = ['ReadWriteOnce']
c.KubeSpawner.volumes = [
    {'name': 'home', 'persistentVolumeClaim': {'claimName': 'claim-{username}'}},
    {'name': 'shared', 'nfs': {'server': '10.3.0.5', 'path': '/exports/{legacy_escape_username}'}},
]
c.KubeSpawner.volume_mounts = [
    {'name': 'home', 'mountPath': '/home/jovyan'},
    {'name': 'shared', 'mountPath': '/srv/shared', 'readOnly': True},
]
c.KubeSpawner.start_timeout = 600
c.KubeSpawner.http_timeout = 60
c.KubeSpawner.environment = {'CULL': '3600', 'WHO': lambda spawner: spawner.user.name.upper()}
c.Spawner.disable_user_config = True


def modify_pod_hook(spawner, pod):
    """Give the pod to a priority of the cluster's, by an annotation, and name a variable after its pod."""
    pod.metadata.annotations['scheduler.alpha.kubernetes.io/critical-pod'] = ''
    pod.spec.containers[0].env.append({
        'name': 'POD_NAME', 'valueFrom': {'fieldRef': {'fieldPath': 'metadata.name'}}})
    return pod


c.KubeSpawner.modify_pod_hook = modify_pod_hook
