"""The profile form, the options that users send, and the start with what they chose.

What a spawner does with profiles belongs here; what they are, and what users can choose, is in `profiles`. Everything
runs on the IOLoop's thread, and reads hub state.
"""
import functools
import os

import jinja2
from jupyterhub import orm, version_info
from jupyterhub.spawner import Spawner
from tornado import gen
from traitlets import TraitType, default

from .. import profiles
from ..lifecycle.waiting import check_wanted, in_time
from ..messages.errors import one_line
from ..traitlets import DynamicDefault
from .manifests import Manifests, awaited, blaming
from .overrides import WITH_TEMPLATES, Overrides

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
                self._overrides.check(where, name)
        except ValueError as e:
            raise ValueError(one_line('KubeSpawner.profile_list: %s' % e))
        return offered

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
        """Override settings with those of the user's choice, until the state is cleared; return the traits' names.

        is_wanted (callable): whether the start still is.
        Raises SpawnError if the choice cannot be had, and ValueError if what is configured cannot be.
        """
        self._overrides.end()
        self._is_by_user = False
        offered = (yield self._offered_in_time(deadline)) if self.profile_list else []
        if offered:
            self._is_by_user = True
            choice = profiles.chosen(offered, self.user_options, self._may_have_more())
            overrides = profiles.overrides(*choice, templates=WITH_TEMPLATES)
            self._is_by_user = any(each.by_user for each in overrides)
            try:
                for each in overrides:
                    name = self._overrides.name_of(each.setting)
                    value = yield in_time(
                        self._result_for(each.where, name, each.value), deadline, 'profile_list', self.pod_name)
                    check_wanted(is_wanted, self.pod_name)
                    self._overrides.set(each.where, name, value, each.by_user)
            except Exception:
                if is_wanted():
                    self._overrides.end()
                raise
            self.log.info('Starting pod %s with profile %r and %s', self.pod_name, choice[0]['slug'],
                          dict(choice[1], **choice[2]) or 'no options')
        return set(self._overrides)

    def _offered_in_time(self, deadline):
        what = 'profile_list' if callable(self.profile_list) else None
        return in_time(self._profiles(), deadline, what, self.pod_name)

    @gen.coroutine
    def _result_for(self, where, trait, value):
        """Return the new value of a trait: `value`, or its result if it is a function of the spawner."""
        if not self._overrides.is_to_be_called(trait, value):
            return value
        try:
            return (yield awaited(value(self)))
        except Exception as e:
            raise blaming('profile_list: %s: %s' % (where, trait), e)

    @property
    def _overrides(self):
        """What the profile overrides now."""
        if self._kept_overrides is None:
            self._kept_overrides = Overrides(self)
        return self._kept_overrides

    _kept_overrides = None

    # State

    def get_state(self):
        state = super().get_state()
        overrides = self._overrides.state()
        if overrides:
            state['overrides'] = overrides
        if self.profile_list and self.user_options and not IS_KEPT_BY_HUB and not self._may_have_more():
            state['user_options'] = self.user_options
        return state

    def load_state(self, state):
        super().load_state(state)
        self._overrides.load(state.get('overrides'))
        if not self.user_options and state.get('user_options'):
            self.user_options = state['user_options']

    def clear_state(self):
        super().clear_state()
        self._overrides.end()


@functools.lru_cache(maxsize=20)
def _form(directories, text):
    """Return the template of the form: `text` as a template, or the first `form.html` if it is empty."""
    ours = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'html')
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(list(directories) + [ours]), autoescape=True)
    return environment.from_string(text) if text else environment.get_template('form.html')
