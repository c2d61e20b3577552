"""Server-side apply, and the managers of fields."""
import json

import pytest

from .helpers import APPLY, configmap, container, created, failure, ok, outcome, pod, service, shown


@pytest.fixture
def path(url, name):
    """The path of a configmap that does not exist yet."""
    return url('configmaps', name)


@pytest.fixture
def apply(http, path, name):
    """A function: apply a configmap with this data as `manager`; return the answer."""
    def call(manager='one', force=False, metadata=None, **data):
        body = configmap(name, **data)
        body['metadata'].update(metadata or {})
        return http.patch(path, body, APPLY, fieldManager=manager, **({'force': 'true'} if force else {}))
    return call


def managed(obj, manager, operation='Apply'):
    """The fields of a manager, or None."""
    entries = [each['fieldsV1'] for each in obj['metadata'].get('managedFields', ())
               if (each['manager'], each['operation']) == (manager, operation)]
    assert len(entries) < 2
    return entries[0] if entries else None


def managers(obj):
    return sorted((each['manager'], each['operation']) for each in obj['metadata'].get('managedFields', ()))


def conflicts(answer):
    """[(manager as messages name it, field)] of a conflict."""
    assert outcome(answer) == (409, 'Conflict'), shown(answer)
    return sorted((cause['message'].replace('conflict with ', ''), cause['field'])
                  for cause in answer.body['details']['causes'] if cause['reason'] == 'FieldManagerConflict')


def test_an_object_that_does_not_exist_is_created(http, path, apply):
    obj = created(apply(a='1'))
    assert obj['data'] == {'a': '1'}
    assert managed(obj, 'one') == {'f:data': {'f:a': {}}}
    assert ok(http.get(path)) == obj


def test_an_entry_says_who_did_what_and_when(apply):
    entry, = created(apply(a='1'))['metadata']['managedFields']
    assert {key: entry[key] for key in ('manager', 'operation', 'apiVersion', 'fieldsType')} == {
        'manager': 'one', 'operation': 'Apply', 'apiVersion': 'v1', 'fieldsType': 'FieldsV1'}
    assert entry['time'].endswith('Z')


def test_applying_the_same_again_changes_nothing(apply):
    assert created(apply(a='1')) == ok(apply(a='1'))


def test_what_is_no_longer_applied_is_removed(apply):
    created(apply(a='1', b='2'))
    obj = ok(apply(a='1'))
    assert obj['data'] == {'a': '1'}
    assert managed(obj, 'one') == {'f:data': {'f:a': {}}}


def test_what_another_manager_applies_as_well_stays(apply):
    created(apply(a='1', b='2'))
    ok(apply('two', a='1'))
    obj = ok(apply(b='2'))
    assert obj['data'] == {'a': '1', 'b': '2'}
    assert managed(obj, 'two') == {'f:data': {'f:a': {}}}


def test_what_nobody_applied_stays(http, path, apply):
    created(apply(a='1', b='2'))
    ok(http.patch(path, {'data': {'c': '3'}}))
    assert ok(apply(a='1'))['data'] == {'a': '1', 'c': '3'}


def test_another_value_of_anothers_field_is_a_conflict(http, path, apply):
    created(apply(a='1', b='2'))
    answer = apply('two', a='1', b='3')
    assert conflicts(answer) == [('"one"', '.data.b')]
    assert answer.body['message'] == 'Apply failed with 1 conflict: conflict with "one": .data.b'
    assert ok(http.get(path))['data'] == {'a': '1', 'b': '2'}


def test_several_conflicts_are_all_named(apply):
    created(apply(a='1', b='2'))
    answer = apply('two', a='2', b='3')
    assert conflicts(answer) == [('"one"', '.data.a'), ('"one"', '.data.b')]
    assert answer.body['message'] == 'Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\n- .data.b'


def test_force_takes_fields_from_others(apply):
    created(apply(a='1', b='2'))
    obj = ok(apply('two', force=True, a='2'))
    assert obj['data'] == {'a': '2', 'b': '2'}
    assert (managed(obj, 'one'), managed(obj, 'two')) == ({'f:data': {'f:b': {}}}, {'f:data': {'f:a': {}}})


def test_a_manager_without_fields_is_forgotten(apply):
    created(apply(a='1'))
    assert managers(ok(apply('two', force=True, a='2'))) == [('two', 'Apply')]


@pytest.mark.parametrize('method', ['put', 'patch'])
def test_other_updates_own_what_they_change(http, path, name, apply, method):
    created(apply(a='1', b='2'))
    obj = ok(getattr(http, method)(path, configmap(name, a='1', b='3'), fieldManager='editor'))
    assert managed(obj, 'editor', 'Update') == {'f:data': {'f:b': {}}}
    assert managed(obj, 'one') == {'f:data': {'f:a': {}}}
    assert conflicts(apply(a='1', b='2')) == [('"editor" using v1', '.data.b')]


