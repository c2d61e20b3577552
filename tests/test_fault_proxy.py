"""The proxy of the fault tests: what it does to connections is what it is asked to do."""
import socket

import pytest

from tests.faults.proxy import Proxy


def test_nobody_else_is_given_the_port_of_a_proxy_that_refuses():
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        server.listen(1)
        with Proxy(server.getsockname()[1]) as proxy:
            proxy.refuse()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(('127.0.0.1', proxy.port))
            with socket.socket() as other, pytest.raises(OSError):
                other.bind(('127.0.0.1', proxy.port))  # as the system does when it looks for a port to give away
            proxy.resume()
            socket.create_connection(('127.0.0.1', proxy.port)).close()
