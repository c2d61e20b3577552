"""The progress of a start as a real hub's API streams it."""
import json
import threading

import jupyterhub
import pytest

from .browser import Browser

pytestmark = pytest.mark.skipif(jupyterhub.version_info < (0, 9), reason='this hub knows no progress')

# Starts that begin when there is time to listen, on a hub that lets its users wait for them.
WAITING = """
import asyncio


async def wait(spawner, pod):
    await asyncio.sleep(3)
    return pod


c.KubeSpawner.modify_pod_hook = wait
c.JupyterHub.tornado_settings = {'slow_spawn_timeout': 0}
"""


@pytest.fixture(scope='module')
def more(request):
    """Images take a moment, so that events of a pod are there before it runs."""
    on_localkube = "c.KubeSpawner.singleuser_image_spec = 'localkube/slow:0.5'\n"
    return WAITING + ('' if request.config.getoption('--pod-gateway') else on_localkube)


class Listener(threading.Thread):
    """Reads the progress of a user's server as a page does; `told` is all of it when the thread has ended."""

    def __init__(self, user):
        super().__init__(daemon=True)
        self.user, self.told = user, []
        self.start()

    def run(self):
        url = '%s/hub/api/users/%s/server/progress' % (self.user.url, self.user.username)
        headers = {'Referer': self.user.url + '/hub/home'}
        with self.user.session.get(url, stream=True, timeout=60, headers=headers) as answer:
            answer.raise_for_status()
            for line in answer.iter_lines():
                if line.startswith(b'data: '):
                    self.told.append(json.loads(line[len(b'data: '):].decode('utf8')))


def test_two_listeners_are_told_the_same_story_until_the_server_is_there(hub):
    user = Browser(hub.url, 'ann').log_in()
    user.begin()
    listeners = [Listener(user), Listener(user)]
    for listener in listeners:
        listener.join(90)
    first, second = [listener.told for listener in listeners]
    assert first == second
    percents = [entry['progress'] for entry in first]
    assert percents == sorted(percents) and percents[-1] == 100 and first[-1]['ready']
    reasons = [entry['raw_event']['reason'] for entry in first if 'raw_event' in entry]
    assert 'Scheduled' in reasons and 'Started' in reasons
    user.wait_for()
    user.stop()


@pytest.mark.skipif(jupyterhub.version_info < (5, 5), reason='this hub does not stop a server that starts')
def test_a_start_that_is_stopped_before_there_is_a_pod_makes_none_and_is_no_error(hub):
    user = Browser(hub.url, 'bob').log_in()
    user.begin()
    user.stop()
    user.start()  # by when the start before has come to its end
    assert 'in the way' not in hub.logged()
    assert 'Traceback' not in hub.logged()
    user.stop()
