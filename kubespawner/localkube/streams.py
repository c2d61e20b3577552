"""Streaming responses: watches and logs, until they time out or the client closes the connection.

What belongs here: when a stream begins and ends, and how it is sent. What does not: which changes a watch sends
(watches.py), what a log contains (logs.py). Everything runs on the loop thread of the server.
"""
import random
import time

from tornado import gen, iostream, locks
from tornado.ioloop import IOLoop

from . import errors, options
from .causes import Causes
from .requests import BaseHandler
from .store import Expired
from .times import seconds_of
from .watches import Watch

BOOKMARK_SECONDS = 60
LARGEST_BACKLOG = 64 * 2 ** 20  # bytes that wait for a client, after which its stream ends
FOLLOW_SECONDS = 0.1  # interval at which followed logs are read


class StreamHandler(BaseHandler):
    """Streams watches and logs. `watch` is the Watch of the request, if it is a watch."""

    watch = None
    ended = None

    def begin_stream(self, content_type):
        self.ended = locks.Event()
        self.chunks = []
        self.request.connection.stream.max_write_buffer_size = LARGEST_BACKLOG
        self.set_header('Content-Type', content_type)
        self.flush()

    def write_soon(self, chunk):
        """Write the output of one iteration of the loop with one system call."""
        if not self.chunks:
            IOLoop.current().add_callback(self.write_chunks)
        self.chunks.append(chunk)

    def write_chunks(self):
        if self.chunks and not self.ended_by_client():
            self.write(b''.join(self.chunks))
            self.chunks = []
            try:
                self.flush()
            except iostream.StreamBufferFullError:  # the client does not read
                self.drop()

    def end_stream(self):
        if not self.ended_by_client():
            self.write_chunks()
            self.finish()

    def ended_by_client(self):
        return self._finished or self.request.connection.stream.closed()

    def on_connection_close(self):
        if self.ended:
            self.ended.set()

    # Watches

    def stream_watch(self, matches, seconds):
        version = self.read_version()
        seconds = seconds or random.uniform(1800, 3600)
        return lambda: self.run_watch(matches, version, seconds)

    def read_version(self):
        """Return the resourceVersion of a watch or of one object, or None. Raise ApiError 500."""
        try:
            return options.parse_version(self.query('resourceVersion'))
        except ValueError as e:
            if self.name and self.row.name == 'events':
                raise errors.bad_request('invalid resource version: %s' % e)
            raise errors.ApiError(500, None, str(e))

    @gen.coroutine
    def run_watch(self, matches, version, seconds):
        """Send changes until the timeout, or until the client closes the connection."""
        self.begin_stream('application/json')
        inserted = self.api.faults.take('GET', self.request.uri, ('insert',)).get('insert')
        if inserted:
            self.write_soon(inserted['text'].encode('utf8', 'surrogateescape'))
            if inserted['end']:
                return self.end_stream()
        self.watch = Watch(self.row, self.namespace, matches, self.write_soon, self.wants_table())
        if self.api.stalled:
            self.watch.stall()
        self.api.watches.add(self)
        loop = IOLoop.current()
        timers = [loop.call_later(seconds, self.ended.set)]
        if self.flag('allowWatchBookmarks'):
            timers += [loop.call_later(each, self.bookmark) for each in bookmark_times(seconds)]
        cancel = self.api.store.watch(self.row.name, self.watch.send_change)
        try:
            if self.catch_up(version):
                yield self.ended.wait()
        finally:
            cancel()
            self.api.watches.discard(self)
            for timer in timers:
                loop.remove_timeout(timer)
        self.end_stream()

    def catch_up(self, version):
        """Send the changes before the start of the watch. Return whether the watch can continue."""
        store = self.api.store
        try:
            if version and not self.flag('sendInitialEvents'):
                for change in store.since(self.row.name, version):
                    self.watch.send_change(change)
                return True
        except Expired:
            status = errors.expired('too old resource version: %d (%d)' % (version, store.forgotten)).status
            self.watch.send_object('ERROR', status)
            return False
        for stored in store.list(self.row.name, self.namespace):
            if self.watch.selects(stored):
                self.watch.send('ADDED', stored)
        if self.flag('sendInitialEvents') and self.flag('allowWatchBookmarks'):
            self.watch.send_bookmark(store.version, {'k8s.io/initial-events-end': 'true'})
        return True

    def bookmark(self):
        self.watch.send_bookmark(self.api.store.version)

    # Logs

    def log(self):
        """Handle pods/log: send the output of a container, and with `follow` also its further output."""
        pod = self.api.registry.get(*self.key)
        if self.api.logs is None or not pod['spec'].get('nodeName'):
            return lambda: self.send_text('')
        chunks = self.api.logs(pod, self.query('container'), previous=self.flag('previous'),
                               tail=self.number('tailLines') if self.query('tailLines') else None,
                               limit=self.number('limitBytes') if self.query('limitBytes') else None,
                               since=self.since(), timestamps=self.flag('timestamps'))
        return lambda: self.stream_log(chunks)

    def since(self):
        """Return the time before which no output is wanted, in seconds since 1970, or None. Raise ApiError 400, 422."""
        seconds, moment = self.query('sinceSeconds'), self.query('sinceTime')
        causes = Causes()
        if seconds and moment:
            causes.forbidden('', 'at most one of `sinceTime` or `sinceSeconds` may be specified')
        elif seconds and self.number('sinceSeconds') < 1:
            causes.invalid('sinceSeconds', self.number('sinceSeconds'), 'must be greater than 0')
        if causes:
            raise errors.invalid('PodLogOptions', '', causes)
        try:
            return time.time() - int(seconds) if seconds else seconds_of(moment) if moment else None
        except ValueError:
            raise errors.bad_request('parsing time "%s" as "2006-01-02T15:04:05Z07:00"' % moment)

    @gen.coroutine
    def stream_log(self, log):
        self.begin_stream('text/plain')
        self.write_soon(log.read())
        while self.flag('follow') and log.is_running() and not self.ended.is_set():
            yield gen.sleep(FOLLOW_SECONDS)
            self.write_soon(log.read())
        self.write_soon(log.read())
        self.end_stream()


def bookmark_times(seconds):
    """Return the times at which a watch of this duration sends bookmarks: each minute, and shortly before the end."""
    times = list(range(BOOKMARK_SECONDS, int(seconds), BOOKMARK_SECONDS))
    return times + [max(seconds - 2, seconds / 2)]
