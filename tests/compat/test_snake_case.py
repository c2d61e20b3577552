"""Fields of configured objects may be in snake_case, everywhere; they are sent as the API spells them."""
import pytest
from kubernetes import client

from kubespawner.clients import to_dict
from kubespawner.kube.fields import kind_of
from kubespawner.objects import ArgumentError, make_pod, make_pvc
from tests.compat.test_hook_objects import sent_pod
from tests.test_sent_json import api_server  # noqa: F401, a fixture

# What is configured in snake_case: argument of make_pod, its value, the keys that lead to it in the pod, what is there.
CONTAINER_IN_SNAKE_CASE = {
    'name': 'c', 'image_pull_policy': 'Always', 'working_dir': '/w', 'termination_message_path': '/t',
    'volume_mounts': [{'name': 'v', 'mount_path': '/x', 'sub_path': 's', 'sub_path_expr': 'e', 'read_only': True}],
    'volume_devices': [{'name': 'd', 'device_path': '/d'}],
    'env': [{'name': 'A', 'value_from': {'secret_key_ref': {'name': 's', 'key': 'a_b'}}},
            {'name': 'B', 'value_from': {'resource_field_ref': {'container_name': 'c', 'resource': 'limits.cpu'}}}],
    'env_from': [{'config_map_ref': {'name': 'c'}}, {'secret_ref': {'name': 's'}}],
    'ports': [{'container_port': 1, 'host_port': 2}],
    'liveness_probe': {'initial_delay_seconds': 1, 'http_get': {
        'port': 1, 'http_headers': [{'name': 'a_b', 'value': 'c'}]}},
    'readiness_probe': {'tcp_socket': {'port': 1}, 'termination_grace_period_seconds': 1},
    'startup_probe': {'_exec': {'command': ['a_b']}, 'failure_threshold': 1},
    'lifecycle': {'post_start': {'exec': {'command': ['a']}}, 'pre_stop': {'http_get': {'port': 1}}},
    'security_context': {'run_as_user': 1, 'se_linux_options': {'level': 's'}, 'proc_mount': 'a',
                         'seccomp_profile': {'localhost_profile': 'p'},
                         'windows_options': {'gmsa_credential_spec': 'g'}},
    'resources': {'limits': {'a_b': 1}, 'requests': {'nvidia_com/gpu': 1}},
    'resize_policy': [{'resource_name': 'cpu'}],
}
CONTAINER = {
    'name': 'c', 'imagePullPolicy': 'Always', 'workingDir': '/w', 'terminationMessagePath': '/t',
    'volumeMounts': [{'name': 'v', 'mountPath': '/x', 'subPath': 's', 'subPathExpr': 'e', 'readOnly': True}],
    'volumeDevices': [{'name': 'd', 'devicePath': '/d'}],
    'env': [{'name': 'A', 'valueFrom': {'secretKeyRef': {'name': 's', 'key': 'a_b'}}},
            {'name': 'B', 'valueFrom': {'resourceFieldRef': {'containerName': 'c', 'resource': 'limits.cpu'}}}],
    'envFrom': [{'configMapRef': {'name': 'c'}}, {'secretRef': {'name': 's'}}],
    'ports': [{'containerPort': 1, 'hostPort': 2}],
    'livenessProbe': {'initialDelaySeconds': 1, 'httpGet': {
        'port': 1, 'httpHeaders': [{'name': 'a_b', 'value': 'c'}]}},
    'readinessProbe': {'tcpSocket': {'port': 1}, 'terminationGracePeriodSeconds': 1},
    'startupProbe': {'exec': {'command': ['a_b']}, 'failureThreshold': 1},
    'lifecycle': {'postStart': {'exec': {'command': ['a']}}, 'preStop': {'httpGet': {'port': 1}}},
    'securityContext': {'runAsUser': 1, 'seLinuxOptions': {'level': 's'}, 'procMount': 'a',
                        'seccompProfile': {'localhostProfile': 'p'}, 'windowsOptions': {'gmsaCredentialSpec': 'g'}},
    'resources': {'limits': {'a_b': 1}, 'requests': {'nvidia_com/gpu': 1}},
    'resizePolicy': [{'resourceName': 'cpu'}],
}
SELECTOR_IN_SNAKE_CASE = {'match_labels': {'a_b': 'c_d'}, 'match_expressions': [{'key': 'a_b', 'operator': 'Exists'}]}
SELECTOR = {'matchLabels': {'a_b': 'c_d'}, 'matchExpressions': [{'key': 'a_b', 'operator': 'Exists'}]}
POD_TERM_IN_SNAKE_CASE = {'topology_key': 'z', 'label_selector': SELECTOR_IN_SNAKE_CASE,
                          'namespace_selector': SELECTOR_IN_SNAKE_CASE, 'mismatch_label_keys': ['a_b']}
