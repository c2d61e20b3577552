"""What came later for pods: where they run, whose they are, what their containers get, where they are reached.

Each by its effect on the pod that the API server has.
"""
import pytest
from jupyterhub import version_info
from jupyterhub.objects import Server
from tornado import gen
from tornado.concurrent import Future
from traitlets import TraitError
from traitlets.config import Config

from kubespawner import KubeSpawner
from kubespawner.messages.errors import SpawnError
from tests import documentation
from tests.cluster.conftest import UNTOUCHED, make_spawner
from tests.cluster.test_traits import value_at

pytestmark = pytest.mark.usefixtures('node')

PREFERRED, REQUIRED = (when + 'DuringSchedulingIgnoredDuringExecution' for when in ('preferred', 'required'))
TERM = {'matchExpressions': [{'key': 'disk', 'operator': 'In', 'values': ['ssd']}]}
NEAR = {'topologyKey': 'zone', 'labelSelector': {'matchLabels': {'a': 'b'}}}
WEIGHTED = {'weight': 5, 'podAffinityTerm': NEAR}
TOLERATIONS = [{'key': 'a', 'operator': 'Exists'}, {'key': 'b', 'operator': 'Equal', 'value': 'c'}]

RUNNING = {'phase': 'Running', 'containerStatuses': [
    {'name': 'notebook', 'ready': True, 'restartCount': 0, 'image': 'a', 'imageID': 'b', 'state': {'running': {}}}]}


@pytest.mark.parametrize('traits, path, expected', [
    ({'gid': 100}, 'spec.containers.0.securityContext.runAsGroup', 100),
    ({'gid': lambda spawner: spawner.user.id}, 'spec.containers.0.securityContext.runAsGroup', 7),
    ({'uid': 1000}, 'spec.containers.0.securityContext.runAsUser', 1000),
    ({'scheduler_name': 'nobody'}, 'spec.schedulerName', 'nobody'),
    ({'priority_class_name': 'system-cluster-critical'}, 'spec.priorityClassName', 'system-cluster-critical'),
    ({'node_affinity_preferred': [{'weight': 5, 'preference': TERM}]}, 'spec.affinity.nodeAffinity',
     {PREFERRED: [{'weight': 5, 'preference': TERM}]}),
    ({'node_affinity_required': [TERM]}, 'spec.affinity.nodeAffinity', {REQUIRED: {'nodeSelectorTerms': [TERM]}}),
    ({'pod_affinity_preferred': [WEIGHTED]}, 'spec.affinity', {'podAffinity': {PREFERRED: [WEIGHTED]}}),
    ({'pod_affinity_required': [NEAR]}, 'spec.affinity', {'podAffinity': {REQUIRED: [NEAR]}}),
    ({'pod_anti_affinity_preferred': [WEIGHTED]}, 'spec.affinity', {'podAntiAffinity': {PREFERRED: [WEIGHTED]}}),
    ({'pod_anti_affinity_required': [NEAR], 'pod_affinity_required': [NEAR]}, 'spec.affinity',
     {'podAffinity': {REQUIRED: [NEAR]}, 'podAntiAffinity': {REQUIRED: [NEAR]}}),
    ({'pod_affinity_required': {'2': NEAR, '1': dict(NEAR, topologyKey='first')}},
     'spec.affinity.podAffinity.%s.0.topologyKey' % REQUIRED, 'first'),
    ({}, 'spec.affinity', None),
    ({'pod_security_context': {'runAsUser': 5, 'runAsNonRoot': True}, 'singleuser_uid': 6, 'singleuser_fs_gid': 7},
     'spec.securityContext', {'runAsUser': 5, 'runAsNonRoot': True, 'fsGroup': 7}),
    ({'container_security_context': {'capabilities': {'drop': ['ALL']}}}, 'spec.containers.0.securityContext',
     {'allowPrivilegeEscalation': False, 'capabilities': {'drop': ['ALL']}}),
    ({'container_security_context': {'privileged': True}}, 'spec.containers.0.securityContext', {'privileged': True}),
    ({'container_security_context': {'privileged': False, 'run_as_user': 9}, 'singleuser_privileged': True},
     'spec.containers.0.securityContext', {'privileged': False, 'runAsUser': 9}),
    ({'container_security_context': lambda spawner: {'runAsUser': spawner.user.id}},
     'spec.containers.0.securityContext.runAsUser', 7),
    ({'automount_service_account_token': False, 'singleuser_service_account': 'default'},
     'spec.automountServiceAccountToken', False),
    ({'automount_service_account_token': True}, 'spec.automountServiceAccountToken', True),
    ({'component_label': 'ours'}, 'metadata.labels.component', 'ours'),
    ({'common_labels': {'a': 'b'}}, 'metadata.labels.a', 'b'),
    ({'common_labels': {'a': 'b'}}, 'metadata.labels.heritage', 'jupyterhub'),
    ({'common_labels': {'a': 'b'}, 'singleuser_extra_labels': {'a': 'c'}}, 'metadata.labels.a', 'c'),
])
@pytest.mark.gen_test
def test_a_trait_arrives_in_the_pod(new_spawner, objects, traits, path, expected):
    pod = yield objects.created_by(new_spawner(**traits))
    assert value_at(pod, path) == expected


