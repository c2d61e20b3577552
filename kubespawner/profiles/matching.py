"""Matching what a user entered with an operator's regular expression, for a limited time.

With some expressions, `re` needs twice the time for each further character, and it holds the GIL, so that the loop and
all other threads have to wait. But it checks for signals from time to time, so a timer of the process can interrupt it.
Signals are handled on the main thread, where a hub runs its loop. On another thread, or if somebody else uses both
timers, there is no limit.
"""
import functools
import re
import signal
import threading
import time

# A match that has used so many seconds of the processor is too slow; that is looked at so often.
SECONDS, INTERVAL = 0.018, 0.02

# By their signals. The second one only counts the time that this process runs, so that a busy machine makes it late.
TIMERS = [(signal.SIGALRM, signal.ITIMER_REAL), (signal.SIGVTALRM, signal.ITIMER_VIRTUAL)]


class _TooSlow(Exception):
    """A match took too long."""


_began = None  # the time that the process had used when the match began that goes on; None if none does


def _interrupt(*_):
    """Handle the signal of a timer, which may come after the match has ended.

    A match that only had to wait for the processor is not too slow.
    """
    global _began
    if _began is not None and time.process_time() - _began >= SECONDS:
        _began = None
        raise _TooSlow


@functools.lru_cache(maxsize=200)
def matches(expression, value):
    """Return whether a regular expression matches a whole string; None if that takes too long."""
    global _began
    timer = _free_timer()
    if timer is None:
        return re.fullmatch(expression, value) is not None
    try:
        try:
            _began = time.process_time()
            signal.setitimer(timer, INTERVAL, INTERVAL)
            return re.fullmatch(expression, value) is not None
        finally:
            _began = None
            signal.setitimer(timer, 0)
    except _TooSlow:
        signal.setitimer(timer, 0)
        return None


def _free_timer():
    """Return a timer that nobody else uses, after setting the handler of its signal; None if there is no such timer.

    The handler is never removed: a signal that arrives after that would end the process.
    """
    if threading.current_thread() is not threading.main_thread():
        return None
    for number, timer in TIMERS:
        handler = signal.getsignal(number)
        if handler in (signal.SIG_DFL, _interrupt) and not signal.getitimer(timer)[0]:
            if handler is not _interrupt:
                signal.signal(number, _interrupt)
            return timer
    return None
