"""KubeIngressProxy on an API: its routes are objects that outlive it, and it touches nothing else."""
import json

import pytest
from kubernetes.client.rest import ApiException
from tornado import gen

from kubespawner.kube import clients
from kubespawner.proxy import KubeIngressProxy, RouteError, routes, templates
from tests.support.waits import until_on_loop

from .conftest import grant_routes, rules_of_routes

PATHS = {'ingress': '/apis/networking.k8s.io/v1/namespaces/%s/ingresses', 'service': '/api/v1/namespaces/%s/services',
         'endpoints': '/api/v1/namespaces/%s/endpoints'}
ANN, TARGET, DATA = '/user/ann/', 'http://10.1.2.3:8888', {'user': 'ann', 'server_name': ''}


@pytest.fixture(scope='module', autouse=True)
def granted(core, namespace, cluster):
    """Give the user that the proxy runs as the permissions of the documentation."""
    if cluster.is_localkube:
        pytest.importorskip('jsonpatch')
    if cluster.hub_kubeconfig:
        grant_routes(core, namespace, cluster.hub_kubeconfig)


@pytest.fixture
def new_proxy(namespace):
    """`new_proxy(**traits)` returns the proxy of a hub that has just started."""
    made = []

    def new(**traits):
        own = {'ingress_reflector': None, 'service_reflector': None, 'endpoints_reflector': None,
               'ingress_version': None}
        cls = type('Own', (KubeIngressProxy,), own)
        made.append(cls)
        return cls(namespace=namespace, host_routing=traits.pop('host_routing', False), **traits)

    yield new
    for cls in made:
        for reflector in (cls.ingress_reflector, cls.service_reflector, cls.endpoints_reflector):
            if reflector is not None:
                reflector.stop()


class Cluster:
    """What is in the namespace, without the proxy."""

    def __init__(self, core, namespace):
        self.api_client, self.namespace = core.api_client, namespace

    def _send(self, method, kind, name='', body=None):
        path = PATHS[kind] % self.namespace + ('/' + name if name else '')
        content_type = 'application/json-patch+json' if method == 'PATCH' else 'application/json'
        answer = clients.send(self.api_client, method, path, body=body, content_type=content_type)
        return json.loads(answer.data.decode('utf8'))

    def get(self, kind, routespec):
        """Return an object of a route; None if there is none."""
        try:
            return self._send('GET', kind, templates.name_of(routespec))
        except ApiException as e:
            if e.status != 404:
                raise
            return None

    def create(self, kind, body):
        return self._send('POST', kind, body=body)

    def patch(self, kind, routespec, operations):
        self._send('PATCH', kind, templates.name_of(routespec), operations)

    def delete(self, kind, routespec):
        self._send('DELETE', kind, templates.name_of(routespec))

    def uids(self):
        """Return the uids of all Ingresses and services."""
        return {each['metadata']['uid'] for kind in ('ingress', 'service') for each in self._send('GET', kind)['items']}


@pytest.fixture
def in_cluster(core, namespace):
    return Cluster(core, namespace)


@pytest.fixture
def sent(monkeypatch):
    """The requests that are sent, but for the watches: (method, resource)."""
    requests, real = [], clients.send

    def send(api_client, method, path, query=None, *more, **arguments):
        words = [word for word in path.split('/namespaces/')[-1].split('/')]
        verb = {'GET': 'get' if len(words) == 3 else 'list', 'POST': 'create'}.get(method, method.lower())
        if 'namespaces' in path:
            requests.append(('watch' if 'watch' in (query or {}) else verb, words[1]))
        return real(api_client, method, path, query, *more, **arguments)

    monkeypatch.setattr(clients, 'send', send)
    return requests


def as_added(routespec=ANN, target=TARGET, data=DATA):
    return {routespec: {'routespec': routespec, 'target': target, 'data': data}}


@pytest.mark.parametrize('target', [TARGET, 'http://hub:8081', 'https://a.example.org'])
@pytest.mark.gen_test
def test_a_route_is_there_as_it_was_added_until_it_is_deleted(new_proxy, in_cluster, target):
    proxy = new_proxy()
    assert (yield proxy.get_all_routes()) == {}
    yield proxy.add_route(ANN, target, DATA)
    assert (yield proxy.get_all_routes()) == as_added(target=target)
    assert (yield proxy.get_route(ANN)) == as_added(target=target)[ANN]
    assert (in_cluster.get('endpoints', ANN) is not None) is (target == TARGET)
    yield proxy.delete_route(ANN)
    assert (yield proxy.get_all_routes()) == {}
    assert not any(in_cluster.get(kind, ANN) for kind in PATHS)
    yield proxy.delete_route(ANN)


