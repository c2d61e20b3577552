"""Settings of the notebook container: its image, its command and its resources."""

from jupyterhub.traitlets import ByteSpecification, Command
from traitlets import Bool, Dict, Float, HasTraits, Integer, List, TraitError, Unicode, Union, default, validate

from ..traitlets import Callable, KubeObject


class Memory(ByteSpecification):
    """A number of bytes, or a string with a suffix. For any other value, the error names the setting."""

    def validate(self, obj, value):
        try:
            return super().validate(obj, value)
        except Exception:  # its type depends on the value and on the version of JupyterHub
            raise TraitError('KubeSpawner.%s must be a number of bytes, or a string such as 512M or 1.5G, '
                             'not %.100r.' % (self.name, value))


class ContainerConfiguration(HasTraits):
    """Settings of the notebook container: its image, its command and its resources."""

    ip = Unicode(
        '0.0.0.0',
        config=True,
        help="""
        The IP address that the notebook server listens on in its pod:

        - `0.0.0.0`: all IPv4 addresses of the pod, and no IPv6 address. All versions of the notebook server know it.
        - `::`: all IPv6 addresses of the pod, and no IPv4 address. Set this in a cluster that only has IPv6.
        - an empty string: all addresses of the pod, both IPv4 and IPv6. Use it only with images that contain a new
          JupyterHub, such as 6.1. The server of JupyterHub 0.8 then only listens on 127.0.0.1, where the hub cannot
          reach it.

        In a cluster with both, the hub connects to the first IP address of the pod.
        """
    )

    port = Integer(
        8888,
        min=0,
        max=65535,
        config=True,
        help="""
        The port that the notebook server listens on in its pod. Every pod has its own IP address, so servers can all
        use the same port. 0 means 8888.
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
        The command that starts the notebook server: a string or a list of strings. None means the command of the image,
        without any arguments from the hub.

        Otherwise, KubeSpawner puts the command and the arguments of the server (`Spawner.args` and those that
        JupyterHub adds) into the `args` of the container. If the image has an entrypoint, it runs with these arguments.
        """
    )

    @default('cmd')
    def _cmd_is_the_images(self):
        return None  # traitlets 4 would replace None by []

    env_keep = List(
        Unicode(),
        [],
        config=True,
        help="""
        The names of environment variables that the notebook server inherits from the hub. By default, it inherits none,
        because variables such as `PATH` describe the hub's own container.
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
        The working directory of the notebook container. None means the working directory of the image. The value can be
        a template, like the strings in `init_containers`.
        """
    )

    singleuser_image_spec = Unicode(
        'jupyterhub/singleuser:latest',
        config=True,
        help="""
        The image of the notebook container. It should contain the same version of JupyterHub as the hub.
        """
    )

    singleuser_image_pull_policy = Unicode(
        'IfNotPresent',
        allow_none=True,
        config=True,
        help="""
        When the node pulls the image: `Always`, `IfNotPresent` or `Never`. With None, Kubernetes uses `Always` for the
        tag `latest`, and `IfNotPresent` for other tags.

        If you push new images under the same tag, use `Always`. Otherwise, nodes that already have an image keep using
        it.
        """
    )

    singleuser_image_pull_secrets = Union(
        [Unicode(), List()],
        default_value=None,
        allow_none=True,
        config=True,
        help="""
        The secrets with which the node pulls the image. The value is the name of a secret of type
        `kubernetes.io/dockerconfigjson`, a list of names, or a list of dicts such as `{'name': 'registry'}`. None means
        no secret.
        """
    )

    singleuser_privileged = Bool(
        False,
        config=True,
        help="""
        Run the notebook container in privileged mode. Anyone who can run code in it then has full control of the node.
        """
    )

    allow_privilege_escalation = Bool(
        False,
        allow_none=True,
        config=True,
        help="""
        Whether a process in the notebook container can gain more privileges than its parent process, for example with
        `sudo`. None leaves the field unset, so that the default of Kubernetes applies. The setting has no effect on
        privileged containers.
        """
    )

    container_security_context = Union(
        [KubeObject({}), Callable()],
        config=True,
        help="""
        Fields of the notebook container's Kubernetes SecurityContext, or a function of the spawner that returns them.
        They override `uid`, `gid`, `privileged` and `allow_privilege_escalation`, and take precedence over
        the security context of the pod::

            c.KubeSpawner.container_security_context = {'capabilities': {'drop': ['ALL']}}
        """
    )

    singleuser_lifecycle_hooks = KubeObject(
        {},
        config=True,
        help="""
        A Kubernetes Lifecycle object: what the notebook container runs after it starts (`postStart`) and before it
        stops (`preStop`). For example::

            c.KubeSpawner.lifecycle_hooks = {
                'postStart': {'exec': {'command': ['touch', 'started']}}
            }

        Strings may be templates, as in `init_containers`. Doubled braces become single ones only in strings
        that have a field.
        """
    )

    singleuser_extra_container_config = KubeObject(
        {},
        config=True,
        help="""
        Fields of the notebook container for which there is no setting. They are named as in the Kubernetes API
        (`envFrom`) or as in the Python client (`env_from`), and replace fields of the same name. An unknown field is an
        error. Strings may be templates, as in `lifecycle_hooks`. An example::

            c.KubeSpawner.extra_container_config = {
                'envFrom': [
                    {'configMapRef': {'name': 'special-config'}}
                ]
            }
        """
    )

    cpu_limit = Float(
        None,
        allow_none=True,
        config=True,
        help="""
        The maximum number of CPU cores that the notebook container can use, such as 0.5 or 2. Kubernetes slows down a
        container that reaches its limit. None means no limit.
        """
    )

    cpu_guarantee = Float(
        None,
        allow_none=True,
        config=True,
        help="""
        The number of CPU cores that are guaranteed to the notebook container, such as 0.5 or 2. The scheduler assigns
        the pod only to a node that has this much unreserved CPU. None means no guarantee, unless `cpu_limit` is set:
        Kubernetes then guarantees the limit.
        """
    )

    mem_limit = Memory(
        None,
        allow_none=True,
        config=True,
        help="""
        The maximum amount of memory that the notebook container can use: a number of bytes, or a string with the suffix
        K, M, G or T (powers of 1024). Kubernetes kills a process that exceeds the limit. None means no limit.
        """
    )

    mem_guarantee = Memory(
        None,
        allow_none=True,
        config=True,
        help="""
        The amount of memory that is guaranteed to the notebook container, in the same format as `mem_limit`. The
        scheduler assigns the pod only to a node that has this much unreserved memory. None means no guarantee, unless
        `mem_limit` is set: Kubernetes then guarantees the limit.
        """
    )

    extra_resource_guarantees = Dict(
        {},
        config=True,
        help="""
        Guarantees of resources other than CPU and memory: a dict of names and amounts, as in `extra_resource_limits`.
        """
    )

    extra_resource_limits = Dict(
        {},
        config=True,
        help="""
        Limits of resources other than CPU and memory: a dict of names and amounts. For example::

            c.KubeSpawner.extra_resource_limits = {'nvidia.com/gpu': '1'}
        """
    )
