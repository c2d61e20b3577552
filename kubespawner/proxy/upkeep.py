"""Makes, changes and removes the objects of routes. What they look like is in `routes`. Runs on the loop's thread.

An object that is known to be as wanted costs no request. Whatever a request returns goes into the cache, so that the
cache has what was done as soon as it was done. If a request meets another state than the cache has, the object is read
and looked at again.
"""
from tornado import gen
from tornado.ioloop import IOLoop
from tornado.locks import Semaphore

from ..kube import api
from ..lifecycle.waiting import is_listed
from . import routes
from .errors import RouteError

ATTEMPTS = 5  # at one object, which others may change at the same time
FINALIZER_PAUSE = 1  # seconds without news of an object that is being deleted, after which it is read

LOOK_AGAIN = frozenset([404, 409, 422])  # of a patch: the object is gone, or another one has its name


class Upkeep:
    """Keeps the objects of all routes.

    requests (Requests): to an ObjectsApi that has the three kinds.
    caches (dict): the reflectors, by kind: `ingress`, `service`, `endpoints`.
    turn (Semaphore): what callers of `ensure` hold. It is released while an object waits for its finalizers.
    """

    def __init__(self, requests, caches, namespace, log, turn=None):
        self._requests, self._caches, self._namespace, self._log = requests, caches, namespace, log
        self._turn = turn or Semaphore()

    @gen.coroutine
    def ensure(self, kind, wanted, deadline):
        """Create an object, or change it to be what is wanted. Then the cache has it.

        wanted (dict): the object. deadline (float): the loop's time until which to try.

        Raises ApiError, and RouteError for an object of somebody else's.
        """
        name, cache = wanted['metadata']['name'], self._caches[kind]
        existing = yield self._known(kind, name, deadline)
        for _ in range(ATTEMPTS):
            if existing is None:
                made = yield self._create(kind, wanted, deadline)
            else:
                self._check(kind, existing, wanted)
                if routes.is_terminating(existing):
                    existing = yield self._gone(kind, existing, wanted, deadline)
                    continue
                made = yield self._change(kind, existing, wanted, deadline)
            if made is not None:
                cache.upsert(made)
                return
            existing = yield self._requests.read(kind, self._namespace, name, deadline)
        raise RouteError(_routespec(wanted), '%s keeps changing; something else writes it as well.' % (
            self._called(kind, name)))

    @gen.coroutine
    def create_if_missing(self, kind, wanted, deadline):
        """Create an object, unless there is one of its name. Raises ApiError."""
        made = yield self._create(kind, wanted, deadline)
        if made is not None:
            self._caches[kind].upsert(made)

    @gen.coroutine
    def remove(self, kind, name, routespec, deadline):
        """Delete the object of a route, if the route has one of this kind. Then the cache does not have it.

        An object that waits for its finalizers stays in the cache. Raises ApiError.
        """
        existing = yield self._known(kind, name, deadline)
        for _ in range(ATTEMPTS):
            if existing is None or routes.routespec_of(existing) != routespec or routes.is_terminating(existing):
                return
            try:
                yield self._delete(kind, existing, deadline)
                return
            except api.ApiError as e:
                if e.status != 409:  # another object has this name by now
                    raise
            existing = yield self._requests.read(kind, self._namespace, name, deadline)

    @gen.coroutine
    def _known(self, kind, name, deadline):
        """Return an object from the cache; from the API if the cache cannot be relied on. None if there is none."""
        cache = self._caches[kind]
        if not cache.was_listed:
            yield is_listed(cache, max(0, deadline - IOLoop.current().time()) / 2)
        if cache.was_listed and not (cache.is_stale or cache.failed):
            return cache.get(name)
        return (yield self._requests.read(kind, self._namespace, name, deadline))

    @gen.coroutine
    def _create(self, kind, wanted, deadline):
        """Return the new object; None if there is one by now: an earlier attempt may have made it."""
        try:
            made = yield self._requests.send(api.create(kind, self._namespace, wanted), deadline)
        except api.ApiError as e:
            if e.reason != 'AlreadyExists':
                raise
            return None
        self._log.info('Created %s', self._called(kind, wanted['metadata']['name']))
        return made

    @gen.coroutine
    def _change(self, kind, existing, wanted, deadline):
        """Return the object as it is afterwards; None if it is not what it was taken for."""
        patch = routes.changes(kind, existing, wanted)
        if not patch:
            return existing
        name = wanted['metadata']['name']
        try:
            made = yield self._requests.send(api.patch(kind, self._namespace, name, patch), deadline)
        except api.ApiError as e:
            if e.status not in LOOK_AGAIN:
                raise
            now = yield self._requests.read(kind, self._namespace, name, deadline)
            if e.status == 422 and now is not None and now['metadata']['uid'] == existing['metadata']['uid']:
                raise  # what is wanted is not valid
            return None
        self._log.info('Changed %s: %s', self._called(kind, name), ', '.join(each['path'] for each in patch[1:]))
        return made

    @gen.coroutine
    def _delete(self, kind, existing, deadline):
        name, uid = existing['metadata']['name'], existing['metadata']['uid']
        try:
            answer = yield self._requests.send(api.delete(kind, self._namespace, name, uid), deadline)
        except api.ApiError as e:
            if e.status != 404:
                raise
            answer = {}
        metadata = answer.get('metadata') or {}
        if metadata.get('uid') == uid and metadata.get('finalizers'):
            self._caches[kind].upsert(answer)
        else:
            self._caches[kind].forget(existing)
        self._log.info('Deleted %s', self._called(kind, name))

    @gen.coroutine
    def _gone(self, kind, existing, wanted, deadline):
        """Wait until an object that is being deleted is gone. Return what has its name then; None if nothing has.

        Raises RouteError at the deadline.
        """
        metadata, loop = existing['metadata'], IOLoop.current()
        while loop.time() < deadline:
            self._turn.release()  # other routes must not wait for this one's controller
            try:
                yield self._caches[kind].changed(metadata['name'], FINALIZER_PAUSE)
            finally:
                yield self._turn.acquire()
            now = yield self._requests.read(kind, self._namespace, metadata['name'], deadline)
            if now is None or now['metadata']['uid'] != metadata['uid']:
                self._caches[kind].forget(existing)
                return now
        raise RouteError(_routespec(wanted), '%s has been in deletion since %s. It waits for its finalizers: %s.' % (
            self._called(kind, metadata['name']), metadata['deletionTimestamp'],
            ', '.join(metadata.get('finalizers') or ()) or 'none'))

    def _check(self, kind, existing, wanted):
        """Raise RouteError for an object that is not of this route of this hub."""
        reason = routes.why_foreign(existing, wanted)
        if reason:
            name = existing['metadata']['name']
            raise RouteError(_routespec(wanted), '%s is in the way: %s. If nobody needs it, delete it: kubectl -n %s '
                             'delete %s %s' % (self._called(kind, name), reason, self._namespace, kind, name))

    def _called(self, kind, name):
        return '%s %s in namespace %s' % (kind, name, self._namespace)


def _routespec(wanted):
    return routes.annotations_of(wanted)[routes.ROUTESPEC]


