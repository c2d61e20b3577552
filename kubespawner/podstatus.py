"""What a pod's status means: starting, running, ended with a code, failed because of something.

Here belongs everything that reads `status` of a pod. Pods are plain dicts as the API sends them (camelCase keys), and
whatever may be missing in them may be missing here. Pure: no clients, no time, any thread.
"""
from collections import namedtuple

NOTEBOOK = 'notebook'

# A container's reasons to wait that it does not leave without somebody changing something.
# The node tries most of them again and again; a "back-off" comes after at least one failed try.
FAILED_WAITING = frozenset([
    'InvalidImageName',
    'ErrImageNeverPull',
    'ImageInspectError',
    'ImagePullBackOff',
    'CrashLoopBackOff',
    'CreateContainerConfigError',
    'CreateContainerError',
    'RunContainerError',
])

Failure = namedtuple('Failure', 'what reason message')
Failure.__doc__ += """: why a pod will not run.

what (str): `pod` or `container NAME`.
reason (str): Kubernetes' word for it, such as `ImagePullBackOff` or `Evicted`.
message (str): Kubernetes' sentence, may be empty.
"""


def _dict(value):
    return value if isinstance(value, dict) else {}


def _dicts(value):
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _status(pod):
    return _dict(_dict(pod).get('status'))


def _containers(pod):
    return _dicts(_status(pod).get('containerStatuses'))


def _state(container, state):
    """Return the dict of one of a container status' states: `waiting`, `running` or `terminated`."""
    return _dict(_dict(container.get('state')).get(state))


def phase(pod):
    """Return the pod's phase, `Unknown` if it says none."""
    return str(_status(pod).get('phase') or 'Unknown')


def ip(pod):
    """Return the pod's address, or None while it has none."""
    return _status(pod).get('podIP') or None


def is_being_deleted(pod):
    return bool(_dict(_dict(pod).get('metadata')).get('deletionTimestamp'))


def is_running(pod):
    """True for a pod that can be talked to: phase Running, an address, not being deleted, all containers ready."""
    containers = _containers(pod)
    return (
        phase(pod) == 'Running'
        and ip(pod) is not None
        and not is_being_deleted(pod)
        and bool(containers)
        and all(container.get('ready') is True for container in containers)
    )


def exit_code(pod):
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


def failure(pod):
    """Return the `Failure` of a pod that will not run by waiting longer, None if it may still."""
    if phase(pod) in ('Succeeded', 'Failed'):
        return _failure_of_ended_container(pod) or Failure(
            'pod', str(_status(pod).get('reason') or phase(pod)), str(_status(pod).get('message') or ''))
    for container in _dicts(_status(pod).get('initContainerStatuses')) + _containers(pod):
        waiting = _state(container, 'waiting')
        reason = str(waiting.get('reason'))
        if reason in FAILED_WAITING:
            return Failure(_container(container), reason, _why_waiting(container, waiting))
    return None


def _container(container):
    return 'container %s' % container.get('name')


def _why_waiting(container, waiting):
    """Return the message of a waiting container, and how it ended the last time, if it did."""
    last = _dict(_dict(container.get('lastState')).get('terminated'))
    return '; '.join(filter(None, [str(waiting.get('message') or ''), str(last.get('reason') or ''), _how_ended(last)]))


def _how_ended(terminated):
    if not terminated:
        return ''
    return 'exit code %s%s' % (
        terminated.get('exitCode'), ': %s' % terminated['message'] if terminated.get('message') else '')


def _failure_of_ended_container(pod):
    if _status(pod).get('reason'):  # the pod's own reason (Evicted, DeadlineExceeded) says more
        return None
    containers = _dicts(_status(pod).get('initContainerStatuses')) + _containers(pod)
    ended = [(c, _state(c, 'terminated')) for c in containers if _state(c, 'terminated')]
    for container, terminated in sorted(ended, key=lambda pair: pair[1].get('exitCode') == 0):
        return Failure(_container(container), str(terminated.get('reason') or 'Terminated'), _how_ended(terminated))
    return None


def describe(pod):
    """Return one line that says how far a pod has come: for messages about waiting in vain."""
    if not pod:
        return 'no pod'
    return '; '.join(['phase %s' % phase(pod)]
                     + ['being deleted'] * is_being_deleted(pod)
                     + _unmet_conditions(pod)
                     + _waiting_containers(pod))


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
