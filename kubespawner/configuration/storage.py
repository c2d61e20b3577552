"""Settings of storage: volumes, where they are mounted, and the persistent volume claim of each server."""

from traitlets import Bool, Dict, HasTraits, List, Unicode

from ..traitlets import KubeObject, KubeObjectList


class StorageConfiguration(HasTraits):
    """Settings of storage: volumes, where they are mounted, and the persistent volume claim of each server."""

    volumes = KubeObjectList(
        [],
        config=True,
        help="""
        Kubernetes Volume objects of the pod. The value is a list, or a dict whose values are used in the order of its
        keys. All strings in it are templates, see `pod_name_template`. For example::

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
        Kubernetes VolumeMount objects, which mount the `volumes` in the notebook container. The value is a list or a
        dict, and all strings in it are templates, as in `volumes`. For example::

            c.KubeSpawner.volume_mounts = [
                {'name': 'home', 'mountPath': '/home/jovyan'}
            ]
        """
    )

    pvc_name_template = Unicode(
        'claim-{username}{servername}',
        config=True,
        help="""
        A template for the name of a server's persistent volume claim (PVC), see `pod_name_template`.

        By default, a change affects only servers that do not have a PVC yet, see `remember_pvc_name`.
        """
    )

    user_storage_pvc_ensure = Bool(
        False,
        config=True,
        help="""
        Create a PVC for each server that has none, before its pod is created. The pod uses the PVC only if `volumes`
        and `volume_mounts` refer to it.
        """
    )

    user_storage_capacity = Unicode(
        None,
        allow_none=True,
        config=True,
        help="""
        The size of a new claim, such as `10Gi`. `storage_pvc_ensure` requires it: without it the start fails. For
        claims that exist already, see `storage_expand`.
        """
    )

    storage_expand = Bool(
        True,
        config=True,
        help="""
        Enlarge the claim of a server at its next start when it asks for less than `storage_capacity`.

        This needs the right to patch claims, and a storage class that allows it (`allowVolumeExpansion`). If either is
        missing, the claim keeps its size, the hub's log says why, and the server starts. Claims never shrink.
        """
    )

    user_storage_class = Unicode(
        None,
        allow_none=True,
        config=True,
        help="""
        The storage class of a new PVC. None means the default storage class of the cluster. An empty string means no
        storage class: Kubernetes then binds the PVC only to an existing volume that has no storage class.
        """
    )

    storage_selector = KubeObject(
        {},
        config=True,
        help="""
        A Kubernetes LabelSelector that restricts the volumes to which Kubernetes can bind a new PVC. All strings in it
        are templates, see `pod_name_template`. For example::

            c.KubeSpawner.storage_selector = {'matchLabels': {'content': 'jupyter'}}
        """
    )

    user_storage_access_modes = List(
        ['ReadWriteOnce'],
        config=True,
        help="""
        The access modes of a new PVC, such as `ReadWriteOnce` or `ReadWriteMany`.
        """
    )

    user_storage_extra_labels = Dict(
        {},
        config=True,
        help="""
        Additional labels of a new PVC: a dict of names and values. The values are templates, see `pod_name_template`.
        """
    )

    storage_extra_annotations = Dict(
        {},
        config=True,
        help="""
        Additional annotations of a new PVC: a dict of names and values. The values are templates, see
        `pod_name_template`.
        """
    )

    remember_pvc_name = Bool(
        True,
        config=True,
        help="""
        Let a server keep its PVC when `pvc_name_template` changes.

        If `storage_pvc_ensure` is True, the hub stores the name of each server's PVC in its database. Before it
        creates a new PVC, it looks for an existing one whose annotations name the same user and server, and that
        has the labels that hubs give to PVCs, among them that of the user. For this, the hub needs the permission to
        list PVCs. The log names PVCs that have the annotations, but not the labels.

        A volume whose `claimName` is the same as the result of `pvc_name_template` mounts the PVC that the server
        already has, even if that PVC has another name.

        Set this to False if another hub in the same namespace has different users with the same names.
        """
    )

    delete_pvc = Bool(
        True,
        config=True,
        help="""
        Delete the PVC of a server when its user or the named server is deleted from JupyterHub (1.4.1 or newer). This
        usually deletes all files in it. Stopping a server does not delete any files.

        KubeSpawner keeps the PVC if its annotations do not name this user and server, or if another server of the user
        uses it. The hub needs the permission to delete PVCs.
        """
    )
