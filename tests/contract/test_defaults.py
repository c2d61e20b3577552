"""What the server fills in, so that a reader finds every field that has a meaning."""
import pytest

from .helpers import claim, container, created, endpoints, ok, pod, secret, service, unique


@pytest.fixture
def spec_of(http, pods):
    """A function: the spec of a pod that is made with the given fields, read back."""
    def read_back(**fields):
        name = unique()
        created(http.post(pods, pod(name, **fields)))
        return ok(http.get(pods + '/' + name))['spec']
    return read_back


@pytest.fixture
def container_of(spec_of):
    """A function: the container of a pod whose container is made with the given fields, read back."""
    return lambda **fields: spec_of(containers=[container(**fields)])['containers'][0]


def test_pod(spec_of):
    spec = spec_of()
    defaults = {'restartPolicy': 'Always', 'dnsPolicy': 'ClusterFirst', 'terminationGracePeriodSeconds': 30,
                'securityContext': {}, 'enableServiceLinks': True}
    assert {field: spec.get(field) for field in defaults} == defaults


def test_pod_without_a_scheduler_gets_the_default_one(http, pods, name):
    body = pod(name)
    del body['spec']['schedulerName']
    assert created(http.post(pods, body, dryRun='All'))['spec']['schedulerName'] == 'default-scheduler'


def test_pod_keeps_what_was_given(spec_of):
    given = {'restartPolicy': 'OnFailure', 'dnsPolicy': 'Default', 'terminationGracePeriodSeconds': 1,
             'enableServiceLinks': False, 'hostname': 'one', 'nodeSelector': {'disk': 'fast'},
             'securityContext': {'runAsUser': 1000, 'fsGroup': 100, 'supplementalGroups': [1, 2]}}
    spec = spec_of(**given)
    assert {field: spec.get(field) for field in given} == given


def test_container(container_of):
    assert container_of() == {
        'name': 'main', 'image': 'example.org/image:1', 'imagePullPolicy': 'IfNotPresent', 'resources': {},
        'terminationMessagePath': '/dev/termination-log', 'terminationMessagePolicy': 'File'}


def test_init_container(spec_of):
    init, = spec_of(initContainers=[container('first')])['initContainers']
    assert (init['imagePullPolicy'], init['terminationMessagePath']) == ('IfNotPresent', '/dev/termination-log')


@pytest.mark.parametrize('image, policy', [
    ('image', 'Always'), ('image:latest', 'Always'), ('image:1', 'IfNotPresent'),
    ('example.org:5000/image', 'Always'), ('example.org:5000/image:1', 'IfNotPresent'),
    ('image@sha256:' + '0' * 64, 'IfNotPresent'),
])
def test_pull_policy_follows_the_tag(container_of, image, policy):
    assert container_of(image=image)['imagePullPolicy'] == policy


def test_port(container_of):
    assert container_of(ports=[{'containerPort': 8888}])['ports'] == [{'containerPort': 8888, 'protocol': 'TCP'}]


def test_probe(container_of):
    probe = container_of(readinessProbe={'httpGet': {'port': 8888}})['readinessProbe']
    assert probe == {'httpGet': {'path': '/', 'port': 8888, 'scheme': 'HTTP'}, 'timeoutSeconds': 1,
                     'periodSeconds': 10, 'successThreshold': 1, 'failureThreshold': 3}


def test_environment_from_a_field(container_of):
    env = container_of(env=[{'name': 'A', 'valueFrom': {'fieldRef': {'fieldPath': 'metadata.name'}}},
                            {'name': 'B', 'value': 'b'}])['env']
    assert env == [{'name': 'A', 'valueFrom': {'fieldRef': {'apiVersion': 'v1', 'fieldPath': 'metadata.name'}}},
                   {'name': 'B', 'value': 'b'}]


def test_requests_are_copied_from_limits(container_of):
    limits = {'cpu': '1', 'memory': '1Gi'}
    assert container_of(resources={'limits': limits})['resources'] == {'limits': limits, 'requests': limits}
    half = container_of(resources={'limits': limits, 'requests': {'cpu': '100m'}})['resources']
    assert half == {'limits': limits, 'requests': {'cpu': '100m', 'memory': '1Gi'}}


@pytest.mark.parametrize('given, kept', [
    ('1', '1'), (1, '1'), (0.5, '500m'), ('0.5', '500m'), ('1000m', '1'), ('1.5Gi', '1536Mi'), ('1024Mi', '1Gi'),
    ('1073741824', '1073741824'), (1073741824, '1073741824'), ('1G', '1G'), ('1000M', '1G'), ('1e3', '1e3'),
    ('0', '0'),
])
def test_quantity_is_kept_in_its_shortest_form(container_of, given, kept):
    assert container_of(resources={'limits': {'memory': given}})['resources']['limits'] == {'memory': kept}


@pytest.mark.parametrize('given, kept', [
    ({}, {'emptyDir': {}}),
    ({'emptyDir': {}}, {'emptyDir': {}}),
    ({'emptyDir': {'medium': 'Memory'}}, {'emptyDir': {'medium': 'Memory'}}),
    ({'hostPath': {'path': '/x'}}, {'hostPath': {'path': '/x', 'type': ''}}),
    ({'secret': {'secretName': 's'}}, {'secret': {'secretName': 's', 'defaultMode': 0o644}}),
    ({'configMap': {'name': 'c'}}, {'configMap': {'name': 'c', 'defaultMode': 0o644}}),
    ({'persistentVolumeClaim': {'claimName': 'c'}}, {'persistentVolumeClaim': {'claimName': 'c'}}),
])
def test_volume(spec_of, given, kept):
    assert spec_of(volumes=[dict(given, name='v')])['volumes'] == [dict(kept, name='v')]


def test_claim(http, url, name):
    obj = created(http.post(url('persistentvolumeclaims'), claim(name)))
    assert obj['spec'] == {'accessModes': ['ReadWriteOnce'], 'resources': {'requests': {'storage': '1Gi'}},
                           'storageClassName': 'made-up-class', 'volumeMode': 'Filesystem'}
    assert obj['status'] == {'phase': 'Pending'}


def test_service(http, url, name):
    spec = created(http.post(url('services'), service(name)))['spec']
    assert spec['ports'] == [{'port': 80, 'targetPort': 80, 'protocol': 'TCP'}]
    assert (spec['type'], spec['sessionAffinity']) == ('ClusterIP', 'None')
    assert spec['clusterIP'] not in ('', 'None')


def test_service_without_an_address_stays_without(http, url, name):
    ports = [{'name': 'web', 'port': 80, 'targetPort': 'notebook-port', 'protocol': 'TCP'}]
    spec = created(http.post(url('services'), service(name, clusterIP='None', ports=ports)))['spec']
    assert (spec['clusterIP'], spec['ports']) == ('None', ports)


def test_secret_is_opaque(http, url, name):
    assert created(http.post(url('secrets'), secret(name)))['type'] == 'Opaque'


def test_endpoints_port(http, url, name):
    body = endpoints(name, addresses=[{'ip': '10.1.1.1'}], ports=[{'port': 8888}])
    assert created(http.post(url('endpoints'), body))['subsets'] == [
        {'addresses': [{'ip': '10.1.1.1'}], 'ports': [{'port': 8888, 'protocol': 'TCP'}]}]
