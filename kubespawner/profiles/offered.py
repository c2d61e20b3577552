"""The profiles that an operator offers: reading their list, and finding mistakes in it.

What users choose is in `profiles` itself. Nothing here knows spawners, and there is no I/O. Any thread.
"""
import re
import unicodedata
from collections import OrderedDict

from .. import naming
from ..messages.errors import ended
from .words import AS_UNLISTED, UNLISTED, VALUE, in_words, meant

# The keys of the configured list, and the types of their values.
TEXT = str, 'a string'
FLAG = object, 'True or False'  # of any type: what other types mean, see `warnings`
MAPPING = dict, 'a dict'
KEYS_OF_A_PROFILE = {'slug': TEXT, 'display_name': TEXT, 'description': TEXT, 'default': FLAG,
                     'kubespawner_override': MAPPING, 'profile_options': MAPPING}
KEYS_OF_AN_OPTION = {'display_name': TEXT, 'choices': MAPPING, 'unlisted_choice': MAPPING}
KEYS_OF_A_CHOICE = {'display_name': TEXT, 'default': FLAG, 'kubespawner_override': MAPPING}
KEYS_OF_AN_UNLISTED_CHOICE = {'enabled': FLAG, 'display_name': TEXT, 'display_name_in_choices': TEXT,
                              'validation_regex': TEXT, 'validation_message': TEXT, 'kubespawner_override': MAPPING}


class Mistakes(ValueError):
    """A list of profiles has mistakes. The text contains all of them, in one line.

    mistakes (list of str): each mistake, with the profile that has it.
    """

    def __init__(self, mistakes):
        self.mistakes = list(mistakes)
        super().__init__(' '.join(map(ended, self.mistakes)) if len(self.mistakes) > 1 else self.mistakes[0])


def mistakes(error):
    """Return the mistakes in a ValueError, a list of str."""
    return getattr(error, 'mistakes', None) or [str(error)]


def checked(profile_list):
    """Return the profiles of a configured list or dict as new dicts, with defaults for all missing keys.

    Each has a slug, a display_name, a description, profile_options and a kubespawner_override. Exactly one of the
    profiles is the default, and exactly one of the choices of each option. Unknown keys are kept, for an operator's own
    templates.

    Raises Mistakes, a ValueError that names each profile with a mistake in it.
    """
    profile_list = in_order(profile_list)
    if not isinstance(profile_list, (list, tuple)):
        raise Mistakes(['%.100r is not a list of profiles.' % (profile_list,)])
    wrong = []
    profiles = [_checked_profile(profile, number, wrong.append) for number, profile in enumerate(profile_list, 1)]
    profiles = [profile for profile in profiles if profile is not None]
    names = OrderedDict()
    for profile in profiles:
        names.setdefault(profile['slug'], []).append(profile['display_name'])
    wrong += ['the profiles %s all have the slug %r; give each a `slug` of its own.' % (in_words(same), slug)
              for slug, same in names.items() if len(same) > 1]
    if wrong:
        raise Mistakes(wrong)
    _with_one_default(profiles)
    return profiles


def in_order(profile_list):
    """Return the profiles of a dict in the order of its keys; return anything else unchanged."""
    if isinstance(profile_list, dict):
        return [profile for _, profile in sorted(profile_list.items())]
    return profile_list


def flag(value):
    """Return a value as True or False; a string by its words."""
    if isinstance(value, str):
        return value.strip().lower() not in ('', 'false', 'no', 'off', '0', 'none', 'null')
    return bool(value)


def _checked_profile(profile, number, report):
    """Return a profile with defaults for all missing keys, and call `report` with each mistake in it.

    Wrong parts are left out. Return None if nothing is left.
    """
    where = 'profile number %d' % number
    profile = _with_right_keys(profile, KEYS_OF_A_PROFILE, where, report)
    if profile is None:
        return None
    if not profile.get('display_name') and not profile.get('slug'):
        if not any(profile.get(key) is WRONG for key in ('display_name', 'slug')):  # it was reported
            report('%s has no display_name.' % where)
        return None
    name = profile.get('display_name') or profile['slug']
    where = 'profile %r' % str(name)
    slug = profile.get('slug') or slug_of(name)
    if '--' in slug:
        report("%s: the slug %r must not contain '--'." % (where, slug))
    options = OrderedDict((key, _checked_option(key, option, where, report))
                          for key, option in (profile.get('profile_options') or {}).items())
    if 'profile' in options:
        report("%s: an option must not have the name 'profile'." % where)
    return dict(profile, slug=slug, display_name=name, description=profile.get('description') or '',
                default=flag(profile.get('default')), profile_options=options,
                kubespawner_override=profile.get('kubespawner_override') or {})


