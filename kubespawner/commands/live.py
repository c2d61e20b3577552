"""Showing what a start would change in a cluster: reads the objects of the same names, and changes nothing."""
import difflib
from urllib.parse import quote

from ..naming.ownership import PROFILE
from .cluster import NoAnswer, path_of, rule_for, said
from .documents import dump
from .projection import MADE_FOR_EACH_START, projected
from .rehearsal.placeholders import secrets_of

NOT_PERMITTED = object()


class Comparison:
    """Compares starts with what a cluster has. Each object is read once.

    refused (list of str): what cannot be compared because it may not be read, and the right that is missing.
    notes (list of str): what else one has to know of the differences.
    """

    def __init__(self, cluster):
        self._cluster, self._known, self._without_profile = cluster, {}, {}
        self.refused, self.notes = [], []

    def differences(self, rehearsal):
        """Return the differences of a start to the cluster, as a unified diff for each object: a list of str.

        Raises NoAnswer if the API server does not answer.
        """
        pairs = [(shown, self._read(obj)) for shown, obj in zip(rehearsal.shown, rehearsal.objects)
                 if not self._has_new_name(obj)]
        if self._is_of_another_profile(pairs):
            pairs = [(ours, live) for ours, live in pairs if ours['kind'] not in MADE_FOR_EACH_START]
        secrets = secrets_of([live for _, live in pairs if isinstance(live, dict)])
        found = [_difference(rehearsal, ours, live, secrets) for ours, live in pairs if live is not NOT_PERMITTED]
        return [text for text in found if text]

    def _has_new_name(self, obj):
        """True, and a note, if Kubernetes makes up a name for an object."""
        prefix = obj['metadata'].get('generateName')
        if prefix:
            self._note('%s %s… has another name with each start, and is not compared.' % (obj['kind'], prefix))
        return bool(prefix)

    def _is_of_another_profile(self, pairs):
        """True, and a note, if the pod in the cluster says that it is of another profile than that of a start."""
        for ours, live in pairs:
            if ours['kind'] != 'Pod' or not isinstance(live, dict):
                continue
            profiles = [(pod['metadata'].get('annotations') or {}).get(PROFILE) for pod in (ours, live)]
            if None not in profiles and profiles[0] != profiles[1]:
                self._note('%s is of the profile %s, and is compared with that one only.' % (
                    name_of(ours), profiles[1]))
                return True
            if None in profiles:
                self._count_without_profile(name_of(ours))
        return False

    def _count_without_profile(self, name):
        self._without_profile[name] = self._without_profile.get(name, 0) + 1
        if self._without_profile[name] == 2:
            self._note('%s does not say of which profile it is, so each choice is compared with it. --profile SLUG '
                       'chooses one.' % name)

    def _note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    def _read(self, obj):
        """Return an object in the cluster, a dict; None if it is not there, or NOT_PERMITTED."""
        path = '%s/%s' % (path_of(obj), quote(obj['metadata']['name'], safe=''))
        if path not in self._known:
            self._known[path] = self._asked(path, obj)
        return self._known[path]

    def _asked(self, path, obj):
        answer = self._cluster.get(path)
        if answer.status == 200:
            return answer.body
        if answer.status == 404:
            return None
        if answer.status == 403:
            self.refused.append(_sentence(obj, answer))
            return NOT_PERMITTED
        raise NoAnswer('%s cannot be read: %s answers %d%s' % (
            name_of(obj), self._cluster.host, answer.status, said(answer)))


def name_of(obj):
    """Return kind, name and namespace of an object in words."""
    metadata = obj['metadata']
    namespace = ' in namespace %s' % metadata['namespace'] if metadata.get('namespace') else ''
    return '%s %s%s' % (obj['kind'], metadata['name'], namespace)


def _sentence(obj, answer):
    group, role = obj['apiVersion'].rpartition('/')[0], 'Role' if obj['metadata'].get('namespace') else 'ClusterRole'
    rule = rule_for(group, path_of(obj).rpartition('/')[2], ['get'])
    return '%s may not be read%s. Add to the rules of the %s of the user of the context: %s' % (
        name_of(obj), said(answer).rstrip('.'), role, rule)


def _difference(rehearsal, ours, live, secrets):
    """Return a unified diff of an object, empty if there is none."""
    name = name_of(ours)
    if live is None:
        before, state = [], 'is not there'
    else:
        ours, live = rehearsal.without_secrets([ours, projected(ours, live)], secrets)
        before, state = dump([live]).splitlines(True), 'as it is'
    return ''.join(difflib.unified_diff(before, dump([ours]).splitlines(True), '%s, %s' % (name, state),
                                        '%s, after a start' % name))
