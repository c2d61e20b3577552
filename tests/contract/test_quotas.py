"""Quotas and limit ranges: what the server refuses, what it counts, and what it adds."""
from functools import partial

import pytest

from tests.support import waits

from .helpers import PATIENCE, claim, configmap, container, created, failure, ok, pod, secret, service

until = partial(waits.until, seconds=3 * PATIENCE)  # controllers of a real cluster count late


@pytest.fixture
def place(http, other_namespace):
    """A function: place('pods') is the path of the pods in a namespace of the case's own."""
    return lambda *parts: '/'.join(('/api/v1/namespaces', other_namespace) + parts)


@pytest.fixture
def limit(http, place):
    """A function that creates a quota, and returns when the server has counted."""
    def create(name, hard, **spec):
        created(http.post(place('resourcequotas'), {'metadata': {'name': name}, 'spec': dict({'hard': hard}, **spec)}))
        until(lambda: set(status(name).get('used', ())) == set(status(name).get('hard', ())) == set(hard), name)

    def status(name):
        return ok(http.get(place('resourcequotas', name)))['status']

    create.used = lambda name: status(name)['used']
    return create


def asks(**kinds):
    """A pod whose container has the resources, such as requests={'cpu': '1'}."""
    return pod('asks', containers=[container(resources=kinds)])


def message(answer):
    assert (answer.code, answer.body['reason']) == (403, 'Forbidden'), answer
    return answer.body['message']


@pytest.mark.parametrize('resource, name, make', [
    ('pods', 'pods', pod), ('pods', 'count/pods', pod),
    ('persistentvolumeclaims', 'persistentvolumeclaims', claim), ('services', 'services', service),
    ('services', 'count/services', service), ('configmaps', 'count/configmaps', configmap),
    ('persistentvolumeclaims', 'count/persistentvolumeclaims', claim)])
def test_more_objects_than_the_quota_are_refused(http, place, limit, resource, name, make):
    exists = len(ok(http.get(place(resource)))['items'])
    limit('q', {name: exists + 1})
    created(http.post(place(resource), make('one')))
    answer = http.post(place(resource), make('two'))
    assert message(answer) == (
        '%s "two" is forbidden: exceeded quota: q, requested: %s=1, used: %s=%d, limited: %s=%d' % (
            resource, name, name, exists + 1, name, exists + 1))
    assert answer.body['details'] == {'name': 'two', 'kind': resource}
    assert limit.used('q') == {name: str(exists + 1)}


def test_secrets_are_counted(http, place, limit):
    exists = len(ok(http.get(place('secrets')))['items'])
    limit('q', {'secrets': exists, 'count/secrets': exists + 1})
    assert 'exceeded quota: q, requested: secrets=1, used: secrets=%d, limited: secrets=%d' % (
        exists, exists) in message(http.post(place('secrets'), secret('two')))


def test_what_containers_request_is_counted_in_sum(http, place, limit):
    limit('q', {'requests.cpu': '1500m', 'limits.memory': '3Gi', 'cpu': '2', 'requests.memory': '10Gi'})
    two = [container(name, resources={'requests': {'cpu': '500m', 'memory': '512Mi'}, 'limits': {'memory': '1Gi'}})
           for name in ('a', 'b')]
    created(http.post(place('pods'), pod('one', containers=two)))
    assert limit.used('q') == {'requests.cpu': '1', 'cpu': '1', 'limits.memory': '2Gi', 'requests.memory': '1Gi'}
    assert message(http.post(place('pods'), pod('two', containers=two))) == (
        'pods "two" is forbidden: exceeded quota: q, requested: limits.memory=2Gi,requests.cpu=1, '
        'used: limits.memory=2Gi,requests.cpu=1, limited: limits.memory=3Gi,requests.cpu=1500m')


@pytest.mark.parametrize('hard, resources', [
    ({'requests.cpu': '1'}, {}), ({'cpu': '1'}, {'requests': {'memory': '1Gi'}}),
    ({'limits.memory': '1Gi'}, {'requests': {'memory': '1Gi'}}), ({'memory': '1Gi', 'pods': '1'}, {})])
