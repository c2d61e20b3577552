"""Reducing a live object to the fields that a start would set, so that the two can be compared. Pure.

The API server, admission and nodes add fields to each object. They are left out, and so is what Kubernetes writes in
another way with the same meaning. What only the live object has is kept where Kubernetes adds nothing by itself.
"""
import re

from ..kube.quantities import value_of
from ..lifecycle.pods import SPAWN_ID
from ..objects import SERVICE_ACCOUNT_DIRECTORY
from .dry_run import FILLED_IN
from .rehearsal.placeholders import HIDDEN, MAY_CONTAIN, TOKEN, UID

EMPTY = None, '', {}, [], False

# Fields that mean one thing if they are empty, and another if they are not there.
NEVER_EMPTY = frozenset(['automountServiceAccountToken', 'allowPrivilegeEscalation', 'enableServiceLinks', 'hostUsers',
                         'storageClassName', 'emptyDir'])
ZERO_IS_EMPTY = frozenset(['hostPort', 'nodePort', 'initialDelaySeconds'])

NAMED_FREELY = frozenset(['labels', 'annotations'])
FREE_MAPS = frozenset(['limits', 'requests', 'nodeSelector', 'matchLabels', 'selector', 'data', 'stringData',
                       'binaryData'])  # whose keys are the configuration's
RESOURCES = frozenset(['limits', 'requests'])
QUANTITIES = frozenset(['sizeLimit', 'divisor'])

# Lists in whose entries Kubernetes adds few fields, and only these; but many for some kinds of volumes.
PLAIN_ENTRIES = frozenset(['env', 'envFrom', 'volumes', 'volumeMounts', 'volumeDevices', 'tolerations'])
ADDED_TO_ENTRIES = FILLED_IN | {'divisor', 'expirationSeconds'}
VOLUMES_WITH_DEFAULTS = frozenset(['azureDisk', 'iscsi', 'rbd', 'scaleIO'])

# Fields that only the configuration sets.
OF_CONFIGURATION = frozenset([
    'activeDeadlineSeconds', 'affinity', 'args', 'command', 'dnsConfig', 'env', 'envFrom', 'hostAliases', 'hostname',
    'initContainers', 'lifecycle', 'livenessProbe', 'nodeSelector', 'readinessProbe', 'runtimeClassName',
    'shareProcessNamespace', 'startupProbe', 'subdomain', 'tolerations', 'topologySpreadConstraints', 'volumeDevices',
    'volumeMounts', 'volumes', 'workingDir'])

# Fields of which Kubernetes sets a part.
SHARED = frozenset(['labels', 'annotations', 'resources', 'securityContext'])

# Fields that Kubernetes sets to this value if the configuration has none.
DEFAULTS = {'serviceAccountName': 'default', 'schedulerName': 'default-scheduler', 'restartPolicy': 'Always',
            'dnsPolicy': 'ClusterFirst', 'terminationGracePeriodSeconds': 30, 'hostNetwork': False, 'hostPID': False,
            'hostIPC': False}

# By which field an entry of a list is recognized, if it is not its name.
IDENTITY = {
    'volumeMounts': ('mountPath',), 'volumeDevices': ('devicePath',), 'hostAliases': ('ip',), 'items': ('key',),
    'matchExpressions': ('key',), 'topologySpreadConstraints': ('topologyKey',),
    'tolerations': ('key', 'operator', 'value', 'effect')}
ASSUMED = {'operator': 'Equal'}

TOKEN_VOLUME = re.compile(r'kube-api-access-[a-z0-9]+\Z|.+-token-[a-z0-9]{5}\Z')
TAINTS_OF_NODES = 'node.kubernetes.io/'  # what the keys of tolerations that Kubernetes adds begin with

# Who else sets fields, by the annotation that says so.
LIMIT_RANGER, OPENSHIFT = 'kubernetes.io/limit-ranger', 'openshift.io/scc'

