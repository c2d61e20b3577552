"""Lists of objects, complete or in pages.

What belongs here: consistent pages while objects change. What does not: selectors (selectors.py), rows (tables.py).
Everything runs on the loop thread of the server.

All pages show the objects at the version of the first page, which the continue token contains.
"""
import base64
import json
import re

from . import errors, versions
from .store import Expired, encode

TOKEN_EXPIRED = ('The provided continue parameter is too old to display a consistent list result. You must start a new '
                 'list without the continue parameter.')
TOKEN_VERSION = 'meta.k8s.io/v1'
VERSION_EXPIRED = 'The resourceVersion for the provided list is too old.'


def find(store, resource, namespace, matches, version=None, exact=False, limit=0, token=''):
    """Return (Stored objects, metadata of the list).

    matches (function or None): a predicate on objects.
    version (int or None), exact (bool): the requested resourceVersion, and whether the list must have exactly it.
    limit (int), token (str): the maximum number of objects, and the continue token of the previous page.
    Raise ApiError 400 for an invalid token, 410 for an expired token or version, 504 for a version in the future.
    """
    if version is not None and version > store.version:
        raise errors.version_too_large(version, store.version)
    shown, start = store.version, None
    if token:
        shown, start = parse_token(token)
    elif exact and version:
        shown = version
    found = list_at(store, resource, namespace, shown, TOKEN_EXPIRED if token else VERSION_EXPIRED)
    if start:
        found = [stored for stored in found if key_of(stored) >= start]
    if matches:
        found = [stored for stored in found if matches(stored.object)]
    metadata = {'resourceVersion': str(shown)}
    if limit and len(found) > limit:
        metadata['continue'] = make_token(shown, key_of(found[limit]))
        if not matches:
            metadata['remainingItemCount'] = len(found) - limit
        found = found[:limit]
    return found, metadata


def list_at(store, resource, namespace, version, complaint):
    if version == store.version:
        return store.list(resource, namespace)
    try:
        return store.list_at(resource, namespace, version)
    except Expired:
        raise errors.expired(complaint)


def make_token(version, key):
    content = encode({'v': TOKEN_VERSION, 'rv': version, 'start': '/'.join(key)})
    return base64.urlsafe_b64encode(content).decode('ascii').rstrip('=')


def parse_token(token):
    """Return (version, key of the first object) of a continue token. Raise ApiError 400."""
    legal = re.match('[A-Za-z0-9_-]*', token).end()
    if legal < len(token) or legal % 4 == 1:
        raise invalid_token('illegal base64 data at input byte %d' % (legal if legal < len(token) else legal - 1))
    try:
        content = json.loads(base64.urlsafe_b64decode(token + '=' * (-len(token) % 4)).decode('utf8', 'replace'))
    except ValueError:
        raise invalid_token("invalid character '{' looking for beginning of object key string")
    if not isinstance(content, dict) or content.get('v') != TOKEN_VERSION:
        raise errors.bad_request('invalid continue token: continue key is not valid: server does not recognize this '
                                 'encoded version "%s"' % (content.get('v') if isinstance(content, dict) else ''))
    return content['rv'], content['start'].split('/', 1)


def invalid_token(why):
    return errors.bad_request('invalid continue token: continue key is not valid: ' + why)


def key_of(stored):
    metadata = stored.object['metadata']
    return [metadata.get('namespace', ''), metadata['name']]


def document(row, found, metadata):
    """Return a list of a Resource as JSON."""
    head = encode({'kind': row.kind + 'List', 'apiVersion': row.api_version, 'metadata': metadata})
    return head[:-1] + b',"items":[' + b','.join(versions.item(row, stored) for stored in found) + b']}'


def partial(obj):
    """Return the metadata of an object alone, as the API does for clients that ask for it."""
    return {'kind': 'PartialObjectMetadata', 'apiVersion': 'meta.k8s.io/v1', 'metadata': obj['metadata']}


def partial_document(found, metadata):
    return {'kind': 'PartialObjectMetadataList', 'apiVersion': 'meta.k8s.io/v1', 'metadata': metadata,
            'items': [partial(stored.object) for stored in found]}
