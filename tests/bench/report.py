"""What was measured, as tables: medians over the runs, ratios, the targets that were set, and how cost grows.

Pure: plain numbers in, text out. The tables are reStructuredText, so that the documentation can have them as they are.
"""
import math
from collections import namedtuple
from statistics import median

BARE, PROJECT = 'bare', 'project'
FLOOR = 'floor'  # a hub whose spawner starts nothing

Row = namedtuple('Row', 'scenario label value unit scale target')
Row.__doc__ += """: one line of the comparison.

value (callable): from a record's `measured` to a number.
unit (str), scale (number): what the number is multiplied by, and what it is then.
target (callable or None): from the medians by subject to the number to reach, for what NOMINAL says: at least that for
    RATE, at most that for all others.
"""

# What was varied has targets for these values only.
NOMINAL = {'in_flight': 100, 'pods': 5000, 'events': 35000, 'burst': 100, 'standing': 50000}


def quantile_of(name, share):
    """Return a function that takes a quantile of a measured list, as `Row` wants it."""
    return lambda measured: quantile(measured.get(name, []), share)


def quantile(values, share):
    """Return the value below which that share of `values` is; None of none."""
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else None


def of(name):
    return lambda measured: measured.get(name)


def at_most(number):
    return lambda medians: number


def times(factor, which):
    """Return a target that is a multiple of another subject's median: of BARE, of FLOOR, or of the NEWEST release."""
    def target(medians):
        other = newest(medians) if which == NEWEST else medians.get(which)
        return None if other is None else factor * other
    return target


def is_rate(row):
    """True if more is better."""
    return row.label == RATE


def newest(medians):
    """Return the median of the newest release that was measured, None if there is none."""
    return next((medians[subject] for subject in medians if subject not in (BARE, FLOOR, PROJECT)), None)


def least_of_others(medians):
    """A target: to be as low as the lowest of the other subjects."""
    return min((medians[subject] for subject in medians if subject != PROJECT), default=None)


NEWEST = 'newest'
RATE = 'servers started per second'

