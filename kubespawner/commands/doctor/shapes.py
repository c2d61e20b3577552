"""Values of the wrong type anywhere in an object, and fields that are nearly spelled as one that there is. Pure.

The types are those of the installed client. Of a field that it does not know, nothing is said, unless the name of a
field is meant: Kubernetes may be newer.
"""
from kubernetes import client

from ...kube.fields import kind_of, types_of
from ...profiles import meant

NUMBERS = int, float

MEANT = '?'  # before the field that is meant, in place of a type

# What values of a type of the client are in JSON, and what that is called. Others are not checked.
PLAIN = {'str': ((str,), 'a string'), 'int': ((int,), 'a whole number'), 'float': (NUMBERS, 'a number'),
         'bool': ((bool,), 'True or False'), 'list[str]': ((list,), 'a list'), 'list[int]': ((list,), 'a list'),
         'dict[str, str]': ((dict,), 'a dict')}

ITEMS = {'list[str]': 'str', 'list[int]': 'int', 'dict[str, str]': 'str'}

# Strings to the client, of which Kubernetes also takes numbers: quantities and ports.
ALSO_NUMBERS = frozenset(['divisor', 'limits', 'overhead', 'port', 'requests', 'sizeLimit', 'storage'])


def wrong_types(obj, kind, path):
    """Generate a sentence for each value of the wrong type in an object (a dict).

    kind (str): as the client calls it, such as `V1Pod`. path (str): where the object is, for the sentences.
    """
    for place, value, type_ in _fields(obj, kind, path):
        if type_ in PLAIN and not _is_one(value, type_):
            yield _sentence(place, value, PLAIN[type_][1])
        elif type_ in ('a dict', 'a list'):
            yield _sentence(place, value, type_)


def misspelled(obj, kind, path):
    """Generate a sentence for each field in an object that has nearly the name of another one."""
    for place, _, type_ in _fields(obj, kind, path):
        if type_.startswith(MEANT):
            yield '%s is no field that Kubernetes has. Do you mean %s?' % (place, type_[len(MEANT):])


def _fields(obj, kind, path):
    """Generate (path, value, type) of the plain fields; the type is what it must be, or MEANT and a field."""
    known = kind_of(kind)
    plain = {known.attributes[name]: type_.lower().replace('(', '[').replace(')', ']')
             for name, type_ in types_of(getattr(client, kind, None)).items()}
    names = sorted(known.attributes.values())
    for key, value in obj.items():
        place = '%s.%s' % (path, key)
        if value is None:
            continue
        if key in known.types:
            yield from _objects(value, known.types[key], place)
        elif key in plain and key not in ALSO_NUMBERS:
            yield place, value, plain[key]
            yield from _items(value, ITEMS.get(plain[key]), place)
        elif names and key not in names and meant(key, names):
            yield place, value, MEANT + meant(key, names)


def _objects(value, type_, place):
    is_list, kind = type_
    if is_list and not isinstance(value, list):
        yield place, value, 'a list'
        return
    placed = [('%s[%d]' % (place, i), each) for i, each in enumerate(value)] if is_list else [(place, value)]
    for where, each in placed:
        if isinstance(each, dict):
            yield from _fields(each, kind, where)
        else:
            yield where, each, 'a dict'


def _items(value, type_, place):
    if type_ and isinstance(value, (list, dict)):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield '%s[%r]' % (place, key), each, type_


def _is_one(value, type_):
    if isinstance(value, bool) and type_ != 'bool':
        return False
    return isinstance(value, PLAIN[type_][0])


def _sentence(place, value, wanted):
    return '%s is of the type %s; it must be %s.' % (place, type(value).__name__, wanted)
