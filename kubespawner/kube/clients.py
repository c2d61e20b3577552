"""The one place that knows which `kubernetes` client is installed: configuration, shared clients, model <-> dict.

Every difference between its versions 4.0 to 37 is bridged here and, as to which fields there are, in `fields`; nowhere
else. No calls of the API. Everything here may be called on any thread.
"""
import copy
import functools
import os
import re
import threading
import time
import weakref
from contextlib import contextmanager

import kubernetes
from kubernetes import client, config
from kubernetes.client import CoreV1Api  # noqa: F401, new clients load it late, which would hold up a running hub
from kubernetes.client.rest import ApiException
from kubernetes.config import incluster_config

from .fields import NEWER_FIELDS, attribute_of
from .resource import OTHER_FIELDS, HasKeys, Resource  # noqa: F401, Resource for those who import it from here

CONFIG_DEFAULT_LOCATION = '~/.kube/config'

REFRESH_SECONDS = 1

# How many idle connections are kept, not how many are opened: more than all threads together ever use.
CONNECTION_POOL_SIZE = 256

_SENDABLE = re.compile(r'[ -~]*\Z')  # in the header of a request

PLAIN = frozenset([str, int, float, bool, type(None)])  # what needs no conversion

_overrides = {}  # what takes the place of settings that are loaded, see `override`
_only = []  # the configuration that all clients get meanwhile, see `use_only`
_clients = weakref.WeakValueDictionary()
_lock = threading.RLock()
_renewing = threading.Lock()
# Whether watches may ask for bookmarks. The methods' signatures do not tell, and their docstrings may be stripped.
HAS_BOOKMARKS = int(kubernetes.__version__.split('.')[0]) >= 11

# Whether the client's method to delete a service takes options, such as the uid.
HAS_OPTIONS_FOR_SERVICES = int(kubernetes.__version__.split('.')[0]) >= 9

SHARED_API_CLIENT = ('ApiClient', (), (('configuration', None),))  # its key among the clients


def shared_client(ClientType, *args, **kwargs):  # noqa: N803, its documented name
    """Return the shared client of this type with these arguments; create it if nobody holds one.

    ClientType (str): the name of a class in `kubernetes.client`, such as `CoreV1Api`.

    All clients without an `api_client` of their own share one `ApiClient`, and with it one pool of connections.
    Raises `kubernetes.config.ConfigException` when no configuration is found, see `load_config`.
    """
    key = (ClientType, args, tuple(sorted(kwargs.items())))
    with _lock:
        shared = _clients.get(key)
        if shared is None:
            if ClientType == 'ApiClient' and kwargs.get('configuration') is None:
                shared = _new_api_client()
            else:
                if not args and 'api_client' not in kwargs:
                    kwargs['api_client'] = shared_client('ApiClient', configuration=None)
                shared = getattr(client, ClientType)(*args, **kwargs)
            _clients[key] = shared
        return shared


def _new_api_client():
    """Return a client of the configuration as it is now."""
    api_client = client.ApiClient(configuration=load_config())
    # urllib3 would repeat requests by itself, several times, unseen and within one of our tries.
    api_client.rest_client.pool_manager.connection_pool_kw['retries'] = False
    return api_client


def configuration_of(api):
    """Return the present configuration of the client of `api` (a CoreV1Api); None for any other object."""
    return getattr(getattr(api, 'api_client', None), 'configuration', None)


def renew(api, refused, log):
    """Load the configuration again for the client of `api` (a CoreV1Api), whose token the server no longer accepts.

    refused (Configuration): that of the refused request, see `configuration_of`. If the client has another one by now,
    or was not created here, nothing is done. Blocks: for executor threads and the watch thread.
    """
    with _renewing:
        if configuration_of(api) is not refused or api.api_client is not _clients.get(SHARED_API_CLIENT):
            return
        try:
            fresh = _new_api_client()
        except Exception as e:  # the file is being written just now, perhaps; the loader fails in many ways
            log.warning('The Kubernetes configuration cannot be loaded again: %s: %s', type(e).__name__, e)
        else:
            api.api_client.configuration, api.api_client.rest_client = fresh.configuration, fresh.rest_client


def override(**settings):
    """Let these settings replace those of the loaded configuration, for clients created or renewed from now on.

    settings: attributes of the client's `Configuration`, such as `host`, `ssl_ca_cert` (the name of a file) and
        `verify_ssl`. None and '' keep the value of the configuration.
    """
    global _overrides  # replaced as a whole, because other threads read it
    _overrides = {name: value for name, value in settings.items() if value not in (None, '')}


def forget():
    """Let `shared_client` return new clients from now on, with the configuration as it is then.

    Whoever holds an earlier client keeps it. One that another thread is just creating is such a client, too.
    """
    with _lock:
        _clients.clear()


@contextmanager
def use_only(configuration):
    """Let all shared clients of a `with` block use this configuration, and no loaded one.

    Whoever holds an earlier client keeps it; nobody gets one of them in the block or after it.
    """
    _only.append(configuration)
    forget()
    try:
        yield
    finally:
        _only.pop()
        forget()


