"""The manifests of a hub in a cluster: docs/cluster, parsed."""
import glob
import os

import yaml

from tests import documentation

DIRECTORY = os.path.join(documentation.DOCS, 'cluster')
FILES = sorted(glob.glob(os.path.join(DIRECTORY, '*.yaml')))


def objects():
    """Return all objects in the order in which kubectl applies them, a list of dicts."""
    found = []
    for path in FILES:
        with open(path, encoding='utf8') as f:
            found += list(yaml.safe_load_all(f))
    return found


def of_kind(kind):
    """Return the objects of a kind, by name."""
    return {each['metadata']['name']: each for each in objects() if each['kind'] == kind}


def hub_configuration():
    """Return the text of the hub's configuration file."""
    return of_kind('ConfigMap')['hub']['data']['jupyterhub_config.py']
