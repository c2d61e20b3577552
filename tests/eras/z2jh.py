"""The configuration of a hub that a chart of today installs: settings follow the values that an operator gave it."""
import os

import yaml
from kubernetes_asyncio import client

c = get_config()  # noqa: F821

with open(os.path.join(os.path.dirname(__file__), 'values.yaml')) as f:
    VALUES = yaml.safe_load(f)


def value(path, default=None):
    """Return what the values hold at a path such as `singleuser.uid`."""
    found = VALUES
    for key in path.split('.'):
        if not isinstance(found, dict) or found.get(key) is None:
            return default
        found = found[key]
    return found


def camel_case(name):
    first, *others = name.split('_')
    return first + ''.join(word.title() for word in others)


def set_unless_none(section, trait, path):
    if value(path) is not None:
        setattr(section, trait, value(path))


c.JupyterHub.spawner_class = 'kubespawner.KubeSpawner'
c.JupyterHub.cleanup_servers = False
c.KubeSpawner.namespace = os.environ.get('POD_NAMESPACE', 'default')
c.KubeSpawner.component_label = 'singleuser-server'
c.KubeSpawner.common_labels = value('hub.labels')

for trait in [
        'start_timeout', 'http_timeout', 'cmd', 'args', 'default_url', 'working_dir', 'uid', 'gid', 'fs_gid',
        'privileged', 'allow_privilege_escalation', 'extra_labels', 'extra_annotations', 'node_selector',
        'lifecycle_hooks', 'extra_containers', 'extra_pod_config', 'pod_name_template', 'slug_scheme']:
    set_unless_none(c.KubeSpawner, trait, 'singleuser.' + camel_case(trait))

for trait, path in [
        ('service_account', 'serviceAccountName'), ('environment', 'extraEnv'), ('tolerations', 'extraTolerations'),
        ('image_pull_policy', 'image.pullPolicy'), ('image_pull_secrets', 'image.pullSecrets'),
        ('mem_limit', 'memory.limit'), ('mem_guarantee', 'memory.guarantee'), ('cpu_limit', 'cpu.limit'),
        ('cpu_guarantee', 'cpu.guarantee'), ('extra_resource_limits', 'extraResource.limits'),
        ('extra_resource_guarantees', 'extraResource.guarantees'), ('storage_extra_labels', 'storage.extraLabels')]:
    set_unless_none(c.KubeSpawner, trait, 'singleuser.' + path)

c.KubeSpawner.image = '%s:%s' % (value('singleuser.image.name'), value('singleuser.image.tag'))

# Where pods go

if value('scheduling.userScheduler.enabled'):
    c.KubeSpawner.scheduler_name = value('hub.labels.release') + '-user-scheduler'
if value('scheduling.podPriority.enabled'):
    c.KubeSpawner.priority_class_name = value('hub.labels.release') + '-default-priority'

c.KubeSpawner.tolerations = value('singleuser.extraTolerations', []) + [
    {'key': 'hub.jupyter.org%sdedicated' % separator, 'operator': 'Equal', 'value': 'user', 'effect': 'NoSchedule'}
    for separator in '/_']

for kind in ['node_affinity', 'pod_affinity', 'pod_anti_affinity']:
    for how in ['required', 'preferred']:
        set_unless_none(c.KubeSpawner, '%s_%s' % (kind, how), 'singleuser.%s.%s' % (camel_case('extra_' + kind), how))

if value('scheduling.userPods.nodeAffinity.matchNodePurpose') == 'require':
    c.KubeSpawner.node_affinity_required.append({'matchExpressions': [
        {'key': 'hub.jupyter.org/node-purpose', 'operator': 'In', 'values': ['user']}]})

# Storage: dicts of volumes and mounts, so that a later file can change one of them

storage = 'singleuser.storage.'
if value(storage + 'type') == 'dynamic':
    dynamic = storage + 'dynamic.'
    c.KubeSpawner.storage_pvc_ensure = True
    set_unless_none(c.KubeSpawner, 'storage_class', dynamic + 'storageClass')
    set_unless_none(c.KubeSpawner, 'storage_access_modes', dynamic + 'storageAccessModes')
    set_unless_none(c.KubeSpawner, 'storage_capacity', storage + 'capacity')
    set_unless_none(c.KubeSpawner, 'pvc_name_template', dynamic + 'pvcNameTemplate')
    volume = value(dynamic + 'volumeNameTemplate')
    c.KubeSpawner.volumes = {'home': {'name': volume, 'persistentVolumeClaim': {'claimName': '{pvc_name}'}}}
    c.KubeSpawner.volume_mounts = {'home': {'name': volume, 'mountPath': value(storage + 'homeMountPath')}}
c.KubeSpawner.volumes.update(value(storage + 'extraVolumes', {}))
c.KubeSpawner.volume_mounts.update(value(storage + 'extraVolumeMounts', {}))

for name, wanted in value('singleuser.extraFiles', {}).items():
    c.KubeSpawner.volumes['files'] = {
        'name': 'files', 'secret': {'secretName': 'singleuser', 'items': [{'key': name, 'path': name}]}}
    c.KubeSpawner.volume_mounts['file-' + name] = {
        'name': 'files', 'mountPath': wanted['mountPath'], 'subPath': name, 'readOnly': True}

# What runs before notebooks: a container that may close the way to the cloud's metadata, for models like any client's

c.KubeSpawner.init_containers.extend(value('singleuser.initContainers', []))
if value('singleuser.cloudMetadata.blockWithIptables'):
    c.KubeSpawner.init_containers.append(client.V1Container(
        name='block-cloud-metadata',
        image='%s:%s' % (value('singleuser.networkTools.image.name'), value('singleuser.networkTools.image.tag')),
        command=['iptables', '-A', 'OUTPUT', '-d', value('singleuser.cloudMetadata.ip'), '-j', 'DROP'],
        security_context=client.V1SecurityContext(
            privileged=True, run_as_user=0, capabilities=client.V1Capabilities(add=['NET_ADMIN'])),
    ))

# What users choose

set_unless_none(c.KubeSpawner, 'profile_list', 'singleuser.profileList')

# What an operator adds at the end of the file

c.KubeSpawner.extra_container_config.update({'stdin': True})
