"""Warnings about a list of profiles that is valid, but probably not meant that way.

Nothing here knows spawners, and there is no I/O. Any thread.
"""
from .offered import (
    FLAG,
    KEYS_OF_A_CHOICE,
    KEYS_OF_A_PROFILE,
    KEYS_OF_AN_OPTION,
    KEYS_OF_AN_UNLISTED_CHOICE,
    flag,
    in_order,
)

# Where settings belong that are written beside `kubespawner_override`, and where keys belong that are misplaced.
IN_THE_OVERRIDE, IN_ITS_CHOICES = 'its kubespawner_override', 'the kubespawner_override of its choices'
PLACES = {
    'profile_options': 'the profile, beside its kubespawner_override',
    'choices': 'an option in the profile_options of the profile',
    'unlisted_choice': 'an option in the profile_options of the profile',
    'kubespawner_override': 'each of its choices',
}


def warnings(profile_list, is_setting):
    """Yield warnings about a list that `checked` accepts: each names the profile, the key, and the effect.

    is_setting (callable): `is_setting(name)` is true of the names of settings.
    """
    for where, written, keys, place in _parts(in_order(profile_list)):
        for key, (kind, _) in sorted(keys.items()):
            value = written.get(key)
            if kind is FLAG[0] and value is not None and not isinstance(value, bool):
                yield '%s: %s is %.100r, not True or False. It counts as %s.' % (where, key, value, flag(value))
        for key in sorted(set(written) - set(keys), key=str):
            if key in PLACES or is_setting(key):
                yield '%s: %r has no effect there. It belongs in %s.' % (where, key, PLACES.get(key, place))


def _parts(profiles):
    """Yield (where, dict, its known keys, where settings belong) for profiles, options and choices."""
    for profile in profiles:
        where = 'profile %r' % str(profile.get('display_name') or profile.get('slug'))
        yield where, profile, KEYS_OF_A_PROFILE, IN_THE_OVERRIDE
        for key, option in (profile.get('profile_options') or {}).items():
            there = '%s: option %r' % (where, key)
            yield there, option, KEYS_OF_AN_OPTION, IN_ITS_CHOICES
            for name, choice in (option.get('choices') or {}).items():
                yield '%s: choice %r' % (there, name), choice, KEYS_OF_A_CHOICE, IN_THE_OVERRIDE
            unlisted = option.get('unlisted_choice') or {}
            yield there + ': unlisted_choice', unlisted, KEYS_OF_AN_UNLISTED_CHOICE, IN_THE_OVERRIDE
