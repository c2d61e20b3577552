"""KubeSpawner: what an operator can configure, then the verbs start, poll and stop. Lifecycle only.

How things are called is in `naming`, what a pod looks like in `objects`, what its status means in `podstatus`, how the
API is talked to in `api`, and how its changes arrive in `reflector`.

Everything here runs on the IOLoop's thread. Hub state (user, server, database) is read here only; blocking calls get
plain values and run on an executor thread, through `asynchronize`.
"""
import asyncio
import inspect
import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import urlparse

from jupyterhub.spawner import Spawner
from jupyterhub.traitlets import ByteSpecification, Command
from jupyterhub.utils import exponential_backoff
from tornado import gen
from tornado.concurrent import is_future, run_on_executor
from tornado.ioloop import IOLoop
from traitlets import Any, Bool, Dict, Float, Integer, List, Unicode, Union, default, validate

from . import api, naming, objects, podstatus
from .clients import shared_client, to_dict
from .reflector import NamespacedResourceReflector
from .traitlets import Callable

NAMESPACE_FILE = os.path.join(objects.SERVICE_ACCOUNT_DIRECTORY, 'namespace')
CREATE_TRIES = 4  # of a pod whose name is taken
STOP_GRACE = 1  # seconds between TERM and KILL
ASK_AFTER = 10  # seconds of silence about a pod after which it is asked for directly
START_MARGIN = 0.05  # of start_timeout: we give up before JupyterHub does, because we know what was waited for

TIMEOUTS = (gen.TimeoutError, asyncio.TimeoutError, TimeoutError)  # what exponential_backoff raises here and there


class SpawnError(Exception):
    """A server that cannot be started or stopped, in words that JupyterHub shows to the user."""

    @property
    def jupyterhub_message(self):
        return str(self)


class PodReflector(NamespacedResourceReflector):
    """Keeps the notebook servers' pods of one namespace up to date."""

    kind = Unicode('pod')

    labels = Dict({'heritage': 'jupyterhub', 'component': 'singleuser-server'})

    list_method_name = Unicode('list_namespaced_pod')

    @default('fields')
    def _what_is_read(self):
        return ['metadata', 'status', 'spec.nodeName', 'spec.restartPolicy']

    @property
    def pods(self):
        """The pods by name."""
        return self.resources


