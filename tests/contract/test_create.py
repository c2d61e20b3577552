"""Creating objects, reading them back, and what the server adds of its own."""
import re

import pytest

from .helpers import claim, configmap, created, failure, meta, names, ok, pod, secret, service, unique, version

UID = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
TIME = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$')

KINDS = [('pods', pod), ('persistentvolumeclaims', claim), ('services', service), ('secrets', secret),
         ('configmaps', configmap)]


@pytest.mark.parametrize('resource, make', KINDS)
def test_answer_has_uid_version_and_time(http, url, namespace, resource, make):
    name = unique()
    obj = created(http.post(url(resource), make(name)))
    assert (obj['kind'], obj['apiVersion']) == (make(name)['kind'], 'v1')
    metadata = obj['metadata']
    assert (metadata['name'], metadata['namespace']) == (name, namespace)
    assert UID.match(metadata['uid']) and TIME.match(metadata['creationTimestamp']) and int(version(obj)) > 0


@pytest.mark.parametrize('resource, make', KINDS)
def test_read_gives_what_create_answered(http, url, resource, make):
    name = unique()
    obj = created(http.post(url(resource), make(name)))
    read = ok(http.get(url(resource, name)))
    assert (read['kind'], read['apiVersion'], read['metadata']['uid']) == (
        obj['kind'], 'v1', obj['metadata']['uid'])
    for part in ('data', 'type'):
        assert read.get(part) == obj.get(part)


@pytest.mark.parametrize('resource, make', KINDS)
def test_second_of_a_name_is_409(http, url, resource, make):
    name = unique()
    first = created(http.post(url(resource), make(name)))
    answer = http.post(url(resource), make(name))
    assert failure(answer) == (409, 'AlreadyExists', [])
    assert (answer.body['details']['name'], answer.body['details']['kind']) == (name, resource)
    assert ok(http.get(url(resource, name)))['metadata']['uid'] == first['metadata']['uid']


def test_same_name_in_another_namespace_is_another_object(http, url, name, other_namespace):
    one = created(http.post(url('pods'), pod(name)))
    other = created(http.post('/api/v1/namespaces/%s/pods' % other_namespace, pod(name)))
    assert one['metadata']['uid'] != other['metadata']['uid']


def test_versions_grow_across_kinds(http, url):
    versions = [int(version(created(http.post(url(resource), make(unique()))))) for resource, make in KINDS]
    assert versions == sorted(set(versions))


def test_new_pod_is_pending(http, pods, name):
    status = created(http.post(pods, pod(name)))['status']
    assert (status['phase'], status['qosClass']) == ('Pending', 'BestEffort')


@pytest.mark.parametrize('resources, qos', [
    ({}, 'BestEffort'),
    ({'requests': {'cpu': '1'}}, 'Burstable'),
    ({'limits': {'memory': '1Gi'}}, 'Burstable'),
    ({'limits': {'memory': '1Gi', 'cpu': '1'}}, 'Guaranteed'),
    ({'limits': {'memory': '1Gi', 'cpu': '1'}, 'requests': {'cpu': '500m'}}, 'Burstable'),
])
def test_quality_of_service(http, pods, name, resources, qos):
    body = pod(name)
    body['spec']['containers'][0]['resources'] = resources
    assert created(http.post(pods, body))['status']['qosClass'] == qos


def test_status_in_a_create_is_ignored(http, pods, name):
    status = created(http.post(pods, dict(pod(name), status={'phase': 'Running', 'podIP': '10.9.9.9'})))['status']
    assert status['phase'] == 'Pending' and 'podIP' not in status


@pytest.mark.parametrize('field, value', [
    ('uid', 'mine'), ('creationTimestamp', '2000-01-01T00:00:00Z'), ('deletionTimestamp', '2000-01-01T00:00:00Z'),
    ('deletionGracePeriodSeconds', 7)])
def test_what_the_server_decides_is_not_taken_from_the_body(http, pods, field, value):
    body = pod(unique())
    body['metadata'][field] = value
    assert created(http.post(pods, body))['metadata'].get(field) != value


def test_half_of_a_surrogate_pair_becomes_the_replacement_character(http, url):
    body = configmap(unique(), half='a\ud800b', pair='\U0001f600')
    made = created(http.post(url('configmaps'), body))
    assert made['data'] == {'half': 'a\ufffdb', 'pair': '\U0001f600'}
    assert ok(http.get(url('configmaps', made['metadata']['name'])))['data'] == made['data']


