"""The manifests of a server's pod and claim, from the settings, the user and the hub.

`templates` expands templates, and `objects` puts plain values into the form of Kubernetes. Nothing is created here.
Everything runs on the IOLoop's thread, and reads hub state.
"""
import os
from collections import OrderedDict
from contextlib import contextmanager
from urllib.parse import urlparse

from tornado import gen, web
from traitlets import TraitError

from .. import naming, objects
from ..configuration.cluster import api_url_of, port_of
from ..configuration.defaults import settings
from ..environment import as_literal, is_of_jupyterhub
from ..kube.clients import to_dict
from ..messages.errors import ConfigurationError
from ..messages.hints import explain_await
from ..naming.ownership import SERVERNAME
from .awaiting import at_once, is_awaitable, maybe_await
from .related import Related

# The traits whose values are an argument of `make_pod`, by that argument.
PLAIN_TRAITS = {
    'port': 'port',
    'image_spec': 'singleuser_image_spec',
    'image_pull_policy': 'singleuser_image_pull_policy',
    'image_pull_secret': 'singleuser_image_pull_secrets',
    'node_selector': 'singleuser_node_selector',
    'run_privileged': 'singleuser_privileged',
    'allow_privilege_escalation': 'allow_privilege_escalation',
    'cpu_limit': 'cpu_limit',
    'cpu_guarantee': 'cpu_guarantee',
    'mem_limit': 'mem_limit',
    'mem_guarantee': 'mem_guarantee',
    'extra_resource_limits': 'extra_resource_limits',
    'extra_resource_guarantees': 'extra_resource_guarantees',
    'automount_service_account_token': 'automount_service_account_token',
    'scheduler_name': 'scheduler_name',
    'priority_class_name': 'priority_class_name',
    'tolerations': 'tolerations',
    'node_affinity_preferred': 'node_affinity_preferred',
    'node_affinity_required': 'node_affinity_required',
    'pod_affinity_preferred': 'pod_affinity_preferred',
    'pod_affinity_required': 'pod_affinity_required',
    'pod_anti_affinity_preferred': 'pod_anti_affinity_preferred',
    'pod_anti_affinity_required': 'pod_anti_affinity_required',
}

# Those with strings that are templates, unless they have anything but fields in braces.
TEMPLATE_TRAITS = {
    'working_dir': 'singleuser_working_dir',
    'service_account': 'singleuser_service_account',
    'lifecycle_hooks': 'singleuser_lifecycle_hooks',
    'init_containers': 'singleuser_init_containers',
    'extra_containers': 'singleuser_extra_containers',
    'extra_container_config': 'singleuser_extra_container_config',
    'extra_pod_config': 'singleuser_extra_pod_config',
}
# Those that may be functions of the spawner.
CALLABLE_TRAITS = {
    'run_as_uid': 'singleuser_uid',
    'uid': 'uid',
    'gid': 'gid',
    'fs_gid': 'singleuser_fs_gid',
    'supplemental_gids': 'singleuser_supplemental_gids',
    'container_security_context': 'container_security_context',
    'pod_security_context': 'pod_security_context',
}

# Those that other arguments are made of, for pods and for claims: what to name when such an argument is wrong.
OF_A_POD = dict(PLAIN_TRAITS, **TEMPLATE_TRAITS, **CALLABLE_TRAITS, **{
    'env': 'environment',
    'volumes': 'volumes',
    'volume_mounts': 'volume_mounts',
    'labels': 'singleuser_extra_labels',
    'annotations': 'singleuser_extra_annotations',
})
OF_A_CLAIM = {
    'access_modes': 'user_storage_access_modes',
    'storage': 'user_storage_capacity',
    'labels': 'user_storage_extra_labels',
    'annotations': 'storage_extra_annotations',
    'selector': 'storage_selector',
}

# Environment variables whose values are what a user or a server is called.
CHOSEN_BY_USERS = frozenset(['JUPYTERHUB_USER', 'JUPYTERHUB_SERVER_NAME', 'JPY_USER'])


