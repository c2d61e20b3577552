"""Profiles as forms of operators, hooks and subclasses of other years use them. No cluster is needed."""
import asyncio
import logging

import pytest
from jupyterhub import version_info
from jupyterhub.spawner import Spawner
from tornado import gen
from traitlets.config import Config

from kubespawner import KubeSpawner
from kubespawner.messages.errors import SpawnError
from kubespawner.parts.manifests import maybe_await
from tests.cluster.conftest import make_spawner

coroutine_of_asyncio = getattr(asyncio, 'coroutine', gen.coroutine)  # until Python 3.10

LISTED = [
    {'display_name': 'CPU', 'kubespawner_override': {'mem_limit': '1G'}},
    {'display_name': 'GPU', 'slug': 'gpu', 'default': True, 'kubespawner_override': {'mem_limit': '2G'},
     'profile_options': {'size': {'choices': {
         'small': {}, 'large': {'kubespawner_override': {'mem_limit': '4G'}}}}}},
]
GIB = 2 ** 30


@pytest.fixture
def new(monkeypatch):
    """`new(username, cls=..., **traits)` returns a spawner of a new subclass."""
    monkeypatch.setattr(KubeSpawner, 'executor', None)

    def make(cls=KubeSpawner, **traits):
        fresh = type(cls)('Fresh', (cls,), {'pod_reflector': None, 'event_reflector': None})
        return make_spawner(fresh, 'ann', **traits)

    return make


def warnings(caplog, level=logging.WARNING):
    return [record.getMessage() for record in caplog.records if record.levelno == level]


# A form of the operator's

@gen.coroutine
def form_of(spawner):
    """Return the form as JupyterHub shows it."""
    form = spawner.options_form
    return (yield maybe_await(form(spawner) if callable(form) else form))


def plain(spawner):
    spawner.profile_list = LISTED
    return spawner._options_form_default()


@gen.coroutine
def of_tornado(spawner):
    yield gen.moment
    return plain(spawner)


@coroutine_of_asyncio
def of_asyncio(spawner):
    yield
    return plain(spawner)


async def native(spawner):
    return plain(spawner)


async def native_that_awaits(spawner):
    spawner.profile_list = LISTED
    return await spawner._options_form_default()


async def of_a_function(spawner):
    spawner.profile_list = lambda spawner: LISTED
    form = spawner._options_form_default()
    return await form(spawner)


async def of_a_function_awaited(spawner):
    spawner.profile_list = lambda spawner: LISTED
    return await spawner._options_form_default()


def of_a_function_returned(spawner):
    spawner.profile_list = lambda spawner: LISTED
    return spawner._options_form_default()


async def of_a_coroutine(spawner):
    async def listed(spawner):
        await asyncio.sleep(0)
        return LISTED

    spawner.profile_list = listed
    return await spawner._render_options_form_dynamically(spawner)


def rendered(spawner):
    return spawner._render_options_form(LISTED)


def with_more(spawner):
    spawner.profile_list = spawner._get_initialized_profile_list(LISTED)
    return spawner._render_options_form(spawner.profile_list) + '<input name="course">'


def assigned(spawner):
    spawner._profile_list = spawner._init_profile_list(LISTED)
    return spawner._render_options_form(spawner._profile_list)


WAITING = [of_tornado, of_asyncio, of_a_coroutine]
FORMS = [plain, native, native_that_awaits, of_a_function, of_a_function_awaited, of_a_function_returned, rendered,
         with_more, assigned]


