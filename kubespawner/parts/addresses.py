"""The address of a server: according to its pod and in JupyterHub's record, and how record and route are corrected.

JupyterHub records an address when `start` returns, and never looks again. If the hub dies before that, the record has
no address, and a running pod may get another address. So the two are compared at each poll, and when the watch sees
the pod's address change. Only the address of the pod that this server was started with, by its uid, replaces a record.
An address that was recorded by somebody else, such as the `start` of a subclass, is left alone.

Everything runs on the IOLoop's thread, and reads and writes hub state.
"""
from collections import namedtuple
from functools import partial
from urllib.parse import urlparse

from jupyterhub import version_info
from jupyterhub.objects import Server
from tornado import gen
from tornado.ioloop import IOLoop

from ..configuration import Configuration
from ..lifecycle import podstatus
from ..lifecycle.attempt import StartAttempt
from ..lifecycle.pods import uid_of
from ..lifecycle.records import StartRecord
from ..lifecycle.waiting import in_time
from ..messages.errors import Cause, SpawnError
from .hub_database import commit
from .subclass_steps import overridden

ADDS_BRACKETS = '[' in Server(ip='::1', port=80).host
PORTS = {'http': 80, 'https': 443}

LOOK_AGAIN_SECONDS = 0.5  # while a server starts or stops
TRY_AGAIN_SECONDS = 60  # after an address could not be found out
HOOK_SECONDS = 10  # that `get_pod_url` has when a hub looks at a server that runs

# The address in JupyterHub's record before a start has returned one.
UNKNOWN_HOSTS = frozenset(['', '0.0.0.0', '::'])


class Address(namedtuple('Address', 'proto host port')):
    """Where a server is. proto (str): `http` or `https`. host (str): without brackets. port (int)."""

    __slots__ = ()

    def __str__(self):
        return '%s://%s:%d' % (self.proto, '[%s]' % self.host if ':' in self.host else self.host, self.port)


class StartedAt(str):
    """The result of `start`: a URL, as in releases since 2021, which is also the pair (host, port) of earlier ones.

    JupyterHub accepts both. Subclasses for either kind of release read what their parent's `start` returns.
    """

    def __new__(cls, address):
        made = super().__new__(cls, str(address))
        made._pair = address.host, address.port
        return made

    def __iter__(self):
        return iter(self._pair)

    def __getitem__(self, index):
        return self._pair[index] if index in (0, 1) else super().__getitem__(index)

    def __eq__(self, other):
        return self._pair == other if isinstance(other, tuple) else super().__eq__(other)

    def __ne__(self, other):
        return not self == other

    __hash__ = str.__hash__


def parse_url(url):
    """Return the Address in an http or https URL. Raises ValueError for anything else."""
    parsed = urlparse(url if isinstance(url, str) else '')
    if parsed.scheme not in PORTS or not parsed.hostname:
        raise ValueError('%.100r is no URL such as http://10.0.0.1:8888.' % (url,))
    return Address(parsed.scheme, parsed.hostname, parsed.port or PORTS[parsed.scheme])


def remembered(url):
    """Return the Address in the URL of a state, or None."""
    try:
        return parse_url(url)
    except ValueError:
        return None


def recorded(server):
    """Return the Address in JupyterHub's `Server`; None if no start has returned one."""
    host = server.ip.strip('[]')
    return None if host in UNKNOWN_HOSTS else Address(server.proto, host, server.port)


def record(server, address):
    """Write an Address into JupyterHub's `Server`, and so into its database."""
    server.proto, server.ip, server.port = address.proto, host_for_jupyterhub(address.host), address.port


def is_outdated(on_record, given, actual):
    """Return whether the actual Address must replace the one on record (None: there is none).

    given (Address or None): the last one that KubeSpawner returned to JupyterHub; any other one is somebody else's.
    """
    return on_record is None or on_record == given != actual


def host_for_jupyterhub(host):
    """Return a host in the form that JupyterHub puts into URLs: some versions need brackets for IPv6 addresses."""
    return '[%s]' % host if ':' in (host or '') and not ADDS_BRACKETS else host


