"""The findings of a check. Pure."""
from collections import namedtuple

FINE, WARNING, BROKEN, UNKNOWN = 'fine', 'warning', 'broken', 'unknown'

Finding = namedtuple('Finding', 'level sentence advice')
Finding.__doc__ += """: one line of the doctor.

level (str): FINE, WARNING, BROKEN (no server starts, or some do not), or UNKNOWN (nobody could answer).
sentence (str): what, and why. advice (str): what to do; may be empty.
"""


def fine(sentence):
    return Finding(FINE, sentence, '')


def warning(sentence, advice=''):
    return Finding(WARNING, sentence, advice)


def broken(sentence, advice=''):
    return Finding(BROKEN, sentence, advice)


def unknown(sentence, advice=''):
    return Finding(UNKNOWN, sentence, advice)
