"""Where things are: the Kubernetes API, the namespace of pods and claims, the hub as pods reach it."""
import functools
import multiprocessing
import os
import re
from urllib.parse import urlparse

from traitlets import Bool, Dict, Float, HasTraits, Integer, TraitError, Unicode, default, validate

from ..objects import SERVICE_ACCOUNT_DIRECTORY

NAMESPACE_FILE = os.path.join(SERVICE_ACCOUNT_DIRECTORY, 'namespace')


class ClusterConfiguration(HasTraits):
    """Where things are: the Kubernetes API, the namespace of pods and claims, the hub as pods reach it."""

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

    k8s_api_host = Unicode(
        '',
        config=True,
        help="""
        The URL of the Kubernetes API, such as `https://10.0.0.1:6443`, in place of the one that is found otherwise: in
        the hub's pod, or in the kubeconfig. The token and certificates are still those that are found there.

        This, `k8s_api_ssl_ca_cert` and `k8s_api_verify_ssl` are read once, by the first spawner of the hub's process.
        """
    )

    @validate('k8s_api_host')
    def _api_host_is_a_url(self, proposal):
        host = proposal['value'].rstrip('/')
        if host and not re.match(r'https?://[^\s/?#@]+(/[^\s?#]*)?\Z', host):
            raise TraitError('KubeSpawner.k8s_api_host is a URL such as https://10.0.0.1:6443, not %.100r.' % host)
        return host

    k8s_api_ssl_ca_cert = Unicode(
        '',
        config=True,
        help="""
        A file of certificates (PEM), one of which has signed that of the Kubernetes API, in place of the one that is
        found otherwise, see `k8s_api_host`.
        """
    )

    @validate('k8s_api_ssl_ca_cert')
    def _ca_cert_is_there(self, proposal):
        if proposal['value'] and not _is_file(proposal['value']):
            raise TraitError('KubeSpawner.k8s_api_ssl_ca_cert: there is no file %.1000r.' % proposal['value'])
        return proposal['value']

    k8s_api_verify_ssl = Bool(
        None,
        allow_none=True,
        config=True,
        help="""
        Whether the certificate of the Kubernetes API is verified. None leaves it to what is found otherwise, see
        `k8s_api_host`. With False, whoever is between the hub and the API can pretend to be the API.
        """
    )

    namespace = Unicode(
        config=True,
        help="""
        The Kubernetes namespace that pods and claims are made in. `enable_user_namespaces` sets it to the user's own.

        Unless set it is the hub's own namespace when the hub runs in a pod, otherwise `default`.
        """
    )

    @default('namespace')
    def _namespace_default(self):
        return hub_namespace()

    @validate('namespace')
    def _namespace_is_one(self, proposal):
        if not re.match(r'[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z', proposal['value']):
            raise TraitError('KubeSpawner.namespace is the name of a Kubernetes namespace, at most 63 characters of '
                             'a-z, 0-9 and -, not %.100r.' % proposal['value'])
        return proposal['value']

    enable_user_namespaces = Bool(
        False,
        config=True,
        help="""
        Give each user a namespace of their own, in which all their pods and claims are. It is made if it is not there.

        The hub then needs its rights in all namespaces (a ClusterRole), and the right to get and create namespaces.
        Files do not move: a server that starts after a change of this has a claim of its own there.
        """
    )

    user_namespace_template = Unicode(
        '{hubnamespace}-{username}',
        config=True,
        help="""
        What a user's namespace is called, see `enable_user_namespaces`; a template as `pod_name_template` is.

        `{hubnamespace}` is the namespace that the hub itself runs in. When this is changed, a server stays where it is
        as long as it runs, and for good if its claim is there (see `remember_pvc_name`).
        """
    )

    user_namespace_labels = Dict(
        {},
        config=True,
        help="""
        Labels of a user's namespace when it is made, by name. Values are templates, see `pod_name_template`.
        """
    )

    user_namespace_annotations = Dict(
        {},
        config=True,
        help="""
        Annotations of a user's namespace when it is made, by name. Values are templates, see `pod_name_template`.
        """
    )

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


def hub_namespace():
    """Return the namespace that the hub runs in, which Kubernetes writes to a file in each pod; otherwise `default`."""
    return _written_in(NAMESPACE_FILE)


@functools.lru_cache(maxsize=None)
def _written_in(path):
    try:
        with open(path) as f:
            return f.read().strip()
    except FileNotFoundError:
        return 'default'


def _is_file(path):
    try:
        return os.path.isfile(path)
    except ValueError:  # of what no path can be, before Python 3.8
        return False


def port_of(url):
    """Return the port of a parsed URL."""
    return url.port or (443 if url.scheme == 'https' else 80)
