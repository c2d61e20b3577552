"""The demo's proxy: configurable-http-proxy as PyPI has it, with two additions.

It refuses requests that a browser sends for another site, and connects to processes of its own user only. And it passes
streams of events on while they arrive; by itself it keeps an answer until it is complete, so that the progress of a
start would be shown when it is over.

Nothing that a real hub needs is here. It is a process of its own, with one thread.
"""
import sys

from configurable_http_proxy import cli, configproxy, handlers
from tornado.httpclient import AsyncHTTPClient
from tornado.httputil import HTTPHeaders, parse_response_start_line
from tornado.web import HTTPError

from .guard import is_of_another_user, refusal

LONGEST = 24 * 3600  # seconds of a stream; tornado would end it after 20

# Headers that say how an answer is transferred, which is between two parties.
OF_ONE_CONNECTION = {'Connection', 'Content-Encoding', 'Content-Length', 'Transfer-Encoding'}


class Passing:
    """Passes an answer on to the browser that `handler` serves."""

    def __init__(self, handler):
        self.handler, self.headers = handler, HTTPHeaders()

    def header(self, line):
        """Take note of a line of the answer's head."""
        line = line.rstrip('\r\n')
        if line.startswith('HTTP/'):
            self.handler.set_status(parse_response_start_line(line).code)
        elif line:
            self.headers.parse_line(line + '\r\n')
        else:
            for name, value in self.headers.get_all():
                if name not in OF_ONE_CONNECTION:
                    put = self.handler.add_header if name == 'Set-Cookie' else self.handler.set_header
                    put(name, value)

    def body(self, chunk):
        """Pass on what has arrived of the body, if the browser is still there."""
        if not self.handler.is_gone:
            self.handler.write(chunk)
            self.handler.flush()


class Handler(handlers.ProxyHandler):
    """Answers browsers."""

    is_gone = False

    def prepare(self):
        reason = refusal(self.request.headers, self.request.connection.stream.socket.getsockname()[1])
        if reason:
            self.set_status(403)
            self.set_header('Content-Type', 'text/plain; charset=utf-8')
            self.finish(reason + '\n')

    def _request_summary(self):
        return '%s %s' % (self.request.method, self.request.path)  # for the log: without tokens in the query

    async def get_target_url(self, path):
        url = await super().get_target_url(path)
        if url is not None and is_of_another_user(url):
            raise HTTPError(503, 'nothing of this user listens where this leads')
        return url

    def on_connection_close(self):
        self.is_gone = True
        super().on_connection_close()

    async def call_proxy(self, path=None):
        if 'text/event-stream' not in self.request.headers.get('Accept', ''):
            await super().call_proxy(path)
            return
        url = await self.get_target_url(path)
        if url is None:
            return
        passing, request = Passing(self), self._get_proxy_request(url)
        request.header_callback, request.streaming_callback = passing.header, passing.body
        request.request_timeout = LONGEST
        client = AsyncHTTPClient(force_instance=True)  # the shared one makes ten requests at a time, whoever waits
        try:
            await client.fetch(request, raise_error=False)
        except Exception as e:
            await self.handle_proxy_error(503, e)
            return
        finally:
            client.close()
        if not self.is_gone:
            self.finish()


def main():
    configproxy.ProxyHandler = Handler
    return cli.main()


if __name__ == '__main__':
    sys.exit(main())
