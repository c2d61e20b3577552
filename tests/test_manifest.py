"""`kubespawner manifest`: what it prints is what a start creates, and its exit codes are for scripts."""
import os
import re
import subprocess
import sys

import pytest
import yaml
from jupyterhub.app import JupyterHub

from kubespawner import KubeSpawner
from kubespawner.commands import console, documents, dry_run
from kubespawner.commands.cluster import Answer
from kubespawner.commands.rehearsal.placeholders import without_secrets
from tests import documentation
from tests.support.recording_api import RecordingApi

OURS = "c.JupyterHub.spawner_class = 'kubespawner.KubeSpawner'\n"

PROFILES = OURS + '''
c.KubeSpawner.profile_list = [
    {'display_name': 'Small', 'kubespawner_override': {'mem_limit': '1G'}},
    {'display_name': 'Large', 'kubespawner_override': {'mem_limit': '8G'}, 'profile_options': {'tools': {
        'choices': {'py': {'kubespawner_override': {'image': 'py'}}, 'r': {'kubespawner_override': {'image': 'r'}}},
        'unlisted_choice': {'enabled': True, 'kubespawner_override': {'image': '{value}'}}}}},
]
'''


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """`run(text, *arguments)` returns exit code, standard output and standard error for a configuration."""
    monkeypatch.chdir(str(tmp_path))
    for name in ('KUBECONFIG', 'KUBERNETES_SERVICE_HOST'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(KubeSpawner, 'pod_reflector', None)

    def call(text, *arguments):
        (tmp_path / 'jupyterhub_config.py').write_text(text)
        code = console.command(['manifest'] + list(arguments))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def objects(out):
    return list(yaml.safe_load_all(out))


def container(out):
    return [each for each in objects(out) if each['kind'] == 'Pod'][0]['spec']['containers'][0]


def env(out):
    return {each['name']: each.get('value') for each in container(out)['env']}


def test_it_prints_namespace_claim_and_pod_in_that_order_without_a_cluster(run):
    code, out, err = run(OURS + '''
c.KubeSpawner.enable_user_namespaces = True
c.KubeSpawner.storage_pvc_ensure = True
c.KubeSpawner.storage_capacity = '1Gi'
''', '--user', 'Bob@example', '--server', 'gpu')
    assert (code, err) == (0, '')
    assert [each['kind'] for each in objects(out)] == ['Namespace', 'PersistentVolumeClaim', 'Pod']
    namespace, claim, pod = objects(out)
    assert claim['metadata']['namespace'] == pod['metadata']['namespace'] == namespace['metadata']['name']
    assert pod['metadata']['annotations']['hub.jupyter.org/servername'] == 'gpu'


def test_it_prints_the_same_each_time(run):
    assert run(PROFILES, '--all-profiles')[1] == run(PROFILES, '--all-profiles')[1]


def test_tokens_and_secrets_are_placeholders(run):
    out = run(OURS + "c.KubeSpawner.environment = {'DB_PASSWORD': 'sesame-open', 'URL': 'db://u:sesame@h/'}\n")[1]
    assert env(out)['JUPYTERHUB_API_TOKEN'] == '<token>'
    assert env(out)['DB_PASSWORD'] == '<hidden>' and env(out)['URL'] == 'db://u:<hidden>@h/'


def test_texts_of_the_auth_state_are_placeholders(run, tmp_path):
    (tmp_path / 'state.json').write_text('{"user": {"access": "sesame-open"}, "team": "blue"}')
    out = run(OURS + '''
def hook(spawner, state):
    spawner.environment.update(GIT='x:' + state['user']['access'], TEAM=state['team'])
if hasattr(__import__('jupyterhub.spawner').spawner.Spawner, 'auth_state_hook'):
    c.KubeSpawner.auth_state_hook = hook
else:
    c.KubeSpawner.pre_spawn_hook = lambda spawner: hook(spawner, spawner.user.get_auth_state().result())
''', '--auth-state', 'state.json')[1]
    assert env(out)['GIT'] == 'x:<hidden>' and env(out)['TEAM'] == 'blue'


def test_the_data_of_a_secret_is_a_placeholder_and_still_base64():
    secret = {'kind': 'Secret', 'metadata': {'name': 's'}, 'data': {'ssl.key': 'a2V5'}, 'stringData': {'a': 'b'}}
    assert without_secrets(secret)['data'] == {'ssl.key': 'PGhpZGRlbj4='}
    assert without_secrets(secret)['stringData'] == {'a': '<hidden>'}
    assert secret['data'] == {'ssl.key': 'a2V5'}


# What goes with a pod

TLS = 'c.JupyterHub.internal_ssl = True\n'
SERVICE = 'c.KubeSpawner.services_enabled = True\n'
VARIABLES = """
c.KubeSpawner.environment = {'DB': 'sesame-open', 'URL': 'db at $(DB)', 'COPY': 'x sesame-open'}
c.KubeSpawner.secret_environment = ['DB']
"""
OF_USERS = """
c.KubeSpawner.enable_user_namespaces = True
c.KubeSpawner.storage_pvc_ensure = True
c.KubeSpawner.storage_capacity = '1Gi'
"""
CERTIFICATES = ['notebooks-ca_trust.crt', 'ssl.crt', 'ssl.key']
SECRET_VARIABLES = ['DB', 'JPY_API_TOKEN', 'JUPYTERHUB_API_TOKEN', 'hub.ready']

needs_internal_tls = pytest.mark.skipif(not hasattr(JupyterHub, 'internal_ssl'), reason='since JupyterHub 1.0')


@pytest.mark.parametrize('text, keys', [
    (SERVICE, None), (VARIABLES, SECRET_VARIABLES), (SERVICE + VARIABLES, SECRET_VARIABLES),
    pytest.param(TLS, CERTIFICATES, marks=needs_internal_tls),
    pytest.param(TLS + SERVICE + VARIABLES, SECRET_VARIABLES + CERTIFICATES, marks=needs_internal_tls)])
@pytest.mark.parametrize('namespaces', [[], ['Namespace', 'PersistentVolumeClaim']])
def test_what_goes_with_a_pod_comes_before_it_without_a_secret_text(run, text, keys, namespaces):
    code, out, err = run(OURS + text + (OF_USERS if namespaces else ''), '--server', 'gpu')
    assert (code, err) == (0, '') and 'sesame' not in out
    found = {each['kind']: each for each in objects(out)}
    kinds = ['Secret'] * bool(keys) + ['Service'] * (text != VARIABLES) + ['Pod']
    assert [each['kind'] for each in objects(out)] == namespaces + kinds
    for kind in kinds[:-1]:
        owner, = found[kind]['metadata']['ownerReferences']
        assert owner['name'] == found['Pod']['metadata']['name'] and owner['uid'] == '<uid>'
        assert found[kind]['metadata']['namespace'] == found['Pod']['metadata']['namespace']
    if keys:
        data = {re.sub(r'^(hub\.ready)\..*', r'\1', key): value for key, value in found['Secret']['data'].items()}
        assert data == {key: '' if key == 'hub.ready' else 'PGhpZGRlbj4=' for key in keys}


@needs_internal_tls
def test_pods_refer_to_certificates_as_in_a_hub(run):
    out = run(OURS + TLS + "c.KubeSpawner.secret_mount_path = '/certs'\n")[1]
    assert env(out)['JUPYTERHUB_SSL_KEYFILE'] == '/certs/ssl.key'
    assert env(out)['JUPYTERHUB_SSL_CLIENT_CA'] == '/certs/notebooks-ca_trust.crt'
    assert env(out)['JUPYTERHUB_API_URL'].startswith('https://')
    secret, pod = [each for each in objects(out) if each['kind'] in ('Secret', 'Pod')]
    names = {each['name']: each['secret']['secretName'] for each in pod['spec']['volumes'] if 'secret' in each}
    mounted = [each['mountPath'] for each in container(out)['volumeMounts'] if each['name'] in names]
    assert list(names.values()) == [secret['metadata']['name']] and mounted == ['/certs']


@needs_internal_tls
def test_no_key_is_made_and_no_file_stays(run, tmp_path, monkeypatch):
    elsewhere = tmp_path / 'temporary'
    elsewhere.mkdir()
    monkeypatch.setattr('tempfile.tempdir', str(elsewhere))
    code, out, err = run(OURS + TLS + """
c.JupyterHub.internal_certs_location = 'certificates'
c.KubeSpawner.profile_list = [
    {'display_name': 'A', 'kubespawner_override': {'namespace': 'elsewhere'}},
    {'display_name': 'B', 'kubespawner_override': {'pod_name_template': '{username}-other'}},
    {'display_name': 'C', 'kubespawner_override': {'mem_limit': 'lots'}}]
""", '--user', 'a/b', '--all-profiles')
    assert code == 2 and 'profile c: ' in err and out.count('kind: Secret') == 2
    assert sorted(os.listdir(str(tmp_path))) == ['jupyterhub_config.py', 'temporary'] and not os.listdir(str(elsewhere))


@needs_internal_tls
def test_a_subclass_makes_certificates_as_in_a_hub(run):
    text = OURS + TLS + """
from kubespawner import KubeSpawner
class Mine(KubeSpawner):
    async def create_certs(self):
        paths = await super().create_certs()
        self.environment['MADE'] = ','.join(sorted(paths))
        return paths
    async def move_certs(self, paths):
        self.environment['MOVED'] = open(paths['keyfile']).read()
        return await super().move_certs(paths)
c.JupyterHub.spawner_class = Mine
"""
    code, out, err = run(text)
    assert (code, err) == (0, '')
    assert env(out)['MADE'] == 'cafile,certfile,keyfile' and env(out)['MOVED'] == '<hidden>'
    code, out, err = run(text.replace("self.environment['MADE'] =", 'self.nope ='). replace(
        'return paths', 'return self.no_paths', 1))
    assert code == 2 and re.search('line 9, in create_certs: create_certs failed: AttributeError: .*no_paths', err)


@needs_internal_tls
def test_what_goes_with_a_pod_does_not_differ_from_itself(run, tmp_path):
    text = TLS + SERVICE + VARIABLES
    (tmp_path / 'before.yaml').write_text(run(OURS + text)[1])
    assert run(OURS + text, '--diff', 'before.yaml') == (0, '', '')


def test_a_secret_of_a_hook_is_hidden_without_its_kind_and_its_texts_stay_elsewhere(run):
    out = run(OURS + """
def before(spawner):
    spawner.environment['WHO'] = 'jupyterhub'
    spawner.api.create_namespaced_secret('default', {
        'metadata': {'name': 'of-hook'}, 'data': {'user': 'anVweXRlcmh1Yg=='}}, _preload_content=False)
c.KubeSpawner.pre_spawn_hook = before
""")[1]
    assert env(out)['WHO'] == 'jupyterhub' and objects(out)[0]['data'] == {'user': 'PGhpZGRlbj4='}


def test_a_secret_that_is_also_an_ordinary_word_changes_no_name(run):
    out = run(OURS + "c.KubeSpawner.environment = {'AUTH_KEY': 'notebook'}\n")[1]
    assert container(out)['name'] == 'notebook'


@pytest.mark.parametrize('text', ['1e3', '0o17', '0x1f', '1_000', '+1', '.5', 'yes', 'null', '~', '12:30:45', '',
                                  'a: b', '- x', '2018-01-01', 'two\nlines', 'blank \nat the end'])
def test_strings_stay_strings(text):
    dumped = documents.dump([{'value': text}])
    assert yaml.safe_load(dumped) == {'value': text}
    if text[:1] in '+.012':
        assert "'" in dumped


def test_what_the_configuration_prints_is_not_in_the_output(run):
    code, out, err = run(OURS + 'print("hello")\nc.KubeSpawner.pre_spawn_hook = lambda spawner: print("there")\n')
    assert code == 0 and objects(out) and err == 'hello\nthere\n'


@pytest.mark.parametrize('arguments, image', [
    ([], None), (['--profile', 'large'], 'py'), (['--profile', 'large', '--option', 'tools=r'], 'r'),
    (['--profile', 'large', '--option', 'tools=my/own:1'], 'my/own:1'), (['--profile', 'Large'], 'py')])
def test_a_profile_is_chosen_as_a_user_does(run, arguments, image):
    code, out, _ = run(PROFILES, *arguments)
    assert code == 0 and container(out)['image'] == (image or KubeSpawner.singleuser_image_spec.default_value)


def test_all_profiles_are_each_choice_once(run):
    titles = [line for line in run(PROFILES, '--all-profiles')[1].splitlines() if line.startswith('#')]
    assert titles == ['# server of ann, profile small', '# server of ann, profile large',
                      '# server of ann, profile large, tools r']


def test_a_profile_that_cannot_be_started_leaves_the_others(run):
    code, out, err = run(PROFILES.replace("'image': 'r'", "'mem_limit': 'lots'"), '--all-profiles')
    assert code == 2 and out.count('kind: Pod') == 2
    assert err.count('profile large, tools r: ') == 1 and 'lots' in err


PROFILES_OF_KINDS = ['{list}', 'lambda spawner: {list}', 'listed', 'awaited']


@pytest.mark.parametrize('kind', PROFILES_OF_KINDS)
def test_profiles_may_be_a_list_a_function_or_a_coroutine(run, kind):
    listed = "[{'display_name': 'One ' + str(1), 'kubespawner_override': {'image': 'one'}}]"
    code, out, err = run('''
from tornado import gen
@gen.coroutine
def listed(spawner):
    yield gen.moment
    raise gen.Return(%s)
async def awaited(spawner):
    return await listed(spawner)
''' % listed + OURS + 'c.KubeSpawner.profile_list = ' + kind.format(list=listed))
    assert (code, err) == (0, '') and container(out)['image'] == 'one'


def test_hooks_find_what_they_find_in_a_hub(run, tmp_path):
    (tmp_path / 'state.json').write_text('{"team": "blue"}')
    code, out, err = run(OURS + '''
async def before(spawner):
    user, handler = spawner.user, spawner.handler
    state = await user.get_auth_state()
    spawner.environment.update(
        GROUPS=','.join(group.name for group in user.groups), ADMIN=str(user.admin), TEAM=state['team'],
        OPTION=spawner.user_options['color'], ADDRESS=handler.request.remote_ip, WHO=handler.current_user.name,
        MISSING=handler.get_argument('color', 'none'), STATE=str(spawner.orm_spawner.state), HUB=spawner.hub.base_url)
c.KubeSpawner.pre_spawn_hook = before
''', '--group', 'g1', '--group', 'g2', '--admin', '--auth-state', 'state.json', '--option', 'color=red')
    assert code == 0, err
    found = env(out)
    assert found['GROUPS'] == 'g1,g2' and found['ADMIN'] == 'True' and found['TEAM'] == 'blue'
    assert found['OPTION'] == 'red' and found['WHO'] == 'ann' and found['MISSING'] == 'none'


def test_what_hooks_create_in_kubernetes_is_printed_and_not_created(run):
    code, out, err = run('''
from kubernetes import client, config
config.load_incluster_config()
core = client.CoreV1Api()
''' + OURS + '''
def before(spawner):
    body = {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'of-hook'}, 'data': {'a': '1'}}
    core.create_namespaced_config_map('ns', body, _preload_content=False)
c.KubeSpawner.pre_spawn_hook = before
''')
    assert (code, err) == (0, '')
    assert [each['kind'] for each in objects(out)] == ['ConfigMap', 'Pod']
    assert objects(out)[0]['metadata']['namespace'] == 'ns'


def test_a_subclass_in_the_file_starts_as_it_does_in_a_hub(run):
    code, out, err = run('''
from kubespawner import KubeSpawner
class Mine(KubeSpawner):
    async def start(self):
        self.environment = {'OF': 'start'}
        return await super().start()
c.JupyterHub.spawner_class = Mine
c.Mine.singleuser_image_spec = 'mine'
''')
    assert (code, err) == (0, '') and env(out)['OF'] == 'start' and container(out)['image'] == 'mine'


def test_methods_in_the_file_are_called_as_in_a_hub(run, tmp_path):
    (tmp_path / 'state.json').write_text('{"team": "blue"}')
    code, out, err = run(OURS + '''
from kubespawner import KubeSpawner
from jupyterhub.auth import Authenticator
class Mine(KubeSpawner):
    def _expand_user_properties(self, template):
        return super()._expand_user_properties(template.replace('{team}', 'red'))
    async def load_user_options(self):
        await super().load_user_options()
        self.environment = dict(self.environment, LOADED='yes')
class Knows(Authenticator):
    async def pre_spawn_start(self, user, spawner):
        spawner.environment['TEAM'] = (await user.get_auth_state())['team']
c.JupyterHub.spawner_class, c.JupyterHub.authenticator_class = Mine, Knows
c.KubeSpawner.pod_name_template = '{team}-{username}'
''', '--auth-state', 'state.json')
    assert code == 0, err
    assert env(out)['TEAM'] == 'blue' and env(out)['LOADED'] == 'yes' and 'name: red-ann' in out


def test_a_file_that_loads_others_is_read_as_in_a_hub(run, tmp_path):
    (tmp_path / 'more.py').write_text("c.KubeSpawner.image = 'of-sub'\n")
    code, out, _ = run(OURS + "load_subconfig('more.py')\n")
    assert code == 0 and container(out)['image'] == 'of-sub'


BROKEN = [
    ('a = 1\n\nfoo(', r'jupyterhub_config.py, line 3: SyntaxError: '),
    ('\nx = nothing\n', r"jupyterhub_config.py, line 2: NameError: name 'nothing' is not defined"),
    ('import os\nos.environ["NOT_HERE"]\n', r"line 2: the environment variable 'NOT_HERE' is not set here"),
    ('import sys\nsys.exit(3)', r'line 2: the file ends the hub with sys.exit\(3\)'),
    ('open("rel/file")', r'line 1: FileNotFoundError: .*The path is relative: run the command in the directory'),
    ('import no_such_package', r"line 1: ModuleNotFoundError: No module named 'no_such_package'. The command needs"),
    ('c.JupyterHub.spawner_class = "nope.Nope"', r"'nope.Nope' could not be imported"),
    ('', r'spawner_class is jupyterhub.spawner.LocalProcessSpawner, the default, which is not a KubeSpawner'),
    ('c.JupyterHub.port = "x"', r"The 'port' trait of a JupyterHub instance"),
    (OURS + 'c.KubeSpawner.mem_limit = "lots"', r'KubeSpawner.mem_limit: .*\n.*the hub would not start'),
    (OURS + 'c.KubeSpawner.profile_list = lambda spawner: [{"slug": 1}]', r'KubeSpawner.profile_list: .*slug'),
    (OURS + 'def hook(s):\n    return s.user.nope\nc.KubeSpawner.pre_spawn_hook = hook',
     r"line 3, in hook: pre_spawn_hook failed: AttributeError: .*nope"),
    (OURS + 'c.KubeSpawner.auth_state_hook = lambda s, state: state["x"]',
     r"line 2: auth_state_hook failed: TypeError: .*--auth-state FILE"),
    (OURS + 'def hook(s, pod):\n    pod.spec.nope.x = 1\nc.KubeSpawner.modify_pod_hook = hook',
     r'line 3, in hook: KubeSpawner.modify_pod_hook raised AttributeError'),
    (OURS + 'def hook(s):\n    s.api.read_namespaced_secret("a", "b")\nc.KubeSpawner.pre_spawn_hook = hook',
     r'line 3, in hook: pre_spawn_hook failed: .*404 .*secrets ..?a..? not found.*This command asks no cluster'),
    (OURS + 'c.KubeSpawner.pod_name_template = "{nope}"', r'KubeSpawner.pod_name_template: .*nope'),
]


@pytest.mark.parametrize('text, told', BROKEN)
def test_a_broken_configuration_is_told_in_a_line_without_a_traceback(run, text, told):
    if 'auth_state_hook' in text and not hasattr(KubeSpawner, 'auth_state_hook'):
        pytest.skip('this JupyterHub has no such hook')
    if sys.version_info < (3, 6, 9) and 'import no' in text:
        pytest.skip('another error')
    code, out, err = run(text)
    assert (code, out) == (2, '')
    assert re.search(told, err), err
    assert 'Traceback' not in err and ' at 0x' not in err


def test_a_file_that_is_not_there_is_told(run):
    code, out, err = run('', '-f', 'other.py')
    assert (code, out) == (2, '') and err.startswith('kubespawner manifest: other.py: the file does not exist. The cur')


def test_no_differences_are_exit_code_0_and_differences_1(run, tmp_path):
    (tmp_path / 'before.yaml').write_text(run(PROFILES, '--all-profiles')[1])
    assert run(PROFILES, '--diff', 'before.yaml') == (0, '', '')
    code, out, _ = run(PROFILES.replace("'8G'", "'9G'").replace('Small', 'Tiny'), '--diff', 'before.yaml')
    assert code == 1
    heads = [line for line in out.splitlines() if line.startswith('#')]
    assert heads == [
        '# server of ann, profile tiny (new)', '# server of ann, profile large',
        '# server of ann, profile large, tools r',
        '# server of ann, profile small (no longer there)']
    assert '+        memory: 9663676416\n' in out and '-        memory: 8589934592\n' in out


def test_a_file_that_is_no_output_is_told(run, tmp_path):
    (tmp_path / 'before.yaml').write_text('a: [')
    assert run(OURS, '--diff', 'before.yaml')[::2] == (
        2, 'kubespawner manifest: --diff before.yaml: it is not YAML: while parsing a flow node expected the node '
           'content, but found \'<stream end>\' in "<unicode string>", line 1, column 5: a: [ ^\n')


# Differences to a cluster

KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://127.0.0.1:%d"}}]
users: [{name: u, user: {token: sesame}}]
contexts: [{name: staging, context: {cluster: c, user: u}}, {name: production, context: {cluster: c, user: u}}]
"""


@pytest.fixture
def kubeconfig(tmp_path, monkeypatch):
    """`kubeconfig(text)` makes this the content of the kubeconfig."""
    path = tmp_path / 'kubeconfig'
    monkeypatch.setenv('KUBECONFIG', str(path))
    return path.write_text


def test_a_name_of_neither_a_file_nor_a_context_is_told_with_the_contexts(run, kubeconfig, tmp_path):
    kubeconfig(KUBECONFIG % 1)
    assert run(OURS, '--diff', 'stagign') == (2, '', (
        'kubespawner manifest: --diff stagign: there is neither a file nor a context of this name. The contexts of the '
        'kubeconfig %s: staging, production\n' % (tmp_path / 'kubeconfig')))


@pytest.mark.parametrize('text, told', [
    ('', r'The contexts of the kubeconfig \S+/kubeconfig: none'),
    ('contexts: [', r'kubeconfig cannot be read as a kubeconfig \(ParserError\)'),
    ('- contexts', r'kubeconfig cannot be read as a kubeconfig \(AttributeError\)')])
def test_a_kubeconfig_without_contexts_is_told(run, kubeconfig, text, told):
    kubeconfig(text)
    code, out, err = run(OURS, '--diff', 'staging')
    assert (code, out) == (2, '') and re.search(told, err)


def test_contexts_are_those_of_all_files_of_the_kubeconfig(run, kubeconfig, tmp_path, monkeypatch):
    kubeconfig(KUBECONFIG % 1)
    (tmp_path / 'more').write_text('contexts: [{name: more}]')
    monkeypatch.setenv('KUBECONFIG', os.pathsep.join(['kubeconfig', 'missing', 'more']))
    assert run(OURS, '--diff', 'x')[2].endswith(': staging, production, more\n')


def test_a_file_has_precedence_over_a_context_and_a_directory_has_not(run, kubeconfig, tmp_path):
    kubeconfig(KUBECONFIG % 1)
    (tmp_path / 'staging').write_text(run(OURS)[1])
    assert run(OURS, '--diff', 'staging') == (0, '', '')
    (tmp_path / 'production').mkdir()
    code, out, err = run(OURS, '--diff', 'production')
    assert (code, out) == (2, '') and 'Connection refused' in err


def test_what_the_cluster_of_a_context_does_not_have_is_new_as_a_whole(run, kubeconfig):
    with RecordingApi() as api:
        kubeconfig(KUBECONFIG % api.server_port)
        code, out, err = run(PROFILES, '--diff', 'staging', '--profile', 'small')
    assert (code, err, api.created) == (1, '', [])
    assert out.splitlines()[:4] == [
        '# server of ann, profile small', '--- Pod jupyter-ann in namespace default, is not there',
        '+++ Pod jupyter-ann in namespace default, after a start', out.splitlines()[3]]
    assert [each for each in out.splitlines()[4:] if not each.startswith('+')] == []


def test_what_may_not_be_read_makes_the_exit_code_2(run, kubeconfig, monkeypatch):
    kubeconfig(KUBECONFIG % 1)
    monkeypatch.setattr('kubespawner.commands.cluster.Cluster.get', lambda self, path: Answer(403, {}, []))
    code, out, err = run(OURS, '--diff', 'staging')
    assert (code, out) == (2, '') and 'resources: ["pods"], verbs: ["get"]' in err


# What an API server says

def test_what_the_server_fills_in_is_not_told_and_what_it_changes_is():
    sent = {'spec': {'a': '1000m', 'unknown': 1, 'list': [{'x': 1}], 'gone': [1]}}
    answered = {'spec': {'a': '1', 'dnsPolicy': 'ClusterFirst', 'list': [{'x': 2}, {'y': 1}], 'gone': [],
                         'priority': 5}, 'status': {'phase': 'Pending'}}
    assert list(dry_run.changes(sent, answered)) == [
        'dropped: spec.gone[0]', 'changed: spec.list[0].x: 1 to 2', "added: spec.list[1]: {'y': 1}",
        'added: spec.priority: 5', 'dropped: spec.unknown, a field that the server does not know']


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path):
    (tmp_path / 'c.py').write_text(PROFILES)
    code = 'import sys; from kubespawner.commands.console import command; sys.exit(command())'
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    process = subprocess.Popen([sys.executable, '-c', code, 'manifest', '-f', str(tmp_path / 'c.py'), '--all-profiles'],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(
                                   os.environ, PYTHONPATH=root, PYTHONWARNINGS='ignore'))  # of libraries
    process.stdout.close()
    assert process.stderr.read() == b''
    process.stderr.close()
    assert process.wait() == console.PIPE_CLOSED


def test_the_documentation_shows_what_is_printed(run):
    code, out, err = run(documentation.block('python', "c.KubeSpawner.namespace = 'users'"), '--user', 'ann')
    assert (code, err) == (0, '')
    assert out.startswith(documentation.block('yaml', '# server of ann, the default').rstrip() + '\n')


@pytest.mark.parametrize('more, is_refused', [('', True), ('c.KubeSpawner.options_form = lambda spawner: ""', False)])
def test_a_profile_is_refused_if_there_are_none_and_nothing_can_offer_any(run, more, is_refused):
    code, printed, errors = run('c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"\n' + more, '--profile', 'gpu')
    assert (code == 2) == is_refused == ('--profile gpu' in errors and 'no profile_list' in errors) == (not printed)


def test_a_user_without_a_name_is_refused(run, capsys):
    with pytest.raises(SystemExit) as e:
        run('', '--user', '')
    assert e.value.code == 2 and 'a user must have a name' in capsys.readouterr().err
