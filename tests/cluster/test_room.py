"""Servers for which there is no room: quotas of the namespace, and nodes that are full or wanted by nobody."""
import json

import pytest
from kubernetes import client

from kubespawner.spawner import SpawnError

pytestmark = pytest.mark.usefixtures('node')


@pytest.fixture
def quota(core, namespace, objects):
    """`quota(hard)` limits the test's namespace until the test has ended. It resolves when the quota holds."""
    def limit(hard):
        core.create_namespaced_resource_quota(namespace=namespace, _preload_content=False, body={
            'metadata': {'name': 'small'}, 'spec': {'hard': hard}})
        return objects.until(lambda: set(used()) == set(hard))

    def used():
        response = core.read_namespaced_resource_quota(name='small', namespace=namespace, _preload_content=False)
        return json.loads(response.data.decode('utf8')).get('status', {}).get('used', {})

    yield limit
    core.delete_namespaced_resource_quota(name='small', namespace=namespace, body=client.V1DeleteOptions(),
                                          _preload_content=False)


@pytest.fixture
def localkube(cluster):
    if not cluster.is_localkube:
        pytest.skip('a pod that no node takes waits for a scheduler, which this cluster does not have')


@pytest.mark.gen_test
def test_a_full_quota_is_what_the_user_is_told_about(new_spawner, quota):
    first, second = new_spawner('ann'), new_spawner('bob')
    yield first.start()
    yield quota({'pods': '1'})
    with pytest.raises(SpawnError) as e:
        yield second.start()
    message = e.value.jupyterhub_message
    assert message.startswith('The quota of this hub is used up.')
    assert 'exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1' in message
    yield first.stop(now=True)
    yield second.stop(now=True)


@pytest.mark.gen_test
def test_a_place_that_is_free_again_can_be_used(new_spawner, quota, objects, core, namespace):
    first, second = new_spawner('ann'), new_spawner('bob')
    yield first.start()
    yield quota({'pods': '1'})
    yield first.stop(now=True)
    yield objects.until(lambda: json.loads(core.read_namespaced_resource_quota(
        name='small', namespace=namespace, _preload_content=False).data.decode('utf8'))['status']['used'] == {
            'pods': '0'})
    yield second.start()
    yield second.stop(now=True)


@pytest.mark.gen_test
def test_storage_beyond_the_quota_ends_a_start_before_there_is_a_pod(new_spawner, quota, objects):
    yield quota({'requests.storage': '1Gi'})
    spawner = new_spawner('ann', user_storage_pvc_ensure=True, user_storage_capacity='2Gi')
    with pytest.raises(SpawnError) as e:
        yield spawner.start()
    message = e.value.jupyterhub_message
    assert message.startswith('The storage quota of this hub is used up.')
    assert 'requested: requests.storage=2Gi' in message and objects.pods() == []


@pytest.mark.gen_test
def test_what_a_quota_wants_to_be_requested_is_named(new_spawner, quota):
    yield quota({'requests.cpu': '4'})
    with pytest.raises(SpawnError, match='failed quota: small: must specify requests.cpu'):
        yield new_spawner('ann').start()
    spawner = new_spawner('ann', cpu_guarantee=1)
    yield spawner.start()
    yield spawner.stop(now=True)


@pytest.mark.parametrize('traits, hint, reason', [
    ({'mem_guarantee': '900T'}, 'No node has enough free resources for your server.', 'Insufficient memory'),
    ({'extra_resource_guarantees': {'example.com/gpu': '1'}, 'extra_resource_limits': {'example.com/gpu': '1'}},
     'No node has enough free resources for your server.', 'Insufficient example.com/gpu'),
    ({'node_selector': {'zone': 'nowhere'}}, 'No node can run your server.', "didn't match Pod's node affinity"),
])
@pytest.mark.gen_test
def test_why_no_node_takes_a_server_is_what_the_user_is_told(localkube, new_spawner, traits, hint, reason):
    spawner = new_spawner('ann', **traits)
    spawner.start_timeout = 3
    with pytest.raises(SpawnError) as e:
        yield spawner.start()
    assert e.value.jupyterhub_message.startswith(hint) and reason in e.value.jupyterhub_message
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_server_on_a_cordoned_node_starts_when_the_node_takes_pods_again(localkube, new_spawner, objects, core):
    cordon(core, True)
    try:
        spawner = new_spawner('ann')
        start = spawner.start()
        yield objects.until(lambda: 'were unschedulable' in json.dumps(objects.pod(spawner.pod_name)))
    finally:
        cordon(core, None)
    yield start
    yield spawner.stop(now=True)


def cordon(core, unschedulable):
    core.patch_node(name='localkube', body={'spec': {'unschedulable': unschedulable}}, _preload_content=False)
