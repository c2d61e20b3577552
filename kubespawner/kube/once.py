"""Messages that a process logs only once, however often there is a reason. Any thread."""
import threading
from collections import OrderedDict
from typing import Hashable

LIMIT = 1000  # things; the oldest is forgotten, and may be said again


class Once:
    """Remembers what has been said."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit, self._lock = limit, threading.Lock()
        self._said = OrderedDict()  # type: OrderedDict[Hashable, None]

    def is_new(self, *what: Hashable) -> bool:
        """Return True the first time that this is asked about `what`."""
        with self._lock:
            if what in self._said:
                return False
            self._said[what] = None
            if len(self._said) > self._limit:
                self._said.popitem(last=False)
            return True
