"""A JupyterHub spawner: every user's notebook server runs in a Kubernetes pod of its own."""
from .hub_start import check_when_hub_starts
from .spawner import KubeSpawner

__version__ = '1.0.0'

__all__ = ['KubeSpawner', '__version__']

check_when_hub_starts()
