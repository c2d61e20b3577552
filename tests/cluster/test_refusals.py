"""What start and poll do about refusals of the API, with a localkube that is told to refuse."""
import re

import pytest
from tornado import gen
from tornado.ioloop import IOLoop

from kubespawner.kube.clients import HAS_BOOKMARKS
from kubespawner.messages.errors import ConfigurationError
from kubespawner.spawner import SpawnError

from .conftest import UNTOUCHED

CLAIM = {'user_storage_pvc_ensure': True, 'user_storage_capacity': '1Gi'}


@pytest.mark.gen_test
def test_a_claim_that_is_there_is_fine_also_when_a_quota_refuses_to_create_it(kube, new_spawner):
    spawner = new_spawner('ann', **CLAIM)
    yield spawner.start()
    yield spawner.stop(now=True)
    kube.fail(method='POST', path='/persistentvolumeclaims$', status=403, times=1000)
    yield spawner.start()
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_claim_that_is_refused_ends_start_before_a_pod_is_made(kube, new_spawner, objects):
    kube.fail(method='POST', path='/persistentvolumeclaims$', status=403, times=1000, message='exceeded quota')
    with pytest.raises(Exception, match='exceeded quota') as e:
        yield new_spawner('bob', **CLAIM).start()
    assert 'persistent volume claim claim-bob' in e.value.jupyterhub_message
    assert objects.pods() == []


@pytest.mark.gen_test
def test_a_name_that_stays_taken_is_an_error_after_four_tries(kube, new_spawner, namespace):
    kube.fail(method='POST', path='/%s/pods$' % namespace, status=409, reason='AlreadyExists', times=1000)
    with pytest.raises(SpawnError, match='4 tries'):
        yield new_spawner('ann').start()
    creates = [path for method, path in kube.requests() if method == 'POST' and path.endswith('/%s/pods' % namespace)]
    assert len(creates) == 4


@pytest.mark.gen_test
def test_a_quota_that_is_being_written_is_waited_for(kube, new_spawner, namespace):
    kube.fail(method='POST', path='/%s/' % namespace, status=409, reason='Conflict', times=1)
    spawner = new_spawner('ann', **CLAIM)
    yield spawner.start()
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_pod_that_is_created_after_its_server_was_stopped_does_not_stay(kube, new_spawner, objects, namespace):
    kube.delay(method='POST', path='/%s/pods$' % namespace, seconds=1)
    spawner = new_spawner('ann')
    start = spawner.start()
    yield objects.until(lambda: any(method == 'POST' for method, path in kube.requests()))
    yield spawner.stop(now=True)
    with pytest.raises(SpawnError, match='given up'):
        yield start
    assert objects.pods() == []


@pytest.mark.gen_test
def test_a_pod_that_is_created_after_the_hub_has_given_up_does_not_stay(kube, new_spawner, objects, namespace):
    kube.delay(method='POST', path='/%s/pods$' % namespace, seconds=2)
    spawner = new_spawner('ann')
    spawner.start_timeout = 1
    with pytest.raises(SpawnError, match='given up'):
        yield spawner.start()
    yield objects.until(lambda: [path for method, path in kube.requests() if method == 'DELETE'])
    yield objects.until(lambda: objects.pods() == [])


@pytest.mark.gen_test
def test_each_try_is_one_request_that_is_told_of_and_a_retry_after_is_obeyed(kube, new_spawner, caplog):
    spawner = new_spawner('nobody')
    yield spawner.poll()
    kube.clear_faults()
    kube.fail(method='GET', path='/pods/jupyter-nobody$', status=429, headers={'Retry-After': '1'}, times=1)
    started = IOLoop.current().time()
    assert (yield spawner.poll()) == 1
    assert IOLoop.current().time() - started >= 1
    assert len([path for _, path in kube.requests() if path.endswith('/pods/jupyter-nobody')]) == 2
    assert len([record for record in caplog.records if 'Trying again in' in record.getMessage()]) == 1


@pytest.mark.gen_test
def test_stop_ends_at_its_deadline_when_the_api_refuses_all_the_time(kube, new_spawner, namespace):
    spawner = new_spawner('ann')
    yield spawner.start()
    kube.fail(method='DELETE', path='/pods/jupyter-ann$', status=503, times=1000)
    spawner.start_timeout = 1
    with pytest.raises(Exception, match='503'):
        yield gen.with_timeout(IOLoop.current().time() + 10, spawner.stop())
    kube.clear_faults()
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_watches_ask_for_bookmarks_and_for_an_end(kube, new_spawner, objects, namespace):
    yield new_spawner('ann').poll()
    watch, = yield objects.until(lambda: [
        path for _, path in kube.requests() if '/%s/pods?' % namespace in path and 'watch=' in path])
    assert 300 <= int(re.search(r'timeoutSeconds=(\d+)', watch).group(1)) <= 600
    assert ('allowWatchBookmarks=' in watch) is HAS_BOOKMARKS


