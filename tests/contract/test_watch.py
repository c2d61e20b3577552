"""Watches: what they send, in which order, from where they start, and how they end."""
import time

import pytest

from .helpers import PATIENCE, configmap, created, endpoints, names, ok, pod, told, version


def label(http, path, name, **labels):
    """Set labels (None removes one); return the object."""
    return ok(http.patch('%s/%s' % (path, name), {'metadata': {'labels': labels}}))


@pytest.fixture
def now(http, pods):
    """The version of the module's pods before the case."""
    return version(ok(http.get(pods)))


@pytest.fixture
def plain(url):
    """The path of objects that nothing but the case writes, and that are deleted in one step."""
    return url('endpoints')


def test_changes_come_in_order_with_growing_versions(http, plain, name, now):
    with http.watch(plain, resourceVersion=now) as watch:
        made = [created(http.post(plain, endpoints(name)))]
        made += [label(http, plain, name, a=value) for value in '12']
        ok(http.delete(plain + '/' + name))
        events = watch.take(4)
    assert told(events) == [('ADDED', name), ('MODIFIED', name), ('MODIFIED', name), ('DELETED', name)]
    versions = [version(e['object']) for e in events]
    assert versions[:3] == [version(obj) for obj in made]
    assert sorted(set(versions), key=int) == versions
    assert [e['object']['metadata'].get('labels') for e in events] == [None, {'a': '1'}, {'a': '2'}, {'a': '2'}]


def test_events_have_whole_objects(http, pods, name, now):
    with http.watch(pods, resourceVersion=now) as watch:
        obj = created(http.post(pods, pod(name)))
        sent = next(watch)
    assert set(sent) == {'type', 'object'}
    assert sent['object'] == obj


def test_version_of_a_deletion_is_newer_than_the_last_change(http, plain, name, now):
    last = created(http.post(plain, endpoints(name)))
    http.delete(plain + '/' + name)
    with http.watch(plain, resourceVersion=now) as watch:
        deleted = watch.until(name, 'DELETED')[-1]['object']
    assert int(version(deleted)) > int(version(last))
    assert deleted['metadata']['uid'] == last['metadata']['uid']


def test_from_an_older_version_history_is_replayed(http, plain, name, now):
    created(http.post(plain, endpoints(name)))
    label(http, plain, name, a='1')
    http.delete(plain + '/' + name)
    with http.watch(plain, resourceVersion=now) as watch:
        assert told(watch.take(3)) == [('ADDED', name), ('MODIFIED', name), ('DELETED', name)]


def test_replayed_events_show_the_object_as_it_was(http, pods, name, now):
    made = [created(http.post(pods, pod(name))), label(http, pods, name, a='1')]
    with http.watch(pods, resourceVersion=now) as watch:
        assert [e['object'] for e in watch.take(2)] == made


def test_watch_resumes_after_the_version_of_any_event(http, pods, name, now):
    created(http.post(pods, pod(name)))
    for number in '123':
        label(http, pods, name, a=number)
    with http.watch(pods, resourceVersion=now) as watch:
        events = watch.take(4)
    for position, event in enumerate(events):
        with http.watch(pods, resourceVersion=version(event['object'])) as watch:
            assert watch.take(3 - position) == events[position + 1:]


def test_watch_goes_on_where_a_list_ended(http, pods, name):
    created(http.post(pods, pod(name)))
    listed = ok(http.get(pods))
    assert name in names(listed)
    with http.watch(pods, resourceVersion=version(listed)) as watch:
        label(http, pods, name, a='1')
        assert told([next(watch)]) == [('MODIFIED', name)]


@pytest.mark.parametrize('query', [{}, {'resourceVersion': '0'}, {'resourceVersion': ''}])
def test_without_a_version_a_watch_begins_with_what_is_there(http, plain, name, query):
    """As ADDED, in their present form; then come the changes."""
    wanted = [name + '-1', name + '-2', name + '-3']
    for each in wanted:
        created(http.post(plain, endpoints(each, labels={'case': name})))
        last = label(http, plain, each, form='present')
    # A server may begin such a watch from a memory that is a moment old: let it catch up.
    ok(http.get(plain, resourceVersion=version(last)))
    with http.watch(plain, labelSelector='case=' + name, **query) as watch:
        first = watch.take(3)
        assert sorted(told(first)) == [('ADDED', each) for each in wanted]
        assert {e['object']['metadata']['labels']['form'] for e in first} == {'present'}
        label(http, plain, wanted[1], form='changed')
        assert told([next(watch)]) == [('MODIFIED', wanted[1])]


