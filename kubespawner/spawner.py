"""KubeSpawner: the verbs start, poll and stop. Lifecycle only.

KubeSpawner is put together of parts, each of which is a module: `configuration` (the traits), `server_names` (what a
server's objects are called), `templates`, `manifests` (what pods and claims look like), `choosing` (profiles), `claims`
and `pods` (whose they are, making and deleting them), `related` and `companions` (the same for a pod's Secret and
Service), `requests`, `waiting`, `attempt` (one start), `progress` (what users are told meanwhile) and `startup_watch`
(until the server answers JupyterHub). What a pod's status means is in `podstatus`, how the API is talked to in `api`,
and how its changes arrive in `reflector`. Of what subclasses of other years use, `adapters` has what they call,
`subclass_steps` what they override, and `importable` what they import.

Everything in these parts runs on the IOLoop's thread. Hub state (user, server, database) is read in them only; blocking
calls get plain values and run on an executor thread, through `asynchronize`. The steps of a verb are generators, which
it goes through with `yield from`: as a coroutine, each would cost an iteration of the loop after each wait.
"""
from concurrent.futures import ThreadPoolExecutor
from functools import partial, wraps

from jupyterhub.spawner import Spawner
from tornado import gen, web
from tornado.concurrent import run_on_executor
from tornado.ioloop import IOLoop
from traitlets import Any, Dict, TraitError, Unicode, default

from . import garbage_collection
from .configuration.aliases import AliasedTraits, with_aliases
from .halting import halt
from .kube import api, clients
from .kube.requests import Requests
from .kube.resource import wrap_all
from .kube.turns import turns_on
from .lifecycle import binding, claim_size, podstatus, records
from .lifecycle.attempt import StartAttempt
from .lifecycle.claims import Claims, why_kept
from .lifecycle.logs import ServerLogs, secrets_of
from .lifecycle.pods import KnownPod, Ownership, Pods, is_a_successor, is_another_servers, uid_of
from .lifecycle.startup_watch import StartupWatch, no_answer, replace_wait_up
from .lifecycle.waiting import PodWaiter, in_time, is_listed, shielded, warn_unless_listed
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
from .naming.ownership import PROFILE, owner_of
from .parts import addresses, installation, stand_in, subclass_steps
from .parts.adapters import Adapters
from .parts.addresses import Addresses
from .parts.choosing import Choosing
from .parts.hub_database import commit_together
from .parts.importable import *  # noqa: F403
from .parts.other_servers import OtherServers, is_of_another_server
from .parts.progress import Progress
from .parts.reflectors import owner_of_reflectors
from .reflector import ResourceReflector

FIRST_LIST_SECONDS = 10  # that `poll` waits for what the cluster has, after which it is not known
STARTS_A_TURN = 5  # that make their pods in one iteration of the loop, which takes some ten milliseconds
STOPS_A_TURN = 10  # that send their requests in one iteration of the loop
POLLS_A_TURN = 50  # that look at their pods in one iteration of the loop: a hub that starts polls all servers at once
START_MARGIN = 0.05  # of start_timeout: we give up before JupyterHub does, because we know what was waited for


def raises_user_errors(verb):
    """Make a coroutine of a generator; it raises what JupyterHub shows, instead of an ApiError."""
    @gen.coroutine
    @wraps(verb)
    def raising(*args, **kwargs):
        try:
            return (yield from verb(*args, **kwargs))
        except api.ApiError as e:
            raise e.for_the_user()

    return raising


class PodReflector(ResourceReflector):
    """Keeps the notebook servers' pods of one namespace up to date."""

    kind = Unicode('pod')

    labels = Dict({'heritage': 'jupyterhub', 'component': 'singleuser-server'})

    list_method_name = Unicode('list_namespaced_pod')

    can_be_split = True

    @default('fields')
    def _what_is_read(self):
        return podstatus.FIELDS + ['spec.containers.image']  # which dashboards and cullers read

    @property
    def pods(self):
        """The pods by name."""
        return self.resources

    def watched_part(self, resource):
        """Return a pod's uid and IP address."""
        return uid_of(resource), podstatus.ip(resource)


