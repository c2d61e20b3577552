"""Settings that subclasses and mixins declare under any of their names: once for each class, when it is created.

Whatever a class says of a setting is moved to the setting's trait, so that everything else needs to know one name only:

    a trait                                     becomes the trait
    any other value                             becomes the trait's default
    a property, or another descriptor           is what spawners have; the trait is beneath it (`Computed`)
    @default, @observe, @validate               are for the trait; handlers get the name that they were declared for
    _NAME_default, _NAME_changed, ...           likewise, and stay what they are for `super()`
    a method                                    is left alone, with a warning

All names of the setting are then attributes of the class, which stand for what this class declares (`Alias`). Hence
`super().NAME` is what the parents declare, under whichever name.
"""
import copy
import functools
import inspect
import types
import warnings

from traitlets import HasTraits, TraitError, TraitType, default, observe, validate
from traitlets.traitlets import BaseDescriptor, DefaultHandler, EventHandler

from .names import NAMES, OTHER, SETTINGS, canonical_name

# Methods that traitlets calls because of their names: (trait, name, what for).
MAGIC = {'_%s_%s' % (name, purpose): (trait, name, purpose)
         for name, trait in SETTINGS.items() for purpose in ('default', 'changed', 'validate')}


class Alias:
    """An attribute that stands for what a class declares under another name."""

    def __init__(self, declared):
        vars(self).update(declared=declared, __doc__='Another name of `%s`.' % declared.name)

    def __get__(self, obj, cls=None):
        return self if obj is None else self.declared.__get__(obj, cls)

    def __set__(self, obj, value):
        self.declared.__set__(obj, value)

    def __delete__(self, obj):
        self.declared.__delete__(obj)

    # Of the class it does what the trait does, as in KubeSpawner.image.default_value; only lists do not contain it.

    def __getattr__(self, attribute):
        return getattr(self.declared, attribute)

    def __setattr__(self, attribute, value):
        setattr(_trait_of(self.declared), attribute, value)

    def __copy__(self):
        return copy.copy(_trait_of(self.declared))

    def __deepcopy__(self, memo):
        return copy.deepcopy(_trait_of(self.declared), memo)


class Computed:
    """A setting that a class computes: of a spawner, what a property says; of the class, the trait beneath it.

    If the property itself reads or sets the setting, under any name, it gets what is beneath: what the same class
    declares otherwise, or what its parents do.
    """

    def __init__(self, owner, trait, attribute, descriptor, below):
        """`owner` is the class, `attribute` how it calls `descriptor`; `below` is a trait, a Computed or None."""
        self.name, self.trait = trait.name, trait
        self._owner, self._attribute, self._descriptor, self._below = owner, attribute, descriptor, below

    def __get__(self, obj, cls=None):
        if obj is None:
            return self.trait
        return self._once(obj, 'read', self._read, self._read_beneath, cls)

    def __set__(self, obj, value):
        self._once(obj, 'set', self._write, self.set_beneath, value)

    def __delete__(self, obj):
        if hasattr(type(self._descriptor), '__delete__'):
            self._descriptor.__delete__(obj)
        elif self._attribute not in vars(obj):
            raise AttributeError(self._attribute)
        else:
            del vars(obj)[self._attribute]

    def __getattr__(self, attribute):
        if attribute.startswith('_'):
            raise AttributeError(attribute)
        of = self._descriptor if hasattr(self._descriptor, attribute) else self.trait
        return getattr(of, attribute)

    def _once(self, obj, what, method, beneath, argument):
        """Return what `method` does, or `beneath` if that is being done already."""
        running = vars(obj).setdefault('_computing', set())
        if (self, what) in running:
            return beneath(obj, argument)
        running.add((self, what))
        try:
            return method(obj, argument)
        finally:
            running.remove((self, what))

    def _beneath(self, obj):
        if self._below is not None:
            return self._below
        mro = type(obj).__mro__
        return _declared(mro[mro.index(self._owner) + 1:], self.name)

    def _read_beneath(self, obj, cls):
        return self._beneath(obj).__get__(obj, cls)

    def set_beneath(self, obj, value):
        """Set what is beneath, and have it notified at once.

        Where notifications are held, traitlets would set it again in the end, to what the property says.
        """
        held = vars(obj).pop('notify_change', None)
        lock, obj._cross_validation_lock = obj._cross_validation_lock, False
        try:
            self._beneath(obj).__set__(obj, value)
        finally:
            obj._cross_validation_lock = lock
            if held is not None:
                obj.notify_change = held

    @property
    def is_settable(self):
        """Return whether a property has a setter, which could take a configured value."""
        return not isinstance(self._descriptor, property) or self._descriptor.fset is not None

    # As Python does it: an object's own attribute counts more than a descriptor without `__set__`.

    def _read(self, obj, cls):
        if not hasattr(type(self._descriptor), '__set__') and self._attribute in vars(obj):
            return vars(obj)[self._attribute]
        return self._descriptor.__get__(obj, cls)

    def _write(self, obj, value):
        if hasattr(type(self._descriptor), '__set__'):
            self._descriptor.__set__(obj, value)
        else:
            vars(obj)[self._attribute] = value


