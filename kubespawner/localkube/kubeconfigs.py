"""Kubeconfig files for localkube.

What belongs here: their content, and writing and reading them. What does not: users. Any thread. A file consists of a
YAML comment and JSON.
"""
import json
import os
import stat
import tempfile
from urllib.parse import quote

ADMIN = 'localkube'  # the user who may do everything
EXTENSION = 'kubespawner.localkube'  # what the kubeconfig says to enter.py
MARK = '# Written by kubespawner.localkube, which overwrites it. It is of no use when localkube has ended.\n'


def check(path):
    """Raise FileExistsError if `path` is the kubeconfig of another cluster.

    Raise PermissionError if another user could write to its directory, because kubectl runs programs from a kubeconfig.
    """
    directory = os.path.dirname(os.path.abspath(path))
    status = os.stat(directory)
    if status.st_uid != os.geteuid() or status.st_mode & stat.S_IWOTH:
        raise PermissionError('other users can write to %s. Choose a file in a directory of your own.' % directory)
    if os.path.exists(path) and os.path.getsize(path):
        with open(path, encoding='utf8', errors='replace') as f:
            if f.readline() != MARK:
                raise FileExistsError('localkube did not write %s, so it keeps it. Choose another file.' % path)


def content(url, authority, names=None):
    """Return the content of a kubeconfig without a user.

    `authority` (str or None) is the path of a certificate. If the kubeconfig contained the certificate itself, clients
    would write it to a temporary file, which remains if they are killed. `names` (str or None) is the directory of a
    hosts file, which enter.py finds here.
    """
    cluster = {'server': url}
    if authority:
        cluster['certificate-authority'] = authority
    context = {'cluster': 'localkube', 'namespace': 'default'}
    if names:
        context['extensions'] = [{'name': EXTENSION, 'extension': {'hosts': names}}]
    return {'apiVersion': 'v1', 'kind': 'Config', 'current-context': 'localkube',
            'clusters': [{'name': 'localkube', 'cluster': cluster}],
            'contexts': [{'name': 'localkube', 'context': context}]}


def of_user(content, name, token):
    """Return a kubeconfig with another user."""
    contexts = [dict(each, context=dict(each['context'], user=name)) for each in content['contexts']]
    return dict(content, users=[{'name': name, 'user': {'token': token}}], contexts=contexts)


def path_of(path, name):
    """Return the path of the kubeconfig of a further user. `path` is that of the administrator."""
    return '%s-%s' % (path, quote(name, safe='@:'))


def write(path, content):
    """Write a kubeconfig atomically, so that nobody reads an incomplete file. Only its owner can read it."""
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(path)), prefix='.localkube-')
    with os.fdopen(descriptor, 'w', encoding='utf8') as f:
        f.write(MARK + json.dumps(content, indent=2, ensure_ascii=False) + '\n')
    os.rename(temporary, path)


def read(path):
    """Return the content of a kubeconfig that `write` has written. Raise OSError or ValueError."""
    with open(path, encoding='utf8') as f:
        return json.loads(f.read().partition('\n')[2])
