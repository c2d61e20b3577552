"""Directories that only this user can read and write.

What belongs here: choosing their location, checking their owner, and removing those of killed processes. What does not:
their contents. Any thread.

They are in $XDG_RUNTIME_DIR or in the home directory, never in the temporary directory that all users share, where
another user who guesses a path can create it first.
"""
import glob
import os
import shutil
import socket
import stat
import tempfile
import zlib

PRIVATE = 0o700


def check_private(path):
    """Raise PermissionError unless `path` is a directory (not a link) that only this user owns and can access."""
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise PermissionError('%s must be a directory of your own with mode 700, and not a link. Correct or remove it.'
                              % path)


def make_private(path):
    """Create a directory that only this user can access, or change the mode of an existing one.

    Raise PermissionError if it belongs to another user.
    """
    if not os.path.isdir(path):
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        os.mkdir(path, PRIVATE)
    if os.stat(path).st_uid != os.geteuid():
        raise PermissionError('%s belongs to another user. Choose a directory of your own.' % path)
    os.chmod(path, PRIVATE)


def private():
    """Return the parent of new directories: $XDG_RUNTIME_DIR, or else ~/.cache/kubespawner. Create it if necessary.

    Raise OSError if there is none, or PermissionError if it is not this user's own.
    """
    runtime = os.environ.get('XDG_RUNTIME_DIR', '')
    if os.path.isabs(runtime):
        try:
            check_private(runtime)
            return runtime
        except OSError:
            pass  # it may belong to another user, who switched to this user with su
    path = os.path.join(os.path.expanduser('~'), '.cache', 'kubespawner')
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if not os.path.lexists(path):
        os.mkdir(path, PRIVATE)
    check_private(path)
    return path


def temporary(prefix, parent=None):
    """Create a directory for its owner only, and return its path. Remove those of processes that have ended.

    parent (str or None): the parent directory; None means the result of `private`.
    """
    parent = private() if parent is None else parent
    machine = '%08x' % zlib.crc32(socket.gethostname().encode('utf8', 'surrogateescape'))  # homes can be shared
    for path in glob.glob(os.path.join(glob.escape(parent), '%s-%s-*-*' % (prefix, machine))):
        if is_abandoned(path):
            shutil.rmtree(path, ignore_errors=True)
    return tempfile.mkdtemp(prefix='%s-%s-%d-' % (prefix, machine, os.getpid()), dir=parent)


def is_abandoned(path):
    """Return whether a directory from `temporary` belongs to this user, and its process has ended."""
    pid = path.split('-')[-2]
    try:
        return pid.isdigit() and not os.path.exists('/proc/' + pid) and os.lstat(path).st_uid == os.geteuid()
    except OSError:
        return False  # another process has just removed it
