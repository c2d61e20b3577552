"""Requests to the API server, sent within the configured limits: what the verbs of a spawner use of `api`.

Here belongs how a request is sent, and which refusals are answers; what is asked for does not. Runs on the IOLoop's
thread.
"""
from typing import Any, Callable, Optional, Tuple

from tornado import gen
from tornado.concurrent import Future

from . import api


class Requests:
    """Sends requests for one server.

    run (callable): `run(function, *args)` calls a blocking function on an executor thread and returns a future.
    core (callable): returns the CoreV1Api to send them with.
    limits (callable): returns the seconds to wait for each piece of an answer, and those until a failure is final.
    """

    def __init__(self, run: Callable[..., Future], core: Callable[[], Any], limits: Callable[[], Tuple[float, float]],
                 log: Any) -> None:
        self._run, self._core, self._limits, self._log = run, core, limits, log

    def send(self, request: api.Request, deadline: Optional[float] = None,
             is_wanted: Callable[[], bool] = lambda: True) -> Future:
        """Return a future of the answer to a request made by the functions of `api`, a dict. Raises ApiError.

        deadline (float), is_wanted (callable): see `api.call`.
        """
        return api.call(self._run, self._core(), request, self._log, *self._limits(), deadline, is_wanted)

    @gen.coroutine
    def read(self, kind: str, namespace: Optional[str], name: str, deadline: Optional[float] = None) -> Any:
        """Return an object as the API has it now, None if it has none of that name. Raises ApiError."""
        try:
            return (yield self.send(api.read(kind, namespace, name), deadline))
        except api.ApiError as e:
            if e.status != 404:
                raise
            return None

    @gen.coroutine
    def create(self, kind: str, namespace: Optional[str], manifest: Any, deadline: Optional[float] = None,
               is_wanted: Callable[[], bool] = lambda: True) -> Any:
        """Create an object. That somebody did so just now is fine. Raises ApiError."""
        request = api.create(kind, namespace, manifest)
        try:
            yield self.send(request, deadline, is_wanted)
        except api.ApiError as e:
            if e.reason != 'AlreadyExists':
                raise
        else:
            self._log.info('Created %s %s', kind.split('_')[-1], request.name)
