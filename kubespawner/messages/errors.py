"""The errors that JupyterHub shows when a server cannot be started or stopped, and their words.

What an error contains, and how JupyterHub treats it, belongs here; what went wrong is found out elsewhere. Any thread.

JupyterHub shows the message of an HTTPError: `log_message` in old versions, `jupyterhub_message` in newer ones. Since
6.0, errors that are not the hub's fault do not count towards its `consecutive_failure_limit`: a SpawnException, or one
with an HTTP status below 500.
"""
import enum
import re
from typing import Any, Optional

from tornado import web
from traitlets import TraitError

try:
    from jupyterhub.spawner import SpawnException
except ImportError:  # before JupyterHub 6.0
    SpawnException = None

from . import pages

_BREAKS = re.compile('[\t\n\v\f\r\x85\u2028\u2029]+')
_TWO_STOPS = re.compile(r'(?<![\s./])\.\.(?![\w./])')  # at the end of a sentence, not those of `..` and `...`
_END = re.compile(r'(?:^|[.!?:;\u2026])["\')\]]*\Z')
_FIRST_WORD = re.compile(r'\A[a-z]+(?=[ :])')  # an ordinary one, and no name such as `mem_limit`
_CONTROLS = re.compile('[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]')


def one_line(text: Any) -> str:
    """Return `text` as one line for a log: without line breaks, and with other control characters escaped."""
    return _CONTROLS.sub(_escaped, _BREAKS.sub(' ', str(text)))


def _escaped(match):
    return match.group().encode('unicode_escape').decode('ascii')


def ended(text: str) -> str:
    """Return a text with a full stop at its end, unless it ends like a sentence already."""
    text = text.rstrip()
    return text if _END.search(text) else text + '.'


def _joined(*texts):
    """Join sentences to one text. Each gets at most LONGEST characters, and one full stop."""
    *before, last = [_TWO_STOPS.sub('.', shortened(text, LONGEST)) for text in texts if text] or ['']
    return ' '.join([ended(text) for text in before] + [last])


def shortened(text: str, longest: int) -> str:
    """Return `text`, or its beginning and its end with an ellipsis between them: at most `longest` characters.

    In Kubernetes' messages, what failed is at the beginning, and why at the end.
    """
    if len(text) <= longest:
        return text
    end = longest // 4
    return '%s \u2026 %s' % (text[:longest - end - 3], text[-end:])

UNKNOWN = ('Something went wrong in the hub when it started your server. Try again. If that does not help, tell the '
           'operator of this hub: its log says why.')

LONGEST = 2000  # characters of each part of a message; anybody who may write events chooses some of them


class Cause(enum.Enum):
    """What failed."""

    IMAGE = 'image'
    SCHEDULE = 'schedule'
    QUOTA = 'quota'
    STORAGE = 'storage'
    CONTAINER = 'container'
    NODE = 'node'
    DELETION = 'deletion'
    ANSWER = 'answer'
    TIME = 'time'
    API = 'api'
    CONFIGURATION = 'configuration'


class Fault(enum.Enum):
    """Who can do something about it."""

    USER = 'user'
    OPERATOR = 'operator'
    CLUSTER = 'cluster'
    HUB = 'hub'


