"""Objects of the API that answer to attributes and to keys: dicts that have attributes, and models that have keys.

Here belongs how a part of an object is read and changed. What fields there are is in `fields`. Resources may be read on
any thread; whoever changes one has to be the only one who uses it.
"""
import copy
import functools
import re
from collections.abc import MutableMapping

import dateutil.parser  # which the client needs, as it does yaml
import yaml

from . import fields


class Resource(dict):
    """An object as the API sent it: a dict with camelCase keys that also answers to the names of the client's models.

    `pod['status']['podIP']` and `pod.status.pod_ip` are the same. An attribute that is not there is None, as in the
    models; so is every unknown one. What is assigned to an attribute is stored under the key of the API; None removes
    it. Timestamps are strings under their keys, and datetimes as attributes in the spelling of the models. The
    attributes `items`, `keys`, `values` and `get` are the dict's own.
    """
    __slots__ = ()

    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        value = self._part(self._present(name))
        return _time(value) if name.endswith(TIMES) and isinstance(value, str) else value

    def __setattr__(self, name, value):
        key = self._key(name)
        if value is None:
            dict.pop(self, key, None)
        else:
            dict.__setitem__(self, key, value)

    def __delattr__(self, name):
        setattr(self, name, None)

    def to_dict(self):
        """Return a copy of all of it; models have a method of that name."""
        return copy.deepcopy(self)

    def _key(self, name):
        """Return the key that an attribute means."""
        return self._present(name) or fields.camel_case(name)

    def _present(self, attribute):
        """Return the key that is there and that `attribute` means: `pod_ip` is `podIP`; None if there is none."""
        flat = attribute.replace('_', '').lower()
        return next((key for key in self if key.lower() == flat), None)

    def _part(self, key):
        """Return what `key` holds. Dicts are made to answer to attributes in their place, so that they can be changed.

        That replaces them by equal ones, which other threads do not notice.
        """
        value = dict.get(self, key)
        if type(value) is dict:
            value = Resource(value)
            dict.__setitem__(self, key, value)
        elif type(value) is list:
            _wrap_items(value)
        return value


def is_object(value):
    """Return whether a value from a response is an object: a dict that has a name and a uid."""
    metadata = value.get('metadata') if isinstance(value, dict) else None
    return isinstance(metadata, dict) and all(isinstance(metadata.get(key), str) for key in ('name', 'uid'))


TIMES = '_timestamp', '_time', '_at'  # how the models call fields that are datetimes there


def _time(text):
    """Return the datetime that a timestamp of the API means; any other text as it is."""
    try:
        return dateutil.parser.parse(text)
    except (OverflowError, ValueError):
        return text


class Pruned(Resource):
    """An object of which a cache keeps only some fields, see `prune`.

    The attribute of a field that is not kept is an AttributeError that says how to keep it; None would say that the
    object does not have it. Copies are plain Resources.
    """
    __slots__ = '_kept',

    def __init__(self, value, kept):
        """kept (dict): the fields that are kept, as a tree; an empty one stands for all."""
        super().__init__(value.items())  # the items, because a copy of the dict would reserve more room
        object.__setattr__(self, '_kept', kept)

    def __getattr__(self, name):
        if self._kept and self._present(name) is None and not self._is_kept(name):
            raise AttributeError(
                'The cache does not keep the field %r here, only %s. Name it in c.PodReflector.further_fields, as in '
                '["spec.containers.resources"].' % (name, ', '.join(sorted(self._kept))))
        return super().__getattr__(name)

    def _is_kept(self, name):
        flat = name.replace('_', '').lower()
        return name.startswith('__') or flat in ('kind', 'apiversion') or any(key.lower() == flat for key in self._kept)

    def _part(self, key):
        kept, value = self._kept.get(key), dict.get(self, key)
        if not kept:
            return super()._part(key)
        if type(value) is dict:
            value = Pruned(value, kept)
            dict.__setitem__(self, key, value)
        elif type(value) is list:
            value[:] = [Pruned(item, kept) if type(item) is dict else item for item in value]
        return value

    def __reduce_ex__(self, protocol):
        return Resource, (dict(self),)


def _wrap_items(values):
    for number, item in enumerate(values):
        if type(item) is dict:
            values[number] = Resource(item)
        elif type(item) is list:
            _wrap_items(item)


def wrap_all(value):
    """Make all parts of a response of the API answer to attributes; return it."""
    if isinstance(value, dict):
        for key in value:
            wrap_all(value._part(key))
    elif isinstance(value, list):
        for item in value:
            wrap_all(item)
    return value