def test_what_is_limited_has_to_be_requested(http, place, limit, hard, resources):
    limit('q', hard)
    name = min(hard)
    assert message(http.post(place('pods'), asks(**resources))).startswith(
        'pods "asks" is forbidden: failed quota: q: must specify ' + name)


def test_a_limit_is_a_request_as_well(http, place, limit):
    limit('q', {'requests.cpu': '1'})
    assert 'exceeded quota' in message(http.post(place('pods'), asks(limits={'cpu': '2'})))
    created(http.post(place('pods'), asks(limits={'cpu': '1'})))


def test_ephemeral_storage_and_extended_resources_need_not_be_requested(http, place, limit):
    limit('q', {'requests.ephemeral-storage': '1Gi', 'requests.example.com/gpu': '1'})
    created(http.post(place('pods'), pod('one')))
    gpu = {'example.com/gpu': '2'}
    assert message(http.post(place('pods'), asks(limits=gpu, requests=gpu))).endswith(
        'requested: requests.example.com/gpu=2, used: requests.example.com/gpu=0, '
        'limited: requests.example.com/gpu=1')


def test_the_largest_init_container_counts_if_it_is_larger_than_all_others(http, place, limit):
    limit('q', {'requests.cpu': '2'})
    large = container('init', resources={'requests': {'cpu': '3'}})
    body = pod('one', initContainers=[large], containers=[container(resources={'requests': {'cpu': '1'}})])
    assert 'requested: requests.cpu=3' in message(http.post(place('pods'), body))


def test_storage_is_counted_by_class_as_well(http, place, limit):
    of_class = 'made-up-class.storageclass.storage.k8s.io/'
    limit('q', {'requests.storage': '10Gi', of_class + 'requests.storage': '3Gi',
                of_class + 'persistentvolumeclaims': '5'})
    created(http.post(place('persistentvolumeclaims'), claim('one', '2Gi')))
    assert message(http.post(place('persistentvolumeclaims'), claim('two', '1500Mi'))) == (
        'persistentvolumeclaims "two" is forbidden: exceeded quota: q, requested: %srequests.storage=1500Mi, '
        'used: %srequests.storage=2Gi, limited: %srequests.storage=3Gi' % ((of_class,) * 3))
    created(http.post(place('persistentvolumeclaims'), claim('two', '6Gi', storageClassName='other')))
    assert limit.used('q') == {'requests.storage': '8Gi', of_class + 'requests.storage': '2Gi',
                               of_class + 'persistentvolumeclaims': '1'}


def test_what_is_deleted_is_free_again(http, place, limit):
    limit('q', {'pods': '1'})
    created(http.post(place('pods'), pod('one')))
    ok(http.delete(place('pods', 'one'), gracePeriodSeconds=0))
    until(lambda: limit.used('q') == {'pods': '0'}, 'the count')
    # What admits pods learns of the count a moment later.
    until(lambda: http.post(place('pods'), pod('two')).code == 201, 'room for another pod')


def test_a_pod_that_has_ended_is_counted_as_an_object_only(http, place, limit):
    limit('q', {'pods': '1', 'count/pods': '5', 'requests.cpu': '1'})
    created(http.post(place('pods'), asks(requests={'cpu': '1'})))
    ok(http.patch(place('pods', 'asks', 'status'), {'status': {'phase': 'Succeeded'}}))
    until(lambda: limit.used('q') == {'pods': '0', 'count/pods': '1', 'requests.cpu': '0'}, 'the count')


def test_a_dry_run_is_refused_as_well_and_not_counted(http, place, limit):
    limit('q', {'pods': '1'})
    for _ in range(2):
        assert http.post(place('pods'), pod('one'), dryRun='All').code == 201
    assert limit.used('q') == {'pods': '0'}
    created(http.post(place('pods'), pod('one')))
    assert 'exceeded quota' in message(http.post(place('pods'), pod('two'), dryRun='All'))


def test_a_quota_comes_before_a_name_that_is_taken(http, place, limit):
    limit('q', {'pods': '1'})
    created(http.post(place('pods'), pod('one')))
    assert 'exceeded quota' in message(http.post(place('pods'), pod('one')))


def test_an_invalid_pod_is_invalid_before_it_is_too_much(http, place, limit):
    limit('q', {'pods': '0'})
    assert failure(http.post(place('pods'), pod('one', restartPolicy='Sometimes')))[:2] == (422, 'Invalid')


