"""The profiles and choices that there are to rehearse, and the options with which users choose them. Main thread."""
from collections import namedtuple

from tornado import gen

from ... import profiles
from ...messages.errors import one_line
from ...parts.awaiting import maybe_await
from ..configured import CannotBeUsed, explained
from ..streams import output_to_stderr
from .start import own_reflectors, run
from .users import new_spawner

Choice = namedtuple('Choice', 'title options')
Choice.__doc__ += """: what a user can choose.

title (str): of profile and choices in one line, by their slugs and keys, which stay when names change.
options (dict): as `user_options`.
"""

USUAL = Choice('the default', {})


def offered(configured, who):
    """Return the profiles that a user is offered, see `profiles.checked`. Raises CannotBeUsed."""
    with own_reflectors(configured.spawner_class), output_to_stderr():
        return run(lambda: _offered(configured, who))


@gen.coroutine
def _offered(configured, who):
    try:
        spawner = _spawner(configured, who)
        listed = spawner.profile_list
        if callable(listed):
            listed = yield maybe_await(listed(spawner))
        return profiles.checked(listed or [])
    except (KeyboardInterrupt, CannotBeUsed):
        raise
    except ValueError as e:
        text = one_line(e)
        setting = '' if text.startswith('KubeSpawner.') else 'KubeSpawner.profile_list: '
        raise CannotBeUsed('%s: %s%s' % (configured.path, setting, text))
    except BaseException as e:
        raise CannotBeUsed('%s (profile_list)' % explained(e, configured.path))


def _spawner(configured, who):
    """Return a new spawner. Raises CannotBeUsed, if the value of any setting is wrong."""
    try:
        return new_spawner(configured, who, configured.log)
    except ValueError as e:
        raise CannotBeUsed('%s: %s' % (configured.path, one_line(e)))


def all_choices(offered):
    """Return the Choices of all profiles: each with its defaults, and with each other choice of each option in turn.

    Values that are not listed are users' own, and not among them.
    """
    return [choice for profile in offered for choice in choices_of(profile)] or [USUAL]


def choices_of(profile):
    """Return the Choices of a profile; the first has the defaults of all options."""
    found = [chosen(profile)]
    for key, option in profile['profile_options'].items():
        found += [chosen(profile, {key: name}) for name, each in option['choices'].items() if not each['default']]
    return found


def chosen(profile, options=None):
    """Return the Choice of a profile with these options, and the defaults of the others."""
    options = dict(options or {})
    title = ', '.join(['profile %s' % profile['slug']] + ['%s %s' % item for item in sorted(options.items())])
    return Choice(title, dict(options, profile=profile['slug']))


def with_unlisted(offered, options):
    """Return `options`, in which a value that an option does not list is the user's own, where it may be."""
    wanted = options.get('profile')
    profile = next((each for each in offered if wanted in (each['slug'], each['display_name'])), None) or next(
        (each for each in offered if each['default'] and not wanted), None)
    result = dict(options)
    for key, option in (profile['profile_options'] if profile else {}).items():
        value = options.get(key)
        names = list(option['choices']) + [each['display_name'] for each in option['choices'].values()]
        if value is not None and value not in names + [profiles.UNLISTED] and option['unlisted_choice']['enabled']:
            result.update({key: profiles.UNLISTED, key + profiles.AS_UNLISTED: value})
    return result
