"""The API server: the store, the port, and the data that all requests share.

What belongs here: listening, stopping, and the requests that add users and inject faults. What does not: other requests
(handlers.py). Everything runs on one loop thread, so handlers share Api without locks.
"""
import json
from datetime import timedelta

from tornado import gen, web
from tornado.netutil import bind_sockets

from . import errors, openapi, releases
from .access import Access
from .connections import Server
from .faults import Faults
from .handlers import Handler
from .registry import Registry
from .requests import BaseHandler
from .resources import discovery
from .store import Store

LARGEST_REQUEST = 16 * 2 ** 20  # bytes, after which the connection is closed; see also requests.LARGEST_BODY
STOP_SECONDS = 2


class Api(object):
    """What all handlers share. Cluster sets `node`, the kubelet, and `logs`, which returns the logs of containers."""

    def __init__(self, token, ssl_context, port=0, rbac=False, release=releases.TODAY):
        self.release = release
        self.store = Store()
        self.registry = Registry(self.store, release)
        self.access = Access(self.registry, token, rbac)
        self.faults = Faults()
        self.watches = set()  # the handlers of running watches
        self.stalled = False
        self.logs = None
        self.node = None
        self.connections = set()  # sockets of upgraded connections
        sockets = listen(port)
        self.port = sockets[0].getsockname()[1]
        self.documents = dict(discovery('127.0.0.1:%d' % self.port, release), **openapi.documents(release))
        self.server = Server(web.Application([('/localkube/(.*)', SwitchHandler, {'api': self}),
                                                  ('.*', Handler, {'api': self})], log_function=lambda handler: None),
                                 ssl_options=ssl_context, max_buffer_size=LARGEST_REQUEST)
        self.server.add_sockets(sockets)

    @gen.coroutine
    def stop(self):
        """Stop listening, and close all connections, so that no client waits for a response."""
        self.server.stop()
        self.cut_watches()
        for connection in list(self.connections):
            connection.close()
        try:
            yield gen.with_timeout(timedelta(seconds=STOP_SECONDS), gen.convert_yielded(
                self.server.close_all_connections()))
        except gen.TimeoutError:
            pass  # an injected fault still delays a request

    def stall_watches(self):
        self.stalled = True
        for handler in self.watches:
            handler.watch.stall()

    def resume_watches(self):
        self.stalled = False
        for handler in self.watches:
            handler.watch.resume()

    def cut_watches(self):
        for handler in list(self.watches):
            handler.drop()

    def clear_faults(self):
        self.faults.clear()
        self.resume_watches()


def listen(port):
    try:
        return bind_sockets(port, '127.0.0.1')
    except OSError as e:
        raise OSError('port %d of 127.0.0.1 cannot be had (%s): name another, or 0 for any' % (port, e.strerror))


class SwitchHandler(BaseHandler):
    """Handles the requests with which LocalKube adds users and injects faults.

    They are POST /localkube/NAME, with arguments as JSON.
    """

    def post(self, name):
        try:
            self.api.access.check_admin(self.request)
        except errors.ApiError as e:
            return self.send_error_status(e)
        arguments = json.loads(self.request.body.decode('utf8') or '{}')
        switches = {'add_user': self.api.access.users.add, 'fault': self.api.faults.add,
                    'stall_watches': self.api.stall_watches, 'resume_watches': self.api.resume_watches,
                    'cut_watches': self.api.cut_watches, 'expire_history': self.api.store.expire_history,
                    'clear_faults': self.api.clear_faults, 'requests': lambda: list(self.api.faults.requests)}
        self.send({'result': switches[name](**arguments)})