@pytest.mark.parametrize('form', FORMS + (WAITING if version_info >= (0, 9) else []), ids=lambda form: form.__name__)
@pytest.mark.gen_test
def test_a_form_that_makes_use_of_ours_is_shown_and_what_it_sends_is_read(new, form):
    spawner = new(options_form=form)
    shown = yield form_of(spawner)
    assert isinstance(shown, str) and 'value="gpu"' in shown and 'profile-option-gpu--size' in shown
    spawner.user_options = yield maybe_await(spawner.options_from_form(
        {'profile': ['gpu'], 'profile-option-gpu--size': ['large'], 'course': ['a', 'b']}))
    assert spawner.user_options == {'profile': 'gpu', 'size': 'large', 'course': ['a', 'b']}
    yield maybe_await(spawner.load_user_options())
    assert spawner.mem_limit == 4 * GIB
    assert [profile['slug'] for profile in spawner._profile_list] == ['cpu', 'gpu']


def test_the_form_of_a_list_is_a_string_as_it_was_in_all_years(new):
    form = new(profile_list=LISTED)._options_form_default()
    assert isinstance(form, str) and form + '<p>' == str(form) + '<p>'
    assert new()._options_form_default() == ''


@pytest.mark.parametrize('sent, chosen, limit', [
    ({'profile': ['gpu']}, {'profile': 'gpu'}, 2),
    ({'profile': ['CPU']}, {'profile': 'CPU'}, 1),
    ({'profile': ['0']}, {'profile': '0'}, 1),
    ({'profile': ['1']}, {'profile': '1'}, 2),
    ({}, {}, 2),
    ({'profile': ['']}, {}, 2),
    ({'profile': ['gpu'], 'profile-option-gpu-size': ['large']}, {'profile': 'gpu', 'size': 'large'}, 4),
    ({'profile': ['gpu'], 'size': ['large']}, {'profile': 'gpu', 'size': 'large'}, 4),
])
@pytest.mark.gen_test
def test_what_forms_of_any_year_send_chooses_what_it_chose(new, sent, chosen, limit):
    spawner = new(profile_list=LISTED, options_form='<input name="profile">')
    for read in (spawner.options_from_form, spawner._options_from_form, spawner._options_from_form_default,
                 spawner._options_from_form_default(), spawner._options_from_form()):
        assert read(sent) == chosen
    spawner.user_options = chosen
    yield spawner.load_user_options()
    assert spawner.mem_limit == limit * GIB


@pytest.mark.parametrize('options', [{}, {'profile': ''}, {'profile': None}])
@pytest.mark.gen_test
def test_who_chooses_nothing_gets_the_default(new, options):
    spawner = new(profile_list=LISTED)
    spawner.user_options = options
    yield spawner.load_user_options()
    assert spawner.mem_limit == 2 * GIB


@pytest.mark.gen_test
def test_a_form_of_the_operators_offers_what_it_offers_now(new):
    """A user who is offered nothing any more does not get what an earlier form offered."""
    spawner = new(options_form='<p>')
    plain(spawner)
    spawner._render_options_form(LISTED)
    spawner.profile_list = []
    spawner.user_options = {'profile': 'gpu'}
    yield spawner.load_user_options()
    assert spawner.mem_limit is None


@pytest.mark.parametrize('sent', [{'profile': ['gpu', 'cpu']}, {'profile': [7]}, {'profile': ['none']},
                                  {'profile': ['gpu'], 'profile-option-gpu--size': ['huge']}])
@pytest.mark.gen_test
def test_what_is_not_offered_is_refused_in_a_form_of_the_operators_too(new, sent):
    with pytest.raises(SpawnError):
        new(profile_list=LISTED, options_form='<p>').options_from_form(sent)


@pytest.mark.skipif(version_info < (1, 2), reason='this hub has no links that choose')
@pytest.mark.gen_test
def test_a_link_brings_no_value_of_its_own_to_a_form_of_the_operators_whose_list_is_not_there_yet(new):
    spawner = new(options_form=plain)
    with pytest.raises(SpawnError, match='^A link cannot'):
        spawner.options_from_query({'profile': ['gpu'], 'size--unlisted-choice': ['evil']})
    assert spawner.options_from_query({'course': ['x']}) == {'course': ['x']}


