"""Pods are processes: how they start, what they are given, how they end, and what the API says of it."""
import os
import sys
import urllib.request

import pytest

from tests.support.waits import until

from .conftest import PODS, is_ready, shell, status

SERVER = [sys.executable, '-m', 'http.server', '--bind', '0.0.0.0', '8888']


def test_status_of_a_running_pod(client):
    name = client.create_pod(command=['sleep', '100'])
    pod = client.wait_for_ready(name)
    assert pod['spec']['nodeName'] == 'localkube'
    assert pod['status']['phase'] == 'Running'
    assert pod['status']['podIPs'] == [{'ip': pod['status']['podIP']}]
    assert pod['status']['podIP'].startswith('127.')
    assert pod['status']['podIP'] != pod['status']['hostIP']
    container = status(pod)
    assert list(container['state']) == ['running']
    assert (container['ready'], container['started'], container['restartCount']) == (True, True, 0)
    assert [reason for reason, _, _ in client.events(name)] == ['Scheduled', 'Pulling', 'Pulled', 'Created', 'Started']


@pytest.mark.parametrize('script, phase, code, reason', [
    ('exit 0', 'Succeeded', 0, 'Completed'), ('exit 3', 'Failed', 3, 'Error'),
    ('kill -9 $$$$', 'Failed', 137, 'Error'), ('kill -TERM $$$$', 'Failed', 143, 'Error')])  # $$ stands for $
def test_how_a_container_ended(client, script, phase, code, reason):
    name = client.create_pod(**shell(script))
    pod = client.wait_for_phase(name, phase)
    terminated = status(pod)['state']['terminated']
    assert (terminated['exitCode'], terminated['reason']) == (code, reason)
    assert not is_ready(pod)


def test_always_restarts_with_back_off(client):
    name = client.create_pod(policy='Always', **shell('exit 1'))
    pod = client.wait_for(name, lambda pod: status(pod).get('restartCount') == 3)
    assert pod['status']['phase'] == 'Running'
    pod = client.wait_for_reason(name, 'CrashLoopBackOff')
    assert status(pod)['lastState']['terminated']['exitCode'] == 1
    assert status(pod)['state']['waiting']['message'].startswith('back-off 0.')
    assert 'BackOff' in [reason for reason, _, _ in client.events(name)]


def test_on_failure_restarts_failures_only(client):
    name = client.create_pod(policy='OnFailure', **shell('if [ -e done ]; then exit 0; fi; touch done; exit 1'))
    pod = client.wait_for_phase(name, 'Succeeded')
    assert status(pod)['restartCount'] == 1
    assert status(pod)['lastState']['terminated']['exitCode'] == 1


def test_a_process_that_ends_before_it_is_seen_to_run_is_the_successor_of_the_last_one(client):
    name = client.create_pod(policy='OnFailure', lifecycle={'postStart': {'exec': {'command': ['sleep', '0.5']}}},
                             **shell('if [ -e done ]; then exit 0; fi; touch done; exit 1'))
    pod = client.wait_for_phase(name, 'Succeeded')
    assert status(pod)['lastState']['terminated']['exitCode'] == 1


def test_command_that_is_not_there(client):
    pod = client.wait_for_phase(client.create_pod(command=['no-such-command']), 'Failed')
    terminated = status(pod)['state']['terminated']
    assert (terminated['exitCode'], terminated['reason']) == (128, 'StartError')
    assert 'exec: "no-such-command": executable file not found in $PATH' in terminated['message']


def test_init_containers_run_first_and_in_order(client):
    init = [dict(shell('echo %s >> "$TMPDIR/order"' % each), name=each, image='i') for each in ('one', 'two')]
    name = client.create_pod(spec={'initContainers': init}, **shell('cat "$TMPDIR/order"'))
    pod = client.wait_for_phase(name, 'Succeeded')
    assert client.log(name, '?container=main') == 'one\ntwo\n'
    states = [each['state']['terminated']['reason'] for each in pod['status']['initContainerStatuses']]
    assert states == ['Completed', 'Completed']


def test_failed_init_container_fails_the_pod(client):
    init = [dict(shell('exit 5'), name='one', image='i')]
    pod = client.wait_for_phase(client.create_pod(spec={'initContainers': init}, **shell('exit 0')), 'Failed')
    assert status(pod, 'initContainerStatuses')['state']['terminated']['exitCode'] == 5
    assert status(pod)['state']['waiting']['reason'] == 'PodInitializing'