def test_a_change_that_changes_nothing_is_not_sent(http, pods, name, now):
    created(http.post(pods, pod(name)))
    first = label(http, pods, name, a='1')
    assert version(label(http, pods, name, a='1')) == version(first)
    assert version(ok(http.put(pods + '/' + name, first))) == version(first)
    label(http, pods, name, a='2')
    with http.watch(pods, resourceVersion=now) as watch:
        events = watch.take(3)
    assert [e['object']['metadata'].get('labels') for e in events] == [None, {'a': '1'}, {'a': '2'}]


def test_dry_run_is_not_sent(http, pods, name, now):
    with http.watch(pods, resourceVersion=now) as watch:
        created(http.post(pods, pod(name), dryRun='All'))
        created(http.post(pods, pod(name)))
        ok(http.patch(pods + '/' + name, {'metadata': {'labels': {'dry': 'run'}}}, dryRun='All'))
        ok(http.delete(pods + '/' + name, dryRun='All'))
        label(http, pods, name, a='1')
        events = watch.take(2)
    assert [(e['type'], e['object']['metadata'].get('labels')) for e in events] == [
        ('ADDED', None), ('MODIFIED', {'a': '1'})]


def test_label_selector_shows_an_object_from_when_it_matches_until_it_does_not(http, pods, name, now):
    key = name  # a label that no other object has
    with http.watch(pods, resourceVersion=now, labelSelector=key) as watch:
        created(http.post(pods, pod(name)))
        changes = [label(http, pods, name, **{key: value}) for value in ('yes', 'still', None, 'again', None)]
        events = watch.take(5)
    assert [e['type'] for e in events] == ['ADDED', 'MODIFIED', 'DELETED', 'ADDED', 'DELETED']
    assert [version(e['object']) for e in events] == [version(obj) for obj in changes]


def test_label_selector_hides_the_rest(http, pods, name, now):
    with http.watch(pods, resourceVersion=now, labelSelector='case=' + name) as watch:
        for suffix, value in [('-1', 'other'), ('-2', name), ('-3', 'other'), ('-4', name)]:
            created(http.post(pods, pod(name + suffix, labels={'case': value})))
        assert told(watch.take(2)) == [('ADDED', name + '-2'), ('ADDED', name + '-4')]


def test_label_selector_without_a_version_hides_the_rest(http, pods, name):
    for suffix, value in [('-1', 'other'), ('-2', name)]:
        last = created(http.post(pods, pod(name + suffix, labels={'case': value})))
    ok(http.get(pods, resourceVersion=version(last)))
    with http.watch(pods, labelSelector='case=' + name) as watch:
        assert told([next(watch)]) == [('ADDED', name + '-2')]
        created(http.post(pods, pod(name + '-3', labels={'case': name})))
        assert told([next(watch)]) == [('ADDED', name + '-3')]


def test_label_selector_replays_what_matched_then(http, pods, name, now):
    created(http.post(pods, pod(name, labels={'case': name})))
    label(http, pods, name, case=None)
    label(http, pods, name, more='1')
    label(http, pods, name, case=name)
    with http.watch(pods, resourceVersion=now, labelSelector='case=' + name) as watch:
        assert [e['type'] for e in watch.take(3)] == ['ADDED', 'DELETED', 'ADDED']


def test_one_object_is_watched_by_its_name(http, plain, name, now):
    with http.watch(plain, resourceVersion=now, fieldSelector='metadata.name=' + name) as watch:
        created(http.post(plain, endpoints(name + '-2')))
        created(http.post(plain, endpoints(name)))
        label(http, plain, name + '-2', a='1')
        http.delete(plain + '/' + name)
        assert told(watch.take(2)) == [('ADDED', name), ('DELETED', name)]


def test_field_selector_shows_a_pod_until_its_phase_changes(http, pods, name, bound, now):
    bound(name)
    with http.watch(pods, resourceVersion=now, fieldSelector='status.phase=Running,metadata.name=' + name) as watch:
        for phase in ('Pending', 'Running', 'Succeeded'):
            last = ok(http.patch(pods + '/' + name + '/status', {'status': {'phase': phase}}))
        events = watch.take(2)
    assert [e['type'] for e in events] == ['ADDED', 'DELETED']
    assert version(events[1]['object']) == version(last)


