"""The requests that the demo's proxy lets through: those meant for the demo, to processes of its own user.

Any thread. `is_of_another_user` reads what the kernel says of sockets; nothing else is read or sent.
"""
import os
import socket
import sys
from urllib.parse import urlparse

LISTENS = '0A'  # the state of a socket, as /proc/net/tcp has it


def refusal(headers, port):
    """Return why the proxy at `port` refuses a request with these headers, in a sentence; '' if it does not.

    A page of another site can have a browser send requests here: under the site's own name, which then leads to this
    machine, or from the site to this address.
    """
    hosts = ['127.0.0.1:%d' % port, 'localhost:%d' % port] + ['127.0.0.1', 'localhost'] * (port == 80)
    if headers.get('Host', '').lower() not in hosts:
        return 'The demo answers at http://%s and http://%s only.' % tuple(hosts[:2])
    origins = ['http://' + host for host in hosts]
    if any(headers[name].lower() not in origins for name in ('Origin', 'Sec-WebSocket-Origin') if name in headers):
        return 'The demo refuses requests that come from pages of other sites.'
    return ''


def is_of_another_user(url):
    """Return whether the port of 127.0.0.0/8 in a URL is not one at which a process of this user listens.

    Somebody else may have taken it before the hub or a notebook server could.
    """
    where = urlparse(url)
    if not where.hostname.startswith('127.'):
        return False
    address = int.from_bytes(socket.inet_aton(where.hostname), sys.byteorder)
    wanted = ['%08X:%04X' % (address, where.port or 80), LISTENS, str(os.geteuid())]
    with open('/proc/net/tcp') as f:
        return not any([fields[1], fields[3], fields[7]] == wanted for fields in map(str.split, f))
