"""Kubernetes quantities such as `500m` or `10Gi`: what they are worth, so that they can be compared. Pure."""
import re
from fractions import Fraction
from typing import Any, Optional

LARGEST_EXPONENT = 100  # nobody means more, and its digits would be written out

_QUANTITY = re.compile(r'([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+|)\Z')

_FACTORS = {suffix: Fraction(10) ** power for suffix, power in (
    ('n', -9), ('u', -6), ('m', -3), ('', 0), ('k', 3), ('M', 6), ('G', 9), ('T', 12), ('P', 15), ('E', 18))}
_FACTORS.update((prefix + 'i', Fraction(1024) ** power) for power, prefix in enumerate('KMGTPE', 1))


def is_quantity(text: str) -> bool:
    """Return whether a string is a quantity as it stands, without blanks around it."""
    return _QUANTITY.match(text) is not None


def value_of(quantity: Any) -> Optional[Fraction]:
    """Return the number that a quantity (str or number) stands for; None for what is no quantity."""
    match = _QUANTITY.match(str(quantity).strip())
    if match is None:
        return None
    digits, suffix = match.groups()
    if suffix in _FACTORS:
        return Fraction(digits) * _FACTORS[suffix]
    exponent = int(suffix[1:])
    return Fraction(digits) * Fraction(10) ** exponent if abs(exponent) <= LARGEST_EXPONENT else None
