"""What the server refuses, and the Status that says why: code, reason, and a cause for each field."""
import pytest

from .helpers import (
    claim,
    configmap,
    container,
    created,
    endpoints,
    event,
    failure,
    ok,
    outcome,
    pod,
    secret,
    service,
    unique,
)

VOLUME = {'name': 'v', 'emptyDir': {}}


def one(**fields):
    """Pod fields: one container that has `fields`."""
    return {'containers': [container(**fields)]}


def at(field, reason):
    return [(field, 'FieldValue' + reason)]


def test_missing_object_is_404(http, url):
    for call in (lambda path: http.get(path), lambda path: http.delete(path),
                 lambda path: http.patch(path, {}), lambda path: http.put(path, pod('missing'))):
        answer = call(url('pods', 'missing'))
        assert failure(answer) == (404, 'NotFound', [])
        assert (answer.body['details']['kind'], answer.body['details']['name']) == ('pods', 'missing')
        assert 'pods "missing" not found' in answer.body['message']


@pytest.mark.parametrize('path', ['missing/status', 'missing/log'])
def test_subresource_of_a_missing_pod_is_404(http, url, path):
    assert failure(http.get(url('pods', path))) == (404, 'NotFound', [])


@pytest.mark.parametrize('resource, body', [('pods', pod('one')), ('configmaps', configmap('one'))])
def test_create_in_a_missing_namespace_is_404(http, resource, body):
    answer = http.post('/api/v1/namespaces/made-up-namespace/' + resource, body)
    assert failure(answer) == (404, 'NotFound', [])
    assert (answer.body['details']['kind'], answer.body['details']['name']) == ('namespaces', 'made-up-namespace')


def test_list_of_a_missing_namespace_is_empty(http):
    assert ok(http.get('/api/v1/namespaces/made-up-namespace/pods'))['items'] == []


@pytest.mark.parametrize('body', [b'{nonsense', b'', b'[]', b'"pod"', b'17', b'\xff\xfe'])
def test_body_that_is_not_a_json_object_is_400(http, pods, body):
    assert failure(http.post(pods, body)) == (400, 'BadRequest', [])


@pytest.mark.parametrize('fields', [
    {'containers': 'x'}, {'containers': {}}, {'containers': ['x']}, {'hostNetwork': 'yes'},
    {'terminationGracePeriodSeconds': '30'}, {'terminationGracePeriodSeconds': 1.5}, {'nodeSelector': {'a': 1}},
    {'nodeSelector': []}, {'restartPolicy': 1}, {'securityContext': {'runAsUser': 'root'}},
    one(env=[{'name': 'A', 'value': 1}]), one(env={'A': '1'}), one(image=1), one(args='x'), one(args=[1]),
    one(ports=[{'containerPort': '80'}]),
])
def test_wrong_json_type_in_a_pod_is_400(http, pods, name, fields):
    assert failure(http.post(pods, pod(name, **fields))) == (400, 'BadRequest', [])


@pytest.mark.parametrize('field, value', [
    ('labels', {'a': 1}), ('labels', ['a']), ('annotations', {'a': True}), ('name', 1), ('finalizers', 'x')])
def test_wrong_json_type_in_metadata_is_400(http, pods, field, value):
    body = pod(unique())
    body['metadata'][field] = value
    assert failure(http.post(pods, body)) == (400, 'BadRequest', [])


@pytest.mark.parametrize('resource, body', [
    ('configmaps', configmap('one', a=1)), ('secrets', secret('one', data={'a': '!!'})),
    ('secrets', secret('one', stringData={'a': 1})), ('services', service('one', ports={}))])
def test_wrong_json_type_elsewhere_is_400(http, url, resource, body):
    assert failure(http.post(url(resource), body)) == (400, 'BadRequest', [])


@pytest.mark.parametrize('quantity', ['lots', '1 Gi', '1GiB', '1,5', ''])
def test_bad_quantity_is_400(http, url, name, quantity):
    body = pod(name, **one(resources={'limits': {'memory': quantity}}))
    assert failure(http.post(url('pods'), body)) == (400, 'BadRequest', [])
    assert failure(http.post(url('persistentvolumeclaims'), claim(name, quantity))) == (400, 'BadRequest', [])


def test_kind_that_is_not_the_paths_is_400(http, pods, name):
    assert failure(http.post(pods, configmap(name))) == (400, 'BadRequest', [])


