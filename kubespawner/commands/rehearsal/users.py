"""The user, the hub and the request of a rehearsal: JupyterHub's own classes, and a database in memory.

Hooks of all kinds read these. So they are no stand-ins that have a few attributes, but what a hub makes as well.
"""
import warnings
from urllib.parse import quote

from jupyterhub import orm
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.objects import Server
from jupyterhub.user import User
from jupyterhub.utils import url_path_join
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker
from sqlalchemy.pool import StaticPool
from tornado.concurrent import Future
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import Application

from .placeholders import TOKEN

ADDRESS = '192.0.2.2'  # of the browser: one that documentation uses


def new_session():
    """Return a session of a new database in memory, with JupyterHub's tables."""
    engine = create_engine('sqlite://', connect_args={'check_same_thread': False}, poolclass=StaticPool)
    orm.Base.metadata.create_all(engine)
    return sessionmaker(bind=engine)()


def new_spawner(configured, who, log):
    """Return a spawner as the hub of a configuration makes it for a user, in the middle of a request to start it."""
    app, session = configured.app, new_session()
    settings = _settings(configured, session, log)
    user = User(_orm_user(session, who), settings)
    user.get_auth_state = _AuthState(who.auth_state)
    if who.server not in user.orm_spawners:
        session.add(orm.Spawner(user=user.orm_user, name=who.server))
        session.commit()
    spawner = user._new_spawner(who.server, spawner_class=configured.spawner_class, log=log)
    user.spawners[who.server] = spawner
    orm_server = orm.Server(base_url=url_path_join(user.base_url, quote(who.server), '/'))
    session.add(orm_server)
    session.commit()
    spawner.server = Server(orm_server=orm_server)
    spawner.handler = _request(settings, user)
    spawner.clear_state()
    spawner.api_token = TOKEN
    if not getattr(spawner, 'oauth_client_id', None):  # JupyterHub 0.8 sets it with each start
        spawner.oauth_client_id = '-'.join(filter(None, ['user', user.escaped_name, who.server]))
    spawner.admin_access = bool(getattr(app, 'admin_access', False))
    return spawner


def _orm_user(session, who):
    user = orm.User(name=who.user, admin=who.is_admin)
    session.add(user)
    for name in who.groups:
        group = orm.Group(name=name)
        session.add(group)
        group.users.append(user)
    session.commit()
    return user


class _AuthState:
    """The `User.get_auth_state` of a rehearsal: a function whose result can be awaited in every version."""

    def __init__(self, auth_state):
        self._auth_state = auth_state

    def __call__(self):
        future = Future()
        future.set_result(self._auth_state)
        return future


def _settings(configured, session, log):
    app = configured.app
    return {
        'hub': app.hub, 'config': app.config, 'spawner_class': configured.spawner_class, 'db': session, 'log': log,
        'base_url': app.base_url, 'allow_named_servers': True, 'authenticator': _authenticator(app, session, log),
        'subdomain_host': app.subdomain_host, 'domain': getattr(app, 'domain', ''), 'cookie_options': {},
        'cookie_secret': b'0' * 32, 'admin_access': bool(getattr(app, 'admin_access', False)),
        'internal_ssl': getattr(app, 'internal_ssl', False), 'login_url': url_path_join(app.base_url, 'hub/login'),
        'logout_url': url_path_join(app.base_url, 'hub/logout'), 'public_url': '',
        'internal_trust_bundles': {}, 'internal_certs_location': '',
    }


def _authenticator(app, session, log):
    """Return the configured authenticator; None if it cannot be made here."""
    try:
        return app.authenticator_class(parent=app, db=session) if 'db' in app.authenticator_class.class_trait_names() \
            else app.authenticator_class(parent=app)
    except Exception as e:
        log.warning('Hooks get no authenticator, because %s cannot be made: %s: %s',
                    app.authenticator_class.__name__, type(e).__name__, e)
        return None


def _request(settings, user):
    """Return the handler of a request of a user's browser that starts a server."""
    headers = HTTPHeaders({'Host': 'hub.example.org'})
    with warnings.catch_warnings():  # tornado 6.6 wants other arguments, which older ones do not know
        warnings.simplefilter('ignore', DeprecationWarning)
        request = HTTPServerRequest(
            method='POST', uri=url_path_join(settings['base_url'], 'hub/spawn', user.escaped_name), version='HTTP/1.1',
            headers=headers, body=b'', host=headers['Host'], connection=_Connection())
    handler = BaseHandler(Application([], **settings), request)
    handler._current_user = handler._jupyterhub_user = user  # the latter since JupyterHub 1.0
    return handler


class _Connection:
    """As much of a connection as tornado's handlers look at."""

    class context:  # noqa: N801, tornado's name
        remote_ip, protocol, address, _orig_protocol = ADDRESS, 'http', (ADDRESS, 50000), 'http'

    remote_ip = ADDRESS
    stream = None

    def set_close_callback(self, callback):
        """Never close."""
