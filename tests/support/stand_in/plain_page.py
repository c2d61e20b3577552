"""An extension of Jupyter Server with a page to begin with. JupyterLab's takes half a second of CPU to load."""
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web


class PlainPage(JupyterHandler):
    @web.authenticated
    def get(self):
        self.finish(self.xsrf_token)  # asked for, it is set as a cookie, which this browser sends from now on


def _jupyter_server_extension_points():
    return [{'module': 'plain_page'}]


def _load_jupyter_server_extension(app):
    app.web_app.add_handlers('.*$', [(url_path_join(app.base_url, 'plain-page'), PlainPage)])
