"""Port-forward: connections from a client to ports of a pod.

What belongs here: connecting, and copying bytes. What does not: negotiating the protocol (upgrades.py), Services
(forwarding.py). Everything runs on the loop thread of the server.
"""
import struct

from tornado import gen, iostream
from tornado.tcpclient import TCPClient

from . import errors, spdy

CHUNK = 32 * 1024
FAILED = 'error forwarding port %d to pod: failed to connect to %s:%d: %s'


class Forwarded(object):
    """One connection to a port of a pod.

    send(bytes), fail(str): give the client data, or the reason why there is no connection. They return Futures.
    finish(): called when the pod has closed the connection, or could not be reached.
    """

    def __init__(self, address, port, send, fail, finish):
        self.address = address
        self.port = port
        self.send = send
        self.fail = fail
        self.finish = finish
        self._waiting = []  # what the client has sent before the connection was there; None is the end
        self._socket = None

    @gen.coroutine
    def run(self):
        try:
            self._socket = yield TCPClient().connect(self.address, self.port)
        except OSError as e:
            cause = getattr(e, 'real_error', None) or e
            self.fail(FAILED % (self.port, self.address, self.port, (cause.strerror or str(cause)).lower()))
        else:
            yield self.copy()
            self.close()
        self.finish()

    @gen.coroutine
    def copy(self):
        """Give the client what the pod sends, until one of them closes the connection."""
        waiting, self._waiting = self._waiting, []
        for data in waiting:
            self.receive(data)
        try:
            while True:
                data = yield self._socket.read_bytes(CHUNK, partial=True)
                yield self.send(data)
        except iostream.StreamClosedError:
            pass

    def receive(self, data):
        """Send data from the client to the pod. None means that no more will follow."""
        if self._socket is None:
            self._waiting.append(data)
        elif data is not None and not self._socket.closed():
            self._socket.write(data)

    def close(self):
        if self._socket:
            self._socket.close()


class PortForward(object):
    """SPDY: for each connection the client opens two streams, for errors and for data, with the same request id."""

    def __init__(self, address, transmit):
        self.address = address
        self.session = spdy.Session(transmit, self.add)
        self._errors = {}  # request id -> stream
        self._running = set()

    def opened(self):
        pass

    def receive(self, data):
        self.session.receive(data)

    def add(self, stream):
        request, kind = stream.headers.get('requestid'), stream.headers.get('streamtype')
        port = stream.headers.get('port', '')
        if kind == 'error':
            self._errors[request] = stream
        elif kind == 'data' and request in self._errors and port.isdigit():
            self.forward(int(port), stream, self._errors.pop(request))
        else:
            stream.reset()

    def forward(self, port, data, error):
        def finish():
            self._running.discard(forwarded)
            for stream in (data, error):
                stream.end()
                self.session.streams.pop(stream.number, None)

        forwarded = Forwarded(self.address, port, data.send, lambda text: error.send(text.encode('utf8')), finish)
        data.on_data = forwarded.receive
        data.on_end = lambda: forwarded.receive(None)
        self._running.add(forwarded)
        forwarded.run()

    def end(self):
        self.session.end()
        for forwarded in list(self._running):
            forwarded.close()


class WebSocketPorts(object):
    """A WebSocket of older clients: two channels for each port of the request, for data and for errors."""

    def __init__(self, address, ports, transmit):
        self.ports = ports
        self.transmit = transmit
        self._connections = [Forwarded(address, port, self.sender(2 * i), self.failer(2 * i + 1), lambda: None)
                             for i, port in enumerate(ports)]

    def sender(self, channel):
        return lambda data: self.transmit(bytes([channel]) + data)

    def failer(self, channel):
        return lambda text: self.transmit(bytes([channel]) + text.encode('utf8'))

    def opened(self):
        for i, port in enumerate(self.ports):
            for channel in (2 * i, 2 * i + 1):
                self.transmit(bytes([channel]) + struct.pack('<H', port))
        for connection in self._connections:
            connection.run()

    def receive(self, message):
        if len(message) > 1 and message[0] % 2 == 0 and message[0] // 2 < len(self._connections):
            self._connections[message[0] // 2].receive(message[1:])

    def end(self):
        for connection in self._connections:
            connection.close()


def check_ports(arguments):
    """Return the ports of a request. Raise ApiError 400."""
    texts = [text for argument in arguments for text in argument.split(',')]
    if not texts:
        raise errors.bad_request('query parameter "port" is required')
    for text in texts:
        if not text.isdigit() or not 0 < int(text) < 65536:
            raise errors.bad_request('unable to parse "%s" as a port' % text)
    if len(texts) > 127:
        raise errors.bad_request('too many ports')
    return [int(text) for text in texts]
