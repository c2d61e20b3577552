"""Where pods reach the hub: what its URL says, and whether somebody listens there."""
import ipaddress
import socket
from urllib.parse import urlparse

from .findings import broken, fine, unknown, warning

SECONDS = 3  # that a connection may take

ADVICE = ("Set c.JupyterHub.hub_ip = '0.0.0.0', and c.KubeSpawner.hub_connect_ip to the name or the address at which "
          'pods reach the hub, such as the name of its service.')

ADVICE_OF_HOSTS = ('c.KubeSpawner.hub_connect_ip is a name or an address only, without http:// and without a port. The '
                   'port is c.KubeSpawner.hub_connect_port.')


def address(api_url, listens_on, own_name='', pods_are_here=False, resolve=socket.getaddrinfo,
            connect=socket.create_connection):
    """Check where pods reach the hub.

    api_url (str): the URL that pods get. listens_on (str): the host that the hub binds.
    own_name (str): the name of this machine. pods_are_here (bool): pods have the network of this machine.
    """
    try:
        url = urlparse(api_url)
        host, port = url.hostname or '', url.port
    except ValueError:
        return [_no_url(api_url)]
    if '//' in url.path or ':' in url.path:
        return [_no_url(api_url)]
    if not host or is_local(host) and not pods_are_here:
        return [broken('Pods are told to reach the hub at %s, which is the pod itself.' % api_url, ADVICE)]
    if is_local(listens_on) and listens_on != '0.0.0.0' and not pods_are_here:
        return [broken('The hub listens on %s only, and pods are told to reach it at %s.' % (listens_on, api_url),
                       "Set c.JupyterHub.hub_ip = '0.0.0.0'.")]
    if host == own_name:
        return [warning('Pods are told to reach the hub at %s, by the name of this machine or pod, which other pods '
                        'hardly know.' % api_url, ADVICE)]
    try:
        resolve(host, None)
    except OSError:
        return [warning('The name of the hub in %s is not known here; pods may know it.' % api_url,
                        'Check it in a pod: kubespawner doctor --with-pod')]
    except UnicodeError:
        return [broken('The host in %s is no name that can be looked up.' % api_url, ADVICE)]
    try:
        connect((host, port or (443 if url.scheme == 'https' else 80)), SECONDS).close()
    except OSError as e:
        return [unknown('Nobody answers at %s now, from here (%s). Does the hub run?' % (api_url, e),
                        'Check it in a pod while the hub runs: kubespawner doctor --with-pod')]
    return [fine('Somebody listens at %s, where pods reach the hub.' % api_url)]


def _no_url(api_url):
    return broken('Pods are told to reach the hub at %s, which is no URL of a hub.' % api_url, ADVICE_OF_HOSTS)


def is_local(host):
    """Return whether a host is the machine or the pod itself."""
    if host.lower().rstrip('.') in ('localhost', 'localhost.localdomain'):
        return True
    try:
        parsed = ipaddress.ip_address(host.strip('[]'))
    except ValueError:
        return False
    return parsed.is_loopback or parsed.is_unspecified
