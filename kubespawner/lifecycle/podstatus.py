"""What a pod's status means: starting, running, ended with a code, failed because of something.

Here belongs everything that reads `status` of a pod, and the port of its server. Pods are plain dicts as the API sends
them (camelCase keys), and whatever may be missing in them may be missing here. Pure: no clients, no time, any thread.
"""
from collections import namedtuple
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ..messages.errors import Cause

Pod = Optional[Mapping[str, Any]]  # None: there is none, and nothing is known of it

NOTEBOOK, NOTEBOOK_PORT = 'notebook', 'notebook-port'

# A container's reasons to wait that belong to a good start.
STARTING = frozenset(['ContainerCreating', 'PodInitializing', 'None'])

# Those that it does not leave unless somebody makes another pod. All others may heal: the node tries again and again.
HOPELESS = frozenset(['InvalidImageName', 'ErrImageNeverPull'])

# Seconds after which a failure that may heal is not likely to: images are pushed late, registries and whatever a server
# needs to start come back. A pod that no node has room for may have to wait for a node, however long that takes.
CONTAINER_GRACE_SECONDS = 30
UNSCHEDULABLE_GRACE_SECONDS = float('inf')

# What else may be wrong with an image, besides the reasons that have `Image` in them.
IMAGE_REASONS = frozenset(['RegistryUnavailable', 'SignatureValidationFailed'])

# A container's reasons to have ended that say nothing about why.
EMPTY_REASONS = frozenset(['', 'Error', 'Completed'])

# What the reason of a whole pod says to have failed; with all others a node ended it, or did not take it.
OF_A_POD = {
    'Deleted': Cause.DELETION,
    'DeadlineExceeded': Cause.TIME,
    'Failed': Cause.CONTAINER,
    'Succeeded': Cause.CONTAINER,
    'UnexpectedAdmissionError': Cause.SCHEDULE,
    'TopologyAffinityError': Cause.SCHEDULE,
}
NO_ROOM = 'OutOf'  # of what the node has not enough of, such as `OutOfcpu`

Failure = namedtuple('Failure', 'what reason message cause grace_seconds root_reason')
Failure.__doc__ = """Failure(what, reason, message, cause, grace_seconds, root_reason): why a pod does not run.

what (str): `pod` or `container NAME`.
reason (str): Kubernetes' word for it, such as `ImagePullBackOff` or `Evicted`.
message (str): Kubernetes' sentence, may be empty.
cause (Cause): what failed; the same for reasons that take turns while one failure lasts.
grace_seconds (float): seconds after which this is not likely to heal any more; 0 if it cannot.
root_reason (str): the word for what is behind `reason`, such as `OOMKilled` behind `CrashLoopBackOff`; mostly the same.
"""


