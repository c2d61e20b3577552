"""What is known of a server's last starts when its user starts it again: what worked, and why the last one failed.

JupyterHub makes a new spawner after each failure, and a hub may restart. So this is part of a server's state, and is
kept small. What the form makes of it does not belong here. Pure, any thread.
"""
import json
from collections import namedtuple

from ..messages import hints
from ..messages.errors import UserFacingError, shortened

LONGEST = 1000  # characters of each text, and of each choice, that is kept
MOST = 3  # choices that worked
LASTS = 24 * 60 * 60  # seconds for which a failure is told of

Failure = namedtuple('Failure', 'summary details seconds wants_another')
Failure.__doc__ = """Failure(summary, details, seconds, wants_another): why a start failed.

summary, details (str): what happened and what the user can do, and what else is known.
seconds (int): when that was, since 1970.
wants_another (bool): whether the user should choose another profile.
"""


class LastStart:
    """What to know of the last starts of one server.

    failure (Failure or None): why the last start failed; None if it did not.
    worked (list of dicts): the `user_options` of starts that did not fail, the last one first.
    is_news (bool): whether the user has neither sent nor seen anything since the failure.
    """

    def __init__(self):
        self.failure, self.worked, self.is_news = None, [], False
        self._worked_before = []

    def begin(self):
        """Take note that a start begins: until its server answers, it may fail."""
        self._worked_before = self.worked

    def failed(self, error, seconds):
        """Take note of the error that ended a start, which has the attributes that JupyterHub shows."""
        self.stopped()
        texts, wants_another = (error.jupyterhub_message, ''), False
        if isinstance(error, UserFacingError):
            if (error.cause, error.k8s_reason) == (None, ''):  # nothing has failed
                return
            texts, wants_another = (error.summary, error.further), hints.calls_for_another_profile(error)
        summary, details = [shortened(str(text), LONGEST) for text in texts]
        self.failure, self.is_news = Failure(summary, details, int(seconds), wants_another), True

    def stopped(self):
        """Take note that a start ended because nobody wanted it any more: it has neither worked nor failed."""
        self.worked, self.failure = self._worked_before, None

    def succeeded(self, options):
        """Take note of the `user_options` (dict) of a start that has not failed until now."""
        self.failure, self.is_news = None, False
        kept = _small(options)
        if kept:
            self.worked = ([kept] + [each for each in self._worked_before if each != kept])[:MOST]

    def failure_to_tell(self, now):
        """Return the failure if it is recent at a time in seconds since 1970, otherwise None."""
        return self.failure if self.failure is not None and now - self.failure.seconds < LASTS else None

    def state(self):
        """Return what JupyterHub's database keeps, a dict."""
        state = {'worked': self.worked} if self.worked else {}
        return dict(state, failure=list(self.failure)) if self.failure is not None else state

    def load(self, state):
        """Take over a state. What is not one counts as nothing."""
        state = state if isinstance(state, dict) else {}
        worked, failure = state.get('worked'), state.get('failure')
        self.worked = [each for each in worked if isinstance(each, dict)][:MOST] if isinstance(worked, list) else []
        self.failure = None
        if isinstance(failure, list) and [type(each) for each in failure] == [str, str, int, bool]:
            self.failure = Failure(*failure)


def _small(options):
    """Return options that are short enough to be kept; of others, the profile only."""
    for kept in (options, {'profile': options.get('profile')}):
        try:
            if len(json.dumps(kept)) <= LONGEST:
                return dict(kept)
        except (TypeError, ValueError):  # of a form of the operator's
            pass
    return {}
