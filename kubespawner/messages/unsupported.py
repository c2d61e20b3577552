"""What this version does not support yet of what other releases do, and what to do instead. Pure; any thread.

A hub that is told to encrypt its traffic must not run without: such a setting ends the start, and is not ignored.
"""
# What follows the name of a setting that is on.
INTERNAL_SSL = ("is True, but this version of KubeSpawner does not support it yet. Remove the setting. If the traffic "
                "between the hub and the pods must be encrypted, do that in the cluster's network, for example with a "
                "service mesh.")
SERVICES_ENABLED = ("is True, but this version of KubeSpawner does not support it yet. Remove the setting: the hub "
                    "reaches pods by their IP addresses. If it must use a name, set KubeSpawner.pod_connect_ip.")


def problem(internal_ssl, services_enabled):
    """Return what to say of a spawner whose settings these are (bool); None if both are off."""
    if internal_ssl:
        return 'JupyterHub.internal_ssl ' + INTERNAL_SSL
    return 'KubeSpawner.services_enabled ' + SERVICES_ENABLED if services_enabled else None
