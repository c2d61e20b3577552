"""The API over HTTP: authentication, routing, lists, and watches until they end.

What belongs here: requests and responses. What does not: what the verbs do (registry.py), what a watch sends
(watches.py), which faults are set (faults.py). Everything runs on one loop thread: handlers share Api without locks.
"""
import base64
import json
import random
from urllib.parse import unquote

from tornado import gen, iostream, locks, web
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets

from . import errors, openapi, selectors, tables
from .faults import Faults
from .registry import RETURNED_WHEN_DELETED, Registry
from .resources import NO_COLLECTION_DELETE, RESOURCES, discovery
from .store import Expired, Store, encode
from .validation import Causes
from .watches import Watch

BOOKMARK_SECONDS = 60
TABLE = 'as=Table'


class Api(object):
    """What the handlers share. `logs` answers pods/log; the kubelet sets it."""

    def __init__(self, token, ssl_context, port=0):
        self.token = token
        self.store = Store()
        self.registry = Registry(self.store)
        self.faults = Faults()
        self.watches = set()  # the handlers of running watches
        self.stalled = False
        self.logs = None
        self.sockets = bind_sockets(port, '127.0.0.1')
        self.port = self.sockets[0].getsockname()[1]
        self.documents = dict(discovery('127.0.0.1:%d' % self.port), **openapi.documents())
        self.server = HTTPServer(web.Application([('/localkube/(.*)', SwitchHandler, {'api': self}),
                                                  ('.*', Handler, {'api': self})], log_function=lambda handler: None),
                                 ssl_options=ssl_context, max_buffer_size=2 ** 24)
        self.server.add_sockets(self.sockets)

    def stop(self):
        """Stop listening, and close every connection."""
        self.server.stop()
        self.cut_watches()

    def stall_watches(self):
        self.stalled = True
        for handler in self.watches:
            handler.watch.stall()

    def resume_watches(self):
        self.stalled = False
        for handler in self.watches:
            handler.watch.resume()

    def cut_watches(self):
        for handler in list(self.watches):
            handler.drop()

    def clear_faults(self):
        self.faults.clear()
        self.resume_watches()


class BaseHandler(web.RequestHandler):
    def initialize(self, api):
        self.api = api

    def check_token(self):
        if self.request.headers.get('Authorization') != 'Bearer ' + self.api.token:
            raise errors.unauthorized()

    def send(self, body, code=200):
        self.set_status(code)
        self.set_header('Content-Type', 'application/json')
        self.finish((body if isinstance(body, bytes) else encode(body)) + b'\n')

    def send_error_status(self, error):
        for name, value in error.headers.items():
            self.set_header(name, value)
        status = {key: value for key, value in error.status.items() if value is not None}
        self.send(status, error.code)

    def drop(self):
        """Close the connection without an answer."""
        self.request.connection.stream.close()


class SwitchHandler(BaseHandler):
    """What LocalKube's switches call: POST /localkube/NAME with keyword arguments as JSON."""

    def post(self, name):
        try:
            self.check_token()
        except errors.ApiError as e:
            return self.send_error_status(e)
        arguments = json.loads(self.request.body.decode('utf8') or '{}')
        switches = {'fault': self.api.faults.add, 'stall_watches': self.api.stall_watches,
                    'resume_watches': self.api.resume_watches, 'cut_watches': self.api.cut_watches,
                    'expire_history': self.api.store.expire_history, 'clear_faults': self.api.clear_faults,
                    'requests': lambda: list(self.api.faults.requests)}
        self.send({'result': switches[name](**arguments)})


