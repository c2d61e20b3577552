"""What runs inside each subject's environment: makes spawners of the kubespawner that is installed there, and measures.

`python driver.py SUBJECT NAMESPACE`, where SUBJECT is `bare` for the bare client, anything else for KubeSpawner. The
same file drives all of them, without a hub, with nothing configured but the namespace. It reads one JSON object a line
from standard input, such as `{"do": "start", "users": ["a", "b"], "at_once": 2}`: the name of a coroutine method of
Driver, and its arguments. Each is answered by one line: what the method returns, and `readings`, what the process
cost meanwhile, see `Meter`. It ends when its standard input does. It imports no other room but `bare`.
"""
import asyncio
import ctypes
import gc
import importlib
import json
import os
import sys
import time

TICK = 0.005  # seconds: how often the loop is asked whether it is alive
POLL_ROUNDS = 10  # a second: polls that are spread come in rounds, because waiting for each one would cost more
START_TIMEOUT = 300  # seconds
HUB_PORT = 8081  # JupyterHub's own default


class Meter:
    """What this process cost between `begin` and `end`.

    Readings: `seconds` that passed, `cpu` (seconds of all threads), `stall` (the longest time in seconds that the
    IOLoop came late to a callback; only if asked for, because asking takes CPU as well), `memory` and `memory_before`
    (resident bytes after garbage collection, with what the C library can give back given back), `peak` (the most
    resident bytes since the process began), `threads`, `sockets`.
    """

    def __init__(self, stalls):
        self.longest = 0
        self.ticker = None
        self.stalls = stalls

    def begin(self):
        self.memory_before = memory()
        if self.stalls:
            self.ticker = asyncio.ensure_future(self._tick())
        self.cpu, self.time = time.process_time(), time.perf_counter()

    async def _tick(self):
        while True:
            due = time.perf_counter() + TICK
            await asyncio.sleep(TICK)
            self.longest = max(self.longest, time.perf_counter() - due)

    async def end(self):
        cpu, now = time.process_time(), time.perf_counter()
        if self.ticker is not None:
            await asyncio.sleep(2 * TICK)  # so that a stall that lasts until now is seen
            self.ticker.cancel()
        return {
            'seconds': now - self.time, 'cpu': cpu - self.cpu, 'stall': self.longest if self.stalls else None,
            'memory': memory(), 'memory_before': self.memory_before, 'peak': peak(),
            'threads': len(os.listdir('/proc/self/task')), 'sockets': sockets(),
        }


