"""One start: how it ends, and that it shares nothing with the one after it."""
import pytest
from tornado import gen
from tornado.ioloop import IOLoop

from kubespawner.lifecycle import podstatus
from kubespawner.lifecycle.attempt import StartAttempt
from kubespawner.messages.errors import Cause, SpawnError
from kubespawner.messages.progress_log import ProgressLog
from kubespawner.spawner import KubeSpawner
from tests.cluster.conftest import make_spawner
from tests.fake_time import with_fake_time
from tests.support.fakes import LOG, pod_in


def attempt(**values):
    return StartAttempt(podstatus.is_running, LOG, **dict(
        {'pod_name': 'a', 'uid': 'u1', 'progress_log': ProgressLog(lambda: '12:00:00')}, **values))


def waits_for(reason, message=''):
    """Return a pod whose container waits for that reason."""
    pod = pod_in('Pending')
    pod['status']['containerStatuses'] = [{
        'name': 'notebook', 'ready': False, 'restartCount': 0,
        'state': {'waiting': {'reason': reason, 'message': message}}}]
    return pod


@with_fake_time
def test_a_start_ends_with_its_pod():
    assert attempt().outcome(pod_in('Pending')) is None
    assert attempt().outcome(pod_in('Running'))['metadata']['uid'] == 'u1'


@pytest.mark.parametrize('pod', [None, pod_in('Running', uid='u2')], ids=['gone', 'of another uid'])
@with_fake_time
def test_a_start_ends_when_its_pod_is_gone(pod):
    assert 'Pod a was deleted while it was starting' in str(attempt().outcome(pod))


def being_deleted(**status):
    pod = pod_in('Pending')
    pod['metadata']['deletionTimestamp'] = '2020-01-01T12:00:00Z'
    pod['status'].update(status)
    return pod


@pytest.mark.parametrize('pod', [
    being_deleted(),
    being_deleted(phase='Failed', containerStatuses=[{
        'name': 'notebook', 'ready': False, 'state': {'terminated': {'exitCode': 137, 'reason': 'Error'}}}]),
    being_deleted(phase='Failed', reason='Evicted'),
    waits_for('InvalidImageName'),
    None,
])
@with_fake_time
def test_whatever_becomes_of_the_pod_of_a_start_that_is_given_up_is_its_deletion(pod):
    start = attempt()
    start.give_up()
    outcome = start.outcome(pod)
    assert str(outcome).endswith('Pod a was deleted while it was starting.')
    assert (outcome.cause, outcome.k8s_reason) == (Cause.DELETION, 'NotFound')


@with_fake_time
def test_a_pod_that_somebody_else_deletes_ends_a_start_with_that():
    assert attempt().outcome(being_deleted()).k8s_reason == 'Deleted'


@with_fake_time
def test_what_cannot_heal_ends_it_at_once():
    outcome = attempt().outcome(waits_for('InvalidImageName', 'cannot be parsed'))
    assert isinstance(outcome, SpawnError) and 'cannot be parsed' in str(outcome)


@with_fake_time
def test_what_may_heal_ends_it_after_a_while_with_the_longest_reason_and_has_it_looked_at_then():
    woken = []
    start = attempt(grace=30, wake=lambda: woken.append(True))
    assert start.outcome(waits_for('ErrImagePull', 'the registry says: denied')) is None
    yield gen.sleep(29)
    assert start.outcome(waits_for('ImagePullBackOff', 'pausing')) is None and not woken
    yield gen.sleep(2)
    assert woken
    assert 'before that: the registry says: denied' in str(start.outcome(waits_for('ImagePullBackOff', 'pausing')))


@with_fake_time
def test_a_failure_of_before_a_pod_ran_counts_no_more():
    start = attempt(grace=30)
    assert start.failure(waits_for('ErrImagePull')) is None
    yield gen.sleep(31)
    assert start.failure(pod_in('Running')) is None
    start.has_run()
    assert start.failure(waits_for('ErrImagePull')) is None
    assert start.failure(waits_for('ErrImagePull'), is_late=True) is not None


KILLED = {'terminated': {'exitCode': 137, 'reason': 'Error'}}
OUT_OF_MEMORY = {'terminated': {'exitCode': 137, 'reason': 'OOMKilled'}}
CRASHED = {'terminated': {'exitCode': 3, 'reason': 'Error', 'message': 'no such group'}}
RUNS = {'running': {}}


def that_is(state, last=None, phase='Running', name='notebook'):
    """Return a pod whose container is in a state, and was in another one before."""
    pod = dict(pod_in(phase), spec={'restartPolicy': 'OnFailure'})
    pod['status']['containerStatuses'] = [{
        'name': name, 'ready': 'running' in state, 'restartCount': 1, 'state': state, 'lastState': last or {}}]
    return pod


def back_off(reason='CrashLoopBackOff', message=''):
    return {'waiting': {'reason': reason, 'message': message}}


def hook_failed(start, reason='FailedPostStartHook', container='notebook'):
    start.progress_log.about('u1')
    start.progress_log.event({'type': 'Warning', 'reason': reason, 'message': 'exited with 1: no such group',
                              'metadata': {},
                              'involvedObject': {'uid': 'u1', 'fieldPath': 'spec.containers{%s}' % container}})


