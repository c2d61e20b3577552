"""Servers that end after their start, or never answer: their users are told why, and not late."""
import time

import jupyterhub
import pytest

from .browser import Browser, until

HTTP_TIMEOUT = 60  # seconds that JupyterHub waits for a server's answer
LATE = 4  # the same, for a user whose server is given more time to heal than that


@pytest.fixture(scope='module')
def more():
    return '''
def limit(spawner):
    soon, silent = spawner.user.name == 'soon', spawner.user.name == 'silent'
    spawner.start_failure_grace = 1 if soon else 1000
    spawner.http_timeout = %d if soon else %d
    spawner.cmd = ['sh', '-c', 'sleep 1000' if silent else 'sleep 1; exit 3']


c.KubeSpawner.pre_spawn_hook = limit
''' % (HTTP_TIMEOUT, LATE)


def pages(user):
    """Yield what the user sees, again and again; the server is started once. Old hubs do that at the login."""
    yield user.send_login().text
    user.session.get(user.url + '/hub/home', timeout=90)
    if jupyterhub.version_info >= (0, 9):
        yield user.session.get(user.url + '/hub/spawn', timeout=90).text
    path = '/hub/spawn-pending/' + user.username if jupyterhub.version_info >= (1, 0) else '/hub/spawn'
    while True:
        yield user.session.get(user.url + path, timeout=90).text


@pytest.mark.parametrize('username', ['soon', 'late'])
def test_a_server_that_ends_before_it_answers_is_told_with_its_exit_code(hub, username):
    begin, seen = time.monotonic(), pages(Browser(hub.url, username))
    until(lambda: 'exit code 3' in next(seen), HTTP_TIMEOUT, 'the reason')
    assert time.monotonic() - begin < HTTP_TIMEOUT - 5


def test_of_a_server_that_runs_and_never_answers_the_urls_are_told_that_it_and_the_hub_used(hub):
    seen, last = pages(Browser(hub.url, 'silent')), ''

    def is_told():
        nonlocal last
        last = next(seen)
        return 'did not answer' in last

    until(is_told, HTTP_TIMEOUT, 'the reason')
    assert 'server did not answer at http://' in last
    assert 'the hub is at http://%s:%d/hub/api' % (hub.hub_ip, hub.hub_port) in last
