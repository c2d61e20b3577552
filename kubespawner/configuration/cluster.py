"""Where things are: the Kubernetes API, the namespace of pods and claims, the hub as pods reach it."""
import multiprocessing
import os
import re
from urllib.parse import urlparse

from traitlets import Float, HasTraits, Integer, TraitError, Unicode, default, validate

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


def port_of(url):
    """Return the port of a parsed URL."""
    return url.port or (443 if url.scheme == 'https' else 80)
