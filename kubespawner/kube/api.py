"""The one way to the API server: a request, sent on an executor thread, repeated while that may help.

Here belong the requests that are made (`create`, `read`, `patch`, …: values, nothing is sent yet), sending one
(`send`: blocking, on an executor thread), repeating it (`call`: a coroutine, on the loop's thread), and the errors
that come out of it (`ApiError`), in words that a user can read. What to ask for, and what to do about an answer, does
not belong here. Answers are plain dicts; no model is built from them.
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

from ..messages.errors import Cause, HubError, SpawnError, one_line
from . import clients, retry, warnings

SHORTEST_TIMEOUT = 0.1  # seconds, when the deadline is there

# What follows in an answer is a piece of what was sent, such as the environment of a pod with its tokens.
_QUOTATION = re.compile(r', error found in #\d+ byte of .*', re.DOTALL)

# What Python's ssl says of a server's certificate, or of a file of certificates, that it does not take.
_NO_TRUST = re.compile(r'CERTIFICATE_VERIFY_FAILED|\[X509')

# What Kubernetes says of a request that a quota refuses; it is Forbidden, as many others are.
_EXCEEDED_QUOTA = re.compile(r'\bexceeded quota\b')

MODELS = {'pod': 'V1Pod', 'persistent_volume_claim': 'V1PersistentVolumeClaim', 'namespace': 'V1Namespace'}


class Request(namedtuple('Request', 'verb kind namespace name arguments')):
    """What to ask the API server for.

    verb (str): `create`, `read`, `list`, `patch` or `delete`.
    kind (str): as the client's methods call it, such as the keys of MODELS.
    namespace (str or None): None for what is in no namespace.
    arguments (dict): further keyword arguments of the client's method. Not printed: a pod has tokens in it.
    """

    __slots__ = ()

    def __repr__(self):
        return '%s %s %s%s' % (self.verb, self.kind.replace('_', ' '), self.name,
                               ' in namespace %s' % self.namespace if self.namespace else '')


def create(kind, namespace, body):
    """Return the request that creates the object `body`, a dict or a model."""
    body = clients.to_dict(body)
    return Request('create', kind, namespace, body['metadata']['name'],
                   {'body': clients.request_body(body, MODELS[kind])})


def read(kind, namespace, name):
    """Return the request that reads an object."""
    return Request('read', kind, namespace, name, {'name': name})


def find(kind, namespace, label_selector):
    """Return the request that lists the objects that a label selector, such as `a=b,!c`, selects."""
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
    """Return the request that changes the fields of an object that are in `body`, a dict."""
    return Request('patch', kind, namespace, name, {'name': name, 'body': body})


def delete(kind, namespace, name, uid=None, grace_period_seconds=None):
    """Return the request that deletes an object; with `uid` only the one that has it."""
    options = V1DeleteOptions(
        grace_period_seconds=grace_period_seconds,
        preconditions=V1Preconditions(uid=uid) if uid else None,
    )
    return Request('delete', kind, namespace, name, {'name': name, 'body': options})


class ApiError(Exception):
    """A request that the API server refused, or that did not get through to it.

    request (Request): what was asked for.
    status (int): the HTTP status; 0 when there was no answer.
    reason (str): Kubernetes' one word for it (`NotFound`, `AlreadyExists`, `Forbidden`, ...), or what went wrong on
        the way there.
    message (str): Kubernetes' own sentence.
    retry_after (float): seconds that the server asked to wait, see `retry.retry_after`.
    was_sent (bool): False if no try got as far as sending the request, so that it cannot have landed.
    """

    def __init__(self, request, status, reason, message, retry_after=0, was_sent=True):
        self.request = request
        self.status = status
        self.reason = reason
        self.message = message
        self.retry_after = retry_after
        self.was_sent = was_sent
        super().__init__(str(self))

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
        """What failed: a quota if one refuses the request, storage if that was for a claim, otherwise the API."""
        if self.status == 403 and self.request.verb == 'create' and _EXCEEDED_QUOTA.search(self.message):
            return Cause.STORAGE if self.request.kind == 'persistent_volume_claim' else Cause.QUOTA
        return Cause.API

    def for_the_user(self):
        """Return the error to raise to JupyterHub. It is not the hub's fault if asking again would not help."""
        is_ours = self.may_heal or self.status == retry.UNAUTHORIZED
        return (HubError if is_ours else SpawnError)(
            self._sentence, self.reason, self.cause, self._details, self.message)

    @property
    def may_heal(self):
        """True if the same request may succeed later."""
        return retry.may_heal(self.request.verb, self.status, self.reason, self.message, self.request.namespace)


