"""What users choose is data wherever it goes: in names, templates, selectors, paths and the server's environment."""
import re
from urllib.parse import unquote

import pytest
from kubernetes.client.rest import ApiException

from kubespawner import KubeSpawner
from tests.cluster.conftest import SLEEP, UNTOUCHED, make_spawner

NASTY = [
    '{userid}', '{username.__class__}', '{{username}}', '{', '}}{{', '{0}', '%s%n', 'a,b=c', 'heritage=jupyterhub,!x',
    '$(JUPYTERHUB_API_TOKEN)', '$(rm -rf /)', '$$', '${HOME}', '`x`', '; reboot #', '|', '&', '~', '*', '"', "'", '\\',
    '../..', '..', '/', 'a/b?c#d&e', 'a b', '\n', '-n', '--', '@', 'ANN', 'ann\u200b', '\uff41\uff4e\uff4e',
    '\U0001f600', 'null', 'true', '0x10', '<!--',
]

# Wherever an operator may write a template.
TEMPLATES = {
    'pod_name_template': 'pod-{username}{servername}-{userid}',
    'pvc_name_template': 'files-{username}{servername}',
    'volumes': [{'name': 'home', 'persistentVolumeClaim': {'claimName': 'files-{username}{servername}'}},
                {'name': 'host', 'hostPath': {'path': '/srv/{username}/{servername}'}}],
    'volume_mounts': [{'name': 'home', 'mountPath': '/home', 'subPath': '{username}/{servername}'}],
    'singleuser_extra_labels': {'of': 'u-{username}', 'on': 's{servername}x'},
    'singleuser_extra_annotations': {'of': '{legacy_escape_username} {username} {servername} {{userid}}'},
    'user_storage_extra_labels': {'of': 'u-{username}'},
}

CLAIM = {'user_storage_pvc_ensure': True, 'user_storage_capacity': '1Gi'}


class Spawner(KubeSpawner):
    pod_reflector = None


@pytest.mark.parametrize('name', NASTY)
def test_a_name_is_expanded_once_and_escaped(name):
    spawner = make_spawner(Spawner, name, name, **TEMPLATES)
    paths = [volume['hostPath']['path'] for volume in spawner._expand_all(spawner.volumes) if 'hostPath' in volume]
    paths += [mount['subPath'] for mount in spawner._expand_all(spawner.volume_mounts)]
    assert [path for path in paths if not re.match('(/srv/)?[-a-z0-9]+/[-a-z0-9]+\\Z', path)] == []
    annotation = spawner._expand_all(spawner.singleuser_extra_annotations)['of']
    assert re.match(r'[-a-z0-9]+ [-a-z0-9]+ --[-a-z0-9]+ \{userid\}\Z', annotation)


@pytest.mark.gen_test
def test_no_name_reaches_the_api_but_as_data(new_spawner, objects, core, namespace):
    for name in NASTY:
        spawner = new_spawner(name, name, **dict(TEMPLATES, **dict(CLAIM, **UNTOUCHED)))
        pod = yield objects.created_by(spawner)
        assert pod['metadata']['annotations']['hub.jupyter.org/username'] == name
        container = pod['spec']['containers'][0]
        as_literal = name.replace('$', '$$')  # Kubernetes expands $(VARIABLE) and makes $ of $$
        assert {'name': 'JUPYTERHUB_USER', 'value': as_literal} in container['env']
        assert container['args'][:len(SLEEP)] == SLEEP
        labels = pod['metadata']['labels']
        selector = ','.join('%s=%s' % (key, labels[key]) for key in labels if key.startswith('hub.jupyter.org/'))
        claims = core.list_namespaced_persistent_volume_claim(namespace=namespace, label_selector=selector).items
        assert [claim.metadata.name for claim in claims] == [spawner.pvc_name]


# Prints its environment and its arguments, and goes on.
SHOW = ['sh', '-c', 'env; for each; do echo "argument: $each"; done; echo end; trap "exit 0" TERM; sleep 1000 & wait',
        'sh']


@pytest.mark.parametrize('name', ['a$b', 'a$$b', '$(HOME)', '$$(HOME)', 'a$$$(B)', '$(a$$b)', 'a$', '$($$'])
@pytest.mark.gen_test
def test_names_arrive_in_the_container_as_they_are(new_spawner, objects, core, namespace, node, name):
    spawner = new_spawner(
        name, name, cmd=SHOW, notebook_dir='$(B)/{username}', legacy_singleuser_env=True, events_enabled=False,
        environment={'A': '$(B)/{unescaped_username}', 'B': 'b', 'JUPYTERHUB_OWN': '$(B)$$'})
    spawner.oauth_access_scopes = spawner.oauth_client_allowed_scopes = ['access:servers!server=%s/' % name]
    expected = {variable: value for variable, value in spawner.get_env().items() if name in str(value)}
    yield spawner.start()
    log = yield objects.until(lambda: read_log(core, namespace, spawner.pod_name, 'end\n'))
    yield spawner.stop(now=True)
    found = dict(line.split('=', 1) for line in log.splitlines() if '=' in line)
    assert {'JUPYTERHUB_USER', 'JPY_USER', 'JUPYTERHUB_OAUTH_CALLBACK_URL'} <= set(expected)
    for variable in set(expected) - {'A', 'JUPYTERHUB_ROOT_DIR'}:
        assert found[variable] == expected[variable], variable
    assert found['A'] == 'b/' + name and found['JUPYTERHUB_OWN'] == 'b$'
    assert found.get('JUPYTERHUB_ROOT_DIR') in (None, 'b/' + name)
    if 'JUPYTERHUB_ROOT_DIR' not in found:  # older hubs have an argument instead
        assert 'argument: --notebook-dir="b/%s"\n' % name in log


def read_log(core, namespace, pod_name, last):
    """Return the log of a pod, None as long as it does not contain what comes last."""
    try:
        log = core.read_namespaced_pod_log(name=pod_name, namespace=namespace, _preload_content=False).data.decode()
    except ApiException:  # its container has not been created yet
        return None
    return log if last in log else None


@pytest.mark.gen_test
def test_every_request_names_what_it_is_for_and_nothing_else(kube, new_spawner, namespace):
    spawner = new_spawner('{userid},x=y&watch=1/../..', '?a=b#c', **dict(CLAIM, **UNTOUCHED))
    spawner.start_timeout = 1
    yield spawner.poll()
    with pytest.raises(Exception, match='to be running'):
        yield spawner.start()
    yield spawner.stop(now=True)
    for _, path in kube.requests():
        path, _, query = path.partition('?')
        assert re.match('/api/v1/namespaces/[-a-z0-9]+(/(pods|persistentvolumeclaims)(/[-a-z0-9]+)?)?\\Z', path)
        for parameter in filter(None, query.split('&')):
            assert re.match('[A-Za-z]+=[-A-Za-z0-9._/=,!()+ ]*\\Z', unquote(parameter))
            assert 'watch=1' not in unquote(parameter) and 'x=y' not in unquote(parameter)


@pytest.mark.parametrize('trait', sorted(TEMPLATES))
@pytest.mark.parametrize('template', ['{username.__class__}', '{userid.__class__.__mro__}', '{username:{userid.real}}'])
def test_a_template_reaches_no_attributes(trait, template):
    value = {list: [{'name': template}], dict: {'a': template}, str: template}[type(TEMPLATES[trait])]
    spawner = make_spawner(Spawner, **{trait: value})
    with pytest.raises(ValueError) as e:
        spawner._expand_all(getattr(spawner, trait))
    assert re.search(r'The fields are .*\{userid\}, .*\{username\}', str(e.value))
