"""localkube: a one-node Kubernetes in one process, for trying KubeSpawner and for tests. A development tool.

What belongs here: `LocalKube`, which starts it from Python. What does not: its parts, see below. The methods of
LocalKube block. Call them from any thread except localkube's own.

    the whole           cluster, certificate, kubeconfigs, __main__
    who may do what     access; users, tokens, accounts (of pods); attributes (of requests), rbac, escalation, reviews,
                        default_roles, validation_rbac
    the API over HTTP   server, connections, requests, media, options, json_text, protobuf, handlers, lists, streams,
                        watches, tables, errors, faults
    upgraded requests   upgrades, spdy, channels, execution, portforward
    what it serves      releases, resources, versions, fields, openapi, selectors, label_selectors; single kinds:
                        ingresses, services
    what it does        registry, store; on the way: decoding, wrong_types, field_validation, strategies, defaults,
                        validation, validation_pod, validation_scheduling, validation_volumes, causes, patches,
                        quantities
    owners of fields    managers, fieldsets, applying
    controllers         controllers (claims, namespaces), endpoints, endpoint_slices, garbage (owner references), events
    admission           quotas, quota_usage, limit_ranges
    the scheduler       scheduling, node_fit, affinity, pod_affinity, pod_resources
    the node            node, kubelet, pods, podstate, containers, logs, pulling, images, environment, volumes,
                        projections, filesystems, probes
    services            forwarding (connections), hosts (names), enter (for programs outside of pods)
    processes           processes, consoles, shim, mount_namespace
"""
import contextlib
import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import threading
import time

from tornado import gen
from tornado.ioloop import IOLoop

from . import directories, kubeconfigs
from .cluster import Cluster
from .node import option_text

__all__ = ['LocalKube']

START_SECONDS = 120  # several may start at once, on a slow machine that reads the modules for the first time
TOKEN = 'LOCALKUBE_TOKEN'  # an environment variable, because every user can read command lines


class LocalKube(object):
    """A localkube that runs during a `with` block, or between `start` and `stop`.

    child (bool): run it in a separate process, not in a thread of this process.
    The other arguments are those of `cluster.Cluster`. `kubeconfig` is optional here.

    Attributes while it runs: url, token, kubeconfig (path of the file that it has written), pid (of its process).
    """

    def __init__(self, child=False, kubeconfig=None, **options):
        self.options = options
        self.kubeconfig = kubeconfig
        self.url = self.token = self.pid = None
        self._ssl_context = None
        self._runner = ChildRunner() if child else ThreadRunner()
        self._directory = None

    def start(self):
        """Start localkube, and return self when the API responds. Raise the error if it cannot start."""
        self._directory = directories.temporary('localkube')
        self.kubeconfig = self.kubeconfig or os.path.join(self._directory, 'kubeconfig')
        try:
            options = dict(self.options, kubeconfig=self.kubeconfig)
            options['data'] = options.get('data') or os.path.join(self._directory, 'data')
            self.pid = self._runner.start(options)
            self._read_kubeconfig()
        except Exception:
            shutil.rmtree(self._directory, ignore_errors=True)
            raise
        return self

    def _read_kubeconfig(self):
        content = kubeconfigs.read(self.kubeconfig)
        cluster = content['clusters'][0]['cluster']
        self.url, self.token = cluster['server'], content['users'][0]['user']['token']
        if 'certificate-authority' in cluster:
            self._ssl_context = ssl.create_default_context(cafile=cluster['certificate-authority'])

    def stop(self):
        """Stop localkube, and return when the processes of all pods have ended."""
        self._runner.stop()
        shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc_info):
        self.stop()

    def add_user(self, name, groups=()):
        """Add a user, and return the path of a kubeconfig file, which is removed when localkube stops.

        With rbac=True, the user has the rights that roles give to `name`, to the groups, and to everybody.
        """
        token = self._switch('add_user', name=name, groups=list(groups))
        path = kubeconfigs.path_of(os.path.join(self._directory, 'user'), name)
        kubeconfigs.write(path, kubeconfigs.of_user(kubeconfigs.read(self.kubeconfig), name, token))
        return path

    # Injecting faults

    def fail(self, method=None, path=None, status=500, times=1, headers=None, message=None, reason=None, after=False):
        """Respond with `status` to the next `times` matching requests, before or (with `after`) after their effect.

        path (str): a regular expression that is searched for in the path, and in path?query.
        """
        self._switch('fault', kind='fail', method=method, path=path, times=times, status=status, headers=headers,
                     message=message, reason=reason, after=after)

    def delay(self, method=None, path=None, seconds=1, times=1):
        """Delay the next `times` matching requests by `seconds`."""
        self._switch('fault', kind='delay', method=method, path=path, times=times, seconds=seconds)

    def drop(self, method=None, path=None, times=1, after=False):
        """Close the connection of the next `times` matching requests, before or (with `after`) after their effect."""
        self._switch('fault', kind='drop', method=method, path=path, times=times, after=after)

    def insert_into_watches(self, text, path=None, times=1, end=False):
        """Send `text` at the beginning of the next `times` matching watches. With `end`, the watch then ends.

        text (str): bytes that are not UTF-8 are written as escapes of `surrogateescape`.
        """
        self._switch('fault', kind='insert', path=path, times=times, text=text, end=end)

    def stall_watches(self):
        """Send nothing on any watch until `resume_watches`, which sends the changes that happened meanwhile."""
        self._switch('stall_watches')

    def resume_watches(self):
        self._switch('resume_watches')

    def cut_watches(self):
        """Close the connections of all running watches."""
        self._switch('cut_watches')

    def expire_history(self):
        """Forget all changes, so that a watch or list from any earlier version gets a 410."""
        self._switch('expire_history')

    def clear_faults(self):
        """Undo fail, delay, drop, insert_into_watches and stall_watches, and clear the list of requests."""
        self._switch('clear_faults')

    def requests(self):
        """Return [(method, path with query)] of the requests since `clear_faults`, oldest first."""
        return [tuple(request) for request in self._switch('requests')]

    def _switch(self, switch, **arguments):
        connection = self._connection()
        try:
            connection.request('POST', '/localkube/' + switch, json.dumps(arguments),
                               {'Authorization': 'Bearer ' + self.token})
            response = connection.getresponse()
            body = response.read().decode('utf8')
            if response.status != 200:
                raise RuntimeError('localkube rejected %s(%s): %s' % (switch, arguments, body))
            return json.loads(body)['result']
        finally:
            connection.close()

    def _connection(self):
        address = self.url.partition('//')[2]
        if self._ssl_context:
            return http.client.HTTPSConnection(address, timeout=30, context=self._ssl_context)
        return http.client.HTTPConnection(address, timeout=30)


