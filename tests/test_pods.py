"""Making and deleting a pod: whose it is, what becomes of lost answers, what is in its way. Needs no cluster."""
import time

import pytest
from kubernetes import client
from tornado import gen
from tornado.ioloop import IOLoop
from urllib3.exceptions import NewConnectionError, ProtocolError

from kubespawner.kube import api, clients
from kubespawner.lifecycle.pods import CREATE_TRIES, SPAWN_ID, STARTS_KEPT, KnownPod, Ownership, Pods, uid_of
from kubespawner.messages.errors import SpawnError
from kubespawner.naming.ownership import SERVERNAME, USERNAME
from kubespawner.spawner import PodReflector
from tests.fake_time import START, with_fake_time
from tests.support.fakes import LOG, FakeApi, after, at_once, pod_in, refused, requests_to

TAKEN, NOT_FOUND = refused(409, 'AlreadyExists'), refused(404, 'NotFound')


def manifest():
    return client.V1Pod(metadata=client.V1ObjectMeta(name='a', annotations={'mine': 'too'}))


def as_created(arguments, **values):
    """Return the pod that a request to create it makes."""
    body = arguments['body']
    annotations = (body if isinstance(body, dict) else body.to_dict())['metadata']['annotations']
    return pod_in('Pending', **dict({'annotations': annotations, 'version': 5}, **values))


class Server:
    """The `Pods` of the server of ann, with a FakeApi and a cache of their own."""

    def __init__(self, ownership=Ownership.NONE, uid=None, run=at_once, force_after=None,
                 may_delete_foreign=lambda pod: False, start_timeout=0, earlier=(), **answers):
        self.api, self.reflector = FakeApi(**dict({'delete_namespaced_pod': [{}]}, **answers)), PodReflector(
            namespace='hubs')
        self.known = KnownPod(ownership, uid, earlier=earlier)
        self.pods = Pods(requests_to(self.api, run), self.reflector, 'hubs', 'a', LOG, ('ann', ''), self.known,
                         grace_period=7, force_after=force_after, may_delete_foreign=may_delete_foreign,
                         start_timeout=start_timeout)

    def create(self, seconds=60, is_wanted=lambda: True):
        return gen.coroutine(self.pods.create)(manifest(), IOLoop.current().time() + seconds, is_wanted)

    @property
    def deleted(self):
        """The (uid, grace period) of each request to delete a pod."""
        options = [arguments['body'] for method, arguments in self.api.asked if method == 'delete_namespaced_pod']
        return [(each.preconditions.uid, each.grace_period_seconds) for each in options]


def elapsed():
    return IOLoop.current().time() - START


# Making one


@with_fake_time
def test_the_pod_that_was_made_is_the_servers_and_in_the_cache():
    server = Server(create_namespaced_pod=[as_created])
    pod = yield server.create()
    assert pod['metadata']['annotations']['mine'] == 'too'
    assert server.known.is_this(pod) and uid_of(server.reflector.get('a')) == 'u1'


@with_fake_time
def test_no_pod_is_made_that_nobody_wants():
    server = Server(create_namespaced_pod=[as_created])
    with pytest.raises(SpawnError, match='given up'):
        yield server.create(is_wanted=lambda: False)
    assert not server.api.asked


@with_fake_time
def test_a_pod_that_is_no_longer_wanted_when_it_is_there_is_deleted():
    server, wanted = Server(create_namespaced_pod=[as_created]), iter([True, False])
    with pytest.raises(SpawnError, match='given up'):
        yield server.create(is_wanted=lambda: next(wanted, False))
    assert server.deleted == [('u1', 0)] and not server.known.is_ours


@with_fake_time
def test_a_pod_in_the_way_is_deleted_first():
    server = Server(create_namespaced_pod=[TAKEN, lambda a: as_created(a, uid='u2')],
                    read_namespaced_pod=[pod_in(uid='u1'), NOT_FOUND])
    IOLoop.current().call_later(3, lambda: server.reflector._change('DELETED', pod_in(uid='u1', version=4)))
    assert uid_of((yield server.create())) == 'u2'
    assert server.deleted == [('u1', 7)]


@with_fake_time
def test_a_pod_that_goes_while_it_is_looked_at_is_in_nobodys_way():
    server = Server(create_namespaced_pod=[TAKEN, as_created], read_namespaced_pod=[NOT_FOUND])
    yield server.create()
    assert not server.deleted


@with_fake_time
def test_a_name_that_is_taken_again_and_again_is_given_up():
    server = Server(create_namespaced_pod=[TAKEN], read_namespaced_pod=[NOT_FOUND])
    with pytest.raises(SpawnError, match='in each of %d tries' % CREATE_TRIES):
        yield server.create()