def test_a_changed_quota_is_counted_anew(http, place, limit):
    limit('q', {'pods': '1'})
    created(http.post(place('pods'), pod('one')))
    ok(http.patch(place('resourcequotas', 'q'), {'spec': {'hard': {'pods': '2', 'services': '3'}}}))
    until(lambda: ok(http.get(place('resourcequotas', 'q')))['status'] == {
        'hard': {'pods': '2', 'services': '3'}, 'used': {'pods': '1', 'services': '0'}}, 'the count')
    created(http.post(place('pods'), pod('two')))


def test_the_answer_to_the_deletion_of_a_quota_is_the_quota(http, place, limit):
    limit('q', {'pods': '1'})
    answer = ok(http.delete(place('resourcequotas', 'q')))
    assert (answer['kind'], answer['spec']) == ('ResourceQuota', {'hard': {'pods': '1'}})


def test_every_quota_must_allow_a_pod(http, place, limit):
    limit('large', {'pods': '9'})
    limit('small', {'pods': '0'})
    assert 'exceeded quota: small' in message(http.post(place('pods'), pod('one')))
    assert limit.used('large') == {'pods': '0'}


@pytest.mark.parametrize('scope, counted, free', [
    ('BestEffort', {}, {'containers': [container(resources={'requests': {'cpu': '1'}})]}),
    ('NotBestEffort', {'containers': [container(resources={'requests': {'cpu': '1'}})]}, {}),
    ('Terminating', {'activeDeadlineSeconds': 60}, {}), ('NotTerminating', {}, {'activeDeadlineSeconds': 60})])
def test_scopes_say_which_pods_count(http, place, limit, scope, counted, free):
    limit('q', {'pods': '0'}, scopes=[scope])
    created(http.post(place('pods'), pod('free', **free)))
    assert 'exceeded quota: q' in message(http.post(place('pods'), pod('counted', **counted)))


def test_a_claim_may_not_grow_beyond_the_quota(http, place, limit):
    limit('q', {'requests.storage': '2Gi'})
    created(http.post(place('persistentvolumeclaims'), claim('one', '1Gi')))
    ok(http.patch(place('persistentvolumeclaims', 'one'), {'metadata': {'labels': {'a': 'b'}}}))
    assert limit.used('q') == {'requests.storage': '1Gi'}


@pytest.mark.parametrize('spec, causes', [
    ({'hard': {'apples': '1'}}, {('spec.hard[apples]', 'FieldValueInvalid')}),
    ({'hard': {'pods': '-1'}}, {('spec.hard[pods]', 'FieldValueInvalid')}),
    ({'hard': {'pods': '1500m'}}, {('spec.hard[pods]', 'FieldValueInvalid')}),
    ({'hard': {'pods': '1'}, 'scopes': ['Some']}, {('spec.scopes', 'FieldValueInvalid')}),
    ({'hard': {'pods': '1'}, 'scopes': ['BestEffort', 'NotBestEffort']}, {('spec.scopes', 'FieldValueInvalid')}),
    ({'hard': {'services': '1'}, 'scopes': ['Terminating']}, {('spec.scopes', 'FieldValueInvalid')}),
])
def test_a_quota_has_to_make_sense(http, place, spec, causes):
    code, reason, found = failure(http.post(place('resourcequotas'), {'metadata': {'name': 'q'}, 'spec': spec}))
    assert (code, reason, set(found)) == (422, 'Invalid', causes)


# Limit ranges

def test_a_limit_range_completes_itself(http, place):
    item = {'type': 'Container', 'max': {'cpu': '2'}, 'min': {'cpu': '1', 'memory': '1Gi'}}
    body = {'metadata': {'name': 'r'}, 'spec': {'limits': [item]}}
    assert created(http.post(place('limitranges'), body))['spec']['limits'] == [dict(
        item, default={'cpu': '2'}, defaultRequest={'cpu': '2', 'memory': '1Gi'})]


def resources_of(answer):
    return answer.body.get('spec', {}).get('containers', [{}])[0].get('resources')


