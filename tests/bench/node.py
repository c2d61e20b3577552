"""A node without a kubelet, for load: `python -m tests.bench.node KUBECONFIG FILE`, a process of its own.

It gives every pod of the default scheduler the life that a node would: binds it at once, marks it ready half a second
after it saw it created, and finishes its deletion at once. FILE tells when: one JSON object a line, with `what`
(`ready` or `gone`), the pod's `namespace` and `name`, and the times `due` (ready only), `sent` and `finished` of the
request that made it so, as of `time.time()`. It ends when its standard input does.

One thread watches, WORKERS send the requests, one waits for the half seconds to pass.
"""
import json
import queue
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from .rest import MERGE_PATCH, Api, Refused

NODE = 'simulated'
DELAY = 0.5  # seconds from a pod's creation to its being ready
WORKERS = 8  # requests at a time
SELECTOR = 'spec.schedulerName=default-scheduler'


class Node:
    """api (Api): with an administrator's rights.
    record (callable): gets each dict that FILE is to have.
    """

    def __init__(self, api, record):
        self.api, self.record = api, record
        self._workers = ThreadPoolExecutor(WORKERS)
        self._late = queue.Queue()  # (due, pod), in order of time because the delay is the same for all
        self._bound, self._ended = set(), set()  # uids

    def run(self):
        """Tend pods for ever."""
        self._register()
        threading.Thread(target=self._wait_for_late, daemon=True).start()
        while True:
            # Without a version to start from, each watch begins with all pods that are there.
            for event in self.api.watch('/api/v1/pods', fieldSelector=SELECTOR):
                if event['type'] in ('ADDED', 'MODIFIED'):
                    self._tend(event['object'], time.time())

    def _register(self):
        """Create the node's own object; pods on nodes that do not exist are collected as garbage."""
        try:
            self.api.request('POST', '/api/v1/nodes', {'metadata': {'name': NODE}})
        except Refused as e:
            if e.status != 409:
                raise

    def _tend(self, pod, now):
        """Do the next thing that a node would do about `pod`."""
        uid = pod['metadata']['uid']
        if pod['metadata'].get('deletionTimestamp'):
            if uid not in self._ended:
                self._ended.add(uid)
                self._submit(self._end, pod)
        elif uid not in self._bound:
            self._bound.add(uid)
            self._submit(self._bind, pod)
            self._late.put((now + DELAY, pod))

    def _submit(self, do, *arguments):
        self._workers.submit(_forgiving, partial(do, *arguments))

    def _wait_for_late(self):
        while True:
            due, pod = self._late.get()
            time.sleep(max(0, due - time.time()))
            self._submit(self._mark_ready, pod, due)

    def _bind(self, pod):
        self.api.request('POST', path(pod) + '/binding', {
            'metadata': {'name': pod['metadata']['name']}, 'target': {'kind': 'Node', 'name': NODE}})

    def _mark_ready(self, pod, due):
        sent = time.time()
        self.api.request('PATCH', path(pod) + '/status', {'status': ready_status(pod)}, MERGE_PATCH)
        self._tell('ready', pod, sent, due=due)

    def _end(self, pod):
        sent = time.time()
        self.api.request('DELETE', path(pod), {
            'gracePeriodSeconds': 0, 'preconditions': {'uid': pod['metadata']['uid']}})
        self._tell('gone', pod, sent)

    def _tell(self, what, pod, sent, **more):
        self.record(dict(more, what=what, namespace=pod['metadata']['namespace'], name=pod['metadata']['name'],
                         sent=sent, finished=time.time()))


def path(pod):
    """Return the API's path of a pod."""
    return '/api/v1/namespaces/{namespace}/pods/{name}'.format(**pod['metadata'])


def ready_status(pod):
    """Return what a kubelet says of a pod that runs."""
    now = pod['metadata'].get('creationTimestamp') or time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())
    conditions = ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled']
    return {
        'phase': 'Running', 'hostIP': '127.0.0.1', 'podIP': '127.0.0.1', 'podIPs': [{'ip': '127.0.0.1'}],
        'startTime': now, 'qosClass': 'Burstable',
        'conditions': [{'type': condition, 'status': 'True', 'lastProbeTime': None, 'lastTransitionTime': now}
                       for condition in conditions],
        'containerStatuses': [{
            'name': container['name'], 'ready': True, 'started': True, 'restartCount': 0, 'lastState': {},
            'image': container['image'], 'imageID': 'sha256:' + 64 * '0', 'containerID': 'containerd://' + 64 * '0',
            'state': {'running': {'startedAt': now}},
        } for container in pod['spec']['containers']],
    }


def _forgiving(do):
    """Do something about a pod that may be gone or changed by now; say what else went wrong."""
    try:
        do()
    except Refused as e:
        if e.status not in (404, 409):
            print('simulated node:', e, file=sys.stderr, flush=True)
    except Exception as e:
        print('simulated node:', repr(e), file=sys.stderr, flush=True)


def main(kubeconfig, file):
    lock = threading.Lock()

    def record(line):
        with lock, open(file, 'a') as f:
            f.write(json.dumps(line) + '\n')

    threading.Thread(target=Node(Api(kubeconfig), record).run, daemon=True).start()
    sys.stdin.read()


if __name__ == '__main__':
    main(*sys.argv[1:])
