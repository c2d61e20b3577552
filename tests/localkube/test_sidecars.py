"""Init containers that keep running: when they start and end, and what the status of their pod says."""
import pytest

from tests.support.waits import until

from .conftest import PODS, shell, status


def sidecar(name='side', script=None, **fields):
    script = script or 'trap "echo %s >> %s; exit 0" TERM; sleep 1000 & wait' % (name, fields.pop('note', '/dev/null'))
    return dict({'name': name, 'image': 'some/image', 'restartPolicy': 'Always'}, **dict(shell(script), **fields))


def conditions(pod):
    return {each['type']: each['status'] for each in pod['status']['conditions']}


def test_a_sidecar_runs_beside_the_container_and_ends_after_it(client, tmp_path):
    order = str(tmp_path / 'order')
    spec = {'initContainers': [sidecar('one', note=order), sidecar('two', note=order)]}
    name = client.create_pod(spec=spec, **shell('echo main >> %s' % order))
    pod = client.wait_for_phase(name, 'Succeeded')
    assert open(order).read().split() == ['main', 'two', 'one']
    assert ['terminated' in each['state'] for each in pod['status']['initContainerStatuses']] == [True, True]


def test_a_pod_runs_until_its_sidecars_have_ended(client, tmp_path):
    go = str(tmp_path / 'go')
    slow = sidecar(script='trap "while [ ! -e %s ]; do sleep 0.05; done; exit 3" TERM; sleep 1000 & wait' % go)
    name = client.create_pod(spec={'initContainers': [slow]}, **shell('exit 0'))
    pod = client.wait_for(name, lambda pod: 'terminated' in status(pod).get('state', {}), 'container ended')
    assert pod['status']['phase'] == 'Running'
    open(go, 'w').close()
    client.wait_for_phase(name, 'Succeeded')  # whatever the sidecar's exit code is


def test_the_next_container_waits_until_a_sidecar_has_started(client, tmp_path):
    flag = str(tmp_path / 'flag')
    slow = sidecar(startupProbe={'exec': {'command': ['test', '-e', flag]}, 'periodSeconds': 1,
                                 'failureThreshold': 100})
    after = dict({'name': 'after', 'image': 'i'}, **shell('exit 0'))
    name = client.create_pod(spec={'initContainers': [slow, after]}, **shell('sleep 1000'))
    pod = client.wait_for(name, lambda pod: 'running' in status(pod, 'initContainerStatuses').get('state', {}))
    side, after = pod['status']['initContainerStatuses']
    assert (side['started'], side['ready'], list(after['state'])) == (False, False, ['waiting'])
    assert pod['status']['phase'] == 'Pending' and conditions(pod)['Initialized'] == 'False'
    message = next(each for each in pod['status']['conditions'] if each['type'] == 'Initialized')['message']
    assert message == 'containers with incomplete status: [after side]'
    open(flag, 'w').close()
    pod = client.wait_for_phase(name, 'Running')
    assert [(each['started'], each['ready']) for each in pod['status']['initContainerStatuses']] == [
        (True, True), (False, True)]
    assert conditions(pod)['Initialized'] == 'True'


@pytest.mark.parametrize('policy', ['Never', 'Always'])
def test_a_sidecar_that_ends_starts_again(client, policy):
    name = client.create_pod(policy=policy, spec={'initContainers': [sidecar(script='sleep 0.1')]}, **shell('sleep 99'))
    pod = client.wait_for(name, lambda pod: status(pod, 'initContainerStatuses').get('restartCount') == 1, 'restarted')
    assert pod['status']['phase'] == 'Running'
    assert status(pod)['restartCount'] == 0


def test_a_pod_is_ready_when_its_sidecars_are(client, tmp_path):
    flag = str(tmp_path / 'flag')
    probe = {'exec': {'command': ['test', '-e', flag]}, 'periodSeconds': 1}
    name = client.create_pod(spec={'initContainers': [sidecar(readinessProbe=probe)]}, **shell('sleep 99'))
    pod = client.wait_for_phase(name, 'Running')
    ready = next(each for each in pod['status']['conditions'] if each['type'] == 'Ready')
    assert (ready['status'], ready['message']) == ('False', 'containers with unready status: [side]')
    open(flag, 'w').close()
    client.wait_for_ready(name)


def test_a_deleted_pod_ends_its_sidecars_last_and_once(client, tmp_path):
    order = str(tmp_path / 'order')
    main = shell('trap "sleep 0.2; echo main >> %s; exit 0" TERM; touch %s.up; sleep 1000 & wait' % (order, order))
    spec = {'initContainers': [sidecar('one', note=order), sidecar('two', note=order)]}
    name = client.create_pod(spec=spec, **main)
    client.wait_for_phase(name, 'Running')
    until(lambda: (tmp_path / 'order.up').exists(), 'the trap')
    client.delete('%s/%s' % (PODS, name))
    client.wait_until_gone(name)
    assert open(order).read().split() == ['main', 'two', 'one']
    assert sorted(message for reason, message, _ in client.events(name) if reason == 'Killing') == [
        'Stopping container ' + each for each in ('main', 'one', 'two')]


def test_an_init_container_that_fails_ends_the_sidecars(client):
    failing = dict({'name': 'fails', 'image': 'i'}, **shell('exit 4'))
    name = client.create_pod(spec={'initContainers': [sidecar(), failing]}, **shell('exit 0'))
    pod = client.wait_for_phase(name, 'Failed')
    assert [list(each['state']) for each in pod['status']['initContainerStatuses']] == [['terminated']] * 2
    assert 'waiting' in status(pod)['state']


def test_the_log_of_a_sidecar_can_be_read(client):
    name = client.create_pod(spec={'initContainers': [sidecar(script='echo hello; sleep 1000')]}, **shell('sleep 99'))
    client.wait_for_phase(name, 'Running')
    until(lambda: client.log(name, '?container=side') == 'hello\n', 'the log')
