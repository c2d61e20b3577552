"""The rights of the user that KubeSpawner runs as, asked of the API server: all that it needs, and no more."""
import os

import pytest
from kubernetes import client, config

NEEDED = [('pods', 'get'), ('pods', 'list'), ('pods', 'watch'), ('pods', 'create'), ('pods', 'delete'),
          ('persistentvolumeclaims', 'get'), ('persistentvolumeclaims', 'list'), ('persistentvolumeclaims', 'create'),
          ('persistentvolumeclaims', 'delete'), ('events', 'list'), ('events', 'watch')]

NOT_NEEDED = [('pods', 'update'), ('pods/exec', 'create'), ('pods/log', 'get'), ('persistentvolumeclaims', 'update'),
              ('namespaces', 'create'), ('secrets', 'get'), ('configmaps', 'get'), ('nodes', 'list'),
              ('serviceaccounts/token', 'create'), ('events', 'get'), ('events', 'create')]


@pytest.fixture(scope='module')
def may(request, cluster):
    """`may(namespace, resource, verb)` tells if the hub's user has a right."""
    if not request.config.getoption('--hub-kubeconfig'):
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
