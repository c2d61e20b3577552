"""KubeSpawner as it is made and configured, without any cluster."""
import multiprocessing
import socket
import threading

import pytest
from jupyterhub import orm
from jupyterhub.objects import Hub
from jupyterhub.spawner import Spawner
from kubernetes import client
from tornado import gen
from tornado.ioloop import IOLoop
from traitlets import default
from traitlets.config import Config

import kubespawner.configuration.cluster
from kubespawner import KubeSpawner
from kubespawner.kube import clients
from kubespawner.kube.clients import Resource
from kubespawner.spawner import PodReflector
from tests.cluster.conftest import User, make_spawner

DEFAULTS = {
    'k8s_api_threadpool_workers': 5 * multiprocessing.cpu_count(),
    'namespace': 'default',
    'ip': '0.0.0.0',
    'port': 8888,
    'cmd': None,
    'env_keep': [],
    'singleuser_working_dir': None,
    'singleuser_service_account': None,
    'pod_name_template': 'jupyter-{username}{servername}',
    'pvc_name_template': 'claim-{username}{servername}',
    'user_storage_pvc_ensure': False,
    'user_storage_capacity': None,
    'user_storage_class': None,
    'user_storage_access_modes': ['ReadWriteOnce'],
    'user_storage_extra_labels': {},
    'storage_selector': {},
    'storage_extra_annotations': {},
    'remember_pvc_name': True,
    'storage_expand': True,
    'delete_pvc': True,
    'hub_connect_ip': None,
    'singleuser_extra_labels': {},
    'singleuser_extra_annotations': {},
    'singleuser_image_spec': 'jupyterhub/singleuser:latest',
    'singleuser_image_pull_policy': 'IfNotPresent',
    'singleuser_image_pull_secrets': None,
    'singleuser_node_selector': {},
    'singleuser_uid': None,
    'singleuser_fs_gid': None,
    'singleuser_supplemental_gids': None,
    'singleuser_privileged': False,
    'singleuser_lifecycle_hooks': {},
    'singleuser_init_containers': [],
    'singleuser_extra_container_config': {},
    'singleuser_extra_pod_config': {},
    'singleuser_extra_containers': [],
    'cpu_limit': None,
    'cpu_guarantee': None,
    'mem_limit': None,
    'mem_guarantee': None,
    'extra_resource_guarantees': {},
    'extra_resource_limits': {},
    'modify_pod_hook': None,
    'volumes': [],
    'volume_mounts': [],
    'delete_foreign_pods': False,
    'delete_stopped_pods': True,
    'legacy_singleuser_env': False,
    'k8s_api_host': '',
    'k8s_api_ssl_ca_cert': '',
    'k8s_api_verify_ssl': None,
    'k8s_api_request_timeout': 30,
    'k8s_api_request_retry_timeout': 30,
    'services_enabled': False,
    'secret_name_template': '{pod_name}',
    'secret_mount_path': '/etc/jupyterhub/ssl/',
    'secret_environment': False,
    'start_failure_grace': None,
    'delete_grace_period': 1,
    'allow_privilege_escalation': False,
    'uid': None,
    'gid': None,
    'tolerations': [],
    'scheduler_name': None,
    'priority_class_name': '',
    'node_affinity_preferred': [],
    'node_affinity_required': [],
    'pod_affinity_preferred': [],
    'pod_affinity_required': [],
    'pod_anti_affinity_preferred': [],
    'pod_anti_affinity_required': [],
    'common_labels': {
        'app.kubernetes.io/name': 'jupyterhub', 'app.kubernetes.io/managed-by': 'kubespawner',
        'app': 'jupyterhub', 'heritage': 'jupyterhub'},
    'component_label': 'singleuser-server',
    'container_security_context': {},
    'pod_security_context': {},
    'automount_service_account_token': None,
    'after_pod_created_hook': None,
    'get_pod_url': None,
    'pod_connect_ip': '',
    'dns_name_template': '{name}.{namespace}.svc.cluster.local',
    'slug_scheme': 'escape',
    'handle_legacy_names': True,
    'adopt_user_namespaces': False,
    'enable_user_namespaces': False,
    'user_namespace_template': '{hubnamespace}-{username}',
    'user_namespace_labels': {},
    'user_namespace_annotations': {},
    'force_delete_after': None,
    'events_enabled': True,
    'slow_spawn_message': ('Your server has been starting for {seconds} seconds, which is longer than usual. '
                           'This page continues automatically when the server is ready.'),
    'slow_spawn_message_threshold': 60,
    'slow_spawn_message_frequency': 5,
    'profile_list': [],
    'profile_form_template': '',
    'additional_profile_form_template_paths': [],
    'options_form': '',
}


