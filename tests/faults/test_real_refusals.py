"""What an API server refuses is told at once, in its words, and leaves nothing behind. Mostly on a real one only."""
import uuid
from contextlib import ExitStack

import pytest
from kubernetes import client
from tornado import gen
from tornado.ioloop import IOLoop

from kubespawner.spawner import SpawnError
from tests.cluster.conftest import UNTOUCHED
from tests.support import quotas, rights

AT_ONCE = 20  # seconds, of 60 that a start may take
CLAIM = {'user_storage_pvc_ensure': True, 'user_storage_capacity': '1Gi'}


@gen.coroutine
def refusal(spawner, objects):
    """Return what a start that is refused says, within AT_ONCE. There is no pod then, and to stop it is no error."""
    with pytest.raises(SpawnError) as e:
        yield gen.with_timeout(IOLoop.current().time() + AT_ONCE, spawner.start())
    assert objects.pod(spawner.pod_name) is None
    assert (yield gen.with_timeout(IOLoop.current().time() + AT_ONCE, spawner.poll())) == 1
    yield spawner.stop()
    assert 'pod %s' % spawner.pod_name in e.value.jupyterhub_message
    return e.value.jupyterhub_message


INVALID = [
    (dict(singleuser_extra_pod_config={'dnsPolicy': 'Nowhere'}), ['spec.dnsPolicy', '"Nowhere"']),
    (dict(singleuser_extra_pod_config={'activeDeadlineSeconds': -1}), ['spec.activeDeadlineSeconds', '-1']),
    (dict(singleuser_extra_labels={'course': 'not valid!'}), ['metadata.labels', '"not valid!"']),
    (dict(mem_guarantee='2G', mem_limit='1G'), ['memory', 'must be less than or equal to memory limit']),
    (dict(volumes=[{'name': 'a'}, {'name': 'a'}]), ['spec.volumes[1].name', 'Duplicate value: "a"']),
]


@pytest.mark.parametrize('traits, words', INVALID)
@pytest.mark.gen_test
def test_a_pod_that_is_invalid(new_spawner, objects, traits, words):
    message = yield refusal(new_spawner('ann', **traits), objects)
    assert [word for word in ['422 Invalid'] + words if word not in message] == []


@pytest.mark.gen_test
def test_a_service_account_that_does_not_exist(new_spawner, objects):
    message = yield refusal(new_spawner('ann', singleuser_service_account='ghost'), objects)
    assert '403 Forbidden' in message and 'serviceaccount "ghost" not found' in message


@pytest.mark.gen_test
def test_a_priority_class_that_does_not_exist(cluster, new_spawner, objects):
    if cluster.is_localkube:
        pytest.skip('localkube has no priority classes')
    spawner = new_spawner('ann', singleuser_extra_pod_config={'priorityClassName': 'utmost'})
    message = yield refusal(spawner, objects)
    assert '403 Forbidden' in message and 'no PriorityClass with name utmost was found' in message


@pytest.fixture
def quota(core, namespace):
    """`quota(pods='1')` limits what there may be in the namespace, until the test has ended."""
    with ExitStack() as stack:
        yield lambda **hard: stack.enter_context(quotas.quota(core, namespace, **hard))


@pytest.mark.gen_test
def test_a_quota_of_pods(quota, new_spawner, objects):
    quota(pods='0')
    message = yield refusal(new_spawner('ann'), objects)
    assert '403 Forbidden' in message and 'exceeded quota: quota, requested: pods=1' in message


@pytest.mark.gen_test
def test_a_quota_of_claims_refuses_those_that_are_not_there_yet_and_no_pod_is_made(
        quota, node, new_spawner, objects):
    ann = new_spawner('ann', **CLAIM)
    yield ann.start()
    yield ann.stop(now=True)
    quota(persistentvolumeclaims='1')
    yield ann.start()
    yield ann.stop(now=True)

    bob = new_spawner('bob', **CLAIM)
    with pytest.raises(SpawnError, match='claim-bob.*403 Forbidden.*exceeded quota'):
        yield gen.with_timeout(IOLoop.current().time() + AT_ONCE, bob.start())
    assert objects.pods() == []
    assert objects.claim('claim-ann') and not objects.claim('claim-bob')


@pytest.mark.gen_test
def test_a_claim_stays_when_its_pod_is_refused_because_it_may_hold_data(new_spawner, objects):
    yield refusal(new_spawner('eve', singleuser_extra_pod_config={'dnsPolicy': 'Nowhere'}, **CLAIM), objects)
    assert objects.claim('claim-eve')


@pytest.fixture
def elsewhere(cluster, core):
    """The name of a namespace where the hub has no rights."""
    if not cluster.hub_kubeconfig:
        pytest.skip('needs a user with the rights of a hub: --hub-kubeconfig')
    name = 'kubespawner-test-' + uuid.uuid4().hex[:8]
    core.create_namespace(body=client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
    yield name
    core.delete_namespace(name=name, body=client.V1DeleteOptions())


@pytest.mark.gen_test
def test_a_namespace_in_which_the_hub_has_no_rights(elsewhere, new_spawner):
    spawner = new_spawner('ann', namespace=elsewhere, **UNTOUCHED)
    with pytest.raises(SpawnError, match='403 Forbidden.*cannot create resource "pods".*%s' % elsewhere):
        yield gen.with_timeout(IOLoop.current().time() + AT_ONCE, spawner.start())
    # What JupyterHub asks before it shows the error.
    assert (yield gen.with_timeout(IOLoop.current().time() + AT_ONCE, spawner.poll())) is None
    with pytest.raises(SpawnError, match='403 Forbidden'):
        yield gen.with_timeout(IOLoop.current().time() + AT_ONCE, spawner.stop())


@pytest.fixture
def without_events(cluster, core, namespace):
    """The hub's role in the namespace of the test has no events, until the test has ended."""
    if not cluster.hub_kubeconfig:
        pytest.skip('needs a hub whose rights are limited: --hub-kubeconfig')
    rules = [rule for rule in rights.of_the_readme() if 'events' not in rule['resources']]
    with rights.of_hub(core, namespace, rights.user_of(cluster.hub_kubeconfig), rules):
        yield


@pytest.mark.gen_test
def test_a_role_without_events_costs_the_story_its_events_and_nothing_else(
        without_events, node, new_spawner, caplog):
    spawner = new_spawner('ann', events_enabled=True)
    yield spawner.start()
    told = [record.message for record in caplog.records if 'Events of pods' in record.message]
    assert len(told) == 1 and 'permissions to list and watch events' in told[0]
    yield spawner.stop(now=True)