ROWS = [
    Row('spawns', 'pod ready, until start() returns, p50', quantile_of('ready_lags', 0.5), 's', 1, at_most(0.02)),
    Row('spawns', 'the same, p95', quantile_of('ready_lags', 0.95), 's', 1, at_most(0.1)),
    Row('spawns', RATE, of('rate'), '/s', 1, times(0.95, BARE)),
    Row('spawns', 'CPU per start', of('cpu_per_start'), 'ms', 1e3, times(0.6, NEWEST)),
    Row('spawns', 'pod gone, until stop() returns, p50', quantile_of('stop_lags', 0.5), 's', 1, at_most(0.02)),
    Row('spawns', 'CPU per stop', of('cpu_per_stop'), 'ms', 1e3, None),
    Row('spawns', 'requests per start', of('requests_per_start'), '', 1, at_most(2)),
    Row('spawns', 'requests per stop', of('requests_per_stop'), '', 1, at_most(1)),
    Row('spawns', 'the node came late to make pods ready by, p95', of('node_late_p95'), 's', 1, None),
    Row('burst', 'all starts: longest stall of the IOLoop', of('start_stall'), 's', 1, at_most(0.05)),
    Row('burst', RATE, of('rate'), '/s', 1, times(0.95, BARE)),
    Row('burst', 'pod ready, until start() returns, p50', quantile_of('ready_lags', 0.5), 's', 1, None),
    Row('burst', 'all stops: longest stall of the IOLoop', of('stop_stall'), 's', 1, at_most(0.05)),
    Row('burst', 'pod gone, until stop() returns, p50', quantile_of('stop_lags', 0.5), 's', 1, at_most(0.02)),
    Row('scale', 'loading: longest stall of the IOLoop', of('stall'), 's', 1, at_most(0.05)),
    Row('scale', 'loading: CPU', of('cpu'), 's', 1, times(1, NEWEST)),
    Row('scale', 'loading: until poll() answers', of('seconds'), 's', 1, None),
    Row('scale', 'memory kept for them', of('memory'), 'MB', 1e-6, at_most(35e6)),
    Row('scale', 'one poll() of all, at once: CPU', of('poll_cpu'), 's', 1, None),
    Row('scale', 'one poll() of all, at once: longest stall', of('poll_stall'), 's', 1, None),
    Row('idle', 'idle: CPU', of('cpu'), '%', 100, at_most(0.005)),
    Row('idle', 'idle: longest stall', of('stall'), 's', 1, at_most(0.02)),
    Row('idle', 'LIST requests in 10 idle minutes', of('lists'), '', 1, at_most(0)),
    Row('idle', 'idle, but for poll() of all every 30 s: CPU', of('cpu_with_polls'), '%', 100, None),
    Row('storm', 'CPU per pod update, relists included', of('cpu_per_update'), 'ms', 1e3, times(1 / 3, NEWEST)),
    Row('events', 'until 10 servers run: longest stall of the IOLoop', of('stall'), 's', 1, at_most(0.05)),
    Row('events', 'the last of them, until start() returns', of('seconds'), 's', 1, None),
    Row('events', 'CPU until they run', of('cpu'), 's', 1, None),
    Row('events', 'the same, more than without events', of('cpu_more'), 's', 1, at_most(0.05)),
    Row('events', 'memory kept then, more than without events', of('memory_more'), 'MB', 1e-6, at_most(2e6)),
    Row('events', 'memory at its peak, more than without events', of('peak_more'), 'MB', 1e-6, at_most(2e6)),
    Row('events', 'CPU per event about others, relists included', of('cpu_per_event'), 'ms', 1e3, times(1 / 3, NEWEST)),
    Row('events', 'the same, more than without events', of('cpu_per_event_more'), 'ms', 1e3, at_most(2e-5)),
    Row('events', 'memory kept of these events', of('stream_memory'), 'MB', 1e-6, at_most(1e6)),
    Row('many', 'loading: until poll() answers', of('seconds'), 's', 1, at_most(10)),
    Row('many', 'loading: CPU', of('cpu'), 's', 1, None),
    Row('many', 'loading: longest stall of the IOLoop', of('stall'), 's', 1, at_most(0.05)),
    Row('many', 'memory kept for each', of('memory_per_pod'), 'KB', 1e-3, at_most(4e3)),
    Row('many', 'idle: CPU', of('idle_cpu'), '%', 100, at_most(0.0005)),
    Row('many', 'CPU per pod update', of('cpu_per_update'), 'ms', 1e3, None),
    Row('many', 'the same, in parts of that among the fewest', of('update_growth'), '', 1, at_most(1.2)),
    Row('takeover', 'first poll() of all, at once: until all answer', of('seconds'), 's', 1, None),
    Row('takeover', 'the same: longest stall of the IOLoop', of('stall'), 's', 1, at_most(0.05)),
    Row('takeover', 'the same: CPU', of('cpu'), 's', 1, None),
    Row('takeover', 'the same: LIST requests', of('lists'), '', 1, at_most(1)),
    Row('takeover', 'the same: requests about single objects', of('requests'), '', 1, at_most(0)),
    Row('takeover', 'second poll() of all, at once: CPU for each', of('cpu_per_poll'), 'ms', 1e3, at_most(1e-4)),
    Row('takeover', 'the same: longest stall of the IOLoop', of('second_stall'), 's', 1, at_most(0.05)),
    Row('ratios', RATE, of('rate'), '/s', 1, None),
    Row('ratios', 'CPU per start', of('cpu_per_start'), 'ms', 1e3, None),
    Row('ratios', 'CPU per stop', of('cpu_per_stop'), 'ms', 1e3, None),
    Row('ratios', 'loading: CPU', of('load_cpu'), 's', 1, None),
    Row('ratios', 'CPU per pod update', of('cpu_per_update'), 'ms', 1e3, None),
    Row('hub', RATE, of('rate'), '/s', 1, times(0.85, FLOOR)),
    Row('hub', 'CPU of the hub per start', of('cpu_per_start'), 'ms', 1e3, None),
    Row('hub', 'the same, more than the floor', of('cpu_above_floor'), 'ms', 1e3, at_most(2.5e-3)),
    Row('hub', 'longest time without an answer of /hub/health', of('silence'), 's', 1, least_of_others),
    Row('hub', 'pod ready, until the request is answered, p50', quantile_of('ready_lags', 0.5), 's', 1, at_most(0.5)),
    Row('hub', 'one start on an idle hub', of('alone'), 's', 1, at_most(0.7)),
]

RATIO_ROWS = [row for row in ROWS if row.scenario == 'ratios']

