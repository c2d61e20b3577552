"""Two hubs with one database: one after the other with another configuration, and both at once for a moment."""
import json
import uuid

import pytest
from kubernetes import client

from kubespawner import KubeSpawner

from .conftest import UNTOUCHED, Objects, make_spawner

pytestmark = pytest.mark.usefixtures('node', 'kube')  # hubs here have users with namespaces, so every permission

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
