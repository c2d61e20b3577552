"""What a request wants to do, as RBAC sees it: a verb and a resource, or a path.

What belongs here: reading it from a request. What does not: whether it is allowed (rbac.py). Pure; any
thread. The path need not exist: a user without the right gets a 403, and not a 404.
"""
from collections import namedtuple
from urllib.parse import unquote

from . import errors
from .causes import quoted

VERBS = {'GET': 'get', 'HEAD': 'get', 'POST': 'create', 'PUT': 'update', 'PATCH': 'patch', 'DELETE': 'delete'}
SUBRESOURCES_OF_NAMESPACES = ('status', 'finalize')
HTML = (('&', '&amp;'), ('<', '&lt;'), ('>', '&gt;'))

Attributes = namedtuple('Attributes', 'verb namespace group resource subresource name path')
Attributes.__new__.__defaults__ = ('',) * 6
Attributes.__doc__ += """: what a request wants to do. All are str.

namespace: '' means all namespaces, or none. name: '' means all objects.
path: of a request that is not about a resource; then only it and the verb are set.
"""


def of_request(method, path, is_watch=False, field_selector=''):
    """Return the Attributes of a request. `path` is as in the URL, and split as in Handler.route."""
    parts = [unquote(part) for part in path.strip('/').split('/')]
    length = {'api': 2, 'apis': 3}.get(parts[0])
    if length is None or len(parts) <= length:
        return Attributes(method.lower(), path=unquote(path))
    group, parts = parts[1] if length == 3 else '', parts[length:]
    verb, namespace = VERBS.get(method, ''), ''
    if parts[0] == 'namespaces' and len(parts) > 1:
        namespace = parts[1]
        if len(parts) > 2 and parts[2] not in SUBRESOURCES_OF_NAMESPACES:
            parts = parts[2:]
    resource, name, subresource = (parts + ['', ''])[:3]
    if not name and verb == 'get':
        verb = 'watch' if is_watch else 'list'
        name = selected_name(field_selector)
    elif not name and verb == 'delete':
        verb = 'deletecollection'
    return Attributes(verb, namespace, group, resource, subresource, name)


def selected_name(field_selector):
    """Return the name of the only object that a field selector can select, or ''."""
    for requirement in field_selector.split(','):
        field, _, name = requirement.partition('=')
        if field == 'metadata.name':
            return name.lstrip('=')
    return ''


def forbidden(user, wanted, reason=''):
    """Return the ApiError 403 of a user who has no right to what `wanted` (Attributes) says."""
    message = denial(user.name, wanted)
    for character, entity in HTML:
        message = message.replace(character, entity)
    if reason:
        message += ': ' + reason
    return errors.forbidden('.'.join(filter(None, [wanted.resource, wanted.group])), wanted.name, message)


def denial(username, wanted):
    if wanted.path:
        return 'User %s cannot %s path %s' % (quoted(username), wanted.verb, quoted(wanted.path))
    resource = '/'.join(filter(None, [wanted.resource, wanted.subresource]))
    where = 'in the namespace "%s"' % wanted.namespace if wanted.namespace else 'at the cluster scope'
    return 'User %s cannot %s resource "%s" in API group "%s" %s' % (
        quoted(username), wanted.verb, resource, wanted.group, where)
