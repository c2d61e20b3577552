"""Servers that end after their start, before JupyterHub has heard from them: its users are told, and not late."""
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
    late = spawner.user.name == 'late'
    spawner.start_failure_grace = 1000 if late else 1
    spawner.http_timeout = %d if late else %d
    spawner.cmd = ['sh', '-c', 'sleep 1; exit 3']


c.KubeSpawner.pre_spawn_hook = limit
''' % (LATE, HTTP_TIMEOUT)


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
    assert time.monotonic() - begin < HTTP_TIMEOUT / 2
