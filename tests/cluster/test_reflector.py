"""The reflector: its cache is what the API server has, and who waits for a change is told."""
import json

import pytest
from kubernetes import client
from tornado import gen
from tornado.ioloop import IOLoop

from kubespawner.kube.prune import without_managed_fields
from kubespawner.kube.reflector import NamespacedResourceReflector
from kubespawner.spawner import PodReflector

LABELS = {'heritage': 'jupyterhub', 'component': 'singleuser-server'}


@pytest.fixture
def reflector(namespace):
    reflector = PodReflector(namespace=namespace)
    yield reflector
    reflector.stop()


@pytest.fixture
def create(core, namespace):
    """`create(name, labels)` makes a pod that no node takes."""
    made = []

    def create(name, labels=LABELS):
        made.append(name)
        core.create_namespaced_pod(namespace=namespace, _preload_content=False, body={
            'metadata': {'name': name, 'labels': labels},
            'spec': {'schedulerName': 'nobody', 'containers': [{'name': 'notebook', 'image': 'busybox'}]}})

    yield create
    for name in made:
        delete(core, namespace, name)


def delete(core, namespace, name):
    try:
        core.delete_namespaced_pod(name=name, namespace=namespace, _preload_content=False,
                                   body=client.V1DeleteOptions(grace_period_seconds=0))
    except client.rest.ApiException as e:
        assert e.status == 404


@gen.coroutine
def until(reflector, name, condition):
    """Return the cached object once `condition` is true of it, looking only when it is said to have changed."""
    while not condition(reflector.get(name)):
        changed = reflector.changed(name, 30)
        if condition(reflector.get(name)):
            break
        assert (yield changed), 'no change in 30 s'
    return reflector.get(name)


def is_there(pod):
    return pod is not None


def is_gone(pod):
    return pod is None


@pytest.mark.gen_test
def test_the_first_list_is_in_the_cache_when_its_future_is_done(reflector, create):
    create('a')
    create('b')
    reflector.start()
    yield reflector.first_load_future
    assert set(reflector.pods) == {'a', 'b'}


def test_nothing_is_read_before_start(reflector, create):
    create('a')
    assert not reflector.first_load_future.done()
    assert reflector.pods == {}


@pytest.mark.gen_test
def test_what_is_created_changed_and_deleted_arrives(reflector, create, core, namespace):
    reflector.start()
    yield reflector.first_load_future
    create('a')
    pod = yield until(reflector, 'a', is_there)
    assert pod['status']['phase'] == 'Pending'
    core.patch_namespaced_pod(name='a', namespace=namespace, body={'metadata': {'annotations': {'x': 'y'}}},
                              _preload_content=False)
    yield until(reflector, 'a', lambda pod: pod.metadata.annotations == {'x': 'y'})
    delete(core, namespace, 'a')
    yield until(reflector, 'a', is_gone)


@pytest.mark.gen_test
def test_only_objects_with_the_labels_are_kept(reflector, create, core, namespace):
    create('foreign', {'heritage': 'jupyterhub'})
    create('own')
    reflector.start()
    yield reflector.first_load_future
    assert set(reflector.pods) == {'own'}
    core.patch_namespaced_pod(name='own', namespace=namespace, body={'metadata': {'labels': {'component': None}}},
                              _preload_content=False)
    yield until(reflector, 'own', is_gone)


@pytest.mark.gen_test
def test_all_who_wait_for_a_pod_are_woken_and_nobody_else(reflector, create):
    reflector.start()
    yield reflector.first_load_future
    other, waiting = reflector.changed('b', 60), [reflector.changed('a', 60) for _ in range(3)]
    create('a')
    assert (yield waiting) == [True, True, True]
    assert not other.done()


@pytest.mark.gen_test
def test_stop_ends_the_thread(reflector, watch_threads):
    reflector.start()
    yield reflector.first_load_future
    thread, = watch_threads()
    reflector.stop()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.gen_test