@pytest.mark.gen_test
def test_a_watch_that_is_cut_goes_on_without_a_list(kube, new_spawner, objects, namespace):
    spawner = new_spawner('ann', **UNTOUCHED)
    yield spawner.poll()
    kube.clear_faults()
    for _ in range(3):
        kube.cut_watches()
        start = spawner.start()
        yield objects.until(lambda: objects.pod(spawner.pod_name))
        objects.set_status(spawner.pod_name, phase='Failed', reason='Evicted')
        with pytest.raises(SpawnError, match='Evicted'):
            yield start
        yield spawner.stop(now=True)
    assert lists_of(kube, namespace) == []


@pytest.mark.gen_test
def test_after_silence_the_watch_begins_anew_without_a_list(kube, new_spawner, objects, namespace, monkeypatch):
    monkeypatch.setattr('kubespawner.kube.reflector.IDLE_TIMEOUT', 0.5)
    spawner = new_spawner('ann', **UNTOUCHED)
    yield spawner.poll()
    kube.clear_faults()
    kube.stall_watches()
    start = spawner.start()
    yield objects.until(lambda: len([path for _, path in kube.requests() if 'watch=' in path]) > 1)
    kube.resume_watches()
    objects.set_status(spawner.pod_name, phase='Failed', reason='Evicted')
    with pytest.raises(SpawnError, match='Evicted'):
        yield start
    assert lists_of(kube, namespace) == []
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_after_an_error_of_the_server_the_watch_begins_with_a_list(kube, new_spawner, objects, namespace):
    spawner = new_spawner('ann', **UNTOUCHED)
    yield spawner.poll()
    kube.clear_faults()
    kube.fail(method='GET', path='watch=', status=504)
    kube.cut_watches()
    yield objects.until(lambda: lists_of(kube, namespace))


@pytest.mark.gen_test
def test_poll_says_none_when_the_api_cannot_be_asked(kube, new_spawner, namespace):
    spawner = new_spawner('nobody')
    assert (yield spawner.poll()) == 1
    kube.fail(method='GET', path='/%s/pods/jupyter-nobody$' % namespace, status=403, times=1000)
    assert (yield spawner.poll()) is None


@pytest.mark.gen_test
def test_an_answer_that_may_heal_is_asked_for_again(kube, new_spawner, namespace):
    kube.fail(method='POST', path='/%s/pods$' % namespace, status=503, times=2)
    spawner = new_spawner('ann')
    yield spawner.start()
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_hub_makes_exactly_the_requests_that_the_readmes_role_allows(kube, new_spawner, role, namespace):
    spawner = new_spawner('dora', events_enabled=True, **CLAIM)
    yield spawner.poll()
    yield spawner.start()
    yield spawner.poll()
    yield spawner.stop(now=True)
    yield spawner.stop(now=True)
    yield spawner.delete_forever()
    prefix = '/api/v1/namespaces/%s/' % namespace
    made = {rule_of(method, path[len(prefix):]) for method, path in kube.requests() if path.startswith(prefix)}
    assert made == role


def lists_of(kube, namespace):
    """Return the requests that listed pods in a namespace as a reflector does."""
    return [path for _, path in kube.requests()
            if '/%s/pods?' % namespace in path and 'labelSelector=' in path and 'watch=' not in path]


def rule_of(method, path):
    """Return the (resource, verb) of RBAC that a request needs."""
    path, _, query = path.partition('?')
    resource, _, name = path.partition('/')
    if method == 'GET' and not name:
        return resource, 'watch' if 'watch=' in query else 'list'
    return resource, {'GET': 'get', 'POST': 'create', 'DELETE': 'delete'}[method]


@pytest.mark.usefixtures('only_the_watch_tells')
@pytest.mark.gen_test
def test_when_history_is_lost_the_cache_is_listed_anew(kube, new_spawner, objects, namespace):
    spawner = new_spawner('ann', **UNTOUCHED)
    yield spawner.poll()
    kube.stall_watches()
    start = spawner.start()
    yield objects.until(lambda: objects.pod(spawner.pod_name))
    objects.set_status(spawner.pod_name, phase='Failed', reason='Evicted')
    kube.expire_history()
    kube.cut_watches()  # before it has told of the changes
    kube.resume_watches()
    with pytest.raises(SpawnError, match='Evicted'):
        yield gen.with_timeout(IOLoop.current().time() + 50, start)
    assert len(lists_of(kube, namespace)) == 2
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_setting_that_a_hook_makes_wrong_is_the_operators_sentence_and_a_plain_one_for_the_user(new_spawner):
    spawner = new_spawner('ann', pre_spawn_hook=lambda spawner: setattr(spawner, 'mem_limit', '2GB'))
    with pytest.raises(ConfigurationError, match="KubeSpawner.pre_spawn_hook: .*2GB") as e:
        yield spawner.run_pre_spawn_hook()
    assert 'mem_limit' not in e.value.jupyterhub_message and 'Tell its operator' in e.value.jupyterhub_message


@pytest.mark.gen_test
def test_a_setting_that_a_subclass_makes_wrong_at_a_start_is_told_the_same_way(new_spawner):
    spawner = new_spawner('ann')
    spawner.get_pod_manifest = lambda: spawner.set_trait('port', 'one')
    with pytest.raises(ConfigurationError, match='port'):
        yield spawner.start()
