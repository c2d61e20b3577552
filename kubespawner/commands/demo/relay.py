"""Passes one request of a browser on to a server, and its response back, piece by piece as each arrives.

A piece is read only when the other side has taken the one before, so that neither a long upload nor a long download is
held in memory. Whoever goes away ends the connection of the other side. What belongs here: one request. What does not:
which server a path leads to (routes.py), and who may ask (guard.py). Everything runs on the loop thread of the proxy.
"""
import contextlib
import datetime
import logging
import re
from urllib.parse import unquote, urlsplit

from tornado import gen
from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine
from tornado.ioloop import IOLoop
from tornado.iostream import StreamClosedError

log = logging.getLogger(__name__)

CONNECT_SECONDS = 20
PIECE = 2 ** 16  # bytes
UNLIMITED = 2 ** 62  # bytes of a body, which is never held as a whole

# Headers that are between two parties, and not for those behind them.
OF_ONE_CONNECTION = {'connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te',
                     'trailer', 'transfer-encoding', 'upgrade', 'expect'}

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{code} {reason}</title>
<h1>{code} {reason}</h1>
<p>{sentence}</p>
<p><a href="/hub/home">Go to the hub</a></p>
</html>
"""
NO_ROUTE = 404, 'Not Found', 'Nothing is at this address.'
NO_ANSWER = 503, 'Service Unavailable', 'The server at this address does not answer. It may have stopped.'
NO_LENGTH = 411, 'Length Required', 'The request has a body, but does not say how long it is.'
NO_PATH = 400, 'Bad Request', 'The request is not for a path.'


def passed_on(headers):
    """Return a copy of headers without those that are for one connection only."""
    named = {name.strip().lower() for name in headers.get('Connection', '').split(',')}
    kept = HTTPHeaders()
    for name, value in headers.get_all():
        if name.lower() not in OF_ONE_CONNECTION | named:
            kept.add(name, value)
    return kept


class Exchange(HTTPMessageDelegate):
    """A request that arrives at the proxy.

    proxy: has `routes`, `refusal(headers)`, `is_allowed(url)`, and its `is_busy(server)` is called when it has begun.
    server (HTTP1ServerConnection): the browser's. downstream (HTTP1Connection): the same, for this request only.
    """

    def __init__(self, proxy, server, downstream, client):
        self.proxy, self.server, self.downstream, self.client = proxy, server, downstream, client
        self.upstream = None
        self.stream = None
        self.is_received = False  # the whole request
        self.own_answer = None

    @gen.coroutine
    def headers_received(self, start_line, headers):
        self.proxy.is_busy(self.server)
        self.method, self.path = start_line.method, start_line.path
        reason = self.proxy.refusal(headers)
        if reason:
            self.answer(403, 'Forbidden', reason + '\n', 'text/plain')
        elif not self.path.startswith('/'):
            self.fail(NO_PATH)
        elif 'Transfer-Encoding' in headers and self.method not in ('POST', 'PUT', 'PATCH'):
            self.fail(NO_LENGTH)  # tornado cannot pass it on in chunks
        elif (yield self.connect()):
            yield self.send(headers)

    @gen.coroutine
    def connect(self):
        """Connect to the server of the path; return whether there is one."""
        prefix = self.proxy.routes.find(unquote(self.path.partition('?')[0]))
        if prefix is None:
            self.fail(NO_ROUTE)
            return False
        self.proxy.routes.note_activity(prefix)
        target = self.proxy.routes.data[prefix]['target']
        where = urlsplit(target)
        try:
            if not self.proxy.is_allowed(target):
                raise OSError('no process of this user listens there')
            self.stream = yield gen.with_timeout(datetime.timedelta(seconds=CONNECT_SECONDS), self.proxy.client.connect(
                where.hostname, where.port or 80, max_buffer_size=PIECE * 4))
        except (OSError, StreamClosedError, gen.TimeoutError) as e:
            self.fail(NO_ANSWER, e)
            return False
        self.stream.set_nodelay(True)
        self.upstream = HTTP1Connection(self.stream, True, HTTP1ConnectionParameters(
            no_keep_alive=True, max_body_size=UNLIMITED, chunk_size=PIECE))
        return True

    @gen.coroutine
    def send(self, headers):
        """Send the head of the request, and begin to read the response."""
        self.server.stream.set_close_callback(self.on_connection_close)
        self.downstream.set_close_callback(self.on_connection_close)
        sent = passed_on(headers)
        upgrades = 'upgrade' in headers.get('Connection', '').lower() and 'Upgrade' in headers
        sent['Connection'] = 'Upgrade' if upgrades else 'close'
        if upgrades:
            sent['Upgrade'] = headers['Upgrade']
        self.add_forwarded(sent)
        path = re.sub('[^!-~]', lambda match: '%%%02X' % ord(match.group()), self.path)
        with contextlib.suppress(StreamClosedError):
            yield self.upstream.write_headers(RequestStartLine(self.method, path, 'HTTP/1.1'), sent)
        answered = self.receive(Answer(self))
        if upgrades:  # the connection can be handed over only while the head of the request is being received
            yield answered

    @gen.coroutine
    def receive(self, answer):
        with contextlib.suppress(StreamClosedError):
            yield self.upstream.read_response(answer)
        answer.on_connection_close()

    def add_forwarded(self, headers):
        """Say who asked, and at which address, as every proxy in front of JupyterHub does."""
        host = headers.get('Host', '')
        for name, value in (('For', self.client), ('Proto', 'http'), ('Port', str(self.proxy.port)), ('Host', host)):
            name = 'X-Forwarded-' + name
            before = headers.get(name) if name != 'X-Forwarded-Host' else None
            headers[name] = before + ',' + value if before else value

    @gen.coroutine
    def data_received(self, chunk):
        if self.upstream is not None and self.own_answer is None:
            with contextlib.suppress(StreamClosedError):  # the response says why, if there is one
                yield self.upstream.write(chunk)

    def finish(self):
        self.is_received = True
        if self.own_answer is not None:
            self.write_own_answer()
        elif self.upstream is not None and not self.stream.closed():
            self.upstream.finish()

    def on_connection_close(self):
        if self.stream is not None:
            self.stream.close()

    def fail(self, problem, cause=''):
        code, reason, sentence = problem
        log.warning('%s %s: %s %s', self.method, self.path.partition('?')[0], sentence, cause)
        self.answer(code, reason, PAGE.format(code=code, reason=reason, sentence=sentence), 'text/html')

    def answer(self, code, reason, text, kind):
        """Answer in place of a server, when the whole request has been read: tornado closes the connection before."""
        body = text.encode('utf8')
        headers = {'Content-Type': kind + '; charset=utf-8', 'Content-Length': str(len(body)),
                   'Cache-Control': 'no-store'}
        self.own_answer = ResponseStartLine('HTTP/1.1', code, reason), HTTPHeaders(headers), body
        if self.is_received:
            self.write_own_answer()

    def write_own_answer(self):
        start_line, headers, body = self.own_answer
        self.downstream.write_headers(start_line, headers)
        if self.method != 'HEAD':
            self.downstream.write(body)
        self.downstream.finish()


class Answer(HTTPMessageDelegate):
    """The response to an Exchange."""

    def __init__(self, exchange):
        self.exchange, self.downstream = exchange, exchange.downstream
        self.has_begun = self.is_complete = False

    @gen.coroutine
    def headers_received(self, start_line, headers):
        if start_line.code == 101:
            self.has_begun = self.is_complete = True
            self.hand_over(start_line, headers)
        elif start_line.code >= 200:
            self.has_begun = True
            headers = passed_on(headers)
            if not self.exchange.is_received:  # then tornado closes the connection after the response
                headers['Connection'] = 'close'
            yield self.writing(self.downstream.write_headers(start_line, headers))

    def data_received(self, chunk):
        return self.writing(self.downstream.write(chunk))

    @gen.coroutine
    def writing(self, written):
        try:
            yield written
        except StreamClosedError:
            self.exchange.stream.close()

    def finish(self):
        if self.has_begun and not self.exchange.server.stream.closed():  # not after a response such as 103
            self.is_complete = True
            self.downstream.finish()
            self.exchange.stream.close()

    def on_connection_close(self):
        """The server went away. What the browser has of the response must not look complete."""
        if self.is_complete or self.exchange.server.stream.closed():
            return
        self.is_complete = True
        if self.has_begun:
            self.exchange.server.stream.close()
        else:
            self.exchange.fail(NO_ANSWER)

    def hand_over(self, start_line, headers):
        """From here on, as for a websocket, pass on whatever either side sends."""
        browser, server = self.downstream.detach(), self.exchange.upstream.detach()
        for stream in (browser, server):
            stream.set_close_callback(None)
        lines = ['HTTP/1.1 101 ' + start_line.reason] + ['%s: %s' % pair for pair in headers.get_all()]
        browser.write(('\r\n'.join(lines) + '\r\n\r\n').encode('latin1'))
        for source, sink in ((browser, server), (server, browser)):
            IOLoop.current().spawn_callback(pump, source, sink)


@gen.coroutine
def pump(source, sink):
    """Pass bytes on until one side ends."""
    with contextlib.suppress(StreamClosedError):
        while True:
            yield sink.write((yield source.read_bytes(PIECE, partial=True)))
    source.close()
    sink.close()
