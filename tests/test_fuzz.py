"""What arrives from an API server may be anything: nothing that reads it breaks, and the next good answer is believed.

The examples are the same in each run.
"""
import inspect
import json
import logging
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubespawner.kube import clients, jsonstream
from kubespawner.kube.prune import prune, tree_of
from kubespawner.kube.reflector import NamespacedResourceReflector
from kubespawner.lifecycle import podstatus
from tests.support.fakes import Streamed

FUZZ = settings(
    max_examples=int(os.environ.get('FUZZ_EXAMPLES', 60)), derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

# Words that some reader looks for.
KEYS = [
    'apiVersion', 'kind', 'metadata', 'name', 'uid', 'labels', 'annotations', 'resourceVersion', 'deletionTimestamp',
    'finalizers', 'spec', 'restartPolicy', 'nodeName', 'status', 'phase', 'reason', 'message', 'podIP', 'type',
    'conditions',
    'containerStatuses', 'initContainerStatuses', 'state', 'lastState', 'waiting', 'running', 'terminated',
    'exitCode', 'ready', 'items', 'object', 'code']
WORDS = [
    'Running', 'Pending', 'Succeeded', 'Failed', 'Unknown', 'notebook', 'ImagePullBackOff', 'ErrImageNeverPull',
    'OnFailure', 'Always', 'ContainerCreating', 'PodScheduled', 'Unschedulable', 'False', 'True', '10.0.0.1', '7', '']
EVENTS = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']

keys = st.sampled_from(KEYS) | st.text(max_size=5)
scalars = (st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS + EVENTS)
           | st.text(max_size=10) | st.just(10 ** 400) | st.just('\ud800\n\x1b[2J'))
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=12)


def as_json(value):
    return json.dumps(value).encode('ascii')


def or_anything(strategy):
    return st.integers(0, 9).flatmap(lambda number: strategy if number < 9 else anything)


def record(**fields):
    """A dict most of whose fields are as they should be; others are missing, or anything."""
    return or_anything(st.lists(st.sampled_from(sorted(fields)), max_size=2).flatmap(
        lambda missing: st.fixed_dictionaries({
            name: or_anything(fields[name]) for name in sorted(set(fields) - set(missing))})))


word = st.sampled_from(WORDS)
ended = record(exitCode=st.integers(0, 255), reason=word, message=word)
state = record(waiting=record(reason=word, message=word), terminated=ended, running=st.just({}))
containers = st.lists(record(
    name=st.just(podstatus.NOTEBOOK) | word, ready=st.booleans(), state=state, lastState=state,
), max_size=3)
specs = st.lists(record(
    name=st.just(podstatus.NOTEBOOK) | word, restartPolicy=word, ports=st.lists(record(name=word), max_size=2),
    env=st.lists(record(name=word, value=word), max_size=2)), max_size=3)
pods = record(
    metadata=record(name=word, uid=word, labels=record(a=word), resourceVersion=word, deletionTimestamp=word,
                    finalizers=st.lists(word, max_size=2)),
    spec=record(restartPolicy=word, nodeName=word, containers=specs, initContainers=specs),
    status=record(phase=st.sampled_from(WORDS[:5] + WORDS[2:4]), reason=word, message=word, podIP=word,
                  containerStatuses=containers, initContainerStatuses=containers,
                  conditions=st.lists(record(type=word, reason=word, status=word, message=word), max_size=2)))

ENDED = ('Succeeded', 'Failed')

READERS = [function for name, function in sorted(vars(podstatus).items())
           if inspect.isfunction(function) and function.__module__ == podstatus.__name__ and not name.startswith('_')
           and len(inspect.signature(function).parameters) == 1]


@FUZZ
@given(pods)
def test_whatever_a_pod_is_its_status_can_be_read(pod):
    seen = {function.__name__: function(pod) for function in READERS}
    assert isinstance(seen['is_running'], bool)
    assert isinstance(seen['exit_code'], int) or seen['exit_code'] is None and seen['phase'] not in ENDED
    assert isinstance(seen['phase'], str) and isinstance(seen['describe'], str)
    for failure in seen['failures']:
        assert isinstance(failure.what + failure.reason + failure.message + failure.root_reason, str)
        assert failure.grace_seconds >= 0


@FUZZ
@given(pods)
def test_whatever_a_pod_is_what_is_kept_of_it_can_be_read(pod):
    tree = tree_of(['metadata'] + podstatus.FIELDS)
    kept = prune(pod, tree)
    assert prune(kept, tree) == kept or 'nan' in repr(kept)
    for function in READERS:
        function(clients.Resource(kept) if isinstance(kept, dict) else kept)


@FUZZ
@given(anything, st.text(max_size=20))
def test_whatever_an_object_is_its_attributes_can_be_asked_for(value, attribute):
    resource = clients.Resource({'a': value, 'status': value})
    assert resource.status == value or 'nan' in repr(value)
    getattr(resource, attribute if not attribute.startswith('__') else 'a')


