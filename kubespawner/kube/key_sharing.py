"""Dicts that take half of the memory, because those with the same keys share one table of their keys.

Python does that for the attributes of the instances of a class (PEP 412). The `__dict__` of an instance is a dict like
any other, and may outlive it. So there is a class for each set of keys, which has no other purpose. Any thread.
"""
import sys
from typing import Any, Dict, Iterable, Optional, Tuple

MOST_CLASSES = 300  # a class is never removed; dicts with further sets of keys share none
MOST_KEYS = 20  # Python shares fewer than 30, and a dict of an instance with more takes twice the usual memory
MOST_SHARED = 30  # for how many keys Python reserves room at first in the table of a class


class _KeySharing:
    """The base of the classes."""


classes = {}  # type: Dict[Tuple[str, ...], type]  # by the keys


def dict_for(keys: Iterable[str]) -> Dict[str, Any]:
    """Return a dict for these keys, in this order. It is of no use before all of them have got their values."""
    keys = tuple(keys)
    cls = classes.get(keys) or _add_class(keys)
    return cls().__dict__ if cls else dict.fromkeys(map(sys.intern, keys))  # so that at least the strings are shared


def _add_class(keys: Tuple[str, ...]) -> Optional[type]:
    """Return a new class for dicts with these keys, or None if there can be none."""
    if not keys or len(keys) > MOST_KEYS or len(classes) >= MOST_CLASSES or any(
            hasattr(_KeySharing, key) for key in keys):  # such as `__class__`, to which not every value can be assigned
        return None
    cls = type('KeySharing', (_KeySharing,), {})
    first = cls()
    for key in keys:
        setattr(first, key, None)
    for _ in range(MOST_SHARED):
        cls()  # Python reserves room for further attributes, for one less with each instance
    return classes.setdefault(keys, cls)
