"""A JupyterHub spawner that runs each user's notebook server in a Kubernetes pod of its own.

KubeSpawner is only imported when it is used, because that takes seconds, and most commands and processes of the demo do
not need it. A hub uses it at once.
"""
import importlib
import sys

__version__ = '1.0.0'

__all__ = ['KubeSpawner', '__version__']

PUBLIC_MODULES = ['clients', 'objects', 'proxy', 'reflector', 'slugs', 'spawner', 'traitlets', 'utils']


def __getattr__(name):
    """Import a public name when it is first used. Python 3.6 does not call this."""
    if name == 'KubeSpawner':
        from .hub_start import check_when_hub_starts
        from .spawner import KubeSpawner
        check_when_hub_starts()
        globals()[name] = KubeSpawner
        return KubeSpawner
    if name in PUBLIC_MODULES:
        return importlib.import_module('.' + name, __name__)
    raise AttributeError('module %r has no attribute %r' % (__name__, name))


if sys.version_info < (3, 7) or 'jupyterhub.app' in sys.modules:
    __getattr__('KubeSpawner')
