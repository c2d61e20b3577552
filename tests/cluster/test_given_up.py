"""Starts that are given up: the hub cancels them, stops the server, or clears its state; they go on until they see."""
import logging

import pytest
import tornado
from tornado import gen
from tornado.concurrent import Future
from tornado.web import HTTPError

from kubespawner.messages.progress_log import STEPS

from .conftest import UNTOUCHED
from .test_progress import CLAIM, Listener

can_cancel = pytest.mark.skipif(tornado.version_info < (5,), reason='starts cannot be cancelled')
AGAIN = {'Retry-After': '1'}  # long enough for the hub to give up meanwhile


@pytest.fixture
def new_waiting(new_spawner, node):
    """`spawner, release = new_waiting()`: its starts wait, before anything is created, until `release()`."""
    def new(**traits):
        released = Future()

        @gen.coroutine
        def wait(spawner, pod):
            yield released
            raise gen.Return(pod)

        return new_spawner('ann', modify_pod_hook=wait, **dict(CLAIM, **traits)), lambda: released.set_result(None)

    return new


def creates(kube):
    return [path.split('?')[0].split('/')[-1] for method, path in kube.requests() if method == 'POST']


@gen.coroutine
def end_of(start):
    """Return when a start that is given up has ended."""
    with pytest.raises(HTTPError):
        yield start


@pytest.mark.gen_test
def test_a_start_that_is_cancelled_before_its_server_is_stopped_leaves_no_pod_and_no_error_in_the_log(
        new_spawner, objects, caplog):
    spawner = new_spawner('ann', **UNTOUCHED)
    listener = Listener(spawner)
    start = spawner.start()
    yield objects.until(lambda: listener.has_heard(STEPS['pod created'][1]))
    start.add_done_callback(lambda future: future.cancelled() or future.exception())  # some cannot be cancelled
    start.cancel()
    yield spawner.stop(now=True)
    yield listener.end
    assert objects.pods() == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


PROFILES = {'profile_list': [{'display_name': 'Slow', 'slug': 'slow'}], 'user_options': {'profile': 'slow'}}
SLOW = 'localkube/slow:60'


def last_start(spawner):
    """Return what the state of a server keeps of its last starts; nothing: the form tells of no failure."""
    return spawner.get_state().get('last_start', {})


@gen.coroutine
def begin_on_a_node(spawner, objects):
    """Return (future of a start, its listener) once the start has been told that its pod is on a node."""
    listener, start = Listener(spawner), spawner.start()
    start.add_done_callback(lambda future: future.cancelled() or future.exception())  # some cannot be cancelled
    yield objects.until(lambda: listener.has_heard(STEPS['scheduled'][1]))
    raise gen.Return((start, listener))


@pytest.mark.parametrize('now', [False, True])
@pytest.mark.parametrize('is_cancelled', [False, True])
@pytest.mark.gen_test
def test_a_server_that_is_stopped_while_it_starts_has_not_failed(kube, new_spawner, objects, is_cancelled, now):
    spawner = new_spawner('ann', image=SLOW, delete_grace_period=5, **PROFILES)
    start, listener = yield begin_on_a_node(spawner, objects)
    if is_cancelled:
        start.cancel()
    yield spawner.stop(now=now)
    yield listener.end
    assert last_start(spawner) == {}
    assert 'Your server was stopped while it was starting.' in listener.told[-1]['message']


@pytest.mark.parametrize('grace_seconds', [0, 5])
@pytest.mark.gen_test
def test_a_pod_that_somebody_else_deletes_while_it_starts_is_told_of(kube, new_spawner, objects, grace_seconds):
    spawner = new_spawner('ann', image=SLOW, **PROFILES)
    start, _ = yield begin_on_a_node(spawner, objects)
    objects.core.delete_namespaced_pod(name=spawner.pod_name, namespace=spawner.namespace, body={
        'gracePeriodSeconds': grace_seconds}, _preload_content=False)
    yield end_of(start)
    assert last_start(spawner)['failure']
    yield spawner.stop(now=True)
    assert last_start(spawner)['failure']


@pytest.mark.gen_test
def test_a_request_that_fails_while_the_server_is_being_stopped_is_no_failure(kube, new_spawner, objects):
    spawner = new_spawner('ann', **dict(CLAIM, **PROFILES))
    kube.fail(method='POST', status=503, headers=AGAIN)
    start = spawner.start()
    yield objects.until(lambda: creates(kube))
    yield spawner.stop()
    yield end_of(start)
    assert last_start(spawner) == {}


@can_cancel
@pytest.mark.gen_test
def test_a_start_that_is_cancelled_before_there_is_a_pod_creates_nothing(kube, new_waiting):
    spawner, release = new_waiting()
    start = spawner.start()
    listener = Listener(spawner)
    start.cancel()
    yield gen.moment
    release()
    yield listener.end
    assert creates(kube) == []


@pytest.mark.gen_test
def test_a_start_goes_no_further_when_the_state_is_cleared_as_after_a_stop_that_found_no_pod(kube, new_waiting):
    spawner, release = new_waiting()
    start = spawner.start()
    spawner.clear_state()
    release()
    yield end_of(start)
    assert creates(kube) == []


@pytest.mark.gen_test
def test_what_could_not_be_created_is_not_tried_again(kube, new_spawner, objects):
    spawner = new_spawner('ann', **CLAIM)
    kube.fail(method='POST', status=503, headers=AGAIN)
    start = spawner.start()
    yield objects.until(lambda: creates(kube))
    spawner.clear_state()
    yield end_of(start)
    assert creates(kube) == ['persistentvolumeclaims']
    assert objects.claim(spawner.pvc_name) is None


@pytest.mark.gen_test
def test_the_pod_of_the_next_start_is_left_alone(kube, new_spawner, node, objects):
    before, spawner = new_spawner('ann'), new_spawner('ann')
    kube.delay(method='POST', path='/pods$', seconds=1)
    start = before.start()
    yield objects.until(lambda: creates(kube))
    before.clear_state()
    yield spawner.start()
    uid = objects.pod(spawner.pod_name)['metadata']['uid']
    yield end_of(start)
    assert objects.pod(spawner.pod_name)['metadata']['uid'] == uid
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_the_next_server_keeps_its_name(kube, new_spawner, node, objects):
    spawner = new_spawner('ann', pod_name_template='one-{username}', **CLAIM)
    kube.delay(method='POST', path='/persistentvolumeclaims$', seconds=1)
    start = spawner.start()
    yield objects.until(lambda: creates(kube))
    spawner.pod_name_template = 'two-{username}'
    spawner.clear_state()
    yield spawner.start()
    yield end_of(start)
    assert spawner.pod_name == 'two-ann'
    assert (yield spawner.poll()) is None
    yield spawner.stop(now=True)
