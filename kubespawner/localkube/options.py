"""What a request asks for in its query, and in the options of a deletion.

What belongs here: reading and checking options. What does not: what they do (handlers.py, registry.py). Pure; any
thread. All functions raise ApiError 400 or 422 for what the API does not take.
"""
import re
from urllib.parse import parse_qsl

from . import errors, json_text, releases, wrong_types
from .causes import Causes
from .decoding import Reader
from .field_validation import MODES, FieldValidation
from .resources import SCHEME, go_type, is_known

LONGEST_MANAGER = 128  # bytes
POLICIES = ('Foreground', 'Background', 'Orphan', 'nil')
EXACT, NOT_OLDER_THAN = MATCHES = ('Exact', 'NotOlderThan')
OPTIONS_GROUP = 'meta.k8s.io'
OPTIONS_SCHEME = 'k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27'
META_KINDS = ('CreateOptions', 'GetOptions', 'ListOptions', 'PatchOptions', 'Status', 'UpdateOptions', 'WatchEvent')


class Query(object):
    """The query of a URL. The first value of a name counts."""

    def __init__(self, text):
        self.values = {}
        for name, value in parse_qsl(text, keep_blank_values=True, errors='replace'):
            self.values.setdefault(name, []).append(value)

    def text(self, name):
        return self.values.get(name, [''])[0]

    def all(self, name):
        return self.values.get(name, [])

    def flag(self, name):
        """Return whether `name` is there, with any other value than false and 0."""
        return name in self.values and self.text(name).lower() not in ('false', '0')

    def number(self, name):
        try:
            return parse_integer(self.text(name)) if name in self.values else 0
        except ValueError as e:
            raise errors.bad_request(str(e))


def parse_integer(text, function='ParseInt', least=-2 ** 63, most=2 ** 63 - 1):
    """Return the number that Go reads in `text`. Raise ValueError with Go's complaint."""
    digits = text[1:] if text[:1] in ('-', '+') and function == 'ParseInt' else text
    if not re.match('[0-9]+\\Z', digits):
        raise ValueError('strconv.%s: parsing "%s": invalid syntax' % (function, text))
    if len(digits) > 30 or not least <= int(text) <= most:
        raise ValueError('strconv.%s: parsing "%s": value out of range' % (function, text))
    return int(text)


def parse_version(text):
    """Return a resourceVersion as an int, or None if it is ''. Raise ValueError with Go's complaint."""
    try:
        return parse_integer(text, 'ParseUint', 0, 2 ** 64 - 1) if text else None
    except ValueError as e:
        raise ValueError('resourceVersion: Invalid value: "%s": %s' % (text, e))


# Create, update, patch

def check_write(kind, query, release, is_apply=False):
    """Check the options of a write. Return whether it is a dry run.

    kind (str): CreateOptions, UpdateOptions or PatchOptions. is_apply (bool): whether it is a server-side apply.
    """
    causes = Causes()
    manager = query.text('fieldManager')
    if is_apply and not manager:
        causes.required('fieldManager', 'is required for apply patch')
    if kind == 'PatchOptions' and query.text('force') and not is_apply:
        causes.forbidden('force', 'may not be specified for non-apply patch')
    if len(manager.encode('utf8', 'surrogatepass')) > LONGEST_MANAGER:
        causes.append(('FieldValueTooLong', 'fieldManager', 'Too long: %s %d bytes' % (
            'may not be more than' if release >= releases.TOO_LONG_REWORDED else 'must have at most',
            LONGEST_MANAGER)))
    for i, character in enumerate(manager):
        if not character.isprintable():
            causes.invalid('fieldManager', manager, 'invalid character U+%04X (at position %d)' % (ord(character), i))
    check_dry_run(causes, query.all('dryRun'))
    validation = query.text('fieldValidation')
    if release >= releases.FIELD_VALIDATION:
        causes.one_of('fieldValidation', validation, MODES)
    refuse(kind, causes)
    return bool(query.all('dryRun'))


def check_dry_run(causes, values):
    if any(value != 'All' for value in values):
        given = ', '.join('"%s"' % value for value in values)
        causes.append(('FieldValueNotSupported', 'dryRun', 'Unsupported value: []string{%s}: supported values: "All"'
                       % given))


