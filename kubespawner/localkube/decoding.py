"""Decoding of requests: rejects wrong types, drops unknown fields, and normalizes quantities.

What belongs here: decoding according to fields.py. What does not: rules for values (validation.py). Pure; any thread.
Every result is a new object, which callers can change.
"""
import base64
import json
import re

from . import errors, quantities
from .fields import TYPES

TIME = re.compile(r'(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?\Z')
GO_NAMES = {'metadata': 'ObjectMeta'}
LEFT_OUT_WHEN_EMPTY = ('string', 'number', 'flag', 'bytes', 'time')


class WrongType(Exception):
    """A value has the wrong type for its field. `where` collects the Go names of the enclosing fields."""

    def __init__(self, complaint):
        super().__init__(complaint)
        self.where = [complaint]


def decode(kind, data, strict=False):
    """Return `data` (parsed JSON) as an object of `kind`, a type of fields.py.

    Raise ApiError 400 for a value of the wrong type. Fields that `kind` does not have are dropped, or rejected
    with 400 if `strict`.
    """
    unknown = []
    try:
        obj = read_object(data, kind, '', unknown)
    except WrongType as e:
        version, name = go_name(kind).split('.')
        raise errors.bad_request('%s in version "%s" cannot be handled as a %s: %s'
                                 % (name, version, name, ': '.join(reversed(e.where))))
    if strict and unknown:
        raise errors.bad_request('strict decoding error: ' + ', '.join('unknown field "%s"' % path for path in unknown))
    return obj


def read_object(data, type_name, path, unknown):
    if not isinstance(data, dict):
        raise WrongType('readObjectStart: expect { or n, but found %s' % first_character(data))
    fields = TYPES[type_name]
    result = {}
    for name, value in data.items():
        field = fields.get(name)
        if field is None:
            unknown.append(path + name)
        elif value is not None:
            try:
                value = SHAPES[field.shape](value, field.type, path + name, unknown)
            except WrongType as e:
                e.where.append('%s.%s' % (go_name(type_name), GO_NAMES.get(name, name[0].upper() + name[1:])))
                raise
            if value is not None:
                result[name] = value
    return result


def read_one(value, type_name, path, unknown):
    if type_name in TYPES:
        return read_object(value, type_name, path + '.', unknown)
    value = SCALARS[type_name](value)
    if type_name in LEFT_OUT_WHEN_EMPTY and not value:
        return None
    return value


def read_list(values, type_name, path, unknown):
    if not isinstance(values, list):
        raise WrongType('decode slice: expect [ or n, but found %s' % first_character(values))
    try:
        if type_name in TYPES:
            return [read_object(value or {}, type_name, '%s[%d].' % (path, i), unknown)
                    for i, value in enumerate(values)] or None
        return [SCALARS[type_name]('' if value is None else value) for value in values] or None
    except WrongType as e:
        e.where.append('[]' + go_name(type_name) if type_name in TYPES else '[]' + type_name)
        raise


def read_map(values, type_name, path, unknown):
    if not isinstance(values, dict):
        raise WrongType('ReadMapCB: expect { or n, but found %s' % first_character(values))
    scalar = SCALARS[type_name]
    return {key: scalar('' if value is None else value) for key, value in values.items()} or None


def go_name(type_name):
    """Return a type with its version: v1.Pod, v1beta1.Ingress."""
    name, _, version = type_name.partition('_')
    return '%s.%s' % (version or 'v1', name)


def first_character(value):
    return json.dumps(value)[0]


def read_string(value):
    if not isinstance(value, str):
        raise WrongType('ReadString: expects " or n, but found %s' % first_character(value))
    return value


def read_int(value):
    if isinstance(value, float):
        raise WrongType('assertInteger: can not decode float as int')
    if not isinstance(value, int) or isinstance(value, bool):
        raise WrongType('readUint64: unexpected character: %s' % first_character(value))
    return value


def read_bool(value):
    if not isinstance(value, bool):
        raise WrongType('ReadBool: expect t or f, but found %s' % first_character(value))
    return value


def read_int_or_string(value):
    return value if isinstance(value, str) else read_int(value)


def read_quantity(value):
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise WrongType('unmarshalerDecoder: ' + quantities.COMPLAINT)
    try:
        return quantities.canonical(value)
    except ValueError as e:
        raise WrongType('unmarshalerDecoder: %s' % e)


def read_bytes(value):
    try:
        base64.b64decode(read_string(value).encode('ascii'), validate=True)
    except ValueError:
        raise WrongType('decode base64: illegal base64 data')
    return value


def read_time(value):
    if not TIME.match(read_string(value)):
        raise WrongType('unmarshalerDecoder: parsing time "%s" as "2006-01-02T15:04:05Z07:00"' % value)
    return value


def read_any_object(value):
    if not isinstance(value, dict):
        raise WrongType('readObjectStart: expect { or n, but found %s' % first_character(value))
    return value


SHAPES = {'one': read_one, 'list': read_list, 'map': read_map}
SCALARS = {'string': read_string, 'text': read_string, 'time': read_time, 'bytes': read_bytes, 'int': read_int,
           'number': read_int, 'bool': read_bool, 'flag': read_bool, 'intstr': read_int_or_string,
           'quantity': read_quantity, 'object': read_any_object}
