"""progress: the story of a start as JupyterHub gets it, told of our own steps and of the pod's events."""
import logging
import time

import pytest
from tornado import gen
from tornado.ioloop import IOLoop

from kubespawner.kube import events
from kubespawner.messages.progress_log import EVENTS, STEPS
from kubespawner.spawner import SpawnError

from .conftest import UNTOUCHED

SLOW = 'localkube/slow:0.2'  # so that its events are there before it runs

CLAIM = {'user_storage_pvc_ensure': True, 'user_storage_capacity': '1Gi'}


@pytest.fixture
def new_teller(new_spawner):
    """`new_spawner`, of spawners that follow events."""
    def new(*args, **traits):
        return new_spawner(*args, **dict({'events_enabled': True}, **traits))

    return new


@pytest.fixture
def new_event(core, namespace):
    """`new_event(pod, reason, message)` writes an event about a pod (a dict), as parts of the cluster do."""
    def new(pod, reason, message='', kind='Warning'):
        new.number += 1
        now = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())
        core.create_namespaced_event(namespace=namespace, _preload_content=False, body={
            'metadata': {'name': '%s.%d.%d' % (pod['metadata']['name'], time.time() * 1000, new.number)},
            'type': kind, 'reason': reason, 'message': message, 'count': 1, 'source': {'component': 'test'},
            'firstTimestamp': now, 'lastTimestamp': now,
            'involvedObject': {'kind': 'Pod', 'apiVersion': 'v1', 'namespace': namespace,
                               'name': pod['metadata']['name'], 'uid': pod['metadata']['uid']}})

    new.number = 0
    return new


class Listener:
    """Somebody who looks at the progress of a start; `told` is what they have been told so far."""

    def __init__(self, spawner):
        self.told = []
        self.end = gen.convert_yielded(self._listen(spawner))

    async def _listen(self, spawner):
        async for entry in spawner.progress():
            self.told.append(entry)

    def reasons(self):
        return [entry['raw_event']['reason'] for entry in self.told if 'raw_event' in entry]

    def has_heard(self, words):
        return any(words in entry['message'] for entry in self.told)


@gen.coroutine
def start_in_vain(spawner):
    """Start a server; return the words of the error that this ends with."""
    try:
        yield spawner.start()
    except SpawnError as e:
        return str(e)
    pytest.fail('it started')


def percents(told):
    return [entry['progress'] for entry in told]


@pytest.mark.gen_test
def test_the_steps_and_the_events_of_a_start_are_one_story(kube, new_teller, objects):
    spawner = new_teller('ann', singleuser_image_spec=SLOW, **CLAIM)
    listener = Listener(spawner)  # as on a hub that makes a start wait
    yield spawner.start()
    yield listener.end
    assert listener.reasons()[:4] == ['Scheduled', 'Pulling', 'Pulled', 'Created']  # without a hub it ends early
    expected = [STEPS[step][1] for step in ('claim created', 'pod created', 'running')]
    expected += ['Pulling image', 'Successfully pulled']
    assert [words for words in expected if not listener.has_heard(words)] == []
    assert percents(listener.told) == sorted(percents(listener.told))
    uid = objects.pod(spawner.pod_name)['metadata']['uid']
    assert {entry['raw_event']['involvedObject']['uid'] for entry in listener.told if 'raw_event' in entry} == {uid}
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_who_listens_before_jupyterhub_clears_the_state_hears_of_the_start(kube, new_teller):
    spawner = new_teller('ann')
    listener = Listener(spawner)
    yield gen.moment
    spawner.clear_state()
    yield spawner.start()
    yield listener.end
    assert listener.has_heard(STEPS['pod created'][1])
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_claim_that_is_there_is_found(kube, new_teller):
    spawner = new_teller('ann', **CLAIM)
    for _ in range(2):
        start = spawner.start()
        listener = Listener(spawner)
        yield start
        yield spawner.stop(now=True)
    yield listener.end
    assert listener.has_heard(STEPS['claim found'][1])


@pytest.mark.gen_test
def test_every_listener_gets_the_whole_story(new_teller, objects, new_event):
    spawner = new_teller('ann', start_failure_grace=0, **UNTOUCHED)
    start = start_in_vain(spawner)
    early = Listener(spawner)
    pod = yield objects.until(lambda: objects.pod(spawner.pod_name))
    new_event(pod, 'Pulling', kind='Normal')
    yield objects.until(lambda: 'Pulling' in early.reasons())
    late = Listener(spawner)
    objects.set_status(spawner.pod_name, phase='Failed', reason='Evicted', message='The node was low on memory.')
    yield start
    yield [early.end, late.end]
    assert early.told == late.told
    afterwards = Listener(spawner)
    yield afterwards.end
    assert afterwards.told == late.told
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_the_story_of_a_start_that_fails_ends_with_why(new_teller, objects):
    spawner = new_teller('ann', **UNTOUCHED)
    start = start_in_vain(spawner)
    listener = Listener(spawner)
    yield objects.until(lambda: objects.pod(spawner.pod_name))
    objects.set_status(spawner.pod_name, phase='Failed', reason='Evicted', message='The node was low on memory.')
    error = yield start
    yield listener.end
    assert listener.told[-1]['message'].startswith(STEPS['failed'][1] + ' ' + error)
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_each_start_has_a_story_of_its_own(kube, new_teller):
    spawner = new_teller('ann', singleuser_image_spec=SLOW)
    for _ in range(2):
        spawner.clear_state()  # as the hub does before each start
        listener = Listener(spawner)
        yield spawner.start()
        yield listener.end
        assert listener.reasons().count('Scheduled') == 1
        yield spawner.stop(now=True)
    assert listener.has_heard(STEPS['pod created'][1])


