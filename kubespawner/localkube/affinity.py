"""Which labels and nodes a selector of a pod's spec matches.

What belongs here: label selectors and node selectors as objects. What does not: selectors in a query (selectors.py),
which pods and nodes are compared (node_fit.py). Pure; any thread.
"""
import re

OPERATORS = {  # operator -> predicate on (labels, key, values)
    'In': lambda labels, key, values: labels.get(key) in values,
    'NotIn': lambda labels, key, values: key not in labels or labels[key] not in values,
    'Exists': lambda labels, key, values: key in labels,
    'DoesNotExist': lambda labels, key, values: key not in labels,
    'Gt': lambda labels, key, values: compare(labels.get(key), values) > 0,
    'Lt': lambda labels, key, values: compare(labels.get(key), values) < 0,
}
INTEGER = re.compile(r'[+-]?\d+\Z')


def compare(text, values):
    """Return a number with the sign of label minus limit, or 0 if one of them is not an integer."""
    if text is None or len(values) != 1 or not all(INTEGER.match(each) for each in (text, values[0])):
        return 0
    return int(text) - int(values[0])


def fulfills(labels, requirements):
    """Return whether labels fulfill all of the requirements {key, operator, values}."""
    return all(OPERATORS[each['operator']](labels, each.get('key', ''), each.get('values', ()))
               if each.get('operator') in OPERATORS else False for each in requirements)


def selects_labels(selector, labels):
    """Return whether a LabelSelector matches. An empty one matches everything, and None matches nothing."""
    if selector is None:
        return False
    return (all(labels.get(key) == value for key, value in selector.get('matchLabels', {}).items()) and
            fulfills(labels, selector.get('matchExpressions', ())))


def selects_node(term, node):
    """Return whether a NodeSelectorTerm matches a node. An empty term matches none."""
    expressions, fields = term.get('matchExpressions', ()), term.get('matchFields', ())
    return bool(expressions or fields) and (
        fulfills(labels_of(node), expressions) and fulfills({'metadata.name': node['metadata']['name']}, fields))


def allows_node(pod, node):
    """Return whether a pod's nodeSelector and its required node affinity match a node."""
    labels, spec = labels_of(node), pod['spec']
    if any(labels.get(key) != value for key, value in spec.get('nodeSelector', {}).items()):
        return False
    required = spec.get('affinity', {}).get('nodeAffinity', {}).get('requiredDuringSchedulingIgnoredDuringExecution')
    return required is None or any(selects_node(term, node) for term in required.get('nodeSelectorTerms', ()))


def preference(pod, node):
    """Return the sum of the weights of a pod's preferences that a node fulfills."""
    preferred = pod['spec'].get('affinity', {}).get('nodeAffinity', {}).get(
        'preferredDuringSchedulingIgnoredDuringExecution', ())
    return sum(each.get('weight', 0) for each in preferred if selects_node(each.get('preference', {}), node))


def tolerates(pod, taint):
    return any(is_tolerated(taint, each) for each in pod['spec'].get('tolerations', ()))


def is_tolerated(taint, toleration):
    """Return whether a toleration matches a taint. Without a key or an effect it matches all of them."""
    if toleration.get('effect') and toleration['effect'] != taint.get('effect'):
        return False
    if toleration.get('key') and toleration['key'] != taint.get('key'):
        return False
    return toleration.get('operator') == 'Exists' or toleration.get('value', '') == taint.get('value', '')


def labels_of(obj):
    return obj['metadata'].get('labels') or {}
