"""Who may log in to the demo: whoever has the link that it prints, or the password beside it, under any name.

Nothing that a real hub needs is here. The hub's process loads it; everything runs on the loop thread.
"""
import hmac
import os

from jupyterhub.auth import Authenticator
from jupyterhub.handlers.base import BaseHandler
from tornado import gen, web

# The environment variables that hold the secrets: unlike a command line, only their owner can read them.
TOKEN, PASSWORD = 'KUBESPAWNER_DEMO_TOKEN', 'KUBESPAWNER_DEMO_PASSWORD'


def is_secret(given, variable):
    """Return whether `given` is the secret in an environment variable, in a time that does not depend on it."""
    secret = os.environ.get(variable, '')
    return bool(secret) and hmac.compare_digest(str(given).encode('utf8', 'surrogatepass'), secret.encode('utf8'))


class DemoAuthenticator(Authenticator):
    """Lets everybody in who has the password of this demo, or its link."""

    @gen.coroutine
    def authenticate(self, handler, data):
        if is_secret(data.get('password', ''), PASSWORD) or is_secret(data.get('token', ''), TOKEN):
            return data['username']

    def get_handlers(self, app):
        return super().get_handlers(app) + [('/login/([^/]+)', LinkHandler)]


class LinkHandler(BaseHandler):
    """Opens the printed link: /hub/login/NAME?token=…"""

    def set_default_headers(self):
        super().set_default_headers()
        self.set_header('Referrer-Policy', 'no-referrer')
        self.set_header('Cache-Control', 'no-store')

    @gen.coroutine
    def get(self, name):
        token = self.get_argument('token', '')
        self.request.uri = self.request.path  # which is what the hub logs; old ones do not leave the token out
        user = yield self.login_user({'username': name, 'token': token})
        if user is None:
            raise web.HTTPError(403, 'This is not the link that the demo has printed. Copy it from there again.')
        self.set_hub_cookie(user)  # old hubs keep that of the user who was logged in before
        self.redirect(self.hub.base_url)
