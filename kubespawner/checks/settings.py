"""Goes through a whole configuration, and names all that is wrong with it at once."""
from collections import namedtuple

from traitlets import TraitError
from traitlets.config import Config, Configurable, LazyConfigValue

from .. import profiles
from ..configuration.aliases import NAMES, OTHER, canonical_name, computed
from ..configuration.templates import TEMPLATES, TEMPLATES_OF_CLAIMS
from ..environment import is_of_jupyterhub
from ..kube.quantities import value_of
from ..messages.errors import one_line
from .templates import template_problem
from .values import NOT_MORE, NOT_MORE_OF_EACH, ONLY_WITH, REPLACING, USED_WITHOUT, Doubt, problem_of, sentence

OF_THE_HUB = ['JupyterHub', 'KubeIngressProxy']  # sections that have nothing to do with the spawner, but are its hub's

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
    counts = _Counts(settings, spawner_class)
    problems, last = _unknown_sections(config, spawner_class), {}
    for setting in settings:
        problem, value = _problem_and_value(setting, spawner_class, counts)
        if problem:
            problems.append(problem)
        else:
            last[setting.trait] = setting._replace(value=value)
    return (problems + _contradictions(last, counts) + _claims_without_capacity(settings, last, counts)
            + _without_effect(last, counts)
            + _templates(last, spawner_class, counts)
            + _secret_variables(last, counts) + _profiles(last, spawner_class))


class _Counts:
    """Knows whether servers get what is configured: a hook, a profile or a subclass may replace it at each start."""

    def __init__(self, settings, spawner_class):
        self._set = {setting.trait for setting in settings if setting.value}
        self._replacing = REPLACING & self._set
        self._is_subclass = spawner_class.__module__.split('.')[0] != 'kubespawner'

    def __call__(self, trait):
        """Return whether each server gets the configured value of a trait."""
        needed = [switch for switch, traits in ONLY_WITH.items() if trait in traits]
        may_be_replaced = self._is_subclass or self._replacing - {trait}
        return not may_be_replaced and self._set.issuperset(needed)


def _full_name(setting):
    return '%s.%s' % (setting.section, setting.name)


def _settings(config, spawner_class):
    """Generate the Settings of a class, from the least to the most special section."""
    for section in spawner_class.section_names():
        for name, value in config.get(section, {}).items():
            if not isinstance(value, Config):  # the section of a class in this one
                trait = canonical_name(name)
                yield Setting(section, name, trait, value)


def vars_of(cls):
    """Return the traits of a class that a configuration may set, by name."""
    return cls.class_traits(config=True)


def _problem_and_value(setting, spawner_class, counts):
    """Return the Problem with one Setting, or None, and the value that a spawner has by it, or None if unknown."""
    full_name = _full_name(setting)
    trait = vars_of(spawner_class).get(setting.trait)
    if trait is None:
        return _unknown(full_name, setting.name, spawner_class), None
    # What a value is added to, and what the property of a subclass takes, are not known.
    if isinstance(setting.value, LazyConfigValue) or computed(spawner_class, setting.trait) is not None:
        return None, None
    try:
        value = _validated(trait, setting.value, spawner_class)
    except TraitError as e:
        return Problem(full_name, '%s: %s' % (full_name, one_line(e)), True), None
    except Exception:  # a check of a subclass that needs a spawner with a user
        return None, None
    problem = problem_of(setting.trait, value)
    if problem is None:
        return None, value
    is_fatal = not isinstance(problem, Doubt) and counts(setting.trait)
    return Problem(full_name, sentence(full_name, problem), is_fatal), value


def _validated(trait, value, spawner_class):
    """Return what a trait makes of a configured value. Raises TraitError if it takes none such."""
    if hasattr(value, 'get_value'):  # from a command line: a string of which the trait makes a value
        value = value.get_value(trait)
    spawner = spawner_class.__new__(spawner_class)  # never begun: nothing is shared, read or watched for this
    spawner._cross_validation_lock = True  # methods of the spawner may need its user
    spawner.notify_change = lambda change: None
    trait.set(spawner, value)  # which takes more than it validates: one string as a list of it
    return spawner._trait_values[trait.name]


def _unknown(full_name, name, spawner_class):
    """Return the Problem with a setting that the class does not have. Other attributes cannot be configured."""
    meant = profiles.meant(name, sorted(set(vars_of(spawner_class)) | set(OTHER)))
    return Problem(full_name, '%s is no setting of %s, and is ignored.%s' % (
        full_name, spawner_class.__name__, ' Do you mean %s?' % meant if meant else ''), False)


def _unknown_sections(config, spawner_class):
    """Return Problems with sections that are called nearly as a class of the spawner or the hub, but as none there is.

    Other programs may have sections of their own in the same file.
    """
    names, problems = spawner_class.section_names(), []
    for section in sorted(config):
        is_known = section in names or section in OF_THE_HUB or section in _class_names(Configurable)
        if is_known or not isinstance(config[section], Config):
            continue
        meant = next((name for name in list(names) + OF_THE_HUB if name.lower() == section.lower()), None) or (
            profiles.meant(section, ['KubeSpawner', spawner_class.__name__] + OF_THE_HUB))
        if meant:
            problems.append(Problem(section, 'c.%s is the section of no class, and is ignored. Do you mean c.%s?' % (
                section, meant), False))
    return problems


def _class_names(cls):
    """Return the names of a class and of all its subclasses that have been imported."""
    return {cls.__name__}.union(*[_class_names(each) for each in cls.__subclasses__()])


