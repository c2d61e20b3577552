"""stop: the pod is gone when it returns, and it returns."""
import pytest
from tornado import gen
from tornado.ioloop import IOLoop

from kubespawner.spawner import SpawnError

from .conftest import UNTOUCHED

pytestmark = pytest.mark.usefixtures('node')


@pytest.mark.parametrize('now', [False, True])
@pytest.mark.gen_test
def test_the_pod_is_gone_when_stop_returns(new_spawner, objects, now):
    spawner = new_spawner('ann')
    yield spawner.start()
    yield spawner.stop(now)
    assert objects.pod(spawner.pod_name) is None
    assert (yield spawner.poll()) == 1


@pytest.mark.gen_test
def test_stopping_what_is_gone_already_is_fine(new_spawner):
    spawner = new_spawner('ann')
    yield spawner.stop()
    yield spawner.start()
    yield [spawner.stop(), spawner.stop()]
    yield spawner.stop()


@pytest.mark.gen_test
def test_the_claim_outlives_the_pod(new_spawner, objects):
    spawner = new_spawner('ann', user_storage_pvc_ensure=True, user_storage_capacity='1Gi')
    yield spawner.start()
    yield spawner.stop()
    assert objects.claim(spawner.pvc_name) is not None


@pytest.mark.gen_test
def test_other_users_and_other_servers_are_not_touched(new_spawner, objects):
    spawners = [new_spawner('a'), new_spawner('a', '40b'), new_spawner('a@b')]
    yield [spawner.start() for spawner in spawners]
    yield spawners[0].stop(now=True)
    assert {pod['metadata']['name'] for pod in objects.pods()} == {'jupyter-a--40b', 'jupyter-a-40b'}
    yield [spawner.stop(now=True) for spawner in spawners]


@pytest.mark.gen_test
def test_stop_ends_at_its_deadline_and_says_what_it_waited_for(new_spawner, objects, core, namespace):
    def keep(spawner, pod):
        pod.metadata.finalizers = ['example.org/keep']
        return pod

    spawner = new_spawner('ann', modify_pod_hook=keep, **UNTOUCHED)
    spawner.start_timeout = 1
    with pytest.raises(SpawnError):
        yield spawner.start()
    with pytest.raises(SpawnError, match='to be gone. Last seen: .*being deleted'):
        yield gen.with_timeout(IOLoop.current().time() + 20, spawner.stop())
    core.patch_namespaced_pod(name=spawner.pod_name, namespace=namespace, body={'metadata': {'finalizers': None}},
                              _preload_content=False)
    yield objects.until(lambda: objects.pod(spawner.pod_name) is None)


@pytest.mark.gen_test
def test_a_pod_that_took_the_name_since_is_not_touched(new_spawner, objects, core, namespace):
    """The cache still has the old one when stop is called."""
    spawner = new_spawner('ann', **UNTOUCHED)
    start = spawner.start()
    yield objects.until(lambda: spawner.pod_reflector.get(spawner.pod_name))
    spawner.pod_reflector.stop()
    old = objects.pod(spawner.pod_name)
    core.delete_namespaced_pod(name=spawner.pod_name, namespace=namespace, body={}, _preload_content=False)
    core.create_namespaced_pod(namespace=namespace, _preload_content=False, body={
        'metadata': {'name': spawner.pod_name},
        'spec': {'schedulerName': 'nobody', 'containers': [{'name': 'c', 'image': 'busybox'}]}})
    spawner.pod_reflector.upsert(dict(old, metadata=dict(old['metadata'], resourceVersion=str(10 ** 12))))
    yield spawner.stop(now=True)
    assert objects.pod(spawner.pod_name) is not None
    core.delete_namespaced_pod(name=spawner.pod_name, namespace=namespace, body={}, _preload_content=False)
    with pytest.raises(SpawnError):
        yield start
