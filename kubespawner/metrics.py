"""The metrics of KubeSpawner for Prometheus: their names, and the values that their labels can have.

JupyterHub 0.9 and newer serve the default registry of `prometheus_client` at `/hub/metrics`. Without that package, the
functions here do nothing. When to call them does not belong here.

No label contains the name of a user, a server or a namespace. Each label has a bounded number of values: what
Kubernetes or a proxy may choose freely is `other`, unless it is known. All functions may be called on any thread.
"""
import functools
import http
import threading
import time
import weakref

from .messages.errors import Cause, Fault, UserFacingError

try:
    import prometheus_client
    from prometheus_client.core import REGISTRY, GaugeMetricFamily
except ImportError:  # JupyterHub 0.8 does not need it
    prometheus_client = None

REQUEST_SECONDS = 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60
STEP_SECONDS = 0.1, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600

# The values of labels.
SUCCESS, FAILURE, CANCELLED = OUTCOMES = 'success', 'failure', 'cancelled'
NONE, OTHER = 'none', 'other'
TIMEOUT, CONNECTION, INVALID = 'timeout', 'connection', 'invalid'  # of a request without an HTTP status
CODES = {str(int(status)) for status in http.HTTPStatus} | {TIMEOUT, CONNECTION, INVALID}
CAUSES = [NONE] + [cause.value for cause in Cause] + [OTHER]
REASONS = frozenset((
    # of the API server
    'AlreadyExists BadRequest Conflict Expired Forbidden Gone InternalError Invalid MethodNotAllowed NotAcceptable '
    'NotFound RequestEntityTooLarge ServerTimeout ServiceUnavailable Timeout TooManyRequests Unauthorized '
    # of pods
    'Deleted Evicted NodeAffinity NodeLost NodeShutdown OutOfcpu OutOfmemory OutOfpods Preempted Preempting Shutdown '
    'Terminated TopologyAffinityError UnexpectedAdmissionError Unschedulable '
    # of images
    'ErrImageNeverPull ErrImagePull ImageInspectError ImagePullBackOff InvalidImageName RegistryUnavailable '
    'SignatureValidationFailed '
    # of containers
    'Completed ConfigPodSandboxError ContainerCannotRun ContainerStatusUnknown CrashLoopBackOff '
    'CreateContainerConfigError CreateContainerError CreatePodSandboxError DeadlineExceeded Error FailedPostStartHook '
    'FailedPreStopHook OOMKilled PostStartHookError PreCreateHookError PreStartHookError RunContainerError '
    'SetupNetworkError StartError '
    # of storage
    'FailedAttachVolume FailedMount Lost ProvisioningFailed Terminating'
).split())


class _NoMetric:
    """Takes the place of a metric that nobody can read, and of its children."""

    def labels(self, *values):
        return self

    def inc(self):
        pass

    def observe(self, value):
        pass


class _Metric:
    """A metric of the default registry. It keeps its children, because the client takes long to look one up.

    type_name (str): `Counter` or `Histogram`. options: of the class of that name.
    """

    def __init__(self, type_name, name, documentation, labels, **options):
        self._children = {}
        self._metric = _NoMetric()
        if prometheus_client is not None:
            make = functools.partial(getattr(prometheus_client, type_name), name, documentation, labels,
                                     registry=REGISTRY, **options)
            self._metric = _registered(
                make, name, lambda there: getattr(there, '_labelnames', None) == tuple(labels)
                and getattr(there, '_type', type_name.lower()) == type_name.lower())

    def __call__(self, *values):
        """Return the child with these values of the labels, in their order."""
        child = self._children.get(values)
        if child is None:
            child = self._children[values] = self._metric.labels(*values)
        return child


def _registered(make, name, is_same):
    """Return the new metric of a name, or the one that the registry has already: a module may be loaded twice.

    is_same (callable): returns whether the registry's can take the place of the new one. If not, the new one is not in
        the registry: its values are lost, but servers start.
    """
    try:
        return make()
    except ValueError:
        known = getattr(REGISTRY, '_names_to_collectors', {})
        there = known.get(name) or known.get(name + '_count')  # where old clients have histograms
        return there if is_same(there) else make(registry=None)


_requests = _Metric(
    'Histogram', 'kubespawner_api_request_duration_seconds',
    'Duration of each attempt of a request to the Kubernetes API; of a watch, until the response begins.',
    ['verb', 'kind', 'code'], buckets=REQUEST_SECONDS)
_retries = _Metric(
    'Counter', 'kubespawner_api_request_retries_total',
    'Retries of requests to the Kubernetes API, by the failure of the attempt before.', ['verb', 'kind', 'code'])
_lists = _Metric(
    'Counter', 'kubespawner_watch_lists_total', 'Lists of all objects that a watch has begun with.', ['kind'])
_restarts = _Metric(
    'Counter', 'kubespawner_watch_restarts_total', 'Watches that have ended and were started again, by how they ended.',
    ['kind', 'cause'])
_starts = _Metric(
    'Counter', 'kubespawner_starts_total', 'Starts of servers that have ended.', ['outcome', 'cause'])
_steps = _Metric(
    'Histogram', 'kubespawner_start_step_duration_seconds', 'Duration of each step of the starts of servers.', ['step'],
    buckets=STEP_SECONDS)