@pytest.mark.parametrize('tolerations', [TOLERATIONS, {'2': TOLERATIONS[1], '1': TOLERATIONS[0]}], ids=['list', 'dict'])
@pytest.mark.gen_test
def test_tolerations_are_a_list_or_the_values_of_a_dict_in_the_order_of_its_keys(new_spawner, objects, tolerations):
    pod = yield objects.created_by(new_spawner(tolerations=tolerations))
    assert [toleration for toleration in pod['spec']['tolerations'] if toleration['key'] in 'ab'] == TOLERATIONS


@pytest.mark.parametrize('traits, is_masked', [
    ({}, True),
    ({'automount_service_account_token': False}, True),
    ({'automount_service_account_token': True}, False),
    ({'automount_service_account_token': True, 'singleuser_service_account': 'default'}, False),
    ({'automount_service_account_token': False, 'singleuser_service_account': 'default'}, False),
])
@pytest.mark.gen_test
def test_the_place_of_the_token_is_masked_unless_there_is_an_account_or_its_token_is_wanted(
        new_spawner, objects, traits, is_masked):
    pod = yield objects.created_by(new_spawner(**traits))
    assert ('no-api-access-please' in [volume['name'] for volume in pod['spec'].get('volumes', [])]) is is_masked


# Labels, and who finds a pod by them

@pytest.mark.gen_test
def test_a_pod_has_the_labels_of_both_conventions(new_spawner, objects):
    pod = yield objects.created_by(new_spawner('ann'))
    assert pod['metadata']['labels'] == {
        'app': 'jupyterhub', 'heritage': 'jupyterhub', 'component': 'singleuser-server',
        'app.kubernetes.io/name': 'jupyterhub', 'app.kubernetes.io/managed-by': 'kubespawner',
        'app.kubernetes.io/component': 'singleuser-server', 'hub.jupyter.org/username': 'ann'}


@pytest.mark.gen_test
def test_each_hub_sees_the_pods_of_its_own_component_label(new_spawner, objects):
    default, ours, again = (new_spawner(name, component_label=label, **UNTOUCHED) for name, label in [
        ('ann', 'singleuser-server'), ('bob', 'ours'), ('eve', 'ours')])
    assert default.pod_reflector.label_selector == 'component=singleuser-server,heritage=jupyterhub'
    assert ours.pod_reflector.label_selector == 'component=ours,heritage=jupyterhub'
    assert ours.pod_reflector is again.pod_reflector is not default.pod_reflector
    starts = [default.start(), ours.start()]
    yield objects.until(lambda: ours.pod_reflector.get('jupyter-bob') and default.pod_reflector.get('jupyter-ann'))
    assert ours.pod_reflector.get('jupyter-ann') is None and default.pod_reflector.get('jupyter-bob') is None
    assert (yield ours.poll()) is None
    yield [ours.stop(now=True), default.stop(now=True)]
    yield [ended(start) for start in starts]


@gen.coroutine
def ended(start):
    """Wait until a start has failed."""
    with pytest.raises(SpawnError):
        yield start


