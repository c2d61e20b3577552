"""The settings of KubeSpawner: configurable traits, their defaults, and the help that `--help-all` shows.

Apart from the validation of values and the computation of dynamic defaults, no behaviour belongs here. Everything
runs on the thread of the IOLoop.

    cluster     the Kubernetes API, namespaces, and the hub as pods reach it
    container   the notebook container
    pod         the pod around it
    related     the Service and the Secret that go with a pod
    storage     volumes and claims
    life        hooks, time limits, and what users see while a server starts
    profiles    what users can choose
    templates   which of them are templates
    defaults    what spawners of a class have in common as long as nobody sets it
"""
from .cluster import ClusterConfiguration
from .container import ContainerConfiguration
from .defaults import SharedDefaults
from .lifecycle import LifecycleConfiguration
from .pod import PodConfiguration
from .profiles import ProfileConfiguration
from .related import RelatedConfiguration
from .storage import StorageConfiguration


class Configuration(
        ClusterConfiguration, ContainerConfiguration, PodConfiguration, RelatedConfiguration, StorageConfiguration,
        LifecycleConfiguration, ProfileConfiguration, SharedDefaults):
    """All settings of KubeSpawner. Configuration files set all of them in the section `c.KubeSpawner`."""
