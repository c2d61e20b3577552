"""`kubespawner doctor`: broken set-ups are named, each in a sentence with what to do, and sound ones are not."""
import json

import pytest
from jupyterhub.app import JupyterHub

from kubespawner import KubeSpawner
from kubespawner.commands import console
from kubespawner.commands.cluster import Answer, Cluster, NoAnswer
from kubespawner.commands.doctor import hub, installation, main, objects, rights, room, with_pod
from kubespawner.commands.doctor.findings import BROKEN, FINE, UNKNOWN, WARNING
from tests import documentation

OURS = '''
c.JupyterHub.spawner_class = 'kubespawner.KubeSpawner'
c.JupyterHub.hub_ip = '0.0.0.0'
c.KubeSpawner.hub_connect_ip = '127.1.2.3.example.invalid'
c.KubeSpawner.image = 'example.org/image:1'
c.KubeSpawner.namespace = 'ns'
'''
UNMOUNTED = OURS + "c.KubeSpawner.storage_pvc_ensure = True\nc.KubeSpawner.storage_capacity = '1Gi'\n"
VOLUME = "c.KubeSpawner.volumes = [{'name': 'home', 'persistentVolumeClaim': {'claimName': '{pvc_name}'}}]\n"
CLAIM = UNMOUNTED + VOLUME + "c.KubeSpawner.volume_mounts = [{'name': 'home', 'mountPath': '/home/jovyan'}]\n"
LIMITED = OURS + "c.KubeSpawner.cpu_limit = 2\nc.KubeSpawner.mem_limit = '2G'\n"

NS = '/api/v1/namespaces/ns'
NODE = {'metadata': {'name': 'n1', 'labels': {'pool': 'a'}},
        'status': {'allocatable': {'cpu': '4', 'memory': '8Gi'}}}
DEFAULT_CLASS = {'metadata': {'name': 'std', 'annotations': {'storageclass.kubernetes.io/is-default-class': 'true'}}}


def items(*found):
    return {'items': list(found)}


class FakeCluster:
    """An API server that answers GETs from a dict by path: a body, or a status. Whatever else is asked is missing.

    refused (set of str): `verb resource` of rights that the hub lacks. asked (list): of which rights, as
    (group, resource, verb, namespace). posted: what was posted otherwise.
    """

    host = 'https://api.example.org'

    def __init__(self, objects=(), refused=(), answers=None):
        self.objects = dict({NS: {}, '/api/v1/nodes': items(NODE), NS + '/resourcequotas': items(),
                             '/apis/storage.k8s.io/v1/storageclasses': items(DEFAULT_CLASS)}, **dict(objects))
        self.refused, self.answers, self.asked, self.posted, self.deleted = set(refused), answers, [], [], []

    def version(self):
        return 1, 30

    def is_localkube(self):
        return False

    def get(self, path, **query):
        found = self.objects.get(path)
        if isinstance(found, int):
            return Answer(found, {}, [])
        if found is None:
            return Answer(404, {'message': '%s not found' % path, 'details': {'name': 'x'}}, [])
        return Answer(200, found, [])

    def post(self, path, body, **query):
        if path == rights.REVIEWS:
            asked = body['spec']['resourceAttributes']
            self.asked.append((asked['group'], asked['resource'], asked['verb'], asked.get('namespace')))
            allowed = '%s %s' % (asked['verb'], asked['resource']) not in self.refused
            return Answer(201, {'status': {'allowed': allowed}}, [])
        self.posted.append((path, body, query))
        return self.answers or Answer(201, body, [])

    def delete(self, path):
        self.deleted.append(path)


@pytest.fixture
def doctor(tmp_path, monkeypatch, capsys):
    """`doctor(text, cluster, *arguments)` returns the exit code and the findings, as dicts."""
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.delenv('KUBERNETES_SERVICE_HOST', raising=False)
    monkeypatch.setenv('KUBECONFIG', str(tmp_path / 'none'))
    monkeypatch.setattr(KubeSpawner, 'pod_reflector', None)

    def call(text, cluster=None, *arguments):
        (tmp_path / 'jupyterhub_config.py').write_text(text)
        if cluster is not None:
            monkeypatch.setattr(main, 'Cluster', lambda *args, **settings: cluster)
        code = console.command(['doctor', '--json'] + list(arguments))
        out = json.loads(capsys.readouterr().out)
        assert out['broken'] == len([each for each in out['findings'] if each['level'] == BROKEN])
        assert code == (1 if out['broken'] else 0)
        return code, out['findings']

    return call


def of_level(findings, *levels):
    return ['%s: %s %s' % (each['check'], each['sentence'], each['advice']) for each in findings
            if each['level'] in levels]


