"""Single requests of a start or a stop, as subclasses make them: each says whether it is done.

Here belongs what an answer means to who asks for one object at a time. What there is to be asked for is not known.
Runs on the IOLoop's thread.
"""
from kubernetes.client import V1DeleteOptions
from tornado import gen
from tornado.ioloop import IOLoop

from ..kube import api
from ..kube.clients import to_dict

CLAIM = 'persistent_volume_claim'


class Steps:
    """Sends single requests about objects of one namespace. A kind is as `api.MODELS` has it.

    Each returns True when it is done, and False if Kubernetes has not answered in time: then it may be asked again.
    Raises ApiError.
    """

    def __init__(self, requests, namespace, log):
        self._requests, self._namespace, self._log = requests, namespace, log

    @gen.coroutine
    def create(self, kind, manifest, seconds):
        """Create an object; that it is there already is fine, also if a quota refuses another claim."""
        request = api.create(kind, self._namespace, manifest)
        try:
            yield self._requests.send(request, IOLoop.current().time() + seconds)
        except api.ApiError as e:
            if not e.status:
                return False
            is_there = e.reason == 'AlreadyExists' or e.status == 403 and kind == CLAIM and (
                yield self.exists(kind, self._namespace, request.name))
            if not is_there:
                raise
        return True

    @gen.coroutine
    def delete(self, kind, name, seconds, options=None, grace_seconds=None):
        """Delete an object; that it is gone already is fine.

        options (V1DeleteOptions, a dict, or None): of the request. grace_seconds (int or None): replaces what they say.
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
        """Have an object deleted; return whether it is gone."""
        yield self.delete(kind, name, seconds)
        return not (yield self.exists(kind, self._namespace, name))

    @gen.coroutine
    def exists(self, kind, namespace, name):
        """Return whether there is an object of that name."""
        return (yield self._requests.read(kind, namespace, name)) is not None


def _options(fields):
    """Return V1DeleteOptions with these fields, by their names in the API."""
    attributes = {key: attribute for attribute, key in V1DeleteOptions.attribute_map.items()}
    return V1DeleteOptions(**{attributes[key]: value for key, value in fields.items() if key in attributes})
