"""A user and a hub for spawners that have none, so that tools can show the manifests of a configuration.

They have what manifests need. No server is started with them.
"""
from jupyterhub.objects import Hub, Server

NAME = 'mock@name'  # has to be escaped, as the name of a user may


class User:
    """A user with the attributes of a JupyterHub user that manifests need. All attributes can be set."""

    def __init__(self, name=NAME):
        self.id, self.name, self.escaped_name = 0, name, name
        self.url = '/user/%s/' % name
        self.server = Server(base_url=self.url)


def complete(spawner):
    """Give a spawner without a user a stand-in, and a hub if it has none."""
    if spawner.user is None:
        spawner.user = User()
        if spawner.hub is None:
            spawner.hub = Hub(base_url='/hub/')
