"""What the cache believes, and who is told of it: without a thread, a server, or time."""
import pytest
from tornado import gen
from tornado.ioloop import IOLoop

from kubespawner.kube.cache import MOST_TOMBSTONES, Cache, version_of
from tests.fake_time import START, with_fake_time
from tests.support.fakes import LABELS, pod_in


class Pods(Cache):
    """A cache whose subscribers are told of changes of the phase."""

    def watched_part(self, resource):
        return resource and resource['status']['phase']


def cache(**traits):
    return Pods(**dict({'namespace': 'hubs', 'labels': LABELS}, **traits))


def version(known, key='a'):
    pod = known.get(key)
    return pod and version_of(pod)


@pytest.mark.parametrize('resource, number', [
    ({'metadata': {'resourceVersion': '7'}}, 7), ({'metadata': {}}, 0), ({}, 0), ({'metadata': None}, 0),
    ({'metadata': {'resourceVersion': 'x'}}, 0), ({'metadata': {'resourceVersion': float('inf')}}, 0)])
def test_a_version_that_is_no_number_is_the_oldest(resource, number):
    assert version_of(resource) == number


# Which state is the newer one


def test_an_answer_is_believed_only_if_it_is_newer():
    known = cache()
    for answered, then in [(5, 5), (4, 5), (6, 6)]:
        known.upsert(pod_in(version=answered))
        assert version(known) == then
    before = known.get('a')
    known.upsert(pod_in(version=6))
    assert known.get('a') is before


def test_an_answer_from_before_the_last_list_brings_nothing_back():
    known = cache()
    known._replace({}, 10, set())
    known.upsert(pod_in(version=9))
    assert version(known) is None
    known.upsert(pod_in(version=11))
    assert version(known) == 11


@pytest.mark.parametrize('other', [{'labels': {}}, {'namespace': 'elsewhere'}])
def test_what_is_not_selected_is_not_kept(other):
    known = cache()
    known.upsert(pod_in(**other))
    assert not known.resources
    everywhere = cache(namespace='', labels={})
    everywhere.upsert(pod_in(**other))
    assert len(everywhere.resources) == 1


def test_the_watch_brings_changes_in_their_order():
    known = cache()
    known._change('ADDED', pod_in(version=3))
    known._change('MODIFIED', pod_in(version=2))
    assert version(known) == 3
    known._change('MODIFIED', pod_in(version=4))
    assert version(known) == 4
    known._change('DELETED', pod_in(version=4))
    assert version(known) is None


def test_a_state_that_an_answer_has_told_already_is_no_news_but_its_end_is():
    known = cache()
    known.upsert(pod_in(version=4))
    before = known.get('a')
    known._change('MODIFIED', pod_in(version=4))
    assert known.get('a') is before
    known._change('DELETED', pod_in(version=4))
    assert known.get('a') is None


def test_what_is_gone_is_not_brought_back_but_another_of_its_name_is_kept():
    known = cache()
    known.upsert(pod_in(version=4))
    known.forget(pod_in(version=4))
    assert version(known) is None
    known._change('MODIFIED', pod_in(version=5))
    known.upsert(pod_in(version=6))
    assert version(known) is None
    known.upsert(pod_in(uid='u2', version=7))
    known.forget(pod_in(uid='u1'))
    assert version(known) == 7


def test_a_list_replaces_all_but_what_is_newer_than_it():
    known = cache()
    known.upsert(pod_in(name='old', uid='old', version=3))
    known.upsert(pod_in(name='new', uid='new', version=9))
    known._replace({'a': pod_in(version=2)}, 5, set())
    assert sorted(known.resources) == ['a', 'new']


def test_a_list_does_not_bring_back_what_is_gone_unless_the_server_was_set_back():
    known = cache()
    known.forget(pod_in(version=4))
    known._replace({'a': pod_in(version=4)}, 5, set())
    assert not known.resources
    known._replace({'a': pod_in(version=2)}, 3, {'u1'})
    assert version(known) == 2


