"""What may differ between the answers of localkube and of a real API server, and why.

The differential test accepts these, and nothing else. The release is that of the real API server.
"""
import re
from collections import namedtuple

ANY = r'(.|\n)*'


class Accepted(namedtuple('Accepted', 'release field first second reason')):
    """An accepted difference. first: the real answer, second: localkube's.

    `field`, `first` and `second` are regular expressions. With groups named `same` in both, these must be equal.
    """

    def accepts(self, field, first, second):
        if not re.match('(%s)$' % self.field, field):
            return False
        found = [re.match('(%s)$' % pattern, str(text), re.DOTALL) for pattern, text in (
            (self.first, first), (self.second, second))]
        return all(found) and len({match.groupdict().get('same', '') for match in found}) == 1


ACCEPTED = [Accepted(*row) for row in [
    ('1.20', r'message|details\.causes\[\d+\]\.message', '(?P<same>.*(may not change fields|after creation except|'
     'immutable).*?)(\n.*)?', '(?P<same>.*)', "a real server appends the difference, in Go's notation"),
    ('1.20', r'message|details\.causes\[\d+\]\.message', r'(?P<same>.*)Invalid value: "\{.*\}": .*', r'(?P<same>.*)Invalid value: "\{.*\}": .*',
     'the result of a patch is shown with its fields in another order, and is cut'),
    ('1.20', 'message', r'.*(?P<same>may not change fields|after creation except).*', '.*(?P<same>may not change fields|after creation except).*',
     "a real server appends the difference, in Go's notation"),
    ('1.20', 'message', r'.*struct Decode: expect }.*', r'.*can not decode float as int', 'its decoder stumbles over exponents'),
    ('1.20', 'details.*', '.*', '{}|<missing>', 'the details of a path that does not exist'),
    ('1.20', 'code', '500 Internal Server Error: .*failed to create RequestInfo.*|405 .*', '404 .*',
     'paths that are none: a real server first looks for a namespace and a verb in them'),
    ('1.20', '.*', '.*', '404 page not found\n|<missing>|text/plain; charset=utf-8', 'below /version'),
    ('1.20', 'message', r'.* cannot be handled as a .*: (?P<same>[^:]+: [^:]+)', r'.* cannot be handled as a .*: (?P<same>[^:]+: [^:]+)',
     'its decoder names wrong paths when several fields follow each other'),
]]
