"""Commands in containers, through the Python client."""
import pytest
from kubernetes import client as kubernetes
from kubernetes import config
from kubernetes.stream import stream

from .conftest import PATIENCE, PODS, shell


@pytest.fixture(scope='module')
def api(kube):
    configuration = type.__call__(kubernetes.Configuration)
    config.load_kube_config(kube.kubeconfig, client_configuration=configuration)
    configuration.assert_hostname = False
    try:
        api_client = kubernetes.ApiClient(configuration)
    except TypeError:  # up to 4.0
        api_client = kubernetes.ApiClient(config=configuration)
    return kubernetes.CoreV1Api(api_client)


@pytest.fixture
def pod(client, name):
    client.create_pod(name, image='some/image', **shell('exec sleep 1000'))
    client.wait_for_ready(name)
    yield name
    client.delete('%s/%s' % (PODS, name), gracePeriodSeconds=0)


def execute(api, pod, *command, **options):
    options = dict({'stdin': False, 'stdout': True, 'stderr': True, 'tty': False}, **options)
    return stream(api.connect_get_namespaced_pod_exec, pod, 'default', command=list(command), **options)


def test_output_and_errors_are_returned(api, pod):
    assert execute(api, pod, 'sh', '-c', 'echo out') == 'out\n'
    assert execute(api, pod, 'sh', '-c', 'echo bad >&2') == 'bad\n'


def test_input_reaches_the_command(api, pod):
    response = execute(api, pod, 'sh', '-c', 'read line; echo got $line', stdin=True, _preload_content=False)
    response.write_stdin('words\n')
    response.run_forever(timeout=PATIENCE)
    assert response.read_stdout() == 'got words\n'


def test_a_terminal_is_one(api, pod):
    assert execute(api, pod, 'sh', '-c', 'test -t 1 && echo $TERM', tty=True, stderr=False) == 'xterm\r\n'


WEB_SOCKET = {'Upgrade': 'websocket', 'Connection': 'Upgrade', 'Sec-WebSocket-Protocol': 'v4.channel.k8s.io'}
SPDY = {'Upgrade': 'SPDY/3.1', 'Connection': 'Upgrade', 'X-Stream-Protocol-Version': 'v4.channel.k8s.io'}


@pytest.mark.parametrize('method, headers', [('GET', WEB_SOCKET), ('POST', SPDY)])
@pytest.mark.parametrize('query, code, why', [
    ('command=true&stdout=1&container=other', 400, 'container other is not valid for pod'),
    ('command=true', 400, 'at least 1 of stdin, stdout, stderr'),
    ('command=true&stdout=1&stderr=1&tty=1', 422, 'tty and stderr cannot both be true'),
    ('stdout=1', 422, 'command: Required value')])
def test_what_cannot_be_done_is_refused(client, pod, method, headers, query, code, why):
    answer = client.call(method, '%s/%s/exec?%s' % (PODS, pod, query), headers=headers)
    assert (answer[0], why in answer[1]['message']) == (code, True), answer


def test_a_protocol_that_nobody_speaks_is_refused(client, pod):
    headers = dict(WEB_SOCKET, **{'Sec-WebSocket-Protocol': 'made-up'})
    assert client.call('GET', '%s/%s/exec?command=true&stdout=1' % (PODS, pod), headers=headers)[0] == 403


def test_a_pod_that_is_not_there_is_404(client, name):
    code, answer = client.call('GET', '%s/%s/exec?command=true&stdout=1' % (PODS, name))
    assert (code, answer['reason']) == (404, 'NotFound')


@pytest.mark.parametrize('path', ['exec?command=true&stdout=1', 'attach?stdout=1', 'portforward'])
def test_a_connection_must_be_upgraded(client, pod, path):
    code, answer = client.call('POST', '%s/%s/%s' % (PODS, pod, path))
    assert (code, answer['message']) == (400, 'Upgrade request required')
