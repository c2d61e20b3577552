"""The demo's proxy: browsers reach the hub and the servers through it. Run it with `python -m`.

It has the REST API of configurable-http-proxy, and takes the options that JupyterHub gives it. So a hub can start it,
and a hub that restarts can find it again. Unlike that proxy, it listens on 127.0.0.1 only, and it refuses requests that
a browser sends for another site and requests that lead to a process of another user. It is a process with one thread.

What belongs here: the command line, listening, and connections that wait. What does not: requests (relay.py).
"""
import argparse
import collections
import logging
import os
import resource
import signal
import sys

from tornado.http1connection import HTTP1ConnectionParameters, HTTP1ServerConnection
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerConnectionDelegate
from tornado.ioloop import IOLoop
from tornado.tcpclient import TCPClient
from tornado.tcpserver import TCPServer
from tornado.web import Application

from .guard import is_of_another_user, refusal
from .relay import PIECE, UNLIMITED, Exchange
from .routes import Routes, RoutesHandler

ADDRESS = '127.0.0.1'
IDLE_SECONDS = 60  # that a connection may wait for its next request
MOST_IDLE = 200  # connections that wait; the oldest has to go when there are more
TOKEN = 'CONFIGPROXY_AUTH_TOKEN'  # an environment variable, because every user can read command lines


class Proxy(TCPServer, HTTPServerConnectionDelegate):
    """Listens for browsers. port (int): at which it does. routes (Routes): where they are led."""

    def __init__(self, port, routes):
        super().__init__(max_buffer_size=4 * PIECE)
        self.port, self.routes, self.client = port, routes, TCPClient()
        self.idle = collections.OrderedDict()  # the connections that wait for a request, the oldest first

    def handle_stream(self, stream, address):
        stream.set_nodelay(True)
        HTTP1ServerConnection(stream, HTTP1ConnectionParameters(
            header_timeout=IDLE_SECONDS, max_body_size=UNLIMITED, chunk_size=PIECE), address).start_serving(self)

    def start_request(self, server_conn, request_conn):
        self.idle[server_conn] = None
        if len(self.idle) > MOST_IDLE:
            self.idle.popitem(last=False)[0].stream.close()
        return Exchange(self, server_conn, request_conn, server_conn.context[0])

    def is_busy(self, server_conn):
        self.idle.pop(server_conn, None)

    on_close = is_busy

    def refusal(self, headers):
        return refusal(headers, self.port)

    def is_allowed(self, url):
        return not is_of_another_user(url)


def parse(argv):
    parser = argparse.ArgumentParser(prog='python -m kubespawner.commands.demo.proxy', description=(
        'A proxy for JupyterHub on one machine, for development. It listens on 127.0.0.1 only. The environment '
        'variable %s has the token of its REST API.' % TOKEN))
    parser.add_argument('--port', type=int, required=True, help='port for browsers')
    parser.add_argument('--api-port', type=int, required=True, help='port of the REST API')
    parser.add_argument('--default-target', metavar='URL', help='where requests go that no route is for: the hub')
    for name in ('--ip', '--api-ip'):
        parser.add_argument(name, choices=[ADDRESS, 'localhost', ''], default=ADDRESS, metavar=ADDRESS,
                            help='no other address is possible')
    for name in ('--error-target', '--log-level'):
        parser.add_argument(name, help='has no effect')
    arguments = parser.parse_args(argv)
    if not os.environ.get(TOKEN):
        parser.error('the environment variable %s is not set' % TOKEN)
    return arguments


def allow_many_connections():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main(argv=None):
    arguments = parse(argv)
    logging.basicConfig(level=logging.INFO, format='[%(levelname).1s %(asctime)s proxy] %(message)s')
    logging.getLogger('tornado.access').setLevel(logging.ERROR)  # the hub asks for the routes all the time
    allow_many_connections()
    routes = Routes(arguments.default_target)
    api = HTTPServer(Application([('/api/routes(/.*)?', RoutesHandler, {
        'routes': routes, 'token': os.environ[TOKEN]})]))
    try:
        api.listen(arguments.api_port, ADDRESS)
        Proxy(arguments.port, routes).listen(arguments.port, ADDRESS)
    except OSError as e:
        sys.exit('The proxy cannot listen: %s' % e)
    loop = IOLoop.current()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *ignored: loop.add_callback_from_signal(loop.stop))
    loop.start()


if __name__ == '__main__':
    main()
