"""The status of a pod, computed from the states of its containers as a kubelet does it.

What belongs here: phase and conditions. What does not: what containers do (containers.py). Pure; any thread. `version`
is that of Kubernetes, such as (1, 36).
"""
from collections import namedtuple

Statuses = namedtuple('Statuses', 'init sidecars regular')
Statuses.__doc__ += """: the statuses of the containers of a pod.

init (list): of the init containers that end, in their order.
sidecars (list): of the init containers that run beside the regular ones.
regular (list): of the containers.
"""


def phase(policy, statuses):
    """Return Pending, Running, Succeeded or Failed. policy (str): the restartPolicy of the pod."""
    for status in statuses.init:
        terminated = status['state'].get('terminated')
        if terminated and terminated['exitCode'] and policy == 'Never' and not is_running(statuses.sidecars):
            return 'Failed'
        if not terminated or terminated['exitCode']:
            return 'Pending'
    if any('waiting' in status['state'] and not status['lastState'] for status in statuses.regular):
        return 'Pending'
    if is_running(statuses.regular + statuses.sidecars):
        return 'Running'
    if policy == 'Always':
        return 'Running'
    if all(status['state'].get('terminated', {}).get('exitCode') == 0 for status in statuses.regular):
        return 'Succeeded'
    return 'Failed' if policy == 'Never' else 'Running'


def is_running(statuses):
    return any('running' in status['state'] for status in statuses)


def conditions(phase, statuses, has_network, old, now, version=(1, 20), generation=None):
    """Return the conditions. An unchanged condition keeps its time from the previous ones, `old`.

    has_network (bool): whether the pod has an address, and has not ended.
    generation (int or None): of the pod whose conditions these are, or None for versions that do not say it.
    """
    ready = readiness(phase, statuses, version)
    found = [('Initialized', initialization(phase, statuses)), ('Ready', ready), ('ContainersReady', ready),
             ('PodScheduled', {'status': 'True'})]
    if version >= (1, 29):
        found.insert(0, ('PodReadyToStartContainers', {'status': 'True' if has_network else 'False'}))
    return [observed(condition(kind, values, old, now), generation) for kind, values in found]


def initialization(phase, statuses):
    """Return the values of the condition Initialized."""
    incomplete = [status['name'] for status in statuses.init if not status['ready']]
    incomplete += [status['name'] for status in statuses.sidecars if not status['started']]
    has_begun = any('waiting' not in status['state'] or status['lastState'] for status in statuses.regular)
    if incomplete and not has_begun:
        return {'status': 'False', 'reason': 'ContainersNotInitialized',
                'message': 'containers with incomplete status: [%s]' % ' '.join(incomplete)}
    if phase == 'Succeeded' and statuses.init + statuses.sidecars:
        return {'status': 'True', 'reason': 'PodCompleted'}
    return {'status': 'True'}


def readiness(phase, statuses, version):
    """Return the values of the conditions Ready and ContainersReady."""
    unready = [status['name'] for status in statuses.sidecars + statuses.regular if not status['ready']]
    if phase == 'Succeeded':
        return {'status': 'False', 'reason': 'PodCompleted'}
    if phase == 'Failed' and version >= (1, 22):
        return {'status': 'False', 'reason': 'PodFailed'}
    if unready:
        return {'status': 'False', 'reason': 'ContainersNotReady',
                'message': 'containers with unready status: [%s]' % ' '.join(unready)}
    return {'status': 'True'}


def observed(values, generation):
    return dict(values, observedGeneration=generation) if generation else values


def condition(kind, values, old, now):
    """Return one condition. Its lastTransitionTime is `now` if its status differs from that in `old`."""
    before = next((each for each in old if each['type'] == kind), {})
    same = before.get('status') == values['status']
    return dict(values, type=kind, lastProbeTime=None, lastTransitionTime=before['lastTransitionTime'] if same else now)
