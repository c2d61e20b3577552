"""The scheduler: which pods the node takes, why it does not take others, and when they are tried again."""
import pytest

from kubespawner.localkube import LocalKube
from kubespawner.localkube.node_fit import Misfit, message
from tests.support.waits import until

from .conftest import MERGE_PATCH, PODS, Client, shell, status

NODE = '/api/v1/nodes/localkube'
SLEEP = shell('trap "exit 0" TERM; sleep 1000 & wait')
AVAILABLE = '0/1 nodes are available: 1 %s. preemption: 0/1 nodes are available: 1 %s.'
NO_VICTIMS, NOT_HELPFUL = ('No preemption victims found for incoming pod', 'Preemption is not helpful for scheduling')


@pytest.fixture(scope='module')
def small():
    """A client of a localkube with a small node."""
    with LocalKube(node_labels={'zone': 'a', 'disks': '3'}, node_allocatable={
            'cpu': 2, 'memory': '1Gi', 'pods': 5, 'ephemeral-storage': '1Gi', 'example.com/gpu': 1}) as kube:
        yield Client(kube)


@pytest.fixture
def client(small):
    """The same, without pods from other tests and with the node as it was."""
    yield small
    for pod in small.get(PODS)['items']:
        small.delete('%s/%s' % (PODS, pod['metadata']['name']), gracePeriodSeconds=0)
    change_node(small, spec={'taints': None, 'unschedulable': None})
    until(lambda: not small.get(PODS)['items'], 'no pods')


def change_node(client, **patch):
    code, answer = client.call('PATCH', NODE, patch, MERGE_PATCH)
    assert code == 200, answer


def requests(**amounts):
    return {'resources': {'requests': {name.replace('_', '-'): value for name, value in amounts.items()}}}


def create(client, spec=None, **container):
    return client.create_pod(spec=spec, **dict(SLEEP, **container))


def running(client, name):
    return client.wait_for_phase(name, 'Running')


def refused(client, name):
    """Return the message with which no node takes a pod."""
    pod = client.wait_for(name, lambda pod: pod and scheduled(pod).get('status') == 'False', 'not scheduled')
    assert scheduled(pod)['reason'] == 'Unschedulable'
    assert pod['status']['phase'] == 'Pending' and 'nodeName' not in pod['spec']
    assert client.events(name)[0][:2] == ('FailedScheduling', scheduled(pod)['message'])
    return scheduled(pod)['message']


def scheduled(pod):
    return next((each for each in pod['status'].get('conditions', ()) if each['type'] == 'PodScheduled'), {})


def affinity(kind, **fields):
    return {'affinity': {kind: {'requiredDuringSchedulingIgnoredDuringExecution': fields}}}


def node_affinity(*requirements):
    return affinity('nodeAffinity', nodeSelectorTerms=[{'matchExpressions': [
        {'key': key, 'operator': operator, 'values': list(values)} for key, operator, values in requirements]}])


def pod_term(**labels):
    return {'labelSelector': {'matchLabels': labels}, 'topologyKey': 'kubernetes.io/hostname'}


def pod_rule(kind, **labels):
    return {'affinity': {kind: {'requiredDuringSchedulingIgnoredDuringExecution': [pod_term(**labels)]}}}


def create_labelled(client, name, labels, spec=None):
    client.create(PODS, {'metadata': {'name': name, 'labels': labels}, 'spec': dict(
        {'containers': [dict({'name': 'main', 'image': 'some/image'}, **SLEEP)]}, **(spec or {}))})
    return name


# Resources

@pytest.mark.parametrize('amounts, lacks', [
    ({'cpu': '2500m'}, 'Insufficient cpu'), ({'memory': '1025Mi'}, 'Insufficient memory'),
    ({'ephemeral_storage': '2G'}, 'Insufficient ephemeral-storage'),
])
def test_a_pod_that_is_larger_than_the_node_is_not_taken(client, amounts, lacks):
    assert refused(client, create(client, **requests(**amounts))) == AVAILABLE % (lacks, NOT_HELPFUL)


def test_all_resources_that_are_lacking_are_named(client):
    message = refused(client, create(client, **requests(memory='2Gi', cpu='3')))
    assert message.startswith('0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. preemption: ')


