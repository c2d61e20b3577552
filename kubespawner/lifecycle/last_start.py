"""A server's last starts, for the form that its user sees next: which choices worked, and why the last start failed.

JupyterHub creates a new spawner after each failure, and a hub may restart, so this is part of a server's state, and
small. What the form does with it does not belong here. Pure, any thread.
"""
import json
from collections import namedtuple

from ..messages import hints
from ..messages.errors import UserFacingError, shortened

LONGEST = 1000  # characters of each text, and of each choice as JSON
MOST = 3  # choices that worked
LASTS = 24 * 60 * 60  # seconds for which a failure is shown

Failure = namedtuple('Failure', 'summary details seconds wants_another')
Failure.__doc__ = """Failure(summary, details, seconds, wants_another): why a start failed.

summary, details (str): what happened and what the user can do; what else is known.
seconds (int): the time of the failure, in seconds since 1970.
wants_another (bool): whether the user should choose another profile.
"""


class LastStart:
    """The last starts of one server.

    failure (Failure or None): why the last start failed; None if it did not.
    worked (list of dicts): the `user_options` of starts that worked, the last one first.
    is_news (bool): whether the user has not seen or sent a form since the failure.
    """

    def __init__(self):
        self.failure, self.worked, self.is_news = None, [], False
        self._worked_before = []

    def begin(self):
        """Note that a start begins. Until its server answers, it may still fail."""
        self._worked_before = self.worked

    def failed(self, error, seconds):
        """Note that a start failed. error (Exception): with a `jupyterhub_message`. seconds (float): since 1970."""
        self.stopped()
        texts, wants_another = (error.jupyterhub_message, ''), False
        if isinstance(error, UserFacingError):
            if (error.cause, error.k8s_reason) == (None, ''):  # nothing has failed
                return
            texts, wants_another = (error.summary, error.further), hints.calls_for_another_profile(error)
        summary, details = [shortened(str(text), LONGEST) for text in texts]
        self.failure, self.is_news = Failure(summary, details, int(seconds), wants_another), True

    def stopped(self):
        """Note that a start was given up: it neither worked nor failed."""
        self.worked, self.failure = self._worked_before, None

    def succeeded(self, options):
        """Note that a start has worked so far. options (dict): its `user_options`."""
        self.failure, self.is_news = None, False
        kept = _small(options)
        if kept:
            self.worked = ([kept] + [each for each in self._worked_before if each != kept])[:MOST]

    def failure_to_show(self, now):
        """Return the failure if it is recent, otherwise None. now (float): seconds since 1970."""
        return self.failure if self.failure is not None and now - self.failure.seconds < LASTS else None

    def state(self):
        """Return the state for JupyterHub's database, a dict."""
        state = {'worked': self.worked} if self.worked else {}
        return dict(state, failure=list(self.failure)) if self.failure is not None else state

    def load(self, state):
        """Load a state. Values that cannot be from `state` are ignored."""
        state = state if isinstance(state, dict) else {}
        worked, failure = state.get('worked'), state.get('failure')
        self.worked = [each for each in worked if isinstance(each, dict)][:MOST] if isinstance(worked, list) else []
        self.failure = None
        if isinstance(failure, list) and [type(each) for each in failure] == [str, str, int, bool]:
            self.failure = Failure(*failure)


def _small(options):
    """Return options if they are short enough to be kept; otherwise only the profile, or an empty dict."""
    for kept in (options, {'profile': options.get('profile')}):
        try:
            if len(json.dumps(kept)) <= LONGEST:
                return dict(kept)
        except (TypeError, ValueError):  # an operator's own form can return anything
            pass
    return {}
