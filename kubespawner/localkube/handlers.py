"""The handlers of all methods and paths.

What belongs here: routing, faults, and calling the verb of the registry for a request. What does not: decoding requests
(requests.py), what the verbs do (registry.py). Everything runs on the loop thread of the server.
"""
import re
from urllib.parse import unquote

from tornado import gen, iostream

from . import (
    applying,
    errors,
    label_selectors,
    lists,
    media,
    options,
    releases,
    selectors,
    tables,
    versions,
    wrong_types,
)
from .decoding import decode
from .resources import CONNECTIONS, GROUPS, RESOURCES, REVIEWS, ROWS, deletes_collections, is_served
from .upgrades import UpgradeHandler

APPLY = 'application/apply-patch+yaml'
NOT_CACHED = ('events',)  # whose lists the API server always reads from its store
RETURNED_WHEN_DELETED = ('pods', 'persistentvolumeclaims', 'resourcequotas', 'serviceaccounts')
BAD_ESCAPE = re.compile('%(?![0-9a-fA-F]{2})')
OPEN_DOCUMENTS = ('/apis',) + tuple('/apis/' + group for group in GROUPS)  # for every method
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

    SUPPORTED_METHODS = UpgradeHandler.SUPPORTED_METHODS + ('TRACE',)
    get = post = put = patch = delete = head = options = trace = handle

    @gen.coroutine
    def give(self, answer):
        """Send the result of `answer`: (code, body), or a function that streams the response."""
        if callable(answer):
            yield answer()
        else:
            self.send(answer[1], answer[0])

    def answer(self):
        """Execute the request. Return (code, body), or a coroutine function that streams the response."""
        if BAD_ESCAPE.search(self.request.path):
            return lambda: self.send_text('400 Bad Request', 400)
        path = self.request.path.rstrip('/')
        if path in ('/healthz', '/readyz', '/livez'):
            return lambda: self.send_text('ok')
        if path in self.api.documents:
            if self.request.method != 'GET' and path not in OPEN_DOCUMENTS:
                raise errors.method_not_allowed()
            return 200, self.api.documents[path]
        if not path.startswith(PREFIXES):
            return lambda: self.send_text('404 page not found\n', 404)
        self.route(path)
        verb = self.verb()
        if verb is Handler.patch_object:
            media.check_patch(self.content_type(), self.request.body)
        if verb is not Handler.connect:
            media.check_accept(self.accept(), MORE_MEDIA.get(verb, ()))
        with self.api.registry.acting_for(self.user):
            return verb(self)

    def verb(self):
        """Return the method that executes the request. Raise ApiError 405."""
        verb = VERBS.get((self.request.method, bool(self.name), self.subresource))
        if self.row.name in REVIEWS and verb is not Handler.create:
            raise errors.method_not_allowed()
        if verb is None or verb is Handler.delete_collection and not deletes_collections(self.row, self.api.release):
            raise errors.method_not_allowed()
        if self.row.namespaced and not self.namespace and self.request.method != 'GET':
            raise errors.method_not_allowed()
        return verb

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
        if (self.row is None or not is_served(self.row, self.api.release) or len(parts) > 3
                or self.subresource and self.subresource not in self.row.subresources
                or bool(self.namespace) > self.row.namespaced
                or self.name and self.row.namespaced and not self.namespace):
            raise errors.no_such_path()
        if self.name in ('.', '..'):
            raise errors.bad_name(self.name, 'be', self.name)
        for character in '/%':
            if character in self.name:
                raise errors.bad_name(self.name, 'contain', character)
        self.key = self.row.key, self.namespace, self.name

    # One object

    def read(self):
        self.read_version()
        obj = self.api.registry.get(*self.key)
        return 200, self.shown(obj)

    def shown(self, obj):
        """Return a stored object in the version of the request, and in the form that it asks for."""
        form = media.transformed(self.accept())
        if form == 'Table':
            return tables.table(self.row, [obj], {'resourceVersion': obj['metadata']['resourceVersion']})
        return lists.partial(obj) if form else versions.shown(self.row, obj)

    def create(self):
        dry_run = self.check_write('CreateOptions')
        if self.row.name in REVIEWS:
            return 201, self.api.access.reviews.answer(
                self.row, self.namespace, self.body(), self.user, self.validation)
        return 201, self.shown(self.api.registry.create(
            self.row.key, self.namespace, self.body(), dry_run=dry_run, validation=self.validation,
            manager=self.manager()))

    def replace(self):
        dry_run = self.check_write('UpdateOptions')
        return 200, self.shown(self.api.registry.replace(
            *self.key, data=self.body(), subresource=self.subresource, dry_run=dry_run, validation=self.validation,
            manager=self.manager()))

    def patch_object(self):
        content_type = self.content_type().partition(';')[0].strip()
        if content_type == APPLY:
            return self.apply()
        dry_run = self.check_write('PatchOptions')
        self.api.registry.get(*self.key)  # a missing object is reported before an invalid patch
        return 200, self.shown(self.api.registry.patch(
            *self.key, content_type=content_type, patch=self.patch_body(content_type), subresource=self.subresource,
            dry_run=dry_run, validation=self.validation, manager=self.manager()))

    def apply(self):
        dry_run = self.check_write('PatchOptions', is_apply=True)
        if not self.subresource and not self.api.registry.has(*self.key):
            self.api.access.check_create(self.user, self.row, self.namespace, self.name)
        obj, created = self.api.registry.apply(
            *self.key, config=applying.parse(self.raw_body()), manager=self.manager(), subresource=self.subresource,
            force=self.flag('force'), dry_run=dry_run)
        return 201 if created else 200, self.shown(obj)

    def bind(self):
        dry_run = self.check_write('CreateOptions')
        data = self.body()
        binding = self.decoded('Binding', data)
        if binding.get('metadata', {}).get('name') != self.name:
            raise errors.bad_request('name in URL does not match name in Binding object')
        self.api.registry.bind(self.namespace, self.name, data, dry_run)
        return 201, {'kind': 'Status', 'apiVersion': 'v1', 'metadata': {}, 'status': 'Success', 'code': 201}

    def decoded(self, kind, data):
        """Return the object of another kind than that of the resource. Raise ApiError 400."""
        obj = decode(kind, data, self.validation)
        self.validation.check(wrong_types.go_name(kind))
        if obj.get('metadata', {}).get('namespace', self.namespace) != self.namespace:
            raise errors.other_namespace()
        return obj

    def create_token(self):
        self.check_write('CreateOptions')
        request = self.decoded('TokenRequest', self.body())
        return 201, self.api.access.accounts.answer(self.namespace, self.name, request)

    def delete_object(self):
        choices, dry_run = self.delete_options()
        obj, gone = self.api.registry.delete(*self.key, options=choices, dry_run=dry_run)
        if self.is_returned() or not gone and self.row.name != 'services':
            return 200, self.shown(obj)
        details = dict(errors.details_of(self.row.qualified, self.name), uid=obj['metadata']['uid'])
        return 200, {'kind': 'Status', 'apiVersion': 'v1', 'metadata': {}, 'status': 'Success', 'details': details}

    def delete_options(self):
        body = self.raw_body()
        if body:
            media.check_body(self.content_type(), protobuf=False)
        return options.delete_options(body, self.parameters, self.api.release, of_many=not self.name)

    def is_returned(self):
        """Return whether the answer to a deletion is the object, and not only a Status."""
        return self.row.name in RETURNED_WHEN_DELETED or (
            self.row.name == 'services' and self.api.release >= releases.SERVICES_RETURNED)

    # Many objects

    def delete_collection(self):
        matches = self.list_selector()
        choices, dry_run = self.delete_options()
        chosen = [stored for stored in self.api.store.list(self.row.name, self.namespace)
                  if matches is None or matches(stored.object)]
        for stored in chosen:
            self.api.registry.delete(self.row.key, self.namespace, stored.object['metadata']['name'], choices, dry_run)
        return 200, lists.document(self.row, chosen, {'resourceVersion': str(self.api.store.version)})

    def list_or_watch(self):
        seconds = self.number('timeoutSeconds')
        limit = self.number('limit')
        matches = self.list_selector()
        return self.stream_watch(matches, seconds) if self.flag('watch') else self.list_objects(matches, limit)

    def list_selector(self):
        """Return a predicate on objects, or None for all. Raise ApiError 400 or 422 for the options of a list."""
        label_selectors.parse(self.query('labelSelector'))
        selectors.split_fields(self.query('fieldSelector'))
        options.check_list(self.parameters, self.api.release)
        return self.selector()

    def list_objects(self, matches, limit):
        found, metadata = lists.find(
            self.api.store, self.row.name, self.namespace, matches, version=self.listed_version(),
            exact=self.query('resourceVersionMatch') == options.EXACT, limit=max(0, limit),
            token=self.query('continue'))
        form = media.transformed(self.accept())
        if form == 'Table':
            return 200, tables.table(self.row, [stored.object for stored in found], metadata)
        return 200, lists.partial_document(found, metadata) if form else lists.document(self.row, found, metadata)

    def reads_store(self):
        """Return whether the API server reads a list from its store, and not from its cache."""
        return (self.row.name in NOT_CACHED or self.number('limit') > 0
                or self.query('resourceVersionMatch') == options.EXACT)

    def listed_version(self):
        """Return resourceVersion as an int, or None if the request does not have it. Raise ApiError 400 or 500."""
        try:
            return options.parse_version(self.query('resourceVersion'))
        except ValueError as e:
            if self.api.release >= releases.LIST_VERSION_CHECKED or self.reads_store():
                raise errors.bad_request('invalid resource version: %s' % e)
            raise errors.ApiError(500, None, str(e))


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
MORE_MEDIA = {Handler.list_or_watch: ('application/json;stream=watch',), Handler.log: ('text/plain',)}
