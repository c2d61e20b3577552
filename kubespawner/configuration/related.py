"""Settings of what goes with a pod: its Service and its Secret."""
from traitlets import Bool, HasTraits, List, Unicode, Union


class RelatedConfiguration(HasTraits):
    """Settings of the Service and the Secret of a pod, which are deleted with it."""

    services_enabled = Bool(
        False,
        config=True,
        help="""
        Create a Service in front of each pod, with the name of the pod. The hub and the proxy then reach the server at
        the name that `dns_name_template` gives, unless `pod_connect_ip` or `get_pod_url` is set.

        With `JupyterHub.internal_ssl`, there is always a Service. The hub needs the right to get, create and delete
        services.
        """
    )

    secret_name_template = Unicode(
        '{pod_name}',
        config=True,
        help="""
        A template for the name of the pod's Secret, see `pod_name_template`. Every server needs a name of its own.

        There is a Secret with `JupyterHub.internal_ssl` and with `secret_environment`. The hub needs the right to get,
        create and delete secrets.
        """
    )

    secret_mount_path = Unicode(
        '/etc/jupyterhub/ssl/',
        config=True,
        help="""
        The directory in which the notebook container has its certificates, with `JupyterHub.internal_ssl`. It contains
        the files `ssl.key`, `ssl.crt` and `notebooks-ca_trust.crt`.
        """
    )

    secret_environment = Union(
        [Bool(), List(Unicode())],
        default_value=False,
        config=True,
        help="""
        Keep the values of secret environment variables in the pod's Secret. The pod only refers to them, so that
        whoever can read pods cannot read them.

        - `True`: the hub's tokens, such as JUPYTERHUB_API_TOKEN, and every variable that contains one of them.
        - A list of names: these variables as well, in all containers of the pod. For example::

            c.KubeSpawner.secret_environment = ['DATABASE_PASSWORD']

        `modify_pod_hook` gets a pod with references. The method `get_env` of the spawner still returns the values.
        KubeSpawner expands `$(NAME)` in these variables itself, because Kubernetes does not do so in a Secret.

        The hub needs the right to get, create and delete secrets.
        """
    )