@functools.lru_cache(maxsize=1000)  # each new spawner asks
def computed(cls, name):
    """Return the Computed that a setting is in a class, None if it is a plain trait."""
    declared = _declared(cls.__mro__, canonical_name(name))
    return declared if isinstance(declared, Computed) else None


def _declared(classes, trait):
    """Return what the first of `classes` that declares a trait has declared: a TraitType, a Computed or None."""
    for cls in classes:
        declared = vars(cls).get(trait)
        if isinstance(declared, (TraitType, Computed)):
            return declared


def _trait_of(declared):
    return declared.trait if isinstance(declared, Computed) else declared


def tell_names(trait):
    """Say the other names of a trait in its help."""
    names = ', '.join(name for name in NAMES[trait.name] if name != trait.name)
    if not trait.help.endswith('Other names: %s.' % names):
        trait.help = ('%s\n\nOther names: %s.' % (trait.help.strip(), names)).strip()


def with_aliases(cls):
    """Give a class of traits the attributes of all their other names, and say them in the traits' help."""
    for trait in NAMES:
        declared = _declared(cls.__mro__, trait)
        if declared is not None:
            tell_names(declared)
            for name in NAMES[trait]:
                if name != trait:
                    setattr(cls, name, Alias(declared))
    return cls


def moved(cls, body, base):
    """Return what a new class declares (a dict) for traitlets, with all that concerns settings moved to their traits.

    `base` is the class from which all those are derived whose declarations are moved. Attributes of `cls` are changed.
    """
    body = dict(body)
    changed = _of_mixins(cls, body, base)
    body.update(changed)
    for key, value in body.items():
        if isinstance(value, EventHandler):
            changed[key] = body[key] = _moved_handler(cls, value)
    changed.update(_moved_magic(cls, body))
    for trait in sorted({SETTINGS[name] for name in body if name in SETTINGS}):
        changed.update(_moved_values(cls, body, trait))
    for key, value in changed.items():
        setattr(cls, key, value)
        if not isinstance(value, (Alias, Computed)):
            body[key] = value
    return body


# Values


def _moved_values(cls, body, trait):
    """Return the new attributes of a class that declares a setting; remove what they replace from `body`."""
    inherited = _declared(cls.__mro__[1:], trait)
    given = [name for name in NAMES[trait] if name in body]
    methods = [name for name in given if _is_method(body[name])]
    for name in methods:
        _warn(cls, '%s is a method. It is not used as the setting of that name.' % name)
    given = [name for name in given if name not in methods]
    if inherited is None or not given:
        return {}
    values = {name: body.pop(name) for name in given}
    properties = [name for name in given if _is_descriptor(values[name])]
    settings = [name for name in given if name not in properties]
    _warn_of_many(cls, settings)
    result, own = {}, None
    if settings:
        own, generator = _own_trait(cls, settings[0], values[settings[0]], inherited)
        own.name = trait
        tell_names(own)
        body[trait] = own
        result.update(generator)
    top, attributes = own, dict.fromkeys(settings, own)
    for name in reversed(properties):
        below = _trait_of(inherited) if own is None else own
        top = attributes[name] = Computed(cls, below, name, values[name], top)
    for name in NAMES[trait]:
        if name not in methods and name != trait:
            result[name] = Alias(attributes.get(name, top))
    if trait not in methods:
        result[trait] = top
    return result