@pytest.mark.parametrize('other, said', [
    ({'annotations': {USERNAME: 'bob', SERVERNAME: 'x'}}, "the server 'x' of the user 'bob'"),
    ({'labels': {'heritage': 'jupyterhub', 'component': 'theirs'}}, 'another hub')], ids=['user', 'hub'])
@with_fake_time
def test_another_servers_pod_is_left_alone_and_its_operator_told_how_to_remove_it(other, said, caplog):
    server = Server(create_namespaced_pod=[TAKEN], read_namespaced_pod=[pod_in(**other)])
    with pytest.raises(SpawnError, match='Pod a is in use by %s.*Tell the operator' % said):
        yield server.create()
    assert not server.deleted
    for words in ('uid u1', said, 'kubectl delete pod a -n hubs', "server '' of the user 'ann'", 'delete_foreign_pods'):
        assert words in caplog.text


@with_fake_time
def test_another_servers_pod_is_deleted_by_its_uid_if_that_is_allowed():
    squatter = pod_in(uid='u1', annotations={USERNAME: 'bob'})
    server = Server(create_namespaced_pod=[TAKEN, lambda a: as_created(a, uid='u2')],
                    read_namespaced_pod=[squatter, NOT_FOUND], may_delete_foreign=lambda pod: uid_of(pod) == 'u1')
    IOLoop.current().call_later(3, lambda: server.reflector._change('DELETED', dict(
        squatter, metadata=dict(squatter['metadata'], resourceVersion='4'))))
    assert uid_of((yield server.create())) == 'u2'
    assert server.deleted == [('u1', 7)]


def made_ago(seconds, mark='theirs', uid='u1', phase='Running', **metadata):
    """Return a pod of this server's name that a start with this mark made so many seconds ago."""
    pod = pod_in(phase, uid=uid, annotations={SPAWN_ID: mark} if mark else {})
    created = None if seconds is None else time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() - seconds))
    pod['metadata'].update(metadata, creationTimestamp=created)
    return pod


def with_one_in_the_way(pod, earlier=()):
    """Return a Server with this pod in its way, which goes when it is deleted."""
    server = Server(
        start_timeout=300, earlier=earlier, read_namespaced_pod=[pod, NOT_FOUND],
        create_namespaced_pod=[TAKEN, lambda a: as_created(a, uid='u2')])
    deleted = dict(pod, metadata=dict(pod['metadata'], resourceVersion='4'))
    IOLoop.current().call_later(3, lambda: server.reflector._change('DELETED', deleted))
    return server


@pytest.mark.parametrize('phase', ['Pending', 'Running'])
@with_fake_time
def test_the_pod_that_another_hub_starts_for_this_server_is_left_alone(phase, caplog):
    server = with_one_in_the_way(made_ago(10, phase=phase))
    with pytest.raises(SpawnError, match='is being started by another process of this hub'):
        yield server.create()
    assert not server.deleted and not server.known.is_ours
    for words in ('uid u1', 'Two hubs must not use one database', 'kubectl delete pod a -n hubs'):
        assert words in caplog.text


@with_fake_time
def test_two_hubs_that_start_a_server_at_once_make_one_pod():
    first = Server(start_timeout=300, create_namespaced_pod=[as_created])
    pod = yield first.create()
    pod['metadata']['creationTimestamp'] = made_ago(0)['metadata']['creationTimestamp']
    second = with_one_in_the_way(pod)
    with pytest.raises(SpawnError, match='another process'):
        yield second.create()
    assert not second.deleted and first.known.is_this(pod)


@pytest.mark.parametrize('pod', [
    made_ago(301), made_ago(10, mark=None), made_ago(10, phase='Failed'), made_ago(10, deletionTimestamp='now'),
    made_ago(None)], ids=['old', 'not marked', 'failed', 'being deleted', 'made at no time'])
@with_fake_time
def test_what_no_hub_can_be_waiting_for_is_not_left_in_the_way(pod):
    server = with_one_in_the_way(pod)
    assert uid_of((yield server.create())) == 'u2'


@pytest.mark.parametrize('earlier', ['theirs', 'u1'], ids=['spawn id', 'uid'])
@with_fake_time
def test_what_an_earlier_start_of_this_hub_has_left_is_not_another_hubs(earlier):
    server = with_one_in_the_way(made_ago(10), earlier=[earlier])
    server.known.begin_start()
    assert uid_of((yield server.create())) == 'u2'


def test_a_server_remembers_its_last_starts_only():
    known = KnownPod()
    for _ in range(2 * STARTS_KEPT):
        known.begin_start()
    assert len(known.starts) == STARTS_KEPT and known.starts[-1] == known.spawn_id
    assert KnownPod(uid='u1', earlier=known.starts).starts[-1] == 'u1'


