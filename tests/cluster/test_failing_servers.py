"""How servers and the containers beside them end, as real processes, and what is left for whoever asks why."""
import pytest

from kubespawner.spawner import SpawnError
from tests import machine

from .conftest import additional_rights

# A server that never gets ready: the start lasts until its container has ended.
UNREADY = {'singleuser_extra_container_config': {'readinessProbe': {'exec': {'command': ['false']}}}}
FOREVER = 'trap "exit 0" TERM; sleep 1000 & wait'


@pytest.fixture
def image(request, cluster):
    """What a container that runs a shell is made with: a dict with `image`, `volumes` and `volumeMounts`."""
    if cluster.is_localkube:
        return {'image': 'busybox', 'volumes': [], 'volumeMounts': []}
    if not request.config.getoption('--pod-gateway'):
        pytest.skip('needs a node that runs containers: --pod-gateway')
    has = machine.AS_A_CONTAINER
    return {'image': has['image'], 'volumes': has['volumes'], 'volumeMounts': has['volume_mounts']}


@pytest.fixture
def may_read_logs(cluster, core, namespace):
    with additional_rights(core, namespace, cluster.hub_kubeconfig, [('pods/log', 'get')]):
        yield


@pytest.fixture
def run(new_spawner, image):
    """`run(script, **traits)` returns a spawner whose notebook container runs a shell script, then waits."""
    def run(script, **traits):
        return new_spawner('ann', cmd=['/bin/sh', '-c', '%s\n%s' % (script, FOREVER)], volumes=image['volumes'],
                           singleuser_image_spec=image['image'], volume_mounts=image['volumeMounts'], **traits)

    return run


@pytest.fixture
def beside(image):
    """`beside(name, script)` returns a container that runs a shell script beside the notebook."""
    return lambda name, script: {'name': name, 'image': image['image'], 'imagePullPolicy': 'IfNotPresent',
                                 'command': ['/bin/sh', '-c', script], 'volumeMounts': image['volumeMounts']}


@pytest.mark.gen_test
def test_a_container_that_does_its_work_and_ends_is_missed_by_nobody(run, beside, objects):
    spawner = run('', singleuser_extra_containers=[beside('a-puller', 'echo pulled')])
    yield spawner.start()

    def has_pulled():
        return any('terminated' in status['state'] for status in objects.pod(spawner.pod_name)['status'][
            'containerStatuses'])

    yield objects.until(has_pulled)
    yield spawner._waiter.refresh_pod()
    assert (yield spawner.poll()) is None and spawner.is_pod_running(spawner.pod_reflector.get(spawner.pod_name))
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_container_that_goes_on_does_not_keep_a_server_alive_that_has_ended(run, beside, objects):
    def rename(spawner, pod):
        pod.spec.containers[0].name = 'lab'
        pod.spec.containers.reverse()
        return pod

    spawner = run('sleep 1; exit 3', singleuser_extra_containers=[beside('a-sidecar', FOREVER)], modify_pod_hook=rename,
                  singleuser_extra_pod_config={'restartPolicy': 'Never'}, delete_stopped_pods=False)
    yield spawner.start()
    yield objects.until(lambda: any('terminated' in status['state'] for status in objects.pod(spawner.pod_name)[
        'status']['containerStatuses']))
    yield spawner._waiter.refresh_pod()
    assert (yield spawner.poll()) == 3
    yield spawner.stop(now=True)


@pytest.mark.usefixtures('may_read_logs')
@pytest.mark.gen_test
def test_a_server_that_crashes_leaves_the_end_of_its_log_but_no_token(run, objects, caplog):
    spawner = run('echo first; echo token $JUPYTERHUB_API_TOKEN; echo no module named lab; exit 3',
                  api_token='0123456789abcdef', singleuser_extra_pod_config={'restartPolicy': 'Never'}, **UNREADY)
    with pytest.raises(SpawnError, match='exit code 3.*The last line of its log: no module named lab'):
        yield spawner.start()
    log = [record.getMessage() for record in caplog.records]
    assert 'Log of pod %s, container notebook: first' % spawner.pod_name in log
    assert 'Log of pod %s, container notebook: token ***' % spawner.pod_name in log
    assert '0123456789abcdef' not in caplog.text
    yield spawner.stop(now=True)


@pytest.mark.parametrize('delete_stopped_pods', [True, False])
@pytest.mark.gen_test
def test_the_pod_of_a_failed_start_stays_until_the_next_one_if_it_is_to(run, objects, delete_stopped_pods):
    spawner = run('exit 3', start_failure_grace=0, delete_stopped_pods=delete_stopped_pods, **UNREADY)
    with pytest.raises(SpawnError, match='exit code 3'):
        yield spawner.start()
    before = objects.pod(spawner.pod_name)['metadata']['uid']
    yield spawner.stop()  # as JupyterHub does
    spawner.clear_state()
    assert (objects.pod(spawner.pod_name) is None) is delete_stopped_pods
    assert (yield spawner.poll()) == 1
    spawner.cmd, spawner.singleuser_extra_container_config = ['/bin/sh', '-c', FOREVER], {}
    yield spawner.start()
    assert objects.pod(spawner.pod_name)['metadata']['uid'] != before
    yield spawner.stop(now=True)
    assert objects.pod(spawner.pod_name) is None


@pytest.mark.usefixtures('may_read_logs')
@pytest.mark.gen_test
def test_the_log_of_a_server_that_crashes_later_is_in_the_hubs_log_too(run, objects, caplog):
    spawner = run('echo I am lost; sleep 1; exit 4', singleuser_extra_pod_config={'restartPolicy': 'Never'})
    yield spawner.start()
    yield objects.until(lambda: objects.pod(spawner.pod_name)['status']['phase'] == 'Failed')
    yield spawner._waiter.refresh_pod()
    assert (yield spawner.poll()) == 4
    assert 'Log of pod %s, container notebook: I am lost' % spawner.pod_name in caplog.text
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_lifecycle_hook_that_fails_is_named_with_what_it_said_and_without_the_exit_code_of_the_container(run):
    hook = {'postStart': {'exec': {'command': ['sh', '-c', 'sleep 1; echo no such group >&2; exit 5']}}}
    spawner = run('', singleuser_lifecycle_hooks=hook, start_failure_grace=3, events_enabled=True, **UNREADY)
    with pytest.raises(SpawnError, match='postStart hook.*FailedPostStartHook.*no such group') as raised:
        yield spawner.start()
    assert '137' not in str(raised.value)
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_the_pod_that_was_kept_goes_with_its_user(run, objects):
    spawner = run('exit 3', start_failure_grace=0, delete_stopped_pods=False, **UNREADY)
    with pytest.raises(SpawnError, match='exit code 3'):
        yield spawner.start()
    spawner.clear_state()
    assert objects.pods()
    yield spawner.delete_forever()
    yield objects.until(lambda: not objects.pods())
