"""Settings of the notebook container: its image, its command and its resources."""

from jupyterhub.traitlets import ByteSpecification, Command
from traitlets import Bool, Dict, Float, HasTraits, Integer, List, TraitError, Unicode, Union, default, validate

from ..traitlets import Callable, KubeObject


class Memory(ByteSpecification):
    """A number of bytes, or a string with a suffix. The error for any other value names the setting."""

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
        The IP address that the notebook server listens on in its pod. `0.0.0.0` means all IPv4 addresses of the pod.
        """
    )

    port = Integer(
        8888,
        min=0,
        max=65535,
        config=True,
        help="""
        The port that the notebook server listens on in its pod. 0 means 8888: each pod has all ports for itself.
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
        The command that starts the notebook server: a string or a list of strings. None runs the command of the image
        without arguments.

        Otherwise the command and the arguments of the server (`Spawner.args` and those that the hub adds) become the
        `args` of the container. So if the image has an entrypoint, the entrypoint runs them.
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
        Names of environment variables of the hub that the notebook server inherits. By default it inherits none,
        because they describe the hub's container.
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
        The working directory of the notebook container. None means the working directory of the image. May be a
        template, like the strings in `singleuser_init_containers`.
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
        When the node pulls the image: `Always`, `IfNotPresent` or `Never`. With None, Kubernetes always pulls the tag
        `latest`, and pulls other tags if the node does not have them.

        If a tag moves, as `latest` does, only `Always` gives every user the current image.
        """
    )

    singleuser_image_pull_secrets = Union(
        [Unicode(), List()],
        default_value=None,
        allow_none=True,
        config=True,
        help="""
        The secret that the node needs to pull the image: the name of a secret of type `kubernetes.io/dockerconfigjson`.
        Or a list of such names, or of dicts such as `{'name': 'registry'}`. None means no secret.
        """
    )

    singleuser_privileged = Bool(
        False,
        config=True,
        help="""
        Run the notebook container in privileged mode. Whoever runs code in it then controls the node.
        """
    )

    allow_privilege_escalation = Bool(
        False,
        allow_none=True,
        config=True,
        help="""
        Whether a process in the notebook container may gain more privileges than its parent process, as `sudo` does.
        None leaves this to Kubernetes. Privileged containers may always do so.
        """
    )

    container_security_context = Union(
        [KubeObject({}), Callable()],
        config=True,
        help="""
        Fields of the notebook container's Kubernetes SecurityContext, or a function of the spawner that returns them.
        They override `uid`, `gid`, `singleuser_privileged` and `allow_privilege_escalation`, and take precedence over
        the security context of the pod::

            c.KubeSpawner.container_security_context = {'capabilities': {'drop': ['ALL']}}
        """
    )

    singleuser_lifecycle_hooks = KubeObject(
        {},
        config=True,
        help="""
        A Kubernetes Lifecycle object: what to run in the notebook container after it has started (`postStart`) and
        before it is stopped (`preStop`), for example::

            c.KubeSpawner.singleuser_lifecycle_hooks = {
                'postStart': {'exec': {'command': ['touch', 'started']}}
            }

        Strings may be templates, as in `singleuser_init_containers`. Doubled braces become single ones only in strings
        that have a field.
        """
    )

    singleuser_extra_container_config = KubeObject(
        {},
        config=True,
        help="""
        Fields of the notebook container for which there is no setting. They are named as in the Kubernetes API
        (`envFrom`) or as in the Python client (`env_from`), and replace fields of the same name. An unknown field is an
        error. Strings may be templates, as in `singleuser_lifecycle_hooks`. An example::

            c.KubeSpawner.singleuser_extra_container_config = {
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
        The number of CPU cores that the notebook container may use, such as 0.5 or 2. A container that needs more is
        slowed down. None sets no limit.
        """
    )

    cpu_guarantee = Float(
        None,
        allow_none=True,
        config=True,
        help="""
        The number of CPU cores that the notebook container is guaranteed. The scheduler assigns the pod only to a node
        that has them free. None leaves this to Kubernetes, which guarantees the limit if there is one.
        """
    )

    mem_limit = Memory(
        None,
        allow_none=True,
        config=True,
        help="""
        The memory that the notebook container may use: a number of bytes, or a string with the suffix K, M, G or T
        (powers of 1024). A process that needs more is killed. None sets no limit.
        """
    )

    mem_guarantee = Memory(
        None,
        allow_none=True,
        config=True,
        help="""
        The memory that the notebook container is guaranteed, in the units of `mem_limit`. The scheduler assigns the pod
        only to a node that has it free. None leaves this to Kubernetes, which guarantees the limit if there is one.
        """
    )

    extra_resource_guarantees = Dict(
        {},
        config=True,
        help="""
        Guarantees for resources other than CPU and memory, by name, as in `extra_resource_limits`.
        """
    )

    extra_resource_limits = Dict(
        {},
        config=True,
        help="""
        Limits for resources other than CPU and memory, by name, for example::

            c.KubeSpawner.extra_resource_limits = {'nvidia.com/gpu': '1'}
        """
    )
