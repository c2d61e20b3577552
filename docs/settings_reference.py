"""The settings reference, made from the traits of KubeSpawner when the documentation is built.

As a Sphinx extension it adds the directive `settings-reference`, which puts all settings on a page, and the role
`setting`, which links to one of them by any of its names. Sphinx is needed for that only: the text is made without it.
"""
import re
import textwrap
from collections import OrderedDict

from kubespawner import KubeSpawner, configuration
from kubespawner.configuration import aliases
from kubespawner.reflector import ResourceReflector

# The areas of settings, in the order of the page: a module of `kubespawner.configuration`, the title, an introduction.
AREAS = [
    ('cluster', 'Cluster and hub', 'Where the Kubernetes API is, which namespace is used, and how pods reach the hub.'),
    ('container', 'Notebook container', 'The image and command of the notebook server, and its resources.'),
    ('pod', 'Pod', 'Names, labels, scheduling, users and groups, and additional containers.'),
    ('related', 'Service and Secret', 'What goes with a pod, and is deleted with it.'),
    ('storage', 'Storage', 'Volumes, and the persistent volume claim (PVC) of each server.'),
    ('lifecycle', 'Start and stop', 'Hooks, time limits, and what users see while a server starts.'),
    ('profiles', 'Profiles', 'What users can choose before their server starts.'),
]

# Defaults that depend on where the hub runs.
COMPUTED_DEFAULTS = {
    'k8s_api_threadpool_workers': 'five times the number of CPUs',
    'namespace': "the hub's own namespace if the hub runs in a pod, otherwise ``'default'``",
    'hub_connect_port': 'the port that the hub listens on',
}

# What a trait accepts, by its type. A type's own description differs between versions of traitlets.
TYPES = {
    'Any': ['anything'],
    'Bool': ['``True``', '``False``'],
    'Callable': ['a function'],
    'Command': ['a string', 'a list of strings'],
    'Dict': ['a dict'],
    'Float': ['a number'],
    'DynamicDefault': ['a string', 'a function'],
    'Int': ['an integer'],
    'Integer': ['an integer'],
    'List': ['a list'],
    'Memory': ['a number of bytes', 'a string such as ``1.5G``'],
    'KubeObject': ['a Kubernetes object'],
    'KubeObjectList': ['a list or a dict of Kubernetes objects'],
    'Unicode': ['a string'],
}


HELP_INDENT = ' ' * 8  # of the help texts in the code; the first line has lost it


class SpawnerWithoutHub(KubeSpawner):
    """A spawner whose dynamic defaults can be read."""
    pod_reflector = None


def names_of(trait_name):
    """Return all names of a setting, the newest first."""
    return aliases.NAMES.get(trait_name, [trait_name])


def trait_of(name):
    """Return the name of the trait that has this name, among others."""
    return aliases.canonical_name(name)


ALL_NAMES = frozenset(name for trait in KubeSpawner.class_own_traits(config=True) for name in names_of(trait))


def reference():
    """Return the reference of all settings as reStructuredText."""
    parts = []
    for area, title, introduction in AREAS:
        cls, = [cls for cls in configuration.Configuration.__bases__ if cls.__module__.split('.')[-1] == area]
        parts.append(_section(title, introduction, cls, SpawnerWithoutHub()))
    parts.append(_section('Watch', 'These belong to the section ``c.PodReflector``.', ResourceReflector,
                          ResourceReflector()))
    return '\n'.join(parts)


def _section(title, introduction, cls, owner):
    """Return one area: its title, and its settings in the order of the code."""
    traits = OrderedDict((name, trait) for part in reversed(cls.__mro__) for name, trait in vars(part).items()
                         if name in cls.class_traits(config=True))
    head = [title, '-' * len(title), '', introduction, '']
    return '\n'.join(head + [_setting(each, owner) for each in traits.values()])


def _setting(trait, owner):
    names = names_of(trait.name)
    lines = ['.. setting:: ' + names[0]] + [' ' * len('.. setting:: ') + name for name in names[1:]]
    summary = '**Value:** %s. **Default:** %s.' % (type_of(trait), default_of(trait, owner))
    body = [summary, ''] + help_of(trait).splitlines()
    return '\n'.join(lines + [''] + ['   ' + line if line else '' for line in body] + [''])


def default_of(trait, owner):
    """Return the default of a trait as it would be written in a configuration file."""
    if trait.name in COMPUTED_DEFAULTS:
        return COMPUTED_DEFAULTS[trait.name]
    value = getattr(owner, trait.name)
    return '``%r``' % (int(value) if isinstance(value, float) and value % 1 == 0 else value)


def type_of(trait):
    """Return what a trait accepts, in words."""
    accepted = _accepted(trait) + (['``None``'] if trait.allow_none else [])
    return ' or '.join(filter(None, [', '.join(accepted[:-1]), accepted[-1]]))


def _accepted(trait):
    """Return the kinds of values that a trait accepts besides None."""
    kind = type(trait).__name__
    if kind == 'Union':
        return [word for one in trait.trait_types for word in _accepted(one)]
    if kind.endswith('Enum'):
        return ['``%r``' % (value,) for value in trait.values]
    return TYPES[kind]


def help_of(trait):
    """Return the help of a trait as reStructuredText, in which names of other settings are links."""
    text = textwrap.dedent(HELP_INDENT + trait.help.split('\n\nOther names: ')[0].strip())
    text = re.sub(r'(?<!`)`([^`\n]+|[^`]+?)`(?!`)', r'``\1``', text)
    return re.sub(r'``(\w+)``', lambda found: _link(found, trait), text)


def _link(found, trait):
    name = found.group(1)
    return ':setting:`%s`' % name if name in ALL_NAMES and name not in names_of(trait.name) else found.group()


def setup(app):
    """Add the directive and the role to Sphinx."""
    from docutils import nodes
    from docutils.statemachine import StringList
    from sphinx.util.docutils import SphinxDirective
    from sphinx.util.nodes import nested_parse_with_titles

    class SettingsReference(SphinxDirective):
        def run(self):
            parent = nodes.section()
            parent.document = self.state.document
            nested_parse_with_titles(self.state, StringList(reference().splitlines(), 'settings_reference'), parent)
            return parent.children

    app.add_object_type('setting', 'setting', 'pair: %s; setting', objname='setting')
    app.add_directive('settings-reference', SettingsReference)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
