"""Connections to services: what listens at the address of a service passes them on to a pod, as kube-proxy does.

What belongs here: listening, and copying bytes. What does not: which pods there are (endpoints.py), the names of
services (hosts.py). Everything runs on the loop thread of the server. Only TCP is passed on.
"""
import itertools
import logging
import zlib

from tornado import gen, iostream
from tornado.netutil import bind_sockets
from tornado.tcpclient import TCPClient
from tornado.tcpserver import TCPServer

from .later import OnceLater

CHUNK = 64 * 1024
log = logging.getLogger('kubespawner.localkube')


class ServiceProxy(object):
    """Listens for each service that has ready pods: at its address, and at the node's address for its node ports.

    node (str): the address of the node.
    events (EventRecorder): where it reports addresses at which it cannot listen.
    """

    def __init__(self, store, node, events):
        self.store = store
        self.node = node
        self.events = events
        self._forwarders = {}  # (namespace, name) of a service -> {(address, port): Forwarder}
        self.sync_later = OnceLater(self.sync)
        for resource in ('services', 'endpoints'):
            store.watch(resource, lambda change: self.sync_later(change.key))

    def sync(self, key):
        service, endpoints = self.store.get('services', *key), self.store.get('endpoints', *key)
        wanted = listeners(service, endpoints, self.node) if service and endpoints else {}
        running = self._forwarders.setdefault(key, {})
        for place in set(running) - set(wanted):
            running.pop(place).stop()
        for place, targets in wanted.items():
            if place in running:
                running[place].targets = targets
            else:
                self.start(service, running, place, targets)
        if not running:
            self._forwarders.pop(key)

    def start(self, service, running, place, targets):
        sticky = service['spec']['sessionAffinity'] == 'ClientIP'
        try:
            running[place] = Forwarder(place, targets, sticky)
        except OSError as e:
            message = 'Cannot listen at %s:%d: %s' % (place + (e.strerror,))
            self.events.warning(service, 'FailedToListen', message)
            log.warning('Service %s: %s', service['metadata']['name'], message)

    def stop(self):
        for running in self._forwarders.values():
            for forwarder in running.values():
                forwarder.stop()
        self._forwarders = {}


def listeners(service, endpoints, node):
    """Return {(address, port) where a service can be reached: [(address, port) of a ready pod]}."""
    address, found = service['spec'].get('clusterIP', ''), {}
    for port in service['spec'].get('ports', ()):
        targets = targets_of(endpoints, port.get('name', ''))
        if targets and port['protocol'] == 'TCP':
            if address and address != 'None':
                found[address, port['port']] = targets
            if port.get('nodePort'):
                found[node, port['nodePort']] = targets
    return found


def targets_of(endpoints, port_name):
    return [(address['ip'], port['port']) for subset in endpoints.get('subsets', ())
            for port in subset.get('ports', ()) if port.get('name', '') == port_name
            for address in subset.get('addresses', ())]


class Forwarder(TCPServer):
    """Passes the connections to one address on to `targets`, in turn, or (if sticky) by the address of the client."""

    def __init__(self, place, targets, sticky):
        super().__init__()
        self.targets = targets
        self.sticky = sticky
        self._turns = itertools.count()
        self._streams = set()
        self.add_sockets(bind_sockets(place[1], place[0]))

    @gen.coroutine
    def handle_stream(self, stream, address):
        turn = zlib.crc32(address[0].encode('ascii')) if self.sticky else next(self._turns)
        try:
            target = yield TCPClient().connect(*self.targets[turn % len(self.targets)])
        except (OSError, iostream.StreamClosedError):
            stream.close()
            return
        self._streams |= {stream, target}
        yield [copy(stream, target), copy(target, stream)]
        self._streams -= {stream, target}

    def stop(self):
        """Stop listening, and close the connections."""
        super().stop()
        for stream in list(self._streams):
            stream.close()


@gen.coroutine
def copy(source, target):
    """Copy bytes until one side closes its connection, and then close the other one."""
    try:
        while True:
            data = yield source.read_bytes(CHUNK, partial=True)
            yield target.write(data)
    except iostream.StreamClosedError:
        source.close()
        target.close()
