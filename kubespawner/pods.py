"""Pods: making the one of a start, and deleting one: what is in its way, what is left of it, what is to end.

Here belongs what becomes of a request whose answer is lost or comes too late, and whose pod it is that has a name; what
a pod looks like is in `manifests`. Everything runs on the IOLoop's thread, and reads hub state.
"""
import enum
import uuid

from tornado import gen
from tornado.ioloop import IOLoop

from . import api
from .configuration import Configuration
from .errors import SpawnError
from .manifests import owner_of
from .waiting import TIMEOUTS, check_wanted

CREATE_TRIES = 4  # of a pod whose name is taken

# Says which call of `start` made a pod: whether one that is there already is what a lost answer was about.
SPAWN_ID = 'hub.jupyter.org/spawn-id'


class Ownership(enum.Enum):
    """What is known of the pod that has this server's pod name."""

    UNKNOWN = 'no state has been loaded: a pod says itself whose it is'
    OURS = 'the pod is this server\'s, whatever it says itself'
    UNCERTAIN = 'there was none, but a start may have made one since: a pod says itself whose it is'
    NONE = 'this process knows that there is none: the name is only what the next pod would be called'


class Pods(Configuration):
    """The part of KubeSpawner that makes and deletes pods."""

    _ownership = Ownership.UNKNOWN
    _pod_uid = None  # of the pod that is OURS; None if that is not known either

    @property
    def _has_pod(self):
        """True if a pod of this name is this server's."""
        return self._ownership is Ownership.OURS

    def _own(self, pod):
        """Remember that a pod is this server's."""
        self._ownership, self._pod_uid = Ownership.OURS, uid_of(pod)

    def _is_our_pod(self, pod):
        """True if a pod (None: there is none) is known to be the one that this server was started with."""
        return pod is not None and self._has_pod and self._pod_uid == uid_of(pod)

    @gen.coroutine
    def _create_pod(self, manifest, deadline, is_wanted):
        """Create the pod and return it; an old one of that name is deleted first.

        is_wanted (callable): asked before and after each try. A pod that is no longer wanted by then is deleted.
        """
        manifest.metadata.annotations = dict(manifest.metadata.annotations or {}, **{SPAWN_ID: uuid.uuid4().hex})
        for _ in range(CREATE_TRIES):
            check_wanted(is_wanted, self.pod_name)
            before = self._ownership
            if before is Ownership.NONE:
                self._ownership = Ownership.UNCERTAIN  # until there is an answer
            try:
                pod, is_new = yield self._created(manifest, deadline, is_wanted)
            except api.ApiError as e:
                if self._ownership is Ownership.UNCERTAIN and not _may_have_landed(e):
                    self._ownership = before
                raise
            if is_new and is_wanted():
                self._own(pod)
                self.pod_reflector.upsert(pod)
                return pod
            if is_new:
                yield self._discard(pod)
            elif pod is not None and is_wanted():  # otherwise it may be that of a start since
                self._refuse_another_servers(pod)
                self.log.warning('Deleting pod %s (uid %s), which is in the way of a new one',
                                 self.pod_name, uid_of(pod))
                yield self._delete_pod(pod, self.delete_grace_period, deadline)
        raise SpawnError('Pod %s could not be created: in each of %d tries there was one of that name already.' % (
            self.pod_name, CREATE_TRIES))

    @gen.coroutine
    def _created(self, manifest, deadline, is_wanted):
        """Send the request to create the pod; return the pod that there is then, and whether the request made it.

        Another pod may have its name, or have had it until now: None. Raises SpawnError if there is no answer at the
        deadline.
        """
        creation = self._requests.send(api.create('pod', self.namespace, manifest), deadline, is_wanted)
        try:
            return (yield gen.with_timeout(deadline, creation, quiet_exceptions=api.ApiError)), True
        except TIMEOUTS:
            self._discard_late(creation, manifest)
            raise SpawnError('The start of pod %s was given up: Kubernetes does not answer the request to create it.'
                             % self.pod_name)
        except api.ApiError as e:
            if not e.was_sent:
                raise
            if e.status and e.reason != 'AlreadyExists':
                self._discard_late(creation, manifest)  # it may have been an answer in the server's place
                raise
            refused = e
            self.log.info('%s', e)
        try:
            pod = yield self._waiter.refresh_pod(deadline)
        except api.ApiError:
            self._discard_late(creation, manifest)
            raise
        is_new = _is_of(pod, manifest)
        if is_new:
            self.log.info('Pod %s is what was to be created: the answer had been lost', self.pod_name)
        elif not refused.status:  # it did not land
            raise refused
        return pod, is_new

    @gen.coroutine
    def _discard_late(self, creation, manifest):
        """Have the pod deleted that a request makes, or has made, for which nobody waits. Its answer may be lost."""
        try:
            yield self._discard((yield creation))
            return
        except api.ApiError as e:
            if not _may_have_landed(e):
                return
        try:
            pod = yield self._requests.read('pod', self.namespace, manifest.metadata.name)
        except api.ApiError as e:
            self.log.warning('Whether pod %s was created is not known: %s', manifest.metadata.name, e)
        else:
            if _is_of(pod, manifest):
                yield self._discard(pod)

    def _is_a_successor(self, pod):
        """True if this server's pod is gone, and this one took its name: it is not followed, and left alone."""
        is_one = self._has_pod and self._pod_uid not in (None, uid_of(pod))
        if is_one:
            self.log.warning('Pod %s with the uid %s is gone; the pod that has its name now, with the uid %s, is left '
                             'alone.', self.pod_name, self._pod_uid, uid_of(pod))
        return is_one

    def _is_another_servers(self, pod):
        """True if a pod of our name says that it is of another user or server. Users may have been renamed since."""
        if self._has_pod and self._pod_uid in (None, uid_of(pod)):
            return False
        labels, (username, servername) = pod['metadata'].get('labels') or {}, owner_of(pod)
        is_another_hubs = labels.get('heritage') == 'jupyterhub' and not self.pod_reflector.selects(pod)
        return is_another_hubs or username is not None and (username, servername) != (self.user.name, self.name)

    def _refuse_another_servers(self, pod):
        if self._is_another_servers(pod):
            username, servername = owner_of(pod)
            owner = 'another hub' if username is None else 'the server %r of the user %r, perhaps of another hub' % (
                servername, username)
            raise SpawnError('Pod %s is in use by %s. KubeSpawner.pod_name_template gives one name to several servers.'
                             % (self.pod_name, owner))

    @gen.coroutine
    def _discard(self, pod):
        """Have a pod deleted that nobody waits for. If that fails, the next start deletes it."""
        try:
            where = pod['metadata']  # the server's next pod may be called differently by now
            yield self._requests.send(api.delete('pod', where['namespace'], where['name'], uid_of(pod), 0))
        except api.ApiError as e:
            if e.status == 404:
                self.pod_reflector.forget(pod)
            else:
                self.log.warning('%s', e)

    @gen.coroutine
    def _delete_pod(self, pod, grace_period_seconds, deadline):
        """Delete exactly this pod, never one that took its name since; return when it is gone.

        By force if it is still there after `force_delete_after` seconds.
        """
        after = float('inf') if self.force_delete_after is None else self.force_delete_after
        forced = IOLoop.current().time() + after
        if forced < deadline:
            try:
                yield self._delete_and_wait(pod, grace_period_seconds, forced)
                return
            except SpawnError as e:
                self.log.warning('%s Deleting it by force.', e)
                grace_period_seconds = 0
        yield self._delete_and_wait(pod, grace_period_seconds, deadline)

    @gen.coroutine
    def _delete_and_wait(self, pod, grace_period_seconds, deadline):
        uid = uid_of(pod)
        try:
            request = api.delete('pod', self.namespace, self.pod_name, uid, grace_period_seconds)
            yield self._requests.send(request, deadline)
        except api.ApiError as e:
            if e.status == 409 and uid_of((yield self._waiter.refresh_pod(deadline))) == uid:  # no other has its name
                raise
            if e.status not in (404, 409):
                raise
            self.pod_reflector.forget(pod)
            return
        if self.pod_reflector.selects(pod):
            yield self._waiter.wait_for_pod(lambda cached: uid_of(cached) != uid, deadline, 'to be gone')
        else:  # made by somebody else: the cache knows nothing of it
            yield self._waiter.wait_for_unwatched_pod(lambda read: uid_of(read) != uid, deadline, 'to be gone')


def uid_of(pod):
    """Return the uid of a pod as a dict; None of no pod."""
    return pod['metadata']['uid'] if pod else None


def _may_have_landed(refused):
    """True if an object that could not be created may be there, made by one of the tries."""
    return refused.was_sent and (not refused.status or refused.status >= 500 or refused.reason == 'AlreadyExists')


def _is_of(pod, manifest):
    """True if a pod as a dict, or None, was made of just this manifest of one start."""
    annotations = pod and pod['metadata'].get('annotations') or {}
    return annotations.get(SPAWN_ID) == manifest.metadata.annotations[SPAWN_ID]
