"""Where servers are: that the hub's record follows their pods, and only theirs."""
import os

import pytest
import yaml
from jupyterhub import orm
from jupyterhub.objects import Server
from tornado import gen, web

from kubespawner import KubeSpawner
from kubespawner.commands.demo.network import any_free_port
from kubespawner.lifecycle import podstatus
from kubespawner.messages.errors import SpawnError
from kubespawner.parts.addresses import Address, record, recorded
from tests.support.scripted_pods import ScriptedPods

from .conftest import UNTOUCHED as FOR_NO_NODE
from .conftest import make_spawner

HERE, THERE = '10.9.0.1', '10.9.0.2'
UNTOUCHED = dict(FOR_NO_NODE, singleuser_image_spec='busybox')


@pytest.fixture
def pods(core, namespace):
    pods = ScriptedPods(core, namespace)
    yield pods
    pods.delete_all()


@pytest.fixture
def new_server(new_spawner):
    """`new_server(**traits)` returns a spawner for ann's server, of which JupyterHub has no address on record yet."""
    def new(**traits):
        spawner = new_spawner('ann', **dict(UNTOUCHED, **traits))
        spawner.server = Server(orm_server=orm.Server(proto='http', ip='', port=1, base_url='/', cookie_name=''))
        return spawner

    return new


@gen.coroutine
def started(spawner, pods, ip=HERE):
    """Start a server whose pod runs at once, and record its address as JupyterHub does."""
    start = spawner.start()
    yield pods.until(lambda: pods.pod(spawner.pod_name))
    pods.move(spawner.pod_name, ip)
    spawner.server.ip, spawner.server.port = yield start
    spawner.orm_spawner.state = spawner.get_state()
    return spawner


def successor(new_server, spawner, **traits):
    """Return the spawner of a new hub for the same server: what it knows is the state and JupyterHub's record."""
    new = new_server(**traits)
    new.load_state(spawner.orm_spawner.state)
    record(new.server, Address(spawner.server.proto, spawner.server.ip, spawner.server.port))
    return new


@pytest.mark.gen_test
def test_the_record_follows_a_pod_that_gets_another_address(new_server, pods):
    spawner = yield started(new_server(), pods)
    for ip in (THERE, HERE):
        pods.move(spawner.pod_name, ip)
        yield pods.until(lambda ip=ip: spawner.server.ip == ip)
        assert spawner.server.port == 8888
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_new_hub_corrects_a_record_that_became_wrong_meanwhile(new_server, pods):
    old = yield started(new_server(), pods)
    old.pod_reflector.stop()
    type(old).pod_reflector = None
    new = successor(new_server, old)
    old.clear_state()
    pods.move(new.pod_name, THERE)
    assert (yield new.poll()) is None
    assert recorded(new.server) == Address('http', THERE, 8888)
    assert (yield new.get_url()) == new.server.url
    yield new.stop(now=True)


@pytest.mark.gen_test
def test_a_new_hub_whose_port_is_another_one_keeps_that_of_the_pod(new_server, pods):
    old = yield started(new_server(), pods)
    new = successor(new_server, old, port=9999)
    assert (yield new.poll()) is None
    assert recorded(new.server) == Address('http', HERE, 8888)
    new.server.ip = ''  # as if its start had not been seen to the end
    new._confirmed = None
    yield new.poll()
    assert recorded(new.server) == Address('http', HERE, 8888)
    yield new.stop(now=True)


@pytest.mark.parametrize('traits', [
    {'pod_connect_ip': 'jupyter-{username}.example.org'}, {'port': 9999},
    {'get_pod_url': lambda spawner, pod: 'http://elsewhere:1'}], ids=['pod_connect_ip', 'port', 'get_pod_url'])
@pytest.mark.gen_test
def test_settings_that_were_changed_do_not_move_a_server_that_runs(new_server, pods, traits):
    old = yield started(new_server(), pods)
    new = successor(new_server, old, **traits)
    for _ in range(2):
        assert (yield new.poll()) is None
        assert (yield new.get_url()) == old.server.url
    yield new.stop(now=True)


@pytest.mark.gen_test
def test_a_server_is_followed_from_hub_to_hub(new_server, pods):
    spawner = yield started(new_server(), pods)
    for ip in (THERE, '10.9.0.3', HERE):
        reflector, name = spawner.pod_reflector, spawner.pod_name
        reflector.unsubscribe(spawner._pod_key, spawner._pod_moved)  # its hub is down
        pods.move(name, ip)
        yield pods.until(lambda known=reflector, name=name, ip=ip: known.get(name).status.pod_ip == ip)
        spawner = successor(new_server, spawner)
        assert (yield spawner.poll()) is None
        assert recorded(spawner.server) == Address('http', ip, 8888)
        assert spawner.orm_spawner.state['address'] == 'http://%s:8888' % ip
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_server_that_a_subclass_started_in_its_own_way_is_alive_as_long_as_its_pod(new_server, pods):
    prepared = yield started(new_server(), pods)
    taker = successor(new_server, prepared)
    taker.clear_state()
    assert (yield taker.poll()) is None
    yield taker.stop(now=True)
    assert (yield taker.poll()) == 1


