"""Has JupyterHub make placeholders instead of keys and certificates: nothing is signed, and no authority is needed.

Only certipy is meant, as JupyterHub and subclasses import it when they need it. Main thread.
"""
import os
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from tornado import gen

from ...parts.awaiting import maybe_await
from .placeholders import HIDDEN

AUTHORITIES = 'hub-ca', 'proxy-api-ca', 'proxy-client-ca', 'services-ca', 'notebooks-ca'  # that each hub has


@contextmanager
def without_keys(spawner):
    """Give a spawner placeholders for certificates in a `with` block; nothing if it has no internal TLS.

    The files are in a directory of their own, which goes with the block.
    """
    if not has_internal_tls(spawner):
        yield
        return
    import certipy  # which JupyterHub needs since 1.0

    with TemporaryDirectory() as directory:
        known, certipy.Certipy = certipy.Certipy, _Certipy
        spawner.internal_certs_location = directory
        spawner.internal_trust_bundles = {name: _placeholder(directory, name + '_trust.crt') for name in AUTHORITIES}
        try:
            yield
        finally:
            certipy.Certipy = known


def has_internal_tls(spawner):
    """Return whether JupyterHub creates certificates for each server."""
    return bool(getattr(spawner, 'internal_ssl', False))  # since JupyterHub 1.0


@gen.coroutine
def create(spawner):
    """Do what JupyterHub does before a start with internal TLS."""
    paths = yield maybe_await(spawner.create_certs())
    spawner.cert_paths = yield maybe_await(spawner.move_certs(paths))


class _Certipy:
    """As much of certipy as makes certificates, with placeholders in them."""

    def __init__(self, store_dir='', **_):
        self._directory = store_dir

    def create_signed_pair(self, name, ca_name, *_, **__):
        files = {part: _placeholder(self._directory, '%s.%s' % (name, end))
                 for part, end in (('key', 'key'), ('cert', 'crt'))}
        return {'files': files}


def _placeholder(directory, name):
    """Make a file; return its path. The name may contain that of a user."""
    path = os.path.join(directory, name.replace(os.sep, '_'))
    with open(path, 'w') as f:
        f.write(HIDDEN)
    return path
