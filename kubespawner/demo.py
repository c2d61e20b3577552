"""A hub to try KubeSpawner with: `kubespawner demo`. On localkube, or on a cluster that is there already.

Here belongs starting the parts (a localkube, a proxy, a hub), showing what happens to pods, and taking everything
down. Nothing that a real hub needs is here. The main thread starts and ends processes; one thread prints events.
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

# A hub for one machine, with a proxy of its own; also what the tests of real hubs use. It does not say who may log in.
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
    c.Authenticator.allow_all = True  # who has the password or the link
c.KubeSpawner.cmd = {cmd!r}
c.KubeSpawner.singleuser_image_spec = {image!r}
c.KubeSpawner.singleuser_fs_gid = {fs_gid!r}
c.KubeSpawner.default_url = '/lab'
c.KubeSpawner.profile_list = [
    {{'display_name': 'Plain', 'description': 'A notebook server as it comes.'}},
    {{
        'display_name': 'With options',
        'description': 'Choose how much memory it may use, and how it greets you.',
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
                'display_name': 'Greeting, in the variable GREETING',
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
                    'validation_message': '1 to 40 letters from A to Z, and blanks.',
                    'kubespawner_override': {{'environment': {{'GREETING': '{{value}}'}}}},
                }},
            }},
        }},
    }},
    {{
        'display_name': 'Broken',
        'description': 'Its image cannot be pulled, so that you see what users are told.',
        'kubespawner_override': {{'singleuser_image_spec': {missing_image!r}, 'start_failure_grace': 5}},
    }},
]
"""

WELCOME = """
    http://127.0.0.1:%d/hub/login/ann?token=%s

Open this link, and you are logged in as ann. Put another name into it to be another user.
Or log in at http://127.0.0.1:%d with any name and the password %s

Give neither to anybody: a server of the demo is a shell of yours. Ctrl-C ends everything.
"""

# The path of a Unix socket has at most 107 bytes; those of kernels are called kernel-UUID-ipc-N.
LONGEST_RUNTIME_DIRECTORY = 107 - len('/kernel-12345678-1234-1234-1234-123456789012-ipc-10')

WAIT_FOR_ANSWER = 60  # seconds for the proxy and the hub to start
WAIT_FOR_END = 30  # seconds for the hub to stop its servers

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


class DemoError(Exception):
    """Something that a newcomer can mend, in one sentence."""


def command(argv=None):
    """The console script `kubespawner`, whose first word says what to do; return the exit code."""
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
    os.umask(0o077)  # other users of the machine read nothing of what is written
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # SIGINT too: a shell's `&` has it ignored
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
        'A JupyterHub on 127.0.0.1 that spawns notebook servers as pods, on a localkube that it starts: '
        'a one-node Kubernetes in one process, whose pods are processes of this machine.'))
    parser.add_argument('--port', type=int, default=8000,
                        help='of the hub (default: 8000); if it is taken, the next one that is free')
    parser.add_argument('--kubeconfig', help='use the cluster of this kubeconfig instead of a localkube')
    parser.add_argument('--context', help='the context of the kubeconfig to use (default: its current one)')
    parser.add_argument('--hub-ip', help='with a cluster: the address of this machine at which its pods reach the hub')
    parser.add_argument('--image', help='of the notebook servers on a cluster (default: jupyterhub/singleuser of the '
                                        "hub's version)")
    parser.add_argument('--config', help="a Python file of settings, such as c.KubeSpawner.profile_list, that count "
                                         "after the demo's own")
    parser.add_argument('--debug', action='store_true', help='show the log of the hub as well')
    arguments = parser.parse_args(argv)
    if arguments.config and not os.path.isfile(arguments.config):
        parser.error('--config %s: there is no such file' % arguments.config)
    if not (arguments.kubeconfig or arguments.context) and (arguments.hub_ip or arguments.image):
        parser.error('--hub-ip and --image go with --kubeconfig or --context')
    return arguments


def say(text, *arguments):
    print(text % arguments if arguments else text, flush=True)


def port_is_free(port):
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(('127.0.0.1', port))
        except PermissionError:
            raise DemoError('--port %d: ports below 1024 are for root; name another one.' % port)
        except OSError:
            return False
        return True


def free_ports(wanted):
    """Yield `wanted` and the ports after it, as far as they are free just now. DemoError when there are no more."""
    if not 1 <= wanted <= 65535:
        raise DemoError('--port %d: a port is a number from 1 to 65535.' % wanted)
    for port in range(wanted, min(wanted + 100, 65536)):
        if port_is_free(port):
            yield port
    raise DemoError('No free port from %d on; name another one with --port.' % wanted)


def any_free_port():
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]


