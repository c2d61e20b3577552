"""The hub of a chart of 2019: values from a file, set where they are set there, and the operator's lines at the end."""
import os

import yaml
from tornado.httpclient import AsyncHTTPClient

c = get_config()  # noqa: F821

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'chart_2019.yaml')) as f:
    VALUES = yaml.safe_load(f)


def get_config_value(key, default=None):
    value = VALUES
    for level in key.split('.'):
        if not isinstance(value, dict) or level not in value:
            return default
        value = value[level]
    return value


def set_config_if_not_none(cparent, name, key):
    """Set a trait if the values have something for it."""
    data = get_config_value(key)
    if data is not None:
        setattr(cparent, name, data)


AsyncHTTPClient.configure(None)
c.JupyterHub.spawner_class = 'kubespawner.KubeSpawner'
c.JupyterHub.hub_connect_ip = os.environ.get('HUB_SERVICE_HOST', 'hub')
c.JupyterHub.hub_ip = '0.0.0.0'
c.JupyterHub.cleanup_servers = False

c.KubeSpawner.namespace = os.environ.get('POD_NAMESPACE', 'default')
c.KubeSpawner.common_labels = get_config_value('labels')

for trait, key in (
        ('start_timeout', None), ('image_pull_policy', 'image.pullPolicy'), ('events_enabled', 'events'),
        ('extra_labels', None), ('extra_annotations', None), ('uid', None), ('fs_gid', None),
        ('service_account', 'serviceAccountName'), ('tolerations', 'extraTolerations'), ('node_selector', None),
        ('node_affinity_required', 'extraNodeAffinity.required'),
        ('node_affinity_preferred', 'extraNodeAffinity.preferred'),
        ('pod_affinity_required', 'extraPodAffinity.required'),
        ('pod_affinity_preferred', 'extraPodAffinity.preferred'),
        ('pod_anti_affinity_required', 'extraPodAntiAffinity.required'),
        ('pod_anti_affinity_preferred', 'extraPodAntiAffinity.preferred'),
        ('lifecycle_hooks', None), ('init_containers', None), ('extra_containers', None),
        ('mem_limit', 'memory.limit'), ('mem_guarantee', 'memory.guarantee'), ('cpu_limit', 'cpu.limit'),
        ('cpu_guarantee', 'cpu.guarantee'), ('extra_resource_limits', 'extraResource.limits'),
        ('extra_resource_guarantees', 'extraResource.guarantees'), ('environment', 'extraEnv'),
        ('profile_list', None), ('extra_pod_config', None), ('default_url', None), ('cmd', None), ('args', None)):
    if key is None:
        first, *others = trait.split('_')
        key = first + ''.join(word.title() for word in others)
    set_config_if_not_none(c.KubeSpawner, trait, 'singleuser.' + key)

c.KubeSpawner.image = '{name}:{tag}'.format(**get_config_value('singleuser.image'))
if get_config_value('singleuser.imagePullSecret.enabled'):
    c.KubeSpawner.image_pull_secrets = 'singleuser-image-credentials'
if get_config_value('scheduling.userScheduler.enabled'):
    c.KubeSpawner.scheduler_name = get_config_value('labels.release') + '-user-scheduler'
if get_config_value('scheduling.podPriority.enabled'):
    c.KubeSpawner.priority_class_name = get_config_value('labels.release') + '-default-priority'

storage_type = get_config_value('singleuser.storage.type')
if storage_type == 'dynamic':
    pvc_name_template = get_config_value('singleuser.storage.dynamic.pvcNameTemplate')
    volume_name_template = get_config_value('singleuser.storage.dynamic.volumeNameTemplate')
    c.KubeSpawner.pvc_name_template = pvc_name_template
    c.KubeSpawner.storage_pvc_ensure = True
    set_config_if_not_none(c.KubeSpawner, 'storage_class', 'singleuser.storage.dynamic.storageClass')
    set_config_if_not_none(c.KubeSpawner, 'storage_access_modes', 'singleuser.storage.dynamic.storageAccessModes')
    set_config_if_not_none(c.KubeSpawner, 'storage_capacity', 'singleuser.storage.capacity')
    set_config_if_not_none(c.KubeSpawner, 'storage_extra_labels', 'singleuser.storage.extraLabels')
    c.KubeSpawner.volumes = [
        {'name': volume_name_template, 'persistentVolumeClaim': {'claimName': pvc_name_template}}]
    c.KubeSpawner.volume_mounts = [
        {'mountPath': get_config_value('singleuser.storage.homeMountPath'), 'name': volume_name_template}]
c.KubeSpawner.volumes.extend(get_config_value('singleuser.storage.extraVolumes', []))
c.KubeSpawner.volume_mounts.extend(get_config_value('singleuser.storage.extraVolumeMounts', []))

if not get_config_value('singleuser.cloudMetadata.enabled', False):
    c.KubeSpawner.init_containers.extend([{
        'name': 'block-cloud-metadata',
        'image': '{name}:{tag}'.format(**get_config_value('singleuser.networkTools.image')),
        'command': ['iptables', '-A', 'OUTPUT', '-d', get_config_value('singleuser.cloudMetadata.ip'), '-j', 'DROP'],
        'securityContext': {'privileged': True, 'runAsUser': 0, 'capabilities': {'add': ['NET_ADMIN']}},
    }])

# hub.extraConfig
c.KubeSpawner.environment['LANG'] = 'de_DE.UTF-8'
c.KubeSpawner.extra_labels.update({'owner': '{username}'})
c.KubeSpawner.tolerations.append({'key': 'teaching', 'operator': 'Exists'})


def nice(spawner, pod):
    pod.spec.enable_service_links = False
    pod.spec.containers[0].resources.requests['memory'] = '600M'
    return pod


c.KubeSpawner.modify_pod_hook = nice