@pytest.fixture(autouse=True)
def own_shares(monkeypatch):
    """What spawners share is made anew for each test."""
    monkeypatch.setattr(KubeSpawner, 'executor', None)
    monkeypatch.setattr(KubeSpawner, 'pod_reflector', None)
    monkeypatch.setattr(KubeSpawner, 'event_reflector', None)


def spawner_with_defaults():
    return KubeSpawner(user=User('alice'), hub=Hub(base_url='/hub/'), orm_spawner=orm.Spawner(name=''))


@pytest.mark.parametrize('trait', sorted(DEFAULTS))
def test_every_trait_is_configurable_and_has_its_documented_default(trait):
    assert getattr(spawner_with_defaults(), trait) == DEFAULTS[trait]
    assert KubeSpawner.class_traits(config=True)[trait].help.strip()


def test_there_is_no_trait_that_is_not_documented_here():
    assert set(KubeSpawner.class_own_traits(config=True)) == set(DEFAULTS) | {'hub_connect_port'}


def test_subclasses_share_the_reflector_unless_they_declare_their_own(monkeypatch):
    class Sibling(KubeSpawner):
        pass

    class Loner(KubeSpawner):
        pod_reflector = None

    base, sibling, loner = make_spawner(KubeSpawner), make_spawner(Sibling), make_spawner(Loner)
    assert base.pod_reflector is sibling.pod_reflector is KubeSpawner.pod_reflector
    assert loner.pod_reflector is Loner.pod_reflector is not base.pod_reflector


def test_a_subclass_adds_template_fields_in_one_place():
    class Teams(KubeSpawner):
        def _expand_user_properties(self, template):
            return super()._expand_user_properties(template.replace('{team}', 'red'))

    spawner = make_spawner(Teams, pod_name_template='{team}-{username}')
    assert spawner.pod_name == 'red-alice'
    assert spawner._expand_all([{'a': '{team}/{username}'}]) == [{'a': 'red/alice'}]


def test_a_subclass_that_names_pods_itself_is_asked_again_after_each_stop():
    class Named(KubeSpawner):
        @default('pod_name')
        def _own_name(self):
            return 'mine-' + self.user.name

    spawner = make_spawner(Named)
    spawner.load_state({'pod_name': 'old'})
    spawner.clear_state()
    assert spawner.pod_name == 'mine-alice'


def test_names_that_a_subclass_assigns_outlive_states():
    class Named(KubeSpawner):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.pod_name = self._expand_user_properties('mine-{username}')
            self.pvc_name = self._expand_user_properties('home-{username}')

    spawner = make_spawner(Named)
    spawner.load_state({'pod_name': 'old', 'pvc_name': 'old-home'})
    assert (spawner.pod_name, spawner.pvc_name) == ('old', 'old-home')
    spawner.clear_state()
    assert spawner.pod_name == 'mine-alice'
    assert make_spawner(Named).pvc_name == 'home-alice'
    spawner = make_spawner(KubeSpawner)
    spawner.load_state({})
    spawner.pod_name = 'of a hook'
    spawner.clear_state()
    assert spawner.pod_name == 'jupyter-alice'


def test_what_an_operator_says_of_the_hubs_url_is_left_alone():
    spawner = make_spawner(KubeSpawner, hub_connect_ip='hub', environment={'JUPYTERHUB_API_URL': 'http://proxy/x/api'})
    if spawner.get_env()['JUPYTERHUB_API_URL'] != 'http://proxy/x/api':  # old hubs' own comes last
        assert spawner.get_env()['JUPYTERHUB_API_URL'].startswith('http://hub:')


