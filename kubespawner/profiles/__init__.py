"""Profiles: what the operator offers, what a user chose, and the settings that result from the choice.

Everything about profiles that works on plain values belongs here: what users send, the data of the form, and the
settings that follow. The configured list is in `offered`. Nothing here knows spawners, and there is no I/O. Any thread.

`options` is what a user chose, a dict: `profile` is the slug of a profile, and every other key is the name of one of
its options, with the key of a choice as its value. For a value that is not listed, the choice is UNLISTED, and the
value is under the name of the option followed by AS_UNLISTED. JupyterHub keeps this dict as `user_options`, and accepts
it in its REST API.
"""
import re
from collections import OrderedDict, namedtuple

from .. import naming
from ..messages.errors import SpawnError, ended
from .matching import matches
from .offered import Mistakes, another_slug, checked, default_slug, is_a_choice, mistakes, settings_of, values_of
from .warnings import warnings
from .words import AS_UNLISTED, UNLISTED, VALUE, in_words, listed, meant, quoted

__all__ = [
    'AS_UNLISTED', 'UNLISTED', 'Mistakes', 'Override', 'another_slug', 'check_link', 'checked', 'chosen',
    'copied', 'default_slug', 'for_form', 'from_form', 'from_query', 'further_keys', 'in_words', 'is_a_choice',
    'is_of_profiles', 'meant', 'merged', 'mistakes', 'overrides', 'settings_of', 'unwrapped', 'values_of',
    'warnings', 'with_numbers']

OF_A_FORM = 'profile-option-'  # before a profile's slug, `--` and an option's key

LONGEST = 1000  # characters of a value that is not listed

_CONTROLS = re.compile('[\x00-\x1f\x7f\ud800-\udfff]')  # nobody types these

_INDEX = re.compile(r'[0-9]{1,6}\Z')  # by which the first forms named a profile, counted from 0

# Fields of templates, and variables of Kubernetes, which each container would replace with values of its own.
_FIELDS = re.compile(r'[{}]|\$\(')

_VALUES = re.compile(r'\{\{|\}\}|\{value\}')  # in a template, in which literal braces are doubled

# The argument of links that belongs to JupyterHub: the address of a form that was rejected contains it.
OF_JUPYTERHUB = '_xsrf'


# What arrives

def from_form(form_data, default=None, with_more=False):
    """Return the options that a user chose in the form. They are not checked here. Raises SpawnError.

    form_data (dict of lists of strings): the fields of the form, as JupyterHub passes them on.
    default (str or None): the slug of the profile whose options are read if the form chooses none; None: not known.
    with_more (bool): whether fields that are none of ours are kept, as they are.
    """
    wanted = _only(form_data['profile']) if 'profile' in form_data else ''
    options = {'profile': wanted} if wanted else {}
    if not wanted and default is None and any(name.startswith(OF_A_FORM) for name in form_data):
        raise SpawnError('Choose a profile.')
    for name, values in form_data.items():  # which contains the fields of the other profiles, too
        option = _option_of_field(name, wanted or default)
        if option:
            options[option] = _only(values)
        elif with_more and not name.startswith(OF_A_FORM) and name not in ('profile', OF_JUPYTERHUB):
            options.setdefault(name, values)
    for name in list(options):  # the field for a value that is not listed is sent with every choice
        if name.endswith(AS_UNLISTED) and options.get(name[:-len(AS_UNLISTED)], UNLISTED) != UNLISTED:
            del options[name]
    return options


def _option_of_field(name, slug):
    """Return the option of a field in the form; empty if it is not an option of this profile.

    Forms for the first hubs with options have a single `-` after the slug.
    """
    prefix = '%s%s-' % (OF_A_FORM, slug)
    if not name.startswith(prefix):
        return ''
    option = name[len(prefix):]
    return option[1:] if option.startswith('-') else option if '--' not in option else ''


def is_of_profiles(form_data):
    """Return whether an operator's own form has a field that chooses a profile, or one of its options."""
    return len(form_data.get('profile', ())) == 1 or any(name.startswith(OF_A_FORM) for name in form_data)


