"""What start and poll do about refusals of the API, with a localkube that is told to refuse."""
import pytest

from kubespawner.spawner import SpawnError

from .conftest import UNTOUCHED

pytestmark = pytest.mark.gen_test(timeout=90)

CLAIM = {'user_storage_pvc_ensure': True, 'user_storage_capacity': '1Gi'}


@pytest.fixture
def kube(cluster):
    """The localkube under test, without faults before and after."""
    if not cluster.is_localkube:
        pytest.skip('only localkube can be told to fail')
    cluster.kube.clear_faults()
    yield cluster.kube
    cluster.kube.clear_faults()


def test_a_claim_that_is_there_is_fine_also_when_a_quota_refuses_to_create_it(kube, new_spawner):
    spawner = new_spawner('ann', **CLAIM)
    yield spawner.start()
    yield spawner.stop(now=True)
    kube.fail(method='POST', path='/persistentvolumeclaims$', status=403, times=1000)
    yield spawner.start()
    yield spawner.stop(now=True)


def test_a_claim_that_is_refused_ends_start_before_a_pod_is_made(kube, new_spawner, objects):
    kube.fail(method='POST', path='/persistentvolumeclaims$', status=403, times=1000, message='exceeded quota')
    with pytest.raises(Exception, match='exceeded quota') as e:
        yield new_spawner('bob', **CLAIM).start()
    assert 'persistent volume claim claim-bob' in e.value.jupyterhub_message
    assert objects.pods() == []


def test_a_name_that_stays_taken_is_an_error_after_four_tries(kube, new_spawner, namespace):
    kube.fail(method='POST', path='/%s/pods$' % namespace, status=409, times=1000)
    with pytest.raises(SpawnError, match='4 tries'):
        yield new_spawner('ann').start()
    creates = [path for method, path in kube.requests() if method == 'POST' and path.endswith('/%s/pods' % namespace)]
    assert len(creates) == 4


def test_poll_says_none_when_the_api_cannot_be_asked(kube, new_spawner, namespace):
    spawner = new_spawner('nobody')
    assert (yield spawner.poll()) == 1
    kube.fail(method='GET', path='/%s/pods/jupyter-nobody$' % namespace, status=403, times=1000)
    assert (yield spawner.poll()) is None


def test_an_answer_that_may_heal_is_asked_for_again(kube, new_spawner, namespace):
    kube.fail(method='POST', path='/%s/pods$' % namespace, status=503, times=2)
    spawner = new_spawner('ann')
    yield spawner.start()
    yield spawner.stop(now=True)


def test_a_hub_makes_exactly_the_requests_that_the_readmes_role_allows(kube, new_spawner, role, namespace):
    spawner = new_spawner('dora', **CLAIM)
    yield spawner.poll()
    yield spawner.start()
    yield spawner.poll()
    yield spawner.stop(now=True)
    yield spawner.stop(now=True)
    prefix = '/api/v1/namespaces/%s/' % namespace
    made = {rule_of(method, path[len(prefix):]) for method, path in kube.requests() if path.startswith(prefix)}
    assert made == role


def rule_of(method, path):
    """Return the (resource, verb) of RBAC that a request needs."""
    path, _, query = path.partition('?')
    resource, _, name = path.partition('/')
    if method == 'GET' and not name:
        return resource, 'watch' if 'watch=' in query else 'list'
    return resource, {'GET': 'get', 'POST': 'create', 'DELETE': 'delete'}[method]


def test_starting_and_polling_a_thousand_times_lists_once(kube, new_spawner, namespace):
    spawners = [new_spawner('user-%d' % i) for i in range(10)]
    yield [spawner.poll() for spawner in spawners for _ in range(100)]
    lists = [path for method, path in kube.requests()
             if rule_of(method, path.rpartition('/%s/' % namespace)[2]) == ('pods', 'list')]
    assert len(lists) == 1


def test_when_history_is_lost_the_cache_is_listed_anew(kube, new_spawner, objects):
    spawner = new_spawner('ann', **UNTOUCHED)
    yield spawner.poll()
    kube.stall_watches()
    start = spawner.start()
    yield objects.until(lambda: objects.pod(spawner.pod_name))
    objects.set_status(spawner.pod_name, phase='Failed', reason='Evicted')
    kube.expire_history()
    kube.resume_watches()
    kube.cut_watches()
    with pytest.raises(SpawnError, match='Evicted'):
        yield start
    yield spawner.stop(now=True)
