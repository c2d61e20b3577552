"""The benchmark's command line: `python -m tests.bench --help`.

It runs the scenarios, writes the raw numbers, and hands them to `report` and `charts`. Everything that it starts, it
ends, also after Ctrl-C; only the environments stay. All traffic is on 127.0.0.1.
"""
import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from . import charts, environments, published, report, scenarios, subjects
from .cluster import ROOT, Cluster

PUBLISHED_AGAINST = ['7.1.0']


def numbers(text):
    return [int(number) for number in text.split(',')]


def names(text):
    return [name for name in text.split(',') if name]


def least_runs(text):
    """Return {scenario: number} of `hub=5,spawns=3`, and what is so by default for others."""
    pairs = [pair.split('=') for pair in text.split(',')]
    unknown = [name for name, _ in pairs if name not in scenarios.ALL]
    if unknown:
        raise argparse.ArgumentTypeError('no such scenario: ' + ', '.join(unknown))
    return dict(scenarios.LEAST_RUNS, **{name: int(number) for name, number in pairs})


def arguments(argv):
    parser = argparse.ArgumentParser(
        prog='python -m tests.bench', description='Measure KubeSpawner, and releases of jupyterhub-kubespawner in the '
        'same run, on a real API server (which .ci/kubernetes builds when needed) with a simulated node.')
    add = parser.add_argument
    add('scenarios', nargs='*', metavar='|'.join(scenarios.ALL), help='what to measure (default: everything)')
    add('--against', type=names, default=['7.1.0', '2.0.1'], metavar='RELEASES',
        help='releases to compare with (default: 7.1.0,2.0.1; an empty string: none)')
    add('--runs', type=int, default=3, help='how often each measurement is made (default: 3); tables show medians')
    add('--least-runs', type=least_runs, default=scenarios.LEAST_RUNS, metavar='SCENARIO=RUNS,...',
        help='the least number of runs of some scenarios (default: %s)' % ','.join(
            '%s=%d' % least for least in scenarios.LEAST_RUNS.items()))
    add('--json', metavar='FILE', help='where the raw numbers go')
    add('--charts', metavar='DIRECTORY', help='where the charts go, as SVG')
    add('--publish', action='store_true', help='measure everything for the documentation: write the raw numbers to '
        'tests/bench/results.json, of which its tables are made')
    add('--check', action='store_true', help='measure nothing: fail unless the published numbers are of this code')
    add('--not-half-as-good', action='store_true', help='fail if a ratio to the bare client is half as good as the '
        'published one; measure "ratios" for it')
    add('--from', dest='saved', metavar='FILE', help='measure nothing: show the numbers of such a file')
    group = parser.add_argument_group('spawns').add_argument
    group('--spawns', type=int, default=200, help='servers to start (default: 200)')
    group('--in-flight', type=numbers, default=[100], help='starts at a time; several: 25,50,100 (default: 100)')
    group = parser.add_argument_group('scale, idle, storm').add_argument
    group('--pods', type=numbers, default=[100, 1000, 5000, 10000],
          help='scale: pods that are there (default: 100,1000,5000,10000)')
    group('--standing', type=int, default=5000, help='idle, storm: pods that are there (default: 5000)')
    group('--idle-seconds', type=int, default=45, help='how long to do nothing, twice (default: 45)')
    group('--updates', type=numbers, default=[3000], help='storm: changes of pods; several: 1000,3000 (default: 3000)')
    group('--update-rate', type=int, default=100, help='storm: changes a second (default: 100)')
    group = parser.add_argument_group('events').add_argument
    group('--events', type=numbers, default=[35000],
          help='events that are there, besides none; several: 5000,35000 (default: 35000)')
    group('--event-stream', type=int, default=3000, help='events more, about other pods (default: 3000)')
    group('--event-rate', type=int, default=100, help='so many of these a second (default: 100)')
    group = parser.add_argument_group('soak').add_argument
    group('--soak', type=names, default=[environments.PROJECT], metavar='SUBJECTS', help='who (default: project)')
    group('--cycles', type=int, default=5000, help='starts and stops (default: 5000)')
    group('--cycles-step', type=int, default=500, help='after how many of them to look (default: 500)')
    group('--soak-in-flight', type=int, default=50, help='servers at a time (default: 50)')
    group = parser.add_argument_group('burst').add_argument
    group('--burst', type=numbers, default=[100, 1000], help='servers to start at once (default: 100,1000)')
    group = parser.add_argument_group('many, takeover, culling').add_argument
    group('--many', type=numbers, default=[1000, 50000], help='many: pods that are there (default: 1000,50000)')
    group('--many-updates', type=int, default=1000, help='many: changes of pods, at --update-rate (default: 1000)')
    group('--takeover', type=int, default=10000, help='takeover: servers that run (default: 10000)')
    group('--culled-users', type=int, default=2000, help='culling: users, with two servers each (default: 2000)')
    group('--culling-step', type=int, default=10, help='culling: after how many minutes to look (default: 10)')
    group('--limit', type=int, default=600, help='many, takeover: seconds that a subject has for a step (default: 600)')
    group = parser.add_argument_group('hub').add_argument
    group('--hub-users', type=int, default=300, help='servers to start, --in-flight at a time (default: 300)')
    options = parser.parse_args(argv)
    if options.publish and options.scenarios:
        parser.error('what is published is measured as a whole')
    if options.publish:
        options.json, options.against = published.FILE + '.part', PUBLISHED_AGAINST
    unknown = set(options.scenarios) - set(scenarios.ALL)
    if unknown:
        parser.error('no such scenario: ' + ', '.join(sorted(unknown)))
    return options