class KindResource(Resource):
    """A Resource whose kind is known, which is one of the subclasses that `class_of` returns.

    Its known fields are attributes, None if they are not set; others raise AttributeError. Keys may have the models'
    spelling as well: `volume['host_path']` is `volume['hostPath']`, and that is what is stored.
    """
    __slots__ = ()
    _kind, _spellings = None, None  # the fields.Kind, and its keys in other spellings than the API's

    def __getattr__(self, name):
        key = None if name.startswith('__') else self._present(name)
        if key is None:
            raise AttributeError('A Kubernetes %s has no field %r.' % (re.sub('.*V1', '', self._kind.name), name))
        return self._part(key)

    def _part(self, key):
        type_ = self._kind.types.get(key)
        value = dict.get(self, key)
        if type_ is None or value is None:
            return value
        dict.__setitem__(self, key, of_type(value, type_))
        return dict.get(self, key)

    def _key(self, name):
        return self._kind.keys.get(name) or super()._key(name)

    def _spelled(self, key):
        """Return a key as the API spells it."""
        return self._kind.keys.get(key, key)

    def __missing__(self, key):
        known = self._spelled(key)
        if known == key or not dict.__contains__(self, known):
            raise KeyError(key)
        return dict.__getitem__(self, known)

    def __setitem__(self, key, value):
        dict.__setitem__(self, self._spelled(key), value)

    def __delitem__(self, key):
        dict.__delitem__(self, self._spelled(key))

    def __contains__(self, key):
        return dict.__contains__(self, self._spelled(key))

    def get(self, key, default=None):
        return dict.get(self, self._spelled(key), default)

    def pop(self, key, *default):
        return dict.pop(self, self._spelled(key), *default)

    def setdefault(self, key, default=None):
        return dict.setdefault(self, self._spelled(key), default)

    def update(self, *others, **more):
        for key, value in dict(*others, **more).items():
            self[key] = value

    def __ior__(self, other):
        self.update(other)
        return self

    def copy(self):
        return type(self)(self)


@functools.lru_cache(maxsize=None)
def class_of(kind_name):
    """Return the class of Resources of a kind, such as `V1Container`."""
    kind = fields.kind_of(kind_name)
    members = {'__slots__': (), '__module__': __name__, '__doc__': KindResource.__doc__, '_kind': kind,
               '_spellings': frozenset(kind.keys)}
    for spellings in (kind.keys, kind.attributes, {key: key for key in kind.attributes.values()}):
        for attribute, key in spellings.items():
            members[attribute] = _field(key) if attribute not in dir(dict) else _field_and_method(key, attribute)
    return type(kind_name + 'Resource', (KindResource,), members)


def _field(key):
    return property(lambda self: self._part(key))


def _field_and_method(key, name):
    """Return the attribute for a field whose name is that of a method of dicts: a list that can be called as well."""
    method = getattr(dict, name)

    def read(self):
        value = self._part(key)
        if value is not None and not isinstance(value, list):
            return functools.partial(method, self)
        if not isinstance(value, _CallableList):
            is_set, value = value is not None, _CallableList(value or [])
            if is_set:
                dict.__setitem__(self, key, value)
        value.method = functools.partial(method, self)
        return value

    return property(read)


class _CallableList(list):
    """The `items` of a volume's secret are a list of the API's; `secret.items()` is what each dict has to have."""

    def __call__(self, *args):
        return self.method(*args)

    def __reduce__(self):  # copies belong to another dict
        return list, (list(self),)


for dumper in (yaml.SafeDumper, yaml.Dumper):  # they know dicts and lists, but none of their subclasses
    dumper.add_multi_representer(Resource, dumper.represent_dict)
    dumper.add_multi_representer(_CallableList, dumper.represent_list)


class SpellingError(ValueError):
    """An object that has a field twice, in two spellings, with different values.

    path (tuple): the keys and numbers that lead to the object.
    problem (str): the rest of the sentence, after that path.
    """

    def __init__(self, path, problem):
        self.path, self.problem = path, problem
        super().__init__(path, problem)

    def inside(self, key):
        """Return the same error for what holds the object under `key`."""
        return SpellingError((key,) + self.path, self.problem)

    def __str__(self):
        return '%s %s' % (path_text(self.path), self.problem)


def path_text(path):
    """Return a path of keys and numbers as one writes it in Python: `[0]['env']`; `:` for an empty one."""
    return ''.join('[%r]' % (key,) for key in path[:10]) + '...' * (len(path) > 10) or ':'


