"""make_pod and make_pvc: the JSON that leaves for the API, argument by argument."""
import copy
import logging
import re

import pytest
from kubernetes import client
from kubernetes.client import ApiClient

from kubespawner import objects
from kubespawner.kube.clients import to_dict
from kubespawner.kube.once import Once
from kubespawner.objects import make_pod, make_pvc

MASK_VOLUME = {'name': 'no-api-access-please', 'emptyDir': {}}
MASK_MOUNT = {
    'name': 'no-api-access-please', 'mountPath': '/var/run/secrets/kubernetes.io/serviceaccount', 'readOnly': True}


def simplest(**more):
    return make_pod(**dict(
        dict(name='test', cmd=['jupyterhub-singleuser'], port=8888, image_spec='jupyter/singleuser:latest',
             image_pull_policy='IfNotPresent'), **more))


SIMPLEST = {
    'apiVersion': 'v1',
    'kind': 'Pod',
    'metadata': {'name': 'test', 'labels': {}, 'annotations': {}},
    'spec': {
        'securityContext': {},
        'automountServiceAccountToken': False,
        'containers': [{
            'name': 'notebook',
            'image': 'jupyter/singleuser:latest',
            'imagePullPolicy': 'IfNotPresent',
            'args': ['jupyterhub-singleuser'],
            'env': [],
            'ports': [{'name': 'notebook-port', 'containerPort': 8888}],
            'resources': {'limits': {}, 'requests': {}},
            'volumeMounts': [MASK_MOUNT],
        }],
        'volumes': [MASK_VOLUME],
    },
}


def test_the_simplest_pod_holds_nothing_that_was_not_asked_for():
    assert ApiClient().sanitize_for_serialization(simplest()) == SIMPLEST


def test_what_goes_to_the_api_is_what_the_client_itself_would_send():
    assert to_dict(simplest()) == SIMPLEST


def test_no_cmd_leaves_the_images_own_command():
    assert 'args' not in to_dict(simplest(cmd=None))['spec']['containers'][0]


HOOKS = {'postStart': {'exec': {'command': ['/bin/true']}}}
INIT = [{'name': 'init', 'image': 'busybox', 'command': ['true']}]
VOLUME = {'name': 'home', 'persistentVolumeClaim': {'claimName': 'claim-a'}}
MOUNT = {'name': 'home', 'mountPath': '/home/jovyan'}


@pytest.mark.parametrize('argument, in_spec', [
    ({'image_pull_secret': 'super'}, {'imagePullSecrets': [{'name': 'super'}]}),
    ({'image_pull_secrets': ['one', {'name': 'two'}]}, {'imagePullSecrets': [{'name': 'one'}, {'name': 'two'}]}),
    ({'node_selector': {'disk': 'ssd'}}, {'nodeSelector': {'disk': 'ssd'}}),
    ({'run_as_uid': 0}, {'securityContext': {'runAsUser': 0}}),
    ({'run_as_uid': 1000}, {'securityContext': {'runAsUser': 1000}}),
    ({'fs_gid': 100}, {'securityContext': {'fsGroup': 100}}),
    ({'supplemental_gids': [100, 200]}, {'securityContext': {'supplementalGroups': [100, 200]}}),
    ({'volumes': [VOLUME]}, {'volumes': [VOLUME, MASK_VOLUME]}),
    ({'init_containers': INIT}, {'initContainers': INIT}),
    ({'run_as_gid': '100'}, {'securityContext': {'runAsGroup': 100}}),
    ({'pod_security_context': {'runAsUser': 5, 'seccomp_profile': {'type': 'Unconfined'}},
      'run_as_uid': 6, 'fs_gid': 7},
     {'securityContext': {'runAsUser': 5, 'fsGroup': 7, 'seccompProfile': {'type': 'Unconfined'}}}),
    ({'scheduler_name': 'own', 'priority_class_name': ''}, {'schedulerName': 'own'}),
    ({'priority_class_name': 'low', 'scheduler_name': None}, {'priorityClassName': 'low'}),
    ({'tolerations': {'2': {'key': 'b'}, '1': {'key': 'a'}}}, {'tolerations': [{'key': 'a'}, {'key': 'b'}]}),
    ({'tolerations': [], 'node_affinity_required': [], 'pod_affinity_preferred': {}}, {}),
    ({'node_affinity_required': [{'matchFields': []}]}, {'affinity': {'nodeAffinity': {
        'requiredDuringSchedulingIgnoredDuringExecution': {'nodeSelectorTerms': [{'matchFields': []}]}}}}),
    ({'pod_anti_affinity_preferred': [{'weight': 1}]}, {'affinity': {'podAntiAffinity': {
        'preferredDuringSchedulingIgnoredDuringExecution': [{'weight': 1}]}}}),
    ({'restart_policy': 'OnFailure'}, {'restartPolicy': 'OnFailure'}),
    ({'extra_pod_config': {'dns_policy': 'Default', 'tolerations': [{'key': 'a'}], 'restartPolicy': 'Always'}},
     {'dnsPolicy': 'Default', 'tolerations': [{'key': 'a'}], 'restartPolicy': 'Always'}),
])
def test_an_argument_adds_to_the_pods_spec_and_to_nothing_else(argument, in_spec):
    pod = to_dict(simplest(**argument))
    assert pod['spec'] == dict(SIMPLEST['spec'], **in_spec)


