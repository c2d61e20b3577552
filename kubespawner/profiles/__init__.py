"""Profiles: what the operator offers, what a user chose, and the settings that result from the choice.

Everything about profiles that works on plain values belongs here: the configured list, the data of the form, and what
users send. Nothing here knows spawners, and there is no I/O. Any thread.

`options` is what a user chose, a dict: `profile` is the slug of a profile, and every other key is the name of one of
its options, with the key of a choice as its value. For a value that is not listed, the choice is UNLISTED, and the
value is under the name of the option followed by AS_UNLISTED. JupyterHub keeps this dict as `user_options`, and accepts
it in its REST API.
"""
import difflib
import re
import reprlib
import unicodedata
from collections import OrderedDict, namedtuple

from .. import naming
from ..messages.errors import SpawnError

UNLISTED = 'unlisted-choice'
AS_UNLISTED = '--' + UNLISTED

OF_A_FORM = 'profile-option-'  # before a profile's slug, `--` and an option's key

ALIKE = 0.8  # how similar to a known key an unknown one must be to be a misspelling; others are the operator's own

LONGEST = 1000  # characters of a value that is not listed, because a regular expression is matched on the loop

SHOWN, SHOWN_NAMES = 60, 10  # characters of a text, and names of a list, that an error quotes at most

_CONTROLS = re.compile('[\x00-\x1f\x7f\ud800-\udfff]')  # nobody types these

# Fields of templates, and variables of Kubernetes, which each container would replace with values of its own.
_FIELDS = re.compile(r'[{}]|\$\(')

VALUE = '{value}'  # stands for the value that a user entered
_VALUES = re.compile(r'\{\{|\}\}|\{value\}')  # in a template, in which literal braces are doubled

# The argument of links that belongs to JupyterHub: the address of a form that was rejected contains it.
OF_JUPYTERHUB = '_xsrf'

# The keys of the configured list, and the types of their values.
TEXT = str, 'a string'
FLAG = bool, 'True or False'
MAPPING = dict, 'a dict'
KEYS_OF_A_PROFILE = {'slug': TEXT, 'display_name': TEXT, 'description': TEXT, 'default': FLAG,
                     'kubespawner_override': MAPPING, 'profile_options': MAPPING}
KEYS_OF_AN_OPTION = {'display_name': TEXT, 'choices': MAPPING, 'unlisted_choice': MAPPING}
KEYS_OF_A_CHOICE = {'display_name': TEXT, 'default': FLAG, 'kubespawner_override': MAPPING}
KEYS_OF_AN_UNLISTED_CHOICE = {'enabled': FLAG, 'display_name': TEXT, 'display_name_in_choices': TEXT,
                              'validation_regex': TEXT, 'validation_message': TEXT, 'kubespawner_override': MAPPING}


# What the operator wrote

def checked(profile_list):
    """Return the profiles of a configured list or dict as new dicts with all keys filled in.

    Each has a slug, a display_name, a description, profile_options and a kubespawner_override. Exactly one of the
    profiles is the default, and exactly one of the choices of each option. Unknown keys are kept, for templates of the
    operator.

    Raises ValueError that names the profile.
    """
    if isinstance(profile_list, dict):
        profile_list = [profile for _, profile in sorted(profile_list.items())]
    if not isinstance(profile_list, (list, tuple)):
        raise ValueError('%.100r is not a list of profiles.' % (profile_list,))
    profiles = [_checked_profile(profile, number) for number, profile in enumerate(profile_list, 1)]
    slugs = [profile['slug'] for profile in profiles]
    for slug in slugs:
        if slugs.count(slug) > 1:
            raise ValueError('the profiles %s all have the slug %r; give each a `slug` of its own.' % (
                _in_words(profile['display_name'] for profile in profiles if profile['slug'] == slug), slug))
    _with_one_default(profiles)
    return profiles


def _checked_profile(profile, number):
    where = 'profile number %d' % number
    _check_keys(profile, KEYS_OF_A_PROFILE, where)
    if not profile.get('display_name') and not profile.get('slug'):
        raise ValueError('%s has no display_name.' % where)
    name = profile.get('display_name') or profile['slug']
    where = 'profile %r' % str(name)
    slug = profile.get('slug') or slug_of(name)
    if '--' in slug:
        raise ValueError("%s: the slug %r must not contain '--'." % (where, slug))
    options = OrderedDict((key, _checked_option(key, option, where))
                          for key, option in (profile.get('profile_options') or {}).items())
    if 'profile' in options:
        raise ValueError("%s: an option must not have the name 'profile'." % where)
    return dict(profile, slug=slug, display_name=name, description=profile.get('description') or '',
                default=bool(profile.get('default')), profile_options=options,
                kubespawner_override=profile.get('kubespawner_override') or {})


