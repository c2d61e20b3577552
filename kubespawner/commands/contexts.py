"""The contexts of the kubeconfig: their names, and the cluster of one."""
import os

import yaml
from kubernetes import config

from ..kube.clients import CONFIG_DEFAULT_LOCATION
from .cluster import Cluster, NoAnswer


def location():
    """Return the path of the kubeconfig, or several, as the environment variable KUBECONFIG has them."""
    given = os.environ.get('KUBECONFIG') or CONFIG_DEFAULT_LOCATION
    return os.pathsep.join(map(os.path.expanduser, given.split(os.pathsep)))


def names():
    """Return the names of all contexts, a list. Raises NoAnswer if a file is no kubeconfig."""
    found = []
    for path in location().split(os.pathsep):
        if os.path.exists(path):
            found += [name for name in _names_in(path) if name not in found]
    return found


def _names_in(path):
    try:
        with open(path, encoding='utf8') as f:
            content = yaml.safe_load(f) or {}
        return [str(entry['name']) for entry in content.get('contexts') or []]
    except (OSError, ValueError, yaml.YAMLError, AttributeError, TypeError, KeyError) as e:
        raise NoAnswer('%s cannot be read as a kubeconfig (%s).' % (path, getattr(e, 'strerror', None) or
                                                                    type(e).__name__))


def cluster_of(name):
    """Return the Cluster of a context, with its user. Raises NoAnswer."""
    return Cluster(new_client=lambda: config.new_client_from_config(config_file=location(), context=name))
