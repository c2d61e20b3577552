"""How Kubernetes expands the values of environment variables: the necessary order, and how to prevent it.

Kubernetes replaces `$(NAME)` in a variable's value only if NAME is defined before it in the list, and `$$` by `$`
everywhere. Nothing here knows models or configuration. Pure, any thread.
"""
import functools
import re

from .naming import without_variables

# What Kubernetes reads as one thing: `$$`, which is a `$`, or a reference.
_REFERENCE = re.compile(r'\$(?:\$|\(([^)]*)\))')

# What JupyterHub's own variables are called.
_OF_JUPYTERHUB = re.compile(r'(?:JUPYTERHUB|JPY)_')

# Those of them that consist of what the operator configured. Names of users are escaped where they are filled in.
_CONFIGURED = frozenset(['JUPYTERHUB_API_URL', 'JPY_HUB_API_URL', 'JUPYTERHUB_ROOT_DIR', 'JUPYTERHUB_DEFAULT_URL'])

_HOST = re.compile(r'\w+://[^/]*')  # of a URL


@functools.lru_cache(maxsize=1000)  # all servers have nearly the same variables
def is_of_jupyterhub(name):
    """Return whether JupyterHub sets a variable, whose value may contain the names of a user and a server."""
    return isinstance(name, str) and _OF_JUPYTERHUB.match(name) is not None and name not in _CONFIGURED


def as_literal(name, value, hub_api_url):
    """Return the value of one of JupyterHub's variables, escaped so that it arrives unchanged in the container.

    An operator's own `$(OTHER)` in the host of a URL, or in the URL of the hub's API, is still expanded.
    """
    host = _HOST.match(value) if name.endswith('_URL') else None
    kept = host.end() if host else 0
    if name.endswith('_URL') and value.startswith(hub_api_url):
        kept = len(hub_api_url)
    return value[:kept] + without_variables(value[kept:])


def references(value):
    """Return the names of the variables that a value refers to, a set of str."""
    if not value or '$(' not in value:
        return frozenset()
    return {name for name in _REFERENCE.findall(value) if name}


def expand(value, known):
    """Return a value as Kubernetes expands it; None if it refers to a variable of unknown value.

    known (dict): the values of variables that are defined before it; None for one that only Kubernetes knows.
    """
    if any(known.get(name) is None for name in references(value)):
        return None
    return _REFERENCE.sub(lambda found: known[found.group(1)] if found.group(1) else _literal(found.group()), value)


def _literal(text):
    return '$' if text == '$$' else text


def resolvable(variables):
    """Return (numbers, cyclic): the order in which to define variables, and the names of those without one.

    variables (list of tuples): name and value of each; None for a value that is not a string.

    numbers (list of int): the position of each variable in `variables`. Each comes after those that it refers to, and
    after earlier ones of its own name, of which the last counts. Otherwise, the order is kept.
    cyclic (list of str): the names of the variables that refer to each other in a circle. They keep their order.
    """
    referring = [value for _, value in variables if value and '$(' in value]  # mostly none
    if not any(references(value) for value in referring) and len(dict(variables)) == len(variables):
        return list(range(len(variables))), []
    waits_for = _needed(variables)
    reached = [_reached(number, waits_for) for number in range(len(variables))]
    before = [_before(number, waits_for, reached) for number in range(len(variables))]
    left, order = list(range(len(variables))), []
    while left:
        order.append(next(number for number in left if not before[number].intersection(left)))
        left.remove(order[-1])
    cyclic = [name for number, (name, _) in enumerate(variables) if number in reached[number]]
    return order, list(dict.fromkeys(cyclic))


def _needed(variables):
    """Return, for each variable, the numbers of those that must come before it."""
    numbers = {}
    for number, (name, _) in enumerate(variables):
        numbers.setdefault(name, []).append(number)
    needed = []
    for number, (name, value) in enumerate(variables):
        others = references(value) - {name}
        needed.append({other for referred in others for other in numbers.get(referred, ())}
                      | {same for same in numbers[name] if same < number})
    return needed


def _reached(start, waits_for):
    """Return the numbers of all variables that one needs, directly or through others."""
    reached, ahead = set(), list(waits_for[start])
    while ahead:
        number = ahead.pop()
        if number not in reached:
            reached.add(number)
            ahead.extend(waits_for[number])
    return reached


def _before(number, waits_for, reached):
    """Return the numbers of the variables that must come before one; in a circle, those of the earlier ones."""
    circle = {other for other in reached[number] if number in reached[other]}
    return (waits_for[number] - circle) | {other for other in circle if other < number}
