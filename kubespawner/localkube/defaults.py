"""The defaults that the API server sets in an object.

What belongs here: one function for each kind, which completes an object in place, and the status of a new object. What
does not: validation (validation.py). Pure; any thread.
"""
import base64
import copy

from . import quantities
from .limit_ranges import complete_range
from .services import complete_service
from .validation_rbac import complete_binding, complete_role

PROBE = {'timeoutSeconds': 1, 'periodSeconds': 10, 'successThreshold': 1, 'failureThreshold': 3}
TOLERATIONS = [{'key': 'node.kubernetes.io/' + key, 'operator': 'Exists', 'effect': 'NoExecute',
                'tolerationSeconds': 300} for key in ('not-ready', 'unreachable')]
POD_SPEC = {'restartPolicy': 'Always', 'terminationGracePeriodSeconds': 30, 'dnsPolicy': 'ClusterFirst',
            'serviceAccountName': 'default', 'securityContext': {}, 'schedulerName': 'default-scheduler',
            'priority': 0, 'enableServiceLinks': True, 'preemptionPolicy': 'PreemptLowerPriority'}


def fill(obj, key, values):
    """Add missing `values` to obj[key]. Create obj[key] if it is missing."""
    target = obj.setdefault(key, {})
    for name, value in values.items():
        target.setdefault(name, copy.deepcopy(value))
    return target


def complete_pod(pod):
    spec = fill(pod, 'spec', POD_SPEC)
    spec.setdefault('serviceAccount', spec['serviceAccountName'])
    tolerated = {toleration.get('key') for toleration in spec.get('tolerations', ())}
    missing = [dict(toleration) for toleration in TOLERATIONS if toleration['key'] not in tolerated]
    if missing and '' not in tolerated and None not in tolerated:
        spec['tolerations'] = spec.get('tolerations', []) + missing
    for container in spec.get('initContainers', []) + spec.get('containers', []):
        complete_container(container, spec.get('hostNetwork'))
    for volume in spec.get('volumes', ()):
        complete_volume(volume)


def complete_container(container, host_network):
    container.setdefault('terminationMessagePath', '/dev/termination-log')
    container.setdefault('terminationMessagePolicy', 'File')
    container.setdefault('imagePullPolicy', pull_policy(container.get('image', '')))
    resources = container.setdefault('resources', {})
    if resources.get('limits'):
        fill(resources, 'requests', resources['limits'])
    for port in container.get('ports', ()):
        port.setdefault('protocol', 'TCP')
        if host_network:
            port.setdefault('hostPort', port.get('containerPort'))
    for variable in container.get('env', ()):
        if 'fieldRef' in variable.get('valueFrom', {}):
            variable['valueFrom']['fieldRef'].setdefault('apiVersion', 'v1')
    for name in ('livenessProbe', 'readinessProbe', 'startupProbe'):
        if name in container:
            complete_handler(fill(container, name, PROBE))
    for handler in container.get('lifecycle', {}).values():
        complete_handler(handler)


def pull_policy(image):
    """Return Always for the tag `latest`, which is also the default tag."""
    _, at, _ = image.partition('@')
    _, colon, tag = image.rpartition('/')[2].partition(':')
    return 'Always' if not at and tag in ('', 'latest') else 'IfNotPresent'


def complete_handler(handler):
    if 'httpGet' in handler:
        fill(handler, 'httpGet', {'path': '/', 'scheme': 'HTTP'})


def complete_volume(volume):
    if set(volume) == {'name'}:
        volume['emptyDir'] = {}
    for source in ('secret', 'configMap', 'projected', 'downwardAPI'):
        if source in volume:
            fill(volume, source, {'defaultMode': 420})
    for source in [volume] + volume.get('projected', {}).get('sources', []):
        for item in source.get('downwardAPI', {}).get('items', ()):
            if 'fieldRef' in item:
                fill(item, 'fieldRef', {'apiVersion': 'v1'})
        if 'serviceAccountToken' in source:
            fill(source, 'serviceAccountToken', {'expirationSeconds': 3600})
    if 'hostPath' in volume:
        fill(volume, 'hostPath', {'type': ''})


def qos_class(pod):
    """Return Guaranteed, Burstable or BestEffort, according to the resources of the containers."""
    asked = [container.get('resources', {}) for container in
             pod['spec'].get('initContainers', []) + pod['spec'].get('containers', [])]
    if not any(resources.get(kind, {}).get(name, '0') != '0' for resources in asked
               for kind in ('limits', 'requests') for name in ('cpu', 'memory')):
        return 'BestEffort'
    for resources in asked:
        limits, requests = resources.get('limits', {}), resources.get('requests', {})
        for name in ('cpu', 'memory'):
            if name not in limits or quantities.parse(requests.get(name, '0')) != quantities.parse(limits[name]):
                return 'Burstable'
    return 'Guaranteed'


def complete_claim(claim):
    fill(claim, 'spec', {'volumeMode': 'Filesystem', 'resources': {}})


def complete_secret(secret):
    secret.setdefault('type', 'Opaque')
    for key, value in secret.pop('stringData', {}).items():
        secret.setdefault('data', {})[key] = base64.b64encode(value.encode('utf8')).decode('ascii')


def complete_event(event):
    fill(event, 'source', {})
    event.setdefault('eventTime', None)
    event.setdefault('reportingComponent', '')
    event.setdefault('reportingInstance', '')


def complete_namespace(namespace):
    namespace.setdefault('spec', {})


def complete_node(node):
    node.setdefault('spec', {})
    status = node.setdefault('status', {})
    if 'capacity' in status:
        status.setdefault('allocatable', dict(status['capacity']))


def complete_endpoints(endpoints):
    for subset in endpoints.get('subsets', ()):
        for port in subset.get('ports', ()):
            port.setdefault('protocol', 'TCP')


def complete_quota(quota):
    quota.setdefault('spec', {})


COMPLETE = {'Pod': complete_pod, 'PersistentVolumeClaim': complete_claim, 'Service': complete_service,
            'Secret': complete_secret, 'Event': complete_event, 'Namespace': complete_namespace,
            'Node': complete_node, 'Endpoints': complete_endpoints, 'Role': complete_role,
            'ClusterRole': complete_role, 'RoleBinding': complete_binding, 'ClusterRoleBinding': complete_binding,
            'ResourceQuota': complete_quota, 'LimitRange': complete_range}


def complete(obj):
    """Complete an object of any kind, in place."""
    if obj['kind'] in COMPLETE:
        COMPLETE[obj['kind']](obj)


def initial_status(obj):
    """Return the status of a new object. None means that the object keeps the status from the request."""
    return {
        'Pod': lambda: {'phase': 'Pending', 'qosClass': qos_class(obj)},
        'PersistentVolumeClaim': lambda: {'phase': 'Pending'},
        'Namespace': lambda: {'phase': 'Active'},
        'Service': lambda: {'loadBalancer': {}},
        'Ingress': lambda: {'loadBalancer': {}},
        'ResourceQuota': lambda: {},
    }.get(obj['kind'], lambda: None)()
