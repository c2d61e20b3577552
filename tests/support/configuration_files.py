"""Loads a jupyterhub_config.py as JupyterHub does, and makes spawners as a hub with that configuration would."""
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from jupyterhub.objects import Hub, Server


class User:
    """As much of a JupyterHub user as a spawner sees."""
    id = 7

    def __init__(self, name):
        self.name = self.escaped_name = name
        self.url = '/user/' + name
        self.server = Server(base_url='/user/' + name)


def load(path):
    """Return a JupyterHub that has loaded a configuration file. What is wrong with the file is raised."""
    app = JupyterHub()
    app.raise_config_file_errors = True
    app.log.propagate = True
    app.load_config_file(path)
    return app


def spawner_of(app, username, servername=''):
    """Return a spawner of the configured class, with the hub's configuration and a reflector of its own."""
    cls = type('Own', (app.spawner_class,), {'pod_reflector': None, '__module__': __name__})
    hub = Hub(base_url='/hub/', ip='127.0.0.1', port=8081)
    if app.hub_connect_ip:
        hub.connect_ip = app.hub_connect_ip
    return cls(user=User(username), hub=hub, orm_spawner=orm.Spawner(name=servername), config=app.config)
