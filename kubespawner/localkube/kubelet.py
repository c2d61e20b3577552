"""The node: its pods, their addresses and their logs.

What belongs here: the node object, its part in services, and one worker for each pod. What does not: what a worker does
(pods.py). Everything runs on the loop thread of the server.
"""
import logging
import os
import platform
import random
import socket

from tornado import gen
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

from . import errors, filesystems
from .environment import memory_of_machine
from .events import EventRecorder
from .forwarding import ServiceProxy
from .hosts import HostsFiles
from .later import later
from .pods import PodWorker
from .releases import version_info
from .times import timestamp

NODE = 'localkube'
LOCK_PORT = 10250  # UDP port at the node's address; the process that binds it owns the node's range of addresses
PODS = 500
LOG_CHUNK = 2 ** 20
PODS_OF_RANGE = 48000  # addresses for pods, below those for services
SERVICES_OF_RANGE = '127.%d.192.0/18'


class Addresses(object):
    """A range of addresses, 127.N.0.0/16, that no other localkube on this machine uses."""

    def __init__(self):
        self._lock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for second in random.sample(range(1, 255), 254):
            try:
                self._lock.bind(('127.%d.0.1' % second, LOCK_PORT))
                break
            except OSError:
                continue  # another localkube uses this range
        else:
            raise RuntimeError('Other localkubes use all addresses in 127.0.0.0/8. Stop one of them.')
        self.node = '127.%d.0.1' % second
        self.services = SERVICES_OF_RANGE % second
        self._second = second
        self._next = 0
        self._used = set()

    def allocate(self):
        """Return an address that no pod uses. Released addresses are reused as late as possible."""
        while True:
            self._next = self._next % PODS_OF_RANGE + 1
            address = '127.%d.%d.%d' % (self._second, 1 + self._next // 254, 1 + self._next % 254)
            if address not in self._used:
                self._used.add(address)
                return address

    def release(self, address):
        self._used.discard(address)

    def close(self):
        self._lock.close()


class Kubelet(object):
    """Runs the pods that are bound to the node.

    data (str): directory for claims, volumes and logs.
    backoff (float): seconds before the second restart of a container that fails.
    mounts (bool): whether volumes are at their mount paths, if this machine allows it.
    """

    log = logging.getLogger('kubespawner.localkube')

    def __init__(self, registry, data, backoff, mounts=True):
        self.registry = registry
        self.store = registry.store
        self.data = data
        self.backoff = backoff
        self.file_system = filesystems.choose(mounts)
        self.addresses = Addresses()
        self.address = self.addresses.node
        registry.service_network = self.addresses.services
        self.events = EventRecorder(registry, 'kubelet', NODE)
        self.hosts = HostsFiles(self.store)
        self.proxy = ServiceProxy(self.store, self.address, EventRecorder(registry, 'kube-proxy', NODE))
        self.workers = {}  # uid -> PodWorker
        self.processes = set()
        self.http = AsyncHTTPClient(force_instance=True, max_clients=PODS)  # for probes and hooks
        self.closed = False
        registry.create('nodes', '', node_object(self.address, registry.release))
        self.store.watch('pods', self.on_change)

    def on_change(self, change):
        uid = (change.new or change.old).object['metadata']['uid']
        later(self.sync, uid, change.key)

    def sync(self, uid, key):
        """Start or stop a pod if its current state requires this."""
        pod = self.store.get('pods', *key)
        worker = self.workers.get(uid)
        if self.closed:
            return
        if pod is None or pod['metadata']['uid'] != uid:
            if worker and not worker.stopping:
                self.run(worker, self.remove(worker))
        elif worker is None:
            self.consider(pod)
        else:
            worker.pod = pod
            if 'deletionTimestamp' in pod['metadata'] and not worker.terminating:
                worker.terminating = True
                self.run(worker, self.terminate(worker, pod['metadata'].get('deletionGracePeriodSeconds', 0)))

    def consider(self, pod):
        """Start a pod if it is assigned to this node and has not run yet."""
        if (pod['spec'].get('nodeName') != NODE or 'deletionTimestamp' in pod['metadata'] or
                pod['status'].get('phase') in ('Succeeded', 'Failed')):
            return
        worker = PodWorker(self, pod, self.addresses.allocate())
        self.workers[pod['metadata']['uid']] = worker
        self.run(worker, worker.run())

    def run(self, worker, future):
        """Log any exception that a coroutine raises."""
        IOLoop.current().add_future(future, lambda done: self.report(worker, done))

    def report(self, worker, done):
        if done.exception() and not self.closed:
            self.log.error('Pod %s: %r', worker.pod['metadata']['name'], done.exception(), exc_info=done.exc_info()
                           if hasattr(done, 'exc_info') else done.exception())

    @gen.coroutine
    def terminate(self, worker, grace):
        yield worker.terminate(grace)
        self.forget(worker)

    @gen.coroutine
    def remove(self, worker):
        """Stop a pod that was force-deleted."""
        yield worker.end(0)
        worker.clean()
        self.forget(worker)

    def forget(self, worker):
        uid = worker.pod['metadata']['uid']
        if self.workers.pop(uid, None):
            self.addresses.release(worker.address)
            self.events.forget(uid)

    def adopt(self, process):
        """Keep a reference to a process until it ends."""
        self.processes.add(process)
        IOLoop.current().add_future(process.ended, lambda ended: self.processes.discard(process))

    @gen.coroutine
    def stop(self):
        """Kill all processes, and return when they have ended."""
        self.closed = True
        for worker in self.workers.values():
            worker.stopping = True
        processes = list(self.processes)
        for process in processes:
            process.abandon()
        yield [process.ended for process in processes]
        self.proxy.stop()
        self.http.close()
        self.addresses.close()

    # Logs

    def logs(self, pod, name, previous=False, tail=None, limit=None):
        """Return the Log of a container. Raise ApiError 400 if there is none."""
        pod_name = pod['metadata']['name']
        worker = self.workers.get(pod['metadata']['uid'])
        containers = {each.name: each for each in worker.init_containers + worker.containers} if worker else {}
        specs = pod['spec'].get('initContainers', []) + pod['spec']['containers']
        if not name and len(pod['spec']['containers']) == 1 and not pod['spec'].get('initContainers'):
            name = pod['spec']['containers'][0]['name']
        if not name:
            raise errors.bad_request(choices(pod))
        if name not in [spec['name'] for spec in specs]:
            raise errors.bad_request('container %s is not valid for pod %s' % (name, pod_name))
        container = containers.get(name)
        path = container and container.log(container.restarts - (1 if previous else 0))
        if previous and (not path or not os.path.exists(path)):
            raise errors.bad_request('previous terminated container "%s" in pod "%s" not found' % (name, pod_name))
        if not previous and path and not os.path.exists(path) and container.restarts:
            path = container.log(container.restarts - 1)
        if not path or not os.path.exists(path):
            reason = container.state.get('waiting', {}).get('reason', 'ContainerCreating') if container else 'unknown'
            raise errors.bad_request('container "%s" in pod "%s" is waiting to start: %s' % (name, pod_name, reason))
        return Log(path, container, tail, limit)


class Log(object):
    """The output of a container, which is read in parts."""

    def __init__(self, path, container, tail, limit):
        self._file = open(path, 'rb')
        self._container = container
        self._process = container.process
        self._left = limit
        if tail is not None:
            self._file.seek(tail_position(self._file, tail))

    def read(self):
        """Return new output, as bytes."""
        chunk = self._file.read() if self._left is None else self._file.read(self._left)
        if self._left is not None:
            self._left -= len(chunk)
        return chunk

    def is_running(self):
        return bool(self._process and not self._process.ended.done()) and self._left != 0


def tail_position(file, lines):
    """Return the position at which the last `lines` lines of a file begin."""
    position = end = file.seek(0, os.SEEK_END)
    found = b''
    while position > 0 and found.count(b'\n') <= lines:
        position = max(0, position - LOG_CHUNK)
        file.seek(position)
        found = file.read(end - position)
    kept = found.splitlines(True)[-lines:] if lines else []
    return end - sum(len(line) for line in kept)


def choices(pod):
    names = [spec['name'] for spec in pod['spec']['containers']]
    init_names = [spec['name'] for spec in pod['spec'].get('initContainers', ())]
    text = 'a container name must be specified for pod %s, choose one of: [%s]' % (pod['metadata']['name'],
                                                                                 ' '.join(names))
    return text + (' or one of the init containers: [%s]' % ' '.join(init_names) if init_names else '')


def node_object(address, release):
    """Return the node object with which the node registers."""
    capacity = {'cpu': str(os.cpu_count()), 'memory': '%dKi' % (memory_of_machine() // 1024), 'pods': str(PODS)}
    conditions = [
        ('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
        ('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
        ('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
        ('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status')]
    machine = {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(platform.machine(), platform.machine())
    return {
        'metadata': {'name': NODE, 'labels': {'kubernetes.io/hostname': NODE, 'kubernetes.io/os': 'linux',
                                              'kubernetes.io/arch': machine, 'beta.kubernetes.io/os': 'linux',
                                              'beta.kubernetes.io/arch': machine}},
        'status': {
            'capacity': capacity, 'allocatable': capacity,
            'addresses': [{'type': 'InternalIP', 'address': address}, {'type': 'Hostname', 'address': NODE}],
            'conditions': [{'type': kind, 'status': status, 'reason': reason, 'message': message,
                            'lastHeartbeatTime': timestamp(), 'lastTransitionTime': timestamp()}
                           for kind, status, reason, message in conditions],
            'daemonEndpoints': {'kubeletEndpoint': {'Port': LOCK_PORT}},
            'nodeInfo': {'architecture': machine, 'operatingSystem': 'linux', 'kernelVersion': platform.release(),
                         'osImage': 'this machine', 'containerRuntimeVersion': 'localkube://1',
                         'kubeletVersion': version_info(release)['gitVersion'],
                         'kubeProxyVersion': version_info(release)['gitVersion'],
                         'machineID': '', 'systemUUID': '', 'bootID': ''}}}
