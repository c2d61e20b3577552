"""Metrics: what is counted under which labels, that they are few, and that they hold nobody up, without a hub."""
import gc
import importlib.util
import re
import socket
import sys

import pytest
from kubernetes.client.rest import ApiException
from tornado import gen
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ProtocolError, ReadTimeoutError

from kubespawner import metrics
from kubespawner.kube import api
from kubespawner.kube.codes import code_of
from kubespawner.kube.jsonstream import Garbled
from kubespawner.lifecycle import podstatus
from kubespawner.lifecycle.attempt import StartAttempt
from kubespawner.lifecycle.records import StartRecord, counts_stops
from kubespawner.messages.errors import Cause, ConfigurationError, HubError, SpawnError
from kubespawner.messages.progress_log import ProgressLog
from tests import documentation
from tests.fake_time import with_fake_time
from tests.support.fakes import LOG, FakeApi, Response, pod_in, refused, requests_to

core = pytest.importorskip('prometheus_client.core')


def values(registry=core.REGISTRY):
    """Return all values of KubeSpawner's metrics, a dict by (name, labels as a sorted tuple of pairs)."""
    return {(sample[0], tuple(sorted(sample[1].items()))): sample[2] for family in registry.collect()
            for sample in family.samples if sample[0].startswith('kubespawner_')}


class Changes(dict):
    """What was counted since this was made: `changes()` returns a dict by name and values of the labels."""

    def __init__(self, suffixes=('_total', '_count')):
        super().__init__(values())
        self._suffixes = suffixes

    def __call__(self):
        return {(name,) + tuple(value for _, value in labels): number - self.get((name, labels), 0)
                for (name, labels), number in values().items()
                if name.endswith(self._suffixes) and number != self.get((name, labels), 0)}


@pytest.fixture
def changes():
    return Changes()


DURATION, RETRIES = 'kubespawner_api_request_duration_seconds_count', 'kubespawner_api_request_retries_total'


# Requests. The labels come in the order of the alphabet: code, kind, verb.

@pytest.mark.parametrize('answer, code', [
    (Response('{}', status=201), '201'), (refused(403, 'Forbidden'), '403'), (refused(799), 'other'),
    (ReadTimeoutError(None, '', 'slow'), 'timeout'), (ProtocolError('cut'), 'connection'),
    (Response('<html>'), 'invalid')])
def test_a_request_is_observed_by_what_became_of_it(changes, answer, code):
    try:
        api.send(FakeApi(create_namespaced_persistent_volume_claim=[answer]), 5, api.create(
            'persistent_volume_claim', 'hubs', {'metadata': {'name': 'home'}}))
    except api.ApiError:
        pass
    assert changes() == {(DURATION, code, 'PersistentVolumeClaim', 'create'): 1}


@with_fake_time
def test_each_attempt_is_observed_and_each_retry_is_counted():
    changes = Changes()
    fake = FakeApi(read_namespaced_pod=[refused(503), refused(429), refused(429), pod_in()])
    yield requests_to(fake).read('pod', 'hubs', 'a')
    assert changes() == {
        (DURATION, '503', 'Pod', 'read'): 1, (DURATION, '429', 'Pod', 'read'): 2, (DURATION, '200', 'Pod', 'read'): 1,
        (RETRIES, '503', 'Pod', 'read'): 1, (RETRIES, '429', 'Pod', 'read'): 2}


NOBODY = NewConnectionError(None, 'refused')


@pytest.mark.parametrize('error, code', [
    (ApiException(status=410), '410'), (ApiException(status=0), 'connection'), (Garbled('x'), 'invalid'),
    (socket.timeout(), 'timeout'), (OSError(), 'connection'), (ConnectTimeoutError(), 'timeout'),
    (MaxRetryError(None, '/', ConnectTimeoutError()), 'timeout'), (MaxRetryError(None, '/', NOBODY), 'connection'),
    (NOBODY, 'connection'), (KeyError(), 'other')])
def test_an_error_has_one_of_few_codes(error, code):
    assert code_of(error) == code


@pytest.mark.parametrize('name, kind', [
    ('pod', 'Pod'), ('list_namespaced_pod', 'Pod'), ('persistent_volume_claim', 'PersistentVolumeClaim'),
    ('list_event_for_all_namespaces', 'Event'), ('list_namespaced_config_map', 'ConfigMap')])
def test_a_kind_is_called_as_kubernetes_calls_it(name, kind):
    assert metrics.kind_of(name) == kind