@pytest.mark.gen_test
def test_a_choice_of_a_form_whose_list_is_gone_is_told(new, caplog):
    spawner = new(options_form='<p>')
    spawner.user_options = {'profile': 'gpu'}
    yield spawner.load_user_options()
    assert 'profile_list is empty' in warnings(caplog)[0]


@pytest.mark.gen_test
def test_a_subclass_may_replace_the_form_by_its_default(new):
    class Own(KubeSpawner):
        def _options_form_default(self):
            return '<h1>' + super()._options_form_default()

    spawner = new(Own, profile_list=LISTED)
    form = yield form_of(spawner)
    assert form.startswith('<h1>') and 'value="gpu"' in form
    assert spawner.options_from_form({'profile': ['gpu'], 'course': ['x']}) == {'profile': 'gpu', 'course': ['x']}


@pytest.mark.gen_test
def test_a_subclass_may_add_to_what_the_form_is_read_as(new):
    class Own(KubeSpawner):
        def _options_from_form(self, formdata):
            return dict(super()._options_from_form(formdata), course='x')

    class Older(KubeSpawner):
        def options_from_form(self, formdata):
            return dict(self._options_from_form(formdata), course='x')

    for cls in (Own, Older):
        read = new(cls, profile_list=LISTED).options_from_form({'profile': ['gpu']})
        assert read == {'profile': 'gpu', 'course': 'x'}


# load_user_options

class Doubling(KubeSpawner):
    async def load_user_options(self):
        await super().load_user_options()
        self.mem_limit = self.mem_limit * 2


@pytest.mark.gen_test
def test_load_user_options_of_a_subclass_may_wait_for_ours(new):
    spawner = new(Doubling, profile_list=LISTED)
    spawner.user_options = {'profile': 'gpu', 'size': 'large'}
    yield maybe_await(spawner.load_user_options())
    assert spawner.mem_limit == 8 * GIB


@pytest.mark.gen_test
def test_load_user_options_may_be_called_again(new):
    listed = [{'slug': 'x', 'kubespawner_override': {'volumes': {'data': {'name': 'data'}}}}]
    spawner = new(profile_list=listed, volumes=[{'name': 'home'}])
    for _ in range(2):
        yield spawner.load_user_options()
        assert spawner.volumes == [{'name': 'home'}, {'name': 'data'}]
    spawner.clear_state()
    assert spawner.volumes == [{'name': 'home'}]


# What is harmless

@pytest.mark.gen_test
def test_attributes_that_are_no_settings_are_set_until_the_server_has_stopped_with_one_warning(new, caplog):
    class Own(KubeSpawner):
        course, seats = 'none', {'a': 1}

        @property
        def room(self):
            return self.__dict__.get('_of_room', 0)

        @room.setter
        def room(self, value):
            self._of_room = value

    override = {'course': 'maths', 'seats': {'b': 2}, 'room': lambda spawner: 7, 'teacher': 'x'}
    spawner = new(Own, profile_list=[{'display_name': 'A', 'kubespawner_override': override}])
    for _ in range(2):
        yield spawner.load_user_options()
        assert (spawner.course, spawner.seats, spawner.room) == ('maths', {'a': 1, 'b': 2}, 7)
        assert spawner.teacher == 'x'
        spawner.clear_state()
        assert (spawner.course, spawner.seats, spawner.room) == ('none', {'a': 1}, 0)
        assert not hasattr(spawner, 'teacher')
    told, = warnings(caplog)
    assert "profile 'A': kubespawner_override contains 'teacher', which is not a setting" in told


@pytest.mark.gen_test
def test_a_misspelt_setting_is_an_error_at_the_hubs_start_and_a_warning_at_each_start_of_a_server(new, caplog):
    spawner = new(profile_list=[{'display_name': 'A', 'kubespawner_override': {'mem_limt': '1G'}}])
    told, = warnings(caplog, logging.ERROR)
    assert "'mem_limt', which is not a setting" in told and "Did you mean 'mem_limit'?" in told
    for starts in (1, 2):
        yield spawner.load_user_options()
        assert len(warnings(caplog)) == starts
        assert (spawner.mem_limit, spawner.mem_limt) == (None, '1G')
        spawner.clear_state()


