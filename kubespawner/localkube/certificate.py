"""TLS for the API, because kubectl sends its token only over TLS. Without the package trustme, the API uses plain HTTP.

What belongs here: a certificate for 127.0.0.1, its files and its SSLContext. What does not: connections. Any thread.
"""
import logging
import os
import shutil
import ssl

log = logging.getLogger(__name__)

IGNORE_UNEXPECTED_EOF = 0x80  # clients may close connections without notice; ssl has the name since Python 3.10
PLAIN_HTTP = ('localkube serves plain HTTP, because the package trustme is missing (the extra [demo] installs it). '
              'KubeSpawner and the Python client work, but kubectl does not, because it sends its token only over TLS.')


def make(directory):
    """Return (SSLContext of the server, path of the CA certificate for clients), or (None, None) without trustme.

    directory (str): is created again, for its owner only. The private key is in a file only while ssl reads it.
    """
    shutil.rmtree(directory, ignore_errors=True)  # left by a killed process
    try:
        import trustme
    except ImportError:
        log.warning(PLAIN_HTTP)
        return None, None
    os.mkdir(directory, 0o700)
    authority = trustme.CA()
    path = os.path.join(directory, 'ca.crt')
    authority.cert_pem.write_to_path(path)
    chain = authority.issue_cert('127.0.0.1', 'localhost').private_key_and_cert_chain_pem
    return server_context(chain, directory), path


def server_context(chain, directory):
    """Return the SSLContext of a server with trustme's `chain`, a private key and its certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.options |= IGNORE_UNEXPECTED_EOF
    with chain.tempfile(dir=directory) as path:  # readable by its owner only
        context.load_cert_chain(path)
    return context


def text_of(path):
    """Return the certificates in a file (PEM), or '' if there is none."""
    if path is None:
        return ''
    with open(path, encoding='ascii') as f:
        return f.read()
