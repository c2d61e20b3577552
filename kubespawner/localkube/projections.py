"""What the files of a volume contain that comes from the API: secrets, config maps, fields of the pod, tokens.

What belongs here: paths, contents and modes, and which objects they depend on. What does not: writing them
(atomic_files.py), other volumes (volumes.py). Runs on the loop thread of the server, because it reads the store.
"""
import base64
import time
from collections import namedtuple

from . import downward, errors

SECRET, CONFIG_MAP, DOWNWARD, PROJECTED = 'secret', 'configMap', 'downwardAPI', 'projected'
TOKEN = 'serviceAccountToken'
KINDS = (SECRET, CONFIG_MAP, DOWNWARD, PROJECTED)
TOKEN_SECONDS = 3600
RENEWED = 0.8  # a token is renewed after this part of its lifetime
RESOURCES = {SECRET: 'secrets', CONFIG_MAP: 'configmaps'}

Token = namedtuple('Token', 'text renewal')
Token.__doc__ += """: text (str); renewal (float): the monotonic time at which the file gets another one."""


class ProjectionError(Exception):
    """Something that a volume needs does not exist. The event FailedMount contains the message."""


class Projection(object):
    """The files of one volume of a pod.

    store (Store): contains the objects. kind (str): one of KINDS. source (dict): from the volume.
    token_for (function): (namespace, service account, audience, seconds, pod) -> token.
    """

    def __init__(self, store, kind, source, token_for):
        self.store = store
        self.token_for = token_for
        self.mode = source.get('defaultMode', 0o644)
        self.sources = [(kind, source)] if kind != PROJECTED else [
            pair for each in source.get('sources', ()) for pair in each.items()]
        self._tokens = {}  # (audience, seconds) -> Token

    def files(self, pod):
        """Return {relative path: (bytes, mode)}. Raise ProjectionError."""
        found = {}
        for kind, source in self.sources:
            if kind not in READERS:
                raise ProjectionError('localkube does not project sources of type %s; use one of %s'
                                      % (kind, ', '.join(sorted(READERS))))
            for path, content, mode in READERS[kind](self, pod, source):
                found[path.rstrip('/')] = content, self.mode if mode is None else mode
        return found

    def depends_on(self, resource, name):
        """Return whether the files depend on an object. resource (str): 'secrets', 'configmaps' or 'pods'."""
        if resource == 'pods':
            return any(kind == DOWNWARD for kind, _ in self.sources)
        return any(RESOURCES.get(kind) == resource and name_in(source) == name for kind, source in self.sources)

    def renewal(self):
        """Return the monotonic time at which a token has to be renewed, or None."""
        return min((token.renewal for token in self._tokens.values()), default=None)

    # Sources. Each reader yields (path, bytes, mode or None).

    def keys(self, pod, source, resource, complaint):
        obj = self.store.get(resource, pod['metadata']['namespace'], name_in(source))
        if obj is None:
            if not source.get('optional'):
                raise ProjectionError('%s "%s" not found' % (resource[:-1], name_in(source)))
            return
        content = contents(resource, obj)
        for item in source.get('items') or [{'key': key, 'path': key} for key in content]:
            if item['key'] in content:
                yield item['path'], content[item['key']], item.get('mode')
            elif not source.get('optional'):
                raise ProjectionError(complaint % item['key'])

    def secret(self, pod, source):
        return self.keys(pod, source, 'secrets', 'references non-existent secret key: %s')

    def config_map(self, pod, source):
        return self.keys(pod, source, 'configmaps', 'configmap references non-existent config key: %s')

    def downward(self, pod, source):
        for item in source.get('items', ()):
            yield item['path'], self.text(pod, item).encode('utf8', 'surrogatepass'), item.get('mode')

    def text(self, pod, item):
        if 'fieldRef' in item:
            return downward.field(pod, item['fieldRef']['fieldPath'])
        try:
            return downward.resource(pod, None, item['resourceFieldRef'], downward.allocatable_of(self.store, pod))
        except downward.UnknownContainer as e:
            raise ProjectionError(str(e))

    def token(self, pod, source):
        audience, seconds = source.get('audience', ''), source.get('expirationSeconds', TOKEN_SECONDS)
        token, now = self._tokens.get((audience, seconds)), time.monotonic()
        if token is None or token.renewal <= now:
            try:
                text = self.token_for(pod['metadata']['namespace'], pod['spec']['serviceAccountName'], audience,
                                      seconds, pod)
            except errors.ApiError as e:
                raise ProjectionError('failed to fetch token: %s' % e)
            token = self._tokens[audience, seconds] = Token(text, now + RENEWED * seconds)
        yield source['path'], token.text.encode('ascii'), None


READERS = {SECRET: Projection.secret, CONFIG_MAP: Projection.config_map, DOWNWARD: Projection.downward,
           TOKEN: Projection.token}


def name_in(source):
    return source.get('secretName') or source.get('name')


def contents(resource, obj):
    """Return {key: bytes}."""
    encoded = dict(obj.get('binaryData', {}), **(obj.get('data', {}) if resource == 'secrets' else {}))
    result = {key: base64.b64decode(value) for key, value in encoded.items()}
    if resource == 'configmaps':
        result.update({key: value.encode('utf8', 'surrogatepass') for key, value in obj.get('data', {}).items()})
    return result
