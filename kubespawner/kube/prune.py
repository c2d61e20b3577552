"""Keep only those fields of an object that are read, in dicts that share their keys, and one copy of equal strings.

A pod from the API takes tens of kilobytes of Python objects, most of which are never read. Pure, except for tables that
save memory; any thread.
"""
import re
from itertools import chain, repeat
from typing import Any, Dict, Iterable

from .key_sharing import dict_for

TABLE_SIZE = 10000  # strings; a full table is cleared
PLAIN = frozenset([bool, int, float])

_table = {}  # type: Dict[str, str]

# Managed fields as the API server writes them: the last field of `metadata`, with strings and objects, but no lists in
# it. A `]` inside a string is not taken for their end, because no name could follow the quotation mark then.
_managed_fields = re.compile(r',"managedFields":\[\{"manager":[^]]*\](?=\},"\w)')


def without_managed_fields(text: str) -> str:
    """Return JSON of objects without their managed fields, as far as the API server has written them.

    They are nearly half of a pod, and take about half of the time that it takes to decode it.
    """
    return _managed_fields.sub('', text)


def tree_of(paths: Iterable[str]) -> Dict[str, dict]:
    """Return the paths of fields, such as `spec.nodeName`, as nested dicts: `{'spec': {'nodeName': {}}}`.

    `{}` stands for the whole field. If one path is the beginning of another, the shorter one counts.
    """
    tree = {}  # type: Dict[str, dict]
    for path in sorted(paths, key=len, reverse=True):
        *parents, last = path.split('.')
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[last] = {}
    return tree


def prune(value: Any, tree: Dict[str, dict], before: Any = None) -> Any:
    """Return a copy of `value` with only the fields in `tree`, see `tree_of`. An empty tree keeps all fields.

    A tree applies to each item of a list. Fields that are null are left out.

    before: the last state of the same object, pruned. What has not changed since is taken from there.
    """
    if len(_table) >= TABLE_SIZE:
        _table.clear()
    return _branches(value, tree, before) if tree else _all(value, before)


def _branches(value, tree, before):
    if type(value) is list:
        return [_branches(item, tree, old) for item, old in _with_old(value, before)]
    if type(value) is not dict:
        return _all(value, before)
    old = before if isinstance(before, dict) else {}
    present = {key: value[key] for key in tree if value.get(key) is not None}
    kept = dict_for(present)
    for key, item in present.items():
        branch = tree[key]
        kept[key] = _branches(item, branch, old.get(key)) if branch else _all(item, old.get(key))
    return kept


def _all(value, before):
    if before is None:  # as in each object of the first list, of which there may be tens of thousands
        return _new(value)
    if value == before:
        return before
    if type(value) is dict:
        old = before if isinstance(before, dict) else {}
        present = _present(value)
        kept = dict_for(present)
        for key, item in present.items():
            kept[key] = item if type(item) in PLAIN else _all(item, old.get(key))
        return kept
    if type(value) is list:
        return [_all(item, old) for item, old in _with_old(value, before)]
    return _new(value)


def _new(value):
    kind = type(value)
    if kind is str:
        return _shared(value, value)
    if kind is dict:
        present = _present(value)
        kept = dict_for(present)
        for key, item in present.items():
            kept[key] = _shared(item, item) if type(item) is str else _new(item)
        return kept
    if kind is list:
        return [_new(item) for item in value]
    return value


def _present(value):
    """Return the items of a dict that are not null."""
    return {key: item for key, item in value.items() if item is not None} if None in value.values() else value


def _with_old(values, before):
    """Return each item of a list with the one at its place in the list `before`; None where there is none."""
    return zip(values, chain(before if isinstance(before, list) else (), repeat(None)))


# Returns the string in the table that is equal to the argument. Adds the argument if there is none.
_shared = _table.setdefault
