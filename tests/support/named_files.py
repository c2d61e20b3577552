"""Fails a run in which a file of tests was named of which none was run."""
import os

import pytest

NO_TESTS_RUN = 5  # pytest's exit code when there are none


class NothingInVain:
    """A plugin of pytest, for a run in one process and for the one that others report to."""

    def __init__(self, config):
        self.named = {os.path.realpath(name): name for name in config.args if os.path.isfile(name)}
        self.root = str(config.rootdir)
        self.reported, self.ran = set(), set()  # paths

    def pytest_runtest_logreport(self, report):
        path = os.path.realpath(os.path.join(self.root, report.nodeid.split('::')[0]))
        self.reported.add(path)
        if report.when == 'call' and (hasattr(report, 'wasxfail') or not report.skipped):
            self.ran.add(path)

    def idle(self):
        """Return the named files of which no test was run."""
        return [name for path, name in self.named.items() if path in self.reported - self.ran]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session, exitstatus):
        if exitstatus == 0 and self.idle():
            session.exitstatus = NO_TESTS_RUN

    def pytest_terminal_summary(self, terminalreporter):
        for name in self.idle():
            terminalreporter.write_line('%s was named, but none of its tests was run; why is said above' % name)
