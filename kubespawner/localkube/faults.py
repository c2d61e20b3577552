"""Injected faults, for tests of clients: requests that fail, are delayed, or lose their connection.

What belongs here: which requests match a fault, and a list of requests. What does not: applying faults (handlers.py).
Everything runs on the loop thread of the server. Tests inject faults through the methods of LocalKube.
"""
import re
from collections import deque

REMEMBERED = 100000  # requests
OF_ALL_CALLS = ('fail', 'delay', 'drop')


class Fault(object):
    """A fault in the next `times` matching requests.

    kind (str): 'fail', 'delay', 'drop', or 'insert' for watches.
    method (str or None): such as 'POST'; None means any method.
    path (str or None): a regular expression that is searched for in the path, and in path?query; None means any path.
    details (dict): status, headers, message; seconds; after; text, end.
    """

    def __init__(self, kind, method=None, path=None, times=1, **details):
        self.kind = kind
        self.method = method
        self.pattern = re.compile(path or '')
        self.times = times
        self.details = details

    def matches(self, method, uri):
        return self.times > 0 and self.method in (None, method) and bool(
            self.pattern.search(uri.partition('?')[0]) or self.pattern.search(uri))


class Faults(object):
    def __init__(self):
        self.faults = []
        self.requests = deque(maxlen=REMEMBERED)  # (method, path with query)

    def add(self, kind, **details):
        self.faults.append(Fault(kind, **details))

    def clear(self):
        self.faults = []
        self.requests.clear()

    def take(self, method, uri, kinds=OF_ALL_CALLS):
        """Return {kind: details} of the faults that match this request, and count them as used."""
        met = {}
        for fault in self.faults:
            if fault.kind in kinds and fault.kind not in met and fault.matches(method, uri):
                fault.times -= 1
                met[fault.kind] = fault.details
        self.faults = [fault for fault in self.faults if fault.times > 0]
        return met
