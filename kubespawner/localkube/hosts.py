"""The names of services, in files that replace /etc/hosts in the mount namespaces of pods.

What belongs here: which names have which addresses, and keeping the files up to date. What does not: what happens at
these addresses (forwarding.py). Everything runs on the loop thread of the server.
"""
import os

from .later import OnceLater

MACHINE = '/etc/hosts'
DOMAIN = 'svc.cluster.local'


class HostsFiles(object):
    """Keeps files with the names of all services.

    The files are mounted, so each keeps its inode: it is overwritten, not replaced.
    """

    def __init__(self, store):
        self.store = store
        self._files = {}  # path -> (namespace whose services have short names, lines of its own)
        self.update_later = OnceLater(self.update)
        for resource in ('services', 'endpoints'):
            store.watch(resource, lambda change: self.update_later())

    def add(self, path, namespace, own=''):
        """Write a file, and keep it up to date until `remove`."""
        self._files[path] = namespace, own
        overwrite(path, self.content(namespace, own))

    def remove(self, path):
        self._files.pop(path, None)

    def update(self):
        lines = {}  # namespace -> lines
        for path, (namespace, own) in self._files.items():
            if namespace not in lines:
                lines[namespace] = self.service_lines(namespace)
            overwrite(path, machine_hosts() + own + lines[namespace])

    def content(self, namespace, own):
        return machine_hosts() + own + self.service_lines(namespace)

    def service_lines(self, namespace):
        lines = []
        for stored in self.store.list('services'):
            service = stored.object
            found = self.store.get('endpoints', service['metadata']['namespace'], service['metadata']['name'])
            lines += ['%s\t%s\n' % (address, ' '.join(names))
                      for address, names in entries(service, found or {}, namespace)]
        return ''.join(lines)


def entries(service, endpoints, namespace):
    """Yield (address, names) of a service, as a process in `namespace` knows it."""
    metadata, address = service['metadata'], service['spec'].get('clusterIP', '')
    names = names_of(metadata['name'], metadata['namespace'], namespace)
    if address and address != 'None':
        yield address, names
    elif address:
        for each in addresses_of(endpoints):
            hostname = each.get('hostname')
            yield each['ip'], names + (['%s.%s' % (hostname, name) for name in names] if hostname else [])


def addresses_of(endpoints):
    return [address for subset in endpoints.get('subsets', ()) for address in subset.get('addresses', ())]


def names_of(name, its_namespace, namespace):
    qualified = '%s.%s' % (name, its_namespace)
    short = [name] if its_namespace == namespace else []
    return ['%s.%s' % (qualified, DOMAIN), qualified + '.svc', qualified] + short


def machine_hosts():
    try:
        with open(MACHINE, encoding='utf8', errors='surrogateescape') as f:
            return f.read().rstrip('\n') + '\n'
    except OSError:
        return '127.0.0.1\tlocalhost\n'


def overwrite(path, text):
    """Write a file in place. A reader sees all of the old or the new text, or the new text and the end of the old."""
    content = text.encode('utf8', 'surrogateescape')
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, content)
        os.ftruncate(descriptor, len(content))
    finally:
        os.close(descriptor)
