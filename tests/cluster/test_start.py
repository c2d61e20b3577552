"""start: what it creates, what it waits for, and what it does not wait for."""
import pytest
from tornado import gen
from tornado.concurrent import Future
from tornado.ioloop import IOLoop

from kubespawner.spawner import SpawnError

from .conftest import UNTOUCHED

pytestmark = pytest.mark.usefixtures('node')

AT_ONCE = 50  # seconds, of 60 that a start may take

CLAIM = {'user_storage_pvc_ensure': True, 'user_storage_capacity': '1Gi'}


@pytest.mark.gen_test
def test_start_returns_address_and_port_of_a_pod_that_is_running(new_spawner, objects):
    spawner = new_spawner('ann', port=1234)
    ip, port = yield spawner.start()
    status = objects.pod(spawner.pod_name)['status']
    assert (status['phase'], status['podIP'], 1234) == ('Running', ip, port)
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_an_old_pod_in_the_way_is_replaced(new_spawner, objects):
    spawner = new_spawner('ann')
    yield spawner.start()
    old = objects.pod(spawner.pod_name)
    yield spawner.start()
    assert objects.pod(spawner.pod_name)['metadata']['uid'] != old['metadata']['uid']
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_an_old_pod_that_the_hub_does_not_know_is_replaced(new_spawner, objects, core, namespace):
    core.create_namespaced_pod(namespace=namespace, _preload_content=False, body={
        'metadata': {'name': 'jupyter-old'},
        'spec': {'containers': [{'name': 'c', 'image': 'busybox', 'args': ['sleep', '1000']}]}})
    yield new_spawner('old').start()
    assert objects.pod('jupyter-old')['metadata']['annotations']['hub.jupyter.org/username'] == 'old'
    yield new_spawner('old').stop(now=True)


@pytest.mark.gen_test
def test_a_claim_that_is_there_is_left_as_it_is(new_spawner, objects):
    spawner = new_spawner('ann', storage_expand=False, **CLAIM)
    yield spawner.start()
    claim = objects.claim(spawner.pvc_name)
    yield spawner.stop(now=True)
    spawner.user_storage_capacity = '2Gi'
    yield spawner.start()
    assert objects.claim(spawner.pvc_name)['metadata']['uid'] == claim['metadata']['uid']
    assert objects.claim(spawner.pvc_name)['spec']['resources']['requests'] == {'storage': '1Gi'}
    yield spawner.stop(now=True)


@pytest.mark.parametrize('status, words', [
    ({'phase': 'Failed', 'reason': 'Evicted', 'message': 'The node was low on memory.'},
     ['Evicted', 'The node was low on memory.']),
    ({'phase': 'Failed', 'containerStatuses': [
        {'name': 'notebook', 'state': {'terminated': {'exitCode': 137, 'reason': 'OOMKilled'}}}]},
     ['container notebook', 'OOMKilled', '137']),
    ({'phase': 'Pending', 'containerStatuses': [
        {'name': 'notebook', 'state': {'waiting': {'reason': 'InvalidImageName', 'message': 'invalid reference'}}}]},
     ['container notebook', 'InvalidImageName', 'invalid reference']),
    ({'phase': 'Pending', 'initContainerStatuses': [
        {'name': 'init', 'state': {'waiting': {'reason': 'CrashLoopBackOff'}},
         'lastState': {'terminated': {'exitCode': 3}}}]},
     ['container init', 'CrashLoopBackOff', 'exit code 3']),
])
@pytest.mark.usefixtures('only_the_watch_tells')
@pytest.mark.gen_test
def test_a_pod_that_failed_ends_start_at_once_with_kubernetes_own_words(new_spawner, objects, status, words):
    for kind in ('containerStatuses', 'initContainerStatuses'):
        for container in status.get(kind, []):
            container.update(image='busybox', imageID='', ready=False, restartCount=0)
    spawner = new_spawner('ann', start_failure_grace=0, **UNTOUCHED)
    start = spawner.start()
    yield objects.until(lambda: objects.pod(spawner.pod_name))
    objects.set_status(spawner.pod_name, **status)
    with pytest.raises(SpawnError) as e:
        yield gen.with_timeout(IOLoop.current().time() + AT_ONCE, start)
    assert [word for word in words if word not in e.value.jupyterhub_message] == []
    yield spawner.stop(now=True)


@pytest.mark.usefixtures('only_the_watch_tells')
@pytest.mark.gen_test
def test_a_pod_that_is_deleted_while_it_starts_ends_start_at_once(new_spawner, objects, core, namespace):
    spawner = new_spawner('ann', **UNTOUCHED)
    start = spawner.start()
    yield objects.until(lambda: objects.pod(spawner.pod_name))
    core.delete_namespaced_pod(name=spawner.pod_name, namespace=namespace, body={}, _preload_content=False)
    with pytest.raises(SpawnError, match='deleted'):
        yield gen.with_timeout(IOLoop.current().time() + AT_ONCE, start)