def test_the_reflector_that_all_share_is_that_of_the_first_spawner(new_spawner):
    first = new_spawner('ann', component_label='ours')
    assert type(first).pod_reflector is first.pod_reflector
    assert first.pod_reflector.labels == {'heritage': 'jupyterhub', 'component': 'ours'}


@pytest.mark.gen_test
def test_a_pod_of_an_older_version_is_found_by_the_default_label(new_spawner, objects, core, namespace):
    core.create_namespaced_pod(namespace=namespace, body={
        'metadata': {'name': 'jupyter-old', 'labels': {
            'heritage': 'jupyterhub', 'app': 'jupyterhub', 'component': 'singleuser-server'}},
        'spec': dict(UNTOUCHED['singleuser_extra_pod_config'], containers=[{'name': 'notebook', 'image': 'busybox'}])})
    spawner = new_spawner('old')
    assert (yield spawner.poll()) is None
    assert spawner.pod_reflector.get('jupyter-old') is not None
    yield spawner.stop(now=True)


# The environment

def variables(pod):
    """Return the environment of the notebook container by name, without the names."""
    found = {}
    for variable in pod['spec']['containers'][0]['env']:
        found[variable.pop('name')] = variable
    return found


@pytest.mark.gen_test
def test_an_environment_variable_may_be_a_kubernetes_object_whose_strings_are_templates(new_spawner, objects):
    env = variables((yield objects.created_by(new_spawner('ann', 'gpu', environment={
        'NODE': {'valueFrom': {'fieldRef': {'fieldPath': 'spec.nodeName'}}},
        'KEY': {'value_from': {'secretKeyRef': {'name': 's-{username}{servername}', 'key': 'k', 'optional': True}}},
        'ENTRY': {'name': 'NAMED', 'value': '{username}'},
    }))))
    assert env['NODE']['valueFrom']['fieldRef']['fieldPath'] == 'spec.nodeName'
    assert env['KEY'] == {'valueFrom': {'secretKeyRef': {'name': 's-ann--gpu', 'key': 'k', 'optional': True}}}
    assert env['NAMED'] == {'value': 'ann'} and 'ENTRY' not in env


@pytest.mark.gen_test
def test_environment_values_are_templates_unless_they_have_other_things_in_braces(new_spawner, objects):
    given = {
        'HOME': '/home/{username}', 'JSON': '{"a": "{username}"}', 'SHELL': 'echo ${username} {}', 'FORMAT': '{nobody}',
        'ASKED': lambda spawner: '{username}', 'DOUBLED': '{{username}}', 'IN_BRACES': '{{{username}}}', 'NUMBER': 5}
    env = variables((yield objects.created_by(new_spawner('ann', environment=given))))
    assert {name: env[name]['value'] for name in given} == {
        'HOME': '/home/ann', 'JSON': given['JSON'], 'SHELL': given['SHELL'], 'FORMAT': '{nobody}',
        'ASKED': '{username}', 'DOUBLED': '{username}', 'IN_BRACES': '{ann}', 'NUMBER': '5'}


@pytest.mark.gen_test
def test_what_the_hub_itself_sets_is_no_template(new_spawner, objects):
    env = variables((yield objects.created_by(new_spawner('{userid}', environment={'OTHER': '{userid}'}))))
    assert (env['JUPYTERHUB_USER'], env['OTHER']) == ({'value': '{userid}'}, {'value': '7'})
    env = variables((yield objects.created_by(new_spawner('{userid}', environment={'JUPYTERHUB_USER': 'x'}))))
    assert env['JUPYTERHUB_USER']['value'] == ('x' if version_info >= (1, 2) else '{userid}')


@pytest.mark.gen_test
def test_the_server_is_told_its_image_unless_the_operator_says_something_else(new_spawner, objects):
    env = variables((yield objects.created_by(new_spawner(singleuser_image_spec='busybox:1.36'))))
    assert env['JUPYTER_IMAGE'] == env['JUPYTER_IMAGE_SPEC'] == {'value': 'busybox:1.36'}
    env = variables((yield objects.created_by(new_spawner(environment={'JUPYTER_IMAGE': 'mine'}))))
    assert env['JUPYTER_IMAGE'] == {'value': 'mine'}


