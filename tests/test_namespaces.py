"""Whose a namespace is that exists. No cluster is needed."""
import pytest

from kubespawner.lifecycle.namespaces import Namespaces
from kubespawner.messages.errors import ForeignNamespaceError
from kubespawner.naming.ownership import USERNAME
from tests.fake_time import with_fake_time
from tests.support.fakes import FakeApi, refused, requests_to

CLAIMS, PODS = 'list_namespaced_persistent_volume_claim', 'list_namespaced_pod'
LABELS = {'heritage': 'jupyterhub', 'app': 'jupyterhub', USERNAME: 'a-40b'}


def of(username, **labels):
    return {'metadata': {'name': 'x', 'annotations': {USERNAME: username}, 'labels': labels}}


def namespace(annotation=None, **labels):
    labels = {USERNAME if key == 'user' else key: value for key, value in labels.items()}
    annotations = {USERNAME: annotation} if annotation else None
    return {'metadata': {'name': 'X-a', 'labels': labels, 'annotations': annotations}}


def check(found, claims=(), pods=()):
    """Return (future of the check for the user `a@b`, FakeApi)."""
    answers = {kind: [each if isinstance(each, Exception) else {'items': list(each)}]
               for kind, each in ((CLAIMS, claims), (PODS, pods))}
    fake = FakeApi(**answers)
    return Namespaces(requests_to(fake), 'a@b', LABELS).check(found, None), fake


@pytest.mark.parametrize('found', [
    namespace('a@b'), namespace('a@b', user='of-older-years'), namespace('a@b', heritage='jupyterhub'),
    namespace(None, user='a-40b')], ids=['annotation', 'another label', 'this hub', 'label'])
@with_fake_time
def test_a_namespace_that_says_that_it_is_the_users_is_taken_without_another_request(found):
    checked, fake = check(found)
    yield checked
    assert fake.asked == []


@pytest.mark.parametrize('found, why', [
    (namespace(), 'nothing in it is of this user'),
    ({'metadata': {'name': 'X-a'}}, 'nothing in it is of this user'),
    (namespace('bob'), "that of the user 'bob'"),
    (namespace('bob', user='a-40b'), "that of the user 'bob'"),
    (namespace(None, user='bob'), 'that of another user'),
    (namespace('a@b', heritage='other'), 'of another hub'),
    (namespace('a@b', app='other'), 'of another hub'),
], ids=['nothing', 'no metadata', 'annotation', 'annotation before label', 'label', 'heritage', 'app'])
@with_fake_time
def test_a_namespace_that_may_be_somebody_elses_is_refused(found, why):
    with pytest.raises(ForeignNamespaceError, match=why):
        yield check(found)[0]


@pytest.mark.parametrize('claims, pods', [([of('a@b')], ()), ((), [of('a@b')]), (refused(403), [of('a@b')])],
                         ids=['claim', 'pod', 'claims that may not be listed'])
@with_fake_time
def test_a_namespace_of_nobody_in_which_the_user_has_something_is_the_users(claims, pods):
    checked, fake = check(namespace(), claims, pods)
    yield checked
    assert all('heritage=jupyterhub' in arguments['label_selector'] for _, arguments in fake.asked)


@pytest.mark.parametrize('claims, pods', [([of('bob')], [of('bob')]), ([of(None)], ()), (refused(403), refused(403))],
                         ids=['of another user', 'of nobody', 'nothing may be listed'])
@with_fake_time
def test_what_others_have_in_a_namespace_is_no_evidence(claims, pods):
    with pytest.raises(ForeignNamespaceError):
        yield check(namespace(), claims, pods)[0]


@with_fake_time
def test_what_is_in_a_namespace_is_not_known_if_the_server_does_not_say():
    with pytest.raises(Exception, match='Invalid'):
        yield check(namespace(), refused(422, 'Invalid'))[0]


@pytest.mark.parametrize('found, command', [
    (namespace(), 'kubectl annotate namespace X-a hub.jupyter.org/username=a@b.'),
    (namespace('bob'), 'kubectl annotate namespace X-a hub.jupyter.org/username=a@b --overwrite.'),
    (namespace('a@b', heritage='other'), ' && kubectl label namespace X-a heritage=jupyterhub --overwrite.'),
], ids=['nobody', 'another user', 'another hub'])
@with_fake_time
def test_the_operator_is_told_the_command_that_adopts_a_namespace_and_the_user_is_not(found, command):
    with pytest.raises(ForeignNamespaceError) as refusal:
        yield check(found)[0]
    assert command in str(refusal.value)
    shown = refusal.value.jupyterhub_message
    assert 'kubectl' not in shown and 'X-a' not in shown and shown.startswith('Your server cannot be started')


@with_fake_time
def test_names_in_the_command_are_quoted_for_a_shell():
    refusal = Namespaces(None, 'a; rm -r b', {})._refusal(namespace(), '', False)
    assert "'hub.jupyter.org/username=a; rm -r b'" in str(refusal)