def _contradictions(last, counts):
    """Return Problems with numbers of which the first must not be more than the second.

    last (dict): the Setting that counts, by its trait, with its value. 0 is no limit.
    """
    problems = []
    pairs = [(last.get(least), last.get(most), resource) for least, most, resource in NOT_MORE]
    least, most = [last.get(trait) for trait in NOT_MORE_OF_EACH]
    of_each = least.value if least is not None and isinstance(least.value, dict) else {}
    pairs += [(least, most, resource) for resource in of_each if isinstance(resource, str)]
    for least, most, resource in pairs:
        if None in (least, most):
            continue
        values = [_number(setting.value, resource) for setting in (least, most)]
        if None not in values and values[1] and values[0] > values[1]:
            names = _full_name(least), _full_name(most)
            of_what = ' of %s' % one_line(resource) if isinstance(least.value, dict) else ''
            problems.append(Problem(
                names[0], '%s is more than %s%s.' % (names[0], names[1], of_what), counts(most.trait)))
    return problems


def _claims_without_capacity(settings, last, counts):
    """Return a Problem if claims are to be made, and nothing says how large."""
    has_capacity = any(setting.value is not None for setting in settings if setting.trait == 'user_storage_capacity')
    if has_capacity or not (_is_on('user_storage_pvc_ensure', last) and counts('user_storage_capacity')):
        return []
    full_name = _full_name(last['user_storage_pvc_ensure'])
    return [Problem(full_name, '%s makes claims, whose size is not set. Set KubeSpawner.storage_capacity to a '
                               'quantity such as 10Gi.' % full_name, True)]


def _without_effect(last, counts):
    """Return Problems with settings that have an effect only with another one, which is off."""
    problems = []
    for switch, traits in ONLY_WITH.items():
        if _is_on(switch, last) or not counts(switch):
            continue
        for trait in sorted(set(traits) & set(last) - USED_WITHOUT):
            if last[trait].value:
                full_name = _full_name(last[trait])
                problems.append(Problem(full_name, '%s has no effect, because KubeSpawner.%s is off.' % (
                    full_name, NAMES.get(switch, [switch])[0]), False))
    return problems


def _number(value, resource):
    """Return the number of a resource that the value of a setting gives; None if that is not plain."""
    if isinstance(value, dict):
        return value_of(value.get(resource))
    return value_of(value)


def _templates(last, spawner_class, counts):
    """Return Problems with templates that cannot be expanded. A subclass may know fields of its own."""
    if not all(_is_ours(spawner_class, method) for method in ('_expand_user_properties', '_expand_all')):
        return []
    used = TEMPLATES + ['dns_name_template'] + TEMPLATES_OF_CLAIMS * _is_on('user_storage_pvc_ensure', last)
    used += ['user_namespace_template'] * _is_on('enable_user_namespaces', last)
    templates = {trait: last[trait].value for trait in used if trait in last}
    # The name of a claim may be a field of other templates even if the claim is not made here.
    if 'pvc_name_template' in last:
        templates['pvc_name_template'] = last['pvc_name_template'].value
    problems = []
    for trait in filter(last.__contains__, used):
        problem = template_problem(trait, last[trait].value, templates)
        if problem:
            full_name = _full_name(last[trait])
            problems.append(Problem(full_name, '%s: %s' % (full_name, one_line(problem)), counts(trait)))
    return problems


def _is_on(switch, last):
    return switch in last and last[switch].value is True


def _secret_variables(last, counts):
    """Return a Problem if secret variables are named that servers do not have, in a list."""
    setting = last.get('secret_environment')
    named = setting.value if setting and isinstance(setting.value, list) else []
    known = {name for trait in ('environment', 'env_keep') if trait in last for name in last[trait].value}
    missing = sorted(name for name in named if name not in known and not is_of_jupyterhub(name))
    if not missing or not counts('environment'):
        return []
    full_name = _full_name(setting)
    return [Problem(full_name, '%s names %.100s, which is not in KubeSpawner.environment.' % (
        full_name, ', '.join(missing)), False)]


def _profiles(last, spawner_class):
    """Return Problems with a list of profiles, and with the values that profiles give to settings.

    With a list that cannot be read no server starts, but for what a subclass makes of it. With a wrong value, other
    profiles can still be used.
    """
    listed = last['profile_list'].value if 'profile_list' in last else None
    if not listed or callable(listed):
        return []
    full_name = _full_name(last['profile_list'])
    try:
        offered = profiles.checked(listed)
    except ValueError as e:
        is_fatal = _is_ours(spawner_class, 'load_user_options')
        return [Problem(full_name, '%s: %s' % (full_name, one_line(mistake)), is_fatal)
                for mistake in profiles.mistakes(e)]
    return [Problem(full_name, '%s: %s' % (full_name, one_line(problem)), False)
            for where, name, value in profiles.values_of(offered)
            for problem in _problems_of_override(where, name, value, spawner_class)]


def _problems_of_override(where, name, value, spawner_class):
    """Generate what is wrong with a value that a profile gives to a setting, each with where it is."""
    trait = vars_of(spawner_class).get(canonical_name(name))
    if trait is None or value is None or callable(value) or isinstance(value, (dict, list)):  # are merged
        return
    try:
        problem = problem_of(canonical_name(name), _validated(trait, value, spawner_class))
    except TraitError as e:
        problem = ': %s' % e
    except Exception:  # a check of a subclass that needs a spawner with a user
        return
    if problem:
        yield '%s: %s' % (where, sentence(name, problem))


def _is_ours(spawner_class, method):
    """Return whether no subclass has replaced a method. A missing one counts as replaced by none."""
    found = getattr(spawner_class, method, None)  # of no module, if it is from a configuration file
    return (getattr(found, '__module__', __name__) or '').startswith(__name__.partition('.')[0] + '.')
