"""Servers whose hub ends while they start, and servers that get another address: none of them is lost.

The pods are scripted, so that what comes first is the test's to say. Their servers are answered for by this process, at
two addresses, each of which tells its own.
"""
import contextlib
import os
import signal
import sqlite3
import sys
import uuid

import jupyterhub
import pytest
import requests
from kubernetes import client

from tests.cluster.conftest import rights_everywhere  # noqa: F401 (a fixture)
from tests.support.scripted_pods import SCRIPTED, ScriptedPods, answering

from .browser import until
from .conftest import Hub, directory_of_hub

CONFIG = """
c.KubeSpawner.port = {port}
c.Spawner.http_timeout = 180
c.Spawner.poll_interval = 600  # only the watch and the hub's start tell of changes
"""


USER_NAMESPACES = """
c.KubeSpawner.enable_user_namespaces = True
c.KubeSpawner.user_namespace_template = {prefix!r} + '-{{username}}'
"""

HERE, THERE = '127.0.0.1', '127.0.0.2'

# A hub that is told to end cancels what goes on. Before Python 3.8 that is an Exception, which fails a start.
GIVES_STARTS_UP = jupyterhub.version_info >= (1, 0) and sys.version_info < (3, 8)

# Three servers at once, a named one among them.
SERVERS = [('ann', ''), ('ann', 'gpu'), ('bob', '')]


@pytest.fixture(scope='module')
def port():
    """The port of all servers, at both addresses."""
    with answering(HERE, THERE) as port:
        yield port


@pytest.fixture
def new_hub(namespace, port):
    """`new_hub(more)` returns a `Hub`, to be started by `with`."""
    with directory_of_hub() as directory:
        yield lambda more='': Hub(directory, namespace, more=SCRIPTED + CONFIG.format(port=port) + more)


@pytest.fixture
def pods(core, namespace):
    """The pods of the module's namespace; none is left when the test has ended."""
    pods = ScriptedPods(core, namespace)
    yield pods
    pods.delete_all()
    until(lambda: not pods.pods(), 120, 'an empty namespace')


def begin_all(hub):
    """Ask for all SERVERS; return the browsers of their users by name."""
    users = {name: hub.user(name) for name in {name for name, _ in SERVERS}}
    for name, server in SERVERS:
        users[name].begin(server)
    return users


def where(user, server=''):
    """Return the address whose server answers a user; None if there is none."""
    response = user.get('', server)
    return response.text if response.status_code == 200 and response.text in (HERE, THERE) else None


def all_answer(users, at=HERE):
    return all(where(users[name], server) == at for name, server in SERVERS)


def kept(hub):
    """Return what the hub's database keeps of its only server, as text."""
    with contextlib.closing(sqlite3.connect(os.path.join(hub.directory, 'hub.sqlite'))) as database:
        return str(database.execute('SELECT state FROM spawners').fetchall())


def end(hub, by):
    """End the hub, but not its proxy, by a signal."""
    hub.hub.send_signal(by)
    hub.hub.wait(120)


@pytest.mark.parametrize('by', [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize('ready', ['before', 'after'])
def test_servers_whose_hub_ends_while_they_start_are_kept(new_hub, pods, ready, by):
    if by == signal.SIGTERM and GIVES_STARTS_UP:
        pytest.skip('this JupyterHub takes its own end for a failure of what starts, on Pythons before 3.8')
    with new_hub() as hub:
        begin_all(hub)
        until(lambda: len(pods.uids()) == len(SERVERS), 120, 'the pods')
        before = pods.uids()
        end(hub, by)
        if ready == 'before':
            pods.run()
        hub.launch()
        if ready == 'after':
            until(lambda: hub.logged().count('waiting for it') == len(SERVERS), 120, 'the new hub to find the pods')
            pods.run()
        hub.wait()
        users = {name: hub.user(name) for name, _ in SERVERS}
        until(lambda: all_answer(users), 120, 'all servers to answer')
        assert pods.uids() == before and not pods.terminating()
        for name, server in SERVERS:
            users[name].stop(server)
        until(lambda: not pods.pods(), 120, 'all pods to be deleted')


def test_a_start_that_fails_after_its_hub_has_ended_is_cleaned_up(new_hub, pods):
    with new_hub('c.Spawner.http_timeout = 2\n') as hub:
        hub.user('ann').begin()
        until(pods.pods, 120, 'the pod')
        hub.kill()
        pods.set_status('jupyter-ann', phase='Failed', reason='Evicted', message='The node was low on memory.')
        hub.start()
        until(lambda: not pods.pods(), 120, 'the pod to be deleted')


def test_a_pod_that_took_the_name_after_the_hub_ended_is_not_taken_for_the_server(new_hub, pods, core):
    with new_hub('c.Spawner.http_timeout = 2\n') as hub:
        hub.user('ann').begin()
        until(lambda: 'pod_uid' in kept(hub), 120, 'the hub to know the pod')
        ours = pods.pod('jupyter-ann')
        hub.kill()
        pods.delete_all()
        forged = {'metadata': {key: ours['metadata'][key] for key in ('name', 'labels', 'annotations')},
                  'spec': {'schedulerName': 'nobody', 'containers': [{'name': 'notebook', 'image': 'busybox'}]}}
        core.create_namespaced_pod(namespace=pods.namespace, body=forged, _preload_content=False)
        pods.run(THERE)
        others = pods.uids()
        hub.start()
        until(lambda: 'appears to have stopped while the Hub was down' in hub.logged(), 120, 'the hub to notice')
        # Nobody logs in: old hubs start a server then.
        assert requests.get(hub.url + '/user/ann/', timeout=60).text not in (HERE, THERE)
        assert pods.uids() == others and not pods.terminating(), 'the other pod is left alone'


@pytest.mark.usefixtures('rights_everywhere')
def test_servers_in_namespaces_of_their_users_are_kept(new_hub, core):
    prefix = 'ns-' + uuid.uuid4().hex[:8]
    pods = {name: ScriptedPods(core, '%s-%s' % (prefix, name)) for name, _ in SERVERS}
    try:
        with new_hub(USER_NAMESPACES.format(prefix=prefix)) as hub:
            begin_all(hub)
            until(lambda: sum(len(each.uids()) for each in pods.values()) == len(SERVERS), 120, 'the pods')
            before = {name: pods[name].uids() for name in pods}
            hub.kill()
            hub.launch()
            until(lambda: hub.logged().count('waiting for it') == len(SERVERS), 120, 'the new hub to find the pods')
            for each in pods.values():
                each.run()
            hub.wait()
            users = {name: hub.user(name) for name in pods}
            until(lambda: all_answer(users), 120, 'all servers to answer')
            assert {name: pods[name].uids() for name in pods} == before
    finally:
        for each in pods.values():
            core.delete_namespace(name=each.namespace, body=client.V1DeleteOptions())


@pytest.mark.parametrize('seen_by', ['the watch', 'the next hub'])
def test_a_running_server_that_gets_another_address_is_followed(new_hub, pods, seen_by):
    with new_hub() as hub:
        user = hub.user('ann')
        user.begin()
        until(pods.pods, 120, 'the pod')
        pods.run()
        until(lambda: where(user) == HERE, 120, 'the server')
        if seen_by == 'the next hub':
            hub.kill()
        pods.move('jupyter-ann', THERE)
        if seen_by == 'the next hub':
            hub.start()
            user = hub.user('ann')
        until(lambda: where(user) == THERE, 120, 'the new address')
        assert 'corrected the record' in hub.logged()
        pods.move('jupyter-ann', HERE)
        until(lambda: where(user) == HERE, 120, 'the first address again')