_stops = _Metric('Counter', 'kubespawner_stops_total', 'Stops of servers that have ended.', ['outcome'])
_failures = _Metric(
    'Counter', 'kubespawner_failures_total', 'Starts and stops that have failed, by what failed.',
    ['verb', 'fault', 'cause', 'reason'])

# Prometheus sees an increase only from a value that it knows.
for _outcome in OUTCOMES:
    _stops(_outcome)
    for _cause in CAUSES if _outcome == FAILURE else [NONE]:
        _starts(_outcome, _cause)


# Requests

@functools.lru_cache(maxsize=None)
def kind_of(name):
    """Return the kind of object that a name in the client means: `list_namespaced_pod` and `pod` are `Pod`."""
    for prefix in ('list_', 'namespaced_'):
        name = name[len(prefix):] if name.startswith(prefix) else name
    return ''.join(word.capitalize() for word in name.replace('_for_all_namespaces', '').split('_'))


class RequestTimer:
    """Measures one attempt of a request from now on. verb, kind (str): as in the names of the client's methods."""

    def __init__(self, verb, kind):
        self._verb, self._kind, self._began = verb, kind, time.monotonic()

    def end(self, code):
        """Observe that the attempt has ended; only the first call counts. code: an HTTP status, or one of CODES."""
        if self._began is not None:
            _requests(self._verb, kind_of(self._kind), _known(str(code), CODES)).observe(time.monotonic() - self._began)
            self._began = None


def count_retry(verb, kind, code):
    """Count a retry of a request, which has failed with an HTTP status or with one of CODES."""
    _retries(verb, kind_of(kind), _known(str(code), CODES)).inc()


# Watches

class _WatchCollector:
    """Reads the values of watches when they are scraped, for each kind of object. It does not keep watches alive.

    registry (CollectorRegistry or None): in which to register.
    """

    GAUGES = {
        'kubespawner_watch_last_contact_seconds': (
            'Seconds since the watch last received something from the API server; the maximum, if there are several.',
            lambda watch: watch.seconds_since_contact, max),
        'kubespawner_watch_give_up_seconds': (
            'Seconds without contact after which the hub exits.', lambda watch: watch.give_up_seconds, min),
        'kubespawner_cached_objects': (
            'Objects that the hub keeps in memory.', lambda watch: len(watch.resources), sum),
    }

    def __init__(self, registry=None):
        self._watches, self._lock = weakref.WeakSet(), threading.Lock()
        if registry is not None:
            registry.register(self)

    def follow(self, watch):
        with self._lock:
            self._watches.add(watch)

    def describe(self):
        return [GaugeMetricFamily(name, text, labels=['kind']) for name, (text, _, _) in self.GAUGES.items()]

    def collect(self):
        with self._lock:
            watches = list(self._watches)
        running = {}
        for watch in watches:
            if watch.is_running:
                running.setdefault(kind_of(watch.list_method_name), []).append(watch)
        families = self.describe()
        for family, (_, value, combined) in zip(families, self.GAUGES.values()):
            for kind, of_kind in sorted(running.items()):
                family.add_metric([kind], combined(value(watch) for watch in of_kind))
        return families


_watches = _WatchCollector() if prometheus_client is None else _registered(
    lambda registry=REGISTRY: _WatchCollector(registry), next(iter(_WatchCollector.GAUGES)),
    lambda there: type(there).__name__ == _WatchCollector.__name__)


def follow_watch(watch):
    """Include the values of a reflector in scrapes from now on, while it is running."""
    _watches.follow(watch)


def count_list(list_method_name):
    """Count a list that a watch begins with."""
    _lists(kind_of(list_method_name)).inc()


def count_restart(list_method_name, cause):
    """Count that a watch is started again. cause (str): `ended`, `timeout`, `expired` or `error`."""
    _restarts(kind_of(list_method_name), cause).inc()


# Starts and stops

def observe_step(step, seconds):
    """Observe the duration of a step of a start."""
    _steps(step).observe(seconds)


def count_start(error=None, is_cancelled=False):
    """Count a start that has ended, with an error if it has failed. Nobody waits for a cancelled one any more."""
    outcome = _outcome_of(error, is_cancelled)
    _starts(outcome, _cause_of(error) if outcome == FAILURE else NONE).inc()
    if outcome == FAILURE:
        _count_failure('start', error)


def count_stop(error=None, is_cancelled=False):
    """Count a stop that has ended, as `count_start` does a start."""
    outcome = _outcome_of(error, is_cancelled)
    _stops(outcome).inc()
    if outcome == FAILURE:
        _count_failure('stop', error)


def _outcome_of(error, is_cancelled):
    return CANCELLED if is_cancelled else SUCCESS if error is None else FAILURE


def _count_failure(verb, error):
    is_ours = isinstance(error, UserFacingError)  # others come from hooks, from subclasses, or are bugs
    fault = error.fault if is_ours else Fault.OPERATOR
    reason = _known(error.k8s_reason or NONE, REASONS | {NONE}) if is_ours else OTHER
    _failures(verb, fault.value, _cause_of(error), reason).inc()


def _cause_of(error):
    if not isinstance(error, UserFacingError):
        return OTHER
    return NONE if error.cause is None else error.cause.value


def _known(value, values):
    return value if value in values else OTHER