def unwrapped(profiles, options):
    """Return the `options` of a form whose fields have the names of options, with single texts in place of lists."""
    if not profiles:
        return options
    try:
        known = _profile(profiles, options)['profile_options']
    except SpawnError:  # is raised again when it is checked
        return options
    keys = set(known) | {key + AS_UNLISTED for key in known}
    return {key: _only(value) if key in keys and isinstance(value, list) else value for key, value in options.items()}


def from_query(query):
    """Return the options that a link chooses. Raises SpawnError, also if it contains a value that is not listed.

    query (dict of lists of strings): the arguments of the link, named like the fields of the form or like the keys of
        `options`.
    """
    check_link(query)
    query = {name: values for name, values in query.items() if name != OF_JUPYTERHUB and not _is_for_unlisted(name)}
    if not query:
        raise SpawnError('Choose a profile.')
    if any(name.startswith(OF_A_FORM) for name in query):
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

    The default is chosen for what is missing in `options`, or empty.
    may_have_more (bool): whether `options` may contain keys that do not belong to an option.

    Raises SpawnError, which says in one sentence what is not available.
    """
    if not isinstance(options, dict):
        raise SpawnError('The choice of a profile must be an object with the key "profile".')
    options = _named(options)
    profile = _profile(profiles, options)
    more = further_keys(profile, options)
    if more and not may_have_more:
        raise SpawnError('The profile %s has no option %s.' % (quoted(profile['display_name']), quoted(more[0])))
    choices, values = OrderedDict(), {}
    for key in profile['profile_options']:
        choices[key], value = _choice(profile, key, options)
        if value is not None:
            values[key] = value
    return profile, choices, values


def further_keys(profile, options):
    """Return the keys of `options` that do not belong to an option of a profile."""
    known = set(profile['profile_options'])
    return sorted(set(_named(options)) - {'profile'} - known - {key + AS_UNLISTED for key in known}, key=str)


def _named(options):
    """Return `options` with the name of the profile; the first hubs stored the whole profile as the choice."""
    if 'profile' not in options and {'display_name', 'kubespawner_override'} <= set(options):
        return {'profile': options['display_name']}
    return options


def _profile(profiles, options):
    wanted = options.get('profile')
    if wanted is None or wanted == '':
        return next(profile for profile in profiles if profile['default'])
    found = _called(wanted, [(profile['slug'], profile['display_name'], profile) for profile in profiles])
    if found is not None:
        return found
    if isinstance(wanted, str) and _INDEX.match(wanted) and int(wanted) < len(profiles):
        return profiles[int(wanted)]
    raise SpawnError('There is no profile %s. Choose one of these: %s.' % (
        quoted(wanted), in_words(profile['display_name'] for profile in profiles)))


def _called(wanted, offered):
    """Return the offered object with a name, or else with a display name; None if none matches.

    The first hubs with profiles stored display names. offered: a list of (name, display name, object).
    """
    for name_or_display_name in (0, 1):
        for each in offered:
            if each[name_or_display_name] == wanted:
                return each[2]
    return None


def _choice(profile, key, options):
    """Return (the key of the choice of an option, the value if it is not listed or None)."""
    option, choice, value = profile['profile_options'][key], options.get(key), options.get(key + AS_UNLISTED)
    if choice is None or choice == '' and '' not in option['choices']:
        is_unlisted = value is not None and value != '' or not option['choices']
        choice = UNLISTED if is_unlisted else _default(option['choices'])
    if choice == UNLISTED and option['unlisted_choice']['enabled']:
        return choice, _checked_value(option, value)
    found = _called(choice, [(name, each['display_name'], name) for name, each in option['choices'].items()])
    if found is not None:
        return found, None
    names = [quoted(each['display_name']) for each in option['choices'].values()]
    raise SpawnError('%s of the profile %s cannot be %s. Choose one of these: %s.' % (
        quoted(option['display_name']), quoted(profile['display_name']), quoted(choice),
        listed(names + ['a value of your own'] * option['unlisted_choice']['enabled'])))


def _default(choices):
    return next(key for key in choices if choices[key]['default'])


def _checked_value(option, value):
    """Return a value that is not listed. Raises SpawnError if it is not allowed."""
    unlisted = option['unlisted_choice']
    name = quoted((unlisted if option['choices'] else option)['display_name'])
    if not isinstance(value, str) or not value:
        raise SpawnError('%s: enter a value.' % name)
    if len(value) > LONGEST or _CONTROLS.search(value):
        raise SpawnError('%s: enter at most %d characters in one line.' % (name, LONGEST))
    is_valid = not unlisted.get('validation_regex') or matches(unlisted['validation_regex'], value)
    if is_valid is None:
        raise SpawnError('%s cannot be %s: the hub takes too long to check that. Enter a shorter value.' % (
            name, quoted(value)))
    if not is_valid:
        raise SpawnError('%s cannot be %s. %s' % (name, quoted(value), unlisted['validation_message'] or
                                                  'It must match %s.' % unlisted['validation_regex']))
    return value


# The form's data

def for_form(profiles, options):
    """Return (the profiles as the form shows them, a note if the last choice is no longer available or '').

    options (dict): the last choice; may be empty.

    In the result, `default` marks the profile and the choices that are selected at first. An `unlisted_choice` also has
    a `default`, and a `value`, which may be one that was rejected.
    """
    options = _named(options) if isinstance(options, dict) else {}
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
    return shown, ' '.join(['Your last choice is no longer available.'] + list(map(ended, notes))) if notes else ''


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
    """Return what the form shows after a rejected choice: the user's own value, to correct it, or the default."""
    is_own = choice == UNLISTED and option['unlisted_choice']['enabled'] and isinstance(value, str)
    return (UNLISTED, _CONTROLS.sub('', value[:LONGEST])) if is_own else (default, None)


