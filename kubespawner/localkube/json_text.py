"""JSON as the API reads it: what Go takes, Go's words for what it does not take, and bounds on size and depth.

What belongs here: bytes to plain values. What does not: what the values mean (decoding.py). Pure; any thread.
"""
import json
import math
import re

from .field_validation import from_pairs

DEEPEST = 200  # levels; Go reads 10,000, Python's recursion not that many
DEEPEST_IN_GO = 10000
MANY_DIGITS = 40  # Python needs quadratic time for long integers
TOO_DEEP = 'exceeded max depth'
LONE_SURROGATE = re.compile('[\ud800-\udfff]')
STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*')
NUMBER = re.compile(r'-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?')
SPACE = re.compile(r'[ \t\r\n]*')
CONTROLS = {'\n': '\\n', '\t': '\\t', '\r': '\\r'}
LITERALS = ('true', 'false', 'null')
END = 'unexpected end of JSON input'


def parse(body):
    """Return the value in `body` (bytes). Raise ValueError with Go's complaint.

    An object that names a key twice is a field_validation.Pairs.
    """
    text = body.decode('utf8', 'replace')  # as Go does
    try:
        value = json.loads(text, object_pairs_hook=from_pairs, parse_int=parse_int, parse_float=parse_float,
                           parse_constant=parse_constant)
    except RecursionError:
        raise ValueError(complaint(body) or TOO_DEEP)
    except OutOfRange:
        if is_number(text.strip()):
            return 0.0  # which is no object either
        raise
    except ValueError:
        raise ValueError(complaint(body) or 'invalid JSON')
    if deeper_than(value, DEEPEST):
        raise ValueError(TOO_DEEP)
    return without_surrogates(value) if '\\ud' in text.lower() else value


class OutOfRange(ValueError):
    """A number that no float64 can hold."""


def is_number(text):
    match = NUMBER.match(text)
    return bool(match) and match.end() == len(text)


def parse_int(text):
    return int(text) if len(text) < MANY_DIGITS else parse_float(text)


def parse_float(text):
    value = float(text)
    if math.isinf(value):
        raise OutOfRange('json: cannot unmarshal number %.100s into Go value of type float64' % text)
    return value


def parse_constant(text):
    raise ValueError(text)


def deeper_than(value, most):
    """Return whether objects and lists are nested in each other more than `most` times."""
    level = [value]
    for _ in range(most + 1):
        level = [child for each in level if isinstance(each, (dict, list))
                 for child in (each.values() if isinstance(each, dict) else each)]
        if not level:
            return False
    return True


def without_surrogates(value):
    """Return a value whose strings have U+FFFD for each half of a surrogate pair."""
    if isinstance(value, str):
        return LONE_SURROGATE.sub('\ufffd', value)
    if isinstance(value, list):
        return [without_surrogates(each) for each in value]
    if isinstance(value, dict):
        return from_pairs([(without_surrogates(key), without_surrogates(each)) for key, each in value.items()])
    return value


def summary(body):
    """Return the beginning of a body for a message, in hexadecimal digits unless it begins like an object."""
    if not body:
        return '<empty>'
    begin = body[:30]
    text = begin.decode('utf8', 'replace') if body.startswith(b'{') else ''.join('%02x' % byte for byte in begin)
    return text + ' ...' if len(body) > 30 else text


# Go's complaints

def complaint(body):
    """Return why `body` is not JSON; '' if it is."""
    try:
        return Scanner(body.decode('latin1')).scan()  # as Go shows the first byte of a character
    except Complaint as e:
        return str(e)


class Complaint(Exception):
    """What is wrong with a text."""


class Scanner(object):
    """Finds where a text stops being JSON.

    Each method reads what begins with `character`, and returns the name of the method for what comes next.
    """

    def __init__(self, text):
        self.text = text
        self.at = 0
        self.open = []  # '{' or '[' for each object and list around

    def scan(self):
        following = 'value'
        while following != 'after_value' or self.open:
            following = getattr(self, following)(self.peek())
        self.skip_space()
        if self.at < len(self.text):
            self.refuse('after top-level value')
        return ''

    def skip_space(self):
        self.at = SPACE.match(self.text, self.at).end()

    def peek(self):
        self.skip_space()
        if self.at == len(self.text):
            raise Complaint(END)
        return self.text[self.at]

    def refuse(self, where):
        if self.at >= len(self.text):
            raise Complaint(END)
        raise Complaint('invalid character %s %s' % (quoted(self.text[self.at]), where))

    def value(self, character):
        if character in '{[':
            self.at += 1
            self.open.append(character)
            if len(self.open) > DEEPEST_IN_GO:
                raise Complaint(TOO_DEEP)
            return 'first_key' if character == '{' else 'first_item'
        if character == '"':
            self.string()
        elif character in '-0123456789':
            self.number()
        elif character in 'tfn':
            self.literal()
        else:
            self.refuse('looking for beginning of value')
        return 'after_value'

    def first_item(self, character):
        return self.close() if character == ']' else self.value(character)

    def first_key(self, character):
        return self.close() if character == '}' else self.key(character)

    def key(self, character):
        if character != '"':
            self.refuse('looking for beginning of object key string')
        self.string()
        if self.peek() != ':':
            self.refuse('after object key')
        self.at += 1
        return 'value'

    def after_value(self, character):
        inside = self.open[-1]
        if character == (']' if inside == '[' else '}'):
            return self.close()
        if character != ',':
            self.refuse('after array element' if inside == '[' else 'after object key:value pair')
        self.at += 1
        return 'value' if inside == '[' else 'key'

    def close(self):
        self.at += 1
        self.open.pop()
        return 'after_value'

    def string(self):
        self.at = STRING.match(self.text, self.at).end()
        following = self.text[self.at:self.at + 1]
        if following == '\\':
            self.at += 1
            self.refuse('in string escape code')
        if following != '"':
            self.refuse('in string literal')
        self.at += 1

    def number(self):
        match = NUMBER.match(self.text, self.at)
        if not match:
            self.at += 1
            self.refuse('in numeric literal')
        self.at = match.end()

    def literal(self):
        word = next(word for word in LITERALS if word[0] == self.text[self.at])
        for letter in word:
            if self.text[self.at:self.at + 1] != letter:
                self.refuse('in literal %s (expecting %s)' % (word, quoted(letter)))
            self.at += 1


def quoted(character):
    if character in '\'"':
        return {"'": "'\\''", '"': "'\"'"}[character]
    if character == '\\':
        return "'\\\\'"
    if character < ' ' or character == '\x7f':
        return "'%s'" % CONTROLS.get(character, '\\x%02x' % ord(character))
    return "'%s'" % character
