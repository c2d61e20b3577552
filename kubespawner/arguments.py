"""Checking the arguments of make_pod and make_pvc, and copying them into objects for the API.

Which values can be sent, and the errors for those that cannot, belong here. Nothing here knows pods or claims. Pure: no
argument is changed, and results contain only copies; any thread.
"""
import datetime
import math

from .kube.clients import to_dict
from .kube.resource import SpellingError, of_type, path_text

# What the arguments are that are raw Kubernetes objects, or lists of them.
KINDS = {
    'volumes': 'V1Volume',
    'volume_mounts': 'V1VolumeMount',
    'env': 'V1EnvVar',
    'lifecycle_hooks': 'V1Lifecycle',
    'init_containers': 'V1Container',
    'extra_containers': 'V1Container',
    'extra_container_config': 'V1Container',
    'extra_pod_config': 'V1PodSpec',
    'container_security_context': 'V1SecurityContext',
    'pod_security_context': 'V1PodSecurityContext',
    'image_pull_secret': 'V1LocalObjectReference',
    'tolerations': 'V1Toleration',
    'node_affinity_preferred': 'V1PreferredSchedulingTerm',
    'node_affinity_required': 'V1NodeSelectorTerm',
    'pod_affinity_preferred': 'V1WeightedPodAffinityTerm',
    'pod_affinity_required': 'V1PodAffinityTerm',
    'pod_anti_affinity_preferred': 'V1WeightedPodAffinityTerm',
    'pod_anti_affinity_required': 'V1PodAffinityTerm',
    'selector': 'V1LabelSelector',
    'pod': 'V1Pod',
}

DEEPEST = 50  # levels of lists and dicts in what is configured; Kubernetes' own objects have about 15


class ArgumentError(ValueError):
    """An argument of `make_pod` or `make_pvc` has a wrong value.

    argument (str): its name.
    problem (str): the rest of the sentence after that name. It does not repeat values: some are secret.
    """

    def __init__(self, argument, problem):
        self.argument = argument
        self.problem = problem
        super().__init__(argument + problem)


def raw(argument, value):
    """Return a copy of configured Kubernetes objects: JSON, which may contain models.

    The copies are dicts that answer to attributes, with the API's spelling of all fields of the argument's kind.
    """
    return settled(argument, checked(argument, value))


def checked(argument, value):
    """Return a copy of Kubernetes objects as plain dicts that contain only JSON values."""
    try:
        return _copy(value, ())
    except _Unfit as e:
        raise _wrong_part(argument, e.path, e)


def settled(argument, value):
    """Return an object (a dict or a model) whose parts answer to attributes and keys, see `resource.of_type`."""
    try:
        return of_type(value, (False, KINDS[argument]))
    except SpellingError as e:
        raise _wrong_part(argument, e.path, e)


def _wrong_part(argument, path, error):
    """Return the ArgumentError about a part of an argument. path: the keys that lead to the part."""
    return ArgumentError(argument, '%s %s' % (path_text(path), error.problem))


class _Unfit(Exception):
    """A part of a value is wrong. Contains the problem, and the keys and numbers that lead to the part."""

    def __init__(self, path, problem):
        self.path, self.problem = path, problem
        super().__init__(path, problem)


def _copy(value, path):
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if len(path) > DEEPEST:
        raise _Unfit(path, 'is more than %d levels deep. Does it contain itself?' % DEEPEST)
    if isinstance(value, dict):
        return {_key(key, path): _copy(item, path + (key,)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copy(item, path + (number,)) for number, item in enumerate(value)]
    if hasattr(kind, 'attribute_map'):
        return _copy_of_model(value, path)
    if isinstance(value, (str, int, datetime.date)) or (kind is float and math.isfinite(value)):
        return value
    raise _Unfit(path, 'is %s, which JSON does not have.' % (value if kind is float else 'a ' + kind.__name__))


def _key(key, path):
    if isinstance(key, str):
        return key
    raise _Unfit(path, 'has the key %s, which is no string.' % shown(key))


def _copy_of_model(value, path):
    try:
        return _copy(to_dict(value), path)
    except RecursionError:
        raise _Unfit(path, 'is nested too deeply. Does it contain itself?')


def objects(argument, values):
    """Return copies of the Kubernetes objects in a list, or in a dict in the order of its keys, as a list."""
    if not values:
        return []
    copied = checked(argument, values)
    if isinstance(copied, dict):
        items = sorted(copied.items())
    elif isinstance(copied, list):
        items = list(enumerate(copied))
    else:
        raise ArgumentError(argument, ': is not a list.')
    for key, value in items:
        if not isinstance(value, dict):
            raise ArgumentError(argument, '[%r] is not a dict, but of the type %s.' % (key, type(value).__name__))
    try:
        return of_type([value for _, value in items], (True, KINDS[argument]))
    except SpellingError as e:
        raise _wrong_part(argument, (items[e.path[0]][0],) + e.path[1:], e)


def strings(argument, mapping):
    """Return a copy of a dict (or None) whose values must be strings, like those of labels."""
    return {key: str(value) for key, value in scalars(argument, mapping).items()}


def scalars(argument, mapping):
    """Return a dict (None: an empty one) whose values must be strings, numbers and booleans."""
    check_keys(argument, mapping)
    for key, value in (mapping or {}).items():
        if not isinstance(value, (str, int, float)):
            raise ArgumentError(argument, '[%r] is a %s; it must be a string.' % (key, type(value).__name__))
    return mapping or {}


def check_keys(argument, mapping):
    """Raise ArgumentError if a key of a dict is not a string."""
    for key in mapping or ():
        if not isinstance(key, str):
            raise ArgumentError(argument, ': has the key %s, which is no string.' % shown(key))


def id_number(argument, value):
    """Return the number of a user or group."""
    try:
        number = int(value)
        if not isinstance(value, float) or number == value:
            return number
    except (TypeError, ValueError, OverflowError):
        pass
    raise ArgumentError(argument, ': %s is not the number of a user or group.' % shown(value))


def shown(value):
    """Return how an error shows a value: a small one as in Python, any other by its type."""
    return '%.100r' % value if isinstance(value, (str, int, float)) or value is None else 'a ' + type(value).__name__


def fields(model, argument, config):
    """Return copies of the fields in the dict `config`, by the names of the model's attributes.

    model: a class of models, or an instance. config: its keys are in camelCase or snake_case.
    """
    if not config:
        return {}
    config = raw(argument, config)
    if not isinstance(config, dict):
        raise ArgumentError(argument, ': is not a dict, but of the type %s.' % type(config).__name__)
    attributes = {key: attribute for attribute, key in model.attribute_map.items()}
    for key in config:
        if key not in attributes and key not in model.attribute_map:
            raise ArgumentError(argument, ': %r is not a field of a Kubernetes %s; those are: %s' % (
                key, KINDS[argument][len('V1'):], ', '.join(sorted(attributes))))
    return {attributes.get(key, key): value for key, value in config.items()}


def set_fields(model, argument, config):
    """Set the fields of `model` that the dict `config` names, in camelCase or snake_case."""
    for attribute, value in fields(model, argument, config).items():
        try:
            setattr(model, attribute, value)
        except ValueError as e:  # models of old clients refuse None for what has to be there
            raise ArgumentError(argument, '[%r]: %s.' % (model.attribute_map[attribute], e))
