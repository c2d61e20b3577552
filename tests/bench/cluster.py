"""What the subjects run against: the real API server, the simulated node, and the pods that are there already.

Here belongs everything that is done to the cluster from outside. All of it ends with `Cluster`, whatever happens.
"""
import itertools
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from .node import NODE, path, ready_status
from .rest import MERGE_PATCH, Api, Refused

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KUBERNETES = os.path.join(ROOT, '.ci', 'kubernetes')
WORKERS = 8  # requests at a time
COUNTERS = re.compile(r'^apiserver_request_total\{(.*)\} ([0-9.e+]+)$', re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')
# Not services: the subjects make none, and the API server itself asks for its own all the time.
ABOUT_A_SERVER = ('pods', 'persistentvolumeclaims', 'secrets', 'events')


class Cluster:
    """`with Cluster(directory) as cluster: …` starts an API server and a node; they end with it.

    directory (str): an empty one; logs stay there.
    api (Api): with an administrator's rights.
    records (str): path of the file in which the node tells what it has done, see `told_by_node`.
    """

    def __init__(self, directory):
        self.directory = directory
        self._environment = dict(os.environ, KUBERNETES_STATE=os.path.join(directory, 'kubernetes'))
        self.records = os.path.join(directory, 'node.jsonl')
        self._standing = {}  # namespace -> how many pods stand there
        self._events = {}  # namespace -> how many events were created to stay there
        self._addresses = itertools.count(1)

    def __enter__(self):
        self._kubernetes('build')
        try:
            self._kubernetes('up')
            self.kubeconfig = os.path.join(self._environment['KUBERNETES_STATE'], 'admin.kubeconfig')
            self.api = Api(self.kubeconfig)
            self.version = json.loads(self.api.request('GET', '/version').decode('utf8'))['gitVersion']
            self._start_node()
        except BaseException:
            self._kubernetes('down')
            raise
        return self

    def __exit__(self, *exc_info):
        self._node.stdin.close()
        try:
            self._node.wait(10)
        except subprocess.TimeoutExpired:
            self._node.kill()
            self._node.wait()
        finally:
            self._kubernetes('down')

    def _kubernetes(self, command):
        """Run .ci/kubernetes; unless it builds, beyond the reach of a Ctrl-C. What it prints is not our output."""
        subprocess.run(['bash', KUBERNETES, command], env=self._environment, stdout=subprocess.DEVNULL,
                       stdin=subprocess.DEVNULL, start_new_session=command != 'build', check=True)

    def _start_node(self):
        open(self.records, 'w').close()
        self._node = subprocess.Popen(
            [sys.executable, '-m', 'tests.bench.node', self.kubeconfig, self.records], cwd=ROOT,
            stdin=subprocess.PIPE, start_new_session=True)

    def told_by_node(self, namespace, expected):
        """Return what the node did about the pods of a namespace: {('ready' or 'gone', name): record}.

        expected (set): the keys to wait for; the node tells of a pod just after it has acted.
        """
        deadline = time.time() + 10
        while True:
            with open(self.records) as f:
                records = [json.loads(line) for line in f.read().splitlines(True) if line.endswith('\n')]
            told = {(record['what'], record['name']): record for record in records
                    if record['namespace'] == namespace}
            if expected <= set(told):
                return told
            if time.time() > deadline:
                raise RuntimeError('the simulated node has not told of %s' % sorted(expected - set(told))[:3])
            time.sleep(0.1)

    def make_namespace(self, name):
        """Create a namespace and wait until pods can be created in it: its service account comes a moment later."""
        self.api.request('POST', '/api/v1/namespaces', {'metadata': {'name': name}})
        while True:
            try:
                self.api.request('GET', '/api/v1/namespaces/%s/serviceaccounts/default' % name)
                return
            except Refused:
                time.sleep(0.05)

    def lists(self):
        """Return how many times pods or events of one namespace were listed so far; only the subjects do that."""
        return self._count(lambda labels: labels['verb'] == 'LIST' and labels['scope'] == 'namespace'
                           and labels['resource'] in ('pods', 'events'))

    def requests(self):
        """Return how many requests about single objects of a namespace the subjects have sent so far, and the node.

        Of the node these are only the deletions that it finishes, one for each pod that was deleted.
        """
        return self._count(lambda labels: labels['verb'] not in ('LIST', 'WATCH')
                           and labels['resource'] in ABOUT_A_SERVER and not labels.get('subresource'))

    def _count(self, is_meant):
        """Return the sum of the API server's counters of requests whose labels `is_meant` takes."""
        counters = COUNTERS.findall(self.api.request('GET', '/metrics').decode('utf8'))
        return round(sum(float(value) for labels, value in counters if is_meant(dict(LABEL.findall(labels)))))

    # The pods that are there already

    def grow(self, namespace, count):
        """Create standing pods until there are `count`; return the bytes of one as the API server sends it."""
        if namespace not in self._standing:
            self.make_namespace(namespace)
            self._standing[namespace] = 0
        with ThreadPoolExecutor(WORKERS) as workers:
            list(workers.map(lambda i: self._stand(namespace, i), range(self._standing[namespace], count)))
        self._standing[namespace] = max(count, self._standing[namespace])
        return len(self.api.request('GET', pod_path(namespace, 0))) if count else None

    def _stand(self, namespace, i):
        pod = standing_pod(namespace, i)
        self.api.request('POST', '/api/v1/namespaces/%s/pods' % namespace, pod)
        self.api.request('PATCH', path(pod) + '/status', {'status': ready_status(pod)}, MERGE_PATCH)

    def update(self, namespace, count, rate):
        """Change the address of one standing pod after the other, `count` times, `rate` a second.

        Each address is new: what does not change a pod is no update. Return the last pod: its user and its address.
        """
        numbers = [next(self._addresses) for _ in range(count)]
        changes = [(number % self._standing[namespace], '10.%d.%d.%d' % (number >> 16, number >> 8 & 255, number & 255))
                   for number in numbers]
        at_rate(rate, lambda change: self._readdress(namespace, *change), changes)
        return {'user': user(changes[-1][0]), 'ip': changes[-1][1]}

    def _readdress(self, namespace, i, ip):
        self.api.request('PATCH', pod_path(namespace, i) + '/status',
                         {'status': {'podIP': ip, 'podIPs': [{'ip': ip}]}}, MERGE_PATCH)

    # Events about pods that nobody starts

    def tell(self, namespace, count):
        """Create events until there are `count`; return the bytes of one as the API server sends it."""
        known = self._events.get(namespace, 0)
        with ThreadPoolExecutor(WORKERS) as workers:
            list(workers.map(lambda i: self._tell(namespace, i), range(known, count)))
        self._events[namespace] = max(known, count)
        return len(self.api.request('GET', event_path(namespace, 0))) if count else None

    def stream(self, namespace, count, rate):
        """Create so many events more, `rate` a second."""
        at_rate(rate, lambda i: self._tell(namespace, i), self._streamed(namespace, count))

    def end_stream(self, namespace, count):
        """Delete what `stream` has created."""
        with ThreadPoolExecutor(WORKERS) as workers:
            list(workers.map(lambda i: self.api.request('DELETE', event_path(namespace, i)),
                             self._streamed(namespace, count)))

    def _streamed(self, namespace, count):
        known = self._events.get(namespace, 0)
        return range(known, known + count)

    def _tell(self, namespace, i):
        self.api.request('POST', '/api/v1/namespaces/%s/events' % namespace, event(namespace, i))


def at_rate(rate, do, items):
    """Call `do` with each item in a thread, `rate` a second; return when all calls have."""
    start = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as workers:
        pending = []
        for i, item in enumerate(items):
            time.sleep(max(0, start + i / rate - time.perf_counter()))
            pending.append(workers.submit(do, item))
        for done in pending:
            done.result()


def user(i):
    """Return the name of the i-th user."""
    return 'user%05d' % i


def pod_path(namespace, i):
    return '/api/v1/namespaces/%s/pods/jupyter-%s' % (namespace, user(i))


def standing_pod(namespace, i):
    """Return a pod as hubs make them: on a node, so nobody tends it, with the labels by which hubs find their pods."""
    name = user(i)
    environment = {'JUPYTERHUB_%s' % variable: 'http://hub:8081/hub/api/users/%s/%s' % (name, variable.lower())
                   for variable in VARIABLES}
    return {
        'metadata': {
            'name': 'jupyter-' + name, 'namespace': namespace,
            'labels': {'app': 'jupyterhub', 'heritage': 'jupyterhub', 'component': 'singleuser-server',
                       'hub.jupyter.org/username': name, 'hub.jupyter.org/network-access-hub': 'true'},
            'annotations': {'hub.jupyter.org/username': name, 'example.org/course': 'Introduction to Data'},
        },
        'spec': {
            'nodeName': NODE, 'schedulerName': 'nobody', 'automountServiceAccountToken': False,
            'securityContext': {'fsGroup': 100}, 'restartPolicy': 'OnFailure',
            'containers': [{
                'name': 'notebook', 'image': 'jupyterhub/singleuser:5.4', 'args': ['jupyterhub-singleuser'],
                'env': [{'name': variable, 'value': value} for variable, value in environment.items()],
                'ports': [{'name': 'notebook-port', 'containerPort': 8888}],
                'resources': {'limits': {'cpu': '2', 'memory': '2G'}, 'requests': {'cpu': '100m', 'memory': '512M'}},
                'volumeMounts': [{'name': 'home', 'mountPath': '/home/jovyan', 'subPath': name}],
            }],
            'volumes': [{'name': 'home', 'persistentVolumeClaim': {'claimName': 'claim-' + name}}],
            'tolerations': [{'key': 'hub.jupyter.org/dedicated', 'operator': 'Equal', 'value': 'user',
                             'effect': 'NoSchedule'}],
        },
    }


def event_path(namespace, i):
    return '/api/v1/namespaces/%s/events/%s' % (namespace, event(namespace, i)['metadata']['name'])


def event(namespace, i):
    """Return an event as schedulers and kubelets write them, about a pod that nobody starts."""
    component, kind, reason, message = EVENTS[i % len(EVENTS)]
    pod = 'jupyter-' + user(i // len(EVENTS))
    now = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())
    return {
        'metadata': {'name': '%s.%016x' % (pod, 0x16b2c4d000000000 + i), 'namespace': namespace},
        'involvedObject': {
            'apiVersion': 'v1', 'kind': 'Pod', 'namespace': namespace, 'name': pod, 'resourceVersion': str(1000000 + i),
            'uid': '6b1f7a52-3c0d-4e7e-9b1a-%012x' % (i // len(EVENTS)), 'fieldPath': 'spec.containers{notebook}'},
        'type': kind, 'reason': reason, 'message': message.format(namespace=namespace, pod=pod, node=NODE), 'count': 1,
        'source': {'component': component, 'host': NODE}, 'firstTimestamp': now, 'lastTimestamp': now,
    }


# Component, type, reason, message
EVENTS = [
    ('default-scheduler', 'Normal', 'Scheduled', 'Successfully assigned {namespace}/{pod} to {node}'),
    ('kubelet', 'Normal', 'Pulling', 'Pulling image "jupyterhub/singleuser:5.4"'),
    ('kubelet', 'Normal', 'Pulled', 'Successfully pulled image "jupyterhub/singleuser:5.4" in 21.428571s'),
    ('kubelet', 'Normal', 'Created', 'Created container notebook'),
    ('kubelet', 'Normal', 'Started', 'Started container notebook'),
    ('kubelet', 'Warning', 'Unhealthy', 'Readiness probe failed: Get "http://10.20.30.40:8888/user/{pod}/api": '
     'dial tcp 10.20.30.40:8888: connect: connection refused'),
    ('kubelet', 'Normal', 'Killing', 'Stopping container notebook'),
]

VARIABLES = [
    'ACTIVITY_URL', 'API_TOKEN', 'API_URL', 'BASE_URL', 'CLIENT_ID', 'DEBUG', 'HOST', 'OAUTH_ACCESS_SCOPES',
    'OAUTH_CALLBACK_URL', 'OAUTH_CLIENT_ALLOWED_SCOPES', 'OAUTH_SCOPES', 'PUBLIC_HUB_URL', 'PUBLIC_URL', 'SERVER_NAME',
    'SERVICE_PREFIX', 'SERVICE_URL', 'USER', 'WORKSPACE',
]
