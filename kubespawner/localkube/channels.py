"""The channels of a remote command: standard input, output and error, the size of the terminal, and the result.

What belongs here: how Kubernetes carries them over WebSockets and SPDY. What does not: the connection (upgrades.py),
the command (execution.py). Everything runs on the loop thread of the server.

Of the protocols, v5 lets a WebSocket end its standard input, and v4 gives the result as a Status.
"""
import json

from . import spdy

SPDY_PROTOCOLS = ['v4.channel.k8s.io', 'v3.channel.k8s.io']
WEB_SOCKET_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io']
NAMES = ['stdin', 'stdout', 'stderr', 'error', 'resize']
CLOSE = 255  # of v5: the next byte is the number of the channel that the client has ended


class Channels(object):
    """The channels of one client.

    wanted (list of str): those of stdin, stdout and stderr that the client asks for.
    tty (bool): whether the client asks for a terminal.
    transmit(bytes): writes to the connection, and returns a Future that fails when the connection is closed.
    hang_up(): closes the connection.

    Whoever uses them sets `start()`, which is called when all channels are there, and these:
    on_input(bytes), on_input_end(), on_resize(width, height), on_close().
    """

    def __init__(self, protocol, wanted, tty, transmit, hang_up):
        self.protocol = protocol
        self.wanted = wanted
        self.tty = tty
        self.transmit = transmit
        self.hang_up = hang_up
        self.start = self.on_input_end = self.on_close = lambda: None
        self.on_input = lambda data: None
        self.on_resize = lambda width, height: None

    def handle(self, name, data):
        if name == 'stdin' and data:
            self.on_input(data)
        elif name == 'resize' and data:
            self.resize(data)

    def resize(self, data):
        try:
            size = json.loads(data.decode('utf8'))
            self.on_resize(int(size['Width']), int(size['Height']))
        except (ValueError, KeyError, TypeError):
            pass  # as the real one does

    def end(self):
        """The connection has ended."""
        self.on_input_end()
        self.on_close()


class WebSocketChannels(Channels):
    """Every message begins with the number of its channel."""

    def opened(self):
        first = next((name for name in ('stdout', 'stderr') if name in self.wanted), 'error')
        self.send(first, b'')  # which tells clients that the connection works
        self.start()

    def receive(self, message):
        if not message:
            return
        if message[0] == CLOSE and self.protocol.startswith('v5'):
            if message[1:2] == b'\0':
                self.on_input_end()
        elif message[0] < len(NAMES):
            self.handle(NAMES[message[0]], message[1:])

    def send(self, name, data):
        return self.transmit(bytes([NAMES.index(name)]) + data)

    def finish(self, status):
        self.send('error', json.dumps(status).encode('utf8'))
        self.hang_up()


class SpdyChannels(Channels):
    """Every channel is a stream, which the client opens."""

    def opened(self):
        self._session = spdy.Session(self.transmit, self.add)
        self._streams = {}
        self._missing = {'error'} | {name for name in self.wanted} | ({'resize'} if self.tty else set())

    def receive(self, data):
        self._session.receive(data)

    def add(self, stream):
        name = stream.headers.get('streamtype')
        if name not in self._missing:
            stream.reset()
            return
        self._missing.discard(name)
        self._streams[name] = stream
        stream.on_data = lambda data: self.handle(name, data)
        if name == 'stdin':
            stream.on_end = lambda: self.on_input_end()
        if not self._missing:
            self.start()

    def send(self, name, data):
        return self._streams[name].send(data)

    def finish(self, status):
        self.send('error', json.dumps(status).encode('utf8'))
        for name, stream in self._streams.items():
            if name not in ('stdin', 'resize'):
                stream.end()

    def end(self):
        self._session.end()
        super().end()
