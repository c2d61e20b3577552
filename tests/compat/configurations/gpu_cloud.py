"""A GPU cloud of 2023: what people choose decides over the kind of node, the image and the priority."""
import os

c = get_config()  # noqa: F821

c.JupyterHub.spawner_class = 'kubespawner.KubeSpawner'
c.JupyterHub.hub_connect_url = 'http://hub.gpu.svc.cluster.local:8081'

c.KubeSpawner.namespace = os.environ.get('POD_NAMESPACE', 'gpu')
c.KubeSpawner.image = 'registry.example/cpu:2023-05'
c.KubeSpawner.default_url = '/lab'
c.KubeSpawner.cmd = 'jupyterhub-singleuser'
c.KubeSpawner.node_selector = {'node.example/pool': 'cpu'}
c.KubeSpawner.priority_class_name = 'interactive'
c.KubeSpawner.scheduler_name = 'bin-packing'
c.KubeSpawner.cpu_limit = 4
c.KubeSpawner.cpu_guarantee = 1
c.KubeSpawner.mem_limit = '8G'
c.KubeSpawner.mem_guarantee = '4G'
c.KubeSpawner.tolerations = [
    {'key': 'hub.jupyter.org/dedicated', 'operator': 'Equal', 'value': 'user', 'effect': 'NoSchedule'}]
c.KubeSpawner.extra_resource_limits = {'ephemeral-storage': '20Gi'}
c.KubeSpawner.extra_annotations = {'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false'}
c.KubeSpawner.volumes = [
    {'name': 'shm', 'emptyDir': {'medium': 'Memory', 'sizeLimit': '16Gi'}},
    {'name': 'scratch', 'ephemeral': {'volumeClaimTemplate': {'spec': {
        'accessModes': ['ReadWriteOnce'], 'storageClassName': 'local',
        'resources': {'requests': {'storage': '50Gi'}}}}}},
]
c.KubeSpawner.volume_mounts = [
    {'name': 'shm', 'mountPath': '/dev/shm'}, {'name': 'scratch', 'mountPath': '/scratch'}]
c.KubeSpawner.environment = {'NVIDIA_DRIVER_CAPABILITIES': 'compute,utility'}

GPU_TOLERATION = {'key': 'nvidia.com/gpu', 'operator': 'Exists', 'effect': 'NoSchedule'}


def gpus(number, kind, **more):
    """Return what a server with so many GPUs of a kind has in place of a plain one."""
    override = {
        'image': 'registry.example/cuda:12.1',
        'node_selector': {'node.example/pool': 'gpu', 'node.example/gpu': kind},
        'tolerations': c.KubeSpawner.tolerations + [GPU_TOLERATION],
        'extra_resource_limits': {'nvidia.com/gpu': str(number)},
        'extra_resource_guarantees': {'nvidia.com/gpu': str(number)},
        'mem_limit': '%dG' % (60 * number),
        'mem_guarantee': '%dG' % (50 * number),
        'cpu_limit': None,
        'priority_class_name': 'gpu',
    }
    override.update(more)
    return override


IMAGES = {
    'display_name': 'Software',
    'choices': {
        'torch': {
            'display_name': 'PyTorch', 'default': True,
            'kubespawner_override': {'image': 'registry.example/torch:2.0'}},
        'jax': {
            'display_name': 'JAX',
            'kubespawner_override': {
                'image': 'registry.example/jax:0.4', 'environment': {'XLA_PYTHON_CLIENT_PREALLOCATE': 'false'}}},
    },
    'unlisted_choice': {
        'enabled': True,
        'display_name': 'Another image',
        'display_name_in_choices': 'Another one, by its name',
        'validation_regex': r'^[a-z0-9./-]+:[\w.-]+$',
        'validation_message': 'The name of an image with its tag',
        'kubespawner_override': {'image': '{value}', 'image_pull_policy': 'Always'},
    },
}

c.KubeSpawner.profile_list = [
    {'display_name': 'CPU', 'slug': 'cpu', 'default': True},
    {
        'display_name': 'One small GPU', 'slug': 't4', 'description': '16 GB of GPU memory',
        'profile_options': {'image': IMAGES},
        'kubespawner_override': gpus(1, 't4'),
    },
    {
        'display_name': 'Large GPUs', 'slug': 'a100',
        'profile_options': {
            'image': IMAGES,
            'number': {
                'display_name': 'How many',
                'choices': {
                    'one': {'display_name': '1', 'default': True, 'kubespawner_override': gpus(1, 'a100')},
                    'four': {'display_name': '4', 'kubespawner_override': gpus(
                        4, 'a100', priority_class_name='gpu-preemptible',
                        extra_pod_config={'activeDeadlineSeconds': 86400})},
                },
            },
        },
    },
]
