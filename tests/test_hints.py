"""What users are told of a start that failed: first what happened and what they can do, then Kubernetes' own words."""
import pytest

from kubespawner.kube import api
from kubespawner.lifecycle import podstatus
from kubespawner.messages import hints
from kubespawner.messages.errors import Cause, ConfigurationError, Fault, HubError, SpawnError
from kubespawner.messages.progress_log import ProgressLog

BEFORE = 'Pod jupyter-ann failed to start.'
LATE = 'Waited 57 s for pod jupyter-ann to be running.'


def starting(cause, reason, message):
    """Return the error of a pod that failed; message (str): Kubernetes'."""
    return SpawnError(BEFORE, reason, cause, 'pod: %s. %s' % (reason, message), message)


def late(cause=Cause.TIME, reason='', message=''):
    """Return the error of a pod that did not start in time."""
    return SpawnError(LATE, reason, cause, 'Last seen: phase Pending; %s: %s.' % (reason, message), message)


def refused(kind, reason, message, status=403):
    return api.ApiError(api.create(kind, 'hub', {'metadata': {'name': 'x'}}), status, reason, message).for_the_user()


TOLD = [
    (starting(Cause.IMAGE, 'ImagePullBackOff', 'Back-off pulling image "a"'), 'image', 'another profile'),
    (starting(Cause.IMAGE, 'ErrImageNeverPull', 'Container image "a" is not present'), 'image', 'another profile'),
    (starting(Cause.IMAGE, 'InvalidImageName', 'Failed to apply default image tag'), 'image', 'another profile'),
    (starting(Cause.SCHEDULE, 'Unschedulable', '0/3 nodes are available: 3 Insufficient cpu.'), 'enough', 'needs less'),
    (starting(Cause.SCHEDULE, 'OutOfcpu', 'Pod was rejected: Node didn\'t have enough resource: cpu'), 'enough',
     'needs less'),
    (starting(Cause.SCHEDULE, 'OutOfnvidia.com/gpu', 'Pod was rejected'), 'enough', 'needs less'),
    (starting(Cause.SCHEDULE, 'Unschedulable', '0/1 nodes are available: 1 node(s) had untolerated taint {gpu: true}. '
              'preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.'), 'can run',
     'another profile'),
    (starting(Cause.SCHEDULE, 'Unschedulable', '0/1 nodes are available: pod has unbound immediate '
              'PersistentVolumeClaims.'), 'storage', 'operator'),
    (starting(Cause.SCHEDULE, 'Unschedulable', 'persistentvolumeclaim "claim-ann" not found'), 'storage', 'operator'),
    (starting(Cause.SCHEDULE, 'Unschedulable', '0/1 nodes are available: 1 node(s) had volume node affinity conflict.'),
     'storage', 'operator'),
    (late(Cause.SCHEDULE, 'Unschedulable', '0/3 nodes are available: 3 Too many pods.'), 'enough', 'needs less'),
    (late(Cause.STORAGE, 'FailedAttachVolume', 'Multi-Attach error for volume "v" Volume is already used by pod(s) '
          'jupyter-ann'), 'still attached', 'Try again'),
    (late(Cause.STORAGE, 'FailedAttachVolume', 'AttachVolume.Attach failed for volume "v"'), 'cannot be mounted',
     'another profile'),
    (late(Cause.STORAGE, 'FailedMount', 'a volume'), 'cannot be mounted', 'another profile'),
    (late(), 'in time', 'Try again'),
    (starting(Cause.STORAGE, 'Lost', 'The volume does not exist any more'), 'not available', 'operator'),
    (starting(Cause.STORAGE, 'ProvisioningFailed', 'storageclass "x" not found'), 'not available', 'operator'),
    (starting(Cause.STORAGE, 'Terminating', 'It is kept by its finalizers'), 'being deleted', 'Try again'),
    (refused('pod', 'Forbidden', 'pods "jupyter-ann" is forbidden: exceeded quota: q, requested: memory=1G, used: '
             'memory=2G, limited: memory=2G'), 'quota', 'Stop servers'),
    (refused('persistent_volume_claim', 'Forbidden', 'exceeded quota: q'), 'storage quota', 'operator'),
    (refused('persistent_volume_claim', 'Forbidden', 'User "hub" cannot create resource'), 'rejected', 'operator'),
    (refused('pod', 'Invalid', 'Pod "jupyter-ann" is invalid', 422), 'rejected', 'operator'),
    (starting(Cause.CONTAINER, 'CrashLoopBackOff', 'back-off 10s; Error; exit code 1'), 'exited', 'Try again'),
    (starting(Cause.CONTAINER, 'Completed', 'exit code 0'), 'exited', 'Try again'),
    (starting(Cause.CONTAINER, 'OOMKilled', 'exit code 137'), 'memory', 'more memory'),
    (starting(Cause.CONTAINER, 'CreateContainerConfigError', 'configmap "c" not found'), 'is missing', 'operator'),
    (starting(Cause.CONTAINER, 'CreateContainerConfigError', 'container has runAsNonRoot and image will run as root'),
     'configuration', 'another profile'),
    (starting(Cause.CONTAINER, 'StartError', 'failed to create containerd task: exec: "lab": executable file not '
              'found; exit code 128'), 'configuration', 'another profile'),
    (starting(Cause.CONTAINER, 'FailedPostStartHook', 'Exec lifecycle hook failed'), 'postStart', 'another profile'),
    (late(Cause.CONTAINER, 'FailedPreStopHook', 'Exec lifecycle hook failed'), 'preStop', 'another profile'),
    (starting(Cause.CONTAINER, 'Terminated', 'exit code 1'), 'exited', 'Try again'),
    (starting(Cause.NODE, 'ContainerStatusUnknown', 'exit code 137'), 'node', 'Try again'),
    (starting(Cause.DELETION, 'Deleted', 'It is being deleted.'), 'node', 'Try again'),
    (SpawnError('Pod jupyter-ann was deleted while it was starting.', 'NotFound', Cause.DELETION), 'was stopped',
     'Try again'),
    (starting(Cause.NODE, 'Evicted', 'The node was low on resource: memory.'), 'node', 'Try again'),
    (starting(Cause.TIME, 'DeadlineExceeded', 'Pod was active on the node longer than it may'), 'exited', 'Try again'),
]
IDS = ['%s-%s-%s' % (error.cause.value, error.k8s_reason, number) for number, (error, _, _) in enumerate(TOLD)]
ERRORS = [error for error, _, _ in TOLD]


