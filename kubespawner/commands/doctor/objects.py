"""Checks whether the objects exist that pods and claims refer to."""
from collections import namedtuple

from ..cluster import said
from .findings import broken, fine, unknown, warning

Reference = namedtuple('Reference', 'kind namespace name keys where')
Reference.__doc__ += """: an object that a pod or a claim names.

kind (str): a key of KINDS. namespace (str): '' for objects without one. keys (frozenset of str): what it must contain.
where (str): the setting or the field that names it.
"""

# Where objects of a kind are, what they are called, and what to do if one is missing.
KINDS = {
    'ServiceAccount': ('/api/v1/namespaces/{namespace}/serviceaccounts/', 'service account',
                       'kubectl create serviceaccount {name} -n {namespace}'),
    'Secret': ('/api/v1/namespaces/{namespace}/secrets/', 'secret',
               'kubectl create secret generic {name} -n {namespace}'),
    'PullSecret': ('/api/v1/namespaces/{namespace}/secrets/', 'pull secret',
                   'kubectl create secret docker-registry {name} -n {namespace} ...'),
    'ConfigMap': ('/api/v1/namespaces/{namespace}/configmaps/', 'config map',
                  'kubectl create configmap {name} -n {namespace}'),
    'PersistentVolumeClaim': ('/api/v1/namespaces/{namespace}/persistentvolumeclaims/', 'claim',
                              'create it, or set c.KubeSpawner.user_storage_pvc_ensure = True if it is a user\'s'),
    'StorageClass': ('/apis/storage.k8s.io/v1/storageclasses/', 'storage class',
                     'name one of those that there are: kubectl get storageclasses'),
    'PriorityClass': ('/apis/scheduling.k8s.io/v1/priorityclasses/', 'priority class',
                      'name one of those that there are: kubectl get priorityclasses'),
    'RuntimeClass': ('/apis/node.k8s.io/v1/runtimeclasses/', 'runtime class',
                     'name one of those that there are: kubectl get runtimeclasses'),
}

BUILT_IN = frozenset(['system-cluster-critical', 'system-node-critical'])

DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'

PULL_TYPES = 'kubernetes.io/dockerconfigjson', 'kubernetes.io/dockercfg'


def namespace(cluster, name):
    """Check that a namespace is there."""
    answer = cluster.get('/api/v1/namespaces/' + name)
    if answer.status == 404:
        return [broken('The namespace %s does not exist.' % name, 'Run: kubectl create namespace %s' % name)]
    if answer.status != 200:
        return [unknown('Whether the namespace %s exists is not known: the hub may not read it, and does not need to '
                        '(%d).' % (name, answer.status))]
    if (answer.body.get('status') or {}).get('phase') == 'Terminating':
        return [broken('The namespace %s is being deleted.' % name, 'Wait until it is gone, and create it again.')]
    return [fine('The namespace %s exists.' % name)]


def references(pod, created=()):
    """Return what a pod (a dict) names, a set of References; not what is `created`, pairs of kind and name."""
    spec, where = pod['spec'], pod['metadata'].get('namespace') or 'default'
    found = set()

    def add(kind, name, place, keys=(), namespace=where):
        if name and (kind, name) not in created:
            found.add(Reference(kind, namespace, name, frozenset(keys), place))

    if spec.get('serviceAccountName') != 'default':
        add('ServiceAccount', spec.get('serviceAccountName'), 'service_account')
    for secret in spec.get('imagePullSecrets') or []:
        add('PullSecret', secret.get('name'), 'image_pull_secrets')
    if spec.get('priorityClassName') not in BUILT_IN:
        add('PriorityClass', spec.get('priorityClassName'), 'priority_class_name', namespace='')
    add('RuntimeClass', spec.get('runtimeClassName'), 'runtimeClassName', namespace='')
    for volume in spec.get('volumes') or []:
        _of_volume(volume, add)
    for container in (spec.get('containers') or []) + (spec.get('initContainers') or []):
        _of_container(container, add)
    return found


def _of_volume(volume, add):
    place = 'volume %s' % volume.get('name')
    add('PersistentVolumeClaim', (volume.get('persistentVolumeClaim') or {}).get('claimName'), place)
    for source in [volume] + ((volume.get('projected') or {}).get('sources') or []):
        for kind, field, named in (('Secret', 'secret', 'secretName'), ('ConfigMap', 'configMap', 'name')):
            part = source.get(field) or {}
            if not part.get('optional'):
                add(kind, part.get(named) or part.get('name'), place, [item['key'] for item in part.get('items') or []
                                                                       if 'key' in item])


