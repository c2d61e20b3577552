"""Small functions that configuration files and other packages import from here.

Those with a subject of their own live in its module. The others are here: pure functions of dicts and strings.
"""
from .kube.models import get_k8s_model, update_k8s_model
from .naming import generate_hashed_slug

__all__ = ['IgnoreMissing', 'generate_hashed_slug', 'get_k8s_model', 'host_matching', 'recursive_format',
           'recursive_update', 'update_k8s_model']


class IgnoreMissing(dict):
    """The fields of a template, for `str.format_map`. A field that is missing stays in the text as it is written."""

    def __missing__(self, field):
        return '{%s}' % field


def recursive_format(format_object, **fields):
    """Return a value with the fields in all its strings replaced, through dicts (also their keys), lists and sets.

    Values of other types, such as tuples and numbers, and fields that are missing stay as they are. Raises ValueError
    for a brace without its partner.
    """
    return _formatted(format_object, IgnoreMissing(fields))


def _formatted(value, fields):
    if isinstance(value, str):
        return value.format_map(fields)
    if isinstance(value, dict):
        return {_formatted(key, fields): _formatted(item, fields) for key, item in value.items()}
    if isinstance(value, (list, set)):
        return type(value)(_formatted(item, fields) for item in value)
    return value


def recursive_update(target, new):
    """Change the dict `target` to have what the dict `new` has. Returns nothing.

    Dicts in both are merged. A value of None removes the key. Everything else replaces what was there.
    """
    for key, value in new.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            if not isinstance(target.get(key), dict):
                target[key] = {}
            recursive_update(target[key], value)
        else:
            target[key] = value


def host_matching(host, wildcard):
    """Return whether a host name is `wildcard`, or has one label in place of the asterisk of `*.example.org`."""
    host, wildcard = host.lower(), wildcard.lower()
    if not wildcard.startswith('*.'):
        return host == wildcard
    label, _, domain = host.partition('.')
    return bool(label) and domain == wildcard[2:]
