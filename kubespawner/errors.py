"""What people are told when a server cannot be started or stopped: errors that JupyterHub shows, and their words.

Here belongs how JupyterHub takes an error; what went wrong is known elsewhere. Any thread.

JupyterHub shows users an HTTPError's message: old ones its `log_message`, later ones `jupyterhub_message`. Since 6.0 an
error that is no fault of the hub does not bring the hub closer to its `consecutive_failure_limit`; it is a
SpawnException, or has an HTTP status below 500.
"""
import re

from tornado import web

try:
    from jupyterhub.spawner import SpawnException
except ImportError:  # before JupyterHub 6.0
    SpawnException = None

_BREAKS = re.compile('[\t\n\v\f\r\x85\u2028\u2029]+')
_CONTROLS = re.compile('[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]')


def one_line(text):
    """Return `text` fit for a line of a log: without line breaks, other characters that steer a terminal escaped."""
    return _CONTROLS.sub(_escaped, _BREAKS.sub(' ', str(text)))


def _escaped(match):
    return match.group().encode('unicode_escape').decode('ascii')


class _Told(web.HTTPError):
    """An error in words for the user.

    message (str): the words; one line, whatever it was made of. Logs have these.
    word (str): a word of Kubernetes'; may be empty.
    reason (str or None): the same, for JupyterHub's metrics; None on hubs that would show it instead of the message.
    jupyterhub_message (str): what JupyterHub shows to the user.
    """

    for_users = None  # the words for all errors of a kind, if users are not told the message

    def __init__(self, message, reason=''):
        self.message = one_line(message)
        self.jupyterhub_message = self.for_users or self.message
        web.HTTPError.__init__(self, self.status_code, self.jupyterhub_message)
        self.word = reason
        self._reason = (re.sub('[^A-Za-z0-9_-]', '', reason)[:60] or 'Failed') if SpawnException else None

    @property
    def reason(self):
        return self._reason

    @reason.setter
    def reason(self, value):
        """Ignore what JupyterHub assigns when a start fails: old ones' pages would show that instead of the message."""

    def __str__(self):
        return self.message

    def get_message(self):
        return self.jupyterhub_message


class SpawnError(_Told, SpawnException or web.HTTPError):
    """A server that cannot be started or stopped, for a reason that lies with the server, its user or the cluster."""

    status_code = 400


def do_not_count(handler):
    """Have JupyterHub's `consecutive_failure_limit` not count the failure that is raised next.

    Before 6.0 it counts every failure, and goes on from what is in the settings of its web application.

    handler (tornado's RequestHandler or None): whose request the start is.
    """
    if SpawnException is None and handler is not None:
        handler.settings['failure_count'] = handler.settings.get('failure_count', 0) - 1


class HubError(_Told):
    """A server that cannot be started or stopped because the hub cannot talk to Kubernetes as it should."""

    status_code = 503


class ConfigurationError(_Told, ValueError):
    """A server that cannot be started because of what the operator configured: users are not told what that is."""

    status_code = 500
    for_users = ('This hub is not configured as it should be for your server. Tell its operator: the log of the hub '
                 'says why.')
