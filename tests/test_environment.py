"""The order in which Kubernetes can resolve environment variables."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubespawner.environment import as_literal, is_of_jupyterhub, references, resolvable
from kubespawner.localkube.environment import expand


def in_order(*variables):
    """Return 'name=value' for each variable, and the names of those that have no order."""
    order, cyclic = resolvable([tuple(variable.split('=', 1)) for variable in variables])
    return [variables[number] for number in order], cyclic


@pytest.mark.parametrize('value, names', [
    ('$(A)', {'A'}), ('x$(A)$(B)', {'A', 'B'}), ('$$(A)', set()), ('$$$(A)', {'A'}), ('$A ${A} $(A', set()),
    ('$(A)$$(B)', {'A'}), (None, set()), ('', set()), ('$()', set())])
def test_references_are_what_kubernetes_replaces(value, names):
    assert references(value) == names


@pytest.mark.parametrize('variables, expected', [
    (['A=1', 'C=2', 'B=3'], ['A=1', 'C=2', 'B=3']),
    (['A=$(B)', 'X=1', 'B=2', 'Y=3'], ['X=1', 'B=2', 'A=$(B)', 'Y=3']),
    (['A=$(B)', 'B=$(C)', 'C=1'], ['C=1', 'B=$(C)', 'A=$(B)']),
    (['B=1', 'A=$(B)'], ['B=1', 'A=$(B)']),
    (['A=$$(B)', 'B=1'], ['A=$$(B)', 'B=1']),
    (['A=$(NOT_HERE)', 'B=1'], ['A=$(NOT_HERE)', 'B=1']),
    (['PATH=$(PATH):/x', 'B=1'], ['PATH=$(PATH):/x', 'B=1']),
    (['A=$(B)', 'A=1', 'B=2'], ['B=2', 'A=$(B)', 'A=1']),
])
def test_a_variable_comes_after_those_it_refers_to_and_the_order_stays_apart_from_that(variables, expected):
    assert in_order(*variables) == (expected, [])


@pytest.mark.parametrize('variables, expected, cyclic', [
    (['A=$(B)', 'B=$(C)', 'C=$(A)', 'D=1'], ['A=$(B)', 'B=$(C)', 'C=$(A)', 'D=1'], ['A', 'B', 'C']),
    (['A=$(B)$(X)', 'B=$(A)', 'X=1'], ['X=1', 'A=$(B)$(X)', 'B=$(A)'], ['A', 'B']),
    (['D=$(B)', 'A=$(B)', 'B=$(A)'], ['A=$(B)', 'B=$(A)', 'D=$(B)'], ['A', 'B']),
])
def test_variables_in_a_circle_keep_their_order_and_are_named(variables, expected, cyclic):
    assert in_order(*variables) == (expected, cyclic)


@given(st.lists(st.tuples(st.sampled_from('ABCDEF'), st.lists(st.sampled_from('ABCDEF'), max_size=3)), max_size=8))
def test_every_variable_is_there_once_and_only_circles_leave_any_unresolved(drawn):
    variables = [(name, ''.join('$(%s)' % other for other in others)) for name, others in drawn]
    order, cyclic = resolvable(variables)
    assert sorted(order) == list(range(len(variables)))
    for place, number in enumerate(order):
        name, value = variables[number]
        later = {variables[other][0] for other in order[place + 1:]}
        assert not references(value) & later - {name} or name in cyclic


@pytest.mark.parametrize('name, value, arrives', [
    ('JUPYTERHUB_USER', 'a$$b $(HOST) http://$(HOST)', 'a$$b $(HOST) http://$(HOST)'),
    ('JUPYTERHUB_SERVICE_URL', 'http://$(HOST):8888/user/$(HOST)/', 'http://h:8888/user/$(HOST)/'),
    ('JUPYTERHUB_ACTIVITY_URL', '$(HOST)/hub/api/users/a$$b/activity', 'h/hub/api/users/a$$b/activity'),
    ('JUPYTERHUB_OAUTH_CALLBACK_URL', '/user/$(HOST)/oauth', '/user/$(HOST)/oauth'),
])
def test_names_in_jupyterhubs_variables_arrive_as_they_are_and_hosts_are_the_operators(name, value, arrives):
    assert is_of_jupyterhub(name)
    assert expand(as_literal(name, value, '$(HOST)/hub/api'), {'HOST': 'h'}) == arrives


@given(st.text(alphabet='$()Ab', max_size=12))
def test_every_name_arrives_as_it_is(name):
    assert expand(as_literal('JUPYTERHUB_USER', name, 'http://hub'), {'A': 'x', '': 'y', 'Ab': 'z'}) == name


@pytest.mark.parametrize('name', ['MY_JUPYTERHUB_USER', 'JUPYTERHUB_API_URL', 'JUPYTERHUB_ROOT_DIR', 'PATH'])
def test_variables_without_names_are_left_to_the_operator(name):
    assert not is_of_jupyterhub(name)


@pytest.mark.parametrize('value, arrives', [
    ('$$', '$'), ('$$(A)', '$(A)'), ('$(A)', 'x'), ('$(B)', '$(B)'), ('$(A$$B)', '$(A$$B)'), ('$($$', '$($'),
    ('$A', '$A'), ('A$', 'A$'), ('$$$(A)', '$x'), ('$()', '$()')])
def test_localkube_expands_as_a_kubelet_does(value, arrives):
    """`$$` is one `$` everywhere but in a reference, and what refers to nothing stays."""
    assert expand(value, {'A': 'x'}) == arrives
