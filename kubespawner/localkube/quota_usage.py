"""What objects use of a quota, and which quotas count them.

What belongs here: usage and scopes of each kind. What does not: who is refused (quotas.py). Pure; any thread. Usage is
{name: quantity}, such as {'pods': '1', 'requests.cpu': '500m'}.
"""
from . import pod_resources, quantities
from .resources import RESOURCES

ENDED = ('Succeeded', 'Failed')
COMPUTE = ('cpu', 'memory', 'ephemeral-storage')
REQUIRED = ('cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory')
STORAGE_CLASS = '.storageclass.storage.k8s.io/'
COUNTED = ('configmaps', 'persistentvolumeclaims', 'resourcequotas', 'secrets', 'services')  # without `count/`, too
STANDARD = set(COUNTED) | {'pods', 'replicationcontrollers', 'services.loadbalancers', 'services.nodeports'} | {
    prefix + name for name in COMPUTE for prefix in ('', 'requests.', 'limits.')} | {'requests.storage'}
INTEGERS = STANDARD - {name for name in STANDARD if name.rpartition('.')[2] in COMPUTE + ('storage',)}
UPDATED = ('persistentvolumeclaims', 'services')  # what an update is checked for
SCOPES = {  # scope -> (predicate on pods, what a quota with this scope may limit)
    'BestEffort': (lambda pod: is_best_effort(pod), {'pods'}),
    'NotBestEffort': (lambda pod: not is_best_effort(pod), None),
    'Terminating': (lambda pod: has_deadline(pod), None),
    'NotTerminating': (lambda pod: not has_deadline(pod), None),
    'PriorityClass': (lambda pod: bool(pod['spec'].get('priorityClassName')), None),
    'CrossNamespacePodAffinity': (lambda pod: looks_elsewhere(pod), {'pods'}),
}
OF_PODS = {'pods'} | {name for name in STANDARD if name.rpartition('.')[2] in COMPUTE}


def usage(resource, obj):
    """Return what an object uses. resource (str): a key of RESOURCES, such as 'pods'."""
    result = {'count/' + RESOURCES[resource].qualified: '1'}
    if resource in COUNTED:
        result[resource] = '1'
    result.update(DETAILS.get(resource, lambda obj: {})(obj))
    return result


def pod_usage(pod):
    """Return what a pod uses besides being counted. A pod that has ended uses nothing."""
    if pod.get('status', {}).get('phase') in ENDED:
        return {}
    return dict(compute(pod_resources.total(pod, 'requests'), pod_resources.total(pod, 'limits')), pods='1')


def compute(requests, limits):
    result = {'limits.' + name: limits[name] for name in COMPUTE if name in limits}
    for name, quantity in requests.items():
        result['requests.' + name] = quantity
        if name in COMPUTE or name.startswith('hugepages-'):
            result[name] = quantity
    return result


def claim_usage(claim):
    spec = claim['spec']
    storage = spec.get('resources', {}).get('requests', {}).get('storage', '0')
    result = {'requests.storage': storage}
    if spec.get('storageClassName'):
        result[spec['storageClassName'] + STORAGE_CLASS + 'requests.storage'] = storage
        result[spec['storageClassName'] + STORAGE_CLASS + 'persistentvolumeclaims'] = '1'
    return result


def service_usage(service):
    spec = service['spec']
    ports = len(spec.get('ports', ())) if spec.get('type') in ('NodePort', 'LoadBalancer') else 0
    return {'services.loadbalancers': '1' if spec.get('type') == 'LoadBalancer' else '0',
            'services.nodeports': str(ports)}


DETAILS = {'pods': pod_usage, 'persistentvolumeclaims': claim_usage, 'services': service_usage}


def missing(pod, limited):
    """Return {name: [containers]} of what containers must request because a quota limits it.

    limited (iterable of str): the names that the quota limits.
    """
    found = {}
    for container in pod['spec'].get('containers', []) + pod['spec'].get('initContainers', []):
        has = compute(pod_resources.amounts(container, 'requests'), pod_resources.amounts(container, 'limits'))
        for name in sorted(set(limited) & set(REQUIRED) - set(has)):
            found.setdefault(name, []).append(container['name'])
    return found


# Scopes

def selects(quota, resource, obj):
    """Return whether a quota counts an object. Scopes are about pods only."""
    spec = quota['spec']
    required = [{'scopeName': scope, 'operator': 'Exists'} for scope in spec.get('scopes', ())]
    required += spec.get('scopeSelector', {}).get('matchExpressions', ())
    return not required or resource == 'pods' and all(is_in_scope(obj, each) for each in required)


def is_in_scope(pod, requirement):
    scope, operator = requirement.get('scopeName'), requirement.get('operator')
    if scope not in SCOPES:
        return False
    if operator in ('In', 'NotIn'):
        name = pod['spec'].get('priorityClassName', '')
        return (name in requirement.get('values', ())) == (operator == 'In')
    return SCOPES[scope][0](pod) == (operator == 'Exists')


def is_best_effort(pod):
    return not any(quantities.parse(pod_resources.amounts(container, kind).get(name, '0'))
                   for container in pod['spec'].get('containers', []) + pod['spec'].get('initContainers', [])
                   for kind in ('requests', 'limits') for name in ('cpu', 'memory'))


def has_deadline(pod):
    return pod['spec'].get('activeDeadlineSeconds') is not None


def looks_elsewhere(pod):
    """Return whether a pod's affinity is about pods in other namespaces."""
    for kind in ('podAffinity', 'podAntiAffinity'):
        rules = pod['spec'].get('affinity', {}).get(kind, {})
        terms = list(rules.get('requiredDuringSchedulingIgnoredDuringExecution', ()))
        terms += [each.get('podAffinityTerm', {}) for each in rules.get(
            'preferredDuringSchedulingIgnoredDuringExecution', ())]
        if any(term.get('namespaces') or term.get('namespaceSelector') is not None for term in terms):
            return True
    return False


# Validation

def validate_quota(causes, quota):
    """Add errors to `causes`, a Causes."""
    spec = quota['spec']
    for name, quantity in sorted(spec.get('hard', {}).items()):
        field, value = 'spec.hard[%s]' % name, quantities.parse(quantity)
        if '/' not in name and not is_standard(name):
            causes.invalid(field, name, 'must be a standard resource type or fully qualified')
            causes.invalid(field, name, 'must be a standard resource for quota')
        if value < 0:
            causes.invalid(field, quantity, 'must be greater than or equal to 0')
        if name in INTEGERS and value.denominator != 1:
            causes.invalid(field, quantity, 'must be an integer')
    validate_scopes(causes, spec)


def is_standard(name):
    return name in STANDARD or name.startswith(('hugepages-', 'requests.hugepages-'))


def validate_scopes(causes, spec):
    scopes = spec.get('scopes', ())
    for scope in scopes:
        if scope not in SCOPES:
            causes.invalid('spec.scopes', scopes, 'unsupported scope')
        for name in sorted(spec.get('hard', ())):
            if name in STANDARD and scope in SCOPES and name not in (SCOPES[scope][1] or OF_PODS):
                causes.invalid('spec.scopes', scopes, 'unsupported scope applied to resource')
    for pair in ({'BestEffort', 'NotBestEffort'}, {'Terminating', 'NotTerminating'}):
        if pair <= set(scopes):
            causes.invalid('spec.scopes', scopes, 'conflicting scopes')


def validate_quota_update(causes, new, old):
    causes.immutable('spec.scopes', new['spec'].get('scopes'), old['spec'].get('scopes'))