POD_TERM = {'topologyKey': 'z', 'labelSelector': SELECTOR, 'namespaceSelector': SELECTOR, 'mismatchLabelKeys': ['a_b']}
VOLUMES = [
    ({'persistent_volume_claim': {'claim_name': 'c', 'read_only': True}},
     {'persistentVolumeClaim': {'claimName': 'c', 'readOnly': True}}),
    ({'host_path': {'path': '/a_b'}}, {'hostPath': {'path': '/a_b'}}),
    ({'empty_dir': {'size_limit': 1}}, {'emptyDir': {'sizeLimit': 1}}),
    ({'config_map': {'default_mode': 1, 'items': [{'key': 'a_b', 'path': 'c_d'}]}},
     {'configMap': {'defaultMode': 1, 'items': [{'key': 'a_b', 'path': 'c_d'}]}}),
    ({'projected': {'default_mode': 1, 'sources': [
        {'config_map': {'name': 'a'}}, {'service_account_token': {'expiration_seconds': 1}},
        {'downward_api': {'items': [{'path': 'p', 'field_ref': {'field_path': 'metadata.labels'}}]}},
        {'cluster_trust_bundle': {'signer_name': 's', 'label_selector': {'match_labels': {'a_b': 'c'}}}}]}},
     {'projected': {'defaultMode': 1, 'sources': [
         {'configMap': {'name': 'a'}}, {'serviceAccountToken': {'expirationSeconds': 1}},
         {'downwardAPI': {'items': [{'path': 'p', 'fieldRef': {'fieldPath': 'metadata.labels'}}]}},
         {'clusterTrustBundle': {'signerName': 's', 'labelSelector': {'matchLabels': {'a_b': 'c'}}}}]}}),
    ({'csi': {'driver': 'd', 'volume_attributes': {'a_b': 'c'}, 'node_publish_secret_ref': {'name': 's'}}},
     {'csi': {'driver': 'd', 'volumeAttributes': {'a_b': 'c'}, 'nodePublishSecretRef': {'name': 's'}}}),
    ({'flex_volume': {'fs_type': 'f', 'options': {'a_b': 'c'}, 'secret_ref': {'name': 's'}}},
     {'flexVolume': {'fsType': 'f', 'options': {'a_b': 'c'}, 'secretRef': {'name': 's'}}}),
    ({'ephemeral': {'volume_claim_template': {
        'metadata': {'labels': {'a_b': 'c'}},
        'spec': {'access_modes': ['a'], 'storage_class_name': 's', 'resources': {'requests': {'a_b': 1}},
                 'data_source_ref': {'api_group': 'g'}}}}},
     {'ephemeral': {'volumeClaimTemplate': {
         'metadata': {'labels': {'a_b': 'c'}},
         'spec': {'accessModes': ['a'], 'storageClassName': 's', 'resources': {'requests': {'a_b': 1}},
                  'dataSourceRef': {'apiGroup': 'g'}}}}}),
    ({'aws_elastic_block_store': {'volume_id': 'v'}}, {'awsElasticBlockStore': {'volumeID': 'v'}}),
    ({'fc': {'target_ww_ns': ['a']}}, {'fc': {'targetWWNs': ['a']}}),
    ({'fc': {'target_wwns': ['a']}}, {'fc': {'targetWWNs': ['a']}}),
    ({'image': {'pull_policy': 'Never'}}, {'image': {'pullPolicy': 'Never'}}),
]
REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution'
PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution'
NODE_TERM = {'matchExpressions': [{'key': 'a_b', 'operator': 'In', 'values': ['c_d']}], 'matchFields': []}
NODE_TERM_IN_SNAKE_CASE = {'match_expressions': NODE_TERM['matchExpressions'], 'match_fields': []}
SENT = [
    ('init_containers', [CONTAINER_IN_SNAKE_CASE], ('initContainers',), [CONTAINER]),
    ('init_containers', {'a_b': CONTAINER_IN_SNAKE_CASE}, ('initContainers',), [CONTAINER]),
    ('extra_containers', [CONTAINER_IN_SNAKE_CASE], ('containers', 1), CONTAINER),
    ('volume_mounts', [{'name': 'v', 'mount_path': '/x', 'mount_propagation': 'None', 'recursive_read_only': 'a'}],
     ('containers', 0, 'volumeMounts', 0),
     {'name': 'v', 'mountPath': '/x', 'mountPropagation': 'None', 'recursiveReadOnly': 'a'}),
    ('env', {'A_B': {'value_from': {'field_ref': {'field_path': 'p', 'api_version': 'v1'}}}},
     ('containers', 0, 'env', 0),
     {'name': 'A_B', 'valueFrom': {'fieldRef': {'fieldPath': 'p', 'apiVersion': 'v1'}}}),
    ('lifecycle_hooks', {'post_start': {'http_get': {'port': 1}}, 'pre_stop': {'sleep': {'seconds': 1}}},
     ('containers', 0, 'lifecycle'), {'postStart': {'httpGet': {'port': 1}}, 'preStop': {'sleep': {'seconds': 1}}}),
    ('tolerations', [{'toleration_seconds': 1}], ('tolerations', 0), {'tolerationSeconds': 1}),
    ('node_affinity_required', [NODE_TERM_IN_SNAKE_CASE], ('affinity', 'nodeAffinity', REQUIRED),
     {'nodeSelectorTerms': [NODE_TERM]}),
    ('node_affinity_preferred', [{'weight': 1, 'preference': NODE_TERM_IN_SNAKE_CASE}],
     ('affinity', 'nodeAffinity', PREFERRED), [{'weight': 1, 'preference': NODE_TERM}]),
    ('pod_affinity_required', [POD_TERM_IN_SNAKE_CASE], ('affinity', 'podAffinity', REQUIRED), [POD_TERM]),
    ('pod_anti_affinity_preferred', [{'weight': 1, 'pod_affinity_term': POD_TERM_IN_SNAKE_CASE}],
     ('affinity', 'podAntiAffinity', PREFERRED), [{'weight': 1, 'podAffinityTerm': POD_TERM}]),
    ('container_security_context', {'se_linux_options': {'level': 's'}, 'windows_options': {'host_process': True}},
     ('containers', 0, 'securityContext'),
     {'seLinuxOptions': {'level': 's'}, 'windowsOptions': {'hostProcess': True}}),
    ('pod_security_context', {'fs_group_change_policy': 'a', 'app_armor_profile': {'localhost_profile': 'p'}},
     ('securityContext',), {'fsGroupChangePolicy': 'a', 'appArmorProfile': {'localhostProfile': 'p'}}),
    ('extra_container_config', {'liveness_probe': {'http_get': {'port': 1}}},
     ('containers', 0, 'livenessProbe'), {'httpGet': {'port': 1}}),
    ('extra_pod_config', {'containers': [CONTAINER_IN_SNAKE_CASE]}, ('containers',), [CONTAINER]),
    ('extra_pod_config', {'ephemeral_containers': [{'target_container_name': 't', 'volume_mounts': []}]},
     ('ephemeralContainers',), [{'targetContainerName': 't', 'volumeMounts': []}]),
    ('extra_pod_config', {'topology_spread_constraints': [{'max_skew': 1, 'label_selector': SELECTOR_IN_SNAKE_CASE}]},
     ('topologySpreadConstraints',), [{'maxSkew': 1, 'labelSelector': SELECTOR}]),
    ('extra_pod_config', {'affinity': {'node_affinity': {
        'required_during_scheduling_ignored_during_execution': {'node_selector_terms': [NODE_TERM_IN_SNAKE_CASE]}}}},
     ('affinity', 'nodeAffinity', REQUIRED), {'nodeSelectorTerms': [NODE_TERM]}),
    ('extra_pod_config', {'node_selector': {'a_b': 'c'}, 'overhead': {'a_b': 1}}, ('nodeSelector',), {'a_b': 'c'}),
    ('extra_pod_config', {'resource_claims': [{'resource_claim_name': 'r'}]},
     ('resourceClaims',), [{'resourceClaimName': 'r'}]),
    ('extra_pod_config', {'dns_config': {'options': [{'name': 'a_b', 'value': 'c'}]}, 'set_hostname_as_fqdn': True},
     ('setHostnameAsFQDN',), True),
] + [('volumes', [dict(given, name='v')], ('volumes', 0), dict(sent, name='v')) for given, sent in VOLUMES]


