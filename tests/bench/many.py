"""The scenarios of great numbers: ten times what one hub usually has. See `scenarios` for what a scenario is.

Not every subject finishes these in reasonable time. The record of one that is late has no numbers, but the limit.
"""
from statistics import median

from .cluster import user
from .report import BARE
from .subjects import Late

MANY, TAKEOVER = 'many', 'takeover'  # scenarios, and the namespaces of the pods that are there
SETTLE = 1  # second after a load, for what it leaves to be done
SEEN_TIMEOUT = 60  # seconds for the last update to arrive
SERVERS = ['', '/lab']  # of each user
CULLING_AT_ONCE = 50
ROUNDS = 60  # minutes of an hour: each server is stopped once in it


def many(bench):
    """Load the pods of a very large hub, do nothing with them, and then have some change.

    The bare client reads them as well, and so shows what of that is the bytes and their decoding.
    """
    empty, few, sizes = {}, {}, sorted(set(bench.options.many) - {0})
    for standing in [0] + sizes:
        bench.stand(MANY, standing)
        for run, subject in bench.turns(MANY, [BARE] + bench.subjects):
            record = {'scenario': 'many', 'run': run, 'subject': subject, 'standing': standing}
            measured = record['measured'] = in_time(bench, record, _many, subject, standing)
            if standing == 0:
                empty.setdefault(subject, []).append(measured['kept'])
            elif measured:
                if standing == sizes[0]:
                    few.setdefault(subject, []).append(measured['cpu_per_update'])
                measured['memory_per_pod'] = (measured['kept'] - median(empty[subject])) / standing
                measured['update_growth'] = measured['cpu_per_update'] / median(few[subject])
            yield record


def in_time(bench, record, measure, *arguments):
    """Return what `measure` does; if the subject is late, nothing, and have the record say what the limit was."""
    try:
        return measure(bench, *arguments)
    except Late as e:
        bench.log(str(e))
        record['limit'] = bench.options.limit
        return {}


def _many(bench, subject, standing):
    limit, options = bench.options.limit, bench.options
    with bench.driver(subject, MANY) as do:
        load = do('load', within=limit, settle=SETTLE, stalls=True)
        measured = {'seconds': load['loaded'], 'stall': load['stall'], 'cpu': load['cpu'],
                    'kept': load['memory'] - load['memory_before']}
        if standing:
            quiet = do('idle', within=limit, seconds=options.idle_seconds)
            do('begin')
            last = bench.cluster.update(MANY, options.many_updates, options.update_rate)
            readings = do('end', within=limit)
            seen = do('see', within=limit, timeout=SEEN_TIMEOUT, **last)
            measured.update(idle_cpu=quiet['cpu'] / quiet['seconds'], last_seen_after=seen['seen'],
                            cpu_per_update=(readings['cpu'] + seen['cpu']) / options.many_updates)
        return measured


def takeover(bench):
    """Poll the spawners of all servers that run, all at once, as the first thing that a hub does; then once more."""
    count = bench.options.takeover
    bench.stand(TAKEOVER, count)
    for run, subject in bench.turns(TAKEOVER, bench.subjects):
        record = {'scenario': 'takeover', 'run': run, 'subject': subject, 'taken_over': count}
        record['measured'] = in_time(bench, record, _takeover, subject, count)
        yield record


def _takeover(bench, subject, count):
    limit = bench.options.limit
    with bench.driver(subject, TAKEOVER) as do:
        do('take_over', within=limit, users=[user(i) for i in range(count)])
        lists, requests = bench.cluster.lists(), bench.cluster.requests()
        first = do('poll', within=limit, seconds=0, stalls=True)
        lists, requests = bench.cluster.lists() - lists, bench.cluster.requests() - requests
        second = do('poll', within=limit, seconds=0, stalls=True)
    return {'lists': lists, 'requests': requests, 'seconds': first['seconds'], 'stall': first['stall'],
            'cpu': first['cpu'], 'cpu_per_poll': second['cpu'] / count, 'second_stall': second['stall'],
            'polled_running': first['running']}


def culling(bench):
    """Have two servers of each user go through an hour in which each is culled once; look at what piles up."""
    users = [user(i) + server for i in range(bench.options.culled_users) for server in SERVERS]
    steps = ROUNDS // bench.options.culling_step
    for subject in bench.options.soak:
        namespace = 'culling-' + subject.replace('.', '-')
        bench.cluster.make_namespace(namespace)
        with bench.driver(subject, namespace) as do:
            do('load', settle=0)
            do('make', users=users)
            answer = do('start', users=users, at_once=CULLING_AT_ONCE)
            errors = [call['error'] for call in answer['calls'] if call['error']]
            for step in range(steps + 1):
                yield {'scenario': 'culling', 'run': 0, 'subject': subject,
                       'minutes': step * bench.options.culling_step,
                       'measured': dict({name: answer[name] for name in ('memory', 'threads', 'sockets', 'seconds',
                                                                         'cpu')}, errors=errors)}
                if step < steps:
                    answer = do('cull', rounds=bench.options.culling_step, share=-(-len(users) // ROUNDS),
                                at_once=CULLING_AT_ONCE)
                    errors = answer['errors']
