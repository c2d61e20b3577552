"""What a pod's status means, on statuses as Kubernetes writes them."""
import pytest

from kubespawner.kube import prune
from kubespawner.lifecycle import podstatus
from kubespawner.messages.errors import Cause


def pod(phase='Running', containers=(), init=(), ip='10.0.0.1', deleted=False, policy='OnFailure', **status):
    status = dict(status, phase=phase, containerStatuses=list(containers), initContainerStatuses=list(init))
    if ip:
        status['podIP'] = ip
    metadata = {'name': 'a'}
    if deleted:
        metadata['deletionTimestamp'] = '2026-01-01T00:00:00Z'
    return {'metadata': metadata, 'spec': {'restartPolicy': policy}, 'status': status}


def container(name='notebook', ready=False, last=None, **state):
    return {'name': name, 'ready': ready, 'state': state, 'lastState': last or {}}


READY = container(ready=True, running={})


def ended(code, name='notebook'):
    return container(name, terminated={'exitCode': code, 'reason': 'Error' if code else 'Completed'})


@pytest.mark.parametrize('pod, expected', [
    (pod(containers=[READY]), True),
    (pod(containers=[READY, container('sidecar', ready=True, running={})]), True),
    (pod(containers=[READY, container('sidecar', running={})]), False),
    (pod(containers=[container(running={})]), False),
    (pod(containers=[READY], ip=None), False),
    (pod(containers=[READY], deleted=True), False),
    (pod('Pending', containers=[READY]), False),
    (pod(), False),
    (None, False),
    ({}, False),
])
def test_running_is_phase_address_not_deleted_and_all_containers_ready(pod, expected):
    assert podstatus.is_running(pod) is expected


@pytest.mark.parametrize('pod, expected', [
    (pod('Pending'), None),
    (pod(containers=[READY]), None),
    (pod(containers=[ended(0)]), 0),
    (pod('Failed', containers=[ended(137)]), 137),
    (pod(containers=[ended(137)]), None),
    (pod(containers=[ended(137)], policy='Never'), 137),
    (pod(containers=[ended(137)], deleted=True), 137),
    (pod(containers=[ended(0)], policy='Always'), None),
    (pod(containers=[container('sidecar', terminated={'exitCode': 3}), READY]), None),
    (pod('Failed', reason='Evicted'), 1),
    (pod('Succeeded'), 0),
    ({'status': {'containerStatuses': [ended(3)]}}, 3),
    ({}, None),
])
def test_the_exit_code_is_that_of_a_notebook_container_that_is_not_started_again(pod, expected):
    assert podstatus.exit_code(pod) == expected


SOON, LATER = podstatus.CONTAINER_GRACE_SECONDS, podstatus.UNSCHEDULABLE_GRACE_SECONDS


