"""Settings and attributes that a profile overrides for one server, until the server has stopped.

Which of them a profile may override, which values a user's own text may be, and how the old values are restored belongs
here. What a choice overrides is in `profiles`. Everything runs on the IOLoop's thread.
"""
import re
import sys
from collections import OrderedDict

from traitlets import Bool, Container, Dict, Float, Integer, TraitType

from .. import profiles
from ..configuration import templates
from ..configuration.aliases import NAMES, OTHER, canonical_name, computed
from ..messages.errors import SpawnError, one_line
from ..naming.server_names import TEMPLATES
from ..traitlets import Callable, KubeObjectList
from . import manifests

# Settings that concern more than one start: what spawners share, where the hub looks for pods, what applies before a
# start, and what applies when the server is gone.
OF_ALL_STARTS = frozenset('''
    k8s_api_threadpool_workers k8s_api_host k8s_api_ssl_ca_cert k8s_api_verify_ssl component_label
    enable_user_namespaces adopt_user_namespaces user_namespace_template
    slug_scheme handle_legacy_names remember_pvc_name delete_pvc
    profile_list profile_form_template additional_profile_form_template_paths options_form options_from_form
    apply_user_options auth_state_hook pre_spawn_hook server_token_scopes oauth_client_allowed_scopes oauth_roles
    group_overrides ssl_alt_names ssl_alt_names_include_local consecutive_failure_limit'''.split())

# Settings that apply as long as a server runs, even after a restart of the hub.
OF_RUNNING_SERVERS = frozenset(
    ['delete_grace_period', 'delete_stopped_pods', 'force_delete_after', 'namespace', 'poll_interval', 'start_timeout'])

# Settings that say which claim a server gets.
OF_PLACES = frozenset(['namespace', 'pvc_name_template'])

# Attributes that templates make, by the setting that is the template.
NAMED_BY_TEMPLATES = {attribute: template for attribute, template in TEMPLATES.items() if attribute != 'namespace'}

# The packages whose classes make a spawner work.
OURS = frozenset(['kubespawner', 'jupyterhub', 'traitlets', 'builtins'])

# Those of them that classes seem to be from that are in no module.
ACCIDENTAL = frozenset(['traitlets', 'builtins'])

# Settings, by all names, in which braces or Kubernetes' `$(VARIABLE)` have a meaning.
WITH_TEMPLATES = frozenset(name for trait in (
    templates.TEMPLATES + templates.TEMPLATES_OF_CLAIMS + list(manifests.TEMPLATE_TRAITS.values()) +
    ['environment', 'dns_name_template', 'storage_selector', 'user_namespace_labels', 'user_namespace_annotations',
     'cmd', 'args', 'default_url', 'notebook_dir']
) for name in NAMES.get(trait, [trait]))

# Settings that are lists of numbers, and settings in seconds for which JupyterHub waits.
OF_NUMBERS = frozenset(['singleuser_supplemental_gids'])
OF_WAITING = frozenset(['start_timeout', 'http_timeout', 'poll_interval'])
LONGEST_WAIT = 10 ** 6  # seconds for which a user may make the hub wait
LARGEST = 2 ** 63 - 1  # largest number that Kubernetes and the hub's database can hold

_NO_HOST = re.compile('[^A-Za-z0-9_.{}-]')  # characters that a host in a URL, or a template of one, cannot contain

SHOWN_REASON = 200  # characters of a setting's error about a value that a user entered


