"""Takes the place of what must not be printed, and of what is different each time. Pure; any thread."""
import base64
import re

from ...lifecycle.pods import SPAWN_ID
from ...messages.secrets import SECRET, SHORTEST, is_secret, mask, secrets_in

TOKEN = '<token>'  # of the server, which a hub makes anew for each start
HIDDEN = '<hidden>'
UID = '<uid>'  # of an object that the start creates as well, which Kubernetes makes

INVENTED = 'uid-of-'  # what such a uid begins with in a rehearsal

# Keys below which a secret of the environment may be repeated. Elsewhere, its letters are those of something else.
MAY_CONTAIN = frozenset(['args', 'command', 'value', 'annotations'])

_PASSWORD = re.compile(r'(?<=://)([^/@:\s]*):[^/@\s]+(?=@)')  # in a URL


def without_secrets(obj, auth_state=None, others=()):
    """Return an object, a dict, with placeholders for secrets, and without what each start makes anew.

    auth_state (dict or None): whose long texts are secrets, too. others (collection of str): further secrets.
    """
    secrets = sorted(set(_secret_values(obj)).union(_texts(auth_state), others), key=len, reverse=True)
    result = _masked(obj, secrets)
    for reference in result['metadata'].get('ownerReferences') or []:
        if str(reference.get('uid')).startswith(INVENTED):
            reference['uid'] = UID
    (result['metadata'].get('annotations') or {}).pop(SPAWN_ID, None)  # another one for each start
    if result.get('kind') == 'Secret':
        _hide_data(result)
    return result


def texts_of_pods(objects):
    """Return the secret texts in the Secrets of pods, a list: variables that are there may be repeated in a pod."""
    texts = {_decoded(data) for obj in objects if obj.get('kind') == 'Secret' and _is_of_pod(obj)
             for data in (obj.get('data') or {}).values()}
    return secrets_in({'name': SECRET, 'value': text} for text in texts - {TOKEN, HIDDEN})


def secrets_of(objects):
    """Return the secret texts that objects contain, a list."""
    return texts_of_pods(objects) + [value for obj in objects for value in _secret_values(obj)]


def _is_of_pod(obj):
    return any(reference.get('kind') == 'Pod' for reference in obj['metadata'].get('ownerReferences') or [])


def _decoded(data):
    try:
        return base64.b64decode(data).decode('utf8')
    except ValueError:
        return ''


def _secret_values(value):
    """Generate the values of environment variables that must not be read, wherever containers are."""
    if isinstance(value, dict):
        if is_secret(value) and value['value'] != TOKEN:
            yield value['value']
        for item in value.values():
            yield from _secret_values(item)
    elif isinstance(value, list):
        for item in value:
            yield from _secret_values(item)


def _texts(value):
    """Generate the strings in a value that are long enough to be secrets."""
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
    elif isinstance(value, str) and len(value) >= SHORTEST:
        yield value


def _masked(value, secrets, is_text=False):
    """Return a part of an object without secrets. is_text (bool): whether it may contain them, and is no name."""
    if isinstance(value, dict):
        masked = {key: _masked(item, secrets, is_text or key in MAY_CONTAIN) for key, item in value.items()}
        if is_secret(value) and value['value'] != TOKEN:
            masked['value'] = HIDDEN
        return masked
    if isinstance(value, list):
        return [_masked(item, secrets, is_text) for item in value]
    if isinstance(value, str):
        return _PASSWORD.sub(r'\1:' + HIDDEN, mask(value, secrets, HIDDEN) if is_text else value)
    return value


def _hide_data(secret):
    hidden = base64.b64encode(HIDDEN.encode('ascii')).decode('ascii')
    for field, placeholder in (('data', hidden), ('stringData', HIDDEN)):
        if secret.get(field):
            secret[field] = {key: value and placeholder for key, value in secret[field].items()}
