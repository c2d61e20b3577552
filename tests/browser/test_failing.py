"""What users see when their server cannot start: why, what they can do, and a way to try again."""
from contextlib import ExitStack

import pytest

from tests.hub.browser import Browser, until
from tests.support import quotas

from .conftest import PATIENCE, PHONE, pods

# Those that fail have no claim: until it is bound, a pod has another reason not to start.
PROFILES = """
failing = dict({name: [each for each in c.KubeSpawner[name] if each['name'] != 'home']
                for name in ('volumes', 'volume_mounts')}, start_failure_grace=2, user_storage_pvc_ensure=False)
profiles = [
    {'display_name': 'Works'},
    {'display_name': 'Missing', 'kubespawner_override': dict(failing, image=%(missing)r)},
    {'display_name': 'Crashing', 'kubespawner_override': dict(failing, cmd=['sh', '-c', 'exit 3'])},
    {'display_name': 'Large', 'kubespawner_override': dict(failing, **%(large)r)},
    {'display_name': %(long)r, 'description': %(long)r,
     'profile_options': {'size': {'display_name': %(long)r, 'choices': {'a': {'display_name': %(long)r}}}}},
]
c.KubeSpawner.profile_list = lambda spawner: [{'slug': 'a--b'}] if spawner.user.name == 'nothing' else profiles
"""

LONG = 'Donaudampfschifffahrtselektrizitaetenhauptbetriebswerk5'  # without a place to break

TOUCH = 44  # pixels that a finger needs

# Why, and what the user can do.
TOLD = {
    'Missing': ['The image of your server cannot be pulled. Choose another profile', 'ImagePull'],
    'Crashing': ['Your server exited before it was ready. Try again.', 'exit code 3'],
    'Large': ['No node has enough free resources for your server. Choose a profile that needs less',
              'Insufficient cpu'],
    'Quota': ['The quota of this hub is used up. Stop servers that you do not need', 'exceeded quota'],
}


@pytest.fixture(scope='module')
def more(cluster):
    return PROFILES % {'missing': 'localkube/missing' if cluster.is_localkube else 'local/missing:latest',
                       'large': {'cpu_guarantee': 1000}, 'long': LONG}


@pytest.fixture
def quota(core, namespace):
    """Nothing more may be in the namespace, until this is called or the test has ended."""
    with ExitStack() as stack:
        stack.enter_context(quotas.quota(core, namespace, pods='0'))
        yield stack.close


def failure_on(page):
    """Return what the page says of a failed start, once it is there."""
    failure = page.locator('.kubespawner-failure').filter(visible=True)
    failure.wait_for()
    return failure


def is_there_after_a_click(failure, raw):
    failure.get_by_text('Details').click()
    return raw in failure.inner_text()


def check_said_once(page, profile):
    """Check that the page says once why and what to do, and has Kubernetes' words behind `Details`."""
    words, raw = TOLD[profile]
    failure = failure_on(page)
    assert page.locator('body').inner_text().count(words) == 1
    assert raw not in failure.inner_text() and failure.inner_text().strip().startswith(words)
    until(lambda: is_there_after_a_click(failure, raw), 30, raw)  # a click is lost if the page changes at that moment
    failure.get_by_text('Details').click()


def is_touchable(element):
    """Return whether a finger can touch this element of a page; one that is being replaced has no place on it."""
    box = element.bounding_box()
    return box is not None and box['height'] >= TOUCH


def check_touchable(elements):
    """Check that a finger can touch these elements, as soon as the page no longer changes."""
    until(lambda: all(is_touchable(element) for element in elements), 10, 'elements of %d pixels' % TOUCH)


def check_accessible(page, place):
    """Check a part of the page as a screen reader has it, in both colour schemes."""
    axe = pytest.importorskip('axe_playwright_python.sync_playwright').Axe()
    for theme in ('dark', 'light'):
        page.evaluate('theme => document.documentElement.setAttribute("data-bs-theme", theme)', theme)
        found = axe.run(page, context=place)
        assert found.violations_count == 0, found.generate_report()


