"""The pages of a list. The server prepares a page while the one before it is decoded.

How requests are sent does not belong here, nor what the objects mean.

Threads: the caller's thread reads all pages. A thread of its own sends the request for each page after the first, and
ends as soon as the server responds.
"""
import threading
from concurrent.futures import Future as ThreadFuture
from typing import Any, Callable, ContextManager, Iterator, Tuple

from . import jsonstream

CHUNK = 65536  # bytes
LIMIT = 10000  # objects on a page, so that all hubs but the largest ask once


def _same(item):
    return item


def members(request: Callable[..., ContextManager], shorten: Callable[[str], str], item: Callable[[Any], Any] = _same,
            ahead: bool = True, **parameters: Any) -> Iterator[Tuple[str, Any]]:
    """Yield (key, value) for each member of a list, from page to page, as `jsonstream.members` does for one page.

    If the list has null instead of items, nothing is yielded for them.

    request (callable): sends a request with the given parameters of the client's method, and returns a context manager
    of the response, which is used on this thread but can be entered on another one.
    item (callable): gets each item, and returns what to yield for it. Its errors are errors of the request.
    ahead (bool): whether to request a page while the one before it is read. Then that request may continue for a while
    after an error.
    parameters: sent with each request, except `resource_version`, which is only sent with the first: a continue token
    contains the version. `limit` is the number of objects on a page.

    Raises Garbled if the server sends the same continue token again, and whatever `item` and `request` raise: an
    ApiException with the status 410 if the server no longer has the version of the first page.
    """
    page = request(**parameters)
    previous = None
    parameters.pop('resource_version', None)
    while page is not None:
        following = None
        try:
            with page as response:
                for key, value in jsonstream.members(response.stream(CHUNK, decode_content=True), shorten):
                    token = _token_in(key, value)
                    if token and token == previous:
                        raise jsonstream.Garbled('a page with the same continue token as the one before')
                    if token and following is None:
                        following = request(_continue=token, **parameters)
                        following = _Ahead(following) if ahead else following
                        previous = token
                    if key != 'items':
                        yield key, value
                    elif value is not None:  # null instead of an empty list
                        yield key, item(value)
        except BaseException:  # including GeneratorExit
            if isinstance(following, _Ahead):
                following.abandon()
            raise
        page = following


def _token_in(key, value):
    return value.get('continue') if key == 'metadata' and isinstance(value, dict) else None


class _Ahead:
    """A context manager that is entered ahead of time, on a thread of its own."""

    def __init__(self, manager: ContextManager) -> None:
        self._manager, self._entered = manager, ThreadFuture()  # type: ignore[var-annotated]
        threading.Thread(target=self._enter, name='request for the next page', daemon=True).start()

    def _enter(self):
        try:
            self._entered.set_result(self._manager.__enter__())
        except BaseException as e:  # raised again in `__enter__`
            self._entered.set_exception(e)

    def __enter__(self):
        return self._entered.result()

    def __exit__(self, *error):
        return self._manager.__exit__(*error)

    def abandon(self):
        """Exit as soon as it has been entered, without waiting for that, as a generator does that nobody reads on."""
        self._entered.add_done_callback(self._leave)

    def _leave(self, entered):
        if entered.exception() is None:
            self._manager.__exit__(GeneratorExit, GeneratorExit(), None)
