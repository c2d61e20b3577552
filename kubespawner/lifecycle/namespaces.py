"""Whether an existing namespace belongs to a certain user of this hub.

What a new namespace looks like is in `manifests`. Everything runs on the IOLoop's thread.
"""
import shlex

from tornado import gen

from ..kube import api
from ..messages.errors import Cause, ForeignNamespaceError
from ..naming.ownership import USERNAME, is_of_another_hub, owner_of
from .claims import selectors

EVIDENCE = api.PVC, 'pod'  # kinds of objects that show that a user has been in a namespace before


class Namespaces:
    """Finds out whose a namespace is.

    username (str): the user who needs it.
    labels (dict): of a new namespace of that user.
    """

    def __init__(self, requests, username, labels):
        self._requests, self._username, self._labels = requests, username, labels

    @gen.coroutine
    def check(self, namespace, deadline):
        """Raise ForeignNamespaceError unless an existing namespace (a dict) belongs to this user and hub.

        An annotation or a label shows that. Without either, a claim or a pod of the user in it does: other spawners
        create namespaces without annotations and labels.
        """
        owner, label = owner_of(namespace)[0], (namespace['metadata'].get('labels') or {}).get(USERNAME)
        if is_of_another_hub(namespace, self._labels):
            raise self._refusal(namespace, 'By its labels, it is of another hub.', True)
        if owner is not None and owner != self._username:
            raise self._refusal(namespace, 'By its annotations, it is that of the user %r.' % owner, True)
        if owner is None and label is not None and label != self._labels.get(USERNAME):
            raise self._refusal(namespace, 'By its labels, it is that of another user.', False)
        if owner is None and label is None and not (yield self._has_evidence(namespace, deadline)):
            raise self._refusal(namespace, 'It exists, and nothing in it is of this user.', False)

    @gen.coroutine
    def _has_evidence(self, namespace, deadline):
        """Return whether a namespace has a claim or a pod of this user and hub."""
        name = namespace['metadata']['name']
        for kind in EVIDENCE:
            for selector in selectors(self._labels, self._username):
                try:
                    found = yield self._requests.send(api.find(kind, name, selector), deadline)
                except api.ApiError as e:
                    if e.status != 403:
                        raise
                    found = {}
                if any(owner_of(each)[0] == self._username for each in found.get('items') or []):
                    return True
        return False

    def _refusal(self, namespace, why, says_otherwise):
        """Return the error. says_otherwise (bool): whether labels or annotations name another owner."""
        name = namespace['metadata']['name']
        wanted = [shlex.quote('%s=%s' % (USERNAME, self._username))] + ['--overwrite'] * says_otherwise
        command = 'kubectl annotate namespace %s %s' % (name, ' '.join(wanted))
        others = {key: self._labels[key] for key in ('heritage', 'app')
                  if key in self._labels and is_of_another_hub(namespace, {key: self._labels[key]})}
        if others:
            command += ' && kubectl label namespace %s %s --overwrite' % (
                name, ' '.join(shlex.quote('%s=%s' % item) for item in sorted(others.items())))
        return ForeignNamespaceError(
            'Namespace %s is not known to be that of the user %r. %s' % (name, self._username, why),
            cause=Cause.CONFIGURATION, details=
            'If the servers of this user, and whoever has access to them, may use all that is in the namespace, adopt '
            'it: %s. Otherwise, change KubeSpawner.user_namespace_template.' % command)
