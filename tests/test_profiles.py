"""Profiles as plain values: what may be configured, what the form gets, what arrives, and the settings that follow."""
import copy
import functools
import re
from collections import OrderedDict

import pytest

from kubespawner import profiles
from kubespawner.messages.errors import SpawnError

IMAGE = {
    'display_name': 'Image',
    'choices': OrderedDict([
        ('r', {'display_name': 'R', 'kubespawner_override': {'image': 'r:1'}}),
        ('py', {'display_name': 'Python', 'default': True, 'kubespawner_override': {'image': 'py:1'}}),
    ]),
    'unlisted_choice': {
        'enabled': True, 'display_name': 'Address of an image', 'validation_regex': 'example.org/[a-z]+',
        'validation_message': 'It begins with example.org.',
        'kubespawner_override': {'image': '{value}', 'environment': {'{value}': ['is {value}', '{value.__class__}']}}},
}
PLAIN = {'display_name': 'Small', 'description': 'For all', 'kubespawner_override': {'mem_limit': '1G'}}
LARGE = {'display_name': 'Gr\u00f6\u00dfe XL (GPU)', 'slug': 'large', 'default': True,
         'kubespawner_override': {'mem_limit': '8G'}, 'profile_options': {'image': IMAGE}}


@pytest.fixture
def offered():
    return profiles.checked([PLAIN, LARGE])


# What is configured

@pytest.mark.parametrize('name, slug', [
    ('Python 3.8 (GPU)', 'python-3-8-gpu'), ('Caf\u00e9', 'cafe'), ('x', 'x'), ('-- a --', 'a')])
def test_a_slug_is_made_of_the_name(name, slug):
    assert profiles.checked([{'display_name': name}])[0]['slug'] == slug


def test_names_without_latin_letters_have_slugs_that_differ():
    slugs = [profile['slug'] for profile in profiles.checked([{'display_name': '\u6570'}, {'display_name': '\u636e'}])]
    assert len(set(slugs)) == 2 and all(re.match('[a-z0-9-]+$', slug) for slug in slugs)


def test_of_a_dict_the_values_count_in_the_order_of_the_keys():
    listed = profiles.checked({'20': {'display_name': 'b'}, '10': {'display_name': 'a'}})
    assert [profile['slug'] for profile in listed] == ['a', 'b']


def test_exactly_one_is_the_default_of_profiles_and_of_choices(offered):
    assert [profile['default'] for profile in offered] == [False, True]
    assert [profile['default'] for profile in profiles.checked([PLAIN, {'slug': 'b'}])] == [True, False]
    choices = offered[1]['profile_options']['image']['choices']
    assert [key for key in choices if choices[key]['default']] == ['py']


def test_what_is_configured_is_not_changed():
    before = repr((PLAIN, LARGE))
    listed = profiles.checked([PLAIN, LARGE])
    profiles.for_form(listed, {'profile': 'small'})
    assert repr((PLAIN, LARGE)) == before


@pytest.mark.parametrize('where, misspelt, meant', [
    ({}, 'kubespawner_overide', 'kubespawner_override'), ({}, 'profile_option', 'profile_options'),
    ({}, 'defualt', 'default'), ({}, 'display_nam', 'display_name'),
    (('image',), 'choice', 'choices'), (('image', 'choices', 'py'), 'kubespawner_overrides', 'kubespawner_override'),
    (('image', 'unlisted_choice'), 'validation_regexp', 'validation_regex'),
    (('image', 'unlisted_choice'), 'enable', 'enabled'),
])
def test_a_misspelt_key_is_told_with_what_is_meant(where, misspelt, meant):
    wrong = copy.deepcopy(LARGE)
    there = wrong
    for key in ('profile_options',) * bool(where) + tuple(where):
        there = there[key]
    there[misspelt] = {}
    with pytest.raises(ValueError, match=r"has the key '%s'; did you mean '%s'\?" % (misspelt, meant)):
        profiles.checked([wrong])


