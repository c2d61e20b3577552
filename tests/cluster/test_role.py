"""The rights of the user that KubeSpawner runs as, asked of the API server: all that it needs, and no more."""
import os
from contextlib import ExitStack

import pytest
from kubernetes import client, config

from kubespawner.messages.errors import SpawnError
from tests.support.certificates import write_certificates

from .conftest import COMPANION_RIGHTS, additional_rights

NEEDED = [('pods', 'get'), ('pods', 'list'), ('pods', 'watch'), ('pods', 'create'), ('pods', 'delete'),
          ('persistentvolumeclaims', 'get'), ('persistentvolumeclaims', 'list'), ('persistentvolumeclaims', 'create'),
          ('persistentvolumeclaims', 'delete'), ('events', 'list'), ('events', 'watch')]

NOT_NEEDED = [('pods', 'update'), ('pods/exec', 'create'), ('pods/log', 'get'), ('persistentvolumeclaims', 'update'),
              ('namespaces', 'create'), ('secrets', 'get'), ('configmaps', 'get'), ('nodes', 'list'),
              ('serviceaccounts/token', 'create'), ('events', 'get'), ('events', 'create')]


@pytest.fixture(scope='module')
def may(cluster):
    """`may(namespace, resource, verb)` tells if the hub's user has a right."""
    if not cluster.hub_kubeconfig:
        pytest.skip('needs a user with the rights of a hub: --hub-kubeconfig')
    api = client.AuthorizationV1Api(config.new_client_from_config(config_file=os.environ['KUBECONFIG']))

    def may(namespace, resource, verb):
        resource, _, subresource = resource.partition('/')
        review = client.V1SelfSubjectAccessReview(spec=client.V1SelfSubjectAccessReviewSpec(
            resource_attributes=client.V1ResourceAttributes(
                namespace=namespace, resource=resource, subresource=subresource, verb=verb)))
        return api.create_self_subject_access_review(body=review).status.allowed

    return may


@pytest.mark.parametrize('resource, verb', NEEDED)
def test_the_hub_has_the_right(may, namespace, resource, verb):
    assert may(namespace, resource, verb), 'missing permission: %s %s' % (verb, resource)


@pytest.mark.parametrize('resource, verb', NOT_NEEDED)
def test_the_hub_has_no_other_right(may, namespace, resource, verb):
    assert not may(namespace, resource, verb), 'superfluous permission: %s %s' % (verb, resource)


def test_the_hub_has_no_right_in_other_namespaces(may):
    assert not any(may('kube-system', resource, verb) for resource, verb in NEEDED)


def test_the_role_is_what_is_needed(role):
    assert role == set(NEEDED)


# The lines that a hub with internal_ssl, services_enabled or secret_environment adds: each verb of them is needed.


def test_the_page_has_the_lines_that_are_proved_here():
    assert sorted(COMPANION_RIGHTS) == sorted(
        (resource, verb) for resource in ('secrets', 'services') for verb in ('get', 'create', 'delete'))


@pytest.fixture
def grant(cluster, core, namespace):
    """`grant(rights)` gives the hub's user these rights until the test has ended."""
    if not cluster.hub_kubeconfig:
        pytest.skip('needs a user with the rights of a hub: --hub-kubeconfig')
    with ExitStack() as stack:
        yield lambda rights: stack.enter_context(
            additional_rights(core, namespace, cluster.hub_kubeconfig, rights))


def with_companions(new_spawner, username, directory):
    spawner = new_spawner(username, secret_environment=True, services_enabled=True)
    if hasattr(spawner, 'internal_ssl'):
        spawner.internal_ssl, spawner.internal_trust_bundles = True, write_certificates(directory)[1]
    return spawner


@pytest.mark.gen_test
def test_with_these_lines_a_server_starts_twice(grant, may, objects, node, new_spawner, namespace, tmp_path):
    grant(COMPANION_RIGHTS)
    yield objects.until(lambda: all(may(namespace, *right) for right in COMPANION_RIGHTS))
    spawner = with_companions(new_spawner, 'both', tmp_path)
    for _ in range(2):
        if hasattr(spawner, 'internal_ssl'):
            spawner.cert_paths = yield spawner.move_certs(write_certificates(tmp_path)[0])
        yield spawner.start()
        yield spawner.stop(now=True)
        spawner.clear_state()


@pytest.mark.parametrize('missing', COMPANION_RIGHTS, ids='-'.join)
@pytest.mark.gen_test
def test_without_one_of_these_rights_the_error_says_which_line_to_add(
        grant, may, objects, node, new_spawner, core, namespace, missing):
    resource, verb = missing
    grant([right for right in COMPANION_RIGHTS if right != missing])
    yield objects.until(lambda: all(may(namespace, *right) is (right != missing) for right in COMPANION_RIGHTS))
    spawner = new_spawner('lacks-%s-%s' % missing, secret_environment=True, services_enabled=True)
    if verb == 'delete':
        keep_old_one(core, namespace, resource[:-1], spawner.pod_name, spawner)
    with pytest.raises(SpawnError, match='does not have the right to %s %s' % (verb, resource)) as e:
        yield spawner.start()
    assert 'resources: [%s], verbs: [get, create, delete]' % resource in str(e.value)
    yield objects.until(lambda: objects.pod(spawner.pod_name) is None)


def keep_old_one(core, namespace, kind, name, spawner):
    """Create what an earlier pod could have left. It says whose it is, and Kubernetes does not collect it."""
    annotations = {'hub.jupyter.org/username': spawner.user.name}
    body = {'metadata': {'name': name, 'annotations': annotations}}
    if kind == 'service':
        body['spec'] = {'ports': [{'port': 80}]}
    getattr(core, 'create_namespaced_' + kind)(namespace=namespace, body=body, _preload_content=False)
