"""The watch thread, which keeps a cache up to date.

How to follow the API server belongs here. `cache` decides which state of an object is newer. Nothing here knows what an
object means.

Threads: call `start`, `stop` and the methods of the cache on the loop's thread. Everything else runs on the watch
thread, except the requests for the later pages of a list, see `pages`. The watch thread lists the objects once, and
then watches for changes from the last version that it has received. It lists them again only if the server no longer
has that version, or after an error.
"""
import random
import socket
import threading
import time
from concurrent.futures import Future as ThreadFuture
from contextlib import contextmanager
from functools import partial

from kubernetes.client.rest import ApiException
from kubernetes.config import ConfigException
from tornado import gen
from traitlets import Any, Float, Unicode
from urllib3.exceptions import HTTPError, ReadTimeoutError

from .. import metrics
from ..messages.errors import one_line
from . import jsonstream, pages, retry
from .cache import Cache, version_of
from .clients import HAS_BOOKMARKS, configuration_of, renew, shared_client, unmasked
from .codes import observed, status_of
from .outage import OutageLog
from .pages import CHUNK
from .prune import without_managed_fields
from .resource import is_object
from .siblings import Siblings

LIST_TIMEOUT = 60  # seconds without a byte of the list
IDLE_TIMEOUT = 75  # seconds without a byte of the watch; a server that supports bookmarks sends one every 60 seconds
WATCH_SECONDS = (300, 600)  # the random duration after which the server should end a watch
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 1.5  # seconds between attempts, before jitter; short, because hubs are few
LIST_PAUSE_FACTOR = 10  # while watches keep failing, a pause can be this many times as long as the last list
REFUSED_PAUSE = 10  # seconds, the longest pause of a sibling whose namespace is forbidden
HEALTHY_SECONDS = 5  # after a watch that lasted this long, the next one starts without a pause

CHANGES = frozenset(['ADDED', 'MODIFIED', 'DELETED'])


class Expired(Exception):
    """The server no longer has the version from which a watch should continue."""


class ServerError(Exception):
    """The server ended a watch with an error."""


# Errors that are not bugs in KubeSpawner.
EXPECTED = (ApiException, HTTPError, OSError, ConfigException, jsonstream.Garbled, ServerError)


def checked(resource):
    """Return an object from the server. Raise Garbled if it has no name, uid or version."""
    if not is_object(resource) or version_of(resource) <= 0:
        raise jsonstream.Garbled('not a Kubernetes object: %.200r' % (resource,))
    return resource


def event_of(line):
    """Return the event in a line (bytes) of a watch, as (type, object). Raise Garbled if the line is not an event.

    The object of a change has a name, a uid and a version. For any other type of event, it can be any dict. Managed
    fields may be left out.
    """
    event = jsonstream.value(line, without_managed_fields)
    kind, resource = (event.get('type'), event.get('object')) if isinstance(event, dict) else (None, None)
    if not isinstance(kind, str) or not isinstance(resource, dict):
        raise jsonstream.Garbled('not a Kubernetes watch event: %.200r' % (event,))
    return kind, checked(resource) if kind in CHANGES else resource


class WatchAttempt:
    """The outcome of one attempt to follow the server: a list if necessary, and a watch.

    list_seconds (float): the duration of the list; 0 if there was none.
    began (float or None): when the server began to respond to the watch, on the clock `time.monotonic`.
    received_event (bool): whether the watch received an event.
    is_refused (bool): whether the hub has no permission for it.
    retry_after (float): seconds that the server asked the client to wait.
    unknown_types (set): the unknown types of the events that it received.
    end (str): how it ended, see `metrics.count_restart`.
    """

    def __init__(self):
        self.list_seconds, self.began, self.received_event, self.is_refused = 0, None, False, False
        self.retry_after, self.unknown_types, self.end = 0, set(), 'ended'

    @property
    def was_healthy(self):
        """Whether the watch, which has just ended, lasted so long that the next attempt can begin at once."""
        return self.began is not None and time.monotonic() - self.began > max(
            HEALTHY_SECONDS, self.list_seconds * LIST_PAUSE_FACTOR)

    @property
    def longest_pause(self):
        """The longest pause between attempts, in seconds."""
        return max(LONGEST_PAUSE, self.list_seconds * LIST_PAUSE_FACTOR)


