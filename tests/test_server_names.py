"""The names of one server's objects: which of the template, the state, a subclass and a hook counts."""
import pytest
from traitlets import default

from kubespawner.naming.server_names import Named, Rules, ServerNames

TEXTS = {
    'pod_name_template': {None: 'jupyter-ann-b', 'escape': 'jupyter-ann-2db'},
    'pvc_name_template': {None: 'claim-ann-b', 'escape': 'claim-ann-2db'},
    'user_namespace_template': {None: 'of-ann-b', 'escape': 'of-ann-2db'},
}


def text_of(trait, scheme):
    return TEXTS[trait][scheme]


class Server(Named):
    """A spawner as far as its names go."""

    slug_scheme = 'escape'
    handle_legacy_names = True
    remember_pvc_name = True

    def _text_of_name(self, trait, scheme):
        return text_of(trait, scheme)

    @property
    def names(self):
        return self._server_names

    @property
    def both(self):
        return self.pod_name, self.pvc_name

    def state(self):
        return self.names.state(lambda name: getattr(self, name))


class Assigning(Server):
    """A subclass that names its objects by itself when it is made."""

    def __init__(self, **traits):
        super().__init__(**traits)
        self.pod_name, self.pvc_name = 'mine', 'home'


class Defaulting(Server):
    """A subclass that has a default of its own."""

    @default('pod_name')
    def _mine(self):
        return 'mine'


class Fixed(Server):
    """A subclass whose names are never other ones."""

    pod_name = property(lambda self: 'fixed', lambda self, name: None)


def loaded(cls=Server, state=(), has_pod=True, **attributes):
    server = cls()
    vars(server).update(attributes)
    server.names.load(dict(state), has_pod)
    return server


# Precedence, from the least to the most

@pytest.mark.parametrize('field, name', [
    ('pod_name', 'jupyter-ann-b'), ('pvc_name', 'claim-ann-b'), ('namespace', 'of-ann-b')])
def test_a_template_makes_a_name_by_the_configured_scheme(field, name):
    names = ServerNames(text_of, lambda: Rules('safe', True, True))
    assert names.made(field) == name
    assert names.known(field) is None


def test_what_a_template_makes_is_made_valid():
    assert ServerNames(lambda trait, scheme: 'Ann', lambda: None).made('pod_name').startswith('ann-')


@pytest.mark.parametrize('cls, name', [(Server, 'jupyter-ann-b'), (Defaulting, 'mine'), (Assigning, 'mine')])
def test_what_a_subclass_says_counts_more_than_the_template(cls, name):
    assert loaded(cls).pod_name == cls().pod_name == name


@pytest.mark.parametrize('cls, name', [(Server, 'jupyter-ann-b'), (Defaulting, 'mine'), (Assigning, 'mine')])
def test_the_state_counts_more_than_a_subclass_until_it_is_cleared(cls, name):
    server = loaded(cls, {'pod_name': 'old', 'pvc_name': 'files'})
    assert server.both == ('old', 'files')
    server.names.clear()
    assert server.both == (name, 'files')


def test_a_name_that_is_assigned_after_the_state_was_loaded_counts_most_until_it_is_forgotten():
    server = loaded(Assigning, {'pod_name': 'old'})
    server.pod_name = 'of-a-hook'
    assert server.pod_name == server.names.known('pod_name') == 'of-a-hook'
    server.names.forget()
    assert server.pod_name == 'mine'


def test_the_name_of_the_pod_that_is_being_created_counts_more_than_the_one_assigned_before():
    server = loaded()
    server.pod_name = 'of-a-hook'
    server.names.take('pod_name', 'of-the-manifest')
    assert server.pod_name == 'of-the-manifest'


def test_a_later_state_makes_nothing_a_wish_of_the_subclass():
    server = loaded()
    server.pod_name = 'of-a-hook'
    server.names.load({}, False)
    server.names.clear()
    assert server.pod_name == 'jupyter-ann-b'


def test_the_name_of_a_pod_that_was_created_before_any_state_is_no_wish_of_the_subclass():
    server = Server()
    server.names.take('pod_name', 'of-the-manifest')
    server.names.load({}, False)
    server.names.clear()
    assert server.pod_name == 'jupyter-ann-b'


