"""A node without a kubelet: gives pods on a bare API server the life that a real node would show.

For API servers that run without nodes. A thread watches the pods of one namespace, binds those that are for the default
scheduler to a made-up node, patches them to Running and ready, and finishes their deletion. Nothing runs; images and
commands do not matter. Uses the official client only, so that it says nothing about ours.
"""
import json
import threading

from kubernetes import client
from kubernetes.client.rest import ApiException

NODE = 'simulated'


class SimulatedNode:
    """`with SimulatedNode(core, namespace): …`

    core (CoreV1Api): of the cluster, with an administrator's rights.
    delay (float): seconds from a pod's creation to its being ready.
    """

    def __init__(self, core, namespace, delay=0):
        self.core, self.namespace, self.delay = core, namespace, delay
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name='simulated node', daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc_info):
        self._stopping.set()
        self._thread.join(10)

    def _run(self):
        while not self._stopping.is_set():
            response = self.core.list_namespaced_pod(
                namespace=self.namespace, watch=True, timeout_seconds=1, _preload_content=False)
            rest = b''
            for chunk in response.stream(65536):
                *lines, rest = (rest + chunk).split(b'\n')
                for line in filter(None, lines):
                    event = json.loads(line.decode('utf8'))
                    if event['type'] in ('ADDED', 'MODIFIED'):
                        self._tend(event['object'])

    def _tend(self, pod):
        """Do the next thing that a node would do about `pod`."""
        name, uid = pod['metadata']['name'], pod['metadata']['uid']
        try:
            if pod['metadata'].get('deletionTimestamp') and pod['spec'].get('nodeName') == NODE:
                self.core.delete_namespaced_pod(name=name, namespace=self.namespace, body=client.V1DeleteOptions(
                    grace_period_seconds=0, preconditions=client.V1Preconditions(uid=uid)))
            elif not pod['spec'].get('nodeName') and pod['spec']['schedulerName'] == 'default-scheduler':
                self._bind(name)
                if self.delay:
                    threading.Timer(self.delay, self._tend_late, [name, pod]).start()
                else:
                    self._mark_ready(name, pod)
        except ApiException as e:
            if e.status not in (404, 409):  # somebody else was faster
                raise

    def _tend_late(self, name, pod):
        try:
            self._mark_ready(name, pod)
        except ApiException:
            pass  # deleted meanwhile

    def _bind(self, name):
        self.core.create_namespaced_binding(namespace=self.namespace, _preload_content=False, body=client.V1Binding(
            metadata=client.V1ObjectMeta(name=name), target=client.V1ObjectReference(kind='Node', name=NODE)))

    def _mark_ready(self, name, pod):
        statuses = [{
            'name': container['name'], 'ready': True, 'restartCount': 0, 'image': container['image'],
            'imageID': '', 'state': {'running': {'startedAt': pod['metadata']['creationTimestamp']}},
        } for container in pod['spec']['containers']]
        self.core.patch_namespaced_pod_status(name=name, namespace=self.namespace, _preload_content=False, body={
            'status': {'phase': 'Running', 'podIP': '127.0.0.1', 'containerStatuses': statuses,
                       'conditions': [{'type': 'Ready', 'status': 'True'}]}})
