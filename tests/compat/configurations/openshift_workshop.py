"""A workshop on OpenShift in 2021: the project decides over uids, and images come from a stream."""
import os
import string

from kubespawner import KubeSpawner

c = get_config()  # noqa: F821

APPLICATION = os.environ.get('APPLICATION_NAME', 'workshop')


class WorkshopSpawner(KubeSpawner):
    """Resolves the image stream when a server starts, and tells the terminal of the workshop who it is for."""

    streams = {'python': 'image-registry.openshift-image-registry.svc:5000/workshop/python@sha256:' + '0' * 64}

    def get_env(self):
        env = super().get_env()
        env['WORKSHOP_USER'] = self.user.name
        env['PROJECT_NAMESPACE'] = self.namespace
        env['RESTART_URL'] = self.hub.base_url + 'spawn'
        return env

    def start(self):
        self.image = self.streams.get(self.image, self.image)
        if self.user.name == 'ann':  # who gives it
            self.service_account = APPLICATION + '-presenter'
        return super().start()


c.JupyterHub.spawner_class = WorkshopSpawner
c.JupyterHub.hub_ip = '0.0.0.0'
c.JupyterHub.cleanup_servers = False

c.KubeSpawner.hub_connect_ip = APPLICATION
c.KubeSpawner.hub_connect_port = 8080
c.KubeSpawner.namespace = os.environ.get('POD_NAMESPACE', 'workshop')
c.KubeSpawner.port = 8080
c.KubeSpawner.cmd = ['/opt/app-root/bin/start-singleuser.sh']
c.KubeSpawner.image = 'python'
c.KubeSpawner.image_pull_policy = 'IfNotPresent'
c.KubeSpawner.pod_name_template = '%s-user-{username}' % APPLICATION
c.KubeSpawner.common_labels = {'app': APPLICATION}
c.KubeSpawner.extra_labels = {'spawner': 'workshop', 'class': 'session', 'user': '{username}'}
c.KubeSpawner.service_account = APPLICATION + '-user'
c.KubeSpawner.automount_service_account_token = True
c.KubeSpawner.uid = None  # OpenShift chooses one for the project
c.KubeSpawner.gid = None
c.KubeSpawner.fs_gid = None
c.KubeSpawner.supplemental_gids = [1000650000]
c.KubeSpawner.allow_privilege_escalation = False
c.KubeSpawner.container_security_context = {
    'capabilities': {'drop': ['KILL', 'MKNOD', 'SETUID', 'SETGID']}, 'runAsNonRoot': True}
c.KubeSpawner.pod_security_context = {'seLinuxOptions': {'level': 's0:c25,c20'}}
c.KubeSpawner.mem_limit = '512M'
c.KubeSpawner.mem_guarantee = c.KubeSpawner.mem_limit
c.KubeSpawner.working_dir = '/opt/app-root/src'
c.KubeSpawner.init_containers = [{
    'name': 'setup-volume',
    'image': 'python',
    'command': ['setup-volume.sh', '/opt/app-root/src', '/mnt/workspaces/{username}'],
    'resources': {'limits': {'memory': '256Mi'}, 'requests': {'memory': '256Mi'}},
    'volumeMounts': [{'name': 'data', 'mountPath': '/mnt'}],
}]
c.KubeSpawner.storage_pvc_ensure = True
c.KubeSpawner.storage_capacity = '1Gi'
c.KubeSpawner.storage_access_modes = ['ReadWriteOnce']
c.KubeSpawner.storage_extra_labels = {'app': APPLICATION, 'user': '{username}'}
c.KubeSpawner.pvc_name_template = '%s-user-{username}' % APPLICATION
c.KubeSpawner.volumes = [{'name': 'data', 'persistentVolumeClaim': {'claimName': '%s-user-{username}' % APPLICATION}}]
c.KubeSpawner.volume_mounts = [{'name': 'data', 'mountPath': '/opt/app-root/src', 'subPath': 'workspaces/{username}'}]
c.KubeSpawner.environment = {
    'JUPYTER_ENABLE_LAB': 'true',
    'ALPHABET': string.ascii_lowercase,
    'MOUNT': '/opt/{username}/$(WORKSHOP_USER)',
}
c.Spawner.args = ['--NotebookApp.allow_origin=*']
