"""What the tests of localkube share: a localkube with impatient back-off, and a client that speaks plain JSON."""
import http.client
import json
import ssl
import uuid

import pytest

from kubespawner.localkube import LocalKube
from tests.support.waits import until

PATIENCE = 60  # seconds that a test waits for what must happen
PODS = '/api/v1/namespaces/default/pods'
CLAIMS = '/api/v1/namespaces/default/persistentvolumeclaims'
MERGE_PATCH = 'application/merge-patch+json'


class Client(object):
    """Calls one localkube. Each call has a connection of its own."""

    def __init__(self, kube):
        self.scheme, _, self.address = kube.url.partition('://')
        self.token = kube.token
        self.context = ssl.create_default_context()
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE

    def request(self, method, path, body=None, content_type='application/json', headers=()):
        """Return (connection, response), to be read and closed by the caller."""
        if self.scheme == 'https':
            connection = http.client.HTTPSConnection(self.address, context=self.context, timeout=PATIENCE)
        else:  # the package trustme is missing
            connection = http.client.HTTPConnection(self.address, timeout=PATIENCE)
        connection.request(method, path, body and json.dumps(body), {
            'Authorization': 'Bearer ' + self.token, 'Content-Type': content_type, **dict(headers)})
        return connection, connection.getresponse()

    def text(self, path):
        connection, response = self.request('GET', path)
        try:
            return response.read().decode('utf8')
        finally:
            connection.close()

    def call(self, method, path, body=None, content_type='application/json', headers=()):
        """Return (HTTP status, parsed answer)."""
        connection, response = self.request(method, path, body, content_type, headers)
        try:
            return response.status, json.loads(response.read().decode('utf8'))
        finally:
            connection.close()

    def get(self, path):
        return self.call('GET', path)[1]

    def create(self, path, body):
        code, answer = self.call('POST', path, body)
        assert code == 201, answer
        return answer

    def watch(self, path, query=''):
        """Yield the events of a watch until it ends."""
        connection, response = self.request('GET', '%s?watch=1&timeoutSeconds=%d%s' % (path, PATIENCE, query))
        try:
            for line in iter(response.readline, b''):
                yield json.loads(line.decode('utf8'))
        finally:
            connection.close()

    def create_pod(self, name=None, policy='Never', image='some/image', spec=None, **container):
        """Create a pod of one container `main`; return its name."""
        name = name or 'pod-' + uuid.uuid4().hex[:8]
        containers = [dict({'name': 'main', 'image': image}, **container)]
        self.create(PODS, {'metadata': {'name': name}, 'spec': dict({
            'restartPolicy': policy, 'terminationGracePeriodSeconds': 5, 'containers': containers}, **(spec or {}))})
        return name

    def wait_for(self, name, fits, what='what the test waits for'):
        """Return the first state of a pod that `fits`, a predicate on pods; None stands for its deletion."""
        pod = None
        for event in self.watch(PODS, '&fieldSelector=metadata.name=' + name):
            pod = None if event['type'] == 'DELETED' else event['object']
            if fits(pod):
                return pod
        raise AssertionError('%s: %s; last seen: %s' % (name, what, json.dumps(pod and pod['status'], indent=1)))

    def wait_for_phase(self, name, phase):
        return self.wait_for(name, lambda pod: pod and pod['status'].get('phase') == phase, phase)

    def wait_for_ready(self, name):
        return self.wait_for(name, is_ready, 'ready')

    def wait_for_reason(self, name, reason):
        """Return the pod when its container waits for `reason`."""
        return self.wait_for(name, lambda pod: pod and waiting(pod).get('reason') == reason, reason)

    def delete(self, path, **options):
        code, answer = self.call('DELETE', path, options)
        assert code == 200, answer
        return answer

    def wait_until_gone(self, name):
        until(lambda: self.call('GET', '%s/%s' % (PODS, name))[0] == 404, 'pod %s gone' % name)

    def log(self, name, query=''):
        return self.text('%s/%s/log%s' % (PODS, name, query))

    def events(self, name):
        """Return [(reason, message, count)] of an object, oldest first."""
        events = self.get('/api/v1/namespaces/default/events?fieldSelector=involvedObject.name=' + name)['items']
        events.sort(key=lambda event: int(event['metadata']['name'].rpartition('.')[2], 16))
        return [(event['reason'], event['message'], event['count']) for event in events]


def status(pod, kind='containerStatuses'):
    """Return the status of a pod's first container; {} before there is one."""
    return (pod['status'].get(kind) or [{}])[0]


def waiting(pod):
    return status(pod).get('state', {}).get('waiting', {})


def is_ready(pod):
    return bool(pod and any(each['type'] == 'Ready' and each['status'] == 'True'
                            for each in pod['status'].get('conditions', ())))


def shell(script, **container):
    """Return the fields of a container that runs a script."""
    return dict(container, command=['sh', '-c', script])


def create_claim(client, name):
    client.create(CLAIMS, {'metadata': {'name': name}, 'spec': {
        'accessModes': ['ReadWriteOnce'], 'resources': {'requests': {'storage': '1Gi'}}}})


def with_claim(name):
    return {'volumes': [{'name': 'home', 'persistentVolumeClaim': {'claimName': name}}]}


@pytest.fixture(scope='session')
def kube():
    with LocalKube(backoff=0.2) as kube:
        yield kube


@pytest.fixture(scope='session')
def client(kube):
    return Client(kube)


@pytest.fixture
def name():
    return 'it-' + uuid.uuid4().hex[:8]