def test_nothing_is_broken_in_a_sound_set_up_and_nothing_is_created(doctor):
    cluster = FakeCluster()
    code, findings = doctor(CLAIM, cluster)
    assert code == 0 and {each['level'] for each in findings} <= {FINE, WARNING}
    assert of_level(findings, WARNING) == [each for each in of_level(findings, WARNING) if each.startswith('hub: ')]
    assert cluster.posted and all(query == {'dryRun': 'All'} for _, _, query in cluster.posted)


@pytest.mark.parametrize('text, is_told', [(UNMOUNTED, True), (UNMOUNTED + VOLUME, True), (CLAIM, False)])
def test_a_claim_that_no_container_mounts_is_told(doctor, text, is_told):
    code, findings = doctor(text, None, '--offline')
    told = [each for each in of_level(findings, WARNING) if each.startswith('claims: ')]
    assert code == 0 and len(told) == is_told
    assert all('claim-ann' in each and '{pvc_name}' in each for each in told)


SERVICE = 'c.KubeSpawner.services_enabled = True\n'
VARIABLES = 'c.KubeSpawner.secret_environment = []\n'
TLS = 'c.JupyterHub.internal_ssl = True\n'
PROXY = "c.JupyterHub.proxy_class = 'kubespawner.proxy.KubeIngressProxy'\n"
PROFILE = """
c.KubeSpawner.profile_list = [
    {'display_name': 'A'}, {'display_name': 'B', 'kubespawner_override': {'services_enabled': True}}]
"""
POLICY = """
from kubernetes import client, config
config.load_incluster_config()
def before(spawner):
    client.NetworkingV1Api().create_namespaced_network_policy('ns', {
        'metadata': {'name': 'closed'}, 'spec': {'podSelector': {}}}, _preload_content=False)
c.KubeSpawner.pre_spawn_hook = before
"""
CLASSES = '/apis/networking.k8s.io/v1/ingressclasses'
CLASS = {'metadata': {'name': 'web'}}
DEFAULT_INGRESS_CLASS = {'metadata': {'name': 'web', 'annotations': {
    'ingressclass.kubernetes.io/is-default-class': 'true'}}}

QUOTA = {'metadata': {'name': 'q'}, 'status': {'hard': {'pods': '5'}, 'used': {'pods': '5'}}}