class UserFacingError(web.HTTPError):
    """An error that JupyterHub shows to the user.

    sentence (str): what happened, in KubeSpawner's own words.
    k8s_reason (str): Kubernetes' reason, such as `ImagePullBackOff`; may be empty.
    cause (Cause or None): what failed; None if nothing did: the server was stopped, or the choice is not available.
    details (str): what Kubernetes says, shown after the sentence; may be empty. It may quote the output of a container,
        and ends like a sentence.
    k8s_message (str): Kubernetes' message for `k8s_reason`, and nothing else.
    hint (str): what the error means for the user, and what the user can do; may be empty.
    fault (Fault): whose fault it is.
    message (str): hint, sentence and details. Logs have these.
    reason (str or None): `k8s_reason` for JupyterHub's metrics; None on hubs that would show it instead of the message.
    jupyterhub_message (str): what JupyterHub shows to the user as plain text.
    jupyterhub_html_message (str): what its pages show instead if they accept HTML: the summary, and collapsed details.
    try_again_url (str): where the user can start the server again; may be empty.

    Each text is a single line. `message` has at most LONGEST characters of each of them.
    """

    for_users = None  # type: Optional[str]  # the words for all errors of a class, if users do not see the message
    fault = None  # type: Any  # a Fault, by a class attribute or a property
    try_again_url = ''

    def __init__(self, sentence: Any, k8s_reason: str = '', cause: Optional[Cause] = None, details: Any = '',
                 k8s_message: Any = '', hint: Any = '') -> None:
        self.sentence, self.details, self.hint = one_line(sentence), ended(one_line(details)), one_line(hint)
        self.k8s_reason, self.k8s_message, self.cause = k8s_reason, one_line(k8s_message), cause
        self.message = _joined(self.hint, self.sentence, self.details)
        self.jupyterhub_message = self.for_users or self.message
        web.HTTPError.__init__(self, self.status_code, self.jupyterhub_message)
        self._reason = (re.sub('[^A-Za-z0-9_-]', '', k8s_reason)[:60] or 'Failed') if SpawnException else None

    def with_hint(self, hint: str) -> 'UserFacingError':
        """Return the same error with another hint."""
        return self.replaced(hint=hint)

    def replaced(self, **fields):
        """Return the same error with other `details`, `k8s_message` or `hint`."""
        changed = [fields.get(name, getattr(self, name)) for name in ('details', 'k8s_message', 'hint')]
        return type(self)(self.sentence, self.k8s_reason, self.cause, *changed)

    @property
    def summary(self):
        """What happened and what the user can do, without Kubernetes' own words; at most LONGEST characters."""
        return self.for_users or shortened(self.hint or self.sentence, LONGEST)

    @property
    def further(self):
        """What the user sees after the summary; may be empty."""
        if self.for_users:
            return ''
        is_begun = self.sentence.endswith(':')
        details = self.details if is_begun else _FIRST_WORD.sub(lambda word: word.group().capitalize(), self.details)
        return _joined(self.sentence if self.hint else '', details)

    @property
    def jupyterhub_html_message(self):
        return pages.failure(self.summary, self.further, self.try_again_url)

    message_html = jupyterhub_html_message  # as JupyterHub's own SpawnException calls it

    @property
    def reason(self):
        return self._reason

    @reason.setter
    def reason(self, value):
        """Ignore the reason that JupyterHub assigns: the pages of old versions would show it instead of the message."""

    def __str__(self):
        return self.message

    def get_message(self):
        return self.jupyterhub_message


# Whose fault an error is that the hub can do nothing about. What is not named here is the cluster's.
_FAULTS = {None: Fault.USER, Cause.IMAGE: Fault.USER, Cause.CONTAINER: Fault.USER,
           Cause.CONFIGURATION: Fault.OPERATOR}


class SpawnError(UserFacingError, SpawnException or web.HTTPError):  # type: ignore[misc]
    """A server cannot be started or stopped, because of the server, its user or the cluster."""

    status_code = 400

    @property
    def fault(self):
        return _FAULTS.get(self.cause, Fault.CLUSTER)


class ForeignNamespaceError(SpawnError):
    """The namespace for a server exists, and is not known to be its user's. Only the log says how to adopt it."""

    for_users = ('Your server cannot be started, because the Kubernetes namespace for it is in use already. Tell the '
                 'operator of this hub: the log of the hub says what to do.')


def in_words_for_users(error: Exception, try_again_url: str) -> None:
    """Add to any error of a start what JupyterHub's pages show: what happened and what the user can do.

    Without these attributes, JupyterHub's pages show nothing of an error. Existing ones are kept.
    """
    if isinstance(error, UserFacingError):
        error.try_again_url = try_again_url
        return
    if not hasattr(error, 'jupyterhub_message'):
        error.jupyterhub_message = _message_of(error)  # type: ignore[attr-defined]
    if not getattr(error, 'jupyterhub_html_message', ''):
        error.jupyterhub_html_message = pages.failure(  # type: ignore[attr-defined]
            shortened(str(error.jupyterhub_message), LONGEST), '', try_again_url)  # type: ignore[attr-defined]


def _message_of(error):
    """Return the message of a hook's HTTPError; for any other error, which is not meant for users, where to find it."""
    if isinstance(error, web.HTTPError) and error.log_message:
        try:
            return error.log_message % error.args
        except (TypeError, ValueError):
            return error.log_message
    return UNKNOWN


def do_not_count(handler: Optional[web.RequestHandler]) -> None:
    """Keep the failure that is raised next from counting towards JupyterHub's `consecutive_failure_limit`.

    JupyterHub before 6.0 counts every failure, with a number in the settings of its web application.

    handler (tornado's RequestHandler or None): of the request that started the server.
    """
    if SpawnException is None and handler is not None:
        handler.settings['failure_count'] = handler.settings.get('failure_count', 0) - 1


class HubError(UserFacingError):
    """A server cannot be started or stopped, because the hub cannot use the Kubernetes API."""

    status_code = 503
    fault = Fault.HUB


class ConfigurationError(UserFacingError, ValueError):
    """A server cannot be started because of a wrong configuration. Users do not see what is wrong with it."""

    status_code = 500
    fault = Fault.OPERATOR
    for_users = ('This hub is not configured as it should be for your server. Tell its operator: the log of the hub '
                 'says why.')

    def __init__(self, sentence, k8s_reason='', cause=Cause.CONFIGURATION, *more):
        super().__init__(sentence, k8s_reason, cause, *more)


class WrongSetting(ConfigurationError, TraitError):
    """A spawner cannot be created because of the value of a trait."""