class NamespacedResourceReflector(Cache):
    """Keeps a dictionary of the objects of one kind, in one namespace or in all, up to date.

    Each kind has a subclass. `start()` starts the thread. `first_load_future` is done when the first list is
    in the cache. `resources` maps keys to `Resource`s; the key is the name of the object, or `namespace/name` if the
    reflector covers all namespaces.
    """

    kind = Unicode('resource', help="""The kind of the objects, for log messages.""")

    list_method_name = Unicode('', help="""The client's method that lists the objects, e.g. `list_namespaced_pod`.""")

    api_group_name = Unicode('CoreV1Api', help="""The class in `kubernetes.client` that has this method.""")

    on_failure = Any(help="""Called without arguments, on the watch thread, when the reflector gives up.""")

    longest_pause = LONGEST_PAUSE

    watch_parameters = {}  # additional parameters of the watch request

    can_be_split = False  # whether siblings for single namespaces can take the place of a reflector of all namespaces

    give_up_seconds = Float(
        300,
        config=True,
        help="""
        The time in seconds for which the hub keeps running without a response from the API server. After this time, the
        hub exits with code 1, because it no longer knows the state of the pods. Kubernetes, or whatever supervises the
        hub, can then restart it.
        """
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.first_load_future = ThreadFuture()
        self.failed = False
        self.is_forbidden = False  # whether the hub may not list all namespaces, so that siblings take this one's place
        self._last_contact = None
        self._last_outage = float('-inf')
        self._outage = OutageLog(time.monotonic)
        self._is_listed = False  # whether a watch can continue from _resource_version
        self._has_list_failed = False
        self._attempt = WatchAttempt()
        self._configuration = None  # the client's configuration at the last request
        self._stopping = threading.Event()
        self._responses = set()  # those that are read, or about to be
        self._thread = None
        self._api = None
        self._is_sibling = False
        self.siblings = Siblings(self, self._make_sibling)

    def sibling(self, namespace, labels):
        """Return a reflector of the same kind for other labels or another namespace ('' means all namespaces).

        Return this reflector if it covers them. Otherwise, create one on the first call, and return it again later,
        until it has given up or been stopped.
        """
        return self.siblings.get(namespace, labels)

    def _make_sibling(self, **arguments):
        made = type(self)(config=self.config, log=self.log, **arguments)
        made._is_sibling = True
        return made

    @property
    def label_selector(self):
        """The labels as a label selector, such as `a=1,b=2`."""
        return ','.join('%s=%s' % label for label in sorted(self.labels.items()))

    # On the loop's thread

    def start(self):
        """Start the thread, if it is not running. Returns this reflector, for which one may wait."""
        if self._thread is None:
            self._last_contact = time.monotonic()
            self._thread = threading.Thread(target=self._run, name='%s reflector' % self.kind, daemon=True)
            self._thread.start()
            metrics.follow_watch(self)
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
        """Whether the thread has been started."""
        return self._thread is not None

    @property
    def is_running(self):
        """Whether the thread keeps the cache up to date, or tries to."""
        return self._thread is not None and self._thread.is_alive() and not self._stopping.is_set()

    @property
    def seconds_since_contact(self):
        """The seconds since the last contact with the API server, or since the start."""
        return time.monotonic() - self._last_contact

    @property
    def was_listed(self):
        """Whether the cache has had a list. `first_load_future` is also done if the server refuses the list."""
        return self._resource_version > 0

    def stopped(self):
        """Return whether the thread has been asked to end."""
        return self._stopping.is_set()

    def stop(self):
        """Ask the thread to end. It ends at once, or when its current read finishes or times out."""
        for sibling in self.siblings:
            sibling.stop()
        self._stopping.set()
        # Closing the response would wait for the thread that reads it. Shutting down the socket ends the read.
        for response in list(self._responses):
            sock = getattr(getattr(response, 'connection', None), 'sock', None)
            if sock is not None:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:  # the connection has already ended
                    pass

    # On the watch thread

    def _run(self):
        """Run the thread: list and watch, again and again. Every exception is logged."""
        try:
            self._follow()
        except BaseException:  # including those that are meant to end a thread
            self.log.exception('%s reflector: the watch thread ended', self.kind)
        finally:
            if not (self._stopping.is_set() or self.is_forbidden):
                self._fail_permanently()

    def _fail_permanently(self):
        """Mark the cache as permanently out of date, and call `on_failure`."""
        self.failed = True
        try:
            self._set_first_load_done()
            self.log.critical('%s reflector: giving up. Its cache of %s is out of date.',
                              self.kind, 'namespace ' + self.namespace if self.namespace else 'all namespaces')
        finally:
            self._call_on_failure()

    def _call_on_failure(self):
        try:
            if self.on_failure:
                self.on_failure()
        except BaseException:
            self.log.exception('%s reflector: on_failure failed', self.kind)

    def _follow(self):
        """Keep the cache up to date until `stop` is called, or until the server has not responded for too long."""
        pauses = retry.Backoff(FIRST_PAUSE, self.longest_pause)
        while not self._stopping.is_set():
            self._attempt = WatchAttempt()
            self._list_and_watch_safely()
            if self.is_forbidden:
                return
            if self._attempt.received_event or self._attempt.was_healthy:
                self._contact()
                self._outage.over()  # which a list alone does not show: watches may still fail
            silence = self.seconds_since_contact
            if silence > self.give_up_seconds:
                return
            if self._attempt.began and silence > self.give_up_seconds / 2:
                self._is_listed = False  # unlike a list, a watch that ends without an event does not prove contact
            if not self._stopping.is_set():
                metrics.count_restart(self.list_method_name, self._attempt.end)
            if self._attempt.was_healthy:
                pauses.reset()
                continue
            shortest = REFUSED_PAUSE if self._attempt.is_refused else self.longest_pause
            pauses.longest = max(shortest, self._attempt.longest_pause)
            self._stopping.wait(pauses.next_pause(self._attempt.retry_after))
            if self._attempt.received_event and not self._attempt.list_seconds:  # the watch continued without a list
                pauses.reset()

    def _list_and_watch_safely(self):
        """List and watch. After an unexpected error, log the traceback, and list again."""
        try:
            self._list_and_watch()
        except Exception:
            self._is_listed = False
            self._attempt.end = 'error'
            if not self._stopping.is_set():
                self.log.exception('%s reflector: unexpected error. Listing again.', self.kind)

    def _list_and_watch(self):
        """Watch from the last version, after a list if necessary, until the watch ends or fails.

        Set `_is_listed` to False if the next attempt must list again. A broken connection does not require that.
        """
        try:
            if not self._is_listed:
                self._list()
                metrics.count_list(self.list_method_name)
            self._watch()
        except Expired as e:
            self._is_listed = False
            self._attempt.end = 'expired'
            self.log.info('%s reflector: %s. Listing again.', self.kind, _short(e))
        except EXPECTED as e:
            self._attempt.end = 'error'
            status = getattr(e, 'status', None)
            if not (isinstance(e, (HTTPError, OSError)) or status in (0, retry.UNAUTHORIZED, 429)):
                self._is_listed = False
            if self._stopping.is_set():
                return
            if status == 403 and self._is_to_be_split:
                self._split(_short(e))
                return
            self._log_error(e, '%s: %s' % (type(e).__name__, _short(e)))
            self._attempt.retry_after = retry.retry_after(getattr(e, 'headers', None))
            if status == retry.UNAUTHORIZED:
                renew(self._api, self._configuration, self.log)
            if isinstance(e, (HTTPError, OSError)) or status == 0 or status in retry.TRANSIENT:
                self._last_outage = time.monotonic()
            if status == 403:
                self._accept_refusal()

    @property
    def _is_to_be_split(self):
        """Whether a refusal of the list means that siblings take the place of this reflector."""
        lacks_roles = time.monotonic() - self._last_outage < retry.ROLES_SECONDS
        return self.can_be_split and not (self.namespace or self._resource_version or lacks_roles)

    def _split(self, text):
        """Let siblings take the place of this reflector, because the server refuses its list. text (str): why."""
        self.is_forbidden = True
        self.log.warning(
            '%s reflector: the hub may not list and watch %ss in all namespaces, so it watches each namespace that has '
            'a server. There it needs the permissions to list and watch %ss. %s', self.kind, self.kind, self.kind, text)
        self._set_first_load_done()

    def _accept_refusal(self):
        """Take note that the server refuses the list or the watch. A sibling does not give up for that.

        The server does respond, and servers in other namespaces must not stop because of this one.
        """
        if self._is_sibling:
            self.is_stale = self._attempt.is_refused = True
            self._last_contact = time.monotonic()  # not `_contact`: the log does not need a line for each attempt
        self._set_first_load_done()  # so that callers read a single pod, and get the error

    def _set_first_load_done(self):
        if not self.first_load_future.done():
            self.first_load_future.set_result(None)

    def _log_error(self, error, text):
        """Log a temporary error that ended an attempt. `text` is its message, on one line."""
        if not self._outage.is_due((type(error), getattr(error, 'status', None))):
            return
        self.log.warning('%s reflector: %s. Last contact %d s ago.', self.kind, text,
                         time.monotonic() - self._last_contact)

    def _list_method(self):
        """Return the client's method that lists and watches.

        Keep a reference to the client, because `shared_client` keeps only a weak one.
        """
        if self._api is None:
            self._api = shared_client(self.api_group_name)
        name = self.list_method_name
        if not self.namespace and name.startswith('list_namespaced_'):
            name = name.replace('list_namespaced_', 'list_') + '_for_all_namespaces'
        return getattr(self._api, name)

    @contextmanager
    def _request(self, timeout, **parameters):
        """Send the list request with `parameters`. Yield the response before it is read, and close it afterwards."""
        if self.labels:
            parameters['label_selector'] = self.label_selector
        if isinstance(self.fields, dict) and self.fields:
            parameters['field_selector'] = ','.join('%s=%s' % field for field in sorted(self.fields.items()))
        if self.namespace:
            parameters['namespace'] = self.namespace
        method = self._list_method()
        self._configuration = configuration_of(self._api)  # which `renew` replaces if the server rejects it
        verb = 'watch' if parameters.get('watch') else 'list'
        with observed(verb, self.list_method_name) as timer:
            with unmasked():
                response = method(
                    _preload_content=False, _request_timeout=(retry.CONNECT_TIMEOUT, timeout), **parameters)
            if verb == 'watch':
                timer.end(status_of(response))  # how long it goes on depends on the server
            self._responses.add(response)
            try:
                if self._stopping.is_set():  # `stop` may have come too early to end this response
                    raise ConnectionAbortedError('stopped')
                yield response
            finally:
                self._responses.discard(response)
                response.close()
            timer.end(status_of(response))

    def _list(self):
        """Replace the contents of the cache with what the server has now."""
        with self._lock:
            # If one of these objects is in the list, it exists.
            outdated = set(self._tombstones) if self._resource_version else set()
        started = time.monotonic()
        try:
            listed, version = self._read_list(is_repeated=self._has_list_failed)
        except Exception:
            self._has_list_failed = True
            raise
        self._has_list_failed = False
        self._replace(listed, version, outdated)
        self._is_listed = True
        self.is_stale = False
        self._contact()
        self._set_first_load_done()
        self._attempt.list_seconds = time.monotonic() - started

    def _read_list(self, is_repeated):
        """Return the objects that the server has now, by key, and the version of the list.

        The first list of all namespaces comes from the server's cache, and the watch continues from there: for pages,
        the server would read every object of the cluster. After an error (is_repeated), the first list of one namespace
        comes from the server's cache as well: pages come from etcd, and the server's cache answers even while etcd does
        not. Later lists cannot come from the server's cache, because it could be older than this one.
        """
        if not self._resource_version and (is_repeated or not self.namespace):
            return self._read_pages(resource_version='0')
        try:
            return self._read_pages(limit=pages.LIMIT, ahead=not is_repeated)  # one page at a time if there is trouble
        except ApiException as e:
            if e.status != 410:
                raise
            self.log.info('%s reflector: %s. Listing again, without pages.', self.kind, _short(e))
            return self._read_pages()

    def _read_pages(self, **parameters):
        """Send a list request. Return what `_read_list` does, from all pages of the list."""
        listed, version = {}, 0
        for key, value in pages.members(
                partial(self._request, LIST_TIMEOUT), without_managed_fields, self._listed, **parameters):
            if key == 'metadata':
                version = version or version_of({key: value})  # the watch continues from the first page
            elif key == 'items':
                listed[self._key_of(value)] = value
        if not version:
            raise jsonstream.Garbled('a list without a resource version')
        return listed, version

    def _listed(self, item):
        """Return what the cache keeps of an item of a list. Raises Garbled."""
        if self._stopping.is_set():
            raise ConnectionAbortedError('stopped while listing')
        return self._pruned(checked(item))

    def _watch(self):
        """Apply the changes since the last version until the server ends the watch."""
        parameters = dict(self.watch_parameters, watch=True, resource_version=str(self._resource_version),
                          timeout_seconds=random.randint(*WATCH_SECONDS))
        if HAS_BOOKMARKS:
            parameters['allow_watch_bookmarks'] = True
        try:
            with self._request(IDLE_TIMEOUT, **parameters) as response:
                self._attempt.began = time.monotonic()
                for line in jsonstream.lines(self._chunks(response)):
                    self._apply(*event_of(line))
                    self._attempt.received_event = True
                    self._contact()
        except ApiException as e:
            if e.status == 410:
                raise Expired('version %d is too old' % self._resource_version)
            raise
        except ReadTimeoutError:  # nothing happened, or the connection is half open: a new connection will show which
            if self._attempt.began is None:
                raise
            self._attempt.end = 'timeout'
            self.log.debug('%s reflector: received nothing for %d s', self.kind, IDLE_TIMEOUT)

    def _chunks(self, response):
        """Yield the bytes of a watch as they arrive, until `stop` is called."""
        for chunk in response.stream(CHUNK, decode_content=True):
            yield chunk
            if self._stopping.is_set():
                return

    def _contact(self):
        self._last_contact = time.monotonic()

    def _apply(self, kind, resource):
        """Apply one watch event to the cache."""
        if kind == 'ERROR':
            raise (Expired if resource.get('code') == 410 else ServerError)(resource.get('message') or resource)
        if kind == 'BOOKMARK':
            self._resource_version = max(self._resource_version, version_of(resource))
        elif kind in CHANGES:
            self._change(kind, resource)
        elif kind not in self._attempt.unknown_types:
            self._attempt.unknown_types.add(kind)
            self.log.warning('%s reflector: ignoring events of the unknown type %.50s', self.kind, one_line(kind))


def _short(error):
    """Return the message of an error on one line. For an ApiException, this is only the body of the response."""
    text = getattr(error, 'body', None) or error
    return one_line(text.decode('utf8', 'replace') if isinstance(text, bytes) else text)[:500]
