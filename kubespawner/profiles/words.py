"""Words about profiles: the keys of options, the meaning of misspelt names, and quotations in errors. Any thread."""
import difflib
import reprlib

UNLISTED = 'unlisted-choice'
AS_UNLISTED = '--' + UNLISTED

VALUE = '{value}'  # stands for the value that a user entered

ALIKE = 0.8  # how similar to a known name an unknown one must be to be a misspelling of it

SHOWN, SHOWN_NAMES = 60, 10  # characters of a text, and names of a list, that an error quotes at most


def quoted(value):
    text = value if isinstance(value, str) else reprlib.repr(value)  # which is short, however deep or long the value is
    return '"%s"' % (text if len(text) <= SHOWN else text[:SHOWN - 1] + '\u2026')


def in_words(names):
    return listed([quoted(name) for name in names])


def listed(texts):
    return ', '.join(texts[:SHOWN_NAMES]) + (' and %d more' % (len(texts) - SHOWN_NAMES)
                                             if len(texts) > SHOWN_NAMES else '')


def meant(name, names):
    """Return the name that is probably meant by a misspelt one, or None.

    names (iterable of str): all valid names.
    """
    return next(iter(difflib.get_close_matches(name, names, 1, ALIKE)), None)