@contextmanager
def unmasked():
    """Raise the client's original error: client 36 fails over an ApiException without a body, such as those of TLS."""
    try:
        yield
    except AttributeError as e:
        if isinstance(e.__context__, ApiException):
            raise e.__context__ from None
        raise


def send(api_client, method, path, query=None, body=None, content_type='application/json', timeout=None):
    """Send a request to a path of the API, for which the client may have no method. Blocks.

    query (dict): its parameters. body: what is sent as JSON; models are converted.
    timeout (tuple of floats): seconds to wait for a connection, and for each part of the response.

    Return the response of urllib3, which has not been read. Raises ApiException and the errors of urllib3.
    """
    arguments = {
        'query_params': list((query or {}).items()),
        'header_params': {'Accept': 'application/json', 'Content-Type': content_type},
        'body': body,
        'auth_settings': ['BearerToken'],
    }
    if not hasattr(api_client, 'param_serialize'):  # before client 37
        return api_client.call_api(path, method, _return_http_data_only=True, _preload_content=False,
                                   _request_timeout=timeout, **arguments)
    answer = api_client.call_api(*api_client.param_serialize(method, path, **arguments), _request_timeout=timeout)
    if not 200 <= answer.status <= 299:
        answer.read()
        raise ApiException.from_response(http_resp=answer, body=None, data=None)
    return answer.response


def has_config():
    """Return whether there is a configuration that `load_config` may find. Nothing is read or run for this."""
    return bool(_only or os.environ.get('KUBERNETES_SERVICE_HOST') or any(map(os.path.exists, _kubeconfigs())))


def kubeconfig_path():
    """Return where the kubeconfig should be, as written: maybe several paths, which need not exist."""
    return os.environ.get('KUBECONFIG') or CONFIG_DEFAULT_LOCATION


def _kubeconfigs():
    return [os.path.expanduser(path) for path in kubeconfig_path().split(os.pathsep)]


def load_config():
    """Return the client's `Configuration`: of the pod that this process runs in, otherwise from a kubeconfig.

    The kubeconfig is the file that the environment variable KUBECONFIG names, otherwise `~/.kube/config`.
    Raises `kubernetes.config.ConfigException`, which names both places, if there is neither, and for a token that is
    none.
    """
    if _only:
        return _only[-1]
    is_in_cluster = True
    try:
        config.load_incluster_config()
    except config.ConfigException as not_in_cluster:
        is_in_cluster = False
        try:
            config.load_kube_config(config_file=os.pathsep.join(_kubeconfigs()))
        except Exception as no_kubeconfig:  # the loader fails in many ways over a file that is none
            raise config.ConfigException(
                'No Kubernetes configuration found. Not in the service account of a pod: %s '
                'Not in the kubeconfig %s (environment variable KUBECONFIG, otherwise %s): %s: %s' % (
                    not_in_cluster, kubeconfig_path(), CONFIG_DEFAULT_LOCATION, type(no_kubeconfig).__name__,
                    no_kubeconfig))
    configuration = _default_configuration()
    configuration.connection_pool_maxsize = CONNECTION_POOL_SIZE
    for name, value in _overrides.items():
        setattr(configuration, name, value)
    configuration.api_key = _sendable(configuration.api_key)
    hook = _read_token_file if is_in_cluster else getattr(configuration, 'refresh_api_key_hook', None)
    if hook is not None:
        _call_before_requests(configuration, _at_most_every(REFRESH_SECONDS, _careful(hook)))
    return configuration


def _call_before_requests(configuration, hook):
    """Let each request first call `hook` with its configuration.

    Clients before 12 have no such hook. Clients 12 to 21 have it, but a configuration loaded in a pod has a method of
    its own that returns the contents of the token file, whatever the hook does.
    """
    vars(configuration).pop('get_api_key_with_prefix', None)
    if hasattr(configuration, 'refresh_api_key_hook'):
        configuration.refresh_api_key_hook = hook
        return
    get_api_key = configuration.get_api_key_with_prefix

    def refresh_and_get_api_key(*args, **kwargs):
        hook(configuration)
        return get_api_key(*args, **kwargs)

    configuration.get_api_key_with_prefix = refresh_and_get_api_key


def _read_token_file(configuration):
    """Give a configuration the token that is in the file of the service account now.

    Nodes replace the token long before it expires. Clients read it once a minute, or never before client 12. If the
    file cannot be read, the token stays: the API server knows whether it is still valid.
    """
    try:
        with open(incluster_config.SERVICE_TOKEN_FILENAME) as f:
            token = f.read().strip()
    except (OSError, ValueError):
        return
    if token:
        configuration.api_key = dict.fromkeys(configuration.api_key, 'bearer ' + token)


def _sendable(api_key):
    """Return API tokens (a dict) without white space at the ends: files end in a line break.

    Raises `kubernetes.config.ConfigException` for a malformed token. The error of sending it would show it.
    """
    tokens = {key: token.strip() for key, token in api_key.items()}
    if not all(_SENDABLE.match(token) for token in tokens.values()):
        raise config.ConfigException('The token for the Kubernetes API (of the service account of the pod, or in the '
                                     'kubeconfig) has a line break or another character in it that no token has.')
    return tokens


