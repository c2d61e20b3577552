"""The pods behind each service, as EndpointSlices.

What belongs here: what slices contain, and keeping them up to date. What does not: which pods a service selects
(endpoints.py). Everything runs on the loop thread of the server.
"""
from .endpoints import ServiceController, address_of, is_ready, labels_for, resolve

SLICES = 'endpointslices'
SERVICE = 'kubernetes.io/service-name'
MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'
CONTROLLER = 'endpointslice-controller.k8s.io'
LARGEST = 100  # endpoints of a slice


class EndpointSliceController(ServiceController):
    """Writes the slices of services that have a selector. Slices of deleted services go with their owner."""

    def remove(self, namespace, name):
        pass  # see garbage.py

    def write(self, service, pods, namespace, name):
        """Keep the slices that are as they have to be, change others, and delete what is left."""
        old = self.slices(namespace, name)
        wanted = slices(service, pods)
        for new in list(wanted):
            same = next((each for each in old if content(each) == content(new)), None)
            if same:
                old.remove(same)
                wanted.remove(new)
        for new in wanted:
            if old:
                metadata = dict(old.pop(0)['metadata'], labels=new['metadata']['labels'])
                self.registry.replace(SLICES, namespace, metadata['name'], dict(new, metadata=metadata))
            else:
                self.registry.create(SLICES, namespace, new)
        for each in old:
            self.registry.delete(SLICES, namespace, each['metadata']['name'])

    def slices(self, namespace, name):
        labels = {SERVICE: name, MANAGED_BY: CONTROLLER}
        return [stored.object for stored in self.store.list(SLICES, namespace)
                if labels.items() <= stored.object['metadata'].get('labels', {}).items()]


def content(obj):
    return [obj['metadata'].get('labels'), obj.get('ports', []), obj.get('endpoints', [])]


def slices(service, pods):
    """Return the slices of a service. Pods with the same ports share them; without pods there is an empty one."""
    groups = {}
    for pod in pods:
        ports = [resolve(port, pod) for port in service['spec'].get('ports', ())]
        ports = [dict({'name': ''}, **port) for port in ports if port]
        if pod['status'].get('podIP') and pod['status'].get('phase') not in ('Failed', 'Succeeded'):
            groups.setdefault(str(ports), (ports, []))[1].append(endpoint(service, pod))
    found = [slice_of(service, ports, endpoints[begin:begin + LARGEST]) for ports, endpoints in groups.values()
             for begin in range(0, len(endpoints), LARGEST)]
    return found or [slice_of(service, [], [])]


def slice_of(service, ports, endpoints):
    metadata = service['metadata']
    owner = {'apiVersion': 'v1', 'kind': 'Service', 'name': metadata['name'], 'uid': metadata['uid'],
             'controller': True, 'blockOwnerDeletion': True}
    result = {'metadata': {'generateName': metadata['name'] + '-', 'ownerReferences': [owner], 'labels': dict(
        labels_for(service), **{SERVICE: metadata['name'], MANAGED_BY: CONTROLLER})}, 'addressType': 'IPv4'}
    result.update({key: value for key, value in (('endpoints', endpoints), ('ports', ports)) if value})
    return result


def endpoint(service, pod):
    """Return a pod as an endpoint. A pod that is being deleted may still serve, but is not ready."""
    address = address_of(pod, service['metadata']['name'])
    address['addresses'] = [address.pop('ip')]
    serving, terminating = is_ready(pod), 'deletionTimestamp' in pod['metadata']
    unready_too = service['spec'].get('publishNotReadyAddresses', False)
    address['conditions'] = {'ready': unready_too or serving and not terminating, 'serving': serving,
                             'terminating': terminating}
    return address