def test_namespace_that_is_not_the_paths_is_400(http, pods, name):
    body = pod(name)
    body['metadata']['namespace'] = 'elsewhere'
    assert failure(http.post(pods, body)) == (400, 'BadRequest', [])


@pytest.mark.parametrize('change, says', [
    ({'name': 'another'}, 'name of the object'), ({'namespace': 'elsewhere'}, 'namespace of the'),
    ({'name': ''}, 'name must be provided')])
def test_replace_with_another_name_than_the_paths_is_400(http, pods, name, change, says):
    obj = created(http.post(pods, pod(name)))
    obj['metadata'].update(change)
    answer = http.put(pods + '/' + name, obj)
    assert failure(answer) == (400, 'BadRequest', [])
    assert says in answer.body['message']


@pytest.mark.parametrize('query', [
    {'limit': 'x'}, {'labelSelector': '!!a'}, {'labelSelector': 'a in'}, {'labelSelector': 'a=b=c'},
    {'fieldSelector': 'nonsense'}, {'fieldSelector': 'spec.hostname=x'}, {'fieldSelector': 'metadata.uid=x'},
    {'timeoutSeconds': 'x'}, {'limit': 1, 'continue': 'nonsense'}])
def test_bad_query_of_a_list_is_400(http, pods, query):
    assert failure(http.get(pods, **query)) == (400, 'BadRequest', [])


def test_bad_grace_period_is_400(http, pods, name):
    created(http.post(pods, pod(name)))
    assert failure(http.delete(pods + '/' + name, gracePeriodSeconds='x')) == (400, 'BadRequest', [])


def test_body_of_an_unknown_media_type_is_415(http, pods, name):
    answer = http.send('POST', pods, pod(name), content_type='text/plain')
    assert answer.status == 415 and b'UnsupportedMediaType' in answer.data


@pytest.mark.parametrize('name', ['Upper', 'under_score', '-dash', 'dash-', 'dot.', 'sp ace', 'ü', 'a' * 254, 'a..b'])
def test_bad_name_is_422(http, url, name):
    for resource, make in (('pods', pod), ('persistentvolumeclaims', claim), ('configmaps', configmap)):
        answer = http.post(url(resource), make(name))
        assert failure(answer) == (422, 'Invalid', at('metadata.name', 'Invalid'))
        assert (answer.body['details']['kind'], answer.body['details']['name']) == (make(name)['kind'], name)


@pytest.mark.parametrize('name', ['a' * 253, 'a.b', '9', 'a-b'])
def test_good_name_is_taken(http, url, name):
    created(http.post(url('configmaps'), configmap(name)))


@pytest.mark.parametrize('field, value, cause', [
    ('name', '', at('metadata.name', 'Required')),
    ('name', None, at('metadata.name', 'Required')),
    ('labels', {'a': '-x'}, at('metadata.labels', 'Invalid')),
    ('labels', {'a': 'x' * 64}, at('metadata.labels', 'Invalid')),
    ('labels', {'a': 'x y'}, at('metadata.labels', 'Invalid')),
    ('labels', {'a': 'ü'}, at('metadata.labels', 'Invalid')),
    ('labels', {'a b': 'x'}, at('metadata.labels', 'Invalid')),
    ('labels', {'/a': 'x'}, at('metadata.labels', 'Invalid')),
    ('labels', {'a' * 64: 'x'}, at('metadata.labels', 'Invalid')),
    ('annotations', {'a b': 'x'}, at('metadata.annotations', 'Invalid')),
    ('finalizers', ['nonsense'], at('metadata.finalizers[0]', 'Invalid')),
])
def test_bad_metadata_is_422(http, pods, name, field, value, cause):
    body = pod(name)
    body['metadata'][field] = value
    assert failure(http.post(pods, body)) == (422, 'Invalid', cause)