def _checked_option(key, option, where, report):
    where = '%s: option %r' % (where, key)
    if not isinstance(key, str) or key.endswith(AS_UNLISTED):
        report('%s: an option must not have this name.' % where)
    option = _with_right_keys(option, KEYS_OF_AN_OPTION, where, report)
    if option is None:
        return None
    choices = OrderedDict()
    for name, choice in (option.get('choices') or {}).items():
        there = '%s: choice %r' % (where, name)
        choice = _with_right_keys(choice, KEYS_OF_A_CHOICE, there, report) or {}
        if not isinstance(name, str) or name == UNLISTED:
            report('%s: a choice must not have the name %r.' % (where, name))
        choices[name] = dict(choice, display_name=choice.get('display_name') or name,
                             default=flag(choice.get('default')),
                             kubespawner_override=choice.get('kubespawner_override') or {})
    _with_one_default(list(choices.values()))
    unlisted = _checked_unlisted_choice(option.get('unlisted_choice') or {}, where, report)
    if not choices and not unlisted['enabled'] and option.get('choices') is not WRONG:
        report('%s has no choices.' % where)
    return dict(option, display_name=option.get('display_name') or key, choices=choices, unlisted_choice=unlisted)


def _checked_unlisted_choice(unlisted, where, report):
    unlisted = _with_right_keys(unlisted, KEYS_OF_AN_UNLISTED_CHOICE, where + ': unlisted_choice', report)
    try:
        re.compile(unlisted.get('validation_regex') or '')
    except (re.error, RecursionError, OverflowError) as e:
        report('%s: validation_regex is not a valid regular expression: %s.' % (where, e))
    texts = {'display_name': 'Other', 'display_name_in_choices': 'Other\u2026', 'validation_message': ''}
    return dict(unlisted, enabled=flag(unlisted.get('enabled')),
                **{text: unlisted.get(text) or default for text, default in texts.items()})


WRONG = type('Wrong', (dict,), {'__doc__': 'Stands for a value of the wrong type: it is empty, and was reported.'})()


def _with_right_keys(value, keys, where, report):
    """Return a dict with WRONG in place of each value of a wrong type; None if `value` is not a dict.

    Call `report` with these mistakes, and with misspelt keys.
    """
    if not isinstance(value, dict):
        report('%s: %.100r is not a dict.' % (where, value))
        return None
    for key in sorted(set(value) - set(keys), key=str):
        known = meant(str(key), keys)
        if known:
            report('%s has the key %r; did you mean %r?' % (where, key, known))
    right = dict(value)
    for key, (kind, words) in sorted(keys.items()):
        if value.get(key) is not None and not isinstance(value[key], kind):
            report('%s: %s must be %s, not %.100r.' % (where, key, words, value[key]))
            right[key] = WRONG
    return right


def _with_one_default(dicts):
    """Make exactly one of these dicts the default: the first that is marked as such, or else the first of all."""
    default = next((each for each in dicts if each['default']), dicts[0] if dicts else None)
    for each in dicts:
        each['default'] = each is default


def slug_of(display_name):
    """Return a slug for a profile without one: the letters and digits of its name, and `-` for everything else."""
    plain = unicodedata.normalize('NFKD', display_name).encode('ascii', 'ignore').decode('ascii').lower()
    return re.sub('[^a-z0-9]+', '-', plain).strip('-') or naming.safe_slug(display_name).replace('---', '-')


def is_a_choice(profiles):
    """Return whether there is anything to choose from."""
    return len(profiles) > 1 or any(profile['profile_options'] for profile in profiles)


def default_slug(profiles):
    """Return the slug of the default profile, None if there are no profiles."""
    return next((profile['slug'] for profile in profiles if profile['default']), None)


def another_slug(profiles, slug):
    """Return the slug of another profile than this one: of the default, or else of the first; None if there is none."""
    others = [profile for profile in profiles if profile['slug'] != slug]
    return default_slug(others) or (others[0]['slug'] if others else None)


def settings_of(profiles):
    """Yield (where, setting, whether the user writes a part of the value) for every setting that a choice overrides."""
    for profile in profiles:
        where = 'profile %r' % str(profile['display_name'])
        for name in profile['kubespawner_override']:
            yield where, str(name), False
        for key, option in profile['profile_options'].items():
            there = '%s: option %r' % (where, key)
            for choice in option['choices'].values():
                for name in choice['kubespawner_override']:
                    yield there, str(name), False
            for name, value in (option['unlisted_choice'].get('kubespawner_override') or {}).items():
                yield there, str(name), naming.expand_all(value, lambda text: text.replace(VALUE, '')) != value


def values_of(profiles):
    """Yield (where, setting, value) for every setting that a choice overrides with a value that is known."""
    for profile in profiles:
        where = 'profile %r' % str(profile['display_name'])
        overrides = [(where, profile['kubespawner_override'])] + [
            ('%s: option %r: choice %r' % (where, key, name), choice['kubespawner_override'])
            for key, option in profile['profile_options'].items() for name, choice in option['choices'].items()]
        for place, settings in overrides:
            for name, value in settings.items():
                yield place, str(name), value
