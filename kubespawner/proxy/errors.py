"""The errors of routes that cannot be created or deleted. JupyterHub logs them. Any thread."""

from ..messages.errors import one_line

# The API group of each kind of object, and its name in a role.
IN_ROLES = {'ingress': ('networking.k8s.io', 'ingresses'), 'service': ('', 'services'), 'endpoints': ('', 'endpoints')}


class RouteError(Exception):
    """A route cannot be added or removed, or the routes cannot be read.

    routespec (str): the route; empty if it is about all of them.
    error (ApiError or None): what the API server said; None if it did what it was asked.
    """

    def __init__(self, routespec, text, error=None):
        self.routespec, self.error = routespec, error
        about = 'The route %s: ' % routespec if routespec else ''
        super().__init__(one_line(about + text))


def of_api(routespec, error):
    """Return the RouteError for an ApiError. If the hub lacks a permission, it has the rule that the role needs."""
    return RouteError(routespec, str(error) + (_rule(error.request.kind) if error.status == 403 else ''), error)


def _rule(kind):
    if kind not in IN_ROLES:
        return ' The hub needs the permission to read what the API contains (the ClusterRole system:discovery).'
    return (' The role of the hub needs this rule: {apiGroups: ["%s"], resources: ["%s"], verbs: ["get", "list", '
            '"watch", "create", "patch", "delete"]}.' % IN_ROLES[kind])
