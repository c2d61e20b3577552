"""Volumes, which are directories on this machine.

What belongs here: creating and locating directories. What does not: binding claims (controllers.py), where a container
sees them (filesystems.py). Runs on the loop thread of the server.
"""
import base64
import os
import shutil
from functools import partial

CLAIM, SECRET, CONFIG_MAP, PROJECTED = 'persistentVolumeClaim', 'secret', 'configMap', 'projected'
TOKEN = 'serviceAccountToken'


class MountError(Exception):
    """A volume cannot be mounted. The event FailedMount contains the message."""


def claim_directory(data, namespace, name):
    return os.path.join(data, 'claims', namespace, name)


def remove_claim(data, namespace, name):
    shutil.rmtree(claim_directory(data, namespace, name), ignore_errors=True)


def mount(store, data, directory, pod, token_for):
    """Create the volumes of a pod, and return {volume name: directory}. Raise MountError.

    data, directory (str): where localkube keeps claims, and what belongs to this pod. token_for: see AccountTokens.
    """
    found = {}
    for volume in pod['spec'].get('volumes', ()):
        source = next((key for key in volume if key != 'name'), 'emptyDir')
        make = partial(projected, token_for, pod) if source == PROJECTED else SOURCES.get(source)
        if make is None:
            raise MountError('MountVolume.SetUp failed for volume "%s" : localkube has no volumes of type %s; use one '
                             'of %s' % (volume['name'], source, ', '.join(sorted(list(SOURCES) + [PROJECTED]))))
        try:
            own = os.path.join(directory, 'volumes', volume['name'])
            found[volume['name']] = make(store, data, own, pod['metadata']['namespace'], volume[source])
        except (MountError, OSError) as e:
            raise MountError('MountVolume.SetUp failed for volume "%s" : %s' % (volume['name'], e))
    return found


def empty_directory(store, data, own, namespace, source):
    os.makedirs(own, exist_ok=True)
    return own


def host_path(store, data, own, namespace, source):
    path, kind = source['path'], source.get('type', '')
    if kind == 'DirectoryOrCreate':
        os.makedirs(path, exist_ok=True)
    elif kind == 'FileOrCreate' and not os.path.exists(path):
        open(path, 'a').close()
    elif kind and not os.path.exists(path):
        raise MountError('hostPath type check failed: %s is not a %s' % (path, kind.lower()))
    return path


def claimed(store, data, own, namespace, source):
    name = source['claimName']
    claim = store.get('persistentvolumeclaims', namespace, name)
    if claim is None:
        raise MountError('persistentvolumeclaim "%s" not found' % name)
    if claim['status'].get('phase') != 'Bound':
        raise MountError('PVC %s/%s is not bound' % (namespace, name))
    path = claim_directory(data, namespace, name)
    os.makedirs(path, exist_ok=True)
    return path


def secret_files(store, data, own, namespace, source):
    return write_files(store, own, namespace, 'secrets', source.get('secretName'), source)


def config_files(store, data, own, namespace, source):
    return write_files(store, own, namespace, 'configmaps', source.get('name'), source)


def write_files(store, own, namespace, resource, name, source):
    """Write all keys of a secret or configmap, or only the `items`, as files."""
    os.makedirs(own, exist_ok=True)
    obj = store.get(resource, namespace, name)
    if obj is None:
        if source.get('optional'):
            return own
        raise MountError('%s "%s" not found' % (resource[:-1], name))
    content = contents(resource, obj)
    items = source.get('items') or [{'key': key, 'path': key} for key in content]
    for item in items:
        if item['key'] in content:
            write_file(os.path.join(own, item['path']), content[item['key']],
                       item.get('mode', source.get('defaultMode', 0o644)))
        elif not source.get('optional'):
            raise MountError('references non-existent %s key: %s' % (resource[:-1], item['key']))
    return own


def projected(token_for, pod, store, data, own, namespace, source):
    """Write what several sources contain to one directory."""
    os.makedirs(own, exist_ok=True)
    for each in source.get('sources', ()):
        for kind, part in each.items():
            part = dict({'defaultMode': source.get('defaultMode', 0o644)}, **part)
            for item in part.get('items', [part]):
                check_path(item.get('path', ''))
            if kind == TOKEN:
                token = token_for(namespace, pod['spec']['serviceAccountName'], part.get('audience', ''),
                                  part.get('expirationSeconds', 3600), pod)
                write_file(os.path.join(own, part['path']), token.encode('ascii'), part['defaultMode'])
            elif kind == 'downwardAPI':
                for item in part.get('items', ()):
                    field = item.get('fieldRef', {}).get('fieldPath', '').partition('.')[2]
                    write_file(os.path.join(own, item['path']), str(pod['metadata'].get(field, '')).encode('utf8'),
                               part['defaultMode'])
            elif kind in (SECRET, CONFIG_MAP):
                SOURCES[kind](store, data, own, namespace, dict(part, secretName=part.get('name')))
    return own


def check_path(path):
    if path.startswith('/') or '..' in path.split('/'):
        raise MountError('the path %s must be relative, and without ".."' % path)


def contents(resource, obj):
    """Return {key: bytes}."""
    encoded = dict(obj.get('binaryData', {}), **(obj.get('data', {}) if resource == 'secrets' else {}))
    result = {key: base64.b64decode(value) for key, value in encoded.items()}
    if resource == 'configmaps':
        result.update({key: value.encode('utf8') for key, value in obj.get('data', {}).items()})
    return result


def write_file(path, content, mode):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path):
        os.remove(path)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, mode), 'wb') as f:
        os.fchmod(f.fileno(), mode)  # whatever the umask of localkube is
        f.write(content)


SOURCES = {'emptyDir': empty_directory, 'hostPath': host_path, CLAIM: claimed, SECRET: secret_files,
           CONFIG_MAP: config_files}
