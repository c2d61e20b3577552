"""A mount namespace for one process, in which volumes are at their mount paths.

What belongs here: mounting, with the standard library only. What does not: which volumes there are (volumes.py). This
file is part of the shim, and runs in a process with one thread, before it executes the program of a container. Run as a
program, it exits with 0 if this machine allows such namespaces.

A mount path that does not exist on this machine is not created there. Instead, the deepest existing directory above it
is covered with a tmpfs that contains everything that the directory contains, and the mount path.
"""
import ctypes
import os
import stat
import sys
import tempfile

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE, MS_RELATIME = 1, 32, 4096, 8192, 16384, 1 << 18, 1 << 21
MNT_DETACH = 2
PR_SET_DUMPABLE = 4
KEPT_FLAGS = os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC | os.ST_NOATIME | os.ST_NODIRATIME
OLD_ROOT = '.old-root'


def call(function, *args):
    """Call a function of the C library. Raise OSError if it fails. Strings are paths; None is a null pointer."""
    args = [os.fsencode(arg) if isinstance(arg, str) else arg for arg in args]
    if getattr(ctypes.CDLL(None, use_errno=True), function)(*args) != 0:
        number = ctypes.get_errno()
        raise OSError(number, '%s: %s' % (function, os.strerror(number)))


def mount(source, target, flags, kind=None, options=None):
    call('mount', source, target, kind, ctypes.c_ulong(flags), options)


def enter():
    """Move this process to a mount namespace of its own: as root directly, or else with a user namespace."""
    uid, gid = os.geteuid(), os.getegid()
    try:
        call('unshare', CLONE_NEWNS)
    except PermissionError:
        call('unshare', CLONE_NEWUSER | CLONE_NEWNS)
        call('prctl', PR_SET_DUMPABLE, 1, 0, 0, 0)  # or else the files belong to root, if the user was changed before
        for name, text in (('setgroups', 'deny'), ('uid_map', '%d %d 1' % (uid, uid)),
                           ('gid_map', '%d %d 1' % (gid, gid))):
            with open('/proc/self/' + name, 'w') as f:
                f.write(text)
    mount(None, '/', MS_REC | MS_PRIVATE)


class FileSystem(object):
    """The file system of this process, which is in a mount namespace of its own.

    stage (str): an empty directory, where new file systems are put together.
    """

    def __init__(self, stage):
        self.stage = stage
        self._targets = []  # where volumes are
        self._covers = set()  # the device numbers of what covers directories

    def bind(self, source, target):
        """Mount a file or directory at `target`, an absolute path. Return the path without links."""
        target = os.path.realpath(target)
        if target == '/':
            raise OSError('a volume cannot replace the root directory')
        if os.path.isdir(source):
            self.make_directory(target)
        else:
            self.make_directory(os.path.dirname(target))
            self.make_file(target)
        mount(source, target, MS_BIND | MS_REC)
        self._targets.append(target)
        return target

    def make_directory(self, path):
        path = os.path.realpath(path)
        if not os.path.isdir(path):
            self.cover_above(path)
            os.makedirs(path)

    def make_file(self, path):
        if not os.path.exists(path):
            self.cover_above(path)
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))

    def cover_above(self, path):
        """Make the deepest existing directory above `path` one in which nothing on this machine is changed."""
        parent = os.path.dirname(path)
        while not os.path.isdir(parent):
            parent = os.path.dirname(parent)
        in_volume = any((parent + '/').startswith(target + '/') for target in self._targets)
        if not in_volume and os.stat(parent).st_dev not in self._covers:
            self.cover(parent)

    def cover(self, directory):
        """Cover a directory with a tmpfs that contains everything that the directory contains."""
        mount('tmpfs', self.stage, 0, 'tmpfs', b'mode=755')
        names = os.listdir(directory)
        # The stage can be below the directory. Then it has to be copied while it is empty.
        names.sort(key=lambda name: not self.stage.startswith(os.path.join(directory, name)))
        for name in names:
            show(os.path.join(directory, name), os.path.join(self.stage, name))
        os.chmod(self.stage, stat.S_IMODE(os.stat(directory).st_mode))
        if directory == '/':
            self.replace_root()
        else:
            mount(self.stage, directory, MS_MOVE)
        self._covers.add(os.stat(directory).st_dev)

    def replace_root(self):
        os.mkdir(os.path.join(self.stage, OLD_ROOT))
        call('pivot_root', self.stage, os.path.join(self.stage, OLD_ROOT))
        os.chdir('/')
        call('umount2', '/' + OLD_ROOT, MNT_DETACH)
        os.rmdir('/' + OLD_ROOT)


def show(source, target):
    """Make `source` visible at `target`, which does not exist yet."""
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
        return
    if os.path.isdir(source):
        os.mkdir(target)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
    mount(source, target, MS_BIND | MS_REC)


def protect(path):
    """Make a mount read-only. A user namespace does not allow to drop any other flag that it has."""
    flags = os.statvfs(path).f_flag
    kept = flags & KEPT_FLAGS | (MS_RELATIME if flags & os.ST_RELATIME else 0)
    mount(None, path, MS_REMOUNT | MS_BIND | MS_RDONLY | kept)


def arrange(stage, mounts, directories):
    """Give this process a mount namespace. Raise OSError if that is not possible.

    stage (str): an empty directory.
    mounts (list): [source, target, whether it is read-only]; a target comes after those that contain it.
    directories (list of str): directories that must exist, such as the working directory.
    """
    enter()
    files = FileSystem(stage)
    protected = []
    for source, target, read_only in mounts:
        target = files.bind(source, target)
        if read_only:
            protected.append(target)
    for path in directories:
        files.make_directory(path)
    for target in protected:
        protect(target)


def join(pid):
    """Move this process to the mount namespace of another process. Raise OSError if that is not possible."""
    try:
        enter_namespace(pid, 'mnt')
    except PermissionError:
        enter_namespace(pid, 'user')
        enter_namespace(pid, 'mnt')


def enter_namespace(pid, kind):
    descriptor = os.open('/proc/%d/ns/%s' % (pid, kind), os.O_RDONLY | os.O_CLOEXEC)
    try:
        call('setns', descriptor, 0)
    finally:
        os.close(descriptor)


def try_out():
    """Return 0 if this machine allows what `arrange` does. Otherwise write the reason to standard error."""
    directory = tempfile.mkdtemp()
    pid = os.fork()
    if pid == 0:
        try:
            stage, volume = os.path.join(directory, 'stage'), os.path.join(directory, 'volume')
            os.mkdir(stage)
            os.mkdir(volume)
            arrange(stage, [[volume, '/localkube-%d/volume' % os.getpid(), True]], [])
            os._exit(0)
        except OSError as e:
            os.write(2, ('%s\n' % e).encode('utf8', 'replace'))
        finally:
            os._exit(1)
    status = os.waitpid(pid, 0)[1]
    for name in os.listdir(directory):
        os.rmdir(os.path.join(directory, name))
    os.rmdir(directory)
    return status


if __name__ == '__main__':
    sys.exit(1 if try_out() else 0)