def _is_method(value):
    return isinstance(value, (types.FunctionType, classmethod, EventHandler))


def _is_descriptor(value):
    return hasattr(type(value), '__get__') and not isinstance(value, (TraitType, staticmethod))


def _own_trait(cls, name, value, inherited):
    """Return the trait that a value in a class' body becomes, and a dict with the generator of its default."""
    if isinstance(value, TraitType):
        return (value if value.this_class is None else copy.copy(value)), {}
    if isinstance(value, staticmethod):
        value = value.__func__
    trait = copy.copy(_trait_of(inherited))
    nobody = HasTraits()
    nobody._cross_validation_lock = True  # no validators: they may need a spawner
    try:
        trait._validate(nobody, value)
    except TraitError as e:
        raise TraitError('%s.%s = %.100r: %s' % (cls.__name__, name, value, e))
    generator = default(trait.name)(lambda self: copy.deepcopy(value))
    return trait, {'_%s_default' % trait.name: generator}


# Handlers of events


def _moved_handler(cls, handler):
    """Return a handler for traits under their own names; itself if it is that."""
    if isinstance(handler, DefaultHandler):
        if handler.trait_name not in OTHER:
            return handler
        return _default(cls, OTHER[handler.trait_name], handler.func)
    names = handler.trait_names
    given = given_names(names)
    if not given:
        return handler
    moved_handler = copy.copy(handler)
    moved_handler.trait_names = tuple(sorted({canonical_name(name) for name in names}, key=str))

    @functools.wraps(handler.func)
    def func(self, event, *args):
        return handler.func(self, as_given(event, given) if isinstance(event, dict) else event, *args)

    moved_handler.func = func
    return moved_handler


def _default(cls, trait, function):
    """Return what generates the default of a trait. If it reads that itself, it gets the default of the parents."""
    @functools.wraps(function)
    def generate(self):
        running = vars(self).setdefault('_computing', set())
        if (generate, 'default') in running:
            return _default_of_parents(self, cls, trait)
        running.add((generate, 'default'))
        try:
            return function(self)
        finally:
            running.remove((generate, 'default'))

    return default(trait)(generate)


def _default_of_parents(obj, cls, trait):
    mro = type(obj).__mro__
    for parent in mro[mro.index(cls) + 1:]:
        declared = vars(parent)
        generate = declared.get('_trait_default_generators', {}).get(trait) or declared.get('_%s_default' % trait)
        if generate is not None:
            return generate(obj)
        if isinstance(declared.get(trait), TraitType):
            return _static_default(declared[trait], obj)


def _static_default(trait, obj):
    if hasattr(trait, 'default'):  # since traitlets 5
        return trait.default(obj)
    return trait.make_dynamic_default() if hasattr(trait, 'make_dynamic_default') else trait.default_value


def given_names(names):
    """Return by traits' own names the other names under which a handler knows them."""
    return {OTHER[name]: name for name in names if name in OTHER and OTHER[name] not in names}


def as_given(event, given):
    """Return a change, or a proposed value, with the trait called as its handler knows it."""
    if event.get('name') in given:
        return type(event)(event, name=given[event['name']])
    if 'trait' in event and event['trait'].name in given:
        trait = copy.copy(event['trait'])
        trait.name = given[trait.name]
        return type(event)(event, trait=trait)
    return event