# Templates in what was given as it is

SHELL = ['sh', '-c', 'for i in ${A}; do echo {}; done; awk \'{ print $1 }\'; echo {username}']
CONTAINER = {'name': 'c-{username}', 'image': 'busybox', 'args': ['{user_server}'], 'command': SHELL}
EXPANDED = {'name': 'c-ann', 'image': 'busybox', 'args': ['ann--gpu'], 'command': SHELL}


@pytest.mark.parametrize('traits, path, expected', [
    ({'singleuser_init_containers': [CONTAINER]}, 'spec.initContainers.0', EXPANDED),
    ({'singleuser_init_containers': {'a': CONTAINER}}, 'spec.initContainers.0', EXPANDED),
    ({'singleuser_extra_containers': [CONTAINER]}, 'spec.containers.1', EXPANDED),
    ({'singleuser_extra_container_config': {'env_from': [{'secretRef': {'name': '{pod_name}', 'optional': True}}]}},
     'spec.containers.0', {'envFrom': [{'secretRef': {'name': 'jupyter-ann--gpu', 'optional': True}}]}),
    ({'singleuser_extra_pod_config': {'hostname': 'h-{username}', 'subdomain': 'd'}}, 'spec',
     {'hostname': 'h-ann', 'subdomain': 'd'}),
    ({'singleuser_lifecycle_hooks': {'preStop': {'exec': {'command': ['{username}', '${HOME}']}}}},
     'spec.containers.0.lifecycle', {'preStop': {'exec': {'command': ['ann', '${HOME}']}}}),
    ({'singleuser_working_dir': '/home/{username}'}, 'spec.containers.0', {'workingDir': '/home/ann'}),
    ({'singleuser_working_dir': '/home/{nobody}'}, 'spec.containers.0', {'workingDir': '/home/{nobody}'}),
    ({'singleuser_extra_annotations': {'of': '{unescaped_username} {namespace} {pvc_name}'}}, 'metadata.annotations',
     {'of': 'ann %s claim-ann--gpu'}),
])
@pytest.mark.gen_test
def test_strings_are_templates_unless_they_have_other_things_in_braces(
        new_spawner, objects, namespace, traits, path, expected):
    pod = yield objects.created_by(new_spawner('ann', 'gpu', **traits))
    found = value_at(pod, path)
    for key, value in expected.items():
        assert found[key] == (value % namespace if isinstance(value, str) and '%s' in value else value)


@pytest.mark.gen_test
def test_names_as_they_are_stay_names_where_kubernetes_expands_variables(new_spawner, objects):
    container = {'name': 'c', 'image': 'busybox', 'args': ['{unescaped_username}'], 'env': [
        {'name': 'A', 'value': '$(HOME) {unescaped_servername}'}],
        'livenessProbe': {'exec': {'command': ['{unescaped_username}']}},
        'lifecycle': {'preStop': {'exec': {'command': ['{unescaped_username}']}}},
        'volumeMounts': [{'name': 'v', 'mountPath': '/{unescaped_username}', 'subPathExpr': '{unescaped_username}'}]}
    pod = yield objects.created_by(new_spawner(
        '$(TOKEN)', '$(KEY)', singleuser_extra_containers=[container], volumes=[{'name': 'v', 'emptyDir': {}}],
        volume_mounts=[{'name': 'v', 'mountPath': '/x', 'subPathExpr': '{unescaped_username}'}],
        environment={'B': '{unescaped_username}'},
        singleuser_extra_annotations={'of': '{unescaped_username}'}))
    sidecar = pod['spec']['containers'][1]
    assert sidecar['args'] == sidecar['livenessProbe']['exec']['command'] == ['$$(TOKEN)']
    assert sidecar['lifecycle']['preStop']['exec']['command'] == ['$(TOKEN)']  # where Kubernetes expands nothing
    assert sidecar['volumeMounts'][0]['subPathExpr'] == '$$(TOKEN)'
    assert sidecar['volumeMounts'][0]['mountPath'] == '/$(TOKEN)'
    assert pod['spec']['containers'][0]['volumeMounts'][0]['subPathExpr'] == '$$(TOKEN)'
    assert sidecar['env'][0]['value'] == '$(HOME) $$(KEY)'
    assert variables(pod)['B'] == {'value': '$$(TOKEN)'}
    assert pod['metadata']['annotations']['of'] == '$(TOKEN)'


