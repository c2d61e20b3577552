"""Pods whose life the tests tell, and what answers in the place of their notebook servers.

For hubs that are tried at moments which no real node can be held at. The pods are for no node (SCRIPTED), so that they
stay Pending until a test says that they run, at an address of this machine.
"""
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn

from tests.cluster.conftest import Objects

MOST_REQUESTS = 200  # at a time, that wait to be answered

# What a hub whose pods are scripted is configured with.
SCRIPTED = """
c.KubeSpawner.user_storage_pvc_ensure = False
c.KubeSpawner.volumes = c.KubeSpawner.volume_mounts = []
c.KubeSpawner.singleuser_extra_pod_config = {'schedulerName': 'nobody'}
c.JupyterHub.tornado_settings = {'slow_spawn_timeout': 0, 'slow_stop_timeout': 0}
"""


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.server.server_address[0].encode('ascii')
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class _Server(ThreadingMixIn, HTTPServer):
    daemon_threads = True
    request_queue_size = MOST_REQUESTS


@contextmanager
def answering(*hosts):
    """Answer every request to these addresses of this machine with the address that it was sent to; give the port."""
    servers = []
    try:
        for host in hosts:
            servers.append(_Server((host, servers[0].server_port if servers else 0), _Answer))
        for server in servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        yield servers[0].server_port
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


class ScriptedPods(Objects):
    """The pods in a namespace, and what a node would do about them."""

    def uids(self):
        return {pod['metadata']['name']: pod['metadata']['uid'] for pod in self.pods()}

    def run(self, ip='127.0.0.1'):
        """Make all run that do not yet, at this address; return how many run now."""
        pods = self.pods()
        for pod in pods:
            if pod['status']['phase'] == 'Pending':
                self.move(pod['metadata']['name'], ip)
        return len(pods)

    def move(self, name, ip):
        """Make a pod run, ready, at this address."""
        pod = self.pod(name)
        pod['metadata'].pop('resourceVersion')
        pod['status'].update(phase='Running', podIP=ip, podIPs=[{'ip': ip}], containerStatuses=[{
            'name': 'notebook', 'ready': True, 'restartCount': 0, 'image': '', 'imageID': '',
            'state': {'running': {}}}])
        self.core.replace_namespaced_pod_status(  # a patch would add an address to the others
            name=name, namespace=self.namespace, body=pod, _preload_content=False)

    def terminating(self):
        return [pod for pod in self.pods() if pod['metadata'].get('deletionTimestamp')]

    def let_go(self):
        """Let those end that are to be deleted and that a finalizer keeps."""
        for pod in self.terminating():
            self.core.patch_namespaced_pod(name=pod['metadata']['name'], namespace=self.namespace,
                                           body={'metadata': {'finalizers': None}}, _preload_content=False)

    def delete_all(self):
        for name in self.uids():
            self.core.delete_namespaced_pod(name=name, namespace=self.namespace, body={}, _preload_content=False)
        self.let_go()