def refuse(kind, causes):
    if causes:
        raise errors.invalid(kind, '', causes, OPTIONS_GROUP)


# Lists and watches

def check_list(query, release):
    """Check the options of a list or a watch."""
    causes = Causes()
    if release < releases.INITIAL_EVENTS:
        check_old_list(causes, query)
    elif query.flag('watch'):
        check_watch(causes, query, release)
    else:
        check_match(causes, query)
        if 'sendInitialEvents' in query.values:
            causes.forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list')
    refuse('ListOptions', causes)


def check_old_list(causes, query):
    if query.flag('watch') and query.text('resourceVersionMatch'):
        causes.forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden for watch')
    check_match(causes, query)


def check_match(causes, query):
    match = query.text('resourceVersionMatch')
    if not match:
        return
    if not query.text('resourceVersion'):
        causes.forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided')
    if query.text('continue'):
        causes.forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided')
    causes.one_of('resourceVersionMatch', match, MATCHES + ('',))
    if match == EXACT and query.text('resourceVersion') == '0':
        causes.forbidden('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')


def check_watch(causes, query, release):
    match = query.text('resourceVersionMatch')
    initial = 'sendInitialEvents' in query.values
    if initial and match != NOT_OLDER_THAN:
        causes.forbidden('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to '
                                                 + NOT_OLDER_THAN)
    if match and not initial:
        causes.forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden for watch unless '
                                                 'sendInitialEvents is provided')
    if match:
        causes.one_of('resourceVersionMatch', match, (NOT_OLDER_THAN,))
    if query.text('continue') and release >= releases.WATCH_CONTINUE_FORBIDDEN:
        causes.forbidden('continue', 'continue is forbidden for watch')


# Deletions

def delete_options(body, query, release, of_many=False):
    """Return (DeleteOptions, whether it is a dry run). They are from the body if there is one, else from the query.

    of_many (bool): whether a collection is deleted. Then the API server reads a body of any of its kinds.
    """
    if body:
        options = read_delete_options(body, release, of_many)
    else:
        options = {name: query.text(name) for name in ('propagationPolicy',) if name in query.values}
        if query.values.get('gracePeriodSeconds'):
            options['gracePeriodSeconds'] = query.number('gracePeriodSeconds')
        if 'orphanDependents' in query.values:
            options['orphanDependents'] = query.flag('orphanDependents')
        options['dryRun'] = query.all('dryRun')
    causes = Causes()
    policy = options.get('propagationPolicy')
    if policy is not None and options.get('orphanDependents') is not None:
        causes.invalid('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set')
    if policy is not None:
        causes.one_of('propagationPolicy', policy, POLICIES)
    dry_run = options.get('dryRun') or []
    check_dry_run(causes, dry_run)
    refuse('DeleteOptions', causes)
    return options, bool(dry_run)


def read_delete_options(body, release, of_many):
    try:
        data = json_text.parse(body)
        if not isinstance(data, (dict, type(None))):
            raise ValueError(wrong_types.TYPE_META % wrong_types.json_type(data))
    except ValueError as e:
        raise undecodable("couldn't get version/kind; json parse error: %s" % e, release)
    data = data or {}
    kind, version = data.get('kind') or 'DeleteOptions', data.get('apiVersion') or 'v1'
    if kind != 'DeleteOptions':
        known = kind in META_KINDS or of_many and is_known(kind, version)
        raise undecodable('converting (%s) to (v1.DeleteOptions): unknown conversion' % go_type(kind, version)
                          if known else errors.unknown_kind(kind, version, SCHEME if of_many else OPTIONS_SCHEME),
                          release)
    try:
        return Reader(FieldValidation(release=release)).read_object(data, 'DeleteOptions', '')
    except wrong_types.WrongType as e:
        raise undecodable(wrong_types.describe(e, release), release)


def undecodable(message, release):
    if release >= releases.DELETE_OPTIONS_CHECKED:
        return errors.bad_request(message)
    return errors.ApiError(500, None, message)