@with_fake_time
def test_a_lost_answer_is_looked_for_and_the_pod_taken():
    made = []

    def lose(arguments):
        made.append(as_created(arguments))
        return ProtocolError('connection lost')

    server = Server(create_namespaced_pod=[lose, TAKEN], read_namespaced_pod=[lambda _: made[0]])
    pod = yield server.create()
    assert pod['metadata']['annotations'][SPAWN_ID] == made[0]['metadata']['annotations'][SPAWN_ID]
    assert server.known.is_this(pod) and not server.deleted


@with_fake_time
def test_a_request_that_did_not_land_is_an_error():
    server = Server(create_namespaced_pod=[ProtocolError('connection lost')], read_namespaced_pod=[NOT_FOUND])
    with pytest.raises(api.ApiError, match='connection lost'):
        yield server.create()
    assert server.known.ownership is Ownership.UNCERTAIN


@pytest.mark.parametrize('error', [refused(422, 'Invalid'), NewConnectionError(None, 'nobody there')],
                         ids=['refused', 'never sent'])
@with_fake_time
def test_what_cannot_have_made_a_pod_leaves_it_known_that_there_is_none(error):
    server = Server(create_namespaced_pod=[error])
    with pytest.raises(api.ApiError):
        yield server.create()
    assert server.known.ownership is Ownership.NONE


@with_fake_time
def test_an_answer_that_does_not_come_ends_the_start_in_time_and_its_pod_is_deleted_when_it_comes():
    server = Server(create_namespaced_pod=[as_created], run=after(90))
    with pytest.raises(SpawnError, match='does not answer the request to create it'):
        yield server.create(seconds=60)
    assert elapsed() == pytest.approx(60, abs=1) and not server.deleted
    yield gen.sleep(200)
    assert server.deleted == [('u1', 0)]


@pytest.mark.parametrize('is_ours', [True, False])
@with_fake_time
def test_a_proxys_error_may_hide_a_pod_which_is_looked_for_and_deleted_if_it_is_of_this_start(is_ours):
    made = []

    def hide(arguments):
        made.append(as_created(arguments, **({} if is_ours else {'annotations': {}})))
        return refused(500, 'Bad gateway')

    server = Server(create_namespaced_pod=[hide], read_namespaced_pod=[lambda _: made[0]])
    with pytest.raises(api.ApiError):
        yield server.create()
    yield gen.sleep(1)
    assert server.deleted == [('u1', 0)] * is_ours


@with_fake_time
def test_that_a_hidden_pod_cannot_be_looked_for_is_told(caplog):
    server = Server(create_namespaced_pod=[refused(500)], read_namespaced_pod=[refused(403, 'Forbidden')])
    with pytest.raises(api.ApiError):
        yield server.create()
    yield gen.sleep(1)
    assert 'Whether pod a was created is not known' in caplog.text


@with_fake_time
def test_a_lost_answer_that_cannot_be_looked_for_is_an_error_too():
    server = Server(create_namespaced_pod=[ProtocolError('lost')], read_namespaced_pod=[refused(403, 'Forbidden')])
    with pytest.raises(api.ApiError, match='Forbidden'):
        yield server.create()


# Whose it is


def test_a_pod_that_took_the_name_of_ours_is_a_successor(caplog):
    server = Server(Ownership.OURS, 'u1')
    assert server.pods.is_a_successor(pod_in(uid='u2')) and 'left alone' in caplog.text
    assert not server.pods.is_a_successor(pod_in(uid='u1'))
    assert not Server(Ownership.OURS).pods.is_a_successor(pod_in(uid='u2'))
    assert not Server(Ownership.UNKNOWN).pods.is_a_successor(pod_in(uid='u2'))


@pytest.mark.parametrize('known, annotations, is_anothers', [
    ((Ownership.UNKNOWN, None), {USERNAME: 'ann', SERVERNAME: ''}, False),
    ((Ownership.UNKNOWN, None), {USERNAME: 'ann', SERVERNAME: 'x'}, True),
    ((Ownership.UNKNOWN, None), {USERNAME: 'bob'}, True),
    ((Ownership.UNKNOWN, None), {}, False),
    ((Ownership.OURS, 'u1'), {USERNAME: 'name of before'}, False),
    ((Ownership.OURS, None), {USERNAME: 'name of before'}, False),
    ((Ownership.OURS, 'u2'), {USERNAME: 'bob'}, True),
])
def test_a_pod_says_whose_it_is_unless_it_is_known_to_be_ours(known, annotations, is_anothers):
    assert Server(*known).pods.is_another_servers(pod_in(annotations=annotations)) is is_anothers


