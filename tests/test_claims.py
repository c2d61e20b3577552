"""Whose a claim is, whatever it is called, and which one is deleted with its server. No cluster is needed."""
import pytest
from tornado import gen
from tornado.ioloop import IOLoop

from kubespawner import naming
from kubespawner.lifecycle.claims import Claims, selectors, why_kept
from kubespawner.messages.errors import SpawnError
from kubespawner.naming.ownership import PROFILE, SERVERNAME, USERNAME
from tests.fake_time import START, with_fake_time
from tests.support.fakes import LOG, FakeApi, refused, requests_to

READ, LIST, DELETE = (verb + '_namespaced_persistent_volume_claim' for verb in ('read', 'list', 'delete'))
NOT_FOUND, FORBIDDEN = refused(404, 'NotFound'), refused(403, 'Forbidden')
LABELS = {'heritage': 'jupyterhub', 'app': 'jupyterhub', USERNAME: 'ann'}


def claim(name='claim-ann', username='ann', servername='', created='2020-01-01T00:00:00Z', labels=LABELS, **metadata):
    return {'metadata': dict({'name': name, 'uid': 'of-' + name, 'creationTimestamp': created, 'labels': labels,
                              'annotations': {USERNAME: username, SERVERNAME: servername}}, **metadata)}


def claims(labels=lambda: LABELS, **answers):
    """Return (Claims of the server of ann, FakeApi)."""
    fake = FakeApi(**answers)
    return Claims(requests_to(fake), 'hubs', 'claim-ann', LOG, ('ann', ''), labels), fake


# Finding


@with_fake_time
def test_a_claim_of_the_servers_name_is_its_own_whatever_it_says():
    ours, fake = claims(**{READ: [claim(username='bob')]})
    assert (yield ours.find())['metadata']['name'] == 'claim-ann'
    assert fake.methods == [READ]


@with_fake_time
def test_a_claim_of_another_name_that_says_that_it_is_the_servers_is_taken_the_latest_first(caplog):
    ours, fake = claims(**{READ: [NOT_FOUND], LIST: [{'items': [
        claim('of-bob', username='bob'), claim('old'), claim('new', created='2021-01-01T00:00:00Z'),
        claim('other-server', servername='x'),
        claim('going', created='2022-01-01T00:00:00Z', deletionTimestamp='2022-01-02T00:00:00Z')]}]})
    assert (yield ours.find())['metadata']['name'] == 'new'
    assert 'Claim claim-ann does not exist. Taking new' in caplog.text


@with_fake_time
def test_claims_without_a_label_of_their_user_are_only_told_of(caplog):
    labels = {'heritage': 'jupyterhub', 'app': 'jupyterhub'}
    ours, fake = claims(**{READ: [NOT_FOUND], LIST: [{'items': []}, {'items': [claim('old', labels=labels)]}]})
    assert (yield ours.find()) is None
    assert 'kubectl label pvc old -n hubs --overwrite %s=ann' % USERNAME in caplog.text
    assert [arguments['label_selector'] for method, arguments in fake.asked if method == LIST] == selectors(
        LABELS, 'ann')


@pytest.mark.parametrize('made', [
    {'labels': dict(LABELS, component='singleuser-server')},
    {'labels': dict(LABELS, **{'app.kubernetes.io/component': 'database'})},
    {'labels': None}, {'ownerReferences': [{'kind': 'StatefulSet', 'name': 'db'}]}])
@with_fake_time
def test_a_claim_that_no_hub_makes_is_nobodys_whatever_its_annotations_say(made):
    ours, _ = claims(**{READ: [NOT_FOUND], LIST: [{'items': [claim('trap', **made)]}]})
    assert (yield ours.find()) is None


@pytest.mark.parametrize('component', ['singleuser-storage', 'mine'])
@with_fake_time
def test_a_claim_as_hubs_make_it_is_found(component):
    made = claim('made', labels=dict(LABELS, component=component))
    ours, _ = claims(lambda: dict(LABELS, component='mine'), **{READ: [NOT_FOUND], LIST: [{'items': [made]}]})
    assert (yield ours.find())['metadata']['name'] == 'made'


