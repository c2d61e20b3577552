"""The reference of all settings, kubespawner/reference.rst, made of the code. No test is here, see test_reference."""
import inspect
import os
import re
from collections import OrderedDict

from kubespawner import KubeSpawner, configuration, eras
from kubespawner.configuration import cluster, container, life, pod, profiles, storage
from kubespawner.reflector import NamespacedResourceReflector

PATH = os.path.join(os.path.dirname(os.path.abspath(configuration.__file__)), '..', 'reference.rst')

HEAD = '''\
Settings
========

Every setting of KubeSpawner, for ``jupyterhub_config.py``. Each works in the section ``c.KubeSpawner`` and in that of
a subclass, by its name here and by its other names. If one section sets it under two names, the newer name counts: the
first one in the line *Names*. *Since* says in which year spawners for Kubernetes began to have such a setting, under
whichever name; *new* ones no other spawner has.

Wherever a Kubernetes object is wanted it is a dict, as the Kubernetes API spells it, or a model of a Python client.
Lists of such objects may also be dicts, whose values count in the order of their keys.

KubeSpawner also has the settings of JupyterHub's own ``Spawner``, such as ``args``, ``environment`` and
``start_timeout``.

This file is made of the code: ``UPDATE_REFERENCE=1 pytest tests/test_reference.py``.
'''

# Since when later names are known; of the others it is 2018.
SINCE = {name: year for year, names in {
    '2019': 'storage_selector delete_grace_period',
    '2020': 'component_label',
    '2021': '''k8s_api_request_timeout k8s_api_request_retry_timeout k8s_api_host k8s_api_ssl_ca_cert
        enable_user_namespaces user_namespace_template automount_service_account_token dns_name_template pod_connect_ip
        get_pod_url allow_privilege_escalation container_security_context pod_security_context delete_pvc''',
    '2022': 'user_namespace_labels user_namespace_annotations after_pod_created_hook storage_extra_annotations',
    '2023': 'k8s_api_verify_ssl additional_profile_form_template_paths',
    '2024': 'slug_scheme remember_pvc_name handle_legacy_names',
    'new': '''legacy_singleuser_env start_failure_grace force_delete_after further_fields give_up_seconds
        slow_spawn_message slow_spawn_message_after''',
}.items() for name in names.split()}

OF_2018 = frozenset('''
    k8s_api_threadpool_workers namespace hub_connect_ip hub_connect_port ip port cmd env_keep singleuser_working_dir
    singleuser_image_spec singleuser_image_pull_policy singleuser_image_pull_secrets singleuser_privileged
    singleuser_lifecycle_hooks singleuser_extra_container_config cpu_limit cpu_guarantee mem_limit mem_guarantee
    extra_resource_guarantees extra_resource_limits pod_name_template singleuser_extra_labels
    singleuser_extra_annotations singleuser_node_selector singleuser_service_account singleuser_uid singleuser_fs_gid
    singleuser_supplemental_gids singleuser_init_containers singleuser_extra_containers singleuser_extra_pod_config
    volumes volume_mounts pvc_name_template user_storage_pvc_ensure user_storage_capacity user_storage_class
    user_storage_access_modes user_storage_extra_labels modify_pod_hook delete_stopped_pods common_labels gid
    scheduler_name tolerations node_affinity_preferred node_affinity_required pod_affinity_preferred
    pod_affinity_required pod_anti_affinity_preferred pod_anti_affinity_required priority_class_name events_enabled
    profile_list profile_form_template options_form'''.split())

# Defaults that depend on where the hub runs.
IN_WORDS = {
    'k8s_api_threadpool_workers': "five times the number of the machine's processors",
    'namespace': "the hub's own in a pod, otherwise ``'default'``",
    'hub_connect_port': 'the one that the hub listens on',
}

# What may be given to traits of a type: a type's own name is another in other versions of traitlets.
TYPES = {
    'Any': ['anything'],
    'Bool': ['True', 'False'],
    'Callable': ['a function'],
    'Command': ['a text', 'a list of texts'],
    'Dict': ['a dict'],
    'Fresh': ['a text', 'a function'],
    'Float': ['a number'],
    'Int': ['a whole number'],
    'Integer': ['a whole number'],
    'List': ['a list'],
    'Memory': ['a number of bytes', 'a text such as ``1.5G``'],
    'Object': ['a Kubernetes object'],
    'Objects': ['a list', 'a dict of Kubernetes objects'],
    'Unicode': ['a text'],
}


class Spawner(KubeSpawner):
    """To look at defaults, which are made when they are asked for."""
    pod_reflector = None


def reference():
    """Return the text of the reference."""
    parts = [HEAD]
    for module in (cluster, container, pod, storage, life, profiles):
        cls, = [cls for cls in configuration.Configuration.__mro__ if cls.__module__ == module.__name__
                and cls in configuration.Configuration.__bases__]
        parts.append(_group(inspect.getdoc(module), cls, Spawner()))
    parts.append(_group('The watch, in the section ``c.PodReflector``.', NamespacedResourceReflector,
                        NamespacedResourceReflector()))
    return '\n'.join(parts)


def _group(title, cls, owner):
    """Return the part of one class: its title, and its settings in the order of the code."""
    title = title.splitlines()[0].rstrip('.')
    traits = OrderedDict((name, trait) for part in reversed(cls.__mro__) for name, trait in vars(part).items()
                         if name in cls.class_traits(config=True))
    return '\n'.join([title, '-' * len(title), ''] + [_setting(trait, owner) for trait in traits.values()])


def _setting(trait, owner):
    name = trait.name
    lines = [name, '~' * len(name), '', ':Value: %s' % type_of(trait),
             ':Default: %s' % default_of(trait, owner)]
    if name in eras.NAMES:
        lines.append(':Names: %s' % ', '.join('``%s``' % each for each in eras.NAMES[name]))
    return '\n'.join(lines + [':Since: %s' % since(name), '', help_of(trait), ''])


def default_of(trait, owner):
    """Return the default of a trait, as it is written in a configuration file."""
    if trait.name in IN_WORDS:
        return IN_WORDS[trait.name]
    value = getattr(owner, trait.name)
    return '``%r``' % (int(value) if isinstance(value, float) and value % 1 == 0 else value)  # 1.0 here, 1 there


def type_of(trait):
    """Return what may be given to a trait, in words."""
    words = possible(trait) + (['None'] if trait.allow_none else [])
    return ' or '.join(filter(None, [', '.join(words[:-1]), words[-1]]))


def possible(trait):
    """Return the kinds of values of a trait besides None."""
    kind = type(trait).__name__
    if kind == 'Union':
        return [word for one in trait.trait_types for word in possible(one)]
    if kind.endswith('Enum'):
        return ['``%r``' % (value,) for value in trait.values]
    return TYPES[kind]


def since(name):
    """Return the year since when a setting is known. Raises KeyError for one that nobody has told that of."""
    return '2018' if name in OF_2018 else SINCE[name]


def help_of(trait):
    """Return the help of a trait as reStructuredText: what is code in it has the quotes of code there."""
    text = inspect.cleandoc(trait.help).split('\n\nOther names: ')[0]
    return re.sub(r'(?<!`)`([^`\n]+|[^`]+?)`(?!`)', r'``\1``', text)
