"""Volumes, which are directories on this machine.

What belongs here: creating, locating and updating directories. What does not: binding claims (controllers.py), what
comes from the API (projections.py), where a container sees them (filesystems.py). Runs on the loop thread of the
server.
"""
import os
import shutil

from . import atomic_files
from .projections import KINDS, Projection, ProjectionError

CLAIM = 'persistentVolumeClaim'


class MountError(Exception):
    """A volume cannot be mounted. The event FailedMount contains the message."""


def claim_directory(data, namespace, name):
    return os.path.join(data, 'claims', namespace, name)


def remove_claim(data, namespace, name):
    shutil.rmtree(claim_directory(data, namespace, name), ignore_errors=True)


class Volumes(object):
    """The volumes of one pod.

    store (Store), token_for (function): see projections.py.
    data, directory (str): where localkube keeps claims, and what belongs to this pod.
    """

    def __init__(self, store, data, directory, token_for):
        self.store = store
        self.data = data
        self.directory = directory
        self.token_for = token_for
        self._projections = {}  # name of a volume -> its Projection

    def mount(self, pod):
        """Create the volumes, and return {volume name: directory}. Raise MountError."""
        found = {}
        for volume in pod['spec'].get('volumes', ()):
            source = next((key for key in volume if key != 'name'), 'emptyDir')
            try:
                found[volume['name']] = self.make(pod, volume['name'], source, volume[source])
            except (MountError, ProjectionError, OSError) as e:
                raise MountError('MountVolume.SetUp failed for volume "%s" : %s' % (volume['name'], e))
        return found

    def make(self, pod, name, source, fields):
        own = os.path.join(self.directory, 'volumes', name)
        if source in KINDS:
            projection = self._projections.setdefault(name, Projection(self.store, source, fields, self.token_for))
            atomic_files.write(own, projection.files(pod))
            return own
        if source not in SOURCES:
            raise MountError('localkube has no volumes of type %s; use one of %s'
                             % (source, ', '.join(sorted(SOURCES + KINDS))))
        if source == 'emptyDir':
            os.makedirs(own, exist_ok=True)
            return own
        return host_path(fields) if source == 'hostPath' else self.claimed(pod['metadata']['namespace'], fields)

    def claimed(self, namespace, source):
        name = source['claimName']
        claim = self.store.get('persistentvolumeclaims', namespace, name)
        if claim is None:
            raise MountError('persistentvolumeclaim "%s" not found' % name)
        if claim['status'].get('phase') != 'Bound':
            raise MountError('PVC %s/%s is not bound' % (namespace, name))
        path = claim_directory(self.data, namespace, name)
        os.makedirs(path, exist_ok=True)
        return path

    def update(self, pod, resource='', name=''):
        """Write those files again that depend on an object that has changed, or all of them.

        Return why that is not possible, or ''. The files then stay as they were.
        """
        complaint = ''
        for volume, projection in self._projections.items():
            if not resource or projection.depends_on(resource, name):
                try:
                    atomic_files.write(os.path.join(self.directory, 'volumes', volume), projection.files(pod))
                except (ProjectionError, OSError) as e:
                    complaint = 'MountVolume.SetUp failed for volume "%s" : %s' % (volume, e)
        return complaint

    def renewal(self):
        """Return the monotonic time at which a token has to be renewed, or None."""
        return min(filter(None, [each.renewal() for each in self._projections.values()]), default=None)


def host_path(source):
    path, kind = source['path'], source.get('type', '')
    if kind == 'DirectoryOrCreate':
        os.makedirs(path, exist_ok=True)
    elif kind == 'FileOrCreate' and not os.path.exists(path):
        open(path, 'a').close()
    elif kind and not os.path.exists(path):
        raise MountError('hostPath type check failed: %s is not a %s' % (path, kind.lower()))
    return path


SOURCES = ('emptyDir', 'hostPath', CLAIM)
