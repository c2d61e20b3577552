"""Field validation: what a request wants done about unknown, duplicate and wrongly cased fields.

What belongs here: collecting such fields, and the answer because of them. What does not: finding unknown fields
(decoding.py). One object serves one request; no thread shares it.
"""
from . import errors, releases

MODES = ('', 'Ignore', 'Strict', 'Warn')
MOST = 100  # complaints about one request
LONGEST_WARNING = 256  # characters of a warning, when they are long altogether
LONGEST_WARNINGS = 4096


class Pairs(dict):
    """A JSON object that names some of its keys more than once: these are `duplicates`."""

    duplicates = ()


def from_pairs(pairs):
    """Return a JSON object, for json.loads. The last value of a key counts, as in Kubernetes."""
    result = dict(pairs)
    if len(result) == len(pairs):
        return result
    result, seen, duplicates = Pairs(result), set(), []
    for key, _ in pairs:
        if key in seen:
            duplicates.append(key)
        seen.add(key)
    result.duplicates = duplicates
    return result


class FieldValidation(object):
    """Collects the complaints about the fields of one request.

    mode (str): the request's fieldValidation; '' means Warn.
    release (tuple): the release of Kubernetes that answers. Before 1.25 such fields are dropped in silence.
    """

    def __init__(self, mode='Ignore', release=releases.TODAY):
        self.release = release
        self.mode = (mode or 'Warn') if release >= releases.FIELD_VALIDATION else 'Ignore'
        self.complaints = []

    def unknown(self, path):
        self.complain('unknown field "%s"' % path)

    def complain(self, complaint):
        if self.mode != 'Ignore' and len(self.complaints) < MOST and complaint not in self.complaints:
            self.complaints.append(complaint)

    def find_duplicates(self, value, path=''):
        """Complain about every key that a parsed JSON value names twice."""
        if self.mode == 'Ignore':
            return
        if isinstance(value, dict):
            for key in getattr(value, 'duplicates', ()):
                self.complain('duplicate field "%s%s"' % (path, key))
            for key, each in value.items():
                self.find_duplicates(each, '%s%s.' % (path, key))
        elif isinstance(value, list):
            for i, each in enumerate(value):
                self.find_duplicates(each, '%s[%d].' % (path[:-1], i))

    @property
    def error(self):
        """What is wrong, in one line; '' if nothing is wrong, or it does not matter."""
        if self.mode != 'Strict' or not self.complaints:
            return ''
        return 'strict decoding error: ' + ', '.join(self.complaints)

    def check(self, go_name):
        """Raise ApiError 400 if something is wrong with a whole object, and the request is strict."""
        if self.error:
            raise errors.cannot_be_handled(go_name, self.error)

    def warnings(self):
        """Return the texts of the headers of the answer."""
        if self.mode != 'Warn':
            return []
        if sum(map(len, self.complaints)) > LONGEST_WARNINGS:
            return [complaint[:LONGEST_WARNING] for complaint in self.complaints][:LONGEST_WARNINGS // LONGEST_WARNING]
        return self.complaints


def warning_header(text):
    """Return the value of a Warning header."""
    return '299 - "%s"' % text.replace('\\', '\\\\').replace('"', '\\"')