@pytest.mark.parametrize('pod, expected', [
    (pod('Pending'), []),
    (pod(containers=[READY]), []),
    (pod('Pending', containers=[container(waiting={'reason': 'ContainerCreating'})]), []),
    (pod('Pending', init=[container('init', terminated={'exitCode': 0})],
         containers=[container(waiting={'reason': 'PodInitializing'})]), []),
    (pod('Pending', containers=[container(waiting={'reason': 'ErrImagePull', 'message': 'once'})]),
     [('container notebook', 'ErrImagePull', 'once', Cause.IMAGE, SOON)]),
    (pod('Pending', containers=[container(waiting={'reason': 'ImagePullBackOff', 'message': 'no such image'})]),
     [('container notebook', 'ImagePullBackOff', 'no such image', Cause.IMAGE, SOON)]),
    (pod('Pending', containers=[container(waiting={'reason': 'InvalidImageName', 'message': 'what is A B?'})]),
     [('container notebook', 'InvalidImageName', 'what is A B?', Cause.IMAGE, 0)]),
    (pod('Pending', containers=[container(waiting={'reason': 'CreateContainerConfigError', 'message': 'no map'})]),
     [('container notebook', 'CreateContainerConfigError', 'no map', Cause.CONTAINER, SOON)]),
    (pod('Pending', init=[container('init', waiting={'reason': 'CrashLoopBackOff', 'message': 'back-off'},
                                    last={'terminated': {'exitCode': 137, 'reason': 'OOMKilled'}})]),
     [('container init', 'CrashLoopBackOff', 'back-off; OOMKilled; exit code 137', Cause.CONTAINER, SOON)]),
    (pod('Pending', init=[ended(1, 'init')]), [('container init', 'Error', 'exit code 1', Cause.CONTAINER, SOON)]),
    (pod(containers=[container(terminated={'reason': 'OOMKilled', 'exitCode': 137})]),
     [('container notebook', 'OOMKilled', 'exit code 137', Cause.CONTAINER, SOON)]),
    (pod(containers=[ended(3)], policy='Never'), [('container notebook', 'Error', 'exit code 3', Cause.CONTAINER, 0)]),
    (pod(containers=[ended(0), READY]), [('container notebook', 'Completed', 'exit code 0', Cause.CONTAINER, 0)]),
    (pod('Pending', conditions=[{'type': 'PodScheduled', 'status': 'False', 'reason': 'Unschedulable',
                                 'message': '0/3 nodes are available'}]),
     [('pod', 'Unschedulable', '0/3 nodes are available', Cause.SCHEDULE, LATER)]),
    (pod(containers=[container(waiting={'reason': 'CrashLoopBackOff'}),
                     container('sidecar', waiting={'reason': 'ErrImageNeverPull'})]),
     [('container sidecar', 'ErrImageNeverPull', '', Cause.IMAGE, 0),
      ('container notebook', 'CrashLoopBackOff', '', Cause.CONTAINER, SOON)]),
    (pod('Failed', reason='Evicted', message='low on memory', containers=[ended(137)]),
     [('pod', 'Evicted', 'low on memory', Cause.NODE, 0)]),
    (pod('Failed', containers=[ended(0, 'sidecar'), ended(3)]),
     [('container notebook', 'Error', 'exit code 3', Cause.CONTAINER, 0)]),
    (pod('Succeeded', containers=[ended(0)]), [('container notebook', 'Completed', 'exit code 0', Cause.CONTAINER, 0)]),
    (pod('Failed'), [('pod', 'Failed', '', Cause.CONTAINER, 0)]),
    (pod(containers=[READY], deleted=True), [('pod', 'Deleted', 'It is being deleted.', Cause.DELETION, 0)]),
    (pod(containers=[READY], deleted=True, reason='NodeLost', message='Node a is unresponsive'),
     [('pod', 'NodeLost', 'Node a is unresponsive', Cause.NODE, 0)]),
    (None, []),
])
def test_a_failure_is_told_with_its_place_its_reason_its_message_and_how_long_it_may_heal(pod, expected):
    assert [failure[:5] for failure in podstatus.failures(pod)] == expected


@pytest.mark.parametrize('pod, expected', [
    (pod('Failed', reason='OutOfnvidia.com/gpu'), Cause.SCHEDULE),
    (pod('Failed', reason='UnexpectedAdmissionError'), Cause.SCHEDULE),
    (pod('Failed', reason='TopologyAffinityError'), Cause.SCHEDULE),
    (pod('Failed', reason='DeadlineExceeded'), Cause.TIME),
    (pod('Failed', reason='NodeShutdown'), Cause.NODE),
    (pod('Failed', reason='Terminated'), Cause.NODE),
    (pod('Failed', containers=[container(terminated={'exitCode': 1})]), Cause.CONTAINER),
    (pod('Failed', containers=[container(terminated={'exitCode': 137, 'reason': 'ContainerStatusUnknown'})]),
     Cause.NODE),
    (pod('Pending', containers=[container(waiting={'reason': 'RegistryUnavailable'})]), Cause.IMAGE),
    (pod('Pending', containers=[container(waiting={'reason': 'ImageInspectError'})]), Cause.IMAGE),
    (pod('Pending', containers=[container(waiting={'reason': 'CreateContainerConfigError'})]), Cause.CONTAINER),
])
def test_the_cause_is_what_failed(pod, expected):
    assert [failure.cause for failure in podstatus.failures(pod)] == [expected]


@pytest.mark.parametrize('reason, last, expected', [
    ('CrashLoopBackOff', 'OOMKilled', (Cause.CONTAINER, 'OOMKilled')),
    ('CrashLoopBackOff', 'StartError', (Cause.CONTAINER, 'StartError')),
    ('CrashLoopBackOff', 'ContainerStatusUnknown', (Cause.NODE, 'ContainerStatusUnknown')),
    ('CrashLoopBackOff', 'Error', (Cause.CONTAINER, 'CrashLoopBackOff')),
    ('CrashLoopBackOff', 'Completed', (Cause.CONTAINER, 'CrashLoopBackOff')),
    ('CrashLoopBackOff', None, (Cause.CONTAINER, 'CrashLoopBackOff')),
    ('ImagePullBackOff', 'OOMKilled', (Cause.IMAGE, 'ImagePullBackOff')),
    ('CreateContainerError', 'OOMKilled', (Cause.CONTAINER, 'CreateContainerError')),
])
def test_behind_a_container_that_is_not_started_again_yet_is_how_it_ended(reason, last, expected):
    ended = {'terminated': {'exitCode': 1, 'reason': last}}
    failure, = podstatus.failures(pod(containers=[container(last=ended, waiting={'reason': reason})]))
    assert failure.reason == reason and (failure.cause, failure.root_reason) == expected


