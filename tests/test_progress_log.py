"""The progress log of a start: what it has, in which order and words, and that everybody hears all of it."""
import re

import pytest

from kubespawner.messages import progress_log
from kubespawner.messages.errors import Cause
from kubespawner.messages.progress_log import EVENTS, MAX_EVENTS, MAX_HOOKS, MAX_REMINDERS, STEPS, ProgressLog


def clock():
    return '2020-01-01T12:00:00Z'


@pytest.fixture
def told():
    """A progress log of the pod u1."""
    told = ProgressLog(clock)
    told.about('u1')
    return told


def event(reason, message='', uid='u1', number=None, kind='Normal', **fields):
    """Return an event about the pod with this uid; events of one number are one that is repeated."""
    event.made += 1
    return dict({
        'metadata': {'uid': 'event-%s' % (number or 'new-%d' % event.made), 'name': 'e'}, 'type': kind,
        'reason': reason, 'message': message, 'lastTimestamp': '2020-01-01T05:53:16Z',
        'involvedObject': {'kind': 'Pod', 'name': 'jupyter-ann', 'uid': uid}}, **fields)


event.made = 0


def messages(told):
    return [entry['message'] for entry in told.entries]


def test_plain_words_come_first_then_what_kubernetes_says_and_when(told):
    told.add_step('pod created')
    pulling = event('Pulling', 'Pulling image "a"')
    told.event(pulling)
    assert [(entry['progress'], entry['message'], entry.get('raw_event')) for entry in told.entries] == [
        (10, STEPS['pod created'][1] + ' (12:00:00 UTC)', None),
        (30, STEPS['scheduled'][1] + ' (05:53:16 UTC)', None),
        (50, EVENTS['Pulling'][1] + ' Pulling image "a" (05:53:16 UTC)', pulling),
    ]


def test_an_event_that_has_no_words_of_ours_is_told_in_its_own(told):
    told.event(event('Surprising', 'Look\nat this'))
    assert messages(told) == ['Surprising: Look at this (05:53:16 UTC)']


def test_progress_never_goes_back(told):
    for reason in ['Scheduled', 'Pulled', 'Started', 'Pulling', 'Surprising', 'FailedMount']:
        told.event(event(reason))
    assert [entry['progress'] for entry in told.entries] == [30, 70, 90, 90, 90, 90]
    assert all(0 <= percent < 100 for percent, _ in list(STEPS.values()) + list(EVENTS.values()))


def test_events_of_another_pod_of_that_name_are_not_told():
    told = ProgressLog(clock)
    told.event(event('Killing', uid='old'))
    told.event(event('Scheduled'))
    assert told.entries == []
    told.about('u1')
    told.event(event('Killing', uid='old'))
    assert [entry['raw_event']['reason'] for entry in told.entries] == ['Scheduled']


@pytest.mark.parametrize('again', [
    event('BackOff', 'again and again', number=1, count=2), event('BackOff', 'once', number=2)])
def test_a_repeated_event_takes_the_place_of_the_one_before(told, again):
    told.event(event('BackOff', 'once', number=1))
    told.event(event('Pulling'))
    before = messages(told)
    told.event(again)
    assert messages(told) == before
    assert told.entries[0]['raw_event'] == again


@pytest.mark.parametrize('event_comes_first', [False, True])
def test_an_assigned_node_is_told_of_once(told, event_comes_first):
    scheduled = event('Scheduled', 'Successfully assigned')
    both = [lambda: told.add_step('scheduled'), lambda: told.event(scheduled)]
    for tell in reversed(both) if event_comes_first else both:
        tell()
    entry, = told.entries
    assert entry['message'].startswith(STEPS['scheduled'][1])
    assert entry['raw_event'] == scheduled


@pytest.mark.parametrize('early', [True, False])
def test_events_are_bounded_but_not_the_last_warning_nor_our_own_steps(early):
    told = ProgressLog(clock)
    if not early:
        told.about('u1')
    for number in range(10 * MAX_EVENTS):
        told.event(event('Failed', 'number %d' % number, kind='Warning'))
    told.about('u1')
    assert len(told.entries) == MAX_EVENTS
    assert told.last_warning == 'Failed: number %d' % (10 * MAX_EVENTS - 1)
    told.add_step('running')
    assert told.entries[-1]['progress'] == 95


