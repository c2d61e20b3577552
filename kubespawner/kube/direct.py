"""The requests of every start and stop, without the checks that clients have since version 37.

Such a client validates each call, and converts its body twice. The requests here are the same, with the same headers
and the same pool of connections. If a subclass or a hook has replaced anything on the way, the client's public method
is called as usual. Any thread; `send` blocks.
"""
import functools
import json
from urllib.parse import quote
from weakref import WeakKeyDictionary

from kubernetes.client import ApiClient, CoreV1Api, rest
from urllib3 import PoolManager, Timeout
from urllib3.util import parse_url

from .clients import ApiException, to_dict

PODS = '/api/v1/namespaces/%s/pods'

# The methods of HTTP and the paths, by the client's method.
REQUESTS = {
    'create_namespaced_pod': ('POST', PODS),
    'read_namespaced_pod': ('GET', PODS + '/%s'),
    'delete_namespaced_pod': ('DELETE', PODS + '/%s'),
} if hasattr(ApiClient, 'param_serialize') else {}


# All functions between a call and the pool of connections, as they were when this module was imported.
_OWN = {(cls, name): getattr(cls, name) for cls, names in [
    (CoreV1Api, REQUESTS), (ApiClient, ['call_api', 'param_serialize']), (rest.RESTClientObject, ['request']),
] for name in names if REQUESTS}

_LIBRARIES = frozenset(['kubernetes', 'pydantic'])  # the packages of the client's own functions


def method_of(api, name):
    """Return a function that does the same as a method of `api` (a CoreV1Api), or None.

    It is None if there is no such function, or if the method or anything that it uses is not the client's own.
    """
    if name not in REQUESTS or type(api) is not CoreV1Api or name in vars(api):
        return None
    api_client = api.api_client
    is_own = all(_is_own(each) for each in (api_client, getattr(api_client, 'rest_client', None)))
    return functools.partial(send, api_client, *REQUESTS[name]) if is_own and _is_unchanged() else None


def _is_own(instance):
    """Return whether an object has the client's own class, and none of its methods that send requests was replaced."""
    return type(instance) in (ApiClient, rest.RESTClientObject) and not any(
        name in vars(instance) for cls, name in _OWN if cls is type(instance))


def _is_unchanged():
    return all(getattr(cls, name) is own and _is_of_the_library(own) for (cls, name), own in _OWN.items())


@functools.lru_cache(maxsize=None)
def _is_of_the_library(function):
    return getattr(function, '__globals__', {}).get('__name__', '').split('.')[0] in _LIBRARIES


def send(api_client, method, path, namespace, name=None, body=None, _preload_content=False, _request_timeout=None):
    """Send a request; return the response of urllib3, which has not been read. Raises as the client does.

    body: a model, or what carries a dict, see `clients.request_body`. _request_timeout (tuple of floats): seconds to
        wait for a connection, and for each part of the response.
    """
    configuration = api_client.configuration
    path = path % tuple(quote(part, safe='') for part in (namespace, name) if part is not None)
    content = {} if body is None else {'body': json.dumps(getattr(body, 'carried', None) or to_dict(body))}
    connect, read = _request_timeout
    response = _answer(api_client.rest_client.pool_manager, method, configuration.host, path, dict(
        content, headers=_headers(api_client, configuration), timeout=Timeout(connect=connect, read=read),
        preload_content=False))
    if not 200 <= response.status <= 299:
        answer = rest.RESTResponse(response)
        answer.read()
        raise ApiException.from_response(http_resp=answer, body=None, data=None)
    return response


def _answer(manager, method, host, path, arguments):
    """Return the response to a request through a pool of the `manager`, which would need a while to find the pool.

    The manager also follows redirects, which an API server does not send. After one, the manager sends the request.
    """
    pool, prefix = _pool_of(manager, host)
    if pool is not None:
        response = pool.urlopen(method, prefix + path, redirect=False, assert_same_host=False, **arguments)
        if not response.get_redirect_location():
            return response
        response.drain_conn()
        response.release_conn()
    return manager.request(method, host + path, **arguments)


def _pool_of(manager, host):
    """Return the pool of connections to a host, and the path in its URL; None if the manager is not urllib3's own."""
    if type(manager) is not PoolManager:  # such as one for a proxy
        return None, ''
    pools = _pools.setdefault(manager, {})
    if host not in pools or pools[host][0].pool is None:  # the manager has closed it
        pools[host] = manager.connection_from_url(host), (parse_url(host).path or '').rstrip('/')
    return pools[host]


_pools = WeakKeyDictionary()  # pools and paths by host, of each manager


def _headers(api_client, configuration):
    headers = dict(api_client.default_headers)
    headers.update({'Accept': 'application/json', 'Content-Type': 'application/json'})
    if api_client.cookie:
        headers['Cookie'] = api_client.cookie
    token = configuration.auth_settings().get('BearerToken')
    if token is not None and token['value']:
        headers[token['key']] = token['value']
    return headers
