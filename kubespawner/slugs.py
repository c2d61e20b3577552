"""Escaping of names for Kubernetes, for import by other packages. The code is in `naming`."""
from .naming import safe_slug

__all__ = ['safe_slug']
