"""The Secret and the Service of a pod: creating them, replacing those of an earlier pod. No cluster is needed."""
import pytest
from tornado import gen
from tornado.ioloop import IOLoop

from kubespawner.kube.api import ApiError
from kubespawner.lifecycle.companions import CREATE_TRIES, Companions
from kubespawner.messages.errors import Cause, SpawnError
from kubespawner.naming.ownership import SERVERNAME, USERNAME
from tests.fake_time import START, with_fake_time
from tests.support.fakes import LOG, FakeApi, after, at_once, pod_in, refused, requests_to

NOT_FOUND, TAKEN, DOWN = refused(404, 'NotFound'), refused(409, 'AlreadyExists'), refused(500, 'InternalError')
CREATE, READ, DELETE, READ_POD = (
    'create_namespaced_secret', 'read_namespaced_secret', 'delete_namespaced_secret', 'read_namespaced_pod')
MANIFEST = {'metadata': {'name': 's'}, 'data': {'key': 'c2VjcmV0'}}


def secret(uid='s1', pod='a', pod_uid='u0', owner=('ann', ''), **metadata):
    """Return a Secret as the API has it. pod (str or None): the name of the pod that owns it."""
    references = [{'kind': 'Pod', 'name': pod, 'uid': pod_uid}] * (pod is not None)
    return {'metadata': dict({'name': 's', 'uid': uid, 'ownerReferences': references,
                              'annotations': {USERNAME: owner[0], SERVERNAME: owner[1]}}, **metadata)}


def companions(run=at_once, **answers):
    fake = FakeApi(**answers)
    return Companions(requests_to(fake, run), 'hubs', 'a', ('ann', ''), LOG), fake


def created(ours, seconds=30, **arguments):
    return ours.create('secret', MANIFEST, 'u1', IOLoop.current().time() + seconds, **arguments)


def room(ours, seconds=30):
    return ours.make_room('secret', 's', IOLoop.current().time() + seconds)


@with_fake_time
def test_a_new_companion_takes_one_request():
    ours, fake = companions(**{CREATE: [{}]})
    yield created(ours)
    assert fake.methods == [CREATE]


@with_fake_time
def test_one_of_the_same_pod_is_what_a_lost_answer_was_about():
    ours, fake = companions(**{CREATE: [TAKEN], READ: [secret(pod_uid='u1')]})
    yield created(ours)
    assert fake.methods == [CREATE, READ]


@with_fake_time
def test_one_of_a_pod_that_is_gone_is_deleted_by_uid_and_created_again():
    ours, fake = companions(**{CREATE: [TAKEN, {}], READ: [secret(), NOT_FOUND], DELETE: [{}],
                               READ_POD: [pod_in(uid='u1')]})
    yield created(ours)
    assert fake.methods == [CREATE, READ, READ_POD, DELETE, READ, CREATE]
    (_, arguments), = [asked for asked in fake.asked if asked[0] == DELETE]
    assert arguments['body'].preconditions.uid == 's1'


@with_fake_time
def test_one_that_is_gone_meanwhile_is_not_deleted():
    ours, fake = companions(**{CREATE: [TAKEN, {}], READ: [NOT_FOUND]})
    yield created(ours)
    assert fake.methods == [CREATE, READ, CREATE]


@pytest.mark.parametrize('found', [
    secret(pod='b', pod_uid='u2', owner=('bob', '')), secret(pod='b', pod_uid='u2'),
    secret(pod=None, owner=('bob', '')), secret(pod=None, owner=('ann', 'gpu')), secret(pod=None, annotations=None),
    secret(ownerReferences=[{'kind': 'SealedSecret', 'name': 's', 'uid': 'u3'}])])
@with_fake_time
def test_that_of_a_pod_that_exists_or_of_another_server_is_left_alone(found, caplog):
    ours, fake = companions(**{CREATE: [TAKEN], READ: [found], READ_POD: [pod_in(name='b', uid='u2')]})
    for work in (created, room):
        with pytest.raises(SpawnError, match='in use by') as e:
            yield work(ours)
        assert e.value.cause is Cause.CONFIGURATION
    assert DELETE not in fake.methods
    assert 'secret_name_template' in caplog.text and 'kubectl delete secret s -n hubs' in caplog.text