@pytest.mark.skipif(not hasattr(Spawner, 'hub_connect_url'), reason='this JupyterHub has no such setting')
@pytest.mark.parametrize('url', ['http://h:1', 'http://h:1/', 'http://h:1/x', 'http://h:1/x/y/', 'https://h'])
def test_the_urls_of_a_hub_with_a_path_before_its_own_are_those_of_jupyterhub(url):
    env = make_spawner(KubeSpawner, hub_connect_url=url).get_env()
    assert env['JUPYTERHUB_API_URL'] == url.rstrip('/') + '/hub/api'
    assert env['JUPYTERHUB_ACTIVITY_URL'] == url.rstrip('/') + '/hub/api/users/alice/activity'


@pytest.mark.parametrize('trait', ['notebook_dir', 'default_url', 'environment'])
@pytest.mark.gen_test
def test_what_jupyterhub_cannot_expand_is_named(trait):
    wrong = {'A': lambda spawner: {}['user']} if trait == 'environment' else '/home/{user}'
    with pytest.raises(ValueError, match="KubeSpawner.%s.* raised KeyError: 'user'" % trait):
        yield make_spawner(KubeSpawner, **{trait: wrong}).get_pod_manifest()


@pytest.mark.parametrize('arguments', ['--x', None])
@pytest.mark.gen_test
def test_a_get_args_that_returns_no_list_is_named(arguments):
    class Wrong(KubeSpawner):
        def get_args(self):
            return arguments

    with pytest.raises(ValueError, match='KubeSpawner.get_args raised TypeError'):
        yield make_spawner(Wrong).get_pod_manifest()


@pytest.mark.parametrize('user', ['9lives', '-x', '1' * 80])
def test_the_name_of_a_pod_with_a_service_begins_with_a_letter(user):
    of = {}
    for has_service in (True, False):
        spawner = make_spawner(KubeSpawner, pod_name_template='{username}', services_enabled=has_service)
        spawner.user = User(user)
        of[has_service] = spawner.pod_name
    assert of[True] != of[False] and of[True][0] == 'x' and len(of[True]) <= 63
    assert make_spawner(KubeSpawner, pod_name_template='{username}', services_enabled=True).pod_name == 'alice'


def test_a_subclass_that_expands_by_itself_leaves_braces_of_shells_alone():
    class Groups(KubeSpawner):
        def _expand_user_properties(self, template):
            return template.format(username=self.user.name, group='red')

    spawner = make_spawner(Groups, singleuser_init_containers=[{'args': ["awk '{print}' /x"]}, {'args': ['{group}']}])
    assert spawner._fill_trait('singleuser_init_containers') == [{'args': ["awk '{print}' /x"]}, {'args': ['red']}]
    with pytest.raises(ValueError, match='KubeSpawner.volumes: KeyError'):
        make_spawner(Groups, volumes=[{'name': '{nobody}'}])._expand_trait('volumes')


def test_the_claim_is_named_by_the_template_as_it_is_at_each_start():
    spawner = make_spawner(KubeSpawner)
    assert spawner.pvc_name == 'claim-alice'
    spawner.pvc_name_template = 'files-{username}'
    spawner.clear_state()
    assert spawner.pvc_name == 'files-alice'


@pytest.mark.parametrize('cls', [dict, Resource, clients.to_dict], ids=['dict', 'Resource', 'from V1Pod'])
def test_running_is_told_of_whatever_form_a_pod_has(cls):
    pod = client.V1Pod(status=client.V1PodStatus(phase='Running', pod_ip='10.0.0.1', container_statuses=[
        client.V1ContainerStatus(name='notebook', ready=True, image='a', image_id='b', restart_count=0)]))
    spawner = make_spawner(KubeSpawner)
    assert spawner.is_pod_running(pod) is True
    assert spawner.is_pod_running(cls(clients.to_dict(pod))) is True
    assert spawner.is_pod_running(None) is False


