"""Rights for the user of a kubeconfig, on a cluster that has access control.

An API server hears of new roles a moment after they were created. So functions that give rights return when they count.
"""
import time
from contextlib import contextmanager

import yaml
from kubernetes import client

from tests import documentation

GROUP = 'rbac.authorization.k8s.io'
PATIENCE = 60  # seconds


def user_of(kubeconfig):
    """Return the name of the user of a kubeconfig's current context."""
    with open(kubeconfig) as f:
        content = yaml.safe_load(f)
    return next(context['context']['user'] for context in content['contexts']
                if context['name'] == content['current-context'])


def of_the_readme():
    """Return the rules of the role that the documentation gives newcomers."""
    return yaml.safe_load(documentation.block('yaml', 'kind: Role'))['rules']


@contextmanager
def of_hub(core, namespace, user, rules):
    """Give the hub these rules and no others in a namespace, and in the end those of the documentation again.

    core (CoreV1Api): of an administrator. user (str): the hub's. rules (list of dict): as in a Role.
    """
    usual = of_the_readme()
    try:
        _replace(core, namespace, user, usual, rules)
        yield
    finally:
        _replace(core, namespace, user, rules, usual)


def _replace(core, namespace, user, old, new):
    rbac = client.RbacAuthorizationV1Api(core.api_client)
    rbac.patch_namespaced_role(name='hub', namespace=namespace, body={'rules': new}, _preload_content=False)
    wait_for(core, namespace, user, new, replaced=old)


def give(core, namespace, user, name, rules):
    """Create a role and its binding, both of this name, and return when the user has the rights.

    core (CoreV1Api): of an administrator. rules (list of dict): as in a Role.
    """
    rbac = client.RbacAuthorizationV1Api(core.api_client)
    rbac.create_namespaced_role(namespace=namespace, body={'metadata': {'name': name}, 'rules': rules})
    rbac.create_namespaced_role_binding(namespace=namespace, body={
        'metadata': {'name': name}, 'roleRef': {'apiGroup': GROUP, 'kind': 'Role', 'name': name},
        'subjects': [{'apiGroup': GROUP, 'kind': 'User', 'name': user}]})
    wait_for(core, namespace, user, rules)


def take(core, namespace, name):
    """Delete a role and its binding."""
    rbac = client.RbacAuthorizationV1Api(core.api_client)
    for delete in (rbac.delete_namespaced_role_binding, rbac.delete_namespaced_role):
        delete(name=name, namespace=namespace, body=client.V1DeleteOptions())


def wait_for(core, namespace, user, rules, replaced=()):
    """Return when a user has all rights of the rules, and no others of those that they have replaced.

    namespace (str or None): None stands for the whole cluster.
    """
    deadline, granted = time.monotonic() + PATIENCE, _rights(rules)
    for right in sorted(granted | _rights(replaced)):
        while may(core, namespace, user, *right) != (right in granted):
            assert time.monotonic() < deadline, 'it does not count yet whether %s may %s' % (user, ' '.join(right))
            time.sleep(0.05)


def _rights(rules):
    """Return the rights of rules, a set of (group, resource, verb)."""
    return {(group, resource, verb) for rule in rules for group in rule['apiGroups'] for resource in rule['resources']
            for verb in rule['verbs']}


def may(core, namespace, user, group, resource, verb):
    """Return whether a user has a right."""
    resource, _, subresource = resource.partition('/')
    review = client.V1SubjectAccessReview(spec=client.V1SubjectAccessReviewSpec(
        user=user, resource_attributes=client.V1ResourceAttributes(
            namespace=namespace, group=group, resource=resource, subresource=subresource, verb=verb)))
    api = client.AuthorizationV1Api(core.api_client)
    return api.create_subject_access_review(body=review).status.allowed