def test_scaling_up_lasts_until_the_autoscaler_says_otherwise(told):
    seen = []
    for reason in ['FailedScheduling', 'TriggeredScaleUp', 'FailedScheduling', 'NotTriggerScaleUp', 'Scheduled']:
        told.event(event(reason))
        seen.append(told.is_scaling_up)
    assert seen == [False, True, True, False, False]


def test_what_the_scheduler_warned_of_is_over_with_a_node(told):
    told.event(event('FailedScheduling', 'no room', kind='Warning'))
    assert 'no room' in told.why_late('')
    told.event(event('Scheduled'))
    assert told.why_late('') == ''


MULTI_ATTACH = 'FailedAttachVolume', 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) a'
TIMED_OUT = 'FailedMount', ('Unable to attach or mount volumes: unmounted volumes=[home], unattached volumes=[home]: '
                            'timed out waiting for the condition')
NO_SECRET = 'FailedMount', 'MountVolume.SetUp failed for volume "s" : secret "s" not found'
NOT_PULLED = 'Failed', 'Failed to pull image "a": rpc error: code = NotFound'
BACK_OFF = 'BackOff', 'Back-off pulling image "a"'
PULL_ERROR = 'Failed', 'Error: ImagePullBackOff'
NO_NODE = 'FailedScheduling', '0/1 nodes are available'


@pytest.mark.parametrize('warnings, expected', [
    ([MULTI_ATTACH, TIMED_OUT], MULTI_ATTACH), ([TIMED_OUT, MULTI_ATTACH], MULTI_ATTACH),
    ([MULTI_ATTACH, TIMED_OUT, TIMED_OUT], MULTI_ATTACH), ([NO_SECRET, TIMED_OUT], NO_SECRET),
    ([TIMED_OUT, NO_SECRET], NO_SECRET), ([MULTI_ATTACH, NO_SECRET], NO_SECRET), ([TIMED_OUT], TIMED_OUT),
    ([NOT_PULLED, PULL_ERROR, BACK_OFF], NOT_PULLED), ([BACK_OFF, PULL_ERROR, NOT_PULLED], NOT_PULLED),
    ([NO_NODE, TIMED_OUT], TIMED_OUT), ([NO_SECRET, BACK_OFF], BACK_OFF), ([('Unheard', 'a'), ('Of', 'timed out')], (
        'Of', 'timed out')),
])
def test_of_the_warnings_about_one_thing_the_one_that_says_why_is_told_in_either_order(told, warnings, expected):
    for number, (reason, message) in enumerate(warnings):
        told.event(event(reason, message, number=number, kind='Warning'))
    assert told.last_warning == '%s: %s' % expected


@pytest.mark.parametrize('warning, healed_by, holds', [
    (NO_NODE, 'Scheduled', False), (MULTI_ATTACH, 'SuccessfulAttachVolume', False), (TIMED_OUT, 'Pulled', False),
    (MULTI_ATTACH, 'Scheduled', True), (NO_SECRET, 'Created', False), (NOT_PULLED, 'Pulling', True),
    (NOT_PULLED, 'Scheduled', True), (('Unheard', 'of'), 'Started', True),
])
def test_a_warning_holds_until_an_event_says_that_it_is_over(told, warning, healed_by, holds):
    told.event(event(*warning, kind='Warning'))
    told.event(event(healed_by))
    assert bool(told.last_warning) is holds
    told.event(event(*TIMED_OUT, number=1, kind='Warning'))
    if not holds:
        assert told.last_warning == '%s: %s' % TIMED_OUT


def test_a_hook_that_failed_is_told_of_until_its_container_is_started_again(told):
    def of(container):
        return {'kind': 'Pod', 'name': 'jupyter-ann', 'uid': 'u1', 'fieldPath': 'spec.containers{%s}' % container}

    told.event(event('FailedPostStartHook', 'exited with 1: no such group', kind='Warning', involvedObject=of('lab')))
    assert 'postStart hook' in messages(told)[0]
    assert told.failed_hooks == {'container lab': ('FailedPostStartHook', 'exited with 1: no such group')}
    told.event(event('Started', involvedObject=of('proxy')))
    assert told.failed_hooks
    told.event(event('Started', involvedObject=of('lab')))
    assert told.failed_hooks == {}
    told.event(event('FailedPreStopHook', 'exited with 2', kind='Warning', involvedObject=of('lab')))
    assert 'preStop hook' in messages(told)[-1] and told.failure_in_last_warning() == (
        Cause.CONTAINER, 'FailedPreStopHook', 'exited with 2')


