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
from .hub_log import shown
from .network import any_free_port, free_ports, port_is_free
from .output import WELCOME, DemoError, say, terminal, working
from .own_file import MARK, check_syntax
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
        self.has_failed = False
        self.has_shown_errors = False

    def run(self):
        """Start everything, wait until Ctrl-C or until a part exits, and stop everything."""
        try:
            for package in NEEDED:
                require(package)
            wrong = self.arguments.config and check_syntax(self.arguments.config)
            if wrong:
                raise DemoError(wrong)
            next(free_ports(self.arguments.port))
            self.start()
            say(WELCOME % vars(self))
            while True:
                self.processes.check()
                time.sleep(0.5)
        except Exception:
            self.has_failed = True
            raise
        finally:
            self.end()

    def start(self):
        self.directory = make_directory(self.endings.append, lambda: self.has_failed)
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
            proxy = self.processes.start('proxy', command + [
                '--port', self.port, '--api-port', self.api_port,
                '--default-target', 'http://%s:%d' % (self.cluster.hub_ip, self.hub_port)], self.environment)
            routes = Request('http://127.0.0.1:%d/api/routes' % self.api_port,
                             headers={'Authorization': 'token ' + self.environment['CONFIGPROXY_AUTH_TOKEN']})
            with working('Starting the proxy'):
                if answers(routes, proxy, ('127.0.0.1', self.api_port)):
                    return
            if port_is_free(self.port):  # so the port was not the reason
                raise DemoError('The proxy does not start. ' + self.processes.log_tail('proxy'))

    def start_hub(self):
        path = os.path.join(self.directory, 'jupyterhub_config.py')
        with open(path, 'w') as f:
            f.write(configuration(
                self.arguments.config, port=self.port, hub_port=self.hub_port, api_port=self.api_port,
                directory=self.directory, hub_ip=self.cluster.hub_ip, namespace=self.cluster.namespace,
                **self.cluster.settings))
        say('The configuration of the hub is %s', path)
        say('The log of the hub is %s', self.processes.log_path('hub'))
        self.token, self.password = secrets.token_hex(20), password()
        self.environment.update({'KUBESPAWNER_DEMO_TOKEN': self.token, 'KUBESPAWNER_DEMO_PASSWORD': self.password})
        hub = self.processes.start('hub', [sys.executable, '-m', 'jupyterhub', '-f', path], self.environment,
                                   self.show)
        with working('Starting the hub'):
            has_started = answers('http://127.0.0.1:%d/hub/login' % self.port, hub,
                                  (self.cluster.hub_ip, self.hub_port))
        if not has_started:
            raise DemoError(self.why_hub_failed())

    def show(self, line):
        """Show what a line of the hub's log means to a newcomer. Runs on the thread that reads the log."""
        found = shown(line)
        if found is None:
            return
        self.has_shown_errors = self.has_shown_errors or found.style == 'error'
        if found.change:
            change = terminal.begin if found.change == 'begin' else terminal.end
            change("Starting %s's server" % found.user)
        if found.text:
            say('%s', found.text, style=found.style)

    def why_hub_failed(self):
        tail = self.processes.log_tail('hub')
        for line in self.processes.log_lines('hub'):
            if line.startswith(MARK):
                return line[len(MARK):].strip()
        if self.has_shown_errors:
            return 'The hub does not start, for the reason above. Its log is %s' % self.processes.log_path('hub')
        return 'The hub does not answer. ' + tail

    def end(self):
        """Stop everything that was started. A second Ctrl-C does not interrupt this."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if len(self.endings) <= 1:  # no more than an empty directory
            self.stop_all()
            return
        say('')
        with working('Stopping the demo'):
            self.stop_all()

    def stop_all(self):
        while self.endings:
            try:
                self.endings.pop()()
            except Exception as e:
                say('Error while stopping: %s', e, style='error')


if __name__ == '__main__':
    sys.exit(main())