# Watches

class Watch:
    """What the metrics read of a reflector."""

    def __init__(self, silence, objects, give_up_seconds=300, is_running=True, kind='service'):
        self.seconds_since_contact, self.give_up_seconds, self.is_running = silence, give_up_seconds, is_running
        self.resources, self.list_method_name = dict.fromkeys(range(objects)), 'list_namespaced_' + kind


def gauges(kind):
    """Return the values of the gauges of a kind: the last contact, the time to give up, the objects."""
    found = values()
    return [found.get(('kubespawner_' + name, (('kind', kind),))) for name in (
        'watch_last_contact_seconds', 'watch_give_up_seconds', 'cached_objects')]


def test_of_several_watches_the_one_that_has_waited_longest_counts_and_their_objects_are_added():
    watches = [Watch(1, 10), Watch(70, 5, give_up_seconds=100), Watch(500, 1, is_running=False)]
    for watch in watches:
        metrics.follow_watch(watch)
    assert gauges('Service') == [70, 100, 15]
    watches[1].seconds_since_contact = 71.5
    assert gauges('Service') == [71.5, 100, 15]


def test_watches_that_are_not_running_or_gone_have_no_values_and_are_not_kept():
    stopped, gone = Watch(1, 1, is_running=False, kind='node'), Watch(1, 1, kind='secret')
    metrics.follow_watch(stopped)
    metrics.follow_watch(gone)
    assert gauges('Secret') == [1, 300, 1]
    del gone
    gc.collect()
    assert gauges('Node') == gauges('Secret') == [None] * 3


# Starts and stops. The labels come in the order of the alphabet: cause, fault, reason, verb.

FAILURES = 'kubespawner_failures_total'


@pytest.mark.parametrize('error, labels', [
    (SpawnError('', 'ErrImagePull', Cause.IMAGE), ('image', 'user', 'ErrImagePull')),
    (SpawnError('', '\'; x{a="b"}', Cause.NODE), ('node', 'cluster', 'other')),
    (SpawnError('not offered'), ('none', 'user', 'none')),
    (HubError('', 'MaxRetryError', Cause.API), ('api', 'hub', 'other')),
    (ConfigurationError('wrong'), ('configuration', 'operator', 'none')),
    (KeyError('of a hook'), ('other', 'operator', 'other'))])
def test_a_failure_is_counted_by_what_failed_and_by_what_is_known_of_it(changes, error, labels):
    metrics.count_start(error)
    metrics.count_stop(error)
    assert changes() == {
        ('kubespawner_starts_total', labels[0], 'failure'): 1, ('kubespawner_stops_total', 'failure'): 1,
        (FAILURES,) + labels + ('start',): 1, (FAILURES,) + labels + ('stop',): 1}


def test_every_outcome_has_a_value_before_it_happens():
    found = values()
    for cause in Cause:
        labels = (('cause', cause.value), ('outcome', 'failure'))
        assert ('kubespawner_starts_total', labels) in found
    assert ('kubespawner_stops_total', (('outcome', 'failure'),)) in found


@pytest.mark.gen_test
def test_a_stop_is_counted_by_its_outcome(changes):
    @counts_stops
    @gen.coroutine
    def stop(error):
        yield gen.sleep(0)
        if error is not None:
            raise error
        return 'gone'

    assert (yield stop(None)) == 'gone'
    with pytest.raises(SpawnError):
        yield stop(SpawnError('', '', Cause.TIME))
    assert changes() == {('kubespawner_stops_total', 'success'): 1, ('kubespawner_stops_total', 'failure'): 1,
                         (FAILURES, 'time', 'cluster', 'none', 'stop'): 1}


def attempt(**values):
    return StartAttempt(podstatus.is_running, LOG, **dict(
        {'pod_name': 'a', 'uid': 'u1', 'progress_log': ProgressLog(lambda: '12:00:00')}, **values))


@gen.coroutine
def ended(error=None):
    yield gen.sleep(0)
    if error is not None:
        raise error


@gen.coroutine
def counted(start, future):
    """Return when a start has been told what came of a future."""
    future.add_done_callback(start.count)
    try:
        yield future
    except SpawnError:
        pass
    yield gen.sleep(0)


@pytest.mark.gen_test
def test_a_start_is_counted_when_it_ends(changes):
    for error in (None, SpawnError('', '', Cause.QUOTA)):
        yield counted(attempt(), ended(error))
    assert changes() == {
        ('kubespawner_starts_total', 'none', 'success'): 1, ('kubespawner_starts_total', 'quota', 'failure'): 1,
        (FAILURES, 'quota', 'cluster', 'none', 'start'): 1}


