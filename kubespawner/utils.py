"""Functions that configuration files and other packages import from here. Their code is in other modules."""
from .naming import generate_hashed_slug

__all__ = ['generate_hashed_slug']
