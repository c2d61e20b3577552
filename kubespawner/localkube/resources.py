"""The kinds of objects that the API serves, and how clients discover them.

What belongs here: one row for each resource, and the discovery documents. What does not: the behaviour of a kind.
Constant; any thread may read it.
"""
from collections import namedtuple

VERSION = {'major': '1', 'minor': '20', 'gitVersion': 'v1.20.2+localkube', 'gitCommit': '', 'gitTreeState': '',
           'buildDate': '', 'goVersion': '', 'compiler': '', 'platform': 'linux/amd64'}

Resource = namedtuple('Resource', 'name kind namespaced short_names subresources fields')
Resource.__doc__ += """: one row.

name (str): plural, as in paths: 'pods'.
subresources (tuple): which of 'status', 'binding', 'log', 'finalize' it has.
fields (tuple): what a field selector may name, besides metadata.name and metadata.namespace.
"""

POD_FIELDS = ('spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'spec.serviceAccountName', 'status.phase',
              'status.podIP', 'status.nominatedNodeName')
EVENT_FIELDS = ('involvedObject.kind', 'involvedObject.namespace', 'involvedObject.name', 'involvedObject.uid',
                'involvedObject.apiVersion', 'involvedObject.resourceVersion', 'involvedObject.fieldPath', 'reason',
                'source', 'type')

RESOURCES = {row.name: row for row in [
    Resource('configmaps', 'ConfigMap', True, ['cm'], (), ()),
    Resource('endpoints', 'Endpoints', True, ['ep'], (), ()),
    Resource('events', 'Event', True, ['ev'], (), EVENT_FIELDS),
    Resource('namespaces', 'Namespace', False, ['ns'], ('finalize', 'status'), ('status.phase',)),
    Resource('nodes', 'Node', False, ['no'], ('status',), ('spec.unschedulable',)),
    Resource('persistentvolumeclaims', 'PersistentVolumeClaim', True, ['pvc'], ('status',), ()),
    Resource('pods', 'Pod', True, ['po'], ('binding', 'log', 'status'), POD_FIELDS),
    Resource('secrets', 'Secret', True, [], (), ('type',)),
    Resource('services', 'Service', True, ['svc'], ('status',), ()),
]}

READ_WRITE = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
SUBRESOURCE_VERBS = {'binding': ['create'], 'finalize': ['update'], 'log': ['get'],
                     'status': ['get', 'patch', 'update']}
NO_COLLECTION_DELETE = ('namespaces', 'services')


def verbs(resource):
    return [verb for verb in READ_WRITE if verb != 'deletecollection' or resource.name not in NO_COLLECTION_DELETE]


def discover_resource(resource):
    """Yield the entries of the discovery document for a resource and its subresources."""
    row = {'name': resource.name, 'singularName': '', 'namespaced': resource.namespaced, 'kind': resource.kind,
           'verbs': verbs(resource)}
    if resource.short_names:
        row['shortNames'] = resource.short_names
    if resource.name in ('pods', 'services'):
        row['categories'] = ['all']
    yield row
    for subresource in resource.subresources:
        yield {'name': resource.name + '/' + subresource, 'singularName': '', 'namespaced': resource.namespaced,
               'kind': 'Binding' if subresource == 'binding' else resource.kind,
               'verbs': SUBRESOURCE_VERBS[subresource]}


def discovery(address):
    """Return {path: document} for discovery. `address` is this server's host:port."""
    rows = [row for name in sorted(RESOURCES) for row in discover_resource(RESOURCES[name])]
    return {
        '/api': {'kind': 'APIVersions', 'versions': ['v1'], 'serverAddressByClientCIDRs': [
            {'clientCIDR': '0.0.0.0/0', 'serverAddress': address}]},
        '/apis': {'kind': 'APIGroupList', 'apiVersion': 'v1', 'groups': []},
        '/api/v1': {'kind': 'APIResourceList', 'groupVersion': 'v1', 'resources': rows},
        '/version': VERSION,
    }
