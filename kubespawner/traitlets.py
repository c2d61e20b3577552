"""Trait types that some versions of traitlets do not have, and trait types for Kubernetes objects."""
from jupyterhub import version_info
from traitlets import Dict, List, TraitType, Unicode, Union

from .kube.clients import to_dict


class Callable(TraitType):
    """A trait whose value is callable: a function, a bound method, a class, or an object with `__call__`."""
    info_text = 'a callable'

    def validate(self, obj, value):
        if callable(value):
            return value
        self.error(obj, value)


class KubeObjectList(List):
    """A list of Kubernetes objects, or a dict whose values are used in the order of its keys.

    An object is a dict, or a model of any version of the client. The default is a list. A configured dict stays a dict.
    """
    _literal_from_string_pairs = ('[]', '()', '{}')  # on the command line

    def validate(self, obj, value):
        return value if isinstance(value, dict) else super().validate(obj, value)


class KubeObject(Dict):
    """A Kubernetes object: a dict, or a model of any version of the client, which is converted to a dict."""

    def validate(self, obj, value):
        return super().validate(obj, to_dict(value) if hasattr(type(value), 'attribute_map') else value)


class DynamicDefault(Union):
    """A string, or a function if this version of JupyterHub accepts one. Every read computes the default again."""

    def __init__(self, **metadata):
        super().__init__([Unicode()] + [Callable()] * (version_info >= (0, 9)), **metadata)

    def get(self, obj, cls=None):
        is_set = self.name in obj._trait_values
        value = super().get(obj, cls)
        if not is_set:
            obj._trait_values.pop(self.name, None)
        return value
