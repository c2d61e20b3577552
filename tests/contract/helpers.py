"""Raw HTTP to an API server, a reader of watches, and the smallest objects that a server accepts.

Nothing here asserts what a server must do; that is for the cases.
"""
import base64
import copy
import json
import os
import tempfile
import time
import uuid
from collections import namedtuple
from urllib.parse import urlencode

import urllib3
import yaml
from urllib3.response import HTTPHeaderDict

#: How long (seconds) a case waits for an answer, or for the next event of a watch, before it fails.
PATIENCE = 30

JSON = 'application/json'
MERGE_PATCH = 'application/merge-patch+json'
STRATEGIC_PATCH = 'application/strategic-merge-patch+json'
JSON_PATCH = 'application/json-patch+json'
APPLY = 'application/apply-patch+yaml'

#: The node that pods are bound to. It does not exist, so no kubelet touches them.
NODE = 'made-up-node'

Answer = namedtuple('Answer', 'code body headers')
Answer.__doc__ += """: what the server said.

code (int): HTTP status.
body (dict or str): parsed if the server says that it is JSON.
headers (mapping): case does not matter.
"""


def file_of(entry, key, kubeconfig, directory):
    """The path of what an entry of `kubeconfig` gives as `key` (a path) or `key`-data (base64), or None."""
    if key + '-data' in entry:
        handle, path = tempfile.mkstemp(dir=directory)
        with os.fdopen(handle, 'wb') as f:
            f.write(base64.b64decode(entry[key + '-data']))
        return path
    return os.path.join(os.path.dirname(kubeconfig), entry[key]) if key in entry else None


class Http:
    """Calls to the API server of a kubeconfig's current context, whose user has a token or a certificate.

    Certificates that the kubeconfig holds are written to files in `directory`.
    """

    def __init__(self, kubeconfig, directory):
        with open(kubeconfig) as f:
            config = yaml.safe_load(f)

        def entry(kind, name):
            return next(e[kind] for e in config[kind + 's'] if e['name'] == name)

        context = entry('context', config['current-context'])
        cluster, user = entry('cluster', context['cluster']), entry('user', context['user'])
        self.server = cluster['server'].rstrip('/')
        self.token = user.get('token')
        insecure = cluster.get('insecure-skip-tls-verify')
        tls = {'ca_certs': file_of(cluster, 'certificate-authority', kubeconfig, directory),
               'cert_reqs': 'CERT_NONE' if insecure else 'CERT_REQUIRED'}
        identity = {'cert_file': file_of(user, 'client-certificate', kubeconfig, directory),
                    'key_file': file_of(user, 'client-key', kubeconfig, directory)}
        self.anonymous = urllib3.PoolManager(**tls)
        self.pool = urllib3.PoolManager(maxsize=32, **dict(tls, **identity))
        self.headers = {'Accept': JSON}

    def acting_as(self, user, *groups, token=None):
        """Return an `Http` that impersonates a user and groups; or one with the token of somebody."""
        other = copy.copy(self)
        if token:
            other.token, other.pool = token, self.anonymous
        else:
            other.headers = HTTPHeaderDict(self.headers, **{'Impersonate-User': user})
            for group in groups:
                other.headers.add('Impersonate-Group', group)
        return other

    def send(self, method, path, body=None, query=None, content_type=JSON, stream=False):
        """Send a request; `body` goes as it is if it is bytes, as JSON otherwise. Return urllib3's response."""
        headers = copy.copy(self.headers)
        if self.token:
            headers['Authorization'] = 'Bearer ' + self.token
        if body is not None:
            headers['Content-Type'] = content_type
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = self.server + path + ('?' + urlencode(query) if query else '')
        return self.pool.request(method, url, body=body, headers=headers, timeout=PATIENCE, retries=False,
                                 preload_content=not stream)

    def get(self, path, **query):
        return answer(self.send('GET', path, query=query))

    def post(self, path, body, **query):
        return answer(self.send('POST', path, body, query))

    def put(self, path, body, **query):
        return answer(self.send('PUT', path, body, query))

    def patch(self, path, body, content_type=MERGE_PATCH, **query):
        return answer(self.send('PATCH', path, body, query, content_type))

    def delete(self, path, body=None, **query):
        return answer(self.send('DELETE', path, body, query))

    def watch(self, path, **query):
        """Start a watch. When this returns, the server has begun it: no later event is missed."""
        query = dict({'watch': 'true', 'timeoutSeconds': 60}, **query)
        return Watch(self.send('GET', path, query=query, stream=True))

    def as_stranger(self, path, token=None):
        """GET `path` as nobody, or as whoever `token` belongs to."""
        headers = {'Authorization': 'Bearer ' + token} if token else {}
        return answer(self.anonymous.request('GET', self.server + path, headers=headers, timeout=PATIENCE,
                                             retries=False))


def answer(response):
    """The `Answer` in a response that was read."""
    text = response.data.decode()
    is_json = response.headers.get('Content-Type', '').startswith(JSON)
    return Answer(response.status, json.loads(text) if is_json else text, response.headers)