def test_a_list_that_is_wrong_is_told_when_the_hub_starts(new, caplog):
    new(profile_list=[{'slug': 'a'}, {'slug': 'a'}])
    told, = warnings(caplog, logging.ERROR)
    assert "KubeSpawner.profile_list: the profiles" in told and "the slug 'a'" in told


@pytest.mark.gen_test
def test_what_is_written_in_the_wrong_place_or_type_is_told_once_and_the_start_goes_on(new, caplog):
    listed = [{'display_name': 'A', 'lifecycle_hooks': {}, 'profile_options': {
        'o': {'choices': {'c': {'profile_options': {}, 'default': 'True'}}}}}]
    spawner = new(profile_list=lambda spawner: listed)
    for _ in range(2):
        yield spawner.load_user_options()
    assert [told.split(': ', 1)[1] for told in warnings(caplog)] == [
        "profile 'A': 'lifecycle_hooks' has no effect there. It belongs in its kubespawner_override.",
        "profile 'A': option 'o': choice 'c': default is 'True', not True or False. It counts as True.",
        "profile 'A': option 'o': choice 'c': 'profile_options' has no effect there. It belongs in the profile, beside "
        'its kubespawner_override.']


@pytest.mark.gen_test
def test_further_keys_of_a_user_are_kept_for_hooks_with_one_warning(new, caplog):
    spawner = new(profile_list=LISTED)
    spawner.user_options = dict({'profile': 'gpu', 'size': 'large', 'no\nte': 'x'}, **{'k' * 999: 1})
    for _ in range(2):
        yield spawner.load_user_options()
        assert spawner.mem_limit == 4 * GIB and len(spawner.user_options) == 4
    told, = warnings(caplog)
    assert 'no te' in told and len(told) < 500


@pytest.mark.skipif(not hasattr(Spawner, 'apply_user_options'), reason='this hub has no apply_user_options')
@pytest.mark.parametrize('hook', [{'note': 'notebook_dir'}, lambda spawner, options: setattr(
    spawner, 'notebook_dir', options['note'])], ids=['dict', 'function'])
@pytest.mark.gen_test
def test_apply_user_options_works_beside_profiles(new, caplog, hook):
    spawner = new(profile_list=LISTED, apply_user_options=hook)
    spawner.user_options = {'profile': 'gpu', 'note': '/x'}
    yield maybe_await(spawner._run_apply_user_options(spawner.user_options))
    yield spawner.load_user_options()
    assert (spawner.notebook_dir, spawner.mem_limit) == ('/x', 2 * GIB)
    assert not [told for told in warnings(caplog) if 'note' in told]


@pytest.mark.parametrize('setting', ['namespace', 'kube_namespace', 'pvc_name_template', 'pvc_name'])
@pytest.mark.gen_test
def test_no_user_may_write_whose_files_a_server_gets(new, setting):
    spawner = new(profile_list=[{'slug': 'x', 'profile_options': {'o': {'unlisted_choice': {
        'enabled': True, 'kubespawner_override': {setting: 'a{value}'}}}}}])
    spawner.user_options = {'o--unlisted-choice': 'bob'}
    with pytest.raises(ValueError, match='must not contain {value}'):
        yield spawner.load_user_options()


@pytest.mark.gen_test
def test_a_form_of_a_configuration_file_is_called_when_it_is_shown_and_each_time(new):
    called = []

    def form(spawner):
        called.append(spawner.user.name)
        return plain(spawner)

    config = Config()
    config.KubeSpawner.options_form = form
    spawner = new(config=config)
    assert called == [] and spawner.profile_list == []
    for times in (1, 2):
        assert 'value="gpu"' in (yield form_of(spawner))
        assert called == ['ann'] * times
