"""Requests to the API server with nothing but the standard library: as cheap as Python can send them.

For the benchmark's own side (the node, the standing pods, the metrics) and for the bare client, so that their costs
stay out of the comparison. No models, no retries of refused requests. Every thread has a connection of its own, which
is kept open. It imports no other room, because it also runs in the subjects' environments.
"""
import base64
import http.client
import json
import ssl
import threading
from urllib.parse import urlencode, urlsplit

import yaml

MERGE_PATCH = 'application/merge-patch+json'
TIMEOUT = 60  # seconds for one request
CHUNK = 65536  # bytes


class Refused(Exception):
    """An answer that is no success. `status` is the HTTP status."""

    def __init__(self, status, text):
        super().__init__('%d %s' % (status, text[:500]))
        self.status = status


class Api:
    """The API server of a kubeconfig that has one cluster, and one user with a token."""

    def __init__(self, kubeconfig):
        with open(kubeconfig) as f:
            content = yaml.safe_load(f)
        cluster = content['clusters'][0]['cluster']
        self._address = urlsplit(cluster['server'])
        authority = base64.b64decode(cluster.get('certificate-authority-data', '')).decode('ascii')
        self._tls = ssl.create_default_context(cafile=cluster.get('certificate-authority'), cadata=authority or None)
        self._headers = {'Authorization': 'Bearer ' + content['users'][0]['user']['token']}
        self._own = threading.local()

    def request(self, method, path, body=None, content_type='application/json'):
        """Return the answer's body as bytes. `body` is sent as JSON. Raises Refused."""
        headers = dict(self._headers, **{'Content-Type': content_type})
        data = None if body is None else json.dumps(body).encode('utf8')
        response = self._send(method, path, data, headers)
        answer = response.read()
        if response.status >= 300:
            raise Refused(response.status, answer.decode('utf8', 'replace'))
        return answer

    def _send(self, method, path, data, headers):
        """Send on this thread's connection; once more on a new one if the server has closed it meanwhile."""
        kept = getattr(self._own, 'connection', None)
        if kept is not None:
            try:
                kept.request(method, path, data, headers)
                return kept.getresponse()
            except (http.client.HTTPException, OSError):
                kept.close()
        self._own.connection = self._connect(TIMEOUT)
        self._own.connection.request(method, path, data, headers)
        return self._own.connection.getresponse()

    def _connect(self, timeout):
        return http.client.HTTPSConnection(
            self._address.hostname, self._address.port, timeout=timeout, context=self._tls)

    def watch(self, path, **parameters):
        """Yield the watch events of `path` as dicts, until the server ends the watch or the connection breaks."""
        connection = self._connect(None)
        try:
            connection.request('GET', '%s?%s' % (path, urlencode(dict(parameters, watch='1'))), headers=self._headers)
            response = connection.getresponse()
            if response.status >= 300:
                raise Refused(response.status, response.read().decode('utf8', 'replace'))
            rest = b''
            while True:
                try:
                    chunk = response.read1(CHUNK)
                except (http.client.HTTPException, OSError):
                    return
                if not chunk:
                    return
                *lines, rest = (rest + chunk).split(b'\n')
                for line in lines:
                    yield json.loads(line.decode('utf8'))
        finally:
            connection.close()
