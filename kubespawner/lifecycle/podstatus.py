"""What a pod's status means: whether the pod is starting, running, has ended with an exit code, or failed, and why.

Everything that reads the `status` of a pod belongs here, and the port of its server. Pods are plain dicts as the API
sends them (camelCase keys), and optional fields may be missing. Pure: no clients, no time, any thread.

The notebook container is the server: if it ends, the server has ended, whatever other containers do. Another container
that ends with exit code 0 and is not restarted is done. A restartable init container (`restartPolicy: Always`,
Kubernetes 1.28 and newer) never ends, and nobody waits for it.
"""
from collections import namedtuple
from typing import Any, Dict, List, Mapping, Optional

from ..messages.errors import Cause
from .timestamps import timestamp

Pod = Optional[Mapping[str, Any]]  # None: there is none, and nothing is known of it

NOTEBOOK, NOTEBOOK_PORT = 'notebook', 'notebook-port'

# The fields that are read here, besides the metadata.
FIELDS = ['status', 'spec.nodeName', 'spec.restartPolicy', 'spec.initContainers.name',
          'spec.initContainers.restartPolicy', 'spec.containers.name', 'spec.containers.ports.name',
          'spec.containers.restartPolicy']

# Reasons for a container to wait that are part of a good start.
STARTING = frozenset(['ContainerCreating', 'PodInitializing', 'None'])

# Reasons that never heal: it takes another pod. All others may heal, because the node tries again and again.
HOPELESS = frozenset(['InvalidImageName', 'ErrImageNeverPull'])

# Seconds after which a failure is not likely to heal any more. Until then, an image may be pushed, and a registry or
# what else a server needs may come back. A pod that no node has room for waits for a node, however long that takes.
CONTAINER_GRACE_SECONDS = 30
UNSCHEDULABLE_GRACE_SECONDS = float('inf')

# Reasons about an image that do not contain `Image`.
IMAGE_REASONS = frozenset(['RegistryUnavailable', 'SignatureValidationFailed'])

# Reasons for the end of a container that do not say why.
EMPTY_REASONS = frozenset(['', 'Error', 'Completed'])

# A reason to wait whose message says everything, and its name in an event. The node has killed the container, so that
# its exit code means nothing. In some versions the error follows the reason, after a colon.
HOOK_ERROR, FAILED_HOOK = 'PostStartHookError', 'FailedPostStartHook'

# What has failed, by the reason in a pod's status. With all other reasons, a node ended the pod or did not accept it.
OF_A_POD = {
    'Deleted': Cause.DELETION,
    'DeadlineExceeded': Cause.TIME,
    'Failed': Cause.CONTAINER,
    'Succeeded': Cause.CONTAINER,
    'UnexpectedAdmissionError': Cause.SCHEDULE,
    'TopologyAffinityError': Cause.SCHEDULE,
}
NO_ROOM = 'OutOf'  # followed by what the node has not enough of: `OutOfcpu`

Failure = namedtuple('Failure', 'what reason message cause grace_seconds root_reason')
Failure.__doc__ = """Failure(what, reason, message, cause, grace_seconds, root_reason): why a pod does not run.

what (str): `pod` or `container NAME`.
reason (str): Kubernetes' reason, such as `ImagePullBackOff` or `Evicted`.
message (str): Kubernetes' message, may be empty.
cause (Cause): what failed; the same for reasons that alternate while one failure lasts.
grace_seconds (float): seconds after which it is not likely to heal any more; 0 if it cannot heal.
root_reason (str): the reason behind `reason`, such as `OOMKilled` behind `CrashLoopBackOff`; usually the same.
"""


