"""One request: decoding it, and sending the response.

What belongs here: headers, query and body as plain values, and sending complete responses. What does not: what options
mean (options.py), executing requests (handlers.py), streaming responses (streams.py). Everything runs on the loop
thread of the server.
"""
from tornado import gen, web

from . import errors, json_text, managers, media, options, protobuf, selectors, wrong_types
from .field_validation import FieldValidation, warning_header
from .resources import SCHEME, body_type, go_type, is_known
from .store import encode

PHRASES = {422: 'Unprocessable Entity'}  # as in Go; Python 3.13 has another phrase
LARGEST_BODY = 3 * 2 ** 20  # bytes


class BaseHandler(web.RequestHandler):
    """Decodes a request and sends the response. `api` is server.Api; `row` is the Resource, which handlers.py sets."""

    row = None
    subresource = ''

    def initialize(self, api):
        self.api = api
        self.parameters = options.Query(self.request.query)
        self.validation = FieldValidation(self.parameters.text('fieldValidation'), api.release)

    def prepare(self):
        self.api.server.busy(self.request.connection.stream)

    def query(self, name, default=''):
        return self.parameters.text(name) or default

    def flag(self, name):
        return self.parameters.flag(name)

    def number(self, name):
        return self.parameters.number(name)

    def accept(self):
        return self.request.headers.get('Accept', '')

    def content_type(self):
        return self.request.headers.get('Content-Type', '')

    # Bodies

    def raw_body(self):
        """Return the bytes of the body. Raise ApiError 413."""
        if len(self.request.body) > LARGEST_BODY:
            raise errors.too_large(LARGEST_BODY)
        return self.request.body

    def body(self):
        """Return the parsed JSON of the request. Raise ApiError 400, 413 or 415."""
        kind, api_version = body_type(self.row, self.subresource)
        body = self.raw_body()
        if media.is_protobuf(self.content_type()):
            data = protobuf.decode(body)
        else:
            data = self.parse(kind, body)
        self.check_type(data, kind, api_version, body)
        self.validation.find_duplicates(data)
        return data

    def parse(self, kind, body):
        try:
            data = json_text.parse(body)
            if not isinstance(data, dict) and data is not None:
                raise ValueError(wrong_types.TYPE_META % wrong_types.json_type(data))
            check_type_meta(data or {})
        except ValueError as e:
            raise errors.unrecognized(kind, "couldn't get version/kind; json parse error: %s" % e,
                                      json_text.summary(body))
        return data or {}

    def check_type(self, data, expected, expected_version, body):
        """Raise ApiError 400 unless `data` is of the expected kind and version, or does not say what it is."""
        kind, api_version = data.get('kind') or expected, (data.get('apiVersion') or expected_version).lstrip('/')
        if api_version.count('/') > 1:
            raise errors.unrecognized(expected, 'unexpected GroupVersion string: ' + api_version,
                                      json_text.summary(body))
        if (kind, api_version) == (expected, expected_version):
            return
        if not is_known(kind, api_version):
            why = errors.unknown_kind(kind, api_version, SCHEME)
        elif kind == expected:
            raise errors.bad_request('the API version in the data (%s) does not match the expected API version (%s)'
                                     % (api_version, expected_version))
        else:
            why = 'converting (%s) to (%s): unknown conversion' % (go_type(kind, api_version),
                                                                   go_type(expected, expected_version, True))
        raise errors.bad_request('%s in version "%s" cannot be handled as a %s: %s'
                                 % (kind, api_version.rpartition('/')[2], expected, why))

    def patch_body(self, content_type):
        """Return the parsed JSON of a patch. Raise ApiError 400 or 413."""
        try:
            if 'strategic' in content_type and not self.request.body:
                raise ValueError('EOF')
            patch = json_text.parse(self.raw_body())
        except ValueError as e:
            if 'merge-patch' in content_type and 'strategic' not in content_type:
                raise errors.ApiError(500, None, 'Invalid JSON Patch')
            raise errors.bad_request(str(e))
        self.validation.find_duplicates(patch)
        return patch

    # Options

    def check_write(self, kind, is_apply=False):
        """Check the options of a create, update or patch. Return whether it is a dry run."""
        if kind != 'PatchOptions':
            media.check_body(self.content_type())
        return options.check_write(kind, self.parameters, self.api.release, is_apply)

    def manager(self):
        """Return the name of the client as managedFields have it."""
        return managers.name_of(self.query('fieldManager'), self.request.headers.get('User-Agent', ''))

    def selector(self):
        return selectors.parse(self.row, self.query('labelSelector'), self.query('fieldSelector'))

    def wants_table(self):
        return media.transformed(self.accept()) == 'Table'

    # Responses

    def send(self, body, code=200):
        """Send a JSON response: bytes, or a value to encode."""
        self.set_status(code, PHRASES.get(code))
        self.set_header('Content-Type', 'application/json')
        for warning in self.validation.warnings():
            header = warning_header(warning)
            if header.isprintable():
                self.add_header('Warning', header.encode('utf8', 'replace').decode('latin1'))
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


def check_type_meta(data):
    """Raise ValueError if the kind or version of an object is not a string."""
    for name, field in (('apiVersion', 'apiVersion'), ('kind', 'kind')):
        if not isinstance(data.get(name, ''), (str, type(None))):
            raise ValueError('json: cannot unmarshal %s into Go struct field .%s of type string'
                             % (wrong_types.json_type(data[name]), field))
