"""A quota of a namespace, on a cluster that has any. A controller and the API server hear of one a moment later."""
import uuid
from contextlib import contextmanager

from kubernetes import client
from kubernetes.client.rest import ApiException

from kubespawner.kube import clients
from tests.support.waits import until

NAME = 'quota'


@contextmanager
def quota(core, namespace, **hard):
    """Limit what there may be in a namespace, such as `pods='0'`; it counts inside, and no more afterwards."""
    core.create_namespaced_resource_quota(namespace=namespace, _preload_content=False, body={
        'metadata': {'name': NAME}, 'spec': {'hard': hard}})
    try:
        until(lambda: core.read_namespaced_resource_quota(name=NAME, namespace=namespace).status.hard,
              'a quota to be counted')
        yield
    finally:
        core.delete_namespaced_resource_quota(name=NAME, namespace=namespace, body=client.V1DeleteOptions())
        until(lambda: not refuses(core, namespace), 'a quota to be forgotten')


def refuses(core, namespace):
    """Return whether a quota forbids one more pod or claim."""
    pod = {'spec': {'schedulerName': 'nobody', 'containers': [{'name': 'c', 'image': 'busybox', 'resources': {
        'requests': {'cpu': '1m', 'memory': '1Mi'}, 'limits': {'cpu': '1m', 'memory': '1Mi'}}}]}}
    claim = {'spec': {'accessModes': ['ReadWriteOnce'], 'resources': {'requests': {'storage': '1Gi'}}}}
    try:
        for resource, body in [('pods', pod), ('persistentvolumeclaims', claim)]:
            body = dict(body, metadata={'name': 'probe-' + uuid.uuid4().hex[:8]})
            clients.send(core.api_client, 'POST', '/api/v1/namespaces/%s/%s' % (namespace, resource),
                         {'dryRun': 'All'}, body)  # the methods of old clients know of no dry runs
    except ApiException as e:
        if e.status != 403:
            raise
        return True
    return False
