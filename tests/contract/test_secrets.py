"""Secrets: which keys a type needs, how large they may be, and what immutable means."""
import base64

import pytest

from .helpers import created, failure, ok, secret

REQUIRED, INVALID = 'FieldValueRequired', 'FieldValueInvalid'
DOCKER = 'kubernetes.io/dockerconfigjson'


@pytest.mark.parametrize('fields, causes', [
    ({'type': 'kubernetes.io/tls'}, [('data[tls.crt]', REQUIRED), ('data[tls.key]', REQUIRED)]),
    ({'type': 'kubernetes.io/tls', 'stringData': {'tls.crt': 'x'}}, [('data[tls.key]', REQUIRED)]),
    ({'type': 'kubernetes.io/dockercfg'}, [('data[.dockercfg]', REQUIRED)]),
    ({'type': DOCKER}, [('data[.dockerconfigjson]', REQUIRED)]),
    ({'type': DOCKER, 'stringData': {'.dockerconfigjson': 'x'}}, [('data[.dockerconfigjson]', INVALID)]),
    ({'type': 'kubernetes.io/service-account-token'},
     [('metadata.annotations[kubernetes.io/service-account.name]', REQUIRED)]),
    ({'stringData': {'..': 'x'}}, [('data[..]', INVALID)]),
    ({'stringData': {'a b': 'x'}}, [('data[a b]', INVALID)]),
    ({'stringData': {'a': 'x' * (2 ** 20 + 1)}}, [('data', 'FieldValueTooLong')]),
])
def test_refused(http, url, name, fields, causes):
    assert failure(http.post(url('secrets'), secret(name, **fields))) == (422, 'Invalid', causes)


@pytest.mark.parametrize('fields', [
    {'type': 'kubernetes.io/tls', 'stringData': {'tls.crt': '', 'tls.key': ''}},
    {'type': DOCKER, 'stringData': {'.dockerconfigjson': '{}'}},
    {'type': 'kubernetes.io/basic-auth', 'stringData': {'username': 'a'}},
    {'stringData': {'a': 'x' * 2 ** 20}}])
def test_accepted(http, url, name, fields):
    created(http.post(url('secrets'), secret(name, **fields)))


@pytest.mark.parametrize('patch, field', [
    ({'stringData': {'a': 'new'}}, 'data'), ({'immutable': False}, 'immutable'), ({'data': None}, 'data')])
def test_immutable_secret_keeps_its_data(http, url, name, patch, field):
    created(http.post(url('secrets'), secret(name, stringData={'a': 'old'}, immutable=True)))
    assert failure(http.patch(url('secrets', name), patch)) == (422, 'Invalid', [(field, 'FieldValueForbidden')])
    assert ok(http.get(url('secrets', name)))['data'] == {'a': base64.b64encode(b'old').decode()}


def test_immutable_secret_can_be_labelled_and_deleted(http, url, name):
    created(http.post(url('secrets'), secret(name, immutable=True)))
    ok(http.patch(url('secrets', name), {'metadata': {'labels': {'a': 'b'}}}))
    ok(http.delete(url('secrets', name)))
