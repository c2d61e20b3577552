"""Requests: what is sent again and what is an answer, without any server."""
import pytest
from tornado.ioloop import IOLoop
from urllib3.exceptions import ReadTimeoutError

from kubespawner.kube import api
from kubespawner.kube.requests import Requests
from tests.fake_time import START, with_fake_time
from tests.support.fakes import LOG, FakeApi, at_once, refused, requests_to

CLAIM = {'metadata': {'name': 'home'}}
POD = {'metadata': {'name': 'a', 'uid': 'u'}}


@with_fake_time
def test_an_object_is_read_by_its_name():
    fake = FakeApi(read_namespaced_pod=[POD])
    assert (yield requests_to(fake).read('pod', 'hubs', 'a')) == POD
    (_, arguments), = fake.asked
    assert (arguments['namespace'], arguments['name']) == ('hubs', 'a')


@with_fake_time
def test_an_object_that_is_not_there_is_none_and_no_error():
    assert (yield requests_to(FakeApi(read_namespace=[refused(404, 'NotFound')])).read('namespace', None, 'a')) is None


@with_fake_time
def test_a_refusal_to_read_is_an_error_at_once():
    fake = FakeApi(read_namespaced_pod=[refused(403, 'Forbidden', 'pods is forbidden')])
    with pytest.raises(api.ApiError, match='pods is forbidden'):
        yield requests_to(fake).read('pod', 'hubs', 'a')
    assert len(fake.asked) == 1 and IOLoop.current().time() - START < 0.1


@pytest.mark.parametrize('answer, said', [
    ('{"kind": "Secret", "data": {"JUPYTERHUB_API_TOKEN": "c2VjcmV0', 'cut off after 61 characters'),
    ('<html>Bad gateway</html>', 'Bad gateway')])
@with_fake_time
def test_an_answer_that_is_cut_off_is_not_repeated_and_the_page_of_a_gateway_is(answer, said):
    fake = FakeApi(read_namespaced_secret=[answer])
    with pytest.raises(api.ApiError, match=said) as e:
        yield requests_to(fake, retry_seconds=0).read('secret', 'hubs', 'a')
    assert 'c2VjcmV0' not in str(e.value) + e.value.body + str(e.value.for_the_user())


@pytest.mark.parametrize('answer', [
    {}, [], 'null', {'kind': 'Status', 'status': 'Success'}, {'metadata': {'name': 'a'}}])
@pytest.mark.parametrize('send', [
    lambda requests: requests.read('pod', 'hubs', 'a'),
    lambda requests: requests.send(api.create('pod', 'hubs', {'metadata': {'name': 'a'}}))], ids=['read', 'create'])
@with_fake_time
def test_an_answer_that_is_no_object_is_an_error_though_its_status_says_success(send, answer):
    fake = FakeApi(read_namespaced_pod=[answer], create_namespaced_pod=[answer])
    with pytest.raises(api.ApiError, match='not a Kubernetes object') as e:
        yield send(requests_to(fake, retry_seconds=0))
    assert e.value.was_sent and not e.value.status


@with_fake_time
def test_what_may_heal_is_sent_again_after_a_pause():
    fake = FakeApi(read_namespaced_pod=[refused(503), ReadTimeoutError(None, '', 'slow'), POD])
    assert (yield requests_to(fake).read('pod', 'hubs', 'a')) == POD
    assert len(fake.asked) == 3 and IOLoop.current().time() > START


@with_fake_time
def test_what_does_not_heal_ends_when_the_configured_time_is_over():
    with pytest.raises(api.ApiError, match='503'):
        yield requests_to(FakeApi(read_namespaced_pod=[refused(503)]), retry_seconds=20).read('pod', 'hubs', 'a')
    assert START + 10 < IOLoop.current().time() <= START + 20.1


@with_fake_time
def test_a_deadline_ends_it_sooner_and_shortens_the_wait_for_an_answer():
    fake = FakeApi(read_namespaced_pod=[refused(503)])
    with pytest.raises(api.ApiError):
        yield requests_to(fake).read('pod', 'hubs', 'a', START + 5)
    assert IOLoop.current().time() <= START + 5.1
    assert [arguments['_request_timeout'][1] <= 5 for _, arguments in fake.asked] == [True] * len(fake.asked)


@with_fake_time
def test_nothing_is_sent_again_that_nobody_wants_any_more():
    fake = FakeApi(create_namespaced_persistent_volume_claim=[refused(503)])
    with pytest.raises(api.ApiError):
        yield requests_to(fake).create('persistent_volume_claim', 'hubs', CLAIM, is_wanted=lambda: False)
    assert len(fake.asked) == 1


@pytest.mark.parametrize('answer', [CLAIM, refused(409, 'AlreadyExists')], ids=['created', 'there already'])
@with_fake_time
def test_what_somebody_else_has_created_just_now_is_as_good(answer):
    fake = FakeApi(create_namespaced_persistent_volume_claim=[answer])
    yield requests_to(fake).create('persistent_volume_claim', 'hubs', CLAIM)
    assert fake.methods == ['create_namespaced_persistent_volume_claim']


@with_fake_time
def test_a_quota_that_refuses_to_create_is_an_error():
    fake = FakeApi(create_namespaced_persistent_volume_claim=[refused(403, 'Forbidden', 'exceeded quota')])
    with pytest.raises(api.ApiError, match='exceeded quota'):
        yield requests_to(fake).create('persistent_volume_claim', 'hubs', CLAIM)


@with_fake_time
def test_every_try_runs_through_the_executor_that_was_given_and_keeps_to_the_limits_of_then():
    seen, limits = [], [(7, 30)]

    def run(function, *args):
        seen.append(function)
        limits[0] = (3, 30)
        return at_once(function, *args)

    fake = FakeApi(read_namespaced_pod=[refused(503), POD])
    requests = Requests(run, lambda: fake, lambda: limits[0], LOG)
    yield requests.read('pod', 'hubs', 'a')
    yield requests.read('pod', 'hubs', 'a')
    assert seen == [api.send] * 3
    assert [arguments['_request_timeout'] for _, arguments in fake.asked] == [(5, 7), (5, 7), (3, 3)]
