"""Settings of start and stop: hooks, time limits, and what users see while a server starts."""

from traitlets import Bool, Float, HasTraits, Integer, Unicode

from ..traitlets import Callable


class LifecycleConfiguration(HasTraits):
    """Settings of start and stop: hooks, time limits, and what users see while a server starts."""

    modify_pod_hook = Callable(
        None,
        allow_none=True,
        config=True,
        help="""
        A function that can modify the pod before KubeSpawner creates it. KubeSpawner calls it with the spawner and the
        pod, a `V1Pod` of the `kubernetes` Python client. It must return the pod to create. It can be a coroutine, and
        its running time counts towards `start_timeout`.

        Each part of the pod has attributes, `container.volume_mounts`, and keys, `container['volumeMounts']`.
        Kubernetes objects from settings such as `volumes` are dicts in this pod, not models of the client.

        The function may rename and reorder containers. The container of the server is the one called `notebook`. If
        there is none, it is the first one with a port called `notebook-port`, otherwise the first one.

        If the function raises an error, the start fails. The user sees the message of an HTTPError (of `tornado.web`).
        Other errors appear in the hub's log only.
        """
    )

    after_pod_created_hook = Callable(
        None,
        allow_none=True,
        config=True,
        help="""
        A function that KubeSpawner calls after it has created the pod, with the spawner and the pod. The pod is a dict,
        and its fields can also be read as attributes. The function can be a coroutine, and its running time counts
        towards `start_timeout`. Its result is ignored.

        If the function raises an error, the start fails, and JupyterHub stops the server.
        """
    )

    delete_stopped_pods = Bool(
        True,
        config=True,
        help="""
        Delete the pod of a server that exited by itself, as soon as the hub notices. False keeps the pod, with its logs
        and its status, until the user starts the server again. That is also true of a pod whose container failed before
        the server was ready. Its node may go on to restart that container.
        """
    )

    delete_foreign_pods = Bool(
        False,
        config=True,
        help="""
        When a server starts, delete a pod that has the name of the server's next pod, even if its labels or annotations
        say that it belongs to another user, another server or another hub.

        With False, such a pod stays, and the start fails: the user sees which pod it is, and the hub's log has the
        command that deletes it. So somebody who may create pods in the namespace can keep users from starting servers.

        Set this to True only if no other hub uses the namespace: the hub does not know the servers of other hubs, and
        would delete their pods. It never deletes the pod of a running server of its own.
        """
    )

    delete_grace_period = Integer(
        1,
        allow_none=True,
        min=0,
        config=True,
        help="""
        The time in seconds that a server has to shut down when it is stopped. After that, its node kills it.

        This takes the place of the `terminationGracePeriodSeconds` of the pod. None leaves it to the pod, which has 30
        seconds unless something else is set, for example with `extra_pod_config`.
        """
    )

    start_failure_grace = Float(
        None,
        allow_none=True,
        min=0,
        config=True,
        help="""
        The time in seconds that KubeSpawner waits for a pod to recover from a failure before it gives up the start.
        With 0, the start fails immediately.

        A pod can recover if, for example, its image cannot be pulled, a ConfigMap is missing, a container crashes, or
        no node has enough free resources. None means 30 seconds for failures of containers. It means the whole
        `start_timeout` for a pod that no node can run, because the cluster may add a node.

        Two cases ignore this setting. If the cluster autoscaler reports that it is adding a node for the pod, the start
        waits for the node until `start_timeout`. After a failure from which a pod cannot recover, the start fails
        immediately.
        """
    )

    events_enabled = Bool(
        True,
        config=True,
        help="""
        Show users the Kubernetes events of their pod, both while it starts (since JupyterHub 0.9) and in error
        messages.

        The hub needs the permissions to list and watch events. If the hub does not have them, or with False, users see
        only the hub's own progress messages.

        The hub begins to watch events when it starts the first server. It keeps the events of a pod only while the pod
        starts.
        """
    )

    slow_spawn_message = Unicode(
        'Your server has been starting for {seconds} seconds, which is longer than usual. This page continues '
        'automatically when the server is ready.',
        config=True,
        help="""
        The message that users see if a start takes long, see `slow_spawn_message_threshold`. `{seconds}` is replaced by
        the time that the start has taken so far. The message follows the present step of the start. An empty string
        disables the message.
        """
    )

    slow_spawn_message_threshold = Float(
        60,
        min=0,
        config=True,
        help="""
        The time in seconds after which users see `slow_spawn_message` if their server has not started. 0 disables the
        message.
        """
    )

    slow_spawn_message_frequency = Float(
        5,
        min=0,
        config=True,
        help="""
        The time in seconds between two repetitions of `slow_spawn_message`. 0 shows it only once. The event log of
        JupyterHub's page lists the message once for each step.
        """
    )

    force_delete_after = Float(
        None,
        allow_none=True,
        min=0,
        config=True,
        help="""
        The time in seconds after which KubeSpawner force-deletes a pod that does not disappear after it was deleted.
        None disables force deletion: stopping the server then fails after `start_timeout` seconds.

        Force deletion does not wait for confirmation from the node. If the node has only lost its connection to the
        cluster, the old containers may still be running on it. Two servers may then write to the same home directory.
        """
    )
