"""Requests of a spawner to the API server: sent on the executor that all spawners share, within the configured limits.

Here belongs how the verbs call `api`; what they ask for does not. Runs on the IOLoop's thread.
"""
from tornado import gen
from tornado.concurrent import run_on_executor
from traitlets import Any, default

from . import api, clients
from .configuration import Configuration


class Calls(Configuration):
    """The part of KubeSpawner that makes requests."""

    executor = None  # shared by all spawners, made by the first

    api = Any(help="""The CoreV1Api of the `kubernetes` client that all spawners share.""")

    @default('api')
    def _api_default(self):
        return clients.shared_client('CoreV1Api')

    @run_on_executor
    def asynchronize(self, method, *args, **kwargs):
        """Call a blocking function on an executor thread; return a future of what it returns."""
        return method(*args, **kwargs)

    def _call(self, request, *until):
        """Return a future of the answer to a request made by the functions of `api`.

        until: the deadline, and whether it is still wanted, see `api.call`.
        """
        return api.call(self.asynchronize, self.api, request, self.log, self.k8s_api_request_timeout,
                        self.k8s_api_request_retry_timeout, *until)

    @gen.coroutine
    def _read(self, kind, namespace, name, deadline=None):
        """Return an object as the API has it now, None if it has none of that name."""
        try:
            return (yield self._call(api.read(kind, namespace, name), deadline))
        except api.ApiError as e:
            if e.status != 404:
                raise
            return None

    @gen.coroutine
    def _create(self, kind, namespace, manifest, *until):
        """Create an object. That somebody did so just now is fine."""
        request = api.create(kind, namespace, manifest)
        try:
            yield self._call(request, *until)
        except api.ApiError as e:
            if e.reason != 'AlreadyExists':
                raise
        else:
            self.log.info('Created %s %s', kind.split('_')[-1], request.name)