@pytest.mark.parametrize('profile, found', [('gpu', 'of-gpu'), ('large', None), (None, 'usual')])
@with_fake_time
def test_a_claim_of_a_profile_is_taken_with_this_profile_only(profile, found):
    of_gpu = claim('of-gpu', created='2022-01-01T00:00:00Z')
    of_gpu['metadata']['annotations'][PROFILE] = 'gpu'
    fake = FakeApi(**{READ: [NOT_FOUND], LIST: [{'items': [of_gpu, claim('usual')]}]})
    taken = yield Claims(requests_to(fake), 'hubs', 'x', LOG, ('ann', ''), lambda: LABELS, profile).find()
    assert (taken and taken['metadata']['name']) == found


@pytest.mark.parametrize('labels', [None, lambda: LABELS], ids=['not looked for', 'not found'])
@with_fake_time
def test_a_server_without_a_claim_has_none(labels):
    ours, fake = claims(labels, **{READ: [NOT_FOUND], LIST: [{'items': None}]})
    assert (yield ours.find()) is None
    assert (LIST in fake.methods) is (labels is not None)


@with_fake_time
def test_a_hub_that_may_not_look_for_claims_is_told_what_it_needs():
    with pytest.raises(SpawnError, match='right to list persistentvolumeclaims'):
        yield claims(**{READ: [NOT_FOUND], LIST: [FORBIDDEN]})[0].find()
    with pytest.raises(Exception, match='Invalid'):
        yield claims(**{READ: [NOT_FOUND], LIST: [refused(422, 'Invalid')]})[0].find()


GOING = claim(deletionTimestamp='2022-01-02T00:00:00Z', finalizers=['kubernetes.io/pvc-protection'])


def find_or_make_room(ours, seconds=60, check_wanted=lambda: None):
    """Return (future of the claim, list of the times at which room was made)."""
    made = []

    @gen.coroutine
    def make_room(deadline):
        made.append(IOLoop.current().time() - START)

    return ours.find_or_make_room(IOLoop.current().time() + seconds, check_wanted, make_room), made


@with_fake_time
def test_a_claim_that_is_being_deleted_is_nobodys():
    assert (yield claims(**{READ: [GOING], LIST: [{'items': []}]})[0].find()) is None
    assert (yield claims(**{READ: [GOING], LIST: [{'items': [claim('old')]}]})[0].find())['metadata']['name'] == 'old'
    ours, fake = claims(**{READ: [GOING], LIST: [{'items': []}]})
    yield ours.delete(lambda claim: None)
    assert DELETE not in fake.methods


@pytest.mark.parametrize('then', [None, claim(uid='another')], ids=['gone', 'another has its name'])
@with_fake_time
def test_a_start_waits_until_a_claim_that_is_being_deleted_is_gone_and_lets_go_of_it_first(then):
    ours, fake = claims(None, **{READ: [GOING, GOING, GOING, then or NOT_FOUND]})
    found, made = find_or_make_room(ours)
    assert (yield found) == then
    assert made == [pytest.approx(0, abs=0.05)] and len(fake.asked) == 4 and 0 < IOLoop.current().time() - START < 3


@with_fake_time
def test_a_claim_that_stays_though_it_is_being_deleted_ends_the_start_at_its_deadline():
    with pytest.raises(SpawnError, match='Waited 60 s for claim claim-ann to be gone.*pvc-protection'):
        yield find_or_make_room(claims(None, **{READ: [GOING]})[0])[0]


@pytest.mark.parametrize('answers', [[GOING], [GOING, NOT_FOUND]], ids=['while it is there', 'when it is gone'])
@with_fake_time
def test_a_start_that_was_given_up_ends_instead_of_going_on_without_the_claim(answers):
    def check_wanted():
        raise SpawnError('given up')

    with pytest.raises(SpawnError, match='given up'):
        yield find_or_make_room(claims(None, **{READ: answers})[0], check_wanted=check_wanted)[0]
    assert IOLoop.current().time() - START < 1


@pytest.mark.parametrize('answers, name', [
    ({READ: [claim()]}, 'claim-ann'), ({READ: [GOING], LIST: [{'items': [claim('old')]}]}, 'old'),
    ({READ: [NOT_FOUND], LIST: [{'items': []}]}, None)], ids=['its own', 'of another name', 'none'])
@with_fake_time
def test_a_start_does_not_wait_without_need(answers, name):
    found, made = find_or_make_room(claims(**answers)[0])
    assert ((yield found) or {'metadata': {'name': None}})['metadata']['name'] == name
    assert made == [] and IOLoop.current().time() == pytest.approx(START, abs=0.05)