@with_fake_time
def test_one_without_an_owner_is_replaced_if_it_says_that_it_is_this_servers():
    ours, fake = companions(**{READ: [secret(pod=None), NOT_FOUND], DELETE: [{}]})
    yield room(ours)
    assert fake.methods == [READ, DELETE, READ]


@with_fake_time
def test_room_is_made_only_where_there_is_something_in_the_way():
    ours, fake = companions(**{READ: [NOT_FOUND]})
    yield room(ours)
    assert fake.methods == [READ]


@with_fake_time
def test_one_in_deletion_is_waited_for():
    going = secret(deletionTimestamp='2020-01-01T00:00:00Z', finalizers=['f'])
    ours, fake = companions(**{READ: [going, going, going, NOT_FOUND], DELETE: [{}], READ_POD: [NOT_FOUND]})
    yield room(ours)
    assert fake.methods.count(READ) == 4


@with_fake_time
def test_one_that_does_not_go_away_is_waited_for_until_the_deadline():
    ours, _ = companions(**{READ: [secret(finalizers=['f'])], DELETE: [{}], READ_POD: [NOT_FOUND]})
    with pytest.raises(SpawnError, match=r"secret s of an earlier pod to be gone.*finalizers \['f'\]"):
        yield room(ours, seconds=20)
    assert 20 <= IOLoop.current().time() - START < 25


@with_fake_time
def test_a_name_that_is_always_taken_ends_in_an_error():
    ours, fake = companions(**{CREATE: [TAKEN], READ: [NOT_FOUND]})
    with pytest.raises(SpawnError, match='in each of %d tries' % CREATE_TRIES):
        yield created(ours)
    assert fake.methods.count(CREATE) == CREATE_TRIES


@with_fake_time
def test_a_temporary_failure_is_retried_and_a_final_one_is_told():
    ours, fake = companions(**{CREATE: [DOWN, {}]})
    yield created(ours)
    assert fake.methods == [CREATE] * 2
    ours, fake = companions(**{CREATE: [refused(422, 'Invalid', 'data: Too long')]})
    with pytest.raises(ApiError, match='Too long'):
        yield created(ours)


@with_fake_time
def test_a_request_that_nobody_answers_ends_at_the_deadline():
    ours, _ = companions(after(1000), **{CREATE: [{}]})
    with pytest.raises(SpawnError, match='does not answer the request to create its secret'):
        yield created(ours, seconds=5)
    assert IOLoop.current().time() - START < 10


@with_fake_time
def test_a_start_that_was_given_up_creates_nothing():
    ours, fake = companions(**{CREATE: [{}]})
    with pytest.raises(SpawnError, match='given up'):
        yield created(ours, is_wanted=lambda: False)
    assert fake.methods == []


@pytest.mark.parametrize('verb, method, word', [
    ('create', CREATE, 'create'), ('read', READ, 'get'), ('delete', DELETE, 'delete')])
@with_fake_time
def test_a_missing_right_is_told_with_the_line_to_add(verb, method, word):
    no_right = refused(403, 'Forbidden', 'User "hub" cannot %s resource "secrets" in API group ""' % word)
    answers = dict({CREATE: [TAKEN], READ: [secret()], DELETE: [{}], READ_POD: [NOT_FOUND]}, **{method: [no_right]})
    ours, _ = companions(**answers)
    with pytest.raises(SpawnError, match='does not have the right to %s secrets' % word) as e:
        yield created(ours)
    assert '- {apiGroups: [""], resources: [secrets], verbs: [get, create, delete]}' in str(e.value)


@with_fake_time
def test_what_a_quota_or_a_webhook_forbids_is_no_missing_right():
    ours, _ = companions(**{CREATE: [refused(403, 'Forbidden', 'exceeded quota: q')]})
    with pytest.raises(ApiError) as e:
        yield created(ours)
    assert e.value.cause is Cause.QUOTA


@with_fake_time
def test_no_error_or_log_has_what_is_in_the_secret(caplog):
    caplog.set_level(0)
    for answers in ([{}], [DOWN, DOWN, {}], [refused(400, 'BadRequest', 'x, error found in #10 byte of ...|c2VjcmV0')]):
        ours, _ = companions(**{CREATE: answers})
        try:
            yield created(ours)
        except ApiError as e:
            assert 'c2VjcmV0' not in str(e) + repr(e) + str(e.body)
        yield gen.moment
    assert 'c2VjcmV0' not in caplog.text