def test_an_update_that_removes_a_field_leaves_it_to_nobody(http, path, name, apply):
    created(apply(a='1', b='2'))
    obj = ok(http.put(path, configmap(name, a='1'), fieldManager='editor'))
    assert managed(obj, 'one') == {'f:data': {'f:a': {}}}
    assert managed(obj, 'editor', 'Update') is None


def test_the_creator_owns_what_it_creates(http, url, name):
    body = configmap(name, labels={'l': '1'}, a='1')
    obj = created(http.post(url('configmaps'), body, fieldManager='maker'))
    assert managed(obj, 'maker', 'Update') == {'f:data': {'.': {}, 'f:a': {}},
                                               'f:metadata': {'f:labels': {'.': {}, 'f:l': {}}}}


def test_managed_fields_can_be_reset(http, path, apply):
    created(apply(a='1'))
    obj = ok(http.patch(path, {'metadata': {'managedFields': [{}]}}))
    assert managers(obj) == []
    answer = apply('two', a='2')
    assert conflicts(answer) == [('"before-first-apply" using v1', '.data.a')]


# Requests that are refused

def test_the_manager_must_be_named(http, path, name):
    answer = http.patch(path, configmap(name), APPLY)
    assert failure(answer) == (422, 'Invalid', [('fieldManager', 'FieldValueRequired')])
    assert 'is required for apply patch' in answer.body['message']


def test_force_is_for_apply_only(http, path, apply):
    created(apply(a='1'))
    assert failure(http.patch(path, {}, force='true')) == (422, 'Invalid', [('force', 'FieldValueForbidden')])


def test_a_manager_has_a_short_name(http, path, apply):
    assert failure(apply('x' * 129)) == (422, 'Invalid', [('fieldManager', 'FieldValueTooLong')])


@pytest.mark.parametrize('body', [b'[]', b'text', b'{a: ['])
def test_a_configuration_must_be_an_object(http, path, body):
    assert outcome(http.patch(path, body, APPLY, fieldManager='one')) == (400, 'BadRequest')


def test_a_configuration_must_not_have_managed_fields(apply):
    answer = apply(metadata={'managedFields': [{'manager': 'x'}]})
    assert outcome(answer) == (400, 'BadRequest')
    assert answer.body['message'] == 'metadata.managedFields must be nil'


def test_a_configuration_must_have_the_version_of_the_path(http, path, name):
    answer = http.patch(path, dict(configmap(name), apiVersion='v2'), APPLY, fieldManager='one')
    assert outcome(answer) == (400, 'BadRequest')
    assert 'Specified patch version: v2, expected: v1' in answer.body['message']


def test_unknown_fields_are_refused(http, path, name):
    answer = http.patch(path, dict(configmap(name), madeUp='x'), APPLY, fieldManager='one')
    assert answer.code in (400, 500)
    assert '.madeUp: field not declared in schema' in answer.body['message']


@pytest.mark.parametrize('field, refusal', [('uid', (422, 'Invalid')), ('resourceVersion', (409, 'Conflict'))])
def test_the_identity_must_be_right(apply, field, refusal):
    created(apply(a='1'))
    assert outcome(apply(metadata={field: '1'}, a='1')) == refusal


def test_yaml_is_read(http, path, name):
    body = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\ndata: {a: "1"}\n' % name
    assert created(http.patch(path, body.encode(), APPLY, fieldManager='one'))['data'] == {'a': '1'}


def test_dry_run_creates_nothing(http, path, name):
    created(http.patch(path, configmap(name), APPLY, fieldManager='one', dryRun='All'))
    assert http.get(path).code == 404


# Lists and maps

def key(**keys):
    return 'k:' + json.dumps(keys, separators=(',', ':'), sort_keys=True)


@pytest.fixture
def apply_service(http, url, name):
    def call(manager, *ports, **spec):
        ports = [dict(port, protocol='TCP') for port in ports]  # by which they are merged; 1.20 wants it to be there
        return http.patch(url('services', name), service(name, ports=ports, **spec), APPLY, fieldManager=manager)
    return call


def test_ports_of_a_service_are_merged_by_number_and_protocol(apply_service):
    created(apply_service('one', {'name': 'a', 'port': 80}, selector={'a': 'b'}))
    obj = ok(apply_service('two', {'name': 'b', 'port': 81}))
    assert sorted(port['port'] for port in obj['spec']['ports']) == [80, 81]
    assert managed(obj, 'two') == {'f:spec': {'f:ports': {key(port=81, protocol='TCP'): {
        '.': {}, 'f:name': {}, 'f:port': {}, 'f:protocol': {}}}}}
    obj = ok(apply_service('one', selector={'a': 'b'}))
    assert [port['port'] for port in obj['spec']['ports']] == [81]