def test_selectors_name_all_labels_that_the_user_may_have_here_and_in_later_spawners():
    of_user, of_nobody = selectors(dict(LABELS, **{USERNAME: 'ann-40x'}), 'ann@x')
    assert of_user.startswith('heritage=jupyterhub,app=jupyterhub,%s in (' % USERNAME) and 'ann-40x' in of_user
    assert of_nobody == 'heritage=jupyterhub,app=jupyterhub,!' + USERNAME


def test_selectors_name_the_label_of_each_slug_scheme_whichever_is_set_now():
    for label in ('ann-40x', 'ann-x---80e03d6c'):
        of_user, _ = selectors(dict(LABELS, **{USERNAME: label}), 'ann@x')
        assert {naming.owner_label('ann@x', scheme) for scheme in ('escape', 'safe')} <= set(
            of_user.split('(')[1].rstrip(')').split(','))


# Deleting


def deleted(fake):
    return [(arguments['name'], arguments['body'].preconditions.uid) for method, arguments in fake.asked
            if method == DELETE]


@with_fake_time
def test_the_claim_is_deleted_by_its_uid_unless_it_is_to_be_kept(caplog):
    ours, fake = claims(**{READ: [NOT_FOUND], LIST: [{'items': [claim('old')]}], DELETE: [{}]})
    yield ours.delete(lambda claim: None)
    assert deleted(fake) == [('old', 'of-old')]
    yield ours.delete(lambda claim: 'others have it')
    assert len(deleted(fake)) == 1 and 'Claim old is not deleted: others have it' in caplog.text


@with_fake_time
def test_no_claim_is_nothing_to_delete():
    ours, fake = claims(None, **{READ: [NOT_FOUND]})
    yield ours.delete(lambda claim: pytest.fail('there is none'))
    assert fake.methods == [READ]


@pytest.mark.parametrize('answers, said', [
    ({READ: [FORBIDDEN]}, 'right to get persistentvolumeclaims, or KubeSpawner.delete_pvc'),
    ({READ: [claim()], DELETE: [FORBIDDEN]}, 'right to delete persistentvolumeclaims'),
    ({READ: [NOT_FOUND], LIST: [FORBIDDEN]}, 'right to list persistentvolumeclaims'),
], ids=['get', 'delete', 'list'])
@with_fake_time
def test_a_claim_that_cannot_be_deleted_is_told_in_the_log_only(answers, said, caplog):
    yield claims(**answers)[0].delete(lambda claim: None)
    assert 'Claim claim-ann stays, though its server is deleted' in caplog.text and said in caplog.text


NAMES = {('', None): 'claim-ann', ('x', None): 'claim-ann-x'}


@pytest.mark.parametrize('servername, found, names, others, why', [
    ('', claim(), NAMES, (), None),
    ('x', claim('claim-ann-x', servername='x'), NAMES, (), None),
    ('', claim(username='bob'), NAMES, (), 'not one of user ann'),
    ('', claim(username=None), NAMES, (), 'not one of user ann'),
    ('', claim(), {('', 'annx'): 'claim-ann'}, (), 'gives it to other users'),
    ('', claim(labels={'heritage': 'other'}), NAMES, (), 'of another hub'),
    ('', claim(labels=None), NAMES, (), None),
    ('', claim('claim-ann-y', servername='x'), NAMES, (), "that of the server 'x'"),
    ('', claim('claim-ann-x', servername='x'), NAMES, (), None),
    ('y', claim('claim-ann-x', servername='x'), NAMES, (), "that of the server 'x'"),
    ('x', claim(servername='x'), NAMES, (), 'other servers of the user have it'),
    ('x', claim('z', servername='x'), {}, (), 'other servers of the user have it'),
    ('x', claim('z', servername='x'), NAMES, {'z'}, 'other servers of the user have it'),
])
def test_a_claim_is_kept_if_it_is_or_may_be_somebody_elses(servername, found, names, others, why):
    kept = why_kept(found, ('ann', servername), {'heritage': 'jupyterhub', 'app': 'jupyterhub'},
                    lambda server, user=None: names.get((server, user)), set(others))
    assert (kept is None) if why is None else why in kept
