"""The pages of a list, read without a cluster: what comes, what is asked for when, and what an error leaves open."""
import json
import threading
from contextlib import contextmanager

import pytest

from kubespawner.kube import pages, reflector
from kubespawner.kube.jsonstream import Garbled
from kubespawner.spawner import PodReflector
from tests.support.fakes import Streamed, empty_list, refused

PATIENCE = 30  # seconds for what is there in a moment on a quiet machine


def page(items, token=None, metadata_first=True):
    """Return the bytes of a page, in pieces that end after each member and item."""
    metadata = dict({'resourceVersion': '7'}, **{'continue': token} if token else {})
    head = '"metadata": %s' % json.dumps(metadata)
    body = ['"items": ['] + [json.dumps(item) + ',' * (item is not items[-1]) for item in items] + [']']
    pieces = [head + ','] + body if metadata_first else body + [',' + head]
    return [piece.encode() for piece in ['{'] + pieces + ['}']]


class Server:
    """Answers the list requests with pages, one after another: lists of bytes, or the exceptions that it raises.

    `asked` has the parameters of each request, `open` the numbers of the responses that have not been closed.
    """

    def __init__(self, *pages):
        self.pages, self.asked, self.open, self.changed = pages, [], set(), threading.Condition()

    @contextmanager
    def request(self, **parameters):
        with self.changed:
            number = len(self.asked)
            self.asked.append(parameters)
            self.changed.notify_all()
        answer = self.pages[number]
        if isinstance(answer, Exception):
            raise answer
        self.note(self.open.add, number)
        try:
            yield Streamed(answer)
        finally:
            self.note(self.open.discard, number)

    def note(self, change, number):
        with self.changed:
            change(number)
            self.changed.notify_all()

    def wait_for(self, condition):
        """Return when `condition(self)` is true."""
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self), PATIENCE)

    def items(self, **parameters):
        """Read all pages. Return their items."""
        return [value for key, value in pages.members(self.request, str, **parameters) if key == 'items']


@pytest.mark.parametrize('metadata_first', [True, False])
def test_all_items_come_in_their_order_and_each_page_is_asked_for_once(metadata_first):
    server = Server(page([1, 2], 'a', metadata_first), page([3, 4], 'b', metadata_first), page([5]))
    assert server.items(limit=2) == [1, 2, 3, 4, 5]
    assert server.asked == [{'limit': 2}, {'limit': 2, '_continue': 'a'}, {'limit': 2, '_continue': 'b'}]
    assert not server.open


def test_a_list_without_a_continue_token_is_one_request_with_its_parameters():
    server = Server(page([1, 2]))
    assert server.items(resource_version='0') == [1, 2]
    assert server.asked == [{'resource_version': '0'}]


def test_the_version_that_is_asked_for_is_not_sent_with_a_token():
    server = Server(page([1], 'a'), page([2]))
    assert server.items(resource_version='0') == [1, 2]
    assert server.asked == [{'resource_version': '0'}, {'_continue': 'a'}]


def test_the_metadata_of_each_page_come():
    server = Server(page([1], 'a'), page([2]))
    assert [value for key, value in pages.members(server.request, str) if key == 'metadata'] == [
        {'resourceVersion': '7', 'continue': 'a'}, {'resourceVersion': '7'}]


def test_the_next_page_is_asked_for_while_one_is_read():
    def late():
        server.wait_for(lambda server: len(server.asked) == 2)
        return last

    *pieces, last = page([1, 2], 'a')
    server = Server(pieces + [late], page([3]))
    assert server.items() == [1, 2, 3]


def test_only_one_page_is_asked_for_ahead():
    server = Server(page([1], 'a'), page([2], 'b'), page([3]))
    read = pages.members(server.request, str)
    assert [next(read), next(read)] == [('metadata', {'resourceVersion': '7', 'continue': 'a'}), ('items', 1)]
    server.wait_for(lambda server: server.open == {0, 1})
    assert len(server.asked) == 2
    assert [value for key, value in read if key == 'items'] == [2, 3]


@pytest.mark.parametrize('error', [refused(410, 'Expired', 'too old'), OSError('the connection is lost')])
def test_an_error_of_a_later_page_comes_after_the_pages_before_it(error):
    server, read = Server(page([1, 2], 'a'), error), []
    with pytest.raises(type(error)) as raised:
        for _, value in pages.members(server.request, str):
            read.append(value)
    assert raised.value is error
    assert read[1:] == [1, 2]
    assert not server.open


@pytest.mark.parametrize('following', [page([2]), OSError('the connection is lost')])
def test_after_an_error_the_page_that_is_under_way_is_closed_when_it_comes(following):
    server = Server(page([1], 'a')[:-2] + [b'nonsense'], following)
    with pytest.raises(Garbled):
        server.items()
    server.wait_for(lambda server: len(server.asked) == 2 and not server.open)


def test_a_reader_that_stops_leaves_no_page_open():
    server = Server(page([1], 'a'), page([2], 'b'), page([3]))
    read = pages.members(server.request, str)
    next(read)
    read.close()
    server.wait_for(lambda server: len(server.asked) == 2 and not server.open)


def test_a_token_that_comes_again_ends_the_list_instead_of_going_round():
    server = Server(page([1], 'a'), page([2], 'a'), page([3]))
    with pytest.raises(Garbled, match='continue token'):
        server.items()
    assert len(server.asked) == 2 and not server.open


@pytest.mark.parametrize('metadata', ['null', '5', '[]', '{"continue": null}', '{"continue": ""}'])
def test_metadata_without_a_token_end_the_list(metadata):
    server = Server([b'{"metadata": %s, "items": [1]}' % metadata.encode()])
    assert server.items() == [1]


class Api:
    """Answers the lists of a reflector, and has each watch fail. `lists` has (limit, version) of each list."""

    def __init__(self):
        self.lists, self.again = [], threading.Semaphore(0)

    def list_pod_for_all_namespaces(self, watch=False, limit=None, resource_version=None, **arguments):
        if watch:
            raise refused(410, 'Expired', 'too old')
        self.lists.append((limit, resource_version))
        self.again.release()
        return empty_list()

    list_namespaced_pod = list_pod_for_all_namespaces


@pytest.mark.parametrize('namespace, first', [('', (None, '0')), ('hub', (pages.LIMIT, None))])
def test_only_the_first_list_of_all_namespaces_comes_from_the_servers_cache_and_is_whole(
        monkeypatch, namespace, first):
    api = Api()
    monkeypatch.setattr(reflector, 'shared_client', lambda name: api)
    following = PodReflector(namespace=namespace)
    following.start()
    try:
        assert all(api.again.acquire(timeout=PATIENCE) for _ in range(3))
    finally:
        following.stop()
    assert api.lists[:3] == [first] + [(pages.LIMIT, None)] * 2
