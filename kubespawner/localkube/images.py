"""Images: their names, and what they contain in localkube.

What belongs here: special images, and the full reference of a name. What does not: pulling (pulling.py). Pure; any
thread.

    localkube/missing     cannot be pulled
    localkube/crash       exits immediately with code 1
    localkube/slow:5      takes 5 s for each pull, and is otherwise like any other image
    any other             is the file system of this machine
"""
import re

DOMAIN = r'(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*' \
         r'[a-zA-Z0-9]))*(?::[0-9]+)?/)?'
COMPONENT = r'[a-z0-9]+(?:(?:[._]|__|[-]*)[a-z0-9]+)*'
REFERENCE = re.compile(r'(?P<name>%s%s(?:/%s)*)(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>[a-zA-Z0-9+._-]+:'
                       r'[0-9a-fA-F]{32,}))?\Z' % (DOMAIN, COMPONENT, COMPONENT))


class InvalidImageName(Exception):
    pass


class Image(object):
    """An image, according to its name.

    reference (str): the full name, such as docker.io/library/busybox:latest.
    kind (str): 'missing', 'crash', 'slow' or 'machine'.
    seconds (float): how long it takes to pull.
    """

    def __init__(self, name):
        match = REFERENCE.match(name)
        if not match:
            raise InvalidImageName('Failed to apply default image tag "%s": couldn\'t parse image reference "%s": '
                                   'invalid reference format%s' % (name, name, hint(name)))
        path, tag, digest = match.group('name', 'tag', 'digest')
        short = path[len('docker.io/'):] if path.startswith('docker.io/') else path
        self.reference = full_path(path) + ('@' + digest if digest else ':' + (tag or 'latest'))
        self.kind = short[len('localkube/'):] if short in KINDS else 'machine'
        self.seconds = 0
        if self.kind == 'slow':
            self.seconds = float(tag) if re.match(r'\d+(\.\d+)?\Z', tag or '') else 5

    @property
    def error(self):
        """The error of a registry that does not have this image."""
        return ('rpc error: code = NotFound desc = failed to pull and unpack image "%s": failed to resolve reference '
                '"%s": %s: not found' % ((self.reference,) * 3))


KINDS = ('localkube/missing', 'localkube/crash', 'localkube/slow')


def hint(name):
    return ': repository name must be lowercase' if name != name.lower() and REFERENCE.match(name.lower()) else ''


def full_path(path):
    """Return a name with its registry. The default is docker.io, unless the first part looks like a host."""
    first, slash, _ = path.partition('/')
    if not slash:
        return 'docker.io/library/' + path
    return path if re.search('[.:]', first) or first == 'localhost' else 'docker.io/' + path