@pytest.mark.parametrize('argument, in_container', [
    ({'run_privileged': True}, {'securityContext': {'privileged': True}}),
    ({'env': {'A': 'b', 'N': 1, 'NONE': None}}, {'env': [{'name': 'A', 'value': 'b'}, {'name': 'N', 'value': '1'}]}),
    ({'env': {'A': {'value': 1}, 'B': {'name': 'C', 'value_from': {'a': 1}}}},
     {'env': [{'name': 'A', 'value': '1'}, {'name': 'C', 'valueFrom': {'a': 1}}]}),
    ({'container_security_context': {'run_as_user': 5}}, {'securityContext': {'runAsUser': 5}}),
    ({'uid': 0}, {'securityContext': {'runAsUser': 0}}),
    ({'uid': '1000', 'gid': 100}, {'securityContext': {'runAsUser': 1000, 'runAsGroup': 100}}),
    ({'uid': 1, 'gid': 2, 'container_security_context': {'runAsUser': 3}},
     {'securityContext': {'runAsUser': 3, 'runAsGroup': 2}}),
    ({'privileged': True}, {'securityContext': {'privileged': True}}),
    ({'image': 'another:1'}, {'image': 'another:1'}),
    ({'env': {'A': client.V1EnvVar(name='B', value='c')}}, {'env': [{'name': 'B', 'value': 'c'}]}),
    ({'env': {'A': '$(C)', 'B': '1', 'C': {'value': '$(D)'}, 'D': '2'}}, {'env': [
        {'name': 'B', 'value': '1'}, {'name': 'D', 'value': '2'}, {'name': 'C', 'value': '$(D)'},
        {'name': 'A', 'value': '$(C)'}]}),
    ({'extra_container_config': {'env': [{'name': 'A', 'value': '$(B)'}, {'name': 'B', 'value': '1'}]}},
     {'env': [{'name': 'A', 'value': '$(B)'}, {'name': 'B', 'value': '1'}]}),
    ({'container_security_context': {'privileged': False}, 'run_privileged': True},
     {'securityContext': {'privileged': False}}),
    ({'working_dir': '/srv'}, {'workingDir': '/srv'}),
    ({'volume_mounts': [MOUNT]}, {'volumeMounts': [MOUNT, MASK_MOUNT]}),
    ({'cpu_limit': 1.5, 'mem_limit': 1024},
     {'resources': {'limits': {'cpu': 1.5, 'memory': 1024}, 'requests': {}}}),
    ({'cpu_limit': 2}, {'resources': {'limits': {'cpu': 2}, 'requests': {}}}),
    ({'cpu_limit': 0, 'mem_limit': 0.0, 'cpu_guarantee': 1, 'mem_guarantee': 0},
     {'resources': {'limits': {}, 'requests': {'cpu': 1, 'memory': 0}}}),
    ({'cpu_guarantee': 1, 'mem_guarantee': '1G'},
     {'resources': {'limits': {}, 'requests': {'cpu': 1, 'memory': '1G'}}}),
    ({'extra_resource_limits': {'nvidia.com/gpu': 3}, 'extra_resource_guarantees': {'nvidia.com/gpu': '3'}},
     {'resources': {'limits': {'nvidia.com/gpu': 3}, 'requests': {'nvidia.com/gpu': '3'}}}),
    ({'lifecycle_hooks': HOOKS}, {'lifecycle': HOOKS}),
    ({'extra_container_config': {'envFrom': [{'configMapRef': {'name': 'a'}}], 'image_pull_policy': 'Never'}},
     {'envFrom': [{'configMapRef': {'name': 'a'}}], 'imagePullPolicy': 'Never'}),
])
def test_an_argument_adds_to_the_notebook_container_and_to_nothing_else(argument, in_container):
    pod = to_dict(simplest(**argument))
    assert pod['spec']['containers'] == [dict(SIMPLEST['spec']['containers'][0], **in_container)]


