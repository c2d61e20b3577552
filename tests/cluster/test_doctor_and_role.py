"""The doctor asks the API server which rights the hub has: with the documented role, and with one that lacks a verb."""
import json
from functools import partial

import pytest
from kubernetes import config

from kubespawner import KubeSpawner
from kubespawner.commands import console
from kubespawner.commands.cluster import Cluster
from tests.support import cluster_files, rights

from .conftest import HUB_FOR_COMMANDS

CONFIGURATION = HUB_FOR_COMMANDS + '''
c.KubeSpawner.user_storage_pvc_ensure = True
c.KubeSpawner.user_storage_capacity = '1Gi'
c.KubeSpawner.events_enabled = True
c.KubeSpawner.delete_pvc = True
'''

ROLES = {'the page for newcomers': rights.of_the_readme(),
         'the files for a hub in a cluster': cluster_files.of_kind('Role')['hub']['rules']}
RIGHTS = [(where, resource, verb) for where, rules in sorted(ROLES.items()) for rule in rules
          for resource in rule['resources'] for verb in rule['verbs']]


@pytest.fixture
def with_rules(cluster, core, namespace):
    """`with with_rules(rules):` gives the hub these rules and no others."""
    if not cluster.hub_kubeconfig:
        pytest.skip('needs a user with the rights of a hub: --hub-kubeconfig')
    return partial(rights.of_hub, core, namespace, rights.user_of(cluster.hub_kubeconfig))


@pytest.fixture
def doctor(namespace, tmp_path, monkeypatch, capsys):
    """`doctor()` returns [(level, sentence, advice)] of what the doctor finds about rights."""
    monkeypatch.setattr(KubeSpawner, 'pod_reflector', None)
    path = tmp_path / 'jupyterhub_config.py'
    path.write_text(CONFIGURATION % namespace)

    def call():
        console.command(['doctor', '-f', str(path), '--json'])
        return [(each['level'], each['sentence'], each['advice'])
                for each in json.loads(capsys.readouterr().out)['findings'] if each['check'] == 'rights']

    return call


# None of these tests is a coroutine: the doctor runs an event loop of its own, which it cannot within another.
@pytest.mark.parametrize('where', sorted(ROLES))
def test_a_documented_role_is_sufficient(with_rules, doctor, where):
    with with_rules(ROLES[where]):
        assert [level for level, _, _ in doctor()] == ['fine']


@pytest.mark.parametrize('where, resource, verb', RIGHTS)
def test_the_doctor_names_the_verb_that_a_role_lacks(with_rules, doctor, namespace, where, resource, verb):
    fewer = [dict(rule, verbs=[each for each in rule['verbs'] if resource not in rule['resources'] or each != verb])
             for rule in ROLES[where]]
    with with_rules(fewer):
        (level, sentence, advice), = doctor()
    assert level == ('broken' if resource == 'pods' or verb in ('get', 'list', 'create') and resource != 'events'
                     else 'warning')
    assert sentence.startswith('The hub may not %s %s in namespace %s' % (verb, resource, namespace))
    assert verb in advice and resource in advice


def test_the_doctor_knows_localkube(cluster):
    known = Cluster(new_client=lambda: config.new_client_from_config(config_file=cluster.kubeconfig))
    assert known.is_localkube() == cluster.is_localkube