@pytest.mark.parametrize('error, words, to_do', TOLD, ids=IDS)
def test_what_happened_and_what_to_do_is_said_before_kubernetes_words(error, words, to_do):
    told = hints.with_hint(error, may_choose=True)
    assert type(told) is SpawnError
    for field in ('sentence', 'k8s_reason', 'cause', 'details', 'k8s_message', 'fault'):
        assert getattr(told, field) == getattr(error, field)
    assert told.jupyterhub_message == '%s %s' % (told.hint, error.message)
    assert words in told.hint and to_do in told.hint


@pytest.mark.parametrize('error', ERRORS, ids=IDS)
def test_nobody_is_sent_to_profiles_that_there_are_not(error):
    hint = hints.with_hint(error, may_choose=False).hint
    assert hint and 'profile' not in hint


@pytest.mark.parametrize('may_choose', [True, False])
def test_what_does_not_lie_with_the_server_is_not_laid_to_its_profile(may_choose):
    told = hints.with_hint(HubError('Kubernetes could not list pods:', 'ConnectionError', Cause.API,
                                    'ConnectionError: x', 'x'), may_choose)
    assert type(told) is HubError and 'Try again' in told.message and 'profile' not in told.message


@pytest.mark.parametrize('name', ['x', 'Evicted', 'exceeded quota'])
def test_what_says_already_what_to_do_stays_as_it_is(name):
    error = SpawnError('There is no profile "%s". Choose one of the profiles: "y".' % name)
    assert hints.with_hint(error, True) is error


