"""A claim that will not be bound to a volume. No cluster is needed."""
import pytest
from tornado.ioloop import IOLoop

from kubespawner.lifecycle import binding
from kubespawner.messages.errors import Cause, SpawnError
from tests.fake_time import START, with_fake_time
from tests.support.fakes import LOG, FakeApi, refused, requests_to

READ, EVENTS = 'read_namespaced_persistent_volume_claim', 'list_namespaced_event'
NO_CLASS = 'storageclass.storage.k8s.io "fast" not found'


def claim(phase, uid='u1'):
    return {'metadata': {'name': 'c', 'uid': uid}, 'spec': {'volumeName': 'pv-1'}, 'status': {'phase': phase}}


def events(reason='ProvisioningFailed', message=NO_CLASS, uid='u1'):
    return {'items': [{'involvedObject': {'uid': uid}, 'reason': reason, 'message': message}]}


def failure(phases, told=(), is_needed=lambda: IOLoop.current().time() < START + 60, reads_events=True):
    """Return (future of the failure, FakeApi) of a claim that is in one phase after the other."""
    fake = FakeApi(**{READ: [phase if isinstance(phase, Exception) else claim(phase) for phase in phases],
                      EVENTS: list(told) or [{'items': None}]})
    return binding.failure_to_bind(requests_to(fake), 'hubs', 'c', is_needed, reads_events, LOG), fake


def test_a_claim_that_is_lost_is_told_of():
    with pytest.raises(SpawnError, match='Claim c has lost its volume.*pv-1') as raised:
        binding.check_not_lost(claim('Lost'))
    assert raised.value.cause is Cause.STORAGE
    for fine in (claim('Bound'), claim('Pending'), {'metadata': {'name': 'c'}}, {'metadata': {}, 'status': None}):
        binding.check_not_lost(fine)


@with_fake_time
def test_nothing_is_said_of_a_claim_that_is_bound():
    done, fake = failure(['Pending', 'Pending', 'Bound'])
    assert (yield done) is None
    assert fake.methods == [READ, EVENTS, READ, EVENTS, READ]


@with_fake_time
def test_a_class_that_does_not_exist_is_told_of_within_seconds():
    done, fake = failure(['Pending'], [{'items': []}, events()])
    error = yield done
    assert error.cause is Cause.STORAGE and NO_CLASS in str(error) and IOLoop.current().time() - START < 5
    assert fake.asked[1][1]['field_selector'] == (
        'involvedObject.kind=PersistentVolumeClaim,involvedObject.name=c')


@with_fake_time
def test_a_claim_that_becomes_lost_is_told_of():
    error = yield failure(['Pending', 'Lost'])[0]
    assert error.k8s_reason == 'Lost'


@pytest.mark.parametrize('told', [
    events(uid='of an older claim'), events(reason='WaitForFirstConsumer'), events(message='the backend is busy'),
    {'items': [{}]}, {'items': [{'involvedObject': None, 'reason': None, 'message': None}]}])
@with_fake_time
def test_what_may_heal_or_is_about_another_claim_is_waited_for(told):
    assert (yield failure(['Pending'], [told])[0]) is None
    assert IOLoop.current().time() - START >= 60


@pytest.mark.parametrize('refusal', [refused(403, 'Forbidden'), refused(404, 'NotFound')])
@with_fake_time
def test_what_may_not_be_read_does_no_harm(refusal):
    done, fake = failure(['Pending'], [refusal])
    assert (yield done) is None
    assert fake.methods.count(EVENTS) == (1 if refusal.status == 403 else fake.methods.count(READ))
    assert (yield failure([refused(403, 'Forbidden')])[0]) is None
    done, fake = failure(['Pending'], reads_events=False)
    assert (yield done) is None and EVENTS not in fake.methods


@with_fake_time
def test_nobody_asks_once_nobody_waits():
    done, fake = failure(['Pending'], is_needed=lambda: False)
    assert (yield done) is None and fake.asked == []