@pytest.mark.parametrize('pod, reason', [
    (that_is(KILLED), 'FailedPostStartHook'), (that_is(back_off(), KILLED), 'FailedPostStartHook'),
    (that_is(back_off('PostStartHookError', 'short'), KILLED), 'FailedPostStartHook'),
    (that_is(KILLED), 'FailedPreStopHook'), (that_is(back_off(), KILLED), 'FailedPreStopHook')])
@with_fake_time
def test_a_hook_that_failed_is_named_with_what_it_said_and_without_an_exit_code(pod, reason):
    start = attempt(grace=0)
    hook_failed(start, reason)
    error = start.failure(pod)
    assert error.k8s_reason == reason and 'exited with 1: no such group' in str(error)
    assert '137' not in str(error)


@pytest.mark.parametrize('reason', ['PostStartHookError', "PostStartHookError: command 'false' exited with 1: "])
@with_fake_time
def test_a_hook_is_known_from_the_status_too_and_remembered_while_the_container_waits(reason):
    start = attempt(grace=30)
    assert start.failure(that_is(back_off(reason, 'exited with 1: no such group'), KILLED)) is None
    yield gen.sleep(31)
    error = start.failure(that_is(back_off(), KILLED))
    assert error.k8s_reason == 'FailedPostStartHook' and 'no such group' in str(error) and '137' not in str(error)


@pytest.mark.parametrize('pod, reason', [
    (that_is(back_off(), OUT_OF_MEMORY), 'OOMKilled'), (that_is(OUT_OF_MEMORY), 'OOMKilled'),
    (that_is(back_off('CreateContainerConfigError')), 'CreateContainerConfigError'),
    (that_is(KILLED, name='proxy'), 'Error')])
@with_fake_time
def test_a_hook_is_not_blamed_for_what_has_another_reason_or_another_container(pod, reason):
    start = attempt(grace=0)
    hook_failed(start)
    assert start.failure(pod).k8s_reason == reason


@pytest.mark.parametrize('pod', [
    that_is(CRASHED), that_is(back_off(), CRASHED), that_is(RUNS, CRASHED)],
    ids=['ended', 'between two restarts', 'runs again'])
@with_fake_time
def test_a_server_that_crashes_slowly_is_told_of_with_its_reason_when_it_has_not_answered(pod):
    start = attempt()
    start.has_run()
    assert start.failure(pod) is None
    assert 'exit code 3: no such group' in str(start.failure(pod, is_late=True))
    assert 'no such group' in str(start.too_late('Waited.', pod).k8s_message)


@with_fake_time
def test_a_server_that_runs_and_has_never_crashed_has_no_failure_when_it_is_late():
    start = attempt()
    start.has_run()
    assert start.failure(that_is(RUNS), is_late=True) is None
    beside = that_is(RUNS)
    beside['status']['containerStatuses'] += that_is(RUNS, CRASHED, name='proxy')['status']['containerStatuses']
    assert start.failure(beside, is_late=True) is None


@with_fake_time
def test_what_fails_elsewhere_ends_a_start_unless_its_pod_runs():
    woken = []
    start = attempt(wake=lambda: woken.append(True))
    start.fail(None)
    assert start.outcome(pod_in('Pending')) is None and not woken
    start.fail(SpawnError('The claim is lost.'))
    assert woken and 'claim is lost' in str(start.outcome(pod_in('Pending')))
    assert start.outcome(pod_in('Running'))['metadata']['uid'] == 'u1'


@with_fake_time
def test_what_fails_beside_a_server_that_has_run_is_named_when_there_is_no_answer_but_not_before():
    start, crashed = attempt(grace=0), pod_in('Running')
    crashed['status']['containerStatuses'].append({
        'name': 'proxy', 'ready': False, 'state': {'waiting': {'reason': 'CrashLoopBackOff'}}})
    assert 'container proxy: CrashLoopBackOff' in str(start.failure(crashed))
    start.has_run()
    assert start.failure(crashed) is None
    assert 'container proxy: CrashLoopBackOff' in str(start.failure(crashed, is_late=True))


@with_fake_time
def test_a_start_is_wanted_until_its_deadline_or_until_it_is_given_up():
    start, other = (attempt(deadline=IOLoop.current().time() + 10) for _ in range(2))
    start.check_wanted()
    start.give_up()
    assert other.is_wanted()
    with pytest.raises(SpawnError, match='The start of pod a was given up'):
        start.check_wanted()
    yield gen.sleep(11)
    assert not other.is_wanted()


@with_fake_time
def test_each_call_of_start_is_an_attempt_of_its_own_also_for_a_subclass_that_lets_it_wait():
    begun, go_on = [], gen.sleep(5)

    class Waits(KubeSpawner):
        executor = pod_reflector = event_reflector = None

        @gen.coroutine
        def _start(self):
            yield go_on
            yield super()._start()

        def _use_profile(self, deadline, is_wanted):
            begun.append(is_wanted)
            raise SpawnError('far enough')

        def _follow_pods(self):
            """Nothing is followed here."""

    spawner = make_spawner(Waits)
    abandoned = spawner.start()
    spawner.clear_state()
    successor = spawner.start()
    for start in (abandoned, successor):
        with pytest.raises(SpawnError, match='far enough'):
            yield start
    assert [is_wanted() for is_wanted in begun] == [False, True]
