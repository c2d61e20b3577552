"""The names of pods and claims, label values, and the fields of templates.

Every rule by which the name of a user or server becomes a name in Kubernetes belongs here. Nothing here knows spawners,
clients or time: the functions take and return plain strings, on any thread.

The rules keep different names different. `escape` is injective, and its results never contain `--`. So
`{username}{servername}`, with `--` before the name of the server, differs for all pairs of user and server.
`safe_slug`, the other scheme, keeps valid names, which never contain `--`. The slugs of all other names end in `---`
and a hash. If the result is not valid in Kubernetes, it is shortened and ends in a hash of the original. A name that
only looks as if it had been shortened is shortened, too. So no unchanged name equals a shortened one.
"""
import functools
import hashlib
import re
import string

import escapism

SAFE_CHARACTERS = frozenset(string.ascii_lowercase + string.digits)
NAME_LIMIT = 63  # of a DNS label (RFC 1123) and of a label value
HASH_LENGTH = 20  # hexadecimal digits: 80 bits, so that nobody can find a second name with the same hash
SLUG_LIMIT = 48  # characters of a safe slug; the rest of NAME_LIMIT is for the other parts of a template
SLUG_HASH_LENGTH = 8  # hexadecimal digits, as other programs use for the same slugs: 32 bits, against accidents only
SLUG_SUFFIX_LENGTH = SLUG_HASH_LENGTH + len('---')
LABEL_SLUG_LIMIT = 32  # of a safe slug that is the value of a label

# Characters that escapism cannot escape, or escapes with one digit, so that the result is ambiguous.
_NOT_FOR_ESCAPISM = re.compile('([\x00-\x0f\ud800-\udfff])')
_DNS_LABEL = re.compile(r'[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?\Z')
_LABEL_VALUE = re.compile(r'(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?\Z')
_SERVERNAME = re.compile(r'(?<!\{)\{servername\}|--?\{servername\}')
_SAFE_SLUG = re.compile(r'[a-z](?:[-a-z0-9]*[a-z0-9])?\Z')
_CUT = re.compile(r'(?:\A|-)[0-9a-f]{%d}\Z' % HASH_LENGTH)


def escape(name):
    """Escape each byte (UTF-8) of all characters other than `[a-z0-9]` as `-` and two hexadecimal digits.

    The result is the same as that of `escapism.escape`, except for control characters below 0x10.
    """
    return ''.join(_escape_character(part) if _NOT_FOR_ESCAPISM.match(part) else
                   escapism.escape(part, safe=SAFE_CHARACTERS, escape_char='-').lower()
                   for part in _NOT_FOR_ESCAPISM.split(name))


def _escape_character(character):
    return ''.join('-%02x' % byte for byte in _utf8(character))


def legacy_escape(name):
    """Return `name` in lower case, with `-` in place of other characters. Different names can get the same result."""
    return ''.join(c if c in SAFE_CHARACTERS else '-' for c in name.lower())


def safe_slug(name, limit=SLUG_LIMIT):
    """Return `name` if it is a safe slug of at most `limit` characters, otherwise a slug of it that ends in a hash.

    A safe slug begins with a letter, ends with a letter or digit, and contains only letters, digits and single `-`. The
    slug of any other name has `---` before the hash.
    """
    if len(name) <= limit and _SAFE_SLUG.match(name) and '--' not in name:
        return name
    return hashed_slug(name, limit)


def hashed_slug(name, limit=SLUG_LIMIT):
    """Return a slug of at most `limit` characters: a part of the name, `---` and a hash of the name."""
    return _with_slug_hash(_slug_stem(name, limit - SLUG_SUFFIX_LENGTH), name)


def joined_slug(names, limit=SLUG_LIMIT):
    """Return one slug for several names: a part of each, joined with `--`, and one hash of all."""
    length = (limit - SLUG_SUFFIX_LENGTH - 2 * (len(names) - 1)) // len(names)
    return _with_slug_hash('--'.join(_slug_stem(name, length) for name in names), b'\xff'.join(map(_utf8, names)))


def _with_slug_hash(stem, whole):
    return '%s---%s' % (stem, _hash(whole, SLUG_HASH_LENGTH))


