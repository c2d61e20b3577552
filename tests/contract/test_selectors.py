"""Label and field selectors of lists."""
import pytest

from .helpers import binding, claim, configmap, created, event, failure, names, ok, pod, unique


@pytest.fixture(scope='module')
def four(http, namespace):
    """The path of a namespace's pods, which are: a and b of app x, c of app y, d without labels and on a node."""
    path = '/api/v1/namespaces/%s/pods' % namespace
    for name, labels in [('a', {'app': 'x', 'tier': '1'}), ('b', {'app': 'x'}), ('c', {'app': 'y', 'empty': ''}),
                         ('d', None)]:
        created(http.post(path, pod(name, labels=labels)))
    created(http.post(path + '/d/binding', binding('d')))
    ok(http.patch(path + '/d/status', {'status': {'phase': 'Running', 'podIP': '10.1.1.1'}}))
    return path


@pytest.mark.parametrize('selector, found', [
    ('', 'abcd'),
    ('app=x', 'ab'), ('app==x', 'ab'), ('app=z', ''), ('empty=', 'c'),
    ('app!=x', 'cd'), ('tier!=1', 'bcd'),
    ('app in (x)', 'ab'), ('app in (x, y)', 'abc'), ('app in (z)', ''),
    ('app notin (x)', 'cd'), ('app notin (x,y)', 'd'),
    ('app', 'abc'), ('tier', 'a'), ('empty', 'c'),
    ('!app', 'd'), ('!tier', 'bcd'),
    ('app=x,tier', 'a'), ('app=x,!tier', 'b'), ('app in (x,y),tier notin (1)', 'bc'), ('app=x,app=y', ''),
    (' app = x , tier = 1 ', 'a'),
    ('example.org/app=x', ''),
])
def test_labels(http, four, selector, found):
    assert names(ok(http.get(four, labelSelector=selector))) == list(found)


@pytest.mark.parametrize('selector, found', [
    ('metadata.name=a', 'a'), ('metadata.name==a', 'a'), ('metadata.name!=a', 'bcd'), ('metadata.name=z', ''),
    ('metadata.namespace=elsewhere', ''),
    ('status.phase=Pending', 'abc'), ('status.phase=Running', 'd'), ('status.phase!=Running', 'abc'),
    ('spec.nodeName=made-up-node', 'd'), ('spec.nodeName=', 'abc'), ('spec.nodeName!=made-up-node', 'abc'),
    ('spec.restartPolicy=Always', 'abcd'), ('spec.schedulerName=nobody', 'abcd'),
    ('status.podIP=10.1.1.1', 'd'),
    ('status.phase=Pending,metadata.name!=a', 'bc'), ('metadata.name=a,metadata.name=b', ''),
])
def test_fields_of_pods(http, four, selector, found):
    assert names(ok(http.get(four, fieldSelector=selector))) == list(found)


def test_labels_and_fields_together(http, four):
    assert names(ok(http.get(four, labelSelector='app=x', fieldSelector='metadata.name!=b'))) == ['a']


def test_fields_in_all_namespaces(http, four, namespace):
    assert names(ok(http.get('/api/v1/pods', fieldSelector='metadata.namespace=' + namespace))) == list('abcd')


@pytest.mark.parametrize('resource, field', [
    ('pods', 'spec.hostname'), ('pods', 'metadata.uid'), ('pods', 'metadata.labels.app'), ('pods', 'nonsense'),
    ('configmaps', 'status.phase'), ('configmaps', 'data.a'), ('services', 'spec.nodeName'),
    ('persistentvolumeclaims', 'status.phase'), ('events', 'message')])
def test_field_that_cannot_be_selected_is_400(http, url, resource, field):
    answer = http.get(url(resource), fieldSelector=field + '=x')
    assert failure(answer) == (400, 'BadRequest', [])
    assert field in answer.body['message']


@pytest.mark.parametrize('resource, make', [('configmaps', configmap), ('persistentvolumeclaims', claim)])
def test_name_can_be_selected_of_every_kind(http, url, resource, make):
    name = unique()
    created(http.post(url(resource), make(name)))
    assert names(ok(http.get(url(resource), fieldSelector='metadata.name=' + name))) == [name]


@pytest.fixture(scope='module')
def three_events(http, namespace):
    """The path of events: e1 and e2 about pod one, e3 about pod two."""
    path = '/api/v1/namespaces/%s/events' % namespace
    for name, about, fields in [('e1', 'one', {'reason': 'Pulled'}),
                                ('e2', 'one', {'reason': 'Failed', 'type': 'Warning'}),
                                ('e3', 'two', {'reason': 'Pulled'})]:
        body = event(name, namespace, about, **fields)
        body['involvedObject']['uid'] = 'uid-of-' + about
        created(http.post(path, body))
    return path


@pytest.mark.parametrize('selector, found', [
    ('involvedObject.name=one', ['e1', 'e2']), ('involvedObject.name!=one', ['e3']),
    ('involvedObject.uid=uid-of-two', ['e3']), ('involvedObject.kind=Pod', ['e1', 'e2', 'e3']),
    ('involvedObject.kind=Node', []), ('reason=Pulled', ['e1', 'e3']), ('type=Warning', ['e2']),
    ('involvedObject.kind=Pod,involvedObject.name=one,reason=Failed', ['e2']),
])
def test_fields_of_events(http, three_events, selector, found):
    # A cluster's own controllers may write events here too, about other objects.
    assert [n for n in names(ok(http.get(three_events, fieldSelector=selector))) if n in ('e1', 'e2', 'e3')] == found


def test_namespace_of_events_can_be_selected(http, three_events, namespace):
    found = names(ok(http.get('/api/v1/events', fieldSelector='involvedObject.namespace=' + namespace)))
    assert {'e1', 'e2', 'e3'} <= set(found)
