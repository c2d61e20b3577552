"""Events of the components. If the same thing happens again, the existing event is counted up.

What belongs here: writing events, and deleting old ones. What does not: their messages, which the components write.
Everything runs on the loop thread of the server.
"""
import itertools
import time

from . import errors
from .times import timestamp

LIFETIME = 3600  # seconds, as on a real API server


class EventRecorder(object):
    """Writes the events of one component.

    component (str): 'kubelet', 'default-scheduler' and so on.
    host (str): the node, or '' if the component does not run on one.
    """

    _numbers = itertools.count(int(time.time() * 10 ** 9))

    def __init__(self, registry, component, host=''):
        self.registry = registry
        self.source = {'component': component, 'host': host} if host else {'component': component}
        self._names = {}  # contents of an event -> its namespace and name

    def normal(self, obj, reason, message, field_path=''):
        self._record(obj, 'Normal', reason, message, field_path)

    def warning(self, obj, reason, message, field_path=''):
        self._record(obj, 'Warning', reason, message, field_path)

    def _record(self, obj, kind, reason, message, field_path):
        metadata = obj['metadata']
        key = metadata['uid'], kind, reason, message, field_path
        namespace = metadata.get('namespace', 'default')
        try:
            known = self.registry.store.get('events', *self._names.get(key, ('', '')))
            if known:
                self._count(known)
                return
            name = '%s.%x' % (metadata['name'], next(self._numbers))
            self._names[key] = namespace, name
            self.registry.create('events', namespace, {
                'metadata': {'name': name}, 'type': kind, 'reason': reason, 'message': message[:1024], 'count': 1,
                'source': self.source, 'firstTimestamp': timestamp(), 'lastTimestamp': timestamp(),
                'involvedObject': {'kind': obj['kind'], 'apiVersion': 'v1', 'namespace': metadata.get('namespace', ''),
                                   'name': metadata['name'], 'uid': metadata['uid'], 'fieldPath': field_path,
                                   'resourceVersion': metadata['resourceVersion']}})
        except errors.ApiError:
            pass  # the namespace is being deleted

    def _count(self, event):
        self.registry.patch('events', event['metadata']['namespace'], event['metadata']['name'],
                            'application/merge-patch+json',
                            {'count': event['count'] + 1, 'lastTimestamp': timestamp()})

    def forget(self, uid):
        """Forget an object that was deleted, so that the dictionary does not grow without limit."""
        self._names = {key: value for key, value in self._names.items() if key[0] != uid}


def expire(registry):
    """Delete the events whose last change is older than LIFETIME."""
    oldest = timestamp(-LIFETIME)
    for stored in registry.store.list('events'):
        metadata = stored.object['metadata']
        if (stored.object.get('lastTimestamp') or metadata['creationTimestamp']) < oldest:
            registry.delete('events', metadata['namespace'], metadata['name'])
