"""Servers that live through faults that come at random, and what must be true of them: a model of a hub's users.

Every choice comes of a seed, so that what went wrong can be tried again. Here belong the node that gives pods their
fates, the one who sabotages the API, and the users. What is asserted about one server stands in `User`; what about all
of them, and how many there are, in the tests.
"""
import heapq
import itertools
import json
import threading
import time
from random import Random

from tornado import gen
from tornado.concurrent import Future
from tornado.ioloop import IOLoop
from tornado.web import HTTPError

from kubespawner.messages.progress_log import STEPS
from tests.bench.rest import MERGE_PATCH, Refused
from tests.cluster.test_progress import Listener
from tests.support.waits import until_on_loop

NODE = 'chaos'
FATE = 'example.org/fate'
PATIENCE = 60  # seconds for what must come at some time

# What a pod's node does with it: (seconds after its creation, status), and whether its start is to succeed.
WAITING = {'phase': 'Pending', 'containerStatuses': [{'state': {'waiting': {'reason': 'ErrImagePull'}}}]}
INVALID = {'phase': 'Pending', 'containerStatuses': [{'state': {'waiting': {'reason': 'InvalidImageName'}}}]}
CRASHED = {'phase': 'Running', 'containerStatuses': [{'state': {'waiting': {'reason': 'CrashLoopBackOff'}}}]}
EVICTED = {'phase': 'Failed', 'reason': 'Evicted', 'containerStatuses': []}
READY = {'phase': 'Running', 'podIP': '127.0.0.1', 'containerStatuses': [{'ready': True, 'state': {'running': {}}}]}
ENDED = {'phase': 'Failed', 'containerStatuses': [{'state': {'terminated': {'exitCode': 3, 'reason': 'Error'}}}]}
GONE = None

FATES = {
    'ready': ([(0, READY)], True),
    'late': ([(0.2, READY)], True),
    'heals': ([(0, WAITING), (0.1, READY)], True),
    'invalid': ([(0, INVALID)], False),
    'evicted': ([(0.05, EVICTED)], False),
    'crashes': ([(0, CRASHED)], False),
    'vanishes': ([(0.05, GONE)], False),
    'silent': ([], False),
}
MOSTLY_GOOD = ['ready'] * 8 + ['late', 'heals'] * 2 + sorted(FATES)


