"""A pod that does not get to run: told at once when that is for good, after a grace when it may heal."""
import itertools

import pytest
from tornado import gen
from tornado.ioloop import IOLoop

from kubespawner.spawner import SpawnError
from tests.cluster.conftest import UNTOUCHED

AT_ONCE = 20  # seconds, of 60 that a start may take
LAST_SECOND = 5  # of the six that a start is given where it has to come to its end


def container(kind='containerStatuses', **state):
    return {kind: [{'name': 'notebook', 'image': 'busybox', 'imageID': '', 'ready': False, 'restartCount': 0,
                    'state': state}]}


def waiting(reason, kind='containerStatuses', message='in words of %s'):
    return container(kind, waiting={'reason': reason, 'message': message.replace('%s', reason)})


def ended(reason, code=1):
    return container(terminated={'reason': reason, 'exitCode': code})


RUNNING = {'phase': 'Running', 'podIP': '127.0.0.1', 'containerStatuses': [
    dict(container(running={})['containerStatuses'][0], ready=True)]}
UNSCHEDULABLE = {'conditions': [{'type': 'PodScheduled', 'status': 'False', 'reason': 'Unschedulable',
                                 'message': '0/3 nodes are available: 3 Insufficient cpu.'}]}

FOR_GOOD = [
    (waiting('InvalidImageName'), ['container notebook', 'InvalidImageName', 'in words of']),
    (waiting('ErrImageNeverPull'), ['ErrImageNeverPull', 'in words of']),
    (dict(phase='Failed', reason='Evicted', message='The node was low on memory.'), ['Evicted', 'low on memory']),
    (dict(ended('OOMKilled', 137), phase='Failed'), ['container notebook', 'OOMKilled', '137']),
    (dict(ended('Completed', 0), phase='Running'), ['container notebook', 'Completed', 'exit code 0']),
    (dict(phase='Failed', reason='NodeLost', message='Node n1 is unresponsive'), ['NodeLost', 'n1 is unresponsive']),
]

MAY_HEAL = [
    (waiting('ErrImagePull'), ['container notebook', 'ErrImagePull', 'in words of']),
    (waiting('ImagePullBackOff'), ['ImagePullBackOff', 'in words of']),
    (waiting('CreateContainerConfigError'), ['CreateContainerConfigError', 'in words of']),
    (waiting('CrashLoopBackOff'), ['CrashLoopBackOff', 'in words of']),
    (waiting('CrashLoopBackOff', 'initContainerStatuses'), ['CrashLoopBackOff', 'in words of']),
    (dict(ended('OOMKilled', 137), phase='Running'), ['OOMKilled', '137']),
    (UNSCHEDULABLE, ['Unschedulable', '3 Insufficient cpu']),
]


@pytest.fixture
def starting(new_spawner, objects):
    """`spawner, start = yield starting(**traits)`: a start whose pod waits for the test to say what becomes of it."""
    @gen.coroutine
    def starting(**traits):
        spawner = new_spawner('ann', **dict(traits, **UNTOUCHED))
        start = spawner.start()
        yield objects.until(lambda: objects.pod(spawner.pod_name))
        return spawner, start

    return starting


@gen.coroutine
def told(spawner, start):
    """Return what a start that fails says, within AT_ONCE; its pod is gone afterwards."""
    with pytest.raises(SpawnError) as e:
        yield gen.with_timeout(IOLoop.current().time() + AT_ONCE, start)
    yield spawner.stop(now=True)
    return e.value.jupyterhub_message


@pytest.mark.parametrize('status, words', FOR_GOOD)
@pytest.mark.gen_test
def test_what_cannot_heal_is_told_at_once_whatever_the_grace(starting, objects, status, words):
    spawner, start = yield starting(start_failure_grace=1000)
    objects.set_status(spawner.pod_name, **status)
    message = yield told(spawner, start)
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize('status, words', MAY_HEAL)
@pytest.mark.gen_test
def test_what_may_heal_is_told_at_once_without_a_grace(starting, objects, status, words):
    spawner, start = yield starting(start_failure_grace=0)
    objects.set_status(spawner.pod_name, **status)
    message = yield told(spawner, start)
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize('status, words', MAY_HEAL)
@pytest.mark.gen_test
def test_what_may_heal_is_told_after_its_grace_though_nothing_changes_any_more(starting, objects, status, words):
    spawner, start = yield starting(start_failure_grace=1)
    before = IOLoop.current().time()
    objects.set_status(spawner.pod_name, **status)
    message = yield told(spawner, start)
    assert IOLoop.current().time() - before >= 1
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize('status, words', MAY_HEAL)
@pytest.mark.gen_test
def test_what_heals_within_its_grace_is_not_failed(starting, objects, caplog, status, words):
    spawner, start = yield starting()
    objects.set_status(spawner.pod_name, **status)
    yield objects.until(lambda: 'This may heal' in caplog.text)
    objects.set_status(spawner.pod_name, **dict({'initContainerStatuses': []}, **RUNNING))
    assert (yield start) == ('127.0.0.1', 8888)
    yield spawner.stop(now=True)