def test_environment_is_the_pods_and_not_localkubes(client, monkeypatch):
    monkeypatch.setenv('SECRET_OF_THE_HUB', 'x')
    name = client.create_pod(command=['env'], env=[{'name': 'ONE', 'value': '1'},
                                                   {'name': 'TWO', 'value': '$(ONE)2 $(NOPE) $$(ONE)'}])
    client.wait_for_phase(name, 'Succeeded')
    variables = dict(line.split('=', 1) for line in client.log(name).splitlines())
    assert variables.pop('PATH').split(':')[0] == os.path.dirname(sys.executable)
    assert (variables.pop('ONE'), variables.pop('TWO')) == ('1', '12 $(NOPE) $(ONE)')
    assert variables.pop('HOSTNAME') == name
    assert variables.pop('KUBERNETES_SERVICE_HOST') == '127.0.0.1'
    for port in ('KUBERNETES_SERVICE_PORT', 'KUBERNETES_SERVICE_PORT_HTTPS'):
        assert variables.pop(port) == client.address.rpartition(':')[2]
    assert {key for key in variables if not key.startswith('LC_')} <= {'HOME', 'TMPDIR', 'LANG', 'TZ', 'LANGUAGE'}


def test_environment_from_fields_secrets_and_configmaps(client, name):
    client.create('/api/v1/namespaces/default/secrets', {'metadata': {'name': name}, 'stringData': {'KEY': 'hush'}})
    client.create('/api/v1/namespaces/default/configmaps', {'metadata': {'name': name}, 'data': {'COLOUR': 'blue'}})
    env = [{'name': 'NAME', 'valueFrom': {'fieldRef': {'fieldPath': 'metadata.name'}}},
           {'name': 'IP', 'valueFrom': {'fieldRef': {'fieldPath': 'status.podIP'}}},
           {'name': 'CPU', 'valueFrom': {'resourceFieldRef': {'resource': 'limits.cpu'}}},
           {'name': 'ONE_KEY', 'valueFrom': {'secretKeyRef': {'name': name, 'key': 'KEY'}}},
           {'name': 'NONE', 'valueFrom': {'secretKeyRef': {'name': 'nope', 'key': 'KEY', 'optional': True}}}]
    client.create_pod(name, env=env, envFrom=[{'secretRef': {'name': name}}, {'prefix': 'C_', 'configMapRef': {
        'name': name}}], resources={'limits': {'cpu': '1500m'}},
        **shell('echo $NAME $IP $CPU $ONE_KEY $KEY $C_COLOUR ${NONE-unset}'))
    pod = client.wait_for_phase(name, 'Succeeded')
    assert client.log(name).split() == [name, pod['status']['podIP'], '2', 'hush', 'hush', 'blue', 'unset']


def test_container_waits_for_a_secret_that_is_missing(client, name):
    client.create_pod(name, env=[{'name': 'A', 'valueFrom': {'secretKeyRef': {'name': name, 'key': 'a'}}}],
                      **shell('echo $A'))
    pod = client.wait_for_reason(name, 'CreateContainerConfigError')
    assert status(pod)['state']['waiting']['message'] == 'secret "%s" not found' % name
    client.create('/api/v1/namespaces/default/secrets', {'metadata': {'name': name}, 'stringData': {'a': 'here'}})
    client.wait_for_phase(name, 'Succeeded')
    assert client.log(name) == 'here\n'


def test_any_address_becomes_the_pods_own(client):
    env = [{'name': 'JUPYTERHUB_SERVICE_URL', 'value': 'http://0.0.0.0:8888/user/a/'}]
    name = client.create_pod(env=env, args=['sh', '-c', 'echo $JUPYTERHUB_SERVICE_URL 0.0.0.0'])
    address = client.wait_for_phase(name, 'Succeeded')['status']['podIP']
    assert client.log(name) == 'http://%s:8888/user/a/ %s\n' % (address, address)


def test_two_pods_listen_on_one_port(client):
    probe = {'httpGet': {'port': 8888}, 'periodSeconds': 1}
    names = [client.create_pod(args=SERVER, readinessProbe=probe) for _ in range(2)]
    addresses = {client.wait_for_ready(name)['status']['podIP'] for name in names}
    assert len(addresses) == 2
    for address in addresses:
        assert urllib.request.urlopen('http://%s:8888/' % address).getcode() == 200


# scheduling

