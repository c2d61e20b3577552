"""Methods with names from other versions, which subclasses and helpers call on a spawner. Each delegates in one line.

No logic belongs here. `subclass_steps.CALLED` lists those that a start or a stop calls if a subclass overrides them.

    since   name
    0.9     reflectors, events, _start_reflector, _start_watching_pods, _start_watching_events
    0.12    _make_create_pod_request, _make_create_pvc_request, _make_delete_pod_request
    1.0     _make_create_resource_request, _make_delete_pvc_request, _ensure_not_exists, _ensure_namespace,
            _get_pod_url, pod_has_uid, safe_chars
    6.0     _get_reflector_key, _stop_all_reflectors
    7.0     _check_pvc_exists, _get_pod_port, _sorted_dict_values, _expand_env

The names of the profile form are in `form_names`; `load_user_options` is in `user_options`.
"""
from tornado.ioloop import IOLoop

from .. import naming
from ..kube.api import PVC
from ..kube.clients import Resource
from ..lifecycle import podstatus
from ..reflector import ResourceReflector
from . import reflectors
from .subclass_steps import SubclassSteps


class MockObject:
    """An object with any attribute, which tests of subclasses use instead of a user or a hub."""


class Adapters(SubclassSteps):
    """The part of KubeSpawner with the names from other versions."""

    reflectors = reflectors.ReflectorsOfClass()

    safe_chars = set(naming.SAFE_CHARACTERS)

    _start_future = None  # of the start that was begun last

    @property
    def events(self):
        """The events about this server's pod in the present start, as dicts, the oldest first."""
        return self._progress_log.events if self._progress_log is not None else []

    # Reflectors: each may be used at once, and `await` waits for its first list

    def _start_reflector(self, kind=None, reflector_class=ResourceReflector, replace=False, **kwargs):
        """Return the reflector of a kind in this server's namespace, and start it."""
        kwargs.setdefault('on_failure', self._halting(IOLoop.current()))
        return reflectors.start_reflector(self, kind, reflector_class, replace, kwargs)

    def _start_watching_pods(self, replace=False):
        """Return the reflector of pods, and start it."""
        return self._follow_pods(replace)

    def _start_watching_events(self, replace=False):
        """Return the reflector of events, and start it."""
        return self._shared_event_reflector(replace).start()

    def _get_reflector_key(self, kind):
        """Return the key of a kind in `reflectors`."""
        return kind, None if self.enable_user_namespaces and not self.pod_reflector.namespace else self.namespace

    @classmethod
    def _stop_all_reflectors(cls):
        """Stop all reflectors; return a future that is done."""
        return reflectors.stop_reflectors(cls)

    # Requests: each returns a future of True when it is done, and of False if Kubernetes has not answered in time

    def _make_create_pod_request(self, pod, request_timeout):
        """Create the pod, after the deletion of an existing one of its name."""
        return self._create_pod_of_this_start(pod)

    def _make_create_pvc_request(self, pvc, request_timeout):
        """Create the claim, unless it exists."""
        return self._steps.create(PVC, pvc, request_timeout)

    def _make_create_resource_request(self, kind, manifest):
        """Create a `secret`, a `service` or another kind of object, unless it exists."""
        return self._steps.create(kind, manifest, self.k8s_api_request_timeout)

    def _make_delete_pod_request(self, pod_name, delete_options, grace_seconds, request_timeout):
        """Delete a pod, if it exists."""
        return self._steps.delete('pod', pod_name, request_timeout, delete_options, grace_seconds)

    def _make_delete_pvc_request(self, pvc_name, request_timeout):
        """Delete a claim, if it exists."""
        return self._steps.delete(PVC, pvc_name, request_timeout)

    def _ensure_not_exists(self, kind, name):
        """Delete an object; return a future of True if it is gone, and of False while it exists."""
        return self._steps.ensure_absent(kind, name, self.k8s_api_request_timeout)

    def _check_pvc_exists(self, pvc_name, namespace):
        """Return a future of whether a claim exists."""
        return self._steps.exists(PVC, namespace, pvc_name)

    def _ensure_namespace(self):
        """Create this server's namespace, unless it exists."""
        return self._create_namespace()

    # Pods as dicts, and what is made of configured values

    def _get_pod_url(self, pod):
        """Return the URL of the server in a pod, or an awaitable of it if `get_pod_url` is a coroutine."""
        return self._url_of_pod(Resource(pod))

    def _get_pod_port(self, pod):
        """Return the port of the server in a pod."""
        return podstatus.port(Resource(pod)) or self.port

    def pod_has_uid(self, pod):
        """Return whether a pod (a dict, or None) has been created."""
        return bool(pod and Resource(pod).metadata.uid)

    def _sorted_dict_values(self, src):
        """Return the values of a dict in the order of its keys; return anything else unchanged."""
        return [src[key] for key in sorted(src)] if isinstance(src, dict) else src

    def _expand_env(self, env):
        """Return environment variables with their templates expanded."""
        return self._expand_all(env)
