"""What only a real node can prove: traits as the processes in a container see them, and how containers fail."""
import pytest
from tornado import gen
from tornado.ioloop import IOLoop

from kubespawner.spawner import SpawnError
from tests import machine

FOREVER = 'trap "exit 0" TERM; sleep 1000 & wait'


@pytest.fixture
def run(request, new_spawner):
    """`run(script, **traits)` returns a spawner whose notebook container runs a shell script, then waits."""
    if not request.config.getoption('--pod-gateway'):
        pytest.skip('needs a real node: --pod-gateway')

    def run(script, volumes=(), volume_mounts=(), **traits):
        return new_spawner(
            'ann', cmd=['/bin/sh', '-c', '%s\n%s' % (script, FOREVER)],
            singleuser_image_spec=machine.AS_A_CONTAINER['image'],
            volumes=machine.AS_A_CONTAINER['volumes'] + list(volumes),
            volume_mounts=machine.AS_A_CONTAINER['volume_mounts'] + list(volume_mounts), **traits)

    return run


@gen.coroutine
def output(spawner, objects, last):
    """Return the lines that the container of a spawner prints until the one called `last`; its pod is gone then."""
    yield spawner.start()

    def lines():
        return objects.core.read_namespaced_pod_log(
            name=spawner.pod_name, namespace=objects.namespace, container='notebook').splitlines()

    yield objects.until(lambda: last in lines())
    printed = lines()
    yield spawner.stop(now=True)
    return printed[:printed.index(last)]


@pytest.mark.gen_test
def test_user_and_groups_are_what_id_says(run, objects):
    printed = yield output(run('id -u; id -G; echo end', singleuser_uid=1000, singleuser_fs_gid=200,
                               singleuser_supplemental_gids=[300, 400]), objects, 'end')
    assert printed[0] == '1000'
    assert set(printed[1].split()) >= {'200', '300', '400'}


@pytest.mark.gen_test
def test_the_tokens_place_is_empty_and_cannot_be_written(run, objects):
    printed = yield output(run('cd /var/run/secrets/kubernetes.io/serviceaccount; ls -A | wc -l\n'
                               'touch token 2>/dev/null || echo refused; echo end'), objects, 'end')
    assert printed == ['0', 'refused']


@pytest.mark.gen_test
def test_with_a_service_account_the_token_is_there(run, objects):
    printed = yield output(run('ls /var/run/secrets/kubernetes.io/serviceaccount; echo end',
                               singleuser_service_account='default'), objects, 'end')
    assert 'token' in printed


@pytest.mark.gen_test
def test_limits_are_those_of_the_cgroup(run, objects):
    script = ('cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max\n'
              'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cut -d " " -f 1 /sys/fs/cgroup/cpu.max\n'
              'echo end')
    printed = yield output(run(script, mem_limit='128M', cpu_limit=0.5), objects, 'end')
    assert printed == [str(128 * 2 ** 20), '50000']


@pytest.mark.gen_test
def test_an_init_container_runs_before_the_notebook_container(run, objects):
    shared = {'name': 'shared', 'mountPath': '/shared'}
    init = {'name': 'init', 'image': machine.AS_A_CONTAINER['image'], 'imagePullPolicy': 'IfNotPresent',
            'command': ['/bin/sh', '-c', 'echo prepared > /shared/file'],
            'volumeMounts': machine.AS_A_CONTAINER['volume_mounts'] + [shared]}
    printed = yield output(
        run('cat /shared/file; echo end', volumes=[{'name': 'shared', 'emptyDir': {}}], volume_mounts=[shared],
            singleuser_init_containers=[init]), objects, 'end')
    assert printed == ['prepared']


@pytest.mark.gen_test
def test_start_waits_for_the_readiness_probe(run, objects):
    probe = {'exec': {'command': ['/usr/bin/test', '-e', '/tmp/ready']}, 'periodSeconds': 1}
    spawner = run('sleep 2; touch /tmp/ready; echo end', singleuser_extra_container_config={'readinessProbe': probe})
    yield spawner.start()
    log = objects.core.read_namespaced_pod_log(name=spawner.pod_name, namespace=objects.namespace)
    assert log.splitlines() == ['end']
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_post_start_runs_in_the_container(run, objects):
    hooks = {'postStart': {'exec': {'command': ['/usr/bin/touch', '/tmp/hook']}}}
    printed = yield output(run('until test -e /tmp/hook; do sleep 0.1; done; echo end',
                               singleuser_lifecycle_hooks=hooks), objects, 'end')
    assert printed == []


@pytest.mark.parametrize('image, policy, reason', [
    ('local/missing:latest', 'Never', 'ErrImageNeverPull'),
    ('local/missing:latest', 'IfNotPresent', 'ErrImagePull|ImagePullBackOff'),
    ('not a name', 'IfNotPresent', 'InvalidImageName'),
])
@pytest.mark.gen_test
def test_an_image_that_is_not_there_ends_start_with_the_nodes_reason(run, image, policy, reason):
    spawner = run('', start_failure_grace=0)
    spawner.singleuser_image_spec, spawner.singleuser_image_pull_policy = image, policy
    with pytest.raises(SpawnError, match=reason):
        yield gen.with_timeout(IOLoop.current().time() + 50, spawner.start())
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_server_that_crashed_is_started_again_by_its_node(run, objects):
    spawner = run('test -e /state/once || { touch /state/once; exit 3; }', volumes=[{'name': 'state', 'emptyDir': {}}],
                  volume_mounts=[{'name': 'state', 'mountPath': '/state'}])
    yield spawner.start()
    yield objects.until(lambda: objects.pod(spawner.pod_name)['status']['containerStatuses'][0]['restartCount'] == 1)
    assert (yield spawner.poll()) is None
    yield spawner.stop(now=True)


@pytest.mark.gen_test
def test_a_server_that_ended_by_itself_stays_ended(run, objects):
    spawner = run('sleep 1; exit 0')
    yield spawner.start()
    yield objects.until(lambda: objects.pod(spawner.pod_name)['status']['phase'] == 'Succeeded')
    yield objects.until(lambda: spawner.pod_reflector.pods[spawner.pod_name].status.phase == 'Succeeded')
    assert (yield spawner.poll()) == 0
    assert objects.pod(spawner.pod_name) is None


@pytest.mark.gen_test
def test_stop_ends_within_its_grace_also_when_term_is_ignored(run, objects):
    spawner = run('trap "" TERM; sleep 1000')
    yield spawner.start()
    started = IOLoop.current().time()
    yield gen.with_timeout(started + 30, spawner.stop())
    assert objects.pod(spawner.pod_name) is None