def test_pod_that_no_node_fits_stays_pending(client):
    name = client.create_pod(spec={'nodeSelector': {'gpu': 'yes'}}, **shell('exit 0'))
    pod = client.wait_for(name, lambda pod: pod['status'].get('conditions'))
    condition = pod['status']['conditions'][0]
    message = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: 0/1 nodes " \
        'are available: 1 Preemption is not helpful for scheduling.'
    assert (condition['type'], condition['status'], condition['reason'], condition['message']) == (
        'PodScheduled', 'False', 'Unschedulable', message)
    assert pod['status']['phase'] == 'Pending'


def test_pod_of_another_scheduler_is_left_alone(client):
    name = client.create_pod(spec={'schedulerName': 'other'}, **shell('exit 0'))
    client.wait_for_phase(client.create_pod(**shell('exit 0')), 'Succeeded')  # a later one has been seen to
    assert client.get('%s/%s' % (PODS, name))['status'] == {'phase': 'Pending', 'qosClass': 'BestEffort'}


# probes and hooks

@pytest.mark.parametrize('handler', [
    {'exec': {'command': ['sh', '-c', 'test -e ready']}}, {'httpGet': {'port': 'web', 'path': '/ready'}}])
def test_readiness_comes_and_goes(client, handler):
    script = 'while ! [ -e "$TMPDIR/go" ]; do sleep 0.05; done; touch ready; exec "$0" "$@"'
    name = client.create_pod(command=['sh', '-c', script] + SERVER, ports=[{'name': 'web', 'containerPort': 8888}],
                             readinessProbe=dict(handler, periodSeconds=1, failureThreshold=1))
    pod = client.wait_for_phase(name, 'Running')
    assert not is_ready(pod)
    until(lambda: 'Unhealthy' in [reason for reason, _, _ in client.events(name)], 'Unhealthy')


def test_ready_when_the_port_answers(client):
    name = client.create_pod(args=SERVER, readinessProbe={'tcpSocket': {'port': 8888}, 'periodSeconds': 1})
    client.wait_for_ready(name)


def test_failed_liveness_restarts_the_container(client):
    probe = {'exec': {'command': ['false']}, 'periodSeconds': 1, 'failureThreshold': 1}
    name = client.create_pod(policy='Always', command=['sleep', '100'], livenessProbe=probe)
    client.wait_for(name, lambda pod: status(pod).get('restartCount') == 1)
    assert 'Container main failed liveness probe, will be restarted' in [each[1] for each in client.events(name)]


def test_startup_probe_holds_readiness_back(client):
    name = client.create_pod(command=['sh', '-c', 'sleep 0.5; touch up; sleep 100'], startupProbe={
        'exec': {'command': ['test', '-e', 'up']}, 'periodSeconds': 1})
    pod = client.wait_for_phase(name, 'Running')
    assert (status(pod)['started'], status(pod)['ready']) == (False, False)
    assert status(client.wait_for_ready(name))['started'] is True


def test_hooks_run_after_the_start_and_before_the_end(client, tmpdir):
    said = str(tmpdir.join('said'))
    hooks = {'postStart': {'exec': {'command': ['sh', '-c', 'echo started >> ' + said]}},
             'preStop': {'exec': {'command': ['sh', '-c', 'echo stopping >> ' + said]}}}
    name = client.create_pod(command=['sh', '-c', 'trap "echo TERM >> %s; exit 0" TERM; while :; do sleep 0.05; done'
                                      % said], lifecycle=hooks)
    client.wait_for_ready(name)
    client.delete('%s/%s' % (PODS, name))
    client.wait_until_gone(name)
    with open(said) as f:
        assert f.read().split() == ['started', 'stopping', 'TERM']


def test_failed_post_start_kills_the_container(client):
    name = client.create_pod(command=['sleep', '100'], lifecycle={'postStart': {'exec': {'command': ['false']}}})
    assert status(client.wait_for_phase(name, 'Failed'))['state']['terminated']['exitCode'] == 137
    assert 'FailedPostStartHook' in [reason for reason, _, _ in client.events(name)]


# the end

def test_deletion_ends_the_process_then_the_pod(client, name):
    client.create_pod(name, command=['sh', '-c', 'trap "echo bye; sleep 0.2; exit 7" TERM; echo up; while :; do sleep '
                                     '0.02; done'])
    client.wait_for_ready(name)
    until(lambda: client.log(name) == 'up\n', 'its log')
    seen = []
    watch = client.watch(PODS, '&fieldSelector=metadata.name=' + name)
    assert next(watch)['type'] == 'ADDED'
    client.delete('%s/%s' % (PODS, name))
    for event in watch:
        seen.append((event['type'], sorted(status(event['object'])['state'])))
        if event['type'] == 'DELETED':
            break
    assert seen[0] == ('MODIFIED', ['running'])  # marked for deletion
    assert ('MODIFIED', ['terminated']) in seen
    assert seen[-1] == ('DELETED', ['terminated'])
    assert ('Killing', 'Stopping container main', 1) in client.events(name)