def pod_of(**arguments):
    return to_dict(make_pod(name='p', cmd=['a'], port=8888, image_spec='i', image_pull_policy=None, **arguments))


@pytest.mark.parametrize('argument, given, path, sent', SENT, ids=lambda value: value if isinstance(value, str) else '')
def test_known_fields_are_sent_in_camel_case_and_the_users_own_keys_as_they_are(argument, given, path, sent):
    part = pod_of(**{argument: given})['spec']
    for step in path:
        part = part[step]
    assert part == sent


def test_what_is_configured_is_not_changed():
    given = {'name': 'v', 'host_path': {'path': '/'}}
    pod_of(volumes=[given])
    assert given == {'name': 'v', 'host_path': {'path': '/'}}


def test_keys_keep_their_order():
    volume = pod_of(volumes=[{'host_path': {'path': '/'}, 'name': 'v'}])['spec']['volumes'][0]
    assert list(volume) == ['hostPath', 'name']


def test_a_field_that_no_client_knows_stays_as_it_is():
    given = {'name': 'c', 'field_of_tomorrow': {'a_b': 1}, 'fieldOfTomorrow': {'a_b': 1}}
    assert pod_of(init_containers=[given])['spec']['initContainers'] == [given]


def test_the_selector_of_a_claim_may_be_in_snake_case():
    claim = to_dict(make_pvc(name='c', storage_class=None, access_modes=[], storage='1G', labels={},
                             selector=SELECTOR_IN_SNAKE_CASE))
    assert claim['spec']['selector'] == SELECTOR