@pytest.mark.parametrize('fields, cause', [
    ({'containers': []}, at('spec.containers', 'Required')),
    ({'containers': [container('a'), container('b'), container('a')]}, at('spec.containers[2].name', 'Duplicate')),
    ({'containers': [{'name': 'a'}]}, at('spec.containers[0].image', 'Required')),
    ({'containers': [{'image': 'a'}]}, at('spec.containers[0].name', 'Required')),
    ({'containers': [container('A_b')]}, at('spec.containers[0].name', 'Invalid')),
    ({'initContainers': [container('main')]}, at('spec.initContainers[0].name', 'Duplicate')),
    (one(image=' x'), at('spec.containers[0].image', 'Invalid')),
    (one(imagePullPolicy='Sometimes'), at('spec.containers[0].imagePullPolicy', 'NotSupported')),
    (one(volumeMounts=[{'name': 'v', 'mountPath': '/x'}]), at('spec.containers[0].volumeMounts[0].name', 'NotFound')),
    (dict(one(volumeMounts=[{'name': 'v'}]), volumes=[VOLUME]),
     at('spec.containers[0].volumeMounts[0].mountPath', 'Required')),
    (dict(one(volumeMounts=[{'name': 'v', 'mountPath': '/x'}] * 2), volumes=[VOLUME]),
     at('spec.containers[0].volumeMounts[1].mountPath', 'Invalid')),
    ({'volumes': [VOLUME, VOLUME]}, at('spec.volumes[1].name', 'Duplicate')),
    ({'volumes': [{'emptyDir': {}}]}, at('spec.volumes[0].name', 'Required')),
    ({'volumes': [{'name': 'V', 'emptyDir': {}}]}, at('spec.volumes[0].name', 'Invalid')),
    ({'volumes': [dict(VOLUME, hostPath={'path': '/x'})]}, at('spec.volumes[0].hostPath', 'Forbidden')),
    ({'volumes': [{'name': 'v', 'persistentVolumeClaim': {}}]},
     at('spec.volumes[0].persistentVolumeClaim.claimName', 'Required')),
    (one(env=[{'value': 'x'}]), at('spec.containers[0].env[0].name', 'Required')),
    (one(ports=[{}]), at('spec.containers[0].ports[0].containerPort', 'Required')),
    (one(ports=[{'containerPort': 70000}]), at('spec.containers[0].ports[0].containerPort', 'Invalid')),
    (one(ports=[{'containerPort': 1, 'protocol': 'X'}]), at('spec.containers[0].ports[0].protocol', 'NotSupported')),
    (one(ports=[{'containerPort': 1, 'name': 'x' * 16}]), at('spec.containers[0].ports[0].name', 'Invalid')),
    (one(resources={'requests': {'cpu': '2'}, 'limits': {'cpu': '1'}}),
     at('spec.containers[0].resources.requests', 'Invalid')),
    (one(resources={'requests': {'cpu': '-2'}}), at('spec.containers[0].resources.requests[cpu]', 'Invalid')),
    (one(readinessProbe={}), at('spec.containers[0].readinessProbe', 'Required')),
    (one(lifecycle={'postStart': {}}), at('spec.containers[0].lifecycle.postStart', 'Required')),
    ({'restartPolicy': 'Maybe'}, at('spec.restartPolicy', 'NotSupported')),
    ({'dnsPolicy': 'Maybe'}, at('spec.dnsPolicy', 'NotSupported')),
    ({'hostname': 'A_b'}, at('spec.hostname', 'Invalid')),
    ({'nodeSelector': {'a': '-x'}}, at('spec.nodeSelector', 'Invalid')),
    ({'securityContext': {'runAsUser': -1}}, at('spec.securityContext.runAsUser', 'Invalid')),
    ({'securityContext': {'fsGroup': -1}}, at('spec.securityContext.fsGroup', 'Invalid')),
])
def test_bad_pod_is_422(http, pods, name, fields, cause):
    answer = http.post(pods, pod(name, **fields))
    assert failure(answer) == (422, 'Invalid', cause)
    assert answer.body['details']['kind'] == 'Pod' and answer.body['details']['name'] == name
    assert answer.body['message'].startswith('Pod "%s" is invalid: %s: ' % (name, cause[0][0]))


def test_pod_without_a_spec_is_422(http, pods, name):
    assert failure(http.post(pods, {'metadata': {'name': name}})) == (
        422, 'Invalid', at('spec.containers', 'Required'))


def test_every_fault_is_told_at_once(http, pods, name):
    body = pod(name, restartPolicy='Maybe', containers=[container('A'), container(imagePullPolicy='X')])
    assert failure(http.post(pods, body)) == (422, 'Invalid', (
        at('spec.containers[0].name', 'Invalid') + at('spec.containers[1].imagePullPolicy', 'NotSupported')
        + at('spec.restartPolicy', 'NotSupported')))


