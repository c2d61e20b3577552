"""Requests that upgrade their connection: exec, attach and port-forward of pods, over WebSockets or SPDY.

What belongs here: negotiating the protocol, and bytes in both directions. What does not: what they mean (channels.py,
portforward.py), running a command (execution.py). Everything runs on the loop thread of the server.

Newer clients begin with a WebSocket and fall back to SPDY. For port-forward their WebSocket carries SPDY.
"""
from tornado import gen, iostream, websocket

from . import errors, spdy
from .channels import SPDY_PROTOCOLS, WEB_SOCKET_PROTOCOLS, SpdyChannels, WebSocketChannels
from .execution import attach, execute
from .portforward import PortForward, WebSocketPorts, check_ports
from .streams import StreamHandler

TUNNEL = 'SPDY/3.1+portforward.k8s.io'
SPDY_PORT_FORWARD = 'portforward.k8s.io'
CHUNK = 64 * 1024


class UpgradeHandler(websocket.WebSocketHandler, StreamHandler):
    """Upgrades connections. `peer` has `receive(bytes)` and `end()`; it gets what the client sends."""

    peer = None

    def connect(self):
        """Handle pods/exec, pods/attach and pods/portforward. Return a coroutine function that serves the client."""
        pod = self.api.registry.get(*self.key)
        wanted = self.request.headers.get('Upgrade', '').lower()
        if wanted == 'websocket' and self.request.method == 'GET':
            self.peer = self.choose(pod, self.proposed('Sec-WebSocket-Protocol'), WEB_SOCKET_PROTOCOLS, TUNNEL)
            return self.open_web_socket
        if wanted == 'spdy/3.1':
            self.peer = self.choose(pod, self.proposed('X-Stream-Protocol-Version'), SPDY_PROTOCOLS, SPDY_PORT_FORWARD)
            return self.run_spdy
        raise errors.bad_request('Upgrade request required')

    def proposed(self, header):
        return [each.strip() for value in self.request.headers.get_list(header) for each in value.split(',')]

    def choose(self, pod, proposed, protocols, port_forward):
        """Return what serves the request. Raise ApiError 400, 403 or 500 if nothing can."""
        forward = self.subresource == 'portforward'
        known = [port_forward] if forward and port_forward in proposed else protocols
        self.protocol = next((each for each in known if each in proposed), None)
        if self.protocol is None:
            raise errors.ApiError(403, 'Forbidden', 'unable to upgrade: unable to negotiate protocol: client supports '
                                  '%s, server supports %s' % (proposed, known + ([port_forward] if forward else [])))
        if self.api.node is None or not pod['spec'].get('nodeName'):
            raise errors.bad_request('pod %s does not have a host assigned' % pod['metadata']['name'])
        if not forward:
            return self.choose_channels(pod)
        address = self.api.node.address_of(pod)
        if self.protocol == port_forward:
            return PortForward(address, self.transmit)
        return WebSocketPorts(address, check_ports(self.get_query_arguments('ports')), self.transmit)

    def choose_channels(self, pod):
        wanted = [name for name in ('stdin', 'stdout', 'stderr') if self.flag(name)]
        tty = self.flag('tty')
        if not wanted:
            raise errors.bad_request('you must specify at least 1 of stdin, stdout, stderr')
        if tty and 'stderr' in wanted:
            raise errors.invalid('PodExecOptions', '', [('FieldValueInvalid', 'stderr', 'Invalid value: true: tty and '
                                                         'stderr cannot both be true')])
        container = self.api.node.running_container(pod, self.query('container'))
        command = self.get_query_arguments('command', strip=False)
        if self.subresource == 'exec' and not command:
            raise errors.invalid('PodExecOptions', '', [('FieldValueRequired', 'command', 'Required value')])
        over = WebSocketChannels if self.protocol in WEB_SOCKET_PROTOCOLS and not self.is_spdy() else SpdyChannels
        channels = over(self.protocol, wanted, tty, self.transmit, self.hang_up)
        if self.subresource == 'exec':
            channels.start = lambda: execute(container, command, channels)
        else:
            channels.start = lambda: attach(container, channels)
        return channels

    def is_spdy(self):
        return self.request.headers.get('Upgrade', '').lower() == 'spdy/3.1'

    # WebSockets: tornado calls these

    @gen.coroutine
    def open_web_socket(self):
        done = websocket.WebSocketHandler.get(self)
        if done is not None:
            yield gen.convert_yielded(done)

    def check_origin(self, origin):
        return True  # a browser cannot send the token of another site's user

    def select_subprotocol(self, subprotocols):
        return self.protocol

    def open(self):
        self.peer.opened()

    def on_message(self, message):
        self.deliver(message.encode('utf8') if isinstance(message, str) else message)

    def on_close(self):
        if self.peer:
            self.peer.end()

    def on_connection_close(self):
        websocket.WebSocketHandler.on_connection_close(self)
        StreamHandler.on_connection_close(self)

    # SPDY

    @gen.coroutine
    def run_spdy(self):
        self._finished = True
        self._auto_finish = False
        self.socket = self.request.connection.detach()
        head = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: SPDY/3.1',
                'X-Stream-Protocol-Version: ' + self.protocol, '', '']
        self.api.connections.add(self.socket)
        try:
            yield self.socket.write('\r\n'.join(head).encode('latin1'))
            self.peer.opened()
            while True:
                data = yield self.socket.read_bytes(CHUNK, partial=True)
                self.deliver(data)
        except iostream.StreamClosedError:
            pass
        finally:
            self.api.connections.discard(self.socket)
            self.peer.end()

    # Both

    def deliver(self, data):
        try:
            self.peer.receive(data)
        except spdy.ProtocolError:
            self.hang_up()

    @gen.coroutine
    def transmit(self, data):
        """Send bytes. Raise StreamClosedError if the client has closed the connection."""
        if self.is_spdy():
            yield self.socket.write(data)
            return
        try:
            yield self.write_message(data, binary=True)
        except websocket.WebSocketClosedError:
            raise iostream.StreamClosedError()

    def hang_up(self):
        if self.is_spdy():
            self.socket.close()
        else:
            self.close(1000)
