"""How names become names in Kubernetes, under the names that other packages import. The rules are in `naming`.

`safe_slug` here leaves alone each name that passes `is_valid`, as the releases do. That of `naming`, of which templates
are made, also keeps a limit.
"""
import re

from . import naming

__all__ = ['escape_slug', 'is_valid_default', 'is_valid_label', 'is_valid_object_name', 'multi_slug', 'safe_slug',
           'strip_and_hash']

_OBJECT_NAME = re.compile(r'[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?\Z')
SHORTEST = naming.SLUG_SUFFIX_LENGTH + 1  # characters: one of the name, and the hash


def is_valid_label(text):
    """Return whether a label may have this value. It may be empty."""
    return naming.is_label_value(text)


def is_valid_object_name(text):
    """Return whether any object may have this name: a DNS label (RFC 1035) that begins with a letter."""
    return bool(_OBJECT_NAME.match(text))


def is_valid_default(text):
    """Return whether this may be the name of an object and the value of a label."""
    return is_valid_object_name(text) and is_valid_label(text)


def escape_slug(name):
    """Return `name` in `[a-z0-9-]`, each byte of other characters as `-` and two hexadecimal digits."""
    return naming.escape(name)


def safe_slug(name, is_valid=is_valid_default, max_length=None):
    """Return `name` if it is valid, has no `--` and is not too long; otherwise a slug of it that ends in a hash.

    is_valid (callable): returns whether a name may stay as it is.
    max_length (int or None): characters. None sets no limit to a name that is valid, and 32 to what is made of another.

    Raises ValueError if there is no room for a hash.
    """
    if '--' not in name and is_valid(name) and (max_length is None or len(name) <= max_length):
        return name
    return strip_and_hash(name, max_length or 32)


def strip_and_hash(name, max_length=32):
    """Return at most `max_length` characters: what is left of `name` without unsafe characters, `---` and a hash of it.

    Raises ValueError if there is no room for that.
    """
    if max_length < SHORTEST:
        raise ValueError('A slug with a hash needs at least %d characters; %d is too few.' % (SHORTEST, max_length))
    return naming.hashed_slug(name, max_length)


def multi_slug(names, max_length=48):
    """Return one slug for several names: what is left of each, with `--` between them, `---` and a hash of all.

    Raises ValueError if there are no names, or if there is no room for them.
    """
    names = list(names)
    if not names or max_length < SHORTEST + 3 * (len(names) - 1):
        raise ValueError('%d characters are too few for a slug of %d names.' % (max_length, len(names)))
    return naming.joined_slug(names, max_length)
