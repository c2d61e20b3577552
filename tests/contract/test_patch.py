"""The three kinds of patch."""
import pytest

from .helpers import (
    JSON,
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_PATCH,
    configmap,
    container,
    created,
    failure,
    meta,
    ok,
    outcome,
    pod,
    version,
)


@pytest.fixture
def path(http, pods, name):
    """The path of a pod with labels a=1 and b=2, an annotation, a finalizer that holds nothing up, two volumes."""
    body = pod(name, labels={'a': '1', 'b': '2'}, containers=[container('one'), container('two')],
               tolerations=[{'key': 'k', 'operator': 'Exists'}])
    body['metadata'].update(annotations={'example.org/note': 'x'}, finalizers=['example.org/one'])
    created(http.post(pods, body))
    yield pods + '/' + name
    http.patch(pods + '/' + name, {'metadata': {'finalizers': None}})


def images(obj):
    return {c['name']: c['image'] for c in obj['spec']['containers']}


@pytest.mark.parametrize('content_type', [MERGE_PATCH, STRATEGIC_PATCH])
@pytest.mark.parametrize('change, labels', [
    ({'c': '3'}, {'a': '1', 'b': '2', 'c': '3'}), ({'a': '9'}, {'a': '9', 'b': '2'}),
    ({'a': None}, {'b': '2'}), ({'a': None, 'c': '3'}, {'b': '2', 'c': '3'}), ({'z': None}, {'a': '1', 'b': '2'}),
    ({}, {'a': '1', 'b': '2'}), ({'a': None, 'b': None}, None), (None, None),
])
def test_maps_are_merged_and_null_removes(http, path, content_type, change, labels):
    patched = ok(http.patch(path, {'metadata': {'labels': change}}, content_type))
    assert patched['metadata'].get('labels') == labels
    assert ok(http.get(path)) == patched
    assert patched['metadata']['annotations'] == {'example.org/note': 'x'}


@pytest.mark.parametrize('patch, content_type', [
    ({'metadata': {'labels': {'c': '3'}}}, MERGE_PATCH), ({'metadata': {'labels': {'c': '3'}}}, STRATEGIC_PATCH),
    ([{'op': 'add', 'path': '/metadata/labels/c', 'value': '3'}], JSON_PATCH)])
def test_version_grows_and_identity_stays(http, path, patch, content_type):
    before = ok(http.get(path))
    after = ok(http.patch(path, patch, content_type))
    assert int(version(after)) > int(version(before))
    for field in ('uid', 'name', 'creationTimestamp'):
        assert after['metadata'][field] == before['metadata'][field]
    assert after['spec'] == before['spec'] and after['status'] == before['status']


def test_merge_patch_replaces_a_list_as_a_whole(http, path):
    patched = ok(http.patch(path, {'metadata': {'finalizers': ['example.org/two']}}))
    assert patched['metadata']['finalizers'] == ['example.org/two']
    assert failure(http.patch(path, {'spec': {'containers': [container('one')]}})) == (
        422, 'Invalid', [('spec.containers', 'FieldValueForbidden')])


def test_strategic_patch_merges_containers_by_name(http, path):
    patch = {'spec': {'containers': [{'name': 'two', 'image': 'example.org/image:2'}]}}
    patched = ok(http.patch(path, patch, STRATEGIC_PATCH))
    assert images(patched) == {'one': 'example.org/image:1', 'two': 'example.org/image:2'}


def test_strategic_patch_adds_a_container_that_is_new(http, path):
    """Which a pod does not allow: that it was added shows in the refusal."""
    patch = {'spec': {'containers': [container('three')]}}
    assert failure(http.patch(path, patch, STRATEGIC_PATCH)) == (
        422, 'Invalid', [('spec.containers', 'FieldValueForbidden')])


def test_strategic_patch_deletes_by_name(http, path):
    patch = {'spec': {'containers': [{'name': 'one', '$patch': 'delete'}, {'name': 'two', '$patch': 'delete'}]}}
    assert failure(http.patch(path, patch, STRATEGIC_PATCH)) == (
        422, 'Invalid', [('spec.containers', 'FieldValueForbidden'), ('spec.containers', 'FieldValueRequired')])


