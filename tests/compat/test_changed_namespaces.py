"""Hubs whose users get namespaces of their own later, or other ones: in which namespace each server is."""
import pytest

from kubespawner import KubeSpawner
from tests.cluster.conftest import make_spawner

STARTED = {'pod_name': 'jupyter-ann', 'pod_uid': 'u'}
STOPPED = {'pod_name': 'jupyter-ann', 'stopped': True}
CLAIM = {'pvc_name': 'claim-ann'}
OLD = {'namespace': 'old-ann'}


@pytest.fixture
def new_spawner(monkeypatch):
    """`new_spawner(state, **traits)` returns a spawner of user `ann` as a hub has it that has just begun."""
    monkeypatch.setattr(KubeSpawner, 'pod_reflector', None)

    def new(state, **traits):
        traits = dict({'namespace': 'common', 'enable_user_namespaces': True,
                       'user_namespace_template': 'new-{username}'}, **traits)
        spawner = make_spawner(KubeSpawner, 'ann', '', **traits)
        spawner.load_state(state)
        return spawner

    return new


def namespaces(spawner):
    """Return the namespace in which the server is now, and that of its next start."""
    now = spawner.namespace
    spawner.clear_state()
    return now, spawner.namespace


@pytest.mark.parametrize('state, now, later', [
    ({}, 'new-ann', 'new-ann'),
    (STARTED, 'common', 'new-ann'),
    (STOPPED, 'common', 'new-ann'),
    (dict(STARTED, **CLAIM), 'common', 'common'),
    (dict(STOPPED, **CLAIM), 'common', 'common'),
])
def test_with_namespaces_of_users_turned_on_a_server_stays_where_its_remembered_claim_is(
        new_spawner, state, now, later):
    assert namespaces(new_spawner(state)) == (now, later)


@pytest.mark.parametrize('state, now, later', [
    (dict(STARTED, **OLD), 'old-ann', 'new-ann'),
    (dict(STARTED, **dict(OLD, **CLAIM)), 'old-ann', 'old-ann'),
    (dict(STOPPED, **dict(CLAIM, namespace='common')), 'common', 'common'),
])
def test_with_another_template_a_server_stays_where_its_remembered_claim_is(new_spawner, state, now, later):
    assert namespaces(new_spawner(state)) == (now, later)


@pytest.mark.parametrize('state', [dict(STARTED, **CLAIM), dict(STARTED, **dict(OLD, **CLAIM))])
def test_a_server_whose_claim_is_not_remembered_moves_with_its_next_start(new_spawner, state):
    spawner = new_spawner(state, remember_pvc_name=False)
    assert namespaces(spawner) == (state.get('namespace', 'common'), 'new-ann')


def test_a_server_that_stays_in_the_common_namespace_stays_when_that_changes(new_spawner):
    state = new_spawner(dict(STOPPED, **CLAIM)).get_state()
    assert namespaces(new_spawner(state, namespace='other')) == ('common', 'common')


@pytest.mark.parametrize('state, now, later', [
    (STARTED, 'old-ann', 'common'),
    (dict(STARTED, **CLAIM), 'old-ann', 'old-ann'),
])
def test_with_namespaces_of_users_turned_off_a_server_is_found_where_it_runs(new_spawner, state, now, later):
    spawner = new_spawner(dict(state, **OLD), enable_user_namespaces=False)
    assert namespaces(spawner) == (now, later)


def test_the_pod_of_an_interrupted_start_is_looked_for_under_its_own_name(new_spawner):
    spawner = new_spawner(dict(STOPPED, pod_name='of-a-profile', spawn_id='s'))
    assert spawner.pod_name == 'of-a-profile'
    spawner.clear_state()
    assert spawner.pod_name == new_spawner(STOPPED).pod_name == 'jupyter-ann'
