"""Calling the steps of other releases in a start or a stop, if a subclass overrides them.

Which steps are called, and when one is done, belongs here. The steps themselves are in `adapters`, and the requests
that they send in `steps`. Everything runs on the IOLoop's thread.
"""
from kubernetes.client import V1DeleteOptions
from tornado import gen
from tornado.ioloop import IOLoop

from ..configuration import Configuration
from ..kube import retry
from ..kube.clients import Resource
from ..lifecycle.steps import Steps
from ..lifecycle.waiting import check_wanted, in_time
from ..messages.errors import Cause, SpawnError
from ..reflector import ResourceReflector
from .awaiting import maybe_await

# The steps that a start or a stop calls if a subclass has its own.
CALLED = frozenset([
    '_ensure_namespace', '_make_create_pvc_request', '_make_create_pod_request', '_get_pod_url',
    '_start_watching_pods', '_start_watching_events', '_make_delete_pod_request', '_make_delete_pvc_request'])

# Those that nothing here calls, and what to override instead.
NOT_CALLED = {
    '_check_pvc_exists': 'get_pvc_manifest or _make_create_pvc_request',
    '_ensure_not_exists': None,
    '_make_create_resource_request': None,
    '_start_reflector': '_start_watching_pods or _start_watching_events',
    '_get_reflector_key': None,
    '_get_pod_port': '_get_pod_url, or the setting get_pod_url',
    'pod_has_uid': 'is_pod_running',
    '_await_pod_reflector': None,
    '_await_event_reflector': None,
    '_stop_all_reflectors': None,
    '_set_k8s_client_configuration': 'the settings k8s_api_host, k8s_api_ssl_ca_cert and k8s_api_verify_ssl',
    '_expand_env': 'get_env',
    '_sorted_dict_values': 'get_pod_manifest',
    '_render_options_form': 'the setting profile_form_template or options_form',
    '_render_options_form_dynamically': 'the setting profile_form_template or options_form',
    '_init_profile_list': 'the setting profile_list, as a function',
    '_get_initialized_profile_list': 'the setting profile_list, as a function',
    '_get_profile': 'load_user_options',
    '_load_profile': 'load_user_options',
    '_apply_overrides': 'load_user_options',
    '_validate_user_options': 'load_user_options, or the setting options_from_form',
}


def overridden(cls):
    """Return the names of the steps that a class overrides, a set."""
    if '_steps_of_its_own' not in vars(cls):
        cls._steps_of_its_own = frozenset(name for name in CALLED.union(NOT_CALLED) if _is_own(cls, name))
    return cls._steps_of_its_own


def _is_own(cls, name):
    owner = next((each for each in cls.__mro__ if name in vars(each)), None)
    return owner is not None and owner.__module__.split('.')[0] not in ('kubespawner', 'jupyterhub')


def check_overrides(cls, log):
    """Log, once for each class, which of its methods have no effect."""
    if '_is_told_of_steps' in vars(cls):
        return
    cls._is_told_of_steps = True
    for name in sorted(overridden(cls) & set(NOT_CALLED)):
        instead = NOT_CALLED[name]
        log.warning('%s.%s has no effect: this KubeSpawner does not call it.%s', cls.__name__, name,
                    ' Use %s instead.' % instead if instead else '')


class SubclassSteps(Configuration):
    """The part of KubeSpawner that calls the steps that a subclass overrides."""

    def _has_own(self, step):
        return step in overridden(type(self))

    @property
    def _steps(self):
        return Steps(self._requests, self.namespace, self.log)

    @gen.coroutine
    def _call_step(self, step, deadline, is_wanted, *args):
        """Call a step again until it does not return False. Raises SpawnError at the deadline."""
        pauses = retry.Backoff(0.2, 5)
        while (yield in_time(self._do_step(step, args), deadline, step, self.pod_name)) is False:
            yield gen.sleep(pauses.next_pause())
            check_wanted(lambda: is_wanted() and IOLoop.current().time() < deadline, self.pod_name)

    @gen.coroutine
    def _do_step(self, step, args):
        result = getattr(self, step)(*args)
        return result if isinstance(result, ResourceReflector) else (yield maybe_await(result))

    def _call_own_step(self, step, attempt, *args):
        """Call a step of a start, if a subclass overrides it."""
        if self._has_own(step):
            return self._call_step(step, attempt.deadline, attempt.is_wanted, *args)
        return gen.maybe_future(None)

    def _watch_as_subclass_does(self, deadline, is_wanted=lambda: True):
        """Call the methods with which a subclass starts reflectors, if it overrides them."""
        for step in ['_start_watching_pods'] + ['_start_watching_events'] * self.events_enabled:
            if self._has_own(step):
                yield self._call_step(step, deadline, is_wanted)

    # Pods and claims

    def _create_pod(self, pods, manifest, attempt):
        """Create the pod of a start and return it, a dict."""
        if not self._has_own('_make_create_pod_request'):
            return (yield from pods.create(manifest, attempt.deadline, attempt.is_wanted))
        pods.mark(manifest)
        yield self._call_step('_make_create_pod_request', attempt.deadline, attempt.is_wanted, manifest,
                              self.k8s_api_request_timeout)
        if attempt.created is None:  # it has sent a request of its own
            attempt.created = yield self._waiter.refresh_pod(attempt.deadline)
            if attempt.created is None:
                raise SpawnError('Pod %s is not there, though KubeSpawner._make_create_pod_request is done.'
                                 % self.pod_name, cause=Cause.CONFIGURATION)
            self._known.own(attempt.created)
        return attempt.created

    @gen.coroutine
    def _create_pod_of_this_start(self, pod):
        """Create the pod of the start that began last; return True."""
        self._follow_pods()
        attempt = self._attempts[-1] if self._attempts else None
        deadline = attempt.deadline if attempt else IOLoop.current().time() + self.start_timeout
        created = yield from self._pods.create(pod, deadline, attempt.is_wanted if attempt else lambda: True)
        if attempt:
            attempt.created = Resource(created)
        return True

    def _delete_pod_as_subclass_does(self, grace_seconds, deadline):
        if not self._has_own('_make_delete_pod_request'):
            return gen.maybe_future(None)
        return self._call_step('_make_delete_pod_request', deadline, lambda: True, self.pod_name,
                               V1DeleteOptions(grace_period_seconds=grace_seconds), grace_seconds,
                               self.k8s_api_request_timeout)

    def _own_claim_deletion(self):
        """Return the function with which a subclass deletes the claim of a name, or None."""
        if not self._has_own('_make_delete_pvc_request'):
            return None
        return lambda name: self._call_step(
            '_make_delete_pvc_request', IOLoop.current().time() + self.start_timeout, lambda: True, name,
            self.k8s_api_request_timeout)