def test_field_that_cannot_be_selected_is_400_on_a_watch_too(http, pods):
    with http.watch(pods, fieldSelector='spec.hostname=x') as watch:
        assert watch.code == 400


def test_watch_of_a_namespace_hides_other_namespaces(http, pods, name, now, other_namespace):
    other = '/api/v1/namespaces/%s/pods' % other_namespace
    with http.watch(pods, resourceVersion=now) as watch, http.watch('/api/v1/pods', resourceVersion=now) as all_pods:
        created(http.post(other, pod(name + '-other')))
        created(http.post(pods, pod(name)))
        assert told([next(watch)]) == [('ADDED', name)]
        everywhere = [e for e in all_pods.until(name) if e['object']['metadata']['name'].startswith(name)]
        assert told(everywhere) == [('ADDED', name + '-other'), ('ADDED', name)]


def test_watch_of_one_kind_hides_other_kinds(http, url, name, now):
    with http.watch(url('pods'), resourceVersion=now) as watch:
        created(http.post(url('configmaps'), configmap(name)))
        created(http.post(url('pods'), pod(name)))
        assert next(watch)['object']['kind'] == 'Pod'


def test_two_watches_see_the_same(http, pods, name, now):
    with http.watch(pods, resourceVersion=now) as one, http.watch(pods, resourceVersion=now) as other:
        created(http.post(pods, pod(name)))
        label(http, pods, name, a='1')
        assert one.take(2) == other.take(2)


def test_time_out_ends_a_watch_cleanly(http, pods, now):
    begin = time.monotonic()
    with http.watch(pods, resourceVersion=now, timeoutSeconds=1) as watch:
        assert watch.code == 200
        assert list(watch) == []
    assert 0.5 < time.monotonic() - begin < PATIENCE


def test_time_out_does_not_cut_an_event(http, pods, name, now):
    created(http.post(pods, pod(name)))
    with http.watch(pods, resourceVersion=now, timeoutSeconds=1) as watch:
        assert told(list(watch)) == [('ADDED', name)]


def test_bookmark_comes_before_the_end_to_those_who_ask(http, pods, name, now):
    """And a watch that resumes from it repeats nothing."""
    query = {'resourceVersion': now, 'timeoutSeconds': 4}
    with http.watch(pods, allowWatchBookmarks='true', **query) as watch, http.watch(pods, **query) as other:
        obj = created(http.post(pods, pod(name)))
        events, plain = list(watch), list(other)
    assert told(plain) == [('ADDED', name)]
    assert [e['type'] for e in events] == ['ADDED'] + ['BOOKMARK'] * (len(events) - 1) and len(events) > 1
    bookmark = events[-1]['object']
    assert (bookmark['kind'], bookmark['apiVersion']) == ('Pod', 'v1')
    assert 'name' not in bookmark['metadata'] and int(version(bookmark)) >= int(version(obj))
    with http.watch(pods, resourceVersion=version(bookmark)) as watch:
        label(http, pods, name, a='1')
        assert told([next(watch)]) == [('MODIFIED', name)]


def test_version_that_is_too_old_is_answered_with_410(http, forget):
    """As an event, after which the watch ends. A server that started lately and keeps all may be skipped."""
    forget()
    for resource in ('pods', 'services', 'configmaps', 'events'):
        with http.watch('/api/v1/' + resource, resourceVersion='1', timeoutSeconds=1) as watch:
            assert watch.code == 200
            events = list(watch)
            if [e['type'] for e in events] == ['ERROR']:
                break
    else:
        assert not forget.works
        pytest.skip('this server forgot nothing yet')
    status = events[0]['object']
    assert (status['kind'], status['status'], status['code']) == ('Status', 'Failure', 410)
    assert status['reason'] in ('Expired', 'Gone')


def test_after_410_a_list_and_a_watch_from_its_version_go_on(http, pods, name, forget):
    forget()
    since = version(ok(http.get(pods)))
    with http.watch(pods, resourceVersion=since) as watch:
        created(http.post(pods, pod(name)))
        assert told([next(watch)]) == [('ADDED', name)]