@pytest.mark.gen_test
def test_a_hub_that_restarts_finds_its_routes_and_has_nothing_to_do(new_proxy, sent):
    yield new_proxy().add_route(ANN, TARGET, DATA)
    restarted = new_proxy()
    assert (yield restarted.get_all_routes()) == as_added()
    before = [each for each in sent if each[0] not in ('watch', 'list')]
    yield restarted.add_route(ANN, TARGET, DATA)
    assert [each for each in sent if each[0] not in ('watch', 'list')] == before
    yield restarted.delete_route(ANN)


@pytest.mark.gen_test
def test_a_hub_with_other_settings_has_the_routes_of_the_last_one_changed(new_proxy, in_cluster):
    yield new_proxy().add_route(ANN, TARGET, DATA)
    changed = new_proxy(ingress_class_name='other', ingress_specifications=[{'host': 'new.example.org'}])
    assert (yield changed.get_all_routes())[ANN]['target'] == ''  # so JupyterHub adds it again
    yield changed.add_route(ANN, TARGET, DATA)
    assert [rule['host'] for rule in in_cluster.get('ingress', ANN)['spec']['rules']] == ['new.example.org']
    assert (yield changed.get_all_routes()) == as_added()
    yield changed.delete_route(ANN)


@pytest.mark.gen_test
def test_what_somebody_edits_is_as_before_once_the_route_is_added_again(new_proxy, in_cluster):
    proxy = new_proxy()
    yield proxy.add_route(ANN, TARGET, DATA)
    name = templates.name_of(ANN)
    for path, value in (('spec/rules/0/http/paths/0/path', '/elsewhere'), ('metadata/annotations', {})):
        before = proxy.ingress_reflector.get(name)
        in_cluster.patch('ingress', ANN, [{'op': 'add', 'path': '/' + path, 'value': value}])
        yield until_on_loop(lambda before=before: proxy.ingress_reflector.get(name) is not before)
        assert (yield proxy.get_all_routes())[ANN]['target'] == ''
        yield proxy.add_route(ANN, TARGET, DATA)
        assert (yield proxy.get_all_routes()) == as_added()
    yield proxy.delete_route(ANN)


@pytest.mark.gen_test
def test_an_object_that_the_api_changes_whenever_it_is_sent_is_not_sent_for_ever(new_proxy, monkeypatch):
    proxy = new_proxy(ingress_class_name='web')
    changes = routes.changes
    monkeypatch.setattr(routes, 'changes', lambda kind, existing, wanted: changes(kind, existing, dict(
        wanted, metadata=dict(wanted['metadata'], labels=dict(wanted['metadata']['labels'], refused='1')))))
    yield proxy.add_route(ANN, TARGET, DATA)
    assert (yield proxy.get_all_routes()) == as_added()
    yield proxy.delete_route(ANN)


@pytest.mark.gen_test
def test_a_route_can_change_its_target_and_the_kind_of_its_target(new_proxy, in_cluster):
    proxy = new_proxy()
    for target in (TARGET, 'http://10.1.2.4:9999', 'http://name:1', 'http://other:2', TARGET):
        yield proxy.add_route(ANN, target, DATA)
        assert (yield proxy.get_all_routes()) == as_added(target=target)
        assert (yield new_proxy().get_all_routes()) == as_added(target=target)
        assert [port['port'] for port in in_cluster.get('service', ANN)['spec']['ports']] == [
            int(target.split(':')[-1])]
    yield proxy.delete_route(ANN)


@pytest.mark.parametrize('kind', ['service', 'endpoints'])
@pytest.mark.gen_test
def test_what_somebody_deletes_behind_an_ingress_comes_back(new_proxy, in_cluster, kind):
    proxy = new_proxy()
    yield proxy.add_route(ANN, TARGET, DATA)
    uid = in_cluster.get(kind, ANN)['metadata']['uid']
    in_cluster.delete(kind, ANN)
    yield until_on_loop(lambda: (in_cluster.get(kind, ANN) or {}).get('metadata', {}).get('uid', uid) != uid)
    yield until_on_loop(lambda: in_cluster.get('endpoints', ANN))
    yield proxy.delete_route(ANN)


