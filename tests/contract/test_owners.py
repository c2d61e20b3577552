"""Owner references: what the garbage collector deletes, and what it keeps.

A collector works in its own time, so each case waits for what must happen. What must not happen is looked at after
something that the collector does later.
"""
import uuid

import pytest

from .helpers import configmap, created, ok, secret, soon


def reference(owner, **more):
    return dict({'apiVersion': owner['apiVersion'], 'kind': owner['kind'], 'name': owner['metadata']['name'],
                 'uid': owner['metadata']['uid']}, **more)


@pytest.fixture
def maps(url):
    return url('configmaps')


@pytest.fixture
def owner(http, maps, name):
    """A configmap."""
    return created(http.post(maps, configmap('owner-' + name)))


@pytest.fixture
def own(http, maps):
    """A function that creates a configmap with owners."""
    def create(name, *references, **metadata):
        body = configmap(name)
        body['metadata'].update(ownerReferences=list(references), **metadata)
        return created(http.post(maps, body))
    return create


@pytest.fixture
def gone(http, maps):
    """A function that waits until a configmap is gone."""
    return lambda name: soon(lambda: http.get(maps + '/' + name).code == 404, name + ' is still there')


def test_dependents_go_with_their_owner(http, url, maps, owner, own, name, gone):
    own(name, reference(owner))
    body = secret(name)
    body['metadata']['ownerReferences'] = [reference(owner)]
    created(http.post(url('secrets'), body))
    ok(http.delete(maps + '/owner-' + name))
    gone(name)
    soon(lambda: http.get(url('secrets', name)).code == 404, 'the secret is still there')


def test_dependents_of_dependents_go_too(http, maps, owner, own, name, gone):
    child = own('child-' + name, reference(owner))
    own('grandchild-' + name, reference(child))
    ok(http.delete(maps + '/owner-' + name))
    gone('child-' + name)
    gone('grandchild-' + name)


@pytest.mark.parametrize('change', [{'name': 'never-there'}, {'uid': str(uuid.uuid4())}])
def test_owner_that_never_existed_counts_as_gone(owner, own, name, gone, change):
    own(name, reference(owner, **change))
    gone(name)


def test_one_owner_that_is_left_keeps_the_object(http, maps, owner, own, name, gone):
    other = created(http.post(maps, configmap('other-' + name)))
    own(name, reference(owner), reference(other))
    ok(http.delete(maps + '/owner-' + name))
    soon(lambda: len(ok(http.get(maps + '/' + name))['metadata']['ownerReferences']) == 1, 'both references are there')
    assert ok(http.get(maps + '/' + name))['metadata']['ownerReferences'] == [reference(other)]


def test_owner_of_an_unknown_kind_counts_as_there(http, maps, owner, own, name, gone):
    own(name, reference(owner, apiVersion='example.org/v1', kind='Strange'))
    own('later-' + name, reference(owner, uid=str(uuid.uuid4())))
    gone('later-' + name)
    assert http.get(maps + '/' + name).code == 200


def test_reference_that_is_added_later_counts(http, maps, own, owner, name, gone):
    own(name)
    ok(http.patch(maps + '/' + name, {'metadata': {'ownerReferences': [reference(owner, uid=str(uuid.uuid4()))]}}))
    gone(name)


def test_foreground_deletion_ends_with_the_owner(http, maps, owner, own, name, gone):
    own(name, reference(owner, blockOwnerDeletion=True), finalizers=['example.org/wait'])
    deleted = ok(http.delete(maps + '/owner-' + name, propagationPolicy='Foreground'))
    assert deleted['metadata']['finalizers'] == ['foregroundDeletion']
    soon(lambda: 'deletionTimestamp' in ok(http.get(maps + '/' + name))['metadata'], 'the dependent is not deleted')
    assert http.get(maps + '/owner-' + name).code == 200
    ok(http.patch(maps + '/' + name, {'metadata': {'finalizers': None}}))
    gone(name)
    gone('owner-' + name)


@pytest.mark.parametrize('options', [{'propagationPolicy': 'Orphan'}, {'orphanDependents': True}])
def test_orphans_stay(http, maps, owner, own, name, gone, options):
    own(name, reference(owner))
    ok(http.delete(maps + '/owner-' + name, dict(options, kind='DeleteOptions', apiVersion='v1')))
    gone('owner-' + name)
    assert 'ownerReferences' not in ok(http.get(maps + '/' + name))['metadata']
