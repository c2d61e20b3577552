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
        A template for the name of a server's pod. A template can contain these fields:

        - `{username}`: the name of the user, escaped as `slug_scheme` says.
        - `{servername}`: `--` and the name of the server, escaped in the same way; empty for the default server. If the
          template has `-` or `--` before this field, these dashes are part of the `--`, and they are removed for the
          default server. At the beginning of a template and after a `/`, the name comes without `--`. With the scheme
          `safe`, labels contain the name without `--`.
        - `{user_server}`: both names together, such as `ann` or `ann--gpu`.
        - `{escaped_username}`, `{escaped_servername}`, `{escaped_user_server}`: the same names with the scheme
          `escape`, whatever `slug_scheme` is. `{escaped_servername}` does not include the dashes.
        - `{safe_username}`, `{safe_servername}`, `{safe_user_server}`: the same names with the scheme `safe`, whatever
          `slug_scheme` is. `{safe_servername}` does not include the dashes.
        - `{unescaped_username}`, `{unescaped_servername}`: the names as they are in JupyterHub. They can contain any
          character, so do not use them in commands.
        - `{legacy_escape_username}`: the name of the user in lower case, with `-` in place of every character other
          than a letter or a digit. Several users can get the same name.
        - `{userid}`: the ID of the user in JupyterHub's database.
        - `{namespace}`: the namespace of the pod. `{hubnamespace}`: the namespace of the hub.
        - `{pod_name}`, `{pvc_name}`: the names of the pod and of the PVC.

        A template must not use its own result: `pod_name_template` cannot contain `{pod_name}`. Unknown fields are an
        error. Write `{{` and `}}` for literal braces.

        For every server to have a pod name of its own, the template must contain `{user_server}`, or `{username}`
        followed by `{servername}`.

        If the result is not a valid DNS label of at most 63 characters, KubeSpawner converts it to one that ends in a
        hash.

        A change does not affect running servers: they keep the names of their pods until they stop.
        """
    )

    slug_scheme = Enum(
        ['escape', 'safe'],
        'escape',
        config=True,
        help="""
        How KubeSpawner escapes the names of users and servers in the names of Kubernetes objects.

        - `escape`: replaces each byte of every character other than `a`-`z` and `0`-`9` with `-` and two hexadecimal
          digits. For example, `ann-b` becomes `ann-2db`. Different names never become the same.
        - `safe`: keeps a name that starts with a letter, consists of `a`-`z`, `0`-`9` and single `-`, does not end with
          `-`, and has at most 48 characters. Any other name is converted to these characters and gets the suffix `---`
          with a hash of eight hexadecimal digits. Two such names get the same hash with a probability of 1 in
          4,000,000,000. Users who can choose their names freely can find two that do.

        A change does not affect the pods of running servers. See `handle_legacy_names` for PVCs.
        """
    )

    handle_legacy_names = Bool(
        True,
        config=True,
        help="""
        Keep the PVCs of servers that were started before you set `slug_scheme = 'safe'`. The names of these PVCs come
        from the scheme `escape`.

        The hub recognizes these servers by their state in its database. This setting has no effect if
        `remember_pvc_name` is False.
        """
    )

    dns_name_template = Unicode(
        '{name}.{namespace}.svc.cluster.local',
        config=True,
        help="""
        A template for the DNS name of the pod in the cluster, see `pod_name_template`. `{name}` is the name of the pod.

        The hub and the proxy reach a server at this name if there is a Service in front of its pod, see
        `services_enabled`. The result is also the attribute `dns_name` of the spawner, for use in hooks.
        """
    )

    pod_connect_ip = Unicode(
        '',
        config=True,
        help="""
        The IP address or host name at which the hub and the proxy reach a server. An empty string means the IP address
        of the pod, or `dns_name_template` if there is a Service in front of the pod.

        This is a template, see `pod_name_template`, for example `{pod_name}.notebooks.{namespace}.svc.cluster.local`.
        KubeSpawner removes `-` from the end of each DNS label in the result.
        """
    )

    get_pod_url = Callable(
        None,
        allow_none=True,
        config=True,
        help="""
        A function that returns the URL at which the hub and the proxy reach a server, such as `http://10.0.0.1:8888`.
        It takes precedence over `pod_connect_ip`.

        KubeSpawner calls it with the spawner and the running pod, and again if the IP address of the pod changes. The
        pod is a dict, and its fields can also be read as attributes. The function can be a coroutine.
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
        Labels of all pods, PVCs and namespaces that KubeSpawner creates: a dict of names and values. Labels for one
        kind of object, such as `extra_labels`, take precedence.

        Pods always have the label `heritage: jupyterhub`, because the hub finds its pods by this label and by
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

        A hub ignores pods that have another value. So hubs that share a namespace need different values. If you change
        the value while servers are running, the hub no longer finds them, and regards them as stopped.
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
        Additional labels of the pod: a dict of names and values. The values are templates, see `pod_name_template`.

        KubeSpawner does not let you override the labels by which the hub finds its pods.
        """
    )

    singleuser_extra_annotations = Dict(
        {},
        config=True,
        help="""
        Additional annotations of the pod: a dict of names and values. The values are templates, see
        `pod_name_template`.
        """
    )

    singleuser_node_selector = Dict(
        {},
        config=True,
        help="""
        Labels that a node must have to run the pod: a dict of names and values. For example::

            c.KubeSpawner.node_selector = {'disktype': 'ssd'}
        """
    )

    singleuser_service_account = Unicode(
        None,
        allow_none=True,
        config=True,
        help="""
        The Kubernetes service account of the pod. By default, the pod gets the token of this account, see
        `automount_service_account_token`. The value can be a template, like the strings in
        `init_containers`.

        None means that users get no token. KubeSpawner then mounts an empty directory where the token would be.
        """
    )

    automount_service_account_token = Bool(
        None,
        allow_none=True,
        config=True,
        help="""
        Whether Kubernetes mounts the token of the service account in the pod. None means True if
        `service_account` is set, and False otherwise.

        With True and no `service_account`, the pod gets the token of the service account `default` of its
        namespace. Anyone who can run code in the pod can use the permissions of the account.
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
        The priority class of the pod. If no node has enough free resources for the pod, the scheduler can evict pods of
        a lower priority. An empty string means the default priority class of the cluster.
        """
    )

    tolerations = KubeObjectList(
        [],
        config=True,
        help="""
        Kubernetes Toleration objects, with which the pod can run on nodes that have matching taints. The value is a
        list, or a dict whose values are used in the order of its keys. For example::

            c.KubeSpawner.tolerations = [
                {'key': 'notebooks', 'operator': 'Exists', 'effect': 'NoSchedule'}
            ]
        """
    )

    node_affinity_preferred = KubeObjectList(
        [],
        config=True,
        help="""
        Kubernetes PreferredSchedulingTerm objects that describe the nodes on which the pod should run if possible. The
        value is a list or a dict, as in `tolerations`.
        """
    )

    node_affinity_required = KubeObjectList(
        [],
        config=True,
        help="""
        Kubernetes NodeSelectorTerm objects that describe the nodes on which the pod can run. A node must match at least
        one of them. The value is a list or a dict, as in `tolerations`. For example::

            c.KubeSpawner.node_affinity_required = [
                {'matchExpressions': [{'key': 'disktype', 'operator': 'In', 'values': ['ssd', 'nvme']}]}
            ]
        """
    )

    pod_affinity_preferred = KubeObjectList(
        [],
        config=True,
        help="""
        Kubernetes WeightedPodAffinityTerm objects that describe the pods near which the pod should run if possible. The
        value is a list or a dict, as in `tolerations`.
        """
    )

    pod_affinity_required = KubeObjectList(
        [],
        config=True,
        help="""
        Kubernetes PodAffinityTerm objects that describe the pods near which the pod must run. A node must satisfy all
        of them. The value is a list or a dict, as in `tolerations`.
        """
    )

    pod_anti_affinity_preferred = KubeObjectList(
        [],
        config=True,
        help="""
        Kubernetes WeightedPodAffinityTerm objects that describe the pods near which the pod should not run if possible.
        The value is a list or a dict, as in `tolerations`.
        """
    )

    pod_anti_affinity_required = KubeObjectList(
        [],
        config=True,
        help="""
        Kubernetes PodAffinityTerm objects that describe the pods near which the pod must not run. A node must satisfy
        all of them. The value is a list or a dict, as in `tolerations`.
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

        The value is a number, or a function that KubeSpawner calls with the spawner and that returns a number. The
        function can be a coroutine.
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
        The ID of the group that owns the pod's volumes (`fsGroup`). It has no effect on types of volumes that do not
        support this. None means that Kubernetes does not change the owner. The value is a number, or a function as in
        `singleuser_uid`.
        """
    )

    singleuser_supplemental_gids = Union(
        [List(), Callable()],
        default_value=None,
        allow_none=True,
        config=True,
        help="""
        Additional group IDs of the processes in the pod. The value is a list of numbers, or a function that returns
        such a list, as in `singleuser_uid`.
        """
    )

    pod_security_context = Union(
        [KubeObject({}), Callable()],
        config=True,
        help="""
        Fields of the pod's Kubernetes PodSecurityContext, or a function of the spawner that returns them. They override
        `singleuser_uid`, `fs_gid` and `supplemental_gids`.
        """
    )

    singleuser_init_containers = KubeObjectList(
        [],
        config=True,
        help="""
        Kubernetes Container objects that run one after the other before the notebook container starts. The value is a
        list, or a dict whose values are used in the order of its keys.

        A string is a template (see `pod_name_template`) if everything in single braces in it is a field. In a template,
        doubled braces become single ones: `{{}}` becomes `{}`. Any other string stays as it is, for example a shell
        command that contains `${HOME}`.
        """
    )

    singleuser_extra_containers = KubeObjectList(
        [],
        config=True,
        help="""
        Kubernetes Container objects that run beside the notebook container. The value is a list or a dict, and strings
        can be templates, as in `init_containers`.

        The hub regards the server as running only when all containers are ready.
        """
    )

    singleuser_extra_pod_config = KubeObject(
        {},
        config=True,
        help="""
        Fields of the pod's `spec` for which there is no setting. Names and unknown fields are treated as in
        `extra_container_config`, templates as in `init_containers`. An example::

            c.KubeSpawner.extra_pod_config = {
                'hostAliases': [
                    {'ip': '10.0.0.1', 'hostnames': ['data']}
                ]
            }
        """
    )
