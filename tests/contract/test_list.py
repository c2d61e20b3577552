"""Lists: their form, their order, pages, and the walls between namespaces."""
import pytest

from .helpers import configmap, created, endpoints, failure, names, ok, pod, unique, version

NAMES = ['pod-%s' % letter for letter in 'abcde']


@pytest.fixture(scope='module')
def five(http, namespace):
    """The path of a namespace's pods, which are five. No case here may add or remove any."""
    path = '/api/v1/namespaces/%s/pods' % namespace
    for name in reversed(NAMES):
        created(http.post(path, pod(name)))
    return path


def test_form_of_a_list(http, five):
    body = ok(http.get(five))
    assert (body['kind'], body['apiVersion']) == ('PodList', 'v1')
    for item in body['items']:
        assert 'kind' not in item and 'apiVersion' not in item
        assert {'metadata', 'spec', 'status'} <= set(item)


def test_order_is_by_name(http, five):
    assert names(ok(http.get(five))) == NAMES


def test_version_of_a_list_is_not_older_than_its_items(http, five):
    body = ok(http.get(five))
    assert int(version(body)) >= max(int(version(item)) for item in body['items'])


def test_version_of_a_list_grows_with_every_change(http, five, url):
    before = int(version(ok(http.get(five))))
    change = int(version(created(http.post(url('configmaps'), configmap(unique())))))
    assert before < change <= int(version(ok(http.get(five))))


def test_list_of_any_version_is_a_list(http, five):
    assert ok(http.get(five, resourceVersion='0'))['kind'] == 'PodList'


def test_list_not_older_than_a_version(http, five):
    newest = max(ok(http.get(five))['items'], key=lambda item: int(version(item)))
    # Such a list may come from memory, in any order.
    assert sorted(names(ok(http.get(five, resourceVersion=version(newest))))) == NAMES


def test_list_without_items_has_an_empty_list(http, five):
    assert ok(http.get(five, labelSelector='no=such'))['items'] == []


def test_namespaces_do_not_see_each_others_pods(http, five, other_namespace):
    other = '/api/v1/namespaces/%s/pods' % other_namespace
    assert ok(http.get(other))['items'] == []
    created(http.post(other, pod('pod-z')))
    assert names(ok(http.get(other))) == ['pod-z']
    assert names(ok(http.get(five))) == NAMES
    assert http.get(other + '/pod-a').code == 404


def test_list_of_all_namespaces(http, five, namespace, other_namespace):
    created(http.post('/api/v1/namespaces/%s/pods' % other_namespace, pod('pod-a')))
    found = [(i['metadata']['namespace'], i['metadata']['name']) for i in ok(http.get('/api/v1/pods'))['items']]
    assert {(namespace, name) for name in NAMES} | {(other_namespace, 'pod-a')} <= set(found)


def test_limit_cuts_and_tells_how_many_remain(http, five):
    page = ok(http.get(five, limit=2))
    assert names(page) == NAMES[:2]
    assert page['metadata']['remainingItemCount'] == 3 and page['metadata']['continue']


@pytest.mark.parametrize('limit', [0, 5, 500])
def test_limit_that_holds_everything_leaves_nothing_to_continue(http, five, limit):
    page = ok(http.get(five, limit=limit))
    assert names(page) == NAMES
    assert not page['metadata'].get('continue') and not page['metadata'].get('remainingItemCount')


@pytest.mark.parametrize('limit', [1, 2, 4])
def test_pages_together_are_the_list(http, five, limit):
    found, token = [], ''
    while True:
        query = {'continue': token} if token else {}
        page = ok(http.get(five, limit=limit, **query))
        found += names(page)
        token = page['metadata'].get('continue')
        if not token:
            break
        assert len(page['items']) == limit
    assert found == NAMES


def test_pages_obey_a_selector(http, five):
    selector = 'metadata.name!=pod-b'
    page = ok(http.get(five, limit=2, fieldSelector=selector))
    rest = ok(http.get(five, limit=9, fieldSelector=selector, **{'continue': page['metadata']['continue']}))
    assert names(page) + names(rest) == ['pod-a', 'pod-c', 'pod-d', 'pod-e']


def test_pages_are_of_one_moment(http, url):
    """What is created between two pages is on neither, and both have the version of the first."""
    path = url('endpoints')
    for name in ('a', 'c'):
        created(http.post(path, endpoints(name)))
    first = ok(http.get(path, limit=1))
    created(http.post(path, endpoints('b')))
    rest = ok(http.get(path, limit=9, **{'continue': first['metadata']['continue']}))
    assert names(first) + names(rest) == ['a', 'c']
    assert version(first) == version(rest)
    assert names(ok(http.get(path))) == ['a', 'b', 'c']


def test_page_of_a_forgotten_moment_is_410(http, five, url, forget):
    if not forget.works:
        pytest.skip('only its administrator can have this server forget')
    token = ok(http.get(five, limit=2))['metadata']['continue']
    created(http.post(url('configmaps'), configmap(unique())))
    forget()
    assert failure(http.get(five, limit=2, **{'continue': token})) == (410, 'Expired', [])
