"""Names in Kubernetes: valid whatever users and servers are called, and never shared by two of them."""
import re
import string

import escapism
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubespawner import naming
from kubespawner.utils import generate_hashed_slug

DNS_LABEL = re.compile(r'[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z')
LABEL_VALUE = re.compile(r'([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?\Z')
TEMPLATE = 'jupyter-{username}{servername}'

FIELDS = [
    'username', 'servername', 'user_server', 'userid', 'legacy_escape_username', 'unescaped_username',
    'unescaped_servername', 'escaped_username', 'escaped_servername', 'escaped_user_server', 'safe_username',
    'safe_servername', 'safe_user_server',
]

# Templates whose names tell servers apart, each with what the first of them is called for user ann and server gpu.
DISTINCT = {
    'jupyter-{username}{servername}': 'jupyter-ann--gpu',
    'jupyter-{username}--{servername}': 'jupyter-ann--gpu',
    '{user_server}': 'ann--gpu',
    'x-{user_server}-y': 'x-ann--gpu-y',
    'p-{userid}-{username}{servername}': 'p-1-ann--gpu',
    '{username}-{servername}': 'ann--gpu',
}

names = st.text(max_size=200) | st.text('ab-@40', max_size=80) | st.text('-0123456789abcdef', min_size=40, max_size=70)
pairs = st.tuples(names, names)


def pod_name(username, servername='', template=TEMPLATE, scheme='escape'):
    return naming.object_name(naming.expand(template, naming.template_fields(username, 1, servername, scheme)))


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


@pytest.mark.parametrize('scheme', ['escape', 'safe'])
@pytest.mark.parametrize('template', sorted(DISTINCT))
@given(pairs)
def test_every_pair_of_user_and_server_gets_a_dns_label(template, scheme, pair):
    name = pod_name(*pair, template=template, scheme=scheme)
    assert len(name) <= 63
    assert DNS_LABEL.match(name)


@pytest.mark.parametrize('scheme', ['escape', 'safe'])
@pytest.mark.parametrize('template', sorted(DISTINCT))
@given(pairs, pairs)
def test_different_pairs_get_different_names(template, scheme, one, other):
    called = [pod_name(*pair, template=template, scheme=scheme) for pair in (one, other)]
    assert (called[0] == called[1]) == (one == other)


@pytest.mark.parametrize('scheme', ['escape', 'safe'])
@pytest.mark.parametrize('template, expected', sorted(DISTINCT.items()))
def test_names_that_are_safe_look_the_same_by_either_scheme(template, expected, scheme):
    assert pod_name('ann', 'gpu', template, scheme) == expected


# What other spawners with that scheme call them.
@pytest.mark.parametrize('name, slug', [
    ('ann', 'ann'), ('a-b', 'a-b'), ('a' * 48, 'a' * 48), ('a' * 49, 'a' * 37 + '---8f9bec6a'),
    ('a--b', 'a-b---90827a2e'), ('-a', 'a---c2748917'), ('a-', 'a---9baf4407'), ('1a', 'x-1a---a73fcf33'),
    ('', 'x---e3b0c442'), ('Alice', 'alice---3bc51062'), ('a@b', 'a-b---7508d8b5'), ('a.b', 'a-b---2e7336dc'),
    ('\xc5lice', 'lice---e784c6b2'), ('@@', 'x---3330e5ba'), ('a-1---12345678', 'a-1-12345678---5d4f5fb0'),
    ('1' * 60, 'x-' + '1' * 35 + '---' + '70d36ded'), ('ab\n', 'ab---a63d8014'),
    ('12031012200323-021-031003203-120211232200--0000', 'x-12031012200323-021-031003203-120211---2bf2ca27'),
    ('031023333-1311111--3202031011020120-122001-02001-3212022-1320-311-0-1323---33321-21131320-',
     'x-031023333-1311111-3202031011020120----8b5da515'),
])
def test_a_safe_slug_is_the_name_if_that_is_safe_and_otherwise_ends_in_a_hash(name, slug):
    assert naming.safe_slug(name) == slug


@pytest.mark.parametrize('username, servername, slug', [
    ('ann', '', 'ann'), ('ann', 'gpu', 'ann--gpu'), ('ann', 'G', 'ann--g---333e0a1e'),
    ('Ann@b', '', 'ann-b---8e0b2618'), ('Ann@b', 'gpu', 'ann-b---8e0b2618--gpu'),
    ('a' * 46, '', 'a' * 46), ('a' * 47, '', 'a' * 17 + '--x---b191b19d'),
    ('a' * 45, 'b', 'a' * 45 + '--b'), ('a' * 46, 'b', 'a' * 17 + '--b---ab114dfb'),
    ('A' * 37, 'B' * 10, 'a' * 17 + '--bbbbbbbbbb---fbc9d4ba'), ('b', 'a' * 60, 'b--' + 'a' * 17 + '---883e4b5e'),
])
def test_a_safe_slug_of_user_and_server_is_both_of_them_or_has_one_hash_if_that_is_too_long(
        username, servername, slug):
    fields = naming.template_fields(username, 1, servername)
    assert naming.expand('{safe_user_server}', fields) == slug


