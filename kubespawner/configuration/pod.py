"""The pod around the notebook container: its name, who it runs as and where, and what else is in it."""

from traitlets import Dict, HasTraits, Integer, List, Unicode, Union

from ..traitlets import Callable, Object, Objects


class PodConfiguration(HasTraits):
    """The pod around the notebook container: its name, who it runs as and where, and what else is in it."""

    pod_name_template = Unicode(
        'jupyter-{username}{servername}',
        config=True,
        help="""
        What a server's pod is called.

        `{username}` is the user's name in `[a-z0-9]`, other characters as `-` and their bytes in hexadecimal.
        `{servername}` is empty for the default server, otherwise `--` and the server's name, written likewise.
        `{userid}` is JupyterHub's number of the user. `{legacy_escape_username}` has `-` for other characters, so
        that different users can get the same one.

        What does not make a DNS label of at most 63 characters is cut, and ends in a hash.
        """
    )

    singleuser_extra_labels = Dict(
        {},
        config=True,
        help="""
        Further labels of the pod, by name. Values are templates, see `pod_name_template`.

        The labels by which the hub finds its pods cannot be changed.
        """
    )

    singleuser_extra_annotations = Dict(
        {},
        config=True,
        help="""
        Further annotations of the pod, by name. Values are templates, see `pod_name_template`.
        """
    )

    singleuser_node_selector = Dict(
        {},
        config=True,
        help="""
        Labels that a node must have for the pod to run there, for example::

            c.KubeSpawner.singleuser_node_selector = {'disktype': 'ssd'}
        """
    )

    singleuser_service_account = Unicode(
        None,
        allow_none=True,
        config=True,
        help="""
        The Kubernetes service account whose token the pod gets.

        None gives users no token: an empty directory is mounted where it would be.
        """
    )

    singleuser_uid = Union(
        [Integer(), Callable()],
        default_value=None,
        allow_none=True,
        config=True,
        help="""
        The user id that the pod's processes run with: a number, or a function of the spawner that returns one, or
        that returns a future of one. None is the one that the image says.
        """
    )

    singleuser_fs_gid = Union(
        [Integer(), Callable()],
        default_value=None,
        allow_none=True,
        config=True,
        help="""
        The group id that owns the pod's volumes, where the kind of volume allows: a number, or a function as for
        `singleuser_uid`. None leaves volumes as they are.
        """
    )

    singleuser_supplemental_gids = Union(
        [List(), Callable()],
        default_value=None,
        allow_none=True,
        config=True,
        help="""
        Further group ids of the pod's processes: a list of numbers, or a function as for `singleuser_uid`.
        """
    )

    singleuser_init_containers = Objects(
        [],
        config=True,
        help="""
        Kubernetes Container objects that run one after the other before the notebook container starts: a list, or a
        dict whose values count, in the order of its keys.
        """
    )

    singleuser_extra_containers = Objects(
        [],
        config=True,
        help="""
        Kubernetes Container objects that run beside the notebook container: a list, or a dict as for
        `singleuser_init_containers`.

        The server counts as running when all of them are ready.
        """
    )

    singleuser_extra_pod_config = Object(
        {},
        config=True,
        help="""
        Fields of the pod's `spec` that no trait stands for, as for `singleuser_extra_container_config`, for example::

            c.KubeSpawner.singleuser_extra_pod_config = {
                'tolerations': [
                    {'key': 'notebooks', 'operator': 'Exists'}
                ]
            }
        """
    )
