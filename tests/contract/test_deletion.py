"""Deletion: at once, gracefully, held up by finalizers, or refused."""
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import pytest

from .helpers import (
    NODE,
    configmap,
    created,
    endpoints,
    failure,
    meta,
    names,
    ok,
    outcome,
    pod,
    secret,
    told,
    unique,
    version,
)


@pytest.fixture
def watch(http, pods, name):
    """A watch of the pod `name`, from before it exists."""
    since = version(ok(http.get(pods)))
    with http.watch(pods, resourceVersion=since, fieldSelector='metadata.name=' + name) as watch:
        yield watch


@pytest.fixture
def with_finalizers(http, url, name):
    """A function: create an object of a kind, held by the given finalizers, which are removed in the end."""
    made = []

    def create(resource, body, *finalizers):
        body['metadata']['finalizers'] = list(finalizers)
        made.append(url(resource, body['metadata']['name']))
        return created(http.post(url(resource), body))
    yield create
    for path in made:
        http.patch(path, {'metadata': {'finalizers': None}})


def time_left(answer):
    """Seconds from when the server answered, by its own clock, until the pod that it answered with is due to go."""
    due = datetime.strptime(answer.body['metadata']['deletionTimestamp'], '%Y-%m-%dT%H:%M:%SZ')
    return (due.replace(tzinfo=timezone.utc) - parsedate_to_datetime(answer.headers['Date'])).total_seconds()


@pytest.mark.parametrize('resource, make', [('configmaps', configmap), ('secrets', secret)])
def test_answer_of_a_deletion_names_the_object(http, url, resource, make):
    name = unique()
    uid = created(http.post(url(resource), make(name)))['metadata']['uid']
    status = ok(http.delete(url(resource, name)))
    assert (status['kind'], status['status']) == ('Status', 'Success')
    assert (status['details']['name'], status['details']['kind'], status['details']['uid']) == (name, resource, uid)
    assert http.get(url(resource, name)).code == 404


def test_second_deletion_is_404(http, url, name):
    created(http.post(url('configmaps'), configmap(name)))
    ok(http.delete(url('configmaps', name)))
    assert outcome(http.delete(url('configmaps', name))) == (404, 'NotFound')


def test_name_is_free_after_a_deletion(http, url, name):
    uids = set()
    for _ in range(2):
        uids.add(created(http.post(url('configmaps'), configmap(name)))['metadata']['uid'])
        ok(http.delete(url('configmaps', name)))
    assert len(uids) == 2


@pytest.mark.parametrize('options', [None, {}, {'gracePeriodSeconds': 30}, {'propagationPolicy': 'Background'},
                                     {'kind': 'DeleteOptions', 'apiVersion': 'v1'}])
def test_pod_without_a_node_goes_at_once(http, pods, name, watch, options):
    created(http.post(pods, pod(name)))
    answer = ok(http.delete(pods + '/' + name, options))
    assert (answer['kind'], answer['metadata']['deletionGracePeriodSeconds']) == ('Pod', 0)
    assert http.get(pods + '/' + name).code == 404
    assert told(watch.take(3)) == [('ADDED', name), ('MODIFIED', name), ('DELETED', name)]


def test_pod_on_a_node_stays_until_the_node_says_so(http, pods, name, bound, watch):
    """MODIFIED with the time that it is given; DELETED only when somebody asks for no grace at all."""
    bound(name)
    answer = ok(http.delete(pods + '/' + name))
    assert answer['metadata']['deletionGracePeriodSeconds'] == 30
    assert ok(http.get(pods + '/' + name)) == answer
    events = watch.take(3)
    assert [e['type'] for e in events] == ['ADDED', 'MODIFIED', 'MODIFIED']
    assert events[1]['object']['spec']['nodeName'] == NODE
    assert 'deletionTimestamp' not in events[1]['object']['metadata']
    assert events[2]['object'] == answer
    ok(http.delete(pods + '/' + name, {'gracePeriodSeconds': 0}))
    assert http.get(pods + '/' + name).code == 404
    assert [(e['type'], e['object']['metadata']['deletionGracePeriodSeconds']) for e in watch.take(2)] == [
        ('MODIFIED', 0), ('DELETED', 0)]


@pytest.mark.parametrize('grace', [1, 5, 100])
def test_grace_of_the_pod_is_taken(http, pods, name, bound, grace):
    bound(name, terminationGracePeriodSeconds=grace)
    answer = http.delete(pods + '/' + name)
    assert ok(answer)['metadata']['deletionGracePeriodSeconds'] == grace
    assert grace - 2 <= time_left(answer) <= grace + 1