def log(text):
    print(time.strftime('%H:%M:%S'), text, file=sys.stderr, flush=True)


def measure(options):
    """Return everything that was measured, and what it was measured on."""
    log('environments: ' + environments.cache())
    with environments.alone(log):
        return _measure(options)


def _measure(options):
    wanted = [name for name in scenarios.ALL if name in options.scenarios or not options.scenarios]
    pythons = environments.prepare(sorted(set(options.against + options.soak) - {environments.PROJECT}))
    directory, records, started = tempfile.mkdtemp(prefix='kubespawner-bench-'), [], time.time()
    results = {'machine': machine(), 'checkout': checkout(), 'code': published.code(),
               'date': time.strftime('%Y-%m-%d'),
               'options': dict(published.without_files(vars(options)), scenarios=wanted), 'records': records}
    log('logs, deleted when all goes well: ' + directory)
    with Cluster(directory) as cluster:
        bench = subjects.Bench(cluster, pythons, options, log)
        for name in wanted:
            for record in scenarios.ALL[name](bench):
                records.append(record)
                log(report.line(record))
                results.update(versions=bench.versions, kubernetes=cluster.version, pod_bytes=bench.pod_bytes,
                               event_bytes=bench.event_bytes, minutes=round((time.time() - started) / 60))
                save(results, options)
    shutil.rmtree(directory)
    return results


def save(results, options):
    """Write the raw numbers, after each measurement, so that an early end leaves those that are there."""
    if options.json:
        with open(options.json, 'w') as f:
            json.dump(results, f, indent=1, sort_keys=True)
            f.write('\n')


def load(file):
    with open(file) as f:
        return json.load(f)


def machine():
    """Return what this machine is, in words."""
    with open('/proc/cpuinfo') as f:
        models = [line.split(':')[1].strip() for line in f if line.startswith('model name')]
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2 ** 30
    return '%d cores (%s), %d GiB, Linux %s' % (
        len(os.sched_getaffinity(0)), models[0] if models else platform.machine(), round(memory), platform.release())


def checkout():
    """Return the commit that is measured, and whether the package was changed since; '' without git."""
    def git(*arguments):
        return subprocess.run(('git',) + arguments, cwd=ROOT, check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL).stdout.decode('utf8').strip()

    try:
        changed = git('status', '--porcelain', 'kubespawner')
        return git('rev-parse', '--short=10', 'HEAD') + (' (changed)' if changed else '')
    except (OSError, subprocess.CalledProcessError):
        return ''


def main(argv=None):
    options = arguments(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    if options.check:
        sys.exit(published.outdated(load(published.FILE), published.code()) or 0)
    if options.publish and '(changed)' in checkout():
        sys.exit('The package was changed since the last commit. Commit it first: what is published names the commit.')
    before = load(published.FILE) if options.not_half_as_good else None
    results = load(options.saved) if options.saved else measure(options)
    if options.publish:
        os.replace(options.json, published.FILE)  # only now, so that an early end leaves what is published
    print(report.text(results))
    if options.charts:
        os.makedirs(options.charts, exist_ok=True)
        charts.write(results, options.charts)
    if before is not None:
        sys.exit('\n'.join(published.worse(before, results)) or 0)


if __name__ == '__main__':
    main()
