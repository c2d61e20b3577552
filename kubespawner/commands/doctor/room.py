"""Room for pods: a node that could take one, and quotas. Only asked if it may be listed.

What a node has left is not looked at, only what it has at all.
"""
from ...kube.quantities import value_of
from .findings import broken, fine, unknown, warning

RUNNING_OUT = 3  # fewer further servers than these are a warning

# What a pod must say if a quota limits it.
MUST_SAY = frozenset(['cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'])

PODS = 'pods', 'count/pods'


def nodes(cluster, pods, may_grow):
    """Check that there is a node for each pod.

    pods (dict): by the titles of choices. may_grow (bool): whether nodes that are not there yet may be added.
    """
    answer = cluster.get('/api/v1/nodes')
    if answer.status != 200:
        return [unknown('Whether a node could take the pods is not known: the hub may not list nodes (%d), and does '
                        'not need to.' % answer.status)]
    there = answer.body.get('items') or []
    if not there:
        return [warning('There is no node.', 'Unless an autoscaler adds one, no server starts.')]
    found = [finding for title, pod in pods.items() for finding in _of_pod(title, pod, there, may_grow)]
    return found or [fine('For each choice there is a node that could take the pod (%d node%s).' % (
        len(there), '' if len(there) == 1 else 's'))]


def _of_pod(title, pod, there, may_grow):
    reasons = [why_not(pod['spec'], node) for node in there]
    if None in reasons:
        return []
    counted = {reason: reasons.count(reason) for reason in reasons}
    why = '; '.join('%d: %s' % (count, reason) for reason, count in sorted(counted.items()))
    return [(warning if may_grow else broken)(
        '%s: none of the %d node%s could take the pod (%s).' % (title, len(there), '' if len(there) == 1 else 's', why),
        'Change node selector, affinity, tolerations or resources; if an autoscaler adds such nodes, give the option '
        '--autoscaler.')]


def why_not(spec, node):
    """Return why a node (a dict) could not take a pod with this spec; None if it could."""
    labels, node_spec = node['metadata'].get('labels') or {}, node.get('spec') or {}
    if node_spec.get('unschedulable'):
        return 'cordoned'
    for key, value in (spec.get('nodeSelector') or {}).items():
        if labels.get(key) != value:
            return 'not labelled %s=%s' % (key, value)
    for taint in node_spec.get('taints') or []:
        if taint.get('effect') != 'PreferNoSchedule' and not any(
                _tolerates(toleration, taint) for toleration in spec.get('tolerations') or []):
            return 'tainted %s%s' % (taint.get('key'), '=' + taint['value'] if taint.get('value') else '')
    terms = (((spec.get('affinity') or {}).get('nodeAffinity') or {}).get(
        'requiredDuringSchedulingIgnoredDuringExecution') or {}).get('nodeSelectorTerms')
    if terms and not any(_matches(term, labels, node['metadata'].get('name')) for term in terms):
        return 'not of the required node affinity'
    allocatable = (node.get('status') or {}).get('allocatable') or (node.get('status') or {}).get('capacity') or {}
    for resource, wanted in sorted(requests(spec).items()):
        has = value_of(allocatable.get(resource, 0 if allocatable else None))
        if has is not None and wanted > has:
            return 'too little %s' % resource
    return None


def _tolerates(toleration, taint):
    if toleration.get('effect') and toleration['effect'] != taint.get('effect'):
        return False
    if not toleration.get('key'):
        return toleration.get('operator') == 'Exists'
    return toleration['key'] == taint.get('key') and (
        toleration.get('operator') == 'Exists' or (toleration.get('value') or '') == (taint.get('value') or ''))


def _matches(term, labels, name):
    fields = {'metadata.name': name}
    expressions = [(labels, each) for each in term.get('matchExpressions') or []]
    expressions += [(fields, each) for each in term.get('matchFields') or []]
    return bool(expressions) and all(_holds(each, values) for values, each in expressions)


def _holds(expression, labels):
    value, operator = labels.get(expression.get('key')), expression.get('operator')
    values = expression.get('values') or []
    if operator in ('Gt', 'Lt'):
        try:
            number, limit = int(value), int(values[0])
        except (TypeError, ValueError, IndexError):
            return False
        return number > limit if operator == 'Gt' else number < limit
    return {'In': value in values, 'NotIn': value not in values, 'Exists': value is not None,
            'DoesNotExist': value is None}.get(operator, True)


def requests(spec, field='requests'):
    """Return the requests (or limits) of a pod, numbers by resource."""
    total = {}
    for container in spec.get('containers') or []:
        resources = container.get('resources') or {}
        given = dict(resources.get('limits') or {}, **(resources.get(field) or {})) if field == 'requests' else (
            resources.get(field) or {})
        for resource, quantity in given.items():
            number = value_of(quantity)
            if number is not None:
                total[resource] = total.get(resource, 0) + number
    return total


def quotas(cluster, namespace, pods, claims):
    """Check what quotas of a namespace have left. pods, claims (dicts): by the titles of choices."""
    answer = cluster.get('/api/v1/namespaces/%s/resourcequotas' % namespace)
    if answer.status != 200:
        return [unknown('Whether a quota is used up in namespace %s is not known: the hub may not list them (%d), and '
                        'does not need to.' % (namespace, answer.status))]
    items = [item for item in answer.body.get('items') or []
             if not (item.get('spec') or {}).get('scopes') and not (item.get('spec') or {}).get('scopeSelector')]
    found = [finding for item in items for title, pod in pods.items()
             for finding in _of_quota(item, title, needs(pod, claims.get(title, [])))]
    return list(dict.fromkeys(found)) or [fine(
        'The quotas of namespace %s leave room for further servers.' % namespace if items
        else 'The namespace %s has no quota.' % namespace)]


def needs(pod, claims):
    """Return what a start takes of a quota, numbers by resource."""
    wanted = {name: 1 for name in PODS}
    for field in ('requests', 'limits'):
        for resource, number in requests(pod['spec'], field).items():
            wanted['%s.%s' % (field, resource)] = number
            if field == 'requests' and resource in ('cpu', 'memory'):
                wanted[resource] = number
    if claims:
        wanted['persistentvolumeclaims'] = wanted['count/persistentvolumeclaims'] = len(claims)
        wanted['requests.storage'] = sum(value_of(claim['spec']['resources']['requests']['storage']) or 0
                                         for claim in claims)
    return wanted


def _of_quota(item, title, wanted):
    name, status = item['metadata']['name'], item.get('status') or {}
    hard = status.get('hard') or (item.get('spec') or {}).get('hard') or {}
    for resource, most in sorted(hard.items()):
        limit, used = value_of(most), value_of((status.get('used') or {}).get(resource, 0))
        if limit is None or used is None:
            continue
        needed = wanted.get(resource)
        if needed is None and resource in MUST_SAY:
            yield broken('%s: the quota %s limits %s, of which the pod says nothing; Kubernetes refuses such a pod.' % (
                title, name, resource), 'Set the guarantees and limits of CPU and memory.')
        elif needed and used + needed > limit:
            yield broken('%s: a start takes more %s than the quota %s leaves: %s of %s is used.' % (
                title, resource, name, (status.get('used') or {}).get(resource, 0), most),
                'Stop servers, or have the quota raised.')
        elif needed and (limit - used) // needed < RUNNING_OUT:
            yield warning('%s: the quota %s leaves room for %d further server%s (%s: %s of %s used).' % (
                title, name, (limit - used) // needed, '' if (limit - used) // needed == 1 else 's', resource,
                (status.get('used') or {}).get(resource, 0), most))
