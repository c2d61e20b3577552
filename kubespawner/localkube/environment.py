"""The environment variables, the command and the addresses of a container's process.

What belongs here: everything between a container's spec and execve. What does not: starting (processes.py), volumes
(volumes.py). Runs on the loop thread of the server, because it reads secrets and configmaps from the store.
"""
import base64
import os
import re
import sys

from . import downward

ANY_ADDRESS = '0.0.0.0'
INHERITED = re.compile(r'(LANG|LANGUAGE|LC_\w+|TZ)\Z')
REFERENCE = re.compile(r'\$(?:\$|\(([^)]*)\))')


class ConfigError(Exception):
    """A container refers to something that does not exist. Its status shows the message."""


def expand(text, variables):
    """Replace $(NAME) with the value of the variable. Unknown names stay unchanged, and $$ becomes $."""
    return REFERENCE.sub(lambda match: '$' if match.group() == '$$' else variables.get(match.group(1), match.group()),
                         text)


def search_path():
    """Return PATH, with the directory of this Python first, so that processes find its jupyterhub-singleuser."""
    return os.pathsep.join([os.path.dirname(sys.executable), os.environ.get('PATH', os.defpath)])


class Environment(object):
    """Builds the environment and the command of one container.

    store (Store): contains secrets and configmaps.
    pod, container (dict): the pod, which is assigned to a node, and the spec of the container.
    address, host (str): the IP addresses of the pod and of its node.
    home, temporary (str): the home directory and the temporary directory.
    api (dict): the variables that say where the API is.
    """

    def __init__(self, store, pod, container, address, host, home, temporary, api):
        self.store = store
        self.pod = pod
        self.container = container
        self.address = address
        self.host = host
        self.base = {name: value for name, value in os.environ.items() if INHERITED.match(name)}
        self.base.update(api, PATH=search_path(), HOME=home, TMPDIR=temporary,
                         HOSTNAME=pod['spec'].get('hostname') or pod['metadata']['name'][:63])

    def variables(self):
        """Return the environment variables. Raise ConfigError for a reference to something that does not exist."""
        own = {}
        for source in self.container.get('envFrom', ()):
            own.update(self.from_source(source))
        for variable in self.container.get('env', ()):
            if 'valueFrom' in variable:
                value = self.value_from(variable['valueFrom'])
            else:
                value = expand(variable.get('value', ''), own)
            if value is not None:
                own[variable['name']] = value
        if 'JUPYTERHUB_SERVICE_URL' in own:
            own['JUPYTERHUB_SERVICE_URL'] = own['JUPYTERHUB_SERVICE_URL'].replace(ANY_ADDRESS, self.address)
        return dict(self.base, **own)

    def command(self, variables):
        """Return the command line. The pod's own address replaces 0.0.0.0, because all pods share one network."""
        words = self.container.get('command', []) + self.container.get('args', [])
        if not words:
            return self.default_command(variables)
        return [expand(word, variables).replace(ANY_ADDRESS, self.address) for word in words]

    def default_command(self, variables):
        """Return the command of an image: a notebook server that finds its hub through environment variables."""
        program = os.path.join(os.path.dirname(sys.executable), 'jupyterhub-singleuser')
        words = [program if os.path.exists(program) else 'jupyterhub-singleuser']
        if 'JUPYTERHUB_SERVICE_URL' not in variables:
            ports = [port['containerPort'] for port in self.container.get('ports', ())]
            words += ['--ip=' + self.address, '--port=%d' % (ports or [8888])[0]]
        return words

    # Secrets and configmaps

    def data(self, resource, reference):
        """Return the data of a secret or configmap as {key: str}, or None if it is optional and does not exist."""
        namespace, name = self.pod['metadata']['namespace'], reference.get('name', '')
        obj = self.store.get(resource, namespace, name)
        if obj is None:
            if reference.get('optional'):
                return None
            raise ConfigError('%s "%s" not found' % (resource[:-1], name))
        data = obj.get('data', {})
        if resource == 'secrets':
            return {key: base64.b64decode(value).decode('utf8', 'replace') for key, value in data.items()}
        return data

    def from_source(self, source):
        resource, reference = (('configmaps', source['configMapRef']) if 'configMapRef' in source
                               else ('secrets', source['secretRef']))
        return {source.get('prefix', '') + key: value for key, value in (self.data(resource, reference) or {}).items()}

    def value_from(self, source):
        """Return a string, or None if the source is optional and does not exist."""
        if 'fieldRef' in source:
            return downward.field(self.pod, source['fieldRef']['fieldPath'], self.address, self.host)
        if 'resourceFieldRef' in source:
            return self.resource(source['resourceFieldRef'])
        resource, what, reference = (('secrets', 'Secret', source['secretKeyRef']) if 'secretKeyRef' in source
                                     else ('configmaps', 'ConfigMap', source['configMapKeyRef']))
        data = self.data(resource, reference)
        if data is not None and reference['key'] in data:
            return data[reference['key']]
        if reference.get('optional'):
            return None
        raise ConfigError("couldn't find key %s in %s %s/%s" % (reference['key'], what,
                                                              self.pod['metadata']['namespace'], reference['name']))

    def resource(self, reference):
        try:
            return downward.resource(self.pod, self.container, reference,
                                     downward.allocatable_of(self.store, self.pod))
        except downward.UnknownContainer as e:
            raise ConfigError(str(e))


def memory_of_machine():
    """Return bytes."""
    return os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
