"""The page that users see while their server starts: its progress_log, in plain words."""
import re

import pytest

from kubespawner.messages.progress_log import EVENTS, STEPS
from tests.hub.browser import until

from .conftest import PATIENCE, PHONE

# Takes down what the page says and how full its bar is then.
TAKE_DOWN = """
document.addEventListener('DOMContentLoaded', () => {
    const log = document.getElementById('progress-log'), bar = document.getElementById('progress-bar')
    if (!log) return
    new MutationObserver(() => {
        const entry = log.lastChild.cloneNode(true)
        entry.querySelectorAll('script').forEach(script => script.remove())
        takeDown(Number(bar.getAttribute('aria-valuenow')), entry.textContent)
    }).observe(log, {childList: true})
})
"""

TIME = r' \(\d\d:\d\d:\d\d UTC\)$'

SLOW = 'It is Monday, and everybody comes at once.'


@pytest.fixture(scope='module')
def more(cluster):
    """Users choose, so that their start begins on the page of these tests. Images take a while."""
    if not cluster.is_localkube:
        pytest.skip('how long an image takes is known on localkube only')
    return """
c.KubeSpawner.slow_spawn_message = %r
c.KubeSpawner.slow_spawn_message_threshold = 1.5
c.KubeSpawner.slow_spawn_message_frequency = 0
c.KubeSpawner.profile_list = [
    {'display_name': 'Slow', 'kubespawner_override': {'image': 'localkube/slow:3'}},
    {'display_name': 'Slower', 'kubespawner_override': {'image': 'localkube/slow:21'}},
    {'display_name': 'Reminding', 'kubespawner_override': {
        'image': 'localkube/slow:9', 'slow_spawn_message_frequency': 1}},
]
""" % SLOW


def taken_down(page):
    """Return a list that gets what the page is told: (percent, text)."""
    told = []
    page.expose_function('takeDown', lambda *entry: told.append(entry))
    page.add_init_script(TAKE_DOWN)
    return told


@pytest.fixture
def starting(hub, visit):
    """`page, told = starting(username, **context)`: the page of a server that has begun to start."""
    def starting(username, profile='Slow', **context):
        page = visit(hub.url, username, **context)
        told = taken_down(page)
        page.get_by_role('radio', name=profile, exact=True).check()
        page.get_by_role('button', name='Start').click()
        page.wait_for_url('**/spawn-pending/**')
        return page, told

    return starting


def open_log(page):
    """Open the event log. A click is lost if the page changes at that moment."""
    until(lambda: is_open_after_a_click(page), 30, 'the event log')


def is_open_after_a_click(page):
    page.get_by_text('Event log').click()
    return page.locator('#progress-details').get_attribute('open') is not None


def arrive(page, username):
    """Wait for the server's own page."""
    page.wait_for_url('**/user/%s/**' % username, timeout=4 * PATIENCE)


def test_the_story_is_told_in_plain_words_until_the_server_is_there(starting, screenshot):
    page, told = starting('ann', viewport={'width': 800, 'height': 700})
    open_log(page)
    page.locator('#progress-log').get_by_text(SLOW).first.wait_for()
    page.locator('#progress-log').get_by_text(EVENTS['Pulling'][1]).first.wait_for()
    screenshot(page, 'progress')
    arrive(page, 'ann')
    percents = [percent for percent, _ in told]
    assert percents == sorted(percents) and percents[-1] == 100
    texts = [text for _, text in told]
    expected = [STEPS['claim created'][1], STEPS['pod created'][1], EVENTS['Scheduled'][1], EVENTS['Pulling'][1], SLOW,
                EVENTS['Pulled'][1], EVENTS['Created'][1], EVENTS['Started'][1], STEPS['running'][1]]
    assert [words for words in expected if words in ' '.join(texts)] == expected
    ours = [text for text in texts if re.search(TIME, text)]
    assert len(ours) == len(expected)
    assert re.search(r'"localkube/slow:3" in 3\S*s', ' '.join(ours))  # which image, and how long


def test_times_are_those_of_the_readers_zone_and_the_seconds_of_the_last_step_are_counted(starting):
    page, _ = starting('eve', profile='Slower', timezone_id='Asia/Kolkata', locale='en-GB')
    open_log(page)
    # A reminder, which may have come meanwhile, names the step again.
    pulling = page.locator('#progress-log > div').filter(has_text=EVENTS['Pulling'][1]).first
    pulling.wait_for()
    time = pulling.locator('time')
    hours, minutes, seconds = [int(part) for part in time.get_attribute('title').split()[0].split(':')]
    half_past_five_later = (hours * 60 + minutes + 330) % (24 * 60)
    assert time.inner_text() == '%02d:%02d:%02d' % (half_past_five_later // 60, half_past_five_later % 60, seconds)
    counted = ('() => parseInt((document.querySelector("#progress-message .kubespawner-waited") || {'
               'textContent: ""}).textContent.slice(2)) >= 2')
    page.wait_for_function(counted)
    page.reload()
    page.wait_for_function(counted)
    assert page.locator('#progress-log script').count() == 0


def test_a_start_that_takes_long_shows_its_step_and_lists_the_reminder_once_for_it(starting):
    page, told = starting('fay', profile='Reminding')
    open_log(page)
    page.wait_for_function("""() => (document.querySelector('#progress-message').innerText.match(
        /^%s[^]*\\u00b7 [4-9] s\\s+%s$/))""" % (EVENTS['Pulling'][1], SLOW))
    assert len([text for _, text in told if SLOW in text]) > 2
    listed = [each.inner_text() for each in page.locator('#progress-log > div').all() if each.is_visible()]
    pulling = next(number for number, text in enumerate(listed) if text.startswith(EVENTS['Pulling'][1]))
    assert [text.startswith(SLOW) for text in listed[pulling:]] == [False, True]
    arrive(page, 'fay')


def test_two_windows_are_told_the_same(starting):
    page, told = starting('bob')
    other = page.context.new_page()
    told_to_other = taken_down(other)
    other.goto(page.url)
    arrive(page, 'bob')
    arrive(other, 'bob')
    assert told == told_to_other and len(told) > 5


def test_the_story_fits_on_a_phone(starting):
    page, _ = starting('cat', **PHONE)
    open_log(page)
    page.locator('#progress-log').get_by_text(EVENTS['Pulling'][1]).first.wait_for()
    assert page.evaluate('document.documentElement.scrollWidth') <= PHONE['viewport']['width']


def test_the_story_of_a_start_that_takes_long_is_told_once(starting):
    page, told = starting('dan', profile='Slower')
    arrive(page, 'dan')
    texts = [text for _, text in told]
    assert [text for text in texts if texts.count(text) > 1] == []
    assert told[-1][0] == 100