class ThreadRunner(object):
    """Runs a Cluster in a thread with its own loop."""

    def start(self, options):
        self._cluster = self._loop = self._error = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(options,), name='localkube', daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._error:
            self._thread.join()
            raise self._error
        return os.getpid()

    def _run(self, options):
        self._loop = IOLoop(make_current=True)
        try:
            self._cluster = Cluster(**options)
        except Exception as e:  # raised by the thread that called start
            self._error = e
        self._ready.set()
        if not self._error:
            self._loop.start()
        self._loop.close()

    def stop(self):
        self._loop.add_callback(self._stop)
        self._thread.join()

    @gen.coroutine
    def _stop(self):
        try:
            yield self._cluster.stop()
        finally:
            self._loop.stop()


class ChildRunner(object):
    """Runs `python -m kubespawner.localkube`, which ends when this process does."""

    def start(self, options):
        kubeconfigs.check(options['kubeconfig'])
        with contextlib.suppress(FileNotFoundError):
            os.remove(options['kubeconfig'])  # left by a killed process; a new one means that the API responds
        arguments = [sys.executable, '-m', __name__, '--until-eof']
        environment = dict(os.environ)
        for name, value in options.items():
            if name in ('kubeconfig', 'data'):
                value = os.path.abspath(value)
            if name == 'token':
                environment[TOKEN] = value or ''
            elif name in ('kubelet', 'mounts'):
                arguments += [] if value else ['--no-' + name]
            elif name == 'rbac':
                arguments += ['--rbac'] if value else []
            elif name == 'users':
                arguments += ['--user=' + user for user in value]
            elif value is not None:
                arguments.append('--%s=%s' % (name.replace('_', '-'), option_text(value) if name.startswith('node_')
                                              else value))
        packages = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        self._process = subprocess.Popen(arguments, cwd=packages, env=environment, stdin=subprocess.PIPE,
                                         stdout=subprocess.DEVNULL)
        self._wait_for(options['kubeconfig'])
        return self._process.pid

    def _wait_for(self, kubeconfig):
        deadline = time.monotonic() + START_SECONDS
        while not os.path.exists(kubeconfig):
            if self._process.poll() is not None:
                raise RuntimeError('localkube exited with code %d while it started' % self._process.returncode)
            if time.monotonic() > deadline:
                self.stop()
                raise RuntimeError('localkube did not write %s within %d s' % (kubeconfig, START_SECONDS))
            time.sleep(0.02)

    def stop(self):
        self._process.stdin.close()
        self._process.wait()
