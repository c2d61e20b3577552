"""poll: None while a server lives or nobody knows, its exit code when it has ended."""
import pytest

from kubespawner import KubeSpawner
from kubespawner.spawner import SpawnError

from .conftest import UNTOUCHED, make_spawner

pytestmark = pytest.mark.usefixtures('node')


def notebook(**state):
    return [{'name': 'notebook', 'image': 'busybox', 'imageID': '', 'ready': False, 'restartCount': 0, 'state': state}]


def ended(code):
    return notebook(terminated={'exitCode': code})


@pytest.mark.gen_test
def test_without_a_pod_poll_is_1(new_spawner):
    assert (yield new_spawner('nobody').poll()) == 1


@pytest.mark.gen_test
def test_a_running_server_is_none(new_spawner):
    spawner = new_spawner('ann')
    yield spawner.start()
    assert (yield spawner.poll()) is None
    yield spawner.stop(now=True)


def has_arrived(status, pod):
    """True if the pod in the cache has the status that a test gave it."""
    return pod is not None and all(pod['status'].get(key) for key in status) and pod.status.phase == status['phase']


@pytest.mark.parametrize('status, expected', [
    ({'phase': 'Pending'}, None),
    ({'phase': 'Running', 'containerStatuses': notebook(running={})}, None),
    ({'phase': 'Pending', 'containerStatuses': notebook(waiting={'reason': 'ContainerCreating'})}, None),
    ({'phase': 'Running', 'containerStatuses': notebook(waiting={'reason': 'CrashLoopBackOff'})}, None),
    ({'phase': 'Succeeded', 'containerStatuses': ended(0)}, 0),
    ({'phase': 'Running', 'containerStatuses': ended(0)}, 0),
    ({'phase': 'Failed', 'containerStatuses': ended(3)}, 3),
    ({'phase': 'Running', 'containerStatuses': ended(3)}, None),  # its node starts it again
    ({'phase': 'Failed', 'reason': 'Evicted'}, 1),
])
@pytest.mark.gen_test
def test_the_notebook_containers_state_decides(new_spawner, objects, status, expected):
    spawner = new_spawner('ann', **UNTOUCHED)
    start = spawner.start()
    yield objects.until(lambda: objects.pod(spawner.pod_name))
    objects.set_status(spawner.pod_name, **status)
    yield objects.until(lambda: has_arrived(status, spawner.pod_reflector.get(spawner.pod_name)))
    assert (yield spawner.poll()) == expected
    # What has ended has been deleted, everything else is still there.
    assert (objects.pod(spawner.pod_name) is None) == (expected is not None)
    yield spawner.stop(now=True)
    with pytest.raises(SpawnError):
        yield start


@pytest.mark.gen_test
def test_a_pod_that_ended_is_kept_when_asked_to(new_spawner, objects):
    spawner = new_spawner('ann', delete_stopped_pods=False, **UNTOUCHED)
    start = spawner.start()
    yield objects.until(lambda: objects.pod(spawner.pod_name))
    objects.set_status(spawner.pod_name, phase='Failed', containerStatuses=ended(5))
    with pytest.raises(SpawnError):
        yield start
    assert (yield spawner.poll()) == 5
    assert (yield spawner.poll()) == 5
    assert objects.pod(spawner.pod_name) is not None
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_poll_waits_for_the_first_list(new_spawner, namespace):
    running = new_spawner('ann')
    yield running.start()

    class Restarted(KubeSpawner):
        pod_reflector = None

    again = make_spawner(Restarted, 'ann', namespace=namespace)
    polls = yield [again.poll() for _ in range(100)]
    assert polls == [None] * 100
    Restarted.pod_reflector.stop()
    yield running.stop(now=True)
