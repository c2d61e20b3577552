"""What is kept of an object: the fields that somebody reads, and equal strings once.

A pod as the API sends it is tens of kilobytes of Python objects, most of which nobody ever looks at. Pure, but for a
table of strings that only saves memory; any thread.
"""

from typing import Any, Dict, Iterable

TABLE_SIZE = 10000  # strings; then it begins anew

_table = {}  # type: Dict[str, str]


def tree_of(paths: Iterable[str]) -> Dict[str, dict]:
    """Return the paths of fields, such as `spec.nodeName`, as nested dicts: `{'spec': {'nodeName': {}}}`.

    `{}` is all of a field; so is a path of which another path is the beginning.
    """
    tree = {}  # type: Dict[str, dict]
    for path in sorted(paths, key=len, reverse=True):
        *parents, last = path.split('.')
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[last] = {}
    return tree


def prune(value: Any, tree: Dict[str, dict]) -> Any:
    """Return a copy of `value` with only the fields of `tree`, see `tree_of`; all of it if that is empty.

    A tree of fields of a list is one of each of its items. Fields that are null are left out.
    """
    if len(_table) >= TABLE_SIZE:
        _table.clear()
    return _branches(value, tree) if tree else _all(value)


def _branches(value, tree):
    if type(value) is list:
        return [_branches(item, tree) for item in value]
    if type(value) is not dict:
        return _all(value)
    return {key: _branches(value[key], branch) if branch else _all(value[key])
            for key, branch in tree.items() if value.get(key) is not None}


def _all(value):
    kind = type(value)
    if kind is str:
        return _shared(value, value)
    if kind is dict:
        return {_shared(key, key): _all(item) for key, item in value.items() if item is not None}
    if kind is list:
        return [_all(item) for item in value]
    return value


# Returns the string that is equal to its argument and was here before, if there was one.
_shared = _table.setdefault
