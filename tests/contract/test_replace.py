"""Replacing an object, with and without the version that was read."""
import copy

import pytest

from .helpers import NODE, configmap, created, failure, names, ok, outcome, pod, version


def with_label(obj, value):
    """A copy of an object that has no label but case=`value`."""
    changed = copy.deepcopy(obj)
    changed['metadata']['labels'] = {'case': value}
    return changed


@pytest.fixture
def original(http, pods, name):
    """A pod, as it was created."""
    return created(http.post(pods, pod(name, labels={'old': '1'})))


def test_answer_is_the_object_with_a_newer_version(http, pods, name, original):
    replaced = ok(http.put(pods + '/' + name, with_label(original, 'one')))
    assert replaced['metadata']['labels'] == {'case': 'one'}
    assert int(version(replaced)) > int(version(original))
    assert replaced['metadata']['uid'] == original['metadata']['uid']
    assert ok(http.get(pods + '/' + name)) == replaced


def test_stale_version_is_409_and_changes_nothing(http, pods, name, original):
    replaced = ok(http.put(pods + '/' + name, with_label(original, 'one')))
    answer = http.put(pods + '/' + name, with_label(original, 'two'))
    assert failure(answer) == (409, 'Conflict', [])
    assert (answer.body['details']['kind'], answer.body['details']['name']) == ('pods', name)
    assert 'the object has been modified' in answer.body['message']
    assert ok(http.get(pods + '/' + name)) == replaced


def test_without_a_version_the_last_one_wins(http, pods, name, original):
    blind = with_label(original, 'one')
    del blind['metadata']['resourceVersion']
    for _ in range(2):
        assert ok(http.put(pods + '/' + name, blind))['metadata']['labels'] == {'case': 'one'}
        ok(http.patch(pods + '/' + name, {'metadata': {'labels': {'case': 'two'}}}))


def test_other_uid_is_409(http, pods, name, original):
    changed = with_label(original, 'one')
    changed['metadata']['uid'] = '00000000-0000-0000-0000-000000000000'
    assert outcome(http.put(pods + '/' + name, changed)) == (409, 'Conflict')
    assert ok(http.get(pods + '/' + name)) == original


def test_what_the_server_decides_stays(http, pods, name, original):
    changed = with_label(original, 'one')
    for field in ('uid', 'creationTimestamp'):
        del changed['metadata'][field]
    metadata = ok(http.put(pods + '/' + name, changed))['metadata']
    for field in ('uid', 'creationTimestamp'):
        assert metadata[field] == original['metadata'][field]


def test_what_is_left_out_is_removed(http, url, name):
    created(http.post(url('configmaps'), configmap(name, labels={'a': '1'}, one='1', two='2')))
    replaced = ok(http.put(url('configmaps', name), configmap(name, two='2')))
    assert replaced['data'] == {'two': '2'} and 'labels' not in replaced['metadata']


def test_bad_replacement_is_422_and_changes_nothing(http, pods, name, original):
    answer = http.put(pods + '/' + name, with_label(original, '-x'))
    assert failure(answer) == (422, 'Invalid', [('metadata.labels', 'FieldValueInvalid')])
    assert ok(http.get(pods + '/' + name)) == original


def test_dry_run_answers_and_changes_nothing(http, pods, name, original):
    assert ok(http.put(pods + '/' + name, with_label(original, 'one'), dryRun='All'))['metadata']['labels'] == {
        'case': 'one'}
    assert ok(http.get(pods + '/' + name)) == original


def test_node_is_set_by_a_binding_only_and_once(http, url, name):
    created(http.post(url('pods'), pod(name)))
    body = {'apiVersion': 'v1', 'kind': 'Binding', 'metadata': {'name': name}, 'target': {'kind': 'Node', 'name': NODE}}
    status = created(http.post(url('pods', name, 'binding'), body))
    assert (status['kind'], status['status']) == ('Status', 'Success')
    assert ok(http.get(url('pods', name)))['spec']['nodeName'] == NODE
    assert outcome(http.post(url('pods', name, 'binding'), body)) == (409, 'Conflict')
    body['metadata']['name'] = 'missing'
    assert outcome(http.post(url('pods', 'missing', 'binding'), body)) == (404, 'NotFound')


def test_pod_may_be_created_on_a_node(http, pods, name):
    assert created(http.post(pods, pod(name, nodeName=NODE)))['spec']['nodeName'] == NODE
    assert names(ok(http.get(pods, fieldSelector='spec.nodeName=%s,metadata.name=%s' % (NODE, name)))) == [name]


def test_binding_tells_that_the_pod_is_scheduled(http, name, bound):
    conditions = bound(name)['status']['conditions']
    assert [(c['type'], c['status']) for c in conditions] == [('PodScheduled', 'True')]