def test_a_pod_waits_until_another_one_has_ended(client):
    first = create(client, **requests(cpu='1500m'))
    running(client, first)
    second = create(client, **requests(cpu='1'))
    assert refused(client, second) == AVAILABLE % ('Insufficient cpu', NO_VICTIMS)
    client.delete('%s/%s' % (PODS, first))
    running(client, second)


def test_a_pod_that_has_succeeded_uses_nothing(client):
    first = client.create_pod(**dict(requests(cpu='2'), **shell('exit 0')))
    client.wait_for_phase(first, 'Succeeded')
    running(client, create(client, **requests(cpu='2')))


def test_extended_resources_are_counted(client):
    gpu = {'resources': {'limits': {'example.com/gpu': '1'}}}
    running(client, create(client, **gpu))
    assert refused(client, create(client, **gpu)) == AVAILABLE % ('Insufficient example.com/gpu', NO_VICTIMS)


def test_pods_are_counted(client):
    for _ in range(5):
        running(client, create(client))
    assert refused(client, create(client)) == AVAILABLE % ('Too many pods', NO_VICTIMS)


def test_init_containers_run_one_after_the_other_and_sidecars_all_the_time(client):
    def spec(**second):
        return {'initContainers': [dict({'name': name, 'image': 'i', 'command': ['true']}, **dict(
            requests(cpu='1500m'), **(second if name == 'b' else {}))) for name in 'ab']}

    running(client, create(client, spec=spec()))
    poll_gone(client)
    assert 'Insufficient cpu' in refused(client, create(client, spec=spec(restartPolicy='Always'), **requests(cpu='1')))


def poll_gone(client):
    for pod in client.get(PODS)['items']:
        client.delete('%s/%s' % (PODS, pod['metadata']['name']), gracePeriodSeconds=0)
    until(lambda: not client.get(PODS)['items'], 'no pods')


def test_a_node_that_gets_more_takes_the_pod(client):
    name = create(client, **requests(cpu='3'))
    refused(client, name)
    client.call('PATCH', NODE + '/status', {'status': {'allocatable': {'cpu': '4'}}}, MERGE_PATCH)
    running(client, name)
    client.call('PATCH', NODE + '/status', {'status': {'allocatable': {'cpu': '2'}}}, MERGE_PATCH)


def test_ports_of_the_node_are_used_once(client):
    port = {'ports': [{'containerPort': 80, 'hostPort': 18080}]}
    running(client, create(client, **port))
    reason = "node(s) didn't have free ports for the requested pod ports"
    assert refused(client, create(client, **port)) == AVAILABLE % (reason, NO_VICTIMS)


# Nodes

@pytest.mark.parametrize('spec', [
    {'nodeSelector': {'zone': 'b'}}, node_affinity(('zone', 'In', ['b', 'c'])), node_affinity(('zone', 'NotIn', 'a')),
    node_affinity(('zone', 'DoesNotExist', '')), node_affinity(('disks', 'Gt', '3')),
    node_affinity(('zone', 'In', 'a'), ('disks', 'Lt', '3')), node_affinity(('rack', 'Exists', '')),
    affinity('nodeAffinity', nodeSelectorTerms=[{'matchFields': [
        {'key': 'metadata.name', 'operator': 'In', 'values': ['other']}]}]),
])
def test_a_node_that_is_not_selected_takes_no_pod(client, spec):
    reason = "node(s) didn't match Pod's node affinity/selector"
    assert refused(client, create(client, spec=spec)) == AVAILABLE % (reason, NOT_HELPFUL)


@pytest.mark.parametrize('spec', [
    {'nodeSelector': {'zone': 'a'}}, node_affinity(('zone', 'In', ['b', 'a']), ('disks', 'Gt', '2')),
    node_affinity(('zone', 'NotIn', 'b'), ('rack', 'NotIn', 'x'), ('rack', 'DoesNotExist', '')),
    affinity('nodeAffinity', nodeSelectorTerms=[
        {'matchExpressions': [{'key': 'zone', 'operator': 'In', 'values': ['b']}]},
        {'matchFields': [{'key': 'metadata.name', 'operator': 'In', 'values': ['localkube']}]}]),
    {'affinity': {'nodeAffinity': {'preferredDuringSchedulingIgnoredDuringExecution': [
        {'weight': 1, 'preference': {'matchExpressions': [{'key': 'zone', 'operator': 'In', 'values': ['b']}]}}]}}},
])
def test_a_node_that_is_selected_takes_the_pod(client, spec):
    running(client, create(client, spec=spec))


