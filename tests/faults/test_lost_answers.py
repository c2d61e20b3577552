"""A create that landed, though its answer was lost: one pod, and the spawn goes on with it."""
import pytest
from tornado.web import HTTPError

from tests.support.waits import until_on_loop


def creates(kube, namespace):
    return len([path for method, path in kube.requests()
                if method == 'POST' and path.split('?')[0].endswith('/%s/pods' % namespace)])


def deletes(kube):
    return [path for method, path in kube.requests() if method == 'DELETE']


@pytest.mark.parametrize('retry_seconds, tries', [(30, 2), (0, 1)])
@pytest.mark.gen_test
def test_a_pod_whose_answer_was_lost_is_taken_for_what_it_is(
        kube, new_spawner, namespace, retry_seconds, tries):
    kube.drop(method='POST', path='/%s/pods$' % namespace, after=True)
    spawner = new_spawner('ann', k8s_api_request_retry_timeout=retry_seconds)  # 0: as if it had been waited for
    yield spawner.start()
    assert creates(kube, namespace) == tries
    assert deletes(kube) == []
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_pod_whose_answer_was_lost_and_which_nobody_waits_for_is_deleted_once_kubernetes_answers(
        kube, new_spawner, objects, namespace):
    spawner = new_spawner('ann', k8s_api_request_retry_timeout=0)
    kube.drop(method='POST', path='/%s/pods$' % namespace, after=True)
    kube.drop(method='GET', path='/pods/%s$' % spawner.pod_name)
    with pytest.raises(HTTPError):
        yield spawner.start()
    yield until_on_loop(lambda: objects.pods() == [])


@pytest.mark.gen_test
def test_a_pod_whose_creation_is_answered_with_a_time_out_though_it_landed_is_deleted(
        kube, new_spawner, objects, namespace):
    kube.fail(method='POST', path='/%s/pods$' % namespace, status=504, after=True)
    with pytest.raises(HTTPError):
        yield new_spawner('ann', k8s_api_request_retry_timeout=0).start()
    yield until_on_loop(lambda: len(deletes(kube)) == 1)
    assert objects.pods() == []


@pytest.mark.gen_test
def test_a_pod_whose_answer_was_lost_after_the_start_was_given_up_is_deleted(kube, new_spawner, objects, namespace):
    spawner = new_spawner('ann')
    spawner.start_timeout = 1
    kube.delay(method='POST', path='/%s/pods$' % namespace, seconds=2)
    kube.drop(method='POST', path='/%s/pods$' % namespace, after=True)
    with pytest.raises(HTTPError):
        yield spawner.start()
    yield until_on_loop(lambda: creates(kube, namespace) and len(deletes(kube)) == 1)
    assert objects.pods() == []


@pytest.mark.gen_test
def test_a_pod_of_an_earlier_start_is_not_taken_for_that_of_a_create_which_did_not_land(
        kube, new_spawner, objects, namespace):
    spawner = new_spawner('ann')
    yield spawner.start()
    old = objects.pod(spawner.pod_name)['metadata']['uid']
    kube.drop(method='POST', path='/%s/pods$' % namespace)
    yield spawner.start()
    pod, = objects.pods()
    assert pod['metadata']['uid'] != old
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_claim_whose_answer_was_lost_is_the_claim(kube, new_spawner, objects, namespace):
    kube.drop(method='POST', path='/%s/persistentvolumeclaims$' % namespace, after=True)
    spawner = new_spawner('ann', user_storage_pvc_ensure=True, user_storage_capacity='1Gi')
    yield spawner.start()
    assert objects.claim(spawner.pvc_name)
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_delete_whose_answer_was_lost_is_a_stop(kube, new_spawner, objects):
    spawner = new_spawner('ann')
    yield spawner.start()
    kube.drop(method='DELETE', path='/pods/%s$' % spawner.pod_name, after=True)
    yield spawner.stop(now=True)
    assert objects.pods() == []