@pytest.mark.gen_test
def test_start_gives_up_before_the_hub_does_and_says_what_it_last_saw(new_spawner, monkeypatch):
    monkeypatch.setattr('kubespawner.spawner.START_MARGIN', 0.5)  # its own is too short for a busy machine
    spawner = new_spawner('ann', **UNTOUCHED)
    spawner.start_timeout = 6
    with pytest.raises(SpawnError, match='to be running. Last seen: phase Pending'):
        yield gen.with_timeout(IOLoop.current().time() + spawner.start_timeout, spawner.start())
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_what_the_api_refuses_is_told_in_its_own_words_and_not_tried_again(new_spawner, objects):
    with pytest.raises(Exception) as e:
        yield new_spawner('ann', singleuser_image_pull_policy='Sometimes').start()
    assert '422' in e.value.jupyterhub_message
    assert 'spec.containers[0].imagePullPolicy' in e.value.jupyterhub_message
    assert objects.pods() == []


@pytest.mark.gen_test
def test_a_subclass_decides_what_running_means(new_spawner, objects):
    asked = []

    def is_pod_running(pod):
        asked.append(pod and pod.status.phase)
        return pod is not None and pod.status.phase == 'Pending' and pod.metadata.deletion_timestamp is None

    spawner = new_spawner('ann', **UNTOUCHED)
    spawner.is_pod_running = is_pod_running
    yield spawner.start()
    assert asked and set(asked) == {'Pending'}
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_claim_of_a_long_name_is_the_one_that_is_mounted(new_spawner, objects):
    claim = {'claimName': 'claim-{username}{servername}'}
    spawner = new_spawner('christoph.von.oldenburg@informatik.uni-oldenburg.de', volume_mounts=[],
                          volumes=[{'name': 'home', 'persistentVolumeClaim': claim}], **CLAIM)
    pod = yield objects.created_by(spawner)
    name = pod['spec']['volumes'][0]['persistentVolumeClaim']['claimName']
    assert len(name) <= 63
    assert objects.claim(name) is not None


@pytest.mark.gen_test
def test_a_hook_cannot_hide_the_pod_from_the_hub(new_spawner, objects):
    def hook(spawner, pod):
        pod.metadata.labels = {'mine': 'x'}
        pod.metadata.name = 'renamed'
        return pod

    spawner = new_spawner('ann', modify_pod_hook=hook)
    yield spawner.start()
    assert objects.pod('renamed')['metadata']['labels'] == {
        'mine': 'x', 'heritage': 'jupyterhub', 'component': 'singleuser-server'}
    assert (yield spawner.poll()) is None
    yield spawner.stop(now=True)
    assert objects.pod('renamed') is None


@pytest.mark.gen_test
def test_a_subclass_may_call_a_pod_running_whose_sidecar_fails(new_spawner, objects):
    spawner = new_spawner('ann', **UNTOUCHED)
    spawner.is_pod_running = lambda pod: bool(pod and pod.status.container_statuses)
    start = spawner.start()
    yield objects.until(lambda: objects.pod(spawner.pod_name))
    objects.set_status(spawner.pod_name, phase='Running', podIP='127.0.0.9', containerStatuses=[
        {'name': 'sidecar', 'image': 'busybox', 'imageID': '', 'ready': False, 'restartCount': 9,
         'state': {'waiting': {'reason': 'CrashLoopBackOff'}}}])
    assert (yield start) == ('127.0.0.9', 8888)
    yield spawner.stop(now=True)


def test_a_spawner_of_another_namespace_has_a_reflector_of_its_own(new_spawner, objects):
    here, elsewhere = new_spawner('ann'), new_spawner('ann', namespace='kube-system')
    assert here.pod_reflector is not elsewhere.pod_reflector
    assert elsewhere.pod_reflector is new_spawner('bob', namespace='kube-system').pod_reflector
    assert here.pod_reflector is new_spawner('bob').pod_reflector


@pytest.mark.parametrize('trait', ['modify_pod_hook', 'singleuser_uid'])
@pytest.mark.gen_test
def test_a_function_of_the_operator_that_never_ends_ends_with_the_start(new_spawner, objects, trait):
    spawner = new_spawner('ann', **{trait: lambda *args: Future()})
    spawner.start_timeout = 1
    with pytest.raises(SpawnError, match=trait):
        yield spawner.start()
    assert objects.pod(spawner.pod_name) is None


@pytest.mark.gen_test
def test_a_pod_that_a_subclass_makes_itself_is_one_that_the_hub_finds(new_spawner):
    spawner = new_spawner('ann')
    make = spawner.get_pod_manifest

    @gen.coroutine
    def without_labels():
        pod = yield make()
        pod.metadata.labels = {'app': 'mine'}
        return pod

    spawner.get_pod_manifest = without_labels
    yield spawner.start()
    assert (yield spawner.poll()) is None
    yield spawner.stop(now=True)