def check_local(time):
    """Check that a time is shown as it is in India, and in UTC as its title."""
    hours, minutes = [int(part) for part in time.get_attribute('title').split(' ')[1].split(':')]
    minutes += hours * 60 + 330
    assert time.inner_text().endswith('%02d:%02d' % (minutes // 60 % 24, minutes % 60))


def start(page, profile):
    page.get_by_role('radio', name=profile).check()
    page.get_by_role('button', name='Start').click()


def works(page, username):
    """Start the profile that works; return when its server is there."""
    start(page, 'Works')
    page.wait_for_url('**/user/%s/**' % username, timeout=2 * PATIENCE)


@pytest.mark.parametrize('profile', ['Missing', 'Crashing', 'Large'])
def test_a_start_that_fails_says_why_and_what_to_do_within_seconds_and_can_be_tried_again(
        hub, visit, core, namespace, screenshot, profile):
    username = profile.lower()
    page = visit(hub.url, username, viewport={'width': 800, 'height': 430}, timezone_id='Asia/Kolkata', locale='en-GB')
    start(page, profile)
    check_said_once(page, profile)
    assert 'You will be redirected' not in page.locator('body').inner_text()
    assert not page.locator('#stop-server-btn').is_visible()  # of JupyterHub 6.1: there is nothing to stop
    message = page.locator('#progress-message')
    check_touchable([message.get_by_text('Details'), message.get_by_role('link', name='Try again')])

    page.reload()
    assert page.get_by_role('heading', name='Spawn failed').is_visible()
    check_said_once(page, profile)
    if profile == 'Missing':
        screenshot(page, 'failure')
    page.get_by_role('button', name='Relaunch Server').click()
    assert page.get_by_role('radio', name=profile if profile == 'Crashing' else 'Works').is_checked()
    check_said_once(page, profile)
    check_local(page.locator('#spawn_form .alert time'))
    if profile == 'Crashing':
        check_accessible(page, '#spawn_form .alert')
    works(page, username)
    assert len(pods(core, namespace, username)) == 1


def test_the_page_of_progress_leads_to_another_profile_if_one_has_worked(hub, visit):
    page = visit(hub.url, 'impatient')
    start(page, 'Missing')
    try_again = page.locator('#progress-message').get_by_role('link', name='Try again')
    try_again.click()
    assert page.get_by_role('radio', name='Works').is_checked()
    assert page.get_by_text('Another profile is selected.').is_visible()
    works(page, 'impatient')
    user = Browser(hub.url, 'impatient')
    user.log_in()
    user.stop()
    page.goto(hub.url + '/hub/spawn')
    start(page, 'Missing')
    try_again.click()
    assert page.get_by_role('radio', name='Works').is_checked()
    assert page.get_by_text('The choice that worked last is selected.').is_visible()


def test_a_list_that_cannot_be_shown_has_no_button_to_start(hub, visit):
    page = visit(hub.url, 'nothing')
    assert page.get_by_text('The profiles of this hub cannot be shown.').is_visible()
    assert page.get_by_role('button', name='Start').count() == 0
    page.goto(hub.url + '/hub/spawn')
    assert "the slug 'a--b' must not contain" in hub.logged()


def test_what_a_quota_refuses_is_told_above_the_form(hub, visit, quota, core, namespace):
    page = visit(hub.url, 'many')
    start(page, 'Works')
    check_said_once(page, 'Quota')
    assert pods(core, namespace, 'many') == []
    quota()
    page.goto(hub.url + '/hub/spawn')
    works(page, 'many')


@pytest.mark.parametrize('width', [320, PHONE['viewport']['width']])
def test_a_long_word_of_the_operators_fits_on_a_phone(hub, visit, width):
    page = visit(hub.url, 'narrow-%d' % width, **dict(PHONE, viewport={'width': width, 'height': 667}))
    page.get_by_role('radio', name=LONG).check()
    assert page.evaluate('document.documentElement.scrollWidth') <= width
    for label in page.locator('.kubespawner-profile label').all():
        assert label.evaluate('label => label.scrollWidth <= label.clientWidth')
