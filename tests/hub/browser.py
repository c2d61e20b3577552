"""A user at a browser: logs in, starts and stops servers, runs code in a kernel, all through the proxy.

Needs no test framework, so that other programs than tests can look at a hub with it.
"""
import html.parser
import json
import time
import uuid
from urllib.parse import urljoin

import requests

ANSWER_SECONDS = 10  # without a word of the kernel, after which it is asked again
PATIENCE = 3  # times as long may everything take on a busy machine


class AnswerLost(Exception):
    """What a kernel showed did not reach the browser."""


class Browser:
    """One user's session with the hub at `url` (such as `http://127.0.0.1:8000`)."""

    def __init__(self, url, username):
        self.url, self.username = url.rstrip('/'), username
        self.session = requests.Session()

    def server_url(self, server='', of=None):
        """Return the URL of one of the user's servers, or of another user's."""
        return '/'.join(filter(None, [self.url, 'user', of or self.username, server])) + '/'

    def _xsrf(self, path):
        """Return the token that goes with what is sent to `path`; the longest cookie path that leads there wins."""
        tokens = [cookie for cookie in self.session.cookies if cookie.name == '_xsrf' and path.startswith(cookie.path)]
        return max(tokens, key=lambda cookie: len(cookie.path)).value if tokens else ''

    def _send(self, method, url, **arguments):
        headers = {'X-XSRFToken': self._xsrf(url[len(self.url):]), 'Referer': self.url + '/hub/home',
                   'Content-Type': 'application/json'}
        return self.session.request(method, url, headers=headers, timeout=60, **arguments)

    def send_login(self, password='any'):
        """Fill the hub's form in; return the response, whatever it is."""
        login = self.url + '/hub/login'
        self.session.get(login, timeout=60).raise_for_status()
        token = self._xsrf('/hub/login')
        return self.session.post(login, timeout=60, allow_redirects=False, params={'_xsrf': token}, data={
            'username': self.username, 'password': password, '_xsrf': token})

    def log_in(self, password='any'):
        response = self.send_login(password)
        assert response.status_code == 302, response.text
        self.session.get(self.url + '/hub/home', timeout=60).raise_for_status()
        return self

    def start(self, server='', timeout=120):
        """Start a server and return when it answers to this user. Raises AssertionError if its start fails."""
        self.begin(server)
        self.wait_for(server, timeout, is_listed=self.hub_version() >= (1,))

    def begin(self, server='', **options):
        """Ask for a server. One that is there already is fine: old hubs start the default one at the login."""
        data = json.dumps(options) if options else None
        response = self._send('POST', self.url + self._server_api(server), data=data)
        if response.status_code != 400:
            response.raise_for_status()

    def _server_api(self, server):
        return '/hub/api/users/%s/%s' % (self.username, 'servers/' + server if server else 'server')

    def options(self):
        """Visit the page where a server is chosen; return the `Form` on it."""
        response = self.session.get(self.url + '/hub/spawn', timeout=60)
        response.raise_for_status()
        return Form(response.url, response.text)

    def send(self, form, **fields):
        """Send a form as it is filled in, with other values for some fields; return the response, not redirected."""
        values = dict(form.values, **fields)
        return self.session.post(form.action, files={name: (None, value) for name, value in values.items()},
                                 headers={'Referer': form.url}, timeout=60, allow_redirects=False)

    def stop(self, server='', timeout=60):
        """Stop a server and return when the hub says that it has."""
        self._send('DELETE', self.url + self._server_api(server)).raise_for_status()
        until(lambda: server not in self.servers(), timeout, 'stopping')

    def hub_version(self):
        """Return the version of the hub's JupyterHub, such as (5, 4)."""
        response = self.session.get(self.url + '/hub/api/', timeout=60)
        response.raise_for_status()
        return tuple(int(part) for part in response.json()['version'].split('.')[:2])

    def servers(self):
        """Return what the hub says of this user's servers, by name; stopped ones are not in it."""
        response = self._send('GET', self.url + '/hub/api/users/' + self.username)
        response.raise_for_status()
        user = response.json()
        if 'servers' not in user:  # hubs that allow no named servers tell of the default one only
            return {'': {}} if user['server'] else {}
        return {name: server for name, server in user['servers'].items()
                if not server.get('stopped') and (server.get('ready', True) or server.get('pending'))}

    def wait_for(self, server='', timeout=120, is_listed=False):
        """Return when a server answers; the first visit logs in to it, by redirections through the hub.

        is_listed (bool): the hub lists it unless its start has failed, as hubs do since 1.0. Then, AssertionError.
        """
        until(lambda: self._is_ready(server, is_listed), timeout, 'server %r' % server)
        until(lambda: self.session.get(self.server_url(server), timeout=60).status_code == 200, timeout, 'its page')

    def _is_ready(self, server, is_listed):
        servers = self.servers()
        assert server in servers or not is_listed, (
            'the start of server %r has failed; the log of the hub says why' % server)
        return servers.get(server, {'ready': False}).get('ready', True)

    def get(self, path, server='', of=None):
        """Return the response to a request of the path `path` at one of the user's servers, or at another user's."""
        return self._send('GET', self.server_url(server, of) + path)

    def write(self, path, text, server=''):
        """Save a file."""
        self._send('PUT', self.server_url(server) + 'api/contents/' + path, data=json.dumps(
            {'type': 'file', 'format': 'text', 'content': text})).raise_for_status()

    def read(self, path, server=''):
        """Return what is in a file; None if there is none."""
        response = self.get('api/contents/' + path, server)
        return response.json()['content'] if response.status_code == 200 else None

    def new_kernel(self, server=''):
        """Start a Python kernel and return its id."""
        response = self._send('POST', self.server_url(server) + 'api/kernels', data='{}')
        response.raise_for_status()
        return response.json()['id']

    def run(self, kernel, code, server='', timeout=60):
        """Return what `code`, which may run twice, shows as its result in a kernel, through the websocket."""
        import websocket
        url = self.server_url(server) + 'api/kernels/%s/channels' % kernel
        request = requests.Request('GET', url, cookies=self.session.cookies)
        cookie = self.session.prepare_request(request).headers['Cookie']
        channel = websocket.create_connection(url.replace('http', 'ws', 1), cookie=cookie, timeout=PATIENCE * timeout)
        channel.settimeout(ANSWER_SECONDS)
        deadline = time.monotonic() + PATIENCE * timeout
        try:
            while True:
                try:
                    return self._execute(channel, code)
                except (websocket.WebSocketTimeoutException, AnswerLost):
                    if time.monotonic() > deadline:
                        raise
        finally:
            channel.close()

    def _execute(self, channel, code):
        """Return what `code` shows.

        Old servers lose the answer, or its beginning, if the channel has only just been opened. Raises AnswerLost if
        the end came without the beginning.
        """
        message = uuid.uuid4().hex
        channel.send(json.dumps({
            'channel': 'shell', 'parent_header': {}, 'metadata': {},
            'header': {'msg_id': message, 'msg_type': 'execute_request', 'session': uuid.uuid4().hex,
                       'username': '', 'version': '5.0'},
            'content': {'code': code, 'silent': False, 'store_history': True, 'user_expressions': {},
                        'allow_stdin': False}}))
        is_whole = False
        while True:
            answer = json.loads(channel.recv())
            if answer.get('parent_header', {}).get('msg_id') != message:
                continue
            if answer['msg_type'] == 'execute_result':
                return answer['content']['data']['text/plain']
            if answer['msg_type'] == 'error':
                raise RuntimeError(answer['content']['evalue'])
            state = answer['content']['execution_state'] if answer['msg_type'] == 'status' else None
            is_whole = is_whole or state == 'busy'
            if state == 'idle':
                if is_whole:
                    return None
                raise AnswerLost()


