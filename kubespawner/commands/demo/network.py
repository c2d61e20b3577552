"""Ports and addresses of this machine: which are free, and which the pods of a cluster can reach. Sends no data."""
import socket
import sys
from urllib.parse import urlparse

from .output import DemoError

# Sockets that are bound to a port, and listen on none, until the process ends.
_reserved = []


def port_is_free(port):
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(('127.0.0.1', port))
        except PermissionError:
            raise DemoError('--port %d: only root can use ports below 1024; choose another port.' % port)
        except OSError:
            return False
        return True


def port_answers(address):
    """Return whether a process listens at `address`, a tuple of host and port. It is sent nothing."""
    try:
        socket.create_connection(address, timeout=5).close()
    except OSError:
        return False
    return True


def free_ports(wanted):
    """Yield `wanted` and up to 99 ports after it, if they are free. Raises DemoError when there are no more."""
    if not 1 <= wanted <= 65535:
        raise DemoError('--port %d: a port must be a number from 1 to 65535.' % wanted)
    for port in range(wanted, min(wanted + 100, 65536)):
        if port_is_free(port):
            yield port
    raise DemoError('There is no free port from %d on; choose another one with --port.' % wanted)


def any_free_port():
    """Return a port that is free at all addresses of this machine.

    On Linux, it is reserved until this process ends: the system gives it to nobody who asks for any port. A server that
    is given this port can still listen on it, because servers set SO_REUSEADDR. Other systems do not allow that.
    """
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(('', 0))
    port = sock.getsockname()[1]
    if sys.platform.startswith('linux'):
        _reserved.append(sock)
    else:
        sock.close()
    return port


def address_for_pods(api_url):
    """Return an address of this machine that pods of the cluster at `api_url` can probably reach. Sends nothing.

    This is the address from which this machine reaches the cluster. If that is a loopback address (the cluster is a
    container or a forwarded port), it is the address from which this machine reaches the Internet.
    """
    where = urlparse(api_url)
    for host in (where.hostname, '192.0.2.1'):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            try:
                sock.connect((host, where.port or 443))
            except OSError:
                continue
            address = sock.getsockname()[0]
            if not address.startswith('127.'):
                return address
    raise DemoError('It is not clear at which address the pods of the cluster at %s reach this machine; '
                    'give the address with --hub-ip.' % api_url)
