"""The lifecycle of one pod on the node: volumes, init containers, sidecars, containers and termination.

What belongs here: the order of the steps, and the status of the pod. What does not: the lifecycle of a container
(containers.py), which pods exist (kubelet.py). Everything runs on the loop thread of the server.
"""
import os
import shutil
import time
from datetime import timedelta

from tornado import gen, locks
from tornado.ioloop import IOLoop

from . import errors, podstate, volumes
from .containers import Container
from .node_fit import needs
from .times import timestamp


class PodWorker(object):
    """Runs one pod.

    pod (dict): the latest known state of the object.
    needs (dict): what it requests, see `node_fit.needs`.
    address (str): the IP address of the pod, in 127.0.0.0/8. It stays the same when containers restart.
    files (FileSystem): what its containers see of its volumes, when these are there.
    stopping (bool): whether the pod is stopping, so that no container starts any more.
    terminating (bool): whether the deletion of the pod is already in progress.
    """

    def __init__(self, kubelet, pod, address):
        self.kubelet = kubelet
        self.pod = pod
        self.needs = needs(pod)
        self.address = address
        self.directory = os.path.join(kubelet.data, 'pods', pod['metadata']['uid'])
        self.temporary = os.path.join(self.directory, 'tmp')
        self.stopping = False
        self.terminating = False
        self.files = None
        self.volumes = volumes.Volumes(kubelet.store, kubelet.data, self.directory, kubelet.token_for)
        self._renewal = None
        self._stop_condition = locks.Condition()
        self._shown_address = False
        self._has_network = False
        self._failure = {}  # phase, reason and message of a pod that the node ended
        self._start_time = timestamp()
        spec = pod['spec']
        self.init_containers = [Container(self, each, True) for each in spec.get('initContainers', ())]
        self.containers = [Container(self, each, False) for each in spec['containers']]

    @gen.coroutine
    def run(self):
        """Run the pod until all containers have ended."""
        os.makedirs(self.temporary, exist_ok=True)
        self.publish()
        deadline = self.set_deadline()
        yield self.mount()
        self._shown_address = self._has_network = True
        initialized = yield self.initialize()
        if initialized:
            yield [container.run() for container in self.containers]
        if not self.stopping:
            yield self.end_sidecars(self.pod['spec']['terminationGracePeriodSeconds'])
        self._has_network = False
        if deadline:
            IOLoop.current().remove_timeout(deadline)
        self.publish()

    @gen.coroutine
    def initialize(self):
        """Run the init containers, and start the sidecars. Return whether the containers may start now."""
        for container in self.init_containers:
            if container.is_sidecar:
                self.kubelet.run(self, container.run())
                yield container.has_started.wait()
            else:
                code = yield container.run()
                if code != 0:
                    raise gen.Return(False)
            if self.stopping:
                raise gen.Return(False)
        raise gen.Return(not self.stopping)

    @property
    def sidecars(self):
        return [container for container in self.init_containers if container.is_sidecar]

    @gen.coroutine
    def mount(self):
        """Create the volumes. Retry until this succeeds or the pod is stopped."""
        while not self.stopping:
            try:
                directories = self.volumes.mount(self.pod)
                self.renew_tokens()
                self.files = self.kubelet.file_system(self.pod, directories, self.directory)
                self.kubelet.hosts.add(self.files.hosts, self.pod['metadata']['namespace'], self.own_hosts())
                return
            except volumes.MountError as e:
                self.kubelet.events.warning(self.pod, 'FailedMount', str(e))
            yield self.pause(min(1, self.kubelet.backoff))

    def update_volumes(self, resource='', name=''):
        """Bring the files of volumes up to date after a change of an object, or of any."""
        complaint = self.files and not self.stopping and self.volumes.update(self.pod, resource, name)
        if complaint:
            self.kubelet.events.warning(self.pod, 'FailedMount', complaint)

    def renew_tokens(self):
        """Keep the tokens in volumes valid until the pod has ended."""
        renewal = self.volumes.renewal()
        if renewal and not self.stopping:
            self._renewal = IOLoop.current().call_later(max(1, renewal - time.monotonic()), self.renew)

    def renew(self):
        self.update_volumes()
        self.renew_tokens()

    def own_hosts(self):
        """Return the lines of /etc/hosts that only this pod has."""
        spec, name = self.pod['spec'], self.pod['metadata']['name']
        lines = [(self.address, [spec.get('hostname') or name])]
        lines += [(alias.get('ip', ''), alias.get('hostnames', ())) for alias in spec.get('hostAliases', ())]
        return ''.join('%s\t%s\n' % (address, ' '.join(names)) for address, names in lines)

    @gen.coroutine
    def pause(self, seconds):
        """Wait for `seconds`, or until the pod is stopped."""
        if not self.stopping and seconds > 0:
            yield self._stop_condition.wait(timedelta(seconds=seconds))

    # Status

    def publish(self):
        """Update the status of the pod in the API."""
        old, version = self.pod['status'], self.kubelet.registry.release
        init_statuses = [container.status() for container in self.init_containers]
        statuses = podstate.Statuses(
            [status for status, container in zip(init_statuses, self.init_containers) if not container.is_sidecar],
            [status for status, container in zip(init_statuses, self.init_containers) if container.is_sidecar],
            [container.status() for container in self.containers])
        phase = self._failure.get('phase', podstate.phase(self.pod['spec']['restartPolicy'], statuses))
        generation = self.pod['metadata'].get('generation')
        status = {'phase': phase, 'startTime': self._start_time, 'hostIP': self.kubelet.address,
                  'containerStatuses': statuses.regular, 'conditions': podstate.conditions(
                      phase, statuses, self._has_network, old.get('conditions', ()), timestamp(), version, generation)}
        if version >= (1, 29):
            status['hostIPs'] = [{'ip': self.kubelet.address}]
        if generation:
            status['observedGeneration'] = generation
        if init_statuses:
            status['initContainerStatuses'] = init_statuses
        if self._shown_address:
            status['podIP'] = self.address
        status.update(self._failure)
        try:
            self.pod = self.kubelet.registry.patch_status('pods', self.pod, status) or self.pod
        except errors.ApiError:
            self.kubelet.log.exception('The API rejected the status of pod %s', self.pod['metadata']['name'])

    # Termination

    def set_deadline(self):
        """Start the timeout of activeDeadlineSeconds."""
        seconds = self.pod['spec'].get('activeDeadlineSeconds')
        return seconds and IOLoop.current().call_later(seconds, self.exceed_deadline)

    @gen.coroutine
    def exceed_deadline(self):
        message = 'Pod was active on the node longer than the specified deadline'
        self.kubelet.events.normal(self.pod, 'DeadlineExceeded', message)
        self._failure = {'phase': 'Failed', 'reason': 'DeadlineExceeded', 'message': message}
        yield self.end(self.pod['spec']['terminationGracePeriodSeconds'])
        self.publish()

    @gen.coroutine
    def end(self, grace):
        """Stop all containers, and return when their processes have ended."""
        self.stopping = True
        self._stop_condition.notify_all()
        for container in self.sidecars:
            container.has_started.set()
        deadline = time.monotonic() + grace
        yield [container.stop(grace) for container in self.init_containers + self.containers
               if not container.is_sidecar]
        yield self.end_sidecars(max(0, deadline - time.monotonic()))
        self._has_network = False

    @gen.coroutine
    def end_sidecars(self, grace):
        """Stop the sidecars, the last one first, after all other containers."""
        for container in self.sidecars:
            container.may_restart = False
        deadline = time.monotonic() + grace
        for container in reversed(self.sidecars):
            yield container.stop(max(0, deadline - time.monotonic()))

    @gen.coroutine
    def terminate(self, grace):
        """Stop a pod that is being deleted, and then remove it from the API."""
        yield self.end(grace)
        metadata = self.pod['metadata']
        try:
            self.kubelet.registry.delete('pods', metadata['namespace'], metadata['name'], {
                'gracePeriodSeconds': 0, 'preconditions': {'uid': metadata['uid']}})
        except errors.ApiError:
            pass  # it was force-deleted
        self.clean()

    def clean(self):
        if self._renewal:
            IOLoop.current().remove_timeout(self._renewal)
        if self.files:
            self.kubelet.hosts.remove(self.files.hosts)
        shutil.rmtree(self.directory, ignore_errors=True)