@pytest.mark.gen_test
def test_an_ingress_that_somebody_deletes_is_missing_from_the_routes_until_it_is_added_again(new_proxy, in_cluster):
    proxy = new_proxy()
    yield proxy.add_route(ANN, TARGET, DATA)
    in_cluster.delete('ingress', ANN)
    yield until_on_loop(lambda: proxy.ingress_reflector.get(templates.name_of(ANN)) is None)
    assert (yield proxy.get_all_routes())[ANN]['target'] == ''  # so JupyterHub adds it again, or cleans up
    yield proxy.add_route(ANN, TARGET, DATA)
    assert in_cluster.get('ingress', ANN)
    yield proxy.delete_route(ANN)


@pytest.mark.gen_test
def test_what_is_left_of_a_route_is_a_route_that_can_be_deleted(new_proxy, in_cluster):
    yield new_proxy().add_route(ANN, 'http://name', DATA)
    in_cluster.delete('ingress', ANN)
    proxy = new_proxy()
    assert list((yield proxy.get_all_routes())) == [ANN]
    yield proxy.delete_route(ANN)
    assert in_cluster.get('service', ANN) is None


@pytest.mark.gen_test
def test_hubs_that_share_a_namespace_leave_each_others_routes_alone(new_proxy, in_cluster):
    ours, theirs = new_proxy(), new_proxy(component_label='other')
    yield theirs.add_route('/', 'http://theirs:1', {'hub': True})
    before = in_cluster.uids()
    assert (yield ours.get_all_routes()) == {}
    with pytest.raises(RouteError, match='component is other'):
        yield ours.add_route('/', 'http://ours:1', {'hub': True})
    yield ours.delete_route('/')
    assert in_cluster.uids() == before
    assert (yield theirs.get_all_routes()) == as_added('/', 'http://theirs:1', {'hub': True})
    yield theirs.delete_route('/')


@pytest.mark.gen_test
def test_a_service_that_is_not_of_a_route_is_never_changed(new_proxy, in_cluster):
    name = templates.name_of(ANN)
    service = in_cluster.create('service', {'metadata': {'name': name}, 'spec': {'ports': [{'port': 1}]}})
    with pytest.raises(RouteError, match='kubectl .* delete service ' + name):
        yield new_proxy().add_route(ANN, TARGET, DATA)
    assert in_cluster.get('service', ANN)['spec'] == service['spec']
    in_cluster.delete('service', ANN)
    yield new_proxy().delete_route(ANN)


@pytest.mark.gen_test
def test_nasty_names_are_routes_of_their_own(new_proxy):
    names = ['bob%40example.org', 'bob@example.org', 'a%20b', 'a%2520b', 'J%C3%BCrgen', '%25', 'a.b~c', 'x' * 150, 'A',
             '-']
    proxy = new_proxy()
    yield [proxy.add_route('/user/%s/' % name, TARGET, {'user': name, 'server_name': 'n m'}) for name in names]
    found = yield new_proxy().get_all_routes()
    assert {routespec: route['data']['user'] for routespec, route in found.items()} == {
        '/user/%s/' % name: name for name in names}
    yield [proxy.delete_route(routespec) for routespec in found]
    assert (yield proxy.get_all_routes()) == {}


@pytest.mark.parametrize('routespec', ['/user/a%2Fb/', '/user/../', '/user//x/'])
@pytest.mark.gen_test
def test_a_path_that_could_be_taken_for_another_is_refused_by_kubernetes_and_leaves_nothing(new_proxy, routespec):
    proxy = new_proxy()
    with pytest.raises(RouteError, match='422'):
        yield proxy.add_route(routespec, 'http://name', {})
    yield proxy.delete_route(routespec)
    assert (yield proxy.get_all_routes()) == {}


@pytest.mark.gen_test
def test_a_route_with_a_host_has_a_rule_for_it(new_proxy, in_cluster):
    proxy = new_proxy(host_routing=True, ingress_specifications=[{'host': '{username}.other.org', 'tlsSecret': 's'}],
                      ingress_extra_annotations={'x/y': '{unescaped_username}'})
    routespec = 'ann.example.org/user/ann/'
    yield proxy.add_route(routespec, 'http://name', DATA)
    ingress = in_cluster.get('ingress', routespec)
    assert [rule['host'] for rule in ingress['spec']['rules']] == ['ann.other.org', 'ann.example.org']
    assert {rule['http']['paths'][0]['path'] for rule in ingress['spec']['rules']} == {'/user/ann/'}
    assert ingress['spec']['tls'] == [{'hosts': ['ann.other.org'], 'secretName': 's'}]
    assert ingress['metadata']['annotations']['x/y'] == 'ann'
    yield proxy.delete_route(routespec)
    with pytest.raises(ValueError):
        yield proxy.add_route(ANN, 'http://name', DATA)


