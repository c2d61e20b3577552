"""The proxy of the demo: what it passes on between browsers and servers, and how a hub tells it the routes."""
import json
from urllib.parse import quote

import pytest
from jupyterhub.proxy import ConfigurableHTTPProxy
from tornado import gen, web, websocket
from tornado.concurrent import Future
from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.tcpclient import TCPClient
from tornado.tcpserver import TCPServer
from tornado.testing import bind_unused_port

from kubespawner.commands.demo import proxy as demo_proxy
from kubespawner.commands.demo.proxy import Proxy
from kubespawner.commands.demo.routes import Routes, RoutesHandler

NAMES = ['ann', 'bob@example.org', 'ann lee', 'j\xfcrgen', 'a+b', '50%', "o'neil", 'x;y', 'q?r#s', '~', '\u6797', '%2e']
MANY = 2 ** 25  # bytes: more than the sockets between two processes hold


class Echo(web.RequestHandler):
    """Responds with what the server was sent."""

    def answer(self):
        self.add_header('Set-Cookie', 'a=1')
        self.add_header('Set-Cookie', 'b=2')
        self.write({'uri': self.request.uri, 'method': self.request.method, 'headers': dict(self.request.headers),
                    'body': self.request.body.decode('utf8')})

    get = post = put = delete = patch = options = answer


class Pieces(web.RequestHandler):
    """Responds with one piece, and with the other when the test says so."""

    @gen.coroutine
    def get(self):
        self.write('one')
        yield self.flush()
        yield self.settings['go_on']
        self.write('two')


class Socket(websocket.WebSocketHandler):
    def on_message(self, message):
        self.write_message(message[::-1], binary=isinstance(message, bytes))


class NoSocket(web.RequestHandler):
    def get(self):
        self.set_status(401)
        self.write('not you')


class Raw(TCPServer):
    """A server whose connections belong to the test: `yield connected` returns the next one."""

    def __init__(self):
        super().__init__()
        self.connected = Future()

    def handle_stream(self, stream, address):
        self.connected.set_result(stream)


class Setting:
    """A proxy, a server behind it, and a client."""

    def __init__(self):
        self.go_on = Future()
        self.server_url = self.serve(HTTPServer(web.Application([
            ('.*/pieces', Pieces), ('.*/socket', Socket), ('.*/nosocket', NoSocket), ('.*', Echo)],
            go_on=self.go_on)))
        self.routes = Routes(self.server_url)
        sock, self.port = bind_unused_port()
        self.proxy = Proxy(self.port, self.routes)
        self.proxy.add_socket(sock)
        self.url = 'http://127.0.0.1:%d' % self.port
        self.api = self.serve(HTTPServer(web.Application([
            ('/api/routes(/.*)?', RoutesHandler, {'routes': self.routes, 'token': 'secret'})])))

    def serve(self, server):
        sock, port = bind_unused_port()
        server.add_socket(sock)
        return 'http://127.0.0.1:%d' % port

    def fetch(self, path, **arguments):
        return AsyncHTTPClient().fetch(HTTPRequest(self.url + path, **arguments))

    @gen.coroutine
    def status(self, url, **arguments):
        try:
            response = yield AsyncHTTPClient().fetch(HTTPRequest(url, **arguments))
        except HTTPError as e:
            response = e.response
        return response.code, response.body.decode('utf8')

    @gen.coroutine
    def send(self, text):
        """Send bytes to the proxy on a connection of their own; return the connection."""
        stream = yield TCPClient().connect('127.0.0.1', self.port)
        yield stream.write(text.replace('HOST', 'Host: 127.0.0.1:%d\r\n' % self.port).encode('utf8'))
        return stream

    def raw(self):
        """Return a server that the test plays, to which /raw leads."""
        raw = Raw()
        self.routes.add('/raw', {'target': self.serve(raw)})
        return raw


@pytest.fixture
def setting(io_loop):
    return Setting()


# Requests and responses

@pytest.mark.parametrize('name', NAMES)
@pytest.mark.gen_test
def test_the_path_arrives_as_it_was_sent(setting, name):
    setting.routes.add('/user/' + name, {'target': setting.server_url})
    del setting.routes.data['/']
    for escaped in {quote(name), quote(name, safe="@~+;'")}:
        path = '/user/%s/lab/tree/a%%20b%%2Fc?x=%%C3%%A4&y=+&token=@' % escaped
        assert json.loads((yield setting.fetch(path)).body.decode('utf8'))['uri'] == path


