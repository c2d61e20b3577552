"""The configuration of the hub that `hub` starts in a subject's environment; $BENCH_HUB says the rest, as JSON.

`subject` is `floor` or anything else for KubeSpawner, `namespace` where its pods are, `hub_port` and `proxy_port` are
the hub's own ports, `server_port` is where something answers for every notebook server, `token` is the API token of
the benchmark, `records` the file in which the simulated node tells what it has done, and the floor in its place. It
imports no other room.
"""
import asyncio
import json
import os
import time

from jupyterhub.proxy import Proxy
from jupyterhub.spawner import Spawner

START_SECONDS = 0.5  # as long as the simulated node takes to make a pod ready
ANSWER_SECONDS = 300  # for which a request to start or stop a server waits for the end of that

told = json.loads(os.environ['BENCH_HUB'])


class Floor(Spawner):
    """Starts nothing, in the time that the simulated node takes. What it costs is the hub's own share."""

    running = False

    async def start(self):
        told_by_floor(self.user.name, time.time() + START_SECONDS)
        await asyncio.sleep(START_SECONDS)
        self.running = True
        return '127.0.0.1', told['server_port']

    async def stop(self, now=False):
        self.running = False

    async def poll(self):
        return None if self.running else 0


def told_by_floor(user, ready):
    """Write down that a user's server was ready at a time, as the simulated node does of a pod."""
    with open(told['records'], 'a') as f:
        f.write(json.dumps({'what': 'ready', 'namespace': told['namespace'], 'name': 'jupyter-' + user,
                            'finished': ready}) + '\n')


class Routes(Proxy):
    """Remembers the routes, and has no traffic: the measured requests go to the hub."""

    should_start = False

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.routes = {}

    async def add_route(self, routespec, target, data):
        self.routes[routespec] = {'routespec': routespec, 'target': target, 'data': data}

    async def delete_route(self, routespec):
        self.routes.pop(routespec, None)

    async def get_all_routes(self):
        return dict(self.routes)


c = get_config()  # noqa: F821
c.JupyterHub.bind_url = 'http://127.0.0.1:%d' % told['proxy_port']
c.JupyterHub.hub_bind_url = 'http://127.0.0.1:%d' % told['hub_port']
c.JupyterHub.proxy_class = Routes
c.JupyterHub.authenticator_class = 'dummy'
c.Authenticator.allow_all = True
c.JupyterHub.concurrent_spawn_limit = 0  # the benchmark says how many start at a time
c.JupyterHub.tornado_settings = {'slow_spawn_timeout': ANSWER_SECONDS, 'slow_stop_timeout': ANSWER_SECONDS}
c.JupyterHub.services = [{'name': 'benchmark', 'api_token': told['token']}]
c.JupyterHub.load_roles = [{'name': 'benchmark', 'scopes': ['admin:users', 'admin:servers'], 'services': ['benchmark']}]
c.Spawner.start_timeout = c.Spawner.http_timeout = ANSWER_SECONDS
if told['subject'] == 'floor':
    c.JupyterHub.spawner_class = Floor
else:
    c.JupyterHub.spawner_class = 'kubespawner.KubeSpawner'
    c.KubeSpawner.namespace = told['namespace']
    c.KubeSpawner.port = told['server_port']
