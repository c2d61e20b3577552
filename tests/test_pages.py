"""The pages of a list, read without a cluster: what comes, what is asked for when, and what an error leaves open."""
import json
import threading

import pytest

from kubespawner.kube import pages, reflector, retry
from kubespawner.kube.jsonstream import Garbled
from kubespawner.spawner import PodReflector
from tests.support.fakes import Streamed, empty_list, pod_in, refused
from tests.support.waits import until

PATIENCE = 30  # seconds for what is there in a moment on a quiet machine


def page(items, token=None, metadata_first=True, version=7):
    """Return the bytes of a page, in pieces that end after each member and item."""
    metadata = dict({'resourceVersion': str(version)}, **{'continue': token} if token else {})
    head = '"metadata": %s' % json.dumps(metadata)
    body = ['"items": ['] + [json.dumps(item) + ',' * (item is not items[-1]) for item in items] + [']']
    pieces = [head + ','] + body if metadata_first else body + [',' + head]
    return [piece.encode() for piece in ['{'] + pieces + ['}']]


class Server:
    """Answers the list requests with pages, one after another: lists of bytes, or the exceptions that it raises.

    `asked` has the parameters of each request, `open` the numbers of the responses that have not been closed, `closed`
    those that have, with the type of the error that the reader had.
    """

    def __init__(self, *pages):
        self.pages, self.asked, self.open, self.closed = pages, [], set(), {}
        self.changed = threading.Condition()

    def request(self, **parameters):
        return Request(self, parameters)

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


class Request:
    """One request to a `Server`, sent when it is entered."""

    def __init__(self, server, parameters):
        self.server, self.parameters = server, parameters

    def __enter__(self):
        self.number = len(self.server.asked)
        self.server.note(self.server.asked.append, self.parameters)
        answer = self.server.pages[self.number]
        if isinstance(answer, Exception):
            raise answer
        self.server.note(self.server.open.add, self.number)
        return Streamed(answer)

    def __exit__(self, error, *details):
        self.server.note(self.server.open.discard, self.number)
        self.server.note(self.server.closed.update, {self.number: error})


def requests_ahead():
    """Return the threads that ask for a page ahead of time."""
    return [thread for thread in threading.enumerate() if thread.name == 'request for the next page']


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


def test_after_an_error_the_page_that_is_under_way_is_closed_when_it_comes():
    server = Server(page([1], 'a')[:-2] + [b'nonsense'], page([2]))
    with pytest.raises(Garbled):
        server.items()
    server.wait_for(lambda server: server.closed == {0: Garbled, 1: GeneratorExit})


def test_after_an_error_the_page_that_is_under_way_may_fail():
    server = Server(page([1], 'a')[:-2] + [b'nonsense'], OSError('the connection is lost'))
    with pytest.raises(Garbled):
        server.items()
    until(lambda: not requests_ahead())
    assert len(server.asked) == 2 and server.closed == {0: Garbled}


def test_a_reader_that_stops_leaves_no_page_open():
    server = Server(page([1], 'a'), page([2], 'b'), page([3]))
    read = pages.members(server.request, str)
    next(read)
    read.close()
    server.wait_for(lambda server: server.closed == {0: GeneratorExit, 1: GeneratorExit})


