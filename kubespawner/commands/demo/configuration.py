"""The configuration of the demo's hub, and of the hubs in the tests. Pure, but for random numbers and the user's id."""
import os
import secrets

# A hub on one machine with a proxy of its own, which the tests of real hubs use, too. It lets nobody log in yet.
CONFIG = """
c.JupyterHub.ip = '127.0.0.1'
c.JupyterHub.port = {port}
c.JupyterHub.hub_ip = {hub_ip!r}
c.JupyterHub.hub_port = {hub_port}
c.JupyterHub.db_url = 'sqlite:///{directory}/hub.sqlite'
c.JupyterHub.cookie_secret_file = '{directory}/cookie_secret'
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = 'http://127.0.0.1:{api_port}'
c.JupyterHub.allow_named_servers = True

c.JupyterHub.spawner_class = {spawner_class!r}
c.KubeSpawner.namespace = {namespace!r}
c.KubeSpawner.cmd = ['jupyterhub-singleuser']
c.KubeSpawner.args = {args!r}
c.KubeSpawner.user_storage_pvc_ensure = True
c.KubeSpawner.user_storage_capacity = '1Gi'
c.KubeSpawner.volumes = [
    {{'name': 'home', 'persistentVolumeClaim': {{'claimName': 'claim-{{username}}{{servername}}'}}}}]
c.KubeSpawner.volume_mounts = [{{'name': 'home', 'mountPath': '/home/jovyan'}}]
c.Spawner.start_timeout = {start_timeout}
c.Spawner.http_timeout = 120  # the first JupyterLab on a slow machine takes longer than the default of 30 s
"""

DEMO_CONFIG = CONFIG + """
from kubespawner.commands.demo.login import DemoAuthenticator

c.JupyterHub.authenticator_class = DemoAuthenticator
if hasattr(DemoAuthenticator, 'allow_all'):
    c.Authenticator.allow_all = True  # everybody who has the password or the link
c.Authenticator.admin_users = {{'admin'}}
c.KubeSpawner.cmd = {cmd!r}
c.KubeSpawner.singleuser_image_spec = {image!r}
c.KubeSpawner.singleuser_fs_gid = {fs_gid!r}
c.KubeSpawner.default_url = '/lab'
c.KubeSpawner.profile_list = [
    {{'display_name': 'Plain', 'description': 'A notebook server with the default settings.'}},
    {{
        'display_name': 'With options',
        'description': 'Choose the memory limit and a greeting.',
        'kubespawner_override': {{'environment': {{'PROFILE': 'with options'}}}},
        'profile_options': {{
            'memory': {{
                'display_name': 'Memory',
                'choices': {{
                    'small': {{'display_name': '1 GiB', 'kubespawner_override': {{'mem_limit': '1G'}}}},
                    'large': {{'display_name': '2 GiB', 'kubespawner_override': {{'mem_limit': '2G'}}}},
                }},
            }},
            'greeting': {{
                'display_name': 'Greeting (environment variable GREETING)',
                'choices': {{
                    'none': {{'display_name': 'None'}},
                    'hello': {{
                        'display_name': 'Hello',
                        'kubespawner_override': {{'environment': {{'GREETING': 'Hello'}}}},
                    }},
                }},
                'unlisted_choice': {{
                    'enabled': True,
                    'display_name': 'Your own greeting',
                    'validation_regex': '[A-Za-z][A-Za-z ]{{0,39}}',
                    'validation_message': 'Use 1 to 40 letters from A to Z and spaces, and begin with a letter.',
                    'kubespawner_override': {{'environment': {{'GREETING': '{{value}}'}}}},
                }},
            }},
        }},
    }},
    {{
        'display_name': 'Broken',
        'description': 'A server whose image cannot be pulled, to show what users see when a start fails.',
        'kubespawner_override': {{'singleuser_image_spec': {missing_image!r}, 'start_failure_grace': 5}},
    }},
]
"""

OWN_FILE = """
from kubespawner.commands.demo.own_file import explained

with explained({absolute!r}, {path!r}):
    load_subconfig({absolute!r})
"""


def password():
    """Return a random password of 80 bits that can be typed: four groups of four letters or digits."""
    letters = 'abcdefghijkmnpqrstuvwxyz23456789'
    return '-'.join(''.join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def arguments_for_this_user():
    """Return the arguments that a notebook server needs when it runs as this user."""
    return ['--allow-root'] if os.geteuid() == 0 else []


def singleuser_command(runtime_directory):
    """Return the command of a notebook server whose kernels listen on sockets in a directory, not on ports.

    Every user of the machine could read what a kernel sends at its ports, such as its output.
    """
    return ['env', 'JUPYTER_RUNTIME_DIR=' + runtime_directory, 'jupyterhub-singleuser',
            '--KernelManager.transport=ipc']


def settings_on_localkube(runtime_directory):
    """Return the values for DEMO_CONFIG that depend on the cluster. runtime_directory: see `singleuser_command`."""
    return {
        'image': 'localkube/this-machine', 'missing_image': 'localkube/missing', 'fs_gid': None,
        'start_timeout': 120, 'args': arguments_for_this_user(), 'cmd': singleuser_command(runtime_directory),
    }


def settings_on_cluster(image, hub_version):
    """Return the same for an existing cluster.

    image (str or None): of the notebook servers; None is the one for `hub_version`, a tuple of numbers.
    """
    return {
        'image': image or 'jupyterhub/singleuser:' + '.'.join(str(part) for part in hub_version[:2]),
        'missing_image': 'registry.invalid/missing', 'fs_gid': 100, 'args': [], 'start_timeout': 600,
        'cmd': ['jupyterhub-singleuser'],
    }


def configuration(own_file=None, **values):
    """Return the text of the hub's configuration file.

    own_file (str or None): the path of a configuration file to load at the end.
    values: for DEMO_CONFIG. Raises KeyError if one is missing.
    """
    text = DEMO_CONFIG.format(spawner_class='kubespawner.KubeSpawner', **values)
    return text + (OWN_FILE.format(path=own_file, absolute=os.path.abspath(own_file)) if own_file else '')
