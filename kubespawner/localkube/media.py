"""Media types: which body a request may have, and which answer it takes.

What belongs here: Content-Type and Accept. What does not: the bodies. Pure; any thread.
"""
import re

from . import errors

JSON, PROTOBUF = 'application/json', 'application/vnd.kubernetes.protobuf'
PATCHES = ('application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json',
           'application/apply-patch+yaml')
READ = (JSON, 'application/yaml', PROTOBUF)
PRODUCED = READ + ('*/*',)


def check_patch(content_type, body):
    """Raise ApiError 415 unless the header Content-Type is that of a patch; 406 if there is no body either."""
    if not any(part.partition(';')[0].strip() in PATCHES for part in content_type.split(',')):
        raise errors.not_a_patch() if body else errors.not_acceptable()


def check_accept(accept, more=()):
    """Raise ApiError 406 if the header Accept names nothing that the API sends. `more`: what a path sends besides."""
    if accept and not any(part.partition(';')[0].strip() in PRODUCED + more for part in accept.split(',')):
        raise errors.not_acceptable()


def check_body(content_type, protobuf=True):
    """Raise ApiError 415 unless the header Content-Type, which may be missing, is that of JSON, or of `protobuf`."""
    if content_type and media_type(content_type) not in ((JSON, PROTOBUF) if protobuf else (JSON,)):
        raise errors.unsupported_media_type(READ)


def is_protobuf(content_type):
    return media_type(content_type) == PROTOBUF


def media_type(content_type):
    return content_type.partition(';')[0].strip().lower()


def transformed(accept):
    """Return what the answer is to be shown as: 'Table', 'PartialObjectMetadata', or '' for objects as they are."""
    match = re.search(r'as=(Table|PartialObjectMetadata)\b', accept)
    return match.group(1) if match else ''
