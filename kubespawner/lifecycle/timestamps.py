"""Times as the Kubernetes API writes them. Pure, any thread."""
import calendar
import functools
from typing import Any, Optional


def timestamp(text: Any) -> Optional[float]:
    """Return a time such as `2018-01-01T00:00:00Z` or `2018-01-01T00:00:00.123456Z` in seconds since 1970, or None.

    Starts need this so often that a general parser of dates would take too long.
    """
    return _seconds(text) if isinstance(text, str) else None


@functools.lru_cache(maxsize=256)  # a pod says the same time in several places, and so do those that start together
def _seconds(text):
    try:
        numbers = [int(text[begin:end]) for begin, end in ((0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19))]
        fraction = text[20:-1]
        return calendar.timegm(tuple(numbers)) + (float('.' + fraction) if fraction.isdigit() else 0)
    except (LookupError, OverflowError, ValueError):
        return None
