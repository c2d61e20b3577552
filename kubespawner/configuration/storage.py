"""Volumes, where they are mounted, and the claim for a server's files."""

from traitlets import Bool, Dict, HasTraits, List, Unicode

from ..traitlets import Object, Objects


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

        A server that has a claim already keeps it when this is changed, see `remember_pvc_name`.
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
        The storage class that a new claim asks for. None is the cluster's default; an empty string asks for none, so
        that the claim gets a volume that is there and has no class.
        """
    )

    storage_selector = Object(
        {},
        config=True,
        help="""
        Which volumes a new claim takes: a Kubernetes LabelSelector. Every string in it is a template::

            c.KubeSpawner.storage_selector = {'matchLabels': {'content': 'jupyter'}}
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

    storage_extra_annotations = Dict(
        {},
        config=True,
        help="""
        Further annotations of a new claim, by name. Values are templates, see `pod_name_template`.
        """
    )

    remember_pvc_name = Bool(
        True,
        config=True,
        help="""
        A server keeps its claim, whatever `pvc_name_template` says now.

        With `user_storage_pvc_ensure`, the hub remembers the claim of each server. Before it makes a new one, it looks
        for one that by its annotations belongs to this user and server already, which needs the right to list claims.
        Volumes that name the claim as `pvc_name_template` does get the claim that was found.

        Set this to False if there is another hub in the same namespace whose users are others of the same names.
        """
    )

    delete_pvc = Bool(
        True,
        config=True,
        help="""
        Delete the claim of a server, and with it usually all files, when the user or the named server is deleted from
        JupyterHub (1.4.1 or newer). To stop a server deletes nothing.

        Only a claim is deleted that by its annotations belongs to that user and server, and that no other server of the
        user has as well. This needs the right to delete claims.
        """
    )
