"""An API server that records what is created, and says of each pod that it runs. It passes nothing on.

Whatever nobody has created in it does not exist. Each request has a thread of its own; the main thread reads `created`
when no request is being served any more.
"""
import json
import threading
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from urllib.parse import parse_qs, urlsplit

from .placeholders import INVENTED

WATCH_SECONDS = 1  # that a watch is open without news

WHEN = '2018-01-01T00:00:00Z'

RUNNING = {
    'phase': 'Running', 'podIP': '192.0.2.1', 'conditions': [{'type': 'Ready', 'status': 'True'}],
    'containerStatuses': [{'name': 'notebook', 'ready': True, 'restartCount': 0, 'image': '', 'imageID': '',
                           'state': {'running': {'startedAt': WHEN}}}]}
BOUND = {'phase': 'Bound'}

# Groups whose objects ask for something, and are not kept.
QUESTIONS = frozenset(['authorization.k8s.io', 'authentication.k8s.io'])

Created = namedtuple('Created', 'path namespace body')
Created.__doc__ += """: an object that was created.

path (str): where it was posted to. namespace (str or None): from that path. body (dict): as it was sent.
"""


class Recorder(ThreadingMixIn, HTTPServer):
    """A context manager. created (list of Created): in the order of creation. url (str): where it listens."""

    daemon_threads = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), _Handler)
        self.created, self.objects, self.version, self.changed = [], {}, 1, threading.Condition()
        self.url = 'http://127.0.0.1:%d' % self.server_port

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *exc_info):
        self.shutdown()
        self.server_close()

    def forget(self):
        """Forget all objects."""
        with self.changed:
            self.created, self.objects = [], {}

    def handle_error(self, request, client_address):
        """Say nothing of clients that went away."""

    def create(self, path, sent):
        """Keep an object, and return (status, answer)."""
        parts = path.strip('/').split('/')
        if QUESTIONS.intersection(parts):
            return 201, dict(sent, status={'allowed': True})
        metadata = sent.setdefault('metadata', {})
        metadata.setdefault('name', metadata.get('generateName', '') + 'x')
        key = '%s/%s' % (path, metadata['name'])
        if key in self.objects:
            return 409, _status(409, 'AlreadyExists', '%s %r already exists' % (parts[-1], metadata['name']))
        namespace = parts[parts.index('namespaces') + 1] if 'namespaces' in parts[:-1] else None
        self.created.append(Created(path, namespace, sent))
        made = json.loads(json.dumps(sent))
        made['metadata'].update(uid=INVENTED + metadata['name'], creationTimestamp=WHEN)
        if namespace:
            made['metadata']['namespace'] = namespace
        made.setdefault('status', {'pods': RUNNING, 'persistentvolumeclaims': BOUND}.get(parts[-1], {}))
        return 201, self.keep(key, made)

    def keep(self, key, obj):
        """Keep an object as it is now, and return it."""
        self.version += 1
        obj['metadata']['resourceVersion'] = str(self.version)
        self.objects[key] = obj
        self.changed.notify_all()
        return obj

    def items(self, path):
        """Return the objects of a list, of which the path may name all namespaces."""
        resource = path.split('/')[-1]
        return [obj for key, obj in sorted(self.objects.items())
                if key.rsplit('/', 1)[0] == path or '/namespaces/' not in path and key.split('/')[-2] == resource]


class _Handler(BaseHTTPRequestHandler):

    def do_POST(self):
        with self.server.changed:
            self._answer(*self.server.create(self._path, self._sent()))

    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query)
        with self.server.changed:
            if self._path in self.server.objects:
                self._answer(200, self.server.objects[self._path])
            elif not self._is_list:
                self._answer(404, self._missing())
            elif query.get('watch', ['false'])[0].lower() in ('true', '1'):
                self._watch(int(query.get('resourceVersion', ['0'])[0] or 0))
            else:
                self._answer(200, {'kind': 'List', 'apiVersion': 'v1', 'items': self.server.items(self._path),
                                   'metadata': {'resourceVersion': str(self.server.version)}})

    def do_PATCH(self):
        self._change(lambda old, sent: _merged(old, sent) if isinstance(sent, dict) else old)

    def do_PUT(self):
        self._change(lambda old, sent: sent)

    def do_DELETE(self):
        self._sent()
        with self.server.changed:
            gone = self.server.objects.pop(self._path, None)
            self._answer(200 if gone else 404, gone or self._missing())

    def _change(self, changed):
        sent = self._sent()
        with self.server.changed:
            old = self.server.objects.get(self._path)
            if old is None:
                return self._answer(404, self._missing())
            self._answer(200, self.server.keep(self._path, changed(old, sent)))

    def _watch(self, since):
        """Answer at once, and then with what has changed since a version; wait for a change if there is none."""
        def news():
            return [{'type': 'MODIFIED', 'object': obj} for obj in self.server.items(self._path)
                    if int(obj['metadata']['resourceVersion']) > since]
        self._begin(200)
        self.wfile.flush()
        self.server.changed.wait_for(news, WATCH_SECONDS)
        self.wfile.write(''.join(json.dumps(event) + '\n' for event in news()).encode('utf8'))

    @property
    def _path(self):
        return urlsplit(self.path).path

    @property
    def _is_list(self):
        """Return whether a path is that of a list, by the number of its parts after the version."""
        parts = self._path.strip('/').split('/')
        rest = parts[2:] if parts[0] == 'api' else parts[3:]
        return len(rest) == 1 or len(rest) == 3 and rest[0] == 'namespaces'

    def _missing(self):
        *_, resource, name = [''] + self._path.split('/')
        return _status(404, 'NotFound', '%s "%s" not found' % (resource, name))

    def _sent(self):
        text = self.rfile.read(int(self.headers.get('Content-Length') or 0)).decode('utf8')
        return json.loads(text) if text else {}

    def _answer(self, status, content):
        self._begin(status)
        self.wfile.write(json.dumps(content).encode('utf8'))

    def _begin(self, status):
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.end_headers()

    def log_message(self, *args):
        """Write no log: standard error is the command's."""


def _status(code, reason, message):
    return {'kind': 'Status', 'apiVersion': 'v1', 'status': 'Failure', 'code': code, 'reason': reason,
            'message': message}


def _merged(old, patch):
    """Return an object with a merge patch applied."""
    result = {key: value for key, value in old.items() if key not in patch}
    for key, value in patch.items():
        if value is not None:
            under = old.get(key)
            result[key] = _merged(under if isinstance(under, dict) else {}, value) if isinstance(value, dict) else value
    return result
