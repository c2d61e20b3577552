"""KubeSpawner: the verbs start, poll and stop, and the state of a server.

Each other part of KubeSpawner is a module: `configuration` (the traits), `server_names` (the names of a server's
objects), `templates`, `manifests` (the contents of pods and claims), `user_options` (the profile that a user chose),
`prerequisites` (what must exist before the pod), `claims` and `pods` (who owns them, and how they are created and
deleted), `related` and `companions` (the same for a pod's Secret and Service), `followed_pods` (the reflector that
follows the pod), `addresses` (where the server is), `requests`, `waiting`, `attempt` (one start), `progress` (what
users see of it) and `startup_watch` (the time until the server answers JupyterHub). `podstatus` knows what a pod's
status means, `api` how to send requests, and `reflector` how to follow changes. For subclasses written for earlier
versions, `adapters` has the methods that they call, `subclass_steps` those that they override, and `importable` the
names that they import.

All of these run on the IOLoop's thread, and only they read the hub's state (user, server, database). Blocking calls get
plain values, and run on an executor thread, through `asynchronize`. The steps of a verb are generators, to be used with
`yield from`: a coroutine would need another iteration of the loop after each wait.
"""
from concurrent.futures import ThreadPoolExecutor
from functools import partial, wraps

from jupyterhub.spawner import Spawner
from tornado import gen, web
from tornado.concurrent import is_future, run_on_executor
from tornado.ioloop import IOLoop
from traitlets import Any, TraitError, default

from . import garbage_collection
from .configuration.aliases import AliasedTraits, with_aliases
from .halting import halt
from .kube import api, clients
from .kube.requests import Requests
from .kube.resource import wrap_all
from .kube.turns import turns_on
from .lifecycle import podstatus, records
from .lifecycle.attempt import StartAttempt
from .lifecycle.claims import Claims
from .lifecycle.logs import ServerLogs, secrets_of
from .lifecycle.pods import KnownPod, Ownership, Pods, is_a_successor, is_another_servers, uid_of
from .lifecycle.startup_watch import StartupWatch, no_answer, replace_wait_up
from .lifecycle.waiting import PodWaiter, in_time, shielded
from .messages import hints
from .messages.errors import (
    Cause,
    ConfigurationError,
    ForeignNamespaceError,
    HubError,
    SpawnError,
    WrongSetting,
    do_not_count,
    one_line,
)
from .naming import server_names
from .naming.ownership import owner_of
from .naming.server_names import is_settable
from .parts import addresses, followed_pods, installation, stand_in, subclass_steps
from .parts.adapters import Adapters
from .parts.addresses import Addresses
from .parts.awaiting import at_once, maybe_await
from .parts.followed_pods import FollowedPods, PodReflector  # noqa: F401
from .parts.hub_database import commit_together
from .parts.importable import *  # noqa: F403
from .parts.other_servers import OtherServers, is_of_another_server
from .parts.prerequisites import Prerequisites
from .parts.progress import Progress
from .parts.user_options import UserOptions

STARTS_A_TURN = 5  # starts that create their pods in one iteration of the loop, which takes about ten milliseconds
STOPS_A_TURN = 10  # stops that send their requests in one iteration of the loop
POLLS_A_TURN = 50  # polls that look at their pods in one iteration of the loop: a hub that starts polls all servers
START_MARGIN = 0.05  # of start_timeout: we give up before JupyterHub does, because we can say what we waited for

# The settings from which the names of a server's objects follow.
NAMING = frozenset(server_names.TEMPLATES.values()) | {'namespace'}


def raises_user_errors(verb):
    """Turn a generator function into a coroutine that raises the error for JupyterHub instead of an ApiError."""
    @gen.coroutine
    @wraps(verb)
    def raising(*args, **kwargs):
        try:
            return (yield from verb(*args, **kwargs))
        except api.ApiError as e:
            raise e.for_the_user()

    return raising


