"""The directories and files of the demo, which nobody but this user can read."""
import base64
import os
import shutil
import tempfile

import yaml

from kubespawner.localkube import directories

from .output import DemoError

# The path of a Unix socket has at most 107 bytes. The sockets of kernels are named kernel-UUID-ipc-N.
LONGEST_RUNTIME_DIRECTORY = 107 - len('/kernel-12345678-1234-1234-1234-123456789012-ipc-10')


def make_directory(at_end, keeps_logs):
    """Return a new directory for the files of the demo.

    at_end (callable): takes a function that removes it. keeps_logs (callable): returns whether that leaves the logs.
    """
    try:
        path = directories.temporary('demo')
    except OSError as e:
        raise DemoError('The demo cannot create a directory for its files: %s' % e)
    at_end(lambda: remove_directory(path, keeps_logs()))
    return path


def remove_directory(path, keeps_logs):
    """Remove a directory, or all but the logs in it. The next demo removes them."""
    for name in os.listdir(path):
        inner = os.path.join(path, name)
        if os.path.isdir(inner) and not os.path.islink(inner):
            shutil.rmtree(inner, ignore_errors=True)
        elif not (keeps_logs and name.endswith('.log')):
            os.remove(inner)
    if not os.listdir(path):
        os.rmdir(path)


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
    """Copy the kubeconfig `source` to the path `target`; return the name of its current context.

    The paths in the copy are absolute, and certificates are in files beside it. Otherwise the Kubernetes client writes
    them to the temporary directory, where they stay if it is killed.

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
    entries = (content.get('clusters') or []) + (content.get('users') or [])
    sections = [section for entry in entries for section in (entry.get('cluster'), entry.get('user')) if section]
    for number, section in enumerate(sections):
        for key in ('certificate-authority', 'client-certificate', 'client-key'):
            data = section.pop(key + '-data', None)  # which has precedence over the path
            if data:
                section[key] = '%s-%d-%s' % (target, number, key)
                write_private(section[key], base64.b64decode(data))
            elif key in section:
                section[key] = os.path.join(directory, section[key])
    write_private(target, yaml.safe_dump(content).encode('utf8'))
    return context


def write_private(path, content):
    """Write bytes to a file that only its owner can read."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'wb') as f:
        f.write(content)