def send(core, timeout, request, log=None):
    """Send `request` with the CoreV1Api `core`; return the answer, a dict, or a str if it is a log. It blocks.

    For executor threads.

    timeout (float): seconds to wait for each piece of the answer.
    log (Logger or None): is told what the server warns of.

    Raises ApiError.
    """
    where = {'namespace': request.namespace} if request.namespace else {}
    method = getattr(core, '%s_%s%s' % (request.verb, 'namespaced_' if where else '', request.kind))
    try:
        with clients.unmasked():
            response = method(_preload_content=False, _request_timeout=(min(retry.CONNECT_TIMEOUT, timeout), timeout),
                              **dict(request.arguments, **where))
        _tell_of_warnings(response, log, request)
        if request.kind == 'pod_log':
            return response.data.decode('utf8', 'replace') if isinstance(response.data, bytes) else response.data
        text = _text(response.data)
    except ApiException as e:
        _tell_of_warnings(e, log, request)
        raise _refused(request, e) from None  # whose text has all that the server said
    except (HTTPError, OSError) as e:
        raise ApiError(request, 0, type(e).__name__, str(e), was_sent=_was_sent(e))
    try:
        return json.loads(text)
    except ValueError:
        raise ApiError(request, 0, 'the answer is not JSON', text[:1000])


def _tell_of_warnings(answer, log, request):
    """Write what an answer, or the error of one, warns of to the log."""
    if log is not None:
        warnings.tell(getattr(answer, 'headers', None), log, request)


def _was_sent(error):
    """False for an error from before a request was sent: no connection, or none that can be trusted."""
    cause = getattr(error, 'reason', None) or error  # of a MaxRetryError; the client's own errors have a text there
    return not isinstance(cause, (NewConnectionError, ConnectTimeoutError)) and not _NO_TRUST.search(str(cause))


def _text(data):
    return data.decode('utf8') if isinstance(data, bytes) else data


def _refused(request, e):
    """Return the ApiError of an answer that is no success; its body is a Status object, or a proxy's page."""
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
    """Send `request` through `run`, again while that may help, and return the answer as a dict.

    run (callable): `run(function, *args)` calls a blocking function on an executor thread and returns a future.
    timeout (float): seconds to wait for each piece of an answer.
    retry_seconds (float): from now, after which a failure is final.
    deadline (float): the loop's time after which a failure is final, if that is sooner, and after which no answer is
        waited for but that of a create.
    is_wanted (callable): after each pause, whether to go on trying.

    Raises the ApiError of the last try.
    """
    loop = IOLoop.current()
    retries = retry.RequestRetries(min(deadline or float('inf'), loop.time() + retry_seconds))
    renewed = was_sent = False
    for number in itertools.count(1):
        configuration = clients.configuration_of(core)
        try:
            left = max(SHORTEST_TIMEOUT, (deadline or float('inf')) - loop.time())
            # What a create made has to be known, also when it comes too late.
            return (yield run(send, core, timeout if request.verb == 'create' else min(timeout, left), request, log))
        except ApiError as e:
            failure = e
        failure.was_sent = was_sent = was_sent or failure.was_sent
        if failure.status == retry.UNAUTHORIZED and not renewed:
            log.warning('%s. Trying again with the configuration as it is now.', failure)
            renewed = True
            yield run(clients.renew, core, configuration, log)
            continue
        pause = retries.pause_after(failure, loop.time())
        if pause is None:
            raise failure
        log.warning('%s. That was try %d. Trying again in %.1f s.', failure, number, pause)
        yield gen.sleep(pause)
        if not is_wanted():
            raise failure