def test_the_end_says_why_and_nothing_comes_after_it(told):
    told.end('The image is missing.')
    told.event(event('Pulling'))
    told.add_step('slow', 'x')
    assert messages(told) == ['The start failed. The image is missing. (12:00:00 UTC)']
    assert told.is_over


def test_a_failure_is_told_whole_as_a_text_and_by_the_given_html_on_the_page(told):
    told.end('No <image>.', '<b>no image</b>')
    assert told.entries[-1]['message'] == 'The start failed. No <image>. (12:00:00 UTC)'
    assert re.sub(r'<script>.*</script>', '', told.entries[-1]['html_message'], flags=re.DOTALL) == (
        'The start failed. (<time class="kubespawner-time" datetime="2020-01-01T12:00:00Z">12:00:00 UTC</time>)'
        '<div role="alert"><b>no image</b></div>')


def test_the_page_gets_each_time_with_its_date_and_texts_are_escaped(told):
    told.event(event('Surprising', '<img src=x onerror=alert(1)> "data-seconds="0"'))
    html = told.shown(0)['html_message']
    assert '<time class="kubespawner-time" datetime="2020-01-01T05:53:16Z">05:53:16 UTC</time>' in html
    assert '&lt;img src=x onerror=alert(1)&gt; &quot;data-seconds=&quot;0&quot;' in html and '<img' not in html


@pytest.mark.parametrize('forged', ['2020-01-01T05:53:16"><b>', '"><script>alert(1)</script>', '2020', 7, {}, None])
def test_a_forged_time_is_cut_or_that_of_the_hub(told, forged):
    told.event(event('Pulling', lastTimestamp=forged))
    assert told.entries[-1]['message'][-14:] in ('(05:53:16 UTC)', '(12:00:00 UTC)')
    assert '<b>' not in told.entries[-1]['html_message'] and 'alert' not in told.entries[-1]['html_message']


def test_the_page_counts_on_from_the_age_of_each_step():
    now = [100.0]
    told = ProgressLog(clock, lambda: now[0])
    told.add_step('pod created')
    now[0] += 12.7
    told.running()
    ages = [re.search(r'data-seconds="(\d+)"', told.shown(number)['html_message']).group(1) for number in range(3)]
    assert ages == ['12', '0', '0']


def test_the_first_step_alone_brings_the_script(told):
    for step in ('claim found', 'pod created', 'scheduled'):
        told.add_step(step)
    assert ['<script>' in entry['html_message'] for entry in told.entries] == [True, False, False]


def test_a_story_that_is_over_does_not_become_a_failure(told):
    told.add_step('running')
    told.end()
    before = [dict(entry) for entry in told.entries]
    told.end('It was deleted.', '/hub/spawn/ann/')
    assert told.entries == before


@pytest.mark.parametrize('reason, message, words', [
    ('Failed', 'Failed to pull image "a": not found', 'The image cannot be pulled.'),
    ('Failed', 'Error: ErrImagePull', 'The image cannot be pulled.'),
    ('Failed', 'Error: ImagePullBackOff', 'The image cannot be pulled.'),
    ('Failed', 'Error: configmap "c" not found', 'The container cannot be started yet.'),
    ('Failed', 'Error: container has runAsNonRoot and image will run as root', 'The container cannot be started yet.'),
    ('Pulled', 'Successfully pulled image "a" in 3s', 'Image pulled.'),
    ('Pulled', 'Container image "a" already present on machine', 'The image is already on the node.'),
    ('BackOff', 'Back-off pulling image "a"', 'The node will try again soon.'),
    ('BackOff', 'Back-off restarting failed container', 'The container exited. The node will restart it soon.'),
])
def test_events_of_one_reason_have_words_for_what_they_are_about(told, reason, message, words):
    told.event(event(reason, message))
    assert messages(told)[-1] == '%s %s (05:53:16 UTC)' % (words, message)


@pytest.mark.gen_test
def test_all_listeners_are_woken_by_each_change_and_by_the_end(told):
    changes = [lambda: told.add_step('pod created'), lambda: told.event(event('Pulling')), told.end]
    for change in changes:
        futures = [told.changed(), told.changed()]
        assert not any(future.done() for future in futures)
        change()
        assert all(future.done() for future in futures)


