"""Matching with the regular expressions of operators, for a limited time."""
import re
import signal
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubespawner import profiles
from kubespawner.messages.errors import Fault, SpawnError
from kubespawner.profiles.matching import matches

DOMAIN = r'(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
PART = r'[a-z0-9]+(?:(?:[._]|__|[-]*)[a-z0-9]+)*'
IMAGE = r'(?:{0}(?:\.{0})*(?::[0-9]+)?/)?{1}(?:/{1})*(?::[\w][\w.-]{{0,127}})?'.format(DOMAIN, PART)

SLOW = [IMAGE, '(a+)+', '(a|a)*b', '(?:a*)*b', '(?i)(a|aa)+$', '(.*)' * 20 + 'z']


def checked(value, **unlisted):
    """Choose a value that is not listed, for an option that takes it if it matches."""
    unlisted = dict({'enabled': True, 'kubespawner_override': {'image': '{value}'}}, **unlisted)
    offered = profiles.checked([{'display_name': 'a', 'profile_options': {
        'image': {'display_name': 'Image', 'unlisted_choice': unlisted}}}])
    return profiles.chosen(offered, {'image--unlisted-choice': value})[2]


@pytest.mark.parametrize('length', [30, 900])
@pytest.mark.parametrize('expression', SLOW)
def test_a_match_that_would_take_for_ever_ends_soon(expression, length):
    before = time.process_time()
    with pytest.raises(SpawnError, match='cannot be "aaa.*takes too long to check that. Enter a') as e:
        checked('a' * length + '!', validation_regex=expression)
    assert time.process_time() - before < 1  # of the processor's time, that of other threads included
    assert e.value.fault is Fault.USER and e.value.status_code == 400


@pytest.mark.parametrize('value', ['quay.io/jupyter/base-notebook:2024-01-01', 'a', 'a/b', 'x' * 900])
def test_what_matches_is_taken_as_ever(value):
    assert checked(value, validation_regex=IMAGE) == {'image': value}


EXPRESSIONS = [IMAGE, 'a|b', '[^a]*', r'(?i)\w+\.\w*', r'(a)(b)?\1', '']


@given(st.sampled_from(EXPRESSIONS), st.text(alphabet='aAbB./:-é', max_size=8))
def test_expressions_mean_what_they_mean_in_python(expression, value):
    assert matches(expression, value) is (re.fullmatch(expression, value) is not None)


def test_no_timer_is_left_and_a_late_signal_does_nothing():
    assert matches('(a+)+', 'a' * 40 + '?') is None
    assert signal.getitimer(signal.ITIMER_REAL)[0] == signal.getitimer(signal.ITIMER_VIRTUAL)[0] == 0
    for number in (signal.SIGALRM, signal.SIGVTALRM):
        if signal.getsignal(number) is not signal.SIG_DFL:
            signal.raise_signal(number) if hasattr(signal, 'raise_signal') else signal.getsignal(number)(number, None)


def test_a_timer_that_somebody_else_uses_is_left_alone():
    came, before = [], signal.signal(signal.SIGALRM, lambda *_: came.append(1))
    try:
        assert matches('(a+)+', 'a' * 41 + '?') is None
        assert not came and signal.getsignal(signal.SIGALRM)
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        while not came:
            pass
    finally:
        signal.signal(signal.SIGALRM, before)


def test_on_another_thread_short_values_are_matched_too():
    found = []
    thread = threading.Thread(target=lambda: found.append([matches('[a-z]+', 'other'), matches('[a-z]+', '0ther')]))
    thread.start()
    thread.join()
    assert found == [[True, False]]


@pytest.mark.parametrize('expression', ['(', '(' * 5000, 'a{9999999999999999999}'])
def test_an_expression_that_is_none_is_told_of_its_profile(expression):
    with pytest.raises(ValueError, match="profile 'a': option 'image': validation_regex is not a valid"):
        checked('a', validation_regex=expression)
