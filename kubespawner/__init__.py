"""A JupyterHub spawner that runs each user's notebook server in a Kubernetes pod of its own."""
from .hub_start import check_when_hub_starts
from .spawner import KubeSpawner

__version__ = '1.0.0'

__all__ = ['KubeSpawner', '__version__']

check_when_hub_starts()
