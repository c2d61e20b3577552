"""The reflector, for import by other packages. The code is in `kube.reflector`."""
from .kube.reflector import NamespacedResourceReflector

__all__ = ['NamespacedResourceReflector']