def test_nothing_is_known_of_a_name_that_was_forgotten():
    server = loaded(state={'pod_name': 'old'})
    server.names.forget()
    assert server.names.known('pod_name') is None


def test_a_state_asks_for_the_name_of_a_claim_only_if_there_is_one():
    server, asked = loaded(), []

    def names(attribute):
        asked.append(attribute)
        return getattr(server, attribute)

    assert 'pvc_name' not in server.names.state(names) and asked == ['pod_name']
    server.names.take_claim('files')
    assert server.names.state(names)['pvc_name'] == 'files'


def test_an_attribute_that_a_subclass_overrides_is_what_the_state_has():
    server = loaded(Fixed, {'pod_name': 'old'})
    assert server.pod_name == server.state()['pod_name'] == 'fixed'


def test_a_name_stays_until_it_is_forgotten_though_its_template_changes(monkeypatch):
    server = loaded()
    before = server.both
    monkeypatch.setitem(TEXTS, 'pod_name_template', {None: 'new'})
    monkeypatch.setitem(TEXTS, 'pvc_name_template', {None: 'new-claim'})
    assert server.both == before
    server.names.forget()
    assert server.both == ('new', 'new-claim')


def test_only_names_of_what_the_server_does_not_have_are_forgotten():
    server = loaded(state={'pod_name': 'old', 'pvc_name': 'files'})
    server.names.forget(has_pod=True)
    assert server.both == ('old', 'files')
    server.names.forget(has_pod=False)
    assert server.both == ('jupyter-ann-b', 'files')


def test_the_name_of_a_pod_that_is_not_the_servers_any_more_is_not_taken_from_the_state():
    assert loaded(state={'pod_name': 'old'}, has_pod=False).pod_name == 'jupyter-ann-b'


# Claims

def test_a_claim_that_was_found_is_kept_and_remembered():
    server = loaded()
    server.names.take_claim('found')
    server.names.clear()
    assert server.pvc_name == server.state()['pvc_name'] == 'found'


def test_claims_are_not_remembered_unless_that_is_wanted():
    server = loaded(state={'pvc_name': 'files'}, remember_pvc_name=False)
    assert server.pvc_name == 'claim-ann-b'
    server.names.take_claim('found')
    assert 'pvc_name' not in server.state()
    server.names.clear()
    assert server.pvc_name == 'claim-ann-b' and not server.names.has_claim


# Slug schemes

def test_a_server_that_is_older_than_the_scheme_has_the_claim_that_it_had_and_a_new_pod_has_a_new_name():
    server = loaded(state={'pod_name': 'old'}, slug_scheme='safe')
    assert server.both == ('old', 'claim-ann-2db')
    server.names.clear()
    assert server.both == ('jupyter-ann-b', 'claim-ann-2db')
    assert set(server.state()) == {'pod_name'}


def test_the_claim_is_that_of_before_also_if_its_name_was_asked_for_before_the_state_was_loaded():
    server = Server()
    server.slug_scheme = 'safe'
    assert server.pvc_name == 'claim-ann-b'
    server.names.load({'pod_name': 'old'}, True)
    assert server.pvc_name == 'claim-ann-2db'


def test_a_server_that_is_older_than_the_scheme_keeps_the_name_that_a_subclass_gives_its_claim():
    assert loaded(Assigning, {'pod_name': 'old'}, slug_scheme='safe').pvc_name == 'home'


@pytest.mark.parametrize('state, attributes', [
    ({}, {}), ({'pod_name': 'old', 'slug_scheme': 'safe'}, {}), ({'pod_name': 'old'}, {'handle_legacy_names': False}),
    ({'pod_name': 'old'}, {'remember_pvc_name': False})])
def test_other_servers_have_claims_by_the_configured_scheme(state, attributes):
    assert loaded(state=state, slug_scheme='safe', **attributes).pvc_name == 'claim-ann-b'


@pytest.mark.parametrize('scheme, kept', [('escape', {}), ('safe', {'slug_scheme': 'safe'})])
def test_the_state_has_the_scheme_if_it_is_not_the_default(scheme, kept):
    assert loaded(slug_scheme=scheme).state() == dict(kept, pod_name='jupyter-ann-b')


