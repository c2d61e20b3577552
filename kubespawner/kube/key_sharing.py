"""Dicts that take half of the memory, because those with the same keys share one table of their keys.

Python does that for the attributes of the instances of a class (PEP 412). The `__dict__` of an instance is a dict like
any other, and may outlive it. So there is a class for each set of keys, which has no other purpose. Any thread.
"""
from typing import Any, Dict, Optional, Tuple

MOST_CLASSES = 300  # dicts with keys for which there is no class take the memory that dicts usually do
MOST_KEYS = 20  # a dict with more keys than Python shares would take more memory than usual
MOST_SHARED = 30  # keys that Python shares


class _KeySharing:
    """The base of the classes."""


classes = {}  # type: Dict[Tuple[str, ...], type]  # by the keys


def empty_like(value: Dict[str, Any]) -> Dict[str, Any]:
    """Return an empty dict that is about to get the keys of `value`, in their order, except where that has None."""
    keys = tuple(value)
    cls = classes.get(keys) or _add_class(keys, value)
    return cls().__dict__ if cls else {}


def _add_class(keys: Tuple[str, ...], value: Dict[str, Any]) -> Optional[type]:
    """Return a new class for dicts with these keys, or None if there can be none."""
    if not keys or len(keys) > MOST_KEYS or len(classes) >= MOST_CLASSES or any(
            hasattr(_KeySharing, key) for key in keys):  # such as `__class__`, to which not every value can be assigned
        return None
    cls = type('KeySharing', (_KeySharing,), {})
    first = cls()
    for key in keys:
        if value[key] is not None:  # Pythons before 3.11 share the keys up to the first that a dict does not have
            setattr(first, key, None)
    for _ in range(MOST_SHARED):
        cls()  # Python leaves room for keys that are yet to come, and with each instance for one less
    return classes.setdefault(keys, cls)
