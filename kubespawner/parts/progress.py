"""The progress that users see while a server starts: its steps, and the events about its pod, in one progress log.

When a progress log begins and ends, and what goes into it, belongs here; its words are in `messages`. Everything runs
on the IOLoop's thread.
"""
import functools
import time
from contextlib import contextmanager
from urllib.parse import quote

from jupyterhub import version_info
from jupyterhub.utils import url_path_join
from tornado.ioloop import IOLoop

from ..configuration import Configuration
from ..kube.api import PVC
from ..kube.events import EventReflector
from ..lifecycle import podstatus
from ..lifecycle.last_start import LastStart
from ..lifecycle.waiting import is_listed
from ..messages.errors import in_words_for_users
from ..messages.progress_log import ProgressLog
from .reflectors import namespace_to_follow, owner_of_reflectors, sibling_for

EVENTS_BEGIN = 1  # seconds that the first start waits for events to be followed
EVENTS_ARRIVE = 1  # seconds that the step `running` waits for the events of what was before it

TIME = '%Y-%m-%dT%H:%M:%SZ'


def _now():
    return time.strftime(TIME, time.gmtime())


@functools.lru_cache(maxsize=256)
def _text_of(seconds):
    """Return a time in the form that the progress log needs; an empty string for None."""
    return '' if seconds is None else time.strftime(TIME, time.gmtime(seconds))


