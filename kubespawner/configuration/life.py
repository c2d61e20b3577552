"""Settings of start and stop: hooks, time limits, and what users see while a server starts."""

from traitlets import Bool, Float, HasTraits, Integer, Unicode

from ..traitlets import Callable


class LifeConfiguration(HasTraits):
    """Settings of start and stop: hooks, time limits, and what users see while a server starts."""

    modify_pod_hook = Callable(
        None,
        allow_none=True,
        config=True,
        help="""
        A function that can change the pod before it is created. It is called with the spawner and the pod, a `V1Pod` of
        the `kubernetes` client, and returns the pod to create. It may be a coroutine; its time is part of the time of
        the start.

        Parts that are configured as Kubernetes objects, such as `volumes`, are still dicts in this pod.

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
        A function that is called with the spawner and the pod that was created. The pod consists of dicts whose keys
        are also attributes. The function may be a coroutine; its time is part of the time of the start.

        If the function raises an error, the start fails, and the hub stops the server.
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

    delete_grace_period = Integer(
        1,
        allow_none=True,
        min=0,
        config=True,
        help="""
        The time in seconds that a server has to shut down when it is stopped. After that, its node kills it.

        This takes the place of the `terminationGracePeriodSeconds` of the pod. None leaves it to the pod, which has 30
        seconds unless something else is set, for example with `singleuser_extra_pod_config`.
        """
    )

    start_failure_grace = Float(
        None,
        allow_none=True,
        min=0,
        config=True,
        help="""
        The time in seconds that a pod has to recover from a failure before its start fails. 0 means that the start
        fails at once.

        A pod can recover from these failures: an image cannot be pulled, a config map is missing, a container crashes,
        or no node has room for the pod. None means 30 seconds for containers, and all of `start_timeout` for a pod that
        no node has room for, because clusters can grow.

        Two cases do not depend on this setting. If an autoscaler reports in an event that it adds a node for the pod,
        the start waits for the node until `start_timeout`. If a pod cannot recover, the start fails at once.
        """
    )

    events_enabled = Bool(
        True,
        config=True,
        help="""
        Show users the Kubernetes events of their pod while it starts (since JupyterHub 0.9), and in errors.

        The hub needs the rights to list and watch events. Without them, or with False, users see only the steps of the
        hub itself. The hub starts to read events with its first start of a server, and forgets the events of a pod
        after its start.
        """
    )

    slow_spawn_message = Unicode(
        'This takes longer than most starts do. The page goes on by itself when the server is there.',
        config=True,
        help="""
        The message that users see when a start has taken `slow_spawn_message_after` seconds. An empty string shows
        nothing.
        """
    )

    slow_spawn_message_after = Float(
        60,
        min=0,
        config=True,
        help="""
        The time in seconds after which users see `slow_spawn_message` while their server starts.
        """
    )

    force_delete_after = Float(
        None,
        allow_none=True,
        min=0,
        config=True,
        help="""
        The time in seconds after which KubeSpawner deletes a pod by force that is being deleted but does not disappear.
        None never deletes by force: the stop fails after `start_timeout` seconds.

        Deletion by force does not wait for the node. If the node is only cut off from the cluster, the containers may
        still run there although the pod is gone from Kubernetes, and two servers may write to one home directory.
        """
    )