def test_each_item_is_what_becomes_of_it_and_its_error_is_one_of_the_request():
    server = Server(page([1, 2], 'a'), page([3, 0]))
    read = pages.members(server.request, str, lambda item: 6 // item)
    assert [value for _, value in (next(read) for _ in range(5)) if isinstance(value, int)] == [6, 3, 2]
    with pytest.raises(ZeroDivisionError):
        next(read)
    assert server.closed == {0: None, 1: ZeroDivisionError}


def test_without_looking_ahead_a_page_is_asked_for_after_the_one_before_it():
    server, asked = Server(page([1, 2], 'a'), page([3])), []
    for key, value in pages.members(server.request, str, ahead=False):
        asked += [(value, len(server.asked))] * (key == 'items')
    assert asked == [(1, 1), (2, 1), (3, 2)]
    assert server.closed == {0: None, 1: None}


def test_without_looking_ahead_an_error_leaves_nothing_to_be_asked_for():
    server = Server(page([1], 'a')[:-2] + [b'nonsense'], page([2]))
    with pytest.raises(Garbled):
        server.items(ahead=False)
    assert len(server.asked) == 1 and server.closed == {0: Garbled}


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
    """Answers the lists of a reflector, and has each watch fail.

    answers: to the lists, each a response, a function that returns one, or an exception; after them, all lists are
    empty. `lists` has what each list was asked for: its limit, version and token; `watches` the version from which each
    watch was to begin.
    """

    def __init__(self, *answers):
        self.answers, self.lists, self.watches, self.again = list(answers), [], [], threading.Semaphore(0)

    def list_pod_for_all_namespaces(self, watch=False, limit=None, resource_version=None, _continue=None, **arguments):
        if watch:
            self.watches.append(resource_version)
            raise refused(410, 'Expired', 'too old')
        self.lists.append((limit, resource_version, _continue))
        self.again.release()
        answer = self.answers.pop(0) if self.answers else empty_list()
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer

    list_namespaced_pod = list_pod_for_all_namespaces

    def wait_for(self, count):
        """Return when so many lists more have been asked for."""
        assert all(self.again.acquire(timeout=PATIENCE) for _ in range(count))


@pytest.fixture
def follow(monkeypatch):
    """`follow(api, namespace)` returns a reflector that has been started. It is stopped after the test."""
    made = []

    def follow(api, namespace='hub'):
        monkeypatch.setattr(reflector, 'shared_client', lambda name: api)
        monkeypatch.setattr(retry.Backoff, 'next_pause', lambda self, at_least=0: 0)
        made.append(PodReflector(namespace=namespace).start())
        return made[0]

    yield follow
    for each in made:
        each.stop()
        each._thread.join(PATIENCE)


WHOLE, PAGES = (None, '0', None), (pages.LIMIT, None, None)


@pytest.mark.parametrize('namespace, first', [('', WHOLE), ('hub', PAGES)])
def test_only_the_first_list_of_all_namespaces_comes_from_the_servers_cache_and_is_whole(follow, namespace, first):
    api = Api()
    follow(api, namespace)
    api.wait_for(3)
    assert api.lists[:3] == [first] + [PAGES] * 2


@pytest.mark.parametrize('error', [refused(500, 'etcd has no leader'), OSError('the connection is lost')])
def test_after_an_error_the_first_list_comes_from_the_servers_cache_which_needs_no_etcd(follow, error):
    api = Api(error)
    follow(api)
    api.wait_for(3)
    assert api.lists[:3] == [PAGES, WHOLE, PAGES]


def test_the_watch_continues_from_the_version_of_the_first_page(follow):
    first, second = [dict(pod_in(name=name), kind='Pod') for name in 'ab']
    api = Api(Streamed(page([first], 'token', version=7)), Streamed(page([second], version=9)))
    followed = follow(api)
    followed.first_load_future.result(PATIENCE)
    api.wait_for(3)
    assert api.watches[0] == '7'


def test_after_an_error_no_page_of_a_later_list_is_asked_for_ahead(follow):
    ahead, over = [], threading.Event()

    def broken():
        ahead.extend(requests_ahead())
        over.set()
        return b'nonsense'

    api = Api(empty_list(), OSError('the connection is lost'), Streamed(page([], 'token')[:2] + [broken]),
              lambda: over.wait(PATIENCE) and empty_list())  # so that a request that is asked for ahead goes on
    follow(api)
    api.wait_for(4)
    assert over.wait(PATIENCE) and not ahead
    assert api.lists[:4] == [PAGES] * 4


def test_a_list_with_what_is_no_object_counts_as_one_that_failed(follow):
    metrics = pytest.importorskip('tests.test_metrics')
    counted = metrics.Changes()
    api = Api(Streamed(page([{'metadata': {}}], 'token')), Streamed(page([pod_in()])))
    followed = follow(api)
    followed.first_load_future.result(PATIENCE)
    found = {labels: number for labels, number in counted().items() if labels[0] == metrics.DURATION}
    assert found[metrics.DURATION, 'invalid', 'Pod', 'list'] == 1


class Stalled(Streamed):
    """A response whose body comes to an end only when its connection does. `ended` says whether that was ended."""

    def __init__(self, pieces=()):
        self.connection = self.sock = self
        self.ended, self.is_read = threading.Event(), False
        super().__init__(list(pieces) + [self._end])

    def shutdown(self, how):
        self.ended.set()

    def _end(self):
        self.is_read = True
        assert self.ended.wait(PATIENCE)
        raise OSError('the connection has ended')


def test_a_stop_ends_the_page_that_is_read_and_the_one_that_is_asked_for_ahead(follow):
    first, second = Stalled(page([], 'token')[:2]), Stalled()
    api = Api(first, second)
    followed = follow(api)
    api.wait_for(2)
    until(lambda: len(followed._responses) == 2)
    followed.stop()
    followed._thread.join(PATIENCE)
    assert first.ended.is_set() and second.ended.is_set()


def test_a_response_that_comes_after_the_stop_is_not_read(follow):
    stopped, late = threading.Event(), Stalled()

    def response():
        assert stopped.wait(PATIENCE)
        return late

    api = Api(response)
    followed = follow(api)
    api.wait_for(1)
    followed.stop()
    stopped.set()
    followed._thread.join(PATIENCE)
    assert not followed._thread.is_alive() and not late.is_read
