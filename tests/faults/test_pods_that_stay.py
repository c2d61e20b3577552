"""A pod that does not go away: stop ends at its deadline, says what it waited for, and may use force."""
import pytest
from kubernetes import client
from tornado import gen
from tornado.ioloop import IOLoop

from kubespawner.spawner import SpawnError
from tests.cluster.conftest import UNTOUCHED


def keep(spawner, pod):
    pod.metadata.finalizers = ['example.org/keep']
    return pod


@pytest.fixture
def let_go(core, namespace):
    """`let_go(name)` takes the finalizers off a pod."""
    def let_go(name):
        core.patch_namespaced_pod(name=name, namespace=namespace, body={'metadata': {'finalizers': None}},
                                  _preload_content=False)

    return let_go


@pytest.fixture
def on_a_lost_node(new_spawner, objects):
    """`spawner = yield on_a_lost_node(**traits)`: its server runs on a node that no longer says anything."""
    @gen.coroutine
    def on_a_lost_node(**traits):
        spawner = new_spawner('ann', singleuser_extra_pod_config={'nodeName': 'lost'}, **traits)
        start = spawner.start()
        yield objects.until(lambda: objects.pod(spawner.pod_name))
        objects.set_status(spawner.pod_name, phase='Running', podIP='127.0.0.1', containerStatuses=[
            {'name': 'notebook', 'image': 'busybox', 'imageID': '', 'ready': True, 'restartCount': 0,
             'state': {'running': {}}}])
        yield start
        return spawner

    return on_a_lost_node


@pytest.fixture(scope='module', autouse=True)
def lost_node(core):
    """The node's own object; pods on nodes that do not exist are collected as garbage."""
    core.create_node(body={'metadata': {'name': 'lost'}}, _preload_content=False)
    yield
    core.delete_node(name='lost', body=client.V1DeleteOptions(), _preload_content=False)


@pytest.mark.gen_test
def test_a_finalizer_that_never_ends_is_named(new_spawner, objects, let_go):
    spawner = new_spawner('ann', modify_pod_hook=keep, force_delete_after=0.5, **UNTOUCHED)
    start = spawner.start()
    yield objects.until(lambda: objects.pod(spawner.pod_name))
    spawner.start_timeout = 2
    with pytest.raises(SpawnError, match="to be gone. Last seen: .*finalizers .*example.org/keep"):
        yield gen.with_timeout(IOLoop.current().time() + 20, spawner.stop())
    with pytest.raises(SpawnError):
        yield start
    let_go(spawner.pod_name)
    yield spawner.stop()


@pytest.mark.gen_test
def test_without_force_a_stop_ends_at_its_deadline(on_a_lost_node, objects):
    spawner = yield on_a_lost_node()
    spawner.start_timeout = 1
    with pytest.raises(SpawnError, match='Waited . s for pod jupyter-ann to be gone. Last seen: .*being deleted'):
        yield gen.with_timeout(IOLoop.current().time() + 20, spawner.stop())
    assert objects.pod(spawner.pod_name)
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_force_is_used_after_its_time_and_said_so(on_a_lost_node, objects, caplog):
    spawner = yield on_a_lost_node(force_delete_after=1)
    began = IOLoop.current().time()
    yield spawner.stop()
    assert IOLoop.current().time() - began >= 1
    assert objects.pod(spawner.pod_name) is None
    assert 'Deleting it by force' in caplog.text


@pytest.mark.gen_test
def test_a_start_uses_no_force_on_what_is_in_its_way_unless_told_to(on_a_lost_node, objects):
    spawner = yield on_a_lost_node()
    spawner.start_timeout = 2
    old = objects.pod(spawner.pod_name)['metadata']['uid']
    with pytest.raises(SpawnError, match='to be gone'):
        yield spawner.start()
    assert objects.pod(spawner.pod_name)['metadata']['uid'] == old
    spawner.start_timeout, spawner.force_delete_after = 60, 0
    start = spawner.start()
    yield objects.until(lambda: (objects.pod(spawner.pod_name) or {'metadata': {'uid': old}})['metadata']['uid'] != old)
    yield spawner.stop(now=True)
    with pytest.raises(SpawnError):
        yield start
