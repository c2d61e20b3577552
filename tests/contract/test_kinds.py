"""What is particular to a kind: claims, secrets, services, endpoints, events, namespaces."""
import base64

import pytest

from .helpers import claim, configmap, created, endpoints, event, meta, names, ok, secret, service, version


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def test_claim_keeps_labels_and_access_modes(http, url, name):
    body = claim(name, size='5Gi', accessModes=['ReadWriteMany', 'ReadOnlyMany'])
    body['metadata'].update(labels={'app': 'jupyterhub'}, annotations={'example.org/a': 'b'})
    obj = created(http.post(url('persistentvolumeclaims'), body))
    assert obj['metadata']['labels'] == {'app': 'jupyterhub'}
    assert obj['spec']['accessModes'] == ['ReadWriteMany', 'ReadOnlyMany']
    assert obj['spec']['resources']['requests'] == {'storage': '5Gi'}


def test_claim_can_be_labelled_later(http, url, name):
    created(http.post(url('persistentvolumeclaims'), claim(name)))
    patched = ok(http.patch(url('persistentvolumeclaims', name), {'metadata': {'labels': {'a': '1'}}}))
    assert patched['metadata']['labels'] == {'a': '1'}


def test_claim_that_nobody_uses_goes_when_deleted(http, url, name):
    claims = url('persistentvolumeclaims')
    since = version(created(http.post(claims, claim(name))))
    with http.watch(claims, resourceVersion=since, fieldSelector='metadata.name=' + name) as watch:
        ok(http.delete(claims + '/' + name))
        watch.until(name, 'DELETED')
    assert http.get(claims + '/' + name).code == 404


def test_secret_strings_become_data(http, url, name):
    obj = created(http.post(url('secrets'), secret(name, stringData={'a': 'ü'}, data={'b': encoded('x')})))
    assert obj['data'] == {'a': encoded('ü'), 'b': encoded('x')} and 'stringData' not in obj
    assert ok(http.get(url('secrets', name)))['data'] == obj['data']


def test_secret_strings_win_over_data(http, url, name):
    obj = created(http.post(url('secrets'), secret(name, stringData={'a': 'new'}, data={'a': encoded('old')})))
    assert obj['data'] == {'a': encoded('new')}


def test_secret_strings_are_added_by_a_patch(http, url, name):
    created(http.post(url('secrets'), secret(name, stringData={'a': '1'})))
    assert ok(http.patch(url('secrets', name), {'stringData': {'b': '2'}}))['data'] == {
        'a': encoded('1'), 'b': encoded('2')}


def test_secret_keeps_its_type(http, url, name):
    assert created(http.post(url('secrets'), secret(name, type='example.org/x')))['type'] == 'example.org/x'


def test_configmap_data_is_kept_as_it_is(http, url, name):
    data = {'a.b_c-D': 'line\nline\n', 'empty': '', 'unicode': 'ü€'}
    created(http.post(url('configmaps'), configmap(name, **data)))
    assert ok(http.get(url('configmaps', name)))['data'] == data


def test_services_have_addresses_of_their_own(http, url, name):
    addresses = {created(http.post(url('services'), service('s%d-%s' % (n, name))))['spec']['clusterIP']
                 for n in range(3)}
    assert len(addresses) == 3


def test_service_keeps_its_address(http, url, name):
    obj = created(http.post(url('services'), service(name, selector={'app': 'x'})))
    patched = ok(http.patch(url('services', name), {'spec': {'selector': {'app': 'y'}}}))
    assert patched['spec']['clusterIP'] == obj['spec']['clusterIP']
    assert patched['spec']['selector'] == {'app': 'y'}


def test_service_has_no_pod_address_to_give(http, url, name):
    body = service(name, type='ExternalName', externalName='example.org', ports=[])
    spec = created(http.post(url('services'), body))['spec']
    assert (spec['type'], spec['externalName']) == ('ExternalName', 'example.org') and 'clusterIP' not in spec


def test_endpoints_can_be_replaced(http, url, name):
    created(http.post(url('endpoints'), endpoints(name, addresses=[{'ip': '10.1.1.1'}], ports=[{'port': 80}])))
    body = endpoints(name, addresses=[{'ip': '10.1.1.2'}], ports=[{'port': 81, 'name': 'web'}])
    subset, = ok(http.put(url('endpoints', name), body))['subsets']
    assert subset == {'addresses': [{'ip': '10.1.1.2'}], 'ports': [{'port': 81, 'name': 'web', 'protocol': 'TCP'}]}


def test_event_is_kept_as_written(http, url, namespace, name):
    body = event(name, namespace, 'one', message='Pulled it', count=3, firstTimestamp='2030-01-01T00:00:00Z',
                 lastTimestamp='2030-01-01T00:00:01Z', source={'component': 'kubelet', 'host': 'n'})
    read = created(http.post(url('events'), body))
    for field in ('message', 'count', 'firstTimestamp', 'lastTimestamp', 'source', 'involvedObject', 'reason', 'type'):
        assert read[field] == body[field]


def test_event_can_be_counted_up(http, url, namespace, name):
    created(http.post(url('events'), event(name, namespace, 'one', count=1)))
    assert ok(http.patch(url('events', name), {'count': 2}))['count'] == 2


def test_events_about_a_pod_are_watched(http, url, namespace, name):
    events = url('events')
    since = version(ok(http.get(events)))
    with http.watch(events, resourceVersion=since, fieldSelector='involvedObject.name=' + name) as watch:
        for suffix, about in [('-1', 'other'), ('-2', name), ('-3', 'other'), ('-4', name)]:
            created(http.post(events, event(name + suffix, namespace, about)))
        ok(http.patch(events + '/' + name + '-2', {'count': 2}))
        assert [(e['type'], e['object']['metadata']['name'][-2:]) for e in watch.take(3)] == [
            ('ADDED', '-2'), ('ADDED', '-4'), ('MODIFIED', '-2')]


@pytest.mark.parametrize('labels', [None, {'team': 'blue'}])
def test_namespace_can_be_labelled(http, name, labels):
    body = {'metadata': meta('kubespawner-test-' + name, labels)}
    obj = created(http.post('/api/v1/namespaces', body, dryRun='All'))
    assert {k: v for k, v in (obj['metadata'].get('labels') or {}).items() if k == 'team'} == (labels or {})


def test_nodes_are_listed(http):
    assert ok(http.get('/api/v1/nodes'))['kind'] == 'NodeList'


def test_namespace_is_found_by_name(http, namespace):
    assert names(ok(http.get('/api/v1/namespaces', fieldSelector='metadata.name=' + namespace))) == [namespace]