def password():
    """Return a random password of 80 bits that can be typed: four groups of four letters or digits."""
    letters = 'abcdefghijkmnpqrstuvwxyz23456789'
    return '-'.join(''.join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def arguments_for_this_user():
    """Return what a notebook server needs to be told when it is a process of this user."""
    return ['--allow-root'] if os.geteuid() == 0 else []


def singleuser_command(runtime_directory):
    """Return the command of a notebook server whose kernels have sockets in a directory instead of ports.

    What a kernel shows at its ports, such as each output, can be read by every user of the machine.
    """
    return ['env', 'JUPYTER_RUNTIME_DIR=' + runtime_directory, 'jupyterhub-singleuser',
            '--KernelManager.transport=ipc']


def require(package):
    if importlib.util.find_spec(package) is None:
        raise DemoError("The package %s is missing; install kubespawner with its extra [demo]." % package)


def end_with_parent():
    """Have this process, just forked, killed when the demo dies, however it dies."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Demo:
    """The parts of a running demo, in the order in which they start; they end in the opposite order."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.endings = []  # functions that end what was started

    def run(self):
        """Start everything, wait for Ctrl-C or for the end of a part, and end everything."""
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
        """Make a directory for what the demo writes."""
        try:
            self.directory = directories.temporary('demo')
        except OSError as e:
            raise DemoError('The demo has no place for its files: %s' % e)
        self.endings.append(lambda: shutil.rmtree(self.directory, ignore_errors=True))

    def make_runtime_directory(self):
        """Return a directory for the sockets of kernels, whose path is short enough for them."""
        path = os.path.join(self.directory, 'run')
        if len(os.fsencode(path)) <= LONGEST_RUNTIME_DIRECTORY:
            os.mkdir(path)
            return path
        path = directories.temporary('demo', tempfile.gettempdir())
        self.endings.append(lambda: shutil.rmtree(path, ignore_errors=True))
        if len(os.fsencode(path)) > LONGEST_RUNTIME_DIRECTORY:
            raise DemoError('The temporary directory %s has too long a path; set TMPDIR to a shorter one.' % path)
        return path

    def check_parts(self):
        """Raise DemoError if the proxy or the hub has ended by itself."""
        for name, process in (('proxy', self.proxy), ('hub', self.hub)):
            if process.poll() is not None:
                raise DemoError('The %s has ended by itself. The end of its log:\n%s' % (name, self.log_tail(name)))

    def end(self):
        """End what was started, whatever happens; a second Ctrl-C does not leave anything behind."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if len(self.endings) > 1:  # more than an empty directory
            say('\nTaking everything down.')
        while self.endings:
            try:
                self.endings.pop()()
            except Exception as e:
                say('While ending: %s', e)

    def start_localkube(self):
        say('Starting localkube: a one-node Kubernetes in this process, for trying things out.')
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
        """Use a cluster that is there already, in a namespace of the demo's own."""
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
            raise DemoError('The cluster of context %s refuses the demo a namespace: %s' % (context, e.body))
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
        """Start the proxy at the wanted port, or the next one that it gets."""
        self.hub_port, self.api_port = any_free_port(), any_free_port()
        self.environment = dict(os.environ, KUBECONFIG=self.kubeconfig, CONFIGPROXY_AUTH_TOKEN=secrets.token_hex(32))
        proxy = [sys.executable, '-m', 'kubespawner.demo_proxy']
        for port in free_ports(self.arguments.port):
            self.port = port
            if port != self.arguments.port:
                say('Port %d is taken; trying %d.', self.arguments.port, self.port)
            say('Starting the proxy: %s', ' '.join(proxy))
            self.proxy = self.process('proxy', proxy + [
                '--ip', '127.0.0.1', '--port', self.port, '--api-ip', '127.0.0.1', '--api-port', self.api_port,
                '--default-target', 'http://%s:%d' % (self.hub_ip, self.hub_port)])
            routes = Request('http://127.0.0.1:%d/api/routes' % self.api_port,
                             headers={'Authorization': 'token ' + self.environment['CONFIGPROXY_AUTH_TOKEN']})
            if self.answers(routes, self.proxy):
                return
            if port_is_free(self.port):  # so that was not the reason
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
        """Return True when there is an answer to an HTTP request; False if the process ends or takes too long."""
        deadline = time.monotonic() + WAIT_FOR_ANSWER
        while time.monotonic() < deadline and process.poll() is None:
            try:
                urlopen(request, timeout=5).close()
                return process.poll() is None
            except OSError:
                time.sleep(0.1)
        return False

    def process(self, name, command):
        """Start a part of the demo as a process that ends with it; return it."""
        log = None if self.arguments.debug else open(os.path.join(self.directory, name + '.log'), 'w')
        process = subprocess.Popen(
            [str(word) for word in command], cwd=self.directory, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=log, stderr=subprocess.STDOUT if log else None, start_new_session=True, preexec_fn=end_with_parent)
        self.endings.append(lambda: end_process(process))
        return process

    def log_tail(self, name):
        path = os.path.join(self.directory, name + '.log')
        if not os.path.exists(path):
            return '(it is shown above)'
        with open(path, errors='replace') as f:
            return ''.join(f.readlines()[-20:])


def end_process(process):
    """End a process in order, or after a while in any case."""
    process.terminate()
    try:
        process.wait(WAIT_FOR_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def copy_kubeconfig(source, context, target):
    """Write the kubeconfig `source` to the path `target` with `context` as the current one, and return its name.

    context (str or None): None keeps the current one. Paths in the file are made absolute. ValueError without that
    context.
    """
    with open(source) as f:
        content = yaml.safe_load(f)
    if not isinstance(content, dict):
        raise ValueError('it is not a kubeconfig')
    context = context or content.get('current-context')
    names = [entry['name'] for entry in content.get('contexts') or []]
    if context not in names:
        raise ValueError('it has no context %r, only: %s' % (context, ', '.join(names) or 'none'))
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

    That is the one from which this machine reaches the cluster; if that is only the loopback (the cluster is a
    container or a forwarded port), the one from which it reaches the rest of the world.
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
    raise DemoError('It is not clear at which address pods of the cluster at %s reach this machine; '
                    'say it with --hub-ip.' % api_url)


def print_events(core, namespace):
    """Print what happens to pods, as it happens; the life of a thread."""
    while True:
        try:
            for event in watch.Watch().stream(core.list_namespaced_event, namespace=namespace):
                event = event['raw_object']
                say('%s  %s  %s: %s', time.strftime('%H:%M:%S'), event['involvedObject'].get('name'),
                    event.get('reason'), event.get('message'))
        except Exception:  # the cluster is going down, or is away for a moment
            time.sleep(1)


if __name__ == '__main__':
    sys.exit(main())
