"""A complete localkube.

What belongs here: the order in which the parts start and stop. What does not: what the parts do. `Cluster` runs on the
current loop of the thread that creates it, and `stop` is a coroutine for that loop.
"""
import fcntl
import os
import secrets
import shutil

from tornado import gen

from . import certificate, default_roles, directories, kubeconfigs, node, releases
from .accounts import AccountController
from .controllers import ClaimController, EventExpirer, NamespaceController
from .endpoint_slices import EndpointSliceController
from .endpoints import EndpointsController
from .garbage import GarbageCollector
from .kubelet import Kubelet
from .limit_ranges import LimitRanger
from .quotas import QuotaController
from .scheduling import Scheduler
from .server import Api


class Cluster(object):
    """A one-node Kubernetes.

    kubeconfig (str): path of the file to write.
    port (int): port of the API; 0 means any free port.
    data (str or None): directory for claims and logs, which other users cannot read. None means a temporary directory,
        which `stop` removes.
    token (str or None): bearer token of the API; None means a random token.
    kubelet (bool): with False there is no node, and pods and claims stay Pending.
    backoff (float): seconds before the second restart of a container that fails; doubled for each further restart.
    mounts (bool): with False, volumes are not at their mount paths, even if this machine allows it.
    rbac (bool): with True, users have the rights that roles give them, and no others. With False, they have all.
    users (list of str): further users, as NAME or NAME=GROUP,GROUP. Each gets a kubeconfig: `kubeconfig`-NAME.
    node_labels (dict or str): labels of the node besides those of every node: {'zone': 'a'} or 'zone=a'.
    node_taints (list or str): taints of the node: ['gpu=yes:NoSchedule'] or the same with commas in one string.
    node_allocatable (dict or str): what the node has for pods: {'cpu': 4, 'example.com/gpu': 1} or 'cpu=4,...'. The
        default is what this machine has, and 110 pods.
    version (str): the release of Kubernetes as which the API answers, such as '1.20'.

    Raise ValueError for options that cannot be read.
    """

    def __init__(self, kubeconfig, port=0, data=None, token=None, kubelet=True, backoff=10, mounts=True, rbac=False,
                 users=(), node_labels=None, node_taints=None, node_allocatable=None,
                 version='%d.%d' % releases.TODAY):
        users = [parse_user(user) for user in users]
        options = {'backoff': backoff, 'mounts': mounts, 'node_labels': node.labels(node_labels),
                   'node_taints': node.taints(node_taints), 'node_allocatable': node.allocatable(node_allocatable)}
        self.release = releases.parse(version)
        self.kubeconfig = kubeconfig
        self.user_kubeconfigs = {name: kubeconfigs.path_of(kubeconfig, name) for name, _ in users}
        self.kubeconfigs = [kubeconfig] + list(self.user_kubeconfigs.values())
        for path in self.kubeconfigs:
            kubeconfigs.check(path)
        self.temporary = None if data else directories.temporary('localkube')
        self.data = os.path.abspath(data or self.temporary)
        self._lock = lock_directory(self.data)
        shutil.rmtree(os.path.join(self.data, 'pods'), ignore_errors=True)  # left by a killed process
        self._tls = os.path.join(self.data, 'tls')
        try:
            self._start(token or secrets.token_hex(32), port, rbac, users, options if kubelet else None)
        except Exception:
            self._release()
            raise

    def _start(self, token, port, rbac, users, kubelet):
        context, authority = certificate.make(self._tls)
        self.api = Api(token, context, port, rbac, self.release)
        self.url = '%s://127.0.0.1:%d' % ('https' if context else 'http', self.api.port)
        registry = self.api.registry
        self.controllers = [NamespaceController(registry), ClaimController(registry, self.data, binds=bool(kubelet)),
                            LimitRanger(registry), QuotaController(registry), GarbageCollector(registry),
                            EndpointsController(registry), EndpointSliceController(registry),
                            AccountController(registry, certificate.text_of(authority))]
        if rbac:
            default_roles.create(registry)
            self.controllers.append(default_roles.AggregationController(registry))
        self.expirer = EventExpirer(registry)
        self.kubelet = None
        if kubelet:
            self.kubelet = Kubelet(registry, self.data, token_for=self.api.access.accounts.token_for,
                                   api_port=self.api.port, **kubelet)
            self.api.logs = self.kubelet.logs
            self.api.node = self.kubelet
            self.controllers.append(Scheduler(registry))
        names = self._publish_names() if kubelet else None
        content = kubeconfigs.content(self.url, authority, names)
        for name, groups in users:
            own_token = self.api.access.users.add(name, groups)
            kubeconfigs.write(self.user_kubeconfigs[name], kubeconfigs.of_user(content, name, own_token))
        kubeconfigs.write(self.kubeconfig, kubeconfigs.of_user(content, kubeconfigs.ADMIN, token))

    def _publish_names(self):
        """Write a hosts file for programs outside of pods, see enter.py. Return its directory."""
        directory = os.path.join(self.data, 'names')
        os.makedirs(os.path.join(directory, 'stage'), exist_ok=True)
        self.kubelet.hosts.add(os.path.join(directory, 'hosts'), 'default')
        return directory

    @gen.coroutine
    def stop(self):
        """Stop the API and the processes of all pods, and remove temporary files."""
        yield self.api.stop()
        self.expirer.stop()
        if self.kubelet:
            yield self.kubelet.stop()
        for path in self.kubeconfigs:
            if os.path.exists(path):
                os.remove(path)
        self._release()

    def _release(self):
        """Remove temporary files, and unlock the directory for other localkubes."""
        shutil.rmtree(self._tls, ignore_errors=True)
        shutil.rmtree(os.path.join(self.data, 'names'), ignore_errors=True)
        self._lock.close()
        if self.temporary:
            shutil.rmtree(self.temporary, ignore_errors=True)


def parse_user(text):
    """Return (name, groups) of NAME or NAME=GROUP,GROUP. Raise ValueError."""
    name, _, groups = text.partition('=')
    if not name or name == kubeconfigs.ADMIN:
        raise ValueError('"%s" cannot be the name of a further user' % name)
    return name, [group for group in groups.split(',') if group]


def lock_directory(path):
    """Lock a directory, and return the open lock file. Raise OSError if another localkube uses the directory."""
    directories.make_private(path)
    lock = os.fdopen(os.open(os.path.join(path, 'lock'), os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600), 'w')
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise OSError('%s is in use by another localkube. Choose another directory for the data.' % path)
    return lock
