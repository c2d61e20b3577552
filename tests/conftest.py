"""What every test may ask for: a Kubernetes API to talk to, and a namespace of its own on it.

Without options the API is a localkube, made once for the whole run. With `--kubeconfig FILE` (and `--context C`)
the same tests run against that cluster: minikube, kind, a real one.
"""
import os
import tempfile
import time
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
    group.addoption('--simulated-node', action='store_true',
                    help='the cluster of --kubeconfig has no nodes; tests that need no real processes bring their own')


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
            yield configured(Cluster(os.path.abspath(kubeconfig), False, None))
        else:
            from kubespawner.localkube import LocalKube
            with LocalKube() as kube:
                yield configured(Cluster(kube.kubeconfig, True, kube))


def configured(cluster):
    """Make `cluster` the one that KubeSpawner and its child processes use; return it."""
    os.environ['KUBECONFIG'] = cluster.kubeconfig
    return cluster


@pytest.fixture(scope='session')
def core(cluster):
    """A `CoreV1Api` of the official client for the cluster under test."""
    from kubernetes import client, config
    api_client = config.new_client_from_config(config_file=cluster.kubeconfig)
    return client.CoreV1Api(api_client)


def wait_for_service_account(core, namespace):
    """Return when a pod can be created: a new namespace's service account comes a moment after it."""
    from kubernetes.client.rest import ApiException
    pod = {'metadata': {'name': 'probe'},
           'spec': {'schedulerName': 'nobody', 'containers': [{'name': 'c', 'image': 'busybox'}]}}
    for _ in range(100):
        try:
            core.create_namespaced_pod(namespace=namespace, body=pod, _preload_content=False)
        except ApiException as e:
            if e.status not in (403, 500):
                raise
            time.sleep(0.1)
        else:
            core.delete_namespaced_pod(name='probe', namespace=namespace, body={}, _preload_content=False)
            return
    pytest.fail('no pod can be created in the new namespace %s' % namespace)


@pytest.fixture(scope='module')
def namespace(core):
    """The name of a fresh namespace, removed after the module's last test."""
    from kubernetes import client
    name = 'kubespawner-test-' + uuid.uuid4().hex[:8]
    core.create_namespace(body=client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
    wait_for_service_account(core, name)
    yield name
    core.delete_namespace(name=name, body=client.V1DeleteOptions())
