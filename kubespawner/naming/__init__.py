"""Who is called what: pods, claims, label values, and the fields that templates may use.

Here belongs every rule by which a user's or server's name becomes a name in Kubernetes. Nothing here knows spawners,
clients or time: plain strings in, plain strings out, on any thread.

The rules keep names apart. `escape` is injective and its results never contain `--`, so `{username}{servername}`,
with `--` in front of the server's part, tells all pairs of user and server apart. `safe_slug`, the other scheme, leaves
names alone that are fit, none of which contains `--`; others end in `---` and a hash. What then does not fit Kubernetes
is cut and ends in a hash of the whole; what merely looks as if it had been cut is treated as if it did not fit, so
that no name that was left alone equals one that was cut.
"""
import functools
import hashlib
import re
import string

import escapism

SAFE_CHARACTERS = frozenset(string.ascii_lowercase + string.digits)
NAME_LIMIT = 63  # of a DNS label (RFC 1123) and of a label value
HASH_LENGTH = 20  # hexadecimal digits: 80 bits, too many to find a second name for
SLUG_LIMIT = 48  # of a safe slug, so that there is room for what a template puts around it
SLUG_HASH_LENGTH = 8  # of safe slugs, which others make as well: 32 bits, enough for what comes by chance
SLUG_HASH_ROOM = SLUG_HASH_LENGTH + len('---')

# Characters that escapism writes with one digit, so that the next one may pass for the second, or refuses to write.
_NOT_FOR_ESCAPISM = re.compile('([\x00-\x0f\ud800-\udfff])')
_DNS_LABEL = re.compile(r'[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?\Z')
_LABEL_VALUE = re.compile(r'(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?\Z')
_SAFE_SLUG = re.compile(r'[a-z](?:[-a-z0-9]*[a-z0-9])?\Z')
_CUT = re.compile(r'(?:\A|-)[0-9a-f]{%d}\Z' % HASH_LENGTH)


def escape(name):
    """Return `name` in `[a-z0-9]`, each byte (UTF-8) of other characters as `-` and two hexadecimal digits.

    This is what configuration files make with `escapism.escape`, except for control characters below 0x10.
    """
    return ''.join(_escape_character(part) if _NOT_FOR_ESCAPISM.match(part) else
                   escapism.escape(part, safe=SAFE_CHARACTERS, escape_char='-').lower()
                   for part in _NOT_FOR_ESCAPISM.split(name))


def _escape_character(character):
    return ''.join('-%02x' % byte for byte in _utf8(character))


def legacy_escape(name):
    """Return `name` in lower case with `-` for every other character. Different names can become one."""
    return ''.join(c if c in SAFE_CHARACTERS else '-' for c in name.lower())


def safe_slug(name, limit=SLUG_LIMIT):
    """Return `name` if it is a safe slug of at most `limit` characters, otherwise one made of it that ends in a hash.

    A safe slug begins with a letter, ends with a letter or digit, and has only those in it, and single `-`. What is
    made of another name has `---` before the hash.
    """
    if len(name) <= limit and _SAFE_SLUG.match(name) and '--' not in name:
        return name
    return hashed_slug(name, limit)


def hashed_slug(name, limit=SLUG_LIMIT):
    """Return at most `limit` characters: what is left of a name in a slug, `---` and a hash of the name."""
    return _with_slug_hash(_slug_stem(name, limit - SLUG_HASH_ROOM), name)


def joined_slug(names, limit=SLUG_LIMIT):
    """Return one slug for several names: what is left of each, `--` between them, and one hash of all."""
    room = (limit - SLUG_HASH_ROOM - 2 * (len(names) - 1)) // len(names)
    return _with_slug_hash('--'.join(_slug_stem(name, room) for name in names), b'\xff'.join(map(_utf8, names)))


def _with_slug_hash(stem, whole):
    return '%s---%s' % (stem, _hash(whole, SLUG_HASH_LENGTH))


def _slug_stem(name, room):
    """Return at most `room` characters that a slug may begin with, which remind of `name`; `x` if nothing is left."""
    stem = re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')
    if stem[:1].isdigit():
        return ('x-' + stem)[:room]  # may end in '-': the slugs that others make do
    return stem[:room].rstrip('-') or 'x'


def _safe_user_server(username, servername):
    """Return the safe slugs of both, `--` between them, if that is short enough; otherwise one slug of both."""
    slugs = safe_slug(username), safe_slug(servername) if servername else ''
    if len(slugs[0]) + 2 + len(slugs[1]) <= SLUG_LIMIT:
        return '--'.join(filter(None, slugs))
    return joined_slug([username, servername])


# The fields of templates that are made of a user's and a server's name, by field name.
_MADE = {
    'unescaped_username': lambda fields: fields.literal(fields.username),
    'unescaped_servername': lambda fields: fields.literal(fields.servername),
    'escaped_username': lambda fields: escape(fields.username),
    'escaped_servername': lambda fields: escape(fields.servername),
    'escaped_user_server': lambda fields: fields['escaped_username'] + _after_dashes(fields['escaped_servername']),
    'safe_username': lambda fields: safe_slug(fields.username),
    'safe_servername': lambda fields: safe_slug(fields.servername) if fields.servername else '',
    'safe_user_server': lambda fields: _safe_user_server(fields.username, fields.servername),
    'legacy_escape_username': lambda fields: legacy_escape(fields.username),
    'userid': lambda fields: fields.userid,
    'username': lambda fields: fields[fields.scheme + '_username'],
    'servername': lambda fields: _after_dashes(fields[fields.scheme + '_servername']),
    'user_server': lambda fields: fields[fields.scheme + '_user_server'],
}

