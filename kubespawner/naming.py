"""Who is called what: pods, claims, label values, and the fields that templates may use.

Here belongs every rule by which a user's or server's name becomes a name in Kubernetes. Nothing here knows spawners,
clients or time: plain strings in, plain strings out, on any thread.

The rules keep names apart. `escape` is injective and its results never contain `--`, so `{username}{servername}`,
with `--` in front of the server's part, tells all pairs of user and server apart. What then does not fit Kubernetes
is cut and ends in a hash of the whole; what merely looks as if it had been cut is treated as if it did not fit, so
that no name that was left alone equals one that was cut.
"""
import hashlib
import re
import string

SAFE_CHARACTERS = frozenset(string.ascii_lowercase + string.digits)
NAME_LIMIT = 63  # of a DNS label (RFC 1123) and of a label value
HASH_LENGTH = 20  # hexadecimal digits: 80 bits, too many to find a second name for

_DNS_LABEL = re.compile(r'[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?\Z')
_LABEL_VALUE = re.compile(r'(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?\Z')
_CUT = re.compile(r'(?:\A|-)[0-9a-f]{%d}\Z' % HASH_LENGTH)


def escape(name):
    """Return `name` in `[a-z0-9]`, each byte (UTF-8) of other characters as `-` and two hexadecimal digits."""
    return ''.join(c if c in SAFE_CHARACTERS else _escape_character(c) for c in name)


def _escape_character(character):
    return ''.join('-%02x' % byte for byte in character.encode('utf8', 'surrogatepass'))


def legacy_escape(name):
    """Return `name` in lower case with `-` for every other character. Different names can become one."""
    return ''.join(c if c in SAFE_CHARACTERS else '-' for c in name.lower())


def template_fields(username, userid, servername):
    """Return what templates may use, by field name.

    username, servername (str): as JupyterHub has them; the default server's name is empty.
    userid (int): JupyterHub's number of the user.
    """
    return {
        'username': escape(username),
        'userid': userid,
        'servername': '--' + escape(servername) if servername else '',
        'legacy_escape_username': legacy_escape(username),
    }


def expand(template, fields):
    """Return the string `template` with each `{field}` replaced, once; `{{` and `}}` stand for braces.

    Raises ValueError, naming the template and the fields there are. Attributes of fields are not to be had.
    """
    try:
        if '.' in template:
            _refuse_attributes(template)
        return template.format(**fields)
    except (LookupError, ValueError, AttributeError, TypeError) as e:
        raise ValueError('cannot expand the template %r (%s: %s). Its fields may be %s; a brace itself is doubled.' % (
            template, type(e).__name__, e, ', '.join('{%s}' % field for field in sorted(fields))))


def _refuse_attributes(template):
    for _, field, specification, _ in string.Formatter().parse(template):
        if '.' in (field or ''):
            raise AttributeError('%s asks for an attribute' % field)
        if specification:
            _refuse_attributes(specification)


def expand_all(value, expand_one):
    """Return `value` with `expand_one(string)` for every string in it, through lists and dicts (their keys stay)."""
    if isinstance(value, str):
        return expand_one(value)
    if isinstance(value, dict):
        return {key: expand_all(item, expand_one) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [expand_all(item, expand_one) for item in value]
    return value


def object_name(wanted):
    """Return `wanted` if it is a DNS label, otherwise a DNS label made of it that ends in a hash."""
    if _DNS_LABEL.match(wanted) and not _CUT.search(wanted):
        return wanted
    return _cut(re.sub('[^a-z0-9]', '-', wanted.lower()), wanted)


def label_value(wanted):
    """Return `wanted` if it may be a label's value, otherwise a label value made of it that ends in a hash."""
    if _LABEL_VALUE.match(wanted) and not _CUT.search(wanted):
        return wanted
    return _cut(re.sub('[^A-Za-z0-9_.]', '-', wanted), wanted)


def _cut(stem, whole):
    """Return at most NAME_LIMIT characters: the beginning of `stem`, then a hash of `whole`."""
    room = NAME_LIMIT - HASH_LENGTH - 1
    return '-'.join(filter(None, [stem.strip('-_.')[:room].rstrip('-_.'), _hash(whole, HASH_LENGTH)]))


def _hash(text, length):
    return hashlib.sha256(text.encode('utf8', 'surrogatepass')).hexdigest()[:length]


def generate_hashed_slug(slug, limit=NAME_LIMIT, hash_length=6):
    """Return `slug` if it is shorter than `limit - hash_length`, otherwise exactly `limit` characters that end in a
    hash of it, in lower case. By their lengths, a slug that was left alone never equals one that was cut."""
    if len(slug) < limit - hash_length:
        return slug
    return (slug[:limit - hash_length - 1] + '-' + _hash(slug, hash_length)).lower()
