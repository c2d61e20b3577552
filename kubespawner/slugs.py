"""How names become names in Kubernetes, under the name that other packages import. The code is in `naming`."""
from .naming import safe_slug

__all__ = ['safe_slug']
