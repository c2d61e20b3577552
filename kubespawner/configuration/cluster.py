"""Settings of the Kubernetes API, the namespace of pods and claims, and the address at which pods reach the hub."""
import functools
import multiprocessing
import os
import re
from urllib.parse import urlparse

from traitlets import Bool, Dict, Float, HasTraits, Integer, TraitError, Unicode, default, validate

from ..objects import SERVICE_ACCOUNT_DIRECTORY

# A name, an IPv4 address, or an IPv6 address in brackets, and a port. Without brackets the colons are of an address.
_HOST_AND_PORT = re.compile(r'([^:\[\]/]+|\[[^\[\]]+\]):([0-9]{1,5})\Z')

NAMESPACE_FILE = os.path.join(SERVICE_ACCOUNT_DIRECTORY, 'namespace')


class ClusterConfiguration(HasTraits):
    """Settings of the Kubernetes API, the namespace of pods and claims, and the address at which pods reach the hub."""

    k8s_api_threadpool_workers = Integer(
        5 * multiprocessing.cpu_count(),
        min=1,
        config=True,
        help="""
        The number of threads that send requests to the Kubernetes API. All spawners share them.

        The first spawner of the hub's process reads this setting; later changes have no effect.
        """
    )

    k8s_api_request_timeout = Float(
        30,
        min=0.001,
        config=True,
        help="""
        The time in seconds that KubeSpawner waits for the Kubernetes API to answer, or to send the next part of an
        answer. Connecting may take at most 5 seconds.

        A request that timed out may have taken effect nevertheless, so KubeSpawner checks that before it repeats the
        request.
        """
    )

    k8s_api_request_retry_timeout = Float(
        30,
        min=0,
        config=True,
        help="""
        The time in seconds for which KubeSpawner repeats a failed request, with growing pauses. 0 means that it sends
        each request only once.

        It repeats a request only if the failure can heal: no connection, no answer, and the statuses 429, 500, 502, 503
        and 504. The time limit of a start or stop applies in any case.
        """
    )

    k8s_api_host = Unicode(
        '',
        config=True,
        help="""
        The URL of the Kubernetes API, such as `https://10.0.0.1:6443`. It replaces the URL that comes from the hub's
        pod or from the kubeconfig. The token and the certificates still come from there.

        The first spawner of the hub's process reads `k8s_api_host`, `k8s_api_ssl_ca_cert` and `k8s_api_verify_ssl`;
        later changes have no effect.
        """
    )

    @validate('k8s_api_host')
    def _api_host_is_a_url(self, proposal):
        host = proposal['value'].rstrip('/')
        if host and not re.match(r'https?://[^\s/?#@]+(/[^\s?#]*)?\Z', host):
            raise TraitError('KubeSpawner.k8s_api_host must be a URL such as https://10.0.0.1:6443, not %.100r.' % host)
        return host

    k8s_api_ssl_ca_cert = Unicode(
        '',
        config=True,
        help="""
        A file with the certificates (PEM) of the authorities that may sign the certificate of the Kubernetes API. It
        replaces the file that comes from the hub's pod or from the kubeconfig. It is an error if the file does not
        exist.
        """
    )

    @validate('k8s_api_ssl_ca_cert')
    def _ca_cert_is_there(self, proposal):
        if proposal['value'] and not _is_file(proposal['value']):
            raise TraitError('KubeSpawner.k8s_api_ssl_ca_cert: the file %.1000r does not exist.' % proposal['value'])
        return proposal['value']

    k8s_api_verify_ssl = Bool(
        None,
        allow_none=True,
        config=True,
        help="""
        Whether to verify the certificate of the Kubernetes API. None leaves this to the configuration of the hub's pod
        or to the kubeconfig. With False, anybody between the hub and the API can impersonate the API.
        """
    )

    namespace = Unicode(
        config=True,
        help="""
        The Kubernetes namespace of pods and persistent volume claims. With `enable_user_namespaces`, KubeSpawner uses
        the namespace of the user instead.

        The default is the hub's own namespace if the hub runs in a pod, and `default` otherwise.
        """
    )

    @default('namespace')
    def _namespace_default(self):
        return hub_namespace()

    @validate('namespace')
    def _namespace_is_one(self, proposal):
        if not re.match(r'[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z', proposal['value']):
            raise TraitError('KubeSpawner.namespace must be the name of a Kubernetes namespace (at most 63 characters '
                             'of a-z, 0-9 and -), not %.100r.' % proposal['value'])
        return proposal['value']

    enable_user_namespaces = Bool(
        False,
        config=True,
        help="""
        Give each user a namespace for all their pods and claims. KubeSpawner creates the namespace if it does not
        exist.

        The hub then needs its rights in all namespaces (a ClusterRole), and the rights to get and create namespaces.

        Changing this setting moves no files: a server that starts in another namespace uses a claim of that namespace.
        """
    )

    user_namespace_template = Unicode(
        '{hubnamespace}-{username}',
        config=True,
        help="""
        A template for the name of a user's namespace, see `enable_user_namespaces` and `pod_name_template`.
        `{hubnamespace}` is the namespace of the hub.

        After a change, a running server stays in its namespace until it stops. A server that has a claim stays in the
        namespace of the claim for good (see `remember_pvc_name`).
        """
    )

    user_namespace_labels = Dict(
        {},
        config=True,
        help="""
        Labels, by name, that a user's namespace gets when KubeSpawner creates it. The values are templates, see
        `pod_name_template`.
        """
    )

    user_namespace_annotations = Dict(
        {},
        config=True,
        help="""
        Annotations, by name, that a user's namespace gets when KubeSpawner creates it. The values are templates, see
        `pod_name_template`.
        """
    )

    hub_connect_ip = Unicode(
        None,
        allow_none=True,
        config=True,
        help="""
        The IP address or host name at which pods reach the hub's API. None takes it from the URL of the hub's API, or
        from `Spawner.hub_connect_url` if that is set (since JupyterHub 1.4).

        A port after it, as in `hub.example.org:8081`, counts if `hub_connect_port` is not set.

        Pods find the URL in the environment variables JUPYTERHUB_API_URL and JUPYTERHUB_ACTIVITY_URL; older versions of
        JupyterHub pass it as `--hub-api-url`.
        """
    )

    @validate('hub_connect_ip')
    def _hub_connect_ip_without_port(self, proposal):
        found = _HOST_AND_PORT.match(proposal['value'] or '')
        self._port_after_hub_connect_ip = int(found.group(2)) if found else None
        return found.group(1) if found else proposal['value']

    _port_after_hub_connect_ip = None

    hub_connect_port = Integer(
        min=1,
        max=65535,
        config=True,
        help="""
        The port at which pods reach the hub's API. The default is the port that stands after `hub_connect_ip`,
        otherwise the one that the hub listens on.
        """
    )

    @default('hub_connect_port')
    def _hub_connect_port_default(self):
        return self._port_after_hub_connect_ip or port_of(urlparse(self.hub.api_url))


def hub_namespace():
    """Return the namespace of the hub's pod, which Kubernetes writes to a file in each pod; outside a pod `default`."""
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
    except ValueError:  # before Python 3.8, for a string that cannot be a path
        return False


def port_of(url):
    """Return the port of a parsed URL."""
    return url.port or (443 if url.scheme == 'https' else 80)