@pytest.mark.parametrize('fields, cause', [
    ({'accessModes': []}, at('spec.accessModes', 'Required')),
    ({'accessModes': ['Sometimes']}, at('spec.accessModes', 'NotSupported')),
    ({'resources': {}}, at('spec.resources[storage]', 'Required')),
    ({'size': '-1Gi'}, at('spec.resources[storage]', 'Invalid')),
    ({'size': '0'}, at('spec.resources[storage]', 'Invalid')),
    ({'storageClassName': 'A_b'}, at('spec.storageClassName', 'Invalid')),
    ({'volumeMode': 'X'}, at('spec.volumeMode', 'NotSupported')),
])
def test_bad_claim_is_422(http, url, name, fields, cause):
    assert failure(http.post(url('persistentvolumeclaims'), claim(name, **fields))) == (422, 'Invalid', cause)


@pytest.mark.parametrize('resource, body, cause', [
    ('services', service('one', ports=[]), at('spec.ports', 'Required')),
    ('services', service('one', type='X'), at('spec.type', 'NotSupported')),
    ('services', service('one', ports=[{'port': 0}]),
     at('spec.ports[0].port', 'Invalid') + at('spec.ports[0].targetPort', 'Invalid')),
    ('configmaps', configmap('one', **{'a b': 'x'}), at('data[a b]', 'Invalid')),
    ('secrets', secret('one', stringData={'a b': 'x'}), at('data[a b]', 'Invalid')),
    ('events', event('one', 'elsewhere', 'pod'), at('involvedObject.namespace', 'Invalid')),
    ('endpoints', endpoints('one', addresses=[{'ip': 'x'}], ports=[{'port': 1}]),
     at('subsets[0].addresses[0].ip', 'Invalid')),
])
def test_other_bad_object_is_422(http, url, resource, body, cause):
    assert failure(http.post(url(resource), body)) == (422, 'Invalid', cause)


@pytest.mark.parametrize('name', ['Upper', 'under_score', 'a.b', 'a' * 64])
def test_bad_namespace_name_is_422(http, name):
    answer = http.post('/api/v1/namespaces', {'metadata': {'name': name}})
    assert failure(answer) == (422, 'Invalid', at('metadata.name', 'Invalid'))


@pytest.mark.parametrize('change', [
    {'nodeName': 'other'}, {'restartPolicy': 'Never'}, {'schedulerName': 'other'}, {'hostname': 'x'},
    {'terminationGracePeriodSeconds': 3}, {'volumes': [VOLUME]}, {'nodeSelector': {'a': 'b'}},
])
def test_change_of_an_immutable_pod_field_is_422(http, pods, name, change):
    before = created(http.post(pods, pod(name)))
    assert failure(http.patch(pods + '/' + name, {'spec': change})) == (422, 'Invalid', at('spec', 'Forbidden'))
    after = dict(before, spec=dict(before['spec'], **change))
    assert failure(http.put(pods + '/' + name, after)) == (422, 'Invalid', at('spec', 'Forbidden'))
    assert ok(http.get(pods + '/' + name))['spec'] == before['spec']


def test_container_cannot_be_added_to_a_pod(http, pods, name):
    obj = created(http.post(pods, pod(name)))
    obj['spec']['containers'].append(container('second'))
    assert failure(http.put(pods + '/' + name, obj)) == (422, 'Invalid', at('spec.containers', 'Forbidden'))


def test_image_of_a_pod_can_be_changed(http, pods, name):
    obj = created(http.post(pods, pod(name)))
    obj['spec']['containers'][0]['image'] = 'example.org/image:2'
    assert ok(http.put(pods + '/' + name, obj))['spec']['containers'][0]['image'] == 'example.org/image:2'


@pytest.mark.parametrize('change', [
    {'accessModes': ['ReadWriteMany']}, {'storageClassName': 'other'}, {'storageClassName': None},
    {'selector': {'matchLabels': {'a': 'b'}}}])
def test_change_of_a_claims_spec_is_422(http, url, name, change):
    created(http.post(url('persistentvolumeclaims'), claim(name)))
    answer = http.patch(url('persistentvolumeclaims', name), {'spec': change})
    assert failure(answer) == (422, 'Invalid', at('spec', 'Forbidden'))


def test_type_of_a_secret_cannot_be_changed(http, url, name):
    created(http.post(url('secrets'), secret(name)))
    assert failure(http.patch(url('secrets', name), {'type': 'x'})) == (422, 'Invalid', at('type', 'Invalid'))


def test_replace_of_a_missing_object_creates_nothing(http, url):
    assert outcome(http.put(url('configmaps', 'missing'), configmap('missing'))) == (404, 'NotFound')
    assert http.get(url('configmaps', 'missing')).code == 404
