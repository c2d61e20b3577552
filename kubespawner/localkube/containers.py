"""The lifecycle of one container: image pull, start, probes, exit and restart.

What belongs here: the states of a container and the transitions between them. What does not: its pod (pods.py) and its
processes (processes.py). Everything runs on the loop thread of the server.
"""
import contextlib
import os
import signal
import time
import uuid
from datetime import timedelta

from tornado import gen, locks
from tornado.ioloop import IOLoop

from . import pod_resources, probes, pulling
from .consoles import TERMINAL, open_console
from .environment import ConfigError, Environment
from .processes import Process, StartError
from .shim import TIMES
from .times import timestamp

SHORTEST_GRACE = 2  # seconds, the minimum time between TERM and KILL
RELIABLE = 600  # seconds; after a run of this length, the back-off starts again
START_FAILED = 'failed to create containerd task: OCI runtime create failed: starting container process caused: %s'


class Container(object):
    """One container of a pod.

    worker (PodWorker): the worker of its pod.
    spec (dict): from the pod; `is_init` says whether it is in the list of init containers.
    is_sidecar (bool): whether it is one of these that keeps running.
    has_started (Event): set when it has started for the first time, or never will.
    may_restart (bool): set to False before a sidecar is stopped.
    state, last_state (dict): as in the container's status.
    """

    def __init__(self, worker, spec, is_init):
        self.worker = worker
        self.spec = spec
        self.name = spec['name']
        self.is_init = is_init
        self.is_sidecar = is_init and pod_resources.is_sidecar(spec)
        self.has_started = locks.Event()
        self.may_restart = True
        self.field_path = 'spec.%s{%s}' % ('initContainers' if is_init else 'containers', self.name)
        waiting = 'PodInitializing' if worker.pod['spec'].get('initContainers') else 'ContainerCreating'
        self.state = {'waiting': {'reason': waiting}}
        self.last_state = {}
        self.restarts = 0
        self.ready = False
        self.started = False
        self.image = None
        self.process = None
        self._ending = None  # the process that was told to end
        self.console = None  # of a container with stdin or tty, see consoles.py
        self.id = ''
        self._variables = {}  # the environment of the current run
        self._attempts = 0
        self._delay = 0  # seconds before the next restart
        self._started_at = 0

    def status(self):
        """Return the container's status, for the status of the pod."""
        is_done = self.is_init and not self.is_sidecar and self.state.get('terminated', {}).get('exitCode') == 0
        status = {'name': self.name, 'image': self.spec['image'], 'imageID': '', 'ready': self.ready or is_done,
                  'restartCount': self.restarts, 'state': self.state, 'lastState': self.last_state,
                  'started': self.started}
        if self.id:
            status.update(containerID=self.id, image=self.image.reference,
                          imageID='localkube://' + self.image.reference)
        if self.is_init and self.worker.kubelet.registry.release < (1, 28):
            status.pop('started')
        return status

    def log(self, number):
        return os.path.join(self.worker.directory, 'logs', self.name, '%d.log' % number)

    def normal(self, reason, message):
        self.worker.kubelet.events.normal(self.worker.pod, reason, message, self.field_path)

    def warning(self, reason, message):
        self.worker.kubelet.events.warning(self.worker.pod, reason, message, self.field_path)

    def enter(self, kind, **details):
        """Change the state, and update the status of the pod."""
        if 'terminated' in self.state:  # a process may have ended before anybody saw it run
            self.last_state = {'terminated': self.state['terminated']}
        self.state = {kind: details}
        self.worker.publish()

    def wait(self, reason, message):
        self.enter('waiting', reason=reason, message=message)

    @gen.coroutine
    def run(self):
        """Run the container until it needs no restart. Return its last exit code, or None if the pod was stopped."""
        code = None
        while self.may_run():
            if self._attempts:
                yield self.back_off(code)
            if self.may_run():
                self.image = yield pulling.pull(self)
            if self.may_run():
                code = yield self.run_once()
                self._attempts += 1
                if not self.needs_restart(code):
                    break
        raise gen.Return(code)

    def may_run(self):
        return self.may_restart and not self.worker.stopping

    def needs_restart(self, code):
        policy = self.spec.get('restartPolicy') or self.worker.pod['spec']['restartPolicy']
        if self.is_sidecar:
            return self.may_restart
        if self.is_init and policy == 'Always':
            policy = 'OnFailure'
        return policy == 'Always' or policy == 'OnFailure' and code != 0

    @gen.coroutine
    def back_off(self, code):
        """Wait before a restart. The first restart has no delay, and the delay doubles after each further restart."""
        terminated = self.state.get('terminated')
        if terminated and time.time() - self._started_at > RELIABLE:
            self._delay = 0
        if self._delay:
            self.warning('BackOff', 'Back-off restarting failed container')
            metadata = self.worker.pod['metadata']
            self.wait('CrashLoopBackOff', 'back-off %s restarting failed container=%s pod=%s_%s(%s)' % (
                pulling.duration(self._delay), self.name, metadata['name'], metadata['namespace'], metadata['uid']))
            yield self.worker.pause(self._delay)
        self._delay = min(pulling.LONGEST_BACKOFF, self._delay * 2 or self.worker.kubelet.backoff)
        self.restarts += 1

    # One run

    @gen.coroutine
    def run_once(self):
        """Run the process. Return its exit code, or None if the pod was stopped before it started."""
        process = yield self.create()
        if process is None:
            return
        self._started_at = time.time()
        try:
            yield process.started
        except StartError as e:
            message = START_FAILED % e
            self.warning('Failed', 'Error: ' + message)
            self.enter('terminated', exitCode=128, reason='StartError', message=message, containerID=self.id,
                       startedAt='1970-01-01T00:00:00Z', finishedAt=timestamp())
            raise gen.Return(128)
        self.normal('Started', 'Started container ' + self.name)
        started_at = timestamp()
        yield self.post_start(process)
        if not process.ended.done():
            self.begin(process, started_at)
        code = yield process.ended
        self.ready = self.started = False
        self.process = None
        self.enter('terminated', exitCode=code, reason='Error' if code else 'Completed', startedAt=started_at,
                   finishedAt=timestamp(), containerID=self.id, **self.last_words(code))
        raise gen.Return(code)

    @gen.coroutine
    def create(self):
        """Wait for everything that the spec refers to. Return a Process, or None if the pod was stopped before."""
        while self.may_run():
            try:
                self._variables = self.environment().variables()
                self.worker.files.namespace(self.spec, self._variables)
                break
            except ConfigError as e:
                self.warning('Failed', 'Error: %s' % e)
                self.wait('CreateContainerConfigError', str(e))
                yield self.worker.pause(self.worker.kubelet.backoff)
        else:
            return
        command = ['/bin/sh', '-c', 'exit 1']
        if self.image.kind != 'crash':
            command = self.environment().command(self._variables)
        log = self.log(self.restarts)
        os.makedirs(os.path.dirname(log), exist_ok=True)
        if self.restarts > 1 and os.path.exists(self.log(self.restarts - 2)):
            for suffix in ('', TIMES):
                with contextlib.suppress(FileNotFoundError):
                    os.remove(self.log(self.restarts - 2) + suffix)
        os.close(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600))
        self.id = 'localkube://' + uuid.uuid4().hex * 2
        self.console = open_console(self.spec, log)
        self.process = self.run_process(command, log, self.console, timed=True)
        self.normal('Created', 'Created container ' + self.name)
        raise gen.Return(self.process)

    def environment(self):
        worker = self.worker
        return Environment(worker.kubelet.store, worker.pod, self.spec, worker.address, worker.kubelet.address,
                           worker.files.home(self.spec), worker.temporary, worker.kubelet.api_variables)

    def run_process(self, command, log, console=None, timed=False):
        """Run a command in this container: its own, or that of a probe or hook.

        console (Pipes or None): its input. timed (bool): whether the times of what it writes are recorded.
        """
        files = self.worker.files
        variables = dict({'TERM': TERMINAL} if console and self.spec.get('tty') else {}, **self._variables)
        terminal = bool(console and self.spec.get('tty'))
        process = Process(command, variables, files.working_directory(self.spec),
                          console.files if console else [os.devnull, log, log],
                          files.namespace(self.spec, self._variables), terminal, None if terminal or not timed else log)
        if console:
            console.give_away()
            IOLoop.current().add_future(process.ended, lambda ended: console.release())
        self.worker.kubelet.adopt(process)
        return process

    def execute(self, command, files, variables):
        """Run a command beside the process of this container, where it sees the same files, and ends with it.

        files (list): the descriptors of its input, output and error. variables (dict): added to its environment.
        """
        main = self.process
        terminal = os.isatty(files[0])
        namespace = {'join': main.pid} if self.worker.files.has_mounts else None
        process = Process(command, dict(variables, **self._variables), self.worker.files.working_directory(self.spec),
                          files, namespace, terminal)
        self.worker.kubelet.adopt(process)
        IOLoop.current().add_future(main.ended, lambda ended: process.kill())
        return process

    def last_words(self, code):
        """Return the end of the log for the `message` of a failure, if the spec asks for it."""
        if not code or self.spec['terminationMessagePolicy'] != 'FallbackToLogsOnError':
            return {}
        with open(self.log(self.restarts), errors='replace') as f:
            return {'message': ''.join(f.readlines()[-80:])[-2048:]}

    # Hooks and probes

    @gen.coroutine
    def post_start(self, process):
        handler = self.spec.get('lifecycle', {}).get('postStart')
        if handler:
            succeeded, output = yield probes.call(handler, self, pulling.LONGEST_BACKOFF)
            if not succeeded and not process.ended.done():
                self.warning('FailedPostStartHook', 'PostStartHook of container "%s" failed: %s' % (self.name, output))
                self.normal('Killing', 'FailedPostStartHook')
                process.kill()
                yield process.ended

    def begin(self, process, started_at):
        """Record that the process runs, and start its probes."""
        self.started = 'startupProbe' not in self.spec
        self.ready = self.started and self.is_probed() and 'readinessProbe' not in self.spec
        self.enter('running', startedAt=started_at)
        if 'startupProbe' in self.spec:
            self.probe(process, 'Startup', 'startupProbe', lambda succeeded: self.on_startup(process, succeeded))
        else:
            self.has_started.set()
            self.probe_running(process)

    def is_probed(self):
        """Return whether the container is ready when it runs. An init container is ready when it has ended."""
        return self.is_sidecar or not self.is_init

    def probe_running(self, process):
        if 'readinessProbe' in self.spec:
            self.probe(process, 'Readiness', 'readinessProbe', self.on_readiness)
        if 'livenessProbe' in self.spec:
            self.probe(process, 'Liveness', 'livenessProbe',
                       lambda succeeded: self.on_liveness(process, succeeded, 'liveness'))

    def probe(self, process, title, field, on_change):
        probes.watch(self.spec[field], self, process, on_change,
                     lambda output: self.warning('Unhealthy', '%s probe failed: %s' % (title, output)))

    def on_startup(self, process, succeeded):
        if not succeeded:
            return self.on_liveness(process, False, 'startup')
        self.started = True
        self.has_started.set()
        self.ready = 'readinessProbe' not in self.spec
        self.worker.publish()
        self.probe_running(process)
        return True

    def on_readiness(self, succeeded):
        if self.ready != succeeded:
            self.ready = succeeded
            self.worker.publish()
        return False

    def on_liveness(self, process, succeeded, probe):
        """End a process whose liveness probe fails. The restartPolicy decides whether it starts again."""
        if not succeeded:
            self.end(process, 'Container %s failed %s probe, will be restarted' % (self.name, probe),
                     self.worker.pod['spec']['terminationGracePeriodSeconds'])
        return not succeeded

    # Termination

    @gen.coroutine
    def stop(self, grace):
        """End the process, if there is one, and return when it has ended."""
        if self.process and not self.process.ended.done():
            yield self.end(self.process, 'Stopping container ' + self.name, grace)

    @gen.coroutine
    def end(self, process, why, grace):
        """Run preStop and send TERM. If both together take longer than `grace` seconds, send KILL.

        If a process is ended twice, the shorter time counts.
        """
        deadline = time.monotonic() + grace
        if self._ending is not process:
            self._ending = process
            self.normal('Killing', why)
            yield self.pre_stop(grace)
            process.signal(signal.SIGTERM)
        try:
            yield gen.with_timeout(timedelta(seconds=max(SHORTEST_GRACE, deadline - time.monotonic())), process.ended)
        except gen.TimeoutError:
            process.kill()
            yield process.ended

    @gen.coroutine
    def pre_stop(self, grace):
        handler = self.spec.get('lifecycle', {}).get('preStop')
        if handler and grace > 0:
            succeeded, output = yield probes.call(handler, self, grace)
            if not succeeded:
                self.warning('FailedPreStopHook', 'PreStopHook of container "%s" failed: %s' % (self.name, output))
