"""Label and field selectors of lists and watches.

What belongs here: field selectors, and both kinds together. What does not: label selectors (label_selectors.py), what
to do with the matches. Pure; any thread.
"""
import re

from . import errors, label_selectors


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


def split_fields(text):
    """Return [(path, value, whether it must be equal)] of a field selector. Raise ApiError 400."""
    terms = []
    for term in filter(None, re.split(r'(?<!\\),', text)):
        path, operator, value = re.match(r'([^=!]*)(==|=|!=|)(.*)$', term, re.DOTALL).groups()
        if not operator:
            raise errors.bad_request("invalid selector: '%s'; can't understand '%s'" % (text, term))
        unescaped = re.search(r'(?<!\\)[=]', value)
        if unescaped:
            raise errors.bad_request('invalid field selector: unescaped character in value: %d' % ord('='))
        terms.append((path, re.sub(r'\\([\\,=])', r'\1', value), operator != '!='))
    return terms


def parse_fields(text, resource):
    """Return a predicate on objects of `resource`. Raise ApiError 400 for a field that cannot be selected."""
    tests = split_fields(text)
    for path, _, _ in tests:
        if path not in ('metadata.name', 'metadata.namespace') and path not in resource.fields:
            raise errors.bad_request('field label not supported: %s' % path if resource.fields else
                                     '"%s" is not a known field selector: only "metadata.name", "metadata.namespace"'
                                     % path)
    return lambda obj: all((field(obj, path) == value) == equal for path, value, equal in tests)


def parse(resource, label_selector, field_selector):
    """Return one predicate on objects for both selectors, or None if there are no selectors."""
    if not label_selector and not field_selector:
        return None
    labels = label_selectors.parse(label_selector or '')
    fields = parse_fields(field_selector or '', resource)
    return lambda obj: labels(obj['metadata'].get('labels') or {}) and fields(obj)
