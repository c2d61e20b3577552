"""The watch thread and the cache it feeds; who waits for a change is woken from here.

Here belongs how the cache follows the API server. What the cached objects mean does not.

Threads: `start`, `get`, `upsert`, `forget` and `changed` are for the loop's thread, and `resources` may be read on any.
Everything else runs on the watch thread. It lists once, then watches on from the version that it has seen last; it
lists again only when the server no longer knows that version, or after an error. Writing takes a lock, because an
answer to a direct request is written by the loop's thread; reading takes none. Nothing but a callback crosses to the
loop.
"""
import json
import random
import socket
import threading
import time
from concurrent.futures import Future as ThreadFuture
from contextlib import contextmanager

from kubernetes.client.rest import ApiException
from tornado.concurrent import Future
from tornado.ioloop import IOLoop
from traitlets import Any, Dict, Float, List, Unicode, default
from traitlets.config import LoggingConfigurable
from urllib3.exceptions import HTTPError, ReadTimeoutError

from . import compact, jsonstream
from .clients import Resource, accepts, configuration_of, renew, shared_client

CONNECT_TIMEOUT = 5  # seconds
LIST_TIMEOUT = 60  # seconds without a byte of the list
IDLE_TIMEOUT = 75  # seconds without a byte of the watch; servers that have something to say send bookmarks every 60
WATCH_SECONDS = (300, 600)  # after which the server is asked to end a watch, at random
FIRST_PAUSE, LONGEST_PAUSE = 0.8, 30  # seconds between tries, before jitter
HEALTHY_SECONDS = 5  # of a watch after which the next starts without a pause, however it ended
CHUNK = 65536  # bytes


class Expired(Exception):
    """The server no longer knows the version that a watch was to go on from."""


def version_of(resource):
    """Return an object's resource version as a number; 0 if it has none that is one."""
    try:
        return int(resource['metadata']['resourceVersion'])
    except (KeyError, TypeError, ValueError):
        return 0


