"""The profile form, the user options, and the start with what the user chose.

What a spawner does with profiles belongs here; what profiles are, and what they offer, is in `profiles`. Everything
runs on the IOLoop's thread, and reads hub state.
"""
import functools
import os
import time

import jinja2
from jupyterhub import orm
from jupyterhub.spawner import Spawner
from tornado import gen
from traitlets import TraitType, default

from .. import naming, profiles
from ..lifecycle.waiting import check_wanted, in_time
from ..messages import pages
from ..messages.errors import ConfigurationError, SpawnError, one_line
from ..traitlets import DynamicDefault
from .awaiting import maybe_await
from .form_names import FormNames
from .manifests import error_of_setting
from .overrides import OF_PLACES, WITH_TEMPLATES, Overrides
from .profile_list import ProfileList

# Whether the hub itself keeps what users chose.
IS_KEPT_BY_HUB = hasattr(orm.Spawner, 'user_options')

NO_DEADLINE = float('inf')

FORM_METHODS = frozenset(['_options_form_default', 'get_options_form'])  # with which subclasses replace the form

# JupyterHub's page has the button that starts a server. Without profiles there is nothing to start.
NO_FORM = (
    '<style>#spawn_form [type=submit] { display: none; }</style>'
    '<p role="alert">The profiles of this hub cannot be shown. Please tell its operator; the log says why.</p>')

THAT_WORKED = 'The choice that worked last is selected.'
ANOTHER = 'Another profile is selected.'


