"""The status of a pod or claim is written through its subresource, and nothing else is."""
import copy

import pytest

from .helpers import STRATEGIC_PATCH, claim, created, ok, outcome, pod, version

RUNNING = {'status': {'phase': 'Running'}}


@pytest.fixture
def path(http, pods, name):
    """The path of a pod."""
    created(http.post(pods, pod(name, labels={'a': '1'})))
    return pods + '/' + name


@pytest.mark.parametrize('content_type', ['application/merge-patch+json', STRATEGIC_PATCH])
def test_patch_of_the_pod_ignores_status(http, path, content_type):
    assert ok(http.patch(path, RUNNING, content_type))['status']['phase'] == 'Pending'
    assert ok(http.get(path))['status']['phase'] == 'Pending'


def test_replace_of_the_pod_ignores_status(http, path):
    obj = dict(ok(http.get(path)), **RUNNING)
    assert ok(http.put(path, obj))['status']['phase'] == 'Pending'


def test_patch_of_the_status_is_seen_in_the_pod(http, path):
    before = ok(http.get(path))
    after = ok(http.patch(path + '/status', RUNNING))
    assert (after['kind'], after['status']['phase']) == ('Pod', 'Running')
    assert int(version(after)) > int(version(before))
    assert ok(http.get(path)) == ok(http.get(path + '/status')) == after


@pytest.mark.parametrize('change', [
    {'schedulerName': 'other'}, {'containers': []}, {'activeDeadlineSeconds': 9}, {'nodeName': 'other'}])
def test_patch_of_the_status_ignores_spec(http, path, change):
    before = ok(http.get(path))
    after = ok(http.patch(path + '/status', dict(RUNNING, spec=change)))
    assert after['status']['phase'] == 'Running' and after['spec'] == before['spec']


def test_replace_of_the_status_ignores_spec(http, path):
    obj = ok(http.get(path))
    changed = copy.deepcopy(obj)
    changed['status']['phase'] = 'Running'
    changed['spec']['containers'][0]['image'] = 'other:1'
    after = ok(http.put(path + '/status', changed))
    assert after['status']['phase'] == 'Running' and after['spec'] == obj['spec']


def test_stale_replace_of_the_status_is_409(http, path):
    obj = ok(http.get(path))
    ok(http.patch(path + '/status', RUNNING))
    assert outcome(http.put(path + '/status', obj)) == (409, 'Conflict')


def test_status_of_containers_is_kept_as_written(http, path):
    status = {
        'phase': 'Running', 'podIP': '10.1.1.1', 'hostIP': '10.1.1.2', 'message': 'm', 'reason': 'r',
        'startTime': '2030-01-01T00:00:00Z',
        'conditions': [{'type': 'Ready', 'status': 'False', 'reason': 'ContainersNotReady', 'message': 'not yet',
                        'lastTransitionTime': '2030-01-01T00:00:00Z'}],
        'containerStatuses': [{
            'name': 'main', 'ready': False, 'restartCount': 2, 'image': 'i', 'imageID': 'x', 'containerID': 'y',
            'state': {'waiting': {'reason': 'CrashLoopBackOff', 'message': 'back-off'}},
            'lastState': {'terminated': {'exitCode': 1, 'reason': 'Error', 'startedAt': '2030-01-01T00:00:00Z',
                                         'finishedAt': '2030-01-01T00:00:01Z'}}}],
    }
    after = ok(http.patch(path + '/status', {'status': status}))['status']
    for condition in after['conditions']:
        assert condition.pop('lastProbeTime', None) is None
    assert {field: after[field] for field in status} == status


def test_null_removes_from_a_status(http, path):
    ok(http.patch(path + '/status', {'status': {'reason': 'Evicted', 'phase': 'Failed'}}))
    assert 'reason' not in ok(http.patch(path + '/status', {'status': {'reason': None}}))['status']


def test_status_is_watched_like_any_change(http, path, pods, name):
    since = version(ok(http.get(path)))
    with http.watch(pods, resourceVersion=since, fieldSelector='metadata.name=' + name) as watch:
        for phase in ('Running', 'Succeeded'):
            ok(http.patch(path + '/status', {'status': {'phase': phase}}))
        assert [e['object']['status']['phase'] for e in watch.take(2)] == ['Running', 'Succeeded']


def test_dry_run_of_a_status_changes_nothing(http, path):
    before = ok(http.get(path))
    assert ok(http.patch(path + '/status', RUNNING, dryRun='All'))['status']['phase'] == 'Running'
    assert ok(http.get(path)) == before


def test_status_of_a_claim(http, url, name):
    """Whether or not the cluster has something to bind it to, it is never lost by a patch of the claim itself."""
    claims = url('persistentvolumeclaims')
    created(http.post(claims, claim(name)))
    assert ok(http.patch(claims + '/' + name, {'status': {'phase': 'Lost'}}))['status']['phase'] in ('Pending', 'Bound')
    change = {'status': {'phase': 'Lost'}, 'spec': {'storageClassName': 'other'}}
    after = ok(http.patch(claims + '/' + name + '/status', change, dryRun='All'))
    assert (after['status']['phase'], after['spec']['storageClassName']) == ('Lost', 'made-up-class')
