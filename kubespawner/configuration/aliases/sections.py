"""Settings in configuration files, under any of their names.

Where one section sets a trait under two names, the newer counts. `append` and the like work across all names, and
across the sections of a class and its parents.
"""
from traitlets.config import Config, LazyConfigValue

from .names import NAMES, OTHER

_warned = set()  # tuples of names


def translated(obj, section):
    """Return a section of a configuration with all traits of `obj` under their own names; itself if they are.

    If a setting is set under two names, a warning is logged, once.
    """
    names = [name for name in section if name in OTHER and obj.has_trait(name)]
    if not names:
        return section
    result = Config({name: value for name, value in section.items() if name not in names})
    for trait in {OTHER[name] for name in names}:
        given = [name for name in NAMES[trait] if name in section]
        result[trait] = together(*[section[name] for name in given])
        if len(given) > 1 and tuple(given) not in _warned:
            _warned.add(tuple(given))
            obj.log.warning('%s are names of one setting, and more than one is set: %s counts.',
                            ', '.join(given), given[0])
    return result


def together(newest, *older):
    """Return the value that counts, of those that one setting is given in turn, the last first.

    An `append` or `update` applies to the value that is set under an older name, or for a parent.
    """
    if not older or not isinstance(newest, LazyConfigValue):
        return newest
    under = together(*older)
    return (_added if isinstance(under, LazyConfigValue) else amended)(under, newest)


def _added(first, then):
    """Return a new LazyConfigValue that does what two others do. All spawners share those, so they stay unchanged."""
    both = LazyConfigValue()
    both._inserts = first._inserts + then._inserts
    both._prepend = then._prepend + first._prepend
    both._extend = first._extend + then._extend
    for lazy in (first, then):
        if lazy._update:
            both.update(lazy._update)
    return both


def amended(value, lazy):
    """Return a setting's value after `append`, `update` and the like (a LazyConfigValue).

    Methods of lists also work on dicts, and methods of dicts on lists: the dict is first converted to the list of its
    values, in the order of its keys. Both work on None. traitlets alone would drop the added values in these cases.
    """
    lazy = _added(lazy, LazyConfigValue())  # a copy, because `get_value` caches its result
    update = lazy._update if isinstance(lazy._update, dict) else {}
    if lazy._extend or lazy._prepend or lazy._inserts:
        value = _values(value) if isinstance(value, dict) else [] if value is None else value
    elif update and value in (None, []):
        value = {}
    result = lazy.get_value(value)
    return result + _values(update) if isinstance(result, list) else result


def _values(objects):
    return [value for _, value in sorted(objects.items())]
