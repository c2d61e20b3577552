"""A JupyterHub spawner that runs each user's notebook server in a Kubernetes pod of its own.

KubeSpawner is imported when it is asked for, because it takes seconds and most commands and processes of the demo do
without it. A hub asks for it at once.
"""
import importlib
import sys

__version__ = '1.0.0'

__all__ = ['KubeSpawner', '__version__']

PUBLIC_MODULES = ['clients', 'objects', 'proxy', 'reflector', 'slugs', 'spawner', 'traitlets', 'utils']


def __getattr__(name):
    """Import what somebody asks for who has imported the package only. Pythons before 3.7 do not call this."""
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
