"""TLS for the API, because kubectl sends its token over TLS only; without the package trustme it is plain HTTP.

What belongs here: a certificate for 127.0.0.1, the files that it needs, and what serves with it. What does not: who
connects. Any thread.
"""
import logging
import os
import shutil
import ssl

log = logging.getLogger(__name__)

IGNORE_UNEXPECTED_EOF = 0x80  # clients that just hang up are no news; ssl names this from Python 3.10 on
PLAIN_HTTP = ('localkube serves plain HTTP, because it cannot import the package trustme (the extra [demo] brings it): '
              'KubeSpawner and the Python client work, but kubectl does not, because it sends its token over TLS only.')


def make(directory):
    """Return (SSLContext to serve with, path of the certificate that clients trust); (None, None) without trustme.

    directory (str): made anew, its owner's alone. It keeps no private key: that is a file only while ssl reads it.
    """
    shutil.rmtree(directory, ignore_errors=True)  # of one that was killed
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
    """Return an SSLContext that serves with trustme's `chain`, a private key and its certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.options |= IGNORE_UNEXPECTED_EOF
    with chain.tempfile(dir=directory) as path:  # readable by its owner only
        context.load_cert_chain(path)
    return context
