"""A campus hub of 2022: the learning platform says by LTI which courses people take and teach.

Each course has an image, a directory on the file server and, for teachers, a place to put assignments.
"""
import os
import re

c = get_config()  # noqa: F821

COURSES = {
    'phys-101': {'image': 'registry.campus.example/phys:2022.2', 'memory': '2G'},
    'stat-210': {'image': 'registry.campus.example/stat:2022.1', 'memory': '4G'},
}
DEFAULT_IMAGE = 'registry.campus.example/base:2022.2'
TEACHING = {'Instructor', 'TeachingAssistant'}

c.JupyterHub.spawner_class = 'kubespawner.KubeSpawner'
c.JupyterHub.hub_connect_ip = 'hub'
c.JupyterHub.allow_named_servers = True
c.JupyterHub.named_server_limit_per_user = 3
c.Authenticator.enable_auth_state = True

c.KubeSpawner.namespace = os.environ.get('POD_NAMESPACE', 'campus')
c.KubeSpawner.image = DEFAULT_IMAGE
c.KubeSpawner.image_pull_policy = 'Always'
c.KubeSpawner.image_pull_secrets = ['campus-registry']
c.KubeSpawner.cmd = ['jupyterhub-singleuser']
c.KubeSpawner.allow_privilege_escalation = False
c.KubeSpawner.uid = 1000
c.KubeSpawner.fs_gid = 100
c.KubeSpawner.pod_name_template = 'jupyter-{username}--{servername}'
c.KubeSpawner.pvc_name_template = 'home-{username}'
c.KubeSpawner.storage_pvc_ensure = True
c.KubeSpawner.storage_capacity = '5Gi'
c.KubeSpawner.storage_class = 'campus-ssd'
c.KubeSpawner.storage_access_modes = ['ReadWriteMany']
c.KubeSpawner.volumes = [
    {'name': 'home', 'persistentVolumeClaim': {'claimName': 'home-{username}'}},
    {'name': 'courses', 'nfs': {'server': 'files.campus.example', 'path': '/courses'}},
]
c.KubeSpawner.volume_mounts = [{'name': 'home', 'mountPath': '/home/jovyan', 'subPath': '{servername}'}]
c.KubeSpawner.cpu_guarantee = 0.05
c.KubeSpawner.mem_guarantee = '256M'
c.KubeSpawner.mem_limit = '1G'
c.KubeSpawner.extra_labels = {'campus.example/purpose': 'teaching'}
c.KubeSpawner.environment = {'HUB_USER': '{username}', 'SERVER': lambda spawner: spawner.name or 'default'}


def roles_from_lti(spawner, auth_state):
    """Keep what the learning platform said at the last login."""
    launch = auth_state or {}
    spawner.lti_courses = [course for course in launch.get('groups', []) if course in COURSES]
    spawner.lti_teaches = bool(TEACHING & set(launch.get('roles', '').split(',')))


async def prepare_for_courses(spawner):
    """Mount the directories of somebody's courses; the server's name may be that of a course."""
    mounts = [mount for mount in spawner.volume_mounts if mount['name'] == 'home']
    for course in spawner.lti_courses:
        mounts.append({'name': 'courses', 'mountPath': '/courses/' + course, 'subPath': course + '/material',
                       'readOnly': not spawner.lti_teaches})
        if spawner.lti_teaches:
            mounts.append({'name': 'courses', 'mountPath': '/submissions/' + course, 'subPath': course + '/{username}'})
    spawner.volume_mounts = mounts
    if spawner.name in spawner.lti_courses:
        spawner.image = COURSES[spawner.name]['image']
        spawner.mem_limit = COURSES[spawner.name]['memory']
        spawner.environment['COURSE'] = re.sub('[^a-z]', '', spawner.name)
    if spawner.lti_teaches:
        spawner.extra_labels = dict(spawner.extra_labels, **{'campus.example/role': 'teacher'})
        spawner.supplemental_gids = [2000]
        spawner.cpu_guarantee = 0.5


c.Spawner.auth_state_hook = roles_from_lti
c.Spawner.pre_spawn_hook = prepare_for_courses
