import math
from collections import namedtuple

import pytest

from kubespawner.kube import retry

Error = namedtuple('Error', 'status is_temporary retry_after')
Error.__new__.__defaults__ = (0,)

NOON = 'Sun, 06 Nov 1994 12:00:00 GMT'
AFTER_NOON = 'Sun, 06 Nov 1994 12:00:07 GMT'


@pytest.mark.parametrize('value, seconds', [
    ('7', 7), ('1.5', 1.5), (' 2 ', 2), ('0', 0),
    ('3600', retry.LONGEST_RETRY_AFTER), ('9' * 400, 0), ('1e308', retry.LONGEST_RETRY_AFTER),
    ('nan', 0), ('-nan', 0), ('inf', 0), ('-inf', 0), ('Infinity', 0), ('1e999', 0), ('-1', 0), ('-0', 0),
    ('', 0), ('soon', 0), ('1, 2', 0), ('7s', 0), ('0x10', 0), ('\x00', 0), ('Sun, 99 Nov 1994', 0), (None, 0),
])
def test_only_a_sensible_number_of_seconds_is_waited_for(value, seconds):
    assert retry.retry_after({'Retry-After': value}) == seconds


def test_an_answer_without_headers_asks_for_no_pause():
    assert retry.retry_after(None) == retry.retry_after({}) == 0


@pytest.mark.parametrize('headers, seconds', [
    ({'Retry-After': AFTER_NOON, 'Date': NOON}, 7),
    ({'Retry-After': NOON, 'Date': AFTER_NOON}, 0),
    ({'Retry-After': 'Sun, 06 Nov 2094 12:00:00 GMT', 'Date': NOON}, retry.LONGEST_RETRY_AFTER),
    ({'Retry-After': AFTER_NOON, 'Date': 'no date'}, 4),
    ({'Retry-After': AFTER_NOON}, 4),
])
def test_a_date_is_waited_for_by_the_clock_of_the_server_if_it_tells_it(headers, seconds):
    three_after_noon = 784123203
    assert retry.retry_after(headers, clock=lambda: three_after_noon) == seconds


def test_pauses_double_up_to_the_longest_and_begin_again_when_reset():
    backoff = retry.Backoff(1, 5, jitter=0)
    assert [backoff.next_pause() for _ in range(5)] == [1, 2, 4, 5, 5]
    backoff.reset()
    assert backoff.next_pause() == 1


def test_chance_shortens_a_pause_by_as_much_as_the_jitter_and_never_below_what_the_server_asks():
    for _ in range(200):
        assert 0.5 <= retry.Backoff(1, 5, jitter=0.5).next_pause() <= 1
        assert retry.Backoff(1, 5).next_pause(at_least=3) == 3


def test_a_request_is_tried_again_until_its_end_and_not_beyond():
    retries = retry.RequestRetries(end=10)
    now, tries = 0, 0
    while True:
        pause = retries.pause_after(Error(503, True), now)
        if pause is None:
            break
        now, tries = now + pause, tries + 1
    assert 4 < now <= 10 and 4 < tries < 12


@pytest.mark.parametrize('header', ['nan', 'inf', '-inf', '-5', 'garbage', NOON])
def test_no_header_makes_a_server_be_asked_without_pauses_or_without_end(header):
    retries = retry.RequestRetries(end=100)
    error = Error(429, True, retry.retry_after({'Retry-After': header}))
    now, tries = 0, 0
    while tries < 1000:
        pause = retries.pause_after(error, now)
        if pause is None:
            break
        assert math.isfinite(pause) and pause >= 0.1
        now, tries = now + pause, tries + 1
    assert 10 < tries < 100


def test_what_cannot_heal_is_final_but_for_rights_just_after_an_outage():
    retries = retry.RequestRetries(end=100)
    refused = Error(403, False)
    assert retries.pause_after(refused, 0) is None
    assert retries.pause_after(Error(503, True), 1) is not None
    assert retries.pause_after(refused, 2) is not None
    assert retries.pause_after(refused, 2 + retry.ROLES_SECONDS) is None


@pytest.mark.parametrize('verb, status, reason, message, heals', [
    ('read', 0, 'ReadTimeoutError', '', True),
    ('read', 429, 'TooManyRequests', '', True),
    ('read', 503, '', '', True),
    ('read', 404, 'NotFound', '', False),
    ('create', 422, 'Invalid', '', False),
    ('create', 501, '', '', False),
    ('create', 409, 'Conflict', 'the object has been modified', True),
    ('create', 409, 'AlreadyExists', '', False),
    ('delete', 409, 'Conflict', '', False),
    ('create', 403, 'Forbidden', 'error looking up service account ns/default: not found', True),
    ('create', 403, 'Forbidden', 'error looking up service account other/default: not found', False),
    ('create', 403, 'Forbidden', 'exceeded quota', False),
])
def test_which_answers_may_be_different_the_next_time(verb, status, reason, message, heals):
    assert retry.is_temporary(verb, status, reason, message, 'ns') is heals
