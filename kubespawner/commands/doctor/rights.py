"""The rights that a configuration needs: one table, and whether the hub has them.

The README's role has those of the default settings.
"""
from collections import OrderedDict, namedtuple

from ...lifecycle import companions
from ..cluster import PATHS, rule_for, said
from ..configured import is_set
from ..rehearsal.certificates import has_internal_tls
from .findings import BROKEN, broken, fine, unknown, warning

REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'

Right = namedtuple('Right', 'resource verbs setting is_needed is_must group')
Right.__new__.__defaults__ = '',
Right.__doc__ += """: one row.

resource (str), verbs (list of str). setting (str): why it is needed, empty if it always is.
is_needed (callable): of the spawner, whether its settings need it. is_must (bool): whether no server starts without.
group (str): of the API; empty for the core.
"""

OF_COMPANIONS = list(companions.VERBS)

TABLE = [
    Right('pods', ['get', 'list', 'watch', 'create', 'delete'], '', lambda s: True, True),
    Right('persistentvolumeclaims', ['get', 'create'], 'user_storage_pvc_ensure',
          lambda s: s.user_storage_pvc_ensure, True),
    Right('persistentvolumeclaims', ['list'], 'remember_pvc_name',
          lambda s: s.user_storage_pvc_ensure and s.remember_pvc_name, True),
    Right('persistentvolumeclaims', ['delete'], 'delete_pvc',
          lambda s: s.user_storage_pvc_ensure and s.delete_pvc, False),
    Right('persistentvolumeclaims', ['patch'], 'storage_expand',
          # By default, KubeSpawner does without this right.
          lambda s: s.user_storage_pvc_ensure and s.storage_expand and is_set('storage_expand', s.config, type(s)),
          False),
    Right('secrets', OF_COMPANIONS, 'internal_ssl', has_internal_tls, True),
    Right('secrets', OF_COMPANIONS, 'secret_environment', lambda s: s.secret_environment is not False, True),
    Right('services', OF_COMPANIONS, 'internal_ssl', has_internal_tls, True),
    Right('services', OF_COMPANIONS, 'services_enabled', lambda s: s.services_enabled, True),
    Right('events', ['list', 'watch'], 'events_enabled', lambda s: s.events_enabled, False),
    Right('namespaces', ['get', 'create'], 'enable_user_namespaces', lambda s: s.enable_user_namespaces, True),
]

NOT_IN_NAMESPACES = frozenset(['namespaces'])


def needed(spawners, kinds):
    """Return the Rights that are needed, each verb once.

    spawners (list): one for each choice, because a profile may change settings. kinds (set): pairs of the group and the
    kind of the objects that starts create.
    """
    wanted = [right for right in TABLE if any(map(right.is_needed, spawners))]
    wanted += [Right(PATHS[kind], ['create'], 'what a start creates', None, True, group)
               for group, kind in sorted(kinds) if kind in PATHS]
    known, rights = set(), []
    for right in wanted:
        verbs = [verb for verb in right.verbs if (right.group, right.resource, verb) not in known]
        known.update((right.group, right.resource, verb) for verb in verbs)
        if verbs:
            rights.append(right._replace(verbs=verbs))
    return rights


def check(cluster, rights, namespace):
    """Check that whoever asks has these rights in a namespace; '' for all of them."""
    missing, found, count = OrderedDict(), [], 0
    for right in rights:
        for verb in right.verbs:
            answer = _ask(cluster, right, verb, namespace)
            if answer is None or isinstance(answer, str):
                return [unknown('The API server cannot tell which rights the hub has%s.' % (answer or ''),
                                'See the role in the README.')]
            count += 1
            if not answer:
                missing.setdefault(right._replace(verbs=None), []).append(verb)
    for right, verbs in missing.items():
        found.append((broken if right.is_must else warning)(*_sentences(right, verbs, namespace)))
    return found or [fine('The hub has all %d rights that this configuration needs %s.' % (count, _where(namespace)))]


def check_of_namespaces(cluster, rights, namespace):
    """Check that whoever asks has these rights in the namespaces of all users; or else in that of one."""
    found = check(cluster, rights, '')
    if all(finding.level != BROKEN for finding in found):
        return found
    in_one = check(cluster, rights, namespace)
    if any(finding.level == BROKEN for finding in in_one):
        return found
    return in_one + [warning('The hub may not watch all namespaces, so it watches each one that has a server.',
                             'Give it a ClusterRole with these rights.')]


def _listed(verbs):
    return ' or '.join(filter(None, [', '.join(verbs[:-1]), verbs[-1]]))


def _where(namespace):
    return 'in namespace %s' % namespace if namespace else 'in all namespaces'


def _sentences(right, verbs, namespace):
    resource, setting = right.resource, right.setting
    is_of_cluster = resource in NOT_IN_NAMESPACES or not namespace
    sentence = 'The hub may not %s %s%s%s.' % (
        _listed(verbs), resource, '' if resource in NOT_IN_NAMESPACES else ' ' + _where(namespace),
        ', which %s needs' % setting if setting else '')
    advice = 'Add to the rules of its %s: %s' % (
        'ClusterRole' if is_of_cluster else 'Role', rule_for(right.group, resource, verbs))
    return sentence, advice if right.is_must or not setting else '%s; or set c.KubeSpawner.%s = False' % (
        advice, setting)


def _ask(cluster, right, verb, namespace):
    """Return whether there is a right; a str or None if the server cannot tell."""
    attributes = {'verb': verb, 'resource': right.resource, 'group': right.group}
    if namespace and right.resource not in NOT_IN_NAMESPACES:
        attributes['namespace'] = namespace
    answer = cluster.post(REVIEWS, {
        'apiVersion': 'authorization.k8s.io/v1', 'kind': 'SelfSubjectAccessReview',
        'spec': {'resourceAttributes': attributes}})
    if answer.status not in (200, 201):
        return ' (%d%s)' % (answer.status, said(answer))
    return bool((answer.body.get('status') or {}).get('allowed'))
