"""The API server that many tests take for a cluster: what it must have in common with one."""
import json

from kubespawner.kube import clients
from kubespawner.objects import make_pod

NAMES = ['b', 'a10', 'a9']


def test_a_watch_tells_of_what_was_created_since_its_version_in_the_order_of_creation(recording_api):
    core = clients.shared_client('CoreV1Api')
    core.create_namespaced_pod('hubs', make_pod('old', ['x'], 8888, 'image'))
    version = core.list_namespaced_pod('hubs').metadata.resource_version
    for name in NAMES:
        core.create_namespaced_pod('hubs', make_pod(name, ['x'], 8888, 'image'))
    response = core.list_namespaced_pod('hubs', watch=True, resource_version=version, _preload_content=False)
    told = [json.loads(line.decode('utf8')) for line in response.data.splitlines()]
    assert [event['object']['metadata']['name'] for event in told] == NAMES
