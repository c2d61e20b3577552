"""What an operator can configure: the traits, their defaults and what they mean to who reads `--help-all`.

Here belongs no behaviour, but for defaults that have to be looked up. Everything runs on the IOLoop's thread.
"""
import multiprocessing
import os
import re
from urllib.parse import urlparse

from jupyterhub.traitlets import ByteSpecification, Command
from traitlets import Bool, Dict, Float, HasTraits, Integer, List, TraitError, Unicode, Union, default, validate

from . import objects
from .traitlets import Callable

NAMESPACE_FILE = os.path.join(objects.SERVICE_ACCOUNT_DIRECTORY, 'namespace')


class Memory(ByteSpecification):
    """A number of bytes, which may be written with a suffix. What is none is told with the name of the trait."""

    def validate(self, obj, value):
        try:
            return super().validate(obj, value)
        except Exception:  # of many kinds
            raise TraitError('KubeSpawner.%s is a number of bytes, or a string such as 512M or 1.5G, not %.100r.' % (
                self.name, value))


class Configuration(HasTraits):
    """The configurable traits of KubeSpawner. A part of it, no section of configuration files of its own."""

    # The hub's side

    k8s_api_threadpool_workers = Integer(
        5 * multiprocessing.cpu_count(),
        min=1,
        config=True,
        help="""
        How many threads make requests to the Kubernetes API, for all spawners together.

        Read once, by the first spawner of the hub's process.
        """
    )

    k8s_api_request_timeout = Float(
        30,
        min=0.001,
        config=True,
        help="""
        Seconds to wait for an answer of the Kubernetes API, or for the next piece of one. Connecting may take 5 s.

        What was asked for may have been done all the same; that is looked at before anything is asked for again.
        """
    )

    k8s_api_request_retry_timeout = Float(
        30,
        min=0,
        config=True,
        help="""
        Seconds for which a request that fails in a way that may heal is sent again, with growing pauses.

        Such failures: no connection, no answer, and the statuses 429, 500, 502, 503 and 504. The time of a start or
        stop comes to its end whatever this is. 0 sends each request once.
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

    @validate('namespace')
    def _namespace_is_one(self, proposal):
        if not re.match(r'[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z', proposal['value']):
            raise TraitError('KubeSpawner.namespace is the name of a Kubernetes namespace, at most 63 characters of '
                             'a-z, 0-9 and -, not %.100r.' % proposal['value'])
        return proposal['value']

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
        min=1,
        max=65535,
        config=True,
        help="""
        The port at which pods reach the hub's API. Unless set it is the one that the hub listens on.
        """
    )

    @default('hub_connect_port')
    def _hub_connect_port_default(self):
        return port_of(urlparse(self.hub.api_url))

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
        min=0,
        max=65535,
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
        Unicode(),
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

    mem_limit = Memory(
        None,
        allow_none=True,
        config=True,
        help="""
        How much memory the notebook container may use at most: bytes, or with a suffix K, M, G or T. A process that
        asks for more is killed.
        """
    )

    mem_guarantee = Memory(
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

        What it returns is created; it may be a coroutine, which has the time of the start. Volumes and other things
        that are configured as raw Kubernetes objects are such dicts in the pod. When it raises an HTTPError (of
        `tornado.web`), the user is told that; other errors are told in the hub's log.
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

    # Giving up

    start_failure_grace = Float(
        None,
        allow_none=True,
        min=0,
        config=True,
        help="""
        Seconds for which a pod may fail to start in a way that may heal, before the start is given up.

        Such failures: an image that cannot be pulled, a config map that is missing, a container that crashes, a pod
        that no node has room for. 0 gives up at once. None gives containers 30 seconds, and a pod that waits for room
        all of `start_timeout`, because clusters may grow. What cannot heal ends a start at once, whatever this is.
        """
    )

    force_delete_after = Float(
        None,
        allow_none=True,
        min=0,
        config=True,
        help="""
        Seconds after which a pod that does not go away is deleted by force, without waiting for its node to confirm.

        None never does that: a stop then ends with an error after `start_timeout` seconds. By force means that the pod
        is gone from Kubernetes while its containers may still run, if its node is only cut off from the cluster; two
        of them may then write to one home directory.
        """
    )


def port_of(url):
    """Return the port of a parsed URL."""
    return url.port or (443 if url.scheme == 'https' else 80)