@pytest.mark.parametrize('scheme, own', [('escape', 'escaped_%s'), ('safe', 'safe_%s')])
def test_fields_say_by_what_scheme_they_are_made_or_follow_the_configured_one(scheme, own):
    fields = naming.template_fields('Ann', 7, 'g.1', scheme)
    assert (fields['escaped_username'], fields['escaped_servername']) == ('-41nn', 'g-2e1')
    assert fields['escaped_user_server'] == '-41nn--g-2e1'
    assert (fields['unescaped_username'], fields['unescaped_servername']) == ('Ann', 'g.1')
    assert fields['username'] == fields[own % 'username']
    assert fields['servername'] == '--' + fields[own % 'servername']
    assert fields['user_server'] == fields[own % 'user_server']


@pytest.mark.parametrize('field', ['servername', 'escaped_servername', 'safe_servername', 'unescaped_servername'])
@pytest.mark.parametrize('scheme', ['escape', 'safe'])
def test_all_names_of_the_default_server_are_empty(scheme, field):
    assert naming.template_fields('ann', 7, '', scheme)[field] == ''


@given(names)
def test_only_the_fields_that_are_asked_for_are_made(name):
    fields = naming.template_fields(name, 7, '')
    assert naming.expand('{userid}', fields) == '7'
    assert set(fields) == {'userid'}


@pytest.mark.parametrize('text, expected', [
    ('{username}', 'ann'), ('{{{username}}} {userid}', '{ann} 7'), ('{username:>5}', '  ann'),
    ('{username!r}', "'ann'"),
    ('{{"of": "{username}"}}', '{"of": "ann"}'), ('{{username}}', '{username}'), ('{{}}', '{}'), ('a }} b', 'a } b'),
    ('{{"a": {{"b": 1}}}}', '{"a": {"b": 1}}'), ('find . -exec cp {{}} /srv \\;', 'find . -exec cp {} /srv \\;'),
    ('{{JUPYTER_IMAGE_SPEC}}', '{JUPYTER_IMAGE_SPEC}'), ('${{HOME}}', '${HOME}')])
def test_a_text_is_filled_if_all_single_braces_are_around_fields(text, expected):
    fields = naming.template_fields('ann', 7, '')
    assert naming.fill(text, lambda template: naming.expand(template, fields)) == expected


@pytest.mark.parametrize('text', [
    '', 'no braces', '{nobody}', '{username} {nobody}', '{', '}', '{}', '{"a": 1}', '${username}',
    'f() { echo $1; }', '{username} {"a": 1}', '{username.x}', '{username:{nobody}}', "awk '{ print $1 }'", '{0}',
    '{username:%d}', '{{}} ${HOME}', '{{}} {', '{{username}} {nobody}', 'for i in ${LIST}; do touch {username}; done'])
def test_a_text_with_anything_else_in_braces_stays_as_it_is(text):
    fields = naming.template_fields('ann', 7, '')
    assert naming.fill(text, lambda template: naming.expand(template, fields)) == text


@pytest.mark.parametrize('text, expected', [
    ('{{username}}', '{{username}}'), ('{{}}', '{{}}'), ('}}', '}}'), ('{{{username}}}', '{ann}')])
def test_doubled_braces_can_stay_where_there_is_no_field(text, expected):
    fields = naming.template_fields('ann', 7, '')
    assert naming.fill(text, lambda template: naming.expand(template, fields), needs_field=True) == expected


@pytest.mark.parametrize('name, label', [
    ('ann', 'ann'), ('A.Lee_x', 'A.Lee_x'), ('', ''), ('a@lee', 'a-lee---74670781'), ('9', '9'), ('x' * 63, 'x' * 63),
    ('a--b', 'a-b---90827a2e'), ('a-', 'a---9baf4407'),
    ('a@' + 'b' * 50, 'a-bbbbbbbbbbbbbbbbbbb---601a6b8f')])
def test_the_label_of_an_owner_is_by_the_safe_scheme_what_others_make(name, label):
    assert naming.owner_label(name, 'safe') == label


@given(names)
def test_the_label_of_an_owner_is_a_label_value_by_every_scheme(name):
    for scheme in naming.SLUG_SCHEMES:
        label = naming.owner_label(name, scheme)
        assert len(label) <= 63 and LABEL_VALUE.match(label)


