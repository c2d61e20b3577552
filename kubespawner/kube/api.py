"""The one way to send a request to the API server: on an executor thread, with retries.

`create`, `read`, `patch` and others return requests, which are plain values. `send` sends one; it blocks, so it runs
on an executor thread. `call` is a coroutine for the loop's thread, which retries. Both raise `ApiError`, whose message
a user can read. Responses are plain dicts, not models; a log is a str.

Which request to send, and what a response means, does not belong here.
"""
import itertools
import json
import re
from collections import namedtuple

from kubernetes.client import V1DeleteOptions, V1Preconditions
from kubernetes.client.rest import ApiException
from tornado import gen
from tornado.ioloop import IOLoop
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from .. import metrics
from ..messages.errors import Cause, HubError, SpawnError, one_line
from . import clients, retry, warnings
from .codes import code_of, observed, status_of
from .objects_api import method_of
from .prune import without_managed_fields
from .resource import is_object

SHORTEST_TIMEOUT = 0.1  # seconds, when the deadline has been reached

# From here on, an error message quotes the request, which may contain secrets such as tokens in a pod's environment.
_QUOTATION = re.compile(r', error found in #\d+ byte of .*', re.DOTALL)

# The errors of Python's ssl for a certificate of the server, or a file of certificates, that it does not accept.
_UNTRUSTED = re.compile(r'CERTIFICATE_VERIFY_FAILED|\[X509')

# Kubernetes' message for a request that exceeds a quota. The reason is Forbidden, as for many other requests.
_EXCEEDED_QUOTA = re.compile(r'\bexceeded quota\b')

PVC = 'persistent_volume_claim'  # this kind of object, in the names of the client's methods

MODELS = {'pod': 'V1Pod', PVC: 'V1PersistentVolumeClaim', 'namespace': 'V1Namespace',
          'secret': 'V1Secret', 'service': 'V1Service', 'endpoints': 'V1Endpoints'}


class Request(namedtuple('Request', 'verb kind namespace name arguments')):
    """A request to the API server.

    verb (str): `create`, `read`, `list`, `patch` or `delete`.
    kind (str): the kind of object, as in the names of the client's methods.
    namespace (str or None): None for objects that are not in a namespace.
    arguments (dict): additional keyword arguments of the client's method. They are not printed, because a pod contains
        tokens.
    """

    __slots__ = ()

    @property
    def expects_object(self):
        """Whether the response must be an object with a name and a uid."""
        return self.verb == 'read' and self.kind in MODELS or (self.verb, self.kind) == ('create', 'pod')

    @property
    def rbac_verb(self):
        """The verb of the request in the rules of a role."""
        return 'get' if self.verb == 'read' else self.verb

    def __repr__(self):
        return '%s %s %s%s' % (self.verb, self.kind.replace('_', ' '), self.name,
                               ' in namespace %s' % self.namespace if self.namespace else '')


def create(kind, namespace, body):
    """Return the request that creates the object `body`, a dict or a model.

    A kind that is not in MODELS is for an ObjectsApi, which takes dicts.
    """
    body = clients.to_dict(body)
    return Request('create', kind, namespace, body['metadata']['name'],
                   {'body': clients.request_body(body, MODELS[kind]) if kind in MODELS else body})


def read(kind, namespace, name):
    """Return the request that reads an object."""
    return Request('read', kind, namespace, name, {'name': name})


def find(kind, namespace, label_selector):
    """Return the request that lists the objects that match a label selector, such as `a=b,!c`."""
    return Request('list', kind, namespace, 'with ' + label_selector, {'label_selector': label_selector})


def events_about(kind, namespace, name, limit):
    """Return the request that lists at most `limit` events about the object of a kind, such as `Pod`, and a name."""
    return Request('list', 'event', namespace, 'about %s %s' % (kind, name), {
        'field_selector': 'involvedObject.kind=%s,involvedObject.name=%s' % (kind, name), 'limit': limit})


def read_log(namespace, pod_name, container, previous, lines, limit):
    """Return the request that reads the last lines, at most `limit` bytes, that a container of a pod has written.

    previous (bool): of the run before the present one. The answer is a str.
    """
    return Request('read', 'pod_log', namespace, pod_name, {
        'name': pod_name, 'container': container, 'previous': previous, 'tail_lines': lines, 'limit_bytes': limit})


