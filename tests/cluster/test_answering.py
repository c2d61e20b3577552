"""From when a pod runs until JupyterHub has heard from its server: whoever waits learns what becomes of the pod."""
import logging

import pytest
import tornado
from jupyterhub import version_info
from tornado import gen
from tornado.concurrent import Future

from kubespawner.messages.errors import SpawnError

from .test_progress import Listener, new_teller  # noqa: F401 (a fixture)


class Server:
    """As much of JupyterHub's `Server` as it waits with; `answer` is what comes of that."""

    base_url, bind_url, proto, ip, port = '/user/ann/', 'http://127.0.0.1:8888/user/ann/', 'http', '127.0.0.1', 8888
    url = bind_url

    def __init__(self):
        self.answer, self.asked = Future(), []

    def wait_up(self, **arguments):
        self.asked.append(arguments)
        return self.answer


@pytest.fixture
def started(new_teller, node):  # noqa: F811
    """`spawner, waiting = yield started()`: a server that runs, and JupyterHub's waiting for its answer."""
    @gen.coroutine
    def started(**traits):
        spawner = new_teller('ann', **traits)
        type(spawner).server = Server()
        yield spawner.start()
        raise gen.Return((spawner, spawner.server.wait_up(http=True, timeout=30)))

    return started


@pytest.mark.gen_test
def test_the_answer_is_what_jupyterhub_gets(started):
    spawner, waiting = yield started()
    assert not waiting.done()
    spawner.server.answer.set_result('hello')
    assert (yield waiting) == 'hello'
    assert spawner.server.asked == [{'http': True, 'timeout': 30}]
    assert spawner.server.wait_up.__func__ is Server.wait_up  # what else JupyterHub asks is not about the start
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_server_that_runs_and_does_not_answer_is_told_with_the_urls_it_was_given(started):
    spawner, waiting = yield started(hub_connect_ip='nowhere.example.org', http_timeout=7)
    spawner.server.answer.set_exception(TimeoutError('nobody there'))
    with pytest.raises(SpawnError, match=(
            r'the hub cannot talk to it.*did not answer at .*/user/ann/ within 7 s.*http://nowhere.example.org:\d+/hub/api'
            '.*hub_connect_ip.*kubectl logs')):
        yield waiting
    yield spawner.stop(now=True)


OWN_IMAGE = [{'slug': 'x', 'profile_options': {'image': {'unlisted_choice': {
    'enabled': True, 'kubespawner_override': {'image': '{value}'}}}}}]


@pytest.mark.parametrize('error', [TimeoutError('nobody there'), UnicodeError('no host')])
@pytest.mark.gen_test
def test_what_a_user_wrote_and_does_not_answer_is_no_failure_of_the_hub(started, error):
    spawner, waiting = yield started(profile_list=OWN_IMAGE, user_options={'image--unlisted-choice': 'busybox'})
    spawner.server.answer.set_exception(error)
    with pytest.raises(SpawnError, match='no notebook server answers'):
        yield waiting
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_pod_that_fails_ends_the_waiting_with_the_reason_and_what_to_do(started, objects):
    spawner, waiting = yield started()
    objects.set_status(spawner.pod_name, phase='Failed', reason='Evicted', message='The node was low on memory.')
    with pytest.raises(SpawnError, match='Try again.*Evicted. The node was low on memory.'):
        yield waiting
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_pod_that_is_deleted_ends_the_waiting(started, objects):
    spawner, waiting = yield started()
    yield spawner.stop(now=True)
    with pytest.raises(SpawnError, match='deleted'):
        yield waiting


PROFILES = {'profile_list': [{'display_name': 'One', 'slug': 'one'}], 'user_options': {'profile': 'one'}}


@pytest.mark.parametrize('is_cancelled', [False, True])
@pytest.mark.gen_test
def test_a_server_that_is_stopped_before_it_answers_has_neither_failed_nor_worked(started, is_cancelled):
    spawner, waiting = yield started(**PROFILES)
    listener = Listener(spawner)
    if is_cancelled:
        waiting.cancel()
    yield spawner.stop(now=True)
    yield listener.end
    assert 'Your server was stopped while it was starting.' in listener.told[-1]['message']
    assert 'last_start' not in spawner.get_state()


@pytest.mark.gen_test
def test_a_pod_that_somebody_else_deletes_before_its_server_answers_is_told_of(started, objects):
    spawner, waiting = yield started(**PROFILES)
    objects.core.delete_namespaced_pod(name=spawner.pod_name, namespace=spawner.namespace, body={
        'gracePeriodSeconds': 0}, _preload_content=False)
    with pytest.raises(SpawnError):
        yield waiting
    assert spawner.get_state()['last_start']['failure']
    yield spawner.stop(now=True)


@pytest.mark.skipif(tornado.version_info < (5,), reason='waiting cannot be cancelled')
@pytest.mark.gen_test
def test_waiting_that_is_cancelled_because_the_server_is_stopped_is_no_error_in_the_log(started, caplog):
    spawner, waiting = yield started()
    listener = Listener(spawner)
    waiting.cancel()
    yield spawner.stop(now=True)
    yield listener.end
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.skipif(version_info < (0, 9), reason='this hub knows no progress')
@pytest.mark.gen_test
def test_the_story_goes_on_until_the_answer(started):
    spawner, waiting = yield started()
    listener = Listener(spawner)
    yield gen.moment
    assert not listener.end.done()
    spawner.server.answer.set_result('hello')
    yield waiting
    yield listener.end
    yield spawner.stop(now=True)


@pytest.mark.skipif(version_info < (0, 9), reason='this hub knows no progress')
@pytest.mark.gen_test
def test_the_story_ends_with_a_server_that_nobody_waited_for(new_teller, node):  # noqa: F811
    spawner = new_teller('ann')
    type(spawner).server = Server()
    yield spawner.start()
    listener = Listener(spawner)
    yield spawner.stop(now=True)
    spawner.clear_state()
    yield listener.end
