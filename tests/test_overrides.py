"""What has other values for one server until it has stopped, of any object with traits. No hub is needed."""
import logging

import pytest
from traitlets import Dict, HasTraits, Integer, List, Unicode, Union

from kubespawner.messages.errors import SpawnError
from kubespawner.parts.overrides import Overrides
from kubespawner.parts.profile_list import ProfileList
from kubespawner.traitlets import Callable


class Server(HasTraits):
    log = logging.getLogger('kubespawner.tests')

    mem_limit = Integer(1, config=True)
    environment = Dict({'A': 'a'}, config=True)
    volumes = Union([List(), Dict()], default_value=['home'], config=True)
    hook = Callable(lambda: None, config=True)
    namespace = Unicode('hubs', config=True)
    shared = Unicode('no')
    course = 'none'


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def overrides(server):
    return Overrides(server)


@pytest.mark.parametrize('name, value, expected', [
    ('mem_limit', 2, 2), ('environment', {'B': 'b'}, {'A': 'a', 'B': 'b'}),
    ('volumes', {'x': 'data'}, ['home', 'data']), ('course', 'maths', 'maths'), ('new', [1], [1])])
def test_values_are_merged_and_come_back_at_the_end(server, overrides, name, value, expected):
    before = getattr(server, name, None)
    overrides.set('here', name, value)
    assert getattr(server, name) == expected and list(overrides) == [name]
    assert overrides.usual(name) == before
    overrides.end()
    assert getattr(server, name, None) == before and list(overrides) == []
    assert 'new' not in vars(server) and 'course' not in vars(server)


@pytest.mark.parametrize('name', ['mem_limit', 'course'])
def test_what_was_overridden_twice_comes_back_from_before_both_and_what_was_set_since_stays(server, overrides, name):
    usual = getattr(server, name)
    for value in (2, 3):
        overrides.set('here', 'mem_limit', value)
        overrides.set('here', 'course', value)
    setattr(server, 'course' if name == 'mem_limit' else 'mem_limit', 7)
    overrides.end()
    assert getattr(server, name) == usual and 7 in (server.mem_limit, server.course)


def test_only_a_value_of_the_users_own_is_the_users_mistake(overrides):
    with pytest.raises(ValueError, match='KubeSpawner.profile_list: here: mem_limit: '):
        overrides.set('here', 'mem_limit', 'lots')
    with pytest.raises(SpawnError, match='"Memory" cannot have this value'):
        overrides.set('here', 'mem_limit', 'lots', by_user='Memory')


def test_the_state_has_what_counts_until_a_running_server_has_stopped(server, overrides):
    overrides.set('here', 'namespace', 'far')
    overrides.set('here', 'mem_limit', 2)
    assert overrides.state() == {'namespace': 'far'}
    overrides.end()
    overrides.load({'namespace': 'far', 'mem_limit': 2})
    assert (server.namespace, server.mem_limit) == ('far', 1)


def test_a_value_in_the_state_that_cannot_be_set_any_more_is_told_of(server, overrides, caplog):
    overrides.load({'namespace': 5, 'start_timeout': 6})
    assert (server.namespace, server.start_timeout) == ('hubs', 6)
    assert 'namespace' in caplog.text


@pytest.mark.parametrize('name, told', [
    ('mem_limit', None), ('course', None), ('image', 'which is not a setting of Server. It is an attribute'),
    ('mem_limt', "Did you mean 'mem_limit'?")])
def test_names_that_are_no_settings_are_told(overrides, name, told):
    doubt = overrides.doubt('here', name)
    assert doubt is None if told is None else told in doubt[1] and doubt[0] is ('mean' in told)


@pytest.mark.parametrize('name', ['log', '_trait_values', '_private', 'trait_names', '__class__'])
def test_what_makes_a_spawner_work_is_not_overridden(overrides, monkeypatch, name):
    monkeypatch.setattr(Server, '__module__', 'kubespawner.spawner')
    with pytest.raises(ValueError, match='which is not a setting'):
        overrides.check('here', name)
    overrides.check('here', 'unknown')


OF_A_FILE = [
    'class Mine(Server):\n    level = "low"',
    'Mine = type("Mine", (Server,), {"level": "low"})',
    'class Mine(type("Other", (Server,), {"level": "low"})):\n    pass',
    'class Other:\n    level = "low"\nclass Mine(Server, Other):\n    pass',
]


@pytest.mark.parametrize('text', OF_A_FILE)
def test_what_a_class_in_a_configuration_file_adds_is_overridden_and_what_makes_it_work_is_not(text):
    names = {'Server': Server}  # as traitlets runs such a file: it has no __name__
    exec(text, names)
    server = names['Mine']()
    overrides = Overrides(server)
    overrides.check('here', 'level')
    overrides.set('here', 'level', 'high')
    assert server.level == 'high'
    overrides.end()
    assert server.level == 'low'
    for name in ('__class__', '__dict__', 'has_trait', 'traits'):
        with pytest.raises(ValueError, match='which is not a setting of Mine'):
            overrides.check('here', name)


def test_a_list_is_told_of_once_by_all_that_share_what_was_told(overrides, caplog):
    listed, told = [{'slug': 'a', 'mem_limit': 1, 'kubespawner_override': {'mem_limt': 1, 'image': 'x'}}], set()
    for _ in range(2):
        ProfileList(overrides, Server.log, told).check(listed)
    assert sorted(record.levelname for record in caplog.records) == ['ERROR', 'ERROR', 'WARNING', 'WARNING']


def test_a_wrong_setting_is_told_of_wherever_it_is_overridden(overrides, caplog):
    choices = {key: {'kubespawner_override': {'image': key, 'namespace': 'x', 'profile_list': []}} for key in 'ab'}
    listed = [{'slug': slug, 'kubespawner_override': {'image': 'x', 'profile_list': []},
               'profile_options': {'tools': {'choices': choices}}} for slug in ('first', 'second')]
    with pytest.raises(ValueError) as caught:
        ProfileList(overrides, Server.log, set()).checked(listed)
    assert [mistake.partition(': ')[2].partition(': kubespawner_override')[0] for mistake in caught.value.mistakes] == [
        "profile 'first'", "profile 'first': option 'tools'", "profile 'first': option 'tools'",
        "profile 'second'", "profile 'second': option 'tools'", "profile 'second': option 'tools'"]


def test_a_setting_that_users_may_not_write_is_told_of_though_choices_may_override_it(overrides):
    listed = [{'slug': 'a', 'profile_options': {'where': {
        'choices': {'x': {'kubespawner_override': {'namespace': 'x'}}},
        'unlisted_choice': {'enabled': True, 'kubespawner_override': {'namespace': '{value}'}}}}}]
    with pytest.raises(ValueError, match='must not contain {value}'):
        ProfileList(overrides, Server.log, set()).checked(listed)


class WithProperties(Server):
    """Computes anew what it is asked for, as subclasses of spawners may."""

    memory, names = 1, ('a',)

    @property
    def mem_limit(self):
        return self.memory * 10 ** 9

    @mem_limit.setter
    def mem_limit(self, value):
        self.memory = value // 10 ** 9

    @property
    def teams(self):
        return list(self.names)

    @teams.setter
    def teams(self, value):
        self.names = value


def test_what_properties_compute_comes_back_unless_it_was_set_since():
    server = WithProperties()
    overrides = Overrides(server)
    overrides.set('here', 'mem_limit', 2 * 10 ** 9)
    overrides.set('here', 'teams', ['b'])
    server.teams = ['c']
    overrides.end()
    assert (server.mem_limit, server.teams) == (10 ** 9, ['c'])