class Node(threading.Thread):
    """Gives the pods of a namespace the fates that their annotations say, and finishes their deletion."""

    def __init__(self, api, namespace):
        super().__init__(name='chaos node', daemon=True)
        self.api, self.namespace, self.path = api, namespace, '/api/v1/namespaces/%s/pods' % namespace
        self._seen, self._due, self._changed = set(), [], threading.Condition()
        self._worker = threading.Thread(target=self._work, name='chaos node', daemon=True)
        self._number, self._running = itertools.count(), True

    def __enter__(self):
        try:
            self.api.request('POST', '/api/v1/nodes', {'metadata': {'name': NODE}})
        except Refused as e:
            assert e.status == 409
        self.start()
        self._worker.start()
        return self

    def __exit__(self, *exc_info):
        self._running = False
        with self._changed:
            self._changed.notify()
        self._worker.join(PATIENCE)
        self.join(PATIENCE)

    def run(self):
        while self._running:
            try:
                for event in self.api.watch(self.path, timeoutSeconds=2):
                    if event['type'] in ('ADDED', 'MODIFIED'):
                        self._tend(event['object'])
            except (Refused, OSError):
                time.sleep(0.1)

    def _tend(self, pod):
        uid, name = pod['metadata']['uid'], pod['metadata']['name']
        fate = (pod['metadata'].get('annotations') or {}).get(FATE)
        if 'deletionTimestamp' in pod['metadata']:
            if (uid, 'end') not in self._seen:
                self._seen.add((uid, 'end'))
                self._plan(0, self._end, name, uid)
        elif uid not in self._seen and fate:
            self._seen.add(uid)
            self._plan_next(name, uid, FATES[fate][0])

    def _plan_next(self, name, uid, steps):
        """Plan the first of a fate's steps; each is followed by the next, when it has been done."""
        if steps:
            (seconds, status), others = steps[0], steps[1:]
            self._plan(seconds, self._change, name, uid, status, others)

    def _plan(self, seconds, do, *arguments):
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._number), do, arguments))
            self._changed.notify()

    def _work(self):
        while self._running:
            with self._changed:
                wait = self._due[0][0] - time.monotonic() if self._due else 1
                if wait > 0:
                    self._changed.wait(wait)
                    continue
                do, arguments = heapq.heappop(self._due)[-2:]
            try:
                do(*arguments)
            except (Refused, OSError) as e:
                if getattr(e, 'status', 0) not in (404, 409, 422):  # it met a fault, too
                    self._plan(0.1, do, *arguments)

    def _end(self, name, uid):
        self.api.request('DELETE', '%s/%s' % (self.path, name), {
            'gracePeriodSeconds': 0, 'preconditions': {'uid': uid}})

    def _change(self, name, uid, status, others=()):
        if status is GONE:
            self._end(name, uid)
            return
        container = {'name': 'notebook', 'image': 'busybox', 'imageID': '', 'ready': False, 'restartCount': 0}
        statuses = [dict(container, **c) for c in status['containerStatuses']]
        self.api.request('POST', self.path.replace('/pods', '/events'), {
            'metadata': {'generateName': name + '.'}, 'type': 'Normal', 'reason': 'Changed', 'message': status['phase'],
            'involvedObject': {'kind': 'Pod', 'namespace': self.namespace, 'name': name, 'uid': uid}})
        self.api.request('PATCH', '%s/%s/status' % (self.path, name), {
            'metadata': {'uid': uid}, 'status': dict(status, containerStatuses=statuses)}, MERGE_PATCH)
        self._plan_next(name, uid, others)

    def end_server(self, name, uid):
        """Have a server end by itself."""
        self._plan(0, self._change, name, uid, ENDED)