def _checked_option(key, option, where):
    where = '%s: option %r' % (where, key)
    _check_keys(option, KEYS_OF_AN_OPTION, where)
    choices = OrderedDict()
    for name, choice in (option.get('choices') or {}).items():
        _check_keys(choice, KEYS_OF_A_CHOICE, '%s: choice %r' % (where, name))
        if not isinstance(name, str) or name == UNLISTED:
            raise ValueError('%s: a choice must not have the name %r.' % (where, name))
        choices[name] = dict(choice, display_name=choice.get('display_name') or name,
                             default=bool(choice.get('default')),
                             kubespawner_override=choice.get('kubespawner_override') or {})
    _with_one_default(list(choices.values()))
    unlisted = option.get('unlisted_choice') or {}
    _check_keys(unlisted, KEYS_OF_AN_UNLISTED_CHOICE, where + ': unlisted_choice')
    try:
        re.compile(unlisted.get('validation_regex') or '')
    except re.error as e:
        raise ValueError('%s: validation_regex is not a valid regular expression: %s.' % (where, e))
    if not isinstance(key, str) or key.endswith(AS_UNLISTED):
        raise ValueError('%s: an option must not have this name.' % where)
    if not choices and not unlisted.get('enabled'):
        raise ValueError('%s has no choices.' % where)
    texts = {'display_name': 'Other', 'display_name_in_choices': 'Other\u2026', 'validation_message': ''}
    unlisted = dict(unlisted, enabled=bool(unlisted.get('enabled')),
                    **{text: unlisted.get(text) or default for text, default in texts.items()})
    return dict(option, display_name=option.get('display_name') or key, choices=choices, unlisted_choice=unlisted)


def _check_keys(value, keys, where):
    """Raise ValueError if `value` is not a dict, has a misspelt key, or a value of the wrong type for its key."""
    if not isinstance(value, dict):
        raise ValueError('%s: %.100r is not a dict.' % (where, value))
    for key in set(value) - set(keys):
        meant = difflib.get_close_matches(str(key), keys, 1, ALIKE)
        if meant:
            raise ValueError('%s has the key %r; did you mean %r?' % (where, key, meant[0]))
    for key, (kind, in_words) in keys.items():
        if value.get(key) is not None and not isinstance(value[key], kind):
            raise ValueError('%s: %s must be %s, not %.100r.' % (where, key, in_words, value[key]))


def _with_one_default(dicts):
    """Make exactly one of these dicts the default: the first that claims to be it, or else the first of all."""
    default = next((each for each in dicts if each['default']), dicts[0] if dicts else None)
    for each in dicts:
        each['default'] = each is default


def slug_of(display_name):
    """Return a slug for a profile without one: the letters and digits of its name, and `-` for everything else."""
    plain = unicodedata.normalize('NFKD', display_name).encode('ascii', 'ignore').decode('ascii').lower()
    return re.sub('[^a-z0-9]+', '-', plain).strip('-') or naming.safe_slug(display_name).replace('---', '-')


def is_a_choice(profiles):
    """True if users have anything to choose."""
    return len(profiles) > 1 or any(profile['profile_options'] for profile in profiles)


# What arrives

def from_form(form_data):
    """Return the options that a user chose in the form. They are not checked here. Raises SpawnError.

    form_data (dict of lists of strings): the fields of the form, as JupyterHub passes them on.
    """
    options = {'profile': _only(form_data.get('profile'))}
    prefix = '%s%s--' % (OF_A_FORM, options['profile'])
    for name, values in form_data.items():  # which contains the fields of the other profiles, too
        if name.startswith(prefix):
            options[name[len(prefix):]] = _only(values)
    for name in list(options):  # the field for a value that is not listed is sent with every choice
        if name.endswith(AS_UNLISTED) and options.get(name[:-len(AS_UNLISTED)], UNLISTED) != UNLISTED:
            del options[name]
    return options


def from_query(query):
    """Return the options that a link chooses. Raises SpawnError, also if it contains a value that is not listed.

    query (dict of lists of strings): the arguments of the link, named like the fields of the form or like the keys of
        `options`.
    """
    check_link(query)
    query = {name: values for name, values in query.items() if name != OF_JUPYTERHUB and not _is_for_unlisted(name)}
    if not query or any(name.startswith(OF_A_FORM) for name in query):
        return from_form(query)
    return {name: _only(values) for name, values in query.items()}


def check_link(query):
    """Raise SpawnError if a link contains a value that is not listed: somebody else may have written the link.

    query (dict of lists of strings): the arguments of the link. Empty fields are harmless.
    """
    for name, values in query.items():
        texts = [str(value).strip() for value in (values if isinstance(values, (list, tuple)) else [values])]
        if any(texts) and (_is_for_unlisted(name) or UNLISTED in map(str.lower, texts)):
            raise SpawnError('A link cannot choose a value that is not listed. Enter the value in the form instead.')