def test_labels_and_annotations_are_the_pods():
    pod = to_dict(simplest(labels={'a': 'b'}, annotations={'c': 'd'}))
    assert pod['metadata'] == {'name': 'test', 'labels': {'a': 'b'}, 'annotations': {'c': 'd'}}


def test_what_labels_annotations_and_node_selectors_hold_becomes_strings():
    pod = to_dict(simplest(labels={'n': 1}, annotations={'b': True}, node_selector={'n': 1.5}))
    assert (pod['metadata']['labels'], pod['metadata']['annotations']) == ({'n': '1'}, {'b': 'True'})
    assert pod['spec']['nodeSelector'] == {'n': '1.5'}


def test_an_empty_service_account_is_none():
    assert to_dict(simplest(service_account='')) == SIMPLEST


def test_with_a_service_account_there_is_no_mask():
    spec = to_dict(simplest(service_account='sa', volumes=[VOLUME], volume_mounts=[MOUNT]))['spec']
    assert spec['serviceAccountName'] == 'sa'
    assert 'automountServiceAccountToken' not in spec
    assert spec['volumes'] == [VOLUME]
    assert spec['containers'][0]['volumeMounts'] == [MOUNT]


@pytest.mark.parametrize('account, automount, says', [
    ('sa', None, None), ('sa', True, True), ('sa', False, False), (None, True, True)])
def test_a_token_that_is_asked_for_or_refused_needs_no_mask(account, automount, says):
    spec = to_dict(simplest(service_account=account, automount_service_account_token=automount))['spec']
    assert (spec.get('serviceAccountName'), spec.get('automountServiceAccountToken')) == (account, says)
    assert spec['volumes'] == spec['containers'][0]['volumeMounts'] == []


MASKED = {'name': 'init', 'image': 'busybox', 'volumeMounts': [MASK_MOUNT, MOUNT]}


@pytest.mark.parametrize('key', ['automountServiceAccountToken', 'automount_service_account_token'])
def test_a_token_that_is_asked_for_in_additional_configuration_is_not_masked(key):
    spec = to_dict(simplest(extra_pod_config={key: True}, volumes=[VOLUME], volume_mounts=[MOUNT],
                            init_containers=[MASKED], extra_containers=[MASKED]))['spec']
    assert spec['automountServiceAccountToken'] is True and spec['volumes'] == [VOLUME]
    assert [container['volumeMounts'] for container in spec['containers'] + spec['initContainers']] == [[MOUNT]] * 3


def test_volumes_in_additional_configuration_do_not_leave_the_mask_without_its_volume():
    spec = to_dict(simplest(extra_pod_config={'volumes': [VOLUME]}))['spec']
    assert spec['volumes'] == [VOLUME, MASK_VOLUME]


def test_certificates_are_mounted_and_named_in_the_environment():
    spec = to_dict(simplest(ssl_secret_name='certificates', ssl_secret_mount_path='/etc/ssl/', env={'A': 'b'}))['spec']
    container = spec['containers'][0]
    assert spec['volumes'][0]['secret'] == {'secretName': 'certificates'}
    assert (container['volumeMounts'][0]['name'], container['volumeMounts'][0]['mountPath']) == (
        spec['volumes'][0]['name'], '/etc/ssl/')
    assert {variable['name']: variable['value'] for variable in container['env']} == {
        'A': 'b', 'JUPYTERHUB_SSL_KEYFILE': '/etc/ssl/ssl.key', 'JUPYTERHUB_SSL_CERTFILE': '/etc/ssl/ssl.crt',
        'JUPYTERHUB_SSL_CLIENT_CA': '/etc/ssl/notebooks-ca_trust.crt'}


