"""An API server, its executor and a cache of pods in a few lines each, for tests that need no cluster."""
import json
import logging

from kubernetes.client.rest import ApiException
from tornado import gen
from tornado.concurrent import Future

from kubespawner.kube.requests import Requests

LOG = logging.getLogger('kubespawner.tests')


class FakeApi:
    """A CoreV1Api that answers each request with what comes next in `answers`, by the client's method.

    An answer is a dict, a str (of a log), a Response, an exception to raise, or a function of the request's arguments
    that returns one of these; the last one is given again and again. `asked` has what was asked: (method, arguments).
    """

    def __init__(self, **answers):
        self.answers, self.asked = answers, []

    def __getattr__(self, method):
        if method.split('_')[0] not in ('create', 'read', 'list', 'patch', 'delete'):
            raise AttributeError(method)
        return lambda **arguments: self._answer(method, arguments)

    def _answer(self, method, arguments):
        self.asked.append((method, arguments))
        answers = self.answers[method]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            answer = answer(arguments)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Response):
            return answer
        return Response(answer if isinstance(answer, str) else json.dumps(answer))

    @property
    def methods(self):
        """The methods that were called, in their order."""
        return [method for method, _ in self.asked]


class Response:
    """What the client returns when it does not make a model of an answer."""

    def __init__(self, data, headers=None, status=200):
        self.data, self.headers, self.status = data, headers, status


class Streamed:
    """What the client returns for a list or a watch: a response whose body has not been read.

    pieces (iterable of bytes): in which the body comes. A function in place of bytes returns them once they are there.
    """

    status, headers = 200, {}

    def __init__(self, pieces):
        self._pieces = pieces

    def stream(self, *args, **kwargs):
        return (piece() if callable(piece) else piece for piece in self._pieces)

    def close(self):
        pass


def empty_list(version=5):
    """Return the response to a list of which nothing is there."""
    return Streamed([json.dumps({'metadata': {'resourceVersion': str(version)}, 'items': []}).encode()])


def refused(status, reason='', message='', headers=None):
    """Return the client's error for an answer of the server's."""
    error = ApiException(status=status, reason=reason)
    error.body = json.dumps({'kind': 'Status', 'reason': reason, 'message': message})
    error.headers = headers or {}
    return error


def at_once(function, *args):
    """Run a blocking function as an executor does, but at once; return a future of what it returns."""
    future = Future()
    try:
        future.set_result(function(*args))
    except Exception as e:
        future.set_exception(e)
    return future


def after(seconds):
    """Return what runs a blocking function, whose answer takes so many seconds to come."""
    @gen.coroutine
    def run(function, *args):
        answer = at_once(function, *args)
        yield gen.sleep(seconds)
        return answer.result()

    return run


def requests_to(fake, run=at_once, timeout=30, retry_seconds=30):
    """Return `Requests` to a FakeApi."""
    return Requests(run, lambda: fake, lambda: (timeout, retry_seconds), LOG)


LABELS = {'heritage': 'jupyterhub', 'component': 'singleuser-server'}


def pod_in(phase='Running', name='a', namespace='hubs', uid='u1', version=1, labels=LABELS, annotations=None):
    """Return a pod as the API server tells of it."""
    statuses = [{'name': 'notebook', 'ready': phase == 'Running', 'state': {'running': {}}, 'restartCount': 0}]
    return {'metadata': {'name': name, 'namespace': namespace, 'uid': uid, 'resourceVersion': str(version),
                         'labels': dict(labels), 'annotations': dict(annotations or {})},
            'status': {'phase': phase, 'podIP': '10.0.0.1', 'containerStatuses': statuses * (phase == 'Running')}}
