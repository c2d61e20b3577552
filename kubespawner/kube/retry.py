"""The retry policy for requests and the watch: which errors are temporary, how long to pause, and `Retry-After`.

Every decision to retry belongs here. Sending and waiting do not: callers do that, on their own thread. Nothing here
blocks, and threads do not share any objects.
"""
import math
import random
import time
from email.utils import mktime_tz, parsedate_tz
from typing import Any, Callable, Mapping, Optional

CONNECT_TIMEOUT = 5  # seconds to wait for a connection to the API server
LONGEST_RETRY_AFTER = 60  # seconds; longer values of Retry-After are reduced to this
ROLES_SECONDS = 5  # after an outage, during which an API server that has just started may not have loaded its roles

# HTTP statuses after which a retry may succeed.
TRANSIENT = frozenset([429, 500, 502, 503, 504])
UNAUTHORIZED = 401


def retry_after(headers: Optional[Mapping], clock: Callable[[], float] = time.time) -> float:
    """Return the seconds that a response asks the client to wait before a retry, 0 to LONGEST_RETRY_AFTER.

    headers (mapping or None): of the response. `Retry-After` is a number of seconds or an HTTP date (RFC 9110). Invalid
        values, such as `nan`, `inf` or a negative number, are ignored: the result is 0.
    clock (callable): returns the current time, for dates. The header `Date` takes precedence, because clocks differ.
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
    """Return an HTTP date as seconds since the epoch, or None if it is not a date."""
    try:
        return mktime_tz(parsedate_tz(str(date)))  # type: ignore[arg-type]  # None raises TypeError
    except (IndexError, OverflowError, TypeError, ValueError):
        return None


class Backoff:
    """Pauses that double after each attempt, with jitter, so that clients that failed together do not retry together.

    first, longest (float): seconds. jitter (float): 0 to 1, the part of a pause that is random.
    """

    def __init__(self, first: float, longest: float, jitter: float = 1.0) -> None:
        self.first, self.longest, self.jitter = first, longest, jitter
        self.reset()

    def reset(self) -> None:
        """Start again with the first pause."""
        self._pause = self.first

    def next_pause(self, at_least: float = 0) -> float:
        """Return the seconds to wait before the next attempt. `at_least` is what the server asked for."""
        pause, self._pause = self._pause, min(self._pause * 2, self.longest)
        return max(at_least, random.uniform(pause * (1 - self.jitter), pause))


class RequestRetries:
    """Decides after each failed attempt of one request whether to retry it.

    end (float): the time after which no attempt begins, on the same clock as the argument `now` of `pause_after`.
    """

    def __init__(self, end: float) -> None:
        self.end = end
        self._backoff = Backoff(0.2, 5, jitter=0.5)
        self._last_outage = float('-inf')

    def pause_after(self, error: Any, now: float) -> Optional[float]:
        """Return the seconds to wait before the next attempt, or None if the error is final.

        error: has the attributes `status` (int), `is_temporary` (bool) and `retry_after` (seconds).
        """
        if error.status == 0 or error.status >= 500:
            self._last_outage = now
        may_lack_roles = error.status == 403 and now - self._last_outage < ROLES_SECONDS
        if not (error.is_temporary or may_lack_roles):
            return None
        pause = self._backoff.next_pause(error.retry_after)
        return pause if now + pause <= self.end else None


def is_temporary(verb: str, status: int, reason: str, message: str = '', namespace: Optional[str] = None) -> bool:
    """Return whether the same request may succeed later.

    verb (str): `create`, `read`, `list`, `patch` or `delete`. status (int): the HTTP status; 0 without a response.
    reason, message (str): what Kubernetes says.

    Two errors of a create are temporary. It gets a Conflict if a quota is updated at the same moment. It is Forbidden
    while a new namespace does not have its default service account yet.
    """
    if status == 0 or status in TRANSIENT:
        return True
    no_account_yet = status == 403 and 'service account %s/default:' % namespace in message
    return verb == 'create' and (reason == 'Conflict' or no_account_yet)
