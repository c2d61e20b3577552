"""Services: a connection to their address or name reaches a pod, from pods and from programs outside."""
import http.client
import socket
import subprocess
import sys

import pytest

from tests.support.waits import until

from .conftest import PODS, shell
from .test_mounts import needs_namespaces

SERVICES = '/api/v1/namespaces/default/services'
SERVE = 'cd "$TMPDIR"; echo %s > who; exec ' + sys.executable + ' -m http.server --bind 0.0.0.0 8888'
FETCH = ('import sys, urllib.request; opener = urllib.request.build_opener(urllib.request.ProxyHandler({})); '
         'print(opener.open(sys.argv[1], timeout=10).read().decode().strip())')


@pytest.fixture
def serve(client):
    """A function that creates a pod whose web server says who it is, and waits until it is ready."""
    made = []

    def create(who, label):
        name = client.create_pod(**shell(SERVE % who, ports=[{'name': 'web', 'containerPort': 8888}], readinessProbe={
            'tcpSocket': {'port': 8888}, 'periodSeconds': 1}))
        made.append(name)
        client.call('PATCH', '%s/%s' % (PODS, name), {'metadata': {'labels': {'case': label}}},
                    'application/merge-patch+json')
        client.wait_for_ready(name)
        return name
    yield create
    for name in made:
        client.call('DELETE', '%s/%s' % (PODS, name), {'gracePeriodSeconds': 0})


def create_service(client, name, **spec):
    return client.create(SERVICES, {'metadata': {'name': name}, 'spec': dict({'selector': {'case': name}}, **spec)})


def fetch(address, port):
    """Return who has answered; '' if the pod ended meanwhile."""
    connection = http.client.HTTPConnection(address, port, timeout=10)
    try:
        connection.request('GET', '/who')
        return connection.getresponse().read().decode().strip()
    except (OSError, http.client.HTTPException):
        return ''
    finally:
        connection.close()


def is_open(address, port):
    try:
        socket.create_connection((address, port), timeout=5).close()
        return True
    except ConnectionRefusedError:
        return False


@pytest.mark.parametrize('port, target', [(8888, 8888), (8000, 8888), (8000, 'web')])
def test_address_of_a_service_reaches_its_pod(client, serve, name, port, target):
    address = create_service(client, name, ports=[{'port': port, 'targetPort': target}])['spec']['clusterIP']
    serve('one', name)
    until(lambda: is_open(address, port), 'the service')
    assert address.startswith('127.') and fetch(address, port) == 'one'


def test_connections_are_shared_among_ready_pods_and_refused_without_any(client, serve, name):
    address = create_service(client, name, ports=[{'port': 8000, 'targetPort': 8888}])['spec']['clusterIP']
    assert not is_open(address, 8000)
    first = serve('one', name)
    serve('two', name)
    until(lambda: is_open(address, 8000) and {fetch(address, 8000) for _ in range(4)} == {'one', 'two'}, 'both pods')
    client.delete('%s/%s' % (PODS, first), gracePeriodSeconds=0)
    until(lambda: {fetch(address, 8000) for _ in range(4)} == {'two'}, 'the second pod only')
    client.delete(SERVICES + '/' + name)
    until(lambda: not is_open(address, 8000), 'the end of the service')


def test_node_port_is_at_the_node(client, serve, name):
    spec = create_service(client, name, type='NodePort', ports=[{'port': 8000, 'targetPort': 8888}])['spec']
    serve('one', name)
    node = client.get('/api/v1/nodes/localkube')['status']['addresses'][0]['address']
    until(lambda: is_open(node, spec['ports'][0]['nodePort']), 'the node port')
    assert fetch(node, spec['ports'][0]['nodePort']) == 'one'


@needs_namespaces
@pytest.mark.parametrize('suffix', ['', '.default', '.default.svc', '.default.svc.cluster.local'])
def test_pod_reaches_another_pod_by_the_name_of_its_service(client, serve, name, suffix):
    create_service(client, name, ports=[{'port': 8000, 'targetPort': 8888}])
    serve('one', name)
    pod = client.create_pod(command=[sys.executable, '-c', FETCH, 'http://%s%s:8000/who' % (name, suffix)])
    client.wait_for_phase(pod, 'Succeeded')
    assert client.log(pod) == 'one\n'


@needs_namespaces
def test_running_pod_learns_the_name_of_a_later_service(client, serve, name):
    wait = 'until getent hosts %s; do sleep 0.05; done > /dev/null; exec "$0" "$@"' % name
    pod = client.create_pod(command=['sh', '-c', wait, sys.executable, '-c', FETCH, 'http://%s:8000/who' % name])
    serve('one', name)
    client.wait_for_phase(pod, 'Running')
    address = create_service(client, name, ports=[{'port': 8001, 'targetPort': 1}])['spec']['clusterIP']
    assert address
    client.wait_for(pod, lambda pod: pod['status']['phase'] in ('Failed', 'Succeeded'))
    assert 'refused' in client.log(pod).lower()  # the name was found; nothing is at this port


@needs_namespaces
def test_headless_service_is_the_address_of_its_pod(client, serve, name):
    create_service(client, name, clusterIP='None', ports=[{'port': 8888}])
    address = client.get('%s/%s' % (PODS, serve('one', name)))['status']['podIP']
    wait = 'until getent hosts %s; do sleep 0.05; done' % name
    pod = client.create_pod(command=['sh', '-c', wait])
    client.wait_for_phase(pod, 'Succeeded')
    assert client.log(pod).split()[0] == address


@needs_namespaces
def test_host_aliases_and_the_name_of_the_pod(client):
    name = client.create_pod(spec={'hostAliases': [{'ip': '127.9.9.9', 'hostnames': ['some.alias', 'other.alias']}]},
                             command=['sh', '-c', 'getent hosts other.alias; getent hosts $HOSTNAME'])
    pod = client.wait_for_phase(name, 'Succeeded')
    addresses = [line.split()[0] for line in client.log(name).splitlines()]
    assert addresses == ['127.9.9.9', pod['status']['podIP']]


@needs_namespaces
def test_program_outside_of_pods_reaches_a_service_by_its_name(kube, client, serve, name):
    create_service(client, name, ports=[{'port': 8000, 'targetPort': 8888}])
    serve('one', name)
    url = 'http://%s.default.svc.cluster.local:8000/who' % name
    said = subprocess.check_output([sys.executable, '-m', 'kubespawner.localkube.enter', '--kubeconfig',
                                    kube.kubeconfig, sys.executable, '-c', FETCH, url], timeout=30)
    assert said == b'one\n'


def test_program_for_a_cluster_that_is_no_localkube(tmpdir):
    config = tmpdir.join('config')
    config.write('# another one\n{"contexts": [{"context": {}}]}')
    done = subprocess.run([sys.executable, '-m', 'kubespawner.localkube.enter', '--kubeconfig', str(config), 'true'],
                          stderr=subprocess.PIPE)
    assert done.returncode == 1 and b'is not the kubeconfig of a localkube' in done.stderr
