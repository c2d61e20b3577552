"""Settings of the Kubernetes API, the namespace of pods and claims, and the address at which pods reach the hub."""
import functools
import multiprocessing
import os
import re
from urllib.parse import urlparse

from jupyterhub.objects import Hub
from traitlets import Bool, Dict, Float, HasTraits, Integer, TraitError, Unicode, default, validate

from ..objects import SERVICE_ACCOUNT_DIRECTORY

# A name, an IPv4 address, or an IPv6 address in brackets, and a port. Without brackets the colons are of an address.
_HOST_AND_PORT = re.compile(r'([^:\[\]/]+|\[[^\[\]]+\]):([0-9]{1,5})\Z')

NAMESPACE_FILE = os.path.join(SERVICE_ACCOUNT_DIRECTORY, 'namespace')


class ApiConfiguration(HasTraits):
    """Settings of the Kubernetes API, which the proxy has as well."""

    _section = 'KubeSpawner'  # of the configuration, for messages

    k8s_api_threadpool_workers = Integer(
        5 * multiprocessing.cpu_count(),
        min=1,
        config=True,
        help="""
        The number of threads that send requests to the Kubernetes API. All spawners share them.

        KubeSpawner reads this setting only once, when the hub creates its first spawner.
        """
    )

    k8s_api_request_timeout = Float(
        30,
        min=0.001,
        config=True,
        help="""
        The time in seconds that KubeSpawner waits for a response from the Kubernetes API, and then for each further
        part of a long response. KubeSpawner waits at most 5 seconds for a connection.

        A request that timed out may still have taken effect. KubeSpawner checks this before it repeats the request.
        """
    )

    k8s_api_request_retry_timeout = Float(
        30,
        min=0,
        config=True,
        help="""
        The time in seconds during which KubeSpawner retries a failed request, with increasing pauses. With 0, it never
        retries.

        KubeSpawner retries a request only after a temporary failure: a connection error, a timeout, or the HTTP status
        429, 500, 502, 503 or 504. It does not retry after the time limit of the start or stop.
        """
    )

    k8s_api_host = Unicode(
        '',
        config=True,
        help="""
        The URL of the Kubernetes API, such as `https://10.0.0.1:6443`. By default, KubeSpawner uses the URL from the
        in-cluster configuration or the kubeconfig file. The credentials always come from there.

        KubeSpawner reads this setting only once, when the hub creates its first spawner.
        """
    )

    @validate('k8s_api_host')
    def _api_host_is_a_url(self, proposal):
        host = proposal['value'].rstrip('/')
        if not is_url_of_api(host):
            raise TraitError('%s.k8s_api_host must be a URL such as https://10.0.0.1:6443, not %.100r.' % (
                self._section, host))
        return host

    k8s_api_ssl_ca_cert = Unicode(
        '',
        config=True,
        help="""
        The path of a PEM file with the CA certificates to trust when connecting to the Kubernetes API. By default,
        KubeSpawner uses the CA certificates from the in-cluster configuration or the kubeconfig file.

        KubeSpawner reads this setting only once, when the hub creates its first spawner.
        """
    )

    @validate('k8s_api_ssl_ca_cert')
    def _ca_cert_is_there(self, proposal):
        if proposal['value'] and not _is_file(proposal['value']):
            raise TraitError('%s.k8s_api_ssl_ca_cert: the file %.1000r does not exist.' % (
                self._section, proposal['value']))
        return proposal['value']

    k8s_api_verify_ssl = Bool(
        None,
        allow_none=True,
        config=True,
        help="""
        Whether to verify the TLS certificate of the Kubernetes API. None means that the in-cluster configuration or the
        kubeconfig file decides. With False, anyone on the network between the hub and the API can impersonate the API.

        KubeSpawner reads this setting only once, when the hub creates its first spawner.
        """
    )


