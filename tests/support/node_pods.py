"""Pods on a real node that run a command of this machine, told in plain manifests, without KubeSpawner."""
import json

from kubernetes.client.rest import ApiException

from tests import machine
from tests.support.waits import until

PYTHON = '/usr/bin/python3'


def manifest(name, command, app=None, **spec):
    """Return a pod that runs `command`, with this machine's programs; `spec` are further fields of its spec.

    app (str): the value of its label `app`, for Services to select; its name if it is left out.
    """
    return {
        'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': name, 'labels': {'app': app or name}},
        'spec': dict({
            'restartPolicy': 'Never', 'terminationGracePeriodSeconds': 0, 'volumes': machine.AS_A_CONTAINER['volumes'],
            'containers': [{
                'name': 'main', 'command': command, 'image': machine.AS_A_CONTAINER['image'],
                'imagePullPolicy': 'IfNotPresent', 'volumeMounts': machine.AS_A_CONTAINER['volume_mounts']}],
        }, **spec)}


class NodePods:
    """Pods and Services of a namespace. All methods block."""

    def __init__(self, core, namespace):
        self.core, self.namespace = core, namespace

    def create(self, kind, body):
        """Create an object of a kind as the client's methods call it, such as `service`."""
        until(lambda: self._create(kind, body))

    def _create(self, kind, body):
        """Return whether it can be created: no pod can be until its service account has a token."""
        create = getattr(self.core, 'create_namespaced_' + kind)
        try:
            create(namespace=self.namespace, body=body, _preload_content=False)
        except ApiException as e:
            if e.status != 500 or 'retry after the token' not in str(e.body):
                raise
            return False
        return True

    def read(self, name):
        """Return a pod as a dict."""
        response = self.core.read_namespaced_pod(name=name, namespace=self.namespace, _preload_content=False)
        return json.loads(response.data.decode('utf8'))

    def serve(self, name, **spec):
        """Run a pod that answers every request at port 8000 with its own name; return its address when it does."""
        self.create('pod', manifest(name, [PYTHON, '-u', '-c', ANSWERS_WITH, name], **spec))
        return until(lambda: self.read(name)['status'].get('podIP') if 'ready' in self.log(name) else None)

    def run(self, name, script, *arguments, **spec):
        """Run a Python script in a pod; return what it has printed, stripped, when it has ended in whatever way."""
        self.create('pod', manifest(name, [PYTHON, '-u', '-c', script] + list(arguments), **spec))
        until(lambda: self.read(name)['status']['phase'] in ('Succeeded', 'Failed'))
        return self.log(name).strip()

    def log(self, name):
        """Return what a pod has printed, nothing before it runs."""
        try:
            return self.core.read_namespaced_pod_log(name=name, namespace=self.namespace) or ''
        except ApiException as e:
            if e.status not in (400, 404):
                raise
            return ''


ANSWERS_WITH = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(sys.argv[1].encode())

server = HTTPServer(('', 8000), Answer)
print('ready')
server.serve_forever()
"""