def test_a_hint_takes_the_place_of_one_that_is_there():
    once = hints.with_hint(late(), may_choose=True)
    assert hints.with_hint(once, may_choose=True).message == once.message


# What the table is to be found by, and each cause with a reason that no row names.
KEYS = sorted({key for key in hints.HINTS} | {(cause, 'Other') for cause in Cause}, key=str)

# Words that Kubernetes has for other failures.
TRIGGERS = ['exceeded quota', 'OOMKilled', 'Evicted', 'pod: Unschedulable. 3 Insufficient cpu', 'Multi-Attach error',
            'Unschedulable: PersistentVolumeClaim', 'ImagePullBackOff', 'OutOfcpu', 'exit code 1', 'CrashLoopBackOff',
            'FailedMount', 'was deleted while', 'Kubernetes could not', 'Waited 5 s', 'volume node affinity conflict']


@pytest.mark.parametrize('trigger', TRIGGERS)
def test_no_wording_changes_a_hint(trigger):
    """What is said by Kubernetes itself, and by nobody else, is `k8s_message`."""
    for kind in (SpawnError, HubError, ConfigurationError):
        for cause, reason in KEYS:
            plain = hints.with_hint(kind('It failed.', reason or '', cause), may_choose=True)
            reworded = hints.with_hint(kind(trigger, reason or '', cause, trigger), may_choose=True)
            assert reworded.hint == plain.hint, (kind, cause, reason)


@pytest.mark.parametrize('trigger', TRIGGERS)
def test_what_kubernetes_says_changes_no_hint_where_its_reason_says_enough(trigger):
    for cause, reason in set(KEYS) - set(hints.PROSE):
        error = SpawnError('It failed.', reason or '', cause, trigger, trigger)
        assert hints.with_hint(error, True).hint == hints.with_hint(SpawnError('', reason or '', cause), True).hint


def of_container(state, message, reason, **more):
    status = {'name': 'notebook', 'state': {state: {'reason': reason, 'message': message, 'exitCode': 1}}}
    return {'status': {'phase': 'Running', 'containerStatuses': [dict(status, **more)]}}


@pytest.mark.parametrize('trigger', TRIGGERS)
@pytest.mark.parametrize('pod', [
    lambda printed: of_container('terminated', printed, 'Error'),
    lambda printed: of_container('terminated', printed, 'OOMKilled'),
    lambda printed: of_container('waiting', printed, 'CreateContainerError'),
    lambda printed: of_container('waiting', 'back-off', 'CrashLoopBackOff', lastState={
        'terminated': {'reason': 'Error', 'message': printed, 'exitCode': 1}}),
], ids=['ended', 'killed', 'not created', 'ended before'])
def test_what_a_container_prints_changes_no_hint(pod, trigger):
    def hint(printed):
        failure, = podstatus.failures(pod(printed))
        error = SpawnError(BEFORE, failure.root_reason, failure.cause, failure.message, failure.message)
        assert printed in error.message
        return hints.with_hint(error, may_choose=True).hint

    assert hint(trigger) == hint('harmless')


@pytest.mark.parametrize('error', [
    refused('pod', 'Invalid', 'metadata.labels: Invalid value: "exceeded quota"', 422),
    api.ApiError(api.read('pod', 'hub', 'x'), 403, 'Forbidden', 'exceeded quota').for_the_user(),
])
def test_only_the_refusal_to_create_something_is_a_quotas(error):
    assert error.cause is Cause.API


