"""The temporary files of a run, of its processes too: in one directory, of which nothing is left.

A process that a test kills cannot remove its own. What a test keeps in its `tmp_path` stays where pytest puts it.
"""
import os
import shutil
import tempfile


def own_directory(config):
    """Have this process and those that it starts use a new temporary directory, until the end of the run."""
    os.environ.setdefault('PYTEST_DEBUG_TEMPROOT', tempfile.gettempdir())
    before, directory = os.environ.get('TMPDIR'), tempfile.mkdtemp(prefix='ks-')
    os.chmod(directory, 0o1777)  # as /tmp: some processes are another user's
    use(directory)
    config.add_cleanup(lambda: (use(before), shutil.rmtree(directory, ignore_errors=True)))


def use(directory):
    """Have temporary files in a directory; None is the one of the system."""
    if directory is None:
        del os.environ['TMPDIR']
    else:
        os.environ['TMPDIR'] = directory
    tempfile.tempdir = None  # asks the environment again
