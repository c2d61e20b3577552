"""Names in Kubernetes: valid whatever users and servers are called, and never shared by two of them."""
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubespawner import naming
from kubespawner.utils import generate_hashed_slug

DNS_LABEL = re.compile(r'[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z')
LABEL_VALUE = re.compile(r'([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?\Z')
TEMPLATE = 'jupyter-{username}{servername}'

names = st.text(max_size=200) | st.text('ab-@40', max_size=80) | st.text('-0123456789abcdef', min_size=40, max_size=70)
pairs = st.tuples(names, names)


def pod_name(username, servername=''):
    return naming.object_name(naming.expand(TEMPLATE, naming.template_fields(username, 1, servername)))


@pytest.mark.parametrize('username, servername, expected', [
    ('alice', '', 'jupyter-alice'),
    ('alice', 'gpu', 'jupyter-alice--gpu'),
    ('a@b', '', 'jupyter-a-40b'),
    ('a', '40b', 'jupyter-a--40b'),
    ('Ålice', '', 'jupyter--c3-85lice'),
    ('a' * 55, '', 'jupyter-' + 'a' * 55),
])
def test_names_that_fit_are_left_alone(username, servername, expected):
    assert pod_name(username, servername) == expected


def test_an_over_long_name_is_cut_and_ends_in_a_hash():
    name = pod_name('a' * 56)
    assert re.match(r'jupyter-a{34}-[0-9a-f]{20}\Z', name)


@given(pairs)
def test_every_pair_of_user_and_server_gets_a_dns_label(pair):
    name = pod_name(*pair)
    assert len(name) <= 63
    assert DNS_LABEL.match(name)


@given(pairs, pairs)
def test_different_pairs_get_different_names(one, other):
    assert (pod_name(*one) == pod_name(*other)) == (one == other)


@given(names)
def test_nobody_can_be_called_like_a_cut_name(name):
    cut = pod_name(name + 'x' * 60)
    assert pod_name(cut[len('jupyter-'):]) != cut


def test_control_characters_do_not_run_into_what_follows():
    assert pod_name('\x01' + '0') != pod_name('\x10')


@given(names, names)
def test_label_values_are_valid_and_different_for_different_names(one, other):
    values = [naming.label_value(naming.escape(name)) for name in (one, other)]
    assert all(len(value) <= 63 and LABEL_VALUE.match(value) for value in values)
    assert (values[0] == values[1]) == (one == other)


def test_the_legacy_escape_is_lower_case_with_dashes():
    assert naming.legacy_escape('A.b@C9') == 'a-b-c9'


def test_expansion_reaches_every_string_in_lists_and_dicts_and_leaves_keys_and_other_values():
    fields = naming.template_fields('al.ice', 7, 'gpu')
    value = {'{username}': ['{username}', {'a': '{userid}/{servername}'}, 5, None, True], 'b': ('{{}}',)}
    assert naming.expand_all(value, lambda template: naming.expand(template, fields)) == {
        '{username}': ['al-2eice', {'a': '7/--gpu'}, 5, None, True], 'b': ['{}']}


@pytest.mark.parametrize('template', [
    '{nobody}', '{', '{}', '{username.foo}', '{username[a]}', '{username', '{username.__class__}', '{userid.real}',
    '{username:{userid.real}}', '{username[0].__class__}'])
def test_a_template_that_cannot_be_expanded_is_named_with_the_fields_there_are(template):
    with pytest.raises(ValueError) as e:
        naming.expand(template, naming.template_fields('a', 1, ''))
    assert repr(template) in str(e.value)
    assert '{legacy_escape_username}, {servername}, {userid}, {username}' in str(e.value)


@pytest.mark.parametrize('template, expected', [
    ('a.{userid}.b', 'a.7.b'), ('{{a.b}}', '{a.b}'), ('{userid:.1f}', '7.0'), ('{userid:05d}', '00007')])
def test_dots_outside_of_fields_are_left_alone(template, expected):
    assert naming.expand(template, naming.template_fields('a', 7, '')) == expected


def test_a_short_slug_is_left_alone():
    assert generate_hashed_slug('a' * 56) == 'a' * 56


def test_a_long_slug_is_cut_to_the_limit_and_ends_in_a_hash():
    assert re.match(r'a{56}-[0-9a-f]{6}\Z', generate_hashed_slug('a' * 57))
    assert len(generate_hashed_slug('a' * 57)) == 63
    assert len(generate_hashed_slug('b' * 50, limit=40, hash_length=10)) == 40


def test_long_slugs_that_differ_at_the_end_stay_different():
    assert generate_hashed_slug('a' * 80) != generate_hashed_slug('a' * 81)
