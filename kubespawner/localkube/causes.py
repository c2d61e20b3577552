"""The causes of a 422, and the formats of names and keys.

What belongs here: messages and formats for validation.py and validation_pod.py. What does not: rules for any kind of
object. Pure; any thread.
"""
import ipaddress
import re

from .errors import quoted

LABEL = ("a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
         "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
         "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')")
SUBDOMAIN = ("a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
             "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
             "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')")
WILDCARD_SUBDOMAIN = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', "
    "regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')")
LABEL_1035 = ("a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
              "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
              "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')")
KEY_NAME = ("name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
            "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
            "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')")
LABEL_VALUE = ("a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
               "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
               "for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')")
CONFIG_KEY = ("a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
              "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')")
FORMATS = {  # complaint -> (pattern, longest)
    LABEL: (re.compile(r'[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z'), 63),
    SUBDOMAIN: (re.compile(r'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z'), 253),
    WILDCARD_SUBDOMAIN: (re.compile(r'\*(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+\Z'), 253),
    LABEL_1035: (re.compile(r'[a-z]([-a-z0-9]*[a-z0-9])?\Z'), 63),
    KEY_NAME: (re.compile(r'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\Z'), 63),
    LABEL_VALUE: (re.compile(r'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?\Z'), 63),
    CONFIG_KEY: (re.compile(r'[-._a-zA-Z0-9]+\Z'), 253),
}


class Causes(list):
    """The errors in an object: [(reason, field, message)], for `errors.invalid`."""

    def required(self, field, why=''):
        self.append(('FieldValueRequired', field, 'Required value' + (': ' + why if why else '')))

    def invalid(self, field, value, why):
        self.append(('FieldValueInvalid', field, 'Invalid value: %s: %s' % (quoted(value), why)))

    def duplicate(self, field, value):
        self.append(('FieldValueDuplicate', field, 'Duplicate value: ' + quoted(value)))

    def forbidden(self, field, why):
        self.append(('FieldValueForbidden', field, 'Forbidden: ' + why))

    def not_found(self, field, value):
        self.append(('FieldValueNotFound', field, 'Not found: ' + quoted(value)))

    def one_of(self, field, value, supported):
        if value not in supported:
            self.append(('FieldValueNotSupported', field, 'Unsupported value: %s: supported values: %s'
                         % (quoted(value), ', '.join(quoted(each) for each in supported))))

    def format(self, field, value, expected):
        """Add a cause unless `value` matches `expected`, a key of FORMATS."""
        pattern, longest = FORMATS[expected]
        if len(value) > longest:
            self.invalid(field, value, 'must be no more than %d characters' % longest)
        if not pattern.match(value):
            self.invalid(field, value, expected)

    def port(self, field, value):
        if not isinstance(value, int) or not 1 <= value <= 65535:
            self.invalid(field, value, 'must be between 1 and 65535, inclusive')

    def immutable(self, field, new, old):
        if new != old:
            self.invalid(field, new, 'field is immutable')


def quoted_list(values):
    """Return strings as Go quotes a slice of them: ["a" "b"]."""
    return '[%s]' % ' '.join(map(quoted, values))


def validate_labels(causes, field, labels):
    for key, value in labels.items():
        validate_key(causes, field, key)
        causes.format(field, value, LABEL_VALUE)


def validate_key(causes, field, key):
    """Add a cause unless `key` is a qualified name: `name` or `prefix/name`."""
    prefix, slash, name = key.rpartition('/')
    if slash and not FORMATS[SUBDOMAIN][0].match(prefix):
        causes.invalid(field, key, 'prefix part ' + SUBDOMAIN)
    if not name:
        causes.invalid(field, key, 'name part must be non-empty')
    elif len(name) > 63:
        causes.invalid(field, key, 'name part must be no more than 63 characters')
    if not FORMATS[KEY_NAME][0].match(name):
        causes.invalid(field, key, KEY_NAME)


def validate_port_name(causes, field, name):
    if len(name) > 15:
        causes.invalid(field, name, 'must be no more than 15 characters')
    if not re.match(r'[-a-z0-9]+\Z', name):
        causes.invalid(field, name, 'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
    if not re.search('[a-z]', name):
        causes.invalid(field, name, 'must contain at least one letter or number (a-z, 0-9)')
    if '--' in name:
        causes.invalid(field, name, 'must not contain consecutive hyphens')
    if name[:1] == '-' or name[-1:] == '-':
        causes.invalid(field, name, 'must not begin or end with a hyphen')


def is_ip(text):
    """Return whether `text` is an IPv4 or IPv6 address."""
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def is_address(text):
    return bool(re.match(r'(\d{1,3}\.){3}\d{1,3}\Z', text)) and all(int(part) < 256 for part in text.split('.'))