class ClusterConfiguration(ApiConfiguration):
    """Settings of the Kubernetes API, the namespace of pods and claims, and the address at which pods reach the hub."""

    namespace = Unicode(
        config=True,
        help="""
        The Kubernetes namespace in which KubeSpawner creates pods and PVCs. With `enable_user_namespaces`, it uses the
        namespace of the user instead.

        The default is the namespace of the hub's own pod. If the hub does not run in a pod, it is `default`.
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
        Use a separate namespace for the pods and PVCs of each user. KubeSpawner creates the namespace if it does not
        exist.

        The hub needs the permissions that it otherwise has in one namespace in each of them, and the permissions to get
        and create namespaces. With a ClusterRole, it keeps one watch for all namespaces. Without permissions in the
        whole cluster, it keeps one watch for each namespace that has a running server.

        Changing this setting does not move any files. A server that starts in another namespace uses a PVC in that
        namespace.
        """
    )

    user_namespace_template = Unicode(
        '{hubnamespace}-{username}',
        config=True,
        help="""
        A template for the name of a user's namespace, see `enable_user_namespaces` and `pod_name_template`.
        `{hubnamespace}` is the namespace of the hub.

        A change does not affect running servers. A server that has a PVC stays in the namespace of the PVC even after
        it stops (see `remember_pvc_name`).
        """
    )

    adopt_user_namespaces = Bool(
        False,
        config=True,
        help="""
        Use the namespace of a user even if it exists already and does not belong to the user. Otherwise, such a server
        does not start: a user whose name happens to complete the name of another namespace would get access to all that
        is in it.

        A namespace belongs to a user if KubeSpawner created it, if the annotation `hub.jupyter.org/username` contains
        the name of the user, or if the user has a PVC or a pod of this hub in it. KubeSpawner does not check namespaces
        if `user_namespace_template` contains neither the name of the user nor that of the server.
        """
    )

    user_namespace_labels = Dict(
        {},
        config=True,
        help="""
        Labels that KubeSpawner sets when it creates the namespace of a user: a dict of names and values. The values are
        templates, see `pod_name_template`.
        """
    )

    user_namespace_annotations = Dict(
        {},
        config=True,
        help="""
        Annotations that KubeSpawner sets when it creates the namespace of a user: a dict of names and values. The
        values are templates, see `pod_name_template`.
        """
    )

    hub_connect_ip = Unicode(
        None,
        allow_none=True,
        config=True,
        help="""
        The IP address or host name at which pods reach the hub's API. None means the host in `Spawner.hub_connect_url`
        (since JupyterHub 1.4), or else the host in the URL of the hub's API.

        If the value contains a port, as in `hub.example.org:8081`, it applies unless `hub_connect_port` is set.

        Pods get the URL from the environment variables JUPYTERHUB_API_URL and JUPYTERHUB_ACTIVITY_URL, or from the
        argument `--hub-api-url` in old versions of JupyterHub.
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
        The port at which pods reach the hub's API. The default is the port after the host in `hub_connect_ip`, or else
        the one that the hub listens on. `Spawner.hub_connect_url` (since JupyterHub 1.4) applies only if neither
        setting is used.
        """
    )

    @default('hub_connect_port')
    def _hub_connect_port_default(self):
        return self._port_after_hub_connect_ip or port_of(urlparse(api_url_of(self.hub)))


def is_url_of_api(url):
    """Return whether `k8s_api_host` can have this value: a URL without query and user, or an empty string."""
    return not url or re.match(r'https?://[^\s/?#@]+(/[^\s?#]*)?\Z', url) is not None


def hub_namespace():
    """Return the namespace of the hub's pod, or `default` if the hub does not run in a pod."""
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


_looked_up = [None, None, None]  # a hub, the values of its traits, and the URL of its API then


def api_url_of(hub):
    """Return `hub.api_url`, as it was looked up last if the hub's settings have not changed since.

    JupyterHub looks up the name of its host for it, twice, while other threads may hold up the loop.
    """
    if type(hub) is not Hub:
        return hub.api_url
    known, values, url = _looked_up
    if hub is not known or values != hub._trait_values:
        url = hub.api_url
        _looked_up[:] = hub, dict(hub._trait_values), url
    return url


def port_of(url):
    """Return the port of a parsed URL."""
    return url.port or (443 if url.scheme == 'https' else 80)
