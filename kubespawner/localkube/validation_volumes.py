"""Validation of the volumes of pods, and of what containers mount.

What belongs here: rules for volumes and paths. What does not: other rules for pods (validation_pod.py), making volumes
(volumes.py). Pure; any thread. Functions add errors to `causes`, a Causes. `field` is the path of the value that they
check.
"""
import re

from .causes import LABEL

SHOWN_FIELDS = ('metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid')
FILE_FIELDS = re.compile(r"metadata\.(annotations|labels|name|namespace|uid|(labels|annotations)\['[^']*'\])\Z")
NEEDED = {'hostPath': ['path'], 'persistentVolumeClaim': ['claimName'], 'nfs': ['server', 'path'],
          'secret': ['secretName'], 'configMap': ['name']}
KEYED = ('secret', 'configMap')
HOST_PATH_TYPES = ('', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket')


def validate_volumes(causes, volumes):
    """Return the names of the volumes."""
    names = set()
    for i, volume in enumerate(volumes):
        field = 'spec.volumes[%d]' % i
        sources = [source for source in volume if source != 'name']
        for source in sources[1:]:
            causes.forbidden('%s.%s' % (field, source), 'may not specify more than 1 volume type')
        if sources:
            validate_of_kind(causes, '%s.%s' % (field, sources[0]), sources[0], volume[sources[0]])
        name = volume.get('name', '')
        if not name:
            causes.required(field + '.name')
        else:
            causes.format(field + '.name', name, LABEL)
        if name and name in names:
            causes.duplicate(field + '.name', name)
        names.add(name)
    return names - {''}


def validate_of_kind(causes, field, kind, source):
    """Check what a volume takes its contents from. kind (str): such as 'secret'."""
    for needed in NEEDED.get(kind, ()):
        if not source.get(needed):
            causes.required('%s.%s' % (field, needed))
    if kind in KEYED + ('hostPath',):
        validate_source(causes, field, source, kind == 'hostPath')
    elif kind == 'nfs' and not source.get('path', '').startswith('/'):
        causes.invalid(field + '.path', source.get('path', ''), 'must be an absolute path')
    elif kind == 'downwardAPI':
        validate_mode(causes, field + '.defaultMode', source['defaultMode'])
        validate_downward(causes, field, source)
    elif kind == 'projected':
        validate_projected(causes, field, source)


def validate_source(causes, field, source, is_host_path):
    if is_host_path:
        if '..' in source.get('path', '').split('/'):
            causes.invalid(field + '.path', source['path'], "must not contain '..'")
        causes.one_of(field + '.type', source['type'], HOST_PATH_TYPES)
        return
    validate_mode(causes, field + '.defaultMode', source['defaultMode'])
    validate_items(causes, field, source)


def validate_items(causes, field, source):
    for i, item in enumerate(source.get('items', ())):
        where, path = '%s.items[%d]' % (field, i), item.get('path')
        if not item.get('key'):
            causes.required(where + '.key')
        if not path:
            causes.required(where + '.path')
        else:
            validate_visible_path(causes, where + '.path', path)
        validate_mode(causes, where + '.mode', item.get('mode', 0))


def validate_visible_path(causes, field, path):
    validate_relative_path(causes, field, path)
    if path.startswith('..') and not path.startswith('../'):
        causes.invalid(field, path, "must not start with '..'")


def validate_projected(causes, field, projected):
    validate_mode(causes, field + '.defaultMode', projected['defaultMode'])
    paths = set()
    for i, source in enumerate(projected.get('sources', ())):
        where = '%s.sources[%d]' % (field, i)
        kinds = [kind for kind in PROJECTED if kind in source]
        for kind in kinds:
            PROJECTED[kind](causes, '%s.%s' % (where, kind), source[kind])
        if len(kinds) > 1:
            causes.forbidden(where, 'may not specify more than 1 volume type')
        for path in paths_of(source):
            if path in paths:
                causes.invalid(field, source.get('secret', source.get('configMap', {})).get('name', path),
                               'conflicting duplicate paths')
            paths.add(path)


def validate_keyed(causes, field, source):
    if not source.get('name'):
        causes.required(field + '.name')
    validate_items(causes, field, source)


def paths_of(source):
    items = [item for part in source.values() if isinstance(part, dict) for item in part.get('items', ())]
    return [item['path'] for item in items + [source.get('serviceAccountToken', {})] if item.get('path')]


def validate_downward(causes, field, source):
    for item in source.get('items', ()):
        if not item.get('path'):
            causes.required(field + '.path')
        else:
            validate_visible_path(causes, field + '.path', item['path'])
        if 'fieldRef' in item:
            path = item['fieldRef'].get('fieldPath', '')
            if not path:
                causes.required(field + '.fieldRef.fieldPath')
            elif not FILE_FIELDS.match(path):
                causes.one_of(field + '.fieldRef.fieldPath', path, SHOWN_FIELDS)
        elif 'resourceFieldRef' not in item:
            causes.required(field, 'one of fieldRef and resourceFieldRef is required')
        elif not item['resourceFieldRef'].get('containerName'):
            causes.required(field + '.resourceFieldRef.containerName')
        validate_mode(causes, field + '.mode', item.get('mode', 0))


def validate_token(causes, field, token):
    seconds = token['expirationSeconds']
    if seconds < 600:
        causes.invalid(field + '.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes')
    if seconds > 2 ** 32:
        causes.invalid(field + '.expirationSeconds', seconds, 'may not specify a duration larger than 2^32 seconds')
    if not token.get('path'):
        causes.required(field.partition('.sources[')[0] + '.path')  # where the API server says that it is
    else:
        validate_visible_path(causes, field + '.path', token['path'])


PROJECTED = {'secret': validate_keyed, 'configMap': validate_keyed, 'downwardAPI': validate_downward,
             'serviceAccountToken': validate_token}  # in the order of the API server


def validate_mode(causes, field, mode):
    if not 0 <= mode <= 0o777:
        causes.invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')


def validate_relative_path(causes, field, path):
    if path.startswith('/'):
        causes.invalid(field, path, 'must be a relative path')
    elif '..' in path.split('/'):
        causes.invalid(field, path, "must not contain '..'")


def validate_mounts(causes, field, mounts, volumes):
    paths = set()
    for i, mount in enumerate(mounts):
        where = '%s[%d]' % (field, i)
        if not mount.get('name'):
            causes.required(where + '.name')
        if mount.get('name') not in volumes:
            causes.not_found(where + '.name', mount.get('name', ''))
        path = mount.get('mountPath')
        if not path:
            causes.required(where + '.mountPath')
        elif path in paths:
            causes.invalid(where + '.mountPath', path, 'must be unique')
        paths.add(path)
        validate_relative_path(causes, where + '.subPath', mount.get('subPath', ''))
        validate_relative_path(causes, where + '.subPathExpr', mount.get('subPathExpr', ''))
        if mount.get('subPath') and mount.get('subPathExpr'):
            causes.invalid(where + '.subPathExpr', mount['subPathExpr'],
                           'subPathExpr and subPath are mutually exclusive')
