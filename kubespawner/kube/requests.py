"""Requests of a spawner to the API server, with the configured timeouts.

How a request is sent belongs here, and which errors are an expected result, such as 404 of a read. Which requests are
sent does not. Everything runs on the IOLoop's thread.
"""
from typing import Any, Callable, Optional, Tuple

from kubernetes.config import ConfigException
from tornado import gen
from tornado.concurrent import Future

from . import api


class Requests:
    """Sends requests for one server.

    run (callable): `run(function, *args)` calls a blocking function on an executor thread and returns a future.
    core (callable): returns the CoreV1Api that sends the requests.
    limits (callable): returns `timeout` and `retry_seconds`, see `api.call`.
    """

    def __init__(self, run: Callable[..., Future], core: Callable[[], Any], limits: Callable[[], Tuple[float, float]],
                 log: Any) -> None:
        self._run, self._core, self._limits, self._log = run, core, limits, log

    def send(self, request: api.Request, deadline: Optional[float] = None,
             is_wanted: Callable[[], bool] = lambda: True) -> Future:
        """Send a request from one of the functions in `api`. Return a future of the response, a dict. Raises ApiError.

        deadline (float), is_wanted (callable): see `api.call`.
        """
        try:
            core = self._core()
        except ConfigException as e:  # there is none that says where the API server is
            raise api.ApiError(request, 0, 'ConfigException', str(e), was_sent=False)
        return api.call(self._run, core, request, self._log, *self._limits(), deadline, is_wanted)

    @gen.coroutine
    def read(self, kind: str, namespace: Optional[str], name: str, deadline: Optional[float] = None) -> Any:
        """Read an object from the API. Return None if it does not exist. Raises ApiError."""
        try:
            return (yield self.send(api.read(kind, namespace, name), deadline))
        except api.ApiError as e:
            if e.status != 404:
                raise
            return None

    @gen.coroutine
    def create(self, kind: str, namespace: Optional[str], manifest: Any, deadline: Optional[float] = None,
               is_wanted: Callable[[], bool] = lambda: True) -> Any:
        """Create an object, unless it already exists. Return whether it did not exist. Raises ApiError."""
        request = api.create(kind, namespace, manifest)
        try:
            yield self.send(request, deadline, is_wanted)
        except api.ApiError as e:
            if e.reason != 'AlreadyExists':
                raise
            return False
        self._log.info('Created %s %s', kind.split('_')[-1], request.name)
        return True
