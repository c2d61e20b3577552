"""Lists of objects, complete or in pages.

What belongs here: consistent pages while objects change. What does not: selectors (selectors.py), rows (tables.py).
Everything runs on the loop thread of the server.

All pages show the objects at the version of the first page, which the continue token contains.
"""
import base64
import json

from . import errors, versions
from .store import Expired, encode

TOKEN_EXPIRED = ('The provided continue parameter is too old to display a consistent list result. You must start a new '
                 'list without the continue parameter.')
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
        metadata['continue'] = base64.b64encode(encode({'v': shown, 'start': key_of(found[limit])})).decode('ascii')
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


def parse_token(token):
    try:
        content = json.loads(base64.b64decode(token).decode('utf8'))
        return content['v'], content['start']
    except (ValueError, KeyError, TypeError):
        raise errors.bad_request('invalid continue token: continue key is not valid')


def key_of(stored):
    metadata = stored.object['metadata']
    return [metadata.get('namespace', ''), metadata['name']]


def document(row, found, metadata):
    """Return a list of a Resource as JSON."""
    head = encode({'kind': row.kind + 'List', 'apiVersion': row.api_version, 'metadata': metadata})
    return head[:-1] + b',"items":[' + b','.join(versions.item(row, stored) for stored in found) + b']}'
