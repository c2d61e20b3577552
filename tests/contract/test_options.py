"""Options in the query and in the body of a deletion that the server does not take."""
import pytest

from . import releases
from .helpers import configmap, created, failure, names, ok, outcome, pod, service, told

LIST_OPTIONS = 'ListOptions'


@pytest.mark.parametrize('query, cause', [
    ({'dryRun': 'x'}, ('dryRun', 'FieldValueNotSupported')), ({'dryRun': ''}, ('dryRun', 'FieldValueNotSupported')),
    ({'fieldManager': 'x' * 129}, ('fieldManager', 'FieldValueTooLong')),
    ({'fieldManager': 'a\nb'}, ('fieldManager', 'FieldValueInvalid')),
])
def test_bad_option_of_a_write_is_422_even_if_the_body_is_wrong(http, url, name, query, cause):
    for reply in (http.post(url('configmaps'), b'{', **query), http.put(url('configmaps', name), b'{', **query)):
        assert failure(reply) == (422, 'Invalid', [cause])


@pytest.mark.parametrize('body', [b'x', b'[]', b'"x"', b'{"kind":"Pod","apiVersion":"v1"}',
                                  b'{"kind":"PodList","apiVersion":"v1"}', b'{"gracePeriodSeconds":"x"}'])
def test_body_of_a_deletion_that_is_no_options_is_refused(http, url, name, release, body):
    created(http.post(url('configmaps'), configmap(name)))
    reply = http.delete(url('configmaps', name), body)
    if release >= releases.DELETE_OPTIONS_CHECKED:
        assert failure(reply) == (400, 'BadRequest', [])
    else:
        assert reply.code == 500
    assert http.get(url('configmaps', name)).code == 200


def test_query_of_a_deletion_counts_only_without_a_body(http, url, name):
    created(http.post(url('configmaps'), configmap(name)))
    assert failure(http.delete(url('configmaps', name), propagationPolicy='x'))[0] == 422
    ok(http.delete(url('configmaps', name), {}, propagationPolicy='x'))


def test_two_policies_of_a_deletion_are_422(http, url, name):
    created(http.post(url('configmaps'), configmap(name)))
    options = {'orphanDependents': False, 'propagationPolicy': 'Background'}
    assert failure(http.delete(url('configmaps', name), options)) == (
        422, 'Invalid', [('propagationPolicy', 'FieldValueInvalid')])


@pytest.mark.parametrize('version', ['x', '-1', '1.5', '9' * 30])
def test_list_of_a_version_that_is_no_number_is_refused(http, pods, release, version):
    reply = http.get(pods, resourceVersion=version)
    if release >= releases.LIST_VERSION_CHECKED:
        assert failure(reply) == (400, 'BadRequest', [])
        assert reply.body['message'].startswith('invalid resource version: ')
    else:
        assert reply.code == 500


@pytest.mark.parametrize('query, reason', [
    ({'resourceVersionMatch': 'Exact'}, 'Forbidden'),
    ({'resourceVersionMatch': 'Exact', 'resourceVersion': '0'}, 'Forbidden'),
    ({'resourceVersionMatch': 'x', 'resourceVersion': '1'}, 'NotSupported')])
def test_match_of_a_list_that_makes_no_sense_is_422(http, pods, query, reason):
    assert failure(http.get(pods, **query)) == (422, 'Invalid', [('resourceVersionMatch', 'FieldValue' + reason)])


def test_initial_events_are_for_watches(http, pods, release):
    if release < releases.INITIAL_EVENTS:
        pytest.skip('initial events are there since Kubernetes %d.%d' % releases.INITIAL_EVENTS)
    assert failure(http.get(pods, sendInitialEvents='true')) == (
        422, 'Invalid', [('sendInitialEvents', 'FieldValueForbidden')])


def test_initial_events_need_a_match(http, pods, release):
    if release < releases.INITIAL_EVENTS:
        pytest.skip('initial events are there since Kubernetes %d.%d' % releases.INITIAL_EVENTS)
    for query in ({}, {'resourceVersionMatch': 'Exact'}):
        reply = http.get(pods, watch='true', sendInitialEvents='true', **query)
        assert outcome(reply) == (422, 'Invalid') and reply.body['details']['kind'] == LIST_OPTIONS


