"""The floor of the set-up: a client that does nothing but post pods, watch them and delete them.

It has the verbs of a spawner (`start`, `stop`) so that `driver` can drive it, and no more: no configuration, no names,
no errors told, no state. What it costs and how fast it is, no spawner in Python can much improve on.

One thread watches and wakes who waits, WORKERS threads send requests. Of the pods that are there already, it keeps the
addresses: to read them takes as long as they take to arrive and to be decoded.
"""
import asyncio
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor

from rest import Api

VERSION = 'bare client'
WORKERS = 10
SELECTOR = 'component=singleuser-server,heritage=jupyterhub'

# As many variables as JupyterHub sets.
ENVIRONMENT = [{'name': 'JUPYTERHUB_VARIABLE_%d' % i, 'value': 'http://127.0.0.1:8081/hub/api/%d' % i}
               for i in range(20)]


class Watcher:
    """Follows the pods of one namespace: which are running, and which are there at all."""

    def __init__(self, namespace):
        self.api = Api(os.environ['KUBECONFIG'])
        self.namespace = namespace
        self.path = '/api/v1/namespaces/%s/pods' % namespace
        self.workers = ThreadPoolExecutor(WORKERS)
        self.loop = asyncio.get_event_loop()
        self.waiting = {}  # ('running' or 'gone', name) -> future
        self.addresses = {}  # by the pods' names
        self.loaded = self.loop.create_future()
        threading.Thread(target=self._watch, daemon=True).start()

    def send(self, method, path, body):
        """Return a future of the answer to a request."""
        return self.loop.run_in_executor(self.workers, self.api.request, method, path, body)

    def wait(self, what, name):
        """Return a future that is done when the pod is `running` or `gone`."""
        future = self.waiting[what, name] = self.loop.create_future()
        return future

    def _watch(self):
        while True:
            version = self._list()
            for event in self.api.watch(self.path, labelSelector=SELECTOR, resourceVersion=version):
                if event['type'] == 'ERROR':
                    break
                self._see(event['type'], event['object'])

    def _list(self):
        """Read the pods that are there, at once; return their list's version."""
        listed = json.loads(self.api.request('GET', '%s?labelSelector=%s' % (self.path, SELECTOR)).decode('utf8'))
        for pod in listed['items']:
            self._see('ADDED', pod)
        self.loop.call_soon_threadsafe(lambda: self.loaded.done() or self.loaded.set_result(None))
        return listed['metadata']['resourceVersion']

    def _see(self, kind, pod):
        name = pod['metadata']['name']
        if kind == 'DELETED':
            self.addresses.pop(name, None)
            self._tell('gone', name)
        else:
            self.addresses[name] = pod['status'].get('podIP')
            if _is_ready(pod):
                self._tell('running', name)

    def _tell(self, what, name):
        future = self.waiting.pop((what, name), None)
        if future is not None:
            self.loop.call_soon_threadsafe(future.set_result, None)


def _is_ready(pod):
    containers = pod['status'].get('containerStatuses')
    return bool(containers) and all(container['ready'] for container in containers)


class Bare:
    """One pod, with a spawner's verbs."""

    watcher = None

    def __init__(self, namespace, username):
        if Bare.watcher is None:
            Bare.watcher = Watcher(namespace)
        self.pod_name = 'jupyter-' + username

    async def start(self):
        running = self.watcher.wait('running', self.pod_name)
        await self.watcher.send('POST', self.watcher.path, {
            'metadata': {'name': self.pod_name, 'labels': {
                'app': 'jupyterhub', 'component': 'singleuser-server', 'heritage': 'jupyterhub'}},
            'spec': {'containers': [{'name': 'notebook', 'image': 'jupyterhub/singleuser', 'env': ENVIRONMENT,
                                     'ports': [{'name': 'notebook-port', 'containerPort': 8888}]}],
                     'automountServiceAccountToken': False, 'restartPolicy': 'OnFailure'}})
        await running

    async def stop(self):
        gone = self.watcher.wait('gone', self.pod_name)
        await self.watcher.send('DELETE', self.watcher.path + '/' + self.pod_name, {'gracePeriodSeconds': 1})
        await gone

    async def poll(self):
        await asyncio.shield(self.watcher.loaded)

    def address(self):
        """Return what the watch knows of the pod's address."""
        return self.watcher.addresses.get(self.pod_name)
