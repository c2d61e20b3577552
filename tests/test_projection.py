"""What `kubespawner manifest --diff CONTEXT` finds different between what a start sets and what a cluster has."""
import copy

import pytest

from kubespawner.commands.projection import projected

SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

OURS = {
    'apiVersion': 'v1', 'kind': 'Pod',
    'metadata': {'name': 'jupyter-ann', 'namespace': 'users', 'labels': {'app': 'jupyterhub', 'empty': ''},
                 'annotations': {'hub.jupyter.org/username': 'ann'}},
    'spec': {
        'automountServiceAccountToken': True, 'restartPolicy': 'OnFailure', 'securityContext': {'fsGroup': 0},
        'containers': [{
            'name': 'notebook', 'image': 'image:1.0', 'args': ['start', '--token=<token>'],
            'env': [{'name': 'A', 'value': '1.0'}, {'name': 'NOTHING', 'value': ''},
                    {'name': 'JUPYTERHUB_API_TOKEN', 'value': '<token>'}, {'name': 'URL', 'value': 'db://u:<hidden>@h/'}],
            'ports': [{'containerPort': 8888, 'name': 'notebook-port'}],
            'resources': {'limits': {'cpu': 0.5, 'memory': 1073741824}, 'requests': {'nvidia.com/gpu': '1'}},
            'securityContext': {'allowPrivilegeEscalation': False, 'privileged': False},
            'volumeMounts': [{'name': 'home', 'mountPath': '/home', 'readOnly': False},
                             {'name': 'home', 'mountPath': '/data', 'subPath': 'data'}]}],
        'tolerations': [{'key': 'hub.jupyter.org/dedicated', 'value': 'user', 'effect': 'NoSchedule'}],
        'volumes': [{'name': 'home', 'persistentVolumeClaim': {'claimName': 'claim-ann'}},
                    {'name': 'scratch', 'emptyDir': {'sizeLimit': '1Gi'}}]}}


def running(pod):
    """Return a pod as a cluster has it while it runs: with what Kubernetes adds, and in its spelling."""
    pod = copy.deepcopy(pod)
    pod['metadata'].update(uid='8c1f', resourceVersion='7', creationTimestamp='2018-01-01T00:00:00Z', generation=1)
    pod['metadata']['annotations'].update({'hub.jupyter.org/spawn-id': '1f', 'cni.example.org/address': '10.1.2.3'})
    pod['metadata']['labels']['topology.kubernetes.io/zone'] = 'a'
    pod['status'] = {'phase': 'Running'}
    pod['spec'].update(
        nodeName='n', dnsPolicy='ClusterFirst', enableServiceLinks=True, preemptionPolicy='PreemptLowerPriority',
        priority=0, schedulerName='default-scheduler', serviceAccount='default', serviceAccountName='default',
        terminationGracePeriodSeconds=30, imagePullSecrets=[{'name': 'of-the-service-account'}])
    container, = pod['spec']['containers']
    container.update(imagePullPolicy='IfNotPresent', terminationMessagePath='/dev/termination-log',
                     terminationMessagePolicy='File', args=['start', '--token=0123456789abcdef'],
                     resources={'limits': {'cpu': '500m', 'memory': '1Gi'},
                                'requests': {'cpu': '500m', 'memory': '1Gi', 'nvidia.com/gpu': '1'}})
    container['ports'][0]['protocol'] = 'TCP'
    for value, key in ((container['env'][1], 'value'), (container['securityContext'], 'privileged'),
                       (container['volumeMounts'][0], 'readOnly')):
        del value[key]
    container['env'][2]['value'], container['env'][3]['value'] = '0123456789abcdef', 'db://u:sesame@h/'
    container['volumeMounts'].append(
        {'name': 'kube-api-access-x7k2p', 'mountPath': SERVICE_ACCOUNT, 'readOnly': True})
    pod['spec']['volumes'][1]['emptyDir']['sizeLimit'] = '1024Mi'
    pod['spec']['volumes'].append({'name': 'kube-api-access-x7k2p', 'projected': {'defaultMode': 420, 'sources': []}})
    pod['spec']['tolerations'] += [
        {'key': 'node.kubernetes.io/' + key, 'operator': 'Exists', 'effect': 'NoExecute', 'tolerationSeconds': 300}
        for key in ('not-ready', 'unreachable')] + [
        {'key': 'nvidia.com/gpu', 'operator': 'Exists', 'effect': 'NoSchedule'}]
    return pod