# Where a server is reached

@gen.coroutine
def place_of(objects, spawner, ip='10.1.2.3'):
    """Return what start returns for a pod with this address."""
    start = spawner.start()
    yield objects.until(lambda: objects.pod(spawner.pod_name))
    objects.set_status(spawner.pod_name, podIP=ip, podIPs=[{'ip': ip}], **RUNNING)
    place = yield start
    yield spawner.stop(now=True)
    return place


@pytest.mark.gen_test
def test_a_server_is_at_the_address_of_its_pod(new_spawner, objects):
    assert (yield place_of(objects, new_spawner(**UNTOUCHED))) == ('10.1.2.3', 8888)


@pytest.mark.gen_test
def test_jupyterhub_makes_a_url_of_an_ipv6_address(new_spawner, objects):
    ip, port = yield place_of(objects, new_spawner(**UNTOUCHED), 'fd00::1')
    assert Server(ip=ip, port=port).host == 'http://[fd00::1]:8888'
    assert (ip == 'fd00::1') == ('[' in Server(ip='fd00::2', port=1).host)


@pytest.mark.parametrize('username, servername, template, host', [
    ('ann', '', '{pod_name}.pods.example.org', 'jupyter-ann.pods.example.org'),
    ('ann', '', '{username}-{servername}.pods-.example.org', 'ann.pods.example.org'),
    ('ann', 'gpu', '{username}{servername}.example.org', 'ann--gpu.example.org'),
])
@pytest.mark.gen_test
def test_a_server_may_be_reached_by_a_name(new_spawner, objects, username, servername, template, host):
    spawner = new_spawner(username, servername, pod_connect_ip=template, **UNTOUCHED)
    assert (yield place_of(objects, spawner)) == (host, 8888)


@pytest.mark.gen_test
def test_the_names_in_the_documentation_are_those_of_pods_in_a_headless_service(new_spawner, objects, namespace):
    config = Config()
    exec(documentation.block('python', 'pod_connect_ip'), {'c': config})
    settings = dict(config.KubeSpawner)
    settings['extra_pod_config'].update(UNTOUCHED['singleuser_extra_pod_config'])
    spawner = new_spawner('Ann', 'gpu', **settings)
    assert (yield place_of(objects, spawner)) == (
        'jupyter--41nn--gpu.notebooks.%s.svc.cluster.local' % namespace, 8888)
    pod = yield objects.created_by(new_spawner('Ann', 'gpu', **settings))
    assert (pod['spec']['hostname'], pod['spec']['subdomain']) == (pod['metadata']['name'], 'notebooks')


@pytest.mark.gen_test
def test_the_port_is_the_one_that_is_called_notebook_port_in_what_was_created(new_spawner, objects):
    def hook(spawner, pod):
        pod.spec.containers[0].ports = []
        pod.spec.containers.append({'name': 'door', 'image': 'busybox', 'ports': [
            {'name': 'other', 'containerPort': 1}, {'name': 'notebook-port', 'containerPort': 9000}]})
        return pod

    assert (yield place_of(objects, new_spawner(modify_pod_hook=hook, **UNTOUCHED))) == ('10.1.2.3', 9000)


@pytest.mark.gen_test
def test_a_function_may_say_the_url_of_a_server(new_spawner, objects):
    def url(spawner, pod):
        return 'https://%s.%s.%s:99' % (pod.spec.containers[0].name, spawner.user.name, pod.status.pod_ip)

    spawner = new_spawner('ann', get_pod_url=url, **UNTOUCHED)
    spawner.server = Server(ip='', port=1)
    place = yield place_of(objects, spawner)
    if version_info >= (0, 9):
        assert place == 'https://notebook.ann.10.1.2.3:99'
    else:
        assert (spawner.server.proto, place) == ('https', ('notebook.ann.10.1.2.3', 99))


