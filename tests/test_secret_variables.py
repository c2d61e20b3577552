"""Which environment variables are taken out of a pod, and that servers get the same values as before."""
import copy
import re

import pytest

from kubespawner.localkube.environment import expand
from kubespawner.secret_variables import MARK, hide, is_token, mark_of, mount_mark, only_keys

TOKEN = '0123456789abcdef0123'


def containers(*environments):
    return [{'name': 'c%d' % number, 'env': [
        {'name': name, 'value': value} if isinstance(value, str) else {'name': name, 'valueFrom': value}
        for name, value in environment]} for number, environment in enumerate(environments)]


def in_container(container, data):
    """Return the variables that Kubernetes makes of those of a container, with a Secret `s` that has this data."""
    made = {}
    for variable in container['env']:
        reference = variable.get('valueFrom', {}).get('secretKeyRef')
        made[variable['name']] = data[reference['key']] if reference else expand(variable.get('value', ''), made)
    return made


def hidden(pod, *names):
    """Hide variables of containers; return the values that are in the Secret then."""
    return hide(pod, 's', names, {})


@pytest.mark.parametrize('name, is_one', [
    ('JUPYTERHUB_API_TOKEN', True), ('JPY_API_TOKEN', True), ('CONFIGPROXY_AUTH_TOKEN', True),
    ('JUPYTERHUB_OAUTH_CLIENT_SECRET', True), ('JUPYTERHUB_COOKIE_SECRET', True), ('JUPYTERHUB_CRYPT_KEY', True),
    ('JUPYTERHUB_CLIENT_ID', False), ('JUPYTERHUB_SSL_KEYFILE', False), ('JUPYTERHUB_ALLOW_TOKEN_IN_URL', False),
    ('JUPYTERHUB_API_URL', False), ('MY_TOKEN', False), ('', False)])
def test_the_hubs_tokens_are_known_by_their_names(name, is_one):
    assert is_token(name) is is_one


def test_tokens_and_named_variables_of_all_containers_are_taken_out():
    pod = containers([('JUPYTERHUB_API_TOKEN', TOKEN), ('A', '1')], [('PASSWORD', 'x'), ('B', '2')])
    assert hidden(pod, 'PASSWORD') == {'JUPYTERHUB_API_TOKEN': TOKEN, 'PASSWORD': 'x'}
    assert [variable.get('value') for each in pod for variable in each['env']] == [None, '1', None, '2']
    assert pod[0]['env'][0] == {'name': 'JUPYTERHUB_API_TOKEN', 'valueFrom': {
        'secretKeyRef': {'name': 's', 'key': 'JUPYTERHUB_API_TOKEN'}}}


def test_a_variable_that_contains_a_token_is_taken_out_whatever_it_is_called():
    pod = containers([('HEADER', 'token ' + TOKEN), ('JPY_API_TOKEN', TOKEN), ('URL', 'http://x/?t=%s' % TOKEN)])
    assert set(hidden(pod)) == {'HEADER', 'JPY_API_TOKEN', 'URL'}
    assert TOKEN not in str(pod)


def test_a_short_token_takes_nothing_else_out():
    assert set(hidden(containers([('JPY_API_TOKEN', '1'), ('A', '12')]))) == {'JPY_API_TOKEN'}


@pytest.mark.parametrize('variables', [
    [('HOST', 'db'), ('SECRET', 'http://$(HOST)/'), ('AFTER', '<$(SECRET)>')],
    [('A', 'a$$b'), ('SECRET', '$(A)$$(A)$$$(A)'), ('B', '$(SECRET)')],
    [('SECRET', 'one'), ('B', '$(SECRET)'), ('SECRET', 'two'), ('C', '$(SECRET)')],
    [('SECRET', '$'), ('B', '$(SECRET)$(SECRET)')],
    [('SECRET', ''), ('SECOND', '$(SECRET)x'), ('B', '$(SECOND)')],
    [('SECRET', '$() $x ${y} $(open')],
])
def test_servers_get_the_same_values_as_before(variables):
    pod = containers(variables)
    before = in_container(copy.deepcopy(pod[0]), {})
    data = hidden(pod, 'SECRET', 'SECOND')
    assert in_container(pod[0], data) == before
    assert 'SECRET' in data


