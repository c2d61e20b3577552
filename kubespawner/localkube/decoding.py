"""Decoding of requests: rejects wrong types, drops unknown fields, and normalizes quantities.

What belongs here: decoding according to fields.py. What does not: rules for values (validation.py), the words for a
wrong type (wrong_types.py), what happens because of an unknown field (field_validation.py). Pure; any thread.
Every result is a new object, which callers can change.
"""
import base64
import copy
import re

from . import errors, quantities, wrong_types
from .field_validation import FieldValidation
from .fields import ALWAYS_SENT, TYPES, field_of
from .wrong_types import WrongType, fits

TIME = re.compile(r'(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?\Z')
LEFT_OUT_WHEN_EMPTY = ('string', 'number', 'flag', 'bytes', 'time')


def decode(kind, data, validation=None):
    """Return `data` (parsed JSON) as an object of `kind`, a type of fields.py.

    validation (FieldValidation): collects the fields that `kind` does not have. The result is without them.
    Raise ApiError 400 for a value of the wrong type.
    """
    reader = Reader(validation or FieldValidation())
    try:
        return reader.read_object(data, kind, '')
    except WrongType as e:
        raise errors.cannot_be_handled(wrong_types.go_name(kind), wrong_types.describe(e, reader.release))


class Reader(object):
    """Reads one object, and collects the paths of its unknown fields."""

    def __init__(self, validation):
        self.release = validation.release
        self.validation = validation
        self.shapes = {'one': self.read_one, 'list': self.read_list, 'map': self.read_map}

    def read_object(self, data, type_name, path):
        if not isinstance(data, dict):
            raise WrongType('object', data, type_name)
        result = {}
        for name, value in data.items():
            field = field_of(type_name, name, self.release)
            if field is None:
                self.validation.unknown(path + name)
            elif value is not None:
                try:
                    value = self.shapes[field.shape](value, field.type, path + name)
                except WrongType as e:
                    e.inside(type_name, name)
                    raise
                if value is not None:
                    result[name] = value
        for name, value in ALWAYS_SENT.get(type_name, {}).items():
            result.setdefault(name, copy.copy(value))
        return result

    def read_one(self, value, type_name, path):
        if type_name in TYPES:
            return self.read_object(value, type_name, path + '.')
        value = SCALARS[type_name](value)
        if type_name in ('int', 'number') and not fits(value, path.rpartition('.')[2]):
            raise WrongType('int', value)
        if type_name in LEFT_OUT_WHEN_EMPTY and not value:
            return None
        return value

    def read_list(self, values, type_name, path):
        if not isinstance(values, list):
            raise WrongType('list', values, type_name).inside_list(type_name)
        try:
            if type_name in TYPES:
                return [self.read_object({} if value is None else value, type_name, '%s[%d].' % (path, i))
                        for i, value in enumerate(values)] or None
            return [empty(type_name) if value is None else SCALARS[type_name](value) for value in values] or None
        except WrongType as e:
            raise e.inside_list(type_name)

    def read_map(self, values, type_name, path):
        if not isinstance(values, dict):
            raise WrongType('map', values, type_name)
        return {key: empty(type_name) if value is None else SCALARS[type_name](value)
                for key, value in values.items()} or None


def empty(type_name):
    """Return what a null in a list or a map stands for."""
    return {'quantity': '0', 'int': 0, 'number': 0, 'object': {}}.get(type_name, '')


def read_string(value):
    if not isinstance(value, str):
        raise WrongType('string', value)
    return value


def read_int(value):
    if not isinstance(value, (int, float)) or isinstance(value, bool) or isinstance(value, float):
        raise WrongType('int', value)
    return value


def read_bool(value):
    if not isinstance(value, bool):
        raise WrongType('bool', value)
    return value


def read_int_or_string(value):
    if not isinstance(value, (str, int)) or isinstance(value, bool) or isinstance(value, int) and not fits(value, ''):
        raise WrongType('intstr', value)
    return value


def read_quantity(value):
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise WrongType('quantity', value, detail=quantities.COMPLAINT)
    try:
        return quantities.canonical(value)
    except ValueError as e:
        raise WrongType('quantity', value, detail=str(e))


def read_bytes(value):
    try:
        base64.b64decode(read_string(value).encode('ascii'), validate=True)
    except (WrongType, ValueError):
        raise WrongType('bytes', value)
    return value


def read_time(value):
    if not isinstance(value, str) or not TIME.match(value):
        raise WrongType('time', value)
    return value


def read_any_object(value):
    if not isinstance(value, dict):
        raise WrongType('object', value)
    return value


SCALARS = {'string': read_string, 'text': read_string, 'time': read_time, 'bytes': read_bytes, 'int': read_int,
           'number': read_int, 'bool': read_bool, 'flag': read_bool, 'intstr': read_int_or_string,
           'quantity': read_quantity, 'object': read_any_object}
