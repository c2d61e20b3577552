"""A long outage is in the log, and does not fill it."""
import logging

from kubespawner.kube import retry
from kubespawner.kube.outage import LONGEST_SILENCE, OutageLog
from kubespawner.spawner import PodReflector
from tests.support.fakes import empty_list, refused


class Clock:
    now = 0

    def __call__(self):
        return self.now


def test_the_same_error_is_logged_with_growing_pauses():
    clock = Clock()
    log, logged = OutageLog(clock), []
    for clock.now in range(300):
        if log.is_due('refused'):
            logged.append(clock.now)
    assert logged == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]
    assert logged[-1] - logged[-2] == LONGEST_SILENCE


def test_another_error_is_logged_at_once():
    log = OutageLog(Clock())
    assert [log.is_due(text) for text in ('refused', 'refused', 'timed out', 'timed out')] == [True, False, True, False]


def test_the_first_error_after_an_outage_is_logged_at_once():
    log = OutageLog(Clock())
    assert log.is_due('refused') and not log.is_due('refused')
    log.over()
    assert log.is_due('refused')


class ListsOnly:
    """An API server that answers lists and refuses watches."""

    watches = 0

    def list_namespaced_pod(self, watch=False, **_):
        if not watch:
            return empty_list()
        self.watches += 1
        if self.watches == 30:
            self.end()
        raise refused(403, 'Forbidden')


def test_lists_between_watches_that_fail_do_not_fill_the_log(monkeypatch, caplog):
    monkeypatch.setattr(retry.Backoff, 'next_pause', lambda self, at_least=0: 0)
    reflector = PodReflector(namespace='hubs', log=logging.getLogger('outage'))
    reflector._api = api = ListsOnly()
    api.end = reflector.stop
    reflector.start()._thread.join(30)
    assert api.watches == 30
    assert sum('Forbidden' in record.getMessage() for record in caplog.records) < 10
