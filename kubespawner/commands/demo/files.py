"""The directories and files of the demo, which nobody but this user can read."""
import os
import shutil
import tempfile

import yaml

from kubespawner.localkube import directories

from .output import DemoError

# The path of a Unix socket has at most 107 bytes. The sockets of kernels are named kernel-UUID-ipc-N.
LONGEST_RUNTIME_DIRECTORY = 107 - len('/kernel-12345678-1234-1234-1234-123456789012-ipc-10')


def make_directory(at_end):
    """Return a new directory for the files of the demo. at_end (callable): takes a function that removes it."""
    try:
        path = directories.temporary('demo')
    except OSError as e:
        raise DemoError('The demo cannot create a directory for its files: %s' % e)
    at_end(lambda: shutil.rmtree(path, ignore_errors=True))
    return path


def make_runtime_directory(parent, at_end):
    """Return a new directory for the sockets of kernels, in `parent` if its path is short enough for them then."""
    path = os.path.join(parent, 'run')
    if is_short_enough(path):
        os.mkdir(path)
        return path
    path = directories.temporary('demo', tempfile.gettempdir())
    at_end(lambda: shutil.rmtree(path, ignore_errors=True))
    if not is_short_enough(path):
        raise DemoError('The path of the temporary directory %s is too long; set TMPDIR to a shorter one.' % path)
    return path


def is_short_enough(path):
    return len(os.fsencode(path)) <= LONGEST_RUNTIME_DIRECTORY


def copy_kubeconfig(source, context, target):
    """Copy the kubeconfig `source` to the path `target`, with absolute paths; return the name of its current context.

    context (str or None): the context to make the current one; None keeps the current one.

    Raises ValueError if the file does not contain the context.
    """
    with open(source) as f:
        content = yaml.safe_load(f)
    if not isinstance(content, dict):
        raise ValueError('it is not a kubeconfig')
    context = context or content.get('current-context')
    names = [entry['name'] for entry in content.get('contexts') or []]
    if context not in names:
        raise ValueError('it has no context %r; its contexts are: %s' % (context, ', '.join(names) or 'none'))
    content['current-context'] = context
    directory = os.path.dirname(os.path.abspath(source))
    for entry in (content.get('clusters') or []) + (content.get('users') or []):
        for section in (entry.get('cluster'), entry.get('user')):
            for key in {'certificate-authority', 'client-certificate', 'client-key'} & set(section or ()):
                section[key] = os.path.join(directory, section[key])
    with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as f:
        yaml.safe_dump(content, f)
    return context