@pytest.mark.parametrize('url', [None, '10.0.0.1:8888', ('10.0.0.1', 8888), 'ftp://here', 5])
@pytest.mark.gen_test
def test_what_is_no_url_is_told_by_name(new_spawner, objects, url):
    with pytest.raises(ValueError) as e:
        yield place_of(objects, new_spawner('bad', get_pod_url=lambda spawner, pod: url, **UNTOUCHED))
    assert 'KubeSpawner.get_pod_url returned' in str(e.value)
    yield new_spawner('bad').stop(now=True)


def test_a_pod_has_a_name_in_dns_by_a_template():
    spawner = make_spawner(KubeSpawner, 'ann', namespace='n')
    assert spawner.dns_name == 'jupyter-ann.n.svc.cluster.local'
    spawner.dns_name_template = '{name}.{userid}.example.org'
    assert spawner.dns_name == 'jupyter-ann.7.example.org'


# The hook after a pod is created

@pytest.mark.gen_test
def test_a_hook_sees_the_pod_that_was_created_before_it_runs(new_spawner, objects):
    seen = []

    async def hook(spawner, pod):
        await gen.sleep(0)
        seen.append((spawner.user.name, pod.metadata.uid, pod['spec']['containers'][0]['name'], objects.pod(
            pod.metadata.name)['metadata']['uid']))

    spawner = new_spawner('ann', after_pod_created_hook=hook, **UNTOUCHED)
    yield place_of(objects, spawner)
    (name, uid, container, uid_there), = seen
    assert (name, container) == ('ann', 'notebook') and uid == uid_there


def never(spawner, pod):
    return Future()


def raising(spawner, pod):
    raise KeyError('no')


@pytest.mark.parametrize('hook, error', [(never, 'did not finish in time'), (raising, 'raised KeyError')])
@pytest.mark.gen_test
def test_a_hook_that_fails_or_never_ends_ends_the_start_by_name(new_spawner, objects, hook, error):
    spawner = new_spawner('hooked', after_pod_created_hook=hook, **UNTOUCHED)
    spawner.start_timeout = 2
    with pytest.raises((SpawnError, ValueError)) as e:
        yield spawner.start()
    assert 'KubeSpawner.after_pod_created_hook' in str(e.value) and error in str(e.value)
    yield spawner.stop(now=True)
    assert objects.pod('jupyter-hooked') is None


# What is wrong

@pytest.mark.parametrize('traits, words', [
    ({'tolerations': [5]}, 'KubeSpawner.tolerations[0] is not a dict'),
    ({'pod_affinity_required': {'a': 5}}, "KubeSpawner.pod_affinity_required['a'] is not a dict"),
    ({'container_security_context': {'nobody': 1}}, "container_security_context: 'nobody' is not a field"),
    ({'pod_security_context': lambda spawner: 'x'}, 'KubeSpawner.pod_security_context: is not a dict'),
    ({'gid': lambda spawner: 'staff'}, "KubeSpawner.gid: 'staff' is not the number"),
    ({'environment': {'A': {'nobody': 1}}}, "KubeSpawner.environment: 'nobody' is not a field of a Kubernetes EnvVar"),
    ({'singleuser_extra_containers': [{'name': '{pvc_name}'}], 'pvc_name_template': '{nobody}'},
     "KubeSpawner.pvc_name_template: cannot expand the template '{nobody}'"),
])
@pytest.mark.gen_test
def test_bad_configuration_is_named_and_nothing_is_created(new_spawner, objects, traits, words):
    with pytest.raises(ValueError) as e:
        yield new_spawner('wrong', **traits).start()
    assert words in str(e.value)
    assert objects.pod('jupyter-wrong') is None


@pytest.mark.parametrize('traits', [
    {'component_label': ''}, {'component_label': 'a b'}, {'component_label': 'a' * 64}, {'common_labels': {'a': None}},
    {'common_labels': {5: 'a'}}, {'slug_scheme': 'none'}])
def test_what_cannot_be_configured_is_refused_by_name(traits):
    name, = traits
    with pytest.raises(TraitError) as e:
        make_spawner(KubeSpawner, **traits)
    assert name in str(e.value)