@pytest.mark.gen_test
def test_old_events_and_those_of_other_pods_are_not_told(new_teller, objects, new_event):
    other = new_teller('other', **UNTOUCHED)
    spawner = new_teller('ann', **UNTOUCHED)
    for each in (other, spawner):
        each.start_timeout = 3
    start_of_other = start_in_vain(other)
    pod = yield objects.until(lambda: objects.pod(other.pod_name))
    listener_of_other = Listener(other)
    new_event({'metadata': dict(pod['metadata'], name=spawner.pod_name)}, 'Killing', 'the pod before')
    new_event(pod, 'Pulling', 'of another pod')
    start = start_in_vain(spawner)
    listener = Listener(spawner)
    mine = yield objects.until(lambda: objects.pod(spawner.pod_name))
    new_event({'metadata': dict(mine['metadata'], uid='another')}, 'Killing', 'not this pod')
    new_event(mine, 'Pulled', 'of this pod')
    yield [start, start_of_other, listener.end, listener_of_other.end]
    assert listener.reasons() == ['Pulled']
    assert listener_of_other.reasons() == ['Pulling']
    yield [each.stop(now=True) for each in (other, spawner)]


@pytest.mark.gen_test
def test_a_start_that_is_late_says_what_the_last_warning_was(new_teller, objects, new_event):
    spawner = new_teller('ann', **UNTOUCHED)
    spawner.start_timeout = 3
    start = start_in_vain(spawner)
    pod = yield objects.until(lambda: objects.pod(spawner.pod_name))
    new_event(pod, 'FailedMount', 'references non-existent config key: colours')
    assert (yield start).endswith('The last warning: FailedMount: references non-existent config key: colours.')
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_volume_that_is_missing_is_named_in_the_error(kube, new_teller):
    spawner = new_teller('ann', volumes=[{'name': 'v', 'configMap': {'name': 'colours'}}])
    spawner.start_timeout = 3
    error = yield start_in_vain(spawner)
    assert 'FailedMount' in error and 'configmap "colours" not found' in error
    assert error.startswith('A volume that your server needs cannot be mounted.')
    yield spawner.stop(now=True)


UNSCHEDULABLE = {'conditions': [{'type': 'PodScheduled', 'status': 'False', 'reason': 'Unschedulable',
                                 'message': '0/3 nodes are available'}]}


@pytest.mark.parametrize('said, error', [('TriggeredScaleUp', 'Waited'), ('NotTriggerScaleUp', 'Unschedulable')])
@pytest.mark.gen_test
def test_a_pod_for_which_a_node_is_being_added_may_wait_for_it(new_teller, objects, new_event, said, error):
    spawner = new_teller('ann', start_failure_grace=1, **UNTOUCHED)
    spawner.start_timeout = 4
    start = start_in_vain(spawner)
    listener = Listener(spawner)
    pod = yield objects.until(lambda: objects.pod(spawner.pod_name))
    new_event(pod, said, kind='Normal')
    yield objects.until(lambda: said in listener.reasons())
    objects.set_status(spawner.pod_name, **UNSCHEDULABLE)
    assert error in (yield start)
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_pod_that_a_new_node_refuses_does_not_wait_for_another_one(new_teller, objects, new_event):
    spawner = new_teller('ann', **UNTOUCHED)
    start = start_in_vain(spawner)
    listener = Listener(spawner)
    pod = yield objects.until(lambda: objects.pod(spawner.pod_name))
    new_event(pod, 'TriggeredScaleUp', kind='Normal')
    yield objects.until(lambda: 'TriggeredScaleUp' in listener.reasons())
    objects.set_status(spawner.pod_name, phase='Failed', reason='OutOfcpu')
    error = yield gen.with_timeout(IOLoop.current().time() + 5, start)
    assert error.startswith('No node has enough free resources') and 'OutOfcpu' in error
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_users_are_told_once_that_a_start_takes_long(new_teller, objects):
    spawner = new_teller('ann', slow_spawn_message='Have a coffee.', slow_spawn_message_after=0.1, **UNTOUCHED)
    start = start_in_vain(spawner)
    listener = Listener(spawner)
    yield objects.until(lambda: listener.has_heard('Have a coffee.') and objects.pod(spawner.pod_name))
    yield spawner.stop(now=True)
    yield [start, listener.end]
    assert len([entry for entry in listener.told if 'Have a coffee.' in entry['message']]) == 1


