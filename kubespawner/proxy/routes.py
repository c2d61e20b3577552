"""Reading the objects of a route, and comparing them with the wanted ones. Pure functions of dicts; any thread."""
import json
from urllib.parse import urlparse

from ..related_objects import DATA, ROUTE_LABEL, ROUTESPEC, TARGET, is_address, service_of
from .templates import name_of

INCOMPLETE = ''  # the target of a route that lacks objects, or whose objects have different targets

# The fields of each kind of object that make the route. Kubernetes and others fill in the rest.
FIELDS = {'ingress': ('spec.rules', 'spec.tls', 'spec.ingressClassName'),
          'service': ('spec.type', 'spec.externalName', 'spec.clusterIP', 'spec.ports'),
          'endpoints': ('subsets',)}
REMOVED = frozenset(['spec.tls'])  # those that go away if they are not wanted, because nobody else sets them


def annotations_of(resource):
    """Return the annotations of an object, a dict."""
    return resource['metadata'].get('annotations') or {}


def routespec_of(resource):
    """Return the route that an object is of; None if it is of none."""
    routespec = annotations_of(resource).get(ROUTESPEC)
    return routespec if routespec and resource['metadata']['name'] == name_of(routespec) else None


def is_terminating(resource):
    """Return whether an object has been deleted, and waits for a controller to finish with it."""
    return bool(resource['metadata'].get('deletionTimestamp'))


def why_foreign(resource, wanted):
    """Return why an object that has the name of `wanted` is not this route's, in words; None if it is."""
    labels, ours = resource['metadata'].get('labels') or {}, wanted['metadata']['labels']
    if labels.get(ROUTE_LABEL) != 'true':
        return 'it has no label %s' % ROUTE_LABEL
    if labels.get('component') != ours['component']:
        return 'its label component is %s, and component_label of this hub is %s' % (
            labels.get('component'), ours['component'])
    routespec = annotations_of(resource).get(ROUTESPEC)
    if routespec not in (None, annotations_of(wanted)[ROUTESPEC]):
        return 'it is of the route %s' % routespec
    return None


def route(ingress, service, endpoints):
    """Return a route as JupyterHub wants it: a dict of `routespec`, `target` and `data`.

    The arguments are the objects of the route. Those that do not exist are None, but at least one does. The target of a
    route that is not whole is INCOMPLETE, so that JupyterHub makes it again or removes it.
    """
    first = ingress or service or endpoints
    target, data = recorded_in(first)
    needed = [ingress] + [each for each in _behind(ingress, target, service, endpoints)] if ingress else [None]
    is_whole = all(each is not None and annotations_of(each).get(TARGET) == target for each in needed)
    return {'routespec': routespec_of(first), 'target': target if is_whole else INCOMPLETE,
            'data': data}


def recorded_in(resource):
    """Return the target and the data of an object's route, as its annotations record them."""
    annotations = annotations_of(resource)
    return annotations.get(TARGET, INCOMPLETE), _data(annotations.get(DATA))


def _behind(ingress, target, service, endpoints):
    """Return the objects that an Ingress needs: none if it leads to a service that is not the route's own."""
    name = ingress['metadata']['name']
    if any(backend != name for backend in _backends(ingress)):
        return []
    return [service, endpoints] if is_address(_host(target)) else [service]


def _backends(ingress):
    for rule in ingress.get('spec', {}).get('rules') or ():
        for path in rule.get('http', {}).get('paths') or ():
            yield service_of(path['backend'])[0]


def _host(target):
    try:
        return urlparse(target).hostname or ''
    except ValueError:
        return ''


def _data(text):
    try:
        data = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def changes(kind, existing, wanted):
    """Return the JSON patch that makes an object what is wanted: a list of operations, empty if it is that already.

    The patch fails for another object of the same name, which has another uid.
    """
    operations = []
    for field in ('labels', 'annotations'):
        operations += _missing_strings(field, existing['metadata'].get(field), wanted['metadata'][field])
    for field in FIELDS[kind]:
        operations += _change(field, _at(existing, field), _at(wanted, field))
    if not operations:
        return []
    return [{'op': 'test', 'path': '/metadata/uid', 'value': existing['metadata']['uid']}] + operations


def _missing_strings(field, existing, wanted):
    path = '/metadata/' + field
    if not existing:
        return [{'op': 'add', 'path': path, 'value': wanted}]
    return [{'op': 'add', 'path': '%s/%s' % (path, key.replace('~', '~0').replace('/', '~1')), 'value': value}
            for key, value in sorted(wanted.items()) if existing.get(key) != value]


def _change(field, existing, wanted):
    path = '/' + field.replace('.', '/')
    if wanted is None:
        return [{'op': 'remove', 'path': path}] if field in REMOVED and existing else []
    return [] if _has(existing, wanted) else [{'op': 'add', 'path': path, 'value': wanted}]


def _has(existing, wanted):
    """Return whether a value is as wanted, but for the keys of dicts that somebody else has filled in.

    Nobody fills in a host: a rule without one is for all hosts.
    """
    if isinstance(wanted, dict):
        return isinstance(existing, dict) and existing.get('host') == wanted.get('host') and all(
            _has(existing.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(existing, list) and len(existing) == len(wanted) and all(map(_has, existing, wanted))
    return existing == wanted or not (existing or wanted)


def _at(resource, field):
    for key in field.split('.'):
        resource = resource.get(key) if isinstance(resource, dict) else None
    return resource