class UserOptions(FormNames):
    """The part of KubeSpawner for the profile form and user options. `super()` is JupyterHub's Spawner."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._check_profiles()

    # What is offered

    _profile_list = []  # what was offered last, or what a subclass offers that has no `profile_list`
    _read_list = None  # the former

    def _has_profiles(self):
        return bool(self.profile_list or self._listed_otherwise())

    def _listed_otherwise(self):
        """Return the profiles that are not in `profile_list`, but were assigned or were in a rendered form."""
        return [] if self._profile_list is self._read_list else self._profile_list

    @gen.coroutine
    def _profiles(self):
        """Return the profiles that are offered to this user, see `profiles.checked`. Raises ValueError."""
        listed = self.profile_list
        if callable(listed):
            listed = yield self._result_of('profile_list', self)
        if self.profile_list or not self._listed_otherwise():
            self._profile_list = self._read_list = self._checked_list(listed)
            return self._profile_list
        return self._checked_list(self._listed_otherwise())

    def _checked_list(self, listed):
        return self._list_reader.checked(listed)

    @property
    def _list_reader(self):
        cls, configuration = type(self), self.config or None
        if '_warned_of' not in vars(cls) or cls._warned_of[0] is not configuration:
            cls._warned_of = configuration, set()
        return ProfileList(self._overrides, self.log, cls._warned_of[1])

    _list_checked_for = None  # the configuration whose list was looked at last

    def _check_profiles(self):
        """Log what is wrong with a configured list, once, when the hub starts. A function's list is checked later."""
        is_checked = self.config and self.config is UserOptions._list_checked_for
        if self.profile_list and not is_checked and not callable(self.profile_list):
            UserOptions._list_checked_for = self.config
            self._list_reader.check(self.profile_list)

    # The form

    @default('options_form')
    def _form_of_profiles(self):
        if not self._may_be_a_choice() and not (self._has_profiles() and self._last_choice()):
            return ''
        return self._profile_form

    def _text_of_form(self, form):
        """Return the text of a form that is a function, for versions of JupyterHub that do not call it."""
        text = maybe_await(form(self))
        if text.done():
            return text.result()
        text.add_done_callback(lambda future: future.exception())
        self.log.error('KubeSpawner.profile_list or options_form: this version of JupyterHub cannot wait for a '
                       'coroutine when it shows a form.')
        return NO_FORM

    def _may_be_a_choice(self):
        if callable(self.profile_list):
            return True
        try:
            return profiles.is_a_choice(profiles.checked(self.profile_list or self._listed_otherwise()))
        except ValueError:  # the mistake is logged when the form is shown
            return True

    @gen.coroutine
    def _profile_form(self, _):
        """Return the form with the last choice selected; '' if there is nothing to choose or to correct."""
        try:
            offered = yield self._profiles()
        except ValueError as e:
            self._list_reader.log_mistakes(e, exc_info=callable(self.profile_list))
            return NO_FORM
        return self._rendered(offered)

    def _rendered(self, offered):
        """Return the form of these profiles."""
        if not offered:
            return ''
        refused, self._refused = self._refused, None
        failure = None if refused else self._last_start.failure_to_show(time.time())
        instead, why = self._choice_instead(offered) if failure is not None and failure.wants_another else (None, '')
        shown, note = profiles.for_form(offered, refused or instead or self._last_choice())
        if not (note or profiles.is_a_choice(offered)):
            return ''
        if refused:  # the page says why
            note = ''
        form = _form(tuple(self.additional_profile_form_template_paths), self.profile_form_template)
        return self._said_of(failure, why) + form.render(profile_list=shown, note=note)

    def _said_of(self, failure, note):
        """Return what the form says about a last start that failed; it is not news any more."""
        is_news, self._last_start.is_news = self._last_start.is_news, False
        if failure is None:
            return ''
        return pages.last_failure(failure.summary, failure.details, failure.seconds, note, is_news)

    def _choice_instead(self, offered):
        """Return (options, note): what to select instead of the last choice, and why; (None, '') to keep that choice.

        offered: the present profiles, see `profiles.checked`.
        """
        worked = self._choice_that_worked(offered)
        if worked:
            return worked, THAT_WORKED
        last = _chosen(offered, self._last_choice())
        slug = profiles.another_slug(offered, last[0]) if last else None
        return ({'profile': slug}, ANOTHER) if slug else (None, '')

    def _choice_that_worked(self, offered):
        """Return the options of the last start that worked and whose choice was not the last one, or None.

        offered: the present profiles, see `profiles.checked`.
        """
        last = _chosen(offered, self._last_choice())
        for options in self._last_start.worked:
            if _chosen(offered, options) not in (None, last):
                return options
        return None

    def _last_choice(self):
        return self.user_options or getattr(self.orm_spawner, 'user_options', None) or {}

    # What is sent

    _refused = None  # the rejected options that the next form shows for the user to correct

    def run_options_from_form(self, form_data):
        """Return the options that a form chooses: JupyterHub calls this since 1.4. Its page shows errors."""
        self._last_start.is_news = False
        return super().run_options_from_form(form_data)

    def _options_from_form(self, formdata=None):
        """Return what a user chose, for `user_options`. Raises SpawnError if it is not available.

        Other fields of an operator's own form are kept unchanged. Without `formdata`, return this method, as in 2018.
        """
        if formdata is None:
            return self._options_from_form
        is_own = self._has_own_form()
        if not (self._has_profiles() or is_own and profiles.is_of_profiles(formdata)):
            return formdata
        offered = self._offered_now()
        options = profiles.from_form(formdata, profiles.default_slug(offered), with_more=is_own)
        return self._checked_choice(offered, profiles.unwrapped(offered, options) if is_own else options, is_own)

    def options_from_query(self, query_data):
        """Return the options that a link such as `/hub/spawn?profile=large&tools=r` chooses. Raises SpawnError.

        Somebody else may have written the link, and JupyterHub starts the server without asking the user. So a link can
        only choose listed values, even if an operator's own form or `options_from_form` reads it.
        """
        self._last_start.is_news = False
        profiles.check_link(query_data)
        if not self._has_profiles() or self._may_have_more():
            return super().options_from_query(query_data)
        return self._checked_choice(self._offered_now(), profiles.from_query(query_data))

    def _offered_now(self):
        """Return the profiles that are offered to this user; an empty list if they are not known without waiting."""
        offered = self._profiles()
        if offered.done():
            try:
                return offered.result()
            except ValueError as e:
                raise ConfigurationError(e)
        offered.add_done_callback(lambda future: future.exception())
        return []  # it is checked at the start: old hubs do not wait here

    def _checked_choice(self, offered, options, may_have_more=False):
        """Return `options` if they are available. Otherwise raise SpawnError, and let the next form show them again."""
        if offered:
            self._refused = options
            profiles.chosen(offered, options, may_have_more)
            self._refused = None
        return options

    if isinstance(getattr(Spawner, 'options_from_form', None), TraitType):
        @default('options_from_form')
        def _options_from_form_of_profiles(self):
            return self._options_from_form
    else:
        def options_from_form(self, form_data):
            """Return what a user chose: JupyterHub before 1.4 calls this."""
            return self._options_from_form(form_data)

    @default('apply_user_options')
    def _options_are_applied_later(self):
        return _apply_later if self._has_profiles() else None  # none would be warned of

    def _has_own_form(self):
        """Return whether the operator or a subclass replaced the form."""
        if 'options_form' in self._trait_values or not isinstance(type(self).options_form, DynamicDefault):
            return True
        return _has_a_form(type(self))

    def _may_have_more(self):
        """Return whether users may send more than a choice: the operator replaced the form, or `options_from_form`."""
        reader = getattr(self.options_from_form, '__func__', None)
        ours = UserOptions._options_from_form, vars(UserOptions).get('options_from_form')
        is_ours = reader in ours and type(self)._options_from_form is UserOptions._options_from_form
        return not is_ours or self._has_own_form()

    def _has_hook_for_options(self):
        return getattr(self, 'apply_user_options', None) not in (None, _apply_later)

    # What is overridden

    _is_by_user = False  # whether what the user sent may be the reason for a failure of this start
    _start_of_choice = NO_DEADLINE, lambda: True  # the deadline of the start that goes on, and whether it is wanted

    @gen.coroutine
    def _use_profile(self, deadline, is_wanted):
        """Override settings with those of the user's choice, until the state is cleared; return their names.

        is_wanted (callable): returns whether the start is still wanted.
        Raises SpawnError if the choice is not available, and ValueError for a wrong configuration.
        """
        self._end_profile()
        self._is_by_user = False
        self._start_of_choice = start = deadline, is_wanted
        try:
            applied = self.load_user_options()
            if type(self).load_user_options is not UserOptions.load_user_options:  # ours knows what it waits for
                applied = in_time(maybe_await(applied), deadline, 'load_user_options', self.pod_name)
            yield applied
        finally:
            if self._start_of_choice is start:
                del self._start_of_choice
        return set(self._overrides)

    @gen.coroutine
    def load_user_options(self):
        """Override settings with those of the choice in `user_options`, until the state is cleared.

        Each start calls this; subclasses may extend or replace it. Raises SpawnError if the choice is not available,
        and ValueError for a wrong configuration.
        """
        deadline, is_wanted = self._start_of_choice
        check_wanted(is_wanted, self.pod_name)  # a subclass may have waited
        self._end_profile()
        offered = (yield self._offered_in_time(deadline)) if self._has_profiles() else []
        if offered:
            yield self._apply_choice(offered, deadline, is_wanted)
        elif self._has_own_form() and isinstance(self.user_options.get('profile'), str):
            self._list_reader.warn_once(
                'KubeSpawner.profile_list is empty at the start of a server, though the form offers profiles. A '
                'function as `profile_list` is also there when no form was shown.')

    @gen.coroutine
    def _apply_choice(self, offered, deadline, is_wanted):
        self._is_by_user = True
        choice = profiles.chosen(offered, self.user_options, may_have_more=True)
        self._warn_of_further_keys(choice[0])
        overrides = profiles.overrides(*choice, templates=WITH_TEMPLATES)
        self._is_by_user = any(each.by_user for each in overrides)
        usual_claim = self._usual_claim(overrides)
        try:
            for each in overrides:
                name = self._overrides.name_of(each.setting)
                value = yield in_time(
                    self._result_for(each.where, name, each.value), deadline, 'profile_list', self.pod_name)
                check_wanted(is_wanted, self.pod_name)
                self._list_reader.warn_of(each)
                self._overrides.set(each.where, name, value, each.by_user)
            if usual_claim:
                self._server_names.set_aside(self._claim_key(overrides), self.namespace, *usual_claim)
        except Exception:
            if is_wanted():
                self._end_profile()
            raise
        self.log.info('Starting pod %s with profile %r and %s', self.pod_name, choice[0]['slug'],
                      dict(choice[1], **choice[2]) or 'no options')

    _further_keys = ()  # those that were logged last

    def _warn_of_further_keys(self, profile):
        """Log the options that a user sent besides a choice, if nothing that we know of reads them."""
        further = profiles.further_keys(profile, self.user_options)
        if further and further != self._further_keys and not (self._may_have_more() or self._has_hook_for_options()):
            self.log.warning('user_options of pod %s has keys that are no options of the profile %r: %s. Only hooks '
                             'can use them.', self.pod_name, str(profile['display_name']),
                             one_line(profiles.in_words(further)))
        self._further_keys = further

    def _usual_claim(self, overrides):
        """Return what `set_aside` needs to know of the server's usual claim; None if these overrides keep it."""
        if not self._claim_key(overrides):
            return None
        return (self.pvc_name if self._server_names.has_claim else None,
                naming.object_name(self._expand_trait('pvc_name_template')))

    def _claim_key(self, overrides):
        """Return the key under which a claim is remembered; empty for the server's usual claim."""
        sources = {each.source for each in overrides if self._overrides.name_of(each.setting) in OF_PLACES}
        return ' '.join(sorted(sources))

    def _end_profile(self):
        self._overrides.end()
        self._server_names.bring_back()

    def _offered_in_time(self, deadline):
        what = 'profile_list' if callable(self.profile_list) else None
        return in_time(self._profiles(), deadline, what, self.pod_name)

    @gen.coroutine
    def _result_for(self, where, trait, value):
        """Return the new value of a trait: `value`, or its result if it is a function of the spawner."""
        if not self._overrides.is_to_be_called(trait, value):
            return value
        try:
            return (yield maybe_await(value(self)))
        except Exception as e:
            raise error_of_setting('profile_list: %s: %s' % (where, trait), e)

    @property
    def _overrides(self):
        """The settings that the profile overrides now."""
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
        if self._has_profiles() and self._last_start.state():
            state['last_start'] = self._last_start.state()
        if self._has_profiles() and self.user_options and not IS_KEPT_BY_HUB and not self._may_have_more():
            state['user_options'] = self.user_options
        return state

    def load_state(self, state):
        super().load_state(state)
        self._overrides.load(state.get('overrides'))
        self._last_start.load(state.get('last_start'))
        if not self.user_options and state.get('user_options'):
            self.user_options = state['user_options']

    def clear_state(self):
        super().clear_state()
        self._end_profile()


def _chosen(offered, options):
    """Return the choice in `options` in a form that can be compared; None if it is not available."""
    try:
        profile, choices, values = profiles.chosen(offered, options, may_have_more=True)
    except SpawnError:
        return None
    return profile['slug'], choices, values


@functools.lru_cache(maxsize=20)
def _has_a_form(spawner_class):
    """Return whether a subclass replaces the form."""
    subclasses = spawner_class.__mro__[:spawner_class.__mro__.index(UserOptions)]
    return any('options_form' in vars(cls).get('_trait_default_generators', ()) or FORM_METHODS & set(vars(cls))
               for cls in subclasses)


@functools.lru_cache(maxsize=20)
def _form(directories, text):
    """Return the template of the form: from `text`, or the first `form.html` if that is empty."""
    ours = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'html')
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(list(directories) + [ours]), autoescape=True)
    return environment.from_string(text) if text else environment.get_template('form.html')


def _apply_later(spawner, options):
    """Do nothing: the start applies what users chose."""
