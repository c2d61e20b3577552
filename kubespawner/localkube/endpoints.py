"""The pods behind each service: the controller that keeps endpoints up to date.

What belongs here: which pods a service selects, with which ports. What does not: services as objects (services.py),
the same as endpoint slices (endpoint_slices.py), connections (forwarding.py). Everything runs on the loop thread of the
server.
"""
from collections import defaultdict

from . import errors
from .later import OnceLater
from .pod_resources import is_sidecar

HEADLESS = 'service.kubernetes.io/headless'


class ServiceController(object):
    """Calls `write` when a service or a pod that it selects changes, and `remove` when a service is gone."""

    def __init__(self, registry):
        self.registry = registry
        self.store = registry.store
        self._selectors = defaultdict(dict)  # namespace -> name of a service -> its selector
        self.sync_later = OnceLater(self.sync)
        self.store.watch('services', self.on_service)
        self.store.watch('pods', self.on_pod)

    def on_service(self, change):
        namespace, name = change.key
        self._selectors[namespace].pop(name, None)
        if change.new and change.new.object['spec'].get('selector'):
            self._selectors[namespace][name] = change.new.object['spec']['selector']
        self.sync_later(change.key)

    def on_pod(self, change):
        for name, selector in self._selectors[change.key[0]].items():
            if any(stored and selects(selector, stored.object) for stored in (change.old, change.new)):
                self.sync_later((change.key[0], name))

    def sync(self, key):
        service = self.store.get('services', *key)
        try:
            if service is None:
                self.remove(*key)
            elif service['spec'].get('selector'):
                self.write(service, self.pods_of(service), *key)
        except errors.ApiError:
            pass  # the namespace is being deleted

    def pods_of(self, service):
        return [stored.object for stored in self.store.list('pods', service['metadata']['namespace'])
                if selects(service['spec']['selector'], stored.object)]

    def write(self, service, pods, namespace, name):
        raise NotImplementedError

    def remove(self, namespace, name):
        raise NotImplementedError


class EndpointsController(ServiceController):
    """Writes the endpoints of services that have a selector, and deletes those of deleted services."""

    def remove(self, namespace, name):
        if self.store.get('endpoints', namespace, name):
            self.registry.delete('endpoints', namespace, name)

    def write(self, service, pods, namespace, name):
        old, labels = self.store.get('endpoints', namespace, name), labels_for(service)
        wanted = {'metadata': {'name': name, 'labels': labels}, 'subsets': subsets(service, pods)}
        if old is None:
            self.registry.create('endpoints', namespace, wanted)
        elif labels != old['metadata'].get('labels', {}) or wanted['subsets'] != old.get('subsets', []):
            self.registry.replace('endpoints', namespace, name, wanted)


def labels_for(service):
    """Return the labels of what describes the pods of a service."""
    headless = {HEADLESS: ''} if service['spec'].get('clusterIP') == 'None' else {}
    return dict(service['metadata'].get('labels', {}), **headless)


def selects(selector, pod):
    labels = pod['metadata'].get('labels', {})
    return all(labels.get(key) == value for key, value in selector.items())


def subsets(service, pods):
    """Return the subsets of a service's endpoints. Pods with the same ports form one subset."""
    found = {}
    unready_too = service['spec'].get('publishNotReadyAddresses', False)
    for pod in pods:
        if not pod['status'].get('podIP') or not may_serve(pod, unready_too):
            continue
        ports = [resolve(port, pod) for port in service['spec'].get('ports', ())]
        ports = [port for port in ports if port]
        if ports or not service['spec'].get('ports'):
            kind = 'addresses' if unready_too or is_ready(pod) else 'notReadyAddresses'
            subset = found.setdefault(str(ports), dict({'ports': ports} if ports else {}))
            subset.setdefault(kind, []).append(address_of(pod, service['metadata']['name']))
    return list(found.values())


def may_serve(pod, unready_too):
    """Return whether a pod's containers run, or will run again."""
    phase, policy = pod['status'].get('phase'), pod['spec']['restartPolicy']
    if 'deletionTimestamp' in pod['metadata'] and not unready_too:
        return False
    return phase not in {'Never': ('Failed', 'Succeeded'), 'OnFailure': ('Succeeded',)}.get(policy, ())


def is_ready(pod):
    return any(each['type'] == 'Ready' and each['status'] == 'True' for each in pod['status'].get('conditions', ()))


def resolve(port, pod):
    """Return the port of a pod that a port of a service means, or None if the pod has no port of this name."""
    number = port['targetPort']
    if isinstance(number, str):
        containers = pod['spec']['containers'] + list(filter(is_sidecar, pod['spec'].get('initContainers', ())))
        number = next((each['containerPort'] for container in containers
                       for each in container.get('ports', ())
                       if each.get('name') == number and each['protocol'] == port['protocol']), None)
    if number is None:
        return None
    result = {'port': number, 'protocol': port['protocol']}
    if port.get('name'):
        result['name'] = port['name']
    return result


def address_of(pod, service_name):
    metadata, spec = pod['metadata'], pod['spec']
    address = {'ip': pod['status']['podIP'], 'nodeName': spec['nodeName'],
               'targetRef': {'kind': 'Pod', 'namespace': metadata['namespace'], 'name': metadata['name'],
                             'uid': metadata['uid']}}
    if spec.get('hostname') and spec.get('subdomain') == service_name:
        address['hostname'] = spec['hostname']
    return address