def _of_container(container, add):
    for variable in container.get('env') or []:
        given = variable.get('valueFrom') or {}
        for kind, field in (('Secret', 'secretKeyRef'), ('ConfigMap', 'configMapKeyRef')):
            part = given.get(field) or {}
            if not part.get('optional'):
                add(kind, part.get('name'), 'variable %s' % variable.get('name'), filter(None, [part.get('key')]))
    for given in container.get('envFrom') or []:
        for kind, field in (('Secret', 'secretRef'), ('ConfigMap', 'configMapRef')):
            part = given.get(field) or {}
            if not part.get('optional'):
                add(kind, part.get('name'), 'envFrom')


def referenced(cluster, wanted):
    """Check that what is named is there. wanted (set of Reference)."""
    found, not_known = [], []
    for each in sorted(wanted, key=lambda r: (r.kind, r.namespace, r.name, r.where, sorted(r.keys))):
        answer = cluster.get(KINDS[each.kind][0].format(namespace=each.namespace) + each.name)
        if answer.status == 403:
            not_known.append(_named(each))
        else:
            found += _referenced(answer, each)
    if not_known:
        found.append(unknown(
            'What the hub may not read, and does not need to, is not known to exist: %s.' % ', '.join(
                dict.fromkeys(not_known)), 'Run the command as somebody who may read it.'))
    return list(dict.fromkeys(found))


def _named(each):
    return '%s %s%s' % (KINDS[each.kind][1], each.name,
                        ' in namespace %s' % each.namespace if each.namespace else '')


def _referenced(answer, each):
    advice, name, where = KINDS[each.kind][2], 'The ' + _named(each), ', which %s names,' % each.where
    if answer.status == 404 and _is_missing(answer):
        return [broken('%s%s does not exist.' % (name, where), _as_sentence(advice, each))]
    if answer.status != 200:
        return [unknown('Whether the %s%s exists is not known: %s.' % (_named(each), where, _why(answer)))]
    missing = each.keys - set(answer.body.get('data') or {}) - set(answer.body.get('binaryData') or {})
    if missing:
        return [broken('%s%s has no key %s.' % (name, where, ', '.join(sorted(missing))))]
    if each.kind == 'PullSecret' and answer.body.get('type', PULL_TYPES[0]) not in PULL_TYPES:
        return [broken('%s%s is of the type %s, with which no image is pulled.' % (name, where, answer.body['type']),
                       _as_sentence(advice, each))]
    return [fine('%s exists.' % name)]


def _is_missing(answer):
    """Return whether an object is missing, although the server has its kind."""
    return bool((answer.body.get('details') or {}).get('name')) or 'not found' in str(answer.body.get('message'))


def _as_sentence(advice, each):
    text = advice.format(name=each.name, namespace=each.namespace)
    return 'Run: ' + text if text.startswith('kubectl') else text[0].upper() + text[1:] + '.'


def _why(answer):
    if answer.status == 403:
        return 'the hub may not read it, and does not need to'
    return 'the API server answers %d%s' % (answer.status, said(answer))


def storage(cluster, claims):
    """Check the storage classes of claims (dicts) that a start creates."""
    classes = {claim['spec'].get('storageClassName') for claim in claims}
    found = referenced(cluster, {Reference('StorageClass', '', name, frozenset(), 'user_storage_class')
                                 for name in classes if name})
    if any(claim['spec'].get('storageClassName') is None and not claim['spec'].get('volumeName') for claim in claims):
        found += _default_class(cluster)
    return found


def _default_class(cluster):
    answer = cluster.get('/apis/storage.k8s.io/v1/storageclasses')
    if answer.status != 200:
        return [unknown('Whether there is a default storage class is not known: %s.' % _why(answer))]
    names = [item['metadata']['name'] for item in answer.body.get('items') or []
             if any((item['metadata'].get('annotations') or {}).get(key) == 'true' for key in DEFAULT_CLASS)]
    if not names:
        return [broken('Claims name no storage class, and there is no default one: they would wait for a volume.',
                       'Set c.KubeSpawner.user_storage_class, or make a class the default one.')]
    if len(names) > 1:
        return [warning('There are several default storage classes: %s.' % ', '.join(sorted(names)),
                        'Set c.KubeSpawner.user_storage_class.')]
    return [fine('Claims get the default storage class %s.' % names[0])]