def test_keys_that_are_like_none_of_ours_are_the_operators():
    kept, = profiles.checked([dict(PLAIN, icon='x.png')])
    assert kept['icon'] == 'x.png'


@pytest.mark.parametrize('wrong, told', [
    (7, 'not a list'),
    (['a'], "profile number 1: 'a' is not a dict"),
    ([{}], 'number 1 has no display_name'),
    ([{'display_name': 7}], 'display_name must be a string'),
    ([PLAIN, PLAIN], "the profiles \"Small\", \"Small\" all have the slug 'small'"),
    ([{'slug': 'a--b'}], "must not contain '--'"),
    ([{'slug': 'a', 'kubespawner_override': ['x']}], 'kubespawner_override must be a dict'),
    ([{'slug': 'a', 'profile_options': {'x': {}}}], "profile 'a': option 'x' has no choices"),
    ([{'slug': 'a', 'profile_options': {'x': {'choices': ['y']}}}], 'choices must be a dict'),
    ([{'slug': 'a', 'profile_options': {'x': {'choices': {'y': 'z'}}}}], "choice 'y': 'z' is not a dict"),
    ([{'slug': 'a', 'profile_options': {'x': {'choices': {'unlisted-choice': {}}}}}],
     "a choice must not have the name 'unlisted-choice'"),
    ([{'slug': 'a', 'profile_options': {'profile': {'choices': {'y': {}}}}}], "must not have the name 'profile'"),
    ([{'slug': 'a', 'profile_options': {'x': {'unlisted_choice': {'enabled': True, 'validation_regex': '('}}}}],
     'validation_regex is not a valid regular expression'),
])
def test_what_is_wrong_is_told_with_the_profile_that_it_is_in(wrong, told):
    with pytest.raises(ValueError) as e:
        profiles.checked(wrong)
    assert told in str(e.value)


def test_all_mistakes_of_a_list_are_told():
    with pytest.raises(profiles.Mistakes) as e:
        profiles.checked([
            7, {'descripton': 'x'}, {'slug': 5},
            {'slug': 'a--b', 'profile_options': {'x': {'choices': ['y']}, 'z': 3}},
            PLAIN,
            {'slug': 'c', 'profile_options': {'x': {'unlisted_choice': {'enabled': 1, 'validation_regex': '('}}}},
            PLAIN])
    told = profiles.mistakes(e.value)
    assert [each.split(':')[0] for each in told] == [
        'profile number 1', "profile number 2 has the key 'descripton'; did you mean 'description'?",
        'profile number 2 has no display_name.', 'profile number 3', "profile 'a--b'", "profile 'a--b'",
        "profile 'a--b'",
        "profile 'c'", 'the profiles "Small", "Small" all have the slug \'small\'; give each a `slug` of its own.']
    assert all(each in str(e.value) for each in told)


# What arrives

@pytest.mark.parametrize('sent, options', [
    ({'profile': ['small'], '_xsrf': ['x']}, {'profile': 'small'}),
    ({'profile': ['small'], 'profile-option-large--image': ['r']}, {'profile': 'small'}),
    ({'profile': ['large'], 'profile-option-large--image': ['r'],
      'profile-option-large--image--unlisted-choice': ['left over']}, {'profile': 'large', 'image': 'r'}),
    ({'profile': ['large'], 'profile-option-large--image': ['unlisted-choice'],
      'profile-option-large--image--unlisted-choice': ['v']},
     {'profile': 'large', 'image': 'unlisted-choice', 'image--unlisted-choice': 'v'}),
])
def test_a_form_gives_the_options_of_the_profile_that_was_chosen(sent, options):
    assert profiles.from_form(sent) == options


def test_blanks_around_a_value_are_no_part_of_it():
    name = 'profile-option-large--image--unlisted-choice'
    assert profiles.from_form({'profile': ['large'], name: [' example.org/a ']})['image--unlisted-choice'] == (
        'example.org/a')


