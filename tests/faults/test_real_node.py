"""Pods that fail on a real node: start ends with the node's own words, at once where `start_failure_grace` is 0."""
import select
import socket
import socketserver
import threading
from urllib.parse import urlparse

import pytest
from tornado import gen
from tornado.ioloop import IOLoop

from kubespawner.spawner import SpawnError
from tests import machine
from tests.cluster.conftest import SLEEP

SOON = 30  # seconds, of 60 that a start may take; a node looks at its pods every few seconds
AT_ONCE = 20  # seconds for what waits for no container
TRUE, FALSE = ['/bin/true'], ['/bin/false']
NO_SERVER = dict(singleuser_extra_container_config={'readinessProbe': {'exec': {'command': FALSE}}})


@pytest.fixture
def on_the_node(request, new_spawner):
    """`on_the_node(**traits)` returns a spawner whose container has the contents of this machine."""
    if not request.config.getoption('--pod-gateway'):
        pytest.skip('needs a real node: --pod-gateway')
    defaults = dict(cmd=['/bin/' + SLEEP[0]] + SLEEP[1:], start_failure_grace=0,
                    singleuser_image_spec=machine.AS_A_CONTAINER['image'], volumes=machine.AS_A_CONTAINER['volumes'],
                    volume_mounts=machine.AS_A_CONTAINER['volume_mounts'])
    return lambda **traits: new_spawner('ann', **dict(defaults, **traits))


def init_container(command):
    return {'name': 'prepare', 'image': machine.AS_A_CONTAINER['image'], 'imagePullPolicy': 'IfNotPresent',
            'command': command, 'volumeMounts': machine.AS_A_CONTAINER['volume_mounts']}


def from_config_map(name):
    return {'envFrom': [{'configMapRef': {'name': name}}]}


FAILURES = {
    'an image name that cannot be parsed': (
        dict(singleuser_image_spec='not a valid image!'), ['InvalidImageName', 'not a valid image!']),
    'an image that no registry has': (
        dict(singleuser_image_spec='127.0.0.1:9/absent:1'), ['ImagePull', '127.0.0.1:9/absent:1']),
    'an image that may not be pulled': (
        dict(singleuser_image_spec='local/absent:1', singleuser_image_pull_policy='Never'), ['ErrImageNeverPull']),
    'a config map that does not exist': (
        dict(singleuser_extra_container_config=from_config_map('nowhere')),
        ['CreateContainerConfigError', 'configmap "nowhere" not found']),
    'a program that does not exist': (dict(cmd=['/bin/nothing']), ['/bin/nothing']),
    'a server that crashes': (
        dict(cmd=['/bin/sh', '-c', 'exit 3'], **NO_SERVER), ['container notebook', 'exit code 3']),
    'an init container that fails': (
        dict(singleuser_init_containers=[init_container(FALSE)]), ['container prepare', 'exit code 1']),
    'a server that needs more memory than it may have': (
        dict(cmd=['/usr/bin/python3', '-c', 'x = bytearray(10 ** 9)'], mem_limit='32M', **NO_SERVER), ['OOMKilled']),
    'more memory than any node has': (dict(mem_guarantee='1000T'), ['Unschedulable', 'Insufficient memory']),
    'a claim that nobody provides': (
        dict(user_storage_pvc_ensure=True, user_storage_capacity='1Gi', user_storage_class='none', volumes=[
            {'name': 'home', 'persistentVolumeClaim': {'claimName': 'claim-ann'}}], volume_mounts=[
            {'name': 'home', 'mountPath': '/home'}]), ['Unschedulable', 'PersistentVolumeClaims']),
}


@gen.coroutine
def failure(spawner, objects):
    """Return what a start that fails tells the user; its pod is gone when the hub has stopped it."""
    with pytest.raises(SpawnError) as e:
        yield gen.with_timeout(IOLoop.current().time() + SOON, spawner.start())
    # JupyterHub's own stop, before it shows the error. A node takes a minute over a grace that no container needs.
    yield gen.with_timeout(IOLoop.current().time() + AT_ONCE, spawner.stop())
    assert objects.pods() == []
    return e.value.jupyterhub_message


