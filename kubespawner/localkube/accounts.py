"""Service accounts: the one that each namespace has, and what pods get of them.

What belongs here: the controllers for accounts and for the certificate of the cluster, and what a new pod gets. What
does not: tokens (tokens.py), mounting them (projections.py). Everything runs on the loop thread of the server.
"""
import random

from . import errors
from .later import later
from .strategies import SUFFIX_LETTERS

DEFAULT = 'default'
ROOT_CERTIFICATE = 'kube-root-ca.crt'  # a configmap of each namespace
VOLUME = 'kube-api-access-'
DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount'
EXPIRATION = 3607  # seconds, as of the tokens of all pods


class AccountController(object):
    """Gives each namespace the service account `default` and the certificate of the cluster, and keeps them there.

    certificate (str): PEM; '' if the API is plain HTTP.
    """

    def __init__(self, registry, certificate):
        self.registry = registry
        self.store = registry.store
        self.contents = {
            'serviceaccounts': {'metadata': {'name': DEFAULT}},
            'configmaps': {'metadata': {'name': ROOT_CERTIFICATE}, 'data': {'ca.crt': certificate}}}
        for stored in self.store.list('namespaces'):
            self.sync(stored.object['metadata']['name'])
        self.store.watch('namespaces', lambda change: change.new and later(self.sync, change.key[1]))
        for resource in self.contents:
            self.store.watch(resource, self.on_content)

    def on_content(self, change):
        if change.new is None and change.key[1] in (DEFAULT, ROOT_CERTIFICATE):
            later(self.sync, change.key[0])

    def sync(self, name):
        namespace = self.store.get('namespaces', '', name)
        if namespace is None or 'deletionTimestamp' in namespace['metadata']:
            return
        for resource, content in self.contents.items():
            if self.store.get(resource, name, content['metadata']['name']) is None:
                self.registry.create(resource, name, content)


class AccountAdmission(object):
    """Checks the service account of a new pod, and gives the containers of the pod its token."""

    def __init__(self, store):
        self.store = store

    def admit(self, row, pod, old, user):
        """Complete a new pod. Raise ApiError 403 if its service account does not exist."""
        if row.name != 'pods' or old:
            return
        spec, metadata = pod.setdefault('spec', {}), pod['metadata']
        namespace = metadata['namespace']
        name = spec.get('serviceAccountName') or spec.get('serviceAccount') or DEFAULT
        spec['serviceAccountName'] = spec['serviceAccount'] = name
        account = self.store.get('serviceaccounts', namespace, name)
        if account is None:
            raise errors.forbidden(row.qualified, metadata.get('name', ''), 'error looking up service account %s/%s: '
                                   'serviceaccount "%s" not found' % (namespace, name, name))
        if not spec.get('imagePullSecrets') and account.get('imagePullSecrets'):
            spec['imagePullSecrets'] = [dict(each) for each in account['imagePullSecrets']]
        if spec.get('automountServiceAccountToken', account.get('automountServiceAccountToken', True)):
            mount_token(spec)


def mount_token(spec):
    """Give each container the token of the service account, unless it mounts something else there."""
    volumes = spec.get('volumes', [])
    name = next((each.get('name', '') for each in volumes if each.get('name', '').startswith(VOLUME)), '')
    needed = False
    volume = name or VOLUME + ''.join(random.choice(SUFFIX_LETTERS) for _ in range(5))
    for container in spec.get('initContainers', []) + spec.get('containers', []):
        mounts = container.get('volumeMounts', [])
        if all(mount.get('mountPath') != DIRECTORY for mount in mounts):
            container['volumeMounts'] = mounts + [{'name': volume, 'readOnly': True, 'mountPath': DIRECTORY}]
            needed = True
    if needed and not name:
        spec['volumes'] = volumes + [token_volume(volume)]


def token_volume(name):
    return {'name': name, 'projected': {'defaultMode': 0o644, 'sources': [
        {'serviceAccountToken': {'expirationSeconds': EXPIRATION, 'path': 'token'}},
        {'configMap': {'name': ROOT_CERTIFICATE, 'items': [{'key': 'ca.crt', 'path': 'ca.crt'}]}},
        {'downwardAPI': {'items': [{'path': 'namespace', 'fieldRef': {
            'apiVersion': 'v1', 'fieldPath': 'metadata.namespace'}}]}}]}}
