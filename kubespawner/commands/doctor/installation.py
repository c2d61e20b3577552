"""Checks of the installation: other distributions over our files, and versions that do not work together."""
import re

from .findings import broken, fine, warning

_HUB_IMAGE = re.compile(
    r'(?:[^/]+/)?jupyterhub/(?:singleuser|k8s-singleuser-sample)(?::([^@]+))?(?:@.*)?\Z')


def files(others, directory):
    """Check that no other distribution has written over our files. others (list of str): their names."""
    if not others:
        return [fine('No other distribution has files of the package kubespawner.')]
    names = ' '.join(others)
    return [broken('%s is installed in %s as well, and the files of both are mixed.' % (names, directory),
                   'Run: pip uninstall --yes %s && pip install --force-reinstall --no-deps kubespawner' % names)]


def versions(hub, client, server):
    """Check the versions of JupyterHub and of the Kubernetes client (str), and of the server, (1, 30) or None."""
    text = 'JupyterHub %s, Kubernetes client %s%s.' % (
        hub, client, ', Kubernetes %d.%d' % server if server else '')
    if server and server < (1, 9):
        return [broken(text + ' This Kubernetes is too old.', 'Use Kubernetes 1.9 or newer.')]
    return [fine(text)]


def images(images, hub):
    """Check the images that JupyterHub itself publishes, whose tags are its versions. images (set of str)."""
    found = []
    for image in sorted(images):
        match = _HUB_IMAGE.match(image)
        if not match:
            continue
        tag = match.group(1) or 'latest'
        number = re.match(r'v?(\d+)\.', tag)
        if number is None:
            found.append(warning('The image %s changes with each release of JupyterHub.' % image,
                                 'Name a version, such as %s.' % _of_version(image, hub)))
        elif 'k8s' not in image and number.group(1) != hub.split('.')[0]:
            found.append(warning('The image %s has another version of JupyterHub than the hub, %s.' % (image, hub),
                                 'Use %s.' % _of_version(image, hub)))
    return found


def _of_version(image, hub):
    return '%s:%s' % (image.partition('@')[0].partition(':')[0], '.'.join(hub.split('.')[:2]))
