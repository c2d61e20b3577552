"""Whether the pods that run already let a pod go to a node: inter-pod affinity and anti-affinity.

What belongs here: the required terms of both. What does not: those that are only preferred, which make no difference
with one node; other filters (node_fit.py). Pure; any thread.
"""
from .affinity import labels_of, selects_labels

REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution'
AFFINITY = "node(s) didn't match pod affinity rules"
ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
OF_OTHERS = "node(s) didn't satisfy existing pods anti-affinity rules"


def complaint(pod, info, snapshot):
    """Return why a node cannot take a pod, or ''. info (NodeInfo): the node; snapshot (Snapshot): all of them."""
    labels = labels_of(info.node)
    if not has_company(pod, labels, snapshot):
        return AFFINITY
    for term in terms(pod, 'podAntiAffinity'):
        if is_near(labels, term, snapshot, lambda other, term=term: matches(term, pod, other, snapshot)):
            return ANTI_AFFINITY
    for other_info in snapshot.nodes:
        for other in other_info.pods.values():
            for term in terms(other, 'podAntiAffinity'):
                key = term.get('topologyKey')
                if (key in labels and labels_of(other_info.node).get(key) == labels[key] and
                        matches(term, other, pod, snapshot)):
                    return OF_OTHERS
    return ''


def has_company(pod, labels, snapshot):
    """Return whether each affinity term finds a pod near a node, or the pod is the first one of its kind."""
    wanted = terms(pod, 'podAffinity')
    if any(term.get('topologyKey') not in labels for term in wanted):
        return False

    def matches_all(other):
        return all(matches(term, pod, other, snapshot) for term in wanted)

    if all(is_near(labels, term, snapshot, matches_all) for term in wanted):
        return True
    return matches_all(pod) and not any(matches_all(other) for info in snapshot.nodes for other in info.pods.values())


def terms(pod, kind):
    return pod['spec'].get('affinity', {}).get(kind, {}).get(REQUIRED, ())


def is_near(labels, term, snapshot, wanted):
    """Return whether a wanted pod runs on a node whose label `topologyKey` has the same value."""
    key = term.get('topologyKey')
    return key in labels and any(
        wanted(other) for info in snapshot.nodes if labels_of(info.node).get(key) == labels[key]
        for other in info.pods.values())


def matches(term, pod, other, snapshot):
    """Return whether a term of `pod` matches the pod `other`."""
    namespace = other['metadata']['namespace']
    selector = term.get('namespaceSelector')
    named = term.get('namespaces', ()) or (() if selector is not None else (pod['metadata']['namespace'],))
    if namespace not in named and not (selector is not None and
                                       selects_labels(selector, snapshot.namespace_labels(namespace))):
        return False
    labels, own = labels_of(other), labels_of(pod)
    return (selects_labels(term.get('labelSelector'), labels) and
            all(labels.get(key) == own[key] for key in term.get('matchLabelKeys', ()) if key in own) and
            all(labels.get(key) != own[key] for key in term.get('mismatchLabelKeys', ()) if key in own))
