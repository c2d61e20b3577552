"""Errors of the API with their Status bodies. The messages are those of Kubernetes.

What belongs here: one function for each kind of error. What does not: when to raise it. Plain values only; any thread.
"""
import json
import re

REGISTRY_DIRECTORIES = {'services': 'services/specs', 'endpoints': 'services/endpoints', 'ingresses': 'ingress',
                        'nodes': 'minions'}


def quoted(text):
    """Return a text as Go quotes it: on one line, whatever is in it."""
    return re.sub(r'\\u00([01][0-9a-f])', r'\\x\1', json.dumps(text, ensure_ascii=False))


class ApiError(Exception):
    """An error response. `status` is its body, and `headers` are its headers."""

    def __init__(self, code, reason, message, details=None, headers=None):
        super().__init__(message)
        self.code = code
        self.headers = headers or {}
        self.status = {'kind': 'Status', 'apiVersion': 'v1', 'metadata': {}, 'status': 'Failure', 'message': message,
                       'reason': reason, 'code': code}
        if details is not None:
            self.status['details'] = details


def details_of(resource, name):
    """Return the details of a Status about an object. `resource` is a name, with its group if it has one."""
    kind, _, group = resource.partition('.')
    details = {'name': name, 'group': group, 'kind': kind}
    return {key: value for key, value in details.items() if value}


def unauthorized():
    return ApiError(401, 'Unauthorized', 'Unauthorized')


def bad_request(message):
    return ApiError(400, 'BadRequest', message)


def internal(message):
    return ApiError(500, 'InternalError', message)


def other_namespace():
    return bad_request('the namespace of the provided object does not match the namespace sent on the request')


def bad_name(name, what, which):
    return bad_request('Name parameter invalid: %s: may not %s \'%s\'' % (quoted(name), what, which))


def unrecognized(kind, why, summary):
    return bad_request('the object provided is unrecognized (must be of type %s): %s (%s)' % (kind, why, summary))


def too_large(limit):
    return ApiError(413, 'RequestEntityTooLarge', 'Request entity too large: limit is %d' % limit)


def unknown_kind(kind, api_version, scheme):
    return 'no kind "%s" is registered for version "%s" in scheme "%s"' % (kind, api_version, scheme)


def cannot_be_handled(go_name, why):
    """400 for a body that cannot be decoded. go_name (str): its type with the version, such as v1.Pod."""
    version, name = go_name.split('.')
    return bad_request('%s in version "%s" cannot be handled as a %s: %s' % (name, version, name, why))


def not_found(resource, name):
    return ApiError(404, 'NotFound', '%s %s not found' % (resource, quoted(name)), details_of(resource, name))


def no_such_path():
    return ApiError(404, 'NotFound', 'the server could not find the requested resource', {})


def method_not_allowed():
    return ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})


def already_exists(resource, name, being_deleted=False):
    return ApiError(409, 'AlreadyExists', '%s%s %s already exists' % (
        'object is being deleted: ' if being_deleted else '', resource, quoted(name)), details_of(resource, name))


def conflict(resource, name, why='the object has been modified; please apply your changes to the latest version '
                                 'and try again'):
    return ApiError(409, 'Conflict', 'Operation cannot be fulfilled on %s "%s": %s' % (resource, name, why),
                    details_of(resource, name))


def uid_differs(resource, namespace, name, wanted, actual):
    """409 for an update of an object with another uid."""
    kind, _, group = resource.partition('.')
    directory = REGISTRY_DIRECTORIES.get(kind, kind)
    key = '/'.join(part for part in ('/registry', directory, namespace, name) if part)
    return conflict(resource, name, 'StorageError: invalid object, Code: 4, Key: %s, ResourceVersion: 0, '
                    'AdditionalErrorMsg: Precondition failed: UID in precondition: %s, UID in object meta: %s'
                    % (key, wanted, actual))


def being_terminated(resource, name, namespace):
    message = ('%s "%s" is forbidden: unable to create new content in namespace %s because it is being terminated'
               % (resource, name, namespace))
    cause = {'reason': 'NamespaceTerminating', 'message': 'namespace %s is being terminated' % namespace,
             'field': 'metadata.namespace'}
    return ApiError(403, 'Forbidden', message, dict(details_of(resource, name), causes=[cause]))


def forbidden(resource, name, why):
    what = ''.join(filter(None, [resource, ' ', name and '"%s" ' % name])) + 'is ' if resource else ''
    return ApiError(403, 'Forbidden', '%sforbidden: %s' % (what, why), details_of(resource, name))


def expired(message):
    return ApiError(410, 'Expired', message)


def not_a_patch():
    return ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {})


def not_acceptable():
    return ApiError(406, 'NotAcceptable', '406: Not Acceptable', {})


def unsupported_media_type(accepted):
    return ApiError(415, 'UnsupportedMediaType', 'the body of the request was in an unknown format - accepted media '
                    'types include: %s' % ', '.join(accepted))


def version_too_large(version, current):
    cause = {'reason': 'ResourceVersionTooLarge', 'message': 'Too large resource version'}
    return ApiError(504, 'Timeout', 'Timeout: Too large resource version: %d, current: %d' % (version, current),
                    {'causes': [cause], 'retryAfterSeconds': 1}, {'Retry-After': '1'})


def invalid(kind, name, causes, group=''):
    """422. `causes`: [(reason, field, message)], e.g. ('FieldValueRequired', 'spec.containers', 'Required value')."""
    lines = []
    for _, field, message in causes:
        line = '%s: %s' % (field, message)
        lines += [] if line in lines else [line]
    text = lines[0] if len(lines) == 1 else '[%s]' % ', '.join(lines)
    details = {'name': name, 'group': group, 'kind': kind}
    details = {key: value for key, value in details.items() if value}
    details['causes'] = [{'reason': reason, 'message': message, 'field': field} for reason, field, message in causes]
    full_kind = kind + '.' + group if group else kind
    return ApiError(422, 'Invalid', '%s %s is invalid: %s' % (full_kind, quoted(name), text), details)
