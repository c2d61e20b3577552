"""A TCP proxy in front of an API server, that behaves as badly as networks and servers do. TLS passes through it.

One thread carries all connections. The methods of `Proxy` may be called from any other; they return when what they ask
for has happened.
"""
import selectors
import socket
import struct
import threading
from collections import deque
from concurrent.futures import Future

PATIENCE = 10  # seconds for a step that takes none
CHUNK = 65536  # bytes


def bound_socket(port):
    """Return a socket that is bound to the port, and does not listen. Others that are bound like it may listen."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(('127.0.0.1', port))
    return sock


class Connection:
    """Two sockets: the client's, and ours to the server. `answered` counts the bytes that came back."""

    def __init__(self, client, server):
        self.ends = {client: server, server: client}
        self.client = client
        self.answered = 0


class Proxy:
    """`with Proxy(port) as proxy: …` carries what arrives at `proxy.port` to a server's port; both of 127.0.0.1."""

    def __init__(self, server_port):
        self.server_port = server_port
        self.accepted = 0  # connections
        self._selector = selectors.DefaultSelector()
        self._connections = set()
        self._calls = deque()
        self._waker, self._woken = socket.socketpair()
        # Keeps the port for us, also while we refuse: otherwise a server of another test might be given it.
        self._place, self._listener = bound_socket(0), None
        self._stalled, self._greeting, self._cuts, self._cut_after = False, None, 0, 0
        self._running = True
        self.port = self._place.getsockname()[1]
        self._listen()
        self._selector.register(self._woken, selectors.EVENT_READ, self._obey)
        self._thread = threading.Thread(target=self._run, name='proxy', daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc_info):
        self._do(self._end)
        self._thread.join(PATIENCE)

    # What can go wrong

    def refuse(self):
        """Refuse new connections, and reset those that there are: the server has died."""
        self._do(self._stop_listening, lambda: self._close_all(reset=True))

    def reset(self):
        """Reset all connections."""
        self._do(lambda: self._close_all(reset=True))

    def cut(self, after=None, times=1):
        """Close all connections; with `after` (bytes) instead the next `times` that bring as many more as answers."""
        if after is None:
            self._do(self._close_all)
        else:
            self._do(lambda: self._cut_later(after, times))

    def stall(self):
        """Carry nothing any more, on any connection, and close none: half of each is open."""
        self._do(lambda: self._set_stalled(True))

    def greet(self, data):
        """Close all connections, and answer new ones with `data`, whatever they ask; b'' closes them at once."""
        self._do(lambda: setattr(self, '_greeting', data), self._close_all)

    def resume(self):
        """Behave well again. What was held back by `stall` is carried."""
        self._do(self._behave)

    # On the proxy's thread

    def _do(self, *functions):
        for function in functions:
            future = Future()
            self._calls.append((function, future))
            self._waker.send(b'.')
            future.result(PATIENCE)

    def _obey(self):
        self._woken.recv(1)
        function, future = self._calls.popleft()
        try:
            future.set_result(function())
        except Exception as e:  # for the thread that called
            future.set_exception(e)

    def _run(self):
        while self._running:
            for key, _ in self._selector.select():
                if self._is_attended(key.fileobj):  # not closed by one that was served before it
                    key.data()

    def _end(self):
        self._running = False
        self._close_all()
        self._stop_listening()
        self._place.close()

    def _behave(self):
        self._greeting, self._cuts = None, 0
        self._set_stalled(False)
        self._listen()

    def _listen(self):
        if self._listener is None:
            self._listener = bound_socket(self.port)
            self._listener.listen(128)
            self._selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def _stop_listening(self):
        if self._listener is not None:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None

    def _accept(self):
        client, _ = self._listener.accept()
        self.accepted += 1
        client.settimeout(PATIENCE)
        if self._greeting is not None:
            client.sendall(self._greeting)
            client.close()
            return
        try:
            server = socket.create_connection(('127.0.0.1', self.server_port), PATIENCE)
        except OSError:
            client.close()
            return
        connection = Connection(client, server)
        self._connections.add(connection)
        if not self._stalled:
            self._watch_wait_up(connection)

    def _watch_wait_up(self, connection):
        for end in connection.ends:
            self._selector.register(end, selectors.EVENT_READ, lambda end=end: self._carry(connection, end))

    def _carry(self, connection, end):
        try:
            data = end.recv(CHUNK)
            if end is not connection.client:
                data = self._shortened(connection, data)
            if data:
                connection.ends[end].sendall(data)
                return
        except OSError:
            pass
        self._close(connection)

    def _shortened(self, connection, data):
        """Return as much of an answer as is to arrive; after less than all of it the connection ends."""
        connection.answered += len(data)
        too_much = connection.answered - self._cut_after
        if not self._cuts or too_much < 0:
            return data
        self._cuts -= 1
        connection.client.sendall(data[:len(data) - too_much])
        return b''

    def _cut_later(self, after, times):
        self._cuts, self._cut_after = times, after
        for connection in self._connections:
            connection.answered = 0

    def _set_stalled(self, stalled):
        if stalled != self._stalled:
            self._stalled = stalled
            for connection in self._connections:
                if stalled:
                    for end in connection.ends:
                        self._selector.unregister(end)
                else:
                    self._watch_wait_up(connection)

    def _close_all(self, reset=False):
        for connection in list(self._connections):
            self._close(connection, reset)

    def _close(self, connection, reset=False):
        self._connections.discard(connection)
        if reset:
            connection.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        for end in connection.ends:
            if self._is_attended(end):
                self._selector.unregister(end)
            end.close()

    def _is_attended(self, end):
        return end.fileno() >= 0 and end in self._selector.get_map()
