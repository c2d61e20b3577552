"""Hints about failed starts, which users see before Kubernetes' own words: what happened, and what they can do.

The words of the hints and the table that selects them belong here; what failed is found out elsewhere. Pure, any
thread.

A hint depends on the cause of an error and on Kubernetes' reason, but not on sentences, which may be reworded, or may
quote the output of a container. The exceptions are in PROSE.
"""
import re

from .errors import Cause, Fault

# What there is to be done; with profiles to choose from, and without.
OTHER_OR_TELL = ('Choose another profile, or tell the operator of this hub.', 'Tell the operator of this hub.')
SMALLER_OR_LATER = ('Choose a profile that needs less, or try again later.', 'Try again later.')
AGAIN_OR_OTHER = ('Try again. If that does not help, choose another profile, or tell the operator of this hub.',
                  'Try again. If that does not help, tell the operator of this hub.')
AGAIN_OR_TELL = (AGAIN_OR_OTHER[1],) * 2
MORE_MEMORY = ('Choose a profile with more memory, or ask the operator of this hub for more.',
               'Ask the operator of this hub for more.')
NEEDLESS = ('Stop servers that you do not need, choose a profile that needs less, or try again later.',
            'Stop servers that you do not need, or try again later.')
TELL = ('Tell the operator of this hub.',) * 2

# What happened, and what there is to be done.
NO_ROOM = 'No node has enough free resources for your server.', SMALLER_OR_LATER
NOT_TAKEN = 'No node can run your server.', OTHER_OR_TELL
PUT_OUT = 'Your server was removed from its node.', AGAIN_OR_OTHER
ENDED = 'Your server exited before it was ready.', AGAIN_OR_OTHER
CANNOT_BE_MADE = ('The container of your server cannot be created: its configuration is wrong, or something that it '
                  'needs is missing.', OTHER_OR_TELL)
NO_STORAGE = 'The storage of your server is not available.', TELL
OF_THE_HUB = 'The hub cannot use Kubernetes at the moment.', AGAIN_OR_TELL

# By cause and reason. The reason None stands for all others. An error whose sentence says all has no hint.
HINTS = {
    (Cause.IMAGE, None): ('The image of your server cannot be pulled.', OTHER_OR_TELL),
    (Cause.SCHEDULE, None): NO_ROOM,
    (Cause.SCHEDULE, 'Unschedulable'): NOT_TAKEN,
    (Cause.QUOTA, None): ('The quota of this hub is used up.', NEEDLESS),
    (Cause.STORAGE, None): ('A volume that your server needs cannot be mounted.', AGAIN_OR_OTHER),
    (Cause.STORAGE, 'Lost'): NO_STORAGE,
    (Cause.STORAGE, 'ProvisioningFailed'): NO_STORAGE,
    (Cause.STORAGE, 'Terminating'): ('Your storage is being deleted, which takes long.', AGAIN_OR_TELL),
    (Cause.STORAGE, 'Forbidden'): ('The storage quota of this hub is used up.', TELL),
    (Cause.CONTAINER, None): ENDED,
    (Cause.CONTAINER, 'OOMKilled'): ('Your server used more memory than its limit.', MORE_MEMORY),
    (Cause.CONTAINER, 'CreateContainerConfigError'): CANNOT_BE_MADE,
    (Cause.CONTAINER, 'CreateContainerError'): CANNOT_BE_MADE,
    (Cause.CONTAINER, 'RunContainerError'): CANNOT_BE_MADE,
    (Cause.CONTAINER, 'StartError'): CANNOT_BE_MADE,
    (Cause.CONTAINER, 'ContainerCannotRun'): CANNOT_BE_MADE,
    (Cause.CONTAINER, 'PreCreateHookError'): CANNOT_BE_MADE,
    (Cause.CONTAINER, 'PreStartHookError'): CANNOT_BE_MADE,
    (Cause.CONTAINER, 'CreatePodSandboxError'): CANNOT_BE_MADE,
    (Cause.CONTAINER, 'ConfigPodSandboxError'): CANNOT_BE_MADE,
    (Cause.CONTAINER, 'SetupNetworkError'): CANNOT_BE_MADE,
    (Cause.CONTAINER, 'FailedPostStartHook'): (
        'A command that your server runs when it has started (its postStart hook) failed.', AGAIN_OR_OTHER),
    (Cause.CONTAINER, 'FailedPreStopHook'): (
        'A command that your server runs before it stops (its preStop hook) failed.', AGAIN_OR_OTHER),
    (Cause.NODE, None): PUT_OUT,
    (Cause.NODE, 'AppArmor'): NOT_TAKEN,
    (Cause.NODE, 'PodOSNotSupported'): NOT_TAKEN,
    (Cause.NODE, 'PodOSSelectorNodeLabelDoesNotMatch'): NOT_TAKEN,
    (Cause.NODE, 'SysctlForbidden'): NOT_TAKEN,
    (Cause.DELETION, None): ('Your server was stopped while it was starting.', AGAIN_OR_OTHER),
    (Cause.DELETION, 'Deleted'): PUT_OUT,
    (Cause.TIME, None): ('Your server did not start in time.', AGAIN_OR_OTHER),
    (Cause.TIME, 'DeadlineExceeded'): ENDED,
    (Cause.ANSWER, None): ('Your server runs, but the hub cannot talk to it.', AGAIN_OR_OTHER),
    (Cause.API, None): ('The cluster rejected your server.', OTHER_OR_TELL),
    (Cause.API, 'AlreadyExists'): None,
    (Cause.API, 'Timeout'): None,
}

