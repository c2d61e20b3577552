"""What a server's state keeps of its last starts: which choices worked, and why the last start failed."""
import json

import pytest

from kubespawner.lifecycle.last_start import LASTS, LONGEST, MOST, LastStart
from kubespawner.messages import hints
from kubespawner.messages.errors import Cause, ConfigurationError, SpawnError, in_words_for_users

MISSING = hints.with_hint(SpawnError('Pod p failed to start.', 'ErrImagePull', Cause.IMAGE, 'not found'), True)
CRASHED = hints.with_hint(SpawnError('Pod p failed to start.', 'Error', Cause.CONTAINER, 'exit code 3'), True)
NOW = 1600000000.5


def after(*starts):
    """Return what is known after these starts: each an error, or the options of a start that worked."""
    last = LastStart()
    for start in starts:
        last.begin()
        if isinstance(start, dict):
            last.succeeded(start)
        else:
            in_words_for_users(start, '/hub/spawn/ann')
            last.failed(start, NOW)
    return last


def test_a_failure_is_kept_in_short_and_in_detail():
    failure = after(MISSING).failure
    assert failure.summary == MISSING.hint and failure.details == 'Pod p failed to start. Not found.'
    assert (failure.seconds, failure.wants_another) == (1600000000, True)
    assert not after(CRASHED).failure.wants_another


def test_users_are_not_told_what_only_the_operator_can_mend():
    failure = after(ConfigurationError('mem_limit is wrong')).failure
    assert 'Tell its operator' in failure.summary and failure.details == ''


def test_an_error_that_is_none_of_ours_is_kept_without_its_words():
    failure = after(RuntimeError('/etc/secret')).failure
    assert 'Tell the operator' in failure.summary.replace('tell', 'Tell') and 'secret' not in repr(failure)


@pytest.mark.parametrize('before', [[], [MISSING], [{'profile': 'a'}]])
def test_a_server_that_was_stopped_has_neither_failed_nor_worked(before):
    given_up = after(*(before + [SpawnError('The start of pod p was given up.')]))
    stopped = after(*before)
    stopped.begin()
    stopped.succeeded({'profile': 'b'})  # its pod runs
    stopped.stopped()
    for last in (given_up, stopped):
        assert last.failure is None and last.worked == after(*before).worked


def test_a_server_whose_pod_somebody_else_deleted_has_failed():
    assert after(SpawnError('Pod p was deleted while it was starting.', 'NotFound', Cause.DELETION)).failure


def test_a_start_that_works_ends_what_is_told_of_the_one_before():
    assert after(MISSING, {'profile': 'a'}).failure is None


def test_choices_that_worked_are_kept_the_last_one_first_each_once():
    assert after({'profile': 'a'}, {'profile': 'b'}, MISSING, {'profile': 'a'}).worked == [
        {'profile': 'a'}, {'profile': 'b'}]
    many = after(*[{'profile': str(number)} for number in range(9)]).worked
    assert many == [{'profile': str(number)} for number in (8, 7, 6)] and len(many) == MOST


def test_a_choice_has_not_worked_if_its_server_does_not_answer():
    last = LastStart()
    last.begin()
    last.succeeded({'profile': 'a'})  # its pod runs
    in_words_for_users(CRASHED, '')
    last.failed(CRASHED, NOW)
    assert last.worked == [] and last.failure is not None


@pytest.mark.parametrize('huge', [{'profile': 'a', 'x': 'y' * LONGEST}, {'profile': 'a', 'x': object()}])
def test_of_a_choice_that_is_too_much_for_a_state_the_profile_is_kept(huge):
    assert after(huge).worked == [{'profile': 'a'}]


def test_a_state_is_small_and_survives_the_database():
    error = SpawnError('x' * 10 ** 5, 'ErrImagePull', Cause.IMAGE, 'y' * 10 ** 5)
    before = after(*[{'profile': 'p%d' % number, 'x': 'z' * 900} for number in range(9)] + [error])
    text = json.dumps(before.state())
    assert len(text) < 6 * LONGEST
    now = LastStart()
    now.load(json.loads(text))
    assert (now.failure, now.worked) == (before.failure, before.worked) and not now.is_news


@pytest.mark.parametrize('garbled', [
    None, 7, [], {'worked': 7, 'failure': 'x'}, {'worked': [7, None], 'failure': ['a', 'b', 'c', 'd']},
    {'failure': ['a', 'b', 7]}, {'failure': {}}])
def test_what_is_no_state_counts_as_nothing(garbled):
    last = LastStart()
    last.load(garbled)
    assert last.state() == {}


def test_a_failure_is_told_of_for_a_day():
    last = after(MISSING)
    assert last.failure_to_show(NOW + LASTS - 1) == last.failure
    assert last.failure_to_show(NOW + LASTS + 1) is None


@pytest.mark.parametrize('error', [RuntimeError('x'), SpawnError('<b>', cause=Cause.IMAGE, details='<i>')])
def test_each_error_has_words_for_the_pages_of_jupyterhub_and_they_are_escaped(error):
    in_words_for_users(error, '/hub/spawn/"ann"')
    assert error.jupyterhub_message
    assert 'href="/hub/spawn/&quot;ann&quot;"' in error.jupyterhub_html_message
    assert '<b>' not in error.jupyterhub_html_message and '<i>' not in error.jupyterhub_html_message


def test_what_a_hook_says_to_users_stays():
    error = RuntimeError('x')
    error.jupyterhub_message, error.jupyterhub_html_message = 'Not on <Sundays>.', '<b>Not on Sundays.</b>'
    in_words_for_users(error, '')
    assert (error.jupyterhub_message, error.jupyterhub_html_message) == ('Not on <Sundays>.', '<b>Not on Sundays.</b>')
    assert after(error).failure.summary == 'Not on <Sundays>.'


def test_the_page_says_first_what_to_do_and_folds_the_rest():
    html = MISSING.jupyterhub_html_message
    assert '<p>%s</p>' % MISSING.hint in html
    assert '<details><summary>Details</summary>Pod p failed to start. Not found.</details>' in html
    assert html.count(MISSING.hint) == html.count('Not found') == 1
    assert MISSING.message_html == html
