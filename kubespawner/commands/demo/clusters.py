"""The cluster that the demo uses: a localkube, or a namespace of an existing one; and what happens there.

`print_events` runs on a thread of its own; everything else on the main thread.
"""
import os
import time
import uuid
from collections import namedtuple

import jupyterhub
import yaml
from kubernetes import client, config, watch
from kubernetes.client.rest import ApiException
from urllib3.exceptions import HTTPError

from kubespawner.localkube import LocalKube

from .configuration import settings_on_cluster, settings_on_localkube
from .files import copy_kubeconfig, make_runtime_directory
from .network import address_for_pods
from .output import DemoError, say, working

Cluster = namedtuple('Cluster', 'kubeconfig namespace hub_ip settings')
Cluster.__doc__ += """: where the demo's pods are.

kubeconfig (str): path of the file. The Kubernetes client of this process uses it, too.
namespace (str): of the pods. hub_ip (str): the address at which they reach the hub.
settings (dict): the values for DEMO_CONFIG that depend on the cluster.
"""


def start_localkube(directory, at_end):
    """Start a localkube in this process; return its Cluster.

    directory (str): the demo's. at_end (callable): takes a function that stops what was started.
    """
    kube = LocalKube()
    with working('Starting localkube, a one-node Kubernetes in this process'):
        kube.start()
    at_end(kube.stop)
    settings = settings_on_localkube(make_runtime_directory(directory, at_end))
    config.load_kube_config(config_file=kube.kubeconfig)
    say('To look at its pods with kubectl or another Kubernetes client, first run this in another terminal:')
    say('    export KUBECONFIG=%s', kube.kubeconfig)
    return Cluster(kube.kubeconfig, 'default', '127.0.0.1', settings)


def use_cluster(arguments, directory, at_end):
    """Create a namespace in the cluster that the arguments name; return the Cluster."""
    source = os.path.expanduser(arguments.kubeconfig or os.environ.get('KUBECONFIG', '~/.kube/config'))
    kubeconfig = os.path.join(directory, 'kubeconfig')
    try:
        context = copy_kubeconfig(source, arguments.context, kubeconfig)
        config.load_kube_config(config_file=kubeconfig)
    except (OSError, ValueError, yaml.YAMLError, config.ConfigException) as e:
        raise DemoError('The kubeconfig %s cannot be used: %s' % (source, e))
    core = client.CoreV1Api()
    hub_ip = arguments.hub_ip or address_for_pods(core.api_client.configuration.host)
    namespace = 'kubespawner-demo-' + uuid.uuid4().hex[:6]
    try:
        core.create_namespace(body=client.V1Namespace(metadata=client.V1ObjectMeta(name=namespace)))
    except ApiException as e:
        raise DemoError('The demo cannot create a namespace in the cluster of context %s: %s' % (context, e.body))
    except HTTPError as e:
        raise DemoError('The cluster of context %s cannot be reached: %s' % (context, e))
    at_end(lambda: core.delete_namespace(name=namespace, body=client.V1DeleteOptions()))
    say('Using the cluster of context %s, in namespace %s. Pods reach the hub at %s.', context, namespace, hub_ip)
    return Cluster(kubeconfig, namespace, hub_ip, settings_on_cluster(arguments.image, jupyterhub.version_info))


def print_events(core, namespace):
    """Print the events of pods as they happen, forever. Runs on a thread of its own."""
    while True:
        try:
            for event in watch.Watch().stream(core.list_namespaced_event, namespace=namespace):
                event = event['raw_object']
                say('%s  %s  %s: %s', time.strftime('%H:%M:%S'), event['involvedObject'].get('name'),
                    event.get('reason'), event.get('message'), style='event')
        except Exception:  # the cluster is stopping, or cannot be reached at the moment
            time.sleep(1)
