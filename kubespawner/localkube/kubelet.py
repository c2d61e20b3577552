"""The agent of the node: its pods, their addresses and their logs.

What belongs here: the node's part in services, and one worker for each pod. What does not: what a worker does
(pods.py), the object of the node (node.py). Everything runs on the loop thread of the server.
"""
import logging
import os
import random
import socket

from tornado import gen
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

from . import errors, filesystems, node, node_fit
from .events import EventRecorder
from .forwarding import ServiceProxy
from .hosts import HostsFiles
from .later import later
from .logs import Log
from .node import LOCK_PORT, NODE
from .pods import PodWorker
from .times import timestamp

API_ADDRESS = '127.0.0.1'
PROBES = 500  # at once
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
    token_for (function): gives tokens of service accounts, see AccountTokens. api_port (int): where 127.0.0.1 serves
        the API.
    options: of the object of the node, see `node.node_object`.
    """

    log = logging.getLogger('kubespawner.localkube')

    def __init__(self, registry, data, token_for, api_port, backoff, mounts=True, **options):
        self.token_for = token_for
        self.api_variables = dict.fromkeys(('KUBERNETES_SERVICE_PORT', 'KUBERNETES_SERVICE_PORT_HTTPS'), str(api_port))
        self.api_variables['KUBERNETES_SERVICE_HOST'] = API_ADDRESS
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
        self.http = AsyncHTTPClient(force_instance=True, max_clients=PROBES)  # for probes and hooks
        self.closed = False
        registry.create('nodes', '', node.node_object(self.address, data, registry.release, **options))
        self.store.watch('pods', self.on_change)
        for resource in ('secrets', 'configmaps'):
            self.store.watch(resource, lambda change, resource=resource: later(
                self.update_volumes, resource, change.key))

    def on_change(self, change):
        uid = (change.new or change.old).object['metadata']['uid']
        later(self.sync, uid, change.key)
        if change.old and change.new and fields_shown(change.old.object) != fields_shown(change.new.object):
            later(self.update_fields, uid)

    def update_fields(self, uid):
        if uid in self.workers:
            self.workers[uid].update_volumes('pods')

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

    def update_volumes(self, resource, key):
        """Write the files again that contain a secret or config map which has changed."""
        for worker in list(self.workers.values()):
            if worker.pod['metadata']['namespace'] == key[0]:
                worker.update_volumes(resource, key[1])

    def consider(self, pod):
        """Start a pod if it is assigned to this node and has not run yet."""
        if (pod['spec'].get('nodeName') != NODE or 'deletionTimestamp' in pod['metadata'] or
                pod['status'].get('phase') in ('Succeeded', 'Failed')):
            return
        rejection = node.rejection(pod, self.registry.get('nodes', '', NODE), self.running(), self.registry.release)
        if rejection:
            return self.reject(pod, *rejection)
        worker = PodWorker(self, pod, self.addresses.allocate())
        self.workers[pod['metadata']['uid']] = worker
        self.run(worker, worker.run())

    def running(self):
        """Return [(pod, what it needs)] of the pods that have not ended, as the scheduler counts them."""
        return [(worker.pod, worker.needs) for worker in self.workers.values() if self.is_counted(worker.pod)]

    def is_counted(self, pod):
        stored = self.store.get('pods', pod['metadata']['namespace'], pod['metadata']['name'])
        return bool(stored and stored['metadata']['uid'] == pod['metadata']['uid'] and
                    stored['status'].get('phase') not in node_fit.ENDED)

    def reject(self, pod, reason, message):
        self.events.warning(pod, reason, message.partition(' ')[2] if self.registry.release < (1, 28) else message)
        self.registry.patch_status('pods', pod, {'phase': 'Failed', 'reason': reason, 'message': message,
                                                 'startTime': timestamp()})

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

    # What clients connect to

    def address_of(self, pod):
        """Return the address of a pod. Raise ApiError 500 if it does not run."""
        worker = self.workers.get(pod['metadata']['uid'])
        if worker is None:
            raise errors.internal('pod not found ("%s_%s")' % (pod['metadata']['name'], pod['metadata']['namespace']))
        return worker.address

    def running_container(self, pod, name):
        """Return a Container whose process runs. Raise ApiError 400 for a wrong name, 500 if it does not run."""
        name = container_name(pod, name)
        worker = self.workers.get(pod['metadata']['uid'])
        for container in (worker.init_containers + worker.containers if worker else ()):
            if container.name == name and container.process and container.process.pid:
                return container
        raise errors.internal('container not found ("%s")' % name)

    # Logs

    def logs(self, pod, name, previous=False, **options):
        """Return the Log of a container, with these options. Raise ApiError 400 if there is none."""
        pod_name = pod['metadata']['name']
        worker = self.workers.get(pod['metadata']['uid'])
        containers = {each.name: each for each in worker.init_containers + worker.containers} if worker else {}
        name = container_name(pod, name)
        container = containers.get(name)
        path = container and container.log(container.restarts - (1 if previous else 0))
        if previous and (not path or not os.path.exists(path)):
            raise errors.bad_request('previous terminated container "%s" in pod "%s" not found' % (name, pod_name))
        if not previous and path and not os.path.exists(path) and container.restarts:
            path = container.log(container.restarts - 1)
        if not path or not os.path.exists(path):
            reason = container.state.get('waiting', {}).get('reason', 'ContainerCreating') if container else 'unknown'
            raise errors.bad_request('container "%s" in pod "%s" is waiting to start: %s' % (name, pod_name, reason))
        return Log(path, container, **options)


def fields_shown(pod):
    """Return the fields of a pod that can change while volumes show them."""
    return [pod['metadata'].get(field) for field in ('uid', 'labels', 'annotations')]


def container_name(pod, name):
    """Return the name of a pod's container; '' stands for the only one. Raise ApiError 400."""
    specs = pod['spec'].get('initContainers', []) + pod['spec']['containers']
    if not name and len(specs) == 1:
        return specs[0]['name']
    if not name:
        raise errors.bad_request(choices(pod))
    if name not in [spec['name'] for spec in specs]:
        raise errors.bad_request('container %s is not valid for pod %s' % (name, pod['metadata']['name']))
    return name


def choices(pod):
    names = [spec['name'] for spec in pod['spec']['containers']]
    init_names = [spec['name'] for spec in pod['spec'].get('initContainers', ())]
    text = 'a container name must be specified for pod %s, choose one of: [%s]' % (pod['metadata']['name'],
                                                                                 ' '.join(names))
    return text + (' or one of the init containers: [%s]' % ' '.join(init_names) if init_names else '')
