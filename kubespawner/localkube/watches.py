"""Watches: streams of changes for clients.

What belongs here: which changes a watch sends, and in which format. What does not: HTTP headers, and when a request
ends (streams.py). Everything runs on the loop thread of the server.
"""
from . import tables, versions
from .store import encode

LINE = {kind: ('{"type":"%s","object":' % kind).encode('ascii') for kind in ('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK',
                                                                             'ERROR')}


class Watch(object):
    """One watch, which selects changes and writes them as lines with `write(bytes)`. While stalled, it keeps them."""

    def __init__(self, resource, namespace, matches, write, as_table=False):
        self.resource = resource
        self.namespace = namespace
        self.matches = matches  # a predicate on objects, or None
        self.write = write
        self.as_table = as_table
        self.sent_columns = False
        self.stalled = None  # a list of lines while stalled

    def selects(self, stored):
        return stored is not None and (self.matches is None or self.matches(stored.object))

    def send_change(self, change):
        """Send a Change. An object that no longer matches is DELETED, and one that begins to match is ADDED."""
        if self.namespace and change.key[0] != self.namespace:
            return
        before, after = self.selects(change.old), self.selects(change.new)
        if before and after:
            self.send('MODIFIED', change.new)
        elif after:
            self.send('ADDED', change.new)
        elif before and change.new is None:
            self.send('DELETED', change.old)
        elif before:
            obj = change.old.object
            self.send_object('DELETED', dict(obj, metadata=dict(obj['metadata'], resourceVersion=str(change.version))))

    def send(self, kind, stored):
        if self.as_table or not self.resource.is_stored:
            self.send_object(kind, stored.object)
        else:
            self.emit(LINE[kind] + stored.json + b'}\n')

    def send_object(self, kind, obj):
        if self.as_table and kind != 'ERROR':
            obj = tables.table(self.resource, [] if kind == 'BOOKMARK' else [obj],
                               {'resourceVersion': obj['metadata']['resourceVersion']}, columns=not self.sent_columns)
            self.sent_columns = True
        elif kind != 'ERROR':
            obj = versions.shown(self.resource, obj)
        self.emit(LINE[kind] + encode(obj) + b'}\n')

    def send_bookmark(self, version, annotations=None):
        metadata = {'resourceVersion': str(version), 'creationTimestamp': None}
        if annotations:
            metadata['annotations'] = annotations
        self.send_object('BOOKMARK', {'kind': self.resource.kind, 'apiVersion': self.resource.api_version,
                                      'metadata': metadata})

    def emit(self, line):
        if self.stalled is None:
            self.write(line)
        else:
            self.stalled.append(line)

    def stall(self):
        self.stalled = self.stalled or []

    def resume(self):
        lines, self.stalled = self.stalled or [], None
        for line in lines:
            self.write(line)