# A configuration, objects of the cluster, rights that are missing; what is told as broken, and what to do.
BROKEN_SET_UPS = [
    # The configuration
    ('x = (', {}, '', 'line 1: SyntaxError', ''),
    ('c.JupyterHub.spawner_class = "simple.Spawner"', {}, '', 'could not be imported', ''),
    ('', {}, '', 'is not a KubeSpawner', "Set c.JupyterHub.spawner_class = 'kubespawner.KubeSpawner'."),
    (OURS + 'c.KubeSpawner.cpu_limit = -1', {}, '', 'KubeSpawner.cpu_limit is -1', ''),
    (OURS + 'c.KubeSpawner.mem_guarantee = "2G"\nc.KubeSpawner.mem_limit = "1G"', {}, '',
     'KubeSpawner.mem_guarantee is more than KubeSpawner.mem_limit', ''),
    (OURS + 'c.KubeSpawner.profile_list = [{"display_name": "A", "kubespawner_override": {"mem_limit": "x"}}]', {}, '',
     'profile a: ', ''),
    (OURS + 'c.KubeSpawner.profile_list = lambda spawner: 1 / 0', {}, '', 'line 7: ZeroDivisionError', ''),
    (OURS + 'c.KubeSpawner.storage_pvc_ensure = True', {}, '', 'KubeSpawner.user_storage_capacity', 'set it'),
    (OURS + 'c.KubeSpawner.modify_pod_hook = lambda spawner, pod: None', {}, '', 'modify_pod_hook', ''),
    (OURS + 'c.KubeSpawner.pre_spawn_hook = lambda spawner: spawner.user.team', {}, '', 'pre_spawn_hook failed', ''),
    (OURS + 'c.KubeSpawner.extra_pod_config = {"nodeSelektor": 1}', {}, '', 'nodeSelektor', ''),
    (OURS + 'c.KubeSpawner.pod_name_template = "{who}"', {}, '', 'KubeSpawner.pod_name_template', ''),
    ('c.JupyterHub.spawner_class = "kubespawner.KubeSpwaner"', {}, '',
     "JupyterHub.spawner_class: 'kubespawner.KubeSpwaner' could not be imported. Is it spelled right", ''),
    ('c.JupyterHub.authenticator_class = "no.Such"', {}, '', "JupyterHub.authenticator_class: 'no.Such'", ''),
    ('exit()', {}, '', 'the file ends the hub with sys.exit().', ''),
    (OURS + 'c.KubeSpawner.port = 99999', {}, '', 'all: jupyterhub_config.py: The value of the ', ''),
    # Pods, whatever makes them so
    (OURS + 'c.KubeSpawner.volumes = [{"name": "v", "emptyDir": {}}] * 2', {}, '',
     'Two volumes of the pod have the name v', 'c.KubeSpawner.volumes'),
    (OURS + 'c.KubeSpawner.volumes = [{"name": "v", "emptyDir": {}, "hostPath": {"path": "/x"}}]', {}, '',
     'The volume v is several things at once: emptyDir, hostPath.', ''),
    (OURS + 'c.KubeSpawner.volume_mounts = [{"name": "home", "mountPath": "/home"}]', {}, '',
     'The container notebook mounts the volume home, which the pod does not have.', 'c.KubeSpawner.volumes'),
    (OURS + 'c.KubeSpawner.volumes = [{"name": n, "emptyDir": {}} for n in "ab"]\n'
     'c.KubeSpawner.volume_mounts = [{"name": n, "mountPath": "/x"} for n in "ab"]', {}, '',
     'The container notebook mounts two volumes at /x.', 'Choose another'),
    (OURS + 'c.KubeSpawner.extra_containers = [{"name": "notebook", "image": "x"}]', {}, '',
     'Two containers of the pod have the name notebook.', 'Rename'),
    (OURS + 'c.KubeSpawner.init_containers = [{"image": "x"}]', {}, '',
     'A container with the image x has no name.', ''),
    (OURS + 'c.KubeSpawner.image = "https://example.org/image:1"', {}, '', 'a name that no node can pull',
     'https://'),
    (OURS + 'c.KubeSpawner.image = "example.org/Image:1"', {}, '', 'a name that no node can pull', 'lower case'),
    (OURS + 'c.KubeSpawner.init_containers = [{"name": "i", "image": "a:1:2"}]', {}, '',
     'The container i has the image', ''),
    (LIMITED + 'c.KubeSpawner.profile_list = [{"display_name": "A"}, {"display_name": "B", "kubespawner_override": '
     '{"cpu_guarantee": 3}}]', {}, '', 'profile b: The container notebook is guaranteed more cpu than its limit',
     'Lower'),
    (OURS + 'c.KubeSpawner.extra_container_config = {"env": [{"name": "JUPYTERHUB_API_TOKEN", "value": "mine"}]}', {},
     '', 'a JUPYTERHUB_API_TOKEN that is not the token of its server', 'Remove it'),
    (OURS + 'c.KubeSpawner.extra_pod_config = {"terminationGracePeriodSeconds": "soon"}', {}, '',
     'spec.terminationGracePeriodSeconds is of the type str; it must be a whole number.', ''),
    (OURS + 'c.KubeSpawner.extra_pod_config = {"tolerations": {"key": "a"}}', {}, '',
     'spec.tolerations is of the type dict; it must be a list.', ''),
    (OURS + 'c.KubeSpawner.extra_container_config = {"envFrom": [{"secretRef": "s"}]}', {}, '',
     'spec.containers[0].envFrom[0].secretRef is of the type str; it must be a dict.', ''),
    (OURS + 'c.KubeSpawner.extra_pod_config = {"hostAliases": [{"ip": "192.0.2.1", "hostnames": [1]}]}', {}, '',
     'spec.hostAliases[0].hostnames[0] is of the type int; it must be a string.', ''),
    (OURS + 'c.KubeSpawner.extra_pod_config = {"hostNetwork": "yes"}', {}, '', 'it must be True or False.', ''),
    # The hub
    (OURS + 'c.KubeSpawner.hub_connect_ip = "http://hub"', {}, '', 'which is no URL of a hub.', 'without http://'),
    (OURS + 'c.KubeSpawner.hub_connect_ip = "hub/x"', {}, '', 'which is no URL of a hub.', 'without http://'),
    (OURS + 'c.KubeSpawner.hub_connect_ip = "127.0.0.1"', {}, '', 'which is the pod itself', 'hub_connect_ip'),
    (OURS + 'c.JupyterHub.hub_ip = "127.0.0.1"', {}, '', 'The hub listens on 127.0.0.1 only', "= '0.0.0.0'"),
    (OURS + 'c.KubeSpawner.namespace = "no_such"', {}, '', 'all: jupyterhub_config.py: KubeSpawner.namespace must', ''),
    # Rights
    (OURS, {}, 'delete pods', 'may not delete pods in namespace ns.', 'resources: ["pods"], verbs: ["delete"]}'),
    (OURS, {}, 'get pods,watch pods', 'may not get or watch pods', 'verbs: ["get", "watch"]}'),
    (CLAIM, {}, 'create persistentvolumeclaims', 'which user_storage_pvc_ensure needs', 'to the rules of its Role'),
    (CLAIM, {}, 'list persistentvolumeclaims', 'which remember_pvc_name needs', '["list"]'),
    (OURS + 'c.KubeSpawner.enable_user_namespaces = True', {}, 'create namespaces', 'may not create namespaces',
     'rules of its ClusterRole'),
    (OURS + SERVICE, {}, 'get services', 'which services_enabled needs',
     '- {apiGroups: [""], resources: ["services"], verbs: ["get"]}'),
    (OURS + VARIABLES, {}, 'get secrets,create secrets,delete secrets', 'which secret_environment needs',
     '- {apiGroups: [""], resources: ["secrets"], verbs: ["get", "create", "delete"]}'),
    (OURS + PROFILE, {}, 'delete services', 'which services_enabled needs',
     'resources: ["services"], verbs: ["delete"]}'),
    (OURS + POLICY, {}, 'create networkpolicies', 'may not create networkpolicies in namespace ns',
     '- {apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs: ["create"]}'),
    (OURS + PROXY, {}, 'patch ingresses,watch ingresses', 'which KubeIngressProxy needs',
     '- {apiGroups: ["networking.k8s.io"], resources: ["ingresses"], verbs: ["watch", "patch"]}'),
    (OURS + PROXY, {}, 'list endpoints', 'may not list endpoints', '- {apiGroups: [""], resources: ["endpoints"]'),
    (OURS + PROXY + 'c.KubeIngressProxy.namespace = "routes"', {}, '', 'The namespace routes does not exist', ''),
    # Objects
    (OURS, {NS: None}, '', 'namespace ns does not exist', 'kubectl create namespace ns'),
    (OURS, {NS: {'status': {'phase': 'Terminating'}}}, '', 'namespace ns is being deleted', ''),
    (OURS + 'c.KubeSpawner.service_account = "nobody"', {}, '', 'service account nobody in namespace ns, which',
     'kubectl create serviceaccount nobody -n ns'),
    (OURS + 'c.KubeSpawner.image_pull_secrets = ["reg"]', {}, '', 'pull secret reg', 'docker-registry reg -n ns'),
    (OURS + 'c.KubeSpawner.image_pull_secrets = ["reg"]', {NS + '/secrets/reg': {'type': 'Opaque'}}, '',
     'is of the type Opaque', 'docker-registry'),
    (OURS + 'c.KubeSpawner.priority_class_name = "high"', {}, '', 'priority class high', 'kubectl get priorityclasses'),
    (OURS + 'c.KubeSpawner.extra_pod_config = {"runtimeClassName": "gvisor"}', {}, '', 'runtime class gvisor', ''),
    (OURS + 'c.KubeSpawner.volumes = [{"name": "v", "configMap": {"name": "conf"}}]', {}, '', 'config map conf', ''),
    (OURS + 'c.KubeSpawner.volumes = [{"name": "v", "secret": {"secretName": "s"}}]', {}, '', 'The secret s', ''),
    (OURS + 'c.KubeSpawner.volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]', {}, '',
     'The claim data in namespace ns', ''),
    (OURS + 'c.KubeSpawner.environment = {"A": {"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}}',
     {NS + '/secrets/s': {'data': {'other': ''}}}, '', 'variable A names, has no key k', ''),
    (OURS + 'c.KubeSpawner.extra_container_config = {"envFrom": [{"configMapRef": {"name": "conf"}}]}', {}, '',
     'config map conf in namespace ns, which envFrom names', ''),
    # Storage and room
    (CLAIM + 'c.KubeSpawner.storage_class = "fast"', {}, '', 'storage class fast', 'kubectl get storageclasses'),
    (CLAIM, {'/apis/storage.k8s.io/v1/storageclasses': items()}, '', 'there is no default one', 'user_storage_class'),
    (OURS + 'c.KubeSpawner.node_selector = {"pool": "b"}', {}, '', 'not labelled pool=b', '--autoscaler'),
    (OURS + 'c.KubeSpawner.mem_guarantee = "9G"', {}, '', '1: too little memory', ''),
    (OURS + 'c.KubeSpawner.extra_resource_limits = {"nvidia.com/gpu": "1"}', {}, '', 'too little nvidia.com/gpu', ''),
    (OURS, {'/api/v1/nodes': items(dict(NODE, spec={'taints': [{'key': 'users', 'effect': 'NoSchedule'}]}))}, '',
     'tainted users', ''),
    (OURS, {'/api/v1/nodes': items(dict(NODE, spec={'unschedulable': True}))}, '', 'cordoned', ''),
    (OURS + 'c.KubeSpawner.node_affinity_required = [{"matchExpressions": [{"key": "pool", "operator": "In", '
     '"values": ["b"]}]}]', {}, '', 'required node affinity', ''),
    (OURS, {NS + '/resourcequotas': items(QUOTA)}, '', 'more pods than the quota q leaves: 5 of 5', 'Stop servers'),
    (OURS, {NS + '/resourcequotas': items(dict(QUOTA, status={'hard': {'limits.cpu': '5'}}))}, '',
     'limits limits.cpu, of which the pod says nothing', 'limits of CPU'),
]