def test_variables_that_refer_to_each_other_are_told_of_and_keep_their_order(caplog):
    env = {'A': '$(B)', 'X': '$(A)', 'B': '$(A)'}
    variables = simplest(env=env, logger=logging.getLogger('hub')).spec.containers[0].env
    assert [variable.name for variable in variables] == ['A', 'X', 'B']
    assert 'environment variables A, B' in caplog.text


@pytest.mark.parametrize('settings, lost', [
    ({'extra_container_config': {'env': [{'name': 'B'}]}, 'env': {'A': 'a'}}, ['env']),
    ({'extra_container_config': {'security_context': {'run_as_user': 1}}, 'uid': 2}, ['securityContext']),
    ({'extra_pod_config': {'nodeSelector': {'a': 'b'}}, 'node_selector': {'c': 'd'}}, ['nodeSelector']),
    ({'extra_pod_config': {'containers': []}}, ['containers']),
    ({'extra_pod_config': {'nodeSelector': {'c': 'd'}}, 'node_selector': {'c': 'd'}}, []),
    ({'extra_container_config': {'securityContext': {'runAsUser': 1}, 'ports': [], 'image': 'b'}}, []),
    ({'extra_pod_config': {'volumes': [], 'restartPolicy': 'Always'}}, []),
])
def test_what_extra_fields_replace_of_other_settings_is_warned_of_once(settings, lost, caplog, monkeypatch):
    monkeypatch.setattr(objects, '_once', Once())
    for _ in range(2):
        simplest(logger=logging.getLogger('hub'), allow_privilege_escalation=False, **settings)
    assert [re.search(r'replaces all of (\w+)', record.getMessage()).group(1) for record in caplog.records] == lost


def test_a_pod_needs_an_image():
    with pytest.raises(TypeError, match='image'):
        make_pod('test', None, 8888)


@pytest.mark.parametrize('argument', [
    {'cpu_limit': float('inf')}, {'mem_guarantee': float('nan')}, {'extra_resource_limits': {'a': float('inf')}}])
def test_what_is_no_quantity_is_an_error_that_names_the_argument(argument):
    with pytest.raises(ValueError, match='%s.* is no quantity' % list(argument)[0]):
        simplest(**argument)


def test_extra_containers_follow_the_notebook_container():
    sidecar = {'name': 'sidecar', 'image': 'busybox', 'fieldOfTomorrow': {'a_b': 1}}
    assert to_dict(simplest(extra_containers=[sidecar]))['spec']['containers'][1:] == [sidecar]


@pytest.mark.parametrize('argument, field', [('extra_container_config', 'envFrom'), ('extra_pod_config', 'dnsPolicy')])
def test_an_unknown_extra_field_is_an_error_that_lists_the_valid_ones(argument, field):
    with pytest.raises(ValueError) as e:
        simplest(**{argument: {'bogus': 1}})
    assert all(word in str(e.value) for word in (argument, "'bogus'", field))


def test_no_argument_is_changed_and_none_is_part_of_the_pod():
    arguments = dict(
        cmd=['a'], env={'A': 'b'}, labels={'a': 'b'}, annotations={'a': 'b'}, node_selector={'a': 'b'},
        supplemental_gids=[1], extra_resource_limits={'a': '1'}, extra_resource_guarantees={'a': '1'},
        volumes=[copy.deepcopy(VOLUME)], volume_mounts=[copy.deepcopy(MOUNT)], lifecycle_hooks=copy.deepcopy(HOOKS),
        init_containers=copy.deepcopy(INIT), extra_containers=copy.deepcopy(INIT),
        extra_container_config={'envFrom': [{'configMapRef': {'name': 'a'}}]},
        extra_pod_config={'tolerations': [{'key': 'a'}]})
    before = copy.deepcopy(arguments)
    pod = simplest(**arguments)
    pod.metadata.labels['hook'] = 'was here'
    pod.metadata.annotations['hook'] = 'was here'
    pod.spec.node_selector['hook'] = 'was here'
    pod.spec.volumes[0]['name'] = 'hook'
    pod.spec.volumes.append({'name': 'hook'})
    pod.spec.init_containers[0]['command'].append('hook')
    pod.spec.containers[0].args.append('hook')
    pod.spec.containers[0].lifecycle['postStart']['exec']['command'].append('hook')
    pod.spec.containers[0].env_from[0]['configMapRef']['name'] = 'hook'
    pod.spec.containers[1]['command'].append('hook')
    pod.spec.tolerations[0]['key'] = 'hook'
    assert arguments == before