# Deleting one


def delete(server, pod, grace=7, seconds=60):
    return gen.coroutine(server.pods.delete)(pod, grace, IOLoop.current().time() + seconds)


@with_fake_time
def test_deleting_a_pod_ends_when_it_is_gone():
    server = Server(Ownership.OURS, 'u1')
    server.reflector.upsert(pod_in())
    IOLoop.current().call_later(4, lambda: server.reflector._change('DELETED', pod_in(version=2)))
    yield delete(server, pod_in())
    assert server.deleted == [('u1', 7)] and elapsed() == pytest.approx(4, abs=0.5)


@pytest.mark.parametrize('answers', [
    {'delete_namespaced_pod': [NOT_FOUND]},
    {'delete_namespaced_pod': [refused(409, 'Conflict')], 'read_namespaced_pod': [pod_in(uid='u2')]},
], ids=['gone', 'another took its name'])
@with_fake_time
def test_a_pod_that_is_gone_already_is_forgotten(answers):
    server = Server(**answers)
    server.reflector.upsert(pod_in())
    yield delete(server, pod_in())
    assert uid_of(server.reflector.get('a')) != 'u1'


@pytest.mark.parametrize('seconds, sent', [(0, {'gracePeriodSeconds': 0}), (7, {'gracePeriodSeconds': 7}), (None, {})])
@with_fake_time
def test_the_pods_own_grace_period_counts_if_there_is_no_other(seconds, sent):
    server = Server(delete_namespaced_pod=[NOT_FOUND])
    yield from server.pods.delete(pod_in(), seconds, IOLoop.current().time() + 60)
    (_, arguments), = server.api.asked
    body = clients.to_dict(arguments['body'])
    assert {key: body[key] for key in body if key == 'gracePeriodSeconds'} == sent


@with_fake_time
def test_room_is_made_by_deleting_what_has_the_name_but_not_another_servers_pod():
    server = Server(read_namespaced_pod=[pod_in()], delete_namespaced_pod=[NOT_FOUND])
    yield server.pods.make_room(IOLoop.current().time() + 60)
    assert server.deleted == [('u1', 7)]
    server = Server(read_namespaced_pod=[NOT_FOUND])
    yield server.pods.make_room(IOLoop.current().time() + 60)
    assert server.deleted == []
    bobs = pod_in(annotations={USERNAME: 'bob', SERVERNAME: ''})
    with pytest.raises(SpawnError, match='in use by'):
        yield Server(read_namespaced_pod=[bobs]).pods.make_room(IOLoop.current().time() + 60)


@pytest.mark.parametrize('answers', [
    {'delete_namespaced_pod': [refused(403, 'Forbidden')]},
    {'delete_namespaced_pod': [refused(409, 'Conflict')], 'read_namespaced_pod': [pod_in(uid='u1')]},
], ids=['refused', 'in conflict'])
@with_fake_time
def test_a_pod_that_may_not_be_deleted_is_an_error(answers):
    with pytest.raises(api.ApiError):
        yield delete(Server(**answers), pod_in())


@with_fake_time
def test_a_pod_that_stays_is_an_error_at_the_deadline_or_deleted_by_force_before():
    server = Server(read_namespaced_pod=[pod_in()])
    server.reflector.upsert(pod_in())
    with pytest.raises(SpawnError, match='Waited 60 s for pod a to be gone'):
        yield delete(server, pod_in())
    server = Server(read_namespaced_pod=[pod_in()], force_after=20)
    server.reflector.upsert(pod_in())
    IOLoop.current().call_later(25, lambda: server.reflector._change('DELETED', pod_in(version=2)))
    yield delete(server, pod_in())
    assert server.deleted == [('u1', 7), ('u1', 0)]
    yield delete(Server(delete_namespaced_pod=[NOT_FOUND], force_after=20), pod_in())


@with_fake_time
def test_a_pod_of_which_the_cache_knows_nothing_is_read_until_it_is_gone():
    foreign = pod_in(labels={})
    server = Server(read_namespaced_pod=[foreign, foreign, NOT_FOUND])
    yield delete(server, foreign)
    assert len(server.api.asked) == 4


@with_fake_time
def test_a_pod_that_nobody_waits_for_is_deleted_at_once_and_failures_are_told_only(caplog):
    server = Server(delete_namespaced_pod=[{}, NOT_FOUND, refused(403, 'Forbidden')])
    server.reflector.upsert(pod_in())
    yield server.pods.discard(pod_in())
    assert server.deleted == [('u1', 0)] and server.reflector.get('a')
    yield server.pods.discard(pod_in())
    assert server.reflector.get('a') is None
    yield server.pods.discard(pod_in())
    assert 'Forbidden' in caplog.text