@pytest.mark.gen_test
def test_a_start_that_nobody_waits_for_any_more_is_cancelled_however_it_ends(changes):
    for error in (None, SpawnError('given up')):
        start = attempt()
        start.give_up()
        yield counted(start, ended(error))
    assert changes() == {('kubespawner_starts_total', 'none', 'cancelled'): 2}


@pytest.mark.parametrize('error, outcome', [(None, ('none', 'success')),
                                            (SpawnError('', '', Cause.ANSWER), ('answer', 'failure'))])
@pytest.mark.gen_test
def test_a_start_whose_server_is_waited_for_is_counted_once_when_that_ends(changes, error, outcome):
    start = attempt()
    start.record.goes_on = True
    yield counted(start, ended())
    assert changes() == {}
    try:
        yield start.counted(lambda answer: ended(error))('answer')
    except SpawnError:
        pass
    yield gen.sleep(0)
    yield counted(start, ended())
    assert changes()[('kubespawner_starts_total',) + outcome] == 1
    assert sum(number for key, number in changes().items() if key[0] == 'kubespawner_starts_total') == 1


# The steps of a start

def running_pod(**conditions):
    """Return a pod that was created at 12:00:00, whose conditions became true at these seconds of that minute."""
    pod = pod_in()
    pod['metadata']['creationTimestamp'] = '2018-01-01T12:00:00Z'
    pod['status']['conditions'] = [{'type': name, 'status': 'True', 'lastTransitionTime': at(second)}
                                   for name, second in conditions.items()]
    return pod


def at(second):
    return '2018-01-01T12:00:%02dZ' % second


def pulled(second, **more):
    return dict({'reason': 'Pulled', 'firstTimestamp': at(second)}, **more)


class Clock:
    now = 100

    def __call__(self):
        return self.now


def record_of(*steps, pod=None, seconds=1):
    """Return the record of a start in which each of these steps took so many seconds, by the hub's clock."""
    clock = Clock()
    record = StartRecord(clock)
    for step in steps:
        if step == 'running':
            record.see(pod, True)
        elif step == 'scheduled':
            record.see({'spec': {'nodeName': 'n'}}, False)
        else:
            record.reached(step)
        clock.now += seconds
    return record


ALL = 'begin', 'claim', 'created', 'scheduled', 'running', 'answering'


def test_the_steps_of_a_pod_are_measured_by_its_own_times_and_the_others_by_the_hubs_clock():
    record = record_of(*ALL, pod=running_pod(PodScheduled=5, Ready=40))
    events = [{'reason': 'Pulling'}, pulled(12), pulled(25), dict(pulled(0), firstTimestamp=None,
                                                                  eventTime='2018-01-01T12:00:30.500000Z')]
    assert record.durations(events) == {
        'claim': 1, 'created': 1, 'scheduled': 5, 'image_pulled': 25.5, 'running': 9.5, 'answering': 1}


def test_a_step_that_nobody_has_seen_is_part_of_the_next():
    record = record_of('begin', 'created', 'running', pod=running_pod(PodScheduled=5, Ready=40))
    assert record.durations() == {'created': 1, 'scheduled': 5, 'running': 35}


@pytest.mark.parametrize('conditions', [None, [], ['x']] + [
    [{'type': 'Ready', 'status': 'True', 'lastTransitionTime': text}] for text in ('', 'soon', 7, '2018-01-01', None)])
def test_what_a_pod_does_not_say_is_measured_by_the_hubs_clock(conditions):
    pod = running_pod()
    pod['status']['conditions'] = conditions
    assert record_of(*ALL, pod=pod).durations() == dict.fromkeys(ALL[1:], 1)


def test_clocks_that_differ_give_no_negative_durations():
    pod = running_pod(PodScheduled=5, Ready=3)
    assert record_of('begin', 'created', 'running', pod=pod).durations([pulled(4)])['running'] == 0


@pytest.mark.parametrize('time', [
    at(4), at(41), '9999-01-01T12:00:00Z', '2018-01-01T12:00:10.1e999Z!', {}, [], 7, None])
def test_an_event_with_a_time_that_cannot_be_right_is_ignored_or_counts_as_a_whole_second(time):
    record = record_of('begin', 'created', 'running', pod=running_pod(PodScheduled=5, Ready=40))
    found = record.durations([{'reason': 'Pulled', 'firstTimestamp': time}])
    assert found['scheduled'] == 5 and found.get('image_pulled', 0) + found['running'] == 35