@pytest.mark.gen_test
def test_an_address_that_a_subclass_returned_is_left_alone(new_server, pods):
    old = yield started(new_server(), pods)
    old.server.ip, old.server.port = '10.1.1.1', 1
    pods.move(old.pod_name, THERE)
    yield pods.until(lambda: old.pod_reflector.get(old.pod_name).status.pod_ip == THERE)
    for spawner in (old, successor(new_server, old)):
        assert (yield spawner.poll()) is None
        assert recorded(spawner.server) == Address('http', '10.1.1.1', 1)
    yield old.stop(now=True)


@pytest.mark.gen_test
def test_a_pod_of_another_uid_is_never_followed_nor_deleted(new_server, pods, core, namespace):
    spawner = yield started(new_server(), pods)
    ours = pods.pod(spawner.pod_name)
    pods.delete_all()
    forged = {'metadata': {key: ours['metadata'][key] for key in ('name', 'labels', 'annotations')},
              'spec': {'schedulerName': 'nobody', 'containers': [{'name': 'notebook', 'image': 'busybox'}]}}
    yield pods.until(lambda: not pods.pods())
    core.create_namespaced_pod(namespace=namespace, body=forged, _preload_content=False)
    pods.run(THERE)
    yield pods.until(lambda: (spawner.pod_reflector.get(spawner.pod_name) or ours)['status'].get('podIP') == THERE)
    for each in (spawner, successor(new_server, spawner)):
        assert (yield each.poll()) == 1
        yield each.stop(now=True)
        assert each.server.ip == HERE
    assert [pod['metadata'].get('deletionTimestamp') for pod in pods.pods()] == [None]


@pytest.mark.gen_test
def test_a_new_hub_waits_for_a_pod_that_still_starts(new_server, pods):
    old = new_server()
    start = old.start()
    yield pods.until(lambda: 'pod_uid' in (old.orm_spawner.state or {}))
    new = successor(new_server, old)
    assert (yield new.poll()) is None
    url = new.get_url()
    yield gen.moment
    assert not url.done()
    pods.run(HERE)
    assert (yield url) == new.server.url
    assert recorded(new.server) == Address('http', HERE, 8888)
    yield start
    yield new.stop(now=True)


@pytest.mark.gen_test
def test_a_new_hub_gives_up_on_a_pod_that_never_starts_and_deletes_it(new_server, pods, caplog):
    old = new_server()
    start = old.start()
    yield pods.until(lambda: 'pod_uid' in (old.orm_spawner.state or {}))
    new = successor(new_server, old)
    new.start_timeout = 1
    assert (yield new.poll()) is None
    yield new.get_url()
    assert 'which its hub did not see to the end' in caplog.text
    yield pods.until(lambda: not pods.pods())
    with pytest.raises(Exception, match='deleted'):
        yield start


@pytest.mark.parametrize('delete_stopped_pods', [True, False])
@pytest.mark.gen_test
def test_a_new_hub_keeps_a_pod_that_failed_meanwhile_if_it_is_to(new_server, pods, delete_stopped_pods):
    old = new_server()
    start = old.start()
    yield pods.until(lambda: 'pod_uid' in (old.orm_spawner.state or {}))
    pods.set_status(old.pod_name, containerStatuses=[{
        'name': 'notebook', 'image': 'x', 'imageID': '', 'ready': False, 'restartCount': 3,
        'state': {'waiting': {'reason': 'CrashLoopBackOff'}}}])
    new = successor(new_server, old, delete_stopped_pods=delete_stopped_pods, start_failure_grace=0)
    yield pods.until(lambda: new.pod_reflector.first_load_future.done() and podstatus.failures(
        new.pod_reflector.get(old.pod_name)))
    yield new.poll()
    yield new.get_url()
    if delete_stopped_pods:
        yield pods.until(lambda: not pods.pods())
    assert bool(pods.pods()) is not delete_stopped_pods
    yield old.stop(now=True)
    with pytest.raises(SpawnError, match='deleted|given up'):
        yield start


