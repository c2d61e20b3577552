"""Quantities such as 500m or 1Gi: parsing, comparing and formatting.

What belongs here: arithmetic. What does not: limits and quotas. Pure; any thread.
"""
import re
from fractions import Fraction

PATTERN = re.compile(r'([+-]?(?:\d+\.?\d*|\.\d+))(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d+)|)$')
COMPLAINT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
DECIMAL = {'n': -9, 'u': -6, 'm': -3, '': 0, 'k': 3, 'M': 6, 'G': 9, 'T': 12, 'P': 15, 'E': 18}


def parse(text):
    """Return a quantity's value as a Fraction. Raise ValueError if it is not a quantity."""
    return read(text)[0]


def read(text):
    """Return (value, 'binary', 'decimal' or 'exponent')."""
    match = PATTERN.match(str(text).strip())
    if not match:
        raise ValueError(COMPLAINT)
    digits, binary, decimal, exponent = match.groups()
    if binary:
        return Fraction(digits) * 1024 ** BINARY.index(binary), 'binary'
    if exponent:
        if abs(int(exponent)) > 100:
            raise ValueError(COMPLAINT)
        return Fraction(digits) * Fraction(10) ** int(exponent), 'exponent'
    return Fraction(digits) * Fraction(10) ** DECIMAL[decimal or ''], 'decimal'


def canonical(text):
    """Return the canonical form of a quantity: no fraction, and the largest suffix that keeps the value."""
    return write(*read(text))


def write(value, form):
    """Return the canonical text of a value. `form` is as `read` returns it."""
    if not value:
        return '0'
    if form == 'binary' and value.denominator == 1 and abs(value) >= 1024:
        return with_binary_suffix(int(value))
    value = Fraction(-(-value * 10 ** 9 // 1), 10 ** 9)  # rounded up to the smallest unit, nano
    suffix = max((suffix for suffix in DECIMAL if (value / Fraction(10) ** DECIMAL[suffix]).denominator == 1),
                 key=DECIMAL.get)
    digits = value / Fraction(10) ** DECIMAL[suffix]
    if form == 'exponent' and suffix:
        return '%de%d' % (digits, DECIMAL[suffix])
    return '%d%s' % (digits, suffix)


def with_binary_suffix(value):
    power = 0
    while value % 1024 == 0 and power < len(BINARY) - 1:
        value //= 1024
        power += 1
    return '%d%s' % (value, BINARY[power])


def add(one, other):
    """Return the sum of two quantities, in the format of the first unless that is zero."""
    (value, form), (more, other_form) = read(one), read(other)
    return write(value + more, form if value else other_form)


def subtract(one, other):
    """Return the difference of two quantities, in the format of the first unless that is zero."""
    (value, form), (less, other_form) = read(one), read(other)
    return write(value - less, form if value else other_form)


def larger(one, other):
    return other if parse(other) > parse(one) else one