def patch(kind, namespace, name, body):
    """Return the request that changes an object.

    body (dict or list): the fields to change, or the operations of a JSON patch (RFC 6902).
    """
    return Request('patch', kind, namespace, name, {'name': name, 'body': body})


def delete(kind, namespace, name, uid=None, grace_period_seconds=None):
    """Return the request that deletes an object. With `uid`, the request fails for any other object of this name."""
    options = V1DeleteOptions(
        grace_period_seconds=grace_period_seconds,
        preconditions=V1Preconditions(uid=uid) if uid else None,
    )
    return Request('delete', kind, namespace, name, {'name': name, 'body': options})


class ApiError(ApiException):
    """The API server rejected a request, or did not respond.

    It is also an ApiException of the client, which subclasses expect from what they call.

    request (Request): the request that failed.
    status (int): the HTTP status; 0 if there was no response.
    reason (str): the reason that Kubernetes gives, such as `NotFound`, `AlreadyExists` or `Forbidden`. Without a
        response, the type of the error.
    message (str): the message that Kubernetes gives. Without a response, the message of the error.
    retry_after (float): seconds that the server asked the client to wait, see `retry.retry_after`.
    was_sent (bool): False if no attempt got as far as sending the request, so that it cannot have taken effect.
    code (str): the HTTP status, or what went wrong without one, see `codes`.
    """

    def __init__(self, request, status, reason, message, retry_after=0, was_sent=True, code=None):
        super().__init__(status=status, reason=reason)
        self.request = request
        self.status = status
        self.reason = reason
        self.message = message
        self.retry_after = retry_after
        self.was_sent = was_sent
        self.code = code or code_of(self)
        self.body = json.dumps({'kind': 'Status', 'code': status, 'reason': reason, 'message': message})

    def __str__(self):
        return one_line('%s %s' % (self._sentence, self._details))

    @property
    def _sentence(self):
        return 'Kubernetes could not %r:' % (self.request,)

    @property
    def _details(self):
        return '%s%s: %s' % ('%d ' % self.status if self.status else '', self.reason, self.message)

    @property
    def cause(self):
        """What failed: QUOTA if the request exceeds a quota (STORAGE if it creates a claim), otherwise API."""
        if self.status == 403 and self.request.verb == 'create' and _EXCEEDED_QUOTA.search(self.message):
            return Cause.STORAGE if self.request.kind == PVC else Cause.QUOTA
        return Cause.API

    def for_the_user(self):
        """Return the error for JupyterHub: a SpawnError if a retry cannot succeed, otherwise a HubError."""
        is_ours = self.is_temporary or self.status == retry.UNAUTHORIZED
        return (HubError if is_ours else SpawnError)(
            self._sentence, self.reason, self.cause, self._details, self.message)

    @property
    def is_temporary(self):
        """Whether the same request may succeed later."""
        return retry.is_temporary(self.request.verb, self.status, self.reason, self.message, self.request.namespace)


def send(core, timeout, request, log=None):
    """Send `request` with the CoreV1Api `core` and return the response: a dict, or a str if it is a log.

    It blocks, so call it on an executor thread.

    timeout (float): seconds to wait for each part of the response.
    log (Logger or None): gets the warnings of the server.

    Raises ApiError.
    """
    with observed(request.verb, request.kind) as timer:
        response = _response(core, timeout, request, log)
        value = _value(request, response)
        timer.end(status_of(response))
    return value


def _response(core, timeout, request, log):
    """Send `request` and return the response, which has been read. Raises ApiError."""
    where = {'namespace': request.namespace} if request.namespace else {}
    method = method_of(core, '%s_%s%s' % (request.verb, 'namespaced_' if where else '', request.kind))
    try:
        with clients.unmasked():
            response = method(_preload_content=False, _request_timeout=(min(retry.CONNECT_TIMEOUT, timeout), timeout),
                              **dict(request.arguments, **where))
        _log_warnings(response, log, request)
        response.data  # noqa: B018  # reads it
        return response
    except ApiException as e:
        _log_warnings(e, log, request)
        raise _refused(request, e) from None  # because the message of `e` repeats the whole response
    except (HTTPError, OSError) as e:
        raise ApiError(request, 0, type(e).__name__, str(e), was_sent=_was_sent(e), code=code_of(e))


