"""The checker of the Pod Security Standard accepts what the standard allows, and names each field that it forbids."""
import copy

import pytest

from tests.support.pod_security import violations

ACCEPTED = {
    'securityContext': {'runAsNonRoot': True, 'runAsUser': 1000, 'seccompProfile': {'type': 'RuntimeDefault'}},
    'containers': [{'name': 'c', 'securityContext': {
        'allowPrivilegeEscalation': False, 'capabilities': {'drop': ['ALL'], 'add': ['NET_BIND_SERVICE']}}}],
    'volumes': [{'name': 'home', 'persistentVolumeClaim': {'claimName': 'home'}}, {'name': 'tmp', 'emptyDir': {}}],
}


def test_a_pod_that_meets_the_standard_has_no_violations():
    assert violations(ACCEPTED) == []


def test_a_pod_without_any_security_context_violates_all_that_must_be_said():
    assert violations({'containers': [{'name': 'c'}]}) == [
        'c: allowPrivilegeEscalation is not false', 'c: runAsNonRoot is not true',
        'c: seccompProfile is neither RuntimeDefault nor Localhost', 'c: capabilities: ALL is not dropped']


@pytest.mark.parametrize('fields, problem', [
    ({'hostNetwork': True}, 'pod: hostNetwork'),
    ({'hostPID': True}, 'pod: hostPID'),
    ({'hostIPC': True}, 'pod: hostIPC'),
    ({'volumes': [{'name': 'v', 'hostPath': {'path': '/'}}]}, 'pod: a volume of type hostPath'),
    ({'volumes': [{'name': 'v', 'nfs': {}}]}, 'pod: a volume of type nfs'),
])
def test_a_field_of_the_pod_that_is_forbidden_is_named(fields, problem):
    assert violations(dict(ACCEPTED, **fields)) == [problem]


@pytest.mark.parametrize('fields, problem', [
    ({'runAsUser': 0}, 'pod: runAsUser is 0'),
    ({'runAsNonRoot': False}, 'c: runAsNonRoot is not true'),
    ({'seccompProfile': {'type': 'Unconfined'}}, 'c: seccompProfile is neither RuntimeDefault nor Localhost'),
    ({'seLinuxOptions': {'type': 'spc_t'}}, 'pod: seLinuxOptions'),
    ({'sysctls': [{'name': 'kernel.msgmax', 'value': '1'}]}, 'pod: the sysctl kernel.msgmax'),
])
def test_a_field_of_the_pods_security_context_that_is_forbidden_is_named(fields, problem):
    spec = dict(ACCEPTED, securityContext=dict(ACCEPTED['securityContext'], **fields))
    assert violations(spec) == [problem]


@pytest.mark.parametrize('kind', ['containers', 'initContainers'])
@pytest.mark.parametrize('fields, problem', [
    ({'privileged': True}, 'd: privileged'),
    ({'runAsUser': 0}, 'd: runAsUser is 0'),
    ({'runAsNonRoot': False}, 'd: runAsNonRoot is not true'),
    ({'allowPrivilegeEscalation': True}, 'd: allowPrivilegeEscalation is not false'),
    ({'capabilities': {'drop': ['NET_RAW']}}, 'd: capabilities: ALL is not dropped'),
    ({'capabilities': {'drop': ['ALL'], 'add': ['SYS_ADMIN']}}, 'd: capabilities: SYS_ADMIN is added'),
    ({'seccompProfile': {'type': 'Unconfined'}}, 'd: seccompProfile is neither RuntimeDefault nor Localhost'),
    ({'procMount': 'Unmasked'}, 'd: procMount'),
])
def test_a_field_of_any_container_that_is_forbidden_is_named(kind, fields, problem):
    spec = copy.deepcopy(ACCEPTED)
    container = dict(spec['containers'][0], name='d')
    container['securityContext'] = dict(container['securityContext'], **fields)
    spec.setdefault(kind, []).append(container)
    assert violations(spec) == [problem]


@pytest.mark.parametrize('fields, problem', [
    ({'ports': [{'containerPort': 80, 'hostPort': 80}]}, 'c: a hostPort'),
    ({'livenessProbe': {'httpGet': {'host': '10.0.0.1', 'port': 80}}}, 'c: the host of a probe or hook'),
    ({'lifecycle': {'preStop': {'tcpSocket': {'host': '10.0.0.1'}}}}, 'c: the host of a probe or hook'),
])
def test_a_port_or_host_of_the_node_is_named(fields, problem):
    spec = copy.deepcopy(ACCEPTED)
    spec['containers'][0].update(fields)
    assert violations(spec) == [problem]
