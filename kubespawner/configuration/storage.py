"""Settings of storage: volumes, where they are mounted, and the persistent volume claim of each server."""

from traitlets import Bool, Dict, HasTraits, List, Unicode

from ..traitlets import KubeObject, KubeObjectList


class StorageConfiguration(HasTraits):
    """Settings of storage: volumes, where they are mounted, and the persistent volume claim of each server."""

    volumes = KubeObjectList(
        [],
        config=True,
        help="""
        Kubernetes Volume objects of the pod: a list, or a dict whose values are used in the order of its keys. Every
        string in them is a template, see `pod_name_template`::

            c.KubeSpawner.volumes = [{
                'name': 'home',
                'persistentVolumeClaim': {
                    'claimName': 'claim-{username}{servername}'
                }
            }]
        """
    )

    volume_mounts = KubeObjectList(
        [],
        config=True,
        help="""
        Kubernetes VolumeMount objects: where the notebook container mounts the `volumes`. A list or a dict with
        templates, like `volumes`::

            c.KubeSpawner.volume_mounts = [
                {'name': 'home', 'mountPath': '/home/jovyan'}
            ]
        """
    )

    pvc_name_template = Unicode(
        'claim-{username}{servername}',
        config=True,
        help="""
        A template for the name of a server's persistent volume claim, see `pod_name_template`.

        After a change, a server keeps the claim that it has, see `remember_pvc_name`.
        """
    )

    user_storage_pvc_ensure = Bool(
        False,
        config=True,
        help="""
        Create a persistent volume claim for the server before its pod, if the server has none. The pod mounts it only
        if `volumes` and `volume_mounts` contain it.
        """
    )

    user_storage_capacity = Unicode(
        None,
        allow_none=True,
        config=True,
        help="""
        The size of a new claim, such as `10Gi`. `user_storage_pvc_ensure` requires it: without it the start fails. For
        claims that exist already, see `storage_expand`.
        """
    )

    storage_expand = Bool(
        True,
        config=True,
        help="""
        Enlarge the claim of a server at its next start when it asks for less than `user_storage_capacity`.

        This needs the right to patch claims, and a storage class that allows it (`allowVolumeExpansion`). If either is
        missing, the claim keeps its size, the hub's log says why, and the server starts. Claims never shrink.
        """
    )

    user_storage_class = Unicode(
        None,
        allow_none=True,
        config=True,
        help="""
        The storage class of a new claim. None means the default class of the cluster. An empty string means no class:
        the claim is bound to an existing volume that has no class.
        """
    )

    storage_selector = KubeObject(
        {},
        config=True,
        help="""
        A Kubernetes LabelSelector for the volumes that a new claim may be bound to. Every string in it is a template,
        see `pod_name_template`::

            c.KubeSpawner.storage_selector = {'matchLabels': {'content': 'jupyter'}}
        """
    )

    user_storage_access_modes = List(
        ['ReadWriteOnce'],
        config=True,
        help="""
        The access modes of a new claim.
        """
    )

    user_storage_extra_labels = Dict(
        {},
        config=True,
        help="""
        Additional labels of a new claim, by name. The values are templates, see `pod_name_template`.
        """
    )

    storage_extra_annotations = Dict(
        {},
        config=True,
        help="""
        Additional annotations of a new claim, by name. The values are templates, see `pod_name_template`.
        """
    )

    remember_pvc_name = Bool(
        True,
        config=True,
        help="""
        Let a server keep its claim when `pvc_name_template` changes.

        With `user_storage_pvc_ensure`, the hub remembers the name of each server's claim. If it does not know a claim,
        it looks for one whose annotations name the user and the server, before it creates a new claim. This needs the
        right to list claims. If a volume names the claim as `pvc_name_template` does, the pod mounts the claim that was
        found.

        Set this to False if another hub in the same namespace has other users with the same names.
        """
    )

    delete_pvc = Bool(
        True,
        config=True,
        help="""
        Delete the claim of a server when its user or the named server is deleted from JupyterHub (1.4.1 or newer). This
        usually deletes all files. Stopping a server deletes no files.

        The claim is deleted only if its annotations name that user and server, and no other server of the user uses it.
        This needs the right to delete claims.
        """
    )
