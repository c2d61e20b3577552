"""Thousands of starts and stops while faults come at random: what is left is what a model says, and nothing grows.

`FAULTS_CYCLES` tells how many cycles there are in all, `FAULTS_SEED` which ones; a failure says which they were.
"""
import json
import logging
import os
import re
import threading

import pytest
from tornado import gen

from kubespawner import KubeSpawner
from kubespawner.localkube import LocalKube
from tests.bench.driver import memory, sockets
from tests.bench.rest import Api
from tests.cluster.conftest import make_spawner
from tests.support.waits import until_on_loop

from . import chaos
from .conftest import versions

SEED = os.environ.get('FAULTS_SEED', '1')
CYCLES = int(os.environ.get('FAULTS_CYCLES', 250))
USERS = 50
ROUNDS = 5
MORE_SOCKETS = 40  # a pool may hold one for each thread, and a proxy has two more for each
WORKER = re.compile(r'_\d+$')  # the end of the name of a thread in a pool: ThreadPoolExecutor-0_3, asyncio_1
MORE_MEMORY = 8 << 20  # bytes that the process may grow by after the first round


@pytest.fixture
def kube(cluster, use_kubeconfig):
    """A localkube in a process of its own, without a node."""
    if not cluster.is_localkube:
        pytest.skip('only localkube can be told to fail')
    with LocalKube(child=True, kubelet=False) as kube:
        use_kubeconfig(kube.kubeconfig)
        yield kube


@pytest.fixture(autouse=True)
def without_warnings():
    """pytest would keep them all."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def new_spawner(monkeypatch):
    """`new_spawner(namespace)` returns a function that makes a user's spawner, of a hub with faults' configuration."""
    class Spawner(KubeSpawner):
        pod_reflector = event_reflector = None

    def new_spawner(namespace):
        return lambda name: make_spawner(
            Spawner, name, namespace=namespace, user_storage_pvc_ensure=True, user_storage_capacity='1Gi',
            events_enabled=True, http_timeout=1,  # so long what is told of a start is kept
            singleuser_extra_pod_config={'nodeName': chaos.NODE})

    yield new_spawner
    Spawner.pod_reflector.stop()
    Spawner.event_reflector.stop()


@pytest.mark.gen_test(timeout=300 + CYCLES)
def test_after_each_cycle_there_is_what_the_model_says_whatever_the_api_does(kube, new_spawner):
    api = Api(kube.kubeconfig)
    api.request('POST', '/api/v1/namespaces', {'metadata': {'name': 'cycles'}})
    faults, heal = chaos.switches(kube, 'cycles')
    yield live(api, 'cycles', new_spawner('cycles'), chaos.Saboteur(SEED, faults, heal))


@pytest.fixture
def real(cluster):
    """The cluster under test, if it is no localkube."""
    if cluster.is_localkube:
        pytest.skip('a real API server with a bad network; localkube has more faults than that')
    return cluster


@pytest.mark.gen_test(timeout=300 + CYCLES)
def test_after_each_cycle_there_is_what_the_model_says_whatever_the_network_does(real, proxy, namespace, new_spawner):
    faults, heal = chaos.networks(proxy)
    yield live(Api(real.kubeconfig), namespace, new_spawner(namespace), chaos.Saboteur(SEED, faults, heal))


@gen.coroutine
def live(api, namespace, new_spawner, saboteur):
    """Have USERS live CYCLES in all; look at all that is there after each of the ROUNDS."""
    ask, sizes, claims = chaos.asker(api, namespace), [], {}
    with chaos.Node(api, namespace) as node:
        users = [chaos.User('user-%d' % i, SEED, new_spawner, node, ask) for i in range(USERS)]
        for _ in range(ROUNDS):
            working = saboteur.work(users[0].spawner.asynchronize)
            try:
                yield [user.live(CYCLES // ROUNDS // USERS) for user in users]
            finally:
                saboteur.stop()
                yield working
            assert all_of(api, namespace, 'pods') == {}
            known, claims = claims, {name: claim['metadata']['uid'] for name, claim in all_of(
                api, namespace, 'persistentvolumeclaims').items()}
            assert claims.items() >= known.items(), 'a claim is never lost'
            assert {user.spawner.pvc_name for user in users if user.has_been_home} <= set(claims)
            assert set(claims) <= {user.spawner.pvc_name for user in users}
            yield until_on_loop(lambda: versions(users[0].spawner.pod_reflector.resources) == {})
            sizes.append(size())
    assert any(user.events_heard for user in users)
    print('seed %s, %d cycles, faults: %s, sizes: %s' % (SEED, CYCLES, saboteur.done, sizes))
    (threads, sockets, memory), (more_threads, more_sockets, more_memory) = sizes[0], sizes[-1]
    assert more_threads <= threads
    assert more_sockets <= sockets + MORE_SOCKETS
    assert more_memory <= memory + MORE_MEMORY


def all_of(api, namespace, resource):
    answer = api.request('GET', '/api/v1/namespaces/%s/%s' % (namespace, resource))
    return {item['metadata']['name']: item for item in json.loads(answer.decode('utf8'))['items']}


def size():
    """Return the number of this process' threads and sockets, and its memory in bytes.

    A pool of threads counts as one: it may start a worker at any time, until it has as many as it is allowed.
    """
    names = [thread.name for thread in threading.enumerate()]
    alone = [name for name in names if not WORKER.search(name)]
    pools = {WORKER.sub('', name) for name in names if WORKER.search(name)}
    return len(alone) + len(pools), sockets(), memory()
