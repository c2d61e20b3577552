"""A JupyterHub spawner: every user's notebook server runs in a Kubernetes pod of its own."""
from .spawner import KubeSpawner

__version__ = '1.0.0'

__all__ = ['KubeSpawner', '__version__']
