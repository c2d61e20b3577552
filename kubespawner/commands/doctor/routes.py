"""Checks for KubeIngressProxy: its rights in the namespace of its objects, and the class of its Ingresses."""
from ..cluster import said
from . import objects, rights
from .findings import fine, unknown, warning

VERBS = ['get', 'list', 'watch', 'create', 'patch', 'delete']  # that the hub needs for the objects of routes

NEWER_GROUP_SINCE = (1, 14)  # before, Ingresses are in another group of the API
CLASSES_SINCE = (1, 19)

CLASSES = '/apis/networking.k8s.io/v1/ingressclasses'
DEFAULT_CLASS = 'ingressclass.kubernetes.io/is-default-class'

ADVICE = 'Set c.KubeIngressProxy.ingress_class_name to one of those that there are: kubectl get ingressclasses'


def needed(version):
    """Return the Rights that the proxy needs with a version of Kubernetes."""
    group = 'networking.k8s.io' if version >= NEWER_GROUP_SINCE else 'extensions'
    return [rights.Right(resource, VERBS, 'KubeIngressProxy', None, True, group)
            for resource, group in (('ingresses', group), ('services', ''), ('endpoints', ''))]


def check(cluster, version, namespace, class_name, checked=()):
    """Check what a proxy needs whose objects are in a namespace. checked (list of str): namespaces that exist."""
    found = [] if namespace in checked else objects.namespace(cluster, namespace)
    found += rights.check(cluster, needed(version), namespace)
    return found + (_of_class(cluster, class_name) if version >= CLASSES_SINCE else [])


def _of_class(cluster, name):
    """Check the class of Ingresses. Controllers differ in whether they need one, so a missing one is a warning."""
    answer = cluster.get(CLASSES)
    if answer.status != 200:
        return [unknown('Which ingress classes there are is not known: %s' % (
            'the hub may not list them, and does not need to.' if answer.status == 403
            else 'the API server answers %d%s' % (answer.status, said(answer))))]
    classes = {item['metadata']['name']: item['metadata'].get('annotations') or {}
               for item in answer.body.get('items') or []}
    if name:
        return [fine('The ingress class %s exists.' % name) if name in classes
                else warning('The ingress class %s does not exist.' % name, ADVICE)]
    if not any(each.get(DEFAULT_CLASS) == 'true' for each in classes.values()):
        return [warning('Ingresses name no class, and there is no default one.', ADVICE)]
    return [fine('Ingresses get the default ingress class.')]
