"""A list in pages, and what can come between them: the cache is what the server has, or what it was before."""
import threading
from contextlib import contextmanager

import pytest

from tests.support.waits import until_on_loop

from .conftest import until_right

NAMES = 'abcdefg'
LISTS = 4  # that it takes, with two pods on a page


@pytest.fixture
def small_pages(monkeypatch, pods):
    """There are seven pods, and the reflector asks for two on a page."""
    monkeypatch.setattr('kubespawner.kube.pages.LIMIT', 2)
    for name in NAMES:
        pods.create(name)


@pytest.fixture
def second_page(reflector):
    """A regular expression for requests for pages after the first."""
    return '/%s/pods.*continue=' % reflector.namespace


@pytest.mark.gen_test
def test_a_list_in_pages_is_what_the_server_has(small_pages, reflector, asked, pods):
    reflector.start()
    yield until_right(reflector, pods)
    yield until_on_loop(lambda: asked == ['list'] * LISTS + ['watch'])


@pytest.fixture
def between_pages(reflector, monkeypatch):
    """Requests for later pages wait: the first of them sets `between_pages.reached`, and `go_on` has all sent."""
    class Between:
        reached, go_on = threading.Event(), threading.Event()

    send = reflector._request

    @contextmanager
    def wait_and_send(timeout, **parameters):
        if '_continue' in parameters:
            Between.reached.set()
            assert Between.go_on.wait(60)
        with send(timeout, **parameters) as response:
            yield response

    monkeypatch.setattr(reflector, '_request', wait_and_send)
    yield Between
    Between.go_on.set()


@pytest.mark.gen_test
def test_what_changes_between_the_pages_comes_from_the_watch(small_pages, between_pages, reflector, asked, pods):
    reflector.start()
    yield until_on_loop(between_pages.reached.is_set)
    for change in [lambda: pods.delete('a'), lambda: pods.delete('g'), lambda: pods.change('b'),
                   lambda: pods.change('f'), lambda: pods.create('aa'), lambda: pods.create('h')]:
        change()
    between_pages.go_on.set()
    yield until_right(reflector, pods)
    assert asked == ['list'] * LISTS + ['watch']


@pytest.mark.gen_test
def test_instead_of_pages_that_the_server_no_longer_has_there_is_one_whole_list(
        small_pages, second_page, kube, reflector, asked, pods):
    kube.fail(method='GET', path=second_page, status=410)
    reflector.start()
    yield until_right(reflector, pods)
    yield until_on_loop(lambda: asked == ['list', 'list', 'list', 'watch'])


@pytest.mark.parametrize('fault', ['drop', 'fail'])
@pytest.mark.gen_test
def test_after_an_error_of_a_later_page_the_first_list_begins_anew_and_is_whole(
        small_pages, second_page, kube, reflector, asked, pods, fault):
    getattr(kube, fault)(method='GET', path=second_page)
    reflector.start()
    yield until_right(reflector, pods)
    yield until_on_loop(lambda: asked == ['list', 'list', 'list', 'watch'])


@pytest.mark.parametrize('fault', ['drop', 'fail'])
@pytest.mark.gen_test
def test_after_errors_of_a_later_page_a_later_list_begins_anew_in_pages(
        small_pages, second_page, kube, reflector, asked, pods, fault):
    reflector.start()
    yield until_right(reflector, pods)
    getattr(kube, fault)(method='GET', path=second_page, times=3)
    pods.delete('a')
    kube.insert_into_watches('garbage\n', path=reflector.namespace)
    kube.cut_watches()
    yield until_on_loop(lambda: asked.count('list') == LISTS + 3 * 2 + LISTS - 1)  # one pod less takes one page less
    yield until_right(reflector, pods)


@pytest.mark.gen_test
def test_a_relist_in_pages_removes_what_is_gone(small_pages, kube, reflector, asked, pods):
    reflector.start()
    yield until_right(reflector, pods)
    kube.stall_watches()
    for name in 'adg':
        pods.delete(name)
    kube.insert_into_watches('garbage\n', path=reflector.namespace)
    kube.cut_watches()
    yield until_right(reflector, pods)
    assert asked.count('list') == LISTS + 2


@pytest.mark.gen_test
def test_a_stop_between_pages_ends_the_thread_and_leaves_the_cache_as_it_is(
        small_pages, second_page, kube, reflector, asked, watch_threads):
    kube.delay(method='GET', path=second_page, seconds=5, times=100)  # until well after the stop
    reflector.start()
    yield until_on_loop(lambda: len(asked) == 2)
    reflector.stop()
    yield until_on_loop(lambda: not watch_threads())
    assert reflector.resources == {} and not reflector.failed
    assert asked == ['list'] * 2
