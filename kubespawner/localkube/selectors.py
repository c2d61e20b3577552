"""Label and field selectors of lists and watches.

What belongs here: parsing and matching. What does not: what to do with the matches. Pure; any thread.
"""
import re

from . import errors

LABEL = r'[A-Za-z0-9_./-]+'
REQUIREMENT = re.compile(r"""\s*(?:
      (?P<absent>!)\s*(?P<name>{label})
    | (?P<set>{label})\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)
    | (?P<key>{label})\s*(?P<equality>==|=|!=)\s*(?P<value>[A-Za-z0-9_.-]*)
    | (?P<present>{label})
    )\s*(?:,|$)""".format(label=LABEL), re.VERBOSE)


def parse_labels(text):
    """Return a predicate on a dictionary of labels. Raise ApiError 400 for an invalid selector."""
    tests = []
    position = 0
    while position < len(text):
        match = REQUIREMENT.match(text, position)
        if not match:
            raise errors.bad_request('unable to parse requirement: found %r, expected: a label selector such as '
                                     '\'a=b,c!=d,e in (f,g),!h\'' % text[position:])
        tests.append(label_test(match.groupdict()))
        position = match.end()
    return lambda labels: all(test(labels) for test in tests)


def label_test(parts):
    if parts['absent']:
        return lambda labels: parts['name'] not in labels
    if parts['present']:
        return lambda labels: parts['present'] in labels
    if parts['set']:
        values = {value.strip() for value in parts['values'].split(',')}
        if parts['operator'] == 'in':
            return lambda labels: labels.get(parts['set']) in values
        return lambda labels: labels.get(parts['set']) not in values
    if parts['equality'] == '!=':
        return lambda labels: labels.get(parts['key']) != parts['value']
    return lambda labels: labels.get(parts['key']) == parts['value']


def field(obj, path):
    """Return the value at `path` for a field selector: a string, or '' if the object does not have it."""
    value = obj
    for part in path.split('.'):
        value = value.get(part) if isinstance(value, dict) else None
    if path == 'source':
        value = (value or {}).get('component')
    if isinstance(value, bool):
        return 'true' if value else 'false'
    return '' if value is None else str(value)


def parse_fields(text, resource):
    """Return a predicate on objects of `resource`. Raise ApiError 400 for a field that cannot be selected."""
    tests = []
    for term in filter(None, text.split(',')):
        path, operator, value = re.match(r'([^=!]*)(==|=|!=|)(.*)$', term, re.DOTALL).groups()
        if not operator:
            raise errors.bad_request("invalid selector: '%s'; can't understand '%s'" % (text, term))
        if path not in ('metadata.name', 'metadata.namespace') and path not in resource.fields:
            raise errors.bad_request('field label not supported: %s' % path)
        tests.append((path, operator != '!=', value))
    return lambda obj: all((field(obj, path) == value) == equal for path, equal, value in tests)


def parse(resource, label_selector, field_selector):
    """Return one predicate on objects for both selectors, or None if there are no selectors."""
    if not label_selector and not field_selector:
        return None
    labels = parse_labels(label_selector or '')
    fields = parse_fields(field_selector or '', resource)
    return lambda obj: labels(obj['metadata'].get('labels') or {}) and fields(obj)


def matches_label_selector(selector, labels):
    """Return whether a LabelSelector, as objects contain it, selects `labels`."""
    return (all(labels.get(key) == value for key, value in selector.get('matchLabels', {}).items()) and
            all(OPERATORS[each['operator']](labels.get(each['key']), each.get('values', ()))
                for each in selector.get('matchExpressions', ())))


OPERATORS = {  # operator of a requirement -> predicate on (value of the label or None, values of the requirement)
    'In': lambda value, values: value in values,
    'NotIn': lambda value, values: value not in values,
    'Exists': lambda value, values: value is not None,
    'DoesNotExist': lambda value, values: value is None,
}