class User:
    """One who starts and stops a server, cycle by cycle. Afterwards there is none, and the home directory is kept.

    new_spawner (callable): `new_spawner(name)` returns a spawner, as a hub that has just started would.
    ask (callable): `ask(path)` returns an object as a dict as the API has it, None if there is none. Blocks.
    """

    def __init__(self, name, seed, new_spawner, node, ask):
        self.name, self.random = name, Random('%s %s' % (seed, name))
        self.new_spawner, self.node, self.ask = new_spawner, node, ask
        self.spawner = new_spawner(name)
        self.history, self.events_heard = [], 0
        self.has_been_home = False  # whether they have had a server

    @gen.coroutine
    def live(self, cycles):
        for _ in range(cycles):
            self.history = []
            try:
                yield self._cycle()
            except Exception as e:
                raise AssertionError('%s, after %s: %s: %s' % (self.name, self.history, type(e).__name__, e)) from e

    @gen.coroutine
    def _cycle(self):
        fate = self.random.choice(MOSTLY_GOOD)
        life = self.random.choice([
            self._plainly, self._plainly, self._impatiently, self._cancelled, self._through_a_restart,
            self._until_it_ends, self._killed_while_it_starts, self._killed_while_it_stops])
        self.history += [fate, life.__name__]
        self.spawner.singleuser_extra_annotations = {FATE: fate}
        self.spawner.start_timeout = PATIENCE if fate != 'silent' else 1
        self.spawner.start_failure_grace = PATIENCE if FATES[fate][1] else 0.2
        yield life(FATES[fate][1])
        assert self.ask(self.spawner.pod_name) is None, 'a pod is left'

    def _begin(self):
        """Start the server as JupyterHub does, which clears the state before."""
        self.spawner.clear_state()
        return self.spawner.start()

    @gen.coroutine
    def _start(self, is_to_succeed):
        """Start the server. Return its pod; None if it does not start, in which case it is stopped, as hubs do it."""
        start = self._begin()
        listeners = [Listener(self.spawner), Listener(self.spawner)]
        try:
            address = yield start
        except HTTPError as e:
            self.history.append(str(e))
            assert not is_to_succeed, 'it should have started'
            yield self._hear(listeners, e.jupyterhub_message)
            yield self._stop()
            if 'does not answer the request to create it' in str(e):  # it may land after the stop has looked
                yield self._until_it_is_gone()
            return None
        yield self._hear(listeners, STEPS['running'][1])
        assert is_to_succeed, 'it should have failed'
        self.has_been_home = True
        assert address == ('127.0.0.1', 8888)
        pod = self.ask(self.spawner.pod_name)
        assert pod['status']['phase'] == 'Running'
        assert (yield self.spawner.poll()) is None, 'it runs'
        return pod

    @gen.coroutine
    def _hear(self, listeners, last):
        """See that the listeners have received one log, which is over, and in which these words are our own last."""
        yield gen.with_timeout(IOLoop.current().time() + PATIENCE, gen.multi([each.end for each in listeners]))
        stories = [[(entry['progress'], entry['message']) for entry in each.told] for each in listeners]
        assert stories == stories[:1] * len(stories)
        assert stories[0] == sorted(stories[0], key=lambda entry: entry[0]), 'percentages only grow'
        ours = [entry['message'] for entry in listeners[0].told if 'raw_event' not in entry]
        assert last in ours[-1], ours
        self.events_heard += len(listeners[0].told) - len(ours)

    @gen.coroutine
    def _stop(self):
        timeout, self.spawner.start_timeout = self.spawner.start_timeout, PATIENCE
        yield self.spawner.stop(now=self.random.random() < 0.5)
        self.spawner.start_timeout = timeout
        self.history.append('stopped')

    @gen.coroutine
    def _plainly(self, is_to_succeed):
        if (yield self._start(is_to_succeed)):
            yield self._stop()
            assert (yield self.spawner.poll()) == 1, 'it is gone'

    @gen.coroutine
    def _impatiently(self, is_to_succeed):
        """Stop the server while it starts."""
        start = self._begin()
        yield gen.sleep(self.random.uniform(0, 0.2))
        yield [self._stop(), self._stop()]
        try:
            yield start
        except HTTPError as e:
            self.history.append(str(e))
        yield self._until_it_is_gone()

    @gen.coroutine
    def _cancelled(self, is_to_succeed):
        """Have the hub cancel the start, and stop the server if it sees one then, as JupyterHub does."""
        start = self._begin()
        listener = Listener(self.spawner)
        self._leave(start)  # some cannot be cancelled
        yield gen.sleep(self.random.uniform(0, 0.2))
        start.cancel()
        yield gen.moment
        if not start.cancelled() or (yield self.spawner.poll()) is None:
            yield self._stop()
        yield listener.end
        yield self._until_it_is_gone()

    @gen.coroutine
    def _until_it_is_gone(self):
        """Return when there is no pod any more; nobody waits for what a start has left."""
        yield until_on_loop(lambda: self.ask(self.spawner.pod_name) is None, PATIENCE)

    @gen.coroutine
    def _through_a_restart(self, is_to_succeed):
        """Let the hub end after the start; the next one finds the server by what the database kept."""
        pod = yield self._start(is_to_succeed)
        state = self.spawner.get_state()
        self.spawner = self.new_spawner(self.name)
        if pod:
            self.spawner.load_state(state)
            assert (yield self.spawner.poll()) is None, 'it runs'
            yield self._stop()

    @gen.coroutine
    def _killed_while_it_starts(self, is_to_succeed):
        """Let the hub be killed during the start; the next one finds the server, or starts it again."""
        self._leave(self._begin())
        yield gen.sleep(self.random.uniform(0, 0.2))
        yield self._go_on_in_a_new_hub()
        yield self._plainly(is_to_succeed)

    @gen.coroutine
    def _killed_while_it_stops(self, is_to_succeed):
        if not (yield self._start(is_to_succeed)):
            return
        self._leave(self.spawner.stop(now=self.random.random() < 0.5))
        yield gen.sleep(self.random.uniform(0, 0.1))
        yield self._go_on_in_a_new_hub()

    @staticmethod
    def _leave(future):
        """Have nobody wait for what a hub has begun."""
        future.add_done_callback(lambda future: future.cancelled() or future.exception())

    @gen.coroutine
    def _go_on_in_a_new_hub(self):
        """Kill the hub, and do what JupyterHub does with a server when it starts: poll it, or take it for stopped."""
        dead, state = self.spawner, self.spawner.orm_spawner.state
        dead.asynchronize = lambda *args: Future()  # what was sent may land; nobody hears of it, and nothing is sent
        self.spawner = self.new_spawner(self.name)
        for trait in ('singleuser_extra_annotations', 'start_timeout', 'start_failure_grace'):
            setattr(self.spawner, trait, getattr(dead, trait))
        self.spawner.load_state(state or {})
        code = yield self.spawner.poll()
        self.history.append('polled %s' % code)
        if code is None:
            yield self._stop()

    @gen.coroutine
    def _until_it_ends(self, is_to_succeed):
        """Let the server end by itself; the hub sees that when it polls, and cleans up."""
        pod = yield self._start(is_to_succeed)
        if pod:
            self.node.end_server(pod['metadata']['name'], pod['metadata']['uid'])
            deadline = IOLoop.current().time() + PATIENCE
            while (yield self.spawner.poll()) is None:
                assert IOLoop.current().time() < deadline, 'poll does not see that it has ended'
                yield gen.sleep(0.02)
            yield self._stop()  # of JupyterHub's own accord it would not; it has been deleted, but may not be gone yet


