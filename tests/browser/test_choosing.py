"""The form of the profiles, as users with a phone, a keyboard, a screen reader or without JavaScript have it."""
import pytest

from .conftest import PHONE

AXE = pytest.importorskip('axe_playwright_python.sync_playwright')
PLAYWRIGHT = pytest.importorskip('playwright.sync_api')

TOUCH = 44  # pixels that a finger needs
NOT_ZOOMED = 16  # pixels of a field's text, below which phones zoom in

OWN = 'Your own greeting'
HINT = 'Use 1 to 40 letters from A to Z and spaces, and begin with a letter.'
NAMES = {'plain': 'Plain', 'options': 'With options', 'broken': 'Broken'}


def choose(page, profile):
    page.get_by_role('radio', name=NAMES[profile]).check()


def start(page):
    page.get_by_role('button', name='Start').click()


def has_arrived(page, username):
    page.wait_for_url('**/user/%s/**' % username)
    return True


def stop(page):
    """Click on JupyterHub's button, again if need be: it does nothing before the scripts of its page have run."""
    for attempt in range(30):
        try:
            with page.expect_request(lambda request: request.method == 'DELETE', timeout=2000):
                page.get_by_role('button', name='Stop My Server').click()
            break
        except PLAYWRIGHT.TimeoutError:
            assert attempt < 29
    page.get_by_role('button', name='Start My Server').wait_for()


def environment(pod):
    """Return the variables of a pod's container that have a value, as a dict."""
    return {entry['name']: entry.get('value') for entry in pod['spec']['containers'][0]['env']}


@pytest.mark.parametrize('width', [320, PHONE['viewport']['width'], 1000])
def test_everything_fits_and_can_be_touched(demo, visit, width):
    page = visit(demo.url, 'phone-%d' % width, demo.password, **dict(PHONE, viewport={'width': width, 'height': 667}))
    choose(page, 'options')
    page.get_by_label('Greeting (env').select_option('Other…')
    assert page.evaluate('document.documentElement.scrollWidth') <= width
    fields = page.locator('#spawn_form').locator('select, input[type=text], label:has(input)').all()
    assert len(fields) == 6
    for field in fields:
        box = field.bounding_box()
        assert box['height'] >= TOUCH and box['x'] >= 0 and box['x'] + box['width'] <= width
        assert float(field.evaluate('field => getComputedStyle(field).fontSize').rstrip('px')) >= NOT_ZOOMED


def test_a_click_anywhere_on_its_card_selects_a_profile(demo, visit):
    page = visit(demo.url, 'mouse', demo.password)
    for profile in ('broken', 'options', 'plain'):
        radio = page.get_by_role('radio', name=NAMES[profile])
        card = page.locator('.kubespawner-profile').filter(has=radio)
        box = card.bounding_box()
        page.mouse.click(box['x'] + box['width'] - 6, box['y'] + box['height'] - 6)
        assert radio.is_checked()
    choose(page, 'options')
    page.get_by_label('Memory').select_option('large')  # which is not covered by the card
    page.get_by_label('Memory').click()
    assert page.get_by_label('Memory').input_value() == 'large'


def test_what_does_not_count_is_not_shown(demo, visit, screenshot):
    page = visit(demo.url, 'ann', demo.password, viewport={'width': 800, 'height': 940})
    memory, own = page.get_by_label('Memory'), page.get_by_label(OWN)
    assert not memory.is_visible()
    choose(page, 'options')
    assert memory.is_visible() and not own.is_visible()
    page.get_by_label('Greeting (env').select_option('Other…')
    assert own.is_visible()
    screenshot(page, 'form')
    choose(page, 'plain')
    assert not memory.is_visible() and not own.is_visible()


