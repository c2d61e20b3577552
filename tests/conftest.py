"""What every test may ask for: a Kubernetes API to talk to, and a namespace of its own on it.

Without options the API is a localkube, made once for the whole run. With `--kubeconfig FILE` (and `--context C`)
the same tests run against that cluster: minikube, kind, a real one.
"""
import os
import tempfile
import uuid
from collections import namedtuple

import pytest
import yaml

Cluster = namedtuple('Cluster', 'kubeconfig is_localkube kube')
Cluster.__doc__ += """: a Kubernetes API.

kubeconfig (str): path of a file whose current context is the cluster.
is_localkube (bool): False for a cluster that was named on the command line.
kube (LocalKube or None): its switches for faults; None for a cluster that was named on the command line.
"""


def pytest_addoption(parser):
    group = parser.getgroup('kubespawner')
    group.addoption('--kubeconfig', help='run the tests on the cluster of this kubeconfig, not on a localkube')
    group.addoption('--context', help='the context of --kubeconfig to use (default: its current one)')


def with_context(kubeconfig, context, directory):
    """Copy `kubeconfig` into `directory` with `context` as its current one; return the copy's path."""
    with open(kubeconfig) as f:
        config = yaml.safe_load(f)
    if context not in [c['name'] for c in config.get('contexts') or []]:
        raise pytest.UsageError('%s has no context named %r' % (kubeconfig, context))
    config['current-context'] = context
    path = os.path.join(directory, 'kubeconfig')
    with open(path, 'w') as f:
        yaml.safe_dump(config, f)
    return path


@pytest.fixture(scope='session')
def cluster(request):
    """The cluster under test, a `Cluster`."""
    kubeconfig = request.config.getoption('--kubeconfig')
    context = request.config.getoption('--context')
    with tempfile.TemporaryDirectory() as directory:
        if kubeconfig:
            if context:
                kubeconfig = with_context(kubeconfig, context, directory)
            yield Cluster(os.path.abspath(kubeconfig), False, None)
        else:
            from kubespawner.localkube import LocalKube
            with LocalKube() as kube:
                yield Cluster(kube.kubeconfig, True, kube)


@pytest.fixture(scope='session')
def core(cluster):
    """A `CoreV1Api` of the official client for the cluster under test."""
    from kubernetes import client, config
    api_client = config.new_client_from_config(config_file=cluster.kubeconfig)
    return client.CoreV1Api(api_client)


@pytest.fixture(scope='module')
def namespace(core):
    """The name of a fresh namespace, removed after the module's last test."""
    from kubernetes import client
    name = 'kubespawner-test-' + uuid.uuid4().hex[:8]
    core.create_namespace(body=client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
    yield name
    core.delete_namespace(name=name, body=client.V1DeleteOptions())