def _is_for_unlisted(name):
    return name.strip().lower().endswith(AS_UNLISTED)


def _only(values):
    if not isinstance(values, (list, tuple)) or len(values) != 1 or not isinstance(values[0], str):
        raise SpawnError('Choose a profile.')
    return values[0].strip()


def chosen(profiles, options, may_have_more=False):
    """Return (the chosen profile, the keys of its choices by option, the values that are not listed by option).

    Where `options` says nothing, the default is chosen.
    may_have_more (bool): whether `options` may contain keys that do not belong to an option.

    Raises SpawnError, which says in one sentence what is not available.
    """
    if not isinstance(options, dict):
        raise SpawnError('The choice of a profile must be an object with the key "profile".')
    profile = _profile(profiles, options)
    of_the_profile = profile['profile_options']
    more = set(options) - {'profile'} - set(of_the_profile) - {key + AS_UNLISTED for key in of_the_profile}
    if more and not may_have_more:
        raise SpawnError('The profile %s has no option %s.' % (
            _quoted(profile['display_name']), _quoted(sorted(more, key=str)[0])))
    choices, values = OrderedDict(), {}
    for key in of_the_profile:
        choices[key], value = _choice(profile, key, options)
        if value is not None:
            values[key] = value
    return profile, choices, values


def _profile(profiles, options):
    wanted = options.get('profile')
    if wanted is None:
        return next(profile for profile in profiles if profile['default'])
    found = _called(wanted, [(profile['slug'], profile['display_name'], profile) for profile in profiles])
    if found is not None:
        return found
    raise SpawnError('There is no profile %s. Choose one of these: %s.' % (
        _quoted(wanted), _in_words(profile['display_name'] for profile in profiles)))


def _called(wanted, offered):
    """Return what is offered under a name, or else under a display name; None if nothing matches.

    The first hubs with profiles kept display names. offered: a list of (name, display name, what is offered).
    """
    for name_or_display_name in (0, 1):
        for each in offered:
            if each[name_or_display_name] == wanted:
                return each[2]
    return None


def _choice(profile, key, options):
    """Return (the key of the choice of an option, the value if it is not listed or None)."""
    option, choice, value = profile['profile_options'][key], options.get(key), options.get(key + AS_UNLISTED)
    if choice is None:
        is_unlisted = value is not None or not option['choices']
        choice = UNLISTED if is_unlisted else _default(option['choices'])
    if choice == UNLISTED and option['unlisted_choice']['enabled']:
        return choice, _checked_value(option, value)
    found = _called(choice, [(name, each['display_name'], name) for name, each in option['choices'].items()])
    if found is not None:
        return found, None
    names = [_quoted(each['display_name']) for each in option['choices'].values()]
    raise SpawnError('%s of the profile %s cannot be %s. Choose one of these: %s.' % (
        _quoted(option['display_name']), _quoted(profile['display_name']), _quoted(choice),
        _listed(names + ['a value of your own'] * option['unlisted_choice']['enabled'])))


def _default(choices):
    return next(key for key in choices if choices[key]['default'])


def _checked_value(option, value):
    """Return a value that is not listed. Raises SpawnError if it is not allowed."""
    unlisted = option['unlisted_choice']
    name = _quoted((unlisted if option['choices'] else option)['display_name'])
    if not isinstance(value, str) or not value:
        raise SpawnError('%s: enter a value.' % name)
    if len(value) > LONGEST or _CONTROLS.search(value):
        raise SpawnError('%s: enter at most %d characters in one line.' % (name, LONGEST))
    if unlisted.get('validation_regex') and not re.fullmatch(unlisted['validation_regex'], value):
        raise SpawnError('%s cannot be %s. %s' % (name, _quoted(value), unlisted['validation_message'] or
                                                  'It must match %s.' % unlisted['validation_regex']))
    return value


def _quoted(value):
    text = value if isinstance(value, str) else reprlib.repr(value)  # which is short, however deep or long the value is
    return '"%s"' % (text if len(text) <= SHOWN else text[:SHOWN - 1] + '\u2026')


def _in_words(names):
    return _listed([_quoted(name) for name in names])


def _listed(texts):
    return ', '.join(texts[:SHOWN_NAMES]) + (' and %d more' % (len(texts) - SHOWN_NAMES)
                                             if len(texts) > SHOWN_NAMES else '')


# The form's data

