"""The settings of KubeSpawner: configurable traits, their defaults, and the help that `--help-all` shows.

No behaviour belongs here, except the validation of values and defaults that must be looked up. Everything runs on the
IOLoop's thread.

    cluster     the Kubernetes API, namespaces, and the hub as pods reach it
    container   the notebook container
    pod         the pod around it
    storage     volumes and claims
    life        hooks, time limits, and what users see while a server starts
    profiles    what users can choose
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
    """All settings of KubeSpawner. The parts are not sections of configuration files; `c.KubeSpawner` sets them all."""