@pytest.mark.parametrize('query, options', [
    ({'profile': ['large'], 'image': ['r']}, {'profile': 'large', 'image': 'r'}),
    ({'profile': ['large'], 'profile-option-large--image': ['r']}, {'profile': 'large', 'image': 'r'}),
    ({'utm': ['x']}, {'utm': 'x'}),
    ({'profile': ['large'], '_xsrf': ['x']}, {'profile': 'large'}),
    ({'profile': ['large'], 'image': ['r'], 'image--unlisted-choice': ['']}, {'profile': 'large', 'image': 'r'}),
])
def test_a_link_has_the_short_names_or_those_of_the_form(query, options):
    assert profiles.from_query(query) == options


OF_A_FORM = 'profile-option-large--image'


@pytest.mark.parametrize('query', [
    {'profile': ['large'], 'image--unlisted-choice': ['evil']},
    {'profile': ['large'], 'image': ['unlisted-choice'], 'image--unlisted-choice': ['evil']},
    {'profile': ['large'], 'image': ['r'], 'image--unlisted-choice': ['evil']},
    {'image--unlisted-choice': ['evil']},
    {'profile': ['Large'], 'image--unlisted-choice': ['evil']},
    {'profile': ['large'], 'image--unlisted-choice': ['', 'evil']},
    {'profile': ['large'], 'image--unlisted-choice': ['evil', 'evil']},
    {'profile': ['large'], ' image--Unlisted-Choice ': [' evil']},
    {'profile': ['large'], 'opt-image--unlisted-choice': ['evil']},
    {'profile': ['large'], 'image': [' Unlisted-Choice ']},
    {'profile': ['large'], OF_A_FORM: ['unlisted-choice'], OF_A_FORM + '--unlisted-choice': ['evil']},
    {'profile': ['large'], OF_A_FORM + '--unlisted-choice': ['evil']},
    {OF_A_FORM + '--unlisted-choice': ['evil']},
    {'profile': ['small'], OF_A_FORM + '--unlisted-choice': ['evil']},
    {'profile': ['large'], 'image--unlisted-choice': 'evil'},
    {'profile': ['large'], 'image--unlisted-choice': [7]},
])
def test_a_link_brings_no_value_that_is_not_listed(query):
    with pytest.raises(SpawnError, match='^A link cannot choose a value that is not listed'):
        profiles.from_query(query)


@pytest.mark.parametrize('query', [{}, {'_xsrf': ['x']}, {'image--unlisted-choice': ['']}])
def test_a_link_that_chooses_nothing_leads_to_the_form(query):
    with pytest.raises(SpawnError, match='Choose a profile'):
        profiles.from_query(query)


@pytest.mark.parametrize('sent', [{}, {'utm': ['x']}, {'profile': ['']}, {'profile': [' '], 'utm': ['x']}])
def test_a_form_that_chooses_nothing_chooses_the_default(offered, sent):
    options = profiles.from_form(sent)
    assert options == {} and profiles.chosen(offered, options)[0]['slug'] == 'large'


def test_the_options_of_a_form_without_a_profile_are_those_of_the_default():
    sent = {'profile': [''], 'profile-option-large--image': ['r'], 'profile-option-small--image': ['x']}
    assert profiles.from_form(sent, default='large') == {'image': 'r'}
    with pytest.raises(SpawnError, match='Choose a profile'):  # which profile that is may not be known yet
        profiles.from_form(sent)


@pytest.mark.parametrize('field, option', [
    ('profile-option-a-size', 'size'), ('profile-option-a--size', 'size'), ('profile-option-a-b-c', 'b-c'),
    ('profile-option-a-b--c', None), ('profile-option-b-size', None), ('profile-option-a', None)])
def test_a_form_of_2022_has_one_hyphen_after_the_profile(field, option):
    expected = {'profile': 'a', option: 'x'} if option else {'profile': 'a'}
    assert profiles.from_form({'profile': ['a'], field: ['x']}) == expected


def test_what_a_form_of_the_operators_sends_besides_is_kept_as_it_is():
    sent = {'profile': ['a'], 'course': ['x', 'y'], '_xsrf': ['z'], 'profile-option-b--size': ['l']}
    assert profiles.from_form(sent, with_more=True) == {'profile': 'a', 'course': ['x', 'y']}


