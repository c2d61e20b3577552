"""The virtual environments that the subjects run in: one for the checkout, one for each release to compare with.

They are kept from run to run, outside the checkout: in $BENCH_CACHE, otherwise in `~/.cache/kubespawner-bench`. All
have the Python that runs the benchmark, and the versions of JupyterHub, tornado, and whatever else they share, that pip
picked for the checkout. No release is ever imported here, or copied from there.
"""
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager

from .cluster import ROOT
from .report import BARE, PROJECT

PACKAGED = ['kubespawner', 'setup.py', 'requirements.txt', 'README.rst', 'LICENSE', 'MANIFEST.in']


def cache():
    """Return the directory of the environments; each Python has its own."""
    directory = os.environ.get('BENCH_CACHE') or os.path.expanduser('~/.cache/kubespawner-bench')
    return os.path.join(directory, 'python%d.%d' % sys.version_info[:2])


@contextmanager
def alone(log):
    """Wait until no other benchmark uses the environments: it would install its own checkout, and take CPU."""
    os.makedirs(cache(), exist_ok=True)
    with open(os.path.join(cache(), 'lock'), 'w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log('waiting for another benchmark to end')
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def prepare(releases):
    """Make what is missing, and install the checkout as it is now; return {subject: its Python's path}."""
    requirements = os.path.join(ROOT, 'requirements.txt')
    pythons = {PROJECT: _environment(PROJECT, open(requirements).read(), ['-r', requirements])}
    pythons[BARE] = pythons[PROJECT]
    constraints = os.path.join(cache(), 'constraints.txt')
    with open(constraints, 'w') as f:
        f.write(_freeze(pythons[PROJECT]))
    for release in releases:
        packages = ['jupyterhub-kubespawner==' + release, '-c', constraints]
        pythons[release] = _environment(release, packages[0] + '\n' + open(constraints).read(), packages)
    _install_checkout(pythons[PROJECT])
    return pythons


def _environment(name, content, packages):
    """Make the environment `name` unless there is one that was made for the same `content`; return its Python."""
    directory = os.path.join(cache(), name)
    python, made = os.path.join(directory, 'bin', 'python'), os.path.join(directory, 'made-for.txt')
    if not os.path.exists(made) or open(made).read() != content:
        shutil.rmtree(directory, ignore_errors=True)
        subprocess.run([sys.executable, '-m', 'venv', directory], check=True)
        _pip(python, packages)
        with open(made, 'w') as f:
            f.write(content)
    return python


def _pip(python, packages):
    subprocess.run([python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'] + packages,
                   check=True, stdout=sys.stderr)


def _freeze(python):
    """Return what is installed, as constraints; without the checkout, which earlier runs left there."""
    installed = subprocess.run([python, '-m', 'pip', 'freeze'], check=True, stdout=subprocess.PIPE).stdout
    return ''.join(line + '\n' for line in installed.decode('utf8').splitlines()
                   if '==' in line and 'kubespawner' not in line)


def _install_checkout(python):
    """Install a copy of the checkout, because building leaves things beside the sources."""
    with tempfile.TemporaryDirectory() as copy:
        for name in PACKAGED:
            source, target = os.path.join(ROOT, name), os.path.join(copy, name)
            (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, target)
        _pip(python, ['--no-deps', '--force-reinstall', copy])
