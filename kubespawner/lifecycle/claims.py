"""Finding and deleting the claim of a server, whatever its name is.

What a new claim looks like is in `manifests`. Everything runs on the IOLoop's thread.
"""
import re

from tornado import gen

from .. import naming
from ..kube import api
from ..messages.errors import Cause, SpawnError
from ..naming.ownership import PROFILE, USERNAME, is_of_another_hub, owner_of
from .waiting import wait_until_gone

# The value of the labels `component` and `app.kubernetes.io/component` of all claims
STORAGE_COMPONENT = 'singleuser-storage'
COMPONENT_LABELS = 'component', 'app.kubernetes.io/component'


class Claims:
    """Finds and deletes the claim of one server.

    namespace, name (str): of the claim, unless it was created under another name.
    owner (tuple): the names of the user and of the server, as `owner_of` returns them.
    labels (callable or None): returns the labels of a new claim of this server, to find claims with other names. None:
        only look for the claim of this name.
    profile (str or None): the profile that has a claim of its own; None for the claim of all other profiles.
    is_taken (callable): returns whether a claim (a dict) belongs to another server, whatever its name and annotations.

    is_name_taken (bool): whether the claim of this name belonged to another server when it was last read.
    """

    def __init__(self, requests, namespace, name, log, owner, labels=None, profile=None,
                 is_taken=lambda claim: False):
        self._is_taken, self.is_name_taken = is_taken, False
        self._requests, self._namespace, self._name, self._log = requests, namespace, name, log
        self._owner, self._labels, self._profile = owner, labels, profile

    @gen.coroutine
    def find(self, deadline=None):
        """Return this server's claim, or None: the claim of its name, or one whose annotations name this server.

        A claim that is being deleted does not count. Raises SpawnError if the hub may not list claims: with a new
        claim, the user would not find their files.
        """
        claim = yield self._read(deadline)
        if claim is not None and not _is_being_deleted(claim):
            return claim
        return (yield self._find_of_another_name(deadline))

    @gen.coroutine
    def _read(self, deadline):
        """Return the claim of this name; None if there is none, or if it belongs to another server."""
        claim = yield self._requests.read(api.PVC, self._namespace, self._name, deadline)
        self.is_name_taken = claim is not None and self._is_taken(claim)
        return None if self.is_name_taken else claim

    @gen.coroutine
    def find_or_make_room(self, deadline, check_wanted, make_room):
        """Return this server's claim, or None if it has none, and a new one can be created.

        If the claim of this name is being deleted, wait until it is gone. Raises SpawnError at the deadline.

        check_wanted (callable): raises an error if the claim is not needed any more.
        make_room (callable): `make_room(deadline)`, a coroutine, deletes the pod that may use the claim. Kubernetes
            keeps a claim as long as a pod uses it.
        """
        claim = yield self._read(deadline)
        if claim is not None and not _is_being_deleted(claim):
            return claim
        found = yield self._find_of_another_name(deadline)
        if found is not None or claim is None:
            return found
        self._log.warning('Claim %s is being deleted: waiting until it is gone', self._name)
        yield make_room(deadline)
        return (yield wait_until_gone(
            lambda: self._requests.read(api.PVC, self._namespace, self._name, deadline), _is_being_deleted,
            'claim %s' % self._name, Cause.STORAGE, deadline, check_wanted))

    @gen.coroutine
    def _find_of_another_name(self, deadline):
        """Return the newest claim whose annotations name this server, or None."""
        if self._labels is None:
            return None
        labels = self._labels()
        for selector in selectors(labels, self._owner[0]):
            try:
                claims = yield self._requests.send(api.find(api.PVC, self._namespace, selector), deadline)
            except api.ApiError as e:
                if e.status != 403:
                    raise
                raise SpawnError(
                    'Whether there is a claim of another name already is not known. The hub needs the right to list '
                    'persistentvolumeclaims, or KubeSpawner.remember_pvc_name has to be False.',
                    e.reason, Cause.API, str(e), e.message)
            ours = [claim for claim in claims.get('items') or [] if self._is_ours(claim)
                    and not self._is_made_by_others(claim, labels) and not self._is_taken(claim)]
            if ours:
                found = max(ours, key=lambda claim: claim['metadata']['creationTimestamp'])  # was used last
                self._log.warning('Claim %s does not exist. Taking %s, which is the same server\'s by its annotations',
                                  self._name, found['metadata']['name'])
                return found
        return None

    def _is_ours(self, claim):
        """Return whether the annotations of a claim (a dict) name this user and server, and it is not being deleted."""
        profile = (claim['metadata'].get('annotations') or {}).get(PROFILE)
        return (owner_of(claim), profile) == (self._owner, self._profile) and not _is_being_deleted(claim)

    def _is_made_by_others(self, claim, labels):
        """Return whether a claim whose annotations name this server was not created by a hub; warn if so.

        labels (dict): of a new claim of this server.
        """
        why = why_not_made_by_hub(claim, labels)
        if why:
            self._log.warning(
                'Claim %s is not taken, though its annotations name the server %r of the user %r: %s. If it is '
                'theirs, give it the label of its user: kubectl label pvc %s -n %s --overwrite %s=%s',
                claim['metadata']['name'], self._owner[1], self._owner[0], why, claim['metadata']['name'],
                self._namespace, USERNAME, labels.get(USERNAME) or naming.owner_label(self._owner[0], 'escape'))
        return why is not None

    @gen.coroutine
    def delete(self, why_kept, delete=None):
        """Delete the claim of this server. Errors are only logged.

        why_kept (callable): `why_kept(claim)` returns why a claim must not be deleted, or None.
        delete (callable or None): `delete(name)` deletes the claim of that name and returns a future. None: send the
            request to delete it.
        """
        name = self._name
        try:
            claim = yield self.find()
            if claim is None:
                return
            name, kept = claim['metadata']['name'], why_kept(claim)
            if kept:
                self._log.warning('Claim %s is not deleted: %s', name, kept)
                return
            if delete is not None:
                yield delete(name)
            else:
                yield self._requests.send(api.delete(api.PVC, self._namespace, name, claim['metadata']['uid']))
            self._log.info('Deleted claim %s', name)
        except (api.ApiError, SpawnError) as e:  # JupyterHub deletes the server in any case
            right = ' The hub needs the right to %s persistentvolumeclaims, or KubeSpawner.delete_pvc has to be False.'
            is_refused = isinstance(e, api.ApiError) and e.status == 403
            self._log.error('Claim %s stays, though its server is deleted: %s%s', name, e,
                            right % e.request.rbac_verb if is_refused else '')