def test_in_a_pod_the_namespace_is_the_pods_own(tmpdir, monkeypatch):
    tmpdir.join('namespace').write('hubs\n')
    monkeypatch.setattr(kubespawner.configuration.cluster, 'NAMESPACE_FILE', str(tmpdir.join('namespace')))
    assert spawner_with_defaults().namespace == 'hubs'


def test_making_a_spawner_does_no_io_and_starts_no_thread(monkeypatch):
    def connect(*args):
        pytest.fail('a connection was made')

    monkeypatch.setattr(socket.socket, 'connect', connect)
    monkeypatch.setenv('KUBECONFIG', '/nowhere')
    before = set(threading.enumerate())
    make_spawner(KubeSpawner)
    assert set(threading.enumerate()) <= before


def test_all_spawners_share_one_executor_one_reflector_and_one_client(use_kubeconfig, tmpdir):
    kubeconfig = tmpdir.join('config')
    kubeconfig.write('{apiVersion: v1, kind: Config, current-context: x, users: [{name: u, user: {token: t}}], '
                     'clusters: [{name: c, cluster: {server: "http://127.0.0.1:9"}}], '
                     'contexts: [{name: x, context: {cluster: c, user: u}}]}')
    use_kubeconfig(kubeconfig)
    one, other = make_spawner(KubeSpawner, 'a', k8s_api_threadpool_workers=3), make_spawner(KubeSpawner, 'b')
    assert one.executor is other.executor is KubeSpawner.executor
    assert one.pod_reflector is other.pod_reflector is KubeSpawner.pod_reflector
    assert one.api is other.api
    assert KubeSpawner.executor._max_workers == 3


def test_a_hub_that_passes_its_url_as_an_argument_passes_the_one_that_pods_reach(monkeypatch):
    passed = ['--hub-api-url="http://127.0.0.1:8081/hub/api"', '--base-url=http://127.0.0.1:8081/hub/api']
    monkeypatch.setattr(Spawner, 'get_args', lambda self: passed)
    spawner = make_spawner(KubeSpawner, hub_connect_ip='hub', hub_connect_port=80)
    spawner.hub.ip, spawner.hub.port = '127.0.0.1', 8081
    assert spawner.get_args() == ['--hub-api-url="http://hub:80/hub/api"', passed[1]]
    assert passed[0] == '--hub-api-url="http://127.0.0.1:8081/hub/api"'


@pytest.mark.gen_test
def test_asynchronize_runs_a_function_on_another_thread_and_tells_its_result_or_error():
    spawner = make_spawner(KubeSpawner)
    thread = yield spawner.asynchronize(threading.current_thread)
    assert thread is not threading.current_thread()
    assert (yield spawner.asynchronize(dict, a=1)) == {'a': 1}
    with pytest.raises(ZeroDivisionError):
        yield spawner.asynchronize(lambda: 1 / 0)


def test_a_reflector_that_gives_up_halts_the_loop_and_says_so(caplog, monkeypatch):
    """The loop that is halted is one of its own, in a thread of its own; it runs only until it is halted."""
    monkeypatch.setattr('kubespawner.halting._halted', [])  # or this process ends with a failure

    def hub():
        loop = IOLoop(make_current=False)
        loop.add_callback(poll)
        loop.start()
        halted.append(True)
        loop.close()

    @gen.coroutine
    def poll():
        polled.append((yield spawner.poll()))

    halted, polled = [], []
    spawner = make_spawner(KubeSpawner)
    KubeSpawner.pod_reflector = PodReflector(
        namespace='x', give_up_seconds=0, list_method_name='no_such_method', log=spawner.log)
    thread = threading.Thread(target=hub, daemon=True)
    thread.start()
    thread.join(20)
    assert halted == [True]
    assert polled in ([], [None])
    assert [record.levelname for record in caplog.records if 'Halting the hub' in record.message] == ['CRITICAL']


def test_configuration_reaches_the_spawner_by_its_own_and_its_parents_names():
    config = Config()
    config.KubeSpawner.singleuser_image_spec = 'a/b:c'
    config.Spawner.mem_limit = '1G'
    spawner = KubeSpawner(config=config)
    assert (spawner.singleuser_image_spec, spawner.mem_limit) == ('a/b:c', 2 ** 30)