# Templates

@pytest.mark.parametrize('asked', [
    {'pod_name_template': 'pod_name'}, {'pod_name_template': 'pvc_name', 'pvc_name_template': 'pod_name'}])
def test_a_template_cannot_have_the_name_that_is_made_of_it_directly_or_indirectly(asked):
    class Circular(Server):
        def _text_of_name(self, trait, scheme):
            return self._name_in_template(asked[trait])

    with pytest.raises(ValueError, match='cannot have the field {pod_name}'):
        Circular().state()


def test_a_template_that_failed_can_be_expanded_when_it_is_mended(monkeypatch):
    server = loaded()
    monkeypatch.setitem(TEXTS, 'pod_name_template', {})
    with pytest.raises(KeyError):
        server.state()
    monkeypatch.setitem(TEXTS, 'pod_name_template', {None: 'mended'})
    assert server._name_in_template('pod_name') == 'mended'


# Claims of profiles

def with_profile(server, key='gpu', namespace='hubs'):
    server.names.set_aside(key, namespace, server.pvc_name)
    server.names.record_claim(server.pvc_name, namespace, 'a-template')
    server.names.has_claim = True


class InNamespace(Server):
    namespace = 'hubs'


@pytest.fixture
def usual():
    """A server that has a claim, which is called as no template would call it."""
    return loaded(InNamespace, {'pod_name': 'p', 'pvc_name': 'old-home'})


def test_the_claim_of_a_profile_is_named_by_the_template_and_the_usual_one_comes_back(usual):
    with_profile(usual)
    assert usual.pvc_name == 'claim-ann-b' and usual.state()['pvc_name'] == 'old-home'
    usual.names.bring_back()
    assert usual.pvc_name == 'old-home' and usual.names.has_claim


def test_a_server_that_had_no_claim_has_none_after_that_of_a_profile():
    server = loaded(InNamespace)
    with_profile(server)
    assert server.names.has_claim
    server.names.clear()
    assert not server.names.has_claim and 'pvc_name' not in server.state()


def test_the_claim_of_a_profile_is_remembered_by_profile_and_namespace(usual):
    with_profile(usual)
    usual.names.take_claim('found')
    usual.names.record_claim('found', 'hubs', 'a-template')
    usual.names.clear()
    after = loaded(InNamespace, usual.state())
    assert after.state()['profile_claims'] == [
        {'profile': 'gpu', 'name': 'found', 'namespace': 'hubs', 'template': 'a-template'}]
    for key, namespace, name in (
            ('gpu', 'hubs', 'found'), ('gpu', 'other', 'claim-ann-b'), ('x', 'hubs', 'claim-ann-b')):
        after.names.set_aside(key, namespace, after.pvc_name)
        assert after.pvc_name == name


def test_the_claim_of_a_running_server_counts_after_a_restart_and_the_usual_one_when_it_has_stopped(usual):
    with_profile(usual)
    after = loaded(InNamespace, usual.state())
    assert (after.pvc_name, after.names.claim_key, after.names.has_claim) == ('claim-ann-b', 'gpu', True)
    assert after.state() == usual.state()
    after.names.clear()
    assert (after.pvc_name, after.names.claim_key) == ('old-home', None)


def test_claims_of_profiles_are_not_looked_up_where_claims_are_not_remembered_but_kept_to_be_deleted():
    server = loaded(InNamespace, remember_pvc_name=False)
    with_profile(server)
    server.names.take_claim('found')
    server.names.record_claim('found', 'hubs', 'a-template')
    server.names.clear()
    assert [claim['name'] for claim in server.state()['profile_claims']] == ['found']
    server.names.set_aside('gpu', 'hubs', server.pvc_name)
    assert server.pvc_name == 'claim-ann-b'


def test_a_server_has_a_claim_in_the_namespace_of_each_profile(usual):
    server = loaded(InNamespace)
    with_profile(server, namespace='far')
    server.names.clear()
    assert server.names.has_claim_in('far') and not server.names.has_claim_in('hubs')
    assert usual.names.has_claim_in('hubs')
