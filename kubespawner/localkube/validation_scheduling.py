"""Validation of what a pod says about nodes and other pods, and of label selectors in objects.

What belongs here: rules for affinity, spread and selectors. What does not: other rules for pods (validation_pod.py),
choosing a node. Pure; any thread. Functions add errors to `causes`, a Causes. `field` is the path of what they check.
"""
from .causes import validate_key, validate_labels

REQUIRED, PREFERRED = ('requiredDuringSchedulingIgnoredDuringExecution',
                       'preferredDuringSchedulingIgnoredDuringExecution')


def validate_affinity(causes, field, affinity):
    node = affinity.get('nodeAffinity', {})
    if REQUIRED in node:
        where = '%s.nodeAffinity.%s.nodeSelectorTerms' % (field, REQUIRED)
        terms = node[REQUIRED].get('nodeSelectorTerms')
        if not terms:
            causes.required(where, 'must have at least one node selector term')
        for i, term in enumerate(terms or ()):
            validate_node_term(causes, '%s[%d]' % (where, i), term)
    for i, term in enumerate(node.get(PREFERRED, ())):
        where = '%s.nodeAffinity.%s[%d]' % (field, PREFERRED, i)
        validate_weight(causes, where, term)
        validate_node_term(causes, where + '.preference', term['preference'])
    for kind in ('podAffinity', 'podAntiAffinity'):
        for i, term in enumerate(affinity.get(kind, {}).get(REQUIRED, ())):
            validate_pod_term(causes, '%s.%s.%s[%d]' % (field, kind, REQUIRED, i), term)
        for i, term in enumerate(affinity.get(kind, {}).get(PREFERRED, ())):
            where = '%s.%s.%s[%d]' % (field, kind, PREFERRED, i)
            validate_weight(causes, where, term)
            validate_pod_term(causes, where + '.podAffinityTerm', term['podAffinityTerm'])


def validate_weight(causes, field, term):
    if not 1 <= term.get('weight', 0) <= 100:
        causes.invalid(field + '.weight', term.get('weight', 0), 'must be in the range 1-100')


def validate_node_term(causes, field, term):
    for i, requirement in enumerate(term.get('matchExpressions', ())):
        validate_requirement(causes, '%s.matchExpressions[%d]' % (field, i), requirement, ('Gt', 'Lt'))


def validate_pod_term(causes, field, term):
    key = term.get('topologyKey', '')
    validate_selector(causes, field + '.matchExpressions', term.get('labelSelector', {}))
    if not key:
        causes.required(field + '.topologyKey', 'can not be empty')
    validate_key(causes, field + '.topologyKey', key)


def validate_selector(causes, field, selector):
    validate_labels(causes, field + '.matchLabels', selector.get('matchLabels', {}))
    for i, requirement in enumerate(selector.get('matchExpressions', ())):
        validate_requirement(causes, '%s.matchExpressions[%d]' % (field, i), requirement)


def validate_requirement(causes, field, requirement, comparisons=()):
    operator, values = requirement.get('operator', ''), requirement.get('values', ())
    if operator in ('In', 'NotIn'):
        if not values:
            causes.required(field + '.values', "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ('Exists', 'DoesNotExist'):
        if values:
            causes.forbidden(field + '.values', "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    elif operator in comparisons:
        if len(values) != 1:
            causes.required(field + '.values', "must be specified single value when `operator` is 'Lt' or 'Gt'")
    else:
        causes.invalid(field + '.operator', operator, 'not a valid selector operator')
    validate_key(causes, field + '.key', requirement.get('key', ''))


def validate_spreads(causes, constraints):
    seen = {}
    for i, constraint in enumerate(constraints):
        validate_spread(causes, 'spec.topologySpreadConstraints[%d]' % i, constraint)
        pair = '{%s, %s}' % (constraint.get('topologyKey', ''), constraint.get('whenUnsatisfiable', ''))
        first = seen.setdefault(pair, i)
        if first != i:
            causes.duplicate('spec.topologySpreadConstraints[%d].{topologyKey, whenUnsatisfiable}' % first, pair)


def validate_spread(causes, field, constraint):
    if constraint.get('maxSkew', 0) <= 0:
        causes.invalid(field + '.maxSkew', constraint.get('maxSkew', 0), 'must be greater than zero')
    if not constraint.get('topologyKey'):
        causes.required(field + '.topologyKey', 'can not be empty')
    causes.one_of(field + '.whenUnsatisfiable', constraint.get('whenUnsatisfiable', ''),
                  ('DoNotSchedule', 'ScheduleAnyway'))
