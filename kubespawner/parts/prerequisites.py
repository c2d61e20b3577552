"""What must exist before a pod: the user's namespace and the claim. How both are created, and how a claim is deleted.

What they look like is in `manifests`; how a claim is found, whatever its name is, in `lifecycle.claims`. Everything
runs on the IOLoop's thread, and reads hub state.
"""
from functools import partial

from tornado import gen

from ..kube.api import PVC
from ..lifecycle import binding, claim_size
from ..lifecycle.claims import Claims, why_kept
from ..lifecycle.namespaces import Namespaces
from ..naming.ownership import PROFILE
from .subclass_steps import SubclassSteps


class Prerequisites(SubclassSteps):
    """The part of KubeSpawner for what must exist before a pod."""

    def _objects_to_create(self, attempt):
        """Return the missing objects that must be created before the pod: a list of (kind, namespace, manifest).

        Each object is read first, because a quota refuses the creation even of an object that exists.
        """
        missing = []
        is_chosen = 'namespace' in self._overrides or self._has_own('_ensure_namespace')
        if self.enable_user_namespaces and not is_chosen:
            manifest = yield self._missing_namespace(attempt.deadline)
            if manifest is not None:
                missing.append(('namespace', None, manifest))
        if self.user_storage_pvc_ensure:
            manifest = yield from self._missing_claim(attempt, has_namespace=not missing)
            if manifest is not None:
                missing.append((PVC, self.namespace, manifest))
        return missing

    def _missing_claim(self, attempt, has_namespace):
        """Return the manifest of this server's claim; None if the claim exists. Its name becomes `pvc_name`."""
        manifest = yield from self._new_claim()
        if self._server_names.claim_key is not None:
            profile = {PROFILE: self._server_names.claim_key}
            manifest.metadata.annotations = dict(manifest.metadata.annotations or {}, **profile)
        name = self.pvc_name
        if has_namespace and (yield from self._find_claim(attempt)) is not None:
            return None
        if self.pvc_name != name:  # another server has the claim of that name
            manifest.metadata.name = self.pvc_name
        return manifest

    def _create_missing(self, new_objects, attempt):
        """Create the objects that a start needs besides its pod, see `_objects_to_create`."""
        has_own_claim = self._has_own('_make_create_pvc_request')
        for kind, namespace, missing in new_objects:
            attempt.check_wanted()
            if not (has_own_claim and kind == PVC):
                is_new = yield self._requests.create(kind, namespace, missing, attempt.deadline, attempt.is_wanted)
                if kind == 'namespace' and not is_new:  # somebody has created it meanwhile
                    yield self._missing_namespace(attempt.deadline)
        if has_own_claim and self.user_storage_pvc_ensure:
            yield self._call_own_step('_make_create_pvc_request', attempt, (yield from self._new_claim()),
                                      self.k8s_api_request_timeout)

    @gen.coroutine
    def _create_namespace(self):
        """Create the namespace of pods and claims, unless it exists."""
        if not (yield self._requests.create('namespace', None, self.get_namespace_manifest())):
            yield self._missing_namespace(None)

    @gen.coroutine
    def _missing_namespace(self, deadline):
        """Return the manifest of the user's namespace; None if the namespace exists.

        Raises ForeignNamespaceError if it exists and is not known to be the user's. A namespace that the operator has
        named, or that has a known claim of the server, may be used as it is.
        """
        manifest = self.get_namespace_manifest()
        found = yield self._requests.read('namespace', None, self.namespace, deadline)
        if found is None:
            return manifest
        is_known = self.adopt_user_namespaces or self._server_names.has_claim_in(self.namespace)
        if not (is_known or self._is_named_by_operator('user_namespace_template')):
            namespaces = Namespaces(self._requests, self.user.name, manifest['metadata']['labels'])
            yield namespaces.check(found, deadline)
        return None

    # The claim

    def _claims(self, may_have_another_name, **more):
        """Return the object that finds and deletes this server's claim."""
        labels = self._labels_of_claim if may_have_another_name and self.remember_pvc_name else None
        return Claims(self._requests, self.namespace, self.pvc_name, self.log, (self.user.name, self.name), labels,
                      self._server_names.claim_key, **more)

    def _find_claim(self, attempt):
        """Return this server's claim, after it has grown if necessary, or None. Its name becomes `pvc_name`."""
        claims = self._claims(True, is_taken=self._is_claim_taken)
        claim = yield claims.find_or_make_room(attempt.deadline, attempt.check_wanted, self._pods.make_room)
        if claim is None and claims.is_name_taken:
            self._use_another_claim_name()
        if claim is None:
            return None
        if claim['metadata']['name'] != self.pvc_name:
            self._server_names.take_claim(claim['metadata']['name'])
        binding.check_not_lost(claim)
        attempt.is_claim_bound = binding.phase(claim) != 'Pending'
        yield claim_size.fit(self._requests, self.namespace, claim, self.user_storage_capacity, self.storage_expand,
                             self.log, attempt.deadline)
        return claim

    @gen.coroutine
    def _follow_claim(self, attempt):
        """Let a start fail if its claim, which is not bound yet, never will be."""
        attempt.fail((yield binding.failure_to_bind(
            self._requests, self.namespace, self.pvc_name,
            lambda: attempt in self._attempts and attempt.is_wanted(), self.events_enabled, self.log)))

    def _delete_claim(self, claims, template=None):
        """Delete the claim that `claims` finds, unless others use it. template (str or None): see `_claim_name_of`."""
        return claims.delete(lambda claim: why_kept(
            claim, (self.user.name, self.name), self.common_labels, partial(self._claim_name_of, template=template),
            self._claims_of_other_servers()) or self._why_taken(claim), self._own_claim_deletion())