@pytest.mark.parametrize('fault', ['forbidden', 'broken', 'silent'])
@pytest.mark.gen_test
def test_a_start_without_events_tells_its_own_steps(kube, new_teller, caplog, fault):
    path = '/events'
    if fault == 'silent':
        kube.delay(seconds=30, method='GET', path=path, times=1000)
    else:
        kube.fail(method='GET', path=path, status={'forbidden': 403, 'broken': 500}[fault], times=1000)
    caplog.set_level(logging.WARNING)
    spawner = new_teller('ann')
    began = IOLoop.current().time()
    start = spawner.start()
    listener = Listener(spawner)
    yield start
    assert IOLoop.current().time() - began < 28
    yield listener.end
    assert listener.reasons() == []
    assert [words for words in [STEPS['pod created'][1], EVENTS['Scheduled'][1], STEPS['running'][1]]
            if not listener.has_heard(words)] == []
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_hub_without_the_right_to_events_is_told_of_it_once(kube, new_teller, caplog):
    kube.fail(method='GET', path='/events', status=403, times=1000)
    spawner = new_teller('ann')
    yield spawner.start()
    yield spawner.stop(now=True)
    asked = [path for _, path in kube.requests() if '/events' in path]
    while len([path for _, path in kube.requests() if '/events' in path]) < len(asked) + 2:
        yield gen.sleep(0.02)
    told = [record.message for record in caplog.records if 'Events of pods' in record.message
            and record.levelno >= logging.WARNING]
    assert len(told) == 1 and 'KubeSpawner.events_enabled' in told[0]


@pytest.mark.gen_test
def test_events_are_not_asked_for_if_they_are_not_wanted(kube, new_spawner):
    spawner = new_spawner('ann', events_enabled=False)
    start = spawner.start()
    listener = Listener(spawner)
    yield start
    yield listener.end
    assert listener.has_heard(EVENTS['Scheduled'][1])
    assert not [path for _, path in kube.requests() if '/events' in path]
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_of_more_pods_than_are_followed_the_steps_are_told(kube, new_teller, monkeypatch):
    monkeypatch.setattr(events, 'MAX_FOLLOWED', 1)
    users = [new_teller(name, singleuser_image_spec=SLOW) for name in ('ann', 'bob')]
    starts = [user.start() for user in users]
    listeners = [Listener(user) for user in users]
    yield starts
    yield [listener.end for listener in listeners]
    assert sorted('Pulled' in listener.reasons() for listener in listeners) == [False, True]
    assert all(listener.has_heard(EVENTS['Scheduled'][1]) for listener in listeners)
    yield [user.stop(now=True) for user in users]
    start = users[0].start()  # there is room again
    listener = Listener(users[0])
    yield start
    yield listener.end
    assert 'Pulled' in listener.reasons()
    yield users[0].stop(now=True)


@pytest.mark.usefixtures('rights_everywhere')
@pytest.mark.gen_test
def test_one_watch_tells_the_users_of_all_namespaces(kube, new_teller, namespace):
    users = [new_teller(name, enable_user_namespaces=True, user_namespace_template=namespace + '-{username}',
                        singleuser_image_spec=SLOW) for name in ('ann', 'bob')]
    listeners = [Listener(user) for user in users]
    yield [user.start() for user in users]
    yield [listener.end for listener in listeners]
    for user, listener in zip(users, listeners):
        assert {entry['raw_event']['involvedObject']['namespace'] for entry in listener.told if 'raw_event' in entry} \
            == {user.namespace}
    assert len([path for _, path in kube.requests() if '/api/v1/events' in path and 'watch=' in path]) == 1
    yield [user.stop(now=True) for user in users]


@pytest.mark.gen_test
def test_old_events_are_not_read(kube, new_teller, namespace):
    spawner = new_teller('ann')
    yield spawner.start()
    yield spawner.stop(now=True)
    lists = [path for _, path in kube.requests() if '/%s/events' % namespace in path and 'watch=' not in path]
    watches = [path for _, path in kube.requests() if '/%s/events' % namespace in path and 'watch=' in path]
    assert len(lists) == 1 and 'limit=1' in lists[0]
    assert watches and all('resourceVersion=' in path and 'fieldSelector=' in path for path in watches)


@pytest.mark.gen_test
def test_events_go_on_after_the_history_is_lost(kube, new_teller, objects):
    spawner = new_teller('ann', singleuser_image_spec=SLOW)
    yield spawner.start()
    yield spawner.stop(now=True)
    kube.expire_history()
    kube.cut_watches()
    yield objects.until(lambda: len([path for _, path in kube.requests()
                                     if '/events' in path and 'watch=' not in path]) == 2)
    start = spawner.start()
    listener = Listener(spawner)
    yield start
    yield listener.end
    assert 'Pulled' in listener.reasons()
    yield spawner.stop(now=True)
