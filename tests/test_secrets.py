"""What is masked in logs and errors, and what is not."""
import json

import pytest

from kubespawner.messages.secrets import MASK, mask, secrets_in


def env(**values):
    return [{'name': name, 'value': value} for name, value in sorted(values.items())]


@pytest.mark.parametrize('name, value', [
    ('JUPYTERHUB_API_TOKEN', '0123456789abcdef'), ('JPY_API_TOKEN', 'abc'), ('JUPYTERHUB_OAUTH_CLIENT_SECRET', 'xyz'),
    ('DATABASE', 'postgres://ann:pw@db/x'), ('MY_PASSWORD', 'hunter2'), ('AWS_SECRET_ACCESS_KEY', 'a/b+c=='),
    ('JUPYTERHUB_COOKIE_SECRET', 'cookie'), ('TOKEN_URL', 'http://u:p@x'), ('ANYTHING', 'at least eight characters')])
def test_values_that_may_be_secret_are_masked(name, value):
    line = 'it said %s, twice: %s.' % (value, value)
    assert mask(line, secrets_in(env(**{name: value}))) == 'it said %s, twice: %s.' % (MASK, MASK)


@pytest.mark.parametrize('name, value', [
    ('JUPYTERHUB_API_URL', 'http://hub:8081/hub/api'), ('JUPYTERHUB_USER', 'annabella'), ('HOME', '/home/jovyan'),
    ('JUPYTERHUB_SSL_KEYFILE', '/etc/jupyterhub/ssl/ssl.key'),
    ('JUPYTERHUB_SERVICE_PREFIX', '/user/annabella/'), ('JUPYTERHUB_OAUTH_CALLBACK_URL', '/user/ann/oauth_callback'),
    ('NB_UID', '1000'), ('MEM_LIMIT', '1073741824'), ('PASSWORD', ''), ('TOKEN', 'no')])
def test_what_has_to_be_read_to_find_a_cause_is_not_masked(name, value):
    assert mask('it said %s.' % value, secrets_in(env(**{name: value}))) == 'it said %s.' % value


def test_a_secret_is_masked_in_a_url_and_line_by_line_too():
    secrets = secrets_in(env(PASSWORD='a/b c', CERTIFICATE='-----BEGIN-----\nMIIabcdefgh\n'))
    assert mask('http://x?p=a%2Fb%20c', secrets) == 'http://x?p=' + MASK
    assert mask('read MIIabcdefgh', secrets) == 'read ' + MASK


def test_a_longer_secret_is_masked_as_a_whole_and_a_public_value_stays():
    assert mask('abcdefghij', secrets_in(env(A_TOKEN='abcd', B_TOKEN='abcdefghij'))) == MASK
    assert secrets_in(env(HOME='/home/jovyan', START_DIRECTORY='/home/jovyan')) == []


@pytest.mark.parametrize('variable', [{}, {'name': 'TOKEN'}, {'name': None, 'value': 5},
                                      {'name': 'TOKEN', 'valueFrom': {'secretKeyRef': {}}}])
def test_variables_without_a_value_have_no_secret(variable):
    assert secrets_in([variable]) == []


@pytest.mark.parametrize('secret', ['a"b\\c', 'one\ntwo', "it's"])
@pytest.mark.parametrize('written', [json.dumps, repr, str])
def test_a_secret_is_masked_as_programs_quote_it(secret, written):
    text = 'the password is %s.' % written(secret)
    assert mask(text, secrets_in([{'name': 'PASSWORD', 'value': secret}])).replace('"', '').replace("'", '') == (
        'the password is ***.')


def test_short_secrets_are_masked_as_whole_words_only():
    secrets = secrets_in([{'name': 'DB_PASSWORD', 'value': 'hub'}])
    assert mask('password "hub" of the github hub-user', secrets) == 'password "***" of the github ***-user'


@pytest.mark.parametrize('value', ['True', 'false', 'no', 'None'])
def test_switches_are_no_secrets(value):
    assert secrets_in([{'name': 'AUTH_ENABLED', 'value': value}]) == []
