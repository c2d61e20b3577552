"""The kinds of objects that the API serves, and how clients discover them.

What belongs here: one row for each resource, and the discovery documents. What does not: the behaviour of a kind.
Constant; any thread may read it.
"""
from collections import namedtuple

from . import releases


class Resource(namedtuple('Resource', 'name kind namespaced short_names subresources fields group version is_stored')):
    """One row: a kind of object in one API version.

    name (str): plural, as in paths: 'pods'.
    subresources (tuple): the names of those it has, such as 'status' and 'log'.
    fields (tuple): what a field selector may name, besides metadata.name and metadata.namespace.
    group, version (str): 'networking.k8s.io' and 'v1'; the group of the core API is ''.
    is_stored (bool): whether the store contains the kind in this version.
    """

    __slots__ = ()

    def __new__(cls, name, kind, namespaced, short_names, subresources, fields, group='', version='v1',
                is_stored=True):
        return super().__new__(cls, name, kind, namespaced, short_names, subresources, fields, group, version,
                               is_stored)

    @property
    def api_version(self):
        return '%s/%s' % (self.group, self.version) if self.group else self.version

    @property
    def key(self):
        """The key of RESOURCES: 'pods', or 'ingresses.v1beta1.extensions' for a version that is not stored."""
        return self.name if self.is_stored else '%s.%s.%s' % (self.name, self.version, self.group)

    @property
    def qualified(self):
        """The name with its group, as in messages."""
        return '%s.%s' % (self.name, self.group) if self.group else self.name

    @property
    def stored_type(self):
        """The name of the type in fields.py of stored objects."""
        return self.kind

    @property
    def stored_version(self):
        """The apiVersion of stored objects."""
        return self.api_version if self.is_stored else RESOURCES[self.name].api_version

    @property
    def type(self):
        """The name of its type in fields.py."""
        return self.kind if self.version == 'v1' else '%s_%s' % (self.kind, self.version)


def ingresses(group, version, is_stored=False):
    return Resource('ingresses', 'Ingress', True, ['ing'], ('status',), (), group, version, is_stored)


def roles(name, kind, namespaced):
    return Resource(name, kind, namespaced, [], (), (), 'rbac.authorization.k8s.io')


def review(name, kind, group, namespaced=False):
    return Resource(name, kind, namespaced, [], (), (), group)


POD_FIELDS = ('spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'spec.serviceAccountName', 'status.phase',
              'status.podIP', 'status.nominatedNodeName')
EVENT_FIELDS = ('involvedObject.kind', 'involvedObject.namespace', 'involvedObject.name', 'involvedObject.uid',
                'involvedObject.apiVersion', 'involvedObject.resourceVersion', 'involvedObject.fieldPath', 'reason',
                'source', 'type')

RESOURCES = {row.key: row for row in [
    Resource('configmaps', 'ConfigMap', True, ['cm'], (), ()),
    Resource('endpoints', 'Endpoints', True, ['ep'], (), ()),
    Resource('endpointslices', 'EndpointSlice', True, [], (), (), 'discovery.k8s.io'),
    Resource('events', 'Event', True, ['ev'], (), EVENT_FIELDS),
    Resource('namespaces', 'Namespace', False, ['ns'], ('finalize', 'status'), ('status.phase',)),
    Resource('nodes', 'Node', False, ['no'], ('status',), ('spec.unschedulable',)),
    Resource('limitranges', 'LimitRange', True, ['limits'], (), ()),
    Resource('persistentvolumeclaims', 'PersistentVolumeClaim', True, ['pvc'], ('status',), ()),
    Resource('pods', 'Pod', True, ['po'], ('attach', 'binding', 'exec', 'log', 'portforward', 'status'), POD_FIELDS),
    Resource('resourcequotas', 'ResourceQuota', True, ['quota'], ('status',), ()),
    Resource('secrets', 'Secret', True, [], (), ('type',)),
    Resource('serviceaccounts', 'ServiceAccount', True, ['sa'], ('token',), ()),
    Resource('services', 'Service', True, ['svc'], ('status',), ()),
    ingresses('networking.k8s.io', 'v1', is_stored=True),
    ingresses('networking.k8s.io', 'v1beta1'),
    ingresses('extensions', 'v1beta1'),
    roles('clusterrolebindings', 'ClusterRoleBinding', False),
    roles('clusterroles', 'ClusterRole', False),
    roles('rolebindings', 'RoleBinding', True),
    roles('roles', 'Role', True),
]}
REVIEWS = {row.name: row for row in [  # are answered, but not stored
    review('selfsubjectreviews', 'SelfSubjectReview', 'authentication.k8s.io'),
    review('tokenreviews', 'TokenReview', 'authentication.k8s.io'),
    review('localsubjectaccessreviews', 'LocalSubjectAccessReview', 'authorization.k8s.io', namespaced=True),
    review('selfsubjectaccessreviews', 'SelfSubjectAccessReview', 'authorization.k8s.io'),
    review('selfsubjectrulesreviews', 'SelfSubjectRulesReview', 'authorization.k8s.io'),
    review('subjectaccessreviews', 'SubjectAccessReview', 'authorization.k8s.io'),
]}
STORED = [row for row in RESOURCES.values() if row.is_stored]
ROWS = {(row.api_version, row.name): row for row in list(RESOURCES.values()) + list(REVIEWS.values())}
OTHER_KINDS = ('Binding', 'DeleteOptions', 'List', 'ReplicationController', 'Status')  # of the core API, besides lists
API_VERSIONS = sorted({row.api_version for row in ROWS.values()})
GROUPS = {  # group -> versions; the preferred one comes first
    'discovery.k8s.io': ['v1'], 'networking.k8s.io': ['v1', 'v1beta1'], 'extensions': ['v1beta1'],
    'authentication.k8s.io': ['v1'], 'authorization.k8s.io': ['v1'], 'rbac.authorization.k8s.io': ['v1']}