def test_cached_objects_answer_to_the_models_names_and_to_the_apis(reflector, create, core, namespace):
    create('a')
    core.patch_namespaced_pod_status(name='a', namespace=namespace, _preload_content=False, body={'status': {
        'phase': 'Running', 'podIP': '127.1.2.3', 'hostIP': '127.0.0.1', 'containerStatuses': [
            {'name': 'notebook', 'ready': True, 'image': 'busybox', 'imageID': 'sha', 'containerID': 'x://1',
             'restartCount': 0, 'state': {'running': {}}}]}})
    reflector.start()
    yield reflector.first_load_future
    cached = reflector.pods['a']
    model = core.read_namespaced_pod(name='a', namespace=namespace)
    for pod in (cached, model):
        assert (pod.status.phase, pod.status.pod_ip, pod.status.host_ip) == ('Running', '127.1.2.3', '127.0.0.1')
        assert pod.status.container_statuses[0].ready is True
        assert pod.status.container_statuses[0].image_id == 'sha'
        assert pod.status.container_statuses[0].state.terminated is None
        assert pod.metadata.deletion_timestamp is None
        assert pod.metadata.labels['heritage'] == 'jupyterhub'
    assert cached['status']['podIP'] == '127.1.2.3'
    assert cached['status']['containerStatuses'][0]['ready'] is True


@pytest.mark.gen_test
def test_of_a_pods_spec_what_is_read_is_kept_and_what_the_configuration_adds(namespace, create):
    reflector = PodReflector(namespace=namespace, further_fields=['spec.containers.image', 'spec.schedulerName'])
    create('a')
    reflector.start()
    yield reflector.first_load_future
    reflector.stop()
    pod = reflector.get('a')
    assert pod.spec == {'containers': [{'image': 'busybox', 'name': 'notebook'}], 'schedulerName': 'nobody',
                        'restartPolicy': 'Always'}
    assert 'managedFields' not in pod.metadata


def test_the_answer_to_a_request_is_in_the_cache_at_once_and_a_late_one_changes_nothing(reflector):
    reflector.upsert({'metadata': {'name': 'a', 'resourceVersion': '7', 'labels': LABELS}})
    assert reflector.pods['a']['metadata']['resourceVersion'] == '7'
    reflector.upsert({'metadata': {'name': 'a', 'resourceVersion': '6', 'labels': LABELS}})
    assert reflector.pods['a']['metadata']['resourceVersion'] == '7'
    reflector.upsert({'metadata': {'name': 'b', 'resourceVersion': '7', 'labels': {}}})
    assert set(reflector.pods) == {'a'}


def test_what_a_direct_request_did_not_find_leaves_the_cache_unless_there_is_a_new_one(reflector):
    def pod(version, uid):
        return {'metadata': {'name': 'a', 'resourceVersion': version, 'uid': uid, 'labels': LABELS}}

    reflector.upsert(pod('7', 'old'))
    old = reflector.get('a')
    reflector.upsert(pod('8', 'new'))
    reflector.forget(old)
    assert reflector.get('a')['metadata']['uid'] == 'new'
    reflector.forget(reflector.get('a'))
    assert reflector.get('a') is None


@pytest.mark.gen_test
def test_waiting_for_a_change_that_does_not_come_ends(reflector):
    assert (yield reflector.changed('a', 0.01)) is False


@pytest.mark.gen_test
def test_starting_twice_starts_one_thread(reflector, watch_threads):
    reflector.start()
    reflector.start()
    assert len(watch_threads()) == 1
    yield reflector.first_load_future


@pytest.mark.gen_test
def test_another_selection_is_a_subclass_away(namespace, create):
    class AllPods(NamespacedResourceReflector):
        kind = 'any pod'
        list_method_name = 'list_namespaced_pod'

    create('foreign', {})
    reflector = AllPods(namespace=namespace)
    reflector.start()
    yield reflector.first_load_future
    assert reflector.resources['foreign'].spec.scheduler_name == 'nobody'
    reflector.stop()


@pytest.mark.gen_test
def test_giving_up_is_told_and_lets_nobody_wait(namespace):
    loop, told = IOLoop.current(), []
    reflector = PodReflector(namespace=namespace, give_up_seconds=0, list_method_name='no_such_method')
    reflector.on_failure = lambda: loop.add_callback(told.append, 'failed')
    reflector.start()
    yield reflector.first_load_future
    while not told:
        yield gen.sleep(0.01)
    assert reflector.failed
    assert told == ['failed']


@pytest.mark.parametrize('parameters', [{}, {'watch': True, 'timeout_seconds': 1}])
def test_the_server_writes_managed_fields_so_that_they_are_found(core, namespace, create, parameters):
    create('a')
    response = core.list_namespaced_pod(namespace=namespace, _preload_content=False, **parameters)
    text = response.read().decode('utf8')
    assert 'managedFields' in text and 'managedFields' not in without_managed_fields(text)
    json.loads(without_managed_fields(text).splitlines()[0])
