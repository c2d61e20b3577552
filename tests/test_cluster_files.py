"""docs/cluster: the objects fit together, the role is what KubeSpawner needs, and all pods are `restricted`."""
import ipaddress
import os
import re

import pytest
import yaml

from kubespawner.kube.clients import to_dict
from tests import documentation
from tests.support import cluster_files
from tests.support.configuration_files import load, spawner_of
from tests.support.pod_security import violations

DEPLOYMENTS = cluster_files.of_kind('Deployment')
SERVICES = cluster_files.of_kind('Service')
POLICIES = cluster_files.of_kind('NetworkPolicy')

# The keys of the secret, which no file has: the page tells how to make it.
PAGE = documentation.text_of(os.path.join(documentation.DOCS, 'in-a-cluster.rst'))
SECRET_KEYS = set(re.findall(r'--from-literal=([a-z-]+)=', PAGE))


@pytest.fixture
def configured(tmpdir, monkeypatch):
    """The hub's JupyterHub, with its configuration loaded. Before 5.3, JupyterHub does not have that authenticator."""
    monkeypatch.setenv('SHARED_PASSWORD', 'a password')
    path = tmpdir.join('jupyterhub_config.py')
    path.write(re.sub(r'c\.JupyterHub\.authenticator_class .*', '', cluster_files.hub_configuration()))
    return load(str(path))


@pytest.fixture
def spawner(configured):
    return spawner_of(configured, 'ann')


def template(name):
    return DEPLOYMENTS[name]['spec']['template']


def container(name):
    found, = template(name)['spec']['containers']
    return found


def matches(selector, labels):
    return set(selector.items()) <= set(labels.items())


def test_all_objects_are_in_the_namespace_of_the_first_file():
    first, *others = cluster_files.objects()
    assert first['kind'] == 'Namespace'
    assert {each['metadata']['namespace'] for each in others} == {first['metadata']['name']}


def test_no_object_is_there_twice():
    names = [(each['kind'], each['metadata']['name']) for each in cluster_files.objects()]
    assert len(names) == len(set(names))


def test_the_namespace_enforces_the_restricted_standard():
    namespace, = cluster_files.of_kind('Namespace').values()
    assert namespace['metadata']['labels']['pod-security.kubernetes.io/enforce'] == 'restricted'


def test_the_role_is_that_of_the_readme_and_bound_to_the_hubs_account():
    readme = yaml.safe_load(documentation.block('yaml', 'kind: Role'))
    role, = cluster_files.of_kind('Role').values()
    binding, = cluster_files.of_kind('RoleBinding').values()
    account, = cluster_files.of_kind('ServiceAccount').values()
    assert role['rules'] == readme['rules']
    assert binding['roleRef']['name'] == role['metadata']['name']
    subject, = binding['subjects']
    assert (subject['kind'], subject['name'], subject['namespace']) == (
        'ServiceAccount', account['metadata']['name'], account['metadata']['namespace'])
    assert template('hub')['spec']['serviceAccountName'] == account['metadata']['name']


def test_the_proxy_has_no_token_for_the_api():
    assert template('proxy')['spec']['automountServiceAccountToken'] is False


@pytest.mark.parametrize('name', sorted(DEPLOYMENTS))
def test_a_deployment_selects_its_own_pods_and_has_one_at_a_time(name):
    spec = DEPLOYMENTS[name]['spec']
    assert matches(spec['selector']['matchLabels'], spec['template']['metadata']['labels'])
    assert (spec['replicas'], spec['strategy']) == (1, {'type': 'Recreate'})


@pytest.mark.parametrize('name', sorted(DEPLOYMENTS))
def test_what_a_deployment_mounts_and_reads_is_there(name):
    volumes = {volume['name']: volume for volume in template(name)['spec'].get('volumes', [])}
    assert {mount['name'] for mount in container(name).get('volumeMounts', [])} == set(volumes)
    for volume in volumes.values():
        if 'configMap' in volume:
            assert volume['configMap']['name'] in cluster_files.of_kind('ConfigMap')
        else:
            assert volume['persistentVolumeClaim']['claimName'] in cluster_files.of_kind('PersistentVolumeClaim')
    for variable in container(name)['env']:
        reference = variable['valueFrom']['secretKeyRef']
        assert reference['name'] == 'hub' and reference['key'] in SECRET_KEYS


def test_hub_and_proxy_share_a_token():
    references = [variable['valueFrom'] for name in DEPLOYMENTS for variable in container(name)['env']
                  if variable['name'] == 'CONFIGPROXY_AUTH_TOKEN']
    assert len(references) == 2
    assert references[0] == references[1]


@pytest.mark.parametrize('name', sorted(DEPLOYMENTS))
def test_probes_ask_ports_that_the_container_has(name):
    ports = {port['name'] for port in container(name)['ports']}
    probes = [value for key, value in container(name).items() if key.endswith('Probe')]
    assert probes and {probe['httpGet']['port'] for probe in probes} <= ports


@pytest.mark.parametrize('name', sorted(SERVICES))
def test_a_service_leads_to_a_port_of_one_deployment(name):
    spec = SERVICES[name]['spec']
    behind = [each for each in DEPLOYMENTS if matches(spec['selector'], template(each)['metadata']['labels'])]
    assert len(behind) == 1
    names = {port['name'] for port in container(behind[0])['ports']}
    assert {port['targetPort'] for port in spec['ports']} <= names