def in_pieces(data, sizes):
    """Yield `data` in pieces of these sizes, again and again; no piece is empty."""
    at, turn = 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        yield data[at:at + size]
        at, turn = at + size, turn + 1


sizes = st.lists(st.integers(1, 40), min_size=1, max_size=4)
garbage = st.lists(
    st.binary(max_size=20) | st.sampled_from([
        b'{', b'}', b'[', b']', b':', b',', b'"', b'\\', b'\n', b'\r', b'"items"', b'"items":[', b'"metadata":',
        b'{"a":', b'{"items":[1,', b'{"a":' + b'[' * 3000, b'9' * 5000, b'[' * 3000,
        b'null', b'1', b'1e999', b'NaN', b'-', b'"\\ud800"', b'\xef\xbb\xbf', b'\xff', b'{}', b'[]'])
    | anything.map(as_json), max_size=12).map(b''.join)


def event(resource):
    return st.fixed_dictionaries({'type': or_anything(st.sampled_from(EVENTS)), 'object': or_anything(resource)})


versioned = record(name=st.sampled_from('abc'), uid=word, resourceVersion=st.integers(1, 1000).map(str), labels=word)
objects = st.fixed_dictionaries({'metadata': versioned}) | pods
events = st.lists((event(objects) | anything).map(as_json), max_size=6).map(b'\n'.join)
lists = st.fixed_dictionaries({
    'metadata': record(resourceVersion=st.integers(1, 1000).map(str)),
    'items': or_anything(st.lists(objects, max_size=3)),
}).map(as_json)


@FUZZ
@given(st.lists(st.binary(max_size=30) | st.sampled_from([b'\n', b'', b'a\n', b' \n', b'\r\n'])))
def test_whatever_arrives_lines_are_what_stands_between_line_breaks(chunks):
    expected = [line for line in b''.join(chunks).split(b'\n')[:-1] if line.strip()]
    assert list(jsonstream.lines(chunks)) == expected


@FUZZ
@given(garbage, sizes)
def test_whatever_arrives_a_list_is_read_or_refused_with_a_value_error(data, sizes):
    found = []
    try:
        for member in jsonstream.members(in_pieces(data, sizes)):
            found.append(member)
    except ValueError as e:
        assert len(str(e)) < 2000
    assert len(found) <= len(data)  # each takes a byte at least


@FUZZ
@given(garbage | anything.map(as_json) | lists)
def test_where_a_list_was_cut_makes_no_difference(data):
    def read(sizes):
        try:
            return repr(list(jsonstream.members(in_pieces(data, sizes))))
        except ValueError:
            return 'refused'

    found = {read([1]), read([7, 2]), read([10 ** 6])}
    # What follows an object is read only if it arrives together with its end, and then it may not even be text.
    assert len(found - {'refused'}) <= 1
    assert 'refused' not in found or not is_object(data)


def is_object(data):
    try:
        return isinstance(json.loads(data.decode('utf8')), dict)
    except (ValueError, RecursionError):
        return False


POD = {'metadata': {'name': 'a', 'uid': 'u', 'resourceVersion': '1', 'labels': {}}}
TRUTH = as_json({'metadata': {'resourceVersion': str(10 ** 9)}, 'items': [POD]})


class Script:
    """A client whose answers are a list of (bytes, sizes of pieces); then it tells the truth, and then no more."""

    def __init__(self, answers):
        self.answers, self.reflector, self.told = list(answers), None, False

    def list_namespaced_pod(self, watch=False, **parameters):
        if self.answers:
            return Streamed(in_pieces(*self.answers.pop()))
        if not watch:
            self.told = True
            return Streamed([TRUTH])
        if self.told:
            self.reflector.stop()
            return Streamed([])
        return Streamed([b'{"type": "ERROR", "object": {"code": 410}}\n'])


bodies = garbage | lists | events.map(lambda lines: lines + b'\n')
answers = st.lists(st.tuples(bodies, sizes), min_size=20, max_size=60)


@pytest.fixture(scope='module')
def impatient():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('kubespawner.kube.reflector.FIRST_PAUSE', 0)
        patch.setattr('kubespawner.kube.reflector.LONGEST_PAUSE', 0)
        yield patch


@settings(FUZZ, max_examples=15)
@given(answers)
def test_whatever_a_reflector_reads_it_goes_on_and_ends_with_the_truth(impatient, answers):
    script, records = Script(answers), []
    log = logging.Logger('fuzz')
    handler = logging.Handler()
    handler.emit = records.append
    log.addHandler(handler)
    reflector = script.reflector = NamespacedResourceReflector(
        kind='pod', namespace='n', list_method_name='list_namespaced_pod', log=log)
    impatient.setattr('kubespawner.kube.reflector.shared_client', lambda name: script)
    reflector.start()
    reflector._thread.join(30)
    assert not reflector._thread.is_alive() and not reflector.failed
    assert [record.getMessage() for record in records if record.levelno > logging.WARNING] == []
    assert {name: resource.metadata.uid for name, resource in reflector.resources.items()} == {'a': 'u'}
