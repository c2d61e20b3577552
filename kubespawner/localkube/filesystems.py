"""What the processes of a container see of its volumes.

What belongs here: the home directory, the working directory and the mounts of a container. What does not: making
volumes (volumes.py), mounting (mount_namespace.py). Runs on the loop thread of the server.
"""
import logging
import os
import subprocess
import sys

from . import mount_namespace
from .environment import ConfigError, expand
from .projections import KINDS
from .volumes import CLAIM

log = logging.getLogger('kubespawner.localkube')

WITH = 'Volumes are at their mount paths, because this machine allows mount namespaces.'
WITHOUT = 'Volumes are not at their mount paths: %s. The first claim of a container is its home directory.'
HOSTS = '/etc/hosts'
PROBE_SECONDS = 30


def choose(wanted=True):
    """Return the class that this machine allows, and log which one it is."""
    reason = why_no_namespaces() if wanted else 'it was started with --no-mounts'
    if reason:
        log.info(WITHOUT, reason)
        return SharedFileSystem
    log.info(WITH)
    return OwnFileSystem


def why_no_namespaces():
    """Return why a process on this machine cannot have a mount namespace, or '' if it can."""
    try:
        probe = subprocess.run([sys.executable, '-I', '-S', mount_namespace.__file__], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=PROBE_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as e:
        return str(e)
    if probe.returncode == 0:
        return ''
    return 'this machine allows no mount namespaces (%s)' % probe.stderr.decode('utf8', 'replace').strip()


class FileSystem(object):
    """The volumes of one pod, as its containers see them.

    pod (dict): the pod.
    directories (dict): volume name -> its directory on this machine.
    directory (str): what belongs to this pod.
    """

    def __init__(self, pod, directories, directory):
        self.directories = directories
        self.default_home = os.path.join(directory, 'home')
        self.hosts = os.path.join(directory, 'hosts')
        self.stage = os.path.join(directory, 'stage')
        volumes = pod['spec'].get('volumes', ())
        self.claims = {volume['name'] for volume in volumes if CLAIM in volume}
        self.read_only = {volume['name'] for volume in volumes if set(volume) & set(KINDS) or volume.get(
            CLAIM, {}).get('readOnly')}

    def source(self, mount, variables=None):
        """Return the path of what is mounted. Raise ConfigError for a subPath that does not fit."""
        directory = self.directories[mount['name']]
        path = mount.get('subPath') or expand(mount.get('subPathExpr', ''), variables or {})
        if not path:
            return directory
        if path.startswith('/') or '..' in path.split('/'):
            raise ConfigError('subPath "%s" must be a relative path without ".."' % path)
        return os.path.join(directory, path)

    def first_claim(self, container):
        return next((mount for mount in container.get('volumeMounts', ()) if mount['name'] in self.claims), None)


class OwnFileSystem(FileSystem):
    """Each process has a mount namespace, in which volumes are at their mount paths."""

    has_mounts = True

    def home(self, container):
        claim = self.first_claim(container)
        if claim:
            return normal(claim['mountPath'])
        os.makedirs(self.default_home, exist_ok=True)
        return self.default_home

    def working_directory(self, container):
        return normal(container['workingDir']) if container.get('workingDir') else self.home(container)

    def namespace(self, container, variables):
        """Return the arguments of mount_namespace.arrange."""
        os.makedirs(self.stage, exist_ok=True)
        mounts = [[self.hosts, HOSTS, True]]
        for mount in container.get('volumeMounts', ()):
            source = self.source(mount, variables)
            if not os.path.exists(source):
                os.makedirs(source)
            mounts.append([source, normal(mount['mountPath']), bool(
                mount.get('readOnly') or mount['name'] in self.read_only)])
        # What hides the directory of this pod comes last, because all sources are there.
        mounts.sort(key=lambda mount: (is_below(self.stage, mount[1]), mount[1]))
        return {'stage': self.stage, 'mounts': mounts, 'directories': [self.working_directory(container)]}


class SharedFileSystem(FileSystem):
    """All processes see the file system of this machine. The first claim of a container is its home directory."""

    has_mounts = False

    def home(self, container):
        claim = self.first_claim(container)
        directory = self.source(claim).rstrip('/') if claim else self.default_home
        os.makedirs(directory, exist_ok=True)
        return directory

    def working_directory(self, container):
        """Return workingDir, in a volume or on this machine, or else the home directory."""
        wanted = container.get('workingDir')
        if not wanted:
            return self.home(container)
        for mount in sorted(container.get('volumeMounts', ()), key=lambda mount: mount['mountPath'], reverse=True):
            path = mount['mountPath'].rstrip('/')
            if is_below(wanted, path):
                inside = os.path.join(self.source(mount), wanted[len(path):].lstrip('/'))
                os.makedirs(inside, exist_ok=True)
                return inside
        return wanted

    def namespace(self, container, variables):
        return None


def normal(path):
    """Return an absolute path without `..`."""
    return os.path.normpath('/' + path.lstrip('/'))


def is_below(path, directory):
    """Return whether a path is a directory, or in it."""
    return (path + '/').startswith(directory.rstrip('/') + '/')