def test_a_start_that_began_in_another_process_has_only_the_steps_of_its_pod():
    record = record_of('scheduled', 'running', pod=running_pod(PodScheduled=5, Ready=40))
    assert record.durations() == {'scheduled': 5, 'running': 35}


def test_a_start_that_fails_is_observed_as_far_as_it_came_and_only_once():
    changes, record = Changes(('_duration_seconds_count',)), record_of('begin', 'claim', 'created')
    record.end(SpawnError('', '', Cause.TIME))
    record.end()
    assert changes() == {('kubespawner_start_step_duration_seconds_count', step): 1 for step in ('claim', 'created')}


@with_fake_time
def test_an_attempt_takes_note_of_what_its_pod_comes_to():
    start = attempt()
    start.record.reached('begin')
    start.record.reached('created')
    start.outcome(dict(pod_in('Pending'), spec={'nodeName': 'n'}))
    start.outcome(pod_in())
    assert set(start.record.durations()) == {'created', 'scheduled', 'running'}


# Registries

def another_copy(monkeypatch, registry=None, client=True):
    """Return the module `metrics`, loaded once more, with another registry or without the client of Prometheus."""
    if registry is not None:
        monkeypatch.setattr(core, 'REGISTRY', registry)
    if not client:
        monkeypatch.setitem(sys.modules, 'prometheus_client', None)
    spec = importlib.util.spec_from_file_location('kubespawner.metrics_once_more', metrics.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def use_all(module):
    module.RequestTimer('read', 'pod').end(200)
    module.count_retry('read', 'pod', 503)
    module.count_list('list_namespaced_pod')
    module.count_restart('list_namespaced_pod', 'ended')
    module.count_start()
    module.count_start(SpawnError('', '', Cause.TIME))
    module.count_stop()
    module.observe_step('claim', 1)
    module.follow_watch(Watch(1, 1))


def test_a_module_that_is_loaded_twice_goes_on_counting(monkeypatch, changes):
    copy, watch = another_copy(monkeypatch), Watch(3, 4, kind='endpoints')
    for module in (metrics, copy):
        use_all(module)
    copy.follow_watch(watch)
    assert set(changes().values()) == {2}
    assert gauges('Endpoints') == [3, 300, 4]


def test_metrics_of_somebody_else_under_the_same_names_do_not_keep_it_from_being_loaded(monkeypatch):
    registry = core.CollectorRegistry()
    for name in ('kubespawner_starts_total', 'kubespawner_cached_objects', 'kubespawner_failures_total',
                 'kubespawner_api_request_duration_seconds'):
        core.Gauge(name, 'of another package', registry=registry)
    use_all(another_copy(monkeypatch, registry))
    assert values(registry)[('kubespawner_stops_total', (('outcome', 'success'),))] == 1
    assert values(registry)[('kubespawner_starts_total', ())] == 0


def test_without_the_client_of_prometheus_nothing_is_counted_and_nothing_fails(monkeypatch, changes):
    use_all(another_copy(monkeypatch, client=False))
    assert changes() == {}


# The documentation

PAGE = documentation.text_of(documentation.DOCS + '/metrics.rst')


def test_the_documentation_has_every_metric_with_its_type_and_labels():
    rows = re.findall(r'\* - ``(\w+)``\n     - (\w+)\n     - (.*)\n', PAGE)
    described = {name: (kind, re.findall(r'``(\w+)``', labels)) for name, kind, labels in rows}
    use_all(metrics)
    watch = Watch(1, 1)
    metrics.follow_watch(watch)
    found = {}
    for family in core.REGISTRY.collect():
        for sample in family.samples:
            name = re.sub('(_bucket|_count|_sum)$', '', sample[0]) if family.type == 'histogram' else sample[0]
            if name.startswith('kubespawner_') and not name.endswith('_created'):
                found[name] = family.type, sorted(set(sample[1]) - {'le'})
    assert {name: (kind, sorted(labels)) for name, (kind, labels) in described.items()} == found


@pytest.mark.parametrize('value', sorted(set(metrics.CAUSES) | set(metrics.OUTCOMES) | {
    metrics.TIMEOUT, metrics.CONNECTION, metrics.INVALID} | set(ALL) - {'begin'}))
def test_the_documentation_has_every_value_of_the_labels(value):
    assert '``%s``' % value in PAGE
