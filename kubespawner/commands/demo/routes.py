"""The routes of the demo's proxy, and the REST API with which a hub changes them: that of configurable-http-proxy.

What belongs here: which URL a path leads to. What does not: passing requests on (relay.py). Everything runs on the loop
thread of the proxy.
"""
import datetime
import hmac
import json

from tornado import web


class Routes:
    """The target of each path prefix. Paths are unescaped here, as they are in the API: '/user/bob@example.org'."""

    def __init__(self, default_target=None):
        self.data = {}  # path -> what the hub said of the route, with `target` and `last_activity`
        if default_target:
            self.add('/', {'target': default_target})

    def add(self, path, data):
        self.data[clean(path)] = dict(data, last_activity=now())

    def find(self, path):
        """Return the longest prefix of `path`, in whole segments, that has a route; None if there is none."""
        prefix = clean(path)
        while prefix not in self.data:
            if prefix == '/':
                return None
            prefix = prefix.rpartition('/')[0] or '/'
        return prefix

    def note_activity(self, prefix):
        """Note that the route has just been used; by this the hub knows when a server was last active."""
        if prefix in self.data:
            self.data[prefix]['last_activity'] = now()


def clean(path):
    return '/' + path.strip('/')


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None).isoformat() + 'Z'


class RoutesHandler(web.RequestHandler):
    """GET, POST and DELETE of /api/routes/PATH, for those who know the token."""

    def initialize(self, routes, token):
        self.routes, self.token = routes, token

    def prepare(self):
        given = self.request.headers.get('Authorization', '')
        if not hmac.compare_digest(given.encode('utf8', 'replace'), ('token ' + self.token).encode('utf8')):
            raise web.HTTPError(403)

    def get(self, path):
        if path in (None, '', '/'):
            since = self.get_query_argument('inactive_since', '9999')
            self.send({path: data for path, data in self.routes.data.items() if data['last_activity'] < since})
        elif clean(path) in self.routes.data:
            self.send(self.routes.data[clean(path)])
        else:
            raise web.HTTPError(404)

    def post(self, path):
        try:
            data = json.loads(self.request.body.decode('utf8'))
            if not isinstance(data['target'], str):
                raise ValueError
        except (ValueError, TypeError, KeyError):
            raise web.HTTPError(400)
        self.routes.add(path or '/', data)
        self.set_status(201)

    put = post

    def delete(self, path):
        if self.routes.data.pop(clean(path or '/'), None) is None:
            raise web.HTTPError(404)
        self.set_status(204)

    def send(self, value):
        self.set_header('Content-Type', 'application/json')
        self.finish(json.dumps(value))
