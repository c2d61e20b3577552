"""Validation of the volumes of pods, and of what containers mount.

What belongs here: rules for volumes and paths. What does not: other rules for pods (validation_pod.py), making volumes
(volumes.py). Pure; any thread. Functions add errors to `causes`, a Causes. `field` is the path of the value that they
check.
"""
from .causes import LABEL

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
        for source, needed in (('hostPath', 'path'), ('persistentVolumeClaim', 'claimName'), ('nfs', 'server'),
                               ('nfs', 'path'), ('secret', 'secretName'), ('configMap', 'name')):
            if source in sources[:1] and not volume[source].get(needed):
                causes.required('%s.%s.%s' % (field, source, needed))
        for source in KEYED + ('hostPath',):
            if source in sources[:1]:
                validate_source(causes, '%s.%s' % (field, source), volume[source], source == 'hostPath')
        path = volume[sources[0]].get('path', '') if sources[:1] == ['nfs'] else None
        if path is not None and not path.startswith('/'):
            causes.invalid(field + '.nfs.path', path, 'must be an absolute path')
        name = volume.get('name', '')
        if not name:
            causes.required(field + '.name')
        else:
            causes.format(field + '.name', name, LABEL)
        if name and name in names:
            causes.duplicate(field + '.name', name)
        names.add(name)
    return names - {''}


def validate_source(causes, field, source, is_host_path):
    if is_host_path:
        if '..' in source.get('path', '').split('/'):
            causes.invalid(field + '.path', source['path'], "must not contain '..'")
        causes.one_of(field + '.type', source['type'], HOST_PATH_TYPES)
        return
    validate_mode(causes, field + '.defaultMode', source['defaultMode'])
    for i, item in enumerate(source.get('items', ())):
        where, path = '%s.items[%d]' % (field, i), item.get('path')
        if not item.get('key'):
            causes.required(where + '.key')
        if not path:
            causes.required(where + '.path')
        else:
            validate_relative_path(causes, where + '.path', path)
            if path.startswith('..') and not path.startswith('../'):
                causes.invalid(where + '.path', path, "must not start with '..'")
        validate_mode(causes, where + '.mode', item.get('mode', 0))


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