def at(value, path):
    for key in path:
        value = value[key]
    return value


CONTAINER = 'spec', 'containers', 0


def test_what_kubernetes_adds_and_writes_in_another_way_is_no_difference():
    live = running(OURS)
    before = copy.deepcopy((OURS, live))
    assert projected(OURS, live) == OURS
    assert (OURS, live) == before


def test_the_token_volume_of_old_clusters_is_no_difference():
    live = running(OURS)
    for items in live['spec']['volumes'], live['spec']['containers'][0]['volumeMounts']:
        items[-1]['name'] = 'default-token-x7k2p'
    assert projected(OURS, live) == OURS


CHANGES = [
    (CONTAINER + ('image',), 'image:1'),
    (CONTAINER + ('env', 0, 'value'), '1'),
    (CONTAINER + ('args', 0), 'stop'),
    (CONTAINER + ('ports', 0, 'containerPort'), 8889),
    (CONTAINER + ('volumeMounts', 1, 'subPath'), 'other'),
    (CONTAINER + ('securityContext', 'allowPrivilegeEscalation'), True),
    (('spec', 'securityContext', 'fsGroup'), 100),
    (('spec', 'volumes', 1, 'emptyDir', 'sizeLimit'), '2Gi'),
    (('spec', 'tolerations', 0, 'tolerationSeconds'), 5),
    (('metadata', 'labels', 'app'), 'other'),
]


@pytest.mark.parametrize('path, value', CHANGES)
def test_a_value_that_differs_is_the_only_difference(path, value):
    live, expected = running(OURS), copy.deepcopy(OURS)
    for pod in (live, expected):
        at(pod, path[:-1])[path[-1]] = value
    assert projected(OURS, live) == expected


ONLY_LIVE = [
    (('metadata', 'labels'), 'team', 'red'),
    (('metadata', 'annotations'), 'hub.jupyter.org/old', ''),
    (('metadata', 'annotations'), 'contact', 'bob'),
    (('spec',), 'nodeSelector', {'disk': 'ssd'}),
    (('spec',), 'serviceAccountName', 'other'),
    (('spec',), 'schedulerName', 'other'),
    (('spec',), 'terminationGracePeriodSeconds', 0),
    (('spec',), 'affinity', {'nodeAffinity': {'preferredDuringSchedulingIgnoredDuringExecution': [{'weight': 1}]}}),
    (('spec', 'securityContext'), 'runAsUser', 0),
    (CONTAINER, 'workingDir', '/srv'),
    (CONTAINER + ('resources', 'limits'), 'memory-of-others', '1'),
    (CONTAINER + ('resources', 'requests'), 'memory', '1G'),
    (CONTAINER + ('env', 0), 'valueFrom', {'fieldRef': {'fieldPath': 'metadata.name'}}),
    (CONTAINER + ('volumeMounts', 0), 'subPath', 'a'),
    (('spec', 'volumes', 1), 'hostPath', {'path': '/'}),
]


@pytest.mark.parametrize('path, key, value', ONLY_LIVE)
def test_a_field_that_a_start_would_leave_out_is_a_difference(path, key, value):
    live, expected = running(OURS), copy.deepcopy(OURS)
    for pod in (live, expected):
        at(pod, path)[key] = value
    assert projected(OURS, live) == expected


def test_what_a_start_would_leave_out_of_a_field_as_a_whole_is_a_difference():
    ours, live = ({'kind': 'Pod', 'metadata': {}, 'spec': {'containers': [{'name': 'c'}]}} for _ in range(2))
    live['metadata']['labels'] = {'team': 'red', 'topology.kubernetes.io/zone': 'a'}
    live['spec'].update(securityContext={'fsGroup': 0}, runtimeClassName='gvisor')
    live['spec']['containers'][0]['resources'] = {'limits': {'memory': '1G'}, 'requests': {'memory': '1G'}}
    assert projected(ours, live) == {
        'kind': 'Pod', 'metadata': {'labels': {'team': 'red'}},
        'spec': {'securityContext': {'fsGroup': 0}, 'runtimeClassName': 'gvisor',
                 'containers': [{'name': 'c', 'resources': {'limits': {'memory': '1G'}}}]}}
    live = {'kind': 'Pod', 'metadata': {'annotations': {'cni.example.org/address': '10.1.2.3'}}, 'spec': {
        'securityContext': {}, 'containers': [{'name': 'c', 'resources': {}}]}}
    assert projected(ours, live) == ours


