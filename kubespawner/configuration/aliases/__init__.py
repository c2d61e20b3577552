"""The names that settings have in other versions: one table, and the code that makes all names work.

Here belongs nothing that knows what a setting is for. Any thread.

    names          the table
    sections       configuration files and keyword arguments
    declarations   what subclasses declare

A name works wherever the trait's own does. Lists of traits contain each trait once, under its own name; to look one up,
any name will do.
"""
from traitlets import All, HasTraits
from traitlets.config import Config, LazyConfigValue

from .declarations import Validators, as_given, computed, given_names, moved, with_aliases
from .names import NAMES, OTHER, canonical_name
from .sections import amended, together, translated

__all__ = ['AliasedTraits', 'NAMES', 'canonical_name', 'computed', 'with_aliases']

_warned = set()  # pairs of a class and a setting


class Traits(dict):
    """Traits by name. It contains each once, and finds it by any name."""

    def __contains__(self, name):
        return super().__contains__(canonical_name(name))

    def __missing__(self, name):
        if name in OTHER and name in self:
            return self[OTHER[name]]
        raise KeyError(name)

    def get(self, name, default=None):
        return super().get(canonical_name(name), default)


class TraitNames(list):
    """Names of traits. It contains each trait once, but any name is `in` it."""

    def __contains__(self, name):
        return super().__contains__(canonical_name(name))


class Observer:
    """A function that observes a trait under another name."""

    def __init__(self, handler, name):
        self._handler, self._name = handler, name

    def __call__(self, change):
        self._handler(as_given(change, given_names([self._name])))

    def __eq__(self, other):
        return isinstance(other, Observer) and vars(self) == vars(other)

    def __hash__(self):
        return hash(self._name)


class AliasedTraits(HasTraits):
    """The part of KubeSpawner that takes configuration, keyword arguments and declarations by any name."""

    @classmethod
    def setup_class(cls, classdict):
        """Set up the traits of a new class, with what its body declares. traitlets calls this.

        It is a method of the metaclass there. Here it is one of the class, so subclasses may have another metaclass.
        """
        type(cls).setup_class(cls, moved(cls, classdict, __class__))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **translated(self, kwargs))

    # Configuration

    def _find_my_config(self, cfg):
        """Return the configuration of this object: what the sections of its classes say together.

        traitlets calls this. Its own method drops what is appended for a parent, or adds what is appended for a
        subclass to the parent's, again with each object that is made.
        """
        found = {}
        for source in [cfg] + ([self.parent._find_my_config(cfg)] if self.parent else []):
            for section in self.section_names():
                if source._has_section(section):
                    for name, value in translated(self, source[section]).items():
                        found[name] = together(value, *[found[name]] if name in found else [])
        for name, value in found.items():
            if isinstance(value, LazyConfigValue) and self.has_trait(name):
                found[name] = amended(getattr(self, name), value)
        for name in [name for name in found if name in NAMES and self.has_trait(name)]:
            trait, declared = getattr(type(self), name), computed(type(self), name)
            if declared is not None and not declared.is_settable:
                value = found.pop(name)
                declared.set_beneath(self, value.get_value(trait) if hasattr(value, 'get_value') else value)
                self._warn_once(name, 'is computed by a property. What is configured counts only if that reads it.')
            elif not trait.metadata.get('config'):
                del found[name]
                self._warn_once(name, 'is declared without config=True. What is configured has no effect.')
        return Config(found)

    def _warn_once(self, name, problem):
        """Tell what is wrong with configuring a setting of this class, once in the process' life."""
        if (type(self), name) not in _warned:
            _warned.add((type(self), name))
            self.log.warning('%s: %s %s', type(self).__name__, ' or '.join(NAMES[name]), problem)

    # What traitlets has for names of traits

    @classmethod
    def class_traits(cls, **metadata):
        return Traits(super().class_traits(**metadata))

    @classmethod
    def class_trait_names(cls, **metadata):
        return TraitNames(super().class_trait_names(**metadata))

    def traits(self, **metadata):
        return Traits(_with_metadata(super().traits(), metadata))

    def trait_names(self, **metadata):
        return TraitNames(super().trait_names(**metadata))

    def has_trait(self, name):
        return super().has_trait(canonical_name(name))

    def set_trait(self, name, value):
        super().set_trait(canonical_name(name), value)

    def observe(self, handler, names=All, type='change'):
        """Call `handler` when traits change. It gets the names that are given here."""
        for name in _as_list(names):
            super().observe(Observer(handler, name) if name in OTHER else handler, canonical_name(name), type)

    def unobserve(self, handler, names=All, type='change'):
        for name in _as_list(names):
            super().unobserve(Observer(handler, name) if name in OTHER else handler, canonical_name(name), type)

    def unobserve_all(self, name=All):
        super().unobserve_all(canonical_name(name))

    def _register_validator(self, handler, names):
        """Let a handler validate traits. traitlets calls this for the methods with `@validate`."""
        for name in names:
            other = self._trait_validators.get(name)
            super()._register_validator(handler if other is None else Validators(self, other, handler), [name])

    if hasattr(HasTraits, 'trait_has_value'):  # since traitlets 5
        def trait_has_value(self, name):
            return super().trait_has_value(canonical_name(name))

        def trait_values(self, **metadata):
            return Traits(super().trait_values(**metadata))

        def trait_defaults(self, *names, **metadata):
            defaults = super().trait_defaults(*map(canonical_name, names), **metadata)
            return Traits(defaults) if metadata or len(names) != 1 else defaults


def _with_metadata(traits, metadata):
    """Return those of `traits` (a dict) that have this metadata: a value, or one that a function says True to.

    traitlets does the same, but with two calls for each trait. It asks for the configurable ones of each new object.
    """
    for key, wanted in metadata.items():
        if callable(wanted):
            traits = {name: trait for name, trait in traits.items() if wanted(trait.metadata.get(key))}
        else:
            traits = {name: trait for name, trait in traits.items() if trait.metadata.get(key) == wanted}
    return traits


def _as_list(names):
    return [names] if names is All or isinstance(names, str) else list(names) or [All]
