"""Two hubs with one database: one after the other with another configuration, and both at once for a moment."""
import json
import uuid

import pytest
from kubernetes import client
from tornado import gen

from kubespawner import KubeSpawner
from kubespawner.messages.errors import SpawnError

from .conftest import Objects, make_spawner

pytestmark = pytest.mark.usefixtures('node', 'kube', 'rights_everywhere')  # users have namespaces here

CLAIM = {'user_storage_pvc_ensure': True, 'user_storage_capacity': '1Gi'}


class Hub:
    """A hub of which only its spawners are there: what they share, they do not share with those of other hubs."""

    def __init__(self, **traits):
        self._class = type('Spawner', (KubeSpawner,), {'pod_reflector': None, 'event_reflector': None})
        self._traits = traits

    def spawner(self, state=None, servername='', username='ann', **traits):
        """Return the spawner of a server, with a state as the database gives it."""
        spawner = make_spawner(self._class, username, servername, **dict(self._traits, **traits))
        spawner.load_state(json.loads(json.dumps(state or {})))
        return spawner

    def end(self):
        if self._class.pod_reflector is not None:
            self._class.pod_reflector.stop()


@pytest.fixture
def new_hub():
    """`new_hub(**traits)` returns a `Hub`."""
    hubs = []

    def new(**traits):
        hubs.append(Hub(**traits))
        return hubs[-1]

    yield new
    for hub in hubs:
        hub.end()


@pytest.fixture
def other_namespaces(core):
    """The prefix of namespaces that are made in a test. They are gone some time after it."""
    prefix = 'two-hubs-' + uuid.uuid4().hex[:8]
    yield prefix
    for namespace in core.list_namespace().items:
        if namespace.metadata.name.startswith(prefix):
            core.delete_namespace(name=namespace.metadata.name, body=client.V1DeleteOptions(), _preload_content=False)


def there(spawner, core):
    return Objects(core, spawner.namespace)


# One after the other

CHANGES = {
    'another namespace': ({'namespace': '{}-1'}, {'namespace': '{}-2'}),
    'another template': ({'user_namespace_template': '{}-old-{{username}}'},
                         {'user_namespace_template': '{}-new-{{username}}'}),
    'namespaces of users from now on': ({'namespace': '{}-1'}, {'namespace': '{}-1', 'user_namespace_template':
                                                                '{}-new-{{username}}'}),
    'no namespaces of users from now on': ({'user_namespace_template': '{}-old-{{username}}'},
                                           {'namespace': '{}-1'}),
    'another template and namespace': (
        {'namespace': '{}-1', 'user_namespace_template': '{}-old-{{username}}'},
        {'namespace': '{}-2', 'user_namespace_template': '{}-new-{{username}}'}),
}


@pytest.fixture(params=sorted(CHANGES))
def changed_hubs(request, new_hub, other_namespaces, core):
    """Two hubs, of which the second has changed where servers are."""
    for number in '12':
        core.create_namespace(body={'metadata': {'name': '%s-%s' % (other_namespaces, number)}})
    hubs = []
    for traits in CHANGES[request.param]:
        traits = {name: value.format(other_namespaces) for name, value in traits.items()}
        hubs.append(new_hub(enable_user_namespaces='user_namespace_template' in traits, **traits))
    return hubs


@pytest.mark.parametrize('servername', ['', 'gpu'])
@pytest.mark.gen_test
def test_a_server_that_runs_is_found_and_stopped_where_it_was_started(servername, changed_hubs, core):
    before, after = changed_hubs
    old = before.spawner(servername=servername)
    yield old.start()
    was_in = there(old, core)
    before.end()
    new = after.spawner(old.get_state(), servername)
    assert new.namespace == old.namespace and (yield new.poll()) is None
    yield new.stop(now=True)
    assert was_in.pods() == []
    new.clear_state()
    yield new.start()
    assert new.namespace != old.namespace and (yield new.poll()) is None
    yield new.stop(now=True)


@pytest.mark.parametrize('servername', ['', 'gpu'])
@pytest.mark.gen_test
def test_a_server_that_has_stopped_stays_stopped_and_starts_where_the_new_hub_says(servername, changed_hubs, core):
    before, after = changed_hubs
    old = before.spawner(servername=servername)
    yield old.start()
    yield old.stop(now=True)
    old.clear_state()
    state = old.get_state()
    assert state['stopped'] is True and state['namespace'] == old.namespace
    before.end()
    new = after.spawner(state, servername)
    assert (yield new.poll()) == 1
    new.clear_state()
    yield new.start()
    assert new.namespace != old.namespace
    later = after.spawner(new.get_state(), servername)
    assert (yield later.poll()) is None
    yield later.stop(now=True)