class Saboteur:
    """Has requests of one namespace meet faults, one after the other, chosen at random.

    faults (list of callables): each gets the Random.
    """

    def __init__(self, seed, faults, heal):
        self.random, self.faults, self.heal = Random('%s saboteur' % seed), faults, heal
        self.done = {}
        self._running = False

    @gen.coroutine
    def work(self, run):
        """Go on until `stop`. run (callable): runs a blocking function elsewhere, returns a future."""
        self._running = True
        while self._running:
            fault = self.random.choice(self.faults)
            self.done[fault.__name__] = self.done.get(fault.__name__, 0) + 1
            yield run(fault, self.random)
            yield gen.sleep(self.random.uniform(0, 0.2))
            yield run(self.heal)
            yield gen.sleep(self.random.uniform(0.2, 0.5))  # or they would add up to an outage that no retries outlast

    def stop(self):
        self._running = False


def switches(kube, namespace):
    """Return the faults of localkube's switches, and what takes them back."""
    of_the_hub = '/namespaces/%s/' % namespace

    def refuses(random):
        kube.fail(path=of_the_hub, status=random.choice([500, 502, 503, 504, 429]), times=random.randint(1, 5),
                  headers=random.choice([None, {'Retry-After': '1'}]))

    def loses_requests(random):
        kube.drop(path=of_the_hub, times=random.randint(1, 3))

    def loses_answers(random):
        kube.drop(path=of_the_hub, times=random.randint(1, 3), after=True)

    def is_slow(random):
        kube.delay(path=of_the_hub, times=random.randint(1, 5), seconds=random.uniform(0, 0.5))

    def cuts_watches(random):
        kube.cut_watches()

    def forgets(random):
        kube.expire_history()
        kube.cut_watches()

    def says_nothing(random):
        kube.stall_watches()
        time.sleep(random.uniform(0, 0.5))
        kube.resume_watches()

    return [refuses, loses_requests, loses_answers, is_slow, cuts_watches, forgets, says_nothing], kube.clear_faults


def networks(proxy):
    """Return the faults of a proxy, and what takes them back."""
    def resets(random):
        proxy.reset()

    def cuts(random):
        proxy.cut()

    def refuses(random):
        proxy.refuse()
        time.sleep(random.uniform(0, 1))
        proxy.resume()

    def stalls(random):
        proxy.stall()
        time.sleep(random.uniform(0, 1))
        proxy.resume()

    return [resets, cuts, refuses, stalls], proxy.resume


def asker(api, namespace):
    """Return `ask(name)`: a pod as a dict as the API has it, None if there is none; asked until there is an answer."""
    def ask(name):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                answer = api.request('GET', '/api/v1/namespaces/%s/pods/%s' % (namespace, name))
                return json.loads(answer.decode('utf8'))
            except (Refused, OSError) as e:
                if getattr(e, 'status', 0) == 404:
                    return None
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    return ask
