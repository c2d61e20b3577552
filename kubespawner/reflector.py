"""The reflector, under the name that other packages import. The code is in `kube.reflector`."""
from .kube.reflector import NamespacedResourceReflector

__all__ = ['NamespacedResourceReflector']