class NamespacedResourceReflector(LoggingConfigurable):
    """Keeps a dictionary of one kind of object in one namespace up to date.

    To be subclassed once per kind. `start()` starts the thread; `first_load_future` is done when the first list is in
    the cache; `resources` maps names to `Resource`s.
    """

    labels = Dict({}, help="""Labels, by name, that objects must have to be kept.""")

    namespace = Unicode(help="""The namespace that the objects are in.""")

    resources = Dict({}, help="""The objects by name. Changes are single steps: it is read without a lock.""")

    kind = Unicode('resource', help="""What the objects are called in log messages.""")

    list_method_name = Unicode('', help="""The method of the client that lists the objects, `list_namespaced_pod`.""")

    api_group_name = Unicode('CoreV1Api', help="""The class in `kubernetes.client` that has this method.""")

    fields = List(Unicode(), help="""What is kept of each object besides its metadata; empty: all of it.""")

    further_fields = List(
        Unicode(),
        config=True,
        help="""
        What is kept of each object besides what KubeSpawner itself reads, for subclasses and hooks that read more. For
        example `spec.containers.image`, or `spec` for all of that.
        """
    )

    _tree = Dict()

    @default('_tree')
    def _tree_of_fields(self):
        return compact.tree_of(['metadata'] + list(self.fields) + list(self.further_fields)) if self.fields else {}

    on_failure = Any(help="""Called without arguments, on the watch thread, when the reflector gives up for good.""")

    give_up_seconds = Float(
        300,
        config=True,
        help="""
        Seconds without any answer from the API server after which the reflector gives up for good.

        What it knows is out of date by then, so it halts the hub: whatever supervises the hub starts a new one.
        """
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.first_load_future = ThreadFuture()
        self.failed = False
        self._last_contact = None
        self._lock = threading.Lock()
        self._waiting = {}  # name -> list of (loop, future)
        self._seen = 0  # the newest version that a list or a watch has told of
        self._stopping = threading.Event()
        self._response = None
        self._thread = None
        self._api = None
        self._siblings = {}  # namespace -> reflector

    def for_namespace(self, namespace):
        """Return the reflector like this one of any namespace: this one, or one that is made when first asked for."""
        if namespace == self.namespace:
            return self
        if namespace not in self._siblings:
            self._siblings[namespace] = type(self)(config=self.config, log=self.log, namespace=namespace)
        return self._siblings[namespace]

    @property
    def label_selector(self):
        """The labels as the API wants them: `a=1,b=2`."""
        return ','.join('%s=%s' % label for label in sorted(self.labels.items()))

    # On the loop's thread

    def start(self):
        """Start the thread, if it is not running."""
        if self._thread is None:
            self._last_contact = time.monotonic()
            self._thread = threading.Thread(target=self._run, name='%s reflector' % self.kind, daemon=True)
            self._thread.start()

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

    def get(self, name):
        """Return the cached object of that name, None if there is none."""
        return self.resources.get(name)

    def upsert(self, resource):
        """Put the answer to a direct request into the cache, unless the cache is ahead of it."""
        resource = self._kept(resource)
        name = resource['metadata']['name']
        with self._lock:
            cached = self.resources.get(name)
            known = version_of(cached) if cached is not None else self._seen
            if version_of(resource) > known and self.selects(resource):
                self.resources[name] = resource
            self._wake(name)

    def forget(self, resource):
        """Take an object out of the cache that is gone, as a direct request has shown; not another of that name."""
        name = resource['metadata']['name']
        with self._lock:
            cached = self.resources.get(name)
            if cached is not None and cached['metadata']['uid'] == resource['metadata']['uid']:
                del self.resources[name]
            self._wake(name)

    def wake(self, name):
        """Have who waits for a change of the object called `name` look at it now."""
        with self._lock:
            self._wake(name)

    def selects(self, resource):
        """True if an object has the labels of the objects that are kept."""
        labels = resource['metadata'].get('labels') or {}
        return all(labels.get(label) == value for label, value in self.labels.items())

    def _kept(self, resource):
        """Return what is kept of an object."""
        resource['metadata'].pop('managedFields', None)
        return Resource(compact.keep(resource, self._tree))

    def changed(self, name, timeout):
        """Return a future that is done at the next change of the object called `name`, or after `timeout` seconds.

        Its result is True for a change, False for the time. To miss no change, ask for the future first, then look.
        """
        loop, future = IOLoop.current(), Future()
        with self._lock:
            self._waiting.setdefault(name, []).append((loop, future))
        timer = loop.call_later(timeout, self._give_up_waiting, name, loop, future)
        future.add_done_callback(lambda _: loop.remove_timeout(timer))
        return future

    def _give_up_waiting(self, name, loop, future):
        with self._lock:
            waiting = [pair for pair in self._waiting.get(name, []) if pair[1] is not future]
            if waiting:
                self._waiting[name] = waiting
            else:
                self._waiting.pop(name, None)
        _resolve(future, False)

    # On either thread, with the lock

    def _wake(self, name):
        """Wake who waits for `name`. Loops are woken by a callback, never touched."""
        for loop, future in self._waiting.pop(name, ()):
            try:
                loop.add_callback(_resolve, future, True)
            except RuntimeError:  # that loop is closed: nobody waits any more
                pass

    # On the watch thread

    def _run(self):
        """List, then watch, again and again; the thread's whole life. Nothing escapes from here in silence."""
        try:
            self._follow()
        except Exception:
            self.log.exception('%s reflector: unexpected error', self.kind)
        if not self._stopping.is_set():
            self._give_up()

    def _give_up(self):
        self.failed = True
        self.log.critical('%s reflector: giving up, what it knows of namespace %s is out of date',
                          self.kind, self.namespace)
        if not self.first_load_future.done():
            self.first_load_future.set_result(None)
        if self.on_failure:
            self.on_failure()

    def _follow(self):
        """Keep the cache up to date until told to stop, or until there was no contact for too long."""
        version, pause = None, FIRST_PAUSE
        while not self._stopping.is_set():
            started = time.monotonic()
            version = self._list_and_watch(version)
            if time.monotonic() - self._last_contact > self.give_up_seconds:
                return
            if time.monotonic() - started > HEALTHY_SECONDS:
                pause = FIRST_PAUSE
            else:
                self._stopping.wait(random.uniform(0, pause))
                pause = min(pause * 2, LONGEST_PAUSE)

    def _list_and_watch(self, version):
        """Watch on from `version` (None: list first) until that ends, well or not.

        Return the version to go on from; None to list again. A connection that broke says nothing about the version.
        """
        try:
            if version is None:
                version = self._list()
            return self._watch(version)
        except Expired as e:
            self.log.info('%s reflector: %s. Listing again.', self.kind, e)
            return None
        except Exception as e:
            if not self._stopping.is_set():
                self.log.warning('%s reflector: %s: %s. Last contact %d s ago.', self.kind, type(e).__name__,
                                 _short(e), time.monotonic() - self._last_contact)
            status = getattr(e, 'status', None)
            if status == 401:
                renew(self._api, configuration_of(self._api), self.log)
            knows_the_version = isinstance(e, (HTTPError, OSError)) or status in (401, 429)
            return version and str(self._seen) if knows_the_version else None

    def _list_method(self):
        """Return the client's method that lists and watches. The client is held: nobody else may hold it just now."""
        if self._api is None:
            self._api = shared_client(self.api_group_name)
        return getattr(self._api, self.list_method_name)

    @contextmanager
    def _request(self, timeout, **parameters):
        """Send the list request with `parameters`; give the response, not yet read, and close it afterwards."""
        if self.labels:
            parameters['label_selector'] = self.label_selector
        response = self._list_method()(
            namespace=self.namespace, _preload_content=False, _request_timeout=(CONNECT_TIMEOUT, timeout), **parameters)
        self._response = response
        try:
            yield response
        finally:
            self._response = None
            response.close()

    def _list(self):
        """Replace the cache by what the server has now; return the version of that.

        The first list may come from the server's cache, since the watch goes on from there. Later ones may not: they
        could be older than what is known.
        """
        parameters = {} if self._seen else {'resource_version': '0'}
        listed, version = {}, None
        with self._request(LIST_TIMEOUT, **parameters) as response:
            for key, value in jsonstream.members(response.stream(CHUNK, decode_content=True)):
                if key == 'metadata':
                    version = int(value['resourceVersion'])
                elif key == 'items' and value is not None:
                    resource = self._kept(value)
                    listed[resource['metadata']['name']] = resource
        if version is None:
            raise ValueError('a list that does not say its version')
        self._replace(listed, version)
        self._contact()
        if not self.first_load_future.done():
            self.first_load_future.set_result(None)
        return str(version)

    def _replace(self, listed, version):
        """Replace the cache by the objects `listed` (by name), as they were at `version`."""
        with self._lock:
            # What was created after the list was made is not in it, but is not gone either. Unless versions have
            # gone back, as when the server was restored from a backup: then what the server says is all there is.
            if version >= self._seen:
                listed.update((name, resource) for name, resource in self.resources.items()
                              if version_of(resource) > version)
            self.resources = listed
            self._seen = version
            for name in list(self._waiting):
                self._wake(name)

    def _watch(self, version):
        """Follow the changes since `version` until the server ends the watch; return the version to go on from."""
        parameters = {'watch': True, 'resource_version': version, 'timeout_seconds': random.randint(*WATCH_SECONDS)}
        if accepts(self._list_method(), 'allow_watch_bookmarks'):
            parameters['allow_watch_bookmarks'] = True
        try:
            with self._request(IDLE_TIMEOUT, **parameters) as response:
                self._contact()
                for line in jsonstream.lines(self._chunks(response)):
                    self._contact()
                    version = self._apply(json.loads(line.decode('utf8')), version)
        except ApiException as e:
            if e.status == 410:
                raise Expired('version %s is too old' % version)
            raise
        except ReadTimeoutError:  # nothing happened, or the connection is half open: a new one tells
            self.log.debug('%s reflector: nothing heard for %d s', self.kind, IDLE_TIMEOUT)
        return version

    def _chunks(self, response):
        """Yield the bytes of a watch as they arrive, until told to stop, perhaps before there was something to read."""
        if not self._stopping.is_set():
            for chunk in response.stream(CHUNK, decode_content=True):
                yield chunk
                if self._stopping.is_set():
                    return

    def _contact(self):
        self._last_contact = time.monotonic()

    def _apply(self, event, version):
        """Bring one watch event into the cache; return the version that is reached with it."""
        kind, resource = event['type'], event['object']
        if kind == 'ERROR':
            raise Expired(resource.get('message')) if resource.get('code') == 410 else RuntimeError(resource)
        reached = version_of(resource)
        name = resource['metadata'].get('name')
        with self._lock:
            self._seen = max(self._seen, reached)
            if kind == 'BOOKMARK' or self._is_known(name, resource, kind):
                return str(max(reached, int(version)))
            if kind == 'DELETED':
                self.resources.pop(name, None)
            else:
                self.resources[name] = self._kept(resource)
            self._wake(name)
        return str(max(reached, int(version)))

    def _is_known(self, name, resource, kind):
        """True for an event about a state that the cache has already, perhaps from an answer, or is ahead of."""
        cached = self.resources.get(name)
        if cached is None:
            return False
        known, version = version_of(cached), version_of(resource)
        return known > version or (known == version and kind != 'DELETED')


def _resolve(future, result):
    if not future.done():
        future.set_result(result)


def _short(error):
    """Return an error's text; of the client's own errors only what the server said."""
    return str(getattr(error, 'body', None) or error)[:500]
