"""From configuration to manifests: what a server's pod and claim are called and look like.

Here belongs what is put together of traits, templates, the user and the hub; how a pod looks in Kubernetes' terms is in
`objects`, and creating anything is not done here. Everything runs on the IOLoop's thread, and reads hub state.
"""
import inspect
from contextlib import contextmanager
from urllib.parse import urlparse

from tornado import gen, web
from tornado.concurrent import is_future
from traitlets import Unicode, default

from . import naming, objects
from .clients import to_dict
from .configuration import Configuration
from .configuration.cluster import hub_namespace, port_of

# The traits whose values are an argument of `make_pod`, by that argument.
GIVEN = {
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
FILLED = {
    'working_dir': 'singleuser_working_dir',
    'service_account': 'singleuser_service_account',
    'lifecycle_hooks': 'singleuser_lifecycle_hooks',
    'init_containers': 'singleuser_init_containers',
    'extra_containers': 'singleuser_extra_containers',
    'extra_container_config': 'singleuser_extra_container_config',
    'extra_pod_config': 'singleuser_extra_pod_config',
}
HOW_FILLED = {
    'singleuser_init_containers': '_fill_containers',
    'singleuser_extra_containers': '_fill_containers',
    'singleuser_extra_container_config': '_fill_container',
    'singleuser_extra_pod_config': '_fill_pod',
}

# Those that may be functions of the spawner.
ASKED = {
    'run_as_uid': 'singleuser_uid',
    'run_as_gid': 'gid',
    'fs_gid': 'singleuser_fs_gid',
    'supplemental_gids': 'singleuser_supplemental_gids',
    'container_security_context': 'container_security_context',
    'pod_security_context': 'pod_security_context',
}

# Those that other arguments are made of, for pods and for claims: what to name when such an argument is wrong.
OF_A_POD = dict(GIVEN, **FILLED, **ASKED, **{
    'env': 'environment',
    'volumes': 'volumes',
    'volume_mounts': 'volume_mounts',
    'labels': 'singleuser_extra_labels',
    'annotations': 'singleuser_extra_annotations',
})
OF_A_CLAIM = {
    'access_modes': 'user_storage_access_modes',
    'labels': 'user_storage_extra_labels',
    'annotations': 'storage_extra_annotations',
    'selector': 'storage_selector',
}

USERNAME, SERVERNAME = 'hub.jupyter.org/username', 'hub.jupyter.org/servername'  # labels and annotations

LATER_LABEL_LIMIT = 32  # characters of a user's label that is no valid one without a hash, in later spawners

# The fields of templates besides those that are made of names: functions of the spawner, None for another server's.
FIELDS = {'hubnamespace': lambda _: hub_namespace()}
OWN_FIELDS = dict(FIELDS, **{
    'pod_name': lambda spawner: spawner._name_in_template('pod_name'),
    'pvc_name': lambda spawner: spawner._name_in_template('pvc_name'),
    'namespace': lambda spawner: spawner._name_in_template('namespace'),
})

# The traits that are templates, as far as each start needs them, and those that only claims need.
TEMPLATES = ['pod_name_template', 'pod_connect_ip', 'volumes', 'volume_mounts', 'singleuser_extra_labels',
             'singleuser_extra_annotations']
TEMPLATES_OF_CLAIMS = ['pvc_name_template', 'user_storage_extra_labels', 'storage_extra_annotations']

# The keys of a container in which Kubernetes expands `$(VARIABLE)`, and those of a pod's spec that hold containers.
WITH_VARIABLES = frozenset(['command', 'args', 'env'])
WITH_CONTAINERS = frozenset(['containers', 'initContainers', 'init_containers'])

# Environment variables whose values are what a user or a server is called.
CHOSEN_BY_USERS = frozenset(['JUPYTERHUB_USER', 'JUPYTERHUB_SERVER_NAME', 'JPY_USER'])


class Manifests(Configuration):
    """The part of KubeSpawner that makes manifests. `super()` of its methods is JupyterHub's Spawner."""

    # Names

    pod_name = Unicode(help="""The name of this server's pod. Kept in the server's state.""")

    @default('pod_name')
    def _pod_name_from_template(self):
        return self._name_by_template('pod_name', 'pod_name_template')

    pvc_name = Unicode(help="""The name of this server's claim.""")

    @default('pvc_name')
    def _pvc_name_from_template(self):
        scheme = 'escape' if self.has_legacy_names and self.remember_pvc_name else None
        with self._expanding(scheme=scheme):
            return self._name_by_template('pvc_name', 'pvc_name_template')

    has_claim = False  # whether `pvc_name` is that of a claim that this server is known to have
    has_legacy_names = False  # whether the server is from before `slug_scheme` was set, and its claim may be, too

    @property
    def dns_name(self):
        """The name of this server's pod in the cluster's DNS, by `dns_name_template`."""
        return self._expand_user_properties(self.dns_name_template.replace('{name}', '{pod_name}'))

    def _name_by_template(self, name, trait):
        """Return what the attribute `name` is by the template that is the value of a trait."""
        self._being_made = self._being_made + (name,)
        try:
            return naming.object_name(self._expand_trait(trait))
        finally:
            self._being_made = self._being_made[:-1]

    _being_made = ()

    def _name_in_template(self, name):
        if name in self._being_made:
            raise ValueError('cannot have the field {%s}, which is made of it.' % name)
        return getattr(self, name)

    def _claim_name_of(self, servername):
        """Return what the claim of another server of this user is called now; None if only a subclass knows."""
        try:
            return naming.object_name(naming.expand(self.pvc_name_template, self._template_fields(servername)))
        except ValueError:
            return None

    def _user_namespace(self):
        """Return what the user's namespace is called now."""
        return self._name_by_template('namespace', 'user_namespace_template')

    _checked = None  # the configuration whose templates were looked at last

    def _check_templates(self):
        """Raise ValueError that names the trait if a configured template cannot be expanded: once, at the hub's start.

        What a subclass makes of templates may not be known yet; that is told at each start of a server.
        """
        is_own = type(self)._expand_user_properties is Manifests._expand_user_properties
        if self.config is Manifests._checked or not self.config or self.user is None or not is_own:
            return
        Manifests._checked = self.config
        for trait in TEMPLATES + TEMPLATES_OF_CLAIMS * self.user_storage_pvc_ensure:
            self._expand_trait(trait)

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
        return naming.expand(template, self._template_fields(self.name))

    def _template_fields(self, servername):
        """Return what templates may use that are about one of this user's servers. This server's is kept."""
        user, scheme = self.user, self._scheme or self.slug_scheme
        if servername != self.name:
            return naming.template_fields(user.name, getattr(user, 'id', None), servername, scheme, others=FIELDS)
        key = (user.name, servername, scheme, self._literal)
        if self._kept_fields is None or self._kept_fields[0] != key:
            self._kept_fields = key, naming.template_fields(
                user.name, getattr(user, 'id', None), servername, scheme, self._literal, OWN_FIELDS, self)
        return self._kept_fields[1]

    _kept_fields, _scheme, _literal = None, None, str

    @contextmanager
    def _expanding(self, **ways):
        """Have templates expanded with another `scheme`, or with what `literal` makes of names that are not escaped."""
        before = {way: getattr(self, '_' + way) for way in ways}
        try:
            for way in ways:
                setattr(self, '_' + way, ways[way])
            yield
        finally:
            for way in ways:
                setattr(self, '_' + way, before[way])

    def _expand_all(self, value):
        """Return `value` with the fields of all strings in it replaced, through lists and dicts."""
        return naming.expand_all(to_dict(value), self._expand_user_properties)

    def _expand_trait(self, trait):
        """Return the value of a trait with its templates expanded. Raises ValueError that names the trait."""
        try:
            return self._expand_all(getattr(self, trait))
        except ValueError as e:
            raise ValueError('KubeSpawner.%s: %s' % (trait, e))
        except RecursionError:
            raise ValueError('KubeSpawner.%s: is nested too deeply. Does it contain itself?' % trait)

    def _fill_trait(self, trait):
        """Return the value of a trait with its strings expanded that are templates, see `naming.fill`."""
        value = getattr(self, trait)
        try:
            return getattr(self, HOW_FILLED.get(trait, '_fill'))(to_dict(value)) if value else value
        except ValueError as e:
            raise ValueError('KubeSpawner.%s: %s' % (trait, e))
        except RecursionError:  # what is wrong there is told by who makes the pod
            return value

    def _fill(self, value):
        return naming.expand_all(value, lambda text: naming.fill(text, self._expand_user_properties))

    def _fill_variables(self, value):
        """Return `value` filled, as Kubernetes has to get it where it expands `$(VARIABLE)`: not in names."""
        with self._expanding(literal=naming.without_variables):
            return self._fill(value)

    def _fill_container(self, container):
        return _each(container, lambda key, value: (
            self._fill_variables if key in WITH_VARIABLES else self._fill)(value))

    def _fill_containers(self, containers):
        return _each(containers, lambda _, container: self._fill_container(container))

    def _fill_pod(self, spec):
        return _each(spec, lambda key, value: (
            self._fill_containers if key in WITH_CONTAINERS else self._fill)(value))

    def _expand_labels(self, trait):
        """Return the labels of a trait expanded; values that a user's name made are made valid."""
        configured = getattr(self, trait)
        return {label: naming.label_value(value) if isinstance(value, str) and value != configured[label] else value
                for label, value in self._expand_trait(trait).items()}

    def _expand_volumes(self):
        """Return the volumes expanded. A claim's name is made valid as `pvc_name` is, or a long one would differ.

        What is called as the template says is the claim that the server has, which may have another name.
        """
        volumes = self._expand_trait('volumes')
        other_names = {}
        if self.has_claim or self.has_legacy_names:
            other_names[naming.object_name(self._expand_trait('pvc_name_template'))] = self.pvc_name
        for volume, template in zip(_items(volumes), _items(to_dict(self.volumes))):
            name, configured = _claim_name(volume), _claim_name(template)
            if isinstance(name, str) and name not in (configured, self.pvc_name):
                name = naming.object_name(name)
                volume['persistentVolumeClaim']['claimName'] = other_names.get(name, name)
        return volumes

    def _build_common_labels(self, extra_labels):
        """Return the labels of pods and claims alike: whose they are, after `extra_labels`."""
        labels = dict(self.common_labels)
        labels.update(extra_labels)
        labels.update({key: naming.label_value(naming.escape(value)) for key, value in self._identity().items()})
        return labels

    def _build_pod_labels(self, extra_labels):
        """Return the labels of a pod. What the reflector selects on comes last, so that nothing hides a pod from it."""
        labels = dict.fromkeys(['component', 'app.kubernetes.io/component'], self.component_label)
        labels.update(extra_labels)
        labels = self._build_common_labels(labels)
        labels.update(self.pod_reflector.labels)
        return labels

    def _build_common_annotations(self, extra_annotations):
        """Return the annotations of pods and claims alike: whose they are, after `extra_annotations`."""
        return dict(extra_annotations, **self._identity())

    def _identity(self):
        """Return what says whose an object is, by the name of the label and annotation that says it."""
        identity = {USERNAME: self.user.name}
        if self.name:
            identity[SERVERNAME] = self.name
        return identity

    def get_env(self):
        """Return the environment of the notebook container: the hub's, with URLs that pods can reach."""
        env = super().get_env()
        for variable, value in self.environment.items():
            plain = to_dict(value)
            if env.get(variable) is value and isinstance(plain, (str, dict)):  # not the hub's, nor a function's
                env[variable] = self._fill_variables(plain)
        for variable in ('JUPYTER_IMAGE_SPEC', 'JUPYTER_IMAGE'):
            env.setdefault(variable, self.singleuser_image_spec)
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
        """Return the V1Pod to create for this server, before `modify_pod_hook` sees it.

        Raises ValueError that names the trait of which no pod can be made.
        """
        ids, self.last_asked = {}, None
        for argument, trait in ASKED.items():
            value = getattr(self, trait)
            ids[argument] = (yield self._result_of(trait, self)) if callable(value) else value
        return _made(
            objects.make_pod,
            OF_A_POD,
            name=self.pod_name,
            cmd=None if self.cmd is None else self.cmd + self.get_args(),
            env=self._get_env(),
            volumes=self._expand_volumes(),
            volume_mounts=self._expand_trait('volume_mounts'),
            labels=self._build_pod_labels(self._expand_labels('singleuser_extra_labels')),
            annotations=self._build_common_annotations(self._expand_trait('singleuser_extra_annotations')),
            restart_policy='OnFailure',
            **ids,
            **{argument: getattr(self, trait) for argument, trait in GIVEN.items()},
            **{argument: self._fill_trait(trait) for argument, trait in FILLED.items()}
        )

    def _get_env(self):
        """Return `get_env()` as Kubernetes has to get it, which expands `$(VARIABLE)`: not in what a user chose."""
        try:
            env = self.get_env()
        except Exception as e:  # some of it are functions that the operator wrote
            raise _blaming('environment or env_keep', e)
        literal = {variable: naming.without_variables(str(env[variable]))
                   for variable in CHOSEN_BY_USERS & set(env) - set(self.environment)}
        return dict(env, **literal)

    last_asked = None  # the trait that is the function of the operator's that was called last for a manifest

    @gen.coroutine
    def _result_of(self, trait, *args):
        """Return what the function that is a trait's value returns, or what comes of it. Errors name the trait."""
        self.last_asked = trait
        try:
            return (yield awaited(getattr(self, trait)(*args)))
        except Exception as e:
            raise _blaming(trait, e)

    @gen.coroutine
    def _run_hook(self, manifest):
        """Return the V1Pod to create: what `modify_pod_hook` makes of `manifest`, still one that the hub can find."""
        if self.modify_pod_hook is None:
            return manifest
        pod = yield self._result_of('modify_pod_hook', self, manifest)
        _made(objects.check_pod, {'pod': 'modify_pod_hook'}, pod=pod)
        pod.metadata.labels = dict(pod.metadata.labels or {}, **self.pod_reflector.labels)
        return pod

    def get_pvc_manifest(self):
        """Return the V1PersistentVolumeClaim to create for this server.

        Raises ValueError that names the trait of which no claim can be made.
        """
        if not self.user_storage_capacity:
            raise ValueError('KubeSpawner.user_storage_capacity: a claim is to be made (user_storage_pvc_ensure), '
                             "but of no size; set it, for example to '10Gi'.")
        return _made(
            objects.make_pvc,
            OF_A_CLAIM,
            name=self.pvc_name,
            storage_class=self.user_storage_class,
            without_class=self.user_storage_class == '',
            selector=self._expand_trait('storage_selector'),
            access_modes=self.user_storage_access_modes,
            storage=self.user_storage_capacity,
            labels=self._build_common_labels(self._expand_labels('user_storage_extra_labels')),
            annotations=self._build_common_annotations(self._expand_trait('storage_extra_annotations')),
        )

    def get_namespace_manifest(self):
        """Return the user's namespace as it is to be created, a dict."""
        labels = self._build_common_labels(self._expand_labels('user_namespace_labels'))
        annotations = self._build_common_annotations(self._expand_trait('user_namespace_annotations'))
        of_the_user = {'labels': labels, 'annotations': annotations}
        for mapping in of_the_user.values():  # not of one server
            mapping.pop(SERVERNAME, None)
        return {'apiVersion': 'v1', 'kind': 'Namespace', 'metadata': dict(of_the_user, name=self.namespace)}

    # Which claim is whose

    def _is_our_claim(self, claim):
        """True if a claim (a dict) says that it belongs to this user and server, and is to stay."""
        return owner_of(claim) == (self.user.name, self.name) and not claim['metadata'].get('deletionTimestamp')

    def _claim_selectors(self):
        """Return label selectors of the claims that may be this server's: of those with a label of this user's, here or
        in later spawners, and of those from before there was one. Other hubs may have other `common_labels`.
        """
        labels = self._build_common_labels(self._expand_labels('user_storage_extra_labels'))
        common = ['%s=%s' % (key, labels[key]) for key in ('heritage', 'app') if key in labels]
        name = self.user.name
        values = {labels[USERNAME], naming.label_value(name), naming.safe_slug(name, LATER_LABEL_LIMIT)}
        return [','.join(common + [who]) for who in (
            '%s in (%s)' % (USERNAME, ','.join(sorted(values))), '!' + USERNAME)]

    def _why_claim_is_kept(self, claim):
        """Return why a claim is not to be deleted when this server is; None if it is."""
        (username, servername), name = owner_of(claim), claim['metadata']['name']
        if username != self.user.name:
            return 'by its annotations it is not one of user %s' % self.user.name
        if servername != self.name and (self.name or self._claim_name_of(servername) != name):
            return 'by its annotations it is that of the server %r' % servername
        if self.name and (self._claim_name_of('') in (None, name) or name in self._claims_of_other_servers()):
            return 'other servers of the user have it, too'
        return None

    def _claims_of_other_servers(self):
        """Return the names of the claims that the hub remembers of the user's other servers."""
        servers = getattr(self.user, 'orm_spawners', {})
        return {(server.state or {}).get('pvc_name') for name, server in servers.items() if name != self.name}


def owner_of(resource):
    """Return whose a pod or claim is by its annotations: the names of a user, None if it does not say, and of a server.
    """
    annotations = resource['metadata'].get('annotations') or {}
    return annotations.get(USERNAME), annotations.get(SERVERNAME, '')


def _made(make, traits, **arguments):
    """Return make(**arguments). What it says about an argument is said about the trait behind it: `traits`, a dict."""
    try:
        return make(**arguments)
    except objects.ArgumentError as e:
        raise ValueError('KubeSpawner.%s%s' % (traits[e.argument], e.problem))


def _blaming(trait, error):
    """Return what to raise for an error in a function that is a trait's value: the same if it is meant for users."""
    if isinstance(error, web.HTTPError) or hasattr(error, 'jupyterhub_message'):
        return error
    return ValueError('KubeSpawner.%s raised %s: %s' % (trait, type(error).__name__, error))


def _items(objects_):
    """Return what is in a list or dict of objects."""
    return objects_.values() if isinstance(objects_, dict) else objects_


def _each(value, function):
    """Return a dict or list with function(key, item) for each item; anything else as it is."""
    if isinstance(value, dict):
        return {key: function(key, item) for key, item in value.items()}
    return [function(number, item) for number, item in enumerate(value)] if isinstance(value, list) else value


def _claim_name(volume):
    """Return the name of the claim that a volume is; None for other volumes."""
    claim = volume.get('persistentVolumeClaim') if isinstance(volume, dict) else None
    return claim.get('claimName') if isinstance(claim, dict) else None


@gen.coroutine
def awaited(value):
    """Return `value`, or what comes of it if it is a future or a coroutine of any kind."""
    if is_future(value) or inspect.isawaitable(value):
        value = yield value
    return value
