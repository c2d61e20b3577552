"""What is measured: the scenarios, each as what its drivers are told and which numbers come of it.

A scenario yields records: dicts with `scenario`, `run`, `subject`, what was varied (`pods`, `in_flight`, `updates`,
`cycles`, `events`), and `measured`: numbers by name. Times are in seconds, memory in bytes, shares of one core as
fractions. In each run all subjects have their turn, and another one is first in the next. Every measurement has a
driver of its own.
"""
import time
from statistics import median

from . import many
from .cluster import user
from .hub import Hub
from .report import BARE, FLOOR, PROJECT, quantile

WARM_UP = 20  # spawns before the ones that count: connections are made, threads started, modules imported
SETTLE = 1  # second after a load, for what it leaves to be done
POLL_SECONDS = 30  # how often JupyterHub polls each server

# Namespaces of the pods that are there already: as many as a scale says, and as many as for all else.
SCALE, STANDING = 'scale', 'standing'

STARTERS = 10  # servers whose starts follow events
RATIOS, RATIO_PODS, RATIO_SPAWNS, RATIO_UPDATES = 'ratios', 500, 100, 500  # of the small form
# Scenarios that have more runs than others, if nobody says how many: a hub does so much besides that two runs of it
# differ by a third, and later ratios are held against the published ones.
LEAST_RUNS = {'hub': 3, RATIOS: 5}

IDLE_STARTS = 10  # of a hub that has nothing else to do


def spawns(bench):
    """Spawn servers, some at a time, then stop them."""
    for in_flight in bench.options.in_flight:
        yield from _of_subjects(bench, 'spawns', 'in_flight', in_flight, bench.options.spawns)


def burst(bench):
    """Start so many servers at once, and then stop them at once; look for stalls, which takes CPU, meanwhile."""
    for count in bench.options.burst:
        yield from _of_subjects(bench, 'burst', 'burst', count, count, stalls=True)


def _of_subjects(bench, scenario, name, in_flight, count, stalls=False):
    """Spawn and stop `count` servers with each subject. The records call the number at a time, in_flight, `name`."""
    for run, subject in bench.turns(scenario, [BARE] + bench.subjects):
        namespace = '%s-%d-%d-%s' % (scenario, in_flight, run, subject.replace('.', '-'))
        bench.cluster.make_namespace(namespace)
        with bench.driver(subject, namespace) as do:
            measured = _spawns(bench, do, namespace, count, in_flight, stalls)
        yield {'scenario': scenario, 'run': run, 'subject': subject, name: in_flight, 'measured': measured}


def _spawns(bench, do, namespace, count, in_flight, stalls=False):
    warm = ['warm%05d' % i for i in range(WARM_UP)]
    users = [user(i) for i in range(count)]
    do('load', settle=0)
    do('make', users=warm + users)
    do('start', users=warm, at_once=WARM_UP)
    do('stop', users=warm, at_once=WARM_UP)
    requests = bench.cluster.requests()
    start = do('start', users=users, at_once=in_flight, stalls=stalls)
    started = [call for call in start['calls'] if not call['error']]
    to_start = bench.cluster.requests() - requests
    stop = do('stop', users=[call['user'] for call in started], at_once=in_flight, stalls=stalls)
    told = bench.cluster.told_by_node(namespace, {('gone', 'jupyter-' + call['user']) for call in started})
    to_stop = bench.cluster.requests() - requests - to_start - len(started)  # each of which the node has finished
    seconds = max(call['returned'] for call in start['calls']) - min(call['called'] for call in start['calls'])
    late = [record['finished'] - record['due'] for record in told.values() if record['what'] == 'ready']
    return {
        'rate': len(started) / seconds,
        'cpu_per_start': start['cpu'] / len(users),
        'cpu_per_stop': stop['cpu'] / max(1, len(started)),
        'ready_lags': lags(started, told, 'ready'),
        'stop_lags': lags(stop['calls'], told, 'gone'),
        'requests_per_start': to_start / len(users), 'requests_per_stop': to_stop / max(1, len(started)),
        'start_stall': start['stall'], 'stop_stall': stop['stall'],
        'node_late_p95': quantile(late, 0.95),
        'errors': [call['error'] for call in start['calls'] + stop['calls'] if call['error']],
    }


def small(bench):
    """Measure the bare client and the project side by side, quickly: only the ratios of the two mean something."""
    bench.stand(RATIOS, RATIO_PODS)
    for run, subject in bench.turns(RATIOS, [BARE, PROJECT]):
        namespace = 'ratios-%d-%s' % (run, subject)
        bench.cluster.make_namespace(namespace)
        with bench.driver(subject, namespace) as do:
            measured = _spawns(bench, do, namespace, RATIO_SPAWNS, RATIO_SPAWNS)
        with bench.driver(subject, RATIOS) as do:
            load = do('load', settle=SETTLE)
            do('begin')
            last = bench.cluster.update(RATIOS, RATIO_UPDATES, bench.options.update_rate)
            readings = do('end')
            seen = do('see', timeout=60, **last)
        measured.update(load_cpu=load['cpu'], last_seen_after=seen['seen'],
                        cpu_per_update=(readings['cpu'] + seen['cpu']) / RATIO_UPDATES)
        yield {'scenario': 'ratios', 'run': run, 'subject': subject, 'measured': measured}


