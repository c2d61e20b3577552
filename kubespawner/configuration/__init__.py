"""What an operator can configure: the traits, their defaults and what they mean to who reads `--help-all`.

Here belongs no behaviour, but for defaults that have to be looked up. Everything runs on the IOLoop's thread.

    cluster     where things are: the API, namespaces, the hub
    container   the notebook container
    pod         the pod around it
    storage     volumes and claims
    life        hooks, when to give up, and what is told meanwhile
    profiles    what users may choose
"""
from .cluster import ClusterConfiguration
from .container import ContainerConfiguration
from .life import LifeConfiguration
from .pod import PodConfiguration
from .profiles import ProfileConfiguration
from .storage import StorageConfiguration


class Configuration(
        ClusterConfiguration, ContainerConfiguration, PodConfiguration, StorageConfiguration, LifeConfiguration,
        ProfileConfiguration):
    """The configurable traits of KubeSpawner. Parts of it, no sections of configuration files of their own."""