READ_WRITE = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
CONNECTIONS = ('attach', 'exec', 'portforward')
SUBRESOURCE_VERBS = {'attach': ['create', 'get'], 'binding': ['create'], 'exec': ['create', 'get'],
                     'finalize': ['update'], 'log': ['get'], 'portforward': ['create', 'get'],
                     'status': ['get', 'patch', 'update'], 'token': ['create']}
SUBRESOURCE_TYPES = {'attach': {'kind': 'PodAttachOptions'}, 'binding': {'kind': 'Binding'},
                     'exec': {'kind': 'PodExecOptions'}, 'portforward': {'kind': 'PodPortForwardOptions'},
                     'token': {'kind': 'TokenRequest', 'group': 'authentication.k8s.io', 'version': 'v1'}}
BETA = 'v1beta1'
SINCE = {'endpointslices': releases.ENDPOINT_SLICES, 'selfsubjectreviews': releases.SELF_SUBJECT_REVIEWS}
SCHEME = 'k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30'  # where Kubernetes registers the kinds


def body_type(resource, subresource):
    """Return (kind, API version) of what a request to a resource or subresource contains."""
    other = SUBRESOURCE_TYPES.get(subresource)
    if not other:
        return resource.kind, resource.api_version
    return other['kind'], '/'.join(filter(None, (other.get('group'), other.get('version', 'v1'))))


def is_served(resource, release):
    """Return whether a release of Kubernetes serves a Resource."""
    if resource.version == BETA:
        return release < releases.BETA_INGRESSES
    return release >= SINCE.get(resource.name, releases.OLDEST)


def deletes_collections(resource, release):
    return resource.name != 'namespaces' and (resource.name != 'services' or release >= releases.SERVICE_COLLECTIONS)


def is_known(kind, api_version):
    """Return whether Kubernetes has a kind in an API version, even if it does not serve it as a resource."""
    kinds = {row.kind for row in ROWS.values() if row.api_version == api_version}
    if kinds:
        kinds |= {each + 'List' for each in kinds} | {'DeleteOptions'}
    return kind in kinds or api_version == 'v1' and kind in OTHER_KINDS


def go_type(kind, api_version, internal=False):
    """Return the name of a kind in Go: v1.Pod, and core.Pod for the form that no API version has."""
    group, _, version = api_version.rpartition('/')
    return '%s.%s' % ((group.partition('.')[0] or 'core') if internal else version, kind)


def verbs(resource, release):
    if resource.name in REVIEWS:
        return ['create']
    return [verb for verb in READ_WRITE if verb != 'deletecollection' or deletes_collections(resource, release)]


def discover_resource(resource, release):
    """Yield the entries of the discovery document for a resource and its subresources."""
    row = {'name': resource.name, 'singularName': '', 'namespaced': resource.namespaced, 'kind': resource.kind,
           'verbs': verbs(resource, release)}
    if resource.short_names:
        row['shortNames'] = resource.short_names
    if resource.name in ('pods', 'services'):
        row['categories'] = ['all']
    yield row
    for subresource in resource.subresources:
        yield dict({'name': resource.name + '/' + subresource, 'singularName': '', 'namespaced': resource.namespaced,
                    'kind': resource.kind, 'verbs': SUBRESOURCE_VERBS[subresource]},
                   **SUBRESOURCE_TYPES.get(subresource, {}))


def discovery(address, release):
    """Return {path: document} for discovery. `address` is this server's host:port."""
    documents = {}
    for api_version in API_VERSIONS:
        rows = sorted(row for row in ROWS.values() if row.api_version == api_version and is_served(row, release))
        if rows:
            documents[base_path(api_version)] = {
                'kind': 'APIResourceList', 'apiVersion': 'v1', 'groupVersion': api_version,
                'resources': [entry for row in rows for entry in discover_resource(row, release)]}
    groups = [group for group in (discover_group(name, documents) for name in GROUPS) if group]
    documents.update({'/apis/' + group['name']: dict(group, kind='APIGroup', apiVersion='v1') for group in groups})
    documents.update({
        '/api': {'kind': 'APIVersions', 'versions': ['v1'], 'serverAddressByClientCIDRs': [
            {'clientCIDR': '0.0.0.0/0', 'serverAddress': address}]},
        '/apis': {'kind': 'APIGroupList', 'apiVersion': 'v1', 'groups': groups},
        '/version': releases.version_info(release),
    })
    return documents


def base_path(api_version):
    return ('/apis/' if '/' in api_version else '/api/') + api_version


def discover_group(name, documents):
    """Return the description of an API group that has `documents`, or None if it has none."""
    versions = [{'groupVersion': '%s/%s' % (name, version), 'version': version} for version in GROUPS[name]
                if '/apis/%s/%s' % (name, version) in documents]
    return versions and {'name': name, 'versions': versions, 'preferredVersion': versions[0]}
