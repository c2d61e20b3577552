"""Labels and annotations: what says whose an object is, and by what the hub finds it.

Here belongs what all kinds of objects have in common. What else they consist of is in `manifests`. Everything runs on
the IOLoop's thread, and reads hub state.
"""
from .. import naming
from ..lifecycle.claims import COMPONENT_LABELS, STORAGE_COMPONENT
from ..naming.ownership import SERVERNAME, USERNAME
from .templates import Templates


class Labels(Templates):
    """The part of KubeSpawner that makes labels and annotations."""

    def _build_common_labels(self, extra_labels):
        """Return the labels of pods and claims alike: whose they are, after `extra_labels`."""
        labels = dict(self.common_labels)
        labels.update(extra_labels)
        labels.update({key: naming.owner_label(value, self.slug_scheme) for key, value in self._identity().items()})
        return labels

    def _build_pod_labels(self, extra_labels):
        """Return the labels of a pod. What the reflector selects on comes last, so that nothing hides a pod from it."""
        labels = self._build_common_labels(_of_component(self.component_label, extra_labels))
        if self.slug_scheme == 'safe':
            labels.setdefault(SERVERNAME, '')  # as others have it, of default servers as well
        labels.update(self.pod_reflector.labels)
        return labels

    def _build_claim_labels(self, extra_labels):
        """Return the labels of a claim."""
        return self._build_common_labels(_of_component(STORAGE_COMPONENT, extra_labels))

    def _build_common_annotations(self, extra_annotations):
        """Return the annotations of pods and claims alike: whose they are, after `extra_annotations`."""
        return dict(extra_annotations, **self._identity())

    def _identity(self):
        """Return what says whose an object is, by the name of the label and annotation that says it."""
        identity = {USERNAME: self.user.name}
        if self.name:
            identity[SERVERNAME] = self.name
        return identity


def _of_component(component, extra_labels):
    """Return `extra_labels`, and before them those that say of which component an object is."""
    labels = dict.fromkeys(COMPONENT_LABELS, component)
    labels.update(extra_labels)
    return labels
