"""Moments as Kubernetes writes them: `2018-05-01T12:00:00Z`. Nothing else. Pure but for the time of day; any thread."""
import calendar
import time

FORMAT = '%Y-%m-%dT%H:%M:%SZ'


def seconds_of(moment):
    """Return a moment as Kubernetes writes it in seconds since 1970."""
    return calendar.timegm(time.strptime(moment[:19] + 'Z', FORMAT))


def timestamp(later=0):
    """Return now, or so many seconds later, as Kubernetes writes it."""
    return time.strftime(FORMAT, time.gmtime(time.time() + later))


def earlier(moment, seconds):
    """Return the timestamp `moment` moved by `seconds`."""
    return time.strftime(FORMAT, time.gmtime(seconds_of(moment) + seconds))
