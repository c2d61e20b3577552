"""Requests of commands to the real API server: paths and plain JSON, one after the other. Blocks.

What commands post is a question, or has dryRun=All; only a pod of `kubespawner doctor --with-pod` is created.
"""
import json
from collections import namedtuple
from urllib.parse import urlencode

from kubernetes.client.rest import ApiException
from urllib3.exceptions import HTTPError

from ..kube import clients, warnings
from ..messages.errors import one_line

TIMEOUT = 10  # seconds for one request

DRY_RUN_SINCE = (1, 13)  # older servers may create what they were only to check


class NoAnswer(Exception):
    """The API server has not answered; str() says why."""


def _client_of_hub(settings):
    clients.override(**settings)
    return clients.shared_client('ApiClient', configuration=None)


Answer = namedtuple('Answer', 'status body warnings')
Answer.__doc__ += """: of the API server.

status (int): of HTTP. body (dict). warnings (list of str).
"""


class Cluster:
    """An API server.

    settings: `host`, `ssl_ca_cert`, `verify_ssl`, as the spawner has them; see `clients.override`.

    as_user (str or None): whose rights count, if the user of the configuration may impersonate others.
    new_client (callable or None): returns the client's ApiClient for it; None: what the hub uses, with the settings.

    Raises NoAnswer if there is no configuration for it.
    """

    def __init__(self, as_user=None, new_client=None, **settings):
        self._as_user = {'Impersonate-User': as_user} if as_user else {}
        try:
            self._client = new_client() if new_client else _client_of_hub(settings)
        except Exception as e:  # the loaders fail in many ways
            raise NoAnswer(one_line(e))
        self.host = self._client.configuration.host

    def get(self, path, **query):
        """Return the Answer to a GET. Raises NoAnswer."""
        return self._send('GET', path, query)

    def post(self, path, body, **query):
        """Return the Answer to a POST. Raises NoAnswer."""
        return self._send('POST', path, query, body)

    def delete(self, path):
        """Return the Answer to a DELETE. Raises NoAnswer."""
        return self._send('DELETE', path, {})

    def _send(self, method, path, query, body=None):
        url = self.host + path + ('?' + urlencode(query) if query else '')
        headers = dict(self._credentials(), Accept='application/json', **self._as_user)
        if body is not None:
            headers['Content-Type'] = 'application/json'
        try:
            response = self._client.rest_client.pool_manager.request(
                method, url, headers=headers, body=None if body is None else json.dumps(body), timeout=TIMEOUT,
                retries=False, redirect=False)
        except (HTTPError, ApiException, OSError, ValueError) as e:
            raise NoAnswer('%s: %s' % (type(e).__name__, one_line(e)))
        return Answer(response.status, _json(response.data), warnings.texts_in(response.headers))

    def _credentials(self):
        settings = self._client.configuration.auth_settings()
        return {each['key']: each['value'] for each in settings.values()
                if each['in'] == 'header' and each['value']}

    def version(self):
        """Return the version of the server, (1, 30). Raises NoAnswer."""
        answer = self.get('/version')
        if answer.status == 401:
            raise NoAnswer('%s does not accept the token or the certificate (401%s). It may have expired.' % (
                self.host, said(answer)))
        try:
            return int(answer.body['major']), int(answer.body['minor'].rstrip('+'))
        except (KeyError, ValueError, AttributeError):
            raise NoAnswer('%s/version answers %d%s, and not with a version of Kubernetes.' % (
                self.host, answer.status, said(answer)))

    def is_localkube(self):
        """Return whether this is localkube, whose pods are processes of its machine. Raises NoAnswer."""
        return str(self.get('/version').body.get('gitVersion', '')).endswith('+localkube')


def said(answer):
    """Return what an Answer that is none of an object says, after `: `; empty if it says nothing."""
    text = answer.body.get('message') or ''
    return ': ' + one_line(text)[:1000].strip() if text else ''


def _json(data):
    try:
        body = json.loads(data.decode('utf8'))
    except ValueError:
        return {'message': one_line(data[:200].decode('utf8', 'replace'))}
    return body if isinstance(body, dict) else {}


# Where objects are

PATHS = {'Pod': 'pods', 'PersistentVolumeClaim': 'persistentvolumeclaims', 'Secret': 'secrets', 'Service': 'services',
         'Namespace': 'namespaces', 'ConfigMap': 'configmaps', 'ServiceAccount': 'serviceaccounts',
         'ResourceQuota': 'resourcequotas', 'NetworkPolicy': 'networkpolicies', 'Role': 'roles',
         'RoleBinding': 'rolebindings'}


def path_of(obj):
    """Return the path to which an object is posted."""
    version, namespace = obj['apiVersion'], obj['metadata'].get('namespace')
    resource = PATHS.get(obj['kind']) or _plural(obj['kind'])
    return '%s/%s%s/%s' % ('/apis' if '/' in version else '/api', version,
                           '/namespaces/' + namespace if namespace else '', resource)


def _plural(kind):
    """Return the resource of a kind that is not in PATHS, as the API forms it; a resource stays as it is."""
    name = kind.lower()
    if name in (kind, 'endpoints'):
        return name
    if name.endswith('y') and name[-2:-1] not in 'aeiou':
        return name[:-1] + 'ies'
    return name + ('es' if name.endswith(('s', 'x', 'ch', 'sh')) else 's')


def rule_for(group, resource, verbs):
    """Return the line of YAML for the rules of a role that gives these rights."""
    return '- {apiGroups: ["%s"], resources: ["%s"], verbs: [%s]}' % (
        group, resource, ', '.join('"%s"' % verb for verb in verbs))
