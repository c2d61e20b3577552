"""Limit ranges: the requests and limits that containers get by default, and the least and most that they may have.

What belongs here: what the API server changes and refuses because of a LimitRange. What does not: quotas (quotas.py).
Everything runs on the loop thread of the server.
"""
from . import errors, pod_resources, quantities

RANGES = 'limitranges'
ANNOTATION = 'kubernetes.io/limit-ranger'
LEAST, MOST = 'minimum', 'maximum'


class LimitRanger(object):
    """Gives new pods the defaults of their namespace, and refuses what is out of range."""

    def __init__(self, registry):
        self.store = registry.store
        registry.mutators.append(self.complete)
        registry.validators.append(self.validate)

    def items(self, obj, *kinds):
        """Return the items of one of these types that hold in the namespace of an object."""
        namespace = obj['metadata'].get('namespace')
        ranges = [stored.object for stored in self.store.list(RANGES, namespace)] if namespace else ()
        return [item for each in ranges for item in each['spec'].get('limits', ()) if item.get('type') in kinds]

    def complete(self, row, obj):
        if row.name == 'pods':
            for item in self.items(obj, 'Container'):
                complete_pod(obj, item)

    def validate(self, row, obj, old=None):
        """Raise ApiError 403 if an object is out of range, unless it is being deleted."""
        if old is not None and old['metadata'].get('deletionTimestamp'):
            return
        complaints = []
        if row.name == 'pods' and old is None:
            for item in self.items(obj, 'Container', 'Pod'):
                complaints += pod_complaints(obj, item)
        elif row.name == 'persistentvolumeclaims':
            requests = obj['spec'].get('resources', {}).get('requests', {})
            for item in self.items(obj, 'PersistentVolumeClaim'):
                complaints += range_complaints(item, requests, {}, limited=False)
        if complaints:
            text = complaints[0] if len(complaints) == 1 else '[%s]' % ', '.join(complaints)
            raise errors.forbidden(row.qualified, obj['metadata'].get('name', ''), text)


def complete_pod(pod, item):
    """Set the requests and limits that containers do not name, and say so in an annotation."""
    notes = []
    for title, field in (('container', 'containers'), ('init container', 'initContainers')):
        for container in pod['spec'].get(field, ()):
            resources = container.setdefault('resources', {})
            for word, kind, default in (('request', 'requests', 'defaultRequest'), ('limit', 'limits', 'default')):
                new = {name: value for name, value in item.get(default, {}).items()
                       if name not in resources.get(kind, {})}
                if new:
                    resources[kind] = dict(resources.get(kind, {}), **new)
                    notes.append('%s %s for %s %s' % (', '.join(sorted(new)), word, title, container.get('name', '')))
    if notes:
        annotations = pod['metadata'].setdefault('annotations', {})
        annotations[ANNOTATION] = 'LimitRanger plugin set: ' + '; '.join(notes)


def complete_range(limit_range):
    """Set the defaults of a LimitRange itself."""
    for item in limit_range.get('spec', {}).get('limits', ()):
        if item.get('type') == 'Container':
            item['default'] = dict(item.get('max', {}), **item.get('default', {}))
            item['defaultRequest'] = dict(item.get('min', {}), **dict(item['default'], **item.get(
                'defaultRequest', {})))
            for name in ('default', 'defaultRequest'):
                if not item[name]:
                    del item[name]


def pod_complaints(pod, item):
    if item['type'] == 'Pod':
        return range_complaints(item, pod_resources.total(pod, 'requests'), pod_resources.total(pod, 'limits'))
    return [complaint for container in pod['spec'].get('containers', []) + pod['spec'].get('initContainers', [])
            for complaint in range_complaints(item, pod_resources.amounts(container, 'requests'),
                                              pod_resources.amounts(container, 'limits'))]


def range_complaints(item, requests, limits, limited=True):
    """Return what is out of range. limited (bool): whether `max` is about limits, and not about requests."""
    found = []
    for name, bound in sorted(item.get('min', {}).items()):
        found += bound_complaints(LEAST, item, name, bound, 'request', requests, limits)
    for name, bound in sorted(item.get('max', {}).items()):
        found += bound_complaints(MOST, item, name, bound, 'limit' if limited else 'request', requests, limits)
    for name, bound in sorted(item.get('maxLimitRequestRatio', {}).items()):
        found += ratio_complaints(item, name, bound, requests, limits)
    return found


def bound_complaints(word, item, name, bound, needed, requests, limits):
    """Return why a container breaks a bound of one resource: [complaint] or []."""
    text = '%s %s usage per %s is %s' % (word, name, item['type'], bound)
    given = {'request': requests.get(name), 'limit': limits.get(name)}
    if given[needed] is None:
        return ['%s.  No %s is specified' % (text, needed)]
    for kind in (needed, 'limit' if needed == 'request' else 'request'):
        if given[kind] is not None:
            value, limit = quantities.parse(given[kind]), quantities.parse(bound)
            if value < limit if word == LEAST else value > limit:
                return ['%s, but %s is %s' % (text, kind, given[kind])]
    return []


def ratio_complaints(item, name, bound, requests, limits):
    text = '%s max limit to request ratio per %s is %s, but ' % (name, item['type'], bound)
    request, limit = [quantities.parse(amounts.get(name, '0')) for amounts in (requests, limits)]
    if not request:
        return [text + 'no request is specified or request is 0']
    if not limit:
        return [text + 'no limit is specified or limit is 0']
    if limit / request > quantities.parse(bound):
        return [text + 'provided ratio is %f' % (limit / request)]
    return []
