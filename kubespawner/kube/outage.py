"""Log messages about an outage, so that a long one does not fill the log. Any thread, but one thread per object."""

LONGEST_SILENCE = 60  # seconds between two lines about the same trouble


class OutageLog:
    """Decides which of the many errors of one outage are logged: a new kind at once, the same one with growing pauses.

    clock (callable): returns the time in seconds.
    """

    def __init__(self, clock):
        self._clock = clock
        self.over()

    def over(self):
        """Note that the outage is over. The next error begins a new one."""
        self._kind, self._next, self._pause = None, 0, 1

    def is_due(self, kind):
        """Return True if an error of this kind (any value) is to be logged now."""
        now = self._clock()
        if kind != self._kind:
            self._kind, self._pause = kind, 1
        elif now < self._next:
            return False
        else:
            self._pause = min(2 * self._pause, LONGEST_SILENCE)
        self._next = now + self._pause
        return True