def test_labels_annotations_and_owners_are_kept(http, pods, name):
    body = pod(name, labels={'app': 'jupyterhub', 'example.org/user': 'A_b.c-1', 'empty': ''})
    body['metadata']['annotations'] = {'example.org/note': 'anything at all: "ü" \n'}
    body['metadata']['ownerReferences'] = [
        {'apiVersion': 'v1', 'kind': 'Pod', 'name': 'hub', 'uid': '00000000-0000-0000-0000-000000000000'}]
    # A garbage collector may end an object whose owner is not there: look at the answer, not at the object.
    metadata = created(http.post(pods, body, dryRun='All'))['metadata']
    for field in ('labels', 'annotations', 'ownerReferences'):
        assert metadata[field] == body['metadata'][field]


def test_kind_and_api_version_may_be_left_out(http, pods, name):
    body = {'metadata': meta(name), 'spec': pod(name)['spec']}
    obj = created(http.post(pods, body))
    assert (obj['kind'], obj['apiVersion']) == ('Pod', 'v1')


def test_namespace_of_the_path_may_be_repeated_in_the_body(http, url, namespace, name):
    body = configmap(name)
    body['metadata']['namespace'] = namespace
    assert created(http.post(url('configmaps'), body))['metadata']['namespace'] == namespace


def test_unknown_fields_are_dropped(http, pods, name):
    body = pod(name, made_up=1)
    body['also_made_up'] = body['metadata']['madeUp'] = {'a': 1}
    body['spec']['containers'][0]['madeUp'] = True
    obj = created(http.post(pods, body))
    assert 'also_made_up' not in obj and 'madeUp' not in obj['metadata'] and 'made_up' not in obj['spec']
    assert 'madeUp' not in obj['spec']['containers'][0]


def test_null_is_the_same_as_absent(http, pods, name):
    body = pod(name, nodeSelector=None, volumes=None, restartPolicy=None)
    body['metadata']['annotations'] = None
    obj = created(http.post(pods, body))
    assert 'nodeSelector' not in obj['spec'] and 'annotations' not in obj['metadata']
    assert obj['spec']['restartPolicy'] == 'Always'


def test_generate_name_adds_five_characters(http, pods):
    body = pod('unused')
    body['metadata'] = {'generateName': 'server-'}
    objs = [created(http.post(pods, body)) for _ in range(3)]
    assert len({obj['metadata']['name'] for obj in objs}) == 3
    for obj in objs:
        assert re.match('server-[a-z0-9]{5}$', obj['metadata']['name'])
        assert obj['metadata']['generateName'] == 'server-'


def test_name_goes_before_generate_name(http, pods, name):
    body = pod(name)
    body['metadata']['generateName'] = 'server-'
    assert created(http.post(pods, body))['metadata']['name'] == name


def test_generated_name_is_never_too_long(http, url):
    body = configmap('unused')
    body['metadata'] = {'generateName': 'g' * 80}
    assert len(created(http.post(url('configmaps'), body))['metadata']['name']) == 63


def test_dry_run_answers_like_a_create(http, pods, name):
    obj = created(http.post(pods, pod(name), dryRun='All'))
    assert obj['metadata']['name'] == name and UID.match(obj['metadata']['uid'])
    assert obj['spec']['restartPolicy'] == 'Always' and obj['status']['phase'] == 'Pending'


def test_dry_run_creates_nothing(http, pods, name):
    created(http.post(pods, pod(name), dryRun='All'))
    assert http.get(pods + '/' + name).code == 404
    assert name not in names(ok(http.get(pods)))


def test_dry_run_finds_errors(http, pods, name):
    assert failure(http.post(pods, pod(name, containers=[]), dryRun='All')) == (
        422, 'Invalid', [('spec.containers', 'FieldValueRequired')])
    created(http.post(pods, pod(name)))
    assert failure(http.post(pods, pod(name), dryRun='All')) == (409, 'AlreadyExists', [])


def test_unknown_dry_run_is_422(http, pods, name):
    assert failure(http.post(pods, pod(name), dryRun='Some')) == (
        422, 'Invalid', [('dryRun', 'FieldValueNotSupported')])


def test_new_namespace_is_active(http, other_namespace):
    namespace = ok(http.get('/api/v1/namespaces/' + other_namespace))
    assert namespace['status']['phase'] == 'Active' and 'namespace' not in namespace['metadata']
    assert other_namespace in names(ok(http.get('/api/v1/namespaces')))