OUR_DOMAIN = 'hub.jupyter.org'
MADE_FOR_EACH_START = frozenset(['Pod', 'Secret', 'Service'])

_PLACEHOLDERS = re.compile('(%s)' % '|'.join(map(re.escape, (TOKEN, HIDDEN, UID))))
_LIKE_A_TOKEN = re.compile(r'(?=\w*[0-9])(?=\w*[A-Za-z])\w{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}')


def projected(ours, live):
    """Return what an object (a dict) in the cluster has of that which `ours`, an object of a start, sets.

    The result is equal to `ours` if a start would change nothing. Where `ours` has a placeholder, any text is taken for
    the same; another one is hidden.
    """
    return _Projection(ours, live).of(ours, live, ())


class _Projection:
    """Projects one object. Paths are tuples of keys; entries of lists have the path of their list."""

    def __init__(self, ours, live):
        annotations = live['metadata'].get('annotations') or {}
        self._has_limit_range, self._is_of_openshift = LIMIT_RANGER in annotations, OPENSHIFT in annotations
        self._is_made_for_each_start = ours.get('kind') in MADE_FOR_EACH_START
        containers = (live.get('spec') or {}).get('containers') or []
        self._resources = {name for container in containers
                           for name in (container.get('resources') or {}).get('requests') or ()}

    def of(self, ours, live, path):
        if isinstance(ours, dict) and isinstance(live, dict):
            return self._of_dict(ours, live, path)
        if isinstance(ours, list) and isinstance(live, list):
            return self._of_list(ours, live, path)
        if ours is None or _is_same(ours, live, path):
            return ours
        return _hidden(ours, self._alone(live, path))

    def _of_dict(self, ours, live, path):
        last, result = path[-1] if path else '', {}
        if last == 'resources':
            live = _without_copied_limits(ours, live)
        for key, value in ours.items():
            if key in live:
                result[key] = self.of(value, live[key], path + (key,))
            elif _is_empty(value, key) and not _is_free(last):
                result[key] = value
        for key in live:
            value = self._left_out(key, ours, live, path)
            if value is not None and (_is_free(last) or not _is_empty(value, key)):
                result[key] = value
        return result

    def _left_out(self, key, ours, live, path):
        """Return what a start would leave out of a field; None for what Kubernetes has set."""
        if key in ours:
            return None
        if key in SHARED and not _is_free(path[-1] if path else ''):
            return self.of({}, live[key], path + (key,))
        return self._alone(live[key], path + (key,)) if self._counts(key, ours, live, path) else None

    def _counts(self, key, ours, live, path):
        """Return whether a start would omit a field that only the live object has."""
        last = path[-1] if path else ''
        if last in NAMED_FREELY:
            return self._is_our_key(key, ours)
        if last == 'resources' or last in RESOURCES:
            return not self._has_limit_range and (last in RESOURCES or key in RESOURCES)
        if last in FREE_MAPS or 'affinity' in path:
            return True
        if last == 'securityContext':
            return not self._is_of_openshift
        if PLAIN_ENTRIES.intersection(path):
            is_default = key == 'emptyDir' and set(ours) == {'name'}
            return not (is_default or key in ADDED_TO_ENTRIES or VOLUMES_WITH_DEFAULTS.intersection(path))
        if key in DEFAULTS:
            return path == ('spec',) and live[key] != DEFAULTS[key]
        return key in OF_CONFIGURATION and last in ('spec', 'containers', 'initContainers')

    def _is_our_key(self, key, ours):
        """Return whether a hub may have set a label or an annotation. Keys without a prefix are not Kubernetes' own."""
        domain, slash, _ = key.rpartition('/')
        if key == SPAWN_ID:
            return False
        return domain == OUR_DOMAIN or self._is_made_for_each_start and (not slash or (
            not domain.endswith(('kubernetes.io', 'k8s.io')) and any(each.startswith(domain + '/') for each in ours)))

    def _of_list(self, ours, live, path):
        identify = _identity(path[-1], ours, live)
        if identify is None:
            return [self.of(ours[number], item, path) if number < len(ours) else self._alone(item, path)
                    for number, item in enumerate(live) if number < len(ours) or not self._is_added(item, path)]
        known = {identify(item): item for item in ours}
        return [self.of(known[identify(item)], item, path) if identify(item) in known else self._alone(item, path)
                for item in live if identify(item) in known or not self._is_added(item, path)]

    def _is_added(self, item, path):
        """Return whether Kubernetes adds an entry to a list."""
        if not isinstance(item, dict):
            return False
        if path[-1] == 'tolerations':
            is_of_node = str(item.get('key')).startswith(TAINTS_OF_NODES)
            return item.get('operator') == 'Exists' and (is_of_node or item.get('key') in self._resources)
        if path[-1] == 'volumeMounts' and item.get('mountPath') != SERVICE_ACCOUNT_DIRECTORY:
            return False
        return path[-1] in ('volumes', 'volumeMounts') and _is_token_volume(item)

    def _alone(self, value, path):
        """Return what only the live object has, without what Kubernetes adds."""
        if isinstance(value, dict):
            if _is_free(path[-1]):
                return {key: self._alone(item, path + (key,)) for key, item in value.items()}
            items = {key: self._alone(item, path + (key,)) for key, item in value.items() if key not in FILLED_IN}
            return {key: item for key, item in items.items() if not _is_empty(item, key)}
        if isinstance(value, list):
            return [self._alone(item, path) for item in value if not self._is_added(item, path)]
        return _LIKE_A_TOKEN.sub(HIDDEN, value) if isinstance(value, str) and MAY_CONTAIN.intersection(path) else value


