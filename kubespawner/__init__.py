"""A JupyterHub spawner: every user's notebook server runs in a Kubernetes pod of its own."""
from .spawner import KubeSpawner

__version__ = '0.9.0'

__all__ = ['KubeSpawner', '__version__']
