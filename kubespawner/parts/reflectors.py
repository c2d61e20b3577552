"""All reflectors of a spawner class, by kind and namespace: the shared ones, and those that subclasses start.

Everything runs on the IOLoop's thread.
"""
from tornado import gen

from ..reflector import ResourceReflector

KINDS = {'pod_reflector': 'pods', 'event_reflector': 'events'}


class Reflectors(dict):
    """A dict of reflectors by (kind, namespace), None for all namespaces. A kind alone is the key of the first of it.

    Each access creates a new one, so that changes of it have no effect.
    """

    def __missing__(self, kind):
        for key in self:
            if key[0] == kind:
                return self[key]
        raise KeyError(kind)

    def __contains__(self, key):
        return self.get(key) is not None

    def get(self, key, default=None):
        try:
            return self[key]
        except KeyError:
            return default


class ReflectorsOfClass:
    """The attribute `reflectors` of a spawner class and of its instances."""

    def __get__(self, spawner, cls):
        if not hasattr(cls, 'pod_reflector'):
            raise AttributeError('reflectors')
        owner, found = owner_of_reflectors(cls), Reflectors()
        for attribute, kind in KINDS.items():
            shared = vars(owner).get(attribute)
            each = [shared] + list(shared.siblings) if shared else []
            for reflector in sorted(each, key=lambda one: one.is_forbidden):  # which keeps nothing
                found.setdefault((kind, reflector.namespace or None), reflector)
        found.update(vars(owner).get('_further_reflectors', {}))
        return found


def owner_of_reflectors(cls):
    """Return the class that holds the shared reflectors of a spawner class."""
    return next(each for each in cls.__mro__ if 'pod_reflector' in vars(each))


def namespace_to_follow(spawner):
    """Return the namespace that a shared reflector of a spawner follows; '' means all."""
    return '' if spawner.enable_user_namespaces else spawner.namespace


def sibling_for(spawner, shared, labels):
    """Return the sibling of a shared reflector that follows a spawner's objects with these labels.

    It follows the spawner's own namespace if all are wanted, but the hub may not list those.
    """
    reflector = shared.sibling(namespace_to_follow(spawner), labels)
    return shared.sibling(spawner.namespace, labels) if reflector.is_forbidden else reflector


def start_reflector(spawner, kind, reflector_class, replace, arguments):
    """Return the reflector of a kind in the spawner's namespace; start one if there is none, or to replace it.

    arguments (dict): more arguments of `reflector_class`.
    """
    arguments = dict({'namespace': spawner.namespace}, **arguments)
    omits_namespace = arguments.get('omit_namespace') or issubclass(reflector_class, ResourceReflector) and (
        reflector_class.omit_namespace is True)
    key = kind, None if omits_namespace else arguments['namespace']
    owner, there = owner_of_reflectors(type(spawner)), type(spawner).reflectors.get(key)
    if there is not None and not replace:
        return there.start()
    if there is not None:
        there.stop()
    new = reflector_class(config=spawner.config, log=spawner.log, **arguments)
    if '_further_reflectors' not in vars(owner):
        owner._further_reflectors = {}
    attribute = next((name for name, shared in KINDS.items() if shared == kind), None)
    if attribute:
        setattr(owner, attribute, new)
    else:
        owner._further_reflectors[key] = new
    return new.start()


def stop_reflectors(cls):
    """Stop all reflectors of a spawner class; return a future that is done."""
    for reflector in cls.reflectors.values():
        reflector.stop()
    return gen.maybe_future(None)
