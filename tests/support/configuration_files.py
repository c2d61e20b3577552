"""Loads a jupyterhub_config.py as JupyterHub does, and makes spawners as a hub with that configuration would."""
import inspect

from jupyterhub import orm
from jupyterhub.app import JupyterHub
from jupyterhub.objects import Hub, Server
from tornado import gen


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
    """Return a spawner of the configured class, with the hub's configuration and reflectors of its own."""
    own = {'pod_reflector': None, 'event_reflector': None, '__module__': __name__}
    cls = type('Own', (app.spawner_class,), own)
    hub = Hub(base_url='/hub/', ip='127.0.0.1', port=8081)
    if app.hub_connect_ip:
        hub.connect_ip = app.hub_connect_ip
    if getattr(app, 'hub_connect_url', ''):  # since JupyterHub 0.9
        hub.connect_url = app.hub_connect_url
    return cls(user=User(username), hub=hub, orm_spawner=orm.Spawner(name=servername), config=app.config)


def future_of(value):
    """Return a future of what a hook or a method returned: a value, a future, or an awaitable."""
    return gen.convert_yielded(value) if inspect.isawaitable(value) else gen.maybe_future(value)


@gen.coroutine
def start_as_a_hub_does(spawner, form=None, options=None, auth_state=None):
    """Start a server in the order of JupyterHub's own: form, hooks, start. Return its address.

    form (dict or None): what a browser sends, field -> list of str; the form is shown before. options (dict): what the
    REST API brings, in place of a form. auth_state (dict): what the authenticator kept at the last login.
    """
    if form is not None:
        if hasattr(spawner, 'get_options_form'):  # since JupyterHub 0.9
            yield future_of(spawner.get_options_form())
        options = yield future_of(spawner.options_from_form(form))
    spawner.user_options = options or {}
    if getattr(spawner, 'auth_state_hook', None):  # JupyterHub 0.8 has none
        yield future_of(spawner.auth_state_hook(spawner, auth_state))
    yield future_of(spawner.run_pre_spawn_hook())
    return (yield future_of(spawner.start()))
