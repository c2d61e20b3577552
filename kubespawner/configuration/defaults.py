"""Defaults of settings that are the same for all spawners of a class: made and validated once for each class.

A start reads some fifty settings that nobody has set. traitlets makes, validates and announces the default of each one
for each spawner, which was a fifth of what a start cost on the loop's thread. Here belongs which defaults are the same
for all. What they are is said with each setting. Any thread.
"""
from traitlets import HasTraits, TraitError, TraitType, Undefined

from .. import traitlets as ours
from . import container

PLAIN = (str, int, float, bool, type(None))
COPIED = (list, dict)  # each spawner has one of its own

# The modules whose trait types make and validate a default without a look at the object.
MODULES = frozenset(['traitlets.traitlets', 'jupyterhub.traitlets', ours.__name__, container.__name__])


class Values(dict):
    """The values of one object's traits. A default of its class becomes a value when it is first read.

    defaults (dict): by the name of the trait, see `shared_defaults`.
    """
    __slots__ = 'defaults',

    def __init__(self, values, defaults):
        super().__init__(values)
        self.defaults = defaults

    def __missing__(self, name):
        default = self.defaults[name]
        value = self[name] = default.copy() if type(default) in COPIED else default
        return value

    def __reduce__(self):  # copies belong to a copy of the object
        return Values, (dict(self), self.defaults)


class SharedDefaults(HasTraits):
    """An object with traits that takes the defaults that its class has for all objects."""

    if hasattr(HasTraits, '_get_trait_default_generator'):  # since traitlets 5; before, an object is made with defaults
        def setup_instance(self, *args, **kwargs):
            super().setup_instance(*args, **kwargs)
            cls = type(self)
            if '_shared_defaults' not in vars(cls):
                cls._shared_defaults = shared_defaults(self)
                cls._plain_defaults = {name: default for name, default in cls._shared_defaults.items()
                                       if isinstance(_nearest(cls, name), TraitType)}
            self._trait_values = Values(self._trait_values, cls._shared_defaults)


def _nearest(cls, name):
    """Return what the nearest of a class and its bases declares under a name that it has, without asking for it."""
    return next(vars(each)[name] for each in cls.__mro__ if name in vars(each))


def settings(obj, names):
    """Return the values of settings, to be read only: a dict by name.

    They are what the attributes are, without the dozen calls and the copy of a default that each of those takes.
    """
    values, defaults = obj._trait_values, vars(type(obj)).get('_plain_defaults', {})
    return {name: dict.get(values, name, defaults[name]) if name in defaults else getattr(obj, name)
            for name in names}


def shared_defaults(obj):
    """Return the validated defaults that all objects of the class of `obj` have in common, by the name of the trait."""
    found = ((name, _shared_default(obj, name)) for name in obj.trait_names())
    return {name: default for name, default in found if default is not Undefined}


def _shared_default(obj, name):
    trait, generate = getattr(type(obj), name), obj._get_trait_default_generator(name)
    is_static = getattr(generate, '__self__', None) is trait and type(trait).__module__ in MODULES
    if not is_static or type(trait).get is not TraitType.get:
        return Undefined
    default = generate(obj)
    if type(default) not in PLAIN + COPIED:
        return Undefined
    obj._cross_validation_lock = True  # as traitlets does it: a default is not asked of `@validate`
    try:
        default = trait._validate(obj, default)
    except TraitError:  # to be raised where it is read
        return Undefined
    finally:
        obj._cross_validation_lock = False
    return default if type(default) in PLAIN + COPIED else Undefined
