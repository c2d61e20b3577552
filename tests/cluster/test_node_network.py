"""The real node's network is a cluster's: Services, their names, and the API server for pods.

What other tests of traffic rely on, without KubeSpawner.
"""
import subprocess

import pytest

from tests.support import rights
from tests.support.cluster_names import with_cluster_names
from tests.support.node_pods import ANSWERS_WITH, PYTHON, NodePods

SOON = 30  # seconds, in which what has been created is known everywhere

# Prints what answers at a URL; it is tried until it does, for a Service takes a moment to be known.
READS = """
import sys, time, urllib.request
deadline = time.monotonic() + %d
while True:
    try:
        print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())
        break
    except OSError as e:
        if time.monotonic() > deadline:
            sys.exit(str(e))
    time.sleep(0.1)
""" % SOON

# Prints the addresses of a name, once it has the given number of them: 0 for a name that is not known.
RESOLVES = """
import socket, sys, time
deadline = time.monotonic() + %d
while True:
    try:
        found = {info[4][0] for info in socket.getaddrinfo(sys.argv[1], None)}
    except socket.gaierror:
        found = set()
    if len(found) == int(sys.argv[2]) or time.monotonic() > deadline:
        break
    time.sleep(0.1)
print(*sorted(found))
""" % SOON

CONNECTS = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], 80), timeout=10)
    print('connected')
except OSError as e:
    print(type(e).__name__)
"""

LISTS_PODS = """
import json, os, ssl, sys, time, urllib.error, urllib.request
mount = '/var/run/secrets/kubernetes.io/serviceaccount/'
read = lambda name: open(mount + name).read()
request = urllib.request.Request(
    'https://%s/api/v1/namespaces/%s/pods' % (sys.argv[1], read('namespace')),
    headers={'Authorization': 'Bearer ' + read('token')})
context = ssl.create_default_context(cafile=mount + 'ca.crt')
try:
    answer = urllib.request.urlopen(request, context=context, timeout=10)
    print(answer.status, [item['metadata']['name'] for item in json.load(answer)['items']])
except urllib.error.HTTPError as e:
    print(e.code)
"""


@pytest.fixture(scope='module')
def gateway(request):
    """The address of this machine in the pods' network; the name server is there."""
    gateway = request.config.getoption('--pod-gateway')
    if not gateway:
        pytest.skip('needs a real node: --pod-gateway')
    return gateway


@pytest.fixture(scope='module')
def pods(gateway, core, namespace):
    """The pods of the module, see `NodePods`."""
    return NodePods(core, namespace)


@pytest.fixture(scope='module')
def web(pods):
    """A pod `web`, which answers behind a Service `web`; its address."""
    pods.create('service', service('web', ports=[{'port': 80, 'targetPort': 8000}]))
    return pods.serve('web')


@pytest.fixture
def on_this_machine(gateway):
    """`on_this_machine(script, *arguments)` returns what a process with the cluster's names prints."""
    def run(script, *arguments):
        command = with_cluster_names(gateway, [PYTHON, '-c', script] + list(arguments))
        printed = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=SOON + 30).stdout
        return printed.decode('utf8').strip()

    return run


def service(name, **spec):
    return {'metadata': {'name': name}, 'spec': dict({'selector': {'app': name}}, **spec)}


@pytest.mark.parametrize('name', ['web', 'web.{}', 'web.{}.svc.cluster.local'])
def test_a_pod_reaches_another_by_each_of_its_services_names(pods, web, namespace, name):
    pod = 'reader-%d' % name.count('.')
    assert pods.run(pod, READS, 'http://%s/' % name.format(namespace)) == 'web'


def test_a_pod_reaches_itself_through_its_service(pods, namespace):
    pods.create('service', service('mirror', ports=[{'port': 80, 'targetPort': 8000}]))
    serve_and_read = """
import subprocess, sys
server = subprocess.Popen([sys.executable, '-c', sys.argv[2], 'mirror'])
code = subprocess.call([sys.executable, '-c', sys.argv[3], sys.argv[1]])
server.kill()
sys.exit(code)
"""
    printed = pods.run('mirror', serve_and_read, 'http://mirror.%s/' % namespace, ANSWERS_WITH, READS)
    assert 'mirror' in printed.splitlines()


def test_a_headless_service_names_its_pods(pods, on_this_machine, namespace):
    pods.create('service', service('many', clusterIP='None', ports=[{'port': 8000}]))
    addresses = [pods.serve(name, app='many', hostname=name, subdomain='many') for name in ('one', 'two')]
    name = 'many.%s.svc.cluster.local' % namespace
    assert on_this_machine(RESOLVES, name, '2').split() == sorted(addresses)
    assert on_this_machine(RESOLVES, 'two.' + name, '1').split() == addresses[1:]


def test_an_external_name_stands_for_another_name_of_the_cluster(pods, web, on_this_machine, namespace):
    full = 'web.%s.svc.cluster.local' % namespace
    pods.create('service', {'metadata': {'name': 'alias'}, 'spec': {'type': 'ExternalName', 'externalName': full}})
    assert on_this_machine(RESOLVES, 'alias.%s.svc.cluster.local' % namespace, '1') == \
        on_this_machine(RESOLVES, full, '1')


def test_the_name_of_a_deleted_service_is_unknown_soon(pods, core, on_this_machine, namespace):
    name = 'brief.%s.svc.cluster.local' % namespace
    pods.create('service', service('brief', ports=[{'port': 80}]))
    assert on_this_machine(RESOLVES, name, '1') != ''
    core.delete_namespaced_service(name='brief', namespace=namespace, _preload_content=False)
    assert on_this_machine(RESOLVES, name, '0') == ''


def test_a_process_of_this_machine_reaches_a_service_by_name(web, on_this_machine, namespace):
    assert on_this_machine(READS, 'http://web.%s.svc.cluster.local/' % namespace) == 'web'


def test_other_processes_of_this_machine_keep_their_names(web, on_this_machine, namespace):
    name = 'web.%s.svc.cluster.local' % namespace
    on_this_machine(RESOLVES, name, '1')
    command = [PYTHON, '-c', RESOLVES, name, '0']
    assert subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=SOON + 30).stdout == b'\n'


@pytest.mark.parametrize('host', [
    'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local', '10.96.0.1'])
def test_a_pod_lists_pods_if_a_role_allows_it(pods, core, namespace, host):
    account = 'reader-%s' % host.replace('.', '-')
    pods.create('service_account', {'metadata': {'name': account}})
    without, allowed = account + '-without', account + '-with'
    assert pods.run(without, LISTS_PODS, host, serviceAccountName=account) == '403'
    rights.give(core, namespace, 'system:serviceaccount:%s:%s' % (namespace, account), account, [
        {'apiGroups': [''], 'resources': ['pods'], 'verbs': ['list']}])
    answer = pods.run(allowed, LISTS_PODS, host, serviceAccountName=account)
    assert answer.startswith('200 ') and allowed in answer


def test_a_pod_finds_the_api_server_in_its_environment(pods):
    prints = "import os; print(os.environ['KUBERNETES_SERVICE_HOST'], os.environ['KUBERNETES_SERVICE_PORT'])"
    assert pods.run('environment', prints) == '10.96.0.1 443'


def test_a_pod_gets_no_further_than_the_cluster(pods):
    assert pods.run('traveller', CONNECTS, '198.51.100.1') == 'ConnectionRefusedError'