@with_aliases
class KubeSpawner(AliasedTraits, Adapters, UserOptions, Prerequisites, FollowedPods, Addresses, OtherServers, Progress,
                  Spawner):
    """Spawns each server of each user as a pod in Kubernetes."""

    # Shared by all spawners, created by the first
    executor = None
    pod_reflector = None
    event_reflector = None
    _turns = {}  # the turns of all spawners by verb: `start`, `stop` and `poll`

    api = Any(help="""The CoreV1Api of the `kubernetes` client that all spawners share.""")

    @default('api')
    def _api_default(self):
        return clients.shared_client('CoreV1Api')

    @run_on_executor
    def asynchronize(self, method, *args, **kwargs):
        """Call a blocking function on an executor thread; return a future of what it returns."""
        return method(*args, **kwargs)

    @property
    def _requests(self):
        """Sends this server's requests, each through `asynchronize`."""
        return Requests(lambda *args: self.asynchronize(*args), lambda: self.api,
                        lambda: (self.k8s_api_request_timeout, self.k8s_api_request_retry_timeout), self.log)

    @property
    def _waiter(self):
        """Waits for this server's pod."""
        return PodWaiter(self._requests, self.pod_reflector, self.namespace, self.pod_name, self.log)

    @property
    def _pods(self):
        """Creates and deletes this server's pod, with its present name and settings."""
        return Pods(self._requests, self.pod_reflector, self.namespace, self.pod_name, self.log,
                    (self.user.name, self.name), self._known, grace_period=self.delete_grace_period,
                    force_after=self.force_delete_after, may_delete_foreign=self._may_delete_foreign_pod,
                    other_owner=self._other_owner_of_pod,
                    start_timeout=0 if self._has_foreign_address else self.start_timeout)

    def _may_delete_foreign_pod(self, pod):
        return self.delete_foreign_pods and not is_of_another_server(pod, self.user, self.orm_spawner)

    @property
    def _logs(self):
        """Reads the logs of this server's pod."""
        return ServerLogs(self._requests, self.namespace, self.pod_name, self.log)

    @classmethod
    def class_own_traits(cls, **metadata):
        """Return the traits that `jupyterhub --generate-config` lists: for this class, also those of its parts."""
        if cls is not KubeSpawner:
            return super().class_own_traits(**metadata)
        traits = cls.class_traits(**metadata)
        return {name: trait for name, trait in traits.items() if getattr(Spawner, name, None) is not trait}

    def __init__(self, *args, _mock=False, **kwargs):
        """Create a spawner. `_mock` makes no difference: `stand_in` completes every spawner without a user."""
        try:
            super().__init__(*args, **kwargs)
        except TraitError as e:
            self.log.error('No server can be started: %s', one_line(e))
            raise WrongSetting(e)
        stand_in.complete(self)
        if KubeSpawner.executor is None:
            KubeSpawner.executor = ThreadPoolExecutor(max_workers=self.k8s_api_threadpool_workers)
            clients.override(host=self.k8s_api_host, ssl_ca_cert=self.k8s_api_ssl_ca_cert,
                             verify_ssl=self.k8s_api_verify_ssl)
            installation.check(self.log)
            garbage_collection.relieve()
        subclass_steps.check_overrides(type(self), self.log)
        self._common_namespace = self.namespace  # of users that have none of their own
        if self.enable_user_namespaces:
            self._use_namespace(self._user_namespace())
        self._share_reflector()
        self._check_templates()
        self._known = KnownPod()
        self._logged_pod = None  # the uid of the last pod whose log the hub's log has
        self._kept_pod = None  # the uid of the pod of a start that failed, which stays until the next one
        self._attempts = []  # the starts that go on, the abandoned ones included
        self._unanswered = []  # the start whose pod runs, and whose server JupyterHub waits for

    @staticmethod
    def _turns_of(verb, most):
        """Return the turns of a verb on this loop, in which at most so many continue in one iteration."""
        turns = KubeSpawner._turns[verb] = turns_on(IOLoop.current(), KubeSpawner._turns.get(verb), most)
        return turns

    def _halting(self, loop):
        return partial(halt, loop, self.log)

    # State

    def get_state(self):
        """Return the state that the hub's database keeps of this server, such as the names of its objects."""
        state = super().get_state()
        state.update(self._server_names.state(partial(getattr, self)))
        if self._known.ownership in (Ownership.UNCERTAIN, Ownership.NONE):
            state['stopped'] = True
            if self._known.spawn_id:
                state['spawn_id'] = self._known.spawn_id
        if self._known.is_ours and self._known.uid:
            state['pod_uid'] = self._known.uid
            if self._address is not None:
                state['address'] = str(self._address)
            if self._confirmed is not None:
                state['pod_ip'] = self._confirmed[1]
        state['namespace'] = self._overrides.usual('namespace')
        return state

    def load_state(self, state):
        """Load the state from the hub's database, so that a pod is found by the name with which it was started."""
        if state.get('pod_name'):
            self._go_to_namespace(state.get('namespace'))
        super().load_state(state)
        if state.get('pod_name'):
            self._known = KnownPod(
                Ownership.UNCERTAIN if state.get('stopped') else Ownership.OURS, spawn_id=state.get('spawn_id'))
            if self._known.is_ours:
                self._known.uid = state.get('pod_uid')
                self._address = addresses.remembered(state.get('address'))
                if self._address is not None and state.get('pod_ip'):
                    self._confirmed = state.get('pod_uid'), state['pod_ip']
        # JupyterHub loads a state into each new spawner, even an empty one. An interrupted start may have left a pod.
        self._server_names.load(state, self._known.is_ours or self._known.spawn_id is not None)

    def _go_to_namespace(self, namespace):
        """Use the namespace in which the server was started. namespace (str or None): what the state says."""
        if self.enable_user_namespaces:
            self._use_namespace(namespace or self._common_namespace)
        elif namespace not in (None, self.namespace):
            configured = self.namespace
            if self._use_namespace(namespace):
                self._configured_namespace = configured
                self.log.info('Looking for the server in namespace %s, where it was started, not in %s',
                              namespace, configured)

    def _use_namespace(self, namespace):
        """Use a namespace, unless the class computes another one; return whether it is used."""
        if is_settable(self, 'namespace'):
            self.namespace = namespace
        elif namespace != self.namespace:
            self.log.warning('The server is looked for in namespace %s, which the class %s computes, and not in %s.',
                             self.namespace, type(self).__name__, namespace)
        return self.namespace == namespace

    def clear_state(self):
        """Clear the state, so that the next pod is named by the templates as they are then.

        An existing claim still belongs to this server, which therefore stays in the claim's namespace. JupyterHub
        clears the state after each stop and before each start, and then stores what `get_state` returns.
        """
        super().clear_state()
        self._cancel_starts()  # JupyterHub only calls `stop` if there is a pod, but it always clears the state
        self._unfollow_address()
        self._release_reflector()
        self._known = KnownPod(Ownership.NONE, earlier=self._known.starts)
        self._drop_progress()
        self._server_names.clear()
        if self._server_names.has_claim_in(self.namespace):
            return
        if self.enable_user_namespaces:
            self._use_namespace(self._user_namespace())
        elif self._configured_namespace is not None:
            self.namespace, self._configured_namespace = self._configured_namespace, None

    _configured_namespace = None  # set if the state says that the server is in another one

    def _keep_state(self):
        """Put the present state into the hub's database."""
        if self.orm_spawner is not None:
            self.orm_spawner.state = self.get_state()

    def _save_state(self):
        """Save the state, because the hub may die before the start is over. Returns a future."""
        return commit_together(self.user, self._keep_state)

    def _maker(self, name):
        return globals()[name]  # configuration files may have replaced `make_pod` in this module

    # The verbs

    def is_pod_running(self, pod):
        """Return whether the notebook server in `pod` (a `Resource`, a V1Pod or None) is ready for connections."""
        return podstatus.is_running(pod if isinstance(pod, dict) else clients.to_dict(pod))

    def _is_running(self, pod):
        """Return what `is_pod_running` does, which a subclass may have made a coroutine by mistake."""
        return at_once(self.is_pod_running(pod), 'is_pod_running')

    def start(self):
        """Create the pod, after a claim if the settings ask for one, and wait until it runs.

        Returns a future of what JupyterHub records as the server's address: a URL that is also the pair (host, port),
        see `StartedAt`; only the pair for IPv6 and before JupyterHub 0.9; only the URL if `get_pod_url` returned it.
        If the future is cancelled, the start is given up. Raises SpawnError and ConfigurationError.
        """
        attempt = StartAttempt(self._is_running, self.log)
        attempt.record.reached(records.BEGIN)
        started = self._start_with_hints(attempt)
        started.add_done_callback(attempt.count)
        self._start_future = shielded(started, attempt.give_up)
        return self._start_future

    def _cancel_starts(self):
        """Give up all starts of this server."""
        for attempt in self._attempts + self._unanswered:
            attempt.give_up()
        self._give_up_recovery()

    @gen.coroutine
    def _start_with_hints(self, attempt):
        """Start the server, with a progress log. Raises the error that JupyterHub shows."""
        self._attempts.append(attempt)
        with self._progress_of_start(lambda: attempt.is_given_up) as attempt.progress_log:
            try:
                return (yield self._start())
            except (api.ApiError, SpawnError, HubError) as e:
                shown = e.for_the_user() if isinstance(e, api.ApiError) else (yield self._with_log(attempt, e))
                is_by_user = self._is_by_user or isinstance(shown, ForeignNamespaceError)  # who chose the name
                if is_by_user and isinstance(shown, SpawnError) and not attempt.is_given_up:
                    do_not_count(getattr(self, 'handler', None))
                raise hints.with_hint(shown, self._may_be_a_choice())
            except (ValueError, TraitError) as e:
                raise ConfigurationError(str(e))
            except Exception as e:
                hints.explain_await(e)
                if not self._is_by_user or isinstance(e, web.HTTPError) or hasattr(e, 'jupyterhub_message'):
                    raise
                self.log.exception('Pod %s cannot be started with what its user wrote', self.pod_name)
                do_not_count(getattr(self, 'handler', None))
                raise SpawnError('Your server cannot be started with the value that you wrote. Choose another one.')
            finally:
                self._attempts.remove(attempt)

    @gen.coroutine
    def _start(self):
        """Do the start that was requested last, or the one that a subclass' `_start` has delayed.

        The steps are generators, as in all verbs.
        """
        attempt = next((each for each in self._attempts if not each.has_begun), self._attempts[-1])
        attempt.has_begun = True
        yield from self._apply_settings(attempt)
        manifest, new_objects = yield from self._make_manifests(attempt)
        yield from self._create_prerequisites(attempt, manifest, new_objects)
        created = yield from self._create_pod_and_record(attempt, manifest)
        del manifest, new_objects  # a start may wait for minutes, and these are a third of the objects that it holds
        yield from self._complete_pod(attempt, created)
        pod = yield from self._wait_until_running(attempt, created)
        address = yield self._server_address(pod, attempt.deadline)
        self._follow_address(pod)
        attempt.has_run()
        self._watch_wait_up(attempt, created)
        return self._return_address(address)

    def _apply_settings(self, attempt):
        """Set the deadline, apply the user's choice, which may change any setting, and wait for a turn."""
        self._follow_pods()
        started = IOLoop.current().time()
        attempt.deadline = started + self.start_timeout * (1 - START_MARGIN)
        yield from self._watch_as_subclass_does(attempt.deadline, attempt.is_wanted)
        overridden = self._use_profile(attempt.deadline, attempt.is_wanted)
        is_known = overridden.done()  # then JupyterHub waits as long as the profile's start_timeout says
        if (yield overridden) & NAMING:
            self._server_names.forget(self._known.is_ours)
            self._follow_pods()  # in the profile's namespace
        yield from self._choose_reflector(attempt.deadline)
        if is_known:
            attempt.deadline = started + self.start_timeout * (1 - START_MARGIN)
        yield self._turns_of('start', STARTS_A_TURN).take_turn()
        attempt.pod_name, attempt.grace = self.pod_name, self.start_failure_grace

    def _make_manifests(self, attempt):
        """Return the V1Pod to create, after the operator's hook, and the missing objects that it needs.

        Everything that may find a wrong setting is done here, before an object is created.
        """
        if self.enable_user_namespaces:
            yield self._call_own_step('_ensure_namespace', attempt)
        new_objects = yield from self._objects_to_create(attempt)
        self._begin_pod()
        manifest = self.get_pod_manifest()
        manifest = yield in_time(manifest if is_future(manifest) else maybe_await(manifest), attempt.deadline,
                                 lambda: self._asked_for_pod or 'get_pod_manifest', self.pod_name)
        manifest = yield in_time(self._run_hook(manifest), attempt.deadline,
                                 self.modify_pod_hook and 'modify_pod_hook', self.pod_name)
        return manifest, new_objects

    def _create_prerequisites(self, attempt, manifest, new_objects):
        """Create what the pod needs, and delete what is in its way."""
        if self.user_storage_pvc_ensure:
            self._server_names.record_claim(self.pvc_name, self.namespace, self.pvc_name_template)
        yield from self._create_missing(new_objects, attempt)
        attempt.check_wanted()
        if self.user_storage_pvc_ensure:
            self._server_names.has_claim = True
            attempt.record.reached(records.CLAIM)
        self._log_claim(attempt.progress_log, new_objects)
        self._server_names.take('pod_name', manifest.metadata.name)
        attempt.pod_name = self.pod_name
        yield in_time(self._check_certificates(), attempt.deadline, 'ssl_alt_names', self.pod_name)
        yield from self._make_room(attempt)

    def _create_pod_and_record(self, attempt, manifest):
        """Create the pod; return it, a Resource."""
        attempt.wake, attempt.waiter = partial(self.pod_reflector.wake, self._pod_key), self._waiter
        attempt.pods = self._pods
        yield from self._follow_events(attempt.progress_log)
        self._known.begin_start()
        yield self._save_state()  # the hub may die before there is an answer
        created = clients.Resource((yield from self._create_pod(attempt.pods, manifest, attempt)))
        self._log_pod(attempt.progress_log, created)
        attempt.record.reached(records.CREATED)
        attempt.uid, attempt.secrets = uid_of(created), partial(secrets_of, created, self._secret_values())
        attempt.progress_log.about(attempt.uid)
        return created

    def _complete_pod(self, attempt, created):
        """Save what is known of the new pod, create its companions, and call the operator's hook."""
        yield self._save_state()
        yield from self._create_companions(attempt, created)
        if self.user_storage_pvc_ensure and not attempt.is_claim_bound:
            self._follow_claim(attempt)
        if self.after_pod_created_hook is not None:
            yield in_time(self._result_of('after_pod_created_hook', self, wrap_all(created)), attempt.deadline,
                          'after_pod_created_hook', self.pod_name)

    def _wait_until_running(self, attempt, created):
        """Wait until the pod runs; return it, with the spec as it was created: the cache does not keep all of that."""
        outcome = yield from attempt.waiter.wait_for_pod(
            partial(self._outcome, attempt), attempt.deadline, 'to be running', attempt.too_late)
        if isinstance(outcome, SpawnError):
            raise outcome
        self._log_running(attempt.progress_log, outcome)
        return clients.Resource(created, metadata=outcome['metadata'], status=outcome['status'])

    def _make_room(self, attempt):
        """Delete what is left of an earlier pod of this server, and which the new pod would use."""
        names = self._names_of_companions()
        if names:
            yield self._pods.make_room(attempt.deadline)
        for kind, name in names:
            yield self._companions.make_room(kind, name, attempt.deadline, attempt.is_wanted)

    def _create_companions(self, attempt, created):
        """Create the pod's Secret and Service, for which the pod waits. If that fails, delete the pod."""
        try:
            for kind, _ in self._names_of_companions():
                yield self._create_companion(kind, created, attempt.deadline, attempt.is_wanted)
            attempt.check_wanted()
        except Exception:
            yield attempt.pods.discard(created)
            raise

    def _outcome(self, attempt, pod):
        """Return how a start ended, see `StartAttempt.outcome`; add the pod's status to the progress log."""
        self._log_status(attempt.progress_log, pod)
        return attempt.outcome(pod)

    @gen.coroutine
    def _with_log(self, attempt, error):
        """Return the error of a start with the last log lines of the failed container; keep its pod if configured."""
        if error.cause not in (Cause.CONTAINER, Cause.ANSWER) or attempt.uid is None or attempt.is_given_up:
            return error
        pod = self._waiter.cached_pod()
        if error.cause is Cause.CONTAINER and not self.delete_stopped_pods:
            self._kept_pod = attempt.uid
        container = attempt.container or podstatus.notebook_container(pod)
        self._logged_pod = attempt.uid
        return (yield self._logs.add_to(error, pod, container, attempt.secrets()))

    def _watch_wait_up(self, attempt, created):
        """End JupyterHub's wait for the server with an error if the pod fails, and continue the progress log."""
        if self.server is None:  # there is no hub, so nobody waits
            return
        handler = getattr(self, 'handler', None)  # newer hubs set it, and remove it when the start has ended
        watch = StartupWatch(attempt.waiter, attempt.wake, partial(self._failure_with_hint, attempt), self.http_timeout,
                             lambda: self._is_by_user, partial(self._no_answer, attempt, podstatus.hub_url(created)),
                             attempt.pod_name, self.log)

        @gen.coroutine
        def watched(answer):
            with self._append_progress(attempt.progress_log, lambda: attempt.is_given_up):
                try:
                    return (yield watch.until_answered(answer))
                except SpawnError as e:
                    if self._is_by_user and not attempt.is_given_up:
                        do_not_count(handler)
                    raise (yield self._with_log(attempt, e))
                finally:
                    self._unanswered = [each for each in self._unanswered if each is not attempt]

        self._unanswered = [attempt]
        attempt.record.goes_on = True
        attempt.progress_log.continues_after_start = True
        replace_wait_up(self.server, attempt.counted(watched), attempt.give_up)

    def _failure_with_hint(self, attempt, *args, **kwargs):
        failure = attempt.failure(*args, **kwargs)
        return failure and hints.with_hint(failure, self._may_be_a_choice())

    def _no_answer(self, attempt, hub_url):
        error = no_answer(attempt.pod_name, self.namespace, self.server.url, self.http_timeout, hub_url)
        return hints.with_hint(error, self._may_be_a_choice())

    @gen.coroutine
    def delete_forever(self):
        """Delete this server's claim, and the kept pod of a failed start. The user or the named server is deleted."""
        yield self._discard_kept_pod()
        if self.delete_pvc:
            self._end_profile()
            yield self._delete_claim(self._claims(self.user_storage_pvc_ensure))
            for claim in self._server_names.profile_claims:
                of_profile = Claims(self._requests, claim['namespace'], claim['name'], self.log,
                                    (self.user.name, self.name))
                yield self._delete_claim(of_profile, claim['template'])

    @gen.coroutine
    def _discard_kept_pod(self):
        """Delete the pod that was kept after a failed start: it would keep the claim in use."""
        if self.delete_stopped_pods or self._attempts:
            return
        try:
            pod = yield self._waiter.refresh_pod()
        except api.ApiError as e:
            self.log.warning('Whether pod %s is still there is not known: %s', self.pod_name, e)
            return
        if pod is not None and self.pod_reflector.selects(pod) and owner_of(pod) == (self.user.name, self.name):
            yield self._pods.discard(pod)

    def poll(self):
        """Return a future of None while the server runs or starts, or its state is unknown; otherwise of its exit code.

        The exit code is 1 if there is no pod. A pod that has ended is deleted, unless `delete_stopped_pods` is off.
        The wait takes at most `followed_pods.FIRST_LIST_SECONDS` and the time of one request.
        """
        if self._known.ownership is Ownership.NONE and not self._has_foreign_address:
            return gen.maybe_future(1)
        return self._turns_of('poll', POLLS_A_TURN).do(self._poll_at_once)

    def _poll_at_once(self):
        """Return None if the server still runs, as thousands do twice a minute; otherwise the future of a full poll."""
        reflector = self._follow_pods()
        if not reflector.first_load_future.done() or reflector.is_stale or self._watches_by_itself():
            return self._poll()
        pod = reflector.get(self._pod_key)
        is_as_before = pod is not None and self._is_followed(pod) and podstatus.exit_code(pod) is None
        return None if is_as_before else self._poll()

    def _watches_by_itself(self):
        """Whether a subclass overrides how pods or events are followed."""
        return self._has_own('_start_watching_pods') or self._has_own('_start_watching_events')

    @gen.coroutine
    def _poll(self):
        """Do a full poll; return the same as `poll`."""
        reflector = self._follow_pods()
        if self._watches_by_itself():
            try:
                yield from self._watch_as_subclass_does(IOLoop.current().time() + followed_pods.FIRST_LIST_SECONDS)
            except (SpawnError, api.ApiException) as e:
                self.log.warning('Whether pod %s is there is not known: %s', self.pod_name, one_line(e))
                return None
        turns = self._turns_of('poll', POLLS_A_TURN)
        if not (reflector.first_load_future.done() or (yield from self._is_listed_for_polls(turns))):
            return None
        reflector = self.pod_reflector
        if reflector.failed:
            return None
        pod = reflector.get(self._pod_key)
        if pod is None or reflector.is_stale:
            try:
                pod = yield self._waiter.refresh_pod()
            except api.ApiError as e:
                self.log.warning('Whether pod %s is there is not known: %s', self.pod_name, e)
                return None
            if pod is None or not reflector.selects(pod):
                return 1
        return (yield from self._poll_existing(pod))

    def _poll_existing(self, pod):
        """Return the same as `poll` for an existing pod; delete it if it has ended, or take it as this server's.

        This is a generator, not a coroutine, because a hub that starts polls all of its servers at once.
        """
        if not self._known.may_be_this(pod) and self._is_of_others(pod):
            return 1
        code = podstatus.exit_code(pod)
        if code and self._logged_pod != uid_of(pod):
            self._logged_pod = uid_of(pod)
            yield self._logs.write(pod, podstatus.notebook_container(pod))
        if code is None:
            yield from self._recognize(pod)
        elif self.delete_stopped_pods:
            yield self._pods.discard(pod)
        return code

    def _is_of_others(self, pod):
        """Whether a pod of our name belongs to another server, or was created after ours was gone."""
        owner = self.user.name, self.name
        return (is_a_successor(pod, self._known, self.log) or self._is_foreign_pod(pod) or self._is_of_another_hub(pod)
                or is_another_servers(pod, self._known, owner, self.pod_reflector))

    def _is_of_another_hub(self, pod):
        """Whether another hub with the same database has started this server meanwhile."""
        return not self._has_foreign_address and self._known.is_of_another_start(pod)

    def _is_foreign_pod(self, pod):
        """Whether a pod of our name was not created by our last start, which the end of a hub interrupted."""
        is_interrupted = (self._known.ownership is Ownership.UNCERTAIN and not self._attempts
                          and self.server is not None and not self._has_foreign_address)
        return is_interrupted and not self._known.is_of_last_start(pod)

    def _recognize(self, pod):
        """If a running pod is this server's, remember that, and correct the address that the hub has."""
        if self._known.uid is None and not self._attempts:
            if (self._known.is_ours or self._known.is_of_last_start(pod)
                    or self._has_foreign_address and owner_of(pod) == (self.user.name, self.name)):
                self._known.own(pod)
        if self._known.is_this(pod):
            self._subscribe()
            if not self._is_followed(pod):
                yield self._correct_address(pod)

    @records.counts_stops
    @raises_user_errors
    def stop(self, now=False):
        """Delete the pod and wait until it is gone. The server has `delete_grace_period` seconds to end, unless `now`.

        Raises SpawnError if the pod is still there after `start_timeout` seconds.
        """
        self._follow_pods()
        self._cancel_starts()
        deadline = IOLoop.current().time() + self.start_timeout
        yield self._turns_of('stop', STOPS_A_TURN).take_turn()
        yield from self._watch_as_subclass_does(deadline)
        reflector = yield from self._choose_reflector(deadline)
        pod = reflector.get(self._pod_key)
        if pod is None:
            pod = yield self._waiter.refresh_pod(deadline)
        if pod is None:
            self.log.info('Pod %s is gone already', self.pod_name)
            return
        pods = self._pods
        if pods.is_a_successor(pod):
            return
        if pods.is_another_servers(pod) or self._is_of_another_hub(pod):
            self.log.warning('Pod %s is not of this server, and left alone', self.pod_name)
            return
        if uid_of(pod) == self._kept_pod:
            self.log.info('Pod %s, which has failed, stays until the next start', self.pod_name)
            return
        has_nothing_to_end = now or podstatus.has_nothing_running(pod)
        grace = 0 if has_nothing_to_end else self.delete_grace_period
        yield self._delete_pod_as_subclass_does(grace, deadline)
        yield from pods.delete(pod, grace, deadline)