@pytest.mark.gen_test
def test_a_pod_whose_uid_the_hub_had_no_time_to_learn_is_known_by_the_mark_of_its_start(new_server, pods):
    old = new_server()
    start = old.start()
    yield pods.until(lambda: pods.pod(old.pod_name))
    mark = pods.pod(old.pod_name)['metadata']['annotations']['hub.jupyter.org/spawn-id']
    old.orm_spawner.state = {'pod_name': old.pod_name, 'stopped': True, 'spawn_id': mark}
    ours = successor(new_server, old)
    old.orm_spawner.state = {'pod_name': old.pod_name, 'stopped': True, 'spawn_id': 'another'}
    forged = successor(new_server, old)
    assert (yield [ours.poll(), forged.poll()]) == [None, 1]
    pods.run(HERE)
    yield start
    assert (yield ours.get_url()) == ours.server.url and recorded(ours.server) == Address('http', HERE, 8888)
    assert (yield forged.poll()) == 1 and recorded(forged.server) is None
    yield ours.stop(now=True)


@pytest.mark.gen_test
def test_a_url_of_a_hook_is_followed_too(new_server, pods):
    def url_of(spawner, pod):
        return 'https://%s.example.org:1234' % pod['status']['podIP'].replace('.', '-')

    spawner = new_server(get_pod_url=url_of)
    start = spawner.start()
    yield pods.until(lambda: pods.pod(spawner.pod_name))
    pods.move(spawner.pod_name, HERE)
    yield start
    spawner.server.proto, spawner.server.ip, spawner.server.port = 'https', '10-9-0-1.example.org', 1234
    pods.move(spawner.pod_name, THERE)
    yield pods.until(lambda: recorded(spawner.server) == Address('https', '10-9-0-2.example.org', 1234))
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_hook_that_fails_makes_no_running_server_a_dead_one(new_server, pods, caplog):
    old = yield started(new_server(), pods)

    def fails(spawner, pod):
        raise web.HTTPError(500, 'no DNS')

    new = successor(new_server, old, get_pod_url=fails)
    pods.move(new.pod_name, THERE)
    yield pods.until(lambda: new.pod_reflector.get(new.pod_name).status.pod_ip == THERE)
    assert (yield new.poll()) is None
    assert 'The address of the server in pod jupyter-ann is not known' in caplog.text
    yield new.stop(now=True)


# What cannot be known

@pytest.fixture
def unreachable(kube, namespace, monkeypatch):
    """A spawner whose hub has never reached the API server."""
    monkeypatch.setattr('kubespawner.parts.followed_pods.FIRST_LIST_SECONDS', 0.2)

    class Spawner(KubeSpawner):
        pod_reflector = None

    yield make_spawner(Spawner, 'ann', namespace=namespace, k8s_api_request_retry_timeout=1)
    Spawner.pod_reflector.stop()


@pytest.mark.gen_test
def test_poll_is_none_while_the_api_has_not_answered_yet_but_1_for_a_server_without_a_pod(kube, unreachable):
    kube.drop(times=10 ** 9)
    unreachable.load_state({'pod_name': 'jupyter-ann'})
    assert (yield unreachable.poll()) is None
    unreachable.clear_state()
    assert (yield unreachable.poll()) == 1


@pytest.fixture(params=['no kubeconfig', 'a port that is closed', 'a CA file that is none', 'the CA of somebody else'])
def bad_connection(request, cluster, use_kubeconfig, tmpdir):
    if request.param == 'no kubeconfig':
        use_kubeconfig(tmpdir.join('none'))
        return
    with open(os.environ['KUBECONFIG']) as f:
        kubeconfig = yaml.safe_load(f)
    used, = kubeconfig['clusters']
    if not used['cluster']['server'].startswith('https:') and 'CA' in request.param:
        pytest.skip('needs an API server with TLS')
    used['cluster'].pop('certificate-authority-data', None)
    if request.param == 'a port that is closed':
        used['cluster'].update(server='https://127.0.0.1:%d' % any_free_port())
        used['cluster'].pop('certificate-authority', None)
    elif request.param == 'a CA file that is none':
        used['cluster']['certificate-authority'] = str(tmpdir.join('ca').ensure())
        tmpdir.join('ca').write('no certificate')
    else:
        used['cluster'].pop('certificate-authority', None)
    path = tmpdir.join('kubeconfig')
    path.write(yaml.safe_dump(kubeconfig))
    use_kubeconfig(path)


@pytest.mark.gen_test
def test_after_a_start_whose_requests_never_got_through_poll_is_1_at_once(bad_connection, unreachable):
    with pytest.raises(Exception, match='Kubernetes'):
        yield unreachable.start()
    unreachable.clear_state()
    with pytest.raises(Exception, match='Kubernetes'):
        yield unreachable.start()
    poll = unreachable.poll()
    assert poll.done() and poll.result() == 1


@pytest.mark.gen_test
def test_after_a_start_whose_request_may_have_landed_poll_is_none(kube, unreachable):
    unreachable.clear_state()
    kube.drop(times=10 ** 9)
    with pytest.raises(Exception, match='Kubernetes'):
        yield unreachable.start()
    assert (yield unreachable.poll()) is None