def test_containers_get_what_they_do_not_ask_for(http, place):
    item = {'type': 'Container', 'default': {'cpu': '2', 'memory': '2Gi'}, 'defaultRequest': {'cpu': '1'}}
    created(http.post(place('limitranges'), {'metadata': {'name': 'r'}, 'spec': {'limits': [item]}}))
    until(lambda: resources_of(http.post(place('pods'), pod('probe'), dryRun='All')), 'the defaults')
    made = created(http.post(place('pods'), pod('one')))
    assert made['spec']['containers'][0]['resources'] == {
        'limits': {'cpu': '2', 'memory': '2Gi'}, 'requests': {'cpu': '1', 'memory': '2Gi'}}
    assert made['metadata']['annotations'] == {
        'kubernetes.io/limit-ranger': 'LimitRanger plugin set: cpu, memory request for container %s; '
                                      'cpu, memory limit for container %s' % ((container()['name'],) * 2)}
    assert made['status']['qosClass'] == 'Burstable'
    made = created(http.post(place('pods'), asks(limits={'cpu': '500m'})))
    assert made['spec']['containers'][0]['resources'] == {
        'limits': {'cpu': '500m', 'memory': '2Gi'}, 'requests': {'cpu': '500m', 'memory': '2Gi'}}


@pytest.mark.parametrize('item, resources, complaint', [
    ({'type': 'Container', 'max': {'cpu': '1'}}, {'limits': {'cpu': '2'}},
     'maximum cpu usage per Container is 1, but limit is 2'),
    ({'type': 'Container', 'min': {'memory': '1Gi'}}, {'requests': {'memory': '1Mi'}},
     'minimum memory usage per Container is 1Gi, but request is 1Mi'),
    ({'type': 'Pod', 'max': {'cpu': '1'}}, {'requests': {'cpu': '1'}},
     'maximum cpu usage per Pod is 1.  No limit is specified'),
    ({'type': 'Pod', 'min': {'cpu': '1'}}, {}, 'minimum cpu usage per Pod is 1.  No request is specified'),
    ({'type': 'Container', 'maxLimitRequestRatio': {'cpu': '2'}}, {'limits': {'cpu': '3'}, 'requests': {'cpu': '1'}},
     'cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000'),
])
def test_what_is_out_of_range_is_refused(http, place, item, resources, complaint):
    created(http.post(place('limitranges'), {'metadata': {'name': 'r'}, 'spec': {'limits': [item]}}))
    until(lambda: http.post(place('pods'), asks(**resources), dryRun='All').code == 403, 'the limit range')
    assert message(http.post(place('pods'), asks(**resources))) == 'pods "asks" is forbidden: ' + complaint


def test_claims_have_a_range(http, place):
    item = {'type': 'PersistentVolumeClaim', 'max': {'storage': '2Gi'}}
    created(http.post(place('limitranges'), {'metadata': {'name': 'r'}, 'spec': {'limits': [item]}}))
    claims = place('persistentvolumeclaims')
    until(lambda: http.post(claims, claim('one', '3Gi'), dryRun='All').code == 403, 'the range')
    assert message(http.post(claims, claim('one', '3Gi'))) == (
        'persistentvolumeclaims "one" is forbidden: maximum storage usage per PersistentVolumeClaim is 2Gi, but '
        'request is 3Gi')
    created(http.post(place('persistentvolumeclaims'), claim('one', '2Gi')))


def test_events_are_not_counted(http, place):
    created(http.post(place('resourcequotas'), {'metadata': {'name': 'q'}, 'spec': {'hard': {'count/events': '1'}}}))
    for name in ('one', 'two'):
        created(http.post(place('events'), {'metadata': {'name': name}, 'involvedObject': {
            'kind': 'Pod', 'name': 'x', 'namespace': place('x').split('/')[4]}}))


def test_a_claim_that_is_too_large_by_now_can_be_deleted(http, place):
    created(http.post(place('persistentvolumeclaims'), claim('home')))
    created(http.post(place('limitranges'), {'metadata': {'name': 'small'}, 'spec': {'limits': [
        {'type': 'PersistentVolumeClaim', 'max': {'storage': '1Mi'}}]}}))
    ok(http.delete(place('persistentvolumeclaims', 'home')))
    until(lambda: http.get(place('persistentvolumeclaims', 'home')).code == 404, 'the claim to go')