def lags(calls, told, what):
    """Return, sorted, how long after the node had done its part each call returned.

    The node's part is done when the API server has answered its request. That answer may come later than the watch
    event about the same; such a lag is 0.
    """
    return sorted(max(0, call['returned'] - told[what, 'jupyter-' + call['user']]['finished'])
                  for call in calls if not call['error'])


def scale(bench):
    """Load the pods that are there already; then poll a spawner for each, all at once.

    What a subject keeps when there are no pods (modules, connections) is not kept for pods.
    """
    empty = {}
    for pods in sorted(set([0] + bench.options.pods)):
        bench.stand(SCALE, pods)
        for run, subject in bench.turns('scale', bench.subjects):
            with bench.driver(subject, SCALE) as do:
                load = do('load', settle=SETTLE, stalls=True)
                do('take_over', users=[user(i) for i in range(pods)])
                poll = do('poll', seconds=0, stalls=True)
            kept = load['memory'] - load['memory_before']
            if not pods:
                empty.setdefault(subject, []).append(kept)
            yield {'scenario': 'scale', 'run': run, 'subject': subject, 'pods': pods, 'measured': {
                'seconds': load['loaded'], 'stall': load['stall'], 'cpu': load['cpu'],
                'memory': kept - median(empty[subject]), 'memory_with_modules': kept,
                'poll_cpu': poll['cpu'], 'poll_stall': poll['stall'], 'polled_running': poll['running']}}


def idle(bench):
    """Do nothing with the pods that are there; then poll as a hub does that has nothing else to do.

    CPU and stalls are measured one after the other, because looking for stalls takes CPU.
    """
    pods, seconds = bench.options.standing, bench.options.idle_seconds
    bench.stand(STANDING, pods)
    for run, subject in bench.turns('idle', [BARE] + bench.subjects):
        with bench.driver(subject, STANDING) as do:
            do('load', settle=2 * SETTLE)
            lists = bench.cluster.lists()
            quiet = do('idle', seconds=seconds)
            watched = do('idle', seconds=seconds, stalls=True)
            lists = bench.cluster.lists() - lists
            do('make', users=[user(i) for i in range(pods)])
            poll = do('poll', seconds=POLL_SECONDS)
        yield {'scenario': 'idle', 'run': run, 'subject': subject, 'pods': pods, 'measured': {
            'cpu': quiet['cpu'] / quiet['seconds'], 'stall': watched['stall'],
            'lists': lists * 600 / (quiet['seconds'] + watched['seconds']), 'lists_counted': lists,
            'cpu_with_polls': poll['cpu'] / poll['seconds']}}


def storm(bench):
    """Change pods that are there, one after the other, and see that the last change arrives."""
    pods = bench.options.standing
    bench.stand(STANDING, pods)
    for updates in bench.options.updates:
        for run, subject in bench.turns('storm', bench.subjects):
            with bench.driver(subject, STANDING) as do:
                do('load', settle=SETTLE)
                lists = bench.cluster.lists()
                do('begin')
                last = bench.cluster.update(STANDING, updates, bench.options.update_rate)
                readings = do('end')
                seen = do('see', timeout=60, **last)
                lists = bench.cluster.lists() - lists
            yield {'scenario': 'storm', 'run': run, 'subject': subject, 'updates': updates, 'pods': pods, 'measured': {
                'cpu_per_update': (readings['cpu'] + seen['cpu']) / updates, 'seconds': readings['seconds'],
                'last_seen_after': seen['seen'], 'lists': lists}}


def events(bench):
    """Start servers where there are events already; then have more events, about pods that nobody starts.

    All of a number that a subject has without events is there for other things than events: `..._more` is the rest.
    """
    namespace, without = 'events', {}
    bench.cluster.make_namespace(namespace)
    for number in sorted(set([0] + bench.options.events)):
        bench.log('%d events are to be there' % number)
        bench.event_bytes = bench.cluster.tell(namespace, number)
        for run, subject in bench.turns('events', bench.subjects):
            with bench.driver(subject, namespace) as do:
                measured = _events(bench, do, namespace)
            if not number:
                without.setdefault(subject, []).append(measured)
            measured.update({name + '_more': measured[name] - median(other[name] for other in without[subject])
                             for name in ('stall', 'cpu', 'memory', 'peak', 'cpu_per_event')})
            yield {'scenario': 'events', 'run': run, 'subject': subject, 'events': number, 'measured': measured}


