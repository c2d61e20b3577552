"""Directories that nobody but this user can look into or write to.

What belongs here: finding a place for them, checking that they are this user's own, and removing those of processes
that were killed. What does not: what is in them. Any thread.

They are in $XDG_RUNTIME_DIR or below the home directory, never in the temporary directory that all users share: who
can guess a path there can make it first.
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
    """Raise PermissionError unless `path` is a directory, no link, of this user, that nobody else may enter."""
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise PermissionError('%s must be a directory of your own with mode 700, and no link: mend it or remove it'
                              % path)


def make_private(path):
    """Make a directory that only this user may enter; one of this user that is there already is closed to others.

    Raise PermissionError if it belongs to somebody else.
    """
    if not os.path.isdir(path):
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        os.mkdir(path, PRIVATE)
    if os.stat(path).st_uid != os.geteuid():
        raise PermissionError('%s belongs to another user: name a directory of your own' % path)
    os.chmod(path, PRIVATE)


def private():
    """Return the directory in which to make others: $XDG_RUNTIME_DIR, or else ~/.cache/kubespawner, made if need be.

    Raise OSError if there is none, or PermissionError if it is not this user's own.
    """
    runtime = os.environ.get('XDG_RUNTIME_DIR', '')
    if os.path.isabs(runtime):
        try:
            check_private(runtime)
            return runtime
        except OSError:
            pass  # that of the user who became this one with su, perhaps
    path = os.path.join(os.path.expanduser('~'), '.cache', 'kubespawner')
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if not os.path.lexists(path):
        os.mkdir(path, PRIVATE)
    check_private(path)
    return path


def temporary(prefix, parent=None):
    """Return the path of a new directory, its owner's alone; remove those of the same prefix whose process is gone.

    parent (str or None): where it is made; None is the directory that `private` returns.
    """
    parent = private() if parent is None else parent
    machine = '%08x' % zlib.crc32(socket.gethostname().encode('utf8', 'surrogateescape'))  # homes may be shared
    for path in glob.glob(os.path.join(glob.escape(parent), '%s-%s-*-*' % (prefix, machine))):
        if is_abandoned(path):
            shutil.rmtree(path, ignore_errors=True)
    return tempfile.mkdtemp(prefix='%s-%s-%d-' % (prefix, machine, os.getpid()), dir=parent)


def is_abandoned(path):
    """Return whether a directory that `temporary` made is of a process of this user that has ended."""
    pid = path.split('-')[-2]
    try:
        return pid.isdigit() and not os.path.exists('/proc/' + pid) and os.lstat(path).st_uid == os.geteuid()
    except OSError:
        return False  # another process has just removed it