def test_a_label_that_the_node_gets_lets_a_pod_go_there(client):
    name = create(client, spec={'nodeSelector': {'gpu': 'yes'}})
    refused(client, name)
    change_node(client, metadata={'labels': {'gpu': 'yes'}})
    running(client, name)
    change_node(client, metadata={'labels': {'gpu': None}})


def test_a_cordoned_node_takes_no_pod_until_it_is_uncordoned(client):
    change_node(client, spec={'unschedulable': True})
    name = create(client)
    assert refused(client, name) == AVAILABLE % ('node(s) were unschedulable', NOT_HELPFUL)
    change_node(client, spec={'unschedulable': None})
    running(client, name)


def test_a_taint_has_to_be_tolerated(client):
    change_node(client, spec={'taints': [{'key': 'team', 'value': 'red', 'effect': 'NoSchedule'}]})
    assert refused(client, create(client)) == AVAILABLE % ('node(s) had untolerated taint {team: red}', NOT_HELPFUL)
    other = {'tolerations': [{'key': 'team', 'value': 'blue'}, {'key': 'team', 'operator': 'Exists',
                                                               'effect': 'NoExecute'}]}
    assert 'untolerated' in refused(client, create(client, spec=other))


@pytest.mark.parametrize('toleration', [
    {'key': 'team', 'value': 'red'}, {'key': 'team', 'operator': 'Exists'}, {'operator': 'Exists'},
    {'key': 'team', 'operator': 'Equal', 'value': 'red', 'effect': 'NoSchedule'}])
def test_a_tolerated_taint_does_not_matter(client, toleration):
    change_node(client, spec={'taints': [{'key': 'team', 'value': 'red', 'effect': 'NoSchedule'}]})
    running(client, create(client, spec={'tolerations': [toleration]}))


def test_a_taint_that_only_asks_for_something_else_is_no_obstacle(client):
    change_node(client, spec={'taints': [{'key': 'team', 'effect': 'PreferNoSchedule'}]})
    running(client, create(client))


# Other pods

def test_pods_that_do_not_want_each_other(client):
    apart = pod_rule('podAntiAffinity', app='a')
    running(client, create_labelled(client, 'first', {'app': 'a'}, apart))
    reason = "node(s) didn't match pod anti-affinity rules"
    assert refused(client, create_labelled(client, 'second', {'app': 'a'}, apart)) == AVAILABLE % (reason, NO_VICTIMS)
    reason = "node(s) didn't satisfy existing pods anti-affinity rules"
    assert refused(client, create_labelled(client, 'third', {'app': 'a'})) == AVAILABLE % (reason, NO_VICTIMS)
    running(client, create_labelled(client, 'fourth', {'app': 'b'}))


def test_a_pod_waits_for_the_one_that_it_wants_beside_it(client):
    wants = create_labelled(client, 'wants', {'app': 'c'}, pod_rule('podAffinity', app='d'))
    assert refused(client, wants) == AVAILABLE % ("node(s) didn't match pod affinity rules", NOT_HELPFUL)
    running(client, create_labelled(client, 'wanted', {'app': 'd'}))
    running(client, wants)


def test_the_first_of_pods_that_want_each_other_is_taken(client):
    running(client, create_labelled(client, 'first', {'app': 'e'}, pod_rule('podAffinity', app='e')))


def test_pods_are_spread_over_nodes_that_have_the_label(client):
    def spread(key):
        return {'topologySpreadConstraints': [{'maxSkew': 1, 'topologyKey': key, 'whenUnsatisfiable': 'DoNotSchedule',
                                               'labelSelector': {'matchLabels': {'app': 'f'}}}]}

    for name in 'ab':
        running(client, create_labelled(client, name, {'app': 'f'}, spread('zone')))
    reason = "node(s) didn't match pod topology spread constraints (missing required label)"
    assert refused(client, create_labelled(client, 'c', {}, spread('rack'))) == AVAILABLE % (reason, NOT_HELPFUL)