@pytest.mark.gen_test
def test_many_changes_of_one_route_at_once_end_as_the_last_says(new_proxy):
    proxy = new_proxy()
    targets = ['http://10.0.0.%d:%d' % (number, number) for number in range(1, 9)]
    yield [proxy.add_route(ANN, target, DATA) for target in targets] + [proxy.delete_route(ANN)] + [
        proxy.add_route(ANN, TARGET, DATA)]
    assert (yield proxy.get_all_routes()) == as_added()
    yield proxy.delete_route(ANN)


@pytest.mark.gen_test
def test_a_route_that_waits_for_a_finalizer_does_not_hold_up_others(new_proxy, in_cluster):
    proxy = new_proxy(k8s_api_threadpool_workers=1)  # so that one route is changed at a time
    yield proxy.add_route(ANN, TARGET, DATA)
    in_cluster.patch('ingress', ANN, [{'op': 'add', 'path': '/metadata/finalizers', 'value': ['example.org/slow']}])
    yield until_on_loop(lambda: proxy.ingress_reflector.get(templates.name_of(ANN))['metadata'].get('finalizers'))
    yield proxy.delete_route(ANN)
    waiting = proxy.add_route(ANN, TARGET, DATA)
    yield proxy.add_route('/user/ben/', TARGET, {'user': 'ben'})
    assert not waiting.done()
    in_cluster.patch('ingress', ANN, [{'op': 'remove', 'path': '/metadata/finalizers'}])
    yield waiting
    for routespec in (ANN, '/user/ben/'):
        yield proxy.delete_route(routespec)


@pytest.mark.gen_test
def test_routes_that_need_nothing_do_not_stall_the_loop_however_many_they_are(new_proxy):
    proxy = new_proxy()
    yield proxy.add_route(ANN, TARGET, DATA)
    turns, added = [], [proxy.add_route(ANN, TARGET, DATA) for _ in range(100)]
    while not all(each.done() for each in added):
        turns.append(1)
        yield gen.moment
    assert len(turns) > len(added) / proxy.k8s_api_threadpool_workers
    yield proxy.delete_route(ANN)


@pytest.mark.gen_test
def test_the_permissions_of_the_documentation_are_those_that_are_used(new_proxy, sent, monkeypatch):
    proxy = new_proxy()
    yield proxy.add_route(ANN, TARGET, DATA)
    yield proxy.add_route(ANN, 'http://10.1.2.5:9999', DATA)
    # A name needs no endpoints: the proxy deletes them. With a whole route, a controller of the cluster may be faster.
    yield proxy.add_route(ANN, 'http://name:9999', DATA)
    for reflector in (proxy.ingress_reflector, proxy.service_reflector, proxy.endpoints_reflector):
        monkeypatch.setattr(reflector, 'is_stale', True)  # so that the API is asked
    yield proxy.delete_route(ANN)
    documented = {(verb, resource) for rule in rules_of_routes()
                  for resource in rule['resources'] for verb in rule['verbs']}
    yield until_on_loop(lambda: {each for each in sent if each[0] == 'watch'} == {each for each in documented
                                                                         if each[0] == 'watch'})
    assert set(sent) == documented


@pytest.mark.gen_test
def test_lost_answers_are_looked_up(new_proxy, cluster):
    if not cluster.is_localkube:
        pytest.skip('only localkube can be told to fail')
    proxy = new_proxy()
    yield proxy.get_all_routes()
    for method in ('POST', 'PATCH', 'DELETE'):
        cluster.kube.drop(method=method, after=True, times=2)
        cluster.kube.fail(method=method, status=503, times=2)
    yield proxy.add_route(ANN, TARGET, DATA)
    yield proxy.add_route(ANN, 'http://10.1.2.9:1', DATA)
    assert (yield proxy.get_all_routes()) == as_added(target='http://10.1.2.9:1')
    yield proxy.delete_route(ANN)
    assert (yield proxy.get_all_routes()) == {}
    cluster.kube.clear_faults()
