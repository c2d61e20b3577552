"""Dicts that take half of the memory, because those with the same keys share one table of their keys.

Python does that for the attributes of instances of a class (PEP 412). The `__dict__` of an instance is a dict like any
other, and may outlive it. So there is a class for each set of keys, which has no other purpose. Any thread.
"""
from typing import Any, Dict, Optional, Tuple

MOST_FORMS = 300  # sets of keys; dicts with any further ones take the memory that dicts usually do
MOST_KEYS = 20  # a dict with more than Python shares would take more memory than usual
MOST_SHARED = 30  # keys that Python shares at most


class _Form:
    """A class whose instances have one set of keys as attributes is derived from this one."""


_forms = {}  # type: Dict[Tuple[str, ...], type]


def empty_like(value: Dict[str, Any]) -> Dict[str, Any]:
    """Return an empty dict that is about to get the keys of `value`, in their order, except where that has None."""
    keys = tuple(value)
    form = _forms.get(keys) or _added(keys, value)
    return form().__dict__ if form else {}


def _added(keys: Tuple[str, ...], value: Dict[str, Any]) -> Optional[type]:
    """Return a new class in the table for dicts with these keys, or None if there can be none."""
    if not keys or len(keys) > MOST_KEYS or len(_forms) >= MOST_FORMS or any(hasattr(_Form, key) for key in keys):
        return None
    form = type('Form', (_Form,), {})
    first = form()
    for key in keys:
        if value[key] is not None:  # old Pythons share the keys up to the first that a dict does not have
            setattr(first, key, None)
    for _ in range(MOST_SHARED):
        form()  # Python leaves room for keys that are yet to come, and with each instance for one less
    return _forms.setdefault(keys, form)
