"""The floor of the set-up: a client that does nothing but post pods, watch them and delete them.

It has the verbs of a spawner (`start`, `stop`) so that `driver` can drive it, and no more: no configuration, no names,
no errors told, no state. What it costs and how fast it is, no spawner in Python can much improve on.

One thread watches and wakes who waits, WORKERS threads send requests.
"""
import asyncio
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
            for event in self.api.watch(self.path, labelSelector=SELECTOR):
                pod = event['object']
                if event['type'] == 'DELETED':
                    self._tell('gone', pod['metadata']['name'])
                elif _is_ready(pod):
                    self._tell('running', pod['metadata']['name'])

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
        pass