def test_a_field_of_an_element_can_be_a_conflict(apply_service):
    created(apply_service('one', {'name': 'a', 'port': 80, 'targetPort': 8080}))
    assert conflicts(apply_service('two', {'name': 'a', 'port': 80, 'targetPort': 8081})) == [
        ('"one"', '.spec.ports[port=80,protocol="TCP"].targetPort')]


def test_containers_are_merged_by_name(http, url, name):
    def apply(manager, *containers, **options):
        body = {'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': name}, 'spec': {
            'schedulerName': 'nobody', 'automountServiceAccountToken': False, 'containers': list(containers)}}
        return http.patch(url('pods', name), body, APPLY, fieldManager=manager, **options)

    env = [{'name': 'A', 'value': 'b'}]
    obj = created(apply('one', container('a', env=env), container('b')))
    assert managed(obj, 'one')['f:spec']['f:containers'][key(name='a')] == {
        '.': {}, 'f:env': {key(name='A'): {'.': {}, 'f:name': {}, 'f:value': {}}}, 'f:image': {}, 'f:name': {}}
    new = 'example.org/image:2'
    obj = ok(apply('two', dict(container('b'), image=new), force='true'))
    assert [each['image'] for each in obj['spec']['containers']] == ['example.org/image:1', new]
    assert managed(obj, 'one')['f:spec']['f:containers'][key(name='b')] == {'.': {}, 'f:name': {}}


def test_tolerations_are_one_field(http, url, name):
    body = pod(name, tolerations=[{'key': 'k', 'operator': 'Exists'}])
    fields = managed(created(http.patch(url('pods', name), body, APPLY, fieldManager='one')), 'one')
    assert fields['f:spec']['f:tolerations'] == {}


def test_finalizers_are_a_set(http, path, apply):
    created(apply(metadata={'finalizers': ['example.org/one']}))
    obj = ok(apply('two', metadata={'finalizers': ['example.org/two']}))
    assert sorted(obj['metadata']['finalizers']) == ['example.org/one', 'example.org/two']
    assert managed(obj, 'two') == {'f:metadata': {'f:finalizers': {'v:"example.org/two"': {}}}}
    assert ok(apply())['metadata']['finalizers'] == ['example.org/two']
    assert 'finalizers' not in ok(apply('two'))['metadata']


# Pods

def test_the_defaults_of_a_pod_belong_to_its_creator(http, url, name):
    obj = created(http.post(url('pods'), pod(name), fieldManager='maker'))
    fields = managed(obj, 'maker', 'Update')['f:spec']
    assert fields['f:containers'][key(name='main')] == {
        '.': {}, 'f:image': {}, 'f:imagePullPolicy': {}, 'f:name': {}, 'f:resources': {},
        'f:terminationMessagePath': {}, 'f:terminationMessagePolicy': {}}
    assert sorted(set(fields) - {'f:containers'}) == [
        'f:automountServiceAccountToken', 'f:dnsPolicy', 'f:enableServiceLinks', 'f:restartPolicy', 'f:schedulerName',
        'f:securityContext', 'f:terminationGracePeriodSeconds']


def test_who_sets_the_status_owns_it(http, url, name):
    created(http.post(url('pods'), pod(name), fieldManager='maker'))
    ready = {'type': 'Ready', 'status': 'True', 'lastTransitionTime': '2030-01-01T00:00:00Z'}
    obj = ok(http.patch(url('pods', name, 'status'), {'status': {'conditions': [ready], 'podIP': '1.2.3.4'}},
                        fieldManager='node'))
    fields = managed(obj, 'node', 'Update')['f:status']
    assert fields['f:conditions'][key(type='Ready')] == {'.': {}, 'f:lastProbeTime': {}, 'f:lastTransitionTime': {},
                                                         'f:status': {}, 'f:type': {}}
    assert fields['f:podIPs'] == {'.': {}, key(ip='1.2.3.4'): {'.': {}, 'f:ip': {}}}


def test_what_admission_adds_to_a_pod_belongs_to_nobody(http, url, name):
    body = pod(name)
    del body['spec']['automountServiceAccountToken']
    obj = created(http.post(url('pods'), body, fieldManager='maker'))
    assert obj['spec']['volumes'] and obj['spec']['containers'][0]['volumeMounts']
    fields = managed(obj, 'maker', 'Update')['f:spec']
    assert 'f:volumes' not in fields and 'f:volumeMounts' not in fields['f:containers'][key(name='main')]


def test_keys_of_yaml_are_strings(http, path, name):
    body = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {1: x}\n' % name
    assert created(http.patch(path, body.encode(), APPLY, fieldManager='one'))['data'] == {'1': 'x'}


@pytest.mark.parametrize('field', ['"x"', '7', '[]'])
def test_metadata_that_is_no_object_is_refused(http, path, field):
    answer = http.patch(path, b'{"apiVersion": "v1", "kind": "ConfigMap", "metadata": %s}' % field.encode(), APPLY,
                        fieldManager='one')
    assert answer.code in (400, 500) and answer.body['status'] == 'Failure'
