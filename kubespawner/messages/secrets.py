"""Masking the secrets in logs and errors: values that a hub puts into the environment of its servers.

Which values are secret belongs here as well. Pure, any thread.
"""
import functools
import json
import re
from urllib.parse import quote

MASK = '***'
SECRET = 'SECRET'  # the name of a variable that is masked, whatever it contains
SHORTEST = 8  # characters of a value that is masked, whatever the variable is called
SHORTEST_SECRET = 3  # characters of a value whose variable is called as secrets are

_SECRET_NAME = re.compile(r'TOKEN|SECRET|PASS|KEY|CRED|AUTH|COOKIE|CRYPT', re.IGNORECASE)

_NOT_SECRET = re.compile('OAUTH|KEYFILE')  # in a public name

# Variables whose values anybody may read, and whoever looks for the cause of a failure has to.
_PUBLIC_NAME = re.compile(
    r'(?:JUPYTERHUB|JPY)_\w*(?:URL|PREFIX|USER|NAME|HOST|ID|SCOPES|DIR|INTERVAL|IP|PORT|ORIGIN|APP)'
    r'|JUPYTERHUB_SSL_(?:KEYFILE|CERTFILE|CLIENT_CA)'
    r'|(?:MEM|CPU)_(?:LIMIT|GUARANTEE)|JUPYTER_IMAGE(?:_SPEC)?|PATH|HOME|SHELL|USER|LANG|LC_\w+|TZ|TERM|PYTHONPATH'
    r'|VIRTUAL_ENV|CONDA_\w+|LD_LIBRARY_PATH')

_SWITCHES = frozenset(['true', 'false', 'yes', 'no', 'on', 'off', 'none', 'null'])  # such as of AUTH_ENABLED


def secrets_in(environments):
    """Return the secret values, the longest first.

    environments (iterable): of dicts with `name` and `value`, as the containers of a pod have them.
    """
    values, public = set(), set()
    for variable in environments:
        name, value = str(variable.get('name')), variable.get('value')
        if not isinstance(value, str):
            continue
        if _is_public(name) or value.lower() in _SWITCHES:
            public.add(value)
        elif len(value) >= (SHORTEST_SECRET if _SECRET_NAME.search(name) else SHORTEST):
            values.add(value)
    return sorted({form for value in values - public for form in _forms(value)}, key=len, reverse=True)


def is_secret(variable):
    """Return whether the name of a variable, a dict with `name` and `value`, says that the value is secret."""
    name, value = variable.get('name'), variable.get('value')
    if not (isinstance(name, str) and isinstance(value, str)) or value.lower() in _SWITCHES:
        return False
    return len(value) >= SHORTEST_SECRET and not _is_public(name) and _SECRET_NAME.search(name) is not None


def _forms(value):
    """Return the forms in which a value may appear: itself, in a URL, quoted, and the lines of a long one."""
    return [value, quote(value, safe=''), json.dumps(value)[1:-1], repr(value)[1:-1]] + [
        line.strip() for line in value.splitlines() if len(line.strip()) >= SHORTEST]


@functools.lru_cache(maxsize=1000)  # all servers have nearly the same variables
def _is_public(name):
    """Return whether the name of a variable says that its value is not secret."""
    return _PUBLIC_NAME.fullmatch(name) is not None and not _SECRET_NAME.search(_NOT_SECRET.sub('', name))


def mask(text, secrets, mask=MASK):
    """Return `text` with these secrets masked (list of str, the longest first), short ones only as whole words."""
    for secret in secrets:
        if len(secret) >= SHORTEST:
            text = text.replace(secret, mask)
        else:
            text = re.sub(r'(?<!\w)%s(?!\w)' % re.escape(secret), mask, text)
    return text