def _value(request, response):
    """Return what a response contains: a dict, or a str if it is a log. Raises ApiError."""
    if request.kind == 'pod_log':
        return response.data.decode('utf8', 'replace') if isinstance(response.data, bytes) else response.data
    text = _text(response.data)
    try:
        value = json.loads(without_managed_fields(text))
    except ValueError:
        raise ApiError(request, 0, 'the answer is not JSON', _quotable(text), code=metrics.INVALID)
    if not isinstance(value, dict) or request.expects_object and not is_object(value):  # a proxy may answer anything
        problem = 'It has no name or no uid.' if isinstance(value, dict) else 'It is a %s.' % type(value).__name__
        raise ApiError(request, 0, 'the answer is not a Kubernetes object', problem, code=metrics.INVALID)
    return value


def _quotable(text):
    """Return what an error says of an answer that is not JSON. An object that was cut off may contain secrets."""
    if text.lstrip().startswith('{'):
        return 'an object that was cut off after %d characters' % len(text)
    return text[:1000]


def _log_warnings(answer, log, request):
    """Write what an answer, or the error of one, warns of to the log."""
    if log is not None:
        warnings.log_once(getattr(answer, 'headers', None), log, request)


def _was_sent(error):
    """Return False if an error occurred before the request was sent: no connection, or an untrusted one."""
    cause = getattr(error, 'reason', None) or error  # an error in a MaxRetryError; a string in the client's own errors
    return not isinstance(cause, (NewConnectionError, ConnectTimeoutError)) and not _UNTRUSTED.search(str(cause))


def _text(data):
    return data.decode('utf8') if isinstance(data, bytes) else data


def _refused(request, e):
    """Return the ApiError for an HTTP error. Its body is a Status object, or the error page of a proxy."""
    try:
        status = json.loads(_text(e.body))
        reason, message = status.get('reason') or e.reason, status.get('message') or ''
    except (TypeError, ValueError, AttributeError):
        reason, message = e.reason, _text(e.body) or ''
    message = _QUOTATION.sub('', str(message))[:1000]
    return ApiError(request, e.status or 0, str(reason), message, retry.retry_after(e.headers),
                    was_sent=bool(e.status) or _was_sent(e))


@gen.coroutine
def call(run, core, request, log, timeout, retry_seconds, deadline=None, is_wanted=lambda: True):
    """Send `request` through `run`, with retries after temporary failures, and return the response as a dict.

    run (callable): `run(function, *args)` calls a blocking function on an executor thread and returns a future.
    timeout (float): seconds to wait for each part of a response.
    retry_seconds (float): seconds from now after which there is no retry.
    deadline (float): the loop's time after which there is no retry either. A request other than a create also times out
        at the deadline.
    is_wanted (callable): called after each pause; returns whether to retry.

    Raises the ApiError of the last attempt.
    """
    loop = IOLoop.current()
    retries = retry.RequestRetries(min(deadline or float('inf'), loop.time() + retry_seconds))
    renewed = was_sent = False
    for number in itertools.count(1):
        configuration = clients.configuration_of(core)
        try:
            left = max(SHORTEST_TIMEOUT, (deadline or float('inf')) - loop.time())
            # A create does not time out at the deadline: its caller must learn which object it created.
            return (yield run(send, core, timeout if request.verb == 'create' else min(timeout, left), request, log))
        except ApiError as e:
            failure = e
        failure.was_sent = was_sent = was_sent or failure.was_sent
        if failure.status == retry.UNAUTHORIZED and not renewed:
            log.warning('%s. Trying again with the configuration reloaded.', failure)
            renewed = True
            metrics.count_retry(request.verb, request.kind, failure.code)
            yield run(clients.renew, core, configuration, log)
            continue
        pause = retries.pause_after(failure, loop.time())
        if pause is None:
            raise failure
        log.warning('%s. Attempt %d failed. Trying again in %.1f s.', failure, number, pause)
        yield gen.sleep(pause)
        if not is_wanted():
            raise failure
        metrics.count_retry(request.verb, request.kind, failure.code)
