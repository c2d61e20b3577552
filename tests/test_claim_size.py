"""A claim whose size is not the configured one. No cluster is needed."""
import logging

import pytest
from tornado.ioloop import IOLoop

from kubespawner.kube.once import Once
from kubespawner.lifecycle import claim_size
from tests.fake_time import START, with_fake_time
from tests.support.fakes import LOG, FakeApi, refused, requests_to

PATCH = 'patch_namespaced_persistent_volume_claim'
NO_RIGHT = refused(403, 'Forbidden', 'persistentvolumeclaims "c" is forbidden: User "hub" cannot patch resource '
                                     '"persistentvolumeclaims" in API group "" in the namespace "hubs"')
NO_RESIZE = refused(403, 'Forbidden', 'persistentvolumeclaims "c" is forbidden: only dynamically provisioned pvc can '
                                      'be resized and the storageclass that provisions the pvc must support resize')
QUOTA = refused(403, 'Forbidden', 'persistentvolumeclaims "c" is forbidden: exceeded quota: q')


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    monkeypatch.setattr(claim_size, '_once', Once())


def fit(requested, wanted, answer=None, is_expanded=True, phase='Bound', name='c'):
    """Return (future, FakeApi) of a claim that asks for one size when another one is wanted."""
    fake = FakeApi(**{PATCH: [answer if answer is not None else {}]})
    claim = {'metadata': {'name': name}, 'spec': {'resources': {'requests': {'storage': requested}}},
             'status': {'phase': phase}}
    return claim_size.fit(requests_to(fake), 'hubs', claim, wanted, is_expanded, LOG,
                          IOLoop.current().time() + 60), fake


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize('requested, wanted, is_patched', [
    ('1Gi', '10Gi', True), ('10239Mi', '10Gi', True), ('10G', '10Gi', True), ('1', '1001m', True),
    ('10240Mi', '10Gi', False), ('10737418240', '10Gi', False), ('10Gi', '10G', False),
    (None, '10Gi', False), ('1Gi', None, False), ('much', '1Gi', False)])
@with_fake_time
def test_a_claim_grows_if_it_asks_for_less_by_worth_and_not_by_words(requested, wanted, is_patched):
    done, fake = fit(requested, wanted)
    yield done
    assert [(arguments['name'], arguments['namespace'], arguments['body']) for _, arguments in fake.asked] == (
        [('c', 'hubs', {'spec': {'resources': {'requests': {'storage': wanted}}}})] if is_patched else [])


@with_fake_time
def test_a_claim_does_not_grow_when_it_is_not_to_or_is_not_bound(caplog):
    for arguments in ({'is_expanded': False}, {'phase': 'Pending'}):
        done, fake = fit('1Gi', '2Gi', **arguments)
        yield done
        assert fake.asked == [] and warnings(caplog) == []


@with_fake_time
def test_a_claim_that_is_larger_is_told_of_once(caplog):
    for name in 'cdc':
        yield fit('2Gi', '1Gi', name=name)[0]
    assert [message.split()[1] for message in warnings(caplog)] == ['c', 'd'] and 'cannot shrink' in caplog.text


@with_fake_time
def test_a_missing_right_is_told_of_once_in_a_process_and_the_start_goes_on(caplog):
    for name in 'cde':
        yield fit('1Gi', '2Gi', NO_RIGHT, name=name)[0]
    assert len(warnings(caplog)) == 1 and 'right to patch persistentvolumeclaims' in caplog.text


@pytest.mark.parametrize('answer', [NO_RESIZE, QUOTA, refused(422, 'Invalid', 'spec is immutable')])
@with_fake_time
def test_what_else_is_refused_is_told_of_once_for_each_claim_with_what_kubernetes_says(answer, caplog):
    for name in 'cdc':
        yield fit('1Gi', '2Gi', answer, name=name)[0]
    assert [message.split()[1] for message in warnings(caplog)] == ['c', 'd']
    assert answer.reason in caplog.text and 'right to' not in caplog.text


@with_fake_time
def test_a_start_does_not_wait_long_for_a_server_that_cannot_answer(caplog):
    yield fit('1Gi', '2Gi', refused(503, 'ServiceUnavailable'))[0]
    assert IOLoop.current().time() - START <= claim_size.PATCH_SECONDS + 1
