"""The profile form, the options that users send, and the settings that are overridden for one server.

What a spawner does with profiles belongs here; what they are, and what users can choose, is in `profiles`. Everything
runs on the IOLoop's thread, and reads hub state.
"""
import functools
import os
import re
from collections import OrderedDict

import jinja2
from jupyterhub import orm, version_info
from jupyterhub.spawner import Spawner
from tornado import gen
from traitlets import Bool, Container, Dict, Float, Integer, TraitType, default

from .. import profiles
from ..configuration.aliases import NAMES, canonical_name
from ..lifecycle.waiting import check_wanted, in_time
from ..messages.errors import SpawnError, one_line
from ..traitlets import Callable, DynamicDefault, KubeObjectList
from . import manifests, templates
from .manifests import Manifests, awaited, blaming

# Settings that concern more than one start: what spawners share, where the hub looks for pods, what applies before a
# start, and what applies when the server is gone.
OF_ALL_STARTS = frozenset('''
    k8s_api_threadpool_workers k8s_api_host k8s_api_ssl_ca_cert k8s_api_verify_ssl namespace component_label
    enable_user_namespaces user_namespace_template slug_scheme handle_legacy_names remember_pvc_name delete_pvc
    profile_list profile_form_template additional_profile_form_template_paths options_form options_from_form
    apply_user_options auth_state_hook pre_spawn_hook server_token_scopes oauth_client_allowed_scopes oauth_roles
    group_overrides ssl_alt_names ssl_alt_names_include_local consecutive_failure_limit'''.split())

# Settings that apply as long as a server runs, even after a restart of the hub.
OF_RUNNING_SERVERS = frozenset(
    ['delete_grace_period', 'delete_stopped_pods', 'force_delete_after', 'poll_interval', 'start_timeout'])

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

# Whether the hub itself keeps what users chose.
IS_KEPT_BY_HUB = hasattr(orm.Spawner, 'user_options')

NO_FORM = '<p role="alert">The profiles of this hub cannot be shown. Please tell its operator; the log says why.</p>'


