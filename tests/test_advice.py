"""What users are told of a start that failed: first what happened and what they can do, then Kubernetes' own words."""
import pytest

from kubespawner import advice
from kubespawner.errors import HubError, SpawnError

ENDED = 'Pod jupyter-ann failed to start. '

TOLD = [
    (ENDED + 'container notebook: ImagePullBackOff. Back-off pulling image "a"', 'image', 'another profile'),
    (ENDED + 'container notebook: ErrImageNeverPull. Container image "a" is not present', 'image', 'another profile'),
    (ENDED + 'container notebook: InvalidImageName. Failed to apply default image tag', 'image', 'another profile'),
    (ENDED + 'pod: Unschedulable. 0/3 nodes are available: 3 Insufficient cpu.', 'room', 'needs less'),
    (ENDED + 'pod: OutOfcpu. Pod was rejected: Node didn\'t have enough resource: cpu', 'room', 'needs less'),
    (ENDED + 'pod: OutOfnvidia.com/gpu. Pod was rejected', 'room', 'needs less'),
    (ENDED + 'pod: Unschedulable. 0/1 nodes are available: 1 node(s) had untolerated taint {gpu: true}. '
     'preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.', 'takes', 'another profile'),
    (ENDED + 'pod: Unschedulable. 0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.',
     'storage', 'operator'),
    (ENDED + 'pod: Unschedulable. persistentvolumeclaim "claim-ann" not found', 'storage', 'operator'),
    ('Waited 57 s for pod jupyter-ann to be running. Last seen: phase Pending; Unschedulable: 0/3 nodes are available: '
     '3 Too many pods.', 'room', 'needs less'),
    ('Waited 57 s for pod jupyter-ann to be running. Last seen: phase Pending. The last warning: FailedAttachVolume: '
     'Multi-Attach error for volume "v" Volume is already used by pod(s) jupyter-ann', 'still in use', 'Try again'),
    ('Waited 57 s for pod jupyter-ann to be running. Last seen: phase Pending. The last warning: FailedMount: a volume',
     'is not there', 'another profile'),
    ('Waited 57 s for pod jupyter-ann to be running. Last seen: phase Pending.', 'in time', 'Try again'),
    ('Kubernetes could not create pod jupyter-ann: 403 Forbidden: pods "jupyter-ann" is forbidden: exceeded quota: q, '
     'requested: memory=1G, used: memory=2G, limited: memory=2G', 'in use', 'Stop servers'),
    ('Kubernetes could not create persistent volume claim claim-ann: 403 Forbidden: exceeded quota: q', 'storage left',
     'operator'),
    ('Kubernetes could not create pod jupyter-ann: 422 Invalid: Pod "jupyter-ann" is invalid', 'refuses', 'operator'),
    (ENDED + 'container notebook: CrashLoopBackOff. back-off 10s; Error; exit code 1', 'ended', 'Try again'),
    (ENDED + 'container notebook: Completed. exit code 0', 'ended', 'Try again'),
    (ENDED + 'container notebook: OOMKilled. exit code 137', 'memory', 'more memory'),
    (ENDED + 'container notebook: CreateContainerConfigError. configmap "c" not found', 'is not there', 'operator'),
    (ENDED + 'container notebook: CreateContainerConfigError. container has runAsNonRoot and image will run as root',
     'configured', 'another profile'),
    (ENDED + 'container notebook: StartError. failed to create containerd task: exec: "lab": executable file not '
     'found; exit code 128', 'configured', 'another profile'),
    (ENDED + 'container notebook: Terminated. exit code 1', 'ended', 'Try again'),
    (ENDED + 'container notebook: ContainerStatusUnknown. exit code 137', 'machine', 'Try again'),
    (ENDED + 'pod: Deleted. It is being deleted.', 'machine', 'Try again'),
    (ENDED + 'pod: Evicted. The node was low on resource: memory.', 'machine', 'Try again'),
]


@pytest.mark.parametrize('message, words, to_do', TOLD)
def test_what_happened_and_what_to_do_is_said_before_kubernetes_words(message, words, to_do):
    told = advice.explained(SpawnError(message, 'Word'), may_choose=True)
    assert type(told) is SpawnError and told.word == 'Word'
    assert told.jupyterhub_message.endswith(' ' + message)
    before = told.jupyterhub_message[:-len(message)]
    assert words in before and to_do in before


@pytest.mark.parametrize('message', [message for message, _, _ in TOLD])
def test_nobody_is_sent_to_profiles_that_there_are_not(message):
    told = advice.explained(SpawnError(message), may_choose=False).message[:-len(message)]
    assert told and 'profile' not in told


@pytest.mark.parametrize('may_choose', [True, False])
def test_what_does_not_lie_with_the_server_is_not_laid_to_its_profile(may_choose):
    told = advice.explained(HubError('Kubernetes could not list pods: ConnectionError: x'), may_choose)
    assert type(told) is HubError and 'Try again' in told.message and 'profile' not in told.message


@pytest.mark.parametrize('name', ['x', 'Evicted', 'exceeded quota'])
def test_what_says_already_what_to_do_stays_as_it_is(name):
    error = SpawnError('There is no profile "%s". Choose one of those that are offered: "y".' % name)
    assert advice.explained(error, True) is error
