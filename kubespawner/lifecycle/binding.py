"""Why a claim that a start needs will never be bound to a volume, according to its status and to events.

Only failures that do not heal belong here. Claims are only read while they are unbound, and what cannot be read is
ignored: a start does not depend on it. Everything runs on the IOLoop's thread.
"""
import re

from tornado import gen

from ..kube import api, retry
from ..messages.errors import Cause, SpawnError

MOST_EVENTS = 100

_NO_CLASS = re.compile(r'\bstorageclass\S* .* not found', re.IGNORECASE)


def phase(claim):
    """Return the phase of a claim (a dict), such as `Bound`; an empty string if it has none."""
    return str((claim.get('status') or {}).get('phase') or '')


def check_not_lost(claim):
    """Raise SpawnError if a claim (a dict) has lost its volume."""
    if phase(claim) == 'Lost':
        raise SpawnError(
            'Claim %s has lost its volume.' % claim['metadata']['name'], 'Lost', Cause.STORAGE,
            'persistentvolumeclaim %s: Lost. The volume that it was bound to does not exist any more: %s' % (
                claim['metadata']['name'], (claim.get('spec') or {}).get('volumeName')))


@gen.coroutine
def failure_to_bind(requests, namespace, name, is_needed, reads_events, log):
    """Wait until a claim is bound, or nobody needs it any more: None. If it can never be bound, return the SpawnError.

    is_needed (callable): returns whether the claim is still needed.
    reads_events (bool): whether to look for events about the claim.
    """
    pauses = retry.Backoff(1, 10, jitter=0)
    while True:
        yield gen.sleep(pauses.next_pause())
        if not is_needed():
            return None
        try:
            claim = yield requests.read(api.PVC, namespace, name)
            if claim is None or phase(claim) not in ('Pending', 'Lost'):
                return None
            check_not_lost(claim)
            events = {}
            if reads_events:
                events = yield requests.send(api.events_about('PersistentVolumeClaim', namespace, name, MOST_EVENTS))
        except SpawnError as e:
            return e
        except api.ApiError as e:
            log.debug('Why claim %s is not bound is not known: %s', name, e)
            if e.status == 403:  # it must be the events: the start has read the claim before
                reads_events = False
            continue
        for event in events.get('items') or []:
            failure = _failure_in(event, claim)
            if failure is not None:
                return failure


def _failure_in(event, claim):
    """Return the SpawnError that an event means for a claim; None if it may heal, or is about an earlier claim."""
    reason, message = str(event.get('reason')), str(event.get('message'))
    is_about_it = (event.get('involvedObject') or {}).get('uid') == claim['metadata']['uid']
    if not is_about_it or reason != 'ProvisioningFailed' or not _NO_CLASS.search(message):
        return None
    name = claim['metadata']['name']
    return SpawnError('Claim %s cannot be bound: its storage class does not exist.' % name, reason, Cause.STORAGE,
                      'persistentvolumeclaim %s: %s. %s' % (name, reason, message), message)