@pytest.mark.parametrize('sent', [{'profile': ['a', 'b']}, {'profile': []}, {'profile': 'a'},
                                  {'profile': [7]},
                                  {'profile': ['a'], 'profile-option-a--x': [{}]}])
def test_a_form_of_another_shape_is_refused(sent):
    with pytest.raises(SpawnError):
        profiles.from_form(sent)


@pytest.mark.parametrize('options, slug, choices, values', [
    ({}, 'large', {'image': 'py'}, {}),
    ({'profile': 'small'}, 'small', {}, {}),
    ({'profile': 'Small'}, 'small', {}, {}),
    ({'profile': ''}, 'large', {'image': 'py'}, {}),
    ({'profile': None}, 'large', {'image': 'py'}, {}),
    ({'profile': '0'}, 'small', {}, {}),
    ({'profile': '1'}, 'large', {'image': 'py'}, {}),
    ({'display_name': 'Small', 'kubespawner_override': {'uid': 0}}, 'small', {}, {}),
    ({'profile': 'large', 'image': ''}, 'large', {'image': 'py'}, {}),
    ({'profile': 'large', 'image': '', 'image--unlisted-choice': ''}, 'large', {'image': 'py'}, {}),
    ({'profile': 'large', 'image': 'r'}, 'large', {'image': 'r'}, {}),
    ({'profile': 'large', 'image': 'R'}, 'large', {'image': 'r'}, {}),
    ({'profile': 'large', 'image': 'unlisted-choice', 'image--unlisted-choice': 'example.org/a'}, 'large',
     {'image': 'unlisted-choice'}, {'image': 'example.org/a'}),
    ({'profile': 'large', 'image--unlisted-choice': 'example.org/a'}, 'large',
     {'image': 'unlisted-choice'}, {'image': 'example.org/a'}),
])
def test_a_choice_is_found_and_what_is_not_said_is_the_default(offered, options, slug, choices, values):
    profile, *rest = profiles.chosen(offered, options)
    assert [profile['slug']] + rest == [slug, choices, values]


OWN = {'profile': 'large', 'image': 'unlisted-choice'}


@pytest.mark.parametrize('options, told', [
    ([], 'must be an object'),
    ({'profile': 'huge'}, 'There is no profile "huge".'),
    ({'profile': ['small']}, 'There is no profile'),
    ({'profile': {'a': 1}}, 'There is no profile'),
    ({'profile': 0}, 'There is no profile'),
    ({'profile': '2'}, 'There is no profile'),
    ({'profile': '-1'}, 'There is no profile'),
    ({'profile': '1\n'}, 'There is no profile'),
    ({'profile': '\u0661'}, 'There is no profile'),
    ({'profile': '9' * 5000}, 'There is no profile'),
    ({'profile': 'small', 'image': 'r'}, 'The profile "Small" has no option "image".'),
    ({'profile': 'large', 'image': 'perl'}, '"Image" of the profile'),
    ({'profile': 'large', 'image': ['r']}, '"Image" of the profile'),
    ({'profile': 'large', 'image': 7}, '"Image" of the profile'),
    (OWN, ': enter a value.'),
    ({'profile': functools.reduce(lambda inner, _: [inner], range(10 ** 5), 'x')}, 'There is no profile "[[['),
    ({'profile': 'x' * 10 ** 6}, 'There is no profile "xxx'),
    (dict(OWN, **{'image--unlisted-choice': ''}), 'enter a value'),
    (dict(OWN, **{'image--unlisted-choice': ['example.org/a']}), 'enter a value'),
    (dict(OWN, **{'image--unlisted-choice': 'example.org/a\n'}), 'in one line'),
    (dict(OWN, **{'image--unlisted-choice': 'x example.org/a'}), 'It begins with example.org.'),
    (dict(OWN, **{'image--unlisted-choice': 'example.org/a;rm'}), 'It begins with example.org.'),
    (dict(OWN, **{'image--unlisted-choice': 'example.org/a\ud800'}), 'in one line'),
    (dict(OWN, **{'image--unlisted-choice': 'example.org/' + 'a' * 1000}), 'at most 1000 characters'),
])
def test_what_cannot_be_had_is_told_in_one_line(offered, options, told):
    with pytest.raises(SpawnError) as e:
        profiles.chosen(offered, options)
    assert told in str(e.value) and '\n' not in str(e.value)