# The settings that follow

Override = namedtuple('Override', 'where setting value by_user source')
Override.__doc__ += """: a setting for one server.

where (str): where it is configured.
setting (str): its name.
by_user (str): the display name of an option, if the value contains what the user entered there; otherwise empty.
source (str): the profile or choice by its slug and keys, which stay the same when a display name changes.
"""


def overrides(profile, choices, values, templates=frozenset()):
    """Return the settings that a choice overrides: a list of `Override`, in the order in which they are applied.

    profile, choices, values: see `chosen`.
    templates (set of str): the settings that are templates, by all of their names.

    Raises SpawnError.
    """
    where = 'profile %r' % str(profile['display_name'])
    found = [Override(where, str(name), value, '', profile['slug'])
             for name, value in profile['kubespawner_override'].items()]
    for key, choice in choices.items():
        option, there = profile['profile_options'][key], '%s: option %r' % (where, key)
        source = '--'.join([profile['slug'], key, choice])
        if choice != UNLISTED:
            given = option['choices'][choice]['kubespawner_override']
            found += [Override('%s: choice %r' % (there, choice), str(name), value, '', source)
                      for name, value in given.items()]
            continue
        for name, value in (option['unlisted_choice'].get('kubespawner_override') or {}).items():
            name = str(name)
            filled = _filled(value, values[key], name in templates)
            harmless = _filled(value, 'x', name in templates)
            if name in templates and _marks(filled) != _marks(harmless):
                raise SpawnError('%s must not contain braces or "$(".' % quoted(option['display_name']))
            found.append(Override('%s: unlisted_choice' % there, name, filled,
                                  str(option['display_name']) if harmless != value else '', source))
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


def merged(value, override):
    """Return the value of a setting after an override, as a copy.

    Dicts are merged; None in the override removes a key. If one value is a list and the other a dict, the result is a
    list with the objects of both: those of the setting first, and those of a dict in the order of its keys. Any other
    value replaces the old one.
    """
    if isinstance(override, dict) and isinstance(value, (list, tuple)) and value:
        return [copied(item) for item in value] + _values(override)
    if isinstance(override, (list, tuple)) and isinstance(value, dict):
        return _values(value) + [copied(item) for item in override]
    return _merged_dicts(value, override)


def _values(objects):
    """Return copies of the values of a dict, in the order of its keys."""
    return [copied(value) for _, value in sorted(objects.items()) if value is not None]


def _merged_dicts(value, override):
    if not isinstance(override, dict):
        return copied(override)
    under = value if isinstance(value, dict) else {}
    result = {key: copied(item) for key, item in under.items() if key not in override}
    result.update((key, _merged_dicts(under.get(key), item)) for key, item in override.items() if item is not None)
    return result


def copied(value):
    """Return a value with new dicts and lists, so that no two spawners share one."""
    return naming.expand_all(value, str)
