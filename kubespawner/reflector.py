"""Reflectors under the names, and with the settings, that other packages use. The code is in `kube.reflector`."""
from traitlets import Bool, Integer, default

from .kube import reflector as kube_reflector
from .kube.cache import KeyedObjects
from .kube.events import EventReflector

__all__ = ['EventReflector', 'MultiNamespaceResourceReflector', 'NamespacedResourceReflector', 'ResourceReflector']

# Plurals that do not just end in a further `s`, as `kind` may have them.
SINGULARS = {'endpoints': 'endpoints', 'ingress': 'ingress', 'ingresses': 'ingress'}


class ResourceReflector(kube_reflector.NamespacedResourceReflector):
    """Keeps a dictionary of one kind of object up to date, in one namespace or in all.

    The client's method that lists the objects is found by `kind`, such as `services`, if `list_method_name` is not set.
    """

    omit_namespace = Bool(False, help="""Whether objects of all namespaces are kept. `namespace` has no effect then.""")

    request_timeout = Integer(
        None,
        allow_none=True,
        config=True,
        help="""
        The time in seconds that a list or a watch may be silent before the connection is closed and made again. None
        means 60 for lists and 75 for watches.
        """
    )

    timeout_seconds = Integer(
        None,
        allow_none=True,
        config=True,
        help="""
        The time in seconds after which the API server ends a watch, and a new one goes on from there. None means a
        random time between 300 and 600.
        """
    )

    restart_seconds = Integer(
        None,
        allow_none=True,
        config=True,
        help="""
        An older name of `give_up_seconds`: it counts if it is set. None leaves `give_up_seconds` as it is.
        """
    )

    @default('list_method_name')
    def _list_method_of_kind(self):
        singular = SINGULARS.get(self.kind, self.kind[:-1] if self.kind.endswith('s') else self.kind)
        return 'list_namespaced_' + singular

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.omit_namespace or 'namespaced' not in self.list_method_name:
            self.namespace = ''
            self.resources = KeyedObjects('', self.resources)
        if self.restart_seconds is not None:
            self.give_up_seconds = self.restart_seconds

    def _request(self, timeout, **parameters):
        if self.timeout_seconds is not None and 'timeout_seconds' in parameters:
            parameters['timeout_seconds'] = self.timeout_seconds
        return super()._request(self.request_timeout or timeout, **parameters)


class NamespacedResourceReflector(ResourceReflector):
    """Keeps a dictionary of one kind of object in one namespace up to date."""


class MultiNamespaceResourceReflector(ResourceReflector):
    """Keeps a dictionary of one kind of object in all namespaces up to date."""

    omit_namespace = Bool(True)