@pytest.mark.parametrize('text, there, lacks, told, advice', BROKEN_SET_UPS)
def test_a_broken_set_up_is_told_with_what_to_do(doctor, text, there, lacks, told, advice):
    code, findings = doctor(text, FakeCluster(there, filter(None, lacks.split(','))))
    said = of_level(findings, BROKEN)
    assert code == 1 and any(told in each and advice in each for each in said), findings
    assert 'Traceback' not in ''.join(said) and ' at 0x' not in ''.join(said)


WARNINGS = [
    (OURS + 'c.KubeSpawner.imgae = "x"', {}, '', 'KubeSpawner.imgae is no setting'),
    (OURS + 'c.KubeSpawner.volumes = [{"name": "v"}]', {}, '', 'The volume v says nothing of what it is'),
    (OURS + 'c.KubeSpawner.environment = {"PATH": "/opt/bin:$(PATH)"}', {}, '', 'The variable PATH of the container '
     'notebook refers to itself. Kubernetes does not know the value that the image gives it'),
    (OURS + 'c.KubeSpawner.init_containers = [{"name": "i", "image": "x", "env": [{"name": "A", "value": "$(B)"}, '
     '{"name": "B", "value": "1"}]}]', {}, '', 'The variable A of the container i refers to B, which is defined after'),
    (OURS + 'c.KubeSpawner.extra_container_config = {"env": [{"name": "A", "value": v} for v in "12"]}', {}, '',
     'The container notebook has the variable A twice; the last one counts.'),
    (OURS + 'c.KubeSpawner.extra_container_config = {"env": [{"name": "A", "valueFrom": {"secretKeyRf": {}}}]}', {}, '',
     '.valueFrom.secretKeyRf is no field that Kubernetes has. Do you mean secretKeyRef?'),
    (OURS + 'c.Jupyterhub.hub_port = 1', {}, '', 'c.Jupyterhub is the section of no class, and is ignored. Do you mean '
     'c.JupyterHub?'),
    (OURS + 'c.JuypterHub.hub_port = 1', {}, '', 'Do you mean c.JupyterHub?'),
    (OURS + 'c.KubeIngresProxy.namespace = "x"', {}, '', 'Do you mean c.KubeIngressProxy?'),
    (OURS + 'c.JupyterHub.porrt = 1', {}, '', 'Config option `porrt` not recognized by `JupyterHub`'),
    (OURS + 'c.KubeSpawner.image = "jupyterhub/singleuser:latest"', {}, '', 'changes with each release'),
    (OURS + 'c.KubeSpawner.image = "quay.io/jupyterhub/singleuser:99.1"', {}, '', 'has another version of JupyterHub'),
    (OURS, {}, 'list events', 'which events_enabled needs. Add to the rules of its Role: '),
    (OURS, {'/api/v1/nodes': items()}, '', 'There is no node.'),
    (OURS + PROXY, {CLASSES: items(CLASS)}, '', 'Ingresses name no class, and there is no default one.'),
    (OURS + PROXY + 'c.KubeIngressProxy.ingress_class_name = "wep"', {CLASSES: items(DEFAULT_INGRESS_CLASS)}, '',
     'The ingress class wep does not exist. Set c.KubeIngressProxy.ingress_class_name'),
    (OURS, {NS + '/resourcequotas': items(dict(QUOTA, status={'hard': {'pods': 5}, 'used': {'pods': 4}}))}, '',
     'leaves room for 1 further server (pods: 4 of 5 used)'),
    (CLAIM, {'/apis/storage.k8s.io/v1/storageclasses': items(DEFAULT_CLASS, DEFAULT_CLASS)}, '', 'several default'),
]