def _slug_stem(name, length):
    """Return the first part of a slug for `name`, of at most `length` characters; `x` if no character can be kept."""
    stem = re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')
    if stem[:1].isdigit():
        return ('x-' + stem)[:length]  # may end in '-', as in the slugs of other programs
    return stem[:length].rstrip('-') or 'x'


def _safe_user_server(username, servername):
    """Return the safe slugs of both names, joined with `--`. If that is too long, return one slug for both."""
    slugs = safe_slug(username), safe_slug(servername) if servername else ''
    if len(slugs[0]) + 2 + len(slugs[1]) <= SLUG_LIMIT:
        return '--'.join(filter(None, slugs))
    return joined_slug([username, servername])


# The fields of templates that depend only on the user and the server, by field name.
_DERIVED_FIELDS = {
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

# What `{servername}` stands for where there is nothing to separate it from. No template can name this field.
_ALONE = ' servername'

SLUG_SCHEMES = {'escape': 'escaped', 'safe': 'safe'}  # scheme -> prefix of the fields that always use it


def _after_dashes(slug):
    return '--' + slug if slug else ''


class Fields(dict):
    """The fields of templates, by name. Each field is computed when it is first used.

    username, servername (str), userid (int): see `template_fields`.
    scheme (str): the scheme of the fields whose names do not contain one, a key of SLUG_SCHEMES.
    literal (callable): converts an unescaped name to the text that replaces the field.
    others (dict), asker: additional fields, by name. Each is a function that is called with `asker` on every use.
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
                raise _FieldError(e)
        if field == _ALONE:
            return self[self.scheme + '_servername']
        value = self[field] = _DERIVED_FIELDS[field](self)
        return value

    @property
    def names(self):
        """The names of all fields, a set."""
        return set(_DERIVED_FIELDS).union(self.others)


def template_fields(username, userid, servername, scheme='escape', literal=str, others=(), asker=None):
    """Return the `Fields` of templates.

    username, servername (str): the names in JupyterHub; the name of the default server is empty.
    userid (int): the ID of the user in JupyterHub's database.
    """
    return Fields(username, userid, servername, scheme, literal, others, asker)


class NoTemplate(ValueError):
    """A string cannot be expanded. The message contains the string, and lists the available fields."""


class _FieldError(Exception):
    """Computing a field raised a ValueError, which is the argument."""


def expand(template, fields):
    """Return the string `template` with each `{field}` replaced once. `{{` and `}}` stand for literal braces.

    The value of `{servername}` begins with two dashes, which replace one or two that the template has before it. At the
    beginning of the template and after a slash, there are no dashes.

    fields (Fields): the available fields.

    Raises NoTemplate, and any ValueError that a field raises. A template cannot use attributes of fields.
    """
    try:
        ready, names, _ = _parsed(template)
        return ready.format_map(fields) if names else ready.format()
    except _FieldError as e:
        raise e.args[0]
    except (LookupError, ValueError, AttributeError, TypeError) as e:
        raise NoTemplate('cannot expand the template %r (%s: %s). The fields are %s. Write {{ and }} for braces.' % (
            template, type(e).__name__, e, ', '.join('{%s}' % field for field in sorted(fields.names))))


def fill(text, expand_one, needs_field=False):
    """Return `expand_one(text)` if `text` has only fields in single braces. Otherwise, return `text` unchanged.

    This is for texts in which braces can have another meaning, such as shell commands. `${username}` is not a field.

    needs_field (bool): also leave a text as it is that has no fields, so that its doubled braces stay doubled.
    """
    if not has_braces(text) or not _may_be_template(text, needs_field):
        return text
    try:
        return expand_one(text)
    except (NoTemplate, LookupError, TypeError, AttributeError):  # a subclass' own expansion can raise the last three
        return text


def has_braces(text):
    """Return whether a string contains a brace. Any other is the same when it is expanded."""
    return '{' in text or '}' in text


def _may_be_template(text, needs_field):
    try:
        _, names, has_variables = _parsed(text)
    except (ValueError, AttributeError, RecursionError):
        return False
    return not has_variables and (bool(names) or not needs_field)


@functools.lru_cache(maxsize=2000)
def _parsed(template):
    """Return (`template` for `format_map`, the names of its fields, whether one of them follows a `$`).

    Raises ValueError and AttributeError.
    """
    ready = _SERVERNAME.sub(_with_its_separator, template)
    names, has_variables = set(), False
    for literal, field, specification, _ in string.Formatter().parse(ready) if has_braces(ready) else ():
        if field is not None:
            if '.' in field:
                raise AttributeError('%s is an attribute of a field' % field)
            names.add(field)
            names.update(_parsed(specification)[1])
            has_variables = has_variables or literal.endswith('$')
    return ready, frozenset(names), has_variables


def _with_its_separator(match):
    """Return the field for `{servername}` with what is before it, which `_SERVERNAME` has matched."""
    before = match.string[:match.start()]
    is_alone = match.group()[0] != '-' and (not before or before.endswith('/'))
    return '{%s}' % _ALONE if is_alone else '{servername}'


def in_a_label(template):
    """Return the template of a label as the scheme `safe` has it: there, the name of a server brings no dashes."""
    return template.replace('{servername}', '{safe_servername}')


def without_variables(text):
    """Escape `text` for fields in which Kubernetes expands `$(VARIABLE)`."""
    return text.replace('$', '$$')


def expand_all(value, expand_one):
    """Replace each string in `value` with `expand_one(string)`, in nested lists and dicts, except for keys of dicts."""
    if isinstance(value, str):
        return expand_one(value)
    if isinstance(value, dict):
        return {key: expand_all(item, expand_one) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [expand_all(item, expand_one) for item in value]
    return value


def is_dns_label(text):
    """Return whether a string is a DNS label (RFC 1123), as the name of a namespace is."""
    return _DNS_LABEL.match(text) is not None


def is_label_value(text):
    """Return whether a label can have this value. It can be empty."""
    return _LABEL_VALUE.match(text) is not None


def object_name(wanted):
    """Return `wanted` if it is a DNS label, otherwise a DNS label that is derived from it and ends in a hash."""
    if is_dns_label(wanted) and not _CUT.search(wanted):
        return wanted
    return _cut(re.sub('[^a-z0-9]', '-', wanted.lower()), wanted)


def service_name(wanted):
    """Return the DNS label `wanted` if it can be the name of a Service, which begins with a letter (RFC 1035).

    Otherwise, return one that is derived from it and ends in a hash.
    """
    return wanted if wanted[0].isalpha() else _cut('x-' + wanted, wanted)


def label_value(wanted):
    """Return `wanted` if it is a valid label value, otherwise one that is derived from it and ends in a hash."""
    if is_label_value(wanted) and not _CUT.search(wanted):
        return wanted
    return _cut(re.sub('[^A-Za-z0-9_.]', '-', wanted), wanted)


def owner_label(name, scheme):
    """Return the value of the label that says whose an object is: what a slug scheme makes of the name of a user or
    server. By the scheme `safe` it is the name itself, if that is a label value without `--`; others make the same.
    """
    if scheme == 'safe':
        return name if is_label_value(name) and '--' not in name else safe_slug(name, LABEL_SLUG_LIMIT)
    return label_value(escape(name))


def _cut(stem, whole):
    """Return at most NAME_LIMIT characters: the beginning of `stem`, then a hash of `whole`."""
    length = NAME_LIMIT - HASH_LENGTH - 1
    return '-'.join(filter(None, [stem.strip('-_.')[:length].rstrip('-_.'), _hash(whole, HASH_LENGTH)]))


def _hash(whole, length):
    """Return the first `length` hexadecimal digits of the hash of a str or bytes."""
    return hashlib.sha256(_utf8(whole) if isinstance(whole, str) else whole).hexdigest()[:length]


def _utf8(text):
    return text.encode('utf8', 'surrogatepass')


def generate_hashed_slug(slug, limit=NAME_LIMIT, hash_length=6):
    """Return `slug` if it is shorter than `limit - hash_length`. Otherwise, shorten it to `limit` characters.

    The shortened slug is in lower case and ends in a hash. It never equals an unchanged slug, because it is longer.
    """
    if len(slug) < limit - hash_length:
        return slug
    return (slug[:limit - hash_length - 1] + '-' + _hash(slug, hash_length)).lower()
