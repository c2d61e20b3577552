"""What may differ between the answers of localkube and of a real API server, with the release and the reason.

The differential test accepts these, and nothing else. The release is that of the real API server.
"""
import re
from collections import namedtuple


class Accepted(namedtuple('Accepted', 'release field first second reason path')):
    """An accepted difference. first: the real answer, second: localkube's.

    All but the reason are regular expressions. What groups named `same` match must be equal.
    """

    def __new__(cls, release, field, first, second, reason, path='.*'):
        return super().__new__(cls, release, field, first, second, reason, path)

    def accepts(self, path, field, first, second):
        if not re.match('(%s)$' % self.field, field) or not re.match(self.path, path):
            return False
        found = [re.match('(%s)$' % pattern, str(text), re.DOTALL) for pattern, text in (
            (self.first, first), (self.second, second))]
        return all(found) and len({match.groupdict().get('same', '') for match in found}) == 1


MESSAGE = r'message|details\.causes\[\d+\]\.message'
ODD_PATH = (r'.*(//|/\.|%|\?|/(proxy|scale|exec|nonsense|eviction|a/b|log|finalize|status|binding)\b)'
            r'|/(api|apis|version)\b[^_]*$')
CANNOT = r'.* cannot be handled as a .*: '

ACCEPTED = [Accepted(*row) for row in [
    # Words
    ('1.20', MESSAGE, r'.*(?P<same>may not change fields|after creation except).*',
     r'.*(?P<same>may not change fields|after creation except).*',
     "a real server appends what has changed, in Go's notation"),
    ('1.20', MESSAGE, r'(?P<same>.*)Invalid value: "\{.*\}": .*', r'(?P<same>.*)Invalid value: "\{.*\}": .*',
     'the result of a patch is shown with its fields in another order, and is cut'),
    ('1.20', MESSAGE, r'(?P<same>.*)Invalid value: "map\[.*\]": .*', r'(?P<same>.*)Invalid value: "map\[.*\]": .*',
     'other words for wrong types in a strategic merge patch'),
    ('1.20', 'message', CANNOT + '(.*[.:] ?)?(?P<same>[^.: ]+: .*)', CANNOT + '(.*[.:] ?)?(?P<same>[^.: ]+: .*)',
     'its decoder names wrong paths when several fields follow each other'),
    ('1.20', 'message', CANNOT + '.*parsing time.*', CANNOT + '.*parsing time.*', 'what is wrong with a time'),
    ('1.20', 'message', CANNOT + '.*Expect }.*|' + CANNOT + '.*expect }.*', CANNOT + '.*can not decode float as int',
     'its decoder stumbles over exponents'),
    ('1.20', 'message', CANNOT + '.*unexpected character.*', CANNOT + '.*base64Codec: invalid input',
     'a list of numbers is bytes to its decoder'),
    ('1.20', 'message', 'EOF', 'unexpected end of JSON input', 'a patch of blanks'),
    ('1.20', MESSAGE, r'.*\\x(ff|00).*', '.*[\ufffd\x00 ].*', 'bytes that are not UTF-8'),
    ('1.20', 'message', CANNOT + 'no kind.*', CANNOT + 'no kind.*', 'versions that are none'),
    ('1.20', 'message', '.*[.](kind|apiVersion) of type string .*', '.*name must be provided',
     'fields of another case, in which a real server looks for the kind'),
    ('1.20', 'message', '(?P<same>unexpected) EOF', '(?P<same>unexpected) end of JSON input', 'a patch that is cut'),
    ('1.20', 'code', '400 .*name must be provided', '422 .*', 'a patch that removes the kind or the version'),
    ('1.20', r'details\.causes.*', '.*(metadata.finalizers|metadata.deletion|neither a standard|field is immutable|'
     'Required|Duplicate).*', '.*', 'the order of complaints about an update'),
    ('1.20', r'details\.causes.*', '.*', '.*', 'how often, and in which order, it tells what is wrong',
     '.*/(services|persistentvolumeclaims)/'),
    ('1.20', 'message', '(?P<same>[^ ]+ "[^"]+") is invalid: .*', '(?P<same>[^ ]+ "[^"]+") is invalid: .*',
     'the same', '.*/(services|persistentvolumeclaims)/'),
    # Codes
    ('1.20', 'code', '200 .*', '422 the server rejected our request due to an error in our request',
     'a JSON patch that the RFC forbids and 1.20 accepts'),
    ('1.20', 'code', '410 .*', '200 .*', 'a real server forgets its history every five minutes'),
    ('1.20', 'code', '422 Service .*', '(409|500) .*', 'services are checked before their version is'),
    ('1.20', 'code', '422 .*metadata.deletion.*: field is immutable.*', '200 .*',
     'localkube ignores a changed deletionTimestamp'),
    ('1.20', 'code', r'422 .*metadata.conditions\[0\].Type.*', '(200|500) .*', 'conditions of pods without a type'),
    ('1.20', 'code', '422 .*resourceFieldRef.divisor.*', '20[01].*', 'localkube does not check divisors'),
    ('1.20', 'code', '422 [A-Z].*Options.*', '415 .*', 'which of two complaints comes first'),
    ('1.20', 'code', '422 .*selector.*', '409 .*', 'which of two complaints comes first'),
    ('1.20', 'message', r'.*metadata.resourceVersion: Invalid value: "": must be specified for an update.*',
     r'.*metadata.resourceVersion: Invalid value: "": must be specified for an update', 'and what else is wrong'),
    ('1.20', 'code', '406 only the following.*', '200.*', 'localkube sends its own documents to everybody',
     '/(api|apis|version)'),
    ('1.20', 'message', CANNOT + 'no kind.*', '.*name must be provided',
     'fields of another case, in which a real server looks for the version'),
    # Paths
    ('1.20', 'details.*|message', '.*', '{}|<missing>|the server could not find the requested resource',
     'paths that do not exist', ODD_PATH),
    ('1.20', 'code', '(200|400|404|405|406|415|500) .*', '(200|400 Name parameter|404|405) .*',
     'paths that are none: a real server looks for other things first', r'.*(//|/\.|%|/proxy|/scale|/exec|/eviction)'),
    ('1.20', 'message', '.*', 'Name parameter invalid.*', 'names that are none'),
    ('1.20', '.*', '.*', '404 page not found\n|<missing>|text/plain; charset=utf-8', 'below /version', '/version/'),
    ('1.20', '(groups|resources|serverAddress|buildDate|compiler|git|goVersion|platform).*', '.*', '.*',
     'a real server serves more kinds, at another address', '/(api|apis|version)'),
    ('1.20', 'apiVersion', '<missing>', 'v1', 'of a discovery document', '/api/v1'),
]]
