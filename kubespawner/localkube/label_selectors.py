"""Label selectors: `a=b,c!=d,e in (f,g),!h,i>5`.

What belongs here: reading and matching them. What does not: field selectors (selectors.py). Pure; any thread.
"""
import re

from . import errors
from .causes import FORMATS, LABEL_VALUE, Causes, validate_key

TOKEN = re.compile(r'\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+|\Z)')
OPERATORS = ('=', '==', '!=', 'in', 'notin', '>', '<')
SYMBOLS = set('=!(),<>') | {'==', '!=', ''}


class Complaint(Exception):
    pass


class Requirement(Complaint):
    """A complaint about one requirement."""


def parse(text):
    """Return a predicate on a dictionary of labels. Raise ApiError 400 for an invalid selector."""
    try:
        tests = Reader(text).read()
    except Requirement as e:
        raise errors.bad_request('unable to parse requirement: %s' % e)
    except Complaint as e:
        raise errors.bad_request(str(e))
    return lambda labels: all(test(labels) for test in tests)


class Reader(object):
    """Reads the tokens of a selector from left to right; '' is the end."""

    def __init__(self, text):
        self.tokens = TOKEN.findall(text)

    def peek(self):
        return self.tokens[0] if self.tokens else ''

    def take(self):
        return self.tokens.pop(0) if self.tokens else ''

    def read(self):
        tests = []
        while self.peek():
            if self.peek() in SYMBOLS - {'!'}:
                raise Complaint("found '%s', expected: !, identifier, or 'end of string'" % self.peek())
            tests.append(self.requirement())
            separator = self.take()
            if separator not in ('', ','):
                raise Complaint("found '%s', expected: ',' or 'end of string'" % separator)
            if separator and self.peek() in SYMBOLS - {'!'}:
                raise Complaint("found '%s', expected: identifier after ','" % self.peek())
        return tests

    def requirement(self):
        absent = self.peek() == '!'
        if absent:
            self.take()
        key = self.take()
        if key in SYMBOLS:
            raise Requirement("found '%s', expected: identifier" % key)
        check_key(key)
        if absent:
            return lambda labels: key not in labels
        if self.peek() in ('', ','):
            return lambda labels: key in labels
        operator = self.take()
        if operator not in OPERATORS:
            raise Requirement("found '%s', expected: '=', '!=', '==', 'in', notin'" % operator)
        values = self.values() if operator in ('in', 'notin') else {self.exact_value()}
        return test_of(key, operator, values)

    def exact_value(self):
        if self.peek() in ('', ','):
            return ''
        value = self.take()
        if value in SYMBOLS:
            raise Requirement("found '%s', expected: identifier" % value)
        return value

    def values(self):
        bracket = self.take()
        if bracket != '(':
            raise Requirement("found '%s' expected: '('" % bracket)
        if self.peek() in SYMBOLS - {',', ')'}:
            raise Requirement("found '%s', expected: ',', ')' or identifier" % self.peek())
        values, previous = set(), ','
        while True:
            token = self.take()
            if token in SYMBOLS - {',', ')'} or previous != ',' and token not in ',)':
                raise Requirement("found '%s', expected: ',' or ')'" % token)
            if token not in (',', ')'):
                values.add(token)
            elif previous == ',':
                values.add('')
            if token == ')':
                return values
            previous = token


def test_of(key, operator, values):
    for value in sorted(values):
        check_value(key, value)
    value = min(values)
    if operator in ('>', '<'):
        limit = integer(value)
        if limit is None:
            raise Requirement("for 'Gt', 'Lt' operators, the value must be an integer")
        return lambda labels: compares(integer(labels.get(key, '')), operator, limit)
    if operator in ('!=', 'notin'):
        return lambda labels: labels.get(key) not in values
    return lambda labels: labels.get(key) in values


def compares(number, operator, limit):
    return number is not None and (number > limit if operator == '>' else number < limit)


def integer(text):
    return int(text) if re.match(r'[-+]?[0-9]{1,18}\Z', text) else None


def check_key(key):
    causes = Causes()
    validate_key(causes, '', key)
    if causes:
        raise Requirement('invalid label key %s' % '; '.join(
            [causes[0][2].partition('Invalid value: ')[2]] + [after_value(cause, key) for cause in causes[1:]]))


def after_value(cause, value):
    return cause[2].partition('"%s": ' % value)[2]


def check_value(key, value):
    pattern, longest = FORMATS[LABEL_VALUE]
    complaints = ['must be no more than %d characters' % longest] if len(value) > longest else []
    complaints += [] if pattern.match(value) else [LABEL_VALUE]
    if complaints:
        raise Requirement('invalid label value: "%s": at key: "%s": %s' % (value, key, '; '.join(complaints)))
