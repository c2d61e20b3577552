"""Aliases of settings: the names that settings had in other versions, in one table, and the code that makes them work.

Nothing here knows what a setting is for. Any thread.

An alias works wherever the name of the trait works: in every section of a configuration file (also with `append` and
similar methods), as an attribute, and as a keyword argument. If one section sets a trait under two names, the newer
name takes precedence.
"""
from traitlets.config import Config, LazyConfigValue

# The name of each trait, and all names of the setting, from the newest to the oldest.
NAMES = {trait: [newer, trait] for trait, newer in [
    ('singleuser_' + name, name) for name in [
        'working_dir', 'service_account', 'extra_labels', 'extra_annotations', 'image_pull_policy',
        'image_pull_secrets', 'node_selector', 'uid', 'fs_gid', 'supplemental_gids', 'privileged', 'lifecycle_hooks',
        'init_containers', 'extra_container_config', 'extra_pod_config', 'extra_containers']
] + [
    ('user_' + name, name) for name in [
        'storage_class', 'storage_capacity', 'storage_pvc_ensure', 'storage_extra_labels', 'storage_access_modes']
]}
NAMES.update({
    'singleuser_image_spec': ['image', 'image_spec', 'singleuser_image_spec'],
    'allow_privilege_escalation': ['allow_privilege_escalation', 'singleuser_allow_privilege_escalation'],
    'namespace': ['namespace', 'kube_namespace'],
    'hub_connect_ip': ['hub_connect_ip', 'hub_ip_connect'],
    'cpu_guarantee': ['cpu_guarantee', 'cpu_request'],
    'mem_guarantee': ['mem_guarantee', 'mem_request'],
    'delete_grace_period': ['delete_grace_period', 'kube_termination_grace'],
})

OTHER = {name: trait for trait, names in NAMES.items() for name in names if name != trait}


_warned = set()  # tuples of names


def canonical_name(name):
    """Return the name of the trait that has this name or alias."""
    return OTHER.get(name, name)


class Alias(property):
    """An attribute that reads and sets the trait `trait`."""

    def __init__(self, trait):
        super().__init__(lambda self: getattr(self, trait), lambda self, value: setattr(self, trait, value))
        self.__doc__ = 'Another name of `%s`.' % trait


def with_aliases(cls):
    """Add the aliases of all traits of a class as attributes, and list them in the help of the traits."""
    for trait, names in NAMES.items():
        if trait in cls.class_trait_names():
            others = [name for name in names if name != trait]
            for name in others:
                setattr(cls, name, Alias(trait))
            declared = getattr(cls, trait)
            declared.help = '%s\n\nOther names: %s.' % (declared.help.strip(), ', '.join(others))
    return cls


def translated(obj, section):
    """Return a section of a configuration in which the names of traits of `obj` replace their aliases.

    Return the section itself if it contains no alias. If a subclass has a trait with the name of an alias, that name is
    not replaced. If the section sets a trait under several names, this logs a warning, once per process.
    """
    names = [name for name in section if isinstance(getattr(type(obj), name, None), Alias)]
    if not names:
        return section
    result = Config({name: value for name, value in section.items() if name not in names})
    for trait in {OTHER[name] for name in names}:
        given = [name for name in NAMES[trait] if name in section and name in names + [trait]]
        result[trait] = _together(*[section[name] for name in given])
        if len(given) > 1 and tuple(given) not in _warned:
            _warned.add(tuple(given))
            obj.log.warning('%s are names of one setting, and more than one is set: %s counts.',
                            ', '.join(given), given[0])
    return result


def _together(newest, *older):
    """Return the value of a setting that is set several times. The first argument takes precedence.

    An `append` or `update` applies to the value that is set under an older name, or for a parent class.
    """
    if not older or not isinstance(newest, LazyConfigValue):
        return newest
    under = _together(*older)
    return (_added if isinstance(under, LazyConfigValue) else amended)(under, newest)


def _added(first, then):
    """Return a new LazyConfigValue that does what two others do. Those stay unchanged, because spawners share them."""
    both = LazyConfigValue()
    both._inserts = first._inserts + then._inserts
    both._prepend = then._prepend + first._prepend
    both._extend = first._extend + then._extend
    for lazy in (first, then):
        if lazy._update:
            both.update(lazy._update)
    return both


def amended(value, lazy):
    """Return the value of a setting after `append`, `update` and similar methods (a LazyConfigValue).

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


class AliasedTraits:
    """The part of KubeSpawner that accepts aliases in the configuration and in keyword arguments."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **translated(self, kwargs))

    def _find_my_config(self, cfg):
        """Return the configuration of this object, merged from the sections of all its classes.

        traitlets calls this. Its own method loses values that are appended for a parent class, or appends the values of
        a subclass to those of the parent again for each new object.
        """
        found = {}
        for source in [cfg] + ([self.parent._find_my_config(cfg)] if self.parent else []):
            for section in self.section_names():
                if source._has_section(section):
                    for name, value in translated(self, source[section]).items():
                        found[name] = _together(value, *[found[name]] if name in found else [])
        for name, value in found.items():
            if isinstance(value, LazyConfigValue) and self.has_trait(name):
                found[name] = amended(getattr(self, name), value)
        return Config(found)