def of_type(value, type_):
    """Return raw objects as Resources, all the way down; whatever is not what its type says stays as it is.

    value: an object (a dict, a Resource or a model), or a list of objects. Plain dicts are copied, and the keys of
        their known fields become those of the API; everything else is changed in its place. Models answer to keys then.
    type_ (tuple): whether it is a list, and the kind of its objects, as in `fields.Kind.types`.

    Raises SpellingError for a field in two spellings.
    """
    is_list, kind_name = type_
    if not is_list:
        return _of_kind(value, kind_name)
    if isinstance(value, tuple):
        value = list(value)
    number = None
    try:
        for number, item in enumerate(value if isinstance(value, list) else ()):
            value[number] = _of_kind(item, kind_name)
    except SpellingError as e:
        raise e.inside(number)
    return value


def _of_kind(value, kind_name):
    if isinstance(value, KindResource):
        return _settle(value)
    if isinstance(value, dict):
        cls = class_of(kind_name)
        return _settle(cls(value if cls._spellings.isdisjoint(value) else _with_keys_of_the_api(value, cls._kind.keys)))
    if hasattr(type(value), 'attribute_map'):
        if HasKeys not in type(value).__mro__:
            object.__setattr__(value, '__class__', _class_with_keys(type(value)))
        _settle_model(value, kind_name)
    return value


def _with_keys_of_the_api(value, keys):
    """Return a dict with the API's key for each key that has another spelling in `keys`."""
    spelled = {}
    for spelling, item in value.items():
        key = keys.get(spelling, spelling)
        if spelled.setdefault(key, item) != item:
            other = next(other for other in value if other != key and keys.get(other) == key)
            raise SpellingError(
                (), 'has both %r and %r, which are the same field, with different values.' % (other, key))
    return spelled


def _settle(resource):
    """Replace dicts in the fields of a Resource by Resources; return it."""
    types, key = resource._kind.types, None
    if types:
        try:
            for key, item in dict.items(resource):
                if key in types:
                    dict.__setitem__(resource, key, of_type(item, types[key]))
        except SpellingError as e:
            raise e.inside(key)
    return resource


def _settle_model(model, kind_name):
    """Replace dicts in the fields of a model by Resources."""
    for attribute, key, type_ in _fields_with_objects(type(model), kind_name):
        value = getattr(model, attribute)
        if value is not None:
            try:
                settled = of_type(value, type_)
            except SpellingError as e:
                raise e.inside(key)
            if settled is not value:
                setattr(model, attribute, settled)


@functools.lru_cache(maxsize=None)
def _fields_with_objects(model, kind_name):
    """Return the fields of a model that may hold objects: attribute, key and type."""
    types = fields.kind_of(kind_name).types
    return [(attribute, key, types[key]) for attribute, key in model.attribute_map.items() if key in types]


class HasKeys(MutableMapping):
    """A base class that makes a model answer to keys: those of the API, and its own attributes. None means missing.

    Models of the client come before it among the bases. It can hold fields that the client does not know; those are
    sent, but the client's own methods do not see them.
    """
    __slots__ = ()

    def __getitem__(self, key):
        attribute = _attributes(type(self)).get(key)
        value = _other_fields(self).get(key) if attribute is None else getattr(self, attribute)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key, value):
        attribute = _attributes(type(self)).get(key)
        if attribute is None:
            vars(self).setdefault(OTHER_FIELDS, {})[key] = value
        else:
            setattr(self, attribute, value)

    def __delitem__(self, key):
        self[key]  # which raises KeyError if it is not there
        attribute = _attributes(type(self)).get(key)
        if attribute is None:
            del _other_fields(self)[key]
        else:
            setattr(self, attribute, None)

    def __iter__(self):
        known = [key for attribute, key in type(self).attribute_map.items() if getattr(self, attribute) is not None]
        return iter(sorted(known) + list(_other_fields(self)))

    def __len__(self):
        return sum(1 for _ in iter(self))

    def __bool__(self):
        return True  # as other models


@functools.lru_cache(maxsize=None)
def _class_with_keys(model):
    """Return the subclass of a client's `model` that answers to keys."""
    return type(model.__name__, (model, HasKeys), {
        '__iter__': HasKeys.__iter__, '__module__': model.__module__, '__doc__': model.__doc__})


OTHER_FIELDS = 'fields_of_no_model'  # the attribute of a model that holds them


def _other_fields(model):
    """Return what a model holds that the client does not know, a dict by key."""
    return vars(model).get(OTHER_FIELDS, {})


@functools.lru_cache(maxsize=None)
def _attributes(model):
    """Return the attribute of each field of a model by everything that the field is called."""
    attribute_of = {key: attribute for attribute, key in model.attribute_map.items()}
    kind = fields.kind_of(model.__name__)
    spellings = {spelling: attribute_of[key] for spelling, key in kind.keys.items() if key in attribute_of}
    return dict(spellings, **attribute_of)