def test_watch_cannot_continue_a_list(http, pods, release):
    if release < releases.WATCH_CONTINUE_FORBIDDEN:
        pytest.skip('older releases ignore it')
    reply = http.get(pods, **{'watch': 'true', 'continue': 'x'})
    assert outcome(reply) == (422, 'Invalid') and reply.body['details']['kind'] == LIST_OPTIONS


def test_initial_events_come_by_name_and_a_bookmark_says_when_they_are_complete(http, url, name, release):
    if release < releases.INITIAL_EVENTS:
        pytest.skip('initial events are there since Kubernetes %d.%d' % releases.INITIAL_EVENTS)
    for letter in 'cab':
        created(http.post(url('configmaps'), configmap(name + letter, {'case': name})))
    with http.watch(url('configmaps'), labelSelector='case=' + name, sendInitialEvents='true',
                    allowWatchBookmarks='true', resourceVersionMatch='NotOlderThan') as watch:
        events = watch.take(4)
        assert told(events)[:3] == [('ADDED', name + letter) for letter in 'abc']
        assert events[3]['type'] == 'BOOKMARK'
        assert events[3]['object']['metadata']['annotations'] == {'k8s.io/initial-events-end': 'true'}
        created(http.post(url('configmaps'), configmap(name + 'd', {'case': name})))
        assert told(watch.take(1)) == [('ADDED', name + 'd')]


def test_replace_of_a_missing_object_by_its_uid_fails(http, url, name, release):
    obj = created(http.post(url('configmaps'), configmap(name)))
    ok(http.delete(url('configmaps', name)))
    expected = (404, 'NotFound') if release >= releases.NO_UID_ON_MISSING else (409, 'Conflict')
    assert outcome(http.put(url('configmaps', name), obj)) == expected


def test_answer_to_the_deletion_of_a_service(http, url, name, release):
    obj = created(http.post(url('services'), service(name)))
    answer = ok(http.delete(url('services', name)))
    if release >= releases.SERVICES_RETURNED:
        assert (answer['kind'], answer['metadata']['uid']) == ('Service', obj['metadata']['uid'])
    else:
        assert (answer['kind'], answer['status']) == ('Status', 'Success')
        assert answer['details']['uid'] == obj['metadata']['uid']
    assert http.get(url('services', name)).code == 404


def test_services_are_deleted_as_a_collection(http, url, name, release):
    if release < releases.SERVICE_COLLECTIONS:
        assert outcome(http.delete(url('services'))) == (405, 'MethodNotAllowed')
        return
    for letter in 'ab':
        created(http.post(url('services'), dict(service(name + letter), metadata={
            'name': name + letter, 'labels': {'case': name + letter}})))
    ok(http.delete(url('services'), labelSelector='case=%sa' % name))
    assert names(ok(http.get(url('services'), labelSelector='case in (%sa,%sb)' % (name, name)))) == [name + 'b']


@pytest.mark.parametrize('path', ['/version', '/version/'])
def test_version_is_there_with_and_without_a_slash(http, path, release):
    assert ok(http.get(path))['minor'].rstrip('+') == str(release[1])


def test_image_id_of_a_container_that_waits_is_empty(http, url, bound, name):
    bound(name)
    status = {'containerStatuses': [{'name': 'main', 'ready': False, 'restartCount': 0, 'image': 'x', 'imageID': '',
                                     'state': {'waiting': {'reason': 'ContainerCreating'}}}]}
    stored = ok(http.patch(url('pods', name, 'status'), {'status': status}))['status']['containerStatuses'][0]
    assert (stored['imageID'], stored['lastState']) == ('', {})


def test_metadata_alone_is_sent_to_those_who_ask(http, url, name):
    created(http.post(url('pods'), pod(name)))
    form = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'
    reply = http.pool.request('GET', http.server + url('pods', name), headers={
        'Accept': form, 'Authorization': 'Bearer %s' % http.token})
    assert b'"PartialObjectMetadata"' in reply.data and b'"spec"' not in reply.data