def test_a_pod_that_cannot_go_says_what_holds_it():
    stuck = pod(deleted=True)
    stuck['metadata']['finalizers'] = ['example.org/never']
    assert "kept by its finalizers ['example.org/never']" in podstatus.describe(stuck)


def test_how_far_a_pod_has_come_is_one_line():
    assert podstatus.describe(None) == 'no pod'
    assert podstatus.describe(pod('Pending', deleted=True, conditions=[
        {'type': 'PodScheduled', 'status': 'False', 'reason': 'Unschedulable', 'message': '0/3 nodes are available'},
        {'type': 'Initialized', 'status': 'True', 'message': 'not this'}],
        containers=[container(waiting={'reason': 'ErrImagePull', 'message': 'no route'})])) == (
        'phase Pending; being deleted since 2026-01-01T00:00:00Z; Unschedulable: 0/3 nodes are available; '
        'container notebook waits: ErrImagePull no route')


@pytest.mark.parametrize('broken', [
    [], 'x', 5, {'status': None}, {'status': {'containerStatuses': 'x'}}, {'status': {'containerStatuses': [None]}},
    {'status': {'containerStatuses': [{'state': {'waiting': {'reason': []}}}]}}, {'status': {'phase': []}},
    {'spec': {'containers': [{'name': {}}, 3], 'initContainers': [None, {'name': []}]},
     'status': {'containerStatuses': [{'name': [], 'state': {'terminated': {'exitCode': []}}}]}},
    {'metadata': 3, 'spec': [], 'status': {'phase': 'Failed', 'containerStatuses': [{'state': {'terminated': {}}}]}},
])
def test_nothing_that_a_pod_lacks_or_holds_raises(broken):
    for function in (podstatus.is_running, podstatus.exit_code, podstatus.failures, podstatus.describe, podstatus.ip,
                     podstatus.phase, podstatus.is_being_deleted, podstatus.notebook_container,
                     podstatus.failures_of_server):
        function(broken)


# Containers beside the notebook


def of_spec(a_pod, *containers, init=()):
    """Return the pod with containers in its spec: dicts, or names."""
    for key, specs in (('containers', containers), ('initContainers', init)):
        a_pod['spec'][key] = [spec if isinstance(spec, dict) else {'name': spec} for spec in specs]
    return a_pod


def ready(name):
    return container(name, ready=True, running={})


@pytest.mark.parametrize('pod, expected', [
    (pod(containers=[READY, ended(0, 'puller')]), True),
    (pod(containers=[ended(0, 'puller'), READY]), True),
    (pod(containers=[READY, ended(0, 'puller')], policy='Never'), True),
    (pod(containers=[READY, ended(0, 'puller')], policy='Always'), False),
    (pod(containers=[READY, ended(1, 'puller')]), False),
    (pod(containers=[READY, ended(1, 'puller')], policy='Never'), False),
    (pod(containers=[ended(0), ready('sidecar')]), False),
    (of_spec(pod(containers=[READY, ended(0, 'puller')], policy='Always'),
             'notebook', {'name': 'puller', 'restartPolicy': 'Never'}), True),
    (of_spec(pod(containers=[READY], init=[container('proxy', running={})]), 'notebook',
             init=[{'name': 'proxy', 'restartPolicy': 'Always'}]), True),
    (of_spec(pod(containers=[READY], init=[container('proxy', waiting={'reason': 'CrashLoopBackOff'})]), 'notebook',
             init=[{'name': 'proxy', 'restartPolicy': 'Always'}]), True),
])
def test_a_container_that_has_done_its_work_and_one_that_never_ends_are_not_waited_for(pod, expected):
    assert podstatus.is_running(pod) is expected
    assert not expected or podstatus.exit_code(pod) is None


