"""What users choose is data wherever it goes: in names, templates, selectors, paths and the server's environment."""
import re
from urllib.parse import unquote

import pytest

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
