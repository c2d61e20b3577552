"""Faults, one row a file. Spawners without a hub, as in the tests of the cluster."""
import functools
import json
import os
import re
import time

import pytest
import yaml
from kubernetes import client
from tornado import gen

from kubespawner.kube.reflector import version_of
from kubespawner.spawner import PodReflector
from tests.cluster.conftest import kube, new_spawner, node, objects, role  # noqa: F401
from tests.support.waits import until_on_loop

from .proxy import Proxy

LABELS = {'heritage': 'jupyterhub', 'component': 'singleuser-server'}
RECOVERY = 20  # seconds from the end of a fault to a cache that is right; 2 on a machine that does nothing else


@pytest.fixture
def proxy(cluster, use_kubeconfig, tmpdir):
    """A `Proxy` in front of the API server under test. KubeSpawner goes through it, the tests themselves do not."""
    with open(os.environ['KUBECONFIG']) as f:
        kubeconfig = yaml.safe_load(f)
    used, = kubeconfig['clusters']
    port = re.search(r'//127\.0\.0\.1:(\d+)', used['cluster']['server'])
    if not port:
        pytest.skip('needs an API server at 127.0.0.1')
    with Proxy(int(port.group(1))) as proxy:
        used['cluster']['server'] = 'https://127.0.0.1:%d' % proxy.port
        path = tmpdir.join('through-the-proxy')
        path.write(yaml.safe_dump(kubeconfig))
        use_kubeconfig(path)
        yield proxy


class Asked(list):
    """`list` or `watch` for each request of reflectors, and in `times` when it was made, in seconds."""

    def __init__(self):
        super().__init__()
        self.times = []

    def add(self, verb):
        self.times.append(time.monotonic())
        self.append(verb)


@pytest.fixture
def asked(monkeypatch):
    """What reflectors ask for: a list, to which each request adds `list` or `watch` when it is made."""
    requests, method = Asked(), client.CoreV1Api.list_namespaced_pod

    @functools.wraps(method)
    def recorded(self, *args, **arguments):
        if 'label_selector' in arguments:
            requests.add('watch' if arguments.get('watch') else 'list')
        return method(self, *args, **arguments)

    monkeypatch.setattr(client.CoreV1Api, 'list_namespaced_pod', recorded)
    return requests


@pytest.fixture
def reflector(namespace, proxy, asked):
    """A reflector that goes through the proxy. `asked` tells what it asks for."""
    reflector = PodReflector(namespace=namespace)
    yield reflector
    reflector.stop()


class Pods:
    """Pods of the test's namespace that no node takes, made and read without KubeSpawner."""

    def __init__(self, core, namespace):
        self.core, self.namespace = core, namespace

    def create(self, name, annotation=''):
        self.core.create_namespaced_pod(namespace=self.namespace, _preload_content=False, body={
            'metadata': {'name': name, 'labels': LABELS, 'annotations': {'a': annotation}},
            'spec': {'schedulerName': 'nobody', 'containers': [{'name': 'notebook', 'image': 'busybox'}]}})

    def change(self, name):
        self.core.patch_namespaced_pod(name=name, namespace=self.namespace, _preload_content=False, body={
            'metadata': {'annotations': {'changed': str(time.monotonic())}}})

    def delete(self, name):
        self.core.delete_namespaced_pod(name=name, namespace=self.namespace, _preload_content=False,
                                        body=client.V1DeleteOptions(grace_period_seconds=0))

    def all(self):
        """Return the pods by name, as dicts."""
        response = self.core.list_namespaced_pod(namespace=self.namespace, _preload_content=False)
        return {pod['metadata']['name']: pod for pod in json.loads(response.data.decode('utf8'))['items']}


@pytest.fixture
def pods(core, namespace):
    """Pods that the test makes, see `Pods`. They are gone afterwards."""
    pods = Pods(core, namespace)
    yield pods
    for name in pods.all():
        pods.delete(name)


def versions(pods):
    """Return what tells states of pods (a dict by name) apart."""
    return {name: (pod['metadata']['uid'], version_of(pod)) for name, pod in dict(pods).items()}


@gen.coroutine
def until_right(reflector, pods, timeout=RECOVERY):
    """Return when the cache is what the server has."""
    truth = versions(pods.all())
    yield until_on_loop(lambda: versions(reflector.resources) == truth, timeout)


@gen.coroutine
def until_watching(reflector, asked, pods, lists=1):
    """Start the reflector; return when it has listed, so many times (None: any), and the watch brings changes."""
    reflector.start()
    yield reflector.first_load_future
    pods.create('first')
    yield until_right(reflector, pods, 60)
    assert lists is None or asked == ['list'] * lists + ['watch']