BOTH = {'mount_path': '/a', 'mountPath': '/b'}


@pytest.mark.parametrize('argument, given, where', [
    ('volume_mounts', [{}, BOTH], "[1] has both 'mount_path' and 'mountPath'"),
    ('volume_mounts', {'v': BOTH}, "['v'] has both 'mount_path' and 'mountPath'"),
    ('init_containers', [{'volume_mounts': [BOTH]}], "[0]['volumeMounts'][0] has both 'mount_path' and 'mountPath'"),
    ('env', {'A': {'valueFrom': {'fieldRef': {'field_path': 'a', 'fieldPath': 'b'}}}},
     "['valueFrom']['fieldRef'] has both 'field_path' and 'fieldPath'"),
    ('extra_pod_config', {'host_pid': True, 'hostPID': False}, ": has both 'host_pid' and 'hostPID'"),
    ('lifecycle_hooks', {'post_start': {}, 'postStart': {'exec': {}}}, ": has both 'post_start' and 'postStart'"),
])
def test_a_field_in_both_spellings_with_different_values_is_told(argument, given, where):
    with pytest.raises(ArgumentError) as e:
        pod_of(**{argument: given})
    assert e.value.argument == argument
    assert e.value.problem.lstrip().startswith(where)


def test_a_field_in_both_spellings_with_the_same_value_is_sent_once():
    pod = pod_of(volume_mounts=[{'name': 'v', 'mount_path': '/a', 'mountPath': '/a'}])
    assert pod['spec']['containers'][0]['volumeMounts'][0] == {'name': 'v', 'mountPath': '/a'}


@pytest.mark.gen_test
def test_the_error_names_the_setting(api_server):  # noqa: F811
    with pytest.raises(ValueError, match=r"KubeSpawner.volume_mounts\[0\] has both 'mount_path'"):
        yield sent_pod(api_server, None, volume_mounts=[BOTH])


@pytest.mark.gen_test
def test_a_claim_in_snake_case_gets_the_name_that_it_gets_in_camel_case(api_server):  # noqa: F811
    name = 'claim-%s-{username}' % ('x' * 80)
    camel = yield sent_pod(api_server, None, volumes=[{'name': 'v', 'persistentVolumeClaim': {'claimName': name}}])
    snake = yield sent_pod(api_server, None, volumes=[{'name': 'v', 'persistent_volume_claim': {'claim_name': name}}])
    assert snake['spec']['volumes'][0] == camel['spec']['volumes'][0]
    assert len(snake['spec']['volumes'][0]['persistentVolumeClaim']['claimName']) < 80


@pytest.mark.gen_test
def test_what_a_hook_adds_in_snake_case_is_sent_in_camel_case(api_server):  # noqa: F811
    def hook(spawner, pod):
        pod.spec.volumes.append({'name': 'v', 'host_path': {'path': '/'}})
        pod.spec.containers[1]['volumeMounts'] = [{'name': 'v', 'mount_path': '/x'}]
        pod.spec.affinity = {'node_affinity': client.V1NodeAffinity()}
        return pod

    pod = yield sent_pod(api_server, hook)
    assert pod['spec']['volumes'][-1] == {'name': 'v', 'hostPath': {'path': '/'}}
    assert pod['spec']['containers'][1]['volumeMounts'] == [{'name': 'v', 'mountPath': '/x'}]
    assert pod['spec']['affinity'] == {'nodeAffinity': {}}


def test_all_kinds_in_a_pod_are_known_on_this_client():
    kinds, todo = set(), ['V1PodSpec', 'V1ObjectMeta']
    while todo:
        kind = kind_of(todo.pop())
        assert kind.attributes, kind.name
        kinds.add(kind.name)
        todo += [name for _, name in kind.types.values() if name not in kinds]
    assert {'V1Container', 'V1EphemeralContainer', 'V1TopologySpreadConstraint', 'V1PodCertificateProjection'} <= kinds
