"""Services: their addresses and ports, their endpoints, and what the server refuses."""
import pytest

from .helpers import container, created, endpoints, failure, meta, ok, service, soon

INVALID, REQUIRED, FORBIDDEN = 'FieldValueInvalid', 'FieldValueRequired', 'FieldValueForbidden'


@pytest.fixture
def services(url):
    return url('services')


@pytest.fixture
def subsets(http, url, name):
    """A function: wait until the endpoints of the case's service `fit`, a predicate on their subsets."""
    def wait(fits):
        path = url('endpoints', name)
        soon(lambda: http.get(path).code == 200 and fits(ok(http.get(path)).get('subsets', [])),
             lambda: 'endpoints %s' % (http.get(path),))
        return ok(http.get(path)).get('subsets', [])
    return wait


@pytest.fixture
def running(http, url, bound, name):
    """A function that creates a pod with an address, which the case's service selects."""
    def create(number, ready=True, **spec):
        pod_name = '%s-%d' % (name, number)
        bound(pod_name, labels={'case': name}, containers=[container(ports=[
            {'name': 'web', 'containerPort': 8888}])], **spec)
        set_status(pod_name, number, ready)
        return pod_name

    def set_status(pod_name, number, ready):
        ok(http.patch(url('pods', pod_name, 'status'), {'status': {
            'phase': 'Running', 'podIP': '10.88.7.%d' % number, 'podIPs': [{'ip': '10.88.7.%d' % number}],
            'conditions': [{'type': 'Ready', 'status': 'True' if ready else 'False'}]}}))
    create.set_status = set_status
    return create


def addresses(subsets, kind='addresses'):
    return sorted(address['ip'] for subset in subsets for address in subset.get(kind, ()))


def ports(subsets):
    return sorted((port.get('name', ''), port['port']) for subset in subsets for port in subset.get('ports', ()))


def test_node_ports_are_given(http, services, name):
    body = service(name, type='NodePort', ports=[{'name': 'a', 'port': 80}, {'name': 'b', 'port': 81}])
    spec = created(http.post(services, body))['spec']
    numbers = [port['nodePort'] for port in spec['ports']]
    assert len(set(numbers)) == 2 and min(numbers) >= 30000
    patched = ok(http.patch(services + '/' + name, {'spec': {'type': 'ClusterIP'}}))['spec']
    assert not any('nodePort' in port for port in patched['ports']) and patched['clusterIP'] == spec['clusterIP']


def test_session_affinity_has_a_timeout(http, services, name):
    spec = created(http.post(services, service(name, sessionAffinity='ClientIP')))['spec']
    assert spec['sessionAffinityConfig'] == {'clientIP': {'timeoutSeconds': 10800}}


def test_external_name_gives_the_address_back(http, services, name):
    created(http.post(services, service(name)))
    spec = ok(http.patch(services + '/' + name, {'spec': {'type': 'ExternalName', 'externalName': 'a.org'}}))['spec']
    assert 'clusterIP' not in spec and spec['externalName'] == 'a.org'
    spec = ok(http.patch(services + '/' + name, {'spec': {'type': 'ClusterIP', 'externalName': None}}))['spec']
    assert spec['clusterIP']


def test_address_of_another_service_is_refused(http, services, name):
    taken = created(http.post(services, service('a-' + name)))['spec']['clusterIP']
    code, reason, causes = failure(http.post(services, service('b-' + name, clusterIP=taken)))
    assert (code, reason, len(causes)) == (422, 'Invalid', 1)


def test_replace_names_the_version_that_it_replaces(http, services, name):
    obj = created(http.post(services, service(name, selector={'a': 'b'})))
    del obj['metadata']['resourceVersion']
    assert failure(http.put(services + '/' + name, obj)) == (
        422, 'Invalid', [('metadata.resourceVersion', INVALID)])


def test_replace_without_the_address_is_refused_or_keeps_it(http, services, name):
    """Servers up to 1.20 refuse it. Newer ones keep the address."""
    obj = created(http.post(services, service(name)))
    body = service(name)
    body['metadata']['resourceVersion'] = obj['metadata']['resourceVersion']
    answer = http.put(services + '/' + name, body)
    if answer.code == 200:
        assert answer.body['spec']['clusterIP'] == obj['spec']['clusterIP']
    else:
        assert failure(answer) == (422, 'Invalid', [('spec.clusterIPs[0]', INVALID)])


