"""The pod around the notebook container: its name, who it runs as and where, and what else is in it."""

import re

from traitlets import Bool, Dict, Enum, HasTraits, Integer, List, TraitError, Unicode, Union, validate

from ..traitlets import Callable, Object, Objects


class PodConfiguration(HasTraits):
    """The pod around the notebook container: its name, who it runs as and where, and what else is in it."""

    pod_name_template = Unicode(
        'jupyter-{username}{servername}',
        config=True,
        help="""
        What a server's pod is called: a template. Templates may have these fields in braces:

        - `{username}`: the user's name as `slug_scheme` writes it; by default in `[a-z0-9]`, other characters as `-`
          and their bytes in hexadecimal.
        - `{servername}`: empty for the default server, otherwise `--` and the server's name, written likewise. If `--`
          stands before it already, no other is added, and none is left for the default server.
        - `{user_server}`: both in one, such as `ann` and `ann--gpu`.
        - `{escaped_username}`, `{escaped_servername}`, `{escaped_user_server}`, `{safe_username}`, `{safe_servername}`,
          `{safe_user_server}`: the same by that scheme, whatever `slug_scheme` is. Those of servers without `--`.
        - `{unescaped_username}`, `{unescaped_servername}`: as they are in JupyterHub. They may hold anything that
          users can be called, so do not put them into commands.
        - `{legacy_escape_username}`: `-` for other characters, so that different users can get the same one.
        - `{userid}`: JupyterHub's number of the user.
        - `{namespace}` of the pod, `{hubnamespace}` of the hub, `{pod_name}` and `{pvc_name}`: not in their own
          templates.

        With `{user_server}`, or `{username}` before `{servername}`, no two servers are called the same.

        What does not make a DNS label of at most 63 characters is cut, and ends in a hash.
        """
    )

    slug_scheme = Enum(
        ['escape', 'safe'],
        'escape',
        config=True,
        help="""
        How names of users and servers are written in Kubernetes' names.

        `escape`: characters other than `a`-`z` and `0`-`9` become `-` and their bytes in hexadecimal: `ann-2db`.
        `safe`: names of at most 48 characters `a`-`z`, `0`-`9` and single `-`, that begin with a letter and do not end
        in `-`, stay as they are: `ann-b`. Others become what is left of them, `---`, and eight digits of a hash. That
        keeps names apart by chance (1 in 4,000,000,000), and not from users who can choose their names at will.
        """
    )

    handle_legacy_names = Bool(
        True,
        config=True,
        help="""
        With `slug_scheme = 'safe'`: servers that were started before that was set keep the claims that `escape` named.

        They are known by their state in the hub's database. Without effect if `remember_pvc_name` is False.
        """
    )

    dns_name_template = Unicode(
        '{name}.{namespace}.svc.cluster.local',
        config=True,
        help="""
        A name of the pod in the cluster's DNS, for hooks: the spawner's attribute `dns_name`. A template as
        `pod_name_template` is, in which `{name}` is the pod's name. The hub itself does not use it.
        """
    )

    pod_connect_ip = Unicode(
        '',
        config=True,
        help="""
        The address or host name at which the hub and the proxy reach a server, if it is not the address of its pod; a
        template as `pod_name_template` is, for example `{pod_name}.notebooks.svc.cluster.local`. `-` at the end of any
        part of it is dropped.
        """
    )

    get_pod_url = Callable(
        None,
        allow_none=True,
        config=True,
        help="""
        A function, called with the spawner and its running pod (dicts that answer to attributes as well), that returns
        the URL at which the hub and the proxy reach the server, such as `http://10.0.0.1:8888`. It counts more than
        `pod_connect_ip`.
        """
    )

    common_labels = Dict(
        {
            'app.kubernetes.io/name': 'jupyterhub',
            'app.kubernetes.io/managed-by': 'kubespawner',
            'app': 'jupyterhub',
            'heritage': 'jupyterhub',
        },
        config=True,
        help="""
        Labels of pods and claims alike, by name. They count less than extra labels. A pod has the label `heritage`
        with the value `jupyterhub` in any case: the hub finds it by that, and by `component_label`.
        """
    )

    @validate('common_labels')
    def _common_labels_are_labels(self, proposal):
        for label, value in proposal['value'].items():
            if not isinstance(label, str) or not isinstance(value, (str, int, float)):
                raise TraitError('KubeSpawner.common_labels is a dict of strings, but has %.100r: %s.' % (
                    label, type(value).__name__))
        return proposal['value']

    component_label = Unicode(
        'singleuser-server',
        config=True,
        help="""
        The value of the labels `component` and `app.kubernetes.io/component`. Hubs that share a namespace need one
        each: pods with another value are not seen as this hub's, nor are its own that run while this is changed.
        """
    )

    @validate('component_label')
    def _component_label_is_one(self, proposal):
        if not re.match(r'[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\Z', proposal['value']):
            raise TraitError('KubeSpawner.component_label is the value of a label, at most 63 characters of A-Z, a-z, '
                             '0-9, -, _ and ., not %.100r.' % proposal['value'])
        return proposal['value']

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

        None gives users no token: an empty directory is mounted where it would be. A template if all that it has in
        braces are fields, see `pod_name_template`.
        """
    )

    automount_service_account_token = Bool(
        None,
        allow_none=True,
        config=True,
        help="""
        Whether the pod gets the token of its service account. None: if `singleuser_service_account` is set.

        With True and no service account it is that of the namespace's `default`. Whoever runs code in the pod can do
        whatever that account may.
        """
    )

    scheduler_name = Unicode(
        None,
        allow_none=True,
        config=True,
        help="""
        The name of the scheduler that finds a node for the pod. None is the cluster's own.
        """
    )

    priority_class_name = Unicode(
        '',
        config=True,
        help="""
        The name of the pod's priority class, which says what has to go when there is no room. Empty is the default.
        """
    )

    tolerations = Objects(
        [],
        config=True,
        help="""
        Kubernetes Toleration objects: taints of nodes that the pod tolerates. A list, or a dict whose values count, in
        the order of its keys; so are all of the following::

            c.KubeSpawner.tolerations = [
                {'key': 'notebooks', 'operator': 'Exists', 'effect': 'NoSchedule'}
            ]
        """
    )

    node_affinity_preferred = Objects(
        [],
        config=True,
        help="""
        Which nodes the pod prefers: Kubernetes PreferredSchedulingTerm objects.
        """
    )

    node_affinity_required = Objects(
        [],
        config=True,
        help="""
        Which nodes the pod may run on, any of these: Kubernetes NodeSelectorTerm objects, for example::

            c.KubeSpawner.node_affinity_required = [
                {'matchExpressions': [{'key': 'disktype', 'operator': 'In', 'values': ['ssd', 'nvme']}]}
            ]
        """
    )

    pod_affinity_preferred = Objects(
        [],
        config=True,
        help="""
        Which other pods the pod prefers to be near: Kubernetes WeightedPodAffinityTerm objects.
        """
    )

    pod_affinity_required = Objects(
        [],
        config=True,
        help="""
        Which other pods the pod must be near, all of these: Kubernetes PodAffinityTerm objects.
        """
    )

    pod_anti_affinity_preferred = Objects(
        [],
        config=True,
        help="""
        Which other pods the pod prefers not to be near: Kubernetes WeightedPodAffinityTerm objects.
        """
    )

    pod_anti_affinity_required = Objects(
        [],
        config=True,
        help="""
        Which other pods the pod must not be near, none of these: Kubernetes PodAffinityTerm objects.
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

    gid = Union(
        [Integer(), Callable()],
        default_value=None,
        allow_none=True,
        config=True,
        help="""
        The group id that the pod's processes run with: a number, or a function as for `singleuser_uid`. None is the
        one that the image says.
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

    pod_security_context = Union(
        [Object({}), Callable()],
        config=True,
        help="""
        Fields of the pod's Kubernetes PodSecurityContext object, or a function of the spawner that returns them. They
        replace what `singleuser_uid`, `gid`, `singleuser_fs_gid` and `singleuser_supplemental_gids` say.
        """
    )

    singleuser_init_containers = Objects(
        [],
        config=True,
        help="""
        Kubernetes Container objects that run one after the other before the notebook container starts: a list, or a
        dict whose values count, in the order of its keys.

        Strings that have fields of templates (see `pod_name_template`) and nothing else in braces are expanded. All
        others, such as a shell command with `${HOME}` in it, stay as they are.
        """
    )

    singleuser_extra_containers = Objects(
        [],
        config=True,
        help="""
        Kubernetes Container objects that run beside the notebook container: a list, or a dict as for
        `singleuser_init_containers`. Strings may be templates, as there.

        The server counts as running when all of them are ready.
        """
    )

    singleuser_extra_pod_config = Object(
        {},
        config=True,
        help="""
        Fields of the pod's `spec` that no trait stands for, as for `singleuser_extra_container_config`, for example::

            c.KubeSpawner.singleuser_extra_pod_config = {
                'hostAliases': [
                    {'ip': '10.0.0.1', 'hostnames': ['data']}
                ]
            }
        """
    )
