"""Hubs, namespaces and subclasses side by side in one process: none sees or touches what is another's."""
import uuid

import pytest
from kubernetes import client
from tornado import gen

from kubespawner import KubeSpawner
from kubespawner.spawner import SpawnError
from tests.cluster.conftest import UNTOUCHED, Objects, make_spawner
from tests.conftest import grant_hub, wait_for_service_account

pytestmark = pytest.mark.usefixtures('node')


@pytest.fixture
def elsewhere(cluster, core):
    """The name of a second namespace."""
    name = 'kubespawner-test-' + uuid.uuid4().hex[:8]
    core.create_namespace(body={'metadata': {'name': name}}, _preload_content=False)
    if cluster.hub_kubeconfig:
        grant_hub(core, name, cluster.hub_kubeconfig)
    wait_for_service_account(core, name)
    yield name
    core.delete_namespace(name=name, body=client.V1DeleteOptions(), _preload_content=False)


@pytest.fixture
def hubs(request):
    """`hubs(n)` returns n subclasses of KubeSpawner that share nothing, as those of several hubs."""
    classes = []

    def hubs(number):
        classes.extend(type('Spawner', (KubeSpawner,), {'pod_reflector': None}) for _ in range(number))
        return classes

    yield hubs
    for cls in classes:
        if cls.pod_reflector is not None:
            cls.pod_reflector.stop()


@gen.coroutine
def begin(spawner, objects):
    """Start a server whose pod nothing runs; return the future of the start when the pod is there."""
    start = spawner.start()
    yield objects.until(lambda: objects.pod(spawner.pod_name))
    return [start]


@gen.coroutine
def end(spawner, started):
    yield spawner.stop(now=True)
    for start in started:
        with pytest.raises(SpawnError):
            yield start


@pytest.mark.gen_test
def test_one_name_in_two_namespaces_is_two_servers(core, hubs, namespace, elsewhere):
    here, there = Objects(core, namespace), Objects(core, elsewhere)
    cls, = hubs(1)
    mine, other = make_spawner(cls, namespace=namespace), make_spawner(cls, namespace=elsewhere)
    mine.singleuser_extra_pod_config = other.singleuser_extra_pod_config = UNTOUCHED['singleuser_extra_pod_config']
    started = yield begin(mine, here)
    assert (yield [mine.poll(), other.poll()]) == [None, 1]
    also_started = yield begin(other, there)
    uids = [objects.pod('jupyter-alice')['metadata']['uid'] for objects in (here, there)]
    assert len(set(uids)) == 2
    yield end(mine, started)
    assert (yield [mine.poll(), other.poll()]) == [1, None]
    assert there.pod('jupyter-alice')['metadata']['uid'] == uids[1]
    yield end(other, also_started)


@pytest.mark.gen_test
def test_a_namespace_that_a_subclass_assigns_is_the_one_that_is_watched(core, hubs, namespace, elsewhere):
    spawner = make_spawner(hubs(1)[0], namespace=namespace)
    spawner.namespace = elsewhere
    yield spawner.poll()
    assert (spawner.pod_reflector.namespace, type(spawner).pod_reflector.namespace) == (elsewhere, namespace)


@pytest.mark.gen_test
def test_two_hubs_with_names_of_their_own_share_a_namespace(hubs, objects, namespace):
    spawners = [make_spawner(cls, namespace=namespace, pod_name_template=template, **UNTOUCHED)
                for cls, template in zip(hubs(2), ['a-{username}', 'b-{username}'])]
    started = yield [begin(spawner, objects) for spawner in spawners]
    assert {pod['metadata']['name'] for pod in objects.pods()} == {'a-alice', 'b-alice'}
    yield end(spawners[0], started[0])
    assert (yield [spawner.poll() for spawner in spawners]) == [1, None]
    yield end(spawners[1], started[1])


@pytest.mark.gen_test
def test_subclasses_of_one_hub_know_each_others_servers_by_name_only(objects, namespace, hubs):
    parent, = hubs(1)
    children = [type('Child', (parent,), {}) for _ in range(2)]
    spawners = [make_spawner(cls, name, namespace=namespace, **UNTOUCHED)
                for cls, name in zip(children, ['ann', 'bob'])]
    started = yield [begin(spawner, objects) for spawner in spawners]
    yield end(spawners[0], started[0])
    assert (yield [spawner.poll() for spawner in spawners]) == [1, None]
    assert [pod['metadata']['name'] for pod in objects.pods()] == ['jupyter-bob']
    yield end(spawners[1], started[1])
