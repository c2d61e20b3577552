"""All parts of a localkube put together, and the kubeconfig that leads to it.

What belongs here: what starts and stops in which order. What does not: what the parts do. `Cluster` lives on the
thread of the loop that is current when it is made; `stop` is a coroutine of that loop.
"""
import fcntl
import json
import os
import secrets
import shutil
import stat
import tempfile

from tornado import gen

from . import certificate, directories
from .controllers import ClaimController, EventExpirer, NamespaceController, Scheduler
from .kubelet import Kubelet
from .server import Api

MARK = '# Written by kubespawner.localkube, which overwrites it. It is of no use when localkube has ended.\n'


class Cluster(object):
    """A one-node Kubernetes.

    kubeconfig (str): path of the file to write.
    port (int): of the API; 0 is any free one.
    data (str or None): directory for claims and logs, closed to other users; None is a temporary one, removed by
        `stop`.
    token (str or None): bearer token of the API; None is a random one.
    kubelet (bool): False leaves out the node: pods stay Pending.
    backoff (float): seconds before the second restart of a container that fails; doubled each time.
    """

    def __init__(self, kubeconfig, port=0, data=None, token=None, kubelet=True, backoff=10):
        check_kubeconfig(kubeconfig)
        self.kubeconfig = kubeconfig
        self.temporary = None if data else directories.temporary('localkube')
        self.data = os.path.abspath(data or self.temporary)
        self._lock = lock_directory(self.data)
        shutil.rmtree(os.path.join(self.data, 'pods'), ignore_errors=True)  # of one that was killed
        self._tls = os.path.join(self.data, 'tls')
        try:
            self._start(token or secrets.token_hex(32), port, kubelet, backoff)
        except Exception:
            self._release()
            raise

    def _start(self, token, port, kubelet, backoff):
        context, authority = certificate.make(self._tls)
        self.api = Api(token, context, port)
        self.url = '%s://127.0.0.1:%d' % ('https' if context else 'http', self.api.port)
        registry = self.api.registry
        self.controllers = [NamespaceController(registry), ClaimController(registry, self.data)]
        self.expirer = EventExpirer(registry)
        self.kubelet = None
        if kubelet:
            self.kubelet = Kubelet(registry, self.data, backoff)
            self.api.logs = self.kubelet.logs
            self.controllers.append(Scheduler(registry))
        write_kubeconfig(self.kubeconfig, self.url, token, authority)

    @gen.coroutine
    def stop(self):
        """End all pods' processes, then the API; remove what was temporary."""
        yield self.api.stop()
        self.expirer.stop()
        if self.kubelet:
            yield self.kubelet.stop()
        if os.path.exists(self.kubeconfig):
            os.remove(self.kubeconfig)
        self._release()

    def _release(self):
        """Remove what was temporary, and let other localkubes have the directory."""
        shutil.rmtree(self._tls, ignore_errors=True)
        self._lock.close()
        if self.temporary:
            shutil.rmtree(self.temporary, ignore_errors=True)


def lock_directory(path):
    """Return an open file that keeps other localkubes out of a directory. Raise OSError when one is there."""
    directories.make_private(path)
    lock = os.fdopen(os.open(os.path.join(path, 'lock'), os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600), 'w')
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise OSError('%s is in use by another localkube: name another directory for its data' % path)
    return lock


def check_kubeconfig(path):
    """Raise FileExistsError rather than overwrite a kubeconfig that leads elsewhere.

    Raise PermissionError for a place where another user could put one: kubectl runs the programs that it names.
    """
    directory = os.path.dirname(os.path.abspath(path))
    status = os.stat(directory)
    if status.st_uid != os.geteuid() or status.st_mode & stat.S_IWOTH:
        raise PermissionError('other users can write to %s: name a file in a directory of your own' % directory)
    if os.path.exists(path) and os.path.getsize(path):
        with open(path, encoding='utf8', errors='replace') as f:
            if f.readline() != MARK:
                raise FileExistsError('%s was not written by localkube, and is left alone: name another file' % path)


def write_kubeconfig(path, url, token, authority):
    """Write the file at once, so that whoever waits for it never reads half of it.

    It is JSON below a comment, which is YAML. `authority` (str or None) is the path of a certificate: were it the
    certificate itself, clients would write it to a temporary file, and leave that behind when they are killed.
    """
    cluster = {'server': url}
    if authority:
        cluster['certificate-authority'] = authority
    content = {'apiVersion': 'v1', 'kind': 'Config', 'current-context': 'localkube',
               'clusters': [{'name': 'localkube', 'cluster': cluster}],
               'users': [{'name': 'localkube', 'user': {'token': token}}],
               'contexts': [{'name': 'localkube',
                             'context': {'cluster': 'localkube', 'user': 'localkube', 'namespace': 'default'}}]}
    directory = os.path.dirname(os.path.abspath(path))
    descriptor, temporary = tempfile.mkstemp(dir=directory, prefix='.localkube-')  # readable by its owner only
    with os.fdopen(descriptor, 'w', encoding='utf8') as f:
        f.write(MARK + json.dumps(content, indent=2, ensure_ascii=False) + '\n')
    os.rename(temporary, path)
