"""Sending objects to an API server with dryRun=All, which creates nothing, and comparing its answers with them."""
from ..kube.quantities import value_of
from .cluster import DRY_RUN_SINCE, NoAnswer, path_of, said

# Fields that every server fills in with the same values. Others that it adds are reported.
FILLED_IN = frozenset('''
    uid creationTimestamp resourceVersion managedFields selfLink generation status finalizers
    dnsPolicy schedulerName terminationGracePeriodSeconds terminationMessagePath terminationMessagePolicy
    enableServiceLinks preemptionPolicy protocol volumeMode sessionAffinity internalTrafficPolicy ipFamilies
    ipFamilyPolicy clusterIP clusterIPs targetPort serviceAccount defaultMode apiVersion imagePullPolicy
    volumeName restartPolicy type'''.split())

OF_NAMESPACES = {'finalizers': ['kubernetes']}  # the spec that each has

TAKEN = 'taken as it is'


class Outcome:
    """The server's answer to one object.

    name (str): kind and name. lines (list of str): each a sentence. is_refused (bool).
    """

    def __init__(self, obj, lines, is_refused=False):
        self.name = '%s %s' % (obj['kind'], obj['metadata'].get('name', ''))
        self.lines, self.is_refused = lines, is_refused


def check_version(cluster):
    """Return the version of the server. Raises NoAnswer if it does not know dryRun, and would create objects."""
    version = cluster.version()
    if version < DRY_RUN_SINCE:
        raise NoAnswer('the API server is Kubernetes %d.%d, which does not know dryRun; it would create the objects. '
                       'Nothing was sent.' % version)
    return version


def dry_run(cluster, objects):
    """Return the Outcome of each object. Call `check_version` before. Raises NoAnswer."""
    new = {obj['metadata']['name'] for obj in objects if obj['kind'] == 'Namespace'}
    return [_outcome(cluster, obj, new) for obj in objects]


def _outcome(cluster, obj, new_namespaces):
    answer = cluster.post(path_of(obj), obj, dryRun='All')
    namespace = obj['metadata'].get('namespace')
    if answer.status == 404 and namespace in new_namespaces:
        return Outcome(obj, ['not checked: a start would create its namespace %s before.' % namespace])
    lines = ['warning: %s' % text for text in answer.warnings]
    if answer.status == 409:
        return Outcome(obj, lines + ['is there already; a start would use it, or replace it if it is a pod.'])
    if answer.status not in (200, 201):
        return Outcome(obj, lines + ['refused: %d %s%s' % (
            answer.status, answer.body.get('reason', ''), said(answer))], True)
    return Outcome(obj, lines + (list(changes(obj, answer.body)) or [TAKEN]))


def changes(sent, answered, path=''):
    """Generate what the server has changed of an object, each as a line."""
    if isinstance(sent, dict) and isinstance(answered, dict):
        for key in sorted(set(sent) | set(answered)):
            there = '%s.%s' % (path, key) if path else key
            if key not in answered:
                if sent[key] not in (None, {}, [], '', False):
                    yield 'dropped: %s, a field that the server does not know' % there
            elif key in sent:
                yield from changes(sent[key], answered[key], there)
            elif key not in FILLED_IN and answered[key] not in (None, {}, [], '', False, OF_NAMESPACES):
                yield 'added: %s: %s' % (there, _short(answered[key]))
    elif isinstance(sent, list) and isinstance(answered, list):
        yield from _changes_of_list(sent, answered, path)
    elif not _same(sent, answered):
        yield 'changed: %s: %s to %s' % (path, _short(sent), _short(answered))


def _changes_of_list(sent, answered, path):
    for number, item in enumerate(answered):
        if number < len(sent):
            yield from changes(sent[number], item, '%s[%d]' % (path, number))
        else:
            yield 'added: %s[%d]: %s' % (path, number, _short(item))
    for number in range(len(answered), len(sent)):
        yield 'dropped: %s[%d]' % (path, number)


def _same(sent, answered):
    """Return whether Kubernetes takes two values for the same: it shortens quantities."""
    if sent == answered:
        return True
    numbers = value_of(sent), value_of(answered)
    return None not in numbers and numbers[0] == numbers[1]


def _short(value):
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + '\u2026'
