"""Volumes, where they are mounted, and the claim for a server's files."""

from traitlets import Bool, Dict, HasTraits, List, Unicode

from ..traitlets import Objects


class StorageConfiguration(HasTraits):
    """Volumes, where they are mounted, and the claim for a server's files."""

    volumes = Objects(
        [],
        config=True,
        help="""
        Kubernetes Volume objects of the pod: a list, or a dict whose values count, in the order of its keys. Every
        string in them is a template, see `pod_name_template`::

            c.KubeSpawner.volumes = [{
                'name': 'home',
                'persistentVolumeClaim': {
                    'claimName': 'claim-{username}{servername}'
                }
            }]
        """
    )

    volume_mounts = Objects(
        [],
        config=True,
        help="""
        Kubernetes VolumeMount objects of the notebook container: where it sees the `volumes`. Templates, as those are::

            c.KubeSpawner.volume_mounts = [
                {'name': 'home', 'mountPath': '/home/jovyan'}
            ]
        """
    )

    pvc_name_template = Unicode(
        'claim-{username}{servername}',
        config=True,
        help="""
        What the claim of a server's files is called; a template as `pod_name_template` is.
        """
    )

    user_storage_pvc_ensure = Bool(
        False,
        config=True,
        help="""
        Make a persistent volume claim before the pod, if it is not there yet.

        It is mounted only if `volumes` and `volume_mounts` say so.
        """
    )

    user_storage_capacity = Unicode(
        None,
        allow_none=True,
        config=True,
        help="""
        How much storage a new claim asks for, such as `10Gi`. Needed with `user_storage_pvc_ensure`.
        """
    )

    user_storage_class = Unicode(
        None,
        allow_none=True,
        config=True,
        help="""
        The storage class that a new claim asks for. None is the cluster's default.
        """
    )

    user_storage_access_modes = List(
        ['ReadWriteOnce'],
        config=True,
        help="""
        The access modes that a new claim asks for.
        """
    )

    user_storage_extra_labels = Dict(
        {},
        config=True,
        help="""
        Further labels of a new claim, by name. Values are templates, see `pod_name_template`.
        """
    )
