"""The watch thread, which feeds a cache.

Here belongs how the cache follows the API server. What is newer is decided in `cache`; what objects mean is not known.

Threads: `start` and `stop` are for the loop's thread, and so is what a cache has. Everything else runs on the watch
thread. It lists once, then watches on from the version that it has seen last; it lists again only when the server no
longer knows that version, or after an error.
"""
import random
import socket
import threading
import time
from concurrent.futures import Future as ThreadFuture
from contextlib import contextmanager

from kubernetes.client.rest import ApiException
from kubernetes.config import ConfigException
from tornado import gen
from traitlets import Any, Float, Unicode
from urllib3.exceptions import HTTPError, ReadTimeoutError

from ..messages.errors import one_line
from . import jsonstream, retry
from .cache import Cache, version_of
from .clients import HAS_BOOKMARKS, configuration_of, renew, shared_client, unmasked

LIST_TIMEOUT = 60  # seconds without a byte of the list
IDLE_TIMEOUT = 75  # seconds without a byte of the watch; servers that have something to say send bookmarks every 60
WATCH_SECONDS = (300, 600)  # after which the server is asked to end a watch, at random
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 1.5  # seconds between tries, before jitter; short, for one hub asks alone
LISTS_APART = 10  # times as long as a list took is the pause before the next, if watches fail again and again
HEALTHY_SECONDS = 5  # of a watch after which the next starts without a pause, however it ended
CHUNK = 65536  # bytes

CHANGES = frozenset(['ADDED', 'MODIFIED', 'DELETED'])


class Expired(Exception):
    """The server no longer knows the version that a watch was to go on from."""


class ServerError(Exception):
    """The server ended a watch with an error."""


# What may go wrong without a mistake of ours.
EXPECTED = (ApiException, HTTPError, OSError, ConfigException, jsonstream.Garbled, ServerError)


def checked(resource):
    """Return an object that the server sent. Raise Garbled for what is none: without a name, a uid or a version."""
    metadata = resource.get('metadata') if isinstance(resource, dict) else None
    named = isinstance(metadata, dict) and all(isinstance(metadata.get(key), str) for key in ('name', 'uid'))
    if not named or version_of(resource) <= 0:
        raise jsonstream.Garbled('no object of Kubernetes: %.200r' % (resource,))
    return resource


def event_of(line):
    """Return what a line (bytes) of a watch says, as (type, object). Raise Garbled for what cannot be understood.

    The object of a change is one that has a name, a uid and a version; of any other type it is a dict.
    """
    event = jsonstream.value(line)
    kind, resource = (event.get('type'), event.get('object')) if isinstance(event, dict) else (None, None)
    if not isinstance(kind, str) or not isinstance(resource, dict):
        raise jsonstream.Garbled('no event of Kubernetes: %.200r' % (event,))
    return kind, checked(resource) if kind in CHANGES else resource


class WatchAttempt:
    """How one try to follow the server went: a list, if need be, and a watch.

    list_seconds (float): what the list took; 0 if there was none.
    began (float or None): when the server began to answer the watch, on the clock `time.monotonic`.
    told (bool): the watch told of something.
    retry_after (float): seconds that the server asked to wait.
    unknown_types (set): what it sent that is not known.
    """

    def __init__(self):
        self.list_seconds, self.began, self.told, self.retry_after, self.unknown_types = 0, None, False, 0, set()

    @property
    def was_healthy(self):
        """True if the watch, just now ended, had lasted so long that the next may begin at once, list and all."""
        return self.began is not None and time.monotonic() - self.began > max(
            HEALTHY_SECONDS, self.list_seconds * LISTS_APART)

    @property
    def longest_pause(self):
        """Seconds to which the pauses between tries may grow."""
        return max(LONGEST_PAUSE, self.list_seconds * LISTS_APART)


