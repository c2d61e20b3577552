"""A hub that knows the cluster's names, on this machine: it reaches its servers by name."""
import pytest

# A headless Service names the pods whose subdomain it is.
SERVICE = {'metadata': {'name': 'servers'}, 'spec': {
    'clusterIP': 'None', 'selector': {'component': 'singleuser-server'}, 'ports': [{'port': 8888}],
    'publishNotReadyAddresses': True}}
BY_NAME = """
c.KubeSpawner.pod_connect_ip = '{pod_name}.servers.{namespace}.svc.cluster.local'
c.KubeSpawner.singleuser_extra_pod_config = {'hostname': 'jupyter-{username}', 'subdomain': 'servers'}
"""


@pytest.fixture(scope='module')
def more(core, namespace):
    core.create_namespaced_service(namespace=namespace, body=SERVICE, _preload_content=False)
    return BY_NAME


def test_a_hub_and_its_proxy_reach_a_server_by_name(hub_with_cluster_names):
    user = hub_with_cluster_names.user('ann')
    user.start()
    assert user.run(user.new_kernel(), '6*7') == '42'
    user.stop()