def memory():
    """Return the resident bytes of this process that it cannot do without."""
    gc.collect()
    try:
        ctypes.CDLL('libc.so.6').malloc_trim(0)
    except (OSError, AttributeError):  # another C library
        pass
    with open('/proc/self/statm') as f:
        return int(f.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def peak():
    """Return the most resident bytes that this process has ever had."""
    with open('/proc/self/status') as f:
        return next(int(line.split()[1]) for line in f if line.startswith('VmHWM:')) * 1024


def sockets():
    """Return how many sockets this process has open."""
    count = 0
    for descriptor in os.listdir('/proc/self/fd'):
        try:
            count += os.readlink('/proc/self/fd/' + descriptor).startswith('socket:')
        except OSError:  # the directory that was being listed
            pass
    return count


def pod_name(name):
    """Return what the pod of a server is called."""
    return 'jupyter-' + name.replace('/', '--')


class BareSubject:
    """Makes pods without a spawner."""

    def __init__(self, namespace):
        self.namespace = namespace
        self.make = importlib.import_module('bare').Bare
        self.versions = {}

    def spawner(self, username):
        return self.make(self.namespace, username)

    async def load(self):
        await self.spawner('nobody').poll()

    def cached(self, username):
        """Return what the watch knows of a user's pod."""
        ip = self.spawner(username).address()
        return ip and {'status': {'podIP': ip}}


class SpawnerSubject:
    """Makes spawners of the installed KubeSpawner, as a hub would."""

    def __init__(self, namespace):
        self.namespace = namespace
        kubespawner = importlib.import_module('kubespawner')
        self.orm = importlib.import_module('jupyterhub.orm')
        self.objects = importlib.import_module('jupyterhub.objects')
        self.make = kubespawner.KubeSpawner
        self.hub = self.objects.Hub(base_url='/hub/', port=HUB_PORT)  # one for all, as in a hub
        self.versions = {'kubespawner': getattr(kubespawner, '__version__', None)}
        for module in ('jupyterhub', 'kubernetes', 'kubernetes_asyncio', 'tornado', 'traitlets'):
            try:
                imported = importlib.import_module(module)
            except ImportError:
                continue
            self.versions[module] = getattr(imported, '__version__', None) or imported.version

    def spawner(self, name):
        """Return the spawner of a user's server: `user` or `user/server`."""
        username, _, server = name.partition('/')
        spawner = self.make(user=User(username, self.objects), hub=self.hub,
                            orm_spawner=self.orm.Spawner(name=server), namespace=self.namespace)
        spawner.start_timeout = START_TIMEOUT
        spawner.pod_name = pod_name(name)  # what all of them make of such a name by default
        return spawner

    async def load(self):
        """Return when all pods are known, so that one that does not exist is known not to."""
        spawner = self.spawner('nobody')
        while await spawner.poll() is None:
            await asyncio.sleep(0)

    def cached(self, username):
        """Return what the reflector knows of a user's pod."""
        pods, name = self.spawner(username).pod_reflector.pods, 'jupyter-' + username
        return pods.get(name) or pods.get('%s/%s' % (self.namespace, name))


class User:
    """As much of a JupyterHub user as a spawner sees."""
    id = 7

    def __init__(self, name, objects):
        self.name = self.escaped_name = name
        self.url = '/user/' + name
        self.server = objects.Server(base_url='/user/' + name, port=8888)  # as the hub's database has it


class Driver:
    """The commands. `spawners` has those that were made and not yet stopped for good, by user."""

    def __init__(self, subject):
        self.subject = subject
        self.spawners = {}

    async def load(self, settle):
        """Make the first spawner and poll it until all pods are known. `settle`: seconds for what comes after."""
        started = time.perf_counter()
        await self.subject.load()
        loaded = time.perf_counter() - started
        await asyncio.sleep(settle)
        return {'loaded': loaded, 'versions': dict(self.subject.versions, python=sys.version.split()[0])}

    async def make(self, users):
        """Make a spawner for each user."""
        for user in users:
            self.spawners[user] = self.subject.spawner(user)
            await asyncio.sleep(0)

    async def take_over(self, users):
        """Make a spawner for each user, as a hub does that starts and has their servers in its database."""
        for user in users:
            spawner = self.spawners[user] = self.subject.spawner(user)
            spawner.load_state({'pod_name': spawner.pod_name})
            await asyncio.sleep(0)

    async def start(self, users, at_once):
        return {'calls': await self._each('start', users, at_once)}

    async def stop(self, users, at_once):
        return {'calls': await self._each('stop', users, at_once)}

    async def _each(self, verb, users, at_once):
        """Call a verb of each user's spawner, `at_once` at a time; return when it was called and when it returned."""
        gate, loop = asyncio.Semaphore(at_once), asyncio.get_event_loop()

        async def one(user):
            async with gate:
                return await timed(user, getattr(self.spawners[user], verb))

        return await asyncio.gather(*[loop.create_task(one(user)) for user in users])

    async def cycle(self, users, at_once):
        """Make, start and stop a spawner for each user, `at_once` at a time; return the errors."""
        gate, loop = asyncio.Semaphore(at_once), asyncio.get_event_loop()

        async def one(user):
            async with gate:
                spawner = self.subject.spawner(user)
                return [await timed(user, spawner.start), await timed(user, spawner.stop)]

        calls = await asyncio.gather(*[loop.create_task(one(user)) for user in users])
        return {'errors': [call['error'] for pair in calls for call in pair if call['error']]}

    async def cull(self, rounds, share, at_once):
        """Poll all servers twice a round, and stop and start the next `share` of them, one after the other.

        Return the errors. A hub does so in minutes: it polls twice in one, and a culler looks which servers are idle.
        """
        users, errors = list(self.spawners), []
        for _ in range(rounds):
            await self.poll(0)
            culled, users = users[:share], users[share:] + users[:share]
            for verb in ('stop', 'start'):
                errors += [call['error'] for call in await self._each(verb, culled, at_once) if call['error']]
            await self.poll(0)
        return {'errors': errors}

    async def poll(self, seconds):
        """Poll every spawner once, spread evenly over so many seconds; return how many say that their server runs."""
        start, spawners, codes = time.perf_counter(), list(self.spawners.values()), []
        rounds = max(1, int(seconds * POLL_ROUNDS))
        for i in range(rounds):
            await asyncio.sleep(max(0, start + i / POLL_ROUNDS - time.perf_counter()))
            codes += await asyncio.gather(*[spawner.poll() for spawner in spawners[i::rounds]])
        await asyncio.sleep(max(0, start + seconds - time.perf_counter()))
        return {'running': sum(code is None for code in codes)}

    async def see(self, user, ip, timeout):
        """Wait until the reflector knows the user's pod under this address; return the seconds, None if never."""
        start = time.perf_counter()
        while time.perf_counter() < start + timeout:
            pod = self.subject.cached(user)
            if pod is not None and pod['status']['podIP'] == ip:
                return {'seen': time.perf_counter() - start}
            await asyncio.sleep(0.1)
        return {'seen': None}

    async def idle(self, seconds):
        """Just be there."""
        await asyncio.sleep(seconds)

    async def begin(self):
        """Until the next command, just be there."""


async def timed(user, verb):
    called = time.time()
    try:
        await verb()
        error = None
    except Exception as e:
        error = '%s: %s' % (type(e).__name__, e)
    return {'user': user, 'called': called, 'returned': time.time(), 'error': error}


async def main(kind, namespace):
    """Obey the commands until there are no more. Readings of `begin` come with `end`."""
    loop = asyncio.get_event_loop()
    answers, sys.stdout = sys.stdout, sys.stderr  # a subject may print, but not into the answers
    driver = Driver((BareSubject if kind == 'bare' else SpawnerSubject)(namespace))
    meter = None
    while True:
        line = await loop.run_in_executor(None, sys.stdin.readline)
        if not line:
            return
        command = json.loads(line)
        do, stalls = command.pop('do'), command.pop('stalls', False)
        if do == 'end':
            answer = {'readings': await meter.end()}
        else:
            meter = Meter(stalls)
            meter.begin()
            answer = await getattr(driver, do)(**command) or {}
            answer['readings'] = None if do == 'begin' else await meter.end()
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == '__main__':
    asyncio.run(main(*sys.argv[1:]))
    os._exit(0)  # whatever threads a subject has left