VARIED = ['in_flight', 'burst', 'pods', 'updates', 'cycles', 'events', 'standing', 'taken_over', 'minutes']
TITLES = {
    'spawns': '{spawns} servers, {in_flight} starts at a time',
    'burst': '{burst:,} servers, all at once',
    'scale': '{pods:,} pods already there, {kilobytes:.1f} KB each',
    'idle': 'The same, {pods:,} pods, for {idle_seconds} s',
    'storm': 'The same, {pods:,} pods, {updates:,} updates, {update_rate} a second',
    'events': '{events:,} events, {event_kilobytes:.1f} KB each, and {event_stream:,} more, {event_rate} a second',
    'many': '{standing:,} pods already there, {kilobytes:.1f} KB each',
    'takeover': 'A hub starts, and {taken_over:,} servers run',
    'ratios': 'The small form that CI runs, whose ratios to the bare client count',
    'hub': 'A whole hub: {hub_users} users, {in_flight} starts at a time',
}
GROWTH = {'spawns': 'in_flight', 'burst': 'burst', 'scale': 'pods', 'storm': 'updates', 'events': 'events',
          'many': 'standing', 'hub': 'in_flight'}


def text(results):
    """Return all tables."""
    parts = [head(results)]
    for scenario in TITLES:
        for varied in variations(results, scenario):
            if 0 not in dict(varied).values():  # that is there to be compared with
                parts.append(comparison(results, scenario, varied))
    parts += [growth(results, scenario, name) for scenario, name in GROWTH.items()]
    parts += [piles(results, *pile) for pile in PILES]
    return '\n\n'.join(filter(None, parts + [trouble(results)])) + '\n'


def head(results):
    where = {name: results.get(name, '?') for name in ('date', 'machine', 'kubernetes', 'checkout')}
    lines = ['Measured on {date}, {machine}, Kubernetes {kubernetes}, checkout {checkout}; {runs}.'.format(
        runs=_runs(results['options']['runs']), **where)]
    for subject, versions in sorted(results.get('versions', {}).items()):
        if versions.get('kubespawner'):
            lines.append('* %s: %s' % (subject, ', '.join('%s %s' % item for item in sorted(versions.items()))))
    return '\n\n'.join([lines[0], '\n'.join(lines[1:])])


def _runs(count):
    return 'medians of %d runs' % count if count > 1 else 'one run of each'


def variations(results, scenario):
    """Return what was varied in a scenario, each as a tuple of (name, value)."""
    return sorted({_varied(record) for record in results['records'] if record['scenario'] == scenario})


def is_nominal(varied):
    return all(NOMINAL.get(name, value) == value for name, value in varied)


def _varied(record):
    return tuple((name, record[name]) for name in VARIED if name in record)


def medians(results, row, varied):
    """Return {subject: median over the runs} of a row, for one variation; the bare client first, the project last."""
    found = {}
    for record in results['records']:
        if record['scenario'] == row.scenario and _varied(record) == varied:
            number = row.value(record['measured'])
            if number is not None:
                found.setdefault(record['subject'], []).append(number)
    return {subject: median(found[subject]) for subject in subjects(results, found)}


def subjects(results, measured):
    """Return those that were measured, in the order of the tables' columns."""
    return [subject for subject in [BARE, FLOOR] + results['options']['against'] + [PROJECT] if subject in measured]


def comparison(results, scenario, varied):
    """Return the table of one scenario and variation: subjects side by side."""
    options = results['options']
    columns = subjects(results, {record['subject'] for record in results['records']
                                 if record['scenario'] == scenario and _varied(record) == varied})
    title = TITLES[scenario].format(
        kilobytes=(results.get('pod_bytes') or 0) / 1e3, event_kilobytes=(results.get('event_bytes') or 0) / 1e3,
        **dict(options, **dict(varied)))
    runs = len({record['run'] for record in results['records']
                if record['scenario'] == scenario and _varied(record) == varied})
    title += '; %s' % _runs(runs) if runs > options['runs'] else ''
    ratio = ['of ' + release for release in options['against'][:1]] or ['']
    lines = [[title] + columns + ratio + ['to reach', '']]
    late = {record['subject']: '> %d s' % record['limit'] for record in results['records'] if record.get('limit')
            and record['scenario'] == scenario and _varied(record) == varied}
    for row in ROWS:
        if row.scenario == scenario:
            found, target = medians(results, row, varied), row.target if is_nominal(varied) else None
            if found:  # older results have fewer numbers
                lines.append(_line(row._replace(target=target), found, columns, late))
    return table(lines)


