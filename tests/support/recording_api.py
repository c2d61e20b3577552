"""An API server that records what is created, and says of each pod that it runs. It needs nothing but Python."""
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from urllib.parse import parse_qs, urlsplit

KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://127.0.0.1:%d"}}]
users: [{name: u, user: {token: secret}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"""

WATCH_SECONDS = 0.2  # that a watch is open without news

RUNNING = {
    'phase': 'Running', 'podIP': '10.1.2.3', 'conditions': [{'type': 'Ready', 'status': 'True'}],
    'containerStatuses': [{'name': 'notebook', 'ready': True, 'restartCount': 0, 'image': 'i', 'imageID': 'i',
                           'state': {'running': {'startedAt': '2018-01-01T00:00:00Z'}}}],
}


class JsonAnswers:
    """The part of a BaseHTTPRequestHandler that answers with JSON, and logs nothing."""

    def _answer(self, status, content):
        self._write(status, json.dumps(content))

    def _write(self, status, text):
        body = text.encode('utf8')
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Handler(JsonAnswers, BaseHTTPRequestHandler):
    def do_POST(self):
        sent = json.loads(self.rfile.read(int(self.headers['Content-Length'])).decode('utf8'))
        path = urlsplit(self.path).path
        with self.server.changed:
            self.server.created.append((path, sent))
            made = json.loads(json.dumps(sent))
            number = str(len(self.server.created) + 1)
            made['metadata'].update(uid='u' + number, resourceVersion=number, creationTimestamp='2018-01-01T00:00:00Z')
            if '/namespaces/' in path:
                made['metadata']['namespace'] = path.split('/')[-2]
            if path.endswith('/pods'):
                made['status'] = RUNNING
            self.server.objects['%s/%s' % (path, made['metadata']['name'])] = made
            self.server.changed.notify_all()
        self._answer(201, made)

    def do_GET(self):
        url = urlsplit(self.path)
        with self.server.changed:
            if url.path in self.server.objects:
                return self._answer(200, self.server.objects[url.path])
            if url.path.split('/')[-1] not in ('pods', 'events', 'persistentvolumeclaims'):
                return self._answer(404, {'kind': 'Status', 'reason': 'NotFound', 'code': 404})
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            if query.get('watch', 'false').lower() not in ('true', '1'):
                version = str(len(self.server.created) + 1)
                return self._answer(200, {'kind': 'List', 'apiVersion': 'v1', 'items': self._items(url.path),
                                          'metadata': {'resourceVersion': version}})
            since = int(query.get('resourceVersion', 0))
            news = self.server.changed.wait_for(lambda: self._news(url.path, since), WATCH_SECONDS)
            events = [{'type': 'ADDED', 'object': item} for item in news]
        self._write(200, ''.join(json.dumps(event) + '\n' for event in events))

    def do_DELETE(self):
        self.rfile.read(int(self.headers.get('Content-Length', 0)))
        with self.server.changed:
            gone = self.server.objects.pop(urlsplit(self.path).path, None)
        self._answer(200 if gone else 404, gone or {'kind': 'Status', 'reason': 'NotFound', 'code': 404})

    def _items(self, path):
        """Return what is in a list, of which the path may name all namespaces."""
        kind = path.split('/')[-1]
        return [each for key, each in sorted(self.server.objects.items())
                if key.rsplit('/', 1)[0] == path or '/namespaces/' not in path and key.split('/')[-2] == kind]

    def _news(self, path, since):
        """Return what is in a list and was created after the version `since`, oldest first, as a watch tells of it."""
        return sorted((each for each in self._items(path) if version_of(each) > since), key=version_of)


def version_of(resource):
    return int(resource['metadata']['resourceVersion'])


class RecordingApi(ThreadingMixIn, HTTPServer):
    """A context manager. `created` lists what was created: (path, dict) of each object, in order."""
    daemon_threads = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Handler)
        self.created, self.objects, self.changed = [], {}, threading.Condition()
        self.kubeconfig = KUBECONFIG % self.server_port

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *exc_info):
        self.shutdown()
        self.server_close()
