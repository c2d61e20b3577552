"""The hub of a research cluster, 2020: people have their uids and groups, and their homes on the file server, as on the
login nodes. Written with the names of the Python client, as we had the models open next to it.
"""
import os
import zlib

c = get_config()  # noqa: F821

c.JupyterHub.spawner_class = 'kubespawner.KubeSpawner'
c.JupyterHub.hub_connect_ip = os.environ.get('HUB_SERVICE_HOST', 'hub')

GROUPS = {'ann': [5001, 5002]}


def uid_of(spawner):
    """Return what the directory would say, for our purposes."""
    return 10000 + zlib.crc32(spawner.user.name.encode('utf8')) % 10000


def groups_of(spawner):
    """Ask the directory for somebody's groups."""
    return GROUPS.get(spawner.user.name, [5999])


c.KubeSpawner.namespace = os.environ.get('POD_NAMESPACE', 'research')
c.KubeSpawner.image = 'registry.research.example/stack:2020.4'
c.KubeSpawner.cmd = ['/usr/local/bin/as-user', 'jupyterhub-singleuser']
c.KubeSpawner.uid = uid_of
c.KubeSpawner.gid = lambda spawner: 5000
c.KubeSpawner.fs_gid = 5000
c.KubeSpawner.supplemental_gids = groups_of
c.KubeSpawner.working_dir = '/home/{username}'
c.KubeSpawner.notebook_dir = '/home/{username}'
c.KubeSpawner.storage_pvc_ensure = False
c.KubeSpawner.volumes = [
    {'name': 'nfs', 'nfs': {'server': 'nas.research.example', 'path': '/export'}},
    {'name': 'software', 'persistent_volume_claim': {'claim_name': 'software', 'read_only': True}},
    {'name': 'sssd', 'host_path': {'path': '/var/lib/sss/pipes', 'type': 'Directory'}},
    {'name': 'logs', 'empty_dir': {}},
]
c.KubeSpawner.volume_mounts = [
    {'name': 'nfs', 'mountPath': '/home/{username}', 'subPath': 'home/{username}'},
    {'name': 'nfs', 'mountPath': '/projects', 'subPath': 'projects', 'readOnly': False},
    {'name': 'software', 'mountPath': '/software', 'readOnly': True},
    {'name': 'sssd', 'mountPath': '/var/lib/sss/pipes'},
    {'name': 'logs', 'mountPath': '/var/log/jupyter'},
]
c.KubeSpawner.init_containers = [
    {
        'name': 'home',
        'image': 'registry.research.example/mkhome:3',
        'image_pull_policy': 'IfNotPresent',
        'command': ['mkhome', '{username}'],
        'env': [{'name': 'NODE', 'value_from': {'field_ref': {'field_path': 'spec.nodeName'}}}],
        'security_context': {'run_as_user': 0, 'allow_privilege_escalation': False},
        'volume_mounts': [{'name': 'nfs', 'mount_path': '/export'}],
        'termination_message_policy': 'FallbackToLogsOnError',
    },
]
c.KubeSpawner.extra_containers = [
    {
        'name': 'kerberos',
        'image': 'registry.research.example/kinit:1',
        'args': ['--renew', '--principal', '{username}@RESEARCH.EXAMPLE'],
        'resources': {'limits': {'cpu': '50m', 'memory': '32Mi'}},
        'liveness_probe': {'exec': {'command': ['klist', '-s']}, 'period_seconds': 60, 'initial_delay_seconds': 5},
        'lifecycle': {'pre_stop': {'exec': {'command': ['kdestroy']}}},
    },
    {
        'name': 'logs',
        'image': 'fluent/fluent-bit:1.4',
        'volume_mounts': [{'name': 'logs', 'mount_path': '/logs', 'read_only': True}],
    },
]
c.KubeSpawner.lifecycle_hooks = {
    'post_start': {'exec': {'command': ['/bin/sh', '-c', 'module load default']}},
    'preStop': {'exec': {'command': ['/usr/local/bin/save-session']}},
}
c.KubeSpawner.extra_container_config = {
    'security_context': {'capabilities': {'add': ['SYS_NICE']}},
    'env_from': [{'config_map_ref': {'name': 'site'}}],
    'readinessProbe': {'tcpSocket': {'port': 8888}, 'periodSeconds': 2},
    'termination_message_path': '/tmp/end',
}
c.KubeSpawner.extra_pod_config = {
    'terminationGracePeriodSeconds': 120,
    'host_aliases': [{'ip': '192.0.2.7', 'hostnames': ['nas']}],
    'dns_config': {'searches': ['research.example']},
    'share_process_namespace': True,
}
c.KubeSpawner.pod_affinity_required = [{
    'topology_key': 'topology.kubernetes.io/zone',
    'label_selector': {'match_labels': {'app': 'nas-gateway'}},
}]
c.KubeSpawner.node_affinity_required = [
    {'match_expressions': [{'key': 'node.research.example/interactive', 'operator': 'Exists'}]}]
c.KubeSpawner.tolerations = [
    {'key': 'interactive', 'operator': 'Exists', 'effect': 'NoExecute', 'toleration_seconds': 3600}]
c.KubeSpawner.environment = {'USER': lambda spawner: spawner.user.name, 'HOME': '/home/{username}'}
c.KubeSpawner.cpu_limit = 8
c.KubeSpawner.cpu_guarantee = 0.5
c.KubeSpawner.mem_limit = '32G'