class Handler(BaseHandler):
    """All requests of the Kubernetes API."""

    watch = None

    @gen.coroutine
    def handle(self):
        method, uri = self.request.method, self.request.uri
        self.api.faults.requests.append((method, uri))
        faults = self.api.faults.take(method, uri)
        try:
            self.check_token()
            if 'delay' in faults:
                yield gen.sleep(faults['delay']['seconds'])
            if 'fail' in faults:
                raise injected(**faults['fail'])
            if 'drop' in faults and not faults['drop'].get('after'):
                return self.drop()
            answer = self.answer()
            if 'drop' in faults:
                return self.drop()
            yield self.give(answer)
        except errors.ApiError as e:
            self.send_error_status(e)
        except iostream.StreamClosedError:
            pass  # the client left

    get = post = put = patch = delete = handle

    @gen.coroutine
    def give(self, answer):
        """Send what `answer` returned: (code, body), or a function that streams."""
        if callable(answer):
            yield answer()
        else:
            self.send(answer[1], answer[0])

    def answer(self):
        """Carry the request out. Return (code, body), or a coroutine function that streams the answer."""
        path = self.request.path.rstrip('/')
        if path in ('/healthz', '/readyz', '/livez'):
            return lambda: self.send_text('ok')
        if path in self.api.documents:
            return 200, self.api.documents[path]
        if path.startswith('/api/') and not path.startswith('/api/v1/'):
            raise errors.no_such_path()
        if not path.startswith('/api/v1/'):
            return lambda: self.send_text('404 page not found\n', 404)
        self.route(path)
        verb = VERBS.get((self.request.method, bool(self.name), self.subresource))
        if verb is None or (self.request.method == 'DELETE' and not self.name and
                            self.row.name in NO_COLLECTION_DELETE):
            raise errors.method_not_allowed()
        if self.row.namespaced and not self.namespace and self.request.method != 'GET':
            raise errors.method_not_allowed()
        return verb(self)

    def route(self, path):
        """Set row, namespace, name and subresource from the path. Raise ApiError 404."""
        parts = [unquote(part) for part in path.strip('/').split('/')[2:]]
        self.namespace = ''
        if parts[0] == 'namespaces' and len(parts) > 2 and parts[2] not in RESOURCES['namespaces'].subresources:
            self.namespace = parts[1]
            parts = parts[2:]
        resource, self.name, self.subresource = (parts + ['', ''])[:3]
        self.row = RESOURCES.get(resource)
        if (self.row is None or len(parts) > 3 or self.subresource and self.subresource not in self.row.subresources
                or bool(self.namespace) > self.row.namespaced
                or self.name and self.row.namespaced and not self.namespace):
            raise errors.no_such_path()
        self.key = resource, self.namespace, self.name

    # what a request carries

    def query(self, name, default=''):
        return self.get_query_argument(name, default)

    def flag(self, name):
        return self.query(name, 'false').lower() in ('true', '1')

    def number(self, name):
        text = self.query(name) or '0'
        try:
            return int(text)
        except ValueError:
            raise errors.bad_request('strconv.ParseInt: parsing "%s": invalid syntax' % text)

    def version(self):
        """Return resourceVersion as an int, None when it is not given."""
        text = self.query('resourceVersion')
        if text and not text.isdigit():
            raise errors.ApiError(500, None, 'resourceVersion: Invalid value: "%s": strconv.ParseUint: parsing "%s": '
                                             'invalid syntax' % (text, text))
        return int(text) if text else None

    def body(self):
        """Return the parsed JSON of the request. Raise ApiError 400 or 415."""
        content_type = self.request.headers.get('Content-Type', 'application/json').partition(';')[0].strip()
        if content_type not in ('application/json', '*/*'):
            raise errors.unsupported_media_type(['application/json'])
        data = self.parse(self.request.body)
        if not isinstance(data, dict):
            raise errors.bad_request('the object provided is unrecognized (must be of type %s): couldn\'t get '
                                     'version/kind; json parse error: not an object' % self.row.kind)
        kind, version = data.get('kind') or self.row.kind, data.get('apiVersion') or 'v1'
        expected = 'Binding' if self.subresource == 'binding' else self.row.kind
        if (kind, version) != (expected, 'v1') and self.subresource != 'binding':
            raise errors.bad_request('%s in version "%s" cannot be handled as a %s' % (kind, version, expected))
        return data

    def parse(self, body):
        try:
            return json.loads(body.decode('utf8'))
        except ValueError as e:
            raise errors.bad_request('the object provided is unrecognized (must be of type %s): couldn\'t get '
                                     'version/kind; json parse error: %s (%s)'
                                     % (self.row.kind, e, body[:40].decode('utf8', 'replace') or '<empty>'))

    def dry_run(self, options='CreateOptions', body=None):
        asked = self.get_query_arguments('dryRun') or (body or {}).get('dryRun') or []
        if any(value != 'All' for value in asked):
            causes = Causes()
            causes.append(('FieldValueNotSupported', 'dryRun', 'Unsupported value: []string{"%s"}: supported values: '
                                                               '"All"' % asked[0]))
            raise errors.invalid(options, '', causes, 'meta.k8s.io')
        return bool(asked)

    def strict(self):
        """Unknown fields are dropped unless the client wants them refused, as newer kubectls do."""
        return self.query('fieldValidation') == 'Strict'

    # one object

    def read(self):
        obj = self.api.registry.get(*self.key)
        return 200, self.shaped([obj], obj['metadata']['resourceVersion']) if self.wants_table() else obj

    def create(self):
        return 201, self.api.registry.create(self.row.name, self.namespace, self.body(), self.dry_run(), self.strict())

    def replace(self):
        dry_run = self.dry_run('UpdateOptions')
        return 200, self.api.registry.replace(*self.key, data=self.body(), subresource=self.subresource,
                                              dry_run=dry_run, strict=self.strict())

    def patch_object(self):
        content_type = self.request.headers.get('Content-Type', '').partition(';')[0].strip()
        dry_run = self.dry_run('PatchOptions')
        return 200, self.api.registry.patch(*self.key, content_type=content_type, patch=self.parse(self.request.body),
                                            subresource=self.subresource, dry_run=dry_run, strict=self.strict())

    def bind(self):
        self.api.registry.bind(self.namespace, self.name, self.body(), self.dry_run())
        return 201, {'kind': 'Status', 'apiVersion': 'v1', 'metadata': {}, 'status': 'Success', 'code': 201}

    def delete_options(self):
        """Return DeleteOptions, from the body or the query."""
        options = self.parse(self.request.body) if self.request.body.strip() else {}
        options = options if isinstance(options, dict) else {}
        if 'gracePeriodSeconds' in self.request.arguments:
            options['gracePeriodSeconds'] = self.number('gracePeriodSeconds')
        grace = options.get('gracePeriodSeconds')
        if grace is not None and (isinstance(grace, bool) or not isinstance(grace, int)):
            raise errors.ApiError(500, None, 'v1.DeleteOptions.GracePeriodSeconds: readUint64: unexpected character')
        policy = options.get('propagationPolicy') or self.query('propagationPolicy')
        causes = Causes()
        if policy:
            causes.one_of('propagationPolicy', policy, ('Foreground', 'Background', 'Orphan', 'nil'))
        if causes:
            raise errors.invalid('DeleteOptions', '', causes, 'meta.k8s.io')
        return options

    def delete_object(self):
        options = self.delete_options()
        dry_run = self.dry_run('DeleteOptions', options)
        obj, gone = self.api.registry.delete(*self.key, options=options, dry_run=dry_run)
        if not gone or self.row.name in RETURNED_WHEN_DELETED:
            return 200, obj
        details = {'name': self.name, 'kind': self.row.name, 'uid': obj['metadata']['uid']}
        return 200, {'kind': 'Status', 'apiVersion': 'v1', 'metadata': {}, 'status': 'Success', 'details': details}

    # many objects

    def selector(self):
        return selectors.parse(self.row, self.query('labelSelector'), self.query('fieldSelector'))

    def delete_collection(self):
        options, matches = self.delete_options(), self.selector()
        dry_run = self.dry_run('DeleteOptions', options)
        chosen = [stored for stored in self.api.store.list(self.row.name, self.namespace)
                  if matches is None or matches(stored.object)]
        for stored in chosen:
            self.api.registry.delete(self.row.name, self.namespace, stored.object['metadata']['name'], options, dry_run)
        return 200, self.list_of(chosen, {'resourceVersion': str(self.api.store.version)})

    def list_or_watch(self):
        seconds = self.number('timeoutSeconds')
        return self.stream_watch(seconds) if self.flag('watch') else self.list_objects()

    def list_objects(self):
        store, matches, limit = self.api.store, self.selector(), max(0, self.number('limit'))
        version, asked = store.version, self.version()
        if asked is not None and asked > version:
            raise errors.version_too_large(asked, version)
        start = None
        if self.query('continue'):
            version, start = self.parse_continue(self.query('continue'))
        try:
            if start or self.query('resourceVersionMatch') == 'Exact':
                version = version if start else asked
                found = store.list_at(self.row.name, self.namespace, version)
            else:
                found = store.list(self.row.name, self.namespace)
        except Expired:
            raise errors.expired('The provided continue parameter is too old to display a consistent list result. You '
                                 'must start a new list without the continue parameter.' if start else
                                 'The resourceVersion for the provided list is too old.')
        if start:
            found = [stored for stored in found if key_of(stored.object) >= start]
        if matches:
            found = [stored for stored in found if matches(stored.object)]
        metadata = {'resourceVersion': str(version)}
        if limit and len(found) > limit:
            metadata['continue'] = base64.b64encode(encode({'v': version, 'start': key_of(found[limit].object)})).decode()
            if not matches:
                metadata['remainingItemCount'] = len(found) - limit
            found = found[:limit]
        if self.wants_table():
            return 200, self.shaped([stored.object for stored in found], **metadata)
        return 200, self.list_of(found, metadata)

    def parse_continue(self, token):
        try:
            content = json.loads(base64.b64decode(token).decode('utf8'))
            return content['v'], content['start']
        except (ValueError, KeyError, TypeError):
            raise errors.bad_request('invalid continue token: continue key is not valid')

    def list_of(self, found, metadata):
        head = encode({'kind': self.row.kind + 'List', 'apiVersion': 'v1', 'metadata': metadata})
        return head[:-1] + b',"items":[' + b','.join(stored.item for stored in found) + b']}'

    def wants_table(self):
        return TABLE in self.request.headers.get('Accept', '')

    def shaped(self, objects, resourceVersion, **metadata):
        return tables.table(self.row, objects, resourceVersion, more=metadata)

    # watches

    def stream_watch(self, seconds):
        matches, version = self.selector(), self.version()
        seconds = seconds or random.uniform(1800, 3600)
        return lambda: self.run_watch(matches, version, seconds)

    @gen.coroutine
    def run_watch(self, matches, version, seconds):
        """Send changes until the time is up or the client leaves."""
        self.begin_stream('application/json')
        self.watch = Watch(self.row, self.namespace, matches, self.write_soon, self.wants_table())
        if self.api.stalled:
            self.watch.stall()
        self.api.watches.add(self)
        loop = IOLoop.current()
        timers = [loop.call_later(seconds, self.ended.set)]
        if self.flag('allowWatchBookmarks'):
            timers += [loop.call_later(each, self.bookmark) for each in bookmark_times(seconds)]
        cancel = self.api.store.watch(self.row.name, self.watch.send_change)
        try:
            if self.catch_up(version):
                yield self.ended.wait()
        finally:
            cancel()
            self.api.watches.discard(self)
            for timer in timers:
                loop.remove_timeout(timer)
        self.end_stream()

    def catch_up(self, version):
        """Send what happened before the watch began. Return whether it can go on."""
        store = self.api.store
        try:
            if version:
                for change in store.since(self.row.name, version):
                    self.watch.send_change(change)
                return True
        except Expired:
            status = errors.expired('too old resource version: %d (%d)' % (version, store.forgotten)).status
            self.watch.send_object('ERROR', status)
            return False
        for stored in store.list(self.row.name, self.namespace):
            if self.watch.selects(stored):
                self.watch.send('ADDED', stored)
        if self.flag('sendInitialEvents'):
            self.watch.send_bookmark(store.version, {'k8s.io/initial-events-end': 'true'})
        return True

    def bookmark(self):
        self.watch.send_bookmark(self.api.store.version)

    # streams

    def begin_stream(self, content_type):
        self.ended = locks.Event()
        self.chunks = []
        self.set_header('Content-Type', content_type)
        self.flush()

    def write_soon(self, chunk):
        """Write what one turn of the loop produces with one system call."""
        if not self.chunks:
            IOLoop.current().add_callback(self.write_chunks)
        self.chunks.append(chunk)

    def write_chunks(self):
        if self.chunks and not self.ended_by_client():
            self.write(b''.join(self.chunks))
            self.chunks = []
            self.flush()

    def end_stream(self):
        if not self.ended_by_client():
            self.write_chunks()
            self.finish()

    def ended_by_client(self):
        return self._finished or self.request.connection.stream.closed()

    def on_connection_close(self):
        if hasattr(self, 'ended'):
            self.ended.set()

    @gen.coroutine
    def send_text(self, text, code=200):
        self.set_status(code)
        self.set_header('Content-Type', 'text/plain; charset=utf-8')
        self.finish(text)

    # logs

    def log(self):
        """pods/log: what a container wrote, and with `follow` what it goes on to write."""
        pod = self.api.registry.get(*self.key)
        if self.api.logs is None or not pod['spec'].get('nodeName'):
            return lambda: self.send_text('')
        chunks = self.api.logs(pod, self.query('container'), previous=self.flag('previous'),
                               tail=self.number('tailLines') if self.query('tailLines') else None,
                               limit=self.number('limitBytes') if self.query('limitBytes') else None)
        return lambda: self.stream_log(chunks)

    @gen.coroutine
    def stream_log(self, log):
        self.begin_stream('text/plain')
        self.write_soon(log.read())
        while self.flag('follow') and log.is_running() and not self.ended.is_set():
            yield gen.sleep(0.1)
            self.write_soon(log.read())
        self.write_soon(log.read())
        self.end_stream()


