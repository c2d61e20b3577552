"""A long outage is in the log, and does not fill it."""
from kubespawner.kube.outage import LONGEST_SILENCE, OutageLog


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
