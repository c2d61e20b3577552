"""Installs docs/cluster on a real node that has the image `local/empty` only, with this machine's programs in it.

Blocks. Needs kubectl, and a user who may do everything.
"""
import copy
import difflib
import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager

import yaml

from tests import documentation, machine

from . import cluster_files

KUBECTL = os.environ.get('KUBECTL') or shutil.which(
    'kubectl', path=os.path.dirname(sys.executable) + os.pathsep + os.environ.get('PATH', ''))

PASSWORD = 'correct horse battery staple'
USERS = ['ann', 'bob']  # who find a volume for their home

# The image of users' containers, and what goes with it.
SERVERS = """
c.KubeSpawner.image = {image!r}
c.KubeSpawner.cmd = [{prefix!r} + '/bin/jupyterhub-singleuser']
c.KubeSpawner.environment = {{'HOME': '/home/jovyan', 'PATH': {prefix!r} + '/bin:/usr/bin:/bin'}}
c.KubeSpawner.working_dir = '/home/jovyan'
c.KubeSpawner.http_timeout = 180  # other tests keep this machine busy
c.KubeSpawner.volumes = c.KubeSpawner.volumes + {volumes!r}
c.KubeSpawner.volume_mounts = c.KubeSpawner.volume_mounts + {volume_mounts!r}
"""

CHECKOUT = os.path.realpath(documentation.ROOT)


def proxy_of_node():
    """Return the directory of configurable-http-proxy for Node.js, and the one around it. None if there is none."""
    found = shutil.which('configurable-http-proxy')
    return found and (os.path.dirname(found), os.path.dirname(os.path.dirname(found)))


def with_this_machines_image(manifest, proxy):
    """Return an object of docs/cluster with nothing changed but the image, and what an image without contents needs.

    proxy (tuple): see `proxy_of_node`.
    """
    manifest = copy.deepcopy(manifest)
    programs, parent = proxy
    mounts = [{'name': 'checkout', 'mountPath': CHECKOUT, 'readOnly': True}]
    volumes = [{'name': 'checkout', 'hostPath': {'path': CHECKOUT}}]
    if not parent.startswith('/usr'):
        mounts.append({'name': 'proxy', 'mountPath': parent, 'readOnly': True})
        volumes.append({'name': 'proxy', 'hostPath': {'path': parent}})
    if manifest['kind'] == 'ConfigMap':
        manifest['data']['jupyterhub_config.py'] += SERVERS.format(prefix=sys.prefix, **machine.AS_A_CONTAINER)
    if manifest['kind'] == 'Deployment':
        spec = manifest['spec']['template']['spec']
        container, = spec['containers']
        container.update(image=machine.AS_A_CONTAINER['image'], imagePullPolicy='IfNotPresent')
        spec['volumes'] = spec.get('volumes', []) + volumes + machine.AS_A_CONTAINER['volumes']
        container['volumeMounts'] = (
            container.get('volumeMounts', []) + mounts + machine.AS_A_CONTAINER['volume_mounts'])
        path = ':'.join([programs, sys.prefix + '/bin', '/usr/bin', '/bin'])
        container['env'] = container['env'] + [
            {'name': 'PATH', 'value': path}, {'name': 'PYTHONPATH', 'value': CHECKOUT}]
    return manifest


def difference(before, after):
    """Return what differs between two lists of objects, as lines of YAML."""
    lines = [yaml.safe_dump_all(each, default_flow_style=False).splitlines() for each in (before, after)]
    return '\n'.join(difflib.unified_diff(lines[0], lines[1], 'docs/cluster', 'on this machine', lineterm='', n=0))


class Installation:
    """The hub of docs/cluster, installed with kubectl."""

    def __init__(self, kubeconfig, directory):
        self.kubeconfig, self.directory = kubeconfig, directory
        self.namespace = cluster_files.objects()[0]['metadata']['name']

    def kubectl(self, *arguments, content=None, timeout=180):
        """Run kubectl in the hub's namespace; return what it prints. Raises AssertionError with its errors."""
        command = [KUBECTL, '--kubeconfig', self.kubeconfig, '--cache-dir', os.path.join(self.directory, 'kubectl'),
                   '--namespace', self.namespace] + list(arguments)
        done = subprocess.run(command, input=(content or '').encode('utf8'), timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert done.returncode == 0, done.stderr.decode('utf8')
        return done.stdout.decode('utf8')

    def apply(self, manifests):
        """Apply objects, a list of dicts."""
        return self.kubectl('apply', '-f', '-', content=yaml.safe_dump_all(manifests))

    def get(self, *arguments):
        """Return what `kubectl get` finds, a dict."""
        return json.loads(self.kubectl('get', '--output', 'json', *arguments))

    def pods(self, component):
        """Return the pods of a component that are not being deleted."""
        return [pod for pod in self.get('pods', '--selector', 'component=' + component)['items']
                if 'deletionTimestamp' not in pod['metadata']]

    def log(self, component):
        """Return what the pods of a component print, as far as there is something."""
        try:
            return self.kubectl('logs', '--selector', 'component=' + component, '--tail=200')
        except AssertionError as e:
            return str(e)

    def wait(self, deployment):
        """Return when the pods of a deployment are ready."""
        self.kubectl('rollout', 'status', 'deployment/' + deployment, '--timeout=150s')

    def volumes(self):
        """Return persistent volumes for the hub and its users, each for one claim: directories of this machine."""
        claims = ['hub'] + ['claim-' + user for user in USERS]
        return [{
            'apiVersion': 'v1', 'kind': 'PersistentVolume', 'metadata': {'name': '%s-%s' % (self.namespace, claim)},
            'spec': {'capacity': {'storage': '10Gi'}, 'accessModes': ['ReadWriteOnce'],
                     'hostPath': {'path': self._directory(claim)},
                     'claimRef': {'namespace': self.namespace, 'name': claim}}} for claim in claims]

    def _directory(self, name):
        """Return a new directory in which everybody may write: `fsGroup` has no effect on volumes of type hostPath."""
        path = os.path.join(self.directory, name)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, 0o777)
        return path


@contextmanager
def installed(kubeconfig, directory, proxy):
    """Install docs/cluster, in the order that the documentation gives; remove all of it in the end."""
    os.chmod(directory, 0o755)
    hub = Installation(kubeconfig, directory)
    objects = cluster_files.objects()
    changed = [with_this_machines_image(each, proxy) for each in objects]
    print(difference(objects, changed))
    volumes = hub.volumes()
    try:
        hub.apply(volumes)
        hub.kubectl('apply', '-f', cluster_files.FILES[0])
        hub.kubectl('create', 'secret', 'generic', 'hub', '--from-literal=proxy-token=' + 64 * 'a',
                    '--from-literal=shared-password=' + PASSWORD)
        hub.apply(changed)
        hub.wait('proxy')
        hub.wait('hub')
        yield hub
    finally:
        # Nothing is worth the time that pods may take to end.
        hub.kubectl('delete', '--ignore-not-found', 'deployments', '--all')
        hub.kubectl('delete', '--ignore-not-found', 'pods', '--all', '--grace-period=1')
        hub.kubectl('delete', 'namespace', hub.namespace, '--ignore-not-found')
        hub.kubectl('delete', '--ignore-not-found', 'persistentvolume', *[each['metadata']['name'] for each in volumes])