def key_of(obj):
    return [obj['metadata'].get('namespace', ''), obj['metadata']['name']]


def bookmark_times(seconds):
    """Return when a watch of so many seconds sends bookmarks: every minute, and shortly before the end."""
    times = list(range(BOOKMARK_SECONDS, int(seconds), BOOKMARK_SECONDS))
    return times + [max(seconds - 2, seconds / 2)]


def injected(status=500, headers=None, message=None, reason=None):
    """Return the ApiError that a test asked for."""
    reason = reason or {401: 'Unauthorized', 403: 'Forbidden', 404: 'NotFound', 409: 'Conflict', 410: 'Expired',
                        429: 'TooManyRequests', 500: 'InternalError', 503: 'ServiceUnavailable',
                        504: 'Timeout'}.get(status, '')
    return errors.ApiError(status, reason, message or 'this failure was asked for', headers=headers)


VERBS = {  # (method, is one object named, subresource) -> method of Handler
    ('GET', False, ''): Handler.list_or_watch, ('POST', False, ''): Handler.create,
    ('DELETE', False, ''): Handler.delete_collection, ('GET', True, ''): Handler.read,
    ('PUT', True, ''): Handler.replace, ('PATCH', True, ''): Handler.patch_object,
    ('DELETE', True, ''): Handler.delete_object, ('GET', True, 'status'): Handler.read,
    ('PUT', True, 'status'): Handler.replace, ('PATCH', True, 'status'): Handler.patch_object,
    ('PUT', True, 'finalize'): Handler.replace, ('POST', True, 'binding'): Handler.bind,
    ('GET', True, 'log'): Handler.log,
}
