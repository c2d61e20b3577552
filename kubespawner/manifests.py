"""From configuration to manifests: what a server's pod and claim are called and look like.

Here belongs what is put together of traits, templates, the user and the hub; how a pod looks in Kubernetes' terms is in
`objects`, and creating anything is not done here. Everything runs on the IOLoop's thread, and reads hub state.
"""
import inspect
from urllib.parse import urlparse

from tornado import gen
from tornado.concurrent import is_future
from traitlets import Unicode, default

from . import naming, objects
from .configuration import Configuration, port_of


class Manifests(Configuration):
    """The part of KubeSpawner that makes manifests. `super()` of its methods is JupyterHub's Spawner."""

    # Names

    pod_name = Unicode(help="""The name of this server's pod. Kept in the server's state.""")

    @default('pod_name')
    def _pod_name_from_template(self):
        return naming.object_name(self._expand_trait('pod_name_template'))

    pvc_name = Unicode(help="""The name of this server's claim.""")

    @default('pvc_name')
    def _pvc_name_from_template(self):
        return naming.object_name(self._expand_trait('pvc_name_template'))

    # Where pods reach the hub

    @property
    def accessible_hub_api_url(self):
        """The URL of the hub's API as pods reach it; may be set, too."""
        return self._accessible_hub_api_url or self._hub_api_url_by_configuration()

    @accessible_hub_api_url.setter
    def accessible_hub_api_url(self, url):
        self._accessible_hub_api_url = url

    _accessible_hub_api_url = None

    def _hub_api_url_by_configuration(self):
        api_url = self.hub.api_url
        url = urlparse(api_url)
        if self.hub_connect_ip or self.hub_connect_port != port_of(url):
            host = (self.hub_connect_ip or url.hostname).strip('[]')
            netloc = '%s:%d' % ('[%s]' % host if ':' in host else host, self.hub_connect_port)
            return url._replace(netloc=netloc).geturl()
        elsewhere = getattr(self, 'hub_connect_url', None)  # JupyterHub's own setting, since 1.4
        return elsewhere.rstrip('/') + url.path if elsewhere else api_url

    # What the pod and the claim look like

    def _expand_user_properties(self, template):
        """Return the string `template` with its fields replaced, see `pod_name_template`."""
        fields = naming.template_fields(self.user.name, getattr(self.user, 'id', None), self.name)
        return naming.expand(template, fields)

    def _expand_all(self, value):
        """Return `value` with the fields of all strings in it replaced, through lists and dicts."""
        return naming.expand_all(value, self._expand_user_properties)

    def _expand_trait(self, trait):
        """Return the value of a trait with its templates expanded. Raises ValueError that names the trait."""
        try:
            return self._expand_all(getattr(self, trait))
        except ValueError as e:
            raise ValueError('KubeSpawner.%s: %s' % (trait, e))

    def _expand_labels(self, trait):
        """Return the labels of a trait expanded; values that a user's name made are made valid."""
        configured = getattr(self, trait)
        return {label: value if value == configured[label] else naming.label_value(value)
                for label, value in self._expand_trait(trait).items()}

    def _expand_volumes(self):
        """Return the volumes expanded. A claim's name is made valid as `pvc_name` is, or a long one would differ."""
        volumes = self._expand_trait('volumes')
        for volume, template in zip(volumes, self.volumes):
            claim = volume.get('persistentVolumeClaim')
            if claim and claim != template['persistentVolumeClaim']:
                claim['claimName'] = naming.object_name(claim['claimName'])
        return volumes

    def _build_common_labels(self, extra_labels):
        """Return the labels of pods and claims alike: whose they are, after `extra_labels`."""
        labels = {'heritage': 'jupyterhub', 'app': 'jupyterhub'}
        labels.update(extra_labels)
        labels.update({key: naming.label_value(naming.escape(value)) for key, value in self._identity().items()})
        return labels

    def _build_pod_labels(self, extra_labels):
        """Return the labels of a pod. What the reflector selects on comes last, so that nothing hides a pod from it."""
        labels = self._build_common_labels(dict({'component': 'singleuser-server'}, **extra_labels))
        labels.update(self.pod_reflector.labels)
        return labels

    def _build_common_annotations(self, extra_annotations):
        """Return the annotations of pods and claims alike: whose they are, after `extra_annotations`."""
        return dict(extra_annotations, **self._identity())

    def _identity(self):
        """Return what says whose an object is, by the name of the label and annotation that says it."""
        identity = {'hub.jupyter.org/username': self.user.name}
        if self.name:
            identity['hub.jupyter.org/servername'] = self.name
        return identity

    def get_env(self):
        """Return the environment of the notebook container: the hub's, with URLs that pods can reach."""
        env = super().get_env()
        # Not `hub.api_url`, for which JupyterHub looks up the name of its host each time.
        base, reachable = self.hub.base_url.rstrip('/') + '/api', self.accessible_hub_api_url.rstrip('/')
        for variable in {'JUPYTERHUB_API_URL', 'JUPYTERHUB_ACTIVITY_URL'} & set(env):
            env[variable] = reachable + urlparse(env[variable]).path[len(base):]
        if self.legacy_singleuser_env:
            env.update(self._legacy_env())
        return env

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
        return [argument.replace(self.hub.api_url, self.accessible_hub_api_url)
                if argument.startswith('--hub-api-url') else argument for argument in super().get_args()]

    @gen.coroutine
    def get_pod_manifest(self):
        """Return the V1Pod to create for this server, before `modify_pod_hook` sees it."""
        ids = {}
        for trait in ('singleuser_uid', 'singleuser_fs_gid', 'singleuser_supplemental_gids'):
            value = getattr(self, trait)
            ids[trait] = (yield awaited(value(self))) if callable(value) else value
        return objects.make_pod(
            name=self.pod_name,
            cmd=None if self.cmd is None else self.cmd + self.get_args(),
            port=self.port,
            image_spec=self.singleuser_image_spec,
            image_pull_policy=self.singleuser_image_pull_policy,
            image_pull_secret=self.singleuser_image_pull_secrets,
            node_selector=self.singleuser_node_selector,
            run_as_uid=ids['singleuser_uid'],
            fs_gid=ids['singleuser_fs_gid'],
            supplemental_gids=ids['singleuser_supplemental_gids'],
            run_privileged=self.singleuser_privileged,
            env=self.get_env(),
            working_dir=self.singleuser_working_dir,
            volumes=self._expand_volumes(),
            volume_mounts=self._expand_trait('volume_mounts'),
            labels=self._build_pod_labels(self._expand_labels('singleuser_extra_labels')),
            annotations=self._build_common_annotations(self._expand_trait('singleuser_extra_annotations')),
            cpu_limit=self.cpu_limit,
            cpu_guarantee=self.cpu_guarantee,
            mem_limit=self.mem_limit,
            mem_guarantee=self.mem_guarantee,
            extra_resource_limits=self.extra_resource_limits,
            extra_resource_guarantees=self.extra_resource_guarantees,
            lifecycle_hooks=self.singleuser_lifecycle_hooks,
            init_containers=self.singleuser_init_containers,
            service_account=self.singleuser_service_account,
            extra_container_config=self.singleuser_extra_container_config,
            extra_pod_config=self.singleuser_extra_pod_config,
            extra_containers=self.singleuser_extra_containers,
            restart_policy='OnFailure',
        )

    def get_pvc_manifest(self):
        """Return the V1PersistentVolumeClaim to create for this server. Raises ValueError without a capacity."""
        if not self.user_storage_capacity:
            raise ValueError('KubeSpawner.user_storage_capacity: a claim is to be made (user_storage_pvc_ensure), '
                             "but of no size; set it, for example to '10Gi'.")
        return objects.make_pvc(
            name=self.pvc_name,
            storage_class=self.user_storage_class,
            access_modes=self.user_storage_access_modes,
            storage=self.user_storage_capacity,
            labels=self._build_common_labels(self._expand_labels('user_storage_extra_labels')),
            annotations=self._build_common_annotations({}),
        )


@gen.coroutine
def awaited(value):
    """Return `value`, or what comes of it if it is a future or a coroutine of any kind."""
    if is_future(value) or inspect.isawaitable(value):
        value = yield value
    return value
