"""The volumes of pods, and what is taken from secrets: what the server refuses."""
import pytest

from .helpers import container, created, failure, pod

INVALID, REQUIRED, UNSUPPORTED = 'FieldValueInvalid', 'FieldValueRequired', 'FieldValueNotSupported'


@pytest.fixture
def refused(http, pods, name):
    """A function: the causes for which the server refuses a pod."""
    def causes_of(volumes=(), **fields):
        code, reason, causes = failure(http.post(pods, pod(name, volumes=list(volumes), containers=[
            container(**fields)])))
        assert (code, reason) == (422, 'Invalid')
        return causes
    return causes_of


@pytest.mark.parametrize('kind, name_field', [('secret', 'secretName'), ('configMap', 'name')])
@pytest.mark.parametrize('fields, field, reason', [
    ({'defaultMode': 0o1000}, 'defaultMode', INVALID),
    ({'items': [{'path': 'a'}]}, 'items[0].key', REQUIRED),
    ({'items': [{'key': 'a'}]}, 'items[0].path', REQUIRED),
    ({'items': [{'key': 'a', 'path': '../a'}]}, 'items[0].path', INVALID),
    ({'items': [{'key': 'a', 'path': '/a'}]}, 'items[0].path', INVALID),
    ({'items': [{'key': 'a', 'path': '..a'}]}, 'items[0].path', INVALID),
    ({'items': [{'key': 'a', 'path': 'a', 'mode': 0o1000}]}, 'items[0].mode', INVALID),
])
def test_keys_of_a_volume(refused, kind, name_field, fields, field, reason):
    volume = {'name': 'v', kind: dict({name_field: 'x'}, **fields)}
    assert refused([volume]) == [('spec.volumes[0].%s.%s' % (kind, field), reason)]


@pytest.mark.parametrize('fields, field', [
    ({'path': '/a/../b'}, 'path'), ({'path': '/a', 'type': 'Some'}, 'type')])
def test_host_path(refused, fields, field):
    assert [cause[0] for cause in refused([{'name': 'v', 'hostPath': fields}])] == ['spec.volumes[0].hostPath.' + field]


@pytest.mark.parametrize('fields', [
    {'subPathExpr': '../a'}, {'subPathExpr': '/a'}, {'subPath': 'a', 'subPathExpr': 'b'}])
def test_sub_path_expression(refused, fields):
    mount = dict({'name': 'v', 'mountPath': '/a'}, **fields)
    assert len(refused([{'name': 'v', 'emptyDir': {}}], volumeMounts=[mount])) == 1


@pytest.mark.parametrize('field, cause', [
    ({'env': [{'name': 'A', 'valueFrom': {'secretKeyRef': {'name': 's', 'key': 'a b'}}}]},
     ('spec.containers[0].env[0].valueFrom.secretKeyRef.key', INVALID)),
    ({'envFrom': [{'secretRef': {}}]}, ('spec.containers[0].envFrom[0].secretRef.name', REQUIRED)),
    ({'envFrom': [{'prefix': 'a b', 'configMapRef': {'name': 'x'}}]},
     ('spec.containers[0].envFrom[0].prefix', INVALID)),
])
def test_environment(refused, field, cause):
    assert refused(**field) == [cause]


def projected(**source):
    return {'name': 'v', 'projected': {'sources': [source]}}


@pytest.mark.parametrize('volume, cause', [
    (projected(secret={}), ('projected.sources[0].secret.name', REQUIRED)),
    (projected(configMap={'items': [{'key': 'a', 'path': 'a'}]}), ('projected.sources[0].configMap.name', REQUIRED)),
    (projected(secret={'name': 's', 'items': [{'key': 'a', 'path': '../a'}]}),
     ('projected.sources[0].secret.items[0].path', INVALID)),
    (projected(secret={'name': 's', 'items': [{'key': 'a', 'path': 'x'}, {'key': 'b', 'path': 'x'}]}),
     ('projected', INVALID)),
    (projected(serviceAccountToken={'path': 't', 'expirationSeconds': 1}),
     ('projected.sources[0].serviceAccountToken.expirationSeconds', INVALID)),
    (projected(serviceAccountToken={}), ('projected.path', REQUIRED)),
    (projected(secret={'name': 's'}, configMap={'name': 'c'}), ('projected.sources[0]', 'FieldValueForbidden')),
    ({'name': 'v', 'projected': {'defaultMode': 0o1000}}, ('projected.defaultMode', INVALID)),
    ({'name': 'v', 'downwardAPI': {'defaultMode': 0o1000}}, ('downwardAPI.defaultMode', INVALID)),
    ({'name': 'v', 'downwardAPI': {'items': [{'path': 'a'}]}}, ('downwardAPI', REQUIRED)),
    ({'name': 'v', 'downwardAPI': {'items': [{'fieldRef': {'fieldPath': 'metadata.name'}}]}},
     ('downwardAPI.path', REQUIRED)),
    ({'name': 'v', 'downwardAPI': {'items': [{'path': 'a', 'fieldRef': {'fieldPath': 'spec.nodeName'}}]}},
     ('downwardAPI.fieldRef.fieldPath', UNSUPPORTED)),
    ({'name': 'v', 'downwardAPI': {'items': [{'path': 'a', 'resourceFieldRef': {'resource': 'limits.cpu'}}]}},
     ('downwardAPI.resourceFieldRef.containerName', REQUIRED)),
])
def test_files_from_several_sources(refused, volume, cause):
    assert refused([volume]) == [('spec.volumes[0].' + cause[0], cause[1])]


def test_defaults_of_files_from_several_sources(http, pods, name):
    sources = [{'secret': {'name': 's'}}, {'serviceAccountToken': {'path': 'token'}},
               {'downwardAPI': {'items': [{'path': 'n', 'fieldRef': {'fieldPath': 'metadata.name'}}]}}]
    volume, = created(http.post(pods, pod(name, volumes=[{'name': 'v', 'projected': {'sources': sources}}])))[
        'spec']['volumes']
    assert volume['projected'] == {'defaultMode': 420, 'sources': [
        {'secret': {'name': 's'}}, {'serviceAccountToken': {'path': 'token', 'expirationSeconds': 3600}},
        {'downwardAPI': {'items': [{'path': 'n', 'fieldRef': {'apiVersion': 'v1', 'fieldPath': 'metadata.name'}}]}}]}
