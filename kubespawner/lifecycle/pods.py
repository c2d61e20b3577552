"""Creating and deleting the pod of a server, and deciding whether a pod with its name is this server's.

Also here: what to do if the answer to a request is lost or comes too late. What a pod looks like is in `manifests`.
Everything runs on the IOLoop's thread.
"""
import enum
import time
import uuid

from tornado import gen
from tornado.ioloop import IOLoop

from ..kube import api
from ..messages.errors import Cause, SpawnError
from ..naming.ownership import owner_of
from . import podstatus
from .waiting import TIMEOUTS, PodWaiter, check_wanted

CREATE_TRIES = 4  # attempts to create a pod whose name is taken
STARTS_KEPT = 8  # of one server; their pods may still exist if the answers to their deletion were lost

# The annotation with the id of the call of `start` that created a pod. It shows which pod a lost answer was about.
SPAWN_ID = 'hub.jupyter.org/spawn-id'


def new_spawn_id():
    """Return a new spawn id, a str that no other start has."""
    return uuid.uuid4().hex


class Ownership(enum.Enum):
    """Whose the pod with this server's pod name is."""

    UNKNOWN = 'no state has been loaded: the annotations of a pod say whose it is'
    OURS = 'the pod is this server\'s, whatever its annotations say'
    UNCERTAIN = 'there was no pod, but a start may have created one since: its annotations say whose it is'
    NONE = 'this process knows that there is no pod: the name is the one that the next pod would get'


class KnownPod:
    """What is known of the pod that has a server's pod name.

    ownership (Ownership): whose it is.
    uid (str or None): the uid of the pod that is OURS, if it is known.
    spawn_id (str or None): the spawn id of the last start.
    earlier (iterable of str): the known spawn ids of earlier starts, or the uids of their pods.
    """

    def __init__(self, ownership=Ownership.UNKNOWN, uid=None, spawn_id=None, earlier=()):
        self.ownership, self.uid, self.spawn_id, self._earlier = ownership, uid, spawn_id, tuple(earlier)

    @property
    def starts(self):
        """The last spawn ids of this server, and the uids of its pods: a tuple of at most STARTS_KEPT str."""
        return (self._earlier + tuple(filter(None, [self.spawn_id, self.uid])))[-STARTS_KEPT:]

    def begin_start(self):
        """Choose a new spawn id for the next pod."""
        self._earlier, self.spawn_id = self.starts, new_spawn_id()

    @property
    def is_ours(self):
        """Whether a pod of this name is this server's."""
        return self.ownership is Ownership.OURS

    def own(self, pod):
        """Remember that a pod is this server's."""
        self.ownership, self.uid = Ownership.OURS, uid_of(pod)

    def is_of_last_start(self, pod):
        """Return whether a pod has the spawn id of the last start, which may have been interrupted."""
        return self.spawn_id is not None and _spawn_id_of(pod) == self.spawn_id

    def is_of_another_start(self, pod):
        """Return whether this server had no pod, and this one has a spawn id that this hub does not know.

        Another hub with the same database has created it, as in a rolling update.
        """
        had_none = self.ownership in (Ownership.UNCERTAIN, Ownership.NONE)
        return had_none and _spawn_id_of(pod) not in (None, self.spawn_id)

    def is_starting_elsewhere(self, pod, start_timeout):
        """Return whether another hub has created this pod so recently that it may still wait for it.

        start_timeout (float): the seconds that a start may take.
        """
        return (self.is_of_another_start(pod) and not {_spawn_id_of(pod), uid_of(pod)} & set(self._earlier)
                and _is_young(pod, start_timeout) and podstatus.exit_code(pod) is None
                and not podstatus.failures(pod))

    def is_this(self, pod):
        """Return whether a pod (a dict, or None) is known to be this server's."""
        return pod is not None and self.is_ours and self.uid == uid_of(pod)

    def may_be_this(self, pod):
        """Return whether a pod can be this server's: it is OURS, and its uid is the known one, if there is one."""
        return self.is_ours and self.uid in (None, uid_of(pod))


