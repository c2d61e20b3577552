"""The form of the profiles, without a hub: what it says of the last start, and of a list that cannot be shown."""
import time

import pytest
from jupyterhub import version_info

from kubespawner import KubeSpawner
from kubespawner.messages import hints
from kubespawner.messages.errors import Cause, ConfigurationError, SpawnError
from tests.cluster.conftest import make_spawner

PROFILES = [{'display_name': 'Works', 'slug': 'works'}, {'display_name': 'Missing', 'slug': 'missing'},
            {'display_name': 'Other', 'slug': 'other'}]

IMAGE = SpawnError('Pod jupyter-ann failed to start.', 'ErrImagePull', Cause.IMAGE, '<not> found')
CRASH = SpawnError('Pod jupyter-ann failed to start.', 'Error', Cause.CONTAINER, 'exit code 3')
STYLE_OF_NEWS = 'kubespawner-news'


def form_of(spawner):
    form = spawner.options_form
    return form(spawner).result() if version_info >= (0, 9) and form else form


def try_to_start(spawner, profile, error=None):
    """Have a spawner go through a start of a profile that works, or fails with an error."""
    spawner.user_options = {'profile': profile}
    try:
        with spawner._progress_of_start():
            if error is not None:
                raise hints.with_hint(error, True)
    except SpawnError:
        pass


def successor_of(spawner, choice, **traits):
    """Return the spawner that JupyterHub makes after a failure, or after a restart."""
    made = make_spawner(KubeSpawner, **dict({'profile_list': PROFILES}, **traits))
    state = spawner.get_state()
    made.load_state(state)
    made.user_options = {'profile': choice}
    return made


def selected(form):
    before, _, _ = form.partition(' checked')
    return before.rpartition('value="')[2].rstrip('"')


@pytest.fixture
def spawner():
    return make_spawner(KubeSpawner, profile_list=PROFILES)


@pytest.mark.gen_test
def test_the_form_says_why_the_last_start_failed_also_after_a_restart_of_the_hub(spawner):
    try_to_start(spawner, 'missing', IMAGE)
    form = form_of(successor_of(spawner, 'missing'))
    assert form.count('The image of your server cannot be pulled.') == 1
    assert form.count('&lt;not&gt; found') == 1 and '<not>' not in form
    assert form.index('cannot be pulled') < form.index('<details>') < form.index('Choose a server')


@pytest.mark.gen_test
def test_another_choice_that_worked_is_selected_if_the_image_is_missing(spawner):
    try_to_start(spawner, 'other')
    try_to_start(spawner, 'works')
    try_to_start(spawner, 'missing', IMAGE)
    form = form_of(successor_of(spawner, 'missing'))
    assert selected(form) == 'works' and 'The choice that worked last is selected.' in form


@pytest.mark.gen_test
def test_an_image_that_is_not_there_any_more_is_not_selected_because_it_worked_once(spawner):
    for profile, error in [('other', None), ('works', None), ('works', IMAGE)]:
        try_to_start(spawner, profile, error)
    assert selected(form_of(successor_of(spawner, 'works'))) == 'other'


@pytest.mark.gen_test
@pytest.mark.parametrize('failed, default, expected', [
    ('missing', 'works', 'works'), ('missing', 'other', 'other'), ('missing', 'missing', 'works'),
    ('works', 'works', 'missing')])
def test_if_nothing_else_worked_the_default_is_selected_or_the_first_profile_that_has_not_failed(
        spawner, failed, default, expected):
    listed = [dict(each, default=each['slug'] == default) for each in PROFILES]
    try_to_start(spawner, failed, IMAGE)
    form = form_of(successor_of(spawner, failed, profile_list=listed))
    assert selected(form) == expected and form.count(' checked') == 1
    assert 'Another profile is selected.' in form and 'worked' not in form


@pytest.mark.gen_test
def test_the_only_profile_and_its_options_stay_selected_if_it_failed(spawner):
    only = dict(PROFILES[1], profile_options={'size': {'choices': {'small': {}, 'large': {}}}})
    try_to_start(spawner, 'missing', IMAGE)
    made = successor_of(spawner, 'missing', profile_list=[only])
    made.user_options = {'profile': 'missing', 'size': 'large'}
    form = form_of(made)
    assert selected(form) == 'missing' and '<option value="large" selected>' in form and 'is selected' not in form


@pytest.mark.gen_test
def test_the_last_choice_stays_selected_if_it_can_be_tried_again(spawner):
    try_to_start(spawner, 'works')
    try_to_start(spawner, 'other', CRASH)
    assert selected(form_of(successor_of(spawner, 'other'))) == 'other'


@pytest.mark.gen_test
def test_what_worked_but_is_not_offered_any_more_is_not_selected(spawner):
    try_to_start(spawner, 'works')
    try_to_start(spawner, 'missing', IMAGE)
    form = form_of(successor_of(spawner, 'missing', profile_list=PROFILES[1:]))
    assert selected(form) == 'other' and 'worked' not in form


@pytest.mark.gen_test
def test_a_start_that_works_ends_what_the_form_says(spawner):
    try_to_start(spawner, 'missing', IMAGE)
    try_to_start(spawner, 'works')
    assert 'alert' not in form_of(successor_of(spawner, 'works'))


@pytest.mark.gen_test
def test_an_old_failure_is_not_told_of(spawner, monkeypatch):
    try_to_start(spawner, 'missing', IMAGE)
    now = time.time() + 25 * 60 * 60
    monkeypatch.setattr(time, 'time', lambda: now)
    assert 'cannot be pulled' not in form_of(successor_of(spawner, 'missing'))


@pytest.mark.gen_test
def test_the_message_of_the_page_is_hidden_only_if_the_form_says_the_same(spawner):
    try_to_start(spawner, 'missing', IMAGE)
    assert STYLE_OF_NEWS in form_of(spawner)
    assert STYLE_OF_NEWS not in form_of(spawner)  # the page has been seen
    try_to_start(spawner, 'missing', IMAGE)
    with pytest.raises(SpawnError):
        spawner.options_from_query({'profile': ['unlisted-choice']})
    assert STYLE_OF_NEWS not in form_of(spawner)  # the page says what is wrong with the link


@pytest.mark.gen_test
def test_a_list_that_cannot_be_shown_has_no_button_and_all_its_mistakes_are_logged(caplog):
    wrong = [{'slug': 'a--b'}, {'display_name': 7}, PROFILES[0], dict(PROFILES[1], kubespawner_override=['x'])]
    spawner = make_spawner(KubeSpawner, profile_list=lambda spawner: wrong)
    form = form_of(spawner)
    assert 'cannot be shown' in form and '#spawn_form [type=submit] { display: none; }' in form
    logged = [record.getMessage() for record in caplog.records]
    for mistake in ('a--b', 'display_name must be a string', 'kubespawner_override must be a dict'):
        assert len([text for text in logged if mistake in text]) == 1
    with pytest.raises(ConfigurationError) as e:
        spawner.options_from_form({'profile': ['works']})
    assert 'a--b' not in e.value.jupyterhub_message and 'a--b' in str(e.value)


@pytest.mark.gen_test
def test_all_settings_that_a_list_cannot_override_are_logged(caplog):
    wrong = [{'slug': 'a', 'kubespawner_override': {'start': 1, '_known': 2}},
             {'slug': 'b', 'kubespawner_override': {'poll': 3}}]
    form_of(make_spawner(KubeSpawner, profile_list=lambda spawner: wrong))
    logged = ' '.join(record.getMessage() for record in caplog.records)
    assert "'start'" in logged and "'_known'" in logged and "'poll'" in logged