def test_only_so_many_are_remembered_that_are_gone():
    known = cache()
    for number in range(1, MOST_TOMBSTONES + 10):
        known._change('DELETED', pod_in(name='p%d' % number, uid=str(number), version=number))
    assert len(known._tombstones) == MOST_TOMBSTONES
    known._change('MODIFIED', pod_in(name='p1', uid='1', version=1))  # forgotten, but older than what is settled
    assert not known.resources


def test_of_an_object_only_what_is_asked_for_is_kept():
    known = cache(fields=['status.phase'], further_fields=['spec.nodeName'])
    pod = dict(pod_in(), spec={'nodeName': 'n', 'containers': []})
    pod['metadata']['managedFields'] = ['much']
    known.upsert(pod)
    kept = known.get('a')
    assert (kept['status'], kept['spec']) == ({'phase': 'Running'}, {'nodeName': 'n'})
    assert 'managedFields' not in kept['metadata']


def test_a_key_has_the_namespace_if_the_cache_has_all_of_them():
    assert (cache().key('hubs', 'a'), cache(namespace='').key('hubs', 'a')) == ('a', 'hubs/a')


# Who is told


@pytest.mark.parametrize('change', [
    lambda known: known.upsert(pod_in()), lambda known: known._change('ADDED', pod_in()), lambda known: known.wake('a'),
    lambda known: known.forget(pod_in()), lambda known: known._replace({}, 5, set())],
    ids=['answer', 'watch', 'wake', 'gone', 'list'])
@with_fake_time
def test_whoever_waits_is_woken_by_each_change(change):
    known = cache()
    first, second = known.changed('a', 60), known.changed('a', 60)
    IOLoop.current().call_later(3, change, known)
    assert (yield [first, second]) == [True, True]
    assert IOLoop.current().time() - START == pytest.approx(3, abs=0.1)


@with_fake_time
def test_a_wait_without_a_change_ends_in_time_and_leaves_nothing_behind():
    known = cache()
    longer = known.changed('a', 20)
    assert (yield known.changed('a', 10)) is False
    known._change('ADDED', pod_in(name='b', uid='b'))
    assert (yield longer) is False
    assert not known._waiters


def test_a_loop_that_is_closed_disturbs_nobody():
    known = cache()
    loop = IOLoop(make_current=False)

    @gen.coroutine
    def begin():
        known.changed('a', 60)
        known.subscribe('a', listener.told)

    listener = Listener()
    loop.run_sync(begin)
    loop.close()
    known._change('ADDED', pod_in())
    known._change('MODIFIED', pod_in('Failed', version=2))
    assert version(known) == 2 and not listener.heard


class Listener:
    heard = 0

    def told(self):
        self.heard += 1


@with_fake_time
def test_a_subscriber_is_told_when_the_watched_part_has_changed_and_not_otherwise():
    known, listener = cache(), Listener()
    known.subscribe('a', listener.told)
    for number, (phase, heard) in enumerate([('Pending', 1), ('Pending', 1), ('Running', 2)]):
        known._change('MODIFIED', pod_in(phase, version=number + 1))
        yield gen.sleep(1)
        assert listener.heard == heard
    known.upsert(pod_in('Failed', version=9))
    yield gen.sleep(1)
    assert listener.heard == 3
    known._replace({'a': pod_in('Running', version=10)}, 10, set())
    yield gen.sleep(1)
    assert listener.heard == 4
    known.unsubscribe('a', Listener().told)
    known.unsubscribe('a', listener.told)
    known._change('MODIFIED', pod_in('Failed', version=11))
    yield gen.sleep(1)
    assert listener.heard == 4


@with_fake_time
def test_a_subscriber_that_is_no_longer_there_is_forgotten():
    known, listener = cache(), Listener()
    known.subscribe('a', listener.told)
    known._change('ADDED', pod_in('Pending'))
    del listener
    yield gen.sleep(1)  # it has gone between the change and the loop's turn
    known._change('MODIFIED', pod_in('Running', version=2))
    assert not known._subscribers