@pytest.mark.parametrize('pod, expected', [
    (pod(containers=[READY, ended(0, 'puller')]), []),
    (pod(containers=[container(running={}), ended(0, 'puller')]), []),
    (pod(containers=[container(running={}), ended(0, 'puller')], policy='Always'), [('puller', 'Completed', SOON)]),
    (pod(containers=[container(running={}), ended(1, 'puller')]), [('puller', 'Error', SOON)]),
    (pod(containers=[container(running={}), ended(1, 'puller')], policy='Never'), [('puller', 'Error', 0)]),
    (pod(containers=[ended(1, 'puller'), ended(2)]), [('notebook', 'Error', SOON), ('puller', 'Error', SOON)]),
    (pod('Succeeded', containers=[ended(0, 'puller'), ended(0)]), [('notebook', 'Completed', 0)]),
    (pod('Failed', containers=[ended(1, 'puller'), ended(2)]), [('notebook', 'Error', 0)]),
    (pod('Failed', containers=[ended(1, 'puller'), ended(0)]), [('puller', 'Error', 0)]),
    (of_spec(pod(init=[container('proxy', running={})], containers=[container(waiting={'reason': 'PodInitializing'})]),
             'notebook', init=[{'name': 'proxy', 'restartPolicy': 'Always'}]), []),
    (of_spec(pod('Pending', init=[ended(3, 'proxy')], policy='Never'), 'notebook',
             init=[{'name': 'proxy', 'restartPolicy': 'Always'}]), [('proxy', 'Error', SOON)]),
    (of_spec(pod('Pending', init=[container('proxy', waiting={'reason': 'CrashLoopBackOff'})]), 'notebook',
             init=[{'name': 'proxy', 'restartPolicy': 'Always'}]), [('proxy', 'CrashLoopBackOff', SOON)]),
    (of_spec(pod('Succeeded', init=[ended(137, 'proxy')], containers=[ended(0)]), 'notebook',
             init=[{'name': 'proxy', 'restartPolicy': 'Always'}]), [('notebook', 'Completed', 0)]),
])
def test_a_container_beside_the_notebook_fails_unless_it_has_done_its_work(pod, expected):
    assert [(failure.what, failure.reason, failure.grace_seconds) for failure in podstatus.failures(pod)] == [
        ('container ' + name, reason, grace_seconds) for name, reason, grace_seconds in expected]


@pytest.mark.parametrize('pod, expected', [
    (pod(containers=[container(running={}), ended(1, 'puller')], policy='Never'), []),
    (pod(containers=[READY, container('proxy', waiting={'reason': 'CrashLoopBackOff'})]), []),
    (pod(containers=[ended(1, 'puller'), ended(0)], policy='Never'), ['container notebook']),
    (pod('Failed', containers=[ended(1, 'puller'), ended(0)]), ['container puller']),
    (pod(containers=[READY], deleted=True), ['pod']),
])
def test_a_server_that_has_run_is_ended_by_its_pod_or_its_own_container_only(pod, expected):
    assert [failure.what for failure in podstatus.failures_of_server(pod)] == expected


@pytest.mark.parametrize('specs, expected', [
    (['notebook', 'puller'], 'notebook'),
    (['puller', 'notebook'], 'notebook'),
    (['lab', 'puller'], 'lab'),
    (['puller', {'name': 'lab', 'ports': [{'name': 'notebook-port'}]}], 'lab'),
    ([{'name': 'proxy', 'ports': [{'name': 'notebook-port'}]}, 'notebook'], 'notebook'),
    ([], 'puller'),
])
def test_the_notebook_container_is_the_one_of_that_name_or_of_that_port_or_the_first(specs, expected):
    statuses = [ended(0, name) for name in ('puller', 'notebook' if 'notebook' in specs else 'lab')]
    assert podstatus.notebook_container(of_spec(pod(containers=statuses), *specs)) == expected


@pytest.mark.parametrize('code', [0, 3])
def test_a_renamed_server_has_ended_though_a_container_beside_it_runs(code):
    over = of_spec(pod(containers=[ready('puller'), ended(code, 'lab')], policy='Never'), 'lab', 'puller')
    assert podstatus.exit_code(over) == code
    assert [failure.what for failure in podstatus.failures_of_server(over)] == ['container lab']


def test_what_is_read_of_a_pod_is_enough_to_know_its_containers():
    pruned = prune.prune(of_spec(pod(containers=[ended(0, 'puller'), ended(3, 'lab')], policy='Never'), 'puller', {
        'name': 'lab', 'image': 'x', 'ports': [{'name': 'notebook-port', 'containerPort': 1}]}),
        prune.tree_of(podstatus.FIELDS))
    assert podstatus.exit_code(pruned) == 3 and 'image' not in str(pruned)
