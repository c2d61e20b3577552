"""The handlers of all methods and paths.

What belongs here: routing, faults, and calling the verb of the registry for a request. What does not: decoding requests
(requests.py), what the verbs do (registry.py). Everything runs on the loop thread of the server.
"""
from urllib.parse import unquote

from tornado import gen, iostream

from . import applying, errors, lists, tables, versions
from .causes import Causes
from .decoding import decode
from .registry import RETURNED_WHEN_DELETED
from .resources import CONNECTIONS, GROUPS, NO_COLLECTION_DELETE, RESOURCES, REVIEWS, ROWS
from .upgrades import UpgradeHandler

APPLY = 'application/apply-patch+yaml'
PREFIXES = ('/api/',) + tuple('/apis/%s/' % group for group in GROUPS)
REASONS = {401: 'Unauthorized', 403: 'Forbidden', 404: 'NotFound', 409: 'Conflict', 410: 'Expired',
           429: 'TooManyRequests', 500: 'InternalError', 503: 'ServiceUnavailable', 504: 'Timeout'}


class Handler(UpgradeHandler):
    """Handles all requests to the Kubernetes API."""

    @gen.coroutine
    def handle(self):
        method, uri = self.request.method, self.request.uri
        self.api.faults.requests.append((method, uri))
        faults = self.api.faults.take(method, uri)
        try:
            self.user = self.api.access.admit(self.request, self.flag('watch'), self.query('fieldSelector'))
            if 'delay' in faults:
                yield gen.sleep(faults['delay']['seconds'])
            if self.strike(faults, after=False):
                return
            answer = self.answer()
            if self.strike(faults, after=True):
                return
            yield self.give(answer)
        except errors.ApiError as e:
            self.send_error_status(e)
        except iostream.StreamClosedError:
            pass  # the client has closed the connection

    def strike(self, faults, after):
        """Apply a fault before or after the request takes effect. Return True if there is no other response."""
        due = [kind for kind in ('fail', 'drop') if kind in faults and faults[kind]['after'] is after]
        if 'fail' in due:
            raise injected(**faults['fail'])
        if due:
            self.drop()
        return bool(due)

    get = post = put = patch = delete = handle

    @gen.coroutine
    def give(self, answer):
        """Send the result of `answer`: (code, body), or a function that streams the response."""
        if callable(answer):
            yield answer()
        else:
            self.send(answer[1], answer[0])

    def answer(self):
        """Execute the request. Return (code, body), or a coroutine function that streams the response."""
        path = self.request.path.rstrip('/')
        if path in ('/healthz', '/readyz', '/livez'):
            return lambda: self.send_text('ok')
        if path in self.api.documents:
            return 200, self.api.documents[path]
        if not path.startswith(PREFIXES):
            return lambda: self.send_text('404 page not found\n', 404)
        self.route(path)
        verb = VERBS.get((self.request.method, bool(self.name), self.subresource))
        if self.row.name in REVIEWS:
            verb = verb if verb is Handler.create else None
        if verb is None or (self.request.method == 'DELETE' and not self.name and
                            self.row.name in NO_COLLECTION_DELETE):
            raise errors.method_not_allowed()
        if self.row.namespaced and not self.namespace and self.request.method != 'GET':
            raise errors.method_not_allowed()
        with self.api.registry.acting_for(self.user):
            return verb(self)

    def route(self, path):
        """Set row, namespace, name and subresource from the path. Raise ApiError 404."""
        parts = [unquote(part) for part in path.strip('/').split('/')]
        length = 2 if parts[0] == 'api' else 3
        api_version, parts = '/'.join(parts[1:length]), parts[length:] or ['']
        self.namespace = ''
        if parts[0] == 'namespaces' and len(parts) > 2 and parts[2] not in RESOURCES['namespaces'].subresources:
            self.namespace = parts[1]
            parts = parts[2:]
        resource, self.name, self.subresource = (parts + ['', ''])[:3]
        self.row = ROWS.get((api_version, resource))
        if (self.row is None or len(parts) > 3 or self.subresource and self.subresource not in self.row.subresources
                or bool(self.namespace) > self.row.namespaced
                or self.name and self.row.namespaced and not self.namespace):
            raise errors.no_such_path()
        self.key = self.row.key, self.namespace, self.name

    # One object

    def read(self):
        obj = self.api.registry.get(*self.key)
        if self.wants_table():
            return 200, tables.table(self.row, [obj], {'resourceVersion': obj['metadata']['resourceVersion']})
        return 200, self.shown(obj)

    def shown(self, obj):
        """Return a stored object in the version of the request."""
        return versions.shown(self.row, obj)

    def create(self):
        if self.row.name in REVIEWS:
            return 201, self.api.access.reviews.answer(self.row, self.namespace, self.body(), self.user)
        return 201, self.shown(self.api.registry.create(self.row.key, self.namespace, self.body(), self.dry_run(),
                                                        self.strict(), self.manager('CreateOptions')))

    def replace(self):
        dry_run = self.dry_run('UpdateOptions')
        return 200, self.shown(self.api.registry.replace(
            *self.key, data=self.body(), subresource=self.subresource, dry_run=dry_run, strict=self.strict(),
            manager=self.manager('UpdateOptions')))

    def patch_object(self):
        content_type = self.request.headers.get('Content-Type', '').partition(';')[0].strip()
        if content_type == APPLY:
            return self.apply()
        dry_run = self.dry_run('PatchOptions')
        return 200, self.shown(self.api.registry.patch(
            *self.key, content_type=content_type, patch=self.parse(self.request.body), subresource=self.subresource,
            dry_run=dry_run, strict=self.strict(), manager=self.manager('PatchOptions')))

    def apply(self):
        manager, dry_run = self.manager('PatchOptions', is_apply=True), self.dry_run('PatchOptions')
        obj, created = self.api.registry.apply(
            *self.key, config=applying.parse(self.request.body), manager=manager, subresource=self.subresource,
            force=self.flag('force'), dry_run=dry_run, strict=self.strict())
        return 201 if created else 200, self.shown(obj)

    def bind(self):
        self.api.registry.bind(self.namespace, self.name, self.body(), self.dry_run())
        return 201, {'kind': 'Status', 'apiVersion': 'v1', 'metadata': {}, 'status': 'Success', 'code': 201}

    def create_token(self):
        request = decode('TokenRequest', self.body())
        return 201, self.api.access.accounts.answer(self.namespace, self.name, request)

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
        if policy:
            options['propagationPolicy'] = policy
        if causes:
            raise errors.invalid('DeleteOptions', '', causes, 'meta.k8s.io')
        return options

    def delete_object(self):
        options = self.delete_options()
        dry_run = self.dry_run('DeleteOptions', options)
        obj, gone = self.api.registry.delete(*self.key, options=options, dry_run=dry_run)
        if not gone or self.row.name in RETURNED_WHEN_DELETED:
            return 200, self.shown(obj)
        details = dict(errors.details_of(self.row.qualified, self.name), uid=obj['metadata']['uid'])
        return 200, {'kind': 'Status', 'apiVersion': 'v1', 'metadata': {}, 'status': 'Success', 'details': details}

    # Many objects

    def delete_collection(self):
        options, matches = self.delete_options(), self.selector()
        dry_run = self.dry_run('DeleteOptions', options)
        chosen = [stored for stored in self.api.store.list(self.row.name, self.namespace)
                  if matches is None or matches(stored.object)]
        for stored in chosen:
            self.api.registry.delete(self.row.key, self.namespace, stored.object['metadata']['name'], options, dry_run)
        return 200, lists.document(self.row, chosen, {'resourceVersion': str(self.api.store.version)})

    def list_or_watch(self):
        seconds = self.number('timeoutSeconds')
        return self.stream_watch(seconds) if self.flag('watch') else self.list_objects()

    def list_objects(self):
        found, metadata = lists.find(
            self.api.store, self.row.name, self.namespace, self.selector(), version=self.version(),
            exact=self.query('resourceVersionMatch') == 'Exact', limit=max(0, self.number('limit')),
            token=self.query('continue'))
        if self.wants_table():
            return 200, tables.table(self.row, [stored.object for stored in found], metadata)
        return 200, lists.document(self.row, found, metadata)


def injected(status=500, headers=None, message=None, reason=None, after=False):
    """Return the ApiError of an injected fault."""
    return errors.ApiError(status, reason or REASONS.get(status, ''), message or 'this is an injected fault',
                           headers=headers)


VERBS = {  # (HTTP method, whether the path names one object, subresource) -> method of Handler
    ('GET', False, ''): Handler.list_or_watch, ('POST', False, ''): Handler.create,
    ('DELETE', False, ''): Handler.delete_collection, ('GET', True, ''): Handler.read,
    ('PUT', True, ''): Handler.replace, ('PATCH', True, ''): Handler.patch_object,
    ('DELETE', True, ''): Handler.delete_object, ('GET', True, 'status'): Handler.read,
    ('PUT', True, 'status'): Handler.replace, ('PATCH', True, 'status'): Handler.patch_object,
    ('PUT', True, 'finalize'): Handler.replace, ('POST', True, 'binding'): Handler.bind,
    ('GET', True, 'log'): Handler.log, ('POST', True, 'token'): Handler.create_token,
}
VERBS.update({(method, True, name): Handler.connect for method in ('GET', 'POST') for name in CONNECTIONS})
