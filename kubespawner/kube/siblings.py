"""The reflectors that go with a shared one: of the same kind, for other namespaces or labels.

Which reflector covers which objects, and how long it is needed, belongs here. How one follows the server does not.
Everything runs on the IOLoop's thread.
"""
import weakref


class Siblings:
    """The siblings of one reflector.

    shared: the reflector that has them. make (callable): `make(namespace=, labels=)` returns a new sibling.
    """

    def __init__(self, shared, make):
        self._shared, self._make = weakref.ref(shared), make
        self._reflectors = {}  # namespace and labels -> reflector
        self._users = {}  # the same key -> WeakSet of the objects that need the reflector

    def __iter__(self):
        return iter(list(self._reflectors.values()))

    def get(self, namespace, labels):
        """Return the reflector for a namespace ('' means all) and labels: the shared one if it covers them."""
        shared = self._shared()
        covered = (namespace,) if shared.is_forbidden else ('', namespace)
        if shared.namespace in covered and shared.labels == labels:
            return shared
        key = _key(namespace, labels)
        known = self._reflectors.get(key)
        if known is None or known.failed or known.stopped():
            self._end_unused()
            self._reflectors[key] = self._make(namespace=namespace, labels=labels)
        return self._reflectors[key]

    def use(self, reflector, user):
        """Keep a reflector for an object that needs it, until `release` or until that object is gone."""
        key = _key(reflector.namespace, reflector.labels)
        if self._reflectors.get(key) is reflector:
            self._users.setdefault(key, weakref.WeakSet()).add(user)

    def release(self, reflector, user):
        """End what `use` began. A reflector of a single other namespace stops when nobody needs it any more."""
        key = _key(reflector.namespace, reflector.labels)
        if self._reflectors.get(key) is reflector and key in self._users:
            self._users[key].discard(user)
            self._end_if_unused(key)

    def _end_unused(self):
        for key in list(self._users):
            self._end_if_unused(key)

    def _end_if_unused(self, key):
        namespace = key[0]
        if namespace not in ('', self._shared().namespace) and not self._users[key]:
            del self._users[key]
            self._reflectors.pop(key).stop()


def _key(namespace, labels):
    return (namespace,) + tuple(sorted(labels.items()))