class Progress(Configuration):
    """The part of KubeSpawner that reports the progress of a start."""

    # Shared by all spawners that share a pod reflector; made by the first start
    event_reflector = None

    _events = None  # the reflector of events in this server's namespace, if there is one
    _progress_log = None  # of the start that goes on, or is about to

    def __init__(self, *args, **kwargs):
        self._last_start = LastStart()
        super().__init__(*args, **kwargs)

    async def progress(self):
        """Yield what has happened in this start and what happens until it ends, for JupyterHub 0.9 and newer.

        Dicts: `progress` (int, percent, never less than before), `message` (str, plain text), `html_message` (str, the
        same for JupyterHub's page), of an event of Kubernetes `raw_event` (dict). Each listener gets all of them.
        """
        progress_log, told = self._progress_of_this_start(), 0
        while True:
            while told < len(progress_log.entries):
                told += 1
                yield progress_log.shown(told - 1)
            if progress_log.is_over:
                return
            await progress_log.changed()

    def _progress_of_this_start(self):
        """Return the present progress log. It may begin before the start does: the hub may have to wait first."""
        if self._progress_log is None:
            self._progress_log = ProgressLog(_now)
        return self._progress_log

    def _unshown_progress(self):
        """Return a progress log that nobody sees."""
        return ProgressLog(_now)

    @contextmanager
    def _progress_of_start(self, is_given_up=lambda: False):
        """Keep the progress log of a start. It ends with this context, unless it `continues_after_start`.

        is_given_up (callable): returns whether the start was given up.
        """
        if self._progress_log is not None and self._progress_log.has_begun:
            self._progress_log = None
        progress_log = self._progress_of_this_start()
        progress_log.has_begun = True
        self._last_start.begin()
        if self.slow_spawn_message and self.slow_spawn_message_threshold:
            progress_log.timer = IOLoop.current().call_later(
                self.slow_spawn_message_threshold, self._remind_of_slowness, progress_log, IOLoop.current().time())
        with self._append_progress(progress_log, is_given_up):
            yield progress_log

    @contextmanager
    def _append_progress(self, progress_log, is_given_up):
        """Continue a progress log until this context ends; add the error with which it ends.

        A start that was given up has not failed, whatever error it ends with.
        """
        progress_log.continues_after_start = False
        try:
            yield
        except Exception as e:
            in_words_for_users(e, self._url_of_another_try())
            if is_given_up():
                self._last_start.stopped()
            else:
                self._last_start.failed(e, time.time())
            self._end_progress(progress_log, e)
            raise
        self._last_start.succeeded(self.user_options or {})
        if not progress_log.continues_after_start:
            self._end_progress(progress_log, None)

    def _remind_of_slowness(self, progress_log, began):
        """Tell users from time to time that the start is slow. began (float): the loop's time when the start began."""
        loop = IOLoop.current()
        progress_log.remind(self.slow_spawn_message.replace('{seconds}', '%d' % (loop.time() - began)))
        if self.slow_spawn_message_frequency and not progress_log.is_over:
            progress_log.timer = loop.call_later(
                self.slow_spawn_message_frequency, self._remind_of_slowness, progress_log, began)

    def _end_progress(self, progress_log, failure):
        if self._events is not None:
            self._events.unfollow(progress_log.event)
            owner_of_reflectors(type(self)).event_reflector.siblings.release(self._events, progress_log)
        if progress_log.timer is not None:
            IOLoop.current().remove_timeout(progress_log.timer)
        if failure is None:
            progress_log.end()
        else:
            progress_log.end(failure.jupyterhub_message, failure.jupyterhub_html_message)
        IOLoop.current().call_later(self.http_timeout, self._forget_progress, progress_log)

    def _url_of_another_try(self):
        """Return the path of the hub's page that starts this server."""
        if version_info < (1, 0):
            return url_path_join(self.hub.base_url, 'home')
        return url_path_join(self.hub.base_url, 'spawn', self.user.escaped_name, quote(self.name, safe=''))

    def _drop_progress(self):
        """Drop the progress log: the server has been stopped, maybe before JupyterHub waited for it."""
        progress_log = self._progress_log
        if progress_log is None or not progress_log.has_begun:  # JupyterHub clears the state before a start, too
            return
        self._progress_log = None
        if progress_log.continues_after_start and not progress_log.is_over:
            self._end_progress(progress_log, None)

    def _forget_progress(self, progress_log):
        """Drop a progress log that nobody reads any more. The hub reads it until the server answers."""
        if self._progress_log is progress_log:
            self._progress_log = None

    def _follow_events(self, progress_log):
        """Add the events about this server's pod to the progress log, from now on."""
        self._events = None
        if not self.events_enabled:
            return
        reflector = self._shared_event_reflector()
        if self._has_own('_start_watching_events') and not reflector.is_started:  # a subclass wants none
            return
        is_followed = yield from self._follow_events_with(reflector, progress_log)
        if is_followed and reflector.is_forbidden:  # to watch all namespaces
            reflector.unfollow(progress_log.event)
            yield from self._follow_events_with(self._shared_event_reflector(), progress_log)

    def _follow_events_with(self, reflector, progress_log):
        """Subscribe the progress log to a reflector of events; return whether its watch has begun and will go on."""
        owner_of_reflectors(type(self)).event_reflector.siblings.use(reflector, progress_log)
        reflector.start()
        is_followed = reflector.follow(self.namespace, self.pod_name, IOLoop.current(), progress_log.event,
                                       lambda: progress_log.events)
        if not is_followed:
            return False
        self._events = reflector
        yield is_listed(reflector, EVENTS_BEGIN)  # a start without events is a start all the same
        return True

    def _shared_event_reflector(self, replace=False):
        """Return the reflector of the events in this server's namespace. replace (bool): create a new one."""
        owner = owner_of_reflectors(type(self))
        if replace and vars(owner).get('event_reflector') is not None:
            owner.event_reflector.stop()
            owner.event_reflector = None
        if vars(owner).get('event_reflector') is None:
            owner.event_reflector = EventReflector(
                config=self.config, log=self.log, namespace=namespace_to_follow(self))
        return sibling_for(self, owner.event_reflector, {})

    def _log_claim(self, progress_log, new_objects):
        """Add a step for the claim, if there is one. new_objects: see `_objects_to_create`."""
        if self.user_storage_pvc_ensure:
            is_new = any(kind == PVC for kind, _, _ in new_objects)
            progress_log.add_step('claim created' if is_new else 'claim found')

    def _log_pod(self, progress_log, pod):
        """Add the step that the pod was created, at the cluster's time, like the steps that follow."""
        progress_log.add_step('pod created', time=_text_of(podstatus.created_at(pod)))

    def _log_running(self, progress_log, pod):
        """Add the step that the pod runs, after the events about earlier steps, if those are still to come."""
        is_told_of = self._events is not None and self._events.is_connected
        progress_log.running(podstatus.running_containers(pod) if is_told_of else (),
                             _text_of(podstatus.running_since(pod)))
        IOLoop.current().call_later(EVENTS_ARRIVE, progress_log.settle)

    def _log_status(self, progress_log, pod):
        """Add the steps in a pod's status, if there are no events about them."""
        if podstatus.is_scheduled(pod) and not (self._events is not None and self._events.is_connected):
            progress_log.add_step('scheduled', time=_text_of(podstatus.condition_time(pod, 'PodScheduled')))