ENTRIES = [
    (CONTAINER + ('env',), {'name': 'B', 'value': 'b'}),
    (CONTAINER + ('volumeMounts',), {'name': 'scratch', 'mountPath': '/scratch'}),
    (CONTAINER + ('ports',), {'containerPort': 80, 'name': 'http'}),
    (('spec', 'containers'), {'name': 'sidecar', 'image': 'other'}),
    (('spec', 'volumes'), {'name': 'more', 'emptyDir': {}}),
    (('spec', 'volumes'), {'name': 'of-user', 'secret': {'secretName': 'user-token-x'}}),
    (('spec', 'tolerations'), {'key': 'a', 'operator': 'Exists'}),
]


@pytest.mark.parametrize('is_first', [True, False])
@pytest.mark.parametrize('path, entry', ENTRIES)
def test_an_entry_that_only_the_cluster_has_is_a_difference_wherever_it_is(path, entry, is_first):
    live, expected = running(OURS), copy.deepcopy(OURS)
    at(live, path).insert(0, copy.deepcopy(entry)) if is_first else at(live, path).append(copy.deepcopy(entry))
    at(expected, path).insert(0 if is_first else len(at(OURS, path)), entry)
    assert projected(OURS, live) == expected


def test_arguments_are_told_by_their_position():
    live = running(OURS)
    live['spec']['containers'][0]['args'].append('--more')
    assert projected(OURS, live)['spec']['containers'][0]['args'] == ['start', '--token=<token>', '--more']


@pytest.mark.parametrize('path', [
    CONTAINER + ('env', 0), CONTAINER + ('args', 1), ('spec', 'tolerations', 0), ('spec', 'volumes', 0),
    ('spec', 'automountServiceAccountToken'), ('metadata', 'labels', 'empty'), ('spec', 'securityContext', 'fsGroup')])
def test_what_the_cluster_does_not_have_is_a_difference(path):
    live, expected = running(OURS), copy.deepcopy(OURS)
    for pod in (live, expected):
        del at(pod, path[:-1])[path[-1]]
    assert projected(OURS, live) == expected


@pytest.mark.parametrize('ours, shown', [
    ({}, {}), ({'emptyDir': {}}, {'emptyDir': {}}), ({'hostPath': {'path': '/'}}, {'emptyDir': {}})])
def test_an_empty_directory_is_what_a_volume_without_a_source_is(ours, shown):
    pods = [{'kind': 'Pod', 'metadata': {}, 'spec': {'volumes': [dict(source, name='a')]}}
            for source in (ours, {'emptyDir': {}})]
    assert projected(*pods)['spec']['volumes'] == [dict(shown, name='a')]


def test_the_volume_that_hides_the_token_is_a_difference():
    live, name = running(OURS), 'no-api-access-please'
    live['spec']['containers'][0]['volumeMounts'][-1]['name'] = live['spec']['volumes'][-1]['name'] = name
    found = projected(OURS, live)['spec']
    assert [each['name'] for each in found['volumes']] == ['home', 'scratch', name]
    assert [each['name'] for each in found['containers'][0]['volumeMounts']] == ['home', 'home', name]


@pytest.mark.parametrize('limits, requests, shown', [
    ({'cpu': '500m'}, {'cpu': '500m'}, {'limits': {'cpu': 0.5}, 'requests': {}}),
    ({'cpu': '1'}, {'cpu': '1'}, {'limits': {'cpu': '1'}, 'requests': {}}),
    ({'cpu': '500m'}, {'cpu': '100m'}, {'limits': {'cpu': 0.5}, 'requests': {'cpu': '100m'}}),
    ({'cpu': '500m', 'memory': '1G'}, {'cpu': '500m', 'memory': '1G'}, {
        'limits': {'cpu': 0.5, 'memory': '1G'}, 'requests': {}}),
    (None, None, {'requests': {}})])
def test_requests_that_kubernetes_has_copied_from_limits_are_no_difference(limits, requests, shown):
    ours, live = ({'kind': 'Pod', 'metadata': {}, 'spec': {'containers': [{'name': 'c', 'resources': {
        key: value for key, value in resources if value is not None}}]}} for resources in (
            [('limits', {'cpu': 0.5}), ('requests', {})], [('limits', limits), ('requests', requests)]))
    assert projected(ours, live)['spec']['containers'][0]['resources'] == shown


