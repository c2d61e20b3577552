"""Fields that an object does not have, has twice, or has in another case: dropped, told, or refused."""
import json

import pytest

from .helpers import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, answer, configmap, created, failure, ok, pod
from .releases import FIELD_VALIDATION

STRICT = {'fieldValidation': 'Strict'}
OPTIONS = [('fieldValidation', 'FieldValueNotSupported')]


@pytest.fixture
def told(release):
    """A function: the warnings that an answer must have, which are none in releases without field validation."""
    def check(reply, *warnings):
        expected = ['299 - "%s"' % text.replace('"', '\\"') for text in warnings]
        assert reply.headers.getlist('Warning') == (expected if release >= FIELD_VALIDATION else [])
    return check


@pytest.fixture
def strict(release):
    """Skips a case on releases that cannot be strict."""
    if release < FIELD_VALIDATION:
        pytest.skip('field validation is there since Kubernetes %d.%d' % FIELD_VALIDATION)


def odd_pod(name):
    body = pod(name)
    body['spec']['containers'][0].update(Image='x', imagepullpolicy='Always')
    return dict(body, nonsense={'nested': 1})


def duplicated(name):
    """A config map as JSON text in which a label and the data are there twice."""
    text = json.dumps(configmap(name, {'a': '1'}, key='first'))
    text = text.replace('"a": "1"', '"a": "0", "a": "1"')
    return (text[:-1] + ', "data": {"key": "last"}}').encode()


@pytest.mark.parametrize('query', [{}, {'fieldValidation': 'Warn'}, {'fieldValidation': ''}])
def test_unknown_and_wrongly_cased_fields_are_dropped_with_a_warning(http, pods, name, told, query):
    reply = http.post(pods, odd_pod(name), **query)
    obj = created(reply)
    assert 'nonsense' not in obj and 'Image' not in obj['spec']['containers'][0]
    assert obj['spec']['containers'][0]['image'] == 'example.org/image:1'
    told(reply, 'unknown field "spec.containers[0].Image"', 'unknown field "spec.containers[0].imagepullpolicy"',
         'unknown field "nonsense"')


def test_of_duplicate_fields_the_last_counts_with_a_warning(http, url, name, told):
    reply = answer(http.send('POST', url('configmaps'), duplicated(name)))
    obj = created(reply)
    assert (obj['data'], obj['metadata']['labels']) == ({'key': 'last'}, {'a': '1'})
    if reply.headers.getlist('Warning'):
        assert sorted(reply.headers.getlist('Warning')) == [
            '299 - "duplicate field \\"data\\""', '299 - "duplicate field \\"metadata.labels.a\\""']


def test_without_odd_fields_nothing_is_told(http, pods, name):
    assert not http.post(pods, pod(name)).headers.getlist('Warning')


def test_who_ignores_odd_fields_is_told_nothing(http, pods, name):
    reply = http.post(pods, odd_pod(name), fieldValidation='Ignore')
    assert 'nonsense' not in created(reply) and not reply.headers.getlist('Warning')


@pytest.mark.usefixtures('strict')
def test_strict_create_with_unknown_fields_is_400(http, pods, name):
    reply = http.post(pods, odd_pod(name), **STRICT)
    assert failure(reply) == (400, 'BadRequest', [])
    assert reply.body['message'] == (
        'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field '
        '"spec.containers[0].Image", unknown field "spec.containers[0].imagepullpolicy", unknown field "nonsense"')
    assert http.get(pods + '/' + name).code == 404


@pytest.mark.usefixtures('strict')
def test_strict_create_with_duplicate_fields_is_400(http, url, name):
    reply = answer(http.send('POST', url('configmaps'), duplicated(name), STRICT))
    assert failure(reply) == (400, 'BadRequest', [])
    assert 'strict decoding error: ' in reply.body['message']
    assert 'duplicate field "metadata.labels.a"' in reply.body['message']


@pytest.mark.usefixtures('strict')
def test_strict_replace_with_an_unknown_field_is_400(http, url, name):
    obj = created(http.post(url('configmaps'), configmap(name)))
    reply = http.put(url('configmaps', name), dict(obj, Data={}), **STRICT)
    assert failure(reply) == (400, 'BadRequest', []) and 'unknown field "Data"' in reply.body['message']


@pytest.mark.usefixtures('strict')
@pytest.mark.parametrize('content_type, patch', [
    (MERGE_PATCH, {'nonsense': 1}), (STRATEGIC_PATCH, {'nonsense': 1}),
    (JSON_PATCH, [{'op': 'add', 'path': '/nonsense', 'value': 1}])])
def test_strict_patch_with_an_unknown_field_is_422(http, url, name, content_type, patch):
    created(http.post(url('configmaps'), configmap(name)))
    reply = http.patch(url('configmaps', name), patch, content_type, **STRICT)
    assert failure(reply) == (422, 'Invalid', [('patch', 'FieldValueInvalid')])
    assert reply.body['message'].endswith(': strict decoding error: unknown field "nonsense"')


@pytest.mark.parametrize('content_type, patch', [
    (MERGE_PATCH, {'nonsense': 1}), (STRATEGIC_PATCH, {'nonsense': 1})])
def test_patch_with_an_unknown_field_changes_nothing_and_warns(http, url, name, told, content_type, patch):
    before = created(http.post(url('configmaps'), configmap(name)))
    reply = http.patch(url('configmaps', name), patch, content_type)
    assert ok(reply)['metadata']['resourceVersion'] == before['metadata']['resourceVersion']
    told(reply, 'unknown field "nonsense"')


@pytest.mark.usefixtures('strict')
def test_validation_that_does_not_exist_is_422(http, url, name):
    query = {'fieldValidation': 'Sometimes'}
    for kind, reply in (('CreateOptions', http.post(url('configmaps'), configmap(name), **query)),
                        ('UpdateOptions', http.put(url('configmaps', name), configmap(name), **query)),
                        ('PatchOptions', http.patch(url('configmaps', name), {}, **query))):
        assert failure(reply) == (422, 'Invalid', OPTIONS)
        assert reply.body['details']['kind'] == kind
