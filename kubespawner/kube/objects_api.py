"""Requests for kinds of objects that not every client has methods for, by the paths of the API.

`ObjectsApi` has methods of the same names and arguments as a class of the client, so that `api.send` and reflectors
take either. Which version of a kind a cluster serves is found out here, too. What is in the objects does not belong
here. Any thread.
"""
import functools

from tornado import gen

from . import clients, direct
from .fields import camel_case

VERBS = {'create': 'POST', 'read': 'GET', 'list': 'GET', 'patch': 'PATCH', 'delete': 'DELETE'}  # method of HTTP

# What a body is, by the type of a patch.
PATCHES = {list: 'application/json-patch+json', dict: 'application/strategic-merge-patch+json'}

# The versions of the API that have had a kind, the newest first.
VERSIONS = {'ingresses': ('networking.k8s.io/v1', 'networking.k8s.io/v1beta1', 'extensions/v1beta1')}


class ObjectsApi:
    """Methods such as `create_namespaced_service(namespace=, body=)` for some kinds of objects.

    api_client: the client's ApiClient that sends the requests.
    kinds (dict): from a kind, as in the names of the methods, to its version and its plural:
        `{'service': ('v1', 'services')}`.

    The methods take `name`, `namespace`, `body`, `_request_timeout`, and parameters of the query in snake_case. They
    return the response before it is read, and block. They raise ApiException, and the errors of urllib3.

    `read_api_resources(name='apps/v1')` reads what a version of the API contains.
    """

    def __init__(self, api_client, kinds):
        self.api_client, self.kinds = api_client, kinds

    def __getattr__(self, method):
        verb, _, kind = method.partition('_namespaced_')
        if verb not in VERBS or kind not in self.kinds:
            raise AttributeError(method)
        return functools.partial(self._send, VERBS[verb], kind)

    def read_api_resources(self, name, _preload_content=False, _request_timeout=None):
        """Read what a version of the API contains: an APIResourceList."""
        return clients.send(self.api_client, 'GET', prefix_of(name), timeout=_request_timeout)

    def _send(self, method, kind, namespace, name=None, body=None, _preload_content=False, _request_timeout=None,
              **query):
        version, plural = self.kinds[kind]
        path = '/'.join([prefix_of(version), 'namespaces', namespace, plural] + ([name] if name else []))
        content_type = PATCHES[type(body)] if method == 'PATCH' else 'application/json'
        parameters = {camel_case(key): value for key, value in query.items()}
        return clients.send(self.api_client, method, path, parameters, body, content_type, _request_timeout)


def method_of(api, name):
    """Return the method of the client's API object `api` that has a name such as `create_namespaced_pod`.

    It may be a function that does the same at less cost, see `direct`.
    """
    cheaper = direct.method_of(api, name)
    if cheaper is not None:
        return cheaper
    if name == 'delete_namespaced_service' and not clients.HAS_OPTIONS_FOR_SERVICES and isinstance(
            api, clients.CoreV1Api):
        api = ObjectsApi(api.api_client, {'service': ('v1', 'services')})
    return getattr(api, name)


def prefix_of(version):
    """Return where a version of the API begins: `/api/v1`, `/apis/networking.k8s.io/v1`."""
    return ('/apis/' if '/' in version else '/api/') + version


@gen.coroutine
def served_version(requests, plural):
    """Return the newest version of the API in which a cluster serves a kind, such as `ingresses`; None if in none.

    requests (Requests): to an ObjectsApi. Raises ApiError.
    """
    for version in VERSIONS[plural]:
        resources = yield requests.read('api_resources', None, version)
        if resources and any(each.get('name') == plural for each in resources.get('resources') or ()):
            return version
    return None