def _dict(value: Any) -> Dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> List[Dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _status(pod):
    return _part(pod, 'status')


def _spec(pod):
    return _part(pod, 'spec')


def _part(pod, name):
    part = pod.get(name) if isinstance(pod, dict) else None
    return part if isinstance(part, dict) else {}


def _containers(pod):
    return _dicts(_status(pod).get('containerStatuses'))


def _init_containers(pod):
    return _dicts(_status(pod).get('initContainerStatuses'))


def notebook_container(pod):
    """Return the name of the container that is the server; None if the pod has no containers.

    It is the container `notebook`. If a hook has renamed it, it is the first one with a port `notebook-port`, otherwise
    the first one of the spec.
    """
    specs = _dicts(_spec(pod).get('containers'))
    known = specs or _containers(pod)
    by_name = [container for container in known if container.get('name') == NOTEBOOK]
    by_port = [container for container in specs
               if any(port.get('name') == NOTEBOOK_PORT for port in _dicts(container.get('ports')))]
    return next((container.get('name') for container in by_name + by_port + known), None)


def _is_notebook(pod, container):
    return container.get('name') == notebook_container(pod)


def _state(container, state):
    """Return one of the states in a container's status, a dict. state (str): `waiting`, `running` or `terminated`."""
    return _dict(_dict(container.get('state')).get(state))


def phase(pod: Pod) -> str:
    """Return the pod's phase, `Unknown` if it has none."""
    return str(_status(pod).get('phase') or 'Unknown')


def ip(pod: Pod) -> Optional[str]:
    """Return the pod's address, or None while it has none."""
    return _status(pod).get('podIP') or None


def port(pod: Pod) -> Optional[int]:
    """Return the number of the port `notebook-port`, or None."""
    for container in _dicts(_spec(pod).get('containers')):
        for found in _dicts(container.get('ports')):
            if found.get('name') == NOTEBOOK_PORT:
                return found.get('containerPort')
    return None


def has_nothing_running(pod: Pod) -> bool:
    """Return whether the node has reported that no container runs, so that no process has to be stopped."""
    containers = _init_containers(pod) + _containers(pod)
    return bool(containers) and not any('running' in _dict(container.get('state')) for container in containers)


def is_scheduled(pod: Pod) -> bool:
    """Return whether the pod is assigned to a node."""
    return bool(_spec(pod).get('nodeName'))


def created_at(pod: Pod) -> Optional[float]:
    """Return when a pod was created, in seconds since 1970, or None."""
    return timestamp(_dict(_dict(pod).get('metadata')).get('creationTimestamp'))


def condition_time(pod: Pod, name: str) -> Optional[float]:
    """Return when a condition, such as `PodScheduled`, became true, in seconds since 1970; None if it is not true."""
    for condition in _dicts(_status(pod).get('conditions')):
        if condition.get('type') == name and condition.get('status') == 'True':
            return timestamp(condition.get('lastTransitionTime'))
    return None


def running_since(pod: Pod) -> Optional[float]:
    """Return when a pod became ready, or its last container started, in seconds since 1970, or None."""
    ready = condition_time(pod, 'Ready')
    if ready is not None:
        return ready
    started = [timestamp(_state(container, 'running').get('startedAt')) for container in _containers(pod)]
    return max((time for time in started if time is not None), default=None)


def running_containers(pod: Pod) -> List[str]:
    """Return the names of the running containers."""
    return [str(container.get('name')) for container in _containers(pod) if _state(container, 'running')]


def is_being_deleted(pod: Pod) -> bool:
    return bool(_dict(_dict(pod).get('metadata')).get('deletionTimestamp'))


def is_running(pod):
    """Return whether a pod runs: phase Running, an address, not being deleted, and all containers ready or done.

    The notebook container must be ready.
    """
    containers = _containers(pod)
    return (
        phase(pod) == 'Running'
        and ip(pod) is not None
        and not is_being_deleted(pod)
        and bool(containers)
        and all(container.get('ready') is True or _is_done(pod, container) for container in containers)
    )


def _is_done(pod, container):
    """Return whether a container other than the notebook is done: it ended with code 0 and is not restarted."""
    ended = _state(container, 'terminated')
    return (bool(ended) and ended.get('exitCode') == 0 and not _is_notebook(pod, container)
            and not _is_restarted(pod, container))


def exit_code(pod):
    """Return the exit code of a notebook container that has ended for good; None while it may run.

    Other containers may still run. A container that its node restarts has not ended for good. The code is 1 for a pod
    that failed as a whole, such as one that was evicted, without an exit code of that container.
    """
    over = phase(pod) in ('Succeeded', 'Failed')
    for container in _containers(pod):
        ended = _state(container, 'terminated')
        if ended and _is_notebook(pod, container):
            code = ended.get('exitCode')
            return (code if isinstance(code, int) else 1) if over or not _is_restarted(pod, container) else None
    if over:
        return 0 if phase(pod) == 'Succeeded' else 1
    return None


def _is_restarted(pod, container):
    """Return whether the node restarts a container that has ended, by its own restart policy or the pod's."""
    policy = _own_policy(pod, container.get('name')) or _spec(pod).get('restartPolicy')
    code = _state(container, 'terminated').get('exitCode')
    return not is_being_deleted(pod) and (policy == 'Always' or (policy == 'OnFailure' and code != 0))


def _own_policy(pod, name):
    """Return the container's own `restartPolicy`, or None."""
    containers = _dicts(_spec(pod).get('initContainers')) + _dicts(_spec(pod).get('containers'))
    return next((container.get('restartPolicy') for container in containers if container.get('name') == name), None)


def failures(pod):
    """Return the `Failure`s of a pod that is starting: those that cannot heal first, the notebook's before others."""
    if phase(pod) in ('Succeeded', 'Failed'):
        return [_failure_of_the_end(pod)]
    found = _failures_of_containers(pod) + _failures_to_schedule(pod)
    if is_being_deleted(pod):
        found.append(_failure_of_pod(_status(pod).get('reason') or 'Deleted',
                                     _status(pod).get('message') or 'It is being deleted.'))
    notebook = 'container %s' % notebook_container(pod)
    return sorted(found, key=lambda failure: (failure.grace_seconds, failure.what != notebook))


def failures_of_server(pod):
    """Return the `failures` of a pod that has run which end its server: those of the pod and of the notebook."""
    found, notebook = failures(pod), 'container %s' % notebook_container(pod)
    is_over = phase(pod) in ('Succeeded', 'Failed')
    return [failure for failure in found if is_over or failure.what in ('pod', notebook)]


def _failure_of_pod(reason, message):
    """Return the failure of a pod as a whole, which does not heal."""
    reason = str(reason)
    cause = Cause.SCHEDULE if reason.startswith(NO_ROOM) else OF_A_POD.get(reason, Cause.NODE)
    return Failure('pod', reason, str(message), cause, 0, reason)


def _failure_of_ended(what, ended, grace_seconds):
    """Return the failure of a container that has ended."""
    reason = str(ended.get('reason') or 'Terminated')
    return Failure(what, reason, _how_ended(ended), _cause_of_end(reason), grace_seconds, reason)


def _cause_of_end(reason):
    """Return the cause for which a container ended or cannot run. reason (str): not about its image."""
    return Cause.NODE if reason == 'ContainerStatusUnknown' else Cause.CONTAINER


def _failure_of_the_end(pod):
    """Return why a pod has ended: for a reason of its own (Evicted, DeadlineExceeded), or because of a container.

    Containers that failed come first, the notebook container before the others.
    """
    status = _status(pod)
    ended = [(c, _state(c, 'terminated')) for c in _init_containers(pod) + _containers(pod)
             if _state(c, 'terminated') and not status.get('reason') and not _is_restartable_init(pod, c)]
    for container, state in sorted(ended, key=lambda pair: (
            pair[1].get('exitCode') == 0, not _is_notebook(pod, pair[0]))):
        return _failure_of_ended(_container(container), state, 0)
    return _failure_of_pod(status.get('reason') or phase(pod), status.get('message') or '')


def _is_restartable_init(pod, container):
    """Return whether a container is a restartable init container, which only ends because the others have ended."""
    return any(init.get('name') == container.get('name') and init.get('restartPolicy') == 'Always'
               for init in _dicts(_spec(pod).get('initContainers')))


def _failures_of_containers(pod):
    return [failure for container in _init_containers(pod) + _containers(pod)
            for failure in _failure_of_container(pod, container)]


def _failure_of_container(pod, container):
    """Return a list with the failure of a container, or an empty one."""
    what, ended, waiting = _container(container), _state(container, 'terminated'), _state(container, 'waiting')
    reason = _reason_to_wait(waiting)
    if ended and not _may_have_ended(pod, container, ended):
        grace_seconds = CONTAINER_GRACE_SECONDS if _is_restarted(pod, container) else 0
        return [_failure_of_ended(what, ended, grace_seconds)]
    if waiting and reason not in STARTING:
        root = _root_reason(container, reason)
        cause = Cause.IMAGE if 'Image' in reason or reason in IMAGE_REASONS else _cause_of_end(root)
        return [Failure(what, reason, _why_waiting(container, waiting), cause,
                        0 if reason in HOPELESS else CONTAINER_GRACE_SECONDS, root)]
    return []


def _reason_to_wait(waiting):
    reason = str(waiting.get('reason'))
    return HOOK_ERROR if reason.startswith(HOOK_ERROR) else reason


def _may_have_ended(pod, container, ended):
    """Return whether the end of a container is part of a good start: of an init container, or one that is done."""
    is_init = container in _init_containers(pod)
    return ended.get('exitCode') == 0 if is_init else _is_done(pod, container)


def _root_reason(container, reason):
    """Return why a container that waits for its restart has ended, if that says more than `reason`."""
    if reason == HOOK_ERROR:
        return FAILED_HOOK
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
    """Return the message of a waiting container, and how it last ended, if it did."""
    last = {} if _reason_to_wait(waiting) == HOOK_ERROR else _last_end(container)
    return '; '.join(filter(None, [str(waiting.get('message') or ''), str(last.get('reason') or ''), _how_ended(last)]))


def _last_end(container):
    """Return how a container ended before its present state, a dict; an empty one if it has not ended before."""
    return _dict(_dict(container.get('lastState')).get('terminated'))


def _how_ended(terminated):
    if not terminated:
        return ''
    return 'exit code %s%s' % (
        terminated.get('exitCode'), ': %s' % terminated['message'] if terminated.get('message') else '')


def describe(pod: Pod) -> str:
    """Return one line about how far a pod has come, for the message of a timeout."""
    if not pod:
        return 'no pod'
    return '; '.join(['phase %s' % phase(pod)]
                     + _deletion(pod)
                     + _unmet_conditions(pod)
                     + _waiting_containers(pod))


def was_restarted(pod, name):
    """Return whether the container of this name runs after having ended before."""
    return any(bool(_last_end(container)) and 'running' in _dict(container.get('state'))
               for container in _init_containers(pod) + _containers(pod) if container.get('name') == name)


def environment(pod):
    """Return the environment variables of all containers, as in the API. pod (dict): complete, not from the cache."""
    return [variable for key in ('initContainers', 'containers') for container in _dicts(_spec(pod).get(key))
            for variable in _dicts(container.get('env'))]


def secret_with_token(pod):
    """Return the name of the Secret with the pod's API token, or None. The settings may by now give it another name.

    pod (dict): complete, not from the cache.
    """
    references = [_dict(_dict(variable.get('valueFrom')).get('secretKeyRef')) for variable in environment(pod)
                  if variable.get('name') in ('JUPYTERHUB_API_TOKEN', 'JPY_API_TOKEN')]
    return next((reference['name'] for reference in references if reference.get('name')), None)


def hub_url(pod):
    """Return the URL of the hub's API in a pod's environment, or None. pod (dict): complete, not from the cache."""
    return next((variable.get('value') for variable in environment(pod)
                 if variable.get('name') == 'JUPYTERHUB_API_URL'), None)


def failure_before_restart(pod):
    """Return a list with the `Failure` before the last restart of the notebook container; otherwise an empty list."""
    return [_failure_of_ended(_container(container), _last_end(container), CONTAINER_GRACE_SECONDS)
            for container in _containers(pod) if _is_notebook(pod, container) and _last_end(container)]


def with_hook(failure, hook):
    """Return a failure that names the lifecycle hook behind it, or the same one if there is none.

    hook (tuple or None): reason and message of the container's hook that last failed. The exit code of a container that
        its node has killed because of its hook is left out: 137 looks like a lack of memory.
    """
    has_other_reason = failure.root_reason not in EMPTY_REASONS | {'Terminated', 'CrashLoopBackOff', FAILED_HOOK}
    if hook is None or failure.cause is not Cause.CONTAINER or has_other_reason:
        return failure
    reason, message = hook
    return failure._replace(reason=reason, root_reason=reason, message=message)


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
            for container in _init_containers(pod) + _containers(pod)
            if _state(container, 'waiting')]