def _is_being_deleted(claim):
    return bool(claim['metadata'].get('deletionTimestamp'))


def why_not_made_by_hub(claim, labels):
    """Return why a claim (a dict), whose annotations name a user, was not created by a hub; None if it may have been.

    Anybody who may create claims can write such annotations. A claim that a hub has created also has the label of the
    user, has no owner in Kubernetes, and its label `component`, which the first hubs did not set, says storage.

    labels (dict): of a new claim of this server.
    """
    found = claim['metadata'].get('labels') or {}
    if USERNAME not in found:
        return 'it has no label %s' % USERNAME
    for key in COMPONENT_LABELS:
        if key in found and found[key] not in (labels.get(key), STORAGE_COMPONENT):
            return 'its label %s is %.63r' % (key, found[key])
    if claim['metadata'].get('ownerReferences'):
        return 'it goes with another object of Kubernetes, its owner'
    return None


def selectors(labels, username):
    """Return label selectors that find a server's claims: with a label of the user by any slug scheme, or without one.

    Claims from before there was such a label have none. Other hubs may have other `common_labels`.

    labels (dict): of a new claim of this server.
    """
    common = ['%s=%s' % (key, labels[key]) for key in ('heritage', 'app') if key in labels]
    values = {naming.label_value(username), naming.safe_slug(username, naming.LABEL_SLUG_LIMIT)}
    values.update(naming.owner_label(username, scheme) for scheme in naming.SLUG_SCHEMES)
    if USERNAME in labels:  # a subclass may have labels of its own
        values.add(labels[USERNAME])
    return [','.join(common + [who]) for who in ('%s in (%s)' % (USERNAME, ','.join(sorted(values))), '!' + USERNAME)]


def why_kept(claim, owner, common_labels, name_of, names_of_others):
    """Return why a claim (a dict) must not be deleted with its server; None if it may be.

    owner (tuple): the names of the user and of the server that is deleted.
    common_labels (dict): the labels of everything that this hub creates.
    name_of (callable): `name_of(servername, username=None)` returns the present name of the claim of another server, of
        this user or of another; None if it is not known.
    names_of_others (set): the names of the claims of the user's other servers.
    """
    (username, servername), name = owner_of(claim), claim['metadata']['name']
    user, server = owner
    if username != user:
        return 'by its annotations it is not one of user %s' % user
    if name in {name_of(server, twin) for twin in _colliding_names(username)}:
        return 'pvc_name_template gives it to other users, too'
    if is_of_another_hub(claim, common_labels):
        return 'by its labels it is of another hub'
    if servername != server and (server or name_of(servername) != name):
        return 'by its annotations it is that of the server %r' % servername
    if server and (name_of('') in (None, name) or name in names_of_others):
        return 'other servers of the user have it, too'
    return None


def _colliding_names(name):
    """Return names of other users for which a careless template most easily gives the same names as for this user."""
    return {name + 'x', name.upper(), re.sub('[^a-z0-9]', '_', name), re.sub('[^a-z0-9]', '.', name)} - {name}
