"""A hub of 2024 whose form depends on who opens it: the profiles are made for each user, and some get more options."""
import copy

c = get_config()  # noqa: F821

c.JupyterHub.spawner_class = 'kubespawner.KubeSpawner'
c.JupyterHub.allow_named_servers = True

c.KubeSpawner.namespace = 'shared'
c.KubeSpawner.slug_scheme = 'safe'
c.KubeSpawner.pod_name_template = 'jupyter-{user_server}'
c.KubeSpawner.pvc_name_template = 'claim-{user_server}'
c.KubeSpawner.image = 'quay.io/example/notebook:2024-03'
c.KubeSpawner.image_pull_policy = 'IfNotPresent'
c.KubeSpawner.delete_stopped_pods = True
c.KubeSpawner.storage_pvc_ensure = True
c.KubeSpawner.storage_capacity = '10Gi'
c.KubeSpawner.storage_class = 'standard-rwo'
c.KubeSpawner.storage_access_modes = ['ReadWriteOnce']
c.KubeSpawner.volumes = {
    'home': {'name': 'home', 'persistentVolumeClaim': {'claimName': '{pvc_name}'}},
    'shared': {'name': 'shared', 'nfs': {'server': 'files.example', 'path': '/shared'}},
}
c.KubeSpawner.volume_mounts = {
    'home': {'name': 'home', 'mountPath': '/home/jovyan'},
    'shared': {'name': 'shared', 'mountPath': '/home/jovyan/shared', 'readOnly': True},
}
c.KubeSpawner.environment = {'PROFILE': 'none'}
c.KubeSpawner.extra_labels = {'example.com/user': '{username}'}
c.KubeSpawner.additional_profile_form_template_paths = []

RESOURCES = {
    'display_name': 'Resources',
    'choices': {
        'small': {
            'display_name': '2 GB', 'default': True,
            'kubespawner_override': {
                'mem_limit': '2G', 'mem_guarantee': '2G', 'node_selector': {'size': 'small'}}},
        'large': {
            'display_name': '16 GB',
            'kubespawner_override': {
                'mem_limit': '16G', 'mem_guarantee': '16G', 'node_selector': {'size': 'large'},
                'environment': {'OMP_NUM_THREADS': '8'}}},
    },
}

PROFILES = [
    {
        'display_name': 'Python',
        'slug': 'python',
        'description': 'What most people use',
        'default': True,
        'profile_options': {'resources': RESOURCES},
        'kubespawner_override': {'environment': {'PROFILE': 'python of {username}'}},
    },
    {
        'display_name': 'R',
        'slug': 'r',
        'profile_options': {
            'resources': RESOURCES,
            'version': {
                'display_name': 'Version',
                'choices': {
                    'four': {'display_name': '4.3', 'kubespawner_override': {'image': 'rocker/binder:4.3'}},
                    'three': {'display_name': '3.6', 'kubespawner_override': {'image': 'rocker/binder:3.6.3'}},
                },
                'unlisted_choice': {
                    'enabled': True,
                    'display_name': 'Own version',
                    'validation_regex': r'^\d+\.\d+(\.\d+)?$',
                    'kubespawner_override': {
                        'image': 'rocker/binder:{value}', 'extra_labels': {'example.com/r': 'v{value}'}},
                },
            },
        },
        'kubespawner_override': {
            'default_url': '/rstudio',
            'volume_mounts': {'shared': {'name': 'shared', 'mountPath': '/shared'}},
        },
    },
]


async def profiles_for(spawner):
    """Return the profiles that a user is offered."""
    offered = copy.deepcopy(PROFILES)
    if spawner.user.name != 'ann':
        del offered[0]['profile_options']['resources']['choices']['large']
    return offered


async def form_for(spawner):
    """Make the form of this user's profiles."""
    spawner.profile_list = await profiles_for(spawner)
    return spawner._options_form_default()


c.KubeSpawner.options_form = form_for
