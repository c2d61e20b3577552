"""Creating the companions of a pod, its Secret and its Service, and replacing those of an earlier pod.

The pod is the owner of its companions, so that Kubernetes deletes them a while after it. A new pod may find those of
the last one, and must not start with them. Who owns a companion and when it may be replaced belongs here; what it looks
like is in `parts.related`. Everything runs on the IOLoop's thread.
"""
import re
from contextlib import contextmanager

from tornado import gen

from ..kube import api
from ..messages.errors import Cause, SpawnError
from ..naming.ownership import owner_of
from .waiting import TIMEOUTS, check_wanted, wait_until_gone

CREATE_TRIES = 4  # attempts to create a companion whose name is taken

VERBS = 'get', 'create', 'delete'  # the rights that the hub needs for each kind

# In the message of Kubernetes for a missing right. A quota or a webhook may forbid a request, too.
_LACKS_RIGHT = re.compile(r'\bcannot (get|create|delete) ')

# The setting that names the companions of each kind.
NAMED_BY = {'secret': 'secret_name_template', 'service': 'pod_name_template'}


class Companions:
    """Creates and replaces the companions of one server's pod.

    namespace, pod_name (str): of the pod.
    owner (tuple): the names of the user and of the server, as `owner_of` returns them.

    A kind is `secret` or `service`. All methods raise SpawnError and ApiError.
    """

    def __init__(self, requests, namespace, pod_name, owner, log):
        self._requests, self._namespace, self._pod_name = requests, namespace, pod_name
        self._owner, self._log = owner, log

    @gen.coroutine
    def make_room(self, kind, name, deadline, is_wanted=lambda: True):
        """Delete the companion of an earlier pod, before a new pod could use it. The earlier pod must be gone."""
        with _naming_missing_right(kind):
            found = yield self._requests.read(kind, self._namespace, name, deadline)
            if found is not None:
                yield self._replace(kind, found, deadline, is_wanted)

    @gen.coroutine
    def create(self, kind, manifest, uid, deadline, is_wanted=lambda: True):
        """Create a companion of an existing pod; replace the one of an earlier pod.

        manifest (dict): with the pod as its owner. uid (str): of the pod.
        is_wanted (callable): called before each attempt.
        """
        name = manifest['metadata']['name']
        with _naming_missing_right(kind):
            for _ in range(CREATE_TRIES):
                check_wanted(is_wanted, self._pod_name)
                if (yield self._created(kind, manifest, deadline, is_wanted)):
                    return
                found = yield self._requests.read(kind, self._namespace, name, deadline)
                if found is not None and _owning_pod(found).get('uid') == uid:
                    return  # the answer had been lost
                if found is not None:
                    yield self._replace(kind, found, deadline, is_wanted)
        raise SpawnError('The %s %s could not be created: in each of %d tries there was one of that name already.' % (
            kind, name, CREATE_TRIES), 'AlreadyExists', Cause.API)

    @gen.coroutine
    def _created(self, kind, manifest, deadline, is_wanted):
        """Send the request to create a companion; return False if its name is taken.

        If it is created after the deadline, Kubernetes deletes it with the pod of the failed start.
        """
        creation = self._requests.create(kind, self._namespace, manifest, deadline, is_wanted)
        try:
            return (yield gen.with_timeout(deadline, creation, quiet_exceptions=api.ApiError))
        except TIMEOUTS:
            raise SpawnError('The start of pod %s was given up: Kubernetes does not answer the request to create its '
                             '%s.' % (self._pod_name, kind), 'Timeout', Cause.API)

    @gen.coroutine
    def _replace(self, kind, found, deadline, is_wanted):
        """Delete a companion that no pod needs any more, and wait until it is gone."""
        if not (yield self._is_left(found, deadline)):
            raise self._taken(kind, found)
        name, uid = found['metadata']['name'], found['metadata']['uid']
        self._log.info('Deleting %s %s (uid %s), which an earlier pod has left', kind, name, uid)
        try:
            yield self._requests.send(api.delete(kind, self._namespace, name, uid), deadline)
        except api.ApiError as e:
            if e.status not in (404, 409):  # it is gone, or another one has its name
                raise
        yield wait_until_gone(
            lambda: self._requests.read(kind, self._namespace, name, deadline),
            lambda seen: seen['metadata']['uid'] == uid, 'the %s %s of an earlier pod' % (kind, name), Cause.API,
            deadline, lambda: check_wanted(is_wanted, self._pod_name))

    @gen.coroutine
    def _is_left(self, found, deadline):
        """Return whether the pod of a companion is gone, or it has no owner but the annotations of this server."""
        pod = _owning_pod(found)
        if not pod:
            return owner_of(found) == self._owner and not found['metadata'].get('ownerReferences')
        living = yield self._requests.read('pod', self._namespace, pod.get('name'), deadline)
        return living is None or living['metadata']['uid'] != pod.get('uid')

    def _taken(self, kind, found):
        """Return the error of a start whose companion is used by another server; log what the operator can do."""
        name, pod = found['metadata']['name'], _owning_pod(found).get('name')
        self._log.error(
            'The %s %s in the namespace %s is in the way of pod %s: it belongs to %s. If KubeSpawner.%s gives one name '
            'to several servers, change it. If nobody needs the %s, delete it: kubectl delete %s %s -n %s', kind, name,
            self._namespace, self._pod_name, 'pod %s, which exists' % pod if pod else 'no pod', NAMED_BY[kind], kind,
            kind, name, self._namespace)
        return SpawnError(
            'The %s %s is in use by %s, so your server cannot start. Tell the operator of this hub: the log of the hub '
            'says what to do.' % (kind, name, 'pod %s' % pod if pod else 'something else'), cause=Cause.CONFIGURATION)


@contextmanager
def _naming_missing_right(kind):
    """Turn the error of a missing right into a SpawnError that says what the role needs for companions of a kind."""
    try:
        yield
    except api.ApiError as e:
        if e.status != 403 or not _LACKS_RIGHT.search(e.message):
            raise
        raise _missing_right(kind, e)


def _missing_right(kind, e):
    verb, resource = e.request.rbac_verb, e.request.kind + 's'
    verbs = VERBS if e.request.kind == kind else [verb]  # it may be about the pod that has one
    return SpawnError(
        'The hub does not have the right to %s %s.' % (verb, resource), e.reason, Cause.API,
        'Add this line to the rules of its role: - {apiGroups: [""], resources: [%s], verbs: [%s]} %s' % (
            resource, ', '.join(verbs), e), e.message)


def _owning_pod(found):
    """Return the reference to the pod that a companion (a dict) belongs to; {} if there is none."""
    references = found['metadata'].get('ownerReferences') or []
    return next((reference for reference in references if reference.get('kind') == 'Pod'), {})
