"""Generated requests: valid, nearly valid and odd ones, for two servers that should give the same answers.

`scenario(seed)` returns the steps of one story about one object. The same seed gives the same steps on every machine.
A body may be bytes, or plain values with marks that the runner replaces by what the server at hand has said:
UID and VERSION stand for the last seen uid and resourceVersion; an Edit is the last seen object, changed.
"""
import copy
import gzip
import json
import random
from collections import namedtuple

from .helpers import JSON, JSON_PATCH, MERGE_PATCH, NODE, STRATEGIC_PATCH

Step = namedtuple('Step', 'method path query headers body')
Edit = namedtuple('Edit', 'changes')
Edit.__doc__ += """: the object that the server sent last, changed.

changes (list): [(path as a tuple of keys and indices, new value)]; REMOVED removes.
"""

UID, VERSION, REMOVED = '$uid', '$resourceVersion', '$removed'

LABELS = {'app': 'x', 'tier.example.org/part': 'A_b.c'}
ODD_VALUES = [
    None, True, False, 0, 1, -1, 1.5, 65536, 2 ** 31, 2 ** 63, 10 ** 30, '', 'a', 'A_b', 'a.b', '-a', 'a-', ' ', 'ü',
    '1', '0', '-1', '1.5', '1Gi', '1e3', '100m', 'x' * 64, 'x' * 254, 'a/b', 'a//b', '../a', '/a', '127.0.0.1',
    '10.1.2.3', '2001:db8::1', '256.1.1.1', 'None', 'TCP', 'Always', 'true', '2020-01-02T03:04:05Z', '2020-13-02',
    'YQ==', '!',
    [], [None], [''], ['a'], ['a', 'a'], [1], [[]], [{}], {}, {'a': None}, {'a': 'b'}, {'a': 1}, {'': ''}, {'a b': 'c'},
    {'a': {}}, {'name': 'a'},
]
NUMBERS = [0, 1, -1, 2, 443, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 63, 1.0, 1.5, '1', None]
BROKEN_BODIES = [
    b'', b' ', b'{', b'}', b'[]', b'null', b'true', b'17', b'"x"', b'{}', b'{"a"}', b'{"a":1,}', b"{'a': 1}", b'{}{}',
    b'{} x', b'\xef\xbb\xbf{}', b'\xff\xfe', b'{"metadata":{"name":"\xff"}}', b'{"metadata":{"name":"\\ud800"}}',
    b'{"metadata":{"name":"a\\u0000b"}}', b'{"metadata":{"name":"a\x00b"}}', b'{"metadata":NaN}',
    b'{"metadata":{"name":"a","name":"b"}}', b'{"Metadata":{"name":"a"}}', b'{"metadata":{"NAME":"a"}}',
    b'{"metadata":[]}', b'{"metadata":"x"}', b'{"kind":1}', b'{"kind":"Nonsense"}', b'{"apiVersion":"v9"}',
    b'{"kind":"Nonsense","apiVersion":"v1"}', b'{"kind":"Pod","apiVersion":"v9"}', b'{"kind":null,"apiVersion":null}',
    b'{"kind":"","apiVersion":""}', b'{"kind":"Pod","apiVersion":"a/b/c"}', b'kind: Pod\n', b'# nothing\n{}',
    b'{"apiVersion":"v1","kind":"List","items":[]}', b'{"apiVersion":"v1","kind":"Status"}',
    b'[' * 3000, b'{"a":' * 3000, b'[' * 20000 + b']' * 20000, b'1e400', b'{"metadata":{"generation":1e2}}',
]
CONTENT_TYPES = ['text/plain', 'application/x-www-form-urlencoded', '', 'nonsense', 'application/JSON',
                 'application/json; charset=utf-8', 'application/json;charset=latin1', 'application/json, text/plain',
                 'application/merge-patch+json', '*/*', 'application/*']
