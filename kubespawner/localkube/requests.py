"""One request: decoding it, and sending the response.

What belongs here: headers, query and body as plain values, and sending complete responses. What does not: executing
requests (handlers.py), streaming responses (streams.py). Everything runs on the loop thread of the server.
"""
import json

from tornado import gen, web

from . import errors, managers, protobuf, selectors
from .causes import Causes
from .resources import SUBRESOURCE_TYPES
from .store import encode

PHRASES = {422: 'Unprocessable Entity'}  # as in Go; Python 3.13 has another phrase


class BaseHandler(web.RequestHandler):
    """Decodes a request and sends the response. `api` is server.Api; `row` is the Resource, which handlers.py sets."""

    row = None

    def initialize(self, api):
        self.api = api

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
        """Return resourceVersion as an int, or None if the request does not have it."""
        text = self.query('resourceVersion')
        if text and not text.isdigit():
            raise errors.ApiError(500, None, 'resourceVersion: Invalid value: "%s": strconv.ParseUint: parsing "%s": '
                                             'invalid syntax' % (text, text))
        return int(text) if text else None

    def body(self):
        """Return the parsed JSON of the request. Raise ApiError 400 or 415."""
        content_type = self.request.headers.get('Content-Type', 'application/json').partition(';')[0].strip()
        if content_type not in ('application/json', '*/*', protobuf.MEDIA_TYPE):
            raise errors.unsupported_media_type(['application/json', protobuf.MEDIA_TYPE])
        is_protobuf = content_type == protobuf.MEDIA_TYPE
        data = protobuf.decode(self.request.body) if is_protobuf else self.parse(self.request.body)
        if not isinstance(data, dict):
            raise errors.bad_request('the object provided is unrecognized (must be of type %s): couldn\'t get '
                                     'version/kind; json parse error: not an object' % self.row.kind)
        if self.subresource not in SUBRESOURCE_TYPES:
            self.check_type(data.get('kind') or self.row.kind, data.get('apiVersion') or self.row.api_version)
        return data

    def check_type(self, kind, api_version):
        if kind != self.row.kind:
            raise errors.bad_request('%s in version "%s" cannot be handled as a %s'
                                     % (kind, api_version.rpartition('/')[2], self.row.kind))
        if api_version != self.row.api_version:
            raise errors.bad_request('the API version in the data (%s) does not match the expected API version (%s)'
                                     % (api_version, self.row.api_version))

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

    def manager(self, options, is_apply=False):
        """Return the name of the client as managedFields have it. Raise ApiError 422."""
        name = self.query('fieldManager')
        causes = managers.check(name, self.query('force'), is_apply)
        if causes:
            raise errors.invalid(options, '', causes, 'meta.k8s.io')
        return managers.name_of(name, self.request.headers.get('User-Agent', ''))

    def strict(self):
        """Return whether the client wants unknown fields rejected, as newer versions of kubectl do."""
        return self.query('fieldValidation') == 'Strict'

    def selector(self):
        return selectors.parse(self.row, self.query('labelSelector'), self.query('fieldSelector'))

    def wants_table(self):
        return 'as=Table' in self.request.headers.get('Accept', '')

    # Responses

    def send(self, body, code=200):
        """Send a JSON response: bytes, or a value to encode."""
        self.set_status(code, PHRASES.get(code))
        self.set_header('Content-Type', 'application/json')
        self.finish((body if isinstance(body, bytes) else encode(body)) + b'\n')

    @gen.coroutine
    def send_text(self, text, code=200):
        self.set_status(code)
        self.set_header('Content-Type', 'text/plain; charset=utf-8')
        self.finish(text)

    def send_error_status(self, error):
        for name, value in error.headers.items():
            self.set_header(name, value)
        self.send({key: value for key, value in error.status.items() if value is not None}, error.code)

    def write_error(self, status_code, **kwargs):
        """Send the response after an unexpected error. tornado calls this."""
        self.send_error_status(errors.ApiError(status_code, 'InternalError', 'localkube failed; see its log'))

    def drop(self):
        """Close the connection without a response."""
        self.request.connection.stream.close()