PRINTED = 'user exceeded quota on /home; see log: OOMKilled worker 3; Evicted; Unschedulable; Multi-Attach error'

HINTED = [
    (container(terminated={'reason': 'Error', 'exitCode': 1, 'message': PRINTED}), 'Your server exited before'),
    (container(waiting={'reason': 'CreateContainerError', 'message': PRINTED}),
     'The container of your server cannot be created'),
    (container(waiting={'reason': 'ImagePullBackOff', 'message': PRINTED}), 'The image of your server'),
    (container(terminated={'reason': 'OOMKilled', 'exitCode': 137}), 'Your server used more memory'),
    (dict(containerStatuses=[dict(
        container(waiting={'reason': 'CrashLoopBackOff', 'message': 'back-off'})['containerStatuses'][0],
        lastState={'terminated': {'reason': 'OOMKilled', 'exitCode': 137}})]), 'Your server used more memory'),
    (dict(containerStatuses=[dict(
        container(waiting={'reason': 'CrashLoopBackOff', 'message': 'back-off'})['containerStatuses'][0],
        lastState={'terminated': {'reason': 'Error', 'exitCode': 1, 'message': PRINTED}})]),
     'Your server exited before'),
    (UNSCHEDULABLE, 'No node has enough free resources'),
]


@pytest.mark.parametrize('status, hint', HINTED)
@pytest.mark.gen_test
def test_the_hint_is_about_what_failed_whatever_a_container_prints(starting, objects, status, hint):
    spawner, start = yield starting(start_failure_grace=0)
    objects.set_status(spawner.pod_name, **status)
    assert (yield told(spawner, start)).startswith(hint)


@pytest.mark.gen_test
def test_one_failure_under_two_names_has_one_grace(starting, objects):
    spawner, start = yield starting(start_failure_grace=1)
    began = IOLoop.current().time()
    names = itertools.cycle(['ErrImagePull', 'ImagePullBackOff'])
    while not start.done():  # with a grace for each name, this would be so for the minute that a start has
        objects.set_status(spawner.pod_name, **waiting(next(names)))
        yield gen.sleep(0.3)
    assert 'image' in (yield told(spawner, start)).lower()
    assert IOLoop.current().time() - began < 40


@pytest.mark.gen_test
def test_why_an_image_could_not_be_pulled_is_told_after_its_node_pauses(starting, objects, caplog):
    spawner, start = yield starting(start_failure_grace=5)  # in which both have to be seen
    objects.set_status(spawner.pod_name, **waiting('ErrImagePull', message='manifest for <it> not found'))
    yield objects.until(lambda: 'This may heal' in caplog.text)
    objects.set_status(spawner.pod_name, **waiting('ImagePullBackOff', message='Back-off'))
    message = yield told(spawner, start)
    assert 'ImagePullBackOff. Back-off' in message and 'manifest for <it> not found' in message


@pytest.mark.gen_test
def test_a_container_that_crashed_and_runs_again_is_given_its_time(starting, objects, caplog):
    spawner, start = yield starting(start_failure_grace=4)
    objects.set_status(spawner.pod_name, **waiting('CrashLoopBackOff'))
    yield objects.until(lambda: 'This may heal' in caplog.text)
    objects.set_status(spawner.pod_name, **container(running={}))
    yield objects.until(lambda: 'running' in spawner.pod_reflector.get(
        spawner.pod_name)['status']['containerStatuses'][0]['state'])
    yield gen.sleep(4.1)  # the grace is over
    assert not start.done()
    objects.set_status(spawner.pod_name, **RUNNING)
    assert (yield start) == ('127.0.0.1', 8888)
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_pod_without_room_waits_as_long_as_the_start_may_take_unless_configured(starting, objects):
    spawner, start = yield starting()
    spawner.start_timeout = 6
    yield spawner.stop(now=True)
    with pytest.raises(SpawnError):
        yield start
    began, start = IOLoop.current().time(), spawner.start()
    yield objects.until(lambda: objects.pod(spawner.pod_name))
    objects.set_status(spawner.pod_name, **UNSCHEDULABLE)
    message = yield told(spawner, start)
    assert IOLoop.current().time() - began > LAST_SECOND
    assert '3 Insufficient cpu' in message and message.startswith('No node has enough free resources')


@pytest.mark.gen_test
def test_a_pod_that_somebody_deletes_is_told_at_once(starting, core, namespace):
    spawner, start = yield starting()
    core.delete_namespaced_pod(name=spawner.pod_name, namespace=namespace, body={}, _preload_content=False)
    assert 'deleted' in (yield told(spawner, start))