@pytest.mark.parametrize('spec, causes', [
    ({'ports': [{'port': 1, 'nodePort': 30001}]}, [('spec.ports[0].nodePort', FORBIDDEN)]),
    ({'type': 'ExternalName', 'externalName': 'A_', 'ports': []}, [('spec.externalName', INVALID)]),
    ({'type': 'LoadBalancer', 'clusterIP': 'None'}, [('spec.clusterIPs[0]', INVALID)]),
    ({'clusterIP': 'x'}, [('spec.clusterIPs[0]', INVALID)]),
    ({'selector': {'a b': 'c'}}, [('spec.selector', INVALID)]),
    ({'ports': [{'port': 1, 'targetPort': 'UPPER'}]}, [('spec.ports[0].targetPort', INVALID)]),
])
def test_refused(http, services, name, spec, causes):
    assert failure(http.post(services, service(name, **spec))) == (422, 'Invalid', causes)


# Endpoints

def test_endpoints_are_the_pods_that_the_service_selects(http, services, name, running, subsets):
    created(http.post(services, service(name, selector={'case': name}, ports=[
        {'name': 'a', 'port': 80, 'targetPort': 'web'}, {'name': 'b', 'port': 81, 'targetPort': 8081}])))
    running(1)
    running(2, ready=False, hostname='two', subdomain=name)
    found = subsets(lambda found: addresses(found) == ['10.88.7.1'] and
                    addresses(found, 'notReadyAddresses') == ['10.88.7.2'])
    assert ports(found) == [('a', 8888), ('b', 8081)]
    assert found[0]['notReadyAddresses'][0]['hostname'] == 'two'
    target = found[0]['addresses'][0]['targetRef']
    assert (target['kind'], target['name']) == ('Pod', name + '-1')


def test_endpoints_follow_the_pods(http, url, services, name, running, subsets):
    created(http.post(services, service(name, selector={'case': name}, ports=[{'port': 80, 'targetPort': 8888}])))
    assert subsets(lambda found: found == []) == []
    first, second = running(1), running(2, ready=False)
    subsets(lambda found: addresses(found) == ['10.88.7.1'])
    running.set_status(second, 2, True)
    subsets(lambda found: addresses(found) == ['10.88.7.1', '10.88.7.2'])
    ok(http.patch(url('pods', first), {'metadata': {'labels': {'case': None}}}))
    subsets(lambda found: addresses(found) == ['10.88.7.2'])
    ok(http.delete(url('pods', second)))  # it stays for its grace period, and gets no more connections
    subsets(lambda found: addresses(found) == [])


def test_pods_that_are_not_ready_can_be_asked_for(http, services, name, running, subsets):
    created(http.post(services, service(name, selector={'case': name}, publishNotReadyAddresses=True)))
    running(1, ready=False)
    subsets(lambda found: addresses(found) == ['10.88.7.1'])


def test_headless_service_without_ports_has_addresses(http, services, name, running, subsets):
    body = service(name, selector={'case': name}, clusterIP='None', ports=[])
    created(http.post(services, body))
    running(1)
    assert ports(subsets(lambda found: addresses(found) == ['10.88.7.1'])) == []


def test_endpoints_have_the_labels_of_the_service(http, url, services, name):
    body = dict(service(name, selector={'case': name}), metadata=meta(name, {'team': 'blue'}))
    created(http.post(services, body))
    soon(lambda: http.get(url('endpoints', name)).code == 200, 'endpoints')
    assert ok(http.get(url('endpoints', name)))['metadata']['labels'] == {'team': 'blue'}


def test_endpoints_of_a_service_without_a_selector_are_the_clients(http, url, services, name):
    created(http.post(services, service(name)))
    created(http.post(url('endpoints'), endpoints(name, addresses=[{'ip': '10.1.1.1'}], ports=[{'port': 80}])))
    ok(http.patch(services + '/' + name, {'metadata': {'labels': {'a': 'b'}}}))
    assert addresses(ok(http.get(url('endpoints', name)))['subsets']) == ['10.1.1.1']
    ok(http.delete(services + '/' + name))
    soon(lambda: http.get(url('endpoints', name)).code == 404, 'the endpoints are still there')
