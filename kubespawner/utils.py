"""Small names that configuration files and other packages import from here. Their code lives where its subject is."""
from .naming import generate_hashed_slug

__all__ = ['generate_hashed_slug']