class Manifests(Related):
    """The part of KubeSpawner that creates manifests. `super()` is JupyterHub's Spawner."""

    # Where pods reach the hub

    @property
    def accessible_hub_api_url(self):
        """The URL at which pods reach the hub's API. It can be set."""
        return self._accessible_hub_api_url or self._hub_api_url_by_configuration()

    @accessible_hub_api_url.setter
    def accessible_hub_api_url(self, url):
        self._accessible_hub_api_url = url

    _accessible_hub_api_url = None

    def _hub_api_url_by_configuration(self):
        api_url = api_url_of(self.hub)
        url = urlparse(api_url)
        if self.hub_connect_ip or self.hub_connect_port != port_of(url):
            host = (self.hub_connect_ip or url.hostname).strip('[]')
            netloc = '%s:%d' % ('[%s]' % host if ':' in host else host, self.hub_connect_port)
            return url._replace(netloc=netloc).geturl()
        elsewhere = getattr(self, 'hub_connect_url', None)  # JupyterHub's own setting, since 1.4
        return elsewhere.rstrip('/') + url.path if elsewhere else api_url

    # What the pod and the claim look like

    def get_env(self):
        """Return the environment of the notebook container: the hub's, with URLs that pods can reach."""
        with self._escaping_names():
            env = super().get_env()
        environment, env_keep = self.environment, self.env_keep
        of_jupyterhub = [variable for variable, value in env.items() if is_of_jupyterhub(variable)
                         and not _is_configured(variable, value, environment, env_keep)]
        for variable, value in environment.items():
            plain = to_dict(value)
            if env.get(variable) is value and isinstance(plain, (str, dict)):  # not the hub's, nor a function's
                env[variable] = self._fill_variables(plain)
        for variable in ('JUPYTER_IMAGE_SPEC', 'JUPYTER_IMAGE'):
            env.setdefault(variable, self.singleuser_image_spec)
        # Not `hub.api_url`, for which JupyterHub looks up the name of its host each time.
        base, reachable = self.hub.base_url.rstrip('/') + '/api', self.accessible_hub_api_url.rstrip('/')
        for variable in {'JUPYTERHUB_API_URL', 'JUPYTERHUB_ACTIVITY_URL'} & set(env):
            configured = environment.get(variable)
            if configured is None or not (callable(configured) or env[variable] == configured):
                # What is before `base` is of JupyterHub's own `hub_connect_url`, which `reachable` has as well.
                env[variable] = reachable + urlparse(env[variable]).path.partition(base)[2]
        if self.legacy_singleuser_env:
            legacy = self._legacy_env()
            env.update(legacy)
            of_jupyterhub += filter(is_of_jupyterhub, legacy)
        self._of_jupyterhub = {variable: env[variable] for variable in of_jupyterhub}
        return env

    _of_jupyterhub = {}  # the variables that JupyterHub made when `get_env` was called last

    @contextmanager
    def _escaping_names(self):
        """Let JupyterHub fill names into its templates in such a way that Kubernetes does not expand them."""
        self._escapes_names = True
        try:
            yield
        finally:
            self._escapes_names = False

    _escapes_names = False

    def template_namespace(self):
        """Return the fields of JupyterHub's own templates, such as `notebook_dir`, by name."""
        fields = super().template_namespace()
        return naming.expand_all(fields, naming.without_variables) if self._escapes_names else fields

    def _legacy_env(self):
        server = self.server or self.user.server
        return {
            'JPY_USER': self.user.name,
            'JPY_COOKIE_NAME': server.cookie_name,
            'JPY_BASE_URL': server.base_url,
            'JPY_HUB_PREFIX': self.hub.base_url,
            'JPY_HUB_API_URL': self.accessible_hub_api_url,
        }

    def get_args(self):
        """Return the arguments after `cmd`: the hub's, with a URL that pods can reach."""
        with self._escaping_names():
            args = super().get_args()
        return [argument.replace(self.hub.api_url, self.accessible_hub_api_url)
                if argument.startswith('--hub-api-url') else argument for argument in args]

    def _maker(self, name):
        """Return the function of that name that makes an object, such as `make_pod`."""
        return getattr(objects, name)

    @gen.coroutine
    def get_pod_manifest(self):
        """Return a future of the V1Pod for this server, before `modify_pod_hook` sees it.

        Raises ValueError that names a trait with a wrong value.
        """
        ids, self._asked_for_pod = {}, None
        self._begin_pod()
        for argument, trait in CALLABLE_TRAITS.items():
            ids[argument] = getattr(self, trait)  # the function before may have set it
            if callable(ids[argument]):
                self._asked_for_pod = trait
                ids[argument] = yield self._result_of(trait, self)
        env = yield from self._resolved_env()
        pod = _made(
            self._maker('make_pod'),
            OF_A_POD,
            name=self.pod_name,
            cmd=self._command(),
            env=env,
            logger=self.log,
            volumes=self._expand_volumes(),
            volume_mounts=self._expand_volume_mounts(),
            labels=self._build_pod_labels(self._expand_labels('singleuser_extra_labels')),
            annotations=self._build_common_annotations(self._expand_trait('singleuser_extra_annotations')),
            restart_policy='OnFailure',
            **ids,
            **self._plain_arguments(),
            **{argument: self._fill_trait(trait) for argument, trait in TEMPLATE_TRAITS.items()},
            **self._certificates_of_pod()
        )
        self._hide_variables(pod)
        return pod

    def _plain_arguments(self):
        """Return the arguments of `make_pod` that are values of traits."""
        values = settings(self, PLAIN_TRAITS.values())
        return {argument: values[trait] for argument, trait in PLAIN_TRAITS.items()}

    def _resolved_env(self):
        """Return `get_env()`, escaped so that Kubernetes does not expand `$(VARIABLE)` in what a user chose.

        JupyterHub calls the functions in `environment`, but does not wait for coroutines. This is a generator of
        futures, not a coroutine, because usually there is nothing to wait for.
        """
        self._of_jupyterhub = {}
        try:
            env = self.get_env()
            if is_awaitable(env):
                env = yield env
        except Exception as e:  # some of it are functions that the operator wrote
            raise error_of_setting(self._failing_template() or 'environment or env_keep', e)
        late = OrderedDict((variable, value) for variable, value in env.items()
                           if type(value) is not str and is_awaitable(value))
        env = dict(env)
        try:
            while late:
                variable, value = late.popitem(last=False)
                self._asked_for_pod = 'environment[%r]' % variable
                try:
                    env[variable] = yield maybe_await(value)
                except Exception as e:
                    raise error_of_setting(self._asked_for_pod, e)
        finally:
            for value in late.values():  # nobody waits for it any more
                getattr(value, 'close', getattr(value, 'cancel', str))()
        names = set(env) & CHOSEN_BY_USERS - set(self.environment)
        names.update(variable for variable, value in self._of_jupyterhub.items() if env.get(variable) == value)
        hub_api_url = self.accessible_hub_api_url.rstrip('/')
        literal = {variable: str(env[variable]) for variable in names}
        literal.update({variable: as_literal(variable, value, hub_api_url)
                        for variable, value in literal.items() if '$' in value})  # mostly none
        return dict(env, **literal)

    def _command(self):
        """Return the command of the notebook container with its arguments, a list of str; None for the image's own."""
        if self.cmd is None:
            return None
        try:
            return self.cmd + at_once(self.get_args(), 'get_args')
        except ConfigurationError:
            raise
        except Exception as e:  # a subclass may return anything
            raise error_of_setting(self._failing_template() or 'get_args', e)

    def _failing_template(self):
        """Return which of the settings that JupyterHub expands in its own way cannot be expanded, or None."""
        for trait in ('notebook_dir', 'default_url'):
            try:
                self.format_string(getattr(self, trait) or '')
            except Exception:
                return trait
        return None

    _asked_for_pod = None  # the trait whose function `get_pod_manifest` called last

    @gen.coroutine
    def _result_of(self, trait, *args):
        """Return the result of a trait's function, after a wait if it is awaitable. Errors name the trait."""
        try:
            return (yield maybe_await(getattr(self, trait)(*args)))
        except Exception as e:
            raise error_of_setting(trait, e)

    @gen.coroutine
    def run_pre_spawn_hook(self):
        """Run JupyterHub's `pre_spawn_hook`. The oldest hubs do not wait for a native coroutine."""
        try:
            return (yield maybe_await(super().run_pre_spawn_hook()))
        except TypeError as e:
            explain_await(e)
            raise
        except TraitError as e:  # what the hook did to a setting
            raise ConfigurationError('KubeSpawner.pre_spawn_hook: %s' % e)

    @gen.coroutine
    def _run_hook(self, manifest):
        """Return the V1Pod that `modify_pod_hook` makes of `manifest`, with all that the hub needs to find it."""
        pod = manifest
        if getattr(self.get_pod_manifest, '__func__', None) is not Manifests.get_pod_manifest:
            _made(objects.settle, {'pod': 'get_pod_manifest'}, pod=pod)
            _made(objects.check_pod, {'pod': 'get_pod_manifest'}, pod=pod)
            self._hide_variables(pod)
        if self.modify_pod_hook is not None:
            pod = yield self._result_of('modify_pod_hook', self, manifest)
            _made(objects.settle, {'pod': 'modify_pod_hook'}, pod=pod)
            _made(objects.check_pod, {'pod': 'modify_pod_hook'}, pod=pod)
            objects.unmask(pod)
            self._hide_variables(pod)
        labels = self._selector_of_service() if self._has_service else self.pod_reflector.labels
        pod.metadata.labels = dict(pod.metadata.labels or {}, **labels)
        return pod

    def _new_claim(self):
        """Return the result of `get_pvc_manifest`, which a subclass may have made a coroutine. A generator."""
        claim = self.get_pvc_manifest()
        if is_awaitable(claim):
            claim = yield maybe_await(claim)
        if claim is None:
            raise ConfigurationError(
                'KubeSpawner.get_pvc_manifest returned None; it must return the claim to create, a '
                'V1PersistentVolumeClaim. To create none, set KubeSpawner.storage_pvc_ensure to False.')
        return claim

    def get_pvc_manifest(self):
        """Return the V1PersistentVolumeClaim for this server.

        Raises ValueError that names a trait with a wrong value.
        """
        if not self.user_storage_capacity:
            raise ValueError("KubeSpawner.user_storage_capacity: a claim is to be made, but of no size; set it, for "
                             "example to '10Gi'.")
        return _made(
            self._maker('make_pvc'),
            OF_A_CLAIM,
            name=self.pvc_name,
            storage_class=self.user_storage_class,
            without_class=self.user_storage_class == '',
            selector=self._expand_trait('storage_selector'),
            access_modes=self.user_storage_access_modes,
            storage=self.user_storage_capacity,
            labels=self._labels_of_claim(),
            annotations=self._build_common_annotations(self._expand_trait('storage_extra_annotations')),
        )

    def get_namespace_manifest(self):
        """Return the manifest of the user's namespace, a dict."""
        labels = self._build_common_labels(self._expand_labels('user_namespace_labels'))
        annotations = self._build_common_annotations(self._expand_trait('user_namespace_annotations'))
        of_the_user = {'labels': labels, 'annotations': annotations}
        for mapping in of_the_user.values():  # not of one server
            mapping.pop(SERVERNAME, None)
        return {'apiVersion': 'v1', 'kind': 'Namespace', 'metadata': dict(of_the_user, name=self.namespace)}


def _is_configured(variable, value, environment, env_keep):
    """Return whether the operator has set an environment variable, or lets the hub pass on its own."""
    if variable in environment:
        return callable(environment[variable]) or value is environment[variable]
    return variable in env_keep and value == os.environ.get(variable)


def _made(make, traits, **arguments):
    """Return make(**arguments). An error about an argument names the trait behind it; traits (dict): by argument."""
    try:
        return make(**arguments)
    except objects.ArgumentError as e:
        raise ValueError('KubeSpawner.%s%s' % (traits[e.argument], e.problem))


def error_of_setting(trait, error):
    """Return the error to raise for one in an operator's function: the same if it is meant for users."""
    if isinstance(error, web.HTTPError) or hasattr(error, 'jupyterhub_message'):
        return error
    explain_await(error)
    return ValueError('KubeSpawner.%s raised %s: %s' % (trait, type(error).__name__, error))
