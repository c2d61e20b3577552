"""`kubespawner demo`: a hub to try KubeSpawner, on localkube or on an existing cluster.

Starting the parts (localkube, a proxy, a hub), printing the events of pods, and stopping everything belong here. A real
hub needs nothing of this. The main thread starts and stops processes; one thread prints events.
"""
import argparse
import ctypes
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from urllib.parse import urlparse
from urllib.request import Request, urlopen

import yaml
from kubernetes import client, config, watch
from kubernetes.client.rest import ApiException
from urllib3.exceptions import HTTPError

from . import __version__
from .localkube import LocalKube, directories

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
"""

DEMO_CONFIG = CONFIG + """
from kubespawner.demo_login import DemoAuthenticator

c.JupyterHub.authenticator_class = DemoAuthenticator
if hasattr(DemoAuthenticator, 'allow_all'):
    c.Authenticator.allow_all = True  # everybody who has the password or the link
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

WELCOME = """
    http://127.0.0.1:%d/hub/login/ann?token=%s

Open this link to log in as ann, or replace ann in it to log in as another user.
You can also log in at http://127.0.0.1:%d with any username and the password %s

Keep both secret: whoever has one of them can run programs as you. Press Ctrl-C to stop the demo.
"""

# The path of a Unix socket has at most 107 bytes. The sockets of kernels are named kernel-UUID-ipc-N.
LONGEST_RUNTIME_DIRECTORY = 107 - len('/kernel-12345678-1234-1234-1234-123456789012-ipc-10')

WAIT_FOR_ANSWER = 60  # seconds for the proxy and the hub to start
WAIT_FOR_END = 30  # seconds for the hub to stop its servers

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


class DemoError(Exception):
    """An error that a newcomer can correct; its message is one sentence."""


def command(argv=None):
    """Run the console script `kubespawner`, whose first argument is the command; return the exit code."""
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ['--version']:
        print(__version__)
        return 0
    if words[:1] != ['demo']:
        print('usage: kubespawner demo [--help] ...\n       kubespawner --version', file=sys.stderr)
        return 2
    return main(words[1:])


def main(argv=None):
    """Run the demo until Ctrl-C; return the exit code."""
    arguments = parse(sys.argv[1:] if argv is None else argv)
    os.umask(0o077)  # so that other users of the machine cannot read the files of the demo
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # SIGINT, too: with `&` a shell has it ignored
        signal.signal(number, signal.default_int_handler)
    try:
        Demo(arguments).run()
    except KeyboardInterrupt:
        return 0
    except DemoError as e:
        print('kubespawner demo: %s' % e, file=sys.stderr)
        return 1


def parse(argv):
    parser = argparse.ArgumentParser(prog='kubespawner demo', description=(
        'Run JupyterHub on 127.0.0.1 with KubeSpawner. It uses localkube, a one-node Kubernetes in one process whose '
        'pods are processes on this machine, or a cluster of your own.'))
    parser.add_argument('--port', type=int, default=8000,
                        help='port of the hub (default: 8000); if it is in use, the demo takes the next free port')
    parser.add_argument('--kubeconfig', metavar='FILE', help='use the cluster of this kubeconfig in place of localkube')
    parser.add_argument('--context', metavar='NAME', help='context of the kubeconfig (default: its current context)')
    parser.add_argument('--hub-ip', metavar='ADDRESS',
                        help='address of this machine at which the pods of the cluster reach the hub (default: the '
                             'address from which this machine reaches the cluster)')
    parser.add_argument('--image', help='image of the notebook servers on a cluster (default: jupyterhub/singleuser '
                                        "with the hub's version as its tag)")
    parser.add_argument('--config', metavar='FILE', help="configuration file of JupyterHub, for example with "
                                                         "c.KubeSpawner.profile_list, to load after the demo's own")
    parser.add_argument('--debug', action='store_true', help='also show the logs of the hub and the proxy')
    arguments = parser.parse_args(argv)
    if arguments.config and not os.path.isfile(arguments.config):
        parser.error('--config %s: the file does not exist' % arguments.config)
    if not (arguments.kubeconfig or arguments.context) and (arguments.hub_ip or arguments.image):
        parser.error('--hub-ip and --image need --kubeconfig or --context')
    return arguments