def _careful(hook):
    """Return a function that renews a token as the client's `hook` does, but does not accept a malformed one.

    The hook gets a copy of the configuration, because some hooks assign themselves to it again.
    """
    def renew_token(configuration):
        fresh = copy.copy(configuration)
        fresh.api_key = dict(configuration.api_key)
        hook(fresh)
        configuration.api_key = _sendable(fresh.api_key)

    return renew_token


def _at_most_every(seconds, function):
    """Return a function that calls `function` at most once in so many seconds.

    Clients check before each request whether a token has expired, which takes a quarter of the client's time.
    """
    due, lock = [0], threading.Lock()

    def sometimes(*args):
        if time.monotonic() >= due[0]:
            with lock:  # whoever comes meanwhile needs what comes of it
                if time.monotonic() >= due[0]:
                    function(*args)
                    due[0] = time.monotonic() + seconds

    return sometimes


def _default_configuration():
    """Return a copy of what was loaded last; before client 12 that is what the class itself gives."""
    get_default_copy = getattr(client.Configuration, 'get_default_copy', client.Configuration)
    return get_default_copy()


@functools.lru_cache(maxsize=None)
def model(name):
    """Return the class `name` of `kubernetes.client` in a form that behaves the same on every client.

    It has the fields of NEWER_FIELDS on each, and answers to keys, see `HasKeys`. Whatever is assigned to a field stays
    as it is and is sent as it is: clients whose models check their fields would refuse numbers for quantities, and
    fields that they do not know but the API server does.
    """
    known = getattr(client, name)
    changes = {'__module__': known.__module__, '__doc__': known.__doc__, '__iter__': HasKeys.__iter__}
    known_keys = known.attribute_map.values()
    missing = {attribute_of(key): key for key in NEWER_FIELDS.get(name, ()) if key not in known_keys}
    if missing and not _checks(known):
        changes.update(dict.fromkeys(missing), attribute_map=dict(known.attribute_map, **missing))
        for types in {'swagger_types', 'openapi_types'} & set(vars(known)):
            changes[types] = dict(getattr(known, types), **dict.fromkeys(missing, 'object'))
    if _checks(known):
        changes.update(__setattr__=object.__setattr__, model_dump=lambda self, **_: to_dict(self),
                       __init__=_without_checks(known))
    return type(name, (known, HasKeys), changes)


def _without_checks(known):
    """Return an `__init__` for a checking client's model that takes the values of its fields as they are."""
    unset = dict.fromkeys(known.model_fields)  # also what the API server wants: None is not sent

    def take(self, **values):
        own = dict(unset, **values)
        if len(own) > len(unset):  # other spellings, and what is no field
            known.__init__(self, **values)
            return
        self.__dict__, self.__pydantic_fields_set__ = own, set(values)
        self.__pydantic_extra__ = self.__pydantic_private__ = None

    return take


def _checks(model):
    """Return whether a model checks the values of its fields, as models do since client 37."""
    return hasattr(model, 'model_construct')


def to_dict(value):
    """Return a model of any client as the plain dict (camelCase keys) that goes to the API.

    Models inside dicts and lists are converted as well; fields that are None are left out of models. Fields of a model
    come in the order of the alphabet, so that all clients send the same bytes.
    """
    kind = type(value)
    if kind in PLAIN:
        return value
    fields = _fields_of(kind)
    if fields is not None:
        return _model_to_dict(value, fields)
    if isinstance(value, dict):
        return {key: to_dict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_dict(item) for item in value]
    if hasattr(value, 'isoformat'):
        return value.isoformat()
    return value


def _model_to_dict(model, fields):
    values, plain = vars(model), {}
    for key, attribute in fields:
        # Most fields are None. A checking client's model has its fields in its dict, others have properties.
        value = values[attribute] if attribute in values else getattr(model, attribute)
        if value is not None:
            plain[key] = value if type(value) in PLAIN else to_dict(value)
    if OTHER_FIELDS in values:
        plain.update(to_dict(values[OTHER_FIELDS]))
    return plain


@functools.lru_cache(maxsize=None)
def _fields_of(kind):
    """Return the fields of a model as pairs (key in the API, attribute), in order; None for what is no model."""
    attribute_map = getattr(kind, 'attribute_map', None)
    return None if attribute_map is None else sorted((key, attribute) for attribute, key in attribute_map.items())


def request_body(value, model_name):
    """Return the dict `value` as something that every client sends as it is, as its model `model_name`.

    Clients whose models check their fields want a model, and would refuse fields and values that they do not know
    but the API server does. They get one that carries the dict.
    """
    known = getattr(client, model_name)
    return _carrier(known).model_construct(carried=value) if _checks(known) else value


@functools.lru_cache(maxsize=None)
def _carrier(model):
    """Return the subclass of a checking client's `model` whose instances serialise as the dict they carry."""
    return type('Carried' + model.__name__, (model,), {
        '__annotations__': {'carried': dict},
        '__module__': __name__,
        'to_dict': lambda self, serialize=False: self.carried,
    })