def test_strategic_patch_merges_conditions_by_type(http, path):
    def patch(content_type, *conditions):
        body = {'status': {'conditions': [dict(condition, lastTransitionTime='2030-01-01T00:00:00Z')
                                          for condition in conditions]}}
        status = ok(http.patch(path + '/status', body, content_type))['status']
        return sorted((c['type'], c['status']) for c in status['conditions'])

    ready, other = {'type': 'Ready', 'status': 'False'}, {'type': 'Other', 'status': 'True'}
    assert patch(MERGE_PATCH, ready) == [('Ready', 'False')]
    assert patch(STRATEGIC_PATCH, other) == [('Other', 'True'), ('Ready', 'False')]
    assert patch(STRATEGIC_PATCH, dict(ready, status='True')) == [('Other', 'True'), ('Ready', 'True')]
    assert patch(STRATEGIC_PATCH, {'type': 'Other', '$patch': 'delete'}) == [('Ready', 'True')]
    assert patch(MERGE_PATCH, other) == [('Other', 'True')]


def test_strategic_patch_merges_ports_of_a_service_by_port(http, url, name):
    created(http.post(url('services'), {'metadata': meta(name), 'spec': {'ports': [
        {'name': 'a', 'port': 80}, {'name': 'b', 'port': 81}]}}))
    patch = {'spec': {'ports': [{'port': 81, 'targetPort': 8181}, {'port': 80, '$patch': 'delete'},
                                {'name': 'c', 'port': 82}]}}
    ports = ok(http.patch(url('services', name), patch, STRATEGIC_PATCH))['spec']['ports']
    assert sorted((p['name'], p['port'], p['targetPort']) for p in ports) == [('b', 81, 8181), ('c', 82, 82)]


def test_strategic_patch_replaces_a_map_when_told(http, path):
    patch = {'metadata': {'labels': {'$patch': 'replace', 'z': '9'}}}
    assert ok(http.patch(path, patch, STRATEGIC_PATCH))['metadata']['labels'] == {'z': '9'}


def test_strategic_patch_merges_finalizers(http, path):
    added = ok(http.patch(path, {'metadata': {'finalizers': ['example.org/two']}}, STRATEGIC_PATCH))
    assert sorted(added['metadata']['finalizers']) == ['example.org/one', 'example.org/two']
    patch = {'metadata': {'$deleteFromPrimitiveList/finalizers': ['example.org/one']}}
    assert ok(http.patch(path, patch, STRATEGIC_PATCH))['metadata']['finalizers'] == ['example.org/two']


@pytest.mark.parametrize('operations, labels', [
    ([{'op': 'add', 'path': '/metadata/labels/c', 'value': '3'}], {'a': '1', 'b': '2', 'c': '3'}),
    ([{'op': 'add', 'path': '/metadata/labels', 'value': {'c': '3'}}], {'c': '3'}),
    ([{'op': 'replace', 'path': '/metadata/labels/a', 'value': '9'}], {'a': '9', 'b': '2'}),
    ([{'op': 'remove', 'path': '/metadata/labels/a'}], {'b': '2'}),
    ([{'op': 'copy', 'from': '/metadata/labels/a', 'path': '/metadata/labels/b'}], {'a': '1', 'b': '1'}),
    ([{'op': 'move', 'from': '/metadata/labels/a', 'path': '/metadata/labels/c'}], {'b': '2', 'c': '1'}),
    ([{'op': 'add', 'path': '/metadata/labels/example.org~1c', 'value': '3'}],
     {'a': '1', 'b': '2', 'example.org/c': '3'}),
    ([{'op': 'test', 'path': '/metadata/labels/a', 'value': '1'}, {'op': 'remove', 'path': '/metadata/labels/b'}],
     {'a': '1'}),
    ([], {'a': '1', 'b': '2'}),
])
def test_json_patch(http, path, operations, labels):
    assert ok(http.patch(path, operations, JSON_PATCH))['metadata']['labels'] == labels


@pytest.mark.parametrize('index, images_then', [('0', ['x:2', 'example.org/image:1']),
                                                ('1', ['example.org/image:1', 'x:2'])])
def test_json_patch_reaches_into_lists(http, path, index, images_then):
    operation = {'op': 'replace', 'path': '/spec/containers/%s/image' % index, 'value': 'x:2'}
    patched = ok(http.patch(path, [operation], JSON_PATCH))
    assert [c['image'] for c in patched['spec']['containers']] == images_then


def test_json_patch_appends_with_a_dash(http, path):
    operation = {'op': 'add', 'path': '/metadata/finalizers/-', 'value': 'example.org/two'}
    assert ok(http.patch(path, [operation], JSON_PATCH))['metadata']['finalizers'] == [
        'example.org/one', 'example.org/two']