def test_a_keyboard_is_enough_and_the_choice_is_selected_the_next_time(demo, visit):
    page = visit(demo.url, 'keys', demo.password)
    page.keyboard.press('Tab')
    while page.evaluate('document.activeElement.name') != 'profile':
        page.keyboard.press('Tab')
    page.keyboard.press('ArrowDown')  # from the first profile to the second
    page.keyboard.press('Tab')
    page.keyboard.press('ArrowDown')  # memory: the second choice
    page.keyboard.press('Tab')
    page.keyboard.type('Other')
    page.keyboard.press('Tab')
    page.keyboard.type('Good morning')
    page.keyboard.press('Enter')
    assert has_arrived(page, 'keys')
    pod = demo.pod('keys')
    assert environment(pod)['GREETING'] == 'Good morning' and environment(pod)['PROFILE'] == 'with options'
    assert pod['spec']['containers'][0]['resources']['limits']['memory'] == str(2 * 2 ** 30)

    page.goto(demo.url + '/hub/home')
    stop(page)
    page.goto(demo.url + '/hub/spawn')
    assert page.get_by_role('radio', name=NAMES['options']).is_checked()
    assert page.get_by_label('Memory').input_value() == 'large'
    assert page.get_by_label(OWN).input_value() == 'Good morning'


@pytest.mark.parametrize('theme', ['light', 'dark'])
def test_a_screen_reader_is_told_everything(demo, visit, theme):
    page = visit(demo.url, 'ears-' + theme, demo.password)
    page.evaluate('theme => document.documentElement.setAttribute("data-bs-theme", theme)', theme)
    choose(page, 'options')
    page.get_by_label('Greeting (env').select_option('Other…')
    found = AXE.Axe().run(page, context='.kubespawner-profiles')  # the rest of the page is JupyterHub's
    assert found.violations_count == 0, found.generate_report()
    group = page.get_by_role('group', name='Choose a server')
    plain = group.get_by_role('radio', name='Plain')
    assert described(page, plain) == 'A notebook server with the default settings.'
    options = group.get_by_role('group', name='Options of With options')
    assert options.get_by_role('combobox').count() == 2
    assert HINT in described(page, options.get_by_role('textbox', name=OWN))


def described(page, field):
    """Return the text of what describes a field."""
    return page.locator('#' + field.get_attribute('aria-describedby')).inner_text().strip()


def test_it_works_without_javascript(demo, visit):
    page = visit(demo.url, 'noscript', demo.password, java_script_enabled=False)
    choose(page, 'options')
    page.get_by_label('Greeting (env').select_option('Hello')
    start(page)
    page.wait_for_url('**/noscript*')
    assert environment(demo.pod('noscript'))['GREETING'] == 'Hello'


def test_what_cannot_be_had_is_told_in_a_sentence_and_can_be_mended(demo, visit):
    page = visit(demo.url, 'typo', demo.password)
    choose(page, 'options')
    page.get_by_label('Greeting (env').select_option('Other…')
    page.get_by_label(OWN).fill('<b>7</b>')
    start(page)
    told = page.locator('.spawn-error-msg')
    assert '"Your own greeting" cannot be "<b>7</b>". ' + HINT in told.inner_text()
    assert page.get_by_role('alert').count() == 0  # it is told once
    assert demo.pod('typo') is None
    assert page.get_by_label(OWN).input_value() == '<b>7</b>'
    page.get_by_label(OWN).fill('Seven')
    start(page)
    assert has_arrived(page, 'typo')
    assert environment(demo.pod('typo'))['GREETING'] == 'Seven'


def test_a_choice_that_is_sent_but_not_offered_starts_nothing(demo, visit):
    page = visit(demo.url, 'cheat', demo.password)
    choose(page, 'options')
    page.get_by_label('Memory').evaluate('field => { field.options[0].value = "endless" }')
    start(page)
    assert '"Memory" of the profile "With options" cannot be "endless".' in (
        page.locator('.spawn-error-msg').inner_text())
    assert demo.pod('cheat') is None


def test_the_printed_link_lets_its_user_in_and_its_token_does_not_stay_in_the_address(demo, chromium):
    context = chromium.new_context()
    try:
        page = context.new_page()
        sent = []
        page.on('request', lambda request: sent.append((request.url, request.headers.get('referer', ''))))
        page.goto(demo.link('link'))
        page.get_by_role('radio', name='Plain').wait_for()
        assert demo.token not in page.url
        assert [url for url, referer in sent if demo.token in url + referer] == [demo.link('link')]
    finally:
        context.close()
