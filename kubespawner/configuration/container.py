"""The notebook container: what it runs, what of, and with how much."""

from jupyterhub.traitlets import ByteSpecification, Command
from traitlets import Bool, Dict, Float, HasTraits, Integer, List, TraitError, Unicode, Union, default, validate

from ..traitlets import Callable, Object


class Memory(ByteSpecification):
    """A number of bytes, which may be written with a suffix. What is none is told with the name of the trait."""

    def validate(self, obj, value):
        try:
            return super().validate(obj, value)
        except Exception:  # of many kinds
            raise TraitError('KubeSpawner.%s is a number of bytes, or a string such as 512M or 1.5G, not %.100r.' % (
                self.name, value))


class ContainerConfiguration(HasTraits):
    """The notebook container: what it runs, what of, and with how much."""

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

    @default('cmd')
    def _cmd_is_the_images(self):
        return None  # traitlets 4 would make that []

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
        The directory that the notebook container starts in. None is the one that the image says. It may be a template,
        as the strings in `singleuser_init_containers`.
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
        allow_none=True,
        config=True,
        help="""
        When the node pulls the image: `Always`, `IfNotPresent` or `Never`. None leaves it to Kubernetes, which always
        pulls the tag `latest`, and others if they are not there.

        With a tag that moves, such as `latest`, only `Always` gives every user what it points to today.
        """
    )

    singleuser_image_pull_secrets = Union(
        [Unicode(), List()],
        default_value=None,
        allow_none=True,
        config=True,
        help="""
        The name of the secret (of type `kubernetes.io/dockerconfigjson`) to pull the image with, if it needs one; or a
        list of such names, or of dicts such as `{'name': 'registry'}`.
        """
    )

    singleuser_privileged = Bool(
        False,
        config=True,
        help="""
        Give the notebook container all rights on its node. Whoever runs code in it then owns the node.
        """
    )

    allow_privilege_escalation = Bool(
        False,
        allow_none=True,
        config=True,
        help="""
        Whether programs in the notebook container may get more rights than their parent has, as `sudo` does.

        None says nothing about that to Kubernetes. Privileged containers always may.
        """
    )

    container_security_context = Union(
        [Object({}), Callable()],
        config=True,
        help="""
        Fields of the notebook container's Kubernetes SecurityContext object, or a function of the spawner that returns
        them. They replace what `singleuser_privileged` and `allow_privilege_escalation` say, and count more than what
        is set for the whole pod::

            c.KubeSpawner.container_security_context = {'capabilities': {'drop': ['ALL']}}
        """
    )

    singleuser_lifecycle_hooks = Object(
        {},
        config=True,
        help="""
        What to run in the notebook container just after its start (`postStart`) and just before its end (`preStop`):
        a Kubernetes Lifecycle object, for example::

            c.KubeSpawner.singleuser_lifecycle_hooks = {
                'postStart': {'exec': {'command': ['touch', 'started']}}
            }

        Strings may be templates, as in `singleuser_init_containers`.
        """
    )

    singleuser_extra_container_config = Object(
        {},
        config=True,
        help="""
        Fields of the notebook container that no trait stands for, named as in the Kubernetes API (`envFrom`) or as in
        the Python client (`env_from`). They replace what is there otherwise. An unknown field is an error. Strings may
        be templates, as in `singleuser_init_containers`::

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