@pytest.mark.parametrize('text, there, lacks, told', WARNINGS)
def test_what_may_be_wrong_is_a_warning(doctor, text, there, lacks, told):
    code, findings = doctor(text, FakeCluster(there, filter(None, lacks.split(','))))
    assert code == 0 and len([each for each in of_level(findings, WARNING) if told in each]) == 1, findings


@pytest.mark.parametrize('text', [
    'c.KubeSpawner.image = "localhost:5000/team/image_a.b--c:Tag-1.x"',
    'c.KubeSpawner.image = "REGISTRY.example.org/image@sha256:%s"' % ('0' * 64),
    'c.KubeSpawner.image = "image"',
    'c.KubeSpawner.environment = {"A": "$$(A)", "C": "$(JUPYTERHUB_USER)", "D": "$(date)", "N": 1}',
    'c.KubeSpawner.extra_resource_limits = {"cpu": 1}',
    'c.KubeSpawner.extra_container_config = {"livenessProbe": {"httpGet": {"path": "/", "port": 8888}}}',
    'c.KubeSpawner.extra_container_config = {"livenessProbe": {"tcpSocket": {"port": "notebook-port"}}}',
    'c.KubeSpawner.volumes = [{"name": "v", "emptyDir": {"sizeLimit": 1000, "medium": "Memory"}}]\n'
    'c.KubeSpawner.volume_mounts = [{"name": "v", "mountPath": p} for p in ("/a", "/b")]',
    'c.KubeSpawner.extra_pod_config = {"dnsConfig": {"options": [{"name": "n"}], "ofTomorrow": {"x": 1}}}',
])
def test_what_kubernetes_takes_is_fine(doctor, text):
    _, findings = doctor(OURS + text, None, '--offline')
    assert [each['sentence'] for each in findings if each['check'] == 'pods'] == ['No pod contradicts itself.']


