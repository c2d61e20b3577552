"""A whole hub: `jupyterhub` in a subject's environment, and what asks it for servers as users' browsers would.

The hub has its default settings but for `hub_config`. Its database is a file, as by default. Something on this machine
answers for all notebook servers at once; to the hub, that is a server that answers when it is first asked.
"""
import http.client
import http.server
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from kubespawner.commands.demo.network import any_free_port

from .cluster import ROOT

CONFIGURATION = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'hub_config.py')
TIMEOUT = 400  # seconds for one request
UP_TIMEOUT = 60  # seconds, until the hub answers
TICKS = os.sysconf('SC_CLK_TCK')  # a second, in which the kernel counts CPU


class Notebook(http.server.BaseHTTPRequestHandler):
    """Answers for every notebook server, as far as the hub looks."""

    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', '2')
        self.end_headers()
        self.wfile.write(b'{}')

    def log_message(self, *_):
        pass


class Hub:
    """`with Hub(python, subject, namespace, kubeconfig, records, directory) as hub: …`

    python (str): path of the subject's Python. records (str): path of the file that tells what the simulated node has
    done; the floor adds to it what a node would have. directory (str): where its files go, such as its log.
    """

    def __init__(self, python, subject, namespace, kubeconfig, records, directory):
        self._directory = os.path.join(directory, 'hub-' + namespace)
        self._token, self._own = secrets.token_hex(), threading.local()
        self.port = any_free_port()
        self._notebooks = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Notebook)
        told = {'subject': subject, 'namespace': namespace, 'hub_port': self.port, 'proxy_port': any_free_port(),
                'server_port': self._notebooks.server_address[1], 'token': self._token,
                'records': records}
        self._command = [python, '-E', '-m', 'jupyterhub', '--config', CONFIGURATION]
        self._environment = dict(os.environ, KUBECONFIG=kubeconfig, BENCH_HUB=json.dumps(told))

    def __enter__(self):
        os.mkdir(self._directory)
        threading.Thread(target=self._notebooks.serve_forever, daemon=True).start()
        with open(os.path.join(self._directory, 'log'), 'wb') as log:
            self._process = subprocess.Popen(self._command, cwd=self._directory, env=self._environment, stdout=log,
                                             stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        self.pid = self._process.pid
        try:
            self._wait_until_up()
            self._health = subprocess.Popen([sys.executable, '-m', 'tests.bench.health', str(self.port)], cwd=ROOT,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *exc_info):
        self._health.kill()
        self._health.wait()
        self._health.stdin.close()
        self._health.stdout.close()
        self._end()

    def _end(self):
        self._process.kill()
        self._process.wait()
        self._notebooks.shutdown()
        self._notebooks.server_close()

    def _wait_until_up(self):
        deadline = time.time() + UP_TIMEOUT
        while True:
            try:
                self.request('GET', '/users?limit=1')
                return
            except OSError:
                if time.time() > deadline or self._process.poll() is not None:
                    raise RuntimeError('the hub does not answer; see %s/log' % self._directory)
                time.sleep(0.1)

    def request(self, method, path, body=None):
        """Send a request to the hub's REST API; return the status and the decoded answer."""
        connection = getattr(self._own, 'connection', None)
        if connection is None:
            connection = self._own.connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=TIMEOUT)
        try:
            connection.request(method, '/hub/api' + path, json.dumps(body),
                               {'Authorization': 'token ' + self._token, 'Content-Type': 'application/json'})
            response = connection.getresponse()
            answer = response.read()
        except BaseException:
            connection.close()
            raise
        return response.status, json.loads(answer.decode('utf8')) if answer else None

    def add_users(self, names):
        status, answer = self.request('POST', '/users', {'usernames': names})
        if status != 201:
            raise RuntimeError('the hub does not add users: %d %s' % (status, answer))

    def each(self, method, users, at_once):
        """Start (POST) or stop (DELETE) each user's server, `at_once` at a time; return the calls as a driver does."""
        def one(user):
            called = time.time()
            status, answer = self.request(method, '/users/%s/server' % user)
            return {'user': user, 'called': called, 'returned': time.time(),
                    'error': None if status in (201, 204) else '%d %s' % (status, answer)}

        with ThreadPoolExecutor(at_once) as workers:
            try:
                return list(workers.map(one, users))
            except BaseException:
                self._process.kill()  # so that the requests that wait fail, and the workers end
                raise

    def cpu(self):
        """Return the seconds of CPU that the hub has taken so far."""
        with open('/proc/%d/stat' % self.pid) as f:
            fields = f.read().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def silence(self):
        """Return the longest time without an answer of /hub/health, in seconds, since this was asked last."""
        self._health.stdin.write(b'\n')
        self._health.stdin.flush()
        return float(self._health.stdout.readline())
