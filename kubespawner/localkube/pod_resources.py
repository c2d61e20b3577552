"""What a pod requests and may use: the sums of its containers.

What belongs here: the arithmetic of requests and limits. What does not: who compares them with what (node_fit.py,
quota_usage.py). Pure; any thread. Amounts are quantities as text, such as {'cpu': '500m', 'memory': '1Gi'}.
"""
from . import quantities


def is_sidecar(container):
    """Return whether a container of `initContainers` keeps running beside the containers of the pod."""
    return container.get('restartPolicy') == 'Always'


def total(pod, kind):
    """Return the effective 'requests' or 'limits' of a pod: {name: quantity}.

    All containers and sidecars run at once. Each init container runs alone with the sidecars before it.
    """
    spec = pod['spec']
    running, sidecars, initial = {}, {}, {}
    for container in spec.get('containers', ()):
        running = add(running, amounts(container, kind))
    for container in spec.get('initContainers', ()):
        own = amounts(container, kind)
        if is_sidecar(container):
            running, sidecars = add(running, own), add(sidecars, own)
            own = sidecars
        else:
            own = add(own, sidecars)
        initial = largest(initial, own)
    result = largest(running, initial)
    overhead = spec.get('overhead', {})
    return add(result, overhead if kind == 'requests' else {name: each for name, each in overhead.items()
                                                            if name in result})


def amounts(container, kind):
    return container.get('resources', {}).get(kind, {})


def add(one, other):
    return combine(quantities.add, one, other)


def largest(one, other):
    return combine(quantities.larger, one, other)


def combine(function, one, other):
    """Return both, with `function` of the two values of each name that is in both."""
    result = dict(one)
    for name, value in other.items():
        result[name] = function(result[name], value) if name in result else value
    return result
