"""A user and a hub for spawners that have none, so that tools can look at what is made of a configuration.

Here belongs as much of both as manifests need. Nothing here is for servers that start.
"""
from jupyterhub.objects import Hub, Server

NAME = 'mock@name'  # has to be escaped, as the name of a user may


class User:
    """As much of a JupyterHub user as manifests are made of. All attributes can be set."""

    def __init__(self, name=NAME):
        self.id, self.name, self.escaped_name = 0, name, name
        self.url = '/user/%s/' % name
        self.server = Server(base_url=self.url)


def complete(spawner):
    """Give a spawner that has no user one that stands in for it, and a hub if it has none."""
    if spawner.user is None:
        spawner.user = User()
        if spawner.hub is None:
            spawner.hub = Hub(base_url='/hub/')
