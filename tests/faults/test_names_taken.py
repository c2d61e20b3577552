"""A pod that has the name already: deleted by its uid, waited for, and tried again."""
import pytest
from kubernetes.client.rest import ApiException
from tornado import gen
from tornado.ioloop import IOLoop

from kubespawner.spawner import SpawnError

pytestmark = pytest.mark.usefixtures('node')

NAME = 'jupyter-ann'


class Foreign:
    """A pod of the name that a server is to have, made by somebody else."""

    def __init__(self, core, namespace):
        self.core, self.namespace = core, namespace

    def create(self, **metadata):
        self.core.create_namespaced_pod(namespace=self.namespace, _preload_content=False, body={
            'metadata': dict(metadata, name=NAME),
            'spec': dict(schedulerName='nobody', containers=[{'name': 'c', 'image': 'busybox'}])})

    def delete(self):
        self.core.delete_namespaced_pod(name=NAME, namespace=self.namespace, body={'gracePeriodSeconds': 0},
                                        _preload_content=False)

    def let_go(self):
        self.core.patch_namespaced_pod(name=NAME, namespace=self.namespace, _preload_content=False,
                                       body={'metadata': {'finalizers': None}})


@pytest.fixture
def foreign(core, namespace):
    foreign = Foreign(core, namespace)
    yield foreign
    for end in (foreign.let_go, foreign.delete):
        try:
            end()
        except ApiException as e:
            assert e.status == 404


@pytest.mark.gen_test
def test_a_running_server_is_replaced_by_one_new_pod(new_spawner, objects):
    spawner = new_spawner('ann')
    yield spawner.start()
    old = objects.pod(NAME)['metadata']['uid']
    yield spawner.start()
    pod, = objects.pods()
    assert pod['metadata']['uid'] != old
    yield spawner.stop(now=True)


@pytest.mark.parametrize('is_of_a_hub', [True, False])
@pytest.mark.gen_test
def test_an_old_pod_that_never_goes_is_told_with_what_holds_it(new_spawner, objects, foreign, is_of_a_hub):
    spawner = new_spawner('ann')
    spawner.start_timeout = 2
    foreign.create(finalizers=['example.org/keep'], labels=spawner.pod_reflector.labels if is_of_a_hub else {})
    foreign.delete()
    with pytest.raises(SpawnError, match='to be gone. Last seen: .*finalizers .*example.org/keep'):
        yield gen.with_timeout(IOLoop.current().time() + 20, spawner.start())
    foreign.let_go()
    spawner.start_timeout = 60
    yield spawner.start()
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_the_pod_of_another_user_is_left_alone_whatever_templates_say(new_spawner, objects):
    ann, bob = [new_spawner(name, pod_name_template='notebook') for name in ('ann', 'bob')]
    yield ann.start()
    uid = objects.pod('notebook')['metadata']['uid']
    with pytest.raises(SpawnError, match="server '' of the user 'ann'"):
        yield bob.start()
    assert (yield bob.poll()) == 1
    yield bob.stop()
    assert objects.pod('notebook')['metadata']['uid'] == uid
    yield ann.stop(now=True)


@pytest.mark.gen_test
def test_the_pod_of_another_hub_is_left_alone(new_spawner, objects):
    mine, other = [new_spawner('ann', component_label=label) for label in ('singleuser-server', 'of-another-hub')]
    yield mine.start()
    uid = objects.pod(NAME)['metadata']['uid']
    with pytest.raises(SpawnError, match="is in use by"):
        yield other.start()
    yield other.stop(now=True)
    assert objects.pod(NAME)['metadata']['uid'] == uid
    yield mine.stop(now=True)


@pytest.mark.gen_test
def test_a_pod_of_another_hub_that_does_not_say_whose_it_is_is_left_alone(new_spawner, foreign, objects):
    foreign.create(labels={'heritage': 'jupyterhub', 'component': 'of-another-hub'})
    uid = objects.pod(NAME)['metadata']['uid']
    with pytest.raises(SpawnError, match='in use by another hub'):
        yield new_spawner('ann').start()
    assert objects.pod(NAME)['metadata']['uid'] == uid


@pytest.mark.gen_test
def test_the_server_of_a_user_who_was_renamed_is_still_theirs(new_spawner, objects):
    before = new_spawner('ann')
    yield before.start()
    after = new_spawner('ann-renamed')
    after.load_state(before.get_state())
    before.user.name = 'ann-renamed'
    assert (yield [before.poll(), after.poll()]) == [None, None]
    yield after.stop()
    assert objects.pods() == []


@pytest.mark.gen_test
def test_an_old_pod_that_goes_late_is_waited_for(new_spawner, objects, foreign):
    foreign.create(finalizers=['example.org/keep'])
    spawner = new_spawner('ann')
    start = spawner.start()
    yield objects.until(lambda: 'deletionTimestamp' in objects.pod(NAME)['metadata'])
    foreign.let_go()
    yield start
    pod, = objects.pods()
    assert pod['metadata']['annotations']['hub.jupyter.org/username'] == 'ann'
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_an_old_pod_that_is_replaced_before_it_is_deleted_is_told_from_the_new_one(new_spawner, objects, foreign):
    spawner = new_spawner('ann')
    send, deleted = spawner.asynchronize, []

    def replace_first(method, *args):
        if args[2].verb == 'delete':
            deleted.append(objects.pod(NAME)['metadata']['uid'])
            if len(deleted) == 1:
                foreign.delete()
                foreign.create()
        return send(method, *args)

    foreign.create()
    spawner.asynchronize = replace_first
    yield spawner.start()
    assert len(set(deleted)) == 2
    pod, = objects.pods()
    assert pod['metadata']['uid'] not in deleted
    spawner.asynchronize = send
    yield spawner.stop(now=True)