@pytest.mark.parametrize('operation', [
    {'op': 'test', 'path': '/metadata/labels/a', 'value': '2'}, {'op': 'remove', 'path': '/metadata/labels/z'},
    {'op': 'add', 'path': '/metadata/made/up', 'value': '1'},
    {'op': 'move', 'from': '/metadata/labels/z', 'path': '/metadata/labels/a'},
    {'op': 'add', 'path': '/metadata/finalizers/2', 'value': 'example.org/two'},
    {'op': 'remove', 'path': '/metadata/name/0'}, {'op': 'replace', 'path': '', 'value': {}},
    {'op': 'copy', 'from': '', 'path': '/metadata/labels/a'},
    {'op': 'append', 'path': '/metadata/labels/a', 'value': '1'},
    {'op': 'add', 'path': 'metadata', 'value': {}}, {'op': 'add', 'value': '1'}, {'op': [], 'path': '/metadata'}, None])
def test_json_patch_that_does_not_fit_is_422_and_changes_nothing(http, path, operation):
    before = ok(http.get(path))
    first = {'op': 'add', 'path': '/metadata/labels/c', 'value': '3'}
    assert outcome(http.patch(path, [first, operation], JSON_PATCH)) == (422, 'Invalid')
    assert ok(http.get(path)) == before


@pytest.mark.parametrize('patch', [{'op': 'add'}, 'add', 1, [[]], ['add'], [{'op': 'add'}, 1]])
def test_json_patch_must_be_a_list_of_objects(http, path, patch):
    assert outcome(http.patch(path, patch, JSON_PATCH)) == (400, 'BadRequest')


@pytest.mark.parametrize('content_type', [JSON, 'text/plain', 'application/nonsense'])
def test_other_media_types_are_415(http, path, content_type):
    assert failure(http.patch(path, {}, content_type)) == (415, 'UnsupportedMediaType', [])


@pytest.mark.parametrize('content_type', [MERGE_PATCH, STRATEGIC_PATCH])
def test_bad_result_is_422_and_changes_nothing(http, path, content_type):
    before = ok(http.get(path))
    answer = http.patch(path, {'metadata': {'labels': {'a': '-x'}}}, content_type)
    assert failure(answer) == (422, 'Invalid', [('metadata.labels', 'FieldValueInvalid')])
    assert ok(http.get(path)) == before


@pytest.mark.parametrize('content_type', [MERGE_PATCH, STRATEGIC_PATCH])
@pytest.mark.parametrize('change, code, reason', [
    ({'name': 'other'}, 400, 'BadRequest'), ({'namespace': 'other'}, 400, 'BadRequest'),
    ({'resourceVersion': '1'}, 409, 'Conflict')])
def test_identity_in_a_patch_must_be_right(http, path, content_type, change, code, reason):
    assert outcome(http.patch(path, {'metadata': change}, content_type)) == (code, reason)


def test_right_version_in_a_patch_is_accepted_once(http, path):
    patch = {'metadata': {'resourceVersion': version(ok(http.get(path))), 'labels': {'c': '3'}}}
    ok(http.patch(path, patch))
    patch['metadata']['labels'] = {'c': '4'}
    assert outcome(http.patch(path, patch)) == (409, 'Conflict')


@pytest.mark.parametrize('content_type', [MERGE_PATCH, STRATEGIC_PATCH])
def test_unknown_fields_are_dropped(http, path, content_type):
    patched = ok(http.patch(path, {'spec': {'madeUp': 1}, 'madeUp': 2}, content_type))
    assert 'madeUp' not in patched and 'madeUp' not in patched['spec']


def test_removed_field_gets_its_default_again(http, url, name):
    """Here: a port's target is the port."""
    created(http.post(url('services'), {'metadata': meta(name), 'spec': {'ports': [{'port': 80, 'targetPort': 8}]}}))
    patch = {'spec': {'ports': [{'port': 80, 'targetPort': None}]}}
    assert ok(http.patch(url('services', name), patch, STRATEGIC_PATCH))['spec']['ports'] == [
        {'port': 80, 'targetPort': 80, 'protocol': 'TCP'}]


def test_dry_run_answers_and_changes_nothing(http, path):
    before = ok(http.get(path))
    patched = ok(http.patch(path, {'metadata': {'labels': {'c': '3'}}}, dryRun='All'))
    assert patched['metadata']['labels'] == {'a': '1', 'b': '2', 'c': '3'}
    assert ok(http.get(path)) == before


def test_data_of_a_configmap(http, url, name):
    created(http.post(url('configmaps'), configmap(name, a='1', b='2')))
    assert ok(http.patch(url('configmaps', name), {'data': {'a': None, 'c': '3'}}))['data'] == {'b': '2', 'c': '3'}
