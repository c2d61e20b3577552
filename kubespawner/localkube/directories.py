"""Temporary directories that do not outlive their process for long.

What belongs here: making them, and removing those that processes left which were killed. What does not: what is in
them. Any thread.
"""
import glob
import os
import shutil
import tempfile


def temporary(prefix):
    """Return the path of a new directory, its owner's alone; remove those of the same prefix whose process is gone."""
    for path in glob.glob(os.path.join(tempfile.gettempdir(), prefix + '-*-*')):
        pid = path.split('-')[-2]
        if pid.isdigit() and not os.path.exists('/proc/' + pid) and os.stat(path).st_uid == os.getuid():
            shutil.rmtree(path, ignore_errors=True)
    return tempfile.mkdtemp(prefix='%s-%d-' % (prefix, os.getpid()))
