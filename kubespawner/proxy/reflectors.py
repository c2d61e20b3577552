"""The caches of the objects of routes, each with a watch thread. Which of them there are is up to the proxy."""
from traitlets import Any

from ..reflector import NamespacedResourceReflector


class RouteReflector(NamespacedResourceReflector):
    """Keeps the routes' objects of one kind up to date.

    objects_api (ObjectsApi): what lists and watches them.
    on_deleted (callable or None): called with each object that has been deleted, on the watch thread.
    """

    objects_api, on_deleted = Any(), Any()

    def _list_method(self):
        self._api = self.objects_api
        return getattr(self.objects_api, self.list_method_name)

    def _change(self, kind, resource):
        super()._change(kind, resource)
        if kind == 'DELETED' and self.on_deleted:
            self.on_deleted(resource)


class IngressReflector(RouteReflector):
    """Keeps the Ingresses of routes up to date."""

    kind = 'ingresses'

    @property
    def ingresses(self):
        """The Ingresses by name, dicts."""
        return self.resources


class ServiceReflector(RouteReflector):
    """Keeps the services of routes up to date."""

    kind = 'services'

    @property
    def services(self):
        """The services by name, dicts."""
        return self.resources


class EndpointsReflector(RouteReflector):
    """Keeps the endpoints of routes up to date."""

    kind = 'endpoints'

    @property
    def endpoints(self):
        """The endpoints by name, dicts."""
        return self.resources
