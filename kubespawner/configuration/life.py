"""What is done in the life of a server: hooks, when to give up, and what is told meanwhile."""

from traitlets import Bool, Float, HasTraits, Integer, Unicode

from ..traitlets import Callable


class LifeConfiguration(HasTraits):
    """What is done in the life of a server: hooks, when to give up, and what is told meanwhile."""

    modify_pod_hook = Callable(
        None,
        allow_none=True,
        config=True,
        help="""
        A function, called with the spawner and the pod (a `V1Pod` of the `kubernetes` client) before it is created.

        What it returns is created; it may be a coroutine, which has the time of the start. Volumes and other things
        that are configured as raw Kubernetes objects are such dicts in the pod. When it raises an HTTPError (of
        `tornado.web`), the user is told that; other errors are told in the hub's log.
        """
    )

    after_pod_created_hook = Callable(
        None,
        allow_none=True,
        config=True,
        help="""
        A function, called with the spawner and the pod as it was created (dicts that answer to attributes as well).

        It may be a coroutine, which has the time of the start. When it raises an error, the start fails, and the hub
        stops the server.
        """
    )

    delete_stopped_pods = Bool(
        True,
        config=True,
        help="""
        Delete a pod whose server ended by itself, when the hub notices.

        False keeps it, so that its logs and status can be read, until the user starts a server again.
        """
    )

    delete_grace_period = Integer(
        1,
        min=0,
        config=True,
        help="""
        Seconds that a server has to end in order when it is stopped, before its node ends it.
        """
    )

    start_failure_grace = Float(
        None,
        allow_none=True,
        min=0,
        config=True,
        help="""
        Seconds for which a pod may fail to start in a way that may heal, before the start is given up.

        Such failures: an image that cannot be pulled, a config map that is missing, a container that crashes, a pod
        that no node has room for. 0 gives up at once. None gives containers 30 seconds, and a pod that waits for room
        all of `start_timeout`, because clusters may grow. So much has, whatever this is, a pod for which an autoscaler
        says by an event that it adds a node. What cannot heal ends a start at once, whatever this is.
        """
    )

    events_enabled = Bool(
        True,
        config=True,
        help="""
        Show users Kubernetes' events about their pod while it starts (since JupyterHub 0.9), and in errors.

        The hub needs the right to list and watch events. Without it, and with False, there is less to show: the hub's
        own steps. Events from before the hub's first start of a server are not read, and none are kept after a start.
        """
    )

    slow_spawn_message = Unicode(
        'This takes longer than most starts do. The page goes on by itself when the server is there.',
        config=True,
        help="""
        What users are told once a start has taken `slow_spawn_message_after` seconds. Empty tells nothing.
        """
    )

    slow_spawn_message_after = Float(
        60,
        min=0,
        config=True,
        help="""
        Seconds after which a start is slow, see `slow_spawn_message`.
        """
    )

    force_delete_after = Float(
        None,
        allow_none=True,
        min=0,
        config=True,
        help="""
        Seconds after which a pod that does not go away is deleted by force, without waiting for its node to confirm.

        None never does that: a stop then ends with an error after `start_timeout` seconds. By force means that the pod
        is gone from Kubernetes while its containers may still run, if its node is only cut off from the cluster; two
        of them may then write to one home directory.
        """
    )
