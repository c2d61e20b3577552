"""What users are told while a server starts: its steps and what Kubernetes says of its pod, as one story.

Here belongs when a story begins and ends, and what it is fed with; its words are in `story`. Everything runs on the
IOLoop's thread.
"""
import time
from contextlib import contextmanager
from urllib.parse import quote

from jupyterhub import version_info
from jupyterhub.utils import url_path_join
from tornado import gen
from tornado.ioloop import IOLoop

from ..configuration import Configuration
from ..kube.events import EventReflector
from ..lifecycle import podstatus
from ..lifecycle.waiting import is_listed
from ..messages.story import Story
from .reflectors import owner_of_reflectors

EVENTS_BEGIN = 1  # seconds that the first start waits for events to be followed


def _now():
    return time.strftime('%H:%M:%S', time.gmtime())


class Progress(Configuration):
    """The part of KubeSpawner that tells how a start goes on."""

    # Shared by all spawners that share a pod reflector; made by the first start
    event_reflector = None

    _events = None  # the reflector of events in this server's namespace, if there is one
    _story = None  # of the start that goes on, or is about to

    async def progress(self):
        """Yield what has happened in this start and what happens until it ends, for JupyterHub 0.9 and newer.

        Dicts: `progress` (int, percent, never less than before), `message` (str, plain text), of an event of Kubernetes
        `raw_event` (dict), of a failure `html_message`, which has a link. Each listener gets all of them.
        """
        story, told = self._story_of_this_start(), 0
        while True:
            while told < len(story.entries):
                told += 1
                yield dict(story.entries[told - 1])
            if story.is_over:
                return
            await story.changed()

    def _story_of_this_start(self):
        """Return the story that is being told. It may begin before the start does: the hub may have to wait first."""
        if self._story is None:
            self._story = Story(_now)
        return self._story

    def _untold_story(self):
        """Return a story to which nobody listens."""
        return Story(_now)

    @contextmanager
    def _telling(self):
        """Tell the story of a start. It ends with this, unless it `goes_on`."""
        if self._story is not None and self._story.has_begun:
            self._story = None
        story = self._story_of_this_start()
        story.has_begun = True
        if self.slow_spawn_message and self.slow_spawn_message_threshold:
            story.timer = IOLoop.current().call_later(
                self.slow_spawn_message_threshold, self._tell_of_slowness, story, IOLoop.current().time())
        with self._telling_on(story):
            yield story

    @contextmanager
    def _telling_on(self, story):
        """Tell a story until this ends; the error that it ends with is part of it."""
        story.goes_on = False
        try:
            yield
        except Exception as e:
            self._end(story, getattr(e, 'jupyterhub_message', ''))
            raise
        if not story.goes_on:
            self._end(story, None)

    def _tell_of_slowness(self, story, began):
        """Tell users to be patient, now and then. began (float): the loop's time when the start did."""
        loop = IOLoop.current()
        story.remind(self.slow_spawn_message.replace('{seconds}', '%d' % (loop.time() - began)))
        if self.slow_spawn_message_frequency and not story.is_over:
            story.timer = loop.call_later(self.slow_spawn_message_frequency, self._tell_of_slowness, story, began)

    def _end(self, story, failure):
        if self._events is not None:
            self._events.unfollow(story.event)
        if story.timer is not None:
            IOLoop.current().remove_timeout(story.timer)
        story.end(failure, self._url_of_another_try())
        IOLoop.current().call_later(self.http_timeout, self._forget, story)

    def _url_of_another_try(self):
        """Return the path of the hub's page where this server is started."""
        if version_info < (1, 0):
            return url_path_join(self.hub.base_url, 'home')
        return url_path_join(self.hub.base_url, 'spawn', self.user.escaped_name, quote(self.name, safe=''))

    def _drop_story(self):
        """Tell nothing any more of a start: its server has been stopped, maybe before JupyterHub waited for it."""
        story = self._story
        if story is None or not story.has_begun:  # JupyterHub clears the state before a start, too
            return
        self._story = None
        if story.goes_on and not story.is_over:
            self._end(story, None)

    def _forget(self, story):
        """Drop a story that nobody asks for any more: the hub does as long as it waits for the server to answer."""
        if self._story is story:
            self._story = None

    @gen.coroutine
    def _follow_events(self, story):
        """Have the story told of the events of this server's pod, from now on."""
        self._events = None
        if not self.events_enabled:
            return
        reflector = self._shared_event_reflector()
        if self._has_own('_start_watching_events') and not reflector.is_started:  # a subclass wants none
            return
        reflector.start()
        if not reflector.follow(self.namespace, self.pod_name, IOLoop.current(), story.event):
            return
        self._events = reflector
        yield is_listed(reflector, EVENTS_BEGIN)  # a start without events is a start all the same

    def _shared_event_reflector(self, replace=False):
        """Return the reflector of the events in this server's namespace. replace (bool): make a new one."""
        owner = owner_of_reflectors(type(self))
        namespace = '' if self.enable_user_namespaces else self.namespace
        if replace and vars(owner).get('event_reflector') is not None:
            owner.event_reflector.stop()
            owner.event_reflector = None
        if vars(owner).get('event_reflector') is None:
            owner.event_reflector = EventReflector(config=self.config, log=self.log, namespace=namespace)
        return owner.event_reflector.sibling(namespace, {})

    def _tell_of_claim(self, story, new_objects):
        """Tell of the claim, if there is to be one; see `_missing` for what was not there."""
        if self.user_storage_pvc_ensure:
            is_new = any(kind == 'persistent_volume_claim' for kind, _, _ in new_objects)
            story.tell('claim created' if is_new else 'claim found')

    def _tell_of_status(self, story, pod):
        """Tell what a pod's status says, if there are no events that do."""
        if podstatus.is_scheduled(pod) and not (self._events is not None and self._events.is_connected):
            story.tell('scheduled')
