"""The reflector of a server's pod: which one it is, when it is started and stopped, and the wait for its first list.

Most servers of a hub share one. How a reflector follows the API server is in `kube.reflector`; what a pod's status
means is in `podstatus`. Everything runs on the IOLoop's thread.
"""
from functools import partial

from tornado import gen
from tornado.ioloop import IOLoop
from traitlets import Dict, Unicode, default

from ..configuration import Configuration
from ..lifecycle import podstatus
from ..lifecycle.pods import uid_of
from ..lifecycle.waiting import is_listed, warn_unless_listed
from ..reflector import ResourceReflector
from .reflectors import namespace_to_follow, owner_of_reflectors, sibling_for

FIRST_LIST_SECONDS = 10  # how long `poll` waits for the first list before it answers that it does not know


class PodReflector(ResourceReflector):
    """Keeps the notebook servers' pods of one namespace up to date."""

    kind = Unicode('pod')

    labels = Dict({'heritage': 'jupyterhub', 'component': 'singleuser-server'})

    list_method_name = Unicode('list_namespaced_pod')

    can_be_split = True

    @default('fields')
    def _what_is_read(self):
        return podstatus.FIELDS + ['spec.containers.image']  # dashboards and cullers read the image

    @property
    def pods(self):
        """The pods by name."""
        return self.resources

    def watched_part(self, resource):
        """Return a pod's uid and IP address."""
        return uid_of(resource), podstatus.ip(resource)


class FollowedPods(Configuration):
    """The part of KubeSpawner that finds the reflector of a server's pod."""

    _reflects = None  # the namespace and the `component_label` for which the reflector was chosen

    @property
    def _pod_key(self):
        """The reflector's key for this server's pod."""
        return self.pod_reflector.key(self.namespace, self.pod_name)

    def _share_reflector(self):
        """Create the shared reflector, if this is the first spawner. Use another one if its pods are not in the first.

        With `enable_user_namespaces`, the shared reflector follows all namespaces. If the hub may not list those, each
        namespace has a reflector of its own, and so has each other namespace or `component_label`.

        All subclasses share it, except those with a class attribute `pod_reflector` of their own.
        """
        self._reflects = self.namespace, self.component_label
        self._release_reflector()
        vars(self).pop('pod_reflector', None)
        owner = owner_of_reflectors(type(self))
        if owner.pod_reflector is None:
            labels = {'heritage': 'jupyterhub', 'component': self.component_label}
            owner.pod_reflector = self._maker('PodReflector')(
                config=self.config, log=self.log, namespace=namespace_to_follow(self), labels=labels)
        shared = owner.pod_reflector
        labels = dict(shared.labels, component=self.component_label) if 'component' in shared.labels else shared.labels
        reflector = sibling_for(self, shared, labels)
        if reflector is not shared:
            self.pod_reflector = reflector

    def _release_reflector(self):
        """Stop this server's reflector, if it is not the shared one and no other server needs it."""
        shared = owner_of_reflectors(type(self)).pod_reflector
        if shared is not None and 'pod_reflector' in vars(self):
            shared.siblings.release(self.pod_reflector, self)

    def _follow_pods(self, replace=False):
        """Start this server's reflector if it does not run yet; return it. replace (bool): create a new one."""
        if replace:
            self.pod_reflector.stop()
            owner_of_reflectors(type(self)).pod_reflector = None
        is_another = self._reflects != (self.namespace, self.component_label)  # these have changed since
        if replace or is_another or self.pod_reflector.is_forbidden or self._reflector_has_ended():
            self._share_reflector()
        if 'pod_reflector' in vars(self):
            owner_of_reflectors(type(self)).pod_reflector.siblings.use(self.pod_reflector, self)
        if self.pod_reflector.on_failure is None and self._needs_reflector():
            self.pod_reflector.on_failure = self._halting(IOLoop.current())
        self.pod_reflector.start()
        return self.pod_reflector

    def _needs_reflector(self):
        """Return whether the hub must stop if the reflector fails: not if only a state or a profile needs it."""
        is_usual = self._configured_namespace is None and 'namespace' not in self._overrides
        return is_usual or self.pod_reflector is owner_of_reflectors(type(self)).pod_reflector

    def _reflector_has_ended(self):
        """Return whether this server's reflector has ended without the hub having been stopped."""
        reflector = self.pod_reflector
        return reflector.stopped() or reflector.failed and reflector.on_failure is None

    @gen.coroutine
    def _is_listed(self, seconds=FIRST_LIST_SECONDS):
        """Wait for the first list of this server's reflector, at most so many seconds; return whether it is there.

        If the hub may not list all namespaces, wait for the list of the server's own namespace.
        """
        deadline = IOLoop.current().time() + seconds
        while True:
            reflector = self._follow_pods()
            if not (yield is_listed(reflector, max(0, deadline - IOLoop.current().time()))):
                return False
            if not reflector.is_forbidden:
                return True

    def _is_listed_for_polls(self, turns):
        """Return the same as `_is_listed`, in a turn. All polls that wait for the same list share one wait.

        turns (Turns): in which the polls continue. This is a generator of futures.
        """
        deadline = IOLoop.current().time() + FIRST_LIST_SECONDS
        while True:
            reflector, seconds = self._follow_pods(), max(0, deadline - IOLoop.current().time())
            yield turns.take_turn_after(
                reflector, partial(warn_unless_listed, reflector, seconds, self.log))
            if not reflector.is_forbidden:
                return reflector.first_load_future.done()

    def _choose_reflector(self, deadline):
        """Wait until it is known which reflector follows this server; return it."""
        if not (self.pod_reflector.namespace or self.pod_reflector.first_load_future.done()):
            yield self._is_listed(min(FIRST_LIST_SECONDS, max(0, deadline - IOLoop.current().time())))
        return self._follow_pods()
