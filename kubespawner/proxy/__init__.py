"""JupyterHub's proxy as Ingresses: `KubeIngressProxy`, whose routes are objects in Kubernetes.

    ingress      KubeIngressProxy: what JupyterHub calls
    settings     what an operator can set
    templates    the names of a route's objects, and templates
    routes       what the objects of a route say, and how they differ from what is wanted
    upkeep       makes, changes and removes objects
    reflectors   the caches of them
    errors       what is said when that fails

A controller in the cluster, which is not part of this package, makes requests follow the Ingresses.
"""
from .errors import RouteError
from .ingress import KubeIngressProxy
from .reflectors import EndpointsReflector, IngressReflector, ServiceReflector

__all__ = ['EndpointsReflector', 'IngressReflector', 'KubeIngressProxy', 'RouteError', 'ServiceReflector']