class KubeSpawner(Spawner):
    """Spawns each server of each user as a pod in Kubernetes."""

    # Shared by all spawners, made by the first
    executor = None
    pod_reflector = None

    # The hub's side

    k8s_api_threadpool_workers = Integer(
        5 * multiprocessing.cpu_count(),
        config=True,
        help="""
        How many threads make requests to the Kubernetes API, for all spawners together.

        Read once, by the first spawner of the hub's process.
        """
    )

    namespace = Unicode(
        config=True,
        help="""
        The Kubernetes namespace that pods and claims are made in.

        Unless set it is the hub's own namespace when the hub runs in a pod, otherwise `default`.
        """
    )

    @default('namespace')
    def _namespace_default(self):
        try:
            with open(NAMESPACE_FILE) as f:
                return f.read().strip()
        except FileNotFoundError:
            return 'default'

    hub_connect_ip = Unicode(
        None,
        allow_none=True,
        config=True,
        help="""
        The address or host name at which pods reach the hub's API.

        None leaves it to the address that the hub says it listens on. Pods use whichever it is, by the environment
        variables JUPYTERHUB_API_URL and JUPYTERHUB_ACTIVITY_URL, or by `--hub-api-url` on hubs that pass that.
        """
    )

    hub_connect_port = Integer(
        config=True,
        help="""
        The port at which pods reach the hub's API. Unless set it is the one that the hub listens on.
        """
    )

    @default('hub_connect_port')
    def _hub_connect_port_default(self):
        url = urlparse(self.hub.api_url)
        return url.port or (443 if url.scheme == 'https' else 80)

    @property
    def accessible_hub_api_url(self):
        """The URL of the hub's API as pods reach it; may be set, too."""
        return self._accessible_hub_api_url or self._hub_api_url_by_configuration()

    @accessible_hub_api_url.setter
    def accessible_hub_api_url(self, url):
        self._accessible_hub_api_url = url

    _accessible_hub_api_url = None

    def _hub_api_url_by_configuration(self):
        url = urlparse(self.hub.api_url)
        if self.hub_connect_ip or self.hub_connect_port != self._hub_connect_port_default():
            host = (self.hub_connect_ip or url.hostname).strip('[]')
            netloc = '%s:%d' % ('[%s]' % host if ':' in host else host, self.hub_connect_port)
            return url._replace(netloc=netloc).geturl()
        elsewhere = getattr(self, 'hub_connect_url', None)  # JupyterHub's own setting, since 1.4
        return elsewhere.rstrip('/') + url.path if elsewhere else self.hub.api_url

    api = Any(help="""The CoreV1Api of the `kubernetes` client that all spawners share.""")

    @default('api')
    def _api_default(self):
        return shared_client('CoreV1Api')

    # The server

    ip = Unicode(
        '0.0.0.0',
        config=True,
        help="""
        The address that the notebook server listens on, inside its pod. `0.0.0.0` is all of the pod's addresses.
        """
    )

    port = Integer(
        8888,
        config=True,
        help="""
        The port that the notebook server listens on, inside its pod. 0 means 8888: a pod shares its ports with nobody.
        """
    )

    @validate('port')
    def _port_is_never_zero(self, proposal):
        return proposal['value'] or 8888

    cmd = Command(
        None,
        allow_none=True,
        minlen=0,
        config=True,
        help="""
        The command that starts the notebook server, a string or a list of strings.

        None runs the command of the image, without arguments. Otherwise this and the server's arguments
        (`Spawner.args` and what the hub adds to them) become the `args` of the container: the image's entrypoint, if
        it has one, runs them.
        """
    )

    env_keep = List(
        [],
        config=True,
        help="""
        Variables of the hub's own environment that the notebook server gets as well. None of them, unless set:
        they say things about the hub's container.
        """
    )

    legacy_singleuser_env = Bool(
        False,
        config=True,
        help="""
        Also set the environment variables that images from before JupyterHub 0.8 read: JPY_USER, JPY_COOKIE_NAME,
        JPY_BASE_URL, JPY_HUB_PREFIX and JPY_HUB_API_URL.
        """
    )

    singleuser_working_dir = Unicode(
        None,
        allow_none=True,
        config=True,
        help="""
        The directory that the notebook container starts in. None is the one that the image says.
        """
    )

    # The pod

    pod_name_template = Unicode(
        'jupyter-{username}{servername}',
        config=True,
        help="""
        What a server's pod is called.

        `{username}` is the user's name in `[a-z0-9]`, other characters as `-` and their bytes in hexadecimal.
        `{servername}` is empty for the default server, otherwise `--` and the server's name, written likewise.
        `{userid}` is JupyterHub's number of the user. `{legacy_escape_username}` has `-` for other characters, so
        that different users can get the same one.

        What does not make a DNS label of at most 63 characters is cut, and ends in a hash.
        """
    )

    singleuser_image_spec = Unicode(
        'jupyterhub/singleuser:latest',
        config=True,
        help="""
        The image of the notebook container.

        It should hold the same version of JupyterHub as the hub has.
        """
    )

    singleuser_image_pull_policy = Unicode(
        'IfNotPresent',
        config=True,
        help="""
        When the node pulls the image: `Always`, `IfNotPresent` or `Never`.

        With a tag that moves, such as `latest`, only `Always` gives every user what it points to today.
        """
    )

    singleuser_image_pull_secrets = Unicode(
        None,
        allow_none=True,
        config=True,
        help="""
        The name of the secret (of type `kubernetes.io/dockerconfigjson`) to pull the image with, if it needs one.
        """
    )

    singleuser_extra_labels = Dict(
        {},
        config=True,
        help="""
        Further labels of the pod, by name. Values are templates, see `pod_name_template`.

        The labels by which the hub finds its pods cannot be changed.
        """
    )

    singleuser_extra_annotations = Dict(
        {},
        config=True,
        help="""
        Further annotations of the pod, by name. Values are templates, see `pod_name_template`.
        """
    )

    singleuser_node_selector = Dict(
        {},
        config=True,
        help="""
        Labels that a node must have for the pod to run there, for example::

            c.KubeSpawner.singleuser_node_selector = {'disktype': 'ssd'}
        """
    )

    singleuser_service_account = Unicode(
        None,
        allow_none=True,
        config=True,
        help="""
        The Kubernetes service account whose token the pod gets.

        None gives users no token: an empty directory is mounted where it would be.
        """
    )

    singleuser_uid = Union(
        [Integer(), Callable()],
        default_value=None,
        allow_none=True,
        config=True,
        help="""
        The user id that the pod's processes run with: a number, or a function of the spawner that returns one, or
        that returns a future of one. None is the one that the image says.
        """
    )

    singleuser_fs_gid = Union(
        [Integer(), Callable()],
        default_value=None,
        allow_none=True,
        config=True,
        help="""
        The group id that owns the pod's volumes, where the kind of volume allows: a number, or a function as for
        `singleuser_uid`. None leaves volumes as they are.
        """
    )

    singleuser_supplemental_gids = Union(
        [List(), Callable()],
        default_value=None,
        allow_none=True,
        config=True,
        help="""
        Further group ids of the pod's processes: a list of numbers, or a function as for `singleuser_uid`.
        """
    )

    singleuser_privileged = Bool(
        False,
        config=True,
        help="""
        Give the notebook container all rights on its node. Whoever runs code in it then owns the node.
        """
    )

    singleuser_lifecycle_hooks = Dict(
        {},
        config=True,
        help="""
        What to run in the notebook container just after its start (`postStart`) and just before its end (`preStop`):
        a Kubernetes Lifecycle object, for example::

            c.KubeSpawner.singleuser_lifecycle_hooks = {
                'postStart': {'exec': {'command': ['touch', 'started']}}
            }
        """
    )

    singleuser_init_containers = List(
        [],
        config=True,
        help="""
        Kubernetes Container objects that run one after the other before the notebook container starts.
        """
    )

    singleuser_extra_containers = List(
        [],
        config=True,
        help="""
        Kubernetes Container objects that run beside the notebook container.

        The server counts as running when all of them are ready.
        """
    )

    singleuser_extra_container_config = Dict(
        {},
        config=True,
        help="""
        Fields of the notebook container that no trait stands for, named as in the Kubernetes API (`envFrom`) or as in
        the Python client (`env_from`). They replace what is there otherwise. An unknown field is an error::

            c.KubeSpawner.singleuser_extra_container_config = {
                'envFrom': [
                    {'configMapRef': {'name': 'special-config'}}
                ]
            }
        """
    )

    singleuser_extra_pod_config = Dict(
        {},
        config=True,
        help="""
        Fields of the pod's `spec` that no trait stands for, as for `singleuser_extra_container_config`, for example::

            c.KubeSpawner.singleuser_extra_pod_config = {
                'tolerations': [
                    {'key': 'notebooks', 'operator': 'Exists'}
                ]
            }
        """
    )

    cpu_limit = Float(
        None,
        allow_none=True,
        config=True,
        help="""
        How many cores the notebook container may use at most, such as 0.5 or 2. It is slowed down there.
        """
    )

    cpu_guarantee = Float(
        None,
        allow_none=True,
        config=True,
        help="""
        How many cores the notebook container is guaranteed. A node takes only as many pods as it has cores for.
        """
    )

    mem_limit = ByteSpecification(
        None,
        allow_none=True,
        config=True,
        help="""
        How much memory the notebook container may use at most: bytes, or with a suffix K, M, G or T. A process that
        asks for more is killed.
        """
    )

    mem_guarantee = ByteSpecification(
        None,
        allow_none=True,
        config=True,
        help="""
        How much memory the notebook container is guaranteed, as for `mem_limit`. A node takes only as many pods as it
        has memory for.
        """
    )

    extra_resource_guarantees = Dict(
        {},
        config=True,
        help="""
        Resources besides CPU and memory that the notebook container is guaranteed, as for `extra_resource_limits`.
        """
    )

    extra_resource_limits = Dict(
        {},
        config=True,
        help="""
        Resources besides CPU and memory that the notebook container may use at most, by name, for example::

            c.KubeSpawner.extra_resource_limits = {'nvidia.com/gpu': '1'}
        """
    )

    modify_pod_hook = Callable(
        None,
        allow_none=True,
        config=True,
        help="""
        A function, called with the spawner and the pod (a `V1Pod` of the `kubernetes` client) before it is created.

        What it returns is created; it may be a coroutine. Volumes and other things that are configured as raw
        Kubernetes objects are such dicts in the pod.
        """
    )

    delete_stopped_pods = Bool(
        True,
        config=True,
        help="""
        Delete a pod whose server ended by itself, when the hub notices.

        False keeps it, so that its logs and status can be read, until the user starts a server again.
        """
    )

    # Storage

    volumes = List(
        [],
        config=True,
        help="""
        Kubernetes Volume objects of the pod. Every string in them is a template, see `pod_name_template`::

            c.KubeSpawner.volumes = [{
                'name': 'home',
                'persistentVolumeClaim': {
                    'claimName': 'claim-{username}{servername}'
                }
            }]
        """
    )

    volume_mounts = List(
        [],
        config=True,
        help="""
        Kubernetes VolumeMount objects of the notebook container: where it sees the `volumes`. Templates, as those are::

            c.KubeSpawner.volume_mounts = [
                {'name': 'home', 'mountPath': '/home/jovyan'}
            ]
        """
    )

    pvc_name_template = Unicode(
        'claim-{username}{servername}',
        config=True,
        help="""
        What the claim of a server's files is called; a template as `pod_name_template` is.
        """
    )

    user_storage_pvc_ensure = Bool(
        False,
        config=True,
        help="""
        Make a persistent volume claim before the pod, if it is not there yet.

        It is mounted only if `volumes` and `volume_mounts` say so.
        """
    )

    user_storage_capacity = Unicode(
        None,
        allow_none=True,
        config=True,
        help="""
        How much storage a new claim asks for, such as `10Gi`. Needed with `user_storage_pvc_ensure`.
        """
    )

    user_storage_class = Unicode(
        None,
        allow_none=True,
        config=True,
        help="""
        The storage class that a new claim asks for. None is the cluster's default.
        """
    )

    user_storage_access_modes = List(
        ['ReadWriteOnce'],
        config=True,
        help="""
        The access modes that a new claim asks for.
        """
    )

    user_storage_extra_labels = Dict(
        {},
        config=True,
        help="""
        Further labels of a new claim, by name. Values are templates, see `pod_name_template`.
        """
    )

    # Names

    pod_name = Unicode(help="""The name of this server's pod. Kept in the server's state.""")

    @default('pod_name')
    def _pod_name_from_template(self):
        return naming.object_name(self._expand_trait('pod_name_template'))

    pvc_name = Unicode(help="""The name of this server's claim.""")

    @default('pvc_name')
    def _pvc_name_from_template(self):
        return naming.object_name(self._expand_trait('pvc_name_template'))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if KubeSpawner.executor is None:
            KubeSpawner.executor = ThreadPoolExecutor(max_workers=self.k8s_api_threadpool_workers)
        self._share_reflector()
        self._stops = 0  # counts calls of stop, so that a start notices that it is no longer wanted

    def _share_reflector(self):
        """Make the reflector with the first spawner; one of its own only for another namespace.

        It is shared by all subclasses, except those that have a class attribute `pod_reflector` of their own.
        """
        owner = next(cls for cls in type(self).__mro__ if 'pod_reflector' in vars(cls))
        if owner.pod_reflector is None:
            owner.pod_reflector = PodReflector(config=self.config, log=self.log, namespace=self.namespace)
        elif owner.pod_reflector.namespace != self.namespace:
            self.pod_reflector = owner.pod_reflector.for_namespace(self.namespace)

    def _follow_pods(self):
        """Start the reflector with the first verb that needs it; return it."""
        if self.pod_reflector.on_failure is None:
            self.pod_reflector.on_failure = partial(_halt, IOLoop.current(), self.log)
        self.pod_reflector.start()
        return self.pod_reflector

    # Requests

    @run_on_executor
    def asynchronize(self, method, *args, **kwargs):
        """Call a blocking function on an executor thread; return a future of what it returns."""
        return method(*args, **kwargs)

    def _call(self, request, deadline=None):
        """Return a future of the answer to a request made by the functions of `api`."""
        return api.call(self.asynchronize, self.api, request, self.log, deadline)

    @gen.coroutine
    def _read(self, kind, name, deadline=None):
        """Return an object as the API has it now, None if it has none of that name."""
        try:
            return (yield self._call(api.read(kind, self.namespace, name), deadline))
        except api.ApiError as e:
            if e.status != 404:
                raise
            return None

    @gen.coroutine
    def _read_pod(self, deadline=None):
        """Return this server's pod as the API has it now, or None; the cache learns of it."""
        cached = self.pod_reflector.get(self.pod_name)
        pod = yield self._read('pod', self.pod_name, deadline)
        if pod is not None:
            self.pod_reflector.upsert(pod)
        elif cached is not None:
            self.pod_reflector.forget(cached)
        return pod

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
        for variable in ('JUPYTERHUB_API_URL', 'JUPYTERHUB_ACTIVITY_URL'):
            if env.get(variable):
                env[variable] = self._reachable(env[variable])
        if self.legacy_singleuser_env:
            env.update(self._legacy_env())
        return env

    def _reachable(self, url):
        """Return a URL below the hub's API as pods reach it."""
        if self.accessible_hub_api_url == self.hub.api_url:
            return url
        path, base = urlparse(url).path, urlparse(self.hub.api_url).path
        return self.accessible_hub_api_url.rstrip('/') + path[len(base.rstrip('/')):]

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
        uid = yield self._value_of(self.singleuser_uid)
        fs_gid = yield self._value_of(self.singleuser_fs_gid)
        supplemental_gids = yield self._value_of(self.singleuser_supplemental_gids)
        return objects.make_pod(
            name=self.pod_name,
            cmd=None if self.cmd is None else self.cmd + self.get_args(),
            port=self.port,
            image_spec=self.singleuser_image_spec,
            image_pull_policy=self.singleuser_image_pull_policy,
            image_pull_secret=self.singleuser_image_pull_secrets,
            node_selector=self.singleuser_node_selector,
            run_as_uid=uid,
            fs_gid=fs_gid,
            supplemental_gids=supplemental_gids,
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

    @gen.coroutine
    def _value_of(self, configured):
        """Return a value that may be configured as a function of the spawner, which may be a coroutine."""
        return (yield _awaited(configured(self) if callable(configured) else configured))

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

    # State

    def get_state(self):
        """Return what the hub's database keeps of this server: the parent's state, and the pod's name."""
        state = super().get_state()
        state['pod_name'] = self.pod_name
        return state

    def load_state(self, state):
        """Take over what the hub's database kept, so that a pod is found under the name it was started with."""
        super().load_state(state)
        if state.get('pod_name'):
            self.pod_name = state['pod_name']

    def clear_state(self):
        """Forget the state: the next pod and claim are named by the templates as they are then."""
        super().clear_state()
        for name in ('pod_name', 'pvc_name'):
            self._trait_values.pop(name, None)  # so that its default is asked for again

    # The verbs

    def is_pod_running(self, pod):
        """True if the notebook server of `pod` (a `Resource`, a V1Pod or None) can be talked to."""
        return podstatus.is_running(pod if isinstance(pod, dict) else to_dict(pod))

    @gen.coroutine
    def start(self):
        """Create the pod, and the claim before it if there is to be one; return (ip, port) when it is running."""
        self._follow_pods()
        deadline = IOLoop.current().time() + self.start_timeout * (1 - START_MARGIN)
        is_wanted = partial(self._is_wanted, self._stops, deadline)
        claim = self.get_pvc_manifest() if self.user_storage_pvc_ensure else None
        manifest = yield self.get_pod_manifest()
        if claim is not None:
            yield self._ensure_claim(claim, deadline)
        manifest = yield self._run_hook(manifest)
        pod = yield self._create_pod(manifest, deadline, is_wanted)
        outcome = yield self._until(partial(self._outcome, _uid(pod)), deadline, 'to be running')
        if isinstance(outcome, SpawnError):
            raise outcome
        return outcome

    def _outcome(self, uid, pod):
        """Return how the start of the pod with this uid ended: (ip, port) or a SpawnError; None as long as it lasts."""
        if _uid(pod) != uid:
            return SpawnError('Pod %s was deleted while it was starting.' % self.pod_name)
        if self.is_pod_running(pod):
            return podstatus.ip(pod), self.port
        failure = podstatus.failure(pod)
        if failure:
            return SpawnError('Pod {name} failed to start. {0.what}: {0.reason}. {0.message}'.format(
                failure, name=self.pod_name).strip())

    def _is_wanted(self, stops, deadline):
        """True as long as nobody has stopped the server since, nor given up on it: the hub cannot interrupt us."""
        return self._stops == stops and IOLoop.current().time() < deadline

    @gen.coroutine
    def _run_hook(self, manifest):
        """Return the V1Pod to create: what `modify_pod_hook` makes of `manifest`, still one that the hub can find."""
        if self.modify_pod_hook is None:
            return manifest
        modified = yield _awaited(self.modify_pod_hook(self, manifest))
        if modified is None:
            raise ValueError('KubeSpawner.modify_pod_hook returned None; it must return the pod to create.')
        modified.metadata.labels = dict(modified.metadata.labels or {}, **self.pod_reflector.labels)
        self.pod_name = modified.metadata.name
        return modified

    @gen.coroutine
    def _ensure_claim(self, manifest, deadline):
        """Create the claim if there is none. It is looked for first: a quota refuses even what is there already."""
        name = manifest.metadata.name
        if (yield self._read('persistent_volume_claim', name, deadline)) is not None:
            return
        try:
            yield self._call(api.create('persistent_volume_claim', self.namespace, manifest), deadline)
        except api.ApiError as e:
            if e.reason != 'AlreadyExists':
                raise
        else:
            self.log.info('Created claim %s', name)

    @gen.coroutine
    def _create_pod(self, manifest, deadline, is_wanted):
        """Create the pod and return it; an old one of that name is deleted first.

        is_wanted (callable): asked before and after each try. A pod that is no longer wanted by then is deleted.
        """
        for _ in range(CREATE_TRIES):
            if not is_wanted():
                raise SpawnError('The start of pod %s was given up.' % self.pod_name)
            try:
                pod = yield self._call(api.create('pod', self.namespace, manifest), deadline)
            except api.ApiError as e:
                if e.reason != 'AlreadyExists':
                    raise
                self.log.info('%s', e)
            else:
                if is_wanted():
                    self.pod_reflector.upsert(pod)
                    return pod
                yield self._discard(pod)
                continue
            old = yield self._read_pod(deadline)
            if old is not None:
                self.log.warning('Deleting pod %s (uid %s), which is in the way of a new one', self.pod_name, _uid(old))
                yield self._delete_pod(old, 0, deadline)
        raise SpawnError('Pod %s could not be created: in each of %d tries there was one of that name already.' % (
            self.pod_name, CREATE_TRIES))

    @gen.coroutine
    def poll(self):
        """Return None while the server runs, starts, or while nobody knows; otherwise its exit code.

        1 when there is no pod. A pod that ended by itself is deleted if `delete_stopped_pods` says so.
        """
        reflector = self._follow_pods()
        yield reflector.first_load_future
        pod = reflector.get(self.pod_name)
        try:
            if pod is None and not reflector.failed:
                pod = yield self._read_pod()
                if pod is None or not reflector.selects(pod):
                    return 1
        except api.ApiError as e:
            self.log.warning('Whether pod %s is there is not known: %s', self.pod_name, e)
        if pod is None or reflector.failed:
            return None
        code = podstatus.exit_code(pod)
        if code is not None and self.delete_stopped_pods:
            yield self._discard(pod)
        return code

    @gen.coroutine
    def _discard(self, pod):
        """Have a pod deleted that nobody waits for. If that fails, the next start deletes it."""
        try:
            yield self._call(api.delete('pod', self.namespace, self.pod_name, _uid(pod), 0))
        except api.ApiError as e:
            if e.status == 404:
                self.pod_reflector.forget(pod)
            else:
                self.log.warning('%s', e)

    @gen.coroutine
    def stop(self, now=False):
        """Delete the pod, with a second for the server to end in order unless `now`; return when it is gone.

        Raises SpawnError if it is still there after `start_timeout` seconds.
        """
        reflector = self._follow_pods()
        self._stops += 1
        deadline = IOLoop.current().time() + self.start_timeout
        pod = reflector.get(self.pod_name)
        if pod is None:
            pod = yield self._read_pod(deadline)
        if pod is None:
            self.log.info('Pod %s is gone already', self.pod_name)
            return
        yield self._delete_pod(pod, 0 if now else STOP_GRACE, deadline)

    @gen.coroutine
    def _delete_pod(self, pod, grace_period_seconds, deadline):
        """Delete exactly this pod, never one that took its name since; return when it is gone."""
        uid = _uid(pod)
        try:
            yield self._call(api.delete('pod', self.namespace, self.pod_name, uid, grace_period_seconds), deadline)
        except api.ApiError as e:
            if e.status not in (404, 409):  # gone already; its name is another one's
                raise
            self.pod_reflector.forget(pod)
            return
        if self.pod_reflector.selects(pod):
            yield self._until(lambda cached: _uid(cached) != uid, deadline, 'to be gone')
        else:  # made by somebody else: the cache knows nothing of it
            yield self._until_read(lambda read: _uid(read) != uid, deadline, 'to be gone')

    # Waiting

    @gen.coroutine
    def _until(self, condition, deadline, what):
        """Return `condition(pod)` once it is true of the pod in the cache (None: there is none).

        The pod is looked at whenever the pod changes. When nothing has been heard of it for a while, it is asked for.
        deadline (float): the loop's time after which SpawnError is raised, with what was last seen.
        """
        reflector, name, loop = self.pod_reflector, self.pod_name, IOLoop.current()

        @gen.coroutine
        def look():
            result = condition(reflector.get(name))
            if result:
                return result
            changed = reflector.changed(name, min(ASK_AFTER, max(0, deadline - loop.time())))
            # Once more, for what came before somebody waited.
            if not condition(reflector.get(name)) and not (yield changed):
                yield self._ask(deadline)
            return condition(reflector.get(name))

        return (yield self._back_off(look, deadline, what, start_wait=0, scale_factor=1))

    @gen.coroutine
    def _until_read(self, condition, deadline, what):
        """Like `_until`, for a pod that the cache does not hold: it is read again and again."""
        @gen.coroutine
        def look():
            return condition((yield self._read_pod(deadline)))

        yield self._back_off(look, deadline, what)

    @gen.coroutine
    def _back_off(self, look, deadline, what, **pauses):
        """Call the coroutine `look` until what it returns is true; return that. Raises SpawnError at the deadline."""
        started = IOLoop.current().time()
        seconds = max(0, deadline - started)
        try:
            return (yield exponential_backoff(look, '', timeout=seconds, timeout_tolerance=0, **pauses))
        except TIMEOUTS:
            raise SpawnError('Waited %d s for pod %s %s. Last seen: %s.' % (
                IOLoop.current().time() - started, self.pod_name, what,
                podstatus.describe(self.pod_reflector.get(self.pod_name))))

    @gen.coroutine
    def _ask(self, deadline):
        """Read the pod into the cache, if that works just now."""
        try:
            yield self._read_pod(deadline)
        except api.ApiError as e:
            self.log.warning('%s', e)


def _uid(pod):
    """Return the uid of a pod as a dict; None of no pod."""
    return pod['metadata']['uid'] if pod else None


@gen.coroutine
def _awaited(value):
    """Return `value`, or what comes of it if it is a future or a coroutine of any kind."""
    if is_future(value) or inspect.isawaitable(value):
        value = yield value
    return value


def _halt(loop, log):
    """Stop the hub's loop: what the cache knows is out of date for good. Called on the watch thread."""
    log.critical('Halting the hub: it no longer learns what happens to pods.')
    loop.add_callback(loop.stop)