def test_further_keys_are_the_operators_if_the_form_is(offered):
    assert profiles.chosen(offered, {'profile': 'small', 'course': ['x']}, may_have_more=True)[0]['slug'] == 'small'


def test_a_value_of_ones_own_has_to_be_allowed():
    option = {'choices': {'a': {}}, 'unlisted_choice': {'enabled': False}}
    listed = profiles.checked([{'slug': 'x', 'profile_options': {'o': option}}])
    with pytest.raises(SpawnError):
        profiles.chosen(listed, {'o': 'unlisted-choice', 'o--unlisted-choice': 'b'})


# The form

def selected(shown):
    """Return what is selected in a form: the profile's slug, and the choices of its options."""
    profile, = [profile for profile in shown if profile['default']]
    return profile['slug'], {
        key: [name for name, choice in option['choices'].items() if choice['default']] or
        [option['unlisted_choice']['value']] for key, option in profile['profile_options'].items()}


@pytest.mark.parametrize('options, expected', [
    ({}, ('large', {'image': ['py']})),
    ({'profile': 'large', 'image': 'r'}, ('large', {'image': ['r']})),
    ({'profile': 'small'}, ('small', {})),
    (dict(OWN, **{'image--unlisted-choice': 'example.org/a'}), ('large', {'image': ['example.org/a']})),
])
def test_the_form_has_the_last_choice_selected(offered, options, expected):
    shown, note = profiles.for_form(offered, options)
    assert selected(shown) == expected
    assert note == ''


@pytest.mark.parametrize('options, expected', [
    ({'profile': 'gone'}, ('large', {'image': ['py']})),
    ({'profile': 'large', 'image': 'gone'}, ('large', {'image': ['py']})),
    (OWN, ('large', {'image': ['py']})),
    (dict(OWN, **{'image--unlisted-choice': 'not <it>'}), ('large', {'image': ['not <it>']})),
    (dict(OWN, **{'image--unlisted-choice': 'not\ud800\0 it'}), ('large', {'image': ['not it']})),
])
def test_a_last_choice_that_is_no_longer_there_is_told(offered, options, expected):
    shown, note = profiles.for_form(offered, options)
    assert selected(shown) == expected
    assert 'no longer' in note


def test_a_value_of_ones_own_is_not_shown_where_there_are_none_any_more(offered):
    offered[1]['profile_options']['image']['unlisted_choice']['enabled'] = False
    shown, note = profiles.for_form(offered, dict(OWN, **{'image--unlisted-choice': 'example.org/a'}))
    assert selected(shown) == ('large', {'image': ['py']})
    assert 'no longer' in note


def test_one_option_that_is_gone_leaves_the_others_as_they_were(offered):
    large = offered[1]['profile_options']
    large['size'] = dict(large['image'])
    shown, note = profiles.for_form(offered, {'profile': 'large', 'size': 'gone', 'image': 'r'})
    assert selected(shown) == ('large', {'image': ['r'], 'size': ['py']})
    assert note.count('cannot be') == 1


def test_an_option_that_nothing_was_said_of_is_no_complaint():
    option = {'unlisted_choice': {'enabled': True}}
    listed = profiles.checked([{'slug': 'x', 'profile_options': {'o': option}}])
    for options in ({}, {'profile': 'x'}, 'nonsense', None):
        assert profiles.for_form(listed, options)[1] == ''


# The settings that follow

def settings(offered, options, **more):
    return [each[1:3] for each in profiles.overrides(*profiles.chosen(offered, options), **more)]


def test_the_profile_counts_first_then_its_options(offered):
    assert settings(offered, {'image': 'r'}) == [('mem_limit', '8G'), ('image', 'r:1')]


