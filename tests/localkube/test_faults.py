"""The switches of LocalKube: calls that fail, hang or lose their connection; watches that stall or end."""
import contextlib
import http.client
import ssl
import time

import pytest

from kubespawner.localkube import LocalKube

from .conftest import PATIENCE, Client

CONFIGMAPS = '/api/v1/namespaces/default/configmaps'
LOST = (http.client.HTTPException, ConnectionError, ssl.SSLError)  # what a client sees of a dropped connection


@pytest.fixture(scope='module', params=[False, True], ids=['thread', 'child'])
def kube(request):
    with LocalKube(child=request.param, kubelet=False) as kube:
        yield kube


@pytest.fixture
def client(kube):
    yield Client(kube)
    kube.clear_faults()


def configmap(name):
    return {'metadata': {'name': name}}


def test_next_calls_that_match_fail(kube, client, name):
    kube.fail(method='POST', path=r'/configmaps$', status=503, times=2, headers={'Retry-After': '1'}, message='no')
    assert client.call('GET', CONFIGMAPS)[0] == 200
    for _ in range(2):
        connection, response = client.request('POST', CONFIGMAPS + '?x=y', configmap(name))
        assert (response.status, response.getheader('Retry-After')) == (503, '1')
        connection.close()
    assert client.call('POST', CONFIGMAPS, configmap(name))[0] == 201


def test_failure_looks_like_the_servers_own(kube, client):
    kube.fail(status=429)
    code, answer = client.call('GET', CONFIGMAPS)
    assert (code, answer['kind'], answer['status'], answer['reason']) == (429, 'Status', 'Failure', 'TooManyRequests')


@pytest.mark.parametrize('after, code', [(False, 404), (True, 200)])
def test_a_call_fails_before_or_after_its_effect(kube, client, name, after, code):
    kube.fail(method='POST', status=504, after=after)
    assert client.call('POST', CONFIGMAPS, configmap(name))[0] == 504
    assert client.call('GET', CONFIGMAPS + '/' + name)[0] == code


def test_watch_can_be_matched_by_its_query(kube, client):
    kube.fail(path=r'watch=1', status=500)
    assert client.call('GET', CONFIGMAPS)[0] == 200
    assert client.call('GET', CONFIGMAPS + '?watch=1')[0] == 500


def test_call_is_delayed(kube, client, name):
    kube.delay(method='POST', seconds=0.5)
    begin = time.monotonic()
    assert client.call('POST', CONFIGMAPS, configmap(name))[0] == 201
    assert time.monotonic() - begin >= 0.5


@pytest.mark.parametrize('after, code', [(False, 404), (True, 200)])
def test_connection_is_dropped_before_or_after_the_effect(kube, client, name, after, code):
    kube.drop(method='POST', after=after)
    with pytest.raises(LOST):
        client.call('POST', CONFIGMAPS, configmap(name))
    assert client.call('GET', CONFIGMAPS + '/' + name)[0] == code


def test_stalled_watch_goes_on_later(kube, client, name):
    version = client.get(CONFIGMAPS)['metadata']['resourceVersion']
    kube.stall_watches()
    watch = client.watch(CONFIGMAPS, '&resourceVersion=' + version)
    client.create(CONFIGMAPS, configmap(name))
    kube.resume_watches()
    assert next(watch)['object']['metadata']['name'] == name


def test_stalled_watch_sends_nothing(kube, client, name):
    kube.stall_watches()
    client.create(CONFIGMAPS, configmap(name))
    connection, response = client.request('GET', CONFIGMAPS + '?watch=1&timeoutSeconds=1')
    assert response.read() == b''
    connection.close()


def test_cut_watch_loses_its_connection(kube, client, name):
    client.create(CONFIGMAPS, configmap(name))
    watch = client.watch(CONFIGMAPS)
    assert next(watch)['type'] == 'ADDED'
    begin = time.monotonic()
    kube.cut_watches()
    with contextlib.suppress(*LOST):
        list(watch)
    assert time.monotonic() - begin < PATIENCE - 1  # which is its own time


@pytest.mark.parametrize('end', [False, True])
def test_what_is_inserted_comes_before_the_events_or_instead_of_them(kube, client, name, end):
    client.create(CONFIGMAPS, configmap(name))
    kube.insert_into_watches('nonsense \udcff\n', path='/configmaps', end=end)
    query = '?watch=1&timeoutSeconds=1&fieldSelector=metadata.name=' + name
    connection, response = client.request('GET', CONFIGMAPS + query)
    first, *others = response.read().split(b'\n')
    connection.close()
    assert first == b'nonsense \xff'
    assert (others == [b'']) is end
    assert '"ADDED"' in client.text(CONFIGMAPS + query)


def test_history_is_forgotten(kube, client, name):
    version = client.get(CONFIGMAPS)['metadata']['resourceVersion']
    kube.expire_history()
    event = next(client.watch(CONFIGMAPS, '&resourceVersion=' + version))
    assert (event['type'], event['object']['code'], event['object']['reason']) == ('ERROR', 410, 'Expired')
    version = client.get(CONFIGMAPS)['metadata']['resourceVersion']
    watch = client.watch(CONFIGMAPS, '&resourceVersion=' + version)
    client.create(CONFIGMAPS, configmap(name))
    assert next(watch)['object']['metadata']['name'] == name


def test_requests_are_remembered_until_cleared(kube, client):
    kube.clear_faults()
    client.get(CONFIGMAPS + '?limit=1')
    client.call('DELETE', CONFIGMAPS + '/nope')
    assert kube.requests() == [('GET', CONFIGMAPS + '?limit=1'), ('DELETE', CONFIGMAPS + '/nope')]
    kube.clear_faults()
    assert kube.requests() == []


def test_cleared_faults_do_nothing(kube, client):
    kube.fail(times=5)
    kube.clear_faults()
    assert client.call('GET', CONFIGMAPS)[0] == 200