class Overrides:
    """The settings and attributes that one spawner overrides now. Iterates over their names.

    spawner (HasTraits): whose they are.
    """

    def __init__(self, spawner):
        self._spawner, self._values = spawner, OrderedDict()

    def __iter__(self):
        return iter(self._values)

    # What may be overridden

    def name_of(self, setting):
        """Return the attribute that a profile sets. name (str): any of the names of a setting."""
        name = NAMED_BY_TEMPLATES.get(setting, setting)
        return canonical_name(name)

    def is_setting(self, name):
        """Return whether a name is that of a setting, in any version."""
        trait = self._trait(self.name_of(str(name)))
        return isinstance(trait, TraitType) and bool(trait.metadata.get('config'))

    def check(self, where, setting, is_by_user=False):
        """Raise ValueError if a profile cannot override a setting, or not with a user's own text."""
        name = self.name_of(setting)
        if not self.is_setting(name) and not self._may_be_set(name):
            raise ValueError('%s: kubespawner_override contains %r, which is not a setting of %s.' % (
                where, setting, type(self._spawner).__name__))
        declared = computed(type(self._spawner), name)
        if declared is not None and not declared.is_settable:
            raise ValueError('%s: kubespawner_override contains %r, which is computed by a property of %s.' % (
                where, setting, type(self._spawner).__name__))
        if name in OF_ALL_STARTS:
            raise ValueError('%s: kubespawner_override must not contain %r, which concerns more than one start.' % (
                where, setting))
        if is_by_user and name in OF_PLACES:
            raise ValueError('%s: %r must not contain {value}: a user could write what belongs to somebody else. Use '
                             '`choices`.' % (where, setting))

    def _may_be_set(self, name):
        """Return whether an attribute that is not a setting may be set: not if every spawner needs it to work."""
        if isinstance(self._trait(name), property):
            return self._trait(name).fset is not None
        owners = [_package(cls) for cls in type(self._spawner).__mro__ if name in vars(cls)]
        return not OURS & set(owners) and (owners != [] or not name.startswith('_'))

    def doubt(self, where, setting):
        """Return (is_misspelt, warning) for a name that is not a setting, or None."""
        if self.is_setting(setting) or hasattr(self._spawner, setting) and setting not in self._values:
            return None
        told = 'KubeSpawner.profile_list: %s: kubespawner_override contains %r, which is not a setting of %s.' % (
            where, setting, type(self._spawner).__name__)
        meant = profiles.meant(setting, self._settings())
        if meant:
            return True, '%s Did you mean %r?' % (told, meant)
        return False, told + ' It is an attribute of the spawner until the server has stopped.'

    def _settings(self):
        return [name for name in list(self._spawner.traits(config=True)) + list(OTHER) if self.is_setting(name)]

    def is_to_be_called(self, name, value):
        """Return whether a value is a function that returns the value of a setting."""
        return callable(value) and not isinstance(self._trait(name), Callable)

    def _trait(self, name):
        return getattr(type(self._spawner), name, None)

    # Overriding

    def set(self, where, name, value, by_user=''):
        """Override an attribute until `end`. by_user (str): the option with a user's own text, empty if it has none.

        where (str): the profile, for errors. Raises SpawnError for a wrong text of the user, otherwise ValueError.
        """
        had, before = self._stored(name)
        if name in self._values:
            had, before, _ = self._values[name]
        if by_user:
            value = _checked_words(self._trait(name), name, value, by_user)
        try:
            setattr(self._spawner, name, profiles.merged(getattr(self._spawner, name, None), value))
        except Exception as e:
            if by_user and _may_take(self._trait(name), value):
                self._spawner.log.warning('%s: %s: %s', where, name, one_line(e))
                is_shown = not isinstance(value, (dict, list, tuple))  # those may contain secrets
                why = ': %.*s' % (SHOWN_REASON, e) if is_shown else '.'
                raise SpawnError('"%s" cannot have this value%s' % (by_user, why))
            raise ValueError('KubeSpawner.profile_list: %s: %s: %s' % (where, name, e))
        self._values[name] = had, before, self._stored(name)[1]

    def end(self):
        """Restore the old values, except of attributes that have been set since."""
        overridden, self._values = self._values, OrderedDict()
        for name, (had, before, now) in overridden.items():
            if not self._is_still(name, now):
                continue
            if had:
                setattr(self._spawner, name, before)
            else:
                self._kept_in(name).pop(name, None)

    def _stored(self, name):
        """Return (whether the spawner itself has a value for an attribute, the value)."""
        is_computed = isinstance(self._trait(name), property) or computed(type(self._spawner), name) is not None
        has_own = is_computed or name in self._kept_in(name)
        return has_own, getattr(self._spawner, name, None)

    def _is_still(self, name, value):
        """Return whether an attribute still has this value. A property may compute an equal one each time."""
        current = self._stored(name)[1]
        is_computed = self._kept_in(name).get(name) is not current
        return current is value or is_computed and current == value

    def _kept_in(self, name):
        return self._spawner._trait_values if self._spawner.has_trait(name) else vars(self._spawner)

    def usual(self, name):
        """Return the value of an attribute without the profile."""
        return self._values[name][1] if name in self._values else getattr(self._spawner, name)

    # State

    def state(self):
        """Return what a later hub must know of a running server: values by the names of traits, a dict."""
        return {name: getattr(self._spawner, name) for name in self._values if name in OF_RUNNING_SERVERS}

    def load(self, state):
        """Override again what `state` returned, or nothing for None. Values that cannot be set any more are logged."""
        for name, value in (state or {}).items():
            if name in OF_RUNNING_SERVERS:
                try:
                    self.set('kept in the state', name, value)
                except ValueError as e:  # a hub has to start in spite of it
                    self._spawner.log.warning('%s', one_line(e))


def _package(cls):
    """Return the package of a class; '' if it is in no module, like the classes in a configuration file.

    The module of such a class is `builtins`. The module of a class made by `type()` is that of its metaclass.
    """
    package = cls.__module__.split('.')[0]
    is_there = package not in ACCIDENTAL or getattr(sys.modules[cls.__module__], cls.__name__, None) is cls
    return package if is_there else ''


def _checked_words(trait, name, value, by_user):
    """Return `value`, which contains a user's own text, with numbers where the trait needs numbers."""
    if name in OF_NUMBERS and isinstance(value, list):
        try:
            value = profiles.with_numbers(value)
        except ValueError:
            raise SpawnError('"%s" cannot have this value: it must be a whole number.' % by_user)
    elif _is_number(trait):
        value = _number(value)
    if name == 'pod_connect_ip' and _NO_HOST.search(str(value)):
        raise SpawnError('"%s" cannot have this value: it must be part of a host name.' % by_user)
    if name in OF_WAITING and isinstance(value, (int, float)) and not 0 < value <= LONGEST_WAIT:
        raise SpawnError('"%s" cannot have this value: it must be from 1 to %d seconds.' % (by_user, LONGEST_WAIT))
    return value


def _kinds(trait):
    """Return the types that a trait accepts, as trait types."""
    return getattr(trait, 'trait_types', [trait])


def _is_number(trait):
    """Return whether a trait accepts a number."""
    return any(isinstance(kind, (Float, Integer)) for kind in _kinds(trait))


def _number(text):
    """Return the number in a text; the text itself if it is not a number."""
    for kind in (int, float):
        try:
            number = kind(text)
            if abs(number) <= LARGEST:  # which what is no number is not, either
                return number
        except (TypeError, ValueError):
            pass
    return text


def _may_take(trait, value):
    """Return whether a trait accepts values of the shape of `value`, whatever strings it contains."""
    return any(_may_be(kind, value) for kind in _kinds(trait))


def _may_be(kind, value):
    if isinstance(kind, (Bool, Callable)):
        return False
    if isinstance(kind, (Container, Dict)):
        return (isinstance(value, dict) and isinstance(kind, (Dict, KubeObjectList))
                or isinstance(value, (list, tuple)) and not isinstance(kind, Dict))
    return not isinstance(value, (dict, list, tuple))
