"""Says at the end of a run what was skipped, why, and what would run it."""
from collections import Counter

PREFIX = 'Skipped: '

CLUSTER, NODE = 'a cluster of .ci/kubernetes up', 'a cluster of .ci/kubernetes up-node'
OTHER_VERSIONS = 'other versions (.ci/matrix)'

# What a reason says, and what runs the tests that are skipped for it. The first that fits counts.
HOW = [
    ('--pod-gateway', NODE), ('needs a node', NODE), ('needs a real node', NODE),
    ('--hub-kubeconfig', CLUSTER), ('--api-control', CLUSTER), ('localkube has', CLUSTER), ('a real API', CLUSTER),
    ('only localkube', 'a localkube (no --kubeconfig)'), ('on localkube only', 'a localkube (no --kubeconfig)'),
    ('Chromium', 'chromium'), ('haproxy', 'haproxy'), ('configurable-http-proxy', 'configurable-http-proxy'),
    ('kubectl', 'kubectl'), ('could not import', 'the extra [test]'), ('root', 'root'),
    ('hub', OTHER_VERSIONS), ('JupyterHub', OTHER_VERSIONS), ('traitlets', OTHER_VERSIONS),
]


class Skips:
    """A plugin of pytest, for a run in one process and for the one that others report to."""

    def __init__(self):
        self.reasons = Counter()

    def pytest_runtest_logreport(self, report):
        self._count(report)

    def pytest_collectreport(self, report):
        self._count(report)  # a whole file

    def _count(self, report):
        if report.skipped and not hasattr(report, 'wasxfail'):
            self.reasons[reason_of(report)] += 1

    def pytest_terminal_summary(self, terminalreporter):
        if self.reasons:
            terminalreporter.section('skipped', sep='=')
            for line in lines(self.reasons):
                terminalreporter.write_line(line)


def reason_of(report):
    """Return why a test or a file was skipped, as the test says it."""
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason[len(PREFIX):] if reason.startswith(PREFIX) else reason


def lines(reasons):
    """Return what is said of a Counter of reasons, a list of lines: the reasons, and what would run these tests."""
    needed = Counter()
    for reason, number in reasons.items():
        needed[next((how for words, how in HOW if words in reason), '')] += number
    needed.pop('', None)
    found = ['%6d  %s' % (number, reason) for reason, number in reasons.most_common()]
    if needed:
        found.append('To run them, use %s. docs/testing.rst says how.' % ', '.join(
            '%s for %d' % (how, number) for how, number in needed.most_common()))
    return found