def test_what_is_wrong_with_each_choice_is_told_once(doctor):
    _, findings = doctor(OURS + """
c.KubeSpawner.image = 'A'
c.KubeSpawner.profile_list = [{'display_name': n} for n in 'xyz'] + [
    {'display_name': 'sound', 'kubespawner_override': {'image': 'a'}}]
""", None, '--offline')
    assert [each['sentence'].partition(': ')[0] for each in findings if each['check'] == 'pods'] == [
        'profile x and 2 more choices']


@pytest.mark.parametrize('text', [
    'c.KubeSpawner.cmd = ["a", 1]', 'c.KubeSpawner.namespace = "No_Such"', 'c.KubeSpawner.profile_list = ["A"]',
    'c.KubeSpawner.port = 99999'])
def test_what_a_check_tells_is_not_told_of_the_log_as_well(doctor, text):
    _, findings = doctor(OURS + text, None, '--offline')
    assert not [each for each in findings if each['check'] == 'log'], findings


def test_values_of_the_wrong_type_leave_nothing_that_could_not_be_checked(doctor):
    cluster = FakeCluster({NS + '/resourcequotas': items(QUOTA)})
    _, findings = doctor(OURS + 'c.KubeSpawner.extra_pod_config = {"tolerations": "all", "imagePullSecrets": ["x"], '
                         '"affinity": []}', cluster)
    assert not of_level(findings, UNKNOWN)


def test_a_directory_is_no_file(tmp_path, capsys):
    assert console.command(['doctor', '-f', str(tmp_path)]) == 1
    assert '%s: this is a directory. Name the file' % tmp_path in capsys.readouterr().out


needs_internal_tls = pytest.mark.skipif(not hasattr(JupyterHub, 'internal_ssl'), reason='since JupyterHub 1.0')


@pytest.mark.parametrize('text, resources', [
    (OURS, ''), (OURS + SERVICE, 'services'), (OURS + VARIABLES, 'secrets'),
    (OURS + SERVICE + VARIABLES, 'secrets services'),
    pytest.param(OURS + TLS, 'secrets services', marks=needs_internal_tls),
    pytest.param(OURS + TLS + SERVICE + VARIABLES, 'secrets services', marks=needs_internal_tls)])
def test_the_rights_for_what_goes_with_a_pod_are_asked_for_once_and_only_if_they_are_needed(doctor, text, resources):
    cluster = FakeCluster()
    code, findings = doctor(text, cluster)
    assert code == 0 and not [each for each in of_level(findings, UNKNOWN) if 'secret' in each]
    asked = [each for each in cluster.asked if each[1] in ('secrets', 'services')]
    assert sorted(asked) == sorted(('', resource, verb, 'ns') for resource in resources.split()
                                   for verb in ('get', 'create', 'delete'))


@pytest.mark.parametrize('version, group', [((1, 13), 'extensions'), ((1, 14), 'networking.k8s.io')])
def test_the_rights_of_the_proxy_are_those_in_its_namespace(doctor, version, group):
    cluster = FakeCluster({'/api/v1/namespaces/routes': {}})
    cluster.version = lambda: version
    text = OURS + PROXY + 'c.KubeIngressProxy.namespace = "routes"\n'
    assert doctor(text, cluster)[0] == 0
    asked = [each for each in cluster.asked if each[3] == 'routes']
    resources = [(group, 'ingresses'), ('', 'services'), ('', 'endpoints')]
    verbs = 'get', 'list', 'watch', 'create', 'patch', 'delete'
    assert sorted(asked) == sorted((*resource, verb, 'routes') for resource in resources for verb in verbs)


@pytest.mark.parametrize('setting, there, level, told', [
    ('', items(DEFAULT_INGRESS_CLASS), FINE, 'the default ingress class'), ('"web"', items(CLASS), FINE, 'web exists'),
    ('"web"', 403, UNKNOWN, 'does not need to')])
def test_the_ingress_class_is_looked_for(doctor, setting, there, level, told):
    text = OURS + PROXY + ('c.KubeIngressProxy.ingress_class_name = %s\n' % setting if setting else '')
    code, findings = doctor(text, FakeCluster({CLASSES: there}))
    assert code == 0 and len([each for each in of_level(findings, level) if told in each and 'ingress' in each]) == 1