def test_one_name_with_several_values_has_several_keys():
    pod = containers([('P', 'one')], [('P', 'two')], [('P', 'one')])
    data = hidden(pod, 'P')
    assert [in_container(each, data)['P'] for each in pod] == ['one', 'two', 'one']
    assert len(data) == 2


def test_keys_are_what_a_secret_accepts():
    assert list(hidden(containers([('ssl.key', 'a'), ('x/\u00e9 ', 'b')]), 'ssl.key', 'x/\u00e9 ')) == [
        'ssl_key', 'x___']


@pytest.mark.parametrize('variables', [
    [('IP', {'fieldRef': {'fieldPath': 'status.podIP'}}), ('SECRET', 'pw-of-$(IP)')],
    [('SECRET', 'pw-of-$(SOMETHING)')],
    [('IP', {'fieldRef': {'fieldPath': 'status.podIP'}}), ('A', '$(IP)'), ('SECRET', 'pw-of-$(A)')]])
def test_a_variable_that_only_kubernetes_can_expand_is_an_error_that_does_not_repeat_it(variables):
    with pytest.raises(ValueError, match='SECRET refers to') as e:
        hidden(containers(variables), 'SECRET')
    assert 'pw-of' not in str(e.value)


def test_hiding_again_finds_what_was_added_since():
    pod = containers([('JPY_API_TOKEN', TOKEN)])
    values = hidden(pod)
    pod[0]['env'] += containers([('COPY', TOKEN), ('URL', '$(JPY_API_TOKEN)')])[0]['env']
    values = hide(pod, 's', (), values)
    assert values == {'JPY_API_TOKEN': TOKEN, 'COPY': TOKEN}
    assert in_container(pod[0], values) == {'JPY_API_TOKEN': TOKEN, 'COPY': TOKEN, 'URL': TOKEN}


def test_hiding_again_knows_all_tokens_of_one_name():
    first, second = [{'env': [{'name': 'JUPYTERHUB_API_TOKEN', 'value': letter * 20}]} for letter in 'ab']
    values = hide([first, second], 's', (), {})
    second['env'].append({'name': 'HEADER', 'value': 'token ' + 'b' * 20})
    values = hide([first, second], 's', (), values)
    assert 'b' * 20 not in str(second) and values['HEADER'] == 'token ' + 'b' * 20


def test_a_volume_of_the_secret_has_its_files_only():
    volumes = [{'name': 'a', 'secret': {'secretName': 's'}}, {'name': 'b', 'secret': {'secretName': 'other'}},
               {'name': 'c', 'emptyDir': {}}, {'name': 'd', 'secret': {'secretName': 's', 'items': [{'key': 'x'}]}}]
    only_keys(volumes, 's', ['k'])
    assert [volume.get('secret', {}).get('items') for volume in volumes] == [
        [{'key': 'k', 'path': 'k'}], None, None, [{'key': 'x'}]]


def test_a_pod_waits_for_its_secret_and_mounts_nothing_that_is_secret():
    mounts = [{'name': 'home', 'mountPath': '/h'}]
    spec = {'containers': [{'name': 'side'}, {'name': 'notebook', 'volumeMounts': mounts}]}
    for _ in range(2):
        mount_mark(spec, 's', mark_of('ann', ''))
    volume, = spec['volumes']
    assert volume['secret'] == {'secretName': 's', 'items': [{'key': mark_of('ann', ''), 'path': MARK}]}
    assert 'volumeMounts' not in spec['containers'][0]
    assert [mount['name'] for mount in spec['containers'][1]['volumeMounts']] == ['home', volume['name']]
    assert '.' in MARK  # no variable has such a key


def test_a_pod_waits_for_the_secret_of_its_own_server_only():
    owners = [('a', 'b-c'), ('a-b', 'c'), ('a', ''), ('', 'a'), ('\u00e4', ''), ('x' * 300, 'y' * 300)]
    keys = {mark_of(*owner) for owner in owners}
    assert len(keys) == len(owners) and all(re.match(r'[-._a-zA-Z0-9]{1,253}\Z', key) for key in keys)
