"""The size of an existing claim, if the settings ask for another one.

A claim can grow if its storage class allows that, but it never shrinks. A start does not fail because of the size of
its claim. Everything runs on the IOLoop's thread.
"""
import re

from tornado import gen
from tornado.ioloop import IOLoop

from ..kube import api
from ..kube.once import Once
from ..kube.quantities import value_of
from .binding import phase

PATCH_SECONDS = 10  # how much longer a start may take because its claim grows

# In the message of a refusal that has nothing to do with the rights of the hub
_NOT_THE_RIGHT = re.compile(r'\bresiz|\bexceeded quota\b')

_once = Once()


@gen.coroutine
def fit(requests, namespace, claim, capacity, is_expanded, log, deadline):
    """Expand a claim (a dict) to `capacity` if it requests less. If it cannot be changed, the log says why.

    capacity (str): a quantity, such as `10Gi`. is_expanded (bool): whether to expand claims.
    deadline (float): the loop's time after which the attempt ends.
    """
    name, requested = claim['metadata']['name'], _requested(claim)
    wanted, has = value_of(capacity), value_of(requested)
    if wanted is None or has is None or wanted == has:
        return
    if wanted < has:
        if _once.is_new('smaller', namespace, name, str(capacity)):
            log.warning('Claim %s asks for %s, more than KubeSpawner.user_storage_capacity (%s). Claims cannot shrink: '
                        'it stays as it is.', name, requested, capacity)
        return
    is_unbound = phase(claim) == 'Pending'  # Kubernetes resizes bound claims only
    if not is_expanded or is_unbound:
        return
    body = {'spec': {'resources': {'requests': {'storage': str(capacity)}}}}
    try:
        yield requests.send(api.patch(api.PVC, namespace, name, body),
                            min(deadline, IOLoop.current().time() + PATCH_SECONDS))
    except api.ApiError as e:
        _log_refusal(e, namespace, name, requested, capacity, log)
    else:
        log.info('Claim %s grows from %s to %s', name, requested, capacity)


def _log_refusal(error, namespace, name, requested, capacity, log):
    lacks_right = error.status == 403 and not _NOT_THE_RIGHT.search(error.message)
    if _once.is_new(*('right',) if lacks_right else ('refused', namespace, name, str(capacity))):
        log.warning('Claim %s keeps its size of %s instead of %s: %s%s', name, requested, capacity, error, (
            ' The hub needs the right to patch persistentvolumeclaims, or KubeSpawner.storage_expand has to be False.'
            if lacks_right else ''))


def _requested(claim):
    """Return the size that a claim requests, or None."""
    resources = (claim.get('spec') or {}).get('resources') or {}
    return (resources.get('requests') or {}).get('storage')