def test_process_that_ignores_term_is_killed_after_its_grace(client):
    name = client.create_pod(command=['sh', '-c', 'trap "" TERM; echo up; while :; do sleep 0.05; done'])
    client.wait_for_ready(name)
    until(lambda: client.log(name) == 'up\n', 'its log')
    client.delete('%s/%s' % (PODS, name), gracePeriodSeconds=1)
    pod = client.wait_for(name, lambda pod: pod and 'terminated' in status(pod)['state'])
    assert status(pod)['state']['terminated']['exitCode'] == 137
    client.wait_until_gone(name)


def test_deadline_ends_the_pod(client):
    name = client.create_pod(spec={'activeDeadlineSeconds': 1}, command=['sleep', '100'])
    pod = client.wait_for_phase(name, 'Failed')
    assert pod['status']['reason'] == 'DeadlineExceeded'


def test_name_can_be_used_again_at_once_after_a_forced_deletion(client, name):
    client.create_pod(name, command=['sleep', '100'])
    first = client.wait_for_ready(name)
    client.delete('%s/%s' % (PODS, name), gracePeriodSeconds=0)
    client.create_pod(name, command=['sleep', '100'])
    second = client.wait_for_ready(name)
    assert second['metadata']['uid'] != first['metadata']['uid']
    assert second['status']['podIP'] != first['status']['podIP']


def test_namespace_takes_its_pods_along(client, name):
    client.create('/api/v1/namespaces', {'metadata': {'name': name}})
    pods = '/api/v1/namespaces/%s/pods' % name
    client.create(pods, {'metadata': {'name': 'a'}, 'spec': {'terminationGracePeriodSeconds': 1, 'containers': [
        {'name': 'main', 'image': 'x', 'command': ['sleep', '100']}]}})
    until(lambda: client.get(pods + '/a')['status'].get('phase') == 'Running', 'pod running')
    client.delete('/api/v1/namespaces/' + name)
    until(lambda: client.call('GET', '/api/v1/namespaces/' + name)[0] == 404, 'namespace gone')
    assert client.get(pods)['items'] == []


# logs

def test_log_of_the_last_lines(client):
    name = client.create_pod(**shell('for i in 1 2 3 4; do echo $i; done'))
    client.wait_for_phase(name, 'Succeeded')
    assert client.log(name) == '1\n2\n3\n4\n'
    assert client.log(name, '?tailLines=2') == '3\n4\n'
    assert client.log(name, '?tailLines=0') == ''
    assert client.log(name, '?limitBytes=3') == '1\n2'


def test_log_is_followed_to_the_end(client):
    name = client.create_pod(**shell('echo one; sleep 0.5; echo two'))
    client.wait_for_phase(name, 'Running')
    assert client.log(name, '?follow=true') == 'one\ntwo\n'


def test_log_of_the_run_before(client):
    name = client.create_pod(policy='OnFailure', **shell('if [ -e f ]; then echo second; exit 0; fi; touch f; '
                                                         'echo first; exit 1'))
    client.wait_for_phase(name, 'Succeeded')
    assert client.log(name) == 'second\n'
    assert client.log(name, '?previous=true') == 'first\n'


def test_log_that_is_not_there(client):
    name = client.create_pod(spec={'initContainers': [dict(shell('exit 0'), name='init', image='i')]},
                             image='localkube/slow:30')
    client.wait_for(name, lambda pod: status(pod, 'initContainerStatuses').get('state', {}).get('terminated'))
    path = '%s/%s/log' % (PODS, name)
    answers = [client.call('GET', path + query) for query in (
        '', '?container=main', '?container=nope', '?container=init&previous=true')]
    assert [code for code, _ in answers] == [400] * 4
    assert [answer['message'] for _, answer in answers] == [
        'a container name must be specified for pod %s, choose one of: [main] or one of the init containers: '
        '[init]' % name,
        'container "main" in pod "%s" is waiting to start: PodInitializing' % name,
        'container nope is not valid for pod %s' % name,
        'previous terminated container "init" in pod "%s" not found' % name]