def test_a_sidecar_is_shown_without_what_kubernetes_adds():
    live = running(OURS)
    sidecar = dict(copy.deepcopy(live['spec']['containers'][0]), name='sidecar', env=[{'name': 'B', 'value': 'b'}],
                   volumeMounts=live['spec']['containers'][0]['volumeMounts'][-1:], resources={}, args=['x'])
    live['spec']['containers'].append(sidecar)
    assert projected(OURS, live)['spec']['containers'][1] == {
        'name': 'sidecar', 'image': 'image:1.0', 'args': ['x'], 'env': [{'name': 'B', 'value': 'b'}],
        'ports': [{'containerPort': 8888, 'name': 'notebook-port'}],
        'securityContext': {'allowPrivilegeEscalation': False}}


@pytest.mark.parametrize('annotation, path, values', [
    ('kubernetes.io/limit-ranger', CONTAINER + ('resources', 'limits'), {'ephemeral-storage': '1Gi'}),
    ('openshift.io/scc', ('spec', 'securityContext'), {'seLinuxOptions': {'level': 's0:c1,c0'}, 'runAsUser': 1000})])
def test_what_somebody_else_says_to_have_set_is_no_difference(annotation, path, values):
    live = running(OURS)
    at(live, path).update(values)
    assert projected(OURS, live) != OURS
    live['metadata']['annotations'][annotation] = 'restricted'
    assert projected(OURS, live) == OURS


@pytest.mark.parametrize('kind', ['Namespace', 'PersistentVolumeClaim'])
def test_labels_that_others_may_have_given_to_what_stays_are_no_difference(kind):
    ours = {'kind': kind, 'metadata': {'name': 'a', 'labels': {'app': 'jupyterhub'}}}
    live = {'kind': kind, 'metadata': {'name': 'a', 'labels': {'app': 'jupyterhub', 'cost-center': '7',
                                                              'hub.jupyter.org/old': 'x'}}}
    assert projected(ours, live)['metadata']['labels'] == {'app': 'jupyterhub', 'hub.jupyter.org/old': 'x'}


def test_keys_with_a_prefix_of_ours_are_a_difference():
    ours = {'kind': 'Pod', 'metadata': {'labels': {'example.org/a': '1', 'app.kubernetes.io/name': 'j'}}}
    live = {'kind': 'Pod', 'metadata': {'labels': {
        'example.org/a': '1', 'example.org/b': '2', 'app.kubernetes.io/name': 'j', 'other.org/c': '3'}}}
    assert projected(ours, live)['metadata']['labels'] == {
        'example.org/a': '1', 'example.org/b': '2', 'app.kubernetes.io/name': 'j'}


def test_a_claim_differs_in_its_size_and_not_in_what_was_bound():
    ours = {'kind': 'PersistentVolumeClaim', 'metadata': {'name': 'c'},
            'spec': {'accessModes': ['ReadWriteOnce'], 'resources': {'requests': {'storage': '10Gi'}}}}
    live = copy.deepcopy(ours)
    live['spec'].update(volumeName='pv-1', volumeMode='Filesystem', storageClassName='standard')
    live['spec']['resources']['requests']['storage'] = '10240Mi'
    assert projected(ours, live) == ours
    live['spec']['resources']['requests']['storage'] = '5Gi'
    assert projected(ours, live)['spec']['resources']['requests'] == {'storage': '5Gi'}


@pytest.mark.parametrize('ours, live, shown', [
    ('x:<hidden>', 'y:sesame', '<hidden>'), ('<token>', 'a\nb', '<token>'), ('plain', 'sesame', 'sesame'),
    ('plain', 'x 0123456789abcdef0', 'x <hidden>'),
    ('plain', 'id 01234567-89ab-cdef-0123-456789abcdef', 'id <hidden>'),
    ('plain', 'registry.example.org/team/notebook-2018:1', 'registry.example.org/team/notebook-2018:1')])
def test_texts_that_may_be_secret_are_hidden_in_what_differs(ours, live, shown):
    objects = [{'kind': 'Pod', 'metadata': {}, 'spec': {'containers': [{'name': 'c', 'env': [
        {'name': 'A', 'value': value}]}]}} for value in (ours, live)]
    assert projected(*objects)['spec']['containers'][0]['env'] == [{'name': 'A', 'value': shown}]
