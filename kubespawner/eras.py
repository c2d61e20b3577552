"""What settings were called in other years: one table, and what makes all names work.

Here belongs nothing that knows what a setting is for. Any thread.

A name works wherever the trait's own does: in every section of a configuration file, also through `append` and the
like, as an attribute, and as a keyword argument. Where one section sets a trait under two names, the newer counts.
"""
import copy

from traitlets.config import Config, LazyConfigValue

# The documented name of a trait, and all its names from the newest to the oldest.
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


def own_name(name):
    """Return what the trait of any name is called here."""
    return OTHER.get(name, name)


class OtherName(property):
    """An attribute that stands for the trait `trait`."""

    def __init__(self, trait):
        super().__init__(lambda self: getattr(self, trait), lambda self, value: setattr(self, trait, value))
        self.__doc__ = 'Another name of `%s`.' % trait


def with_other_names(cls):
    """Give a class of traits the attributes of all their other names, and say them in the traits' help."""
    for trait, names in NAMES.items():
        if trait in cls.class_trait_names():
            others = [name for name in names if name != trait]
            for name in others:
                setattr(cls, name, OtherName(trait))
            declared = getattr(cls, trait)
            declared.help = '%s\n\nOther names: %s.' % (declared.help.strip(), ', '.join(others))
    return cls


def translated(obj, section):
    """Return a section of a configuration with all traits of `obj` under their own names; itself if they are.

    A subclass' trait that has such a name is a trait of its own, and left alone. A setting that is set twice is told of
    in the log, once in the process' life.
    """
    names = [name for name in section if isinstance(getattr(type(obj), name, None), OtherName)]
    if not names:
        return section
    result = Config({name: value for name, value in section.items() if name not in names})
    for trait in {OTHER[name] for name in names}:
        given = [name for name in NAMES[trait] if name in section and name in names + [trait]]
        result[trait] = _together([section[name] for name in given])
        if len(given) > 1 and tuple(given) not in _warned:
            _warned.add(tuple(given))
            obj.log.warning('%s are names of one setting, and more than one is set: %s counts.',
                            ', '.join(given), given[0])
    return result


def _together(values):
    """Return the value that counts, of one setting under several names, the newest first.

    What appends to a list, or updates a dict, does so to what is set under an older name.
    """
    newest, older = values[0], values[1:]
    if isinstance(newest, LazyConfigValue) and older:
        under = _together(older)
        newest = copy.deepcopy(newest)
        newest._value = None  # of an earlier use
        if not isinstance(under, LazyConfigValue):
            return newest.get_value(under)
        if hasattr(newest, 'merge_into'):  # since traitlets 5
            return newest.merge_into(copy.deepcopy(under))
    return newest


class EveryName:
    """The part of KubeSpawner that takes configuration and keyword arguments by any name."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **translated(self, kwargs))

    def _find_my_config(self, cfg):
        """Return the configuration of this object: traitlets' own method, which merges the sections of its classes."""
        sections = {name: cfg[name] for name in self.section_names() if cfg._has_section(name)}
        own = {name: translated(self, section) for name, section in sections.items()}
        if any(own[name] is not section for name, section in sections.items()):
            cfg = Config(dict(cfg, **own))
        return super()._find_my_config(cfg)