@pytest.mark.parametrize('traits, words', FAILURES.values(), ids=list(FAILURES))
@pytest.mark.gen_test
def test_a_start_ends_with_the_nodes_words(on_the_node, objects, traits, words):
    message = yield failure(on_the_node(**traits), objects)
    assert [word for word in ['jupyter-ann'] + words if word not in message] == []


@pytest.mark.gen_test
def test_a_start_goes_on_when_the_config_map_appears_within_the_grace(on_the_node, objects, core, namespace):
    spawner = on_the_node(singleuser_extra_container_config=from_config_map('late'), start_failure_grace=SOON)
    start = spawner.start()

    def is_missed():
        statuses = (objects.pod(spawner.pod_name) or {}).get('status', {}).get('containerStatuses', [])
        return [status for status in statuses if 'CreateContainerConfigError' in str(status['state'])]

    yield objects.until(is_missed)
    core.create_namespaced_config_map(namespace=namespace, body={'metadata': {'name': 'late'}, 'data': {'A': 'b'}},
                                      _preload_content=False)
    yield start
    assert (yield spawner.poll()) is None
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_server_that_crashes_once_is_started_again_within_the_grace(on_the_node, objects):
    once = 'test -e /state/once || { touch /state/once; exit 3; }; exec sleep 1000'
    spawner = on_the_node(
        cmd=['/bin/sh', '-c', once], start_failure_grace=SOON,
        volumes=machine.AS_A_CONTAINER['volumes'] + [{'name': 'state', 'emptyDir': {}}],
        volume_mounts=machine.AS_A_CONTAINER['volume_mounts'] + [{'name': 'state', 'mountPath': '/state'}],
        singleuser_extra_container_config={'readinessProbe': {
            'initialDelaySeconds': 1, 'exec': {'command': TRUE}}})
    yield spawner.start()
    assert objects.pod(spawner.pod_name)['status']['containerStatuses'][0]['restartCount'] == 1
    yield spawner.stop(now=True)


class Relay(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Makes the API server reachable for pods, at `address`, as it is in other clusters."""
    daemon_threads = True

    def __init__(self, host, core):
        super().__init__((host, 0), RelayHandler)
        self.target = urlparse(core.api_client.configuration.host)
        self.address = 'https://%s:%d' % self.server_address


class RelayHandler(socketserver.BaseRequestHandler):
    def handle(self):
        with socket.create_connection((self.server.target.hostname, self.server.target.port)) as target:
            ends = {target: self.request, self.request: target}
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    ends[end].sendall(data)


@pytest.fixture
def api_address(request, core, on_the_node):
    """Where pods reach the API server."""
    with Relay(request.config.getoption('--pod-gateway'), core) as relay:
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        yield relay.address
        relay.shutdown()


# What a user would try: with the token at the usual place, if there is one. Whoever has proved who they are may read.
READS_THE_API = """
import ssl, sys, time, urllib.error, urllib.request
request = urllib.request.Request(sys.argv[1] + '/api')
try:
    with open('/var/run/secrets/kubernetes.io/serviceaccount/token') as f:
        request.add_header('Authorization', 'Bearer ' + f.read())
except FileNotFoundError:
    print('no token')
try:
    urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=10)
    print('allowed')
except urllib.error.HTTPError as e:
    print('refused', e.code)
print('end')
time.sleep(1000)
"""


@pytest.mark.parametrize('account, says', [(None, ['no token', 'refused 403']), ('default', ['allowed'])])
@pytest.mark.gen_test
def test_a_server_reads_the_api_only_with_a_service_account(
        on_the_node, api_address, objects, core, namespace, account, says):
    spawner = on_the_node(cmd=['/usr/bin/python3', '-u', '-c', READS_THE_API, api_address],
                          singleuser_service_account=account)
    yield spawner.start()

    def printed():
        return core.read_namespaced_pod_log(name=spawner.pod_name, namespace=namespace).splitlines()

    yield objects.until(lambda: 'end' in printed())
    assert printed() == says + ['end']
    yield spawner.stop(now=True)
