"""Claims: which one is a server's, whatever it is called, and which one goes with it for good.

Here belongs finding and deleting a claim; what a new one looks like is in `manifests`. Everything runs on the IOLoop's
thread, and reads hub state.
"""
import re

from tornado import gen

from . import api, naming
from .errors import SpawnError
from .manifests import USERNAME, Manifests, owner_of

LATER_LABEL_LIMIT = 32  # characters of a user's label that is no valid one without a hash, in later spawners


class Claims(Manifests):
    """The part of KubeSpawner that knows whose claims are whose."""

    @gen.coroutine
    def _find_claim(self, deadline=None):
        """Return this server's claim, None if it has none: the one of its name, or one that says that it is its own.

        Raises SpawnError if the hub may not look for the latter: in a new claim the user would miss all their files.
        """
        claim = yield self._requests.read('persistent_volume_claim', self.namespace, self.pvc_name, deadline)
        if claim is not None or not self.remember_pvc_name:
            return claim
        for selector in self._claim_selectors():
            try:
                request = api.find('persistent_volume_claim', self.namespace, selector)
                claims = yield self._requests.send(request, deadline)
            except api.ApiError as e:
                if e.status != 403:
                    raise
                raise SpawnError(
                    '%s Whether there is a claim of another name already is not known. The hub needs the right to list '
                    'persistentvolumeclaims, or KubeSpawner.remember_pvc_name has to be False.' % e, e.reason)
            ours = [claim for claim in claims.get('items') or [] if self._is_our_claim(claim)]
            if ours:
                found = max(ours, key=lambda claim: claim['metadata']['creationTimestamp'])  # was used last
                self.log.warning('Claim %s does not exist. Taking %s, which is the same server\'s by its annotations',
                                 self.pvc_name, found['metadata']['name'])
                self._name_for_now('pvc_name', found['metadata']['name'])
                self.has_claim = True
                return found
        return None

    @gen.coroutine
    def delete_forever(self):
        """Delete the claim of this server, if it is its own. Called when the user or the named server is deleted."""
        try:
            if self.delete_pvc:
                yield self._delete_claim()
        except (api.ApiError, SpawnError) as e:  # JupyterHub goes on, whatever happens
            right = ' The hub needs the right to %s persistentvolumeclaims, or KubeSpawner.delete_pvc has to be False.'
            is_refused = isinstance(e, api.ApiError) and e.status == 403
            self.log.error('Claim %s stays, though its server is deleted: %s%s', self.pvc_name, e,
                           right % {'read': 'get'}.get(e.request.verb, e.request.verb) if is_refused else '')

    @gen.coroutine
    def _delete_claim(self):
        if self.user_storage_pvc_ensure:
            claim = yield self._find_claim()
        else:
            claim = yield self._requests.read('persistent_volume_claim', self.namespace, self.pvc_name)
        kept = claim and self._why_claim_is_kept(claim)
        if kept:
            self.log.warning('Claim %s is not deleted: %s', self.pvc_name, kept)
        elif claim:
            uid = claim['metadata']['uid']
            yield self._requests.send(api.delete('persistent_volume_claim', self.namespace, self.pvc_name, uid))
            self.log.info('Deleted claim %s', self.pvc_name)

    def _is_our_claim(self, claim):
        """True if a claim (a dict) says that it belongs to this user and server, and is to stay."""
        return owner_of(claim) == (self.user.name, self.name) and not claim['metadata'].get('deletionTimestamp')

    def _claim_selectors(self):
        """Return label selectors of the claims that may be this server's: of those with a label of this user's, here or
        in later spawners, and of those from before there was one. Other hubs may have other `common_labels`.
        """
        labels = self._build_common_labels(self._expand_labels('user_storage_extra_labels'))
        common = ['%s=%s' % (key, labels[key]) for key in ('heritage', 'app') if key in labels]
        name = self.user.name
        values = {labels[USERNAME], naming.label_value(name), naming.safe_slug(name, LATER_LABEL_LIMIT)}
        return [','.join(common + [who]) for who in (
            '%s in (%s)' % (USERNAME, ','.join(sorted(values))), '!' + USERNAME)]

    def _why_claim_is_kept(self, claim):
        """Return why a claim is not to be deleted when this server is; None if it is."""
        (username, servername), name = owner_of(claim), claim['metadata']['name']
        if username != self.user.name:
            return 'by its annotations it is not one of user %s' % self.user.name
        if name in {self._claim_name_of(self.name, twin) for twin in _twins(username)}:
            return 'pvc_name_template gives it to other users, too'
        if self._is_of_another_hub(claim):
            return 'by its labels it is of another hub'
        if servername != self.name and (self.name or self._claim_name_of(servername) != name):
            return 'by its annotations it is that of the server %r' % servername
        if self.name and (self._claim_name_of('') in (None, name) or name in self._claims_of_other_servers()):
            return 'other servers of the user have it, too'
        return None

    def _is_of_another_hub(self, claim):
        labels, ours = claim['metadata'].get('labels') or {}, self.common_labels
        return any(key in ours and labels.get(key, ours[key]) != ours[key] for key in ('heritage', 'app'))

    def _claims_of_other_servers(self):
        """Return the names of the claims that the hub remembers of the user's other servers."""
        servers = getattr(self.user, 'orm_spawners', {})
        return {(server.state or {}).get('pvc_name') for name, server in servers.items() if name != self.name}


def _twins(name):
    """Return names of users that templates most easily give the same names as the user of this name."""
    return {name + 'x', name.upper(), re.sub('[^a-z0-9]', '_', name), re.sub('[^a-z0-9]', '.', name)} - {name}
