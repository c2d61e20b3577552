"""Has the Kubernetes clients of this process talk to a recorder, and to nothing else: KubeSpawner's and those of hooks.

Only clients of the package `kubernetes` are meant. They keep what they loaded before.
"""
from contextlib import contextmanager

import kubernetes.config
from kubernetes import client

from ...kube import clients
from .recorder import Recorder

# What configuration files and hooks call before they make a client, whether it runs in a pod or not.
LOADERS = 'load_incluster_config', 'load_kube_config', 'load_config'


def configuration_for(url):
    """Return a client's configuration for an API server that wants no credentials."""
    configuration = client.Configuration()
    configuration.host, configuration.proxy, configuration.api_key = url, None, {}
    return configuration


@contextmanager
def recording():
    """Let all clients that are created in a `with` block send their requests to a Recorder; yield the Recorder."""
    with Recorder() as recorder:
        with _loading(lambda *args, **kwargs: client.Configuration.set_default(configuration_for(recorder.url))):
            with clients.use_only(configuration_for(recorder.url)):
                yield recorder


@contextmanager
def _loading(load):
    before = {name: getattr(kubernetes.config, name) for name in LOADERS if hasattr(kubernetes.config, name)}
    for name in before:
        setattr(kubernetes.config, name, load)
    try:
        yield
    finally:
        for name, function in before.items():
            setattr(kubernetes.config, name, function)