def test_what_goes_wrong_with_a_field_is_told_in_its_own_words():
    def broken(asker):
        raise ValueError('%s is broken' % asker)

    fields = naming.template_fields('ann', 7, '', others={'it': broken}, asker='all')
    for expand in (naming.expand, lambda template, fields: naming.fill(template, lambda t: naming.expand(t, fields))):
        with pytest.raises(ValueError) as e:
            expand('{it}', fields)
        assert str(e.value) == 'all is broken'


@given(names)
def test_nobody_can_be_called_like_a_cut_name(name):
    cut = pod_name(name + 'x' * 60)
    assert pod_name(cut[len('jupyter-'):]) != cut


def test_control_characters_do_not_run_into_what_follows():
    assert pod_name('\x01' + '0') != pod_name('\x10')


@pytest.mark.parametrize('field', ['username', 'user_server', 'escaped_username', 'escaped_user_server'])
@given(st.text('\x00\x01\x0f\x100f-', max_size=6), st.text('\x00\x01\x0f\x100f-', max_size=6))
def test_names_with_control_characters_are_escaped_to_different_names_in_every_field(field, one, other):
    escaped = [naming.template_fields(name, 1, '')[field] for name in (one, other)]
    assert (escaped[0] == escaped[1]) == (one == other)


@given(st.text(st.characters(min_codepoint=0x10, blacklist_categories=['Cs']), max_size=200))
def test_every_escaped_field_is_what_configuration_files_make_with_escapism(name):
    safe = set(string.ascii_lowercase + string.digits)
    escaped = escapism.escape(name, safe=safe, escape_char='-').lower()
    fields = naming.template_fields(name, 1, name)
    for field in ['escaped_username', 'escaped_servername', 'username']:
        assert fields[field] == escaped
    assert fields['servername'] == ('--' + escaped if name else '')
    assert fields['user_server'] == fields['escaped_user_server'] == escaped + fields['servername']


def test_surrogates_are_escaped_though_escapism_refuses_them():
    with pytest.raises(UnicodeEncodeError):
        escapism.escape('\ud800')
    assert naming.escape('a\ud800-\udfffb') == 'a-ed-a0-80-2d-ed-bf-bfb'


@given(names, names)
def test_label_values_are_valid_and_different_for_different_names(one, other):
    values = [naming.label_value(naming.escape(name)) for name in (one, other)]
    assert all(len(value) <= 63 and LABEL_VALUE.match(value) for value in values)
    assert (values[0] == values[1]) == (one == other)


def test_the_legacy_escape_is_lower_case_with_dashes():
    assert naming.legacy_escape('A.b@C9') == 'a-b-c9'


@pytest.mark.parametrize('template, of_default, of_gpu', [
    ('{servername}', '', 'gpu'),
    ('home/{servername}', 'home/', 'home/gpu'),
    ('{servername}/data', '/data', 'gpu/data'),
    ('x-{servername}', 'x', 'x--gpu'),
    ('x--{servername}-y', 'x-y', 'x--gpu-y'),
    ('{username}{servername}', 'ann', 'ann--gpu'),
    ('{username}-{servername}', 'ann', 'ann--gpu'),
    ('home/{username}-{servername}', 'home/ann', 'home/ann--gpu'),
    ('of {servername}', 'of ', 'of --gpu'),
    ('{{servername}}', '{servername}', '{servername}'),
])
def test_the_name_of_a_server_is_separated_from_what_comes_before_it_and_from_nothing_else(
        template, of_default, of_gpu):
    for name, expected in ('', of_default), ('gpu', of_gpu):
        assert naming.expand(template, naming.template_fields('ann', 1, name)) == expected


def test_expansion_reaches_every_string_in_lists_and_dicts_and_leaves_keys_and_other_values():
    fields = naming.template_fields('al.ice', 7, 'gpu')
    value = {'{username}': ['{username}', {'a': '{userid}/{servername}'}, 5, None, True], 'b': ('{{}}',)}
    assert naming.expand_all(value, lambda template: naming.expand(template, fields)) == {
        '{username}': ['al-2eice', {'a': '7/gpu'}, 5, None, True], 'b': ['{}']}


@pytest.mark.parametrize('template', [
    '{nobody}', '{', '{}', '{username.foo}', '{username[a]}', '{username', '{username.__class__}', '{userid.real}',
    '{username:{userid.real}}', '{username[0].__class__}'])
def test_a_template_that_cannot_be_expanded_is_named_with_the_fields_there_are(template):
    with pytest.raises(ValueError) as e:
        naming.expand(template, naming.template_fields('a', 1, ''))
    assert repr(template) in str(e.value)
    for field in FIELDS:
        assert '{%s}' % field in str(e.value)


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