ACCEPTED = ['*/*', 'application/*', 'application/json', 'text/plain', 'nonsense', 'text/html, application/json', '',
            'application/json;q=0.5', 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1']


def pod(name):
    probe = {'httpGet': {'port': 80, 'path': '/x', 'scheme': 'HTTP', 'httpHeaders': [{'name': 'A', 'value': 'b'}]},
             'periodSeconds': 5, 'initialDelaySeconds': 1, 'timeoutSeconds': 2, 'failureThreshold': 3}
    container = {
        'name': 'main', 'image': 'example.org/image:1', 'command': ['a', 'b'], 'args': ['c'], 'workingDir': '/work',
        'imagePullPolicy': 'IfNotPresent', 'tty': True, 'stdin': True,
        'env': [{'name': 'A', 'value': 'b'}, {'name': 'B', 'valueFrom': {'fieldRef': {'fieldPath': 'metadata.name'}}},
                {'name': 'C', 'valueFrom': {'secretKeyRef': {'name': 's', 'key': 'k', 'optional': True}}},
                {'name': 'D', 'valueFrom': {'configMapKeyRef': {'name': 's', 'key': 'k'}}},
                {'name': 'E', 'valueFrom': {'resourceFieldRef': {'resource': 'limits.cpu', 'divisor': '1'}}}],
        'envFrom': [{'prefix': 'P_', 'configMapRef': {'name': 'c'}}, {'secretRef': {'name': 's'}}],
        'ports': [{'name': 'http', 'containerPort': 8888, 'protocol': 'TCP'}, {'containerPort': 53, 'protocol': 'UDP'}],
        'resources': {'limits': {'cpu': '1', 'memory': '1Gi'}, 'requests': {'cpu': '500m', 'memory': '1Gi'}},
        'volumeMounts': [{'name': 'v', 'mountPath': '/v', 'subPath': 'a', 'readOnly': True},
                         {'name': 'w', 'mountPath': '/w'}],
        'readinessProbe': probe, 'livenessProbe': {'tcpSocket': {'port': 'http'}},
        'lifecycle': {'preStop': {'exec': {'command': ['x']}}, 'postStart': {'httpGet': {'port': 1}}},
        'securityContext': {'runAsUser': 1000, 'allowPrivilegeEscalation': False, 'capabilities': {'drop': ['ALL']}},
        'terminationMessagePath': '/x', 'terminationMessagePolicy': 'File',
    }
    return {
        'kind': 'Pod', 'apiVersion': 'v1', 'metadata': metadata(name),
        'spec': {
            'schedulerName': 'nobody', 'automountServiceAccountToken': False, 'containers': [container],
            'initContainers': [{'name': 'init', 'image': 'x', 'command': ['true']}], 'restartPolicy': 'OnFailure',
            'terminationGracePeriodSeconds': 5, 'activeDeadlineSeconds': 100, 'dnsPolicy': 'Default',
            'nodeSelector': {'a': 'b'}, 'serviceAccountName': 'default', 'hostname': 'h', 'subdomain': 's',
            'securityContext': {'fsGroup': 100, 'runAsUser': 1000, 'supplementalGroups': [1, 2],
                                'sysctls': [{'name': 'kernel.shm_rmid_forced', 'value': '0'}]},
            'imagePullSecrets': [{'name': 'x'}], 'hostAliases': [{'ip': '10.0.0.1', 'hostnames': ['a.b']}],
            'dnsConfig': {'nameservers': ['10.0.0.1'], 'searches': ['a.b'], 'options': [{'name': 'x', 'value': 'y'}]},
            'tolerations': [{'key': 'a', 'operator': 'Equal', 'value': 'b', 'effect': 'NoSchedule'},
                            {'key': 'c', 'operator': 'Exists', 'effect': 'NoExecute', 'tolerationSeconds': 5}],
            'affinity': affinity(), 'topologySpreadConstraints': [
                {'maxSkew': 1, 'topologyKey': 'zone', 'whenUnsatisfiable': 'DoNotSchedule',
                 'labelSelector': {'matchLabels': {'a': 'b'}}}],
            'readinessGates': [{'conditionType': 'example.org/ready'}], 'enableServiceLinks': False,
            'shareProcessNamespace': True, 'hostNetwork': False,
            'volumes': [{'name': 'v', 'persistentVolumeClaim': {'claimName': 'c', 'readOnly': True}},
                        {'name': 'w', 'emptyDir': {'medium': 'Memory', 'sizeLimit': '1Gi'}},
                        {'name': 's', 'secret': {'secretName': 's', 'defaultMode': 256,
                                                 'items': [{'key': 'k', 'path': 'a/b', 'mode': 292}]}},
                        {'name': 'c', 'configMap': {'name': 'c', 'optional': True}},
                        {'name': 'h', 'hostPath': {'path': '/x', 'type': 'Directory'}},
                        {'name': 'n', 'nfs': {'server': 'a', 'path': '/b'}}],
        },
    }


def affinity():
    terms = [{'matchExpressions': [{'key': 'a', 'operator': 'In', 'values': ['b']}]}]
    near = {'topologyKey': 'zone', 'labelSelector': {'matchLabels': {'a': 'b'}}}
    return {'nodeAffinity': {'requiredDuringSchedulingIgnoredDuringExecution': {'nodeSelectorTerms': terms},
                             'preferredDuringSchedulingIgnoredDuringExecution': [
                                 {'weight': 1, 'preference': copy.deepcopy(terms[0])}]},
            'podAffinity': {'requiredDuringSchedulingIgnoredDuringExecution': [near]},
            'podAntiAffinity': {'preferredDuringSchedulingIgnoredDuringExecution': [
                {'weight': 5, 'podAffinityTerm': copy.deepcopy(near)}]}}


def metadata(name):
    return {'name': name, 'labels': dict(LABELS, story=name),
            'annotations': {'note': 'some words', 'example.org/x': ''}}


def claim(name):
    return {'kind': 'PersistentVolumeClaim', 'apiVersion': 'v1', 'metadata': metadata(name),
            'spec': {'accessModes': ['ReadWriteOnce', 'ReadOnlyMany'], 'storageClassName': 'made-up-class',
                     'resources': {'requests': {'storage': '1Gi'}, 'limits': {'storage': '2Gi'}},
                     'selector': {'matchLabels': {'a': 'b'},
                                  'matchExpressions': [{'key': 'a', 'operator': 'In', 'values': ['b']}]},
                     'volumeMode': 'Filesystem'}}


def service(name):
    return {'kind': 'Service', 'apiVersion': 'v1', 'metadata': metadata(name),
            'spec': {'ports': [{'name': 'http', 'port': 80, 'targetPort': 8888, 'protocol': 'TCP'},
                               {'name': 'dns', 'port': 53, 'targetPort': 'dns', 'protocol': 'UDP'}],
                     'selector': {'a': 'b'}, 'type': 'ClusterIP', 'sessionAffinity': 'None',
                     'publishNotReadyAddresses': True}}


def configmap(name):
    return {'kind': 'ConfigMap', 'apiVersion': 'v1', 'metadata': metadata(name), 'data': {'a': 'b', 'c.d-e_f': ''},
            'binaryData': {'g': 'aGVsbG8='}, 'immutable': False}


def secret(name):
    return {'kind': 'Secret', 'apiVersion': 'v1', 'metadata': metadata(name), 'data': {'a': 'aGVsbG8=', 'b': ''},
            'stringData': {'c': 'd'}, 'type': 'Opaque', 'immutable': False}


def endpoints(name):
    return {'kind': 'Endpoints', 'apiVersion': 'v1', 'metadata': metadata(name),
            'subsets': [{'addresses': [{'ip': '10.1.2.3', 'hostname': 'a', 'nodeName': 'n',
                                        'targetRef': {'kind': 'Pod', 'name': 'p', 'namespace': 'q'}}],
                         'notReadyAddresses': [{'ip': '10.1.2.4'}],
                         'ports': [{'name': 'http', 'port': 80, 'protocol': 'TCP'}]}]}


def event(name):
    return {'kind': 'Event', 'apiVersion': 'v1', 'metadata': metadata(name), 'reason': 'Tested', 'type': 'Normal',
            'message': 'some words', 'count': 1, 'source': {'component': 'test', 'host': 'h'},
            'firstTimestamp': '2020-01-02T03:04:05Z', 'lastTimestamp': '2020-01-02T03:04:05Z',
            'involvedObject': {'kind': 'Pod', 'apiVersion': 'v1', 'name': 'p', 'namespace': '$namespace', 'uid': 'u'}}


def ingress(name):
    backend = {'service': {'name': 's', 'port': {'number': 80}}}
    return {'kind': 'Ingress', 'apiVersion': 'networking.k8s.io/v1', 'metadata': metadata(name),
            'spec': {'ingressClassName': 'x', 'defaultBackend': backend,
                     'rules': [{'host': 'a.example.org', 'http': {'paths': [
                         {'path': '/a', 'pathType': 'Prefix', 'backend': copy.deepcopy(backend)}]}}],
                     'tls': [{'hosts': ['a.example.org'], 'secretName': 's'}]}}


MAKERS = {'pods': pod, 'persistentvolumeclaims': claim, 'services': service, 'configmaps': configmap,
          'secrets': secret, 'endpoints': endpoints, 'events': event, 'ingresses': ingress}
WITH_STATUS = ('pods', 'persistentvolumeclaims', 'services', 'ingresses')
WEIGHTS = ['pods'] * 6 + ['services'] * 3 + ['persistentvolumeclaims'] * 2 + sorted(MAKERS)


def places(value, path=()):
    """Yield the path of every value inside of `value`."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield path + (key,)
        for place in places(child, path + (key,)):
            yield place


def put_at(value, path, new):
    """Set what is at `path` in `value`, if its parent is there."""
    for key in path[:-1]:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return
    try:
        if new == REMOVED:
            del value[path[-1]]
        else:
            value[path[-1]] = new
    except (KeyError, IndexError, TypeError):
        pass


def get_at(value, path):
    for key in path:
        value = value[key]
    return value


class Story:
    """Makes the steps of one scenario with its own source of random choices."""

    def __init__(self, seed, namespace):
        self.random = random.Random(seed)
        self.namespace = namespace
        self.resource = self.random.choice(WEIGHTS)
        self.name = 's%d' % seed
        prefix = '/apis/networking.k8s.io/v1' if self.resource == 'ingresses' else '/api/v1'
        self.collection = '%s/namespaces/%s/%s' % (prefix, namespace, self.resource)
        self.path = self.collection + '/' + self.name
        self.body = self.whole_body()

    def chance(self, probability):
        return self.random.random() < probability

    def steps(self):
        if self.chance(0.12):
            return [self.odd_request() for _ in range(4)]
        steps = [self.create(self.chance(0.5))]
        if steps[0].query.get('dryRun') or self.chance(0.3):
            steps.append(self.create(False))
        verbs = [self.read, self.list, self.merge, self.strategic, self.json_patch, self.edit, self.edit, self.status,
                 self.delete, self.bind, self.again]
        steps += [self.random.choice(verbs)() for _ in range(self.random.randint(1, 5))]
        steps = [step for step in steps if step]
        ends = [i for i, step in enumerate(steps) if self.ends_later(step)]
        if ends:
            return steps[:ends[0] + 1]
        return steps + [Step('GET', self.path, {}, {}, None),
                                                   Step('DELETE', self.path, {}, {}, None)]

    def ends_later(self, step):
        """Return whether a controller ends the deletion, a moment later."""
        return step.method == 'DELETE' and (self.resource == 'persistentvolumeclaims' or 'rphan' in str(step.body))

    # Bodies

    def whole_body(self):
        """Return a valid object with some of the fields of its kind."""
        body = json.loads(json.dumps(MAKERS[self.resource](self.name)).replace('$namespace', self.namespace))
        needed = {('spec', 'containers'), ('spec', 'schedulerName'), ('spec', 'automountServiceAccountToken'),
                  ('spec', 'ports'), ('spec', 'accessModes'), ('spec', 'resources'), ('spec', 'volumes'),
                  ('spec', 'storageClassName')}
        keep = self.random.random()
        for path in sorted(places(body), key=str):
            small = len(path) > 1 and isinstance(path[-1], str) and path[:2] not in needed and path[0] != 'metadata'
            inner = len(path) == 4 and path[:2] == ('spec', 'containers') and path[3] not in ('name', 'image')
            if (small or inner) and not self.chance(keep) and path[0] in ('spec', 'data', 'binaryData', 'stringData'):
                if len(path) == 2 or inner:
                    put_at(body, path, REMOVED)
        return body

    def changes(self, value, most=2):
        """Return some [(path, new value)] that may spoil `value`."""
        result = []
        for _ in range(self.random.randint(1, most)):
            all_places = sorted((place for place in places(value) if place not in (
                ('spec', 'schedulerName'), ('spec', 'automountServiceAccountToken'))), key=str)
            if not all_places:
                continue
            path = self.random.choice(all_places)
            if self.chance(0.15) and isinstance(path[-1], str):
                path = path[:-1] + (self.random.choice([path[-1].upper(), path[-1] + 'X', 'nonsense', '']),)
            try:
                old = get_at(value, path)
            except (KeyError, TypeError, IndexError):
                old = None
            result.append((path, self.odd_value(old)))
        return result

    def odd_value(self, old):
        if self.chance(0.15):
            return REMOVED
        if self.chance(0.5):
            if isinstance(old, (int, float)) and not isinstance(old, bool):
                return self.random.choice(NUMBERS)
            if isinstance(old, str):
                return self.random.choice([value for value in ODD_VALUES if isinstance(value, str)])
            if isinstance(old, list) and old:
                return old + [copy.deepcopy(self.random.choice(old))]
        return copy.deepcopy(self.random.choice(ODD_VALUES))

    def spoilt(self, value):
        value = copy.deepcopy(value)
        for path, new in self.changes(value):
            put_at(value, path, new)
        return value

    # Steps

    def write_query(self):
        query = {}
        if self.chance(0.08):
            query['dryRun'] = self.random.choice(['All', 'All', 'x', '', 'all'])
        if self.chance(0.05):
            query['fieldManager'] = self.random.choice(['me', '', 'x' * 129, 'a\nb'])
        if self.chance(0.03):
            query['pretty'] = self.random.choice(['true', 'x'])
        return query

    def headers(self, content_type=JSON):
        headers = {'Content-Type': content_type}
        if self.chance(0.04):
            headers['Content-Type'] = self.random.choice(CONTENT_TYPES)
        if self.chance(0.03):
            headers['Accept'] = self.random.choice(ACCEPTED)
        return headers

    def create(self, spoil):
        body = self.spoilt(self.body) if spoil else self.body
        headers = self.headers()
        if self.chance(0.06):
            body = self.random.choice(BROKEN_BODIES)
        elif self.chance(0.02):
            body = gzip.compress(json.dumps(body).encode())
            headers['Content-Encoding'] = 'gzip'
        elif self.chance(0.05):
            body = dict(body, kind=self.random.choice(['', 'Pod', 'pod', 'Nonsense', 'List', 'Status']))
        elif self.chance(0.04):
            body = dict(body, apiVersion=self.random.choice(['', 'v2', 'v1', 'apps/v1', 'a/b/c']))
        return Step('POST', self.collection, self.write_query(), headers, body)

    def again(self):
        return self.create(self.chance(0.3))

    def read(self):
        headers = {'Accept': self.random.choice(ACCEPTED)} if self.chance(0.1) else {}
        return Step('GET', self.path, self.random.choice([{}, {'pretty': 'true'}, {'resourceVersion': '0'},
                                                          {'resourceVersion': 'x'}]), headers, None)

    def list(self):
        query = {'labelSelector': self.random.choice([
            'story=' + self.name, 'story==%s,app=x' % self.name, 'story in (%s, a)' % self.name,
            'story=%s,!nonsense' % self.name, 'story=%s,app notin (x)' % self.name, 'story=%s,app' % self.name])}
        if self.chance(0.6):
            name, value = self.random.choice([
                ('limit', '1'), ('limit', '-1'), ('limit', 'x'), ('limit', ''), ('continue', 'x'),
                ('continue', 'eyJ2IjoiIn0'), ('resourceVersion', 'x'), ('resourceVersion', '-1'),
                ('resourceVersion', ''), ('resourceVersion', '1.5'), ('resourceVersion', '99999999999'),
                ('resourceVersion', '99999999999999999999999'),
                ('resourceVersionMatch', 'Exact'), ('resourceVersionMatch', 'x'), ('timeoutSeconds', 'x'),
                ('fieldSelector', 'metadata.name=' + self.name), ('fieldSelector', 'metadata.name!=' + self.name),
                ('fieldSelector', 'x=y'), ('fieldSelector', 'metadata.name'), ('fieldSelector', 'status.phase=Pending'),
                ('fieldSelector', ','), ('fieldSelector', 'metadata.name=a=b'), ('limit', '500'),
                ('labelSelector', 'a b'), ('labelSelector', '=x'), ('labelSelector', 'a=b=c'), ('labelSelector', ','),
                ('labelSelector', 'a in ()'), ('labelSelector', 'a in (b'), ('labelSelector', '!'),
                ('labelSelector', 'a>1'), ('labelSelector', 'a>x'), ('labelSelector', 'ü=x'),
                ('labelSelector', 'a=-b'), ('labelSelector', 'a in (b,,c)'), ('labelSelector', 'x' * 64),
            ])
            query[name] = value
        if self.chance(0.2):
            query['resourceVersionMatch'] = self.random.choice(['Exact', 'NotOlderThan', 'x'])
            query.setdefault('resourceVersion', self.random.choice(['0', '1', '']))
        return Step('GET', self.collection, query, {}, None)

    def patch_of(self, body):
        """Return a patch: a spoilt piece of the object."""
        spoilt = self.spoilt(body)
        paths = sorted((path for path in places(spoilt) if 2 <= len(path) <= 3), key=str)
        if not paths:
            return {}
        path = self.random.choice(paths)
        value = get_at(spoilt, path)
        for key in reversed(path):
            value = {key: value} if isinstance(key, str) else [value]
        if self.chance(0.2):
            value = self.random.choice(ODD_VALUES)
        return copy.deepcopy(value)

    def merge(self):
        return self.patch_step(MERGE_PATCH, self.patch_of(self.body))

    def strategic(self):
        patch = self.patch_of(self.body)
        if self.chance(0.2) and isinstance(patch, dict):
            patch['$patch'] = self.random.choice(['replace', 'delete', 'merge', 'x', 1])
        return self.patch_step(STRATEGIC_PATCH, patch)

    def json_patch(self):
        paths = sorted(places(self.body), key=str)
        operations = []
        for _ in range(self.random.randint(1, 2)):
            path = self.random.choice(paths)
            pointer = ''.join('/' + str(key).replace('~', '~0').replace('/', '~1') for key in path)
            operation = {'op': self.random.choice(['add', 'remove', 'replace', 'test', 'copy', 'move', 'x']),
                         'path': self.random.choice([pointer] * 5 + [pointer + '/x', pointer + '/-', '', 'x', '/x/y']),
                         'value': self.random.choice([get_at(self.body, path), self.odd_value(None)])}
            if operation['op'] in ('copy', 'move'):
                operation['from'] = pointer
            operations.append(operation)
        return self.patch_step(JSON_PATCH, operations)

    def patch_step(self, content_type, patch):
        if self.chance(0.05):
            patch = self.random.choice(BROKEN_BODIES)
        return Step('PATCH', self.path, self.write_query(), self.headers(content_type), patch)

    def edit(self):
        changes = self.changes(self.body)
        if self.chance(0.3):
            changes.append(self.random.choice([
                (('metadata', 'resourceVersion'), '1'), (('metadata', 'resourceVersion'), 'x'),
                (('metadata', 'resourceVersion'), REMOVED), (('metadata', 'resourceVersion'), ''),
                (('metadata', 'uid'), 'x'), (('metadata', 'uid'), REMOVED), (('metadata', 'name'), 'other'),
                (('metadata', 'name'), REMOVED), (('metadata', 'namespace'), 'other'),
                (('metadata', 'namespace'), REMOVED), (('metadata', 'creationTimestamp'), REMOVED),
                (('metadata', 'generation'), 7), (('metadata', 'finalizers'), ['a']),
                (('metadata', 'deletionTimestamp'), '2020-01-02T03:04:05Z'), (('metadata', 'selfLink'), '/x'),
                (('metadata', 'generateName'), 'x'), (('kind',), REMOVED), (('apiVersion',), REMOVED)]))
        path = self.path
        if self.resource in WITH_STATUS and self.chance(0.15):
            path += '/status'
        return Step('PUT', path, self.write_query(), self.headers(), Edit(changes))

    def status(self):
        if self.resource not in WITH_STATUS:
            return Step('GET', self.path + '/status', {}, {}, None)
        status = self.random.choice([
            {'phase': 'Running', 'podIP': '10.1.2.3', 'reason': 'x', 'message': 'y'}, {'phase': 'Nonsense'},
            {'conditions': [{'type': 'Ready', 'status': 'True'}]}, {'conditions': [{}]}, {'phase': 1},
            {'containerStatuses': [{'name': 'main', 'ready': True, 'restartCount': 1, 'image': 'x', 'imageID': '',
                                    'state': {'running': {'startedAt': '2020-01-02T03:04:05Z'}}}]},
            {'loadBalancer': {'ingress': [{'ip': '10.1.2.3'}]}}, {'loadBalancer': {'ingress': [{'ip': 'x'}]}},
            {'capacity': {'storage': '1Gi'}, 'accessModes': ['ReadWriteOnce']}, {'capacity': {'storage': 'x'}}, {}])
        content_type = self.random.choice([MERGE_PATCH, STRATEGIC_PATCH])
        return Step('PATCH', self.path + '/status', {}, self.headers(content_type), {'status': copy.deepcopy(status)})

    def bind(self):
        if self.resource != 'pods':
            return None
        body = {'kind': 'Binding', 'apiVersion': 'v1', 'metadata': {'name': self.name},
                'target': {'kind': 'Node', 'apiVersion': 'v1', 'name': NODE}}
        return Step('POST', self.path + '/binding', {}, self.headers(),
                    self.spoilt(body) if self.chance(0.5) else body)

    def delete(self):
        body = self.random.choice([
            None, None, {}, {'gracePeriodSeconds': 0}, {'gracePeriodSeconds': 5}, {'gracePeriodSeconds': -1},
            {'gracePeriodSeconds': 'x'}, {'preconditions': {'uid': UID}}, {'preconditions': {'uid': 'x'}},
            {'preconditions': {'resourceVersion': VERSION}}, {'preconditions': {'resourceVersion': '1'}},
            {'propagationPolicy': 'Background'}, {'propagationPolicy': 'x'}, {'orphanDependents': True},
            {'orphanDependents': True, 'propagationPolicy': 'Orphan'}, {'dryRun': ['All']}, {'dryRun': ['x']},
            {'dryRun': 'All'}, {'kind': 'DeleteOptions', 'apiVersion': 'v1'}, {'nonsense': 1},
            {'kind': 'DeleteOptions', 'apiVersion': 'v1', 'nonsense': 1}])
        if self.chance(0.15):
            body = self.random.choice([b'x', b'[]', b'null', b'"x"', b'{"kind":"Pod","apiVersion":"v1"}',
                                       b'{"kind":"Status","apiVersion":"v1"}', b'{'])
        query = self.random.choice([{}, {}, {}, {'gracePeriodSeconds': '0'}, {'gracePeriodSeconds': 'x'},
                                    {'gracePeriodSeconds': '-1'}, {'propagationPolicy': 'Background'},
                                    {'propagationPolicy': 'x'}, {'dryRun': 'All'}, {'dryRun': 'x'}])
        if self.chance(0.15):
            query = dict(query, labelSelector='story=' + self.name)
            return Step('DELETE', self.collection, query, self.headers(), body)
        return Step('DELETE', self.path, query, self.headers(), body)

    # Requests that fit no path, or hardly

    def odd_request(self):
        base = self.random.choice([self.collection, self.path, '/api/v1', '/apis', '/api', '/apis/networking.k8s.io',
                                   '/apis/networking.k8s.io/v1', '/api/v1/nodes/none', '/api/v1/namespaces/none',
                                   '/api/v1/namespaces/' + self.namespace, '/version', '/api/v1/pods/none'])
        path = base + self.random.choice([
            '', '', '', '/', '//', '/.', '/..', '/../' + self.name, '/%2F', '/%2e%2e', '/a%2Fb', '/%00', '/%ff',
            '/%C3%BC', '/a/b', '/status', '/log', '/nonsense', '/binding', '/a/b/c/d', '/%', '/a%20b', '?', '?a',
            '/scale', '/%2e', '/exec', '/proxy', '/finalize', '/eviction'])
        method = self.random.choice(['GET', 'GET', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE'])
        if method == 'DELETE' and self.path not in path:
            method = 'GET'
        if method == 'GET' and path.rstrip('/?a.') == self.collection:  # what other scenarios left is in it
            path = self.path
        body = None
        if method in ('POST', 'PUT', 'PATCH'):
            body = self.random.choice([{}, self.body, b''])
            body = dict(body, metadata={'name': 'A_never valid'}) if isinstance(body, dict) else body
        content_type = MERGE_PATCH if method == 'PATCH' else JSON
        return Step(method, path, {}, self.headers(content_type), body)


def scenario(seed, namespace):
    """Return the steps of the scenario with this number, in a namespace that exists on both servers."""
    return Story(seed, namespace).steps()