class Addresses(Configuration):
    """The part of KubeSpawner that knows the addresses of servers."""

    _address = None  # the Address that KubeSpawner gave JupyterHub last
    _confirmed = None  # (uid, IP address) of the pod when the record was right; None if that is not known
    _next_try = 0  # the loop's time, before which an address that could not be found out is not looked for again
    _correction = None  # the future of the correction that goes on
    _subscription = None  # (reflector, key) of the subscription to changes of the pod's address
    _recovery = None  # the future of `_recover`
    _recovering = None  # the StartAttempt that it is about

    @gen.coroutine
    def get_url(self):
        """Return the server's URL. JupyterHub 1.0 and newer call this when a new hub finds a running server.

        If the end of a hub has interrupted the start, wait until the pod runs, at most `start_timeout` seconds.
        """
        if recorded(self.server) is None:
            if (yield self._is_listed(self.start_timeout)):
                pod = self.pod_reflector.get(self._pod_key)
                if self._known.is_this(pod):
                    yield self._correct_address(pod)
            if self._recovery is not None:
                yield self._recovery
        return self.server.url

    # Where a pod is

    @gen.coroutine
    def _server_address(self, pod, deadline):
        """Return the Address of the server in a pod. pod (dict): complete, not from the cache."""
        asked = self._asked_for_url()
        if asked is not None:
            arguments = (self, pod) if asked == 'get_pod_url' else (pod,)  # a function, or a method
            url = yield in_time(self._result_of(asked, *arguments), deadline, asked, self.pod_name)
            try:
                return parse_url(url)
            except ValueError:
                raise ValueError('KubeSpawner.%s returned %.100r; it must return a URL such as '
                                 'http://10.0.0.1:8888.' % (asked, url))
        return self._usual_address(pod, podstatus.port(pod) or self.port)

    def _asked_for_url(self):
        """Return the name of the method or setting that determines the address; None if the pod's status does."""
        if '_get_pod_url' in overridden(type(self)):
            return '_get_pod_url'
        return None if self.get_pod_url is None else 'get_pod_url'

    def _url_of_pod(self, pod):
        """Return the URL of the server in a pod, or an awaitable of it if `get_pod_url` is a coroutine."""
        if self.get_pod_url is not None:
            return self.get_pod_url(self, pod)
        return str(self._usual_address(pod, podstatus.port(pod) or self.port))

    def _usual_address(self, pod, port):
        """Return the Address of the server in a pod: `pod_connect_ip`, the name of its Service, or its IP address."""
        host = self.pod_connect_ip and self._expand_trait('pod_connect_ip')
        host = '.'.join(part.rstrip('-') for part in host.split('.'))
        own = self.dns_name if self._has_service else podstatus.ip(pod)
        return Address('https' if self._has_tls else 'http', host or own, port)

    def _return_address(self, address):
        """Return an Address as the result of `start`, and remember that JupyterHub has it."""
        self._address = address
        host = host_for_jupyterhub(address.host)
        if version_info >= (0, 9) and self._asked_for_url() is not None:
            return str(address)
        if version_info >= (0, 9) and host and ':' not in host:  # it loses the brackets of IPv6 in a URL
            return StartedAt(address)
        if self._asked_for_url() is None:
            return host, address.port
        self.server.proto = address.proto
        return host, address.port

    # Following it

    def _follow_address(self, pod):
        """Follow the address of this server's pod from now on. The record is right at present."""
        self._confirmed = uid_of(pod), podstatus.ip(pod)
        self._subscribe()

    def _is_followed(self, pod):
        """Return whether this pod is the server's, the record of its address is right, and changes are followed."""
        return (self._subscription is not None and self._known.is_this(pod)
                and ((uid_of(pod), podstatus.ip(pod)) == self._confirmed or self.server is None))

    def _subscribe(self):
        """Subscribe to changes of the pod's address."""
        if self._subscription != (self.pod_reflector, self._pod_key):
            self._unsubscribe()
            self._subscription = self.pod_reflector, self._pod_key
            self.pod_reflector.subscribe(self._pod_key, self._pod_moved)

    def _unsubscribe(self):
        if self._subscription is not None:
            reflector, key = self._subscription
            reflector.unsubscribe(key, self._pod_moved)
            self._subscription = None

    def _unfollow_address(self):
        """Forget the server's address."""
        self._unsubscribe()
        self._address = self._confirmed = self._recovery = None
        self._next_try = 0

    def _pod_moved(self):
        """Called when the watch has seen a new address of the pod of our name."""
        pod = self.pod_reflector.get(self._pod_key)
        if not self._known.is_this(pod):
            return
        if self._is_busy:  # JupyterHub does not say when a start is over
            IOLoop.current().call_later(LOOK_AGAIN_SECONDS, self._pod_moved)
        else:
            IOLoop.current().spawn_callback(self._correct_address, pod)

    @property
    def _has_foreign_address(self):
        """Whether JupyterHub has recorded the address of a server that a subclass has started in its own way."""
        return self.server is not None and recorded(self.server) is not None

    @property
    def _is_busy(self):
        """Whether the server starts or stops: JupyterHub then writes the record itself."""
        return self._attempts or self.pending in ('spawn', 'stop')

    def _correct_address(self, pod):
        """Correct JupyterHub's record and the proxy's route to the address of this pod, one correction at a time.

        Returns a future, which never has an error.
        """
        if self._correction is not None:
            return self._correction
        correction = self._compare_until_right(pod)
        if not correction.done():
            self._correction = correction
            correction.add_done_callback(self._forget_correction)
        return correction

    def _forget_correction(self, _):
        self._correction = None

    @gen.coroutine
    def _compare_until_right(self, pod):
        self._subscribe()
        if IOLoop.current().time() < self._next_try:
            return
        try:
            while self._known.is_this(pod) and (uid_of(pod), podstatus.ip(pod)) != self._confirmed:
                if not (yield self._compare_address(pod)):
                    return
                pod = self.pod_reflector.get(self._pod_key)  # it may have changed meanwhile
        except Exception as e:  # an operator's hook may raise anything, and the server runs all the same
            self.log.warning('The address of the server in pod %s is not known: %s', self.pod_name, e)
            self._next_try = IOLoop.current().time() + TRY_AGAIN_SECONDS

    @gen.coroutine
    def _compare_address(self, pod):
        """Compare a pod's address with the record, and correct the record; return False if there is none to compare."""
        if self.server is None or self._is_busy:
            return False
        before = recorded(self.server)
        if before is None and not self._is_running(pod):
            self._recover_once(pod)
            return False
        if not podstatus.ip(pod):
            return False
        if before is not None and self._confirmed is None:  # by a state that does not say where the pod was
            self._address = before
            self._follow_address(pod)
        elif before is None or before == self._address:
            whole = yield self._waiter.refresh_pod()
            if self.server is None or not self._known.is_this(whole):
                return False
            deadline = IOLoop.current().time() + HOOK_SECONDS
            if before is None:
                yield self._recover_service(whole, deadline)
            actual = yield self._server_address(whole, deadline)
            self._correct_record(before, actual)
            self._follow_address(pod)
            self._keep_state()
            commit(self.user)
        else:  # somebody else's
            self._follow_address(pod)
        return True

    def _correct_record(self, before, actual):
        """Replace the Address in JupyterHub's record by the actual one. before (Address or None): the present one."""
        if is_outdated(before, self._address, actual):
            record(self.server, actual)
            self._address = actual
            if before is None:  # its start is over now
                (self._recovering.record if self._recovering else StartRecord()).end()
            self.log.warning('The server in pod %s is at %s, not at %s: corrected the record', self.pod_name, actual,
                             before or 'an address that its start never returned')
            IOLoop.current().spawn_callback(self._correct_route)

    @gen.coroutine
    def _correct_route(self):
        """Let the proxy send requests to the address on record.

        JupyterHub does that itself for a server that it is still checking, and whenever it starts.
        """
        proxy = getattr(self.user, 'settings', {}).get('proxy')
        if proxy is None or self.pending:
            return
        try:
            yield gen.convert_yielded(proxy.add_user(self.user, self.name))
        except Exception as e:  # whatever a proxy raises; JupyterHub checks its routes again and again
            self.log.warning('The route to pod %s could not be corrected yet: %s', self.pod_name, e)

    # After a hub that ended in the middle of a start

    def _recover_once(self, pod):
        """Wait for a pod whose start was interrupted by the end of a hub, unless somebody waits for it already."""
        if self._recovery is None:
            self.log.info('Pod %s is still starting, though its hub has ended: waiting for it', self.pod_name)
            self._recovering = StartAttempt(
                self._is_running, self.log, self.pod_name, uid_of(pod), self._unshown_progress(),
                grace=self.start_failure_grace, wake=partial(self.pod_reflector.wake, self._pod_key))
            self._recovery = self._recover(pod, self._recovering)

    def _give_up_recovery(self):
        if self._recovering is not None:
            self._recovering.give_up()

    @gen.coroutine
    def _recover(self, pod, attempt):
        """Wait until a pod runs, and correct the record; delete a pod that does not start in time."""
        deadline = IOLoop.current().time() + self.start_timeout
        try:
            yield self._check_secret(deadline)
            outcome = yield from self._waiter.wait_for_pod(
                lambda seen: attempt.is_given_up or attempt.outcome(seen), deadline, 'to be running')
        except SpawnError as e:
            outcome = e
        if isinstance(outcome, SpawnError) or attempt.is_given_up:
            attempt.record.end(outcome, attempt.is_given_up)
        if attempt.is_given_up:
            return
        if isinstance(outcome, SpawnError):
            self.log.error('The start of pod %s, which its hub did not see to the end, has failed: %s',
                           self.pod_name, outcome)
            if self.delete_stopped_pods or outcome.cause is not Cause.CONTAINER:
                yield self._pods.discard(pod)
        else:
            yield self._correct_address(outcome)