SLUG_SCHEMES = {'escape': 'escaped', 'safe': 'safe'}  # and how the fields begin that are always made by them


def _after_dashes(slug):
    return '--' + slug if slug else ''


class Fields(dict):
    """What templates may use, by field name. A field is made when it is first asked for.

    username, servername (str), userid (int): see `template_fields`.
    scheme (str): what the fields are made by that do not say it themselves, a key of SLUG_SCHEMES.
    literal (callable): makes of an unescaped name what stands in the text.
    others (dict), asker: further fields by name, functions of `asker`. They are asked each time.
    """
    __slots__ = 'username', 'userid', 'servername', 'scheme', 'literal', 'others', 'asker'

    def __init__(self, username, userid, servername, scheme, literal, others, asker):
        super().__init__()
        self.username, self.userid, self.servername = username, userid, servername
        self.scheme, self.literal, self.others, self.asker = SLUG_SCHEMES[scheme], literal, others, asker

    def __missing__(self, field):
        if field in self.others:
            try:
                return self.others[field](self.asker)
            except ValueError as e:
                raise _Failed(e)
        value = self[field] = _MADE[field](self)
        return value

    @property
    def names(self):
        """The names of all fields, a set."""
        return set(_MADE).union(self.others)


def template_fields(username, userid, servername, scheme='escape', literal=str, others=(), asker=None):
    """Return what templates may use, a `Fields`.

    username, servername (str): as JupyterHub has them; the default server's name is empty.
    userid (int): JupyterHub's number of the user.
    """
    return Fields(username, userid, servername, scheme, literal, others, asker)


class NoTemplate(ValueError):
    """A string cannot be expanded. The message names it, and the fields there are."""


class _Failed(Exception):
    """What a field is made of went wrong, in words of its own: the ValueError is the argument."""


def expand(template, fields):
    """Return the string `template` with each `{field}` replaced, once; `{{` and `}}` stand for braces.

    `{servername}` brings two dashes; where they stand in front of it already, these are the two.

    fields (Fields): what there is.

    Raises NoTemplate, and whatever ValueError a field raises. Attributes of fields are not to be had.
    """
    try:
        ready, asked, _ = _parsed(template)
        return ready.format_map(fields) if asked else ready.format()
    except _Failed as e:
        raise e.args[0]
    except (LookupError, ValueError, AttributeError, TypeError) as e:
        raise NoTemplate('cannot expand the template %r (%s: %s). Its fields may be %s; a brace itself is doubled.' % (
            template, type(e).__name__, e, ', '.join('{%s}' % field for field in sorted(fields.names))))


def fill(text, expand_one):
    """Return `expand_one(text)` if `text` has fields and nothing else in single braces, otherwise `text` as it is.

    For texts in which braces may mean something else, such as shell commands; `${username}` is a variable there.
    """
    if '{' not in text or not _may_be_template(text):
        return text
    try:
        return expand_one(text)
    except (NoTemplate, LookupError, TypeError, AttributeError):  # the last ones from what a subclass expands with
        return text


def _may_be_template(text):
    try:
        _, asked, has_variables = _parsed(text)
    except (ValueError, AttributeError, RecursionError):
        return False
    return bool(asked) and not has_variables


@functools.lru_cache(maxsize=2000)
def _parsed(template):
    """Return (`template` as `format_map` takes it, the names of its fields, True if there is a `$` before one of them).

    Raises ValueError and AttributeError.
    """
    ready = template.replace('--{servername}', '{servername}')
    asked, has_variables = set(), False
    for literal, field, specification, _ in string.Formatter().parse(ready) if '{' in ready or '}' in ready else ():
        if field is not None:
            if '.' in field:
                raise AttributeError('%s asks for an attribute' % field)
            asked.add(field)
            asked.update(_parsed(specification)[1])
            has_variables = has_variables or literal.endswith('$')
    return ready, frozenset(asked), has_variables


def without_variables(text):
    """Return `text` as Kubernetes has to get it for this text to come out where it expands `$(VARIABLE)`."""
    return text.replace('$', '$$')


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


def _hash(whole, length):
    """Return hexadecimal digits for a str, or for bytes."""
    return hashlib.sha256(_utf8(whole) if isinstance(whole, str) else whole).hexdigest()[:length]


def _utf8(text):
    return text.encode('utf8', 'surrogatepass')


def generate_hashed_slug(slug, limit=NAME_LIMIT, hash_length=6):
    """Return `slug` if it is shorter than `limit - hash_length`, otherwise exactly `limit` characters that end in a
    hash of it, in lower case. By their lengths, a slug that was left alone never equals one that was cut."""
    if len(slug) < limit - hash_length:
        return slug
    return (slug[:limit - hash_length - 1] + '-' + _hash(slug, hash_length)).lower()