@pytest.mark.parametrize('body, query', [
    ({'gracePeriodSeconds': 7}, {}), (None, {'gracePeriodSeconds': 7}),
    ({'kind': 'DeleteOptions', 'apiVersion': 'v1', 'gracePeriodSeconds': 7}, {})])
def test_grace_of_the_request_wins(http, pods, name, bound, body, query):
    bound(name)
    assert ok(http.delete(pods + '/' + name, body, **query))['metadata']['deletionGracePeriodSeconds'] == 7


@pytest.mark.parametrize('body, query', [({'gracePeriodSeconds': 0}, {}), (None, {'gracePeriodSeconds': 0})])
def test_without_grace_a_pod_on_a_node_goes_at_once(http, pods, name, bound, watch, body, query):
    bound(name)
    assert ok(http.delete(pods + '/' + name, body, **query))['kind'] == 'Pod'
    assert http.get(pods + '/' + name).code == 404
    events = watch.take(4)  # made, bound, marked, gone
    assert [e['type'] for e in events] == ['ADDED', 'MODIFIED', 'MODIFIED', 'DELETED']
    assert events[2]['object']['metadata']['deletionGracePeriodSeconds'] == 0


def test_grace_can_be_shortened_and_not_lengthened(http, pods, name, bound):
    bound(name)
    graces = [ok(http.delete(pods + '/' + name, gracePeriodSeconds=grace))['metadata']['deletionGracePeriodSeconds']
              for grace in (20, 30, 10, 20)]
    assert graces == [20, 20, 10, 10]


def test_deletion_that_changes_nothing_keeps_the_version(http, pods, name, bound):
    bound(name)
    first = ok(http.delete(pods + '/' + name))
    assert ok(http.delete(pods + '/' + name)) == first


@pytest.mark.parametrize('phase', ['Succeeded', 'Failed'])
def test_pod_that_has_ended_goes_at_once(http, pods, name, bound, phase):
    bound(name)
    ok(http.patch(pods + '/' + name + '/status', {'status': {'phase': phase}}))
    ok(http.delete(pods + '/' + name))
    assert http.get(pods + '/' + name).code == 404


def test_name_is_taken_while_a_pod_ends(http, pods, name, bound):
    bound(name)
    ok(http.delete(pods + '/' + name))
    answer = http.post(pods, pod(name))
    assert failure(answer) == (409, 'AlreadyExists', [])
    assert 'object is being deleted' in answer.body['message']


def test_status_of_a_pod_that_ends_can_be_written(http, pods, name, bound):
    bound(name)
    ok(http.delete(pods + '/' + name))
    status = ok(http.patch(pods + '/' + name + '/status', {'status': {'phase': 'Failed'}}))
    assert status['status']['phase'] == 'Failed' and status['metadata']['deletionTimestamp']


def test_deletion_timestamp_cannot_be_taken_back(http, pods, name, bound):
    bound(name)
    ok(http.delete(pods + '/' + name))
    ok(http.patch(pods + '/' + name, {'metadata': {'deletionTimestamp': None, 'deletionGracePeriodSeconds': None}}))
    assert ok(http.get(pods + '/' + name))['metadata']['deletionGracePeriodSeconds'] == 30


def test_deletion_timestamp_cannot_be_set_by_a_patch(http, pods, name):
    created(http.post(pods, pod(name)))
    http.patch(pods + '/' + name, {'metadata': {'deletionTimestamp': '2030-01-01T00:00:00Z'}})
    assert 'deletionTimestamp' not in ok(http.get(pods + '/' + name))['metadata']


@pytest.mark.parametrize('resource, make', [('configmaps', configmap), ('pods', pod), ('endpoints', endpoints)])
def test_finalizers_hold_an_object_until_the_last_is_gone(http, url, name, with_finalizers, resource, make):
    one, two = 'example.org/one', 'example.org/two'
    path = url(resource, name)
    since = version(with_finalizers(resource, make(name), one, two))
    with http.watch(url(resource), resourceVersion=since, fieldSelector='metadata.name=' + name) as watch:
        assert ok(http.delete(path))['metadata']['finalizers'] == [one, two]
        assert ok(http.get(path))['metadata']['deletionTimestamp']
        assert ok(http.patch(path, {'metadata': {'finalizers': [two]}}))['metadata']['finalizers'] == [two]
        assert http.get(path).code == 200
        ok(http.patch(path, {'metadata': {'finalizers': []}}))
        assert http.get(path).code == 404
        events = watch.take(3)
    assert told(events) == [('MODIFIED', name), ('MODIFIED', name), ('DELETED', name)]
    assert [e['object']['metadata'].get('finalizers') for e in events[:2]] == [[one, two], [two]]


