"""What the documentation publishes: that it is of the code beside it, and that no figure has become half as good.

Pure but for reading files.
"""
import hashlib
import os
from statistics import median

from .cluster import ROOT
from .report import BARE, PROJECT, RATIO_ROWS, is_rate

FILE = os.path.join(ROOT, 'tests', 'bench', 'results.json')
PUBLISH = '.venv/bin/python -m tests.bench --publish'
NOT_MEASURED = ['localkube', 'commands', 'proxy', 'html']  # of the package's directories
FILES_OF_THE_MACHINE = ['json', 'charts', 'saved']  # options of the benchmark
HALF = 2  # a figure is half as good if its ratio to the bare client's is so many times worse


def code(root=ROOT):
    """Return a hash of those files of the package in `root` whose code the benchmark runs.

    A commit cannot be known before it is made, and the one that publishes figures has them in it. So they say this.
    """
    package, digest = os.path.join(root, 'kubespawner'), hashlib.sha256()
    for path in sorted(_files(package)):
        with open(os.path.join(package, path), 'rb') as f:
            content = f.read()
        digest.update(('%s %d\n' % (path, len(content))).encode('utf8') + content)
    return digest.hexdigest()[:16]


def _files(package):
    """Yield the measured modules in the directory `package`, as paths relative to it."""
    for directory, directories, names in os.walk(package):
        if directory == package:
            directories[:] = [name for name in directories if name not in NOT_MEASURED]
        for name in names:
            if name.endswith('.py'):
                yield os.path.relpath(os.path.join(directory, name), package).replace(os.sep, '/')


def outdated(results, now):
    """Return what is wrong if published results are not of the code whose hash is `now`, with the way out; else ''."""
    if results.get('code') == now and '(changed)' not in results.get('checkout', ''):
        return ''
    return ('The published figures were measured on commit %s, which has other code. To measure and publish '
            'them again, commit the code and run:\n    %s' % (results.get('checkout') or '?', PUBLISH))


def without_files(options):
    """Return the options (a dict) of a measurement without the files of the machine that it is made on."""
    return {name: value for name, value in options.items() if name not in FILES_OF_THE_MACHINE}


def ratios(results):
    """Return {label: ratio}: each figure of the project in parts of the bare client's, medians over the runs."""
    return {row.label: median(found) for row in RATIO_ROWS for found in [list(_ratios(results, row))] if found}


def _ratios(results, row):
    """Yield the ratio of each run. Only a run's own numbers are compared, because others ran under another load."""
    measured = {(record['run'], record['subject']): row.value(record['measured'])
                for record in results['records'] if record['scenario'] == row.scenario}
    for run, subject in measured:
        if subject == PROJECT and measured.get((run, BARE)) and measured[run, PROJECT] is not None:
            yield measured[run, PROJECT] / measured[run, BARE]


def worse(published, now):
    """Return a line for each figure of the results `now` that is half as good as in the published ones, or missing."""
    before, after, lines = ratios(published), ratios(now), []
    for row in RATIO_ROWS:
        if row.label not in before:
            lines.append('%s: not published yet; run %s' % (row.label, PUBLISH))
        elif row.label not in after:
            lines.append('%s: not measured' % row.label)
        elif _is_half_as_good(row, before[row.label], after[row.label]):
            lines.append('%s: %.2f of the bare client\'s; %.2f is published' % (
                row.label, after[row.label], before[row.label]))
    return lines


def _is_half_as_good(row, before, after):
    return after * HALF < before if is_rate(row) else after > before * HALF
