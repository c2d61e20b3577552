"""Labels and annotations: they say whose an object is, and the hub finds objects by them.

What the kinds of objects have in common belongs here, everything else in `manifests`. Everything runs on the IOLoop's
thread, and reads hub state.
"""
from .. import naming
from ..lifecycle.claims import COMPONENT_LABELS, STORAGE_COMPONENT
from ..naming.ownership import SERVERNAME, USERNAME
from .templates import Templates


class Labels(Templates):
    """The part of KubeSpawner that creates labels and annotations."""

    def _build_common_labels(self, extra_labels):
        """Return the labels that pods and claims have in common: `extra_labels`, and the user and server."""
        labels = dict(self.common_labels)
        labels.update(extra_labels)
        labels.update({key: naming.owner_label(value, self.slug_scheme) for key, value in self._identity().items()})
        return labels

    def _build_pod_labels(self, extra_labels):
        """Return the labels of a pod. Those that the reflector selects come last, so that they cannot be overridden."""
        labels = self._build_common_labels(_of_component(self.component_label, extra_labels))
        if self.slug_scheme == 'safe':
            labels.setdefault(SERVERNAME, '')  # as others have it, of default servers as well
        labels.update(self.pod_reflector.labels)
        return labels

    def _build_claim_labels(self, extra_labels):
        """Return the labels of a claim."""
        return self._build_common_labels(_of_component(STORAGE_COMPONENT, extra_labels))

    def _labels_of_claim(self):
        """Return the labels of this server's claim, as configured."""
        return self._build_claim_labels(self._expand_labels('user_storage_extra_labels'))

    def _build_common_annotations(self, extra_annotations):
        """Return the annotations that pods and claims have in common: `extra_annotations`, and the user and server."""
        return dict(extra_annotations, **self._identity())

    def _identity(self):
        """Return the user and the server of an object, by the names of the labels and annotations for them."""
        identity = {USERNAME: self.user.name}
        if self.name:
            identity[SERVERNAME] = self.name
        return identity


def _of_component(component, extra_labels):
    """Return `extra_labels` after the labels of a component."""
    labels = dict.fromkeys(COMPONENT_LABELS, component)
    labels.update(extra_labels)
    return labels
