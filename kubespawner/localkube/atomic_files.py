"""Directories of files that change all at once, as a kubelet writes them.

What belongs here: writing. What does not: what the files contain (projections.py). Any thread.

The files are in a hidden directory, to which the link `..data` points. Each visible name is a link through `..data`, so
that a program sees all of the old files or all of the new ones.
"""
import os
import shutil
import tempfile

DATA = '..data'


def write(directory, files):
    """Make `files` the contents of a directory. files (dict): relative path -> (bytes, mode)."""
    os.makedirs(directory, exist_ok=True)
    link = os.path.join(directory, DATA)
    old = os.readlink(link) if os.path.islink(link) else ''
    if old and read(os.path.join(directory, old)) == files:
        return
    new = tempfile.mkdtemp(prefix='..', dir=directory)
    os.chmod(new, 0o755)
    for path, (content, mode) in files.items():
        write_file(os.path.join(new, path), content, mode)
    point(link, os.path.basename(new))
    names = {path.partition('/')[0] for path in files}
    for name in names:
        if not os.path.lexists(os.path.join(directory, name)):
            point(os.path.join(directory, name), os.path.join(DATA, name))
    for name in os.listdir(directory):
        if name not in names and not name.startswith('..') and os.path.islink(os.path.join(directory, name)):
            os.remove(os.path.join(directory, name))
    if old:
        shutil.rmtree(os.path.join(directory, old), ignore_errors=True)


def point(link, target):
    """Make a symbolic link, or change it in one step."""
    new = link + '_tmp'
    os.symlink(target, new)
    os.rename(new, link)


def write_file(path, content, mode):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), 'wb') as f:
        os.fchmod(f.fileno(), mode)  # whatever the umask of localkube is
        f.write(content)


def read(directory):
    """Return {relative path: (bytes, mode)} of a directory."""
    found = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, 'rb') as f:
                found[os.path.relpath(path, directory)] = f.read(), os.fstat(f.fileno()).st_mode & 0o7777
    return found
