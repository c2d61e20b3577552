"""What users are told of a start that failed, before Kubernetes' own words: what happened, and what they can do.

Here belong these words, and by what they are found; what failed is known elsewhere. Pure, any thread.
"""
import re

from .errors import HubError

# What there is to be done; with profiles to choose from, and without.
OTHER_OR_TELL = ('Choose another profile, or tell the operator of this hub.', 'Tell the operator of this hub.')
SMALLER_OR_LATER = ('Choose a profile that needs less, or try again later.', 'Try again later.')
AGAIN_OR_OTHER = ('Try again. If that does not help, choose another profile, or tell the operator of this hub.',
                  'Try again. If that does not help, tell the operator of this hub.')
AGAIN_OR_TELL = (AGAIN_OR_OTHER[1],) * 2
MORE_MEMORY = ('Choose a profile with more memory, or ask the operator of this hub for it.',
               'Ask the operator of this hub for more.')
NEEDLESS = ('Stop servers that you do not need, choose a profile that needs less, or try again later.',
            'Stop servers that you do not need, or try again later.')
TELL = ('Tell the operator of this hub.',) * 2

# By what Kubernetes says: what happened, what there is to be done. The first that is found counts.
EXPLANATIONS = [(re.compile(sign), words, to_do) for sign, words, to_do in [
    (r'^Kubernetes could not create persistent volume claim\b.*\bexceeded quota\b',
     'There is no storage left for your server.', TELL),
    (r'\bexceeded quota\b', 'All that servers may have here together is in use.', NEEDLESS),
    (r'\bMulti-Attach error\b', 'Your storage is still in use on another machine.', AGAIN_OR_TELL),
    (r'\bUnschedulable\b.*\b([Pp]ersistent ?[Vv]olume ?[Cc]laim|volume node affinity)',
     'The storage of your server is not there.', TELL),
    (r'\bUnschedulable\b.*\b(Insufficient|Too many pods)\b|\bOutOf[a-z]|'
     r'\b(UnexpectedAdmission|TopologyAffinity)Error\b',
     'No machine of the cluster has room for your server.', SMALLER_OR_LATER),
    (r'\bUnschedulable\b', 'No machine of the cluster takes your server.', OTHER_OR_TELL),
    (r'\b(InvalidImageName|ErrImage\w*|ImagePullBackOff|ImageInspectError|RegistryUnavailable|SignatureValidationFailed)'
     r'\b', 'The image of your server cannot be pulled.', OTHER_OR_TELL),
    (r'\bOOMKilled\b', 'Your server needed more memory than it may have.', MORE_MEMORY),
    (r'\b(Evicted|Preempt(ed|ing)|NodeLost|Node(Shutdown|Affinity)|pod: (Terminated|Shutdown|Deleted)|'
     r'ContainerStatusUnknown)\b', 'The machine that your server was to run on put it out.', AGAIN_OR_OTHER),
    (r'\b(CreateContainer(Config)?|RunContainer|Start)Error\b|\bContainerCannotRun\b',
     'Your server cannot be made as it is configured, or something that it needs is not there.', OTHER_OR_TELL),
    (r'\bFailed(Mount|AttachVolume)\b', 'Storage, or a file that your server needs, is not there.', AGAIN_OR_OTHER),
    (r'\bexit code \d+|\b(CrashLoopBackOff|PostStartHookError|DeadlineExceeded)\b',
     'Your server ended before it was ready.', AGAIN_OR_OTHER),
    (r'\bwas deleted while\b', 'Your server was ended while it was starting.', AGAIN_OR_OTHER),
    (r'^Kubernetes could not\b', 'The cluster refuses your server.', OTHER_OR_TELL),
    (r'^Waited \d+ s\b', 'Your server did not start in time.', AGAIN_OR_OTHER),
]]

# How what Kubernetes says begins. Everything else is of our own, and says already what to do.
OF_KUBERNETES = re.compile(r'(Pod|Waited|Kubernetes)\b')


def explained(error, may_choose):
    """Return an error of the same kind that says first what happened and what the user can do; or the same.

    error (SpawnError or HubError), may_choose (bool): whether there are profiles to choose from.
    """
    if isinstance(error, HubError):
        return _with(error, 'Kubernetes does not do what the hub asks just now.', AGAIN_OR_TELL[0])
    if OF_KUBERNETES.match(error.message):
        for sign, words, to_do in EXPLANATIONS:
            if sign.search(error.message):
                return _with(error, words, to_do[0 if may_choose else 1])
    return error


def _with(error, words, to_do):
    return type(error)('%s %s %s' % (words, to_do, error.message), error.word)
