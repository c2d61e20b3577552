"""Faults on demand: calls that fail, hang or lose their connection, so that clients can be tested.

What belongs here: which calls a fault matches, and a record of calls. What does not: carrying a fault out (server.py).
Everything runs on the loop thread of the server; tests reach it through the switches of LocalKube.
"""
import re
from collections import deque

REMEMBERED = 100000  # requests
OF_ALL_CALLS = ('fail', 'delay', 'drop')


class Fault(object):
    """What happens to the next `times` calls that match.

    kind (str): 'fail', 'delay', 'drop' or, of watches, 'insert'.
    method (str or None): 'POST' and so on; None is any.
    path (str or None): a regular expression, searched for in the path, and in path?query; None is any.
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
        """Return {kind: details} of the faults of these kinds that this call meets; each is used once."""
        met = {}
        for fault in self.faults:
            if fault.kind in kinds and fault.kind not in met and fault.matches(method, uri):
                fault.times -= 1
                met[fault.kind] = fault.details
        self.faults = [fault for fault in self.faults if fault.times > 0]
        return met