def test_a_value_of_ones_own_is_put_in_as_it_is_and_nothing_of_it_is_read(offered):
    options = dict(OWN, **{'image--unlisted-choice': 'example.org/a'})
    assert settings(offered, options)[1:] == [
        ('image', 'example.org/a'),
        ('environment', {'{value}': ['is example.org/a', '{value.__class__}']})]


@pytest.mark.parametrize('own', ['{unescaped_username}', '$(TOKEN)'])
def test_a_value_with_fields_does_not_get_to_where_they_mean_something(own):
    option = {'unlisted_choice': {'enabled': True, 'kubespawner_override': {'working_dir': '/{value}'}}}
    listed = profiles.checked([{'slug': 'x', 'profile_options': {'dir': option}}])
    sent = {'dir--unlisted-choice': own}
    with pytest.raises(SpawnError, match='braces'):
        settings(listed, sent, templates={'working_dir'})
    assert settings(listed, sent) == [('working_dir', '/' + own)]


def filled(override, own, **more):
    """Return what a `kubespawner_override` comes to when a user writes `own`: a list of `Override`."""
    option = {'unlisted_choice': {'enabled': True, 'kubespawner_override': override}}
    listed = profiles.checked([{'slug': 'x', 'profile_options': {'o': option}}])
    return profiles.overrides(*profiles.chosen(listed, {'o--unlisted-choice': own}), **more)


@pytest.mark.parametrize('own', [
    '{value}', '{', '}}', '{0}', '{value!r}', '{value.__class__}', '{username}', '$(TOKEN)', '{value}{value}'])
@pytest.mark.parametrize('given, prefix', [('{value}', ''), ('a {value}', 'a ')])
def test_a_value_like_a_field_is_a_text_where_braces_mean_nothing_and_still_the_users(own, given, prefix):
    each, = filled({'image': [given, {'a': given}]}, own)
    assert each.value == [prefix + own, {'a': prefix + own}] and each.by_user == 'o'
    with pytest.raises(SpawnError, match='braces'):
        filled({'image': [given]}, own, templates={'image'})


@pytest.mark.parametrize('given, own', [('${value}', '(TOKEN)'), ('{value}(TOKEN)', '$'), ('{value}{value}', '(A)$')])
def test_a_value_makes_no_variable_of_what_is_around_it(given, own):
    with pytest.raises(SpawnError, match='braces'):
        filled({'args': [given]}, own, templates={'args'})


@pytest.mark.parametrize('given, result', [
    ('{username}-{value}', '{username}-own'), ('{{value}}', '{{value}}'), ('{{{value}}}', '{{own}}'),
    ('{"a": {value}}', '{"a": own}'), ('$({value})', '$(own)'),
])
def test_in_a_template_a_brace_is_doubled_as_everywhere(given, result):
    each, = filled({'environment': {'A': given}}, 'own', templates={'environment'})
    assert each.value == {'A': result}


def test_an_override_without_the_value_is_not_the_users():
    assert [each.by_user for each in filled({'image': 'x', 'args': ['{username}']}, '{value}')] == ['', '']


@pytest.mark.parametrize('value, override, result', [
    ({'a': 1, 'b': 2}, {'b': 3, 'c': 4}, {'a': 1, 'b': 3, 'c': 4}),
    ({'a': 1, 'b': 2}, {'b': None}, {'a': 1}),
    ({'a': {'x': 1, 'y': 2}}, {'a': {'y': None, 'z': 3}}, {'a': {'x': 1, 'z': 3}}),
    ({'a': [1]}, {'a': [2]}, {'a': [2]}),
    ([1], {'b': 2, 'a': 3, 'c': None}, [1, 3, 2]),
    ({'b': 1, 'a': 2}, [3], [2, 1, 3]),
    ([], {'a': 1}, {'a': 1}),
    ({}, [1], [1]),
    ([1], [2], [2]),
    ({'a': [1]}, {'a': {'x': 2}}, {'a': {'x': 2}}),
    ('a', None, None),
    (None, {'a': {'b': None}}, {'a': {}}),
])
def test_dicts_are_merged_or_added_to_lists_none_removes_and_everything_else_replaces(value, override, result):
    assert profiles.merged(value, override) == result