# Who schedules

def test_a_pod_of_another_scheduler_is_left_alone(client):
    other = create(client, spec={'schedulerName': 'mine'})
    running(client, create(client))  # a later one
    pod = client.get('%s/%s' % (PODS, other))
    assert 'conditions' not in pod['status'] and 'nodeName' not in pod['spec']
    code, answer = client.call('POST', '%s/%s/binding' % (PODS, other), {
        'metadata': {'name': other}, 'target': {'kind': 'Node', 'name': 'localkube'}})
    assert code == 201, answer
    running(client, other)


def test_a_pod_that_names_its_node_is_checked_by_the_node_only(client):
    change_node(client, spec={'unschedulable': True})
    running(client, create(client, spec={'nodeName': 'localkube'}, **requests(cpu='1500m')))
    name = create(client, spec={'nodeName': 'localkube'}, **requests(cpu='1'))
    failed = client.wait_for_phase(name, 'Failed')['status']
    assert (failed['reason'], failed['message']) == (
        'OutOfcpu', "Pod was rejected: Node didn't have enough resource: cpu, requested: 1000, used: 1500, "
                    'capacity: 2000')
    until(lambda: [each[:2] for each in client.events(name)] == [(failed['reason'], failed['message'])], 'the event')
    name = create(client, spec={'nodeName': 'localkube', 'nodeSelector': {'zone': 'b'}})
    assert client.wait_for_phase(name, 'Failed')['status']['reason'] == 'NodeAffinity'


def test_a_pod_on_a_node_that_does_not_exist_stays_pending(client):
    elsewhere = create(client, spec={'nodeName': 'elsewhere'})
    running(client, create(client, **requests(cpu='2')))
    assert client.get('%s/%s' % (PODS, elsewhere))['status']['phase'] == 'Pending'


def test_pods_of_higher_priority_come_first(client):
    blocker = create(client, **requests(cpu='2'))
    running(client, blocker)
    low, high = [create(client, spec={'priority': priority}, **requests(cpu='2')) for priority in (1, 9)]
    refused(client, low), refused(client, high)
    client.delete('%s/%s' % (PODS, blocker), gracePeriodSeconds=0)
    running(client, high)
    assert status(client.get('%s/%s' % (PODS, low))) == {}


# The node

def test_the_node_says_what_it_has(client):
    node = client.get(NODE)
    assert node['metadata']['labels']['zone'] == 'a'
    assert node['metadata']['labels']['kubernetes.io/hostname'] == 'localkube'
    assert {name: node['status']['allocatable'][name] for name in ('cpu', 'pods', 'example.com/gpu')} == {
        'cpu': '2', 'pods': '5', 'example.com/gpu': '1'}


def test_options_of_the_command_line_describe_the_node():
    with LocalKube(child=True, node_labels={'zone': 'b'}, node_taints=['team=red:NoSchedule', 'old:NoExecute'],
                   node_allocatable='cpu=3') as kube:
        client = Client(kube)
        node = client.get(NODE)
        assert node['metadata']['labels']['zone'] == 'b'
        assert node['spec']['taints'] == [{'key': 'team', 'value': 'red', 'effect': 'NoSchedule'},
                                          {'key': 'old', 'effect': 'NoExecute'}]
        assert (node['status']['allocatable']['cpu'], node['status']['allocatable']['pods']) == ('3', '110')
        assert '{team: red}' in refused(client, create(client))


@pytest.mark.parametrize('options', [
    {'node_labels': 'zone'}, {'node_taints': ['a=b']}, {'node_taints': 'a:Never'}, {'node_allocatable': {'cpu': 'x'}}])
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValueError):
        LocalKube(**options).start()


# Other versions of Kubernetes

@pytest.mark.parametrize('version, expected', [
    ((1, 20), '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.'),
    ((1, 36), '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable. '
              'preemption: 0/2 nodes are available: 1 %s, 1 %s.' % (NO_VICTIMS, NOT_HELPFUL))])
def test_the_message_is_that_of_the_version(version, expected):
    misfits = [Misfit(['Insufficient cpu'], False), Misfit(['node(s) were unschedulable'], True)]
    assert message({'spec': {}}, misfits, version) == expected