CLAIM = {
    'apiVersion': 'v1',
    'kind': 'PersistentVolumeClaim',
    'metadata': {'name': 'claim', 'labels': {'a': 'b'}, 'annotations': {}},
    'spec': {'accessModes': ['ReadWriteOnce'], 'resources': {'requests': {'storage': '10Gi'}}},
}


@pytest.mark.parametrize('storage', [None, 5, '5Gi'])
def test_the_size_of_a_claim_is_sent_as_it_is_given(storage):
    claim = ApiClient().sanitize_for_serialization(make_pvc('claim', '', [], storage))
    assert claim['spec']['resources'] == {'requests': {'storage': storage}} and claim['metadata']['labels'] == {}


@pytest.mark.parametrize('storage_class', ['', None])
def test_a_claim_without_a_storage_class_leaves_it_to_the_cluster(storage_class):
    claim = make_pvc('claim', storage_class, ['ReadWriteOnce'], '10Gi', {'a': 'b'})
    assert ApiClient().sanitize_for_serialization(claim) == CLAIM


def test_the_selector_of_a_claim_may_come_before_its_size():
    selector = {'matchLabels': {'e': 'f'}}
    given = 'claim', 'gp2', ['ReadWriteOnce']
    expected = make_pvc(*given, storage='10Gi', labels={'a': 'b'}, annotations={'c': 'd'}, selector=selector)
    assert to_dict(make_pvc(*given, selector, '10Gi', {'a': 'b'}, {'c': 'd'})) == to_dict(expected)
    assert to_dict(make_pvc(*given, None, '10Gi')) == to_dict(make_pvc(*given, '10Gi'))


def test_a_storage_class_is_both_field_and_annotation():
    annotations = {'c': 'd'}
    claim = to_dict(make_pvc('claim', 'gp2', ['ReadWriteOnce'], '10Gi', {'a': 'b'}, annotations))
    assert claim['spec'] == dict(CLAIM['spec'], storageClassName='gp2')
    assert claim['metadata']['annotations'] == {'c': 'd', 'volume.beta.kubernetes.io/storage-class': 'gp2'}
    assert annotations == {'c': 'd'}


def test_fields_that_are_newer_than_the_client_pass_through():
    pod = to_dict(simplest(extra_pod_config={'resourceClaims': [{'name': 'gpu'}], 'scheduling_gates': [{'name': 'a'}]},
                           extra_container_config={'resizePolicy': [{'resourceName': 'cpu'}]}))
    assert pod['spec']['resourceClaims'] == [{'name': 'gpu'}]
    assert pod['spec']['schedulingGates'] == [{'name': 'a'}]
    assert pod['spec']['containers'][0]['resizePolicy'] == [{'resourceName': 'cpu'}]


def test_the_client_itself_would_send_what_was_assigned_to_a_model_as_it_is(recwarn):
    pod = simplest(extra_pod_config={'resourceClaims': [{'name': 'gpu', 'field_of_tomorrow': 1}]})
    pod.spec.containers[0].resources.limits = {'cpu': 1.5}
    pod.spec.security_context.run_as_group = '100'
    sent = ApiClient().sanitize_for_serialization(pod)
    assert sent['spec']['resourceClaims'] == [{'name': 'gpu', 'field_of_tomorrow': 1}]
    assert sent['spec']['containers'][0]['resources']['limits'] == {'cpu': 1.5}
    assert sent['spec']['securityContext'] == {'runAsGroup': '100'}
    assert not [warning for warning in recwarn if 'Pydantic' in str(warning.message)]