def test_nodes_that_an_autoscaler_may_add_are_a_warning(doctor):
    text = OURS + 'c.KubeSpawner.node_selector = {"pool": "b"}'
    assert doctor(text, FakeCluster(), '--autoscaler')[0] == 0


def test_what_the_server_refuses_and_warns_of_is_told(doctor):
    refusal = Answer(403, {'reason': 'Forbidden', 'message': 'violates PodSecurity "restricted"'}, ['deprecated field'])
    _, findings = doctor(OURS, FakeCluster(answers=refusal))
    assert 'refuses the Pod jupyter-ann: 403 Forbidden: violates PodSecurity' in of_level(findings, BROKEN)[0]
    assert any('deprecated field' in each for each in of_level(findings, WARNING))


def test_what_nobody_may_read_is_unknown_and_not_broken(doctor):
    there = {NS: 403, '/api/v1/nodes': 403, NS + '/resourcequotas': 403, NS + '/secrets/s': 403,
             '/apis/storage.k8s.io/v1/storageclasses': 403}
    text = UNMOUNTED + 'c.KubeSpawner.volumes = [{"name": "v", "secret": {"secretName": "s"}}]'
    code, findings = doctor(text, FakeCluster(there))
    assert code == 0 and len(of_level(findings, UNKNOWN)) == 5


def test_a_server_that_cannot_review_rights_is_told_once(doctor):
    cluster = FakeCluster()
    cluster.post = lambda path, body, **query: Answer(404, {'message': 'no such path'}, [])
    _, findings = doctor(OURS, cluster)
    assert [each for each in of_level(findings, UNKNOWN) if 'cannot tell which rights' in each] == [
        'rights: The API server cannot tell which rights the hub has (404: no such path). See the role in the README.']


def test_a_server_that_does_not_answer_is_broken(doctor):
    code, findings = doctor(OURS, None)
    assert code == 1 and 'KUBECONFIG' in of_level(findings, BROKEN)[0]


def test_an_expired_token_is_named(monkeypatch):
    monkeypatch.setattr(Cluster, '__init__', lambda self: None)
    monkeypatch.setattr(Cluster, 'get', lambda self, path: Answer(401, {'message': 'Unauthorized '}, []))
    cluster = Cluster()
    cluster.host = 'https://api.example.org'
    with pytest.raises(NoAnswer) as raised:
        cluster.version()
    assert str(raised.value) == ('https://api.example.org does not accept the token or the certificate (401: '
                                 'Unauthorized). It may have expired.')


def test_a_server_that_ends_in_the_middle_leaves_the_other_findings(doctor):
    cluster = FakeCluster()

    def get(path, **query):
        raise NoAnswer('gone')
    cluster.get = get
    _, findings = doctor(OURS, cluster)
    assert 'The API server does not answer: gone' in of_level(findings, UNKNOWN)[0]
    assert any(each['check'] == 'rights' and each['level'] == FINE for each in findings)


def test_offline_no_cluster_is_asked(doctor, monkeypatch):
    monkeypatch.setattr(main, 'Cluster', None)
    assert doctor(OURS, None, '--offline')[0] == 0


def test_a_hub_that_may_only_use_each_namespace_of_a_user_is_warned():
    cluster = FakeCluster()
    ask = cluster.post
    cluster.post = lambda path, body, **query: Answer(201, {'status': {'allowed': False}}, []) if not body['spec'][
        'resourceAttributes'].get('namespace') else ask(path, body, **query)
    found = rights.check_of_namespaces(cluster, [rights.TABLE[0]], 'ns-ann')
    assert [each.level for each in found] == [FINE, WARNING]


def test_a_line_each_without_colors_in_a_pipe(tmp_path, monkeypatch, capsys):
    (tmp_path / 'c.py').write_text('x = (')
    assert console.command(['doctor', '-f', str(tmp_path / 'c.py')]) == 1
    out = capsys.readouterr().out
    assert out.startswith('broken   configuration: ') and '\x1b' not in out


def test_colors_on_a_terminal_only(monkeypatch):
    class Terminal:
        text = ''

        def write(self, text):
            self.text += text

        def flush(self):
            pass

        def isatty(self):
            return True

    monkeypatch.delenv('NO_COLOR', raising=False)
    terminal = Terminal()
    main.Output(False, terminal).add('rights', main.fine('All is well.'))
    assert terminal.text == '\x1b[32mfine   \x1b[0m  rights: All is well.\n'
    monkeypatch.setenv('NO_COLOR', '1')
    terminal = Terminal()
    main.Output(False, terminal).add('rights', main.fine('All is well.'))
    assert terminal.text == 'fine     rights: All is well.\n'


# Single checks

