"""Running the demo: its parts are started one after the other, and stopped in the reverse order."""
import importlib.util
import os
import secrets
import signal
import sys
import threading
import time
from urllib.request import Request

from kubernetes import client

from .arguments import parse
from .clusters import print_events, start_localkube, use_cluster
from .configuration import configuration, password
from .files import make_directory
from .network import any_free_port, free_ports, port_is_free
from .output import WELCOME, DemoError, say
from .processes import Processes, answers

NEEDED = ['jupyterlab', 'jupyterhub', 'ipykernel']  # of the extra [demo]


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


def require(package):
    if importlib.util.find_spec(package) is None:
        raise DemoError("The package %s is not installed; install kubespawner with the extra [demo]." % package)


class Demo:
    """A running demo. Its parts stop in the reverse order of their start."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.endings = []  # functions that stop what was started

    def run(self):
        """Start everything, wait until Ctrl-C or until a part exits, and stop everything."""
        try:
            for package in NEEDED:
                require(package)
            next(free_ports(self.arguments.port))
            self.start()
            say(WELCOME, self.port, self.token, self.port, self.password)
            while True:
                self.processes.check()
                time.sleep(0.5)
        finally:
            self.end()

    def start(self):
        self.directory = make_directory(self.endings.append)
        self.processes = Processes(self.directory, self.arguments.debug, self.endings.append)
        if self.arguments.kubeconfig or self.arguments.context:
            self.cluster = use_cluster(self.arguments, self.directory, self.endings.append)
        else:
            self.cluster = start_localkube(self.directory, self.endings.append)
        threading.Thread(target=print_events, args=(client.CoreV1Api(), self.cluster.namespace), daemon=True).start()
        self.start_proxy()
        self.start_hub()

    def start_proxy(self):
        """Start the proxy on the wanted port, or on the next free one."""
        self.hub_port, self.api_port = any_free_port(), any_free_port()
        self.environment = dict(os.environ, KUBECONFIG=self.cluster.kubeconfig,
                                CONFIGPROXY_AUTH_TOKEN=secrets.token_hex(32))
        command = [sys.executable, '-m', 'kubespawner.commands.demo.proxy']
        for port in free_ports(self.arguments.port):
            self.port = port
            if port != self.arguments.port:
                say('Port %d is in use; trying %d.', self.arguments.port, self.port)
            say('Starting the proxy: %s', ' '.join(command))
            proxy = self.processes.start('proxy', command + [
                '--port', self.port, '--api-port', self.api_port,
                '--default-target', 'http://%s:%d' % (self.cluster.hub_ip, self.hub_port)], self.environment)
            routes = Request('http://127.0.0.1:%d/api/routes' % self.api_port,
                             headers={'Authorization': 'token ' + self.environment['CONFIGPROXY_AUTH_TOKEN']})
            if answers(routes, proxy):
                return
            if port_is_free(self.port):  # so the port was not the reason
                raise DemoError('The proxy does not start. The end of its log:\n' + self.processes.log_tail('proxy'))

    def start_hub(self):
        path = os.path.join(self.directory, 'jupyterhub_config.py')
        with open(path, 'w') as f:
            f.write(configuration(
                self.arguments.config, port=self.port, hub_port=self.hub_port, api_port=self.api_port,
                directory=self.directory, hub_ip=self.cluster.hub_ip, namespace=self.cluster.namespace,
                **self.cluster.settings))
        say('Starting the hub: %s', path)
        self.token, self.password = secrets.token_hex(20), password()
        self.environment.update({'KUBESPAWNER_DEMO_TOKEN': self.token, 'KUBESPAWNER_DEMO_PASSWORD': self.password})
        hub = self.processes.start('hub', [sys.executable, '-m', 'jupyterhub', '-f', path], self.environment)
        if not answers('http://127.0.0.1:%d/hub/login' % self.port, hub):
            raise DemoError('The hub does not answer. The end of its log:\n' + self.processes.log_tail('hub'))

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


if __name__ == '__main__':
    sys.exit(main())
