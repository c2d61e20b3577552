# Our hub on the old cluster, 2017. Physics and chemistry share it.
import os

c = get_config()  # noqa: F821

c.JupyterHub.spawner_class = 'kubespawner.KubeSpawner'
c.JupyterHub.ip = '0.0.0.0'
c.JupyterHub.hub_ip = '0.0.0.0'

c.KubeSpawner.kube_namespace = os.environ.get('POD_NAMESPACE', 'hub')
c.KubeSpawner.start_timeout = 60 * 20
c.KubeSpawner.kube_termination_grace = 3
c.KubeSpawner.hub_connect_ip = os.environ.get('HUB_CONNECT_IP', '10.3.240.12')
c.KubeSpawner.hub_connect_port = 8081
c.KubeSpawner.singleuser_image_spec = 'gcr.io/old/notebook:v7'
c.KubeSpawner.singleuser_image_pull_policy = 'Always'
c.KubeSpawner.singleuser_image_pull_secrets = 'gcr'
c.KubeSpawner.singleuser_uid = 1000
c.KubeSpawner.singleuser_fs_gid = 1000
c.KubeSpawner.singleuser_working_dir = '/home/jovyan'
c.KubeSpawner.singleuser_extra_labels = {'dept': 'physics'}
c.KubeSpawner.singleuser_node_selector = {'role': 'notebooks'}
c.KubeSpawner.singleuser_service_account = 'reader'
c.KubeSpawner.singleuser_lifecycle_hooks = {
    'postStart': {'exec': {'command': ['gitpuller', 'https://git.example/intro', 'master', 'intro']}}}
c.KubeSpawner.singleuser_init_containers = [{
    'name': 'own', 'image': 'busybox', 'command': ['sh', '-c', 'chown -R 1000:1000 /home/jovyan'],
    'volumeMounts': [{'name': 'volume-{username}', 'mountPath': '/home/jovyan'}]}]
c.KubeSpawner.mem_limit = '1G'
c.KubeSpawner.mem_guarantee = '512M'
c.KubeSpawner.cpu_guarantee = 0.2

c.KubeSpawner.pvc_name_template = 'claim-{username}'
c.KubeSpawner.user_storage_pvc_ensure = True
c.KubeSpawner.user_storage_class = 'slow'
c.KubeSpawner.user_storage_access_modes = ['ReadWriteOnce']
c.KubeSpawner.user_storage_capacity = '2Gi'
c.KubeSpawner.volumes = [
    {'name': 'volume-{username}', 'persistentVolumeClaim': {'claimName': 'claim-{username}'}},
    {'name': 'data', 'gcePersistentDisk': {'pdName': 'data', 'readOnly': True, 'fsType': 'ext4'}},
]
c.KubeSpawner.volume_mounts = [
    {'name': 'volume-{username}', 'mountPath': '/home/jovyan'},
    {'name': 'data', 'mountPath': '/data', 'readOnly': True},
]
c.KubeSpawner.environment = {'DEPARTMENT': 'physics', 'FULL_NAME': lambda spawner: spawner.user.name}
c.KubeSpawner.cmd = ['jupyterhub-singleuser']


def edit(spawner, pod):
    # Lists and dicts, because the client has no models for some of it yet
    container = pod.spec.containers[0]
    container.resources.limits['alpha.kubernetes.io/nvidia-gpu'] = 1
    container.env.append({'name': 'HOST_IP', 'valueFrom': {'fieldRef': {'fieldPath': 'status.hostIP'}}})
    container.volume_mounts.append({'name': 'docker', 'mountPath': '/var/run/docker.sock'})
    pod.spec.volumes.append({'name': 'docker', 'hostPath': {'path': '/var/run/docker.sock'}})
    pod.spec.tolerations = [{'key': 'notebooks', 'operator': 'Exists', 'effect': 'NoSchedule'}]
    pod.spec.security_context = {'fsGroup': 1000, 'runAsUser': 1000, 'supplementalGroups': [44]}
    pod.metadata.labels.update({'app': 'physics-hub', 'cost-centre': '4711'})
    pod.metadata.annotations = {'prometheus.io/scrape': 'true'}
    return pod


c.KubeSpawner.modify_pod_hook = edit