@pytest.mark.parametrize('method', ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
@pytest.mark.gen_test
def test_methods_and_bodies_arrive(setting, method):
    body = 'x' * 100000 if method in ('POST', 'PUT', 'PATCH') else None
    seen = json.loads((yield setting.fetch('/any', method=method, body=body)).body.decode('utf8'))
    assert (seen['method'], seen['body']) == (method, body or '')


@pytest.mark.gen_test
def test_a_head_request_has_no_body(setting):
    stream = yield setting.send('HEAD /any HTTP/1.1\r\nHOSTConnection: close\r\n\r\n')
    head = yield stream.read_until_close()
    assert head.startswith(b'HTTP/1.1 ') and head.endswith(b'\r\n\r\n')


@pytest.mark.gen_test
def test_all_cookies_are_passed_on(setting):
    response = yield setting.fetch('/any')
    assert response.headers.get_list('Set-Cookie') == ['a=1', 'b=2']


@pytest.mark.gen_test
def test_servers_are_told_who_asked_and_where(setting):
    seen = json.loads((yield setting.fetch('/any', headers={'X-Forwarded-For': '192.0.2.1'})).body.decode('utf8'))
    host = '127.0.0.1:%d' % setting.port
    expected = {'Host': host, 'X-Forwarded-Host': host, 'X-Forwarded-Proto': 'http',
                'X-Forwarded-Port': str(setting.port), 'X-Forwarded-For': '192.0.2.1,127.0.0.1'}
    assert {name: seen['headers'][name] for name in expected} == expected


@pytest.mark.gen_test
def test_headers_for_one_connection_stay_there(setting):
    headers = {'Connection': 'X-Mine', 'X-Mine': '1', 'Te': 'trailers', 'Proxy-Authorization': 'secret', 'X-Other': '2'}
    seen = json.loads((yield setting.fetch('/any', headers=headers)).body.decode('utf8'))['headers']
    assert seen['X-Other'] == '2' and not {'X-Mine', 'Te', 'Proxy-Authorization'} & set(seen)


@pytest.mark.gen_test
def test_a_connection_serves_one_request_after_the_other(setting):
    stream = yield setting.send('')
    for number in range(3):
        path = '/request/%d' % number
        stream.write(('GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n' % (path, setting.port)).encode('utf8'))
        head = yield stream.read_until(b'\r\n\r\n')
        length = int(head.lower().partition(b'content-length:')[2].split(b'\r')[0])
        assert json.loads((yield stream.read_bytes(length)).decode('utf8'))['uri'] == path


# Streams

@pytest.mark.gen_test
def test_a_piece_of_a_response_arrives_before_the_next_one_is_written(setting):
    pieces = []

    def take(piece):
        pieces.append(piece)
        if pieces == [b'one']:
            setting.go_on.set_result(None)

    yield setting.fetch('/pieces', streaming_callback=take)
    assert pieces == [b'one', b'two']


@pytest.mark.gen_test
def test_a_piece_of_an_upload_arrives_before_the_next_one_is_sent(setting):
    raw = setting.raw()
    browser = yield setting.send('POST /raw HTTP/1.1\r\nHOSTContent-Length: 6\r\n\r\none')
    server = yield raw.connected
    yield server.read_until(b'\r\n\r\none')
    browser.write(b'two')
    yield server.read_until(b'two')
    server.write(b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    assert (yield browser.read_until(b'\r\n\r\n')).startswith(b'HTTP/1.1 200')


@pytest.mark.gen_test
def test_an_upload_waits_for_a_server_that_does_not_read(setting):
    raw = setting.raw()
    browser = yield setting.send('POST /raw HTTP/1.1\r\nHOSTContent-Length: %d\r\n\r\n' % MANY)
    sent = browser.write(b'x' * MANY)
    server = yield raw.connected
    for _ in range(100):
        yield setting.fetch('/other')
    assert not sent.done()
    yield server.read_until(b'\r\n\r\n')
    yield server.read_bytes(MANY)
    yield sent


@pytest.mark.gen_test
def test_a_download_waits_for_a_browser_that_does_not_read(setting):
    raw = setting.raw()
    browser = yield setting.send('GET /raw HTTP/1.1\r\nHOST\r\n')
    server = yield raw.connected
    sent = server.write(('HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % MANY).encode('utf8') + b'x' * MANY)
    for _ in range(100):
        yield setting.fetch('/other')
    assert not sent.done()
    yield browser.read_until(b'\r\n\r\n')
    yield browser.read_bytes(MANY)
    yield sent


@pytest.mark.parametrize('head', ['GET /raw HTTP/1.1\r\nHOST\r\n',
                                  'GET /raw HTTP/1.1\r\nHOSTConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
                                  'POST /raw HTTP/1.1\r\nHOSTContent-Length: 9\r\n\r\n1'])
@pytest.mark.gen_test
def test_a_browser_that_goes_away_ends_the_request_at_the_server(setting, head):
    raw = setting.raw()
    browser = yield setting.send(head)
    server = yield raw.connected
    yield server.read_until(b'\r\n\r\n')
    browser.close()
    yield server.read_until_close()


@pytest.mark.parametrize('framing', ['Content-Length: 9\r\n\r\n1', 'Transfer-Encoding: chunked\r\n\r\n1\r\n1\r\n'])
@pytest.mark.gen_test
def test_a_response_that_breaks_off_does_not_look_complete(setting, framing):
    raw = setting.raw()
    browser = yield setting.send('GET /raw HTTP/1.1\r\nHOST\r\n')
    server = yield raw.connected
    yield server.read_until(b'\r\n\r\n')
    yield server.write(('HTTP/1.1 200 OK\r\n' + framing).encode('utf8'))
    server.close()
    body = (yield browser.read_until_close()).partition(b'\r\n\r\n')[2]
    assert b'0\r\n\r\n' not in body and len(body) < 9


@pytest.mark.gen_test
def test_a_response_that_ends_with_its_connection_is_complete(setting):
    raw = setting.raw()
    response = setting.fetch('/raw')
    server = yield raw.connected
    yield server.read_until(b'\r\n\r\n')
    yield server.write(b'HTTP/1.1 200 OK\r\n\r\nall of it')
    server.close()
    assert (yield response).body == b'all of it'


# Websockets

@pytest.mark.parametrize('message', ['abc', b'\0\1\2', 'x' * 500000])
@pytest.mark.gen_test
def test_a_websocket_carries_messages_both_ways(setting, message):
    connection = yield websocket.websocket_connect(HTTPRequest(
        setting.url.replace('http', 'ws', 1) + '/socket', headers={'Origin': setting.url}))
    for _ in range(3):
        connection.write_message(message, binary=isinstance(message, bytes))
        assert (yield connection.read_message()) == message[::-1]
    connection.close()


@pytest.mark.gen_test
def test_a_server_may_refuse_a_websocket(setting):
    with pytest.raises(HTTPError) as raised:
        yield websocket.websocket_connect(setting.url.replace('http', 'ws', 1) + '/nosocket')
    assert raised.value.code == 401


# What leads nowhere

@pytest.mark.gen_test
def test_a_page_says_that_nothing_is_at_an_address(setting):
    del setting.routes.data['/']
    code, page = yield setting.status(setting.url + '/any')
    assert code == 404 and 'Nothing is at this address.' in page and '/hub/home' in page


@pytest.mark.parametrize('target', ['http://127.0.0.1:1', 'http://unknown.invalid:80'])
@pytest.mark.gen_test
def test_a_page_says_that_a_server_does_not_answer(setting, target):
    setting.routes.add('/user/ann', {'target': target})
    code, page = yield setting.status(setting.url + '/user/ann/lab')
    assert code == 503 and 'does not answer' in page


@pytest.mark.parametrize('answer', [b'', b'HTTP/1.1', b'nonsense\r\n\r\n'])
@pytest.mark.gen_test
def test_a_server_that_ends_without_a_response_does_not_answer(setting, answer):
    raw = setting.raw()
    status = setting.status(setting.url + '/raw')
    server = yield raw.connected
    yield server.read_until(b'\r\n\r\n')
    yield server.write(answer)
    server.close()
    assert (yield status)[0] == 503


@pytest.mark.parametrize('head, code', [
    ('GET /any HTTP/1.1\r\nHost: example.org\r\n\r\n', 403),
    ('GET http://example.org/any HTTP/1.1\r\nHOST\r\n', 400),
    ('OPTIONS * HTTP/1.1\r\nHOST\r\n', 400),
    ('DELETE /any HTTP/1.1\r\nHOSTTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 411),
])
@pytest.mark.gen_test
def test_other_requests_are_refused_and_reach_no_server(setting, head, code):
    raw = setting.raw()
    setting.routes.add('/', {'target': setting.routes.data['/raw']['target']})
    stream = yield setting.send(head)
    assert (yield stream.read_until(b'\r\n')).startswith(b'HTTP/1.1 %d ' % code)
    assert not raw.connected.done()


@pytest.mark.parametrize('head', ['GET /any HTTP/1.1\r\nHost: example.org\r\n\r\n',
                                  'POST /any HTTP/1.1\r\nHost: example.org\r\nContent-Length: 3\r\n\r\nabc',
                                  'GET /user/ann HTTP/1.1\r\nHOST\r\n'])
@pytest.mark.gen_test
def test_a_connection_can_be_used_again_after_a_refusal(setting, head):
    setting.routes.add('/user/ann', {'target': 'http://127.0.0.1:1'})
    stream = yield setting.send('')
    for _ in range(3):
        yield stream.write(head.replace('HOST', 'Host: 127.0.0.1:%d\r\n' % setting.port).encode('utf8'))
        answered = yield stream.read_until(b'\r\n\r\n')
        yield stream.read_bytes(int(answered.lower().partition(b'content-length:')[2].split(b'\r')[0]))


@pytest.mark.gen_test
def test_connections_that_wait_do_not_keep_others_out(setting, monkeypatch):
    monkeypatch.setattr(demo_proxy, 'MOST_IDLE', 5)
    raw = setting.raw()
    busy = yield setting.send('GET /raw HTTP/1.1\r\nHOST\r\n')
    server = yield raw.connected
    waiting = []
    for _ in range(20):
        waiting.append((yield setting.send('')))
    for stream in waiting[:-5]:
        yield stream.read_until_close()
    assert json.loads((yield setting.fetch('/any')).body.decode('utf8'))['uri'] == '/any'
    server.write(b'HTTP/1.1 204 No Content\r\n\r\n')
    assert (yield busy.read_until(b'\r\n')) == b'HTTP/1.1 204 No Content\r\n'


@pytest.mark.gen_test
def test_a_connection_that_waits_too_long_is_closed(setting, monkeypatch):
    monkeypatch.setattr(demo_proxy, 'IDLE_SECONDS', 0.1)
    stream = yield setting.send('GET / HT')
    with pytest.raises(StreamClosedError):
        yield stream.read_until(b'\r\n')


# The routes, as a hub sets them

@pytest.mark.parametrize('headers', [{}, {'Authorization': 'token any'}, {'Authorization': 'Bearer secret'}])
@pytest.mark.gen_test
def test_only_who_has_the_token_learns_or_sets_routes(setting, headers):
    for method, body in (('GET', None), ('POST', '{"target": "http://127.0.0.1:1"}'), ('DELETE', None)):
        code, _ = yield setting.status(setting.api + '/api/routes/', method=method, body=body, headers=headers)
        assert code == 403
    assert setting.routes.data['/']['target'] == setting.server_url


@pytest.mark.parametrize('body', ['', '[]', '{}', 'null', '{"target": 1}', '\xff'])
@pytest.mark.gen_test
def test_a_route_that_leads_nowhere_is_refused(setting, body):
    code, _ = yield setting.status(setting.api + '/api/routes/x', method='POST', body=body.encode('latin1'),
                                   headers={'Authorization': 'token secret'})
    assert code == 400 and '/x' not in setting.routes.data


@pytest.mark.gen_test
def test_a_hub_sets_reads_and_removes_routes(setting):
    hub_proxy = ConfigurableHTTPProxy(api_url=setting.api, auth_token='secret', should_start=False)
    names = set(NAMES) - {'~'}  # on Python 3.6, JupyterHub itself escapes ~ in one direction only
    specs = ['/'] + ['/user/%s/' % quote(name, safe='@~') for name in names] + ['/user/ann/gpu/']
    for spec in specs:
        yield gen.convert_yielded(hub_proxy.add_route(spec, setting.server_url + spec, {'test': spec}))
    routes = yield gen.convert_yielded(hub_proxy.get_all_routes())
    assert {spec: route['target'] for spec, route in routes.items()} == {
        spec: setting.server_url + spec for spec in specs}
    assert all(route['data']['last_activity'] for route in routes.values())
    for spec in specs:
        yield gen.convert_yielded(hub_proxy.delete_route(spec))
    assert setting.routes.data == {}


@pytest.mark.parametrize('path, prefix', [
    ('/user/ann', '/user/ann'), ('/user/ann/', '/user/ann'), ('/user/ann/lab', '/user/ann'),
    ('/user/ann/gpu/lab', '/user/ann/gpu'), ('/user/anna/lab', '/'), ('/', '/'), ('', '/')])
def test_the_longest_route_is_taken(path, prefix):
    routes = Routes('http://127.0.0.1:1')
    for each in ('/user/ann', '/user/ann/gpu'):
        routes.add(each, {'target': 'http://127.0.0.1:2'})
    assert routes.find(path) == prefix


# The command line

def test_it_listens_on_this_machine_only(monkeypatch, capsys):
    monkeypatch.setenv('CONFIGPROXY_AUTH_TOKEN', 'secret')
    with pytest.raises(SystemExit):
        demo_proxy.parse(['--port', '1', '--api-port', '2', '--ip', '0.0.0.0'])
    assert '0.0.0.0' in capsys.readouterr().err


def test_its_api_is_not_open_to_everybody(monkeypatch, capsys):
    monkeypatch.delenv('CONFIGPROXY_AUTH_TOKEN', raising=False)
    with pytest.raises(SystemExit):
        demo_proxy.parse(['--port', '1', '--api-port', '2'])
    assert 'CONFIGPROXY_AUTH_TOKEN is not set' in capsys.readouterr().err