@pytest.mark.parametrize('servername', ['', 'gpu'])
@pytest.mark.gen_test
def test_a_server_goes_on_with_the_claim_that_it_has_where_that_is(servername, changed_hubs, core):
    before, after = changed_hubs
    old = before.spawner(servername=servername, **CLAIM)
    yield old.start()
    yield old.stop(now=True)
    old.clear_state()
    before.end()
    new = after.spawner(old.get_state(), servername, **CLAIM)
    new.clear_state()
    yield new.start()
    assert (new.namespace, new.pvc_name) == (old.namespace, old.pvc_name)
    yield new.stop(now=True)


# Both at once, as in a rolling update: they have one database, and read a state when they start


@pytest.fixture
def hubs(new_hub, namespace):
    return new_hub(namespace=namespace), new_hub(namespace=namespace)


@pytest.fixture
def in_namespace(core, namespace):
    return Objects(core, namespace)


def uids(pods):
    return {pod['metadata']['uid'] for pod in pods.pods() if 'deletionTimestamp' not in pod['metadata']}


STATES = {'a stopped server': {'pod_name': 'jupyter-ann', 'stopped': True},
          'an older start': {'pod_name': 'jupyter-ann', 'stopped': True, 'spawn_id': 'older'},
          'an older pod': {'pod_name': 'jupyter-ann', 'pod_uid': 'older'}}


def shut_down(spawner):
    """Have a hub stop a server as it does at its end (`cleanup_servers`), or when the server seems to have gone."""
    @gen.coroutine
    def stop():
        if (yield spawner.poll()) is None:
            yield spawner.stop(now=True)
        spawner.clear_state()

    return stop()


@pytest.mark.parametrize('state', sorted(STATES))
@pytest.mark.gen_test
def test_a_hub_that_polls_and_ends_leaves_alone_what_another_one_starts(state, hubs, in_namespace):
    one, other = [hub.spawner(STATES[state]) for hub in hubs]
    one.clear_state()
    yield other.poll()
    start = one.start()
    yield in_namespace.until(lambda: in_namespace.pods() or start.done())
    yield other.poll()
    yield start
    pods = uids(in_namespace)
    yield other.poll()
    yield shut_down(other)
    assert uids(in_namespace) == pods and len(pods) == 1 and (yield one.poll()) is None
    yield one.stop(now=True)


@pytest.mark.parametrize('state', sorted(STATES))
@pytest.mark.gen_test
def test_a_hub_that_is_told_to_stop_a_server_leaves_alone_the_pod_of_another_hub(state, hubs, in_namespace):
    one, other = [hub.spawner(STATES[state]) for hub in hubs]
    one.clear_state()
    yield one.start()
    pods = uids(in_namespace)
    yield other.stop(now=True)
    assert uids(in_namespace) == pods and (yield one.poll()) is None
    yield one.stop(now=True)


@pytest.mark.gen_test
def test_a_start_that_is_given_up_deletes_nothing_of_the_hub_that_has_started_since(hubs, in_namespace):
    one, other = [hub.spawner() for hub in hubs]
    other.modify_pod_hook = lambda spawner, pod: gen.Future()  # the start of the old hub stands still
    given_up = other.start()
    yield gen.moment
    yield one.start()
    pods = uids(in_namespace)
    other.clear_state()
    yield other.poll()
    yield other.stop(now=True)
    assert uids(in_namespace) == pods and (yield one.poll()) is None
    yield one.stop(now=True)
    assert not given_up.done()


@pytest.mark.gen_test
def test_the_server_that_one_hub_stops_is_stopped_for_both(hubs, in_namespace):
    one = hubs[0].spawner()
    yield one.start()
    other = hubs[1].spawner(one.get_state())
    assert (yield other.poll()) is None
    yield one.stop(now=True)
    yield in_namespace.until(lambda: not other.pod_reflector.pods)
    assert (yield other.poll()) == 1
    one.clear_state()
    yield one.start()  # again
    pods = uids(in_namespace)
    yield shut_down(other)
    assert uids(in_namespace) == pods
    yield one.stop(now=True)


@pytest.mark.parametrize('state', sorted(STATES))
@pytest.mark.gen_test
def test_of_two_hubs_that_start_a_server_at_once_one_does_and_the_other_says_so(state, hubs, in_namespace):
    spawners = [hub.spawner(STATES[state]) for hub in hubs]
    for spawner in spawners:
        spawner.clear_state()
    failed = []
    for spawner, start in [(each, each.start()) for each in spawners]:
        try:
            yield start
        except SpawnError as e:
            assert 'is being started by another process of this hub' in str(e)
            failed.append(spawner)
    loser, = failed
    winner, = set(spawners) - set(failed)
    pods = uids(in_namespace)
    yield shut_down(loser)
    assert uids(in_namespace) == pods and len(pods) == 1 and (yield winner.poll()) is None
    yield winner.stop(now=True)