def _line(row, found, columns, late):
    """Return one line of a comparison. late (dict): what to show of a subject that did not finish."""
    cells = [show(found.get(subject), row) or late.get(subject, '') for subject in columns]
    target = row.target and row.target(found)
    ratio = '%.2f' % rounded(found[PROJECT] / newest(found), 2) if newest(found) and PROJECT in found else ''
    if target is None or PROJECT not in found:
        return [row.label] + cells + [ratio, '', '']
    reached = found[PROJECT] >= target if is_rate(row) else found[PROJECT] <= target
    return [row.label] + cells + [ratio, show(target, row), 'yes' if reached else 'NO']


def show(number, row):
    """Return a number with three significant digits and its unit."""
    if number is None:
        return ''
    number *= row.scale
    digits = max(0, min(4, 2 - int(math.floor(math.log10(abs(number)))))) if abs(number) > 1e-4 else 0
    return ('%.*f %s' % (digits, rounded(number, digits), row.unit)).strip()


def rounded(number, digits):
    """Round a number; what is next to nothing has no sign."""
    return round(number, digits) + 0.0


def growth(results, scenario, name):
    """Return a table of how each number grows with what was varied, for the project and the newest release.

    The last column is the growth at the large end, where what does not grow no longer counts.
    """
    found = variations(results, scenario)
    if len([varied for varied in found if dict(varied)[name]]) < 2:
        return ''
    shown = results['options']['against'][:1] + [PROJECT]
    sizes = [dict(varied)[name] for varied in found]
    lines = [['By %s' % name.replace('_', ' ')] + ['%d' % size for size in sizes] + ['%d to %d' % tuple(sizes[-2:])]]
    for row in ROWS:
        for subject in shown if row.scenario == scenario else []:
            numbers = [medians(results, row, varied).get(subject) for varied in found]
            lines.append(['%s: %s' % (subject, row.label)] + [show(number, row) for number in numbers]
                         + [exponent(sizes[-2:], numbers[-2:])])
    return table(lines)


def exponent(sizes, numbers):
    """Return `n^k`: the power of the size that a number grew with between two sizes."""
    if not all(number and number > 0 for number in numbers):
        return ''
    return 'n^%.1f' % (math.log(numbers[1] / numbers[0]) / math.log(sizes[1] / sizes[0]))


PILES = [('soak', 'cycles', 'Starts and stops'),
         ('culling', 'minutes', 'Minutes of culling, {culled_users:,} users with two servers each')]


def piles(results, scenario, name, title):
    """Return the table of what piled up over many starts and stops."""
    records = [record for record in results['records'] if record['scenario'] == scenario]
    if not records:
        return ''
    lines = [[title.format(**results['options']), '', 'memory', 'threads', 'sockets', 'errors']]
    for record in records:
        measured = record['measured']
        lines.append(['%d' % record[name], record['subject'], '%.1f MB' % (measured['memory'] / 1e6),
                      '%d' % measured['threads'], '%d' % measured['sockets'], '%d' % len(measured['errors'])])
    return table(lines)


def trouble(results):
    """Return what makes some of the numbers doubtful, if anything does."""
    lines = []
    for record in results['records']:
        measured, who = record['measured'], '%s, %s %s, run %d' % (
            record['subject'], record['scenario'], dict(_varied(record)), record['run'] + 1)
        if measured.get('errors'):
            lines.append('* %s: %d calls failed, such as: %s' % (who, len(measured['errors']), measured['errors'][0]))
        if 'last_seen_after' in measured and measured['last_seen_after'] is None:
            lines.append('* %s: the last update was never seen' % who)
        if measured.get('polled_running') not in (None, record.get('pods', record.get('taken_over'))):
            lines.append('* %s: poll() says that %d of %d servers run' % (
                who, measured['polled_running'], record.get('pods', record.get('taken_over'))))
    return '\n'.join(lines)


def table(lines):
    """Return rows of cells as a reStructuredText table; the first row is the head."""
    widths = [max(1, *(len(line[i]) for line in lines)) for i in range(len(lines[0]))]
    rule = '  '.join('=' * width for width in widths)
    rows = ['  '.join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    return '\n'.join([rule, rows[0], rule] + rows[1:] + [rule])


def line(record):
    """Return one measurement in one line, for the log."""
    varied = ' '.join('%s=%d' % item for item in _varied(record))
    numbers = [(row.label, show(row.value(record['measured']), row)) for row in ROWS
               if row.scenario == record['scenario']]
    return '%s %s, run %d, %s: %s' % (record['scenario'], varied, record['run'] + 1, record['subject'],
                                      '; '.join('%s %s' % number for number in numbers))