@with_aliases
class KubeSpawner(AliasedTraits, Adapters, Choosing, Addresses, OtherServers, Progress, Spawner):
    """Spawns each server of each user as a pod in Kubernetes."""

    # Shared by all spawners, made by the first
    executor = None
    pod_reflector = None
    event_reflector = None
    _turns = {}  # in which the starts, the stops and the polls of all spawners go on, by how many go on at a time

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
        """What sends this server's requests, each through `asynchronize`."""
        return Requests(lambda *args: self.asynchronize(*args), lambda: self.api,
                        lambda: (self.k8s_api_request_timeout, self.k8s_api_request_retry_timeout), self.log)

    @property
    def _pod_key(self):
        """By what the reflector knows this server's pod."""
        return self.pod_reflector.key(self.namespace, self.pod_name)

    @property
    def _waiter(self):
        """What waits for this server's pod."""
        return PodWaiter(self._requests, self.pod_reflector, self.namespace, self.pod_name, self.log)

    @property
    def _pods(self):
        """What makes and deletes this server's pod, as it is called and configured now."""
        return Pods(self._requests, self.pod_reflector, self.namespace, self.pod_name, self.log,
                    (self.user.name, self.name), self._known, self.delete_grace_period, self.force_delete_after,
                    lambda pod: self.delete_foreign_pods
                    and not is_of_another_server(pod, self.user, self.orm_spawner), self._other_owner_of_pod,
                    0 if self._has_foreign_address else self.start_timeout)

    @property
    def _logs(self):
        """What reads the logs of this server's pod."""
        return ServerLogs(self._requests, self.namespace, self.pod_name, self.log)

    @classmethod
    def class_own_traits(cls, **metadata):
        """Return what `jupyterhub --generate-config` lists for a class: for this one, also the traits of its parts."""
        if cls is not KubeSpawner:
            return super().class_own_traits(**metadata)
        traits = cls.class_traits(**metadata)
        return {name: trait for name, trait in traits.items() if getattr(Spawner, name, None) is not trait}

    def __init__(self, *args, _mock=False, **kwargs):
        """Make a spawner. `_mock` says what is done for every spawner without a user, see `stand_in`."""
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
            self.namespace = self._user_namespace()
        self._share_reflector()
        self._check_templates()
        self._known = KnownPod()
        self._logged_pod = None  # the uid of the last pod whose log the hub's log has
        self._kept_pod = None  # the uid of the pod of a start that failed, which stays until the next one
        self._attempts = []  # the starts that go on, the abandoned ones included
        self._unanswered = []  # the start whose pod runs, and whose server JupyterHub waits for

    def _share_reflector(self):
        """Make the reflector with the first spawner; one of its own only for another namespace or `component_label`.

        One for all namespaces does for all spawners, and is what those need whose users have their own namespaces. If
        the hub may not list all namespaces, each namespace has one.

        It is shared by all subclasses, except those that have a class attribute `pod_reflector` of their own.
        """
        self._reflects = self.namespace, self.component_label
        self._release_reflector()
        vars(self).pop('pod_reflector', None)
        owner = owner_of_reflectors(type(self))
        namespace = '' if self.enable_user_namespaces else self.namespace
        if owner.pod_reflector is None:
            labels = {'heritage': 'jupyterhub', 'component': self.component_label}
            owner.pod_reflector = PodReflector(config=self.config, log=self.log, namespace=namespace, labels=labels)
        shared = owner.pod_reflector
        labels = dict(shared.labels, component=self.component_label) if 'component' in shared.labels else shared.labels
        reflector = shared.sibling(namespace, labels)
        if reflector.is_forbidden:
            reflector = shared.sibling(self.namespace, labels)
        if reflector is not shared:
            self.pod_reflector = reflector

    def _release_reflector(self):
        """Have the reflector of this server's namespace stop, if it has one of its own that no other server needs."""
        shared = owner_of_reflectors(type(self)).pod_reflector
        if shared is not None and 'pod_reflector' in vars(self):
            shared.siblings.release(self.pod_reflector, self)

    def _follow_pods(self, replace=False):
        """Start the reflector with the first verb that needs it; return it. replace (bool): make a new one."""
        if replace:
            self.pod_reflector.stop()
            owner_of_reflectors(type(self)).pod_reflector = None
        is_another = self._reflects != (self.namespace, self.component_label)  # they were changed since
        if replace or is_another or self.pod_reflector.is_forbidden or self._reflector_has_ended():
            self._share_reflector()
        if 'pod_reflector' in vars(self):
            owner_of_reflectors(type(self)).pod_reflector.siblings.use(self.pod_reflector, self)
        if self.pod_reflector.on_failure is None and self._needs_reflector():
            self.pod_reflector.on_failure = self._halting(IOLoop.current())
        self.pod_reflector.start()
        return self.pod_reflector

    def _needs_reflector(self):
        """False for a namespace that only a state or a profile names, of which the hub may know nothing and go on."""
        is_usual = self._configured_namespace is None and 'namespace' not in self._overrides
        return is_usual or self.pod_reflector is owner_of_reflectors(type(self)).pod_reflector

    def _reflector_has_ended(self):
        """True if the pods of this server's namespace are not followed any more, while the hub goes on."""
        reflector = self.pod_reflector
        return reflector.stopped() or reflector.failed and reflector.on_failure is None

    @gen.coroutine
    def _is_listed(self, seconds=FIRST_LIST_SECONDS):
        """Return whether the first list of this server's reflector is there; wait so many seconds for it.

        If the hub may not list all namespaces, that of the server's own namespace is meant.
        """
        deadline = IOLoop.current().time() + seconds
        while True:
            reflector = self._follow_pods()
            if not (yield is_listed(reflector, max(0, deadline - IOLoop.current().time()))):
                return False
            if not reflector.is_forbidden:
                return True

    def _is_listed_for_polls(self):
        """Return the same as `_is_listed`, in a turn: all polls that wait for the same list share one wait for it."""
        deadline = IOLoop.current().time() + FIRST_LIST_SECONDS
        while True:
            reflector, seconds = self._follow_pods(), max(0, deadline - IOLoop.current().time())
            yield self._turns_of(POLLS_A_TURN).take_turn_after(
                reflector, partial(warn_unless_listed, reflector, seconds, self.log))
            if not reflector.is_forbidden:
                return reflector.first_load_future.done()

    def _choose_reflector(self, deadline):
        """Wait until it is known whether this server is followed by a reflector of all namespaces."""
        if not (self.pod_reflector.namespace or self.pod_reflector.first_load_future.done()):
            yield self._is_listed(min(FIRST_LIST_SECONDS, max(0, deadline - IOLoop.current().time())))
        return self._follow_pods()

    @staticmethod
    def _turns_of(most):
        """Return the turns of this loop in which so many go on in one iteration."""
        turns = KubeSpawner._turns[most] = turns_on(IOLoop.current(), KubeSpawner._turns.get(most), most)
        return turns

    def _halting(self, loop):
        return partial(halt, loop, self.log)

    # State

    def get_state(self):
        """Return what the hub's database keeps of this server: the parent's state, and what its objects are called."""
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
        """Take over what the hub's database kept, so that a pod is found under the name it was started with."""
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
        # JupyterHub loads a state, which may be empty, into each new spawner. An interrupted start may have made a pod.
        self._server_names.load(state, self._known.is_ours or self._known.spawn_id is not None)

    def _go_to_namespace(self, namespace):
        """Look for the server where its state says that it was started; None if the state does not say."""
        if self.enable_user_namespaces:
            self.namespace = namespace or self._common_namespace
        elif namespace not in (None, self.namespace):
            self._configured_namespace, self.namespace = self.namespace, namespace
            self.log.info('Looking for the server in namespace %s, where it was started, not in %s',
                          namespace, self._configured_namespace)

    def clear_state(self):
        """Forget the state: the next pod is named by the templates as they are then.

        A claim that is there stays this server's, and with it the namespace that it is in. JupyterHub clears the state
        after each stop and before each start, and keeps what `get_state` returns then.
        """
        super().clear_state()
        self._cancel_starts()  # JupyterHub stops a server only if there is a pod; it always clears the state then
        self._unfollow_address()
        self._release_reflector()
        self._known = KnownPod(Ownership.NONE, earlier=self._known.starts)
        self._drop_progress()
        self._server_names.clear()
        if self._server_names.has_claim_in(self.namespace):
            return
        if self.enable_user_namespaces:
            self.namespace = self._user_namespace()
        elif self._configured_namespace is not None:
            self.namespace, self._configured_namespace = self._configured_namespace, None

    _configured_namespace = None  # if the state says that the server is in another one

    def _keep_state(self):
        """Change the state that the hub's database keeps to what it is now."""
        if self.orm_spawner is not None:
            self.orm_spawner.state = self.get_state()

    def _save_state(self):
        """Have the hub's database know of a new pod: the hub may die before the start is over. Returns a future."""
        return commit_together(self.user, self._keep_state)

    def _maker(self, name):
        return globals()[name]  # where configuration files of all years replace `make_pod`

    # The verbs

    def is_pod_running(self, pod):
        """True if the notebook server of `pod` (a `Resource`, a V1Pod or None) can be talked to."""
        return podstatus.is_running(pod if isinstance(pod, dict) else clients.to_dict(pod))

    def start(self):
        """Create the pod, and the claim before it if there is to be one; return where the server is when it is running.

        Returns a future of that: (host, port), or what `get_pod_url` returns. To cancel it gives the start up.
        """
        attempt = StartAttempt(lambda pod: self.is_pod_running(pod), self.log)
        attempt.record.reached(records.BEGIN)
        started = self._start_with_hints(attempt)
        started.add_done_callback(attempt.count)
        self._start_future = shielded(started, attempt.give_up)
        return self._start_future

    def _cancel_starts(self):
        """Have all starts notice that nobody wants them any more."""
        for attempt in self._attempts + self._unanswered:
            attempt.give_up()
        self._give_up_recovery()

    @gen.coroutine
    def _start_with_hints(self, attempt):
        """Start, with a progress log of it; raise what JupyterHub shows."""
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
        """Do the start that was begun last, or that another method of this name has let wait."""
        attempt = next((each for each in self._attempts if not each.has_begun), self._attempts[-1])
        attempt.has_begun, progress_log = True, attempt.progress_log
        self._follow_pods()
        started = IOLoop.current().time()
        attempt.deadline = deadline = started + self.start_timeout * (1 - START_MARGIN)
        yield from self._watch_as_subclass_does(deadline, attempt.is_wanted)
        overridden = self._use_profile(deadline, attempt.is_wanted)
        is_known = overridden.done()  # before JupyterHub looks how long it is to wait
        if (yield overridden) & ({'namespace'} | set(server_names.TEMPLATES.values())):
            self._server_names.forget(self._known.is_ours)
            self._follow_pods()  # in the profile's namespace
        yield from self._choose_reflector(deadline)
        if is_known:
            attempt.deadline = deadline = started + self.start_timeout * (1 - START_MARGIN)
        yield self._turns_of(STARTS_A_TURN).take_turn()
        attempt.pod_name, attempt.grace = self.pod_name, self.start_failure_grace
        if self.enable_user_namespaces:
            yield self._call_own_step('_ensure_namespace', attempt)
        new_objects = yield from self._objects_to_create(attempt)
        manifest = yield in_time(
            self.get_pod_manifest(), deadline, lambda: self._asked_for_pod or 'get_pod_manifest', self.pod_name)
        manifest = yield in_time(
            self._run_hook(manifest), deadline, self.modify_pod_hook and 'modify_pod_hook', self.pod_name)
        if self.user_storage_pvc_ensure:
            self._server_names.record_claim(self.pvc_name, self.namespace, self.pvc_name_template)
        yield from self._create_missing(new_objects, attempt)  # after all that may show a wrong configuration
        attempt.check_wanted()
        if self.user_storage_pvc_ensure:
            self._server_names.has_claim = True
            attempt.record.reached(records.CLAIM)
        self._log_claim(progress_log, new_objects)
        self._server_names.take('pod_name', manifest.metadata.name)
        attempt.pod_name = self.pod_name
        yield in_time(self._check_certificates(), deadline, 'ssl_alt_names', self.pod_name)
        yield from self._make_room(attempt)
        attempt.wake = partial(self.pod_reflector.wake, self._pod_key)
        waiter, pods = self._waiter, self._pods
        yield from self._follow_events(progress_log)
        self._known.begin_start()
        yield self._save_state()  # the hub may die before there is an answer
        created = clients.Resource((yield from self._create_pod(pods, manifest, attempt)))
        del manifest  # a start may wait for minutes, and this is a third of the objects that it has meanwhile
        self._log_pod(progress_log, created)
        attempt.record.reached(records.CREATED)
        attempt.uid, attempt.secrets = uid_of(created), partial(secrets_of, created, self._secret_values())
        progress_log.about(attempt.uid)
        yield self._save_state()
        yield from self._create_companions(attempt, pods, created)
        if self.user_storage_pvc_ensure and not attempt.is_claim_bound:
            self._follow_claim(attempt)
        if self.after_pod_created_hook is not None:
            yield in_time(self._result_of('after_pod_created_hook', self, wrap_all(created)), deadline,
                          'after_pod_created_hook', self.pod_name)
        outcome = yield from waiter.wait_for_pod(
            partial(self._outcome, attempt), deadline, 'to be running', attempt.too_late)
        if isinstance(outcome, SpawnError):
            raise outcome
        self._log_running(progress_log, outcome)
        now = {part: outcome[part] for part in ('metadata', 'status')}  # of the rest the cache has only what is watched
        address = yield self._server_address(clients.Resource(created, **now), deadline)
        self._follow_address(outcome)
        attempt.has_run()
        self._watch_wait_up(attempt, waiter, created)
        return self._return_address(address)

    def _make_room(self, attempt):
        """Have nothing be left of an earlier pod of this server that the next one would take for its own."""
        names = self._names_of_companions()
        if names:
            yield self._pods.make_room(attempt.deadline)
        for kind, name in names:
            yield self._companions.make_room(kind, name, attempt.deadline, attempt.is_wanted)

    def _create_companions(self, attempt, pods, created):
        """Create what goes with the pod, which waits for it. If that fails, the pod does not stay."""
        try:
            for kind, _ in self._names_of_companions():
                yield self._create_companion(kind, created, attempt.deadline, attempt.is_wanted)
            attempt.check_wanted()
        except Exception:
            yield pods.discard(created)
            raise

    def _outcome(self, attempt, pod):
        """Return how a start ended, see `StartAttempt`; tell what a pod's status says."""
        self._log_status(attempt.progress_log, pod)
        return attempt.outcome(pod)

    @gen.coroutine
    def _with_log(self, attempt, error):
        """Return the error of a start with what the failed container wrote last; keep its pod, if it is to stay."""
        if error.cause not in (Cause.CONTAINER, Cause.ANSWER) or attempt.uid is None or attempt.is_given_up:
            return error
        pod = self._waiter.cached_pod()
        if error.cause is Cause.CONTAINER and not self.delete_stopped_pods:
            self._kept_pod = attempt.uid
        container = attempt.container or podstatus.notebook_container(pod)
        self._logged_pod = attempt.uid
        return (yield self._logs.add_to(error, pod, container, attempt.secrets()))

    def _watch_wait_up(self, attempt, waiter, created):
        """Have JupyterHub's waiting for the server end when the pod fails, with why, and continue the log."""
        if self.server is None:  # there is no hub that waits
            return
        handler = getattr(self, 'handler', None)  # which later hubs have, and take away when the start has ended
        watch = StartupWatch(waiter, attempt.wake, partial(self._failure_with_hint, attempt), self.http_timeout,
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

    def _objects_to_create(self, attempt):
        """Return what is to be created before the pod, as a list of (kind, namespace, manifest).

        It is looked for first: a quota refuses even what is there already.
        """
        missing, deadline = [], attempt.deadline
        has_namespace = 'namespace' in self._overrides or self._has_own('_ensure_namespace')
        if self.enable_user_namespaces and not has_namespace:
            manifest = yield self._missing_namespace(deadline)
            if manifest is not None:
                missing.append(('namespace', None, manifest))
        if self.user_storage_pvc_ensure:
            manifest = self.get_pvc_manifest()
            if self._server_names.claim_key is not None:
                profile = {PROFILE: self._server_names.claim_key}
                manifest.metadata.annotations = dict(manifest.metadata.annotations or {}, **profile)
            name = self.pvc_name
            if missing or (yield from self._find_claim(attempt)) is None:
                if self.pvc_name != name:
                    manifest.metadata.name = self.pvc_name
                missing.append(('persistent_volume_claim', self.namespace, manifest))
        return missing

    def _claims(self, may_have_another_name, **more):
        """Return what finds and deletes this server's claim."""
        return Claims(
            self._requests, self.namespace, self.pvc_name, self.log, (self.user.name, self.name),
            (lambda: self._build_claim_labels(self._expand_labels('user_storage_extra_labels')))
            if may_have_another_name and self.remember_pvc_name else None, self._server_names.claim_key, **more)

    def _find_claim(self, attempt):
        """Return this server's claim, fit for use, and have its name be `pvc_name`; None if it has none."""
        claims = self._claims(True, is_taken=self._is_claim_taken)
        claim = yield claims.find_or_make_room(attempt.deadline, attempt.check_wanted, self._pods.make_room)
        if claim is None and claims.is_name_taken:
            self._use_another_claim_name()
        if claim is None:
            return None
        if claim['metadata']['name'] != self.pvc_name:
            self._server_names.take_claim(claim['metadata']['name'])
        binding.check_not_lost(claim)
        attempt.is_claim_bound = binding.phase(claim) != 'Pending'
        yield claim_size.fit(self._requests, self.namespace, claim, self.user_storage_capacity, self.storage_expand,
                             self.log, attempt.deadline)
        return claim

    @gen.coroutine
    def _follow_claim(self, attempt):
        """Have a start fail with its claim, which is not bound yet, if it will never be."""
        attempt.fail((yield binding.failure_to_bind(
            self._requests, self.namespace, self.pvc_name,
            lambda: attempt in self._attempts and attempt.is_wanted(), self.events_enabled, self.log)))

    @gen.coroutine
    def delete_forever(self):
        """Delete a pod that was kept, and the claim of this server. Called when the user or named server is deleted."""
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
        """Have a pod deleted that is left of a failed start: it would hold the claim."""
        if self.delete_stopped_pods or self._attempts:
            return
        try:
            pod = yield self._waiter.refresh_pod()
        except api.ApiError as e:
            self.log.warning('Whether pod %s is still there is not known: %s', self.pod_name, e)
            return
        if pod is not None and self.pod_reflector.selects(pod) and owner_of(pod) == (self.user.name, self.name):
            yield self._pods.discard(pod)

    def _delete_claim(self, claims, template=None):
        """Delete what `claims` finds, unless others have it, too. template (str or None): see `_claim_name_of`."""
        return claims.delete(lambda claim: why_kept(
            claim, (self.user.name, self.name), self.common_labels, partial(self._claim_name_of, template=template),
            self._claims_of_other_servers()) or self._why_taken(claim), self._own_claim_deletion())

    def poll(self):
        """Return None while the server runs, starts, or while nobody knows; otherwise its exit code. Returns a future.

        1 when there is no pod. A pod that ended by itself is deleted if `delete_stopped_pods` says so. It waits at most
        FIRST_LIST_SECONDS, and as long as one request may take.
        """
        if self._known.ownership is Ownership.NONE and not self._has_foreign_address:
            return gen.maybe_future(1)
        return self._turns_of(POLLS_A_TURN).do(self._poll_at_once)

    def _poll_at_once(self):
        """Return what `poll` does if the server runs as before, as thousands do twice a minute; otherwise a future."""
        reflector = self._follow_pods()
        if not reflector.first_load_future.done() or reflector.is_stale or self._watches_by_itself():
            return self._poll()
        pod = reflector.get(self._pod_key)
        is_as_before = pod is not None and self._is_followed(pod) and podstatus.exit_code(pod) is None
        return None if is_as_before else self._poll()

    def _watches_by_itself(self):
        """True if a subclass takes part in how pods and events are followed."""
        return self._has_own('_start_watching_pods') or self._has_own('_start_watching_events')

    @gen.coroutine
    def _poll(self):
        """Return what `poll` does, after a look at everything."""
        reflector = self._follow_pods()
        if self._watches_by_itself():
            yield from self._watch_as_subclass_does(IOLoop.current().time() + FIRST_LIST_SECONDS)
        if not (reflector.first_load_future.done() or (yield from self._is_listed_for_polls())):
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
        """Return what `poll` does, of a pod that there is; clean up, or recognize it.

        A generator of what to wait for, and not a coroutine: when a hub starts, it polls all of its servers at once.
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
        """True if a pod of our name is another server's, or was made since ours has gone."""
        owner = self.user.name, self.name
        return (is_a_successor(pod, self._known, self.log) or self._is_foreign_pod(pod) or self._is_of_another_hub(pod)
                or is_another_servers(pod, self._known, owner, self.pod_reflector))

    def _is_of_another_hub(self, pod):
        """True if another hub has started this server meanwhile, with the same database."""
        return not self._has_foreign_address and self._known.is_of_another_start(pod)

    def _is_foreign_pod(self, pod):
        """True if the start that a hub's end interrupted has not made this pod, though it has our name."""
        is_interrupted = (self._known.ownership is Ownership.UNCERTAIN and not self._attempts
                          and self.server is not None and not self._has_foreign_address)
        return is_interrupted and not self._known.is_of_last_start(pod)

    def _recognize(self, pod):
        """Take a living pod for this server's, if it is; have its address be the one that the hub knows."""
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
        """Delete the pod, with `delete_grace_period` for the server to end unless `now`; return when it is gone.

        Raises SpawnError if it is still there after `start_timeout` seconds.
        """
        self._follow_pods()
        self._cancel_starts()
        deadline = IOLoop.current().time() + self.start_timeout
        yield self._turns_of(STOPS_A_TURN).take_turn()
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