def _dict(value: Any) -> Dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> List[Dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _status(pod):
    return _dict(_dict(pod).get('status'))


def _containers(pod):
    return _dicts(_status(pod).get('containerStatuses'))


def _state(container, state):
    """Return the dict of one of a container status' states: `waiting`, `running` or `terminated`."""
    return _dict(_dict(container.get('state')).get(state))


def phase(pod: Pod) -> str:
    """Return the pod's phase, `Unknown` if it says none."""
    return str(_status(pod).get('phase') or 'Unknown')


def ip(pod: Pod) -> Optional[str]:
    """Return the pod's address, or None while it has none."""
    return _status(pod).get('podIP') or None


def port(pod: Pod) -> Optional[int]:
    """Return the port of a container that is called `notebook-port`; None if there is none."""
    for container in _dicts(_dict(_dict(pod).get('spec')).get('containers')):
        for found in _dicts(container.get('ports')):
            if found.get('name') == NOTEBOOK_PORT:
                return found.get('containerPort')
    return None


def has_nothing_running(pod: Pod) -> bool:
    """True if the node has said of all containers that none runs: there is no process to wait for the end of."""
    containers = _dicts(_status(pod).get('initContainerStatuses')) + _containers(pod)
    return bool(containers) and not any('running' in _dict(container.get('state')) for container in containers)


def is_scheduled(pod: Pod) -> bool:
    """True if a node has been found for the pod."""
    return bool(_dict(_dict(pod).get('spec')).get('nodeName'))


def is_being_deleted(pod: Pod) -> bool:
    return bool(_dict(_dict(pod).get('metadata')).get('deletionTimestamp'))


def is_running(pod: Pod) -> bool:
    """True for a pod that can be talked to: phase Running, an address, not being deleted, all containers ready."""
    containers = _containers(pod)
    return (
        phase(pod) == 'Running'
        and ip(pod) is not None
        and not is_being_deleted(pod)
        and bool(containers)
        and all(container.get('ready') is True for container in containers)
    )


def exit_code(pod: Pod) -> Optional[int]:
    """Return the exit code of a notebook container that ended for good, None as long as it may run.

    A container that crashed and that its node starts again has not ended for good. A pod that failed as a whole
    (evicted, say) without an exit code of that container counts as 1.
    """
    over = phase(pod) in ('Succeeded', 'Failed')
    for container in _containers(pod):
        ended = _state(container, 'terminated')
        if container.get('name') == NOTEBOOK and ended:
            code = ended.get('exitCode')
            code = code if isinstance(code, int) else 1
            return code if over or not _is_restarted(pod, code) else None
    if over:
        return 0 if phase(pod) == 'Succeeded' else 1
    return None


def _is_restarted(pod, code):
    """True if the node starts a container again that ended with `code`."""
    policy = _dict(_dict(pod).get('spec')).get('restartPolicy')
    return not is_being_deleted(pod) and (policy == 'Always' or (policy == 'OnFailure' and code != 0))


def failures(pod: Pod) -> List[Failure]:
    """Return the `Failure`s of a pod that is to start, those that cannot heal first."""
    if phase(pod) in ('Succeeded', 'Failed'):
        return [_failure_of_the_end(pod)]
    found = _failures_of_containers(pod) + _failures_to_schedule(pod)
    if is_being_deleted(pod):
        found.append(_failure_of_pod(_status(pod).get('reason') or 'Deleted',
                                     _status(pod).get('message') or 'It is being deleted.'))
    return sorted(found, key=lambda failure: failure.grace_seconds)


def _failure_of_pod(reason, message):
    """Return the failure, for good, of a pod as a whole."""
    reason = str(reason)
    cause = Cause.SCHEDULE if reason.startswith(NO_ROOM) else OF_A_POD.get(reason, Cause.NODE)
    return Failure('pod', reason, str(message), cause, 0, reason)


def _failure_of_ended(what, ended, grace_seconds):
    """Return the failure of a container that has ended."""
    reason = str(ended.get('reason') or 'Terminated')
    return Failure(what, reason, _how_ended(ended), _cause_of_end(reason), grace_seconds, reason)


def _cause_of_end(reason):
    """Return why a container ended or cannot run, by a reason that has nothing to do with its image."""
    return Cause.NODE if reason == 'ContainerStatusUnknown' else Cause.CONTAINER


def _failure_of_the_end(pod):
    """Return why a pod is over: for its own reason (Evicted, DeadlineExceeded), or because of a container."""
    status = _status(pod)
    ended = [(name, state) for name, state in _ended_containers(pod) if not status.get('reason')]
    for name, state in sorted(ended, key=lambda pair: pair[1].get('exitCode') == 0):
        return _failure_of_ended(name, state, 0)
    return _failure_of_pod(status.get('reason') or phase(pod), status.get('message') or '')


def _ended_containers(pod: Pod) -> List[Tuple[str, Dict[str, Any]]]:
    containers = _dicts(_status(pod).get('initContainerStatuses')) + _containers(pod)
    return [(_container(c), _state(c, 'terminated')) for c in containers if _state(c, 'terminated')]


def _failures_of_containers(pod):
    init = _dicts(_status(pod).get('initContainerStatuses'))
    return ([failure for c in init for failure in _failure_of_container(pod, c, 0)]
            + [failure for c in _containers(pod) for failure in _failure_of_container(pod, c, None)])


def _failure_of_container(pod: Pod, container: Dict[str, Any], success: Optional[int]) -> List[Failure]:
    """Return a list with the failure of a container, or an empty one.

    success: the exit code with which it may end; None if it may not.
    """
    what, ended, waiting = _container(container), _state(container, 'terminated'), _state(container, 'waiting')
    reason = str(waiting.get('reason'))
    if ended and (success is None or ended.get('exitCode') != success):
        grace_seconds = CONTAINER_GRACE_SECONDS if _is_restarted(pod, ended.get('exitCode')) else 0
        return [_failure_of_ended(what, ended, grace_seconds)]
    if waiting and reason not in STARTING:
        root = _root_reason(container, reason)
        cause = Cause.IMAGE if 'Image' in reason or reason in IMAGE_REASONS else _cause_of_end(root)
        return [Failure(what, reason, _why_waiting(container, waiting), cause,
                        0 if reason in HOPELESS else CONTAINER_GRACE_SECONDS, root)]
    return []


def _root_reason(container, reason):
    """Return why a container ended that waits to be started again, if that says more than `reason`."""
    last = str(_last_end(container).get('reason') or '')
    return last if reason == 'CrashLoopBackOff' and last not in EMPTY_REASONS else reason


def _failures_to_schedule(pod):
    return [Failure('pod', 'Unschedulable', str(condition.get('message') or ''), Cause.SCHEDULE,
                    UNSCHEDULABLE_GRACE_SECONDS, 'Unschedulable')
            for condition in _dicts(_status(pod).get('conditions'))
            if condition.get('type') == 'PodScheduled' and condition.get('reason') == 'Unschedulable'
            and condition.get('status') == 'False']


def _container(container):
    return 'container %s' % container.get('name')


def _why_waiting(container, waiting):
    """Return the message of a waiting container, and how it ended the last time, if it did."""
    last = _last_end(container)
    return '; '.join(filter(None, [str(waiting.get('message') or ''), str(last.get('reason') or ''), _how_ended(last)]))


def _last_end(container):
    """Return the dict of how a container ended before its present state."""
    return _dict(_dict(container.get('lastState')).get('terminated'))


def _how_ended(terminated):
    if not terminated:
        return ''
    return 'exit code %s%s' % (
        terminated.get('exitCode'), ': %s' % terminated['message'] if terminated.get('message') else '')


def describe(pod: Pod) -> str:
    """Return one line that says how far a pod has come: for messages about waiting in vain."""
    if not pod:
        return 'no pod'
    return '; '.join(['phase %s' % phase(pod)]
                     + _deletion(pod)
                     + _unmet_conditions(pod)
                     + _waiting_containers(pod))


def _deletion(pod):
    if not is_being_deleted(pod):
        return []
    finalizers = pod['metadata'].get('finalizers')
    return (['being deleted since %s' % pod['metadata']['deletionTimestamp']]
            + (['kept by its finalizers %s' % finalizers] if finalizers else []))


def _unmet_conditions(pod):
    return ['%s: %s' % (condition.get('reason') or condition.get('type'), condition['message'])
            for condition in _dicts(_status(pod).get('conditions'))
            if condition.get('status') == 'False' and condition.get('message')]


def _waiting_containers(pod):
    return ['%s waits: %s' % (_container(container), ' '.join(filter(None, [
                str(_state(container, 'waiting').get('reason') or ''),
                str(_state(container, 'waiting').get('message') or '')])))
            for container in _dicts(_status(pod).get('initContainerStatuses')) + _containers(pod)
            if _state(container, 'waiting')]