@pytest.mark.parametrize('warning, expected', [
    (('FailedMount', 'no such secret'), (Cause.STORAGE, 'FailedMount', 'no such secret')),
    (('FailedAttachVolume', 'Multi-Attach error: a: b'), (Cause.STORAGE, 'FailedAttachVolume',
                                                          'Multi-Attach error: a: b')),
    (('Unhealthy', 'Readiness probe failed: FailedMount: Multi-Attach error'), (Cause.TIME, '', '')),
    (None, (Cause.TIME, '', '')),
])
def test_the_last_warning_says_what_failed_by_its_reason(warning, expected):
    progress_log = ProgressLog(lambda: '00:00:00')
    progress_log.about('u')
    if warning is not None:
        about = {'involvedObject': {'uid': 'u'}}
        progress_log.event(dict(about, type='Warning', reason=warning[0], message=warning[1]))
    assert progress_log.failure_in_last_warning() == expected


@pytest.mark.parametrize('error, expected', [
    (SpawnError('There is no profile "x".'), Fault.USER),
    (starting(Cause.CONTAINER, 'Error', 'exit code 1'), Fault.USER),
    (starting(Cause.NODE, 'Evicted', ''), Fault.CLUSTER),
    (SpawnError('KubeSpawner.profile_list took too long.', cause=Cause.CONFIGURATION), Fault.OPERATOR),
    (ConfigurationError('KubeSpawner.cmd is wrong.'), Fault.OPERATOR),
    (HubError('Kubernetes could not list pods:', '', Cause.API), Fault.HUB),
])
def test_an_error_says_whose_fault_it_is(error, expected):
    assert error.fault is expected


def test_what_kubernetes_says_is_cut_in_a_message_and_whole_in_its_field():
    said = 'begin' + 'x' * 200000 + 'end'
    error = SpawnError('It failed.', 'Failed', Cause.NODE, said, said)
    for text in (error.message, error.jupyterhub_message, str(error)):
        assert text.startswith('It failed. begin') and text.endswith('end.') and len(text) < 3000 and '\u2026' in text
    assert error.details == said + '.'  # in which what is secret is still to be masked


@pytest.mark.parametrize('details, told', [
    ('container notebook: Error. exit code 3', 'Container notebook: Error. exit code 3.'),
    ('Last seen: phase Pending; Unschedulable: 1 Insufficient cpu..',
     'Last seen: phase Pending; Unschedulable: 1 Insufficient cpu.'),
    ('Last seen: 1 Insufficient cpu.. The last warning: FailedMount: x', 'Last seen: 1 Insufficient cpu. The last '
     'warning: FailedMount: x.'),
    ('Is it there?', 'Is it there?'), ('It says "no."', 'It says "no."'), ('it says (no)', 'It says (no).'),
    ('mem_limit is wrong', 'mem_limit is wrong.'), ('cannot open ../a or ..', 'Cannot open ../a or ..'),
    ('waiting for x... 1..5', 'Waiting for x... 1..5.'), ('', '')])
def test_each_sentence_of_the_details_ends_once_and_they_begin_with_a_capital_letter(details, told):
    error = hints.with_hint(SpawnError('It failed.', 'Error', Cause.CONTAINER, details), may_choose=True)
    assert error.further == ('It failed. ' + told).strip()
    assert error.message.lower() == ('%s It failed. %s' % (error.hint, told)).strip().lower()
    assert SpawnError('It failed.', 'Error', details=details).further == told
    assert error.replaced(details=error.details).further == error.further


def test_what_follows_a_colon_goes_on_and_a_sentence_without_an_end_gets_one():
    assert SpawnError('Kubernetes could not list pods:', 'x', Cause.API, 'no route').message == (
        'Kubernetes could not list pods: no route.')
    refused_again = hints.with_hint(SpawnError('It cannot be had:', 'x', Cause.API, 'no route'), may_choose=True)
    assert refused_again.further == 'It cannot be had: no route.'
    assert SpawnError('It failed', details='why').message == 'It failed. why.'
    assert SpawnError('mem_limit').message == 'mem_limit'