class NamespacedResourceReflector(Cache):
    """Keeps a dictionary of one kind of object in one namespace, or in all, up to date.

    To be subclassed once per kind. `start()` starts the thread; `first_load_future` is done when the first list is in
    the cache; `resources` maps keys to `Resource`s. A key is the object's name; for all namespaces `namespace/name`.
    """

    kind = Unicode('resource', help="""The name of the objects in log messages.""")

    list_method_name = Unicode('', help="""The client's method that lists the objects: `list_namespaced_pod`.""")

    api_group_name = Unicode('CoreV1Api', help="""The class in `kubernetes.client` that has this method.""")

    on_failure = Any(help="""Called without arguments, on the watch thread, when the reflector gives up for good.""")

    longest_pause = LONGEST_PAUSE

    watch_parameters = {}  # further ones of the request that watches

    give_up_seconds = Float(
        300,
        config=True,
        help="""
        The time in seconds that the hub continues without any answer from the API server. After that, its knowledge of
        the pods is out of date. So the hub halts with exit code 1, and its supervisor can start a new one.
        """
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.first_load_future = ThreadFuture()
        self.failed = False
        self._last_contact = None
        self._is_listed = False  # whether a watch can go on from _resource_version
        self._attempt = WatchAttempt()
        self._configuration = None  # of the client when it made the last request
        self._stopping = threading.Event()
        self._response = None
        self._thread = None
        self._api = None
        self._siblings = {}  # namespace and labels -> reflector

    def sibling(self, namespace, labels):
        """Return the reflector like this one that knows what has these labels in a namespace, or in all (''): this, or
        one that is made once."""
        if self.namespace in ('', namespace) and self.labels == labels:
            return self
        key = (namespace,) + tuple(sorted(labels.items()))
        if key not in self._siblings:
            self._siblings[key] = type(self)(config=self.config, log=self.log, namespace=namespace, labels=labels)
        return self._siblings[key]

    @property
    def siblings(self):
        """The reflectors that were made by `sibling`."""
        return self._siblings.values()

    @property
    def label_selector(self):
        """The labels as the API wants them: `a=1,b=2`."""
        return ','.join('%s=%s' % label for label in sorted(self.labels.items()))

    # On the loop's thread

    def start(self):
        """Start the thread, if it is not running. Returns this reflector, for which one may wait."""
        if self._thread is None:
            self._last_contact = time.monotonic()
            self._thread = threading.Thread(target=self._run, name='%s reflector' % self.kind, daemon=True)
            self._thread.start()
        return self

    def __await__(self):
        """Wait for the first list: `await reflector.start()`. The result is this reflector."""
        return self._when_listed().__await__()

    @gen.coroutine
    def _when_listed(self):
        yield self.first_load_future
        return self

    @property
    def is_started(self):
        """True if the thread has been started."""
        return self._thread is not None

    def stopped(self):
        """True if the thread has been told to end."""
        return self._stopping.is_set()

    def stop(self):
        """Tell the thread to end. It does so at once, or when what it reads next arrives or times out."""
        for sibling in self._siblings.values():
            sibling.stop()
        self._stopping.set()
        # Closing would wait for the thread that reads; shutting the socket down ends its reading.
        connection = getattr(self._response, 'connection', None)
        sock = getattr(connection, 'sock', None)
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:  # ended by itself meanwhile
                pass

    # On the watch thread

    def _run(self):
        """List, then watch, again and again; the thread's whole life. Nothing escapes from here in silence."""
        try:
            self._follow()
        except BaseException:  # also what is meant to end a thread
            self.log.exception('%s reflector: the watch thread ends', self.kind)
        finally:
            if not self._stopping.is_set():
                self._give_up()

    def _give_up(self):
        """Tell everybody that the cache is out of date for good."""
        self.failed = True
        try:
            if not self.first_load_future.done():
                self.first_load_future.set_result(None)
            self.log.critical('%s reflector: giving up, what it knows of %s is out of date',
                              self.kind, 'namespace ' + self.namespace if self.namespace else 'all namespaces')
        finally:
            self._tell_of_failure()

    def _tell_of_failure(self):
        try:
            if self.on_failure:
                self.on_failure()
        except BaseException:
            self.log.exception('%s reflector: on_failure failed', self.kind)

    def _follow(self):
        """Keep the cache up to date until told to stop, or until nothing was learned for too long."""
        pauses = retry.Backoff(FIRST_PAUSE, self.longest_pause)
        while not self._stopping.is_set():
            self._attempt = WatchAttempt()
            self._list_and_watch_guarded()
            if self._attempt.told or self._attempt.was_healthy:
                self._contact()
            silence = time.monotonic() - self._last_contact
            if silence > self.give_up_seconds:
                return
            if self._attempt.began and silence > self.give_up_seconds / 2:
                self._is_listed = False  # watches that end at once and tell of nothing prove nothing; a list does
            if self._attempt.was_healthy:
                pauses.reset()
                continue
            pauses.longest = max(self.longest_pause, self._attempt.longest_pause)
            self._stopping.wait(pauses.next_pause(self._attempt.retry_after))
            if self._attempt.told and not self._attempt.list_seconds:  # it went on from where it was
                pauses.reset()

    def _list_and_watch_guarded(self):
        """List and watch. A mistake of ours is told of with its trace, and what is known is not trusted after it."""
        try:
            self._list_and_watch()
        except Exception:
            self._is_listed = False
            if not self._stopping.is_set():
                self.log.exception('%s reflector: unexpected error. Listing again.', self.kind)

    def _list_and_watch(self):
        """Watch on from the version that was seen last, after a list if need be, until that ends, well or not.

        Note whether to list again. A connection that broke says nothing about the version.
        """
        try:
            if not self._is_listed:
                self._list()
            self._watch()
        except Expired as e:
            self._is_listed = False
            self.log.info('%s reflector: %s. Listing again.', self.kind, _short(e))
        except EXPECTED as e:
            status = getattr(e, 'status', None)
            if not (isinstance(e, (HTTPError, OSError)) or status in (0, retry.UNAUTHORIZED, 429)):
                self._is_listed = False
            if self._stopping.is_set():
                return
            self._tell_of_trouble(e, '%s: %s' % (type(e).__name__, _short(e)))
            self._attempt.retry_after = retry.retry_after(getattr(e, 'headers', None))
            if status == retry.UNAUTHORIZED:
                renew(self._api, self._configuration, self.log)
            if status == 403 and not self.first_load_future.done():
                self.first_load_future.set_result(None)  # whoever waits asks for a single pod, and learns why

    def _tell_of_trouble(self, error, text):
        """Say in the log that a try has ended with an error that may heal; `text` is the error, fit for a log."""
        self.log.warning('%s reflector: %s. Last contact %d s ago.', self.kind, text,
                         time.monotonic() - self._last_contact)

    def _list_method(self):
        """Return the client's method that lists and watches. The client is held: nobody else may hold it just now."""
        if self._api is None:
            self._api = shared_client(self.api_group_name)
        name = self.list_method_name
        if not self.namespace and name.startswith('list_namespaced_'):
            name = name.replace('list_namespaced_', 'list_') + '_for_all_namespaces'
        return getattr(self._api, name)

    @contextmanager
    def _request(self, timeout, **parameters):
        """Send the list request with `parameters`; give the response, not yet read, and close it afterwards."""
        if self.labels:
            parameters['label_selector'] = self.label_selector
        if isinstance(self.fields, dict) and self.fields:
            parameters['field_selector'] = ','.join('%s=%s' % field for field in sorted(self.fields.items()))
        if self.namespace:
            parameters['namespace'] = self.namespace
        method = self._list_method()
        self._configuration = configuration_of(self._api)  # what is refused if this is
        with unmasked():
            response = method(_preload_content=False, _request_timeout=(retry.CONNECT_TIMEOUT, timeout), **parameters)
        self._response = response
        try:
            yield response
        finally:
            self._response = None
            response.close()

    def _list(self):
        """Replace the cache by what the server has now.

        The first list may come from the server's cache, since the watch goes on from there. Later ones may not: they
        could be older than what is known.
        """
        parameters = {} if self._resource_version else {'resource_version': '0'}
        with self._lock:
            # What the server tells of from now on is there.
            outdated = set(self._tombstones) if self._resource_version else set()
        listed, version, started = {}, 0, time.monotonic()
        with self._request(LIST_TIMEOUT, **parameters) as response:
            for key, value in jsonstream.members(response.stream(CHUNK, decode_content=True)):
                if key == 'metadata':
                    version = version_of({key: value})
                elif key == 'items' and value is not None:
                    resource = self._kept(checked(value))
                    listed[self._key_of(resource)] = resource
        if not version:
            raise jsonstream.Garbled('a list that does not say its version')
        self._replace(listed, version, outdated)
        self._is_listed = True
        self._contact()
        if not self.first_load_future.done():
            self.first_load_future.set_result(None)
        self._attempt.list_seconds = time.monotonic() - started

    def _watch(self):
        """Follow the changes since the version that was seen last until the server ends the watch."""
        parameters = dict(self.watch_parameters, watch=True, resource_version=str(self._resource_version),
                          timeout_seconds=random.randint(*WATCH_SECONDS))
        if HAS_BOOKMARKS:
            parameters['allow_watch_bookmarks'] = True
        try:
            with self._request(IDLE_TIMEOUT, **parameters) as response:
                self._attempt.began = time.monotonic()
                for line in jsonstream.lines(self._chunks(response)):
                    self._apply(*event_of(line))
                    self._attempt.told = True
                    self._contact()
        except ApiException as e:
            if e.status == 410:
                raise Expired('version %d is too old' % self._resource_version)
            raise
        except ReadTimeoutError:  # nothing happened, or the connection is half open: a new one tells
            if self._attempt.began is None:
                raise
            self.log.debug('%s reflector: nothing heard for %d s', self.kind, IDLE_TIMEOUT)

    def _chunks(self, response):
        """Yield the bytes of a watch as they arrive, until told to stop, perhaps before there was something to read."""
        if not self._stopping.is_set():
            for chunk in response.stream(CHUNK, decode_content=True):
                yield chunk
                if self._stopping.is_set():
                    return

    def _contact(self):
        self._last_contact = time.monotonic()

    def _apply(self, kind, resource):
        """Bring one watch event into the cache."""
        if kind == 'ERROR':
            raise (Expired if resource.get('code') == 410 else ServerError)(resource.get('message') or resource)
        if kind == 'BOOKMARK':
            self._resource_version = max(self._resource_version, version_of(resource))
        elif kind in CHANGES:
            self._change(kind, resource)
        elif kind not in self._attempt.unknown_types:
            self._attempt.unknown_types.add(kind)
            self.log.warning('%s reflector: ignoring events of the type %.50s, which is not known',
                             self.kind, one_line(kind))


def _short(error):
    """Return an error's text, fit for a log; of the client's own errors only what the server said."""
    text = getattr(error, 'body', None) or error
    return one_line(text.decode('utf8', 'replace') if isinstance(text, bytes) else text)[:500]