def test_finalizers_hold_even_without_grace(http, pods, name, bound):
    bound(name)
    ok(http.patch(pods + '/' + name, {'metadata': {'finalizers': ['example.org/one']}}))
    ok(http.delete(pods + '/' + name, gracePeriodSeconds=0))
    assert ok(http.get(pods + '/' + name))['metadata']['deletionGracePeriodSeconds'] == 0
    ok(http.patch(pods + '/' + name, {'metadata': {'finalizers': None}}))
    assert http.get(pods + '/' + name).code == 404


def test_finalizer_and_grace_are_both_waited_for(http, pods, name, bound):
    bound(name)
    ok(http.patch(pods + '/' + name, {'metadata': {'finalizers': ['example.org/one']}}))
    ok(http.delete(pods + '/' + name))
    ok(http.patch(pods + '/' + name, {'metadata': {'finalizers': None}}))
    assert ok(http.get(pods + '/' + name))['metadata']['deletionGracePeriodSeconds'] == 30


def test_finalizer_cannot_be_added_to_what_is_being_deleted(http, url, name, with_finalizers):
    with_finalizers('configmaps', configmap(name), 'example.org/one')
    ok(http.delete(url('configmaps', name)))
    answer = http.patch(url('configmaps', name), {'metadata': {'finalizers': ['example.org/one', 'example.org/two']}})
    assert failure(answer) == (422, 'Invalid', [('metadata.finalizers', 'FieldValueForbidden')])


@pytest.mark.parametrize('resource, make', [('configmaps', configmap), ('pods', pod)])
def test_preconditions_protect_from_deleting_another_object(http, url, name, resource, make):
    path = url(resource, name)
    old = created(http.post(url(resource), make(name)))['metadata']
    new = ok(http.patch(path, {'metadata': {'labels': {'a': '1'}}}))['metadata']
    for conditions in ({'uid': unique()}, {'resourceVersion': old['resourceVersion']},
                       {'uid': old['uid'], 'resourceVersion': old['resourceVersion']}):
        answer = http.delete(path, {'preconditions': conditions})
        assert failure(answer) == (409, 'Conflict', [])
        assert 'precondition' in answer.body['message']
    assert ok(http.get(path))['metadata'] == new
    good = {'uid': new['uid'], 'resourceVersion': new['resourceVersion']}
    ok(http.delete(path, {'preconditions': good}))
    assert http.get(path).code == 404


def test_precondition_holds_for_a_pod_that_ends_too(http, pods, name, bound):
    uid = bound(name)['metadata']['uid']
    ok(http.delete(pods + '/' + name, {'preconditions': {'uid': uid}}))
    wrong = {'gracePeriodSeconds': 0, 'preconditions': {'uid': unique()}}
    assert outcome(http.delete(pods + '/' + name, wrong)) == (409, 'Conflict')
    ok(http.delete(pods + '/' + name, {'gracePeriodSeconds': 0, 'preconditions': {'uid': uid}}))
    assert http.get(pods + '/' + name).code == 404


@pytest.mark.parametrize('where', ['body', 'query'])
def test_dry_run_deletes_nothing(http, pods, name, where):
    obj = created(http.post(pods, pod(name)))
    if where == 'body':
        ok(http.delete(pods + '/' + name, {'dryRun': ['All']}))
    else:
        ok(http.delete(pods + '/' + name, dryRun='All'))
    assert ok(http.get(pods + '/' + name)) == obj


def test_bad_propagation_policy_is_422(http, url, name):
    created(http.post(url('configmaps'), configmap(name)))
    answer = http.delete(url('configmaps', name), propagationPolicy='Nonsense')
    assert failure(answer) == (422, 'Invalid', [('propagationPolicy', 'FieldValueNotSupported')])


def test_collection_is_deleted_by_selector(http, url, name):
    path = url('configmaps')
    for suffix, value in [('-1', name), ('-2', name), ('-3', 'other')]:
        created(http.post(path, configmap(name + suffix, labels={'case': value})))
    ok(http.delete(path, labelSelector='case=' + name))
    assert [n for n in names(ok(http.get(path))) if n.startswith(name)] == [name + '-3']


def test_namespace_ends_with_all_that_is_in_it(http):
    name = unique('kubespawner-test')
    path = '/api/v1/namespaces/' + name
    since = version(created(http.post('/api/v1/namespaces', {'metadata': meta(name)})))
    created(http.post(path + '/configmaps', configmap('one')))
    with http.watch('/api/v1/namespaces', resourceVersion=since, fieldSelector='metadata.name=' + name) as watch:
        ok(http.delete(path))
        watch.until(name, 'DELETED')
    assert http.get(path).code == 404 and http.get(path + '/configmaps/one').code == 404
