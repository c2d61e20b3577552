"""The status of a pod, computed from the states of its containers as a kubelet does it.

What belongs here: phase and conditions. What does not: what containers do (containers.py). Pure; any thread.
"""


def phase(policy, init_statuses, statuses):
    """Return Pending, Running, Succeeded or Failed."""
    for status in init_statuses:
        terminated = status['state'].get('terminated')
        if terminated and terminated['exitCode'] and policy == 'Never':
            return 'Failed'
        if not terminated or terminated['exitCode']:
            return 'Pending'
    states = [status['state'] for status in statuses]
    if any('waiting' in status['state'] and not status['lastState'] for status in statuses):
        return 'Pending'
    if any('running' in state for state in states):
        return 'Running'
    if policy == 'Always':
        return 'Running'
    if all(state.get('terminated', {}).get('exitCode') == 0 for state in states):
        return 'Succeeded'
    return 'Failed' if policy == 'Never' else 'Running'


def conditions(phase, init_statuses, statuses, old, now):
    """Return the four conditions. An unchanged condition keeps its time from the previous ones, `old`."""
    uninitialized = [status['name'] for status in init_statuses
                     if status['state'].get('terminated', {}).get('exitCode') != 0]
    unready = [status['name'] for status in statuses if not status['ready']]
    initialized = {'status': 'True'}
    if uninitialized:
        initialized = {'status': 'False', 'reason': 'ContainersNotInitialized',
                       'message': 'containers with incomplete status: [%s]' % ' '.join(uninitialized)}
    ready = {'status': 'True'}
    if phase == 'Succeeded':
        ready = {'status': 'False', 'reason': 'PodCompleted'}
        if init_statuses:
            initialized = {'status': 'True', 'reason': 'PodCompleted'}
    elif unready:
        ready = {'status': 'False', 'reason': 'ContainersNotReady',
                 'message': 'containers with unready status: [%s]' % ' '.join(unready)}
    found = [('Initialized', initialized), ('Ready', ready), ('ContainersReady', ready),
             ('PodScheduled', {'status': 'True'})]
    return [condition(kind, values, old, now) for kind, values in found]


def condition(kind, values, old, now):
    """Return one condition. Its lastTransitionTime is `now` if its status differs from that in `old`."""
    before = next((each for each in old if each['type'] == kind), {})
    same = before.get('status') == values['status']
    return dict(values, type=kind, lastProbeTime=None, lastTransitionTime=before['lastTransitionTime'] if same else now)
