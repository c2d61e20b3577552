"""Settings of the pod: names, labels, scheduling, users and groups, and additional containers."""

import re

from traitlets import Bool, Dict, Enum, HasTraits, Integer, List, TraitError, Unicode, Union, validate

from ..traitlets import Callable, KubeObject, KubeObjectList


class PodConfiguration(HasTraits):
    """Settings of the pod: names, labels, scheduling, users and groups, and additional containers."""

    pod_name_template = Unicode(
        'jupyter-{username}{servername}',
        config=True,
        help="""
        A template for the name of a server's pod. Templates can contain these fields:

        - `{username}`: the name of the user, escaped as `slug_scheme` says.
        - `{servername}`: `--` and the name of the server, escaped in the same way; empty for the default server. If the
          template has `--` before this field, the dashes are not doubled, and they are removed for the default server.
          With the scheme `safe`, labels contain the name without `--`.
        - `{user_server}`: both names together, such as `ann` or `ann--gpu`.
        - `{escaped_username}`, `{escaped_servername}`, `{escaped_user_server}`: the same names, always by the scheme
          `escape`. `{escaped_servername}` has no `--`.
        - `{safe_username}`, `{safe_servername}`, `{safe_user_server}`: the same names, always by the scheme `safe`.
          `{safe_servername}` has no `--`.
        - `{unescaped_username}`, `{unescaped_servername}`: the names as they are in JupyterHub. They can contain any
          character, so do not use them in commands.
        - `{legacy_escape_username}`: the name of the user in lower case, with `-` for every character other than a
          letter or a digit. Different users can get the same name.
        - `{userid}`: the number of the user in JupyterHub.
        - `{namespace}`: the namespace of the pod. `{hubnamespace}`: the namespace of the hub.
        - `{pod_name}`, `{pvc_name}`: the names of the pod and of the claim.

        A template cannot contain its own result, such as `{pod_name}` in `pod_name_template`. Any other field is an
        error. Write `{{` and `}}` for braces.

        Every server gets a pod name of its own if the template contains `{user_server}`, or `{username}` followed by
        `{servername}`.

        A name that is not a valid DNS label of at most 63 characters is shortened, and ends in a hash.
        """
    )

    slug_scheme = Enum(
        ['escape', 'safe'],
        'escape',
        config=True,
        help="""
        How the names of users and servers are escaped in the names of Kubernetes objects.

        - `escape`: each byte of characters other than `a`-`z` and `0`-`9` becomes `-` and two hexadecimal digits, so
          `ann-b` becomes `ann-2db`. Different names stay different.
        - `safe`: a name stays as it is if it has at most 48 characters, consists of `a`-`z`, `0`-`9` and single `-`,
          begins with a letter and does not end with `-`. Any other name is reduced to these characters, followed by
          `---` and a hash of eight hexadecimal digits. Two such names collide with a chance of 1 in 4,000,000,000, but
          users who can choose their names freely can find a collision.
        """
    )

    handle_legacy_names = Bool(
        True,
        config=True,
        help="""
        Let servers that were started before you set `slug_scheme = 'safe'` keep their claims, whose names come from the
        scheme `escape`.

        The hub recognizes these servers by their state in its database. This setting has no effect if
        `remember_pvc_name` is False.
        """
    )

    dns_name_template = Unicode(
        '{name}.{namespace}.svc.cluster.local',
        config=True,
        help="""
        A template for the name of the pod in the DNS of the cluster, see `pod_name_template`. `{name}` is the name of
        the pod.

        Hooks can read the result from the attribute `dns_name` of the spawner. The hub itself does not use it.
        """
    )

    pod_connect_ip = Unicode(
        '',
        config=True,
        help="""
        The IP address or host name at which the hub and the proxy reach a server. An empty string means the IP address
        of its pod.

        This is a template, see `pod_name_template`, for example `{pod_name}.notebooks.svc.cluster.local`. A `-` at the
        end of a part between dots is removed.
        """
    )

    get_pod_url = Callable(
        None,
        allow_none=True,
        config=True,
        help="""
        A function that returns the URL at which the hub and the proxy reach a server, such as `http://10.0.0.1:8888`.
        It is called with the spawner and the running pod, and takes precedence over `pod_connect_ip`. The pod consists
        of dicts whose keys are also attributes. It is called again if the pod's IP address changes.
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
        Labels of all pods and claims, by name. Labels in `singleuser_extra_labels` and `user_storage_extra_labels` take
        precedence.

        Pods always get the label `heritage: jupyterhub`, because the hub finds its pods by this label and by
        `component_label`.
        """
    )

    @validate('common_labels')
    def _common_labels_are_labels(self, proposal):
        for label, value in proposal['value'].items():
            if not isinstance(label, str) or not isinstance(value, (str, int, float)):
                raise TraitError('KubeSpawner.common_labels must be a dict of strings, but contains %.100r: %s.' % (
                    label, type(value).__name__))
        return proposal['value']

    component_label = Unicode(
        'singleuser-server',
        config=True,
        help="""
        The value of the labels `component` and `app.kubernetes.io/component` of pods.

        A hub ignores pods with another value. So hubs that share a namespace need different values, and a hub loses its
        running servers if you change the value.
        """
    )

    @validate('component_label')
    def _component_label_is_one(self, proposal):
        if not re.match(r'[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\Z', proposal['value']):
            raise TraitError('KubeSpawner.component_label must be the value of a label (at most 63 characters of A-Z, '
                             'a-z, 0-9, -, _ and .), not %.100r.' % proposal['value'])
        return proposal['value']

    singleuser_extra_labels = Dict(
        {},
        config=True,
        help="""
        Additional labels of the pod, by name. The values are templates, see `pod_name_template`.

        The labels by which the hub finds its pods cannot be changed.
        """
    )

    singleuser_extra_annotations = Dict(
        {},
        config=True,
        help="""
        Additional annotations of the pod, by name. The values are templates, see `pod_name_template`.
        """
    )

    singleuser_node_selector = Dict(
        {},
        config=True,
        help="""
        Labels that a node must have to run the pod, for example::

            c.KubeSpawner.singleuser_node_selector = {'disktype': 'ssd'}
        """
    )

    singleuser_service_account = Unicode(
        None,
        allow_none=True,
        config=True,
        help="""
        The Kubernetes service account of the pod. The pod gets its token, see `automount_service_account_token`.

        None gives users no token: an empty directory is mounted in its place. May be a template, like the strings in
        `singleuser_init_containers`.
        """
    )

    automount_service_account_token = Bool(
        None,
        allow_none=True,
        config=True,
        help="""
        Whether the pod gets the token of its service account. None means that it does if `singleuser_service_account`
        is set.

        With True and no `singleuser_service_account`, the pod gets the token of the account `default` of its namespace.
        Whoever runs code in the pod has the rights of the account.
        """
    )

    scheduler_name = Unicode(
        None,
        allow_none=True,
        config=True,
        help="""
        The scheduler that assigns the pod to a node. None means the default scheduler of the cluster.
        """
    )

    priority_class_name = Unicode(
        '',
        config=True,
        help="""
        The priority class of the pod. If there is no room, pods with a lower priority are preempted. An empty string
        means the default of the cluster.
        """
    )

    tolerations = KubeObjectList(
        [],
        config=True,
        help="""
        Kubernetes Toleration objects, for the taints of nodes that the pod tolerates. A list, or a dict whose values
        are used in the order of its keys::

            c.KubeSpawner.tolerations = [
                {'key': 'notebooks', 'operator': 'Exists', 'effect': 'NoSchedule'}
            ]
        """
    )

    node_affinity_preferred = KubeObjectList(
        [],
        config=True,
        help="""
        Kubernetes PreferredSchedulingTerm objects: the nodes that the pod prefers. A list or a dict, like
        `tolerations`.
        """
    )

    node_affinity_required = KubeObjectList(
        [],
        config=True,
        help="""
        Kubernetes NodeSelectorTerm objects: the nodes that the pod may run on. A node must match at least one of them.
        A list or a dict, like `tolerations`::

            c.KubeSpawner.node_affinity_required = [
                {'matchExpressions': [{'key': 'disktype', 'operator': 'In', 'values': ['ssd', 'nvme']}]}
            ]
        """
    )

    pod_affinity_preferred = KubeObjectList(
        [],
        config=True,
        help="""
        Kubernetes WeightedPodAffinityTerm objects: the pods that the pod prefers to be near. A list or a dict, like
        `tolerations`.
        """
    )

    pod_affinity_required = KubeObjectList(
        [],
        config=True,
        help="""
        Kubernetes PodAffinityTerm objects: the pods that the pod must be near. All of them must match. A list or a
        dict, like `tolerations`.
        """
    )

    pod_anti_affinity_preferred = KubeObjectList(
        [],
        config=True,
        help="""
        Kubernetes WeightedPodAffinityTerm objects: the pods that the pod prefers not to be near. A list or a dict, like
        `tolerations`.
        """
    )

    pod_anti_affinity_required = KubeObjectList(
        [],
        config=True,
        help="""
        Kubernetes PodAffinityTerm objects: the pods that the pod must not be near. None of them may match. A list or a
        dict, like `tolerations`.
        """
    )

    singleuser_uid = Union(
        [Integer(), Callable()],
        default_value=None,
        allow_none=True,
        config=True,
        help="""
        The user ID of the processes in all containers of the pod. None means the user of each image. To set the user of
        the notebook container only, use `uid`.

        A number, or a function of the spawner that returns a number. The function may be a coroutine.
        """
    )

    uid = Union(
        [Integer(), Callable()],
        default_value=None,
        allow_none=True,
        config=True,
        help="""
        The user ID of the processes in the notebook container: a number, or a function as for `singleuser_uid`. It
        takes precedence over `singleuser_uid` there. Init containers and additional containers keep the user of their
        image. None sets no user.
        """
    )

    gid = Union(
        [Integer(), Callable()],
        default_value=None,
        allow_none=True,
        config=True,
        help="""
        The primary group ID of the processes in the notebook container: a number, or a function as for
        `singleuser_uid`. Init containers and additional containers keep the group of their image. None sets no group.
        """
    )

    singleuser_fs_gid = Union(
        [Integer(), Callable()],
        default_value=None,
        allow_none=True,
        config=True,
        help="""
        The group ID that owns the volumes of the pod, if the type of the volume supports it: a number, or a function as
        for `singleuser_uid`. None does not change the owner.
        """
    )

    singleuser_supplemental_gids = Union(
        [List(), Callable()],
        default_value=None,
        allow_none=True,
        config=True,
        help="""
        Additional group IDs of the processes in the pod: a list of numbers, or a function as for `singleuser_uid` that
        returns one.
        """
    )

    pod_security_context = Union(
        [KubeObject({}), Callable()],
        config=True,
        help="""
        Fields of the pod's Kubernetes PodSecurityContext, or a function of the spawner that returns them. They override
        `singleuser_uid`, `singleuser_fs_gid` and `singleuser_supplemental_gids`.
        """
    )

    singleuser_init_containers = KubeObjectList(
        [],
        config=True,
        help="""
        Kubernetes Container objects that run one after the other before the notebook container starts: a list, or a
        dict whose values are used in the order of its keys.

        A string is a template (see `pod_name_template`) if everything in single braces in it is a field. In a template,
        doubled braces become single ones: `{{}}` becomes `{}`. Any other string stays as it is, for example a shell
        command that contains `${HOME}`.
        """
    )

    singleuser_extra_containers = KubeObjectList(
        [],
        config=True,
        help="""
        Kubernetes Container objects that run beside the notebook container: a list or a dict with templates, like
        `singleuser_init_containers`.

        The server counts as running when all containers are ready.
        """
    )

    singleuser_extra_pod_config = KubeObject(
        {},
        config=True,
        help="""
        Fields of the pod's `spec` for which there is no setting. Names and unknown fields are treated as in
        `singleuser_extra_container_config`, templates as in `singleuser_init_containers`. An example::

            c.KubeSpawner.singleuser_extra_pod_config = {
                'hostAliases': [
                    {'ip': '10.0.0.1', 'hostnames': ['data']}
                ]
            }
        """
    )