@pytest.mark.gen_test
def test_a_listener_who_has_gone_disturbs_nobody(told):
    gone, other = told.changed(), told.changed()
    gone.set_result(None)
    told.end()
    assert other.done()


@pytest.mark.parametrize('fields, time', [
    ({}, '2020-01-01T05:53:16Z'),
    ({'lastTimestamp': None, 'series': {'count': 2, 'lastObservedTime': '2020-01-01T06:00:00.000000Z'}},
     '2020-01-01T06:00:00Z'),
    ({'lastTimestamp': None, 'eventTime': '2020-01-01T07:00:00.000000Z'}, '2020-01-01T07:00:00Z'),
    ({'lastTimestamp': None}, ''),
])
def test_the_time_of_an_event_is_that_of_its_last_repetition(fields, time):
    assert progress_log.time_of(event('Pulling', **fields)) == time


@pytest.mark.parametrize('garbled', [
    {}, {'involvedObject': None},
    {'involvedObject': {'uid': 'u1', 'fieldPath': {}}, 'message': 5, 'reason': None, 'metadata': None}])
def test_an_event_that_lacks_things_breaks_nothing(told, garbled):
    told.event(garbled)


def test_a_forged_event_is_cut_wherever_it_is_shown(told):
    huge = 'begin' + 'x' * 200000 + 'end'
    told.event(event('Failed', huge, kind='Warning', forged={str(number): huge for number in range(1000)},
                     count=3, deep=[[[[[[[[[[[[[[huge]]]]]]]]]]]]]]))
    told.event(event('R' * 200000, huge))
    for entry in told.entries:
        assert len(entry['message']) < 1500 and 'begin' in entry['message'] and 'end' in entry['message']
        assert '\u2026' in entry['message'] and len(str(entry['raw_event'])) < 100000
    assert told.entries[0]['raw_event']['count'] == 3
    assert len(told.why_late('')) < 1500 and told.why_late('Failed: ' + huge) == ''


def test_a_forged_event_that_comes_before_its_pod_is_cut_too():
    told = ProgressLog(clock)
    told.event(event('Failed', 'x' * 200000))
    told.about('u1')
    assert len(told.entries[0]['message']) < 1500


def test_forged_events_and_reminders_have_an_end(told):
    for number in range(2 * MAX_REMINDERS):
        told.event(event('FailedPostStartHook', 'no %d' % number, involvedObject={
            'uid': 'u1', 'fieldPath': 'spec.containers{%d}' % number}))
        told.remind('Wait.')
    assert len(told.entries) == MAX_EVENTS + MAX_REMINDERS and len(told.failed_hooks) == MAX_HOOKS


# Starts that take long

def minutes():
    """Return (a progress log, function that lets so many seconds pass): its clock begins at noon."""
    seconds = [0]
    log = ProgressLog(lambda: '2020-01-01T12:%02d:%02dZ' % divmod(seconds[0], 60), lambda: seconds[0])
    log.about('u1')
    return log, lambda passed: seconds.__setitem__(0, seconds[0] + passed)


def in_the_log(told):
    """Return what JupyterHub's page lists, as a text: without what the style of a reminder hides there."""
    listed = []
    for number in range(len(told.entries)):
        html = re.sub(r'<(script|style)>.*?</\1>', '', told.shown(number)['html_message'], flags=re.DOTALL)
        hidden = r'<div class="kubespawner-(repeated">(<div.*?</div>)?|step">).*?</div>'
        listed.append(re.sub('<.*?>', '', re.sub(hidden, '', html)).strip())
    return [text for text in listed if text]


def test_a_reminder_follows_the_newest_step_whose_seconds_are_counted_on():
    told, wait = minutes()
    told.running()
    wait(60)
    told.remind('Be <patient>.')
    wait(7)
    running = STEPS['running'][1]
    assert messages(told)[-1] == running + ' Be <patient>. (12:01:00 UTC)' and told.entries[-1]['progress'] == 95
    html = told.shown(len(told.entries) - 1)['html_message']
    assert html.index(running) < html.index('datetime="2020-01-01T12:00:00Z"') < html.index('Be &lt;patient&gt;.')
    assert html.count('data-seconds="67"') == html.count('data-seconds') == 1


