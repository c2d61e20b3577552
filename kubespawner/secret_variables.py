"""Moving the values of secret environment variables from the containers of a pod to a Secret.

Kubernetes expands `$(NAME)` in a value in a pod, but not in one from a Secret. So the values are expanded here, by the
same rules. Containers and variables are dicts, or models that answer to keys. Pure, any thread.
"""
import hashlib
import json
import re

from .environment import expand, references

# What the hub and the proxy call their own tokens and keys, in all versions.
_TOKEN = re.compile(r'(?:JUPYTERHUB|JPY|CONFIGPROXY)_(?:\w+_)?(?:TOKEN|SECRET|KEY)\Z')

SHORTEST_TOKEN = 16  # characters of a token that is looked for in other values; shorter ones may be there by chance

_NUMBER = re.compile(r'-\d+\Z')  # after the name of a variable, in a key

_NOT_IN_KEYS = re.compile('[^-_a-zA-Z0-9]')  # a dot is left to the files of certificates
LONGEST_KEY = 200

# The volume that a pod waits for, where it is mounted, and the file that it contains.
VOLUME, DIRECTORY, MARK = 'jupyterhub-secret-variables', '/var/run/secrets/hub.jupyter.org', 'hub.ready'


def is_token(name):
    """Return whether a variable of this name is a token of the hub's."""
    return _TOKEN.match(str(name)) is not None


def hide(containers, secret_name, names, values):
    """Replace the values of secret variables by references to the Secret; return what the Secret then contains.

    The hub's tokens are secret, the variables in `names`, and all values that contain one of the hub's tokens.

    containers (list): their variables are changed. secret_name (str): of the Secret. names (collection of str): of
        variables. values (dict of str): what the Secret contains already, by key. The keys are the names of variables;
        if one has several values, a number follows.

    Raises ValueError for a variable whose value only Kubernetes can know, because it refers to such a variable.
    """
    values = dict(values)
    tokens = _tokens(containers, values)
    for container in containers:
        known = {}  # what the variables so far are expanded to, by name; None if the hub does not know
        for variable in container.get('env') or ():
            name, value = variable.get('name'), variable.get('value')
            if value is None:
                known[name] = _referred(variable, secret_name, values)
                continue
            value = str(value)
            known[name] = expanded = expand(value, known)
            if is_token(name) or name in names or any(token in value for token in tokens):
                if expanded is None:
                    raise ValueError(_unknown(name, value, known))
                _refer(variable, secret_name, _add(name, expanded, values))
    return values


def _tokens(containers, values):
    """Return the values of the hub's tokens: those in containers, and those that are in the Secret already."""
    named = [(_NUMBER.sub('', key), value) for key, value in values.items()]
    for container in containers:
        named += [(variable.get('name'), variable.get('value')) for variable in container.get('env') or ()]
    return {value for name, value in named
            if is_token(name) and isinstance(value, str) and len(value) >= SHORTEST_TOKEN}


def _referred(variable, secret_name, values):
    """Return the value from `values` that a variable refers to; '' if it refers to nothing."""
    source = variable.get('valueFrom')
    if not source:
        return ''
    reference = source.get('secretKeyRef') or {}
    return values.get(reference.get('key')) if reference.get('name') == secret_name else None


def _refer(variable, secret_name, key):
    del variable['value']
    variable['valueFrom'] = {'secretKeyRef': {'name': secret_name, 'key': key}}


def _add(name, value, values):
    """Add a value to `values`, unless it is there under its name; return its key."""
    stem = key = _NOT_IN_KEYS.sub('_', name)[:LONGEST_KEY]
    number = 1
    while values.get(key, value) != value:
        number += 1
        key = '%s-%d' % (stem, number)
    values[key] = value
    return key


def _unknown(name, value, known):
    """Return the sentence about a secret variable that cannot be expanded. It does not repeat the value."""
    others = sorted(other for other in references(value) if known.get(other) is None)
    return ('the variable %s refers to %s, which only Kubernetes can replace, and it does not do so in a Secret. Put '
            'the secret part into a variable of its own, to which this one refers as well. Write $$(NAME) for a '
            'literal $(NAME).' % (name, ', '.join('$(%s)' % other for other in others)))


def mark_of(username, servername):
    """Return the key of the Secret for MARK. Only that of this server has it."""
    return '%s.%s' % (MARK, hashlib.sha256(json.dumps([username, servername]).encode('ascii')).hexdigest()[:16])


def mount_mark(spec, secret_name, key):
    """Mount one key of the Secret, which is empty, as the file MARK in the pod with this spec.

    If the Secret of that name is another server's, because a template gives both the same name, it does not have the
    key. Then no container starts with that server's values before the hub has noticed.

    If a node does not find a Secret for variables, it tries again after 10 s or more; if the Secret is for a volume, at
    once, and no container starts before. So a pod whose Secret comes a moment later starts sooner.
    """
    if any(volume.get('name') == VOLUME for volume in spec.get('volumes') or ()):
        return
    container = _notebook(spec['containers'])
    spec['volumes'] = list(spec.get('volumes') or ()) + [
        {'name': VOLUME, 'secret': {'secretName': secret_name, 'items': [{'key': key, 'path': MARK}]}}]
    container['volumeMounts'] = list(container.get('volumeMounts') or ()) + [
        {'name': VOLUME, 'mountPath': DIRECTORY, 'readOnly': True}]


def _notebook(containers):
    return next((container for container in containers if container.get('name') == 'notebook'), containers[0])


def only_keys(volumes, secret_name, keys):
    """Let the volumes of a Secret contain only these of its keys, unless they list their keys themselves.

    volumes (list): dicts, or models that answer to keys; they are changed.
    """
    for volume in volumes:
        source = volume.get('secret') or {}
        if source.get('secretName') == secret_name and not source.get('items'):
            source['items'] = [{'key': key, 'path': key} for key in keys]