class Pods:
    """Creates and deletes the pod of one server.

    namespace, name (str): of the pod.
    owner (tuple): the names of the user and of the server, as `owner_of` returns them.
    known (KnownPod): what is known of the pod; kept up to date.
    grace_period (int or None): the seconds that a server has to end; None: the pod's own grace period.
    force_after (float or None): the seconds after which a pod that still exists is deleted by force; None: never.
    may_delete_foreign (callable): returns whether a pod (a dict) that is in the way may be deleted, although its
        annotations name another server.
    other_owner (callable): returns the names of the user and of the server to which the hub knows a pod (a dict) to
        belong, whatever its annotations say; None if it knows of no other.
    start_timeout (float): the seconds for which a pod of another hub is left alone, as it may be starting.
    """

    def __init__(self, requests, reflector, namespace, name, log, owner, known, grace_period=1, force_after=None,
                 may_delete_foreign=lambda pod: False, other_owner=lambda pod: None, start_timeout=0):
        self._requests, self._reflector, self._log = requests, reflector, log
        self._namespace, self._name, self._owner, self._known = namespace, name, owner, known
        self._grace_period, self._force_after = grace_period, force_after
        self._may_delete_foreign, self._other_owner = may_delete_foreign, other_owner
        self._start_timeout = start_timeout
        self._waiter = PodWaiter(requests, reflector, namespace, name, log)

    def mark(self, manifest):
        """Annotate a manifest with the spawn id."""
        spawn_id = self._known.spawn_id or new_spawn_id()
        manifest.metadata.annotations = dict(manifest.metadata.annotations or {}, **{SPAWN_ID: spawn_id})

    def create(self, manifest, deadline, is_wanted):
        """Create the pod and return it, a dict, after the deletion of an old pod of its name. A generator, as `delete`.

        is_wanted (callable): called before and after each attempt. A pod that is not wanted any more is deleted.
        """
        self.mark(manifest)
        for _ in range(CREATE_TRIES):
            check_wanted(is_wanted, self._name)
            before = self._known.ownership
            if before is Ownership.NONE:
                self._known.ownership = Ownership.UNCERTAIN  # until there is an answer
            try:
                pod, is_new = yield from self._created(manifest, deadline, is_wanted)
            except api.ApiError as e:
                if self._known.ownership is Ownership.UNCERTAIN and not _may_have_landed(e):
                    self._known.ownership = before
                raise
            if is_new and is_wanted():
                self._known.own(pod)
                self._reflector.upsert(pod)
                return pod
            if is_new:
                yield self.discard(pod)
            elif pod is not None and is_wanted():  # otherwise it may belong to a later start
                yield self._remove_from_the_way(pod, deadline)
        raise SpawnError('Pod %s could not be created: in each of %d tries there was one of that name already.' % (
            self._name, CREATE_TRIES), 'AlreadyExists', Cause.API)

    @gen.coroutine
    def make_room(self, deadline):
        """Delete a pod that has the name of the next one, and may use objects that the next one needs."""
        pod = yield self._waiter.refresh_pod(deadline)
        if pod is not None:
            yield self._remove_from_the_way(pod, deadline)

    @gen.coroutine
    def _remove_from_the_way(self, pod, deadline):
        if self.is_another_servers(pod) and not self._may_delete_foreign(pod):
            raise self._taken_by(pod)
        self._refuse_a_renamed_servers(pod)
        self._refuse_one_that_starts_elsewhere(pod)
        self._log.warning('Deleting pod %s (uid %s), which is in the way of a new one', self._name, uid_of(pod))
        yield from self.delete(pod, self._grace_period, deadline)

    def _created(self, manifest, deadline, is_wanted):
        """Send the request to create the pod; return the pod that exists then, and whether the request created it.

        The pod is None if another one had its name until just now. Raises SpawnError if there is no answer at the
        deadline.
        """
        creation = self._requests.send(api.create('pod', self._namespace, manifest), deadline, is_wanted)
        try:
            return (yield gen.with_timeout(deadline, creation, quiet_exceptions=api.ApiError)), True
        except TIMEOUTS:
            self._discard_late(creation, manifest)
            raise SpawnError('The start of pod %s was given up: Kubernetes does not answer the request to create it.'
                             % self._name, 'Timeout', Cause.API)
        except api.ApiError as e:
            if not e.was_sent:
                raise
            if e.status and e.reason != 'AlreadyExists':
                self._discard_late(creation, manifest)  # a proxy may have answered, not the API server
                raise
            refused = e
            self._log.info('%s', e)
        try:
            pod = yield self._waiter.refresh_pod(deadline)
        except api.ApiError:
            self._discard_late(creation, manifest)
            raise
        is_new = _is_of(pod, manifest)
        if is_new:
            self._log.info('Pod %s is what was to be created: the answer had been lost', self._name)
        elif not refused.status:  # it did not land
            raise refused
        return pod, is_new

    @gen.coroutine
    def _discard_late(self, creation, manifest):
        """Delete the pod of a request that nobody waits for any more. The request may not be answered yet, or ever."""
        try:
            yield self.discard((yield creation))
            return
        except api.ApiError as e:
            if not _may_have_landed(e):
                return
        try:
            pod = yield self._requests.read('pod', self._namespace, manifest.metadata.name)
        except api.ApiError as e:
            self._log.warning('Whether pod %s was created is not known: %s', manifest.metadata.name, e)
        else:
            if _is_of(pod, manifest):
                yield self.discard(pod)

    def is_a_successor(self, pod):
        """Return whether a pod took the name of this server's pod, which is gone. It is left alone."""
        return is_a_successor(pod, self._known, self._log)

    def is_another_servers(self, pod):
        """Return whether the annotations of a pod of our name name another server. Users may have been renamed."""
        return is_another_servers(pod, self._known, self._owner, self._reflector)

    def _taken_by(self, pod):
        """Return the error of a start whose pod name is taken by this pod; log what to do."""
        username, servername = owner_of(pod)
        owner = 'another hub' if username is None else 'the server %.100r of the user %.100r' % (servername, username)
        self._log.error(
            'Pod %s in the namespace %s, with the uid %s, is in the way of the server %r of the user %r: it says that '
            'it is of %s. If KubeSpawner.pod_name_template gives one name to several servers, change it. If no server '
            'of this hub or of another has this pod, delete it: kubectl delete pod %s -n %s. '
            'KubeSpawner.delete_foreign_pods has the hub delete such pods.', self._name, self._namespace, uid_of(pod),
            self._owner[1], self._owner[0], owner, self._name, self._namespace)
        return SpawnError(
            'Pod %s is in use by %s, so your server cannot start. Tell the operator of this hub: the log of the hub '
            'says what to do.' % (self._name, owner), cause=Cause.CONFIGURATION)

    def _refuse_a_renamed_servers(self, pod):
        """Raise SpawnError if the hub knows that a pod is another server's, whatever its annotations say."""
        renamed = None if self._known.may_be_this(pod) else self._other_owner(pod)
        if renamed is not None:
            raise SpawnError(
                'Pod %s is in use by the server %r of the user %r, which had another name when it was started. This '
                'server can start when that one has stopped.' % (self._name, renamed[1], renamed[0]), 'AlreadyExists',
                Cause.API)

    def _refuse_one_that_starts_elsewhere(self, pod):
        """Raise SpawnError if another hub with the same database is starting this server, as in a rolling update."""
        if not self._known.is_starting_elsewhere(pod, self._start_timeout):
            return
        self._log.error(
            'Pod %s in the namespace %s, with the uid %s, was made for this server by another hub a moment ago, and is '
            'left alone. Two hubs must not use one database: end one of them. If there is no other hub, delete the '
            'pod: kubectl delete pod %s -n %s', self._name, self._namespace, uid_of(pod), self._name, self._namespace)
        raise SpawnError(
            'Your server is being started by another process of this hub, in pod %s. Wait a minute, then reload this '
            'page.' % self._name, 'AlreadyExists', Cause.API)

    @gen.coroutine
    def discard(self, pod):
        """Delete a pod without waiting until it is gone. If that fails, the next start deletes it."""
        try:
            where = pod['metadata']  # the name of the server's next pod may be another one by now
            yield self._requests.send(api.delete('pod', where['namespace'], where['name'], uid_of(pod), 0))
        except api.ApiError as e:
            if e.status == 404:
                self._reflector.forget(pod)
            else:
                self._log.warning('%s', e)

    def delete(self, pod, grace_period_seconds, deadline):
        """Delete exactly this pod, never one that took its name since, and wait until it is gone.

        If it still exists after `force_after` seconds, delete it by force. This is a generator of futures.
        """
        after = float('inf') if self._force_after is None else self._force_after
        forced = IOLoop.current().time() + after
        if forced < deadline:
            try:
                yield from self._delete_and_wait(pod, grace_period_seconds, forced)
                return
            except SpawnError as e:
                self._log.warning('%s Deleting it by force.', e)
                grace_period_seconds = 0
        yield from self._delete_and_wait(pod, grace_period_seconds, deadline)

    def _delete_and_wait(self, pod, grace_period_seconds, deadline):
        uid = uid_of(pod)
        try:
            request = api.delete('pod', self._namespace, self._name, uid, grace_period_seconds)
            yield self._requests.send(request, deadline)
        except api.ApiError as e:
            if e.status == 409 and uid_of((yield self._waiter.refresh_pod(deadline))) == uid:  # it is still this pod
                raise
            if e.status not in (404, 409):
                raise
            self._reflector.forget(pod)
            return
        if self._reflector.selects(pod):
            yield from self._waiter.wait_for_pod(lambda cached: uid_of(cached) != uid, deadline, 'to be gone')
        else:  # it was created by somebody else, and the cache does not have it
            yield from self._waiter.wait_for_unwatched_pod(lambda read: uid_of(read) != uid, deadline, 'to be gone')


