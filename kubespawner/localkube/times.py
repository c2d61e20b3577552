"""Timestamps in the format of Kubernetes: `2018-05-01T12:00:00Z`. Pure, except for the current time; any thread."""
import calendar
import time

FORMAT = '%Y-%m-%dT%H:%M:%SZ'


def seconds_of(moment):
    """Return a timestamp of Kubernetes as seconds since 1970."""
    return calendar.timegm(time.strptime(moment[:19] + 'Z', FORMAT))


def at(seconds):
    """Return seconds since 1970 as a timestamp of Kubernetes."""
    return time.strftime(FORMAT, time.gmtime(seconds))


def timestamp(later=0):
    """Return the current time plus `later` seconds as a timestamp of Kubernetes."""
    return at(time.time() + later)


def earlier(moment, seconds):
    """Return the timestamp `moment` moved by `seconds`."""
    return time.strftime(FORMAT, time.gmtime(seconds_of(moment) + seconds))
