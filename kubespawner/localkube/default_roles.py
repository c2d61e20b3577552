"""The roles that each cluster has, as far as they are about kinds that localkube has.

What belongs here: a table of the cluster roles and their bindings, and the controller of roles that consist of others.
What does not: decisions (rbac.py). Everything runs on the loop thread of the server.
"""
from .affinity import selects_labels
from .later import OnceLater
from .rbac import EVERYTHING, GROUP, MASTERS
from .users import AUTHENTICATED, UNAUTHENTICATED

READ = ['get', 'list', 'watch']
WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update']
AUTHORIZATION, AUTHENTICATION, NETWORKING = 'authorization.k8s.io', 'authentication.k8s.io', 'networking.k8s.io'
AGGREGATE = GROUP + '/aggregate-to-'
LABELS = {'kubernetes.io/bootstrapping': 'rbac-defaults'}
ANNOTATIONS = {'rbac.authorization.kubernetes.io/autoupdate': 'true'}
HEALTH = ['/healthz', '/livez', '/readyz', '/version', '/version/']
DISCOVERY = ['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*']


def rule(verbs, resources, group=''):
    return {'verbs': verbs, 'apiGroups': [group], 'resources': resources}


RULES = {  # name -> rules
    'cluster-admin': EVERYTHING,
    'system:discovery': [{'verbs': ['get'], 'nonResourceURLs': sorted(DISCOVERY + HEALTH)}],
    'system:public-info-viewer': [{'verbs': ['get'], 'nonResourceURLs': HEALTH}],
    'system:basic-user': [
        rule(['create'], ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'], AUTHORIZATION),
        rule(['create'], ['selfsubjectreviews'], AUTHENTICATION)],
    'system:auth-delegator': [
        rule(['create'], ['tokenreviews'], AUTHENTICATION),
        rule(['create'], ['subjectaccessreviews'], AUTHORIZATION)],
    'system:aggregate-to-view': [
        rule(READ, ['configmaps', 'endpoints', 'persistentvolumeclaims', 'persistentvolumeclaims/status', 'pods',
                    'replicationcontrollers', 'replicationcontrollers/scale', 'serviceaccounts', 'services',
                    'services/status']),
        rule(READ, ['bindings', 'events', 'limitranges', 'namespaces/status', 'pods/log', 'pods/status',
                    'replicationcontrollers/status', 'resourcequotas', 'resourcequotas/status']),
        rule(READ, ['namespaces']),
        rule(READ, ['endpointslices'], 'discovery.k8s.io'),
        rule(READ, ['ingresses', 'ingresses/status'], 'extensions'),
        rule(READ, ['ingresses', 'ingresses/status', 'networkpolicies'], NETWORKING)],
    'system:aggregate-to-edit': [
        rule(READ, ['pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'secrets', 'services/proxy']),
        rule(['impersonate'], ['serviceaccounts']),
        rule(WRITE, ['pods', 'pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy']),
        rule(['create'], ['pods/eviction']),
        rule(WRITE, ['configmaps', 'events', 'persistentvolumeclaims', 'replicationcontrollers',
                     'replicationcontrollers/scale', 'secrets', 'serviceaccounts', 'services', 'services/proxy']),
        rule(['create'], ['serviceaccounts/token']),
        rule(WRITE, ['ingresses'], 'extensions'),
        rule(WRITE, ['ingresses', 'networkpolicies'], NETWORKING)],
    'system:aggregate-to-admin': [
        rule(['create'], ['localsubjectaccessreviews'], AUTHORIZATION),
        rule(WRITE + READ, ['rolebindings', 'roles'], GROUP)],
}
AGGREGATED = {  # name -> those to which it is aggregated
    'admin': [], 'edit': ['admin'], 'view': ['edit'],
    'system:aggregate-to-admin': ['admin'], 'system:aggregate-to-edit': ['edit'], 'system:aggregate-to-view': ['view'],
}
CONSISTS_OF_OTHERS = ('admin', 'edit', 'view')
BOUND = {  # name of a cluster role and of its binding -> groups
    'cluster-admin': [MASTERS],
    'system:basic-user': [AUTHENTICATED],
    'system:discovery': [AUTHENTICATED],
    'system:public-info-viewer': [AUTHENTICATED, UNAUTHENTICATED],
}


def metadata(name):
    labels = dict(LABELS, **{AGGREGATE + other: 'true' for other in AGGREGATED.get(name, ())})
    return {'name': name, 'labels': labels, 'annotations': dict(ANNOTATIONS)}


def create(registry):
    """Create all default roles and bindings."""
    for name, rules in RULES.items():
        registry.create('clusterroles', '', {'metadata': metadata(name), 'rules': rules})
    for name in CONSISTS_OF_OTHERS:
        registry.create('clusterroles', '', {'metadata': metadata(name), 'aggregationRule': {
            'clusterRoleSelectors': [{'matchLabels': {AGGREGATE + name: 'true'}}]}})
    for name, groups in BOUND.items():
        registry.create('clusterrolebindings', '', {
            'metadata': metadata(name), 'roleRef': {'kind': 'ClusterRole', 'name': name, 'apiGroup': GROUP},
            'subjects': [{'kind': 'Group', 'name': group, 'apiGroup': GROUP} for group in groups]})


class AggregationController(object):
    """Keeps the rules of roles that have an aggregationRule: those of all roles that it selects, each once."""

    def __init__(self, registry):
        self.registry = registry
        self.store = registry.store
        self.sync_later = OnceLater(self.sync)
        self.store.watch('clusterroles', lambda change: self.sync_later())
        for _ in CONSISTS_OF_OTHERS:  # each consists of another one
            self.sync()

    def sync(self):
        """Update all roles once. A role that consists of roles that have changed is updated in the next iteration."""
        for stored in self.store.list('clusterroles'):
            if stored.object.get('aggregationRule') and 'deletionTimestamp' not in stored.object['metadata']:
                self.update(stored.object)

    def update(self, role):
        rules = []
        for selector in role['aggregationRule']['clusterRoleSelectors']:
            for stored in self.store.list('clusterroles'):
                other = stored.object
                if other['metadata']['name'] != role['metadata']['name'] and selects_labels(
                        selector, other['metadata'].get('labels', {})):
                    rules += [each for each in other.get('rules') or () if each not in rules]
        if rules != (role.get('rules') or []):
            self.registry.patch('clusterroles', '', role['metadata']['name'], 'application/merge-patch+json',
                                {'rules': rules})