def is_a_successor(pod, known, log):
    """Return whether a pod took the name of a server's pod, which is gone. known (KnownPod): that one."""
    is_one = known.is_ours and not known.may_be_this(pod)
    if is_one:
        name = pod['metadata']['name']
        log.warning('Pod %s with the uid %s is gone; the pod that has its name now, with the uid %s, is left alone.',
                    name, known.uid, uid_of(pod))
    return is_one


def is_another_servers(pod, known, owner, reflector):
    """Return whether the annotations of a pod name another server than `owner`. Users may have been renamed.

    known (KnownPod): what is known of the pod of this name. owner (tuple): the names of the user and of the server.
    reflector: selects the pods of this hub.
    """
    if known.may_be_this(pod):
        return False
    labels, (username, servername) = pod['metadata'].get('labels') or {}, owner_of(pod)
    is_another_hubs = labels.get('heritage') == 'jupyterhub' and not reflector.selects(pod)
    return is_another_hubs or username is not None and (username, servername) != owner


def uid_of(pod):
    """Return the uid of a pod (a dict); None if there is no pod."""
    return pod['metadata']['uid'] if pod else None


def _is_young(pod, seconds):
    """Return whether a pod was created less than so many seconds ago. The clocks may differ."""
    created = podstatus.created_at(pod)
    return created is not None and time.time() - created < seconds


def _may_have_landed(refused):
    """Return whether an object may exist although its creation has failed. refused (ApiError)."""
    return refused.was_sent and (not refused.status or refused.status >= 500 or refused.reason == 'AlreadyExists')


def _is_of(pod, manifest):
    """Return whether a pod (a dict, or None) was created from this manifest."""
    return pod is not None and _spawn_id_of(pod) == manifest.metadata.annotations[SPAWN_ID]


def _spawn_id_of(pod):
    """Return the spawn id of a pod (a dict), or None."""
    return (pod['metadata'].get('annotations') or {}).get(SPAWN_ID)