def _events(bench, do, namespace):
    users, count = ['starter%02d' % i for i in range(STARTERS)], bench.options.event_stream
    lists = bench.cluster.lists()
    first = do('load', settle=0, stalls=True)
    rest = [do('make', users=users, stalls=True), do('start', users=users, at_once=STARTERS, stalls=True),
            do('idle', seconds=SETTLE, stalls=True)]
    lists_to_start = bench.cluster.lists() - lists
    do('begin')
    bench.cluster.stream(namespace, count, bench.options.event_rate)
    time.sleep(SETTLE)
    stream = do('end')
    lists_in_all = bench.cluster.lists() - lists
    stop = do('stop', users=users, at_once=STARTERS)
    bench.cluster.end_stream(namespace, count)
    calls = rest[1]['calls'] + stop['calls']
    return {
        'seconds': max(call['returned'] - call['called'] for call in rest[1]['calls']),
        'cpu': sum(reading['cpu'] for reading in [first] + rest),
        'stall': max(reading['stall'] for reading in [first] + rest),
        'memory': rest[-1]['memory'] - first['memory_before'],
        'peak': rest[-1]['peak'] - first['memory_before'],
        'lists': lists_to_start,
        'cpu_per_event': stream['cpu'] / count,
        'stream_memory': stream['memory'] - stream['memory_before'],
        'stream_lists': lists_in_all - lists_to_start,
        'errors': [call['error'] for call in calls if call['error']],
    }


def soak(bench):
    """Spawn and stop again and again, with another user each time; look at what piles up."""
    steps, at_once = bench.options.cycles // bench.options.cycles_step, bench.options.soak_in_flight
    for subject in bench.options.soak:
        namespace = 'soak-' + subject.replace('.', '-')
        bench.cluster.make_namespace(namespace)
        with bench.driver(subject, namespace) as do:
            do('load', settle=0)
            for step in range(steps):
                first = step * bench.options.cycles_step
                answer = do('cycle', users=[user(first + i) for i in range(bench.options.cycles_step)], at_once=at_once)
                bench.log('soak: %s, %d cycles' % (subject, first + bench.options.cycles_step))
                yield {'scenario': 'soak', 'run': 0, 'subject': subject, 'cycles': first + bench.options.cycles_step,
                       'measured': {name: answer[name] for name in ('memory', 'threads', 'sockets', 'seconds', 'cpu',
                                                                    'errors')}}


def hub(bench):
    """Have a whole hub start servers, some at a time, and stop them; then start some one after the other.

    In each run the floor is first, because the hub's own share is what it takes. That share includes /hub/health.
    """
    for in_flight in bench.options.in_flight:
        own_share = []
        for run, others in enumerate(bench.rounds('hub', bench.subjects)):
            for subject in [FLOOR] + others:
                namespace = 'hub-%d-%d-%s' % (in_flight, run, subject.replace('.', '-'))
                bench.cluster.make_namespace(namespace)
                measured = _hub(bench, subject, namespace, in_flight)
                if subject == FLOOR:
                    own_share.append(measured['cpu_per_start'])
                measured['cpu_above_floor'] = measured['cpu_per_start'] - median(own_share)
                yield {'scenario': 'hub', 'run': run, 'subject': subject, 'in_flight': in_flight, 'measured': measured}


def _hub(bench, subject, namespace, in_flight):
    warm = ['warm%05d' % i for i in range(WARM_UP)]
    users = [user(i) for i in range(bench.options.hub_users)]
    python = bench.pythons[PROJECT if subject == FLOOR else subject]
    cluster = bench.cluster
    with Hub(python, subject, namespace, cluster.kubeconfig, cluster.records, cluster.directory) as do:
        do.add_users(warm + users)
        calls = do.each('POST', warm, WARM_UP) + do.each('DELETE', warm, WARM_UP)
        do.silence()
        cpu = do.cpu()
        start = do.each('POST', users, in_flight)
        cpu, silence = do.cpu() - cpu, do.silence()
        stop = do.each('DELETE', users, in_flight)
        alone = do.each('POST', warm[:IDLE_STARTS], 1)
    started = [call for call in start if not call['error']]
    seconds = max(call['returned'] for call in start) - min(call['called'] for call in start)
    told = cluster.told_by_node(namespace, {('ready', 'jupyter-' + call['user']) for call in started})
    return {
        'rate': len(started) / seconds, 'cpu_per_start': cpu / len(users), 'silence': silence,
        'ready_lags': lags(started, told, 'ready'),
        'alone': median(call['returned'] - call['called'] for call in alone),
        'errors': [call['error'] for call in calls + start + stop + alone if call['error']],
    }


ALL = {'spawns': spawns, 'burst': burst, 'scale': scale, 'idle': idle, 'storm': storm, 'events': events, 'soak': soak,
       'hub': hub, 'many': many.many, 'takeover': many.takeover, 'culling': many.culling,
       'ratios': small}
