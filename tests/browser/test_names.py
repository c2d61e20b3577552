"""Users of the demo whose names are e-mail addresses, or have other characters that a URL escapes."""
from urllib.parse import unquote, urlsplit

import pytest

from .conftest import PATIENCE


def at_the_server(demo, visit, name):
    """Return the page of a user who has pressed Start, when it is one of the user's notebook server."""
    page = visit(demo.url, name, demo.password)
    page.get_by_role('button', name='Start').click()
    page.wait_for_url(lambda url: '/lab' in url, timeout=4 * PATIENCE, wait_until='commit')
    assert unquote(urlsplit(page.url).path).startswith('/user/%s/lab' % name)
    return page


@pytest.mark.parametrize('name', ['bob@example.org', 'j\xfcrgen m', 'a+b'])
def test_a_user_of_any_name_gets_to_the_notebook_server(demo, visit, name):
    at_the_server(demo, visit, name)


def test_jupyterlab_opens_for_a_name_that_a_url_escapes_twice(demo, visit):
    at_the_server(demo, visit, "50%25 o'neil").locator('#jp-main-dock-panel').wait_for(timeout=4 * PATIENCE)


def test_a_link_is_for_a_user_of_any_name(demo, visit):
    page = visit(demo.url, 'ann', demo.password)
    page.goto(demo.link('bob@example.org'))
    page.goto(demo.url + '/hub/home')
    assert page.get_by_text('bob@example.org').count()


def test_the_administrator_sees_all_users(demo, visit):
    page = visit(demo.url, 'admin', demo.password)
    page.goto(demo.url + '/hub/admin')
    page.get_by_text('admin', exact=True).first.wait_for()
    assert page.goto(demo.url + '/hub/admin').status == 200
    assert visit(demo.url, 'eve', demo.password).goto(demo.url + '/hub/admin').status == 403


def test_the_terminal_tells_of_a_start(demo, visit):
    at_the_server(demo, visit, 'tell')
    told = [line for line in demo.printed if line.startswith('tell')]
    assert told[0] == 'tell has logged in.\n' and told[1].startswith("tell's server is ready after ")