def test_another_distribution_over_our_files_is_broken():
    found, = installation.files(['jupyterhub-kubespawner'], '/lib')
    assert found.level == BROKEN and 'pip uninstall --yes jupyterhub-kubespawner' in found.advice


def refuse(*args):
    raise OSError('refused')


class Connection:
    def close(self):
        pass


@pytest.mark.parametrize('url, resolve, connect, level', [
    ('http://hub:8081/hub/api', lambda *args: [], lambda *args: Connection(), FINE),
    ('http://hub:8081/hub/api', lambda *args: [], refuse, UNKNOWN),
    ('http://hub:8081/hub/api', refuse, refuse, WARNING),
    ('http://me:8081/hub/api', lambda *args: [], lambda *args: Connection(), WARNING),
    ('http://localhost:8081/hub/api', refuse, refuse, BROKEN),
    ('http://[::1]:8081/hub/api', refuse, refuse, BROKEN),
    ('http://0.0.0.0:8081/hub/api', refuse, refuse, BROKEN),
])
def test_where_pods_reach_the_hub(url, resolve, connect, level):
    assert [each.level for each in hub.address(
        url, '0.0.0.0', 'me', resolve=resolve, connect=connect)] == [level]


def test_beside_localkube_pods_reach_a_hub_that_listens_on_this_machine_only(doctor):
    cluster = FakeCluster()
    beside = CLAIM + "c.JupyterHub.hub_ip = '127.0.0.1'\nc.KubeSpawner.hub_connect_ip = '127.0.0.1'\n"
    assert [each['level'] for each in doctor(beside, cluster)[1] if each['check'] == 'hub'] == [BROKEN]
    cluster.is_localkube = lambda: True
    assert [each['level'] for each in doctor(beside, cluster)[1] if each['check'] == 'hub'] == [UNKNOWN]
    assert [each.level for each in hub.address(
        'http://127.0.0.1:8081/hub/api', '127.0.0.1', pods_are_here=True, connect=lambda *args: Connection())] == [FINE]


@pytest.mark.parametrize('toleration, taint, fits', [
    ({'operator': 'Exists'}, {'key': 'a', 'effect': 'NoSchedule'}, True),
    ({'key': 'a', 'value': 'b'}, {'key': 'a', 'value': 'b', 'effect': 'NoSchedule'}, True),
    ({'key': 'a', 'value': 'c'}, {'key': 'a', 'value': 'b', 'effect': 'NoSchedule'}, False),
    ({'key': 'a', 'operator': 'Exists', 'effect': 'NoExecute'}, {'key': 'a', 'effect': 'NoSchedule'}, False),
    ({}, {'key': 'a', 'effect': 'PreferNoSchedule'}, True),
])
def test_taints_and_tolerations(toleration, taint, fits):
    node = dict(NODE, spec={'taints': [taint]})
    assert (room.why_not({'tolerations': [toleration]}, node) is None) == fits


def test_what_is_optional_is_not_needed():
    pod = {'metadata': {'namespace': 'ns'}, 'spec': {'containers': [{'env': [{'name': 'A', 'valueFrom': {
        'secretKeyRef': {'name': 's', 'key': 'k', 'optional': True}}}]}], 'volumes': [
            {'name': 'v', 'configMap': {'name': 'c', 'optional': True}}]}}
    assert objects.references(pod) == set()


POD = {'metadata': {'namespace': 'ns', 'labels': {'heritage': 'jupyterhub', 'app': 'x'}}, 'spec': {
    'containers': [{'name': 'notebook', 'image': 'i', 'env': [{'name': 'JUPYTERHUB_API_TOKEN', 'value': 'secret'}]}]}}


@pytest.mark.parametrize('phase, level', [('Succeeded', FINE), ('Failed', BROKEN), ('Pending', UNKNOWN)])
def test_a_pod_tells_whether_it_reaches_the_hub_and_is_deleted(monkeypatch, phase, level):
    cluster, times = FakeCluster(), iter(range(10 ** 6))
    cluster.get = lambda path: Answer(200, {'status': {'phase': phase}}, [])
    found, = with_pod.check(cluster, POD, 'http://hub/hub/api', lambda: next(times), lambda seconds: None)
    assert found.level == level
    (path, probe, query), = cluster.posted
    assert cluster.deleted == ['%s/%s' % (path, probe['metadata']['name'])] and query == {}
    assert 'secret' not in json.dumps(probe) and 'heritage' not in probe['metadata']['labels']


def test_the_documentation_shows_what_is_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.setattr(KubeSpawner, 'pod_reflector', None)
    (tmp_path / 'jupyterhub_config.py').write_text(documentation.block('python', "mem_guarantee = '4G'"))
    assert console.command(['doctor', '--offline']) == 1
    assert capsys.readouterr().out == documentation.block('text', 'KubeSpawner.mem_guarantee is').rstrip() + '\n'