def _is_token_volume(item):
    return TOKEN_VOLUME.match(str(item.get('name'))) is not None


def _identity(name, ours, live):
    """Return the function by whose results entries of two lists are the same; None if their positions count."""
    fields = IDENTITY.get(name, ('name',))
    if not all(isinstance(item, dict) and any(map(item.get, fields)) for item in ours + live):
        return None

    def identify(item):
        return tuple(item.get(field) or ASSUMED.get(field) for field in fields)

    is_unique = all(len(set(map(identify, items))) == len(items) for items in (ours, live))
    return identify if is_unique else None


def _is_free(name):
    return name in NAMED_FREELY or name in FREE_MAPS


def _is_empty(value, key):
    """Return whether a field with this value means the same as a missing field."""
    if key in NEVER_EMPTY:
        return value is None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value == 0 and key in ZERO_IS_EMPTY
    if isinstance(value, dict):
        return all(_is_empty(item, name) for name, item in value.items())
    return value in EMPTY


def _without_copied_limits(ours, live):
    """Return resources without the requests that Kubernetes has copied from the limits."""
    wanted, limits = ours.get('requests') or {}, live.get('limits') or {}
    requests = {name: value for name, value in (live.get('requests') or {}).items()
                if name in wanted or limits.get(name) != value}
    return dict(live, requests=requests) if 'requests' in live else live


def _is_same(ours, live, path):
    """Return whether two values mean the same."""
    if ours == live:
        return True
    if RESOURCES.intersection(path[-2:-1]) or path[-1] in QUANTITIES:
        values = value_of(ours), value_of(live)
        return None not in values and values[0] == values[1]
    return isinstance(ours, str) and isinstance(live, str) and _matches(ours, live)


def _matches(ours, live):
    """Return whether a text is the other one with its placeholders filled in."""
    parts = _PLACEHOLDERS.split(ours)
    pattern = ''.join('.*' if number % 2 else re.escape(part) for number, part in enumerate(parts))
    return len(parts) > 1 and re.match(pattern + r'\Z', live, re.DOTALL) is not None


def _hidden(ours, live):
    """Return a different value of the live object, without what may be secret in it."""
    return HIDDEN if isinstance(ours, str) and isinstance(live, str) and _PLACEHOLDERS.search(ours) else live