# Where one reason means different things, and only Kubernetes' message says which. These messages come from the
# scheduler and the attach controller, which quote no container. The first pattern that is found counts; if none is,
# HINTS does.
PROSE = {
    (Cause.SCHEDULE, 'Unschedulable'): [
        (re.compile(r'\b[Pp]ersistent ?[Vv]olume ?[Cc]laim|\bvolume node affinity'),
         NO_STORAGE),
        (re.compile(r'\b(Insufficient|Too many pods)\b'), NO_ROOM)],
    (Cause.STORAGE, 'FailedAttachVolume'): [
        (re.compile(r'\bMulti-Attach error\b'),
         ('Your storage is still attached to another node.', AGAIN_OR_TELL))],
}


# What Python says of a model or an answer of the client that is awaited: before Python 3.14, and since.
_AWAITED = re.compile(r"object ((?:Core)?V\d\w*|HTTPResponse) can't be used in 'await' expression"
                      r"|'((?:Core)?V\d\w*|HTTPResponse)' object can't be awaited")
ON_AWAIT = (' The client of the Kubernetes API in `spawner.api` is the blocking one. Call it on a thread: '
            'await spawner.asynchronize(spawner.api.read_namespaced_pod, name, namespace).')


def explain_await(error):
    """If a TypeError is about an awaited result of the client, let it say how to call the client."""
    if isinstance(error, TypeError) and _AWAITED.search(str(error)) and ON_AWAIT not in str(error):
        error.args = (str(error) + ON_AWAIT,)


def with_hint(error, may_choose):
    """Return the same error with a hint, if there is one for it.

    error (UserFacingError). may_choose (bool): whether there are profiles to choose from.
    """
    hint = _hint(error)
    if hint is None:
        return error
    words, to_do = hint
    return error.with_hint('%s %s' % (words, to_do[0 if may_choose else 1]))


def calls_for_another_profile(error):
    """Return whether the first hint about an error (UserFacingError) is to choose another profile."""
    _, to_do = _hint(error) or (None, None)
    return to_do in (OTHER_OR_TELL, SMALLER_OR_LATER, MORE_MEMORY)


def _hint(error):
    """Return the hint about an error: what happened and what to do; None if there is no hint."""
    if error.fault is Fault.HUB:
        return OF_THE_HUB
    key = error.cause, error.k8s_reason
    for pattern, hint in PROSE.get(key, []):
        if pattern.search(error.k8s_message):
            return hint
    return HINTS.get(key, HINTS.get((error.cause, None)))
