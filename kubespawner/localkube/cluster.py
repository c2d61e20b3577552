"""A complete localkube, and its kubeconfig.

What belongs here: the order in which the parts start and stop. What does not: what the parts do. `Cluster` runs on the
current loop of the thread that creates it, and `stop` is a coroutine for that loop.
"""
import fcntl
import json
import os
import secrets
import shutil
import stat
import tempfile

from tornado import gen

from . import certificate, directories, releases
from .controllers import ClaimController, EventExpirer, NamespaceController, Scheduler
from .endpoints import EndpointsController
from .garbage import GarbageCollector
from .kubelet import Kubelet
from .server import Api

EXTENSION = 'kubespawner.localkube'  # what the kubeconfig says to enter.py
MARK = '# Written by kubespawner.localkube, which overwrites it. It is of no use when localkube has ended.\n'


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
    version (str): the release of Kubernetes as which the API answers, such as '1.20'.
    """

    def __init__(self, kubeconfig, port=0, data=None, token=None, kubelet=True, backoff=10,
                 mounts=True, version='%d.%d' % releases.TODAY):
        self.release = releases.parse(version)
        check_kubeconfig(kubeconfig)
        self.kubeconfig = kubeconfig
        self.temporary = None if data else directories.temporary('localkube')
        self.data = os.path.abspath(data or self.temporary)
        self._lock = lock_directory(self.data)
        shutil.rmtree(os.path.join(self.data, 'pods'), ignore_errors=True)  # left by a killed process
        self._tls = os.path.join(self.data, 'tls')
        try:
            self._start(token or secrets.token_hex(32), port, kubelet and {'backoff': backoff, 'mounts': mounts})
        except Exception:
            self._release()
            raise

    def _start(self, token, port, kubelet):
        context, authority = certificate.make(self._tls)
        self.api = Api(token, context, port, self.release)
        self.url = '%s://127.0.0.1:%d' % ('https' if context else 'http', self.api.port)
        registry = self.api.registry
        self.controllers = [NamespaceController(registry), ClaimController(registry, self.data, binds=bool(kubelet)),
                            GarbageCollector(registry), EndpointsController(registry)]
        self.expirer = EventExpirer(registry)
        self.kubelet = None
        if kubelet:
            self.kubelet = Kubelet(registry, self.data, **kubelet)
            self.api.logs = self.kubelet.logs
            self.controllers.append(Scheduler(registry))
        names = self._publish_names() if kubelet else None
        write_kubeconfig(self.kubeconfig, self.url, token, authority, names)

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
        if os.path.exists(self.kubeconfig):
            os.remove(self.kubeconfig)
        self._release()

    def _release(self):
        """Remove temporary files, and unlock the directory for other localkubes."""
        shutil.rmtree(self._tls, ignore_errors=True)
        shutil.rmtree(os.path.join(self.data, 'names'), ignore_errors=True)
        self._lock.close()
        if self.temporary:
            shutil.rmtree(self.temporary, ignore_errors=True)


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


def check_kubeconfig(path):
    """Raise FileExistsError if `path` is the kubeconfig of another cluster.

    Raise PermissionError if another user could write to its directory, because kubectl runs programs from a kubeconfig.
    """
    directory = os.path.dirname(os.path.abspath(path))
    status = os.stat(directory)
    if status.st_uid != os.geteuid() or status.st_mode & stat.S_IWOTH:
        raise PermissionError('other users can write to %s. Choose a file in a directory of your own.' % directory)
    if os.path.exists(path) and os.path.getsize(path):
        with open(path, encoding='utf8', errors='replace') as f:
            if f.readline() != MARK:
                raise FileExistsError('localkube did not write %s, so it keeps it. Choose another file.' % path)


def write_kubeconfig(path, url, token, authority, names=None):
    """Write the kubeconfig atomically, so that nobody reads an incomplete file.

    It consists of a YAML comment and JSON. `authority` (str or None) is the path of a certificate. If the kubeconfig
    contained the certificate itself, clients would write it to a temporary file, which remains if they are killed.
    `names` (str or None) is the directory of a hosts file, which enter.py finds here.
    """
    cluster = {'server': url}
    if authority:
        cluster['certificate-authority'] = authority
    context = {'cluster': 'localkube', 'user': 'localkube', 'namespace': 'default'}
    if names:
        context['extensions'] = [{'name': EXTENSION, 'extension': {'hosts': names}}]
    content = {'apiVersion': 'v1', 'kind': 'Config', 'current-context': 'localkube',
               'clusters': [{'name': 'localkube', 'cluster': cluster}],
               'users': [{'name': 'localkube', 'user': {'token': token}}],
               'contexts': [{'name': 'localkube', 'context': context}]}
    directory = os.path.dirname(os.path.abspath(path))
    descriptor, temporary = tempfile.mkstemp(dir=directory, prefix='.localkube-')  # only the owner can read it
    with os.fdopen(descriptor, 'w', encoding='utf8') as f:
        f.write(MARK + json.dumps(content, indent=2, ensure_ascii=False) + '\n')
    os.rename(temporary, path)