class Watch:
    """The events of a watch, each read when it is asked for. A context manager; an iterator that ends when the
    server ends the watch, and fails when the server is silent for longer than PATIENCE or breaks off."""

    def __init__(self, response):
        self.code = response.status
        self.response = response
        self.seen = []
        self.events = (json.loads(line) for line in lines(response))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.response.close()

    def __iter__(self):
        return self

    def __next__(self):
        try:
            event = next(self.events)
        except urllib3.exceptions.HTTPError as error:
            raise AssertionError('%s after the events %s' % (type(error).__name__, told(self.seen))) from None
        self.seen.append(event)
        return event

    def take(self, count):
        """The next `count` events."""
        begin = len(self.seen)
        while len(self.seen) < begin + count:
            if next(self, None) is None:
                raise AssertionError('the watch ended after the events %s' % told(self.seen))
        return self.seen[begin:]

    def until(self, name, kind=None):
        """The next events, up to and including the first about the object `name` (of type `kind`, if given)."""
        begin = len(self.seen)
        for event in self:
            if event['object']['metadata'].get('name') == name and kind in (None, event['type']):
                return self.seen[begin:]
        raise AssertionError('the watch ended after the events %s' % told(self.seen))


def lines(response):
    """The lines of a streamed response, each as soon as it is complete."""
    rest = b''
    for chunk in response.stream():
        rest += chunk
        *complete, rest = rest.split(b'\n')
        for line in complete:
            yield line.decode()
    if rest:
        yield rest.decode()


def told(events):
    """[(type, name)] of watch events."""
    return [(e['type'], e['object'].get('metadata', {}).get('name')) for e in events]


def failure(response):
    """(code, reason, [(field, reason) of each cause, sorted, once]) of a Status that tells of a failure."""
    status = response.body
    assert isinstance(status, dict) and status['kind'] == 'Status', shown(response)
    assert (status['apiVersion'], status['status'], status['code']) == ('v1', 'Failure', response.code), shown(response)
    assert status['message']
    causes = (status.get('details') or {}).get('causes') or []
    return response.code, status['reason'], sorted({(c.get('field'), c['reason']) for c in causes})


def soon(condition, what):
    """Return when `condition()` holds, which a controller brings about. what (str or function): what a failure says."""
    deadline = time.monotonic() + 3 * PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what if isinstance(what, str) else what()
        time.sleep(0.05)


def shown(response):
    """What a failed case says of an answer."""
    return '%s %.300s' % (response.code, response.body)


def outcome(response):
    """(code, reason) of a Status that tells of a failure."""
    return failure(response)[:2]


def created(response):
    """The object that a create answered with."""
    assert response.code == 201, shown(response)
    return response.body


def ok(response):
    """The body of an answer that must be a 200."""
    assert response.code == 200, shown(response)
    return response.body


def names(body):
    """The names of a list's items, in its order."""
    return [item['metadata']['name'] for item in body['items']]


def version(obj):
    """An object's or a list's resource version, as a string."""
    return obj['metadata']['resourceVersion']


def unique(prefix='it'):
    """A name that no other object has."""
    return '%s-%s' % (prefix, uuid.uuid4().hex[:8])


def meta(name, labels=None, **more):
    """Metadata with a name, and labels if there are any."""
    return dict({'name': name}, **dict({'labels': labels} if labels else {}, **more))


def container(name='main', **fields):
    """The smallest container."""
    return dict({'name': name, 'image': 'example.org/image:1'}, **fields)


def pod(name, labels=None, containers=None, **spec):
    """A small pod that no scheduler takes and into which no token is mounted."""
    return {
        'apiVersion': 'v1', 'kind': 'Pod', 'metadata': meta(name, labels),
        'spec': dict({'containers': [container()] if containers is None else containers, 'schedulerName': 'nobody',
                      'automountServiceAccountToken': False}, **spec),
    }


def claim(name, size='1Gi', **spec):
    """A claim of a storage class that does not exist, so that a cluster makes no volume for it."""
    return {
        'apiVersion': 'v1', 'kind': 'PersistentVolumeClaim', 'metadata': meta(name),
        'spec': dict({'accessModes': ['ReadWriteOnce'], 'resources': {'requests': {'storage': size}},
                      'storageClassName': 'made-up-class'}, **spec),
    }


def configmap(name, labels=None, **data):
    return {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': meta(name, labels), 'data': data}


def secret(name, **fields):
    return dict({'apiVersion': 'v1', 'kind': 'Secret', 'metadata': meta(name)}, **fields)


def service(name, **spec):
    return {'apiVersion': 'v1', 'kind': 'Service', 'metadata': meta(name),
            'spec': dict({'ports': [{'port': 80}]}, **spec)}


def endpoints(name, labels=None, **subset):
    return {'apiVersion': 'v1', 'kind': 'Endpoints', 'metadata': meta(name, labels),
            'subsets': [subset] if subset else []}


def event(name, namespace, about, **fields):
    """An event about the pod `about`."""
    return dict({
        'apiVersion': 'v1', 'kind': 'Event', 'metadata': meta(name), 'reason': 'Tested', 'type': 'Normal',
        'involvedObject': {'apiVersion': 'v1', 'kind': 'Pod', 'name': about, 'namespace': namespace},
    }, **fields)


def binding(name, node=NODE):
    """What puts the pod `name` on a node."""
    return {'apiVersion': 'v1', 'kind': 'Binding', 'metadata': {'name': name},
            'target': {'apiVersion': 'v1', 'kind': 'Node', 'name': node}}