class Choosing(Manifests):
    """The part of KubeSpawner that lets users choose. `super()` of its methods is JupyterHub's Spawner."""

    # The form

    @default('options_form')
    def _form_of_profiles(self):
        if not self._may_be_a_choice() and not (self.profile_list and self._last_choice()):
            return ''
        if version_info >= (0, 9):
            return self._profile_form
        form = self._profile_form(self)
        if form.done():
            return form.result()
        self.log.error('KubeSpawner.profile_list: this version of JupyterHub cannot wait for a coroutine when it shows '
                       'a form.')
        return NO_FORM

    def _may_be_a_choice(self):
        if callable(self.profile_list):
            return True
        try:
            return profiles.is_a_choice(profiles.checked(self.profile_list))
        except ValueError:  # is told when it is shown
            return True

    @gen.coroutine
    def _profile_form(self, _):
        """Return the form with the last choice preselected; '' if there is nothing to choose or to correct."""
        try:
            offered = yield self._profiles()
        except ValueError as e:
            self.log.error('%s', e, exc_info=callable(self.profile_list))
            return NO_FORM
        refused, self._refused = self._refused, None
        shown, note = profiles.for_form(offered, refused or self._last_choice())
        if not offered or not (note or profiles.is_a_choice(offered)):
            return ''
        if refused:  # the page says why
            note = ''
        form = _form(tuple(self.additional_profile_form_template_paths), self.profile_form_template)
        return form.render(profile_list=shown, note=note)

    def _form_for(self, profile_list):
        """Return the form for a list of profiles. Raises ValueError."""
        offered = profiles.checked(profile_list)
        shown, note = profiles.for_form(offered, self._last_choice())
        form = _form(tuple(self.additional_profile_form_template_paths), self.profile_form_template)
        return form.render(profile_list=shown, note=note)

    def _last_choice(self):
        return self.user_options or getattr(self.orm_spawner, 'user_options', None) or {}

    @gen.coroutine
    def _profiles(self):
        """Return the profiles that this user is offered, see `profiles.checked`. Raises ValueError."""
        listed = self.profile_list
        if callable(listed):
            listed = yield self._result_of('profile_list', self)
        try:
            offered = profiles.checked(listed)
            for where, name in profiles.settings_of(offered):
                self._check_setting(where, name)
        except ValueError as e:
            raise ValueError(one_line('KubeSpawner.profile_list: %s' % e))
        return offered

    def _check_setting(self, where, name):
        """Raise ValueError if a profile cannot override a setting."""
        trait = getattr(type(self), self._trait_called(name), None)
        if not isinstance(trait, TraitType) or not trait.metadata.get('config'):
            raise ValueError('%s: kubespawner_override contains %r, which is not a setting of %s.' % (
                where, name, type(self).__name__))
        if trait.name in OF_ALL_STARTS:
            raise ValueError('%s: kubespawner_override must not contain %r, which concerns more than one start.' % (
                where, name))
        if trait.name == 'pvc_name_template' and self.remember_pvc_name:
            raise ValueError('%s: kubespawner_override may contain %r only if KubeSpawner.remember_pvc_name is '
                             'False. Otherwise a server keeps the claim that it has.' % (where, name))

    def _trait_called(self, name):
        return name if self.has_trait(name) else canonical_name(name)

    # What is sent

    _refused = None  # the rejected options that the next form shows for the user to correct

    def _options_from_form(self, form_data):
        """Return what a user chose, for `user_options`. Raises SpawnError if it is not available."""
        if not self.profile_list or self._has_own_form():
            return form_data
        return self._checked_choice(profiles.from_form(form_data))

    def options_from_query(self, query_data):
        """Return the options that a link such as `/hub/spawn?profile=large&tools=r` chooses. Raises SpawnError.

        Somebody else may have written the link, and JupyterHub starts the server without asking the user. So a link can
        choose listed values only, even if another form or another `options_from_form` reads it.
        """
        if not self.profile_list:
            return super().options_from_query(query_data)
        profiles.check_link(query_data)
        if self._may_have_more():
            return super().options_from_query(query_data)
        return self._checked_choice(profiles.from_query(query_data))

    def _checked_choice(self, options):
        """Return `options` if they are available. Otherwise raise SpawnError, and let the next form show them again."""
        offered = self._profiles()
        if not offered.done():  # it is checked at the start: old hubs do not wait here
            offered.add_done_callback(lambda future: future.exception())
        elif offered.result():
            self._refused = options
            profiles.chosen(offered.result(), options)
            self._refused = None
        return options

    if isinstance(getattr(Spawner, 'options_from_form', None), TraitType):
        @default('options_from_form')
        def _options_from_form_of_profiles(self):
            return self._options_from_form
    else:
        options_from_form = _options_from_form

    @default('apply_user_options')
    def _options_are_applied_later(self):
        return (lambda spawner, options: None) if self.profile_list else None  # none would be warned of

    def _has_own_form(self):
        """True if the operator replaced the form."""
        return 'options_form' in self._trait_values or not isinstance(type(self).options_form, DynamicDefault)

    def _may_have_more(self):
        """True if users may send more than a choice: the operator replaced the form, or what reads it."""
        ours = getattr(self.options_from_form, '__func__', None) is Choosing._options_from_form
        return not ours or self._has_own_form()

    # What is overridden

    _is_by_user = False  # whether what the user sent may be the reason for a failure of this start

    @gen.coroutine
    def _use_profile(self, deadline, is_wanted):
        """Override settings with those of the user's choice until `_end_profile`; return the names of their traits.

        is_wanted (callable): whether the start still is.
        Raises SpawnError if the choice cannot be had, and ValueError if what is configured cannot be.
        """
        self._end_profile()
        self._is_by_user = False
        offered = (yield self._offered_in_time(deadline)) if self.profile_list else []
        if offered:
            self._is_by_user = True
            choice = profiles.chosen(offered, self.user_options, self._may_have_more())
            overrides = profiles.overrides(*choice, templates=WITH_TEMPLATES)
            self._is_by_user = any(each.by_user for each in overrides)
            try:
                for each in overrides:
                    trait = self._trait_called(each.setting)
                    value = yield in_time(
                        self._result_for(each.where, trait, each.value), deadline, 'profile_list', self.pod_name)
                    check_wanted(is_wanted, self.pod_name)
                    self._override(each.where, trait, value, each.by_user)
            except Exception:
                if is_wanted():
                    self._end_profile()
                raise
            self.log.info('Starting pod %s with profile %r and %s', self.pod_name, choice[0]['slug'],
                          dict(choice[1], **choice[2]) or 'no options')
        return set(self._overridden)

    def _offered_in_time(self, deadline):
        what = 'profile_list' if callable(self.profile_list) else None
        return in_time(self._profiles(), deadline, what, self.pod_name)

    @gen.coroutine
    def _result_for(self, where, trait, value):
        """Return the new value of a trait: `value`, or its result if it is a function of the spawner."""
        if not callable(value) or isinstance(getattr(type(self), trait), Callable):
            return value
        try:
            return (yield awaited(value(self)))
        except Exception as e:
            raise blaming('profile_list: %s: %s' % (where, trait), e)

    _overridden = {}  # by trait: (whether it had a value, that value, the one it has now)

    def _override(self, where, trait, value, by_user=''):
        """Set a trait until `_end_profile`. An error is the user's if the option `by_user` contains their own value."""
        had, before = trait in self._trait_values, self._trait_values.get(trait)
        if trait in self._overridden:
            had, before, _ = self._overridden[trait]
        if by_user:
            value = self._checked_words(trait, value, by_user)
        try:
            setattr(self, trait, profiles.merged(getattr(self, trait), value))
        except Exception as e:
            if by_user and _may_take(getattr(type(self), trait), value):
                self.log.warning('%s: %s: %s', where, trait, one_line(e))
                is_told = not isinstance(value, (dict, list, tuple))  # what is in those may be secret
                why = ': %.*s' % (SHOWN_REASON, e) if is_told else '.'
                raise SpawnError('"%s" cannot have this value%s' % (by_user, why))
            raise ValueError('KubeSpawner.profile_list: %s: %s: %s' % (where, trait, e))
        self._overridden = OrderedDict(self._overridden)
        self._overridden[trait] = had, before, self._trait_values[trait]

    def _checked_words(self, trait, value, by_user):
        """Return `value`, which contains a user's own text, with numbers where the trait takes numbers."""
        if trait in OF_NUMBERS and isinstance(value, list):
            try:
                value = profiles.with_numbers(value)
            except ValueError:
                raise SpawnError('"%s" cannot have this value: it must be a whole number.' % by_user)
        elif _is_number(getattr(type(self), trait)):
            value = _number(value)
        if trait == 'pod_connect_ip' and _NO_HOST.search(str(value)):
            raise SpawnError('"%s" cannot have this value: it must be part of a host name.' % by_user)
        if trait in OF_WAITING and isinstance(value, (int, float)) and not 0 < value <= LONGEST_WAIT:
            raise SpawnError('"%s" cannot have this value: it must be from 1 to %d seconds.' % (by_user, LONGEST_WAIT))
        return value

    def _end_profile(self):
        """Restore the values of overridden settings, except of those that have been set since."""
        overridden, self._overridden = self._overridden, {}
        for trait, (had, before, now) in overridden.items():
            if self._trait_values.get(trait) is not now:
                continue
            if had:
                setattr(self, trait, before)
            else:
                del self._trait_values[trait]

    # State

    def get_state(self):
        state = super().get_state()
        kept = {trait: getattr(self, trait) for trait in self._overridden if trait in OF_RUNNING_SERVERS}
        if kept:
            state['overrides'] = kept
        if self.profile_list and self.user_options and not IS_KEPT_BY_HUB and not self._may_have_more():
            state['user_options'] = self.user_options
        return state

    def load_state(self, state):
        super().load_state(state)
        for trait, value in (state.get('overrides') or {}).items():
            if trait in OF_RUNNING_SERVERS:
                self._override('kept in the state', trait, value)
        if not self.user_options and state.get('user_options'):
            self.user_options = state['user_options']

    def clear_state(self):
        super().clear_state()
        self._end_profile()


def _kinds(trait):
    """Return the trait types of which a trait may be."""
    return getattr(trait, 'trait_types', [trait])


def _is_number(trait):
    """True if a trait takes a number."""
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
    """True if a trait takes values of the shape of `value`, whatever strings it contains."""
    return any(_may_be(kind, value) for kind in _kinds(trait))


def _may_be(kind, value):
    if isinstance(kind, (Bool, Callable)):
        return False
    if isinstance(kind, (Container, Dict)):
        return (isinstance(value, dict) and isinstance(kind, (Dict, KubeObjectList))
                or isinstance(value, (list, tuple)) and not isinstance(kind, Dict))
    return not isinstance(value, (dict, list, tuple))


@functools.lru_cache(maxsize=20)
def _form(directories, text):
    """Return the template of the form: `text` as a template, or the first `form.html` if it is empty."""
    ours = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'html')
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(list(directories) + [ours]), autoescape=True)
    return environment.from_string(text) if text else environment.get_template('form.html')
