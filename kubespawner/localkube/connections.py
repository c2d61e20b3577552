"""The connections of the API server: a limit to those that wait for a request, because each takes a file descriptor.

What belongs here: which connections stay open. What does not: requests (handlers.py). Everything runs on the loop
thread of the server.
"""
import collections

from tornado.httpserver import HTTPServer

MOST_IDLE = 200  # connections that wait for a request; the oldest has to go when there are more


class Server(HTTPServer):
    """Serves HTTP. Handlers call `busy` when they begin to handle a request."""

    def initialize(self, *args, **kwargs):
        self.idle = collections.OrderedDict()  # the streams of the connections that wait, the oldest first
        super().initialize(*args, **kwargs)

    def start_request(self, server_conn, request_conn):
        self.idle[server_conn.stream] = None
        if len(self.idle) > MOST_IDLE:
            self.idle.popitem(last=False)[0].close()
        return super().start_request(server_conn, request_conn)

    def busy(self, stream):
        self.idle.pop(stream, None)

    def on_close(self, server_conn):
        self.busy(server_conn.stream)
        super().on_close(server_conn)
