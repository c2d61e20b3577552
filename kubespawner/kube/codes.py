"""The outcome of a request as one word for the metrics: an HTTP status, or what went wrong without one.

Whether to retry is decided in `retry`. Pure, any thread.
"""
import socket
from contextlib import contextmanager

from kubernetes.client.rest import ApiException
from urllib3.exceptions import HTTPError, NewConnectionError, TimeoutError

from ..metrics import CONNECTION, INVALID, OTHER, TIMEOUT, RequestTimer
from .jsonstream import Garbled


@contextmanager
def observed(verb, kind):
    """Observe a request, see `metrics.RequestTimer`. Yield its timer, for the status of a response.

    If the request fails, the exception says the code.
    """
    timer = RequestTimer(verb, kind)
    try:
        yield timer
    except Exception as e:
        timer.end(code_of(e))
        raise


def status_of(response):
    """Return the HTTP status of a response. Clients that others make for their tests may not say it: 200."""
    return getattr(response, 'status', 200)


def code_of(error):
    """Return the code of a request that has failed with an exception: a str, one of `metrics.CODES` or `other`."""
    code = getattr(error, 'status', None) or getattr(error, 'code', None)
    if code:
        return str(code)
    if isinstance(error, Garbled):
        return INVALID
    cause = getattr(error, 'reason', None)  # of a MaxRetryError; some errors of the client have a text there
    is_timeout = any(isinstance(each, (TimeoutError, socket.timeout)) for each in (error, cause))
    if is_timeout and not any(isinstance(each, NewConnectionError) for each in (error, cause)):
        return TIMEOUT  # a NewConnectionError is one in urllib3 1.x, too
    return CONNECTION if isinstance(error, (HTTPError, OSError, ApiException)) else OTHER
