"""The official client understands this server: its models, its watch, its errors."""
import json

import pytest
from kubernetes import client, watch
from kubernetes.client.rest import ApiException

from .helpers import NODE, PATIENCE, unique


def model(name, labels=None, **spec):
    """A pod of the client's classes that no scheduler takes."""
    return client.V1Pod(
        api_version='v1', kind='Pod', metadata=client.V1ObjectMeta(name=name, labels=labels),
        spec=client.V1PodSpec(containers=[client.V1Container(name='main', image='example.org/image:1')],
                              scheduler_name='nobody', automount_service_account_token=False, **spec))


@pytest.fixture
def made(core, namespace, name):
    """A pod."""
    return core.create_namespaced_pod(namespace=namespace, body=model(name, labels={'case': name}))


def refused(call, **arguments):
    """(status, reason, body) of the exception that a call raises."""
    with pytest.raises(ApiException) as caught:
        call(**arguments)
    error = caught.value
    return error.status, error.reason, json.loads(error.body)


def test_created_pod_is_a_model(made, name, namespace):
    assert isinstance(made, client.V1Pod)
    assert (made.metadata.name, made.metadata.namespace, made.status.phase) == (name, namespace, 'Pending')
    assert made.metadata.uid and made.metadata.resource_version
    assert made.spec.containers[0].image_pull_policy == 'IfNotPresent'
    assert made.metadata.creation_timestamp.tzinfo is not None


def test_read_and_list(core, namespace, name, made):
    assert core.read_namespaced_pod(name=name, namespace=namespace).metadata.uid == made.metadata.uid
    pods = core.list_namespaced_pod(namespace=namespace, label_selector='case=' + name)
    assert [p.metadata.name for p in pods.items] == [name] and int(pods.metadata.resource_version) > 0


def test_patch_is_strategic(core, namespace, name, made):
    patched = core.patch_namespaced_pod(
        name=name, namespace=namespace,
        body={'metadata': {'labels': {'case': None, 'more': '1'}},
              'spec': {'containers': [{'name': 'main', 'image': 'example.org/image:2'}]}})
    assert patched.metadata.labels == {'more': '1'} and patched.spec.containers[0].image == 'example.org/image:2'


def test_replace(core, namespace, name, made):
    made.metadata.labels = {'more': '1'}
    replaced = core.replace_namespaced_pod(name=name, namespace=namespace, body=made)
    assert replaced.metadata.labels == {'more': '1'}
    assert refused(core.replace_namespaced_pod, name=name, namespace=namespace, body=made)[:2] == (409, 'Conflict')


def test_delete_with_options(core, namespace, name, made):
    wrong = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid=unique()))
    assert refused(core.delete_namespaced_pod, name=name, namespace=namespace, body=wrong)[:2] == (409, 'Conflict')
    right = client.V1DeleteOptions(grace_period_seconds=0, preconditions=client.V1Preconditions(uid=made.metadata.uid))
    core.delete_namespaced_pod(name=name, namespace=namespace, body=right)
    assert refused(core.read_namespaced_pod, name=name, namespace=namespace)[0] == 404


def test_graceful_deletion_is_seen_in_the_model(core, namespace, name):
    core.create_namespaced_pod(namespace=namespace, body=model(name, node_name=NODE))
    core.delete_namespaced_pod(name=name, namespace=namespace, body=client.V1DeleteOptions(grace_period_seconds=9))
    metadata = core.read_namespaced_pod(name=name, namespace=namespace).metadata
    assert metadata.deletion_grace_period_seconds == 9 and metadata.deletion_timestamp.tzinfo is not None


def test_claim(core, namespace, name):
    made = core.create_namespaced_persistent_volume_claim(
        namespace=namespace, body=client.V1PersistentVolumeClaim(
            metadata=client.V1ObjectMeta(name=name), spec=client.V1PersistentVolumeClaimSpec(
                access_modes=['ReadWriteOnce'], storage_class_name='made-up-class',
                resources={'requests': {'storage': '1Gi'}})))
    assert made.status.phase == 'Pending'
    core.delete_namespaced_persistent_volume_claim(name=name, namespace=namespace, body=client.V1DeleteOptions())


def test_events_are_listed(core, namespace):
    assert isinstance(core.list_namespaced_event(namespace=namespace).items, list)


def test_version(core):
    assert client.VersionApi(core.api_client).get_code().git_version.startswith('v1.')


@pytest.mark.parametrize('call, arguments, status, phrase, reason', [
    ('read_namespaced_pod', {'name': 'missing'}, 404, 'Not Found', 'NotFound'),
    ('delete_namespaced_pod', {'name': 'missing', 'body': client.V1DeleteOptions()}, 404, 'Not Found', 'NotFound'),
    ('list_namespaced_pod', {'field_selector': 'spec.hostname=x'}, 400, 'Bad Request', 'BadRequest'),
    ('create_namespaced_pod', {'body': model('Upper')}, 422, 'Unprocessable Entity', 'Invalid'),
    ('create_namespaced_pod', {'body': model('bad', restart_policy='Maybe')}, 422, 'Unprocessable Entity', 'Invalid'),
])
def test_exception_has_status_reason_and_body(core, namespace, call, arguments, status, phrase, reason):
    found = refused(getattr(core, call), namespace=namespace, **arguments)
    assert found[:2] == (status, phrase)
    assert (found[2]['kind'], found[2]['code'], found[2]['reason']) == ('Status', status, reason)


def test_exception_of_a_second_create_is_409(core, namespace, name, made):
    found = refused(core.create_namespaced_pod, namespace=namespace, body=model(name))
    assert found[:2] == (409, 'Conflict') and found[2]['reason'] == 'AlreadyExists'


def test_raw_list_is_json(core, namespace, name, made):
    response = core.list_namespaced_pod(namespace=namespace, label_selector='case=' + name, _preload_content=False)
    body = json.loads(response.data.decode())
    assert body['kind'] == 'PodList' and [i['metadata']['name'] for i in body['items']] == [name]


def test_raw_watch_is_lines_of_json(core, namespace, name, made):
    response = core.list_namespaced_pod(
        namespace=namespace, label_selector='case=' + name, watch=True, timeout_seconds=1, _preload_content=False,
        resource_version=str(int(made.metadata.resource_version) - 1), _request_timeout=PATIENCE)
    text = b''.join(response.stream()).decode()
    assert text.endswith('\n')
    assert [json.loads(line)['type'] for line in text.splitlines()] == ['ADDED']


def test_watch_gives_models_and_ends(core, namespace, name, made):
    core.patch_namespaced_pod(name=name, namespace=namespace, body={'metadata': {'labels': {'more': '1'}}})
    events = list(watch.Watch().stream(
        core.list_namespaced_pod, namespace=namespace, label_selector='case=' + name, timeout_seconds=1,
        resource_version=str(int(made.metadata.resource_version) - 1), _request_timeout=PATIENCE))
    assert [(e['type'], e['object'].metadata.labels.get('more')) for e in events] == [
        ('ADDED', None), ('MODIFIED', '1')]