def say(text, *arguments):
    print(text % arguments if arguments else text, flush=True)


def port_is_free(port):
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(('127.0.0.1', port))
        except PermissionError:
            raise DemoError('--port %d: only root can use ports below 1024; choose another port.' % port)
        except OSError:
            return False
        return True


def free_ports(wanted):
    """Yield `wanted` and up to 99 ports after it, if they are free. Raises DemoError when there are no more."""
    if not 1 <= wanted <= 65535:
        raise DemoError('--port %d: a port must be a number from 1 to 65535.' % wanted)
    for port in range(wanted, min(wanted + 100, 65536)):
        if port_is_free(port):
            yield port
    raise DemoError('There is no free port from %d on; choose another one with --port.' % wanted)


def any_free_port():
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]


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


def require(package):
    if importlib.util.find_spec(package) is None:
        raise DemoError("The package %s is not installed; install kubespawner with the extra [demo]." % package)


def end_with_parent():
    """Have the kernel kill this process, which was just forked, when the demo ends for any reason."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Demo:
    """A running demo. Its parts stop in the reverse order of their start."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.endings = []  # functions that stop what was started

    def run(self):
        """Start everything, wait until Ctrl-C or until a part exits, and stop everything."""
        try:
            for package in ('jupyterlab', 'jupyterhub', 'ipykernel', 'configurable_http_proxy'):
                require(package)
            next(free_ports(self.arguments.port))
            self.make_directory()
            self.use_cluster() if self.arguments.kubeconfig or self.arguments.context else self.start_localkube()
            self.show_events()
            self.start_proxy()
            self.start_hub()
            say(WELCOME, self.port, self.token, self.port, self.password)
            while True:
                self.check_parts()
                time.sleep(0.5)
        finally:
            self.end()

    def make_directory(self):
        """Create a directory for the files of the demo."""
        try:
            self.directory = directories.temporary('demo')
        except OSError as e:
            raise DemoError('The demo cannot create a directory for its files: %s' % e)
        self.endings.append(lambda: shutil.rmtree(self.directory, ignore_errors=True))

    def make_runtime_directory(self):
        """Return a directory for the sockets of kernels. Its path is short enough for them."""
        path = os.path.join(self.directory, 'run')
        if len(os.fsencode(path)) <= LONGEST_RUNTIME_DIRECTORY:
            os.mkdir(path)
            return path
        path = directories.temporary('demo', tempfile.gettempdir())
        self.endings.append(lambda: shutil.rmtree(path, ignore_errors=True))
        if len(os.fsencode(path)) > LONGEST_RUNTIME_DIRECTORY:
            raise DemoError('The path of the temporary directory %s is too long; set TMPDIR to a shorter one.' % path)
        return path

    def check_parts(self):
        """Raise DemoError if the proxy or the hub has exited."""
        for name, process in (('proxy', self.proxy), ('hub', self.hub)):
            if process.poll() is not None:
                raise DemoError('The %s has exited. The end of its log:\n%s' % (name, self.log_tail(name)))

    def end(self):
        """Stop everything that was started. A second Ctrl-C does not interrupt this."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if len(self.endings) > 1:  # more than an empty directory
            say('\nStopping the demo.')
        while self.endings:
            try:
                self.endings.pop()()
            except Exception as e:
                say('Error while stopping: %s', e)

    def start_localkube(self):
        say('Starting localkube, a one-node Kubernetes in this process.')
        kube = LocalKube()
        kube.start()
        self.endings.append(kube.stop)
        self.kubeconfig, self.namespace, self.hub_ip = kube.kubeconfig, 'default', '127.0.0.1'
        self.settings = {
            'image': 'localkube/this-machine', 'missing_image': 'localkube/missing', 'fs_gid': None,
            'start_timeout': 120, 'args': arguments_for_this_user(),
            'cmd': singleuser_command(self.make_runtime_directory()),
        }
        config.load_kube_config(config_file=self.kubeconfig)
        say('    export KUBECONFIG=%s', self.kubeconfig)

    def use_cluster(self):
        """Use an existing cluster, in a new namespace."""
        import jupyterhub
        source = os.path.expanduser(self.arguments.kubeconfig or os.environ.get('KUBECONFIG', '~/.kube/config'))
        self.kubeconfig = os.path.join(self.directory, 'kubeconfig')
        try:
            context = copy_kubeconfig(source, self.arguments.context, self.kubeconfig)
            config.load_kube_config(config_file=self.kubeconfig)
        except (OSError, ValueError, yaml.YAMLError, config.ConfigException) as e:
            raise DemoError('The kubeconfig %s cannot be used: %s' % (source, e))
        core = client.CoreV1Api()
        self.hub_ip = self.arguments.hub_ip or address_for_pods(core.api_client.configuration.host)
        self.namespace = 'kubespawner-demo-' + uuid.uuid4().hex[:6]
        try:
            core.create_namespace(body=client.V1Namespace(metadata=client.V1ObjectMeta(name=self.namespace)))
        except ApiException as e:
            raise DemoError('The demo cannot create a namespace in the cluster of context %s: %s' % (context, e.body))
        except HTTPError as e:
            raise DemoError('The cluster of context %s cannot be reached: %s' % (context, e))
        self.endings.append(lambda: core.delete_namespace(name=self.namespace, body=client.V1DeleteOptions()))
        version = '.'.join(str(part) for part in jupyterhub.version_info[:2])
        self.settings = {
            'image': self.arguments.image or 'jupyterhub/singleuser:' + version,
            'missing_image': 'registry.invalid/missing', 'fs_gid': 100, 'args': [], 'start_timeout': 600,
            'cmd': ['jupyterhub-singleuser'],
        }
        say('Using the cluster of context %s, in namespace %s. Pods reach the hub at %s.',
            context, self.namespace, self.hub_ip)

    def show_events(self):
        threading.Thread(target=print_events, args=(client.CoreV1Api(), self.namespace), daemon=True).start()

    def start_proxy(self):
        """Start the proxy on the wanted port, or on the next free one."""
        self.hub_port, self.api_port = any_free_port(), any_free_port()
        self.environment = dict(os.environ, KUBECONFIG=self.kubeconfig, CONFIGPROXY_AUTH_TOKEN=secrets.token_hex(32))
        proxy = [sys.executable, '-m', 'kubespawner.demo_proxy']
        for port in free_ports(self.arguments.port):
            self.port = port
            if port != self.arguments.port:
                say('Port %d is in use; trying %d.', self.arguments.port, self.port)
            say('Starting the proxy: %s', ' '.join(proxy))
            self.proxy = self.process('proxy', proxy + [
                '--ip', '127.0.0.1', '--port', self.port, '--api-ip', '127.0.0.1', '--api-port', self.api_port,
                '--default-target', 'http://%s:%d' % (self.hub_ip, self.hub_port)])
            routes = Request('http://127.0.0.1:%d/api/routes' % self.api_port,
                             headers={'Authorization': 'token ' + self.environment['CONFIGPROXY_AUTH_TOKEN']})
            if self.answers(routes, self.proxy):
                return
            if port_is_free(self.port):  # so the port was not the reason
                raise DemoError('The proxy does not start. The end of its log:\n' + self.log_tail('proxy'))

    def start_hub(self):
        path = os.path.join(self.directory, 'jupyterhub_config.py')
        with open(path, 'w') as f:
            f.write(DEMO_CONFIG.format(
                spawner_class='kubespawner.KubeSpawner', port=self.port, hub_ip=self.hub_ip, hub_port=self.hub_port,
                api_port=self.api_port, directory=self.directory, namespace=self.namespace, **self.settings))
            if self.arguments.config:
                f.write('load_subconfig(%r)\n' % os.path.abspath(self.arguments.config))
        say('Starting the hub: %s', path)
        self.token, self.password = secrets.token_hex(20), password()
        self.environment.update({'KUBESPAWNER_DEMO_TOKEN': self.token, 'KUBESPAWNER_DEMO_PASSWORD': self.password})
        self.hub = self.process('hub', [sys.executable, '-m', 'jupyterhub', '-f', path])
        if not self.answers('http://127.0.0.1:%d/hub/login' % self.port, self.hub):
            raise DemoError('The hub does not answer. The end of its log:\n' + self.log_tail('hub'))

    def answers(self, request, process):
        """Return True when an HTTP request is answered; False if the process exits or takes too long."""
        deadline = time.monotonic() + WAIT_FOR_ANSWER
        while time.monotonic() < deadline and process.poll() is None:
            try:
                urlopen(request, timeout=5).close()
                return process.poll() is None
            except OSError:
                time.sleep(0.1)
        return False

    def process(self, name, command):
        """Start a part of the demo as a process that stops with the demo; return the process."""
        log = None if self.arguments.debug else open(os.path.join(self.directory, name + '.log'), 'w')
        process = subprocess.Popen(
            [str(word) for word in command], cwd=self.directory, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=log, stderr=subprocess.STDOUT if log else None, start_new_session=True, preexec_fn=end_with_parent)
        self.endings.append(lambda: end_process(process))
        return process

    def log_tail(self, name):
        path = os.path.join(self.directory, name + '.log')
        if not os.path.exists(path):
            return '(see above)'
        with open(path, errors='replace') as f:
            return ''.join(f.readlines()[-20:])


def end_process(process):
    """Terminate a process; kill it if it does not exit within WAIT_FOR_END seconds."""
    process.terminate()
    try:
        process.wait(WAIT_FOR_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def copy_kubeconfig(source, context, target):
    """Copy the kubeconfig `source` to the path `target`, with absolute paths; return the name of its current context.

    context (str or None): the context to make the current one; None keeps the current one.

    Raises ValueError if the file does not contain the context.
    """
    with open(source) as f:
        content = yaml.safe_load(f)
    if not isinstance(content, dict):
        raise ValueError('it is not a kubeconfig')
    context = context or content.get('current-context')
    names = [entry['name'] for entry in content.get('contexts') or []]
    if context not in names:
        raise ValueError('it has no context %r; its contexts are: %s' % (context, ', '.join(names) or 'none'))
    content['current-context'] = context
    directory = os.path.dirname(os.path.abspath(source))
    for entry in (content.get('clusters') or []) + (content.get('users') or []):
        for section in (entry.get('cluster'), entry.get('user')):
            for key in {'certificate-authority', 'client-certificate', 'client-key'} & set(section or ()):
                section[key] = os.path.join(directory, section[key])
    with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as f:
        yaml.safe_dump(content, f)
    return context


def address_for_pods(api_url):
    """Return an address of this machine that pods of the cluster at `api_url` can probably reach. Sends nothing.

    This is the address from which this machine reaches the cluster. If that is a loopback address (the cluster is a
    container or a forwarded port), it is the address from which this machine reaches the Internet.
    """
    where = urlparse(api_url)
    for host in (where.hostname, '192.0.2.1'):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            try:
                sock.connect((host, where.port or 443))
            except OSError:
                continue
            address = sock.getsockname()[0]
            if not address.startswith('127.'):
                return address
    raise DemoError('It is not clear at which address the pods of the cluster at %s reach this machine; '
                    'give the address with --hub-ip.' % api_url)


def print_events(core, namespace):
    """Print the events of pods as they happen, forever. Runs on a thread of its own."""
    while True:
        try:
            for event in watch.Watch().stream(core.list_namespaced_event, namespace=namespace):
                event = event['raw_object']
                say('%s  %s  %s: %s', time.strftime('%H:%M:%S'), event['involvedObject'].get('name'),
                    event.get('reason'), event.get('message'))
        except Exception:  # the cluster is stopping, or cannot be reached at the moment
            time.sleep(1)


if __name__ == '__main__':
    sys.exit(main())
