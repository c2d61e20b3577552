"""This machine as the contents of a container, for nodes that have nothing but the image `local/empty`."""
import sys

# What a Python of this machine needs, read-only.
DIRECTORIES = ['/usr', '/bin', '/lib', '/lib64'] + sorted({sys.prefix, sys.base_prefix})

AS_A_CONTAINER = {
    'image': 'local/empty:latest',
    'volumes': [{'name': 'machine-%d' % i, 'hostPath': {'path': path}} for i, path in enumerate(DIRECTORIES)],
    'volume_mounts': [{'name': 'machine-%d' % i, 'mountPath': path, 'readOnly': True}
                      for i, path in enumerate(DIRECTORIES)],
}