def test_a_reminder_follows_an_event_with_its_reason():
    told, _ = minutes()
    told.event(event('FailedScheduling', '0/3 nodes are available'))
    told.remind('Be patient.')
    assert messages(told)[-1].startswith(EVENTS['FailedScheduling'][1] + ' 0/3 nodes are available. Be patient.')


def test_the_page_lists_a_reminder_once_for_each_step_and_without_the_step():
    told, wait = minutes()
    for step in (None, 'claim found', 'pod created'):
        if step:
            told.add_step(step)
        for _ in range(3):
            wait(5)
            told.remind('Be patient.')
    assert in_the_log(told) == [
        'Be patient. (12:00:05 UTC)', 'Storage found. (12:00:15 UTC)', 'Be patient. (12:00:20 UTC)',
        STEPS['pod created'][1] + ' (12:00:30 UTC)', 'Be patient. (12:00:35 UTC)']
    assert len(told.entries) == 11


# The order of what happened

def of(container, reason, time='2020-01-01T05:53:16Z'):
    """Return an event about a container."""
    return event(reason, container, lastTimestamp=time, involvedObject={
        'uid': 'u1', 'fieldPath': 'spec.containers{%s}' % container})


def words(told):
    """Return which steps and events the log has, by their words."""
    known = {text: name for name, (_, text) in sorted(STEPS.items()) + sorted(EVENTS.items()) if text}
    return [next(known[text] for text in sorted(known, key=len, reverse=True) if message.startswith(text))
            for message in messages(told)]


def test_a_node_that_the_scheduler_tells_of_late_comes_before_what_the_node_does(told):
    scheduled = event('Scheduled', 'Successfully assigned')
    for each in (event('Pulled'), scheduled, event('Started')):
        told.event(each)
    assert [each['progress'] for each in told.entries] == [30, 70, 90]
    assert scheduled in told.events


@pytest.mark.parametrize('late', [
    event('FailedScheduling', kind='Warning'), event('TriggeredScaleUp'), event('NotTriggerScaleUp')])
@pytest.mark.parametrize('assigned', [lambda told: told.add_step('scheduled'), lambda told: told.event(
    event('Scheduled')), lambda told: told.event(event('Pulling'))])
def test_what_was_before_a_node_was_found_is_not_told_after_that(told, late, assigned):
    assigned(told)
    before = messages(told)
    told.event(late)
    assert messages(told) == before and not told.last_warning and not told.is_scaling_up
    assert late in told.events


def test_running_waits_for_the_events_of_all_containers(told):
    told.running(['lab', 'proxy'], '2020-01-01T05:53:16Z')
    for each in (of('lab', 'Created'), of('lab', 'Started'), of('proxy', 'Created')):
        told.event(each)
    assert 'running' not in words(told)
    told.event(of('proxy', 'Started'))
    assert messages(told)[-1].startswith(STEPS['running'][1])


@pytest.mark.parametrize('come_to_an_end', [ProgressLog.settle, ProgressLog.end])
def test_running_waits_for_no_event_that_does_not_come(told, come_to_an_end):
    told.running(['lab'])
    assert told.entries == []
    come_to_an_end(told)
    assert words(told) == ['Scheduled', 'running']


def test_running_has_the_time_from_which_the_pod_runs_whenever_it_is_told(told):
    told.running(['lab'], '2020-01-01T05:53:17Z')
    told.settle()
    assert [message[-14:] for message in messages(told)] == ['(05:53:17 UTC)'] * 2


def test_what_was_before_the_pod_ran_is_not_told_after_that_but_what_comes_later_is(told):
    told.running(['lab'], '2020-01-01T05:53:17Z')
    told.settle()
    for reason in ('Scheduled', 'Pulling', 'Pulled', 'Created', 'Started'):
        told.event(of('lab', reason))
    assert words(told) == ['Scheduled', 'running']
    told.event(of('lab', 'BackOff', '2020-01-01T05:53:20Z'))
    told.event(of('lab', 'Started', '2020-01-01T05:53:30Z'))
    assert len(told.entries) == 4 and len(told.events) == 7


def test_the_containers_that_start_one_after_the_other_are_all_told_of(told):
    for container in ('init', 'lab'):
        for reason in ('Pulling', 'Pulled', 'Created', 'Started'):
            told.event(of(container, reason))
    assert len(told.entries) == 1 + 8