def for_form(profiles, options):
    """Return (the profiles as the form shows them, a note if the last choice is no longer available or '').

    options (dict): the last choice; may be empty.

    In the result, `default` marks the profile and the choices to preselect. An `unlisted_choice` also has a `default`,
    and a `value`, which may be one that was rejected.
    """
    options = options if isinstance(options, dict) else {}
    selected, notes = None, []
    try:
        selected = _profile(profiles, options)
    except SpawnError as e:
        notes.append(e.message)
    shown = []
    for profile in profiles:
        said = options if profile is selected else {}
        of_the_form = OrderedDict(
            (key, _option_of_form(profile, key, said, notes)) for key in profile['profile_options'])
        is_selected = profile is selected if selected else profile['default']
        shown.append(dict(profile, default=is_selected, profile_options=of_the_form))
    return shown, ' '.join(['Your last choice is no longer available.'] + notes) if notes else ''


def _option_of_form(profile, key, options, notes):
    option, value = profile['profile_options'][key], None
    choice = _default(option['choices']) if option['choices'] else UNLISTED
    if key in options or key + AS_UNLISTED in options:
        try:
            choice, value = _choice(profile, key, options)
        except SpawnError as e:
            notes.append(e.message)
            choice, value = _to_be_mended(option, options.get(key, UNLISTED), options.get(key + AS_UNLISTED), choice)
    choices = OrderedDict((name, dict(each, default=name == choice)) for name, each in option['choices'].items())
    unlisted = dict(option['unlisted_choice'], default=choice == UNLISTED, value=value or '')
    return dict(option, choices=choices, unlisted_choice=unlisted)


def _to_be_mended(option, choice, value, default):
    """Return what the form shows of a rejected choice: the user's own value, to be corrected, or the default."""
    is_own = choice == UNLISTED and option['unlisted_choice']['enabled'] and isinstance(value, str)
    return (UNLISTED, _CONTROLS.sub('', value[:LONGEST])) if is_own else (default, None)


# The settings that follow

Override = namedtuple('Override', 'where setting value by_user')
Override.__doc__ += """: a setting for one server.

where (str): where it is configured.
setting (str): its name.
by_user (str): the display name of an option, if the value contains what the user entered there; otherwise empty.
"""


def overrides(profile, choices, values, templates=frozenset()):
    """Return the settings that a choice overrides: a list of `Override`, in the order in which they are applied.

    profile, choices, values: see `chosen`.
    templates (set of str): the settings, by any name, in which braces have a meaning.

    Raises SpawnError.
    """
    where = 'profile %r' % str(profile['display_name'])
    found = [Override(where, name, value, '') for name, value in profile['kubespawner_override'].items()]
    for key, choice in choices.items():
        option, there = profile['profile_options'][key], '%s: option %r' % (where, key)
        if choice != UNLISTED:
            given = option['choices'][choice]['kubespawner_override']
            found += [Override('%s: choice %r' % (there, choice), name, value, '') for name, value in given.items()]
            continue
        for name, value in (option['unlisted_choice'].get('kubespawner_override') or {}).items():
            filled = _filled(value, values[key], name in templates)
            harmless = _filled(value, 'x', name in templates)
            if name in templates and _marks(filled) != _marks(harmless):
                raise SpawnError('%s must not contain braces or "$(".' % _quoted(option['display_name']))
            found.append(Override('%s: unlisted_choice' % there, name, filled,
                                  str(option['display_name']) if harmless != value else ''))
    return found


def _filled(value, own, is_template):
    """Return `value` with `{value}` replaced by the user's text `own`, in which nothing is replaced again."""
    if not is_template:
        return naming.expand_all(value, lambda text: text.replace(VALUE, own))
    return naming.expand_all(value, lambda text: _VALUES.sub(
        lambda found: own if found.group() == VALUE else found.group(), text))


def _marks(value):
    """Return the braces and `$(` in the strings of a template, in a value of the same shape."""
    return naming.expand_all(value, lambda text: ' '.join(_FIELDS.findall(text)))


def with_numbers(value):
    """Return a copy of `value` in which all strings are converted to integers. Raises ValueError."""
    return naming.expand_all(value, int)


def settings_of(profiles):
    """Yield (where, setting) for every setting that any choice overrides."""
    for profile in profiles:
        where = 'profile %r' % str(profile['display_name'])
        for name in profile['kubespawner_override']:
            yield where, str(name)
        for key, option in profile['profile_options'].items():
            for choice in list(option['choices'].values()) + [option['unlisted_choice']]:
                for name in choice.get('kubespawner_override') or {}:
                    yield '%s: option %r' % (where, key), str(name)


def merged(value, override):
    """Return a copy of `override`, merged with `value` if it is a dict. None in a dict removes a key."""
    if isinstance(override, dict):
        under = value if isinstance(value, dict) else {}
        result = {key: copied(item) for key, item in under.items() if key not in override}
        result.update((key, merged(under.get(key), item)) for key, item in override.items() if item is not None)
        return result
    return copied(override)


def copied(value):
    """Return a value with new dicts and lists, so that no two spawners share one."""
    return naming.expand_all(value, str)