def test_hub_proxy_and_configuration_name_services_and_ports_that_exist(configured):
    text = cluster_files.hub_configuration() + ' '.join(container('proxy')['args'])
    urls = re.findall(r'http://([\w-]+):([0-9]+)', text)
    assert set(urls) == {('hub', '8081'), ('proxy-api', '8001')}
    for name, port in urls:
        assert int(port) in {each['port'] for each in SERVICES[name]['spec']['ports']}
    assert configured.hub_connect_ip in SERVICES
    assert configured.hub_port in {each['port'] for each in SERVICES[configured.hub_connect_ip]['spec']['ports']}


def test_the_hubs_files_are_on_its_volume(configured):
    mounts = {mount['name']: mount['mountPath'] for mount in container('hub')['volumeMounts']}
    assert configured.db_url == 'sqlite:///%s/jupyterhub.sqlite' % mounts['data']
    assert os.path.dirname(configured.cookie_secret_file) == mounts['data']
    assert container('hub')['command'][-1] == mounts['configuration'] + '/jupyterhub_config.py'


def test_servers_outlive_the_hub(configured):
    assert configured.cleanup_servers is False


@pytest.mark.parametrize('name', sorted(DEPLOYMENTS))
def test_the_pods_of_a_deployment_are_restricted(name):
    assert violations(template(name)['spec']) == []


@pytest.mark.gen_test
def test_the_pods_of_users_are_restricted(spawner):
    pod = to_dict((yield spawner.get_pod_manifest()))
    assert violations(pod['spec']) == []


@pytest.mark.gen_test
def test_servers_reach_the_hub_at_its_service(spawner):
    pod = to_dict((yield spawner.get_pod_manifest()))
    told = str(pod['spec']['containers'][0])
    assert 'http://hub:8081/hub/api' in told


# Network policies: what connects to what, and that both ends allow it.

SINGLEUSER = {'app': 'jupyterhub', 'component': 'singleuser-server'}


def labels_of(name):
    return SINGLEUSER if name == 'singleuser' else template(name)['metadata']['labels']


def allows(name, direction, others, port):
    """True if a policy allows connections with pods of these labels (None: others in the cluster) at a port."""
    peers = {'ingress': 'from', 'egress': 'to'}[direction]
    for rule in POLICIES[name]['spec'][direction]:
        if 'ports' in rule and port not in [each['port'] for each in rule['ports']]:
            continue
        if peers not in rule or others is not None and any(
                matches(peer['podSelector']['matchLabels'], others)
                for peer in rule[peers] if 'podSelector' in peer):
            return True
    return False


@pytest.mark.parametrize('name', sorted(POLICIES))
def test_a_policy_is_that_of_its_pods_in_both_directions(name):
    spec = POLICIES[name]['spec']
    assert matches(spec['podSelector']['matchLabels'], labels_of(name))
    assert set(spec['policyTypes']) == {'Ingress', 'Egress'}


@pytest.mark.gen_test
def test_the_policies_are_about_the_labels_and_the_port_of_users_pods(spawner):
    pod = to_dict((yield spawner.get_pod_manifest()))
    assert matches(SINGLEUSER, pod['metadata']['labels'])
    assert [port['containerPort'] for port in pod['spec']['containers'][0]['ports']] == [8888]


NEEDED = [('singleuser', 'hub', 8081), ('proxy', 'hub', 8081), ('hub', 'proxy', 8001), ('hub', 'singleuser', 8888),
          ('proxy', 'singleuser', 8888)]


@pytest.mark.parametrize('source, target, port', NEEDED)
def test_a_connection_that_is_needed_is_allowed_at_both_ends(source, target, port):
    assert allows(source, 'egress', labels_of(target), port)
    assert allows(target, 'ingress', labels_of(source), port)


@pytest.mark.parametrize('source, target, port', [
    ('singleuser', 'singleuser', 8888), ('singleuser', 'proxy', 8001), ('proxy', 'proxy', 8001)])
def test_a_connection_that_nobody_needs_is_refused(source, target, port):
    assert not allows(target, 'ingress', labels_of(source), port)


def test_strangers_reach_the_proxys_public_port_only():
    reached = {(name, port) for name in POLICIES for port in (8000, 8001, 8081, 8888)
               if allows(name, 'ingress', None, port)}
    assert reached == {('proxy', 8000)}


@pytest.mark.parametrize('name', sorted(POLICIES))
def test_all_may_ask_for_names(name):
    assert allows(name, 'egress', None, 53)


def test_in_the_cluster_only_the_hub_reaches_the_api():
    assert [name for name in sorted(POLICIES) if allows(name, 'egress', None, 6443)] == ['hub']


def reaches(name, address):
    """True if a rule of a policy, by the address alone, lets pods connect to an address."""
    address = ipaddress.ip_address(address)
    blocks = [peer['ipBlock'] for rule in POLICIES[name]['spec']['egress'] for peer in rule.get('to', ())
              if 'ipBlock' in peer]
    return any(address in ipaddress.ip_network(block['cidr'])
               and not any(address in ipaddress.ip_network(part) for part in block['except']) for block in blocks)


def test_users_reach_the_internet_but_neither_the_cluster_nor_a_clouds_metadata():
    assert reaches('singleuser', '198.51.100.1')
    for address in '10.96.0.1', '172.20.0.1', '192.168.1.1', '100.64.0.1', '169.254.169.254':
        assert not reaches('singleuser', address)