class Form(html.parser.HTMLParser):
    """The form of a page that is sent by POST.

    action (str): the URL that it is sent to.
    values (dict): what it sends if nothing is filled in, by name.
    offered (dict): by name, all values that may be chosen for it.
    labels (dict): by the id of a field, the text of its label.
    """

    def __init__(self, url, text):
        super().__init__()
        self.url, self.text, self.action = url, text, None
        self.values, self.offered, self.labels = {}, {}, {}
        self.select = self.label = None
        self.ids, self.described = set(), set()
        self.feed(text)

    def handle_starttag(self, tag, pairs):
        attributes = dict(pairs)
        if 'id' in attributes:
            self.ids.add(attributes['id'])
        self.described.update(attributes.get('aria-describedby', '').split())
        if tag == 'form' and attributes.get('method', '').lower() == 'post':
            self.action = urljoin(self.url, attributes['action'])
        elif tag == 'label':
            self.label = attributes.get('for')
        elif self.action and tag == 'select':
            self.select = attributes['name']
        elif self.action and tag == 'option' and self.select:
            self._offer(self.select, attributes, 'selected', is_first='selected')
        elif self.action and tag == 'input' and attributes.get('name'):
            self._offer(attributes['name'], attributes, 'checked' if attributes.get('type') == 'radio' else 'name')

    def _offer(self, name, attributes, is_chosen, is_first=None):
        self.offered.setdefault(name, []).append(attributes.get('value', ''))
        if is_chosen in attributes or (is_first and name not in self.values):
            self.values[name] = attributes.get('value', '')

    def handle_endtag(self, tag):
        if tag == 'select':
            self.select = None
        elif tag == 'label':
            self.label = None

    def handle_data(self, data):
        if self.label:
            self.labels[self.label] = (self.labels.get(self.label, '') + data).strip()


def until(condition, timeout, what):
    """Return when `condition()` is true; it may raise connection errors until then.

    timeout (float): seconds on a machine that does nothing else; a busy one has PATIENCE times as long.
    """
    deadline = time.monotonic() + PATIENCE * timeout
    while True:
        try:
            if condition():
                return
            last = ''
        except requests.RequestException as e:
            last = str(e)
        if time.monotonic() > deadline:
            raise AssertionError('waited %d s for %s. %s' % (PATIENCE * timeout, what, last))
        time.sleep(0.1)