def _moved_magic(cls, body):
    """Return handlers that call the methods of a class' body that traitlets would call for traits of other names."""
    result, found = {}, {}
    for method in body:
        if method in MAGIC and isinstance(body[method], types.FunctionType):
            trait, name, purpose = MAGIC[method]
            found.setdefault((trait, purpose), {})[name] = method
    for (trait, purpose), methods in found.items():
        names = [name for name in NAMES[trait] if name in methods]
        _warn_of_many(cls, [methods[name] for name in names])
        if names[0] != trait:
            result['_%s_%s' % (trait, purpose)] = HANDLERS[purpose](cls, trait, names[0], methods[names[0]])
    return result


def _default_of_magic(cls, trait, name, method):
    return _default(cls, trait, lambda self: getattr(self, method)())


def _observer_of_magic(cls, trait, name, method):
    def changed(self, change):
        call = getattr(self, method)
        arguments = [name, change['old'], change['new'], self]
        count = len(inspect.signature(call).parameters)
        call(*[name, change['new']] if count == 2 else arguments[:count])

    return observe(trait)(changed)


def _validator_of_magic(cls, trait, name, method):
    return validate(trait)(lambda self, proposal: getattr(self, method)(proposal['value'], proposal['trait']))


HANDLERS = {'default': _default_of_magic, 'changed': _observer_of_magic, 'validate': _validator_of_magic}


class Validators:
    """Validators of one trait, each of which gets what the one before it returns: those of subclasses come first.

    traitlets alone would have one take the place of all others, whichever has the last name in the alphabet.
    """

    def __init__(self, obj, first, then):
        mro = type(obj).__mro__
        handlers = (first.handlers if isinstance(first, Validators) else [first]) + [then]
        self.handlers = sorted(handlers, key=lambda handler: mro.index(handler.this_class))

    def __call__(self, obj, proposal):
        for handler in self.handlers:
            proposal = type(proposal)(proposal, value=handler(obj, proposal))
        return proposal['value']


# Mixins


def _of_mixins(cls, body, base):
    """Return what a new class' mixins declare of settings, where that counts: the class declares it again.

    A mixin is a class before `base` in the order of bases, but not derived from it, and not a parent's mixin.
    """
    before = cls.__mro__[1:cls.__mro__.index(base)]
    parents = [parent for parent in cls.__bases__ if issubclass(parent, base)]
    result, claimed = {}, _claims(body)
    for parent in before:
        if not issubclass(parent, base) and not any(issubclass(each, parent) for each in parents):
            for key, value in vars(parent).items():
                subject = _subject(key, value)
                if subject and not {subject, ('attribute', key)} & claimed:
                    result[key] = copy.copy(value) if isinstance(value, BaseDescriptor) else value
        claimed |= _claims(vars(parent))
    return result


def _claims(body):
    """Return what a class leaves nothing to say about for those after it."""
    claims = {('attribute', key) for key in body}
    for key, value in body.items():
        subject = _subject(key, value)
        if subject and subject[0] in ('value', 'default'):
            claims |= {subject, ('default', subject[1])}
    return claims


def _subject(key, value):
    """Return what an attribute of a class says about a setting: ('value', 'default' or 'other', the trait's name)."""
    if key in SETTINGS:
        return 'other' if _is_method(value) else 'value', SETTINGS[key]
    if isinstance(value, DefaultHandler):
        trait = canonical_name(value.trait_name)
        return ('default', trait) if trait in NAMES else None
    if isinstance(value, EventHandler):
        traits = {canonical_name(name) for name in value.trait_names}
        return ('other', '') if traits & set(NAMES) else None
    if key in MAGIC and isinstance(value, types.FunctionType):
        trait, _, purpose = MAGIC[key]
        return ('default' if purpose == 'default' else 'other'), trait
    return None


# Warnings


def _warn_of_many(cls, names):
    if len(names) > 1:
        _warn(cls, '%s are names of one setting: %s counts.' % (', '.join(names), names[0]))


def _warn(cls, message):
    warnings.warn('%s.%s: %s' % (cls.__module__, cls.__qualname__, message), stacklevel=6)
