"""Certificates as JupyterHub has them, without JupyterHub or any cryptography: files with a line in them."""
import base64
import os

FILES = {'keyfile': 'ssl.key', 'certfile': 'ssl.crt', 'cafile': 'notebooks-ca_trust.crt'}


def write_certificates(directory, number=1):
    """Write the files of a server's certificates; return their paths, and those of the trust bundles."""
    paths = {key: os.path.join(str(directory), '%s-%d' % (key, number)) for key in FILES}
    for key, path in paths.items():
        with open(path, 'w') as f:
            f.write('%s %d\n' % (key, number))
    hub = os.path.join(str(directory), 'hub')
    with open(hub, 'w') as f:
        f.write('hub\n')
    return paths, {'notebooks-ca': paths['cafile'], 'hub-ca': hub}


def decoded(secret):
    """Return the data of a secret (a dict) as text."""
    return {key: base64.b64decode(value).decode('utf8') for key, value in secret['data'].items()}
