"""Single requests of a start or a stop, for subclasses that send them one by one.

What an answer means to them belongs here, but not which objects there are. Everything runs on the IOLoop's thread.
"""
from kubernetes.client import V1DeleteOptions
from tornado import gen
from tornado.ioloop import IOLoop

from ..kube import api
from ..kube.clients import to_dict


class Steps:
    """Sends single requests about objects of one namespace. The kinds are those of `api.MODELS`.

    Each method returns True when the request has succeeded, and False if there was no answer in time, so that the
    caller can try again. Raises ApiError.
    """

    def __init__(self, requests, namespace, log):
        self._requests, self._namespace, self._log = requests, namespace, log

    @gen.coroutine
    def create(self, kind, manifest, seconds):
        """Create an object. If it exists, that is no error, not even if a quota refuses the request."""
        request = api.create(kind, self._namespace, manifest)
        try:
            yield self._requests.send(request, IOLoop.current().time() + seconds)
        except api.ApiError as e:
            if not e.status:
                return False
            is_there = e.reason == 'AlreadyExists' or e.status == 403 and kind == api.PVC and (
                yield self.exists(kind, self._namespace, request.name))
            if not is_there:
                raise
        return True

    @gen.coroutine
    def delete(self, kind, name, seconds, options=None, grace_seconds=None):
        """Delete an object. If it does not exist, that is no error.

        options (V1DeleteOptions, dict or None): of the request. grace_seconds (int or None): replaces theirs.
        """
        fields = to_dict(options) or {}
        if grace_seconds is not None:
            fields['gracePeriodSeconds'] = grace_seconds
        request = api.delete(kind, self._namespace, name)
        request.arguments['body'] = _options(fields)
        try:
            yield self._requests.send(request, IOLoop.current().time() + seconds)
        except api.ApiError as e:
            if not e.status:
                return False
            if e.status != 404:
                raise
        return True

    @gen.coroutine
    def ensure_absent(self, kind, name, seconds):
        """Request the deletion of an object; return whether it is gone."""
        yield self.delete(kind, name, seconds)
        return not (yield self.exists(kind, self._namespace, name))

    @gen.coroutine
    def exists(self, kind, namespace, name):
        """Return whether the object exists."""
        return (yield self._requests.read(kind, namespace, name)) is not None


def _options(fields):
    """Return V1DeleteOptions. fields (dict): by their names in the API."""
    attributes = {key: attribute for attribute, key in V1DeleteOptions.attribute_map.items()}
    return V1DeleteOptions(**{attributes[key]: value for key, value in fields.items() if key in attributes})
