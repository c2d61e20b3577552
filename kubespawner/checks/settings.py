"""Goes through a whole configuration, and names all that is wrong with it at once."""
import difflib
from collections import namedtuple

from traitlets import TraitError
from traitlets.config import Config, Configurable, LazyConfigValue

from ..configuration.aliases import OTHER, canonical_name
from ..messages.errors import one_line
from ..messages.unsupported import INTERNAL_SSL
from .values import NOT_MORE, problem_of

SIMILAR = 0.8  # how alike two names are, from 0 to 1, of which one may be meant for the other

Setting = namedtuple('Setting', 'section name trait value')


class Problem(namedtuple('Problem', 'setting sentence is_fatal')):
    """One thing that is wrong with a configuration.

    setting (str): its name as the file has it, such as `KubeSpawner.mem_limit`.
    sentence (str): what is wrong with it and what to do; begins with that name.
    is_fatal (bool): True if no server can start with it.
    """

    __slots__ = ()


def find_problems(config, spawner_class):
    """Return what is wrong with a configuration for spawners of a class, as a list of Problems.

    config (Config): the whole configuration of an application.
    """
    settings = list(_settings(config, spawner_class))
    return (_unsupported(config) + _unknown_sections(config, spawner_class) + [
        problem for setting in settings for problem in [_problem(setting, spawner_class)] if problem
    ] + _contradictions(settings))


def _settings(config, spawner_class):
    """Generate the Settings of a class, from the least to the most special section."""
    for section in spawner_class.section_names():
        for name, value in config.get(section, {}).items():
            if not isinstance(value, Config):  # the section of a class in this one
                trait = canonical_name(name)
                yield Setting(section, name, trait, value)


def _unsupported(config):
    """Return the Problem with the hub's own setting that no server can start with, in a list."""
    value, name = config.get('JupyterHub', {}).get('internal_ssl'), 'JupyterHub.internal_ssl'
    is_on = str(value).lower() in ('true', '1')  # from a command line: a string
    return [Problem(name, '%s %s' % (name, INTERNAL_SSL), True)] if is_on else []


def vars_of(cls):
    """Return the traits of a class that a configuration may set, by name."""
    return cls.class_traits(config=True)


def _problem(setting, spawner_class):
    """Return the Problem with one Setting, or None."""
    full_name = '%s.%s' % (setting.section, setting.name)
    trait = vars_of(spawner_class).get(setting.trait)
    if trait is None:
        return _unknown(full_name, setting.name, spawner_class)
    if isinstance(setting.value, LazyConfigValue):  # the value that it is added to is not known
        return None
    try:
        value = _validated(trait, setting.value, spawner_class)
    except TraitError as e:
        return Problem(full_name, '%s: %s' % (full_name, one_line(e)), True)
    except Exception:  # a check of a subclass that needs a spawner with a user
        return None
    problem = problem_of(setting.trait, value)
    return problem and Problem(full_name, '%s %s' % (full_name, problem), True)


def _validated(trait, value, spawner_class):
    """Return what a trait makes of a configured value. Raises TraitError if it takes none such."""
    if hasattr(value, 'get_value'):  # from a command line: a string of which the trait makes a value
        value = value.get_value(trait)
    spawner = spawner_class.__new__(spawner_class)  # never begun: nothing is shared, read or watched for this
    spawner._cross_validation_lock = True  # methods of the spawner may need its user
    return trait._validate(spawner, value)


def _unknown(full_name, name, spawner_class):
    """Return the Problem with a setting that the class does not have. Other attributes cannot be configured."""
    known = sorted(set(vars_of(spawner_class)) | set(OTHER))
    similar = difflib.get_close_matches(name, known, 1, SIMILAR)
    return Problem(full_name, '%s is no setting of %s, and is ignored.%s' % (
        full_name, spawner_class.__name__, ' Do you mean %s?' % similar[0] if similar else ''), False)


def _unknown_sections(config, spawner_class):
    """Return Problems with sections that are called nearly as a class of the spawner is, but as no class that there is.

    Other programs may have sections of their own in the same file.
    """
    names, problems = spawner_class.section_names(), []
    for section in sorted(config):
        if section in names or not isinstance(config[section], Config) or section in _class_names(Configurable):
            continue
        similar = [name for name in names if name.lower() == section.lower()] or difflib.get_close_matches(
            section, ['KubeSpawner', spawner_class.__name__], 1, SIMILAR)
        if similar:
            problems.append(Problem(section, 'c.%s is the section of no class, and is ignored. Do you mean c.%s?' % (
                section, similar[0]), False))
    return problems


def _class_names(cls):
    """Return the names of a class and of all its subclasses that have been imported."""
    return {cls.__name__}.union(*[_class_names(each) for each in cls.__subclasses__()])


def _contradictions(settings):
    """Return Problems with pairs of numbers of which the first must not be more than the second."""
    last, problems = {setting.trait: setting for setting in settings}, []
    for least, most in NOT_MORE:
        pair = [last.get(trait) for trait in (least, most)]
        if None in pair:
            continue
        values = [_number(setting) for setting in pair]
        if None not in values and values[0] > values[1]:
            names = ['%s.%s' % (setting.section, setting.name) for setting in pair]
            problems.append(Problem(names[0], '%s is more than %s.' % tuple(names), True))
    return problems


UNITS = {'K': 1024, 'M': 1024 ** 2, 'G': 1024 ** 3, 'T': 1024 ** 4}


def _number(setting):
    """Return the number of cores or bytes that a Setting gives; None if that is not plain."""
    value = setting.value
    if isinstance(value, str) and value[-1:] in UNITS:
        factor, value = UNITS[value[-1]], value[:-1]
    else:
        factor = 1
    try:
        return float(value) * factor
    except (TypeError, ValueError):
        return None