def test_nothing_is_shared_with_what_is_configured():
    value, override = {'a': [{}]}, {'b': [{}]}
    result = profiles.merged(value, override)
    result['a'].append(1)
    result['b'][0]['x'] = 1
    assert (value, override) == ({'a': [{}]}, {'b': [{}]})


def test_of_many_names_some_are_told():
    listed = profiles.checked([{'display_name': 'p%d' % number} for number in range(60)])
    with pytest.raises(SpawnError, match='"p0", .*"p9" and 50 more'):
        profiles.chosen(listed, {'profile': 'x'})


def test_a_key_counts_before_a_display_name():
    choices = OrderedDict([('2', {'display_name': '4'}), ('4', {'display_name': '2'})])
    listed = profiles.checked([{'slug': 'x', 'profile_options': {'cpus': {'choices': choices}}}])
    assert profiles.chosen(listed, {'cpus': '4'})[1] == {'cpus': '4'}


# What may not be meant as it is written

SETTINGS = {'image', 'lifecycle_hooks', 'mem_limit'}


def warnings(profile):
    return list(profiles.warnings([profile], SETTINGS.__contains__))


@pytest.mark.parametrize('where, key, value, told', [
    ({}, 'lifecycle_hooks', {},
     "XL (GPU)': 'lifecycle_hooks' has no effect there. It belongs in its kubespawner_override."),
    ({}, 'choices', {}, 'an option in the profile_options'),
    (('image',), 'image', 'x',
     "option 'image': 'image' has no effect there. It belongs in the kubespawner_override of its choices."),
    (('image',), 'kubespawner_override', {}, 'each of its choices'),
    (('image', 'choices', 'py'), 'mem_limit', '1G', "choice 'py': 'mem_limit' has no effect there"),
    (('image', 'choices', 'py'), 'profile_options', {},
     "'py': 'profile_options' has no effect there. It belongs in the profile, beside its kubespawner_override."),
    (('image', 'unlisted_choice'), 'image', '{value}', "unlisted_choice: 'image' has no effect there"),
])
def test_what_stands_in_the_wrong_place_is_told_with_the_right_one(where, key, value, told):
    wrong = copy.deepcopy(LARGE)
    there = wrong
    for part in ('profile_options',) * bool(where) + tuple(where):
        there = there[part]
    there[key] = value
    assert profiles.checked([wrong])
    sentence, = warnings(wrong)
    assert told in sentence


def test_there_is_no_warning_about_what_is_right_or_the_operators():
    assert warnings(LARGE) == warnings(dict(PLAIN, icon='x.png')) == []


@pytest.mark.parametrize('value, is_default', [
    ('True', True), ('yes', True), (1, True), ('False', False), (' no ', False), ('', False), (0, False)])
def test_a_flag_of_another_type_means_what_it_says_and_is_told(value, is_default):
    second = dict(LARGE, default=value)
    assert profiles.checked([PLAIN, second])[1]['default'] is is_default
    sentence, = warnings(second)
    assert 'default is %r, not True or False. It counts as %s.' % (value, is_default) in sentence


def test_a_name_that_is_almost_that_of_a_setting_is_told_from_another():
    assert profiles.meant('mem_limt', SETTINGS) == 'mem_limit'
    assert profiles.meant('course', SETTINGS) is None


def test_each_thing_that_a_note_of_the_form_says_ends_as_a_sentence_does():
    unlisted = {'enabled': True, 'validation_regex': '[a-z]+', 'validation_message': 'Use letters only'}
    offered = profiles.checked([{'display_name': 'A', 'profile_options': {
        name: {'unlisted_choice': unlisted} for name in ('one', 'two')}}])
    _, note = profiles.for_form(offered, {'one--unlisted-choice': '1', 'two--unlisted-choice': '2'})
    assert note.count('Use letters only.') == 2
