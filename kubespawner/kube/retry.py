"""The one retry policy, for requests and the watch: which errors may heal, how long to pause, what `Retry-After` says.

Here belongs every decision to try again. Sending and waiting do not: the one who tries does that, on whatever thread.
Nothing here blocks, and no object is shared between threads.
"""
import math
import random
import time
from email.utils import mktime_tz, parsedate_tz
from typing import Any, Callable, Mapping, Optional

CONNECT_TIMEOUT = 5  # seconds to wait for a connection to the API server
LONGEST_RETRY_AFTER = 60  # seconds; a server that asks for more is asked again after this
ROLES_SECONDS = 5  # after an outage, in which a server that has just started may not have read its roles yet

# HTTP statuses of a server that may answer differently the next time.
TRANSIENT = frozenset([429, 500, 502, 503, 504])
UNAUTHORIZED = 401


def retry_after(headers: Optional[Mapping], clock: Callable[[], float] = time.time) -> float:
    """Return the seconds that an answer asks to wait before the next try, 0 to LONGEST_RETRY_AFTER.

    headers (mapping or None): of the answer. `Retry-After` is a number of seconds or an HTTP date (RFC 9110). Whatever
        else it says, such as `nan`, `inf` or a negative number, counts as no header: 0.
    clock (callable): returns the time of day, for dates. The answer's own `Date` is preferred: clocks differ.
    """
    value = str((headers or {}).get('Retry-After') or '').strip()
    try:
        seconds = float(value)
    except ValueError:
        date = _timestamp(value)
        sent = _timestamp((headers or {}).get('Date'))
        seconds = 0 if date is None else date - (clock() if sent is None else sent)
    return min(seconds, LONGEST_RETRY_AFTER) if math.isfinite(seconds) and seconds > 0 else 0


def _timestamp(date: Any) -> Optional[float]:
    """Return an HTTP date as seconds since the epoch; None for what is no date."""
    try:
        return mktime_tz(parsedate_tz(str(date)))  # type: ignore[arg-type]  # None raises TypeError
    except (IndexError, OverflowError, TypeError, ValueError):
        return None


class Backoff:
    """Pauses that double from try to try, with jitter, so that many who failed together do not come back together.

    first, longest (float): seconds. jitter (float): 0 to 1, how much of a pause is left to chance.
    """

    def __init__(self, first: float, longest: float, jitter: float = 1.0) -> None:
        self.first, self.longest, self.jitter = first, longest, jitter
        self.reset()

    def reset(self) -> None:
        """Begin again with the first pause."""
        self._pause = self.first

    def next_pause(self, at_least: float = 0) -> float:
        """Return the seconds to wait before the next try; `at_least` is what the server asked for."""
        pause, self._pause = self._pause, min(self._pause * 2, self.longest)
        return max(at_least, random.uniform(pause * (1 - self.jitter), pause))


class RequestRetries:
    """Decides after each failed try of one request whether there is another one.

    end (float): the time after which no try begins, on the clock of the times that `pause_after` is given.
    """

    def __init__(self, end: float) -> None:
        self.end = end
        self._backoff = Backoff(0.2, 5, jitter=0.5)
        self._last_outage = float('-inf')

    def pause_after(self, error: Any, now: float) -> Optional[float]:
        """Return the seconds to wait before the next try; None if the error is final.

        error: has the attributes `status` (int), `may_heal` (bool) and `retry_after` (seconds).
        """
        if error.status == 0 or error.status >= 500:
            self._last_outage = now
        knows_no_roles_yet = error.status == 403 and now - self._last_outage < ROLES_SECONDS
        if not (error.may_heal or knows_no_roles_yet):
            return None
        pause = self._backoff.next_pause(error.retry_after)
        return pause if now + pause <= self.end else None


def may_heal(verb: str, status: int, reason: str, message: str = '', namespace: Optional[str] = None) -> bool:
    """True if the same request may succeed later.

    verb (str): `create`, `read`, `list`, `patch` or `delete`. status (int): the HTTP status; 0 without an answer.
    reason, message (str): what Kubernetes says.

    A quota that is being written at the same moment makes a create a Conflict. The default service account of a new
    namespace comes a moment after it; until then pods without an account of their own are Forbidden.
    """
    if status == 0 or status in TRANSIENT:
        return True
    no_account_yet = status == 403 and 'service account %s/default:' % namespace in message
    return verb == 'create' and (reason == 'Conflict' or no_account_yet)
